// The checks of the common contract, as plain functions over any component: docs/contract.md lists them.
#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cfenv>
#include <clocale>
#include <cmath>
#include <csignal>
#include <cxxabi.h>
#include <filesystem>
#include <fstream>
#include <limits>
#include <locale>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <sys/resource.h>
#if defined(__SSE2__)
#include <pmmintrin.h>
#endif

#include <caramel/core/random.hpp>
#include <caramel/policy/transition.hpp>

#include "contract/data.hpp"
#include "contract/kept_files.hpp"
#include "contract/results.hpp"
#include "support/catch.hpp"
#include "support/faults.hpp"

#ifdef CARAMEL_TESTS_THREADS_ONLY
#pragma GCC diagnostic ignored "-Wunused-function"  // what only the other checks call
#endif

namespace contract {

// ---- hyperparameters -------------------------------------------------------------------------------------------------
namespace {

template <class T>
bool set_number(T& x, extreme what, double given) {
    using L = std::numeric_limits<T>;
    switch (what) {
        case extreme::zero: x = 0; return true;
        case extreme::largest:  // of counts it would be a matter of time alone, which nobody promises
            if (L::is_integer && !L::is_signed) return false;
            x = L::max();
            return true;
        case extreme::minus_one:
            if (!L::is_signed) return false;
            x = static_cast<T>(-1);
            return true;
        case extreme::not_a_number:
            if (!L::has_quiet_NaN) return false;
            x = L::quiet_NaN();
            return true;
        case extreme::infinite:
            if (!L::has_infinity) return false;
            x = L::infinity();
            return true;
        case extreme::given: x = static_cast<T>(given); return true;
    }
    return false;
}
template <class T>
void visit_leaf(field_visitor& v, const field_visitor::field& at, T& x) {
    if (v.next_is_wanted()) v.applied = set_number(x, v.what, v.given);
    v.fields.push_back(at);
}

}  // namespace

void field_visitor::leaf(const field& at, double& x) { visit_leaf(*this, at, x); }
void field_visitor::leaf(const field& at, float& x) { visit_leaf(*this, at, x); }
void field_visitor::leaf(const field& at, std::size_t& x) { visit_leaf(*this, at, x); }
void field_visitor::leaf(const field& at, std::int64_t& x) { visit_leaf(*this, at, x); }
void field_visitor::leaf(const field& at, std::int32_t& x) { visit_leaf(*this, at, x); }
void field_visitor::leaf(const field& at, std::uint32_t& x) { visit_leaf(*this, at, x); }
void field_visitor::leaf(const field& at, unsigned char& choice) {
    if (next_is_wanted()) {
        applied = what == extreme::largest;  // a value that the enumeration does not have
        if (applied) choice = 255;
    }
    fields.push_back(at);
}

namespace {

// The names of an aggregate's fields, in order, as its header has them: C++20 does not tell them otherwise.
std::string without_comments(std::string line) {
    if (const auto at = line.find("//"); at != std::string::npos) line.resize(at);
    while (!line.empty() && line.back() == ' ') line.pop_back();
    return line;
}
bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// `double from = 1, to = .4;` -> "from", "to"; nothing where the line declares something else.
std::vector<std::string> declared_fields(const std::string& line) {
    std::vector<std::string> out;
    if (line.empty() || line.back() != ';') return out;
    for (const std::string_view other : {"using ", "static ", "friend ", "return ", "["})
        if (line.starts_with(other)) return out;
    int depth = 0;
    bool named = false;  // whether the name of this declarator is known
    std::string word;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (depth == 0 && !named) {
            if (is_word(c)) {
                word += c;
                continue;
            }
            if (c == '(') return {};
            if (c == '=' || c == '{' || c == ',' || c == ';') {
                out.push_back(word);
                named = true;
            } else if (c == ' ') {
                if (const auto next = line.find_first_not_of(' ', i); is_word(line[next])) word.clear();
            } else {
                word.clear();
            }
        }
        if (c == '<' || c == '{' || c == '(') ++depth;
        if (c == '>' || c == '}' || c == ')') --depth;
        if (depth == 0 && c == ',') {
            named = false;
            word.clear();
        }
    }
    return out;
}
using names_by_type = std::map<std::string, std::vector<std::string>>;
void read_header(const std::filesystem::path& path, names_by_type& out) {
    std::ifstream in(path);
    std::string type;
    int depth = 0;
    for (std::string raw; std::getline(in, raw);) {
        std::string line = without_comments(raw);
        const auto text = line.find_first_not_of(' ');
        line.erase(0, text == std::string::npos ? line.size() : text);
        if (type.empty()) {
            if (raw.starts_with("struct ") && line.ends_with('{')) {
                type = line.substr(7, line.find_first_of(" {", 7) - 7);
                depth = 1;
                out[type].clear();
            }
            continue;
        }
        if (depth == 1)
            for (auto& name : declared_fields(line)) out[type].push_back(std::move(name));
        for (const char c : line) depth += c == '{' ? 1 : c == '}' ? -1 : 0;
        if (depth <= 0) type.clear();
    }
}
const names_by_type& field_names_of_headers() {
    static const names_by_type all = [] {
        names_by_type out;
        for (const auto& file : std::filesystem::recursive_directory_iterator(std::filesystem::path(CARAMEL_TESTS_DIR).parent_path() / "include"))
            if (file.path().extension() == ".hpp") read_header(file.path(), out);
        return out;
    }();
    return all;
}
// "caramel::v0_1_16::logistic<double>" -> "logistic"
std::string plain_name(const std::type_info& type) {
    const std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(type.name(), nullptr, nullptr, nullptr), &std::free);
    std::string name = text == nullptr ? type.name() : text.get();
    name.resize(std::min(name.size(), name.find('<')));
    return name.substr(name.rfind(':') == std::string::npos ? 0 : name.rfind(':') + 1);
}
std::string name_of_field(const field_visitor::field& field) {
    const std::string type = plain_name(*field.owner);
    const auto found = field_names_of_headers().find(type);
    if (found == field_names_of_headers().end()) return "";
    return found->second.size() == field.of ? found->second[field.number] : "";
}

