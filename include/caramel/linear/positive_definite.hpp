#ifndef CARAMEL_LINEAR_POSITIVE_DEFINITE_HPP
#define CARAMEL_LINEAR_POSITIVE_DEFINITE_HPP

// Symmetric positive definite systems in double. (Eigen's factorizations sum in an order that depends on how memory is
// aligned.)

#include <cmath>
#include <span>

#include <caramel/core/matrix.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

// a = u'u, of which only the upper triangle is read, and then holds u. False where the matrix is singular in double
// precision.
template <class = void>
inline bool factorize(matrix<double>& a) {
    const row_index n = a.rows();
    for (row_index i = 0; i < n; ++i) {
        double* const row = a.data() + i * n;
        const double before = row[i];
        for (row_index k = 0; k < i; ++k) {
            const double* const above = a.data() + k * n;
            const double factor = above[i];
            for (row_index j = i; j < n; ++j) row[j] -= factor * above[j];
        }
        if (!(row[i] > 1e-14 * before)) return false;
        const double pivot = std::sqrt(row[i]);
        for (row_index j = i; j < n; ++j) row[j] /= pivot;
    }
    return true;
}
// Solves u'x = b; x stands in b.
template <class = void>
inline void solve_lower(const matrix<double>& u, std::span<double> b) {
    const auto n = static_cast<row_index>(b.size());
    double* const x = b.data();
    for (row_index k = 0; k < n; ++k) {
        const double* const row = u.data() + k * n;
        x[k] /= row[k];
        for (row_index j = k + 1; j < n; ++j) x[j] -= x[k] * row[j];
    }
}
// Solves u'u x = b.
template <class = void>
inline void solve_factorized(const matrix<double>& u, std::span<double> b) {
    solve_lower(u, b);
    const auto n = static_cast<row_index>(b.size());
    double* const x = b.data();
    for (row_index i = n; i-- > 0;) {
        const double* const row = u.data() + i * n;
        double sum = x[i];
        for (row_index j = i + 1; j < n; ++j) sum -= row[j] * x[j];
        x[i] = sum / row[i];
    }
}
// Solves a x = b, and overwrites a. False, with b as it was, where a is singular in double precision.
inline bool solve_positive_definite(matrix<double>& a, std::span<double> b) {
    if (!factorize(a)) return false;
    solve_factorized(a, b);
    return true;
}

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
