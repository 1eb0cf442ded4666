#include <caramel/text/embedding_files.hpp>
#include <caramel/text/embedding_safetensors.hpp>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include <caramel/core/random.hpp>

#include "support/catch.hpp"
#include "support/shared_data.hpp"

using namespace caramel;

namespace {

using enum embedding_format;

word_vectors<float> made_vectors(std::size_t rows, std::size_t dim, std::uint64_t seed, token_id reserved = 0) {
    rng numbers(seed);
    std::vector<std::string> words;
    for (std::size_t i = 0; i < rows; ++i) words.push_back((i % 3 == 0 ? "订单" : i % 3 == 1 ? "é" : "word-") + std::to_string(i));
    auto values = make_tensor<float, 2>({rows + static_cast<std::size_t>(reserved), dim});
    for (std::size_t i = static_cast<std::size_t>(reserved) * dim; i < values.size(); ++i) values.data()[i] = static_cast<float>(numbers.normal());
    return {vocabulary(std::move(words), reserved), embedding_table<float>(std::move(values))};
}
bool equal(const word_vectors<float>& a, const word_vectors<float>& b) {
    return a.words() == b.words() && a.dim() == b.dim() && std::ranges::equal(a.table().flat(), b.table().flat());
}
error refused(std::string_view bytes, embedding_format format, const embedding_file_options& options = {}) {
    return error_of([&] { (void)parse_embeddings<float>(bytes, format, options); });
}

}  // namespace

TEST_CASE("embedding files: worked by hand", "[embedding_files]") {
    const auto text = parse_embeddings<double>("2 3\nthe 0.5 -1 2e-1 \r\n订单 1 2 3\n", word2vec_text);
    CHECK(text.words().tokens() == std::vector<std::string>{"the", "订单"});
    CHECK(std::vector<double>(text.table().flat().begin(), text.table().flat().end()) == std::vector<double>{0.5, -1, 0.2, 1, 2, 3});
    const auto glove = parse_embeddings<float>("the 0.5 1\n. . 2 3\n", glove_text);  // some of GloVe's words have spaces in them
    CHECK(glove.words().tokens() == std::vector<std::string>{"the", ". ."});
    CHECK((*glove.find(". ."))[1] == 3);
    CHECK(!glove.find("."));
    const auto binary = parse_embeddings<float>(std::string("2 1\na \0\0\x80\x3f\nb \0\0\0\x40", 17), word2vec_binary);
    CHECK((*binary.find("a"))[0] == 1);
    CHECK((*binary.find("b"))[0] == 2);
    const auto loose = parse_embeddings<float>(std::string("2 1\n\n\na \0\0\x80\x3f\n\n\nb \0\0\0\x40", 21), word2vec_binary);
    CHECK(loose.words().tokens() == std::vector<std::string>{"a", "b"});  // however many line ends stand before a word
}

TEST_CASE("embedding files: words that a format cannot keep are refused, others come back", "[embedding_files]") {
    const auto of = [](const char* first, const char* second) { return word_vectors<float>(vocabulary({first, second}), made_vectors(2, 3, 1).table()); };
    const auto keeps = [](const word_vectors<float>& all, embedding_format format, std::uint64_t row = 0) {
        if (row == 0) return equal(parse_embeddings<float>(format_embeddings(all, format), format), all);
        const error e = error_of([&] { (void)format_embeddings(all, format); });
        return e.code() == errc::bad_data && e.where() == place{.row = row};
    };
    const auto spaced = of("a", "new york"), spaced_first = of("new york", "a"), lined = of("a", "b\nc"), lined_first = of("\na", "b");
    CHECK((keeps(spaced, word2vec_text) && keeps(spaced, glove_text) && keeps(spaced, word2vec_binary, 2)));
    CHECK((keeps(spaced_first, word2vec_text) && keeps(spaced_first, glove_text, 1) && keeps(spaced_first, word2vec_binary, 1)));
    CHECK((keeps(lined, word2vec_text, 2) && keeps(lined, glove_text, 2) && keeps(lined, word2vec_binary)));
    CHECK((keeps(lined_first, word2vec_text, 1) && keeps(lined_first, glove_text, 1) && keeps(lined_first, word2vec_binary, 1)));
}

