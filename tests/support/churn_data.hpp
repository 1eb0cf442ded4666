#ifndef CARAMEL_TESTS_SUPPORT_CHURN_DATA_HPP
#define CARAMEL_TESTS_SUPPORT_CHURN_DATA_HPP

// Churn data as other libraries' figures have them: numbers first, as they are, an empty one 0; then a column for each word
// of the others, in alphabetical order.

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <caramel/core/matrix.hpp>

struct customers {
    caramel::matrix<double> x;
    std::vector<int> y;
};

inline std::vector<std::string> cells_of(const std::string& line) {
    std::vector<std::string> out(1);
    for (const char c : line) {
        if (c == ',') out.emplace_back();
        else if (c != '"' && c != '\r') out.back() += c;
    }
    return out;
}

inline customers read_customers(const std::filesystem::path& file, const std::string& target = "churn", const std::set<std::string>& left_out = {}) {
    std::ifstream in(file);
    std::string line;
    std::getline(in, line);
    const auto names = cells_of(line);
    std::vector<std::vector<std::string>> rows;
    while (std::getline(in, line)) rows.push_back(cells_of(line));
    const auto is_number = [](const std::string& text) { return !text.empty() && text.find_first_not_of("0123456789.-") == std::string::npos; };
    std::vector<std::vector<double>> columns, words;
    customers out;
    for (std::size_t c = 0; c < names.size(); ++c) {
        if (left_out.contains(names[c])) continue;
        std::set<std::string> levels;
        bool numeric = true;
        for (const auto& row : rows) {
            levels.insert(row[c]);
            numeric = numeric && (row[c].empty() || row[c] == "NA" || is_number(row[c]));
        }
        if (names[c] == target) {
            for (const auto& row : rows) out.y.push_back(row[c] == "Yes" || row[c] == "yes" ? 1 : 0);
        } else if (numeric) {
            columns.emplace_back();
            for (const auto& row : rows) columns.back().push_back(is_number(row[c]) ? std::stod(row[c]) : 0);
        } else {
            for (const auto& level : levels) {
                words.emplace_back();
                for (const auto& row : rows) words.back().push_back(row[c] == level ? 1 : 0);
            }
        }
    }
    columns.insert(columns.end(), words.begin(), words.end());
    out.x.resize(static_cast<caramel::row_index>(rows.size()), static_cast<caramel::row_index>(columns.size()));
    for (caramel::row_index i = 0; i < out.x.rows(); ++i)
        for (caramel::row_index j = 0; j < out.x.cols(); ++j) out.x(i, j) = columns[static_cast<std::size_t>(j)][static_cast<std::size_t>(i)];
    return out;
}

inline std::vector<int> labels_at(const std::vector<int>& all, const std::vector<std::size_t>& rows) {
    std::vector<int> out;
    for (const std::size_t row : rows) out.push_back(all[row]);
    return out;
}

#endif
