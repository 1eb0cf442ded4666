// A chain whose second stage takes matrices, behind one that makes labels.
// expect: stage_cannot_take<2, 
// expect: standardize_model<float>
// expect: given<std::vector<int
// expect: this stage of the chain cannot take what it is given
#include <caramel/features/standardize.hpp>
using namespace caramel;
int main() {
    const matrix<float> x(3, 4);
    const auto model = fit(standardize<float>{}, x);
    const auto labels = [](const matrix<float>& m) { return std::vector<int>(static_cast<std::size_t>(m.rows())); };
#ifdef FIXED
    const auto chain = model | labels;
#else
    const auto chain = labels | model;
#endif
    (void)chain(x);
}
