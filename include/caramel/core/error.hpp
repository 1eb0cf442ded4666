#ifndef CARAMEL_CORE_ERROR_HPP
#define CARAMEL_CORE_ERROR_HPP

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include <caramel/core/platform.hpp>

namespace caramel::inline CARAMEL_ABI {

/// What went wrong, for code that must branch on it; `what()` is for people. Numbers never change.
enum class errc : std::uint16_t {
    // arguments
    shape_mismatch = 1,       ///< two sizes that must agree do not
    bad_parameter = 2,        ///< a hyperparameter is outside its documented range
    bad_data = 3,             ///< values that cannot be learnt from (an unknown label, one class only, ...)
    diverged = 4,             ///< training left the finite numbers; nothing was kept
    unknown_id = 5,           ///< a customer, item, state or action that the model has never seen
    bad_format = 6,           ///< a saved file that is not what it should be
    unsupported_version = 7,  ///< a saved file from a newer library
    limit_exceeded = 8,       ///< larger than a stated limit; nothing was allocated for it
    io = 9,                   ///< the operating system refused to open, read or write
    // data
    empty_input = 20,
    too_few_rows = 21,
    nan_or_inf = 22,
    bad_utf8 = 23,
    nul_byte = 24,
    // CSV
    ragged_row = 40,
    unterminated_quote = 41,
    bad_quote = 42,
    bare_cr = 43,
    missing_value = 44,
    missing_column = 45,
    duplicate_column = 46,
    bad_number = 47,
    number_out_of_range = 48,
    bad_time = 49,
    wrong_column_type = 50,
    // JSON and safetensors
    truncated = 60,
    bad_header_length = 61,
    header_too_large = 62,
    bad_json = 63,
    json_too_deep = 64,
    duplicate_key = 65,
    unknown_key = 66,
    missing_key = 67,
    wrong_type = 68,
    bad_dtype = 69,
    shape_overflow = 70,
    too_many_dims = 71,
    offset_out_of_range = 72,
    offset_mismatch = 73,
    size_mismatch = 74,
    trailing_data = 75,
    checksum_mismatch = 76,
    // vocabularies and tokenizers
    missing_unk = 90,
    empty_token = 91,
    duplicate_token = 92,
    token_too_long = 93,
    bad_id = 94,
    duplicate_id = 95,
    unsupported_model = 96,
};

/// The name of a code as written in `errc`, such as "ragged_row"; "unknown" for a number that is none.
[[nodiscard]] constexpr std::string_view name_of(errc code) noexcept {
    switch (code) {
        case errc::shape_mismatch: return "shape_mismatch";
        case errc::bad_parameter: return "bad_parameter";
        case errc::bad_data: return "bad_data";
        case errc::diverged: return "diverged";
        case errc::unknown_id: return "unknown_id";
        case errc::bad_format: return "bad_format";
        case errc::unsupported_version: return "unsupported_version";
        case errc::limit_exceeded: return "limit_exceeded";
        case errc::io: return "io";
        case errc::empty_input: return "empty_input";
        case errc::too_few_rows: return "too_few_rows";
        case errc::nan_or_inf: return "nan_or_inf";
        case errc::bad_utf8: return "bad_utf8";
        case errc::nul_byte: return "nul_byte";
        case errc::ragged_row: return "ragged_row";
        case errc::unterminated_quote: return "unterminated_quote";
        case errc::bad_quote: return "bad_quote";
        case errc::bare_cr: return "bare_cr";
        case errc::missing_value: return "missing_value";
        case errc::missing_column: return "missing_column";
        case errc::duplicate_column: return "duplicate_column";
        case errc::bad_number: return "bad_number";
        case errc::number_out_of_range: return "number_out_of_range";
        case errc::bad_time: return "bad_time";
        case errc::wrong_column_type: return "wrong_column_type";
        case errc::truncated: return "truncated";
        case errc::bad_header_length: return "bad_header_length";
        case errc::header_too_large: return "header_too_large";
        case errc::bad_json: return "bad_json";
        case errc::json_too_deep: return "json_too_deep";
        case errc::duplicate_key: return "duplicate_key";
        case errc::unknown_key: return "unknown_key";
        case errc::missing_key: return "missing_key";
        case errc::wrong_type: return "wrong_type";
        case errc::bad_dtype: return "bad_dtype";
        case errc::shape_overflow: return "shape_overflow";
        case errc::too_many_dims: return "too_many_dims";
        case errc::offset_out_of_range: return "offset_out_of_range";
        case errc::offset_mismatch: return "offset_mismatch";
        case errc::size_mismatch: return "size_mismatch";
        case errc::trailing_data: return "trailing_data";
        case errc::checksum_mismatch: return "checksum_mismatch";
        case errc::missing_unk: return "missing_unk";
        case errc::empty_token: return "empty_token";
        case errc::duplicate_token: return "duplicate_token";
        case errc::token_too_long: return "token_too_long";
        case errc::bad_id: return "bad_id";
        case errc::duplicate_id: return "duplicate_id";
        case errc::unsupported_model: return "unsupported_model";
    }
    return "unknown";
}

/// Where it went wrong. Everything counts from 1; 0 means unknown or not applicable.
struct place {
    std::uint64_t row = 0;     ///< of a file (the header is row 1) or of a matrix
    std::uint64_t column = 0;  ///< of a file or of a matrix
    std::uint64_t byte = 0;    ///< of a file
    std::uint64_t stage = 0;   ///< of a chain

    friend bool operator==(const place&, const place&) = default;
};

/// The only exception type that caramel throws (`std::bad_alloc` and what a host's own callbacks throw pass through).
/// Messages name the function, the place and the sizes; never a cell, an id or a token of the data.
class CARAMEL_EXPORT error : public std::runtime_error {
   public:
    using enum errc;  ///< `error::ragged_row`, for those who say `using namespace std`, where `errc` alone is ambiguous

    error(errc code, const std::string& what, place where = {}) : std::runtime_error(what), code_(code), where_(where) {}
    [[nodiscard]] errc code() const noexcept { return code_; }
    [[nodiscard]] const place& where() const noexcept { return where_; }

   private:
    errc code_;
    place where_;
};

namespace detail {

// Numbers by `to_chars`: the same text under every locale.
template <class Part>
void append_part(std::string& out, const Part& part) {
    if constexpr (std::same_as<Part, bool>) {
        out += part ? "true" : "false";
    } else if constexpr (std::same_as<Part, char>) {
        out += part;
    } else if constexpr (std::is_arithmetic_v<Part>) {
        char digits[32];
        const auto end = std::to_chars(digits, digits + sizeof digits, part).ptr;
        out.append(digits, end);
    } else {
        out += std::string_view(part);
    }
}

template <class... Parts>
[[nodiscard]] std::string message(const Parts&... parts) {
    std::string out;
    (append_part(out, parts), ...);
    return out;
}

}  // namespace detail

/// Throws `error` with a message of the parts, one after the other.
template <class... Parts>
[[noreturn]] CARAMEL_COLD void fail(errc code, const place& where, const Parts&... parts) {
    throw error(code, detail::message(parts...), where);
}

/// Throws `error` unless `ok`. The message should name the function and both quantities.
template <class... Parts>
void require(bool ok, errc code, const Parts&... parts) {
    if (!ok) [[unlikely]]
        fail(code, place{}, parts...);
}

/// The same, with the place in `where()`.
template <class... Parts>
void require_at(bool ok, errc code, const place& where, const Parts&... parts) {
    if (!ok) [[unlikely]]
        fail(code, where, parts...);
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
