#ifndef CARAMEL_PRIVACY_PERSONAL_DATA_HPP
#define CARAMEL_PRIVACY_PERSONAL_DATA_HPP

// Finds what points at a person in texts: by hand-written scanners that look at each place once and ahead of it by no more than the
// longest number, so in time linear in the text, whatever it holds. Full-width characters count as their narrow ones, and Chinese
// characters need no spaces between them and a number.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/utf8.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Numbers never change.
enum class personal_data : std::uint8_t {
    email = 0,       ///< with a domain that has a dot
    phone = 1,       ///< with +, 00 or 0 in front, as written in China, North America, Germany, the United Kingdom and France, or behind a word that says so
    card = 2,        ///< 13 to 19 digits of a payment card, its check digit right (Luhn) and its first digits given out to issuers
    iban = 3,        ///< the length of its country and the checksum right (ISO 13616)
    chinese_id = 4,  ///< resident identity numbers: 18 characters with a checksum (GB 11643-1999), and 15 digits of the old form; province and date right
    ipv4 = 5,        ///< four numbers up to 255, not behind a word for a version
};

/// The kind's name, as `redact` writes it between < and >.
[[nodiscard]] constexpr std::string_view name_of(personal_data kind) noexcept {
    switch (kind) {
        case personal_data::email:
            return "email";
        case personal_data::phone:
            return "phone";
        case personal_data::card:
            return "card";
        case personal_data::iban:
            return "iban";
        case personal_data::chinese_id:
            return "chinese_id";
        case personal_data::ipv4:
            return "ipv4";
    }
    return "unknown";
}
inline constexpr std::size_t n_personal_data = 6;

/// Some kinds of personal data; all where none are named.
class personal_kinds {
   public:
    constexpr personal_kinds() noexcept = default;
    template <class = void>
    constexpr personal_kinds(std::initializer_list<personal_data> kinds) noexcept : bits_(0) {
        for (const auto kind : kinds) bits_ |= std::uint64_t{1} << static_cast<unsigned>(kind);
    }
    /// From `bits()`. Throws `error` (`bad_parameter`) on bits that are no kind.
    [[nodiscard]] static personal_kinds of_bits(std::uint64_t bits) {
        require(bits < std::uint64_t{1} << n_personal_data, errc::bad_parameter, "personal_kinds: ", bits, " names kinds that there are not");
        personal_kinds out;
        out.bits_ = bits;
        return out;
    }
    [[nodiscard]] constexpr bool has(personal_data kind) const noexcept { return (bits_ >> static_cast<unsigned>(kind) & 1) != 0; }
    [[nodiscard]] constexpr std::uint64_t bits() const noexcept { return bits_; }
    friend constexpr bool operator==(const personal_kinds&, const personal_kinds&) = default;

   private:
    std::uint64_t bits_ = (std::uint64_t{1} << n_personal_data) - 1;
};

/// Bytes `begin` to `end` of a text.
struct personal_span {
    personal_data kind;
    std::size_t begin, end;

    friend bool operator==(const personal_span&, const personal_span&) = default;
};

namespace detail::personal_text {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_latin(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// What characters beyond ASCII are to the scanners.
inline constexpr char other_letter = '\x01';  // belongs to a word: Latin with accents, Greek, Cyrillic, ...
inline constexpr char no_letter = '\x02';     // does not: Chinese, Japanese, Korean, punctuation, emoji
inline constexpr char invisible = '\x03';     // stands between others without being seen

// The character at `at` of valid UTF-8 as an ASCII character or one of the above; `at` moves behind it.
[[nodiscard]] inline char folded_character(std::string_view text, std::size_t& at) noexcept {
    const auto lead = static_cast<unsigned char>(text[at]);
    if (lead < 0x80) return ++at, static_cast<char>(lead < 4 ? no_letter : static_cast<char>(lead));
    const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    std::uint32_t c = lead & (0x7Fu >> length);
    for (std::size_t i = 1; i < length; ++i) c = c << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3Fu);
    at += length;
    if (c >= 0xFF01 && c <= 0xFF5E) return static_cast<char>(c - 0xFF01 + '!');
    if (c == 0xA0 || c == 0x3000 || c == 0x202F || (c >= 0x2000 && c <= 0x200A)) return ' ';
    if ((c >= 0x2010 && c <= 0x2015) || c == 0x2212) return '-';
    if (c == 0xAD || (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x2069) || c == 0xFEFF) return invisible;
    if ((c >= 0xA2 && c <= 0xA5) || c == 0x20AC || c == 0xFFE1 || c == 0xFFE5) return '$';
    if (c < 0xC0) return c == 0xAA || c == 0xB5 || c == 0xBA ? other_letter : no_letter;
    return c < 0x2000 && c != 0xD7 && c != 0xF7 ? other_letter : no_letter;
}
constexpr bool in_word(char c) noexcept { return is_digit(c) || is_latin(c) || c == other_letter || c == '_'; }

// Groups of digits with separators between them, as numbers are written: "+49 (0)30 / 12-34 56".
struct digit_groups {
    static constexpr std::size_t most_groups = 10, most_digits = 24;
    std::array<char, most_digits> digits{};
    std::array<std::uint8_t, most_groups> sizes{};
    std::array<char, most_groups> before{};                // the separator in front: ' ', '-', '.', '/', '(' or ')'; of several the first that is no space
    std::array<std::size_t, most_groups> ends{};           // bytes
    std::array<char, most_groups> after{};                 // what stands behind the group
    std::array<std::uint8_t, most_groups> digits_after{};  // how many digits follow behind that, up to 5
    std::size_t n = 0;
    std::size_t bracketed = most_groups;  // the group in brackets
    bool plus = false;

