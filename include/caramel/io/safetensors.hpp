#ifndef CARAMEL_IO_SAFETENSORS_HPP
#define CARAMEL_IO_SAFETENSORS_HPP

// The safetensors format: 8 bytes with the length of a JSON header, the header, and the tensors' bytes without holes.
// Everything in a file is taken for hostile; the rules are those of the reference implementation and stricter.

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/io/file.hpp>
#include <caramel/io/json.hpp>

namespace caramel::inline CARAMEL_ABI {

/// The types of a tensor's elements, little-endian.
enum class dtype : std::uint8_t { boolean, u8, i8, u16, i16, f16, bf16, u32, i32, f32, u64, i64, f64 };

namespace detail {
struct dtype_row {
    std::string_view name;
    std::size_t bytes;
};
inline constexpr std::array<dtype_row, 13> dtypes{{{"BOOL", 1}, {"U8", 1}, {"I8", 1}, {"U16", 2}, {"I16", 2}, {"F16", 2}, {"BF16", 2},
                                                   {"U32", 4}, {"I32", 4}, {"F32", 4}, {"U64", 8}, {"I64", 8}, {"F64", 8}}};

// Multiplies unless the product is beyond 64 bits.
[[nodiscard]] constexpr bool multiply_within(std::uint64_t& product, std::uint64_t factor) noexcept {
    if (factor != 0 && product > std::numeric_limits<std::uint64_t>::max() / factor) return false;
    product *= factor;
    return true;
}
}  // namespace detail

/// As in the file: "F32".
[[nodiscard]] constexpr std::string_view name_of(dtype type) noexcept { return detail::dtypes[static_cast<std::size_t>(type)].name; }
/// Bytes of one element.
[[nodiscard]] constexpr std::size_t size_of(dtype type) noexcept { return detail::dtypes[static_cast<std::size_t>(type)].bytes; }

/// The element type of a C++ number: `dtype_of<float>` is `dtype::f32`. There is none for `long double`.
template <class T>
    requires(std::is_arithmetic_v<T> && sizeof(T) <= 8)
inline constexpr dtype dtype_of = [] {
    if constexpr (std::same_as<T, bool>) return dtype::boolean;
    else if constexpr (std::same_as<T, char>) return dtype::u8;  // signed on some machines only
    else if constexpr (std::is_floating_point_v<T>) return sizeof(T) == 4 ? dtype::f32 : dtype::f64;
    else if constexpr (sizeof(T) == 1) return std::is_signed_v<T> ? dtype::i8 : dtype::u8;
    else if constexpr (sizeof(T) == 2) return std::is_signed_v<T> ? dtype::i16 : dtype::u16;
    else if constexpr (sizeof(T) == 4) return std::is_signed_v<T> ? dtype::i32 : dtype::u32;
    else return std::is_signed_v<T> ? dtype::i64 : dtype::u64;
}();

/// What a file may ask of its reader.
struct safetensors_limits {
    std::uint64_t file_bytes = std::uint64_t{8} << 30;
    std::size_t header_bytes = std::size_t{16} << 20;  ///< the format allows up to 100,000,000
    std::size_t tensors = 65'536;
    std::size_t metadata = 4'096;                      ///< pairs
    std::size_t rank = 8;                              ///< dimensions of one tensor; at most 8
    std::uint64_t dimension = std::uint64_t{1} << 31;  ///< each, even where another is zero; at most 2^32 - 1
};

/// The dimensions of a tensor in a file, at most 8; none for a single value.
class tensor_shape {
   public:
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    /// Not checked: `i` is below `size()`.
    [[nodiscard]] std::size_t operator[](std::size_t i) const noexcept { return dimensions_[i]; }
    void push_back(std::uint32_t n) noexcept { dimensions_[size_++] = n; }

   private:
    std::array<std::uint32_t, 8> dimensions_{};
    std::uint8_t size_ = 0;
};

/// A tensor in a file that is held in memory. Refers to that memory.
struct tensor_view {
    std::string_view name;
    dtype type = dtype::u8;
    tensor_shape shape;
    std::span<const std::byte> bytes;  ///< row-major, little-endian, aligned to nothing

