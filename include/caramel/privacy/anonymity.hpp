#ifndef CARAMEL_PRIVACY_ANONYMITY_HPP
#define CARAMEL_PRIVACY_ANONYMITY_HPP

// How well customers hide among others in a table that is handed out: k-anonymity (Sweeney 2002), l-diversity (Machanavajjhala et al.
// 2007), t-closeness (Li, Li & Venkatasubramanian 2007); and what makes a table coarser.
//
// These are measures of one table against those who know the quasi-identifiers, and no guarantee: two tables of the same customers that
// are anonymous each can be joined. Answers with noise (noise.hpp) compose.

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/utf8.hpp>
#include <caramel/data/table.hpp>

namespace caramel::inline CARAMEL_ABI {

/// The rows of a table in groups that the quasi-identifiers do not tell apart, in the order in which groups appear.
struct anonymity_groups {
    std::vector<std::size_t> group_of;  ///< one a row
    std::vector<std::size_t> sizes;     ///< one a group

    /// Rows in the smallest group: the table is k-anonymous for k up to this. 0 for a table without rows.
    template <class = void>
    [[nodiscard]] std::size_t k() const noexcept { return sizes.empty() ? 0 : *std::min_element(sizes.begin(), sizes.end()); }
    /// The rows (from 0) in groups of fewer than k.
    template <class = void>
    [[nodiscard]] std::vector<std::size_t> rows_below(std::size_t k) const {
        std::vector<std::size_t> out;
        for (std::size_t row = 0; row < group_of.size(); ++row)
            if (sizes[group_of[row]] < k) out.push_back(row);
        return out;
    }
    /// The probability that somebody who knows a customer's quasi-identifiers, and that they are in the table, picks the right row, on
    /// average over the customers: groups / rows. (The worst case is 1 / k.) 0 for a table without rows.
    [[nodiscard]] double average_risk() const noexcept {
        return group_of.empty() ? 0 : static_cast<double>(sizes.size()) / static_cast<double>(group_of.size());
    }
};

/// How much a group tells of the sensitive column. A missing cell is a value like others.
struct group_diversity {
    std::size_t distinct = 0;  ///< values in the group: distinct l-diversity
    double entropy_l = 0;      ///< exp of the entropy of the group's values: entropy l-diversity
    double closeness = 0;      ///< half the sum of differences from the shares in the whole table (0 to 1): t with equal ground distance
};
/// How many sensitive values the groups of a table have. Made by `diversity_of`.
struct sensitive_diversity {
    std::vector<group_diversity> groups;  ///< one a group

