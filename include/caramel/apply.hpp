#ifndef CARAMEL_APPLY_HPP
#define CARAMEL_APPLY_HPP

// A model on a large batch, block by block and on several threads.

#include <cstddef>
#include <iterator>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/matrix.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/rows.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// Rows begin .. begin + n - 1, of the same type: a matrix, a vector or a span, or what has `slice(begin, end)`.
template <class In>
auto slice_rows(const In& in, std::size_t begin, std::size_t n) {
    if constexpr (requires { in.slice(begin, begin + n); }) return in.slice(begin, begin + n);
    else if constexpr (requires { typename In::PlainObject; }) return typename In::PlainObject(in.middleRows(static_cast<row_index>(begin), static_cast<row_index>(n)));
    else if constexpr (requires { typename In::element_type; in.subspan(begin, n); }) return in.subspan(begin, n);
    else return In(in.begin() + static_cast<std::ptrdiff_t>(begin), in.begin() + static_cast<std::ptrdiff_t>(begin + n));
}

template <class Out>
Out join_rows(std::vector<std::optional<Out>>& blocks) {
    if constexpr (requires { typename Out::PlainObject; }) {
        row_index rows = 0;
        for (const auto& block : blocks) rows += block->rows();
        Out out(rows, blocks.front()->cols());
        row_index at = 0;
        for (const auto& block : blocks) {
            out.middleRows(at, block->rows()) = *block;
            at += block->rows();
        }
        return out;
    } else {
        Out out = std::move(*blocks.front());
        for (std::size_t i = 1; i < blocks.size(); ++i) {
            if constexpr (requires { out.append(*blocks[i]); }) out.append(*blocks[i]);
            else out.insert(out.end(), std::make_move_iterator(blocks[i]->begin()), std::make_move_iterator(blocks[i]->end()));
        }
        return out;
    }
}

}  // namespace detail

/// `model(in)` in blocks of rows, on several threads: the same bits for any number of them, since a row's result never
/// depends on the other rows. For batches of matrices, vectors, spans and tables.
/// Throws what the model throws; an `error` names the row of the whole batch.
template <class Model, class In>
    requires Transformer<std::remove_cvref_t<Model>, std::remove_cvref_t<In>>
[[nodiscard]] auto apply(Model&& model, In&& in, const run_options& how) {
    using Out = std::remove_cvref_t<decltype(model(in))>;
    constexpr std::size_t block_rows = 1024;
    const std::size_t rows = detail::row_count(in);
    if (rows <= block_rows) return Out(model(in));
    std::vector<std::optional<Out>> blocks((rows + block_rows - 1) / block_rows);
    parallel_blocks(rows, block_rows, how, [&](std::size_t begin, std::size_t end, std::size_t number) {
        try {
            blocks[number].emplace(model(detail::slice_rows(in, begin, end - begin)));
        } catch (const error& e) {
            if (e.where().row == 0 || begin == 0) throw;
            place where = e.where();
            where.row += begin;
            throw error(e.code(), detail::message(e.what(), " (in the rows from ", begin + 1, " on)"), where);
        }
    });
    return detail::join_rows(blocks);
}
/// On one thread. (Forwarding references, so that `std::apply` is no better match where both are in scope.)
template <class Model, class In>
    requires Transformer<std::remove_cvref_t<Model>, std::remove_cvref_t<In>>
[[nodiscard]] auto apply(Model&& model, In&& in) {
    return caramel::apply(model, in, run_options{});
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
