/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * knet (spec/totem-wire.md section 11.3): one datagram of the ring is one datagram written to or read from libknet, which
 * does the rest in threads of its own: links and their health, keys, compression, fragments. Who a datagram is for
 * stands in its header; libknet asks for that, in its threads.
 */
#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <libknet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/logging.h"
#include "core/transport/backend.h"
#include "core/transport/inbox.h"
#include "core/transport/knet_crypto.h"
#include "core/transport/knet_links.h"
#include "core/transport/knet_log.h"
#include "core/transport/knet_rescue.h"
#include "core/transport/knet_statistics.h"
#include "core/transport/outbatch.h"
#include "core/transport/repeated_pages.h"

#define BUDGET 128 /* datagrams of one wake-up */
#define CHANNEL 0
#define LOCAL_MTU 65535 /* of the link of this node to itself, as the packaged daemon says */
#define MODELS_MAX 32

/* Of a datagram's header (spec/totem-wire.md section 3.1). */
#define HEADER_SIZE 13
#define TARGET_OFFSET 9

struct knet {
    struct transport transport;
    knet_handle_t handle;
    int data_fd;
    bool is_listening;
    struct knet_log log;
    struct knet_links links;
    struct knet_rescue rescue;
    struct knet_crypto crypto;
    struct inbox inbox;
    struct outbatch batch;
    struct conf_address local[CORE_LINKS_MAX]; /* for status; family 0: no such link */
    struct knet_handle_compress_cfg compression; /* these as libknet has them */
    bool access_lists;
    uint32_t mtu;
};

/* ---- what libknet calls, from its threads ---- */

static int find_destination(void *context, const unsigned char *bytes, ssize_t size, uint8_t direction,
                            knet_node_id_t here, knet_node_id_t source, int8_t *channel,
                            knet_node_id_t *targets, size_t *target_count)
{
    uint32_t target;

    (void)context;
    (void)direction;
    (void)here;
    (void)source;
    (void)channel;
    if (size < HEADER_SIZE)
        return -1;
    memcpy(&target, bytes + TARGET_OFFSET, sizeof(target));
    if (target == 0)
        return 1;
    if (target > UINT16_MAX)
        return -1;
    targets[0] = (knet_node_id_t)target;
    *target_count = 1;
    return 0;
}

/* Of the socket between libknet and us; neither end closes it before the end. */
static void on_socket_fault(void *context, int fd, int8_t channel, uint8_t direction, int error,
                            int error_number)
{
    const struct knet *k = context;
    struct knet_log_msg message = {.subsystem = KNET_SUB_HANDLE, .msglevel = KNET_LOG_ERR};

    (void)fd;
    (void)channel;
    (void)direction;
    snprintf(message.msg, sizeof(message.msg), "the data socket failed: %d, errno %d", error, error_number);
    /* As libknet does itself: a pipe that is full takes no more. */
    if (write(k->log.write_fd, &message, sizeof(message)) < 0)
        return;
}

/* ---- hearing and speaking ---- */

static int32_t on_readable(int32_t fd, int32_t events, void *data)
{
    struct knet *k = data;
    const struct transport_handlers *handlers = &k->transport.handlers;
    struct inbox_datagram datagram;
    unsigned count;

    (void)events;
    for (unsigned handled = 0; handled < BUDGET; handled += count) {
        count = inbox_read(&k->inbox, fd);
        while (inbox_take(&k->inbox, &datagram))
            handlers->on_datagram(handlers->context, datagram.bytes, datagram.size);
        if (count < INBOX_BATCH)
            break;
    }
    return 0;
}

static void drain(struct transport *transport)
{
    struct knet *k = (struct knet *)transport;

    inbox_drop(&k->inbox);
    inbox_drain(k->data_fd);
}

