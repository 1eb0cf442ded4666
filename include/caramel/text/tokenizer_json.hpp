#ifndef CARAMEL_TEXT_TOKENIZER_JSON_HPP
#define CARAMEL_TEXT_TOKENIZER_JSON_HPP

// Reading Hugging Face's tokenizer.json. What this library does not do the same way is refused by name, so that no text ever
// gets other ids than its model was trained with. A header of its own: it needs io/json.hpp.

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/io/file.hpp>
#include <caramel/io/json.hpp>
#include <caramel/text/encoding.hpp>
#include <caramel/text/vocabulary.hpp>
#include <caramel/text/wordpiece.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

/// A JSON value of the settings of a tokenizer; its vocabulary and merges are kept apart.
struct json_setting {
    enum class is : std::uint8_t { nothing, boolean, natural, number, text, list, object };

    is type = is::nothing;
    bool truth = false;
    std::uint64_t natural = 0;
    std::string text = {};
    std::vector<std::string> keys = {};       // of an object, one for each item
    std::vector<json_setting> items = {};

    [[nodiscard]] const json_setting* find(std::string_view key) const noexcept {
        const auto at = std::find(keys.begin(), keys.end(), key);
        return at == keys.end() ? nullptr : &items[static_cast<std::size_t>(at - keys.begin())];
    }
    [[nodiscard]] bool is_null() const noexcept { return type == is::nothing; }
};

/// An entry of "added_tokens", as it stands in the file.
struct json_added_token {
    std::string text = {};
    token_id id = 0;
    bool special = false, normalized = true, single_word = false, strip_left = false, strip_right = false;
};

/// tokenizer.json as values, its vocabulary checked, its components not yet looked at.
struct tokenizer_document {
    json_setting root = {};
    std::string model_type = {};
    std::vector<std::string> tokens = {};           // by id
    std::vector<std::string> merges = {};           // two for each: left, right; or the two as one text where `merges_are_lines`
    bool merges_are_lines = false;
    std::vector<json_added_token> added = {};
};

class tokenizer_json_reader : public json_handler {
   public:
    explicit tokenizer_json_reader(std::string_view who) : json_handler(who) {}

    void null() override { add({}); }
    void boolean(bool x) override { add({.type = json_setting::is::boolean, .truth = x}); }
    void natural(std::uint64_t x) override { add({.type = json_setting::is::natural, .natural = x}); }
    void negative(std::int64_t) override { add({.type = json_setting::is::number}); }
    void number(double) override { add({.type = json_setting::is::number}); }
    void string(std::string& x) override { add({.type = json_setting::is::text, .text = std::move(x)}); }
    void key(std::string& x) override {
        if (in_vocabulary()) tokens.push_back(std::move(x));
        else open_.back()->keys.push_back(std::move(x));
    }
    void begin_object() override {
        if (at_vocabulary()) vocabulary_depth_ = open_.size() + 1;
        else if (in_vocabulary()) note_wrong_id(errc::wrong_type);
        open(json_setting::is::object);
    }
    void end_object() override { close(); }
    void begin_array() override {
        if (at_merges()) merges_depth_ = open_.size() + 1;
        else if (in_vocabulary()) note_wrong_id(errc::wrong_type);
        open(json_setting::is::list);
    }
    void end_array() override { close(); }

    json_setting root;
    std::vector<std::string> tokens, merges;
    std::vector<std::uint64_t> ids;
    bool has_vocabulary = false, merges_are_lines = false;
    std::optional<errc> wrong_id;  // the first id that is no natural number

   private:
    [[nodiscard]] bool in_model() const noexcept { return open_.size() == 2 && !root.keys.empty() && root.keys.back() == "model"; }
    [[nodiscard]] bool at_vocabulary() const noexcept { return in_model() && !open_[1]->keys.empty() && open_[1]->keys.back() == "vocab"; }
    [[nodiscard]] bool at_merges() const noexcept { return in_model() && !open_[1]->keys.empty() && open_[1]->keys.back() == "merges"; }
    [[nodiscard]] bool in_vocabulary() const noexcept { return vocabulary_depth_ != 0 && open_.size() == vocabulary_depth_; }

