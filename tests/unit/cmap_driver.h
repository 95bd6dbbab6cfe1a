/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the tests of the service cmap share: one service with its map of keys, and two clients of it. Set up and torn down by each
 * test; a program has one at a time.
 */
#ifndef QUORATE_TESTS_UNIT_CMAP_DRIVER_H
#define QUORATE_TESTS_UNIT_CMAP_DRIVER_H

#include "core/services/cmap_service.h"
#include "tests/unit/service_driver.h"

#define ME 2
#define A 11 /* connections */
#define B 12

enum { SET, DELETE, GET, ADJUST, ITERATE, NEXT, ITERATE_END, TRACK, TRACK_END, SET_MAP };

extern struct cmap_store keys;
extern struct cmap_service *service;
extern struct service_driver driver;

int set_up_cmap(void **state);
int tear_down_cmap(void **state);

void send_track(uint64_t conn, const char *name, uint32_t bits, uint64_t cookie);

#endif
