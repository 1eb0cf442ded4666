#ifndef CARAMEL_TEXT_WORD_VECTORS_HPP
#define CARAMEL_TEXT_WORD_VECTORS_HPP

// Words with their vectors, such as pretrained ones: what the readers of text/embedding_files.hpp give.

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>

#include <caramel/core/embedding_table.hpp>
#include <caramel/core/error.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/text/vocabulary.hpp>

namespace caramel::inline CARAMEL_ABI {

/// A vocabulary and a table with one row for each of its ids, reserved ones included.
template <class T>
class word_vectors {
   public:
    static constexpr std::string_view kind = "word_vectors";  // in saved files: never changes

    word_vectors() = default;
    /// Throws `error` (`shape_mismatch`) unless there are as many rows as ids.
    word_vectors(vocabulary words, embedding_table<T> table) : words_(std::move(words)), table_(std::move(table)) {
        require(words_.size() == table_.size(), errc::shape_mismatch, "word_vectors: ", words_.size(), " ids but ", table_.size(), " rows");
    }

    [[nodiscard]] std::size_t size() const noexcept { return table_.size(); }
    [[nodiscard]] std::size_t dim() const noexcept { return table_.dim(); }
    /// The vector of a word; nothing for one that is not there.
    [[nodiscard]] std::optional<std::span<const T>> find(std::string_view word) const noexcept {
        const auto id = words_.find(word);
        return id ? std::optional(table_[static_cast<std::size_t>(*id)]) : std::nullopt;
    }
    [[nodiscard]] const vocabulary& words() const noexcept { return words_; }
    [[nodiscard]] const embedding_table<T>& table() const noexcept { return table_; }

    static constexpr std::array field_names{"words", "table"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(words_, table_); }

   private:
    vocabulary words_;
    embedding_table<T> table_;
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
