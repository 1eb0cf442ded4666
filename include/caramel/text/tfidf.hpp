#ifndef CARAMEL_TEXT_TFIDF_HPP
#define CARAMEL_TEXT_TFIDF_HPP

// Texts -> sparse rows of weighted n-grams, which linear models learn from.

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/platform.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/sparse.hpp>
#include <caramel/core/utf8.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/text/ngrams.hpp>
#include <caramel/text/unicode_tables.hpp>

namespace caramel::inline CARAMEL_ABI {

/// What an n-gram that a text has c times weighs, before its inverse document frequency: c; 1 + ln c; 1; or as in BM25,
/// c (k1 + 1) / (c + k1 (1 - b + b length / mean length)), the length being the text's number of n-grams.
enum class term_weight : std::uint8_t { raw, sublinear, present, bm25 };

/// How `tfidf_model` makes rows of texts; kept in saved files.
struct tfidf_settings {
    std::vector<ngram_range> ngrams = {{}};
    bool normal = true;
    term_weight weighting = term_weight::sublinear;
    bool unit_length = true, balanced = false;
    std::uint32_t hash_bits = 0;
    std::uint64_t max_characters = 0;
    double k1 = 1.2, b = 0.75, mean_length = 1;

    tfidf_settings() = default;
    /// `ranges`: unit, shortest and longest of each range, one behind the other.
    /// Throws `error`: `bad_parameter`, `bad_data`, and `unsupported_version` where `unicode` is newer than this library's tables.
    template <class = void>
    tfidf_settings(const std::vector<std::int32_t>& ranges, bool normalized, std::uint8_t weight, bool length_one, bool balance, std::uint32_t bits,
                   std::uint64_t most, double bm25_k1, double bm25_b, double mean, std::uint32_t unicode)
        : normal(normalized),
          weighting(static_cast<term_weight>(weight)),
          unit_length(length_one),
          balanced(balance),
          hash_bits(bits),
          max_characters(most),
          k1(bm25_k1),
          b(bm25_b),
          mean_length(mean) {
        require(ranges.size() % 3 == 0, errc::bad_data, "tfidf: the ranges of n-grams are not whole");
        require(unicode <= unicode_version, errc::unsupported_version, "tfidf: learnt with Unicode ", unicode / 100, ".", unicode % 100, ", this library has ",
                unicode_version / 100, ".", unicode_version % 100);
        ngrams.clear();
        for (std::size_t i = 0; i < ranges.size(); i += 3) {
            require(ranges[i] >= 0 && ranges[i + 1] >= 0 && ranges[i + 2] >= 0 && ranges[i] < 256, errc::bad_data, "tfidf: a range of n-grams is negative");
            ngrams.push_back({static_cast<ngram_unit>(ranges[i]), static_cast<std::size_t>(ranges[i + 1]), static_cast<std::size_t>(ranges[i + 2])});
        }
        check();
    }
    template <class = void>
    void check() const {
        detail::require_ngrams(ngrams, "tfidf");
        require(weighting <= term_weight::bm25, errc::bad_parameter, "tfidf: a weighting that there is not");
        require(hash_bits <= 28, errc::bad_parameter, "tfidf: hash_bits = ", hash_bits, ", must be at most 28");
        require(!(balanced && hash_bits > 0), errc::bad_parameter, "tfidf: balanced needs a vocabulary, hash_bits must be 0");
        require(k1 >= 0 && k1 <= 1e6, errc::bad_parameter, "tfidf: k1 = ", k1, ", must lie in 0 .. 1e6");
        require(b >= 0 && b <= 1, errc::bad_parameter, "tfidf: b = ", b, ", must lie in 0 .. 1");
        require(std::isfinite(mean_length) && mean_length >= 1e-12, errc::bad_data, "tfidf: the mean length of texts must be above 0");
    }

