#ifndef CARAMEL_RECIPES_TEXT_CLASSIFIER_HPP
#define CARAMEL_RECIPES_TEXT_CLASSIFIER_HPP

// What `sentiment` and `intent` have in common: from texts and labels to calibrated probabilities and their reasons.

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/labels.hpp>
#include <caramel/core/large_pages.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/platform.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/softmax.hpp>
#include <caramel/core/utf8.hpp>
#include <caramel/core/weights.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/evaluate/calibration.hpp>
#include <caramel/explain/explanation.hpp>
#include <caramel/linear/class_descent.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/text/ngrams.hpp>
#include <caramel/text/tfidf.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Why a text was given to a class: `base` and the parts sum to `score`, of two classes the log odds of the class, else what
/// the softmax over the classes is taken of.
struct text_explanation {
    double base = 0;
    std::vector<reason> parts;  ///< the n-grams that were known, in the order in which they first stand in the text
    double score = 0;

    /// The `n` parts that moved the score most, whichever way; of equal ones the first.
    template <class = void>
    [[nodiscard]] std::vector<reason> top(std::size_t n) const {
        std::vector<reason> out;
        for (const auto& part : parts)
            if (part.contribution != 0) out.push_back(part);
        std::stable_sort(out.begin(), out.end(), [](const reason& a, const reason& b) { return std::abs(a.contribution) > std::abs(b.contribution); });
        if (out.size() > n) out.resize(n);
        return out;
    }
};

/// Weighted n-grams, a linear score a class, and probabilities of the scores: the part of `sentiment_model` and `intent_model`
/// that answers. Immutable, and safe to call from several threads.
class text_scorer {
   public:
    /// `coefficients` (columns, 1) for two classes, where the score is that of class 1, else (columns, classes); `labels` one a
    /// class. The probabilities are the softmax of slope * scores; of two classes 1 / (1 + exp(-(slope * score + offset))).
    /// Throws `error` (`bad_data`) on fields that do not belong together, on numbers so large that a score could overflow with them
    /// (factors of n-grams above 1e6, others above 1e15), and of three classes or more on a negative slope.
    template <class = void>
    text_scorer(tfidf_model<float> features, matrix<float> coefficients, vec<float> intercepts, std::vector<std::string> labels, double slope, double offset)
        : features_(std::move(features)),
          coefficients_(std::move(coefficients)),
          intercepts_(std::move(intercepts)),
          labels_(std::move(labels)),
          slope_(slope),
          offset_(offset) {
        constexpr double most = 1e15;
        const auto fits = [](const auto& values, double limit) { return (values.array().abs() <= static_cast<float>(limit)).all(); };
        bool good = std::cmp_equal(coefficients_.rows(), features_.columns()) && coefficients_.cols() == intercepts_.size() && fits(coefficients_, most) &&
                    fits(intercepts_, most) && fits(features_.factors(), 1e6) && labels_.size() >= 2 &&
                    std::cmp_equal(labels_.size() == 2 ? 1 : labels_.size(), intercepts_.size()) && std::abs(slope_) <= most && std::abs(offset_) <= most &&
                    (labels_.size() == 2 || slope_ >= 0);
        for (const auto& label : labels_) good = good && detail::is_utf8_text(label);
        require(good, errc::bad_data, "text_scorer: features, coefficients, labels and calibration do not belong together");
        if (intercepts_.size() == 1 && features_.settings().hash_bits == 0) prepare();
    }

    [[nodiscard]] std::size_t classes() const noexcept { return labels_.size(); }
    [[nodiscard]] const std::vector<std::string>& labels() const noexcept { return labels_; }
    [[nodiscard]] const tfidf_model<float>& features() const noexcept { return features_; }
    [[nodiscard]] const matrix<float>& coefficients() const noexcept { return coefficients_; }
    [[nodiscard]] const vec<float>& intercepts() const noexcept { return intercepts_; }
    [[nodiscard]] double slope() const noexcept { return slope_; }
    [[nodiscard]] double offset() const noexcept { return offset_; }

