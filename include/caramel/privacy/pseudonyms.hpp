#ifndef CARAMEL_PRIVACY_PSEUDONYMS_HPP
#define CARAMEL_PRIVACY_PSEUDONYMS_HPP

// Keyed pseudonyms in the place of customers' ids: whoever has the key can make them again, nobody else can tell whose they are, not
// even by trying all ids. A hash without a key does not do that: phone numbers and customer numbers are few enough to try.

#include <algorithm>
#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/string_numbers.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/data/table.hpp>
#include <caramel/data/transactions.hpp>
#include <caramel/privacy/hmac_sha256.hpp>

namespace caramel::inline CARAMEL_ABI {

/// A secret from which pseudonyms are made. It cannot be read, printed, compared or saved again, and wipes itself when it goes.
class pseudonym_key {
   public:
    static constexpr std::size_t min_bytes = 16, max_bytes = 1024;

    /// Take 32 bytes from the system's generator of secrets (`head -c 32 /dev/urandom`, a key store), not a password. The caller wipes
    /// the bytes given here. Throws `error` (`bad_parameter`) unless there are 16 to 1024 that are not all the same.
    template <class = void>
    explicit pseudonym_key(std::string_view bytes) : mac_(checked(bytes)) {}
    /// From hexadecimal digits, two a byte, in any case. Throws `error` (`bad_parameter`), also on anything else.
    template <class = void>
    [[nodiscard]] static pseudonym_key from_hex(std::string_view digits) {
        require(digits.size() % 2 == 0 && digits.size() <= 2 * max_bytes, errc::bad_parameter, "pseudonym_key: ", digits.size(),
                " hexadecimal digits, must be an even ", "number of ", 2 * min_bytes, " to ", 2 * max_bytes);
        std::array<char, max_bytes> bytes{};
        const eraser at_the_end{bytes.data(), bytes.size()};
        for (std::size_t i = 0; i < digits.size(); ++i) {
            const unsigned value = hex_value(digits[i]);
            require(value < 16, errc::bad_parameter, "pseudonym_key: character ", i + 1, " of ", digits.size(), " is no hexadecimal digit");
            bytes[i / 2] = static_cast<char>(unsigned{static_cast<unsigned char>(bytes[i / 2])} << 4 | value);
        }
        return pseudonym_key(std::string_view(bytes.data(), digits.size() / 2));
    }

   private:
    friend class pseudonyms;
    struct eraser {
        char* at;
        std::size_t n;
        eraser(char* from, std::size_t size) noexcept : at(from), n(size) {}
        eraser(const eraser&) = delete;
        eraser& operator=(const eraser&) = delete;
        ~eraser() { detail::wipe(at, n); }
    };
    template <class = void>
    static std::string_view checked(std::string_view bytes) {
        require(bytes.size() >= min_bytes && bytes.size() <= max_bytes, errc::bad_parameter, "pseudonym_key: ", bytes.size(), " bytes, must be ", min_bytes,
                " to ", max_bytes);
        require(bytes.find_first_not_of(bytes[0]) != std::string_view::npos, errc::bad_parameter, "pseudonym_key: all ", bytes.size(), " bytes are the same");
        return bytes;
    }
    static unsigned hex_value(char c) noexcept {
        if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
        const char low = static_cast<char>(c | 0x20);
        return low >= 'a' && low <= 'f' ? static_cast<unsigned>(low - 'a') + 10 : 16;
    }
    detail::hmac_sha256 mac_;
};

/// How pseudonyms look.
struct pseudonym_options {
    /// Of a pseudonym: 8 to 32, written as two hexadecimal digits each. n customers have the same one twice with a probability of at most
    /// n^2 / 2^(8 bytes + 1): below 1e-20 for 16 bytes and a thousand million customers, .03 for 8 bytes and as many.
    std::size_t bytes = 16;
};

/// A column to be pseudonymised. Ids of one domain have the same pseudonyms in all tables, ids of different domains unlike ones.
struct pseudonym_column {
    std::string column;
    std::string domain = "";  ///< empty: the column's name
};

/// Of a log. Where one is empty, the ids stay as they are.
struct pseudonym_domains {
    std::string customer = "customer";
    std::string invoice = "invoice";
};

/// Makes pseudonyms: HMAC-SHA-256 under the key, of the domain and the id, cut to `bytes`. The same key, domain and id give the same
/// pseudonym on every machine, for ever; without the key, pseudonyms of one domain, of two domains or of two keys tell nothing but
/// which rows belong together. An integer is its decimal digits: 42 and "42" are the same customer.
///
/// It has no fields to be saved: a key does not belong into a model's file.
class pseudonyms {
   public:
    /// Throws `error` (`bad_parameter`) unless `bytes` is 8 to 32.
    explicit pseudonyms(pseudonym_key key, const pseudonym_options& options = {}) : key_(std::move(key)), bytes_(options.bytes) {
        require(bytes_ >= 8 && bytes_ <= 32, errc::bad_parameter, "pseudonyms: bytes = ", bytes_, ", must be 8 to 32");
    }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

