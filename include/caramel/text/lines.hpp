#ifndef CARAMEL_TEXT_LINES_HPP
#define CARAMEL_TEXT_LINES_HPP

// The lines of a text that a file held.

#include <algorithm>
#include <cstddef>
#include <string_view>

#include <caramel/core/platform.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

// Calls `line(text, number)` for each line, counted from 1, without its end.
template <class Line>
void for_each_line(std::string_view text, const Line& line) {
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view one = text.substr(0, end);
        if (one.ends_with('\r')) one.remove_suffix(1);
        line(one, number);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
