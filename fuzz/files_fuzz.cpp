// Files of numbers from hostile bytes: read, and then the same when written and read again, or refused by `caramel::error`.
// 0 CSV (a byte chooses the dialect), 1 word vectors (a byte chooses format and options), 2 safetensors,
// 3 saved models (a byte chooses the type).

#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <caramel/core/workspace.hpp>
#include <caramel/data/csv.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/io/model_file.hpp>
#include <caramel/io/safetensors.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/text/bpe.hpp>
#include <caramel/text/chinese.hpp>
#include <caramel/text/embedding_files.hpp>
#include <caramel/text/embedding_safetensors.hpp>
#include <caramel/text/tokenizer.hpp>
#include <caramel/text/wordpiece.hpp>

#include "model_bytes.hpp"
#include "support.hpp"

using namespace caramel;

namespace {

using fuzz::bytes_of;
using fuzz::load_and_use;

void csv(std::string_view text) {
    const unsigned dialect = fuzz::take_byte(text);
    csv_options options;
    options.limits.columns = 200;
    if (dialect % 4 == 1) {
        options.delimiter = ';';
        options.decimal_comma = true;
    } else if (dialect % 4 == 2) {
        options.delimiter = '\t';
        options.missing = {"NA", "-"};
        options.types = {{"id", column_type::category}};
    } else if (dialect % 4 == 3) {
        options.schema = {{"id", column_type::category}, {"amount", column_type::number, true}};
        options.schema.push_back({"count", column_type::integer});
        options.schema.push_back({"at", column_type::timestamp, true});
    }
    (void)fuzz::accepts([&] {
        const table read = parse_csv(text, options);
        EXPECT(read.columns() > 0 && read.rows() <= text.size());
        for (std::size_t i = 0; i < read.columns(); ++i) EXPECT(find_bad_utf8(read.names()[i]) == std::string_view::npos);
        std::istringstream stream{std::string(text)};
        EXPECT(read_csv(stream, options) == read);
        if (options.decimal_comma) return;  // writing has points
        std::ostringstream out;
        write_csv(read, out, {.delimiter = options.delimiter, .defuse_formulas = false});
        if (options.schema.empty())  // what was read says the types
            for (std::size_t i = 0; i < read.columns(); ++i) options.schema.push_back({read.names()[i], read.column(i).type(), true});
        options.types.clear();
        options.missing.clear();
        EXPECT(parse_csv(out.view(), options) == read);
    });
}

void word_vectors_file(std::string_view text) {
    const unsigned choice = fuzz::take_byte(text);
    const auto format = static_cast<embedding_format>(choice % 3);
    embedding_file_options options{.reserved = static_cast<token_id>(choice / 4 % 2), .max_dim = 1000, .max_table_bytes = 1 << 20};
    options.repeated = static_cast<repeated_words>(choice / 8 % 3);
    if (choice / 32 % 2 != 0) options.broken = broken_words::replace;
    if (choice / 64 % 2 != 0) options.max_rows = 2;
    if (choice / 128 != 0) options.only = vocabulary({"the", "of", "\u4F60\u597D"});
    (void)fuzz::accepts([&] {
        const auto read = parse_embeddings<float>(text, format, options);
        EXPECT(read.words().size() == read.size() && read.size() * read.dim() <= text.size() + 2 * read.dim() + (options.only ? 3 * read.dim() : 0));
        if (read.size() <= static_cast<std::size_t>(read.words().reserved())) return;
        const std::string written = format_embeddings(read, format);
        const auto again = parse_embeddings<float>(written, format, {.reserved = read.words().reserved()});
        EXPECT(again.words() == read.words() && format_embeddings(again, format) == written);
    });
}

void safetensors(std::string_view text) {
    (void)fuzz::accepts([&] {
        const safetensors_file file = parse_safetensors(bytes_of(text));
        for (std::size_t i = 0; i < file.size(); ++i) {
            const tensor_view t = file[i];
            EXPECT(file.find(t.name) == i && t.bytes.size() == t.size() * size_of(t.type) && find_bad_utf8(t.name) == std::string_view::npos);
            std::uint64_t n = 1;
            for (std::size_t k = 0; k < t.shape.size(); ++k) n *= t.shape[k];
            EXPECT(n == t.size());
            if (t.type == dtype::f32) EXPECT(t.values<float>().size() == n);
            if (t.type == dtype::boolean) (void)fuzz::accepts([&] { (void)t.values<bool>(); });
            (void)fuzz::accepts([&] { EXPECT(embedding_of<float>(file, t.name).size() == t.shape[0]); });
        }
    });
    (void)fuzz::accepts([&] { (void)read_card(bytes_of(text)); });
}

void model_file(std::string_view text) {
    const unsigned choice = fuzz::take_byte(text);
    std::string copy(text);
    if (!fuzz::make_checksum_right(copy)) return;
    const std::string sample = "Hello, \u4F60\u597D w\u00F6rld!";
    const auto encode = [&](const auto& model) { (void)model.decode(model(sample)); };
    switch (choice % 5) {
        case 0:
            return load_and_use<standardize_model<double>>(copy, [](const auto& model) {
                workspace scratch;
                const std::vector<double> row(static_cast<std::size_t>(model.mean().size()), 1.5);
                EXPECT(model(std::span<const double>(row), scratch).size() == row.size());
            });
        case 1: return load_and_use<word_tokenizer_model>(copy, encode);
        case 2: return load_and_use<bpe_model>(copy, encode);
        case 3: return load_and_use<wordpiece_model>(copy, encode);
        default: return load_and_use<chinese_segmenter>(copy, [&](const auto& model) { (void)model(sample); });
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    return fuzz::run(data, size, {csv, word_vectors_file, safetensors, model_file});
}
