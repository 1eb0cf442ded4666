// The corpus of hostile files beside the project: each gets its verdict with row and column, those that are fine their values, none more
// memory than its size allows, and no message says anything of what stands in a file. Then files of our own that are large, by kinds.

#include <charconv>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <caramel/data/csv.hpp>
#include <caramel/io/file.hpp>
#include <caramel/io/safetensors.hpp>
#include <caramel/text/analogies.hpp>
#include <caramel/text/bpe_json.hpp>
#include <caramel/text/chinese_dictionary.hpp>
#include <caramel/text/embedding_files.hpp>
#include <caramel/text/tokenizer_json.hpp>
#include <caramel/text/vocabulary_file.hpp>
#include <caramel/text/wordpiece.hpp>

#include "io_support.hpp"
#include "support/catch.hpp"
#include "support/peak_memory.hpp"
#include "support/shared_data.hpp"

using namespace caramel;

namespace corpus_test {

namespace {

struct corpus_file {
    std::string loader, name, args, verdict;
    std::size_t row = 0, column = 0;
};
std::vector<corpus_file> index_of(const std::filesystem::path& corpus) {
    std::ifstream in(corpus / "index.tsv");
    std::vector<corpus_file> out;
    std::string line;
    std::getline(in, line);
    while (std::getline(in, line)) {
        std::istringstream parts(line);
        std::vector<std::string> f;
        for (std::string part; std::getline(parts, part, '\t');) f.push_back(part);
        if (f.at(3) == "bad_param") f[3] = "bad_parameter";  // what the corpus calls it
        out.push_back({f[0], f.at(1), f.at(2), f[3], std::stoull(f.at(4)), std::stoull(f.at(5))});
    }
    return out;
}

// ---- what was read, as text ------------------------------------------------------------------------------------------
template <class Number>
std::string shown(Number x) {
    char text[64];
    return {text, std::to_chars(text, text + sizeof text, x).ptr};
}
csv_options three_columns() {
    return {.schema = {{"id", column_type::category, false}, {"amount", column_type::number, false}, {"count", column_type::integer, false}}};
}
std::string shown(const table& t) {
    std::string out;
    const auto ids = t.categories("id");
    for (std::size_t row = 0; row < t.rows(); ++row)
        out += std::string(ids[row]) + "|" + shown(t.numbers("amount")[row]) + "|" + shown(t.integers("count")[row]) + ";";
    return out;
}
std::string shown(const safetensors_file& file) {
    std::string out;
    for (std::size_t i = 0; i < file.size(); ++i) {
        const tensor_view t = file[i];
        out += std::string(t.name) + ":" + std::string(name_of(t.type)) + "[";
        for (std::size_t k = 0; k < t.shape.size(); ++k) out += (k == 0 ? "" : ",") + std::to_string(t.shape[k]);
        out += "]=";
        if (t.type == dtype::f32)
            for (const float x : t.values<float>()) out += shown(x) + ",";
        else
            for (const std::byte b : t.bytes) out += std::to_string(std::to_integer<int>(b));
        out += ";";
    }
    for (const auto& [key, value] : file.metadata()) out += key + "=" + value + ";";
    return out;
}
std::string shown(const vocabulary& words) {
    std::string out;
    for (const std::string& token : words.tokens()) out += token + "|";
    return out;
}
std::string shown(const tokenizer_from_json<wordpiece_model>& read) {
    std::string out = shown(read.tokenizer.words());
    for (const added_token& a : read.tokenizer.added()) out += " +" + a.text + "=" + std::to_string(a.id) + (a.special ? " special" : "");
    return out + " " + read.tokenizer.rules().continuing + " " + std::to_string(read.tokenizer.rules().max_word_chars);
}
// Throws what the loader throws.
std::string read_as(std::string_view loader, const std::filesystem::path& path) {
    if (loader == "csv") return shown(read_csv(path, three_columns()));
    if (loader == "safetensors") return shown(read_safetensors(path));
    if (loader == "vocab") return shown(load_wordpiece(path).words());
    if (loader == "tokenizer") return shown(read_tokenizer_json(path));
    throw std::logic_error("a loader that the corpus test does not know");
}
const std::map<std::string, std::string>& values() {
    static const std::string special = "[PAD]|[UNK]|[CLS]|[SEP]|", zeros = "0,0,0,0,;";
    static const std::map<std::string, std::string> all{
        {"csv/ok_lf.csv", "a|1.5|2;b|-2000|3;"},
        {"csv/ok_crlf.csv", "a|1.5|2;"},
        {"csv/ok_bom.csv", "a|1|2;"},
        {"csv/ok_no_final_newline.csv", "a|1|2;"},
        {"csv/ok_quoted.csv", "a,\"x\"\nline|1|2;"},
        {"csv/ok_column_order.csv", "a|1.5|2;"},
        {"csv/ok_unicode.csv", "Zo\u00EB \u00C5 \u6F22\u5B57 \U0001F600|1|2;"},
        {"csv/ok_header_only.csv", ""},
        {"csv/ok_empty_string_field.csv", "|1|2;"},
        {"csv/ok_limits_i64.csv", "a|1|9223372036854775807;b|1|-9223372036854775808;"},
        {"csv/ok_f64_max.csv", "a|1.7976931348623157e+308|0;b|-0|0;"},
        {"csv/long_fraction.csv", "a|0.1111111111111111|2;"},
        {"csv/formula.csv", "=cmd|' /C calc'!A0|1|2;"},
        {"csv/html.csv", "<!DOCTYPE html><html>|1|2;"},
        {"safetensors/ok_one.safetensors", "w:F32[2,2]=" + zeros},
        {"safetensors/ok_empty.safetensors", ""},
        {"safetensors/ok_metadata.safetensors", "w:F32[2,2]=" + zeros + "format=pt;"},
        {"safetensors/ok_scalar.safetensors", "w:F32[]=0,;"},
        {"safetensors/ok_zero_dim.safetensors", "w:F32[2,0]=;"},
        {"safetensors/ok_padded.safetensors", "w:F32[2,2]=" + zeros},
        {"safetensors/ok_unordered.safetensors", "a:F32[2,2]=" + zeros + "b:F32[2,2]=" + zeros},
        {"safetensors/ok_nan_values.safetensors", "w:F32[1]=nan,;"},
        {"safetensors/ok_all_dtypes.safetensors",
         "F64:F64[1]=00000000;I64:I64[1]=00000000;U64:U64[1]=00000000;F32:F32[1]=0,;I32:I32[1]=0000;U32:U32[1]=0000;F16:F16[1]=00;BF16:BF16[1]=00;"
         "I16:I16[1]=00;U16:U16[1]=00;I8:I8[1]=0;U8:U8[1]=0;BOOL:BOOL[1]=0;"},
        {"safetensors/ok_dim_at_limit.safetensors", "w:U8[2147483648,0]=;"},
        {"vocab/ok.txt", special + "the|##s|"},
        {"vocab/ok_crlf.txt", special + "the|"},
        {"vocab/ok_bom.txt", special},
        {"vocab/ok_no_final_newline.txt", special + "the|"},
        {"vocab/ok_space_token.txt", special + " |\u00A0|"},
        {"vocab/ok_nfc_nfd.txt", special + "\u00E9|e\u0301|"},
        {"vocab/ok_unicode_separators.txt", special + "\u2028|\u0085|\v|"},
        {"tokenizer/ok.json", "[PAD]|[UNK]|the| ## 100"},
        {"tokenizer/ok_wordlevel.json", "[PAD]|[UNK]|the| ## 0"},
        {"tokenizer/ok_added.json", "[PAD]|[UNK]|the| +[UNK]=1 special +<user>=3 ## 100"},
        {"tokenizer/ok_escapes.json", "[UNK]|\U0001F600| ## 0"},
        {"tokenizer/ok_max_chars_limit.json", "[PAD]|[UNK]|the| ## 100000"},
    };
    return all;
}

// ---- nothing of a file in messages -----------------------------------------------------------------------------------
constexpr std::string_view canary = "Zo3-canary-77";

// The file with the canary in every cell below the header of CSV, in every line of a list, in every text of JSON.
std::string with_canary(std::string_view loader, std::string_view text) {
    std::string out;
    std::size_t row = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        out += c;
        if (c == '\n') ++row;
        if (loader == "csv" ? row > 0 && (c == '\n' || c == ',') : loader == "vocab" ? c == '\n' : c == '"') out += canary;
    }
    return out;
}

}  // namespace

