#!/usr/bin/env bash
# Every way of getting the library that docs/install.md tells, by that page's own commands and files, each in an empty directory.
# usage: ways.sh [--all] [CMAKE COMPILER GENERATOR]      --all: also what takes longer, the Debian package among it (installs debhelper, lintian)
# Ends with the line `ways: N tried, M failed`.
set -uo pipefail
all=no
[ "${1:-}" = --all ] && all=yes && shift
cmake=${1:-cmake} compiler=${2:-${CXX:-g++}}
export CMAKE_GENERATOR=${3:-Ninja} CXX=$compiler
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
page=$root/docs/install.md
if [ $all = yes ]; then
    . "$root/scripts/common.sh"
    need g++ cmake ninja-build libeigen3-dev libxtensor-dev nlohmann-json3-dev python3 pkg-config build-essential debhelper lintian
    set +e
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/home"
export HOME=$work/home
unset CPATH CPLUS_INCLUDE_PATH CMAKE_PREFIX_PATH PKG_CONFIG_PATH
mkdir "$work/bin"
ln -s "$(command -v "$cmake")" "$work/bin/cmake"
PATH=$work/bin:$PATH

version=$(sed -n 's/#define CARAMEL_VERSION_STRING "\(.*\)"/\1/p' "$root/include/caramel/version.hpp")
archive=$work/caramel-$version.tar.gz
tar -C "$root" --exclude=./build --exclude=./.git --transform "s|^\.|caramel-$version|" -czf "$archive" . || exit 1

tried=0 failed=0
# way NAME FUNCTION: the function in an empty directory that holds the release, unpacked as `caramel`, and the page's program.
way() {
    local place=$work/$2
    mkdir "$place"
    tar -C "$place" -xzf "$archive" && mv "$place/caramel-$version" "$place/caramel"
    block "What it asks for" cpp >"$place/app.cpp"
    (cd "$place" && set -e && "$2") >"$work/log" 2>&1
    if [ $? = 0 ]; then
        echo "ok      $1"
    else
        echo "FAILED  $1"
        grep -vE '^-- (Up-to-date|Installing): ' "$work/log"
        failed=$((failed + 1))
    fi
    tried=$((tried + 1))
    rm -rf "$place"
}
# block SECTION LANGUAGE: the code in this language that the page has under this heading.
block() {
    awk -v section="## $1" -v fence="\`\`\`$2" '/^## / {here = $0 == section} on && /^```$/ {on = 0} on; here && $0 == fence {on = 1}' "$page"
}
# steps SECTION: runs the section's commands, with our compiler, unoptimized; the program that they end with must say what it should.
steps() {
    block "$1" sh | sed -E "s|^g\+\+ |$compiler |; s| -O2 | -O0 |" >steps.sh
    [ -s steps.sh ]
    bash -ex steps.sh | tee said
}
says_so() { grep -q '^the third customer spends 1.39 deviations' said; }
follow() {
    block "$1" cmake >CMakeLists.txt
    [ -z "$(block "$1" cpp)" ] || block "$1" cpp >app.cpp
    steps "$1"
    says_so
}
# Builds and runs a program by a CMakeLists.txt that is there: build_app CMAKE OPTIONS...
build_app() {
    cmake -S . -B build "$@"
    cmake --build build
    build/app | tee said
    says_so
}
finds_caramel() { block "Install, and \`find_package\`" cmake | sed "s| REQUIRED| REQUIRED ${1:-}|" >CMakeLists.txt; }
# refused WORDS COMMAND...: the command fails and says so.
refused() {
    local words=$1
    shift
    if "$@" >refusal 2>&1; then
        echo "not refused: $*"
        return 1
    fi
    tr -s ' \n' ' ' <refusal | grep -qF -- "$words" || { echo "refused in other words than '$words': $*"; cat refusal; return 1; }
}

# as_on_page SECTION SED: the message that the page shows is the one that was seen.
as_on_page() {
    block "$1" text | sed -E "$2" >shown
    [ -s shown ]
    while IFS= read -r line; do grep -qF -- "$line" refusal || { echo "the page shows what is not said: $line"; cat refusal; return 1; }; done <shown
}

