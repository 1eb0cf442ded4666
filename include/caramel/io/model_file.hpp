#ifndef CARAMEL_IO_MODEL_FILE_HPP
#define CARAMEL_IO_MODEL_FILE_HPP

// Saving and loading a model or a chain of models as a safetensors file: docs/format.md says what stands in it.

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <istream>
#include <map>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/chain_errors.hpp>
#include <caramel/core/error.hpp>
#include <caramel/io/field_format.hpp>
#include <caramel/io/file.hpp>
#include <caramel/io/json.hpp>
#include <caramel/io/safetensors.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/version.hpp>

namespace caramel::inline CARAMEL_ABI {

/// What a file says about its model, for people and programs around it; nothing of it changes a prediction.
struct model_card {
    std::string description{};
    std::string trained_at{};                  ///< ISO 8601: "2026-01-31T12:00:00Z"
    std::uint64_t rows = 0;                    ///< of training data
    std::vector<std::string> columns{};        ///< that went in
    std::map<std::string, double> metrics{};   ///< finite numbers: {"auc", 0.84}
    std::map<std::string, std::string> notes{};  ///< anything else

    friend bool operator==(const model_card&, const model_card&) = default;
};

namespace detail {

template <class>
struct model_files {};  // tells core/chain_errors.hpp that this header is here

// ---- compile errors --------------------------------------------------------------------------------------------------
template <std::size_t StageNumber, class Stage>
struct stage_cannot_be_saved {
    static_assert(never<Stage>, "caramel: this stage cannot be saved: a lambda has no name in a file; write it as a struct with "
                                "a kind, field_names and fields() (see stage_cannot_be_saved<its number counted from 1, the stage>)");
};
template <std::size_t StageNumber, class Stage, std::size_t FieldNumber, class Field>
struct field_cannot_be_saved {
    static_assert(never<Field>, "caramel: this field cannot be saved: specialise caramel::field_format for its type (see "
                                "field_cannot_be_saved<the stage's number, the stage, the field's number counted from 1, its type>)");
};
template <std::size_t StageNumber, class Stage, class Given>
struct stage_cannot_be_made_from {
    static_assert(never<Given>, "caramel: this stage cannot be loaded: it has no public constructor from its fields (see "
                                "stage_cannot_be_made_from<its number counted from 1, the stage, given<the types of its fields>>)");
};

// ---- kinds of stages -------------------------------------------------------------------------------------------------
template <class S>
concept named = requires { std::string_view(S::kind); };

template <class S>
constexpr std::string_view kind_of() {
    if constexpr (is_pipeline<S>) {
        return "pipeline";
    } else {
        static_assert(std::string_view(S::kind).find_first_of(".,|()\"\\") == std::string_view::npos && !std::string_view(S::kind).empty(),
                      "caramel: a kind is a plain word: no . , | ( ) or quotes in it");
        return S::kind;
    }
}

// What is wrong with a stage's type, as in pipeline.hpp.
template <std::size_t N, class S, std::size_t I = 0>
consteval auto problem_of_fields() {
    if constexpr (I == field_count<S>) return fits{};
    else if constexpr (!savable<field_at<S, I>>()) return std::type_identity<field_cannot_be_saved<N, S, I + 1, field_at<S, I>>>{};
    else return problem_of_fields<N, S, I + 1>();
}
template <class S, std::size_t... I>
consteval auto given_fields(std::index_sequence<I...>) { return std::type_identity<given<field_at<S, I>...>>{}; }
template <std::size_t N, class S>
consteval auto problem_of_stage();
template <std::size_t N, class Parts, std::size_t I = 0>
consteval auto problem_of_parts() {
    if constexpr (I == std::tuple_size_v<Parts>) {
        return fits{};
    } else {
        constexpr auto problem = problem_of_stage<N == 0 ? I + 1 : N, std::tuple_element_t<I, Parts>>();
        if constexpr (std::same_as<decltype(problem), const fits>) return problem_of_parts<N, Parts, I + 1>();
        else return problem;
    }
}
template <std::size_t N, class S>
consteval auto problem_of_stage() {
    if constexpr (composite<S> && (named<S> || is_pipeline<S>)) return problem_of_parts<N, typename S::parts>();
    else if constexpr (Recipe<S>) return std::type_identity<stage_is_not_fitted<N, S>>{};
    else if constexpr (!has_fields<S> || !named<S>) return std::type_identity<stage_cannot_be_saved<N, S>>{};
    else if constexpr (!makeable<S>(field_numbers<S>{}))
        return std::type_identity<stage_cannot_be_made_from<N, S, typename decltype(given_fields<S>(field_numbers<S>{}))::type>>{};
    else return problem_of_fields<N, S>();
}
template <class M>
consteval auto problem_of_saving() {
    if constexpr (is_pipeline<M>) return problem_of_parts<0, typename M::parts>();
    else return problem_of_stage<1, M>();
}

// Never runs: `Problem` is a compile error.
template <class Problem>
[[noreturn]] void explain_saving() {
    (void)sizeof(Problem);
    fail(errc::bad_format, place{}, "this model cannot be saved");
}

// The chain's structure as text: "standardize|mlp", "concat(standardize|pca,rfm)|mlp".
template <class S>
void append_structure(std::string& out, bool top);
template <class... P>
void append_parts(std::string& out, char between, std::type_identity<std::tuple<P...>>) {
    std::size_t i = 0;
    ((i++ == 0 ? void() : out.push_back(between), append_structure<P>(out, between == ',')), ...);
}
template <class S>
void append_structure(std::string& out, bool top) {
    if constexpr (is_pipeline<S>) {
        if (!top) out += '(';
        append_parts(out, '|', std::type_identity<typename S::parts>{});
        if (!top) out += ')';
    } else if constexpr (composite<S>) {
        out += kind_of<S>();
        out += '(';
        append_parts(out, ',', std::type_identity<typename S::parts>{});
        out += ')';
    } else {
        out += kind_of<S>();
    }
}

// ---- stages, to and from tensors ---------------------------------------------------------------------------------------
template <class Stages>
void save_parts(const Stages& stages, const std::string& prefix, field_writer& out);
template <class S>
void save_stage(const S& stage, const std::string& key, field_writer& out) {
    if constexpr (composite<S>) save_parts(stage.stages(), key + '.', out);
    else save_fields(stage, key, out);
}
template <class Stages>
void save_parts(const Stages& stages, const std::string& prefix, field_writer& out) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (save_stage(std::get<I>(stages), message(prefix, I, '.', kind_of<std::tuple_element_t<I, Stages>>()), out), ...);
    }(std::make_index_sequence<std::tuple_size_v<Stages>>{});
}

