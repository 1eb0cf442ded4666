// Every public name, unqualified, after the C and POSIX headers and with both namespaces open. None may clash but `errc`,
// which std has, too: with both namespaces open one writes caramel::errc, or error::io.
// scripts/public_names.py --missing says which names this file lacks; the test build.names_complete runs it.
#include <cctype>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <resolv.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <complex>
#include <functional>
#include <iostream>
#include <memory>
#include <numeric>
#include <random>
#include <ranges>
#include <thread>

#include <caramel/caramel.hpp>
#include <caramel/io/model_file.hpp>
#include <caramel/text/bpe_json.hpp>
#include <caramel/text/bpe_tokenizer_json.hpp>
#include <caramel/text/embedding_safetensors.hpp>
#include <caramel/text/tokenizer_json.hpp>
#if __has_include(<sqlite3.h>)
#include <caramel/adapters/sqlite.hpp>
#endif

using namespace std;
using namespace caramel;

namespace {

template <class... T>
constexpr bool named = true;

using F = float;
static_assert(Composable<standardize<F>> && Estimator<standardize<F>, matrix<F>> && Recipe<standardize<F>> && Stage<standardize<F>> && Value<table> &&
              Transformer<standardize_model<F>, matrix<F>> && RowTransformer<standardize_model<F>, span<const F>> && Environment<shaped_mdp<2>, 2> &&
              MaskedEnvironment<shaped_mdp<2>> && Layer<dense, F> && !LayerParams<int, F> && !RankedLists<int>);
static_assert(named<als<F>, als_loss, als_model<F>, any_id, any_model<table, int>, bag_of_embeddings<F>, bag_of_embeddings_model<F>, bag_pooling, callback<void()>,
                    category_view, cell, choice, cleaned, cleaning_options, cleaning_report, cold_start, column_type, columns_model, concatenation<rfm<F>>>);
static_assert(named<csv_column, csv_limits, csv_options, csv_type, csv_write_options, customer_neighbors<F>, customer_neighbors_model<F>, decision<2>,
                    decision_counts, dense, dense_params<F>, dropout, duplicates, elementwise_layer<relu>, embedding_bag, embedding_bag_params<F>,
                    embedding_model<F>, embedding_table<F>, encode<F>, encode_model<F>, caramel::errc, caramel::error, estimate_options, executor>);
static_assert(named<dtype, field_format<int>, field_reader, field_writer, file_path, json_handler, json_limits, model_card, safetensors_file, safetensors_limits,
                    safetensors_writer, tensor_shape, tensor_view>);
static_assert(named<fields_model<>, fill_number, fill_text, fit_options, fitted_t<standardize<F>, matrix<F>>, general_category, histories, history, id_column,
                    id_table, impute, impute_model, interaction_columns<F>, interactions<F>, interactions_options, item_neighbors<F>, item_neighbors_model<F>>);
static_assert(named<labelled_texts, layer_cache<dense, F>, layer_grads<dense, F>, layer_input<dense, F>, layer_params<dense, F>, layer_shape, linear_schedule, log_halves,
                    matrix<F>, matrix_in<F>, max_pool, mdp, mdp_estimate, mdp_row, mdp_solution, mean_pool, mean_squared_error, mlp<F>, mlp_model<F>,
                    mlp_regressor<F>, mlp_regressor_model<F>, model_tag, most_likely, neighbor_side, network_model<F, dense>, network_recipe<F, dense>,
                    network_regressor_model<F, dense>, network_regressor_recipe<F, dense>>);
static_assert(named<optimizer<F>, optimizer_options, outcome<2>, padded<F>, padded_row<F>, parameter_block<F>, past_purchase, per_list, pipeline<rfm<F>>, place,
                    pooling, popularity<F>, popularity_model<F>, positive, caramel::progress, progress_observer, q_learner<F, 2>, q_learning<F, 2>, q_policy<F, 2>,
                    q_table<F, 2>, query, ragged<int>, random_embedding<F>, ranking_task, recipe_tag, recommendation<F>, relu, rfm<F>, rng, row_index, row_number,
                    row_weights, run_options>);
static_assert(named<scores_in, shaped_mdp<2>, shop, shop_options, shop_truth, sigmoid, similar_token, single_row<int>, softmax_cross_entropy, solve_options,
                    standardize<F>, standardize_model<F>, sum_pool, table, table_column, table_field<int>, table_row, tanh_layer, targets_in<F>, tensor<F, 2>,
                    token_counts, token_id, token_ids, train_test, training, transaction, transaction_columns, transactions, transition<2>, unlisted, update_rule,
                    vec<F>, verdict, vocabulary, warm_start<int>, weighting, word_tokenizer, word_tokenizer_model, workspace, column_type>);

static_assert(named<anonymity_groups, column_findings, gaussian_mechanism, geometric_mechanism, group_diversity, laplace_mechanism, personal_data, personal_kinds, personal_span,
                    privacy_budget, privacy_loss, pseudonym_column, pseudonym_domains, pseudonym_key, pseudonym_options, pseudonyms, randomised_response, rdp_accountant,
                    rdp_budget, redact, secret_rng, sensitive_diversity, suppressed_table> &&
              RandomBits<secret_rng>);
using privacy_functions = tuple<decltype(composed_sigma({})), decltype(diversity_of(anonymity_groups(), declval<table_column>())), decltype(find_personal_data("")),
                                decltype(gaussian_delta(1, 1)), decltype(gaussian_epsilon(1, .1)), decltype(gaussian_sigma(1, .1)), decltype(group_rows(table(), {})),
                                decltype(in_ranges(table(), "", {})), decltype(personal_data_in(table())), decltype(rdp_sigma(1, .1, 1)), decltype(redact_columns(table(), {})),
                                decltype(shortened(table(), "", 1)), decltype(subsampled_gaussian_rdp(1, 1, 2)), decltype(suppress_small_groups(table(), {}, 2)),
                                decltype(top_coded(table(), "", 1)), decltype(zcdp_epsilon(1, .1))>;
static_assert(named<privacy_functions>);
static_assert(named<return_end, differential_q_learning<F>, differential_rule, double_q_learning<F>, double_rule, dyna_q<F>, dyna_rule, expected_sarsa<F>, exploration,
                    exploration_schedule, exploring, n_step_q<F>, n_step_rule<return_end::taken>, one_step_rule, prioritized_sweeping<F>, q_lambda<F>, sarsa<F>,
                    schedule_shape, sweeping_rule, trace_rule> &&
              TransitionSource<transition<> (*)()>);
static_assert(named<any_recommender<F>, blend_model<F, popularity_model<F>>, blend_recipe<F, popularity<F>>, ease<F>, ease_model<F>, neighbor_similarity,
                    recommender_search<F, popularity<F>>, recommender_trial, rp3beta<F>, rp3beta_model<F>, slim<F>, slim_model<F>>);
static_assert(named<item_trend, purchase_window<F>, rolling_options, rolling_search<F, popularity<F>>, rolling_trial, trending_model<F, popularity_model<F>>,
                    trending_recipe<F, popularity<F>>>);
static_assert(named<bpe, bpe_added_token, bpe_model, bpe_settings>);
static_assert(named<episode_log<2>, estimate_limits, gate_options, gate_reason, gate_verdict, logged_choice, logged_step<2>, off_policy_estimate, off_policy_log, off_policy_method,
                    off_policy_options, pessimistic_q<F, 2>, policy_overlap, reward_range, sequence_log, sequence_method, sequence_options, simulate_options>);
static_assert(named<added_token, bert_rules, byte_span, encode_options, encoding, encoding_arrays, encoding_batch, encoding_view, id_arrays, padding, special_tokens,
                    text_encoder<wordpiece_model>, text_side, tokenizer_from_json<wordpiece_model>, truncation_order, word_split, wordpiece, wordpiece_model,
                    wordpiece_rules>);
static_assert(named<linear_svm<F>, linear_svm_model<F>, ridge<F>, ridge_model<F>, score_part, score_parts, sparse_logistic<F>, sparse_logistic_model<F>, sparse_matrix<F>,
                    sparse_row<F>, svm_loss>);
static_assert(named<intent, intent_answer, intent_model, nb_ratios<F>, nb_ratios_model<F>, ngram_count, ngram_range, ngram_unit, sentiment, sentiment_answer, sentiment_model,
                    term_weight, text_explanation, text_scorer, tfidf<F>, tfidf_model<F>, tfidf_settings>);
static_assert(named<als_grid, bar_chart, bought_text_recipe<word_tokenizer>, bought_text_model<word_tokenizer_model, F>, calibration_bin, cell_means<2>, chart_axis, chart_bar,
                    chart_reference, contact_action, contact_assumptions, customer_move, customer_process, customer_record, customer_states, customer_states_model,
                    cutoff_point, factors_of_model<als_model<F>>, factors_of_recipe<als<F>>, html_page, item_catalog, key_figure, lift_point, line_chart,
                    line_series, logistic<F>, logistic_model<F>, mlp_multilabel<F>, mlp_multilabel_model<F>, number_style, numbers_in, packed_columns<F>,
                    page_options, purchase_rhythm<F>, reference_kind, report_cell, report_column, report_table, scatter_chart, sgd_factorization<F>,
                    sgd_factorization_model<F>, sgd_steps, sigmoid_cross_entropy, state_axis, static_mlp<F, 3, 2>>);

static_assert(named<axis_rule, back_off_options, budget_solution, horizon_options, horizon_solution, lifetime_options, long_run_solution, occupancy_budget, state_space<F, 2>,
                    state_space_by_target<F, 2>, state_space_model<F, 2>, target_cuts_options>);
static_assert(named<bias_settings, neighbor_rules, rating_baseline<F>, rating_baseline_model<F>, rating_center, rating_neighbors<F>, rating_neighbors_model<F>, rating_reasons<F>, rating_side,
                    rating_similarity, slope_one<F>, slope_one_model<F>, svdpp<F>, svdpp_model<F>>);
static_assert(named<bpr<F>, factorization_machine<F>, factorization_machine_model<F>, factorization_machine_regressor<F>, factorization_machine_regressor_model<F>,
                    feature_factorization<F>, feature_factorization_model<F>, featured_interactions<F>, logistic_mf<F>, logistic_mf_loss, logistic_mf_model<F>, negative_sampling, pair_loss,
                    pairwise_model<F>, pairwise_steps, warp<F>>);
static_assert(named<bandit<ucb1>, channel_action, contact_cap, contact_gap, contact_history, contact_limits, contact_option, contact_plan, contact_rules, epsilon_greedy_rule, kl_ucb,
                    linear_bandit<linucb>, linear_estimate, linear_thompson, quiet_time, thompson_bernoulli, thompson_gaussian>);
static_assert(named<als_ratings<F>, als_ratings_loss, als_ratings_model<F>, als_solver>);

static_assert(named<boosted_trees<F>, boosted_trees_model<F>, boosted_trees_regressor<F>, boosted_trees_regressor_model<F>, explanation, importance_options,
                    importances, reason, shapley_options> && Differentiable<mlp_regressor_model<F>, F>);
static_assert(named<bucket_cuts, bucketize<F>, bucketize_by_target<F>, bucketize_model<F>, categories_only, column_moments, date_parts, date_parts_model,
                    drop_columns_recipe, encode_sparse<F>, encode_sparse_model<F>, fill_column, hash_columns<F>, hash_columns_model<F>, level_order, min_max_scale<F>, min_max_scale_model<F>,
                    missing_indicators, numbers_only, ordinal_encode<F>, ordinal_encode_model<F>, polynomial<F>, polynomial_model<F>, power_transform<F>,
                    power_transform_model<F>, quantile_shape, quantile_transform<F>, quantile_transform_model<F>, rename_columns_model, rename_columns_recipe,
                    robust_scale<F>, robust_scale_model<F>, standardize_learner<F>, target_encode<F>, target_encode_model<F>, timestamps_only, unknown_level>);
static_assert(named<activation, activation_function, activation_params<F>, batch_norm, batch_norm_params<F>, bias_layer, bias_params<F>, elu, gelu, huber_loss,
                    layer_norm, layer_norm_params<F>, leaky_relu, mlp_ensemble<F>, mlp_ensemble_model<F>, network_ranker_recipe<F, dense>, pairwise_logistic,
                    rate_schedule, rate_shape, residual_block<dense>, residual_params<F, dense>, silu, softmax, softmax_focal_loss>);
static_assert(named<any_recipe<matrix<F>, vector<int>, matrix<F>>, auc_comparison, averaging, bootstrap_kind, bootstrap_options, by_accuracy, by_auc, by_average_precision,
                    by_brier, by_log_loss, by_mae, by_rmse, calibrated_recipe<logistic<F>, isotonic<F>, fold_plan>, class_figures, column_drift, contact_value,
                    cost_threshold, cross_validated<matrix<F>>, decision_costs, drift_reference, fold_kind, fold_plan, gain_row, higher_wins<by_mae>, interval,
                    isotonic<F>, isotonic_model<F>, learning_point, mcnemar_result, paired_comparison, platt_scaling<F>, platt_scaling_model<F>, profit_point,
                    search_result<logistic<F>>, search_rules, searched<logistic<F>, by_auc, fold_plan>, signed_rank_result, temperature_scaling<F>,
                    temperature_scaling_model<F>, trial>);
static_assert(named<monitored_model<logistic_model<F>>, monitored_recipe<logistic<F>>, roc_point, stacked_model<logistic_model<F>>,
                    stacked_recipe<fold_plan, logistic<F>>, subscribers, subscribers_options>);
static_assert(named<chinese_dictionary, chinese_hmm, chinese_mode, chinese_options, chinese_segmenter, chinese_tokenizer, chinese_tokenizer_model, match_options,
                    match_rule, phrase_score, phrases, phrases_model, user_word>);
static_assert(named<analogy_answer, analogy_method, analogy_question, analogy_result, broken_words, embedding_file_options, embedding_format, repeated_words,
                    similarity_result, subword_embedding_model<F>, subword_word2vec<F>, token_weighting, unknown_tokens, weighted_bag<F>, weighted_bag_model<F>,
                    word2vec<F>, word2vec_mode, word_analogies, word_analogy, word_pair, word_vectors<F>>);

int functions() {
    matrix<F> x = matrix<F>::Random(40, 3), y = matrix<F>::Random(3, 3), sum = matrix<F>::Zero(3, 3);
    const auto model = fit(standardize<F>{} | concat(standardize<F>{}, standardize<F>{}), x);
    bool good = apply(model, x) == model(x) && apply(model, x, {.threads = 2}) == model(x);
    add_transposed_product<F>(x, matrix<F>(x), sum);
    good = good && multiply<F>(x, y).rows() == 40 && multiply_by_transposed<F>(x, y).cols() == 3 && row_of<F>(x, 0).size() == 3;
    vector<F> row(3);
    multiply_row<F>(row_of<F>(x, 0), y, span<F>(row));
    parallel_for(2, {}, [](size_t) {});
    const auto people = synthetic_subscribers({.customers = 60});
    const auto columns_known = learnable_columns(people.rows, vector<string>{"left", "accepted"});
    const auto watched = monitored(columns_known, table_classifier<F>(columns_known));
    const auto features_of = fit(table_features<F>(columns_known), people.rows);
    good = good && watched.watch.size() < static_cast<size_t>(features_of(people.rows).cols());
    (void)stacked(searched_trees<F>(), searched_networks<F>());
    (void)mixed_classifier<F>();
    (void)roc_curve(vector<double>{.1, .2}, vector<int>{0, 1});
    parallel_blocks(2, 1, {}, [](size_t, size_t, size_t) {});
    require(good, error::io, "names");
    require_at(good, error::io, {}, "names");
    require_finite(x, "names");
    require_ids(vector<token_id>{0}, 1, 1, "names");
    require_utf8("names", 1, "names");
    require_lengths(padded<F>{}, "names");
    require_optimizer({}, "names");
    require_sparse(row_of(sparse_matrix<F>(x), 0), 1, "names");
    good = good && make_tensor<F, 2>({1, 1}).size() == 1 && name_of(caramel::error::io) == "io" && stage_rng({}, "names")() != 0;
    try {
        fail(error::io, {}, "names");
    } catch (const caramel::error&) {
    }

    const auto made = synthetic_shop({.customers = 50, .items = 20, .days = 100});
    const auto log = clean(made.log).kept;
    const auto halves = split_at(log, log.first_time() + chrono::hours(24 * 60));
    const histories seen(log, log.last_time());
    good = good && did_not_return(seen, log).size() == seen.size() && halves.before.rows() + halves.since.rows() == log.rows();
    const auto bought = interactions_of<F>(log);
    const auto bought_often = frequent(bought, pair_limits{.items_per_customer = 1, .customers_per_item = 1});
    const held_out_customers<F> held_out = hold_out_customers(bought, held_out_options{.customers = 0.5});
    const vector<interaction_split<F>> in_folds = pair_folds(bought, 2);
    good = good && bought_often.pairs() == leave_last_out(bought).train.pairs() + leave_last_out(bought).test.pairs() && !held_out.wanted.empty() && in_folds.size() == 2;
    const auto task = ranking_task_of(bought, 5);
    const auto lists = fit(popularity<F>{}, bought)(vector<query>{{.customer = row_number{0}, .n = 5, .exclude_seen = false}});
    const vector<vector<int>> ranked{{1, 2}}, relevant{{2}};
    good = good && recall_at(2, ranked, relevant).mean() == capped_recall_at(2, ranked, relevant).mean() && precision_at(2, ranked, relevant).mean() > 0 &&
           hit_rate_at(2, ranked, relevant).mean() > 0 && ndcg_at(2, ranked, relevant).mean() > 0 && reciprocal_rank_at(2, ranked, relevant).mean() > 0 &&
           average_precision_at(2, ranked, relevant).mean() > 0 && full_ranking_auc(ranked, relevant).mean() == 0 && exposure_at(1, ranked, 3).size() == 3 &&
           coverage_at(1, ranked, 3) > 0 && exposure_gini_at(1, ranked, 3) > 0 && novelty_at(1, ranked, vector<F>{1, 1, 1}, 2).mean() == 1 &&
           randomization_result(randomization_test(vector<double>{1, 2}, vector<double>{1, 2}, randomization_options{})).p_value == 1 && lists.size() == 1 && !task.queries.empty();
    const auto popular = fit(popularity<F>{}, bought);
    good = good && erase_customer(bought, row_number{0}, erased_items::keep).rows() + 1 == bought.rows() && erase_customers(bought, vector<any_id>()) == bought &&
           erase_customer(popularity<F>{}, popular, row_number{0}).customers().size() + 1 == bought.rows();
    const auto everybody = recommend_all(popular, query{.n = 3});
    good = good && rows_by_id(popular.items(), id_column(vector<int64_t>()), sparse_matrix<F>(1)).rows() > 0;
    good = good && recommendation_table(popular, everybody).rows() == everybody.values().size() && !similar_items(popular, row_number{0}).empty() &&
           similar_customers(popular, row_number{0}, 1).size() == 1;
    const recommender_comparison beside = compare_recommenders(bought, bought, comparison_options{.only_new_items = false}, contender{"again", popularity<F>{}});
    good = good && beside.rows.size() == 2 && recommender_figures(beside.best()).name == "popularity";
    const item_cosine<F> alike(matrix<F>::Ones(2, 2));
    const vector<recommendation<F>> two_picks{{0, 2}, {1, 1}};
    good = good && diversify<F>(two_picks, alike, diversity_options{.n = 1}).size() == 1 &&
           limit_categories<F>(two_picks, [](int) { return 0; }, category_options{.per_category = 1}).size() == 1 && ItemSimilarity<item_cosine<F>>;
    (void)tune_als(als<F>{}, bought, interactions<F>{bought});
    const auto searches = [&] {  // named, not run
        (void)recency_weighted(bought, chrono::hours(1));
        (void)tune_blend(blend<F>(popularity<F>{}, ease<F>{}), bought, bought);
        (void)search_recommenders(house_recommenders(bought), bought, bought);
        (void)best_recommender(bought, bought);
        const auto windows = rolling_windows<F>(transactions(), {});
        (void)search_rolling(tuple(vector{popularity<F>{}}), windows, house_trends());
        (void)best_recommender(windows);
        (void)trending<F>(popularity<F>{}, item_trend{});
    };
    (void)searches;
    (void)fit(factors_of(als<F>{.n_factors = 2}), seen);
    (void)fit(bought_text(word_tokenizer{} | bag_of_embeddings<F>{.dim = 2}), seen);
    const auto customer_cells = fit(customer_states{}, seen);
    (void)customer_moves(customer_cells, seen);
    (void)estimate_customers(customer_cells, seen, {.actions = {{.name = "nothing"}}});
    good = good && quantile_cuts(vector<double>{1, 2, 3}, 2).size() == 1 && cell_of(vector<double>{1}, 2.0) == 1 && cell_labels(vector<double>{1}).size() == 2;
    (void)policy_grid(array{state_axis{"a", {"x"}}, state_axis{"b", {"y"}}}, vector<size_t>{0}, vector<string>{"nothing"});
    good = good && rmse(vector<double>{1}, vector<double>{1}) == 0 && mae(vector<double>{1}, vector<double>{1}) == 0;
    (void)holdout(10, .2);
    (void)k_fold(10, 2);
    (void)modulo_folds(vector<int>{1, 2, 3}, 2);
    (void)stratified_k_fold(vector<int>{0, 1, 0, 1}, 2);
    const auto csv = parse_csv("a,b\n1,x\n2,y\n");
    good = good && fit(drop_columns({"a"}) | rename_columns({{"b", "c"}}), csv)(csv).names() == vector<string>{"c"};
    good = good && columns({"a"})(csv).columns() == 1 && labels_of(csv, "b", "x").size() == 2;
    struct customer {
        double tenure;
    };
    (void)fields(field("tenure", &customer::tenure))(vector<customer>{{1}});
    using csv_functions = tuple<decltype(read_csv("")), decltype(write_csv(csv, ""))*>;

    const vector<double> scores{.1, .9};
    const vector<int> labels{0, 1};
    good = good && auc(scores, labels) == 1 && accuracy(labels, labels) == 1 && average_precision(scores, labels) == 1 && brier_score(scores, labels) < 1 &&
           calibration_error(scores, labels) < 1 && confusion(labels, labels).sum() == 2 && decisions(scores, labels).true_positives == 1 &&
           kolmogorov_smirnov(scores, labels) == 1 && log_loss(scores, labels) < 1 && top_lift(scores, labels) == 2;
    good = good && lift_curve(scores, labels).back().lift == 1 && calibration_curve(scores, labels).size() == 2 && precision_curve(scores, labels, {.5}).size() == 1 &&
           html_escape("<") == "&lt;" && number_text(.5) == "0.5" && !html_page("names").html().empty() && most_chart_series == 6 && largest_chart_value > 1;
    const vector<double> risks{.1, .2, .7, .9}, others{.2, .1, .8, .6};
    const vector<int> left{0, 0, 1, 1};
    good = good && gain_table(risks, left).size() == 4 && profit_curve(risks, left, {}).size() == 5 && most_profitable(risks, left, {}).rows == 2 &&
           threshold_by_cost(risks, left, {}).cost == 0 && break_even_probability({}) == .5 && equal_mass_calibration_error(risks, left, 2) < 1 &&
           auc_interval(risks, left).estimate == 1 && delong_test(risks, others, left).p_value == 1 && bootstrap_interval(by_brier{}, risks, left).estimate < 1 &&
           bootstrap_difference(by_brier{}, risks, others, left).low < 1 && normal_cdf(0) == .5 && normal_quantile(.6) > 0 && student_t_cdf(0, 1) == .5 &&
           student_t_quantile(.6, 1) > 0 && paired_t_test(risks, others).p_value < 1.1 && corrected_resampled_t_test(risks, others, .25).p_value < 1.1 &&
           wilcoxon_signed_rank_test(risks, others).p_value < 1.1 && mcnemar_test(left, left, left).p_value == 1 && class_report(left, left).size() == 2 &&
           mean_precision(left, left) == 1 && mean_recall(left, left) == 1 && mean_f1(left, left) == 1 && balanced_accuracy(left, left) == 1 &&
           matthews_correlation(left, left) > .9 && cohen_kappa(left, left) == 1 && population_stability_index(risks, risks) == 0 && most_candidates > 0 &&
           smallest_drift_share > 0 && take_rows(left, vector<size_t>{3}).size() == 1;
    (void)drift(drift_reference_of(csv), csv);
    (void)expanding_folds(10, 2);
    const vector<int> forty = [] {
        vector<int> out(40);
        for (size_t i = 0; i < 40; ++i) out[i] = static_cast<int>(i % 2);
        return out;
    }();
    const auto two = grouped_k_fold(forty, 2), four = stratified_k_fold(forty, 4);
    (void)two;
    const auto penalties = recipe_grid([](double r) { return logistic<F>{.regularization = r}; }, vector{1.0, 10.0});
    (void)random_candidates([](rng& random) { return logistic<F>{.regularization = log_uniform(random, .1, 10)}; }, 2);
    (void)search_recipes(penalties, x, forty, four, by_log_loss{});
    (void)learning_curve(penalties[0], x, forty, {20}, four, by_log_loss{});
    (void)cross_validate(calibrated(best_of(penalties, by_log_loss{}), platt_scaling<F>{}), x, forty, four, by_auc{});
    (void)network<F>(dense{}, relu{}, dense{});
    (void)network_regressor<F>(dense{});
    (void)network_ranker<F>(residual(dense{}), dense{});
    require_schedule({}, "names");
    require_token_weights({}, "names");
    good = good && balanced_class_weights(labels).size() == 2;

    const vector<int> classes_of_rows = [] {
        vector<int> out(40);
        for (size_t i = 0; i < 40; ++i) out[i] = static_cast<int>(i % 2);
        return out;
    }();
    const matrix<F> few = x.topRows(4);
    const auto boosted = fit(boosted_trees<F>{.n_trees = 2}, x, classes_of_rows);
    const auto scored = [&](const matrix<F>& rows) { return boosted.scores(rows); };
    (void)tree_shapley(boosted, few, row_of<F>(x, 0));
    (void)sampled_shapley(scored, few, row_of<F>(x, 0), {.permutations = 1});
    (void)shapley(scored, few, row_of<F>(x, 0));
    good = good && top_reasons(exact_shapley(scored, few, row_of<F>(x, 0), {.output = last_output}), {"a", "b", "c"}).size() <= 3;
    good = good && linear_shapley<F>(row, F(0), few, row).contributions.size() == 3 && partial_dependence(boosted, x, 0, {F(1)}).size() == 1;
    good = good && permutation_importance(boosted, x, classes_of_rows, [](const auto& p, const auto& t) { return auc(p, t); }).drops.size() == 3;
    const auto small = fit(mlp<F>{.hidden = {2}, .epochs = 1}, x, classes_of_rows);
    good = good && input_gradient(small, x, 1).rows() == 40 && integrated_gradients(small, row, row).contributions.size() == 3;

    size_t at = 0;
    match_words(parse_chinese_dictionary("a 1\n").with(parse_user_words("b")), "ab", [](size_t, size_t) {});
    good = good && !parse_chinese_hmm("P={}", "P={}", "P={'B':{'\\u4e00':-1}}").empty();
    for (const auto wrong : {0, 1, 2}) {
        try {
            if (wrong == 0) (void)read_chinese_dictionary("");
            if (wrong == 1) (void)read_chinese_hmm("");
            if (wrong == 2) (void)read_chinese_segmenter("");
        } catch (const caramel::error&) {
        }
    }
    string text;
    good = good && decode_utf8("a", at) == U'a' && encode_utf8(U'a', text.data()) == 1 && find_bad_utf8("a") == string_view::npos && category_of(U'a') == general_category::ll &&
           is_letter(general_category::ll) && !is_mark(general_category::ll) && !is_number(general_category::ll) && !is_punctuation(general_category::ll) &&
           !is_symbol(general_category::ll) && !is_cjk_ideograph(U'a') && lower_case(U'A') == U'a' && fold_case(U'A') == U'a' && unicode_version > 0;
    good = good && repair_utf8("a") == "a";
    split_words("a b", [](size_t, size_t) {});
    split_characters("a b", [](size_t, size_t) {});
    static_assert(named<aligned_piece, aligned_text, decode_entities, remove_html, replace_urls, replace_emails, replace_phones, limit_repeats, emoji_policy, handle_emoji,
                        narrow_forms, squeeze_spaces, repair_text, near_duplicate_options, duplicate_pair, minhash>);
    good = good && near_duplicates(vector<string>{"a", "a"}).size() == 1 && first_of_duplicates(1, vector<duplicate_pair>{})[0] == 0 &&
           jaccard_similarity(shingle_hashes("a"), shingle_hashes("a")) == 1;
    static_assert(named<normal_form, normalize_options, normalize_text, char_tokenizer, char_tokenizer_model, ngram_tokenizer, ngram_tokenizer_model>);
    good = good && normalize("a", normal_form::nfc) == "a" && is_normalized("a", normal_form::nfd) && strip_accents("é") == "e" && lower_case("A") == "a" &&
           fold_case("A") == "a";
    split_gpt2("a b", [](size_t, size_t) {});
    good = good && parse_bpe_merges("#version\n", parse_bpe_vocabulary("{}")).empty();
    (void)&parse_bpe;
    (void)&read_bpe;
    const auto pieces = make_wordpiece(parse_vocabulary(string_view("[UNK]\na")));
    good = good && code_point_spans("a", pieces.encode("a").offsets).size() == 1 && to_arrays(pieces.encode_batch({"a"})).ids.shape(0) == 1;
    using tokenizer_functions = tuple<decltype(load_wordpiece("")), decltype(read_vocabulary("")), decltype(parse_tokenizer_json("")), decltype(read_tokenizer_json(""))>;
    static_assert(named<tokenizer_functions>);
    (void)synthetic_messages(3, 1);
    rng numbers(1);
    (void)nearest(embedding_table<F>::random(3, 2, numbers), 0, 1);
    const auto read_vectors = parse_embeddings<F>("a 1\nb 2\n", embedding_format::glove_text);
    good = good && !format_embeddings(read_vectors, embedding_format::word2vec_text).empty() && analogy(read_vectors.table(), {}, 1).size() == 1 &&
           evaluate_similarity(read_vectors, parse_word_pairs(string_view("a b 1"))).pairs == 1 && evaluate_analogies(read_vectors, parse_analogies(string_view("a b a b"))).size() == 1 &&
           spearman(vector<double>{1, 2}, vector<double>{1, 2}) == 1;
    for_each_subword("a", 1, 2, [](uint32_t) {});
    try {
        (void)read_embeddings<F>("", embedding_format::glove_text);
    } catch (const caramel::error&) {
        try {
            (void)read_embedding_safetensors<F>("", "names");
        } catch (const caramel::error&) {
        }
    }
    (void)&embedding_of<F>;

    const vector<mdp_row> rows{{.state = 0, .action = 0, .next_state = 0, .reward = 1}};
    const mdp process(1, 1, rows);
    const vector<size_t> policy{0};
    good = good && abs(value_iteration(process).v(0) - 20) < 1e-6 && abs(policy_iteration(process).v(0) - 20) < 1e-6 && abs(evaluate_policy(process, policy)(0) - 20) < 1e-6;
    const horizon_options year{.periods = 2};
    const auto free_budget = budget_for(process, [](size_t, size_t) { return 1; }, 1);
    good = good && backward_induction(process, year).v(0, 0) == 2 && evaluate_horizon(process, policy, year)(0, 0) == 2 && abs(solve_with_budgets(process, free_budget).value - 20) < 1e-6;
    good = good && discounted_occupancy(process, policy).size() == 1 && long_run_reward(process, policy) == 1 && abs(best_long_run_reward(process).gain - 1) < 1e-6;
    const matrix<double> stays = matrix<double>::Ones(1, 1);
    good = good && stationary_distribution(stays)(0) == 1 && distribution_after(stays, vector<double>{1}, 2)(0) == 1 && abs(lifetime_value(stays, vector<double>{1})(0) - 11) < 1e-6;
    good = good && target_cuts(vector<double>{1}, vector<double>{1}).empty() && category_axis("a", {"b"}).cells == 1 && back_off(q_table<F, 1>({1}, 1)).actions() == 1;
    (void)policy_table(array{state_axis{"a", {"x"}}}, policy, vector<string>{"nothing"});
    const vector<transition<1>> steps{{.reward = 1}};
    good = good && plan_contacts(vector<contact_option>{{.gain = 1}}, 1).chosen.size() == 1;
    vector<decision<1>> askers(1);
    const auto possible = contact_options(span<const decision<1>>(askers), vector<double>{0, 1}, 0, [](const decision<1>&, size_t a) { return a; });
    limit_to_plan(span(askers), span<const contact_option>(possible), plan_contacts(possible, 1), vector<size_t>{0});
    (void)estimate_mdp(steps, {1}, 1);
    (void)merge_tables(vector{q_table<F>({1}, 1)});
    (void)merge_policies(vector{q_policy<F>(q_table<F>({1}, 1), true, 0)});
    const vector<logged_choice> judged(40, {.reward = 1});
    const matrix<double> sure = matrix<double>::Ones(1, 1);
    const off_policy_log choices(judged, sure, reward_means(judged, 1, 1));
    good = good && evaluate_off_policy(choices).value == 1 && off_policy_lower_bound(choices, {}) < 1 && off_policy_error(choices, off_policy_method::clipped_ips, 1) > 0 &&
           off_policy_parameters(choices, off_policy_method::clipped_ips).size() == 1;
    const auto episodes = take_episodes(simulate_log(process, array<size_t, 1>{1}, policy_probabilities<1>(policy, {1}, 1), {.customers = 3}), vector<size_t>{0, 2});
    const sequence_log sequences(episodes, {1}, 1);
    good = good && evaluate_sequences(sequences, sure, {.horizon = endless}).value > 1 && fitted_q_values(sequences, sure)(0) > 1 && overlap_of(sequences, sure).uncovered == 0 &&
           !deployment_gate(sequences, sure).passed() && moves_of(episodes).size() == 24 && episodes_of(vector<int>{1}, vector<logged_step<1>>(1)).size() == 1;
    good = good && state_number(array<size_t, 2>{2, 2}, {1, 0}) == 2 && state_at(array<size_t, 2>{2, 2}, 2)[0] == 1 && no_action > 0 && max_table_rows > 0;

    const auto bytes = to_bytes(model);
    good = good && load<remove_const_t<decltype(model)>>(span(bytes))(x) == model(x);
    stringstream stream;
    save(model, stream);
    (void)top_k<F>(span<const F>(row), 1);
    append_json_string(text, "a");
    append_json_number(text, 1.0);
    using json_functions = tuple<decltype(read_card("")), decltype(read_file("")), decltype(read_safetensors("")), decltype(parse_safetensors(bytes)), decltype(replace_file(file_path(""), bytes))*>;
    struct nothing : json_handler {
        nothing() : json_handler("names") {}
    } ignored;
    try {
        read_json("1", ignored);
    } catch (const caramel::error&) {
    }
    static_assert(named<csv_functions, json_functions>);
#if __has_include(<sqlite3.h>)
    static_assert(named<sqlite_value, sqlite_type, sqlite_limits, sqlite_read_options, sqlite_existing, sqlite_write_options, sqlite_access, sqlite_database,
                        decltype(read_sqlite(nullptr, "")), decltype(write_sqlite(nullptr, "", csv))>);
#endif
    good = good && size_of(dtype::f32) == 4;
    return good ? 0 : 1;
}

}  // namespace

int main() { return functions(); }
