#ifndef CARAMEL_TESTS_FAULTS_SUBJECTS_HPP
#define CARAMEL_TESTS_FAULTS_SUBJECTS_HPP

#include <functional>
#include <string>
#include <vector>

#include <caramel/core/progress.hpp>
#include <caramel/io/model_file.hpp>

#include "support/faults.hpp"

namespace faults_test {

// Something that learns: trains and says the bytes of what it learnt.
struct subject {
    std::string name;
    std::function<std::string(const caramel::fit_options&)> learn;
    bool reports = false;  // to an observer
};

template <class M>
std::string bytes_of(const M& model) {
    const auto bytes = caramel::to_bytes(model);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
// What `make` makes, as bytes: only making it is attacked.
template <class Make>
std::string result_of(const Make& make) {
    const auto model = make();
    const faults::pause no_faults;
    return bytes_of(model);
}

}  // namespace faults_test

#endif
