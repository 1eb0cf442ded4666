#ifndef CARAMEL_RECIPES_SENTIMENT_HPP
#define CARAMEL_RECIPES_SENTIMENT_HPP

// What customers think, from what they write.

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recipes/text_classifier.hpp>

namespace caramel::inline CARAMEL_ABI {

/// What a `sentiment_model` says of a text.
struct sentiment_answer {
    std::string label;
    std::size_t number = 0;       ///< of the class, from 0
    double confidence = 0;        ///< its probability
    double score = 0;             ///< of two classes its log odds; the reasons and what they leave out sum to it
    std::vector<reason> reasons;  ///< the n-grams that moved the score most, largest first
};

/// Texts -> probabilities of their classes: (texts, classes), each row summing to 1.
class sentiment_model : public single_row<sentiment_model> {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "sentiment";  // in saved files: never changes

    explicit sentiment_model(text_scorer scorer) : scorer_(std::move(scorer)) {}

    /// Throws `error` (`bad_utf8`) with the text's number and the byte.
    template <class = void>
    [[nodiscard]] matrix<float> operator()(const std::vector<std::string>& texts) const { return scorer_.probabilities_of(texts); }
    /// One text -> (classes), in the workspace; the same bits as in a batch. Only a text that NFKC changes in an unusual way
    /// allocates after the first call.
    template <class = void>
    [[nodiscard]] std::span<const float> operator()(std::string_view text, workspace& scratch) const { return scorer_.probabilities_of(text, scratch); }
    using single_row<sentiment_model>::operator();

    /// Throws `error` (`bad_utf8`).
    template <class = void>
    [[nodiscard]] sentiment_answer answer(std::string_view text, std::size_t reasons = 5) const {
        workspace scratch;
        const auto p = (*this)(text, scratch);
        sentiment_answer out;
        out.number = static_cast<std::size_t>(std::max_element(p.begin(), p.end()) - p.begin());
        out.label = labels()[out.number];
        out.confidence = static_cast<double>(p[out.number]);
        const auto why = explain(text, out.number);
        out.score = why.score;
        out.reasons = why.top(reasons);
        return out;
    }
    /// Throws `error`: `bad_utf8`; `bad_parameter` on a class that is not there.
    template <class = void>
    [[nodiscard]] text_explanation explain(std::string_view text, std::size_t of_class) const { return scorer_.explain(text, of_class); }

    [[nodiscard]] const std::vector<std::string>& labels() const noexcept { return scorer_.labels(); }
    [[nodiscard]] std::size_t classes() const noexcept { return scorer_.classes(); }
    [[nodiscard]] const text_scorer& scorer() const noexcept { return scorer_; }
    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>& = {}) const { return labels(); }

    static constexpr std::array field_names{"scorer"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(scorer_); }

   private:
    text_scorer scorer_;
};

/// Recipe for `sentiment_model`, for any language: `fit(sentiment{}, reviews, labels)` with labels by name
/// (`std::vector<std::string>`; classes in the order of the names) or by number, 0, 1, ...
/// Linear machines of weighted n-grams (squared hinge, one class against the others; of two classes one). Which n-grams: where
/// white space parts words, those of one and two tokens, of 2 to 5 characters within words, and pairs of tokens near each other;
/// else (Chinese, Japanese) those of 1 to 3 characters. The strength of the penalty is the one with the smallest log loss on texts
/// held out, a fifth of the training texts at a time and as many times as a fixed amount of work allows; the same texts teach the
/// probabilities (Platt's sigmoid; from three classes on a temperature). Some 50,000 reviews take a second or two. The model
/// keeps n-grams of the texts, which may be names or numbers: raise `min_count` to keep out what only a few have written.
struct sentiment {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = true;

    std::vector<std::string> class_names = {};  ///< of labels that are numbers; empty = "0", "1", ...
    std::vector<ngram_range> ngrams = {};       ///< empty = as above
    std::size_t min_count = 0;                  ///< texts that must have an n-gram; 0 = 1, from 1,000 texts on 2, from 20,000 on 3, from 40,000 on 5
    std::size_t max_characters = 20'000;        ///< a text's first ones count; 0 = all
    double cost = 0;                            ///< what a missed margin costs, against the penalty (C); 0 = chosen

    /// Throws `error`: `empty_input`; `shape_mismatch`; `bad_parameter`; `bad_utf8` with the text's number and the byte; `bad_data`
    /// with the row of a negative label, and where there is one class only or one without texts of positive weight.
    template <std::same_as<std::vector<std::string>> Texts>
    [[nodiscard]] sentiment_model fit(const Texts& texts, const std::vector<int>& labels, const fit_options& options) const {
        return learn(texts, labels, class_names, options);
    }
    template <std::same_as<std::vector<std::string>> Texts>
    [[nodiscard]] sentiment_model fit(const Texts& texts, const std::vector<std::string>& labels, const fit_options& options) const {
        auto [numbers, names] = detail::numbered(labels);
        return learn(texts, std::move(numbers), std::move(names), options);
    }

   private:
    template <class Texts>
    [[nodiscard]] sentiment_model learn(const Texts& texts, std::vector<int> labels, std::vector<std::string> names, const fit_options& options) const {
        const detail::text_learning how{ngrams, min_count, max_characters, cost};
        return sentiment_model(detail::learn_text(texts, std::move(labels), std::move(names), how, options, sentiment_model::kind).scorer);
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