    [[nodiscard]] std::size_t size() const noexcept { return bytes.size() / size_of(type); }
    /// Copies the elements to `out`, which has `size()` of them, of the tensor's own type.
    template <class T>
    void copy_to(T* out) const {
        require(type == dtype_of<T>, errc::bad_dtype, "safetensors: a tensor of ", name_of(type), ", asked for ", name_of(dtype_of<T>));
        if constexpr (std::same_as<T, bool>)
            require(std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b <= std::byte{1}; }), errc::bad_format,
                    "safetensors: a boolean that is neither 0 nor 1");
        if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
    }
    /// The elements in a vector of their own. Throws `error` (`bad_dtype`) when they are of another type.
    template <class T>
    [[nodiscard]] std::vector<T> values() const {
        require(type == dtype_of<T>, errc::bad_dtype, "safetensors: a tensor of ", name_of(type), ", asked for ", name_of(dtype_of<T>));
        std::vector<T> out(size());
        if constexpr (std::same_as<T, bool>) {
            for (std::size_t i = 0; i < out.size(); ++i) {
                require(bytes[i] <= std::byte{1}, errc::bad_format, "safetensors: a boolean that is neither 0 nor 1");
                out[i] = bytes[i] != std::byte{0};
            }
        } else {
            copy_to(out.data());
        }
        return out;
    }
};

namespace detail {

// A tensor as the header has it. Small, since a hostile header of 50 bytes a tensor must not take much more in memory:
// the name and the shape stay in the header's text.
struct tensor_record {
    std::uint64_t begin = 0, end = 0;
    std::uint32_t name_at = 0, name_length : 31 = 0, name_was_escaped : 1 = 0, shape_at = 0;
    dtype type = dtype::u8;
};

struct safetensors_header {
    std::string_view text;
    std::vector<tensor_record> tensors;  // in the order of their bytes
    std::string unescaped_names;
    std::vector<std::uint32_t> by_name;
    std::map<std::string, std::string, std::less<>> metadata;

    template <class = void>
    [[nodiscard]] std::string_view name_of(const tensor_record& t) const noexcept {
        return (t.name_was_escaped != 0 ? std::string_view(unescaped_names) : text).substr(t.name_at, t.name_length);
    }
    // The numbers were checked when the header was read.
    template <class = void>
    [[nodiscard]] tensor_shape shape_of(const tensor_record& t) const noexcept {
        tensor_shape out;
        const char* at = text.data() + t.shape_at;
        for (; *at != ']'; ++at) {
            if (*at < '0' || *at > '9') continue;
            std::uint32_t n = 0;
            at = std::from_chars(at, text.data() + text.size(), n).ptr - 1;
            out.push_back(n);
        }
        return out;
    }
};

class header_handler : public json_handler {
   public:
    header_handler(std::uint64_t data_bytes, const safetensors_limits& limits, safetensors_header& out)
        : json_handler("safetensors"), data_bytes_(data_bytes), limits_(limits), out_(out) {}

