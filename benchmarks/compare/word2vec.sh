#!/usr/bin/env bash
# Word vectors beside gensim and fastText, by turns, one thread, by processor time: `result NAME VALUE` lines.
# Speed on the generated corpus: Zipf's law over 50,000 words, lines of 20 words, skip-gram, 100 dimensions, window 5, 5 negatives,
# subsampling 1e-3, one epoch. Quality on the text of two dictionaries from Debian (a part of it), over SEEDS seeds: Spearman's
# correlation with WordSim-353 and SimLex-999, and the share of right analogies of questions-words.txt.
# usage: benchmarks/compare/word2vec.sh [ROUNDS [SEEDS [WORDS]]]
# needs python3-gensim, fasttext; for the quality also apt-get download dict-gcide dict-wn, and the three sets in
# CARAMEL_SHARED/data/embedding_fixtures (or ../shared)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
rounds=${1:-3}
seeds=${2:-5}
words=${3:-5000000}
shared=${CARAMEL_SHARED:-$root/../shared}
export OPENBLAS_NUM_THREADS=1
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
if ! /usr/bin/python3 -c 'import gensim' 2>/dev/null; then
    echo "skipped word2vec.over_gensim: gensim is not on this machine (apt-get install python3-gensim)"
    exit 0
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
g++ -std=c++20 -O3 -march=native -I "$root/include" -isystem /usr/include/eigen3 "$here/word2vec_caramel.cpp" -o "$out/native" -pthread
g++ -std=c++20 -O3 -I "$root/include" -isystem /usr/include/eigen3 "$here/word2vec_caramel.cpp" -o "$out/baseline" -pthread

cat > "$out/peer.py" <<'PYTHON'
import sys, time
from gensim.models import Word2Vec
corpus, vectors, seed, epochs, count, sample = sys.argv[1:7]
model = Word2Vec(vector_size=100, window=5, negative=5, sg=1, min_count=int(count), sample=float(sample), workers=1, seed=int(seed))
start = time.process_time()
model.build_vocab(corpus_file=corpus)
reading = time.process_time() - start
start = time.process_time()
model.train(corpus_file=corpus, total_words=model.corpus_total_words, total_examples=model.corpus_count, epochs=int(epochs))
print("%.4f %.4f" % (time.process_time() - start, reading))
if vectors != "-":
    model.wv.save_word2vec_format(vectors)
PYTHON
cat > "$out/corpus.py" <<'PYTHON'
# The workload of the comparison of peers: splitmix64, seed 7.
import bisect, sys
words, state, mask = int(sys.argv[2]), 7, (1 << 64) - 1
total, sums = 0.0, []
for i in range(50000):
    total += 1.0 / (i + 1)
    sums.append(total)
with open(sys.argv[1], "w") as f:
    line = []
    for i in range(words):
        state = (state + 0x9e3779b97f4a7c15) & mask
        z = state
        z = ((z ^ (z >> 30)) * 0xbf58476d1ce4e5b9) & mask
        z = ((z ^ (z >> 27)) * 0x94d049bb133111eb) & mask
        z ^= z >> 31
        line.append("w%d" % min(bisect.bisect_left(sums, (z >> 11) * 2.0 ** -53 * total), 49999))
        if len(line) == 20:
            f.write(" ".join(line) + "\n")
            line = []
    if line:
        f.write(" ".join(line) + "\n")
PYTHON
/usr/bin/python3 "$out/corpus.py" "$out/zipf" "$words"
have_fasttext=$(command -v fasttext || true)
for ((i = 0; i < rounds; ++i)); do
    for program in native baseline; do echo "$program $("$out/$program" "$out/zipf" - 1 1 5 1e-3)"; done
    echo "cbow $("$out/native" "$out/zipf" - 1 1 5 1e-3 1 cbow)"
    echo "gensim $(/usr/bin/python3 "$out/peer.py" "$out/zipf" - 1 1 5 1e-3)"
    if [ -n "$have_fasttext" ]; then  # the whole process: it does not tell training from reading and saving
        /usr/bin/python3 - "$out" <<'PYTHON'
