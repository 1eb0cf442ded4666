#include <caramel/evaluate/distributions.hpp>

#include <cmath>

#if __has_include(<boost/math/distributions/students_t.hpp>)
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#endif

#include "support/catch.hpp"

using namespace caramel;

TEST_CASE("distributions: tables", "[distributions]") {
    CHECK(normal_cdf(0) == 0.5);
    CHECK(normal_cdf(1.96) == Approx(0.9750021048517795).epsilon(1e-14));
    CHECK(normal_quantile(0.975) == Approx(1.959963984540054).epsilon(1e-14));
    CHECK(normal_quantile(0.5) == Approx(0).margin(1e-15));
    CHECK(normal_quantile(1e-10) == Approx(-6.361340902404056).epsilon(1e-13));
    CHECK(student_t_quantile(0.975, 1) == Approx(12.706204736174698).epsilon(1e-11));  // of one degree: tan(.475 pi)
    CHECK(student_t_quantile(0.975, 4) == Approx(2.7764451051977987).epsilon(1e-12));
    CHECK(student_t_quantile(0.95, 10) == Approx(1.8124611228107335).epsilon(1e-12));
    CHECK(student_t_cdf(0, 3) == 0.5);
    CHECK(student_t_cdf(1, 1) == Approx(0.75).epsilon(1e-13));
    CHECK(student_t_cdf(-1e6, 2) == Approx(5e-13).epsilon(1e-6));
    CHECK(student_t_cdf(2, 1e9) == Approx(normal_cdf(2)).epsilon(1e-7));
    CHECK(detail::incomplete_beta(2, 3, 0.5) == Approx(0.6875).epsilon(1e-14));  // 11 / 16
    CHECK(detail::incomplete_beta(1, 1, 0.3) == Approx(0.3).epsilon(1e-14));
    for (const double bad : {0.0, 1.0, -1.0, std::nan("")}) {
        CHECK(error_of([&] { (void)normal_quantile(bad); }).code() == errc::bad_parameter);
        CHECK(error_of([&] { (void)student_t_quantile(bad, 3); }).code() == errc::bad_parameter);
    }
    CHECK(error_of([] { (void)student_t_cdf(1, 0); }).code() == errc::bad_parameter);
}
TEST_CASE("distributions: the inverse gives back what went in", "[distributions]") {
    for (const double p : {1e-12, 1e-5, .01, .2, .5, .77, .99, 1 - 1e-9}) {
        CHECK(normal_cdf(normal_quantile(p)) == Approx(p).epsilon(1e-12));
        for (const double degrees : {1.0, 2.5, 9.0, 300.0}) CHECK(student_t_cdf(student_t_quantile(p, degrees), degrees) == Approx(p).epsilon(1e-9));
    }
}
#if __has_include(<boost/math/distributions/students_t.hpp>)
TEST_CASE("distributions: beside another library", "[distributions][oracle]") {
    for (const double degrees : {1.0, 3.0, 4.0, 17.5, 120.0, 5000.0}) {
        const boost::math::students_t peer(degrees);
        for (const double t : {-30.0, -3.2, -1.0, -0.01, 0.4, 2.2, 8.0}) CHECK(student_t_cdf(t, degrees) == Approx(boost::math::cdf(peer, t)).epsilon(1e-10));
        for (const double p : {1e-6, .025, .4, .9, .999}) CHECK(student_t_quantile(p, degrees) == Approx(boost::math::quantile(peer, p)).epsilon(1e-9));
    }
    const boost::math::normal normal;
    for (const double p : {1e-200, 1e-15, .001, .3, .8, .9999}) CHECK(normal_quantile(p) == Approx(boost::math::quantile(normal, p)).epsilon(1e-12));
    for (const double a : {.5, 2.0, 30.0, 700.0})
        for (const double b : {.5, 1.0, 12.0, 900.0})
            for (const double x : {.01, .4, .5, .93})
                CHECK(detail::incomplete_beta(a, b, x) == Approx(boost::math::ibeta(a, b, x)).epsilon(1e-10).margin(1e-300));
}
#endif
