// A classifier is judged by a metric that wants one number a row and targets that are numbers.
// expect: metric_cannot_take<by_correlation, 
// expect: the metric cannot be called with what is predicted and the targets
#include <vector>

#include <caramel/evaluate/cross_validation.hpp>
#include <caramel/linear/logistic.hpp>
using namespace caramel;
struct by_correlation {
    double operator()(const std::vector<double>&, const std::vector<double>&) const { return 0; }
};
int main() {
    const std::vector<int> left{0, 1, 0, 1};
    const matrix<double> customers = matrix<double>::Random(4, 2);
#ifdef FIXED
    (void)cross_validate(logistic<double>{}, customers, left, k_fold(4, 2), by_auc{});
#else
    (void)cross_validate(logistic<double>{}, customers, left, k_fold(4, 2), by_correlation{});
#endif
}