    void note_wrong_id(errc code) {
        if (!wrong_id) wrong_id = code;
    }
    void add(json_setting&& x) {
        using is = json_setting::is;
        if (vocabulary_depth_ != 0 && open_.size() >= vocabulary_depth_) {
            if (open_.size() > vocabulary_depth_) return;
            if (x.type == is::natural) return ids.push_back(x.natural);
            ids.push_back(0);
            return note_wrong_id(x.type == is::number ? errc::bad_id : errc::wrong_type);
        }
        if (merges_depth_ != 0 && open_.size() >= merges_depth_) {
            if (x.type != is::text || open_.size() > merges_depth_ + 1) refuse(errc::wrong_type, "merges that are neither texts nor pairs of texts");
            if (open_.size() == merges_depth_) merges_are_lines = true;
            merges.push_back(std::move(x.text));
            return;
        }
        if (open_.empty()) {
            root = std::move(x);
            return;
        }
        open_.back()->items.push_back(std::move(x));
    }
    void open(json_setting::is type) {
        json_setting* at = &root;
        if (open_.empty()) {
            root.type = type;
        } else if ((vocabulary_depth_ != 0 && open_.size() >= vocabulary_depth_) || (merges_depth_ != 0 && open_.size() >= merges_depth_)) {
            at = &ignored_;  // nothing is added to it
            ignored_.keys.clear();
        } else {
            open_.back()->items.push_back({.type = type});
            at = &open_.back()->items.back();
        }
        open_.push_back(at);
    }
    void close() {
        if (open_.size() == vocabulary_depth_) {
            vocabulary_depth_ = 0;
            has_vocabulary = true;
        }
        if (open_.size() == merges_depth_) merges_depth_ = 0;
        open_.pop_back();
    }

    std::vector<json_setting*> open_;  // stays valid: only the last of its items grows
    json_setting ignored_;
    std::size_t vocabulary_depth_ = 0, merges_depth_ = 0;
};

// What is asked of settings; every message begins with the function's name and names the setting.
class json_settings {
   public:
    using is = json_setting::is;
    json_settings(std::string_view who, std::string_view name, const json_setting& at) : who_(who), name_(name), at_(at) {}

    /// The setting, or null where it is missing or null.
    [[nodiscard]] const json_setting* find(std::string_view key) const {
        const json_setting* const found = at_.find(key);
        return found == nullptr || found->is_null() ? nullptr : found;
    }
    [[nodiscard]] const json_setting& get(std::string_view key, is type) const {
        const json_setting* const found = at_.find(key);
        require(found != nullptr, errc::missing_key, who_, ": ", name_, " has no \"", key, '"');
        require(found->type == type, errc::wrong_type, who_, ": \"", key, "\" of ", name_, " is of another type");
        return *found;
    }
    [[nodiscard]] const std::string& text(std::string_view key) const { return get(key, is::text).text; }
    [[nodiscard]] std::uint64_t natural(std::string_view key, std::uint64_t otherwise) const {
        return find(key) == nullptr ? otherwise : get(key, is::natural).natural;
    }
    [[nodiscard]] bool boolean(std::string_view key, bool otherwise) const { return find(key) == nullptr ? otherwise : get(key, is::boolean).truth; }
    [[nodiscard]] std::string text(std::string_view key, std::string_view otherwise) const {
        return find(key) == nullptr ? std::string(otherwise) : get(key, is::text).text;
    }

   private:
    std::string_view who_, name_;
    const json_setting& at_;
};