// ---- what checks are written with ------------------------------------------------------------------------------------
struct does_not_apply {
    std::string_view reason;
};

constexpr std::size_t n_rows = 40, other_rows = 30;

class run {
   public:
    explicit run(const subject& component) : c(component), about_(component.facts()) {}

    [[nodiscard]] const about& facts() const { return about_; }
    void expect(bool holds, std::string_view what = "") {
        if (!holds && failures_++ < 5) {
            INFO(what);
            CHECK(holds);
        }
        failed = failed || !holds;
    }
    [[noreturn]] static void skip_because(std::string_view reason) { throw does_not_apply{reason}; }

    [[nodiscard]] data_ptr data(std::size_t rows = n_rows, std::uint64_t seed = 1) const { return c.data(rows, seed); }
    [[nodiscard]] data_ptr targets(std::size_t rows = n_rows, std::uint64_t seed = 1) const { return c.targets(rows, seed); }
    [[nodiscard]] data_ptr queries(std::uint64_t seed = 3) const {
        auto own = c.queries(seed);
        return own ? std::move(own) : c.data(12, seed);
    }
    [[nodiscard]] data_ptr safe_queries() const {
        auto own = c.safe_queries();
        return own ? std::move(own) : queries();
    }
    [[nodiscard]] model_ptr fit(std::size_t rows = n_rows, std::uint64_t data_seed = 1, std::uint64_t seed = 5, std::size_t threads = 1) const {
        const auto x = data(rows, data_seed), y = targets(rows, data_seed);
        return c.fit(*x, y.get(), {.seed = seed, .threads = threads});
    }
    [[nodiscard]] model_ptr fit(const any_data& x) const {
        const auto y = targets();
        return c.fit(x, y.get(), {});
    }
    [[nodiscard]] model_ptr fit_changed(field_visitor& change, const fit_options& options = {}) const {
        const auto x = data(), y = targets();
        change.only_looks = false;
        change.fields.clear();
        change.applied = false;
        return c.fit(*x, y.get(), options, &change);
    }
    [[nodiscard]] std::vector<field_visitor::field> hyperparameters() const {
        field_visitor look;
        const auto x = data(), y = targets();
        (void)c.fit(*x, y.get(), {}, &look);
        return look.fields;
    }
    // The error of a call that must throw one.
    template <class Work>
    error error_from(const Work& work, std::string_view what) {
        try {
            work();
        } catch (const error& e) {
            return e;
        }
        expect(false, what);
        return {errc::io, ""};
    }
    void expect_finite(const fitted& model, std::string_view what = "an answer is not finite") { expect(model.call(*safe_queries()).finite, what); }
    // `work` gives a model with finite answers, or one of these errors.
    template <class Work>
    void finite_or(const Work& work, std::initializer_list<errc> allowed, std::string_view what) {
        try {
            const model_ptr model = work();
            expect_finite(*model, what);
        } catch (const error& e) {
            expect(std::find(allowed.begin(), allowed.end(), e.code()) != allowed.end(), std::string(what) + ": " + e.what());
        }
    }

    const subject& c;
    bool failed = false;

   private:
    const about& about_;
    std::size_t failures_ = 0;
};

// ---- fitting -----------------------------------------------------------------------------------------------------------
void zero_rows(run& r) {
    const error e = r.error_from([&] { (void)r.fit(0); }, "no error");
    r.expect(e.code() == errc::empty_input, e.what());
}
void one_row(run& r) { r.finite_or([&] { return r.fit(1); }, {errc::too_few_rows, errc::bad_data}, "of one row"); }

