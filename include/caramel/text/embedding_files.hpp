#ifndef CARAMEL_TEXT_EMBEDDING_FILES_HPP
#define CARAMEL_TEXT_EMBEDDING_FILES_HPP

// Word vectors in the formats of word2vec, GloVe and fastText. (Those in safetensors: text/embedding_safetensors.hpp.)

#include <algorithm>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/embedding_table.hpp>
#include <caramel/core/error.hpp>
#include <caramel/core/float_environment.hpp>
#include <caramel/core/string_numbers.hpp>
#include <caramel/core/tensor.hpp>
#include <caramel/core/utf8.hpp>
#include <caramel/io/file.hpp>
#include <caramel/text/vocabulary.hpp>
#include <caramel/text/word_vectors.hpp>

namespace caramel::inline CARAMEL_ABI {

/// How a file holds words and their vectors.
enum class embedding_format : std::uint8_t {
    word2vec_text,    ///< a line of rows and dimensions, then a line for each word: the word and its numbers; fastText's .vec, too
    word2vec_binary,  ///< the same first line, then for each word: the word, a space, floats, and a line's end or none
    glove_text,       ///< as word2vec_text without the first line
};

/// What to do with a word that stands in the file more than once.
enum class repeated_words : std::uint8_t { refuse, keep_first, keep_last };

/// What to do with a word that is not UTF-8.
enum class broken_words : std::uint8_t {
    refuse,
    replace,  ///< each byte that is not by U+FFFD
};

/// What is read of a file of word vectors, and what it may ask of its reader.
struct embedding_file_options {
    std::uint64_t max_rows = 0;  ///< the first rows of the file, in most files those of the most frequent words; 0 = all
    /// Only these words, with the ids that they have here; zeros for those that the file does not have. Without it, ids are
    /// given from `reserved` on in the order of the file.
    std::optional<vocabulary> only = std::nullopt;
    token_id reserved = 0;  ///< ids below this stand for no word (1 for the vocabulary of a `word_tokenizer_model`): zeros
    repeated_words repeated = repeated_words::refuse;
    broken_words broken = broken_words::refuse;
    std::size_t max_dim = 65'536;
    std::uint64_t max_file_bytes = std::uint64_t{64} << 30;
    std::uint64_t max_table_bytes = std::uint64_t{16} << 30;  ///< of the table that comes out
};

namespace detail {

// What blocks are read from: bytes in memory, or a file.
class memory_blocks {
   public:
    explicit memory_blocks(std::string_view bytes) noexcept : bytes_(bytes), size_(bytes.size()) {}
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
    template <class = void>
    std::size_t get(char* to, std::size_t n) noexcept {
        n = std::min(n, bytes_.size());
        std::copy_n(bytes_.data(), n, to);
        bytes_.remove_prefix(n);
        return n;
    }

   private:
    std::string_view bytes_;
    std::uint64_t size_;
};
template <std::same_as<file_path> Path>
class file_blocks {
   public:
    file_blocks(const Path& path, std::uint64_t limit, std::string_view who) : path_(path), who_(who) {
#if CARAMEL_POSIX_FILES
        file_.open(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
        if (!file_.is_open()) fail_file(who, path, "cannot open", errno);
        struct stat info {};
        if (::fstat(file_.get(), &info) != 0) fail_file(who, path, "cannot open", errno);
        if (!S_ISREG(info.st_mode)) fail_file(who, path, "not a regular file");
        size_ = static_cast<std::uint64_t>(info.st_size);
#else
        std::error_code problem;
        if (!std::filesystem::is_regular_file(path.string(), problem)) fail_file(who, path, "not a regular file");
        size_ = std::filesystem::file_size(path.string(), problem);
        file_.reset(std::fopen(path.c_str(), "rb"));
        if (problem || !file_) fail_file(who, path, "cannot open");
#endif
        require(size_ <= limit, errc::limit_exceeded, who, ": a file of ", size_, " bytes, at most ", limit, " are read: ", path.string());
    }
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
    std::size_t get(char* to, std::size_t n) {
#if CARAMEL_POSIX_FILES
        return read_some(file_.get(), reinterpret_cast<std::byte*>(to), std::min(n, file_block), who_, path_);
#else
        return std::fread(to, 1, std::min(n, file_block), file_.get());
#endif
    }

   private:
    const Path& path_;
    std::string_view who_;
#if CARAMEL_POSIX_FILES
    descriptor file_;
#else
    stream_file file_;
#endif
    std::uint64_t size_ = 0;
};

// Lines and pieces of what is read in blocks.
template <class Blocks>
class block_reader {
   public:
    explicit block_reader(Blocks& from) : from_(from) {}
    /// How many bytes were taken.
    [[nodiscard]] std::uint64_t at() const noexcept { return before_ + begin_; }
    /// How many can still come, as the size was in the beginning.
    [[nodiscard]] std::uint64_t left() const noexcept { return from_.size() - std::min(from_.size(), at()); }

