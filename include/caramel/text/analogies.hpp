#ifndef CARAMEL_TEXT_ANALOGIES_HPP
#define CARAMEL_TEXT_ANALOGIES_HPP

// What vectors of words know: analogies ("Paris is to France as Rome is to ...") and similarity, beside what people say.

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <caramel/core/embedding_table.hpp>
#include <caramel/core/error.hpp>
#include <caramel/core/float_environment.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/products.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/text/embedding.hpp>
#include <caramel/text/lines.hpp>
#include <caramel/text/word_vectors.hpp>

namespace caramel::inline CARAMEL_ABI {

/// How the fourth word of an analogy a : b = c : ? is found among all words but these three.
enum class analogy_method : std::uint8_t {
    add,       ///< the largest cosine with b - a + c, all of length 1 (3CosAdd)
    multiply,  ///< the largest cos(b) cos(c) / (cos(a) + .001), cosines moved to 0 .. 1 (3CosMul: Levy & Goldberg, CoNLL 2014)
};

/// a : b = c : d
struct analogy_question {
    token_id a = 0, b = 0, c = 0;

    friend bool operator==(const analogy_question&, const analogy_question&) = default;
};
/// An answer and its score: the cosine, or the quotient of `multiply`.
struct analogy_answer {
    token_id id = 0;
    double score = 0;

