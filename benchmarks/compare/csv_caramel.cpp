// Seconds of processor time to read a CSV file into a table, types inferred: the best of several readings, for csv.sh.
//
//   csv_caramel FILE [READINGS]
#include <algorithm>
#include <ctime>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include <caramel/data/csv.hpp>

int main(int argc, char** argv) try {
    if (argc < 2) return std::fputs("usage: csv_caramel FILE [READINGS]\n", stderr), 2;
    const int readings = argc > 2 ? std::atoi(argv[2]) : 5;
    double best = 1e9;
    std::size_t rows = 0, columns = 0;
    for (int i = 0; i < readings; ++i) {
        const std::clock_t start = std::clock();
        const caramel::table t = caramel::read_csv(argv[1]);
        best = std::min(best, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
        rows = t.rows();
        columns = t.columns();
    }
    std::printf("%zu %zu %.6f\n", rows, columns, best);
    return 0;
} catch (const std::exception& e) {
    std::fprintf(stderr, "csv_caramel: %s\n", e.what());
    return 1;
}
