# Sourced by the scripts here: where the project is, and how to get what it needs.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
cores=$(nproc 2>/dev/null || echo 2)

say() { echo "== $*"; }

# Installs the Debian packages that are missing; says what to do on other systems, and goes on if all is there anyway.
need() {
    command -v dpkg-query >/dev/null || {
        say "this system has no apt: please see to it that there are a C++20 compiler (g++ 12, clang 14 or newer), CMake 3.25, Ninja,"
        say "Eigen 3.4, xtensor 0.24 or newer, nlohmann-json 3 and, for the tests, Catch2 (Fedora: gcc-c++ cmake ninja-build eigen3-devel"
        say "xtensor-devel json-devel catch-devel; Homebrew: cmake ninja eigen xtensor nlohmann-json catch2)"
        return 0
    }
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    say "installing: ${missing[*]}"
    local as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
library_packages=(cmake ninja-build libeigen3-dev libxtensor-dev nlohmann-json3-dev libcli11-dev)

# g++ unless the user names another compiler.
need_compiler() {
    [ -n "${CXX:-}" ] || need g++
}