TEST_CASE("embedding files: written and read again, with the same bits, in blocks", "[embedding_files]") {
    const auto folder = std::filesystem::temp_directory_path() / ("caramel_embeddings_" + std::to_string(::getpid()));
    for (const auto format : {word2vec_text, word2vec_binary, glove_text}) {
        const auto all = made_vectors(9000, 20, 3);  // above one block of a megabyte in text
        const std::string bytes = format_embeddings(all, format);
        CHECK(equal(parse_embeddings<float>(bytes, format), all));
        std::ofstream(folder, std::ios::binary) << bytes;
        CHECK(equal(read_embeddings<float>(folder, format), all));
        const auto first = read_embeddings<float>(folder, format, {.max_rows = 7});
        CHECK(first.size() == 7);
        CHECK((*first.find("word-5"))[19] == (*all.find("word-5"))[19]);
    }
    std::filesystem::remove(folder);
    CHECK(error_of([&] { (void)read_embeddings<float>(folder, glove_text); }).code() == errc::io);
    const auto shifted = made_vectors(4, 2, 1, 1);
    CHECK(equal(parse_embeddings<float>(format_embeddings(shifted, word2vec_text), word2vec_text, {.reserved = 1}), shifted));
}

TEST_CASE("embedding files: only the words asked for", "[embedding_files]") {
    const auto all = made_vectors(30, 4, 1);
    for (const auto format : {word2vec_text, word2vec_binary, glove_text}) {
        const auto some = parse_embeddings<float>(format_embeddings(all, format), format, {.only = vocabulary({"word-8", "absent", "订单3"}, 1)});
        REQUIRE(some.size() == 4);
        CHECK(std::ranges::equal(some.table()[1], *all.find("word-8")));
        CHECK(std::ranges::equal(some.table()[3], *all.find("订单3")));
        for (const std::size_t zeros : {0U, 2U})
            for (const float x : some.table()[zeros]) CHECK(x == 0);
    }
}

TEST_CASE("embedding files: repeated words and words that are not UTF-8", "[embedding_files]") {
    const std::string_view twice = "3 1\na 1\nb 2\na 3\n";
    const error e = refused(twice, word2vec_text);
    CHECK(e.code() == errc::duplicate_token);
    CHECK(e.where() == place{.row = 4, .byte = 13});
    CHECK((*parse_embeddings<float>(twice, word2vec_text, {.repeated = repeated_words::keep_first}).find("a"))[0] == 1);
    CHECK((*parse_embeddings<float>(twice, word2vec_text, {.repeated = repeated_words::keep_last}).find("a"))[0] == 3);
    CHECK((*parse_embeddings<float>(twice, word2vec_text, {.only = vocabulary({"a"}), .repeated = repeated_words::keep_last}).find("a"))[0] == 3);
    const std::string_view broken = "ok 1\na\xFF\xC3z 2\n";
    const error bad = refused(broken, glove_text);
    CHECK(bad.code() == errc::bad_utf8);
    CHECK(bad.where() == place{.row = 2, .byte = 7});
    CHECK(parse_embeddings<float>(broken, glove_text, {.broken = broken_words::replace}).find("a\xEF\xBF\xBD\xEF\xBF\xBDz").has_value());
}

