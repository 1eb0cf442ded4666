#include <caramel/features/standardize.hpp>

int main() {
    caramel::matrix<float> x(2, 1);
    x << 1, 3;
    const auto model = fit(caramel::standardize<float>{}, x);
    return model(x)(1, 0) == 1 ? 0 : 1;
}
