// A residual block adds what goes in to what its layers make of it: token ids cannot be added to numbers.
// expect: the layers of a residual block read numbers, not token ids
#include <caramel/nn/activation.hpp>
#include <caramel/nn/dense.hpp>
#include <caramel/nn/embedding_bag.hpp>
#include <caramel/nn/residual.hpp>
using namespace caramel;
int main() {
#ifdef FIXED
    const auto block = residual(dense{}, relu{});
#else
    const auto block = residual(embedding_bag{.dim = 8}, relu{});
#endif
    (void)block;
}
