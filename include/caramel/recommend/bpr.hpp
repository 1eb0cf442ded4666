#ifndef CARAMEL_RECOMMEND_BPR_HPP
#define CARAMEL_RECOMMEND_BPR_HPP

// Bayesian personalized ranking: what was bought should score higher than what was not.

#include <cstddef>

#include <caramel/core/progress.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/pairwise.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Recipe for `pairwise_model` (Rendle, Freudenthaler, Gantner & Schmidt-Thieme, UAI 2009): minimises
///
///     sum over bought i and drawn j of ln(1 + exp(x_j - x_i))   + regularization
///
/// by stochastic gradient descent; see `pairwise_steps` for a step. Each epoch visits every purchase once, in a new random
/// order, and draws for it an item that the customer did not buy (a purchase is skipped where 64 draws find none). Values do
/// not count. Data of 4,096 purchases and 256 items or more are learnt on up to 4 .. 64 threads, with the same bits for any number.
template <class T>
struct bpr {
    using stage_concept = recipe_tag;

    std::size_t n_factors = 64;    ///< 1 .. 4096
    std::size_t epochs = 50;       ///< 1 .. 1,000,000; fewer where validation or an observer stops it
    double learning_rate = 0.05;   ///< above 0
    double regularization = 0.03;  ///< at least 0
    double init_deviation = 0.1;   ///< above 0: factors begin normal with this deviation, biases at 0
    negative_sampling negatives = negative_sampling::uniform;
    /// 0 <= share < 1 of the purchases, drawn at random but at most 20,000, is not learnt from. What is kept is the epoch
    /// after which they stood highest among 100 items each that the customer did not buy: by the mean of 1 / log2(rank + 1).
    double validation_share = 0;
    std::size_t patience = 5;  ///< at least 1: stop after so many epochs without a better validation

    /// Reports the mean loss of each epoch, each pair as it was before its step.
    /// Throws `error`: `bad_parameter`, `empty_input`, `bad_data` (a negative value), `too_few_rows` (none to validate on), `diverged`.
    [[nodiscard]] pairwise_model<T> fit(const interactions<T>& x, const fit_options& options) const {
        const pairwise_steps steps{pair_loss::bpr, negatives, learning_rate, regularization, 1, epochs};
        return detail::fit_pairwise<T>({"bpr", steps, n_factors, init_deviation, validation_share, patience}, x, options);
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
