// Targets are given to a chain in which no recipe learns from them.
// expect: no_stage_uses_the_targets<
// expect: fit got targets, but no recipe in the chain learns from them
#include <vector>

#include <caramel/features/standardize.hpp>
using namespace caramel;
int main() {
    const matrix<float> x(3, 4);
    const std::vector<int> left{0, 1, 0};
#ifdef FIXED
    const auto model = fit(standardize<float>{}, x);
#else
    const auto model = fit(standardize<float>{}, x, left);
#endif
}
