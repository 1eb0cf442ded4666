#ifndef CARAMEL_RECIPES_INTENT_HPP
#define CARAMEL_RECIPES_INTENT_HPP

// What customers want, from what they write; and whether they want something else altogether.

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/softmax.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/evaluate/calibration.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recipes/text_classifier.hpp>

namespace caramel::inline CARAMEL_ABI {

/// What an `intent_model` says of a text.
struct intent_answer {
    std::string label;
    std::size_t number = 0;       ///< of the class, from 0
    double confidence = 0;        ///< its probability, if the text is of a known intent at all
    std::string second;           ///< the next likeliest class
    double margin = 0;            ///< how much less likely it is
    bool ambiguous = false;       ///< the margin is below the model's
    double out_of_scope = 0;      ///< 0 .. 1: how much the text looks like one of no known intent
    bool in_scope = true;         ///< `out_of_scope` is at most the model's threshold
    double score = 0;             ///< what the reasons and what they leave out sum to
    std::vector<reason> reasons;  ///< the n-grams that moved the score of the class most, largest first
};

/// Texts -> probabilities of their intents: (texts, classes), each row summing to 1.
class intent_model : public single_row<intent_model> {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "intent";  // in saved files: never changes

    /// A text is out of scope by 1 / (1 + exp(scope_slope * score + scope_offset)) of its highest score.
    /// Throws `error` (`bad_data`) on numbers that cannot be.
    template <class = void>
    intent_model(text_scorer scorer, double scope_slope, double scope_offset, double threshold, double ambiguity)
        : scorer_(std::move(scorer)), scope_slope_(scope_slope), scope_offset_(scope_offset), threshold_(threshold), ambiguity_(ambiguity) {
        require(std::isfinite(scope_slope_) && scope_slope_ >= 0 && std::isfinite(scope_offset_) && threshold_ >= 0 && threshold_ <= 1 && ambiguity_ >= 0 &&
                    ambiguity_ <= 1,
                errc::bad_data, kind, ": scope, threshold and ambiguity do not belong together");
    }

    /// Throws `error` (`bad_utf8`) with the text's number and the byte.
    template <class = void>
    [[nodiscard]] matrix<float> operator()(const std::vector<std::string>& texts) const { return scorer_.probabilities_of(texts); }
    /// One text -> (classes), in the workspace; the same bits as in a batch. Only a text that NFKC changes in an unusual way
    /// allocates after the first call.
    template <class = void>
    [[nodiscard]] std::span<const float> operator()(std::string_view text, workspace& scratch) const { return scorer_.probabilities_of(text, scratch); }
    using single_row<intent_model>::operator();

    /// Throws `error` (`bad_utf8`).
    template <class = void>
    [[nodiscard]] intent_answer answer(std::string_view text, std::size_t reasons = 5) const {
        workspace scratch;
        float top = 0;
        const auto p = scorer_.probabilities_of(text, scratch, &top);
        intent_answer out;
        out.number = static_cast<std::size_t>(std::max_element(p.begin(), p.end()) - p.begin());
        std::size_t second = out.number == 0 ? 1 : 0;
        for (std::size_t k = 0; k < p.size(); ++k)
            if (k != out.number && p[k] > p[second]) second = k;
        out.label = labels()[out.number];
        out.second = labels()[second];
        out.confidence = static_cast<double>(p[out.number]);
        out.margin = out.confidence - static_cast<double>(p[second]);
        out.ambiguous = out.margin < ambiguity_;
        out.out_of_scope = out_of_scope(static_cast<double>(top));
        out.in_scope = out.out_of_scope <= threshold_;
        const auto why = explain(text, out.number);
        out.score = why.score;
        out.reasons = why.top(reasons);
        return out;
    }
    /// How much each text looks like one of no known intent: 0 .. 1, to be held against `threshold()`.
    template <class = void>
    [[nodiscard]] std::vector<double> out_of_scope(const std::vector<std::string>& texts) const {
        std::vector<double> out;
        workspace scratch;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            float top = 0;
            (void)scorer_.probabilities_of(texts[i], scratch, &top, i + 1);
            out.push_back(out_of_scope(static_cast<double>(top)));
        }
        return out;
    }
    /// Throws `error`: `bad_utf8`; `bad_parameter` on a class that is not there.
    template <class = void>
    [[nodiscard]] text_explanation explain(std::string_view text, std::size_t of_class) const { return scorer_.explain(text, of_class); }

    [[nodiscard]] const std::vector<std::string>& labels() const noexcept { return scorer_.labels(); }
    [[nodiscard]] std::size_t classes() const noexcept { return scorer_.classes(); }
    [[nodiscard]] const text_scorer& scorer() const noexcept { return scorer_; }
    [[nodiscard]] double threshold() const noexcept { return threshold_; }
    [[nodiscard]] double ambiguity() const noexcept { return ambiguity_; }
    template <class = void>
    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>& = {}) const { return labels(); }

    static constexpr std::array field_names{"scorer", "scope_slope", "scope_offset", "threshold", "ambiguity"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(scorer_, scope_slope_, scope_offset_, threshold_, ambiguity_); }

   private:
    [[nodiscard]] double out_of_scope(double top) const noexcept { return detail::sigmoid_of(-(scope_slope_ * top + scope_offset_)); }

    text_scorer scorer_;
    double scope_slope_, scope_offset_, threshold_, ambiguity_;
};

