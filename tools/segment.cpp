// Chinese texts cut into words.
//
//   segment words JIEBA FILE [--mode words|search|full] [--no-hmm] [--repeat N]
//   segment sighan FOLDER
//
// `words` cuts each line of a file with the dictionary and the model in a folder as python3-jieba installs it, and prints the words
// with a slash between; with --repeat it prints no words but the least processor time of N passes, in seconds.
// `sighan` finds words by the word lists of the second SIGHAN bakeoff (<set>_training_words.txt, <set>_test.txt,
// <set>_test_gold.txt) and prints F1; .longest is the baseline of always taking the longest word from the left.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <exception>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <caramel/core/error.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/io/file.hpp>
#include <caramel/text/chinese.hpp>
#include <caramel/text/chinese_dictionary.hpp>
#include <caramel/text/utf8.hpp>

using namespace caramel;

namespace {

std::vector<std::string> lines_of(const std::string& file) {
    const auto bytes = read_file(file);
    std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    std::vector<std::string> out;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        out.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

void print_words(const std::string& folder, const std::string& file, const chinese_options& options, int repeat) {
    const auto segmenter = read_chinese_segmenter(folder);
    const auto texts = lines_of(file);
    workspace scratch;
    double seconds = std::numeric_limits<double>::infinity();
    std::size_t words = 0;
    for (int i = 0; i < repeat; ++i) {
        words = 0;
        const std::clock_t start = std::clock();
        for (const auto& text : texts) segmenter.split(text, [&](std::size_t begin, std::size_t end) { words += begin < end; }, options, scratch);
        seconds = std::min(seconds, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
    }
    if (repeat > 0) {
        std::printf("%zu %.6f\n", words, seconds);
        return;
    }
    std::string line;
    for (const auto& text : texts) {
        line.clear();
        bool first = true;
        segmenter.split(
            text,
            [&](std::size_t begin, std::size_t end) {
                if (!std::exchange(first, false)) line += '/';
                line.append(text, begin, end - begin);
            },
            options, scratch);
        line += '\n';
        std::fwrite(line.data(), 1, line.size(), stdout);
    }
}

// ---- SIGHAN ----------------------------------------------------------------------------------------------------------
using extents = std::vector<std::pair<std::size_t, std::size_t>>;  // of words, in characters that are no white space

std::string without_space(const std::string& text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t begin = at;
        if (!detail::is_python_space(decode_utf8(text, at))) out.append(text, begin, at - begin);
    }
    return out;
}
// In characters: white space counts for nothing.
extents extents_of(const std::string& text, const std::vector<std::pair<std::size_t, std::size_t>>& words) {
    std::vector<std::size_t> number(text.size() + 1);  // of the character that begins at a byte
    std::size_t n = 0;
    for (std::size_t at = 0; at < text.size();) {
        number[at] = n;
        n += detail::is_python_space(decode_utf8(text, at)) ? 0 : 1;
    }
    number[text.size()] = n;
    extents out;
    for (const auto& [begin, end] : words)
        if (number[begin] < number[end]) out.emplace_back(number[begin], number[end]);
    return out;
}
extents gold_of(const std::string& text) {
    std::vector<std::pair<std::size_t, std::size_t>> words;
    std::size_t begin = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t here = at;
        if (!detail::is_python_space(decode_utf8(text, at))) continue;
        if (begin < here) words.emplace_back(begin, here);
        begin = at;
    }
    if (begin < text.size()) words.emplace_back(begin, text.size());
    return extents_of(text, words);
}

void sighan(const std::string& folder) {
    for (const std::string set : {"pku", "msr", "as", "cityu"}) {
        auto list = lines_of(folder + "/" + set + "_training_words.txt");
        for (auto& word : list) word = std::string(detail::stripped(word));
        std::erase(list, std::string());
        const chinese_dictionary dictionary(list);
        auto texts = lines_of(folder + "/" + set + "_test.txt");
        const auto gold = lines_of(folder + "/" + set + "_test_gold.txt");
        require(texts.size() == gold.size(), errc::shape_mismatch, set, ": ", texts.size(), " texts, ", gold.size(), " answers");
        // 17 answers are of other characters: a quote that opens the next line stands there at the end of this one.
        for (std::size_t i = 0; i < texts.size(); ++i)
            if (const std::string answered = without_space(gold[i]); answered != without_space(texts[i])) texts[i] = answered;
        for (const auto& [name, options] : {std::pair(".longest", match_options{match_rule::longest, false}), std::pair("", match_options{})}) {
            double found = 0, right = 0, wanted = 0;
            for (std::size_t i = 0; i < texts.size(); ++i) {
                std::vector<std::pair<std::size_t, std::size_t>> words;
                match_words(dictionary, texts[i], [&](std::size_t begin, std::size_t end) { words.emplace_back(begin, end); }, options);
                const auto mine = extents_of(texts[i], words), theirs = gold_of(gold[i]);
                extents both;
                std::ranges::set_intersection(mine, theirs, std::back_inserter(both));
                found += static_cast<double>(mine.size());
                wanted += static_cast<double>(theirs.size());
                right += static_cast<double>(both.size());
            }
            const double precision = right / found, recall = right / wanted;
            std::printf("result sighan.%s%s.f1 %.4f\n", set.c_str(), name, 2 * precision * recall / (precision + recall));
        }
    }
}

int run(int argc, char** argv) {
    CLI::App app{"Cuts Chinese texts into words."};
    app.require_subcommand(1);
    std::string folder, file, mode = "words";
    bool no_hmm = false;
    int repeat = 0;
    auto* const words = app.add_subcommand("words", "each line of a file, by jieba's dictionary and model");
    words->add_option("JIEBA", folder, "the folder of jieba's dict.txt")->required();
    words->add_option("FILE", file)->required();
    words->add_option("--mode", mode)->check(CLI::IsMember({"words", "search", "full"}));
    words->add_flag("--no-hmm", no_hmm, "join no characters to words that the dictionary lacks");
    words->add_option("--repeat", repeat, "measure so many passes")->check(CLI::Range(0, 1000));
    auto* const bakeoff = app.add_subcommand("sighan", "the second SIGHAN bakeoff by word lists alone");
    bakeoff->add_option("FOLDER", folder)->required();
    CLI11_PARSE(app, argc, argv);
    if (bakeoff->parsed()) {
        sighan(folder);
    } else {
        const auto chosen = mode == "words" ? chinese_mode::words : mode == "search" ? chinese_mode::search : chinese_mode::full;
        print_words(folder, file, {.mode = chosen, .hmm = !no_hmm}, repeat);
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "segment: %s\n", e.what());
        return 1;
    }
}
