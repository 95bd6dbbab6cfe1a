/* SPDX-License-Identifier: BSD-3-Clause */
/* A bag of durations and their percentiles. Owned by a phase; room is fixed when it is made. */
#ifndef QUORATE_TESTS_BENCH_SAMPLES_H
#define QUORATE_TESTS_BENCH_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

struct samples {
    uint64_t *ns;
    size_t count;
    size_t capacity;
};

void samples_init(struct samples *samples, size_t capacity); /* exits without memory */
void samples_fini(struct samples *samples);
void samples_add(struct samples *samples, uint64_t ns); /* dropped when full */

/* The smallest sample that is not below `percent` (1..100) of them, in ms; 0 if there are none. Sorts the bag. */
double samples_percentile_ms(struct samples *samples, unsigned percent);

#endif