TEST_CASE("corpus: every file gets its verdict, and what is read is what it says", "[corpus][error]") {
    SHARED_OR_SKIP(corpus, "corpus");
    std::size_t files = 0, failed = 0;
    const temporary_folder folder;
    for (const corpus_file& f : index_of(corpus)) {
        INFO(f.name);
        std::string found = "ok", read, message;
        place where;
        try {
            read = read_as(f.loader, corpus / f.name);
        } catch (const error& e) {
            found = name_of(e.code());
            where = e.where();
            message = e.what();
        }
        INFO(found << ", row " << where.row << ", column " << where.column << ": " << message);
        bool good = found == f.verdict && (f.row == 0 || where.row == f.row) && (f.column == 0 || where.column == f.column);
        if (found == "ok") good = good && values().contains(f.name) && values().at(f.name) == read;
        INFO(read);
        CHECK(good);

        const auto bytes = read_file(corpus / f.name);
        std::ofstream(folder / "a", std::ios::binary) << with_canary(f.loader, text_of(bytes));
        try {
            (void)read_as(f.loader, folder / "a");
        } catch (const error& e) {
            message += e.what();
        }
        INFO(message);
        const bool silent = message.find(canary) == std::string::npos;
        CHECK(silent);
        ++files;
        failed += !(good && silent);
    }
    CHECK(files >= 210);
    std::cout << "corpus: " << files << " files, " << failed << " failed\n";
}

