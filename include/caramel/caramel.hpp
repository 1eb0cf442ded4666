#ifndef CARAMEL_CARAMEL_HPP
#define CARAMEL_CARAMEL_HPP

// Everything but the readers of JSON (saving and loading: <caramel/io/model_file.hpp>, which needs nlohmann-json's headers),
// for a first try. A program that counts its compile time includes the parts that it uses: each stands alone.

#include <caramel/any_model.hpp>
#include <caramel/apply.hpp>
#include <caramel/fwd.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/data/clean.hpp>
#include <caramel/data/csv.hpp>
#include <caramel/data/histories.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/data/split.hpp>
#include <caramel/data/synthetic.hpp>
#include <caramel/data/table.hpp>
#include <caramel/data/transactions.hpp>
#include <caramel/features/columns.hpp>
#include <caramel/features/concat.hpp>
#include <caramel/features/encode.hpp>
#include <caramel/features/impute.hpp>
#include <caramel/features/rfm.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/text/embedding.hpp>
#include <caramel/text/pool.hpp>
#include <caramel/text/tokenizer.hpp>
#include <caramel/text/unicode.hpp>
#include <caramel/text/utf8.hpp>
#include <caramel/text/vocabulary.hpp>
#include <caramel/nn/activation.hpp>
#include <caramel/nn/dense.hpp>
#include <caramel/nn/embedding_bag.hpp>
#include <caramel/nn/layer.hpp>
#include <caramel/nn/loss.hpp>
#include <caramel/nn/mlp.hpp>
#include <caramel/nn/network.hpp>
#include <caramel/nn/optimizer.hpp>
#include <caramel/nn/predictor.hpp>
#include <caramel/nn/probabilities.hpp>
#include <caramel/nn/training.hpp>
#include <caramel/recommend/als.hpp>
#include <caramel/recommend/neighbors.hpp>
#include <caramel/recommend/popularity.hpp>
#include <caramel/recommend/query.hpp>
#include <caramel/recommend/top_k.hpp>
#include <caramel/policy/explore.hpp>
#include <caramel/policy/mdp.hpp>
#include <caramel/policy/q_learning.hpp>
#include <caramel/policy/q_table.hpp>
#include <caramel/policy/transition.hpp>
#include <caramel/evaluate/classification.hpp>
#include <caramel/evaluate/ranking.hpp>

#endif
