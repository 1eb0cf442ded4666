#!/usr/bin/env bash
# Each program of tests/must_not_compile must be refused, with the texts of its `// expect:` lines in the compiler's
# output; on g++ in at most 15 lines, on clang in at most 20. With -DFIXED all must compile (asked of g++, in one file), so that
# each is refused for the stated reason alone. `// flags:` are the mistake's own options. What docs/messages.md shows of a
# program must be what the compiler prints, but for the namespaces.
. "$(dirname "$0")/common.sh" "$@"
document=$root/docs/messages.md
is_clang && most=20 || most=15
# The block of text behind the first link to a program.
shown() { awk -v link="(../tests/must_not_compile/$1)" 'index($0, link) { on = 1 } on && /^```/ { if (inside) exit; inside = 1; next } on && inside' "$document"; }
without_namespaces() { sed -E 's/caramel::(v[0-9]+_[0-9]+::)?(detail::)?//g; s/(, )?std::allocator<[a-z]+>//g; s/, -1, -1(, 1)?(, -1, -1)?//g; s/<([a-z]+) >/<\1>/g; s/> (>)/>\1/g; s/> (>)/>\1/g'; }
for program in "$root"/tests/must_not_compile/*.cpp; do
    name=$(basename "$program")
    read -r -a mistaken < <(sed -n 's|^// flags: ||p' "$program")
    if "$compiler" "${flags[@]}" "${mistaken[@]}" -fsyntax-only "$program" >"$work/said" 2>&1; then
        fail "$name compiled"
        continue
    fi
    while IFS= read -r text; do
        grep -qF -- "$text" "$work/said" || { fail "$name: the message lacks: $text"; cat "$work/said" >&2; }
    done < <(sed -n 's|^// expect: ||p' "$program")
    lines=$(wc -l <"$work/said")
    [ "$lines" -le $most ] || { fail "$name: $lines lines, at most $most allowed"; cat "$work/said" >&2; }
    [ "$(grep -n 'error:' "$work/said" | head -n 1 | cut -d: -f1)" -le 10 ] || { fail "$name: ten lines before the error"; cat "$work/said" >&2; }
    [ "$(grep -c 'error:' "$work/said")" -eq 1 ] || { fail "$name: more than one error"; cat "$work/said" >&2; }
    grep -q "$name:[0-9]*:[0-9]*:" "$work/said" || [ ${#mistaken[@]} -gt 0 ] || { fail "$name: the user's line is not named"; cat "$work/said" >&2; }
    without_namespaces <"$work/said" >"$work/plain"
    while IFS= read -r line; do
        grep -qF -- "$line" "$work/plain" || { fail "$name: docs/messages.md shows what is not printed: $line"; cat "$work/plain" >&2; }
    done < <(shown "$name")
    printf '#define main main_of_%s\n#include "%s"\n#undef main\n' "${name%.cpp}" "$program" >>"$work/mended.cpp"
    echo "$name: refused in $lines lines"
done
is_clang || "$compiler" "${flags[@]}" -w -DFIXED -fsyntax-only "$work/mended.cpp" >"$work/said" 2>&1 ||
    { fail "a mended program is refused, too"; head -20 "$work/said" >&2; }
while IFS= read -r name; do
    [ -f "$root/tests/must_not_compile/$name" ] && [ -n "$(shown "$name")" ] || fail "docs/messages.md: no program or no message: $name"
done < <(grep -o '(\.\./tests/must_not_compile/[^)]*' "$document" | sed 's|.*/||')
exit $failed
