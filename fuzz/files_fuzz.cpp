// Files of numbers from hostile bytes: read, and then the same when written and read again, or refused by `caramel::error`.
// 0 CSV (a byte chooses the dialect), 1 word vectors (a byte chooses format and options), 2 safetensors.

#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <caramel/data/csv.hpp>
#include <caramel/io/model_file.hpp>
#include <caramel/io/safetensors.hpp>
#include <caramel/text/embedding_files.hpp>
#include <caramel/text/embedding_safetensors.hpp>

#include "model_bytes.hpp"
#include "support.hpp"

using namespace caramel;

namespace {

using fuzz::bytes_of;

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
        if (dialect / 4 % 4 == 0) {  // a stream is read by blocks of 64 KiB, which takes longer than all else
            std::istringstream stream{std::string(text)};
            EXPECT(read_csv(stream, options) == read);
        }
        if (options.decimal_comma || dialect / 16 % 2 != 0) return;  // writing has points
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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    return fuzz::run<csv, word_vectors_file, safetensors>(data, size);
}
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t room, unsigned seed) {
    return fuzz::mutate(data, size, room, [&](std::uint8_t* bytes, std::size_t n, std::size_t most) {
        fuzz::chooser choose(seed);
        return fuzz::only_trial == 2 && choose(2) == 0 ? fuzz::mutate_tensors(bytes, n, most, choose) : LLVMFuzzerMutate(bytes, n, most);
    });
}
