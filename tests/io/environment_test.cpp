// A host's locale, rounding mode and treatment of denormals change nothing that is read, written or learnt, and are not changed.
#include <cerrno>
#include <cfenv>
#include <clocale>
#include <locale>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <caramel/data/csv.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/io/json.hpp>
#include <caramel/io/model_file.hpp>
#include <caramel/recipes/compare_recommenders.hpp>
#include <caramel/text/embedding_files.hpp>
#include <caramel/text/tokenizer.hpp>

#include "support/catch.hpp"

#if defined(__SSE__) && defined(__x86_64__)
#include <xmmintrin.h>
#define ENVIRONMENT_TEST_HAS_FTZ 1
#endif

namespace environment_test {

using namespace caramel;

// Commas for points, and points between thousands, as in German.
struct comma_numbers : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
};
// Turns letters into others, as Turkish does with its i.
struct odd_letters : std::ctype<char> {
    char do_tolower(char c) const override { return c == 'I' ? 'x' : std::ctype<char>::do_tolower(c); }
};
struct host_locale {
    std::locale before = std::locale::global(std::locale(std::locale(std::locale::classic(), new comma_numbers), new odd_letters));
    std::string c_before = std::setlocale(LC_ALL, nullptr);
    host_locale() {
        for (const char* name : {"de_DE.UTF-8", "fr_FR.UTF-8", "tr_TR.UTF-8"})  // where this machine has one
            if (std::setlocale(LC_ALL, name) != nullptr) break;
    }
    host_locale(const host_locale&) = delete;
    host_locale& operator=(const host_locale&) = delete;
    ~host_locale() {
        std::locale::global(before);
        std::setlocale(LC_ALL, c_before.c_str());
    }
};
struct host_rounding {
    int before = std::fegetround();
    explicit host_rounding(int mode) { std::fesetround(mode); }
    host_rounding(const host_rounding&) = delete;
    host_rounding& operator=(const host_rounding&) = delete;
    ~host_rounding() { std::fesetround(before); }
};
#ifdef ENVIRONMENT_TEST_HAS_FTZ
struct host_flushes {  // as a program has it that links an object compiled with -ffast-math
    unsigned before = _mm_getcsr();
    host_flushes() { _mm_setcsr(before | 0x8040U); }
    host_flushes(const host_flushes&) = delete;
    host_flushes& operator=(const host_flushes&) = delete;
    ~host_flushes() { _mm_setcsr(before); }
};
#endif

class numbers_of : public json_handler {
   public:
    numbers_of() : json_handler("numbers_of") {}
    void begin_array() override {}
    void end_array() override {}
    void number(double x) override { values.push_back(x); }
    void natural(std::uint64_t x) override { values.push_back(static_cast<double>(x)); }
    std::vector<double> values;
};

constexpr std::string_view csv_text = "x,n,at\n1234.5,1234567,2020-01-02 03:04:05\n0.1,-3,1999-12-31\n1e-310,0,2000-02-29\n2.2250738585072011e-308,9,1970-01-01\n";

// All that is read and written, as one text: numbers by their bits.
std::string all_of_it() {
    std::string out;
    const auto bits = [&](auto x) { out.append(reinterpret_cast<const char*>(&x), sizeof x); };
    const table read = parse_csv(csv_text);
    std::istringstream stream{std::string(csv_text)};
    out += read_csv(stream) == read ? "same" : "other";
    for (const double x : read.numbers("x")) bits(x);
    for (const auto n : read.integers("n")) bits(n);
    for (const auto when : read.timestamps("at")) bits(when.time_since_epoch().count());
    std::ostringstream written;
    write_csv(read, written);
    out += written.str();
    const table comma = parse_csv("x;y\n1,5;2\n0,1;3\n", {.delimiter = ';', .decimal_comma = true});
    for (const double x : comma.numbers("x")) bits(x);

    numbers_of json;
    read_json("[0.1, 1234.5, 1e-310, 12345678, 0.3]", json);
    for (const double x : json.values) bits(x);
    append_json_number(out, 1234567.25);
    const auto words = parse_embeddings<float>("one 0.1 1234.5\ntwo 1e-40 -3\n", embedding_format::glove_text);
    for (const char* word : {"one", "two"}) {
        const auto vector = words.find(word).value();
        for (const float x : vector) bits(x);
    }
    out += format_embeddings(words, embedding_format::glove_text);
    out += detail::message(1234.5, ' ', 1234567, ' ', 0.1F);

    const auto tokens = fit(word_tokenizer{}, std::vector<std::string>{"ISTANBUL is big", "I I I"});
    for (const auto& word : tokens.words().tokens()) out += word + ' ';
    recommender_comparison compared{.k = 5, .customers = 1234567};
    compared.rows.push_back({.name = "popularity", .coverage = 0.12345, .gini = 1234.5, .fit_seconds = 1e4});
    for (auto* list : {&compared.rows[0].recall, &compared.rows[0].ndcg, &compared.rows[0].hit_rate, &compared.rows[0].reciprocal_rank, &compared.rows[0].novelty})
        list->values = {0.5};
    out += compared.text();
    return out;
}
// What is learnt may round as the host asks; what is saved is read back as it was.
bool saves_and_loads() {
    matrix<double> x(3, 2);
    x << 1, 2, 3, 4.5, 6, 0.1;
    const auto model = fit(standardize<double>{}, x);
    const auto bytes = to_bytes(model, {.rows = 1234567, .metrics = {{"auc", 0.1}}});
    const auto again = load<standardize_model<double>>(std::span(bytes));
    return again.mean() == model.mean() && again.deviation() == model.deviation() && read_card(std::span<const std::byte>(bytes)).metrics.at("auc") == 0.1 &&
           read_card(std::span<const std::byte>(bytes)).rows == 1234567;
}

TEST_CASE("environment: a locale changes nothing", "[environment]") {
    const std::string plain = all_of_it();
    CHECK(plain.find("at 5, 1234567 customers") != std::string::npos);
    CHECK(plain.find("1234.5 1234567 0.1") != std::string::npos);
    const host_locale here;
    std::ostringstream check;
    check << 1234.5;
    REQUIRE(check.str() == "1.234,5");  // else this test tests nothing
    CHECK((all_of_it() == plain));
    CHECK(saves_and_loads());
}
TEST_CASE("environment: a rounding mode changes nothing that is read or written, and stays", "[environment]") {
    const std::string plain = all_of_it();
    for (const int mode : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
        std::string said;
        bool saved = false;
        int after = 0;
        {
            const host_rounding here(mode);
            said = all_of_it();
            saved = saves_and_loads();
            after = std::fegetround();
        }
        CHECK((said == plain));  // in parentheses: not to be printed
        CHECK(saved);
        CHECK(after == mode);
    }
}
#ifdef ENVIRONMENT_TEST_HAS_FTZ
TEST_CASE("environment: flushed denormals change nothing that is read or written, and stay flushed", "[environment]") {
    const std::string plain = all_of_it();
    std::string said;
    bool saved = false;
    unsigned before = 0, after = 0;
    {
        const host_flushes here;
        before = _mm_getcsr() & 0xFFC0U;
        said = all_of_it();
        saved = saves_and_loads();
        after = _mm_getcsr() & 0xFFC0U;
    }
    CHECK((said == plain));  // in parentheses: not to be printed
    CHECK(saved);
    CHECK(after == before);
}
#endif
TEST_CASE("environment: errno stays as it was", "[environment]") {
    errno = ERANGE;
    CHECK(!all_of_it().empty());
    CHECK(saves_and_loads());
    CHECK(errno == ERANGE);
}

}  // namespace environment_test
