#include <caramel/text/tokenizer_json.hpp>

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/shared_data.hpp"

using namespace caramel;
namespace tokenizer_json_test {

using ids = std::vector<token_id>;

namespace {

// Saved by Hugging Face tokenizers 0.23.2, as are the ids and offsets below.
constexpr std::string_view saved = R"JSON({"version": "1.0", "truncation": {"direction": "Right", "max_length": 12, "strategy": "LongestFirst", "stride": 0},
"padding": {"strategy": "BatchLongest", "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"},
"added_tokens": [{"id": 0, "content": "[PAD]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
{"id": 1, "content": "[UNK]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}, {"id": 2,
"content": "[CLS]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}, {"id": 3, "content": "[SEP]",
"single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}, {"id": 4, "content": "[MASK]",
"single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}, {"id": 22, "content": "[ORDER]",
"single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}, {"id": 23, "content": "<User>",
"single_word": false, "lstrip": false, "rstrip": false, "normalized": true, "special": false}, {"id": 24, "content": "Ünd", "single_word": false,
"lstrip": false, "rstrip": false, "normalized": true, "special": false}, {"id": 25, "content": "foxy", "single_word": false, "lstrip": false,
"rstrip": false, "normalized": false, "special": false}], "normalizer": {"type": "BertNormalizer", "clean_text": true,
"handle_chinese_chars": true, "strip_accents": null, "lowercase": true}, "pre_tokenizer": {"type": "BertPreTokenizer"},
"post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A",
"type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}], "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}},
{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}},
{"SpecialToken": {"id": "[SEP]", "type_id": 1}}], "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]},
"[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}}, "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
"model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": {"[PAD]": 0,
"[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, "un": 5, "##want": 6, "##ed": 7, "run": 8, "##ning": 9, ",": 10, "want": 11, "the": 12,
"fox": 13, "!": 14, "'": 15, "t": 16, "can": 17, "中": 18, "国": 19, "##s": 20, "a": 21}}})JSON";

std::string changed(std::string_view from, std::string_view to) {
    std::string out(saved);
    const std::size_t at = out.find(from);
    REQUIRE(at != std::string::npos);
    return out.replace(at, from.size(), to);
}
error error_on(const std::string& json) {
    return error_of([&] { (void)parse_tokenizer_json(json); });
}

}  // namespace

TEST_CASE("tokenizer_json: a file that Hugging Face's library saved, with its ids and offsets", "[tokenizer_json]") {
    const auto read = parse_tokenizer_json(saved);
    const wordpiece_model& m = read.tokenizer;
    CHECK(m.vocabulary_size() == 26);
    CHECK(m.defaults().max_length == 12);
    REQUIRE(read.pad);
    CHECK(*read.pad == padding{.id = 0});
    CHECK(m.encode("the fox wants the fox, can't the fox run").size() == 12);
    const auto check = [&](const std::string& text, const ids& expected, const std::vector<byte_span>& offsets) {
        CAPTURE(text);
        const encoding e = m.encode(text, encode_options{});
        CHECK(e.ids == expected);
        CHECK(code_point_spans(text, e.offsets) == offsets);
    };
    check("The <USER> wants \xE2\x89\xAEuser> foxy fox <u\xCC\x81ser\xC2\xAD> UND u\xCC\x88nd", {2, 12, 23, 11, 20, 23, 25, 13, 23, 24, 24, 3},
          {{0, 0}, {0, 3}, {4, 10}, {11, 15}, {15, 16}, {17, 23}, {24, 28}, {29, 32}, {33, 41}, {42, 45}, {46, 50}, {0, 0}});
    check("<User", {2, 1, 1, 3}, {{0, 0}, {0, 1}, {1, 5}, {0, 0}});
    check("[MASK]<user>中und", {2, 4, 23, 18, 24, 3}, {{0, 0}, {0, 6}, {6, 12}, {12, 13}, {13, 16}, {0, 0}});
    check(" [order] [ORDER]", {2, 1, 1, 1, 22, 3}, {{0, 0}, {1, 2}, {2, 7}, {7, 8}, {9, 16}, {0, 0}});
    check("Foxy foxya ünder <us[MASK]er>", {2, 1, 25, 21, 24, 1, 1, 1, 4, 1, 1, 3},
          {{0, 0}, {0, 4}, {5, 9}, {9, 10}, {11, 14}, {14, 16}, {17, 18}, {18, 20}, {20, 26}, {26, 28}, {28, 29}, {0, 0}});
    CHECK(m.encode_pair("the fox", "can run").type_ids == std::vector<std::uint8_t>{0, 0, 0, 0, 1, 1, 1});
    CHECK(m.decode(ids{2, 12, 23, 22, 3}) == "the <User>");
}

