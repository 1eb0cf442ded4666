// The option -std=c++20 is missing: at most six lines are printed, where there were 29,582.
// flags: -std=c++17
// expect: caramel is written in C++20: compile with -std=c++20
#include <caramel/features/standardize.hpp>
int main() {}
