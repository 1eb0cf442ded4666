// What Caramel builds on: the measure of a machine for scripts/compile_time.sh. Third-party headers alone, as the umbrella
// includes them, so that the ceilings of tests/data/compile_budget.txt mean the same on every machine. Change it, and the
// ceilings have to be taken anew.
#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <queue>
#include <span>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include <Eigen/Core>
#include <Eigen/LU>
#include <Eigen/SparseCore>

#if __has_include(<xtensor/containers/xtensor.hpp>)
#include <xtensor/containers/xtensor.hpp>
#else
#include <xtensor/xtensor.hpp>
#endif
