// What customers want: type a message, see the intent, how sure the model is, and why; or that it is about something else.
//
//   intent [--data FILE --text COLUMN --label COLUMN] [--save FILE | --load FILE] [--quiet] [--seed N] [--threads N]
//
// Without --data, on generated messages to a shop. Reads messages from the terminal, a line each, until an empty one; --quiet
// does not. Lines that begin with `result` are for scripts.
//
// After scripts/demo.sh, which gets what is needed:
//   cmake --build build/release --target intent && build/release/examples/intent
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <caramel/core/random.hpp>
#include <caramel/io/model_file.hpp>
#include <caramel/recipes/intent.hpp>

#include "text_study.hpp"

using namespace caramel;
using namespace text_study;

namespace {

// Messages of six intents: an opener, a phrase of the intent about a product, and sometimes a phrase that says nothing.
messages generated(std::uint64_t seed) {
    using words = std::vector<std::string_view>;
    static const std::array<std::pair<std::string_view, words>, 6> intents{{
        {"where_is_it",
         {"where is my #", "when will the # arrive", "the # has not come yet", "track the parcel with the #", "still waiting for the #",
          "has the # been sent", "no # in the post today", "do you know where my # is", "it says the # was delivered on Monday, but it was not",
          "the # should have been here in two days", "is the # lost in transit"}},
        {"return_it",
         {"how do I return the #", "I want to send the # back", "the # does not fit, can I exchange it", "I would like my money back for the #",
          "refund the # please", "can I bring the # back in a shop", "do I pay for the parcel when I return the #", "is it too late to give the # back",
          "I do not like the # and want to return it", "in which box do I send the # back", "the # is not what I thought, take it back please"}},
        {"broken",
         {"the # arrived broken", "my # does not work", "the # has a crack", "there is a part missing of the #", "the # fell apart",
          "do you repair a # that is broken", "the # stopped working in a week", "there is a hole in the #", "the # came in pieces",
          "is it normal that the # makes a noise", "the # was damaged in the post"}},
        {"change_order",
         {"please cancel the #", "I ordered the wrong #", "can I still change the colour of the #", "add a second # to my order",
          "send the # to another address", "do not send the #, I have changed my mind", "put the # in another order", "I want the # in red and not in green",
          "is it possible to have the # a week later", "make it two of the # please", "take the # off my order"}},
        {"invoice",
         {"I need an invoice for the #", "the bill for the # is wrong", "you charged me twice for the #", "which taxes are on the #",
          "send me the receipt of the #", "do you have the bill for the # in my name", "the price of the # in the invoice is too high",
          "is the payment for the # in", "my bank says the # was not paid", "put our tax number in the bill for the #", "where do I see what I paid for the #"}},
        {"in_stock",
         {"do you have the # in blue", "is the # available", "when will the # be back in stock", "how much is the #", "which size is the #",
          "is the # in your shops", "do you sell a # like this", "what colours does the # come in", "can I buy the # as a present",
          "how long will the # be on sale", "is there a # for children"}},
    }};
    static const words products{"teapot", "lamp", "blanket", "notebook", "puzzle", "suitcase", "candle", "umbrella", "scarf", "kettle"};
    static const words openers{"hello,", "hi there,", "", "", "good morning,", "sorry to bother you,"},
        closers{"", "", "thanks", "please reply soon", "it is a present"};
    messages out;
    const rng base = rng(seed).split("intents");
    for (std::size_t i = 0; i < 3000; ++i) {
        rng random = base.split(i);
        const auto pick = [&](const words& from) { return from[random.below(from.size())]; };
        const auto& [name, phrases] = intents[i % intents.size()];
        std::string text;
        for (const auto& part : {pick(openers), pick(phrases), pick(closers)}) {
            for (const char c : part) {
                if (c == '#') text += pick(products);
                else text += c;
            }
            text += ' ';
        }
        const std::size_t begin = text.find_first_not_of(' '), end = text.find_last_not_of(' ') + 1;
        out.texts.push_back(text.substr(begin, end - begin));
        out.labels.emplace_back(name);
    }
    return out;
}

void say(const intent_model& model, const std::string& text) {
    const auto said = model.answer(text);
    if (said.in_scope) std::printf("  %s, %.0f %% sure", said.label.c_str(), 100 * said.confidence);
    else std::printf("  something else (%.2f, from %.2f on); nearest: %s", said.out_of_scope, model.threshold(), said.label.c_str());
    if (said.in_scope && said.ambiguous) std::printf(", or %s?", said.second.c_str());
    for (const auto& why : said.reasons) std::printf("%s \"%s\" %+.2f", &why == said.reasons.data() ? ":" : ",", why.name.c_str(), why.contribution);
    std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) try {
    std::string data, text = "text", label = "label", to, from;
    std::uint64_t seed = 0;
    std::size_t threads = 0;
    bool quiet = false;
    CLI::App app("From messages to what their writers want");
    app.add_option("--data", data, "a CSV file with a header, or a .tsv file (default: generated messages)");
    app.add_option("--text", text, "its column of messages (default: text)");
    app.add_option("--label", label, "its column of intents (default: label)");
    app.add_option("--save", to, "where to keep the model");
    app.add_option("--load", from, "a model to use instead of learning one")->excludes("--save");
    app.add_flag("--quiet", quiet, "do not ask for messages");
    app.add_option("--seed", seed, "of everything random");
    app.add_option("--threads", threads, "how many work at once (default: as many as the machine has); the answers are the same");
    CLI11_PARSE(app, argc, argv);

    const auto learn = [&] {
        title("1. The messages");
        const auto [train, test] = split(data.empty() ? generated(seed) : read_messages(data, text, label), seed);
        std::printf("  %zu to learn from, %zu to judge by\n", train.texts.size(), test.texts.size());
        title("2. Learning");
        const stopwatch watch;
        auto model = fit(intent{}, train.texts, train.labels, {.seed = seed, .threads = threads});
        result("intent.train_seconds", watch.seconds());
        title("3. How well it does on messages that it has not seen");
        judge("intent", model, test);
        std::size_t rejected = 0;
        for (const double x : model.out_of_scope(test.texts)) rejected += x > model.threshold() ? 1 : 0;
        result("intent.rejected", static_cast<double>(rejected) / static_cast<double>(std::max<std::size_t>(1, test.texts.size())));
        title("4. Some messages");
        for (std::size_t i = 0; i < std::min<std::size_t>(3, test.texts.size()); ++i) {
            std::printf("\"%s\" (%s)\n", test.texts[i].c_str(), test.labels[i].c_str());
            say(model, test.texts[i]);
        }
        std::printf("\"do pandas sleep in winter\"\n");
        say(model, "do pandas sleep in winter");
        return model;
    };
    const auto model = from.empty() ? learn() : load<intent_model>(from);
    if (!to.empty()) save(model, to);
    if (!quiet) {
        title("What do you want?");
        converse([&](const std::string& line) { say(model, line); });
    }
    return 0;
} catch (...) {
    return say_error("intent");
}
