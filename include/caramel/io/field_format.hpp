#ifndef CARAMEL_IO_FIELD_FORMAT_HPP
#define CARAMEL_IO_FIELD_FORMAT_HPP

// How the fields of a model become tensors of a file, and how they come back.

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/io/safetensors.hpp>

namespace caramel::inline CARAMEL_ABI {

/// How a field of type `T` stands in a file. Numbers, enums, times, strings, Eigen matrices, xtensors, vectors, arrays,
/// optionals and types with `field_names` and `fields()` are known. For a type of your own:
///
///     template <>
///     struct caramel::field_format<money> {
///         static void save(const money& x, const std::string& key, field_writer& out) { out.save(x.cents, key); }
///         static money load(const std::string& key, field_reader& in) { return money{in.load<std::int64_t>(key)}; }
///     };
///
/// `load` need not check what the file says beyond its own type: an `error` from it refuses the file.
template <class T>
struct field_format {};

/// Takes the fields of a model, each under a key of its own.
class field_writer {
   public:
    template <class T>
    void save(const T& x, const std::string& key) {
        field_format<T>::save(x, key, *this);
    }
    /// A tensor of numbers, row-major.
    template <class T>
    void add(const std::string& key, std::initializer_list<std::uint64_t> shape, std::span<const T> values) {
        tensors_.add(key, std::span(shape.begin(), shape.size()), values);
    }
    [[nodiscard]] safetensors_writer& tensors() noexcept { return tensors_; }

   private:
    safetensors_writer tensors_;
};

/// Gives out the fields of a file and notes which were asked for.
class field_reader {
   public:
    explicit field_reader(const safetensors_file& file) : file_(file), taken_(file.size()) {}

    template <class T>
    [[nodiscard]] T load(const std::string& key) {
        return field_format<T>::load(key, *this);
    }
    /// The tensor called `key`. Throws `error` (`bad_format`) unless it is there, of this type and this many dimensions.
    template <class = void>
    [[nodiscard]] tensor_view take(const std::string& key, dtype type, std::size_t rank) {
        const auto found = file_.find(key);
        require(found.has_value(), errc::bad_format, "the field ", key, " is missing");
        const tensor_view tensor = file_[*found];
        require(tensor.type == type, errc::bad_format, "the field ", key, " is of ", name_of(tensor.type), ", not of ", name_of(type));
        require(tensor.shape.size() == rank, errc::bad_format, "the field ", key, " has ", tensor.shape.size(), " dimensions, not ", rank);
        if (!taken_[*found]) ++taken_count_;
        taken_[*found] = true;
        return tensor;
    }
    /// Whether there is a tensor called `key`, or one below it (`key.0`).
    [[nodiscard]] bool has(const std::string& key) const {
        if (file_.find(key)) return true;
        const std::string below = key + '.';
        const std::size_t next = file_.lower_bound(below);
        return next != file_.size() && file_[next].name.starts_with(below);
    }
    [[nodiscard]] std::size_t tensors() const noexcept { return file_.size(); }
    [[nodiscard]] std::size_t not_taken() const noexcept { return file_.size() - taken_count_; }

