#ifndef CARAMEL_NN_MLP_ENSEMBLE_HPP
#define CARAMEL_NN_MLP_ENSEMBLE_HPP

// Several multilayer perceptrons that differ by their seeds, answering together.

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/nn/mlp.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Trained classifiers: (rows, features) -> (rows, classes), the mean of the members' probabilities.
template <class T>
class mlp_ensemble_model : public single_row<mlp_ensemble_model<T>> {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "mlp_ensemble";  // in saved files: never changes

    /// Throws `error` (`bad_data`) unless there are members, all for as many features and classes.
    explicit mlp_ensemble_model(std::vector<mlp_model<T>> members) : members_(std::move(members)) {
        require(!members_.empty(), errc::bad_data, kind, ": there are no members");
        for (const auto& m : members_)
            require(m.inputs() == inputs() && m.outputs() == outputs(), errc::bad_data, kind, ": a member tells ", m.outputs(), " classes apart by ",
                    m.inputs(), " columns, the first ", outputs(), " by ", inputs());
    }

    /// (rows, inputs) -> (rows, classes), each row summing to 1. Throws `error`: `shape_mismatch` on another number of columns;
    /// `nan_or_inf`; `number_out_of_range` with the row whose numbers are too large.
    [[nodiscard]] matrix<T> operator()(const matrix_in<T>& x) const {
        require_width(static_cast<std::size_t>(x.cols()));
        require_finite(x, kind);
        matrix<T> out = members_.front()(x);
        const auto values = std::span(out.data(), static_cast<std::size_t>(out.size()));
        for (std::size_t m = 1; m < members_.size(); ++m) {
            const matrix<T> more = members_[m](x);
            add(std::span(more.data(), values.size()), values);
        }
        finish(values);
        return out;
    }
    /// One row -> (classes), in the workspace; the same bits as in a batch.
    [[nodiscard]] std::span<const T> operator()(std::span<const T> row, workspace& scratch) const {
        const workspace::frame frame(scratch);
        require_width(row.size());
        require_finite(row, kind);
        const auto out = scratch.take<T>(outputs());
        const auto first = members_.front()(row, scratch);
        std::copy(first.begin(), first.end(), out.begin());
        for (std::size_t m = 1; m < members_.size(); ++m) add(members_[m](row, scratch), out);
        finish(out);
        return out;
    }
    using single_row<mlp_ensemble_model>::operator();

    [[nodiscard]] const std::vector<mlp_model<T>>& members() const noexcept { return members_; }
    [[nodiscard]] std::size_t inputs() const noexcept { return members_.front().inputs(); }
    [[nodiscard]] std::size_t outputs() const noexcept { return members_.front().outputs(); }
    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>& names) const { return members_.front().output_names(names); }

    static constexpr std::array field_names{"members"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(members_); }

   private:
    void require_width(std::size_t columns) const {
        require(columns == inputs(), errc::shape_mismatch, kind, ": got ", columns, " columns, learnt ", inputs());
    }
    static void add(std::span<const T> more, std::span<T> sum) noexcept {
        for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += more[i];
    }
    void finish(std::span<T> sum) const noexcept {
        const T n = static_cast<T>(members_.size());
        for (T& v : sum) v /= n;
    }

    std::vector<mlp_model<T>> members_;
};

/// Recipe for `mlp_ensemble_model`: `members` times the same `mlp`, each from random weights, an order of rows and validation
/// rows of its own, so that what each learnt of the noise averages out: `mlp_ensemble<float>{.members = 5, .each = {.hidden = {32, 16}}}`.
template <class T>
struct mlp_ensemble {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = true;

    std::size_t members = 5;  ///< 1 .. 1000
    mlp<T> each = {};

    /// As `mlp` does. The members are trained side by side on `fit_options::threads` threads, with the same bits for any number
    /// of them; with an observer one after the other, so that it sees each epoch (as one of all members' epochs). If it stops
    /// the fit, the members so far stay.
    /// Throws `error` as `mlp` does.
    [[nodiscard]] mlp_ensemble_model<T> fit(const matrix_in<T>& x, const std::vector<int>& y, const fit_options& options) const {
        constexpr std::string_view who = mlp_ensemble_model<T>::kind;
        require(members >= 1 && members <= 1000, errc::bad_parameter, who, ": members = ", members, ", must lie in 1 .. 1000");
        const detail::mlp_plan<T> plan(each, x, y, who);
        const detail::class_targets targets(y, who, plan.outputs(), plan.how, options.weights);
        const rng numbers = stage_rng(options, who);
        const auto learn = [&](std::size_t m, fit_options mine) {
            mine.seed = numbers.split(m)();
            return mlp_model<T>(plan.learn(x, targets, mine, who));
        };
        if (options.on_progress) return mlp_ensemble_model<T>(one_by_one(options, learn));
        std::vector<std::optional<mlp_model<T>>> learnt(members);
        fit_options alone = options;
        alone.threads = 1;
        alone.run = nullptr;
        parallel_for(members, options, [&](std::size_t m) { learnt[m] = learn(m, alone); });
        std::vector<mlp_model<T>> out;
        for (auto& m : learnt) out.push_back(std::move(*m));
        return mlp_ensemble_model<T>(std::move(out));
    }

   private:
    template <class Learn>
    std::vector<mlp_model<T>> one_by_one(const fit_options& options, const Learn& learn) const {
        std::vector<mlp_model<T>> out;
        bool stopped = false;
        for (std::size_t m = 0; m < members && !stopped; ++m) {
            fit_options mine = options;
            const auto report = [&](const progress& p) {
                const auto said = options.on_progress({p.stage, m * each.epochs + p.step, members * each.epochs, p.loss});
                stopped = said == verdict::stop;
                return said;
            };
            mine.on_progress = report;
            out.push_back(learn(m, mine));
        }
        return out;
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
