#ifndef CARAMEL_TESTS_SUPPORT_SOME_DATA_HPP
#define CARAMEL_TESTS_SUPPORT_SOME_DATA_HPP

// A little of what components learn from, drawn from a fixed seed.

#include <cstddef>
#include <string>
#include <vector>

#include <caramel/core/matrix.hpp>
#include <caramel/core/random.hpp>

inline caramel::matrix<float> some_numbers(std::size_t rows) {
    caramel::rng random(1);
    caramel::matrix<float> x(static_cast<caramel::row_index>(rows), 3);
    for (caramel::row_index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(random.normal());
    return x;
}
inline std::vector<int> some_classes(std::size_t rows) {
    std::vector<int> out(rows);
    for (std::size_t i = 0; i < rows; ++i) out[i] = static_cast<int>(i % 2);
    return out;
}
inline std::vector<std::string> some_texts(std::size_t rows) {
    static const std::vector<std::string> words{"where", "is", "my", "order", "cancel", "the", "plan", "thank", "you", "Ärger", "订单", "don't"};
    caramel::rng random(1);
    std::vector<std::string> out(rows, "where is my order");
    for (std::size_t i = 1; i < rows; ++i) {
        out[i].clear();
        for (std::size_t n = random.below(9); n-- > 0;) out[i] += words[random.below(words.size())] + (n % 3 == 0 ? ", " : " ");
    }
    return out;
}

#endif
