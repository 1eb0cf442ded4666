// The main job: one log of transactions in; recommendations, churn risks, the next best action and a report out.
//
//   customer_journey [--data FILE.csv] [--report FILE.html] [--save FILE] [--seed N] [--threads N]
//
// FILE.csv has the columns invoice, stock_code, description, quantity, invoice_date, price and customer_id (as the public
// data set Online Retail II). Without it, a small shop is generated. Lines that begin with `result` are for scripts.
//
//   scripts/demo.sh     (or, after it once: cmake --build build/release --target customer_journey)
#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <caramel/caramel.hpp>
#include <caramel/io/file.hpp>
#include <caramel/io/model_file.hpp>

#include "journey_report.hpp"
#include "terminal.hpp"

using namespace caramel;
using namespace std::chrono_literals;
using std::chrono::sys_seconds;

namespace {

// How every step is to run. The answers are the same for any number of threads.
struct run_settings {
    std::uint64_t seed = 0;
    std::size_t threads = 0;  // all
};

// ---- 1. read and clean -----------------------------------------------------------------------------------------------
struct shop_log {
    transactions purchases;
    sys_seconds split;   // models learn from what was before, and are judged on what came after
    sys_seconds tuning;  // hyperparameters are chosen on what lies between this and the split
};

shop_log read_and_clean(const std::string& file, std::uint64_t seed, journey_findings& found) {
    title("1. The log, cleaned");
    table rows = file.empty() ? synthetic_shop({.seed = seed}).rows : read_csv(file);
    if (!file.empty()) {  // measured the second time: the first brings the file into the system's cache
        const stopwatch reading;
        rows = read_csv(file);
        result("read.seconds", reading.seconds());
    }
    require(rows.rows() > 0, errc::empty_input, "the log has no rows");
    const auto log = transactions::from(rows, {.customer = "customer_id",
                                               .item = "stock_code",
                                               .invoice = "invoice",
                                               .quantity = "quantity",
                                               .price = "price",
                                               .when = "invoice_date",
                                               .description = "description"});
    auto [kept, report] = clean(log);
    std::printf("%s", report.text().c_str());
    result("clean.read", static_cast<double>(report.rows_read));
    result("clean.rows", static_cast<double>(report.rows_kept));
    result("clean.customers", static_cast<double>(report.customers));
    result("clean.items", static_cast<double>(report.items));
    require(!kept.empty(), errc::empty_input, "no purchase is left: see above what the rows were dropped for");
    found.cleaning = report;
    found.first = kept.first_time();
    found.last = kept.last_time();
    // The last quarter of a year is for judging, two months before it for choosing; of a shorter log the last quarter, and a sixth.
    const auto span = kept.last_time() - kept.first_time();
    const auto midnight = [](sys_seconds t) { return sys_seconds(std::chrono::floor<std::chrono::days>(t) + 24h); };
    const auto split = midnight(kept.last_time() - std::min<std::chrono::seconds>(91 * 24h, span / 4));
    found.split = split;
    return {std::move(kept), split, split - std::min<std::chrono::seconds>(62 * 24h, std::chrono::floor<std::chrono::days>(span / 6))};
}

// ---- 2. products that are described alike ----------------------------------------------------------------------------
void compare_products(const transactions& log, std::uint64_t seed) {
    title("2. Products that are described alike");
    std::vector<std::string> texts;  // each once
    for (const auto& text : log.descriptions())
        if (!text.empty()) texts.push_back(text);
    std::sort(texts.begin(), texts.end());
    texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
    if (texts.size() < 2) return says("the log does not describe its products");
    // Texts to token ids, ids to vectors, vectors to their mean; each fitted to what the one before makes of the texts.
    const auto describe = fit(word_tokenizer{} | random_embedding<float>{.dim = 128} | mean_pool{}, texts, {.seed = seed});
    const matrix<float> vectors = describe(texts);
    auto values = make_tensor<float, 2>({texts.size(), static_cast<std::size_t>(vectors.cols())});
    std::copy_n(vectors.data(), vectors.size(), values.data());
    const embedding_table<float> products(std::move(values));
    std::printf("%zu descriptions, %zu different words\n", texts.size(), describe.get<0>().words().size());
    const auto bought =
        fit(popularity<float>{}, interactions_of<float>(log))(query{.n = 3, .history = std::vector<past_purchase>{}, .if_unknown = cold_start::popular});
    for (const auto& pick : bought) {
        const std::string& text = log.descriptions()[static_cast<std::size_t>(pick.item)];
        if (text.empty()) continue;
        std::printf("  %s\n", text.c_str());
        const auto row = static_cast<token_id>(std::lower_bound(texts.begin(), texts.end(), text) - texts.begin());
        for (const auto& other : nearest(products, row, 3)) std::printf("    %.2f  %s\n", other.cosine, texts[static_cast<std::size_t>(other.id)].c_str());
    }
}

// ---- 3. recommend ----------------------------------------------------------------------------------------------------
using recommender = fitted_t<als<float>, interactions<float>>;

// What to call an item of a model.
std::string name_of_item(const transactions& log, const id_table& items, std::int32_t row) {
    const auto id = items.text(static_cast<std::size_t>(row));
    const std::string& text = log.descriptions()[static_cast<std::size_t>(log.item_number(id))];
    return text.empty() ? std::string(id) : text;
}

// What is offered to three customers (who bought little, some, much), and why the first of it.
void show_offers(const transactions& log, const recommender& model, const ranking_task& task) {
    std::vector<std::size_t> customers;
    for (const auto& asked : task.queries) customers.push_back(asked.customer->row()->row);
    std::stable_sort(customers.begin(), customers.end(),
                     [&](std::size_t a, std::size_t b) { return model.purchases()[a].size() < model.purchases()[b].size(); });
    for (const std::size_t tenth : {1U, 5U, 9U}) {
        const std::size_t row = customers[customers.size() * tenth / 10];
        const query asked{.customer = row_number{row}, .n = 3};
        std::printf("  customer %s, who bought %zu items\n", std::string(model.customers().text(row)).c_str(), model.purchases()[row].size());
        const auto picks = model(asked);
        for (const auto& pick : picks) std::printf("    %s\n", name_of_item(log, model.items(), pick.item).c_str());
        if (picks.empty()) continue;
        std::printf("    the first of these because of");
        const auto reasons = model.explain(asked, row_number{static_cast<std::size_t>(picks[0].item)});
        for (std::size_t i = 0; i < std::min<std::size_t>(2, reasons.size()); ++i)
            std::printf("%s %s (%.0f %% of the score)", i > 0 ? "," : "", name_of_item(log, model.items(), reasons[i].item).c_str(),
                        100.0 * static_cast<double>(reasons[i].score / picks[0].score));
        std::printf("\n");
    }
}

std::optional<recommender> recommend(const shop_log& shop, const run_settings& run, journey_findings& found) {
    title("3. What to offer: items that customers bought later for the first time");
    const auto past = shop.purchases.before(shop.split);
    if (past.empty()) return says("nothing was bought before the split: there is nothing to learn from"), std::nullopt;
    const auto bought = interactions_of<float>(past);
    const auto later = interactions_of<float>(shop.purchases.since(shop.split), &bought).pairs_not_in(bought);
    const auto task = ranking_task_of(later, 20);
    std::printf("%zu customers, %zu items, %zu pairs to learn from; %zu customers with %zu new pairs to judge by\n", bought.rows(), bought.items().size(),
                bought.pairs(), task.queries.size(), later.pairs());
    result("recommend.customers", static_cast<double>(task.queries.size()));

    const auto judge = [&](const char* name, const auto& model) {
        if (task.queries.empty()) return;
        const auto lists = model(task.queries);
        const double recall = recall_at(20, lists, task.relevant).mean(), ndcg = ndcg_at(10, lists, task.relevant).mean();
        std::printf("  %-16s recall@20 %.4f   NDCG@10 %.4f\n", name, recall, ndcg);
        result(std::string("recommend.") + name + ".recall@20", recall);
        result(std::string("recommend.") + name + ".ndcg@10", ndcg);
        found.recommenders.push_back({name, recall, ndcg});
    };
    judge("popularity", fit(popularity<float>{}, bought));
    judge("neighbors", fit(item_neighbors<float>{.k = 20, .weights = weighting::ones}, bought));
    // The loss of the factorization is chosen on purchases before the split alone.
    als<float> recipe{.n_factors = 64, .weights = weighting::logarithmic};
    if (const auto earlier = past.before(shop.tuning); !earlier.empty()) {
        const auto known = interactions_of<float>(earlier);
        recipe = tune_als(recipe, known, interactions_of<float>(past.since(shop.tuning), &known),
                          {.seed = run.seed, .threads = run.threads, .on_progress = progress_bar("choosing")});
    }
    std::printf("  chosen for the factorization: %s, unobserved weight %g, regularization %g, %zu epochs\n",
                recipe.weights == weighting::ones ? "purchases count alike" : "repeated purchases count more", recipe.unobserved_weight, recipe.regularization,
                recipe.epochs);
    auto model = fit(recipe, bought, {.seed = run.seed, .threads = run.threads, .on_progress = progress_bar("factorization")});
    judge("factorization", model);
    if (task.queries.empty()) says("nobody bought anything new after the split: nothing to judge by");
    else show_offers(shop.purchases, model, task);
    return model;
}

// ---- 4. churn --------------------------------------------------------------------------------------------------------
// What is known of a customer: when and how much they bought, what they like, and the words of it.
auto churn_features() {
    return concat(rfm<float>{}, purchase_rhythm<float>{}, factors_of(als<float>{.n_factors = 16, .regularization = 0.05, .epochs = 6}),
                  bought_text(word_tokenizer{} | bag_of_embeddings<float>{.dim = 8})) |
           standardize<float>{};
}
auto churn_recipe(const mlp<float>& network) { return churn_features() | network; }
using churn_model = fitted_t<decltype(churn_recipe({})), histories, std::vector<int>>;

std::vector<int> at_rows(const std::vector<int>& labels, const std::vector<std::size_t>& rows) {
    std::vector<int> out;
    for (const std::size_t row : rows) out.push_back(labels[row]);
    return out;
}
// Five folds by customer_id % 5, so that others can repeat them; drawn by class where ids are no numbers or a fold has one class only.
std::vector<train_test> folds_of(const histories& seen, const std::vector<int>& labels) {
    std::vector<std::int64_t> numbers;
    for (const auto& id : seen.ids()) {
        std::int64_t number = 0;
        const auto [end, code] = std::from_chars(id.data(), id.data() + id.size(), number);
        if (code == std::errc() && number >= 0 && (end == id.data() + id.size() || *end == '.')) numbers.push_back(number);
    }
    if (numbers.size() == seen.size()) {
        const auto has_both = [&](const std::vector<std::size_t>& rows) { return std::ranges::count(at_rows(labels, rows), 1) % std::ssize(rows) != 0; };
        std::vector<train_test> folds(5);
        for (std::size_t i = 0; i < numbers.size(); ++i)
            for (std::size_t f = 0; f < 5; ++f) (static_cast<std::size_t>(numbers[i] % 5) == f ? folds[f].test : folds[f].train).push_back(i);
        if (std::ranges::all_of(folds, [&](const train_test& fold) { return !fold.test.empty() && has_both(fold.test) && has_both(fold.train); })) return folds;
    }
    return stratified_k_fold(labels, 5);
}

// The network that does best on customers it has not seen: six compete by log loss in three folds of the training customers.
mlp<float> choose_network(const histories& seen, const std::vector<int>& labels, const run_settings& run) {
    std::vector<mlp<float>> candidates;
    for (const auto& hidden : {std::vector<std::size_t>{}, {16}})
        for (const double l2 : {0.01, 0.03, 0.1}) candidates.push_back({.hidden = hidden, .epochs = 40, .learning_rate = 2e-3, .l2 = l2});
    struct part {
        matrix<float> x, x_held;
        std::vector<int> y, y_held;
    };
    const auto folds = stratified_k_fold(labels, 3, run.seed);
    std::vector<part> parts(folds.size());
    parallel_for(parts.size(), {.threads = run.threads}, [&](std::size_t i) {
        const auto& [train, held] = folds[i];
        const auto features = fit(churn_features(), seen.take_rows(train), {.seed = run.seed});
        parts[i] = {features(seen.take_rows(train)), features(seen.take_rows(held)), at_rows(labels, train), at_rows(labels, held)};
    });
    std::vector<double> losses(candidates.size() * parts.size());
    parallel_for(losses.size(), {.threads = run.threads}, [&](std::size_t i) {
        const auto& [x, x_held, y, y_held] = parts[i % parts.size()];
        losses[i] = log_loss(fit(candidates[i / parts.size()], x, y, {.seed = run.seed})(x_held), y_held);
    });
    std::size_t best = 0;
    const auto loss_of = [&](std::size_t candidate) {
        const auto first = losses.begin() + static_cast<std::ptrdiff_t>(candidate * parts.size());
        return std::accumulate(first, first + std::ssize(parts), 0.0);
    };
    for (std::size_t i = 1; i < candidates.size(); ++i)
        if (loss_of(i) < loss_of(best)) best = i;
    return candidates[best];
}

std::optional<churn_model> predict_churn(const shop_log& shop, const run_settings& run, journey_findings& found) {
    title("4. Who will not return");
    const histories seen(shop.purchases, shop.split);
    const auto gone = did_not_return(seen, shop.purchases.since(shop.split));
    const auto leavers = std::ranges::count(gone, 1);
    std::printf("%zu customers before the split, %zu of them (%.1f %%) without a purchase after it\n", seen.size(), static_cast<std::size_t>(leavers),
                seen.size() > 0 ? 100.0 * static_cast<double>(leavers) / static_cast<double>(seen.size()) : 0.0);
    if (leavers < 10 || std::ssize(gone) - leavers < 10) return says("fewer than ten customers left or stayed: too few to learn from"), std::nullopt;

    // Each customer is judged by models that have not seen them. Figures are means over the folds.
    const auto folds = folds_of(seen, gone);
    const auto six_numbers = rfm<float>{}(seen);
    found.labels = gone;
    found.risk.assign(seen.size(), 0.0);
    std::vector<double> figures(5);
    const auto share = 1.0 / static_cast<double>(folds.size());
    const auto bar = progress_bar("churn");
    for (std::size_t f = 0; f < folds.size(); ++f) {
        const auto& [train, test] = folds[f];
        const auto x = seen.take_rows(train), x_test = seen.take_rows(test);
        const auto y = at_rows(gone, train), y_test = at_rows(gone, test);
        const auto logistic_risk = fit(rfm<float>{} | standardize<float>{} | logistic<float>{}, x, y)(x_test);
        const auto network_risk = fit(churn_recipe(choose_network(x, y, run)), x, y, {.seed = run.seed})(x_test);
        std::vector<float> recency;
        for (const std::size_t row : test) recency.push_back(six_numbers(static_cast<row_index>(row), 0));
        figures[0] += share * auc(recency, y_test);
        figures[1] += share * auc(logistic_risk, y_test);
        figures[2] += share * log_loss(logistic_risk, y_test);
        figures[3] += share * auc(network_risk, y_test);
        figures[4] += share * log_loss(network_risk, y_test);
        for (std::size_t i = 0; i < test.size(); ++i) found.risk[test[i]] = network_risk(static_cast<row_index>(i), 1);
        if (bar) (void)bar({"churn", f + 1, folds.size(), 0});
    }
    std::printf("  recency rule          AUC %.4f\n  logistic regression   AUC %.4f   log loss %.4f\n  network               AUC %.4f   log loss %.4f\n",
                figures[0], figures[1], figures[2], figures[3], figures[4]);
    constexpr std::array names{"churn.recency.auc", "churn.logistic.auc", "churn.logistic.log_loss", "churn.mlp.auc", "churn.mlp.log_loss"};
    for (std::size_t i = 0; i < names.size(); ++i) result(names[i], figures[i]);
    found.churn_auc = {figures[0], figures[1], figures[3]};
    for (std::size_t i = 0; i < seen.size(); ++i) {
        const auto row = static_cast<row_index>(i);
        found.recency_days.push_back(std::expm1(six_numbers(row, 0)));
        found.spend.push_back(std::expm1(six_numbers(row, 3)));
    }
    const auto remember_loss = [&](const progress& p) {
        if (p.stage == mlp_model<float>::kind) found.training_loss.push_back(p.loss);
        return verdict::go_on;
    };
    return fit(churn_recipe(choose_network(seen, gone, run)), seen, gone, {.seed = run.seed, .on_progress = remember_loss});
}

// ---- 5. the next best action -----------------------------------------------------------------------------------------
// The log tells how customers move from month to month when nobody contacts them. It holds no contacts, so what a contact
// does is assumed, and said.
contact_assumptions contacts_assumed() {
    return {.actions = {{.name = "nothing"}, {.name = "e-mail", .cost = 0.5, .log_odds = 0.3}, {.name = "call", .cost = 4, .log_odds = 0.8}},
            .strength = {0, 0.5, 1},
            .margin = 0.2};
}
// From a customer's history to the cell of a Q-table (recency x orders x spend x last contact), and on to the action.
using contact_policy = decltype(std::declval<customer_states_model>() | std::declval<q_policy<double, 4>>());

std::optional<contact_policy> plan_contacts(const shop_log& shop, const run_settings& run, journey_findings& found) {
    title("5. The next best action, month by month");
    const histories seen(shop.purchases, shop.split);
    if (seen.size() == 0) return says("nobody bought anything before the split: there is nothing to learn from"), std::nullopt;
    const auto assumed = contacts_assumed();
    found.assumptions = assumed.text();
    std::printf("assumed:\n%s", found.assumptions.c_str());
    const auto states = fit(customer_states{}, seen);
    std::optional<customer_process> customers;
    try {
        customers = estimate_customers(states, seen, assumed);
    } catch (const error& e) {
        if (e.code() != errc::empty_input) throw;
        return says(e.what()), std::nullopt;  // less than a month of purchases
    }
    const auto& process = customers->process.process();
    constexpr double discount = 0.95;
    const auto best = policy_iteration(process, {.discount = discount});
    const auto learned =
        fit(q_learning<double, 4>{.states = states.shape(), .actions = assumed.actions.size(), .discount = discount, .steps = 20'000'000, .restart_every = 24},
            customers->process, {.seed = run.seed, .on_progress = progress_bar("policy")});
    auto greedy = learned.greedy_actions();
    std::ranges::replace(greedy, no_action, std::size_t{0});

    const auto judge = [&](const char* name, const std::vector<std::size_t>& policy) {
        const double value = customers->mean(evaluate_policy(process, policy, {.discount = discount}));
        std::printf("  %-10s %8.2f\n", name, value);
        result(std::string("policy.") + name, value);
        found.policies.emplace_back(name, value);
        return value;
    };
    std::printf("what one of today's %zu customers is worth, from %zu months of customers, by policy:\n", seen.size(), customers->observed);
    std::vector<std::size_t> hand(process.states());  // e-mail who was away for a month, unless that was just done
    for (std::size_t s = 0; s < hand.size(); ++s) {
        const auto cell = state_at(states.shape(), s);
        hand[s] = cell[0] >= 1 && cell[3] >= 1 ? 1 : 0;
    }
    judge("never", std::vector<std::size_t>(process.states(), 0));
    judge("always", std::vector<std::size_t>(process.states(), 1));
    judge("hand", hand);
    const double value = judge("learned", greedy), optimum = judge("optimal", best.policy);
    result("policy.learned_over_optimal", optimum > 0 ? value / optimum : 1);
    std::vector<std::string> names;
    for (const auto& action : assumed.actions) names.push_back(action.name);
    const auto shape = states.shape();
    std::printf("learned, for customers who were not contacted lately:\n%s",
                policy_grid(states.axes(), greedy, names, {0, 0, shape[2] - 1, shape[3] - 1}).c_str());
    return states | learned;
}

// ---- 6. save, and serve from a fresh process -------------------------------------------------------------------------
// What a service desk asks about a customer, as a model of our own: it is saved and loaded like any other. What could not
// be learnt from the log is not there.
struct customer_desk {
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "customer_desk";
    struct answer {
        std::span<const recommendation<float>> offers = {};  // lies in the workspace
        std::optional<float> risk = {};
        std::optional<std::size_t> action = {};
    };

