/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tells when the machine, or its programs of ordinary priority, stood still. The lab starts one per scenario and puts
 * what it says into the story; a scenario that failed while nothing could run says nothing about our programs (stalls.py).
 *
 * Two threads sleep a little, over and over, and say so when a sleep took far too long. One has the ordinary priority of
 * most programs under test; the other a real-time priority above everything in the lab, so that it is late only when
 * the whole machine was stopped.
 *
 * Lines: "<ns> <machine|programs> <ms>", the time being that of the monotonic clock at the end of the stall.
 */
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SLEEP_NS 20000000L
#define FAR_TOO_LONG_NS 120000000U

static uint64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

static void *witness(void *who)
{
    const struct timespec pause = {.tv_nsec = SLEEP_NS};

    for (;;) {
        uint64_t start = now_ns(), end;

        nanosleep(&pause, NULL);
        end = now_ns();
        if (end - start > FAR_TOO_LONG_NS) {
            printf("%" PRIu64 " %s %" PRIu64 "\n", end, (const char *)who, (end - start) / 1000000U);
            if (fflush(stdout) != 0) {
                exit(1);
            }
        }
    }
    return NULL;
}

static void *witness_of_machine(void *who)
{
    struct sched_param highest = {.sched_priority = sched_get_priority_max(SCHED_FIFO)};

    if (pthread_setschedparam(pthread_self(), SCHED_FIFO, &highest) != 0) {
        return NULL;
    }
    return witness(who);
}

int main(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, witness_of_machine, "machine") != 0) {
        return 1;
    }
    witness("programs");
    return 1;
}
