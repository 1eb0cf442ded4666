#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <limits>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <caramel/io/safetensors.hpp>

#include "io_support.hpp"
#include "support/catch.hpp"
#include "support/shared_data.hpp"

using namespace caramel;

namespace safetensors_test {

namespace {

std::string refusal(std::string_view file, const safetensors_limits& limits = {}) {
    return std::string(name_of(error_of([&] { (void)parse_safetensors(as_bytes_of(file), limits); }).code()));
}
// The name of the error, or "ok".
std::string verdict(const std::filesystem::path& path) {
    try {
        (void)read_safetensors(path);
    } catch (const error& e) {
        return std::string(name_of(e.code()));
    }
    return "ok";
}
std::string entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return R"({"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}
std::string one(const std::string& dtype, const std::string& shape, std::size_t bytes) {
    return container("{\"w\":" + entry(dtype, shape, "[0," + std::to_string(bytes) + "]") + "}", std::string(bytes, '\0'));
}

// name -> {accept, policy} of verdicts.json
struct verdict_handler : json_handler {
    verdict_handler() : json_handler("verdicts") {}
    struct row {
        bool accept = false, has_policy = false;
    };
    std::map<std::string, row> rows;
    std::string name;
    int depth = 0;

    void begin_object() override { ++depth; }
    void end_object() override { --depth; }
    void key(std::string& k) override {
        if (depth == 1) name = k;
        else if (k == "policy") rows[name].has_policy = true;
    }
    void boolean(bool x) override { rows[name].accept = x; }
    void string(std::string&) override {}
};

}  // namespace

