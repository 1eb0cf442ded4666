#ifndef CARAMEL_TESTS_CONTRACT_CONTRACT_HPP
#define CARAMEL_TESTS_CONTRACT_CONTRACT_HPP

// The common contract: the same checks for every component. A component is described by a small adapter:
//
//   struct standardize_component {
//       static constexpr std::string_view name = "standardize<float>";
//       auto recipe() const;                                     // hyperparameters, small enough to fit in milliseconds
//       auto data(std::size_t rows, std::uint64_t seed) const;   // training data of so many examples
//       auto targets(std::size_t rows, std::uint64_t seed) const;  // where it learns from targets
//       auto queries(std::uint64_t seed) const;                  // what the model is called with; default: data(12, seed)
//       static constexpr bool random = false;                    // whether the seed matters
//       static constexpr std::array skipped{...};                // checks that cannot apply, each with its reason
//   };
//
// `check_component(standardize_component{})` runs all checks and writes a line of the table that the suite prints.
// Checks are numbered as in docs/contract.md.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <iostream>
#include <limits>
#include <map>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <caramel/core/matrix.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/core/random.hpp>
#include <caramel/data/histories.hpp>
#include <caramel/core/sparse.hpp>
#include <caramel/data/table.hpp>
#include <caramel/io/model_file.hpp>
#include <caramel/pipeline.hpp>

#include "contract/kept_files.hpp"
#include "support/catch.hpp"

#ifdef CARAMEL_TESTS_THREADS_ONLY
#pragma GCC diagnostic ignored "-Wunused-const-variable"  // what only the other checks read
#endif

namespace contract {

using namespace caramel;

struct skip {
    std::string_view check, reason;
};

// ---- values of every kind that flows between stages: bits, rows, permutations ---------------------------------------
template <class T>
struct more_bits;  // specialized beside the adapters for what is neither number, text nor container

template <class T>
void append_bits(std::string& out, const T& value) {
    if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
        out.append(reinterpret_cast<const char*>(&value), sizeof value);
    } else if constexpr (requires { value.template cast<double>(); value.rows(); value.cols(); }) {
        append_bits(out, value.rows());
        append_bits(out, value.cols());
        for (row_index i = 0; i < value.rows(); ++i)
            for (row_index j = 0; j < value.cols(); ++j) append_bits(out, value(i, j));
    } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
        const std::string_view text(value);
        append_bits(out, text.size());
        out += text;
    } else if constexpr (requires { more_bits<T>::append(out, value); }) {
        more_bits<T>::append(out, value);
    } else if constexpr (requires { value.values(); value.starts(); }) {
        append_bits(out, value.values());
        append_bits(out, value.starts());
    } else {
        for (const auto& part : value) append_bits(out, part);
        append_bits(out, std::size_t{7});
    }
}
template <class T>
std::string bits_of(const T& value) {
    std::string out;
    append_bits(out, value);
    return out;
}

template <class T>
matrix<T> rows_of(const matrix<T>& x, const std::vector<std::size_t>& which) {
    matrix<T> out(static_cast<row_index>(which.size()), x.cols());
    for (std::size_t i = 0; i < which.size(); ++i) out.row(static_cast<row_index>(i)) = x.row(static_cast<row_index>(which[i]));
    return out;
}
template <class T>
std::vector<T> rows_of(const std::vector<T>& x, const std::vector<std::size_t>& which) {
    std::vector<T> out;
    for (const std::size_t i : which) out.push_back(x[i]);
    return out;
}
inline token_ids rows_of(const token_ids& x, const std::vector<std::size_t>& which) {
    token_ids out;
    out.vocabulary_size = x.vocabulary_size;
    out.unknown = x.unknown;
    out.padding = x.padding;
    for (const std::size_t i : which) out.append_row(x[i]);
    return out;
}
template <class T>
sparse_matrix<T> rows_of(const sparse_matrix<T>& x, const std::vector<std::size_t>& which) {
    return x.take_rows(which);
}
inline table rows_of(const table& x, const std::vector<std::size_t>& which) { return x.take_rows(which); }
inline histories rows_of(const histories& x, const std::vector<std::size_t>& which) { return x.take_rows(which); }

