#ifndef CARAMEL_FEATURES_BUCKETIZE_HPP
#define CARAMEL_FEATURES_BUCKETIZE_HPP

// Numbers to the buckets that they fall into: equally wide, equally full, or as tells most of a target.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/labels.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/weights.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/features/columnwise.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Each number as its bucket: how many of its column's cuts are not above it. As one column of bucket numbers 0, 1, ..., or as
/// one column a bucket, 1 where the number is in it.
template <class T>
class bucketize_model : public single_row<bucketize_model<T>> {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "bucketize";  // in saved files: never changes

    /// Column c's cuts are `all[starts[c]] .. all[starts[c + 1]]`, ascending. Throws `error` (`bad_data`).
    bucketize_model(std::vector<T> all, std::vector<std::int64_t> starts, bool one_hot) : cuts_(std::move(all)), starts_(std::move(starts)), one_hot_(one_hot) {
        require(!starts_.empty() && starts_.front() == 0 && starts_.back() == static_cast<std::int64_t>(cuts_.size()), errc::bad_data,
                "bucketize: the starts do not cover ", cuts_.size(), " cuts");
        for (std::size_t c = 0; c + 1 < starts_.size(); ++c) {
            require(starts_[c] <= starts_[c + 1] && starts_[c + 1] <= starts_.back(), errc::bad_data, "bucketize: the starts do not rise");
            const auto mine = cuts(static_cast<row_index>(c));
            for (std::size_t k = 0; k < mine.size(); ++k)
                require(std::isfinite(mine[k]) && (k == 0 || mine[k - 1] < mine[k]), errc::bad_data, "bucketize: the cuts of a column do not rise");
            firsts_.push_back(width_);
            width_ += one_hot_ ? mine.size() + 1 : 1;
        }
    }

    /// (rows, columns) -> (rows, columns or buckets).
    /// Throws `error`: `shape_mismatch` unless `x` has as many columns as the training data; `nan_or_inf`.
    [[nodiscard]] matrix<T> operator()(const matrix_in<T>& x) const {
        require_width(x.cols());
        require_finite(x, "bucketize");
        matrix<T> out = matrix<T>::Zero(x.rows(), static_cast<row_index>(width_));
        for (row_index i = 0; i < x.rows(); ++i)
            for (row_index j = 0; j < x.cols(); ++j) put(x(i, j), j, out.data() + i * out.cols());
        return out;
    }
    [[nodiscard]] std::span<const T> operator()(std::span<const T> row, workspace& scratch) const {
        const workspace::frame frame(scratch);
        require_width(static_cast<row_index>(row.size()));
        require_finite(row, "bucketize");
        const auto out = scratch.take<T>(width_);
        std::fill(out.begin(), out.end(), T(0));
        for (std::size_t j = 0; j < row.size(); ++j) put(row[j], static_cast<row_index>(j), out.data());
        return out;
    }
    using single_row<bucketize_model>::operator();

    [[nodiscard]] row_index columns() const noexcept { return static_cast<row_index>(starts_.size()) - 1; }
    /// Of a column, ascending.
    [[nodiscard]] std::span<const T> cuts(row_index column) const {
        const auto c = static_cast<std::size_t>(column);
        return std::span(cuts_).subspan(static_cast<std::size_t>(starts_[c]), static_cast<std::size_t>(starts_[c + 1] - starts_[c]));
    }
    /// "tenure"; with a column a bucket "tenure < 3", "3 <= tenure < 12", "tenure >= 12".
    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>& names) const {
        require(std::cmp_equal(names.size(), columns()), errc::shape_mismatch, "bucketize: ", names.size(), " names, learnt ", columns(), " columns");
        if (!one_hot_) return names;
        std::vector<std::string> out;
        for (std::size_t c = 0; c < names.size(); ++c) {
            const auto mine = cuts(static_cast<row_index>(c));
            for (std::size_t k = 0; k <= mine.size(); ++k) {
                if (mine.empty()) out.push_back(names[c]);
                else if (k == 0) out.push_back(detail::message(names[c], " < ", mine[0]));
                else if (k == mine.size()) out.push_back(detail::message(names[c], " >= ", mine[k - 1]));
                else out.push_back(detail::message(mine[k - 1], " <= ", names[c], " < ", mine[k]));
            }
        }
        return out;
    }

    static constexpr std::array field_names{"cuts", "starts", "one_hot"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(cuts_, starts_, one_hot_); }

   private:
    void require_width(row_index given) const {
        require(given == columns(), errc::shape_mismatch, "bucketize: got ", given, " columns, learnt ", columns());
    }
    void put(T x, row_index j, T* out) const {
        const auto mine = cuts(j);
        std::size_t bucket = 0;
        if (mine.size() > 32) bucket = static_cast<std::size_t>(std::upper_bound(mine.begin(), mine.end(), x) - mine.begin());
        else
            for (const T cut : mine) bucket += cut <= x ? 1 : 0;  // without jumps that cannot be foreseen
        const std::size_t first = firsts_[static_cast<std::size_t>(j)];
        if (one_hot_) out[first + bucket] = T(1);
        else out[first] = static_cast<T>(bucket);
    }
    std::vector<T> cuts_;
    std::vector<std::int64_t> starts_;
    bool one_hot_;
    std::vector<std::size_t> firsts_;  // of each column's numbers
    std::size_t width_ = 0;
};

