#ifndef CARAMEL_FEATURES_TARGET_ENCODE_HPP
#define CARAMEL_FEATURES_TARGET_ENCODE_HPP

// Categories as what the targets were like where training had them: one number for a category of any number of levels.

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/labels.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/span_of.hpp>
#include <caramel/core/weights.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/table.hpp>
#include <caramel/features/columns.hpp>
#include <caramel/features/encode.hpp>
#include <caramel/features/impute.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// Class numbers or values to predict. `labels` is empty for values.
class targets_to_encode {
   public:
    template <class Y>
        requires(std::same_as<Y, int> || std::floating_point<Y>)
    targets_to_encode(const std::vector<Y>& y) : values_(y.begin(), y.end()) {  // NOLINT(google-explicit-constructor)
        if constexpr (std::same_as<Y, int>) labels_ = y;
        require_values();
    }
    template <class Y>
    targets_to_encode(const vec<Y>& y) : values_(y.data(), y.data() + y.size()) { require_values(); }  // NOLINT(google-explicit-constructor)

    [[nodiscard]] std::span<const int> labels() const noexcept { return detail::span_of(labels_); }
    [[nodiscard]] std::size_t size() const noexcept { return values_.size(); }
    // 1 for values and two classes; else one a class. 1 also where there is one class only: then all means are equal.
    template <class = void>
    [[nodiscard]] std::size_t outputs() const {
        const int most = labels_.empty() ? 1 : *std::max_element(labels_.begin(), labels_.end());
        return most <= 1 ? 1 : static_cast<std::size_t>(most) + 1;
    }
    [[nodiscard]] double value(std::size_t i, std::size_t output, std::size_t outputs) const {
        return outputs == 1 ? values_[i] : labels_[i] == static_cast<int>(output) ? 1.0 : 0.0;
    }

   private:
    template <class = void>
    void require_values() const {
        for (std::size_t i = 0; i < values_.size(); ++i)
            require_at(std::isfinite(values_[i]), errc::nan_or_inf, {.row = i + 1}, "target_encode: the target of row ", i + 1, " is not finite");
        for (std::size_t i = 0; i < labels_.size(); ++i) {
            require_at(labels_[i] >= 0, errc::bad_data, {.row = i + 1}, "target_encode: the label of row ", i + 1, " is negative; labels are 0, 1, 2, ...");
            require_at(labels_[i] < 1000, errc::limit_exceeded, {.row = i + 1}, "target_encode: the label of row ", i + 1, " is too large; labels are 0 .. 999");
        }
    }
    std::vector<double> values_;
    std::vector<int> labels_;
};

// A fold for each row, in random order, each class shared out evenly.
template <class = void>
inline std::vector<std::size_t> shared_folds(std::span<const int> labels, std::size_t rows, std::size_t folds, rng random) {
    std::vector<std::size_t> out(rows), next;
    for (const std::size_t row : random.permutation(rows)) {
        const auto label = labels.empty() ? 0 : static_cast<std::size_t>(labels[row]);
        if (label >= next.size()) next.resize(label + 1);
        out[row] = next[label]++ % folds;
    }
    return out;
}

// Sums over rows of a level: mergeable. `deviation` is of the targets from their mean over all rows.
struct target_sums {
    double weight = 0, deviation = 0, square = 0;
    void add(double w, double d) {
        weight += w;
        deviation += w * d;
        square += w * d * d;
    }
    target_sums& operator+=(const target_sums& other) {
        weight += other.weight;
        deviation += other.deviation;
        square += other.square;
        return *this;
    }
    // The mean, as if `strength` rows of the mean over all were among these; less that mean.
    [[nodiscard]] double shrunk(double strength) const { return weight > 0 && std::isfinite(strength) ? deviation / (weight + strength) : 0; }
};

// How many rows the mean over all counts for: the variance within the levels over that between them, by the method of
// moments of the one-way random model (Searle, Casella & McCulloch, Variance Components, 1992, 3.6). Infinite where the levels
// do not differ by more than chance.
template <class = void>
inline double estimated_strength(std::span<const target_sums> levels) {
    target_sums all;
    double groups = 0, explained = 0, squares = 0;
    for (const auto& level : levels) {
        if (!(level.weight > 0)) continue;
        all += level;
        groups += 1;
        explained += level.deviation * level.deviation / level.weight;
        squares += level.weight * level.weight;
    }
    constexpr double all_the_same = std::numeric_limits<double>::infinity();
    if (groups < 2 || !(all.weight > groups)) return all_the_same;
    const double within = std::max(0.0, all.square - explained) / (all.weight - groups);
    const double between = (explained - all.deviation * all.deviation / all.weight - (groups - 1) * within) / (all.weight - squares / all.weight);
    return between > 0 ? within / between : all_the_same;
}

}  // namespace detail

