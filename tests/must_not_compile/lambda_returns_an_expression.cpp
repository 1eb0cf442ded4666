// A lambda returns Eigen's lazy expression, which refers to its argument.
// expect: stage_returns_no_value<2, 
// expect: a lazy expression that refers to its argument
#include <caramel/features/standardize.hpp>
using namespace caramel;
int main() {
    const matrix<float> x(3, 4);
#ifdef FIXED
    const auto twice = [](const matrix<float>& m) -> matrix<float> { return m * 2.F; };
#else
    const auto twice = [](const matrix<float>& m) { return m * 2.F; };
#endif
    const auto model = fit(standardize<float>{} | twice | standardize<float>{}, x);
    const matrix<float> out = model(x);
}
