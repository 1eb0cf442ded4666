#ifndef CARAMEL_TEXT_PHRASES_HPP
#define CARAMEL_TEXT_PHRASES_HPP

// Words that stand together more often than by chance, made one token: "new york" (Mikolov et al., NIPS 2013, section 4).

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

/// How a pair of words is judged from n(ab), n(a), n(b) and the number of words.
enum class phrase_score : std::uint8_t {
    words = 0,       ///< (n(ab) - min_count) words / (n(a) n(b)), as the program word2phrase, whose threshold is 100
    vocabulary = 1,  ///< the same with the number of different words and pairs for that of words, as gensim, whose threshold is 10
    npmi = 2,        ///< ln(p(ab) / (p(a) p(b))) / -ln p(ab), from -1 to 1 (Bouma, GSCL 2009); pairs of fewer than min_count never
};

/// Token ids -> token ids in which each known pair is one id, from the left; a token belongs to one pair at most.
class phrases_model {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "phrases";  // in saved files: never changes

    /// Pair i, (`firsts[i]`, `seconds[i]`), becomes the id `vocabulary_size + i`; pairs rise by first and second.
    /// Throws `error`: `bad_data` on sizes that differ, pairs that do not rise or ids outside; `limit_exceeded`.
    template <class = void>
    phrases_model(std::uint64_t vocabulary_size, std::vector<token_id> firsts, std::vector<token_id> seconds)
        : vocabulary_size_(vocabulary_size), firsts_(std::move(firsts)), seconds_(std::move(seconds)) {
        constexpr std::uint64_t most = std::numeric_limits<token_id>::max();
        require(firsts_.size() == seconds_.size(), errc::bad_data, "phrases: ", firsts_.size(), " first tokens and ", seconds_.size(), " second ones");
        require(vocabulary_size <= most && firsts_.size() <= most - vocabulary_size, errc::limit_exceeded, "phrases: ", vocabulary_size, " tokens and ",
                firsts_.size(),
                " pairs are more than ids");
        const auto is_known = [&](token_id id) { return id >= 0 && static_cast<std::uint64_t>(id) < vocabulary_size; };
        for (std::size_t i = 0; i < firsts_.size(); ++i) {
            require_at(is_known(firsts_[i]) && is_known(seconds_[i]), errc::bad_data, {.row = i + 1}, "phrases: pair ", i + 1, " is not of ids below ",
                       vocabulary_size);
            require_at(i == 0 || std::pair(firsts_[i - 1], seconds_[i - 1]) < std::pair(firsts_[i], seconds_[i]), errc::bad_data, {.row = i + 1},
                       "phrases: pair ", i + 1, " does not follow the one before");
        }
    }

    /// Throws `error` (`shape_mismatch`) on ids of another vocabulary than learnt from. Weights of tokens are dropped.
    template <class = void>
    [[nodiscard]] token_ids operator()(const token_ids& texts) const {
        require(texts.vocabulary_size == vocabulary_size_, errc::shape_mismatch, "phrases: a vocabulary of ", texts.vocabulary_size,
                " tokens, learnt from one of ",
                vocabulary_size_);
        token_ids out;
        out.reserve(texts.size(), texts.values().size());
        out.vocabulary_size = size();
        out.unknown = texts.unknown;
        out.padding = texts.padding;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            join(texts[i], [&](token_id id) { out.push_back(id); });
            out.close_row();
        }
        return out;
    }
    /// One text, in the workspace.
    template <class = void>
    [[nodiscard]] std::span<const token_id> operator()(std::span<const token_id> text, workspace& scratch) const {
        const workspace::frame frame(scratch);
        const auto ids = scratch.take<token_id>(text.size());
        std::size_t n = 0;
        join(text, [&](token_id id) { ids[n++] = id; });
        return ids.first(n);
    }

    /// The tokens of an id: itself, or the two of a pair. Throws `error` (`unknown_id`).
    template <class = void>
    [[nodiscard]] std::vector<token_id> parts(token_id id) const {
        require(id >= 0 && static_cast<std::uint64_t>(id) < size(), errc::unknown_id, "phrases: an id outside the vocabulary of ", size());
        const auto number = static_cast<std::uint64_t>(id);
        if (number < vocabulary_size_) return {id};
        return {firsts_[static_cast<std::size_t>(number - vocabulary_size_)], seconds_[static_cast<std::size_t>(number - vocabulary_size_)]};
    }
    /// How many ids there are, pairs included.
    [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(vocabulary_size_) + firsts_.size(); }
    [[nodiscard]] const std::vector<token_id>& firsts() const noexcept { return firsts_; }
    [[nodiscard]] const std::vector<token_id>& seconds() const noexcept { return seconds_; }

    static constexpr std::array field_names{"vocabulary_size", "firsts", "seconds"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(vocabulary_size_, firsts_, seconds_); }

   private:
    template <class Sink>
    void join(std::span<const token_id> text, const Sink& sink) const {
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (i + 1 < text.size()) {
                const auto [begin, end] = std::equal_range(firsts_.begin(), firsts_.end(), text[i]);
                const auto from = seconds_.begin() + (begin - firsts_.begin()), to = seconds_.begin() + (end - firsts_.begin());
                if (const auto found = std::lower_bound(from, to, text[i + 1]); found != to && *found == text[i + 1]) {
                    sink(static_cast<token_id>(static_cast<std::ptrdiff_t>(vocabulary_size_) + (found - seconds_.begin())));
                    ++i;
                    continue;
                }
            }
            sink(text[i]);
        }
    }

    std::uint64_t vocabulary_size_;
    std::vector<token_id> firsts_, seconds_;
};

