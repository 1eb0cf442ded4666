// What is no file to load: every loader that takes a path refuses it at once, by `caramel::error`, without taking memory for it.

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <caramel/data/csv.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/io/file.hpp>
#include <caramel/io/model_file.hpp>
#include <caramel/io/safetensors.hpp>
#include <caramel/text/bpe_json.hpp>
#include <caramel/text/bpe_tokenizer_json.hpp>
#include <caramel/text/chinese_dictionary.hpp>
#include <caramel/text/embedding_files.hpp>
#include <caramel/text/tokenizer_json.hpp>
#include <caramel/text/vocabulary_file.hpp>

#include "io_support.hpp"
#include "support/catch.hpp"
#include "support/peak_memory.hpp"

#if CARAMEL_POSIX_FILES
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

using namespace caramel;
namespace fs = std::filesystem;

namespace special_files_test {

namespace {

using loader = std::pair<std::string, std::function<void(const fs::path&)>>;
const std::vector<loader>& loaders() {
    static const std::vector<loader> all{
        {"read_file", [](const fs::path& path) { (void)read_file(path); }},
        {"read_csv", [](const fs::path& path) { (void)read_csv(path); }},
        {"read_safetensors", [](const fs::path& path) { (void)read_safetensors(path); }},
        {"read_card", [](const fs::path& path) { (void)read_card(path); }},
        {"load", [](const fs::path& path) { (void)load<standardize_model<float>>(path); }},
        {"read_vocabulary", [](const fs::path& path) { (void)read_vocabulary(path); }},
        {"read_tokenizer_json, WordPiece", [](const fs::path& path) { (void)read_tokenizer_json(path); }},
        {"read_tokenizer_json, BPE", [](const fs::path& path) { (void)read_tokenizer_json<bpe_model>(path); }},
        {"read_chinese_dictionary", [](const fs::path& path) { (void)read_chinese_dictionary(path); }},
        {"read_embeddings", [](const fs::path& path) { (void)read_embeddings<float>(path, embedding_format::glove_text); }},
    };
    return all;
}
void check_io(const fs::path& path) {
    for (const loader& each : loaders()) {
        INFO(each.first << " of " << path.filename().string());
        CHECK(error_of([&] { each.second(path); }).code() == errc::io);
    }
}

}  // namespace

TEST_CASE("special_files: a folder, a file that is not there, an empty name", "[special_files][error]") {
    const temporary_folder folder;
    check_io(folder.path());
    check_io(folder / "missing");
    check_io(folder / "missing" / "a");
    check_io("");
}
TEST_CASE("special_files: a file that changes while it is read", "[special_files][error]") {
    const temporary_folder folder;
    const fs::path path = folder / "a";
    for (const std::size_t size : {std::size_t{10}, (std::size_t{3} << 20) + 5})
        for (const bool shorter : {true, false}) {
            replace_file(path, as_bytes_of(std::string(size, 'x')));
            std::vector<std::byte> room;
            const error e = error_of([&] {
                detail::read_whole(path, 1U << 30, "read", [&](std::size_t n) {  // known to be regular and so large, then it changes
                    fs::resize_file(path, shorter ? n / 2 : n + 1);
                    room.resize(n);
                    return room.data();
                });
            });
            CHECK(e.code() == errc::io);
            CHECK(std::string_view(e.what()).find(shorter ? "shorter" : "longer") != std::string_view::npos);
        }
}
TEST_CASE("special_files: sparse files of gigabytes", "[special_files][error]") {
    const temporary_folder folder;
    const fs::path path = folder / "a";
    std::ofstream(path).put('\0');
    fs::resize_file(path, std::uintmax_t{2} << 30);  // zeros that take no space
    const auto refused = [&](errc code, const auto& read) {
#if CARAMEL_TESTS_COUNT_MEMORY
        const std::size_t before = peak_memory::now.held;
        peak_memory::now.peak = before;
        CHECK(error_of(read).code() == code);
        CHECK(peak_memory::now.peak - before < (std::size_t{8} << 20));
#else
        CHECK(error_of(read).code() == code);
#endif
    };
    refused(errc::limit_exceeded, [&] { (void)read_vocabulary(path); });  // at most 1 GiB
    refused(errc::limit_exceeded, [&] { (void)read_tokenizer_json(path); });
    refused(errc::limit_exceeded, [&] { (void)read_tokenizer_json<bpe_model>(path); });
    refused(errc::limit_exceeded, [&] { (void)read_safetensors(path, {.file_bytes = 1U << 30}); });
    refused(errc::limit_exceeded, [&] { (void)load<standardize_model<float>>(path, {.file_bytes = 1U << 30}); });
    fs::resize_file(path, std::uintmax_t{1} << 40);
    for (const loader& each : loaders()) {
        INFO(each.first);
        refused(errc::limit_exceeded, [&] { each.second(path); });
    }
    fs::resize_file(path, std::uintmax_t{2} << 20);  // of a row without an end the window grows with the file
    refused(errc::nul_byte, [&] { (void)read_csv(path); });
}

#if CARAMEL_POSIX_FILES
TEST_CASE("special_files: pipes, devices and links in a circle", "[special_files][error]") {
    const temporary_folder folder;
    REQUIRE(mkfifo((folder / "fifo").c_str(), 0600) == 0);
    fs::create_symlink(folder / "circle", folder / "circle");
    fs::create_symlink(folder / "nowhere", folder / "dangling");
    for (const char* name : {"fifo", "circle", "dangling"}) check_io(folder / name);
    for (const char* name : {"/dev/zero", "/dev/null"}) check_io(name);
}
TEST_CASE("special_files: a file that one may not read", "[special_files][error]") {
    const temporary_folder folder;
    replace_file(folder / "a", as_bytes_of("a,b\n1,2\n"));
    REQUIRE(chmod((folder / "a").c_str(), 0) == 0);
    const pid_t child = fork();
    if (child == 0) {  // as nobody, since root may read everything
        if (geteuid() == 0 && (chmod(folder.path().c_str(), 0755) != 0 || setuid(65534) != 0)) _exit(2);
        int wrong = 0;
        for (const loader& each : loaders()) {
            try {
                each.second(folder / "a");
                wrong = 1;
            } catch (const error& e) {
                if (e.code() != errc::io || std::string_view(e.what()).find("permission denied") == std::string_view::npos) wrong = 1;
            }
        }
        _exit(wrong);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
}
#endif

TEST_CASE("special_files: a vocabulary of four million tokens", "[special_files][slow]") {
    std::string text;
    constexpr std::size_t n = 4'000'000;
    for (std::size_t i = 0; i < n; ++i) text += "token" + std::to_string(i) + "\n";
    const vocabulary words = parse_vocabulary(std::string_view(text));
    CHECK(words.size() == n);
    for (std::size_t i = 0; i < n; i += 99'991) CHECK(words.find("token" + std::to_string(i)) == static_cast<token_id>(i));
    text += "token5\n";
    CHECK(error_of([&] { (void)parse_vocabulary(std::string_view(text)); }).where().row == n + 1);
}
TEST_CASE("special_files: a header of a hundred megabytes that is really there", "[special_files][slow]") {
    std::string header = "{}";
    header.resize(99'999'992, ' ');
    const std::string whole = container(header);
    CHECK(error_of([&] { (void)parse_safetensors(as_bytes_of(whole)); }).code() == errc::header_too_large);
    CHECK(parse_safetensors(as_bytes_of(whole), {.header_bytes = 100'000'000}).size() == 0);
    const std::string deep = container("{\"a\":" + std::string(99'999'900, '['));
    CHECK(error_of([&] { (void)parse_safetensors(as_bytes_of(deep), {.header_bytes = 100'000'000}); }).code() == errc::json_too_deep);
}

}  // namespace special_files_test
