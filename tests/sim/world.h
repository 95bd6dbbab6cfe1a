/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One simulated world: clusters of nodes, the network between them and one arbiter, virtual time. The map of
 * the simulator: every model works on these structs. A world belongs to one run; nothing here is global, so
 * runs cannot influence one another. Models: network.h (streams), core.h (memberships and quorum on a node),
 * node.h (processes), device.h (what sits between votequorum and the arbiter), arbiter_host.h
 * (the arbiter and its disk), check.h (what must never happen), scenario.h and canon.h (what does happen).
 */
#ifndef QUORATE_TESTS_SIM_WORLD_H
#define QUORATE_TESTS_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire/framer.h"
#include "common/wire/wire.h"
#include "qdevice/logic/voting.h"
#include "qnetd/logic/arbiter.h"
#include "tests/sim/prng.h"
#include "tests/sim/schedule.h"

#define SIM_CLUSTERS_MAX 6
#define SIM_NODES_MAX 8
#define SIM_FAILURE_SIZE 768
#define SIM_SLOTS_MAX 256 /* connections the arbiter may have at one time */

struct world;
struct sim_cluster;
struct node;
struct conn;
struct device_ops;
struct core_ops;
struct lan_datagram;
struct stack_host;
struct synchrony_log;

typedef uint32_t node_mask; /* bit i: nodes[i] of the cluster */

/* ---- the network --------------------------------------------------------------------------------------- */

struct network_profile {
    uint32_t delay_ms;        /* least time on the way */
    uint32_t jitter_ms;       /* up to so much more */
    uint32_t split_permille;  /* how often a send arrives in several pieces */
    uint32_t linger_permille; /* how often a piece comes late, holding up what is behind it */
};

struct chunk;

struct pipe {
    struct chunk *head;
    struct chunk *tail;
    uint64_t last_ms; /* arrival of the newest: streams keep their order */
    uint32_t count;
    bool queued; /* an occurrence for the head is scheduled */
};

/* One TCP connection. The two ends live and die separately. */
struct conn {
    struct conn *next; /* all of the run, for the end */
    struct node *node;
    struct pipe to_arbiter;
    struct pipe to_device;
    bool device_open;
    bool arbiter_open;
    bool accepted;
    bool arbiter_end_lost; /* the arbiter's host went down under it: bytes sent there bring a reset once it is
                              back */
    bool device_end_lost;
    bool device_handshake;  /* the device's end has said hello */
    bool arbiter_handshake; /* START_TLS was carried out */
    bool hello_seen;
    bool tls; /* established, seen from the arbiter */
    uint64_t arbiter_id;
    struct wire_ring_id init_ring;
    struct wire_lease stated; /* by a device of ours */
    uint64_t heard_ms;        /* last complete message the arbiter took from it */
    uint32_t device_epoch;    /* the process it belongs to */
    struct wire_framer arbiter_framer;
    struct wire_framer device_framer;
};

/* ---- a node -------------------------------------------------------------------------------------------- */

enum ring_state {
    RING_DOWN,       /* the node is not there */
    RING_GATHER,     /* looking for its peers; the old ring delivers nothing any more */
    RING_SYNC,       /* a ring is installed, services synchronise; votequorum may hold this up */
    RING_OPERATIONAL /* serving */
};

/* What either core (core.h) shows of votequorum. */
struct quorum_view {
    bool quorate;      /* as told last; frozen outside of RING_OPERATIONAL */
    uint32_t quorum;
    bool cast;         /* the device's vote, as it was taken last */
    bool sync_waiting; /* the synchronisation waits for the device's vote on the new ring */
    bool relapsed;     /* the modelled core: a withdrawn vote has come back, until the next poll (docs/observed.md) */
};

/* Of the modelled core alone (model_totem.h, model_votequorum.h). */
struct model_core {
    uint64_t ring_seq;    /* highest seen, survives a restart */
    uint64_t pending_seq; /* ring about to be installed */
    uint64_t gather_ms;   /* since when in RING_GATHER */
    bool registered;
    bool alive;
    bool flag_queued; /* a changed flag was broadcast into a ring that delivers nothing; it arrives in the
                         next one */
    bool queued_cast;
    bool reloaded;     /* the configuration has changed, and not everybody in the ring had read it so far */
    uint32_t expected; /* own expected votes */
    struct timer timer;
};