    std::optional<recommender> offers;
    std::optional<churn_model> churn;
    std::optional<contact_policy> contacts;
    histories customers;

    // From the customer's stored history, features included.
    answer operator()(std::size_t row, workspace& scratch) const {
        const history seen = customers[row];
        answer out;
        if (churn) out.risk = (*churn)(seen, scratch)[1];
        if (contacts) out.action = (*contacts)(seen, scratch).action;
        if (offers) out.offers = (*offers)({.customer = customers.ids()[row], .n = 5, .if_unknown = cold_start::popular}, scratch);
        return out;
    }

    static constexpr std::array field_names{"offers", "churn", "contacts", "customers"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(offers, churn, contacts, customers); }
};

// All answers to all customers as one number: the same in two processes if, and only if, every bit is (FNV-1a).
std::uint64_t digest_of(const customer_desk& desk) {
    std::uint64_t out = 14695981039346656037U;
    const auto add = [&](std::uint64_t x) { out = (out ^ x) * 1099511628211U; };
    workspace scratch;
    for (std::size_t row = 0; row < desk.customers.size(); ++row) {
        const auto answer = desk(row, scratch);
        add(std::bit_cast<std::uint32_t>(answer.risk.value_or(-1)));
        add(answer.action.value_or(no_action));
        for (const auto& pick : answer.offers) add(static_cast<std::uint64_t>(pick.item) << 32U | std::bit_cast<std::uint32_t>(pick.score));
    }
    return out;
}

void show(const customer_desk& desk, std::size_t row) {
    workspace scratch;
    const auto answer = desk(row, scratch);
    std::printf("customer %s, %zu rows of purchases\n", desk.customers.ids()[row].c_str(), desk.customers[row].purchases.size());
    if (answer.risk) std::printf("  risk of not returning: %.3f\n", static_cast<double>(*answer.risk));
    if (answer.action) std::printf("  next best action: %s\n", contacts_assumed().actions[*answer.action].name.c_str());
    std::printf("  offer:");
    for (const auto& pick : answer.offers) std::printf(" %s", std::string(desk.offers->items().text(static_cast<std::size_t>(pick.item))).c_str());
    std::printf("\n");
}

// In a fresh process: loads what was saved, compares its answers, and measures them.
int serve(const std::string& file, std::uint64_t expected) {
    const stopwatch loading;
    const auto desk = load<customer_desk>(file);
    result("serve.load_seconds", loading.seconds());
    const bool same = digest_of(desk) == expected;
    result("serve.same_answers", same ? 1 : 0);
    if (desk.customers.size() == 0) return says("no customers to serve"), 0;
    for (const std::size_t row : {std::size_t{0}, desk.customers.size() / 2}) show(desk, row);
    std::vector<double> microseconds;
    workspace scratch;
    float sink = 0;
    for (int round = 0; round < 5; ++round)
        for (std::size_t row = 0; row < desk.customers.size(); ++row) {
            const stopwatch one;
            const auto answer = desk(row, scratch);
            const double seconds = one.seconds();
            sink += answer.risk.value_or(0);
            if (round > 0) microseconds.push_back(1e6 * seconds);
        }
    std::sort(microseconds.begin(), microseconds.end());
    const auto at = [&](double share) { return microseconds[static_cast<std::size_t>(share * static_cast<double>(microseconds.size() - 1))]; };
    std::printf("one customer in full, over all customers: p50 %.1f us, p99 %.1f us (mean risk %.3f)\n", at(.5), at(.99),
                static_cast<double>(sink) / 5 / static_cast<double>(desk.customers.size()));
    result("serve.p50_us", at(.5));
    result("serve.p99_us", at(.99));
    return same ? 0 : 1;
}

void save_and_serve(const char* program, const std::string& file, const customer_desk& desk) {
    title("6. Saved, loaded in a fresh process, and asked for single customers");
    const auto unnamed =
        std::filesystem::temp_directory_path() / ("caramel-journey-" + std::to_string(std::chrono::steady_clock::now().time_since_epoch().count()));
    const std::string path = file.empty() ? unnamed.string() : file;
    save(desk, path, {.description = "customer_journey: offers, risk of not returning, next best action, and the customers' histories"});
    std::printf("%.1f MB saved\n", 1e-6 * static_cast<double>(std::filesystem::file_size(path)));
    std::fflush(stdout);
    const std::string command = std::string("\"") + program + "\" --serve \"" + path + "\" --expect " + std::to_string(digest_of(desk));
    const int code = std::system(command.c_str());  // NOLINT(cert-env33-c,concurrency-mt-unsafe): a process of our own, no thread is running
    if (file.empty()) std::filesystem::remove(path);
    if (code != 0) throw std::runtime_error("the fresh process failed, or answered otherwise");
}

}  // namespace

