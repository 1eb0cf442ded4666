#ifndef CARAMEL_TEXT_NEAR_DUPLICATES_HPP
#define CARAMEL_TEXT_NEAR_DUPLICATES_HPP

// Texts that are nearly the same: MinHash and locality-sensitive hashing find the candidates, the exact overlap decides.

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/string_numbers.hpp>
#include <caramel/core/utf8.hpp>
#include <caramel/text/tokenizer.hpp>
#include <caramel/text/utf8.hpp>

namespace caramel::inline CARAMEL_ABI {

/// What counts as a near duplicate for `near_duplicates`.
struct near_duplicate_options {
    std::uint32_t shingle = 5;  ///< neighbouring code points, or words, that count as one element of a text's set; 1 to 64
    bool words = false;         ///< shingles of words, as `split_words` finds them, instead of code points
    double threshold = .8;      ///< texts whose sets overlap so much are near duplicates; above 0, at most 1
    std::uint32_t hashes = 128;  ///< MinHash values a text; 1 to 4096
    double recall = .95;         ///< a pair right at the threshold is found with this probability at least (more similar ones nearly always)
    std::uint64_t seed = 0;
};

namespace detail {

template <class = void>
inline void require_near_duplicates(const near_duplicate_options& options, std::string_view who) {
    require(options.shingle >= 1 && options.shingle <= 64, errc::bad_parameter, who, ": shingle = ", options.shingle, ", must be within 1 to 64");
    require(options.hashes >= 1 && options.hashes <= 4096, errc::bad_parameter, who, ": hashes = ", options.hashes, ", must be within 1 to 4096");
    require(options.threshold > 0 && options.threshold <= 1, errc::bad_parameter, who, ": threshold = ", options.threshold, ", must be above 0 and at most 1");
    require(options.recall > 0 && options.recall < 1, errc::bad_parameter, who, ": recall = ", options.recall, ", must be above 0 and below 1");
}

// The set of a valid text, as sorted hashes. A text of fewer units than a shingle has is one shingle; without units it has none.
template <std::same_as<near_duplicate_options> Options>
std::vector<std::uint64_t> shingles_of(std::string_view text, const Options& options) {
    std::vector<std::uint64_t> out;
    std::array<std::uint64_t, 64> last;  // of units: where code points begin, or the hashes of words
    std::size_t n = 0;
    const std::size_t width = options.shingle;
    const string_hash hash;
    if (options.words) {
        const auto add = [&](std::size_t some) {
            std::array<char, std::size_t{64} * 8> bytes;
            for (std::size_t k = 0; k < some; ++k) std::memcpy(bytes.data() + 8 * k, &last[(n - some + k) % 64], 8);
            out.push_back(hash(std::string_view(bytes.data(), 8 * some), 1));
        };
        scan_words(text, false, [&](std::size_t begin, std::size_t end) {
            last[n++ % 64] = hash(text.substr(begin, end - begin), 0);
            if (n >= width) add(width);
            return true;
        });
        if (n > 0 && n < width) add(n);
    } else {
        const auto add = [&](std::size_t begin, std::size_t end) { out.push_back(hash(text.substr(begin, end - begin), 0)); };
        for (std::size_t at = 0; at < text.size();) {
            last[n++ % 64] = at;
            (void)decode_utf8(text, at);
            if (n >= width) add(static_cast<std::size_t>(last[(n - width) % 64]), at);
        }
        if (n > 0 && n < width) add(0, text.size());
    }
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

}  // namespace detail

/// The set of a text as sorted hashes of its shingles. Throws `error`: `bad_utf8` with the byte, `bad_parameter`.
template <class = void>
[[nodiscard]] inline std::vector<std::uint64_t> shingle_hashes(std::string_view text, const near_duplicate_options& options = {}) {
    detail::require_near_duplicates(options, "shingle_hashes");
    require_utf8(text, 1, "shingle_hashes");
    return detail::shingles_of(text, options);
}

/// How much two sorted sets have in common, of all that they have (Jaccard); 0 where both are empty.
[[nodiscard]] inline double jaccard_similarity(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b) noexcept {
    std::size_t both = 0;
    for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
        if (a[i] == b[j]) ++both, ++i, ++j;
        else if (a[i] < b[j]) ++i;
        else ++j;
    }
    const std::size_t all = a.size() + b.size() - both;
    return all == 0 ? 0 : static_cast<double>(both) / static_cast<double>(all);
}

/// MinHash (Broder, Compression and Complexity of Sequences, 1997): of a set of any size so many numbers that the share of equal ones
/// of two texts estimates their Jaccard similarity, with a standard deviation of at most .5 / sqrt(hashes).
class minhash {
   public:
    /// Throws `error` (`bad_parameter`).
    template <class = void>
    explicit minhash(const near_duplicate_options& options = {}) : options_(options) {
        detail::require_near_duplicates(options, "minhash");
        rng random = rng(options.seed).split("minhash");
        keys_.resize(options.hashes);
        for (auto& key : keys_) key = random();
    }