    /// The pseudonym of one id. Throws `error` (`missing_value`) on an empty one.
    template <class = void>
    [[nodiscard]] std::string operator()(std::string_view domain, std::string_view id) const {
        require(!id.empty(), errc::missing_value, "pseudonyms: an id is empty");
        const detail::sha256_digest mac = digest(domain, id);
        std::string out;
        out.reserve(2 * bytes_);
        for (std::size_t i = 0; i < bytes_; ++i)
            for (const unsigned digit : {mac[i] / 16u, mac[i] % 16u}) out += "0123456789abcdef"[digit];
        return out;
    }
    template <detail::IntegerId I>
    [[nodiscard]] std::string operator()(std::string_view domain, I id) const {
        return (*this)(domain, std::string_view(detail::message(detail::checked_id(id))));
    }
    /// The same as an integer from 0 to 2^63 - 1, for systems that have no room for texts: two of n customers have the same one with a
    /// probability of at most n^2 / 2^64, 5 % for a thousand million. Throws `error` (`missing_value`).
    template <class = void>
    [[nodiscard]] std::int64_t integer(std::string_view domain, std::string_view id) const {
        require(!id.empty(), errc::missing_value, "pseudonyms: an id is empty");
        const detail::sha256_digest mac = digest(domain, id);
        std::uint64_t out = 0;
        for (std::size_t i = 0; i < 8; ++i) out = out << 8 | mac[i];
        return static_cast<std::int64_t>(out >> 1);
    }
    template <detail::IntegerId I>
    [[nodiscard]] std::int64_t integer(std::string_view domain, I id) const {
        return integer(domain, std::string_view(detail::message(detail::checked_id(id))));
    }

    /// The table with pseudonyms (category) in these columns, which are of type category or integer; missing and empty cells are missing.
    /// Throws `error`: `missing_column`, `wrong_column_type`, `duplicate_column` (a column is given twice), `bad_data` (two ids of a column
    /// have the same pseudonym: take more bytes).
    template <std::same_as<table> Table>
    [[nodiscard]] Table operator()(const Table& from, const std::vector<pseudonym_column>& columns) const {
        for (std::size_t i = 0; i < columns.size(); ++i) {
            (void)from.position(columns[i].column);
            for (std::size_t j = 0; j < i; ++j)
                require(columns[i].column != columns[j].column, errc::duplicate_column, "pseudonyms: column \"", columns[i].column, "\" is given twice");
        }
        Table out;
        for (const auto& name : from.names()) {
            const auto wanted = std::find_if(columns.begin(), columns.end(), [&](const auto& c) { return c.column == name; });
            out.add_column(name, wanted == columns.end() ? from.column(name) : column(from.column(name), name, wanted->domain.empty() ? name : wanted->domain));
        }
        return out;
    }

    /// The same rows in the same order, with pseudonyms of the customers and of the invoices (which also point at one customer); the
    /// lists hold what the rows have. Throws `error` (`bad_data`) as above.
    template <std::same_as<transactions> Log>
    [[nodiscard]] Log operator()(const Log& from, const pseudonym_domains& domains = {}) const {
        table rows;
        rows.add_column("customer", ids_of(from.customers(), from.customer_ids(), domains.customer));
        rows.add_column("invoice", ids_of(from.invoices(), from.invoice_ids(), domains.invoice));
        rows.add_column("item", table_column(copied<std::int32_t>(from.items()), from.item_ids()));
        detail::string_numbers<> texts;
        std::vector<std::int32_t> described;
        described.reserve(from.rows());
        for (const std::int32_t item : from.items())
            described.push_back(item < 0 ? -1 : static_cast<std::int32_t>(texts.number_of(from.descriptions()[static_cast<std::size_t>(item)])));
        rows.add_column("description", table_column(std::move(described), std::vector<std::string>(texts.texts())));
        rows.add_column("quantity", copied<double>(from.quantities()));
        rows.add_column("price", copied<double>(from.prices()));
        rows.add_column("when", copied<std::chrono::sys_seconds>(from.times()));
        return Log::from(rows, {.invoice = "invoice", .quantity = "quantity", .price = "price", .when = "when", .description = "description"});
    }