   private:
    const safetensors_file& file_;
    std::vector<bool> taken_;
    std::size_t taken_count_ = 0;
};

namespace detail {

// ---- kinds of fields -------------------------------------------------------------------------------------------------
template <class T>
concept plain_number = std::is_arithmetic_v<T> && sizeof(T) <= 8;
template <class T>
concept time_like = requires(const T& t) {
    typename T::clock;
    typename T::duration;
    { t.time_since_epoch().count() } -> std::integral;
};
template <class T>
concept duration_like = !time_like<T> && requires(const T& t) {
    typename T::period;
    { t.count() } -> std::integral;
};
template <class T>
concept single_value = plain_number<T> || std::is_enum_v<T> || time_like<T> || duration_like<T>;

// As a number: an enum as its underlying one, times as counts of 64 bits.
template <single_value T>
[[nodiscard]] constexpr auto to_number(const T& x) noexcept {
    if constexpr (plain_number<T>) return x;
    else if constexpr (std::is_enum_v<T>) return static_cast<std::underlying_type_t<T>>(x);
    else if constexpr (time_like<T>) return static_cast<std::int64_t>(x.time_since_epoch().count());
    else return static_cast<std::int64_t>(x.count());
}
template <single_value T>
using number_of = decltype(to_number(std::declval<const T&>()));
template <single_value T>
[[nodiscard]] constexpr T from_number(number_of<T> x) noexcept {
    if constexpr (plain_number<T>) return x;
    else if constexpr (std::is_enum_v<T>) return static_cast<T>(x);
    else if constexpr (time_like<T>) return T(typename T::duration(static_cast<typename T::duration::rep>(x)));
    else return T(static_cast<typename T::rep>(x));
}

template <class X>
concept eigen_dense = requires(const X& x) {
    typename X::PlainObject;
    requires std::same_as<X, typename X::PlainObject>;
    requires plain_number<typename X::Scalar>;
    requires X::SizeAtCompileTime < 0;
    { x.data() } -> std::convertible_to<const typename X::Scalar*>;
    x.rows();
    x.cols();
};
template <class X>
concept xtensor_like = requires(const X& x) {
    typename X::expression_tag;
    typename X::shape_type;
    requires plain_number<typename X::value_type>;
    requires std::tuple_size<typename X::shape_type>::value > 0;
    requires X::static_layout == decltype(X::static_layout)::row_major;
    { x.data() } -> std::convertible_to<const typename X::value_type*>;
    x.shape();
};
template <class X>
concept has_fields = requires(const X& x) {
    X::field_names.size();
    std::tuple_size<std::remove_cvref_t<decltype(x.fields())>>::value;
};
template <class X>
concept composite = !has_fields<X> && requires(const X& x) {
    typename X::parts;
    x.stages();
};
// Made from one tensor, as an embedding table.
template <class X>
concept tensor_wrapper = !has_fields<X> && !xtensor_like<X> && requires(const X& x) {
    requires xtensor_like<std::remove_cvref_t<decltype(x.values())>>;
    requires std::constructible_from<X, std::remove_cvref_t<decltype(x.values())>>;
};

template <has_fields M>
using field_tuple = std::remove_cvref_t<decltype(std::declval<const M&>().fields())>;
template <has_fields M, std::size_t I>
using field_at = std::remove_cvref_t<std::tuple_element_t<I, field_tuple<M>>>;
template <has_fields M>
inline constexpr std::size_t field_count = std::tuple_size_v<field_tuple<M>>;
template <has_fields M>
using field_numbers = std::make_index_sequence<field_count<M>>;

template <class M, class... F>
concept makeable_from = std::constructible_from<M, F...> || requires(F&&... f) { M{std::forward<F>(f)...}; };
template <class M, std::size_t... I>
consteval bool makeable(std::index_sequence<I...>) { return makeable_from<M, field_at<M, I>...>; }

template <class T>
consteval bool savable();
template <class M, std::size_t... I>
consteval bool savable_fields(std::index_sequence<I...> all) { return makeable<M>(all) && (savable<field_at<M, I>>() && ...); }
template <class T>
struct element_of : std::type_identity<void> {};
template <class T, class A>
struct element_of<std::vector<T, A>> : std::type_identity<T> {};
template <class T, std::size_t N>
struct element_of<std::array<T, N>> : std::type_identity<T> {};
template <class T>
struct element_of<std::optional<T>> : std::type_identity<T> {};
template <class... P>
consteval bool savable_parts(std::type_identity<std::tuple<P...>>) { return (savable<P>() && ...); }

// Whether a field of this type can be saved and loaded, all the way down.
template <class T>
consteval bool savable() {
    if constexpr (!requires(const T& x, const std::string& key, field_writer& out, field_reader& in) {
                      field_format<T>::save(x, key, out);
                      { field_format<T>::load(key, in) } -> std::same_as<T>;
                  }) return false;
    else if constexpr (!std::is_void_v<typename element_of<T>::type>) return savable<typename element_of<T>::type>();
    else if constexpr (has_fields<T>) return savable_fields<T>(field_numbers<T>{});
    else if constexpr (composite<T>) return savable_parts(std::type_identity<typename T::parts>{});
    else return true;
}

// ---- to and from tensors ---------------------------------------------------------------------------------------------
template <class M>
void save_fields(const M& model, const std::string& key, field_writer& out) {
    static_assert(M::field_names.size() == field_count<M>, "caramel: field_names and fields() differ in number");
    const auto& fields = model.fields();
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (out.save(std::get<I>(fields), message(key, '.', M::field_names[I])), ...);
    }(field_numbers<M>{});
}

template <class M, std::size_t I>
field_at<M, I> load_field(const std::string& model_key, field_reader& in) {
    const std::string key = message(model_key, '.', M::field_names[I]);
    if constexpr (requires { M::field_defaults(); }) {
        constexpr std::size_t old_fields = field_count<M> - std::tuple_size_v<decltype(M::field_defaults())>;
        if constexpr (I >= old_fields)
            if (!in.has(key)) return field_at<M, I>(std::get<I - old_fields>(M::field_defaults()));
    }
    return in.load<field_at<M, I>>(key);
}
template <class M>
M load_fields(const std::string& key, field_reader& in) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        [[maybe_unused]] std::tuple<field_at<M, I>...> fields{load_field<M, I>(key, in)...};  // braces: left to right
        if constexpr (std::constructible_from<M, field_at<M, I>...>) return M(std::move(std::get<I>(fields))...);
        else return M{std::move(std::get<I>(fields))...};
    }(field_numbers<M>{});
}

