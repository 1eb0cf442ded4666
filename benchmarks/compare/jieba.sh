#!/usr/bin/env bash
# Chinese segmentation beside jieba on the same texts, one core, processor time, by turns: `result NAME VALUE` lines.
# usage: benchmarks/compare/jieba.sh [FILE.tsv COLUMN]...     needs python3-jieba (Debian)
# Without files: the review corpora of CARAMEL_SHARED or ../shared. differences counts texts that are cut in another way, over
# cutting with and without the hidden Markov model, search mode and full mode.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
shared=${CARAMEL_SHARED:-$root/../shared}
if ! /usr/bin/python3 -c 'import jieba' 2>/dev/null; then
    echo "skipped segment.over_jieba: jieba is not on this machine (apt-get install python3-jieba)"
    exit 0
fi
if [ $# -eq 0 ]; then
    set -- "$shared/data/waimai_10k/waimai_10k.tsv" 2 "$shared/data/online_shopping_10_cats/reviews_9_categories.tsv" 3
    if [ ! -f "$1" ]; then
        echo "skipped segment.over_jieba: $1 is not on this machine"
        exit 0
    fi
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
${CXX:-g++} -std=c++20 -O3 -I "$root/include" -isystem /usr/include/eigen3 "$root/tools/segment.cpp" -o "$out/segment"
/usr/bin/python3 - "$out" "$@" <<'PYTHON'
import os, subprocess, sys, time
import jieba
jieba.setLogLevel(60)
jieba.initialize()
out, files = sys.argv[1], sys.argv[2:]
folder = os.path.dirname(jieba.__file__)
texts = []
for name, column in zip(files[::2], files[1::2]):
    with open(name, encoding="utf-8", newline="\n") as f:
        texts += [line.split("\t")[int(column) - 1].strip() for line in f.read().split("\n")[1:] if line]
texts = [text for text in texts if not set(text) & set("\r\n")]  # a line each
name = out + "/texts"
with open(name, "w", encoding="utf-8", newline="\n") as f:
    f.write("".join(text + "\n" for text in texts))
size = sum(len(text.encode()) for text in texts)
def ours(*options):
    return subprocess.run([out + "/segment", "words", folder, name, *options], capture_output=True, check=True).stdout.decode()

modes = [((), jieba.lcut), (("--no-hmm",), lambda text: jieba.lcut(text, HMM=False)), (("--mode", "search"), jieba.lcut_for_search),
         (("--mode", "full"), lambda text: jieba.lcut(text, cut_all=True))]
differences = 0
for options, cut in modes:
    lines = ours(*options).split("\n")[:-1]
    assert len(lines) == len(texts)
    differences += sum(line != "/".join(cut(text)) for text, line in zip(texts, lines))

some = texts[:: max(1, len(texts) // 6000)]  # jieba takes its time
some_size = sum(len(text.encode()) for text in some)
theirs = mine = 1e9
for _ in range(3):
    mine = min(mine, float(ours("--repeat", "5").split()[1]))
    start = time.process_time()
    for text in some:
        jieba.lcut(text)
    theirs = min(theirs, time.process_time() - start)
rate, their_rate = size / mine / 1e6, some_size / theirs / 1e6
print("result segment.mb_per_second %.4g" % rate)
print("result segment.mb_per_second.jieba %.4g" % their_rate)
print("result segment.over_jieba %.3g" % (rate / their_rate))
print("result jieba.differences %d" % differences)
PYTHON