#if CARAMEL_TESTS_COUNT_MEMORY
TEST_CASE("corpus: no file takes more than twice its size and a mebibyte", "[corpus][memory]") {
    SHARED_OR_SKIP(corpus, "corpus");
    for (const corpus_file& f : index_of(corpus)) {
        const auto bytes = static_cast<std::size_t>(std::filesystem::file_size(corpus / f.name));
        const std::filesystem::path path = corpus / f.name;
        std::string found = "ok";
        found.reserve(100);
        const auto taken = peak_memory::by([&] {
            try {
                if (f.loader == "vocab") (void)read_vocabulary(path);
                else if (f.loader == "csv") (void)read_csv(path, three_columns());
                else if (f.loader == "safetensors") (void)read_safetensors(path);
                else (void)read_tokenizer_json(path);
            } catch (const error& e) {
                found = name_of(e.code());
            }
        });
        INFO(f.name << " of " << bytes << " bytes, " << found << ": " << taken.peak << " at most, " << taken.largest << " at once");
        CHECK(taken.peak <= 2 * bytes + (std::size_t{1} << 20));
        // What a hostile file claims is refused before anything is taken for it: the file itself, and small things.
        if (f.verdict != "ok" && f.loader != "csv") CHECK(taken.largest <= std::max<std::size_t>(std::size_t{64} << 10, bytes + 64));
    }
}
#endif

