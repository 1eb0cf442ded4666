#include <caramel/text/normalize.hpp>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/text/tokenizer.hpp>

#include "support/catch.hpp"

using namespace caramel;
using strings = std::vector<std::string>;

namespace {

constexpr char32_t limit = 0x110000;
constexpr std::array forms{normal_form::nfc, normal_form::nfd, normal_form::nfkc, normal_form::nfkd};

std::string utf8(const std::u32string& points) {
    std::string out;
    for (const char32_t c : points) {
        char bytes[4];
        out.append(bytes, encode_utf8(c, bytes));
    }
    return out;
}
std::u32string points_of(std::string_view text) {
    std::u32string out;
    for (std::size_t at = 0; at < text.size();) out += decode_utf8(text, at);
    return out;
}
std::u32string hex_points(const std::string& field) {
    std::u32string out;
    std::istringstream in(field);
    for (std::string digits; in >> digits;) out += static_cast<char32_t>(std::stoul(digits, nullptr, 16));
    return out;
}

// A file of Debian's package unicode-data 15.0, unpacked where it is packed; empty if there is none.
std::string database_file(const std::string& name) {
    const std::filesystem::path path = std::filesystem::path("/usr/share/unicode") / name;
    std::ostringstream out;
    if (std::filesystem::exists(path)) {
        out << std::ifstream(path, std::ios::binary).rdbuf();
        return out.str();
    }
    std::string text;
    if (!std::filesystem::exists(path.string() + ".bz2")) return text;
    const auto close = [](std::FILE* file) { ::pclose(file); };
    const std::unique_ptr<std::FILE, decltype(close)> in(::popen(("bzip2 -dc '" + path.string() + ".bz2'").c_str(), "r"), close);
    std::array<char, 65536> block;
    for (std::size_t n = 1; in && n > 0;) {
        n = std::fread(block.data(), 1, block.size(), in.get());
        text.append(block.data(), n);
    }
    return text;
}
std::vector<strings> fields_of(const std::string& file) {
    std::vector<strings> out;
    std::istringstream in(file);
    for (std::string line; std::getline(in, line);) {
        line.erase(std::min(line.find('#'), line.size()));
        if (line.find(';') == std::string::npos) continue;
        auto& fields = out.emplace_back();
        std::istringstream parts(line);
        for (std::string field; std::getline(parts, field, ';');) {
            while (!field.empty() && field.back() == ' ') field.pop_back();
            while (!field.empty() && field.front() == ' ') field.erase(0, 1);
            fields.push_back(field);
        }
    }
    return out;
}
#define DATABASE_OR_SKIP(variable, name)                                                                       \
    const std::string variable = database_file(name);                                                          \
    if (variable.find("-15.0.0.txt") == std::string::npos && std::string_view(name) != "UnicodeData.txt") {    \
        WARN("skipped: " name " of Unicode 15.0 is not in /usr/share/unicode (apt-get install unicode-data)"); \
        return;                                                                                                \
    }

// The forms by the book, on the database itself and quadratic: another road to the same definition.
class by_the_book {
   public:
    explicit by_the_book(const std::string& data, const std::string& exclusions) {
        for (const auto& f : fields_of(data)) {
            const char32_t c = hex_points(f[0])[0];
            if (f[3] != "0") classes_[c] = std::stoi(f[3]);
            if (f[5].empty()) continue;
            const bool compatible = f[5][0] == '<';
            (compatible ? compatible_ : canonical_)[c] = hex_points(compatible ? f[5].substr(f[5].find('>') + 1) : f[5]);
        }
        std::set<char32_t> excluded;
        std::istringstream in(exclusions);
        for (std::string line; std::getline(in, line);)
            if (!line.empty() && line[0] != '#') excluded.insert(hex_points(line.substr(0, line.find(' ')))[0]);
        for (const auto& [c, parts] : canonical_)
            if (parts.size() == 2 && class_of(c) == 0 && class_of(parts[0]) == 0 && !excluded.contains(c)) pairs_[{parts[0], parts[1]}] = c;
        for (char32_t c = 0xAC00; c < 0xD7A4; ++c) {
            const char32_t n = c - 0xAC00, vowel = 0x1161 + n / 28 % 21, lead = 0x1100 + n / 588;
            canonical_[c] = n % 28 == 0 ? std::u32string{lead, vowel} : std::u32string{c - n % 28, 0x11A7 + n % 28};
            pairs_[{canonical_[c][0], canonical_[c][1]}] = c;
        }
    }
    [[nodiscard]] std::u32string operator()(const std::u32string& text, normal_form form) const {
        std::u32string out;
        for (const char32_t c : text) decompose(c, form >= normal_form::nfkc, out);
        for (std::size_t i = 1; i < out.size(); ++i)
            for (std::size_t j = i; j > 0 && class_of(out[j]) != 0 && class_of(out[j - 1]) > class_of(out[j]); --j) std::swap(out[j], out[j - 1]);
        if (form == normal_form::nfd || form == normal_form::nfkd) return out;
        for (std::size_t i = 0; i < out.size(); ++i) {  // each with the last starter before it that nothing keeps it from
            for (std::size_t s = i; s-- > 0;) {
                if (class_of(out[s]) == 0) {
                    if (const auto pair = pairs_.find({out[s], out[i]}); pair != pairs_.end()) {
                        out[s] = pair->second;
                        out.erase(i--, 1);
                    }
                    break;
                }
                if (class_of(out[s]) >= class_of(out[i])) break;
            }
        }
        return out;
    }
    [[nodiscard]] std::vector<char32_t> interesting() const {
        std::vector<char32_t> out;
        for (const auto& [c, parts] : canonical_)
            if (c < 0xAC00 || c > 0xD7A3 || c % 97 == 0) out.push_back(c), out.insert(out.end(), parts.begin(), parts.end());
        for (const auto& [c, parts] : compatible_) out.push_back(c);
        for (const auto& [c, mark] : classes_) out.push_back(c);
        return out;
    }