template <class T>
void save_numbers(std::span<const T> values, const std::string& key, field_writer& out) {
    if constexpr (plain_number<T>) {
        out.add<T>(key, {values.size()}, values);
    } else {
        std::vector<number_of<T>> numbers;
        numbers.reserve(values.size());
        for (const T& x : values) numbers.push_back(to_number(x));
        out.add<number_of<T>>(key, {numbers.size()}, numbers);
    }
}
template <class T>
void load_numbers(const tensor_view& tensor, std::span<T> out) {
    if constexpr (plain_number<T>) {
        tensor.copy_to(out.data());
    } else {
        for (std::size_t i = 0; i < out.size(); ++i) {
            number_of<T> x{};
            std::memcpy(&x, tensor.bytes.data() + i * sizeof x, sizeof x);
            out[i] = from_number<T>(x);
        }
    }
}

// Strings: their bytes one after the other, and where each begins; one more start is where the last one ends.
template <class Strings>
void save_strings(const Strings& strings, const std::string& key, field_writer& out) {
    std::vector<unsigned char> bytes;
    std::vector<std::int64_t> starts{0};
    for (const std::string& s : strings) {
        bytes.insert(bytes.end(), s.begin(), s.end());
        starts.push_back(static_cast<std::int64_t>(bytes.size()));
    }
    out.add<unsigned char>(key + ".bytes", {bytes.size()}, bytes);
    out.add<std::int64_t>(key + ".starts", {starts.size()}, starts);
}
template <class = void>
inline std::vector<std::string> load_strings(const std::string& key, field_reader& in) {
    const tensor_view bytes = in.take(key + ".bytes", dtype::u8, 1), starts = in.take(key + ".starts", dtype::i64, 1);
    const auto start = [&](std::size_t i) {
        std::int64_t x = 0;
        std::memcpy(&x, starts.bytes.data() + 8 * i, 8);
        return x;
    };
    const auto last = static_cast<std::int64_t>(bytes.size());
    require(starts.size() > 0 && start(0) == 0 && start(starts.size() - 1) == last, errc::bad_format, "the starts of ", key, " do not rise from 0 to ", last);
    std::vector<std::string> out;
    out.reserve(starts.size() - 1);
    for (std::size_t i = 0; i + 1 < starts.size(); ++i) {
        const std::int64_t from = start(i), to = start(i + 1);
        require(from <= to && to <= last, errc::bad_format, "the starts of ", key, " do not rise from 0 to ", last);
        out.emplace_back(reinterpret_cast<const char*>(bytes.bytes.data()) + from, static_cast<std::size_t>(to - from));
    }
    return out;
}

}  // namespace detail

// ---- what each type of field looks like --------------------------------------------------------------------------------
template <detail::single_value T>
struct field_format<T> {
    static void save(const T& x, const std::string& key, field_writer& out) {
        const detail::number_of<T> number = detail::to_number(x);
        out.add<detail::number_of<T>>(key, {}, std::span(&number, 1));
    }
    static T load(const std::string& key, field_reader& in) {
        detail::number_of<T> number{};
        in.take(key, dtype_of<detail::number_of<T>>, 0).copy_to(&number);
        return detail::from_number<T>(number);
    }
};

