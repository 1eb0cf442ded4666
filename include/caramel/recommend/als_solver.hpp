#ifndef CARAMEL_RECOMMEND_ALS_SOLVER_HPP
#define CARAMEL_RECOMMEND_ALS_SOLVER_HPP

// One half of alternating least squares: the factors h of one side are fixed, and each row of the other side is the
// solution w of its normal equations,
//
//     (alpha0 G + r I + B'B) w = B's,    G = sum of h h',  B = rows sqrt(c) h of what was observed,  s = sqrt(c).
//
// In the eigenbasis of G, found once a half-step, the part that all rows share is diagonal: D = alpha0 L + r. With
// E = B D^-1/2 a row is solved in whichever form is smaller,
//
//     primal  (I + E'E) y = E's,  w = D^-1/2 y        or        dual  (I + EE') z = s,  w = D^-1 B'z.
//
// All eigenvalues of both matrices are at least 1. They are factorized in T, and the solution is refined against
// residuals in double until what is left is far below T's own rounding.
//
// In that basis B'B is nearly diagonal, too, at least in its mean over the rows, so conjugate gradients preconditioned with
// the diagonal end after a few steps (als_steps.hpp), each of which costs 2 n d instead of n d^2 / 2. Floats are solved so
// to 1e-6, and factorized where that takes too many steps. Every sum has one order, so a row has the same bits in training
// and when it is folded in later, for any number of threads.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/finite.hpp>
#include <caramel/core/large_pages.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/products.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/recommend/als_steps.hpp>
#include <caramel/recommend/query.hpp>
#include <caramel/recommend/triangles.hpp>

namespace caramel::inline CARAMEL_ABI {

/// The loss that `als` minimises. With confidences c > 0 of the observed pairs, scores s = u.v of all of them:
///
///     sum over observed of c (1 - s)^2  +  unobserved_weight * sum over all pairs of s^2
///         +  sum over customers and items of r |factors|^2,   r = regularization * (n + unobserved_weight * N)^frequency_scaling
///
/// where n counts the observed pairs of the customer (item) and N all items (customers)
/// (Rendle, Krichene, Zhang & Koren, RecSys 2022; the first form is Hu, Koren & Volinsky, ICDM 2008).
struct als_loss {
    double regularization = 0.01;    ///< lambda, above 0
    double unobserved_weight = 0.1;  ///< alpha0, at least 0: how much a pair that was not observed speaks against it
    double frequency_scaling = 1;    ///< nu, at least 0: 0 regularizes all rows alike, 1 those with many pairs more
    weighting weights = weighting::values;  ///< confidence = confidence_scale * the value so weighted
    double confidence_scale = 1;     ///< above 0

    /// c of an observed pair with this value.
    [[nodiscard]] double confidence(double value) const noexcept { return confidence_scale * detail::weigh(weights, value); }
    /// r of a row with so many pairs with c > 0, beside so many rows on the other side.
    [[nodiscard]] double regularizer(std::size_t observed, std::size_t others) const noexcept {
        return regularization * std::pow(static_cast<double>(observed) + unobserved_weight * static_cast<double>(others), frequency_scaling);
    }

