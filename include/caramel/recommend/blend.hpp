#ifndef CARAMEL_RECOMMEND_BLEND_HPP
#define CARAMEL_RECOMMEND_BLEND_HPP

// One recommender from several: their scores, made comparable for each customer, in shares chosen on purchases unseen.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/composite.hpp>
#include <caramel/core/error.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/query.hpp>
#include <caramel/recommend/top_k.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

template <std::size_t N>
inline constexpr auto blend_field_names = [] {
    constexpr std::array numbers{"0", "1", "2", "3", "4", "5", "6", "7"};
    static_assert(N > 0 && N <= numbers.size(), "caramel: blend takes 1 to 8 recommenders");
    std::array<const char*, N + 1> out{"shares"};
    for (std::size_t i = 0; i < N; ++i) out[i + 1] = numbers[i];
    return out;
}();

// sums += share * (scores - their mean) / their deviation over the items; nothing where all are equal.
template <class T>
void add_standardized(std::span<const T> scores, double share, std::span<double> sums) noexcept {
    double mean = 0, square = 0;
    for (const T s : scores) mean += static_cast<double>(s);
    mean /= static_cast<double>(scores.size());
    for (const T s : scores) square += (static_cast<double>(s) - mean) * (static_cast<double>(s) - mean);
    const double deviation = std::sqrt(square / static_cast<double>(scores.size()));
    if (!(deviation > 0 && std::isfinite(deviation))) return;
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += share * ((static_cast<double>(scores[i]) - mean) / deviation);
}

// The rows that have a pair; of more than `most`, so many, evenly spaced.
template <class T>
std::vector<std::size_t> judged_rows(const interactions<T>& wanted, std::size_t most) {
    std::vector<std::size_t> out;
    for (std::size_t row = 0; row < wanted.rows(); ++row)
        if (wanted[row].size() > 0) out.push_back(row);
    if (out.size() <= most) return out;
    for (std::size_t i = 0; i < most; ++i) out[i] = out[i * out.size() / most];
    out.resize(most);
    return out;
}

// The NDCG of the ten best items or fewer; `relevant` ascending and not empty.
template <class T>
double ndcg_at_ten(std::span<const recommendation<T>> best, std::span<const std::int32_t> relevant) noexcept {
    double gain = 0, ideal = 0;
    for (std::size_t rank = 0; rank < best.size(); ++rank)
        if (std::binary_search(relevant.begin(), relevant.end(), best[rank].item)) gain += 1 / std::log2(static_cast<double>(rank) + 2);
    for (std::size_t rank = 0; rank < std::min<std::size_t>(10, relevant.size()); ++rank) ideal += 1 / std::log2(static_cast<double>(rank) + 2);
    return gain / ideal;
}

}  // namespace detail

/// Scores an item by `sum over parts of share * (the part's score - mean) / deviation`, both over all items for this customer.
/// A part with share 0 is not asked.
template <class T, class... Parts>
class blend_model : public detail::recommender<blend_model<T, Parts...>, T> {
   public:
    static constexpr std::string_view kind = "blend";  // in saved files: never changes

    /// Throws `error` (`bad_data`) where shares and parts do not belong together, or parts know other customers or items.
    blend_model(std::vector<double> shares, Parts... parts) : base(first_of(parts...).purchases()), parts_(std::move(parts)...), shares_(std::move(shares)) {
        require(shares_.size() == sizeof...(Parts) && std::all_of(shares_.begin(), shares_.end(), [](double s) { return std::isfinite(s) && s >= 0; }),
                errc::bad_data, "blend: ", sizeof...(Parts), " recommenders but ", shares_.size(), " shares, or one is negative or not finite");
        std::apply(
            [&](const auto&... part) {
                require(((part.customers() == base::customers() && part.items() == base::items()) && ...), errc::bad_data,
                        "blend: the recommenders know other customers or items");
            },
            parts_);
    }

