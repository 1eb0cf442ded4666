#ifndef CARAMEL_TEXT_BPE_TOKENIZER_JSON_HPP
#define CARAMEL_TEXT_BPE_TOKENIZER_JSON_HPP

// Byte-level BPE from Hugging Face's tokenizer.json. What this library does not do the same way is refused by name.

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/text/bpe.hpp>
#include <caramel/text/tokenizer_json.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// "post_processor": none, ByteLevel, RobertaProcessing, BertProcessing, TemplateProcessing, or a "Sequence" of them in which
// one sets special tokens at most.
inline void read_bpe_post_processor(const json_setting& at, std::size_t size, std::string_view who, bpe_settings& settings,
                                    std::optional<special_tokens>& around, int depth = 0) {
    using is = json_setting::is;
    require(at.type == is::object, errc::wrong_type, who, ": \"post_processor\" is of another type");
    const json_settings here(who, "post_processor", at);
    const std::string& type = here.text("type");
    if (type == "Sequence") {
        if (depth == 8) fail_component(who, "post-processor", type);
        for (const json_setting& item : here.get("processors", is::list).items) read_bpe_post_processor(item, size, who, settings, around, depth + 1);
        return;
    }
    if (type == "ByteLevel" || type == "RobertaProcessing") {
        if (here.boolean("trim_offsets", true)) {
            settings.trim_offsets = true;
            settings.first_space_is_added = here.boolean("add_prefix_space", true);
        }
        if (type == "ByteLevel") return;
    }
    if (around) fail_component(who, "post-processor", "Sequence");
    if (type == "RobertaProcessing") {
        const auto id_of = [&](std::string_view key) {
            const json_setting& pair = here.get(key, is::list);
            require(pair.items.size() == 2 && pair.items[1].type == is::natural, errc::wrong_type, who, ": \"", key, "\" is not a token and its id");
            return id_in_vocabulary(pair.items[1].natural, size, who);
        };
        const token_id cls = id_of("cls"), sep = id_of("sep");
        constexpr token_id a = special_tokens::first_text, b = special_tokens::second_text;
        around.emplace(std::vector<token_id>{cls, a, sep}, std::vector<std::uint8_t>(3), std::vector<token_id>{cls, a, sep, sep, b, sep},
                       std::vector<std::uint8_t>(6));
        return;
    }
    tokenizer_document alone;  // read as for WordPiece
    alone.root.type = is::object;
    alone.root.keys = {"post_processor"};
    alone.root.items = {at};
    around = special_tokens_of(alone, size, who);
}

