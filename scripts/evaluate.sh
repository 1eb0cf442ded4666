#!/usr/bin/env bash
# How well the library does on a file of one's own, search included, with nothing set by hand (see tools/evaluate.cpp).
# usage: scripts/evaluate.sh tables FILE --target COLUMN --positive VALUE
#        scripts/evaluate.sh text TRAIN TEST
#        scripts/evaluate.sh recommend TRAIN TEST          all: [--seeds N] (default: 5)
from=$PWD
. "$(dirname "$0")/common.sh"
usage() {
    sed -n '3,5s/^# \{0,1\}//p' scripts/evaluate.sh >&2
    exit 2
}
case ${1:-} in tables | text | recommend) ;; *) usage ;; esac
need_compiler
need "${library_packages[@]}" libcli11-dev
log=$(mktemp)
trap 'rm -f "$log"' EXIT
{  # benchmarks stay as configured: results.sh shares the folder, and only one target is built
    cmake --preset release -DCARAMEL_BUILD_TESTS=OFF -DCARAMEL_BUILD_TOOLS=ON &&
        cmake --build --preset release --target evaluate --parallel "$cores"
} >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
cd "$from"  # files are named as seen from where the script was called
"$root/build/release/tools/evaluate" "$@"
