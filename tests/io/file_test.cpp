#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <caramel/io/file.hpp>

#include "support/catch.hpp"
#include "io_support.hpp"

#if CARAMEL_POSIX_FILES
#include <sys/resource.h>
#include <sys/wait.h>
#endif

using namespace caramel;
namespace fs = std::filesystem;

TEST_CASE("file: what is written is read back", "[file]") {
    const temporary_folder folder;
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{1} << 20, (std::size_t{3} << 20) + 7}) {
        std::string text(size, 'x');
        for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 % 251);
        replace_file(folder / "a", as_bytes_of(text));
        CHECK(text_of(read_file(folder / "a")) == text);
    }
    CHECK(folder.names() == std::vector<std::string>{"a"});
}
TEST_CASE("file: paths of all kinds", "[file]") {
    const temporary_folder folder;
    const std::string name = (folder / "a").string();
    replace_file(name, as_bytes_of("1"));
    CHECK(text_of(read_file(name.c_str())) == "1");
    CHECK(text_of(read_file(std::string_view(name))) == "1");
    CHECK(text_of(read_file(fs::path(name))) == "1");
    CHECK(error_of([&] { (void)read_file(name + std::string(1, '\0')); }).code() == errc::io);
}
TEST_CASE("file: the limit counts before anything is read", "[file][error]") {
    const temporary_folder folder;
    replace_file(folder / "a", as_bytes_of("12345"));
    CHECK(read_file(folder / "a", 5).size() == 5);
    CHECK(error_of([&] { (void)read_file(folder / "a", 4); }).code() == errc::limit_exceeded);
    fs::resize_file(folder / "a", std::uintmax_t{1} << 40);  // sparse: a terabyte that takes no space
    CHECK(error_of([&] { (void)read_file(folder / "a"); }).code() == errc::limit_exceeded);
}
TEST_CASE("file: only regular files are read", "[file][error]") {
    const temporary_folder folder;
    CHECK(error_of([&] { (void)read_file(folder / "missing"); }).code() == errc::io);
    CHECK(error_of([&] { (void)read_file(folder.path()); }).code() == errc::io);
    CHECK(error_of([&] { (void)read_file(""); }).code() == errc::io);
    const error e = error_of([&] { (void)read_file(folder / "missing", 10, "load"); });
    CHECK(std::string_view(e.what()).starts_with("load: "));
    CHECK(std::string_view(e.what()).find("missing") != std::string_view::npos);
}
#if CARAMEL_POSIX_FILES
TEST_CASE("file: each reason of the system has words of its own, and the rest a number", "[file]") {
    std::vector<std::string> words;
    for (const int code : {ENOENT, EACCES, EISDIR, ENOTDIR, ELOOP, ENAMETOOLONG, ENOSPC, EDQUOT, EROFS, EFBIG, EMFILE, EIO}) {
        const std::string reason = detail::reason_of(code);
        CHECK_FALSE(reason.starts_with("system error"));
        CHECK(std::find(words.begin(), words.end(), reason) == words.end());
        words.push_back(reason);
    }
    CHECK(detail::reason_of(EPERM) == detail::reason_of(EACCES));
    CHECK(detail::reason_of(ENFILE) == detail::reason_of(EMFILE));
    CHECK(detail::reason_of(9999) == "system error 9999");
}
#endif

TEST_CASE("file: a failed replacement leaves everything as it was", "[file][error]") {
    const temporary_folder folder;
    fs::create_directory(folder / "sub");
    CHECK(error_of([&] { replace_file(folder / "sub", as_bytes_of("1")); }).code() == errc::io);
    CHECK(error_of([&] { replace_file(folder / "missing" / "a", as_bytes_of("1")); }).code() == errc::io);
    CHECK(error_of([&] { replace_file("", as_bytes_of("1")); }).code() == errc::io);
    CHECK(folder.names() == std::vector<std::string>{"sub"});
    CHECK(fs::is_directory(folder / "sub"));
}

#if CARAMEL_POSIX_FILES
namespace {
unsigned mode_of(const fs::path& path) { return static_cast<unsigned>(fs::status(path).permissions()) & 0777u; }
std::string leftover(const std::string& name, pid_t pid) { return name + ".tmp." + std::to_string(pid) + ".abcdef"; }
pid_t dead_process() {
    const pid_t child = fork();
    if (child == 0) _exit(0);
    waitpid(child, nullptr, 0);
    return child;
}
}  // namespace