    template <class = void>
    [[nodiscard]] std::size_t total(std::size_t groups) const noexcept {
        std::size_t out = 0;
        for (std::size_t i = 0; i < groups; ++i) out += sizes[i];
        return out;
    }
    template <class = void>
    [[nodiscard]] bool sizes_are(std::initializer_list<unsigned> wanted, std::size_t from, std::size_t to) const noexcept {
        if (to - from != wanted.size()) return false;
        return std::equal(wanted.begin(), wanted.end(), sizes.begin() + static_cast<std::ptrdiff_t>(from));
    }
    [[nodiscard]] bool brackets(std::size_t groups) const noexcept { return bracketed < groups; }
    // Whether only this sign stands between the groups.
    [[nodiscard]] bool one_sign(std::size_t from, std::size_t to) const noexcept {
        for (std::size_t i = from + 1; i < to; ++i)
            if (before[i] != before[from + 1]) return false;
        return true;
    }
    // Whether a number may end behind so many groups: not within a word, a decimal number or a longer chain of digits.
    [[nodiscard]] bool may_end(std::size_t groups) const noexcept {
        const char c = after[groups - 1];
        if (in_word(c) || c == '%' || c == '@') return false;
        const unsigned follow = digits_after[groups - 1];
        if (c == '.' || c == '-') return follow == 0;
        if (c == ',' || c == '/' || c == ':') return follow == 0 || follow > 3 || (follow == 3 && sizes[groups - 1] > 3);
        return true;
    }
};

// A text with a place in it, and what is in front of that place.
class scanner {
   public:
    scanner(std::string_view text, personal_kinds kinds) noexcept : text_(text), kinds_(kinds) {}

    // Calls `found(span)` for each, from first to last; they do not overlap.
    template <class Found>
    void scan(const Found& found) {
        std::size_t at = 0;
        while (at < text_.size()) {
            const std::size_t begin = at;
            const char c = folded_character(text_, at);
            if (c == invisible) continue;
            personal_span span{personal_data::email, begin, begin};
            if (is_digit(c) || c == '+' || c == '(') {
                if (begins_number(c, begin)) span = number_at(begin);
                if (is_digit(c)) at = skip_digits(at);
            } else if (is_latin(c)) {
                if (!in_word(last_) && kinds_.has(personal_data::iban)) span = iban_at(begin);
            } else if (c == '@' && kinds_.has(personal_data::email)) {
                span = email_around(begin, at);
            }
            if (span.end > span.begin) {
                found(span);
                at = span.end;
                done_ = word_ = at;
                last_ = last_but_one_ = no_letter;
                continue;
            }
            if (!is_local(c)) word_ = at;
            last_but_one_ = last_;
            last_ = c;
        }
    }

   private:
    // Characters of an address in front of its @.
    static constexpr bool is_local(char c) noexcept { return in_word(c) || c == '.' || c == '%' || c == '+' || c == '-'; }
    static constexpr bool is_phone_sign(char c) noexcept { return c == ' ' || c == '-' || c == '.' || c == '/'; }