   private:
    [[nodiscard]] int class_of(char32_t c) const {
        const auto found = classes_.find(c);
        return found == classes_.end() ? 0 : found->second;
    }
    void decompose(char32_t c, bool compatible, std::u32string& out) const {
        const auto canonical = canonical_.find(c), other = compatible_.find(c);
        if (canonical != canonical_.end()) for (const char32_t part : canonical->second) decompose(part, compatible, out);
        else if (compatible && other != compatible_.end()) for (const char32_t part : other->second) decompose(part, compatible, out);
        else out += c;
    }
    std::map<char32_t, int> classes_;
    std::map<char32_t, std::u32string> canonical_, compatible_;
    std::map<std::pair<char32_t, char32_t>, char32_t> pairs_;
};

struct first_half {  // a stage for single texts only
    using stage_concept = model_tag;
    std::string_view operator()(std::string_view text, workspace&) const { return text.substr(0, text.size() / 2); }
};

}  // namespace

TEST_CASE("normalize: by hand", "[normalize]") {
    using enum normal_form;
    CHECK(normalize("", nfc).empty());
    CHECK(normalize("plain ASCII, unchanged", nfkd) == "plain ASCII, unchanged");
    CHECK(normalize("Cafe\u0301", nfc) == "Café");
    CHECK(normalize("Café", nfd) == "Cafe\u0301");
    CHECK(normalize("ｆｕｌｌ　ｗｉｄｔｈ，①ﬁ㍿", nfkc) == "full width,1fi株式会社");
    CHECK(normalize("ｶﾞ", nfkc) == "ガ");
    CHECK(normalize("한국어", nfd) == "\u1112\u1161\u11AB\u1100\u116E\u11A8\u110B\u1165");
    CHECK(normalize("\u1112\u1161\u11AB\u1100\u116E\u11A8\u110B\u1165", nfc) == "한국어");
    CHECK(normalize("q\u0307\u0323", nfc) == "q\u0323\u0307");  // put in order
    CHECK(normalize("＝\u0338", nfkc) == "≠");                   // a full-width form before a mark
    CHECK(normalize("\u212B\u2126", nfc) == "ÅΩ");               // singletons
    CHECK(normalize("\u0344", nfc) == "\u0308\u0301");           // a mark that decomposes
    CHECK(normalize("\uFDFA", nfkc) == "\u0635\u0644\u0649 \u0627\u0644\u0644\u0647 \u0639\u0644\u064A\u0647 \u0648\u0633\u0644\u0645");  // the longest
    CHECK(is_normalized("Café", nfc));
    CHECK_FALSE(is_normalized("Café", nfd));
    CHECK_FALSE(is_normalized("a\u0301", nfc));
    CHECK(is_normalized("a\u0301", nfd));
    CHECK_FALSE(is_normalized("好，", nfkc));
    CHECK(is_normalized("好，", nfc));
    for (const auto form : forms) CHECK(error_of([&] { (void)normalize("ab\xFF", form); }).where() == place{.row = 1, .byte = 3});
}

