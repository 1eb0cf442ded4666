// A small HTTP service with a web page: one customer's risk and the reasons, what to offer, and the next best action.
//
//   service [--data FILE.csv] [--port N] [--address A] [--workers N]
//
// FILE.csv has the columns invoice, stock_code, description, quantity, invoice_date, price and customer_id, as for
// customer_journey; without it, a shop is generated. It learns when it starts, says where it listens, and then answers
//
//   GET /                          the page
//   GET /api/customers?find=TEXT   customers whose id holds TEXT, those of the highest risk first
//   GET /api/customers/ID          all about one of them
//   GET /api/health
//
// as JSON, from as many threads as there are workers: the models are const, and need no lock. Ctrl-C or SIGTERM ends it.
//
// With what scripts/demo.sh gets and Debian's libcpp-httplib-dev (docs/hosts.md):
//   cmake --build build/release --target service && build/release/examples/hosts/service
#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

#include <httplib.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <caramel/data/clean.hpp>
#include <caramel/data/csv.hpp>
#include <caramel/data/histories.hpp>
#include <caramel/data/synthetic.hpp>
#include <caramel/features/rfm.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/linear/logistic.hpp>
#include <caramel/policy/customer_process.hpp>
#include <caramel/policy/mdp_solve.hpp>
#include <caramel/recommend/als.hpp>

#include "../terminal.hpp"
#include "service_page.hpp"

using namespace caramel;
using json = nlohmann::ordered_json;
using std::chrono::sys_days, std::chrono::sys_seconds;

namespace {

std::string day_of(sys_seconds when) {
    const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(when));
    char text[24];
    std::snprintf(text, sizeof text, "%04d-%02u-%02u", int{date.year()}, unsigned{date.month()}, unsigned{date.day()});
    return text;
}
double rounded(double x, double digits) { return std::round(x * std::pow(10, digits)) / std::pow(10, digits); }
std::string counted(double n, const char* one, const char* many) { return std::to_string(std::llround(n)) + (std::round(n) == 1 ? one : many); }

transactions read_log(const std::string& file) {
    const table rows = file.empty() ? synthetic_shop().rows : read_csv(file);
    auto log = clean(transactions::from(rows, {.customer = "customer_id",
                                               .item = "stock_code",
                                               .invoice = "invoice",
                                               .quantity = "quantity",
                                               .price = "price",
                                               .when = "invoice_date",
                                               .description = "description"}));
    require(!log.kept.empty(), errc::empty_input, "no purchase is left after cleaning");
    return std::move(log.kept);
}

// The log does not say what a contact does, so that is assumed, and the page says so.
contact_assumptions assumed() {
    return {.actions = {{.name = "nothing"}, {.name = "e-mail", .cost = 0.5, .log_odds = 0.3}, {.name = "call", .cost = 4, .log_odds = 0.8}},
            .strength = {0, 0.5, 1},
            .margin = 0.2};
}

auto churn_recipe() { return rfm<float>{} | standardize<float>{} | logistic<float>{}; }
using churn_model = fitted_t<decltype(churn_recipe()), histories, std::vector<int>>;
using recommender = fitted_t<als<float>, interactions<float>>;

// Everything the service knows. Made once; all that answers is const.
class customer_desk {
   public:
    explicit customer_desk(const transactions& log)
        : customers_(log, log.last_time() + std::chrono::seconds(1)),
          churn_(learn_churn(log)),
          offers_(fit(als<float>{.n_factors = 32, .weights = weighting::logarithmic}, interactions_of<float>(log))),
          states_(fit(customer_states{}, customers_)),
          process_(estimate_customers(states_, customers_, assumed())),
          worth_(policy_iteration(process_.process.process(), {.discount = 0.95})),
          risks_(churn_(customers_).col(1)) {
        for (std::size_t row = 0; row < customers_.size(); ++row) by_risk_.push_back(row);
        std::ranges::stable_sort(by_risk_, std::ranges::greater{}, [&](std::size_t row) { return risk(row); });
    }

    [[nodiscard]] std::size_t size() const noexcept { return customers_.size(); }
    [[nodiscard]] std::optional<std::size_t> find(const std::string& id) const { return customers_.find(id); }

    [[nodiscard]] json list(const std::string& find, std::size_t most = 50) const {
        json found = json::array();
        std::size_t total = 0;
        for (const std::size_t row : by_risk_) {
            const std::string& id = customers_.ids()[row];
            if (id.find(find) == std::string::npos || ++total > most) continue;
            found.push_back({{"id", id}, {"risk", rounded(risk(row), 3)}});
        }
        return {{"customers", found}, {"found", total}, {"of", size()}};
    }

