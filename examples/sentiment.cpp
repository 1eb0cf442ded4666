// What customers think: from messages with labels to a model that says how sure it is, and by which words.
//
//   sentiment [--data FILE --text COLUMN --label COLUMN] [--save FILE | --load FILE] [--ask] [--seed N] [--threads N]
//
// Without --data, on generated messages of customers. --ask reads messages from the terminal, a line each. Lines that begin
// with `result` are for scripts.
//
// After scripts/demo.sh, which gets what is needed:
//   cmake --build build/release --target sentiment && build/release/examples/sentiment
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <caramel/data/synthetic_text.hpp>
#include <caramel/io/model_file.hpp>
#include <caramel/recipes/sentiment.hpp>

#include "text_study.hpp"

using namespace caramel;
using namespace text_study;

namespace {

messages generated(std::uint64_t seed) {
    auto some = synthetic_messages(5000, seed);
    messages out{std::move(some.texts), {}};
    for (const int label : some.labels) out.labels.emplace_back(label == 1 ? "content" : "discontent");
    return out;
}

void say(const sentiment_model& model, const std::string& text) {
    const auto said = model.answer(text);
    std::printf("  %s, %.0f %% sure", said.label.c_str(), 100 * said.confidence);
    for (const auto& why : said.reasons) std::printf("%s \"%s\" %+.2f", &why == said.reasons.data() ? ":" : ",", why.name.c_str(), why.contribution);
    std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) try {
    std::string data, text = "text", label = "label", to, from;
    std::uint64_t seed = 0;
    std::size_t threads = 0;
    bool ask = false;
    CLI::App app("From messages to what their writers think");
    app.add_option("--data", data, "a CSV file with a header, or a .tsv file (default: generated messages)");
    app.add_option("--text", text, "its column of messages (default: text)");
    app.add_option("--label", label, "its column of labels (default: label)");
    app.add_option("--save", to, "where to keep the model");
    app.add_option("--load", from, "a model to use instead of learning one")->excludes("--save");
    app.add_flag("--ask", ask, "answer messages from the terminal");
    app.add_option("--seed", seed, "of everything random");
    app.add_option("--threads", threads, "how many work at once (default: as many as the machine has); the answers are the same");
    CLI11_PARSE(app, argc, argv);

    const auto learn = [&] {
        title("1. The messages");
        const auto [train, test] = split(data.empty() ? generated(seed) : read_messages(data, text, label), seed);
        std::printf("  %zu to learn from, %zu to judge by\n", train.texts.size(), test.texts.size());
        title("2. Learning");
        const stopwatch watch;
        auto model = fit(sentiment{}, train.texts, train.labels, {.seed = seed, .threads = threads});
        result("sentiment.train_seconds", watch.seconds());
        title("3. How well it does on messages that it has not seen");
        judge("sentiment", model, test);
        title("4. Some of them");
        for (std::size_t i = 0; i < std::min<std::size_t>(4, test.texts.size()); ++i) {
            std::printf("\"%s\" (%s)\n", test.texts[i].c_str(), test.labels[i].c_str());
            say(model, test.texts[i]);
        }
        return model;
    };
    const auto model = from.empty() ? learn() : load<sentiment_model>(from);
    if (!to.empty()) save(model, to);
    if (ask) converse([&](const std::string& line) { say(model, line); });
    return 0;
} catch (...) {
    return say_error("sentiment");
}
