#ifndef CARAMEL_RECOMMEND_SGD_HPP
#define CARAMEL_RECOMMEND_SGD_HPP

// Matrix factorization of explicit ratings by stochastic gradient descent: what would this customer say of that item?

#include <algorithm>
#include <array>
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
#include <caramel/recommend/rating_model.hpp>

namespace caramel::inline CARAMEL_ABI {

/// How `sgd_factorization` steps. With e = rating - prediction, each visit of a rating of customer u for item i does
///
///     b_u += rate (e - regularization b_u)            p_u += rate (e q_i - regularization p_u)
///     b_i += rate (e - regularization b_i)            q_i += rate (e p_u - regularization q_i)
///
/// at once (Koren, Bell & Volinsky, Computer 42(8), 2009, equations 4 and 5), rate = learning_rate / (1 + learning_rate_decay * epochs done).
struct sgd_steps {
    double learning_rate = 0.005;    ///< above 0
    double learning_rate_decay = 0;  ///< at least 0
    double regularization = 0.02;    ///< at least 0
    std::size_t epochs = 20;         ///< 1 .. 1,000,000; in a model: so many were run

    [[nodiscard]] double rate(std::size_t epochs_done) const noexcept { return learning_rate / (1 + learning_rate_decay * static_cast<double>(epochs_done)); }

    friend bool operator==(const sgd_steps&, const sgd_steps&) = default;
    static constexpr std::array field_names{"learning_rate", "learning_rate_decay", "regularization", "epochs"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(learning_rate, learning_rate_decay, regularization, epochs); }
};

namespace detail {

template <class = void>
inline void require_sgd_steps(const sgd_steps& steps, std::string_view who, errc code) {
    require(std::isfinite(steps.learning_rate) && steps.learning_rate > 0, code, who, ": learning_rate is ", steps.learning_rate, ", must be above 0");
    require(std::isfinite(steps.learning_rate_decay) && steps.learning_rate_decay >= 0, code, who, ": learning_rate_decay is ", steps.learning_rate_decay,
            ", must be at least 0");
    require(std::isfinite(steps.regularization) && steps.regularization >= 0, code, who, ": regularization is ", steps.regularization, ", must be at least 0");
    require(steps.epochs >= 1 && steps.epochs <= 1'000'000, code, who, ": epochs is ", steps.epochs, ", must be in 1 .. 1000000");
}
template <class = void>
inline void require_init_deviation(double deviation, std::string_view who) {
    require(std::isfinite(deviation) && deviation > 0, errc::bad_parameter, who, ": init_deviation is ", deviation, ", must be above 0");
}
// A mean squared error beyond so many times that of the start is far beyond what any useful rate does.
inline constexpr double diverged_error = 1000;
template <class = void>
inline void require_sane_training(bool sane, std::size_t epoch, double learning_rate, std::string_view who) {
    require(sane, errc::diverged, who, ": training diverged in epoch ", epoch, ": lower learning_rate (", learning_rate, "), or scale the ratings down");
}
// Whether biases and factors are finite and belong to so many customers and items.
template <class T>
bool factors_fit(std::size_t customers, std::size_t items, T mean, const vec<T>& customer_bias, const vec<T>& item_bias, const matrix<T>& customer_factors,
                 const matrix<T>& item_factors) noexcept {
    return std::cmp_equal(customer_bias.size(), customers) && std::cmp_equal(item_bias.size(), items) && customer_factors.rows() == customer_bias.size() &&
           item_factors.rows() == item_bias.size() && customer_factors.cols() == item_factors.cols() && std::isfinite(mean) && customer_bias.allFinite() &&
           item_bias.allFinite() && customer_factors.allFinite() && item_factors.allFinite();
}

#if defined(__GNUC__)
// The upper half of the lanes onto the lower one, until one is left.
template <class T, std::size_t N, class Lane>
CARAMEL_ALWAYS_INLINE T sum_of_lanes(const Lane& lanes) noexcept {
    if constexpr (N == 2) {
        return lanes[0] + lanes[1];
    } else if constexpr (N == 4) {
        return (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]);
    } else {
        typedef T half __attribute__((vector_size(N / 2 * sizeof(T))));
        half low, high;
        std::memcpy(&low, &lanes, sizeof low);
        std::memcpy(&high, reinterpret_cast<const char*>(&lanes) + sizeof low, sizeof high);
        return sum_of_lanes<T, N / 2>(low + high);
    }
}
#else
template <class T, std::size_t N>
T sum_of_lanes(T lane) noexcept {
    return lane;
}
#endif

// Four sums of lanes, then lane by lane: one order for any n, the same wherever the rows lie. (Four named sums, since
// g++ -O2 keeps an array of them in memory.)
template <class T>
CARAMEL_ALWAYS_INLINE T dot_by_lanes(const T* a, const T* b, std::size_t n) noexcept {
    using lane = typename lanes<T>::type;
    constexpr std::size_t width = lanes<T>::count;
    lane sum0{}, sum1{}, sum2{}, sum3{};
    const auto add = [a, b](lane& sum, std::size_t at) {
        lane x, y;
        std::memcpy(&x, a + at, sizeof x);
        std::memcpy(&y, b + at, sizeof y);
        sum = sum + x * y;
    };
    std::size_t j = 0;
    for (; j + 4 * width <= n; j += 4 * width) {
        add(sum0, j);
        add(sum1, j + width);
        add(sum2, j + 2 * width);
        add(sum3, j + 3 * width);
    }
    for (; j + width <= n; j += width) add(sum0, j);
    T out = sum_of_lanes<T, width>((sum0 + sum1) + (sum2 + sum3));
    for (; j < n; ++j) out += a[j] * b[j];
    return out;
}

// Asks for memory that will be read and written soon, which pays where the factors exceed the cache.
template <class T>
CARAMEL_ALWAYS_INLINE void prefetch(const T* values, std::size_t n) noexcept {
#if defined(__GNUC__)
    constexpr std::size_t line = 64 / sizeof(T);
    for (std::size_t j = 0; j < n; j += line) __builtin_prefetch(values + j, 1);
#else
    (void)values, (void)n;
#endif
}

// The step of one rating, on rows of `width` numbers, a multiple of the lanes. The algebra is that of `sgd_steps`:
// x + rate (e y - regularization x) = keep x + (rate e) y.
template <class T>
class sgd_step {
   public:
    sgd_step(double rate, double regularization, std::size_t width)
        : rate_(static_cast<T>(rate)), keep_(static_cast<T>(1 - rate * regularization)), width_(width) {}

