#include <caramel/text/wordpiece.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <caramel/core/random.hpp>
#include <caramel/io/model_file.hpp>
#include <caramel/text/encoding_arrays.hpp>

#include "support/catch.hpp"
#include "support/sha256.hpp"
#include "support/shared_data.hpp"

using namespace caramel;
namespace wordpiece_test {

using ids = std::vector<token_id>;
using strings = std::vector<std::string>;
using detail::bert_characters;
using detail::bert_kind;
using detail::bert_steps;

namespace {

std::string read_all(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::stringstream out;
    out << in.rdbuf();
    return out.str();
}
strings lines_of(const std::string& text) {
    strings out;
    std::stringstream in(text);
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
}
strings column_of(const std::filesystem::path& path, std::size_t column) {  // counted from 0, without the header
    strings out;
    const strings lines = lines_of(read_all(path));
    for (std::size_t i = 1; i < lines.size(); ++i) {
        if (lines[i].empty()) continue;
        std::size_t begin = 0;
        for (std::size_t c = 0; c < column; ++c) begin = lines[i].find('\t', begin) + 1;
        out.push_back(lines[i].substr(begin, lines[i].find('\t', begin) - begin));
    }
    return out;
}
std::string utf8(char32_t c) {
    char bytes[4];
    return {bytes, encode_utf8(c, bytes)};
}
std::vector<char32_t> points_of(const std::string& text) {
    std::vector<char32_t> out;
    for (std::size_t at = 0; at < text.size();) out.push_back(decode_utf8(text, at));
    return out;
}
const strings few_tokens{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "un", "##want", "##ed", "run", "##ning", ",",
                         "want", "the", "fox", "!", "'", "t", "can", "中", "国", "##s", "a"};
wordpiece_model few(wordpiece_rules rules = {}) { return make_wordpiece(vocabulary(few_tokens), std::move(rules)); }

bert_characters table(const bert_steps& steps) {
    return bert_characters(steps, 0, {}, [](std::string_view) { return 0; });
}
// What a step makes of one code point, as text.
std::string text_of(const bert_characters& t, char32_t c) {
    const detail::bert_entry& e = t[c];
    const auto of = [](const detail::bert_entry& entry) {
        std::string out;
        for (std::size_t i = 0; i < entry.length; ++i) out += static_cast<char>(entry.text >> (8 * i));
        return out;
    };
    if (e.kind == bert_kind::removed) return "";
    if (e.kind == bert_kind::mapped) return of(e);
    if (e.kind == bert_kind::many || e.kind == bert_kind::hangul) {
        bert_characters::parts parts{};
        std::string out;
        for (std::size_t i = 0, n = t.expand(c, e, parts); i < n; ++i) out += of(parts[i]);
        return out;
    }
    return utf8(c);
}
template <class Result>
std::string sweep(const Result& result) {
    sha256 hash;
    std::string line;
    for (char32_t c = 0; c <= 0x10FFFF; ++c) {
        if (c >= 0xD800 && c <= 0xDFFF) continue;
        line.clear();
        for (int shift = 20; shift >= 0; shift -= 4)
            if (c >> shift != 0 || shift == 0) line += "0123456789ABCDEF"[c >> shift & 15];
        line += '\t';
        result(c, line);
        line += '\n';
        hash.add(line);
    }
    return hash.digest();
}

// The longest pieces, found by trying them all.
ids pieces_by_definition(const strings& vocabulary_tokens, const std::string& word, std::size_t most_chars) {
    const auto find = [&](const std::string& t) {
        const auto at = std::find(vocabulary_tokens.begin(), vocabulary_tokens.end(), t);
        return at == vocabulary_tokens.end() ? token_id(-1) : static_cast<token_id>(at - vocabulary_tokens.begin());
    };
    const auto points = points_of(word);
    if (points.size() > most_chars) return {1};
    ids out;
    for (std::size_t begin = 0; begin < points.size();) {
        std::size_t end = points.size();
        token_id id = -1;
        for (; end > begin; --end) {
            std::string piece = begin == 0 ? "" : "##";
            for (std::size_t i = begin; i < end; ++i) piece += utf8(points[i]);
            if ((id = find(piece)) >= 0) break;
        }
        if (id < 0) return {1};
        out.push_back(id);
        begin = end;
    }
    return out;
}
// google-research/bert step by step over code points, with the tables for single code points.
ids google_by_definition(const strings& tokens, const std::string& text) {
    static const auto decompose = table({.rules = bert_rules::google, .clean = false, .split_chinese = false, .lowercase = false, .split = word_split::none});
    const auto is_space = [](char32_t c) {
        return c == ' ' || c == '\t' || c == '\n' || c == '\r' || category_of(c) == general_category::zs || c == 0x2028 || c == 0x2029;
    };
    std::vector<std::vector<char32_t>> words(1);
    for (const char32_t c : points_of(text)) {
        const auto g = category_of(c);
        if (c == 0 || c == 0xFFFD || (!is_space(c) && (g == general_category::cc || g == general_category::cf))) continue;
        const bool chinese = (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
                             (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B820 && c <= 0x2CEAF) || (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
        if (is_space(c) || chinese) words.emplace_back();
        if (!is_space(c)) words.back().push_back(c);
        if (chinese) words.emplace_back();
    }
    ids out;
    for (const auto& word : words) {
        std::vector<std::string> split(1);
        for (std::size_t i = 0; i < word.size(); ++i) {
            const auto ignorable = [](char32_t c) {
                const auto g = category_of(c);
                return is_mark(g) || g == general_category::lm || g == general_category::sk || c == '\'' || c == '.' || c == ':' || c == 0xB7 || c == 0x2019;
            };
            char32_t c = lower_case(word[i]);
            if (word[i] == 0x3A3) {
                std::size_t before = i, after = i + 1;
                while (before > 0 && ignorable(word[before - 1])) --before;
                while (after < word.size() && ignorable(word[after])) ++after;
                const auto cased = [](char32_t x) { return category_of(x) <= general_category::lt; };
                if (before > 0 && cased(word[before - 1]) && (after == word.size() || !cased(word[after]))) c = 0x3C2;
            }
            for (const char32_t part : points_of(c == 0x130 ? "i" : text_of(decompose, c))) {
                const bool punctuation = (part >= 33 && part <= 47) || (part >= 58 && part <= 64) || (part >= 91 && part <= 96) || (part >= 123 && part <= 126) ||
                                         is_punctuation(category_of(part));
                if (punctuation) split.emplace_back(utf8(part)), split.emplace_back();
                else split.back() += utf8(part);
            }
        }
        for (const std::string& w : split) {
            const ids found = pieces_by_definition(tokens, w, 200);
            out.insert(out.end(), found.begin(), found.end());
        }
    }
    return out;
}

}  // namespace

TEST_CASE("wordpiece: worked by hand", "[wordpiece]") {
    const auto m = few();
    const encoding e = m.encode("UNwant\xC3\xA9"
                                "d,running can't [MASK] 中国s");
    CHECK(e.ids == ids{2, 5, 6, 7, 10, 8, 9, 17, 15, 16, 4, 18, 19, 1, 3});
    CHECK(e.offsets == std::vector<byte_span>{{0, 0}, {0, 2}, {2, 6}, {6, 9}, {9, 10}, {10, 13}, {13, 17}, {18, 21}, {21, 22},
                                               {22, 23}, {24, 30}, {31, 34}, {34, 37}, {37, 38}, {0, 0}});
    CHECK(m.encode("running", {.special_tokens = false}).ids == ids{8, 9});
    CHECK(m("").size() == 2);
    CHECK(m.vocabulary_size() == few_tokens.size());
    CHECK(m.unknown() == 1);
    CHECK(m.padding() == 0);
    CHECK(few({.rules = bert_rules::google}).encode("[MASK]", {.special_tokens = false}).ids == ids{1, 1, 1});
    CHECK(few({.lowercase = false}).encode("The the", {.special_tokens = false}).ids == ids{1, 12});
    CHECK(few({.split = word_split::spaces}).encode("the, the", {.special_tokens = false}).ids == ids{1, 12});
    CHECK(few({.clean = false, .split_chinese = false, .split = word_split::none}).encode("the the", {.special_tokens = false}).ids == ids{1});
    CHECK(few({.whole_words = true}).encode("running the", {.special_tokens = false}).ids == ids{1, 12});
    CHECK(few({.max_word_chars = 6}).encode("running wanted wants", {.special_tokens = false}).ids == ids{1, 11, 7, 11, 20});
}

TEST_CASE("wordpiece: empty, hostile and very long texts take linear time", "[wordpiece][edge]") {
    const auto m = few();
    const auto tokens = [&](std::string_view text) { return m.encode(text, {.special_tokens = false}); };
    CHECK(tokens("").size() == 0);
    CHECK(tokens(" \t\n\xE3\x80\x80").size() == 0);
    CHECK(tokens("\xF0\x9F\x98\x80").ids == ids{1});
    const std::size_t n = 10'000'000;
    const auto long_word = tokens(std::string(n, 'a'));
    CHECK(long_word.ids == ids{1});
    CHECK(long_word.offsets[0] == byte_span{0, static_cast<std::uint32_t>(n)});
    CHECK(tokens(std::string(n, ' ')).size() == 0);
    const auto repeated = [&](std::string_view unit) {
        std::string out;
        out.reserve(n + unit.size());
        while (out.size() < n / 5) out += unit;
        return out;
    };
    CHECK(tokens(repeated("\xCC\x81")).size() == 0);                          // combining marks, all taken away
    CHECK(tokens(repeated("\xE3\x80\xAE\xCC\xA3\xE1\xAD\x84")).size() == 1);  // marks that stay, out of order
    CHECK(tokens(repeated("[MASK")).size() > 0);
    CHECK(few({.rules = bert_rules::google}).encode(repeated("\xCE\xA3."), {.special_tokens = false}).size() > 0);
    CHECK(tokens("a" + repeated("\xCE\xA3")).ids == ids{1});
    // Longer words than fit on the stack.
    CHECK(few({.max_word_chars = 100'000}).encode("un" + std::string(0, 's') + repeated("s").substr(0, 3000), {.special_tokens = false}).size() == 3001);
}

TEST_CASE("wordpiece: texts that are not UTF-8 are refused with the place", "[wordpiece][error]") {
    const auto m = few();
    for (const std::string bad : {"\xFF", "\xC0\x80", "\xED\xA0\x80", "\xE4\xB8", "\xF4\x90\x80\x80", "\xE0\x80\x80", "\xE4\xB8\x28"})
        for (const std::string before : {"", "the ", "run", "中国", "ru\xCC\x81"})
            for (const std::string after : {"", "x", "  the fox runs"}) {
                const auto e = error_of([&] { (void)m(strings{"the", before + bad + after}); });
                CHECK(e.code() == errc::bad_utf8);
                CHECK(e.where() == place{.row = 2, .byte = before.size() + 1});
            }
    CHECK(error_of([&] { (void)m.encode("the fox \xFF", {.max_length = 3}); }).where().byte == 9);  // also behind what is cut off
}

TEST_CASE("wordpiece: what no tokenizer can be made of", "[wordpiece][error]") {
    const auto code = [](auto&& work) { return error_of(work).code(); };
    CHECK(code([] { (void)make_wordpiece(vocabulary({"a", "b"})); }) == errc::missing_unk);
    CHECK(code([] { (void)make_wordpiece(vocabulary({"[UNK]"}, 1)); }) == errc::bad_data);
    CHECK(code([] { (void)make_wordpiece(vocabulary({"[UNK]", "\xFF"})); }) == errc::bad_utf8);
    CHECK(code([] { (void)make_wordpiece(vocabulary({"[UNK]", std::string("a\0b", 3)})); }) == errc::nul_byte);
    CHECK(code([] { (void)few({.max_word_chars = 100'001}); }) == errc::bad_parameter);
    CHECK(code([] { (void)wordpiece_model(vocabulary({"[UNK]"}), {}, special_tokens::bert(0, 1), {}, {}); }) == errc::bad_data);
    CHECK(code([] { (void)wordpiece_model(vocabulary({"[UNK]"}), {}, {}, {{"x", 2}}, {}); }) == errc::bad_data);
    CHECK(code([] { (void)wordpiece_model(vocabulary({"[UNK]"}), {}, {}, {{"x", 1}, {"x", 2}}, {}); }) == errc::duplicate_token);
    CHECK(code([] { (void)wordpiece_model(vocabulary({"[UNK]"}), {}, {}, {{"", 1}}, {}); }) == errc::empty_token);
    CHECK(code([] { (void)few().decode(ids{99}); }) == errc::unknown_id);
}

TEST_CASE("wordpiece: decoding", "[wordpiece]") {
    const auto m = few();
    CHECK(m.decode(m("the unwanted fox, can't run!")) == "the unwanted fox, can ' t run!");  // as Hugging Face's decoder
    CHECK(m.decode(m("the fox!"), false) == "[CLS] the fox! [SEP]");
    CHECK(m.decode(m("the fox!"), true, false) == "the fox !");
    CHECK(m.decode(ids{6}) == "##want");
    CHECK(m.decode({}).empty());
}

TEST_CASE("wordpiece: saved and loaded it is the same", "[wordpiece][io]") {
    const wordpiece_model m(vocabulary(few_tokens), {.max_word_chars = 50}, special_tokens::bert(2, 3), {{"<user>", 22, false}, {"[MASK]", 4, true}},
                            {.max_length = 9});
    std::vector<std::byte> bytes, twice;
    save(m, bytes);
    const auto again = load<wordpiece_model>(std::span<const std::byte>(bytes));
    save(again, twice);
    CHECK(again.rules() == m.rules());
    CHECK(again.added() == m.added());
    CHECK(again.defaults() == m.defaults());
    CHECK(again.vocabulary_size() == 23);
    const strings texts{"The <user> wants [MASK], unwanted running foxes", "中国"};
    CHECK(again.encode_batch(texts) == m.encode_batch(texts));
    CHECK(m.encode("<user>", {.special_tokens = false}).ids == ids{22});
    CHECK(twice == bytes);
}

TEST_CASE("wordpiece: google's rules are those of tokenization.py, on random texts", "[wordpiece]") {
    const strings pool{"a", "b", "Z", " ", " ", "\t", "é", "e\xCC\x81", ",", "!", "中", "国", "𫠠",
                       "\xEE\x90\xA0", "Σ", "ς", "ΑΣ", "'", ".", "\xC2\xAD", 
                       "\xE2\x80\xA8", "İ", "ﬁ", "한", "1", "_", "Å", "豈", "≠", "\xC2\xA0"};
    strings tokens = few_tokens;
    for (const char* t :
         {"b", "z", "e", "豈", "更", "##b", "##z", "##e", "##1", "##\xEE\x90\xA0", "σ", "ς", "α", "##σ",
          "##ς", "##α", ".", "_", "=", "i", "##i", "ᄒ", "##ᅡ", "##ᆫ", "𫠠", "##a"})
        tokens.emplace_back(t);
    const auto m = make_wordpiece(vocabulary(tokens), {.rules = bert_rules::google});
    rng numbers(3);
    for (int i = 0; i < 1500; ++i) {
        std::string text;
        for (std::size_t k = numbers.below(25); k > 0; --k) text += pool[numbers.below(pool.size())];
        CAPTURE(text);
        REQUIRE(m.encode(text, {.special_tokens = false}).ids == google_by_definition(tokens, text));
    }
    CHECK(m.encode("ΟΔΟΣ ΑΣ Σ ΑΣΑ ΑΣ'Α ΑΣ'", {.special_tokens = false}).ids == google_by_definition(tokens, "ΟΔΟΣ ΑΣ Σ ΑΣΑ ΑΣ'Α ΑΣ'"));
    CHECK(m.encode(std::string(200, 'a'), {.special_tokens = false}).size() == 200);
    CHECK(m.encode(std::string(201, 'a'), {.special_tokens = false}).ids == ids{1});
}

TEST_CASE("wordpiece: every code point is what Hugging Face's tokenizers make of it", "[wordpiece]") {
    const bert_steps nothing{.clean = false, .split_chinese = false, .strip_accents = false, .lowercase = false, .split = word_split::none};
    bert_steps only = nothing;
    only.clean = true;
    const auto clean = table(only);
    only = nothing;
    only.strip_accents = true;
    const auto strip = table(only);
    only = nothing;
    only.lowercase = true;
    const auto lower = table(only);
    const auto normal = table({.split_chinese = false, .split = word_split::none});
    only = nothing;
    only.split = word_split::words;
    const auto words = table(only);
    only.split = word_split::spaces;
    only.split_chinese = true;
    const auto chinese = table(only);
    const auto all = table({});

    // The table of a whole tokenizer is the steps one after the other.
    std::size_t differences = 0;
    for (char32_t c = 0; c <= 0x10FFFF; ++c) {
        if (c >= 0xD800 && c <= 0xDFFF) continue;
        const std::string text = text_of(normal, c);
        const bert_kind found = all[c].kind;
        const auto is_word = [](bert_kind k) { return k != bert_kind::removed && k != bert_kind::space && k != bert_kind::alone; };
        const std::vector<char32_t> points = points_of(text);
        bool same = false;
        if (points.empty()) same = found == bert_kind::removed;
        else if (chinese[c].kind == bert_kind::alone) same = found == bert_kind::alone;
        else if (points.size() == 1 && !is_word(words[points[0]].kind)) same = found == words[points[0]].kind;
        else same = is_word(found) && text_of(all, c) == text;
        differences += same ? 0 : 1;
    }
    CHECK(differences == 0);

    SHARED_OR_SKIP(path, "oracles/text/hf_bert_maps.json");
    const auto expected = nlohmann::json::parse(read_all(path))["sweep"];
    const auto step = [](const bert_characters& t) {
        return [&t](char32_t c, std::string& line) { line.append("a").append(text_of(t, c)).append("b"); };
    };
    const auto spaced = [&](char32_t c, std::string& line, const std::string& text) {
        if (chinese[c].kind == bert_kind::alone) line.append("a ").append(text).append(" b");
        else line.append("a").append(text).append("b");
    };
    CHECK(sweep(step(clean)) == expected["clean"]);
    CHECK(sweep(step(strip)) == expected["strip_accents"]);
    CHECK(sweep(step(lower)) == expected["lower"]);
    CHECK(sweep([&](char32_t c, std::string& line) { spaced(c, line, utf8(c)); }) == expected["cjk"]);
    CHECK(sweep([&](char32_t c, std::string& line) { spaced(c, line, text_of(normal, c)); }) == expected["all"]);
    CHECK(sweep([&](char32_t c, std::string& line) {
              if (words[c].kind == bert_kind::space) line += "a\x1F" "b";
              else if (words[c].kind == bert_kind::alone) line.append("a\x1F").append(utf8(c)).append("\x1F" "b");
              else line.append("a").append(utf8(c)).append("b");
          }) == expected["pre_tokenize"]);
}

TEST_CASE("wordpiece: Hugging Face's ids, offsets, pairs and truncations", "[wordpiece]") {
    SHARED_OR_SKIP(path, "oracles/text/wordpiece_zh_cases.json");
    SHARED_OR_SKIP(vocab, "data/vocabs/bert-base-chinese-vocab.txt");
    const auto m = load_wordpiece(vocab);
    const auto cases = nlohmann::json::parse(read_all(path));
    for (const auto& c : cases["single"]) {
        const std::string text = c["text"];
        CAPTURE(text);
        const encoding e = m.encode(text);
        CHECK(e.ids == c["ids"].get<ids>());
        std::vector<byte_span> offsets;
        for (const auto& o : c["offsets"]) offsets.push_back({o[0], o[1]});
        CHECK(code_point_spans(text, e.offsets) == offsets);
        for (std::size_t i = 0; i < e.size(); ++i) CHECK(m.token(e.ids[i]) == c["tokens"][i].get<std::string>());
    }
    for (const auto& c : cases["pairs"]) {
        const encoding e = m.encode_pair(c["a"].get<std::string>(), c["b"].get<std::string>());
        CHECK(e.ids == c["ids"].get<ids>());
        CHECK(e.type_ids == c["type_ids"].get<std::vector<std::uint8_t>>());
        CHECK(e.special == c["special"].get<std::vector<std::uint8_t>>());
    }
    for (const auto& c : cases["truncation"])
        CHECK(m.encode_pair(c["a"].get<std::string>(), c["b"].get<std::string>(), {.max_length = c["max_length"]}).ids == c["ids"].get<ids>());
}

TEST_CASE("wordpiece: the ids of two other engines on real texts", "[wordpiece]") {
    SHARED_OR_SKIP(folder, "data/tokenizer_golden");
    SHARED_OR_SKIP(vocabs, "data/vocabs");
    for (const std::string which : {"chinese", "uncased"})
        for (const bert_rules rules : {bert_rules::hugging_face, bert_rules::google}) {
            const auto m = load_wordpiece(vocabs / ("bert-base-" + which + "-vocab.txt"), {.rules = rules});
            for (const std::string set : {"airline", "banking77", "waimai"}) {
                std::size_t differences = 0;
                const strings lines = lines_of(read_all(folder / ("bert_base_" + which + "_" + set + ".tsv")));
                for (std::size_t i = 1; i < lines.size(); ++i) {
                    const std::size_t tab = lines[i].find('\t');
                    std::string found;
                    for (const token_id id : m.encode(lines[i].substr(tab + 1), {.special_tokens = false}).ids) found += (found.empty() ? "" : " ") + std::to_string(id);
                    differences += found == lines[i].substr(0, tab) ? 0 : 1;
                }
                CHECK(lines.size() > 400);
                CHECK(differences == 0);
            }
        }
}

namespace {

// The recipe of bulk.json: ids and offsets of every text, hashed.
void check_bulk(const std::filesystem::path& oracles, const std::filesystem::path& data, const std::string& file, std::size_t column, const std::string& set) {
    const auto m = load_wordpiece(data / "vocabs/bert-base-chinese-vocab.txt");
    const strings texts = column_of(data / file, column);
    const auto expected = nlohmann::json::parse(read_all(oracles))["sets"][set]["wordpiece_zh"];
    const encoding_batch batch = m.encode_batch(texts, m.defaults(), {.threads = 2});
    sha256 all_ids, all_offsets;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        std::string ids_line, offsets_line;
        const auto spans = code_point_spans(texts[i], batch[i].offsets);
        for (std::size_t k = 0; k < spans.size(); ++k) {
            const char* const between = k == 0 ? "" : " ";
            ids_line.append(between).append(std::to_string(batch[i].ids[k]));
            offsets_line.append(between).append(std::to_string(spans[k].begin)).append("-").append(std::to_string(spans[k].end));
        }
        all_ids.add(ids_line += '\n');
        all_offsets.add(offsets_line += '\n');
    }
    CHECK(batch.ids.values().size() == expected["tokens"]);
    CHECK(all_ids.digest() == expected["ids_sha256"]);
    CHECK(all_offsets.digest() == expected["offsets_sha256"]);
}

}  // namespace

TEST_CASE("wordpiece: Hugging Face's ids and offsets on whole data sets", "[wordpiece]") {
    SHARED_OR_SKIP(oracles, "oracles/text/bulk.json");
    SHARED_OR_SKIP(data, "data");
    check_bulk(oracles, data, "waimai_10k/waimai_10k.tsv", 1, "waimai");
    check_bulk(oracles, data, "banking77/train.tsv", 1, "banking77_train");
}
TEST_CASE("wordpiece: Hugging Face's ids and offsets on nine shops' reviews", "[wordpiece][slow]") {
    SHARED_OR_SKIP(oracles, "oracles/text/bulk.json");
    SHARED_OR_SKIP(data, "data");
    check_bulk(oracles, data, "online_shopping_10_cats/reviews_9_categories.tsv", 2, "online_shopping");
}

TEST_CASE("wordpiece: of a vocab.txt only line ends are taken off", "[wordpiece]") {  // hostile ones: tests/io/corpus_test.cpp
    CHECK(parse_vocabulary(std::string_view("a\r\nb\n c \n\xC2\xA0")).tokens() == strings{"a", "b", " c ", "\xC2\xA0"});
}

}  // namespace wordpiece_test
