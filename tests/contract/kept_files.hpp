#ifndef CARAMEL_TESTS_CONTRACT_KEPT_FILES_HPP
#define CARAMEL_TESTS_CONTRACT_KEPT_FILES_HPP

// What stays the same from version to version and from build to build, for every component of the contract:
//
// G25, files: tests/data/format-1/ holds a file of each component as the version wrote it that had it first. It must load for
// ever, and answer the contract's queries with the bits whose checksum stands in answers.txt. These files and lines are never
// changed or removed. (So the contract's queries for a component never change, either: other queries, another component.)
//
// G14, bits: tests/data/golden_bits.txt holds the checksum of the tensors of each component, fitted to the contract's data.
// g++ and clang, at any level of optimization and with any number of threads, must come to the same ones. A line changes
// when an algorithm changes on purpose: remove it, write it anew, and say so in the change log.
//
// CARAMEL_KEEP_FILES=1 in the environment writes the files and lines that are missing.
//
// Bits are promised for the baseline instruction set. They also depend on exp and log of the C library, so that of the
// machine they were written on stands in the first line of both lists; with another one, files are loaded and called alone.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <span>
#include <string>
#include <string_view>

#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif

#include <caramel/io/safetensors.hpp>

namespace contract {

inline std::filesystem::path kept_folder() { return std::filesystem::path(CARAMEL_TESTS_DIR) / "data"; }
// "standardize | concat(...)" -> "standardize_concat".
inline std::string file_name_of(std::string_view component) {
    std::string out;
    for (const char c : component) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (plain) out += c;
        else if (!out.empty() && out.back() != '_') out += '_';
    }
    while (!out.empty() && out.back() == '_') out.pop_back();
    return out + ".safetensors";
}
inline bool may_write_kept_files() { return std::getenv("CARAMEL_KEEP_FILES") != nullptr; }

inline std::string machine() {
#if defined(__x86_64__) && !defined(__AVX__) && defined(__GLIBC__)
    return std::string("x86-64 baseline, glibc ") + gnu_get_libc_version();
#else
    return "other";
#endif
}

// A list of "checksum component" after a line that names the machine.
class kept_list {
   public:
    explicit kept_list(std::filesystem::path path) : path_(std::move(path)) {
        std::ifstream in(path_);
        std::string line;
        std::getline(in, machine_);
        while (std::getline(in, line))
            if (line.size() > 9) lines_[line.substr(9)] = line.substr(0, 8);
    }
    bool comparable() const { return machine_ == machine(); }
    bool has(std::string_view component) const { return lines_.contains(std::string(component)); }
    const std::string& operator[](std::string_view component) const { return lines_.at(std::string(component)); }
    void add(std::string_view component, const std::string& checksum) {
        if (machine_.empty()) machine_ = machine();
        lines_[std::string(component)] = checksum;
        std::ofstream out(path_);
        out << machine_ << '\n';
        for (const auto& [name, sum] : lines_) out << sum << ' ' << name << '\n';
    }

   private:
    std::filesystem::path path_;
    std::string machine_;
    std::map<std::string, std::string> lines_;
};

inline std::string checksum_of_text(std::string_view text) {
    caramel::detail::crc32 sum;
    sum.append(std::as_bytes(std::span(text)));
    return sum.digits();
}
// Of names, shapes and elements of all tensors: the metadata name the library's version, which changes.
inline std::string checksum_of_tensors(std::string_view file) {
    const auto parsed = caramel::parse_safetensors(std::as_bytes(std::span(file)));
    std::string all;
    for (std::size_t i = 0; i < parsed.size(); ++i) {
        const caramel::tensor_view tensor = parsed[i];
        all += tensor.name;
        for (std::size_t d = 0; d < tensor.shape.size(); ++d) all += ' ' + std::to_string(tensor.shape[d]);
        all += '\n';
        all.append(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
    }
    return checksum_of_text(all);
}

inline std::string read_kept(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

// What is wrong, or nothing. `file`: the bytes of the component as it saves itself now.
inline std::string problem_of_golden_bits(std::string_view name, std::string_view file) {
    const std::string sum = checksum_of_tensors(file);
    kept_list golden(kept_folder() / "golden_bits.txt");
    if (!golden.has(name) && may_write_kept_files()) golden.add(name, sum);
    if (!golden.has(name)) return "no golden bits: CARAMEL_KEEP_FILES=1 writes them";
    return golden.comparable() && golden[name] != sum ? "other bits than the golden ones" : "";
}
// `answers_of(file)`: the bits of what the model in a file answers.
inline std::string problem_of_kept_file(std::string_view name, std::string_view file, const std::function<std::string(std::string_view)>& answers_of) {
    const auto path = kept_folder() / "format-1" / file_name_of(name);
    kept_list answers(kept_folder() / "format-1" / "answers.txt");
    if (!answers.has(name) && !std::filesystem::exists(path) && may_write_kept_files()) {
        std::ofstream(path, std::ios::binary) << file;
        answers.add(name, checksum_of_text(answers_of(file)));
    }
    if (!answers.has(name)) return "no kept file: CARAMEL_KEEP_FILES=1 writes it";
    const std::string sum = checksum_of_text(answers_of(read_kept(path)));
    return answers.comparable() && answers[name] != sum ? "the kept file answers otherwise than it did" : "";
}

}  // namespace contract

#endif