    [[nodiscard]] json about(std::size_t row) const {
        const history seen = customers_[row];
        workspace scratch;  // of this call, so that any number of threads may ask at once
        const auto numbers = rfm<float>{.logarithms = false}(seen, scratch);
        const std::vector<double> known(numbers.begin(), numbers.end());  // the next calls use the workspace anew
        return {{"id", customers_.ids()[row]},
                {"as_of", day_of(customers_.as_of())},
                {"first_order", day_of(seen.purchases.front().when)},
                {"last_order", day_of(seen.purchases.back().when)},
                {"days_since", std::floor(known[0])},
                {"orders", known[2]},
                {"spend", rounded(known[3], 2)},
                {"risk",
                 {{"probability", rounded(risk(row), 3)},
                  {"average", rounded(static_cast<double>(risks_.mean()), 3)},
                  {"higher_than", static_cast<double>(std::ranges::count_if(risks_, [&](float other) { return other < risks_(static_cast<row_index>(row)); })) /
                                      static_cast<double>(size())},
                  {"reasons", reasons(seen, known)}}},
                {"offers", offers(row)},
                {"next", next_action(seen)},
                {"recent", recent(seen)}};
    }

   private:
    // Learnt from who came back in the last quarter of a year (of a short log, in its last quarter).
    static churn_model learn_churn(const transactions& log) {
        const auto span = log.last_time() - log.first_time();
        const auto split = log.last_time() - std::min<std::chrono::seconds>(std::chrono::days(91), span / 4);
        const histories before(log, split);
        return fit(churn_recipe(), before, did_not_return(before, log.since(split)));
    }

    [[nodiscard]] double risk(std::size_t row) const { return static_cast<double>(risks_(static_cast<row_index>(row))); }
    [[nodiscard]] std::string name_of_item(std::string_view id) const {
        const auto& items = customers_.items();
        const auto at = static_cast<std::size_t>(std::ranges::find(items.ids, id) - items.ids.begin());
        return at < items.size() && !items.descriptions[at].empty() ? items.descriptions[at] : std::string(id);
    }

    // What each number of the customer adds to the log odds of not coming back, beside a customer who is average in all.
    [[nodiscard]] json reasons(const history& seen, const std::vector<double>& known) const {
        workspace scratch, more;
        const auto standard = churn_.get<1>()(churn_.get<0>()(seen, scratch), more);
        const std::vector<std::string> words{counted(std::floor(known[0]), " day since the last order", " days since the last order"),
                                             "a customer for " + counted(std::floor(known[1]), " day", " days"),
                                             counted(known[2], " order", " orders"),
                                             counted(known[3], " spent", " spent"),
                                             counted(known[4], " product", " different products"),
                                             counted(known[5], " piece", " pieces")};
        json out = json::array();
        for (const auto& part : churn_.get<2>().explain(standard).top(4)) out.push_back({{"text", words[part.column]}, {"effect", rounded(part.value, 3)}});
        return out;
    }

    [[nodiscard]] json offers(std::size_t row) const {
        const query asked{.customer = customers_.ids()[row], .n = 5, .if_unknown = cold_start::popular};
        json out = json::array();
        for (const auto& pick : offers_(asked)) {
            const std::string_view id = offers_.items().text(static_cast<std::size_t>(pick.item));
            json because = json::array();
            const auto shares = offers_.explain(asked, row_number{static_cast<std::size_t>(pick.item)});
            for (std::size_t i = 0; i < std::min<std::size_t>(2, shares.size()); ++i)
                if (shares[i].score > 0) because.push_back(name_of_item(offers_.items().text(static_cast<std::size_t>(shares[i].item))));
            out.push_back({{"item", id}, {"name", name_of_item(id)}, {"score", rounded(static_cast<double>(pick.score), 3)}, {"because", because}});
        }
        return out;
    }

    // What an action of this month adds to what the customer is worth from now on, if the best is done each month after.
    [[nodiscard]] json next_action(const history& seen) const {
        workspace scratch;
        const std::size_t state = state_number(states_.shape(), states_(seen, scratch).state);
        const auto actions = assumed().actions;
        const auto worth = worth_.q.row(static_cast<row_index>(state));
        json all = json::array();
        for (std::size_t a = 0; a < actions.size(); ++a)
            all.push_back({{"name", actions[a].name}, {"adds", rounded(worth(static_cast<row_index>(a)) - worth(0), 2)}});
        return {{"action", actions[worth_.policy[state]].name}, {"actions", all}, {"assumed", assumed().text()}};
    }

    [[nodiscard]] json recent(const history& seen) const {
        json out = json::array();
        const auto& items = customers_.items();
        for (auto at = seen.purchases.rbegin(); at != seen.purchases.rend() && out.size() < 6; ++at) {
            const bool known = at->item >= 0;
            const auto item = static_cast<std::size_t>(at->item);
            const std::string name = !known ? std::string("?") : items.descriptions[item].empty() ? items.ids[item] : items.descriptions[item];
            out.push_back({{"day", day_of(at->when)}, {"name", name}, {"pieces", at->quantity}, {"spend", rounded(at->spend(), 2)}});
        }
        return out;
    }

