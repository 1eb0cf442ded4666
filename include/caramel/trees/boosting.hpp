#ifndef CARAMEL_TREES_BOOSTING_HPP
#define CARAMEL_TREES_BOOSTING_HPP

// The loop of boosting, whatever the loss: trees on gradients, one after the other.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/weights.hpp>
#include <caramel/trees/bins.hpp>
#include <caramel/trees/growth.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

struct boosting_settings {
    std::size_t n_trees = 0;
    growth_settings growth;
    double learning_rate = 0, row_share = 0, column_share = 0;
    std::size_t max_bins = 0;
    double validation_share = 0;
    std::size_t patience = 0;
};

template <class Recipe>
boosting_settings boosting_of(const Recipe& r, std::string_view who) {
    const auto in_range = [&](std::string_view name, std::size_t value, std::size_t low, std::size_t high) {
        require(value >= low && value <= high, errc::bad_parameter, who, ": ", name, " = ", value, ", must lie in ", low, " .. ", high);
    };
    const auto not_negative = [&](std::string_view name, double value) {
        require(std::isfinite(value) && value >= 0, errc::bad_parameter, who, ": ", name, " = ", value, ", must be at least 0");
    };
    const auto share = [&](std::string_view name, double value) {
        require(value > 0 && value <= 1, errc::bad_parameter, who, ": ", name, " = ", value, ", must be above 0 and at most 1");
    };
    in_range("n_trees", r.n_trees, 1, 1'000'000);
    in_range("max_depth", r.max_depth, 1, 64);
    in_range("max_bins", r.max_bins, 2, 255);
    in_range("patience", r.patience, 1, 1'000'000);
    not_negative("regularization", r.regularization);
    not_negative("min_child_weight", r.min_child_weight);
    not_negative("min_split_gain", r.min_split_gain);
    share("learning_rate", r.learning_rate);
    share("row_share", r.row_share);
    share("column_share", r.column_share);
    require(r.validation_share >= 0 && r.validation_share < 1, errc::bad_parameter, who, ": validation_share = ", r.validation_share,
            ", must be at least 0 and below 1");
    return {r.n_trees,   {r.max_depth, r.regularization, r.min_child_weight, r.min_split_gain}, r.learning_rate, r.row_share, r.column_share, r.max_bins, r.validation_share,
            r.patience};
}

// ---- losses: the first scores, and the loss of a row with its slopes --------------------------------------------------

// One score: the log odds of class 1.
class log_odds_loss {
   public:
    explicit log_odds_loss(std::span<const int> labels) : labels_(labels) {}
    [[nodiscard]] static constexpr std::size_t outputs() noexcept { return 1; }
    [[nodiscard]] double scale() const noexcept { return 1; }
    [[nodiscard]] std::size_t stratum(std::size_t row) const noexcept { return static_cast<std::size_t>(labels_[row]); }
    [[nodiscard]] std::size_t strata() const noexcept { return 2; }
    template <class = void>
    [[nodiscard]] std::vector<double> first_scores(std::span<const std::uint32_t> rows, const row_weights& weights) const {
        double no = 0, yes = 0;
        for (const std::uint32_t row : rows) (labels_[row] == 1 ? yes : no) += weights[row];
        return {std::log(yes) - std::log(no)};
    }
    void slopes(std::size_t row, const double* score, double weight, gradient_pair* out, std::size_t) const noexcept {
        const double p = 1 / (1 + std::exp(-*score));
        *out = {weight * (p - labels_[row]), weight * std::max(p * (1 - p), 1e-16)};
    }
    [[nodiscard]] double loss(std::size_t row, const double* score) const noexcept {
        const double z = labels_[row] == 1 ? -*score : *score;
        return std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z)));
    }

   private:
    std::span<const int> labels_;
};

