#ifndef CARAMEL_NN_EMBEDDING_BAG_HPP
#define CARAMEL_NN_EMBEDDING_BAG_HPP

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/embedding_table.hpp>
#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/nn/layer.hpp>

namespace caramel::inline CARAMEL_ABI {

/// How an embedding bag makes one vector of a text's. A text without tokens becomes zeros. Where `token_ids::weights` say how
/// much each token counts, the sum is that of the weighted vectors, and the mean is divided by the sum of the weights.
enum class bag_pooling : std::uint8_t { mean, sum };

namespace detail {
// What each of the tokens of a text is multiplied by, beside its weight.
template <class T>
T bag_scale(bag_pooling how, std::size_t tokens, std::span<const float> weights) noexcept {
    if (how == bag_pooling::sum) return T(1);
    if (weights.empty()) return tokens > 1 ? T(1) / static_cast<T>(tokens) : T(1);
    double sum = 0;
    for (const float w : weights) sum += static_cast<double>(w);
    return sum > 0 ? static_cast<T>(1 / sum) : T(0);
}
}  // namespace detail

/// A vector for each token id, and how they are pooled.
template <class T>
struct embedding_bag_params {
    embedding_table<T> table;  ///< (vocabulary, dim)
    bag_pooling how = bag_pooling::mean;

    [[nodiscard]] std::size_t inputs() const noexcept { return table.size(); }
    [[nodiscard]] std::size_t check(std::size_t given, std::string_view who) const {
        require(inputs() == given && table.dim() > 0, errc::bad_data, who, ": an embedding bag of ", inputs(), " vectors is given a vocabulary of ", given);
        require(how <= bag_pooling::sum, errc::bad_data, who, ": no pooling has the number ", static_cast<unsigned>(how));
        for (const T x : table.flat()) require(std::isfinite(x), errc::bad_data, who, ": an embedding bag has values that are not finite");
        return table.dim();
    }
    /// Ids are not checked: the caller knows that they lie in the table.
    [[nodiscard]] matrix<T> apply(const token_ids& x) const {
        matrix<T> y(static_cast<row_index>(x.size()), static_cast<row_index>(table.dim()));
        for (std::size_t i = 0; i < x.size(); ++i) {
            const std::span<T> row(y.data() + i * table.dim(), table.dim());
            if (x.weights.empty()) pool(x[i], row);
            else pool(x[i], x.weights_of(i), row);
        }
        return y;
    }
    [[nodiscard]] std::span<const T> apply(std::span<const token_id> ids, workspace& scratch) const {
        const auto y = scratch.take<T>(table.dim());
        pool(ids, y);
        return y;
    }

    static constexpr std::array field_names{"table", "how"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(table, how); }

   private:
    void pool(std::span<const token_id> ids, std::span<T> y) const noexcept {
        std::fill(y.begin(), y.end(), T(0));
        for (const token_id id : ids) {
            const T* const row = table[static_cast<std::size_t>(id)].data();
            for (std::size_t j = 0; j < y.size(); ++j) y[j] += row[j];
        }
        if (how == bag_pooling::mean && ids.size() > 1)
            for (T& v : y) v /= static_cast<T>(ids.size());
    }
    void pool(std::span<const token_id> ids, std::span<const float> weights, std::span<T> y) const noexcept {
        std::fill(y.begin(), y.end(), T(0));
        const T scale = detail::bag_scale<T>(how, ids.size(), weights);
        for (std::size_t n = 0; n < ids.size(); ++n) {
            const T* const row = table[static_cast<std::size_t>(ids[n])].data();
            const T weight = scale * static_cast<T>(weights[n]);
            for (std::size_t j = 0; j < y.size(); ++j) y[j] += weight * row[j];
        }
    }
};

/// The first layer of a network that reads token ids: the mean (or sum) of the vectors of a text's tokens. The table has a
/// row for each id of the vocabulary; rows begin normal with deviation 1 / sqrt(dim), those of `unknown` and `padding` at
/// zero. A step of training changes the rows of its mini-batch and no others: with momentum or Adam the averages of a row
/// stand still while it is away (lazy Adam, see `optimizer`), and tables take no part in the L1 and L2 penalties. A single text
/// that is given as a span has weights of 1; to weigh its tokens, give it as a batch of one.
struct embedding_bag {
    static constexpr std::string_view kind = "embedding_bag";
    static constexpr bool reads_tokens = true;
    static constexpr bool sets_width = true;
    static constexpr std::size_t max_dim = 65'536;

