// A reader written from docs/format.md alone, in Python with numpy, finds in a saved file what was put in.

#include <caramel/io/file.hpp>

#if CARAMEL_POSIX_FILES
#include <array>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include <caramel/core/matrix.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/core/tensor.hpp>
#include <caramel/features/concat.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/io/model_file.hpp>

#include "io_support.hpp"
#include "support/catch.hpp"

using namespace caramel;

namespace python_reader_test {

namespace {

struct sample_part {
    std::string name{};
    double weight = 0;
    static constexpr std::array field_names{"name", "weight"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(name, weight); }
};
struct sample_model {
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "sample";
    std::vector<std::string> words{};
    matrix<float> weights{};
    std::vector<bool> flags{};
    std::chrono::sys_seconds since{};
    std::vector<sample_part> parts{};
    std::optional<std::int8_t> shift{};
    ragged<std::int32_t> ids{};
    tensor<double, 3> cube{};
    static constexpr std::array field_names{"words", "weights", "flags", "since", "parts", "shift", "ids", "cube"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(words, weights, flags, since, parts, shift, ids, cube); }
    matrix<float> operator()(const matrix<float>& x) const { return x; }
};

struct outcome {
    int status;
    std::string text;
};
outcome run(const std::string& command) {
    FILE* const pipe = popen((command + " 2>&1").c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::string text;
    std::array<char, 4096> block{};
    while (const std::size_t got = std::fread(block.data(), 1, block.size(), pipe)) text.append(block.data(), got);
    return {pclose(pipe), text};
}
std::optional<std::string> python_with_numpy() {
    for (const std::string python : {"/usr/bin/python3", "python3"})
        if (run(python + " -c 'import numpy'").status == 0) return python;
    return std::nullopt;
}

}  // namespace

TEST_CASE("python_reader: a reader with numpy alone finds every field", "[model_file][python]") {
    const auto python = python_with_numpy();
    if (!python) {
        WARN("skipped: no python3 with numpy on this machine");
        return;
    }
    matrix<float> weights(2, 3);
    weights << 1, 2, 3, 4, 5, -0.5f;
    auto cube = make_tensor<double, 3>({1, 2, 2});
    cube(0, 1, 0) = 1e-300;
    const sample_model sample{.words = {"", "caf\xC3\xA9", "a\"b\\\n"},
                              .weights = weights,
                              .flags = {true, false},
                              .since = std::chrono::sys_seconds(std::chrono::seconds(1'700'000'000)),
                              .parts = {{"first", 0.1}, {"second", -2}},
                              .shift = std::int8_t{-3},
                              .ids = ragged<std::int32_t>({7, 8, 9}, {0, 1, 1, 3}),
                              .cube = cube};
    vec<double> mean(2), deviation(2);
    mean << 0.25, -1;
    deviation << 1, 2;
    const auto model = concat(standardize_model<double>(mean, deviation)) | sample;
    const temporary_folder folder;
    const std::string path = (folder / "a.safetensors").string();
    save(
        model, path,
        {.description = "a \"small\" one", .trained_at = "2026-01-31", .rows = 12, .columns = {"x", "y"}, .metrics = {{"auc", 0.75}}, .notes = {{"by", "us"}}});

    const std::string reader = *python + " '" CARAMEL_TESTS_DIR "/io/read_model.py' '";
    const outcome out = run(reader + path + "'");
    CHECK(out.status == 0);
    CHECK(out.text ==
          "format 1\n"
          "kinds concat(standardize)|sample\n"
          "card {\"columns\": [\"x\", \"y\"], \"description\": \"a \\\"small\\\" one\", \"metrics\": {\"auc\": 0.75}, \"notes\": {\"by\": \"us\"}, \"rows\": "
          "12, \"trained_at\": \"2026-01-31\"}\n"
          "0.concat.0.standardize.deviation float64 2 1.0 2.0\n"
          "0.concat.0.standardize.mean float64 2 0.25 -1.0\n"
          "1.sample.cube float64 1x2x2 0.0 0.0 1e-300 0.0\n"
          "1.sample.flags bool 2 True False\n"
          "1.sample.ids.starts int64 4 0 1 1 3\n"
          "1.sample.ids.values int32 3 7 8 9\n"
          "1.sample.parts.0.name strings \"first\"\n"
          "1.sample.parts.0.weight float64 single 0.1\n"
          "1.sample.parts.1.name strings \"second\"\n"
          "1.sample.parts.1.weight float64 single -2.0\n"
          "1.sample.parts.count uint64 single 2\n"
          "1.sample.shift.present bool single True\n"
          "1.sample.shift.value int8 single -3\n"
          "1.sample.since int64 single 1700000000\n"
          "1.sample.weights float32 2x3 1.0 2.0 3.0 4.0 5.0 -0.5\n"
          "1.sample.words strings \"\" \"caf\\u00e9\" \"a\\\"b\\\\\\n\"\n");

    std::string damaged = text_of(read_file(path));
    damaged.back() = static_cast<char>(damaged.back() ^ 1);
    replace_file(path, as_bytes_of(damaged));
    const outcome refused = run(reader + path + "'");
    CHECK(refused.status != 0);
    CHECK(refused.text.find("the checksum does not fit") != std::string::npos);
}

}  // namespace python_reader_test
#endif