// Names of components are not data: the message says which one is meant, if it looks like a name.
[[nodiscard]] inline std::string_view component_name(std::string_view name) noexcept {
    const bool plain = name.size() <= 40 && std::all_of(name.begin(), name.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
    return plain && !name.empty() ? name : "of an unknown name";
}

inline std::vector<std::string> tokens_by_id(tokenizer_json_reader& reader, std::string_view who) {
    require(!reader.wrong_id, reader.wrong_id.value_or(errc::bad_id), who, ": an id in the vocabulary is not a natural number");
    const std::size_t n = reader.tokens.size();
    std::vector<std::string> out(n);
    std::vector<bool> given(n);
    for (std::size_t i = 0; i < n; ++i) {
        std::string& token = reader.tokens[i];
        require(!token.empty(), errc::empty_token, who, ": an empty token in the vocabulary");
        require(token.find('\0') == std::string::npos, errc::nul_byte, who, ": a token of the vocabulary holds a zero byte");
        require(token.size() <= vocabulary::max_token_bytes, errc::token_too_long, who, ": a token of ", token.size(), " bytes, the limit is ",
                vocabulary::max_token_bytes);
        const std::uint64_t id = reader.ids[i];
        require(id < n, errc::bad_id, who, ": an id of ", id, " in a vocabulary of ", n, ", whose ids must be 0 to ", n - 1);
        require(!given[static_cast<std::size_t>(id)], errc::duplicate_id, who, ": two tokens with one id");
        given[static_cast<std::size_t>(id)] = true;
        out[static_cast<std::size_t>(id)] = std::move(token);
    }
    return out;
}
inline std::vector<json_added_token> added_tokens_of(const json_setting& root, const std::vector<std::string>& tokens, std::string_view who) {
    using is = json_setting::is;
    std::vector<json_added_token> out;
    const json_setting* const list = root.find("added_tokens");
    if (list == nullptr || list->is_null()) return out;
    require(list->type == is::list, errc::wrong_type, who, ": \"added_tokens\" is not a list");
    const string_numbers<> known = [&] {
        string_numbers<> numbers;
        for (const std::string& token : tokens) (void)numbers.insert(token);
        return numbers;
    }();
    for (const json_setting& item : list->items) {
        require(item.type == is::object, errc::wrong_type, who, ": an added token that is not an object");
        const json_settings settings(who, "an added token", item);
        const json_setting* const id = item.find("id");
        require(id == nullptr || id->type != is::number, errc::bad_id, who, ": the id of an added token is not a natural number");
        const std::uint64_t number = settings.get("id", is::natural).natural;
        const std::string& text = settings.text("content");
        require(!text.empty(), errc::empty_token, who, ": an added token is empty");
        require(text.find('\0') == std::string::npos, errc::nul_byte, who, ": an added token holds a zero byte");
        require(text.size() <= vocabulary::max_token_bytes, errc::token_too_long, who, ": an added token of ", text.size(), " bytes, the limit is ",
                vocabulary::max_token_bytes);
        const std::size_t most = tokens.size() + list->items.size();
        require(number < most, errc::bad_id, who, ": an added token's id of ", number, ", but there are at most ", most, " tokens");
        const auto same = known.find(text);
        require(!same || *same == number, errc::duplicate_token, who, ": an added token that the vocabulary has with another id");
        require(same || number >= tokens.size(), errc::duplicate_id, who, ": an added token with the id of another token");
        const bool special = settings.boolean("special", false);
        out.push_back({text, static_cast<token_id>(number), special, settings.boolean("normalized", !special), settings.boolean("single_word", false),
                       settings.boolean("lstrip", false), settings.boolean("rstrip", false)});
    }
    std::vector<std::uint64_t> behind;
    for (const json_added_token& a : out)
        if (static_cast<std::size_t>(a.id) >= tokens.size()) behind.push_back(static_cast<std::uint64_t>(a.id));
    std::sort(behind.begin(), behind.end());
    for (std::size_t i = 0; i < behind.size(); ++i) {
        require(i == 0 || behind[i] != behind[i - 1], errc::duplicate_id, who, ": two added tokens with one id");
        require(behind[i] == tokens.size() + i, errc::bad_id, who, ": an added token's id of ", behind[i], ", the next one would be ", tokens.size() + i);
    }
    return out;
}

/// Throws `error`: what `read_json` throws; `empty_input`, `missing_key`, `wrong_type`, `unsupported_version`,
/// `unsupported_model` (neither WordPiece nor WordLevel nor BPE), and on the tokens `empty_token`, `nul_byte`,
/// `token_too_long`, `bad_id`, `duplicate_id`, `duplicate_token`.
template <std::same_as<std::string_view> Text>
[[nodiscard]] tokenizer_document parse_tokenizer_document(Text json, std::string_view who, const json_limits& limits) {
    using is = json_setting::is;
    require(!json.empty(), errc::empty_input, who, ": the text is empty");
    tokenizer_json_reader reader(who);
    read_json(json, reader, limits);
    require(reader.root.type == is::object, errc::wrong_type, who, ": not an object");
    const json_settings root(who, "the tokenizer", reader.root);
    require(root.text("version") == "1.0", errc::unsupported_version, who, ": not of version 1.0");
    const json_setting& model = root.get("model", is::object);
    const json_settings of_model(who, "the model", model);
    tokenizer_document out;
    out.model_type = of_model.text("type");
    require(out.model_type == "WordPiece" || out.model_type == "WordLevel" || out.model_type == "BPE", errc::unsupported_model, who, ": a model ",
            component_name(out.model_type), " (supported are WordPiece, WordLevel and BPE)");
    if (!reader.has_vocabulary) (void)of_model.get("vocab", is::object);
    require(reader.has_vocabulary, errc::wrong_type, who, ": \"vocab\" of the model is of another type");
    out.tokens = tokens_by_id(reader, who);
    out.added = added_tokens_of(reader.root, out.tokens, who);
    out.merges = std::move(reader.merges);
    out.merges_are_lines = reader.merges_are_lines;
    out.root = std::move(reader.root);
    return out;
}

// ---- components ------------------------------------------------------------------------------------------------------

[[noreturn]] CARAMEL_COLD inline void fail_component(std::string_view who, std::string_view part, std::string_view name) {
    fail(errc::unsupported_model, place{}, who, ": the ", part, ' ', component_name(name), " is not supported");
}
/// The only component of a "Sequence" of one, or the component itself; null where there is none.
inline const json_setting* only_component(const json_setting& root, std::string_view part, std::string_view list, std::string_view who) {
    const json_setting* at = root.find(part);
    if (at == nullptr || at->is_null()) return nullptr;
    for (int depth = 0; depth < 8; ++depth) {
        require(at->type == json_setting::is::object, errc::wrong_type, who, ": \"", part, "\" is of another type");
        if (json_settings(who, part, *at).text("type") != "Sequence") return at;
        const json_setting& items = json_settings(who, part, *at).get(list, json_setting::is::list);
        if (items.items.empty()) return nullptr;
        if (items.items.size() != 1) fail_component(who, part, "Sequence");
        at = &items.items[0];
    }
    fail_component(who, part, "Sequence");
}

inline token_id id_in_vocabulary(std::uint64_t id, std::size_t size, std::string_view who) {
    require(id < size, errc::bad_id, who, ": a special token's id of ", id, " in a vocabulary of ", size);
    return static_cast<token_id>(id);
}
// One sequence of TemplateProcessing.
inline std::pair<std::vector<token_id>, std::vector<std::uint8_t>> template_sequence(const json_setting& sequence, const json_setting& tokens, std::size_t size,
                                                                                     std::string_view who) {
    using is = json_setting::is;
    std::pair<std::vector<token_id>, std::vector<std::uint8_t>> out;
    const auto add = [&](token_id id, std::uint64_t type) {
        require(type <= 255, errc::unsupported_model, who, ": a type id of ", type, ", supported are those up to 255");
        out.first.push_back(id);
        out.second.push_back(static_cast<std::uint8_t>(type));
    };
    for (const json_setting& item : sequence.items) {
        require(item.type == is::object && item.items.size() == 1, errc::wrong_type, who, ": a part of a template that is not one object");
        const json_setting& inner = item.items[0];
        require(inner.type == is::object, errc::wrong_type, who, ": a part of a template that is not one object");
        const json_settings part(who, "a part of a template", inner);
        const std::uint64_t type = part.natural("type_id", 0);
        const std::string& name = part.text("id");
        if (item.keys[0] == "Sequence") {
            require(name == "A" || name == "B", errc::unsupported_model, who, ": a template with a sequence that is neither A nor B");
            add(name == "A" ? special_tokens::first_text : special_tokens::second_text, type);
        } else {
            require(item.keys[0] == "SpecialToken", errc::unsupported_model, who, ": a part of a template that is neither a sequence nor a special token");
            const json_settings named(who, "\"special_tokens\" of the template", tokens);
            const json_setting& token = named.get(name, is::object);
            for (const json_setting& id : json_settings(who, "a special token", token).get("ids", is::list).items) {
                require(id.type == is::natural, errc::bad_id, who, ": a special token's id is not a natural number");
                add(id_in_vocabulary(id.natural, size, who), type);
            }
        }
    }
    return out;
}
/// "post_processor": none, BertProcessing or TemplateProcessing.
inline special_tokens special_tokens_of(const tokenizer_document& document, std::size_t size, std::string_view who) {
    using is = json_setting::is;
    const json_setting* const at = only_component(document.root, "post_processor", "processors", who);
    if (at == nullptr) return {};
    const json_settings settings(who, "post_processor", *at);
    const std::string& type = settings.text("type");
    if (type == "BertProcessing") {
        const auto id_of = [&](std::string_view key) {
            const json_setting& pair = settings.get(key, is::list);
            require(pair.items.size() == 2 && pair.items[1].type == is::natural, errc::wrong_type, who, ": \"", key, "\" is not a token and its id");
            return id_in_vocabulary(pair.items[1].natural, size, who);
        };
        const token_id cls = id_of("cls"), sep = id_of("sep");
        return special_tokens::bert(cls, sep);
    }
    if (type != "TemplateProcessing") fail_component(who, "post-processor", type);
    const json_setting none{.type = is::object};
    const json_setting* const tokens = settings.find("special_tokens") != nullptr ? &settings.get("special_tokens", is::object) : &none;
    auto [one, one_types] = template_sequence(settings.get("single", is::list), *tokens, size, who);
    auto [pair, pair_types] = template_sequence(settings.get("pair", is::list), *tokens, size, who);
    try {
        return {std::move(one), std::move(one_types), std::move(pair), std::move(pair_types)};
    } catch (const error&) {
        fail(errc::unsupported_model, place{}, who, ": a template in which a text is missing, or stands twice or in another place");
    }
}
/// "truncation" as the defaults of a tokenizer. A stride is not looked at: it is for the windows behind the first one.
inline encode_options truncation_of(const json_setting& root, std::string_view who) {
    encode_options out;
    const json_setting* const at = root.find("truncation");
    if (at == nullptr || at->is_null()) return out;
    require(at->type == json_setting::is::object, errc::wrong_type, who, ": \"truncation\" is of another type");
    const json_settings settings(who, "truncation", *at);
    out.max_length = settings.get("max_length", json_setting::is::natural).natural;
    require(out.max_length > 0, errc::bad_parameter, who, ": truncation to a max_length of 0");
    const std::string strategy = settings.text("strategy", "LongestFirst"), direction = settings.text("direction", "Right");
    if (strategy == "OnlyFirst") out.order = truncation_order::only_first;
    else if (strategy == "OnlySecond") out.order = truncation_order::only_second;
    else if (strategy != "LongestFirst") fail_component(who, "truncation", strategy);
    if (direction == "Left") out.truncate = text_side::left;
    else if (direction != "Right") fail_component(who, "truncation", direction);
    return out;
}
inline std::optional<padding> padding_of(const json_setting& root, std::string_view who) {
    using is = json_setting::is;
    const json_setting* const at = root.find("padding");
    if (at == nullptr || at->is_null()) return std::nullopt;
    require(at->type == is::object, errc::wrong_type, who, ": \"padding\" is of another type");
    const json_settings settings(who, "padding", *at);
    padding out;
    if (const json_setting* const strategy = settings.find("strategy")) {
        if (strategy->type == is::object) out.length = json_settings(who, "padding", *strategy).get("Fixed", is::natural).natural;
        else if (settings.text("strategy") != "BatchLongest") fail_component(who, "padding", strategy->text);
    }
    out.multiple_of = settings.natural("pad_to_multiple_of", 1);
    const std::string direction = settings.text("direction", "Right");
    if (direction == "Left") out.side = text_side::left;
    else if (direction != "Right") fail_component(who, "padding", direction);
    const std::uint64_t id = settings.natural("pad_id", 0), type = settings.natural("pad_type_id", 0);
    require(id <= static_cast<std::uint64_t>(std::numeric_limits<token_id>::max()), errc::bad_id, who, ": a padding id of ", id);
    require(type <= 255, errc::unsupported_model, who, ": a padding type id of ", type, ", supported are those up to 255");
    out.id = static_cast<token_id>(id);
    out.type_id = static_cast<std::uint8_t>(type);
    return out;
}

/// Normalizer and pre-tokenizer of WordPiece and WordLevel.
inline void read_word_rules(const json_setting& root, std::string_view who, wordpiece_rules& rules) {
    rules.clean = rules.split_chinese = rules.lowercase = false;
    if (const json_setting* const at = only_component(root, "normalizer", "normalizers", who)) {
        const json_settings settings(who, "normalizer", *at);
        const std::string& type = settings.text("type");
        if (type == "Lowercase") {
            rules.lowercase = true;
            rules.strip_accents = false;
        } else if (type == "BertNormalizer") {
            rules.clean = settings.boolean("clean_text", true);
            rules.split_chinese = settings.boolean("handle_chinese_chars", true);
            rules.lowercase = settings.boolean("lowercase", true);
            if (settings.find("strip_accents") != nullptr) rules.strip_accents = settings.boolean("strip_accents", true);
        } else {
            fail_component(who, "normalizer", type);
        }
    }
    rules.split = word_split::none;
    if (const json_setting* const at = only_component(root, "pre_tokenizer", "pretokenizers", who)) {
        const std::string& type = json_settings(who, "pre_tokenizer", *at).text("type");
        if (type == "BertPreTokenizer") rules.split = word_split::words;
        else if (type == "WhitespaceSplit") rules.split = word_split::spaces;
        else fail_component(who, "pre-tokenizer", type);
    }
    require(rules.split != word_split::none || !rules.split_chinese, errc::unsupported_model, who,
            ": Chinese characters that are set apart without a pre-tokenizer are not supported");
}
// What `wordpiece_model` is made of, which is quickly read; the model builds tables for all of Unicode.
struct wordpiece_parts {
    vocabulary words;
    wordpiece_rules rules;
    special_tokens special;
    std::vector<added_token> added;
    encode_options defaults;
};
inline wordpiece_parts wordpiece_parts_of(tokenizer_document& document, std::string_view who) {
    require(document.model_type != "BPE", errc::unsupported_model, who, ": a BPE model where WordPiece was asked for");
    using is = json_setting::is;
    const json_settings model(who, "the model", *document.root.find("model"));
    wordpiece_rules rules;
    rules.unknown = model.text("unk_token");
    if (document.model_type == "WordLevel") {
        rules.whole_words = true;
    } else {
        rules.continuing = model.text("continuing_subword_prefix", "##");
        if (model.find("max_input_chars_per_word") != nullptr) {
            rules.max_word_chars = model.get("max_input_chars_per_word", is::natural).natural;
            require(rules.max_word_chars >= 1 && rules.max_word_chars <= wordpiece_model::most_word_chars, errc::bad_parameter, who,
                    ": max_input_chars_per_word = ", rules.max_word_chars, ", must lie in 1 .. ", wordpiece_model::most_word_chars);
        }
    }
    read_word_rules(document.root, who, rules);
    if (const json_setting* const decoder = only_component(document.root, "decoder", "decoders", who)) {
        const std::string& type = json_settings(who, "decoder", *decoder).text("type");
        if (type != "WordPiece") fail_component(who, "decoder", type);
    }
    const std::size_t size = document.tokens.size() + document.added.size();
    std::vector<added_token> added;
    for (const json_added_token& a : document.added) {
        require(!a.single_word && !a.strip_left && !a.strip_right, errc::unsupported_model, who,
                ": added tokens with single_word, lstrip or rstrip are not supported for ", document.model_type);
        added.push_back({a.text, a.id, a.special, a.normalized});
    }
    special_tokens around = special_tokens_of(document, size, who);
    return {vocabulary(std::move(document.tokens)), std::move(rules), std::move(around), std::move(added), truncation_of(document.root, who)};
}

}  // namespace detail

