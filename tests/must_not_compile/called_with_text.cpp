// A model of tables is called with texts.
// expect: stage_cannot_take_texts<1, 
// expect: standardize_model<float>
// expect: texts
// expect: this stage cannot take texts
#include <string>
#include <vector>

#include <caramel/features/standardize.hpp>
using namespace caramel;
int main() {
    const matrix<float> x(3, 4);
    const auto model = fit(standardize<float>{} | standardize<float>{}, x);
    const std::vector<std::string> texts{"where is my order"};
#ifdef FIXED
    (void)model(x);
#else
    (void)model(texts);
#endif
}
