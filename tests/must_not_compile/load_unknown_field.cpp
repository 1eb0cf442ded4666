// A model of the user's own whose second field is of a type that files do not know.
// expect: field_cannot_be_saved<1, thresholds, 2,
// expect: this field cannot be saved: specialise caramel::field_format for its type
#include <set>

#include <caramel/io/model_file.hpp>
using namespace caramel;
struct thresholds {
#ifdef FIXED
    using list = std::vector<float>;
#else
    using list = std::set<float>;
#endif
    static constexpr std::string_view kind = "thresholds";
    float first = 0;
    list others;
    static constexpr std::array field_names{"first", "others"};
    auto fields() const { return std::tie(first, others); }
};
int main() { (void)load<thresholds>("model.safetensors"); }
