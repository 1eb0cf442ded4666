#include <caramel/text/phrases.hpp>

#include <algorithm>
#include <cmath>
#include <tuple>
#include <vector>

#include "support/catch.hpp"

using namespace caramel;
using ids = std::vector<token_id>;

namespace {

// Words 1 .. 4; 0 is unknown.
token_ids small_texts() {
    token_ids out;
    out.vocabulary_size = 5;
    out.append_row(ids{1, 2, 3, 1, 2});
    out.append_row(ids{1, 2, 0, 3, 4});
    out.append_row(ids{});
    out.append_row(ids{2, 1, 0, 0});
    out.append_row(ids{3});
    return out;
}

}  // namespace

TEST_CASE("phrases: scores by hand", "[phrases]") {
    const token_ids texts = small_texts();
    // 12 words, 4 different ones; 5 different pairs, since 2 0 3 is parted.
    // n(1) = 4, n(2) = 4, n(3) = 3, n(4) = 1; n(1 2) = 3, n(2 3) = n(3 1) = n(3 4) = n(2 1) = 1
    const auto pairs = [&](phrase_score score, double threshold, std::size_t min_count) {
        const auto m = fit(phrases{.score = score, .threshold = threshold, .min_count = min_count}, texts);
        std::vector<ids> out;
        for (std::size_t i = 0; i < m.firsts().size(); ++i) out.push_back({m.firsts()[i], m.seconds()[i]});
        return out;
    };
    // gensim: (3 - 1) / (4 * 4) * 9 = 1.125, all others 0
    CHECK(pairs(phrase_score::vocabulary, 1.124, 1) == std::vector<ids>{{1, 2}});
    CHECK(pairs(phrase_score::vocabulary, 1.125, 1).empty());  // more than the threshold, not as much
    CHECK(pairs(phrase_score::vocabulary, -.001, 1).size() == 5);
    // word2phrase: (3 - 1) / (4 * 4) * 12 = 1.5
    CHECK(pairs(phrase_score::words, 1.499, 1) == std::vector<ids>{{1, 2}});
    CHECK(pairs(phrase_score::words, 1.5, 1).empty());
    // npmi of 1 2: ln(3 / 12 / (4 / 12 * 4 / 12)) / -ln(3 / 12) = ln(9 / 4) / ln(4) = .58496; of 3 4: ln(1 / 12 / (3 / 144)) / ln(12) = ln(4) / ln(12) = .55789
    CHECK(pairs(phrase_score::npmi, .5849, 1) == std::vector<ids>{{1, 2}});
    CHECK(pairs(phrase_score::npmi, .5850, 1).empty());
    CHECK(pairs(phrase_score::npmi, .5578, 1) == std::vector<ids>{{1, 2}, {3, 4}});
    CHECK(pairs(phrase_score::npmi, -1, 2) == std::vector<ids>{{1, 2}});  // fewer than 2 never
}

TEST_CASE("phrases: joined from the left, each token once", "[phrases]") {
    const phrases_model m(5, {1, 1, 2}, {1, 2, 3});
    token_ids texts = small_texts();
    texts.append_row(ids{1, 1, 1, 2, 3});
    const token_ids joined = m(texts);
    CHECK(joined.vocabulary_size == 8);
    CHECK(joined.size() == texts.size());
    const std::vector<ids> expected{{6, 3, 6}, {6, 0, 3, 4}, {}, {2, 1, 0, 0}, {3}, {5, 6, 3}};
    workspace scratch;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CHECK(std::ranges::equal(joined[i], expected[i]));
        CHECK(std::ranges::equal(m(texts[i], scratch), expected[i]));
    }
    CHECK(m.parts(7) == ids{2, 3});
    CHECK(m.parts(4) == ids{4});
    const auto again = std::apply([](const auto&... field) { return phrases_model(field...); }, m.fields());
    CHECK(again(texts) == joined);
    const auto twice = fit(phrases{.threshold = 0, .min_count = 1} | phrases{.threshold = 0, .min_count = 1}, texts);
    CHECK(twice(texts).vocabulary_size > 5);
}

TEST_CASE("phrases: what is refused", "[phrases][error]") {
    token_ids texts = small_texts();
    const auto code = [&](const phrases& recipe) { return error_of([&] { (void)fit(recipe, texts); }).code(); };
    CHECK(code({.min_count = 0}) == errc::bad_parameter);
    CHECK(code({.threshold = NAN}) == errc::bad_parameter);
    CHECK(code({.score = phrase_score::npmi}) == errc::bad_parameter);
    CHECK(code({.score = phrase_score{7}}) == errc::bad_parameter);
    CHECK(error_of([] { (void)fit(phrases{}, token_ids{}); }).code() == errc::empty_input);
    texts.append_row(ids{5});
    CHECK(error_of([&] { (void)fit(phrases{}, texts); }).where() == place{.row = 6});
    const phrases_model m(5, {1}, {2});
    texts.vocabulary_size = 6;
    CHECK(error_of([&] { (void)m(texts); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { (void)m.parts(6); }).code() == errc::unknown_id);
    CHECK(error_of([&] { (void)m.parts(-1); }).code() == errc::unknown_id);
    CHECK(error_of([] { (void)phrases_model(5, {1}, {}); }).code() == errc::bad_data);
    CHECK(error_of([] { (void)phrases_model(5, {1}, {5}); }).code() == errc::bad_data);
    CHECK(error_of([] { (void)phrases_model(5, {1, 1}, {2, 2}); }).where() == place{.row = 2});
    CHECK(error_of([] { (void)phrases_model(std::uint64_t{1} << 31, {1}, {2}); }).code() == errc::limit_exceeded);
}
