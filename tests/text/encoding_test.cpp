#include <caramel/text/encoding.hpp>
#include <caramel/text/encoding_arrays.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/random.hpp>

#include "support/catch.hpp"

using namespace caramel;
namespace encoding_test {

using ids = std::vector<token_id>;
using octets = std::vector<std::uint8_t>;

namespace {

// A tokenizer whose tokens are the bytes of the text.
class byte_tokenizer : public text_encoder<byte_tokenizer> {
   public:
    static constexpr std::string_view kind = "bytes";
    byte_tokenizer() = default;
    explicit byte_tokenizer(special_tokens around, encode_options defaults = {}) : special_(std::move(around)), defaults_(defaults) {}

    std::size_t split(std::string_view text, std::size_t, token_id* out, byte_span* offsets, std::size_t enough) const {
        std::size_t n = 0;
        for (; n < text.size() && n < enough; ++n) {
            out[n] = static_cast<unsigned char>(text[n]);
            if (offsets != nullptr) offsets[n] = {static_cast<std::uint32_t>(n), static_cast<std::uint32_t>(n + 1)};
        }
        return n;
    }
    std::size_t most_tokens(std::size_t n) const { return n; }
    const special_tokens& special() const { return special_; }
    const encode_options& defaults() const { return defaults_; }
    std::size_t vocabulary_size() const { return 302; }
    token_id unknown() const { return 0; }
    token_id padding() const { return 300; }