    friend bool operator==(const als_loss&, const als_loss&) = default;
    static constexpr std::array field_names{"regularization", "unobserved_weight", "frequency_scaling", "weights", "confidence_scale"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(regularization, unobserved_weight, frequency_scaling, weights, confidence_scale); }
};

/// How `als` solves the rows of a half-step. All of them find the same minimum; none raises the loss.
enum class als_solver : std::uint8_t {
    automatic,           ///< `exact` up to 2e9 numbers a half-step (pairs x n_factors), `conjugate_gradient` beyond
    exact,               ///< the solution, to 1e-6 in float and 1e-10 in double
    conjugate_gradient,  ///< a few steps from where the row stands, preconditioned (Takács, Pilászy & Tikk, RecSys 2011); fewer where 1e-4 is reached
    block_subspace,      ///< blocks of factors in turn from where the row stands (iALS++, Rendle et al. 2021)
};

namespace detail {

// How a half-step is done. Those that are not exact begin with what the rows hold.
struct als_method {
    als_solver solver = als_solver::exact;
    std::size_t cg_steps = 3, block_size = 32;
    double tolerance = 4e-7;  // of floats in `exact`, and where `conjugate_gradient` stops before `cg_steps`
    bool turn_in = true;    // what the rows hold is in the factors' own basis, not in the eigenbasis of this side
    bool turn_back = true;  // the answer, too
};

// Not filled yet, in large pages where there are some: rows are read in no order.
template <class T>
matrix<T> large_matrix(std::size_t rows, std::size_t columns) {
    matrix<T> out(static_cast<row_index>(rows), static_cast<row_index>(columns));
    prefer_large_pages(out.data(), rows * columns * sizeof(T));
    return out;
}

// Two lanes of doubles, from as many neighbours of type T.
struct two_lanes {
    lanes<double>::type part[2];
};
template <class T>
CARAMEL_ALWAYS_INLINE two_lanes widen(const T* at) noexcept {
    two_lanes out;
#if defined(__GNUC__)
    typedef T narrow __attribute__((vector_size(2 * lanes<double>::count * sizeof(T))));
    typedef double wide __attribute__((vector_size(2 * lanes<double>::count * sizeof(double))));
    narrow x;
    std::memcpy(&x, at, sizeof x);
    const wide y = __builtin_convertvector(x, wide);
    std::memcpy(out.part, &y, sizeof y);
#else
    for (std::size_t i = 0; i < 2; ++i) out.part[i] = static_cast<double>(at[i]);
#endif
    return out;
}
// out[r] = rows[r] * x, over n numbers, a multiple of two lanes.
template <std::size_t Rows, class T>
CARAMEL_ALWAYS_INLINE void dot_rows(const T* const* rows, const double* x, std::size_t n, double* out) noexcept {
    using lane = lanes<double>::type;
    constexpr std::size_t width = lanes<double>::count;
    lane sum[Rows][2];
    for (auto& row : sum) row[0] = row[1] = lane{};
    for (std::size_t j = 0; j < n; j += 2 * width) {
        const two_lanes y = widen(x + j);
        for (std::size_t r = 0; r < Rows; ++r) {
            const two_lanes h = widen(rows[r] + j);
            sum[r][0] = sum[r][0] + h.part[0] * y.part[0];
            sum[r][1] = sum[r][1] + h.part[1] * y.part[1];
        }
    }
    for (std::size_t r = 0; r < Rows; ++r) {
        double parts[width];
        const lane both = sum[r][0] + sum[r][1];
        std::memcpy(parts, &both, sizeof both);
        out[r] = parts[0];
        for (std::size_t l = 1; l < width; ++l) out[r] += parts[l];
    }
}
// out += the sum of weights[r] * rows[r], from the first to the last.
template <std::size_t Rows, class T>
CARAMEL_ALWAYS_INLINE void add_rows(const T* const* rows, const double* weights, std::size_t n, double* out) noexcept {
    using lane = lanes<double>::type;
    constexpr std::size_t width = lanes<double>::count;
    const T* row[Rows];
    double weight[Rows];
    for (std::size_t r = 0; r < Rows; ++r) {
        row[r] = rows[r];
        weight[r] = weights[r];
    }
    for (std::size_t j = 0; j < n; j += 2 * width) {
        lane first, second;
        std::memcpy(&first, out + j, sizeof first);
        std::memcpy(&second, out + j + width, sizeof second);
        for (std::size_t r = 0; r < Rows; ++r) {
            const two_lanes h = widen(row[r] + j);
            first = first + weight[r] * h.part[0];
            second = second + weight[r] * h.part[1];
        }
        std::memcpy(out + j, &first, sizeof first);
        std::memcpy(out + j + width, &second, sizeof second);
    }
}

// Eigenvalues and, row by row beside them, the eigenvectors of a symmetric (n, n) matrix, by Householder's reduction and
// implicit QR steps with Wilkinson's shift (Golub & Van Loan, Matrix Computations, 4th ed., algorithms 8.3.1 and 8.3.3).
// False where the matrix is not finite.
struct eigen_pairs {
    std::vector<double> values;
    matrix<double> vectors;
};
class symmetric_eigen {
   public:
    template <class = void>
    explicit symmetric_eigen(matrix<double> a) : n_(static_cast<std::size_t>(a.rows())), a_(std::move(a)), diagonal_(n_), beside_(n_), factor_(n_) {}

    template <class = void>
    [[nodiscard]] bool compute(eigen_pairs& out) {
        double largest = 0;
        for (const double x : std::span(a_.data(), n_ * n_)) {
            if (!std::isfinite(x)) return false;
            largest = std::max(largest, std::abs(x));
        }
        // By a power of two, so that nothing is rounded and no square leaves the range.
        const int exponent = largest > 0 ? std::ilogb(largest) : 0;
        for (double& x : std::span(a_.data(), n_ * n_)) x = std::ldexp(x, -exponent);
        make_tridiagonal();
        if (!diagonalize()) return false;
        for (double& x : diagonal_) x = std::ldexp(x, exponent);
        out = {std::move(diagonal_), std::move(vectors_)};
        return true;
    }

   private:
    [[nodiscard]] double* row(std::size_t i) noexcept { return a_.data() + i * n_; }
    [[nodiscard]] double* vector(std::size_t i) noexcept { return vectors_.data() + i * n_; }