    [[nodiscard]] const std::vector<double>& shares() const noexcept { return shares_; }
    [[nodiscard]] const std::tuple<Parts...>& members() const noexcept { return parts_; }

    static constexpr auto field_names = detail::blend_field_names<sizeof...(Parts)>;
    [[nodiscard]] auto fields() const noexcept {
        return std::apply([this](const auto&... part) { return std::tie(shares_, part...); }, parts_);
    }

   private:
    using base = detail::recommender<blend_model, T>;
    friend base;
    template <class First, class... Rest>
    static const First& first_of(const First& first, const Rest&...) noexcept {
        return first;
    }

    void score_known(std::size_t row, std::span<T> out, workspace& scratch) const {
        mix(out, scratch, [&](const auto& part) { part.put_scores(row, out, scratch); });
    }
    void score_history(std::span<const std::int32_t> bought, std::span<const T> values, std::span<T> out, workspace& scratch) const {
        mix(out, scratch, [&](const auto& part) { part.put_scores(bought, values, out, scratch); });
    }
    template <class Put>
    void mix(std::span<T> out, workspace& scratch, const Put& put) const {
        const auto sums = scratch.take<double>(out.size());
        std::fill(sums.begin(), sums.end(), 0.0);
        std::size_t at = 0;
        const auto add = [&](const auto& part) {
            const double share = shares_[at++];
            if (share == 0) return;
            put(part);
            detail::add_standardized(std::span<const T>(out), share, sums);
        };
        std::apply([&](const auto&... part) { (add(part), ...); }, parts_);
        std::transform(sums.begin(), sums.end(), out.begin(), [](double sum) { return static_cast<T>(sum); });
    }

    std::tuple<Parts...> parts_;
    std::vector<double> shares_;
};

/// Recipe for a `blend_model`: see `blend`.
template <class T, class... Parts>
struct blend_recipe {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = (detail::uses_weights<Parts>() || ...);

    std::tuple<Parts...> parts_of;
    std::vector<double> shares = {};  ///< one a part, at least 0, not all 0; empty = all 1. See `tune_blend`

    /// Weights go to those parts that use them. Throws `error`: `bad_parameter` (the shares), and what the parts throw.
    [[nodiscard]] auto fit(const interactions<T>& x, const fit_options& options) const {
        auto chosen = shares.empty() ? std::vector<double>(sizeof...(Parts), 1.0) : shares;
        require(chosen.size() == sizeof...(Parts) && std::all_of(chosen.begin(), chosen.end(), [](double s) { return std::isfinite(s) && s >= 0; }) &&
                    std::any_of(chosen.begin(), chosen.end(), [](double s) { return s > 0; }),
                errc::bad_parameter, "blend: ", sizeof...(Parts), " recommenders but ", chosen.size(), " shares, or one is negative, or all are 0");
        return std::apply([&](auto&&... model) { return blend_model<T, std::remove_cvref_t<decltype(model)>...>(std::move(chosen), std::move(model)...); },
                          models(x, options));
    }

    /// The parts alone, trained.
    [[nodiscard]] auto models(const interactions<T>& x, const fit_options& options) const {
        const auto learn = [&](const auto& part) {
            fit_options within = options;
            within.on_progress = nullptr;
            if constexpr (!detail::uses_weights<std::remove_cvref_t<decltype(part)>>()) within.weights = {};
            return part.fit(x, within);
        };
        return std::apply([&](const auto&... part) { return std::tuple{learn(part)...}; }, parts_of);  // braces: left to right
    }
};

/// Several recommenders as one, such as `blend<float>(ease<float>{}, rp3beta<float>{}, als<float>{})`: seldom worse than the
/// best of them. Each is trained on all that is given; their shares are `shares`, all alike, or what `tune_blend` finds.
template <class T, Recipe... Parts>
[[nodiscard]] blend_recipe<T, Parts...> blend(Parts... parts) {
    return {{std::move(parts)...}, {}};
}

