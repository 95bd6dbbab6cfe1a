/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/samples.h"

#include <stdio.h>
#include <stdlib.h>

void samples_init(struct samples *samples, size_t capacity)
{
    samples->ns = calloc(capacity ? capacity : 1, sizeof(*samples->ns));
    samples->count = 0;
    samples->capacity = capacity;
    if (samples->ns == NULL) {
        fprintf(stderr, "bench-load: out of memory\n");
        exit(1);
    }
}

void samples_fini(struct samples *samples)
{
    free(samples->ns);
    samples->ns = NULL;
}

void samples_add(struct samples *samples, uint64_t ns)
{
    if (samples->count < samples->capacity)
        samples->ns[samples->count++] = ns;
}

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return (left > right) - (left < right);
}

double samples_percentile_ms(struct samples *samples, unsigned percent)
{
    if (samples->count == 0)
        return 0;
    qsort(samples->ns, samples->count, sizeof(*samples->ns), compare);
    size_t rank = (samples->count * percent + 99) / 100;
    return (double)samples->ns[rank - 1] / 1e6;
}