import resource, subprocess, sys
subprocess.run(["fasttext", "skipgram", "-input", sys.argv[1] + "/zipf", "-output", sys.argv[1] + "/ft", "-loss", "ns", "-neg", "5", "-dim", "100", "-ws", "5",
                "-epoch", "1", "-minCount", "5", "-t", "1e-3", "-minn", "0", "-maxn", "0", "-thread", "1", "-verbose", "0"],
               check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
use = resource.getrusage(resource.RUSAGE_CHILDREN)
print("fasttext %.4f 0" % (use.ru_utime + use.ru_stime))
PYTHON
    fi
done > "$out/times"
/usr/bin/python3 - "$out/times" "$words" <<'PYTHON'
import sys
training, whole = {}, {}
for line in open(sys.argv[1]):
    name, train, reading = line.split()
    training[name] = min(float(train), training.get(name, 1e9))
    whole[name] = min(float(train) + float(reading), whole.get(name, 1e9))
words = int(sys.argv[2])
for name in training:
    print("result word2vec.words_per_second.%s %.4g" % (name, words / training[name]))
print("result word2vec.over_gensim %.3g" % (training["gensim"] / training["native"]))
print("result word2vec.baseline.over_gensim %.3g" % (training["gensim"] / training["baseline"]))
if "fasttext" in whole:
    print("result word2vec.over_fasttext %.3g" % (whole["fasttext"] / whole["native"]))
PYTHON

sets=$shared/data/embedding_fixtures
if [ "$seeds" = 0 ]; then exit 0; fi
if [ ! -f "$sets/wordsim353.tsv" ] || ! (cd "$out" && apt-get download -qq dict-gcide dict-wn) >/dev/null 2>&1; then
    echo "skipped word2vec.quality: the dictionaries or the evaluation sets are not to be had"
    exit 0
fi
for package in "$out"/*.deb; do dpkg-deb -x "$package" "$out/dictionaries"; done
/usr/bin/python3 - "$out" <<'PYTHON'
import gzip, re, sys
folder = sys.argv[1]
paragraphs = []
for name, cut in (("gcide", r"\n\s*\n"), ("wn", r"\n(?=\S)")):
    text = gzip.open("%s/dictionaries/usr/share/dictd/%s.dict.dz" % (folder, name), "rt", encoding="utf-8", errors="replace").read()
    paragraphs += re.split(cut, re.sub(r"\[(1913 Webster|WordNet 1\.5)\]", "", text))
with open(folder + "/text", "w") as f:  # every third paragraph: some 3 million words
    lines = [" ".join(w) for w in (re.findall("[a-z]+", p.lower()) for p in paragraphs) if len(w) > 2]
    f.write("\n".join(lines[2::3]) + "\n")
PYTHON
for ((s = 1; s <= seeds; ++s)); do
    "$out/native" "$out/text" "$out/caramel.$s" "$s" 5 5 1e-3 >/dev/null
    /usr/bin/python3 "$out/peer.py" "$out/text" "$out/gensim.$s" "$s" 5 5 1e-3 >/dev/null
done
/usr/bin/python3 - "$out" "$sets" "$seeds" <<'PYTHON'
import statistics, sys
from gensim.models import KeyedVectors
folder, sets, seeds = sys.argv[1], sys.argv[2], int(sys.argv[3])
for program in ("caramel", "gensim"):
    found = {"wordsim": [], "simlex": [], "analogies": []}
    for seed in range(1, seeds + 1):
        vectors = KeyedVectors.load_word2vec_format("%s/%s.%d" % (folder, program, seed))
        found["wordsim"].append(vectors.evaluate_word_pairs(sets + "/wordsim353.tsv")[1][0])
        found["simlex"].append(vectors.evaluate_word_pairs(sets + "/simlex999.txt")[1][0])
        found["analogies"].append(vectors.evaluate_word_analogies(sets + "/questions-words.txt", restrict_vocab=30000)[0])
    for name, values in found.items():
        print("result word2vec.%s.%s %.4f" % (name, program, statistics.mean(values)))
        if len(values) > 1:
            print("result word2vec.%s.%s.deviation %.4f" % (name, program, statistics.stdev(values)))
PYTHON
