#!/usr/bin/env bash
# How long a program that includes Caramel takes to compile, in CPU seconds of the user (docs/compile_time.md).
# usage: scripts/compile_time.sh [--all] [--check] [COMPILER FLAGS...]
#   --all    each component's header alone, too, and a precompiled header
#   --check  fails where a figure is above its ceiling in tests/data/compile_budget.txt; fewer runs
# Without a compiler: $CXX or g++, with the flags of a Debian. Ceilings are multiples of what Eigen, xtensor and the standard
# library's headers take on the same machine in the same minute, so that a slow or busy machine does not fail.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
all=no check=no
while [ $# -gt 0 ]; do
    case $1 in
        --all) all=yes ;;
        --check) check=yes ;;
        -*) echo "compile_time.sh: unknown option $1" >&2; exit 2 ;;
        *) break ;;
    esac
    shift
done
if [ $# -gt 0 ]; then
    compiler=$1
    shift
    flags=(-std=c++20 "$@")
else
    # shellcheck source=scripts/common.sh
    . "$root/scripts/common.sh"
    need_compiler
    need "${library_packages[@]}"
    compiler=${CXX:-g++}
    flags=(-std=c++20 -I "$root/include" -isystem /usr/include/eigen3)
fi
budget=$root/tests/data/compile_budget.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# seconds COMMAND...: the user's CPU seconds of one run.
seconds() {
    local TIMEFORMAT=%U
    { time "$@" 2>"$work/said" >&2; } 2>"$work/took" || { echo "does not compile: $*" >&2; head -20 "$work/said" >&2; exit 1; }
    tail -1 "$work/took"
}
# A busy machine makes a run longer, never shorter: of several, the least.
least() { printf '%s\n' "$@" | sort -n | head -1; }
compile() { seconds "$compiler" "${flags[@]}" "$@"; }

cat "$root/tests/build/compile_calibration.hpp" >"$work/calibration.cpp"
echo '#include <caramel/caramel.hpp>' >"$work/umbrella.cpp"
echo '#include <caramel/fwd.hpp>' >"$work/fwd.cpp"
awk '/^```cpp/ { inside = 1; next } /^```/ { if (inside) exit } inside' "$root/README.md" >"$work/churn.cpp"
grep -q 'caramel/io/model_file.hpp' "$work/churn.cpp" || { echo "compile_time.sh: README.md has no first program that saves a model" >&2; exit 1; }

# Taken in turns: what else the machine does then weighs on all alike.
calibrations=() umbrellas=() churns=() fwds=()
rounds=3
[ $check = yes ] && rounds=2
for ((round = 0; round < rounds; ++round)); do
    calibrations+=("$(compile -O0 -c "$work/calibration.cpp" -o "$work/out.o")")
    umbrellas+=("$(compile -O0 -c "$work/umbrella.cpp" -o "$work/out.o")")
    fwds+=("$(compile -O0 -c "$work/fwd.cpp" -o "$work/out.o")")
    [ $check = yes ] && [ $round -gt 0 ] && continue
    churns+=("$(compile -O2 -c "$work/churn.cpp" -o "$work/out.o")")
done
calibration=$(least "${calibrations[@]}")
declare -A took=([umbrella]=$(least "${umbrellas[@]}") [churn]=$(least "${churns[@]}") [fwd]=$(least "${fwds[@]}"))

echo "compiler: $("$compiler" --version | head -1)"
echo "the headers of Eigen, xtensor and the standard library alone: $calibration s"
failed=0
printf '%-10s %9s %8s %11s %9s\n' program seconds goal multiple ceiling
while read -r name goal ceiling _; do
    case $name in '' | \#*) continue ;; esac
    multiple=$(awk -v a="${took[$name]}" -v b="$calibration" 'BEGIN { printf "%.2f", a / b }')
    verdict=
    if awk -v a="$multiple" -v b="$ceiling" 'BEGIN { exit !(a > b) }'; then
        verdict=' above its ceiling'
        failed=1
    fi
    printf '%-10s %9s %8s %11s %9s%s\n' "$name" "${took[$name]}" "$goal" "$multiple" "$ceiling" "$verdict"
done <"$budget"
for name in umbrella churn fwd; do echo "result compile.${name}_seconds ${took[$name]}"; done

if [ $all = yes ]; then
    # A precompiled header: made once, then read by each file that includes it first.
    mkdir -p "$work/pch/caramel"
    made=$(seconds "$compiler" "${flags[@]}" -O0 -x c++-header "$root/include/caramel/caramel.hpp" -o "$work/pch/caramel/caramel.hpp.gch")
    if "$compiler" --version | grep -q clang; then
        read_again=$(seconds "$compiler" -include-pch "$work/pch/caramel/caramel.hpp.gch" "${flags[@]}" -O0 -c "$work/umbrella.cpp" -o "$work/out.o")
    else
        read_again=$(seconds "$compiler" -I "$work/pch" "${flags[@]}" -O0 -c "$work/umbrella.cpp" -o "$work/out.o")
    fi
    echo "precompiled umbrella: $made s once, then $read_again s a file"
    echo
    echo "| header alone | seconds |"
    echo "|---|---|"
    for header in $(sed -n 's/^#include <\(caramel\/.*\)>$/\1/p' "$root/include/caramel/caramel.hpp") caramel/io/model_file.hpp caramel/text/tokenizer_json.hpp; do
        echo "#include <$header>" >"$work/one.cpp"
        echo "| \`${header#caramel/}\` | $(compile -fsyntax-only "$work/one.cpp") |"
    done
fi
if [ $check = yes ] && [ $failed -ne 0 ]; then
    echo "compile_time: above the ceilings of tests/data/compile_budget.txt" >&2
    exit 1
fi