/// Categories as numbers that their targets had in training: the mean (for two classes the share of class 1, for more one
/// share a class), drawn towards the mean of all. A missing category counts as a level of its own; a level that training did
/// not see is the mean of all. Other columns as `encode` has them.
template <class T>
class target_encode_model {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "target_encode";  // in saved files: never changes

    /// One name and type a column; column c's levels are `levels[starts[c]] .. levels[starts[c + 1]]`, sorted. `values` has
    /// the numbers of each level, `missing` those of a missing category of each column, `mean` those of unknown levels: as
    /// many each as `mean` has. Throws `error`: `bad_data`, `number_out_of_range`.
    target_encode_model(std::vector<std::string> names, std::vector<column_type> types, std::vector<std::string> levels, std::vector<std::int64_t> starts,
                        std::vector<double> values, std::vector<double> missing, std::vector<double> mean)
        : names_(std::move(names)), types_(std::move(types)), levels_(std::move(levels)), starts_(std::move(starts)), values_(std::move(values)),
          missing_(std::move(missing)), mean_(std::move(mean)) {
        detail::require_levels(names_, types_, levels_, starts_, true, "target_encode");
        require(!mean_.empty() && values_.size() == levels_.size() * mean_.size() && missing_.size() == names_.size() * mean_.size(), errc::bad_data,
                "target_encode: ", levels_.size(), " levels of ", names_.size(), " columns but ", values_.size(), " values, ", missing_.size(),
                " for missing ones, ", mean_.size(), " means");
        for (const auto* numbers : {&values_, &missing_, &mean_})
            for (const double x : *numbers)
                require(std::abs(x) <= static_cast<double>(std::numeric_limits<T>::max()), errc::number_out_of_range,
                        "target_encode: a mean is beyond the number type");
        for (const column_type type : types_) {
            firsts_.push_back(width_);
            width_ += type == column_type::category ? mean_.size() : 1;
        }
    }

    /// (rows, columns) -> (rows, numbers). With its training data this is not what the next stage of a chain learns from.
    /// Throws `error`: `missing_column`, `wrong_column_type`; `missing_value` with the row of a number that is missing.
    [[nodiscard]] matrix<T> operator()(const table& from) const {
        matrix<T> out(static_cast<row_index>(from.rows()), static_cast<row_index>(width_));
        for (std::size_t c = 0; c < names_.size(); ++c) {
            const table_column& column = detail::find_column(from, names_[c], "target_encode");
            detail::require_type(types_[c], column.type(), names_[c], "target_encode");
            if (types_[c] != column_type::category) {
                detail::encode_numbers(column, names_[c], c, static_cast<row_index>(firsts_[c]), out, "target_encode");
                continue;
            }
            const category_view texts = column.categories();
            std::vector<const double*> to;
            for (const auto& level : texts.levels) to.push_back(values_of(c, level));
            for (std::size_t i = 0; i < texts.size(); ++i)
                put(texts.codes[i] < 0 ? missing_of(c) : to[static_cast<std::size_t>(texts.codes[i])], out.data() + i * width_ + firsts_[c]);
        }
        return out;
    }
    [[nodiscard]] std::span<const T> operator()(const table_row& row, workspace& scratch) const {
        const workspace::frame frame(scratch);
        const auto out = scratch.take<T>(width_);
        for (std::size_t c = 0; c < names_.size(); ++c) {
            const cell& found = detail::find_cell(row, names_[c], c, "target_encode");
            detail::require_type(types_[c], found.type, names_[c], "target_encode");
            if (types_[c] != column_type::category) out[firsts_[c]] = detail::encoded_number<T>(found, names_[c], c, 1, "target_encode");
            else put(found.missing ? missing_of(c) : values_of(c, found.text()), out.data() + firsts_[c]);
        }
        return out;
    }

