// A program built with -fno-exceptions -fno-rtti that uses Caramel all the same: by scorer.h, behind which one file is compiled
// with exceptions.
//
//   no_exceptions [FILE.csv TARGET POSITIVE]     without arguments: examples/customers.csv of the source tree
//
// With what scripts/demo.sh gets (docs/hosts.md):
//   cmake --build build/release --target no_exceptions && build/release/examples/hosts/no_exceptions
#include <cstddef>
#include <cstdio>
#include <cstring>

#include "scorer.h"

#if defined(__cpp_exceptions) || defined(__EXCEPTIONS)
#error "this file is meant to be compiled with -fno-exceptions"
#endif

int main(int argc, char** argv) {
    if (argc != 1 && argc != 4) {
        std::printf("usage: no_exceptions [FILE.csv TARGET POSITIVE]\nLearns from a CSV file, and scores its rows.\n");
        return argc == 2 && std::strcmp(argv[1], "--help") == 0 ? 0 : 2;
    }
    const char* const csv = argc == 4 ? argv[1] : EXAMPLE_CSV;
    char message[256];
    scorer* model = nullptr;
    int status = scorer_train(csv, argc == 4 ? argv[2] : "left", argc == 4 ? argv[3] : "yes", &model, message, sizeof message);
    float risks[5];
    std::size_t rows = 0;
    if (status == scorer_ok) status = scorer_score(model, csv, risks, 5, &rows, message, sizeof message);
    if (status != scorer_ok) {
        std::fprintf(stderr, "no_exceptions: %s (status %d)\n", message, status);
    } else {
        std::printf("%zu rows; the first probabilities:", rows);
        for (std::size_t i = 0; i < rows && i < 5; ++i) std::printf(" %.3f", static_cast<double>(risks[i]));
        std::printf("\n");
    }
    scorer_free(model);
    return status == scorer_ok ? 0 : 1;
}
