/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What local clients may send to the quorum and votequorum services: what is accepted has its names
 * terminated and is answered by the machines, once (a registration later), and their answers and events can
 * be written, each as long as its header says.
 *
 * Input: requests, each a byte for its service and size, then its bytes; the rest of a request that is cut
 * off is missing.
 */
#include <assert.h>
#include <string.h>

#include "core/services/quorum_ipc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CONN 1
#define ID_MAX 7 /* of answers and events */

struct servers {
    struct votequorum *votequorum;
    struct votequorum_actions votequorum_actions;
    struct quorum *quorum;
    struct quorum_actions quorum_actions;
    unsigned answers;
};

static void check_written(const struct q_buf *out)
{
    const uint8_t *bytes = q_buf_bytes(out);

    assert(!out->failed && out->size >= 24);
    assert(totem_get_u32(bytes, TOTEM_ORDER_OURS) <= ID_MAX);
    assert(totem_get_u32(bytes + 8, TOTEM_ORDER_OURS) == out->size);
}

static void step_votequorum(struct servers *servers, struct votequorum_event *event)
{
    struct votequorum_actions *actions = &servers->votequorum_actions;
    struct q_buf out;

    q_buf_init(&out);
    votequorum_actions_reset(actions);
    servers->answers = 0;
    assert(votequorum_step(servers->votequorum, event, actions) == Q_OK);
    for (size_t i = 0; i < actions->count; i++) {
        q_buf_reset(&out);
        if (votequorum_ipc_encode(actions, &actions->items[i], &out))
            check_written(&out);
        if (actions->items[i].type == VOTEQUORUM_ACT_ANSWER)
            servers->answers++;
    }
    q_buf_fini(&out);
}

static void ask_votequorum(struct servers *servers, const uint8_t *bytes, size_t size)
{
    struct votequorum_ipc_request request;
    struct votequorum_event event = {.type = VOTEQUORUM_EV_REQUEST,
                                     .u.request = {CONN, true, &request.request}};

    if (votequorum_ipc_decode(bytes, size, &request) != Q_OK)
        return;
    step_votequorum(servers, &event);
    assert(servers->answers == 1 || (servers->answers == 0 && request.request.type == VOTEQUORUM_REGISTER));
    votequorum_check(servers->votequorum);
}

static void ask_quorum(struct servers *servers, const uint8_t *bytes, size_t size)
{
    struct quorum_event event;
    struct q_buf out;

    if (quorum_ipc_decode(bytes, size, &event) != Q_OK)
        return;
    event.u.request.conn = CONN;
    assert(quorum_step(servers->quorum, &event, &servers->quorum_actions) == Q_OK);
    assert(servers->quorum_actions.count > 0);
    q_buf_init(&out);
    for (size_t i = 0; i < servers->quorum_actions.count; i++) {
        q_buf_reset(&out);
        quorum_ipc_encode(&servers->quorum_actions.items[i], &out);
        check_written(&out);
    }
    q_buf_fini(&out);
}

static void start(struct servers *servers)
{
    static const struct votequorum_config_node nodes[] = {{1, 1}, {2, 1}};
    struct votequorum_config config;
    struct votequorum_event event = {.type = VOTEQUORUM_EV_CONFIG, .u.config = &config};

    memset(servers, 0, sizeof(*servers));
    servers->votequorum = votequorum_new(TOTEM_ORDER_OURS);
    servers->quorum = quorum_new(true);
    assert(servers->votequorum != NULL && servers->quorum != NULL);
    votequorum_actions_init(&servers->votequorum_actions);
    quorum_actions_init(&servers->quorum_actions);
    votequorum_config_default(&config);
    config.node_id = 1;
    config.nodes = nodes;
    config.node_count = 2;
    step_votequorum(servers, &event);
}

static void stop(struct servers *servers)
{
    votequorum_actions_fini(&servers->votequorum_actions);
    quorum_actions_fini(&servers->quorum_actions);
    votequorum_free(servers->votequorum);
    quorum_free(servers->quorum);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct servers servers;

    start(&servers);
    while (size > 0) {
        bool vote = (data[0] & 1) != 0;
        size_t room = (size_t)(data[0] >> 1) * 8; /* up to 1016 */

        data++;
        size--;
        if (room > size)
            room = size;
        if (vote)
            ask_votequorum(&servers, data, room);
        else
            ask_quorum(&servers, data, room);
        data += room;
        size -= room;
    }
    stop(&servers);
    return 0;
}
