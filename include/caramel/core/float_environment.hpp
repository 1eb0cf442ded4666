#ifndef CARAMEL_CORE_FLOAT_ENVIRONMENT_HPP
#define CARAMEL_CORE_FLOAT_ENVIRONMENT_HPP

// How the processor rounds is the host's to choose, and a program that links one object compiled with -ffast-math flushes
// denormals to zero everywhere. What a text says as a number, and how a number is written, must not depend on either.

#include <cfenv>

#include <caramel/core/platform.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

/// For reading and writing numbers: while it lives, this thread rounds to nearest and keeps denormals; then as before.
class standard_arithmetic {
   public:
    standard_arithmetic() noexcept : rounding_(std::fegetround()) {
        if (rounding_ != FE_TONEAREST) std::fesetround(FE_TONEAREST);
#if defined(__GNUC__) && defined(__x86_64__)
        control_ = __builtin_ia32_stmxcsr();
        if ((control_ & flushing) != 0) __builtin_ia32_ldmxcsr(control_ & ~flushing);
#endif
    }
    standard_arithmetic(const standard_arithmetic&) = delete;
    standard_arithmetic& operator=(const standard_arithmetic&) = delete;
    ~standard_arithmetic() {
#if defined(__GNUC__) && defined(__x86_64__)
        if ((control_ & flushing) != 0) __builtin_ia32_ldmxcsr(control_);
#endif
        if (rounding_ != FE_TONEAREST) std::fesetround(rounding_);
    }

   private:
    int rounding_;
#if defined(__GNUC__) && defined(__x86_64__)
    static constexpr unsigned flushing = 0x8040;  // results and operands
    unsigned control_ = 0;
#endif
};

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
