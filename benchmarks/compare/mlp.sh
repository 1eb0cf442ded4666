#!/usr/bin/env bash
# The multilayer perceptron beside libtorch, by turns, one thread, with every compiler there is: `result NAME VALUE` lines.
# usage: benchmarks/compare/mlp.sh [ROUNDS]        needs libtorch-dev and an optimized BLAS (libopenblas0-pthread)
# Speeds are each program's best round, by the CPU time of its thread: other work on the machine counts less so.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
rounds=${1:-5}
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

api=/usr/include/torch/csrc/api/include
if [ ! -f "$api/torch/torch.h" ]; then
    echo "skipped mlp.over_libtorch: libtorch is not on this machine (apt-get install libtorch-dev libopenblas0-pthread)"
    exit 0
fi
g++ -std=c++17 -O2 "$here/mlp_libtorch.cpp" -isystem "$api" -o "$out/libtorch" -ltorch -ltorch_cpu -lc10
if ! ldd "$out/libtorch" | grep -qE 'openblas|mkl|blis'; then
    echo "skipped mlp.over_libtorch: libtorch would use the reference BLAS (apt-get install libopenblas0-pthread)"
    exit 0
fi
programs=(libtorch)
for compiler in g++ clang++ clang++-14; do
    command -v $compiler >/dev/null || continue
    name=clang
    if [ $compiler = g++ ]; then name=gcc; fi
    if [ -x "$out/$name" ]; then continue; fi
    $compiler -std=c++20 -O3 -march=native -I "$root/include" -isystem /usr/include/eigen3 "$here/mlp_caramel.cpp" -o "$out/$name" -pthread
    programs+=($name)
done
for ((i = 0; i < rounds; ++i)); do
    for program in "${programs[@]}"; do
        for threads in 1 2; do
            # (With two, libtorch is slower than with one, and on a busy machine it takes minutes.)
            if [ $program = libtorch ] && [ $threads = 2 ]; then continue; fi
            # OpenBLAS has threads of its own, which libtorch does not set. (OMP_NUM_THREADS=1 makes libtorch
            # slower, and so does moving from one processor to another.)
            pin=()
            if [ $threads = 1 ] && command -v taskset >/dev/null; then pin=(taskset -c $(($(nproc) - 1))); fi
            OPENBLAS_NUM_THREADS=$threads "${pin[@]}" "$out/$program" $threads | sed "s/^[a-z]*/$program.$threads/" >>"$out/log"
        done
    done
done
python3 - "$out/log" <<'PYTHON'
import sys
best = {}
for who, what, value in (line.split() for line in open(sys.argv[1])):
    value = float(value)
    better = min if what.endswith("_us") or what.endswith("loss") else max
    best[who, what] = better(best.get((who, what), value), value)
speed, wall = "train.rows_per_second", "train.wall_rows_per_second"
ours = [who for who in ("gcc", "clang") if (who + ".1", speed) in best]
for who in ours + ["libtorch"]:
    for what in (speed, "row_us", "static_row_us", "batch256_us"):
        if (who + ".1", what) in best:
            print("result mlp.%s.%s %.4g" % (what, who, best[who + ".1", what]))
    if (who + ".2", wall) in best:
        print("result mlp.train.two_threads_over_one.%s %.3g" % (who, best[who + ".2", wall] / best[who + ".1", wall]))
for who in ours:
    print("result mlp.train.over_libtorch.%s %.3g" % (who, best[who + ".1", speed] / best["libtorch.1", speed]))
    print("result mlp.batch256_over_libtorch.%s %.3g" % (who, best["libtorch.1", "batch256_us"] / best[who + ".1", "batch256_us"]))
PYTHON