TEST_CASE("embedding files: what is wrong has its place", "[embedding_files][error]") {
    struct row {
        std::string_view bytes;
        embedding_format format;
        errc code;
        place where;
    };
    using namespace std::string_view_literals;
    for (const auto& [bytes, format, code, where] : {
             row{"", word2vec_text, errc::truncated, {.row = 1, .byte = 1}},
             row{"", glove_text, errc::empty_input, {}},
             row{"\n", glove_text, errc::bad_format, {.row = 1, .byte = 1}},
             row{"1 2 3\na 1 2\n", word2vec_text, errc::bad_format, {.row = 1, .byte = 1}},
             row{"-1 2\na 1 2\n", word2vec_text, errc::bad_format, {.row = 1, .byte = 1}},
             row{"1 0\na\n", word2vec_text, errc::limit_exceeded, {.row = 1, .byte = 1}},
             row{"1 99999\na 1\n", word2vec_text, errc::limit_exceeded, {.row = 1, .byte = 1}},
             row{"99999999999999999999 2\na 1 2\n", word2vec_text, errc::bad_format, {.row = 1, .byte = 1}},
             row{"18446744073709551615 65536\na 1 2\n", word2vec_text, errc::truncated, {.row = 1, .byte = 1}},
             row{"18446744073709551615 65536\na 1 2\n", word2vec_binary, errc::truncated, {.row = 1, .byte = 1}},
             row{"1 2\na 1 2\nb 3 4\n", word2vec_text, errc::trailing_data, {.row = 2, .byte = 11}},
             row{"2 2\na 1 2\nb 34567\n", word2vec_text, errc::ragged_row, {.row = 3, .byte = 11}},
             row{"a 1 2\nb 3x 4\n", glove_text, errc::bad_number, {.row = 2, .column = 1, .byte = 9}},
             row{"a 1 2\nb 3 nan\n", glove_text, errc::nan_or_inf, {.row = 2, .column = 2, .byte = 11}},
             row{"a 1 1e39\n", glove_text, errc::number_out_of_range, {.row = 1, .column = 2, .byte = 5}},
             row{"a 1 1e999\n", glove_text, errc::number_out_of_range, {.row = 1, .column = 2, .byte = 5}},
             row{" 1 2\n", word2vec_text, errc::bad_format, {.row = 1, .byte = 1}},
             row{"1 2\n 1 2\n", word2vec_text, errc::empty_token, {.row = 2, .byte = 5}},
             row{"1 1\na \0\0\xc0\x7f"sv, word2vec_binary, errc::nan_or_inf, {.row = 1, .column = 1, .byte = 7}},
             row{"1 1\na \0\0\x80\x3fmore"sv, word2vec_binary, errc::trailing_data, {.row = 1, .byte = 11}},
         }) {
        INFO(bytes);
        const error e = refused(bytes, format);
        CHECK(name_of(e.code()) == name_of(code));
        CHECK(e.where().row == where.row);
        CHECK(e.where().column == where.column);
        CHECK(e.where().byte == where.byte);
    }
    CHECK(refused("1 1\n" + std::string(1050, 'x') + " 1\n", word2vec_text).code() == errc::token_too_long);
    CHECK(refused("9 9\n" + std::string(2000, 'x'), word2vec_binary).code() == errc::token_too_long);
    CHECK(refused("a " + std::string(1U << 21, '1') + "\n", glove_text, {.max_dim = 4}).code() == errc::limit_exceeded);
    CHECK(refused("a 1 2\nb 1 2\n", glove_text, {.max_table_bytes = 8}).code() == errc::limit_exceeded);
    CHECK(refused("a 1\n", glove_text, {.reserved = -1}).code() == errc::bad_parameter);
}

TEST_CASE("embedding files: every truncation is refused", "[embedding_files][error]") {
    const auto all = made_vectors(5, 3, 2);
    for (const auto format : {word2vec_text, word2vec_binary}) {
        const std::string bytes = format_embeddings(all, format);
        // The last line's end is not part of every binary file.
        for (std::size_t n = 0; n + (format == word2vec_binary ? 1 : 0) < bytes.size(); ++n)
            CHECK_THROWS_AS(parse_embeddings<float>(std::string_view(bytes).substr(0, n), format), error);
    }
    const std::string glove = format_embeddings(all, glove_text);  // does not say how many rows there are
    for (std::size_t n = 0; n < glove.size(); ++n)
        if (n == 0 || glove[n - 1] != '\n') CHECK_THROWS_AS(parse_embeddings<float>(std::string_view(glove).substr(0, n), glove_text), error);
}

TEST_CASE("embedding files: altered bytes never do harm", "[embedding_files][error]") {
    rng random(5);
    for (const auto format : {word2vec_text, word2vec_binary, glove_text}) {
        const std::string bytes = format_embeddings(made_vectors(6, 3, 2), format);
        for (int i = 0; i < 2000; ++i) {
            std::string altered = bytes;
            for (std::uint64_t n = 1 + random.below(3); n-- > 0;) altered[random.below(altered.size())] = static_cast<char>(random.below(256));
            try {
                const auto read = parse_embeddings<float>(altered, format);
                CHECK(read.size() <= 7);
            } catch (const error& e) {
                CHECK(e.code() != errc::io);
            }
        }
    }
}

