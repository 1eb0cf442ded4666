#ifndef CARAMEL_TEXT_CHINESE_HMM_HPP
#define CARAMEL_TEXT_CHINESE_HMM_HPP

// The hidden Markov model that joins characters to words which no dictionary has.

#include <array>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/float_environment.hpp>
#include <caramel/core/utf8.hpp>
#include <caramel/io/file.hpp>
#include <caramel/text/chinese_dictionary.hpp>
#include <caramel/text/utf8.hpp>

namespace caramel::inline CARAMEL_ABI {

/// A character begins a word (B), is within it (M), ends it (E) or is one (S): log-probabilities of the four states at the
/// beginning, of moves between them, and of each character of U+4E00 .. U+9FD5 in each. An immutable value; copies share
/// their memory. By default empty: nothing is joined.
class chinese_hmm {
   public:
    /// Stands for the logarithm of 0, as with jieba.
    static constexpr double impossible = -3.14e100;
    enum state : std::uint8_t { begin = 0, middle = 1, end = 2, single = 3 };

    template <class = void>
    chinese_hmm() : data_(std::make_shared<const data>()) {}
    /// `start` in the order B M E S; `moves` B to M, B to E, M to M, M to E, E to B, E to S, S to B, S to S (others do not occur);
    /// four `emissions` (B M E S) a character, characters rising.
    /// Throws `error` (`bad_data`) on sizes that do not fit, characters outside the range, and what is no log-probability.
    template <class = void>
    chinese_hmm(const std::array<double, 4>& start, const std::array<double, 8>& moves, std::vector<std::uint32_t> characters, std::vector<double> emissions) {
        require(emissions.size() == 4 * characters.size(), errc::bad_data, "chinese_hmm: ", characters.size(), " characters and ", emissions.size(),
                " emissions, not four each");
        for (std::size_t i = 0; i < characters.size(); ++i)
            require(detail::is_han(characters[i]) && (i == 0 || characters[i - 1] < characters[i]), errc::bad_data,
                    "chinese_hmm: the characters are no rising code points of U+4E00 .. U+9FD5 from number ", i + 1, " on");
        const auto check = [](std::span<const double> values, std::string_view what) {
            for (const double x : values)
                require(x <= 0 && x >= impossible, errc::bad_data, "chinese_hmm: the ", what, " are no log-probabilities (", impossible, " to 0)");
        };
        check(start, "starts");
        check(moves, "moves");
        check(emissions, "emissions");
        data made{start, moves, std::move(characters), std::move(emissions), {}};
        made.table.resize(made.characters.empty() ? 0 : detail::last_han - detail::first_han + 1, {impossible, impossible, impossible, impossible});
        for (std::size_t i = 0; i < made.characters.size(); ++i)
            for (std::size_t s = 0; s < 4; ++s) made.table[made.characters[i] - detail::first_han][s] = made.emissions[4 * i + s];
        data_ = std::make_shared<const data>(std::move(made));
    }

    /// The relative frequencies of segmented texts: one vector of words a text. Words of other characters end a sentence.
    /// Throws `error`: `empty_input` where no word is of U+4E00 .. U+9FD5 alone; `bad_utf8` with the text's number.
    template <std::same_as<std::vector<std::vector<std::string>>> Texts>
    [[nodiscard]] static chinese_hmm fit(const Texts& segmented);

    template <class = void>
    [[nodiscard]] bool empty() const noexcept { return data_->table.empty(); }

    static constexpr std::array field_names{"start", "moves", "characters", "emissions"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(data_->start, data_->moves, data_->characters, data_->emissions); }
    template <class = void>
    friend bool operator==(const chinese_hmm& a, const chinese_hmm& b) noexcept { return a.data_ == b.data_ || a.fields() == b.fields(); }

