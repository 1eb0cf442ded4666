// The page of examples/customer_journey: what it concludes, and that it stands where there is little or nothing to show.

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "../examples/journey_report.hpp"
#include "report/sample.hpp"
#include "report/well_formed.hpp"
#include "support/catch.hpp"

namespace journey_report_test {

using namespace caramel;

journey_findings findings() {
    using namespace std::chrono;
    journey_findings out;
    out.cleaning = {.rows_read = 12'345, .rows_kept = 12'000, .customers = 1'234, .items = 56};
    out.first = sys_days(2010y / 1 / 1) + 8h;
    out.last = sys_days(2010y / 12 / 31) + 20h;
    out.split = sys_days(2010y / 10 / 2);
    out.recommenders = {{"popularity", 0.196, 0.092}, {"neighbors", 0.434, 0.303}, {"factorization", 0.464, 0.336}};
    const auto customers = make_customers(200);
    out.labels = customers.left;
    out.risk = customers.risk;
    out.recency_days = customers.days_away;
    out.spend = customers.spend;
    out.churn_auc = {0.77, 0.79, 0.8};
    out.training_loss = {0.75, 0.5, 0.48};
    out.policies = {{"never", 465.64}, {"always", 460.86}, {"hand", 486.8}, {"learned", 528.49}, {"optimal", 528.71}};
    out.assumptions = "e-mail: costs 0.5\nan order is worth 20 % of its spend\n";
    return out;
}
bool holds(std::string_view page, std::string_view text) { return page.find(html_escape(text)) != std::string_view::npos; }

TEST_CASE("journey_report: its conclusions are in words, with the figures", "[report][examples]") {
    const std::string page = journey_report(findings());
    CHECK(markup_reader::fault_of(page) == "");
    for (const char* said : {"Purchases from 1 January 2010 to 31 December 2010", "1,234", "no purchase after 2 October 2010",
                             "Of the new products that a customer went on to buy, 46\xC2\xA0% are among 20 offers of the best method, and 20\xC2\xA0% among the 20 best sellers.",
                             "ranks 3.7 times as well as showing everyone the best sellers.", "in the one who left 80 times in 100; guessing would do so 50 times",
                             "call these first.", "If contacts work as is assumed below, the learned policy makes a customer worth 13.5\xC2\xA0% more than contacting nobody, and reaches 99.9\xC2\xA0% of the best possible.",
                             "an order is worth 20 % of its spend"}) {
        INFO(said);
        CHECK(holds(page, said));
    }
    for (const char* foreign : {"http://", "https://", "url(", "@import", "src=", "<script", ">nan", ">inf"}) {
        INFO(foreign);
        CHECK(page.find(foreign) == std::string::npos);
    }
}

TEST_CASE("journey_report: every drawing is said in words, too", "[report][examples]") {
    const std::string page = journey_report(findings());
    std::size_t drawings = 0;
    for (std::size_t at = page.find("<svg"); at != std::string::npos; at = page.find("<svg", at + 1), ++drawings) {
        const std::string_view head = std::string_view(page).substr(at, page.find('>', at) - at);
        CHECK(head.find("role=\"img\"") != std::string_view::npos);
        CHECK(head.find("aria-label=\"\"") == std::string_view::npos);
        CHECK(head.find("aria-label=\"") != std::string_view::npos);
    }
    CHECK(drawings == 2 * 8);  // each for wide and for narrow places
}

TEST_CASE("journey_report: nothing found is no failure", "[report][examples][edge]") {
    CHECK(markup_reader::fault_of(journey_report({})) == "");
    auto none = findings();
    for (auto& r : none.recommenders) r.recall = r.ndcg = 0;
    for (auto& [name, value] : none.policies) value = 0;
    CHECK(holds(journey_report(none), "No offer was bought."));
    auto others = findings();
    others.recommenders.front().ndcg = 0;  // nobody bought a best seller
    CHECK(markup_reader::fault_of(journey_report(others)) == "");
    others.recommenders.front().ndcg = 1;
    CHECK(holds(journey_report(others), "This method ranks best: the best sellers, for everyone."));
    for (auto& risk : others.risk) risk = 0.01;  // nobody is flagged
    CHECK(markup_reader::fault_of(journey_report(others)) == "");
    for (auto& spend : others.spend) spend = 0;  // nothing for a logarithmic axis
    CHECK(markup_reader::fault_of(journey_report(others)) == "");
}

TEST_CASE("journey_report: names are escaped", "[report][examples][edge]") {
    auto hostile = findings();
    hostile.recommenders.push_back({"<script>\"", 0.9, 0.9});
    hostile.policies.emplace_back("</p><img>", 1);
    hostile.assumptions = "<b>\n\n&";
    const std::string page = journey_report(hostile);
    CHECK(markup_reader::fault_of(page) == "");
    CHECK(page.find("<script") == std::string::npos);
    CHECK(page.find("<img") == std::string::npos);
}

}  // namespace journey_report_test
