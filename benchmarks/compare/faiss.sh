#!/usr/bin/env bash
# Ten of a million items by the products of 64 factors, beside faiss' flat index, one thread, by processor time, by turns:
# `result NAME VALUE` lines.
# usage: benchmarks/compare/faiss.sh [ROUNDS]        needs libbenchmark-dev; python3-faiss (Debian) for the comparison
# topk.bandwidth_share: one pass over the same memory / one customer's answer. topk.over_faiss: faiss' time / ours, for a
# batch of 128 customers.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
rounds=${1:-5}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
if ! echo '#include <benchmark/benchmark.h>' | g++ -std=c++20 -fsyntax-only -x c++ - 2>/dev/null; then
    echo "skipped topk.bandwidth_share: Google Benchmark is not on this machine (apt-get install libbenchmark-dev)"
    exit 0
fi
g++ -std=c++20 -O3 -march=native -I "$root/include" -isystem /usr/include/eigen3 "$root/benchmarks/recommend/topk_bench.cpp" -o "$out/topk" -lbenchmark_main -lbenchmark -pthread
OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 /usr/bin/python3 - "$out/topk" "$rounds" <<'PYTHON'
import json, subprocess, sys, time
program, rounds = sys.argv[1], int(sys.argv[2])
try:
    import faiss, numpy
    faiss.omp_set_num_threads(1)
    random = numpy.random.default_rng(1)
    index = faiss.IndexFlatIP(64)
    index.add(random.random((1000000, 64), dtype=numpy.float32) - 0.5)
    queries = random.random((128, 64), dtype=numpy.float32) - 0.5
except ImportError:
    index = None
best = {}
def keep(name, seconds):
    best[name] = min(best.get(name, seconds), seconds)
for _ in range(rounds):
    run = subprocess.run([program, "--benchmark_format=json", "--benchmark_min_time=0.3"], capture_output=True, text=True, check=True)
    for b in json.loads(run.stdout)["benchmarks"]:
        keep(b["name"], b["cpu_time"] / 1e3)
    if index is not None:
        for name, some in (("faiss", queries[:1]), ("faiss/128", queries)):
            start = time.process_time()
            index.search(some, 10)
            keep(name, time.process_time() - start)
print("result topk.read_ms %.4g" % (1e3 * best["read_all"]))
print("result topk.one_ms %.4g" % (1e3 * best["one_customer"]))
print("result topk.bandwidth_share %.3g" % (best["read_all"] / best["one_customer"]))
print("result topk.worst_order_over_read %.3g" % (best["one_customer_worst_order"] / best["read_all"]))
print("result topk.batch_ms_per_customer %.4g" % (1e3 * best["batch/128"] / 128))
if index is None:
    print("skipped topk.over_faiss: faiss is not on this machine (apt-get install python3-faiss)")
else:
    print("result topk.one_over_faiss %.3g" % (best["faiss"] / best["one_customer"]))
    print("result topk.over_faiss %.3g" % (best["faiss/128"] / best["batch/128"]))
PYTHON
