#include <caramel/text/clean.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/random.hpp>

#include "support/catch.hpp"

using namespace caramel;
using strings = std::vector<std::string>;

TEST_CASE("decode_entities", "[text_clean]") {
    const decode_entities m;
    CHECK(m("a &amp; b &lt;i&gt; &quot;&apos;&nbsp;&eacute;&hellip;&Sigma;") == "a & b <i> \"'\u00A0é…Σ");
    CHECK(m("&#39;&#x41;&#X4f60;&#128512;") == "'A你😀");
    CHECK(m("&#128;&#x92;&#0;&#xD800;&#1114112;&#9999999999;") == "€’\uFFFD\uFFFD\uFFFD\uFFFD");  // Python 3: html.unescape
    for (const char* stays : {"AT&T", "&", "&amp", "&;", "&#;", "&#x;", "&#xG;", "&#12a;", "&unknown;", "&AMP ;", "&#99999999999;", "& amp;"})
        CHECK(m(stays) == stays);
    CHECK(m("&amp;lt;") == "&lt;");  // once
    for (std::size_t i = 1; i < std::size(detail::html_entities); ++i)
        REQUIRE(std::string_view(detail::html_entities[i - 1].name) < std::string_view(detail::html_entities[i].name));
    std::string all;
    for (const auto& entity : detail::html_entities) all += "&" + std::string(entity.name) + ";";
    CHECK(m(all).find('&') == m(all).rfind('&'));  // only the ampersand itself
    CHECK(std::size(detail::html_entities) == 253);
}

TEST_CASE("remove_html", "[text_clean]") {
    const remove_html m;
    CHECK(m("<p>Hello<br/>big <b>wor</b>ld</p>") == " Hello big world ");
    CHECK(m("a<!-- no <b> --> b<?php x ?>c<!DOCTYPE html>") == "a  b c ");
    CHECK(m("x<script type='a'>if (1 < 2) f();</SCRIPT >y<style>p {}</style>z") == "x y z");
    CHECK(m("<a href=\"x>y\" title='<'>link</a> <IMG src=x>") == "link  ");
    for (const char* stays : {"1 < 2 > 0", "I <3 you", "a <b", "<", "x<", "<>", "< b>", "a<b and c"}) CHECK(m(stays) == stays);
    CHECK(m("a<b and <i>c</i>") == "a<b and c");
    CHECK(m("<a x=\"unclosed>t</a> <i>u</i>") == "t u");
    CHECK(m("<!-- open <i>x</i>") == "<!-- open x");
    CHECK(m("<script>never closed") == " never closed");
    CHECK(m("&lt;b&gt;") == "&lt;b&gt;");
}

TEST_CASE("replace_urls, replace_emails, replace_phones", "[text_clean]") {
    const replace_urls urls("U");
    CHECK(urls("see http://a.b/c?d=e&f#g, or (https://x.org/y_(z)) and www.w3.org.") == "see U, or (U) and U.");
    CHECK(urls("HTTP://A.B 看http://a.cn/你好 ftp://f <http://q>") == "U 看U你好 U <U>");
    for (const char* stays : {"http:// x", "awww.b.c", "www. x", "ahttp://b.c", "http", "w", "ftp"}) CHECK(urls(stays) == stays);
    CHECK(replace_urls()("a http://b c") == "a   c");
    const replace_emails emails("E");
    CHECK(emails("Write to me.you+tag@mail.example.co.uk, or 邮箱a_b@c.cn。") == "Write to E, or 邮箱E。");
    CHECK(emails("<x@y.zz>.a@b.cc") == "<E>.E");
    CHECK(emails("a@b.com.") == "E.");
    for (const char* stays : {"@b.com", "a@b", "a@.com", "a@b..com", "a@b.c", "a@b.c0", "@", "a@", "a @b.com"}) CHECK(emails(stays) == stays);
    const replace_phones phones("P");
    CHECK(phones("call +1 (555) 123-4567 or 555-123-4567, 13800138000; 010-62781234") == "call P or P, P; P");
    CHECK(phones("(555) 123 4567") == "P");
    CHECK(phones("+49 30 901820.") == "P.");
    CHECK(phones("电话：400-820-8820转1") == "电话：P转1");
    for (const char* stays : {"2024-01-02", "12/25/2024", "1234567", "12345678.90", "3 items 100 200", "1 000 000 000", "order A1234567890", "192.168.100.100",
                              "123-4", "+", "(", "1234567890123456", "0.1234567890", "100%", "12345678901x"})
        CHECK(phones(stays) == stays);
    CHECK(error_of([] { (void)replace_phones("\xFF"); }).code() == errc::bad_utf8);
}

