#ifndef CARAMEL_IO_FILE_HPP
#define CARAMEL_IO_FILE_HPP

// Whole files, read within a limit and replaced in one step.

#include <algorithm>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/large_pages.hpp>

#if (defined(__unix__) || defined(__APPLE__)) && !defined(CARAMEL_NO_POSIX)
#define CARAMEL_POSIX_FILES 1
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#else
#define CARAMEL_POSIX_FILES 0
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>
#endif

namespace caramel::inline CARAMEL_ABI {

/// Names a file: made from text or from a `std::filesystem::path`. Throws `error` (`io`) on a zero byte within.
class file_path {
   public:
    template <class P>
        requires std::convertible_to<const P&, std::string_view>
    file_path(const P& name) : file_path(std::string(std::string_view(name)), 0) {}  // NOLINT(google-explicit-constructor)
    template <class P>
        requires(!std::convertible_to<const P&, std::string_view> && requires(const P& p) { { p.string() } -> std::convertible_to<std::string>; })
    file_path(const P& name) : file_path(std::string(name.string()), 0) {}  // NOLINT(google-explicit-constructor)

    [[nodiscard]] const std::string& string() const noexcept { return name_; }
    [[nodiscard]] const char* c_str() const noexcept { return name_.c_str(); }

   private:
    template <class = void>
    file_path(std::string name, int) : name_(std::move(name)) {
        require(name_.find('\0') == std::string::npos, errc::io, "file_path: a file's name holds a zero byte");
    }
    std::string name_;
};

namespace detail {

inline constexpr std::size_t file_block = std::size_t{1} << 20;  // read and written at once

template <class = void>
[[noreturn]] CARAMEL_COLD inline void fail_file(std::string_view who, const file_path& path, std::string_view what) {
    fail(errc::io, place{}, who, ": ", what, ": ", path.string());
}

#if CARAMEL_POSIX_FILES

// Our own words, since strerror's depend on the locale.
template <class = void>
[[nodiscard]] CARAMEL_COLD inline std::string reason_of(int code) {
    switch (code) {
        case ENOENT: return "there is no such file or folder";
        case EACCES:
        case EPERM: return "permission denied";
        case EISDIR: return "it is a folder";
        case ENOTDIR: return "a part of the path is not a folder";
        case ELOOP: return "symbolic links in a circle";
        case ENAMETOOLONG: return "the name is too long";
        case ENOSPC: return "no space left";
        case EDQUOT: return "the quota is used up";
        case EROFS: return "the file system is read-only";
        case EFBIG: return "the file would be larger than allowed";
        case EMFILE:
        case ENFILE: return "too many open files";
        case EIO: return "the device failed";
        default: return message("system error ", code);
    }
}
template <class = void>
[[noreturn]] CARAMEL_COLD inline void fail_file(std::string_view who, const file_path& path, std::string_view what, int code) {
    fail_file(who, path, message(what, ": ", reason_of(code)));
}

class descriptor {
   public:
    explicit descriptor(int fd = -1) noexcept : fd_(fd) {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() { (void)close(); }
    [[nodiscard]] int get() const noexcept { return fd_; }
    [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }
    void open(int fd) noexcept {
        (void)close();
        fd_ = fd;
    }
    /// False when the system says that something was not written after all.
    [[nodiscard]] bool close() noexcept { return fd_ < 0 || ::close(std::exchange(fd_, -1)) == 0; }

   private:
    int fd_;
};

// As `read` of POSIX, again when a signal interrupts it.
template <class = void>
inline std::size_t read_some(int fd, std::byte* to, std::size_t size, std::string_view who, const file_path& path) {
    for (;;) {
        const auto got = ::read(fd, to, size);
        if (got >= 0) return static_cast<std::size_t>(got);
        if (errno != EINTR) fail_file(who, path, "cannot read", errno);
    }
}

struct temporary_name {
    std::string folder;  ///< with its slash; empty for the current folder
    std::string prefix;  ///< of the file's own name: NAME.tmp.