    static constexpr std::array field_names{"ngrams",         "normalize", "weighting", "unit_length", "balanced", "hash_bits",
                                            "max_characters", "k1",        "b",         "mean_length", "unicode"};
    template <class = void>
    [[nodiscard]] auto fields() const {
        std::vector<std::int32_t> ranges;
        for (const auto& range : ngrams)
            for (const std::size_t x : {static_cast<std::size_t>(range.unit), range.shortest, range.longest}) ranges.push_back(static_cast<std::int32_t>(x));
        return std::tuple(std::move(ranges), normal, static_cast<std::uint8_t>(weighting), unit_length, balanced, hash_bits, max_characters, k1, b, mean_length,
                          static_cast<std::uint32_t>(unicode_version));
    }
};

namespace detail {

// Rows of texts as they are learnt from: columns in the order in which their n-grams first stand in the text.
template <class T>
struct text_rows {
    std::vector<std::size_t> starts{0};
    std::vector<std::int32_t> columns;
    std::vector<T> values;

    [[nodiscard]] std::size_t size() const noexcept { return starts.size() - 1; }
};

template <class T>
struct text_feature {
    std::int32_t column;
    T value;
    std::uint32_t gram;  // which of the text's n-grams
};

}  // namespace detail

template <class T>
struct tfidf;

/// Texts -> `sparse_matrix` (texts, columns): a column an n-gram of the vocabulary, the most frequent first, or a bucket that
/// n-grams share. n-grams that were not learnt are left out.
template <class T>
class tfidf_model {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "tfidf";  // in saved files: never changes

    /// Of a vocabulary: the n-gram, its unit and its factor for each column. Hashed: 2^hash_bits factors, and as many names and
    /// units, or none. Throws `error`: `bad_data` on fields that do not belong together, `bad_utf8`, `duplicate_token`.
    tfidf_model(tfidf_settings settings, std::vector<std::string> names, std::vector<std::uint8_t> units, vec<T> factors)
        : settings_(std::move(settings)), names_(std::move(names)), units_(std::move(units)), factors_(std::move(factors)) {
        settings_.check();
        const auto columns = static_cast<std::size_t>(factors_.size());
        bool good = names_.size() == units_.size() && factors_.allFinite() && (factors_.size() == 0 || factors_.minCoeff() >= 0);
        if (settings_.hash_bits > 0) good = good && columns == std::size_t{1} << settings_.hash_bits && (names_.empty() || names_.size() == columns);
        else good = good && names_.size() == columns;
        for (const std::uint8_t unit : units_) good = good && unit < detail::ngram_units;
        require(good, errc::bad_data, kind, ": n-grams, units and factors do not belong together");
        for (std::size_t i = 0; i < names_.size(); ++i)
            require_at(detail::is_utf8_text(names_[i]), errc::bad_utf8, {.row = i + 1}, kind, ": n-gram ", i + 1, " is not UTF-8");
        if (settings_.hash_bits == 0)
            for (std::size_t i = 0; i < columns; ++i)
                require_at(table_.insert(detail::key_of_name(names_[i], static_cast<ngram_unit>(units_[i]))).second, errc::duplicate_token, {.row = i + 1},
                           kind, ": n-gram ", i + 1, " stands there twice");
        prepare();
    }

    /// Throws `error` (`bad_utf8`) with the text's number and the byte.
    [[nodiscard]] sparse_matrix<T> operator()(const std::vector<std::string>& texts) const {
        sparse_matrix<T> out(columns());
        workspace scratch;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            const workspace::frame frame(scratch);
            out.append_row(row(texts[i], i + 1, scratch));
        }
        return out;
    }
    /// One text -> its row, in the workspace.
    [[nodiscard]] sparse_row<T> operator()(std::string_view text, workspace& scratch) const {
        const workspace::frame frame(scratch);
        return row(text, 1, scratch);
    }

