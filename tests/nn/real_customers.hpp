#ifndef CARAMEL_TESTS_NN_REAL_CUSTOMERS_HPP
#define CARAMEL_TESTS_NN_REAL_CUSTOMERS_HPP

// Public data on customers who stayed or left, read and folded as the oracles were (oracles/tabular.md).
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <caramel/core/matrix.hpp>
#include <caramel/evaluate/classification.hpp>
#include <caramel/pipeline.hpp>

struct customers {
    caramel::matrix<float> x;
    std::vector<int> left;
};
inline std::vector<std::string> cells_of(const std::string& line) {
    std::vector<std::string> out(1);
    for (const char c : line) {
        if (c == ',') out.emplace_back();
        else if (c != '"' && c != '\r') out.back() += c;
    }
    return out;
}
inline bool is_number(const std::string& text) { return !text.empty() && text.find_first_not_of("0123456789.-") == std::string::npos; }

// Numbers first, as they are, an empty one 0; then a column for each word of the others, in alphabetical order.
inline customers read_customers(const std::filesystem::path& file, const std::string& leave_out) {
    std::ifstream in(file);
    std::string line;
    std::getline(in, line);
    const auto names = cells_of(line);
    std::vector<std::vector<std::string>> rows;
    while (std::getline(in, line)) rows.push_back(cells_of(line));
    std::vector<std::vector<double>> columns, words;
    customers out;
    for (std::size_t c = 0; c < names.size(); ++c) {
        if (names[c] == leave_out) continue;
        std::set<std::string> levels;
        bool numeric = true;
        for (const auto& row : rows) {
            levels.insert(row[c]);
            numeric = numeric && (row[c].empty() || row[c] == "NA" || is_number(row[c]));
        }
        if (names[c] == "churn") {
            for (const auto& row : rows) out.left.push_back(row[c] == "Yes" || row[c] == "yes" ? 1 : 0);
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
        for (caramel::row_index j = 0; j < out.x.cols(); ++j)
            out.x(i, j) = static_cast<float>(columns[static_cast<std::size_t>(j)][static_cast<std::size_t>(i)]);
    return out;
}

struct figures {
    double auc = 0, log_loss = 0;
};
// Test fold k: the rows whose number, from 0, leaves the remainder k when divided by 5.
template <class Recipe>
figures five_folds(const customers& all, const Recipe& recipe) {
    figures mean;
    for (caramel::row_index fold = 0; fold < 5; ++fold) {
        std::vector<caramel::row_index> train, test;
        for (caramel::row_index i = 0; i < all.x.rows(); ++i) (i % 5 == fold ? test : train).push_back(i);
        const auto labels = [&](const std::vector<caramel::row_index>& rows) {
            std::vector<int> y;
            for (const caramel::row_index i : rows) y.push_back(all.left[static_cast<std::size_t>(i)]);
            return y;
        };
        const caramel::matrix<float> x_train = all.x(train, Eigen::all), x_test = all.x(test, Eigen::all);
        const auto model = caramel::fit(recipe, x_train, labels(train), {.seed = static_cast<std::uint64_t>(fold)});
        const caramel::matrix<float> p = model(x_test);
        mean.auc += caramel::auc(p, labels(test)) / 5;
        mean.log_loss += caramel::log_loss(p, labels(test)) / 5;
    }
    return mean;
}

#endif