    // `rating` is without the mean. Returns the error before the step.
    CARAMEL_ALWAYS_INLINE T operator()(T rating, T* p, T* q, T& customer_bias, T& item_bias) const {
        const T e = rating - (customer_bias + item_bias) - dot_by_lanes(p, q, width_);
        const T pull = rate_ * e;
        customer_bias = keep_ * customer_bias + pull;
        item_bias = keep_ * item_bias + pull;
        using lane = typename lanes<T>::type;
        for (std::size_t j = 0; j < width_; j += lanes<T>::count) {
            lane x, y;
            std::memcpy(&x, p + j, sizeof x);
            std::memcpy(&y, q + j, sizeof y);
            const lane new_x = keep_ * x + pull * y;
            const lane new_y = keep_ * y + pull * x;
            std::memcpy(p + j, &new_x, sizeof x);
            std::memcpy(q + j, &new_y, sizeof y);
        }
        return e;
    }

   private:
    T rate_, keep_;
    std::size_t width_;
};

template <class T>
struct rating_entry {
    std::int32_t customer, item;
    T value;
};

// Calls `visit(row, item, value)` for the ratings that are held out, or for the others. An empty mask holds none out.
template <class T, class Visit>
void each_rating(const interactions<T>& x, const std::vector<bool>& held_out, bool wanted, const Visit& visit) {
    std::size_t k = 0;
    for (std::size_t row = 0; row < x.rows(); ++row) {
        const auto mine = x[row];
        for (std::size_t i = 0; i < mine.size(); ++i, ++k)
            if ((!held_out.empty() && held_out[k]) == wanted) visit(row, static_cast<std::size_t>(mine.items[i]), mine.values[i]);
    }
}

// Customers or items in random order, cut into groups with about equally many ratings each.
struct rating_groups {
    std::vector<std::size_t> ratings;  // of each row
    std::vector<std::int32_t> place;   // of each row in the order; a group's places follow each other
    std::vector<std::size_t> group;    // of each row