template <class X>
std::size_t count(const X& x) {
    return detail::row_count(x);
}

// One row as a model takes it with a workspace.
template <class T>
std::span<const T> one(const matrix<T>& x, std::size_t i, workspace&) {
    return row_of<T>(x, static_cast<row_index>(i));
}
template <class T>
sparse_row<T> one(const sparse_matrix<T>& x, std::size_t i, workspace&) {
    return x[i];
}
inline std::string_view one(const std::vector<std::string>& x, std::size_t i, workspace&) { return x[i]; }
template <class T>
const T& one(const std::vector<T>& x, std::size_t i, workspace&) {
    return x[i];
}
inline std::span<const token_id> one(const token_ids& x, std::size_t i, workspace&) { return x[i]; }
inline history one(const histories& x, std::size_t i, workspace&) { return x[i]; }
inline table_row one(const table& x, std::size_t i, workspace& scratch) { return row_of(x, i, scratch); }

// The numbers of one answer, wherever they lie.
template <class Out>
std::string bits_of_row(const Out& out, std::size_t i) {
    if constexpr (requires { out.row(0).data(); }) {
        const auto row = out.row(static_cast<row_index>(i));
        std::string bits;
        for (row_index j = 0; j < row.size(); ++j) append_bits(bits, row(j));
        return bits;
    } else if constexpr (std::same_as<Out, table>) {
        workspace scratch;
        return bits_of(row_of(out, i, scratch));
    } else if constexpr (requires { out[i].begin(); }) {
        std::string bits;
        for (const auto& part : out[i]) append_bits(bits, part);
        return bits;
    } else {
        return bits_of(out[i]);
    }
}
template <class Row>
std::string bits_of_single(const Row& row) {
    if constexpr (requires { row.begin(); row.end(); }) {
        std::string bits;
        for (const auto& part : row) append_bits(bits, part);
        return bits;
    } else {
        return bits_of(row);
    }
}

// ---- the checks ------------------------------------------------------------------------------------------------------
inline std::map<std::string, std::map<std::string, char>>& results() {
    static std::map<std::string, std::map<std::string, char>> table;
    return table;
}

template <class Component>
class checker {
   public:
    explicit checker(const Component& component) : c_(component) {}

    void run() {
        with_threads();
        if constexpr (!threads_only) on_one_thread();
    }

   private:
#ifdef CARAMEL_TESTS_THREADS_ONLY  // for the thread sanitizer, under which the rest would only take time to compile
    static constexpr bool threads_only = true;
#else
    static constexpr bool threads_only = false;
#endif
    static constexpr std::size_t rows = 40, other_rows = 30;

    void with_threads() {
        check("C11", [&] {
            for (const std::size_t threads : {2U, 3U, 8U}) expect(bytes(fit_on(rows, 1, 5, threads)) == bytes(fit_on(rows, 1, 5, 1)));
        });
        check("C25", [&] { many_threads(); });
    }
    void on_one_thread() {
        check("C02", [&] { zero_rows(); });
        check("C03", [&] { one_row(); });
        check("C04", [&] { non_finite(); });
        check("C05", [&] { constant(); });
        check("C09", [&] { expect(bytes(fit_on(rows, 1, 5)) == bytes(fit_on(rows, 1, 5))); });
        check("C10", [&] {
            const auto recipe = c_.recipe();
            (void)fit_with(recipe, other_rows, 2, 5);
            expect(bytes(fit_with(recipe, rows, 1, 5)) == bytes(fit_on(rows, 1, 5)));
        });
        check("C12", [&] { expect((bytes(fit_on(rows, 1, 5)) != bytes(fit_on(rows, 1, 6))) == Component::random); });
        check("C13", [&] { input_unchanged(); });
        check("C14", [&] { calls_change_nothing(); });
        check("C15", [&] { batch_is_row_by_row(); });
        check("C16", [&] { permuted_rows(); });
        check("C17", [&] { zero_rows_at_call(); });
        check("C18", [&] { saved_and_loaded(); });
        check("C19", [&] { truncated(); });
        check("C20", [&] { flipped_bits(); });
        check("C37", [&] { other_widths(); });
        check("G14", [&] { expect_none(problem_of_golden_bits(Component::name, fit_on(rows, 1, 5))); });
        check("G25", [&] {
            expect_none(problem_of_kept_file(Component::name, fit_on(rows, 1, 5), [&](const auto& model) { return bits_of(model(queries(3))); }));
        });
    }


