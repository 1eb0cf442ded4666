// Files of models that had fewer fields load, and answer as they did.
#include <array>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include <caramel/features/encode.hpp>
#include <caramel/features/impute.hpp>
#include <caramel/io/model_file.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace {

struct old_encode {
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "encode";
    std::vector<std::string> names{"n", "c"};
    std::vector<column_type> types{column_type::number, column_type::category};
    std::vector<std::string> levels{"a", "b"};
    std::vector<std::int64_t> starts{0, 0, 2};
    int operator()(const int& x) const { return x; }
    static constexpr std::array field_names{"names", "types", "levels", "starts"};
    [[nodiscard]] auto fields() const { return std::tie(names, types, levels, starts); }
};
struct old_impute {
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "impute";
    std::vector<std::string> names{"n"};
    std::vector<column_type> types{column_type::number};
    std::vector<double> numbers{7};
    std::vector<std::string> texts{""};
    int operator()(const int& x) const { return x; }
    static constexpr std::array field_names{"names", "types", "numbers", "texts"};
    [[nodiscard]] auto fields() const { return std::tie(names, types, numbers, texts); }
};

}  // namespace

TEST_CASE("files of encode and impute without the later fields load", "[encode][impute][io]") {
    table x;
    x.add_column("n", std::vector<double>{1, 0}, {false, true});
    x.add_column("c", std::vector<std::string>{"b", "new"});
    const auto old_fill = to_bytes(old_impute{}), old_codes = to_bytes(old_encode{});
    const auto fill = load<impute_model>(std::span(old_fill));
    CHECK(fill.output_names({}) == std::vector<std::string>{"n"});
    table filled = fill(x);
    CHECK(filled.numbers("n")[1] == 7);
    filled.add_column("c", x.column("c"));
    const auto encoded = load<encode_model<double>>(std::span(old_codes));
    matrix<double> expected(2, 3);
    expected << 1, 0, 1, 7, 0, 0;
    CHECK(encoded(filled) == expected);
    CHECK(encoded.output_names({}) == std::vector<std::string>{"n", "c=a", "c=b"});
}