    /// Bytes up to `stop`, which is taken and left out; nothing if there is none within `most` bytes.
    std::optional<std::string_view> until(char stop, std::size_t most) {
        std::size_t looked = 0;
        for (;;) {
            const std::size_t some = std::min(buffer_.size() - begin_, most + 1);
            const void* const found = some > looked ? std::memchr(buffer_.data() + begin_ + looked, stop, some - looked) : nullptr;
            if (found != nullptr) {
                const auto length = static_cast<std::size_t>(static_cast<const char*>(found) - (buffer_.data() + begin_));
                const std::string_view out(buffer_.data() + begin_, length);
                begin_ += length + 1;
                return out;
            }
            looked = some;
            if (some > most || !more()) return std::nullopt;
        }
    }
    /// The next `n` bytes, or fewer at the end; they are not taken.
    [[nodiscard]] std::string_view peek(std::size_t n) {
        while (buffer_.size() - begin_ < n && more()) {
        }
        return std::string_view(buffer_).substr(begin_, n);
    }
    void skip(std::size_t n) noexcept { begin_ += n; }

   private:
    bool more() {
        if (begin_ > 0) {
            buffer_.erase(0, begin_);
            before_ += std::exchange(begin_, 0);
        }
        const std::size_t had = buffer_.size();
        const std::uint64_t rest = from_.size() - std::min<std::uint64_t>(from_.size(), before_ + had);
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(file_block, rest + 1));
        buffer_.resize(had + wanted);
        const std::size_t got = from_.get(buffer_.data() + had, wanted);
        buffer_.resize(had + got);
        return got > 0;
    }
    Blocks& from_;
    std::string buffer_;
    std::size_t begin_ = 0;
    std::uint64_t before_ = 0;
};

template <class T, class Blocks>
class embedding_reader {
   public:
    static constexpr std::string_view who = "read_embeddings";

    embedding_reader(Blocks& from, embedding_format format, const embedding_file_options& options) : o_(options), format_(format), in_(from) {
        require(format <= embedding_format::glove_text, errc::bad_parameter, who, ": no format has the number ", static_cast<unsigned>(format));
        require(o_.reserved >= 0, errc::bad_parameter, who, ": reserved = ", o_.reserved, ", must be at least 0");
        require(o_.max_dim > 0, errc::bad_parameter, who, ": max_dim = 0, must be at least 1");
    }
    word_vectors<T> run() {
        if (format_ != embedding_format::glove_text) header();
        if (o_.only && dim_ > 0) prepare();
        for (std::uint64_t n = 0; !enough(n); ++n) {
            if (format_ == embedding_format::word2vec_binary) {
                binary_row(n + 1);
            } else if (!text_row()) {
                require_at(format_ == embedding_format::glove_text, errc::truncated, here(), who, ": ", rows_, " rows were announced, the file ends behind ",
                           n);
                break;
            }
        }
        require(dim_ > 0, errc::empty_input, who, ": no vectors");
        return result();
    }

   private:
    [[nodiscard]] place here() const noexcept { return {.row = line_, .byte = in_.at() + 1}; }
    [[nodiscard]] std::size_t longest_line() const noexcept { return vocabulary::max_token_bytes + 64 * (dim_ > 0 ? dim_ : o_.max_dim) + 2; }
    [[nodiscard]] bool enough(std::uint64_t n) {
        if (o_.max_rows > 0 && n == o_.max_rows) return true;
        if (format_ == embedding_format::glove_text || n < rows_) return false;
        std::string_view rest = in_.peek(2);  // behind the last row: nothing, or the end of its line
        if (rest.starts_with('\n')) rest.remove_prefix(1);
        require_at(rest.empty(), errc::trailing_data, here(), who, ": ", rows_, " rows were announced, and the file goes on behind them");
        return true;
    }