TEST_CASE("normalize: all lines of NormalizationTest.txt", "[normalize]") {
    DATABASE_OR_SKIP(file, "NormalizationTest.txt");
    const std::size_t part1 = file.find("@Part1"), part2 = file.find("@Part2");
    const auto named = fields_of(file.substr(part1, part2 - part1));
    std::vector<bool> listed(limit);
    for (const auto& line : named) listed[hex_points(line[0])[0]] = true;
    std::size_t wrong = 0, lines = 0;
    for (const auto& f : fields_of(file)) {
        ++lines;
        std::array<std::string, 5> c;
        for (std::size_t i = 0; i < 5; ++i) c[i] = utf8(hex_points(f[i]));
        using enum normal_form;
        for (std::size_t i = 0; i < 5; ++i) {
            wrong += normalize(c[i], nfc) != c[i < 3 ? 1 : 3];
            wrong += normalize(c[i], nfd) != c[i < 3 ? 2 : 4];
            wrong += normalize(c[i], nfkc) != c[3];
            wrong += normalize(c[i], nfkd) != c[4];
        }
        wrong += !is_normalized(c[1], nfc) + !is_normalized(c[2], nfd) + !is_normalized(c[3], nfkc) + !is_normalized(c[4], nfkd);
        wrong += (c[0] == c[1]) != is_normalized(c[0], nfc);
        wrong += (c[0] == c[4]) != is_normalized(c[0], nfkd);
    }
    CHECK(lines == 19'074);
    CHECK(wrong == 0);
    std::size_t others = 0;  // which no form changes
    for (char32_t c = 0; c < limit; ++c)
        if (!listed[c] && (c < 0xD800 || c > 0xDFFF)) {
            const std::string one = utf8({c});
            for (const auto form : forms) wrong += normalize(one, form) != one;
            ++others;
        }
    CHECK(wrong == 0);
    CHECK(others == limit - 2048 - named.size());
}

TEST_CASE("normalize: equals the book on random texts of what decomposes, composes and combines", "[normalize]") {
    DATABASE_OR_SKIP(data, "UnicodeData.txt");
    DATABASE_OR_SKIP(exclusions, "CompositionExclusions.txt");
    const by_the_book book(data, exclusions);
    const auto pool = book.interesting();
    rng random(3);
    std::size_t wrong = 0;
    for (int i = 0; i < 20'000; ++i) {
        std::u32string text;
        for (std::uint64_t n = random.below(i % 10 == 0 ? 40 : 8); n > 0; --n) {
            const std::uint64_t kind = random.below(10);
            if (kind == 0) text += static_cast<char32_t>('a' + random.below(26));
            else if (kind == 1) text += static_cast<char32_t>(0x1100 + random.below(0x100));
            else if (kind == 2) text += static_cast<char32_t>(0x4E00 + random.below(0x5200));
            else if (kind < 6) text += static_cast<char32_t>(0x300 + random.below(0x50));
            else text += pool[random.below(pool.size())];
        }
        const std::string bytes = utf8(text);
        for (const auto form : forms) {
            const std::string ours = normalize(bytes, form);
            wrong += points_of(ours) != book(text, form);
            wrong += normalize(ours, form) != ours;
            wrong += is_normalized(bytes, form) != (ours == bytes);
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("normalize: runs of a million marks, in linear time", "[normalize][edge]") {
    std::u32string marks = U"a";
    for (int i = 0; i < 300'000; ++i) marks += i % 3 == 0 ? U'\u0301' : i % 3 == 1 ? U'\u0323' : U'\u0345';
    std::u32string sorted = U"a";
    for (const char32_t c : {U'\u0323', U'\u0301', U'\u0345'}) sorted.append(100'000, c);
    CHECK(normalize(utf8(marks), normal_form::nfd) == utf8(sorted));
    sorted.erase(0, 2);
    CHECK(normalize(utf8(marks), normal_form::nfc) == utf8(U"\u1EA1" + sorted));
    std::string jamo;  // vowels that could each begin to look back
    for (int i = 0; i < 300'000; ++i) jamo += "\u1161";
    CHECK(normalize(jamo, normal_form::nfc) == jamo);
    std::string sigmas;
    for (int i = 0; i < 300'000; ++i) sigmas += "Σ''";
    CHECK(lower_case(sigmas).size() == sigmas.size());
}

TEST_CASE("lower_case and fold_case: whole texts", "[normalize]") {
    CHECK(lower_case("HELLO, Wörld ÀÉ 你好 Ａ") == "hello, wörld àé 你好 ａ");
    CHECK(lower_case("ΟΔΟΣ ΣΑΣ Σ") == "οδος σας σ");
    CHECK(lower_case("ΑΣ'Α ΑΣ'. Α'Σ ΑΣ\u0301 ʰΣ") == "ασ'α ας'. α'ς ας\u0301 ʰσ");  // Python 3: str.lower()
    CHECK(lower_case("İ") == "i\u0307");
    CHECK(lower_case("ẞ\u212A") == "ßk");
    CHECK(fold_case("Straße STRASSE ﬃ") == "strasse strasse ffi");
    CHECK(fold_case("ΟΔΟΣ οδος") == "οδοσ οδοσ");
    CHECK(fold_case("İ") == "i\u0307");
    CHECK(fold_case("\u1FB7") == "\u03B1\u0342\u03B9");
    CHECK(error_of([] { (void)lower_case("a\x80"); }).where() == place{.row = 1, .byte = 2});
    CHECK(error_of([] { (void)fold_case("a\x80"); }).code() == errc::bad_utf8);
    static_assert(lower_case(U'A') == U'a');  // the code points' own functions beside them
}
TEST_CASE("fold_case: all of CaseFolding.txt", "[normalize]") {
    DATABASE_OR_SKIP(file, "CaseFolding.txt");
    std::map<char32_t, std::u32string> fold;
    for (const auto& f : fields_of(file))
        if (f[1] == "C" || f[1] == "F") fold[hex_points(f[0])[0]] = hex_points(f[2]);
    std::size_t wrong = 0;
    for (char32_t c = 0; c < 0x20000; ++c)
        if (c < 0xD800 || c > 0xDFFF) wrong += points_of(fold_case(utf8({c}))) != (fold.contains(c) ? fold[c] : std::u32string{c});
    CHECK(fold.size() == 1'530);
    CHECK(wrong == 0);
}

TEST_CASE("strip_accents", "[normalize]") {
    CHECK(strip_accents("Café naïve Übergröße Ñandú Ǻ") == "Cafe naive Ubergroße Nandu A");
    CHECK(strip_accents("cafe\u0301") == "cafe");
    CHECK(strip_accents("한국어 你好 Ωά й") == "한국어 你好 Ωα и");
    CHECK(strip_accents("") == "");
    CHECK(strip_accents("\u0301").empty());
    CHECK(error_of([] { (void)strip_accents("\xC3"); }).code() == errc::bad_utf8);
}

TEST_CASE("normalize_text: a stage", "[normalize]") {
    const strings texts{"ＨＥＬＬＯ Ｗörld！", "", "ASCII Only", "Cafe\u0301 ΟΔΟΣ"};
    CHECK(normalize_text()(texts) == strings{"hello wörld!", "", "ascii only", "café οδος"});
    CHECK(normalize_text({.form = normal_form::nfc, .lowercase = false})(texts) == strings{texts[0], "", "ASCII Only", "Café ΟΔΟΣ"});
    CHECK(normalize_text({.lowercase = false})(texts)[0] == "HELLO Wörld!");
    const normalize_text bare({.strip_accents = true});
    CHECK(bare(texts) == strings{"hello world!", "", "ascii only", "cafe οδος"});
    workspace scratch;
    for (const auto& text : texts)
        for (const auto form : forms)
            for (const bool lower : {false, true})
                for (const bool strip : {false, true}) {
                    const normalize_text stage({.form = form, .lowercase = lower, .strip_accents = strip});
                    CHECK(stage(text, scratch) == stage(strings{text})[0]);
                    CHECK(stage(text) == stage(strings{text})[0]);
                    CHECK(stage("x") == "x");
                }
    CHECK(bare("\uFDFA\uFDFA\uFDFA\uFDFA\uFDFA\uFDFA\uFDFA\uFDFA", scratch).size() == 8 * 33);  // grows in the workspace
    const auto again = std::apply([](const auto&... field) { return normalize_text(field...); }, bare.fields());
    CHECK(again.fields() == bare.fields());
    CHECK(bare.options().strip_accents);
    CHECK(error_of([&] { (void)bare(strings{"a", "b\xFF"}); }).where() == place{.row = 2, .byte = 2});
    CHECK(error_of([] { (void)normalize_text(static_cast<normal_form>(4), true, true); }).code() == errc::bad_parameter);
    CHECK(error_of([] { (void)normalize_text(normal_form::nfc, true, true, unicode_version + 1); }).code() == errc::unsupported_version);
}
TEST_CASE("normalize_text: in a chain", "[normalize]") {
    const auto chain = fit(normalize_text() | word_tokenizer{.lowercase = false}, strings{"ＡＢＣ def", "abc"});
    CHECK(chain.get<1>().words().tokens() == strings{"abc", "def"});
    CHECK(chain(std::string("ａｂｃ")) == std::vector<token_id>{1});
    workspace scratch;
    CHECK(chain(std::string_view("x ａｂｃ"), scratch).size() == 2);
    const auto twice = normalize_text({.form = normal_form::nfc, .lowercase = false}) | normalize_text();
    CHECK(twice(std::string_view("Ｅ\u0301"), scratch) == "é");
    CHECK(twice(std::string("Ｅ\u0301")) == "é");
    const auto single = first_half{} | normalize_text();
    static_assert(std::same_as<decltype(single(std::string_view())), std::string>);  // not a view into a workspace that is gone
    CHECK(single(std::string_view("ABCD")) == "ab");
}
