// A recipe for matrices is cross-validated on a table.
// expect: stage_cannot_take_a_table<1, 
// expect: logistic<double>
// expect: given<caramel::
#include <vector>

#include <caramel/data/table.hpp>
#include <caramel/evaluate/cross_validation.hpp>
#include <caramel/linear/logistic.hpp>
using namespace caramel;
int main() {
    const std::vector<int> left{0, 1, 0, 1};
#ifdef FIXED
    const matrix<double> customers = matrix<double>::Random(4, 2);
#else
    const table customers;
#endif
    (void)cross_validate(logistic<double>{}, customers, left, k_fold(4, 2), by_auc{});
}