    // The next character that is seen, and the place behind it. More than a few others in a row are a border.
    [[nodiscard]] std::size_t next_visible(std::size_t at, char& c) const noexcept {
        for (int i = 0; i < 8 && at < text_.size(); ++i) {
            c = folded_character(text_, at);
            if (c != invisible) return at;
        }
        c = no_letter;
        return at;
    }
    [[nodiscard]] std::size_t skip_digits(std::size_t at) const noexcept {
        for (char c = 0; at < text_.size();) {
            const std::size_t next = next_visible(at, c);
            if (!is_digit(c)) break;
            at = next;
        }
        return at;
    }
    // How many digits in a row stand at `at`, up to `most`; none where they are the beginning of a word.
    [[nodiscard]] std::size_t digits_at(std::size_t at, std::size_t most) const noexcept {
        std::size_t n = 0;
        for (char c = 0; n < most && at < text_.size(); ++n) {
            at = next_visible(at, c);
            if (!is_digit(c)) return in_word(c) || c == '@' ? 0 : n;
        }
        return n;
    }

    // Whether a number can begin here: not within a word, behind a sign of money or of a number, or within a longer number.
    [[nodiscard]] bool begins_number(char c, std::size_t at) const noexcept {
        if (is_digit(last_) || last_ == '_' || last_ == '#' || last_ == '$' || last_ == '+') return false;
        if (!is_digit(c)) return true;
        if (in_word(last_)) return false;
        if (last_ == '-') return !in_word(last_but_one_);
        if (last_ == '.') return !is_digit(last_but_one_);
        if (last_ == ':') return !is_digit(last_but_one_);
        if (last_ == ',' || last_ == '/') return !is_digit(last_but_one_) || digits_at(at, 4) > 3;
        return true;
    }

    // Reads the groups that begin at `at` (a digit, + or an open bracket).
    [[nodiscard]] digit_groups groups_at(std::size_t at) const noexcept {
        digit_groups out;
        std::size_t total = 0;
        char c = 0, sign = 0;
        at = next_visible(at, c);
        bool opened = c == '(';
        if (opened) {
            sign = '(';
            at = next_visible(at, c);
        }
        if (c == '+') {  // also (+86)
            out.plus = true;
            at = next_visible(at, c);
        }
        for (; out.n < digit_groups::most_groups; opened = false) {
            if (c == '(') {
                opened = true;
                sign = '(';
                at = next_visible(at, c);
            }
            std::size_t size = 0, end = at;
            while (is_digit(c) && total < digit_groups::most_digits) {
                out.digits[total++] = c;
                ++size;
                end = at;
                at = next_visible(at, c);
            }
            if (size == 0 || is_digit(c)) return out;  // or longer than any number
            const bool at_end = end >= text_.size();
            const std::size_t group = out.n++;
            out.sizes[group] = static_cast<std::uint8_t>(size);
            out.before[group] = sign;
            out.ends[group] = end;
            out.after[group] = at_end ? no_letter : c;
            out.digits_after[group] = static_cast<std::uint8_t>(at_end ? 0 : digits_at(at, 5));
            if (at_end) return out;
            sign = 0;
            if (opened) {
                if (c != ')') return out;
                sign = ')';
                out.bracketed = group;
                out.ends[group] = at;
                at = next_visible(at, c);
                out.after[group] = c;
                out.digits_after[group] = 0;
            }
            // At most three signs, of which one is no space: " / ", ") ", "-".
            for (int i = 0; i < 3 && is_phone_sign(c); ++i) {
                if (c != ' ') {
                    if (sign != 0 && sign != ' ' && sign != ')') return out;
                    if (sign != ')') sign = c;
                } else if (sign == 0) {
                    sign = ' ';
                }
                at = next_visible(at, c);
            }
            if (c == '(' && !out.brackets(out.n)) continue;
            if (sign == 0 || !is_digit(c)) return out;
        }
        return out;
    }