    /// Of the group where it is worst; 0 for a table without rows.
    template <class = void>
    [[nodiscard]] std::size_t distinct_l() const noexcept {
        std::size_t out = groups.empty() ? 0 : std::numeric_limits<std::size_t>::max();
        for (const auto& group : groups) out = std::min(out, group.distinct);
        return out;
    }
    template <class = void>
    [[nodiscard]] double entropy_l() const noexcept {
        double out = groups.empty() ? 0 : std::numeric_limits<double>::infinity();
        for (const auto& group : groups) out = std::min(out, group.entropy_l);
        return out;
    }
    template <class = void>
    [[nodiscard]] double t() const noexcept {
        double out = 0;
        for (const auto& group : groups) out = std::max(out, group.closeness);
        return out;
    }
};

/// A table without the rows of small groups, and which rows (from 0) those were.
struct suppressed_table {
    table kept;
    std::vector<std::size_t> rows;
};

namespace detail {

// Numbers for the values of a column, equal ones alike; missing is a value.
template <std::same_as<table_column> Column>
[[nodiscard]] std::vector<std::size_t> value_numbers(const Column& column) {
    const std::size_t n = column.size();
    std::vector<std::size_t> out(n);
    const auto number = [&](const auto& values) {
        auto distinct = std::vector(values.begin(), values.end());
        std::sort(distinct.begin(), distinct.end());
        distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
        for (std::size_t i = 0; i < n; ++i)
            out[i] = column.missing(i) ? 0 : 1 + static_cast<std::size_t>(std::lower_bound(distinct.begin(), distinct.end(), values[i]) - distinct.begin());
    };
    switch (column.type()) {
        case column_type::number:
            number(column.numbers());
            break;
        case column_type::integer:
            number(column.integers());
            break;
        case column_type::timestamp:
            number(column.timestamps());
            break;
        case column_type::category:
            number(column.categories().codes);
            break;
    }
    return out;
}

}  // namespace detail

/// Groups the rows of a table by its quasi-identifiers: what others may know of a customer (age, postal code, day of birth, ...). A missing
/// cell equals a missing cell. In n log n time for each column.
/// Throws `error`: `missing_column`; `bad_parameter` without quasi-identifiers.
template <std::same_as<table> Table>
[[nodiscard]] anonymity_groups group_rows(const Table& rows, const std::vector<std::string>& quasi_identifiers) {
    require(!quasi_identifiers.empty(), errc::bad_parameter, "group_rows: no quasi-identifiers");
    const std::size_t n = rows.rows();
    anonymity_groups out;
    out.group_of.assign(n, 0);
    std::vector<std::size_t> order(n);
    for (const auto& name : quasi_identifiers) {
        const auto values = detail::value_numbers(rows.column(name));
        for (std::size_t i = 0; i < n; ++i) order[i] = i;
        std::sort(order.begin(), order.end(),
                  [&](std::size_t a, std::size_t b) { return out.group_of[a] != out.group_of[b] ? out.group_of[a] < out.group_of[b] : values[a] < values[b]; });
        std::vector<std::size_t> finer(n);
        for (std::size_t i = 1; i < n; ++i) {
            const std::size_t before = order[i - 1], now = order[i];
            const bool same = out.group_of[before] == out.group_of[now] && values[before] == values[now];
            finer[now] = finer[before] + (same ? 0 : 1);
        }
        out.group_of = std::move(finer);
    }
    // Numbered in the order in which they appear.
    constexpr std::size_t none = std::numeric_limits<std::size_t>::max();
    std::vector<std::size_t> now(n, none);
    for (auto& group : out.group_of) {
        if (now[group] == none) {
            now[group] = out.sizes.size();
            out.sizes.push_back(0);
        }
        group = now[group];
        ++out.sizes[group];
    }
    return out;
}

/// How diverse a sensitive column is in each group. Throws `error` (`shape_mismatch`) unless the groups are of a table of as many rows.
template <std::same_as<table_column> Column>
[[nodiscard]] sensitive_diversity diversity_of(const anonymity_groups& groups, const Column& sensitive) {
    const std::size_t n = groups.group_of.size();
    require(sensitive.size() == n, errc::shape_mismatch, "diversity_of: ", n, " rows in groups, ", sensitive.size(), " values");
    const auto values = detail::value_numbers(sensitive);
    std::size_t n_values = 0;
    for (const std::size_t value : values) n_values = std::max(n_values, value + 1);
    std::vector<std::size_t> overall(n_values);
    for (const std::size_t value : values) ++overall[value];

    std::vector<std::pair<std::size_t, std::size_t>> pairs(n);
    for (std::size_t i = 0; i < n; ++i) pairs[i] = {groups.group_of[i], values[i]};
    std::sort(pairs.begin(), pairs.end());
    sensitive_diversity out;
    out.groups.resize(groups.sizes.size());
    for (std::size_t from = 0, to = 0; from < n; from = to) {
        while (to < n && pairs[to] == pairs[from]) ++to;
        group_diversity& group = out.groups[pairs[from].first];
        const double share = static_cast<double>(to - from) / static_cast<double>(groups.sizes[pairs[from].first]);
        const double whole = static_cast<double>(overall[pairs[from].second]) / static_cast<double>(n);
        ++group.distinct;
        group.entropy_l -= share * std::log(share);
        group.closeness += std::max(0.0, share - whole);  // what the group has too much of, others have too little of
    }
    for (auto& group : out.groups) group.entropy_l = std::exp(group.entropy_l);
    return out;
}

/// Leaves out the rows of groups of fewer than k. Throws `error` as `group_rows`, and `bad_parameter` for k = 0.
template <std::same_as<table> Table>
[[nodiscard]] suppressed_table suppress_small_groups(const Table& rows, const std::vector<std::string>& quasi_identifiers, std::size_t k) {
    require(k > 0, errc::bad_parameter, "suppress_small_groups: k = 0, must be at least 1");
    const auto groups = group_rows(rows, quasi_identifiers);
    std::vector<std::size_t> kept;
    for (std::size_t row = 0; row < rows.rows(); ++row)
        if (groups.sizes[groups.group_of[row]] >= k) kept.push_back(row);
    return {rows.take_rows(kept), groups.rows_below(k)};
}

namespace detail {

template <std::same_as<table> Table>
[[nodiscard]] Table with_column(const Table& from, std::size_t position, const table_column& values) {
    Table out;
    for (std::size_t c = 0; c < from.columns(); ++c) out.add_column(from.names()[c], c == position ? values : from.column(c));
    return out;
}

}  // namespace detail

/// A column of numbers or integers as ranges: `< a`, `a - b` (from a on, below b), `>= z` for edges a, b, .. z. Two edges cut off both ends.
/// Throws `error`: `missing_column`, `wrong_column_type`, `bad_parameter` (no edges, or they do not rise).
template <std::same_as<table> Table>
[[nodiscard]] Table in_ranges(const Table& from, std::string_view name, const std::vector<double>& edges) {
    const std::size_t at = from.position(name);
    const table_column& column = from.column(at);
    require(column.type() == column_type::number || column.type() == column_type::integer, errc::wrong_column_type, "in_ranges: column \"", name,
            "\" is of type ", name_of(column.type()), ", not number or integer");
    require(!edges.empty(), errc::bad_parameter, "in_ranges: no edges");
    for (std::size_t i = 0; i < edges.size(); ++i)
        require(std::isfinite(edges[i]) && (i == 0 || edges[i - 1] < edges[i]), errc::bad_parameter, "in_ranges: edge ", i + 1,
                " is not finite or does not rise");
    std::vector<std::string> levels{detail::message("< ", edges.front())};
    for (std::size_t i = 1; i < edges.size(); ++i) levels.push_back(detail::message(edges[i - 1], " - ", edges[i]));
    levels.push_back(detail::message(">= ", edges.back()));
    std::vector<std::int32_t> codes(column.size(), -1);
    for (std::size_t i = 0; i < codes.size(); ++i) {
        if (column.missing(i)) continue;
        const double x = column.type() == column_type::number ? column.numbers()[i] : static_cast<double>(column.integers()[i]);
        codes[i] = static_cast<std::int32_t>(std::upper_bound(edges.begin(), edges.end(), x) - edges.begin());
    }
    return detail::with_column(from, at, table_column(std::move(codes), std::move(levels)));
}

/// A column of numbers or integers in which nothing is above `most`: the few large values that give a customer away.
/// Throws `error`: `missing_column`, `wrong_column_type`, `bad_parameter`.
template <std::same_as<table> Table>
[[nodiscard]] Table top_coded(const Table& from, std::string_view name, double most) {
    require(std::isfinite(most), errc::bad_parameter, "top_coded: most is not finite");
    const std::size_t at = from.position(name);
    const table_column& column = from.column(at);
    const std::vector<bool>& missing = column.missing();
    if (column.type() == column_type::integer) {
        std::vector<std::int64_t> values(column.integers().begin(), column.integers().end());
        require(std::abs(most) <= 0x1p53, errc::bad_parameter, "top_coded: most = ", most, ", must be at most 2^53 for integers");
        const auto limit = static_cast<std::int64_t>(std::floor(most));
        for (auto& value : values) value = std::min(value, limit);
        return detail::with_column(from, at, table_column(std::move(values), missing));
    }
    require(column.type() == column_type::number, errc::wrong_column_type, "top_coded: column \"", name, "\" is of type ", name_of(column.type()),
            ", not number or integer");
    std::vector<double> values(column.numbers().begin(), column.numbers().end());
    for (auto& value : values) value = std::min(value, most);
    return detail::with_column(from, at, table_column(std::move(values), missing));
}

/// A column of texts cut to their first characters, a `*` in the place of the others: postal codes, 13053 as 130*.
/// Throws `error`: `missing_column`, `wrong_column_type`.
template <std::same_as<table> Table>
[[nodiscard]] Table shortened(const Table& from, std::string_view name, std::size_t n_characters) {
    const std::size_t at = from.position(name);
    const table_column& column = from.column(at);
    require(column.type() == column_type::category, errc::wrong_column_type, "shortened: column \"", name, "\" is of type ", name_of(column.type()),
            ", not category");
    std::vector<std::string> texts(column.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const std::string_view text = column.categories()[i];
        std::size_t end = 0;
        for (std::size_t n = 0; n < n_characters && end < text.size(); ++n) end += detail::utf8_sequence_length(text.data() + end, text.size() - end);
        texts[i] = text.substr(0, end);
        if (end < text.size()) texts[i] += '*';
    }
    return detail::with_column(from, at, table_column(texts, column.missing()));
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
