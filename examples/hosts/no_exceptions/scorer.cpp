// The one file that knows Caramel, compiled with exceptions. No exception leaves it: each becomes a status and a message.
#include "scorer.h"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include <caramel/data/csv.hpp>
#include <caramel/features/columns.hpp>
#include <caramel/features/encode.hpp>
#include <caramel/features/impute.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/linear/logistic.hpp>

namespace {

auto recipe(const std::vector<std::string>& names) {
    return caramel::columns(names) | caramel::impute{} | caramel::encode<float>{} | caramel::standardize<float>{} | caramel::logistic<float>{};
}

// Runs `work`, and says how it went.
template <class Work>
int guarded(char* message, std::size_t size, const Work& work) noexcept {
    const auto say = [&](const char* what) {
        if (size > 0) (void)std::snprintf(message, size, "%s", what);
    };
    try {
        say("");
        work();
        return scorer_ok;
    } catch (const caramel::error& e) {
        say(e.what());
        return static_cast<int>(e.code());
    } catch (const std::bad_alloc&) {
        say("out of memory");
        return scorer_no_memory;
    } catch (const std::exception& e) {
        say(e.what());
        return scorer_failed;
    } catch (...) {
        say("unknown failure");
        return scorer_failed;
    }
}

}  // namespace

struct scorer {
    caramel::fitted_t<decltype(recipe({})), caramel::table, std::vector<int>> model;
};

int scorer_train(const char* csv, const char* target, const char* positive, scorer** made, char* message, size_t size) {
    *made = nullptr;
    return guarded(message, size, [&] {
        const caramel::table rows = caramel::read_csv(csv);
        std::vector<std::string> names;
        for (const auto& name : rows.names())
            if (name != target && rows.column(name).type() != caramel::column_type::timestamp) names.push_back(name);
        *made = new scorer{fit(recipe(names), rows, caramel::labels_of(rows, target, positive))};
    });
}

int scorer_score(const scorer* with, const char* csv, float* out, size_t most, size_t* rows, char* message, size_t size) {
    *rows = 0;
    return guarded(message, size, [&] {
        const caramel::matrix<float> p = with->model(caramel::read_csv(csv));
        *rows = static_cast<size_t>(p.rows());
        for (size_t i = 0; i < std::min(most, *rows); ++i) out[i] = p(static_cast<caramel::row_index>(i), 1);
    });
}

void scorer_free(scorer* with) { delete with; }