copy() {
    follow "Copy the headers"
    # The compiler says what is missing, or too old, and how to get it.
    refused 'caramel needs the headers of Eigen 3.4 or newer (Debian, Ubuntu: apt install libeigen3-dev' "$compiler" -std=c++20 -I third_party -c app.cpp
    as_on_page "Copy the headers" 's/^error: //'
    mkdir -p old/Eigen old/xtensor old/nlohmann
    printf '#define EIGEN_VERSION_AT_LEAST(a, b, c) 0\n' >old/Eigen/Core
    printf '#define XTENSOR_VERSION_MAJOR 0\n#define XTENSOR_VERSION_MINOR 23\n' >old/xtensor/xtensor.hpp
    printf '#define NLOHMANN_JSON_VERSION_MAJOR 3\n#define NLOHMANN_JSON_VERSION_MINOR 9\n' >old/nlohmann/json.hpp
    refused 'caramel needs Eigen 3.4 or newer; this one is older' "$compiler" -std=c++20 -I third_party -I old -c app.cpp
    for header in core/tensor io/json; do echo "#include <caramel/$header.hpp>"; done >old.cpp
    refused 'caramel needs xtensor 0.24 or newer; this one is older' "$compiler" -std=c++20 -I third_party -I old -c old.cpp
    refused 'caramel needs nlohmann-json 3.10 or newer; this one is older' "$compiler" -std=c++20 -I third_party -I old -c old.cpp
}
single() {
    follow "The single header"
    [ -s spend.safetensors ]
    # Nothing of an adapter, whose system may not be on the user's machine.
    if grep -n 'sqlite3' caramel_all.hpp; then return 1; fi
    # The same bytes again, wherever it is made.
    (cd / && "$OLDPWD/caramel/scripts/single_header.py" "$OLDPWD/again.hpp")
    cmp caramel_all.hpp again.hpp
    if [ $all = yes ]; then
        # Without nlohmann-json; beside the parts; from two files of one program.
        printf '#include <caramel_all.hpp>\n#include <caramel/caramel.hpp>\nint other() { return int(caramel::matrix<float>::Zero(2, 2).sum()); }\n' >other.cpp
        "$compiler" -std=c++20 -DCARAMEL_NO_JSON -I . -I caramel/include -isystem /usr/include/eigen3 -Wall -Wextra -Werror -c other.cpp
        sed 's/^int main() {/int other();\n&\n    if (other() != 0) return 1;/' app.cpp >main.cpp
        "$compiler" -std=c++20 -I . -isystem /usr/include/eigen3 main.cpp other.o -o two
        ./two | tee said
        says_so
    fi
}
installed() {
    follow "Install, and \`find_package\`"
    # Installed is what a program needs, and nothing else.
    [ "$(ls -d "$HOME"/.local/* "$HOME"/.local/share/*/* | sed "s|$HOME/.local/||" | tr '\n' ' ')" = "include share share/cmake/caramel share/pkgconfig/caramel.pc " ]
    finds_caramel "COMPONENTS saving"
    cmake -S . -B saving -D CMAKE_PREFIX_PATH="$HOME/.local"
    finds_caramel "COMPONENTS serving"
    refused "a component 'serving', which caramel does not have" cmake -S . -B serving -D CMAKE_PREFIX_PATH="$HOME/.local"
    block "Install, and \`find_package\`" cmake | sed 's/(caramel [0-9.]* /(caramel 99 /' >CMakeLists.txt
    refused 'compatible with requested version "99"' cmake -S . -B newer -D CMAKE_PREFIX_PATH="$HOME/.local"
}
# Where the system has none of the dependencies' packages: `some` has what is linked into it, as headers alone.
hidden() {
    local make=make
    case $CMAKE_GENERATOR in Ninja*) make=ninja ;; esac
    cmake -S "$1" -B "$2" -D CMAKE_PREFIX_PATH="$HOME/.local;$PWD/some" -D CMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF -D CMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH=OFF \
        -D CMAKE_MAKE_PROGRAM="$(command -v $make)"
}
missing() {
    mkdir -p some/include
    cmake -S caramel -B caramel-build
    cmake --install caramel-build --prefix "$HOME/.local"
    ln -s /usr/include/eigen3 some/include/
    finds_caramel
    refused 'caramel needs xtensor 0.24 or newer Debian, Ubuntu: apt install libxtensor-dev' hidden . nothing
    as_on_page "Install, and \`find_package\`" '/^CMake Error/d; /^  \.\.\./d'
    refused 'caramel needs xtensor 0.24 or newer Debian, Ubuntu: apt install libxtensor-dev' hidden caramel caramel-nothing
    ln -s /usr/include/xtensor /usr/include/xtl some/include/
    finds_caramel "COMPONENTS saving"
    refused 'caramel needs nlohmann-json 3.10 or newer Debian, Ubuntu: apt install nlohmann-json3-dev' hidden . no-json
    rm some/include/eigen3
    refused 'caramel needs Eigen 3.4 or newer Debian, Ubuntu: apt install libeigen3-dev' hidden . no-eigen
    # An older one is not taken, and said to be there.
    mkdir -p some/share/eigen3/cmake
    echo 'set(PACKAGE_VERSION 3.3.9)' >some/share/eigen3/cmake/Eigen3ConfigVersion.cmake
    echo >some/share/eigen3/cmake/Eigen3Config.cmake
    refused 'caramel needs Eigen 3.4 or newer, not 3.3.9 Debian' hidden . old-eigen
    # One that lacks something itself says what.
    mkdir -p some/share/cmake/xtensor
    printf 'set(PACKAGE_VERSION 0.25)\nset(PACKAGE_VERSION_COMPATIBLE TRUE)\n' >some/share/cmake/xtensor/xtensorConfigVersion.cmake
    printf 'include(CMakeFindDependencyMacro)\nfind_dependency(xtl)\n' >some/share/cmake/xtensor/xtensorConfig.cmake
    refused 'xtensor 0.24 or newer (xtensor could not be found because dependency xtl could not be found.)' hidden . no-xtl
    rm -r some/share
    # By their headers alone.
    ln -s /usr/include/eigen3 /usr/include/nlohmann some/include/
    hidden . build
    grep -q "some/include/eigen3" build/CMakeCache.txt
    # Installing needs nothing else either: no Catch2, no CLI11, no Google Benchmark.
    hidden caramel bare | tee bare-said
    for other in Catch2 CLI11 'Google Benchmark'; do grep "$other is not installed: no" bare-said; done
    cmake --install bare --prefix bare-prefix
    [ -e bare-prefix/include/caramel/version.hpp ]
    cmake --build build
    build/app | tee said
    says_so
}
subdirectory() {
    follow "add_subdirectory"
    ! grep -rqE '(Catch2|CLI11|benchmark)_DIR' build/CMakeCache.txt  # nothing of ours but the library
    cmake --install build --prefix nowhere
    [ ! -e nowhere ]
    cmake -S . -B with-rules -D CARAMEL_INSTALL=ON
    cmake --install with-rules --prefix somewhere
    [ -e somewhere/share/cmake/caramel/caramelConfig.cmake ]
}
fetched() {
    rm -r caramel
    cp "$archive" .
    follow "FetchContent"
}
with_pkg_config() {
    cmake -S caramel -B caramel-build
    cmake --install caramel-build --prefix "$HOME/.local"
    steps "pkg-config"
    says_so
    [ "$(PKG_CONFIG_PATH=$HOME/.local/share/pkgconfig pkg-config --modversion caramel)" = "$version" ]
}
moved() {
    cmake -S caramel -B caramel-build
    cmake --install caramel-build --prefix first
    mv first second
    finds_caramel
    build_app -D CMAKE_PREFIX_PATH="$PWD/second"
    PKG_CONFIG_PATH=second/share/pkgconfig pkg-config --cflags caramel | tee cflags
    grep -q 'second/' cflags && ! grep -q 'first' cflags
}
with_vcpkg() {
    cmake -D PORTFILE="$PWD/caramel/packaging/vcpkg/caramel/portfile.cmake" -D PORT=caramel -D CURRENT_PACKAGES_DIR="$PWD/packages" \
        -D CURRENT_BUILDTREES_DIR="$PWD/buildtrees" -P "$here/vcpkg_stand_in.cmake"
    python3 - caramel/packaging/vcpkg/caramel/vcpkg.json <<'PYTHON'
import json, sys
port = json.load(open(sys.argv[1]))
assert port["name"] == "caramel" and set(port["default-features"]) <= set(port["features"]), port
PYTHON
    finds_caramel
    build_app -D caramel_DIR="$PWD/packages/share/caramel"
}
with_conan() {
    python3 "$here/conan_stand_in.py" "$PWD/caramel" "$PWD/conan"
    cmake -S caramel/packaging/conan/test_package -B build -D caramel_DIR="$PWD/conan/generators"
    cmake --build build
    build/app
}
with_dpkg() {
    bash -ec "$(block "A Debian package" sh)"
    local package=libcaramel-dev_$version-1_all.deb
    grep -qF "$package" "$page"
    # A package for Debian's own archive would close the bug that asked for it.
    lintian --fail-on error,warning --info --suppress-tags initial-upload-closes-no-bugs ./*.changes
    dpkg-deb --contents "$package" | awk '$6 !~ /^\.\/usr\/(include\/caramel|share\/cmake\/caramel|share\/pkgconfig\/caramel.pc|share\/doc\/libcaramel-dev)/ && $1 !~ /^d/' >elsewhere
    [ ! -s elsewhere ]
    dpkg -x "$package" scratch
    export CPLUS_INCLUDE_PATH=$PWD/scratch/usr/include PKG_CONFIG_PATH=$PWD/scratch/usr/share/pkgconfig
    block "A Debian package" console | grep '^g++' | sed -E "s|^g\+\+ |$compiler |; s| -O2 | -O0 |" | bash -ex
    ./app | tee said
    says_so
    # As autopkgtest would: the package's own test, in the source tree.
    (cd caramel && debian/tests/first-program)
    unset CPLUS_INCLUDE_PATH
    finds_caramel "COMPONENTS saving"
    build_app -D CMAKE_PREFIX_PATH="$PWD/scratch/usr"
}

way "copy the headers" copy
way "the single header" single
way "install and find_package" installed
way "find_package without a dependency, or with headers alone" missing
way "add_subdirectory" subdirectory
way "FetchContent" fetched
way "pkg-config" with_pkg_config
way "installed and moved" moved
way "a vcpkg port (its functions by stand-ins)" with_vcpkg
way "a Conan recipe (its module by a stand-in)" with_conan
[ $all = yes ] && way "a Debian package" with_dpkg
echo "ways: $tried tried, $failed failed"
[ $failed = 0 ]