    // A <- H...H A H...H with H = I - f v v'; v of step k stays in row k, right of the diagonal.
    template <class = void>
    void make_tridiagonal() {
        std::vector<double> p(n_);
        for (std::size_t k = 0; k < n_; ++k) {
            double* const v = row(k);
            diagonal_[k] = v[k];
            if (k + 1 == n_) break;
            double below = 0;
            for (std::size_t j = k + 2; j < n_; ++j) below += v[j] * v[j];
            const double first = v[k + 1];
            if (below == 0) {
                beside_[k] = first;
                continue;
            }
            const double norm = std::sqrt(first * first + below);
            beside_[k] = first > 0 ? -norm : norm;
            v[k + 1] = first - beside_[k];
            factor_[k] = 2 / (v[k + 1] * v[k + 1] + below);
            std::fill(p.begin() + static_cast<std::ptrdiff_t>(k), p.end(), 0.0);
            for (std::size_t i = k + 1; i < n_; ++i)
                for (std::size_t j = k + 1; j < n_; ++j) p[j] += v[i] * row(i)[j];
            double overlap = 0;
            for (std::size_t j = k + 1; j < n_; ++j) overlap += p[j] * v[j];
            overlap *= factor_[k] / 2;
            for (std::size_t j = k + 1; j < n_; ++j) p[j] = factor_[k] * (p[j] - overlap * v[j]);
            for (std::size_t i = k + 1; i < n_; ++i)
                for (std::size_t j = k + 1; j < n_; ++j) row(i)[j] -= v[i] * p[j] + p[i] * v[j];
        }
        // The product of all H, from the last to the first so that the leading rows and columns stay those of I.
        matrix<double> q = matrix<double>::Identity(static_cast<row_index>(n_), static_cast<row_index>(n_));
        for (std::size_t k = n_; k-- > 0;) {
            if (factor_[k] == 0) continue;
            const double* const v = row(k);
            std::fill(p.begin() + static_cast<std::ptrdiff_t>(k), p.end(), 0.0);
            for (std::size_t i = k + 1; i < n_; ++i)
                for (std::size_t j = k + 1; j < n_; ++j) p[j] += v[i] * q.data()[i * n_ + j];
            for (std::size_t i = k + 1; i < n_; ++i) {
                const double times = factor_[k] * v[i];
                for (std::size_t j = k + 1; j < n_; ++j) q.data()[i * n_ + j] -= times * p[j];
            }
        }
        vectors_ = q.transpose();
    }

    [[nodiscard]] bool diagonalize() noexcept {
        std::size_t end = n_;
        for (std::size_t steps = 0; end > 1;) {
            const auto negligible = [&](std::size_t k) {
                return std::abs(beside_[k]) <= std::numeric_limits<double>::epsilon() * (std::abs(diagonal_[k]) + std::abs(diagonal_[k + 1]));
            };
            if (negligible(end - 2)) {
                --end;
                continue;
            }
            std::size_t begin = end - 2;
            while (begin > 0 && !negligible(begin - 1)) --begin;
            if (++steps > 60 * n_) return false;  // a few steps a value suffice
            qr_step(begin, end);
        }
        return true;
    }
    void qr_step(std::size_t begin, std::size_t end) noexcept {
        const double half = (diagonal_[end - 2] - diagonal_[end - 1]) / 2, b = beside_[end - 2];
        const double root = std::sqrt(half * half + b * b);
        double x = diagonal_[begin] - (diagonal_[end - 1] - b * b / (half + (half < 0 ? -root : root)));
        double z = beside_[begin];
        for (std::size_t k = begin; k + 1 < end; ++k) {
            const double length = std::sqrt(x * x + z * z);
            const double c = length > 0 ? x / length : 1, s = length > 0 ? z / length : 0;
            if (k > begin) beside_[k - 1] = length;
            const double d0 = diagonal_[k], d1 = diagonal_[k + 1], e = beside_[k];
            diagonal_[k] = c * c * d0 + 2 * c * s * e + s * s * d1;
            diagonal_[k + 1] = s * s * d0 - 2 * c * s * e + c * c * d1;
            beside_[k] = c * s * (d1 - d0) + (c * c - s * s) * e;
            if (k + 2 < end) {
                x = beside_[k];
                z = s * beside_[k + 1];
                beside_[k + 1] *= c;
            }
            double* const upper = vector(k);
            double* const lower = vector(k + 1);
            for (std::size_t j = 0; j < n_; ++j) {
                const double u = upper[j], l = lower[j];
                upper[j] = c * u + s * l;
                lower[j] = c * l - s * u;
            }
        }
    }