    void key(std::string& name) override {
        if (where_ == at::top && name == "__metadata__") {
            next_ = at::metadata;
        } else if (where_ == at::top) {
            if (out_.tensors.size() >= limits_.tensors) refuse(errc::limit_exceeded, "more than ", limits_.tensors, " tensors");
            tensor_ = {};
            keep_name(name);
            seen_ = 0;
            next_ = at::tensor;
        } else if (where_ == at::metadata) {
            if (out_.metadata.size() >= limits_.metadata) refuse(errc::limit_exceeded, "more than ", limits_.metadata, " pairs of metadata");
            pair_ = std::move(name);
            next_ = at::text;
        } else {
            next_ = name == "dtype" ? at::type : name == "shape" ? at::shape : name == "data_offsets" ? at::offsets : at::top;
            if (next_ == at::top) refuse(errc::unknown_key, "a tensor's entry has a key other than dtype, shape and data_offsets");
            seen_ |= 1u << static_cast<unsigned>(next_);
        }
    }
    void begin_object() override {
        if (where_ == at::outside) where_ = at::top;
        else if (where_ == at::top) where_ = next_;
        else json_handler::begin_object();
    }
    void end_object() override {
        if (where_ == at::tensor) finish_tensor();
        where_ = where_ == at::top ? at::outside : at::top;
    }
    void begin_array() override {
        if (where_ != at::tensor || (next_ != at::shape && next_ != at::offsets)) json_handler::begin_array();
        where_ = next_;
        if (where_ == at::shape) shape_ = {}, tensor_.shape_at = static_cast<std::uint32_t>(byte());
        offsets_ = 0;
    }
    void end_array() override {
        if (where_ == at::offsets && offsets_ != 2) refuse(errc::wrong_type, "data_offsets holds ", offsets_, " numbers, not 2");
        where_ = at::tensor;
    }
    void natural(std::uint64_t x) override {
        if (where_ == at::shape) {
            if (shape_.size() >= std::min<std::size_t>(limits_.rank, 8)) refuse(errc::too_many_dims, "a tensor of more than ", shape_.size(), " dimensions");
            if (x > std::min<std::uint64_t>(limits_.dimension, UINT32_MAX)) refuse(errc::shape_overflow, "a dimension of ", x, ", at most ", limits_.dimension);
            shape_.push_back(static_cast<std::uint32_t>(x));
        } else if (where_ == at::offsets) {
            if (++offsets_ > 2) refuse(errc::wrong_type, "data_offsets holds more than 2 numbers");
            (offsets_ == 1 ? tensor_.begin : tensor_.end) = x;
        } else {
            json_handler::natural(x);
        }
    }
    void string(std::string& x) override {
        if (where_ == at::metadata) {
            out_.metadata.insert_or_assign(std::move(pair_), std::move(x));
        } else if (where_ == at::tensor && next_ == at::type) {
            const auto found = std::find_if(dtypes.begin(), dtypes.end(), [&](const dtype_row& row) { return row.name == x; });
            if (found == dtypes.end()) refuse(errc::bad_dtype, "a tensor of an unknown dtype");
            tensor_.type = static_cast<dtype>(found - dtypes.begin());
        } else {
            json_handler::string(x);
        }
    }

   private:
    enum class at : std::uint8_t { outside, top, metadata, text, tensor, type, shape, offsets };

    // The name where it stands in the header, unless it was written with escapes.
    template <class = void>
    void keep_name(const std::string& name) {
        const std::size_t quote = static_cast<std::size_t>(byte()) - 1;
        const bool plain = quote >= name.size() && out_.text.substr(quote - name.size(), name.size()) == name;
        tensor_.name_at = static_cast<std::uint32_t>(plain ? quote - name.size() : out_.unescaped_names.size());
        tensor_.name_length = static_cast<std::uint32_t>(name.size()) & INT32_MAX;
        tensor_.name_was_escaped = plain ? 0u : 1u;
        if (!plain) out_.unescaped_names += name;
    }
    template <class = void>
    void finish_tensor() {
        for (const at part : {at::type, at::shape, at::offsets})
            if ((seen_ & (1u << static_cast<unsigned>(part))) == 0) refuse(errc::missing_key, "a tensor's entry lacks dtype, shape or data_offsets");
        std::uint64_t bytes = size_of(tensor_.type);
        bool fits = true, empty = false;  // a zero hides no overflow: the product without zeros must fit, too
        for (std::size_t i = 0; i < shape_.size(); ++i) {
            fits = fits && multiply_within(bytes, std::max<std::uint64_t>(shape_[i], 1));
            empty = empty || shape_[i] == 0;
        }
        if (!fits) refuse(errc::shape_overflow, "a tensor's size overflows");
        if (empty) bytes = 0;
        if (tensor_.begin > tensor_.end || tensor_.end > data_bytes_)
            refuse(errc::offset_out_of_range, "a tensor from byte ", tensor_.begin, " to ", tensor_.end, " of ", data_bytes_, ": was the file cut off?");
        if (tensor_.end - tensor_.begin != bytes)
            refuse(errc::size_mismatch, "a tensor's shape asks for ", bytes, " bytes, its offsets for ", tensor_.end - tensor_.begin);
        out_.tensors.push_back(tensor_);
    }

