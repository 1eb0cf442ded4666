#ifndef CARAMEL_TEXT_WORD2VEC_TRAINING_HPP
#define CARAMEL_TEXT_WORD2VEC_TRAINING_HPP

// How word vectors are trained (text/word2vec.hpp): by rounds of a fixed number of blocks of the corpus. Each block learns on
// its own copy of the rows that it needs, which are few enough for a core's cache, and after the round their changes are
// added up in the order of the blocks. So the vectors do not depend on threads, and no thread writes where another reads.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/finite.hpp>
#include <caramel/core/large_pages.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/team.hpp>
#include <caramel/text/word2vec_step.hpp>

namespace caramel::inline CARAMEL_ABI {

/// What is predicted from what.
enum class word2vec_mode : std::uint8_t {
    skip_gram,  ///< the word in the middle from each word around it
    cbow,       ///< the word in the middle from the mean of those around it: several times faster, for large corpora
};

namespace detail {

// The settings of `word2vec`, whose comments stand there.
struct word2vec_settings {
    std::size_t dim;
    word2vec_mode mode;
    std::size_t window, negatives, epochs, min_count;
    double subsample, learning_rate, final_rate, negative_power;
};

// Rows of numbers, each beginning on a cache line, zeros behind its end.
template <class T>
class step_rows {
   public:
    step_rows() = default;
    step_rows(std::size_t rows, std::size_t dim) : stride_((dim + step_width<T> - 1) / step_width<T> * step_width<T>) {
        require(rows < PTRDIFF_MAX / sizeof(T) / stride_ - 1, errc::limit_exceeded, "word2vec: ", rows, " rows of ", dim, " numbers are too many");
        reserve_large(numbers_, (rows + 1) * stride_);
        numbers_.resize((rows + 1) * stride_);
        while (reinterpret_cast<std::uintptr_t>(numbers_.data() + skip_) % 64 != 0) ++skip_;
    }
    step_rows(const step_rows&) = delete;  // a copy would lie elsewhere
    step_rows& operator=(const step_rows&) = delete;
    step_rows(step_rows&&) noexcept = default;
    step_rows& operator=(step_rows&&) noexcept = default;
    ~step_rows() = default;

    [[nodiscard]] std::size_t stride() const noexcept { return stride_; }
    [[nodiscard]] T* operator[](std::size_t row) noexcept { return numbers_.data() + skip_ + row * stride_; }
    [[nodiscard]] const T* operator[](std::size_t row) const noexcept { return numbers_.data() + skip_ + row * stride_; }
    [[nodiscard]] std::span<const T> all() const noexcept { return numbers_; }

   private:
    std::size_t stride_ = step_width<T>, skip_ = 0;
    std::vector<T> numbers_;
};

// Numbers drawn by weight, in constant time (Vose, IEEE Trans. Software Eng. 17(9), 1991).
class alias_sampler {
   public:
    template <class Weights>
    explicit alias_sampler(const Weights& weights) {
        const std::size_t n = weights.size();
        double sum = 0;
        for (const double w : weights) sum += w;
        std::vector<double> share(n);
        std::vector<std::uint32_t> small, large;
        for (std::size_t i = 0; i < n; ++i) {
            share[i] = weights[i] / sum * static_cast<double>(n);
            (share[i] < 1 ? small : large).push_back(static_cast<std::uint32_t>(i));
        }
        slots_.resize(n);
        for (std::size_t i = 0; i < n; ++i) slots_[i] = {0xffffffffU, static_cast<std::uint32_t>(i)};
        while (!small.empty() && !large.empty()) {
            const std::uint32_t less = small.back(), more = large.back();
            small.pop_back();
            slots_[less] = {static_cast<std::uint32_t>(share[less] * 0x1.0p32), more};
            share[more] -= 1 - share[less];
            if (share[more] < 1) {
                large.pop_back();
                small.push_back(more);
            }
        }
    }
    [[nodiscard]] std::uint32_t operator()(rng& random) const noexcept {
        const std::uint64_t bits = random();
        const auto i = static_cast<std::uint32_t>((bits >> 32) * slots_.size() >> 32);
        return static_cast<std::uint32_t>(bits) <= slots_[i].threshold ? i : slots_[i].other;
    }

