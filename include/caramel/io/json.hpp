#ifndef CARAMEL_IO_JSON_HPP
#define CARAMEL_IO_JSON_HPP

// Reading JSON as a stream of events, strictly and within limits, and writing its strings and numbers. The only place
// that includes nlohmann-json, whose parser does the reading; no document is ever built in memory.

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#if !__has_include(<nlohmann/json.hpp>)
#error "saving and loading with caramel need the header of nlohmann-json 3.10 or newer (Debian, Ubuntu: apt install nlohmann-json3-dev)"
#include <nlohmann/json_fwd.hpp>  // as in core/matrix.hpp
#endif
#include <nlohmann/json.hpp>
#if NLOHMANN_JSON_VERSION_MAJOR == 3 && NLOHMANN_JSON_VERSION_MINOR < 10
#error "caramel needs nlohmann-json 3.10 or newer; this one is older"
#endif

#include <caramel/core/error.hpp>
#include <caramel/core/float_environment.hpp>
#include <caramel/core/utf8.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {
class json_events;
}

/// How much JSON may ask of its reader. Beyond: `json_too_deep` for the depth, else `limit_exceeded`.
struct json_limits {
    std::size_t bytes = std::size_t{16} << 20;         ///< of the whole text; at most 2^31 - 1
    std::size_t depth = 32;                            ///< open objects and arrays
    std::size_t nodes = 4'000'000;                     ///< values and keys
    std::size_t string_bytes = std::size_t{128} << 10; ///< of one string as it is written, with its escapes
};

/// Takes the events of `read_json`, in the order of the text. What a derived class does not take is refused
/// (`wrong_type`). Strings are UTF-8, unescaped, and may be moved from.
class json_handler {
   public:
    /// `who` begins every message; it must outlive the handler.
    explicit json_handler(std::string_view who) : who_(who) {}
    json_handler(const json_handler&) = delete;
    json_handler& operator=(const json_handler&) = delete;
    virtual ~json_handler() = default;

    virtual void null() { unexpected("null"); }
    virtual void boolean(bool) { unexpected("a boolean"); }
    virtual void negative(std::int64_t) { unexpected("a negative number"); }
    virtual void natural(std::uint64_t) { unexpected("a number"); }            ///< 0, 1, 2, ... written without fraction or exponent
    virtual void number(double) { unexpected("a number with a fraction"); }    ///< written with a fraction or an exponent
    virtual void string(std::string&) { unexpected("a string"); }
    virtual void begin_object() { unexpected("an object"); }
    virtual void key(std::string&) {}
    virtual void end_object() {}
    virtual void begin_array() { unexpected("an array"); }
    virtual void end_array() {}

   protected:
    /// How many bytes of the text have been read: the last one of what the event is about (of numbers, one more).
    [[nodiscard]] std::uint64_t byte() const noexcept { return byte_; }
    /// Called in `key`: the value that follows is read and checked, but not handed over.
    void skip_value() noexcept { skip_ = true; }
    /// Throws `error` with the place and a message that begins with `who`.
    template <class... Parts>
    [[noreturn]] CARAMEL_COLD void refuse(errc code, const Parts&... parts) const {
        fail(code, {.byte = byte_}, who_, ": ", parts..., " (byte ", byte_, ")");
    }

   private:
    friend class detail::json_events;
    [[noreturn]] CARAMEL_COLD void unexpected(std::string_view what) const { refuse(errc::wrong_type, what, " where something else belongs"); }

    std::string_view who_;
    std::uint64_t byte_ = 0;
    bool skip_ = false;
};

namespace detail {

/// The offset of the first byte that is not part of well-formed UTF-8, or `text.size()`.
[[nodiscard]] inline std::size_t first_bad_utf8(std::string_view text) noexcept { return std::min(find_bad_utf8(text), text.size()); }

// What nlohmann's parser calls: checks the limits and the keys, and passes on to the handler.
class json_events {
   public:
    template <class = void>
    json_events(std::string_view text, json_handler& handler, const json_limits& limits) : text_(text), handler_(handler), limits_(limits) {}

    /// Throws `error`; the whole text must be one JSON value.
    template <class = void>
    void run() {
        check_text();
        const std::size_t nul = std::min(text_.find('\0'), text_.size());  // which nlohmann takes for the end
        const errno_keeper keeper;                                         // its number parser uses errno
        const char* const first = text_.data();
        nlohmann::json::sax_parse(cursor{first, this}, cursor{first + nul, this}, this);
        handler_.byte_ = nul + 1;
        if (nul < text_.size()) handler_.refuse(errc::trailing_data, "bytes after the end of the JSON text");
        if (refused_) throw error(*refused_);
    }

