// Reading and writing while allocations and calls of the system fail, and while the process is killed: an exception of ours or
// the whole result, the old file or the new one, nothing left behind.

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

#include <caramel/data/csv.hpp>
#include <caramel/data/table.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/io/file.hpp>
#include <caramel/io/model_file.hpp>
#include <caramel/text/bpe_json.hpp>
#include <caramel/text/embedding_files.hpp>
#include <caramel/text/tokenizer_json.hpp>
#include <caramel/text/wordpiece.hpp>

#include "faults/subjects.hpp"
#include "io/io_support.hpp"
#include "support/catch.hpp"
#include "support/faults.hpp"

namespace files_test {

using namespace caramel;
using namespace faults_test;
using model = standardize_model<float>;

// Larger than one block of writing, where `columns` is.
model of_generation(float generation, row_index columns = 40) { return {vec<float>::Constant(columns, generation), vec<float>::Constant(columns, 1 + generation)}; }

constexpr std::string_view tokenizer_text = R"({"version": "1.0", "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
"strip_accents": null, "lowercase": true}, "pre_tokenizer": {"type": "BertPreTokenizer"}, "model": {"type": "WordPiece", "unk_token": "[UNK]",
"continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "run": 4, "##s": 5}}})";

// Files of every kind that is read, and what reading them says.
struct reader {
    std::string name;
    std::function<std::string()> read;
};
struct files {
    temporary_folder folder;

    files() {
        save(of_generation(1), folder / "model", {.description = "a test"});
        write("table.csv", "id,amount,when\n\"a\n1\",2.5,2024-01-02\nb,,2024-02-03 04:05:06\n");
        write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\nrun\n##s\n");
        write("tokenizer.json", tokenizer_text);
        std::string bytes = "{";
        for (int i = 0; i < 256; ++i) bytes += (i > 0 ? ", " : "") + nlohmann::json(gpt2_letter(i)).dump() + ": " + std::to_string(i);
        write("vocab.json", bytes + ", \"ab\": 256}");
        write("merges.txt", "#version: 0.2\na b\n");
        write("vectors.txt", "3 2\none 1 2\ntwo 3 4\nthree 5 6\n");
    }
    void write(const std::string& name, std::string_view text) const { replace_file(folder / name, as_bytes_of(text)); }
    // The letter that stands for a byte in GPT-2's vocabularies.
    static std::string gpt2_letter(int byte) {
        std::string out;
        detail::append_letters(out, std::string(1, static_cast<char>(byte)));
        return out;
    }
    std::vector<reader> all() const {
        return {
            {"load", [this] { return result_of([&] { return load<model>(folder / "model"); }); }},
            {"read_card",
             [this] {
                 const auto card = read_card(folder / "model");
                 const faults::pause no_faults;
                 return card.description;
             }},
            {"read_csv",
             [this] {
                 const table t = read_csv(folder / "table.csv");
                 const faults::pause no_faults;
                 std::ostringstream out;
                 write_csv(t, out);
                 return out.str();
             }},
            {"load_wordpiece", [this] { return result_of([&] { return load_wordpiece(folder / "vocab.txt"); }); }},
            {"read_tokenizer_json", [this] { return result_of([&] { return read_tokenizer_json(folder / "tokenizer.json").tokenizer; }); }},
            {"read_bpe", [this] { return result_of([&] { return read_bpe(folder / "vocab.json", folder / "merges.txt"); }); }},
            {"read_embeddings",
             [this] {
                 const auto vectors = read_embeddings<float>(folder / "vectors.txt", embedding_format::word2vec_text);
                 const faults::pause no_faults;
                 return format_embeddings(vectors, embedding_format::glove_text);
             }},
        };
    }
    // Names and contents.
    std::string state() const {
        std::string out;
        for (const auto& name : folder.names()) out += name + '\n' + text_of(read_file(folder / name)) + '\n';
        return out;
    }
};

TEST_CASE("faults: loading, whichever allocation fails", "[faults][memory]") {
    const files given;
    for (const reader& r : given.all()) {
        INFO(r.name);
        const auto report = faults::failing_allocations(r.read, [&] { return given.state(); }, 150);
        CHECK(report.problem == "");
        CHECK(report.came_out > 0);
        std::cout << "faults: " << r.name << ": " << report.points << " allocations failed, " << report.came_out << " came out\n";
    }
}
TEST_CASE("faults: saving, whichever allocation fails", "[faults][memory]") {
    const files given;
    std::filesystem::create_symlink(given.folder / "model", given.folder / "link");
    const auto state = [&] { return given.state() + (std::filesystem::is_symlink(given.folder / "link") ? "a link" : "no link"); };
    table customers;
    customers.add_column("id", std::vector<std::string>{"a", "b"});
    const std::vector<std::function<void()>> writers{
        [&] { save(of_generation(1), given.folder / "model"); },
        [&] { save(of_generation(1), given.folder / "link"); },
        [&] { write_csv(customers, given.folder / "new.csv"); },
    };
    for (const auto& write : writers) {
        write();  // so that it makes no difference which attempts succeed
        const auto report = faults::failing_allocations([&] { return write(), std::string(); }, state);
        CHECK(report.problem == "");
        CHECK(report.came_out > 5);
    }
}
TEST_CASE("faults: saving, whichever call of the system fails", "[faults][file]") {
    const temporary_folder folder;
    const auto state = [&] {
        std::string out;
        for (const auto& name : folder.names()) out += name + '\n' + text_of(read_file(folder / name)) + '\n';
        return out;
    };
    const row_index columns = 200'000;  // two blocks of writing
    const model old_model = of_generation(1, columns), new_model = of_generation(2, columns);
    const std::string old_bytes = bytes_of(old_model);
    const auto prepare = [&] { std::ofstream(folder / "model", std::ios::binary) << old_bytes; };
    const auto report = faults::failing_files(prepare, [&] { return save(new_model, folder / "model"), std::string(); }, state);
    CHECK(report.problem == "");
    CHECK(report.came_out >= 12);
    CHECK(report.points > report.came_out);  // what interrupts, or takes half of a block, is made good
    std::cout << "faults: save: " << report.points << " calls failed, " << report.came_out << " came out\n";
    CHECK(bytes_of(load<model>(folder / "model")) == bytes_of(new_model));
}
TEST_CASE("faults: saving for the first time, whichever call of the system fails", "[faults][file]") {
    const temporary_folder folder;
    const auto state = [&] { return folder.names().empty() ? std::string() : bytes_of(load<model>(folder / "model")) + std::to_string(folder.names().size()); };
    const auto prepare = [&] { std::filesystem::remove(folder / "model"); };
    const auto report = faults::failing_files(prepare, [&] { return save(of_generation(2), folder / "model"), std::string(); }, state);
    CHECK(report.problem == "");
    CHECK(report.came_out >= 12);
}
TEST_CASE("faults: loading, whichever call of the system fails", "[faults][file]") {
    const files given;
    for (const reader& r : given.all()) {
        INFO(r.name);
        const auto report = faults::failing_files([] {}, r.read, [&] { return given.state(); });
        CHECK(report.problem == "");
        CHECK(report.came_out >= 4);
        CHECK(report.points > report.came_out);
    }
}

#ifndef CARAMEL_TESTS_THREADS_ONLY
// A process that saves one generation after another is killed at a random moment, again and again.
struct kills {
    std::size_t seen_new = 0, most_files = 0, broken = 0;
};
kills kill_while_saving(std::size_t times, std::uint64_t seed) {
    const temporary_folder folder;
    const row_index columns = 20'000;
    save(of_generation(0, columns), folder / "model");
    rng random(seed);
    kills out;
    float last = 0;
    double longest = 3000;  // microseconds: goes up and down so that a save has just ended about every other time
    for (std::size_t i = 0; i < times; ++i) {
        const pid_t child = fork();
        REQUIRE(child >= 0);
        if (child == 0)
            for (float generation = last + 1;; ++generation) save(of_generation(generation, columns), folder / "model");
        std::this_thread::sleep_for(std::chrono::microseconds(200 + random.below(static_cast<std::uint64_t>(longest))));
        kill(child, SIGKILL);
        waitpid(child, nullptr, 0);
        try {
            const auto found = load<model>(folder / "model");
            const float generation = found.mean()(0);
            if (!(found.mean().array() == generation).all() || generation < last) ++out.broken;
            if (generation > last) ++out.seen_new;
            longest = generation > last ? std::max(500.0, longest * 0.8) : std::min(100'000.0, longest * 1.25);
            last = generation;
        } catch (const error&) {
            ++out.broken;
        }
        out.most_files = std::max(out.most_files, folder.names().size());
    }
    save(of_generation(1, columns), folder / "model");
    CHECK(folder.names() == std::vector<std::string>{"model"});  // the next one that saves tidies up: personal data
    std::cout << "faults: " << times << " times killed while saving: " << out.broken << " broken files, " << out.seen_new << " times a new generation, at most "
              << out.most_files - 1 << " stray files\n";
    return out;
}
TEST_CASE("faults: killed while it saves, a process leaves a whole file", "[faults][kill]") {
    const kills seen = kill_while_saving(100, 1);
    CHECK(seen.broken == 0);
    CHECK(seen.most_files <= 2);
    CHECK(seen.seen_new >= 20);
}
TEST_CASE("faults: killed a thousand times while it saves, a process leaves a whole file", "[faults][kill][slow]") {
    const kills seen = kill_while_saving(1000, 2);
    CHECK(seen.broken == 0);
    CHECK(seen.most_files <= 2);
    CHECK(seen.seen_new >= 200);
}
#endif

}  // namespace files_test