    [[nodiscard]] std::size_t columns() const noexcept { return static_cast<std::size_t>(factors_.size()); }
    /// What the n-grams' weights are multiplied with: their inverse document frequencies, or ones.
    [[nodiscard]] const vec<T>& factors() const noexcept { return factors_; }
    [[nodiscard]] const tfidf_settings& settings() const noexcept { return settings_; }
    /// The n-grams of the columns; of a bucket the first that was seen in it, and empty where none was remembered.
    [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }
    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>& = {}) const {
        if (!names_.empty() || columns() == 0) return names_;
        std::vector<std::string> out;
        for (std::size_t j = 0; j < columns(); ++j) out.push_back(detail::message("bucket_", j));
        return out;
    }
    /// What a column's n-gram is made of; where several stand in a bucket or none is known, the first range's unit.
    [[nodiscard]] ngram_unit unit(std::size_t column) const noexcept {
        return units_.empty() ? settings_.ngrams.front().unit : static_cast<ngram_unit>(units_[column]);
    }

    static constexpr std::array field_names{"settings", "names", "units", "factors"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(settings_, names_, units_, factors_); }

    /// For recipes: the features of one text without sorting them. Throws `error` (`bad_utf8`). The caller holds a frame.
    [[nodiscard]] std::span<detail::text_feature<T>> features(std::string_view text, std::size_t number, workspace& scratch) const {
        require_utf8(text, number, kind);
        const auto counted = detail::count_ngrams(text, settings_.ngrams, settings_.normal, static_cast<std::size_t>(settings_.max_characters), scratch,
                                                  [&](std::uint64_t key) { table_.prefetch(key); });
        const auto out = scratch.take<detail::text_feature<T>>(counted.grams.size());
        std::size_t n = 0;
        if (settings_.hash_bits > 0) {
            n = hashed(counted, out);
        } else {
            for (std::size_t g = 0; g < counted.grams.size(); ++g)
                if (const std::uint32_t column = table_.find(counted.grams[g].key); column != detail::ngram_table::none) {
                    CARAMEL_PREFETCH(factors_.data() + column);
                    out[n++] = {static_cast<std::int32_t>(column), T(0), static_cast<std::uint32_t>(g)};
                }
            for (std::size_t k = 0; k < n; ++k) {
                const auto& gram = counted.grams[out[k].gram];
                out[k].value = weight(gram.count, counted.total) * factors_(out[k].column);
            }
        }
        scale(out.first(n), [&](const detail::text_feature<T>& f) { return static_cast<std::size_t>(counted.grams[f.gram].unit); });
        return out.first(n);
    }

    /// For recipes: what an n-gram weighs that a text of `total` n-grams has so many times, before its factor.
    [[nodiscard]] T weight(std::uint32_t count, std::size_t total) const noexcept {
        switch (settings_.weighting) {
            case term_weight::raw:
                return static_cast<T>(count);
            case term_weight::sublinear:
                return count < few_.size() ? few_[count] : static_cast<T>(1 + std::log(static_cast<double>(count)));
            case term_weight::present:
                return T(1);
            case term_weight::bm25:
                break;
        }
        const double c = count, length = static_cast<double>(total) / settings_.mean_length;
        return static_cast<T>(c * (settings_.k1 + 1) / (c + settings_.k1 * (1 - settings_.b + settings_.b * length)));
    }
    /// For recipes: the columns by the keys of their n-grams; empty where hashed.
    [[nodiscard]] const detail::ngram_table& table() const noexcept { return table_; }

   private:
    friend struct tfidf<T>;

    // As `tfidf` makes it, which knows the keys.
    tfidf_model(tfidf_settings settings, std::vector<std::string> names, std::vector<std::uint8_t> units, vec<T> factors, detail::ngram_table table)
        : settings_(std::move(settings)), names_(std::move(names)), units_(std::move(units)), factors_(std::move(factors)), table_(std::move(table)) {
        prepare();
    }
    void prepare() {
        for (std::size_t c = 1; c < few_.size(); ++c) few_[c] = static_cast<T>(1 + std::log(static_cast<double>(c)));
    }
    // Rows of length 1; balanced, the parts of the units are first made equally long.
    template <class Features, class UnitOf>
    void scale(Features features, const UnitOf& unit_of) const {
        if (!settings_.unit_length) return;
        std::array<double, detail::ngram_units> squares{}, factors{};
        if (!settings_.balanced) {
            for (const auto& f : features) squares[0] += static_cast<double>(f.value) * static_cast<double>(f.value);
            const T factor = squares[0] > 0 ? static_cast<T>(1 / std::sqrt(squares[0])) : T(0);
            for (auto& f : features) f.value *= factor;
            return;
        }
        for (const auto& f : features) squares[unit_of(f)] += static_cast<double>(f.value) * static_cast<double>(f.value);
        const auto parts = static_cast<double>(settings_.ngrams.size());
        for (std::size_t u = 0; u < squares.size(); ++u) factors[u] = squares[u] > 0 ? 1 / std::sqrt(squares[u] * parts) : 0;
        for (auto& f : features) f.value *= static_cast<T>(factors[unit_of(f)]);
    }
    // n-grams that share a bucket count as one.
    std::size_t hashed(const detail::counted_text& counted, std::span<detail::text_feature<T>> out) const {
        for (std::size_t g = 0; g < counted.grams.size(); ++g)
            out[g] = {bucket(counted.grams[g].key, settings_.hash_bits), T(0), static_cast<std::uint32_t>(g)};
        std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.column != b.column ? a.column < b.column : a.gram < b.gram; });
        std::size_t n = 0;
        for (std::size_t k = 0; k < out.size(); ++n) {
            auto f = out[k];
            std::uint32_t count = 0;
            for (const std::int32_t column = f.column; k < out.size() && out[k].column == column; ++k) count += counted.grams[out[k].gram].count;
            f.value = weight(count, counted.total) * factors_(f.column);
            out[n] = f;
        }
        return n;
    }
    static std::int32_t bucket(std::uint64_t key, std::uint32_t bits) noexcept { return static_cast<std::int32_t>(detail::spread(key) >> (64 - bits)); }

    [[nodiscard]] sparse_row<T> row(std::string_view text, std::size_t number, workspace& scratch) const {
        const auto features = this->features(text, number, scratch);
        if (settings_.hash_bits == 0) std::ranges::sort(features, {}, &detail::text_feature<T>::column);
        const auto columns = scratch.take<std::int32_t>(features.size());
        const auto values = scratch.take<T>(features.size());
        for (std::size_t k = 0; k < features.size(); ++k) {
            columns[k] = features[k].column;
            values[k] = features[k].value;
        }
        return {columns, values, this->columns()};
    }

    tfidf_settings settings_;
    std::vector<std::string> names_;
    std::vector<std::uint8_t> units_;
    vec<T> factors_;
    detail::ngram_table table_;
    std::array<T, 64> few_{};
};

