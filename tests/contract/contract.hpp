#ifndef CARAMEL_TESTS_CONTRACT_CONTRACT_HPP
#define CARAMEL_TESTS_CONTRACT_CONTRACT_HPP

// The common contract: the same checks for every component. A component is described by a small adapter:
//
//   struct standardize_component : deterministic {
//       static constexpr std::string_view name = "standardize<float>";
//       auto recipe() const;                                     // hyperparameters, small enough to fit in milliseconds
//       auto data(std::size_t rows, std::uint64_t seed) const;   // training data of so many examples
//       auto targets(std::size_t rows, std::uint64_t seed) const;  // where it learns from targets
//       auto queries(std::uint64_t seed) const;                  // what the model is called with; default: data(12, seed)
//       static constexpr bool random = false;                    // whether the seed matters
//       static constexpr bool reports = false;                   // whether its fit reports progress
//       static constexpr std::array skipped{...};                // checks that cannot apply, each with its reason
//   };
//
// `check_component(standardize_component{})` runs all checks and writes a line of the table that the suite prints.
//
// The checks are plain functions in checks.cpp and see a component through `subject` and its models through `fitted`, so
// that of each component only fit, call, save, load, copy and move are compiled, once. What they see of data and answers is
// worked out in data.cpp, once for each type.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/matrix.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/core/sparse.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/histories.hpp>
#include <caramel/data/table.hpp>
#include <caramel/io/model_file.hpp>
#include <caramel/pipeline.hpp>

#include "contract/hyperparameters.hpp"

namespace contract {

using namespace caramel;

struct skip {
    std::string_view check, reason;
};

// ---- data and answers of any type -----------------------------------------------------------------------------------
class any_data {
   public:
    any_data() = default;
    any_data(const any_data&) = delete;
    any_data& operator=(const any_data&) = delete;
    virtual ~any_data() = default;

    [[nodiscard]] virtual std::size_t count() const = 0;
    [[nodiscard]] virtual std::string bits() const = 0;
    [[nodiscard]] virtual std::unique_ptr<any_data> rows(const std::vector<std::size_t>& which) const = 0;
    // These are null where the type has nothing of the kind.
    [[nodiscard]] virtual std::unique_ptr<any_data> scaled(double factor) const = 0;       // all its numbers
    [[nodiscard]] virtual std::unique_ptr<any_data> of_width(std::size_t columns) const = 0;  // zeros
    [[nodiscard]] virtual std::unique_ptr<any_data> with_unknown() const = 0;              // an id, a level, a word that training did not see
    [[nodiscard]] virtual std::unique_ptr<any_data> with_huge_ids() const = 0;
    [[nodiscard]] virtual std::size_t columns() const = 0;                                 // 0 where it has none
    virtual bool poison(std::size_t row, std::size_t column, double value) = 0;            // false where it cannot
};
using data_ptr = std::unique_ptr<any_data>;

// How the numbers of a matrix lie in memory, when a model is called with it.
enum class layout { rows, columns, block, tensor };

template <class X>
class data_of final : public any_data {
   public:
    explicit data_of(X x) : value(std::move(x)) {}

    [[nodiscard]] std::size_t count() const override;
    [[nodiscard]] std::string bits() const override;
    [[nodiscard]] data_ptr rows(const std::vector<std::size_t>& which) const override;
    [[nodiscard]] data_ptr scaled(double factor) const override;
    [[nodiscard]] data_ptr of_width(std::size_t columns) const override;
    [[nodiscard]] data_ptr with_unknown() const override;
    [[nodiscard]] data_ptr with_huge_ids() const override;
    [[nodiscard]] std::size_t columns() const override;
    bool poison(std::size_t row, std::size_t column, double value) override;

    X value;
};
template <class X>
data_ptr make_data(X x) {
    return std::make_unique<data_of<X>>(std::move(x));
}
template <class X>
const X& value_of(const any_data& x) {
    return static_cast<const data_of<X>&>(x).value;
}
// A copy of the numbers in that layout, and the view of it that models take.
template <class T>
class laid_out {
   public:
    laid_out(const matrix<T>& x, layout how);
    [[nodiscard]] matrix_in<T> view() const;

   private:
    layout how_;
    matrix<T> rows_;
    Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor> columns_;
    row_index width_;
};

struct answers {
    std::vector<std::string> rows;             // the bits of each
    bool finite = true;
    std::vector<std::vector<double>> numbers;  // of each row, where answers are numbers; of a decision: action, propensity, value
    std::vector<std::vector<std::pair<std::int64_t, double>>> ranked;  // of each row, where answers are items with scores
    bool decisions = false;
    [[nodiscard]] std::string bits() const;
};
// Defined in data.cpp for the types of answers that there are.
template <class Out>
answers read_answers(const Out& out);
template <class Row>
void read_single(const Row& row, answers& into);

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

// ---- a component and its models, seen by the checks -------------------------------------------------------------------
class fitted {
   public:
    fitted() = default;
    fitted(const fitted&) = delete;
    fitted& operator=(const fitted&) = delete;
    virtual ~fitted() = default;

