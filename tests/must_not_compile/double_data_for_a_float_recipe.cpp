// The data are double, the recipe is float.
// expect: stage_cannot_learn_from<1, 
// expect: standardize<float>
// expect: given<Eigen::Matrix<double, 
// expect: this recipe cannot learn from what it is given
#include <caramel/features/standardize.hpp>
using namespace caramel;
int main() {
#ifdef FIXED
    const matrix<float> x(3, 4);
#else
    const matrix<double> x(3, 4);
#endif
    const auto model = fit(standardize<float>{} | standardize<float>{}, x);
}
