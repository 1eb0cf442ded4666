// What the components of the other files got, as a table. Test cases run in the order of their files' names, so this one comes last.
#include <iostream>

#include "contract/results.hpp"
#include "support/catch.hpp"

TEST_CASE("contract: the table of components and checks", "[contract]") {
    std::cout << contract::results_table();
    for (const auto& [component, checks] : contract::results())
        for (const auto& [check, outcome] : checks) {
            INFO(component << " " << check);
            CHECK(outcome.mark != 'X');
        }
}
