// What loading takes from the heap, whatever a file claims: at most twice the file and a mebibyte. Counted by operators
// new and delete of our own, so not where a sanitizer has its own.

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include <caramel/features/standardize.hpp>
#include <caramel/io/model_file.hpp>

#include "io_support.hpp"
#include "support/catch.hpp"
#include "support/peak_memory.hpp"

#if CARAMEL_TESTS_COUNT_MEMORY
#include <malloc.h>

namespace peak_memory {
counters now;
}
namespace {
void raise_to(std::atomic<std::size_t>& most, std::size_t value) noexcept {
    std::size_t before = most;
    while (value > before && !most.compare_exchange_weak(before, value)) {
    }
}
void* counted(std::size_t size) {
    void* const p = std::malloc(size);
    if (p == nullptr) throw std::bad_alloc();
    const std::size_t usable = malloc_usable_size(p);
    auto& now = peak_memory::now;
    raise_to(now.peak, now.held += usable);
    raise_to(now.largest, usable);
    now.bytes += usable;
    ++now.blocks;
    return p;
}
void uncounted(void* p) noexcept {
    if (p != nullptr) peak_memory::now.held -= malloc_usable_size(p);
    std::free(p);
}
}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void operator delete(void* p) noexcept { uncounted(p); }
void operator delete[](void* p) noexcept { uncounted(p); }
void operator delete(void* p, std::size_t) noexcept { uncounted(p); }
void operator delete[](void* p, std::size_t) noexcept { uncounted(p); }

using namespace caramel;

namespace {

template <class M>
void check_peak(const std::string& name, const std::string& bytes, std::string_view code) {
    INFO(name << ", a file of " << bytes.size() << " bytes");
    const temporary_folder folder;
    replace_file(folder / "a", as_bytes_of(bytes));
    std::string found = "ok";
    const std::size_t taken = peak_memory::by([&] {
        try {
            (void)load<M>(folder / "a");
        } catch (const error& e) {
            found = name_of(e.code());
        }
    }).peak;
    CHECK(found == code);
    CHECK(taken <= 2 * bytes.size() + (std::size_t{1} << 20));
    CHECK(taken >= bytes.size());  // the count counts
}
std::string entry(const std::string& shape, const std::string& offsets) { return R"({"dtype":"U8","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}"; }
// Names as short as can be, so that the header is as small as its tensors can make it.
std::string name_of_number(std::size_t i) {
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    std::string out;
    do out += letters[i % 64];
    while ((i /= 64) != 0);
    return out;
}
template <class Entry>
std::string many(std::size_t count, Entry make) {
    std::string header = "{";
    for (std::size_t i = 0; i < count; ++i) header += make(i) + ",";
    header.back() = '}';
    return container(header);
}

std::string replaced_once(std::string text, std::string_view what, std::string_view by) { return text.replace(text.find(what), what.size(), by); }

struct numbers_model {
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "numbers";
    std::vector<double> x{};
    static constexpr std::array field_names{"x"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(x); }
};

}  // namespace

TEST_CASE("memory: hostile files take no more than twice their size and a mebibyte", "[memory][error]") {
    using M = standardize_model<float>;
    const auto quoted = [](std::size_t i) { return "\"" + name_of_number(i) + "\":"; };
    check_peak<M>("as many empty tensors as allowed", many(65'536, [&](std::size_t i) { return quoted(i) + entry("[0]", "[0,0]"); }), "bad_format");
    check_peak<M>("the same with 8 dimensions", many(65'536, [&](std::size_t i) { return quoted(i) + entry("[0,0,0,0,0,0,0,0]", "[0,0]"); }), "bad_format");
    check_peak<M>("the same with escaped names", many(60'000, [&](std::size_t i) { return "\"\\n" + name_of_number(i) + "\":" + entry("[0]", "[0,0]"); }),
                  "bad_format");
    check_peak<M>("more tensors than allowed", many(100'000, [&](std::size_t i) { return quoted(i) + entry("[0]", "[0,0]"); }), "limit_exceeded");
    check_peak<M>("keys and nothing else", many(400'000, [&](std::size_t i) { return quoted(i) + "0"; }), "wrong_type");
    check_peak<M>("unknown keys in a tensor", container(R"({"w":)" + many(400'000, [&](std::size_t i) { return quoted(i) + "0"; }).substr(8) + "}"),
                  "unknown_key");
    check_peak<M>("numbers and nothing else", container("{\"w\":[" + std::string(4'000'000, '0') + "]}"), "limit_exceeded");
    std::string zeros = "{\"w\":{\"shape\":[";
    for (int i = 0; i < 2'000'000; ++i) zeros += "0,";
    check_peak<M>("a shape of millions", container(zeros + "0]}}"), "too_many_dims");
    check_peak<M>("a name of megabytes", container("{\"" + std::string(8'000'000, 'x') + "\":0}"), "limit_exceeded");
    check_peak<M>("names of 128 KiB", container("{\"" + std::string(131'000, 'x') + "\":" + entry("[0]", "[0,0]") + "}"), "bad_format");
    check_peak<M>("an escaped name of 128 KiB", container("{\"" + std::string(131'000, 'x') + "\\n\":" + entry("[0]", "[0,0]") + "}"), "bad_format");
    std::string pairs = "{\"__metadata__\":{";
    for (std::size_t i = 0; i < 4096; ++i) pairs += "\"" + name_of_number(i) + "\":\"\",";
    pairs.back() = '}';
    check_peak<M>("as much metadata as allowed", container(pairs + "}"), "bad_format");
    std::string all = pairs.substr(0, pairs.size() - 1) + ",\"" + std::string(131'000, 'x') + "\":\"" + std::string(131'000, 'y') + "\"}";
    for (std::size_t i = 0; i < 65'536; ++i) all += "," + quoted(i) + entry("[0]", "[0,0]");
    check_peak<M>("everything at its limit", container(all + "}"), "limit_exceeded");
    check_peak<M>("everything at its limit", container(replaced_once(all, "\"a\":\"\",", "") + "}"), "bad_format");
    check_peak<M>("brackets", container("{\"w\":" + std::string(10'000'000, '[')), "json_too_deep");
    check_peak<M>("blanks", container("{}" + std::string(10'000'000, ' ')), "bad_format");
    for (const std::uint64_t length : {std::uint64_t{1} << 24, std::uint64_t{99'000'000}, std::uint64_t{1} << 62, ~std::uint64_t{0}}) {
        std::string bytes(1000, ' ');
        std::memcpy(bytes.data(), &length, 8);
        check_peak<M>("a header that is not there", bytes, length == std::uint64_t{1} << 24 ? "bad_header_length" : "header_too_large");
    }
    check_peak<M>("a tensor that is not there", container("{\"w\":" + entry("[2147483648,2147483648]", "[0,4611686018427387904]") + "}"),
                  "offset_out_of_range");
}
TEST_CASE("memory: an honest file takes itself and its model", "[memory]") {
    numbers_model model{std::vector<double>(500'000, 0.5)};
    const std::string bytes = text_of(to_bytes(model));
    check_peak<numbers_model>("four megabytes of numbers", bytes, "ok");
    std::vector<std::byte> out;
    CHECK(peak_memory::by([&] { save(model, out); }).peak <= 2 * bytes.size() + (std::size_t{1} << 20));
}
#endif
