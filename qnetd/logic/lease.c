/* SPDX-License-Identifier: BSD-3-Clause */
#include "qnetd/logic/lease.h"

#include <stdbool.h>

/* Clock rate drift and scheduling on both sides; a device of ours has counted its own delays in already. */
#define OWN_MARGIN_FIXED_MS 50
#define OWN_MARGIN_PERCENT 1

static uint32_t clamp_u32(uint64_t value)
{
    return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

struct wire_lease lease_honoured(struct wire_lease stated, const struct arbiter_settings *settings)
{
    uint32_t sum_max = clamp_u32((uint64_t)settings->heartbeat_ms_max * 9 / 4);
    struct wire_lease honoured = stated;

    if (honoured.hold_ms > sum_max)
        honoured.hold_ms = sum_max;
    if (honoured.lease_ms > sum_max - honoured.hold_ms)
        honoured.lease_ms = sum_max - honoured.hold_ms;
    return honoured;
}

static uint32_t packaged_bound_ms(uint32_t heartbeat_ms, const struct arbiter_settings *settings)
{
    return clamp_u32((uint64_t)heartbeat_ms * 9 / 4 + settings->lease_margin_ms);
}

uint32_t lease_bound_ms(const struct member *member, const struct arbiter_settings *settings)
{
    uint64_t bound = (uint64_t)member->lease.lease_ms + member->lease.hold_ms;

    if (!member->has_lease)
        return packaged_bound_ms(member->heartbeat_ms_longest, settings);
    return clamp_u32(bound + bound * OWN_MARGIN_PERCENT / 100 + OWN_MARGIN_FIXED_MS);
}

uint32_t lease_unknown_bound_ms(const struct member *member, const struct arbiter_settings *settings)
{
    uint32_t own = lease_bound_ms(member, settings);
    uint32_t heartbeat_ms = member->heartbeat_ms_longest;
    uint32_t packaged;

    if (member->has_lease && heartbeat_ms < LEASE_PACKAGED_HEARTBEAT_DEFAULT_MS)
        heartbeat_ms = LEASE_PACKAGED_HEARTBEAT_DEFAULT_MS;
    packaged = packaged_bound_ms(heartbeat_ms, settings);
    return own > packaged ? own : packaged;
}

uint64_t lease_ghost_until_ms(const struct member *member, const struct arbiter_settings *settings,
                              enum wire_algorithm algorithm, enum arbiter_disconnect how, uint64_t now_ms)
{
    uint64_t silent_end = member->heard_ms + lease_bound_ms(member, settings);
    uint64_t killed_end = now_ms + (uint64_t)member->heartbeat_ms_longest * 5 / 4 + settings->lease_margin_ms;
    bool votes_on_after_goodbye = algorithm == WIRE_ALGORITHM_2NODELMS && !member->has_lease;

    if (!settings->strict)
        return 0;
    if (how == ARBITER_GONE_CLOSE_NOTIFY && !votes_on_after_goodbye)
        return 0;
    if (member->has_lease || how == ARBITER_GONE_SEND_FAILED)
        return silent_end;
    return silent_end > killed_end ? silent_end : killed_end;
}