template <>
struct field_format<std::string> {
    template <class = void>
    static void save(const std::string& x, const std::string& key, field_writer& out) { detail::save_strings(std::span(&x, 1), key, out); }
    static std::string load(const std::string& key, field_reader& in) {
        auto strings = detail::load_strings(key, in);
        require(strings.size() == 1, errc::bad_format, "the field ", key, " holds ", strings.size(), " strings, not 1");
        return std::move(strings.front());
    }
};

template <class T>
struct field_format<std::vector<T>> {
    static void save(const std::vector<T>& x, const std::string& key, field_writer& out) {
        if constexpr (std::same_as<T, bool>) {
            const auto values = std::make_unique<bool[]>(x.size());
            std::copy(x.begin(), x.end(), values.get());
            out.add<bool>(key, {x.size()}, std::span(values.get(), x.size()));
        } else if constexpr (detail::single_value<T>) {
            detail::save_numbers(std::span(x), key, out);
        } else if constexpr (std::same_as<T, std::string>) {
            detail::save_strings(x, key, out);
        } else {
            out.save(static_cast<std::uint64_t>(x.size()), key + ".count");
            for (std::size_t i = 0; i < x.size(); ++i) {
                const std::size_t before = out.tensors().size();
                out.save(x[i], detail::message(key, '.', i));
                require(out.tensors().size() > before, errc::bad_parameter, "save: an element of ", key,
                        " has no fields, so their number could not be checked");
            }
        }
    }
    static std::vector<T> load(const std::string& key, field_reader& in) {
        if constexpr (std::same_as<T, bool>) {
            return in.take(key, dtype::boolean, 1).values<bool>();
        } else if constexpr (detail::single_value<T>) {
            const tensor_view tensor = in.take(key, dtype_of<detail::number_of<T>>, 1);
            std::vector<T> out(tensor.size());
            detail::load_numbers(tensor, std::span(out));
            return out;
        } else if constexpr (std::same_as<T, std::string>) {
            return detail::load_strings(key, in);
        } else {
            const auto count = in.load<std::uint64_t>(key + ".count");
            std::vector<T> out;
            for (std::uint64_t i = 0; i < count; ++i) {  // each element must be there: a count alone allocates nothing
                const std::string at = detail::message(key, '.', i);
                require(in.has(at), errc::bad_format, "the field ", key, " has ", i, " elements, not ", count);
                out.push_back(in.load<T>(at));
            }
            return out;
        }
    }
};

template <class T, std::size_t N>
struct field_format<std::array<T, N>> {
    static void save(const std::array<T, N>& x, const std::string& key, field_writer& out) {
        if constexpr (detail::single_value<T>) {
            detail::save_numbers(std::span<const T>(x), key, out);
        } else if constexpr (std::same_as<T, std::string>) {
            detail::save_strings(x, key, out);
        } else {
            for (std::size_t i = 0; i < N; ++i) out.save(x[i], detail::message(key, '.', i));
        }
    }
    static std::array<T, N> load(const std::string& key, field_reader& in) {
        if constexpr (detail::single_value<T>) {
            const tensor_view tensor = in.take(key, dtype_of<detail::number_of<T>>, 1);
            require_count(key, tensor.size());
            std::array<T, N> out{};
            detail::load_numbers(tensor, std::span<T>(out));
            return out;
        } else if constexpr (std::same_as<T, std::string>) {
            auto strings = detail::load_strings(key, in);
            require_count(key, strings.size());
            std::array<std::string, N> out;
            std::move(strings.begin(), strings.end(), out.begin());
            return out;
        } else {
            return [&]<std::size_t... I>(std::index_sequence<I...>) {
                return std::array<T, N>{in.load<T>(detail::message(key, '.', I))...};
            }(std::make_index_sequence<N>{});
        }
    }

   private:
    static void require_count(const std::string& key, std::size_t count) {
        require(count == N, errc::bad_format, "the field ", key, " has ", count, " elements, not ", N);
    }
};

template <class T>
struct field_format<std::optional<T>> {
    static void save(const std::optional<T>& x, const std::string& key, field_writer& out) {
        out.save(x.has_value(), key + ".present");
        if (x) out.save(*x, key + ".value");
    }
    static std::optional<T> load(const std::string& key, field_reader& in) {
        if (!in.load<bool>(key + ".present")) return std::nullopt;
        return in.load<T>(key + ".value");
    }
};

/// Dense Eigen matrices and arrays of dynamic size: 1 dimension for vectors, else (rows, columns), row-major.
template <detail::eigen_dense X>
struct field_format<X> {
    using Scalar = typename X::Scalar;
    static constexpr bool is_vector = X::RowsAtCompileTime == 1 || X::ColsAtCompileTime == 1;