TEST_CASE("tokenizer_json: components that are read", "[tokenizer_json]") {
    const auto encode = [](const std::string& json, std::string_view text) { return parse_tokenizer_json(json).tokenizer.encode(text, {.special_tokens = false}).ids; };
    const std::string bert = R"("post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]}, "ignored": {"type")";
    CHECK(parse_tokenizer_json(changed(R"("post_processor": {"type")", bert)).tokenizer.special() == special_tokens::bert(2, 3));
    CHECK(encode(changed(R"("pre_tokenizer": {"type": "BertPreTokenizer"})", R"("pre_tokenizer": {"type": "WhitespaceSplit"})"), "the, fox") == ids{1, 13});
    CHECK(encode(changed(R"("lowercase": true)", R"("lowercase": false)"), "The fox") == ids{1, 13});
    CHECK(encode(changed(R"("type": "WordPiece", "unk)", R"("type": "WordLevel", "unk)"), "wants want") == ids{1, 11});
    const auto padded = parse_tokenizer_json(changed(R"("strategy": "BatchLongest", "direction": "Right")", R"("strategy": {"Fixed": 40}, "direction": "Left")")).pad;
    REQUIRE(padded);
    CHECK(padded->length == 40);
    CHECK(padded->side == text_side::left);
    const auto cut = parse_tokenizer_json(changed(R"("direction": "Right", "max_length": 12, "strategy": "LongestFirst")",
                                                  R"("direction": "Left", "max_length": 7, "strategy": "OnlySecond")"))
                         .tokenizer.defaults();
    CHECK(cut == encode_options{.max_length = 7, .order = truncation_order::only_second, .truncate = text_side::left});
}

TEST_CASE("tokenizer_json: a sequence of one component is that component, of several it is refused", "[tokenizer_json]") {
    const std::string bert = R"({"type": "BertNormalizer", "clean_text": true,
"handle_chinese_chars": true, "strip_accents": null, "lowercase": true})";
    const std::string lowercase = R"({"type": "Lowercase"})", words = R"({"type": "BertPreTokenizer"})";
    const auto encode = [](const std::string& json, std::string_view text) { return parse_tokenizer_json(json).tokenizer.encode(text, {.special_tokens = false}).ids; };
    const auto sequence = [](const std::string& list, const std::string& parts) { return R"({"type": "Sequence", ")" + list + "\": [" + parts + "]}"; };
    CHECK(encode(changed(bert, lowercase), "The th\u00E9") == ids{12, 1});  // accents stay
    CHECK(encode(changed(bert, sequence("normalizers", lowercase)), "The th\u00E9") == ids{12, 1});
    CHECK(encode(changed(bert, sequence("normalizers", sequence("normalizers", lowercase))), "The") == ids{12});
    CHECK(encode(changed(bert, sequence("normalizers", "")), "The the") == ids{1, 12});  // none at all
    CHECK(encode(changed(words, sequence("pretokenizers", words)), "the,the") == ids{12, 10, 12});
    CHECK(encode(changed(R"("strip_accents": null)", R"("strip_accents": false)"), "th\u00E9") == ids{1});
    CHECK(encode(changed(R"("strip_accents": null, "lowercase": true)", R"("strip_accents": true, "lowercase": false)"), "th\u00E9 The") == ids{12, 1});
    const auto refused = [](const std::string& json) {
        const error e = error_on(json);
        CHECK(e.code() == errc::unsupported_model);
        return std::string(e.what());
    };
    CHECK(refused(changed(bert, sequence("normalizers", lowercase + "," + lowercase))) == "parse_tokenizer_json: the normalizer Sequence is not supported");
    std::string deep = lowercase;
    for (int depth = 0; depth < 8; ++depth) deep = sequence("normalizers", deep);
    CHECK(refused(changed(bert, deep)) == "parse_tokenizer_json: the normalizer Sequence is not supported");
    CHECK(refused(changed(bert, R"({"type": "a name of more than forty letters, or none"})")) == "parse_tokenizer_json: the normalizer of an unknown name is not supported");
    CHECK(refused(changed(bert, R"({"type": ""})")) == "parse_tokenizer_json: the normalizer of an unknown name is not supported");
    CHECK(error_on(changed(bert, "7")).code() == errc::wrong_type);
}