   private:
    struct entry {
        std::uint32_t threshold, other;
    };
    std::vector<entry> slots_;
};

// A corpus of words 0 .. counts.size() - 1, in pieces (sentences, or parts of long ones) within which windows lie.
struct word2vec_corpus {
    static constexpr std::size_t longest_piece = 1000;

    std::vector<std::uint32_t> words;
    std::vector<std::uint64_t> piece_ends;
    std::vector<std::uint64_t> counts;

    template <class = void>
    void end_piece() {
        if (words.size() > (piece_ends.empty() ? 0 : piece_ends.back())) piece_ends.push_back(words.size());
    }
    template <class = void>
    void add(std::uint32_t word) {
        words.push_back(word);
        if (words.size() - (piece_ends.empty() ? 0 : piece_ends.back()) == longest_piece) end_piece();
    }
};

template <class = void>
inline void require_word2vec(const word2vec_settings& o, std::size_t max_dim, std::string_view who) {
    require(o.dim >= 1 && o.dim <= max_dim, errc::bad_parameter, who, ": dim = ", o.dim, ", must lie in 1 .. ", max_dim);
    require(o.mode <= word2vec_mode::cbow, errc::bad_parameter, who, ": no mode has the number ", static_cast<unsigned>(o.mode));
    require(o.window >= 1 && o.window <= 64, errc::bad_parameter, who, ": window = ", o.window, ", must lie in 1 .. 64");
    require(o.negatives >= 1 && o.negatives <= 1000, errc::bad_parameter, who, ": negatives = ", o.negatives, ", must lie in 1 .. 1000");
    require(o.epochs >= 1, errc::bad_parameter, who, ": epochs = 0, must be at least 1");
    require(o.min_count >= 1, errc::bad_parameter, who, ": min_count = 0, must be at least 1");
    require(o.subsample >= 0 && std::isfinite(o.subsample), errc::bad_parameter, who, ": subsample = ", o.subsample, ", must be at least 0");
    require(o.learning_rate > 0 && std::isfinite(o.learning_rate), errc::bad_parameter, who, ": learning_rate = ", o.learning_rate, ", must be above 0");
    require(o.final_rate >= 0 && o.final_rate <= o.learning_rate, errc::bad_parameter, who, ": final_rate = ", o.final_rate,
            ", must lie in 0 .. learning_rate");
    require(o.negative_power >= 0 && o.negative_power <= 1, errc::bad_parameter, who, ": negative_power = ", o.negative_power, ", must lie in 0 .. 1");
}

template <class T>
class word2vec_training {
   public:
    static constexpr std::size_t blocks_a_round = 8;

    // Word w is the mean of the input rows `parts[w]`, or without parts its own row.
    struct word_parts {
        std::vector<std::uint64_t> starts;
        std::vector<std::uint32_t> rows;
    };

    word2vec_training(const word2vec_settings& options, const word2vec_corpus& corpus, const word_parts& parts, std::size_t input_rows, rng random)
        : o_(options),
          corpus_(corpus),
          parts_(parts),
          random_(random),
          sampler_(drawn_by(corpus.counts, options.negative_power)),
          inputs_(input_rows, options.dim),
          outputs_(corpus.counts.size(), options.dim),
          first_inputs_(parts.starts.empty() ? input_rows : 0),
          first_outputs_(corpus.counts.size()) {
        rng initial = random.split("initial");
        for (std::size_t i = 0; i < input_rows; ++i)
            for (std::size_t j = 0; j < o_.dim; ++j) inputs_[i][j] = static_cast<T>((initial.uniform() - .5) / static_cast<double>(o_.dim));
        const auto total = static_cast<double>(corpus.words.size());
        for (const std::uint64_t count : corpus.counts) {
            const double share = static_cast<double>(count) / total;
            const double keep = o_.subsample > 0 ? (std::sqrt(share / o_.subsample) + 1) * o_.subsample / share : 1;
            keep_.push_back(keep >= 1 ? ~std::uint64_t{0} : static_cast<std::uint64_t>(keep * 0x1.0p64));
        }
        cut();
    }

