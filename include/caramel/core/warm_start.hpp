#ifndef CARAMEL_CORE_WARM_START_HPP
#define CARAMEL_CORE_WARM_START_HPP

#include <memory>
#include <utility>

#include <caramel/core/platform.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Where a fit begins: at a fitted model, shared by the copies of the recipe, or at random.
template <class Model>
class warm_start {
   public:
    warm_start() = default;
    warm_start(Model model) : model_(std::make_shared<const Model>(std::move(model))) {}  // NOLINT(google-explicit-constructor)
    [[nodiscard]] const Model* get() const noexcept { return model_.get(); }

   private:
    std::shared_ptr<const Model> model_;
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
