#ifndef CARAMEL_EXPLAIN_MIXTURE_HPP
#define CARAMEL_EXPLAIN_MIXTURE_HPP

// Data with some of their columns exchanged, whether they are matrices or tables, and what a model says about them.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>

namespace caramel::inline CARAMEL_ABI {

/// As an output to explain: the model's last one. Of two classes it is the second, of one number that.
inline constexpr std::size_t last_output = std::numeric_limits<std::size_t>::max();

namespace detail {

// A table, told by its members: no header of it is needed.
template <class X>
concept TableLike = requires(const X& x) {
    x.names();
    x.column(std::size_t{});
    x.take_rows(std::vector<std::size_t>{});
};

template <class X>
std::size_t columns_of(const X& x) {
    if constexpr (TableLike<X>) return x.columns();
    else return static_cast<std::size_t>(x.cols());
}

// One number a row of what the model says. Throws `shape_mismatch`, `nan_or_inf`.
template <class Model, class X>
std::vector<double> answers_of(const Model& model, const X& x, std::size_t output, std::string_view who) {
    const auto out = model(x);
    const auto rows = static_cast<std::size_t>(x.rows());
    std::vector<double> numbers(rows);
    if constexpr (requires { out.rows(); out.cols(); out(0, 0); }) {
        require(std::cmp_equal(out.rows(), rows) && out.cols() > 0, errc::shape_mismatch, who, ": the model made ", out.rows(), " rows of ", rows);
        const auto last = static_cast<std::size_t>(out.cols()) - 1;
        require(output == last_output || output <= last, errc::shape_mismatch, who, ": output ", output, " is wanted, the model has ", last + 1);
        const auto column = static_cast<row_index>(output == last_output ? last : output);
        for (std::size_t i = 0; i < rows; ++i) numbers[i] = static_cast<double>(out(static_cast<row_index>(i), column));
    } else {
        require(out.size() == rows, errc::shape_mismatch, who, ": the model made ", out.size(), " rows of ", rows);
        require(output == last_output || output == 0, errc::shape_mismatch, who, ": output ", output, " is wanted, the model has 1");
        for (std::size_t i = 0; i < rows; ++i) numbers[i] = static_cast<double>(out[i]);
    }
    for (const double v : numbers) require(std::isfinite(v), errc::nan_or_inf, who, ": the model's answer is not finite");
    return numbers;
}

// ---- columns of tables -----------------------------------------------------------------------------------------------

// The values of two columns of one type, one after the other.
template <class Column>
Column joined(const Column& a, const Column& b, const std::string& name, std::string_view who) {
    using type = decltype(a.type());
    require(a.type() == b.type(), errc::wrong_column_type, who, ": column \"", name, "\" is of type ", name_of(a.type()), " in the background, of type ",
            name_of(b.type()), " in the row");
    std::vector<bool> missing;
    if (a.any_missing() || b.any_missing()) {
        for (std::size_t i = 0; i < a.size(); ++i) missing.push_back(a.missing(i));
        for (std::size_t i = 0; i < b.size(); ++i) missing.push_back(b.missing(i));
    }
    const auto both = [](const auto& first, const auto& second) {
        std::vector<typename std::remove_cvref_t<decltype(first)>::value_type> out(first.begin(), first.end());
        out.insert(out.end(), second.begin(), second.end());
        return out;
    };
    switch (a.type()) {
        case type::number: return Column(both(a.numbers(), b.numbers()), std::move(missing));
        case type::integer: return Column(both(a.integers(), b.integers()), std::move(missing));
        case type::timestamp: return Column(both(a.timestamps(), b.timestamps()), std::move(missing));
        case type::category: break;
    }
    std::vector<std::string> texts;
    for (const Column* column : {&a, &b})
        for (std::size_t i = 0; i < column->size(); ++i) texts.emplace_back(column->missing(i) ? std::string_view() : column->categories()[i]);
    return Column(texts, missing);
}
template <TableLike Table, class Make>
Table with_columns(const Table& like, const Make& make) {
    Table out;
    for (std::size_t c = 0; c < like.columns(); ++c) out.add_column(like.names()[c], make(c));
    return out;
}

// ---- mixtures --------------------------------------------------------------------------------------------------------

// Copies of the background in which some players, groups of columns, have the values of one row.
template <class X>
class mixture {
   public:
    // Each column is a player of its own where there are no groups.
    mixture(const X& background, const X& row, const std::vector<std::vector<std::size_t>>& groups, std::string_view who)
        : rows_(static_cast<std::size_t>(background.rows())), player_(columns_of(background)) {
        require(rows_ > 0, errc::empty_input, who, ": the background has no rows");
        require(row.rows() == 1, errc::shape_mismatch, who, ": one row is explained at a time, got ", row.rows());
        require(columns_of(row) == player_.size(), errc::shape_mismatch, who, ": the row has ", columns_of(row), " columns, the background ", player_.size());
        constexpr std::size_t nobody = std::numeric_limits<std::size_t>::max();
        for (std::size_t c = 0; c < player_.size(); ++c) player_[c] = groups.empty() ? c : nobody;
        for (std::size_t g = 0; g < groups.size(); ++g)
            for (const std::size_t c : groups[g]) {
                require(c < player_.size(), errc::bad_parameter, who, ": group ", g + 1, " has column ", c, ", there are ", player_.size());
                require(player_[c] == nobody, errc::bad_parameter, who, ": column ", c, " is in two groups");
                player_[c] = g;
            }
        for (std::size_t c = 0; c < player_.size(); ++c) require(player_[c] != nobody, errc::bad_parameter, who, ": column ", c, " is in no group");
        players_ = groups.empty() ? player_.size() : groups.size();
        if constexpr (TableLike<X>) {
            both_ = with_columns(background, [&](std::size_t c) {
                const std::string& name = background.names()[c];
                return joined(background.column(c), row.column(row.position(name)), name, who);
            });
        } else {
            both_.resize(background.rows() + 1, background.cols());
            both_ << background, row;
            require_finite(both_, who);
        }
    }

