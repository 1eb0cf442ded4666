// One stage is double, the next is float.
// expect: stage_of_another_scalar<2, 
// expect: standardize<float>
// expect: given<caramel::
// expect: matrix_of<double>
// expect: float and double do not mix
#include <caramel/data/table.hpp>
#include <caramel/features/encode.hpp>
#include <caramel/features/standardize.hpp>
using namespace caramel;
int main() {
    const table customers;
#ifdef FIXED
    const auto model = fit(encode<float>{} | standardize<float>{}, customers);
#else
    const auto model = fit(encode<double>{} | standardize<float>{}, customers);
#endif
}