    friend bool operator==(const analogy_answer&, const analogy_answer&) = default;
};

namespace detail {

// The rows of a table at length 1, as columns.
template <class T>
matrix<T> unit_columns(const embedding_table<T>& table, std::size_t words) {
    matrix<T> out(static_cast<row_index>(table.dim()), static_cast<row_index>(words));
    for (std::size_t i = 0; i < words; ++i) {
        double square = 0;
        for (const T x : table[i]) square += static_cast<double>(x) * static_cast<double>(x);
        const double scale = square > 0 && std::isfinite(square) ? 1 / std::sqrt(square) : 0;
        for (std::size_t j = 0; j < table.dim(); ++j)
            out(static_cast<row_index>(j), static_cast<row_index>(i)) = static_cast<T>(scale * static_cast<double>(table[i][j]));
    }
    return out;
}

// The `n` best answers to each question, `first` being the lowest id that may be one.
template <class T>
std::vector<std::vector<analogy_answer>> answer_analogies(const matrix<T>& units, std::span<const analogy_question> questions, std::size_t n,
                                                          analogy_method method, std::size_t first) {
    using real = detail::real_of<T>;  // double: see there
    const auto words = static_cast<std::size_t>(units.cols());
    std::vector<std::vector<analogy_answer>> out(questions.size());
    constexpr std::size_t batch = 64;  // more questions at a time than rows make a product slow
    for (std::size_t begin = 0; begin < questions.size(); begin += batch) {
        const std::size_t some = std::min(batch, questions.size() - begin), each = method == analogy_method::add ? 1 : 3;
        matrix<T> asked(static_cast<row_index>(some * each), units.rows());
        for (std::size_t q = 0; q < some; ++q) {
            const auto& [a, b, c] = questions[begin + q];
            const auto at = static_cast<row_index>(q * each);
            if (method == analogy_method::add) {
                vec<real> sum = units.col(b).template cast<double>() - units.col(a).template cast<double>() + units.col(c).template cast<double>();
                const double length = sum.norm();
                if (length > 0) sum /= length;
                asked.row(at) = sum.transpose().template cast<T>();
            } else {
                asked.row(at) = units.col(a).transpose();
                asked.row(at + 1) = units.col(b).transpose();
                asked.row(at + 2) = units.col(c).transpose();
            }
        }
        const matrix<T> cosines = multiply<T>(asked, units);
        for (std::size_t q = 0; q < some; ++q) {
            const auto& [a, b, c] = questions[begin + q];
            std::vector<analogy_answer>& best = out[begin + q];
            const auto worse = [](const analogy_answer& x, const analogy_answer& y) { return x.score != y.score ? x.score > y.score : x.id < y.id; };
            for (std::size_t w = first; w < words; ++w) {
                const auto id = static_cast<token_id>(w);
                if (id == a || id == b || id == c) continue;
                const auto cosine = [&](std::size_t row) {
                    return static_cast<double>(cosines(static_cast<row_index>(q * each + row), static_cast<row_index>(w)));
                };
                const double score = method == analogy_method::add ? cosine(0) : (1 + cosine(1)) / 2 * ((1 + cosine(2)) / 2) / ((1 + cosine(0)) / 2 + 1e-3);
                const analogy_answer answer{id, score};
                if (best.size() < n) {
                    best.push_back(answer);
                    std::push_heap(best.begin(), best.end(), worse);
                } else if (n > 0 && worse(answer, best.front())) {
                    std::pop_heap(best.begin(), best.end(), worse);
                    best.back() = answer;
                    std::push_heap(best.begin(), best.end(), worse);
                }
            }
            std::sort_heap(best.begin(), best.end(), worse);
        }
    }
    return out;
}

// Ranks from 1, equal values at the mean of theirs.
template <class Values>
std::vector<double> mean_ranks(const Values& values) {
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
    std::vector<double> ranks(values.size());
    for (std::size_t i = 0, end = 0; i < order.size(); i = end) {
        while (end < order.size() && values[order[end]] == values[order[i]]) ++end;
        for (std::size_t k = i; k < end; ++k) ranks[order[k]] = static_cast<double>(i + end + 1) / 2;
    }
    return ranks;
}

template <class Word>
std::size_t split_at(std::string_view line, std::string_view separators, const Word& word) {
    std::size_t n = 0;
    for (std::size_t at = 0; at < line.size();) {
        const std::size_t begin = line.find_first_not_of(separators, at);
        if (begin == std::string_view::npos) break;
        at = std::min(line.find_first_of(separators, begin), line.size());
        word(n++, line.substr(begin, at - begin));
    }
    return n;
}

}  // namespace detail

/// The `n` best answers to a : b = c : ?, the best first, ties to the lower id; fewer where there are not so many words.
/// Throws `error` (`unknown_id`) on an id outside the table.
template <class T>
[[nodiscard]] std::vector<analogy_answer> analogy(const embedding_table<T>& table, const analogy_question& question, std::size_t n,
                                                  analogy_method method = analogy_method::add) {
    const std::array<token_id, 3> ids{question.a, question.b, question.c};
    require_ids(ids, table.size(), 1, "analogy");
    return std::move(detail::answer_analogies<T>(detail::unit_columns(table, table.size()), std::span(&question, 1), n, method, 0).front());
}

/// Spearman's rank correlation of two lists of the same length, ties at their mean rank; 0 where one of them is constant.
/// Throws `error`: `shape_mismatch`, `nan_or_inf` with the row.
template <class Values>
[[nodiscard]] double spearman(const Values& a, const Values& b) {
    require(a.size() == b.size(), errc::shape_mismatch, "spearman: ", a.size(), " values beside ", b.size());
    for (std::size_t i = 0; i < a.size(); ++i)
        require_at(std::isfinite(a[i]) && std::isfinite(b[i]), errc::nan_or_inf, {.row = i + 1}, "spearman: value ", i + 1, " is not finite");
    const auto x = detail::mean_ranks(a), y = detail::mean_ranks(b);
    const double mean = (static_cast<double>(a.size()) + 1) / 2;
    double xy = 0, xx = 0, yy = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        xy += (x[i] - mean) * (y[i] - mean);
        xx += (x[i] - mean) * (x[i] - mean);
        yy += (y[i] - mean) * (y[i] - mean);
    }
    return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : 0;
}

/// Two words and how much alike people find them.
struct word_pair {
    std::string first, second;
    double score = 0;
};
/// Reads lines of two words and a number, as in WordSim-353 and SimLex-999; lines that begin with # are left out.
/// Throws `error` with the line: `ragged_row`, `bad_number`.
template <class Text>
[[nodiscard]] std::vector<word_pair> parse_word_pairs(const Text& text) {
    const detail::standard_arithmetic as_written;
    std::vector<word_pair> out;
    detail::for_each_line(text, [&](std::string_view line, std::size_t number) {
        if (line.empty() || line.starts_with('#')) return;
        std::array<std::string_view, 3> fields{};
        const std::size_t n = detail::split_at(line, "\t ,", [&](std::size_t i, std::string_view field) {
            if (i < 3) fields[i] = field;
        });
        require_at(n == 3, errc::ragged_row, {.row = number}, "parse_word_pairs: line ", number, " has ", n, " fields, must be 3");
        double score = 0;
        const auto [end, problem] = std::from_chars(fields[2].data(), fields[2].data() + fields[2].size(), score);
        require_at(problem == std::errc{} && end == fields[2].data() + fields[2].size() && std::isfinite(score), errc::bad_number, {.row = number, .column = 3},
                   "parse_word_pairs: line ", number, " does not end with a number");
        out.push_back({std::string(fields[0]), std::string(fields[1]), score});
    });
    return out;
}