    std::uint64_t data_bytes_;
    const safetensors_limits& limits_;
    safetensors_header& out_;
    at where_ = at::outside, next_ = at::top;
    tensor_record tensor_;
    tensor_shape shape_;
    std::string pair_;
    std::size_t offsets_ = 0;
    unsigned seen_ = 0;
};

// The length of the header, checked against the file.
template <class = void>
[[nodiscard]] inline std::size_t header_length(std::span<const std::byte> file, const safetensors_limits& limits) {
    require_at(file.size() >= 8, errc::truncated, {.byte = file.size()}, "safetensors: a file of ", file.size(), " bytes, the header's length alone takes 8");
    std::uint64_t length = 0;
    std::memcpy(&length, file.data(), 8);
    const std::uint64_t most = std::min<std::uint64_t>(limits.header_bytes, 100'000'000);
    require_at(length <= most, errc::header_too_large, {.byte = 1}, "safetensors: a header of ", length, " bytes, at most ", most, ": is this a saved model?");
    require_at(length <= file.size() - 8, errc::bad_header_length, {.byte = 1}, "safetensors: a header of ", length, " bytes in a file of ", file.size(),
               ": was the file cut off?");
    return static_cast<std::size_t>(length);
}

template <class = void>
inline safetensors_header read_header(std::span<const std::byte> file, const safetensors_limits& limits) {
    const std::size_t length = header_length(file, limits);
    const std::string_view padded(reinterpret_cast<const char*>(file.data()) + 8, length);
    const std::string_view text = padded.substr(0, padded.find_last_not_of(' ') + 1);
    require_at(text.starts_with('{'), errc::bad_json, {.byte = 9}, "safetensors: the header does not begin with {");
    safetensors_header out;
    out.text = text;
    out.tensors.reserve(std::min(limits.tensors, text.size() / 48));  // no entry is shorter
    try {
        header_handler handler(file.size() - 8 - length, limits, out);
        read_json(text, handler, {.bytes = 100'000'000, .nodes = text.size()});
    } catch (const error& e) {
        place where = e.where();
        if (where.byte != 0) where.byte += 8;  // of the file
        throw error(e.code(), e.what(), where);
    }
    // nlohmann takes other white space after the end; the format pads with spaces alone.
    require_at(text.ends_with('}'), errc::trailing_data, {.byte = text.size() + 8}, "safetensors: the header is padded with something other than spaces");

    std::sort(out.tensors.begin(), out.tensors.end(), [&](const tensor_record& a, const tensor_record& b) {
        return a.begin != b.begin ? a.begin < b.begin : a.end != b.end ? a.end < b.end : out.name_of(a) < out.name_of(b);
    });
    std::uint64_t covered = 0;
    for (const tensor_record& t : out.tensors) {
        require_at(t.begin == covered, errc::offset_mismatch, {.byte = 8 + length + t.begin + 1}, "safetensors: a tensor begins at byte ", t.begin,
                   " of the data, the one before it ends at ", covered);
        covered = t.end;
    }
    require_at(covered == file.size() - 8 - length, errc::trailing_data, {.byte = 8 + length + covered + 1},
               "safetensors: ", file.size() - 8 - length - covered, " bytes after the last tensor");
    out.by_name.resize(out.tensors.size());
    for (std::size_t i = 0; i < out.by_name.size(); ++i) out.by_name[i] = static_cast<std::uint32_t>(i);
    std::sort(out.by_name.begin(), out.by_name.end(),
              [&](std::uint32_t a, std::uint32_t b) { return out.name_of(out.tensors[a]) < out.name_of(out.tensors[b]); });
    return out;
}

}  // namespace detail

/// A file that was checked from end to end: the tensors in the order of their bytes, and the metadata.
class safetensors_file {
   public:
    safetensors_file(safetensors_file&&) noexcept = default;
    safetensors_file& operator=(safetensors_file&&) noexcept = default;

    [[nodiscard]] std::size_t size() const noexcept { return header_.tensors.size(); }
    /// Not checked: `i` is below `size()`.
    template <class = void>
    [[nodiscard]] tensor_view operator[](std::size_t i) const noexcept {
        const auto& t = header_.tensors[i];
        return {header_.name_of(t), t.type, header_.shape_of(t), data_.subspan(static_cast<std::size_t>(t.begin), static_cast<std::size_t>(t.end - t.begin))};
    }
    /// The number of the tensor with this name, or the one of the next name in the order of bytes; `size()` if none.
    template <class = void>
    [[nodiscard]] std::size_t lower_bound(std::string_view name) const noexcept {
        const auto found = std::ranges::lower_bound(header_.by_name, name, {}, [&](std::uint32_t i) { return header_.name_of(header_.tensors[i]); });
        return found == header_.by_name.end() ? size() : *found;
    }
    template <class = void>
    [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const noexcept {
        const std::size_t i = lower_bound(name);
        if (i == size() || header_.name_of(header_.tensors[i]) != name) return std::nullopt;
        return i;
    }
    [[nodiscard]] const std::map<std::string, std::string, std::less<>>& metadata() const noexcept { return header_.metadata; }
    /// The value under `key`, or an empty text.
    template <class = void>
    [[nodiscard]] std::string_view metadata(std::string_view key) const noexcept {
        const auto found = header_.metadata.find(key);
        return found == header_.metadata.end() ? std::string_view() : std::string_view(found->second);
    }
    /// The whole file.
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return file_; }