/// What `parse_tokenizer_json` reads: the tokenizer, which truncates as the file says, and how the file pads.
template <class Model>
struct tokenizer_from_json {
    Model tokenizer;
    std::optional<padding> pad = {};
};

/// A WordPiece or WordLevel tokenizer from the text of a tokenizer.json: BertNormalizer, Lowercase or none; BertPreTokenizer,
/// WhitespaceSplit or none; BertProcessing, TemplateProcessing or none; added tokens, truncation, padding.
/// Throws `error`: what `read_json` throws; `unsupported_model` with the name of what this library does not do the same way;
/// `unsupported_version`; `empty_input`, `missing_key`, `wrong_type`, `bad_parameter`; `missing_unk`; on tokens and ids
/// `empty_token`, `nul_byte`, `token_too_long`, `bad_id`, `duplicate_id`, `duplicate_token`.
template <std::same_as<wordpiece_model> Model = wordpiece_model>
[[nodiscard]] tokenizer_from_json<Model> parse_tokenizer_json(std::string_view json, const json_limits& limits = {}) {
    constexpr std::string_view who = "parse_tokenizer_json";
    detail::tokenizer_document document = detail::parse_tokenizer_document(json, who, limits);
    auto parts = detail::wordpiece_parts_of(document, who);
    auto pad = detail::padding_of(document.root, who);
    return {Model(std::move(parts.words), std::move(parts.rules), std::move(parts.special), std::move(parts.added), parts.defaults), pad};
}
/// The same from a file. Throws `error`: `io`, `limit_exceeded`, and the above.
template <std::same_as<wordpiece_model> Model = wordpiece_model, std::convertible_to<file_path> Path>
[[nodiscard]] tokenizer_from_json<Model> read_tokenizer_json(const Path& path, const json_limits& limits = {}) {
    const auto bytes = read_file(path, limits.bytes, "read_tokenizer_json");
    return parse_tokenizer_json<Model>(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()), limits);
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
