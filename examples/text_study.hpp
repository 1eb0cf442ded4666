#ifndef EXAMPLES_TEXT_STUDY_HPP
#define EXAMPLES_TEXT_STUDY_HPP

// What examples/sentiment.cpp and examples/intent.cpp share: messages with labels, and how well they are told.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/csv.hpp>
#include <caramel/data/table.hpp>

#include "terminal.hpp"

namespace text_study {

using namespace caramel;

struct messages {
    std::vector<std::string> texts, labels;
};

// Lines of cells between tabs, as they are: a quote is a character as any other.
inline messages read_tabs(const std::string& file, const std::string& text, const std::string& label) {
    std::ifstream in(file, std::ios::binary);
    require(in.good(), errc::io, "cannot read ", file);
    std::string line;
    std::vector<std::string> cells;
    const auto next = [&] {
        if (!std::getline(in, line)) return false;
        if (line.ends_with('\r')) line.pop_back();
        cells.assign(1, "");
        for (const char c : line) {
            if (c == '\t') cells.emplace_back();
            else cells.back() += c;
        }
        return true;
    };
    next();
    const auto place = [&](const std::string& name) {
        const auto at = std::ranges::find(cells, name);
        require(at != cells.end(), errc::missing_column, file, " has no column \"", name, "\"");
        return static_cast<std::size_t>(at - cells.begin());
    };
    const std::size_t text_at = place(text), label_at = place(label);
    messages out;
    while (next())
        if (cells.size() > std::max(text_at, label_at) && !cells[text_at].empty() && !cells[label_at].empty()) {
            out.texts.push_back(cells[text_at]);
            out.labels.push_back(cells[label_at]);
        }
    return out;
}

// A CSV file, or a .tsv file, with columns that are called as given; rows without a text or a label are left out.
inline messages read_messages(const std::string& file, const std::string& text, const std::string& label) {
    if (file.ends_with(".tsv")) return read_tabs(file, text, label);
    const table rows = read_csv(file, {.types = {{text, column_type::category}, {label, column_type::category}}});
    const auto texts = rows.column(text).categories(), labels = rows.column(label).categories();
    messages out;
    for (std::size_t i = 0; i < rows.rows(); ++i)
        if (!rows.column(text).missing(i) && !rows.column(label).missing(i)) {
            out.texts.emplace_back(texts[i]);
            out.labels.emplace_back(labels[i]);
        }
    return out;
}

// A fifth of the messages, drawn by the seed, is kept for judging.
inline std::pair<messages, messages> split(const messages& all, std::uint64_t seed) {
    std::pair<messages, messages> out;
    const auto order = rng(seed).split("split").permutation(all.texts.size());
    for (std::size_t n = 0; n < order.size(); ++n) {
        auto& to = n % 5 == 0 ? out.second : out.first;
        to.texts.push_back(all.texts[order[n]]);
        to.labels.push_back(all.labels[order[n]]);
    }
    return out;
}

// Accuracy and each class's recall on messages that were not learnt from, and how long one takes.
template <class Model>
void judge(const std::string& name, const Model& model, const messages& test) {
    const matrix<float> p = model(test.texts);
    std::vector<double> right(model.classes()), all(model.classes());
    double correct = 0;
    for (std::size_t i = 0; i < test.texts.size(); ++i) {
        row_index best = 0;
        p.row(static_cast<row_index>(i)).maxCoeff(&best);
        const bool hit = model.labels()[static_cast<std::size_t>(best)] == test.labels[i];
        correct += hit ? 1 : 0;
        for (std::size_t k = 0; k < all.size(); ++k)
            if (model.labels()[k] == test.labels[i]) {
                ++all[k];
                right[k] += hit ? 1 : 0;
            }
    }
    for (std::size_t k = 0; k < std::min<std::size_t>(all.size(), 8); ++k)
        std::printf("  %-24s %5.0f messages, %5.1f %% of them found\n", model.labels()[k].c_str(), all[k], all[k] > 0 ? 100 * right[k] / all[k] : 0.0);
    result(name + ".accuracy", correct / static_cast<double>(std::max<std::size_t>(1, test.texts.size())));
    workspace scratch;
    float keep = 0;
    for (const auto& text : test.texts) keep += model(std::string_view(text), scratch)[0];
    const stopwatch watch;
    for (const auto& text : test.texts) keep += model(std::string_view(text), scratch)[0];
    result(name + ".us", 1e6 * watch.seconds() / static_cast<double>(std::max<std::size_t>(1, test.texts.size())) + (keep < 0 ? 1 : 0));
}

// Each line of the input to `say`, until it ends; where somebody types, with a prompt.
template <class Say>
void converse(const Say& say) {
    const bool typed = isatty(STDIN_FILENO) != 0;
    std::string line;
    for (;;) {
        if (typed) std::printf("> ");
        std::fflush(stdout);
        line.clear();
        int c = 0;
        while ((c = std::getchar()) != EOF && c != '\n') line += static_cast<char>(c);
        if (line.empty() && (c == EOF || typed)) return;
        try {
            say(line);
        } catch (const error& e) {  // a line that is not UTF-8, say
            std::printf("  %s\n", e.what());
        }
    }
}

}  // namespace text_study

#endif