   private:
    special_tokens special_;
    encode_options defaults_;
};
const byte_tokenizer bert(special_tokens::bert(256, 257));

// Hugging Face's rule for pairs, one token after the other from the end of the longer text, and what is left of the shorter
// half when both are longer than half.
std::pair<std::size_t, std::size_t> kept_by_rule(std::size_t n, std::size_t m, std::size_t most) {
    if (n + m <= most) return {n, m};
    std::size_t a = std::min(n, m), b = std::max(n, m);
    b = a > most ? a : std::max(a, most - a);
    if (a + b > most) {
        a = most / 2;
        b = a + most % 2;
    }
    return n <= m ? std::pair(a, b) : std::pair(b, a);
}

}  // namespace

TEST_CASE("encoding: special tokens, types and offsets of one text and of a pair", "[encoding]") {
    const encoding one = bert.encode("ab");
    CHECK(one.ids == ids{256, 'a', 'b', 257});
    CHECK(one.offsets == std::vector<byte_span>{{0, 0}, {0, 1}, {1, 2}, {0, 0}});
    CHECK(one.type_ids == octets{0, 0, 0, 0});
    CHECK(one.special == octets{1, 0, 0, 1});
    const encoding pair = bert.encode_pair("ab", "c");
    CHECK(pair.ids == ids{256, 'a', 'b', 257, 'c', 257});
    CHECK(pair.offsets == std::vector<byte_span>{{0, 0}, {0, 1}, {1, 2}, {0, 0}, {0, 1}, {0, 0}});
    CHECK(pair.type_ids == octets{0, 0, 0, 0, 1, 1});
    CHECK(pair.special == octets{1, 0, 0, 1, 0, 1});
    CHECK(bert.encode_pair("ab", "c", {.special_tokens = false}).ids == ids{'a', 'b', 'c'});
    CHECK(bert.encode_pair("ab", "c", {.special_tokens = false}).type_ids == octets{0, 0, 1});
    CHECK(byte_tokenizer().encode_pair("ab", "c").type_ids == octets{0, 0, 1});
    CHECK(bert.encode_pair("", "").ids == ids{256, 257, 257});
}

TEST_CASE("encoding: truncation by all orders and sides", "[encoding]") {
    CHECK(bert.encode("abcdef", {.max_length = 4}).ids == ids{256, 'a', 'b', 257});
    CHECK(bert.encode("abcdef", {.max_length = 4, .truncate = text_side::left}).ids == ids{256, 'e', 'f', 257});
    CHECK(bert.encode("abcdef", {.max_length = 4, .truncate = text_side::left}).offsets[1] == byte_span{4, 5});
    CHECK(bert.encode("abcdef", {.max_length = 2}).ids == ids{256, 257});
    for (std::size_t n = 0; n < 9; ++n)
        for (std::size_t m = 0; m < 9; ++m)
            for (std::size_t most = 0; most < 20; ++most)
                for (const auto side : {text_side::left, text_side::right}) {
                    CAPTURE(n, m, most);
                    const encoding e = bert.encode_pair(std::string(n, 'a'), std::string(m, 'b'), {.max_length = most + 3, .truncate = side});
                    const auto [a, b] = kept_by_rule(n, m, most);
                    REQUIRE(std::count(e.ids.begin(), e.ids.end(), 'a') == static_cast<std::ptrdiff_t>(a));
                    REQUIRE(std::count(e.ids.begin(), e.ids.end(), 'b') == static_cast<std::ptrdiff_t>(b));
                }
    CHECK(bert.encode_pair("abcdef", "gh", {.max_length = 7, .order = truncation_order::only_first}).ids == ids{256, 'a', 'b', 257, 'g', 'h', 257});
    CHECK(bert.encode_pair("ab", "cdefgh", {.max_length = 7, .order = truncation_order::only_second}).ids == ids{256, 'a', 'b', 257, 'c', 'd', 257});
    CHECK_THROWS_WITH(bert.encode_pair("abcdef", "gh", {.max_length = 7, .order = truncation_order::only_second}),
                      "bytes: max_length leaves 4 tokens, and the text that is not to be cut fills them");
    CHECK_THROWS_WITH(bert.encode("abcdef", {.max_length = 7, .order = truncation_order::only_second}),
                      "bytes: to be cut in the second text, but there is one text only");
    CHECK_THROWS_WITH(bert.encode("abc", {.max_length = 1}), "bytes: max_length = 1, but 2 special tokens are added");
}

TEST_CASE("encoding: a batch, its rows alone, with a workspace and on threads are the same", "[encoding]") {
    rng numbers(7);
    std::vector<std::string> first(3000), second(first.size());
    for (auto* texts : {&first, &second})
        for (std::string& text : *texts) text.assign(numbers.below(200), 'x');
    const byte_tokenizer model(special_tokens::bert(256, 257), {.max_length = 90});
    const encoding_batch batch = model.encode_batch(first), pairs = model.encode_pairs(first, second);
    CHECK(batch.ids.vocabulary_size == 302);
    CHECK(batch.ids.padding == 300);
    CHECK(model(first) == batch.ids);
    for (const std::size_t threads : {2U, 3U, 8U}) {
        CHECK(model.encode_batch(first, model.defaults(), {.threads = threads}) == batch);
        CHECK(model.encode_pairs(first, second, model.defaults(), {.threads = threads}) == pairs);
    }
    workspace scratch;
    for (std::size_t i = 0; i < 50; ++i) {
        const encoding one = model.encode(first[i]), pair = model.encode_pair(first[i], second[i]);
        const auto equal = [](const encoding& e, const encoding_view& v) {
            return std::equal(e.ids.begin(), e.ids.end(), v.ids.begin(), v.ids.end()) &&
                   std::equal(e.offsets.begin(), e.offsets.end(), v.offsets.begin(), v.offsets.end()) &&
                   std::equal(e.type_ids.begin(), e.type_ids.end(), v.type_ids.begin(), v.type_ids.end()) &&
                   std::equal(e.special.begin(), e.special.end(), v.special.begin(), v.special.end());
        };
        CHECK((equal(one, batch[i]) && equal(pair, pairs[i]) && equal(one, model.encode(first[i], scratch))));
        CHECK(equal(pair, model.encode_pair(first[i], second[i], scratch, model.defaults())));
        CHECK(model(first[i]) == one.ids);
    }
    CHECK_THROWS_WITH(model.encode_pairs(first, {}), "bytes: 3000 first texts but 0 second ones");
}

TEST_CASE("encoding: offsets in code points", "[encoding]") {
    const std::string text = "a\xC3\xA9\xE4\xBD\xA0\xF0\x9F\x98\x80z";  // 1, 2, 3, 4 and 1 bytes
    const std::vector<byte_span> spans{{0, 0}, {0, 1}, {1, 3}, {3, 6}, {6, 10}, {10, 11}, {0, 11}, {7, 8}, {2, 4}, {11, 11}};
    CHECK(code_point_spans(text, spans) == std::vector<byte_span>{{0, 0}, {0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5}, {0, 5}, {3, 4}, {1, 3}, {5, 5}});
    CHECK_THROWS_WITH(code_point_spans("abc", std::vector<byte_span>{{2, 4}}), "code_point_spans: bytes 2 to 4 of a text of 3");
}

TEST_CASE("encoding: padded to rectangles", "[encoding]") {
    const encoding_batch batch = bert.encode_pairs({"a", "bcd"}, {"", "e"});
    const encoding_arrays a = to_arrays(batch);
    REQUIRE(a.ids.shape(0) == 2);
    REQUIRE(a.ids.shape(1) == 7);
    CHECK(std::equal(a.ids.begin(), a.ids.begin() + 7, ids{256, 'a', 257, 257, 300, 300, 300}.begin()));
    CHECK(std::equal(a.attention.begin(), a.attention.begin() + 7, octets{1, 1, 1, 1, 0, 0, 0}.begin()));
    CHECK(std::equal(a.type_ids.begin(), a.type_ids.begin() + 7, octets{0, 0, 0, 1, 0, 0, 0}.begin()));
    CHECK(std::equal(a.special.begin(), a.special.begin() + 7, octets{1, 0, 1, 1, 1, 1, 1}.begin()));
    const encoding_arrays left = to_arrays(batch, {.multiple_of = 4, .side = text_side::left, .id = 9, .type_id = 2});
    REQUIRE(left.ids.shape(1) == 8);
    CHECK(std::equal(left.ids.begin(), left.ids.begin() + 8, ids{9, 9, 9, 9, 256, 'a', 257, 257}.begin()));
    CHECK(std::equal(left.type_ids.begin(), left.type_ids.begin() + 8, octets{2, 2, 2, 2, 0, 0, 0, 1}.begin()));
    const id_arrays plain = to_arrays(batch.ids, {.length = 10});
    CHECK(plain.ids.shape(1) == 10);
    CHECK(plain.attention(1, 6) == 1);
    CHECK(plain.attention(1, 7) == 0);
    CHECK_THROWS_WITH(to_arrays(batch, {.length = 6}), "to_arrays: row 2 has 7 tokens, to be padded to 6 (encode with max_length)");
    CHECK_THROWS_WITH(to_arrays(batch, {.multiple_of = 0}), "to_arrays: multiple_of = 0, must be at least 1");
    CHECK(to_arrays(encoding_batch{}).ids.shape(0) == 0);
}

TEST_CASE("encoding: special tokens that do not belong together", "[encoding][error]") {
    CHECK_THROWS_AS(special_tokens({1}, {0}, {-1, -2}, {0, 1}), error);
    CHECK_THROWS_AS(special_tokens({-1}, {0}, {-2, -1}, {0, 1}), error);
    CHECK_THROWS_AS(special_tokens({-1}, {0, 0}, {-1, -2}, {0, 1}), error);
    CHECK_THROWS_AS(special_tokens::bert(5, 9).require_below(9, "x"), error);
}

}  // namespace encoding_test