    // Throws `error` (`diverged`) and what the observer throws.
    void run(const fit_options& options, std::string_view kind) {
        team threads(options);
        rng order = random_.split("order");
        std::size_t done = 0;
        for (std::size_t epoch = 0; epoch < o_.epochs; ++epoch) {
            const auto blocks = order.permutation(block_count());
            double loss = 0;
            std::size_t pairs = 0;
            for (std::size_t first = 0; first < blocks.size(); first += blocks_a_round) {
                const std::size_t n = std::min(blocks_a_round, blocks.size() - first);
                for (std::size_t b = 0; b < n; ++b) {
                    slots_[b].rate = static_cast<T>(rate_after(done));
                    done += words_in(blocks[first + b]);
                }
                threads.run(n, [&](std::size_t b) { learn(slots_[b], blocks[first + b], random_.split(epoch * block_count() + blocks[first + b] + 1)); });
                ++round_;
                const std::size_t shards = threads.size();
                threads.run(shards, [&](std::size_t shard) { add_changes(n, shard, shards); });
                for (std::size_t b = 0; b < n; ++b) {
                    loss += slots_[b].loss;
                    pairs += slots_[b].pairs;
                }
            }
            require(all_finite(inputs_.all()) && all_finite(outputs_.all()), errc::diverged, kind, ": the vectors left the finite numbers in epoch ", epoch + 1,
                    ": lower learning_rate");
            if (options.on_progress &&
                options.on_progress({kind, epoch + 1, o_.epochs, pairs == 0 ? 0 : loss / static_cast<double>(pairs)}) == verdict::stop)
                return;
        }
    }

    // The vector of a word.
    void vector_of(std::size_t word, std::span<T> out) const { compose(word, out.data(), out.size()); }
    [[nodiscard]] const step_rows<T>& inputs() const noexcept { return inputs_; }

   private:
    // One block's own rows and what it draws. All of it is allocated before training begins.
    struct slot {
        std::vector<std::uint32_t> input_places, output_places;  // by word; from `base` on it is the word's local row
        std::uint32_t input_base = 0, output_base = 0;
        std::vector<std::uint32_t> input_words, output_words;  // by local row
        step_rows<T> inputs, outputs, before;
        std::vector<std::uint32_t> kept_inputs, kept_outputs, ends, pool;
        std::vector<T> slopes, hidden;
        T rate = 0;
        double loss = 0;
        std::size_t pairs = 0;
    };
    struct first_copy {
        std::uint64_t round = 0;
        const T* row = nullptr;  // what the row was before the round
    };

    static std::vector<double> drawn_by(const std::vector<std::uint64_t>& counts, double power) {
        std::vector<double> weights;
        weights.reserve(counts.size());
        for (const std::uint64_t count : counts) weights.push_back(std::pow(static_cast<double>(count), power));
        return weights;
    }
    [[nodiscard]] std::size_t block_count() const noexcept { return block_ends_.size(); }
    [[nodiscard]] std::size_t first_piece(std::size_t block) const noexcept { return block == 0 ? 0 : block_ends_[block - 1]; }
    [[nodiscard]] std::uint64_t first_word(std::size_t piece) const noexcept { return piece == 0 ? 0 : corpus_.piece_ends[piece - 1]; }
    [[nodiscard]] std::size_t words_in(std::size_t block) const noexcept {
        return static_cast<std::size_t>(first_word(block_ends_[block]) - first_word(first_piece(block)));
    }
    [[nodiscard]] double rate_after(std::size_t words) const noexcept {
        const double share = static_cast<double>(words) / (static_cast<double>(corpus_.words.size()) * static_cast<double>(o_.epochs));
        return o_.learning_rate + (o_.final_rate - o_.learning_rate) * share;
    }