// NaN and infinities at a known place.
void non_finite(run& r) {
    using L = std::numeric_limits<double>;
    const auto model = r.fit();
    const auto at_place = [&](const error& e) {
        r.expect(e.code() == errc::nan_or_inf && e.where().row == 7 && e.where().column == r.facts().nan_column, e.what());
    };
    for (const double bad : {L::quiet_NaN(), L::infinity(), -L::infinity()}) {
        const auto x = r.data();
        if (!x->poison(6, 1, bad)) r.expect(false, "these data cannot be poisoned: skip C04 with a reason");
        at_place(r.error_from([&] { (void)r.fit(*x); }, "accepted by fit"));
        if (r.facts().nan_refused_at_call) at_place(r.error_from([&] { (void)model->call(*x); }, "accepted by a call"));
    }
}
void constant(run& r) {
    auto x = r.c.constant();
    if (!x) x = r.data()->rows(std::vector<std::size_t>(n_rows, 0));
    r.expect_finite(*r.fit(*x));
}
// Every row twice; of interactions, every pair twice, which are summed: the same model as of the sums.
void duplicates_of_rows(run& r) {
    if (const auto given_twice = r.c.duplicated(n_rows, 1)) {
        r.expect(r.fit(*given_twice)->bytes() == r.fit(*r.data())->bytes(), "pairs given in two parts: another model than of their sums");
        return;
    }
    std::vector<std::size_t> twice(2 * n_rows);
    for (std::size_t i = 0; i < twice.size(); ++i) twice[i] = i / 2;
    const auto x = r.data()->rows(twice), y = r.targets();
    if (!x) run::skip_because("interactions made without values: a pair is there or not");
    const auto y_twice = y ? y->rows(twice) : nullptr;
    r.expect_finite(*r.c.fit(*x, y_twice.get(), {}));
}
// Ids far from 0 at fit and at call: right answers or a refusal, and no memory that is sized by an id.
long peak_kilobytes() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    return used.ru_maxrss;
}
void huge_ids(run& r) {
    const auto model = r.fit();
    const auto x = r.data()->with_huge_ids(), asked = r.queries()->with_huge_ids();
    if (!x && !asked) run::skip_because("its data have no ids that number anything");
    const long before = peak_kilobytes();
    const std::initializer_list<errc> refusals{errc::unknown_id, errc::limit_exceeded, errc::bad_data};
    if (x) r.finite_or([&] { return r.fit(*x); }, refusals, "huge ids in training");
    if (asked) {
        const error e = r.error_from([&] { (void)model->call(*asked); }, "a huge id was answered");
        r.expect(std::find(refusals.begin(), refusals.end(), e.code()) != refusals.end(), e.what());
    }
    r.expect(peak_kilobytes() - before < 64 * 1024, "more than 64 MiB for huge ids");
}
void fitted_twice(run& r) { r.expect(r.fit()->bytes() == r.fit()->bytes() && r.fit()->call(*r.queries()).bits() == r.fit()->call(*r.queries()).bits()); }
void fitted_on_others_between(run& r) {
    const auto first = r.fit();
    (void)r.fit(other_rows, 2);
    r.expect(r.fit()->bytes() == first->bytes(), "the recipe keeps something of other data");
    field_visitor none;
    none.wanted = std::numeric_limits<std::size_t>::max();
    const auto x = r.data(), y = r.targets();
    none.only_looks = false;
    r.expect(r.c.fit(*x, y.get(), {.seed = 5}, &none)->bytes() == first->bytes(), "a recipe made anew gives another model");
}
void any_number_of_threads(run& r) {
    const auto alone = r.fit();
    const std::string bytes = alone->bytes(), bits = alone->call(*r.queries()).bits();
    for (const std::size_t threads : {2U, 3U, 4U, 8U}) {
        const auto together = r.fit(n_rows, 1, 5, threads);
        r.expect(together->bytes() == bytes && together->call(*r.queries()).bits() == bits, "other bits with " + std::to_string(threads) + " threads");
    }
}
void another_seed(run& r) {
    const auto a = r.fit(), b = r.fit(n_rows, 1, 6);
    const bool same = r.facts().saved ? a->bytes() == b->bytes() : a->call(*r.queries()).bits() == b->call(*r.queries()).bits();
    r.expect(same != r.facts().random, r.facts().random ? "the seed changes nothing" : "the seed changes the model");
}
void input_unchanged(run& r) {
    const auto x = r.data(), y = r.targets(), asked = r.queries();
    const std::string x_before = x->bits(), y_before = y ? y->bits() : "", asked_before = asked->bits();
    (void)r.c.fit(*x, y.get(), {})->call(*asked);
    r.expect(x->bits() == x_before && asked->bits() == asked_before && (!y || y->bits() == y_before));
}
// An observer that says stop after the first, the second and the last report: what was learnt is kept.
void observer_stops(run& r) {
    const auto x = r.data(), y = r.targets();
    std::size_t reports = 0;
    const auto whole = r.c.fit(*x, y.get(), {.seed = 5, .on_progress = [&](const progress& p) {
                                                 ++reports;
                                                 r.expect(!p.stage.empty() && p.step >= 1 && std::isfinite(p.loss), "a report without stage, step or loss");
                                                 return verdict::go_on;
                                             }});
    r.expect(reports > 0 || !r.facts().reports, "no report came");
    r.expect(whole->bytes() == r.fit()->bytes(), "watching changes the model");
    if (reports == 0) run::skip_because("it reports no progress: there is nothing to stop");
    for (const std::size_t stop_at : {std::size_t{1}, std::size_t{2}, reports}) {
        std::size_t seen = 0;
        const auto watch = [&](const progress&) { return ++seen >= stop_at ? verdict::stop : verdict::go_on; };
        const auto model = r.c.fit(*x, y.get(), {.seed = 5, .on_progress = watch});
        r.expect(seen >= std::min(stop_at, reports), "it was not asked again");
        r.expect_finite(*model, "stopped early");
        if (r.facts().saved) (void)r.c.load(model->bytes());
    }
}
// Training and loading where memory runs out, at a sample of the allocations: an exception, the data as before, nothing left behind.
void failing_memory(run& r) {
    if (!faults::controls_allocations()) run::skip_because("allocations are not under control in this build");
    const auto x = r.data(), y = r.targets(), asked = r.queries();
    const auto result_of = [&](const model_ptr& model) {
        const faults::pause no_faults;
        return r.facts().saved ? model->bytes() : model->call(*asked).bits();
    };
    const auto training = faults::failing_allocations([&] { return result_of(r.c.fit(*x, y.get(), {.seed = 5})); }, [&] { return x->bits(); }, 24);
    r.expect(training.problem.empty(), training.problem);
    if (!r.facts().saved) return;
    const std::string saved = r.fit()->bytes();
    const auto loading = faults::failing_allocations([&] { return result_of(r.c.load(saved)); }, [&] { return saved; }, 24);
    r.expect(loading.problem.empty(), loading.problem);
}
void observer_throws(run& r) {
    struct enough {};
    const auto x = r.data(), y = r.targets();
    const std::string before = x->bits();
    for (const std::size_t at : {1U, 2U}) {
        std::size_t reports = 0;
        bool thrown = false, came_out = false;
        try {
            (void)r.c.fit(*x, y.get(), {.seed = 5, .threads = 3, .on_progress = [&](const progress&) -> verdict {
                                            if (++reports < at) return verdict::go_on;
                                            thrown = true;
                                            throw enough{};
                                        }});
        } catch (const enough&) {
            came_out = true;
        }
        if (reports == 0) run::skip_because("it reports no progress: there is nothing to throw from");
        r.expect(thrown == came_out, "what an observer throws does not come out");
    }
    r.expect(x->bits() == before, "the data have changed");
}
void without_threads(run& r) {
    if (!faults::controls_system()) run::skip_because("calls of the system are not under control in this build");
    const auto x = r.data(), y = r.targets(), asked = r.queries();
    const auto report = faults::failing_threads([&] {
        const auto model = r.c.fit(*x, y.get(), {.seed = 5, .threads = 4});
        const faults::pause no_faults;
        return r.facts().saved ? model->bytes() : model->call(*asked).bits();
    });
    r.expect(report.problem.empty(), report.problem);
}
// Training that leaves the finite numbers says so.
void learning_rate(run& r) {
    const auto fields = r.hyperparameters();
    bool any = false;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (name_of_field(fields[i]) != "learning_rate") continue;
        any = true;
        field_visitor change;
        change.wanted = i;
        change.what = extreme::given;
        change.given = 1e6;
        r.finite_or([&] { return r.fit_changed(change); }, {errc::diverged, errc::number_out_of_range, errc::bad_parameter}, "learning_rate 1e6");
    }
    if (!any) run::skip_because("it has no learning rate");
}
// Each hyperparameter at its extremes: refused by name, a model with finite answers, or an error that says what the data or
// the numbers do not allow.
void extreme_hyperparameters(run& r) {
    const auto fields = r.hyperparameters();
    if (fields.empty()) run::skip_because("it has no numbers for hyperparameters");
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const std::string name = name_of_field(fields[i]);
        r.expect(!name.empty(), "the fields of " + plain_name(*fields[i].owner) + " were not found in its header");
        for (const extreme what : {extreme::minus_one, extreme::zero, extreme::not_a_number, extreme::infinite, extreme::largest}) {
            field_visitor change;
            change.wanted = i;
            change.what = what;
            const std::string which = plain_name(*fields[i].owner) + "::" + name + " at extreme " + std::to_string(static_cast<int>(what));
            INFO(which);
            try {
                const auto model = r.fit_changed(change);
                if (change.applied) r.expect_finite(*model, which + ": an answer is not finite");
            } catch (const error& e) {
                const bool named = std::string_view(e.what()).find(name) != std::string_view::npos;
                const bool stated = e.code() == errc::diverged || e.code() == errc::number_out_of_range || e.code() == errc::limit_exceeded ||
                                    e.code() == errc::bad_data || e.code() == errc::too_few_rows || e.code() == errc::empty_input;
                const bool no_such_choice = std::string_view(e.what()).find(": no ") != std::string_view::npos || name == "order";
                r.expect(e.code() == errc::bad_parameter ? named || no_such_choice : stated || named, which + ": " + e.what());
            }
        }
    }
}
constexpr std::initializer_list<errc> beyond_numbers{errc::diverged, errc::number_out_of_range, errc::bad_data, errc::limit_exceeded};