/// What `evaluate_similarity` finds.
struct similarity_result {
    double spearman = 0;      ///< of the cosines with what people said
    std::size_t pairs = 0;    ///< that were compared
    std::size_t skipped = 0;  ///< with a word that has no vector
};
/// How well cosines agree with what people find alike.
template <class T>
[[nodiscard]] similarity_result evaluate_similarity(const word_vectors<T>& vectors, std::span<const word_pair> pairs) {
    std::vector<double> people, cosines;
    for (const word_pair& pair : pairs) {
        const auto a = vectors.find(pair.first), b = vectors.find(pair.second);
        if (!a || !b) continue;
        people.push_back(pair.score);
        cosines.push_back(detail::cosine_of(*a, *b));
    }
    return {spearman(people, cosines), people.size(), pairs.size() - people.size()};
}

/// Four words a : b = c : d, and the number of their section from 0.
struct word_analogy {
    std::array<std::string, 4> words;
    std::size_t section = 0;
};
/// Analogies as in questions-words.txt.
struct word_analogies {
    std::vector<std::string> sections;
    std::vector<word_analogy> questions;
};
/// Reads lines of four words, and of a colon and the name of a section. Throws `error` (`ragged_row`) with the line.
template <class Text>
[[nodiscard]] word_analogies parse_analogies(const Text& text) {
    word_analogies out;
    detail::for_each_line(text, [&](std::string_view line, std::size_t number) {
        if (line.empty()) return;
        if (line.starts_with(':')) {
            const std::size_t begin = line.find_first_not_of(" \t", 1);
            out.sections.emplace_back(begin == std::string_view::npos ? std::string_view() : line.substr(begin));
            return;
        }
        if (out.sections.empty()) out.sections.emplace_back();
        word_analogy question{.words = {}, .section = out.sections.size() - 1};
        const std::size_t n = detail::split_at(line, "\t ", [&](std::size_t i, std::string_view word) {
            if (i < 4) question.words[i] = word;
        });
        require_at(n == 4, errc::ragged_row, {.row = number}, "parse_analogies: line ", number, " has ", n, " words, must be 4");
        out.questions.push_back(std::move(question));
    });
    return out;
}

/// How many analogies of a section were answered with the word that people give.
struct analogy_result {
    std::size_t correct = 0;
    std::size_t asked = 0;    ///< those of which all four words have vectors
    std::size_t skipped = 0;
    [[nodiscard]] double accuracy() const noexcept { return asked == 0 ? 0 : static_cast<double>(correct) / static_cast<double>(asked); }
};
/// One result a section, among the `most` first words of the vocabulary (0 = all; mostly the most frequent ones).
template <class T>
[[nodiscard]] std::vector<analogy_result> evaluate_analogies(const word_vectors<T>& vectors, const word_analogies& analogies, std::size_t most = 30'000,
                                                             analogy_method method = analogy_method::add) {
    const auto reserved = static_cast<std::size_t>(vectors.words().reserved());
    const std::size_t words = most == 0 ? vectors.size() : std::min(vectors.size(), reserved + most);
    std::vector<analogy_result> out(analogies.sections.size());
    std::vector<analogy_question> questions;
    std::vector<std::pair<token_id, std::size_t>> wanted;  // and the section
    for (const word_analogy& each : analogies.questions) {
        require(each.section < out.size(), errc::bad_parameter, "evaluate_analogies: section ", each.section, " (from 0) of ", out.size());
        std::array<token_id, 4> ids{};
        bool known = true;
        for (std::size_t i = 0; i < 4 && known; ++i) {
            const auto id = vectors.words().find(each.words[i]);
            known = id && static_cast<std::size_t>(*id) < words;
            if (known) ids[i] = *id;
        }
        if (!known) {
            ++out[each.section].skipped;
            continue;
        }
        questions.push_back({ids[0], ids[1], ids[2]});
        wanted.emplace_back(ids[3], each.section);
    }
    if (questions.empty()) return out;
    const auto answers = detail::answer_analogies<T>(detail::unit_columns(vectors.table(), words), questions, 1, method, reserved);
    for (std::size_t q = 0; q < questions.size(); ++q) {
        ++out[wanted[q].second].asked;
        out[wanted[q].second].correct += !answers[q].empty() && answers[q].front().id == wanted[q].first;
    }
    return out;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
