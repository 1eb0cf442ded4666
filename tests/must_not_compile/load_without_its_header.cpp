// A model is loaded where only its own header is included.
// expect: loading needs #include <caramel/io/model_file.hpp>
#include <caramel/features/standardize.hpp>
#ifdef FIXED
#include <caramel/io/model_file.hpp>
#endif
using namespace caramel;
int main() { (void)load<standardize_model<float>>("model.safetensors"); }
