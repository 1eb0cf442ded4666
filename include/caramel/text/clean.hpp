#ifndef CARAMEL_TEXT_CLEAN_HPP
#define CARAMEL_TEXT_CLEAN_HPP

// Stages that clean texts, each of one thing: markup, addresses, repeated characters, emoji, widths, spaces. They learn
// nothing and stand in front of a tokenizer: `decode_entities() | remove_html() | squeeze_spaces() | word_tokenizer{}`. All take
// time linear in the text, whatever it holds, and all also map an `aligned_text`, which knows its way back to the original.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include <caramel/core/error.hpp>
#include <caramel/core/utf8.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/text/aligned_text.hpp>
#include <caramel/text/html_entities.hpp>
#include <caramel/text/unicode.hpp>
#include <caramel/text/utf8.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

constexpr bool ascii_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool ascii_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool ascii_alnum(char c) noexcept { return ascii_digit(c) || ascii_letter(c); }
constexpr char ascii_lower(char c) noexcept { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); }

// Whether `lower`, which is in lower case, stands at `at`, in any case.
template <class Text>
[[nodiscard]] bool stands_at(Text text, std::size_t at, std::string_view lower) noexcept {
    if (text.size() - at < lower.size()) return false;
    for (std::size_t i = 0; i < lower.size(); ++i)
        if (ascii_lower(text[at + i]) != lower[i]) return false;
    return true;
}

// White_Space, the zero-width space and the byte order mark.
constexpr bool is_space(char32_t c) noexcept {
    return c == U' ' || (c >= 0x9 && c <= 0xD) || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200B) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000 || c == 0xFEFF;
}

// What stages that put a text in the place of another have in common.
template <class Stage>
class replacing_stage : public edit_stage<Stage> {
   public:
    using stage_concept = model_tag;
    [[nodiscard]] const std::string& with() const noexcept { return with_; }

    static constexpr std::array field_names{"with"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(with_); }

   protected:
    explicit replacing_stage(std::string with) : with_(std::move(with)) {
        require(is_utf8_text(with_), errc::bad_utf8, Stage::kind, ": what to write instead is not UTF-8");
    }

   private:
    std::string with_;
};

// Stages without options.
template <class Stage>
class plain_edit_stage : public edit_stage<Stage> {
   public:
    using stage_concept = model_tag;
    static constexpr std::array<const char*, 0> field_names{};
    [[nodiscard]] std::tuple<> fields() const noexcept { return {}; }
};

}  // namespace detail

/// Invalid UTF-8 becomes valid, as `repair_utf8` does it; the other stages refuse it. Also for what a file or a socket gave.
class repair_text : public detail::plain_edit_stage<repair_text> {
   public:
    static constexpr std::string_view kind = "repair_text";  // in saved files: never changes
    static constexpr bool takes_invalid_text = true;

   private:
    friend class detail::edit_stage<repair_text>;
    template <class Change>
    void edit(std::string_view text, const Change& change) const {
        for (std::size_t at = 0;;) {
            const std::size_t bad = find_bad_utf8(text.substr(at));
            if (bad == std::string_view::npos) return;
            const std::size_t begin = at + bad;
            at = begin + detail::bad_utf8_length(text.data() + begin, text.size() - begin);
            change(begin, at, "\xEF\xBF\xBD");
        }
    }
};

/// Character references of HTML: the names of HTML 4 and &apos;, and numbers (&#8364; &#x20AC;), all with their semicolon. Numbers
/// that are no character become U+FFFD, 128 to 159 mean Windows-1252, as in browsers. What is none stays.
class decode_entities : public detail::plain_edit_stage<decode_entities> {
   public:
    static constexpr std::string_view kind = "decode_entities";  // in saved files: never changes

