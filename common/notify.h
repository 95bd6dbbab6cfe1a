/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the service manager is told: ready, reloading, stopping, still alive. Without libsystemd, or when not
 * started by systemd, all of it does nothing.
 */
#ifndef QUORATE_COMMON_NOTIFY_H
#define QUORATE_COMMON_NOTIFY_H

#include <stdint.h>

void notify_ready(void);
void notify_reloading(void); /* to be followed by notify_ready */
void notify_stopping(void);
void notify_watchdog(void);

/* How often notify_watchdog must be called, in milliseconds (half of what the manager allows); 0: not wanted. */
uint64_t notify_watchdog_interval_ms(void);

#endif