// One score a class. The second derivative is that of Friedman, Hastie & Tibshirani (Annals of Statistics 28(2), 2000):
// p (1 - p) classes / (classes - 1), which holds the trees of all classes together.
class class_scores_loss {
   public:
    class_scores_loss(std::span<const int> labels, std::size_t classes) : labels_(labels), classes_(classes) {}
    [[nodiscard]] std::size_t outputs() const noexcept { return classes_; }
    [[nodiscard]] double scale() const noexcept { return 1; }
    [[nodiscard]] std::size_t stratum(std::size_t row) const noexcept { return static_cast<std::size_t>(labels_[row]); }
    [[nodiscard]] std::size_t strata() const noexcept { return classes_; }
    template <class = void>
    [[nodiscard]] std::vector<double> first_scores(std::span<const std::uint32_t> rows, const row_weights& weights) const {
        std::vector<double> out(classes_);
        for (const std::uint32_t row : rows) out[stratum(row)] += weights[row];
        double mean = 0;
        for (double& score : out) mean += (score = std::log(score)) / static_cast<double>(classes_);
        for (double& score : out) score -= mean;
        return out;
    }
    void slopes(std::size_t row, const double* scores, double weight, gradient_pair* out, std::size_t stride) const noexcept {
        const double top = *std::max_element(scores, scores + classes_);
        double sum = 0;
        for (std::size_t k = 0; k < classes_; ++k) sum += out[k * stride].g = std::exp(scores[k] - top);
        const double factor = static_cast<double>(classes_) / static_cast<double>(classes_ - 1);
        for (std::size_t k = 0; k < classes_; ++k) {
            const double p = out[k * stride].g / sum;
            out[k * stride] = {weight * (p - (stratum(row) == k ? 1 : 0)), weight * std::max(factor * p * (1 - p), 1e-16)};
        }
    }
    [[nodiscard]] double loss(std::size_t row, const double* scores) const noexcept {
        const double top = *std::max_element(scores, scores + classes_);
        double sum = 0;
        for (std::size_t k = 0; k < classes_; ++k) sum += std::exp(scores[k] - top);
        return top + std::log(sum) - scores[stratum(row)];
    }

   private:
    std::span<const int> labels_;
    std::size_t classes_;
};

// One score: the target's z-score, so that nothing depends on the target's unit.
class squared_loss {
   public:
    squared_loss(std::vector<double> targets, double scale) : targets_(std::move(targets)), scale_(scale) {}
    [[nodiscard]] static constexpr std::size_t outputs() noexcept { return 1; }
    [[nodiscard]] double scale() const noexcept { return scale_; }
    [[nodiscard]] std::size_t stratum(std::size_t) const noexcept { return 0; }
    [[nodiscard]] std::size_t strata() const noexcept { return 1; }
    template <class = void>
    [[nodiscard]] std::vector<double> first_scores(std::span<const std::uint32_t> rows, const row_weights& weights) const {
        double sum = 0, weight = 0;
        for (const std::uint32_t row : rows) {
            sum += weights[row] * targets_[row];
            weight += weights[row];
        }
        return {sum / weight};
    }
    void slopes(std::size_t row, const double* score, double weight, gradient_pair* out, std::size_t) const noexcept {
        *out = {weight * (*score - targets_[row]), weight};
    }
    [[nodiscard]] double loss(std::size_t row, const double* score) const noexcept { return (*score - targets_[row]) * (*score - targets_[row]); }

   private:
    std::vector<double> targets_;
    double scale_;
};

// ---- the loop --------------------------------------------------------------------------------------------------------

// Trees as `forest` takes them, tree by tree and within a round output by output.
template <class T>
struct boosted_arrays {
    std::vector<double> base;  // the first scores
    std::vector<std::int64_t> starts{0};
    std::vector<std::int32_t> features;
    std::vector<T> numbers;
    std::vector<std::int32_t> children;
    std::vector<double> node_gains;

    void keep(std::size_t trees) {
        starts.resize(trees + 1);
        const auto nodes = static_cast<std::size_t>(starts.back());
        features.resize(nodes);
        numbers.resize(nodes);
        children.resize(nodes);
        node_gains.resize(nodes);
    }
    // The sum of the gains of each feature's splits.
    [[nodiscard]] vec<double> gains(row_index inputs) const {
        vec<double> out = vec<double>::Zero(inputs);
        for (std::size_t i = 0; i < features.size(); ++i)
            if (features[i] >= 0) out(features[i]) += node_gains[i];
        return out;
    }
};

