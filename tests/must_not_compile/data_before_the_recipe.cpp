// The recipe does not come first.
// expect: the recipe comes first: fit(recipe, data, targets); a model is fitted already: model(data)
#include <caramel/features/standardize.hpp>
using namespace caramel;
int main() {
    const matrix<float> x(3, 4);
#ifdef FIXED
    const auto model = fit(standardize<float>{}, x);
#else
    const auto model = fit(x, standardize<float>{});
#endif
}
