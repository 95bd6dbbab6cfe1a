/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The seam between a node and its quorum device: events in, services out. Three devices sit behind it: a
 * model of the packaged one (device_packaged.c), a model of ours (device_ours.c), and our real agent
 * (device_agent.c). A device knows no time but the event's (the node's own, drifting clock) and draws chance
 * from device_random only.
 */
#ifndef QUORATE_TESTS_SIM_DEVICE_H
#define QUORATE_TESTS_SIM_DEVICE_H

#include "tests/sim/world.h"

#define OURS_HEARTBEAT_DEFAULT_MS 2000 /* H of a device of ours where quorum.device.timeout is not set */

enum device_event_type {
    DEVICE_EV_START,      /* the process runs and is registered; a NODELIST and a QUORUM follow at once */
    DEVICE_EV_TIME,       /* the deadline it named has come */
    DEVICE_EV_NODELIST,   /* votequorum: new ring; polls must carry it from now on */
    DEVICE_EV_QUORUM,     /* votequorum: synchronisation complete, or the state changed */
    DEVICE_EV_CONFIG,     /* node->config has changed */
    DEVICE_EV_HEURISTICS, /* a run has ended */
    DEVICE_EV_CONNECTED,  /* TCP */
    DEVICE_EV_SECURED,    /* TLS */
    DEVICE_EV_MESSAGE,
    DEVICE_EV_UNREADABLE, /* the framer or the codec refused what came */
    DEVICE_EV_CLOSED,     /* end of stream, reset, or refused; the connection is gone already */
    DEVICE_EV_CORE_LOST,  /* our agent: the core has gone; a NODELIST comes when there is one again */
    DEVICE_EV_CAST_DONE,  /* its voter: everything up to `sequence` has been carried out */
    DEVICE_EV_SHUTDOWN    /* orderly stop: give up the vote, leave */
};

struct device_event {
    enum device_event_type type;
    uint64_t now_ms;
    struct wire_ring_id ring; /* NODELIST */
    node_mask members;        /* NODELIST, QUORUM */
    bool quorate;             /* QUORUM */
    uint32_t run;             /* HEURISTICS */
    enum wire_heuristics heuristics;
    const struct wire_message *message;
    uint64_t sequence; /* CAST_DONE */
};

struct device_ops {
    const char *name;
    bool ours;
    void *(*create)(struct node *node);
    void (*step)(void *device, const struct device_event *event);
    uint64_t (*deadline_ms)(const void *device); /* absolute, in the node's clock; SIM_NEVER: none */
    bool voter; /* voter.h survives it */
    /* Devices of ours: what survives them knows until when an ACK may last, and acts within hold_ms. The first is for those
     * without a voter. */
    uint64_t (*vote_until_ms)(const void *device); /* in the node's clock; SIM_NEVER: no ACK is being cast */
    uint32_t (*hold_ms)(const struct node *node);
    void (*destroy)(void *device); /* the process is gone, whatever it was doing */
};

extern const struct device_ops device_packaged;
extern const struct device_ops device_ours;
extern const struct device_ops device_agent;

/* Services. */
void device_connect(struct node *node); /* answered by CONNECTED or CLOSED, or never */
void device_start_tls(struct node *node);
void device_send(struct node *node, const struct wire_message *message);
void device_send_bytes(struct node *node, const uint8_t *bytes,
                       size_t size); /* one encoded message, or several */
void device_close(struct node *node, bool goodbye);
/* False: votequorum is on another ring. */
bool device_poll(struct node *node, bool cast, struct wire_ring_id ring);
uint32_t device_run_heuristics(struct node *node, uint32_t timeout_ms);
uint32_t device_random(struct node *node, uint32_t below);
/* The device leaves votequorum: no more vote. */
void device_unregister(struct node *node);
/* A verdict just received is what it casts from now on. */
void device_fresh_verdict(struct node *node);
/* A packaged device would keep an ACK although it has no connection. */
void device_keeps_vote(struct node *node);
/* The daemon would have ended: the arbiter broke a rule that stock devices insist on. */
void device_fatal(struct node *node, const char *why);

/* H of the device that runs on this node. */
uint32_t device_heartbeat_ms(const struct node *node);

/* Messages both models send. The caller sets seq and sends. */
void device_message(struct wire_message *message, enum wire_type type, uint32_t seq);
void device_init_message(const struct node *node, struct wire_message *message, uint32_t seq,
                         struct wire_ring_id ring);
void device_list_message(const struct node *node, struct wire_message *message, uint32_t seq,
                         enum wire_node_list_type type, node_mask nodes);

#endif
