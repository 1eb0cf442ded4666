#include <cerrno>
#include <charconv>
#include <limits>
#include <string>
#include <string_view>

#include <caramel/io/json.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace json_test {

namespace {

// Writes down every event.
struct recorder : json_handler {
    recorder() : json_handler("recorder") {}
    std::string log;
    std::string skipped;  // the key whose value is to be passed over
    void add(const std::string& what) { log += (log.empty() ? "" : " ") + what; }

    void null() override { add("null"); }
    void boolean(bool x) override { add(x ? "true" : "false"); }
    void negative(std::int64_t x) override { add("-" + detail::message(x)); }
    void natural(std::uint64_t x) override { add("+" + detail::message(x)); }
    void number(double x) override { add("#" + detail::message(x)); }
    void string(std::string& x) override { add("'" + x + "'"); }
    void begin_object() override { add("{"); }
    void key(std::string& x) override {
        add(x + ":");
        if (!skipped.empty() && x == skipped) skip_value();
    }
    void end_object() override { add("}"); }
    void begin_array() override { add("["); }
    void end_array() override { add("]"); }
};

std::string events(std::string_view text, const json_limits& limits = {}) {
    recorder r;
    read_json(text, r, limits);
    return r.log;
}
struct refusal {
    std::string code;
    std::uint64_t byte;
    friend bool operator==(const refusal&, const refusal&) = default;
    friend std::ostream& operator<<(std::ostream& out, const refusal& r) { return out << r.code << " at " << r.byte; }
};
refusal refused(std::string_view text, const json_limits& limits = {}) {
    const error e = error_of([&] { (void)events(text, limits); });
    return {std::string(name_of(e.code())), e.where().byte};
}

double read_back(const std::string& text) {
    double x = 0;
    std::from_chars(text.data(), text.data() + text.size(), x);
    return x;
}

}  // namespace

