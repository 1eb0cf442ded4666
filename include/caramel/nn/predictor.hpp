#ifndef CARAMEL_NN_PREDICTOR_HPP
#define CARAMEL_NN_PREDICTOR_HPP

// How trained networks answer, whatever their layers: what the models of `network` and `mlp` have in common.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/embedding_table.hpp>
#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/products.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/core/rows.hpp>
#include <caramel/core/softmax.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/nn/layer.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// Outputs -> probabilities.
template <class T>
struct class_head {
    void check(std::size_t outputs, std::string_view who) const {
        require(outputs >= 2, errc::bad_data, who, ": the layers end in ", outputs, " outputs, a classifier has 2 or more");
    }
    void finish(std::span<T> z) const noexcept { softmax_row(z); }
    static constexpr const char* name = "class_";
};

// Outputs -> probabilities, each of a yes of its own.
template <class T>
struct label_head {
    void check(std::size_t, std::string_view) const noexcept {}
    void finish(std::span<T> z) const noexcept {
        for (T& v : z) v = sigmoid_of(v);
    }
    static constexpr const char* name = "label_";
};

// Outputs, which are z-scores -> values.
template <class T>
struct value_head {
    vec<T> mean, deviation;

    void check(std::size_t outputs, std::string_view who) const {
        require(std::cmp_equal(mean.size(), outputs) && std::cmp_equal(deviation.size(), outputs) && mean.allFinite() && deviation.allFinite() &&
                    (deviation.array() > 0).all(),
                errc::bad_data, who, ": the layers end in ", outputs, " outputs, the means and deviations of the targets do not belong to them");
    }
    void finish(std::span<T> z) const noexcept {
        for (std::size_t k = 0; k < z.size(); ++k) z[k] = z[k] * deviation(static_cast<row_index>(k)) + mean(static_cast<row_index>(k));
    }
    static constexpr const char* name = "value_";
};

// Parameters may have a second form, made for answering.
template <class Params>
struct served_form {
    static constexpr bool exists = false;
    struct type {
        explicit type(const Params&) {}
    };
};
template <class Params>
    requires requires { typename Params::served; }
struct served_form<Params> {
    static constexpr bool exists = true;
    using type = typename Params::served;
};

template <class T, class Params, class Head>
class network_core {
    static constexpr bool tokens = reads_tokens<Params>;
    static constexpr bool served = served_form<Params>::exists;

   public:
    using input = std::conditional_t<tokens, token_ids, matrix_in<T>>;
    using element = std::conditional_t<tokens, token_id, T>;

    network_core(Params params, Head head, std::string_view who)
        : params_(std::move(params)), head_(std::move(head)), who_(who), outputs_(params_.check(params_.inputs(), who)), served_(params_) {
        head_.check(outputs_, who);
    }

    [[nodiscard]] matrix<T> answer(const input& x) const {
        check(x);
        const std::size_t rows = row_count(x);
        matrix<T> out(static_cast<row_index>(rows), static_cast<row_index>(outputs_));
        if constexpr (served) {
            served_.answer(x, [&](std::size_t i, std::span<const T> z) {
                std::copy(z.begin(), z.end(), out.data() + i * outputs_);
                finish({out.data() + i * outputs_, outputs_}, i + 1);
            });
            return out;
        }
        for (std::size_t at = 0; at < rows; at += block_rows) {  // what lies between the layers stays in the cache
            const std::size_t n = std::min(block_rows, rows - at);
            const matrix<T> z = run_block(x, at, n);
            std::copy_n(z.data(), n * outputs_, out.data() + at * outputs_);
            for (std::size_t i = at; i < at + n; ++i) finish({out.data() + i * outputs_, outputs_}, i + 1);
        }
        return out;
    }
    [[nodiscard]] std::span<const T> answer(std::span<const element> row, workspace& scratch) const {
        const workspace::frame frame(scratch);
        if constexpr (tokens) {
            require_ids(row, params_.inputs(), 1, who_);
        } else {
            require_width(row.size());
            if (!all_finite(row.data(), row.size())) require_finite(row, who_);
        }
        if constexpr (served) {
            const auto out = served_.answer(row, scratch);
            finish(out, 1);
            return out;
        }
        const std::span<const T> z = params_.apply(row, scratch);
        const auto out = scratch.template take<T>(outputs_);
        std::copy(z.begin(), z.end(), out.begin());
        finish(out, 1);
        return out;
    }
    [[nodiscard]] std::vector<std::string> output_names() const {
        std::vector<std::string> out;
        for (std::size_t k = 0; k < outputs_; ++k) out.push_back(message(Head::name, k));
        return out;
    }
    [[nodiscard]] const Params& params() const noexcept { return params_; }
    [[nodiscard]] const Head& head() const noexcept { return head_; }
    [[nodiscard]] std::size_t outputs() const noexcept { return outputs_; }

