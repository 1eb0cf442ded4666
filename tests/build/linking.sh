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

# A host's own recipe, in an anonymous namespace, beside another stage, unoptimized: g++ emits what was only asked about on the way.
cat >"$work/own.cpp" <<'CPP'
#include <caramel/features/concat.hpp>
using namespace caramel;
namespace {
struct add {
    using stage_concept = model_tag;
    float by = 1;
    matrix<float> operator()(const matrix<float>& x) const { return x.array() + by; }
};
struct add_targets {
    using stage_concept = recipe_tag;
    add fit(const matrix<float>&, const std::vector<double>& y, const fit_options&) const { return {static_cast<float>(y.size())}; }
};
}  // namespace
int main() {
    const matrix<float> x = matrix<float>::Ones(2, 1);
    return fit(concat(add{}, add_targets{}), x, std::vector<double>(2))(x)(0, 1) == 3 ? 0 : 1;
}
CPP
"$compiler" "${flags[@]}" -O0 "$work/own.cpp" -o "$work/own" && "$work/own" || fail "a host's recipe in an anonymous namespace"

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
