#ifndef CARAMEL_RECOMMEND_PAIRWISE_HPP
#define CARAMEL_RECOMMEND_PAIRWISE_HPP

// What models have in common that learn by comparing an item that a customer bought with one that the customer did not
// buy: how pairs are drawn and stepped on, and the model that `bpr` and `warp` give.

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/platform.hpp>
#include <caramel/core/products.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/query.hpp>

namespace caramel::inline CARAMEL_ABI {

/// What a bought item i and an item j that was not bought cost, where x is the customer's score of an item.
enum class pair_loss : std::uint8_t {
    bpr,       ///< ln(1 + exp(x_j - x_i))
    warp,      ///< weight of i's rank * max(0, 1 - x_i + x_j), where j is the first of some drawn that costs anything
    logistic,  ///< ln(1 + exp(-x_i)) + ln(1 + exp(x_j))
};
/// How the items that were not bought are drawn.
enum class negative_sampling : std::uint8_t {
    uniform,  ///< each item is as likely as the others
    popular,  ///< in proportion to the number of its customers
};

/// How pairwise models step. Each visit of a purchase (u, i) draws an item j that u did not buy; the loss of both, with
/// slopes a = -d loss / d x_i and c = d loss / d x_j, and regularization / 2 times the squares of what is involved, go down by
///
///     p_u += rate (a q_i - c q_j - regularization p_u)
///     q_i += rate (a p_u - regularization q_i)          b_i += rate (a - regularization b_i)
///     q_j += rate (-c p_u - regularization q_j)         b_j += rate (-c - regularization b_j)
///
/// at once, x_i = b_i + p_u . q_i. For `warp` up to `max_trials` items are drawn, and the first with 1 - x_i + x_j > 0 is
/// stepped on; where the t-th was it, i's rank is taken to be (items - 1) / t, rounded down, and the loss counts
/// H(rank) / H(items - 1), H(n) = 1 + 1/2 + ... + 1/n (Weston, Bengio & Usunier, IJCAI 2011, whose weight is H(rank)).
struct pairwise_steps {
    pair_loss loss = pair_loss::bpr;
    negative_sampling negatives = negative_sampling::uniform;
    double learning_rate = 0.05;   ///< above 0
    double regularization = 0.03;  ///< at least 0
    std::size_t max_trials = 100;  ///< of `warp`, 1 .. 1,000,000
    std::size_t epochs = 50;       ///< 1 .. 1,000,000; in a model: so many were run

