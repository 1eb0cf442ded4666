#!/usr/bin/env bash
# Each program of tests/must_not_compile must be refused, with the texts of its `// expect:` lines in the compiler's
# output; on g++ in at most 15 lines. With -DFIXED each must compile (asked of g++), so that it is refused for the stated reason
# alone.
. "$(dirname "$0")/common.sh" "$@"
for program in "$root"/tests/must_not_compile/*.cpp; do
    name=$(basename "$program")
    if "$compiler" "${flags[@]}" -fsyntax-only "$program" >"$work/said" 2>&1; then
        fail "$name compiled"
        continue
    fi
    while IFS= read -r text; do
        grep -qF -- "$text" "$work/said" || { fail "$name: the message lacks: $text"; cat "$work/said" >&2; }
    done < <(sed -n 's|^// expect: ||p' "$program")
    lines=$(wc -l <"$work/said")
    is_clang || [ "$lines" -le 15 ] || { fail "$name: $lines lines, at most 15 allowed"; cat "$work/said" >&2; }
    [ "$(grep -c 'error:' "$work/said")" -eq 1 ] || { fail "$name: more than one error"; cat "$work/said" >&2; }
    is_clang || "$compiler" "${flags[@]}" -DFIXED -fsyntax-only "$program" >"$work/said" 2>&1 || { fail "$name: the mended program is refused, too"; head -20 "$work/said" >&2; }
    echo "$name: refused in $lines lines"
done
exit $failed
