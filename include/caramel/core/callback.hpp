#ifndef CARAMEL_CORE_CALLBACK_HPP
#define CARAMEL_CORE_CALLBACK_HPP

#include <atomic>
#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <caramel/core/platform.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// One value of any type that copies share: `std::shared_ptr<void>`, at a tenth of what <memory> costs to compile.
class shared_value {
    struct box {
        box() = default;
        box(const box&) = delete;
        box& operator=(const box&) = delete;
        virtual ~box() = default;
        std::atomic<std::size_t> owners{1};
    };
    template <class M>
    struct box_of final : box {
        explicit box_of(M m) : model(std::move(m)) {}
        M model;
    };

   public:
    shared_value() = default;
    template <class M>
    shared_value(std::in_place_type_t<M>, M model) : box_(new box_of<M>(std::move(model))) {}
    shared_value(const shared_value& other) noexcept : box_(other.box_) {
        if (box_ != nullptr) box_->owners.fetch_add(1, std::memory_order_relaxed);
    }
    shared_value& operator=(shared_value other) noexcept {
        std::swap(box_, other.box_);
        return *this;
    }
    ~shared_value() {
        if (box_ != nullptr && box_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) delete box_;
    }
    template <class M>
    [[nodiscard]] M& get() const noexcept { return static_cast<box_of<M>*>(box_)->model; }
    [[nodiscard]] explicit operator bool() const noexcept { return box_ != nullptr; }

   private:
    box* box_ = nullptr;
};

}  // namespace detail

template <class Signature>
class callback;

/// Anything that can be called so, or nothing: what `std::function` is, at a tenth of what <functional> costs to compile.
/// Converts from lambdas and from `std::function`, and to `std::function`. Copies share the callable.
template <class Result, class... In>
class callback<Result(In...)> {
   public:
    callback() = default;
    callback(std::nullptr_t) {}  // NOLINT(google-explicit-constructor)
    template <class F>
        requires(!std::same_as<std::remove_cvref_t<F>, callback> && std::is_invocable_r_v<Result, std::remove_cvref_t<F>&, In...>)
    callback(F&& f)  // NOLINT(google-explicit-constructor): stands where a lambda is given
        : callable_(std::in_place_type<std::remove_cvref_t<F>>, std::forward<F>(f)), call_([](const detail::shared_value& callable, In... in) -> Result {
              return callable.template get<std::remove_cvref_t<F>>()(std::forward<In>(in)...);
          }) {
        if constexpr (requires { f == nullptr; })  // an empty std::function or a null pointer is no callback
            if (callable_.template get<std::remove_cvref_t<F>>() == nullptr) callable_ = detail::shared_value();  // not {}: clang 14 would leak what was there
    }

    Result operator()(In... in) const { return call_(callable_, std::forward<In>(in)...); }
    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(callable_); }

   private:
    detail::shared_value callable_;
    Result (*call_)(const detail::shared_value&, In...) = nullptr;
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
