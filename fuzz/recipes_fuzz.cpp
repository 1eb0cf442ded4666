// Models of texts, trained once on a few lines, on any bytes. 0 sentiment, 1 intent, 2 the file of a sentiment model with
// some of its bytes changed (four bytes of the input each: three for the place, one to change it by).

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include <caramel/core/workspace.hpp>
#include <caramel/io/model_file.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recipes/intent.hpp>
#include <caramel/recipes/sentiment.hpp>
#include <caramel/text/utf8.hpp>

#include "model_bytes.hpp"
#include "support.hpp"

using namespace caramel;

namespace {

using texts = std::vector<std::string>;

// Probabilities, the same ones however they are asked for; reasons that sum to the score. What is no text is refused.
template <class Model>
void check(const Model& model, std::string_view bytes) {
    static workspace scratch;
    EXPECT(fuzz::accepts([&] { (void)model(bytes, scratch); }) == (find_bad_utf8(bytes) == std::string_view::npos));
    const std::string text = repair_utf8(bytes);
    const auto single = model(std::string_view(text), scratch);
    const std::vector<float> p(single.begin(), single.end());
    const matrix<float> batch = model(texts{"late", text, ""});
    double sum = 0;
    for (std::size_t k = 0; k < p.size(); ++k) {
        EXPECT(p[k] >= 0 && p[k] <= 1 && batch(1, static_cast<row_index>(k)) == p[k]);
        sum += static_cast<double>(p[k]);
    }
    EXPECT(p.size() == model.classes() && std::abs(sum - 1) < 1e-5);
    const auto answer = model.answer(text, 3);
    EXPECT(std::isfinite(answer.confidence) && answer.reasons.size() <= 3 && answer.number < p.size());
    const auto why = model.explain(text, answer.number);
    double score = why.base, size = 1 + std::abs(why.base);
    for (const auto& part : why.parts) {
        score += part.contribution;
        size += std::abs(part.contribution);
    }
    EXPECT(std::isfinite(why.score) && std::abs(score - why.score) <= 1e-5 * size);
}

const sentiment_model& of_words() {
    static const texts lines{"good and fast", "very good, thank you", "fast and friendly", "late and cold", "never again, late", "cold, bad, slow"};
    static const auto model = fit(sentiment{}, lines, texts{"good", "good", "good", "bad", "bad", "bad"});
    return model;
}

void sentiments(std::string_view bytes) {
    static const texts lines{"\u5F88\u597D\u5403", "\u5F88\u5FEB\uFF0C\u63A8\u8350", "\u4E0D\u9519",
                             "\u592A\u6162\u4E86", "\u5F88\u96BE\u5403", "\u4E0D\u63A8\u8350"};
    static const auto characters = fit(sentiment{}, lines, std::vector<int>{1, 1, 1, 0, 0, 0});
    check(of_words(), bytes);
    check(characters, bytes);
}

void intents(std::string_view bytes) {
    static const texts lines{"where is my parcel", "track the parcel", "when does the parcel come", "i want my money back", "refund me please",
                             "money back for this", "change my address", "new address please", "i moved, another address"};
    static const auto model = fit(intent{}, lines, texts{"track", "track", "track", "refund", "refund", "refund", "address", "address", "address"});
    check(model, bytes);
}

void altered_file(std::string_view changes) {
    static const std::string whole = [] {
        const auto bytes = to_bytes(of_words());
        return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }();
    std::string file = whole;
    while (!changes.empty()) {
        std::size_t at = fuzz::take_byte(changes);
        at = at << 8 | fuzz::take_byte(changes);
        at = at << 8 | fuzz::take_byte(changes);
        file[at % file.size()] = static_cast<char>(static_cast<unsigned char>(file[at % file.size()]) ^ fuzz::take_byte(changes));
    }
    if (!fuzz::make_checksum_right(file)) return;
    fuzz::load_and_use<sentiment_model>(file, [](const sentiment_model& model) {
        workspace scratch;
        for (const float p : model("very good, \u5F88\u597D", scratch)) EXPECT(p >= 0 && p <= 1);
        EXPECT(std::isfinite(model.answer("late and cold, very good").score));
    });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    return fuzz::run<sentiments, intents, altered_file>(data, size);
}
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t room, unsigned) {
    return fuzz::mutate(data, size, room, LLVMFuzzerMutate);
}
