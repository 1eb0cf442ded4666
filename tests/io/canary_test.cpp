// Errors name the function, the place and the sizes, never what the data say: a text and a number that stand in cells, ids, texts,
// tokens and files are looked for in every message. (Names of columns that the host wrote may be named; so may kinds in a file.)
#include <cstddef>
#include <exception>
#include <limits>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <caramel/data/csv.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/data/table.hpp>
#include <caramel/data/transactions.hpp>
#include <caramel/features/encode.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/io/model_file.hpp>
#include <caramel/io/safetensors.hpp>
#include <caramel/recommend/popularity.hpp>
#include <caramel/text/analogies.hpp>
#include <caramel/text/bpe_json.hpp>
#include <caramel/text/bpe_tokenizer_json.hpp>
#include <caramel/text/chinese.hpp>
#include <caramel/text/embedding_files.hpp>
#include <caramel/text/embedding_safetensors.hpp>
#include <caramel/text/tokenizer.hpp>
#include <caramel/text/tokenizer_json.hpp>
#include <caramel/text/vocabulary.hpp>

#include "io/io_support.hpp"
#include "support/catch.hpp"

namespace canary_test {

using namespace caramel;

const std::string text = "Quetzalcoatl";  // "etzalc" stands in no message of ours
const std::string number = "79131";

// The work must fail with an `error` that says nothing of the canaries.
template <class Work>
void check_silent(std::string_view what, const Work& work) {
    INFO(what);
    std::string said;
    try {
        work();
    } catch (const error& e) {
        said = e.what();
    }
    INFO(said);
    CHECK(said.size() > 5);
    CHECK(said.find("etzalc") == std::string::npos);
    CHECK(said.find("etzal") == std::string::npos);
    CHECK(said.find("7913") == std::string::npos);
}

TEST_CASE("errors: nothing of a CSV file's cells", "[canary][csv][error]") {
    const csv_options typed{.schema = {{"id", column_type::category}, {"amount", column_type::number}, {"count", column_type::integer}, {"at", column_type::timestamp}}};
    const std::string header = "id,amount,count,at\n", good = text + ',' + number + ",1,2020-01-01\n";
    const auto refused = [&](std::string_view what, const std::string& row) {
        check_silent(what, [&] { (void)parse_csv(header + good + row, typed); });
        check_silent(what, [&] {
            std::istringstream in(header + good + row);
            (void)read_csv(in, typed);
        });
    };
    refused("a text for a number", "a," + text + ",1,2020-01-01\n");
    refused("two points", "a," + number + ".1.1,1,2020-01-01\n");
    refused("too large", "a," + number + "e999,1,2020-01-01\n");
    refused("no integer", "a,1," + number + ".5,2020-01-01\n");
    refused("an integer too large", "a,1," + number + "0000000000000000000,2020-01-01\n");
    refused("no time", "a,1,1," + text + "\n");
    refused("no day", "a,1,1," + number + "-99-99\n");
    refused("missing", text + ",,1,2020-01-01\n");
    refused("too many fields", text + ",1,1,2020-01-01," + number + "\n");
    refused("too few fields", text + ',' + number + '\n');
    refused("after a quote", "\"" + text + "\"" + number + ",1,1,2020-01-01\n");
    refused("no end of a quote", "\"" + text + ",1,1,2020-01-01\n");
    refused("a bare carriage return", text + "\r" + number + ",1,1,2020-01-01\n");
    refused("not UTF-8", text + "\xFF,1,1,2020-01-01\n");
    refused("a null byte", text + std::string(1, '\0') + ",1,1,2020-01-01\n");
    auto narrow = typed;
    narrow.limits.field_bytes = 8;
    check_silent("too long a field", [&] { (void)parse_csv(header + good, narrow); });
    check_silent("no such column", [&] { (void)parse_csv(text + ',' + number + "\n1,2\n", typed); });
    check_silent("a header alone that is not UTF-8", [&] { (void)parse_csv(text + "\xFF\n1\n"); });
}

TEST_CASE("errors: nothing of a table's cells or of ids", "[canary][table][error]") {
    const std::string one = text + " 1", two = text + " 2";
    table learnt, asked;
    learnt.add_column("who", std::vector<std::string>{one, one});
    asked.add_column("who", std::vector<std::string>{one, two});
    check_silent("a new level", [&] { (void)fit(encode<double>{.unknown = unknown_level::refuse}, learnt)(asked); });
    check_silent("a new level", [&] { (void)fit(ordinal_encode<double>{.refuse_unknown = true}, learnt)(asked); });
    check_silent("a level that the order lacks", [&] { (void)fit(ordinal_encode<double>{.orders = {{"who", {one}}}, .refuse_unknown = true}, learnt)(asked); });
    check_silent("too many levels", [&] { (void)fit(encode<double>{.max_levels = 1}, asked); });
    check_silent("no positive value", [&] { (void)labels_of(learnt, "who", two); });
    check_silent("texts for numbers", [&] { (void)learnt.numbers("who"); });
    check_silent("not UTF-8", [&] { learnt.add_column("bad", std::vector<std::string>{text + "\xFF", ""}); });
    check_silent("not finite", [&] { learnt.add_column("bad", std::vector<double>{79131, std::numeric_limits<double>::infinity()}); });
    table large;
    large.add_column("n", std::vector<double>{7.9131e300});
    check_silent("beyond float", [&] { (void)fit(encode<float>{}, large)(large); });

    struct sale {
        std::string customer;
        std::int64_t item;
    };
    const std::vector<sale> sales{{one, 79131}, {one, 2}};
    const auto bought = interactions<float>::of(sales);
    const auto model = fit(popularity<float>{}, bought);
    check_silent("an unknown customer", [&] { (void)model(std::vector<query>{{.customer = two}}); });
    check_silent("a number for a text", [&] { (void)model(std::vector<query>{{.customer = 79131}}); });
    check_silent("no such row", [&] { (void)model.score(one, std::vector<any_id>{791313}); });
    check_silent("an id that is not in the given table", [&] {
        const auto known = bought.customers();
        (void)interactions<float>::of(std::vector<sale>{{two, 79131}}, {.customers = &known});
    });

    table log;
    log.add_column("customer", std::vector<std::string>{one, one});
    log.add_column("item", std::vector<std::string>{number, text});
    log.add_column("quantity", std::vector<std::string>{number, text});
    const auto transacted = transactions::from(log);
    check_silent("no such customer", [&] { (void)transacted.customer_number(two); });
    check_silent("no such item", [&] { (void)transacted.item_number(two); });
    check_silent("a quantity that is none", [&] { (void)transactions::from(log, {.quantity = "quantity"}); });
    check_silent("too many", [&] {
        const std::vector<double> row{79131, std::numeric_limits<double>::quiet_NaN()};
        (void)standardize_model<double>(vec<double>::Zero(2), vec<double>::Ones(2))(Eigen::Map<const matrix<double>>(row.data(), 1, 2));
    });
}

vocabulary vocabulary_in(const std::string& file) { return parse_vocabulary(std::string_view(file)); }

TEST_CASE("errors: nothing of texts, words and vocabularies", "[canary][text][error]") {
    check_silent("not UTF-8", [] { (void)fit(word_tokenizer{}, std::vector<std::string>{"good", text + "\xFF"}); });
    check_silent("not UTF-8", [] { (void)fit(word_tokenizer{}, std::vector<std::string>{text})(std::vector<std::string>{text + "\xC0\x80"}); });
    check_silent("a token twice", [] { (void)vocabulary_in("[UNK]\n" + text + "\n" + text + "\n"); });
    check_silent("an empty token", [] { (void)vocabulary_in("[UNK]\n" + text + "\n\n" + number + "\n"); });
    check_silent("not UTF-8", [] { (void)vocabulary_in("[UNK]\n" + text + "\xFF\n"); });
    check_silent("no [UNK]", [] { (void)make_wordpiece(vocabulary_in(text + "\n" + number + "\n")); });
    check_silent("words twice", [] { (void)vocabulary({text, text}); });

    const auto words = [](const std::string& file) { check_silent(file, [&] { (void)parse_embeddings<float>(file, embedding_format::glove_text); }); };
    words(text + " 1 2\n" + text + "2 1 " + text + "\n");
    words(text + " 1 2\n" + text + "2 1\n");
    words(text + " 1 " + number + "e99\n");
    words(text + " 1 nan\n");
    words(text + "\xFF 1 2\n");
    check_silent("repeated", [] { (void)parse_embeddings<float>(text + " 1 2\n" + text + " 1 2\n", embedding_format::glove_text, {.repeated = repeated_words::refuse}); });

    check_silent("a count that is none", [] { (void)parse_chinese_dictionary(text + " 1 n\n" + text + "x y" + number + " n\n"); });
    check_silent("not UTF-8", [] { (void)parse_chinese_dictionary(text + "\xFF 1 n\n"); });
    check_silent("a user's word", [] { (void)parse_user_words(text + "\xFF 1 n\n"); });
    check_silent("a pair of words", [] { (void)parse_word_pairs(text + " " + text + " " + text + "\n"); });
    check_silent("a pair of words", [] { (void)parse_word_pairs(text + " " + number + "\n"); });
}

TEST_CASE("errors: nothing of JSON, safetensors and saved models", "[canary][json][safetensors][error]") {
    const auto json = [](const std::string& file) {
        check_silent(file, [&] { (void)parse_tokenizer_json<wordpiece_model>(file); });
        check_silent(file, [&] { (void)parse_tokenizer_json<bpe_model>(file); });
        check_silent(file, [&] { (void)parse_bpe_vocabulary(file); });
    };
    const std::string q = '"' + text + '"';
    json("{" + q + ": " + text);
    json("{" + q + ": 1, " + q + ": 2}");
    json("{" + q + ": \"" + text + "\xFF\"}");
    json("{" + q + ": " + number + "e99999}");
    json("{" + q + ": [" + q + "]}");
    json(q);
    const auto wordpiece_json = [&](const std::string& vocab, const std::string& more) {
        const std::string file = "{\"model\": {\"type\": \"WordPiece\", \"unk_token\": " + q + ", \"continuing_subword_prefix\": \"##\", \"max_input_chars_per_word\": 100, \"vocab\": " +
                                 vocab + "}" + more + "}";
        check_silent(file, [&] { (void)parse_tokenizer_json<wordpiece_model>(file); });
    };
    wordpiece_json("{\"a\": 0}", "");
    wordpiece_json("{" + q + ": 0, " + q + ": 1}", "");
    wordpiece_json("{" + q + ": " + q + "}", "");
    wordpiece_json("{" + q + ": 0}", ", \"normalizer\": {\"type\": " + q + "}");
    wordpiece_json("{" + q + ": 0}", ", \"pre_tokenizer\": {\"type\": " + q + "}");
    wordpiece_json("{" + q + ": 0}", ", \"post_processor\": {\"type\": " + q + "}");
    wordpiece_json("{" + q + ": 0}", ", \"decoder\": " + q + ", \"added_tokens\": [{\"id\": 0, \"content\": \"" + text + "2\"}]");
    check_silent("another model", [&] { (void)parse_tokenizer_json<wordpiece_model>("{\"model\": {\"type\": " + q + ", \"vocab\": {" + q + ": 0}}}"); });
    const auto tokens = parse_bpe_vocabulary("{\"a\": 0, \"b\": 1}");
    check_silent("a merge of an unknown token", [&] { (void)parse_bpe_merges(text + " b\n", tokens); });
    check_silent("a merge that makes an unknown token", [&] { (void)parse_bpe_merges("a b\n", tokens); });
    check_silent("a merge of one", [&] { (void)parse_bpe_merges(text + "\n", tokens); });

    const auto tensors = [](const std::string& header, const std::string& data = "") {
        check_silent(header, [&] { (void)parse_safetensors(as_bytes_of(container(header, data))); });
        check_silent(header, [&] { (void)load<standardize_model<double>>(as_bytes_of(container(header, data))); });
    };
    const std::string entry = R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})";
    tensors("{" + q + ":" + entry);
    tensors("{" + q + ":" + entry + "," + q + ":" + entry + "}", "1234");
    tensors("{" + q + R"(:{"dtype":)" + q + R"(,"shape":[1],"data_offsets":[0,4]}})", "1234");
    tensors("{" + q + R"(:{"dtype":"F32","shape":[1],"data_offsets":[0,4],)" + q + ":1}}", "1234");
    tensors("{" + q + R"(:{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", "1234");
    tensors("{" + q + ":" + entry + "}", "1234" + text);
    tensors(R"({"__metadata__":{)" + q + ":" + q + "," + q + ":" + q + "}}");
    tensors(R"({"__metadata__":{)" + q + ":1}}");
    const std::string whole = container("{" + q + ":" + entry + "}", "1234");
    check_silent("no such tensor", [&] { (void)embedding_of<float>(parse_safetensors(as_bytes_of(whole)), "table"); });
    check_silent("not a matrix", [&] { (void)load<standardize_model<double>>(as_bytes_of(whole)); });
    check_silent("not ours", [&] { (void)read_card(as_bytes_of(container(R"({"__metadata__":{"caramel.format":)" + q + "}}"))); });
}

}  // namespace canary_test