static void send_datagram(struct transport *transport, uint32_t target_node_id, const uint8_t *bytes,
                          size_t size)
{
    uint32_t target;

    assert(size >= HEADER_SIZE);
    memcpy(&target, bytes + TARGET_OFFSET, sizeof(target));
    assert(target == target_node_id);
    outbatch_add(&((struct knet *)transport)->batch, NULL, 0, bytes, size);
}

static void flush(struct transport *transport)
{
    outbatch_send(&((struct knet *)transport)->batch);
}

/* ---- status and statistics ---- */

/*
 * Which links this node has, and one to itself, number 0, which the packaged daemon uses for what a node says to itself
 * and tells about.
 */
static void get_own_links(const struct knet *k, struct node_link_status *status)
{
    struct link_status *own = &status->links[0];

    status->reachable = true;
    for (size_t i = 0; i < CORE_LINKS_MAX; i++) {
        status->links[i].exists = k->local[i].family != 0;
        snprintf(status->links[i].source, sizeof(status->links[i].source), "%s", k->local[i].text);
    }
    own->enabled = own->connected = true;
    own->mtu = LOCAL_MTU;
    snprintf(own->destination, sizeof(own->destination), "%s", k->local[0].text);
}

static void get_link(const struct knet *k, knet_node_id_t id, uint8_t number, struct link_status *link)
{
    struct knet_link_status values;

    memset(&values, 0, sizeof(values));
    if (knet_link_get_status(k->handle, id, number, &values, sizeof(values)) != 0)
        return;
    link->exists = true;
    link->enabled = values.enabled != 0;
    link->connected = values.connected != 0;
    link->dynconnected = values.dynconnected != 0;
    link->mtu = values.mtu;
    snprintf(link->source, sizeof(link->source), "%.*s", KNET_MAX_HOST_LEN - 1, values.src_ipaddr);
    snprintf(link->destination, sizeof(link->destination), "%.*s", KNET_MAX_HOST_LEN - 1, values.dst_ipaddr);
}

static void get_links(struct transport *transport, struct node_link_status *status)
{
    const struct knet *k = (const struct knet *)transport;
    const struct knet_host *host = knet_links_find(&k->links, status->node_id);
    struct knet_host_status values;

    if (status->node_id == transport->node_id) {
        get_own_links(k, status);
        return;
    }
    if (host == NULL || !host->exists)
        return;
    memset(&values, 0, sizeof(values));
    if (knet_host_get_status(k->handle, (knet_node_id_t)host->node_id, &values) == 0) {
        status->reachable = values.reachable != 0;
        status->remote = values.remote != 0;
        status->external = values.external != 0;
    }
    for (uint8_t link = 0; link < CORE_LINKS_MAX; link++)
        if (host->links[link].exists)
            get_link(k, (knet_node_id_t)host->node_id, link, &status->links[link]);
}

static void get_own_statistics(const struct knet *k, struct cmap_store *statistics)
{
    struct knet_link_status own;

    memset(&own, 0, sizeof(own));
    own.enabled = own.connected = 1;
    own.mtu = LOCAL_MTU;
    own.stats.latency_min = UINT32_MAX;
    own.stats.up_count = 1;
    knet_statistics_of_link(statistics, k->transport.node_id, 0, &own);
}

static void get_statistics(struct transport *transport, struct cmap_store *statistics)
{
    const struct knet *k = (const struct knet *)transport;
    struct knet_handle_stats of_handle;
    struct knet_link_status of_link;

    memset(&of_handle, 0, sizeof(of_handle));
    of_handle.size = sizeof(of_handle);
    if (knet_handle_get_stats(k->handle, &of_handle, sizeof(of_handle)) == 0)
        knet_statistics_of_handle(statistics, &of_handle);
    knet_statistics_prune(statistics, &k->links);
    get_own_statistics(k, statistics);
    for (size_t i = 0; i < k->links.host_count; i++) {
        const struct knet_host *host = &k->links.hosts[i];
        for (uint8_t link = 0; link < CORE_LINKS_MAX; link++) {
            memset(&of_link, 0, sizeof(of_link));
            if (host->links[link].exists && knet_link_get_status(k->handle, (knet_node_id_t)host->node_id,
                                                                 link, &of_link, sizeof(of_link)) == 0)
                knet_statistics_of_link(statistics, host->node_id, link, &of_link);
        }
    }
}