    std::size_t n_;
    matrix<double> a_, vectors_;
    std::vector<double> diagonal_, beside_, factor_;
};

// ---- one side fixed --------------------------------------------------------------------------------------------------
template <class T>
class als_side {
    static constexpr std::size_t chunk = 32;

   public:
    als_side() = default;
    // `others` are the fixed factors, (n, d). Throws `refusal` where their squares are beyond double.
    als_side(const als_loss& loss, const matrix<T>& others, const run_options& how, errc refusal = errc::diverged)
        : als_side(loss, static_cast<std::size_t>(others.rows()), gramian(others, how), refusal) {
        rotate(others, how);
    }
    // The same without a copy of the factors: `others` is turned to the eigenbasis, and must stay as long as the side does.
    als_side(const als_loss& loss, matrix<T>* others, const run_options& how)
        : als_side(loss, static_cast<std::size_t>(others->rows()), gramian(*others, how), errc::diverged) {
        turn_in(*others, how);
        if (d_ == stride_) {
            elsewhere_ = others->data();
            return;
        }
        rotated_ = large_zeros(n_ * stride_);
        for (std::size_t i = 0; i < n_; ++i) std::copy_n(others->data() + i * d_, d_, rotated_.data() + i * stride_);
    }

    [[nodiscard]] bool empty() const noexcept { return d_ == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return n_; }

    // others' * others, summed in at most 64 blocks of rows that the data alone decide; many floats in float over 128
    // rows, and these sums in double.
    [[nodiscard]] static matrix<double> gramian(const matrix<T>& others, const run_options& how) {
        if (others.rows() < 4096) return gramian_in<double>(others, how);
        return gramian_in<T>(others, how);
    }

    // Rows of the factors' own basis to the eigenbasis, in place.
    void turn_in(matrix<T>& rows, const run_options& how) const {
        parallel_blocks(static_cast<std::size_t>(rows.rows()), 128, how, [&](std::size_t begin, std::size_t end, std::size_t) {
            std::vector<T> to((end - begin) * stride_);
            multiply_many(rows.data() + begin * d_, d_, 1, into_.data(), end - begin, d_, stride_, to.data(), false);
            for (std::size_t i = begin; i < end; ++i) std::copy_n(to.data() + (i - begin) * stride_, d_, rows.data() + i * d_);
        });
    }
    // The fixed factors in the eigenbasis, (n, d).
    [[nodiscard]] matrix<T> turned_factors() const {
        auto out = large_matrix<T>(n_, d_);
        for (std::size_t i = 0; i < n_; ++i) std::copy_n(factors(static_cast<std::int32_t>(i)), d_, out.data() + i * d_);
        return out;
    }

    // The factors of one row; zero where nothing was observed. `ids` are rows of the other side. Throws `diverged`.
    void solve(std::span<const std::int32_t> ids, std::span<const T> values, std::span<T> out, workspace& scratch) const {
        const std::span<T> x(take_lanes<T>(stride_, scratch), stride_), back(take_lanes<T>(stride_, scratch), stride_);
        solve_turned(ids, values, x, {}, scratch);
        multiply_strided(x.data(), stride_, 1, back_.data(), 1, d_, stride_, back.data(), false);
        std::copy_n(back.begin(), d_, out.begin());
        require_finite(out);
    }

    // What each observed pair adds to the score of a row of the other side with the factors `wanted`.
    void explain(std::span<const std::int32_t> ids, std::span<const T> values, std::span<const T> wanted, std::span<T> out, workspace& scratch) const {
        const row mine = row_of(ids, values, scratch);
        std::fill(out.begin(), out.end(), T(0));
        if (!mine.observed) return;
        const auto turned = scratch.take<double>(stride_), x = scratch.take<double>(stride_);
        std::fill(turned.begin(), turned.end(), 0.0);
        for (std::size_t j = 0; j < d_; ++j)
            for (std::size_t i = 0; i < d_; ++i) turned[j] += static_cast<double>(back_[j * stride_ + i]) * static_cast<double>(wanted[i]);
        solve_for(mine, turned, 0, x, scratch);
        const auto shares = scratch.take<double>(out.size());
        scores(mine.ids, x, shares);
        for (std::size_t k = 0; k < out.size(); ++k) out[k] = static_cast<T>(mine.confidences[k] * shares[k]);
    }

