#include <caramel/text/bpe.hpp>
#include <caramel/text/bpe_json.hpp>
#include <caramel/text/bpe_tokenizer_json.hpp>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <caramel/core/random.hpp>
#include <caramel/io/model_file.hpp>

#include "support/catch.hpp"
#include "support/sha256.hpp"
#include "support/shared_data.hpp"

using namespace caramel;
namespace bpe_test {

using strings = std::vector<std::string>;
using ids = std::vector<token_id>;
using detail::gpt2_class;

namespace {

std::string contents(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}
nlohmann::json json_of(const std::filesystem::path& path) { return nlohmann::json::parse(contents(path)); }

std::string written(std::string_view bytes) {
    std::string out;
    detail::append_letters(out, bytes);
    return out;
}
strings pieces_of(std::string_view text) {
    strings out;
    split_gpt2(text, [&](std::size_t begin, std::size_t end) { out.emplace_back(text.substr(begin, end - begin)); });
    return out;
}

// The pattern itself, alternative by alternative, over code points (or single bytes that belong to none).
strings pieces_by_definition(const std::string& text) {
    std::vector<std::string> c;
    std::vector<gpt2_class> kind;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t n = std::max<std::size_t>(detail::utf8_sequence_length(text.data() + at, text.size() - at), 1);
        c.push_back(text.substr(at, n));
        std::size_t zero = 0;
        const bool valid = find_bad_utf8(c.back()) == std::string_view::npos;
        kind.push_back(valid ? detail::find_gpt2_class(decode_utf8(c.back(), zero)) : gpt2_class::other);
        at += n;
    }
    const auto is = [&](std::size_t i, gpt2_class k) { return i < c.size() && kind[i] == k; };
    const auto literal = [&](std::size_t i, const std::string& what) {
        std::string there;
        for (std::size_t j = i; j < c.size() && there.size() < what.size(); ++j) there += c[j];
        return there == what;
    };
    strings out;
    for (std::size_t at = 0; at < c.size();) {
        std::size_t end = at;
        for (const char* word : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"})
            if (end == at && literal(at, word)) end = at + std::strlen(word);
        for (const auto k : {gpt2_class::letter, gpt2_class::number, gpt2_class::other}) {
            const std::size_t from = at + (c[at] == " " && is(at + 1, k) ? 1 : 0);
            if (end == at && is(from, k))
                for (end = from; is(end, k);) ++end;
        }
        if (end == at) {  // white space
            while (is(end, gpt2_class::space)) ++end;
            if (end < c.size() && end - at > 1) --end;
        }
        out.emplace_back();
        for (; at < end; ++at) out.back() += c[at];
    }
    return out;
}

// Merging by the definition: all pairs are searched for the lowest rank, the leftmost first.
ids merge_by_definition(const std::string& piece, const std::map<std::string, token_id>& tokens, const std::map<std::pair<token_id, token_id>, std::size_t>& ranks,
                        const strings& bytes) {
    ids out;
    for (const char byte : piece) out.push_back(tokens.at(std::string(1, byte)));
    for (;;) {
        std::size_t best = out.size(), rank = ~std::size_t{0};
        for (std::size_t i = 0; i + 1 < out.size(); ++i)
            if (const auto found = ranks.find({out[i], out[i + 1]}); found != ranks.end() && found->second < rank) best = i, rank = found->second;
        if (best == out.size()) return out;
        out[best] = tokens.at(bytes[static_cast<std::size_t>(out[best])] + bytes[static_cast<std::size_t>(out[best + 1])]);
        out.erase(out.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    }
}
class twin {
   public:
    explicit twin(const bpe_model& m) {
        for (std::size_t i = 0; i < m.vocabulary_size(); ++i) {
            bytes_.emplace_back(m[static_cast<token_id>(i)]);
            tokens_[bytes_.back()] = static_cast<token_id>(i);
        }
        for (std::size_t i = 0; i < m.merges().size(); i += 2) ranks_[{m.merges()[i], m.merges()[i + 1]}] = i / 2;
    }
    [[nodiscard]] ids operator()(const std::string& text) const {
        ids out;
        for (const auto& piece : pieces_by_definition(text))
            for (const token_id id : merge_by_definition(piece, tokens_, ranks_, bytes_)) out.push_back(id);
        return out;
    }

   private:
    strings bytes_;
    std::map<std::string, token_id> tokens_;
    std::map<std::pair<token_id, token_id>, std::size_t> ranks_;
};

// Texts of few pieces, so that there is much to merge and much that overlaps.
std::string random_text(rng& random, std::size_t pieces) {
    static const strings parts = {"a", "b", "ab", "ba", "aa", "c", " ", "  ", "\n", "'s", "'", "1", "2", ".", "的", "很", "好", "，", "é", "п", "р", "😀",
                                  "\xE4", "\xBD", "\xFF", "\u3000", "\u0301"};
    std::string out;
    for (std::size_t i = 0; i < pieces; ++i) out += parts[random.below(parts.size())];
    return out;
}
strings random_texts(std::size_t n, std::size_t most, std::uint64_t seed) {
    rng random(seed);
    strings out;
    for (std::size_t i = 0; i < n; ++i) out.push_back(random_text(random, random.below(most + 1)));
    return out;
}
// Training by the definition: all pairs of all words are counted anew for each merge.
std::pair<strings, strings> train_by_definition(const strings& texts, std::size_t size, std::uint64_t min_frequency, std::size_t max_token_bytes) {
    std::map<strings, std::uint64_t> words;
    for (const auto& text : texts)
        for (const auto& piece : pieces_by_definition(text)) {
            strings word;
            for (const char byte : piece) word.push_back(std::string(1, byte));
            ++words[word];
        }
    strings tokens, merges;
    std::map<std::string, std::size_t> numbers;
    std::vector<std::pair<char16_t, std::string>> bytes;
    for (unsigned b = 0; b < 256; ++b) bytes.emplace_back(detail::letters_of_bytes[b], std::string(1, static_cast<char>(b)));
    std::sort(bytes.begin(), bytes.end());
    for (const auto& [letter, byte] : bytes) {
        numbers[byte] = tokens.size();
        tokens.push_back(byte);
    }
    while (tokens.size() < size) {
        std::map<std::pair<std::size_t, std::size_t>, std::uint64_t> counts;
        for (const auto& [word, n] : words)
            for (std::size_t i = 0; i + 1 < word.size(); ++i)
                if (word[i].size() + word[i + 1].size() <= max_token_bytes) counts[{numbers[word[i]], numbers[word[i + 1]]}] += n;
        std::uint64_t most = 0;
        std::pair<std::size_t, std::size_t> best;
        for (const auto& [pair, n] : counts)
            if (n > most) best = pair, most = n;
        if (most < min_frequency || most == 0) break;
        const std::string left = tokens[best.first], right = tokens[best.second];
        merges.push_back(written(left) + " " + written(right));
        if (!numbers.contains(left + right)) {
            numbers[left + right] = tokens.size();
            tokens.push_back(left + right);
        }
        std::map<strings, std::uint64_t> merged;
        for (const auto& [word, n] : words) {
            strings out;
            for (std::size_t i = 0; i < word.size(); ++i) {
                const bool both = i + 1 < word.size() && word[i] == left && word[i + 1] == right;
                out.push_back(both ? left + right : word[i]);
                i += both ? 1 : 0;
            }
            merged[out] += n;
        }
        words = merged;
    }
    for (auto& token : tokens) token = written(token);
    return {tokens, merges};
}

bpe_model small_model(bpe recipe = {.vocabulary_size = 400}) { return fit(recipe, random_texts(300, 40, 3)); }

// GPT-2's own, read once.
const bpe_model& gpt2(const std::filesystem::path& vocabs) {
    static const bpe_model m = read_bpe(vocabs / "gpt2-encoder.json", vocabs / "gpt2-vocab.bpe");
    return m;
}
strings column_of(const std::filesystem::path& path, std::size_t column) {
    std::ifstream in(path, std::ios::binary);
    strings out;
    std::string line;
    std::getline(in, line);
    while (std::getline(in, line)) {
        if (line.empty()) continue;
        std::size_t begin = 0;
        for (std::size_t i = 1; i < column; ++i) begin = line.find('\t', begin) + 1;
        out.push_back(line.substr(begin, line.find('\t', begin) - begin));
    }
    return out;
}
std::pair<std::string, std::string> hashes(const bpe_model& m, const strings& texts) {
    sha256 id_hash, offset_hash;
    const encoding_batch all = m.encode_batch(texts, {}, {.threads = 2});
    for (std::size_t i = 0; i < all.size(); ++i) {
        const encoding_view e = all[i];
        const auto points = code_point_spans(texts[i], e.offsets);
        std::string id_line, offset_line;
        for (std::size_t k = 0; k < e.size(); ++k) {
            id_line += (k == 0 ? "" : " ") + std::to_string(e.ids[k]);
            offset_line += (k == 0 ? "" : " ") + std::to_string(points[k].begin) + "-" + std::to_string(points[k].end);
        }
        id_hash.add(id_line + "\n");
        offset_hash.add(offset_line + "\n");
    }
    return {id_hash.digest(), offset_hash.digest()};
}

}  // namespace

TEST_CASE("bpe: bytes as letters", "[bpe]") {
    CHECK(written(" the\n") == "\u0120the\u010A");
    std::set<std::string> letters;
    for (int b = 0; b < 256; ++b) {
        const std::string byte(1, static_cast<char>(b));
        std::string back;
        CHECK(detail::append_bytes(back, written(byte)));
        CHECK(back == byte);
        letters.insert(written(byte));
    }
    CHECK(letters.size() == 256);
    std::string out = "x";
    CHECK_FALSE(detail::append_bytes(out, std::string_view("a b")));
    CHECK_FALSE(detail::append_bytes(out, std::string_view("你")));
    CHECK_FALSE(detail::append_bytes(out, std::string_view("\u0144")));  // one behind the last letter
    CHECK(out == "x");
}

TEST_CASE("split_gpt2: by hand", "[bpe]") {
    CHECK(pieces_of("").empty());
    CHECK(pieces_of("Hello, world! It's 2024.") == strings{"Hello", ",", " world", "!", " It", "'s", " 2024", "."});
    CHECK(pieces_of("we'll've 'S 's''d") == strings{"we", "'ll", "'ve", " '", "S", " '", "s", "''", "d"});
    CHECK(pieces_of("a  b   ") == strings{"a", " ", " b", "   "});
    CHECK(pieces_of("a \n b\n\nc\n") == strings{"a", " \n", " b", "\n", "\n", "c", "\n"});
    CHECK(pieces_of("今天很好，我们 去") == strings{"今天很好", "，", "我们", " 去"});
    CHECK(pieces_of("a\u0301b\u3000c\u00A0d") == strings{"a", "\u0301", "b", "\u3000", "c", "\u00A0", "d"});
    CHECK(pieces_of("x²Ⅷ½ ٣") == strings{"x", "²Ⅷ½", " ٣"});
    CHECK(pieces_of("ab\xFF\x80 c\xE4\xBD") == strings{"ab", "\xFF\x80", " c", "\xE4\xBD"});
    CHECK(pieces_of(" ") == strings{" "});
}

TEST_CASE("split_gpt2: agrees with the pattern on random texts", "[bpe]") {
    rng random(5);
    for (int i = 0; i < 4000; ++i) {
        std::string text = random_text(random, random.below(14));
        if (i % 4 == 0) text = std::string(random.below(40), 'w') + text + std::string(random.below(40), 'z');  // more than 16 letters at a time
        CAPTURE(text);
        REQUIRE(pieces_of(text) == pieces_by_definition(text));
    }
}

TEST_CASE("split_gpt2: its classes are those of Hugging Face's tokenizers, for every code point", "[bpe]") {
    SHARED_OR_SKIP(path, "oracles/text/hf_tables.json");
    const auto tables = json_of(path);
    std::vector<gpt2_class> expected(0x110000, gpt2_class::other);
    for (const auto& c : tables.at("gpt2_s")) expected[c.get<std::size_t>()] = gpt2_class::space;
    for (const auto& [name, kind] : {std::pair("gpt2_L", gpt2_class::letter), std::pair("gpt2_N", gpt2_class::number)})
        for (const auto& range : tables.at(name))
            for (auto c = range[0].get<std::size_t>(); c <= range[1].get<std::size_t>(); ++c) expected[c] = kind;
    std::size_t different = 0;
    const auto& all = detail::gpt2_classes::get();
    for (char32_t c = 0; c < 0x110000; ++c) {
        if (all[c] != expected[c]) ++different;
        if (c >= 0xD800 && c < 0xE000) continue;
        char bytes[4];
        const std::size_t n = encode_utf8(c, bytes);
        const detail::gpt2_unit unit = all.at(bytes, n);
        if (unit.length != n || unit.kind != expected[c]) ++different;
    }
    CHECK(different == 0);
}

TEST_CASE("bpe: merging agrees with the definition", "[bpe]") {
    const bpe_model trained = small_model({.vocabulary_size = 450, .min_frequency = 1});
    ids shuffled;  // rules before those that make their parts
    rng random(11);
    for (const std::size_t i : random.permutation(trained.merges().size() / 2)) shuffled.insert(shuffled.end(), {trained.merges()[2 * i], trained.merges()[2 * i + 1]});
    for (const bpe_model& m : {trained, bpe_model(trained.tokens(), shuffled)}) {
        const twin slow(m);
        for (int i = 0; i < 1500; ++i) {
            const std::string text = random_text(random, random.below(i % 10 == 0 ? 120 : 12));
            CAPTURE(text);
            REQUIRE(m(text) == slow(text));
        }
        const strings letters = {"a", "b", "ab", "的", "é"};  // long pieces: a heap, and lists by rank
        for (const std::size_t n : {41U, 900U, 1500U, 9000U}) {
            std::string text;
            while (text.size() < n) text += n == 900 ? "a" : letters[random.below(letters.size())];
            CAPTURE(n);
            if (n < 9000) CHECK(m(text) == slow(text));
            CHECK(m.decode(m(text)) == text);
        }
        // A text is cut where no token goes across: the same as its halves where it must be.
        std::string text;
        while (text.size() < 20'000) text += letters[random.below(2)];
        const ids whole = m(text);
        CHECK(m.decode(whole) == text);
        CHECK(whole == m(std::string_view(text)));
    }
}
TEST_CASE("bpe: very long pieces, by rank and by heap, give the same tokens", "[bpe]") {
    // The same rules, once with a merge in front that never applies but whose parts come later: that one takes the heap.
    const bpe_model m = small_model({.vocabulary_size = 420, .min_frequency = 1});
    strings tokens = m.tokens().tokens();
    const std::string long_one = *std::max_element(tokens.begin() + 256, tokens.end(), [](const auto& a, const auto& b) { return a.size() < b.size(); });
    tokens.push_back(long_one + written("\x01"));
    ids merges = {*m.tokens().find(long_one), *m.tokens().find(written("\x01"))};
    merges.insert(merges.end(), m.merges().begin(), m.merges().end());
    const bpe_model other(vocabulary(tokens), merges);
    rng random(2);
    for (const bool same : {false, true}) {
        std::string text;
        while (text.size() < 40'000) text += same || random.below(3) == 0 ? "a" : "b";
        CHECK(m(text) == other(text));
        CHECK(m.decode(m(text)) == text);
    }
}

TEST_CASE("bpe: any bytes come back", "[bpe]") {
    const bpe_model m = small_model();
    const bpe_model spaced(m.tokens(), m.merges(), {}, {}, {.add_prefix_space = true});
    rng random(4);
    for (int i = 0; i < 400; ++i) {
        std::string text;
        for (std::uint64_t n = random.below(60); n > 0; --n) text += static_cast<char>(random.below(256));
        REQUIRE(m.decode(m(text)) == text);
        REQUIRE(spaced.decode(spaced(text)) == (text.empty() || text[0] == ' ' ? text : " " + text));
        // Spans cover the text, without a gap, and hold whole characters.
        const encoding e = m.encode(text);
        std::uint32_t at = 0;
        for (const byte_span span : e.offsets) {
            REQUIRE(span.begin <= at);
            REQUIRE(span.end > span.begin);
            at = std::max(at, span.end);
        }
        REQUIRE(at == text.size());
    }
}

TEST_CASE("bpe: spans are whole characters", "[bpe]") {
    const bpe_model m(fit(bpe{.vocabulary_size = 256}, strings{"a"}));  // bytes alone
    CHECK(m.encode("aé你").offsets == std::vector<byte_span>{{0, 1}, {1, 3}, {1, 3}, {3, 6}, {3, 6}, {3, 6}});
    CHECK(m.encode("\x80\xE4\xBDx😀").offsets == std::vector<byte_span>{{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 8}, {4, 8}, {4, 8}, {4, 8}});
    CHECK(m.encode("").ids.empty());
    SECTION("an added space lies on the first character") {
        const bpe_model spaced(m.tokens(), m.merges(), {}, {}, {.add_prefix_space = true});
        CHECK(spaced.encode("éa").offsets == std::vector<byte_span>{{0, 2}, {0, 2}, {0, 2}, {2, 3}});
        CHECK(spaced.encode(" a").offsets == std::vector<byte_span>{{0, 1}, {1, 2}});
        CHECK(spaced.decode(spaced("\n")) == " \n");
        CHECK(spaced("").empty());
        const std::string long_word(1000, 'w');
        CHECK(spaced(long_word).size() == 1001);
    }
    SECTION("without the spaces") {
        const bpe_model full = small_model();
        const bpe_model trimmed(full.tokens(), full.merges(), {}, {}, {.trim_offsets = true});
        const encoding a = full.encode("ab ab  1"), b = trimmed.encode("ab ab  1");
        REQUIRE(a.ids == b.ids);
        for (std::size_t i = 0; i < a.size(); ++i) {
            const std::string_view token = full[a.ids[i]];
            const std::size_t spaces = std::min(token.find_first_not_of(' '), token.size());
            CHECK(b.offsets[i].begin == a.offsets[i].begin + spaces);
            CHECK(b.offsets[i].end == a.offsets[i].end);
        }
    }
}

TEST_CASE("bpe: added tokens", "[bpe]") {
    const bpe_model base = small_model();
    const auto n = static_cast<token_id>(base.vocabulary_size());
    const auto with = [&](std::vector<bpe_added_token> added) { return bpe_model(base.tokens(), base.merges(), std::move(added)); };
    const auto joined = [&](std::initializer_list<ids> parts) {
        ids out;
        for (const ids& part : parts) out.insert(out.end(), part.begin(), part.end());
        return out;
    };
    SECTION("as they are written, the longest first") {
        const bpe_model m = with({{.text = "<s>", .id = n}, {.text = "<s>>", .id = n + 1}, {.text = "好", .id = n + 2, .special = false}});
        CHECK(m.vocabulary_size() == base.vocabulary_size() + 3);
        CHECK(m("a<s>b<s>>好 <s") == joined({base("a"), {n}, base("b"), {n + 1, n + 2}, base(" <s")}));
        const encoding e = m.encode("ab<s>好");
        CHECK(e.offsets.back() == byte_span{5, 8});
        CHECK(m.decode(e.ids) == "ab<s>好");
        CHECK(m.decode(e.ids, true) == "ab好");
        CHECK(m.encode("<s>").special == std::vector<std::uint8_t>{0});  // not added around the text
    }
    SECTION("with white space, single words") {
        const bpe_model m = with({{.text = "[M]", .id = n, .strip_left = true, .strip_right = true}, {.text = "xy", .id = n + 1, .single_word = true}});
        const encoding e = m.encode("a \n[M]  b");
        CHECK(e.ids == joined({base("a"), {n}, base("b")}));
        CHECK(e.offsets[1] == byte_span{1, 8});
        CHECK(m("xy cxy xy_ éxy xy.") == joined({{n + 1}, base(" cxy xy_ éxy "), {n + 1}, base(".")}));
        CHECK(m("[M] [M]") == ids{n, n});
    }
    SECTION("normalized ones are looked for in what is left") {
        const bpe_model m = with({{.text = "zz", .id = n, .normalized = true}, {.text = "yzz", .id = n + 1}});
        CHECK(m("yzzz zz") == joined({{n + 1}, base("z "), {n}}));
        CHECK(m("xzzz") == joined({base("x"), {n}, base("z")}));
    }
    SECTION("ids") {
        CHECK(error_of([&] { (void)with({{.text = "x!", .id = n + 1}}); }).code() == errc::bad_id);
        CHECK(error_of([&] { (void)with({{.text = "x!", .id = -1}}); }).code() == errc::bad_id);
        CHECK(error_of([&] { (void)with({{.text = "x!", .id = 3}}); }).code() == errc::duplicate_id);
        CHECK(error_of([&] { (void)with({{.text = "x!", .id = n}, {.text = "y!", .id = n}}); }).code() == errc::duplicate_id);
        CHECK(error_of([&] { (void)with({{.text = "a", .id = n}}); }).code() == errc::duplicate_token);
        CHECK(error_of([&] { (void)with({{.text = "x!", .id = n}, {.text = "x!", .id = n + 1}}); }).code() == errc::duplicate_token);
        CHECK(error_of([&] { (void)with({{.text = "", .id = n}}); }).code() == errc::empty_token);
        CHECK(error_of([&] { (void)with({{.text = "\xFF", .id = n}}); }).where().row == 1);
        CHECK(with({{.text = "a", .id = *base.tokens().find("a")}})("ba") == joined({base("b"), base("a")}));
    }
}

TEST_CASE("bpe: whole words, unknown bytes, special tokens around", "[bpe]") {
    const bpe_model m = small_model();
    strings tokens = m.tokens().tokens();
    tokens.push_back("xyz");
    CHECK(bpe_model(vocabulary(tokens), m.merges())("xyz").size() == 3);  // no merge leads there
    CHECK(bpe_model(vocabulary(tokens), m.merges(), {}, {}, {.whole_words = true})("xyz xyz") != bpe_model(vocabulary(tokens), m.merges())("xyz xyz"));
    CHECK(bpe_model(vocabulary(tokens), m.merges(), {}, {}, {.whole_words = true})("xyz") == ids{static_cast<token_id>(tokens.size()) - 1});
    tokens = {"a", "b", "ab", "?"};
    CHECK(error_of([&] { (void)bpe_model(vocabulary(tokens), {0, 1}); }).code() == errc::missing_unk);
    const bpe_model few(vocabulary(tokens), {0, 1}, {}, special_tokens::bert(0, 1), {.unknown = 3, .padding = 2, .defaults = {.max_length = 5}});
    CHECK(few("abcab") == ids{0, 2, 3, 2, 1});
    CHECK(few("abcabab") == ids{0, 2, 3, 2, 1});
    CHECK(few.encode("abcabab", {.special_tokens = false}).ids == ids{2, 3, 2, 2});
    CHECK(few.encode_pair("ab", "b", {}).ids == ids{0, 2, 1, 1, 1});
    CHECK(few(strings{"a"}).unknown == 3);
    CHECK(few(strings{"a"}).padding == 2);
    CHECK(m(strings{"a"}).padding == -1);
}

TEST_CASE("bpe: batches, single texts and threads give the same", "[bpe]") {
    const bpe_model m = small_model();
    const strings texts = random_texts(3000, 80, 8);
    const token_ids batch = m(texts);
    CHECK(batch.vocabulary_size == 400);
    CHECK(m.encode_batch(texts, {}, {.threads = 3}) == m.encode_batch(texts));
    workspace scratch;
    for (std::size_t i = 0; i < texts.size(); i += 7) {
        REQUIRE(std::ranges::equal(m(texts[i], scratch), batch[i]));
        REQUIRE(std::ranges::equal(m.encode(texts[i], scratch).ids, batch[i]));
    }
}

TEST_CASE("bpe: training agrees with counting anew", "[bpe]") {
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
        const strings texts = random_texts(60, 25, seed);
        for (const std::size_t min_frequency : {1U, 3U}) {
            const std::size_t longest = seed == 3 ? 4 : 256;
            const bpe_model m = fit(bpe{.vocabulary_size = 340, .min_frequency = min_frequency, .max_token_bytes = longest}, texts);
            const auto [tokens, merges] = train_by_definition(texts, 340, min_frequency, longest);
            CHECK(m.tokens().tokens() == tokens);
            strings got;
            for (std::size_t i = 0; i < m.merges().size(); i += 2)
                got.push_back(std::string(m.tokens()[m.merges()[i]]) + " " + std::string(m.tokens()[m.merges()[i + 1]]));
            CHECK(got == merges);
        }
    }
}
TEST_CASE("bpe: training by hand", "[bpe]") {
    const strings texts = {"low low low low low", "lower lower", "newest newest newest newest newest newest", "widest widest widest"};
    const bpe_model m = fit(bpe{.vocabulary_size = 256 + 1 + 4, .special_tokens = {"<end>"}}, texts);
    CHECK(m.tokens().tokens()[0] == "<end>");
    CHECK(m.tokens().tokens()[1] == "!");
    CHECK(m.decode(ids{257, 258, 259, 260}) == "esestlolow");
    CHECK(m("low<end>est") == ids{260, 0, 258});
    strings permuted(texts.rbegin(), texts.rend());
    CHECK(fit(bpe{.vocabulary_size = 261, .special_tokens = {"<end>"}}, permuted).fields() == m.fields());
    CHECK(fit(bpe{.vocabulary_size = 1000, .min_frequency = 1000}, texts).vocabulary_size() == 256);
    const bpe_model spaced = fit(bpe{.vocabulary_size = 300, .min_frequency = 1, .add_prefix_space = true}, strings{"abc"});
    CHECK(spaced("abc").size() == 1);
    CHECK(spaced.decode(spaced("abc")) == " abc");
    SECTION("what it refuses") {
        const auto code_of = [](const bpe& recipe, const strings& from = {"a"}) { return error_of([&] { (void)fit(recipe, from); }).code(); };
        CHECK(code_of({}, {}) == errc::empty_input);
        CHECK(code_of({.vocabulary_size = 255}) == errc::bad_parameter);
        CHECK(code_of({.min_frequency = 0}) == errc::bad_parameter);
        CHECK(code_of({.max_token_bytes = 0}) == errc::bad_parameter);
        CHECK(code_of({.special_tokens = {"<a>", "<a>"}}) == errc::duplicate_token);
        CHECK(code_of({.special_tokens = {""}}) == errc::empty_token);
        CHECK(code_of({.special_tokens = {"a"}}) == errc::duplicate_token);
    }
    SECTION("words beyond the limit are not learnt") { CHECK(fit(bpe{.min_frequency = 1}, strings{std::string(5000, 'x')}).vocabulary_size() == 256); }
}

TEST_CASE("bpe: what a model refuses", "[bpe][error]") {
    const bpe_model m = small_model();
    const auto e = error_of([&] { (void)bpe_model(m.tokens(), {0, 1, 5, 400}); });
    CHECK(e.code() == errc::bad_data);
    CHECK(e.where().row == (m.tokens().find(m.tokens().tokens()[0] + m.tokens().tokens()[1]) ? 2 : 1));
    CHECK(error_of([&] { (void)bpe_model(m.tokens(), {0}); }).code() == errc::bad_data);
    ids twice = m.merges();
    twice.insert(twice.end(), twice.begin(), twice.begin() + 2);
    CHECK(error_of([&] { (void)bpe_model(m.tokens(), twice); }).code() == errc::duplicate_token);
    CHECK(error_of([&] { (void)bpe_model(vocabulary(m.tokens().tokens(), 1), m.merges()); }).code() == errc::bad_data);
    CHECK(error_of([&] { (void)bpe_model(m.tokens(), m.merges(), {}, {}, {.padding = 400}); }).code() == errc::bad_data);
    CHECK(error_of([&] { (void)m.decode(ids{400}); }).code() == errc::unknown_id);
    CHECK(error_of([&] { (void)m[-1]; }).code() == errc::unknown_id);
}

TEST_CASE("bpe: saved and loaded", "[bpe][io]") {
    const bpe_model base = small_model();
    const bpe_model m(base.tokens(), base.merges(), {{.text = "<s>", .id = 400, .strip_left = true}}, special_tokens::bert(400, 400),
                      {.add_prefix_space = true, .trim_offsets = true, .padding = 400, .defaults = {.max_length = 30}});
    const auto bytes = to_bytes(m);
    const auto again = load<bpe_model>(bytes);
    CHECK(again.fields() == m.fields());
    CHECK(to_bytes(again) == bytes);
    const strings texts = random_texts(50, 40, 6);
    CHECK(again.encode_batch(texts) == m.encode_batch(texts));
    for (std::size_t n = 0; n < bytes.size(); n += 97) CHECK_THROWS_AS(load<bpe_model>(std::span(bytes).first(n)), error);
}

TEST_CASE("bpe: reading vocab.json and merges.txt", "[bpe][io]") {
    const bpe_model m = small_model();
    std::string json = "{", merges = "#version: 0.2\n";
    for (std::size_t i = m.vocabulary_size(); i > 0; --i) {
        append_json_string(json, m.tokens().tokens()[i - 1]);
        json += ": " + std::to_string(i - 1) + (i > 1 ? ", " : "}");
    }
    for (std::size_t i = 0; i < m.merges().size(); i += 2)
        merges += std::string(m.tokens()[m.merges()[i]]) + " " + std::string(m.tokens()[m.merges()[i + 1]]) + (i % 4 == 0 ? "\n" : "\r\n");
    CHECK(parse_bpe(json, merges).fields() == m.fields());
    const bpe_model with = parse_bpe(json, merges, {.add_prefix_space = true}, {"a", "<s>"});
    CHECK(with.added().at(0).id == *m.tokens().find("a"));
    CHECK(with.added().at(1).id == 400);
    SECTION("vocab.json") {
        const auto code_of = [](std::string_view text) { return error_of([&] { (void)parse_bpe_vocabulary(text); }).code(); };
        CHECK(parse_bpe_vocabulary(R"({"\u0120a": 1, "b": 0})").tokens() == strings{"b", "Ġa"});
        CHECK(code_of("") == errc::empty_input);
        CHECK(code_of("null") == errc::wrong_type);
        CHECK(code_of("[]") == errc::wrong_type);
        CHECK(code_of("3") == errc::wrong_type);
        CHECK(code_of(R"({"a": "0"})") == errc::wrong_type);
        CHECK(code_of(R"({"a": {"b": 0}})") == errc::wrong_type);
        CHECK(code_of(R"({"a": [0]})") == errc::wrong_type);
        CHECK(code_of(R"({"a": null})") == errc::wrong_type);
        CHECK(code_of(R"({"a": -1})") == errc::bad_id);
        CHECK(code_of(R"({"a": 0.0})") == errc::bad_id);
        CHECK(code_of(R"({"a": 1e0})") == errc::bad_id);
        CHECK(code_of(R"({"a": 1})") == errc::bad_id);
        CHECK(code_of(R"({"a": 100000000000})") == errc::bad_id);
        CHECK(code_of(R"({"a": 18446744073709551616})") == errc::number_out_of_range);
        CHECK(code_of(R"({"a": 0, "b": 0})") == errc::duplicate_id);
        CHECK(code_of(R"({"a": 0, "\u0061": 1})") == errc::duplicate_key);
        CHECK(code_of(R"({"": 0})") == errc::empty_token);
        CHECK(code_of(R"({"\u0000": 0})") == errc::nul_byte);
        CHECK(code_of("{\"" + std::string(1025, 'a') + "\": 0}") == errc::token_too_long);
        CHECK(code_of("{\"a\": 0} {}") == errc::trailing_data);
        CHECK(code_of("{\"a\": 0") == errc::bad_json);
        CHECK(code_of("{\"\xFF\": 0}") == errc::bad_utf8);
        CHECK(error_of([] { (void)parse_bpe("{}", "a b"); }).code() == errc::bad_data);
        CHECK(error_of([] { (void)parse_bpe("{}", "\n"); }).code() == errc::bad_format);
        CHECK(error_of([] { (void)parse_bpe("{}", "#version: 0.2\n"); }).code() == errc::missing_unk);
    }
    SECTION("merges.txt") {
        const vocabulary tokens({"a", "b", "ab", "c"});
        CHECK(parse_bpe_merges("#version: 0.2\na b\n", tokens) == ids{0, 1});
        CHECK(parse_bpe_merges("a b", tokens) == ids{0, 1});
        CHECK(parse_bpe_merges("#version: 0.2\n", tokens).empty());
        const auto refused = [&](std::string_view text) {
            const auto e = error_of([&] { (void)parse_bpe_merges(text, tokens); });
            return std::pair(e.code(), e.where().row);
        };
        CHECK(refused("") == std::pair(errc::empty_input, std::uint64_t{0}));
        CHECK(refused("a b\n\na b") == std::pair(errc::bad_format, std::uint64_t{2}));
        CHECK(refused("ab") == std::pair(errc::bad_format, std::uint64_t{1}));
        CHECK(refused("a b c") == std::pair(errc::bad_format, std::uint64_t{1}));
        CHECK(refused("a  b") == std::pair(errc::bad_format, std::uint64_t{1}));
        CHECK(refused(" b") == std::pair(errc::bad_format, std::uint64_t{1}));
        CHECK(refused("a ") == std::pair(errc::bad_format, std::uint64_t{1}));
        CHECK(refused("#version\na b\na d") == std::pair(errc::bad_data, std::uint64_t{3}));
        CHECK(refused("a c") == std::pair(errc::bad_data, std::uint64_t{1}));
        CHECK(refused("a b\na b\n") == std::pair(errc::duplicate_token, std::uint64_t{2}));
        CHECK(refused("a b\na \xC3\n") == std::pair(errc::bad_utf8, std::uint64_t{2}));
        CHECK(refused(std::string_view("a\0 b", 4)) == std::pair(errc::nul_byte, std::uint64_t{1}));
    }
}

namespace {
// A tokenizer.json as RoBERTa's: bytes in order of their values, then "ab", " ab" and two spaces.
std::string roberta_json() {
    std::string vocab = "{", added;
    for (int b = 0; b < 256; ++b) {
        append_json_string(vocab, written(std::string(1, static_cast<char>(b))));
        vocab += ": " + std::to_string(b) + ", ";
    }
    vocab += R"("ab": 256, "Ġab": 257, "ĠĠ": 258})";
    for (const auto& [id, text, strip] : {std::tuple(259, "<s>", "false"), std::tuple(260, "</s>", "false"), std::tuple(261, "<mask>", "true")})
        added += std::string(added.empty() ? "" : ", ") + R"({"id": )" + std::to_string(id) + R"(, "content": ")" + text + R"(", "single_word": false, "lstrip": )" + strip +
                 R"(, "rstrip": false, "normalized": false, "special": true})";
    return R"({"version": "1.0", "truncation": null, "padding": null, "added_tokens": [)" + added +
           R"(], "normalizer": null, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
           "post_processor": {"type": "RobertaProcessing", "sep": ["</s>", 260], "cls": ["<s>", 259], "trim_offsets": true, "add_prefix_space": true},
           "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true}, "model": {"type": "BPE", "dropout": null,
           "unk_token": null, "continuing_subword_prefix": "", "end_of_word_suffix": "", "fuse_unk": false, "merges": ["a b", "Ġ ab", "Ġ Ġ"], "vocab": )" +
           vocab + "}}";
}
std::string replaced(std::string json, std::string_view from, std::string_view to) {
    const std::size_t at = json.find(from);
    REQUIRE(at != std::string::npos);
    return json.replace(at, from.size(), to);
}
}  // namespace

// The ids and offsets are those of Hugging Face tokenizers 0.23.2 for the same file.
TEST_CASE("bpe: tokenizer.json", "[bpe][io]") {
    const std::string json = roberta_json();
    const bpe_model m = parse_tokenizer_json<bpe_model>(json).tokenizer;
    const auto check = [&](std::string_view text, const ids& expected, const std::vector<byte_span>& offsets) {
        const encoding e = m.encode(text);
        CAPTURE(text);
        CHECK(e.ids == expected);
        CHECK(code_point_spans(text, e.offsets) == offsets);
    };
    check("ab ab  ab", {259, 257, 257, 32, 257, 260}, {{0, 0}, {0, 2}, {3, 5}, {6, 6}, {7, 9}, {0, 0}});
    check("é  <mask> ab", {259, 32, 195, 169, 261, 257, 260}, {{0, 0}, {0, 0}, {0, 1}, {0, 1}, {3, 9}, {10, 12}, {0, 0}});
    check(" ab\n", {259, 257, 10, 260}, {{0, 0}, {0, 3}, {3, 4}, {0, 0}});
    check("好", {259, 32, 229, 165, 189, 260}, {{0, 0}, {0, 0}, {0, 1}, {0, 1}, {0, 1}, {0, 0}});
    const encoding pair = m.encode_pair("ab", "a");
    CHECK(pair.ids == ids{259, 257, 260, 260, 32, 97, 260});
    CHECK(pair.type_ids == std::vector<std::uint8_t>(7, 0));
    CHECK(m.decode(pair.ids, true) == " ab a");
    CHECK(m.decode(pair.ids) == "<s> ab</s></s> a</s>");
    CHECK(parse_tokenizer_json<bpe_model>(replaced(json, R"("a b", "Ġ ab", "Ġ Ġ")", R"(["a", "b"], ["Ġ", "ab"], ["Ġ", "Ġ"])")).tokenizer.fields() == m.fields());
    const auto with_sequence = replaced(json, R"({"type": "RobertaProcessing", "sep": ["</s>", 260], "cls": ["<s>", 259], "trim_offsets": true, "add_prefix_space": true})",
                                        R"({"type": "Sequence", "processors": [{"type": "ByteLevel", "trim_offsets": false, "add_prefix_space": true, "use_regex": true},
                                        {"type": "BertProcessing", "sep": ["</s>", 260], "cls": ["<s>", 259]}]})");
    CHECK(parse_tokenizer_json<bpe_model>(with_sequence).tokenizer.encode("ab ab").offsets == std::vector<byte_span>{{0, 0}, {0, 2}, {2, 5}, {0, 0}});
    SECTION("what it refuses") {
        const auto refused = [&](std::string_view from, std::string_view to, errc code, std::string_view named) {
            const auto e = error_of([&] { (void)parse_tokenizer_json<bpe_model>(replaced(json, from, to)); });
            CAPTURE(to);
            CHECK(e.code() == code);
            CHECK(std::string_view(e.what()).find(named) != std::string_view::npos);
        };
        refused(R"("normalizer": null)", R"("normalizer": {"type": "NFC"})", errc::unsupported_model, "the normalizer NFC");
        refused(R"("pre_tokenizer": {"type": "ByteLevel")", R"("pre_tokenizer": {"type": "Metaspace")", errc::unsupported_model, "the pre-tokenizer Metaspace");
        refused(R"("use_regex": true)", R"("use_regex": false)", errc::unsupported_model, "use_regex");
        refused(R"("decoder": {"type": "ByteLevel")", R"("decoder": {"type": "Fuse")", errc::unsupported_model, "the decoder Fuse");
        refused(R"("RobertaProcessing")", R"("Mystery")", errc::unsupported_model, "the post-processor Mystery");
        refused(R"("dropout": null)", R"("dropout": 0.1)", errc::unsupported_model, "dropout");
        refused(R"("fuse_unk": false)", R"("byte_fallback": true)", errc::unsupported_model, "byte_fallback");
        refused(R"("end_of_word_suffix": "")", R"("end_of_word_suffix": "</w>")", errc::unsupported_model, "end_of_word_suffix");
        refused(R"("unk_token": null)", R"("unk_token": "<unk>")", errc::missing_unk, "unk_token");
        refused(R"("type": "BPE")", R"("type": "Unigram")", errc::unsupported_model, "Unigram");
        refused(R"("type": "BPE")", R"("type": "WordLevel")", errc::unsupported_model, "the model WordLevel");
        refused(R"("a b", )", R"("a bb", )", errc::bad_data, "merge 1");
        refused(R"("a b", )", R"("ab", )", errc::bad_format, "merge 1");
        refused(R"("a b", )", R"(7, )", errc::wrong_type, "merges");
        refused(R"("</s>", 260])", R"("</s>", 270])", errc::bad_id, "id");
    }
}