    // Blocks of whole pieces: large enough that rows are used more than once, small enough that a round is a small part of
    // the corpus.
    void cut() {
        const std::size_t wanted = std::clamp<std::size_t>(corpus_.words.size() / 256, 16, 512);
        std::size_t longest = 0;
        for (std::size_t piece = 0; piece < corpus_.piece_ends.size(); ++piece) {
            const std::size_t first = block_ends_.empty() ? 0 : block_ends_.back();
            const auto words = static_cast<std::size_t>(corpus_.piece_ends[piece] - first_word(first));
            if (words < wanted && piece + 1 < corpus_.piece_ends.size()) continue;
            block_ends_.push_back(piece + 1);
            longest = std::max(longest, words);
        }
        pool_ = std::bit_ceil(std::clamp<std::size_t>(longest, 64, 1024));
        const std::size_t words = corpus_.counts.size(), most_inputs = std::min(words, longest), most_outputs = std::min(words, longest + pool_) + 1;
        slots_.resize(std::min(blocks_a_round, block_count()));
        for (slot& s : slots_) {
            s.input_places.resize(words);
            s.output_places.resize(words);
            s.input_words.reserve(most_inputs);
            s.output_words.reserve(most_outputs);
            s.inputs = step_rows<T>(most_inputs, o_.dim);
            s.outputs = step_rows<T>(most_outputs + 1, o_.dim);  // and one for the mean of a window
            if (!parts_.starts.empty()) s.before = step_rows<T>(most_inputs, o_.dim);
            for (auto* list : {&s.kept_inputs, &s.kept_outputs, &s.ends}) list->reserve(longest);
            s.pool.resize(pool_);
            s.slopes.resize((2 * o_.window + 1) * step_slopes);
            s.hidden.resize(outputs_.stride());
        }
    }

    static std::uint32_t local_row(std::uint32_t word, std::vector<std::uint32_t>& places, std::uint32_t base, std::vector<std::uint32_t>& words) noexcept {
        if (places[word] >= base) return places[word] - base;
        const auto row = static_cast<std::uint32_t>(words.size());
        places[word] = base + row;
        words.push_back(word);  // within what was reserved
        return row;
    }
    // A new block: the local rows of the last one are forgotten.
    static void forget(std::vector<std::uint32_t>& places, std::uint32_t& base, std::vector<std::uint32_t>& words) noexcept {
        base += static_cast<std::uint32_t>(words.size()) + 1;
        if (base > 0xf0000000U) {
            std::fill(places.begin(), places.end(), 0U);
            base = 1;
        }
        words.clear();
    }
    static void fetch(const T* row, std::size_t stride) noexcept {
        for (std::size_t j = 0; j < stride; j += step_width<T>) CARAMEL_PREFETCH(row + j);
    }

    void compose(std::size_t word, T* out, std::size_t n) const noexcept {
        if (parts_.starts.empty()) {
            std::copy_n(inputs_[word], n, out);
            return;
        }
        const std::uint64_t begin = parts_.starts[word], end = parts_.starts[word + 1];
        std::fill_n(out, n, T(0));
        for (std::uint64_t k = begin; k < end; ++k) {
            const T* const row = inputs_[parts_.rows[k]];
            for (std::size_t j = 0; j < n; ++j) out[j] += row[j];
        }
        const T share = T(1) / static_cast<T>(end - begin);
        for (std::size_t j = 0; j < n; ++j) out[j] *= share;
    }

