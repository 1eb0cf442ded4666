#!/usr/bin/env bash
# The whole suite of tests against the single header: each <caramel/...> that a test includes becomes a line that includes caramel_all.hpp.
# usage: scripts/single_header.sh [FAMILY...]      families as in tests/ (core, text, nn, ...); default: all
# As long as scripts/test.sh takes. CXX and CXXFLAGS are heard; -O0 compiles sooner.
. "$(dirname "$0")/common.sh"
need_compiler
need "${library_packages[@]}" catch2 python3
directory=build/single_header
targets=()
for family in "$@"; do
    [ -d "tests/$family" ] || { echo "single_header.sh: no family '$family' in tests/" >&2; exit 2; }
    targets+=("caramel_${family}_tests")
done
cmake --preset dev -B $directory -DCMAKE_CXX_COMPILER="${CXX:-g++}" -DCMAKE_CXX_FLAGS="${CXXFLAGS:--O1 -D_GLIBCXX_ASSERTIONS}" -DCMAKE_UNITY_BUILD=ON \
    -DCARAMEL_SINGLE_HEADER=ON -DCARAMEL_BUILD_EXAMPLES=OFF -DCARAMEL_TEST_SCALAR=float >/dev/null
say "$(wc -l <$directory/single_header/caramel_all.hpp) lines in $directory/single_header/caramel_all.hpp"
if [ ${#targets[@]} = 0 ]; then
    cmake --build $directory --parallel "${JOBS:-$cores}"
else
    cmake --build $directory --parallel "${JOBS:-$cores}" --target "${targets[@]}"
fi
if ninja -C $directory -t deps | grep -F "$root/include/caramel/"; then
    echo "single_header.sh: the tests were compiled with headers of include/" >&2
    exit 1
fi
if [ $# = 0 ]; then
    ctest --test-dir $directory -L unit -LE slow --output-on-failure --parallel "${JOBS:-$cores}"
else
    ctest --test-dir $directory -R "^($(IFS='|'; echo "$*"))\$" --output-on-failure --parallel "${JOBS:-$cores}"
fi
say "the tests passed against the single header"
