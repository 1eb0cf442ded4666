/* What a program without exceptions sees of Caramel: plain C, with a status and a message. scorer.cpp, the one file that is
   compiled with exceptions, is behind it. */
#ifndef EXAMPLES_NO_EXCEPTIONS_SCORER_H
#define EXAMPLES_NO_EXCEPTIONS_SCORER_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct scorer scorer; /* a trained model; scoring may happen in several threads at once */

/* 0 is success; else the number of a caramel::errc, or one of these. */
enum { scorer_ok = 0, scorer_no_memory = 1000, scorer_failed = 1001 };

/* Learns from a CSV file; `*made` is for scorer_free. On failure `*made` is null and `message` says why (cut to `size`). */
int scorer_train(const char* csv, const char* target, const char* positive, scorer** made, char* message, size_t size);
/* Scores the rows of a CSV file: writes up to `most` probabilities and their number. */
int scorer_score(const scorer* with, const char* csv, float* out, size_t most, size_t* rows, char* message, size_t size);
void scorer_free(scorer* with);

#ifdef __cplusplus
}
#endif

#endif