/// Recipe for `phrases_model`; twice in a chain it finds phrases of up to four words.
struct phrases {
    using stage_concept = recipe_tag;

    phrase_score score = phrase_score::vocabulary;
    double threshold = 10;      ///< pairs that score more are phrases; at most 1 with `phrase_score::npmi`, .5 say
    std::size_t min_count = 5;  ///< taken off the count of a pair, which keeps out pairs of rare words

    /// Unknown tokens are no words, and part what stands before and after them.
    /// Throws `error`: `empty_input`; `bad_parameter` (min_count 0, a threshold that is not finite or not below 1 with npmi); `unknown_id`
    /// (outside the vocabulary) with the text's number; `limit_exceeded`.
    template <std::same_as<token_ids> Texts>
    [[nodiscard]] phrases_model fit(const Texts& texts, const fit_options&) const {
        require(min_count > 0, errc::bad_parameter, "phrases: min_count = 0, must be at least 1");
        require(std::isfinite(threshold), errc::bad_parameter, "phrases: the threshold is not finite");
        require(score <= phrase_score::npmi, errc::bad_parameter, "phrases: an unknown score");
        require(score != phrase_score::npmi || threshold < 1, errc::bad_parameter, "phrases: threshold = ", threshold, ", must be below 1 with npmi");
        require(texts.size() > 0, errc::empty_input, "phrases: no texts to learn from");
        std::vector<std::uint64_t> counts(texts.vocabulary_size), pairs;
        std::uint64_t words = 0;
        pairs.reserve(texts.values().size());
        for (std::size_t i = 0; i < texts.size(); ++i) {
            token_id before = texts.unknown;
            for (const token_id id : texts[i]) {
                require_at(id >= 0 && static_cast<std::size_t>(id) < counts.size(), errc::unknown_id, {.row = i + 1}, "phrases: text ", i + 1,
                           " has an id outside the vocabulary of ", counts.size());
                if (id != texts.unknown) {
                    ++words;
                    ++counts[static_cast<std::size_t>(id)];
                    if (before != texts.unknown) pairs.push_back(static_cast<std::uint64_t>(before) << 32 | static_cast<std::uint64_t>(id));
                }
                before = id;
            }
        }
        std::sort(pairs.begin(), pairs.end());
        const auto end_of_run = [&](std::size_t begin) {
            return static_cast<std::size_t>(std::upper_bound(pairs.begin() + static_cast<std::ptrdiff_t>(begin), pairs.end(), pairs[begin]) - pairs.begin());
        };
        std::uint64_t different = 0;
        for (const std::uint64_t count : counts) different += count > 0 ? 1 : 0;
        for (std::size_t i = 0; i < pairs.size(); i = end_of_run(i)) ++different;
        std::vector<token_id> firsts, seconds;
        for (std::size_t i = 0; i < pairs.size();) {
            const std::size_t end = end_of_run(i);
            const auto first = static_cast<token_id>(pairs[i] >> 32), second = static_cast<token_id>(pairs[i] & 0xFFFFFFFF);
            if (scored(end - i, counts[static_cast<std::size_t>(first)], counts[static_cast<std::size_t>(second)], words, different) > threshold) {
                firsts.push_back(first);
                seconds.push_back(second);
            }
            i = end;
        }
        return {texts.vocabulary_size, std::move(firsts), std::move(seconds)};
    }

   private:
    [[nodiscard]] double scored(std::uint64_t both, std::uint64_t a, std::uint64_t b, std::uint64_t words, std::uint64_t different) const noexcept {
        const auto real = [](std::uint64_t x) { return static_cast<double>(x); };
        if (score != phrase_score::npmi) {
            const double more = real(both) - real(min_count);
            return more / real(a) / real(b) * real(score == phrase_score::words ? words : different);
        }
        if (both < min_count) return -std::numeric_limits<double>::infinity();
        const double p = real(both) / real(words);
        return std::log(p / (real(a) / real(words) * (real(b) / real(words)))) / -std::log(p);
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