    template <class = void>
    rating_groups(std::vector<std::size_t> ratings_of_rows, std::size_t n_groups, rng numbers)
        : ratings(std::move(ratings_of_rows)), place(ratings.size()), group(ratings.size()) {
        const auto order = numbers.permutation(ratings.size());
        const double all = static_cast<double>(std::accumulate(ratings.begin(), ratings.end(), std::size_t{1}));
        std::size_t before = 0;
        for (std::size_t at = 0; at < order.size(); ++at) {
            place[order[at]] = static_cast<std::int32_t>(at);
            group[order[at]] = static_cast<std::size_t>(static_cast<double>(before) / all * static_cast<double>(n_groups));
            before += ratings[order[at]];
        }
    }
};

// The ratings in a grid of groups of customers x groups of items. Blocks without a common row or column of the grid have
// no customer and no item in common, so they can be worked on at once (Gemulla, Nijkamp, Haas & Sismanis, KDD 2011).
// A block goes from customer to customer, a few at a time, whose ratings are in random order: their factors stay in the
// nearest cache, and the steps of one seldom wait for those of the one before. The blocks come in a new order in each epoch.
// Grid and order depend on data and seed alone.
template <class T>
class rating_grid {
   public:
    rating_grid(const interactions<T>& x, const std::vector<bool>& held_out, double mean, std::size_t groups, const rng& numbers)
        : numbers_(numbers.split("order")),
          groups_(groups),
          customers_(count(x, held_out, x.rows(), true), groups, numbers.split("customer groups")),
          items_(count(x, held_out, x.items().size(), false), groups, numbers.split("item groups")),
          starts_(groups * groups + 1) {
        const auto block_of = [&](std::size_t row, std::size_t item) { return customers_.group[row] * groups_ + items_.group[item]; };
        each_rating(x, held_out, false, [&](std::size_t row, std::size_t item, T) { ++starts_[block_of(row, item) + 1]; });
        std::partial_sum(starts_.begin(), starts_.end(), starts_.begin());
        entries_.resize(starts_.back());
        // Customer by customer, in the order of their places.
        std::vector<std::size_t> row_at(x.rows());
        for (std::size_t row = 0; row < x.rows(); ++row) row_at[static_cast<std::size_t>(customers_.place[row])] = row;
        auto next = starts_;
        for (const std::size_t row : row_at) {
            const auto mine = x[row];
            auto k = static_cast<std::size_t>(x.by_customer().starts[row]);
            for (std::size_t i = 0; i < mine.size(); ++i, ++k)
                if (const auto item = static_cast<std::size_t>(mine.items[i]); held_out.empty() || !held_out[k])
                    entries_[next[block_of(row, item)]++] = {customers_.place[row], items_.place[item],
                                                             static_cast<T>(static_cast<double>(mine.values[i]) - mean)};
        }
        for (std::size_t b = 0; b < groups * groups; ++b) {
            const auto block = std::span(entries_).subspan(starts_[b], starts_[b + 1] - starts_[b]);
            rng mine = numbers_.split("strips").split(b);
            for (std::size_t from = 0, to = 0; from < block.size(); from = to) {
                while (to < block.size() && block[to].customer / strip == block[from].customer / strip) ++to;
                shuffle(block.subspan(from, to - from), mine);
            }
        }
    }

    // Small enough for the factors of a block to stay in a core's cache; 4 x 4 blocks at least, where threads are worth it.
    [[nodiscard]] static std::size_t groups_for(const interactions<T>& x, std::size_t n_factors) noexcept {
        constexpr std::size_t cache = 4 << 20, worth_threads = 4096;
        if (x.pairs() < worth_threads) return 1;
        const std::size_t bytes = (x.rows() + x.items().size()) * n_factors * sizeof(T);
        std::size_t groups = 4;
        while (groups < 64 && bytes / groups > cache && x.pairs() / (4 * groups * groups) >= 1024) groups *= 2;
        return groups;
    }

    [[nodiscard]] std::size_t ratings() const noexcept { return entries_.size(); }
    [[nodiscard]] const rating_groups& customers() const noexcept { return customers_; }
    [[nodiscard]] const rating_groups& items() const noexcept { return items_; }

    // Calls `visit(block, its number)` for each block of entries (customer and item by place, value without the mean), in
    // an order that is new in each epoch; inside a block it is the same. Returns the sum of the answers.
    template <class Visit>
    double run_epoch(std::size_t epoch, const run_options& how, const Visit& visit) {
        const rng numbers = numbers_.split(epoch);
        std::vector<double> answers(groups_ * groups_);
        for (const std::size_t shift : numbers.split("strata").permutation(groups_))
            parallel_for(groups_, how, [&](std::size_t row) {
                const std::size_t b = row * groups_ + (row + shift) % groups_;
                const std::span<rating_entry<T>> block(entries_.data() + starts_[b], starts_[b + 1] - starts_[b]);
                answers[b] = visit(std::span<const rating_entry<T>>(block), b);
            });
        return std::accumulate(answers.begin(), answers.end(), 0.0);
    }

