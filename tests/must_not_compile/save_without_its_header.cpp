// Saving is in a header of its own, since it needs that of nlohmann-json.
// expect: saving needs #include <caramel/io/model_file.hpp>
#include <caramel/features/standardize.hpp>
#ifdef FIXED
#include <caramel/io/model_file.hpp>
#endif
using namespace caramel;
int main() {
    const auto model = fit(standardize<float>{}, matrix<float>(2, 3));
    save(model, "model.safetensors");
}