    [[nodiscard]] std::size_t players() const noexcept { return players_; }
    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
    // The background, once for each coalition; those who are in it (`has(coalition, player)`) have the values of the row.
    template <class Has>
    [[nodiscard]] X mix(std::size_t coalitions, const Has& has) const {
        if constexpr (TableLike<X>) {
            std::vector<std::size_t> from(coalitions * rows_);
            return with_columns(both_, [&](std::size_t c) {
                for (std::size_t k = 0; k < coalitions; ++k)
                    for (std::size_t i = 0; i < rows_; ++i) from[k * rows_ + i] = has(k, player_[c]) ? rows_ : i;
                return both_.column(c).take_rows(std::span<const std::size_t>(from));
            });
        } else {
            X out(static_cast<row_index>(coalitions * rows_), both_.cols());
            for (std::size_t k = 0; k < coalitions; ++k)
                for (std::size_t c = 0; c < player_.size(); ++c) {
                    const auto column = static_cast<row_index>(c), first = static_cast<row_index>(k * rows_);
                    if (has(k, player_[c])) out.col(column).segment(first, static_cast<row_index>(rows_)).setConstant(both_(static_cast<row_index>(rows_), column));
                    else out.col(column).segment(first, static_cast<row_index>(rows_)) = both_.col(column).head(static_cast<row_index>(rows_));
                }
            return out;
        }
    }

   private:
    std::size_t rows_, players_ = 0;
    std::vector<std::size_t> player_;  // of each column
    X both_;                           // the background, and the row behind it
};

// What coalitions are worth: the model's mean over the background mixed with the row.
template <class Model, class X>
class coalition_game {
   public:
    coalition_game(const Model& model, const X& background, const X& row, const std::vector<std::vector<std::size_t>>& groups, std::size_t output,
                   std::string_view who)
        : model_(model), mixture_(background, row, groups, who), output_(output), who_(who), prediction_(answers_of(model, row, output, who)[0]) {
        base_ = values(1, [](std::size_t, std::size_t) { return false; })[0];
    }
    [[nodiscard]] std::size_t players() const noexcept { return mixture_.players(); }
    [[nodiscard]] double prediction() const noexcept { return prediction_; }
    [[nodiscard]] double base() const noexcept { return base_; }
    template <class Has>
    [[nodiscard]] std::vector<double> values(std::size_t coalitions, const Has& has) const {
        constexpr std::size_t block_rows = 4096;
        const std::size_t at_once = std::max<std::size_t>(1, block_rows / mixture_.rows());
        std::vector<double> out;
        for (std::size_t at = 0; at < coalitions; at += at_once) {
            const std::size_t n = std::min(at_once, coalitions - at);
            const auto answers = answers_of(model_, mixture_.mix(n, [&](std::size_t k, std::size_t player) { return has(at + k, player); }), output_, who_);
            for (std::size_t k = 0; k < n; ++k) {
                double sum = 0;
                for (std::size_t i = 0; i < mixture_.rows(); ++i) sum += answers[k * mixture_.rows() + i];
                out.push_back(sum / static_cast<double>(mixture_.rows()));
            }
        }
        return out;
    }

   private:
    const Model& model_;
    mixture<X> mixture_;
    std::size_t output_;
    std::string_view who_;
    double prediction_, base_ = 0;
};

}  // namespace detail

}  // namespace caramel::inline CARAMEL_ABI

#endif