TEST_CASE("tokenizer_json: truncation and padding by all names", "[tokenizer_json]") {
    const std::string cut = R"("direction": "Right", "max_length": 12, "strategy": "LongestFirst")";
    const auto truncation = [&](const std::string& to) { return changed(cut, to); };
    CHECK(parse_tokenizer_json(truncation(R"("max_length": 3, "strategy": "OnlyFirst")")).tokenizer.defaults() ==
          encode_options{.max_length = 3, .order = truncation_order::only_first});
    CHECK(error_on(truncation(R"("direction": "Up", "max_length": 12)")).code() == errc::unsupported_model);
    CHECK(error_on(changed(R"("strategy": "BatchLongest")", R"("strategy": "Never")")).code() == errc::unsupported_model);
    CHECK(error_on(changed(R"("strategy": "BatchLongest", "direction": "Right")", R"("direction": "Down")")).code() == errc::unsupported_model);
    CHECK(parse_tokenizer_json(changed(R"("strategy": "BatchLongest", "direction": "Right", )", "")).pad == padding{.id = 0});
    CHECK(error_on(changed(R"("pad_id": 0)", R"("pad_id": 9999999999)")).code() == errc::bad_id);
    CHECK(error_on(changed(R"("pad_type_id": 0)", R"("pad_type_id": 256)")).code() == errc::unsupported_model);
    const std::string saved_text(saved);
    const std::size_t from = saved_text.find(R"("padding": )"), to = saved_text.find(R"("added_tokens")");
    for (const auto& [json, code] : {std::pair(R"("padding": 5, )", errc::wrong_type), {R"("truncation": 5, )", errc::wrong_type}})
        CHECK(error_on(saved_text.substr(0, saved_text.find(R"("truncation")")) + json + saved_text.substr(to)).code() == code);
    CHECK_FALSE(parse_tokenizer_json(saved_text.substr(0, from) + R"("padding": null, )" + saved_text.substr(to)).pad);
}

TEST_CASE("tokenizer_json: templates and added tokens that make no sense", "[tokenizer_json][error]") {
    const auto code = [](const std::string& json) { return error_on(json).code(); };
    const std::string a = R"({"Sequence": {"id": "A",
"type_id": 0}})";
    CHECK(code(changed(a, R"({"Sequence": {"id": "C", "type_id": 0}})")) == errc::unsupported_model);
    CHECK(code(changed(a, R"({"Sequence": {"id": "B", "type_id": 0}})")) == errc::unsupported_model);  // the only text is the second one
    CHECK(code(changed(a, a + "," + a)) == errc::unsupported_model);
    CHECK(code(changed(a, R"({"Text": {"id": "A", "type_id": 0}})")) == errc::unsupported_model);
    CHECK(code(changed(a, R"({"Sequence": {"id": "A", "type_id": 256}})")) == errc::unsupported_model);
    CHECK(code(changed(a, R"({"Sequence": 1})")) == errc::wrong_type);
    CHECK(code(changed(a, R"({})")) == errc::wrong_type);
    CHECK(code(changed(a, "1")) == errc::wrong_type);
    CHECK(code(changed(R"("ids": [2])", R"("ids": [-2])")) == errc::bad_id);
    const std::string order = R"({"id": 22, "content": "[ORDER]",)";
    CHECK(code(changed(order, R"({"id": 2.5, "content": "[ORDER]",)")) == errc::bad_id);
    CHECK(code(changed(R"({"id": 23,)", R"({"id": 22,)")) == errc::duplicate_id);
    CHECK(code(changed(order, R"({"id": 23, "content": "[ORDER]",)")) == errc::bad_id);  // none has 22
    CHECK(code(changed(order, R"({"id": 26, "content": "[ORDER]",)")) == errc::bad_id);
    CHECK(code(changed(order, R"({"id": 21, "content": "[ORDER]",)")) == errc::duplicate_id);
    CHECK(code(changed(order, R"({"id": 22, "content": "",)")) == errc::empty_token);
    CHECK(code(changed(order, R"({"id": 22, "content": "a\u0000",)")) == errc::nul_byte);
    CHECK(code(changed(order, R"({"id": 22, "content": "the",)")) == errc::duplicate_token);
    for (const std::string option : {"single_word", "lstrip", "rstrip"})
        CHECK(code(changed("\"" + option + "\": false", "\"" + option + "\": true")) == errc::unsupported_model);
    CHECK(code(changed(R"("max_input_chars_per_word": 100)", R"("max_input_chars_per_word": 0)")) == errc::bad_parameter);
    const std::string bert = R"("post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3, 4], "cls": ["[CLS]", 2]}, "ignored": {"type")";
    CHECK(code(changed(R"("post_processor": {"type")", bert)) == errc::wrong_type);
    const std::string text = R"("post_processor": {"type": "BertProcessing", "sep": ["[SEP]", "3"], "cls": ["[CLS]", 2]}, "ignored": {"type")";
    CHECK(code(changed(R"("post_processor": {"type")", text)) == errc::wrong_type);
}

