/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who gives way to a newcomer when all places of the enrolment program are taken: somebody of a site, or of an address without a
 * site, that holds two places more than the newcomer's does, and within the newcomer's own site somebody of such an address; so no
 * few sites lock others out. Failing that, whoever has kept the program waiting for long. Pure, stateless. Used by
 * certs/enrol/registrar.c.
 */
#ifndef QUORATE_CERTS_LOGIC_ENROL_ROOM_H
#define QUORATE_CERTS_LOGIC_ENROL_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/logic/enrol_guard.h"

/* With all places taken by as many sites, the oldest one gives way after this long. */
#define ENROL_ROOM_PATIENCE_MS 1500

struct enrol_room_guest {
    struct enrol_guard_origin from;
    uint64_t since_ms;
    bool may_go; /* it has not said yet what it wants */
};

/* Which of them it is, at now_ms; `count`: nobody. */
size_t enrol_room_choose(const struct enrol_room_guest *guests, size_t count, const struct enrol_guard_origin *newcomer,
                         uint64_t now_ms);

#endif