TEST_CASE("json: every kind of value arrives in order", "[json]") {
    CHECK(events(R"( {"a":[1,-2,2.5,1e3,true,false,null,"x"],"b":{}} )") == "{ a: [ +1 --2 #2.5 #1000 true false null 'x' ] b: { } }");
    CHECK(events("18446744073709551615") == "+18446744073709551615");
    CHECK(events("-9223372036854775808") == "--9223372036854775808");
    CHECK(events("-0") == "+0");
    CHECK(events("0.0") == "#0");
    CHECK(events("0e5") == "#0");
    CHECK(events("5e-324") == "#5e-324");
    CHECK(events(R"("\"\\\/\b\f\n\r\t\u0041\u00e4\ud83d\ude00")") == "'\"\\/\b\f\n\r\tA\xC3\xA4\xF0\x9F\x98\x80'");
    CHECK(events("\"\xC3\xA4\"") == "'\xC3\xA4'");
}
TEST_CASE("json: nothing beyond RFC 8259", "[json][error]") {
    for (const std::string_view text : {"", " ", "{", "[", "[1,]", "{\"a\":1,}", "{a:1}", "{'a':1}", "[1 2]", "// x\n1", "/* x */1", "NaN",
                                        "[Infinity]", "[-]", "+1", ".5", "1.", "[01]", "[0x10]", "1e", "[\"a\nb\"]", "\"\\x\"",
                                        "\"\\u12g4\"", "\"\\ud800\"", "\"\\ud800x\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "tru",
                                        "\xEF\xBB\xBF{}", "\"\t\"", "\"\x01\""})
        CHECK(refused(text).code == "bad_json");
}
TEST_CASE("json: the place is that of the last byte read", "[json][error]") {
    CHECK(refused("[1,]") == refusal{"bad_json", 4});
    CHECK(refused("[1,2") == refusal{"bad_json", 4});
    CHECK(refused("{\"a\":tru}") == refusal{"bad_json", 9});
    CHECK(refused("{\"a\":\"\xFF\"}") == refusal{"bad_utf8", 7});
}
TEST_CASE("json: bytes that are not UTF-8", "[json][error]") {
    for (const std::string_view bytes : {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x80\x80\x80", "\xF4\x90\x80\x80",
                                         "\xF5\x80\x80\x80", "\xFF", "\xC3", "\xE2\x82", "\xF0\x9F\x98"})
        CHECK(refused("\"" + std::string(bytes) + "\"") == refusal{"bad_utf8", 2});
    for (const std::string_view bytes : {"\xC2\x80", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"})
        CHECK(events("\"" + std::string(bytes) + "\"") == "'" + std::string(bytes) + "'");
}
TEST_CASE("json: one value and nothing after it", "[json][error]") {
    CHECK(refused("{}{}") == refusal{"trailing_data", 3});
    CHECK(refused("{}]").code == "trailing_data");
    CHECK(refused("1 2").code == "trailing_data");
    CHECK(refused(std::string_view("{}\0", 3)) == refusal{"trailing_data", 3});
    CHECK(refused(std::string_view("{}\0{}", 5)) == refusal{"trailing_data", 3});
    CHECK(refused(std::string_view("[1,\0]", 5)).code == "bad_json");
    CHECK(refused(std::string_view("\"a\0b\"", 5)).code == "bad_json");
    CHECK(refused(std::string_view("\0", 1)).code == "bad_json");
}
TEST_CASE("json: a key may stand once in an object, however it is written", "[json][error]") {
    CHECK(refused(R"({"a":1,"a":2})") == refusal{"duplicate_key", 10});
    CHECK(refused(R"({"w":1,"\u0077":2})").code == "duplicate_key");
    CHECK(refused(R"({"\u0077":1,"w":2})").code == "duplicate_key");
    CHECK(refused(R"({"\u0077":1,"\u0077":2})").code == "duplicate_key");
    CHECK(refused(R"([{"x":{"a":1,"b":2,"a":3}}])").code == "duplicate_key");
    CHECK(refused(R"({"":1,"":2})").code == "duplicate_key");
    CHECK(events(R"({"a":{"a":1},"b":{"a":2,"\u0062":3}})") == "{ a: { a: +1 } b: { a: +2 b: +3 } }");
    CHECK(events(R"({"a":{"\u0078":1},"x":2,"\u0079":3})") == "{ a: { x: +1 } x: +2 y: +3 }");
}
TEST_CASE("json: numbers that no number type holds", "[json][error]") {
    for (const std::string_view text : {"18446744073709551616", "-9223372036854775809", "1e999", "-1e999", "1e-999", "0.0000001e-400"})
        CHECK(refused(text).code == "number_out_of_range");
}
TEST_CASE("json: limits", "[json][error]") {
    const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
    CHECK(events(nested(32)).size() > 0);
    CHECK(refused(nested(33)) == refusal{"json_too_deep", 33});
    CHECK(refused(std::string(1'000'000, '[')) == refusal{"json_too_deep", 33});
    CHECK(events("[\"" + std::string(100, '[') + "\"]").size() == 106);  // brackets in a string do not count
    CHECK(events("[1,2,3]", {.nodes = 4}) == "[ +1 +2 +3 ]");
    CHECK(refused("[1,2,3,4]", {.nodes = 4}).code == "limit_exceeded");
    CHECK(refused("{\"a\":1}", {.nodes = 2}).code == "limit_exceeded");
    CHECK(events("[1]", {.bytes = 3}) == "[ +1 ]");
    CHECK(refused("[1] ", {.bytes = 3}).code == "limit_exceeded");
    CHECK(events("\"12345\"", {.string_bytes = 5}) == "'12345'");
    CHECK(refused("\"123456\"", {.string_bytes = 5}).code == "limit_exceeded");
    CHECK(refused("{\"123456\":1}", {.string_bytes = 5}).code == "limit_exceeded");
    CHECK(refused("[" + std::string(5000, '1') + "]").code == "limit_exceeded");
}
TEST_CASE("json: a skipped value is checked, but not handed over", "[json]") {
    recorder r;
    r.skipped = "b";
    read_json(R"({"a":1,"b":{"c":[1,{"d":2}],"b":[]},"e":[3]})", r);
    CHECK(r.log == "{ a: +1 b: e: [ +3 ] }");
    recorder s;
    s.skipped = "b";
    read_json(R"({"b":1,"c":2})", s);
    CHECK(s.log == "{ b: c: +2 }");
    recorder t;
    t.skipped = "b";
    CHECK(error_of([&] { read_json(R"({"b":{"c":1,"c":2}})", t); }).code() == errc::duplicate_key);
}
TEST_CASE("json: what a handler does not take is of the wrong type", "[json][error]") {
    struct only_an_object : json_handler {
        only_an_object() : json_handler("only_an_object") {}
        void begin_object() override {}
    };
    for (const std::string_view text : {"[]", "1", "-1", "1.5", "\"a\"", "true", "null", "{\"a\":[]}"}) {
        only_an_object h;
        const error e = error_of([&] { read_json(text, h); });
        CHECK(e.code() == errc::wrong_type);
        CHECK(std::string_view(e.what()).starts_with("only_an_object: "));
    }
}
TEST_CASE("json: text that is not JSON is told before what the handler refuses", "[json][error]") {
    struct takes_nothing : json_handler {
        takes_nothing() : json_handler("takes_nothing") {}
    };
    const auto code = [](std::string_view text) {
        takes_nothing h;
        const error e = error_of([&] { read_json(text, h); });
        return refusal{std::string(name_of(e.code())), e.where().byte};
    };
    CHECK(code("[1,2]") == refusal{"wrong_type", 1});
    CHECK(code("[1,2,]") == refusal{"bad_json", 6});
    CHECK(code("[1,2] 3").code == "trailing_data");
    CHECK(code("[{\"a\":1,\"a\":1}]") == refusal{"wrong_type", 1});
}
TEST_CASE("json: errno is as before", "[json]") {
    errno = 77;
    (void)events("[1.5,1]");
    CHECK(errno == 77);
    (void)refused("1e999");
    CHECK(errno == 77);
    errno = 0;
}
TEST_CASE("json: no part of the text stands in a message", "[json][error]") {
    for (const std::string_view text : {"{\"secret\":1,\"secret\":2}", "[secret]", "[\"secret\\x\"]", "{\"secret\":1e999}"})
        CHECK(std::string_view(error_of([&] { (void)events(text); }).what()).find("secret") == std::string_view::npos);
}
TEST_CASE("json: what is written reads back", "[json]") {
    std::string all;
    for (int c = 0; c < 128; ++c) all += static_cast<char>(c);
    all += "\xC3\xA4\xF0\x9F\x98\x80";
    std::string text;
    append_json_string(text, all);
    CHECK(events(text) == "'" + all + "'");
    for (const double x : {0.1, -2.5, 1e300, 5e-324, 1.7976931348623157e308, 123456789012345.0}) {
        std::string number;
        append_json_number(number, x);
        CHECK(events("[" + number + ",0.5]").find(detail::message(x)) != std::string::npos);
        CHECK(read_back(number) == x);
    }
    std::string out;
    CHECK(error_of([&] { append_json_string(out, "a\xFF"); }).where().byte == 2);
    CHECK(error_of([&] { append_json_number(out, std::numeric_limits<double>::quiet_NaN()); }).code() == errc::nan_or_inf);
    CHECK(error_of([&] { append_json_number(out, std::numeric_limits<double>::infinity()); }).code() == errc::nan_or_inf);
}

}  // namespace json_test