namespace detail {

// Cuts of all columns, one after the other, as `bucketize_model` has them.
template <class T>
class cut_list {
   public:
    // Of one column, ascending: those that are equal in T count once.
    template <class Cuts>
    void append(const Cuts& cuts) {
        const std::size_t first = cuts_.size();
        for (const double cut : cuts)
            if (const T narrow = static_cast<T>(cut); cuts_.size() == first || cuts_.back() < narrow) cuts_.push_back(narrow);
        starts_.push_back(static_cast<std::int64_t>(cuts_.size()));
    }
    [[nodiscard]] bucketize_model<T> model(bool one_hot) && { return {std::move(cuts_), std::move(starts_), one_hot}; }

   private:
    std::vector<T> cuts_;
    std::vector<std::int64_t> starts_{0};
};

// Fayyad & Irani, Multi-interval discretization of continuous-valued attributes, IJCAI 1993: cuts where the entropy of the
// classes falls most, as long as that saves more bits than it costs to say where the cut is.
class entropy_cuts {
   public:
    struct row {
        double value, weight;
        std::size_t label;
    };
    template <class = void>
    entropy_cuts(std::vector<row> rows, std::size_t classes) : rows_(std::move(rows)), classes_(classes) {
        std::sort(rows_.begin(), rows_.end(), [](const row& a, const row& b) { return a.value < b.value; });
    }
    // The most telling ones first where `most_buckets` would be exceeded; ascending.
    template <class = void>
    [[nodiscard]] std::vector<double> find(std::size_t most_buckets) const {
        std::vector<split> open;
        if (const split s = best_split(0, rows_.size()); s.worth > 0) open.push_back(s);
        std::vector<double> cuts;
        while (!open.empty() && cuts.size() + 1 < most_buckets) {
            const auto best = std::max_element(open.begin(), open.end(), [](const split& a, const split& b) { return a.worth < b.worth; });
            const split s = *best;
            open.erase(best);
            cuts.push_back(s.cut);
            for (const split& next : {best_split(s.begin, s.at), best_split(s.at, s.end)})
                if (next.worth > 0) open.push_back(next);
        }
        std::sort(cuts.begin(), cuts.end());
        return cuts;
    }

   private:
    struct split {
        std::size_t begin = 0, end = 0, at = 0;
        double cut = 0;
        double worth = 0;  // bits saved in all, 0 unless the criterion holds
    };
    struct counts {
        template <class = void>
        explicit counts(std::size_t classes) : of(classes) {}
        std::vector<double> of;
        double all = 0;
        [[nodiscard]] double entropy() const {
            double sum = 0;
            for (const double n : of)
                if (n > 0) sum -= n / all * std::log2(n / all);
            return sum;
        }
        [[nodiscard]] double present() const {
            double k = 0;
            for (const double n : of) k += n > 0 ? 1 : 0;
            return k;
        }
    };
    template <class = void>
    [[nodiscard]] split best_split(std::size_t begin, std::size_t end) const {
        counts whole(classes_), left(classes_), right(classes_), best_left(classes_), best_right(classes_);
        for (std::size_t i = begin; i < end; ++i) {
            whole.of[rows_[i].label] += rows_[i].weight;
            whole.all += rows_[i].weight;
        }
        split out{begin, end, begin, 0, 0};
        if (whole.present() < 2 || !(whole.all > 1)) return out;
        double least = whole.entropy();
        for (std::size_t i = begin; i + 1 < end; ++i) {
            left.of[rows_[i].label] += rows_[i].weight;
            left.all += rows_[i].weight;
            if (!(rows_[i].value < rows_[i + 1].value)) continue;
            for (std::size_t k = 0; k < classes_; ++k) right.of[k] = std::max(0.0, whole.of[k] - left.of[k]);
            right.all = whole.all - left.all;
            const double entropy = left.all / whole.all * left.entropy() + right.all / whole.all * right.entropy();
            if (entropy < least - 1e-12) {
                least = entropy;
                out.at = i + 1;
                best_left = left;
                best_right = right;
            }
        }
        if (out.at == begin) return out;
        out.cut = rows_[out.at - 1].value / 2 + rows_[out.at].value / 2;
        if (!(out.cut > rows_[out.at - 1].value)) out.cut = rows_[out.at].value;  // neighbours: the middle is no number between
        const double k = whole.present(), gain = whole.entropy() - least;
        const double choices = k < 600 ? std::log2(std::pow(3.0, k) - 2) : k * std::log2(3.0);
        const double cost = choices - (k * whole.entropy() - best_left.present() * best_left.entropy() - best_right.present() * best_right.entropy());
        if (gain > (std::log2(whole.all - 1) + cost) / whole.all) out.worth = gain * whole.all;
        return out;
    }
    std::vector<row> rows_;
    std::size_t classes_;
};

}  // namespace detail