    [[nodiscard]] virtual answers call(const any_data& asked, layout how = layout::rows) const = 0;
    [[nodiscard]] virtual answers call_each(const any_data& asked) const = 0;  // row by row, with a workspace
    [[nodiscard]] virtual std::string bytes() const = 0;                       // saved
    [[nodiscard]] virtual std::unique_ptr<fitted> copy() const = 0;
    [[nodiscard]] virtual std::unique_ptr<fitted> moved() = 0;                 // leaves this one moved-from
    virtual void assign(const fitted& other) = 0;
    virtual void move_assign(fitted& other) = 0;
    virtual void swap_with(fitted& other) = 0;
};
using model_ptr = std::unique_ptr<fitted>;

// What a component says of itself.
struct about {
    std::string_view name;
    bool random = false, reports = false, saved = true, probabilities = false, matrices = false;
    bool nothrow_moves = false;
    std::size_t nan_column = 2;
    bool nan_refused_at_call = true;
    std::string_view width_error = "shape_mismatch";
    double largest_reward = 0;            // of a policy's data
    std::vector<std::string> stages;      // the kinds of a chain's stages, in order; empty where it is no chain
    std::span<const skip> skipped;
};

class subject {
   public:
    subject() = default;
    subject(const subject&) = delete;
    subject& operator=(const subject&) = delete;
    virtual ~subject() = default;

    [[nodiscard]] const about& facts() const { return facts_; }
    [[nodiscard]] virtual data_ptr data(std::size_t rows, std::uint64_t seed) const = 0;
    [[nodiscard]] virtual data_ptr targets(std::size_t rows, std::uint64_t seed) const = 0;  // null where it needs none
    [[nodiscard]] virtual data_ptr queries(std::uint64_t seed) const = 0;                    // null: as the data
    [[nodiscard]] virtual data_ptr safe_queries() const = 0;   // for models of very little data; null: queries(3)
    [[nodiscard]] virtual data_ptr constant() const = 0;       // null: the first row of the data, again and again
    [[nodiscard]] virtual data_ptr duplicated(std::size_t rows, std::uint64_t seed) const = 0;  // null: each row twice
    [[nodiscard]] virtual std::vector<data_ptr> other_widths() const = 0;
    // With the same recipe each time; with `change` a recipe of its own, in which that sets a hyperparameter.
    [[nodiscard]] virtual model_ptr fit(const any_data& x, const any_data* y, const fit_options& options, field_visitor* change = nullptr) const = 0;
    [[nodiscard]] virtual model_ptr load(std::string_view saved) const = 0;

   protected:
    about facts_;
};

// Runs all checks that apply. In checks.cpp.
void check(const subject& component);

// ---- from an adapter to a subject ------------------------------------------------------------------------------------
template <class M, class Query, bool Saved>
class fitted_of final : public fitted {
   public:
    explicit fitted_of(M model) : model_(std::move(model)) {}

    [[nodiscard]] answers call(const any_data& asked, layout how) const override {
        if constexpr (requires { typename Query::Scalar; }) {
            const laid_out<typename Query::Scalar> x(value_of<Query>(asked), how);
            return read_answers(model_(x.view()));
        } else {
            return read_answers(model_(value_of<Query>(asked)));
        }
    }
    [[nodiscard]] answers call_each(const any_data& asked) const override {
        answers out;
        workspace scratch, place_of_row;
        const Query& x = value_of<Query>(asked);
        for (std::size_t i = 0, n = asked.count(); i < n; ++i)
            if constexpr (requires { model_(one(x, i, place_of_row), scratch); }) read_single(model_(one(x, i, place_of_row), scratch), out);
            else out.rows.push_back(call(*asked.rows({i}), layout::rows).rows.at(0));
        return out;
    }
    [[nodiscard]] std::string bytes() const override {
        if constexpr (Saved) {
            const auto file = to_bytes(model_);
            return {reinterpret_cast<const char*>(file.data()), file.size()};
        }
        return {};
    }
    [[nodiscard]] model_ptr copy() const override { return std::make_unique<fitted_of>(model_); }
    [[nodiscard]] model_ptr moved() override { return std::make_unique<fitted_of>(std::move(model_)); }
    void assign(const fitted& other) override { model_ = static_cast<const fitted_of&>(other).model_; }
    void move_assign(fitted& other) override { model_ = std::move(static_cast<fitted_of&>(other).model_); }
    void swap_with(fitted& other) override { std::swap(model_, static_cast<fitted_of&>(other).model_); }

   private:
    M model_;
};

template <class C>
class subject_of final : public subject {
    using recipe_t = decltype(std::declval<const C&>().recipe());
    using data_t = decltype(std::declval<const C&>().data(1, 1));
    static constexpr bool with_targets = requires(const C& c) { c.targets(1, 1); };
    static constexpr bool with_queries = requires(const C& c) { c.queries(1); };
    static constexpr bool saved = !requires { C::not_saved; };