   private:
    static std::vector<std::size_t> count(const interactions<T>& x, const std::vector<bool>& held_out, std::size_t n, bool customers) {
        std::vector<std::size_t> out(n);
        each_rating(x, held_out, false, [&](std::size_t row, std::size_t item, T) { ++out[customers ? row : item]; });
        return out;
    }
    // Fisher-Yates by multiplication, without rng::below's two divisions. Strips are far smaller than 2^32, so all orders are
    // as good as equally likely.
    static void shuffle(std::span<rating_entry<T>> block, rng& numbers) noexcept {
        for (std::uint64_t i = block.size(); i > 1; --i) std::swap(block[i - 1], block[((numbers() >> 32) * i) >> 32]);
    }

    static constexpr std::int32_t strip = 16;  // customers at a time

    rng numbers_;
    std::size_t groups_;
    rating_groups customers_, items_;
    std::vector<std::size_t> starts_;
    std::vector<rating_entry<T>> entries_;
};

// What is learnt, by place: the rows of factors are filled up with zeros to whole lanes.
template <class T>
struct rating_factors {
    matrix<T> factors;
    vec<T> bias;

    rating_factors(const rating_groups& groups, std::size_t n_factors, double deviation, const rng& numbers, const run_options& how)
        : factors(matrix<T>::Zero(static_cast<row_index>(groups.place.size()), padded(n_factors))), bias(vec<T>::Zero(factors.rows())) {
        parallel_blocks(groups.place.size(), 256, how, [&](std::size_t begin, std::size_t end, std::size_t) {
            for (std::size_t row = begin; row < end; ++row) {
                if (groups.ratings[row] == 0) continue;  // nothing is known, so nothing is said
                rng mine = numbers.split(row);
                for (std::size_t j = 0; j < n_factors; ++j) factors_of(groups.place[row])[j] = static_cast<T>(deviation * mine.normal());
            }
        });
    }
    [[nodiscard]] T* factors_of(std::int32_t place) noexcept { return factors.data() + place * factors.cols(); }
    [[nodiscard]] const T* factors_of(std::int32_t place) const noexcept { return factors.data() + place * factors.cols(); }
    [[nodiscard]] std::size_t width() const noexcept { return static_cast<std::size_t>(factors.cols()); }

    // In the order of the rows, without the padding.
    [[nodiscard]] matrix<T> factors_by_row(const rating_groups& groups, std::size_t n_factors) const {
        matrix<T> out(factors.rows(), static_cast<row_index>(n_factors));
        for (row_index row = 0; row < out.rows(); ++row)
            std::copy_n(factors_of(groups.place[static_cast<std::size_t>(row)]), n_factors, out.data() + row * out.cols());
        return out;
    }
    [[nodiscard]] vec<T> bias_by_row(const rating_groups& groups) const {
        vec<T> out(bias.size());
        for (row_index row = 0; row < out.size(); ++row) out(row) = bias(groups.place[static_cast<std::size_t>(row)]);
        return out;
    }

   private:
    static row_index padded(std::size_t n) noexcept { return static_cast<row_index>((n + lanes<T>::count - 1) / lanes<T>::count * lanes<T>::count); }
};

// One pass over a block. Returns the sum of the squared errors, each as it was before its step.
template <class T>
double sgd_pass(std::span<const rating_entry<T>> block, const sgd_step<T>& step, rating_factors<T>& customers, rating_factors<T>& items) {
    constexpr std::size_t ahead = 10;  // into the strips to come
    double squares = 0;
    for (std::size_t k = 0; k < block.size(); ++k) {
        const auto& r = block[k];
        const auto& later = block[std::min(k + ahead, block.size() - 1)];
        prefetch(customers.factors_of(later.customer), customers.width());
        prefetch(items.factors_of(later.item), items.width());
        const T e = step(r.value, customers.factors_of(r.customer), items.factors_of(r.item), customers.bias.data()[r.customer], items.bias.data()[r.item]);
        squares += static_cast<double>(e) * static_cast<double>(e);
    }
    return squares;
}

// The steps of training for a customer that comes later, the items held. `predict(item)` looks at `factors` and `bias` as
// they are by then.
template <class T, class Predict>
void sgd_fold_in(const sgd_steps& steps, std::span<const std::int32_t> items, std::span<const T> ratings, const matrix<T>& item_factors, std::span<T> factors,
                 T& bias, const Predict& predict) {
    for (std::size_t epoch = 0; epoch < steps.epochs && !items.empty(); ++epoch) {
        const T rate = static_cast<T>(steps.rate(epoch));
        const T keep = static_cast<T>(1 - steps.rate(epoch) * steps.regularization);
        for (std::size_t k = 0; k < items.size(); ++k) {
            const T pull = rate * (ratings[k] - predict(items[k]));
            const auto q = row_of(item_factors, items[k]);
            bias = keep * bias + pull;
            for (std::size_t j = 0; j < q.size(); ++j) factors[j] = keep * factors[j] + pull * q[j];
        }
    }
}

}  // namespace detail