    std::size_t dim = 16;  ///< 1 .. 65,536
    bag_pooling how = bag_pooling::mean;

    template <class T>
    using params = embedding_bag_params<T>;
    template <class T>
    struct grads {
        std::vector<std::size_t> rows;  ///< of the table, in the order in which the batch first names them
        matrix<T> values;               ///< (rows, dim)
    };
    template <class T>
    struct cache {
        const token_ids* x = nullptr;
        matrix<T> y;
        std::vector<std::size_t> place;  ///< by id: 1 + where its row stands in the gradients; 0 where it has none
    };

    /// Throws `error`: `bad_parameter`; `bad_data` where the ids do not say how large their vocabulary is.
    template <class T>
    [[nodiscard]] embedding_bag_params<T> init(const layer_shape& shape, rng& numbers) const {
        require(dim >= 1 && dim <= max_dim, errc::bad_parameter, "embedding_bag: dim = ", dim, ", must lie in 1 .. ", max_dim);
        require(how <= bag_pooling::sum, errc::bad_parameter, "embedding_bag: no pooling has the number ", static_cast<unsigned>(how));
        require(shape.inputs > 0, errc::bad_data, "embedding_bag: the token ids do not say how large their vocabulary is");
        auto table = embedding_table<T>::random(shape.inputs, dim, numbers);
        for (const token_id id : {shape.unknown, shape.padding})
            if (id >= 0 && static_cast<std::size_t>(id) < table.size()) std::ranges::fill(table[static_cast<std::size_t>(id)], T(0));
        return {std::move(table), how};
    }
    template <class T>
    [[nodiscard]] const matrix<T>& forward(const embedding_bag_params<T>& p, const token_ids& x, cache<T>& c, rng&) const {
        c.x = &x;
        c.y = p.apply(x);
        return c.y;
    }
    template <class T>
    void gradients(const embedding_bag_params<T>& p, cache<T>& c, const matrix<T>& dy, grads<T>& g) const {
        const token_ids& x = *c.x;
        c.place.resize(p.table.size(), 0);
        g.rows.clear();
        for (std::size_t i = 0; i < x.size(); ++i) {
            const std::span<const token_id> ids = x[i];
            const std::span<const float> weights = x.weights_of(i);
            for (std::size_t n = 0; n < ids.size(); ++n) {
                if (!weights.empty() && weights[n] == 0) continue;  // as if it were not there
                if (std::size_t& place = c.place[static_cast<std::size_t>(ids[n])]; place == 0) {
                    g.rows.push_back(static_cast<std::size_t>(ids[n]));
                    place = g.rows.size();
                }
            }
        }
        const std::size_t width = p.table.dim();
        const auto rows = static_cast<row_index>(g.rows.size());
        // Anew and moved, not resized: where memory runs out, Eigen 3.4's resize leaves a matrix that frees its elements twice.
        if (g.values.rows() != rows) g.values = matrix<T>(rows, static_cast<row_index>(width));
        g.values.setZero();
        for (std::size_t i = 0; i < x.size(); ++i) {
            const std::span<const token_id> ids = x[i];
            const std::span<const float> weights = x.weights_of(i);
            const T scale = detail::bag_scale<T>(p.how, ids.size(), weights);
            const T* const d = dy.data() + i * width;
            for (std::size_t n = 0; n < ids.size(); ++n) {
                if (!weights.empty() && weights[n] == 0) continue;
                T* const row = g.values.data() + (c.place[static_cast<std::size_t>(ids[n])] - 1) * width;
                const T share = weights.empty() ? scale : scale * static_cast<T>(weights[n]);
                for (std::size_t j = 0; j < width; ++j) row[j] += share * d[j];
            }
        }
        for (const std::size_t row : g.rows) c.place[row] = 0;
    }
    template <class T, class F>
    void visit(embedding_bag_params<T>& p, grads<T>& g, const F& f) const {
        f(parameter_block<T>{.values = p.table.flat(),
                             .gradient = {g.values.data(), static_cast<std::size_t>(g.values.size())},
                             .sparse = true,
                             .rows = g.rows,
                             .width = p.table.dim()});
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