   private:
    friend class detail::edit_stage<decode_entities>;
    template <class Change>
    void edit(std::string_view text, const Change& change) const {
        for (std::size_t at = text.find('&'); at < text.size(); at = text.find('&', at)) {
            const std::size_t begin = at++;
            const std::string_view ahead = text.substr(at, most_digits + 3);
            const std::size_t length = ahead.find(';');
            if (length == std::string_view::npos) continue;
            const char32_t c = ahead[0] == '#' ? numbered(ahead.substr(1, length - 1)) : detail::find_entity(ahead.substr(0, length));
            if (c == 0) continue;
            at += length + 1;
            char bytes[4];
            change(begin, at, std::string_view(bytes, encode_utf8(c, bytes)));
        }
    }
    static constexpr std::size_t most_digits = 10;
    // 0 if these are no digits.
    static char32_t numbered(std::string_view digits) noexcept {
        const bool hex = !digits.empty() && (digits[0] == 'x' || digits[0] == 'X');
        if (hex) digits.remove_prefix(1);
        if (digits.empty() || digits.size() > most_digits) return 0;
        std::uint64_t n = 0;
        for (const char digit : digits) {
            const char low = detail::ascii_lower(digit);
            if (detail::ascii_digit(digit)) n = n * (hex ? 16 : 10) + static_cast<std::uint64_t>(digit - '0');
            else if (hex && low >= 'a' && low <= 'f') n = n * 16 + static_cast<std::uint64_t>(low - 'a' + 10);
            else return 0;
        }
        if (n >= 0x80 && n < 0xA0) return detail::windows_1252[n - 0x80];
        if (n == 0 || n > 0x10FFFF || (n >= 0xD800 && n < 0xE000)) return 0xFFFD;
        return static_cast<char32_t>(n);
    }
};

/// Leaves out HTML: comments, and scripts and styles with what they hold; tags become a space, but nothing where they only mark
/// letters (b, i, em, span, ...). A tag is < and a letter, /, ! or ? up to the next >, without < before it but in quotes; what is none
/// stays. Decode entities behind it, not before: `&lt;` is a character, no tag.
class remove_html : public detail::plain_edit_stage<remove_html> {
   public:
    static constexpr std::string_view kind = "remove_html";  // in saved files: never changes

   private:
    friend class detail::edit_stage<remove_html>;
    template <class Change>
    void edit(std::string_view text, const Change& change) const {
        limits left;
        for (std::size_t at = text.find('<'); at < text.size(); at = text.find('<', at)) {
            const std::size_t begin = at++;
            if (at == text.size()) return;
            const char lead = text[at];
            if (!detail::ascii_letter(lead) && lead != '/' && lead != '!' && lead != '?') continue;
            if (text.substr(at).starts_with("!--")) {
                if (const std::size_t end = limits::find(text, "-->", at + 3, left.comments); end < text.size()) {
                    change(begin, at = end + 3, " ");
                    continue;
                }
            }
            const std::size_t end = end_of_tag(text, at, left);
            if (end == 0) continue;  // `at` is where to go on
            std::size_t name_end = begin + 1;
            while (name_end < end && detail::ascii_alnum(text[name_end])) ++name_end;
            const std::string_view name = text.substr(begin + 1, name_end - begin - 1);
            at = end;
            if (same(name, "script")) at = behind(text, end, "</script", left.scripts);
            else if (same(name, "style")) at = behind(text, end, "</style", left.styles);
            change(begin, at, marks_letters(lead == '/' ? text.substr(begin + 2, end - begin - 3) : name) ? "" : " ");
        }
    }

    // What is known not to come any more is not searched for again: that is what keeps this linear.
    struct limits {
        bool comments = true, scripts = true, styles = true, quotes = true;