/// Ratings predicted as mean + bias of the customer + bias of the item + factors . factors (Koren, Bell & Volinsky 2009).
/// A customer or item without ratings has bias and factors 0, so what is predicted is the mean plus the bias that is known.
///
/// `predict` answers for ids, known or not. As a recommender the model ranks by the same number before it is kept within
/// `min_rating` .. `max_rating` (there, all the best would be equal), and `score` gives that number. The customer's side
/// of a history in a query is learnt on the spot, from zeros and with the steps of training. (Histories have no negative values.)
template <class T>
class sgd_factorization_model : public detail::rating_recommender<sgd_factorization_model<T>, T> {
   public:
    static constexpr std::string_view kind = "sgd_factorization";

    /// Biases are (customers) and (items); factors (customers, n_factors) and (items, n_factors).
    /// Throws `error` (`bad_data`) on fields that do not belong together.
    sgd_factorization_model(interactions<T> ratings, T mean, vec<T> customer_bias, vec<T> item_bias, matrix<T> customer_factors, matrix<T> item_factors,
                            sgd_steps steps, double min_rating, double max_rating)
        : base(std::move(ratings), min_rating, max_rating),
          mean_(mean),
          customer_bias_(std::move(customer_bias)),
          item_bias_(std::move(item_bias)),
          customer_factors_(std::move(customer_factors)),
          item_factors_(std::move(item_factors)),
          steps_(steps) {
        detail::require_sgd_steps(steps_, kind, errc::bad_data);
        require(detail::factors_fit(base::customers().size(), base::items().size(), mean_, customer_bias_, item_bias_, customer_factors_, item_factors_),
                errc::bad_data, "sgd_factorization: ratings, biases and factors do not belong together");
    }

    /// Of the ratings that were learnt from.
    [[nodiscard]] T mean() const noexcept { return mean_; }
    [[nodiscard]] const vec<T>& customer_bias() const noexcept { return customer_bias_; }
    [[nodiscard]] const vec<T>& item_bias() const noexcept { return item_bias_; }
    /// (customers, n_factors)
    [[nodiscard]] const matrix<T>& customer_factors() const noexcept { return customer_factors_; }
    /// (items, n_factors)
    [[nodiscard]] const matrix<T>& item_factors() const noexcept { return item_factors_; }
    [[nodiscard]] const sgd_steps& steps() const noexcept { return steps_; }

    static constexpr std::array field_names{"ratings",      "mean",  "customer_bias", "item_bias", "customer_factors",
                                            "item_factors", "steps", "min_rating",    "max_rating"};
    [[nodiscard]] auto fields() const noexcept {
        return std::tie(base::purchases(), mean_, customer_bias_, item_bias_, customer_factors_, item_factors_, steps_, base::min_rating_,
                        base::max_rating_);
    }

   private:
    using base = detail::rating_recommender<sgd_factorization_model, T>;
    friend base;
    friend detail::recommender<sgd_factorization_model, T>;

