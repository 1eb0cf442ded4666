// The main job: one log of transactions in; recommendations, churn risks and the next best action out.
//
//   customer_journey [--data FILE.csv] [--save DIRECTORY] [--seed N]
//
// FILE.csv has the columns invoice, stock_code, description, quantity, invoice_date, price and customer_id (as the public
// data set Online Retail II). Without it, a small shop is generated. Lines that begin with `result` are for scripts.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include <caramel/caramel.hpp>
#include <caramel/io/model_file.hpp>

using namespace caramel;
using days = std::chrono::duration<double, std::ratio<86400>>;

namespace {

void title(const char* text) { std::printf("\n== %s\n", text); }
void result(const char* name, double value) { std::printf("result %s %.6g\n", name, value); }

// ---- 1. read and clean -----------------------------------------------------------------------------------------------
struct shop_log {
    transactions purchases;
    std::chrono::sys_seconds split;  // models learn from what was before, and are judged on what came after
};

shop_log read_and_clean(const std::string& file, std::uint64_t seed) {
    title("1. The log, cleaned");
    const table rows = file.empty() ? synthetic_shop({.seed = seed}).rows : read_csv(file);
    const auto log = transactions::from(rows, {.customer = "customer_id", .item = "stock_code", .invoice = "invoice", .quantity = "quantity",
                                               .price = "price", .when = "invoice_date", .description = "description"});
    auto [kept, report] = clean(log);
    std::printf("%s", report.text().c_str());
    result("clean.read", static_cast<double>(report.rows_read));
    result("clean.rows", static_cast<double>(report.rows_kept));
    result("clean.customers", static_cast<double>(report.customers));
    result("clean.items", static_cast<double>(report.items));
    // The last quarter of a year, or of what there is.
    const days span = kept.last_time() - kept.first_time();
    const auto later = std::chrono::duration_cast<std::chrono::seconds>(std::min(days(91), span / 4));
    return {kept, std::chrono::floor<std::chrono::days>(kept.last_time() - later) + std::chrono::days(1)};
}

// ---- 2. recommend ----------------------------------------------------------------------------------------------------
using recommender = fitted_t<als<float>, interactions<float>>;

template <class Model>
void judge(const char* name, const Model& model, const ranking_task& task) {
    const auto lists = model(task.queries);
    const double recall = recall_at(20, lists, task.relevant).mean(), ndcg = ndcg_at(10, lists, task.relevant).mean();
    std::printf("  %-16s recall@20 %.4f   NDCG@10 %.4f\n", name, recall, ndcg);
    result((std::string("recommend.") + name + ".recall@20").c_str(), recall);
    result((std::string("recommend.") + name + ".ndcg@10").c_str(), ndcg);
}

recommender recommend(const shop_log& shop, std::uint64_t seed) {
    title("2. What to offer: items that customers bought later for the first time");
    const auto bought = interactions_of<float>(shop.purchases.before(shop.split));
    const auto later = interactions_of<float>(shop.purchases.since(shop.split), &bought).pairs_not_in(bought);
    const auto task = ranking_task_of(later, 20);
    std::printf("%zu customers, %zu items, %zu pairs to learn from; %zu customers with %zu new pairs to judge by\n", bought.rows(), bought.items().size(),
                bought.pairs(), task.queries.size(), later.pairs());
    result("recommend.customers", static_cast<double>(task.queries.size()));
    judge("popularity", fit(popularity<float>{}, bought), task);
    judge("neighbors", fit(item_neighbors<float>{.k = 20}, bought), task);
    auto model = fit(als<float>{.n_factors = 32}, bought, {.seed = seed, .threads = 0});
    judge("factorization", model, task);
    return model;
}

// ---- 3. churn --------------------------------------------------------------------------------------------------------
auto churn_recipe() { return rfm<float>{} | standardize<float>{} | mlp<float>{.hidden = {16}, .epochs = 60, .l2 = 1e-2}; }
using churn_model = fitted_t<decltype(churn_recipe()), histories, std::vector<int>>;

churn_model predict_churn(const shop_log& shop, std::uint64_t seed) {
    title("3. Who will not return");
    const histories seen(shop.purchases, shop.split);
    const auto gone = did_not_return(seen, shop.purchases.since(shop.split));
    std::printf("%zu customers before the split, %.1f %% of them without a purchase after it\n", seen.size(),
                100.0 * std::accumulate(gone.begin(), gone.end(), 0.0) / static_cast<double>(gone.size()));
    // Five folds: each customer is judged by a model that has not seen them.
    std::vector<double> by_recency(seen.size()), by_network(seen.size());
    for (const auto& [train, test] : k_fold(seen.size(), 5, seed)) {
        const auto pick = [&](const std::vector<std::size_t>& rows) {
            std::vector<int> out;
            for (const std::size_t row : rows) out.push_back(gone[row]);
            return out;
        };
        const auto model = fit(churn_recipe(), seen.take_rows(train), pick(train), {.seed = seed});
        const auto risk = model(seen.take_rows(test));
        const auto numbers = rfm<float>{}(seen.take_rows(test));
        for (std::size_t i = 0; i < test.size(); ++i) {
            by_network[test[i]] = risk(static_cast<row_index>(i), 1);
            by_recency[test[i]] = numbers(static_cast<row_index>(i), 0);
        }
    }
    const double recency = auc(by_recency, gone), network_auc = auc(by_network, gone), loss = log_loss(by_network, gone);
    std::printf("  recency rule     AUC %.4f\n  network          AUC %.4f   log loss %.4f\n", recency, network_auc, loss);
    result("churn.recency.auc", recency);
    result("churn.mlp.auc", network_auc);
    result("churn.mlp.log_loss", loss);
    return fit(churn_recipe(), seen, gone, {.seed = seed});
}

// ---- 4. the next best action ------------------------------------------------------------------------------------------
// A customer's state, month by month: days since the last purchase, orders so far, and whether they were contacted last
// month. The log tells how customers move without contact. It holds no contacts, so what a contact does is assumed.
enum action : std::size_t { nothing, email, call, n_actions };
constexpr std::array<const char*, n_actions> action_names{"nothing", "e-mail", "call"};
constexpr std::array<double, n_actions> cost{0, 0.5, 4};        // of a contact
constexpr std::array<double, n_actions> log_odds{0, 0.3, 0.8};  // how much likelier a purchase becomes
constexpr double tired = 0.5;                                   // of that, if the customer was contacted last month, too
constexpr double margin = 0.2;                                  // of what is spent
constexpr std::array<std::size_t, 3> shape{4, 3, 2};
using state = std::array<std::size_t, 3>;
using contact_policy = fitted_t<q_learning<float, 3>, shaped_mdp<3>>;

state state_of(const history& seen, bool contacted) {
    const double recency = days(seen.as_of - seen.purchases.back().when).count();
    std::vector<std::int32_t> orders;
    for (const auto& t : seen.purchases) orders.push_back(t.invoice);
    std::sort(orders.begin(), orders.end());
    const auto n = std::unique(orders.begin(), orders.end()) - orders.begin();
    return {recency <= 30 ? 0U : recency <= 60 ? 1U : recency <= 120 ? 2U : 3U, n <= 1 ? 0U : n <= 3 ? 1U : 2U, contacted ? 1U : 0U};
}

shaped_mdp<3> estimate_customers(const shop_log& shop) {
    const std::size_t states = shape[0] * shape[1];
    const auto number = [](const state& s) { return s[0] * shape[1] + s[1]; };
    matrix<double> bought = matrix<double>::Zero(static_cast<row_index>(states), static_cast<row_index>(states)), stayed = bought;
    vec<double> spend = vec<double>::Zero(static_cast<row_index>(states));
    const std::chrono::days month(30);
    for (auto from = shop.purchases.first_time() + 2 * month; from + month <= shop.split; from += month) {
        const histories before(shop.purchases, from), after(shop.purchases, from + month);
        std::size_t j = 0;
        for (std::size_t i = 0; i < before.size(); ++i, ++j) {
            while (after.customer(j) != before.customer(i)) ++j;  // both ascend, and nobody disappears
            const auto s = static_cast<row_index>(number(state_of(before[i], false))), next = static_cast<row_index>(number(state_of(after[j], false)));
            const auto now = after[j].purchases.subspan(before[i].purchases.size());
            (now.empty() ? stayed : bought)(s, next) += 1;
            for (const auto& t : now) spend(s) += t.spend();
        }
    }
    const double rate = bought.sum() / (bought.sum() + stayed.sum()), usual_spend = spend.sum() / bought.sum();
    std::vector<mdp_row> rows;
    for (std::size_t s = 0; s < states; ++s) {
        const auto row = static_cast<row_index>(s);
        const double yes = bought.row(row).sum(), no = stayed.row(row).sum();
        const double p = (yes + 2 * rate) / (yes + no + 2);  // two customers' worth of the usual, for rare states
        const double worth = margin * (spend(row) + 2 * usual_spend) / (yes + 2);
        for (std::size_t tiredness = 0; tiredness < 2; ++tiredness)
            for (std::size_t a = 0; a < n_actions; ++a) {
                const double q = 1 / (1 + std::exp(-(std::log(p / (1 - p)) + log_odds[a] * (tiredness == 1 ? tired : 1))));
                const auto add = [&](const matrix<double>& counts, double total, double share, double reward) {
                    for (row_index next = 0; next < counts.cols(); ++next) {
                        const double part = total > 0 ? counts(row, next) / total : (next == row ? 1 : 0);
                        if (part > 0)
                            rows.push_back({.state = 2 * s + tiredness, .action = a, .probability = share * part,
                                            .next_state = 2 * static_cast<std::size_t>(next) + (a == nothing ? 0 : 1), .reward = reward - cost[a]});
                    }
                };
                add(bought, yes, q, worth);
                add(stayed, no, 1 - q, 0);
            }
    }
    return {mdp(2 * states, n_actions, rows, std::vector<double>(2 * states, 1.0 / static_cast<double>(2 * states))), shape};
}

contact_policy plan_contacts(const shop_log& shop, std::uint64_t seed) {
    title("4. The next best action, month by month");
    std::printf("assumed: an e-mail costs %.2f and adds %.1f to the log odds of a purchase, a call %.2f and %.1f; half of it after a contact\n"
                "         last month; a purchase is worth %.0f %% of what is spent; later months count %.0f %% less each\n",
                cost[email], log_odds[email], cost[call], log_odds[call], 100 * margin, 5.0);
    const auto customers = estimate_customers(shop);
    const auto& process = customers.process();
    const auto best = value_iteration(process, {.discount = .95});
    const auto learnt = fit(q_learning<float, 3>{.states = shape, .actions = n_actions, .discount = .95, .steps = 2'000'000}, customers, {.seed = seed});
    const auto mean_value = [&](const std::vector<std::size_t>& policy) { return evaluate_policy(process, policy, {.discount = .95}).mean(); };
    std::vector<std::size_t> never(process.states(), nothing), always(process.states(), email), hand(process.states());
    for (std::size_t s = 0; s < hand.size(); ++s) hand[s] = s / (2 * shape[1]) >= 1 && s % 2 == 0 ? email : nothing;  // e-mail who was away for a month
    std::printf("  a customer's value: never contact %.2f, e-mail always %.2f, hand rule %.2f, Q-learning %.2f, the optimum %.2f\n", mean_value(never),
                mean_value(always), mean_value(hand), mean_value(learnt.greedy_actions()), best.v.mean());
    result("policy.never", mean_value(never));
    result("policy.always", mean_value(always));
    result("policy.learned", mean_value(learnt.greedy_actions()));
    result("policy.optimal", best.v.mean());
    result("policy.learned_over_optimal", mean_value(learnt.greedy_actions()) / best.v.mean());
    return learnt;
}

// ---- 5. save, and serve one customer from a fresh process -----------------------------------------------------------
struct files {
    std::filesystem::path folder;
    [[nodiscard]] std::string recommender() const { return folder / "recommender.safetensors"; }
    [[nodiscard]] std::string churn() const { return folder / "churn.safetensors"; }
    [[nodiscard]] std::string policy() const { return folder / "policy.safetensors"; }
    [[nodiscard]] std::string customer() const { return folder / "customer.csv"; }  // what a host has in its own store
};

int serve(const files& saved) {
    const auto offers = load<recommender>(saved.recommender());
    const auto churn = load<churn_model>(saved.churn());
    const auto contacts = load<contact_policy>(saved.policy());
    const auto log = transactions::from(read_csv(saved.customer()), {.customer = "customer", .item = "item", .invoice = "invoice", .quantity = "quantity",
                                                                     .price = "price", .when = "when"});
    // The last row is no purchase: it says when the customer is seen.
    const histories seen(log, log.last_time());
    const std::string& who = log.customer_ids().front();
    workspace scratch;
    std::printf("customer %s, %zu rows of purchases\n  offer:", who.c_str(), seen[0].purchases.size());
    for (const auto& pick : offers({.customer = who, .n = 5}, scratch)) std::printf(" %s", std::string(offers.items().text(static_cast<std::size_t>(pick.item))).c_str());
    const auto risk = churn(seen[0], scratch);
    const choice next = contacts({.state = state_of(seen[0], false)});
    std::printf("\n  risk of not returning: %.3f\n  next best action: %s (value %.2f)\n", static_cast<double>(risk[1]), action_names[next.action], next.value);
    result("serve.risk", static_cast<double>(risk[1]));
    return 0;
}

void save_and_serve(const char* program, const shop_log& shop, const std::string& folder, const recommender& offers, const churn_model& churn,
                    const contact_policy& contacts) {
    title("5. Saved, loaded in a fresh process, and asked for one customer");
    const bool keep = !folder.empty();
    const files saved{keep ? std::filesystem::path(folder) : std::filesystem::temp_directory_path() / ("caramel-journey-" + std::to_string(std::chrono::steady_clock::now().time_since_epoch().count()))};
    std::filesystem::create_directories(saved.folder);
    save(offers, saved.recommender());
    save(churn, saved.churn());
    save(contacts, saved.policy());
    // The customer with the most purchases.
    const histories seen(shop.purchases, shop.split);
    std::size_t best = 0;
    for (std::size_t i = 1; i < seen.size(); ++i)
        if (seen[i].purchases.size() > seen[best].purchases.size()) best = i;
    std::vector<std::string> customer, item, invoice;
    std::vector<double> quantity, price;
    std::vector<std::chrono::sys_seconds> when;
    auto rows = std::vector<transaction>(seen[best].purchases.begin(), seen[best].purchases.end());
    rows.push_back({.customer = rows.back().customer, .item = rows.back().item, .invoice = rows.back().invoice, .when = shop.split});
    for (const auto& t : rows) {
        customer.push_back(shop.purchases.customer_ids()[static_cast<std::size_t>(t.customer)]);
        item.push_back(shop.purchases.item_ids()[static_cast<std::size_t>(t.item)]);
        invoice.push_back(t.invoice < 0 ? "" : shop.purchases.invoice_ids()[static_cast<std::size_t>(t.invoice)]);
        quantity.push_back(t.quantity);
        price.push_back(t.price);
        when.push_back(t.when);
    }
    table history;
    history.add_column("customer", customer);
    history.add_column("item", item);
    history.add_column("invoice", invoice);
    history.add_column("quantity", quantity);
    history.add_column("price", price);
    history.add_column("when", when);
    write_csv(history, saved.customer());
    std::fflush(stdout);
    const std::string command = std::string("\"") + program + "\" --serve \"" + saved.folder.string() + "\"";
    const int code = std::system(command.c_str());  // NOLINT(cert-env33-c,concurrency-mt-unsafe): a process of our own, before any thread
    if (!keep) std::filesystem::remove_all(saved.folder);
    if (code != 0) throw std::runtime_error("the fresh process failed");
}

}  // namespace

int main(int argc, char** argv) try {
    std::string data, folder, serving;
    std::uint64_t seed = 0;
    CLI::App app("From a log of transactions to recommendations, churn risks and the next best action");
    app.add_option("--data", data, "transactions as CSV (default: a small generated shop)");
    app.add_option("--save", folder, "where to keep the models (default: a temporary folder, removed at the end)");
    app.add_option("--seed", seed, "of everything random");
    app.add_option("--serve", serving, "load what --save kept there, and answer for its one customer");
    CLI11_PARSE(app, argc, argv);
    if (!serving.empty()) return serve({serving});

    const auto start = std::chrono::steady_clock::now();
    const auto shop = read_and_clean(data, seed);
    const auto offers = recommend(shop, seed);
    const auto churn = predict_churn(shop, seed);
    const auto contacts = plan_contacts(shop, seed);
    save_and_serve(argv[0], shop, folder, offers, churn, contacts);
    result("total.seconds", std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    return 0;
} catch (const std::exception& e) {
    std::fprintf(stderr, "customer_journey: %s\n", e.what());
    return 1;
}