    // All rows of the other side.
    void half_step(const sparse_rows<T>& observed, matrix<T>& out, const run_options& how, const als_method& method = {}) const {
        constexpr std::size_t block = 64;
        parallel_blocks(observed.size(), block, how, [&](std::size_t begin, std::size_t end, std::size_t) {
            workspace scratch;
            const std::size_t count = end - begin;
            vec<T> rows(static_cast<row_index>(count * stride_)), turned(static_cast<row_index>(count * stride_));
            if (method.solver != als_solver::exact) {
                if (method.turn_in) multiply_many(out.data() + begin * d_, d_, 1, into_.data(), count, d_, stride_, rows.data(), false);
                else
                    for (std::size_t i = 0; i < count; ++i) std::copy_n(out.data() + (begin + i) * d_, d_, rows.data() + i * stride_);
            }
            for (std::size_t i = begin; i < end; ++i) {
                const workspace::frame frame(scratch);
                if (i + 2 < end)  // the rows after the next: what is fetched from far is under way for longer than one row takes
                    for (const auto id : observed.ids_of(i + 2).first(std::min<std::size_t>(16, observed.count(i + 2))))
                        for (std::size_t j = 0; j < stride_; j += 64 / sizeof(T)) CARAMEL_PREFETCH_FAR(factors(id) + j);
                solve_turned(observed.ids_of(i), observed.values_of(i), {rows.data() + (i - begin) * stride_, stride_}, method, scratch);
            }
            if (method.turn_back) {
                multiply_many(rows.data(), stride_, 1, back_.data(), count, d_, stride_, turned.data(), false);
                rows.swap(turned);
            }
            for (std::size_t i = 0; i < count; ++i) {
                const std::span<T> to(out.data() + (begin + i) * d_, d_);
                std::copy_n(rows.data() + i * stride_, d_, to.begin());
                require_finite(to);
            }
        });
    }

   private:
    static constexpr const char* grew = "als: factors grew beyond the number type; raise regularization, or scale the values down";
    [[nodiscard]] static vec<T> large_zeros(std::size_t n) {
        vec<T> out(static_cast<row_index>(n));
        prefer_large_pages(out.data(), n * sizeof(T));
        out.setZero();
        return out;
    }
    static void require_finite(std::span<const T> factors) { require(all_finite(factors), errc::diverged, grew); }

    als_side(const als_loss& loss, std::size_t n, matrix<double> gramian, errc refusal)
        : loss_(loss), n_(n), d_(static_cast<std::size_t>(gramian.rows())), stride_(round_up(d_, 2 * triangle_unit<T>)), shared_(d_), into_(d_ * stride_),
          back_(d_ * stride_) {
        require(symmetric_eigen(std::move(gramian)).compute(basis_), refusal, grew);
        for (std::size_t j = 0; j < d_; ++j) {
            shared_[j] = loss_.unobserved_weight * std::max(basis_.values[j], 0.0);
            for (std::size_t i = 0; i < d_; ++i)
                into_[i * stride_ + j] = back_[j * stride_ + i] = static_cast<T>(basis_.vectors.data()[j * d_ + i]);
        }
    }

    template <class Sum>
    [[nodiscard]] static matrix<double> gramian_in(const matrix<T>& others, const run_options& how) {
        const auto n = static_cast<std::size_t>(others.rows()), d = static_cast<std::size_t>(others.cols());
        const std::size_t stride = round_up(d, triangle_unit<Sum>), block = std::max<std::size_t>(256, (n + 63) / 64);
        std::vector<std::vector<double>> parts((n + block - 1) / block);
        parallel_blocks(n, block, how, [&](std::size_t begin, std::size_t end, std::size_t b) {
            parts[b].resize(stride * stride);
            std::vector<Sum> rows(chunk * stride), sums(std::is_same_v<Sum, double> ? 0 : stride * stride);
            for (std::size_t first = begin; first < end; first += chunk) {
                const std::size_t count = std::min(chunk, end - first);
                const Sum* from = rows.data();
                if constexpr (std::is_same_v<Sum, T>)
                    if (stride == d) from = others.data() + first * d;
                if (from == rows.data())
                    for (std::size_t i = 0; i < count; ++i) std::copy_n(others.data() + (first + i) * d, d, rows.data() + i * stride);
                if constexpr (std::is_same_v<Sum, double>) {
                    add_gramian(from, count, stride, stride, parts[b].data());
                } else {
                    add_gramian(from, count, stride, stride, sums.data());
                    if ((first - begin) / chunk % 4 < 3 && first + chunk < end) continue;
                    for (std::size_t i = 0; i < d; ++i)
                        for (std::size_t j = i / 4 * 4; j < stride; ++j) parts[b][i * stride + j] += static_cast<double>(sums[i * stride + j]);
                    std::fill(sums.begin(), sums.end(), Sum(0));
                }
            }
        });
        matrix<double> out = matrix<double>::Zero(others.cols(), others.cols());
        for (const auto& part : parts)
            for (std::size_t i = 0; i < d; ++i)
                for (std::size_t j = i; j < d; ++j) out.data()[i * d + j] += part[i * stride + j];
        for (std::size_t i = 0; i < d; ++i)
            for (std::size_t j = 0; j < i; ++j) out.data()[i * d + j] = out.data()[j * d + i];
        return out;
    }

