#!/usr/bin/env bash
# Builds and runs the tests.
# usage: scripts/test.sh            with the default compiler, without the slow tests: about 12 minutes on 2 cores
#        scripts/test.sh --full     with g++ and clang, slow tests, sanitizers, benchmarks: what CI runs
# Installs what it needs (Debian and its kin: apt). Real data are used where CARAMEL_SHARED or ../shared has them.
. "$(dirname "$0")/common.sh"
full=no
[ "${1:-}" = --full ] && full=yes
need_compiler
need "${library_packages[@]}" catch2 python3-numpy
need unicode-data bzip2 python3-jieba  # tables and a dictionary to test against; where they are missing, those tests are skipped

# build DIRECTORY PRESET COMPILER [CMAKE OPTION...] [-- TARGET...]
build() {
    local directory=$1 preset=$2 compiler=$3 options=() targets=()
    shift 3
    while [ $# -gt 0 ] && [ "$1" != -- ]; do options+=("$1"); shift; done
    [ $# -gt 1 ] && shift && targets=(--target "$@")
    say "building with $compiler ($preset) into $directory"
    cmake --preset "$preset" -B "$directory" -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_UNITY_BUILD=ON "${options[@]}" >/dev/null
    cmake --build "$directory" --parallel "$cores" "${targets[@]}" | grep -v 'Building CXX\|^ninja: Entering' || [ "${PIPESTATUS[0]}" = 0 ]
}
run_tests() { ctest --test-dir "$@" --output-on-failure --parallel "$cores"; }

if [ $full = no ]; then
    build build/dev dev "${CXX:-g++}" -DCARAMEL_BUILD_EXAMPLES=OFF
    run_tests build/dev -LE slow
    say "the tests passed"
    exit 0
fi

say() { echo "== after $SECONDS s: $*"; }
need clang-14 libclang-rt-14-dev llvm-14 clang-tidy-14 libbenchmark-dev libcli11-dev libcpp-httplib-dev libsqlite3-dev pkg-config curl

# beside NAME COMMAND...: runs it while the next build goes on, so that both cores are busy; `ended` waits for all such and shows
# what they printed.
others=()
beside() {
    local name=$1
    shift
    ("$@") >"build/$name.log" 2>&1 &
    others+=("$! $name")
}
ended() {
    local one failed=no
    for one in "${others[@]}"; do
        wait "${one%% *}" || failed=yes
        say "${one#* }"
        cat "build/${one#* }.log"
    done
    others=()
    [ $failed = no ]
}
# g++ tests templates with float, clang with double: each with both would take a third longer to compile.
# g++ collects its garbage less often than it would by itself, and lines of source in reports are left out (the presets have
# them): a tenth and a fifth of the time to compile.
gcc_flags="-O1 -D_GLIBCXX_ASSERTIONS --param ggc-min-heapsize=2000000 --param ggc-min-expand=200"
build build/dev dev g++ -DCARAMEL_BUILD_EXAMPLES=OFF -DCARAMEL_TEST_SCALAR=float -DCMAKE_CXX_FLAGS="$gcc_flags"
beside tests.dev run_tests build/dev
say "clang, with the address and undefined-behaviour sanitizers and counters of lines and branches"
build build/asan asan clang++-14 -DCARAMEL_BUILD_EXAMPLES=OFF -DCARAMEL_TEST_SCALAR=double -DCARAMEL_COVERAGE=ON -DCMAKE_CXX_FLAGS="-O1 -D_GLIBCXX_ASSERTIONS"
ended
beside tests.asan run_tests build/asan -L unit
build build/tsan tsan clang++-14 -DCARAMEL_TEST_SCALAR=float -DCMAKE_CXX_FLAGS=-O1
ended
figures_of_coverage() { scripts/coverage.sh build/asan | tail -3; }
beside coverage figures_of_coverage
beside tests.tsan run_tests build/tsan -L unit
# Only looked at here, so that they need no long optimization.
build build/programs dev g++ -DCARAMEL_BUILD_TESTS=OFF -DCARAMEL_BUILD_TOOLS=OFF -DCARAMEL_BUILD_BENCHMARKS=ON -DCMAKE_CXX_FLAGS="$gcc_flags"
say "the tools, which scripts/results.sh and scripts/evaluate.sh build: do they compile?"
for tool in tools/*.cpp; do echo "$tool"; done | xargs -P "$cores" -I{} g++ -std=c++20 -Wall -Wextra -Werror -fsyntax-only -I include -I tests -isystem /usr/include/eigen3 {}
ended
look_at_programs() {
    local program host
    for program in build/programs/benchmarks/*_bench; do
        case $program in */als_bench | */bpr_bench | */items_bench | */sgd_bench | */topk_bench) continue ;; esac  # their tables of millions take minutes
        "$program" --benchmark_min_time=0.01 >build/programs/look.txt 2>&1 || { cat build/programs/look.txt; return 1; }
    done
    bash tests/build/journey.sh build/programs/examples/customer_journey
    bash tests/build/reports.sh build/programs/examples/churn build/programs/examples/lead_scoring
    for host in score service sqlite_scores no_exceptions; do [ -x build/programs/examples/hosts/$host ] || { echo "the host $host was not built"; return 1; }; done
    bash tests/build/hosts.sh build/programs/examples/hosts
    for program in churn lead_scoring sentiment intent recommend next_best_action online_bandit; do build/programs/examples/$program </dev/null >/dev/null; done
}
beside tidy scripts/tidy.sh
beside programs look_at_programs
say "every loader, tokenizer and saved model with inputs that are changed at random"
scripts/fuzz.sh --brief
ended
say "all tests passed"
