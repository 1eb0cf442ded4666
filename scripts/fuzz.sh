#!/usr/bin/env bash
# Looks for inputs that break decoders, loaders and tokenizers: libFuzzer programs with the address and undefined-behaviour sanitizers.
# usage: scripts/fuzz.sh [SECONDS_PER_TARGET [TARGET...]]   60 seconds each; targets: unicode tokenizers loaders files models recipes
#        scripts/fuzz.sh --brief                            about a minute in all, for CI
#        scripts/fuzz.sh --runs N [LOADER...]               N executions of each loader, a program each; adds what was run to docs/fuzzing.tsv
#        scripts/fuzz.sh --totals                           prints what docs/fuzzing.tsv holds, a line a loader, and nothing else
# Installs what it needs (Debian and its kin: apt). Seeds: fuzz/seeds, the hostile files that CARAMEL_SHARED or ../shared has, and what
# earlier runs found worth keeping (build/fuzz/corpus). An input that breaks a target is left in build/fuzz/found and ends the run.
. "$(dirname "$0")/common.sh"
log=docs/fuzzing.tsv

# The loaders: the file of their program, the number of their trial there, and the longest input that is tried.
loaders="csv files 0 128|word_vectors files 1 128|safetensors files 2 200
models_of_numbers models 0 1024|models_of_texts models 1 2048|models_of_customers models 2 1024
vocab loaders 0 96|wordpiece_json loaders 1 768|bpe_json loaders 2 512|bpe_files loaders 3 128
chinese_dictionary loaders 4 96|user_words loaders 5 96|chinese_hmm loaders 6 300|json loaders 7 96|word_pairs loaders 8 96|analogies loaders 9 96
utf8 unicode 0 64|normal_forms unicode 1 48|letters unicode 2 48|cleaning unicode 3 96
words tokenizers 0 48|characters tokenizers 1 48|ngrams tokenizers 2 48|chinese tokenizers 3 48|byte_pairs tokenizers 4 48|word_pieces tokenizers 5 48
sentiment recipes 0 64|intent recipes 1 64|altered_sentiment recipes 2 16"
all_loaders() { tr '|' '\n' <<<"$loaders"; }

# totals: what was run by loader, counted anew after a finding (which was mended, or is open where nothing was run since); then all of it.
totals() {
    awk -F'\t' '$1 !~ /^#/ && $1 != "date" { if ($7 > 0) { n[$4] = s[$4] = 0; mended[$4] += open[$4]; open[$4] = $7 }
                                             else { n[$4] += $5; s[$4] += $6; mended[$4] += open[$4]; open[$4] = 0 } }
        END { for (t in n) { printf "%s: %d executions, %d s, %d findings, %d mended before\n", t, n[t], s[t], open[t], mended[t] | "sort"
                             all += n[t]; found += open[t]; if (n[t] >= 10000000) ++enough; ++k }
              close("sort"); printf "fuzz: %d loaders, %d executions, %d findings, %d loaders with 10000000 or more\n", k, all, found, enough }' "$log"
}
[ "${1:-}" != --totals ] || { totals; exit 0; }

mode=seconds seconds=60 runs=0
case "${1:-}" in
    --brief) mode=brief seconds=8; shift ;;
    --runs) mode=runs runs=${2:?"--runs needs a number"}; shift 2 ;;
    "") ;;
    *) seconds=$1; shift ;;
