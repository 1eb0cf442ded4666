// The data are double, the recipe is float.
// expect: stage_of_another_scalar<1, 
// expect: standardize<float>
// expect: matrix_of<double>
// expect: float and double do not mix
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
