#include <chrono>
#include <cmath>
#include <filesystem>
#include <limits>
#include <vector>

#include "recommend/shop.hpp"
#include "support/catch.hpp"

#include <caramel/io/model_file.hpp>
#include <caramel/recommend/popularity.hpp>
#include <caramel/recommend/trending.hpp>

using namespace caramel;
using namespace std::chrono_literals;

namespace {

struct dated_sale {
    int customer, item;
    std::chrono::sys_seconds time;
};
constexpr std::chrono::sys_seconds today{24h * 1000};

// A score below 0 for item 0, above for the others: what a trend does with either.
struct given_model : detail::recommender<given_model, double> {
    [[maybe_unused]] static constexpr std::string_view kind = "given";
    explicit given_model(interactions<double> x) : detail::recommender<given_model, double>(std::move(x)) {}
    void score_known(std::size_t, std::span<double> out, workspace&) const {
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<double>(i) - 0.5;
    }
    void score_history(std::span<const std::int32_t>, std::span<const double>, std::span<double> out, workspace& scratch) const { score_known(0, out, scratch); }
};

}  // namespace

TEST_CASE("trending: by hand", "[trending]") {
    // Item 0: customers 0 and 1 today; item 1: three customers, a half-life, two and three ago; item 2: nobody of late.
    const auto x = interactions<double>::of(std::vector<dated_sale>{{0, 0, today}, {1, 0, today}, {0, 1, today - 48h}, {1, 1, today - 96h}, {2, 1, today - 144h},
                                                                    {2, 2, today - 48h * 40}});
    const auto model = fit(trending<double>(popularity<double>{}, {.half_life_days = 2, .exponent = 2, .smoothing = 1}), x);
    const double tiny = std::exp2(-40.0), mean = (2 + .875 + tiny) / 6;
    const double expected[] = {(2 + mean) / 3 / mean, (.875 + mean) / 4 / mean, (tiny + mean) / 2 / mean};
    const double customers[] = {2, 3, 1};
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(model.factors()[i] == Approx(expected[i] * expected[i]).epsilon(1e-12));
        CHECK(model.score(2, {row_number{i}})[0] == Approx(customers[i] * expected[i] * expected[i]).epsilon(1e-12));
    }
    CHECK(model.member().score(2, {row_number{1}})[0] == 3);
    CHECK(model(query{.customer = 2, .exclude_seen = false})[0].item == 0);  // item 1 has more customers, but they are gone
    CHECK(model(query{.history = {{{1, 1.0}}}})[0].item == 0);
    CHECK(fit(trending<double>(popularity<double>{}, {.exponent = 0}), x).factors() == std::vector<double>{1, 1, 1});
}

TEST_CASE("trending: a score below 0 stays below", "[trending]") {
    const auto x = interactions<double>::of(std::vector<dated_sale>{{0, 0, today}, {0, 1, today}, {0, 2, today}});
    const trending_model<double, given_model> model({0, 4, 1}, given_model(x));
    CHECK(model.score(0, {0, 1, 2}) == std::vector<double>{-0.5, 2, 1.5});
    CHECK(error_of([&] { (void)trending_model<double, given_model>({1, 1}, given_model(x)); }).code() == errc::bad_data);
    CHECK(error_of([&] { (void)trending_model<double, given_model>({1, -1, 1}, given_model(x)); }).code() == errc::bad_data);
}

TEST_CASE("trending: saved and loaded; what cannot be", "[trending][error]") {
    const auto x = interactions<float>::of(std::vector<dated_sale>{{0, 0, today}, {1, 0, today - 24h}, {1, 1, today - 48h}});
    const auto recipe = trending<float>(popularity<float>{});
    const auto model = fit(recipe, x);
    const auto file = std::filesystem::temp_directory_path() / "caramel_trending_test.model";
    save(model, file);
    const auto loaded = load<fitted_t<decltype(recipe), interactions<float>>>(file);
    CHECK(loaded(query{.customer = 0}) == model(query{.customer = 0}));
    CHECK(loaded.factors() == model.factors());
    std::filesystem::remove(file);

    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    for (const item_trend& bad : {item_trend{.half_life_days = 0}, item_trend{.half_life_days = nan}, item_trend{.exponent = -1}, item_trend{.exponent = nan},
                                  item_trend{.smoothing = 0}, item_trend{.smoothing = nan}})
        CHECK(error_of([&] { (void)fit(trending<float>(popularity<float>{}, bad), x); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)fit(recipe, x.without_times()); }).code() == errc::bad_data);
    CHECK(error_of([&] { (void)fit(recipe, interactions<float>()); }).code() == errc::empty_input);
    CHECK(error_of([&] { (void)fit(trending<float>(popularity<float>{}, {.exponent = 1e6}), x); }).code() == errc::number_out_of_range);
}