TEST_CASE("limit_repeats, narrow_forms, squeeze_spaces, repair_text", "[text_clean]") {
    CHECK(limit_repeats()("sooooo good!!!!!! 哈哈哈哈哈 10000000 a    b aaa") == "sooo good!!! 哈哈哈 10000000 a    b aaa");
    CHECK(limit_repeats(1)("aabbcc") == "abc");
    CHECK(error_of([] { (void)limit_repeats(0); }).code() == errc::bad_parameter);
    CHECK(narrow_forms()("ＡＢｃ１２！～　￥、。ｱ") == "ABc12!~ ￥、。ｱ");
    CHECK(squeeze_spaces()(" \t a \u3000\u00A0b\nc\u200Bd  ") == "a b c d");
    CHECK(squeeze_spaces()("a b") == "a b");
    CHECK(squeeze_spaces()(" ").empty());
    CHECK(repair_text()("a\xFF\xE4\xBD" "b") == "a\uFFFD\uFFFDb");
    CHECK(repair_text()(strings{"\x80"}) == strings{"\uFFFD"});
    CHECK(error_of([] { (void)squeeze_spaces()(strings{"a", "b\xFF"}); }).where() == place{.row = 2, .byte = 2});
    CHECK(error_of([] { (void)squeeze_spaces()(aligned_text("b\xFF")); }).where() == place{.row = 1, .byte = 2});
}

TEST_CASE("handle_emoji", "[text_clean]") {
    const handle_emoji gone(emoji_policy::remove), named(emoji_policy::replace, "E"), kept(emoji_policy::keep);
    const std::string text = "a😀b👍🏽c👩\u200D👩\u200D👧d🇨🇳🇩🇪e❤\uFE0Ff1\uFE0F\u20E3g☀h";
    CHECK(gone(text) == "abcdefgh");
    CHECK(named(text) == "aEbEcEdEEeEfEgEh");
    CHECK(kept(text) == text);
    for (const char* stays : {"© ® ™ ↔ ‼", "❤\uFE0E", "1#*", "㊗〰", "你好，", "\u200D", ""}) CHECK(gone(stays) == stays);
    CHECK(gone("©\uFE0F 🏴\U000E0067\U000E0062\U000E007F🏽🇨😀\u200D") == " \u200D");
    CHECK(error_of([] { (void)handle_emoji(static_cast<emoji_policy>(3)); }).code() == errc::bad_parameter);
    CHECK(error_of([] { (void)handle_emoji(emoji_policy::replace, "\xFF"); }).code() == errc::bad_utf8);
}
TEST_CASE("handle_emoji: all sequences of emoji-test.txt are one emoji", "[text_clean]") {
    std::ifstream in("/usr/share/unicode/emoji/emoji-test.txt");
    if (!in) {
        WARN("skipped: emoji-test.txt is not in /usr/share/unicode (apt-get install unicode-data)");
        return;
    }
    const handle_emoji named(emoji_policy::replace, "E");
    std::size_t wrong = 0, seen = 0;
    for (std::string line; std::getline(in, line);) {
        if (line.empty() || line[0] == '#' || line.find("unqualified") != std::string::npos) continue;  // unqualified: shown as text
        std::string text;
        for (std::size_t at = 0; at < line.find(';') && line[at] != ' '; at += line[at] == ' ' ? 1 : 0) {
            std::size_t digits = 0;
            char bytes[4];
            text.append(bytes, encode_utf8(static_cast<char32_t>(std::stoul(line.substr(at), &digits, 16)), bytes));
            at += digits;
        }
        wrong += named("x" + text + "y") != "xEy";
        ++seen;
    }
    CHECK(wrong == 0);
    CHECK(seen > 4'000);
}

TEST_CASE("aligned_text: the way back, by hand and through several stages", "[text_clean]") {
    const std::string original = "  a &amp; <b>bold</b>&eacute;  x";
    const aligned_text clean = (decode_entities() | remove_html() | squeeze_spaces())(aligned_text(original));
    CHECK(clean.text == "a & boldé x");
    CHECK(clean.original_size == original.size());
    const auto from = [&](std::string_view part) {
        const std::size_t at = clean.text.find(part);
        const auto [begin, end] = clean.original(at, at + part.size());
        return original.substr(begin, end - begin);
    };
    CHECK(from("a") == "a");
    CHECK(from("&") == "&amp;");
    CHECK(from("bold") == "bold");
    CHECK(from("boldé") == "bold</b>&eacute;");
    CHECK(from("é x") == "&eacute;  x");
    CHECK(from(clean.text) == original.substr(2));
    CHECK(clean.original(0, 0) == std::pair<std::size_t, std::size_t>{2, 2});
    CHECK(clean.original(clean.text.size(), clean.text.size()).first == original.size());
    CHECK(error_of([&] { (void)clean.original(3, 2); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)clean.original(0, 100); }).code() == errc::bad_parameter);
    CHECK(aligned_text("").original(0, 0) == std::pair<std::size_t, std::size_t>{0, 0});
    CHECK(squeeze_spaces()(aligned_text("   ")).original(0, 0) == std::pair<std::size_t, std::size_t>{0, 0});
}