    /// One number a hash; all of a text without shingles are the largest there is. Throws `error` (`bad_utf8`) with the byte.
    template <class = void>
    [[nodiscard]] std::vector<std::uint32_t> operator()(std::string_view text) const { return signature(shingle_hashes(text, options_)); }
    /// The same of a set.
    template <class = void>
    [[nodiscard]] std::vector<std::uint32_t> signature(std::span<const std::uint64_t> set) const {
        std::vector<std::uint32_t> out(keys_.size(), std::numeric_limits<std::uint32_t>::max());
        for (const std::uint64_t element : set)
            for (std::size_t i = 0; i < keys_.size(); ++i) {
                std::uint64_t x = (element ^ keys_[i]) * 0x9e3779b97f4a7c15U;
                x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93U;
                out[i] = std::min(out[i], static_cast<std::uint32_t>(x >> 32));
            }
        return out;
    }
    /// The share of equal numbers. Throws `error` (`shape_mismatch`) unless both have as many.
    template <class = void>
    [[nodiscard]] static double similarity(std::span<const std::uint32_t> a, std::span<const std::uint32_t> b) {
        require(a.size() == b.size() && !a.empty(), errc::shape_mismatch, "minhash: ", a.size(), " and ", b.size(), " numbers");
        std::size_t same = 0;
        for (std::size_t i = 0; i < a.size(); ++i) same += a[i] == b[i];
        return static_cast<double>(same) / static_cast<double>(a.size());
    }

   private:
    near_duplicate_options options_;
    std::vector<std::uint64_t> keys_;
};

/// Texts `first` and `second`, from 0, `first` below `second`, and the exact Jaccard similarity of their shingles.
struct duplicate_pair {
    std::size_t first, second;
    double similarity;