    // The interface that nlohmann::json::sax_parse asks for.
    bool null() { return value([&] { handler_.null(); }); }
    bool boolean(bool x) { return value([&] { handler_.boolean(x); }); }
    bool number_integer(std::int64_t x) {
        return value([&] {
            if (x < 0) handler_.negative(x);
            else handler_.natural(static_cast<std::uint64_t>(x));  // -0
        });
    }
    bool number_unsigned(std::uint64_t x) { return value([&] { handler_.natural(x); }); }
    template <class = void>
    bool number_float(double x, const std::string& written) {
        const auto mantissa = std::string_view(written).substr(0, written.find_first_of("eE"));
        const bool fits = written.find_first_not_of("-0123456789") != std::string::npos &&  // an integer beyond 64 bits
                          (x != 0 || mantissa.find_first_of("123456789") == std::string_view::npos);
        if (!fits) handler_.refuse(errc::number_out_of_range, "a number beyond the number type");
        return value([&] { handler_.number(x); });
    }
    bool string(std::string& x) { return value([&] { handler_.string(x); }); }
    bool binary(nlohmann::json::binary_t&) { return false; }  // not in JSON
    template <class = void>
    bool start_object(std::size_t) {
        open([&] { handler_.begin_object(); });
        objects_.push_back({keys_.size(), unescaped_.size()});
        return true;
    }
    template <class = void>
    bool key(std::string& x) {
        count();
        if (!refused_) remember(x);  // a text that will be refused takes no more memory
        if (skip_below_ == 0) tell([&] { handler_.key(x); });
        return true;
    }
    bool end_object() {
        refuse_duplicates();
        close([&] { handler_.end_object(); });
        return true;
    }
    bool start_array(std::size_t) { return open([&] { handler_.begin_array(); }); }
    bool end_array() { return close([&] { handler_.end_array(); }); }
    bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& e) {
        if (complete_) handler_.refuse(errc::trailing_data, "text after the end of the JSON value");
        if (e.id == 406) handler_.refuse(errc::number_out_of_range, "a number beyond the number type");
        handler_.refuse(errc::bad_json, "not JSON");
    }

   private:
    // Reads bytes and tells the handler how far it is.
    struct cursor {
        using iterator_category = std::input_iterator_tag;
        using value_type = char;
        using difference_type = std::ptrdiff_t;
        using pointer = const char*;
        using reference = const char&;

        const char* at;
        json_events* events;

        reference operator*() const noexcept { return *at; }
        cursor& operator++() noexcept {
            ++at;
            events->handler_.byte_ = static_cast<std::uint64_t>(at - events->text_.data());
            return *this;
        }
        friend bool operator==(const cursor& a, const cursor& b) noexcept { return a.at == b.at; }
        friend bool operator!=(const cursor& a, const cursor& b) noexcept { return a.at != b.at; }
    };
    struct errno_keeper {
        int before = errno;
        errno_keeper() = default;
        errno_keeper(const errno_keeper&) = delete;
        errno_keeper& operator=(const errno_keeper&) = delete;
        ~errno_keeper() { errno = before; }
    };
    // A key of an open object: in the text itself, or among `unescaped_` when it was written with escapes.
    struct seen_key {
        std::uint32_t at, length : 31, was_escaped : 1, byte;
    };
    struct open_object {
        std::size_t first_key, first_unescaped;
    };

    static bool is_between_tokens(char c) noexcept {
        return c == ',' || c == ':' || c == '[' || c == ']' || c == '{' || c == '}' || c == ' ' || c == '\n' || c == '\r' || c == '\t';
    }
    // What must be known before anything else: that it is text, not too deep for any handler, and without a token too
    // long for the copies that nlohmann's lexer makes.
    template <class = void>
    void check_text() {
        handler_.byte_ = 1;
        if (text_.size() > std::min<std::size_t>(limits_.bytes, INT32_MAX))
            handler_.refuse(errc::limit_exceeded, text_.size(), " bytes of JSON, at most ", std::min<std::size_t>(limits_.bytes, INT32_MAX));
        if (text_.starts_with("\xEF\xBB\xBF")) handler_.refuse(errc::bad_json, "not JSON: a byte order mark");
        const std::size_t bad = first_bad_utf8(text_);
        handler_.byte_ = bad + 1;
        if (bad < text_.size()) handler_.refuse(errc::bad_utf8, "not UTF-8");
        constexpr std::size_t longest_number = 1024;
        bool inside = false;
        std::size_t length = 0, depth = 0;  // of the current string or number; of what is open
        for (std::size_t i = 0; i < text_.size(); ++i) {
            const char c = text_[i];
            ++length;
            if (inside && c == '\\') ++i, ++length;
            else if (c == '"') inside = !inside, length = 0;
            else if (!inside && is_between_tokens(c)) length = 0;
            if (!inside && (c == '{' || c == '[')) ++depth;
            if (!inside && (c == '}' || c == ']') && depth > 0) --depth;
            handler_.byte_ = i + 1;
            if (depth > limits_.depth) handler_.refuse(errc::json_too_deep, "more than ", limits_.depth, " objects and arrays within each other");
            if (inside && length > limits_.string_bytes) handler_.refuse(errc::limit_exceeded, "a string of more than ", limits_.string_bytes, " bytes");
            if (!inside && length > longest_number) handler_.refuse(errc::limit_exceeded, "a number or word of more than ", longest_number, " bytes");
        }
        handler_.byte_ = 0;
    }
    void count() {
        if (++nodes_ > limits_.nodes) handler_.refuse(errc::limit_exceeded, "more than ", limits_.nodes, " values and keys");
    }
    // What the handler refuses counts once the whole text has turned out to be JSON; it hears no more until then.
    template <class Call>
    void tell(Call call) {
        if (refused_) return;
        try {
            call();
        } catch (const error& e) {
            refused_.emplace(e);
        }
    }
    template <class Call>
    bool value(Call call) {
        count();
        if (skip_below_ == 0 && !std::exchange(handler_.skip_, false)) tell(call);
        complete_ = depth_ == 0;
        return true;
    }
    template <class Call>
    bool open(Call call) {
        count();
        ++depth_;
        if (skip_below_ == 0) {
            if (std::exchange(handler_.skip_, false)) skip_below_ = depth_;
            else tell(call);
        }
        return true;
    }
    template <class Call>
    bool close(Call call) {
        if (skip_below_ == 0) tell(call);
        else if (skip_below_ == depth_) skip_below_ = 0;
        complete_ = --depth_ == 0;
        return true;
    }