    histories customers_;
    churn_model churn_;
    recommender offers_;
    customer_states_model states_;
    customer_process process_;
    mdp_solution worth_;
    vec<float> risks_;
    std::vector<std::size_t> by_risk_;
};

// ---- HTTP ----------------------------------------------------------------------------------------------------------------

void send(httplib::Response& to, int status, const json& what) {
    to.status = status;
    to.set_content(what.dump(), "application/json");
}
// What was asked for is not repeated: nothing of a request gets into an answer.
void refuse(httplib::Response& to, int status, std::string_view code, std::string_view message) { send(to, status, {{"error", code}, {"message", message}}); }

void answer_with(httplib::Server& server, const customer_desk& desk) {
    // The page loads nothing but its own script and style, and no other page may frame it.
    server.set_default_headers({{"Content-Security-Policy",
                                 "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
                                 "form-action 'none'; frame-ancestors 'none'"},
                                {"X-Content-Type-Options", "nosniff"},
                                {"Referrer-Policy", "no-referrer"},
                                {"Cache-Control", "no-store"}});
    const auto text = [&](const char* path, const char* content, const char* type) {
        server.Get(path, [content, type](const httplib::Request&, httplib::Response& to) { to.set_content(content, type); });
    };
    text("/", service_page::html, "text/html; charset=utf-8");
    text("/app.js", service_page::script, "text/javascript; charset=utf-8");
    text("/style.css", service_page::style, "text/css; charset=utf-8");
    server.Get("/api/health", [&desk](const httplib::Request&, httplib::Response& to) { send(to, 200, {{"status", "ok"}, {"customers", desk.size()}}); });
    server.Get("/api/customers", [&desk](const httplib::Request& asked, httplib::Response& to) { send(to, 200, desk.list(asked.get_param_value("find"))); });
    server.Get("/api/customers/(.+)", [&desk](const httplib::Request& asked, httplib::Response& to) {
        const auto row = desk.find(asked.matches[1]);
        if (row) send(to, 200, desk.about(*row));
        else refuse(to, 404, "unknown_id", "there is no such customer");
    });
    server.set_error_handler([](const httplib::Request&, httplib::Response& to) {
        if (to.body.empty())
            refuse(to, to.status, to.status == 404 ? "not_found" : "bad_request", to.status == 404 ? "there is nothing here" : "the request was refused");
    });
    server.set_exception_handler([](const httplib::Request&, httplib::Response& to, std::exception_ptr problem) {
        try {
            std::rethrow_exception(std::move(problem));
        } catch (const error& e) {
            refuse(to, 500, name_of(e.code()), e.what());
        } catch (...) {
            refuse(to, 500, "internal", "the request failed");
        }
    });
    server.set_payload_max_length(64 * 1024);
    server.set_read_timeout(5);
    server.set_write_timeout(5);
}

}  // namespace

int main(int argc, char** argv) try {
    std::string data, address = "127.0.0.1";
    int port = 8080;
    std::size_t workers = 4;
    CLI::App app("One customer's risk, reasons, offers and next best action, by HTTP");
    app.add_option("--data", data, "transactions as CSV (default: a generated shop)");
    app.add_option("--port", port, "where to listen (default: 8080; 0: any that is free)")->check(CLI::Range(0, 65535));
    app.add_option("--address", address, "of this machine (default: 127.0.0.1, for programs on it alone)");
    app.add_option("--workers", workers, "threads that answer (default: 4)")->check(CLI::Range(1, 256));
    CLI11_PARSE(app, argc, argv);

    const customer_desk desk(read_log(data));
    httplib::Server server;
    server.new_task_queue = [workers] { return new httplib::ThreadPool(workers); };
    // By itself httplib lets several programs share a port, which then answer by turns.
    server.set_socket_options([](int socket) {
        const int yes = 1;
        (void)setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    answer_with(server, desk);
    if (port == 0) port = server.bind_to_any_port(address);
    else if (!server.bind_to_port(address, port)) port = -1;
    require(port > 0, errc::io, "cannot listen at ", address, ": is the port taken?");
    std::printf("%zu customers; listening at http://%s:%d/\n", desk.size(), address.c_str(), port);
    std::fflush(stdout);

    sigset_t ending;  // taken by one thread that waits for them, before there are others
    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ending, nullptr);
    const std::jthread watcher([&] {
        int signal = 0;
        sigwait(&ending, &signal);
        server.stop();
    });
    const bool listened = server.listen_after_bind();
    if (!listened) kill(getpid(), SIGTERM);  // so that the watcher ends, too
    return listened ? 0 : 1;
} catch (...) {
    return say_error("service");
}