void huge_values(run& r) {
    const auto x = r.data()->scaled(1e30), y = r.targets();
    if (!x) run::skip_because("its data have no values");
    const auto y_scaled = y ? y->scaled(1e30) : nullptr;
    r.finite_or([&] { return r.c.fit(*x, y.get(), {}); }, beyond_numbers, "values times 1e30");
    if (y_scaled) r.finite_or([&] { return r.c.fit(*x, y_scaled.get(), {}); }, beyond_numbers, "values and targets times 1e30");
    const auto asked = r.queries()->scaled(1e30);
    const auto model = r.fit();
    if (asked) r.finite_or([&] {
        r.expect(model->call(*asked).finite, "asked with values times 1e30");
        return model->copy();
    }, beyond_numbers, "asked with values times 1e30");
}
// Sets how the processor treats numbers near 0, and puts it back.
class flush_to_zero {
   public:
#if defined(__SSE2__)
    flush_to_zero() : before_(_mm_getcsr()) { _mm_setcsr(before_ | _MM_FLUSH_ZERO_ON | _MM_DENORMALS_ZERO_ON); }
    ~flush_to_zero() { _mm_setcsr(before_); }
    flush_to_zero(const flush_to_zero&) = delete;
    flush_to_zero& operator=(const flush_to_zero&) = delete;

   private:
    unsigned before_;
#endif
};
void subnormal_values(run& r) {
    for (const double tiny : {1e-40, 1e-310}) {
        const auto x = r.data()->scaled(tiny);
        if (!x) run::skip_because("its data have no values");
        r.finite_or([&] { return r.fit(*x); }, beyond_numbers, "subnormal values");
        [[maybe_unused]] const flush_to_zero mode;
        r.finite_or([&] { return r.fit(*x); }, beyond_numbers, "subnormal values, flushed to zero");
        r.finite_or([&] { return r.fit(); }, beyond_numbers, "ordinary values, subnormal ones flushed to zero");
    }
}
// Whatever belongs to the host's thread is as it was.
struct surroundings {
    int rounding = std::fegetround();
    std::string c_locale = std::setlocale(LC_ALL, nullptr);
    std::string cpp_locale = std::locale().name();
#if defined(__SSE2__)
    unsigned control = _mm_getcsr() & ~0x3FU;  // without the flags of what happened
#endif
    std::vector<bool> blocked_signals;
    surroundings() {
        sigset_t mask;
        pthread_sigmask(SIG_SETMASK, nullptr, &mask);
        for (int s = 1; s < 32; ++s) blocked_signals.push_back(sigismember(&mask, s) == 1);
    }
    bool operator==(const surroundings&) const = default;
};
void host_unchanged(run& r) {
    const auto x = r.data(), y = r.targets(), asked = r.queries();
    const int rounding = std::fegetround();
    const auto plain = r.c.fit(*x, y.get(), {.seed = 5});
    for (const int mode : {rounding, FE_UPWARD}) {
        std::fesetround(mode);
        const surroundings before;
        const auto model = r.c.fit(*x, y.get(), {.seed = 5, .threads = 2});
        (void)model->call(*asked);
        const std::string bytes = model->bytes();
        if (r.facts().saved) (void)r.c.load(bytes);
        const surroundings after;
        std::fesetround(rounding);
        r.expect(before == after, "the rounding mode, a locale or the signal mask is another");
        if (mode == rounding) r.expect(bytes == plain->bytes());
    }
}
void moves_do_not_throw(run& r) { r.expect(r.facts().nothrow_moves, "moving, swapping or destroying the model may throw"); }