    template <class = void>
    [[nodiscard]] personal_span number_at(std::size_t begin) const noexcept {
        const personal_span none{personal_data::phone, begin, begin};
        const digit_groups groups = groups_at(begin);
        if (groups.n == 0) return none;
        const auto of = [&](personal_data kind, std::size_t end) { return kinds_.has(kind) ? personal_span{kind, begin, end} : none; };
        const bool bare = !groups.plus && groups.before[0] != '(';
        if (bare && is_ipv4(groups)) return said_before(begin) == word_before::version ? none : of(personal_data::ipv4, groups.ends[3]);
        if (groups.total(groups.n) < 6) return none;
        if (bare) {
            if (const std::size_t end = chinese_id_end(begin, groups); end > begin) return of(personal_data::chinese_id, end);
            for (std::size_t n = groups.n; n > 0; --n)
                if (groups.may_end(n) && is_card(groups, n)) return of(personal_data::card, groups.ends[n - 1]);
            if (is_old_chinese_id(groups)) return of(personal_data::chinese_id, groups.ends[0]);
        }
        if (!kinds_.has(personal_data::phone)) return none;
        const word_before said = said_before(begin);
        const bool inner = last_ == ' ' && is_digit(last_but_one_) && said != word_before::phone;  // other groups of digits are in front
        for (std::size_t n = groups.n; n > 0; --n) {
            const bool extension = n > 1 && groups.digits[0] == '0' && groups.after[n - 1] == '-' && groups.digits_after[n - 1] <= 4;  // 010-62781234-80
            if ((groups.may_end(n) || extension) && is_phone(groups, n, said, inner)) return {personal_data::phone, begin, groups.ends[n - 1]};
        }
        return none;
    }

    // ---- phones

    enum class word_before : std::uint8_t { none, phone, number, version };
    // The nearest word in front of a number that says what it is, within 24 bytes.
    template <class = void>
    [[nodiscard]] word_before said_before(std::size_t begin) const noexcept {
        // How words begin; those with a space behind them must also end there. Chinese words stand anywhere.
        static constexpr std::string_view phone_words[] = {"tel",   "phone", "mobil",    "cell", "call",    "fax",  "whatsapp", "ruf",
                                                           "anruf", "handy", "sms",      "dial", "hotline", "电话", "手机",     "致电",
                                                           "拨打",  "热线",  "联系方式", "传真", "電話",    "手機", "微信"};
        static constexpr std::string_view number_words[] = {
            "order",    "bestell", "auftrag", "invoice", "rechnung", "tracking", "parcel", "sendung", "artikel", "article", "item",    "sku ",
            "ean ",     "isbn",    "gtin ",   "upc ",    "imei ",    "serial",   "ref",    "ticket",  "qq ",     "konto",   "account", "kunden",
            "customer", "id ",     "nr ",     "no ",     "code",     "amount",   "betrag", "batch",   "lot ",    "part ",   "订单",    "单号",
            "编号",     "发票",    "快递",    "条码",    "货号",     "流水",     "金额",   "批次",    "账号",    "工号",    "学号",    "序列"};
        static constexpr std::string_view version_words[] = {"version", "ver ", "v ", "build", "release", "firmware", "版本"};
        constexpr std::size_t reach = 24;
        std::size_t from = std::max(done_, begin > reach ? begin - reach : 0);
        // Not beyond another number, nor beyond a placeholder.
        if (const std::size_t mark = text_.substr(from, begin - from).find_last_of("0123456789>"); mark != std::string_view::npos) from += mark + 1;
        const std::size_t size = begin - from;
        std::array<char, reach> window{};
        for (std::size_t i = 0; i < size; ++i) window[i] = lower(text_[from + i]);
        const std::string_view before(window.data(), size);
        std::size_t nearest = 0;
        word_before out = word_before::none;
        const auto look = [&](const auto& words, word_before what) {
            for (std::string_view word : words) {
                const bool whole = word.back() == ' ';
                if (whole) word.remove_suffix(1);
                const std::size_t at = before.rfind(word);
                if (at == std::string_view::npos || at + word.size() <= nearest) continue;
                if (is_latin(word[0]) && from + at > 0 && is_latin(text_[from + at - 1])) continue;
                if (whole && at + word.size() < size && is_latin(before[at + word.size()])) continue;
                nearest = at + word.size();
                out = what;
            }
        };
        look(number_words, word_before::number);
        look(version_words, word_before::version);
        look(phone_words, word_before::phone);
        return out;
    }
    static constexpr char lower(char c) noexcept { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); }