    void choose(slot& s, std::size_t block, rng& random) const noexcept {
        forget(s.input_places, s.input_base, s.input_words);
        forget(s.output_places, s.output_base, s.output_words);
        s.output_words.push_back(0);  // local row 0 stands for no word
        s.kept_inputs.clear();
        s.kept_outputs.clear();
        s.ends.clear();
        for (std::size_t piece = first_piece(block); piece < block_ends_[block]; ++piece) {
            for (std::uint64_t at = first_word(piece); at < corpus_.piece_ends[piece]; ++at) {
                const std::uint32_t word = corpus_.words[at];
                if (keep_[word] != ~std::uint64_t{0} && random() >= keep_[word]) continue;
                s.kept_inputs.push_back(local_row(word, s.input_places, s.input_base, s.input_words));
                s.kept_outputs.push_back(local_row(word, s.output_places, s.output_base, s.output_words));
            }
            s.ends.push_back(static_cast<std::uint32_t>(s.kept_inputs.size()));
        }
        for (auto& drawn : s.pool) drawn = local_row(sampler_(random), s.output_places, s.output_base, s.output_words);
    }
    void copy_rows(slot& s) const noexcept {
        const std::size_t stride = outputs_.stride();
        constexpr std::size_t ahead = 4;
        for (std::size_t i = 0; i < s.input_words.size(); ++i) {
            if (parts_.starts.empty() && i + ahead < s.input_words.size()) fetch(inputs_[s.input_words[i + ahead]], stride);
            compose(s.input_words[i], s.inputs[i], stride);
            if (!parts_.starts.empty()) std::copy_n(s.inputs[i], stride, s.before[i]);
        }
        std::fill_n(s.outputs[0], stride, T(0));
        for (std::size_t i = 1; i < s.output_words.size(); ++i) {
            if (i + ahead < s.output_words.size()) fetch(outputs_[s.output_words[i + ahead]], stride);
            std::copy_n(outputs_[s.output_words[i]], stride, s.outputs[i]);
        }
    }

    // All centres of one block.
    void learn(slot& s, std::size_t block, rng random) const noexcept {
        choose(s, block, random);
        copy_rows(s);
        s.loss = 0;
        s.pairs = 0;
        std::size_t begin = 0;
        for (const std::size_t end : s.ends) {
            for (std::size_t at = begin; at < end; ++at) {
                const std::size_t width = 1 + static_cast<std::size_t>((random() >> 32) * o_.window >> 32);
                const std::size_t first = std::max(begin, at - std::min(at, width)), last = std::min(end, at + width + 1);
                if (last - first < 2) continue;
                T* inputs[128];
                std::size_t n = 0;
                for (std::size_t i = first; i < last; ++i)
                    if (i != at) inputs[n++] = s.inputs[s.kept_inputs[i]];
                if (o_.mode == word2vec_mode::skip_gram) predict(s, inputs, n, s.kept_outputs[at], at % 16 == 0, random);
                else predict_from_mean(s, inputs, n, s.kept_outputs[at], at % 16 == 0, random);
            }
            begin = end;
        }
    }
    void predict(slot& s, T* const* inputs, std::size_t n, std::uint32_t centre, bool watched, rng& random) const noexcept {
        T* outputs[step_outputs];
        T wanted[step_slopes] = {1}, rates[step_slopes] = {s.rate};
        outputs[0] = s.outputs[centre];
        std::size_t filled = 1, left = o_.negatives;
        std::uint64_t bits = 0;
        const std::uint64_t mask = pool_ - 1;
        for (std::size_t drawn = 0; left > 0; filled = 0) {
            for (; filled < step_outputs && left > 0; ++filled, --left, ++drawn) {
                bits = drawn % 6 == 0 ? random() >> 4 : bits >> 10;
                const std::uint32_t other = s.pool[bits & mask];
                outputs[filled] = s.outputs[other];
                rates[filled] = other == centre ? T(0) : s.rate;
            }
            for (; filled < step_outputs; ++filled) {
                outputs[filled] = s.outputs[0];
                rates[filled] = 0;
            }
            step_(inputs, n, outputs, wanted, rates, outputs_.stride(), s.slopes.data());
            if (watched) [[unlikely]]
                watch(s, n, wanted[0] == 1);
            wanted[0] = 0;
        }
    }
    // The slope is rate * (wanted - probability): what it lacks is the loss.
    void watch(slot& s, std::size_t n, bool counts) const noexcept {
        if (!(s.rate > 0)) return;
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t o = 0; o < step_outputs; ++o)
                s.loss -= std::log(std::max(1e-12, 1 - std::abs(static_cast<double>(s.slopes[i * step_slopes + o]) / static_cast<double>(s.rate))));
        if (counts) s.pairs += n;
    }
    // As word2vec.c: every word around gets the whole change of the mean.
    void predict_from_mean(slot& s, T* const* inputs, std::size_t n, std::uint32_t centre, bool watched, rng& random) const noexcept {
        const std::size_t stride = outputs_.stride();
        T* const hidden = s.hidden.data();
        T* const mean = s.outputs[s.output_words.size()];  // one row more than there are words
        std::copy_n(inputs[0], stride, mean);
        for (std::size_t i = 1; i < n; ++i)
            for (std::size_t j = 0; j < stride; ++j) mean[j] += inputs[i][j];
        const T share = T(1) / static_cast<T>(n);
        for (std::size_t j = 0; j < stride; ++j) hidden[j] = mean[j] *= share;
        predict(s, &mean, 1, centre, watched, random);
        for (std::size_t j = 0; j < stride; ++j) hidden[j] = mean[j] - hidden[j];
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < stride; ++j) inputs[i][j] += hidden[j];
    }