/* What the arbiter must assume about the vote of one node, kept from the messages alone (check.h). */
struct ledger {
    bool held;                   /* an ACK may be in force */
    const struct conn *conn;     /* the connection it was sent on */
    bool gone;                   /* that connection has ended for the arbiter */
    uint64_t end_ms;             /* when its end was seen; 0: it was the arbiter that gave up */
    const struct conn *now_conn; /* the present connection */
    uint32_t vote_seq;           /* of the newest VOTE_INFO on it */
    enum wire_vote vote;         /* that VOTE_INFO's vote */
    bool revoking;               /* it is a NACK sent after the ACK */
    bool reported;               /* a membership list came on the present connection */
    bool configured;             /* a configuration list came */
    enum wire_vote verdict;      /* the newest ACK or NACK pushed, and for which ring */
    struct wire_ring_id verdict_ring;
    node_mask membership;            /* the last one */
    struct wire_ring_id ring;        /* the one a vote must name */
    node_mask config;                /* the last configuration list */
    enum wire_heuristics heuristics; /* as reported last */
    bool quorate;                    /* as its quorum list said last on the present connection */
    uint64_t stuck_until_ms; /* its NACK is confirmed, but it has not said yet that it is not quorate any more; 0: no */
    bool goodbye;            /* it has left so: nothing but stuck_until_ms counts any more */
};

struct node {
    struct world *world;
    struct sim_cluster *cluster;
    unsigned index;
    uint32_t id;
    int32_t drift_ppm; /* its clock against the arbiter's */
    bool up;
    bool paused; /* the whole machine stands still */
    uint64_t resume_ms;
    uint64_t away_until_ms; /* after a crash: not back before its peers' token timers have run out */
    unsigned color;         /* nodes of one colour reach each other */
    bool path_to_arbiter;
    bool path_to_device;
    uint64_t path_down_ms; /* since when a direction is down */
    node_mask config;      /* as the node has read it */
    uint32_t boot;         /* which life of the node */

    enum ring_state ring_state;
    node_mask members;
    struct wire_ring_id ring; /* of the newest installed ring */
    bool first_ring;          /* has had a ring since it booted */
    struct quorum_view view;
    struct model_core model;
    struct stack_host *host; /* of the real core (core_stack.c); NULL: it has never run */
    uint64_t frozen_since_ms; /* beside another quorate half (check.h); 0: not so */

    /* The voter of our agent, and an older one that its agent has left behind (voter.h). */
    struct voter_host {
        struct node *node;
        bool alive;
        struct voting voting;
        struct timer timer;
    } voters[2];
    unsigned voter_index;

    /* The device. */
    const struct device_ops *ops;
    void *device;       /* NULL: no process */
    bool device_wanted; /* somebody restarts it when it dies */
    bool device_paused;
    uint64_t device_resume_ms;
    uint32_t device_epoch;
    struct timer device_timer;
    struct conn *conn; /* of the device, open or being opened */
    bool connect_held; /* its connection requests wait to be released (orders of return) */
    bool tainted;      /* its vote has outlived what the packaged device promises; see check.h */

    /* Heuristics. */
    enum wire_heuristics heuristics; /* what a run finds now */
    uint32_t heuristics_run;

    struct ledger ledger;
};

/* What corosync.conf says, the same on all nodes of a cluster unless said otherwise. */
struct cluster_settings {
    enum wire_algorithm algorithm;
    struct wire_tie_breaker tie_breaker;
    uint32_t timeout_ms;      /* quorum.device.timeout, T */
    bool timeout_unset;       /* T is 10 s because nobody has set it: devices of ours then have a shorter H */
    uint32_t sync_timeout_ms; /* quorum.device.sync_timeout, S */
    uint32_t heartbeat_ms;    /* H = 0.8 T within 1000 .. 120000; see device_heartbeat_ms */
    uint32_t token_ms;
    uint32_t consensus_ms;
    bool tls;
    bool heuristics_on; /* mode on: regular runs too */
    bool heuristics_used;
    uint32_t heuristics_interval_ms;
    node_mask keep_active;   /* nodes with keep_active_partition_tie_breaker on */
    struct wire_lease lease; /* devices of ours */
    uint32_t echo_ms;        /* theirs */
};

/* Between real cores (lan.h). */
struct lan {
    uint32_t loss_permille;
    uint32_t duplicate_permille;
    uint32_t late_permille; /* so many take up to late_ms_max, the others 0 or 1 ms */
    uint32_t late_ms_max;
    node_mask cut[SIM_NODES_MAX]; /* by sender: who does not hear it */
    uint32_t idle_visits;         /* of the token, before it is held; 0: the default */
};

struct sim_cluster {
    struct world *world;
    unsigned index;
    char name[16];
    struct cluster_settings settings;
    const struct core_ops *core;
    unsigned node_count; /* that exist, configured or not */
    struct node nodes[SIM_NODES_MAX];
    node_mask config; /* what all nodes are to read */
    bool dirty;       /* something the safety checker looks at has changed */
    struct lan lan;
    node_mask client_nodes; /* those with a client of process groups, if they run the real core */
    bool reformed;          /* real cores were one ring when it was looked at last */
    uint64_t topology_ms; /* when nodes of real cores came, went, paused or could reach others than before, last */
    struct synchrony_log *logs;
    uint64_t
        contradiction_ms; /* since when the reports at the arbiter contradict each other; 0: they do not */
};

/* ---- the arbiter's side -------------------------------------------------------------------------------- */

enum arbiter_crash { CRASH_PROCESS, CRASH_HOST };

