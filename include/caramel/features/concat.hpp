#ifndef CARAMEL_FEATURES_CONCAT_HPP
#define CARAMEL_FEATURES_CONCAT_HPP

// Stages side by side on the same input, their columns joined.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

template <class S, class In, class... Y>
concept Fittable = !std::is_void_v<typename decltype(fitted_type<S, In, Y...>())::type>;

template <class S, class In>
concept GivesMatrix = Transformer<S, In> && requires { typename call_t<S, In>::Scalar; };

// A span of numbers in the workspace. (A chain also takes a batch where a row is asked for, and gives a matrix.)
template <class S, class Row>
concept GivesSpan = RowTransformer<S, Row> && requires(const S& stage, const Row& row, workspace& scratch) {
    typename std::remove_cvref_t<decltype(stage(row, scratch))>::element_type;
};

template <class T>
matrix<T> join_columns(const std::vector<matrix<T>>& blocks) {
    row_index columns = 0;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        require(blocks[i].rows() == blocks[0].rows(), errc::shape_mismatch, "concat: part 1 gave ", blocks[0].rows(), " rows, part ", i + 1, " gave ",
                blocks[i].rows());
        columns += blocks[i].cols();
    }
    matrix<T> out(blocks[0].rows(), columns);
    row_index at = 0;
    for (const auto& block : blocks) {
        out.middleCols(at, block.cols()) = block;
        at += block.cols();
    }
    return out;
}

}  // namespace detail

/// What `concat(a, b, ...)` makes: a recipe if one of the parts is, else a model.
template <class... Parts>
class concatenation : public single_row<concatenation<Parts...>> {
    static_assert(sizeof...(Parts) > 0, "caramel: concat needs at least one part");

   public:
    using stage_concept = std::conditional_t<(Recipe<Parts> || ...), recipe_tag, model_tag>;
    using parts = std::tuple<Parts...>;
    static constexpr std::string_view kind = "concat";  // in saved files: never changes

    explicit concatenation(Parts... stages) : stages_(std::move(stages)...) {}

    /// Input of any kind that all parts take -> (rows, the columns of all parts, in order). Every part gives a
    /// `matrix<T>` with one T. Throws `error` (`shape_mismatch`) when they differ in rows, and what the parts throw.
    template <class In>
        requires(detail::GivesMatrix<Parts, In> && ...)
    [[nodiscard]] auto operator()(const In& in) const {
        using Block = std::common_type_t<detail::call_t<Parts, In>...>;
        return std::apply([&](const auto&... part) { return detail::join_columns<typename Block::Scalar>({part(in)...}); }, stages_);
    }
    /// One row -> the numbers of all parts, in the workspace.
    template <class Row>
        requires(detail::GivesSpan<Parts, Row> && ...)
    [[nodiscard]] auto operator()(const Row& row, workspace& scratch) const {
        const workspace::frame frame(scratch);
        return std::apply(
            [&](const auto&... part) {
                const auto blocks = std::tuple{part(row, scratch)...};  // braces: left to right
                using T = std::remove_const_t<typename std::tuple_element_t<0, std::remove_cv_t<decltype(blocks)>>::element_type>;
                return std::apply(
                    [&](const auto&... block) -> std::span<const T> {
                        const auto out = scratch.take<T>((block.size() + ...));
                        auto* at = out.data();
                        ((at = std::copy(block.begin(), block.end(), at)), ...);
                        return out;
                    },
                    blocks);
            },
            stages_);
    }

    using single_row<concatenation>::operator();

    /// Fits the parts one after the other on the same data; those that learn from targets get them.
    template <class In>
        requires(Recipe<concatenation> && (detail::Fittable<Parts, In> && ...))
    [[nodiscard]] auto fit(const In& in, const fit_options& options) const {
        return fit_parts(options, in);
    }
    template <class In, class Target>
        requires(Recipe<concatenation> && (detail::Fittable<Parts, In, Target> && ...) && (Estimator<Parts, In, Target> || ...))
    [[nodiscard]] auto fit(const In& in, const Target& y, const fit_options& options) const {
        return fit_parts(options, in, y);
    }

    /// The fitted parts, and what the stage after them learns from: of parts that answer their training data out of fold,
    /// these answers.
    template <class In, class Target>
        requires(Recipe<concatenation> && (detail::Fittable<Parts, In, Target> && ...) && (Estimator<Parts, In, Target> || ...))
    [[nodiscard]] auto fit_transform(const In& in, const Target& y, fit_options options) const {
        const auto fit_part = [&](const auto& part) {
            auto both = detail::fit_and_apply(part, options, in, y);
            detail::append_kinds<decltype(both.first)>(options.fitted_before);
            return both;
        };
        return std::apply(
            [&](const auto&... part) {
                std::tuple<decltype(fit_part(part))...> fitted{fit_part(part)...};  // braces: left to right
                return std::apply(
                    [](auto&... both) {
                        using Block = std::common_type_t<decltype(both.second)...>;
                        auto out = detail::join_columns<typename Block::Scalar>({std::move(both.second)...});
                        return std::pair(concatenation<decltype(both.first)...>(std::move(both.first)...), std::move(out));
                    },
                    fitted);
            },
            stages_);
    }

    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>& names) const
        requires(detail::names_outputs<Parts> && ...)
    {
        std::vector<std::string> out;
        std::apply([&](const auto&... part) { (append(out, part.output_names(names)), ...); }, stages_);
        return out;
    }
    [[nodiscard]] const std::tuple<Parts...>& stages() const noexcept { return stages_; }

   private:
    template <class In, class... Target>
    auto fit_parts(fit_options options, const In& in, const Target&... y) const {
        const auto fit_part = [&](const auto& part) {
            auto model = detail::fit_stage(part, options, in, y...);
            detail::append_kinds<decltype(model)>(options.fitted_before);
            return model;
        };
        return std::apply(
            [&](const auto&... part) {
                std::tuple<decltype(fit_part(part))...> models{fit_part(part)...};  // braces: left to right
                return std::apply([](auto&&... model) { return concatenation<std::remove_cvref_t<decltype(model)>...>(std::move(model)...); }, std::move(models));
            },
            stages_);
    }
    static void append(std::vector<std::string>& out, std::vector<std::string> names) {
        out.insert(out.end(), std::make_move_iterator(names.begin()), std::make_move_iterator(names.end()));
    }
    std::tuple<Parts...> stages_;
};

/// Runs stages side by side on the same input and joins their columns: `concat(rfm<float>{}, factors) | mlp<float>{}`.
/// Parts may be recipes, models, chains, lambdas that return a `matrix<T>`.
template <class... Parts>
[[nodiscard]] concatenation<Parts...> concat(Parts... parts) {
    return concatenation<Parts...>(std::move(parts)...);
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
