// Saved models that were altered on purpose, with a checksum that fits: every tensor gone, renamed, of another type, shape or length,
// every element set to what hurts most. Each file is refused by `caramel::error`, or what is loaded answers and saves as a model does.

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <caramel/io/model_file.hpp>

#include "io_support.hpp"
#include "support/catch.hpp"
#include "support/small_models.hpp"

using namespace caramel;

namespace hostile_models_test {

using namespace small_models;

namespace {

struct part {
    std::string name;
    dtype type;
    std::vector<std::uint64_t> shape;
    std::vector<std::byte> bytes;

    [[nodiscard]] std::size_t width() const { return size_of(type); }
    // The first dimension; new elements are copies of the last one.
    void resize(std::uint64_t n) {
        shape[0] = n;
        std::size_t size = width();
        for (const std::uint64_t each : shape) size *= static_cast<std::size_t>(each);
        const std::size_t before = bytes.size();
        bytes.resize(size);
        for (std::size_t i = before; i < size && before >= width(); ++i) bytes[i] = bytes[i - width()];
    }
};
struct parts {
    std::map<std::string, std::string, std::less<>> metadata;
    std::vector<part> tensors;

    explicit parts(std::span<const std::byte> file) {
        const auto read = parse_safetensors(file);
        metadata = read.metadata();
        for (std::size_t i = 0; i < read.size(); ++i) {
            const tensor_view t = read[i];
            part& p = tensors.emplace_back(part{std::string(t.name), t.type, {}, {t.bytes.begin(), t.bytes.end()}});
            for (std::size_t k = 0; k < t.shape.size(); ++k) p.shape.push_back(t.shape[k]);
        }
    }
    [[nodiscard]] std::string file() const {
        safetensors_writer out;
        for (const auto& [key, value] : metadata) out.add_metadata(key, value);
        for (const part& p : tensors) out.add(p.name, p.type, p.shape, p.bytes);
        std::string text = text_of(out.finish());
        const std::size_t digits = detail::no_checksum.size();
        if (const auto at = detail::checksum_place(as_bytes_of(text))) text.replace(*at, digits, detail::checksum_of(as_bytes_of(text), *at));
        return text;
    }
};
std::vector<std::uint64_t> worst_values(const part& p, std::size_t others) {
    if (p.type == dtype::f32) {
        using L = std::numeric_limits<float>;
        std::vector<std::uint64_t> out;
        for (const float x : {L::quiet_NaN(), L::infinity(), -L::infinity(), L::max(), L::denorm_min(), 0.0F, -1.0F}) out.push_back(std::bit_cast<std::uint32_t>(x));
        return out;
    }
    if (p.type == dtype::f64) {
        using L = std::numeric_limits<double>;
        std::vector<std::uint64_t> out;
        for (const double x : {L::quiet_NaN(), L::infinity(), -L::infinity(), L::max(), L::denorm_min(), 0.0, -1.0}) out.push_back(std::bit_cast<std::uint64_t>(x));
        return out;
    }
    const std::uint64_t top = std::uint64_t{1} << (8 * p.width() - 1);
    return {0, 1, 2, 3, others, ~std::uint64_t{0}, top, top - 1, std::uint64_t{1} << (4 * p.width()), 255};
}

void require_shown(const error& e) {
    if (!detail::is_utf8_text(e.what())) throw std::logic_error("a message that is not UTF-8");
}

struct counts {
    std::size_t refused = 0, loaded = 0;
};
template <class Model, class Use>
void try_file(const std::string& file, const Use& use, counts& all) {
    try {
        const Model model = load<Model>(as_bytes_of(file));
        ++all.loaded;
        try {
            use(model);
        } catch (const error& e) {
            require_shown(e);
        }
        const auto saved = to_bytes(model);
        if (to_bytes(load<Model>(std::span<const std::byte>(saved))) != saved) throw std::logic_error("what was loaded saves otherwise the second time");
    } catch (const error& e) {
        ++all.refused;
        require_shown(e);
        const bool typed = e.code() == errc::bad_format || e.code() == errc::unsupported_version || e.code() == errc::checksum_mismatch;
        if (!typed) throw std::logic_error("refused as " + std::string(name_of(e.code())));
    }
}

template <class Model, class Use>
void check(const Model& model, const Use& use, std::size_t most_elements = 24) {
    const auto bytes = to_bytes(model);
    const std::string whole = text_of(bytes);
    INFO(Model::kind);
    const parts original{bytes};
    REQUIRE(original.file() == whole);
    counts all;
    std::string done;  // for the message
    const auto attempt = [&](const parts& altered, const std::string& what) {
        done = what;
        try_file<Model>(altered.file(), use, all);
    };
    try {
        for (std::size_t t = 0; t < original.tensors.size(); ++t) {
            const part& before = original.tensors[t];
            const auto with = [&](const std::string& what, const auto& change) {
                parts altered = original;
                change(altered.tensors[t]);
                attempt(altered, before.name + " " + what);
            };
            parts without = original;
            without.tensors.erase(without.tensors.begin() + static_cast<std::ptrdiff_t>(t));
            attempt(without, before.name + " left out");
            with("renamed", [](part& p) { p.name += "x"; });
            with("with a dimension more", [](part& p) { p.shape.push_back(1); });
            if (!before.shape.empty()) {
                const std::uint64_t n = before.shape[0];
                for (const std::uint64_t size : {std::uint64_t{0}, n == 0 ? 1 : n - 1, n + 1, 2 * n})
                    with("of length " + std::to_string(size), [&](part& p) { p.resize(size); });
                parts altered = original;  // and all that are as long
                for (part& p : altered.tensors)
                    if (!p.shape.empty() && p.shape[0] == n) p.resize(n + 1);
                attempt(altered, before.name + " and those as long, longer");
            }
            for (std::size_t type = 0; type < detail::dtypes.size(); ++type)
                if (detail::dtypes[type].bytes == before.width() && static_cast<dtype>(type) != before.type)
                    with("of another type", [&](part& p) { p.type = static_cast<dtype>(type); });
            with("backwards", [](part& p) { std::reverse(p.bytes.begin(), p.bytes.end()); });
            const std::size_t n = before.bytes.size() / before.width(), step = std::max<std::size_t>(1, n / most_elements);
            for (std::size_t i = 0; i < n; i += step)
                for (const std::uint64_t value : worst_values(before, n))
                    with("element " + std::to_string(i) + " = " + std::to_string(value),
                         [&](part& p) { std::memcpy(p.bytes.data() + i * p.width(), &value, p.width()); });
        }
        parts other_kind = original, newer = original, no_format = original;
        other_kind.metadata["caramel.kinds"] = "somebody_else";
        newer.metadata["caramel.format"] = "2";
        no_format.metadata.erase("caramel.format");
        for (const parts* altered : {&other_kind, &newer, &no_format}) {
            const std::size_t loaded = all.loaded;
            attempt(*altered, "other metadata");
            CHECK(all.loaded == loaded);
        }
    } catch (const std::logic_error& e) {
        INFO(done << ": " << e.what());
        CHECK(false);
    }
    CHECK(all.refused > original.tensors.size());
    // Not made to fit: cut short, or a byte changed.
    std::size_t accepted = 0;
    const auto refuse = [&](const std::string& file) {
        try {
            (void)load<Model>(as_bytes_of(file));
            ++accepted;
        } catch (const error&) {
        }
    };
    for (std::size_t n = 0; n < whole.size(); ++n) refuse(whole.substr(0, n));
    for (std::size_t i = 0; i < whole.size(); ++i)
        for (const unsigned bits : {1U, 0x20U, 0x80U, 0xFFU}) {
            std::string file = whole;
            file[i] = static_cast<char>(static_cast<unsigned char>(file[i]) ^ bits);
            refuse(file);
        }
    CHECK(accepted == 0);
}

}  // namespace

TEST_CASE("hostile_models: of numbers and tables", "[hostile_models][error]") {
    check(make_standardize(), use_standardize);
    check(make_impute(), use_impute);
    check(make_encode(), use_encode);
    check(make_columns(), use_columns);
    check(make_bucketize(), use_bucketize);
    check(make_logistic(), use_logistic);
    check(make_trees(), use_trees);
}
TEST_CASE("hostile_models: of texts", "[hostile_models][error]") {
    check(make_words(), use_tokens<word_tokenizer_model>);
    check(make_characters(), use_tokens<char_tokenizer_model>);
    check(make_tfidf(), use_tfidf);
    check(make_normal(), use_normal);
    check(make_chinese(), use_chinese, 8);
    check(make_bpe(), use_encoder<bpe_model>, 4);
    check(make_wordpieces(), use_wordpieces, 4);
}
TEST_CASE("hostile_models: of customers and decisions", "[hostile_models][error]") {
    check(make_popularity(), use_recommender<popularity_model<float>>);
    check(make_neighbors(), use_recommender<item_neighbors_model<float>>);
    check(make_policy(), use_policy);
    check(make_space(), use_space);
}

}  // namespace hostile_models_test
