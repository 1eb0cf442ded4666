#ifndef CARAMEL_TEXT_VOCABULARY_FILE_HPP
#define CARAMEL_TEXT_VOCABULARY_FILE_HPP

// vocab.txt: a token a line.

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/utf8.hpp>
#include <caramel/io/file.hpp>
#include <caramel/text/vocabulary.hpp>

namespace caramel::inline CARAMEL_ABI {

/// A token a line, ids from 0. A byte order mark is skipped; lines end with LF or CRLF, and nothing else of a line is taken
/// off: a space is a token.
/// Throws `error` with the line in `where().row`: `empty_input`, `bad_utf8`, `nul_byte`, `bare_cr`, and what `vocabulary`
/// throws (`empty_token`, `duplicate_token`, `token_too_long`).
template <std::same_as<std::string_view> Text>
[[nodiscard]] vocabulary parse_vocabulary(Text text) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    require(!text.empty(), errc::empty_input, "parse_vocabulary: there are no tokens");
    std::vector<std::string> tokens;
    for (std::size_t row = 1; !text.empty(); ++row) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (line.ends_with('\r') && end != std::string_view::npos) line.remove_suffix(1);
        const std::size_t bad = find_bad_utf8(line);
        require_at(bad == std::string_view::npos, errc::bad_utf8, {.row = row, .column = bad + 1}, "parse_vocabulary: line ", row, " is not UTF-8 from byte ",
                   bad + 1, " on");
        require_at(line.find('\0') == std::string_view::npos, errc::nul_byte, {.row = row}, "parse_vocabulary: line ", row, " holds a zero byte");
        require_at(line.find('\r') == std::string_view::npos, errc::bare_cr, {.row = row}, "parse_vocabulary: line ", row,
                   " holds a carriage return that ends no line");
        tokens.emplace_back(line);
    }
    return vocabulary(std::move(tokens));
}

/// The same from a file of at most 1 GiB. Throws `error`: `io`, `limit_exceeded`, and the above.
template <std::convertible_to<file_path> Path>
[[nodiscard]] vocabulary read_vocabulary(const Path& path) {
    const auto bytes = read_file(path, std::uint64_t{1} << 30, "read_vocabulary");
    return parse_vocabulary(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