    static auto query_type() {
        if constexpr (with_queries) return std::type_identity<decltype(std::declval<const C&>().queries(1))>{};
        else return std::type_identity<data_t>{};
    }
    using query_t = typename decltype(query_type())::type;
    // Recipes that take matrices in one way alone, which is any layout; the others take what they are given.
    static constexpr bool any_layout = requires { typename data_t::Scalar; } && requires { &recipe_t::fit; };
    static decltype(auto) given(const any_data& x) {
        if constexpr (any_layout) return matrix_in<typename data_t::Scalar>(value_of<data_t>(x));
        else return value_of<data_t>(x);
    }
    static auto learn(const recipe_t& recipe, const any_data& x, const any_data* y, const fit_options& options) {
        if constexpr (with_targets) {
            using target_t = decltype(std::declval<const C&>().targets(1, 1));
            return caramel::fit(recipe, given(x), value_of<target_t>(*y), options);
        } else {
            return caramel::fit(recipe, given(x), options);
        }
    }
    using model_t = decltype(learn(std::declval<const recipe_t&>(), std::declval<const any_data&>(), nullptr, fit_options{}));
    using fitted_t = fitted_of<model_t, query_t, saved>;

    template <class... S>
    static void add_stages(std::vector<std::string>& out, std::type_identity<pipeline<S...>>) {
        (out.emplace_back(caramel::detail::kind_of<S>()), ...);
    }
    template <class M>
    static void add_stages(std::vector<std::string>&, std::type_identity<M>) {}

   public:
    explicit subject_of(C component) : c_(std::move(component)), recipe_(c_.recipe()) {
        facts_.name = C::name;
        facts_.random = C::random;
        facts_.saved = saved;
        facts_.matrices = requires { typename query_t::Scalar; };
        facts_.nothrow_moves = std::is_nothrow_move_constructible_v<model_t> && std::is_nothrow_move_assignable_v<model_t> &&
                               std::is_nothrow_swappable_v<model_t> && std::is_nothrow_destructible_v<model_t>;
        facts_.nan_refused_at_call = std::same_as<query_t, data_t> && !requires { C::nan_column; };
        if constexpr (requires { C::reports; }) facts_.reports = C::reports;
        if constexpr (requires { C::probabilities; }) facts_.probabilities = C::probabilities;
        if constexpr (requires { C::nan_column; }) facts_.nan_column = C::nan_column;
        if constexpr (requires { C::width_error; }) facts_.width_error = C::width_error;
        if constexpr (requires { C::skipped; }) facts_.skipped = C::skipped;
        if constexpr (saved) add_stages(facts_.stages, std::type_identity<model_t>{});
    }

    [[nodiscard]] data_ptr data(std::size_t rows, std::uint64_t seed) const override { return make_data(c_.data(rows, seed)); }
    [[nodiscard]] data_ptr targets(std::size_t rows, std::uint64_t seed) const override {
        if constexpr (with_targets) return make_data(c_.targets(rows, seed));
        return nullptr;
    }
    [[nodiscard]] data_ptr queries(std::uint64_t seed) const override {
        if constexpr (with_queries) return make_data(c_.queries(seed));
        return nullptr;
    }
    [[nodiscard]] data_ptr safe_queries() const override {
        if constexpr (requires { c_.safe_queries(); }) return make_data(c_.safe_queries());
        return nullptr;
    }
    [[nodiscard]] data_ptr constant() const override {
        if constexpr (requires { c_.constant(); }) return make_data(c_.constant());
        return nullptr;
    }
    [[nodiscard]] data_ptr duplicated(std::size_t rows, std::uint64_t seed) const override {
        if constexpr (requires { c_.duplicated(rows, seed); }) return make_data(c_.duplicated(rows, seed));
        return nullptr;
    }
    [[nodiscard]] std::vector<data_ptr> other_widths() const override {
        std::vector<data_ptr> out;
        if constexpr (requires { c_.other_widths(); })
            for (auto& x : c_.other_widths()) out.push_back(make_data(std::move(x)));
        return out;
    }
    [[nodiscard]] model_ptr fit(const any_data& x, const any_data* y, const fit_options& options, field_visitor* change) const override {
        if (change == nullptr) return std::make_unique<fitted_t>(learn(recipe_, x, y, options));
        recipe_t recipe = c_.recipe();
        visit_fields(recipe, *change);
        if (change->only_looks) return nullptr;
        return std::make_unique<fitted_t>(learn(recipe, x, y, options));
    }
    [[nodiscard]] model_ptr load(std::string_view file) const override {
        if constexpr (saved) return std::make_unique<fitted_t>(caramel::load<model_t>(std::as_bytes(std::span(file))));
        return nullptr;
    }

   private:
    C c_;
    recipe_t recipe_;
};

template <class C>
void check_component(C component = {}) {
    check(subject_of<C>(std::move(component)));
}

// What adapters begin with.
struct deterministic {
    static constexpr bool random = false;
};

}  // namespace contract

#endif
