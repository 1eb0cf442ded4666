// An mlp is fitted without targets, and the model is used.
// expect: stage_needs_targets<2, 
// expect: mlp<float>
// expect: fit(recipe, data, targets)
#include <vector>

#include <caramel/features/standardize.hpp>
#include <caramel/nn/mlp.hpp>
using namespace caramel;
int main() {
    const matrix<float> x(3, 4);
    const std::vector<int> left{0, 1, 0};
#ifdef FIXED
    const auto model = fit(standardize<float>{} | mlp<float>{}, x, left);
#else
    const auto model = fit(standardize<float>{} | mlp<float>{}, x);
#endif
    const matrix<float> risk = model(x);
}