    friend bool operator==(const pairwise_steps&, const pairwise_steps&) = default;
    static constexpr std::array field_names{"loss", "negatives", "learning_rate", "regularization", "max_trials", "epochs"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(loss, negatives, learning_rate, regularization, max_trials, epochs); }
};

namespace detail {

struct pairwise_settings {
    std::string_view who;
    pairwise_steps steps;
    std::size_t n_factors;
    double init_deviation, validation_share;
    std::size_t patience;
};

template <class Text>  // a template, so that only those who use it compile it
void require_pairwise_steps(const pairwise_steps& steps, errc code, Text who) {
    require(steps.loss <= pair_loss::logistic && steps.negatives <= negative_sampling::popular, code, who, ": no such loss or sampling");
    require(std::isfinite(steps.learning_rate) && steps.learning_rate > 0, code, who, ": learning_rate is ", steps.learning_rate, ", must be above 0");
    require(std::isfinite(steps.regularization) && steps.regularization >= 0, code, who, ": regularization is ", steps.regularization, ", must be at least 0");
    require(steps.max_trials >= 1 && steps.max_trials <= 1'000'000, code, who, ": max_trials is ", steps.max_trials, ", must be in 1 .. 1000000");
    require(steps.epochs >= 1 && steps.epochs <= 1'000'000, code, who, ": epochs is ", steps.epochs, ", must be in 1 .. 1000000");
}
template <class Settings>
void require_pairwise(const Settings& how) {
    require_pairwise_steps(how.steps, errc::bad_parameter, how.who);
    require(how.n_factors >= 1 && how.n_factors <= 4096, errc::bad_parameter, how.who, ": n_factors is ", how.n_factors, ", must be in 1 .. 4096");
    require(std::isfinite(how.init_deviation) && how.init_deviation > 0, errc::bad_parameter, how.who, ": init_deviation is ", how.init_deviation,
            ", must be above 0");
    require(how.validation_share >= 0 && how.validation_share < 1, errc::bad_parameter, how.who, ": validation_share is ", how.validation_share,
            ", must be at least 0 and below 1");
    require(how.patience >= 1, errc::bad_parameter, how.who, ": patience is 0, must be at least 1");
}

// ---- arithmetic of one pair ----------------------------------------------------------------------------------------------

// The lanes of a sum, halved until one is left.
template <class T>
CARAMEL_ALWAYS_INLINE T sum_of_lanes(const typename lanes<T>::type& all) noexcept {
    T parts[lanes<T>::count];
    std::memcpy(parts, &all, sizeof parts);
    for (std::size_t half = lanes<T>::count / 2; half > 0; half /= 2)
        for (std::size_t k = 0; k < half; ++k) parts[k] += parts[k + half];
    return parts[0];
}
// p . (a - b), or p . a where b is null; one order for any n.
template <bool Difference, class T>
CARAMEL_ALWAYS_INLINE T pair_dot(const T* p, const T* a, const T* b, std::size_t n) noexcept {
    using lane = typename lanes<T>::type;
    constexpr std::size_t width = lanes<T>::count;
    lane even{}, odd{};
    const auto add = [&](lane& sum, std::size_t at) {
        lane x, y;
        std::memcpy(&x, p + at, sizeof x);
        std::memcpy(&y, a + at, sizeof y);
        if constexpr (Difference) {
            lane z;
            std::memcpy(&z, b + at, sizeof z);
            y = y - z;
        }
        sum = sum + x * y;
    };
    std::size_t j = 0;
    for (; j + 2 * width <= n; j += 2 * width) {
        add(even, j);
        add(odd, j + width);
    }
    if (j + width <= n) {
        add(even, j);
        j += width;
    }
    T out = sum_of_lanes<T>(even + odd);
    for (; j < n; ++j) {
        if constexpr (Difference) out += p[j] * (a[j] - b[j]);
        else out += p[j] * a[j];
    }
    return out;
}

// -d loss / d x_i and d loss / d x_j, and the loss; for BPR and WARP both slopes are the same.
template <class T>
struct pair_slopes {
    T up, down;
    double loss;
};
// 1 / (1 + exp(-x)), and what it leaves to 1.
template <class T>
CARAMEL_ALWAYS_INLINE std::pair<T, T> both_sigmoids(T x) noexcept {
    const T e = std::exp(-std::abs(x)), most = T(1) / (T(1) + e), least = e * most;
    return x >= T(0) ? std::pair(most, least) : std::pair(least, most);
}
template <class T>
pair_slopes<T> logistic_slopes(T bought, T other) noexcept {
    const auto [likely, unlikely] = both_sigmoids(bought);
    const auto [wrong, right] = both_sigmoids(other);
    constexpr double least = static_cast<double>(std::numeric_limits<float>::min());
    return {unlikely, wrong, -std::log(std::max(static_cast<double>(likely), least)) - std::log(std::max(static_cast<double>(right), least))};
}

// H(n) / H(items - 1) for n up to items - 1.
template <class T>
class rank_weights {
   public:
    explicit rank_weights(std::size_t n_items) : weights_(std::max<std::size_t>(n_items, 2)) {
        double sum = 0;
        std::vector<double> harmonic(weights_.size());
        for (std::size_t n = 1; n < harmonic.size(); ++n) harmonic[n] = sum += 1 / static_cast<double>(n);
        for (std::size_t n = 0; n < harmonic.size(); ++n) weights_[n] = static_cast<T>(harmonic[n] / sum);
    }
    // Where the t-th drawn item was the first too close to i.
    [[nodiscard]] T at_trial(std::size_t t) const noexcept { return weights_[std::max<std::size_t>(1, (weights_.size() - 1) / t)]; }

   private:
    std::vector<T> weights_;
};

// ---- who bought what, and what was not bought ------------------------------------------------------------------------------

struct pair_entry {
    std::int32_t customer, item;
    friend bool operator==(const pair_entry&, const pair_entry&) = default;
};

// The pairs to learn from, by customer, and those that are held out.
template <class T>
class pair_lists {
   public:
    pair_lists(const interactions<T>& x, double validation_share, rng numbers, std::string_view who)
        : starts_(x.by_customer().starts), ids_(x.by_customer().ids) {
        if (validation_share == 0) return;
        constexpr std::size_t most = 20'000;  // more would take longer to judge, and say little more
        const auto share = static_cast<std::size_t>(validation_share * static_cast<double>(x.pairs()) + 1e-9);  // .29 * 100 is less than 29
        std::size_t wanted = std::min({share, most, x.pairs() - 1});
        require(wanted > 0, errc::too_few_rows, who, ": validation_share = ", validation_share, " of ", x.pairs(), " pairs leaves none to validate on");
        own_starts_.push_back(0);
        std::size_t left = x.pairs();
        for (std::size_t row = 0; row < x.rows(); ++row) {
            for (const std::int32_t item : x[row].items)
                if (numbers.below(left--) < wanted) {  // selection sampling: every choice of so many is equally likely
                    held_out_.push_back({static_cast<std::int32_t>(row), item});
                    --wanted;
                } else {
                    own_ids_.push_back(item);
                }
            own_starts_.push_back(static_cast<std::int64_t>(own_ids_.size()));
        }
        starts_ = own_starts_;
        ids_ = own_ids_;
    }
    pair_lists(const pair_lists&) = delete;
    pair_lists& operator=(const pair_lists&) = delete;
    ~pair_lists() = default;