        static std::size_t find(std::string_view text, std::string_view what, std::size_t from, bool& there) noexcept {
            if (!there) return std::string_view::npos;
            for (std::size_t at = text.find(what[0], from); at < text.size(); at = text.find(what[0], at + 1))
                if (detail::stands_at(text, at, what)) return at;
            there = false;
            return std::string_view::npos;
        }
    };
    // Behind the >; 0 if this is no tag, and then `at` is behind what need not be looked at again.
    static std::size_t end_of_tag(std::string_view text, std::size_t& at, limits& left) noexcept {
        const std::size_t begin = at;
        while (at < text.size()) {
            const char c = text[at];
            if (c == '>') return at + 1;
            if (c == '<') return 0;
            ++at;
            if ((c == '"' || c == '\'') && left.quotes && text[at - 2] == '=') {
                const std::size_t close = text.find(c, at);
                if (close == std::string_view::npos) {  // once in a text, so that it is read twice at most
                    left.quotes = false;
                    at = begin;
                } else {
                    at = close + 1;
                }
            }
        }
        return 0;
    }
    static std::size_t behind(std::string_view text, std::size_t end, std::string_view close, bool& there) noexcept {
        const std::size_t at = limits::find(text, close, end, there);
        if (at >= text.size()) return end;
        const std::size_t last = text.find('>', at);
        there = last != std::string_view::npos;
        return there ? last + 1 : end;
    }
    static bool same(std::string_view name, std::string_view lower) noexcept { return name.size() == lower.size() && detail::stands_at(name, 0, lower); }
    template <class = void>
    static bool marks_letters(std::string_view name) noexcept {
        constexpr std::string_view names[] = {"a", "abbr", "b", "big", "code", "em", "font", "i", "mark", "s", "small",
                                              "span", "strong", "sub", "sup", "tt", "u"};
        return std::any_of(std::begin(names), std::end(names), [&](std::string_view n) { return same(name, n); });
    }
};

/// Addresses of the web (http://, https://, ftp:// and www., in any case) are replaced. One ends at a space, a quotation mark, < or >,
/// or a character beyond ASCII; punctuation at its end does not belong to it.
class replace_urls : public detail::replacing_stage<replace_urls> {
   public:
    static constexpr std::string_view kind = "replace_urls";  // in saved files: never changes
    /// Throws `error` (`bad_utf8`).
    template <class = void>
    explicit replace_urls(std::string with = " ") : replacing_stage(std::move(with)) {}

   private:
    friend class detail::edit_stage<replace_urls>;
    template <class Change>
    void edit(std::string_view text, const Change& change) const {
        for (std::size_t at = 0; at < text.size(); ++at) {
            const char c = detail::ascii_lower(text[at]);
            if ((c != 'h' && c != 'f' && c != 'w') || (at > 0 && detail::ascii_alnum(text[at - 1]))) continue;
            std::size_t end = at;
            for (const std::string_view scheme : {"http://", "https://", "ftp://", "www."})
                if (detail::stands_at(text, at, scheme)) end = at + scheme.size();
            if (end == at || end == text.size() || !detail::ascii_alnum(text[end])) continue;
            int open = 0;  // how many more ( than )
            for (; end < text.size() && belongs(text[end]); ++end) open += text[end] == '(' ? 1 : text[end] == ')' ? -1 : 0;
            for (; std::string_view(".,;:!?'*)]").find(text[end - 1]) != std::string_view::npos && !(text[end - 1] == ')' && open >= 0); --end)
                open += text[end - 1] == ')' ? 1 : 0;
            change(at, end, with());
            at = end - 1;
        }
    }
    static bool belongs(char c) noexcept { return c > ' ' && c < 0x7F && std::string_view("<>\"{}|\\^`").find(c) == std::string_view::npos; }
};

/// E-mail addresses are replaced: letters, digits and ._%+- (at most 64), @, and a domain that ends in two letters at least.
class replace_emails : public detail::replacing_stage<replace_emails> {
   public:
    static constexpr std::string_view kind = "replace_emails";  // in saved files: never changes
    /// Throws `error` (`bad_utf8`).
    explicit replace_emails(std::string with = " ") : replacing_stage(std::move(with)) {}