    /// The most probable states of characters of U+4E00 .. U+9FD5, at least one (Viterbi; ties as jieba's: M before B, S before E).
    /// `back` is room for as many bytes.
    template <class = void>
    void find_states(std::span<const char16_t> chars, std::uint8_t* back, std::uint8_t* states) const noexcept {
        const auto& [b_m, b_e, m_m, m_e, e_b, e_s, s_b, s_s] = data_->moves;
        const std::array<double, 4>* const table = data_->table.data();
        const auto emission = [&](char16_t c) -> const std::array<double, 4>& { return table[c - detail::first_han]; };
        const std::array<double, 4>& first = emission(chars[0]);
        double b = data_->start[begin] + first[begin], m = data_->start[middle] + first[middle];
        double e = data_->start[end] + first[end], s = data_->start[single] + first[single];
        for (std::size_t t = 1; t < chars.size(); ++t) {
            const std::array<double, 4>& here = emission(chars[t]);
            const double e_to_b = e + e_b + here[begin], s_to_b = s + s_b + here[begin];
            const double b_to_m = b + b_m + here[middle], m_to_m = m + m_m + here[middle];
            const double b_to_e = b + b_e + here[end], m_to_e = m + m_e + here[end];
            const double e_to_s = e + e_s + here[single], s_to_s = s + s_s + here[single];
            const bool b_from_s = s_to_b >= e_to_b, m_from_m = m_to_m >= b_to_m, e_from_m = m_to_e >= b_to_e, s_from_s = s_to_s >= e_to_s;
            b = b_from_s ? s_to_b : e_to_b;
            m = m_from_m ? m_to_m : b_to_m;
            e = e_from_m ? m_to_e : b_to_e;
            s = s_from_s ? s_to_s : e_to_s;
            back[t] = static_cast<std::uint8_t>(b_from_s | m_from_m << middle | e_from_m << end | s_from_s << single);
        }
        // Bit `state` of `back` says which of the two states that can come before it did.
        static constexpr std::uint8_t before[4][2] = {{end, single}, {begin, middle}, {begin, middle}, {end, single}};
        std::uint8_t at = s >= e ? single : end;
        for (std::size_t t = chars.size(); t-- > 0;) {
            states[t] = at;
            if (t > 0) at = before[at][back[t] >> at & 1];
        }
    }

   private:
    struct data {
        std::array<double, 4> start = {};
        std::array<double, 8> moves = {};
        std::vector<std::uint32_t> characters = {};
        std::vector<double> emissions = {};
        std::vector<std::array<double, 4>> table = {};  // of all characters from U+4E00 on
    };
    std::shared_ptr<const data> data_;
};

namespace detail {

// Where in `moves` a move stands; 8 for one that does not occur.
constexpr std::size_t number_of_move(std::size_t from, std::size_t to) noexcept {
    constexpr std::size_t numbers[4][4] = {{8, 0, 1, 8}, {8, 2, 3, 8}, {4, 8, 8, 5}, {6, 8, 8, 7}};
    return numbers[from][to];
}

}  // namespace detail

template <std::same_as<std::vector<std::vector<std::string>>> Texts>
chinese_hmm chinese_hmm::fit(const Texts& segmented) {
    std::array<std::uint64_t, 4> starts{}, totals{};
    std::array<std::uint64_t, 8> moves{};
    std::vector<std::array<std::uint64_t, 4>> counts(detail::last_han - detail::first_han + 1);
    std::vector<char32_t> chars;
    for (std::size_t i = 0; i < segmented.size(); ++i) {
        std::size_t last = 4;  // the state before; 4: none
        for (const std::string& word : segmented[i]) {
            require_utf8(word, i + 1, "chinese_hmm");
            chars.clear();
            for (std::size_t at = 0; at < word.size();) chars.push_back(decode_utf8(word, at));
            bool han = !chars.empty();
            for (const char32_t c : chars) han = han && detail::is_han(c);
            if (!han) last = 4;
            for (std::size_t k = 0; han && k < chars.size(); ++k) {
                const std::size_t now = chars.size() == 1 ? single : k == 0 ? begin : k + 1 == chars.size() ? end : middle;
                ++counts[chars[k] - detail::first_han][now];
                ++totals[now];
                if (last == 4) ++starts[now];
                else ++moves[detail::number_of_move(last, now)];
                last = now;
            }
        }
    }
    require(starts[begin] + starts[single] > 0, errc::empty_input, "chinese_hmm: no words of Chinese characters to learn from");
    const auto share = [](std::uint64_t part, std::uint64_t whole) {
        return part == 0 ? impossible : std::log(static_cast<double>(part) / static_cast<double>(whole));
    };
    std::array<double, 4> start{};
    for (std::size_t s = 0; s < 4; ++s) start[s] = share(starts[s], starts[begin] + starts[single]);
    std::array<double, 8> move{};
    for (std::size_t k = 0; k < 8; ++k) move[k] = share(moves[k], moves[k / 2 * 2] + moves[k / 2 * 2 + 1]);  // two from each state
    std::vector<std::uint32_t> characters;
    std::vector<double> emissions;
    for (std::size_t c = 0; c < counts.size(); ++c) {
        if (counts[c] == std::array<std::uint64_t, 4>{}) continue;
        characters.push_back(static_cast<std::uint32_t>(detail::first_han + c));
        for (std::size_t s = 0; s < 4; ++s) emissions.push_back(share(counts[c][s], totals[s]));
    }
    return {start, move, std::move(characters), std::move(emissions)};
}

namespace detail {

// A Python file that assigns a dictionary of literals, as jieba's prob_*.py: `P={'B': -0.26, 'E': {'\u4e00': -3.65, ...}}`.
// Calls `entry(outer, inner, number)`; `outer` is empty where the numbers stand directly in the dictionary.
template <class Entry>
class python_numbers {
   public:
    python_numbers(std::string_view text, std::string_view who, const Entry& entry) : text_(text), who_(who), entry_(entry) {
        const std::size_t assigned = text_.find("P=");
        require(assigned != std::string_view::npos && (assigned == 0 || text_[assigned - 1] == '\n'), errc::bad_data, who_, ": no line begins with P=");
        at_ = assigned + 2;
        dictionary({});
        skip_space();
        check(at_ == text_.size(), "more follows the dictionary");
    }