    // The line up to its end, which must be there: without it the last number may have lost digits.
    [[nodiscard]] std::optional<std::string_view> line() {
        ++line_;
        const place begin = here();
        const auto out = in_.until('\n', longest_line());
        if (!out && in_.peek(1).empty()) return std::nullopt;
        require_at(out.has_value(), in_.left() > longest_line() ? errc::limit_exceeded : errc::truncated, begin, who, ": line ", line_,
                   in_.left() > longest_line() ? " is longer than its words and numbers can be" : " has no end");
        return out;
    }
    void header() {
        const place begin{.row = 1, .byte = 1};
        ++line_;
        auto text = in_.until('\n', 64);
        if (!text) fail(in_.peek(65).size() > 64 ? errc::bad_format : errc::truncated, begin, who, ": no line of rows and dimensions at the beginning");
        while (text->ends_with('\r') || text->ends_with(' ')) text->remove_suffix(1);
        const char *const first = text->data(), *const last = first + text->size();
        std::uint64_t dim = 0;
        auto [at, problem] = std::from_chars(first, last, rows_);
        bool fine = problem == std::errc{} && at != last && (*at == ' ' || *at == '\t');
        if (fine) {
            const auto [end, other] = std::from_chars(at + 1, last, dim);
            fine = other == std::errc{} && end == last;
        }
        require_at(fine, errc::bad_format, begin, who, ": the first line is not the number of rows and dimensions");
        require_at(dim > 0 && dim <= o_.max_dim, errc::limit_exceeded, begin, who, ": ", dim, " dimensions, must lie in 1 .. ", o_.max_dim);
        dim_ = static_cast<std::size_t>(dim);
        // A row has a word of a byte at least and a space, and then floats, or digits with spaces between.
        const std::uint64_t least = format_ == embedding_format::word2vec_binary ? 2 + 4 * dim : 2 + 2 * dim - 1;
        require_at(rows_ <= in_.left() / least, errc::truncated, begin, who, ": ", rows_, " rows of ", dim, " dimensions are more than the file's ", in_.left(),
                   " bytes can hold");
    }
    void prepare() {
        require_table_size(o_.only->size());
        numbers_.assign(o_.only->size() * dim_, T(0));
        seen_.assign(o_.only->size(), false);
    }
    void require_table_size(std::uint64_t rows) const {
        const std::uint64_t most = o_.max_table_bytes / sizeof(T) / dim_;
        require_at(rows <= most, errc::limit_exceeded, here(), who, ": more than ", most, " rows of ", dim_,
                   " numbers are more than max_table_bytes = ", o_.max_table_bytes);
    }