    /// Probabilities of the text's classes in `out`, and the highest score before calibration. The caller holds a frame.
    /// Throws `error` (`bad_utf8`) with the text's number and the byte.
    template <class = void>
    float answer(std::string_view text, std::size_t number, std::span<float> out, workspace& scratch) const {
        const auto outputs = static_cast<std::size_t>(intercepts_.size());
        if (!buckets_.empty()) return one_score(text, number, out, scratch);
        const auto features = features_.features(text, number, scratch);
        const float* const coefficients = coefficients_.data();
        for (const auto& f : features) CARAMEL_PREFETCH(coefficients + static_cast<std::size_t>(f.column) * outputs);
        if (outputs == 1) {
            float score = 0;
            for (const auto& f : features) score += f.value * coefficients[f.column];
            return two_probabilities(score + intercepts_(0), out);
        }
        std::fill(out.begin(), out.end(), 0.F);
        float* const z = out.data();
        for (const auto& f : features) {
            const float* const w = coefficients + static_cast<std::size_t>(f.column) * outputs;
            const float value = f.value;
            for (std::size_t k = 0; k < outputs; ++k) z[k] += value * w[k];
        }
        for (std::size_t k = 0; k < outputs; ++k) z[k] += intercepts_(static_cast<row_index>(k));
        const float top = *std::max_element(out.begin(), out.end());
        probabilities(out);
        return top;
    }
    /// (texts, classes). Throws `error` (`bad_utf8`) with the text's number and the byte.
    template <class = void>
    [[nodiscard]] matrix<float> probabilities_of(const std::vector<std::string>& texts) const {
        matrix<float> out(static_cast<row_index>(texts.size()), static_cast<row_index>(classes()));
        workspace scratch;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            const workspace::frame frame(scratch);
            (void)answer(texts[i], i + 1, {out.data() + i * classes(), classes()}, scratch);
        }
        return out;
    }
    /// One text -> (classes), in the workspace; its highest score before calibration in `top`.
    template <class = void>
    [[nodiscard]] std::span<const float> probabilities_of(std::string_view text, workspace& scratch, float* top = nullptr, std::size_t number = 1) const {
        const workspace::frame frame(scratch);
        const auto out = scratch.take<float>(classes());
        const float best = answer(text, number, out, scratch);
        if (top != nullptr) *top = best;
        return out;
    }
    /// Throws `error`: `bad_utf8`; `bad_parameter` on a class that is not there.
    template <class = void>
    [[nodiscard]] text_explanation explain(std::string_view text, std::size_t of_class) const {
        require(of_class < classes(), errc::bad_parameter, "explain: class ", of_class, " of ", classes(), " was asked for");
        const bool two = classes() == 2;
        const auto k = static_cast<row_index>(two ? 0 : of_class);
        const double sign = two && of_class == 0 ? -slope_ : slope_;
        workspace scratch;
        const workspace::frame frame(scratch);
        text_explanation out;
        out.score = out.base = sign * static_cast<double>(intercepts_(k)) + (two ? (of_class == 0 ? -offset_ : offset_) : 0);
        for (const auto& f : features_.features(text, 1, scratch)) {
            const double part = sign * static_cast<double>(f.value) * static_cast<double>(coefficients_(f.column, k));
            const auto column = static_cast<std::size_t>(f.column);
            out.parts.push_back({features_.names().empty() ? detail::message("bucket_", column) : features_.names()[column], part});
            out.score += part;
        }
        return out;
    }

    static constexpr std::array field_names{"features", "coefficients", "intercepts", "labels", "slope", "offset"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(features_, coefficients_, intercepts_, labels_, slope_, offset_); }

   private:
    struct known_ngram {
        float factor = 0, coefficient = 0;
    };
    // Four n-grams with all that one score needs of them: one line of memory, looked at without a branch. A factor of 0 marks a
    // free place, and what has no factor adds nothing anyway.
    struct alignas(64) bucket {
        std::array<std::uint64_t, 4> keys{};
        std::array<known_ngram, 4> ngrams{};
        [[nodiscard]] bool full() const noexcept { return ngrams[3].factor > 0; }
    };
    template <class = void>
    void prepare() {
        const int bits = std::max(4, static_cast<int>(std::bit_width(features_.columns())));
        buckets_.reserve(std::size_t{1} << bits);
        detail::prefer_large_pages(buckets_.data(), buckets_.capacity() * sizeof(bucket));
        buckets_.resize(std::size_t{1} << bits);
        shift_ = 64 - bits;
        features_.table().each([&](std::uint64_t key, std::uint32_t column) {
            const float factor = features_.factors()(static_cast<row_index>(column));
            if (!(factor > 0)) return;
            std::size_t at = detail::spread(key) >> shift_;
            while (buckets_[at].full()) at = (at + 1) & (buckets_.size() - 1);
            bucket& b = buckets_[at];
            std::size_t place = 0;
            while (b.ngrams[place].factor > 0) ++place;
            b.keys[place] = key;
            b.ngrams[place] = {factor, coefficients_(static_cast<row_index>(column), 0)};
        });
    }
    [[nodiscard]] known_ngram find(std::uint64_t key) const noexcept {
        for (std::size_t at = detail::spread(key) >> shift_;; at = (at + 1) & (buckets_.size() - 1)) {
            const bucket& b = buckets_[at];
            // Sums and a mask instead of conditions: whether a key stands in one of four places, nobody can foresee.
            const std::size_t first = b.keys[0] == key, second = b.keys[1] == key, third = b.keys[2] == key, fourth = b.keys[3] == key;
            known_ngram found = b.ngrams[second + 2 * third + 3 * fourth];
            const std::uint32_t mask = 0U - static_cast<std::uint32_t>(first | second | third | fourth);
            found.factor = std::bit_cast<float>(mask & std::bit_cast<std::uint32_t>(found.factor));
            if (!b.full() || found.factor > 0) [[likely]]
                return found;
        }
    }
    struct repeated_ngram {
        std::uint64_t key;
        std::uint32_t count;
    };
    // Each key once, in the order in which they first came.
    template <class = void>
    static std::span<repeated_ngram> counted(std::span<const std::uint64_t> keys, workspace& scratch) {
        const int bits = static_cast<int>(std::bit_width(2 * keys.size() + 1));
        const auto numbers = scratch.take<std::uint32_t>(std::size_t{1} << bits);  // from 1; 0 = nothing here
        std::fill(numbers.begin(), numbers.end(), 0U);
        const auto out = scratch.take<repeated_ngram>(keys.size());
        std::uint32_t used = 0;
        for (const std::uint64_t key : keys) {
            std::size_t at = detail::spread(key) << 8 >> (64 - bits);  // other bits than those that brought the keys together here
            while (numbers[at] != 0 && out[numbers[at] - 1].key != key) at = (at + 1) & (numbers.size() - 1);
            if (numbers[at] == 0) {
                out[used] = {key, 0};
                numbers[at] = ++used;
            }
            ++out[numbers[at] - 1].count;
        }
        return out.first(used);
    }
    // The dot product without making the row: each unit's sums, divided by its length at the end. Most n-grams stand in a text
    // once. So they are not counted at first: a bit says what may have come twice, and only that is.
    template <class = void>
    float one_score(std::string_view text, std::size_t number, std::span<float> out, workspace& scratch) const {
        const tfidf_settings& how = features_.settings();
        require_utf8(text, number, tfidf_model<float>::kind);
        const auto points = detail::ngram_points(text, how.normal, static_cast<std::size_t>(how.max_characters), scratch);
        const auto words = detail::room_for_words(how.ngrams, points.size(), scratch);
        const auto keys = scratch.take<std::uint64_t>(detail::most_ngrams(how.ngrams, points.size()));
        const int bits = static_cast<int>(std::bit_width(8 * keys.size() + 64));
        struct mark {
            std::uint64_t once, again;
        };
        const auto marks = scratch.take<mark>(std::size_t{1} << (bits - 6));
        std::fill(marks.begin(), marks.end(), mark{0, 0});
        const auto word_of = [&](std::uint64_t place) -> mark& { return marks[place >> (70 - bits)]; };
        const auto bit_of = [&](std::uint64_t place) { return std::uint64_t{1} << (place >> (64 - bits) & 63); };
        std::size_t total = 0;
        std::array<std::size_t, detail::ngram_units> ends{};
        for (std::size_t r = 0; r < how.ngrams.size(); ++r) {
            detail::each_ngram(points, how.ngrams[r], words, [&](std::uint64_t key, std::size_t, std::size_t) {
                const std::uint64_t place = detail::spread(key), bit = bit_of(place);
                CARAMEL_PREFETCH(buckets_.data() + (place >> shift_));
                keys[total++] = key;
                mark& m = word_of(place);
                m.again |= m.once & bit;
                m.once |= bit;
            });
            ends[r] = total;
        }
        double score = 0, all_dots = 0, all_squares = 0;
        for (std::size_t r = 0, i = 0; r < how.ngrams.size(); ++r) {
            double dot = 0, square = 0;
            const auto add = [&](std::uint64_t key, float weight) {
                const known_ngram known = find(key);
                const auto value = static_cast<double>(weight * known.factor);
                dot += value * static_cast<double>(known.coefficient);
                square += value * value;
            };
            const std::size_t begin = i;
            std::size_t repeats = begin;
            for (const float once = features_.weight(1, total); i < ends[r]; ++i) {
                const std::uint64_t key = keys[i], place = detail::spread(key);
                if ((word_of(place).again & bit_of(place)) != 0) keys[repeats++] = key;
                else add(key, once);
            }
            for (const auto& one : counted(keys.subspan(begin, repeats - begin), scratch)) add(one.key, features_.weight(one.count, total));
            if (how.balanced && how.unit_length && square > 0) score += dot / std::sqrt(square * static_cast<double>(how.ngrams.size()));
            all_dots += dot;
            all_squares += square;
        }
        if (!how.unit_length) score = all_dots;
        else if (!how.balanced && all_squares > 0) score = all_dots / std::sqrt(all_squares);
        return two_probabilities(static_cast<float>(score) + intercepts_(0), out);
    }
    float two_probabilities(float score, std::span<float> out) const noexcept {
        const double odds = slope_ * static_cast<double>(score) + offset_;
        out[1] = static_cast<float>(detail::sigmoid_of(odds));
        out[0] = static_cast<float>(detail::sigmoid_of(-odds));
        return std::abs(score);
    }
    template <class = void>
    void probabilities(std::span<float> z) const noexcept {
        const float top = *std::max_element(z.begin(), z.end());
        double sum = 0;
        for (float& v : z) {
            v = static_cast<float>(std::exp(slope_ * (static_cast<double>(v) - static_cast<double>(top))));
            sum += static_cast<double>(v);
        }
        for (float& v : z) v = static_cast<float>(static_cast<double>(v) / sum);
    }

    tfidf_model<float> features_;
    matrix<float> coefficients_;
    vec<float> intercepts_;
    std::vector<std::string> labels_;
    double slope_, offset_;
    std::vector<bucket> buckets_;
    int shift_ = 0;
};

