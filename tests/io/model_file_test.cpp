#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <caramel/core/embedding_table.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/tensor.hpp>
#include <caramel/features/concat.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/io/model_file.hpp>

#include "io_support.hpp"
#include "support/catch.hpp"

using namespace caramel;

namespace {

enum class weekday : std::uint8_t { monday = 1, sunday = 7 };

// Within a model: an aggregate, and a class with a constructor.
struct layer {
    matrix<float> weight;
    bool biased = false;
    static constexpr std::array field_names{"weight", "biased"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(weight, biased); }
};
class named_range {
   public:
    named_range(std::string name, double low, double high) : name_(std::move(name)), low_(low), high_(high) {
        require(low_ <= high_, errc::bad_data, "named_range: ", low_, " is above ", high_);
    }
    static constexpr std::array field_names{"name", "low", "high"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(name_, low_, high_); }

   private:
    std::string name_;
    double low_, high_;
};
struct money {
    std::int64_t cents = 0;
};

using column_major = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic>;
using three_columns = Eigen::Matrix<float, Eigen::Dynamic, 3, Eigen::RowMajor>;
using row_vector = Eigen::Array<std::int32_t, 1, Eigen::Dynamic>;

}  // namespace

template <>
struct caramel::field_format<money> {
    static void save(const money& x, const std::string& key, field_writer& out) { out.save(x.cents, key); }
    static money load(const std::string& key, field_reader& in) { return money{in.load<std::int64_t>(key)}; }
};

namespace {

// A field of every type.
class everything_model {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "everything";

    using fields_type =
        std::tuple<matrix<double>, vec<float>, column_major, three_columns, row_vector, tensor<float, 3>, embedding_table<float>, ragged<std::int32_t>, float,
                   double, bool, std::int8_t, std::uint64_t, std::size_t, weekday, std::string, std::vector<std::string>, std::vector<double>,
                   std::vector<bool>, std::vector<weekday>, std::array<std::uint16_t, 3>, std::array<std::string, 2>, std::vector<layer>, std::array<layer, 2>,
                   named_range, std::optional<float>, std::optional<std::vector<std::string>>, std::chrono::sys_seconds, std::vector<std::chrono::sys_seconds>,
                   std::chrono::milliseconds, std::vector<std::vector<float>>, money, standardize_model<float>>;
    template <class... F>
        requires std::same_as<std::tuple<F...>, fields_type>
    explicit everything_model(F... f) : fields_(std::move(f)...) {}

    int operator()(int x) const { return x + 1; }
    static constexpr std::array field_names{"matrix", "vector",   "column_major", "three_columns", "row",    "tensor",  "table",  "ragged",  "float",
                                            "double", "bool",     "int8",         "uint64",        "size",   "weekday", "string", "strings", "doubles",
                                            "bools",  "weekdays", "array",        "words",         "layers", "two",     "range",  "maybe",   "perhaps",
                                            "then",   "times",    "span",         "lists",         "price",  "scaler"};
    [[nodiscard]] const fields_type& fields() const noexcept { return fields_; }

