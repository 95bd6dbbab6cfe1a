/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/logic/enrol_room.h"

/* An address without a site is a site of its own. */
static bool same_site(const struct enrol_guard_origin *a, const struct enrol_guard_origin *b)
{
    return a->site == b->site && (a->site != 0 || a->address == b->address);
}

static bool same_address(const struct enrol_guard_origin *a, const struct enrol_guard_origin *b)
{
    return same_site(a, b) && a->address == b->address;
}

static size_t places(const struct enrol_room_guest *guests, size_t count, const struct enrol_guard_origin *from,
                     bool (*same)(const struct enrol_guard_origin *, const struct enrol_guard_origin *))
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++)
        found += same(&guests[i].from, from);
    return found;
}

/* By how many places the guest's site, or its address in the newcomer's own site, is ahead of the newcomer's. */
static size_t lead(const struct enrol_room_guest *guests, size_t count, const struct enrol_guard_origin *from,
                   const struct enrol_guard_origin *newcomer)
{
    bool (*same)(const struct enrol_guard_origin *, const struct enrol_guard_origin *) =
        same_site(from, newcomer) ? same_address : same_site;
    size_t theirs = places(guests, count, from, same), own = places(guests, count, newcomer, same);

    return theirs > own ? theirs - own : 0;
}

size_t enrol_room_choose(const struct enrol_room_guest *guests, size_t count, const struct enrol_guard_origin *newcomer,
                         uint64_t now_ms)
{
    size_t oldest = count, chosen = count, most = 1;

    for (size_t i = 0; i < count; i++) {
        size_t ahead;

        if (!guests[i].may_go)
            continue;
        if (oldest == count || guests[i].since_ms < guests[oldest].since_ms)
            oldest = i;
        ahead = lead(guests, count, &guests[i].from, newcomer);
        if (ahead > most || (chosen < count && ahead == most && guests[i].since_ms < guests[chosen].since_ms)) {
            most = ahead;
            chosen = i;
        }
    }
    if (chosen == count && oldest < count && now_ms - guests[oldest].since_ms >= ENROL_ROOM_PATIENCE_MS)
        return oldest;
    return chosen;
}