// ---- calling -----------------------------------------------------------------------------------------------------------
// Ids of customers, states and tokens: an error that says so. Words, levels and items that training did not see: an answer, or an error.
void unknown_ids(run& r) {
    const auto model = r.fit();
    const auto asked = r.queries()->with_unknown();
    if (!asked) run::skip_because("its queries have no ids, levels or words");
    const bool by_id = dynamic_cast<const data_of<std::vector<query>>*>(asked.get()) != nullptr ||
                       dynamic_cast<const data_of<std::vector<decision<2>>>*>(asked.get()) != nullptr ||
                       dynamic_cast<const data_of<token_ids>*>(asked.get()) != nullptr;
    try {
        const answers out = model->call(*asked);
        r.expect(!by_id, "an unknown id was answered");
        r.expect(out.finite && out.rows.size() == asked->count(), "the answer to what training did not see");
    } catch (const error& e) {
        r.expect(e.code() == errc::unknown_id || (!by_id && e.code() == errc::bad_data), e.what());
        if (by_id) r.expect(e.where().row == asked->count() || e.where().row > 0, "the row of the unknown id is not said");
    }
    if (const auto* const queries = dynamic_cast<const data_of<std::vector<query>>*>(asked.get())) {
        auto popular = queries->value;
        popular[1].if_unknown = cold_start::popular;
        popular[1].deny = {std::int64_t{4000}};
        popular[0].deny = {std::int64_t{4000}};
        auto known = popular;
        known[0].deny.clear();
        known[1].deny.clear();
        const answers out = model->call(*make_data(popular));
        r.expect(out.finite && !out.ranked[1].empty(), "no popular items for an unknown customer");
        r.expect(out.bits() == model->call(*make_data(known)).bits(), "an unknown item in a list changes the answer");
    }
}
void calls_change_nothing(run& r) {
    const auto model = r.fit();
    const auto asked = r.queries();
    const std::string before = model->bytes(), first = model->call(*asked).bits();
    r.expect(model->call(*asked).bits() == first && model->bytes() == before);
}
void batch_is_row_by_row(run& r) {
    const auto model = r.fit();
    const auto asked = r.queries();
    const answers batch = model->call(*asked);
    for (std::size_t i = 0; i < batch.rows.size(); ++i) r.expect(model->call(*asked->rows({i})).rows.at(0) == batch.rows[i], "a batch of one");
    r.expect(model->call_each(*asked).rows == batch.rows, "single rows with a workspace");
}
void permuted_rows(run& r) {
    const auto model = r.fit();
    const auto asked = r.queries();
    const auto order = rng(9).permutation(asked->count());
    const answers straight = model->call(*asked), permuted = model->call(*asked->rows(order));
    for (std::size_t i = 0; i < order.size(); ++i) r.expect(permuted.rows[i] == straight.rows[order[i]]);
}
void zero_rows_at_call(run& r) { r.expect(r.fit()->call(*r.queries()->rows({})).rows.empty()); }

void many_threads(run& r) {
    const auto model = r.fit();
    const auto asked = r.queries();
    const std::string expected = model->call(*asked).bits();
    std::array<bool, 8> equal{};
    {
        std::vector<std::jthread> threads;
        for (bool& mine : equal)
            threads.emplace_back([&] {
                bool all = true;
                for (int i = 0; i < 5; ++i) all = all && model->call(*asked).bits() == expected;
                mine = all;
            });
    }
    for (const bool mine : equal) r.expect(mine);
}
// 0, n-1, n+1 and 2n columns where n were learnt.
void other_widths(run& r) {
    const auto model = r.fit();
    auto wrong = r.c.other_widths();
    if (wrong.empty()) {
        const auto x = r.queries();
        const std::size_t n = x->columns();
        for (const std::size_t columns : {std::size_t{0}, n - 1, n + 1, 2 * n})
            if (auto other = x->of_width(columns)) wrong.push_back(std::move(other));
    }
    r.expect(!wrong.empty(), "neither columns nor other_widths(): skip C37 with a reason");
    for (const auto& x : wrong) {
        const error batch = r.error_from([&] { (void)model->call(*x); }, "a batch of another width was answered");
        r.expect(name_of(batch.code()) == r.facts().width_error, batch.what());
        if (x->count() == 0) continue;
        const error row = r.error_from([&] { (void)model->call_each(*x); }, "a row of another width was answered");
        r.expect(name_of(row.code()) == r.facts().width_error, row.what());
    }
}
void layouts(run& r) {
    if (!r.facts().matrices) run::skip_because("its queries are no matrices");
    const auto model = r.fit();
    const auto asked = r.queries();
    const std::string expected = model->call(*asked).bits();
    for (const layout how : {layout::columns, layout::block, layout::tensor})
        r.expect(model->call(*asked, how).bits() == expected, "another layout, another answer");
}
// What a chain's later stages learn from is what the fitted stage answers, however often and in what company it is asked.
void transforms_alike(run& r) {
    if (r.c.queries(3)) run::skip_because("what it is asked with is not what it learns from: it transforms nothing");
    const auto x = r.data(), y = r.targets();
    const auto model = r.c.fit(*x, y.get(), {.seed = 5});
    const answers all = model->call(*x);
    std::vector<std::size_t> half;
    for (std::size_t i = 0; i < n_rows; i += 2) half.push_back(i);
    const answers some = model->call(*x->rows(half));
    for (std::size_t i = 0; i < half.size(); ++i) r.expect(some.rows[i] == all.rows[half[i]], "a training row is answered otherwise in a smaller batch");
    r.expect(r.c.fit(*x, y.get(), {.seed = 5})->call(*x).bits() == all.bits(), "fitted and called again: other bits");
    for (const auto& row : all.numbers) r.expect(row.size() == all.numbers[0].size() || !r.facts().matrices, "rows of different widths");
}