TEST_CASE("safetensors: the verdicts of the oracle's hostile files", "[safetensors]") {
    SHARED_OR_SKIP(folder, "oracles/text/models/hostile");
    verdict_handler handler;
    read_json(text_of(read_file(folder / "verdicts.json")), handler);
    CHECK(handler.rows.size() > 35);
    int checked = 0;
    for (const auto& [name, row] : handler.rows) {
        const auto path = folder / (name + ".safetensors");
        if (!std::filesystem::exists(path)) continue;
        INFO(name);
        ++checked;
        if (name == "impl_leading_ws") CHECK(verdict(path) == "bad_json");           // the format's text wins: the header begins with {
        else if (name == "bad_many_dims") CHECK(verdict(path) == "too_many_dims");   // its own policy: at most 8 dimensions
        else CHECK((verdict(path) == "ok") == row.accept);
        CHECK(row.has_policy == (name == "bad_many_dims"));
    }
    CHECK(checked > 35);
}
TEST_CASE("safetensors: every type comes out with its values", "[safetensors]") {
    safetensors_writer out;
    const auto put = [&]<class T>(const std::string& name, std::vector<T> values) {
        out.add<T>(name, std::vector<std::uint64_t>{values.size()}, std::span<const T>(values));
    };
    put("i8", std::vector<std::int8_t>{-128, 127});
    put("u8", std::vector<std::uint8_t>{0, 255});
    put("i16", std::vector<std::int16_t>{-32768, 32767});
    put("u16", std::vector<std::uint16_t>{1, 65535});
    put("i32", std::vector<std::int32_t>{-2147483647 - 1, 2147483647});
    put("u32", std::vector<std::uint32_t>{1, 4294967295u});
    put("i64", std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::min(), 5});
    put("u64", std::vector<std::uint64_t>{std::numeric_limits<std::uint64_t>::max(), 5});
    put("f32", std::vector<float>{0.1f, -0.f, std::numeric_limits<float>::infinity()});
    put("f64", std::vector<double>{0.1, 5e-324, 1e308});
    const bool flags[] = {true, false, true};
    out.add<bool>("bool", std::vector<std::uint64_t>{3}, std::span<const bool>(flags));
    out.add("f16", dtype::f16, std::vector<std::uint64_t>{1, 2}, std::vector<std::byte>(4));
    out.add("bf16", dtype::bf16, std::vector<std::uint64_t>{}, std::vector<std::byte>(2));
    const auto file = parse_safetensors(out.finish());
    const auto get = [&](std::string_view name) { return file[file.find(name).value()]; };
    CHECK(file.size() == 13);
    CHECK(get("i8").values<std::int8_t>() == std::vector<std::int8_t>{-128, 127});
    CHECK(get("u8").values<std::uint8_t>() == std::vector<std::uint8_t>{0, 255});
    CHECK(get("i16").values<std::int16_t>() == std::vector<std::int16_t>{-32768, 32767});
    CHECK(get("u16").values<std::uint16_t>() == std::vector<std::uint16_t>{1, 65535});
    CHECK(get("i32").values<std::int32_t>() == std::vector<std::int32_t>{-2147483647 - 1, 2147483647});
    CHECK(get("u32").values<std::uint32_t>() == std::vector<std::uint32_t>{1, 4294967295u});
    CHECK(get("i64").values<std::int64_t>() == std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::min(), 5});
    CHECK(get("u64").values<std::uint64_t>() == std::vector<std::uint64_t>{std::numeric_limits<std::uint64_t>::max(), 5});
    CHECK(get("f32").values<float>() == std::vector<float>{0.1f, -0.f, std::numeric_limits<float>::infinity()});
    CHECK(std::signbit(get("f32").values<float>()[1]));
    CHECK(get("f64").values<double>() == std::vector<double>{0.1, 5e-324, 1e308});
    CHECK(get("bool").values<bool>() == std::vector<bool>{true, false, true});
    CHECK(get("f16").shape.size() == 2);
    CHECK(get("bf16").shape.empty());
    CHECK(get("bf16").size() == 1);
    CHECK(error_of([&] { (void)get("i32").values<float>(); }).code() == errc::bad_dtype);
    CHECK(error_of([&] { (void)get("u8").values<bool>(); }).code() == errc::bad_dtype);
    CHECK(!file.find("w"));
    CHECK(!file.find(""));
    CHECK(dtype_of<long> == dtype::i64);
    CHECK(dtype_of<std::size_t> == dtype::u64);
}
TEST_CASE("safetensors: a file worked out by hand", "[safetensors]") {
    const std::string header =
        R"({"__metadata__":{"k":"v","\u00e4":""},"b":{"shape":[2,1],"data_offsets":[4,8],"dtype":"I16"},"\u0061":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}   )";
    const std::string data("\x00\x00\x20\x40\x01\x00\xFF\xFF", 8);
    const std::string bytes = container(header, data);
    const auto file = parse_safetensors(as_bytes_of(bytes));
    REQUIRE(file.size() == 2);
    CHECK(file[0].name == "a");
    CHECK(file[0].values<float>() == std::vector<float>{2.5f});
    CHECK(file[1].name == "b");
    CHECK(file[1].values<std::int16_t>() == std::vector<std::int16_t>{1, -1});
    CHECK((file[1].shape.size() == 2 && file[1].shape[0] == 2 && file[1].shape[1] == 1));
    CHECK(file.metadata("k") == "v");
    CHECK(file.metadata().size() == 2);
    CHECK(file.metadata("\xC3\xA4").empty());
    CHECK(file.metadata("missing").empty());
    CHECK(file.bytes().size() == bytes.size());
    CHECK(file.lower_bound("aa") == 1);
    CHECK(file.lower_bound("c") == 2);
}
TEST_CASE("safetensors: a file that was read keeps its bytes when moved", "[safetensors]") {
    const temporary_folder folder;
    replace_file(folder / "a", as_bytes_of(one("U8", "[3]", 3)));
    auto first = read_safetensors(folder / "a");
    const auto second = std::move(first);
    CHECK(second[0].values<std::uint8_t>() == std::vector<std::uint8_t>{0, 0, 0});
    CHECK(second.find("w") == std::size_t{0});
    CHECK(error_of([&] { (void)read_safetensors(folder.path()); }).code() == errc::io);
    CHECK(error_of([&] { (void)read_safetensors(folder / "a", {.file_bytes = 10}); }).code() == errc::limit_exceeded);
}
TEST_CASE("safetensors: a boolean is 0 or 1", "[safetensors][error]") {
    const std::string bytes = container("{\"w\":" + entry("BOOL", "[1]", "[0,1]") + "}", "\x02");
    const auto file = parse_safetensors(as_bytes_of(bytes));
    CHECK(error_of([&] { (void)file[0].values<bool>(); }).code() == errc::bad_format);
    bool x = false;
    CHECK(error_of([&] { file[0].copy_to(&x); }).code() == errc::bad_format);
}
TEST_CASE("safetensors: limits, at them and one beyond", "[safetensors][error]") {
    CHECK(refusal(one("U8", "[1,1,1,1,1,1,1,1,1]", 1)) == "too_many_dims");
    CHECK(parse_safetensors(as_bytes_of(one("U8", "[1,1,1,1,1,1,1,1]", 1)))[0].shape.size() == 8);
    CHECK(refusal(one("U8", "[0,2147483649]", 0)) == "shape_overflow");
    CHECK(parse_safetensors(as_bytes_of(one("U8", "[0,2147483648]", 0)))[0].size() == 0);
    CHECK(refusal(one("F64", "[2147483648,2147483648,0]", 0)) == "shape_overflow");   // 2^65 bytes but for the zero
    CHECK(refusal(one("U8", "[5]", 5), {.dimension = 4}) == "shape_overflow");
    CHECK(refusal(one("U8", "[1,1]", 1), {.rank = 1}) == "too_many_dims");
    const std::string two = container("{\"a\":" + entry("U8", "[1]", "[0,1]") + ",\"b\":" + entry("U8", "[1]", "[1,2]") + "}", "xy");
    CHECK(parse_safetensors(as_bytes_of(two), {.tensors = 2}).size() == 2);
    CHECK(refusal(two, {.tensors = 1}) == "limit_exceeded");
    const std::string metadata = container(R"({"__metadata__":{"a":"","b":""}})");
    CHECK(parse_safetensors(as_bytes_of(metadata), {.metadata = 2}).metadata().size() == 2);
    CHECK(refusal(metadata, {.metadata = 1}) == "limit_exceeded");
    CHECK(refusal(container("{}" + std::string(100, ' ')), {.header_bytes = 101}) == "header_too_large");
    CHECK(parse_safetensors(as_bytes_of(container("{}" + std::string(100, ' '))), {.header_bytes = 102}).size() == 0);
}
TEST_CASE("safetensors: a header of 17 MiB is read when the caller allows it, one over 100 MB never", "[safetensors]") {
    const std::string large = container("{}" + std::string(std::size_t{17} << 20, ' '));
    CHECK(refusal(large) == "header_too_large");
    CHECK(parse_safetensors(as_bytes_of(large), {.header_bytes = std::size_t{18} << 20}).size() == 0);
    std::string length(8, '\0');
    const std::uint64_t n = 100'000'001;
    std::memcpy(length.data(), &n, 8);
    CHECK(refusal(length + "{}", {.header_bytes = std::size_t{1} << 40}) == "header_too_large");
}
TEST_CASE("safetensors: only spaces pad the header", "[safetensors][error]") {
    CHECK(parse_safetensors(as_bytes_of(container("{}  "))).size() == 0);
    CHECK(refusal(container("{}\n")) == "trailing_data");
    CHECK(refusal(container("{}\t ")) == "trailing_data");
    CHECK(refusal(container("  ")) == "bad_json");
}
TEST_CASE("safetensors: the place of an error is a byte of the file", "[safetensors][error]") {
    CHECK(error_of([&] { (void)parse_safetensors(as_bytes_of(container("{\"a\":[]}"))); }).where().byte == 8 + 6);
    CHECK(error_of([&] { (void)parse_safetensors(as_bytes_of(container("{\"\xFF\":1}"))); }).where().byte == 8 + 3);
    CHECK(error_of([&] { (void)parse_safetensors(as_bytes_of(container("{}", "x"))); }).where().byte == 8 + 3);
}
TEST_CASE("safetensors: every file cut short and every flipped bit of the length or a brace is refused or read, never more", "[safetensors][error]") {
    safetensors_writer out;
    out.add_metadata("a", "b");
    const std::vector<float> values{1, 2, 3, 4};
    out.add<float>("w", std::vector<std::uint64_t>{2, 2}, values);
    const std::string file = text_of(out.finish());
    for (std::size_t n = 0; n < file.size(); ++n) CHECK_THROWS_AS(parse_safetensors(as_bytes_of(file.substr(0, n))), error);
    for (std::size_t bit = 0; bit < file.size() * 8; ++bit) {
        std::string damaged = file;
        damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
        try {
            const auto read = parse_safetensors(as_bytes_of(damaged));
            for (std::size_t i = 0; i < read.size(); ++i) CHECK(read[i].bytes.size() <= 16);
        } catch (const error&) {
        }
    }
}
TEST_CASE("safetensors: the same tensors give the same bytes, aligned", "[safetensors]") {
    const std::vector<double> wide{1, 2};
    const std::vector<std::uint8_t> narrow{1, 2, 3};
    const auto write_in = [&](bool turned) {
        safetensors_writer out;
        if (turned) out.add<std::uint8_t>("a", std::vector<std::uint64_t>{3}, narrow);
        out.add<double>("z", std::vector<std::uint64_t>{2}, wide);
        if (!turned) out.add<std::uint8_t>("a", std::vector<std::uint64_t>{3}, narrow);
        out.add<double>("b", std::vector<std::uint64_t>{2}, wide);
        return text_of(out.finish());
    };
    const std::string bytes = write_in(false);
    CHECK(bytes == write_in(true));
    const auto file = parse_safetensors(as_bytes_of(bytes));
    CHECK((file[0].name == "b" && file[1].name == "z" && file[2].name == "a"));
    CHECK((file[0].bytes.data() - file.bytes().data()) % 8 == 0);
    CHECK(bytes.substr(8, 60).starts_with(R"({"b":{"dtype":"F64","shape":[2],"data_offsets":[0,16]},"z":)"));
}
TEST_CASE("safetensors: an empty file and empty tensors", "[safetensors]") {
    safetensors_writer out;
    CHECK(text_of(out.finish()) == container("{}      "));
    out.add<float>("a", std::vector<std::uint64_t>{0, 5}, std::span<const float>());
    out.add<float>("b", std::vector<std::uint64_t>{0}, std::span<const float>());
    const auto file = parse_safetensors(out.finish());
    CHECK(file.size() == 2);
    CHECK((file[0].shape[1] == 5 && file[0].size() == 0));
    CHECK(file[0].values<float>().empty());
}
TEST_CASE("safetensors: what the reader would refuse is not written", "[safetensors][error]") {
    const auto code = [](auto&& work) { return std::string(name_of(error_of(work).code())); };
    const std::vector<std::uint64_t> nine(9, 1), wide{(std::uint64_t{1} << 31) + 1, 0}, overflow{1u << 31, 1u << 31, 1u << 31, 0}, two{2};
    safetensors_writer out;
    CHECK(code([&] { out.add("a", dtype::u8, nine, std::vector<std::byte>(1)); }) == "too_many_dims");
    CHECK(code([&] { out.add("a", dtype::u8, wide, {}); }) == "limit_exceeded");
    CHECK(code([&] { out.add("a", dtype::u8, overflow, {}); }) == "limit_exceeded");
    CHECK(code([&] { out.add("a", dtype::u8, two, std::vector<std::byte>(3)); }) == "size_mismatch");
    CHECK(code([&] { out.add("__metadata__", dtype::u8, two, std::vector<std::byte>(2)); }) == "bad_parameter");
    out.add_metadata("k", "v");
    CHECK(code([&] { out.add_metadata("k", "w"); }) == "duplicate_key");
    out.add("a", dtype::u8, two, std::vector<std::byte>(2));
    out.add("a", dtype::u8, two, std::vector<std::byte>(2));
    CHECK(code([&] { (void)out.finish(); }) == "duplicate_key");
    safetensors_writer bad_name;
    bad_name.add("\xFF", dtype::u8, two, std::vector<std::byte>(2));
    CHECK(code([&] { (void)bad_name.finish(); }) == "bad_utf8");
    safetensors_writer long_text;
    long_text.add_metadata("k", std::string(200'000, 'x'));
    CHECK(code([&] { (void)long_text.finish(); }) == "limit_exceeded");
}

}  // namespace safetensors_test