struct arbiter_host {
    struct arbiter *arbiter; /* NULL: not running */
    struct arbiter_settings settings;
    struct arbiter_actions actions;
    struct timer timer;
    bool host_up;
    bool paused;
    uint64_t resume_ms;
    uint32_t life;            /* which incarnation */
    uint64_t clock_offset_ms; /* its clock starts anew each time */
    uint64_t generation;      /* of connections */
    struct conn *slots[SIM_SLOTS_MAX];

    /* The disk. */
    bool disk_complete; /* the state directory is there and whole */
    bool disk_volatile; /* in this life something was granted that is not on the disk */
    uint8_t *records[SIM_CLUSTERS_MAX];
    size_t record_sizes[SIM_CLUSTERS_MAX];

    /* How it fares. */
    uint32_t persist_ms_max;        /* a write takes 0 .. so long */
    uint32_t persist_fail_permille; /* PERSIST_FAILED */
    uint32_t persist_volatile_permille;
    uint64_t points;         /* instants at which it could die, counted */
    uint64_t crash_at_point; /* 0: never */
    enum arbiter_crash crash_kind;
    uint32_t restart_ms; /* how long it stays dead */
    uint64_t started_ms;
    unsigned crashes;
};

/* Which membership cores the clusters of a random life have. */
enum sim_cores { CORES_BY_SEED, CORES_MODELLED, CORES_REAL };

/* ---- the world ----------------------------------------------------------------------------------------- */

struct world {
    uint64_t seed;
    uint64_t now_ms;
    struct schedule schedule;
    struct prng prng;
    uint64_t hash;
    uint64_t events;
    struct network_profile network;
    struct conn *conns;
    struct lan_datagram *datagrams; /* under way */
    void (*receive)(struct node *node, struct lan_datagram *datagram);
    struct sim_cluster clusters[SIM_CLUSTERS_MAX];
    unsigned cluster_count;
    struct arbiter_host host;
    struct wire_message in;  /* decoding */
    struct wire_message out; /* encoding */
    struct q_buf encoded;

    bool failed;
    char failure[SIM_FAILURE_SIZE];

    enum sim_cores cores;
    bool only_safety; /* the ledger is not looked at: what remains is what nodes themselves believe */
    bool tracing;
    char (*lines)[200];
    size_t line_count;
    size_t line_capacity; /* a ring */

    /* What the run was about, for the sum at the end. */
    bool done;
    uint64_t no_more_faults_ms;
    uint64_t healed_ms;
    uint64_t recovery_ms;    /* from the last fault to the last node that had to be quorate */
    uint64_t votes;          /* ACKs sent */
    uint32_t first_ack_life; /* the arbiter's incarnation that sent the ACK below, its first */
    const struct node *first_ack;
    const struct node *last_ack;
    uint64_t excused;  /* instants with two quorate halves that the packaged device alone is to blame for */
    uint64_t deliveries; /* messages that clients of real cores were told */
    uint64_t rings;      /* that real cores formed, counted at each member */
    uint64_t reform_permille; /* the slowest ring after the last fault, of its bound */
    uint64_t relapses; /* the same, but votequorum itself is to blame */
    uint64_t faults;
    void *scenario; /* of canon.c */
};

void world_init(struct world *world);
void world_fini(struct world *world);
/* Empties it for another run. */
void world_reset(struct world *world, uint64_t seed, bool tracing);

/* Adds a cluster of `node_count` nodes, all configured, none running. */
struct sim_cluster *world_add_cluster(struct world *world, const struct cluster_settings *settings,
                                      unsigned node_count, const struct device_ops *const *ops,
                                      const struct core_ops *core);

/* Takes the next occurrence and checks what it did. False when the run has ended (done, failed, or nothing
 * left). */
bool world_step(struct world *world);

void world_mix(struct world *world, uint64_t value);
void world_fail(struct world *world, const char *rule, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void world_note(struct world *world, const struct node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The timeline is written only when somebody will read it. */
#define NOTE(world, ...) ((world)->tracing ? world_note((world), __VA_ARGS__) : (void)0)

node_mask cluster_all(const struct sim_cluster *cluster);
node_mask node_bit(const struct node *node);
unsigned mask_count(node_mask mask);
/* Index of a node id in its cluster, -1 if unknown. */
int cluster_index_of(const struct sim_cluster *cluster, uint32_t id);
node_mask mask_of_list(const struct sim_cluster *cluster, const struct wire_node_list *list);
/* "1,2" into text. */
const char *mask_text(const struct sim_cluster *cluster, node_mask mask, char text[64]);

/* The node's own clock, and the instant at which it will show `local_ms`. */
uint64_t node_clock(const struct node *node);
uint64_t node_clock_reaches(const struct node *node, uint64_t local_ms);

/* Alive and not standing still. */
bool node_responds(const struct node *node);

/* Serving and quorate, at this instant (README.md, SAFETY). */
bool node_serves(const struct node *node);
/* It would not be quorate without the device's vote. */
bool node_needs_device(const struct node *node);

#endif
