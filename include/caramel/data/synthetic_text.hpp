#ifndef CARAMEL_DATA_SYNTHETIC_TEXT_HPP
#define CARAMEL_DATA_SYNTHETIC_TEXT_HPP

// The words of the synthetic shop: what products are called, and what customers write.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/random.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

struct taste_words {
    std::string_view name;
    std::array<std::string_view, 8> words;
};
inline constexpr std::array<taste_words, 8> shop_tastes{{
    {"kitchen", {"teapot", "mug", "whisk", "apron", "saucer", "kettle", "spoon", "bowl"}},
    {"gifts", {"candle", "wreath", "bauble", "garland", "hamper", "tinsel", "ornament", "stocking"}},
    {"garden", {"trowel", "planter", "hose", "seeds", "lantern", "birdhouse", "gloves", "trellis"}},
    {"toys", {"puzzle", "robot", "doll", "marbles", "train", "kite", "blocks", "dinosaur"}},
    {"office", {"notebook", "stapler", "pencil", "folder", "calendar", "eraser", "clipboard", "envelope"}},
    {"textile", {"cushion", "blanket", "curtain", "scarf", "towel", "quilt", "ribbon", "napkin"}},
    {"travel", {"suitcase", "passport", "pillow", "map", "flask", "backpack", "umbrella", "compass"}},
    {"pets", {"collar", "leash", "catnip", "kennel", "brush", "aquarium", "treats", "perch"}},
}};
inline constexpr std::size_t gift_taste = 1;
inline constexpr std::array<std::string_view, 8> shop_colours{"red", "blue", "green", "white", "vintage", "small", "large", "striped"};

// A colour and two words of the taste.
template <class = void>
[[nodiscard]] inline std::string product_description(rng& random, std::size_t taste) {
    const auto& words = shop_tastes[taste].words;
    const std::size_t colour = random.below(shop_colours.size());
    const std::size_t one = random.below(words.size());
    const std::size_t other = (one + 1 + random.below(words.size() - 1)) % words.size();
    return std::string(shop_colours[colour]) + ' ' + std::string(words[one]) + ' ' + std::string(words[other]);
}

inline constexpr std::array<std::string_view, 3> sentiment_names{"negative", "neutral", "positive"};

// Phrases of service messages. `#` stands for a product or a part of the service, `@` for an adjective.
struct message_words {
    using word = std::string_view;
    static constexpr std::array<word, 8> openers{"hello,", "hi,", "good morning,", "dear team,", "about my order:", "dear sir or madam,", "hi there,", "good evening,"};
    static constexpr std::array<word, 6> closers{"thanks", "regards", "thank you", "please reply", "kind regards", "best wishes"};
    static constexpr std::array<word, 8> service{"delivery", "parcel", "packaging", "website", "support", "refund", "assistant", "invoice"};
    static constexpr std::array<word, 20> good{"great",     "lovely",    "perfect",  "friendly", "excellent", "helpful",  "beautiful", "good",   "solid",   "pleasant",
                                               "brilliant", "wonderful", "charming", "reliable", "superb",    "fast",     "cheerful",  "sturdy", "elegant", "delightful"};
    static constexpr std::array<word, 20> bad{"broken",  "awful",   "late",  "rude",   "wrong",   "terrible", "useless",  "ugly",    "bad",   "dirty",
                                              "slow",    "damaged", "cheap", "faulty", "cracked", "horrible", "careless", "missing", "stale", "disappointing"};
    static constexpr std::array<word, 6> said{"the # was @", "the # is @", "the # looks @", "my # arrived @", "i find the # @", "that is one @ #"};
    static constexpr std::array<word, 6> denied{"the # was not @", "the # is not @", "the # was never @", "i do not find the # @", "the # is not at all @", "the # was hardly @"};
    // Whole clauses; most of their words are found in the other tone, too.
    static constexpr std::array<word, 10> praise{"i will order again",      "my daughter adores the #",   "no complaints at all",  "i recommend the # to friends", "you made my day",
                                                 "the # came early",        "nothing to complain about",  "i am so happy with it", "worth the money",              "your team answered at once"};
    static constexpr std::array<word, 10> blame{"i will not order again",   "i want my money back",       "nobody answers",        "i regret the #",               "still waiting for the #",
                                                "the # fell apart in a day", "i have to complain about it", "i am fed up",           "not worth the money",          "your team never answered"};
    static constexpr std::array<word, 12> asked{"when will the # arrive",      "do you have the # in another colour", "please send me the invoice for the #", "i moved to another town",
                                                "how do i return the #",       "what are your opening hours",         "can i pay by bank transfer",           "is the # still available",
                                                "i would like a second #",     "please change my address",            "which size is the #",                  "the # is for my sister"};
};

