// A recipe is saved instead of what it was fitted to.
// expect: stage_is_not_fitted<1,
// expect: this stage is a recipe; fit(recipe, data) gives the model to call
#include <caramel/features/standardize.hpp>
#include <caramel/io/model_file.hpp>
using namespace caramel;
int main() {
    const standardize<float> recipe;
#ifdef FIXED
    save(fit(recipe, matrix<float>(2, 3)), "model.safetensors");
#else
    save(recipe, "model.safetensors");
#endif
}
