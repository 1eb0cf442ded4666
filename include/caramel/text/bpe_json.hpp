#ifndef CARAMEL_TEXT_BPE_JSON_HPP
#define CARAMEL_TEXT_BPE_JSON_HPP

// Reading `vocab.json` and `merges.txt` (GPT-2's `encoder.json` and `vocab.bpe`). A header of its own: it needs io/.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/core/utf8.hpp>
#include <caramel/io/file.hpp>
#include <caramel/io/json.hpp>
#include <caramel/text/bpe.hpp>
#include <caramel/text/vocabulary.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// {"token": id, ...} with the ids 0, 1, 2, ... in any order.
class token_map_reader : public json_handler {
   public:
    using json_handler::json_handler;

    void begin_object() override {
        if (open_) return json_handler::begin_object();
        open_ = true;
    }
    void end_object() override { finish(); }
    void key(std::string& token) override {
        if (token.empty()) refuse(errc::empty_token, "an empty token");
        if (token.size() > vocabulary::max_token_bytes)
            refuse(errc::token_too_long, "a token of ", token.size(), " bytes, the limit is ", vocabulary::max_token_bytes);
        if (token.find('\0') != std::string::npos) refuse(errc::nul_byte, "a token with a zero byte");
        tokens_.push_back(std::move(token));
    }
    void natural(std::uint64_t id) override {
        if (!open_) return json_handler::natural(id);
        ids_.push_back(id);
    }
    void negative(std::int64_t x) override {
        if (!open_) return json_handler::negative(x);
        refuse(errc::bad_id, "a negative id");
    }
    void number(double x) override {
        if (!open_) return json_handler::number(x);
        refuse(errc::bad_id, "an id with a fraction or an exponent");
    }

    [[nodiscard]] std::vector<std::string> take() { return std::move(by_id_); }

   private:
    void finish() {
        by_id_.resize(tokens_.size());
        for (std::size_t i = 0; i < tokens_.size(); ++i) {
            if (ids_[i] >= tokens_.size()) refuse(errc::bad_id, "an id above those of ", tokens_.size(), " tokens, so that another one is missing");
            std::string& place = by_id_[static_cast<std::size_t>(ids_[i])];
            if (!place.empty()) refuse(errc::duplicate_id, "two tokens with one id");
            place = std::move(tokens_[i]);
        }
    }

    bool open_ = false;
    std::vector<std::string> tokens_, by_id_;
    std::vector<std::uint64_t> ids_;
};

}  // namespace detail

/// The tokens of a `vocab.json`: {"token": id, ...} with the ids from 0 on without a hole, in any order.
/// Throws `error` with the byte in `where()`: what `read_json` throws; `empty_input`, `wrong_type`, `bad_id`, `duplicate_id`,
/// `empty_token`, `token_too_long`, `nul_byte`.
[[nodiscard]] inline vocabulary parse_bpe_vocabulary(std::string_view json, const json_limits& limits = {}) {
    require(!json.empty(), errc::empty_input, "bpe vocabulary: the text is empty");
    detail::token_map_reader reader("bpe vocabulary");
    read_json(json, reader, limits);
    return vocabulary(reader.take());
}

/// The merges of a `merges.txt`, as `bpe_model` takes them: one a line, two tokens with a space between them; lines that
/// begin with "#version" say nothing. Lines end with LF or CR LF.
/// Throws `error` with the line in `where().row`: `empty_input`; `bad_utf8`; `nul_byte`; `bad_format` (not two tokens);
/// `bad_data` (a token, or what both make, is not in the vocabulary); `duplicate_token` (a merge that stands there twice).
[[nodiscard]] inline std::vector<token_id> parse_bpe_merges(std::string_view text, const vocabulary& tokens) {
    constexpr std::string_view who = "bpe merges";
    require(!text.empty(), errc::empty_input, who, ": the text is empty");
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    std::vector<token_id> merges;
    std::vector<std::pair<std::uint64_t, std::size_t>> seen;  // pairs and their lines
    std::string both;
    for (std::size_t line_number = 1; !text.empty(); ++line_number) {
        const place where{.row = line_number};
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.starts_with("#version")) continue;
        if (const std::size_t bad = find_bad_utf8(line); bad != std::string_view::npos)
            fail(errc::bad_utf8, {.row = line_number, .byte = bad + 1}, who, ": line ", line_number, " is not UTF-8 from byte ", bad + 1, " on");
        require_at(line.find('\0') == std::string_view::npos, errc::nul_byte, where, who, ": a zero byte in line ", line_number);
        const std::size_t space = line.find(' ');
        const bool is_pair = space != std::string_view::npos && space > 0 && space + 1 < line.size() && line.find(' ', space + 1) == std::string_view::npos;
        require_at(is_pair, errc::bad_format, where, who, ": line ", line_number, " is not two tokens with a space between them");
        const auto left = tokens.find(line.substr(0, space)), right = tokens.find(line.substr(space + 1));
        require_at(left && right, errc::bad_data, where, who, ": a token of line ", line_number, " is not in the vocabulary");
        both.assign(line.substr(0, space)).append(line.substr(space + 1));
        require_at(tokens.find(both).has_value(), errc::bad_data, where, who, ": what line ", line_number, " makes is not in the vocabulary");
        merges.push_back(*left);
        merges.push_back(*right);
        seen.emplace_back(std::uint64_t{static_cast<std::uint32_t>(*left)} << 32 | static_cast<std::uint32_t>(*right), line_number);
    }
    std::sort(seen.begin(), seen.end());
    const auto twin = std::adjacent_find(seen.begin(), seen.end(), [](const auto& a, const auto& b) { return a.first == b.first; });
    if (twin == seen.end()) return merges;
    fail(errc::duplicate_token, {.row = std::next(twin)->second}, who, ": line ", std::next(twin)->second, " repeats line ", twin->second);
}

/// A tokenizer from the texts of `vocab.json` and `merges.txt`. `special` are the texts of tokens that are found as they are
/// written, such as "<|endoftext|>"; those that the vocabulary has not get the ids behind it.
/// Throws `error`: as `parse_bpe_vocabulary`, `parse_bpe_merges` and `bpe_model`.
[[nodiscard]] inline bpe_model parse_bpe(std::string_view vocab_json, std::string_view merges_txt, const bpe_settings& settings = {},
                                         const std::vector<std::string>& special = {}, const json_limits& limits = {}) {
    vocabulary tokens = parse_bpe_vocabulary(vocab_json, limits);
    std::vector<token_id> merges = parse_bpe_merges(merges_txt, tokens);
    std::vector<bpe_added_token> added;
    auto next = static_cast<token_id>(tokens.size());
    for (const std::string& text : special) {
        const auto known = tokens.find(text);
        added.push_back({.text = text, .id = known ? *known : next++});
    }
    return {std::move(tokens), std::move(merges), std::move(added), {}, settings};
}
/// The same from two files. Throws `error`: as above, and `io`, `limit_exceeded`.
[[nodiscard]] inline bpe_model read_bpe(const file_path& vocab_json, const file_path& merges_txt, const bpe_settings& settings = {},
                                        const std::vector<std::string>& special = {}, const json_limits& limits = {}) {
    const auto text_of = [&](const file_path& path) {
        const auto bytes = read_file(path, limits.bytes, "read_bpe");
        return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    };
    return parse_bpe(text_of(vocab_json), text_of(merges_txt), settings, special, limits);
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