    [[nodiscard]] std::size_t size() const noexcept { return ids_.size(); }
    [[nodiscard]] std::size_t customers() const noexcept { return starts_.size() - 1; }
    [[nodiscard]] std::span<const std::int32_t> of(std::size_t customer) const noexcept {
        return ids_.subspan(static_cast<std::size_t>(starts_[customer]), static_cast<std::size_t>(starts_[customer + 1] - starts_[customer]));
    }
    [[nodiscard]] bool contains(std::int32_t customer, std::int32_t item) const noexcept {
        return std::ranges::binary_search(of(static_cast<std::size_t>(customer)), item);
    }
    [[nodiscard]] const std::vector<pair_entry>& held_out() const noexcept { return held_out_; }
    [[nodiscard]] std::vector<pair_entry> entries() const {
        std::vector<pair_entry> out;
        out.reserve(size());
        for (std::size_t row = 0; row < customers(); ++row)
            for (const std::int32_t item : of(row)) out.push_back({static_cast<std::int32_t>(row), item});
        return out;
    }
    [[nodiscard]] std::vector<std::size_t> customers_of_items(std::size_t n_items) const {
        std::vector<std::size_t> out(n_items);
        for (const std::int32_t item : ids_) ++out[static_cast<std::size_t>(item)];
        return out;
    }

   private:
    std::span<const std::int64_t> starts_;
    std::span<const std::int32_t> ids_;
    std::vector<std::int64_t> own_starts_;
    std::vector<std::int32_t> own_ids_;
    std::vector<pair_entry> held_out_;
};

// One of some items, each as likely as the others or in proportion to counts (Walker's alias method: one look-up each).
class item_draw {
   public:
    item_draw() = default;
    // `counts` by row of the item; empty = all are equally likely.
    template <class = void>
    item_draw(std::vector<std::int32_t> items, std::span<const std::size_t> counts) : items_(std::move(items)) {
        std::uint64_t sum = 0;
        if (!counts.empty())
            for (const std::int32_t item : items_) sum += counts[static_cast<std::size_t>(item)];
        if (sum == 0) return;
        const std::size_t n = items_.size();
        threshold_.assign(n, whole);
        other_ = items_;
        std::vector<double> share(n);
        std::vector<std::size_t> small, large;
        for (std::size_t k = 0; k < n; ++k) {
            share[k] = static_cast<double>(counts[static_cast<std::size_t>(items_[k])]) / static_cast<double>(sum) * static_cast<double>(n);
            (share[k] < 1 ? small : large).push_back(k);
        }
        while (!small.empty() && !large.empty()) {
            const std::size_t s = small.back(), l = large.back();
            small.pop_back();
            threshold_[s] = static_cast<std::uint64_t>(share[s] * static_cast<double>(whole));
            other_[s] = items_[l];
            share[l] -= 1 - share[s];
            if (share[l] < 1) {
                large.pop_back();
                small.push_back(l);
            }
        }
        // Roundings may leave an item over: whole, unless nobody bought it.
        for (const std::size_t k : small)
            if (counts[static_cast<std::size_t>(items_[k])] == 0) threshold_[k] = 0, other_[k] = most_bought(counts);
    }
    [[nodiscard]] bool empty() const noexcept { return items_.empty(); }
    CARAMEL_ALWAYS_INLINE std::int32_t operator()(rng& numbers) const noexcept {
        const std::uint64_t u = numbers();
        const std::size_t k = ((u >> 32) * items_.size()) >> 32;
        return threshold_.empty() || (u & 0xffff'ffffU) < threshold_[k] ? items_[k] : other_[k];
    }

   private:
    static constexpr std::uint64_t whole = std::uint64_t{1} << 32;
    template <class = void>
    [[nodiscard]] std::int32_t most_bought(std::span<const std::size_t> counts) const {
        return *std::ranges::max_element(items_, {}, [&](std::int32_t item) { return counts[static_cast<std::size_t>(item)]; });
    }
    std::vector<std::int32_t> items_;
    std::vector<std::uint64_t> threshold_;
    std::vector<std::int32_t> other_;
};

// Whether a block of pairs may have one: no pair of it is missed, and of the others about one in a hundred is taken for one
// (three bits in one word; another salt, other pairs). It is small enough to stay near the processor, where a search in all
// purchases is not.
class pair_filter {
   public:
    template <class = void>
    pair_filter(std::span<const pair_entry> block, std::uint64_t salt)
        : salt_(salt | 1), shift_(64 - std::countr_zero(std::bit_ceil(std::max<std::size_t>(2, block.size() / 4)))), words_(std::size_t{1} << (64 - shift_)) {
        for (const pair_entry& e : block) {
            const auto [word, bits] = place(e);
            words_[word] |= bits;
        }
    }
    template <class = void>
    [[nodiscard]] CARAMEL_ALWAYS_INLINE bool may_have(const pair_entry& e) const noexcept {
        const auto [word, bits] = place(e);
        return (words_[word] & bits) == bits;
    }

