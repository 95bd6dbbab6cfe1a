/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/transport/knet_rescue.h"

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "core/logging.h"

#define TICK_MS 1000
#define FIRST_TICK 1 /* a measurement that goes well takes no second */
#define INTERVAL_TICKS_MAX 16

static bool is_connected(knet_handle_t handle, const struct knet_host *host)
{
    struct knet_link_status status;

    for (uint8_t link = 0; link < CORE_LINKS_MAX; link++) {
        memset(&status, 0, sizeof(status));
        if (host->links[link].exists &&
            knet_link_get_status(handle, (knet_node_id_t)host->node_id, link, &status, sizeof(status)) == 0 &&
            status.connected != 0)
            return true;
    }
    return false;
}

static bool is_reachable(knet_handle_t handle, const struct knet_host *host)
{
    struct knet_host_status status = {0};

    return knet_host_get_status(handle, (knet_node_id_t)host->node_id, &status) != 0 || status.reachable != 0;
}

/* NULL: nobody is in need. */
static const struct knet_host *find_in_need(const struct knet_links *links)
{
    for (size_t i = 0; i < links->host_count; i++) {
        const struct knet_host *host = &links->hosts[i];
        if (host->exists && !is_reachable(links->handle, host) && is_connected(links->handle, host))
            return host;
    }
    return NULL;
}

static void look(struct knet_rescue *rescue)
{
    const struct knet_host *host = find_in_need(rescue->links);

    if (host == NULL) {
        rescue->ticks = 0;
        rescue->due_tick = FIRST_TICK + 1;
        return;
    }
    if (++rescue->ticks < rescue->due_tick)
        return;
    rescue->due_tick += rescue->ticks < INTERVAL_TICKS_MAX ? rescue->ticks : INTERVAL_TICKS_MAX;
    logging_line(LOGGING_TOTEM, LOG_INFO,
                 "knet: node %u has a link, but libknet has not measured its MTU yet: asking it to try again",
                 host->node_id);
    if (knet_handle_pmtud_set(rescue->links->handle, rescue->mtu) != 0)
        logging_line(LOGGING_TOTEM, LOG_WARNING, "knet: libknet does not measure the MTU again: %s",
                     strerror(errno));
}

static void on_tick(void *data)
{
    struct knet_rescue *rescue = data;

    look(rescue);
    loop_timer_set(&rescue->timer, clock_monotonic_ms() + TICK_MS);
}

void knet_rescue_start(struct knet_rescue *rescue, qb_loop_t *loop, const struct knet_links *links,
                       uint32_t mtu)
{
    *rescue = (struct knet_rescue){.links = links, .mtu = mtu, .due_tick = FIRST_TICK + 1};
    rescue->is_ticking = loop_timer_open(&rescue->timer, loop, QB_LOOP_MED, on_tick, rescue) == Q_OK;
    if (rescue->is_ticking)
        loop_timer_set(&rescue->timer, clock_monotonic_ms() + TICK_MS);
}

void knet_rescue_stop(struct knet_rescue *rescue)
{
    if (rescue->is_ticking)
        loop_timer_close(&rescue->timer);
    rescue->is_ticking = false;
}
