// Files of saved models: loaded, they answer with finite numbers and valid ids, and save as the same bytes; or `caramel::error`.
// 0 of numbers and tables, 1 of texts, 2 of customers and decisions. A byte chooses the type of the model, then comes the file. The
// mutator begins with files of small models, changes their tensors one by one, and makes lengths and checksums right.

#include <array>
#include <string>
#include <string_view>

#include <caramel/io/model_file.hpp>
#include <caramel/pipeline.hpp>

#include "../tests/support/small_models.hpp"
#include "model_bytes.hpp"
#include "support.hpp"

using namespace caramel;
using namespace small_models;

namespace {

// A type of model: the file of a small one, and what is done with a file.
struct kind {
    std::string (*first)();
    void (*try_file)(std::string_view);
};
template <auto Make, auto Use, bool Slow = false>  // `Slow`: tables for all characters are built, which takes milliseconds
constexpr kind kind_of() {
    return {[] {
                const auto bytes = to_bytes(Make());
                return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
            },
            [](std::string_view file) {
                if (Slow && !fuzz::worth_a_long_look(file)) return;
                std::string copy(file);
                if (fuzz::make_checksum_right(copy)) fuzz::load_and_use<decltype(Make())>(copy, Use);
            }};
}

constexpr std::array numbers{kind_of<make_standardize, use_standardize>(), kind_of<make_impute, use_impute>(),     kind_of<make_encode, use_encode>(),
                             kind_of<make_columns, use_columns>(),         kind_of<make_bucketize, use_bucketize>(), kind_of<make_logistic, use_logistic>(),
                             kind_of<make_trees, use_trees>()};

constexpr std::array texts{kind_of<make_words, use_tokens<word_tokenizer_model>>(), kind_of<make_bpe, use_encoder<bpe_model>, true>(),
                           kind_of<make_wordpieces, use_wordpieces, true>(),           kind_of<make_characters, use_tokens<char_tokenizer_model>>(),
                           kind_of<make_tfidf, use_tfidf>(),                     kind_of<make_normal, use_normal>(),
                           kind_of<make_chinese, use_chinese, true>()};

constexpr std::array decisions{kind_of<make_popularity, use_recommender<popularity_model<float>>>(),
                               kind_of<make_neighbors, use_recommender<item_neighbors_model<float>>>(), kind_of<make_policy, use_policy>(),
                               kind_of<make_space, use_space>()};

template <const auto& Kinds>
void saved(std::string_view text) {
    const unsigned choice = fuzz::take_byte(text);
    Kinds[choice % Kinds.size()].try_file(text);
}

// Begins with the file of the type that the byte chooses, or one of another type; mostly changes tensors.
template <const auto& Kinds>
std::size_t change(std::uint8_t* data, std::size_t size, std::size_t room, unsigned seed) {
    fuzz::chooser choose(seed);
    if (size < 40 || choose(200) == 0) {
        const std::size_t type = choose(Kinds.size());
        const std::string file = Kinds[type].first();
        if (room < 1 + file.size()) return size;
        data[0] = static_cast<std::uint8_t>(type);
        std::copy(file.begin(), file.end(), data + 1);
        size = 1 + file.size();
    }
    return 1 + fuzz::mutate_tensors(data + 1, size - 1, room - 1, choose);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) { return fuzz::run<saved<numbers>, saved<texts>, saved<decisions>>(data, size); }
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t room, unsigned seed) {
    const int trial = fuzz::only_trial >= 0 ? fuzz::only_trial : static_cast<int>(seed / 7 % 3);
    if (room < 100) return LLVMFuzzerMutate(data, size, room);
    data[0] = static_cast<std::uint8_t>('0' + trial);
    const std::size_t rest = size > 0 ? size - 1 : 0;
    if (trial == 0) return 1 + change<numbers>(data + 1, rest, room - 1, seed);
    if (trial == 1) return 1 + change<texts>(data + 1, rest, room - 1, seed);
    return 1 + change<decisions>(data + 1, rest, room - 1, seed);
}