    bool text_row() {
        const place begin{.row = line_ + 1, .byte = in_.at() + 1};
        const auto found = line();
        if (!found) return false;
        std::string_view text = *found;
        while (text.ends_with(' ') || text.ends_with('\r') || text.ends_with('\t')) text.remove_suffix(1);
        const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
        if (dim_ == 0) {  // GloVe: the first line tells
            dim_ = static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_blank));
            require_at(dim_ > 0 && dim_ <= o_.max_dim, errc::bad_format, begin, who, ": line 1 has ", dim_, " numbers, must be 1 .. ", o_.max_dim);
            if (o_.only) prepare();
        }
        // From the right, since some words of GloVe have spaces in them.
        std::size_t word_end = text.size();
        for (std::size_t j = 0; j < dim_; ++j) {
            while (word_end > 0 && !is_blank(text[word_end - 1])) --word_end;
            require_at(word_end > 0, errc::ragged_row, begin, who, ": line ", begin.row, " has ", j, " numbers behind its word, must be ", dim_);
            --word_end;
        }
        T* const out = room_for(text.substr(0, word_end), begin);
        if (out == nullptr) return true;
        const char *at = text.data() + word_end, *const last = text.data() + text.size();
        for (std::size_t j = 0; j < dim_; ++j) {
            double value = 0;
            const auto [end, problem] = std::from_chars(at + 1, last, value);
            const place where{.row = begin.row, .column = j + 1, .byte = begin.byte + static_cast<std::uint64_t>(at + 1 - text.data())};
            require_at(problem != std::errc::result_out_of_range, errc::number_out_of_range, where, who, ": line ", begin.row, ", number ", j + 1,
                       ", is beyond the range of double");
            require_at(problem == std::errc{} && (end == last || is_blank(*end)), errc::bad_number, where, who, ": line ", begin.row, ", number ", j + 1,
                       ", is not a number");
            out[j] = checked(value, where);
            at = end;
        }
        return true;
    }
    void binary_row(std::uint64_t number) {
        line_ = number;
        while (in_.peek(1) == "\n") in_.skip(1);  // the end of the row before; word2vec and gensim leave all of them out, too
        const place begin = here();
        const auto word = in_.until(' ', vocabulary::max_token_bytes);
        if (!word)  // looking further would move the word away
            fail(in_.peek(vocabulary::max_token_bytes + 1).size() > vocabulary::max_token_bytes ? errc::token_too_long : errc::truncated, begin, who, ": row ",
                 number, " has no end of its word within ", vocabulary::max_token_bytes, " bytes");
        T* const out = room_for(*word, begin);
        const place where = here();
        const std::string_view bytes = in_.peek(4 * dim_);
        require_at(bytes.size() == 4 * dim_, errc::truncated, where, who, ": row ", number, " ends behind ", bytes.size(), " bytes of ", 4 * dim_);
        for (std::size_t j = 0; j < dim_ && out != nullptr; ++j) {
            float value = 0;
            std::memcpy(&value, bytes.data() + 4 * j, sizeof value);
            out[j] = checked(value, {.row = number, .column = j + 1, .byte = where.byte + 4 * j});
        }
        in_.skip(bytes.size());
    }
    template <class Number>
    [[nodiscard]] T checked(Number value, const place& where) const {
        require_at(std::isfinite(value), errc::nan_or_inf, where, who, ": row ", where.row, ", number ", where.column, ", is not finite");
        require_at(std::abs(value) <= static_cast<Number>(std::numeric_limits<T>::max()) || sizeof(Number) < sizeof(T), errc::number_out_of_range, where, who,
                   ": row ", where.row, ", number ", where.column, ", is beyond the number type");
        return static_cast<T>(value);
    }

    // Where the word's numbers go; null for a word that is left out.
    [[nodiscard]] T* room_for(std::string_view word, const place& begin) {
        require_at(!word.empty(), errc::empty_token, begin, who, ": row ", begin.row, " has an empty word");
        require_at(word.size() <= vocabulary::max_token_bytes, errc::token_too_long, begin, who, ": the word of row ", begin.row, " has ", word.size(),
                   " bytes, the limit is ", vocabulary::max_token_bytes);
        if (const std::size_t bad = find_bad_utf8(word); bad != std::string_view::npos) {
            require_at(o_.broken == broken_words::replace, errc::bad_utf8, {.row = begin.row, .byte = begin.byte + bad}, who, ": the word of row ", begin.row,
                       " is not UTF-8 from its byte ", bad + 1, " on");
            word = repaired(word);
            require_at(word.size() <= vocabulary::max_token_bytes, errc::token_too_long, begin, who, ": the word of row ", begin.row, " has ", word.size(),
                       " bytes when repaired, the limit is ", vocabulary::max_token_bytes);
        }
        bool is_new = false;
        std::size_t row = 0;
        if (o_.only) {
            const auto id = o_.only->find(word);
            if (!id) return nullptr;
            row = static_cast<std::size_t>(*id);
            is_new = !seen_[row];
            seen_[row] = true;
        } else {
            const auto inserted = names_.insert(word);
            is_new = inserted.second;
            row = inserted.first;
        }
        if (!is_new) {
            require_at(o_.repeated != repeated_words::refuse, errc::duplicate_token, begin, who, ": the word of row ", begin.row, " stood there before");
            if (o_.repeated == repeated_words::keep_first) return nullptr;
        } else if (!o_.only) {
            require_table_size(row + 1 + static_cast<std::uint64_t>(o_.reserved));
            numbers_.resize((row + 1) * dim_);
        }
        return numbers_.data() + row * dim_;
    }
    [[nodiscard]] std::string_view repaired(std::string_view word) {
        repaired_.clear();
        for (std::size_t at = 0; at < word.size();) {
            const std::size_t length = utf8_sequence_length(word.data() + at, word.size() - at);
            if (length == 0) repaired_ += "\xEF\xBF\xBD";
            else repaired_ += word.substr(at, length);
            at += std::max<std::size_t>(length, 1);
        }
        return repaired_;
    }
    [[nodiscard]] word_vectors<T> result() {
        const std::size_t before = o_.only ? 0 : static_cast<std::size_t>(o_.reserved);
        auto table = make_tensor<T, 2>({before + numbers_.size() / dim_, dim_});
        std::copy(numbers_.begin(), numbers_.end(), table.data() + before * dim_);
        numbers_ = {};
        return {o_.only ? *o_.only : vocabulary(names_.texts(), o_.reserved), embedding_table<T>(std::move(table))};
    }

