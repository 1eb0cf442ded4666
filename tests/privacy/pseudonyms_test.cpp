#include <caramel/privacy/pseudonyms.hpp>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstring>
#include <memory>
#include <new>
#include <ostream>
#include <set>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <caramel/core/random.hpp>

#include "support/catch.hpp"
#include "support/sha256.hpp"

using namespace caramel;

namespace pseudonyms_test {

template <class Bytes>
std::string hex(const Bytes& bytes) {
    std::string out;
    for (const auto c : bytes) {
        out += "0123456789abcdef"[static_cast<unsigned char>(c) / 16];
        out += "0123456789abcdef"[static_cast<unsigned char>(c) % 16];
    }
    return out;
}
std::string repeated(unsigned char byte, std::size_t n) { return std::string(n, static_cast<char>(byte)); }
std::string from_hex(std::string_view digits) {
    std::string out;
    for (std::size_t i = 0; i < digits.size(); i += 2) out += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
    return out;
}
std::string hashed(std::string_view text) {
    detail::sha256_hash hash;
    hash.add(text);
    return hex(hash.digest());
}

template <class X>
constexpr bool prints = requires(std::ostream& out, const X& x) {
    out << x;
};
template <class X>
constexpr bool has_fields = requires(const X& x) {
    x.fields();
};

TEST_CASE("pseudonyms: SHA-256 of the published examples", "[privacy][pseudonyms]") {
    // NIST's examples of FIPS 180-4, and a million times a.
    CHECK(hashed("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(hashed("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(hashed("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    CHECK(hashed("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu") ==
          "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
    CHECK(hashed(repeated('a', 1000000)) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    // All lengths around the blocks' ends against the other implementation that the tests have.
    for (std::size_t n = 0; n < 200; ++n) {
        const std::string text = repeated(static_cast<unsigned char>(n), n);
        sha256 other;
        other.add(text);
        REQUIRE(hashed(text) == other.digest());
    }
}

TEST_CASE("pseudonyms: HMAC-SHA-256 of RFC 4231", "[privacy][pseudonyms]") {
    const auto mac = [](const std::string& key, std::string_view text) { return hex(detail::hmac_sha256(key)(text)); };
    CHECK(mac(repeated(0x0b, 20), "Hi There") == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    CHECK(mac("Jefe", "what do ya want for nothing?") == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    CHECK(mac(repeated(0xaa, 20), repeated(0xdd, 50)) == "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    CHECK(mac(from_hex("0102030405060708090a0b0c0d0e0f10111213141516171819"), repeated(0xcd, 50)) ==
          "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
    CHECK(mac(repeated(0x0c, 20), "Test With Truncation").starts_with("a3b6167473100ee06e0c796c2955552b"));
    CHECK(mac(repeated(0xaa, 131), "Test Using Larger Than Block-Size Key - Hash Key First") ==
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    CHECK(mac(repeated(0xaa, 131),
              "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC "
              "algorithm.") == "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
    CHECK(mac(repeated(0xaa, 64), "x") != mac(repeated(0xaa, 65), "x"));
}

TEST_CASE("pseudonyms: one key gives one pseudonym, another key another", "[privacy][pseudonyms]") {
    const std::string secret = "0123456789abcdef0123456789ABCDEF";
    const pseudonyms a{pseudonym_key(secret)}, again{pseudonym_key(secret)}, b{pseudonym_key("0123456789abcdef0123456789ABCDEG")};
    CHECK(a("customer", "anna@example.com") == again("customer", "anna@example.com"));
    CHECK(a("customer", "anna@example.com") != b("customer", "anna@example.com"));
    CHECK(a("customer", "anna@example.com") != a("newsletter", "anna@example.com"));
    CHECK(a("customer", 42) == a("customer", "42"));
    CHECK(a("customer", -42) == a("customer", "-42"));
    CHECK(a("customer", 42u) == a("customer", 42L));
    CHECK(a("ab", "c") != a("a", "bc"));  // a domain and an id are not run together
    CHECK(a("", "abc") != a("abc", "x"));
    // The documented definition, so that other systems can make the same: HMAC(key, length of the domain in 8 bytes, domain, id).
    CHECK(a("customer", "42") == hex(detail::hmac_sha256(secret)(std::string_view("\x08\0\0\0\0\0\0\0", 8), "customer42")).substr(0, 32));
    CHECK(a("customer", "42") == "6997cef992a633ae637e68cf5dbe7829");  // hmac.new of Python 3
    CHECK(a.integer("customer", "42") == a.integer("customer", 42));
    CHECK(a.integer("customer", "42") == 3804388833384143319);
    const pseudonyms longer(pseudonym_key(secret), {.bytes = 32}), shorter(pseudonym_key(secret), {.bytes = 8});
    CHECK(longer("d", "x").size() == 64);
    CHECK(longer("d", "x").starts_with(a("d", "x")));
    CHECK(a("d", "x").starts_with(shorter("d", "x")));
    CHECK(pseudonyms(pseudonym_key::from_hex("3031323334353637383961626364656630313233343536373839414243444546"))("d", "x") == a("d", "x"));
    // Bits are as often 0 as 1, and change by half when one bit of the id or of the key does (5 standard errors, fixed keys).
    std::size_t ones = 0, changed = 0, n = 2000;
    std::set<std::int64_t> seen;
    for (std::size_t i = 0; i < n; ++i) {
        const std::int64_t x = a.integer("c", i), y = b.integer("c", i);
        CHECK(x >= 0);
        ones += static_cast<std::size_t>(std::popcount(static_cast<std::uint64_t>(x)));
        changed += static_cast<std::size_t>(std::popcount(static_cast<std::uint64_t>(x ^ y)));
        seen.insert(x);
    }
    const double bits = 63.0 * static_cast<double>(n), limit = 5 * std::sqrt(bits / 4);
    CHECK(std::abs(static_cast<double>(ones) - bits / 2) < limit);
    CHECK(std::abs(static_cast<double>(changed) - bits / 2) < limit);
    CHECK(seen.size() == n);
}

TEST_CASE("pseudonyms: keys are checked, wiped and told to nobody", "[privacy][pseudonyms]") {
    for (const std::size_t bad : {0u, 1u, 15u, 1025u}) {
        const std::string key(bad, 'k');
        const error e = error_of([&] { pseudonym_key{key}; });
        CHECK(e.code() == errc::bad_parameter);
        CHECK(std::string(e.what()) == "pseudonym_key: " + std::to_string(bad) + " bytes, must be 16 to 1024");
    }
    CHECK_THROWS_WITH(pseudonym_key(std::string(32, '\0')), "pseudonym_key: all 32 bytes are the same");
    CHECK_THROWS_WITH(pseudonym_key::from_hex("00112233445566778899aabbccddeefg"), "pseudonym_key: character 32 of 32 is no hexadecimal digit");
    CHECK_THROWS_WITH(pseudonym_key::from_hex("0011"), "pseudonym_key: 2 bytes, must be 16 to 1024");
    CHECK(error_of([] { (void)pseudonym_key::from_hex("001"); }).code() == errc::bad_parameter);
    static_assert(!std::equality_comparable<pseudonym_key> && !prints<pseudonym_key> && prints<std::string> && !has_fields<pseudonyms> && has_fields<id_table>);
    // Neither the bytes nor what is worked out of them stays where the object was.
    const std::string secret = "a secret of 32 bytes, or so it is";
    alignas(pseudonym_key) unsigned char memory[sizeof(pseudonym_key)];
    std::memset(memory, 0x5a, sizeof memory);
    auto* key = new (memory) pseudonym_key(secret);
    const auto zeros = [&] { return std::count(std::begin(memory), std::end(memory), 0); };
    CHECK(std::string_view(reinterpret_cast<const char*>(memory), sizeof memory).find(secret.substr(0, 8)) == std::string_view::npos);
    CHECK(zeros() < static_cast<std::ptrdiff_t>(sizeof memory));
    std::destroy_at(key);
    CHECK(zeros() == static_cast<std::ptrdiff_t>(sizeof memory));
    const pseudonyms p{pseudonym_key(secret)};
    CHECK(error_of([&] { (void)p("c", ""); }).code() == errc::missing_value);
    CHECK(error_of([&] { (void)p.integer("c", ""); }).code() == errc::missing_value);
    for (const std::size_t bytes : {0u, 7u, 33u}) CHECK(error_of([&] { pseudonyms(pseudonym_key(secret), {.bytes = bytes}); }).code() == errc::bad_parameter);
}

TEST_CASE("pseudonyms: columns of a table", "[privacy][pseudonyms]") {
    const pseudonyms p{pseudonym_key("sixteen bytes or more")};
    table t;
    t.add_column("customer", std::vector<std::int64_t>{7, 5, 7, 0, 5}, {false, false, false, true, false});
    t.add_column("email", std::vector<std::string>{"a@b.cc", "", "a@b.cc", "d@e.ff", "x"});
    t.add_column("spend", std::vector<double>{1, 2, 3, 4, 5});
    const table out = p(t, {{"customer"}, {.column = "email", .domain = "mail"}});
    CHECK(out.names() == t.names());
    CHECK(out.column("spend") == t.column("spend"));
    const auto customers = out.categories("customer");
    CHECK(customers[0] == p("customer", 7));
    CHECK(customers[1] == p("customer", "5"));
    CHECK((customers[2] == customers[0] && customers[4] == customers[1] && out.column("customer").missing(3)));
    const auto mails = out.categories("email");
    CHECK(mails[0] == p("mail", "a@b.cc"));
    CHECK((out.column("email").missing(1) && mails[2] == mails[0] && mails[3] == p("mail", "d@e.ff")));
    // The order of the levels is that of the pseudonyms, and ids that no row has left no pseudonym.
    CHECK(std::is_sorted(customers.levels.begin(), customers.levels.end()));
    const table part = p(t.take_rows(std::vector<std::size_t>{0}), {{"email"}});
    CHECK(part.categories("email").levels.size() == 1);
    CHECK(p(table{}, {}) == table{});
    CHECK(p(t, {}) == t);
    CHECK(error_of([&] { (void)p(t, {{"nobody"}}); }).code() == errc::missing_column);
    CHECK(error_of([&] { (void)p(t, {{"spend"}}); }).code() == errc::wrong_column_type);
    CHECK(error_of([&] { (void)p(t, {{"email"}, {"email"}}); }).code() == errc::duplicate_column);
}

TEST_CASE("pseudonyms: transactions", "[privacy][pseudonyms]") {
    using std::chrono::seconds;
    const pseudonyms p{pseudonym_key("sixteen bytes or more")};
    table t;
    t.add_column("customer", std::vector<std::string>{"anna", "ben", "", "anna", "zoe"});
    t.add_column("item", std::vector<std::string>{"tea", "jam", "tea", "", "jam"});
    t.add_column("invoice", std::vector<std::string>{"i1", "i2", "", "i1", "i3"});
    t.add_column("about", std::vector<std::string>{"Tea, green", "", "Tea, green", "", ""});
    t.add_column("n", std::vector<double>{1, 2, 3, -4, 5});
    t.add_column("price", std::vector<double>{.5, 1, 1, 2, 3});
    std::vector<std::chrono::sys_seconds> when;
    for (int i = 0; i < 5; ++i) when.emplace_back(seconds(1000 * i));
    t.add_column("when", when);
    const transaction_columns columns{.invoice = "invoice", .quantity = "n", .price = "price", .when = "when", .description = "about"};
    const auto log = transactions::from(t, columns);
    const auto out = p(log);
    // The log of the pseudonymised table.
    CHECK(out == transactions::from(p(t, {{"customer"}, {"invoice"}}), columns));
    CHECK(out.rows() == 5);
    CHECK(out.customer_ids()[static_cast<std::size_t>(out[1].customer)] == p("customer", "ben"));
    CHECK(out[2].customer == -1);
    CHECK(out[0].customer == out[3].customer);
    CHECK(out.descriptions() == log.descriptions());
    for (std::size_t i = 0; i < out.rows(); ++i) {
        CHECK((out[i].item == log[i].item && out[i].quantity == log[i].quantity && out[i].price == log[i].price && out[i].when == log[i].when));
        CHECK((out[i].invoice < 0) == (log[i].invoice < 0));
    }
    const auto invoices_stay = p(log, {.invoice = ""});
    CHECK(invoices_stay.invoice_ids() == log.invoice_ids());
    CHECK(p(transactions{}).rows() == 0);
    // A part of a log tells nothing of the customers that it does not have.
    const auto last = p(log.since(when[4]));
    CHECK(last.customer_ids() == std::vector<std::string>{p("customer", "zoe")});
}

TEST_CASE("pseudonyms: interactions", "[privacy][pseudonyms]") {
    const pseudonyms p{pseudonym_key("sixteen bytes or more")};
    rng numbers(3);
    std::vector<std::int64_t> customers;
    std::vector<std::string> items;
    std::vector<float> values;
    std::vector<std::chrono::sys_seconds> times;
    for (int i = 0; i < 300; ++i) {
        customers.push_back(static_cast<std::int64_t>(numbers.below(40)));
        items.push_back("item" + std::to_string(numbers.below(20)));
        values.push_back(static_cast<float>(numbers.below(5)));
        times.emplace_back(std::chrono::seconds(numbers.below(1000)));
    }
    const interactions<float> x({.customers = customers, .items = items, .values = values, .times = times});
    std::vector<std::string> hidden;
    for (const auto customer : customers) hidden.push_back(p("customer", customer));
    CHECK(p(x) == interactions<float>({.customers = hidden, .items = items, .values = values, .times = times}));
    CHECK(p(x.without_times(), "other").has_times() == false);
    CHECK(p(x, "other").customers().find(p("other", customers[0])).has_value());
    CHECK(p(interactions<float>{}).rows() == 0);
    // Texts and integers that are the same customer.
    std::vector<std::string> as_text;
    for (const auto customer : customers) as_text.push_back(std::to_string(customer));
    CHECK(p(interactions<float>({.customers = as_text, .items = items, .values = values, .times = times})) == p(x));
}

}  // namespace pseudonyms_test
