// UTF-8, normal forms, letters and the stages that clean texts, on any bytes.
// 0 UTF-8, 1 normal forms, 2 letters, 3 cleaning (two bytes choose the stages).

#include <string>
#include <string_view>
#include <vector>

#include <caramel/core/workspace.hpp>
#include <caramel/text/aligned_text.hpp>
#include <caramel/text/clean.hpp>
#include <caramel/text/normalize.hpp>
#include <caramel/text/utf8.hpp>

#include "support.hpp"

using namespace caramel;

namespace {

constexpr std::size_t npos = std::string_view::npos;

// By definition: the leading byte says how many follow, and encoding the code point must give the same bytes.
std::size_t first_bad_byte(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const auto byte = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[i])); };
        const std::size_t length = byte(at) < 0x80 ? 1 : byte(at) >> 5 == 6 ? 2 : byte(at) >> 4 == 14 ? 3 : byte(at) >> 3 == 30 ? 4 : 0;
        if (length == 0 || text.size() - at < length) return at;
        char32_t c = length == 1 ? byte(at) : byte(at) & (0x7FU >> length);
        for (std::size_t i = 1; i < length; ++i) {
            if (byte(at + i) >> 6 != 2) return at;
            c = c << 6 | (byte(at + i) & 0x3F);
        }
        char bytes[4];
        if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF) || encode_utf8(c, bytes) != length) return at;
        if (text.substr(at, length) != std::string_view(bytes, length)) return at;
        at += length;
    }
    return npos;
}

void utf8(std::string_view text) {
    const std::size_t bad = first_bad_byte(text);
    EXPECT(find_bad_utf8(text) == bad);
    for (const std::size_t before : {std::size_t{96}, std::size_t{61 + text.size() % 37}}) {  // where 32 bytes are looked at at once
        const std::string wide = std::string(before, 'a') + std::string(text) + std::string(64, 'z');
        EXPECT(find_bad_utf8(wide) == (bad == npos ? npos : before + bad));
    }
    const std::string repaired = repair_utf8(text);
    EXPECT(first_bad_byte(repaired) == npos && repair_utf8(repaired) == repaired);
    if (bad == npos) EXPECT(repaired == text);
    else EXPECT(repaired.compare(0, bad, text.substr(0, bad)) == 0 && repaired.compare(bad, 3, "\xEF\xBF\xBD") == 0);
    std::string again;
    for (std::size_t at = 0; at < repaired.size();) {
        char bytes[4];
        again.append(bytes, encode_utf8(decode_utf8(repaired, at), bytes));
    }
    EXPECT(again == repaired);
}

void normal_forms(std::string_view bytes) {
    EXPECT(fuzz::accepts([&] { (void)normalize(bytes, normal_form::nfc); }) == (find_bad_utf8(bytes) == npos));
    const std::string text = repair_utf8(bytes);
    std::string forms[4];
    workspace scratch;
    for (const normal_form form : {normal_form::nfc, normal_form::nfd, normal_form::nfkc, normal_form::nfkd}) {
        std::string& out = forms[static_cast<int>(form)];
        out = normalize(text, form);
        EXPECT(find_bad_utf8(out) == npos && is_normalized(out, form) && normalize(out, form) == out);
        EXPECT(is_normalized(text, form) == (out == text));
        for (const bool lowercase : {false, true}) {
            const normalize_text stage({.form = form, .lowercase = lowercase});
            EXPECT(stage(text) == (lowercase ? lower_case(out) : out) && stage(text, scratch) == stage(text));
        }
    }
    const auto& [c, d, kc, kd] = forms;
    EXPECT(normalize(d, normal_form::nfc) == c && normalize(c, normal_form::nfd) == d);
    EXPECT(normalize(kd, normal_form::nfkc) == kc && normalize(kc, normal_form::nfkd) == kd);
    EXPECT(normalize(c, normal_form::nfkc) == kc && normalize(d, normal_form::nfkd) == kd);
}

