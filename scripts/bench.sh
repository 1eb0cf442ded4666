#!/usr/bin/env bash
# Caramel beside the peers that are installed here, measured in the same run: prints a table and writes it into docs/results.md.
# usage: scripts/bench.sh [--print] [PART...]     --print leaves docs/results.md as it is; parts: mlp csv tokenizers jieba word2vec
#                                                 topk items (default: all). About 15 minutes on two idle cores.
# A peer that is missing is named with the command that brings it; its row says so. One thread each, processor time, by turns;
# quote the ratios: the times belong to this machine, whose two limits stand above the table.
. "$(dirname "$0")/common.sh"
write=yes
[ "${1:-}" != --print ] || { write=no; shift; }
declare -A script=([mlp]=mlp [csv]=csv [tokenizers]=tokenizers [jieba]=jieba [word2vec]=word2vec [topk]=faiss [items]=items)
[ $# -gt 0 ] || set -- mlp csv tokenizers jieba word2vec topk items
for part in "$@"; do
    [ -n "${script[$part]:-}" ] || { echo "bench.sh: unknown part '$part' (there are: ${!script[*]})" >&2; exit 2; }
done
need_compiler
need "${library_packages[@]}" libbenchmark-dev python3
seen=$(mktemp)
trap 'rm -f "$seen" "$seen".*' EXIT
say "the limits of this machine" >&2
g++ -std=c++20 -O3 -march=native -I include -isystem /usr/include/eigen3 benchmarks/core/machine_bench.cpp -o "$seen.machine" -lbenchmark_main -lbenchmark -pthread
"$seen.machine" --benchmark_repetitions=3 --benchmark_format=json 2>/dev/null >"$seen.json"
for part in "$@"; do
    say "$part" >&2
    bash "benchmarks/compare/${script[$part]}.sh" >>"$seen" || { echo "bench.sh: benchmarks/compare/${script[$part]}.sh failed" >&2; exit 1; }
done
python3 - "$seen" "$seen.json" docs/results.md $write "$@" <<'PYTHON'
import datetime, json, platform, re, sys
seen, machine, page, write, *parts = sys.argv[1:]
figures, skipped = {}, {}
for line in open(seen):
    if line.startswith("result "):
        _, name, value = line.split()
        figures[name] = float(value)
    elif line.startswith("skipped "):
        names, why = line[len("skipped "):].split(": ", 1)
        skipped.update({name.split(".")[0]: why.strip() for name in names.split(", ")})
# What is measured: part, description, the peer, name of ours, name of the peer's or of the ratio, unit, whether less is better.
rows = [
    ("mlp", "training a network 64-256-128-1, batches of 256, Adam", "libtorch (PyTorch)", "mlp.train.rows_per_second.gcc", "mlp.train.rows_per_second.libtorch", "rows/s", 0),
    ("mlp", "one row through it", "libtorch (PyTorch)", "mlp.row_us.gcc", "mlp.row_us.libtorch", "µs", 1),
    ("csv", "reading CSV, 200,000 rows of 20 numbers", "pandas, C reader", "csv.seconds", "csv.seconds.pandas", "s", 1),
    ("tokenizers", "WordPiece (BERT) on English, ids and offsets", "Hugging Face tokenizers", "wordpiece.english.mb_per_second", "wordpiece.english.hf_mb_per_second", "MB/s", 0),
    ("tokenizers", "WordPiece (BERT) on Chinese", "Hugging Face tokenizers", "wordpiece.chinese.mb_per_second", "wordpiece.chinese.hf_mb_per_second", "MB/s", 0),
    ("tokenizers", "BPE (GPT-2) on English", "Hugging Face tokenizers", "bpe.english.mb_per_second", "bpe.english.hf_mb_per_second", "MB/s", 0),
    ("jieba", "cutting Chinese into words", "jieba", "segment.mb_per_second", "segment.mb_per_second.jieba", "MB/s", 0),
    ("word2vec", "training word vectors", "gensim", "word2vec.words_per_second.native", "word2vec.words_per_second.gensim", "words/s", 0),
    ("word2vec", "training word vectors and reading the text", "fastText", None, "word2vec.over_fasttext", "", 0),
    ("topk", "ten of a million items, a batch of 128 customers", "faiss, flat index", None, "topk.over_faiss", "", 0),
    ("topk", "ten of a million items, one customer", "one pass over the same memory", "topk.one_ms", "topk.read_ms", "ms", 1),
    ("items", "the 20 nearest of 20,000 items by cosine", "scipy's sparse product", "cosine.seconds", "cosine.seconds.scipy", "s", 1),
    ("items", "EASE of 4,000 items", "LAPACK's inverse alone", "ease.seconds", "ease.seconds.lapack_inverse", "s", 1),
]
runs = [b for b in json.load(open(machine))["benchmarks"] if b.get("aggregate_name") == "median"]
limits = ["%.3g %s" % (b[name], unit) for b in runs for name, unit in (("gflops", "GFLOP/s"), ("gb_per_second", "GB/s read")) if name in b]
lines = ["Measured on %s (%s). Limits of the machine, one thread: %s." % (datetime.date.today(), platform.machine(), ", ".join(limits)), "",
         "| what | peer | Caramel | peer's | Caramel's speed over the peer's |", "|---|---|---|---|---|"]
for part, what, peer, ours, theirs, unit, less in rows:
    if part not in parts:
        continue
    if theirs not in figures:
        why = skipped.get(theirs.split(".")[0], "not measured")
        lines.append("| %s | %s | %s | %s | |" % (what, peer, "%.4g %s" % (figures[ours], unit) if ours in figures else "", why))
    elif ours is None:
        lines.append("| %s | %s | | | **%.3g** |" % (what, peer, figures[theirs]))
    else:
        a, b = figures[ours], figures[theirs]
        lines.append("| %s | %s | %.4g %s | %.4g | **%.3g** |" % (what, peer, a, unit, b, b / a if less else a / b))
table = "\n".join(lines)
print(table)
if write == "yes":
    text = open(page, encoding="utf-8").read()
    begin, end = "<!-- written by scripts/bench.sh: begin -->", "<!-- written by scripts/bench.sh: end -->"
    if text.count(begin) != 1 or text.count(end) != 1:
        sys.exit("bench.sh: %s has no place for the table (two comments mark it)" % page)
    text = text[:text.index(begin) + len(begin)] + "\n" + table + "\n" + text[text.index(end):]
    open(page, "w", encoding="utf-8").write(text)
    print("written into " + page, file=sys.stderr)
PYTHON
