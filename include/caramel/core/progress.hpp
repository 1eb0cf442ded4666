#ifndef CARAMEL_CORE_PROGRESS_HPP
#define CARAMEL_CORE_PROGRESS_HPP

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <caramel/core/callback.hpp>
#include <caramel/core/platform.hpp>

namespace caramel::inline CARAMEL_ABI {

/// One report from a running fit.
struct progress {
    std::string_view stage;       ///< the stage's kind, such as "mlp"
    std::size_t step = 0;         ///< epochs or sweeps done, from 1
    std::size_t steps = 0;        ///< and planned
    double loss = 0;              ///< mean training loss of this step
};

/// What an observer answers: `stop` ends the fit and keeps what was learnt so far.
enum class verdict { go_on, stop };

/// Called on the thread that called `fit`, after each step. An exception from it cancels the fit and passes through.
using progress_observer = callback<verdict(const progress&)>;

/// The host's own way to run `tasks` independent pieces of work: call `task(i)` once for each i below `tasks`, on any
/// threads, and return when all are done. Results do not depend on how it does so.
using executor = callback<void(std::size_t tasks, const callback<void(std::size_t)>& task)>;

/// How to run independent pieces of work.
struct run_options {
    std::size_t threads = 1;  ///< 0 = as many as the machine has; never changes a result
    executor run = nullptr;   ///< empty = std::jthread
};

/// What a fit may need besides data. Every field has a default.
struct fit_options {
    std::uint64_t seed = 0;                  ///< the only source of randomness
    std::size_t threads = 1;                 ///< 0 = as many as the machine has; never changes a result
    progress_observer on_progress = nullptr;
    std::span<const double> weights = {};    ///< one a row, at least 0; empty = all 1
    executor run = nullptr;                  ///< empty = std::jthread
    /// Kinds of the recipes that were fitted before this one in its chain. Chains fill it: the n-th stage of a kind
    /// draws from its own stream, so another stage in front does not change what this one learns.
    std::vector<std::string_view> fitted_before = {};

    operator run_options() const { return {threads, run}; }  // NOLINT(google-explicit-constructor): the same two fields
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
