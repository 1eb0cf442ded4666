#!/usr/bin/env bash
# Looks for inputs that break decoders, loaders and tokenizers: builds the fuzz targets (clang, libFuzzer, sanitizers), runs each.
# usage: scripts/fuzz.sh [SECONDS_PER_TARGET [TARGET...]]      60 seconds each; targets: unicode tokenizers loaders files recipes
# Installs what it needs (Debian and its kin: apt). Seeds: fuzz/seeds, the hostile files that CARAMEL_SHARED or ../shared has, and what
# earlier runs found worth keeping (build/fuzz/corpus). An input that breaks a target is left in build/fuzz/found and ends the run.
. "$(dirname "$0")/common.sh"
seconds=${1:-60}
[ $# -gt 0 ] && shift
[ $# -gt 0 ] || set -- unicode tokenizers loaders files recipes
need "${library_packages[@]}" clang-14 libclang-rt-14-dev

say "building the fuzz targets into build/fuzz"
cmake --preset fuzz -DCMAKE_CXX_COMPILER="${CXX:-clang++-14}" >/dev/null
cmake --build build/fuzz --parallel "$cores" --target $(printf '%s_fuzz ' "$@") | grep -v 'Building CXX\|^ninja: Entering' || [ "${PIPESTATUS[0]}" = 0 ]

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

export ASAN_OPTIONS=quarantine_size_mb=32  # else freed memory counts against the limit
limits=(-rss_limit_mb=512 -malloc_limit_mb=32 -timeout=10)
mkdir -p build/fuzz/found
# run TARGET OPTION...: its output goes to a log; of a failure the end, with the path of the input.
run() {
    local target=$1 log=build/fuzz/$1.log
    shift
    "build/fuzz/fuzz/${target}_fuzz" "${limits[@]}" -artifact_prefix="$root/build/fuzz/found/$target-" "$@" >"$log" 2>&1 && return
    grep -v '^#[0-9]' "$log" | tail -60
    say "$target failed; the whole log is $log. What was found, and the input:"
    grep -E 'not so:|what\(\)|^SUMMARY|Test unit written|^Running' "$log" | tail -4
    return 1
}
for target in "$@"; do
    kept=build/fuzz/corpus/$target
    mkdir -p "$kept" "$seeds/$target"
    mapfile -d "" -t files < <(find "fuzz/seeds/$target" "$seeds/$target" -type f -print0 | sort -z)
    run "$target" "${files[@]}"  # as they are; below, long ones are cut off
    run "$target" -max_total_time="$seconds" -max_len=8192 -len_control=20 -print_final_stats=1 "$kept" "fuzz/seeds/$target" "$seeds/$target"
    say "$target: ${#files[@]} seeds, $(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$target.log") runs in $seconds s, nothing found"
done
say "all fuzz targets passed"