static void clear_statistics(struct transport *transport)
{
    knet_handle_clear_stats(((struct knet *)transport)->handle, KNET_CLEARSTATS_HANDLE_AND_LINK);
}

/* ---- settings ---- */

static enum q_err fail(const char *what, char *why, size_t why_size)
{
    snprintf(why, why_size, "libknet cannot %s: %s", what, strerror(errno));
    return Q_ERR_IO;
}

static enum q_err set_compression(struct knet *k, const struct totem_config *totem, char *why,
                                  size_t why_size)
{
    struct knet_handle_compress_cfg wanted;

    memset(&wanted, 0, sizeof(wanted));
    wanted.compress_threshold = totem->knet_compression_threshold;
    wanted.compress_level = totem->knet_compression_level;
    if (snprintf(wanted.compress_model, sizeof(wanted.compress_model), "%s", totem->knet_compression_model) >=
        (int)sizeof(wanted.compress_model)) {
        snprintf(why, why_size, "libknet has no compression named %s", totem->knet_compression_model);
        return Q_ERR_INVALID;
    }
    if (memcmp(&wanted, &k->compression, sizeof(wanted)) == 0)
        return Q_OK;
    if (knet_handle_compress(k->handle, &wanted) != 0)
        return fail("compress with these settings", why, why_size);
    k->compression = wanted;
    return Q_OK;
}

/* What is as it was is left alone: libknet would measure each path anew. */
static enum q_err set_settings(struct knet *k, const struct totem_config *totem, char *why, size_t why_size)
{
    unsigned interval_s = 0;

    if (totem->block_unlisted_ips != k->access_lists &&
        knet_handle_enable_access_lists(k->handle, totem->block_unlisted_ips) != 0)
        return fail("switch its access lists", why, why_size);
    k->access_lists = totem->block_unlisted_ips;
    if (knet_handle_pmtud_getfreq(k->handle, &interval_s) != 0 ||
        (interval_s != totem->knet_pmtud_interval_s &&
         knet_handle_pmtud_setfreq(k->handle, totem->knet_pmtud_interval_s) != 0))
        return fail("look for the path MTU in the interval of knet_pmtud_interval", why, why_size);
    if (totem->knet_mtu != k->mtu && knet_handle_pmtud_set(k->handle, totem->knet_mtu) != 0)
        return fail("use knet_mtu", why, why_size);
    k->mtu = k->rescue.mtu = totem->knet_mtu;
    return set_compression(k, totem, why, why_size);
}

static void set_local(struct knet *k, const struct core_config *config)
{
    memset(k->local, 0, sizeof(k->local));
    for (size_t i = 0; i < CORE_LINKS_MAX; i++)
        if (config->links[i].exists)
            k->local[i] = config->links[i].local;
}

static void set_log_level(struct knet *k)
{
    uint8_t level = logging_wants(LOGGING_KNET, LOG_DEBUG) ? KNET_LOG_DEBUG : KNET_LOG_INFO;

    for (uint8_t subsystem = 0; subsystem < KNET_MAX_SUBSYSTEMS; subsystem++)
        knet_log_set_loglevel(k->handle, subsystem, level);
}

static enum q_err reconfigure(struct transport *transport, const struct core_config *next, char *why,
                              size_t why_size)
{
    struct knet *k = (struct knet *)transport;
    char faults[3][256] = {"", "", ""};
    enum q_err errs[3];
    enum q_err err = Q_OK;

    set_log_level(k);
    set_local(k, next);
    /* The key first: others may use it any moment. */
    errs[0] = knet_crypto_load(&k->crypto, next, faults[0], sizeof(faults[0]));
    errs[1] = knet_links_set(&k->links, next, faults[1], sizeof(faults[1]));
    errs[2] = set_settings(k, &next->totem, faults[2], sizeof(faults[2]));
    for (size_t i = 0; i < 3; i++) {
        if (errs[i] == Q_OK || err != Q_OK)
            continue;
        err = errs[i];
        snprintf(why, why_size, "%s", err == Q_ERR_NO_MEMORY ? "no memory for the links" : faults[i]);
    }
    return err;
}

