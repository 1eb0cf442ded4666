#!/usr/bin/env bash
# Two translation units that include everything link together; two with different -march do not; the program needs
# nothing but the runtimes.
. "$(dirname "$0")/common.sh" "$@"
everything=$(every_header)
{ echo "$everything"; echo 'int other(); int main() { return other(); }'; } >"$work/main.cpp"
{ echo "$everything"; echo 'int other() { caramel::matrix<float> x(2, 2); return x.rows() == 2 ? 0 : 1; }'; } >"$work/other.cpp"
"$compiler" "${flags[@]}" -c "$work/main.cpp" -o "$work/main.o" &
"$compiler" "${flags[@]}" -c "$work/other.cpp" -o "$work/other.o" || fail "a translation unit with every header"
wait $! || fail "a translation unit with every header"
"$compiler" "$work/main.o" "$work/other.o" -o "$work/program" || fail "two translation units do not link"
"$work/program" || fail "the linked program"
unwanted=$(ldd "$work/program" | awk '{print $1}' | grep -vE '^(linux-vdso|lib(stdc\+\+|m|gcc_s|c)\.so|/lib.*/ld-linux)')
[ -z "$unwanted" ] || fail "the program needs $unwanted"

if [ "$(uname -m)" = x86_64 ]; then
    # One header that knows the instruction set is enough to be refused beside all of them.
    { echo '#include <caramel/core/matrix.hpp>'; grep -v '^#include' "$work/other.cpp"; } >"$work/mixed.cpp"
    for march in x86-64-v2 x86-64-v3; do
        "$compiler" "${flags[@]}" -march=$march -c "$work/mixed.cpp" -o "$work/mixed.o" || fail "compiling for $march"
        if "$compiler" "$work/main.o" "$work/mixed.o" -o "$work/mixed" 2>"$work/said"; then
            fail "translation units for the baseline and for $march were linked together"
        else
            grep -q 'different_march' "$work/said" || { fail "the linker's message does not say what is wrong"; cat "$work/said" >&2; }
        fi
    done
fi
exit $failed