    // x (stride) in the eigenbasis; where the method is not exact, it begins with what x holds.
    void solve_turned(std::span<const std::int32_t> ids, std::span<const T> values, std::span<T> x, const als_method& method, workspace& scratch) const {
        const auto c = scratch.take<T>(ids.size());
        const std::span<T> diagonal(take_lanes<T>(stride_, scratch), stride_);
        std::size_t observed = 0;
        for (std::size_t k = 0; k < ids.size(); ++k) {
            c[k] = static_cast<T>(loss_.confidence(static_cast<double>(values[k])));
            if (c[k] > 0) ++observed;
        }
        if (observed == 0) return std::fill(x.begin(), x.end(), T(0)), void();
        const double r = loss_.regularizer(observed, n_);
        for (std::size_t j = 0; j < d_; ++j) diagonal[j] = static_cast<T>(shared_[j] + r);
        std::fill(diagonal.begin() + static_cast<std::ptrdiff_t>(d_), diagonal.end(), T(1));
        const als_equations<T> equations{factors(0), stride_, ids, c.data(), diagonal.data()};
        if (method.solver == als_solver::conjugate_gradient) {
            if (conjugate_gradients(equations, method.cg_steps, method.tolerance, true, x, scratch)) return;
        } else if (method.solver == als_solver::block_subspace) {
            return block_sweep(equations, method.block_size, x, scratch);
        } else if (std::is_same_v<T, float> && d_ >= 32) {
            if (conjugate_gradients(equations, 8 + d_ / 8, method.tolerance, false, x, scratch)) return;
        }
        const row mine = row_of(ids, values, scratch);
        const auto zero = scratch.take<double>(stride_), out = scratch.take<double>(stride_);
        std::fill(zero.begin(), zero.end(), 0.0);
        std::fill(out.begin(), out.end(), 0.0);
        if (mine.observed) solve_for(mine, zero, 1, out, scratch);
        for (std::size_t j = 0; j < stride_; ++j) x[j] = static_cast<T>(out[j]);
    }

    struct row {
        std::span<const std::int32_t> ids;
        std::span<const double> confidences, roots;  // c and sqrt(c)
        std::span<const double> scale;               // D^-1/2, `stride_` numbers, zero beyond d
        bool observed = false;
    };
    row row_of(std::span<const std::int32_t> ids, std::span<const T> values, workspace& scratch) const {
        const auto confidences = scratch.take<double>(ids.size()), roots = scratch.take<double>(ids.size()), scale = scratch.take<double>(stride_);
        std::size_t observed = 0;
        for (std::size_t k = 0; k < ids.size(); ++k) {
            confidences[k] = loss_.confidence(static_cast<double>(values[k]));
            roots[k] = std::sqrt(confidences[k]);
            if (confidences[k] > 0) ++observed;
        }
        const double r = loss_.regularizer(observed, n_);
        std::fill(scale.begin(), scale.end(), 0.0);
        for (std::size_t j = 0; j < d_; ++j) scale[j] = 1 / std::sqrt(shared_[j] + r);
        return {ids, confidences, roots, scale, observed > 0};
    }

    // x <- the solution of (D + B'B) x = v + beta B's.
    void solve_for(const row& mine, std::span<const double> right, double beta, std::span<double> x, workspace& scratch) const {
        const auto v = scratch.take<double>(stride_);
        std::copy(right.begin(), right.end(), v.begin());
        const bool solved = (std::is_same_v<T, float> && beta > 0 && solve_in<float>(mine, v, beta, x, scratch)) || solve_in<double>(mine, v, beta, x, scratch);
        require(solved, errc::diverged, "als: the equations of a row are singular in double precision; raise regularization, or scale the values down");
    }
    template <class Real>
    [[nodiscard]] bool solve_in(const row& mine, std::span<const double> v, double beta, std::span<double> x, workspace& scratch) const {
        return mine.ids.size() < d_ ? solve_dual<Real>(mine, v, beta, x, scratch) : solve_primal<Real>(mine, v, beta, x, scratch);
    }

