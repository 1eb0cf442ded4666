#!/usr/bin/env bash
# Tokenizing beside Hugging Face's tokenizers (the npm package, installed into a temporary folder), one core, by processor
# time, by turns: `result NAME VALUE` lines, megabytes of text a second. Ids and offsets are compared, too.
# usage: benchmarks/compare/tokenizers.sh [ROUNDS]        needs node, npm and the network; CARAMEL_SHARED for real texts
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
shared=${CARAMEL_SHARED:-$root/../shared}
rounds=${1:-5}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
if ! command -v npm >/dev/null || ! (cd "$out" && npm install --silent --no-audit --no-fund tokenizers@0.23.2 >/dev/null 2>&1); then
    echo "skipped wordpiece.over_hf, bpe.over_hf: the npm package tokenizers cannot be installed (needs npm and the network)"
    exit 0
fi
g++ -std=c++20 -O3 -I "$root/include" "$here/tokenizers_caramel.cpp" -o "$out/tokenizers_caramel" -pthread
cp "$here/tokenizers_hf.js" "$out"

# Texts, one a line, and vocabularies.
if [ -d "$shared/data/vocabs" ]; then
    tail -n +2 "$shared/data/banking77/train.tsv" | cut -f2 > "$out/english.txt"
    tail -n +2 "$shared/data/waimai_10k/waimai_10k.tsv" | cut -f2 > "$out/chinese.txt"
    cp "$shared/data/vocabs/bert-base-uncased-vocab.txt" "$out/english.vocab"
    cp "$shared/data/vocabs/bert-base-chinese-vocab.txt" "$out/chinese.vocab"
    cp "$shared/data/vocabs/gpt2-encoder.json" "$out/bpe.json"
    cp "$shared/data/vocabs/gpt2-vocab.bpe" "$out/bpe.merges"
else
    echo "no real texts: generated ones"
    "$out/tokenizers_caramel" generate "$out"
fi

# compare KIND VOCABULARY TEXTS: seconds of both, the least of all rounds; and how many texts differ.
compare() {
    local ours=() theirs=()
    for _ in $(seq "$rounds"); do
        theirs+=("$(cd "$out" && RAYON_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false node tokenizers_hf.js "$1" "$2" "$3" "$out/theirs.txt")")
        ours+=("$("$out/tokenizers_caramel" "$1" "$2" "$3" "$out/ours.txt")")
    done
    seconds_ours=$(printf '%s\n' "${ours[@]}" | sort -g | head -1)
    seconds_theirs=$(printf '%s\n' "${theirs[@]}" | sort -g | head -1)
    bytes=$(($(stat -c %s "$3") - $(wc -l < "$3")))
    differences=$(diff "$out/ours.txt" "$out/theirs.txt" | grep -c '^<' || true)
}
rate() { awk -v b="$bytes" -v s="$1" 'BEGIN { printf "%.4g", b / s / 1e6 }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.4g", a / b }'; }

least=
all=0
for language in english chinese; do
    compare wordpiece "$out/$language.vocab" "$out/$language.txt"
    echo "result wordpiece.$language.mb_per_second $(rate "$seconds_ours")"
    echo "result wordpiece.$language.hf_mb_per_second $(rate "$seconds_theirs")"
    over=$(ratio "$seconds_theirs" "$seconds_ours")
    echo "result wordpiece.$language.over_hf $over"
    least=$(printf '%s\n' $least "$over" | sort -g | head -1)
    all=$((all + differences))
done
echo "result wordpiece.over_hf $least"

least=
for language in english chinese; do
    compare bpe "$out/bpe" "$out/$language.txt"
    ours=$(rate "$seconds_ours")
    echo "result bpe.$language.mb_per_second $ours"
    echo "result bpe.$language.hf_mb_per_second $(rate "$seconds_theirs")"
    over=$(ratio "$seconds_theirs" "$seconds_ours")
    echo "result bpe.$language.over_hf $over"
    least=$(printf '%s\n' $least "$over" | sort -g | head -1)
    slowest=$(printf '%s\n' ${slowest:-} "$ours" | sort -g | head -1)
    all=$((all + differences))
done
echo "result bpe.mb_per_second $slowest"
echo "result bpe.over_hf $least"
echo "result hf.differences $all"
