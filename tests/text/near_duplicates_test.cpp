#include <caramel/text/near_duplicates.hpp>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

using namespace caramel;
namespace near_duplicates_test {

using strings = std::vector<std::string>;

namespace {

// Jaccard on sets of the shingles themselves.
double exact(const std::string& a, const std::string& b, std::size_t width) {
    const auto set_of = [&](const std::string& text) {
        std::set<std::string> out;
        for (std::size_t i = 0; i + width <= text.size(); ++i) out.insert(text.substr(i, width));
        if (out.empty() && !text.empty()) out.insert(text);
        return out;
    };
    const auto x = set_of(a), y = set_of(b);
    std::size_t both = 0;
    for (const auto& s : x) both += y.count(s);
    const std::size_t all = x.size() + y.size() - both;
    return all == 0 ? 0 : static_cast<double>(both) / static_cast<double>(all);
}
std::string random_text(rng& random, std::size_t length) {
    std::string out;
    while (out.size() < length) out += static_cast<char>('a' + random.below(26));
    return out;
}
// Families of texts, each a template with some letters changed.
strings families(std::size_t count, std::size_t members, rng& random) {
    strings out;
    for (std::size_t f = 0; f < count; ++f) {
        const std::string base = random_text(random, 150 + random.below(100));
        for (std::size_t m = 0; m < members; ++m) {
            std::string text = base;
            for (std::uint64_t n = random.below(8); n > 0; --n) text[random.below(text.size())] = 'Z';
            out.push_back(text);
        }
    }
    return out;
}

}  // namespace

TEST_CASE("near_duplicates: by hand", "[near_duplicates]") {
    const strings texts{"The order arrived late, and nobody answered.", "Great!", "The order arrived late and nobody answered.", "", "Great!", "", "Großartig"};
    const auto pairs = near_duplicates(texts, {.threshold = .7});
    REQUIRE(pairs.size() == 2);
    CHECK(pairs[0] == duplicate_pair{0, 2, exact(texts[0], texts[2], 5)});
    CHECK(pairs[1] == duplicate_pair{1, 4, 1});
    CHECK(first_of_duplicates(texts.size(), pairs) == std::vector<std::size_t>{0, 1, 0, 3, 1, 5, 6});
    const auto words = near_duplicates(texts, {.shingle = 1, .words = true, .threshold = .9});
    REQUIRE(words.size() == 2);
    CHECK(words[0] == duplicate_pair{0, 2, 1});  // only the comma differs
    CHECK(near_duplicates(strings{}).empty());
    CHECK(near_duplicates(strings{"alone"}).empty());
    CHECK(near_duplicates(strings{"ab", "ab", "ac"}).size() == 1);  // shorter than a shingle
    CHECK(shingle_hashes("好好好", {.shingle = 2}).size() == 1);
    CHECK(shingle_hashes("a b c d", {.shingle = 2, .words = true}).size() == 3);
    CHECK(shingle_hashes("").empty());
}

TEST_CASE("minhash: the share of equal numbers estimates the exact Jaccard similarity, as exactly as promised", "[near_duplicates]") {
    rng random(21);
    const near_duplicate_options options{.hashes = 256, .seed = 3};
    const minhash hasher(options);
    double squares = 0, sum = 0;
    const int trials = 300;
    for (int i = 0; i < trials; ++i) {
        const std::string a = random_text(random, 200);
        std::string b = a;
        for (std::uint64_t n = random.below(25); n > 0; --n) b[random.below(b.size())] = '#';
        b += random_text(random, random.below(60) + 1);
        const double j = exact(a, b, 5), estimate = minhash::similarity(hasher(a), hasher(b));
        CHECK(jaccard_similarity(shingle_hashes(a, options), shingle_hashes(b, options)) == j);
        const double z = (estimate - j) / std::sqrt(j * (1 - j) / 256);
        sum += z;
        squares += z * z;
    }
    CHECK(std::abs(sum / trials) < 4 / std::sqrt(trials));      // no bias: 4 standard deviations
    CHECK(std::abs(squares / trials - 1) < 4 * std::sqrt(2. / trials));  // the variance of a binomial
    CHECK(minhash::similarity(hasher("same text"), hasher("same text")) == 1);
}

TEST_CASE("near_duplicates: equal to all pairs by brute force, but for few near the threshold", "[near_duplicates]") {
    rng random(22);
    const strings texts = families(40, 6, random);
    for (const double threshold : {.5, .8}) {
        const auto pairs = near_duplicates(texts, {.threshold = threshold});
        std::set<std::pair<std::size_t, std::size_t>> found, copies;
        for (const auto& p : pairs) {
            REQUIRE(p.similarity == exact(texts[p.first], texts[p.second], 5));
            REQUIRE(p.similarity >= threshold);
            found.emplace(p.first, p.second);
        }
        CHECK(found.size() == pairs.size());
        std::size_t there = 0, missed = 0, missed_far = 0;
        for (std::size_t i = 0; i < texts.size(); ++i)
            for (std::size_t j = i + 1; j < texts.size(); ++j) {
                if (i / 6 != j / 6 && j % 7 != 0) continue;  // of strangers a sample
                const double similarity = exact(texts[i], texts[j], 5);
                if (similarity < threshold || texts[i] == texts[j]) continue;
                bool copy = false;
                for (std::size_t k = 0; k < j; ++k) copy = copy || texts[k] == texts[j] || (k < i && texts[k] == texts[i]);
                if (copy) continue;
                ++there;
                missed += !found.contains({i, j});
                missed_far += !found.contains({i, j}) && similarity > threshold + .1;
            }
        CHECK(there > 100);
        CHECK(static_cast<double>(missed) <= .05 * static_cast<double>(there));
        CHECK(missed_far == 0);
        CHECK(near_duplicates(texts, {.threshold = threshold}, {.threads = 3}) == pairs);
    }
}

TEST_CASE("near_duplicates: many copies stay linear, and what it refuses", "[near_duplicates][edge]") {
    strings copies(3'000, "the same advertisement again and again");
    const auto pairs = near_duplicates(copies, {.hashes = 16});
    CHECK(pairs.size() == copies.size() - 1);
    const auto first = first_of_duplicates(copies.size(), pairs);
    CHECK(std::count(first.begin(), first.end(), std::size_t{0}) == 3'000);
    CHECK(error_of([] { (void)near_duplicates(strings{"a", "b\xFF"}); }).where() == place{.row = 2, .byte = 2});
    for (const near_duplicate_options& bad : {near_duplicate_options{.shingle = 0}, {.shingle = 65}, {.threshold = 0}, {.threshold = 1.1}, {.hashes = 0},
                                              {.hashes = 5000}, {.recall = 0}, {.recall = 1}, {.threshold = std::nan("")}})
        CHECK(error_of([&] { (void)near_duplicates(strings{"a"}, bad); }).code() == errc::bad_parameter);
    CHECK(error_of([] { (void)first_of_duplicates(2, std::vector<duplicate_pair>{{0, 2, 1}}); }).code() == errc::bad_parameter);
    CHECK(error_of([] { (void)minhash::similarity(std::vector<std::uint32_t>{1}, std::vector<std::uint32_t>{}); }).code() == errc::shape_mismatch);
}

}  // namespace near_duplicates_test