    friend bool operator==(const duplicate_pair&, const duplicate_pair&) = default;
};

namespace detail {

// How many MinHash values make a band: as many as leave the promised recall. A pair of similarity s falls together in one band of r
// with probability s^r, and in one of b bands with 1 - (1 - s^r)^b.
template <std::same_as<near_duplicate_options> Options>
[[nodiscard]] std::size_t rows_of_band(const Options& options) noexcept {
    std::size_t best = 1;
    for (std::size_t rows = 2; rows <= options.hashes; ++rows) {
        const double together = std::pow(options.threshold, static_cast<double>(rows));
        if (1 - std::pow(1 - together, static_cast<double>(options.hashes / rows)) >= options.recall) best = rows;
    }
    return best;
}

}  // namespace detail

/// The pairs of texts whose shingles overlap by `threshold` at least, in the order of `second`, then `first`. Candidates come from
/// MinHash values in bands (Indyk & Motwani, STOC 1998), so a pair may be missed, with a probability that `recall` bounds; none is
/// wrong. A text with the shingles of an earlier one is paired with the first such text only, so many copies stay linear. Texts
/// without shingles are in no pair. Near linear in the texts and linear in the candidates; 8 bytes for each shingle are held.
/// Throws `error`: `bad_parameter`; `bad_utf8` with the text's number (from 1) and the byte.
template <std::same_as<std::vector<std::string>> Texts>
[[nodiscard]] std::vector<duplicate_pair> near_duplicates(const Texts& texts, const near_duplicate_options& options = {}, const run_options& how = {}) {
    const minhash hasher(options);
    const std::size_t rows = detail::rows_of_band(options), bands = options.hashes / rows;
    std::vector<std::vector<std::uint64_t>> sets(texts.size());
    std::vector<std::vector<std::uint32_t>> signatures(texts.size());
    std::vector<std::uint64_t> whole(texts.size());
    const auto bytes_of = [](const auto* begin, std::size_t n) { return std::string_view(reinterpret_cast<const char*>(begin), n * sizeof *begin); };
    parallel_blocks(texts.size(), 256, how, [&](std::size_t begin, std::size_t end, std::size_t) {
        for (std::size_t i = begin; i < end; ++i) {
            require_utf8(texts[i], i + 1, "near_duplicates");
            sets[i] = detail::shingles_of(std::string_view(texts[i]), options);
            signatures[i] = hasher.signature(sets[i]);
            whole[i] = detail::string_hash()(bytes_of(sets[i].data(), sets[i].size()), 0);
        }
    });

    std::vector<duplicate_pair> out;
    // Copies first: each with the first of them, which then stands for all.
    std::vector<std::size_t> order(texts.size()), unique;
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return whole[a] != whole[b] ? whole[a] < whole[b] : a < b; });
    for (std::size_t i = 0, end = 0; i < order.size(); i = end) {
        std::vector<std::size_t> different;  // of one hash: nearly always one
        for (end = i; end < order.size() && whole[order[end]] == whole[order[i]]; ++end) {
            const std::size_t text = order[end];
            if (sets[text].empty()) continue;
            const auto same = std::find_if(different.begin(), different.end(), [&](std::size_t other) { return sets[other] == sets[text]; });
            if (same != different.end()) out.push_back({*same, text, 1});
            else different.push_back(text);
        }
        unique.insert(unique.end(), different.begin(), different.end());
    }

    std::sort(unique.begin(), unique.end());
    std::vector<std::pair<std::uint64_t, std::size_t>> bucket(unique.size());
    const auto in_band = [&](std::size_t a, std::size_t b, std::size_t band) {
        return std::equal(signatures[a].data() + band * rows, signatures[a].data() + (band + 1) * rows, signatures[b].data() + band * rows);
    };
    for (std::size_t band = 0; band < bands; ++band) {
        for (std::size_t i = 0; i < unique.size(); ++i)
            bucket[i] = {detail::string_hash()(bytes_of(signatures[unique[i]].data() + band * rows, rows), 0), unique[i]};
        std::sort(bucket.begin(), bucket.end());
        for (std::size_t i = 0; i < bucket.size(); ++i)
            for (std::size_t j = i + 1; j < bucket.size() && bucket[j].first == bucket[i].first; ++j) {
                const std::size_t a = bucket[i].second, b = bucket[j].second;
                bool before = !in_band(a, b, band);  // or found in an earlier band
                for (std::size_t earlier = 0; earlier < band && !before; ++earlier) before = in_band(a, b, earlier);
                if (before) continue;
                const std::size_t least = std::min(sets[a].size(), sets[b].size()), most = std::max(sets[a].size(), sets[b].size());
                if (static_cast<double>(least) < options.threshold * static_cast<double>(most)) continue;
                const double similarity = jaccard_similarity(sets[a], sets[b]);
                if (similarity >= options.threshold) out.push_back({a, b, similarity});
            }
    }
    std::sort(out.begin(), out.end(),
              [](const duplicate_pair& a, const duplicate_pair& b) { return std::pair(a.second, a.first) < std::pair(b.second, b.first); });
    return out;
}

/// For each of `texts` texts the first text of its group, itself where it is alone: what pairs join, directly or through others, is
/// one group. Keeping the texts that are their own first leaves no near duplicates. Throws `error` (`bad_parameter`) on a pair beyond
/// the texts.
template <std::same_as<std::vector<duplicate_pair>> Pairs>
[[nodiscard]] std::vector<std::size_t> first_of_duplicates(std::size_t texts, const Pairs& pairs) {
    std::vector<std::size_t> first(texts);
    std::iota(first.begin(), first.end(), std::size_t{0});
    const auto root = [&](std::size_t i) {
        while (first[i] != i) i = first[i] = first[first[i]];
        return i;
    };
    for (const duplicate_pair& pair : pairs) {
        require(pair.first < texts && pair.second < texts, errc::bad_parameter, "first_of_duplicates: texts ", pair.first, " and ", pair.second,
                " (from 0) of ", texts);
        const std::size_t a = root(pair.first), b = root(pair.second);
        first[std::max(a, b)] = std::min(a, b);
    }
    for (std::size_t i = 0; i < texts; ++i) first[i] = root(i);
    return first;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
