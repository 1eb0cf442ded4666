#ifndef CARAMEL_TESTS_SUPPORT_SHARED_DATA_HPP
#define CARAMEL_TESTS_SUPPORT_SHARED_DATA_HPP

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

/// Real data, oracles and hostile files that developers have beside the project and users do not: the folder named by
/// the environment variable CARAMEL_SHARED, or by the build, or nothing (then the test says that it is skipped).
inline std::optional<std::filesystem::path> shared_path(const std::string& name) {
    const char* named = std::getenv("CARAMEL_SHARED");
#ifdef CARAMEL_SHARED_DIR
    if (named == nullptr) named = CARAMEL_SHARED_DIR;
#endif
    if (named == nullptr) return std::nullopt;
    auto path = std::filesystem::path(named) / name;
    if (!std::filesystem::exists(path)) return std::nullopt;
    return path;
}

/// `const auto path = ...` or leave the test, saying that it was skipped.
#define SHARED_OR_SKIP(variable, name)                                                       \
    const auto variable##_found = shared_path(name);                                         \
    if (!variable##_found) {                                                                 \
        WARN("skipped: " name " is not on this machine (set CARAMEL_SHARED to its folder)"); \
        return;                                                                              \
    }                                                                                        \
    const std::filesystem::path& variable = *variable##_found

#endif