   private:
    static constexpr std::size_t block_rows = 256;

    void check(const input& x) const {
        if constexpr (tokens) {
            require(x.vocabulary_size <= params_.inputs(), errc::shape_mismatch, who_, ": got a vocabulary of ", x.vocabulary_size, ", learnt ",
                    params_.inputs());
            for (std::size_t i = 0; i < x.size(); ++i) require_ids(x[i], params_.inputs(), i + 1, who_);
            require_token_weights(x, who_);
        } else {
            require_width(static_cast<std::size_t>(x.cols()));
            bool finite = true;
            for (row_index i = 0; i < x.rows() && finite; ++i) finite = all_finite(x.data() + i * x.outerStride(), static_cast<std::size_t>(x.cols()));
            if (!finite) require_finite(x, who_);
        }
    }
    void require_width(std::size_t columns) const {
        require(columns == params_.inputs(), errc::shape_mismatch, who_, ": got ", columns, " columns, learnt ", params_.inputs());
    }
    [[nodiscard]] matrix<T> run_block(const input& x, std::size_t at, std::size_t n) const {
        if constexpr (tokens) return params_.apply(x.slice(at, at + n));
        else return params_.apply(matrix_in<T>(x.middleRows(static_cast<row_index>(at), static_cast<row_index>(n))));
    }
    // Finite inputs may still be too large for the weights.
    void finish(std::span<T> z, std::size_t row) const {
        bool finite = true;
        for (const T v : z) finite = finite && std::isfinite(v);
        if (finite) {
            head_.finish(z);
            for (const T v : z) finite = finite && std::isfinite(v);
        }
        require_at(finite, errc::number_out_of_range, {.row = row}, who_, ": the values of row ", row,
                   " are too large: the outputs are beyond the number type");
    }

    Params params_;
    Head head_;
    std::string_view who_;
    std::size_t outputs_;
    [[no_unique_address]] typename served_form<Params>::type served_;
};

// A model made of a core: `operator()` for batches and rows.
template <class Model, class T, class Params, class Head>
class network_answers : public single_row<Model> {
    using core_type = network_core<T, Params, Head>;

   public:
    using stage_concept = model_tag;

    /// (rows, inputs), or texts of token ids -> (rows, outputs).
    /// Throws `error`: `shape_mismatch` on another number of columns or a larger vocabulary; `nan_or_inf`; `unknown_id`;
    /// `number_out_of_range` with the row whose numbers are too large.
    [[nodiscard]] matrix<T> operator()(const typename core_type::input& x) const { return core_.answer(x); }
    /// One row -> (outputs), in the workspace; the same bits as in a batch.
    [[nodiscard]] std::span<const T> operator()(std::span<const typename core_type::element> row, workspace& scratch) const {
        return core_.answer(row, scratch);
    }
    using single_row<Model>::operator();

    [[nodiscard]] std::size_t inputs() const noexcept { return core_.params().inputs(); }
    [[nodiscard]] std::size_t outputs() const noexcept { return core_.outputs(); }
    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>&) const { return core_.output_names(); }

   protected:
    network_answers(Params params, Head head) : core_(std::move(params), std::move(head), Model::kind) {}
    [[nodiscard]] const core_type& core() const noexcept { return core_; }

   private:
    core_type core_;
};

}  // namespace detail

}  // namespace caramel::inline CARAMEL_ABI

#endif
