# Sourced by the scripts here: COMPILER FLAGS... on the command line.
set -u
compiler=$1
shift
flags=(-std=c++20 "$@")
. "$(dirname "${BASH_SOURCE[0]}")/work.sh"
root=$(cd "$here/../.." && pwd)
# Directives that include every header; an adapter only where the library that it adapts is there.
every_header() {
    (cd "$root/include" && find caramel -name '*.hpp' | sort) |
        sed -e 's|^caramel/adapters/sqlite.*|#if __has_include(<sqlite3.h>)\n#include <&>\n#endif|;t' -e 's|.*|#include <&>|'
}
is_clang() { "$compiler" --version | grep -q clang; }
# clang 19 reads a template of xtensor 0.24 as ambiguous.
if is_clang && "$compiler" -fno-relaxed-template-template-args -Wno-deprecated-no-relaxed-template-template-args -fsyntax-only -x c++ /dev/null 2>/dev/null; then
    [ "$("$compiler" -dumpversion | cut -d. -f1)" -ge 19 ] && flags+=(-fno-relaxed-template-template-args -Wno-deprecated-no-relaxed-template-template-args)
fi