    [[nodiscard]] T predict_rows(std::optional<std::size_t> customer, std::optional<std::size_t> item, workspace&) const noexcept {
        const T bias = customer ? customer_bias_(static_cast<row_index>(*customer)) : T(0);
        if (!item) return mean_ + bias;
        const std::span<const T> factors = customer ? row_of(customer_factors_, static_cast<row_index>(*customer)) : std::span<const T>();
        return predict_item(bias, factors, static_cast<row_index>(*item));
    }
    [[nodiscard]] T predict_item(T customer_bias, std::span<const T> factors, row_index item) const noexcept {
        return (mean_ + customer_bias + item_bias_(item)) + detail::dot_by_lanes(factors.data(), row_of(item_factors_, item).data(), factors.size());
    }
    void score_items(T customer_bias, std::span<const T> factors, std::span<T> out) const noexcept {
        for (std::size_t item = 0; item < out.size(); ++item) out[item] = predict_item(customer_bias, factors, static_cast<row_index>(item));
    }
    void score_known(std::size_t row, std::span<T> out, workspace&) const noexcept {
        score_items(customer_bias_(static_cast<row_index>(row)), row_of(customer_factors_, static_cast<row_index>(row)), out);
    }
    void score_history(std::span<const std::int32_t> items, std::span<const T> ratings, std::span<T> out, workspace& scratch) const {
        const auto factors = scratch.take<T>(static_cast<std::size_t>(item_factors_.cols()));
        std::fill(factors.begin(), factors.end(), T(0));
        T bias = 0;
        detail::sgd_fold_in<T>(steps_, items, ratings, item_factors_, factors, bias, [&](std::int32_t item) { return predict_item(bias, factors, item); });
        score_items(bias, factors, out);
    }

    T mean_;
    vec<T> customer_bias_, item_bias_;
    matrix<T> customer_factors_, item_factors_;
    sgd_steps steps_;
};

/// Recipe for `sgd_factorization_model`: see `sgd_steps` for what is done to each rating in each epoch. Values are ratings,
/// any finite numbers: a rating of 0 or below is one like the others. Customers come in random order, a few at a time.
template <class T>
struct sgd_factorization {
    using stage_concept = recipe_tag;

    std::size_t n_factors = 100;  ///< 0 .. 4096; 0 learns the biases alone
    std::size_t epochs = 20;      ///< see `sgd_steps`; fewer when validation or an observer stops it
    double learning_rate = 0.005;
    double regularization = 0.02;
    double init_deviation = 0.1;  ///< above 0: factors begin normal with this deviation, biases at 0
    double learning_rate_decay = 0;
    double min_rating = -std::numeric_limits<double>::infinity();  ///< predictions are kept within these two
    double max_rating = std::numeric_limits<double>::infinity();
    /// 0 <= share < 1 of the ratings, drawn at random, is not learnt from; what was learnt after the epoch with the lowest
    /// mean squared error on them is kept. 0 = learn from all ratings and keep the last state.
    double validation_share = 0;
    std::size_t patience = 3;  ///< at least 1: stop after so many epochs without a lower validation error

    /// Reports the mean squared error of each epoch, each rating as it was predicted before its step.
    /// Throws `error`: `bad_parameter`, `empty_input`, `too_few_rows` (none to validate on), `number_out_of_range`, `diverged`.
    [[nodiscard]] sgd_factorization_model<T> fit(const interactions<T>& x, const fit_options& options) const {
        sgd_steps steps{learning_rate, learning_rate_decay, regularization, epochs};
        check(steps);
        require(!x.empty(), errc::empty_input, "sgd_factorization: no ratings to learn from");
        const rng numbers = stage_rng(options, sgd_factorization_model<T>::kind);
        const auto held_out = draw_validation(x, numbers.split("validation"));
        const auto [mean, variance] = moments(x, held_out);
        detail::rating_grid<T> grid(x, held_out, mean, detail::rating_grid<T>::groups_for(x, n_factors), numbers);
        state now{{grid.customers(), n_factors, init_deviation, numbers.split("customers"), options},
                  {grid.items(), n_factors, init_deviation, numbers.split("items"), options}};
        // What the mean alone and the first random factors would miss on average.
        const double at_first = variance + static_cast<double>(n_factors) * std::pow(init_deviation, 4);

        std::optional<state> best;
        double lowest = std::numeric_limits<double>::infinity();
        std::size_t waited = 0, best_epoch = 0, epoch = 0;
        bool stopped = false;
        while (epoch < epochs && waited < patience && !stopped) {
            const detail::sgd_step<T> step(steps.rate(epoch), regularization, now.items.width());
            const double squares =
                grid.run_epoch(epoch, options, [&](auto block, std::size_t) { return detail::sgd_pass<T>(block, step, now.customers, now.items); });
            const double loss = squares / static_cast<double>(grid.ratings());
            ++epoch;
            require_sane(loss <= detail::diverged_error * at_first || loss == 0, epoch);
            if (!held_out.empty()) {
                const double validation = mean_square(x, held_out, mean, grid, now);
                require_sane(std::isfinite(validation), epoch);
                waited = validation < lowest ? 0 : waited + 1;
                if (waited == 0) {
                    lowest = validation;
                    best = now;
                    best_epoch = epoch;
                }
            }
            stopped = options.on_progress && options.on_progress({sgd_factorization_model<T>::kind, epoch, epochs, loss}) == verdict::stop;
        }
        steps.epochs = best ? best_epoch : epoch;
        const state& kept = best ? *best : now;
        require_sane(kept.customers.factors.allFinite() && kept.items.factors.allFinite() && kept.customers.bias.allFinite() && kept.items.bias.allFinite(),
                     epoch);
        return {x.without_times(),
                static_cast<T>(mean),
                kept.customers.bias_by_row(grid.customers()),
                kept.items.bias_by_row(grid.items()),
                kept.customers.factors_by_row(grid.customers(), n_factors),
                kept.items.factors_by_row(grid.items(), n_factors),
                steps,
                min_rating,
                max_rating};
    }