    /// The same pairs, with pseudonyms of the customers, whose order is now that of the pseudonyms. Throws `error` (`bad_data`) as above.
    template <class T>
    [[nodiscard]] interactions<T> operator()(const interactions<T>& from, std::string_view domain = "customer") const {
        std::vector<std::pair<std::string, std::size_t>> order;
        order.reserve(from.rows());
        for (std::size_t row = 0; row < from.rows(); ++row)
            order.emplace_back(from.customers().is_text() ? (*this)(domain, from.customers().text(row)) : (*this)(domain, from.customers().number(row)), row);
        std::sort(order.begin(), order.end());
        std::vector<std::string> ids;
        std::vector<std::int64_t> starts{0}, seconds;
        std::vector<std::int32_t> bought;
        std::vector<T> values;
        for (auto& [id, row] : order) {
            require_new(ids, id, from.rows());
            ids.push_back(std::move(id));
            const auto mine = from[row];
            bought.insert(bought.end(), mine.items.begin(), mine.items.end());
            values.insert(values.end(), mine.values.begin(), mine.values.end());
            seconds.insert(seconds.end(), mine.seconds.begin(), mine.seconds.end());
            starts.push_back(static_cast<std::int64_t>(bought.size()));
        }
        return interactions<T>(id_table(std::move(ids), {}), from.items(), std::move(starts), std::move(bought), std::move(values), std::move(seconds));
    }

   private:
    // The domain's length in front of it, so that no domain and id are like another domain and id.
    template <class = void>
    [[nodiscard]] detail::sha256_digest digest(std::string_view domain, std::string_view id) const noexcept {
        std::array<char, 8> length{};
        for (std::size_t i = 0; i < length.size(); ++i) length[i] = static_cast<char>(static_cast<std::uint64_t>(domain.size()) >> (8 * i));
        return key_.mac_(std::string_view(length.data(), length.size()), domain, id);
    }
    // One pseudonym a text that a code names; empty ones have none. Their order is that of the pseudonyms: it tells nothing of the ids'.
    template <class Codes, class Texts>
    [[nodiscard]] table_column coded(Codes codes, const Texts& texts, std::string_view domain) const {
        std::vector<bool> used(texts.size());
        for (const auto code : codes)
            if (code >= 0) used[static_cast<std::size_t>(code)] = true;
        std::vector<std::pair<std::string, std::size_t>> order;
        for (std::size_t i = 0; i < texts.size(); ++i)
            if (used[i] && !std::string_view(texts[i]).empty()) order.emplace_back((*this)(domain, std::string_view(texts[i])), i);
        std::sort(order.begin(), order.end());
        std::vector<std::int32_t> now(texts.size(), -1);
        std::vector<std::string> levels;
        levels.reserve(order.size());
        for (auto& [pseudonym, i] : order) {
            require_new(levels, pseudonym, order.size());
            now[i] = static_cast<std::int32_t>(levels.size());
            levels.push_back(std::move(pseudonym));
        }
        for (auto& code : codes)
            if (code >= 0) code = now[static_cast<std::size_t>(code)];
        return table_column(std::move(codes), std::move(levels));
    }
    template <class = void>
    void require_new(const std::vector<std::string>& before, const std::string& pseudonym, std::size_t among) const {
        require(before.empty() || before.back() != pseudonym, errc::bad_data, "pseudonyms: two of ", among, " ids have the same pseudonym of ", bytes_,
                " bytes, take more");
    }
    template <class X, class From>
    static std::vector<X> copied(const From& from) {
        return {from.begin(), from.end()};
    }
    template <class Codes, class Texts>
    [[nodiscard]] table_column ids_of(const Codes& codes, const Texts& texts, std::string_view domain) const {
        if (domain.empty()) return table_column(copied<std::int32_t>(codes), texts);
        return coded(copied<std::int32_t>(codes), texts, domain);
    }
    template <std::same_as<table_column> Column>
    [[nodiscard]] Column column(const Column& from, std::string_view name, std::string_view domain) const {
        if (from.type() == column_type::category) {
            const auto cells = from.categories();
            return coded(copied<std::int32_t>(cells.codes), cells.levels, domain);
        }
        require(from.type() == column_type::integer, errc::wrong_column_type, "pseudonyms: column \"", name, "\" is of type ", name_of(from.type()),
                ", not category or integer");
        std::vector<std::int64_t> distinct = copied<std::int64_t>(from.integers());
        std::sort(distinct.begin(), distinct.end());
        distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
        std::vector<std::string> texts;
        for (const std::int64_t number : distinct) texts.push_back(detail::message(number));
        std::vector<std::int32_t> codes;
        codes.reserve(from.size());
        for (std::size_t i = 0; i < from.size(); ++i)
            codes.push_back(
                from.missing(i) ? -1 : static_cast<std::int32_t>(std::lower_bound(distinct.begin(), distinct.end(), from.integers()[i]) - distinct.begin()));
        return coded(std::move(codes), texts, domain);
    }

    pseudonym_key key_;
    std::size_t bytes_;
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