    static void save(const X& x, const std::string& key, field_writer& out) {
        const auto rows = static_cast<std::uint64_t>(x.rows()), columns = static_cast<std::uint64_t>(x.cols());
        const std::span<const Scalar> values(x.data(), static_cast<std::size_t>(x.size()));
        if constexpr (is_vector) {
            out.add<Scalar>(key, {rows * columns}, values);
        } else if constexpr (X::IsRowMajor) {
            out.add<Scalar>(key, {rows, columns}, values);
        } else {
            const auto turned = std::make_unique<Scalar[]>(values.size());
            for (std::size_t i = 0; i < rows; ++i)
                for (std::size_t j = 0; j < columns; ++j) turned[i * columns + j] = values[j * rows + i];
            out.add<Scalar>(key, {rows, columns}, std::span<const Scalar>(turned.get(), values.size()));
        }
    }
    static X load(const std::string& key, field_reader& in) {
        const tensor_view tensor = in.take(key, dtype_of<Scalar>, is_vector ? 1 : 2);
        const auto rows = static_cast<std::ptrdiff_t>(X::RowsAtCompileTime == 1 ? 1 : tensor.shape[0]);
        const auto columns = static_cast<std::ptrdiff_t>(X::ColsAtCompileTime == 1 ? 1 : tensor.shape[tensor.shape.size() - 1]);
        require((X::RowsAtCompileTime < 0 || rows == X::RowsAtCompileTime) && (X::ColsAtCompileTime < 0 || columns == X::ColsAtCompileTime), errc::bad_format,
                "the field ", key, " has ", rows, " rows and ", columns, " columns, which does not fit its type");
        X out;
        out.resize(rows, columns);
        if constexpr (is_vector || X::IsRowMajor) {
            tensor.copy_to(out.data());
        } else {
            for (std::ptrdiff_t i = 0; i < rows; ++i)
                for (std::ptrdiff_t j = 0; j < columns; ++j)
                    std::memcpy(&out(i, j), tensor.bytes.data() + static_cast<std::size_t>(i * columns + j) * sizeof(Scalar), sizeof(Scalar));
        }
        return out;
    }
};

/// xt::xtensor, row-major.
template <detail::xtensor_like X>
struct field_format<X> {
    using Scalar = typename X::value_type;
    static constexpr std::size_t rank = std::tuple_size_v<typename X::shape_type>;

    static void save(const X& x, const std::string& key, field_writer& out) {
        std::array<std::uint64_t, rank> shape{};
        for (std::size_t i = 0; i < rank; ++i) shape[i] = static_cast<std::uint64_t>(x.shape()[i]);
        out.tensors().add(key, std::span<const std::uint64_t>(shape), std::span<const Scalar>(x.data(), static_cast<std::size_t>(x.size())));
    }
    static X load(const std::string& key, field_reader& in) {
        const tensor_view tensor = in.take(key, dtype_of<Scalar>, rank);
        typename X::shape_type shape{};
        for (std::size_t i = 0; i < rank; ++i) shape[i] = tensor.shape[i];
        X out(shape);
        tensor.copy_to(out.data());
        return out;
    }
};

template <detail::tensor_wrapper X>
struct field_format<X> {
    using values_type = std::remove_cvref_t<decltype(std::declval<const X&>().values())>;
    static void save(const X& x, const std::string& key, field_writer& out) { out.save(x.values(), key); }
    static X load(const std::string& key, field_reader& in) { return X(in.load<values_type>(key)); }
};

template <class T>
struct field_format<ragged<T>> {
    static void save(const ragged<T>& x, const std::string& key, field_writer& out) {
        out.save(x.values(), key + ".values");
        out.save(x.starts(), key + ".starts");
    }
    static ragged<T> load(const std::string& key, field_reader& in) {
        auto values = in.load<std::vector<T>>(key + ".values");
        return {std::move(values), in.load<std::vector<std::int64_t>>(key + ".starts")};
    }
};

/// A struct or model within a model: its fields under the key of the whole.
template <detail::has_fields X>
struct field_format<X> {
    static void save(const X& x, const std::string& key, field_writer& out) { detail::save_fields(x, key, out); }
    static X load(const std::string& key, field_reader& in) { return detail::load_fields<X>(key, in); }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
