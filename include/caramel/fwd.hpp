#ifndef CARAMEL_FWD_HPP
#define CARAMEL_FWD_HPP

// Names only, for a host's own headers: declares what members and parameters are mostly made of, at no cost to compile.

#include <cstddef>
#include <cstdint>

#include <caramel/core/platform.hpp>

namespace caramel::inline CARAMEL_ABI {

enum class errc : std::uint16_t;
class error;
class workspace;
struct fit_options;
struct run_options;

template <class... Stages>
class pipeline;
template <class In, class Out>
class any_model;
template <class In, class Target, class Out>
class any_recipe;

class table;
struct table_row;
class transactions;
class histories;
struct history;
class drift_reference;
template <class T>
class interactions;
template <class T>
class matrix_in;
template <class T>
class sparse_matrix;
template <class T>
struct sparse_row;

template <class T>
class standardize_model;
template <class T>
class encode_model;
template <class T>
class encode_sparse_model;
class impute_model;
class word_tokenizer_model;
class chinese_segmenter;
class chinese_tokenizer_model;
class bpe_model;
class wordpiece_model;
template <class T>
class embedding_model;
template <class T>
class word_vectors;
template <class T>
class mlp_model;
template <class T, std::size_t In, std::size_t... Units>
class static_mlp;
template <class T>
class boosted_trees_model;
template <class T>
class logistic_model;
template <class T>
class ridge_model;
template <class T>
class linear_svm_model;
template <class T>
class sparse_logistic_model;
template <class T>
class mlp_ensemble_model;
template <class T>
class item_neighbors_model;
template <class T>
class ease_model;
template <class T>
class slim_model;
template <class T>
class rp3beta_model;
template <class T>
class als_model;
struct query;
template <class T, std::size_t N>
class q_policy;
template <class Rule>
class bandit;
template <class Rule>
class linear_bandit;
class contact_rules;
template <class T, std::size_t N>
class state_space_model;
struct choice;
class pseudonyms;
class redact;
class rdp_accountant;
class rdp_budget;

}  // namespace caramel::inline CARAMEL_ABI

#endif