inline bpe_model bpe_of(tokenizer_document& document, std::string_view who) {
    const json_settings model(who, "the model", *document.root.find("model"));
    bpe_settings settings;
    settings.defaults = truncation_of(document.root, who);
    settings.whole_words = model.boolean("ignore_merges", false);
    require(model.find("dropout") == nullptr, errc::unsupported_model, who, ": \"dropout\" of BPE is not supported");
    require(!model.boolean("byte_fallback", false), errc::unsupported_model, who, ": \"byte_fallback\" of BPE is not supported");
    for (const std::string_view key : {"continuing_subword_prefix", "end_of_word_suffix"})
        require(model.text(key, "").empty(), errc::unsupported_model, who, ": \"", key, "\" of BPE is not supported");

    if (const json_setting* const at = only_component(document.root, "normalizer", "normalizers", who))
        fail_component(who, "normalizer", json_settings(who, "normalizer", *at).text("type"));
    const json_setting* const splitter = only_component(document.root, "pre_tokenizer", "pretokenizers", who);
    require(splitter != nullptr, errc::unsupported_model, who, ": BPE without the pre-tokenizer ByteLevel is not supported");
    const json_settings splitting(who, "pre_tokenizer", *splitter);
    if (splitting.text("type") != "ByteLevel") fail_component(who, "pre-tokenizer", splitting.text("type"));
    require(splitting.boolean("use_regex", true), errc::unsupported_model, who, ": the pre-tokenizer ByteLevel without \"use_regex\" is not supported");
    settings.add_prefix_space = splitting.boolean("add_prefix_space", true);
    if (const json_setting* const at = only_component(document.root, "decoder", "decoders", who)) {
        const std::string& type = json_settings(who, "decoder", *at).text("type");
        if (type != "ByteLevel") fail_component(who, "decoder", type);
    }

    std::vector<bpe_added_token> added;
    std::size_t size = document.tokens.size();
    for (json_added_token& a : document.added) {
        size = std::max(size, static_cast<std::size_t>(a.id) + 1);
        added.push_back({.text = std::move(a.text), .id = a.id, .single_word = a.single_word, .strip_left = a.strip_left, .strip_right = a.strip_right,
                         .normalized = a.normalized, .special = a.special});
    }
    std::optional<special_tokens> around;
    if (const json_setting* const at = document.root.find("post_processor"); at != nullptr && !at->is_null())
        read_bpe_post_processor(*at, size, who, settings, around);

    vocabulary tokens(std::move(document.tokens));
    if (const std::string unknown = model.text("unk_token", ""); !unknown.empty()) {
        settings.unknown = tokens.find(unknown);
        require(settings.unknown.has_value(), errc::missing_unk, who, ": \"unk_token\" is not in the vocabulary");
        require(!model.boolean("fuse_unk", false), errc::unsupported_model, who, ": \"fuse_unk\" of BPE is not supported");
    }
    if (const auto pad = padding_of(document.root, who); pad && pad->id && static_cast<std::size_t>(*pad->id) < size) settings.padding = *pad->id;

    std::vector<token_id> merges;
    merges.reserve(2 * document.merges.size());
    const auto add = [&](std::string_view token, std::size_t number) {
        const auto id = tokens.find(token);
        require_at(id.has_value(), errc::bad_data, {.row = number}, who, ": a token of merge ", number, " is not in the vocabulary");
        merges.push_back(*id);
    };
    for (std::size_t i = 0; i < document.merges.size(); ++i) {
        const std::string_view text = document.merges[i];
        if (!document.merges_are_lines) {
            add(text, i / 2 + 1);
            continue;
        }
        const std::size_t space = text.find(' ');
        require_at(space != std::string_view::npos && text.find(' ', space + 1) == std::string_view::npos, errc::bad_format, {.row = i + 1}, who, ": merge ",
                   i + 1, " is not two tokens with a space between them");
        add(text.substr(0, space), i + 1);
        add(text.substr(space + 1), i + 1);
    }
    return {std::move(tokens), std::move(merges), std::move(added), around.value_or(special_tokens()), settings};
}

}  // namespace detail

/// A byte-level BPE tokenizer from the text of a tokenizer.json: `parse_tokenizer_json<bpe_model>(json)`. The pre-tokenizer
/// ByteLevel with its own pattern, no normalizer; as post-processor ByteLevel, RobertaProcessing, BertProcessing,
/// TemplateProcessing, a sequence of them, or none; added tokens with all their options, truncation, padding.
/// Throws `error`: what `read_json` throws; `unsupported_model` with the name of what this library does not do the same way;
/// `unsupported_version`; `empty_input`, `missing_key`, `wrong_type`, `bad_parameter`, `bad_format`, `bad_data`; `missing_unk`;
/// on tokens and ids `empty_token`, `nul_byte`, `token_too_long`, `bad_id`, `duplicate_id`, `duplicate_token`.
template <std::same_as<bpe_model> Model>
[[nodiscard]] tokenizer_from_json<Model> parse_tokenizer_json(std::string_view json, const json_limits& limits = {}) {
    constexpr std::string_view who = "parse_tokenizer_json";
    detail::tokenizer_document document = detail::parse_tokenizer_document(json, who, limits);
    if (document.model_type != "BPE") detail::fail_component(who, "model", document.model_type);
    auto pad = detail::padding_of(document.root, who);
    return {detail::bpe_of(document, who), pad};
}
/// The same from a file. Throws `error`: `io`, `limit_exceeded`, and the above.
template <std::same_as<bpe_model> Model, std::convertible_to<file_path> Path>
[[nodiscard]] tokenizer_from_json<Model> read_tokenizer_json(const Path& path, const json_limits& limits = {}) {
    const auto bytes = read_file(path, limits.bytes, "read_tokenizer_json");
    return parse_tokenizer_json<Model>(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()), limits);
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