namespace {

// The same way back, byte by byte.
using spans = std::vector<std::pair<std::size_t, std::size_t>>;
template <class Stage>
spans through(const Stage& stage, std::string& text, const spans& before) {
    const aligned_text one = stage(aligned_text(text));
    spans out(one.text.size());
    for (const auto& p : one.offsets)
        for (std::size_t i = p.begin; i < p.end; ++i)
            out[i] = p.copied ? before[p.original_begin + (i - p.begin)] : std::pair(before[p.original_begin].first, before[p.original_end - 1].second);
    CHECK(one.text == stage(text));
    workspace scratch;
    CHECK(one.text == stage(text, scratch));
    text = one.text;
    return out;
}

}  // namespace

TEST_CASE("aligned_text: equals the way back byte by byte, through all stages", "[text_clean]") {
    const strings pieces{"a", " ", "  ", "&amp;", "&lt;", "<b>", "</p>", "<!--", "-->", "http://a.b ", "c@d.ee", "13800138000",
                         "oooo", "😀", "ＡＢ", "　", "é", "\n", "<", "你好"};
    rng random(8);
    for (int i = 0; i < 300; ++i) {
        std::string text;
        for (std::uint64_t n = random.below(12); n > 0; --n) text += pieces[random.below(pieces.size())];
        const std::string original = text;
        spans bytes;
        for (std::size_t k = 0; k < text.size(); ++k) bytes.emplace_back(k, k + 1);
        for (const auto& map : {decode_entities()}) bytes = through(map, text, bytes);
        bytes = through(remove_html(), text, bytes);
        bytes = through(replace_urls("<url>"), text, bytes);
        bytes = through(replace_emails("<mail>"), text, bytes);
        bytes = through(replace_phones("<phone>"), text, bytes);
        bytes = through(handle_emoji(emoji_policy::replace, "<emoji>"), text, bytes);
        bytes = through(narrow_forms(), text, bytes);
        bytes = through(limit_repeats(2), text, bytes);
        bytes = through(squeeze_spaces(), text, bytes);
        const auto chain = repair_text() | decode_entities() | remove_html() | replace_urls("<url>") | replace_emails("<mail>") | replace_phones("<phone>") |
                           handle_emoji(emoji_policy::replace, "<emoji>") | narrow_forms() | limit_repeats(2) | squeeze_spaces();
        const aligned_text whole = chain(aligned_text(original));
        CAPTURE(original);
        REQUIRE(whole.text == text);
        REQUIRE(chain(strings{original}) == strings{text});
        spans ours;
        for (std::size_t k = 0; k < text.size(); ++k) ours.push_back(whole.original(k, k + 1));
        REQUIRE(ours == bytes);
        for (const auto& p : whole.offsets)
            if (p.copied) REQUIRE(whole.text.substr(p.begin, p.end - p.begin) == original.substr(p.original_begin, p.original_end - p.original_begin));
    }
}

TEST_CASE("clean: hostile texts in linear time", "[text_clean][edge]") {
    const auto repeated = [](const std::string& part, std::size_t bytes = 400'000) {
        std::string out;
        while (out.size() < bytes) out += part;
        return out;
    };
    for (const char* part : {"<", "&", "<a ", "<!--", "<script>", "<script></script", "<a x=\"", "<a x='\"", "&#1", "@", "a@a.", "a.", "+", "(", "1 ", "1-", "1",
                             "http://", "www.", "w", "a", "😀\u200D", "👩\u200D", "🇨", "1\uFE0F", " ", "a ", "Ａ"}) {
        const std::string text = repeated(part);
        CAPTURE(part);
        std::size_t sum = 0;
        sum += decode_entities()(text).size() + remove_html()(text).size() + replace_urls()(text).size() + replace_emails()(text).size();
        sum += replace_phones()(text).size() + limit_repeats()(text).size() + handle_emoji(emoji_policy::remove)(text).size() + narrow_forms()(text).size();
        sum += squeeze_spaces()(text).size();
        CHECK(sum > 0);
    }
    const aligned_text many = squeeze_spaces()(narrow_forms()(aligned_text(repeated("Ａ \t b"))));
    CHECK(many.original(many.text.size() - 1, many.text.size()).second == many.original_size);
}

TEST_CASE("clean: its fields make each stage again", "[text_clean]") {
    const auto again = [](const auto& m) {
        using stage = std::remove_cvref_t<decltype(m)>;
        return std::apply([](const auto&... field) { return stage(field...); }, m.fields());
    };
    CHECK(again(replace_urls("x")).with() == "x");
    CHECK(again(replace_emails("x")).with() == "x");
    CHECK(again(replace_phones("x")).with() == "x");
    CHECK(again(limit_repeats(7)).most() == 7);
    CHECK(again(handle_emoji(emoji_policy::replace, "x")).fields() == std::tuple(emoji_policy::replace, std::string("x")));
    CHECK(again(squeeze_spaces())("a  b") == "a b");
}