   private:
    [[nodiscard]] CARAMEL_ALWAYS_INLINE std::pair<std::size_t, std::uint64_t> place(const pair_entry& e) const noexcept {
        const std::uint64_t key = std::uint64_t{static_cast<std::uint32_t>(e.customer)} << 32 | static_cast<std::uint32_t>(e.item);
        std::uint64_t h = (key ^ salt_) * 0x9e3779b97f4a7c15U;
        h = (h ^ h >> 32) * 0xbf58476d1ce4e5b9U;
        return {static_cast<std::size_t>(h >> shift_),
                std::uint64_t{1} << (h & 63U) | std::uint64_t{1} << (h >> 6 & 63U) | std::uint64_t{1} << (h >> 12 & 63U)};
    }
    std::uint64_t salt_;
    int shift_;
    std::vector<std::uint64_t> words_;
};

// The pairs in a grid of groups of customers x groups of items. Blocks without a common row or column of the grid have no
// customer and no item in common, and negatives are drawn from a block's own items, so such blocks can be worked on at once
// (Gemulla, Nijkamp, Haas & Sismanis, KDD 2011). Items are dealt into groups anew for each epoch: over the epochs every
// item is compared with every other. Grid and order depend on data and seed alone.
template <class T>
class pair_grid {
   public:
    pair_grid(const pair_lists<T>& pairs, std::size_t n_items, negative_sampling sampling, std::size_t groups, const rng& numbers)
        : pairs_(pairs),
          numbers_(numbers),
          groups_(groups),
          counts_(pairs.customers_of_items(n_items)),
          sampling_(sampling),
          entries_(pairs.entries()),
          customer_starts_(groups + 1),
          starts_(groups * groups + 1) {
        // Customers by ascending row, so that a group's factors lie together.
        std::size_t group = 1;
        for (std::size_t k = 0; k < entries_.size(); ++k)
            if (k > 0 && entries_[k].customer != entries_[k - 1].customer)
                while (group < groups_ && k * groups_ >= group * entries_.size()) customer_starts_[group++] = k;
        while (group <= groups_) customer_starts_[group++] = entries_.size();
    }

    // Small enough for the factors of a block to stay in a core's cache; 4 x 4 blocks at least, where threads are worth it
    // and a group still has enough items to draw from.
    [[nodiscard]] static std::size_t groups_for(std::size_t pairs, std::size_t customers, std::size_t items, std::size_t n_factors) noexcept {
        constexpr std::size_t cache = 1 << 20, worth_threads = 4096, enough_items = 256;
        if (pairs < worth_threads || items < enough_items) return 1;
        const std::size_t bytes = (customers + items) * n_factors * sizeof(T);
        std::size_t groups = 4;
        while (groups < 64 && bytes / groups > cache && pairs / (4 * groups * groups) >= 1024 && items / (2 * groups) >= enough_items) groups *= 2;
        return groups;
    }
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

    // What `visit` gets: pairs in random order, the items to draw from, and a stream of random numbers.
    struct block {
        std::span<const pair_entry> pairs;
        const item_draw& draw;
        const pair_filter& filter;
        const pair_lists<T>* bought;  // null: what the filter takes for bought is passed over, which are other pairs in each epoch
        rng& numbers;

        // An item that the customer did not buy; -1 where 64 draws found none.
        CARAMEL_ALWAYS_INLINE std::int32_t negative_for(std::int32_t customer) const {
            for (int tries = 0; tries < 64; ++tries) {
                const std::int32_t item = draw(numbers);
                if (!filter.may_have({customer, item})) [[likely]]
                    return item;
                if (bought != nullptr && !bought->contains(customer, item)) return item;
            }
            return -1;
        }
    };
    // Calls `visit(block)` for each block, in an order that is new in each epoch. Returns the sum of the answers.
    template <class Visit>
    double run_epoch(std::size_t epoch, const run_options& how, const Visit& visit) {
        const rng numbers = numbers_.split(epoch);
        deal_items(numbers.split("items"), how);
        std::vector<double> answers(groups_ * groups_);
        for (const std::size_t shift : numbers.split("strata").permutation(groups_))
            parallel_for(groups_, how, [&](std::size_t row) {
                const std::size_t b = row * groups_ + (row + shift) % groups_;
                const std::span<pair_entry> mine(entries_.data() + starts_[b], starts_[b + 1] - starts_[b]);
                rng stream = numbers.split(b);
                shuffle(mine, stream);
                const pair_filter filter(mine, numbers.split("filter")());
                answers[b] = visit(block{mine, draws_[b % groups_], filter, groups_ == 1 ? &pairs_ : nullptr, stream});
            });
        return std::accumulate(answers.begin(), answers.end(), 0.0);
    }

   private:
    void deal_items(rng numbers, const run_options& how) {
        const auto order = numbers.permutation(counts_.size());
        std::vector<std::uint8_t> group_of(counts_.size());
        std::vector<std::vector<std::int32_t>> members(groups_);
        const double all = static_cast<double>(entries_.size()) + static_cast<double>(counts_.size());
        double before = 0;
        for (const std::size_t item : order) {
            const auto group = std::min(groups_ - 1, static_cast<std::size_t>(before / all * static_cast<double>(groups_)));
            before += static_cast<double>(counts_[item]) + 1;
            group_of[item] = static_cast<std::uint8_t>(group);
            members[group].push_back(static_cast<std::int32_t>(item));
        }
        draws_.resize(groups_);
        for (std::size_t g = 0; g < groups_; ++g) {
            std::sort(members[g].begin(), members[g].end());
            draws_[g] = item_draw(std::move(members[g]),
                                  sampling_ == negative_sampling::popular ? std::span<const std::size_t>(counts_) : std::span<const std::size_t>());
        }
        parallel_for(groups_, how, [&](std::size_t row) {
            const std::span<pair_entry> mine(entries_.data() + customer_starts_[row], customer_starts_[row + 1] - customer_starts_[row]);
            std::vector<std::size_t> next(groups_ + 1);
            for (const pair_entry& e : mine) ++next[group_of[static_cast<std::size_t>(e.item)] + std::size_t{1}];
            std::partial_sum(next.begin(), next.end(), next.begin());
            for (std::size_t g = 0; g < groups_; ++g) starts_[row * groups_ + g] = customer_starts_[row] + next[g];
            if (groups_ == 1) return;
            const std::vector<pair_entry> before_now(mine.begin(), mine.end());
            for (const pair_entry& e : before_now) mine[next[group_of[static_cast<std::size_t>(e.item)]]++] = e;
        });
        starts_.back() = entries_.size();
    }
    // Fisher-Yates by multiplication, without rng::below's two divisions. Blocks are far smaller than 2^32, so all orders
    // are as good as equally likely.
    static void shuffle(std::span<pair_entry> pairs, rng& numbers) noexcept {
        for (std::uint64_t i = pairs.size(); i > 1; --i) std::swap(pairs[i - 1], pairs[((numbers() >> 32) * i) >> 32]);
    }

