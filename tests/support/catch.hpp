#ifndef CARAMEL_TESTS_SUPPORT_CATCH_HPP
#define CARAMEL_TESTS_SUPPORT_CATCH_HPP

// Catch2 version 2 (one header, as in Debian 12) or version 3.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>
#endif

#include <caramel/core/error.hpp>

// What templates are tested with: with both, or in a build that is one of several with one of them.
#ifdef CARAMEL_TESTS_ONE_SCALAR
#define CARAMEL_TEST_SCALARS CARAMEL_TESTS_ONE_SCALAR
#else
#define CARAMEL_TEST_SCALARS float, double
#endif

/// Runs `work`, which must throw `caramel::error`, and hands the error out for checking.
template <class Work>
caramel::error error_of(Work&& work) {
    try {
        work();
    } catch (const caramel::error& e) {
        return e;
    }
    FAIL("no caramel::error was thrown");
    return {caramel::errc::io, ""};
}

#endif