static enum q_err apply(struct transport *transport, const struct totem_config *totem, char *why,
                        size_t why_size)
{
    struct knet *k = (struct knet *)transport;

    set_log_level(k);
    return set_settings(k, totem, why, why_size);
}

static bool crypto_differs(struct transport *transport, const struct core_config *next)
{
    return knet_crypto_differs(&((struct knet *)transport)->crypto, next);
}

static void crypto_use(struct transport *transport)
{
    knet_crypto_use(&((struct knet *)transport)->crypto);
}

static void crypto_forget(struct transport *transport)
{
    knet_crypto_forget(&((struct knet *)transport)->crypto);
}

/* ---- begin and end ---- */

/* What has been given to libknet goes out: switching off waits for that. */
static void knet_free(struct transport *transport)
{
    struct knet *k = (struct knet *)transport;

    if (k->is_listening)
        qb_loop_poll_del(transport->loop, k->data_fd);
    outbatch_send(&k->batch);
    knet_rescue_stop(&k->rescue);
    knet_crypto_fini(&k->crypto);
    if (k->handle != NULL) {
        knet_handle_setfwd(k->handle, 0);
        knet_links_fini(&k->links);
        if (k->data_fd >= 0)
            knet_handle_remove_datafd(k->handle, k->data_fd);
        if (knet_handle_free(k->handle) != 0)
            logging_line(LOGGING_TOTEM, LOG_ERR, "knet: libknet does not end: %s", strerror(errno));
    }
    knet_log_fini(&k->log);
    inbox_fini(&k->inbox);
    transport_fini(transport);
    free(k);
}

static knet_handle_t open_handle(struct knet *k, const struct core_config *config)
{
    knet_node_id_t id = (knet_node_id_t)k->transport.node_id;
    uint8_t level = logging_wants(LOGGING_KNET, LOG_DEBUG) ? KNET_LOG_DEBUG : KNET_LOG_INFO;
    knet_handle_t handle = knet_handle_new_ex(id, k->log.write_fd, level, KNET_HANDLE_FLAG_PRIVILEGED);

    if (handle == NULL && errno == ENAMETOOLONG && config->system.allow_knet_handle_fallback) {
        logging_line(LOGGING_TOTEM, LOG_WARNING,
                     "knet: the system does not allow large socket buffers; small ones must do");
        handle = knet_handle_new_ex(id, k->log.write_fd, level, 0);
    }
    return handle;
}

/* Signals are for our thread; and for after memory has been looked through, when a handler may write again. */
static enum q_err new_handle(struct knet *k, const struct transport_start *start)
{
    sigset_t all, before;
    size_t saved = 0;
    int fault;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    k->handle = open_handle(k, start->config);
    fault = errno;
    if (k->handle != NULL)
        saved = repeated_pages_save();
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (k->handle != NULL) {
        logging_line(LOGGING_TOTEM, LOG_DEBUG, "knet: %zu KiB of empty buffers and tables saved", saved / 1024);
        return Q_OK;
    }
    if (fault == ENAMETOOLONG)
        snprintf(start->why, start->why_size,
                 "libknet cannot make its socket buffers large enough: it needs the right to, larger "
                 "net.core.rmem_max and wmem_max, or system.allow_knet_handle_fallback: yes");
    else
        snprintf(start->why, start->why_size, "libknet cannot be started: %s", strerror(fault));
    return Q_ERR_IO;
}

static enum q_err open_data(struct knet *k, char *why, size_t why_size)
{
    int8_t channel = CHANNEL;
    int fd = 0;
    int result;

