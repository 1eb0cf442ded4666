#!/usr/bin/env bash
# The library as its users take it in: installed and found, added as a subdirectory, or by the include path alone.
set -eu
cmake=$1 compiler=$2
export CMAKE_GENERATOR=$3
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/program"
cat >"$work/program/main.cpp" <<'CPP'
#include <caramel/caramel.hpp>
int main() {
    caramel::matrix<float> x(2, 1);
    x << 1, 3;
    const auto model = fit(caramel::standardize<float>{}, x);
    return model(x)(1, 0) == 1 ? 0 : 1;
}
CPP
run() {
    "$cmake" -S "$work/program" -B "$work/$1" -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_PREFIX_PATH="$work/prefix" >"$work/log" 2>&1 &&
        "$cmake" --build "$work/$1" >>"$work/log" 2>&1 && "$work/$1/consumer" || { cat "$work/log"; echo "FAILED: $1" >&2; exit 1; }
    echo "$1: built and run"
}
"$cmake" -S "$root" -B "$work/caramel" -DCMAKE_CXX_COMPILER="$compiler" -DCARAMEL_BUILD_TESTS=OFF -DCARAMEL_BUILD_EXAMPLES=OFF \
    -DCARAMEL_BUILD_BENCHMARKS=OFF >/dev/null
"$cmake" --install "$work/caramel" --prefix "$work/prefix" >/dev/null
cat >"$work/program/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
project(consumer CXX)
find_package(caramel 0.1 REQUIRED)
add_executable(consumer main.cpp)
target_link_libraries(consumer PRIVATE caramel::caramel)
CMAKE
run find_package
cat >"$work/program/CMakeLists.txt" <<CMAKE
cmake_minimum_required(VERSION 3.25)
project(consumer CXX)
add_subdirectory($root caramel)
add_executable(consumer main.cpp)
target_link_libraries(consumer PRIVATE caramel::caramel)
if(TARGET caramel_core_tests OR TARGET customer_journey)
    message(FATAL_ERROR "a user's build must not build caramel's own programs")
endif()
CMAKE
run add_subdirectory
