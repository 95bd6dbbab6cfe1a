/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How much of the arbiter's enrolment somebody may take up: connections at once, connections per time, wrong codes,
 * renewals per cluster.
 * Pure, of fixed size, constant work per call. Counted by origin (an IPv4 address or an IPv6 network of 64 bits) in two rows
 * of buckets, as in a count-min sketch (Cormode and Muthukrishnan 2005): many origins share a bucket of a row, others one of
 * the other row, and somebody has taken up only what both of his buckets say. The caller's secret seed chooses them, so
 * that nobody can aim at somebody else's; by chance one stranger in a million shares both of another one's.
 * Embedded in the enrolment program.
 *
 * A wrong code is one that the arbiter refused after the handshake. From the sixth on its origin is refused before
 * any cryptography, for ten seconds, then twenty, up to five minutes; ten quiet minutes are forgiven.
 */
#ifndef QUORATE_CERTS_LOGIC_ENROL_GUARD_H
#define QUORATE_CERTS_LOGIC_ENROL_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#define ENROL_GUARD_ROWS 2
#define ENROL_GUARD_BUCKETS 1024 /* of a row */
#define ENROL_GUARD_OPEN_MAX 6        /* connections at once */
#define ENROL_GUARD_BURST 30          /* connections in a row */
#define ENROL_GUARD_REFILL_MS 500     /* then one more each */
#define ENROL_GUARD_WRONG_FREE 5      /* wrong codes that are nobody's fault */
#define ENROL_GUARD_BLOCK_MS 10000    /* after the next one */
#define ENROL_GUARD_BLOCK_MAX_MS 300000
#define ENROL_GUARD_FORGIVE_MS 600000 /* without another one */

struct enrol_guard_bucket {
    uint32_t open;
    uint32_t spent;       /* of the burst */
    uint64_t refilled_ms;
    uint32_t wrong;
    uint64_t wrong_ms; /* the newest */
    uint64_t blocked_until_ms;
};

/* Renewals of one cluster: so many, then one more each. A node needs one in years. */
#define ENROL_GUARD_RENEWAL_BUCKETS 256
#define ENROL_GUARD_RENEWAL_BURST 64
#define ENROL_GUARD_RENEWAL_REFILL_MS 600000

struct enrol_guard_renewals {
    uint32_t spent;
    uint64_t refilled_ms;
};

struct enrol_guard {
    uint32_t seed;
    struct enrol_guard_bucket buckets[ENROL_GUARD_ROWS][ENROL_GUARD_BUCKETS];
    struct enrol_guard_renewals renewals[ENROL_GUARD_RENEWAL_BUCKETS];
};

enum enrol_guard_answer { ENROL_GUARD_ADMITTED, ENROL_GUARD_TOO_MANY, ENROL_GUARD_TOO_FAST, ENROL_GUARD_BLOCKED };

/* All zero but for the seed, which nobody outside may know. */
void enrol_guard_init(struct enrol_guard *guard, uint32_t seed);

/* A connection from there, at now_ms (monotonic). An admitted one is to be given back by enrol_guard_ended. */
enum enrol_guard_answer enrol_guard_admit(struct enrol_guard *guard, uint32_t origin, uint64_t now_ms);
void enrol_guard_ended(struct enrol_guard *guard, uint32_t origin);

/* Whether a node of that cluster may renew now: members are trusted with their certificate, not with the arbiter's disk. */
bool enrol_guard_renew(struct enrol_guard *guard, const char *cluster, uint64_t now_ms);

/* Somebody there showed a wrong code. Returns for how long its origin is refused from now on, in ms; 0: it is not. */
uint64_t enrol_guard_wrong(struct enrol_guard *guard, uint32_t origin, uint64_t now_ms);

#endif