   private:
    void check(bool ok, std::string_view what) const {
        if (!ok) [[unlikely]] {
            std::size_t row = 1;
            for (const char c : text_.substr(0, at_)) row += static_cast<std::size_t>(c == '\n');
            fail(errc::bad_data, {.row = row, .byte = at_ + 1}, who_, ": line ", row, ": ", what);
        }
    }
    void skip_space() noexcept {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) ++at_;
    }
    bool take(char c) noexcept {
        skip_space();
        if (at_ == text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }
    std::u32string key() {
        skip_space();
        const char quote = at_ < text_.size() ? text_[at_] : '\0';
        check(quote == '\'' || quote == '"', "a key in quotes is missing");
        ++at_;
        std::u32string out;
        while (at_ < text_.size() && text_[at_] != quote && text_[at_] != '\n') {
            if (text_[at_] == '\\') {
                std::uint32_t c = 0;
                const char* const digits = text_.data() + at_ + 2;
                check(text_.size() - at_ >= 6 && text_[at_ + 1] == 'u', "only \\uXXXX is known as an escape");
                const auto [end, problem] = std::from_chars(digits, digits + 4, c, 16);
                check(problem == std::errc() && end == digits + 4, "only \\uXXXX is known as an escape");
                out += static_cast<char32_t>(c);
                at_ += 6;
            } else {
                out += decode_utf8(text_, at_);
            }
        }
        check(at_ < text_.size() && text_[at_] == quote, "a key has no closing quote");
        ++at_;
        return out;
    }
    void dictionary(const std::u32string& outer) {
        check(take('{'), "an opening brace is missing");
        if (take('}')) return;
        do {
            skip_space();
            if (at_ < text_.size() && text_[at_] == '}') break;  // a comma at the end
            const std::u32string name = key();
            check(take(':'), "a colon is missing");
            skip_space();
            if (at_ < text_.size() && text_[at_] == '{') {
                check(outer.empty(), "dictionaries are nested more than twice");
                dictionary(name);
                continue;
            }
            double x = 0;
            const auto [end, problem] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), x);
            check(problem == std::errc(), "a number is missing");
            at_ = static_cast<std::size_t>(end - text_.data());
            check(entry_(outer, name, x), "the entry does not belong to a model of the states B, M, E and S");
        } while (take(','));
        check(take('}'), "a closing brace is missing");
    }