   private:
    friend safetensors_file parse_safetensors(std::span<const std::byte>, const safetensors_limits&);
    friend safetensors_file parse_safetensors(std::vector<std::byte>&&, const safetensors_limits&);

    template <class = void>
    safetensors_file(std::span<const std::byte> file, const safetensors_limits& limits) : file_(file), header_(detail::read_header(file, limits)) {
        data_ = file.subspan(8 + detail::header_length(file, limits));
    }
    std::vector<std::byte> owned_;  // where the file was read from a path
    std::span<const std::byte> file_, data_;
    detail::safetensors_header header_;
};

/// Checks a file held by the caller, who keeps it as long as the result. Throws `error` with the byte in `where()`:
/// `truncated`, `header_too_large`, `bad_header_length`, what `read_json` throws, `unknown_key`, `missing_key`,
/// `wrong_type`, `bad_dtype`, `shape_overflow`, `too_many_dims`, `offset_out_of_range`, `offset_mismatch` (holes and
/// overlaps), `size_mismatch`, `trailing_data`, `limit_exceeded`. With the default limits it allocates less than
/// a byte per byte of the header and 1 MiB.
[[nodiscard]] inline safetensors_file parse_safetensors(std::span<const std::byte> file, const safetensors_limits& limits = {}) { return {file, limits}; }
/// The same for bytes that the result takes over.
[[nodiscard]] inline safetensors_file parse_safetensors(std::vector<std::byte>&& file, const safetensors_limits& limits = {}) {
    safetensors_file out(std::span<const std::byte>(file), limits);
    out.owned_ = std::move(file);  // the bytes stay where they are
    return out;
}
/// Reads and checks a regular file. Throws `error`: as above, and `io`.
template <class = void>
[[nodiscard]] inline safetensors_file read_safetensors(const file_path& path, const safetensors_limits& limits = {}) {
    return parse_safetensors(read_file(path, limits.file_bytes, "safetensors"), limits);
}

/// Collects tensors and makes the bytes of a file from them: the same tensors and metadata give the same bytes, in
/// whatever order they came (wide elements first, so that all are aligned; then by name). Nothing is written that
/// `parse_safetensors` would refuse by default.
class safetensors_writer {
   public:
    /// Throws `error` (`duplicate_key`).
    template <class = void>
    void add_metadata(std::string key, std::string value) {
        require(metadata_.size() < readable.metadata, errc::limit_exceeded, "safetensors: more than ", readable.metadata, " pairs of metadata");
        require(metadata_.emplace(std::move(key), std::move(value)).second, errc::duplicate_key, "safetensors: metadata given twice");
    }
    /// Throws `error`: `size_mismatch` unless the shape fits the bytes; `too_many_dims`, `limit_exceeded`, `bad_parameter`.
    template <class = void>
    void add(std::string name, dtype type, std::span<const std::uint64_t> shape, std::vector<std::byte> bytes) {
        require(name != "__metadata__", errc::bad_parameter, "safetensors: no tensor may be called __metadata__");
        require(shape.size() <= readable.rank, errc::too_many_dims, "safetensors: a tensor of ", shape.size(), " dimensions, at most ", readable.rank);
        require(tensors_.size() < readable.tensors, errc::limit_exceeded, "safetensors: more than ", readable.tensors, " tensors");
        std::uint64_t size = size_of(type);
        bool fits = true, empty = false;
        for (const std::uint64_t n : shape) {
            require(n <= readable.dimension, errc::limit_exceeded, "safetensors: a dimension of ", n, ", at most ", readable.dimension);
            fits = fits && detail::multiply_within(size, std::max<std::uint64_t>(n, 1));
            empty = empty || n == 0;
        }
        require(fits, errc::limit_exceeded, "safetensors: a tensor's size overflows");
        require((empty ? 0 : size) == bytes.size(), errc::size_mismatch, "safetensors: a shape of ", empty ? 0 : size, " bytes, given ", bytes.size());
        tensors_.push_back({std::move(name), type, {shape.begin(), shape.end()}, std::move(bytes)});
    }
    /// The same from numbers, row-major.
    template <class T>
    void add(std::string name, std::span<const std::uint64_t> shape, std::span<const T> values) {
        const auto bytes = std::as_bytes(values);
        add(std::move(name), dtype_of<T>, shape, {bytes.begin(), bytes.end()});
    }
    [[nodiscard]] std::size_t size() const noexcept { return tensors_.size(); }

