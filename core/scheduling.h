/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What keeps the token from waiting for other programs: real-time priority, memory that is not swapped, and the way out
 * of a control group that allows no real time (spec/corosync-conf.md section 7.3). Applied once, before threads are made
 * and after the configuration is read. Whatever the system refuses is logged, and the daemon goes on without it.
 */
#ifndef QUORATE_CORE_SCHEDULING_H
#define QUORATE_CORE_SCHEDULING_H

#include "core/config/core_config.h"

/* priority: checked by config_start_check. */
void scheduling_apply(const struct core_system *settings);

/* All that is mapped is loaded and stays; what comes later stays from its first use on. */
void scheduling_lock_memory(void);

#endif
