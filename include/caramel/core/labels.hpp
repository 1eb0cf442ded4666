#ifndef CARAMEL_CORE_LABELS_HPP
#define CARAMEL_CORE_LABELS_HPP

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>

#include <caramel/core/error.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

inline constexpr std::size_t max_classes = 65'536;

// Labels are 0, 1, 2, ...: how many classes there are, one more than the largest label.
// Throws `bad_data` with the row of a negative label, or where there is one class only; `limit_exceeded` with the row.
template <class = void>
inline std::size_t count_classes(std::span<const int> labels, std::string_view who) {
    int most = 0;
    bool several = false;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        require_at(labels[i] >= 0, errc::bad_data, {.row = i + 1}, who, ": the label of row ", i + 1, " is negative; labels are 0, 1, 2, ...");
        require_at(static_cast<std::size_t>(labels[i]) < max_classes, errc::limit_exceeded, {.row = i + 1}, who, ": the label of row ", i + 1,
                   " is too large; labels are 0 .. ", max_classes - 1);
        most = std::max(most, labels[i]);
        several = several || labels[i] != labels[0];
    }
    require(several, errc::bad_data, who, ": the ", labels.size(), " labels are of one class only");
    return static_cast<std::size_t>(most) + 1;
}

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
