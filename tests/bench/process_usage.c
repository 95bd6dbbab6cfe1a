/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/process_usage.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S UINT64_C(1000000000)

static uint64_t to_ns(struct timespec time)
{
    return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
}

static bool read_resident(pid_t pid, uint64_t *bytes)
{
    char path[64];
    unsigned long total, resident;

    snprintf(path, sizeof(path), "/proc/%ld/statm", (long)pid);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    bool good = fscanf(file, "%lu %lu", &total, &resident) == 2;
    fclose(file);
    if (good)
        *bytes = (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
    return good;
}

bool process_usage_read(pid_t pid, struct process_usage *usage)
{
    clockid_t clock;
    struct timespec time;

    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0)
        return false;
    usage->cpu_ns = to_ns(time);
    return read_resident(pid, &usage->resident_bytes);
}

uint64_t bench_now_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return to_ns(time);
}