    template <class Check>
    void check(const char* id, const Check& work) {
        auto& cell = results()[std::string(Component::name)][id];
        if constexpr (requires { Component::skipped; }) {
            for (const skip& s : Component::skipped)
                if (s.check == id) {
                    cell = '-';
                    return;
                }
        }
        INFO(std::string(Component::name) << " " << id);
        cell = 'X';
        failed_ = false;
        try {
            work();
        } catch (const std::exception& e) {
            expect(false, e.what());
        }
        cell = failed_ ? 'X' : '+';
    }
    void expect(bool holds, const char* what = "") const {
        INFO(what);
        CHECK(holds);
        failed_ = failed_ || !holds;
    }

    void expect_none(const std::string& problem) const { expect(problem.empty(), problem.c_str()); }

    template <class R>
    auto fit_with(const R& recipe, std::size_t n, std::uint64_t data_seed, std::uint64_t seed, std::size_t threads = 1) const {
        const fit_options options{.seed = seed, .threads = threads};
        if constexpr (requires { c_.targets(n, data_seed); }) return fit(recipe, c_.data(n, data_seed), c_.targets(n, data_seed), options);
        else return fit(recipe, c_.data(n, data_seed), options);
    }
    auto fit_on(std::size_t n, std::uint64_t data_seed, std::uint64_t seed, std::size_t threads = 1) const {
        return fit_with(c_.recipe(), n, data_seed, seed, threads);
    }
    auto queries(std::uint64_t seed) const {
        if constexpr (requires { c_.queries(seed); }) return c_.queries(seed);
        else return c_.data(12, seed);
    }
    // For models of very little data, where an ordinary query would name what they have never seen.
    auto safe_queries() const {
        if constexpr (requires { c_.safe_queries(); }) return c_.safe_queries();
        else return queries(3);
    }
    template <class M>
    static std::string bytes(const M& model) {
        std::ostringstream out;
        save(model, out);
        return out.str();
    }

