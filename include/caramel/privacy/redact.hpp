#ifndef CARAMEL_PRIVACY_REDACT_HPP
#define CARAMEL_PRIVACY_REDACT_HPP

// Texts without what points at a person: a stage between texts, and columns of a table. Uses the text family's stages and the data
// family's tables.

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/data/table.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/privacy/personal_data.hpp>
#include <caramel/text/aligned_text.hpp>
#include <caramel/text/utf8.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Puts a placeholder where `find_personal_data` finds something: `<email>`, `<phone>`, `<card>`, `<iban>`, `<chinese_id>`, `<ipv4>`. Texts to
/// texts: `redact() | squeeze_spaces() | word_tokenizer{}`. What was redacted is gone.
/// It finds what is written as such things are written, and no names, streets and birthdays.
class redact : public detail::edit_stage<redact> {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "redact";  // in saved files: never changes

    explicit redact(personal_kinds kinds = {}) : kinds_(kinds), bits_(kinds.bits()) {}
    /// From `personal_kinds::bits()`. Throws `error` (`bad_parameter`).
    explicit redact(std::uint64_t bits) : redact(personal_kinds::of_bits(bits)) {}
    [[nodiscard]] personal_kinds kinds() const noexcept { return kinds_; }
    /// What stands in the place of one.
    [[nodiscard]] static constexpr std::string_view with(personal_data found) noexcept {
        constexpr std::array<std::string_view, n_personal_data> placeholders{"<email>", "<phone>", "<card>", "<iban>", "<chinese_id>", "<ipv4>"};
        return placeholders[static_cast<std::size_t>(found)];
    }

    static constexpr std::array field_names{"kinds"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(bits_); }

   private:
    friend class detail::edit_stage<redact>;
    template <class Change>
    void edit(std::string_view text, const Change& change) const {
        detail::personal_text::scanner(text, kinds_).scan([&](const personal_span& span) { change(span.begin, span.end, with(span.kind)); });
    }
    personal_kinds kinds_;
    std::uint64_t bits_;
};

/// The table with these columns of texts redacted. Throws `error`: `missing_column`, `wrong_column_type`.
template <std::same_as<table> Table>
[[nodiscard]] Table redact_columns(const Table& from, const std::vector<std::string>& names, const redact& how = redact()) {
    for (const auto& name : names) (void)from.categories(name);
    Table out;
    for (const auto& name : from.names()) {
        const table_column& column = from.column(name);
        if (std::find(names.begin(), names.end(), name) == names.end()) {
            out.add_column(name, column);
            continue;
        }
        const auto cells = column.categories();
        const std::vector<std::string> levels = how(std::vector<std::string>(cells.levels.begin(), cells.levels.end()));
        std::vector<std::string> texts(cells.size());
        for (std::size_t i = 0; i < texts.size(); ++i)
            if (!column.missing(i)) texts[i] = levels[static_cast<std::size_t>(cells.codes[i])];
        out.add_column(name, table_column(texts, column.missing()));
    }
    return out;
}

/// In how many cells of a column something was found, one count a kind in the order of their numbers.
struct column_findings {
    std::string column;
    std::array<std::size_t, n_personal_data> cells{};
};

/// What is left in a table's columns of texts, before it is handed out: those in which something was found. Integers are looked at as their
/// digits. In time linear in the distinct texts.
template <std::same_as<table> Table>
[[nodiscard]] std::vector<column_findings> personal_data_in(const Table& from, personal_kinds kinds = {}) {
    std::vector<column_findings> out;
    for (const auto& name : from.names()) {
        const table_column& column = from.column(name);
        column_findings found{name, {}};
        const auto look = [&](std::string_view text, std::size_t times) {
            std::array<bool, n_personal_data> seen{};
            detail::personal_text::scanner(text, kinds).scan([&](const personal_span& span) { seen[static_cast<std::size_t>(span.kind)] = true; });
            for (std::size_t k = 0; k < seen.size(); ++k) found.cells[k] += seen[k] ? times : 0;
        };
        if (column.type() == column_type::category) {
            const auto cells = column.categories();
            std::vector<std::size_t> times(cells.levels.size());
            for (const std::int32_t code : cells.codes)
                if (code >= 0) ++times[static_cast<std::size_t>(code)];
            for (std::size_t level = 0; level < times.size(); ++level)
                if (times[level] > 0) look(cells.levels[level], times[level]);
        } else if (column.type() == column_type::integer) {
            for (std::size_t i = 0; i < column.size(); ++i)
                if (!column.missing(i)) look(detail::message(column.integers()[i]), 1);
        }
        if (std::any_of(found.cells.begin(), found.cells.end(), [](std::size_t n) { return n > 0; })) out.push_back(std::move(found));
    }
    return out;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
