/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What another process has used, by the operating system's accounting: CPU time of all its threads, user and kernel
 * together, and resident memory. Called by the load generator before and after each phase.
 */
#ifndef QUORATE_TESTS_BENCH_PROCESS_USAGE_H
#define QUORATE_TESTS_BENCH_PROCESS_USAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct process_usage {
    uint64_t cpu_ns;         /* since the process started */
    uint64_t resident_bytes; /* now */
};

/* False if the process has gone. */
bool process_usage_read(pid_t pid, struct process_usage *usage);

/* Monotonic time in ns. */
uint64_t bench_now_ns(void);

#endif