template <class T, class Loss>
class booster {
   public:
    booster(const matrix_in<T>& x, const Loss& loss, const boosting_settings& how, const row_weights& weights, const fit_options& options, std::string_view who)
        : loss_(loss), how_(how), weights_(weights), options_(options), run_(options), who_(who), rows_(static_cast<std::size_t>(x.rows())),
          numbers_(stage_rng(options, who)), learn_(draw_learning_rows()),
          x_(x, learn_, weights, !options.weights.empty(), how.max_bins, numbers_.split("bins"), run_), grower_(x_, how.growth, run_),
          gradients_(rows_ * loss.outputs()), scores_(rows_ * loss.outputs()) {
        for (const std::uint32_t row : learn_) learn_weight_ += weights_[row];
        for (const std::uint32_t row : validate_) validate_weight_ += weights_[row];
    }

    [[nodiscard]] boosted_arrays<T> run() {
        const std::size_t outputs = loss_.outputs();
        out_.base = loss_.first_scores(learn_, weights_);
        for (std::size_t i = 0; i < rows_; ++i) std::copy(out_.base.begin(), out_.base.end(), scores_.begin() + static_cast<std::ptrdiff_t>(i * outputs));
        std::size_t best_round = 0;
        double best_loss = validate_.empty() ? 0 : mean_loss(validate_, validate_weight_);
        std::size_t round = 0;
        while (round < how_.n_trees && x_.size() > 0) {  // without a column to split at there is nothing to learn
            work_out_slopes();
            rng numbers = numbers_.split(round);
            draw_rows(numbers);
            for (std::size_t k = 0; k < outputs; ++k) add_tree(k, numbers);
            ++round;
            if (!validate_.empty()) {
                const double loss = mean_loss(validate_, validate_weight_);
                if (loss < best_loss) {
                    best_loss = loss;
                    best_round = round;
                }
            }
            if (options_.on_progress &&
                options_.on_progress(progress{.stage = who_, .step = round, .steps = how_.n_trees, .loss = mean_loss(learn_, learn_weight_)}) == verdict::stop)
                break;
            if (!validate_.empty() && round - best_round >= how_.patience) break;
        }
        if (!validate_.empty()) out_.keep(best_round * outputs);
        return std::move(out_);
    }

   private:
    static constexpr std::size_t block_rows = 8192;

    // Rows without weight take no part. Of the others a share of each class is put aside, but never all of it.
    std::vector<std::uint32_t> draw_learning_rows() {
        std::vector<std::uint32_t> all;
        for (std::size_t i = 0; i < rows_; ++i)
            if (weights_[i] > 0) all.push_back(static_cast<std::uint32_t>(i));
        if (how_.validation_share == 0) return all;
        std::vector<std::size_t> seen(loss_.strata()), taken(loss_.strata());
        std::vector<std::uint32_t> learn;
        rng numbers = numbers_.split("validation");
        for (const std::size_t at : numbers.permutation(all.size())) {
            const std::size_t s = loss_.stratum(all[at]);
            const bool chosen = static_cast<double>(taken[s] + 1) <= how_.validation_share * static_cast<double>(++seen[s]) + 1e-9;
            if (chosen) ++taken[s];
            (chosen ? validate_ : learn).push_back(all[at]);
        }
        require(!validate_.empty(), errc::too_few_rows, who_, ": validation_share = ", how_.validation_share, " of ", all.size(), " rows leaves none to validate on");
        std::sort(learn.begin(), learn.end());
        std::sort(validate_.begin(), validate_.end());
        return learn;
    }
    // The rows that the next trees are grown on; the rest only follows.
    void draw_rows(rng& numbers) {
        bag_.clear();
        rest_ = validate_;
        if (how_.row_share < 1)
            for (const std::uint32_t row : learn_) (numbers.uniform() < how_.row_share ? bag_ : rest_).push_back(row);
        if (bag_.empty()) {
            bag_ = learn_;
            rest_ = validate_;
        }
    }
    [[nodiscard]] std::vector<std::uint32_t> draw_columns(rng& numbers) const {
        std::vector<std::uint32_t> out(x_.size());
        for (std::size_t c = 0; c < out.size(); ++c) out[c] = static_cast<std::uint32_t>(c);
        if (how_.column_share == 1 || out.empty()) return out;
        const auto kept = std::max<std::size_t>(1, static_cast<std::size_t>(how_.column_share * static_cast<double>(out.size()) + 1e-9));
        numbers.shuffle(std::span(out));
        out.resize(kept);
        std::sort(out.begin(), out.end());
        return out;
    }

