#!/usr/bin/env bash
# The library under the flags of its hosts. usage: flags.sh G++ CLANG++ FLAGS...   (CLANG++ may be empty)
#  - every header, by -I (dependencies by -isystem), under more warnings than our own builds have;
#  - without run-time type information, with unsigned characters, in C++23, with NDEBUG, under libstdc++'s assertions and
#    _FORTIFY_SOURCE: the program does the same, with the same bits;
#  - -ffast-math and its kin are refused, unless the host says that it knows;
#  - what a program that includes everything keeps at run time: no object of ours that can be written.
gcc=$1 clang=$2
shift 2
. "$(dirname "$0")/common.sh" "$gcc" "$@"
program=$here/flags_program.cpp
every_header >"$work/every_header.hpp"
warnings=(-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast -Wnon-virtual-dtor -Wdouble-promotion -Wundef -Werror)
compilers=("$gcc")
[ -n "$clang" ] && compilers+=("$clang")

# ---- warnings, and a dialect of each compiler ------------------------------------------------------------------------------
"$gcc" "${flags[@]}" -std=c++23 -fno-rtti -funsigned-char -DNDEBUG "${warnings[@]}" -DEVERY_HEADER -I "$work" -fsyntax-only "$program" || fail "$gcc: warnings, C++23"
echo "every header without warnings, $gcc -std=c++23 -fno-rtti -funsigned-char -DNDEBUG"
if [ -n "$clang" ]; then
    "$clang" "${flags[@]}" "${warnings[@]}" -Wglobal-constructors -Wexit-time-destructors -DEVERY_HEADER -I "$work" -fsyntax-only "$program" || fail "$clang: warnings"
    echo "every header without warnings, $clang"
fi

# ---- the same bits ---------------------------------------------------------------------------------------------------------
# run NAME COMPILER FLAGS...: one program; its lines must be those of the first.
run() {
    local name=$1 compiler=$2
    shift 2
    "$compiler" "${flags[@]}" "$@" "$program" -o "$work/$name" || { fail "$name does not compile"; return; }
    "$work/$name" >"$work/$name.said" || fail "$name: $(grep WRONG "$work/$name.said")"
    [ -s "$work/first" ] || cp "$work/$name.said" "$work/first"
    cmp -s "$work/$name.said" "$work/first" || { fail "$name says otherwise"; diff "$work/first" "$work/$name.said" >&2; }
    echo "$name: $(wc -l <"$work/$name.said") checksums as the first"
}
run fortified "$gcc" -O2 -D_GLIBCXX_ASSERTIONS -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -Wall -Wextra -Werror
run unoptimized "${compilers[-1]}" -std=c++2b -O0 -fno-rtti -funsigned-char -DNDEBUG

# ---- fast-math -------------------------------------------------------------------------------------------------------------
echo '#include <caramel/core/error.hpp>' >"$work/fast.cpp"
for compiler in "${compilers[@]}"; do
    for flag in -ffast-math -Ofast -ffinite-math-only; do
        if "$compiler" "${flags[@]}" $flag -fsyntax-only "$work/fast.cpp" 2>"$work/said"; then fail "$compiler $flag is taken"; fi
        grep -q 'caramel: -ffast-math removes the checks' "$work/said" || fail "$compiler $flag: the message does not say why"
        "$compiler" "${flags[@]}" $flag -DCARAMEL_ALLOW_FAST_MATH -fsyntax-only "$work/fast.cpp" || fail "$compiler $flag: cannot be allowed"
    done
done
# Sums in any order are no danger, but other bits: said by g++ alone.
if "$gcc" "${flags[@]}" -fassociative-math -fno-signed-zeros -fno-trapping-math -fsyntax-only "$work/fast.cpp" 2>/dev/null; then fail "$gcc -fassociative-math is taken"; fi
echo "fast-math refused"

# ---- no global state -------------------------------------------------------------------------------------------------------
# writable OBJECT: our objects in sections that can be written (not those that the loader fills in and protects).
# Not counted: lists of field names (constexpr; g++ 12 lays arrays of pointers among the data all the same), what the compiler adds
# for catching exceptions, and the classes of characters for bpe, a table that depends on nothing, made when first asked for.
writable() {
    objdump -t "$1" | awk -F'\t' 'NF > 1 { n = split($1, where, " "); m = split($2, what, " ")
        if (where[n] ~ /^\.(data|bss|tdata|tbss)/ && where[n] !~ /^\.data\.rel\.ro/) print what[m] }' | c++filt | grep caramel | grep -vE '::field_names$|^DW[.]ref[.]|gpt2_classes::get\(\)::all'
}
if command -v objdump >/dev/null && command -v c++filt >/dev/null; then
    for built in fortified unoptimized; do
        [ -x "$work/$built" ] && found=$(writable "$work/$built") && fail "$built: global state: $found"
    done
    echo '#include <caramel/core/error.hpp>
namespace caramel::detail { inline int calls = 0; inline int count() { return ++calls; } }
int main() { return caramel::detail::count() - 1; }' >"$work/state.cpp"
    "$gcc" "${flags[@]}" "$work/state.cpp" -o "$work/state" && writable "$work/state" | grep -q 'detail::calls' || fail "global state would not be found"
    echo "no global state"
fi
if grep -rnE '\b(thread_local|mutable)\b' "$root/include" | grep -vE '^[^:]*:[0-9]+: *//|immutable'; then fail "state that is hidden from const or from threads"; fi
exit $failed
