#ifndef CARAMEL_POLICY_MDP_HPP
#define CARAMEL_POLICY_MDP_HPP

// Finite Markov decision processes with sparse transitions: built from a table, estimated from a log, simulated, and
// solved exactly. Finite horizons, budgets and chains of customers stand in headers of their own.

#include <caramel/policy/mdp_estimate.hpp>  // IWYU pragma: export
#include <caramel/policy/mdp_process.hpp>   // IWYU pragma: export
#include <caramel/policy/mdp_solve.hpp>     // IWYU pragma: export

#endif