/// Recipe for `intent_model`: `fit(intent{}, messages, intents)`, intents by name (`std::vector<std::string>`) or by number. It
/// learns as `sentiment` does. Of texts held out it also learns what the highest score of a known intent looks like, and what it
/// looks like where the right intent is taken away, as a stand-in for texts of none: a sigmoid between the two is the
/// out-of-scope score, and its threshold is where the two are told apart best, but rejects at most `max_rejected` of the texts
/// of known intents. Texts that really are out of scope are stranger than the stand-ins.
struct intent {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = true;

    std::vector<std::string> class_names = {};  ///< of labels that are numbers; empty = "0", "1", ...
    std::vector<ngram_range> ngrams = {};       ///< empty = as `sentiment`
    std::size_t min_count = 0;                  ///< texts that must have an n-gram; 0 = 1, from 1,000 texts on 2, from 20,000 on 3, from 40,000 on 5
    std::size_t max_characters = 20'000;        ///< a text's first ones count; 0 = all
    double cost = 0;                            ///< what a missed margin costs, against the penalty (C); 0 = chosen
    double max_rejected = 0.05;                 ///< 0 .. 1: of texts of known intents, held out
    double ambiguity = 0.1;                     ///< 0 .. 1: the second class this near makes an answer ambiguous

    /// Throws `error` as `sentiment::fit` does.
    template <std::same_as<std::vector<std::string>> Texts>
    [[nodiscard]] intent_model fit(const Texts& texts, const std::vector<int>& labels, const fit_options& options) const {
        return learn(texts, labels, class_names, options);
    }
    template <std::same_as<std::vector<std::string>> Texts>
    [[nodiscard]] intent_model fit(const Texts& texts, const std::vector<std::string>& labels, const fit_options& options) const {
        auto [numbers, names] = detail::numbered(labels);
        return learn(texts, std::move(numbers), std::move(names), options);
    }

   private:
    template <class Texts>
    [[nodiscard]] intent_model learn(const Texts& texts, std::vector<int> labels, std::vector<std::string> names, const fit_options& options) const {
        require(max_rejected >= 0 && max_rejected <= 1, errc::bad_parameter, intent_model::kind, ": max_rejected = ", max_rejected, ", must lie in 0 .. 1");
        require(ambiguity >= 0 && ambiguity <= 1, errc::bad_parameter, intent_model::kind, ": ambiguity = ", ambiguity, ", must lie in 0 .. 1");
        const detail::text_learning how{ngrams, min_count, max_characters, cost};
        auto learnt = detail::learn_text(texts, std::move(labels), std::move(names), how, options, intent_model::kind);
        // Of known intents and of none.
        detail::calibration_rows rows;
        for (const bool known : {true, false})
            for (const double top : known ? learnt.tops : learnt.others) {
                rows.score.push_back(top);
                rows.positive.push_back(known);
                rows.weight.push_back(1);
            }
        double slope = 0, offset = 0, best_at = -1e300;
        if (!learnt.tops.empty()) {
            const auto fitted = detail::fit_sigmoid(rows, intent_model::kind);
            slope = std::max(0.0, fitted.slope);
            offset = fitted.intercept;
            best_at = lowest_score(std::move(learnt.tops), std::move(learnt.others));
        }
        const double threshold = best_at < -1e299 ? 1 : std::min(1.0, detail::sigmoid_of(-(slope * best_at + offset)) + 1e-9);
        return {std::move(learnt.scorer), slope, offset, threshold, ambiguity};
    }
    // The highest score that a text must have to be taken as one of a known intent.
    template <class = void>
    [[nodiscard]] double lowest_score(std::vector<double> tops, std::vector<double> others) const {
        std::sort(tops.begin(), tops.end());
        std::sort(others.begin(), others.end());
        double best = tops.front(), best_gain = -1;
        const auto most = static_cast<std::size_t>(max_rejected * static_cast<double>(tops.size()));
        for (std::size_t i = 0; i <= std::min(most, tops.size() - 1); ++i) {  // reject those below tops[i]
            const auto below = static_cast<std::size_t>(std::lower_bound(others.begin(), others.end(), tops[i]) - others.begin());
            const double gain = static_cast<double>(below) / static_cast<double>(others.size()) - static_cast<double>(i) / static_cast<double>(tops.size());
            if (gain <= best_gain) continue;
            best_gain = gain;
            // Half-way to what is rejected, which matters where the two lie far apart.
            best = below == 0 ? tops[i] : (std::max(others[below - 1], i == 0 ? others[below - 1] : tops[i - 1]) + tops[i]) / 2;
        }
        return best;
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