    template <class = void>
    [[nodiscard]] static bool is_phone(const digit_groups& g, std::size_t n, word_before said, bool inner) noexcept {
        const auto& d = g.digits;
        const std::size_t total = g.total(n);
        if (total < 6 || total > 17 || (n == 1 && g.before[0] == '(')) return false;
        if (g.plus) return is_international(g, 0, total) && (n == 1 || g.sizes[n - 1] > 1);
        if (is_date(g, n)) return false;
        const bool a_number = said == word_before::number || said == word_before::version;
        if (d[0] == '0' && d[1] == '0')
            return !a_number && !inner && (g.sizes[0] == 2 || g.sizes[0] >= 4) && (n > 1 || (total <= 15 && !(total == 13 && is_article(g)))) &&
                   is_international(g, 2, total);
        const std::size_t china = d[0] == '8' && d[1] == '6' && (g.sizes[0] == 2 || total == 13) ? 2 : 0;
        if (total == 11 + china && d[china] == '1' && d[china + 1] >= '3') {  // a Chinese mobile number
            if (n == 1) return !a_number;
            const std::size_t from = china != 0 && g.sizes[0] == 2 ? 1 : 0;
            if ((n == from + 1 || g.sizes_are({3, 4, 4}, from, n) || g.sizes_are({4, 3, 4}, from, n) || g.sizes_are({3, 3, 5}, from, n) ||
                 g.sizes_are({5, 4, 4}, from, n)) &&
                g.one_sign(from, n) && g.before[n - 1] != '.')
                return true;
        }
        const std::size_t one = total == 11 && d[0] == '1' && g.sizes[0] == 1 ? 1 : 0;
        if (total == 10 + one && d[one] >= '2' && d[one + 3] >= '2' && n > 1) {  // North America: area codes and exchanges begin with 2 to 9
            if (g.sizes_are({3, 3, 4}, one, n)) return g.brackets(n) || (g.one_sign(one, n) && !a_number && !inner);
            if (g.sizes_are({3, 7}, one, n) && g.brackets(n)) return true;
        }
        const bool service = (d[0] == '4' || d[0] == '8') && d[1] == '0' && d[2] == '0';  // China
        if (total == 10 && service && (g.sizes_are({3, 3, 4}, 0, n) || g.sizes_are({3, 4, 3}, 0, n))) return g.one_sign(0, n) && !a_number;
        if (d[0] == '0') {  // an area code or a mobile network
            if (n == 1) {
                if (said == word_before::phone) return total >= 7 && total <= 13;
                const bool mobile = d[1] == '1' && d[2] >= '5' && d[2] <= '7';
                return !a_number && (total == 10 || total == 11 || (total == 12 && mobile));
            }
            if (inner && !g.brackets(n)) return false;
            if (total < (said == word_before::phone ? 7u : 9u) || total > 12 || (a_number && !g.brackets(n))) return false;
            if (g.sizes[0] == 2) return n == 5 && total == 10 && g.one_sign(0, n);  // 01 23 45 67 89
            if (g.sizes[0] < 3 || g.sizes[0] > 6 || (n == 2 && g.before[1] == '.')) return false;
            for (std::size_t i = 1; i < n; ++i)
                if (g.sizes[i] < 2) return false;
            return true;
        }
        return said == word_before::phone && total <= 13 && (n == 1 || g.before[1] != '.' || n > 2);  // whatever a word in front calls one
    }
    // A country's code from digit `from` on, and as many digits as its numbers have.
    [[nodiscard]] static bool is_international(const digit_groups& g, std::size_t from, std::size_t total) noexcept {
        const auto& d = g.digits;
        const std::size_t trunk = g.bracketed == 1 && total > from + 3 && d[from + 2] == '0' ? 1 : 0;  // +49 (0) 30
        const std::size_t n = total - from - trunk;
        if (total < from + 7 || n < 7 || n > 15 || d[from] == '0') return false;
        const auto code = [&](char a, char b) { return d[from] == a && d[from + 1] == b; };
        if (d[from] == '1') return n == 11;
        if (code('8', '6')) return n >= 10 && n <= 13;
        if (code('4', '4')) return n >= 11 && n <= 12;
        if (code('4', '9')) return n >= 8 && n <= 13;
        if (code('3', '3')) return n == 11;
        return true;
    }
    // Days, with years of four digits first or last, and what follows them.
    template <class = void>
    [[nodiscard]] static bool is_date(const digit_groups& g, std::size_t n) noexcept {
        if (n < 3 || g.brackets(n)) return false;
        const bool year_last = g.sizes[0] <= 2 && g.sizes[1] <= 2 && g.sizes[2] == 4, year_first = g.sizes[0] == 4 && g.sizes[1] <= 2 && g.sizes[2] <= 2;
        return (year_last || year_first) && g.before[1] == g.before[2];
    }

    // ---- numbers with checks

