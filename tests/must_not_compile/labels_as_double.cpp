// A classifier is given labels as numbers with a fraction.
// expect: targets_of_another_type<2, 
// expect: logistic<float>
// expect: std::vector<double
// expect: classifiers take std::vector<int>
#include <vector>

#include <caramel/features/standardize.hpp>
#include <caramel/linear/logistic.hpp>
using namespace caramel;
int main() {
    const matrix<float> x(3, 4);
#ifdef FIXED
    const std::vector<int> left{0, 1, 0};
#else
    const std::vector<double> left{0, 1, 0};
#endif
    const auto model = fit(standardize<float>{} | logistic<float>{}, x, left);
}