// ---- large files of every kind: twice the input, about twice the work ----------------------------------------------------
namespace {

// A loader on an input that grows with `n`. What it refuses counts as well.
struct growing {
    std::string name;
    std::string (*input)(std::size_t n);
    void (*read)(const std::string& text);
};
std::string lines(std::size_t n, std::string (*line)(std::size_t)) {
    std::string out;
    for (std::size_t i = 0; i < n; ++i) out += line(i) + "\n";
    return out;
}
void as_csv(const std::string& text) { (void)parse_csv(text, {.limits = {.columns = 1U << 20}}); }
void as_vocabulary(const std::string& text) { (void)parse_vocabulary(std::string_view(text)); }
void as_header(const std::string& text) { (void)parse_safetensors(as_bytes_of(text), {.tensors = 1U << 20}); }
void as_tokenizer(const std::string& text) { (void)parse_tokenizer_json(text); }
void as_merges(const std::string& text) {
    static const vocabulary tokens({"a", "b", "ab"});
    (void)parse_bpe_merges(std::string_view(text), tokens);
}
void as_dictionary(const std::string& text) { (void)parse_chinese_dictionary(std::string_view(text)); }
void as_vectors(const std::string& text) { (void)parse_embeddings<float>(text, embedding_format::glove_text); }
void as_pairs(const std::string& text) { (void)parse_word_pairs(text); }
void as_analogies(const std::string& text) { (void)parse_analogies(text); }

// 16 bytes that the hash of texts cannot tell apart, whatever its seed (see tests/core/string_numbers_test.cpp); as letters they would
// not collide, so this is as bad as printable text gets: lines that differ in their middle alone.
std::string alike(std::size_t i) { return std::string(24, 'x') + std::to_string(1'000'000 + i) + std::string(24, 'y'); }

const std::vector<growing>& all_growing() {
    static const std::vector<growing> all{
        {"csv: many rows", [](std::size_t n) { return "a,b\n" + lines(n, [](std::size_t i) { return std::to_string(i) + ",x" + std::to_string(i % 7); }); }, as_csv},
        {"csv: distinct texts", [](std::size_t n) { return "a,b\n" + lines(n, [](std::size_t i) { return alike(i) + ",1"; }); }, as_csv},
        {"csv: one long cell", [](std::size_t n) { return "a,b\n\"" + std::string(n, 'x') + "\",1\n"; }, as_csv},
        {"csv: quotes", [](std::size_t n) { return "a,b\n\"" + std::string(2 * n, '"') + "\",1\n"; }, as_csv},
        {"csv: many columns", [](std::size_t n) { return lines(n, [](std::size_t i) { return std::string(1, 'c') + std::to_string(i) + ","; }); }, as_csv},
        {"csv: a wide header",
         [](std::size_t n) {
             std::string out = "a";
             for (std::size_t i = 0; i < n; ++i) out += ",c" + std::to_string(i);
             return out + "\n" + std::string(n, ',') + "\n";
         },
         as_csv},
        {"csv: line ends", [](std::size_t n) { return "a\n" + std::string(n, '\n'); }, as_csv},
        {"safetensors: many tensors",
         [](std::size_t n) {
             std::string header = "{";
             for (std::size_t i = 0; i < n; ++i) header += "\"" + alike(i) + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)";
             header.back() = '}';
             return container(header);
         },
         as_header},
        {"safetensors: long names", [](std::size_t n) { return container("{\"" + std::string(n, 'x') + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})"); },
         as_header},
        {"safetensors: escaped names",
         [](std::size_t n) {
             std::string name;
             for (std::size_t i = 0; i < n; ++i) name += "\\u0041";
             return container("{\"" + name + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})");
         },
         as_header},
        {"safetensors: brackets", [](std::size_t n) { return container("{\"a\":" + std::string(n, '[')); }, as_header},
        {"vocab: many tokens", [](std::size_t n) { return lines(n, alike); }, as_vocabulary},
        {"vocab: one long token", [](std::size_t n) { return std::string(n, 'x') + "\n"; }, as_vocabulary},
        {"tokenizer.json: many tokens",
         [](std::size_t n) {
             std::string out = R"({"version":"1.0","model":{"type":"WordLevel","unk_token":"[UNK]","vocab":{"[UNK]":0)";
             for (std::size_t i = 0; i < n; ++i) out += ",\"" + alike(i) + "\":" + std::to_string(i + 1);
             return out + "}}}";
         },
         as_tokenizer},
        {"tokenizer.json: many keys",
         [](std::size_t n) {
             std::string out = "{\"version\":\"1.0\"";
             for (std::size_t i = 0; i < n; ++i) out += ",\"" + alike(i) + "\":0";
             return out + "}";
         },
         as_tokenizer},
        {"tokenizer.json: a list of lists",
         [](std::size_t n) {
             std::string out = "[";
             for (std::size_t i = 0; i < n; ++i) out += "[],";
             return out + "[]]";
         },
         as_tokenizer},
        {"merges: many lines", [](std::size_t n) { return lines(n, [](std::size_t) { return std::string("a b"); }); }, as_merges},
        {"dictionary: many words", [](std::size_t n) { return lines(n, [](std::size_t i) { return alike(i) + " 3 n"; }); }, as_dictionary},
        {"vectors: many words", [](std::size_t n) { return lines(n, [](std::size_t i) { return alike(i) + " 1 2 3"; }); }, as_vectors},
        {"vectors: many numbers",
         [](std::size_t n) {
             std::string out = "word";
             for (std::size_t i = 0; i < n; ++i) out += " 1";
             return out + "\n";
         },
         as_vectors},
        {"pairs: many lines", [](std::size_t n) { return lines(n, [](std::size_t i) { return alike(i) + " b 1"; }); }, as_pairs},
        {"analogies: many lines", [](std::size_t n) { return lines(n, [](std::size_t i) { return alike(i) + " b c d"; }); }, as_analogies},
    };
    return all;
}
void tried(const growing& g, const std::string& text) {
    try {
        g.read(text);
    } catch (const error&) {
    }
}

}  // namespace