    // Adds the changes of the blocks of a round, in their order, to the rows of one shard.
    void add_changes(std::size_t blocks, std::size_t shard, std::size_t shards) noexcept {
        for (std::size_t b = 0; b < blocks; ++b) {
            slot& s = slots_[b];
            if (parts_.starts.empty()) {
                for (std::size_t i = 0; i < s.input_words.size(); ++i) add_row(inputs_, first_inputs_, s.inputs, i, s.input_words, shard, shards);
            } else {
                for (std::size_t i = 0; i < s.input_words.size(); ++i) add_to_parts(s, i, shard, shards);
            }
            for (std::size_t i = 1; i < s.output_words.size(); ++i) add_row(outputs_, first_outputs_, s.outputs, i, s.output_words, shard, shards);
        }
    }
    // The first block that has the row changes places with it, so that what the row was is known to the other blocks.
    void add_row(step_rows<T>& to, std::vector<first_copy>& firsts, step_rows<T>& from, std::size_t i, const std::vector<std::uint32_t>& words,
                 std::size_t shard, std::size_t shards) const noexcept {
        const std::uint32_t word = words[i];
        if (shards > 1 && word % shards != shard) return;
        constexpr std::size_t ahead = 4;
        if (i + ahead < words.size()) fetch(to[words[i + ahead]], to.stride());
        T *const row = to[word], *const local = from[i];
        first_copy& first = firsts[word];
        if (first.round != round_) {
            first = {round_, local};
            std::swap_ranges(row, row + to.stride(), local);
        } else {
            for (std::size_t j = 0; j < to.stride(); ++j) row[j] += local[j] - first.row[j];
        }
    }
    void add_to_parts(slot& s, std::size_t i, std::size_t shard, std::size_t shards) noexcept {
        const T *const after = s.inputs[i], *const before = s.before[i];
        for (std::uint64_t k = parts_.starts[s.input_words[i]]; k < parts_.starts[s.input_words[i] + 1]; ++k) {
            if (shards > 1 && parts_.rows[k] % shards != shard) continue;
            T* const row = inputs_[parts_.rows[k]];
            for (std::size_t j = 0; j < inputs_.stride(); ++j) row[j] += after[j] - before[j];
        }
    }

    const word2vec_settings& o_;
    const word2vec_corpus& corpus_;
    const word_parts& parts_;
    rng random_;
    alias_sampler sampler_;
    step_rows<T> inputs_, outputs_;
    std::vector<first_copy> first_inputs_, first_outputs_;
    std::vector<std::uint64_t> keep_;
    std::vector<std::size_t> block_ends_;  // in pieces
    std::size_t pool_ = 64;
    std::vector<slot> slots_;
    std::uint64_t round_ = 0;
    void (*step_)(T* const*, std::size_t, T* const*, const T*, const T*, std::size_t, T*) = fastest_negative_sampling_step<T>();
};

}  // namespace detail

}  // namespace caramel::inline CARAMEL_ABI

#endif