    /// "city", or "city (class 0)", "city (class 1)", ... where there are more than two classes.
    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>&) const {
        std::vector<std::string> out;
        for (std::size_t c = 0; c < names_.size(); ++c)
            if (types_[c] != column_type::category || mean_.size() == 1) out.push_back(names_[c]);
            else
                for (std::size_t k = 0; k < mean_.size(); ++k) out.push_back(detail::message(names_[c], " (class ", k, ")"));
        return out;
    }
    /// Of all rows.
    [[nodiscard]] const std::vector<double>& mean() const noexcept { return mean_; }
    /// The numbers in a row.
    [[nodiscard]] std::size_t width() const noexcept { return width_; }

    static constexpr std::array field_names{"names", "types", "levels", "starts", "values", "missing", "mean"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(names_, types_, levels_, starts_, values_, missing_, mean_); }

   private:
    [[nodiscard]] const double* values_of(std::size_t c, std::string_view text) const {
        const auto level = detail::find_level(detail::levels_between(levels_, starts_, c), text);
        return level < 0 ? mean_.data() : values_.data() + static_cast<std::size_t>(starts_[c] + level) * mean_.size();
    }
    [[nodiscard]] const double* missing_of(std::size_t c) const { return missing_.data() + c * mean_.size(); }
    void put(const double* from, T* to) const {
        for (std::size_t k = 0; k < mean_.size(); ++k) to[k] = static_cast<T>(from[k]);
    }

    std::vector<std::string> names_;
    std::vector<column_type> types_;
    std::vector<std::string> levels_;
    std::vector<std::int64_t> starts_;
    std::vector<double> values_, missing_, mean_;
    std::vector<std::size_t> firsts_;  // of each column's numbers
    std::size_t width_ = 0;
};

/// Recipe for `target_encode_model` (Micci-Barreca, SIGKDD Explorations 3(1), 2001). Targets are class numbers
/// (`std::vector<int>`) or values.
///
/// A row's own target must not be in what the next stage learns from: in a chain, training rows get the numbers that the other
/// folds give them, and the model those of all rows. So `fit(target_encode<float>{} | logistic<float>{}, x, y)` does not leak;
/// a chain that was fitted apart, as `fit(target_encode<float>{}, x, y)(x)`, would.
template <class T>
struct target_encode {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = true;  // a weight of two is a row twice
    /// As many rows of the mean of all are added to each level. Empty: estimated for each column (empirical Bayes), so that a
    /// category that says nothing about the target becomes a constant.
    std::optional<double> smoothing = {};
    std::size_t folds = 5;                ///< 2 .. 100
    std::size_t max_levels = 1'000'000;  ///< of one category

    /// Throws `error`: `empty_input`, `shape_mismatch`, `bad_parameter`; with the row `nan_or_inf`, `bad_data` (a target);
    /// `limit_exceeded` naming the column.
    [[nodiscard]] target_encode_model<T> fit(const table& x, const detail::targets_to_encode& y, const fit_options& options) const {
        return learn(x, y, options, nullptr);
    }
    /// The model, and the out-of-fold numbers of the rows that it learnt from.
    [[nodiscard]] std::pair<target_encode_model<T>, matrix<T>> fit_transform(const table& x, const detail::targets_to_encode& y, const fit_options& options) const {
        std::vector<out_of_fold> others;
        auto model = learn(x, y, options, &others);
        matrix<T> out(static_cast<row_index>(x.rows()), static_cast<row_index>(model.width()));
        row_index to = 0;
        for (std::size_t c = 0; c < x.columns(); ++c) {
            if (x.column(c).type() != column_type::category) {
                detail::encode_numbers(x.column(c), x.names()[c], c, to++, out, "target_encode");
                continue;
            }
            for (std::size_t k = 0; k < model.mean().size(); ++k, ++to)
                for (std::size_t i = 0; i < x.rows(); ++i) {
                    const std::size_t group = others[c].groups[i];
                    const double value = group == none ? model.mean()[k] : others[c].values[(group * folds + others[c].folds[i]) * model.mean().size() + k];
                    out(static_cast<row_index>(i), to) = static_cast<T>(value);
                }
        }
        return {std::move(model), std::move(out)};
    }

   private:
    static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

    // What each row of a category gets: the values of its group (a level, or missing), without the rows of its fold.
    struct out_of_fold {
        std::vector<std::size_t> groups, folds;
        std::vector<double> values;  // (group, fold, output)
    };