/// Where buckets end.
enum class bucket_cuts {
    quantiles,    ///< equally many rows (or weight) in each
    equal_width,  ///< equally wide, from the smallest to the largest
};

/// Recipe for `bucketize_model`. Columns with few distinct values get fewer buckets; a constant column has one.
template <class T>
struct bucketize {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = true;
    std::size_t buckets = 10;  ///< 2 .. 10,000
    bucket_cuts cuts = bucket_cuts::quantiles;
    bool one_hot = false;  ///< a column a bucket, else bucket numbers

    /// Throws `error`: `empty_input`, `nan_or_inf`, `bad_data` (weights), `bad_parameter`.
    [[nodiscard]] bucketize_model<T> fit(const matrix_in<T>& x, const fit_options& options) const {
        require(buckets >= 2 && buckets <= 10'000, errc::bad_parameter, "bucketize: buckets = ", buckets, ", must lie in 2 .. 10000");
        detail::require_training_rows(x, "bucketize");
        const row_weights weights(options.weights, static_cast<std::size_t>(x.rows()), "bucketize");
        detail::cut_list<T> list;
        for (row_index j = 0; j < x.cols(); ++j) {
            const detail::sorted_column sorted(x, j, weights);
            std::vector<double> found;
            for (std::size_t k = 1; k < buckets; ++k) {
                const double share = static_cast<double>(k) / static_cast<double>(buckets);
                const double cut = cuts == bucket_cuts::quantiles ? sorted.quantile(share) : sorted.min() * (1 - share) + sorted.max() * share;
                if (cut > sorted.min() && cut <= sorted.max()) found.push_back(cut);
            }
            list.append(found);
        }
        return std::move(list).model(one_hot);
    }
};

/// Recipe for `bucketize_model` with the cuts that tell most of the classes, by information gain and minimal description length
/// (Fayyad & Irani 1993). A column that tells nothing has one bucket. It learns from the labels: judge what follows by rows that
/// it has not seen.
template <class T>
struct bucketize_by_target {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = true;  // a weight of two is a row twice
    std::size_t max_buckets = 32;               ///< of one column, at least 2
    bool one_hot = false;

    /// Throws `error`: `empty_input`, `nan_or_inf`, `shape_mismatch`, `bad_parameter`; `bad_data` (weights, a negative label, one
    /// class only).
    [[nodiscard]] bucketize_model<T> fit(const matrix_in<T>& x, const std::vector<int>& y, const fit_options& options) const {
        require(max_buckets >= 2, errc::bad_parameter, "bucketize_by_target: max_buckets = ", max_buckets, ", must be at least 2");
        detail::require_training_rows(x, "bucketize_by_target");
        require(std::cmp_equal(x.rows(), y.size()), errc::shape_mismatch, "bucketize_by_target: ", x.rows(), " rows but ", y.size(), " targets");
        const std::size_t classes = detail::count_classes(y, "bucketize_by_target");
        const row_weights weights(options.weights, y.size(), "bucketize_by_target");
        detail::cut_list<T> list;
        for (row_index j = 0; j < x.cols(); ++j) {
            std::vector<detail::entropy_cuts::row> rows;
            for (row_index i = 0; i < x.rows(); ++i)
                if (weights[i] > 0) rows.push_back({static_cast<double>(x(i, j)), weights[i], static_cast<std::size_t>(y[static_cast<std::size_t>(i)])});
            list.append(detail::entropy_cuts(std::move(rows), classes).find(max_buckets));
        }
        return std::move(list).model(one_hot);
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
