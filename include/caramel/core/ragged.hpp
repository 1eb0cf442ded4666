#ifndef CARAMEL_CORE_RAGGED_HPP
#define CARAMEL_CORE_RAGGED_HPP

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Rows of different lengths in one piece of memory: row i is `values[starts[i]] .. values[starts[i + 1]]`.
template <class T>
class ragged {
   public:
    ragged() : starts_{0} {}
    /// Throws `error` (`bad_data`) unless `starts` rises from 0 to the number of values.
    ragged(std::vector<T> values, std::vector<std::int64_t> starts) : values_(std::move(values)), starts_(std::move(starts)) {
        bool rises = !starts_.empty() && starts_.front() == 0 && starts_.back() == static_cast<std::int64_t>(values_.size());
        for (std::size_t i = 1; rises && i < starts_.size(); ++i) rises = starts_[i - 1] <= starts_[i];
        require(rises, errc::bad_data, "ragged: the starts do not rise from 0 to the number of values");
    }

    [[nodiscard]] std::size_t size() const noexcept { return starts_.size() - 1; }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    [[nodiscard]] std::span<const T> operator[](std::size_t i) const noexcept {
        return {values_.data() + starts_[i], static_cast<std::size_t>(starts_[i + 1] - starts_[i])};
    }
    [[nodiscard]] const std::vector<T>& values() const noexcept { return values_; }
    [[nodiscard]] const std::vector<std::int64_t>& starts() const noexcept { return starts_; }

    /// Appends to the last row that is still open; `close_row` ends it.
    void push_back(const T& value) { values_.push_back(value); }
    void append_values(std::span<const T> values) { values_.insert(values_.end(), values.begin(), values.end()); }
    void close_row() { starts_.push_back(static_cast<std::int64_t>(values_.size())); }
    void append_row(std::span<const T> row) {
        values_.insert(values_.end(), row.begin(), row.end());
        close_row();
    }
    /// The rows of `other`, after these.
    void append(const ragged& other) {
        starts_.reserve(starts_.size() + other.size());
        values_.insert(values_.end(), other.values_.begin(), other.values_.end());
        const std::int64_t before = starts_.back();
        for (std::size_t i = 1; i < other.starts_.size(); ++i) starts_.push_back(before + other.starts_[i]);
    }
    /// Rows `begin` up to, not including, `end`, which the caller knows to be there.
    [[nodiscard]] ragged slice(std::size_t begin, std::size_t end) const {
        ragged out;
        for (std::size_t i = begin; i < end; ++i) out.append_row((*this)[i]);
        return out;
    }
    /// Rows in any order, also more than once. Throws `error` (`bad_parameter`) on a row that there is not.
    [[nodiscard]] ragged take_rows(std::span<const std::size_t> rows) const {
        ragged out;
        for (const std::size_t row : rows) {
            require(row < size(), errc::bad_parameter, "ragged: row number ", row, " (from 0) of ", size(), " rows");
            out.append_row((*this)[row]);
        }
        return out;
    }
    /// No rows any more; the memory is kept.
    void clear() noexcept {
        values_.clear();
        starts_.resize(1);
    }
    void reserve(std::size_t rows, std::size_t values) {
        starts_.reserve(rows + 1);
        values_.reserve(values);
    }

    friend bool operator==(const ragged&, const ragged&) = default;

   private:
    std::vector<T> values_;
    std::vector<std::int64_t> starts_;
};

/// The number of a word or piece of a word in a vocabulary.
using token_id = std::int32_t;

/// Texts as token ids. Layers size their tables from `vocabulary_size`, never from the largest id seen.
struct token_ids : ragged<token_id> {
    std::size_t vocabulary_size = 0;
    token_id unknown = 0;  ///< stands for every word outside the vocabulary
    token_id padding = 0;  ///< fills the ends of rows where a rectangle is needed; may equal `unknown`
    /// How much each token counts, one for each of `values()`, at least 0; empty = all 1. For `embedding_bag`; other stages take
    /// every token alike.
    std::vector<float> weights = {};

    template <class = void>
    [[nodiscard]] std::span<const float> weights_of(std::size_t i) const noexcept {
        if (weights.empty()) return {};
        return std::span(weights).subspan(static_cast<std::size_t>(starts()[i]), (*this)[i].size());
    }
    using ragged<token_id>::append_row;
    template <class = void>
    void append_row(std::span<const token_id> row, std::span<const float> row_weights) {
        append_row(row);
        weights.insert(weights.end(), row_weights.begin(), row_weights.end());
    }
    template <class = void>
    [[nodiscard]] token_ids slice(std::size_t begin, std::size_t end) const {
        token_ids out{ragged<token_id>::slice(begin, end), vocabulary_size, unknown, padding};
        if (!weights.empty()) out.weights.assign(weights.begin() + starts()[begin], weights.begin() + starts()[end]);
        return out;
    }
    template <class = void>
    [[nodiscard]] token_ids take_rows(std::span<const std::size_t> rows) const {
        return {ragged<token_id>::take_rows(rows), vocabulary_size, unknown, padding};
    }

    friend bool operator==(const token_ids&, const token_ids&) = default;
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