    template <class = void>
    explicit temporary_name(const std::string& target) {
        const std::size_t slash = target.rfind('/');
        folder = slash == std::string::npos ? "" : target.substr(0, slash + 1);
        prefix = target.substr(folder.size()) + ".tmp.";
    }
};

// A process that was killed while it saved leaves its temporary file, which holds personal data as the model does. Such
// a file is recognised by its name, by a process number that is gone or is our own (in a container it is the same each time),
// and by a lock that nobody holds (the process may live in another container, and another thread of ours may be saving).
template <class = void>
inline void remove_leftovers(const temporary_name& name) noexcept {
    DIR* const folder = ::opendir(name.folder.empty() ? "." : name.folder.c_str());
    if (folder == nullptr) return;
    while (const dirent* const entry = ::readdir(folder)) {  // NOLINT(concurrency-mt-unsafe): safe for a stream of its own
        const std::string_view found(entry->d_name);
        if (!found.starts_with(name.prefix)) continue;
        long pid = 0;
        const char* const last = found.data() + found.size();
        const auto [end, problem] = std::from_chars(found.data() + name.prefix.size(), last, pid);
        if (problem != std::errc{} || last - end != 7 || *end != '.' || pid <= 0 || pid > INT_MAX) continue;
        if (pid != ::getpid() && (::kill(static_cast<pid_t>(pid), 0) == 0 || errno != ESRCH)) continue;
        const int at = ::dirfd(folder);
        const descriptor file(::openat(at, entry->d_name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
        if (file.is_open() && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0) ::unlinkat(at, entry->d_name, 0);
    }
    ::closedir(folder);
}

// A file under a temporary name, locked as long as it lives; removed unless it was renamed.
class temporary_file {
   public:
    template <class = void>
    temporary_file(const temporary_name& name, mode_t mode, const file_path& path) : path_(path) {
        for (int attempt = 0; attempt < 8; ++attempt) {
            name_ = message(name.folder, name.prefix, static_cast<long>(::getpid()), ".XXXXXX");
            file_.open(::mkostemp(name_.data(), O_CLOEXEC));
            if (!file_.is_open()) fail_file("save", path, "cannot make a temporary file beside it", errno);
            struct stat info {};
            // Whoever tidies up may have removed the file before it was locked. (Where locks are not supported, so be it.)
            if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0 || ::fstat(file_.get(), &info) != 0 || info.st_nlink > 0) break;
            (void)file_.close();
        }
        if (!file_.is_open()) fail_file("save", path, "cannot keep a temporary file beside it");
        if (::fchmod(file_.get(), mode) != 0) {
            const int code = errno;
            ::unlink(name_.c_str());
            fail_file("save", path, "cannot set the mode of a temporary file beside it", code);
        }
    }
    temporary_file(const temporary_file&) = delete;
    temporary_file& operator=(const temporary_file&) = delete;
    ~temporary_file() {
        if (!renamed_) ::unlink(name_.c_str());
    }

    template <class = void>
    void append(const std::byte* bytes, std::size_t size) {
        while (size > 0) {
            const auto written = ::write(file_.get(), bytes, std::min(size, file_block));
            if (written > 0) bytes += written, size -= static_cast<std::size_t>(written);
            else if (written == 0 || errno != EINTR) fail_file("save", path_, "cannot write", written == 0 ? EIO : errno);
        }
    }
    template <class = void>
    void rename_to(const std::string& target) {
        if (::fsync(file_.get()) != 0) fail_file("save", path_, "cannot write to the disk", errno);
        const descriptor lock(::fcntl(file_.get(), F_DUPFD_CLOEXEC, 0));  // the lock stays until the file has its name
        if (!file_.close()) fail_file("save", path_, "cannot write to the disk", errno);
        if (::rename(name_.c_str(), target.c_str()) != 0) fail_file("save", path_, "cannot replace the file", errno);
        renamed_ = true;
    }

   private:
    const file_path& path_;
    std::string name_;
    descriptor file_;
    bool renamed_ = false;
};

// Where a symbolic link leads, so that the link stays.
[[nodiscard]] inline std::string target_of(const file_path& path) {
    struct resolved_path {
        explicit resolved_path(char* found) noexcept : text(found) {}
        resolved_path(const resolved_path&) = delete;
        resolved_path& operator=(const resolved_path&) = delete;
        ~resolved_path() { std::free(text); }
        char* const text;
    };
    const resolved_path resolved(::realpath(path.c_str(), nullptr));
    if (resolved.text != nullptr) return resolved.text;
    if (errno == ENOMEM) throw std::bad_alloc();  // not to take the link for the file
    return path.string();
}

// A regular file that is read from its beginning to its end.
class input_file {
   public:
    template <class = void>
    input_file(const file_path& path, std::uint64_t limit, std::string_view who)
        : path_(path), who_(who), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {  // a pipe must not block
        if (!file_.is_open()) fail_file(who, path, "cannot open", errno);
        struct stat info {};
        if (::fstat(file_.get(), &info) != 0) fail_file(who, path, "cannot open", errno);
        if (!S_ISREG(info.st_mode)) fail_file(who, path, "not a regular file");
        const auto whole = static_cast<std::uint64_t>(info.st_size);
        require(whole <= limit && whole <= PTRDIFF_MAX, errc::limit_exceeded, who, ": a file of ", whole, " bytes, at most ", limit, " are read: ", path.string());
        size_ = static_cast<std::size_t>(whole);
    }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t left() const noexcept { return size_ - done_; }
    /// The next `n` bytes, of those that are left.
    template <class = void>
    void read(std::byte* to, std::size_t n) {
        for (const std::size_t stop = done_ + n; done_ < stop;) {
            const std::size_t got = read_some(file_.get(), to, std::min(stop - done_, file_block), who_, path_);
            if (got == 0) fail_file(who_, path_, "the file became shorter while it was read");
            to += got;
            done_ += got;
        }
        std::byte more{};
        if (done_ == size_ && read_some(file_.get(), &more, 1, who_, path_) != 0) fail_file(who_, path_, "the file became longer while it was read");
    }
    void rewind() {
        if (::lseek(file_.get(), 0, SEEK_SET) != 0) fail_file(who_, path_, "cannot read", errno);
        done_ = 0;
    }

   private:
    const file_path& path_;
    std::string_view who_;
    descriptor file_;
    std::size_t size_ = 0, done_ = 0;
};

template <std::same_as<file_path> Path>
void replace_whole(const Path& path, std::span<const std::byte> bytes) {
    const std::string target = target_of(path);
    struct stat info {};
    const bool exists = ::stat(target.c_str(), &info) == 0;
    if (!exists && errno != ENOENT) fail_file("save", path, "cannot look at the file", errno);
    if (exists && !S_ISREG(info.st_mode)) fail_file("save", path, "not a regular file");
    const temporary_name name(target);
    // Opened first, so that nothing can fail between the renaming and its way to the disk.
    const descriptor folder(::open(name.folder.empty() ? "." : name.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder.is_open()) fail_file("save", path, "cannot open its folder", errno);
    remove_leftovers(name);
    temporary_file file(name, exists ? info.st_mode & 0777 : 0600, path);
    file.append(bytes.data(), bytes.size());
    file.rename_to(target);
    if (::fsync(folder.get()) != 0 && errno != EINVAL && errno != ENOTSUP)
        fail_file("save", path, "the file is complete, but its name may not be on the disk yet", errno);
}

#else  // the standard library alone: no modes, no way to force data onto the disk

struct closing {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using stream_file = std::unique_ptr<std::FILE, closing>;

class input_file {
   public:
    input_file(const file_path& path, std::uint64_t limit, std::string_view who) : path_(path), who_(who) {
        std::error_code problem;
        if (!std::filesystem::is_regular_file(path.string(), problem)) fail_file(who, path, "not a regular file");
        const std::uint64_t whole = std::filesystem::file_size(path.string(), problem);
        if (problem) fail_file(who, path, "cannot open");
        require(whole <= limit && whole <= PTRDIFF_MAX, errc::limit_exceeded, who, ": a file of ", whole, " bytes, at most ", limit, " are read: ", path.string());
        size_ = static_cast<std::size_t>(whole);
        file_.reset(std::fopen(path.c_str(), "rb"));
        if (!file_) fail_file(who, path, "cannot open");
    }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t left() const noexcept { return size_ - done_; }
    void read(std::byte* to, std::size_t n) {
        for (const std::size_t stop = done_ + n; done_ < stop;) {
            const std::size_t got = std::fread(to, 1, std::min(stop - done_, file_block), file_.get());
            if (got == 0) fail_file(who_, path_, "cannot read");
            to += got;
            done_ += got;
        }
        if (done_ == size_ && std::fgetc(file_.get()) != EOF) fail_file(who_, path_, "the file became longer while it was read");
    }
    void rewind() {
        if (std::fseek(file_.get(), 0, SEEK_SET) != 0) fail_file(who_, path_, "cannot read");
        done_ = 0;
    }

   private:
    const file_path& path_;
    std::string_view who_;
    stream_file file_;
    std::size_t size_ = 0, done_ = 0;
};

template <std::same_as<file_path> Path>
void replace_whole(const Path& path, std::span<const std::byte> bytes) {
    std::error_code problem;
    const auto status = std::filesystem::status(path.string(), problem);
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) fail_file("save", path, "not a regular file");
    const std::string temporary = path.string() + ".tmp";
    bool written = false;
    if (stream_file file{std::fopen(temporary.c_str(), "wb")}) {
        written = std::fwrite(bytes.data(), 1, bytes.size(), file.get()) == bytes.size() && std::fflush(file.get()) == 0;
        written = std::fclose(file.release()) == 0 && written;
    }
    if (written) {
        std::filesystem::rename(temporary, path.string(), problem);  // replaces the file, on Windows too
        if (!problem) return;
    }
    std::filesystem::remove(temporary, problem);
    fail_file("save", path, "cannot write");
}

#endif

// Reads into what `room(size)` points to.
template <class Room>
void read_whole(const file_path& path, std::uint64_t limit, std::string_view who, const Room& room) {
    input_file file(path, limit, who);
    std::byte* const bytes = room(file.size());
    file.read(bytes, file.size());
}

}  // namespace detail

/// The bytes of a regular file, read in blocks (never mapped, so that a file that shrinks is an error and no signal).
/// Throws `error`: `io` (cannot be read; a folder, a pipe or a device; changed while it was read), `limit_exceeded`
/// before anything is allocated. `who` begins the messages.
template <std::convertible_to<file_path> Path>
[[nodiscard]] std::vector<std::byte> read_file(const Path& path, std::uint64_t limit = std::uint64_t{8} << 30, std::string_view who = "read_file") {
    std::vector<std::byte> bytes;
    detail::read_whole(path, limit, who, [&](std::size_t size) {
        detail::reserve_large(bytes, size);
        bytes.resize(size);
        return bytes.data();
    });
    return bytes;
}

/// Writes a file whole or not at all: under a temporary name (`NAME.tmp.PROCESS.XXXXXX`) in the same folder, onto the
/// disk, then renamed. Its mode is that of the file it replaces, else 0600. On failure the old file stays as it was.
/// A symbolic link stays, and what it leads to is replaced. Throws `error` (`io`).
template <std::convertible_to<file_path> Path>
void replace_file(const Path& path, std::span<const std::byte> bytes) {
    detail::replace_whole<file_path>(path, bytes);
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
