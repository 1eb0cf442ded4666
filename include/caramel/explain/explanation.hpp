#ifndef CARAMEL_EXPLAIN_EXPLANATION_HPP
#define CARAMEL_EXPLAIN_EXPLANATION_HPP

// A prediction taken apart, and the reasons to tell a person.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <caramel/core/error.hpp>

namespace caramel::inline CARAMEL_ABI {

/// One prediction taken apart: `base` and the contributions add up to `prediction` (within 1e-6 of its size).
struct explanation {
    double base = 0;                    ///< what the model says without knowing the row: its mean over the background
    std::vector<double> contributions;  ///< one a feature: how much its value moved the prediction
    double prediction = 0;
};

/// A feature, and how much it moved a prediction.
struct reason {
    std::string name;
    double contribution = 0;  ///< above 0: the value raised the prediction

    friend bool operator==(const reason&, const reason&) = default;
};

/// The `n` features that moved the prediction most, whichever way, largest first (of equal ones the first); features that
/// did not move it are left out. Throws `error` (`shape_mismatch`) unless there is a name for each contribution.
template <class Explanation = explanation>
[[nodiscard]] std::vector<reason> top_reasons(const Explanation& of, const std::vector<std::string>& names, std::size_t n = 3) {
    require(names.size() == of.contributions.size(), errc::shape_mismatch, "top_reasons: ", of.contributions.size(), " contributions but ", names.size(), " names");
    std::vector<std::size_t> order;
    for (std::size_t j = 0; j < names.size(); ++j)
        if (of.contributions[j] != 0) order.push_back(j);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return std::abs(of.contributions[a]) > std::abs(of.contributions[b]); });
    std::vector<reason> out;
    for (std::size_t k = 0; k < std::min(n, order.size()); ++k) out.push_back({names[order[k]], of.contributions[order[k]]});
    return out;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
