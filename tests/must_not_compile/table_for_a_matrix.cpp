// A table goes straight into a recipe that takes numbers.
// expect: stage_cannot_take_a_table<1, 
// expect: standardize<float>
// expect: put impute{} | encode<float>{} in front of it
#include <caramel/data/table.hpp>
#include <caramel/features/encode.hpp>
#include <caramel/features/standardize.hpp>
using namespace caramel;
int main() {
    const table customers;
#ifdef FIXED
    const auto model = fit(encode<float>{} | standardize<float>{}, customers);
#else
    const auto model = fit(standardize<float>{}, customers);
#endif
}