/// The recipe with the shares that rank best what customers of `train` bought next: of all with steps of 1 / `steps`, the largest
/// mean NDCG@10 over the customers with pairs in `next` that `train` does not have (of more than `max_customers`, so many,
/// evenly spaced), ties to the first. The parts are trained once, on `train`.
/// Returns `recipe` unchanged where `next` has no such pair. The same for any number of threads.
/// Throws `error`: `bad_parameter`, `bad_data` (`next` is numbered otherwise), and what the parts throw.
template <class T, class... Parts>
[[nodiscard]] blend_recipe<T, Parts...> tune_blend(blend_recipe<T, Parts...> recipe, const interactions<T>& train, const interactions<T>& next,
                                                   const fit_options& options = {}, std::size_t steps = 10, std::size_t max_customers = 2'000) {
    constexpr std::size_t n_parts = sizeof...(Parts);
    require(steps > 0 && max_customers > 0, errc::bad_parameter, "tune_blend: steps or max_customers is 0, must be at least 1");
    const auto wanted = next.pairs_not_in(train);
    const auto judged = detail::judged_rows(wanted, max_customers);
    if (judged.empty()) return recipe;
    // All ways to give each part a whole number of steps.
    std::vector<std::vector<double>> grid;
    std::vector<double> shares(n_parts);
    const auto fill = [&](const auto& self, std::size_t part, std::size_t left) -> void {
        for (std::size_t s = part + 1 == n_parts ? left : 0; s <= left; ++s) {
            shares[part] = static_cast<double>(s) / static_cast<double>(steps);
            if (part + 1 == n_parts) grid.push_back(shares);
            else self(self, part + 1, left - s);
        }
    };
    fill(fill, 0, steps);

    const auto models = recipe.models(train, options);
    const std::size_t items = train.items().size();
    constexpr std::size_t block = 16;
    std::vector<std::vector<double>> gains((judged.size() + block - 1) / block, std::vector<double>(grid.size()));
    parallel_blocks(judged.size(), block, options, [&](std::size_t begin, std::size_t end, std::size_t b) {
        std::vector<T> scores(items), mixed(items);
        std::vector<double> standardized(n_parts * items), sums(items);
        std::vector<unsigned char> seen(items);
        workspace scratch;
        for (std::size_t i = begin; i < end; ++i) {
            const workspace::frame frame(scratch);
            const std::size_t row = judged[i];
            std::fill(standardized.begin(), standardized.end(), 0.0);
            std::size_t at = 0;
            const auto put = [&](const auto& model) {
                model.put_scores(row, std::span(scores), scratch);
                detail::add_standardized(std::span<const T>(scores), 1, std::span(standardized).subspan(at++ * items, items));
            };
            std::apply([&](const auto&... model) { (put(model), ...); }, models);
            for (const auto item : train[row].items) seen[static_cast<std::size_t>(item)] = 1;
            const auto relevant = wanted[row].items;
            for (std::size_t g = 0; g < grid.size(); ++g) {
                const workspace::frame inner(scratch);
                std::fill(sums.begin(), sums.end(), 0.0);
                for (std::size_t p = 0; p < n_parts; ++p)
                    if (grid[g][p] > 0)
                        for (std::size_t j = 0; j < items; ++j) sums[j] += grid[g][p] * standardized[p * items + j];
                std::transform(sums.begin(), sums.end(), mixed.begin(), [](double sum) { return static_cast<T>(sum); });
                gains[b][g] += detail::ndcg_at_ten(std::span<const recommendation<T>>(detail::best_of<T>(mixed, seen, 10, scratch)), relevant);
            }
            for (const auto item : train[row].items) seen[static_cast<std::size_t>(item)] = 0;
        }
    });
    std::vector<double> sums(grid.size());
    for (const auto& part : gains)
        for (std::size_t g = 0; g < grid.size(); ++g) sums[g] += part[g];
    recipe.shares = grid[static_cast<std::size_t>(std::max_element(sums.begin(), sums.end()) - sums.begin())];
    return recipe;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