void letters(std::string_view bytes) {
    const std::string text = repair_utf8(bytes), lower = lower_case(text), folded = fold_case(text), bare = strip_accents(text);
    EXPECT(find_bad_utf8(lower) == npos && lower_case(lower) == lower);
    EXPECT(find_bad_utf8(folded) == npos && fold_case(folded) == folded);
    EXPECT(find_bad_utf8(bare) == npos && strip_accents(bare) == bare && is_normalized(bare, normal_form::nfc));
    workspace scratch;
    const normalize_text stage({.form = normal_form::nfkc, .lowercase = true, .strip_accents = true});
    EXPECT(find_bad_utf8(stage(text)) == npos && stage(text, scratch) == stage(text));
}

// The pieces lie one behind the other in the text, and what they come from rises within the original.
void check_alignment(const aligned_text& aligned, std::string_view original, bool one_stage) {
    EXPECT(aligned.original_size == original.size() && aligned.text.empty() == aligned.offsets.empty());
    aligned_piece before{0, 0, 0, 0, true};
    for (const aligned_piece& p : aligned.offsets) {
        EXPECT(p.begin == before.end && p.begin < p.end);
        EXPECT(p.original_begin <= p.original_end && p.original_end <= original.size());
        EXPECT(p.original_begin >= before.original_begin && p.original_end >= before.original_end);
        if (one_stage) EXPECT(p.original_begin >= before.original_end);
        if (p.copied) EXPECT(aligned.text.compare(p.begin, p.end - p.begin, original.substr(p.original_begin, p.original_end - p.original_begin)) == 0);
        before = p;
    }
    EXPECT(before.end == aligned.text.size());
    for (std::size_t at = 0, last = 0; at < aligned.text.size(); ++at) {
        const auto [begin, end] = aligned.original(at, at + 1);
        EXPECT(begin >= last && begin <= end && end <= original.size());
        last = begin;
    }
}

template <class Stage>
aligned_text check_stage(const Stage& stage, const aligned_text& from, std::string_view original, bool again_is_the_same) {
    workspace scratch;
    const aligned_text out = stage(from);
    EXPECT(find_bad_utf8(out.text) == npos && stage(from.text) == out.text && stage(std::string_view(from.text), scratch) == out.text);
    if (again_is_the_same) EXPECT(stage(out.text) == out.text);
    check_alignment(out, original, from.text == original);
    return out;
}

aligned_text clean(unsigned number, const aligned_text& from, std::string_view original) {
    switch (number % 10) {
        case 0: return check_stage(decode_entities(), from, original, false);
        case 1: return check_stage(remove_html(), from, original, false);
        case 2: return check_stage(replace_urls("<url>"), from, original, false);
        case 3: return check_stage(replace_emails(), from, original, false);
        case 4: return check_stage(replace_phones("\xE2\x98\x8E"), from, original, false);
        case 5: return check_stage(limit_repeats(2), from, original, true);
        case 6: return check_stage(handle_emoji(emoji_policy::remove), from, original, false);
        case 7: return check_stage(handle_emoji(emoji_policy::replace, "\xE2\x98\xBA"), from, original, false);
        case 8: return check_stage(narrow_forms(), from, original, true);
        default: return check_stage(squeeze_spaces(), from, original, true);
    }
}

void cleaning(std::string_view bytes) {
    const unsigned first = fuzz::take_byte(bytes), second = fuzz::take_byte(bytes);
    const aligned_text repaired = repair_text()(aligned_text(std::string(bytes)));
    EXPECT(repaired.text == repair_utf8(bytes));
    check_alignment(repaired, bytes, true);
    const std::string& text = repaired.text;
    (void)clean(second, clean(first, aligned_text(text), text), text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    return fuzz::run<utf8, normal_forms, letters, cleaning>(data, size);
}
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t room, unsigned) {
    return fuzz::mutate(data, size, room, LLVMFuzzerMutate);
}
