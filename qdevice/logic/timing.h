/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All times of the device, derived in one place from what the administrator set. Pure. Milliseconds.
 *
 * Where quorum.device.timeout is set, the heartbeat interval H is 0.8 of it, as in the packaged device, so that an
 * arbiter of either kind reckons as before. Where it is not set, H is TIMING_HEARTBEAT_DEFAULT_MS, for a failover in
 * seconds. Echoes leave every H/4. The lease ends 1.25 H after the newest answered request was sent, and the vote
 * `hold` later at the latest: before the 1.5 H at which a packaged arbiter gives a silent node's vote away.
 */
#ifndef QUORATE_QDEVICE_LOGIC_TIMING_H
#define QUORATE_QDEVICE_LOGIC_TIMING_H

#include <stdbool.h>
#include <stdint.h>

#define TIMING_HEARTBEAT_DEFAULT_MS 2000
#define TIMING_DEVICE_TIMEOUT_DEFAULT_MS 10000 /* votequorum's own, where nothing is set */
#define TIMING_SYNC_TIMEOUT_DEFAULT_MS 30000
#define TIMING_HOLD_MS 200

struct timing_input {
    bool has_device_timeout;
    uint32_t device_timeout_ms; /* quorum.device.timeout */
    uint32_t sync_timeout_ms;   /* quorum.device.sync_timeout, or its default */
    uint32_t heartbeat_ms_min;  /* setting net_heartbeat_interval_min */
    uint32_t heartbeat_ms_max;
    uint32_t connect_timeout_ms; /* quorum.device.net.connect_timeout; 0: not set */
};

struct timing {
    uint32_t device_timeout_ms; /* in force in votequorum: a vote not repeated for so long is dropped */
    uint32_t sync_timeout_ms;
    uint32_t heartbeat_ms;      /* H, announced to the arbiter */
    uint32_t echo_ms;           /* between two echoes */
    uint32_t lease_ms;
    uint32_t hold_ms;           /* how long the vote can outlive the lease, or the agent */
    uint32_t poll_ms;           /* between two polls of votequorum */
    uint32_t connect_timeout_ms; /* from the lookup to INIT_REPLY, for all addresses of a host together */
    uint32_t attempt_ms;        /* for one address to connect */
    uint32_t pause_ms_min;      /* first pause before the next attempt; doubles up to the maximum, plus jitter */
    uint32_t pause_ms_max;
    uint32_t patience_ms;       /* wait for a verdict on a new ring, then cast NO so that the node gets on */
};

void timing_derive(const struct timing_input *input, struct timing *timing);

#endif