    [[nodiscard]] static bool is_ipv4(const digit_groups& g) noexcept {
        if (g.n < 4 || (!g.may_end(4) && g.after[3] != '/' && g.after[3] != ':')) return false;  // a network's mask or a port may follow
        std::size_t at = 0;
        for (std::size_t i = 0; i < 4; ++i) {
            if (g.sizes[i] > 3 || (i > 0 && g.before[i] != '.') || (g.sizes[i] > 1 && g.digits[at] == '0')) return false;
            unsigned value = 0;
            for (std::size_t k = 0; k < g.sizes[i]; ++k) value = value * 10 + static_cast<unsigned>(g.digits[at++] - '0');
            if (value > 255) return false;
        }
        return true;
    }

    template <class = void>
    [[nodiscard]] static bool is_card(const digit_groups& g, std::size_t n) noexcept {
        const std::size_t total = g.total(n);
        if (total < 13 || total > 19 || g.brackets(n)) return false;
        if (n > 1) {
            if (!g.one_sign(0, n) || (g.before[1] != ' ' && g.before[1] != '-')) return false;
            bool fours = g.sizes[n - 1] <= 4;
            for (std::size_t i = 0; i + 1 < n; ++i) fours = fours && g.sizes[i] == 4;
            if (!fours && !g.sizes_are({4, 6, 5}, 0, n) && !g.sizes_are({4, 6, 4}, 0, n) && !g.sizes_are({6, 13}, 0, n) && !g.sizes_are({8, 8}, 0, n) &&
                !g.sizes_are({6, 10}, 0, n))
                return false;
        }
        unsigned sum = 0;
        for (std::size_t i = 0; i < total; ++i) {  // from the right, every second one doubled
            unsigned value = static_cast<unsigned>(g.digits[total - 1 - i] - '0');
            if (i % 2 == 1) value = value > 4 ? 2 * value - 9 : 2 * value;
            sum += value;
        }
        return sum % 10 == 0 && is_issued(g, n, total);
    }
    // The first digits against what is given out (ISO/IEC 7812 and the networks' own lists, 2024).
    [[nodiscard]] static bool is_issued(const digit_groups& g, std::size_t n, std::size_t total) noexcept {
        unsigned first = 0;
        for (std::size_t i = 0; i < 4; ++i) first = first * 10 + static_cast<unsigned>(g.digits[i] - '0');
        const unsigned two = first / 100;
        if (two / 10 == 4) return total == 16 || total == 19 || (total == 13 && (n > 1 || !is_article(g)));  // Visa
        if (two >= 51 && two <= 55) return total == 16;                                                      // Mastercard
        if (first >= 2221 && first <= 2720) return total == 16;                                              // Mastercard
        if (two == 34 || two == 37) return total == 15;                                                      // American Express
        if (two == 36) return total >= 14;                                                                   // Diners Club
        if (two == 30 || two == 38 || two == 39) return total == 14 || total == 16;                          // Diners Club
        if (first >= 3528 && first <= 3589) return total >= 16;                                              // JCB
        if (first >= 2200 && first <= 2204) return total >= 16;                                              // Mir
        if (two == 62 || two == 81) return total >= 16;                                                      // UnionPay, RuPay
        if (two == 60 || two == 64 || two == 65) return total >= 16;                                         // Discover, RuPay
        if (first == 5018 || first == 5020 || first == 5038 || first == 5893 || first == 6304 || first == 6759 || (first >= 6761 && first <= 6763))
            return true;  // Maestro
        return false;
    }
    // The check digit of articles (EAN-13): what has it and no spaces is no card of 13 digits, which hardly exist any more.
    [[nodiscard]] static bool is_article(const digit_groups& g) noexcept {
        unsigned sum = 0;
        for (std::size_t i = 0; i < 13; ++i) sum += static_cast<unsigned>(g.digits[i] - '0') * (i % 2 == 0 ? 1 : 3);
        return sum % 10 == 0;
    }