    const pair_lists<T>& pairs_;
    rng numbers_;
    std::size_t groups_;
    std::vector<std::size_t> counts_;  // customers of each item
    negative_sampling sampling_;
    std::vector<pair_entry> entries_;  // by group of customers, and within it by group of items
    std::vector<std::size_t> customer_starts_, starts_;
    std::vector<item_draw> draws_;  // of each group of items
};

// ---- what is learnt ----------------------------------------------------------------------------------------------------------

template <class T>
row_index whole_lanes(std::size_t n) noexcept {
    return static_cast<row_index>((n + lanes<T>::count - 1) / lanes<T>::count * lanes<T>::count);
}
// Normal rows, each of a stream of its own, filled up with zeros to whole lanes; zeros where `used` says so.
template <class T, class Used>
matrix<T> normal_rows(std::size_t rows, std::size_t n_factors, double deviation, const rng& numbers, const Used& used) {
    matrix<T> out = matrix<T>::Zero(static_cast<row_index>(rows), whole_lanes<T>(n_factors));
    for (std::size_t row = 0; row < rows; ++row) {
        if (!used(row)) continue;
        rng mine = numbers.split(row);
        for (std::size_t j = 0; j < n_factors; ++j)
            out.data()[static_cast<row_index>(row) * out.cols() + static_cast<row_index>(j)] = static_cast<T>(deviation * mine.normal());
    }
    return out;
}

// The same without the lanes that were added.
template <class T>
matrix<T> first_columns(matrix<T>&& x, std::size_t n) {
    if (std::cmp_equal(x.cols(), n)) return std::move(x);
    return x.leftCols(static_cast<row_index>(n));
}

// One row of factors for each customer and item.
template <class T>
class pair_rows {
   public:
    struct state {
        matrix<T> customers, items;
        vec<T> bias;
    };
    explicit pair_rows(state first) : now(std::move(first)), width_(static_cast<std::size_t>(now.items.cols())) {}

    CARAMEL_ALWAYS_INLINE void prefetch(std::int32_t customer, std::int32_t item) const noexcept {
        touch(now.customers.data() + customer * now.customers.cols());
        touch(now.items.data() + item * now.items.cols());
    }
    CARAMEL_ALWAYS_INLINE T score(std::int32_t customer, std::int32_t item) const noexcept {
        return now.bias.data()[item] + pair_dot<false, T>(of(now.customers, customer), of(now.items, item), nullptr, width_);
    }
    CARAMEL_ALWAYS_INLINE T margin(std::int32_t customer, std::int32_t item, std::int32_t other) const noexcept {
        return now.bias.data()[item] - now.bias.data()[other] + pair_dot<true>(of(now.customers, customer), of(now.items, item), of(now.items, other), width_);
    }
    // See `pairwise_steps`: up = rate a, down = rate c, and x + rate (y - regularization x) = keep x + rate y.
    CARAMEL_ALWAYS_INLINE void step(std::int32_t customer, std::int32_t item, std::int32_t other, T up, T down, T keep) noexcept {
        T& bought_bias = now.bias.data()[item];
        T& other_bias = now.bias.data()[other];
        bought_bias = keep * bought_bias + up;
        other_bias = keep * other_bias - down;
        T* const p = now.customers.data() + customer * now.customers.cols();
        T* const q = now.items.data() + item * now.items.cols();
        T* const r = now.items.data() + other * now.items.cols();
        using lane = typename lanes<T>::type;
        for (std::size_t j = 0; j < width_; j += lanes<T>::count) {
            lane x, y, z;
            std::memcpy(&x, p + j, sizeof x);
            std::memcpy(&y, q + j, sizeof y);
            std::memcpy(&z, r + j, sizeof z);
            const lane new_x = keep * x + (up * y - down * z), new_y = keep * y + up * x, new_z = keep * z - down * x;
            std::memcpy(p + j, &new_x, sizeof x);
            std::memcpy(q + j, &new_y, sizeof y);
            std::memcpy(r + j, &new_z, sizeof z);
        }
    }
    [[nodiscard]] const pair_rows& by_id() const noexcept { return *this; }
    [[nodiscard]] bool all_finite() const {
        const auto finite = [](const auto& x) { return detail::all_finite(std::span<const T>(x.data(), static_cast<std::size_t>(x.size()))); };
        return finite(now.customers) && finite(now.items) && finite(now.bias);
    }