    [[nodiscard]] std::string_view text_of(const seen_key& k) const {
        return (k.was_escaped != 0 ? std::string_view(unescaped_) : text_).substr(k.at, k.length);
    }
    template <class = void>
    void remember(const std::string& name) {
        const std::size_t end = static_cast<std::size_t>(handler_.byte_) - 1;  // of the closing quote
        const bool plain = end >= name.size() && text_.substr(end - name.size(), name.size()) == name;
        keys_.push_back({static_cast<std::uint32_t>(plain ? end - name.size() : unescaped_.size()), static_cast<std::uint32_t>(name.size()) & INT32_MAX,
                         plain ? 0u : 1u, static_cast<std::uint32_t>(handler_.byte_)});
        if (!plain) unescaped_ += name;
    }
    // Once an object is complete, so that each key costs a few bytes and no search.
    template <class = void>
    void refuse_duplicates() {
        const auto first = keys_.begin() + static_cast<std::ptrdiff_t>(objects_.back().first_key);
        std::sort(first, keys_.end(), [&](const seen_key& a, const seen_key& b) {
            const int order = text_of(a).compare(text_of(b));
            return order < 0 || (order == 0 && a.byte < b.byte);
        });
        const auto twin = std::adjacent_find(first, keys_.end(), [&](const seen_key& a, const seen_key& b) { return text_of(a) == text_of(b); });
        if (twin != keys_.end()) {
            handler_.byte_ = std::next(twin)->byte;
            handler_.refuse(errc::duplicate_key, "a key that its object already has");
        }
        keys_.resize(objects_.back().first_key);
        unescaped_.resize(objects_.back().first_unescaped);
        objects_.pop_back();
    }

    std::string_view text_;
    json_handler& handler_;
    const json_limits& limits_;
    std::size_t nodes_ = 0, depth_ = 0, skip_below_ = 0;  // skip_below_: the depth of the container that is skipped
    bool complete_ = false;
    std::optional<error> refused_;
    std::deque<seen_key> keys_;  // grows without a copy
    std::vector<open_object> objects_;
    std::string unescaped_;
};

}  // namespace detail

/// Reads one JSON value (RFC 8259 to the letter: no comments, no trailing commas, no NaN, no byte order mark) and hands
/// its parts to `handler` as they come. Throws `error` with the byte in `where()`: `bad_json`, `bad_utf8`,
/// `trailing_data`, `duplicate_key` (also when equal only without escapes), `number_out_of_range` (integers beyond 64
/// bits; 1e999; 1e-999), `json_too_deep`, `limit_exceeded`; then the first `error` that the handler threw.
inline void read_json(std::string_view text, json_handler& handler, const json_limits& limits = {}) {
    const detail::standard_arithmetic as_written;
    detail::json_events(text, handler, limits).run();
}

/// Appends `text` as a JSON string with its quotes. Throws `error` (`bad_utf8`).
inline void append_json_string(std::string& out, std::string_view text) {
    const std::size_t bad = detail::first_bad_utf8(text);
    require_at(bad == text.size(), errc::bad_utf8, {.byte = bad + 1}, "json: a string to be written is not UTF-8");
    constexpr std::string_view digits = "0123456789abcdef";
    out += '"';
    for (const char c : text) {
        const auto code = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (code < 0x20 || code == 0x7F) {
            out += "\\u00";
            out += digits[code >> 4];
            out += digits[code & 15];
        } else {
            out += c;
        }
    }
    out += '"';
}

/// Appends the shortest text that reads back as the same number. Throws `error` (`nan_or_inf`).
template <class = void>
inline void append_json_number(std::string& out, double x) {
    require(std::isfinite(x), errc::nan_or_inf, "json: a number to be written is not finite");
    const detail::standard_arithmetic as_it_is;
    char digits[32];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, x).ptr);
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
