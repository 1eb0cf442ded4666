// A chain of recipes is called before it was fitted.
// expect: stage_is_not_fitted<1, 
// expect: standardize<float>
// expect: this stage is a recipe; fit(recipe, data) gives the model to call
#include <caramel/features/standardize.hpp>
using namespace caramel;
int main() {
    const matrix<float> x(3, 4);
    const auto recipe = standardize<float>{} | standardize<float>{};
#ifdef FIXED
    const matrix<float> out = fit(recipe, x)(x);
#else
    const matrix<float> out = recipe(x);
#endif
}
