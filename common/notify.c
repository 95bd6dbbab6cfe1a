/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/notify.h"

#ifdef HAVE_SYSTEMD
#include <inttypes.h>

#include <systemd/sd-daemon.h>

#include "common/clock.h"

void notify_ready(void)
{
    sd_notify(0, "READY=1");
}

void notify_reloading(void)
{
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_monotonic_ms() * 1000);
}

void notify_stopping(void)
{
    sd_notify(0, "STOPPING=1");
}

void notify_watchdog(void)
{
    sd_notify(0, "WATCHDOG=1");
}

uint64_t notify_watchdog_interval_ms(void)
{
    uint64_t interval_us = 0;

    if (sd_watchdog_enabled(0, &interval_us) <= 0)
        return 0;
    return interval_us / 2000 > 0 ? interval_us / 2000 : 1;
}

#else

void notify_ready(void)
{
}

void notify_reloading(void)
{
}

void notify_stopping(void)
{
}

void notify_watchdog(void)
{
}

uint64_t notify_watchdog_interval_ms(void)
{
    return 0;
}
#endif