esac
if [ $# -eq 0 ]; then
    if [ $mode = runs ]; then mapfile -t names < <(all_loaders | cut -d' ' -f1); set -- "${names[@]}"
    else set -- unicode tokenizers loaders files models recipes; fi
fi
need "${library_packages[@]}" clang-14 libclang-rt-14-dev

ending=_fuzz
[ $mode != runs ] || ending=_only
say "building the fuzz targets into build/fuzz"
lines=(-DCMAKE_CXX_FLAGS="-O1 -g1 -D_GLIBCXX_ASSERTIONS")
[ $mode != brief ] || lines=(-DCMAKE_CXX_FLAGS="-O1 -D_GLIBCXX_ASSERTIONS")  # built in less time, reports without lines of source
cmake --preset fuzz -DCMAKE_CXX_COMPILER="${CXX:-clang++-14}" "${lines[@]}" >/dev/null
cmake --build build/fuzz --parallel "${FUZZ_JOBS:-$cores}" --target $(printf "%s$ending " "$@") | grep -v 'Building CXX\|^ninja: Entering' || [ "${PIPESTATUS[0]}" = 0 ]

# add TARGET BEGINNING FILE...: hostile files as seeds, each behind the bytes that choose its trial.
seeds=build/fuzz/shared
add() {
    local target=$1 beginning=$2 file
    shift 2
    mkdir -p "$seeds/$target"
    for file in "$@"; do
        [ ! -f "$file" ] || { printf %s "$beginning"; cat "$file"; } >"$seeds/$target/$beginning-$(basename "$file")"
    done
}
corpus=${CARAMEL_SHARED:-../shared}/corpus
[ -d "$corpus" ] || say "no hostile files beside the project (set CARAMEL_SHARED to their folder): the seeds of fuzz/seeds alone"
rm -rf "$seeds"
add unicode 0 "$corpus"/{csv,vocab,tokenizer}/*
add loaders 0 "$corpus"/vocab/*
for trial in 1 2 7; do add loaders $trial "$corpus"/tokenizer/*; done
for trial in 00 01 03; do add files $trial "$corpus"/csv/*; done
add files 2 "$corpus"/safetensors/*

# Short memories of freed blocks (else they count against the limit) and, for millions of runs, of where they were taken.
export ASAN_OPTIONS=quarantine_size_mb=32
limits=(-rss_limit_mb=512 -malloc_limit_mb=32 -timeout=10)
mkdir -p build/fuzz/found
# run NAME OPTION...: its output goes to a log; of a failure the end, with the path of the input.
run() {
    local name=$1 out=build/fuzz/$1.log
    shift
    "build/fuzz/fuzz/$name$ending" "${limits[@]}" -artifact_prefix="$root/build/fuzz/found/$name-" "$@" >"$out" 2>&1 && return
    grep -v '^#[0-9]' "$out" | tail -60
    say "$name failed; the whole log is $out. What was found, and the input:"
    grep -E 'not so:|what\(\)|^SUMMARY|Test unit written|^Running' "$out" | tail -4
    return 1
}
executed() {
    local n
    n=$(sed -n "s/^stat::number_of_executed_units: *//p" "build/fuzz/$1.log" | tail -1)
    echo "${n:-0}"
}

# many LOADER: the seeds of its trial, `runs` executions, a line in the log with what libFuzzer counted, also where something was found.
many() {
    local name=$1 source trial length file kept=build/fuzz/corpus/$1 mine=$seeds/only/$1 began failed=0
    read -r _ source trial length < <(all_loaders | grep "^$name ") || { say "there is no loader $name"; return 1; }
    mkdir -p "$kept" "$mine"
    find "fuzz/seeds/$source" "$seeds/$source" -type f 2>/dev/null | while read -r file; do
        [ "$(head -c 1 "$file")" != "$trial" ] || cp "$file" "$mine/"
    done
    began=$(date +%s)
    # Without the bookkeeping of rare features, which takes a quarter of the time where executions are as short as these.
    ASAN_OPTIONS=quarantine_size_mb=8:malloc_context_size=0 run "$name" -runs="$runs" -entropic=0 -max_len="$length" -print_final_stats=1 "$kept" "$mine" || failed=1
    if grep -q 'libFuzzer: run interrupted' "build/fuzz/$name.log"; then failed=0; fi  # what was run until then counts
    [ -f $log ] || printf 'date\tversion\trevision\tloader\texecutions\tseconds\tfindings\n' >$log
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$(date -u +%F)" "$version" "$revision" "$name" "$(executed "$name")" "$(($(date +%s) - began))" $failed >>$log
    say "$name: $(executed "$name") executions in $(($(date +%s) - began)) s, findings: $failed"
    return $failed
}
if [ $mode = runs ]; then
    version=$(sed -n 's/.*CARAMEL_VERSION_STRING "\(.*\)".*/\1/p' include/caramel/version.hpp)
    revision=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
    git diff --quiet HEAD -- include fuzz 2>/dev/null || revision+=-changed
    for loader in "$@"; do many "$loader"; done
    totals
    exit 0
fi

all=0
for target in "$@"; do
    kept=build/fuzz/corpus/$target
    mkdir -p "$kept" "$seeds/$target"
    mapfile -d "" -t files < <(find "fuzz/seeds/$target" "$seeds/$target" -type f -print0 | sort -z)
    run "$target" "${files[@]}"  # as they are; below, long ones are cut off
    length=8192
    [ $mode != brief ] || length=512
    run "$target" -max_total_time="$seconds" -max_len=$length -len_control=20 -print_final_stats=1 "$kept" "fuzz/seeds/$target" "$seeds/$target"
    say "$target: ${#files[@]} seeds, $(executed "$target") runs in $seconds s, nothing found"
    all=$((all + $(executed "$target") + ${#files[@]}))
done
echo "fuzz: $# targets, $all executions, 0 findings"
say "all fuzz targets passed"
