// Messages go into a chain for tables; and a file's name is given instead of what is in the file.
// expect: stage_cannot_take_texts<1, 
// expect: impute
// expect: put in front of it what makes numbers of them, as tfidf<float>{}; a table comes from read_csv(path)
#include <string>
#include <vector>

#include <caramel/data/table.hpp>
#include <caramel/features/encode.hpp>
#include <caramel/features/impute.hpp>
using namespace caramel;
int main() {
#ifdef FIXED
    const table data;
#else
    const std::vector<std::string> data{"where is my order"};
#endif
    const auto model = fit(impute{} | encode<float>{}, data);
}