   private:
    friend class detail::edit_stage<replace_emails>;
    template <class Change>
    void edit(std::string_view text, const Change& change) const {
        std::size_t done = 0;
        for (std::size_t at = text.find('@'); at < text.size(); at = text.find('@', at + 1)) {
            std::size_t begin = at;
            while (begin > done && at - begin < 64 && local(text[begin - 1])) --begin;
            while (begin < at && !detail::ascii_alnum(text[begin]) && text[begin] != '_') ++begin;
            std::size_t end = at + 1, dot = 0, letters = 0;  // letters behind the last dot, so far as there is nothing else
            std::size_t good = 0;                            // where the domain ended in letters last
            for (; end < text.size() && end - at <= 255; ++end) {
                const char c = text[end];
                if (c == '.') {
                    if (end == at + 1 || !detail::ascii_alnum(text[end - 1])) break;
                    dot = end;
                    letters = 0;
                } else if (detail::ascii_letter(c)) {
                    if (++letters >= 2 && dot > 0 && end - dot == letters) good = end + 1;
                } else if (!detail::ascii_digit(c) && c != '-') {
                    break;
                }
            }
            if (begin == at || good == 0 || (good < text.size() && detail::ascii_alnum(text[good]))) continue;
            change(begin, good, with());
            done = good;
            at = good - 1;
        }
    }
    static bool local(char c) noexcept { return detail::ascii_alnum(c) || std::string_view("._%+-").find(c) != std::string_view::npos; }
};

/// Telephone numbers are replaced: 7 to 15 digits in groups, with single spaces, -, /, . or brackets between them, a + before them or not.
/// Dates and decimal numbers are none; digits without anything between them must be 10 to 13, or have a +; groups with nothing but
/// spaces between them must have 10 digits, too. Without a list of all countries' numbers this errs now and then.
class replace_phones : public detail::replacing_stage<replace_phones> {
   public:
    static constexpr std::string_view kind = "replace_phones";  // in saved files: never changes
    /// Throws `error` (`bad_utf8`).
    explicit replace_phones(std::string with = " ") : replacing_stage(std::move(with)) {}

   private:
    friend class detail::edit_stage<replace_phones>;
    template <class Change>
    void edit(std::string_view text, const Change& change) const {
        for (std::size_t at = 0; at < text.size(); ++at) {
            const char c = text[at];
            if (c != '+' && c != '(' && !detail::ascii_digit(c)) continue;
            const bool within = at > 0 && (detail::ascii_alnum(text[at - 1]) || text[at - 1] == '.' || text[at - 1] == ',' || text[at - 1] == '_');
            const std::size_t end = within ? at : end_of_number(text, at);
            if (end > at) {
                change(at, end, with());
                at = end - 1;
            } else if (detail::ascii_digit(c)) {  // the rest of this group is no beginning
                while (at + 1 < text.size() && detail::ascii_digit(text[at + 1])) ++at;
            }
        }
    }
    // `at` if none begins there.
    template <class = void>
    static std::size_t end_of_number(std::string_view text, std::size_t at) noexcept {
        constexpr std::size_t most_groups = 8;
        std::array<std::size_t, most_groups> groups{};
        std::size_t n = 0, digits = 0, end = at, i = at;
        bool plus = false, brackets = false, other = false, dots = false;
        char between = 0;
        if (text[i] == '+') plus = true, ++i;
        for (; i < text.size() && n < most_groups; ++n) {
            if (text[i] == '(' && !brackets) brackets = true, ++i;
            const std::size_t begin = i;
            while (i < text.size() && detail::ascii_digit(text[i])) ++i;
            if (i == begin) break;
            groups[n] = i - begin;
            if ((digits += i - begin) > 15) return at;
            end = i;
            if (n > 0) dots = dots || between == '.', other = other || (between != ' ' && between != '.');
            between = i < text.size() ? text[i] : 0;
            if (between == ')' && brackets) {
                ++i;
                other = true;
                if (i < text.size() && (text[i] == ' ' || text[i] == '-')) ++i;
            } else if (between == ' ' || between == '-' || between == '.' || between == '/') {
                ++i;
            } else if (between != '(' || brackets) {
                ++n;
                break;
            }
        }
        if (end < text.size() && (detail::ascii_alnum(text[end]) || text[end] == '_' || text[end] == '%')) return at;
        if (digits < 7) return at;
        if (plus) return end;
        if (n == 1) return digits >= 10 && digits <= 13 && !brackets ? end : at;
        if (n == 2 && dots) return at;                            // a decimal number
        if (n == 4 && dots && !other && groups[3] <= 3) return at;  // an address of a computer
        if (n == 3 && !brackets && ((groups[0] == 4 && groups[1] <= 2 && groups[2] <= 2) || (groups[0] <= 2 && groups[1] <= 2 && groups[2] == 4))) return at;
        if (!other && !dots && (digits < 10 || groups[0] < 2)) return at;
        return end;
    }
};

