// usage: tokenizers_caramel KIND VOCABULARY TEXTS OUT: prints the seconds of processor time of the fastest pass over the
// texts (ids and offsets), and writes them. tokenizers_caramel generate FOLDER: texts and vocabularies that are made up.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <string>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/text/bpe_json.hpp>
#include <caramel/text/wordpiece.hpp>

namespace {

using caramel::encoding_batch;

double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }
std::vector<std::string> lines_of(const std::string& name) {
    std::ifstream in(name, std::ios::binary);
    std::vector<std::string> out;
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
}

template <class Model>
void measure(const Model& model, const std::vector<std::string>& texts, const std::string& out_name) {
    double least = 1e9;
    encoding_batch batch;
    for (int pass = 0; pass < 10; ++pass) {
        const double start = processor_seconds();
        batch = model.encode_batch(texts);
        least = std::min(least, processor_seconds() - start);
    }
    std::ofstream out(out_name, std::ios::binary);
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const char* between = "";
        for (const auto id : batch[i].ids) out << between << id, between = " ";
        between = "\t";
        for (const auto span : caramel::code_point_spans(texts[i], batch[i].offsets)) out << between << span.begin << '-' << span.end, between = " ";
        out << '\n';
    }
    std::printf("%.6f\n", least);
}

// Words of Zipf's frequencies; most of them in the vocabulary, the others in pieces.
void generate(const std::string& folder) {
    caramel::rng numbers(1);
    std::vector<std::string> tokens{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}, words;
    for (char c = '!'; c <= '~'; ++c)
        if (c < 'A' || c > 'Z') tokens.push_back(std::string(1, c));
    for (char c = 'a'; c <= 'z'; ++c) tokens.push_back(std::string("##") + c);
    while (words.size() < 20'000) {
        std::string word;
        for (std::size_t n = 2 + numbers.below(7); n > 0; --n) word += static_cast<char>('a' + numbers.below(26));
        words.push_back(word);
        if (words.size() < 15'000) tokens.push_back(word);
    }
    std::sort(tokens.begin(), tokens.end());
    tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
    std::ofstream vocabulary(folder + "/english.vocab"), english(folder + "/english.txt"), signs(folder + "/chinese.vocab"), chinese(folder + "/chinese.txt");
    for (const auto& token : tokens) vocabulary << token << '\n';
    const auto rank = [&](std::size_t n) { return static_cast<std::size_t>(static_cast<double>(n) * numbers.uniform() * numbers.uniform() * numbers.uniform()); };
    const auto sign = [](std::size_t i) {
        char bytes[4];
        return std::string(bytes, caramel::encode_utf8(static_cast<char32_t>(0x4E00 + i), bytes));
    };
    signs << "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n!\n";
    for (std::size_t i = 0; i < 6'000; ++i) signs << sign(i) << '\n';
    for (int i = 0; i < 10'000; ++i) {
        for (std::size_t n = 5 + numbers.below(12); n > 0; --n) english << words[rank(words.size())] << (n > 1 ? numbers.below(9) == 0 ? ", " : " " : "?\n");
        for (std::size_t n = 10 + numbers.below(30); n > 0; --n) chinese << sign(rank(6'200)) << (n > 1 ? "" : "!\n");
    }
}

// Byte pair encoding of what was generated, as vocab.json and merges.txt.
void learn_merges(const std::string& folder) {
    auto texts = lines_of(folder + "/english.txt");
    for (auto& text : lines_of(folder + "/chinese.txt")) texts.push_back(std::move(text));
    const caramel::bpe_model model = fit(caramel::bpe{.vocabulary_size = 20'000}, texts);
    std::string json = "{";
    for (const auto& token : model.tokens().tokens()) {
        if (json.size() > 1) json += ", ";
        caramel::append_json_string(json, token);
        json += ": " + std::to_string(*model.tokens().find(token));
    }
    std::ofstream(folder + "/bpe.json", std::ios::binary) << json << "}";
    std::ofstream merges(folder + "/bpe.merges", std::ios::binary);
    merges << "#version: 0.2\n";
    for (std::size_t i = 0; i < model.merges().size(); i += 2)
        merges << model.tokens()[model.merges()[i]] << ' ' << model.tokens()[model.merges()[i + 1]] << '\n';
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (arguments.size() == 2 && arguments[0] == "generate") {
        generate(arguments[1]);
        learn_merges(arguments[1]);
    } else if (arguments.size() == 4 && arguments[0] == "wordpiece") {
        measure(caramel::load_wordpiece(arguments[1]), lines_of(arguments[2]), arguments[3]);
    } else if (arguments.size() == 4 && arguments[0] == "bpe") {  // VOCABULARY.json and VOCABULARY.merges
        measure(caramel::read_bpe(arguments[1] + ".json", arguments[1] + ".merges"), lines_of(arguments[2]), arguments[3]);
    } else {
        return 2;
    }
}
