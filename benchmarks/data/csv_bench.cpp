// A log of a shop as CSV, parsed with inferred types; beside it one pass over its bytes, which nothing that reads it can beat.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>

#include <caramel/core/random.hpp>
#include <caramel/data/csv.hpp>
#include <caramel/io/file.hpp>

namespace {

using namespace caramel;

// As wide as the year of a real shop: invoice, item, description, quantity, time, price, customer (a fifth of them missing), country.
std::string shop_log(std::int64_t rows) {
    rng random(1);
    const auto number = [&](std::uint64_t from, std::uint64_t to) { return std::to_string(from + random.below(to - from)); };
    const auto two = [&](std::uint64_t from, std::uint64_t to) {
        const std::string digits = number(from, to);
        return digits.size() == 1 ? "0" + digits : digits;
    };
    std::string out = "invoice,stock_code,description,quantity,invoice_date,price,customer_id,country\n", head, tail;
    for (std::int64_t i = 0; i < rows; ++i) {
        if (i % 20 == 0) {  // an invoice has about twenty rows
            head = (random.below(40) == 0 ? "C" : "") + std::to_string(489434 + i / 20);
            tail = "2010-" + two(1, 13) + "-" + two(1, 29) + " " + two(8, 19) + ":" + two(0, 60) + ":00";
        }
        const std::uint64_t item = random.below(4600);
        out += head + "," + std::to_string(20000 + item) + (item % 5 == 0 ? "B," : ",");
        const std::string description = "ITEM " + std::to_string(item) + " OF MANY COLOURS AND USES";
        out += item % 100 == 0 ? "\"" + description + ", LARGE\"" : description.substr(0, 12 + item % 20);
        out += "," + number(1, 50) + "," + tail + "," + number(0, 20) + "." + number(10, 100) + ",";
        if (i / 20 % 5 != 0) out += std::to_string(12346 + i / 20 % 4300);
        out += ",United Kingdom\n";
    }
    return out;
}

void csv_bytes(benchmark::State& state) {
    const std::string text = shop_log(state.range(0));
    for (auto _ : state) {
        std::size_t lines = 0;
        for (const char *p = text.data(), *const end = p + text.size(); p != end; ++p, ++lines)
            p = static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(end - p)));  // the text ends with one
        benchmark::DoNotOptimize(lines);
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK(csv_bytes)->Arg(500'000)->Unit(benchmark::kMillisecond);

void csv_parse(benchmark::State& state) {
    const std::string text = shop_log(state.range(0));
    for (auto _ : state) benchmark::DoNotOptimize(parse_csv(text));
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(csv_parse)->Arg(10)->Arg(10'000)->Arg(500'000)->Unit(benchmark::kMillisecond);

void csv_read(benchmark::State& state) {  // from a file in the system's cache
    const std::string text = shop_log(state.range(0));
    const auto path = std::filesystem::temp_directory_path() / "caramel_csv_bench.csv";
    replace_file(path, std::as_bytes(std::span(text)));
    for (auto _ : state) benchmark::DoNotOptimize(read_csv(path));
    std::filesystem::remove(path);
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(csv_read)->Arg(500'000)->Unit(benchmark::kMillisecond);

}  // namespace