   private:
    struct state {
        detail::rating_factors<T> customers, items;
    };
    void check(const sgd_steps& steps) const {
        detail::require_sgd_steps(steps, "sgd_factorization", errc::bad_parameter);
        require(n_factors <= 4096, errc::bad_parameter, "sgd_factorization: n_factors is ", n_factors, ", must be in 0 .. 4096");
        detail::require_init_deviation(init_deviation, "sgd_factorization");
        detail::require_rating_bounds(min_rating, max_rating, "sgd_factorization");
        require(validation_share >= 0 && validation_share < 1, errc::bad_parameter, "sgd_factorization: validation_share is ", validation_share,
                ", must be at least 0 and below 1");
        require(patience >= 1, errc::bad_parameter, "sgd_factorization: patience is 0, must be at least 1");
    }
    void require_sane(bool sane, std::size_t epoch) const {
        detail::require_sane_training(sane, epoch, learning_rate, "sgd_factorization");
    }

    // Selection sampling: every choice of so many ratings is equally likely.
    [[nodiscard]] std::vector<bool> draw_validation(const interactions<T>& x, rng numbers) const {
        std::vector<bool> out;
        if (validation_share == 0) return out;
        auto wanted = static_cast<std::size_t>(validation_share * static_cast<double>(x.pairs()) + 1e-9);  // .29 * 100 is less than 29
        require(wanted > 0, errc::too_few_rows, "sgd_factorization: validation_share = ", validation_share, " of ", x.pairs(),
                " ratings leaves none to validate on");
        out.resize(x.pairs());
        for (std::size_t k = 0; k < out.size(); ++k)
            if (numbers.below(out.size() - k) < wanted) {
                out[k] = true;
                --wanted;
            }
        return out;
    }
    // Mean and variance of the ratings to learn from.
    static std::pair<double, double> moments(const interactions<T>& x, const std::vector<bool>& held_out) {
        double sum = 0, squares = 0, n = 0;
        detail::each_rating(x, held_out, false, [&](std::size_t, std::size_t, T value) {
            sum += static_cast<double>(value);
            n += 1;
        });
        const double mean = sum / n;
        detail::each_rating(x, held_out, false,
                            [&](std::size_t, std::size_t, T value) { squares += (static_cast<double>(value) - mean) * (static_cast<double>(value) - mean); });
        require(std::isfinite(squares), errc::number_out_of_range, "sgd_factorization: the squares of the ratings are beyond double; scale the ratings down");
        return {mean, squares / n};
    }
    static double mean_square(const interactions<T>& x, const std::vector<bool>& held_out, double mean, const detail::rating_grid<T>& grid, const state& now) {
        double squares = 0, n = 0;
        detail::each_rating(x, held_out, true, [&](std::size_t row, std::size_t item, T value) {
            const std::int32_t c = grid.customers().place[row], i = grid.items().place[item];
            const T predicted =
                now.customers.bias(c) + now.items.bias(i) + detail::dot_by_lanes(now.customers.factors_of(c), now.items.factors_of(i), now.items.width());
            const double e = static_cast<double>(value) - mean - static_cast<double>(predicted);
            squares += e * e;
            n += 1;
        });
        return squares / n;
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