/// A character that stands more than `most` times in a row is cut to that: "sooooo" is "sooo". Digits and spaces stay as they are.
class limit_repeats : public detail::edit_stage<limit_repeats> {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "limit_repeats";  // in saved files: never changes

    /// Throws `error` (`bad_parameter`) on 0.
    template <class = void>
    explicit limit_repeats(std::uint64_t most = 3) : most_(most) { require(most > 0, errc::bad_parameter, kind, ": most = 0, must be at least 1"); }
    [[nodiscard]] std::uint64_t most() const noexcept { return most_; }

    static constexpr std::array field_names{"most"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(most_); }

   private:
    friend class detail::edit_stage<limit_repeats>;
    template <class Change>
    void edit(std::string_view text, const Change& change) const {
        for (std::size_t at = 0; at < text.size();) {
            if (static_cast<unsigned char>(text[at]) < 0x80 && at + 1 < text.size() && text[at + 1] != text[at]) {
                ++at;
                continue;
            }
            std::size_t next = at;
            const char32_t c = decode_utf8(text, next);
            const std::size_t length = next - at;
            std::uint64_t times = 1;
            std::size_t kept = next;
            for (; text.size() - next >= length && text.compare(next, length, text, at, length) == 0; next += length)
                if (++times <= most_) kept = next + length;
            at = next;
            if (times > most_ && !detail::is_space(c) && category_of(c) != general_category::nd) change(kept, next, "");
        }
    }
    std::uint64_t most_;
};

/// What `handle_emoji` does with them.
enum class emoji_policy : std::uint8_t { keep, remove, replace };

/// Emoji, each with all that belongs to it (skin colour, joined ones, flags, keycaps), are kept, left out or replaced. Signs
/// that are text unless U+FE0F follows (such as the copyright sign and small arrows) are emoji only with it.
class handle_emoji : public detail::edit_stage<handle_emoji> {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "handle_emoji";  // in saved files: never changes

    /// `with` counts where the policy is to replace. Throws `error`: `bad_parameter`, `bad_utf8`.
    template <class = void>
    explicit handle_emoji(emoji_policy policy, std::string with = " ") : policy_(policy), with_(std::move(with)) {
        require(policy <= emoji_policy::replace, errc::bad_parameter, kind, ": no policy has the number ", static_cast<unsigned>(policy));
        require(detail::is_utf8_text(with_), errc::bad_utf8, kind, ": what to write instead is not UTF-8");
    }
    [[nodiscard]] emoji_policy policy() const noexcept { return policy_; }
    [[nodiscard]] const std::string& with() const noexcept { return with_; }

    static constexpr std::array field_names{"policy", "with"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(policy_, with_); }