    if (knet_handle_enable_filter(k->handle, k, find_destination) != 0 ||
        knet_handle_enable_sock_notify(k->handle, k, on_socket_fault) != 0 ||
        knet_handle_add_datafd(k->handle, &fd, &channel) != 0)
        return fail("open its data socket", why, why_size);
    k->data_fd = fd;
    k->batch.fd = fd;
    result = qb_loop_poll_add(k->transport.loop, QB_LOOP_HIGH, fd, POLLIN, k, on_readable);
    if (result != 0) {
        errno = -result;
        return fail("be listened to", why, why_size);
    }
    k->is_listening = true;
    return Q_OK;
}

static enum q_err start_handle(struct knet *k, const struct transport_start *start)
{
    const struct core_config *config = start->config;
    char *why = start->why;
    size_t why_size = start->why_size;
    enum q_err err = new_handle(k, start);

    if (err != Q_OK)
        return err;
    knet_links_init(&k->links, k->handle, start->node_id);
    snprintf(k->compression.compress_model, sizeof(k->compression.compress_model), "none");
    err = set_settings(k, &config->totem, why, why_size);
    if (err == Q_OK)
        err = open_data(k, why, why_size);
    if (err == Q_OK)
        err = knet_crypto_init(&k->crypto, k->handle, start->loop, config, why, why_size);
    if (err == Q_OK && knet_handle_setfwd(k->handle, 1) != 0)
        err = fail("forward datagrams", why, why_size);
    if (err == Q_OK)
        err = knet_links_set(&k->links, config, why, why_size);
    if (err == Q_OK)
        knet_rescue_start(&k->rescue, start->loop, &k->links, config->totem.knet_mtu);
    return err;
}

static const struct transport_backend knet_backend = {
    .free = knet_free,
    .send = send_datagram,
    .flush = flush,
    .drain = drain,
    .get_links = get_links,
    .get_statistics = get_statistics,
    .clear_statistics = clear_statistics,
    .crypto_differs = crypto_differs,
    .reconfigure = reconfigure,
    .apply = apply,
    .crypto_use = crypto_use,
    .crypto_forget = crypto_forget,
};

enum q_err transport_new_knet(struct transport **transport, const struct transport_start *start)
{
    struct knet *k = calloc(1, sizeof(*k));
    enum q_err err;

    if (k == NULL)
        return Q_ERR_NO_MEMORY;
    assert(start->node_id <= UINT16_MAX);
    k->data_fd = -1;
    k->log.read_fd = k->log.write_fd = -1;
    outbatch_init(&k->batch);
    set_local(k, start->config);
    err = transport_init(&k->transport, &knet_backend, start);
    if (err == Q_OK)
        err = inbox_init(&k->inbox);
    if (err == Q_OK && knet_log_init(&k->log, start->loop) != Q_OK)
        err = fail("be given a pipe for its log", start->why, start->why_size);
    if (err == Q_OK)
        err = start_handle(k, start);
    knet_log_drain(&k->log);
    if (err != Q_OK) {
        knet_free(&k->transport);
        return err;
    }
    *transport = &k->transport;
    return Q_OK;
}

/* ---- plugins ---- */

const char *const *transport_crypto_models(void)
{
    static const char *names[MODELS_MAX + 1];
    struct knet_crypto_info list[256];
    size_t count = 0;

    if (names[0] == NULL && knet_get_crypto_list(list, &count) == 0)
        for (size_t i = 0; i < count && i < MODELS_MAX; i++)
            names[i] = list[i].name;
    return names;
}

const char *const *transport_compression_models(void)
{
    static const char *names[MODELS_MAX + 1];
    struct knet_compress_info list[256];
    size_t count = 0;

    if (names[0] == NULL && knet_get_compress_list(list, &count) == 0)
        for (size_t i = 0; i < count && i < MODELS_MAX; i++)
            names[i] = list[i].name;
    return names;
}
