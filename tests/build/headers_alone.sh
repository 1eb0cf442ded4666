#!/usr/bin/env bash
# Every header compiles alone, without warnings, with nothing but the include paths.
. "$(dirname "$0")/common.sh" "$@"
check() {
    echo "#include <$1>" >"$2/$(echo "$1" | tr / _).cpp"
    "${@:3}" "$2/$(echo "$1" | tr / _).cpp" || { echo "FAILED: $1 does not compile alone" >&2; exit 1; }
}
export -f check
cd "$root/include" || exit 1
find caramel -name '*.hpp' | sort | xargs -P 2 -I{} bash -c 'check "$@"' _ {} "$work" "$compiler" "${flags[@]}" -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -fsyntax-only
exit $?
