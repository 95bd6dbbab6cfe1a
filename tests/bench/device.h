/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One simulated device: its connection and its session, from PREINIT to votes, with the messages the packaged device
 * sends and in its order (spec/qnet-protocol.md sections 6.1 and 6.2). Called by the fleet (events) and by the phases
 * (reports, echoes). Messages are small and one at a time, so that a send that does not fit at once is a failure.
 */
#ifndef QUORATE_TESTS_BENCH_DEVICE_H
#define QUORATE_TESTS_BENCH_DEVICE_H

#include "tests/bench/fleet.h"

void device_init(struct device *device, struct cluster *cluster, uint32_t node_id);
void device_fini(struct device *device);

void device_start(struct fleet *fleet, struct device *device); /* begins to connect */
void device_on_event(struct fleet *fleet, struct device *device);

void device_send_echo(struct fleet *fleet, struct device *device);

/* NODE_LIST of type membership for device->ring; `alone` or with the other node. */
void device_send_membership(struct fleet *fleet, struct device *device, bool alone);

#endif
