// A recipe that is in no chain is called before it was fitted: here the compiler's own words have to do.
// expect: standardize<float>
// expect: matrix<float>
#include <caramel/features/standardize.hpp>
using namespace caramel;
int main() {
    const matrix<float> x(3, 4);
    const standardize<float> recipe;
#ifdef FIXED
    const matrix<float> out = fit(recipe, x)(x);
#else
    const matrix<float> out = recipe(x);
#endif
}