    state now;

   private:
    static const T* of(const matrix<T>& x, std::int32_t row) noexcept { return x.data() + row * x.cols(); }
    CARAMEL_ALWAYS_INLINE void touch(const T* values) const noexcept {
        for (std::size_t j = 0; j < width_; j += 64 / sizeof(T)) CARAMEL_PREFETCH(values + j);
    }
    std::size_t width_;
};

// One pass over a block. Returns the sum of the losses, each as it was before its step.
template <class T, class Rows, class Block>
double pair_pass(const Block& block, const pairwise_steps& steps, const rank_weights<T>& ranks, Rows& rows) {
    const T rate = static_cast<T>(steps.learning_rate), keep = static_cast<T>(1 - steps.learning_rate * steps.regularization);
    const auto pairs = block.pairs;
    constexpr std::size_t ahead = 8;
    double loss = 0;
    if (steps.loss == pair_loss::warp) {
        for (std::size_t k = 0; k < pairs.size(); ++k) {
            const auto& later = pairs[std::min(k + ahead, pairs.size() - 1)];
            rows.prefetch(later.customer, later.item);
            const auto [customer, item] = pairs[k];
            const T bought = rows.score(customer, item);
            for (std::size_t trial = 1; trial <= steps.max_trials; ++trial) {
                const std::int32_t other = block.negative_for(customer);
                if (other < 0) break;
                const T hinge = T(1) - bought + rows.score(customer, other);
                if (hinge <= T(0)) continue;  // a NaN is stepped on, and found
                const T weight = ranks.at_trial(trial);
                rows.step(customer, item, other, rate * weight, rate * weight, keep);
                loss += static_cast<double>(weight * hinge);
                break;
            }
        }
        return loss;
    }
    std::int32_t drawn[ahead];
    const auto draw = [&](std::size_t k) {
        if (k >= pairs.size()) return;
        const std::int32_t other = block.negative_for(pairs[k].customer);
        drawn[k % ahead] = other;
        rows.prefetch(pairs[k].customer, pairs[k].item);
        if (other >= 0) rows.prefetch(pairs[k].customer, other);
    };
    for (std::size_t k = 0; k < ahead; ++k) draw(k);
    double likelihood = 1;
    for (std::size_t k = 0; k < pairs.size(); ++k) {
        const auto [customer, item] = pairs[k];
        const std::int32_t other = drawn[k % ahead];
        draw(k + ahead);
        if (other < 0) continue;
        if (steps.loss == pair_loss::bpr) {
            const auto [right, wrong] = both_sigmoids(rows.margin(customer, item, other));
            rows.step(customer, item, other, rate * wrong, rate * wrong, keep);
            // One logarithm for several pairs: each is at least 1e-38.
            likelihood *= std::max(static_cast<double>(right), 1.2e-38);
            if (likelihood < 1e-200) {
                loss -= std::log(likelihood);
                likelihood = 1;
            }
            if (std::isnan(right)) return std::numeric_limits<double>::quiet_NaN();
        } else {
            const auto slopes = logistic_slopes(rows.score(customer, item), rows.score(customer, other));
            rows.step(customer, item, other, rate * slopes.up, rate * slopes.down, keep);
            loss += slopes.loss;
        }
    }
    return loss - std::log(likelihood);
}

// How well held-out purchases stand among 100 items each that the customer never bought: the mean of 1 / log2(rank + 1),
// where an equal score counts half a place.
template <class T>
class pair_judge {
   public:
    pair_judge(const interactions<T>& x, const std::vector<pair_entry>& held_out, rng numbers) : held_out_(held_out), others_(held_out.size() * n_others, -1) {
        for (std::size_t k = 0; k < held_out.size(); ++k)
            for (std::size_t draw = 0, found = 0; draw < 4 * n_others && found < n_others; ++draw) {
                const auto item = static_cast<std::int32_t>(numbers.below(x.items().size()));
                if (!x.contains(static_cast<std::size_t>(held_out[k].customer), item)) others_[k * n_others + found++] = item;
            }
    }
    template <class Rows>
    [[nodiscard]] double operator()(const Rows& rows, const run_options& how) const {
        constexpr std::size_t size = 256;
        std::vector<double> parts((held_out_.size() + size - 1) / size);
        parallel_blocks(held_out_.size(), size, how, [&](std::size_t begin, std::size_t end, std::size_t b) {
            for (std::size_t k = begin; k < end; ++k) {
                const auto [customer, item] = held_out_[k];
                const T mine = rows.score(customer, item);
                double rank = 1;
                for (const std::int32_t other : std::span(others_).subspan(k * n_others, n_others)) {
                    if (other < 0) break;
                    const T theirs = rows.score(customer, other);
                    rank += theirs > mine ? 1 : theirs == mine ? .5 : 0;
                }
                parts[b] += 1 / std::log2(rank + 1);
            }
        });
        return std::accumulate(parts.begin(), parts.end(), 0.0) / static_cast<double>(held_out_.size());
    }

