// Two stages stand in the wrong order: encode makes numbers of the table that impute would fill.
// expect: stage_takes_only_tables<2, 
// expect: impute
// expect: put it in front of encode
#include <caramel/data/table.hpp>
#include <caramel/features/encode.hpp>
#include <caramel/features/impute.hpp>
using namespace caramel;
int main() {
    const table customers;
#ifdef FIXED
    const auto model = fit(impute{} | encode<float>{}, customers);
#else
    const auto model = fit(encode<float>{} | impute{}, customers);
#endif
}
