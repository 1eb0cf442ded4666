// A model of tables is kept as a model of texts.
// expect: any_model<std::vector<std::
#include <string>
#include <vector>

#include <caramel/any_model.hpp>
#include <caramel/features/standardize.hpp>
using namespace caramel;
int main() {
    const matrix<float> x(3, 4);
#ifdef FIXED
    const any_model<matrix<float>, matrix<float>> model = fit(standardize<float>{}, x);
#else
    const any_model<std::vector<std::string>, matrix<float>> model = fit(standardize<float>{}, x);
#endif
}
