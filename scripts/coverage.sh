#!/usr/bin/env bash
# How much of include/ the tests reach: lines and branches by header, worst first, and in all. Fails under 98 % of lines or 90 % of branches.
# usage: scripts/coverage.sh                          builds with clang into build/coverage and runs the quick tests first
#        scripts/coverage.sh DIRECTORY [OPTION...]    of a build with CARAMEL_COVERAGE=ON whose tests have run (ctest)
# options: --lines 98 --branches 90, --uncovered (lists each line and each side of a condition that was missed)
# Installs what it needs (Debian and its kin: apt). What is left out, and why: scripts/coverage_excluded.txt.
. "$(dirname "$0")/common.sh"
directory=${1:-}
[ $# -gt 0 ] && shift
if [ -z "$directory" ]; then
    need "${library_packages[@]}" catch2 python3-numpy clang-14 libclang-rt-14-dev
    directory=build/coverage
    say "building with coverage into $directory"
    cmake --preset coverage -DCMAKE_CXX_COMPILER="${CXX:-clang++-14}" -DCMAKE_UNITY_BUILD=ON -DCARAMEL_TEST_SCALAR=double >/dev/null
    cmake --build "$directory" --parallel "$cores" | grep -v 'Building CXX\|^ninja: Entering' || [ "${PIPESTATUS[0]}" = 0 ]
    ctest --test-dir "$directory" -L unit --output-on-failure --parallel "$cores"
fi

# The tools must be of the compiler's version: the formats of profiles and mappings change.
compiler=$(sed -n 's/^CMAKE_CXX_COMPILER:[^=]*=//p' "$directory/CMakeCache.txt")
version=$("$compiler" -dumpversion)
version=${version%%.*}
need "llvm-$version" python3
tool() { command -v "$1-$version" || command -v "$1" || { say "$1 of version $version is missing" >&2; return 1; }; }
profdata=$(tool llvm-profdata)
cov=$(tool llvm-cov)

# Each program by itself: in one report, functions that one of them has and does not use hide their counts in another.
shown() {
    local program family profile profiles n=0
    for program in "$directory"/tests/caramel_*_tests; do
        family=${program##*/caramel_}
        profile=$directory/coverage/${family%_tests}
        [ -s "$profile.profraw" ] || { say "no profile $profile.profraw: build with CARAMEL_COVERAGE=ON and run the tests with ctest" >&2; return 1; }
        [ "$profile.profraw" -nt "$program" ] || { say "$program is newer than its profile: run the tests again" >&2; return 1; }
        profiles=("$profile.profraw")
        [ ! "$profile.slow.profraw" -nt "$program" ] || profiles+=("$profile.slow.profraw")
        "$profdata" merge -sparse "${profiles[@]}" -o "$profile.profdata"
        "$cov" show -show-branches=count -show-instantiations=false -show-expansions=false -use-color=0 -instr-profile "$profile.profdata" "$program" "$root/include"
        n=$((n + 1))
    done
    [ $n -gt 0 ] || { say "no test programs in $directory/tests" >&2; return 1; }
}
headers() { (cd include && find caramel -name '*.hpp' | sort | sed -e 's|^caramel/adapters/sqlite.*|#if __has_include(<sqlite3.h>)\n#include <&>\n#endif|;t' -e 's|.*|#include <&>|'); }
shown >"$directory/coverage/shown.txt"
headers | "$compiler" -std=c++20 -I include -isystem /usr/include/eigen3 -E -x c++ - >"$directory/coverage/preprocessed.txt"
python3 scripts/coverage.py include "$directory/coverage/preprocessed.txt" --excluded scripts/coverage_excluded.txt "$@" <"$directory/coverage/shown.txt"