template <class S>
S load_stage(const std::string& key, field_reader& in);
template <class S>
S load_numbered(const std::string& prefix, std::size_t i, field_reader& in) {
    return load_stage<S>(message(prefix, i, '.', kind_of<S>()), in);
}
template <class S>
S load_stage(const std::string& key, field_reader& in) {
    if constexpr (composite<S>) {
        using Parts = typename S::parts;
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            Parts parts{load_numbered<std::tuple_element_t<I, Parts>>(key + '.', I, in)...};  // braces: left to right
            return S(std::move(std::get<I>(parts))...);
        }(std::make_index_sequence<std::tuple_size_v<Parts>>{});
    } else {
        return load_fields<S>(key, in);
    }
}

}  // namespace detail

/// A chain or `concat` within a model.
template <detail::composite X>
struct field_format<X> {
    static void save(const X& x, const std::string& key, field_writer& out) { detail::save_stage(x, key, out); }
    static X load(const std::string& key, field_reader& in) { return detail::load_stage<X>(key, in); }
};

namespace detail {

// ---- metadata: version, kinds, card, checksum ------------------------------------------------------------------------
inline constexpr std::uint64_t format_version = 1;
inline constexpr std::string_view no_checksum = "00000000";

// CRC-32 of IEEE 802.3, as zlib's crc32; eight bytes a step (Kounavis and Berry, ISCC 2005).
class crc32 {
   public:
    void append(std::span<const std::byte> bytes) noexcept {
        std::size_t i = 0;
        for (; i + 8 <= bytes.size(); i += 8) {
            std::uint64_t word = 0;
            std::memcpy(&word, bytes.data() + i, 8);
            word ^= state_;
            state_ = 0;
            for (std::size_t k = 0; k < 8; ++k) state_ ^= tables_[7 - k][(word >> (8 * k)) & 0xFF];
        }
        for (; i < bytes.size(); ++i) state_ = (state_ >> 8) ^ tables_[0][(state_ ^ static_cast<std::uint32_t>(bytes[i])) & 0xFF];
    }
    [[nodiscard]] std::string digits() const {
        std::string out;
        for (int shift = 28; shift >= 0; shift -= 4) out += "0123456789abcdef"[((state_ ^ 0xFFFFFFFFu) >> shift) & 15];
        return out;
    }

