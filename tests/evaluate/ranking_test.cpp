#include <cmath>
#include <cstdint>
#include <vector>

#include "support/catch.hpp"

#include <caramel/core/ragged.hpp>
#include <caramel/evaluate/ranking.hpp>

using namespace caramel;
namespace ranking_test {

using lists = std::vector<std::vector<int>>;

TEST_CASE("ranking: worked by hand", "[ranking]") {
    // Hits at ranks 2 and 4 of 5; 3 relevant items.
    const lists ranked{{9, 4, 8, 6, 7}}, relevant{{6, 4, 1}};
    CHECK(recall_at(5, ranked, relevant).mean() == Approx(2.0 / 3));
    CHECK(recall_at(2, ranked, relevant).mean() == Approx(1.0 / 3));
    CHECK(capped_recall_at(2, ranked, relevant).mean() == Approx(1.0 / 2));
    CHECK(capped_recall_at(5, ranked, relevant).mean() == Approx(2.0 / 3));
    CHECK(precision_at(4, ranked, relevant).mean() == Approx(2.0 / 4));
    CHECK(precision_at(10, ranked, relevant).mean() == Approx(2.0 / 10));
    CHECK(hit_rate_at(1, ranked, relevant).mean() == 0);
    CHECK(hit_rate_at(2, ranked, relevant).mean() == 1);
    CHECK(reciprocal_rank_at(5, ranked, relevant).mean() == Approx(1.0 / 2));
    CHECK(reciprocal_rank_at(1, ranked, relevant).mean() == 0);
    CHECK(average_precision_at(5, ranked, relevant).mean() == Approx((1.0 / 2 + 2.0 / 4) / 3));
    const double gain = 1 / std::log2(3.0) + 1 / std::log2(5.0);
    CHECK(ndcg_at(5, ranked, relevant).mean() == Approx(gain / (1 + 1 / std::log2(3.0) + 1 / std::log2(4.0))));
    CHECK(ndcg_at(2, ranked, relevant).mean() == Approx((1 / std::log2(3.0)) / (1 + 1 / std::log2(3.0))));
}

TEST_CASE("ranking: a single relevant item at rank r", "[ranking]") {
    const lists relevant{{0}};
    for (std::size_t r = 1; r <= 10; ++r) {
        lists ranked(1, std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
        ranked[0][r - 1] = 0;
        CHECK(ndcg_at(10, ranked, relevant).mean() == Approx(1 / std::log2(static_cast<double>(r) + 1)));
        CHECK(reciprocal_rank_at(10, ranked, relevant).mean() == Approx(1 / static_cast<double>(r)));
        CHECK(recall_at(5, ranked, relevant).mean() == (r <= 5 ? 1 : 0));
    }
}

TEST_CASE("ranking: the perfect list has 1 everywhere, the empty one 0", "[ranking]") {
    const lists relevant{{3, 1, 2}}, perfect{{1, 3, 2}}, none{{}};
    CHECK(recall_at(3, perfect, relevant).mean() == 1);
    CHECK(precision_at(3, perfect, relevant).mean() == 1);
    CHECK(ndcg_at(3, perfect, relevant).mean() == 1);
    CHECK(ndcg_at(20, perfect, relevant).mean() == 1);
    CHECK(average_precision_at(20, perfect, relevant).mean() == 1);
    CHECK(recall_at(3, none, relevant).mean() == 0);
    CHECK(precision_at(3, none, relevant).mean() == 0);
    CHECK(ndcg_at(3, none, relevant).mean() == 0);
}

TEST_CASE("ranking: the value of every list is kept", "[ranking]") {
    struct pick {
        std::int32_t item;
        float score;
    };
    const ragged<pick> ranked({{1, 3.F}, {2, 2.F}, {3, 3.F}, {4, 2.F}}, {0, 2, 4});
    const ragged<std::int32_t> relevant({2, 9, 3}, {0, 2, 3});
    const auto recall = recall_at(2, ranked, relevant);
    CHECK(recall.values == std::vector<double>{0.5, 1});
    CHECK(recall.mean() == 0.75);
}

TEST_CASE("ranking: what cannot be judged is refused", "[ranking][error]") {
    const lists one{{1, 2}};
    CHECK(error_of([&] { (void)recall_at(0, one, one); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)ndcg_at(3, one, lists{}); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { (void)ndcg_at(3, lists{}, lists{}); }).code() == errc::empty_input);
    const auto nothing = error_of([&] { (void)precision_at(3, lists{{1}, {1}}, lists{{1}, {}}); });
    CHECK(nothing.code() == errc::bad_data);
    CHECK(nothing.where().row == 2);
    CHECK(error_of([&] { (void)recall_at(3, lists{{1, 1}}, one); }).code() == errc::bad_data);
    CHECK(error_of([&] { (void)recall_at(3, one, lists{{1, 1}}); }).code() == errc::bad_data);
}

TEST_CASE("ranking: the area under the curve of a complete ranking", "[ranking]") {
    // Relevant 4 and 6 at ranks 2 and 4 of 5; others 9, 8, 7: 4 is ahead of two of them, 6 of one.
    CHECK(full_ranking_auc(lists{{9, 4, 8, 6, 7}}, lists{{6, 4}}).mean() == Approx((2.0 + 1.0) / (3 * 2)));
    // One that is not listed is behind all.
    CHECK(full_ranking_auc(lists{{9, 4, 8, 6, 7}}, lists{{6, 4, 1}}).mean() == Approx((2.0 + 1.0) / (3 * 3)));
    CHECK(full_ranking_auc(lists{{1, 2, 3}, {3, 2, 1}, {1}}, lists{{1}, {1}, {1}}).values == std::vector<double>{1, 0, 1});
    // As many pairs as there are, one by one.
    const lists ranked{{5, 3, 8, 1, 0, 7, 2}}, relevant{{8, 5, 7}};
    double right = 0;
    for (std::size_t a = 0; a < 7; ++a)
        for (std::size_t b = a + 1; b < 7; ++b) {
            const auto wanted = [&](int item) { return item == 8 || item == 5 || item == 7; };
            right += wanted(ranked[0][a]) && !wanted(ranked[0][b]) ? 1 : 0;
        }
    CHECK(full_ranking_auc(ranked, relevant).mean() == Approx(right / 12));
    CHECK(error_of([&] { (void)full_ranking_auc(ranked, lists{{}}); }).code() == errc::bad_data);
}

}  // namespace ranking_test
