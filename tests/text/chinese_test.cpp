#include <caramel/text/chinese.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/random.hpp>

#include "support/catch.hpp"
#include "support/shared_data.hpp"

using namespace caramel;
namespace chinese_test {

using strings = std::vector<std::string>;

namespace {

// The folder of Debian's python3-jieba 0.42.1, or the one that CARAMEL_JIEBA names.
std::optional<std::filesystem::path> jieba_folder() {
    const char* const named = std::getenv("CARAMEL_JIEBA");
    const std::filesystem::path folder = named != nullptr ? named : "/usr/lib/python3/dist-packages/jieba";
    if (!std::filesystem::exists(folder / "dict.txt")) return std::nullopt;
    return folder;
}
const chinese_segmenter& jieba() {
    static const chinese_segmenter segmenter = read_chinese_segmenter(*jieba_folder());
    return segmenter;
}
#define JIEBA_OR_SKIP(variable)                                                                                                       \
    if (!jieba_folder()) {                                                                                                            \
        WARN("skipped: jieba's dictionary is not on this machine (apt-get install python3-jieba, or set CARAMEL_JIEBA to its folder)"); \
        return;                                                                                                                       \
    }                                                                                                                                 \
    const chinese_segmenter& variable = jieba()

std::string joined(const strings& words) {
    std::string out;
    for (const auto& word : words) out += (out.empty() ? "" : "/") + word;
    return out;
}
strings lines_of(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    strings out;
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
}
strings matched(const chinese_dictionary& dictionary, std::string_view text, const match_options& options = {}) {
    strings out;
    match_words(dictionary, text, [&](std::size_t begin, std::size_t end) { out.emplace_back(text.substr(begin, end - begin)); }, options);
    return out;
}

// FIPS 180-4.
std::string sha256(std::string text) {
    std::array<std::uint32_t, 64> k{};
    std::array<std::uint32_t, 8> h{};
    std::size_t found = 0;
    const auto fraction = [](long double x) { return static_cast<std::uint32_t>((x - std::floor(x)) * 4294967296.0L); };
    for (unsigned n = 2; found < 64; ++n) {
        bool prime = true;
        for (unsigned d = 2; d * d <= n; ++d) prime = prime && n % d != 0;
        if (!prime) continue;
        if (found < 8) h[found] = fraction(std::sqrt(static_cast<long double>(n)));
        k[found++] = fraction(std::cbrt(static_cast<long double>(n)));
    }
    const std::uint64_t bits = 8 * text.size();
    text += '\x80';
    while (text.size() % 64 != 56) text += '\0';
    for (int shift = 56; shift >= 0; shift -= 8) text += static_cast<char>(bits >> shift & 0xFF);
    const auto turned = [](std::uint32_t x, int n) { return x >> n | x << (32 - n); };
    for (std::size_t at = 0; at < text.size(); at += 64) {
        std::array<std::uint32_t, 64> w{};
        for (std::size_t i = 0; i < 64; ++i) w[i / 4] = w[i / 4] << 8 | static_cast<unsigned char>(text[at + i]);
        for (std::size_t i = 16; i < 64; ++i)
            w[i] = w[i - 16] + (turned(w[i - 15], 7) ^ turned(w[i - 15], 18) ^ w[i - 15] >> 3) + w[i - 7] + (turned(w[i - 2], 17) ^ turned(w[i - 2], 19) ^ w[i - 2] >> 10);
        auto [a, b, c, d, e, f, g, z] = h;
        for (std::size_t i = 0; i < 64; ++i) {
            const std::uint32_t one = z + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + ((e & f) ^ (~e & g)) + k[i] + w[i];
            const std::uint32_t two = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
            z = g, g = f, f = e, e = d + one, d = c, c = b, b = a, a = one + two;
        }
        const std::array<std::uint32_t, 8> sum{a, b, c, d, e, f, g, z};
        for (std::size_t i = 0; i < 8; ++i) h[i] += sum[i];
    }
    std::string out;
    for (const std::uint32_t word : h)
        for (int shift = 28; shift >= 0; shift -= 4) out += "0123456789abcdef"[word >> shift & 15];
    return out;
}

// One value of a line of jieba_cases.json, whose strings stand one on a line.
std::string json_string(std::string_view line) {
    std::string out;
    for (std::size_t i = line.find('"') + 1; i < line.rfind('"'); ++i) {
        if (line[i] == '\\') out += line[++i] == 'n' ? '\n' : line[i] == 't' ? '\t' : line[i] == 'r' ? '\r' : line[i];
        else out += line[i];
    }
    return out;
}

// A small world of three characters and words of one to three of them, some with equal counts, so that ties are common.
const std::vector<std::pair<std::string, std::uint64_t>> small_words{{"一", 4},   {"二", 2},     {"一二", 8},   {"二一", 8},    {"三三", 1}, {"一二三", 16},
                                                                       {"二三", 16}, {"一一二", 2}, {"三一", 32}, {"二二二二", 64}};
chinese_dictionary small_dictionary() {
    std::string lines;
    for (const auto& [word, count] : small_words) lines += word + " " + std::to_string(count) + " n\n";
    return parse_chinese_dictionary(lines);
}
std::string random_text(rng& random, std::size_t n) {
    static const strings characters{"一", "二", "三"};
    std::string out;
    for (std::size_t i = 0; i < n; ++i) out += characters[random.below(3)];
    return out;
}

// The definition: all ways to cut the text, the sum of logarithms from the right; of equal ones the longest first word, and so on.
strings best_by_definition(const std::string& text) {
    std::map<std::string, std::uint64_t> counts(small_words.begin(), small_words.end());
    double total = 0;
    for (const auto& [word, count] : small_words) total += static_cast<double>(count);
    const std::size_t n = text.size() / 3;
    struct way {
        double sum;
        strings words;
    };
    const auto longer_first = [](const strings& a, const strings& b) {
        for (std::size_t i = 0; i < a.size(); ++i)
            if (a[i].size() != b[i].size()) return a[i].size() > b[i].size();
        return false;
    };
    std::vector<std::vector<way>> from(n + 1);
    from[n].push_back({0, {}});
    for (std::size_t i = n; i-- > 0;) {
        bool any = false;
        for (std::size_t j = i + 1; j <= n; ++j) any = any || counts.contains(text.substr(3 * i, 3 * (j - i)));
        for (std::size_t j = i + 1; j <= n; ++j) {
            const std::string word = text.substr(3 * i, 3 * (j - i));
            if (!counts.contains(word) && (any || j > i + 1)) continue;
            const double one = (counts.contains(word) ? std::log(static_cast<double>(counts[word])) : 0.0) - std::log(total);
            for (const way& rest : from[j]) {
                way longer{one + rest.sum, {word}};
                longer.words.insert(longer.words.end(), rest.words.begin(), rest.words.end());
                from[i].push_back(std::move(longer));
            }
        }
    }
    const way* best = &from[0].front();
    for (const way& other : from[0])
        if (other.sum > best->sum || (other.sum == best->sum && longer_first(other.words, best->words))) best = &other;
    return best->words;
}

chinese_hmm small_hmm() {
    return chinese_hmm({-0.5, chinese_hmm::impossible, chinese_hmm::impossible, -1.0}, {-1.0, -0.5, -1.5, -0.25, -0.5, -1.0, -0.75, -0.75}, {U'一', U'三', U'二'},
                       {-1, -2, -3, -1, -2, -1, -2, -2, -1, -3, -2, -0.5});
}

}  // namespace

TEST_CASE("chinese: the most probable words, by hand", "[chinese]") {
    const chinese_segmenter s(parse_chinese_dictionary("北京 5 ns\n大学 4 n\n北京大学 1 nt\n京大 1\n生 9 n\n大学生 6 n\n生前 3 t\n"));
    CHECK(s.dictionary().size() == 7);
    CHECK(s.dictionary().total() == 29);
    CHECK(s.dictionary().count("大学") == 4);
    CHECK(s.dictionary().count("大") == 0);
    CHECK(s.dictionary().count("\xFF") == 0);
    CHECK(s("北京大学生前来") == strings{"北京大学", "生前", "来"});  // 1 * 3 * 1 / 29^3 is more than 5 * 4 * 3 * 1 / 29^4
    CHECK(s("北京大学生") == strings{"北京", "大学生"});               // 5 * 6 / 29^2 is more than 1 * 9 / 29^2
    CHECK(s("") == strings{});
    CHECK(s("大学，北京。\r\n 好\t") == strings{"大学", "，", "北京", "。", "\r\n", " ", "好", "\t"});
    CHECK(s.words("北京大学生", {.mode = chinese_mode::search}) == strings{"北京", "大学", "大学生"});
    CHECK(s.words("北京大学生", {.mode = chinese_mode::full}) == strings{"北京", "北京大学", "京大", "大学", "大学生"});
    CHECK(s.words("生 生", {.mode = chinese_mode::full}) == strings{"生", "", " ", "", "生"});  // empty words as jieba's
    CHECK(s(strings{"生前", "", "大学"}) == std::vector<strings>{{"生前"}, {}, {"大学"}});
    std::vector<std::size_t> at;
    s.split("a大学!", [&](std::size_t begin, std::size_t end) { at.insert(at.end(), {begin, end}); });
    CHECK(at == std::vector<std::size_t>{0, 1, 1, 7, 7, 8});
}

TEST_CASE("chinese: agrees with the definition on random texts with many ties", "[chinese]") {
    const chinese_segmenter s(small_dictionary());
    rng random(3);
    for (int i = 0; i < 400; ++i) {
        const std::string text = random_text(random, 1 + random.below(9));
        CAPTURE(text);
        REQUIRE(s(text) == best_by_definition(text));
    }
}

TEST_CASE("chinese_hmm: the states agree with all sequences tried", "[chinese]") {
    const chinese_hmm hmm = small_hmm();
    const auto& start = std::get<0>(hmm.fields());
    const auto& moves = std::get<1>(hmm.fields());
    const auto& characters = std::get<2>(hmm.fields());
    const auto& emissions = std::get<3>(hmm.fields());
    rng random(4);
    for (int i = 0; i < 200; ++i) {
        const std::size_t n = 1 + random.below(6);
        std::u16string text;
        for (std::size_t k = 0; k < n; ++k) text += u"一三二龙"[random.below(4)];
        const auto emission = [&](std::size_t k, std::size_t state) {
            const auto found = std::ranges::find(characters, std::uint32_t{text[k]});
            return found == characters.end() ? chinese_hmm::impossible : emissions[4 * static_cast<std::size_t>(found - characters.begin()) + state];
        };
        const auto score = [&](const std::uint8_t* states) {
            double sum = start[states[0]] + emission(0, states[0]);
            for (std::size_t k = 1; k < n; ++k) {
                const std::size_t move = detail::number_of_move(states[k - 1], states[k]);
                sum = sum + (move == 8 ? -1e300 : moves[move]) + emission(k, states[k]);
            }
            return states[n - 1] == chinese_hmm::end || states[n - 1] == chinese_hmm::single ? sum : -1e300;
        };
        double best = -1e301;
        for (std::size_t code = 0; code < std::size_t{1} << 2 * n; ++code) {
            std::array<std::uint8_t, 6> states{};
            for (std::size_t k = 0; k < n; ++k) states[k] = code >> 2 * k & 3;
            best = std::max(best, score(states.data()));
        }
        std::array<std::uint8_t, 6> back{}, states{};
        hmm.find_states(text, back.data(), states.data());
        REQUIRE(score(states.data()) == best);
    }
}

TEST_CASE("chinese_hmm: learnt from segmented texts, by hand", "[chinese]") {
    const auto hmm = chinese_hmm::fit(std::vector<strings>{{"中国", "人", "，", "人"}, {"中国人"}});
    const auto& [start, moves, characters, emissions] = hmm.fields();
    const double half = std::log(0.5), never = chinese_hmm::impossible;
    CHECK(start == std::array{std::log(2.0 / 3), never, never, std::log(1.0 / 3)});
    CHECK(moves == std::array{half, half, never, 0.0, never, 0.0, never, never});
    CHECK(characters == std::vector<std::uint32_t>{U'中', U'人', U'国'});
    CHECK(emissions == std::vector<double>{0.0, never, never, never, never, never, half, 0.0, never, 0.0, half, never});
    CHECK(error_of([] { (void)chinese_hmm::fit(std::vector<strings>{{"a", ""}}); }).code() == errc::empty_input);
    CHECK(error_of([] { (void)chinese_hmm::fit(std::vector<strings>{{"a"}, {"\xFF"}}); }).where().row == 2);
}

TEST_CASE("chinese_hmm: reads dictionaries of Python, and says what it cannot read", "[chinese][error]") {
    const std::string start = "P={'B': -0.25,\n 'E': -3.14e+100,\n 'M': -3.14e+100,\n 'S': -1.5}\n";
    const std::string moves = "P={'B': {'E': -0.5, 'M': -0.75}, 'E': {'B': -0.5, \"S\": -1}, 'M': {'E': 0, 'M': -1e2}, 'S': {'B': -2, 'S': -3,},}";
    const std::string emissions = "from __future__ import unicode_literals\n\nP={'B': {'\\u4e00': -3.5, '人': -1},\n 'S': {'\\u4e00': -2.5, '\\u0041': -4}}\n";
    const auto hmm = parse_chinese_hmm(start, moves, emissions);
    CHECK(std::get<0>(hmm.fields()) == std::array{-0.25, chinese_hmm::impossible, chinese_hmm::impossible, -1.5});
    CHECK(std::get<1>(hmm.fields()) == std::array{-0.75, -0.5, -1e2, 0.0, -0.5, -1.0, -2.0, -3.0});
    CHECK(std::get<2>(hmm.fields()) == std::vector<std::uint32_t>{U'一', U'人'});
    CHECK(std::get<3>(hmm.fields())[3] == -2.5);
    const auto problem = [&](const std::string& text) { return error_of([&] { (void)parse_chinese_hmm(text, moves, emissions); }); };
    for (const std::string bad : {"", "Q={}", "P=", "P={", "P={'B'", "P={'B':", "P={'B':}", "P={'B':x}", "P={'B':-1", "P={'B':-1}x", "P={B:-1}", "P={'X':-1}", "P={'B':1}", "P={'B':nan}",
                                  "P={'B':-inf}", "P={'B':-1e300}", "P={'B:-1}", "P={'B\n':-1}", "P={'\\x41':-1}", "P={'\\u4':-1}", "P={'B':{'B':-1}}", "P={'B':{'C':{'D':{}}}}"}) {
        CAPTURE(bad);
        CHECK(problem(bad).code() == errc::bad_data);
    }
    CHECK(problem("P={'B': -1,\n'E': 7}").where() == place{.row = 2, .byte = 19});
    CHECK(error_of([&] { (void)parse_chinese_hmm(start, std::string("P={'B': {'S': -1}}"), emissions); }).code() == errc::bad_data);
    CHECK(error_of([&] { (void)parse_chinese_hmm(start, moves, std::string("P={}")); }).code() == errc::empty_input);
    CHECK(error_of([&] { (void)parse_chinese_hmm(start, moves, std::string("P={'\xFF': 1}")); }).code() == errc::bad_utf8);
    CHECK(error_of([] { (void)read_chinese_hmm("no_such_folder"); }).code() == errc::io);
    const auto& [s, m, c, e] = hmm.fields();
    CHECK(chinese_hmm(s, m, c, e) == hmm);
    CHECK(error_of([&, &s = s, &m = m, &c = c] { (void)chinese_hmm(s, m, c, {}); }).code() == errc::bad_data);
    CHECK(error_of([&, &m = m] { (void)chinese_hmm({0.0, 0.5, 0, 0}, m, {}, {}); }).code() == errc::bad_data);
    CHECK(error_of([&, &s = s, &m = m] { (void)chinese_hmm(s, m, {U'二', U'一'}, std::vector<double>(8)); }).code() == errc::bad_data);
    CHECK(error_of([&, &s = s, &m = m] { (void)chinese_hmm(s, m, {U'a'}, std::vector<double>(4)); }).code() == errc::bad_data);
}

TEST_CASE("chinese_dictionary: what it refuses, and where", "[chinese][error]") {
    const auto problem = [](std::string_view text) { return error_of([&] { (void)parse_chinese_dictionary(text); }); };
    CHECK(problem("一 1\n二\n").code() == errc::missing_value);
    CHECK(problem("一 1\n二\n").where() == place{.row = 2});
    CHECK(problem("一 1\n\n二 2\n").where() == place{.row = 2});
    CHECK(problem("一 x n\n").code() == errc::bad_number);
    CHECK(problem("一 -1 n\n").code() == errc::bad_number);
    CHECK(problem("一  1\n").code() == errc::bad_number);
    CHECK(problem("一 99999999999999999999\n").code() == errc::number_out_of_range);
    CHECK(problem("一 4611686018427387904\n二 1\n").code() == errc::limit_exceeded);
    CHECK(problem("一 1\n\xE4\xB8 1\n").code() == errc::bad_utf8);
    CHECK(problem("一 1\n\xE4\xB8 1\n").where() == place{.row = 2});
    CHECK(problem(std::string(65, 'a') + " 1\n").code() == errc::token_too_long);
    std::string many;
    for (char32_t c = 0x10000; c < 0x20000; ++c) {
        char bytes[4];
        many.append(bytes, encode_utf8(c, bytes)) += " 1\n";
    }
    CHECK(problem(many).code() == errc::limit_exceeded);
    CHECK(problem(many).where().row == 65'535);
    CHECK(error_of([] { (void)read_chinese_dictionary("no_such_file"); }).code() == errc::io);
    CHECK(error_of([] { (void)chinese_dictionary(strings{"一", ""}); }).where() == place{.row = 2});
    CHECK(error_of([] { (void)chinese_dictionary(strings{"一\n"}); }).code() == errc::bad_data);
    CHECK(error_of([] { (void)chinese_dictionary(strings{"\xFF"}); }).code() == errc::bad_utf8);
    SECTION("and what it takes as it is") {
        const auto d = parse_chinese_dictionary("\xEF\xBB\xBF一 1\r\n二二 2 n\n一 3");  // the last count holds, the total has both
        CHECK(d.size() == 2);
        CHECK(d.count("一") == 3);
        CHECK(d.total() == 6);
        CHECK(parse_chinese_dictionary("").size() == 0);
        CHECK(chinese_dictionary(strings{"一", "一", "二"}).total() == 2);
        const auto& [words, counts, total, taken_out] = d.fields();
        CHECK(words == "一\n二二\n");
        CHECK(chinese_dictionary(words, counts, total, taken_out) == d);
        const auto made = [&](const std::string& lines, const std::vector<std::uint64_t>& n, std::uint64_t sum, const std::vector<std::uint32_t>& out) {
            return error_of([&] { (void)chinese_dictionary(lines, n, sum, out); }).code();
        };
        CHECK(made("一\n", {1, 2}, 3, {}) == errc::bad_data);
        CHECK(made("一\n二\n", {1}, 3, {}) == errc::bad_data);
        CHECK(made("一\n二", {1, 2}, 3, {}) == errc::bad_data);
        CHECK(made("一\n一\n", {1, 2}, 3, {}) == errc::duplicate_token);
        CHECK(made("一\n二\n", {1, 2}, 2, {}) == errc::bad_data);
        CHECK(made("一\n二\n", {1, 2}, 3, {2}) == errc::bad_data);
        CHECK(made("一\n\n", {1, 2}, 3, {}) == errc::empty_token);
        CHECK(made("\xFF\n", {1}, 1, {}) == errc::bad_utf8);
    }
}

TEST_CASE("chinese: user words", "[chinese]") {
    SECTION("as lines") {
        const auto words = parse_user_words("\xEF\xBB\xBF云计算 5\n\n李小福 2 nr\r\n创新 nz\n台中\nEdu Trust认证 2000\n12\n a b\n7 8 9\n");
        REQUIRE(words.size() == 8);
        const auto is = [&](std::size_t i, std::string_view word, std::optional<std::uint64_t> count) { return words[i].word == word && words[i].count == count; };
        CHECK(is(0, "云计算", 5));
        CHECK(is(1, "李小福", 2));
        CHECK(is(2, "创新", {}));
        CHECK(is(3, "台中", {}));
        CHECK(is(4, "Edu Trust认证", 2000));
        CHECK(is(5, "12", {}));
        CHECK(is(6, "a", {}));
        CHECK(is(7, "7 8", 9));
        CHECK(error_of([] { (void)parse_user_words("一\n\xFF\n"); }).where() == place{.row = 2});
        CHECK(error_of([] { (void)parse_user_words("一 99999999999999999999\n"); }).code() == errc::number_out_of_range);
    }
    SECTION("with the count that makes them words, by hand") {
        const auto d = parse_chinese_dictionary("中 40\n国 50\n国人 10\n").with({{"中国"}});
        CHECK(d.count("中国") == 21);  // 40 / 100 * 50 / 100 * 100, and one more
        CHECK(d.total() == 121);
        CHECK(chinese_segmenter(d)("中国中") == strings{"中国", "中"});
        CHECK(chinese_dictionary().with({{"中国"}}).count("中国") == 1);
        CHECK(d.with({{"国人", 3}}).total() == 124);
        const auto rare = d.with({{"中𠀀", 4}, {"😀"}});  // beyond the first plane
        CHECK((rare.count("中𠀀") == 4 && rare.count("😀") == 2 && rare.count("𠀀") == 0 && rare.count("😁") == 0 && rare.count("国人") == 10));
        CHECK((d.count("𠀀") == 0 && d.count("中𠀀") == 0));
    }
    SECTION("of count 0 are none") {
        const chinese_segmenter s(small_dictionary().with({{"一二三", 0}, {"二二", 0}}), small_hmm());
        CHECK(s.dictionary().count("一二三") == 0);
        CHECK(s.dictionary().is_taken_out("二二"));
        CHECK_FALSE(s.dictionary().is_taken_out("一二"));
        CHECK(s("一二三") != strings{"一二三"});
        const auto& [words, counts, total, taken_out] = s.dictionary().fields();
        CHECK(chinese_dictionary(words, counts, total, taken_out) == s.dictionary());
    }
    SECTION("what is refused, and where") {
        CHECK(error_of([] { (void)small_dictionary().with({{"一"}, {""}}); }).where() == place{.row = 2});
        CHECK(error_of([] { (void)small_dictionary().with({{"\xFF"}}); }).code() == errc::bad_utf8);
        CHECK(error_of([] { (void)small_dictionary().with({{"一\n二"}}); }).code() == errc::bad_data);
    }
}

TEST_CASE("chinese: equals jieba on the cases", "[chinese]") {
    JIEBA_OR_SKIP(s);
    SHARED_OR_SKIP(file, "oracles/text/jieba_cases.json");
    std::string text, key;
    std::map<std::string, strings> lists;
    std::size_t cases = 0, tokens = 0;
    std::vector<std::size_t> numbers;
    for (const auto& line : lines_of(file)) {
        if (line.starts_with("\"text\": ")) {
            text = json_string(line.substr(8));
            lists.clear();
            numbers.clear();
        } else if (line.starts_with("\"cut") || line.starts_with("\"search\": ") || line.starts_with("\"tokenize\": ")) {
            key = json_string(line.substr(0, line.find(':')));
            lists[key];
        } else if (line.starts_with("\"")) {
            lists[key].push_back(json_string(line));
        } else if (!line.empty() && line[0] >= '0' && line[0] <= '9') {
            numbers.push_back(std::stoul(line));
        }
        if (!line.starts_with("}")) continue;
        CAPTURE(text);
        ++cases;
        CHECK(s(text) == lists["cut"]);
        CHECK(s.words(text, {.hmm = false}) == lists["cut_no_hmm"]);
        CHECK(s.words(text, {.mode = chinese_mode::search}) == lists["search"]);
        CHECK(s.words(text, {.mode = chinese_mode::full}) == lists["cut_all"]);
        CHECK(lists["tokenize"] == lists["cut"]);
        std::vector<std::size_t> offsets;  // in characters
        const auto characters = [&](std::size_t end) {
            return static_cast<std::size_t>(std::count_if(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), [](char c) { return (c & 0xC0) != 0x80; }));
        };
        s.split(text, [&](std::size_t begin, std::size_t end) { offsets.insert(offsets.end(), {characters(begin), characters(end)}); });
        CHECK(offsets == numbers);
        tokens += numbers.size() / 2;
    }
    CHECK(cases == 25);
    CHECK(tokens > 150);
    // More from jieba 0.42.1: letters, digits, what lies beyond its characters.
    CHECK(joined(s("a.5%b")) == "a.5%/b");
    CHECK(joined(s("a.1.2%%")) == "a.1/./2%/%");
    CHECK(joined(s.words("a.1.2%%", {.hmm = false})) == "a/./1/./2/%/%");
    CHECK(joined(s("e.g.好")) == "e/./g/./好");
    CHECK(joined(s("AT&T T恤衫 abT恤衫cd")) == "AT&T/ /T恤衫/ /ab/T恤衫/cd");
    CHECK(joined(s.words("abT恤衫cd", {.mode = chinese_mode::full})) == "T恤/T恤衫/ab/恤衫/cd");
    CHECK(joined(s("\u9FD6一")) == "\u9FD6/一");
}

TEST_CASE("chinese: equals jieba with user words", "[chinese]") {
    JIEBA_OR_SKIP(s);
    const std::string text = "李小福是创新办主任也是云计算方面的专家；例如我输入一个带“韩玉赏鉴”的标题，石墨烯和凱特琳；台中正確應該不會被切開";
    auto words = parse_user_words("云计算 5\n李小福 2 nr\n创新办 3 i\neasy_install 3 eng\n好用 300\n韩玉赏鉴 3 nz\n八一双鹿 3 nz\n台中\n凱特琳 nz\nEdu Trust认证 2000\n");
    words.insert(words.end(), {{"石墨烯"}, {"凱特琳"}, {"自定义词", 0}});
    const auto d = s.dictionary().with(words);
    CHECK(d.total() == 60'104'359);
    CHECK(d.count("台中") == 69);
    CHECK(d.count("凱特琳") == 2);
    CHECK(d.count("石墨烯") == 1);
    CHECK(joined(chinese_segmenter(d, s.hmm())(text)) ==
          "李小福/是/创新办/主任/也/是/云计算/方面/的/专家/；/例如/我/输入/一个/带/“/韩玉赏鉴/”/的/标题/，/石墨烯/和/凱特琳/；/台/中正/確應/該/不會/被/切開");
    CHECK(joined(s("他来到了网易杭研大厦")) == "他/来到/了/网易/杭研/大厦");
    const chinese_segmenter without(d.with({{"杭研", 0}, {"今天天气", 0}}), s.hmm());
    CHECK(joined(without("他来到了网易杭研大厦")) == "他/来到/了/网易/杭/研/大厦");
    CHECK(joined(without("今天天气不错")) == "今天/天气/不错");
}

// All texts of a column, stripped, words joined by "/", empty ones left out.
std::pair<std::size_t, std::string> words_and_hash(const chinese_segmenter& s, const std::filesystem::path& file, int column, const chinese_options& options) {
    std::string all;
    std::size_t n = 0, line_number = 0;
    workspace scratch;
    for (const auto& line : lines_of(file)) {
        if (line_number++ == 0 || line.empty()) continue;
        std::string_view text = line;
        for (int c = 1; c < column; ++c) text.remove_prefix(text.find('\t') + 1);
        text = text.substr(0, text.find('\t'));
        std::size_t begin = 0, end = 0;  // as Python's str.strip
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t here = at;
            if (detail::is_python_space(decode_utf8(text, at))) continue;
            if (end == 0) begin = here;
            end = at;
        }
        text = text.substr(begin, end - begin);
        bool first = true;
        s.split(
            text,
            [&](std::size_t from, std::size_t to) {
                if (from == to) return;
                if (!first) all += '/';
                first = false;
                all += text.substr(from, to - from);
                ++n;
            },
            options, scratch);
        all += '\n';
    }
    return {n, sha256(std::move(all))};
}