   private:
    static std::array<std::array<std::uint32_t, 256>, 8> make_tables() noexcept {
        std::array<std::array<std::uint32_t, 256>, 8> tables;
        for (std::uint32_t n = 0; n < 256; ++n) {
            std::uint32_t c = n;
            for (int bit = 0; bit < 8; ++bit) c = (c & 1) != 0 ? (c >> 1) ^ 0xEDB88320u : c >> 1;
            tables[0][n] = c;
        }
        for (std::size_t k = 1; k < 8; ++k)
            for (std::size_t n = 0; n < 256; ++n) tables[k][n] = (tables[k - 1][n] >> 8) ^ tables[0][tables[k - 1][n] & 0xFF];
        return tables;
    }
    std::array<std::array<std::uint32_t, 256>, 8> tables_ = make_tables();  // some microseconds, against seconds in every compilation
    std::uint32_t state_ = 0xFFFFFFFFu;
};

// Where the eight digits of the checksum stand in a file: its metadata are written without spaces, and a quote within a
// string is written as \", so this text stands nowhere else.
template <class = void>
[[nodiscard]] inline std::optional<std::size_t> checksum_place(std::span<const std::byte> file) {
    constexpr std::string_view before = "\"caramel.checksum\":\"";
    const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
    std::uint64_t header = 0;
    std::memcpy(&header, file.data(), 8);
    const std::size_t found = text.substr(0, 8 + static_cast<std::size_t>(header)).find(before);
    if (found == std::string_view::npos) return std::nullopt;
    return found + before.size();
}
template <class = void>
[[nodiscard]] inline std::string checksum_of(std::span<const std::byte> file, std::size_t digits) {
    crc32 sum;
    sum.append(file.first(digits));
    sum.append(std::as_bytes(std::span(no_checksum)));
    sum.append(file.subspan(digits + no_checksum.size()));
    return sum.digits();
}

template <class Map, class Append>
void append_json_map(std::string& out, std::string_view name, const Map& map, Append append) {
    out += ",\"";
    out += name;
    out += "\":{";
    for (const auto& [key, value] : map) {
        append_json_string(out, key);
        out += ':';
        append(out, value);
        out += ',';
    }
    if (out.back() == ',') out.back() = '}';
    else out += '}';
}
template <class = void>
[[nodiscard]] inline std::string card_text(const model_card& card) {
    std::string out = "{\"description\":";
    append_json_string(out, card.description);
    append_json_string(out += ",\"trained_at\":", card.trained_at);
    append_part(out += ",\"rows\":", card.rows);
    out += ",\"columns\":[";
    for (std::size_t i = 0; i < card.columns.size(); ++i) append_json_string(out += i == 0 ? "" : ",", card.columns[i]);
    out += ']';
    append_json_map(out, "metrics", card.metrics, append_json_number<>);
    append_json_map(out, "notes", card.notes, append_json_string);
    out += '}';
    return out;
}

class card_handler : public json_handler {
   public:
    explicit card_handler(model_card& card) : json_handler("read_card"), card_(card) {}

