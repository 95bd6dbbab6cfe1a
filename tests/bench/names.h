/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the certificate maker and the load generator must agree on: how the clusters of a benchmark are called, and
 * how many there can be (each client has its own loopback address, made from the cluster's number in 16 bits).
 */
#ifndef QUORATE_TESTS_BENCH_NAMES_H
#define QUORATE_TESTS_BENCH_NAMES_H

#include <stdio.h>

#define BENCH_CLUSTERS_MAX 65536u
#define BENCH_NAME_SIZE 24

static inline void bench_cluster_name(unsigned index, char name[BENCH_NAME_SIZE])
{
    snprintf(name, BENCH_NAME_SIZE, "bench-%05u", index);
}

#endif