TEST_CASE("file: pipes, devices and links in a circle are refused at once", "[file][error]") {
    const temporary_folder folder;
    REQUIRE(mkfifo((folder / "fifo").c_str(), 0600) == 0);
    fs::create_symlink(folder / "circle", folder / "circle");
    for (const fs::path& path : {folder / "fifo", fs::path("/dev/zero"), fs::path("/dev/null"), folder / "circle"})
        CHECK(error_of([&] { (void)read_file(path); }).code() == errc::io);
    for (const fs::path& path : {folder / "fifo", fs::path("/dev/null"), folder / "circle"})
        CHECK(error_of([&] { replace_file(path, as_bytes_of("1")); }).code() == errc::io);
    CHECK(fs::is_fifo(folder / "fifo"));
    if (fs::exists("/proc/self/status"))  // says that it is empty, and is not
        CHECK(error_of([&] { (void)read_file("/proc/self/status"); }).code() == errc::io);
}
TEST_CASE("file: the mode is 0600, or that of the file that is replaced", "[file]") {
    const temporary_folder folder;
    replace_file(folder / "a", as_bytes_of("1"));
    CHECK(mode_of(folder / "a") == 0600);
    fs::permissions(folder / "a", fs::perms(0640));
    replace_file(folder / "a", as_bytes_of("2"));
    CHECK(mode_of(folder / "a") == 0640);
    CHECK(text_of(read_file(folder / "a")) == "2");
}
TEST_CASE("file: a symbolic link stays, and what it leads to is replaced", "[file]") {
    const temporary_folder folder;
    fs::create_directory(folder / "real");
    replace_file(folder / "real" / "a", as_bytes_of("1"));
    fs::create_symlink(folder / "real" / "a", folder / "link");
    replace_file(folder / "link", as_bytes_of("2"));
    CHECK(fs::is_symlink(folder / "link"));
    CHECK(text_of(read_file(folder / "real" / "a")) == "2");
    CHECK(folder.names() == std::vector<std::string>{"link", "real"});
}
TEST_CASE("file: a name in the current folder", "[file]") {
    const temporary_folder folder;
    const fs::path before = fs::current_path();
    fs::current_path(folder.path());
    replace_file("a", as_bytes_of("1"));
    CHECK(text_of(read_file("a")) == "1");
    fs::current_path(before);
    CHECK(folder.names() == std::vector<std::string>{"a"});
}
TEST_CASE("file: when the disk is full the old file stays and nothing is left over", "[file][error]") {
    const temporary_folder folder;
    replace_file(folder / "a", as_bytes_of("old"));
    const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
    REQUIRE(ignored != SIG_ERR);
    rlimit before{};
    REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
    rlimit small = before;
    small.rlim_cur = 100'000;  // a write beyond fails, as on a full disk
    REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
    const std::string large(3'000'000, 'x');
    errc code{};
    try {
        replace_file(folder / "a", as_bytes_of(large));
    } catch (const error& e) {
        code = e.code();
    }
    REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
    REQUIRE(std::signal(SIGXFSZ, ignored) != SIG_ERR);
    CHECK(code == errc::io);
    CHECK(text_of(read_file(folder / "a")) == "old");
    CHECK(folder.names() == std::vector<std::string>{"a"});
}
TEST_CASE("file: what a killed process left is removed, what a living one writes is not", "[file]") {
    const temporary_folder folder;
    const pid_t dead = dead_process();
    const std::string locked = "a.tmp." + std::to_string(dead) + ".locked";  // as from another container
    const std::string ours = "a.tmp." + std::to_string(getpid()) + ".locked";  // another thread is saving
    for (const std::string& name :
         {leftover("a", dead), leftover("a", getpid()), ours, leftover("a", getppid()), leftover("b", dead), std::string("a.tmp.x.abcdef"), locked,
          "a.tmp." + std::to_string(dead) + ".abcdefg", std::string("a.tmp.0.abcdef"), std::string("a.tmp.99999999999999999999.abcdef")})
        std::ofstream(folder / name) << 'x';
    const int held = ::open((folder / locked).c_str(), O_RDONLY | O_CLOEXEC), held_by_us = ::open((folder / ours).c_str(), O_RDONLY | O_CLOEXEC);
    REQUIRE(::flock(held, LOCK_EX | LOCK_NB) == 0);
    REQUIRE(::flock(held_by_us, LOCK_EX | LOCK_NB) == 0);
    replace_file(folder / "a", as_bytes_of("1"));
    CHECK(!fs::exists(folder / leftover("a", dead)));
    CHECK(!fs::exists(folder / leftover("a", getpid())));  // of an earlier process with this number, as in a container
    CHECK(folder.names().size() == 9);                     // the other eight, and a
    ::close(held);
    ::close(held_by_us);
    replace_file(folder / "a", as_bytes_of("2"));
    CHECK(!fs::exists(folder / locked));
    CHECK(!fs::exists(folder / ours));
}
TEST_CASE("file: a process killed while it writes leaves the old file or the new one", "[file]") {
    const temporary_folder folder;
    const std::string old_text(300'000, 'o'), new_text(400'000, 'n');
    replace_file(folder / "a", as_bytes_of(old_text));
    for (int round = 0; round < 20; ++round) {
        const pid_t child = fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            for (;;) {
                replace_file(folder / "a", as_bytes_of(new_text));
                replace_file(folder / "a", as_bytes_of(old_text));
            }
        }
        std::this_thread::sleep_for(std::chrono::microseconds(500 + 700 * round));
        kill(child, SIGKILL);
        waitpid(child, nullptr, 0);
        const std::string found = text_of(read_file(folder / "a"));
        CHECK((found == old_text || found == new_text));
        CHECK(folder.names().size() <= 2);  // at most one temporary file: the next round tidies up
    }
    replace_file(folder / "a", as_bytes_of(old_text));
    CHECK(folder.names() == std::vector<std::string>{"a"});
}
#endif