    void begin_object() override {
        const bool expected = where_ == at::outside || (where_ == at::card && (key_ == "metrics" || key_ == "notes"));
        if (!expected) json_handler::begin_object();
        where_ = where_ == at::outside ? at::card : key_ == "metrics" ? at::metrics : at::notes;
    }
    void end_object() override { where_ = where_ == at::card ? at::outside : at::card; }
    void begin_array() override {
        if (where_ != at::card || key_ != "columns") json_handler::begin_array();
        where_ = at::columns;
    }
    void end_array() override { where_ = at::card; }
    void key(std::string& name) override {
        key_ = std::move(name);
        constexpr std::array<std::string_view, 6> known{"description", "trained_at", "rows", "columns", "metrics", "notes"};
        if (where_ == at::card && std::find(known.begin(), known.end(), key_) == known.end()) skip_value();  // a newer library's
    }
    void string(std::string& x) override {
        if (where_ == at::columns) card_.columns.push_back(std::move(x));
        else if (where_ == at::notes) card_.notes.insert_or_assign(key_, std::move(x));
        else if (where_ == at::card && key_ == "description") card_.description = std::move(x);
        else if (where_ == at::card && key_ == "trained_at") card_.trained_at = std::move(x);
        else json_handler::string(x);
    }
    void natural(std::uint64_t x) override {
        if (where_ == at::card && key_ == "rows") card_.rows = x;
        else number(static_cast<double>(x));
    }
    void negative(std::int64_t x) override { number(static_cast<double>(x)); }
    void number(double x) override {
        if (where_ != at::metrics) json_handler::number(x);
        card_.metrics.insert_or_assign(key_, x);
    }