TEST_CASE("chinese: equals jieba on reviews of meals", "[chinese]") {
    JIEBA_OR_SKIP(s);
    SHARED_OR_SKIP(file, "data/waimai_10k/waimai_10k.tsv");
    using result = std::pair<std::size_t, std::string>;
    CHECK(words_and_hash(s, file, 2, {}) == result{202'031, "eb1fd6aca1ea40ab398a933b46bb0bebe2f5a4b4b637c714aa1f1fb50abe98fe"});
    CHECK(words_and_hash(s, file, 2, {.hmm = false}) == result{214'206, "c7c6906df54987470705bfac93b2bc01af12f64f895906d0ebf55a475f807659"});
    CHECK(words_and_hash(s, file, 2, {.mode = chinese_mode::search}) == result{212'101, "eaefba87f2f0742e8060ac3dea044207ed087cee6c9b71d3792e941546b0d751"});
}

// The hashes are from jieba 0.42.1 (Debian 12, Python 3.11), run once.
TEST_CASE("chinese: equals jieba on reviews of a shop", "[chinese][slow]") {
    JIEBA_OR_SKIP(s);
    SHARED_OR_SKIP(file, "data/online_shopping_10_cats/reviews_9_categories.tsv");
    using result = std::pair<std::size_t, std::string>;
    CHECK(words_and_hash(s, file, 3, {}) == result{1'668'737, "8d46b651e3bf270420de6235c66656d6cdd7c4651190f54bbad6fb65a0017a69"});
    CHECK(words_and_hash(s, file, 3, {.hmm = false}) == result{1'732'999, "e1530fc39070adb8b6b77648011bfd381efd3ba39ea6eab5db62378d30df39b3"});
    CHECK(words_and_hash(s, file, 3, {.mode = chinese_mode::search}) == result{1'773'329, "8db7e2b2ecedf3c4042f58201d72899dedd19703ce2978bb85aa6ab6a7430353"});
    CHECK(words_and_hash(s, file, 3, {.mode = chinese_mode::full}) == result{1'814'560, "229d35341e2d69393bc93c9e11fc9a4e84f070b9d447bcdb9883283ebe9ab8d6"});
}

TEST_CASE("match_words: by hand", "[chinese]") {
    const chinese_dictionary d(strings{"研究", "研究生", "生命", "命", "起源", "１２月", "C#"});
    const match_options longest{.rule = match_rule::longest};
    CHECK(matched(d, "研究生命起源", longest) == strings{"研究生", "命", "起源"});
    CHECK(matched(d, "研究生命起源") == strings{"研究", "生命", "起源"});  // as many words, of more even lengths
    CHECK(matched(d, "研究研究生") == strings{"研究", "研究生"});
    CHECK(matched(d, "在１２月３１日 abc-12é", longest) == strings{"在", "１２月", "３１", "日", "abc", "-", "12é"});
    CHECK(matched(d, "用C#写C") == strings{"用", "C#", "写", "C"});
    CHECK(matched(d, "３１日", {.join_letters = false}) == strings{"３", "１", "日"});
    CHECK(matched(d, " \u3000").empty());
    CHECK(matched(chinese_dictionary(), "中文 ok") == strings{"中", "文", "ok"});
    CHECK(error_of([&] { (void)matched(d, "一\xFF"); }).where() == place{.row = 1, .byte = 4});
}

TEST_CASE("match_words: SIGHAN 2005 by word lists", "[chinese]") {
    SHARED_OR_SKIP(folder, "data/sighan2005");
    for (const auto& [set, bar, baseline] : {std::tuple("pku", .874, .8737), std::tuple("cityu", .872, .8719)}) {
        CAPTURE(set);
        const chinese_dictionary d(lines_of(folder / (std::string(set) + "_training_words.txt")));
        const auto texts = lines_of(folder / (std::string(set) + "_test.txt")), gold = lines_of(folder / (std::string(set) + "_test_gold.txt"));
        const auto f1 = [&](const match_options& options) {
            double mine = 0, theirs = 0, both = 0;
            for (std::size_t i = 0; i < texts.size(); ++i) {
                const auto ends = [](const strings& words) {
                    std::vector<std::size_t> out{0};
                    for (const auto& word : words) out.push_back(out.back() + word.size());
                    return out;
                };
                strings answer;
                std::string word;
                for (const char c : gold[i] + " ") {
                    if (c != ' ') word += c;
                    else if (!word.empty()) answer.push_back(std::exchange(word, {}));
                }
                const auto a = ends(matched(d, texts[i], options)), b = ends(answer);
                mine += static_cast<double>(a.size() - 1);
                theirs += static_cast<double>(b.size() - 1);
                for (std::size_t k = 1; k < a.size(); ++k) {
                    const auto at = std::ranges::lower_bound(b, a[k]);
                    both += at != b.end() && *at == a[k] && *(at - 1) == a[k - 1] ? 1 : 0;
                }
            }
            return 2 * both / (mine + theirs);
        };
        CHECK(std::abs(f1({match_rule::longest, false}) - baseline) < 5e-5);
        CHECK(f1({}) > bar);
    }
}

TEST_CASE("chinese: 10 MB of one character, nested words, an emoji, invalid UTF-8", "[chinese][edge]") {
    strings nested;
    for (std::size_t n = 1; n <= 64; n += 9) nested.emplace_back(n, 'a');
    const chinese_segmenter s(chinese_dictionary(nested), small_hmm());
    std::size_t words = 0, bytes = 0;
    const auto count = [&](std::size_t begin, std::size_t end) { ++words, bytes += end - begin; };
    std::string chinese;
    for (int i = 0; i < 3'400'000; ++i) chinese += "一";
    s.split(chinese, count);
    CHECK(bytes == chinese.size());
    const std::string letters(10'000'000, 'x');
    words = bytes = 0;
    s.split(letters, count);
    CHECK(bytes == letters.size());
    CHECK(words == 1);
    const std::string latin(64 * 4'000, 'a');  // the longest words at every place
    for (const auto mode : {chinese_mode::words, chinese_mode::search}) {
        words = bytes = 0;
        s.split(latin, count, {.mode = mode});
        CHECK(words == latin.size() / 64);
        CHECK(bytes == latin.size());
    }
    s.split(latin, count, {.mode = chinese_mode::full});
    bytes = 0;
    match_words(s.dictionary(), latin, count);
    CHECK(bytes == latin.size());
    CHECK(s("😀") == strings{"😀"});
    CHECK(s("") == strings{});
    CHECK(s("😀👍🏽 \u200D") == strings{"😀", "👍", "🏽", " ", "\u200D"});
    CHECK(error_of([&] { (void)s("一\xE4\xB8"); }).where() == place{.row = 1, .byte = 4});
    CHECK(error_of([&] { (void)s(strings{"a", "\x80"}); }).where() == place{.row = 2, .byte = 1});
    CHECK(chinese_segmenter()("中文ab") == strings{"中", "文", "ab"});  // no dictionary
}

TEST_CASE("chinese: damaged files are read or refused", "[chinese][edge]") {
    const std::string lines = "一二 3 n\n二 10\n三三 2 v\n", start = "P={'B': -0.25,\n 'E': -3.14e+100}\n", emissions = "\nP={'B': {'\\u4e00': -3.5, '人': -1},\n 'S': {'\\u4e00': -2.5}}\n";
    rng random(6);
    std::size_t refused = 0;
    const auto damaged = [&](std::string text) {
        for (std::uint64_t n = 1 + random.below(3); n > 0; --n) {
            const std::size_t at = random.below(text.size());
            if (random.below(2) == 0) text.erase(at, 1 + random.below(3));
            else text[at] = random.below(2) == 0 ? static_cast<char>(random.below(256)) : "{}':,-. \n\\u0P="[random.below(15)];
            text += text.empty() ? "x" : "";
        }
        return text;
    };
    const auto attempt = [&](const auto& work) {
        try {
            work();
        } catch (const error&) {
            ++refused;
        }
    };
    for (int i = 0; i < 300; ++i) {
        attempt([&] { (void)chinese_segmenter(parse_chinese_dictionary(damaged(lines)))("一二三三"); });
        attempt([&] { (void)parse_user_words(damaged(lines)); });
        attempt([&] { (void)parse_chinese_hmm(damaged(start), "P={}", damaged(emissions)); });
    }
    CHECK(refused > 100);
}

TEST_CASE("chinese_tokenizer: worked by hand", "[chinese]") {
    const chinese_segmenter s(chinese_dictionary(strings{"味道", "不错", "外卖", "送餐"}));
    const strings texts = {"味道不错，送餐 快！", "", "外卖味道OK ok😀"};
    const auto m = fit(chinese_tokenizer{.segmenter = s}, texts);
    CHECK(m.words().tokens() == strings{"ok", "味道", "不错", "外卖", "快", "送餐"});
    const token_ids ids = m(texts);
    CHECK(ids.values() == std::vector<token_id>{2, 3, 6, 5, 4, 2, 1, 1});
    CHECK(ids.starts() == std::vector<std::int64_t>{0, 4, 4, 8});
    CHECK(ids.vocabulary_size == 7);
    workspace scratch;
    for (std::size_t i = 0; i < texts.size(); ++i) CHECK(std::ranges::equal(m(std::string_view(texts[i]), scratch), ids[i]));
    CHECK(m.decode(m("味道差")) == strings{"味道", "[UNK]"});
    CHECK(fit(chinese_tokenizer{.segmenter = s, .keep_punctuation = true}, texts)("好，😀 ").size() == 3);
    CHECK(fit(chinese_tokenizer{.segmenter = s, .min_count = 2}, texts).words().tokens() == strings{"ok", "味道"});
    CHECK(fit(chinese_tokenizer{.segmenter = s, .max_vocabulary = 1}, texts).words().tokens() == strings{"ok"});
    CHECK(fit(chinese_tokenizer{.segmenter = s, .max_tokens = 1}, texts).words().tokens() == strings{"味道", "外卖"});
    CHECK(fit(chinese_tokenizer{.segmenter = s, .lowercase = false}, texts)("OK ok") == std::vector<token_id>{2, 3});
    const auto again = std::apply([](const auto&... field) { return chinese_tokenizer_model(field...); }, m.fields());
    CHECK(again(texts) == ids);
    CHECK(error_of([&] { (void)fit(chinese_tokenizer{}, texts); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)fit(chinese_tokenizer{.segmenter = s}, strings{}); }).code() == errc::empty_input);
    CHECK(error_of([&] { (void)fit(chinese_tokenizer{.segmenter = s, .min_count = 0}, texts); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)fit(chinese_tokenizer{.segmenter = s, .max_vocabulary = 0}, texts); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)fit(chinese_tokenizer{.segmenter = s}, strings{"a", "\xFF"}); }).where() == place{.row = 2, .byte = 1});
    CHECK(error_of([&] { (void)m(strings{"a", "b\xFF"}); }).where() == place{.row = 2, .byte = 2});
    CHECK(error_of([&] { (void)chinese_tokenizer_model(s, vocabulary(strings{"a"}), {}, true, true, false, 0); }).code() == errc::bad_data);
    CHECK(error_of([&] { (void)chinese_tokenizer_model(s, vocabulary(strings{"a"}, 1), chinese_mode{3}, true, true, false, 0); }).code() == errc::bad_parameter);
}

}  // namespace chinese_test