// ---- recommenders, classifiers, policies --------------------------------------------------------------------------------
// The rows of the items that a customer of training bought.
template <class T>
std::vector<std::int64_t> bought_by(const interactions<T>& log, std::int64_t customer) {
    const auto row = log.customers().find(any_id(customer));
    if (!row) return {};
    return {log[*row].items.begin(), log[*row].items.end()};
}
void recommends(run& r) {
    const auto probe = r.queries();
    const auto* const queries = dynamic_cast<const data_of<std::vector<query>>*>(probe.get());
    if (queries == nullptr) run::skip_because("it recommends nothing");
    const auto x = r.data(), y = r.targets();
    std::vector<std::int64_t> bought;
    std::size_t items = 0;
    const std::int64_t customer = 3;
    if (const auto* const log = dynamic_cast<const data_of<interactions<double>>*>(x.get())) {
        bought = bought_by(log->value, customer);
        items = log->value.items().size();
    } else if (const auto* const of_float = dynamic_cast<const data_of<interactions<float>>*>(x.get())) {
        bought = bought_by(of_float->value, customer);
        items = of_float->value.items().size();
    }
    r.expect(!bought.empty() && bought.size() < items, "the data do not suit the check");
    const auto model = r.c.fit(*x, y.get(), {.seed = 5});
    std::vector<query> asked(6, query{.customer = customer, .n = 1000});
    asked[1].exclude_seen = false;
    asked[2].n = 0;
    asked[3].n = 3;
    asked[4].allow = std::vector<any_id>{};
    asked[5].exclude_seen = false;
    asked[5].deny = {std::int64_t{1}, std::int64_t{2}};
    const answers out = model->call(*make_data(asked));
    for (const auto& list : out.ranked)
        for (std::size_t i = 0; i < list.size(); ++i) {
            r.expect(std::isfinite(list[i].second), "a score is not finite");
            r.expect(list[i].first >= 0 && std::cmp_less(list[i].first, items), "no such item");
            if (i > 0)
                r.expect(list[i - 1].second > list[i].second || (list[i - 1].second == list[i].second && list[i - 1].first < list[i].first),
                         "not by score, then by the smaller id; or an item twice");
        }
    r.expect(out.ranked[0].size() <= items - bought.size(), "more items than there are unseen ones");
    for (const auto& pick : out.ranked[0]) r.expect(std::find(bought.begin(), bought.end(), pick.first) == bought.end(), "an item that the customer has");
    r.expect(out.ranked[1].size() >= out.ranked[0].size() && out.ranked[1].size() <= items, "fewer items with the seen ones than without");
    r.expect(out.ranked[2].empty(), "items where none were asked for");
    r.expect(out.ranked[3].size() == std::min<std::size_t>(3, out.ranked[0].size()) &&
                 std::equal(out.ranked[3].begin(), out.ranked[3].end(), out.ranked[0].begin()),
             "the best 3 are not the first of all");
    r.expect(out.ranked[4].empty(), "items where none are allowed");
    r.expect(out.ranked[5].size() + 2 == out.ranked[1].size() || out.ranked[5].size() <= out.ranked[1].size(), "denied items");
}
void probabilities(run& r) {
    if (!r.facts().probabilities) run::skip_because("its answers are no probabilities of classes");
    const auto model = r.fit();
    const auto sums_to_one = [&](const answers& out) {
        for (const auto& row : out.numbers) {
            double sum = 0;
            for (const double p : row) {
                r.expect(p >= 0 && p <= 1, "a probability outside 0 .. 1");
                sum += p;
            }
            r.expect(std::abs(sum - 1) < 1e-6, "probabilities do not sum to 1");
        }
    };
    sums_to_one(model->call(*r.queries()));
    if (const auto large = r.queries()->scaled(1e4)) {
        if (r.facts().name.find("scaling") != std::string_view::npos || r.facts().name == "isotonic") return;  // of probabilities, which are at most 1
        sums_to_one(model->call(*large));
    }
}
void decides(run& r) {
    const auto probe = r.queries();
    const auto* const decisions = dynamic_cast<const data_of<std::vector<decision<2>>>*>(probe.get());
    if (decisions == nullptr) run::skip_because("it decides nothing");
    const auto model = r.fit();
    double largest = 0;
    const auto log = r.data();
    for (const auto& t : value_of<std::vector<transition<2>>>(*log)) largest = std::max(largest, std::abs(t.reward));
    const double discount = .95;  // the default of all
    auto asked = decisions->value;
    const answers free = model->call(*probe);
    for (const auto& row : free.numbers) {
        r.expect(row[0] == 0 || row[0] == 1, "an action that there is not");
        r.expect(row[1] > 0 && row[1] <= 1, "a propensity outside 0 .. 1");
        r.expect(std::abs(row[2]) <= largest / (1 - discount), "a value beyond the largest return");
    }
    for (const std::size_t only : {std::size_t{0}, std::size_t{1}}) {
        for (auto& d : asked) d.allowed = {only};
        try {
            for (const auto& row : model->call(*make_data(asked)).numbers) r.expect(row[0] == static_cast<double>(only), "an action that was not allowed");
        } catch (const error& e) {
            r.expect(e.code() == errc::bad_data || e.code() == errc::unknown_id, e.what());  // never tried there
        }
    }
    for (auto& d : asked) d.allowed = std::vector<std::size_t>{};
    const error none = r.error_from([&] { (void)model->call(*make_data(asked)); }, "decided where nothing is allowed");
    r.expect(none.code() == errc::bad_data && none.where().row == 1, none.what());
    for (auto& d : asked) d.allowed = std::vector<std::size_t>{2};
    const error unknown = r.error_from([&] { (void)model->call(*make_data(asked)); }, "an action that does not exist was allowed");
    r.expect(unknown.code() == errc::unknown_id, unknown.what());
    // Without discounting values stay finite or the fit says that they do not.
    const auto fields = r.hyperparameters();
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (name_of_field(fields[i]) != "discount") continue;
        for (const double value : {0.0, 1.0}) {
            if (value == 1 && plain_name(*fields[i].owner) != "q_learning") continue;  // it is solved to the end, which takes a million sweeps to be refused
            field_visitor change;
            change.wanted = i;
            change.what = extreme::given;
            change.given = value;
            r.finite_or([&] { return r.fit_changed(change); }, {errc::diverged, errc::bad_parameter}, "discount at its ends");
        }
    }
}