   private:
    enum class at : std::uint8_t { outside, card, columns, metrics, notes };
    model_card& card_;
    at where_ = at::outside;
    std::string key_;
};

// The file of a model whose fields are in `fields`.
template <class = void>
[[nodiscard]] inline std::vector<std::byte> finish_model(field_writer& fields, std::string kinds, const model_card& card) {
    safetensors_writer& out = fields.tensors();
    out.add_metadata("caramel.format", message(format_version));
    out.add_metadata("caramel.version", CARAMEL_VERSION_STRING);
    out.add_metadata("caramel.kinds", std::move(kinds));
    out.add_metadata("caramel.checksum", std::string(no_checksum));
    if (card != model_card{}) out.add_metadata("caramel.card", card_text(card));
    std::vector<std::byte> file = out.finish();
    const std::size_t at = checksum_place(file).value();
    const std::string digits = checksum_of(file, at);
    std::memcpy(file.data() + at, digits.data(), digits.size());
    return file;
}

// Version before checksum, so that a newer file is told from a damaged one.
template <class = void>
inline void check_model(const safetensors_file& file) {
    const std::string_view format = file.metadata("caramel.format");
    std::uint64_t version = 0;
    const auto [end, problem] = std::from_chars(format.data(), format.data() + format.size(), version);
    require(problem == std::errc{} && end == format.data() + format.size() && version > 0, errc::bad_format,
            "load: a safetensors file, but not one that caramel saved");
    require(version <= format_version, errc::unsupported_version, "load: the file has format ", version, ", of a newer library: this one reads up to ",
            format_version);
    const auto place = checksum_place(file.bytes());
    const std::string_view digits = file.metadata("caramel.checksum");
    require(place && digits.size() == no_checksum.size(), errc::bad_format, "load: the file has no checksum");
    require(std::memcmp(file.bytes().data() + *place, digits.data(), digits.size()) == 0 && checksum_of(file.bytes(), *place) == digits,
            errc::checksum_mismatch, "load: the file was damaged: its checksum does not fit");
}
inline void check_kinds(const safetensors_file& file, std::string_view wanted) {
    const std::string_view kinds = file.metadata("caramel.kinds");
    if (kinds == wanted) return;
    const bool tellable =
        kinds.size() <= 400 && kinds.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-|(),") == std::string_view::npos;
    fail(errc::bad_format, place{}, "load: the file holds ", tellable ? kinds : std::string_view("something else"), ", asked for ", wanted);
}

template <class M>
std::string structure_of() {
    std::string out;
    append_structure<M>(out, true);
    return out;
}
template <class M>
std::vector<std::byte> saved(const M& model, const model_card& card) {
    field_writer out;
    if constexpr (is_pipeline<M>) save_parts(model.stages(), "", out);
    else save_stage(model, message("0.", kind_of<M>()), out);
    return finish_model(out, structure_of<M>(), card);
}

// Whatever a field or a constructor finds wrong is the file's fault.
template <class = void>
[[noreturn]] CARAMEL_COLD inline void rethrow_as_bad_format(const error& e, std::size_t number, std::string_view kind) {
    place where = e.where();
    where.stage = number;
    throw error(errc::bad_format, message("load: stage ", number, " (", kind, "): ", e.what()), where);
}
template <class = void>
[[noreturn]] CARAMEL_COLD void rethrow_with_file(const error& e, const file_path& path) {
    throw error(e.code(), message(e.what(), ": ", path.string()), e.where());
}
template <class S>
S load_top(std::size_t i, field_reader& in) {
    try {
        return load_numbered<S>("", i, in);
    } catch (const error& e) {
        rethrow_as_bad_format(e, i + 1, kind_of<S>());
    }
}
template <class M>
M loaded(const safetensors_file& file) {
    check_model(file);
    check_kinds(file, structure_of<M>());
    field_reader in(file);
    M model = [&] {
        if constexpr (is_pipeline<M>) {
            using Stages = typename M::parts;
            return [&]<std::size_t... I>(std::index_sequence<I...>) {
                Stages stages{load_top<std::tuple_element_t<I, Stages>>(I, in)...};  // braces: left to right
                return M(std::move(std::get<I>(stages))...);
            }(std::make_index_sequence<std::tuple_size_v<Stages>>{});
        } else {
            return load_top<M>(0, in);
        }
    }();
    require(in.not_taken() == 0, errc::bad_format, "load: the file holds ", in.not_taken(), " tensors that the model does not have");
    return model;
}

// Through the buffers, so that it does not matter which states the stream throws for.
inline void write_stream(std::ostream& out, std::span<const std::byte> bytes) {
    require(out.good() && out.rdbuf() != nullptr, errc::io, "save: the stream is not ready for writing");
    const auto size = static_cast<std::streamsize>(bytes.size());
    const bool written = out.rdbuf()->sputn(reinterpret_cast<const char*>(bytes.data()), size) == size && out.rdbuf()->pubsync() == 0;
    require(written, errc::io, "save: the stream did not take all ", bytes.size(), " bytes");
}
template <class = void>
inline std::vector<std::byte> read_stream(std::istream& in, std::uint64_t limit, std::string_view who) {
    require(in.good() && in.rdbuf() != nullptr, errc::io, who, ": the stream is not ready for reading");
    std::vector<std::vector<std::byte>> blocks;  // joined once, so that at most twice the size is held
    std::uint64_t total = 0;
    for (std::size_t got = file_block; got == file_block;) {
        auto& block = blocks.emplace_back(file_block);
        got = static_cast<std::size_t>(in.rdbuf()->sgetn(reinterpret_cast<char*>(block.data()), static_cast<std::streamsize>(file_block)));
        block.resize(got);
        require((total += got) <= limit, errc::limit_exceeded, who, ": a stream of more than ", limit, " bytes");
    }
    std::vector<std::byte> out;
    out.reserve(static_cast<std::size_t>(total));
    for (auto& block : blocks) {
        out.insert(out.end(), block.begin(), block.end());
        std::vector<std::byte>().swap(block);
    }
    return out;
}

inline model_card card_of(const safetensors_file& file) {
    check_model(file);
    model_card card;
    if (const std::string_view text = file.metadata("caramel.card"); !text.empty()) {
        card_handler handler(card);
        read_json(text, handler);
    }
    return card;
}

}  // namespace detail