    const embedding_file_options& o_;
    embedding_format format_;
    block_reader<Blocks> in_;
    std::uint64_t rows_ = 0, line_ = 0;
    std::size_t dim_ = 0;
    string_numbers<> names_;
    std::vector<bool> seen_;
    std::vector<T> numbers_;
    std::string repaired_;
};

}  // namespace detail

/// Reads word vectors from a regular file, in blocks; memory is taken for what has come, never for what is announced.
/// A text must end with the end of a line, since a cut number is a number, too. Throws `error` with the row (the line of a
/// text; of a binary file the word's number), the number's column, and the byte: `bad_format`, `truncated`, `trailing_data`,
/// `ragged_row`, `bad_number`, `number_out_of_range`, `nan_or_inf`, `bad_utf8`, `empty_token`, `token_too_long`,
/// `duplicate_token`, `empty_input`, `limit_exceeded`, `io`.
template <class T, std::convertible_to<file_path> Path>
[[nodiscard]] word_vectors<T> read_embeddings(const Path& path, embedding_format format, const embedding_file_options& options = {}) {
    const file_path name(path);
    detail::file_blocks<file_path> blocks(name, options.max_file_bytes, "read_embeddings");
    const detail::standard_arithmetic as_written;
    return detail::embedding_reader<T, detail::file_blocks<file_path>>(blocks, format, options).run();
}
/// The same for the bytes of a file in memory.
template <class T>
[[nodiscard]] word_vectors<T> parse_embeddings(std::string_view bytes, embedding_format format, const embedding_file_options& options = {}) {
    detail::memory_blocks blocks(bytes);
    const detail::standard_arithmetic as_written;
    return detail::embedding_reader<T, detail::memory_blocks>(blocks, format, options).run();
}

namespace detail {
// Whether a reader takes the whole word for one: binary words end at a space, the others at a line end, and from GloVe's first
// line the number of dimensions is told by its spaces.
[[nodiscard]] inline bool embedding_file_holds(std::string_view word, embedding_format format, bool is_first) noexcept {
    if (format == embedding_format::word2vec_binary) return word.find(' ') == std::string_view::npos && !word.starts_with('\n');
    const bool one_line = word.find('\n') == std::string_view::npos;
    return one_line && (format != embedding_format::glove_text || !is_first || word.find_first_of(" \t") == std::string_view::npos);
}
}  // namespace detail

/// The bytes of a file in one of the formats; reserved ids are left out. What is read from them has the same bits
/// (binary: those of float). Throws `error`: `bad_data` with the word's row for a word that the format cannot hold (binary:
/// a space, or a line end as its first byte; text: a line end; GloVe: a space or tab in its first word).
template <class T>
[[nodiscard]] std::string format_embeddings(const word_vectors<T>& vectors, embedding_format format) {
    const detail::standard_arithmetic as_they_are;
    std::string out;
    const auto reserved = static_cast<std::size_t>(vectors.words().reserved());
    if (format != embedding_format::glove_text) out = detail::message(vectors.size() - reserved, ' ', vectors.dim(), '\n');
    for (std::size_t i = reserved; i < vectors.size(); ++i) {
        const std::string_view word = vectors.words()[static_cast<token_id>(i)];
        require_at(detail::embedding_file_holds(word, format, i == reserved), errc::bad_data, {.row = i + 1 - reserved}, "format_embeddings: word ",
                   i + 1 - reserved, " holds a space or a line end, which this format cannot keep");
        out += word;
        if (format == embedding_format::word2vec_binary) out += ' ';
        for (const T x : vectors.table()[i]) {
            if (format == embedding_format::word2vec_binary) {
                const auto value = static_cast<float>(x);
                char bytes[sizeof value];
                std::memcpy(bytes, &value, sizeof value);
                out.append(bytes, sizeof bytes);
            } else {
                out += ' ';
                detail::append_part(out, x);
            }
        }
        out += '\n';
    }
    return out;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
