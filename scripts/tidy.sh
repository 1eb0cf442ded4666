#!/usr/bin/env bash
# clang-tidy (.clang-tidy says which checks, and why not others) on every header and on a program that instantiates the main components.
# usage: scripts/tidy.sh [CLANG-TIDY]      clang-tidy-14 by default; two minutes of one core
. "$(dirname "$0")/common.sh"
tidy=${1:-clang-tidy-14}
command -v "$tidy" >/dev/null || need clang-tidy-14
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd include && find caramel -name '*.hpp' | sort | sed -e 's|^caramel/adapters/sqlite.*|#if __has_include(<sqlite3.h>)\n#include <&>\n#endif|;t' -e 's|.*|#include <&>|') >"$work/every_header.hpp"
eigen=$(pkg-config --variable=prefix eigen3 2>/dev/null || echo /usr)/include/eigen3
"$tidy" --quiet tests/build/flags_program.cpp -- -std=c++20 -DEVERY_HEADER -I include -I "$work" -isystem "$eigen" 2>"$work/said" || { cat "$work/said" >&2; exit 1; }
say "clang-tidy: nothing found"
