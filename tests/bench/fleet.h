/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The simulated world of the load generator: two-node clusters, their devices, one epoll set. Made once by main, used by
 * the phases. Single-threaded. A device that is refused, cut off or out of protocol is counted as failed, for ever.
 *
 * It plays the packaged device in the default configuration but for the heartbeat interval, which is long, so that echoes
 * are sent when a phase wants them; devices that have been silent for a whole interval send one by themselves.
 */
#ifndef QUORATE_TESTS_BENCH_FLEET_H
#define QUORATE_TESTS_BENCH_FLEET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <openssl/ssl.h>

#include "common/buf.h"
#include "common/wire/framer.h"
#include "common/wire/wire.h"
#include "tests/bench/names.h"
#include "tests/bench/process_usage.h"

#define FLEET_NODES 2 /* of a cluster; node ids are 1 and 2 */

enum device_state {
    DEVICE_IDLE,
    DEVICE_CONNECTING, /* TCP */
    DEVICE_PREINIT,    /* PREINIT sent */
    DEVICE_HANDSHAKE,  /* TLS */
    DEVICE_INIT,       /* INIT sent */
    DEVICE_LISTS,      /* lists sent, waiting for the first ACK */
    DEVICE_READY,
    DEVICE_FAILED
};

struct cluster;

struct device {
    struct cluster *cluster;
    SSL *ssl; /* NULL before the handshake */
    int fd;
    enum device_state state;
    uint32_t node_id;
    struct wire_framer framer;
    uint32_t seq;
    uint32_t echo_seq;
    bool echo_pending;
    uint64_t sent_ns;         /* when the last message was sent */
    struct wire_ring_id ring; /* of the last membership reported */
    enum wire_vote vote;      /* ACK or NACK for that ring; undefined until the verdict */
    bool vote_confirmed;      /* VOTE_INFO_REPLY sent for that vote */
};

struct cluster {
    struct device nodes[FLEET_NODES];
    unsigned index;
    struct wire_tie_breaker tie_breaker;
    uint64_t ring_seq;
    bool split;
    uint64_t last_report_ns; /* when the last node reported the present membership */
    uint64_t decided_ns;     /* when the ACK that was due arrived (all of them, if not split); 0 until then */
};

struct fleet_options {
    uint16_t port;
    pid_t server_pid;
    unsigned cluster_count;
    const char *credentials; /* directory */
    uint32_t heartbeat_ms;
    unsigned window; /* devices connecting at a time */
    bool bare;       /* the server is bench-tls-reference: TLS at once, and echoes, nothing else */
};

struct fleet {
    struct fleet_options options;
    int epoll_fd;
    SSL_CTX *tls;
    EVP_PKEY *cluster_key;
    X509 **cluster_certs; /* one per cluster */
    struct cluster *clusters;
    unsigned device_count;
    unsigned started, ready, failed; /* devices, so far */
    unsigned echoes_answered;
    unsigned decided;         /* clusters, since a phase last set it to 0 */
    unsigned wrong_verdicts;  /* an ACK for the side that must lose */
    unsigned early_verdicts;  /* an ACK before the other side had confirmed its NACK */
    uint64_t echo_latency_ns; /* of the echo answered last */
    unsigned keepalive_next;  /* device to look at next */
    uint64_t keepalive_sent_ns;
    void (*on_echo)(struct fleet *fleet);
    /* Scratch memory, valid within one call. */
    struct q_buf out;
    struct wire_message message;
};

void fleet_init(struct fleet *fleet, const struct fleet_options *options); /* exits on errors */
void fleet_fini(struct fleet *fleet);

struct device *fleet_device(struct fleet *fleet,
                            unsigned index); /* 0 .. device_count-1, cluster by cluster */

/* Starts connecting the next devices, `window` at a time. */
void fleet_start_more(struct fleet *fleet);

/* Handles what has come in, waiting for up to timeout_ms for it. */
void fleet_pump(struct fleet *fleet, int timeout_ms);

/* Goes on until the server has been idle for a while (or for timeout_ms); then what it was given is all done. */
void fleet_settle(struct fleet *fleet, unsigned timeout_ms);

/* What the server has used so far. Exits if it has died: there is nothing left to measure. */
struct process_usage fleet_server_usage(const struct fleet *fleet);

#endif
