/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libknet lets no datagram through to or from a node before it has measured the path MTU of a link to it. If that first
 * measurement fails, because an ICMP error about another node came in between or the link was up for a moment only, it tries
 * again after knet_pmtud_interval, half a minute by default; meanwhile the node is deaf to one that may hear it, and
 * breaks its ring again and again. So once a second this looks for nodes with a link that is up and which are not
 * reachable nevertheless, and asks for another measurement: soon, then less and less often. Embedded in the transport.
 */
#ifndef QUORATE_CORE_TRANSPORT_KNET_RESCUE_H
#define QUORATE_CORE_TRANSPORT_KNET_RESCUE_H

#include <stdbool.h>
#include <stdint.h>

#include <qb/qbloop.h>

#include "core/loop_timer.h"
#include "core/transport/knet_links.h"

struct knet_rescue {
    const struct knet_links *links;
    uint32_t mtu; /* totem.knet_mtu: asking for it again is what makes libknet measure */
    struct loop_timer timer;
    bool is_ticking;   /* the timer is open */
    uint32_t ticks;    /* seconds since a node has been in need, 0: none is */
    uint32_t due_tick; /* when to ask next */
};

void knet_rescue_start(struct knet_rescue *rescue, qb_loop_t *loop, const struct knet_links *links,
                       uint32_t mtu);
void knet_rescue_stop(struct knet_rescue *rescue);

#endif
