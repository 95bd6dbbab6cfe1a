/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tells when the machine, or its programs of ordinary priority, stood still. The lab starts one per scenario and puts
 * what it says into the story; a scenario that failed while nothing could run says nothing about our programs (stalls.py).
 *
 * Two threads sleep a little, over and over, and say so when a sleep took far too long. One has the ordinary priority of
 * most programs under test; the other has a deadline, which the kernel puts above every real-time priority, so that it is
 * late only when the whole machine was stopped. (The highest real-time priority is that of the cores under test: a core
 * that spins would look like a machine that stands still.) Without the right to a deadline there is no such witness.
 *
 * Lines: "<ns> <machine|programs> <ms> <used_ms>", the time being that of the monotonic clock at the end of the stall.
 * used_ms is the processor time of all programs of this lab since shortly before a stall of programs: who takes the processors
 * from them may be a program of ours that spins.
 */
#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SLEEP_NS 20000000L
#define FAR_TOO_LONG_NS 120000000U
/* Of a processor, in each of its sleeps: far more than it needs, and little enough for many witnesses. */
#define RUN_NS 400000U

/* Sleeps between two looks at the processor time. */
#define LOOK_EVERY 10

#define POLICY_DEADLINE 6 /* of sched_setattr(2), for which Debian 12 has neither a function nor a usable header */

struct sched_attributes {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns;
    uint64_t deadline_ns;
    uint64_t period_ns;
};

static uint64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

/* Of one process; 0 if it has ended. */
static uint64_t used_by_ms(const char *pid)
{
    char path[300], line[1024] = "";
    unsigned long user = 0, system = 0;
    const char *rest;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%s/stat", pid);
    file = fopen(path, "re");
    if (file == NULL) {
        return 0;
    }
    rest = fgets(line, sizeof(line), file) != NULL ? strrchr(line, ')') : NULL;
    if (rest == NULL || sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2) {
        user = system = 0;
    }
    fclose(file);
    return (uint64_t)(user + system) * 1000U / (uint64_t)sysconf(_SC_CLK_TCK);
}

/* Of all processes that are left: the lab has process ids of its own. */
static uint64_t used_ms(void)
{
    uint64_t sum = 0;
    const struct dirent *entry;
    DIR *all = opendir("/proc");

    while (all != NULL && (entry = readdir(all)) != NULL) {
        if (isdigit((unsigned char)entry->d_name[0])) {
            sum += used_by_ms(entry->d_name);
        }
    }
    if (all != NULL) {
        closedir(all);
    }
    return sum;
}

static void tell(uint64_t end_ns, const char *who, uint64_t late_ns, uint64_t used)
{
    printf("%" PRIu64 " %s %" PRIu64 " %" PRIu64 "\n", end_ns, who, late_ns / 1000000U, used);
    if (fflush(stdout) != 0) {
        exit(1);
    }
}

/* How long a sleep took, if far too long; else 0. */
static uint64_t late_ns(uint64_t *end_ns)
{
    const struct timespec pause = {.tv_nsec = SLEEP_NS};
    uint64_t start_ns = now_ns();

    nanosleep(&pause, NULL);
    *end_ns = now_ns();
    return *end_ns - start_ns > FAR_TOO_LONG_NS ? *end_ns - start_ns : 0;
}

static void witness_of_programs(void)
{
    uint64_t before_ms = used_ms(), end_ns;

    for (unsigned sleeps = 1;; sleeps++) {
        uint64_t late = late_ns(&end_ns);

        if (late > 0 || sleeps % LOOK_EVERY == 0) {
            uint64_t after_ms = used_ms();

            if (late > 0) {
                tell(end_ns, "programs", late, after_ms > before_ms ? after_ms - before_ms : 0);
            }
            before_ms = after_ms;
        }
    }
}

static void *witness_of_machine(void *context)
{
    struct sched_attributes deadline = {.size = sizeof(deadline),
                                        .policy = POLICY_DEADLINE,
                                        .runtime_ns = RUN_NS,
                                        .deadline_ns = SLEEP_NS,
                                        .period_ns = SLEEP_NS};
    uint64_t end_ns;

    (void)context;
    if (syscall(SYS_sched_setattr, 0, &deadline, 0) != 0) {
        return NULL;
    }
    for (;;) {
        uint64_t late = late_ns(&end_ns);

        if (late > 0) {
            tell(end_ns, "machine", late, 0);
        }
    }
}

int main(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, witness_of_machine, NULL) != 0) {
        return 1;
    }
    witness_of_programs();
}