   private:
    fields_type fields_;
};

template <class Out, class... F>
Out made_of(std::tuple<F...> fields) {
    return std::apply([](auto&... f) { return Out(std::move(f)...); }, fields);
}

everything_model everything() {
    matrix<double> m(2, 3);
    m << 1, 2, 3, 4, 5, 0.1;
    vec<float> v(2);
    v << -1.5f, 1e-40f;
    column_major c(2, 3);
    c << 1, 2, 3, 4, 5, 6;
    three_columns t(1, 3);
    t << 7, 8, 9;
    row_vector r(1, 2);
    r << -1, 1;
    auto cube = make_tensor<float, 3>({2, 1, 2});
    cube(1, 0, 1) = 4;
    auto table = make_tensor<float, 2>({2, 2}, 0.5f);
    const layer first{matrix<float>::Constant(1, 2, 3.f), true}, second{matrix<float>(0, 5), false};
    const std::chrono::sys_seconds instant{std::chrono::seconds(1'700'000'000)};
    return made_of<everything_model>(everything_model::fields_type{
        m, v, c, t, r, cube, embedding_table<float>(table), ragged<std::int32_t>({1, 2, 3}, {0, 2, 2, 3}), 0.1f, -0.0, true, std::int8_t{-128},
        std::uint64_t{1} << 63, std::size_t{3}, weekday::sunday, std::string("gr\xC3\xBC\xC3\x9F dich\0!", 13),
        std::vector<std::string>{"a", "", "bc"}, std::vector<double>{}, std::vector<bool>{true, false, true},
        std::vector<weekday>{weekday::monday, weekday::sunday}, std::array<std::uint16_t, 3>{1, 2, 65535}, std::array<std::string, 2>{"x", "yz"},
        std::vector<layer>{first, second, first}, std::array<layer, 2>{second, first}, named_range("age", 18, 99), std::optional<float>(2.5f),
        std::optional<std::vector<std::string>>(), instant, std::vector<std::chrono::sys_seconds>{instant, {}}, std::chrono::milliseconds(-5),
        std::vector<std::vector<float>>{{1, 2}, {}, {3}}, money{1999},
        standardize_model<float>(vec<float>::Constant(2, 1.f), vec<float>::Constant(2, 2.f))});
}

struct halve_model {
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "halve";
    static constexpr std::array<const char*, 0> field_names{};
    [[nodiscard]] static auto fields() noexcept { return std::tuple<>(); }
    matrix<float> operator()(const matrix<float>& x) const { return x / 2; }
};
class scale_model {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "scale";
    explicit scale_model(float factor) : factor_(factor) { require(factor > 0, errc::bad_parameter, "scale: a factor of ", factor); }
    matrix<float> operator()(const matrix<float>& x) const { return x * factor_; }
    static constexpr std::array field_names{"factor"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(factor_); }

   private:
    float factor_;
};
// What `scale` became later: with two more fields.
struct later_scale_model {
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "scale";
    float factor = 1, shift = 0;
    std::vector<std::string> names;
    static constexpr std::array field_names{"factor", "shift", "names"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(factor, shift, names); }
    static auto field_defaults() { return std::tuple(0.25f, std::vector<std::string>{"none"}); }
};
// The same kind, but of double.
struct wide_scale_model {
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "scale";
    double factor = 1;
    static constexpr std::array field_names{"factor"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(factor); }
};
struct long_scale_model {
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "scale";
    vec<float> factor;
    static constexpr std::array field_names{"factor"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(factor); }
};

standardize_model<float> scaler(float mean, float deviation) { return {vec<float>::Constant(2, mean), vec<float>::Constant(2, deviation)}; }
auto chain() { return scaler(1, 2) | concat(scale_model(3), halve_model{} | scaler(0, 1)) | halve_model{}; }

template <class M>
std::string bytes_of(const M& model, const model_card& card = {}) {
    return text_of(to_bytes(model, card));
}
template <class M>
M loaded_from(std::string_view bytes) {
    return load<M>(as_bytes_of(bytes));
}
template <class M>
error refusal(std::string_view bytes) {
    return error_of([&] { (void)loaded_from<M>(bytes); });
}
// A file with these tensors, with a checksum that fits.
template <class Fill>
std::string crafted(const std::string& kinds, Fill fill) {
    field_writer out;
    fill(out);
    return text_of(detail::finish_model(out, kinds, {}));
}
std::string replaced(std::string text, std::string_view what, std::string_view by) {
    const std::size_t at = text.find(what);
    REQUIRE(at != std::string::npos);
    return text.replace(at, what.size(), by);
}
std::vector<std::string> tensor_names(std::string_view bytes) {
    const auto file = parse_safetensors(as_bytes_of(bytes));
    std::vector<std::string> out;
    for (std::size_t i = 0; i < file.size(); ++i) out.emplace_back(file[i].name);
    std::sort(out.begin(), out.end());
    return out;
}

}  // namespace

TEST_CASE("model_file: a field of every type comes back", "[model_file]") {
    const auto model = everything();
    const std::string saved = bytes_of(model);
    const auto again = loaded_from<everything_model>(saved);
    CHECK(bytes_of(again) == saved);
    const auto& [m, v, c, t, r, cube, table, rag, f, d, b, i8, u64, size, day, s, strings, doubles, bools, days, array, words, layers, two, range, maybe,
                 perhaps, then, times, span, lists, price, inner] = again.fields();
    const auto& before = model.fields();
    CHECK(m == std::get<0>(before));
    CHECK(v == std::get<1>(before));
    CHECK(c == std::get<2>(before));
    CHECK(t == std::get<3>(before));
    CHECK((r == std::get<4>(before)).all());
    CHECK(cube == std::get<5>(before));
    CHECK(table.values() == std::get<6>(before).values());
    CHECK(rag == std::get<7>(before));
    CHECK(f == 0.1f);
    CHECK((d == 0 && std::signbit(d)));
    CHECK(b);
    CHECK(i8 == -128);
    CHECK(u64 == std::uint64_t{1} << 63);
    CHECK(size == 3);
    CHECK(day == weekday::sunday);
    CHECK(s == std::string("gr\xC3\xBC\xC3\x9F dich\0!", 13));
    CHECK(strings == std::vector<std::string>{"a", "", "bc"});
    CHECK(doubles.empty());
    CHECK(bools == std::vector<bool>{true, false, true});
    CHECK(days == std::vector<weekday>{weekday::monday, weekday::sunday});
    CHECK(array == std::array<std::uint16_t, 3>{1, 2, 65535});
    CHECK(words == std::array<std::string, 2>{"x", "yz"});
    REQUIRE(layers.size() == 3);
    CHECK((layers[0].biased && layers[0].weight == matrix<float>::Constant(1, 2, 3.f)));
    CHECK((!layers[1].biased && layers[1].weight.rows() == 0 && layers[1].weight.cols() == 5));
    CHECK(two[1].biased);
    CHECK(std::get<0>(range.fields()) == "age");
    CHECK(maybe == 2.5f);
    CHECK(!perhaps);
    CHECK(then == std::chrono::sys_seconds(std::chrono::seconds(1'700'000'000)));
    CHECK(times.at(0) == then);
    CHECK(span == std::chrono::milliseconds(-5));
    CHECK(lists == std::vector<std::vector<float>>{{1, 2}, {}, {3}});
    CHECK(price.cents == 1999);
    CHECK(inner.mean()(1) == 1.f);
}
TEST_CASE("model_file: keys and layout are as the page says", "[model_file]") {
    CHECK(tensor_names(bytes_of(scaler(1, 2))) == std::vector<std::string>{"0.standardize.deviation", "0.standardize.mean"});
    CHECK(tensor_names(bytes_of(chain())) == std::vector<std::string>{"0.standardize.deviation", "0.standardize.mean", "1.concat.0.scale.factor",
                                                                      "1.concat.1.pipeline.1.standardize.deviation", "1.concat.1.pipeline.1.standardize.mean"});
    const std::string saved = bytes_of(chain());
    const auto file = parse_safetensors(as_bytes_of(saved));
    CHECK(file.metadata("caramel.kinds") == "standardize|concat(scale,halve|standardize)|halve");
    CHECK(file.metadata("caramel.format") == "1");
    CHECK(file.metadata("caramel.version") == CARAMEL_VERSION_STRING);
    const std::string all = bytes_of(everything());
    const auto every = parse_safetensors(as_bytes_of(all));
    const auto get = [&](std::string_view name) { return every[every.find("0.everything." + std::string(name)).value()]; };
    CHECK(get("column_major").values<double>() == std::vector<double>{1, 2, 3, 4, 5, 6});  // row-major in the file
    CHECK(get("strings.bytes").values<std::uint8_t>() == std::vector<std::uint8_t>{'a', 'b', 'c'});
    CHECK(get("strings.starts").values<std::int64_t>() == std::vector<std::int64_t>{0, 1, 1, 3});
    CHECK(get("string.starts").values<std::int64_t>() == std::vector<std::int64_t>{0, 13});
    CHECK(get("layers.count").values<std::uint64_t>() == std::vector<std::uint64_t>{3});
    CHECK(get("layers.2.weight").values<float>() == std::vector<float>{3, 3});
    CHECK(get("bool").type == dtype::boolean);
    CHECK(get("bools").type == dtype::boolean);
    CHECK(get("weekday").type == dtype::u8);
    CHECK(get("then").values<std::int64_t>() == std::vector<std::int64_t>{1'700'000'000});
    CHECK(get("maybe.present").values<bool>() == std::vector<bool>{true});
    CHECK(get("maybe.value").values<float>() == std::vector<float>{2.5f});
    CHECK(get("table").shape.size() == 2);
    CHECK(get("ragged.starts").size() == 4);
    CHECK(get("scaler.mean").size() == 2);
    CHECK(get("float").shape.empty());
    CHECK(!every.find("0.everything.perhaps.value"));
}
TEST_CASE("model_file: the checksum is zlib's crc32 with its own digits as zeros", "[model_file]") {
    detail::crc32 sum;
    sum.append(as_bytes_of("123456789"));
    CHECK(sum.digits() == "cbf43926");
    CHECK(detail::crc32{}.digits() == "00000000");
    // Byte by byte, another way to the same sum.
    const std::string saved = bytes_of(chain());
    const auto file = parse_safetensors(as_bytes_of(saved));
    const std::string digits(file.metadata("caramel.checksum"));
    const std::string zeroed = replaced(saved, "\"caramel.checksum\":\"" + digits, "\"caramel.checksum\":\"00000000");
    std::uint32_t crc = 0xFFFFFFFFu;
    for (const char c : zeroed) {
        crc ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB88320u : crc >> 1;
    }
    std::uint32_t told = 0;
    std::from_chars(digits.data(), digits.data() + 8, told, 16);
    CHECK(told == ~crc);
}
TEST_CASE("model_file: a chain answers the same after loading, from memory, stream and path", "[model_file]") {
    const auto model = chain();
    using M = std::remove_const_t<decltype(model)>;
    const matrix<float> x = matrix<float>::Constant(3, 2, 0.7f);
    const matrix<float> expected = model(x);
    const temporary_folder folder;

    std::vector<std::byte> bytes{std::byte{1}};
    save(model, bytes);
    CHECK(load<M>(std::span<const std::byte>(bytes))(x) == expected);
    CHECK(load<M>(bytes)(x) == expected);
    std::stringstream stream;
    save(model, stream);
    CHECK(load<M>(stream)(x) == expected);
    save(model, folder / "a.safetensors");
    CHECK(load<M>(folder / "a.safetensors")(x) == expected);
    CHECK(load<M>((folder / "a.safetensors").string())(x) == expected);
    CHECK(load<M>((folder / "a.safetensors").c_str())(x) == expected);
    CHECK(stream.str() == text_of(bytes));
    CHECK(text_of(read_file(folder / "a.safetensors")) == text_of(bytes));

    // A chain of one stage and that stage alone are the same file.
    const pipeline<scale_model> alone{scale_model(2)};
    CHECK(bytes_of(alone) == bytes_of(scale_model(2)));
    CHECK(loaded_from<pipeline<scale_model>>(bytes_of(scale_model(2)))(x) == scale_model(2)(x));
    // A chain within a chain.
    const pipeline<halve_model, pipeline<scale_model, halve_model>> nested{halve_model{}, pipeline<scale_model, halve_model>{scale_model(2), halve_model{}}};
    const std::string saved = bytes_of(nested);
    CHECK(parse_safetensors(as_bytes_of(saved)).metadata("caramel.kinds") == "halve|(scale|halve)");
    CHECK(loaded_from<std::remove_const_t<decltype(nested)>>(saved)(x) == nested(x));
    // A model without any field.
    CHECK(loaded_from<halve_model>(bytes_of(halve_model{}))(x) == x / 2);
}
TEST_CASE("model_file: the card", "[model_file]") {
    const model_card card{.description = "who \"leaves\"\n\xC3\xA4", .trained_at = "2026-01-31T12:00:00Z", .rows = 407'664, .columns = {"tenure", "monthly"},
                          .metrics = {{"auc", 0.84}, {"log loss", -1e-300}, {"n", 3}}, .notes = {{"by", "the team"}}};
    const std::string saved = bytes_of(scale_model(2), card);
    CHECK(read_card(as_bytes_of(saved)) == card);
    CHECK(loaded_from<scale_model>(saved).fields() == scale_model(2).fields());
    CHECK(read_card(as_bytes_of(bytes_of(scale_model(2)))) == model_card{});
    const temporary_folder folder;
    save(scale_model(2), folder / "a", card);
    CHECK(read_card(folder / "a") == card);
    std::stringstream stream;
    save(scale_model(2), stream, card);
    CHECK(read_card(stream) == card);
    CHECK(error_of([&] { (void)to_bytes(scale_model(2), {.metrics = {{"auc", std::numeric_limits<double>::quiet_NaN()}}}); }).code() == errc::nan_or_inf);
    CHECK(error_of([&] { (void)to_bytes(scale_model(2), {.description = "\xFF"}); }).code() == errc::bad_utf8);
    CHECK(error_of([&] { (void)read_card(as_bytes_of(replaced(saved, "tenure", "Tenure"))); }).code() == errc::checksum_mismatch);

    model_card read;
    detail::card_handler handler(read);
    read_json(R"({"rows":5,"of a newer library":{"rows":[{}]},"metrics":{"description":1}})", handler);
    CHECK(read == model_card{.rows = 5, .metrics = {{"description", 1}}});
    for (const std::string_view text : {"[]", R"({"rows":"5"})", R"({"rows":-5})", R"({"columns":{}})", R"({"columns":[1]})", R"({"metrics":[]})",
                                        R"({"metrics":{"a":"b"}})", R"({"notes":{"a":1}})", R"({"description":{}})", R"({"notes":{"a":{}}})"}) {
        INFO(text);
        model_card other;
        detail::card_handler strict(other);
        CHECK(error_of([&] { read_json(text, strict); }).code() == errc::wrong_type);
    }
}
TEST_CASE("model_file: every truncation and every flipped bit is refused", "[model_file][error]") {
    const auto model = chain();
    using M = std::remove_const_t<decltype(model)>;
    const std::string saved = bytes_of(model, {.description = "small", .rows = 3});
    for (std::size_t n = 0; n < saved.size(); ++n) CHECK_THROWS_AS(loaded_from<M>(saved.substr(0, n)), error);
    CHECK_THROWS_AS(loaded_from<M>(saved + '\0'), error);
    std::size_t refused = 0;
    std::string damaged = saved;
    for (std::size_t bit = 0; bit < saved.size() * 8; ++bit) {
        char& c = damaged[bit / 8];
        const char before = c;
        c = static_cast<char>(c ^ (1 << (bit % 8)));
        try {
            (void)loaded_from<M>(damaged);
        } catch (const error&) {
            ++refused;
        }
        c = before;
    }
    CHECK(refused == saved.size() * 8);
    CHECK_NOTHROW(loaded_from<M>(damaged));
}
TEST_CASE("model_file: the same for a field of every type", "[model_file][error][slow]") {
    const std::string saved = bytes_of(everything());
    for (std::size_t n = 0; n < saved.size(); ++n) CHECK_THROWS_AS(loaded_from<everything_model>(saved.substr(0, n)), error);
    std::size_t refused = 0;
    std::string damaged = saved;
    for (std::size_t bit = 0; bit < saved.size() * 8; ++bit) {
        char& c = damaged[bit / 8];
        c = static_cast<char>(c ^ (1 << (bit % 8)));
        try {
            (void)loaded_from<everything_model>(damaged);
        } catch (const error&) {
            ++refused;
        }
        c = static_cast<char>(c ^ (1 << (bit % 8)));
    }
    CHECK(refused == saved.size() * 8);
}
TEST_CASE("model_file: altered files with a checksum that fits are loaded or refused, and nothing else", "[model_file][error]") {
    const std::string saved = bytes_of(everything());
    const auto file = parse_safetensors(as_bytes_of(saved));
    const auto header = static_cast<std::size_t>(file[0].bytes.data() - file.bytes().data());
    const std::size_t digits = detail::checksum_place(as_bytes_of(saved)).value();
    rng numbers(1);
    std::size_t refused = 0, loaded = 0;
    for (int round = 0; round < 6000; ++round) {
        std::string altered = saved;
        for (std::uint64_t n = numbers.below(3) + 1; n > 0; --n) {
            const std::size_t at = static_cast<std::size_t>(numbers.below(round % 2 == 0 ? saved.size() : header));
            constexpr std::string_view likely = "0123456789[]{},:\"\\ eE.-+\xFF\x80";
            altered[at] = numbers.below(2) == 0 ? likely[static_cast<std::size_t>(numbers.below(likely.size()))] : static_cast<char>(numbers.below(256));
        }
        if (altered.substr(digits - 20, 20) != saved.substr(digits - 20, 20)) continue;
        try {
            const std::string sum = detail::checksum_of(as_bytes_of(altered), digits);
            (void)loaded_from<everything_model>(altered.replace(digits, sum.size(), sum));
            ++loaded;
        } catch (const error&) {
            ++refused;
        }
    }
    CHECK(refused > 1000);
    CHECK(loaded > 100);  // other numbers in a tensor are just another model
}
TEST_CASE("model_file: what is told first", "[model_file][error]") {
    const std::string saved = bytes_of(scale_model(2));
    CHECK(refusal<scale_model>("").code() == errc::truncated);
    CHECK(refusal<scale_model>("not a model at all").code() == errc::header_too_large);
    CHECK(refusal<scale_model>(container("{}")).code() == errc::bad_format);                       // safetensors, but not ours
    const std::string newer = replaced(saved, "\"caramel.format\":\"1\"", "\"caramel.format\":\"2\"");
    CHECK(refusal<scale_model>(newer).code() == errc::unsupported_version);                        // before the checksum
    CHECK(std::string(refusal<scale_model>(newer).what()) == "load: the file has format 2, of a newer library: this one reads up to 1");
    for (const std::string_view version : {"0", "x", "-"})
        CHECK(refusal<scale_model>(replaced(saved, "\"caramel.format\":\"1\"", "\"caramel.format\":\"" + std::string(version) + "\"")).code() ==
              errc::bad_format);
    CHECK(refusal<halve_model>(replaced(saved, CARAMEL_VERSION_STRING, "9.9.9")).code() == errc::checksum_mismatch);  // before the kinds
    CHECK(refusal<scale_model>(replaced(saved, "caramel.checksum", "caramel.checkmus")).code() == errc::bad_format);
}
TEST_CASE("model_file: another model's file", "[model_file][error]") {
    const error e = refusal<halve_model>(bytes_of(scale_model(2)));
    CHECK(e.code() == errc::bad_format);
    CHECK(std::string(e.what()) == "load: the file holds scale, asked for halve");
    CHECK(refusal<decltype(scale_model(2) | halve_model{})>(bytes_of(halve_model{} | scale_model(2))).code() == errc::bad_format);
    CHECK(refusal<scale_model>(bytes_of(scale_model(2) | scale_model(2))).code() == errc::bad_format);
    CHECK(std::string(refusal<scale_model>(crafted("a\nb", [](field_writer&) {})).what()) == "load: the file holds something else, asked for scale");
}
TEST_CASE("model_file: fields that do not fit", "[model_file][error]") {
    const std::string saved = bytes_of(halve_model{} | scale_model(2));
    {
        const error e = refusal<pipeline<halve_model, wide_scale_model>>(saved);
        CHECK(e.code() == errc::bad_format);
        CHECK(std::string(e.what()) == "load: stage 2 (scale): the field 1.scale.factor is of F32, not of F64");
        CHECK(e.where().stage == 2);
    }
    CHECK(std::string(refusal<long_scale_model>(bytes_of(scale_model(2))).what()) == "load: stage 1 (scale): the field 0.scale.factor has 0 dimensions, not 1");
    const auto with_factor = [](float x) {
        return crafted("scale", [&](field_writer& out) { out.save(x, "0.scale.factor"); });
    };
    CHECK(loaded_from<scale_model>(with_factor(2)).fields() == std::tuple(2.f));
    const error e = refusal<scale_model>(with_factor(-1));
    CHECK(e.code() == errc::bad_format);
    CHECK(std::string(e.what()) == "load: stage 1 (scale): scale: a factor of -1");
    CHECK(std::string(refusal<scale_model>(crafted("scale", [](field_writer&) {})).what()) == "load: stage 1 (scale): the field 0.scale.factor is missing");
    const auto too_many = crafted("scale", [](field_writer& out) {
        out.save(2.f, "0.scale.factor");
        out.save(2.f, "0.scale.other");
    });
    CHECK(std::string(refusal<scale_model>(too_many).what()) == "load: the file holds 1 tensors that the model does not have");
    const auto not_finite = crafted("standardize", [](field_writer& out) {
        out.save(std::vector<float>{std::numeric_limits<float>::quiet_NaN()}, "0.standardize.mean");
        out.save(std::vector<float>{1}, "0.standardize.deviation");
    });
    CHECK(refusal<standardize_model<float>>(not_finite).code() == errc::bad_format);
}

namespace {
// One field of a type, to try what a hostile file may say of it.
template <class T>
struct holder {
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "holder";
    T x;
    static constexpr std::array field_names{"x"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(x); }
};
template <class T, class Fill>
std::string message_of(Fill fill) {
    const error e = refusal<holder<T>>(crafted("holder", fill));
    CHECK(e.code() == errc::bad_format);
    CHECK(e.where().stage == 1);
    const std::string_view what(e.what()), before("load: stage 1 (holder): ");
    CHECK(what.starts_with(before));
    return std::string(what.substr(before.size()));
}
template <class T>
auto put(std::string key, std::vector<std::uint64_t> shape, std::vector<T> values) {
    return [=](field_writer& out) { out.tensors().add<T>(key, shape, std::span<const T>(values)); };
}
}  // namespace

TEST_CASE("model_file: hostile fields", "[model_file][error]") {
    const auto strings = [](const std::vector<std::int64_t>& starts) {
        return [=](field_writer& out) {
            put<std::uint8_t>("0.holder.x.bytes", {3}, {'a', 'b', 'c'})(out);
            put<std::int64_t>("0.holder.x.starts", {starts.size()}, starts)(out);
        };
    };
    CHECK(loaded_from<holder<std::vector<std::string>>>(crafted("holder", strings({0, 1, 1, 3}))).x == std::vector<std::string>{"a", "", "bc"});
    for (const auto& starts : std::vector<std::vector<std::int64_t>>{
             {}, {0}, {3}, {0, 2}, {1, 3}, {0, 2, 1, 3}, {0, -1, 3}, {0, 4, 3}, {0, INT64_MAX, 3}, {0, INT64_MIN, 3}, {0, 3, 4}})
        CHECK(message_of<std::vector<std::string>>(strings(starts)) == "the starts of 0.holder.x do not rise from 0 to 3");
    CHECK(message_of<std::string>(strings({0, 1, 3})) == "the field 0.holder.x holds 2 strings, not 1");
    CHECK(message_of<std::array<std::string, 2>>(strings({0, 3})) == "the field 0.holder.x has 1 elements, not 2");

    CHECK(message_of<std::array<float, 2>>(put<float>("0.holder.x", {3}, {1, 2, 3})) == "the field 0.holder.x has 3 elements, not 2");
    CHECK(message_of<three_columns>(put<float>("0.holder.x", {1, 2}, {1, 2})) == "the field 0.holder.x has 1 rows and 2 columns, which does not fit its type");
    CHECK(message_of<matrix<float>>(put<float>("0.holder.x", {2}, {1, 2})) == "the field 0.holder.x has 1 dimensions, not 2");
    CHECK(message_of<tensor<float, 3>>(put<float>("0.holder.x", {1, 2}, {1, 2})) == "the field 0.holder.x has 2 dimensions, not 3");
    CHECK(message_of<std::vector<double>>(put<float>("0.holder.x", {2}, {1, 2})) == "the field 0.holder.x is of F32, not of F64");
    CHECK(message_of<bool>([](field_writer& out) { out.tensors().add("0.holder.x", dtype::boolean, {}, std::vector<std::byte>{std::byte{2}}); }) ==
          "safetensors: a boolean that is neither 0 nor 1");
    CHECK(message_of<std::vector<bool>>([](field_writer& out) {
              out.tensors().add("0.holder.x", dtype::boolean, std::vector<std::uint64_t>{1}, std::vector<std::byte>{std::byte{2}});
          }) == "safetensors: a boolean that is neither 0 nor 1");
    CHECK(message_of<embedding_table<float>>(put<float>("0.holder.x", {1, 2}, {1, std::numeric_limits<float>::infinity()})).starts_with("embedding_table: "));
    CHECK(message_of<ragged<float>>([](field_writer& out) {
              out.save(std::vector<float>{1}, "0.holder.x.values");
              out.save(std::vector<std::int64_t>{0, 2}, "0.holder.x.starts");
          }) == "ragged: the starts do not rise from 0 to the number of values");
    CHECK(message_of<named_range>([](field_writer& out) {
              out.save(std::string("a"), "0.holder.x.name");
              out.save(2.0, "0.holder.x.low");
              out.save(1.0, "0.holder.x.high");
          }) == "named_range: 2 is above 1");
    // A list that claims more elements than are there allocates nothing for them.
    const auto list = [](std::uint64_t count) {
        return [=](field_writer& out) {
            out.save(count, "0.holder.x.count");
            out.save(std::vector<float>{1}, "0.holder.x.0");
        };
    };
    CHECK(loaded_from<holder<std::vector<std::vector<float>>>>(crafted("holder", list(1))).x.size() == 1);
    CHECK(message_of<std::vector<std::vector<float>>>(list(2)) == "the field 0.holder.x has 1 elements, not 2");
    CHECK(message_of<std::vector<std::vector<float>>>(list(UINT64_MAX)) == "the field 0.holder.x has 1 elements, not 18446744073709551615");
    CHECK(refusal<holder<std::vector<std::vector<float>>>>(crafted("holder", list(0))).code() == errc::bad_format);  // one too many
    CHECK(message_of<std::optional<float>>([](field_writer& out) { out.save(true, "0.holder.x.present"); }) == "the field 0.holder.x.value is missing");
    CHECK(refusal<holder<std::optional<float>>>(crafted("holder", [](field_writer& out) {
              out.save(false, "0.holder.x.present");
              out.save(1.f, "0.holder.x.value");
          })).code() == errc::bad_format);
    CHECK(error_of([] { (void)to_bytes(holder<std::vector<halve_model>>{{halve_model{}}}); }).code() == errc::bad_parameter);
}
TEST_CASE("model_file: a field added later has its default in older files", "[model_file]") {
    const auto model = loaded_from<later_scale_model>(bytes_of(scale_model(2)));
    CHECK(model.factor == 2);
    CHECK(model.shift == 0.25f);
    CHECK(model.names == std::vector<std::string>{"none"});
    const auto again = loaded_from<later_scale_model>(bytes_of(later_scale_model{3, 4, {"a", "b"}}));
    CHECK((again.factor == 3 && again.shift == 4 && again.names.size() == 2));
    CHECK(refusal<scale_model>(bytes_of(later_scale_model{3, 4, {}})).code() == errc::bad_format);  // an older library meets a newer model
    CHECK(refusal<later_scale_model>(crafted("scale", [](field_writer& out) { out.save(1.f, "0.scale.shift"); })).code() == errc::bad_format);
}
TEST_CASE("model_file: a failing save leaves the old file", "[model_file][error]") {
    const temporary_folder folder;
    save(scale_model(2), folder / "a");
    const std::string before = text_of(read_file(folder / "a"));
    CHECK_THROWS_AS(save(scale_model(3), folder / "a", {.description = "\xFF"}), error);
    CHECK_THROWS_AS(save(scale_model(3), folder / "missing" / "a"), error);
    CHECK(text_of(read_file(folder / "a")) == before);
    CHECK(folder.names() == std::vector<std::string>{"a"});
    std::vector<std::byte> bytes = to_bytes(scale_model(2));
    CHECK_THROWS_AS(save(scale_model(3), bytes, {.description = "\xFF"}), error);
    CHECK(text_of(bytes) == before);
}
TEST_CASE("model_file: streams that fail", "[model_file][error]") {
    struct full : std::streambuf {
        std::streamsize xsputn(const char*, std::streamsize n) override { return n / 2; }
    } buffer;
    std::ostream out(&buffer);
    CHECK(error_of([&] { save(scale_model(2), out); }).code() == errc::io);
    std::ofstream closed;
    closed.setstate(std::ios::badbit);
    CHECK(error_of([&] { save(scale_model(2), closed); }).code() == errc::io);
    std::ifstream missing("/nonexistent/file");
    CHECK(error_of([&] { (void)load<scale_model>(missing); }).code() == errc::io);
    std::stringstream strict(bytes_of(scale_model(2)));
    strict.exceptions(std::ios::failbit | std::ios::badbit | std::ios::eofbit);
    CHECK(load<scale_model>(strict).fields() == std::tuple(2.f));
    std::stringstream large(std::string(100, 'x'));
    CHECK(error_of([&] { (void)load<scale_model>(large, {.file_bytes = 99}); }).code() == errc::limit_exceeded);
}
TEST_CASE("model_file: what is wrong with a file comes with its name", "[model_file][error]") {
    const temporary_folder folder;
    save(scale_model(2), folder / "a.safetensors");
    const error e = error_of([&] { (void)load<halve_model>(folder / "a.safetensors"); });
    CHECK((e.code() == errc::bad_format && std::string(e.what()) == "load: the file holds scale, asked for halve: " + (folder / "a.safetensors").string()));
    std::ofstream(folder / "b.safetensors", std::ios::binary) << bytes_of(scale_model(2)).substr(0, 20);
    const error cut = error_of([&] { (void)load<scale_model>(folder / "b.safetensors"); });
    CHECK((cut.where().byte > 0 && std::string(cut.what()).ends_with((folder / "b.safetensors").string())));
}
TEST_CASE("model_file: a model of several megabytes", "[model_file]") {
    const temporary_folder folder;
    holder<matrix<double>> model{matrix<double>(700, 900)};
    for (row_index i = 0; i < model.x.size(); ++i) model.x.data()[i] = static_cast<double>(i) * 0.1;
    save(model, folder / "a");
    CHECK(load<holder<matrix<double>>>(folder / "a").x == model.x);
    std::ifstream stream(folder / "a", std::ios::binary);
    CHECK(load<holder<matrix<double>>>(stream).x == model.x);
    CHECK(error_of([&] { (void)load<holder<matrix<double>>>(folder / "a", {.file_bytes = 1000}); }).code() == errc::limit_exceeded);
}