    void work_out_slopes() {
        const std::size_t outputs = loss_.outputs();
        parallel_blocks(learn_.size(), block_rows, run_, [&](std::size_t begin, std::size_t end, std::size_t) {
            for (std::size_t i = begin; i < end; ++i) {
                const std::size_t row = learn_[i];
                loss_.slopes(row, scores_.data() + row * outputs, weights_[row], gradients_.data() + row, rows_);
            }
        });
    }
    [[nodiscard]] double mean_loss(std::span<const std::uint32_t> rows, double weight) const {
        std::vector<double> parts((rows.size() + block_rows - 1) / block_rows);
        parallel_blocks(rows.size(), block_rows, run_, [&](std::size_t begin, std::size_t end, std::size_t b) {
            for (std::size_t i = begin; i < end; ++i) parts[b] += weights_[rows[i]] * loss_.loss(rows[i], scores_.data() + rows[i] * loss_.outputs());
        });
        double sum = 0;
        for (const double part : parts) sum += part;
        return sum / weight;
    }

    void add_tree(std::size_t k, rng& numbers) {
        const std::vector<std::uint32_t> columns = draw_columns(numbers);
        tree_rows_ = bag_;
        grower_.grow(std::span<const gradient_pair>(gradients_).subspan(k * rows_, rows_), tree_rows_, columns);
        const auto& nodes = grower_.nodes();
        require(out_.features.size() + nodes.size() < std::size_t{1} << 31, errc::limit_exceeded, who_, ": the trees have more than 2^31 nodes");
        for (const grown_node& node : nodes) {
            const bool leaf = node.feature < 0;
            const auto feature = static_cast<std::size_t>(leaf ? 0 : node.feature);
            out_.features.push_back(leaf ? -1 : static_cast<std::int32_t>(x_.column(feature)));
            out_.numbers.push_back(leaf ? static_cast<T>(how_.learning_rate * node.value * loss_.scale()) : x_.cut(feature, node.bin));
            out_.children.push_back(leaf ? 0 : static_cast<std::int32_t>(node.child));
            out_.node_gains.push_back(node.gain);
            require(std::isfinite(out_.numbers.back()), errc::diverged, who_, ": the trees left the finite numbers; raise regularization or min_child_weight");
        }
        out_.starts.push_back(static_cast<std::int64_t>(out_.features.size()));
        double* const scores = scores_.data() + k;
        const std::size_t outputs = loss_.outputs();
        grower_.for_each_row([&](std::uint32_t row, double value) { scores[row * outputs] += how_.learning_rate * value; });
        parallel_blocks(rest_.size(), block_rows, run_, [&](std::size_t begin, std::size_t end, std::size_t) {
            for (std::size_t i = begin; i < end; ++i) scores[rest_[i] * outputs] += how_.learning_rate * grower_.value_of(rest_[i]);
        });
    }

    const Loss& loss_;
    boosting_settings how_;
    const row_weights& weights_;
    const fit_options& options_;
    run_options run_;
    std::string_view who_;
    std::size_t rows_;
    rng numbers_;
    std::vector<std::uint32_t> validate_;
    std::vector<std::uint32_t> learn_;
    binned_columns<T> x_;
    tree_grower<T> grower_;
    std::vector<gradient_pair> gradients_;  // (outputs, rows)
    std::vector<double> scores_;            // (rows, outputs)
    std::vector<std::uint32_t> bag_, rest_, tree_rows_;
    double learn_weight_ = 0, validate_weight_ = 0;
    boosted_arrays<T> out_;
};

template <class T, class Loss>
boosted_arrays<T> boost(const matrix_in<T>& x, const Loss& loss, const boosting_settings& how, const row_weights& weights, const fit_options& options,
                        std::string_view who) {
    return booster<T, Loss>(x, loss, how, weights, options, who).run();
}

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