    // Province, and a day that there was or will be from 1850 to 2099; years of two digits are of the 1900s.
    template <class Digits>
    [[nodiscard]] static bool has_province_and_day(const Digits& d, std::size_t year_digits) noexcept {
        constexpr std::uint8_t provinces[] = {11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43,
                                              44, 45, 46, 50, 51, 52, 53, 54, 61, 62, 63, 64, 65, 71, 81, 82, 83, 91};
        const auto number = [&](std::size_t from, std::size_t n) {
            unsigned out = 0;
            for (std::size_t i = 0; i < n; ++i) out = out * 10 + static_cast<unsigned>(d[from + i] - '0');
            return out;
        };
        if (!std::binary_search(std::begin(provinces), std::end(provinces), number(0, 2))) return false;
        const unsigned year = number(6, year_digits) + (year_digits == 2 ? 1900 : 0), month = number(6 + year_digits, 2), day = number(8 + year_digits, 2);
        constexpr std::uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        if (year < 1850 || year > 2099 || month < 1 || month > 12 || day < 1) return false;
        const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        return day <= days[month - 1] + (month == 2 && leap ? 1u : 0u);
    }
    // 17 digits, in one group or as 6, 8 and 3 (or 6, 4, 4 and 3) with single spaces or dashes, and a digit or X. The place behind it, or `begin`.
    template <class = void>
    [[nodiscard]] std::size_t chinese_id_end(std::size_t begin, const digit_groups& g) const noexcept {
        std::size_t total = 0, n = 0;
        while (n < g.n && total < 17) total += g.sizes[n++];
        const bool with_x = total == 17 && (g.after[n - 1] == 'X' || g.after[n - 1] == 'x');
        if (!with_x && (total != 18 || !g.may_end(n))) return begin;
        const unsigned last = with_x ? 3 : 4;
        const bool apart = n > 1 && g.one_sign(0, n) && (g.before[1] == ' ' || g.before[1] == '-');
        if (n > 1 && !(apart && (g.sizes_are({6, 8, last}, 0, n) || g.sizes_are({6, 4, 4, last}, 0, n)))) return begin;
        std::size_t end = g.ends[n - 1];
        if (with_x) {
            char c = 0;
            end = next_visible(end, c);
            (void)next_visible(end, c);
            if (in_word(c) && end < text_.size()) return begin;
        }
        constexpr std::uint8_t weights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
        unsigned sum = with_x ? 10 : static_cast<unsigned>(g.digits[17] - '0');  // ISO 7064, MOD 11-2
        for (std::size_t i = 0; i < 17; ++i) sum += weights[i] * static_cast<unsigned>(g.digits[i] - '0');
        return sum % 11 == 1 && has_province_and_day(g.digits, 4) ? end : begin;
    }
    template <class = void>
    [[nodiscard]] static bool is_old_chinese_id(const digit_groups& g) noexcept {
        return g.sizes[0] == 15 && g.may_end(1) && has_province_and_day(g.digits, 2);
    }

    // The letters of a country, two digits, and as many letters and digits as the country has, mostly in groups of four.
    template <class = void>
    [[nodiscard]] personal_span iban_at(std::size_t begin) const noexcept {
        struct country {
            char code[3];
            std::uint8_t length;
        };
        static constexpr country countries[] = {
            // SWIFT's IBAN registry, 2024
            {"AD", 24}, {"AE", 23}, {"AL", 28}, {"AT", 20}, {"AZ", 28}, {"BA", 20}, {"BE", 16}, {"BG", 22}, {"BH", 22}, {"BI", 27}, {"BR", 29},
            {"BY", 28}, {"CH", 21}, {"CR", 22}, {"CY", 28}, {"CZ", 24}, {"DE", 22}, {"DJ", 27}, {"DK", 18}, {"DO", 28}, {"EE", 20}, {"EG", 29},
            {"ES", 24}, {"FI", 18}, {"FK", 18}, {"FO", 18}, {"FR", 27}, {"GB", 22}, {"GE", 22}, {"GI", 23}, {"GL", 18}, {"GR", 27}, {"GT", 28},
            {"HR", 21}, {"HU", 28}, {"IE", 22}, {"IL", 23}, {"IQ", 23}, {"IS", 26}, {"IT", 27}, {"JO", 30}, {"KW", 30}, {"KZ", 20}, {"LB", 28},
            {"LC", 32}, {"LI", 21}, {"LT", 20}, {"LU", 20}, {"LV", 21}, {"LY", 25}, {"MC", 27}, {"MD", 24}, {"ME", 22}, {"MK", 19}, {"MN", 20},
            {"MR", 27}, {"MT", 31}, {"MU", 30}, {"NI", 28}, {"NL", 18}, {"NO", 15}, {"OM", 23}, {"PK", 24}, {"PL", 28}, {"PS", 29}, {"PT", 25},
            {"QA", 29}, {"RO", 24}, {"RS", 22}, {"RU", 33}, {"SA", 24}, {"SC", 31}, {"SD", 18}, {"SE", 24}, {"SI", 19}, {"SK", 24}, {"SM", 27},
            {"SO", 23}, {"ST", 25}, {"SV", 28}, {"TL", 23}, {"TN", 24}, {"TR", 26}, {"UA", 29}, {"VA", 22}, {"VG", 24}, {"XK", 20}, {"YE", 30}};
        const personal_span none{personal_data::iban, begin, begin};
        std::array<char, 34> all{};
        std::size_t at = begin, n = 0, length = all.size();
        char c = 0;
        for (at = next_visible(at, c);; at = next_visible(at, c)) {
            if (n >= 4 && (c == ' ' || c == '-')) at = next_visible(at, c);  // one between groups
            const bool digit = is_digit(c);
            if (!digit && !is_latin(c)) return none;
            if (n < 4 && digit != (n >= 2)) return none;
            all[n++] = digit || c < 'a' ? c : static_cast<char>(c - 32);
            if (n == 4) {
                const std::string_view code(all.data(), 2);
                const auto* found =
                    std::lower_bound(std::begin(countries), std::end(countries), code, [](const country& k, std::string_view v) { return k.code < v; });
                if (found == std::end(countries) || found->code != code) return none;
                length = found->length;
            }
            if (n == length) break;
        }
        (void)next_visible(at, c);
        if (at < text_.size() && in_word(c)) return none;
        unsigned rest = 0;
        for (std::size_t i = 0; i < n; ++i) {  // the first four behind the others; letters count 10 to 35
            const char x = all[(i + 4) % n];
            rest = is_digit(x) ? rest * 10 + static_cast<unsigned>(x - '0') : rest * 100 + static_cast<unsigned>(x - 'A') + 10;
            rest %= 97;
        }
        return rest == 1 ? personal_span{personal_data::iban, begin, at} : none;
    }

