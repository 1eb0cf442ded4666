#ifndef CARAMEL_CORE_WORKSPACE_HPP
#define CARAMEL_CORE_WORKSPACE_HPP

#include <algorithm>
#include <cstddef>
#include <memory>
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
    static constexpr std::size_t alignment = alignof(std::max_align_t);
    struct block {
        std::unique_ptr<std::byte[]> memory;
        std::size_t size;
    };

    // Blocks never move while a call runs, so what was handed out stays valid.
    std::byte* take_bytes(std::size_t n) {
        n = (n + alignment - 1) / alignment * alignment;
        while (block_ < blocks_.size() && blocks_[block_].size - used_ < n) {
            ++block_;
            used_ = 0;
        }
        if (block_ == blocks_.size()) {
            const std::size_t size = std::max({n, std::size_t{1024}, blocks_.empty() ? 0 : 2 * blocks_.back().size});
            blocks_.push_back({std::unique_ptr<std::byte[]>(new std::byte[size]), size});
        }
        std::byte* const at = blocks_[block_].memory.get() + used_;
        used_ += n;
        return at;
    }

    std::vector<block> blocks_;
    std::size_t block_ = 0, used_ = 0, depth_ = 0;
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