    void zero_rows() const {
        const error e = error_of([&] { (void)fit_on(0, 1, 5); });
        expect(name_of(e.code()) == "empty_input");
    }
    void one_row() const {
        try {
            const auto model = fit_on(1, 1, 5);
            check_finite(model(safe_queries()));
        } catch (const error& e) {
            const bool stated = e.code() == errc::too_few_rows || e.code() == errc::bad_data;
            INFO(e.what());
            expect(stated);
        }
    }
    template <class Out>
    void check_finite(const Out& out) const {
        if constexpr (requires { out.allFinite(); }) expect(out.allFinite());
        else if constexpr (requires { out[0][0].score; }) {
            for (std::size_t i = 0; i < out.size(); ++i)
                for (const auto& pick : out[i]) expect(std::isfinite(pick.score));
        }
    }
    // NaN and infinities at a known place: `poison(data, row, column, value)` beside the data, from the adapter.
    void non_finite() const {
        if constexpr (requires(decltype(c_.data(1, 1)) x) { poison(x, 6, 1, 0.0); }) non_finite_at_a_place();
        else expect(false, "no poison(): skip C04 with a reason");
    }
    void non_finite_at_a_place() const {
        const auto model = fit_on(rows, 1, 5);
        using L = std::numeric_limits<double>;
        for (const double bad : {L::quiet_NaN(), L::infinity(), -L::infinity()}) {
            auto data = c_.data(rows, 1);
            poison(data, 6, 1, bad);
            const error at_fit = error_of([&] {
                if constexpr (requires { c_.targets(rows, 1); }) (void)fit(c_.recipe(), data, c_.targets(rows, 1));
                else (void)fit(c_.recipe(), data);
            });
            expect_place(at_fit);
            if constexpr (requires { model(data); } && !requires { Component::nan_column; }) expect_place(error_of([&] { (void)model(data); }));
        }
    }
    void expect_place(const error& e) const {
        INFO(e.what());
        expect(name_of(e.code()) == "nan_or_inf");
        expect(e.where().row == 7);
        if constexpr (requires { Component::nan_column; }) expect(e.where().column == Component::nan_column);
        else expect(e.where().column == 2);
    }
    template <class T>
    static void poison(matrix<T>& x, std::size_t row, std::size_t column, double value) {
        x(static_cast<row_index>(row), static_cast<row_index>(column)) = static_cast<T>(value);
    }
    template <class X>
        requires(requires(const Component& c, X& x) { c.poison(x, 0, 0, 0.0); })
    void poison(X& x, std::size_t row, std::size_t column, double value) const {
        c_.poison(x, row, column, value);
    }
    auto constant_data() const {
        if constexpr (requires { c_.constant(); }) return c_.constant();
        else return rows_of(c_.data(rows, 1), std::vector<std::size_t>(rows, 0));
    }
    void constant() const {
        const auto data = constant_data();
        const auto model = [&] {
            if constexpr (requires { c_.targets(rows, 1); }) return fit(c_.recipe(), data, c_.targets(rows, 1));
            else return fit(c_.recipe(), data);
        }();
        check_finite(model(safe_queries()));
    }
    void input_unchanged() const {
        const auto data = c_.data(rows, 1);
        const std::string before = bits_of(data);
        const auto model = [&] {
            if constexpr (requires { c_.targets(rows, 1); }) return fit(c_.recipe(), data, c_.targets(rows, 1));
            else return fit(c_.recipe(), data);
        }();
        const auto asked = queries(3);
        const std::string asked_before = bits_of(asked);
        (void)model(asked);
        expect(bits_of(data) == before);
        expect(bits_of(asked) == asked_before);
    }
    void calls_change_nothing() const {
        const auto model = fit_on(rows, 1, 5);
        const std::string before = bytes(model);
        const auto asked = queries(3);
        const std::string first = bits_of(model(asked));
        expect(bits_of(model(asked)) == first);
        expect(bytes(model) == before);
    }
    void batch_is_row_by_row() const {
        const auto model = fit_on(rows, 1, 5);
        const auto asked = queries(3);
        const auto batch = model(asked);
        workspace scratch, place_of_row;
        for (std::size_t i = 0; i < count(asked); ++i) {
            expect(bits_of_row(model(rows_of(asked, {i})), 0) == bits_of_row(batch, i));
            expect(bits_of_single(model(one(asked, i, place_of_row), scratch)) == bits_of_row(batch, i));
        }
    }
    void permuted_rows() const {
        const auto model = fit_on(rows, 1, 5);
        const auto asked = queries(3);
        const auto order = rng(9).permutation(count(asked));
        const auto straight = model(asked);
        const auto permuted = model(rows_of(asked, order));
        for (std::size_t i = 0; i < order.size(); ++i) expect(bits_of_row(permuted, i) == bits_of_row(straight, order[i]));
    }
    void zero_rows_at_call() const {
        const auto model = fit_on(rows, 1, 5);
        expect(count(model(rows_of(queries(3), {}))) == 0);
    }
    void saved_and_loaded() const {
        const auto model = fit_on(rows, 1, 5);
        const std::string saved = bytes(model);
        const auto again = load_from<std::remove_const_t<decltype(model)>>(saved);
        expect(bytes(again) == saved);
        expect(bits_of(again(queries(3))) == bits_of(model(queries(3))));
    }
    template <class M>
    static M load_from(std::string_view saved) {
        return load<M>(std::as_bytes(std::span(saved)));
    }
    // A sample of places, so that large files stay quick: every one of the first and last kilobyte, then ever rarer.
    template <class M>
    void refuse(const std::string& damaged) const {
        try {
            (void)load_from<M>(damaged);
        } catch (const error&) {
            return;
        }
        expect(false, "a damaged file was accepted");
    }
    void truncated() const {
        const auto model = fit_on(rows, 1, 5);
        const std::string saved = bytes(model);
        const std::size_t step = std::max<std::size_t>(1, saved.size() / 1500);
        for (std::size_t n = 0; n < saved.size(); n += n < 400 ? 1 : step) refuse<std::remove_const_t<decltype(model)>>(saved.substr(0, n));
        refuse<std::remove_const_t<decltype(model)>>(saved.substr(0, saved.size() - 1));
    }
    void flipped_bits() const {
        const auto model = fit_on(rows, 1, 5);
        const std::string saved = bytes(model);
        const std::size_t step = std::max<std::size_t>(1, saved.size() / 400);
        for (std::size_t at = 0; at < saved.size(); at += at < 64 ? 1 : step)
            for (int bit = 0; bit < 8; ++bit) {
                std::string damaged = saved;
                damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
                refuse<std::remove_const_t<decltype(model)>>(damaged);
            }
    }
    void many_threads() const {
        const auto model = fit_on(rows, 1, 5);
        const auto asked = queries(3);
        const std::string expected = bits_of(model(asked));
        std::array<bool, 8> equal{};
        {
            std::vector<std::jthread> threads;
            for (bool& mine : equal)
                threads.emplace_back([&] {
                    bool all = true;
                    for (int i = 0; i < 5; ++i) all = all && bits_of(model(asked)) == expected;
                    mine = all;
                });
        }
        for (const bool mine : equal) expect(mine);
    }
    // 0, n-1, n+1 and 2n columns where n were learnt.
    void other_widths() const {
        const auto model = fit_on(rows, 1, 5);
        if constexpr (requires { c_.other_widths(); }) {
            for (const auto& wrong : c_.other_widths()) expect(name_of(error_of([&] { (void)model(wrong); }).code()) == c_.width_error());
        } else if constexpr (!requires { c_.data(1, 1).cols(); }) {
            expect(false, "neither columns nor other_widths(): skip C37 with a reason");
        } else {
            using Data = decltype(c_.data(1, 1));
            const Data x = c_.data(5, 3);
            const row_index n = x.cols();
            for (const row_index wrong : {row_index{0}, n - 1, n + 1, 2 * n}) {
                const Data other = Data::Zero(5, wrong);
                expect(name_of(error_of([&] { (void)model(other); }).code()) == "shape_mismatch");
                workspace scratch;
                expect(name_of(error_of([&] { (void)model(row_of(other, 0), scratch); }).code()) == "shape_mismatch");
            }
        }
    }

    const Component& c_;
    mutable bool failed_ = false;
};

// Components x checks: + holds, - cannot apply (the adapter says why), X failed.
inline std::string results_table() {
    std::string out;
    std::size_t failures = 0, checks = 0;
    for (const auto& [component, outcomes] : results()) {
        if (out.empty()) {
            out.append(44, ' ');
            for (const auto& [check, outcome] : outcomes) out += check + " ";
            out += '\n';
        }
        out += component + std::string(44 - std::min<std::size_t>(44, component.size()), ' ');
        for (const auto& [check, outcome] : outcomes) {
            out += std::string(" ") + outcome + "  ";
            failures += outcome == 'X';
            checks += outcome == '+';
        }
        out += '\n';
    }
    return out + "contract: " + std::to_string(results().size()) + " components, " + std::to_string(checks) + " checks passed, " + std::to_string(failures) +
           " failed\n";
}

template <class Component>
void check_component(const Component& component = {}) {
    checker<Component>(component).run();
}

}  // namespace contract

#endif
