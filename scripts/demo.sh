#!/usr/bin/env bash
# The main job: a shop's transactions in, recommendations, churn risks and the next best action out.
# usage: scripts/demo.sh [--data FILE.csv] [--report FILE.html] [--save FILE] [--seed N] [--threads N]      without --data, on a small generated shop
# Installs what it needs (Debian and its kin: apt), builds one program into build/release, and runs it.
. "$(dirname "$0")/common.sh"
say "1 of 3: what the build needs"
need_compiler
need "${library_packages[@]}"
say "2 of 3: building examples/customer_journey.cpp (a minute or two)"
cmake --preset release -DCARAMEL_BUILD_TESTS=OFF -DCARAMEL_BUILD_BENCHMARKS=OFF >/dev/null
cmake --build --preset release --target customer_journey
say "3 of 3: running build/release/examples/customer_journey $*"
build/release/examples/customer_journey "$@"
