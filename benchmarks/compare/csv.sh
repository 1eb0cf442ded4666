#!/usr/bin/env bash
# Reading numeric columns beside pandas' C reader, one thread, by processor time, by turns: `result NAME VALUE` lines.
# usage: benchmarks/compare/csv.sh [ROUNDS]        needs python3-pandas (Debian)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
rounds=${1:-5}
if ! /usr/bin/python3 -c 'import pandas' 2>/dev/null; then
    echo "skipped csv.over_pandas: pandas is not on this machine (apt-get install python3-pandas)"
    exit 0
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
g++ -std=c++20 -O3 -I "$root/include" -isystem /usr/include/eigen3 "$here/csv_caramel.cpp" -o "$out/csv_caramel"
/usr/bin/python3 - "$out" "$rounds" <<'PYTHON'
import random, subprocess, sys, time
import pandas
folder, rounds = sys.argv[1], int(sys.argv[2])
# 200,000 rows of 5 columns of integers and 15 of numbers with six significant digits.
random.seed(1)
name = folder + "/numbers.csv"
with open(name, "w") as f:
    f.write(",".join("c%d" % i for i in range(20)) + "\n")
    for _ in range(200000):
        f.write(",".join(str(random.randrange(100000)) if i % 4 == 0 else "%.6g" % random.gauss(0, 100) for i in range(20)) + "\n")
theirs = ours = 1e9
for _ in range(rounds):
    start = time.process_time()
    frame = pandas.read_csv(name, engine="c")
    theirs = min(theirs, time.process_time() - start)
    rows, columns, seconds = subprocess.run([folder + "/csv_caramel", name, "3"], capture_output=True, text=True, check=True).stdout.split()
    assert (int(rows), int(columns)) == frame.shape
    ours = min(ours, float(seconds))
print("result csv.seconds %.4g" % ours)
print("result csv.seconds.pandas %.4g" % theirs)
print("result csv.over_pandas %.3g" % (theirs / ours))
PYTHON
