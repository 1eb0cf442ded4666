#!/usr/bin/env bash
# The 20 nearest items by cosine on 100,000 customers x 20,000 items, beside scipy's sparse product of the same size, and EASE with
# 4,000 items beside LAPACK's inverse of a matrix of that size; one thread, processor time: `result NAME VALUE` lines.
# usage: benchmarks/compare/items.sh        needs libbenchmark-dev; python3-scipy (Debian) for the comparison
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
if ! echo '#include <benchmark/benchmark.h>' | g++ -std=c++20 -fsyntax-only -x c++ - 2>/dev/null; then
    echo "skipped cosine.seconds: Google Benchmark is not on this machine (apt-get install libbenchmark-dev)"
    exit 0
fi
g++ -std=c++20 -O3 -march=native -w -I "$root/include" -isystem /usr/include/eigen3 "$root/benchmarks/recommend/items_bench.cpp" -o "$out/items" -lbenchmark_main -lbenchmark -pthread
"$out/items" --benchmark_filter='item_cosine|ease_4000' --benchmark_repetitions=3 --benchmark_format=json 2>/dev/null | python3 -c '
import json, sys
least = {}
for b in json.load(sys.stdin)["benchmarks"]:
    if b["run_type"] == "iteration":
        name = b["name"].split("/")[0]
        least[name] = min(least.get(name, b["cpu_time"]), b["cpu_time"])
print("result cosine.seconds %.4g" % least["item_cosine"])
print("result ease.seconds %.4g" % least["ease_4000"])'
if ! /usr/bin/python3 -c 'import scipy' 2>/dev/null; then
    echo "skipped cosine.seconds.scipy: scipy is not on this machine (apt-get install python3-scipy)"
    exit 0
fi
OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 /usr/bin/python3 - <<'PYTHON'
import time
import numpy, scipy.linalg.lapack, scipy.sparse
# Lengths of rows and popularity as in items_bench; the numbers drawn differ.
random = numpy.random.default_rng(1)
customers, items = 100000, 20000
lengths = numpy.clip(numpy.rint(numpy.exp(numpy.log(50) - 0.5 + random.standard_normal(customers))), 1, items // 4).astype(int)
columns = []
for n in lengths:
    mine = numpy.unique((random.random(n) ** 2 * items).astype(numpy.int32))
    while len(mine) < n:
        mine = numpy.unique(numpy.append(mine, (random.random(n - len(mine)) ** 2 * items).astype(numpy.int32)))
    columns.append(mine)
starts = numpy.concatenate([[0], numpy.cumsum(lengths)])
a = scipy.sparse.csr_matrix((numpy.ones(starts[-1], numpy.float32), numpy.concatenate(columns), starts), (customers, items))
print("# %.3f million pairs, %.1f million products" % (a.nnz / 1e6, (lengths.astype(float) ** 2).sum() / 1e6))
start = time.process_time()
a.data /= numpy.sqrt(numpy.bincount(a.indices, minlength=items))[a.indices]
by_item = a.T.tocsr()
product = nearest = 0.0
for first in range(0, items, 1000):  # the whole product takes gigabytes
    before = time.process_time()
    part = by_item[first:first + 1000] @ a
    product += time.process_time() - before
    for row in range(part.shape[0]):
        data = part.data[part.indptr[row]:part.indptr[row + 1]]
        if len(data) > 21:
            numpy.argpartition(data, len(data) - 21)
print("result cosine.seconds.scipy %.4g" % (time.process_time() - start))
print("result cosine.seconds.scipy_product %.4g" % product)
n = 4000
x = random.random((2 * n, n), dtype=numpy.float32)
g = numpy.asfortranarray(x.T @ x + 300 * numpy.eye(n, dtype=numpy.float32))
best = 1e9
for _ in range(3):
    start = time.process_time()
    factor, failed = scipy.linalg.lapack.spotrf(g)
    inverse, failed = scipy.linalg.lapack.spotri(factor)
    best = min(best, time.process_time() - start)
print("result ease.seconds.lapack_inverse %.4g" % best)
PYTHON
