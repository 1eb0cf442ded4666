// Token ids go straight into a recipe that takes matrices, late in a longer chain.
// expect: stage_cannot_learn_from<4, 
// expect: standardize<float>
// expect: token_ids
// expect: this recipe cannot learn from what it is given
#include <string>
#include <vector>

#include <caramel/features/standardize.hpp>
#include <caramel/nn/mlp.hpp>
#include <caramel/text/embedding.hpp>
#include <caramel/text/pool.hpp>
#include <caramel/text/tokenizer.hpp>
using namespace caramel;
int main() {
    const std::vector<std::string> said{"where is my order", "cancel my plan"};
    const std::vector<int> intent{0, 1};
    const auto same = [](const std::vector<std::string>& texts) { return texts; };
#ifdef FIXED
    const auto recipe = same | (same | word_tokenizer{}) | random_embedding<float>{} | mean_pool{} | standardize<float>{} | mlp<float>{};
#else
    const auto recipe = same | (same | word_tokenizer{}) | standardize<float>{} | mlp<float>{};
#endif
    const auto model = fit(recipe, said, intent);
}
