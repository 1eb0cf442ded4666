// The targets are texts; an mlp learns from class numbers.
// expect: targets_of_another_type<2, 
// expect: mlp<float>
// expect: texts
// expect: classifiers take std::vector<int>
#include <string>
#include <vector>

#include <caramel/features/standardize.hpp>
#include <caramel/nn/mlp.hpp>
using namespace caramel;
int main() {
    const matrix<float> x(3, 4);
#ifdef FIXED
    const std::vector<int> left{0, 1, 0};
#else
    const std::vector<std::string> left{"no", "yes", "no"};
#endif
    const auto model = fit(standardize<float>{} | mlp<float>{}, x, left, {.seed = 7});
}