#if CARAMEL_TESTS_COUNT_MEMORY
TEST_CASE("corpus: twice the input takes about twice the blocks and bytes", "[corpus][memory]") {
    for (const growing& g : all_growing()) {
        const std::string once = g.input(8'000), twice = g.input(16'000);
        const auto a = peak_memory::by([&] { tried(g, once); }), b = peak_memory::by([&] { tried(g, twice); });
        INFO(g.name << ": " << a.blocks << " and " << b.blocks << " blocks, " << a.bytes << " and " << b.bytes << " bytes");
        // What is doubled where it is full may be doubled once more, so a step of a power of two is in between.
        CHECK(b.blocks <= 2 * a.blocks + a.blocks / 3 + 64);
        CHECK(b.bytes <= 2 * a.bytes + 4 * twice.size() + (std::size_t{1} << 16));
        CHECK(b.peak <= 64 * twice.size() + (std::size_t{4} << 20));
    }
}
#endif

TEST_CASE("corpus: twice the input takes about twice the time", "[.][corpus-times]") {  // printed; a timing decides nothing
    double worst = 0;
    for (const growing& g : all_growing()) {
        double seconds[2]{};
        std::size_t bytes = 0;
        for (const std::size_t k : {0U, 1U}) {
            const std::string text = g.input(std::size_t{100'000} << k);
            bytes = text.size();
            for (int round = 0; round < 3; ++round) {  // CPU time, the best of three
                const std::clock_t begin = std::clock();
                tried(g, text);
                const double taken = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
                if (round == 0 || taken < seconds[k]) seconds[k] = taken;
            }
        }
        const double ratio = seconds[1] / std::max(seconds[0], 1e-4);
        worst = std::max(worst, ratio);
        std::cout << "time: " << g.name << ": " << seconds[1] * 1e9 / static_cast<double>(bytes) << " ns a byte, " << ratio << " times for twice the input\n";
    }
    std::cout << "time: at most " << worst << " times for twice the input\n";
    CHECK(worst > 0);
}

}  // namespace corpus_test
