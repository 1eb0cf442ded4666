#ifndef CARAMEL_TESTS_POLICY_CRM_POLICIES_HPP
#define CARAMEL_TESTS_POLICY_CRM_POLICIES_HPP

// The policies of the customer model that logs are written and judged by.

#include <array>
#include <cstddef>

#include <caramel/core/matrix.hpp>
#include <caramel/policy/mdp.hpp>
#include <caramel/policy/off_policy_sequences.hpp>

namespace processes {

inline constexpr std::array<std::size_t, 1> crm_line{54};  // its states as one axis

/// Half myopic, half uniform: the policy that wrote the logs.
inline caramel::matrix<double> crm_logging(const caramel::mdp& process) {
    caramel::matrix<double> out = .5 * caramel::policy_probabilities<1>(caramel::value_iteration(process, {.discount = 0}), crm_line, 4);
    out.array() += .125;
    return out;
}
/// Nine tenths optimal, one tenth uniform: the policy to judge.
inline caramel::matrix<double> crm_wanted(const caramel::mdp& process) {
    caramel::matrix<double> out = .9 * caramel::policy_probabilities<1>(caramel::value_iteration(process), crm_line, 4);
    out.array() += .025;
    return out;
}

}  // namespace processes

#endif
