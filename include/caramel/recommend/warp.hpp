#ifndef CARAMEL_RECOMMEND_WARP_HPP
#define CARAMEL_RECOMMEND_WARP_HPP

// Weighted approximate-rank pairwise loss: learns most where a bought item stands far down the list.

#include <cstddef>

#include <caramel/core/progress.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/pairwise.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Recipe for `pairwise_model` (Weston, Bengio & Usunier, IJCAI 2011): for each purchase items that the customer did not buy
/// are drawn until one scores within 1 of the bought one, and that pair is stepped on, weighted by the rank that the number
/// of draws tells; see `pairwise_steps`. Better than `bpr` at the top of the list, and slower. Otherwise as `bpr`.
template <class T>
struct warp {
    using stage_concept = recipe_tag;

    std::size_t n_factors = 32;    ///< 1 .. 4096
    std::size_t epochs = 30;       ///< 1 .. 1,000,000; fewer where validation or an observer stops it
    double learning_rate = 0.02;   ///< above 0
    double regularization = 0.05;  ///< at least 0
    double init_deviation = 0.1;   ///< above 0: factors begin normal with this deviation, biases at 0
    std::size_t max_trials = 100;  ///< 1 .. 1,000,000: a purchase is left as it is where so many draws find no item too close
    negative_sampling negatives = negative_sampling::uniform;
    double validation_share = 0;  ///< as for `bpr`
    std::size_t patience = 5;     ///< at least 1

    /// Reports the mean weighted loss of each epoch, each pair as it was before its step.
    /// Throws `error`: `bad_parameter`, `empty_input`, `bad_data` (a negative value), `too_few_rows` (none to validate on), `diverged`.
    [[nodiscard]] pairwise_model<T> fit(const interactions<T>& x, const fit_options& options) const {
        const pairwise_steps steps{pair_loss::warp, negatives, learning_rate, regularization, max_trials, epochs};
        return detail::fit_pairwise<T>({"warp", steps, n_factors, init_deviation, validation_share, patience}, x, options);
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
