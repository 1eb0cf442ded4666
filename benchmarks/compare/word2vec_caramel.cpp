// Word vectors of a file of sentences, one a line, words between spaces; see word2vec.sh.
// usage: word2vec_caramel CORPUS VECTORS SEED EPOCHS MIN_COUNT SUBSAMPLE [threads] [cbow]        prints the seconds of processor time
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>
#include <string_view>

#include <caramel/text/vocabulary.hpp>
#include <caramel/text/word2vec.hpp>

int main(int argc, char** argv) {
    using namespace caramel;
    if (argc < 7) return 2;
    std::ifstream file(argv[1]);
    std::string line, all;
    while (std::getline(file, line)) all += line + '\n';
    const auto epochs = static_cast<std::size_t>(std::atoi(argv[4])), min_count = static_cast<std::size_t>(std::atoi(argv[5]));
    const auto words_of = [&](auto&& word, auto&& end) {
        for (std::size_t at = 0; at < all.size();) {
            const std::size_t stop = all.find_first_of(" \n", at);
            if (stop > at) word(std::string_view(all).substr(at, stop - at));
            if (all[stop] == '\n') end();
            at = stop + 1;
        }
    };
    const std::clock_t start = std::clock();  // counting and looking up words included, as in the others
    token_counts counts;
    words_of([&](std::string_view word) { counts.add(word); }, [] {});
    const vocabulary words = counts.most_frequent(min_count, 10'000'000, 1);
    token_ids ids;
    ids.vocabulary_size = words.size();
    words_of([&](std::string_view word) { ids.push_back(words.find(word).value_or(0)); }, [&] { ids.close_row(); });
    const double reading = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    const std::clock_t begin = std::clock();
    word2vec<float> recipe{.epochs = epochs, .min_count = min_count, .subsample = std::atof(argv[6])};
    if (argc > 8) recipe.mode = word2vec_mode::cbow;
    const auto model =
        fit(recipe, ids, {.seed = static_cast<std::uint64_t>(std::atoi(argv[3])), .threads = static_cast<std::size_t>(argc > 7 ? std::atoi(argv[7]) : 1)});
    std::printf("%.4f %.4f\n", static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC, reading);
    if (std::string_view(argv[2]) == "-") return 0;
    std::FILE* const out = std::fopen(argv[2], "w");
    if (out == nullptr) return 1;
    std::fprintf(out, "%zu %zu\n", words.tokens().size(), model.dim());
    for (std::size_t i = 1; i < words.size(); ++i) {
        std::fprintf(out, "%s", words.tokens()[i - 1].c_str());
        for (const float x : model.table()[i]) std::fprintf(out, " %.6g", static_cast<double>(x));
        std::fprintf(out, "\n");
    }
    return std::fclose(out) == 0 ? 0 : 1;
}