/// The bytes of a file with this model or chain of models. The same model gives the same bytes. A stage that is a
/// lambda, or a struct without `kind` and fields, does not compile. Throws `error`: `limit_exceeded` (a dimension over
/// 2^31, more than 65,536 tensors), `nan_or_inf` or `bad_utf8` in the card.
template <class M>
[[nodiscard]] std::vector<std::byte> to_bytes(const M& model, const model_card& card = {}) {
    using problem = decltype(detail::problem_of_saving<M>());
    if constexpr (std::same_as<problem, detail::fits>) return detail::saved(model, card);
    else detail::explain_saving<typename problem::type>();
}
/// Saves a model or a chain of models. A file is replaced whole or stays as it was (see `replace_file`).
/// Throws `error`: as `to_bytes`, and `io`.
template <class M>
void save(const M& model, const file_path& path, const model_card& card = {}) {
    const std::vector<std::byte> file = to_bytes(model, card);
    replace_file(path, file);
}
/// The same to a stream that is open for binary output.
template <class M>
void save(const M& model, std::ostream& stream, const model_card& card = {}) {
    const std::vector<std::byte> file = to_bytes(model, card);
    detail::write_stream(stream, file);
}
/// The same into memory: `bytes` holds the file and nothing else afterwards.
template <class M>
void save(const M& model, std::vector<std::byte>& bytes, const model_card& card = {}) {
    std::vector<std::byte> file = to_bytes(model, card);
    bytes = std::move(file);
}

/// The model or chain that `save` wrote: `load<decltype(churn)>(bytes)`. Every file that was cut short or altered is
/// refused. Throws `error`: what `parse_safetensors` throws, `unsupported_version` (a newer library's file),
/// `checksum_mismatch`, `bad_format` (another model's file, or fields that the model's constructor refuses; the number of
/// the stage in `where()`). Memory beyond the model's own: less than the header and 1 MiB.
template <class M>
[[nodiscard]] M load(std::span<const std::byte> bytes, const safetensors_limits& limits = {}) {
    using problem = decltype(detail::problem_of_saving<M>());
    if constexpr (std::same_as<problem, detail::fits>) return detail::loaded<M>(parse_safetensors(bytes, limits));
    else detail::explain_saving<typename problem::type>();
}
/// The same from a regular file. Throws `error`: as above, with the file's name, and `io`, `limit_exceeded`.
template <class M>
[[nodiscard]] M load(const file_path& path, const safetensors_limits& limits = {}) {
    const std::vector<std::byte> file = read_file(path, limits.file_bytes, "load");
    try {
        return load<M>(std::span<const std::byte>(file), limits);
    } catch (const error& e) {
        detail::rethrow_with_file(e, path);
    }
}
/// The same from a stream that is open for binary input, read to its end.
template <class M>
[[nodiscard]] M load(std::istream& stream, const safetensors_limits& limits = {}) {
    const std::vector<std::byte> file = detail::read_stream(stream, limits.file_bytes, "load");
    return load<M>(std::span<const std::byte>(file), limits);
}

/// What the file says about its model; checks version and checksum, as `load`.
[[nodiscard]] inline model_card read_card(std::span<const std::byte> bytes, const safetensors_limits& limits = {}) {
    return detail::card_of(parse_safetensors(bytes, limits));
}
[[nodiscard]] inline model_card read_card(const file_path& path, const safetensors_limits& limits = {}) {
    const std::vector<std::byte> file = read_file(path, limits.file_bytes, "read_card");
    return read_card(std::span<const std::byte>(file), limits);
}
[[nodiscard]] inline model_card read_card(std::istream& stream, const safetensors_limits& limits = {}) {
    const std::vector<std::byte> file = detail::read_stream(stream, limits.file_bytes, "read_card");
    return read_card(std::span<const std::byte>(file), limits);
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
