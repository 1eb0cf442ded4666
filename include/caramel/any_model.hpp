#ifndef CARAMEL_ANY_MODEL_HPP
#define CARAMEL_ANY_MODEL_HPP

#include <concepts>
#include <utility>

#include <caramel/core/callback.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

/// A fitted model with its type erased: what a host keeps in a member or passes between its parts.
///
/// Copies share one immutable model, so copying is cheap and calls from many threads are safe. One indirect call a
/// batch; or a row: `any_model<std::span<const float>, std::span<const float>>` answers `(row, workspace)`.
template <class In, class Out>
class any_model {
    template <class M>
    static constexpr bool answers_rows = RowTransformer<M, In> && requires(const M& model, const In& in, workspace& scratch) {
        { model(in, scratch) } -> std::convertible_to<Out>;
    };
    template <class M>
    static constexpr bool answers_batches = Transformer<M, In> && requires(const M& model, const In& in) {
        { model(in) } -> std::convertible_to<Out>;
    };
    static constexpr bool returns_a_view = requires { typename Out::element_type; };  // into the workspace: needs one

   public:
    using stage_concept = model_tag;

    template <class M>
        requires(!std::same_as<M, any_model> && !Recipe<M> && (answers_rows<M> || (answers_batches<M> && !returns_a_view)))
    any_model(M model)  // NOLINT(google-explicit-constructor): erasing is the point
        : self_(std::in_place_type<M>, std::move(model)), call_([](const detail::shared_value& self, const In& in, workspace& scratch) -> Out {
              if constexpr (answers_rows<M>) return std::as_const(self.template get<M>())(in, scratch);
              else return std::as_const(self.template get<M>())(in);
          }) {}

    [[nodiscard]] Out operator()(const In& in, workspace& scratch) const { return call_(self_, in, scratch); }
    [[nodiscard]] Out operator()(const In& in) const
        requires(!returns_a_view)
    {
        workspace scratch;
        return call_(self_, in, scratch);
    }

   private:
    detail::shared_value self_;
    Out (*call_)(const detail::shared_value&, const In&, workspace&);
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