TEST_CASE("bpe: GPT-2's ids and offsets are those of Hugging Face's tokenizers", "[bpe][oracle]") {
    SHARED_OR_SKIP(vocabs, "data/vocabs");
    SHARED_OR_SKIP(oracles, "oracles/text");
    const bpe_model& m = gpt2(vocabs);
    std::size_t cases = 0;
    const auto all = json_of(oracles / "gpt2_bpe_cases.json");
    for (const auto& one : all.at("cases")) {
        const auto text = one.at("text").get<std::string>();
        CAPTURE(text);
        const encoding e = m.encode(text);
        CHECK(e.ids == one.at("ids").get<ids>());
        std::vector<std::vector<std::uint32_t>> offsets;
        for (const byte_span span : code_point_spans(text, e.offsets)) offsets.push_back({span.begin, span.end});
        CHECK(offsets == one.at("offsets").get<std::vector<std::vector<std::uint32_t>>>());
        CHECK(m.decode(e.ids) == text);
        ++cases;
    }
    CHECK(cases == 49);
}

TEST_CASE("bpe: GPT-2's golden files", "[bpe][oracle]") {
    SHARED_OR_SKIP(vocabs, "data/vocabs");
    SHARED_OR_SKIP(golden, "data/tokenizer_golden");
    const bpe_model& m = gpt2(vocabs);
    for (const char* name : {"gpt2_airline.tsv", "gpt2_banking77.tsv", "gpt2_waimai.tsv"}) {
        std::ifstream in(golden / name, std::ios::binary);
        std::string line;
        std::getline(in, line);
        std::size_t lines = 0, wrong = 0;
        while (std::getline(in, line)) {
            const std::size_t tab = line.find('\t');
            std::istringstream numbers(line.substr(0, tab));
            ids expected;
            for (token_id id = 0; numbers >> id;) expected.push_back(id);
            ++lines;
            if (m(line.substr(tab + 1)) != expected) ++wrong;
        }
        CAPTURE(name);
        CHECK(lines >= 500);
        CHECK(wrong == 0);
    }
}