    // Dual: x = D^-1 (v + B'z), and the residual of z is beta s - z - Bx.
    template <class Real>
    [[nodiscard]] bool solve_dual(const row& mine, std::span<const double> v, double beta, std::span<double> x, workspace& scratch) const {
        const std::size_t n = mine.ids.size(), rows = round_up(n, 4), width = round_up(n, triangle_unit<Real>);
        const auto e = scratch.take<Real>(d_ * width);  // E', with zeros beyond n
        for (std::size_t first = 0; first < width; first += 4) {
            const T* h[4];
            Real root[4];
            for (std::size_t k = 0; k < 4; ++k) {
                h[k] = factors(mine.ids[std::min(first + k, n - 1)]);
                root[k] = first + k < n ? static_cast<Real>(mine.roots[first + k]) : Real(0);
            }
            for (std::size_t j = 0; j < d_; ++j) {
                const Real scale = static_cast<Real>(mine.scale[j]);
                for (std::size_t k = 0; k < 4; ++k) e[j * width + first + k] = root[k] * scale * static_cast<Real>(h[k][j]);
            }
        }
        const auto s = identity<Real>(rows, width, scratch);
        add_gramian(e.data(), d_, rows, width, s.data());
        const auto z = scratch.take<double>(n), weights = scratch.take<double>(n);
        const auto b = scratch.take<Real>(rows);
        std::fill(z.begin(), z.end(), 0.0);
        std::fill(b.begin(), b.end(), Real(0));
        for (std::size_t j = 0; j < d_; ++j) x[j] = mine.scale[j] * mine.scale[j] * v[j];
        const auto residual = [&] {
            scores(mine.ids, x, weights);
            for (std::size_t k = 0; k < n; ++k) b[k] = static_cast<Real>(mine.roots[k] * (beta - weights[k]) - z[k]);
        };
        residual();
        return refine<Real>(
            rows, width, s, b, x, scratch, residual,
            [&] {
                for (std::size_t k = 0; k < n; ++k) {
                    z[k] += static_cast<double>(b[k]);
                    weights[k] = mine.roots[k] * z[k];
                }
                combine(mine.ids, weights, x);
                for (std::size_t j = 0; j < d_; ++j) x[j] = mine.scale[j] * mine.scale[j] * (x[j] + v[j]);
            });
    }
    // Primal: x = D^-1/2 y, and the residual of y is D^-1/2 (v + B'(beta s - Bx)) - y.
    template <class Real>
    [[nodiscard]] bool solve_primal(const row& mine, std::span<const double> v, double beta, std::span<double> x, workspace& scratch) const {
        const auto s = identity<Real>(stride_, stride_, scratch);
        const auto e = scratch.take<Real>(chunk * stride_), scale = scratch.take<Real>(stride_), b = scratch.take<Real>(stride_);
        const auto roots = scratch.take<Real>(mine.ids.size());
        // The first residual, with x = 0, need not be in double: it is only where the refinement begins.
        for (std::size_t j = 0; j < stride_; ++j) {
            scale[j] = static_cast<Real>(mine.scale[j]);
            b[j] = static_cast<Real>(mine.scale[j] * v[j]);
        }
        for (std::size_t first = 0; first < mine.ids.size(); first += chunk) {
            const std::size_t count = std::min(chunk, mine.ids.size() - first);
            for (std::size_t k = 0; k < count; ++k) {
                const T* const h = factors(mine.ids[first + k]);
                const Real root = static_cast<Real>(mine.roots[first + k]);
                roots[first + k] = static_cast<Real>(beta) * root;
                for (std::size_t j = 0; j < stride_; ++j) e[k * stride_ + j] = root * scale[j] * static_cast<Real>(h[j]);
            }
            add_gramian(e.data(), count, stride_, stride_, s.data());
            multiply_strided(roots.data() + first, count, 1, e.data(), 1, count, stride_, b.data(), true);
        }
        const auto y = scratch.take<double>(stride_), weights = scratch.take<double>(mine.ids.size()), left = scratch.take<double>(stride_);
        std::fill(y.begin(), y.end(), 0.0);
        std::fill(x.begin(), x.end(), 0.0);
        return refine<Real>(
            stride_, stride_, s, b, x, scratch,
            [&] {
                scores(mine.ids, x, weights);
                for (std::size_t k = 0; k < weights.size(); ++k) weights[k] = mine.confidences[k] * (beta - weights[k]);
                combine(mine.ids, weights, left);
                for (std::size_t j = 0; j < stride_; ++j) b[j] = static_cast<Real>(mine.scale[j] * (left[j] + v[j]) - y[j]);
            },
            [&] {
                for (std::size_t j = 0; j < stride_; ++j) {
                    y[j] += static_cast<double>(b[j]);
                    x[j] = mine.scale[j] * y[j];
                }
            });
    }