    // `sign` is the place of the @, `at` behind it.
    template <class = void>
    [[nodiscard]] personal_span email_around(std::size_t sign, std::size_t at) const noexcept {
        const personal_span none{personal_data::email, sign, sign};
        std::size_t begin = word_;
        while (begin < sign) {
            std::size_t next = begin;
            if (in_word(folded_character(text_, next))) break;
            begin = next;
        }
        if (begin == sign) return none;
        // Labels with dots between them; the last one has two letters at least, or is a name in Punycode.
        std::size_t good = sign, label = 0, letters = 0, dots = 0;
        std::array<char, 4> first{};
        while (at < text_.size()) {
            char c = 0;
            const std::size_t next = next_visible(at, c);
            if (c == '.') {
                if (label == 0) break;
                ++dots;
                label = letters = 0;
            } else if (is_digit(c) || is_latin(c) || c == other_letter || (c == '-' && label > 0)) {
                if (label < first.size()) first[label] = static_cast<char>(is_latin(c) ? c | 0x20 : c);
                if (letters == label && !is_digit(c) && c != '-') ++letters;
                ++label;
                const bool puny = label > 4 && std::string_view(first.data(), first.size()) == "xn--" && c != '-';
                if (dots > 0 && ((letters == label && letters >= 2) || puny)) good = next;
            } else {
                break;
            }
            at = next;
        }
        return good > sign ? personal_span{personal_data::email, begin, good} : none;
    }

    std::string_view text_;
    personal_kinds kinds_;
    std::size_t word_ = 0;                              // where the letters and signs in front of this place begin, as of an address
    std::size_t done_ = 0;                              // behind what was found last
    char last_ = no_letter, last_but_one_ = no_letter;  // the two characters in front
};

}  // namespace detail::personal_text

/// What points at a person in a text, from first to last, without overlaps. Where something could be of several kinds the stricter check
/// decides: identity number, card, phone. A random number of 16 digits passes a card's check with a probability of 3 %, an IBAN's of 1 %, an identity
/// number's of 1e-3 or less; a mobile number without spaces looks like an order number, so a word in front ("order", "订单号") decides.
/// Throws `error` (`bad_utf8`) with the byte.
template <class = void>
[[nodiscard]] inline std::vector<personal_span> find_personal_data(std::string_view text, personal_kinds kinds = {}) {
    require_utf8(text, 1, "find_personal_data");
    std::vector<personal_span> out;
    detail::personal_text::scanner(text, kinds).scan([&](const personal_span& span) { out.push_back(span); });
    return out;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