TEST_CASE("tokenizer_json: what is not supported is named", "[tokenizer_json][error]") {
    const auto refused = [](const std::string& json, std::string_view message) {
        const error e = error_on(json);
        CHECK(e.code() == errc::unsupported_model);
        CHECK(std::string_view(e.what()) == message);
    };
    refused(changed(R"("type": "WordPiece", "unk)", R"("type": "Unigram", "unk)"), "parse_tokenizer_json: a model Unigram (supported are WordPiece, WordLevel and BPE)");
    refused(changed(R"("type": "WordPiece", "unk)", R"("type": "BPE", "unk)"), "parse_tokenizer_json: a BPE model where WordPiece was asked for");
    refused(changed(R"("normalizer": {"type": "BertNormalizer")", R"("normalizer": {"type": "NFKC")"), "parse_tokenizer_json: the normalizer NFKC is not supported");
    refused(changed("BertPreTokenizer", "Metaspace"), "parse_tokenizer_json: the pre-tokenizer Metaspace is not supported");
    refused(changed("TemplateProcessing", "RobertaProcessing"), "parse_tokenizer_json: the post-processor RobertaProcessing is not supported");
    refused(changed(R"("decoder": {"type": "WordPiece")", R"("decoder": {"type": "Metaspace")"), "parse_tokenizer_json: the decoder Metaspace is not supported");
    refused(changed(R"("strategy": "LongestFirst")", R"("strategy": "Sideways")"), "parse_tokenizer_json: the truncation Sideways is not supported");
    refused(changed(R"("single_word": false)", R"("single_word": true)"),
            "parse_tokenizer_json: added tokens with single_word, lstrip or rstrip are not supported for WordPiece");
    refused(changed(R"("pre_tokenizer": {"type": "BertPreTokenizer"})", R"("pre_tokenizer": null)"),
            "parse_tokenizer_json: Chinese characters that are set apart without a pre-tokenizer are not supported");
    CHECK(error_on(changed(R"("ids": [2])", R"("ids": [99])")).code() == errc::bad_id);
    CHECK(error_on(changed(R"("max_length": 12)", R"("max_length": 0)")).code() == errc::bad_parameter);
    CHECK(error_on(changed(R"("clean_text": true)", R"("clean_text": 1)")).code() == errc::wrong_type);
    CHECK(error_on(changed(R"("[PAD]": 0)", R"("[PAD]": [{"a": [0]}])")).code() == errc::wrong_type);
    CHECK(error_of([] { (void)parse_tokenizer_json(saved, {.nodes = 50}); }).code() == errc::limit_exceeded);
    for (std::size_t n = 0; n < saved.size(); n += 7) CHECK_THROWS_AS(parse_tokenizer_json(saved.substr(0, n)), error);  // every cut is refused
}

}  // namespace tokenizer_json_test
