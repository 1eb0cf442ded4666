// Targets and data are given in the wrong order.
// expect: targets_stand_before_data<1, 
// expect: data come first, then targets: fit(recipe, data, targets)
#include <vector>

#include <caramel/linear/logistic.hpp>
using namespace caramel;
int main() {
    const matrix<float> x(3, 4);
    const std::vector<int> left{0, 1, 0};
#ifdef FIXED
    const auto model = fit(logistic<float>{}, x, left);
#else
    const auto model = fit(logistic<float>{}, left, x);
#endif
}