// ---- objects -----------------------------------------------------------------------------------------------------------
// What a model is to its user: answers and saved bytes.
std::string state_of(const run& r, const fitted& model) { return model.bytes() + model.call(*r.queries()).bits(); }

void copies_are_independent(run& r) {
    auto original = r.fit();
    const std::string state = state_of(r, *original);
    const auto other = r.fit(other_rows, 2), copy = original->copy();
    r.expect(state_of(r, *copy) == state, "the copy differs");
    copy->assign(*other);
    r.expect(state_of(r, *original) == state, "assigning to the copy changes the original");
    copy->assign(*original);
    original.reset();
    r.expect(state_of(r, *copy) == state, "the copy needs the original");
}
// May be destroyed, assigned to and swapped; and whoever calls it gets an error or an answer.
void moved_from(run& r) {
    const auto first = r.fit();
    const std::string state = state_of(r, *first);
    {
        const auto source = first->copy(), target = source->moved();
        r.expect(state_of(r, *target) == state, "moving changes the model");
        source->assign(*first);
        r.expect(state_of(r, *source) == state, "a moved-from model cannot be assigned to");
    }
    {
        const auto source = first->copy(), target = r.fit(other_rows, 2);
        target->move_assign(*source);
        r.expect(state_of(r, *target) == state, "move assignment changes the model");
        source->swap_with(*target);
        r.expect(state_of(r, *source) == state, "a moved-from model cannot be swapped");
        const auto third = source->moved();
        source->move_assign(*third);
        r.expect(state_of(r, *source) == state, "a moved-from model cannot be moved into");
    }
    const auto source = first->copy(), target = source->moved();
}
void assigned_to_itself(run& r) {
    const auto model = r.fit();
    const std::string state = state_of(r, *model);
    model->assign(*model);
    r.expect(state_of(r, *model) == state, "copied to itself");
    model->swap_with(*model);
    r.expect(state_of(r, *model) == state, "swapped with itself");
    model->move_assign(*model);  // the value may be lost, the object may not
    const auto other = r.fit();
    model->assign(*other);
    r.expect(state_of(r, *model) == state, "moved to itself, then assigned");
}

// ---- files -------------------------------------------------------------------------------------------------------------
void saved_and_loaded(run& r) {
    const auto model = r.fit();
    const std::string saved = model->bytes();
    const auto again = r.c.load(saved);
    r.expect(again->bytes() == saved, "saved again: other bytes");
    r.expect(again->call(*r.queries()).bits() == model->call(*r.queries()).bits(), "loaded: other answers");
}
void refuse(run& r, const std::string& damaged) {
    try {
        (void)r.c.load(damaged);
    } catch (const error&) {
        return;
    }
    r.expect(false, "a damaged file was accepted");
}
// A sample of places, so that large files stay quick: every one of the first bytes, then ever rarer.
void truncated(run& r) {
    const std::string saved = r.fit()->bytes();
    const std::size_t step = std::max<std::size_t>(1, saved.size() / 1500);
    for (std::size_t n = 0; n < saved.size(); n += n < 400 ? 1 : step) refuse(r, saved.substr(0, n));
    refuse(r, saved.substr(0, saved.size() - 1));
}
void golden_bits(run& r) {
    const std::string problem = problem_of_golden_bits(r.c.facts().name, r.fit()->bytes());
    r.expect(problem.empty(), problem.c_str());
}
void kept_file(run& r) {
    const std::string problem =
        problem_of_kept_file(r.c.facts().name, r.fit()->bytes(), [&](std::string_view file) { return r.c.load(file)->call(*r.queries()).bits(); });
    r.expect(problem.empty(), problem.c_str());
}
void flipped_bits(run& r) {
    const std::string saved = r.fit()->bytes();
    const std::size_t step = std::max<std::size_t>(1, saved.size() / 400);
    for (std::size_t at = 0; at < saved.size(); at += at < 64 ? 1 : step)
        for (int bit = 0; bit < 8; ++bit) {
            std::string damaged = saved;
            damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
            refuse(r, damaged);
        }
}