namespace detail {

/// What both recipes can be told; 0 or empty = chosen on the training data.
struct text_learning {
    std::vector<ngram_range> ngrams = {};
    std::size_t min_count = 0, max_characters = 20'000;
    double cost = 0;
};

struct learnt_text {
    text_scorer scorer;
    std::vector<double> tops, others;  // highest scores of texts held out: of all classes, and of those that are wrong
    double cost = 0;
};

// Whether white space parts the words of most texts: else (Chinese, Japanese, Thai) a run between spaces is a whole clause.
template <class Texts>
bool words_are_spaced(const Texts& texts) {
    std::size_t points = 0, runs = 0;
    workspace scratch;
    const std::size_t step = std::max<std::size_t>(1, texts.size() / 2000);
    for (std::size_t i = 0; i < texts.size(); i += step) {
        const workspace::frame frame(scratch);
        if (!detail::is_utf8_text(texts[i])) continue;  // refused later, with its number
        const auto text = normal_points(std::string_view(texts[i]).substr(0, texts[i].size()), false, scratch);
        for (std::size_t at = 1; at < text.size(); ++at) {
            points += text[at] != U' ' ? 1U : 0U;
            runs += text[at] == U' ' ? 1U : 0U;
        }
    }
    return points <= 9 * runs;
}

// The slope that gives the softmax of slope * scores the smallest log loss: the loss is convex, and its slope is bisected.
template <class Scores>
double softmax_slope(const Scores& scores, std::span<const int> labels, std::span<const double> weights, std::size_t classes) {
    double low = std::log(0.05), high = std::log(100.0);
    for (int step = 0; step < 16; ++step) {
        const double middle = (low + high) / 2;
        const auto factor = static_cast<float>(std::exp(middle));
        double slope = 0;
        for (std::size_t i = 0; i < labels.size(); ++i) {
            const float* const z = scores.data() + i * classes;
            const float top = *std::max_element(z, z + classes);
            float sum = 0, mean = 0;
            for (std::size_t k = 0; k < classes; ++k) {
                const float e = std::exp(factor * (z[k] - top));
                sum += e;
                mean += e * z[k];
            }
            slope += weights[i] * static_cast<double>(mean / sum - z[static_cast<std::size_t>(labels[i])]);
        }
        (slope < 0 ? low : high) = middle;
    }
    return std::exp((low + high) / 2);
}

// What a candidate says of the texts held out.
struct held_out {
    std::vector<float> scores;
    double wrong = 0, loss = 0, slope = 1, offset = 0;
};
template <class = void>
inline void judge(held_out& of, std::span<const int> labels, std::span<const double> weights, std::size_t classes) {
    const std::size_t outputs = classes == 2 ? 1 : classes;
    if (outputs == 1) {
        calibration_rows rows;
        for (std::size_t i = 0; i < labels.size(); ++i) {
            rows.score.push_back(static_cast<double>(of.scores[i]));
            rows.positive.push_back(labels[i] == 1);
            rows.weight.push_back(weights[i]);
        }
        if (std::count(rows.positive.begin(), rows.positive.end(), true) > 0 && std::count(rows.positive.begin(), rows.positive.end(), false) > 0) {
            const auto fitted = fit_sigmoid(rows, "text_classifier");
            of.slope = std::max(fitted.slope, 0.05);
            of.offset = fitted.intercept;
        }
    } else {
        of.slope = softmax_slope(of.scores, labels, weights, outputs);
    }
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const float* const z = of.scores.data() + i * outputs;
        if (outputs == 1) {
            const double odds = of.slope * static_cast<double>(z[0]) + of.offset, margin = labels[i] == 1 ? odds : -odds;
            of.loss += weights[i] * (std::max(0.0, -margin) + std::log1p(std::exp(-std::abs(margin))));
            of.wrong += margin > 0 ? 0 : weights[i];
        } else {
            const auto best = std::max_element(z, z + outputs);
            double sum = 0;
            for (std::size_t k = 0; k < outputs; ++k) sum += std::exp(of.slope * static_cast<double>(z[k] - *best));
            of.loss += weights[i] * (std::log(sum) - of.slope * static_cast<double>(z[static_cast<std::size_t>(labels[i])] - *best));
            of.wrong += best - z == labels[i] ? 0 : weights[i];
        }
    }
}