    /// The file; the writer is empty afterwards. Throws `error`: `duplicate_key` (two tensors of one name), `bad_utf8`,
    /// `limit_exceeded`.
    template <class = void>
    [[nodiscard]] std::vector<std::byte> finish() {
        const std::vector<tensor*> order = in_order();
        const std::string header = header_of(order);
        std::size_t total = 8 + header.size();
        for (const tensor* t : order) total += t->bytes.size();
        std::vector<std::byte> out(total);
        std::byte* at = out.data();
        const auto append = [&at](std::span<const std::byte> bytes) {
            if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
            at += bytes.size();
        };
        const std::uint64_t length = header.size();
        append(std::as_bytes(std::span(&length, 1)));
        append(std::as_bytes(std::span(header)));
        for (tensor* t : order) append(std::exchange(t->bytes, {}));  // so that little stands in memory twice
        tensors_.clear();
        metadata_.clear();
        return out;
    }

   private:
    static constexpr safetensors_limits readable{};

    struct tensor {
        std::string name;
        dtype type;
        std::vector<std::uint64_t> shape;
        std::vector<std::byte> bytes;
    };

    static void append_string(std::string& out, std::string_view text) {
        const std::size_t before = out.size();
        append_json_string(out, text);
        const std::size_t size = out.size() - before, most = json_limits{}.string_bytes;
        require(size <= most, errc::limit_exceeded, "safetensors: a name or metadata of ", size, " bytes, at most ", most);
    }
    template <class = void>
    [[nodiscard]] std::vector<tensor*> in_order() {
        std::vector<tensor*> order;
        order.reserve(tensors_.size());
        for (tensor& t : tensors_) order.push_back(&t);
        std::sort(order.begin(), order.end(), [](const tensor* a, const tensor* b) {
            const std::size_t wide_a = size_of(a->type), wide_b = size_of(b->type);
            return wide_a != wide_b ? wide_a > wide_b : a->name < b->name;
        });
        return order;
    }
    template <class = void>
    [[nodiscard]] std::string header_of(const std::vector<tensor*>& order) const {
        std::vector<std::string_view> names;
        names.reserve(order.size());
        for (const tensor* t : order) names.push_back(t->name);
        std::sort(names.begin(), names.end());
        require(std::adjacent_find(names.begin(), names.end()) == names.end(), errc::duplicate_key, "safetensors: two tensors have one name");

        std::string out = "{";
        if (!metadata_.empty()) {
            out += "\"__metadata__\":{";
            for (const auto& [key, value] : metadata_) {
                append_string(out, key);
                out += ':';
                append_string(out, value);
                out += ',';
            }
            out.back() = '}';
            out += ',';
        }
        std::uint64_t at = 0;
        for (const tensor* t : order) {
            append_string(out, t->name);
            out += ":{\"dtype\":\"";
            out += name_of(t->type);
            out += "\",\"shape\":[";
            for (std::size_t i = 0; i < t->shape.size(); ++i) detail::append_part(out += i == 0 ? "" : ",", t->shape[i]);
            out += "],\"data_offsets\":[";
            detail::append_part(out, at);
            detail::append_part(out += ',', at += t->bytes.size());
            out += "]},";
        }
        if (out.size() == 1) out += '}';
        else out.back() = '}';
        out.resize((out.size() + 7) / 8 * 8, ' ');
        require(out.size() <= readable.header_bytes, errc::limit_exceeded, "safetensors: a header of ", out.size(), " bytes, at most ", readable.header_bytes);
        return out;
    }

    std::map<std::string, std::string> metadata_;
    std::vector<tensor> tensors_;
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
