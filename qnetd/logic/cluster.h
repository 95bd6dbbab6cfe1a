/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One cluster as the arbiter knows it: its members (connected clients, and ghosts of clients that vanished
 * holding a vote), what they reported, and what was granted to whom. Owned by the arbiter; created at the first
 * INIT or from a grant record, freed when the last client has left and the last ghost has ended. The shell
 * reads these structs for status and never writes them. Nobody outside qnetd/logic may keep a pointer across
 * a step.
 */
#ifndef QUORATE_QNETD_LOGIC_CLUSTER_H
#define QUORATE_QNETD_LOGIC_CLUSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/cluster_identity.h"
#include "common/deadline_heap.h"
#include "common/node_set.h"
#include "common/wire/wire.h"
#include "qnetd/logic/verdict.h"

/* Whether a node may be casting an ACK of ours. */
enum grant_state {
    GRANT_NONE,  /* it certainly is not */
    GRANT_HELD,  /* connected; an ACK is in force, or its revocation is not confirmed yet */
    GRANT_GHOST  /* its connection is gone; the ACK may be in force until ghost_until_ms */
};

struct member {
    struct member *next; /* ascending node id */
    uint32_t node_id;

    /* The connection, meaningful while conn != 0. */
    uint64_t conn;
    char peer[64];               /* printable address */
    bool tls_active;
    bool tls_cert_verified;
    uint32_t heartbeat_ms;       /* H in force */
    uint32_t heartbeat_ms_longest; /* the longest H announced on this connection: bounds the lease */
    bool has_lease;              /* a device of ours: it stated its bounds */
    struct wire_lease lease;
    bool has_instance;           /* and which process it is */
    uint64_t instance;
    uint64_t heard_ms;           /* last complete message */
    uint64_t joined_ms;

    /* What it reported since its INIT. */
    bool keep_active_partition;
    bool has_config;
    bool has_config_version;
    uint64_t config_version;
    struct node_set config;
    struct wire_node_info *config_nodes; /* as sent: order and data centres, for status */
    uint32_t config_node_count;
    bool has_membership;
    struct node_set membership; /* as reported; always contains the node */
    struct wire_ring_id ring;   /* of INIT, then of the latest membership list */
    enum wire_heuristics heuristics;            /* latest of either kind: what decisions use */
    enum wire_heuristics heuristics_membership;
    enum wire_heuristics heuristics_regular;
    bool has_quorum;            /* a quorum list came */
    bool quorate;               /* as it said */

    /* Votes. */
    enum grant_state grant;
    uint64_t ghost_until_ms;        /* GRANT_GHOST */
    uint32_t ghost_lease_ms;        /* the whole lease the ghost was given, for the record */
    uint32_t recorded_lease_ms;     /* in the grant record on disk; 0: not named there */
    bool restored;                  /* this ghost was read from a grant record */
    uint32_t vote_seq;              /* of the newest VOTE_INFO */
    bool vote_unconfirmed;          /* the newest VOTE_INFO awaits its confirmation */
    uint64_t vote_sent_ms;
    enum wire_vote verdict;         /* newest ACK or NACK sent on this connection, else WIRE_VOTE_UNDEFINED */
    struct wire_ring_id verdict_ring;
    bool lingers;                   /* it has confirmed NACK and has not said yet that it is not quorate any more */
    uint64_t lingers_until_ms;      /* it need not be waited for any longer then */
    bool relapsed;                  /* it said it was quorate after it had confirmed NACK for this ring */
    bool awaits_vote;               /* it reported a membership that no verdict has answered yet */
    enum wire_vote last_vote;       /* in any message, for status; WIRE_VOTE_UNDEFINED: none yet */
};

enum cluster_phase {
    CLUSTER_EMPTY,      /* nobody reports */
    CLUSTER_UNSTABLE,   /* reports contradict each other; bounded wait until unstable_until_ms */
    CLUSTER_WAITING,    /* decided; losers must confirm or their leases end before winners are told */
    CLUSTER_PERSISTING, /* decided; the grant is being recorded */
    CLUSTER_SETTLED     /* every reporting client has its verdict */
};

struct cluster {
    struct cluster *next; /* in order of appearance */
    struct cluster *previous;
    uint64_t id; /* never reused */
    struct wire_bytes name;
    char label[96]; /* the name made printable, for logs */
    bool cert_exact;       /* a certificate that spells the name in this way has been seen */
    struct cluster_identity identity; /* to which the name is bound as long as this lives; none: to nobody yet */
    uint32_t *origin_count; /* of the clusters opened without a certificate from the same place; NULL: not so opened */

    enum wire_algorithm algorithm;
    struct wire_tie_breaker tie_breaker;
    struct member *members; /* connected clients and ghosts, ascending node id */
    uint32_t connected_count;
    uint32_t ghost_count;

    enum cluster_phase phase;
    uint64_t unstable_until_ms;  /* reports contradict each other: from then on decided nevertheless; else ARBITER_NEVER */
    uint64_t waiting_until_ms;   /* CLUSTER_WAITING: latest end of what is waited for; ARBITER_NEVER if unknown */
    struct node_set winner;      /* membership of the winning partition; empty: nobody */
    struct wire_ring_id winner_ring;
    struct node_set config;      /* the configured nodes the verdict was reached by */
    struct node_set granted_config; /* and those by which ACKs last went out; empty: not known */
    struct node_set accounted;   /* nodes whose votes from before the start are known, since all of them reported at once */
    struct node_set granted;     /* the partition to which ACKs last went out (keep-active-partition) */
    bool granted_exclusive;      /* that grant excluded all others (not a harmless strict majority) */
    struct verdict verdict;      /* why */
    bool waited;                 /* the present verdict had to wait for a lease: its delivery is worth a line */
    char waiting_for[VERDICT_REASON_SIZE]; /* for whom or what, in words; "": nothing, or only the record being written */
    uint64_t decided_ms;         /* when the verdict was reached */

    /* What the grant record on disk says, as far as it matters; also member.recorded_lease_ms. */
    bool recorded;
    struct node_set recorded_active;
    struct node_set recorded_config;
    struct cluster_identity recorded_identity;
    uint64_t persist_generation; /* of the newest PERSIST */
    uint64_t persist_retry_ms;   /* a failed PERSIST is tried again then */
    bool persist_in_flight;      /* it was emitted and not answered; what it says is in the fields above */
    bool persist_due;            /* in the arbiter's list of PERSIST actions that end this step */
    struct cluster *next_persist;

    bool warned_odd; /* said once: an odd number of nodes under ffsplit */
    bool warned_tie_breaker; /* said once: the tie-breaker is not a configured node */

    struct deadline deadline; /* in the arbiter's heap */
};

/* Takes part in decisions: connected, and has sent what its algorithm needs since INIT. */
bool member_is_reporting(const struct cluster *cluster, const struct member *member);

struct member *cluster_find_member(const struct cluster *cluster, uint32_t node_id);

#endif
