#!/usr/bin/env bash
# The README's first program, compiled by the README's own command line, and run.
. "$(dirname "$0")/common.sh" "$@"
awk '/^```cpp$/ {on = 1; next} /^```$/ && on {exit} on' "$root/README.md" >"$work/first.cpp"
command=$(grep -m 1 '^g++ -std=c++20' "$root/README.md")
[ -s "$work/first.cpp" ] && [ -n "$command" ] || fail "the README has no program or no command line"
cp -r "$root/include" "$root/examples" "$work/"
cd "$work" || exit 1
read -ra words <<<"${command%% -o first*}"
# The dependencies' headers may lie elsewhere on this machine.
"$compiler" "${words[@]:1}" "${flags[@]}" -o first || fail "the README's program does not compile"
./first >said || fail "the README's program failed"
grep -q '^AUC on the customers it learnt from: 0\.[7-9]' said || { fail "the README's program says something else"; cat said >&2; }
[ -s churn.safetensors ] || fail "the README's program saved nothing"
cat said
exit $failed
