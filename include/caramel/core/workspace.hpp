#ifndef CARAMEL_CORE_WORKSPACE_HPP
#define CARAMEL_CORE_WORKSPACE_HPP

#include <concepts>
#include <cstddef>
#include <new>
#include <span>
#include <type_traits>
#include <vector>

#include <caramel/core/platform.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Scratch memory for answering one row at a time: `model(row, workspace)` allocates in the first call and never again.
/// What such a call returns may lie in the workspace and is valid until the next call with it. One thread a workspace.
class workspace {
   public:
    workspace() = default;
    workspace(workspace&&) noexcept = default;
    workspace& operator=(workspace&&) noexcept = default;
    workspace(const workspace&) = delete;
    workspace& operator=(const workspace&) = delete;
    ~workspace() = default;

    /// Stages hold one while they answer; the outermost one starts over with the memory.
    class frame {
       public:
        template <class = void>
        explicit frame(workspace& scratch) noexcept : scratch_(scratch) {
            if (scratch_.depth_++ == 0) scratch_.block_ = scratch_.used_ = 0;
        }
        ~frame() { --scratch_.depth_; }
        frame(const frame&) = delete;
        frame& operator=(const frame&) = delete;

       private:
        workspace& scratch_;
    };

    /// `n` values, uninitialized.
    template <class T>
        requires std::is_trivially_copyable_v<T> && std::is_trivially_default_constructible_v<T>
    [[nodiscard]] std::span<T> take(std::size_t n) {
        static_assert(alignof(T) <= alignment);
        auto* const bytes = take_bytes(n * sizeof(T));
        return {::new (static_cast<void*>(bytes)) T[n], n};
    }

   private:
    struct unit {  // of memory, so that whatever is taken is aligned
        alignas(std::max_align_t) std::byte bytes[alignof(std::max_align_t)];
    };
    static constexpr std::size_t alignment = sizeof(unit);

    // Blocks never move while a call runs, so what was handed out stays valid.
    template <std::same_as<std::size_t> Size>
    unit* take_bytes(Size n) {
        const std::size_t units = n / alignment + 1;
        while (block_ < blocks_.size() && blocks_[block_].size() - used_ < units) {
            ++block_;
            used_ = 0;
        }
        if (block_ == blocks_.size()) {
            const std::size_t twice = blocks_.empty() ? 64 : 2 * blocks_.back().size();
            blocks_.emplace_back(units > twice ? units : twice);
        }
        unit* const at = blocks_[block_].data() + used_;
        used_ += units;
        return at;
    }

    std::vector<std::vector<unit>> blocks_;
    std::size_t block_ = 0, used_ = 0, depth_ = 0;
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