namespace {
void check_data_set(const char* name, const char* file, std::size_t column) {
    SHARED_OR_SKIP(vocabs, "data/vocabs");
    SHARED_OR_SKIP(data, "data");
    SHARED_OR_SKIP(oracle, "oracles/text/bulk.json");
    const auto expected = json_of(oracle).at("sets").at(name);
    const strings texts = column_of(data / file, column);
    CAPTURE(name);
    CHECK(texts.size() == expected.at("texts").get<std::size_t>());
    const auto [id_hash, offset_hash] = hashes(gpt2(vocabs), texts);
    CHECK(id_hash == expected.at("gpt2_bpe").at("ids_sha256").get<std::string>());
    CHECK(offset_hash == expected.at("gpt2_bpe").at("offsets_sha256").get<std::string>());
}
void check_long_text(std::size_t bytes) {
    const bpe_model m = small_model({.vocabulary_size = 600, .min_frequency = 1});
    for (const std::string& part : {std::string("a"), std::string("好"), std::string("\xFF")}) {
        std::string text;
        text.reserve(bytes + 3);
        while (text.size() < bytes) text += part;
        CHECK(m.decode(m(text)) == text);
    }
}
}  // namespace

TEST_CASE("bpe: whole data sets have the ids and offsets of Hugging Face's tokenizers", "[bpe][oracle]") {
    check_data_set("waimai", "waimai_10k/waimai_10k.tsv", 2);
    check_data_set("banking77_train", "banking77/train.tsv", 2);
}
TEST_CASE("bpe: a larger data set has them, too", "[bpe][oracle][slow]") {
    check_data_set("online_shopping", "online_shopping_10_cats/reviews_9_categories.tsv", 3);
}

TEST_CASE("bpe: 1 MB without a space", "[bpe][edge]") { check_long_text(1'000'000); }
TEST_CASE("bpe: 10 MB without a space", "[bpe][edge][slow]") { check_long_text(10'000'000); }

}  // namespace bpe_test