   private:
    friend class detail::edit_stage<handle_emoji>;
    template <class Change>
    void edit(std::string_view text, const Change& change) const {
        if (policy_ == emoji_policy::keep) return;
        for (std::size_t at = 0; at < text.size();) {
            const auto byte = static_cast<unsigned char>(text[at]);
            if ((byte < 0x80 && byte != '#' && byte != '*' && !detail::ascii_digit(text[at])) || (byte >= 0xE4 && byte <= 0xEE)) {  // no emoji begins so
                at += byte < 0x80 ? 1 : 3;
                continue;
            }
            const std::size_t begin = at, end = end_of_emoji(text, at);
            if (end > begin) change(begin, at = end, policy_ == emoji_policy::replace ? std::string_view(with_) : std::string_view());
            else (void)decode_utf8(text, at);
        }
    }
    static char32_t peek(std::string_view text, std::size_t at) noexcept { return at < text.size() ? decode_utf8(text, at) : 0; }
    static bool pictograph(char32_t c) noexcept { return c >= 0xA9 && detail::in_ranges(detail::pictograph_ranges, detail::pictograph_count, c); }
    static bool flag_letter(char32_t c) noexcept { return c >= 0x1F1E6 && c <= 0x1F1FF; }
    static std::size_t end_of_emoji(std::string_view text, std::size_t at) noexcept {
        constexpr char32_t as_emoji = 0xFE0F, as_text = 0xFE0E, joiner = 0x200D, keycap = 0x20E3;
        const std::size_t begin = at;
        const char32_t c = decode_utf8(text, at);
        if (c < 0x80) {
            if (peek(text, at) == as_emoji) (void)decode_utf8(text, at);
            if (peek(text, at) != keycap) return begin;
            (void)decode_utf8(text, at);
            return at;
        }
        if (flag_letter(c)) {
            if (flag_letter(peek(text, at))) (void)decode_utf8(text, at);
            return at;
        }
        if (c >= 0x1F3FB && c <= 0x1F3FF) return at;  // a colour alone
        const bool by_itself = c >= 0x231A && (c < 0x3000 || c > 0x32FF);
        if (!pictograph(c) || peek(text, at) == as_text || (!by_itself && peek(text, at) != as_emoji)) return begin;
        for (;;) {
            for (char32_t next = peek(text, at);; next = peek(text, at)) {
                const bool colour = next >= 0x1F3FB && next <= 0x1F3FF, tag = next >= 0xE0020 && next <= 0xE007F;
                if (next != as_emoji && next != keycap && !colour && !tag) break;
                (void)decode_utf8(text, at);
            }
            std::size_t behind = at;
            if (peek(text, at) != joiner) return at;
            (void)decode_utf8(text, behind);
            if (!pictograph(peek(text, behind))) return at;
            (void)decode_utf8(text, behind);
            at = behind;
        }
    }

    emoji_policy policy_;
    std::string with_;
};

/// Full-width forms of ASCII (U+FF01 to U+FF5E) become ASCII, and the ideographic space a space. `normalize_text` with NFKC does this
/// and more.
class narrow_forms : public detail::plain_edit_stage<narrow_forms> {
   public:
    static constexpr std::string_view kind = "narrow_forms";  // in saved files: never changes

   private:
    friend class detail::edit_stage<narrow_forms>;
    template <class Change>
    void edit(std::string_view text, const Change& change) const {
        for (std::size_t at = detail::skip_ascii(text, 0); at < text.size(); at = detail::skip_ascii(text, at)) {
            const std::size_t begin = at;
            const char32_t c = decode_utf8(text, at);
            if (c != 0x3000 && (c < 0xFF01 || c > 0xFF5E)) continue;
            const char narrow = c == 0x3000 ? ' ' : static_cast<char>(c - 0xFF01 + '!');
            change(begin, at, std::string_view(&narrow, 1));
        }
    }
};

/// Runs of spaces (White_Space, line breaks too, the zero-width space, the byte order mark) become one space, and nothing at the ends.
class squeeze_spaces : public detail::plain_edit_stage<squeeze_spaces> {
   public:
    static constexpr std::string_view kind = "squeeze_spaces";  // in saved files: never changes

   private:
    friend class detail::edit_stage<squeeze_spaces>;
    template <class Change>
    void edit(std::string_view text, const Change& change) const {
        for (std::size_t at = 0; at < text.size();) {
            const auto byte = static_cast<unsigned char>(text[at]);
            if (byte > ' ' && (byte < 0x80 || (byte >= 0xE4 && byte <= 0xEE))) {  // most characters
                at += byte < 0x80 ? 1 : 3;
                continue;
            }
            const std::size_t begin = at;
            if (!detail::is_space(decode_utf8(text, at))) continue;
            for (std::size_t next = at; next < text.size() && detail::is_space(decode_utf8(text, next)); at = next) {}
            if (begin == 0 || at == text.size()) change(begin, at, "");
            else if (at - begin > 1 || text[begin] != ' ') change(begin, at, " ");
        }
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
