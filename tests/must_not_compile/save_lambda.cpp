// A chain with a lambda in it cannot be saved: a lambda has no name that a file could hold.
// expect: stage_cannot_be_saved<2,
// expect: this stage cannot be saved: a lambda has no name in a file
#include <caramel/features/standardize.hpp>
#include <caramel/io/model_file.hpp>
using namespace caramel;
struct halve {
    static constexpr std::string_view kind = "halve";
    static constexpr std::array<const char*, 0> field_names{};
    static std::tuple<> fields() { return {}; }
    matrix<float> operator()(const matrix<float>& x) const { return x / 2; }
};
int main() {
    const auto scaler = fit(standardize<float>{}, matrix<float>(2, 3));
#ifdef FIXED
    const auto model = scaler | halve{};
#else
    const auto model = scaler | [](const matrix<float>& x) -> matrix<float> { return x / 2; };
#endif
    save(model, "model.safetensors");
}
