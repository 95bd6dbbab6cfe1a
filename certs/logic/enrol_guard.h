/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How much of the arbiter's enrolment somebody may take up: connections at once, connections per time, wrong codes,
 * renewals per cluster, questions per certificate.
 * Pure, of fixed size, constant work per call. Counted in two rows of buckets, as in a count-min sketch (Cormode and
 * Muthukrishnan 2005): many share a bucket of a row, others one of the other row, and somebody has taken up only what both of
 * his buckets say. The caller's secret seed chooses them, so that nobody can aim at somebody else's; by chance one stranger in
 * a million shares both of another one's.
 * Embedded in the enrolment program.
 *
 * Connections are counted by address, which for IPv6 is a network of 64 bits, and IPv6 also by site, a network of 48 bits with
 * 65,536 such addresses. Whoever has a site has what a few addresses may have; what is refused for its site costs its address
 * nothing, so no site fills the table of addresses.
 *
 * A wrong code is one that the arbiter refused after the handshake. From the sixth on its address is refused before
 * any cryptography, for ten seconds, then twenty, up to five minutes; ten quiet minutes are forgiven. A site is refused while it
 * has used up its wrong codes, of which a single address, slowed down so, leaves nearly all to its neighbours.
 */
#ifndef QUORATE_CERTS_LOGIC_ENROL_GUARD_H
#define QUORATE_CERTS_LOGIC_ENROL_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#define ENROL_GUARD_ROWS 2
#define ENROL_GUARD_BUCKETS 1024 /* of a row */

/* Of an address. */
#define ENROL_GUARD_OPEN_MAX 6        /* connections at once */
#define ENROL_GUARD_BURST 30          /* connections in a row */
#define ENROL_GUARD_REFILL_MS 500     /* then one more each */
#define ENROL_GUARD_WRONG_FREE 5      /* wrong codes that are nobody's fault */
#define ENROL_GUARD_BLOCK_MS 10000    /* after the next one */
#define ENROL_GUARD_BLOCK_MAX_MS 300000
#define ENROL_GUARD_FORGIVE_MS 600000 /* without another one */

/* Of a site. */
#define ENROL_GUARD_SITE_OPEN_MAX 16 /* connections at once: half of the enrolment program's places */
#define ENROL_GUARD_SITE_BURST 120
#define ENROL_GUARD_SITE_REFILL_MS 125
#define ENROL_GUARD_SITE_WRONG_BURST 60
#define ENROL_GUARD_SITE_WRONG_REFILL_MS 30000

/* Renewals of one cluster: so many, then one more each. A node needs one in years. */
#define ENROL_GUARD_RENEWAL_BURST 64
#define ENROL_GUARD_RENEWAL_REFILL_MS 600000

/* Questions with one certificate, which in the packaged flow all nodes of a cluster have; without one, from one address. */
#define ENROL_GUARD_ASK_BURST 64
#define ENROL_GUARD_ASK_REFILL_MS 1000

/* What has been taken of a budget. */
struct enrol_guard_tally {
    uint32_t spent;
    uint64_t refilled_ms;
};

/* Tallies of one kind, two for each who takes. */
struct enrol_guard_tallies {
    struct enrol_guard_tally at[ENROL_GUARD_ROWS][ENROL_GUARD_BUCKETS];
};

struct enrol_guard_bucket {
    uint32_t open;
    uint32_t wrong;
    uint64_t wrong_ms; /* the newest */
    uint64_t blocked_until_ms;
};

struct enrol_guard {
    uint32_t seed;
    struct enrol_guard_bucket addresses[ENROL_GUARD_ROWS][ENROL_GUARD_BUCKETS];
    uint32_t site_open[ENROL_GUARD_ROWS][ENROL_GUARD_BUCKETS];
    struct enrol_guard_tallies connections, site_connections, site_wrong, renewals, questions;
};

/* Where a connection comes from, as hashes that depend on the seed. */
struct enrol_guard_origin {
    uint32_t address;
    uint32_t site; /* 0: it belongs to none (IPv4) */
};

enum enrol_guard_answer { ENROL_GUARD_ADMITTED, ENROL_GUARD_TOO_MANY, ENROL_GUARD_TOO_FAST, ENROL_GUARD_BLOCKED };

/* All zero but for the seed, which nobody outside may know. */
void enrol_guard_init(struct enrol_guard *guard, uint32_t seed);

/* Of an IPv6 address; ::ffff:a.b.c.d is an IPv4 one. */
struct enrol_guard_origin enrol_guard_origin(const struct enrol_guard *guard, const uint8_t address[16]);

/* A connection from there, at now_ms (monotonic). An admitted one is to be given back by enrol_guard_ended. */
enum enrol_guard_answer enrol_guard_admit(struct enrol_guard *guard, const struct enrol_guard_origin *from, uint64_t now_ms);
void enrol_guard_ended(struct enrol_guard *guard, const struct enrol_guard_origin *from);

/* Whether a node of that cluster may renew now: members are trusted with their certificate, not with the arbiter's disk. */
bool enrol_guard_renew(struct enrol_guard *guard, const char *cluster, uint64_t now_ms);

/*
 * Whether a question may be answered with more than the time: it costs whoever asks, by his certificate (NULL: he shows none, and
 * it costs his address), and nobody else.
 */
bool enrol_guard_ask(struct enrol_guard *guard, const char *certificate, const struct enrol_guard_origin *from,
                     uint64_t now_ms);

/* Somebody there showed a wrong code. Returns for how long its address is refused from now on, in ms; 0: it is not. */
uint64_t enrol_guard_wrong(struct enrol_guard *guard, const struct enrol_guard_origin *from, uint64_t now_ms);

#endif