// A missing, doubled or swapped letter in about one long word of `one_in`.
template <class = void>
[[nodiscard]] inline std::string with_typos(rng& random, std::string_view text, std::size_t one_in) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find(' ', at), text.size());
        std::string word(text.substr(at, end - at));
        if (word.size() >= 5 && random.below(one_in) == 0) {
            const std::size_t kind = random.below(3);
            const std::size_t letter = 1 + random.below(word.size() - 3);
            if (kind == 0) word.erase(letter, 1);
            else if (kind == 1) word.insert(letter, 1, word[letter]);
            else std::swap(word[letter], word[letter + 1]);
        }
        out += word;
        if (end < text.size()) out += ' ';
        at = end + 1;
    }
    return out;
}

// Writes what customers say in a tone: 0, 1, 2 = negative, neutral, positive.
class message_writer {
   public:
    // `product`: words of what was bought.
    message_writer(rng& random, std::string_view product) : random_(random), product_(product) {}

    // One to three clauses, the first in the tone of the message; every sixth of the others in another one.
    template <class = void>
    [[nodiscard]] std::string write(int tone) {
        std::string text;
        if (chance(2)) text = std::string(pick(words::openers)) + ' ';
        const std::size_t clauses = 1 + random_.below(3);
        for (std::size_t k = 0; k < clauses; ++k) {
            const int other = static_cast<int>(random_.below(3));
            const int mine = k > 0 && chance(6) ? other : tone;
            if (k > 0) text += mine == tone ? (chance(2) ? " and " : ", ") : " but ";
            text += clause(mine);
        }
        if (chance(3)) text += std::string(", ") + std::string(pick(words::closers));
        return with_typos(random_, text, 25);
    }

   private:
    using words = message_words;

    [[nodiscard]] bool chance(std::uint64_t one_in) { return random_.below(one_in) == 0; }
    template <std::size_t N>
    [[nodiscard]] std::string_view pick(const std::array<std::string_view, N>& from) {
        return from[random_.below(N)];
    }
    template <class = void>
    [[nodiscard]] std::string clause(int tone) {
        if (tone == 1) return fill(pick(words::asked), false);
        const bool glad = tone == 2;
        if (chance(3)) return fill(glad ? pick(words::praise) : pick(words::blame), glad);
        const bool denied = chance(6);
        return fill(denied ? pick(words::denied) : pick(words::said), glad != denied);
    }
    template <class = void>
    [[nodiscard]] std::string fill(std::string_view phrase, bool glad) {
        std::string out;
        for (const char c : phrase) {
            if (c == '#') out += chance(2) ? product_ : pick(words::service);
            else if (c == '@') out += glad ? pick(words::good) : pick(words::bad);
            else out += c;
        }
        return out;
    }

    rng& random_;
    std::string_view product_;
};

}  // namespace detail

/// Texts with a label each: 1 for a content customer, 0 for another.
struct labelled_texts {
    std::vector<std::string> texts;
    std::vector<int> labels;
};

/// `n` short messages of customers. About one clause in six says the opposite of its words ("not bad"), and some
/// messages have a clause of the other kind, so that counting words is good and not perfect.
template <class = void>
[[nodiscard]] inline labelled_texts synthetic_messages(std::size_t n, std::uint64_t seed = 0) {
    using word = std::string_view;
    static constexpr std::array<word, 12> things{"delivery", "teapot", "blanket",  "service",   "packaging", "website",
                                                 "lamp",     "refund", "notebook", "assistant", "price",     "invoice"};
    static constexpr std::array<word, 12> good{"great",   "lovely",    "fast", "perfect", "friendly", "excellent",
                                               "helpful", "beautiful", "good", "solid",   "pleasant", "fair"};
    static constexpr std::array<word, 12> bad{"broken", "awful", "late", "rude", "wrong", "terrible", "useless", "ugly", "bad", "dirty", "slow", "disappointing"};
    static constexpr std::array<word, 6> openers{"hello,", "to whom it may concern:", "about my order:", "hi there,", "following up:", "quick note:"};
    static constexpr std::array<word, 4> verbs{"was", "is", "looks", "seems"};
    const rng base = rng(seed).split("synthetic_messages");
    labelled_texts out;
    for (std::size_t i = 0; i < n; ++i) {
        rng random = base.split(i);
        const auto pick = [&random](const auto& words) { return std::string(words[random.below(words.size())]); };
        const bool content = random.below(2) == 1;
        std::string text;
        if (random.below(2) == 1) text = pick(openers) + ' ';
        const std::size_t clauses = 1 + random.below(3);
        for (std::size_t k = 0; k < clauses; ++k) {
            const bool positive = k == 0 || random.below(6) != 0 ? content : !content;  // the first clause tells
            const bool negated = random.below(6) == 0;
            if (k > 0) text += positive == content ? " and " : " but ";
            const bool stressed = random.below(4) == 0;
            text += "the " + pick(things) + ' ';
            text += pick(verbs);
            text += negated ? " not " : stressed ? " really " : " ";
            text += positive != negated ? pick(good) : pick(bad);
        }
        out.texts.push_back(std::move(text));
        out.labels.push_back(content ? 1 : 0);
    }
    return out;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