   private:
    static constexpr std::size_t n_others = 100;
    const std::vector<pair_entry>& held_out_;
    std::vector<std::int32_t> others_;
};

// Learns `rows` and returns how many epochs what is kept has behind it.
template <class T, class Rows>
std::size_t learn_pairs(const pairwise_settings& how, const interactions<T>& x, const pair_lists<T>& pairs, Rows& rows, std::string_view kind,
                        const fit_options& options, const run_options& threads, const rng& numbers) {
    pair_grid<T> grid(pairs, x.items().size(), how.steps.negatives, pair_grid<T>::groups_for(pairs.size(), x.rows(), x.items().size(), how.n_factors),
                      numbers.split("order"));
    const rank_weights<T> ranks(x.items().size());
    const pair_judge<T> judge(x, pairs.held_out(), numbers.split("judge"));
    const auto require_sane = [&](bool sane, std::size_t epoch) {
        require(sane, errc::diverged, how.who, ": training diverged in epoch ", epoch, ": lower learning_rate (", how.steps.learning_rate, ')');
    };
    const double too_high = how.steps.loss == pair_loss::warp ? 1000 : 30;  // far beyond what any useful rate does
    std::optional<decltype(rows.now)> best;
    double highest = -1;
    std::size_t waited = 0, best_epoch = 0, epoch = 0;
    bool stopped = false;
    while (epoch < how.steps.epochs && waited < how.patience && !stopped) {
        const double loss =
            grid.run_epoch(epoch, threads, [&](const auto& block) { return pair_pass<T>(block, how.steps, ranks, rows); }) / static_cast<double>(grid.size());
        ++epoch;
        require_sane(loss <= too_high && rows.all_finite(), epoch);
        if (!pairs.held_out().empty()) {
            const double now = judge(rows.by_id(), threads);
            waited = now > highest ? 0 : waited + 1;
            if (waited == 0) {
                highest = now;
                best = rows.now;
                best_epoch = epoch;
            }
        }
        stopped = options.on_progress && options.on_progress({kind, epoch, how.steps.epochs, loss}) == verdict::stop;
    }
    if (best) rows.now = std::move(*best);
    return best_epoch > 0 ? best_epoch : epoch;
}

// A customer's factors from a history, the items staying as they are: from zeros, as many passes over the history as there
// were epochs but at most 100, by the steps of training with a stream of random numbers that is always the same.
template <class T>
void fold_pairs(const pairwise_steps& steps, std::span<const std::int32_t> history, const matrix<T>& items, const vec<T>& bias, const item_draw& draw,
                const rank_weights<T>& ranks, std::span<T> out) {
    std::fill(out.begin(), out.end(), T(0));
    const T rate = static_cast<T>(steps.learning_rate), keep = static_cast<T>(1 - steps.learning_rate * steps.regularization);
    const std::size_t n = out.size();
    rng numbers(0);
    const auto factors = [&](std::int32_t item) { return items.data() + item * items.cols(); };
    const auto score = [&](std::int32_t item) { return bias.data()[item] + pair_dot<false, T>(out.data(), factors(item), nullptr, n); };
    const auto negative = [&]() -> std::int32_t {
        for (int tries = 0; tries < 64; ++tries)
            if (const std::int32_t item = draw(numbers); !std::binary_search(history.begin(), history.end(), item)) return item;
        return -1;
    };
    const auto step = [&](std::int32_t item, std::int32_t other, T up, T down) {
        const T *const q = factors(item), *const r = factors(other);
        for (std::size_t j = 0; j < n; ++j) out[j] = keep * out[j] + (up * q[j] - down * r[j]);
    };
    for (std::size_t pass = 0; pass < std::min<std::size_t>(steps.epochs, 100); ++pass)
        for (const std::int32_t item : history) {
            const T bought = score(item);
            for (std::size_t trial = 1; trial <= (steps.loss == pair_loss::warp ? steps.max_trials : 1); ++trial) {
                const std::int32_t other = negative();
                if (other < 0) break;
                const T theirs = score(other);
                if (steps.loss == pair_loss::warp) {
                    if (T(1) - bought + theirs <= T(0)) continue;
                    const T weight = ranks.at_trial(trial);
                    step(item, other, rate * weight, rate * weight);
                    break;
                }
                if (steps.loss == pair_loss::bpr) {
                    const T wrong = both_sigmoids(bought - theirs).second;
                    step(item, other, rate * wrong, rate * wrong);
                } else {
                    const auto slopes = logistic_slopes(bought, theirs);
                    step(item, other, rate * slopes.up, rate * slopes.down);
                }
            }
        }
}

template <class T>
item_draw draw_of_all(std::size_t n_items, negative_sampling sampling, std::span<const T> customers_of) {
    std::vector<std::int32_t> all(n_items);
    std::iota(all.begin(), all.end(), 0);
    std::vector<std::size_t> counts;
    if (sampling == negative_sampling::popular)
        for (const T n : customers_of) counts.push_back(static_cast<std::size_t>(n));
    return {std::move(all), counts};
}

}  // namespace detail

/// Factors of customers and items and a bias of each item, learnt by comparing: score = bias + customer . item. What `bpr`
/// and `warp` give. A customer without purchases has factors 0, so that the biases alone rank. See `query` for what can be
/// asked. A history in a query is folded in: the customer's side alone is learnt on the spot, from zeros, by the steps of
/// training (as many passes as epochs, at most 100) with random numbers that are always the same.
template <class T>
class pairwise_model : public detail::recommender<pairwise_model<T>, T> {
   public:
    static constexpr std::string_view kind = "pairwise";

