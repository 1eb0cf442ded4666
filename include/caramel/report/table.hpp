#ifndef CARAMEL_REPORT_TABLE_HPP
#define CARAMEL_REPORT_TABLE_HPP

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/report/markup.hpp>

namespace caramel::inline CARAMEL_ABI {

/// A cell of a `report_table`: a text, a number, or nothing (shown as a dash).
class report_cell {
   public:
    report_cell() = default;
    template <class Text>
        requires std::convertible_to<const Text&, std::string_view> report_cell(const Text& text)
            : text_(std::string_view(text)), is_empty_(false) {}  // NOLINT(google-explicit-constructor)
        template <class Number>
            requires(std::is_arithmetic_v<Number> && !std::same_as<Number, bool> && !std::same_as<Number, char>)
        report_cell(Number number) : number_(static_cast<double>(number)), is_empty_(false), is_number_(true) {}  // NOLINT(google-explicit-constructor)

        [[nodiscard]] bool is_empty() const noexcept { return is_empty_; }
        [[nodiscard]] bool is_number() const noexcept { return is_number_; }
        [[nodiscard]] double number() const noexcept { return number_; }
        [[nodiscard]] const std::string& text() const noexcept { return text_; }

       private:
        std::string text_;
        double number_ = 0;
        bool is_empty_ = true, is_number_ = false;
};

/// The head of a column, and how its numbers are written (with the default: all to as many decimals as one of them needs).
struct report_column {
    std::string title = {};
    number_style numbers = {};
};

/// A table of a page. The first cell of a row names the row. Columns that hold numbers only stand to the right.
struct report_table {
    static constexpr std::size_t most_rows = 10'000;

    std::string caption = {};
    std::vector<report_column> columns = {};
    std::vector<std::vector<report_cell>> rows = {};
    std::optional<std::size_t> emphasis = {};  ///< the row to point out, from 0

    /// `<table>` in HTML. Throws `error`: `empty_input`; `shape_mismatch` with the row; `nan_or_inf` with row and column;
    /// `bad_parameter` (emphasis, decimals); `limit_exceeded`.
    template <class = void>
    [[nodiscard]] std::string html() const;

   private:
    template <class = void>
    void check() const;
};

namespace detail {

// The style of a column with its decimals settled, and whether it stands to the right.
struct settled_column {
    number_style numbers;
    bool right = false;
};
template <class = void>
inline settled_column settle_column(const report_table& table, std::size_t column) {
    settled_column out{table.columns[column].numbers, false};
    bool any_text = false;
    int most = 0;
    for (const auto& row : table.rows) {
        const auto& cell = row[column];
        any_text = any_text || (!cell.is_empty() && !cell.is_number());
        out.right = out.right || cell.is_number();
        const double shown = out.numbers.percent ? 100 * cell.number() : cell.number();
        if (cell.is_number()) most = std::max(most, is_plain(shown) ? decimals_needed(shown) : -1);
    }
    out.right = out.right && !any_text;
    if (out.numbers.decimals < 0 && most > 0) out.numbers.decimals = most;
    return out;
}

template <class = void>
inline void append_cell(std::string& out, const report_cell& cell, const settled_column& column, bool names_row) {
    out += names_row ? "<th scope=\"row\"" : "<td";
    out += column.right ? " class=\"number\">" : ">";
    if (cell.is_empty()) out += dash;
    else if (cell.is_number()) append_escaped(out, number_text(cell.number(), column.numbers));
    else append_escaped(out, cell.text());
    out += names_row ? "</th>" : "</td>";
}

}  // namespace detail

template <class>
inline void report_table::check() const {
    require(!columns.empty() && !rows.empty(), errc::empty_input, "report_table: ", columns.size(), " columns and ", rows.size(),
            " rows, at least one of each is needed");
    require(rows.size() <= most_rows, errc::limit_exceeded, "report_table: ", rows.size(), " rows, at most ", most_rows, " are shown");
    require(!emphasis || *emphasis < rows.size(), errc::bad_parameter, "report_table: emphasis = ", emphasis.value_or(0), ", there are ", rows.size(), " rows");
    for (std::size_t i = 0; i < rows.size(); ++i) {
        require_at(rows[i].size() == columns.size(), errc::shape_mismatch, {.row = i + 1}, "report_table: row ", i + 1, " has ", rows[i].size(),
                   " cells, there are ", columns.size(), " columns");
        for (std::size_t j = 0; j < columns.size(); ++j)
            require_at(std::isfinite(rows[i][j].number()), errc::nan_or_inf, {.row = i + 1, .column = j + 1}, "report_table: the number in row ", i + 1,
                       ", column ", j + 1, " is not finite");
    }
}

template <class>
inline std::string report_table::html() const {
    check();
    std::vector<detail::settled_column> settled;
    for (std::size_t j = 0; j < columns.size(); ++j) settled.push_back(detail::settle_column(*this, j));
    std::string out = "<table>";
    if (!caption.empty()) (out += "<caption>") += html_escape(caption) + "</caption>";
    out += "<thead><tr>";
    for (std::size_t j = 0; j < columns.size(); ++j) {
        out += settled[j].right ? "<th scope=\"col\" class=\"number\">" : "<th scope=\"col\">";
        detail::append_escaped(out, columns[j].title);
        out += "</th>";
    }
    out += "</tr></thead>\n<tbody>\n";
    for (std::size_t i = 0; i < rows.size(); ++i) {
        out += emphasis == i ? "<tr class=\"strong\">" : "<tr>";
        for (std::size_t j = 0; j < columns.size(); ++j) detail::append_cell(out, rows[i][j], settled[j], j == 0);
        out += "</tr>\n";
    }
    out += "</tbody></table>";
    return out;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
