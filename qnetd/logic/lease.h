/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long a vote can outlive what the arbiter sees of its holder. Pure arithmetic; the arguments are in
 * docs/safety.md, the facts in spec/arbitration.md sections 10 (U1, U21) and 11.5.
 *
 * A packaged device with heartbeat H (0.8 x quorum.device.timeout, so that timeout = 1.25 H):
 *  - on a silent path it gives up at the echo tick 2 H after it sent the last echo that was answered;
 *  - stopped or killed without a goodbye it may have polled just before the next echo was due, H after the last
 *    message, and votequorum keeps that vote for another 1.25 H: 2.25 H, which also covers the first case;
 *  - killed with its connection closed by the kernel, the vote stays 1.25 H after the last poll;
 *  - it says goodbye over TLS after it has cast NACK (ffsplit, lms), or, as lms with wait_for_all, just before it leaves
 *    votequorum; a 2nodelms device may say goodbye, keep its vote and come back.
 * A device of ours states its own bounds, and says goodbye only after it has withdrawn its vote.
 */
#ifndef QUORATE_QNETD_LOGIC_LEASE_H
#define QUORATE_QNETD_LOGIC_LEASE_H

#include <stdint.h>

#include "qnetd/logic/arbiter.h"
#include "qnetd/logic/cluster.h"

/*
 * What the arbiter honours of the bounds a device states in INIT: hold_ms up to 2.25 x heartbeat_ms_max, and lease_ms
 * up to what that leaves. INIT_REPLY tells the device, which may not cast for longer. (A device whose vote outlives it
 * by more than the maximum gets a lease of 0: it must not cast at all.)
 */
struct wire_lease lease_honoured(struct wire_lease stated, const struct arbiter_settings *settings);

/* The longest time, from the last message heard of it, that `member` can cast an ACK; margins included. */
uint32_t lease_bound_ms(const struct member *member, const struct arbiter_settings *settings);

/* H of a packaged device where quorum.device.timeout is not set (10 s). */
#define LEASE_PACKAGED_HEARTBEAT_DEFAULT_MS 8000

/*
 * The longest that some other node of this member's cluster can cast an ACK of which nothing is known but that it was
 * given. It may run either device. Where quorum.device.timeout is set, both have the same heartbeat interval; where it is
 * not, ours has a shorter one than the packaged device. Nothing that a device of ours says tells these cases apart.
 */
uint32_t lease_unknown_bound_ms(const struct member *member, const struct arbiter_settings *settings);

/*
 * When the vote of a member whose connection ended `how` at now_ms has certainly ended; 0: at once. An end of stream
 * may mean that the device was killed just now; ARBITER_GONE_SEND_FAILED stands for all ends that are the arbiter's own
 * doing (dead peer included) and prove nothing about the device.
 */
uint64_t lease_ghost_until_ms(const struct member *member, const struct arbiter_settings *settings,
                              enum wire_algorithm algorithm, enum arbiter_disconnect how, uint64_t now_ms);

#endif