/// Recipe for `tfidf_model`: `tfidf<float>{.ngrams = {{ngram_unit::characters, 1, 3}}} | linear_svm<float>{}`.
/// A text goes through NFKC and folded lower case, unless `normalize` is false. n-grams of several units together are a union.
template <class T>
struct tfidf {
    using stage_concept = recipe_tag;

    std::vector<ngram_range> ngrams = {{}};  ///< words and pairs of them; each unit at most once
    bool normalize = true;
    term_weight weighting = term_weight::sublinear;
    /// Times the inverse document frequency, ln((1 + n) / (1 + df)) + 1; of BM25 ln(1 + (n - df + .5) / (df + .5)).
    bool idf = true;
    bool unit_length = true;  ///< rows of length 1
    bool balanced = false;    ///< with `unit_length`: each unit's part of a row is as long as the others', however many n-grams it has
    /// How many texts must have an n-gram. Texts of customers hold names, addresses and numbers, and the vocabulary is saved
    /// with the model: raise this (5, say) to keep out what only a few have written.
    std::size_t min_count = 1;
    double max_share = 1;            ///< 0 .. 1: what a larger share of the texts has is left out
    std::size_t max_features = 0;    ///< the most frequent ones; 0 = all
    std::uint32_t hash_bits = 0;     ///< 0 = a vocabulary; up to 28: 2^hash_bits buckets by a hash that never changes, `min_count` and the like unused
    bool remember_names = false;     ///< hashed: keep each bucket's first n-gram, to explain by
    double k1 = 1.2, b = 0.75;       ///< of BM25
    std::size_t max_characters = 0;  ///< a text's first ones; 0 = all

