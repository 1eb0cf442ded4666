#ifndef CARAMEL_TESTS_CONTRACT_RESULTS_HPP
#define CARAMEL_TESTS_CONTRACT_RESULTS_HPP

// What each component got in each check, for the table.

#include <map>
#include <string>

namespace contract {

struct outcome {
    char mark = 'X';  // + holds, - cannot apply, X does not hold
    std::string reason{};
};
std::map<std::string, std::map<std::string, outcome>>& results();
std::string results_table();

}  // namespace contract

#endif