// ---- chains ------------------------------------------------------------------------------------------------------------
void error_names_the_stage(run& r) {
    if (r.facts().stages.empty()) run::skip_because("it is no chain");
    const error e = r.error_from([&] { (void)r.fit(0); }, "no error");
    r.expect(e.where().stage >= 1 && e.where().stage <= r.facts().stages.size(), "the place has no stage");
    r.expect(std::string_view(e.what()).find("stage " + std::to_string(e.where().stage) + " of the chain") != std::string_view::npos, e.what());
}
void stages_in_order(run& r) {
    if (r.facts().stages.empty()) run::skip_because("it is no chain");
    const std::string saved = r.fit()->bytes();
    constexpr std::string_view key = "\"caramel.kinds\":\"";
    const auto begin = saved.find(key);
    r.expect(begin != std::string::npos, "no kinds in the file");
    if (begin == std::string::npos) return;
    const std::string kinds = saved.substr(begin + key.size(), saved.find('"', begin + key.size()) - begin - key.size());
    std::string outer;  // without what stands within stages
    int depth = 0;
    for (const char c : kinds) {
        depth -= c == ')' ? 1 : 0;
        if (depth == 0 && c != ')' && c != '(') outer += c;
        depth += c == '(' ? 1 : 0;
    }
    std::string expected;
    for (const auto& stage : r.facts().stages) expected += (expected.empty() ? "" : "|") + stage;
    r.expect(outer == expected, "stages in the file: " + outer + ", in the chain: " + expected);
}

// ---- the list ----------------------------------------------------------------------------------------------------------
struct numbered_check {
    std::string_view id;
    void (*work)(run&);
    bool needs_file = false;
};
constexpr numbered_check with_threads[] = {{"C11", any_number_of_threads}, {"C25", many_threads}};
#ifndef CARAMEL_TESTS_THREADS_ONLY  // under the thread sanitizer the others would only take time
constexpr numbered_check on_one_thread[] = {
    {"C02", zero_rows},
    {"C03", one_row},
    {"C04", non_finite},
    {"C05", constant},
    {"C06", duplicates_of_rows},
    {"C07", unknown_ids},
    {"C08", huge_ids},
    {"C09", fitted_twice},
    {"C10", fitted_on_others_between},
    {"C12", another_seed},
    {"C13", input_unchanged},
    {"C14", calls_change_nothing},
    {"C15", batch_is_row_by_row},
    {"C16", permuted_rows},
    {"C17", zero_rows_at_call},
    {"C18", saved_and_loaded, true},
    {"C19", truncated, true},
    {"C20", flipped_bits, true},
    {"C22", copies_are_independent},
    {"C23", moved_from},
    {"C24", assigned_to_itself},
    {"C26", observer_stops},
    {"C27", learning_rate},
    {"C28", extreme_hyperparameters},
    {"C29", huge_values},
    {"C30", subnormal_values},
    {"C31", host_unchanged},
    {"C32", moves_do_not_throw},
    {"C34", failing_memory},
    {"C37", other_widths},
    {"C38", layouts},
    {"C39", transforms_alike},
    {"C40", recommends},
    {"C41", probabilities},
    {"C42", decides},
    {"C43", observer_throws},
    {"C44", without_threads},
    {"G14", golden_bits, true},
    {"G25", kept_file, true},
    {"P1", error_names_the_stage},
    {"P2", stages_in_order, true},
};
#endif

std::string_view reason_to_skip(const about& facts, const numbered_check& check) {
    for (const skip& s : facts.skipped)
        if (s.check == check.id) return s.reason;
    if (check.needs_file && !facts.saved) return "it is not saved: the recipe that it holds is fitted under its own type for that";
    return "";
}
void run_check(const subject& component, const numbered_check& check) {
    const std::string name(component.facts().name);
    outcome& cell = results()[name][std::string(check.id)];
    cell = {'X', ""};
    INFO(name << " " << check.id);
    if (const auto reason = reason_to_skip(component.facts(), check); !reason.empty()) {
        cell = {'-', std::string(reason)};
        return;
    }
    run r(component);
    try {
        check.work(r);
        cell.mark = r.failed ? 'X' : '+';
    } catch (const does_not_apply& e) {
        cell = {r.failed ? 'X' : '-', std::string(e.reason)};
    } catch (const std::exception& e) {
        r.expect(false, e.what());
    }
}

}  // namespace

void check(const subject& component) {
    for (const auto& one : with_threads) run_check(component, one);
#ifndef CARAMEL_TESTS_THREADS_ONLY
    for (const auto& one : on_one_thread) run_check(component, one);
#endif
}

std::map<std::string, std::map<std::string, outcome>>& results() {
    static std::map<std::string, std::map<std::string, outcome>> table;
    return table;
}

std::string results_table() {
    std::string out;
    std::size_t failures = 0, passed = 0, skipped = 0;
    std::map<std::string, std::vector<std::string>> reasons;
    const auto padded = [](std::string text, std::size_t width) {
        text.resize(std::max(text.size(), width), ' ');
        return text;
    };
    for (const auto& [component, outcomes] : results()) {
        if (out.empty()) {
            out = padded("", 44);
            for (const auto& [check, outcome] : outcomes) out += padded(check, 4);
            out += '\n';
        }
        out += padded(component.substr(0, 43), 44);
        for (const auto& [check, outcome] : outcomes) {
            out += std::string(" ") + outcome.mark + "  ";
            failures += outcome.mark == 'X';
            passed += outcome.mark == '+';
            if (outcome.mark == '-') {
                ++skipped;
                reasons[check + ": " + outcome.reason].push_back(component);
            }
        }
        out += '\n';
    }
    out += "\n+ holds, X does not, - cannot apply, because:\n";
    for (const auto& [reason, components] : reasons) out += "  " + std::to_string(components.size()) + " x " + reason + "\n";
    return out + "contract: " + std::to_string(results().size()) + " components, " + std::to_string(passed) + " checks passed, " + std::to_string(skipped) +
           " skipped, " + std::to_string(failures) + " failed\n";
}

}  // namespace contract
