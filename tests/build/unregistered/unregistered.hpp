// What scripts/contract_components.py must find missing: no adapter in tests/contract names these recipes.
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {
struct not_public {
    [[nodiscard]] int fit(const int& x, const fit_options&) const { return x; }
};
}  // namespace detail

template <class T>
struct unregistered {
    using stage_concept = recipe_tag;
    T level = 0;
    [[nodiscard]] T fit(const T& x, const fit_options&) const { return x + level; }
};

template <class T>
using unregistered_too = unregistered<T>;

}  // namespace caramel::inline CARAMEL_ABI