    // Newton's steps with an inexact inverse, until x stands: b <- s^-1 b, `correct()` x by b, `residual()` of x to b.
    template <class Real, class Residual, class Correct>
    [[nodiscard]] bool refine(std::size_t n, std::size_t stride, std::span<Real> s, std::span<Real> b, std::span<double> x, workspace& scratch,
                              const Residual& residual, const Correct& correct) const {
        const auto inverse = scratch.take<Real>(n);
        const auto before = scratch.take<double>(stride_);
        if (!factorize(n, stride, s.data(), inverse.data())) return false;
        double last_change = 0;
        for (int step = 0; step < 10; ++step) {
            std::copy(x.begin(), x.end(), before.begin());
            if (step > 0) residual();
            solve_factorized(n, stride, s.data(), inverse.data(), b.data());
            correct();
            double size = 0, change = 0;
            for (std::size_t j = 0; j < d_; ++j) {
                size += x[j] * x[j];
                change += (x[j] - before[j]) * (x[j] - before[j]);
            }
            // The next change will be smaller than this one as this one is than the last.
            if (step > 0 && change * change <= tolerance * size * last_change) return true;
            last_change = change;
        }
        return false;
    }
    static constexpr double tolerance = 1e-16;  // of a squared norm: 1e-8 of what the factors are

    template <class Real>
    [[nodiscard]] std::span<Real> identity(std::size_t rows, std::size_t stride, workspace& scratch) const {
        const auto s = scratch.take<Real>(rows * stride);
        std::fill(s.begin(), s.end(), Real(0));
        for (std::size_t i = 0; i < rows; ++i) s[i * stride + i] = 1;
        return s;
    }

    [[nodiscard]] const T* factors(std::int32_t id) const noexcept {
        return (elsewhere_ != nullptr ? elsewhere_ : rotated_.data()) + static_cast<std::size_t>(id) * stride_;
    }
    // Calls `kernel(rows, first, number)` for four of the rows at a time, then for the rest one by one.
    template <class Kernel>
    void by_fours(std::span<const std::int32_t> ids, const Kernel& kernel) const noexcept {
        std::size_t k = 0;
        for (; k + 4 <= ids.size(); k += 4) {
            const T* const rows[4] = {factors(ids[k]), factors(ids[k + 1]), factors(ids[k + 2]), factors(ids[k + 3])};
            kernel(rows, k, std::integral_constant<std::size_t, 4>{});
        }
        for (; k < ids.size(); ++k) {
            const T* const rows[1] = {factors(ids[k])};
            kernel(rows, k, std::integral_constant<std::size_t, 1>{});
        }
    }
    // out[k] = h of ids[k] * x
    void scores(std::span<const std::int32_t> ids, std::span<const double> x, std::span<double> out) const noexcept {
        if (std::all_of(x.begin(), x.end(), [](double number) { return number == 0; })) return std::fill(out.begin(), out.end(), 0.0), void();
        by_fours(ids, [&](const T* const* rows, std::size_t k, auto n) { dot_rows<n()>(rows, x.data(), stride_, out.data() + k); });
    }
    // out = the sum of weights[k] * h of ids[k]
    void combine(std::span<const std::int32_t> ids, std::span<const double> weights, std::span<double> out) const noexcept {
        std::fill(out.begin(), out.end(), 0.0);
        by_fours(ids, [&](const T* const* rows, std::size_t k, auto n) { add_rows<n()>(rows, weights.data() + k, stride_, out.data()); });
    }

    // rotated_ = others * vectors', summed in double.
    void rotate(const matrix<T>& others, const run_options& how) {
        rotated_ = large_zeros(n_ * stride_);
        const std::size_t width = round_up(d_, 2 * lanes<double>::count);
        std::vector<double> turn(d_ * width);
        for (std::size_t i = 0; i < d_; ++i)
            for (std::size_t j = 0; j < d_; ++j) turn[i * width + j] = basis_.vectors.data()[j * d_ + i];
        parallel_blocks(n_, 256, how, [&](std::size_t begin, std::size_t end, std::size_t) {
            std::vector<double> from(chunk * d_), to(chunk * width);
            for (std::size_t first = begin; first < end; first += chunk) {
                const std::size_t count = std::min(chunk, end - first);
                std::copy_n(others.data() + first * d_, count * d_, from.data());
                multiply_many(from.data(), d_, 1, turn.data(), count, d_, width, to.data(), false);
                for (std::size_t i = 0; i < count; ++i)
                    for (std::size_t j = 0; j < d_; ++j) rotated_.data()[(first + i) * stride_ + j] = static_cast<T>(to[i * width + j]);
            }
        });
    }

    als_loss loss_;
    std::size_t n_ = 0, d_ = 0, stride_ = 0;
    std::vector<double> shared_;  // alpha0 * eigenvalues of the Gramian
    vec<T> rotated_;              // (n, stride): the fixed factors in its eigenbasis, zero beyond d
    std::vector<T> into_, back_;  // (d, stride): to that basis, and back to the factors' own
    eigen_pairs basis_;
    const T* elsewhere_ = nullptr;  // the same as rotated_, where they are not here
};

}  // namespace detail

}  // namespace caramel::inline CARAMEL_ABI

#endif