// The work that is done within the training texts before they are learnt from, in values of rows times classes (and 16, for
// getting at a value): about half a second. Counted, not timed, so that the outcome is the same on every machine.
inline constexpr double text_search_work = 1.8e9;

template <std::same_as<text_learning> How>
learnt_text learn_text(const std::vector<std::string>& texts, std::vector<int> labels, std::vector<std::string> names, const How& how,
                              const fit_options& options, std::string_view who) {
    require(!texts.empty(), errc::empty_input, who, ": no texts to learn from");
    require(texts.size() == labels.size(), errc::shape_mismatch, who, ": ", texts.size(), " texts but ", labels.size(), " labels");
    const std::size_t classes = count_classes(labels, who), outputs = classes == 2 ? 1 : classes;
    require(how.cost >= 0 && std::isfinite(how.cost), errc::bad_parameter, who, ": cost = ", how.cost, ", must be at least 0");
    if (names.empty())
        for (std::size_t k = 0; k < classes; ++k) names.push_back(message(k));
    require(names.size() == classes, errc::shape_mismatch, who, ": ", classes, " classes but ", names.size(), " names");
    const row_weights row_weight(options.weights, texts.size(), who);
    std::vector<std::size_t> seen(classes);
    for (std::size_t i = 0; i < labels.size(); ++i) seen[static_cast<std::size_t>(labels[i])] += row_weight[i] > 0 ? 1U : 0U;
    for (std::size_t k = 0; k < classes; ++k)
        require(seen[k] > 0, errc::bad_data, who, ": class ", k, " of ", classes, " has no text of positive weight; number the classes 0, 1, ...");

    tfidf<float> recipe{.ngrams = how.ngrams, .balanced = true, .min_count = how.min_count, .max_characters = how.max_characters};
    if (recipe.ngrams.empty())
        recipe.ngrams = words_are_spaced(texts)
                            ? std::vector<ngram_range>{{ngram_unit::tokens, 1, 2}, {ngram_unit::word_characters, 2, 5}, {ngram_unit::token_pairs, 4, 8}}
                            : std::vector<ngram_range>{{ngram_unit::characters, 1, 3}};
    if (recipe.min_count == 0) recipe.min_count = texts.size() < 1000 ? 1 : texts.size() < 20'000 ? 2 : texts.size() < 40'000 ? 3 : 5;
    text_rows<float> rows;
    tfidf_model<float> features = recipe.learn(texts, options, &rows);
    const descent_rows<float> x{rows.starts, rows.columns, rows.values, features.columns()};

    // Rows in random order, and each class dealt out to five parts.
    const rng random = stage_rng(options, who);
    const auto order = random.split("parts").permutation(texts.size());
    constexpr std::size_t parts = 5;
    std::vector<std::size_t> dealt(classes), part_of(texts.size(), parts);
    std::size_t deal = 0;
    for (const std::size_t i : order)
        if (row_weight[i] > 0) {
            auto& next = dealt[static_cast<std::size_t>(labels[i])];
            part_of[i] = seen[static_cast<std::size_t>(labels[i])] < parts ? deal++ % parts : next++ % parts;
        }

    std::vector<double> costs{0.25, 0.5, 1, 2, 4, 8};
    constexpr std::size_t search_epochs = 2;
    const double pass = static_cast<double>(rows.columns.size() + 1) * static_cast<double>(16 + (outputs + 7) / 8 * 8);
    const auto work_of = [&](std::size_t candidates) { return pass * static_cast<double>(candidates * search_epochs + 1) * 0.8; };
    if (how.cost > 0) costs = {how.cost};
    else if (work_of(costs.size()) > text_search_work) costs = {0.5, 1, 2};
    const std::size_t folds = std::clamp<std::size_t>(static_cast<std::size_t>(text_search_work / std::max(1.0, work_of(costs.size()))), 1, parts);
    const double share = std::min(1.0, text_search_work / work_of(costs.size()));  // of the other parts' rows, where there is too much to learn

    std::vector<std::vector<std::uint32_t>> learns(folds), judges(folds);
    for (std::size_t f = 0; f < folds; ++f) {
        for (const std::size_t i : order) {
            if (part_of[i] == f) judges[f].push_back(static_cast<std::uint32_t>(i));
            else if (part_of[i] < parts) learns[f].push_back(static_cast<std::uint32_t>(i));
        }
        if (share < 1) learns[f].resize(std::max<std::size_t>(1, static_cast<std::size_t>(share * static_cast<double>(learns[f].size()))));
    }
    std::vector<std::vector<held_out>> found(folds, std::vector<held_out>(costs.size()));
    run_options within = options;
    if (folds > 1) within.threads = 1;
    parallel_for(folds, options, [&](std::size_t f) {
        descent_of_classes<float> machine(x, learns[f], labels, classes, random.split("fold").split(f));
        std::vector<double> cost(learns[f].size());
        for (std::size_t c = 0; c < costs.size(); ++c) {
            for (std::size_t n = 0; n < cost.size(); ++n) cost[n] = costs[c] * row_weight[learns[f][n]];
            machine.run(c == 0 ? search_epochs + 1 : search_epochs, cost, folds > 1 ? within : static_cast<const run_options&>(options));
            found[f][c].scores.resize(judges[f].size() * outputs);
            for (std::size_t n = 0; n < judges[f].size(); ++n) machine.score(judges[f][n], found[f][c].scores.data() + n * outputs);
        }
    });
    std::vector<int> judged_labels;
    std::vector<double> judged_weights;
    for (const auto& judge_rows : judges)
        for (const std::uint32_t i : judge_rows) {
            judged_labels.push_back(labels[i]);
            judged_weights.push_back(row_weight[i]);
        }
    std::size_t best = 0;
    std::vector<held_out> all(costs.size());
    for (std::size_t c = 0; c < costs.size(); ++c) {
        for (std::size_t f = 0; f < folds; ++f) all[c].scores.insert(all[c].scores.end(), found[f][c].scores.begin(), found[f][c].scores.end());
        judge(all[c], judged_labels, judged_weights, classes);
        if (all[c].loss < all[best].loss) best = c;
    }
    if (options.on_progress) {
        double sum = 0;
        for (const double w : judged_weights) sum += w;
        (void)options.on_progress({who, 1, 2, all[best].loss / sum});
    }

    std::vector<std::uint32_t> everything;
    std::vector<double> cost;
    for (std::size_t i = 0; i < texts.size(); ++i)
        if (row_weight[i] > 0) {
            everything.push_back(static_cast<std::uint32_t>(i));
            cost.push_back(costs[best] * row_weight[i]);
        }
    descent_of_classes<float> machine(x, everything, labels, classes, random.split("all"));
    const auto more = static_cast<std::size_t>(2 * std::max(0.0, std::round(std::log2(costs[best]))));  // the weaker the penalty, the longer it takes
    machine.run((outputs == 1 ? 8U : 5U) + more, cost, options);
    matrix<float> coefficients;
    vec<float> intercepts;
    machine.collect(coefficients, intercepts);

    text_scorer scorer(std::move(features), std::move(coefficients), std::move(intercepts), std::move(names), all[best].slope, all[best].offset);
    learnt_text out{std::move(scorer), {}, {}, costs[best]};
    for (std::size_t i = 0; i < judged_labels.size(); ++i) {
        const float* const z = all[best].scores.data() + i * outputs;
        if (outputs == 1) {  // taken away, the other class is as sure as this one was
            out.tops.push_back(static_cast<double>(std::abs(z[0])));
            out.others.push_back(static_cast<double>(judged_labels[i] == 1 ? -z[0] : z[0]));
            continue;
        }
        float top = z[0], other = -1e30F;
        for (std::size_t k = 0; k < outputs; ++k) {
            top = std::max(top, z[k]);
            if (std::cmp_not_equal(k, judged_labels[i])) other = std::max(other, z[k]);
        }
        out.tops.push_back(static_cast<double>(top));
        out.others.push_back(static_cast<double>(other));
    }
    if (options.on_progress) (void)options.on_progress({who, 2, 2, 0});
    return out;
}

// Names of classes -> their numbers, in the order of the names' bytes.
template <class = void>
inline std::pair<std::vector<int>, std::vector<std::string>> numbered(const std::vector<std::string>& labels) {
    std::vector<std::string> names = labels;
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    std::vector<int> out;
    out.reserve(labels.size());
    for (const auto& label : labels) out.push_back(static_cast<int>(std::lower_bound(names.begin(), names.end(), label) - names.begin()));
    return {std::move(out), std::move(names)};
}

}  // namespace detail

}  // namespace caramel::inline CARAMEL_ABI

#endif