int main(int argc, char** argv) try {
    std::string data, report, file, serving;
    run_settings run;
    std::uint64_t expected = 0;
    CLI::App app("From a log of transactions to recommendations, churn risks and the next best action");
    app.add_option("--data", data, "transactions as CSV (default: a small generated shop)");
    app.add_option("--report", report, "where to write a page with charts");
    app.add_option("--save", file, "where to keep the models (default: a temporary file, removed at the end)");
    app.add_option("--seed", run.seed, "of everything random");
    app.add_option("--threads", run.threads, "how many work at once (default: as many as the machine has); the answers are the same");
    app.add_option("--serve", serving, "load what --save kept there, and answer for its customers");
    app.add_option("--expect", expected)->group("");  // with --serve: the digest of the answers
    CLI11_PARSE(app, argc, argv);
    if (!serving.empty()) return serve(serving, expected);

    const stopwatch total;
    journey_findings found;
    const auto shop = read_and_clean(data, run.seed, found);
    compare_products(shop.purchases, run.seed);
    customer_desk desk{.offers = recommend(shop, run, found),
                       .churn = predict_churn(shop, run, found),
                       .contacts = plan_contacts(shop, run, found),
                       .customers = histories(shop.purchases, shop.split)};
    save_and_serve(argv[0], file, desk);
    if (!report.empty()) {
        const std::string page = journey_report(found);
        replace_file(report, std::as_bytes(std::span(page)));
        std::printf("the report stands in %s\n", report.c_str());
    }
    result("total.seconds", total.seconds());
    return 0;
} catch (...) {
    return say_error("customer_journey");
}