    /// `customer_factors` is (customers, n_factors), `item_factors` (items, n_factors), `item_bias` (items).
    /// Throws `error` (`bad_data`) on fields that do not belong together.
    pairwise_model(interactions<T> purchases, matrix<T> customer_factors, matrix<T> item_factors, vec<T> item_bias, pairwise_steps steps)
        : base(std::move(purchases)),
          customer_factors_(std::move(customer_factors)),
          item_factors_(std::move(item_factors)),
          item_bias_(std::move(item_bias)),
          steps_(steps),
          draw_(detail::draw_of_all<T>(base::items().size(), steps.negatives, base::customers_of())),
          ranks_(base::items().size()) {
        detail::require_pairwise_steps(steps_, errc::bad_data, kind);
        require(std::cmp_equal(customer_factors_.rows(), base::customers().size()) && std::cmp_equal(item_factors_.rows(), base::items().size()) &&
                    item_bias_.size() == item_factors_.rows() && customer_factors_.cols() == item_factors_.cols() && customer_factors_.allFinite() &&
                    item_factors_.allFinite() && item_bias_.allFinite(),
                errc::bad_data, "pairwise: purchases, factors and biases do not belong together");
    }

    /// (customers, n_factors)
    [[nodiscard]] const matrix<T>& customer_factors() const noexcept { return customer_factors_; }
    /// (items, n_factors)
    [[nodiscard]] const matrix<T>& item_factors() const noexcept { return item_factors_; }
    [[nodiscard]] const vec<T>& item_bias() const noexcept { return item_bias_; }
    [[nodiscard]] const pairwise_steps& steps() const noexcept { return steps_; }
    /// The factors of a known customer, or of the history in a query (zero for an empty one): (n_factors) in the
    /// workspace. Throws `error` as a query does.
    [[nodiscard]] std::span<const T> factors_of(const query& who, workspace& scratch) const {
        const workspace::frame frame(scratch);
        const auto found = base::resolve(who, scratch);
        if (found.row) return row_of(customer_factors_, static_cast<row_index>(*found.row));
        return folded(found.items, scratch);
    }

    static constexpr std::array field_names{"purchases", "customer_factors", "item_factors", "item_bias", "steps"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(base::purchases(), customer_factors_, item_factors_, item_bias_, steps_); }

   private:
    using base = detail::recommender<pairwise_model, T>;
    friend base;

    std::span<const T> folded(std::span<const std::int32_t> history, workspace& scratch) const {
        const auto out = scratch.take<T>(static_cast<std::size_t>(item_factors_.cols()));
        detail::fold_pairs(steps_, history, item_factors_, item_bias_, draw_, ranks_, out);
        return out;
    }
    void score_all(std::span<const T> factors, std::span<T> out) const noexcept {
        for (std::size_t item = 0; item < out.size(); ++item)
            out[item] =
                item_bias_.data()[item] + detail::pair_dot<false, T>(factors.data(), item_factors_.data() + item * factors.size(), nullptr, factors.size());
    }
    void score_known(std::size_t row, std::span<T> out, workspace&) const { score_all(row_of(customer_factors_, static_cast<row_index>(row)), out); }
    void score_history(std::span<const std::int32_t> items, std::span<const T>, std::span<T> out, workspace& scratch) const {
        score_all(folded(items, scratch), out);
    }

    matrix<T> customer_factors_, item_factors_;
    vec<T> item_bias_;
    pairwise_steps steps_;
    detail::item_draw draw_;  // for folding in
    detail::rank_weights<T> ranks_;
};

namespace detail {

template <class T>
pairwise_model<T> fit_pairwise(pairwise_settings how, const interactions<T>& x, const fit_options& options) {
    require_pairwise(how);
    require_purchases(x, how.who);
    const rng numbers = stage_rng(options, pairwise_model<T>::kind);
    const pair_lists<T> pairs(x, how.validation_share, numbers.split("validation"), how.who);
    pair_rows<T> rows(
        {normal_rows<T>(x.rows(), how.n_factors, how.init_deviation, numbers.split("customers"), [&](std::size_t row) { return !pairs.of(row).empty(); }),
         normal_rows<T>(x.items().size(), how.n_factors, how.init_deviation, numbers.split("items"), [](std::size_t) { return true; }),
         vec<T>::Zero(static_cast<row_index>(x.items().size()))});
    how.steps.epochs = learn_pairs<T>(how, x, pairs, rows, pairwise_model<T>::kind, options, options, numbers);
    return {x.without_times(), first_columns(std::move(rows.now.customers), how.n_factors), first_columns(std::move(rows.now.items), how.n_factors),
            std::move(rows.now.bias), how.steps};
}

}  // namespace detail

}  // namespace caramel::inline CARAMEL_ABI

#endif