    /// Columns by falling number of texts, ties by a hash of the n-gram, so they do not depend on the order of the texts.
    /// Work is shared by `options.threads`. Throws `error`: `empty_input`, `bad_parameter`, `bad_utf8`, `limit_exceeded`.
    template <std::same_as<std::vector<std::string>> Texts>
    [[nodiscard]] tfidf_model<T> fit(const Texts& texts, const fit_options& options) const {
        return learn(texts, options, nullptr);
    }
    /// The model, and the rows of the training texts, in one pass.
    template <std::same_as<std::vector<std::string>> Texts, class Y>
    [[nodiscard]] std::pair<tfidf_model<T>, sparse_matrix<T>> fit_transform(const Texts& texts, const Y&, const fit_options& options) const {
        return fit_transform(texts, options);
    }
    template <std::same_as<std::vector<std::string>> Texts>
    [[nodiscard]] std::pair<tfidf_model<T>, sparse_matrix<T>> fit_transform(const Texts& texts, const fit_options& options) const {
        detail::text_rows<T> rows;
        auto model = learn(texts, options, &rows);
        sparse_matrix<T> out(model.columns());
        out.reserve(rows.size(), rows.values.size());
        std::vector<std::pair<std::int32_t, T>> sorted;
        std::vector<std::int32_t> columns;
        std::vector<T> values;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            sorted.clear();
            for (std::size_t k = rows.starts[i]; k < rows.starts[i + 1]; ++k) sorted.emplace_back(rows.columns[k], rows.values[k]);
            std::ranges::sort(sorted, {}, &std::pair<std::int32_t, T>::first);
            columns.clear();
            values.clear();
            for (const auto& [column, value] : sorted) {
                columns.push_back(column);
                values.push_back(value);
            }
            out.append_row(columns, values);
        }
        return {std::move(model), std::move(out)};
    }
    /// For recipes: the model, and with `rows` those of the training texts as `tfidf_model::features` gives them.
    template <std::same_as<std::vector<std::string>> Texts>
    [[nodiscard]] tfidf_model<T> learn(const Texts& texts, const fit_options& options, detail::text_rows<T>* rows) const {
        constexpr std::string_view who = tfidf_model<T>::kind;
        tfidf_settings settings;
        settings.ngrams = ngrams;
        settings.normal = normalize;
        settings.weighting = weighting;
        settings.unit_length = unit_length;
        settings.balanced = balanced;
        settings.hash_bits = hash_bits;
        settings.max_characters = max_characters;
        settings.k1 = k1;
        settings.b = b;
        settings.check();
        require(min_count > 0, errc::bad_parameter, who, ": min_count = 0, must be at least 1");
        require(max_share > 0 && max_share <= 1, errc::bad_parameter, who, ": max_share = ", max_share, ", must lie above 0 and up to 1");
        require(!texts.empty(), errc::empty_input, who, ": no texts to learn from");
        require(texts.size() < (std::size_t{1} << 31), errc::limit_exceeded, who, ": ", texts.size(), " texts, must be below 2^31");

        corpus all;
        count(texts, options, all);
        settings.mean_length = all.total > 0 ? static_cast<double>(all.total) / static_cast<double>(texts.size()) : 1;
        const auto n = static_cast<double>(texts.size());
        const auto factor = [&](std::uint32_t df) {
            if (!idf) return T(1);
            return static_cast<T>(weighting == term_weight::bm25 ? std::log1p((n - df + 0.5) / (df + 0.5)) : std::log((1 + n) / (1.0 + df)) + 1);
        };
        if (hash_bits > 0) return learn_hashed(texts, std::move(settings), options, all, factor, rows);

        std::vector<std::uint32_t> chosen;
        for (std::uint32_t g = 0; g < all.df.size(); ++g)
            if (all.df[g] >= min_count && all.df[g] <= max_share * n) chosen.push_back(g);
        std::sort(chosen.begin(), chosen.end(),
                  [&](std::uint32_t a, std::uint32_t b_) { return all.df[a] != all.df[b_] ? all.df[a] > all.df[b_] : all.keys[a] < all.keys[b_]; });
        if (max_features > 0 && chosen.size() > max_features) chosen.resize(max_features);
        require(chosen.size() < (std::size_t{1} << 31), errc::limit_exceeded, who, ": ", chosen.size(), " n-grams, must be below 2^31");
        vec<T> factors(static_cast<row_index>(chosen.size()));
        std::vector<std::uint8_t> units(chosen.size());
        detail::ngram_table table;
        std::vector<std::int32_t> column_of(all.df.size(), -1);
        for (std::size_t j = 0; j < chosen.size(); ++j) {
            const std::uint32_t g = chosen[j];
            column_of[g] = static_cast<std::int32_t>(j);
            factors(static_cast<row_index>(j)) = factor(all.df[g]);
            units[j] = static_cast<std::uint8_t>(all.firsts[g].gram.unit);
            table.insert(all.keys[g]);
        }
        auto names = names_of(texts, options, all, chosen);
        tfidf_model<T> model(std::move(settings), std::move(names), std::move(units), std::move(factors), std::move(table));
        if (rows != nullptr) weigh(model, options, all, column_of, *rows);
        return model;
    }

   private:
    struct first_seen {
        std::uint32_t text;
        ngram_count gram;
    };
    // The n-grams of all texts, numbered as they come.
    struct corpus {
        detail::ngram_table table;
        std::vector<std::uint64_t> keys;
        std::vector<std::uint32_t> df;
        std::vector<first_seen> firsts;
        std::vector<std::pair<std::uint32_t, std::uint32_t>> entries;  // number and count
        std::vector<std::size_t> starts{0}, totals;
        std::size_t total = 0;
    };
    static constexpr std::size_t block = 128;

    // Texts are taken apart side by side, a wave of blocks at a time, and entered in their order.
    template <class Texts>
    void count(const Texts& texts, const fit_options& options, corpus& all) const {
        struct block_counts {
            std::vector<ngram_count> grams;
            std::vector<std::size_t> ends, totals;
            workspace scratch;
        };
        std::vector<block_counts> wave(16);
        const std::size_t blocks = (texts.size() + block - 1) / block;
        for (std::size_t first = 0; first < blocks; first += wave.size()) {
            const std::size_t some = std::min(wave.size(), blocks - first);
            parallel_for(some, options, [&](std::size_t w) {
                auto& mine = wave[w];
                mine.grams.clear();
                mine.ends.clear();
                mine.totals.clear();
                for (std::size_t i = (first + w) * block; i < std::min(texts.size(), (first + w + 1) * block); ++i) {
                    const workspace::frame frame(mine.scratch);
                    require_utf8(texts[i], i + 1, tfidf_model<T>::kind);
                    const auto counted = detail::count_ngrams(texts[i], ngrams, normalize, max_characters, mine.scratch);
                    mine.grams.insert(mine.grams.end(), counted.grams.begin(), counted.grams.end());
                    mine.ends.push_back(mine.grams.size());
                    mine.totals.push_back(counted.total);
                }
            });
            for (std::size_t w = 0; w < some; ++w) {
                const auto& mine = wave[w];
                require(all.entries.size() + mine.grams.size() < 0xFFFFFFF0U, errc::limit_exceeded, tfidf_model<T>::kind, ": more than 2^32 n-grams");
                std::size_t at = 0;
                for (std::size_t i = 0; i < mine.ends.size(); ++i) {
                    const auto number = static_cast<std::uint32_t>(all.starts.size() - 1);
                    for (; at < mine.ends[i]; ++at) {
                        constexpr std::size_t ahead = 16;
                        if (at + ahead < mine.grams.size()) all.table.prefetch(mine.grams[at + ahead].key);
                        const auto& gram = mine.grams[at];
                        const auto [g, is_new] = all.table.insert(gram.key);
                        if (is_new) {
                            all.keys.push_back(gram.key);
                            all.df.push_back(0);
                            all.firsts.push_back({number, gram});
                        }
                        ++all.df[g];
                        all.entries.emplace_back(g, gram.count);
                    }
                    all.starts.push_back(all.entries.size());
                    all.totals.push_back(mine.totals[i]);
                    all.total += mine.totals[i];
                }
            }
        }
    }
    // The n-grams in words, from the texts that first had them.
    template <class Texts>
    [[nodiscard]] std::vector<std::string> names_of(const Texts& texts, const fit_options& options, const corpus& all,
                                                    const std::vector<std::uint32_t>& chosen) const {
        std::vector<std::string> names(chosen.size());
        std::vector<std::uint32_t> order(chosen.size());
        for (std::uint32_t j = 0; j < order.size(); ++j) order[j] = j;
        std::ranges::sort(order, {}, [&](std::uint32_t j) { return chosen[j]; });  // as they were first seen: text by text
        parallel_blocks(order.size(), 8192, options, [&](std::size_t begin, std::size_t end, std::size_t) {
            workspace scratch;
            std::span<const char32_t> points;
            std::uint32_t of = 0xFFFFFFFF;
            for (std::size_t k = begin; k < end; ++k) {
                const auto& first = all.firsts[chosen[order[k]]];
                if (first.text != of) {
                    const workspace::frame frame(scratch);
                    of = first.text;
                    points = detail::normal_points(texts[of], normalize, scratch);
                    if (max_characters > 0 && points.size() > max_characters + 2) points = points.first(max_characters + 2);
                }
                names[order[k]] = detail::ngram_name(
                    points, first.gram, *std::find_if(ngrams.begin(), ngrams.end(), [&](const ngram_range& one) { return one.unit == first.gram.unit; }));
            }
        });
        return names;
    }
    static void weigh(const tfidf_model<T>& model, const fit_options& options, const corpus& all, const std::vector<std::int32_t>& column_of,
                      detail::text_rows<T>& rows) {
        const std::size_t n = all.totals.size();
        rows.starts.assign(n + 1, 0);
        parallel_blocks(n, 1024, options, [&](std::size_t begin, std::size_t end, std::size_t) {
            for (std::size_t i = begin; i < end; ++i)
                for (std::size_t k = all.starts[i]; k < all.starts[i + 1]; ++k) rows.starts[i + 1] += column_of[all.entries[k].first] >= 0 ? 1U : 0U;
        });
        for (std::size_t i = 0; i < n; ++i) rows.starts[i + 1] += rows.starts[i];
        rows.columns.resize(rows.starts[n]);
        rows.values.resize(rows.starts[n]);
        parallel_blocks(n, 1024, options, [&](std::size_t begin, std::size_t end, std::size_t) {
            std::vector<detail::text_feature<T>> features;
            for (std::size_t i = begin; i < end; ++i) {
                features.clear();
                for (std::size_t k = all.starts[i]; k < all.starts[i + 1]; ++k) {
                    const auto [g, times] = all.entries[k];
                    if (column_of[g] >= 0) features.push_back({column_of[g], model.weight(times, all.totals[i]) * model.factors_(column_of[g]), g});
                }
                model.scale(std::span(features), [&](const detail::text_feature<T>& f) { return static_cast<std::size_t>(all.firsts[f.gram].gram.unit); });
                std::size_t at = rows.starts[i];
                for (const auto& f : features) {
                    rows.columns[at] = f.column;
                    rows.values[at++] = f.value;
                }
            }
        });
    }
    template <class Texts, class Factor>
    [[nodiscard]] tfidf_model<T> learn_hashed(const Texts& texts, tfidf_settings settings, const fit_options& options, const corpus& all, const Factor& factor,
                                              detail::text_rows<T>* rows) const {
        const std::size_t buckets = std::size_t{1} << hash_bits;
        std::vector<std::uint32_t> df(buckets), seen_in(buckets, 0xFFFFFFFF), first(buckets, 0xFFFFFFFF);
        for (std::size_t i = 0; i < all.totals.size(); ++i)
            for (std::size_t k = all.starts[i]; k < all.starts[i + 1]; ++k) {
                const std::uint32_t g = all.entries[k].first;
                const auto b_ = static_cast<std::size_t>(tfidf_model<T>::bucket(all.keys[g], hash_bits));
                if (seen_in[b_] != i) ++df[b_];
                seen_in[b_] = static_cast<std::uint32_t>(i);
                if (first[b_] == 0xFFFFFFFF) first[b_] = g;
            }
        vec<T> factors(static_cast<row_index>(buckets));
        for (std::size_t j = 0; j < buckets; ++j) factors(static_cast<row_index>(j)) = factor(df[j]);
        std::vector<std::string> names;
        std::vector<std::uint8_t> units;
        if (remember_names) {
            names.resize(buckets);
            units.assign(buckets, static_cast<std::uint8_t>(ngrams.front().unit));
            std::vector<std::uint32_t> chosen, at;
            for (std::uint32_t j = 0; j < buckets; ++j)
                if (first[j] != 0xFFFFFFFF) {
                    chosen.push_back(first[j]);
                    at.push_back(j);
                }
            auto some = names_of(texts, options, all, chosen);
            for (std::size_t k = 0; k < at.size(); ++k) {
                names[at[k]] = std::move(some[k]);
                units[at[k]] = static_cast<std::uint8_t>(all.firsts[chosen[k]].gram.unit);
            }
        }
        tfidf_model<T> model(std::move(settings), std::move(names), std::move(units), std::move(factors), detail::ngram_table());
        if (rows != nullptr) {
            workspace scratch;
            for (const auto& text : texts) {
                const workspace::frame frame(scratch);
                for (const auto& f : model.features(text, 1, scratch)) {
                    rows->columns.push_back(f.column);
                    rows->values.push_back(f.value);
                }
                rows->starts.push_back(rows->columns.size());
            }
        }
        return model;
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