    std::string_view text_, who_;
    const Entry& entry_;
    std::size_t at_ = 0;
};

// B, M, E, S; 4 for anything else.
template <class = void>
constexpr std::size_t number_of_state(std::u32string_view name) noexcept {
    return name == U"B" ? 0 : name == U"M" ? 1 : name == U"E" ? 2 : name == U"S" ? 3 : 4;
}

}  // namespace detail

/// The model of jieba's files prob_start.py, prob_trans.py and prob_emit.py, from their texts. Only dictionaries of numbers are
/// understood; nothing is run. What a file leaves out is impossible. Characters outside U+4E00 .. U+9FD5, which jieba never asks
/// for, are left out. Throws `error` (`bad_data`) with the line of the file, whose name stands in the message; `bad_utf8`.
template <std::convertible_to<std::string_view> Start, std::convertible_to<std::string_view> Moves, std::convertible_to<std::string_view> Emissions>
[[nodiscard]] chinese_hmm parse_chinese_hmm(const Start& start_text, const Moves& moves_text, const Emissions& emissions_text) {
    const detail::standard_arithmetic as_written;
    std::array<double, 4> start{};
    std::array<double, 8> moves{};
    start.fill(chinese_hmm::impossible);
    moves.fill(chinese_hmm::impossible);
    const auto read = [](std::string_view text, std::string_view who, const auto& entry) {
        require_utf8(text, 1, who);
        (void)detail::python_numbers(text, who, entry);
    };
    const auto is_log = [](double x) { return x <= 0 && x >= chinese_hmm::impossible; };
    read(start_text, "parse_chinese_hmm: prob_start", [&](const std::u32string& outer, const std::u32string& name, double x) {
        const std::size_t state = detail::number_of_state(name);
        if (!outer.empty() || state == 4 || !is_log(x)) return false;
        start[state] = x;
        return true;
    });
    read(moves_text, "parse_chinese_hmm: prob_trans", [&](const std::u32string& outer, const std::u32string& name, double x) {
        const std::size_t from = detail::number_of_state(outer), to = detail::number_of_state(name);
        if (from == 4 || to == 4 || detail::number_of_move(from, to) == 8 || !is_log(x)) return false;
        moves[detail::number_of_move(from, to)] = x;
        return true;
    });
    constexpr std::array nowhere{chinese_hmm::impossible, chinese_hmm::impossible, chinese_hmm::impossible, chinese_hmm::impossible};
    std::vector table(detail::last_han - detail::first_han + 1, nowhere);
    read(emissions_text, "parse_chinese_hmm: prob_emit", [&](const std::u32string& outer, const std::u32string& name, double x) {
        const std::size_t state = detail::number_of_state(outer);
        if (state == 4 || name.size() != 1 || !is_log(x)) return false;
        if (detail::is_han(name[0])) table[name[0] - detail::first_han][state] = x;
        return true;
    });
    std::vector<std::uint32_t> characters;
    std::vector<double> emissions;
    for (std::size_t c = 0; c < table.size(); ++c) {
        if (table[c] == nowhere) continue;
        characters.push_back(static_cast<std::uint32_t>(detail::first_han + c));
        emissions.insert(emissions.end(), table[c].begin(), table[c].end());
    }
    require(!characters.empty(), errc::empty_input, "parse_chinese_hmm: prob_emit has no Chinese characters");
    return {start, moves, std::move(characters), std::move(emissions)};
}

/// The same from the folder that holds the three files (python3-jieba: /usr/lib/python3/dist-packages/jieba/finalseg).
/// Throws `error` (`io`), too.
template <std::convertible_to<file_path> Path>
[[nodiscard]] chinese_hmm read_chinese_hmm(const Path& folder) {
    const file_path name(folder);
    const auto read = [&](std::string_view file) {
        const auto bytes = read_file(name.string() + std::string(file), std::uint64_t{1} << 26, "read_chinese_hmm");
        return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    };
    return parse_chinese_hmm(read("/prob_start.py"), read("/prob_trans.py"), read("/prob_emit.py"));
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