TEST_CASE("embedding files: those of word2vec, fastText and GloVe", "[embedding_files]") {
    SHARED_OR_SKIP(folder, "data/embedding_fixtures");
    const auto lee = read_embeddings<float>(folder / "lee_fasttext.vec", word2vec_text);
    CHECK(lee.size() == 1762);
    CHECK(lee.dim() == 10);
    CHECK((*lee.find("the"))[9] == 0.099763F);
    CHECK(read_embeddings<double>(folder / "crime-and-punishment.vec", word2vec_text).find("и").value()[0] == -0.11189);
    const auto c_text = read_embeddings<float>(folder / "word2vec_pre_kv_c", word2vec_text);
    CHECK(c_text.size() == 1750);
    CHECK((*c_text.find("the"))[1] == -1.975698F);
    const auto binary = read_embeddings<float>(folder / "euclidean_vectors.bin", word2vec_binary);
    CHECK(binary.dim() == 10);
    CHECK((*binary.find("the"))[0] == Approx(0.42145).epsilon(1e-4));
    CHECK(read_embeddings<float>(folder / "EN.1-10.cbow1_wind5_hs0_neg10_size300_smpl1e-05.txt", word2vec_text).dim() == 300);
    const auto glove = read_embeddings<float>(folder / "test_glove.txt", glove_text);
    CHECK(glove.dim() == 50);
    CHECK((*glove.find("the"))[1] == 0.24968F);
}

TEST_CASE("embedding files: a table from safetensors", "[embedding_files]") {
    const std::vector<float> single{1, 2, 3, 4, 5, 6};
    const std::vector<double> wide{.5, -1};
    const std::vector<std::uint16_t> half{0x3C00, 0xC000, 0x0001, 0x7BFF}, broken{0x7C00};
    const auto bytes_of = [](const auto& values) { return std::as_bytes(std::span(values)); };
    std::string file;
    const auto add = [&](std::string_view name, std::string_view type, std::size_t rows, std::size_t columns, auto bytes, std::string& header,
                         std::string& data) {
        header += std::string(header.empty() ? "{" : ",") + "\"" + std::string(name) + "\":{\"dtype\":\"" + std::string(type) + "\",\"shape\":[" +
                  std::to_string(rows) + (columns > 0 ? "," + std::to_string(columns) : "") + "],\"data_offsets\":[" + std::to_string(data.size()) + "," +
                  std::to_string(data.size() + bytes.size()) + "]}";
        data.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    };
    std::string header, data;
    add("single", "F32", 3, 2, bytes_of(single), header, data);
    add("wide", "F64", 1, 2, bytes_of(wide), header, data);
    add("half", "F16", 2, 2, bytes_of(half), header, data);
    add("brain", "BF16", 2, 2, bytes_of(half), header, data);
    add("broken", "F16", 1, 1, bytes_of(broken), header, data);
    add("flat", "F32", 6, 0, bytes_of(single), header, data);
    add("whole", "I32", 3, 2, bytes_of(single), header, data);
    header += "}";
    const std::uint64_t length = header.size();
    file.assign(reinterpret_cast<const char*>(&length), sizeof length);
    file += header + data;
    const auto parsed = parse_safetensors(std::as_bytes(std::span(file)));
    CHECK(embedding_of<double>(parsed, "single")[2][1] == 6);
    CHECK(embedding_of<float>(parsed, "wide")[0][0] == .5F);
    const auto halves = embedding_of<float>(parsed, "half");
    CHECK(std::vector<float>(halves.flat().begin(), halves.flat().end()) == std::vector<float>{1, -2, 0x1p-24F, 65504});
    CHECK(embedding_of<float>(parsed, "brain")[0][1] == -2);
    CHECK(error_of([&] { (void)embedding_of<float>(parsed, "broken"); }).code() == errc::nan_or_inf);
    CHECK(error_of([&] { (void)embedding_of<float>(parsed, "flat"); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { (void)embedding_of<float>(parsed, "whole"); }).code() == errc::bad_dtype);
    CHECK(error_of([&] { (void)embedding_of<float>(parsed, "absent"); }).code() == errc::missing_key);
}