    target_encode_model<T> learn(const table& x, const detail::targets_to_encode& y, const fit_options& options, std::vector<out_of_fold>* others) const {
        require(x.rows() > 0, errc::empty_input, "target_encode: no rows to learn from");
        require(y.size() == x.rows(), errc::shape_mismatch, "target_encode: ", x.rows(), " rows but ", y.size(), " targets");
        require(folds >= 2 && folds <= 100, errc::bad_parameter, "target_encode: folds = ", folds, ", must lie in 2 .. 100");
        require(!smoothing || (*smoothing >= 0 && std::isfinite(*smoothing)), errc::bad_parameter, "target_encode: smoothing must be at least 0");
        const row_weights weights(options.weights, x.rows(), "target_encode");
        const std::size_t outputs = y.outputs();
        std::vector<double> mean(outputs);
        for (std::size_t k = 0; k < outputs; ++k) {
            double sum = 0;  // a running mean cannot overflow
            for (std::size_t i = 0; i < x.rows(); ++i)
                if (weights[i] > 0) mean[k] += (y.value(i, k, outputs) - mean[k]) * (weights[i] / (sum += weights[i]));
        }
        std::vector<std::size_t> fold_of(x.rows());
        if (others) fold_of = detail::shared_folds(y.labels(), x.rows(), folds, stage_rng(options, "target_encode"));

        std::vector<column_type> types;
        std::vector<std::string> levels;
        std::vector<std::int64_t> starts{0};
        std::vector<double> values, missing;
        for (std::size_t c = 0; c < x.columns(); ++c) {
            const column_type type = x.column(c).type();
            types.push_back(detail::is_numeric(type) ? column_type::number : type);
            if (others) others->emplace_back();
            if (type != column_type::category) {
                missing.insert(missing.end(), outputs, 0.0);
                starts.push_back(starts.back());
                continue;
            }
            const category_view texts = x.column(c).categories();
            const auto found = detail::count_levels(texts, weights);
            detail::require_max_levels(found.size(), max_levels, x.names()[c], "target_encode");
            std::vector<std::size_t> group_of_code(texts.levels.size(), none);
            for (std::size_t code = 0; code < texts.levels.size(); ++code) {
                const auto at = std::lower_bound(found.begin(), found.end(), std::string_view(texts.levels[code]),
                                                 [](const auto& l, std::string_view t) { return l.text < t; });
                if (at != found.end() && at->text == texts.levels[code]) group_of_code[code] = static_cast<std::size_t>(at - found.begin());
            }
            std::vector<std::size_t> groups(x.rows());  // the last one: missing
            for (std::size_t i = 0; i < groups.size(); ++i) groups[i] = texts.codes[i] < 0 ? found.size() : group_of_code[static_cast<std::size_t>(texts.codes[i])];
            std::vector<double> of_levels((found.size() + 1) * outputs);
            if (others) others->back().values.resize((found.size() + 1) * folds * outputs);
            for (std::size_t k = 0; k < outputs; ++k) {
                std::vector<detail::target_sums> parts((found.size() + 1) * folds), all(found.size() + 1);  // without folds, all rows are in the first
                for (std::size_t i = 0; i < groups.size(); ++i)
                    if (groups[i] != none) parts[groups[i] * folds + fold_of[i]].add(weights[i], y.value(i, k, outputs) - mean[k]);
                for (std::size_t g = 0; g < all.size(); ++g)
                    for (std::size_t f = 0; f < folds; ++f) all[g] += parts[g * folds + f];
                // Of all rows, as the mean is: a number that all rows share says nothing about one of them.
                const double strength = smoothing ? *smoothing : detail::estimated_strength(all);
                for (std::size_t g = 0; g < all.size(); ++g) {
                    of_levels[g * outputs + k] = mean[k] + all[g].shrunk(strength);
                    for (std::size_t f = 0; others && f < folds; ++f) {
                        detail::target_sums rest;  // added up, not subtracted: what is left of nothing is exactly 0
                        for (std::size_t other = 0; other < folds; ++other)
                            if (other != f) rest += parts[g * folds + other];
                        others->back().values[(g * folds + f) * outputs + k] = mean[k] + rest.shrunk(strength);
                    }
                }
            }
            for (const auto& level : found) levels.emplace_back(level.text);
            starts.push_back(static_cast<std::int64_t>(levels.size()));
            const auto missing_at = of_levels.end() - static_cast<std::ptrdiff_t>(outputs);
            values.insert(values.end(), of_levels.begin(), missing_at);
            missing.insert(missing.end(), missing_at, of_levels.end());
            if (others) {
                others->back().groups = std::move(groups);
                others->back().folds = fold_of;
            }
        }
        return {x.names(), std::move(types), std::move(levels), std::move(starts), std::move(values), std::move(missing), std::move(mean)};
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
