/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "core/services/quorum.h"

#define MODELS 2

/* A client that has asked for anything. */
struct client {
    uint64_t conn;
    uint32_t model;
    bool tracks;
};

struct quorum {
    bool has_provider;
    struct client *clients; /* in the order in which they came */
    size_t client_count;
    size_t client_capacity;

    /* The newest report. */
    bool quorate;
    struct totem_ring_id view_ring_id;
    struct node_set view;

    /* The newest nodelist event. */
    struct totem_ring_id ring_id;
    struct node_set members;
    struct node_set joined;
    struct node_set left;

    /* The membership that is being synchronised. */
    struct totem_ring_id next_ring_id;
    struct node_set next_members;
    struct node_set carried; /* of `members`, those who have been with us ever since */

    struct node_set nobody;
    struct quorum_actions *out;
    bool out_of_memory;
};

void quorum_actions_init(struct quorum_actions *actions)
{
    memset(actions, 0, sizeof(*actions));
}

void quorum_actions_fini(struct quorum_actions *actions)
{
    free(actions->items);
    quorum_actions_init(actions);
}

struct quorum *quorum_new(bool has_provider)
{
    struct quorum *quorum = calloc(1, sizeof(*quorum)); /* node sets are empty when they are zero */

    if (quorum == NULL)
        return NULL;
    quorum->has_provider = has_provider;
    quorum->quorate = !has_provider;
    return quorum;
}

void quorum_free(struct quorum *quorum)
{
    if (quorum == NULL)
        return;
    node_set_fini(&quorum->view);
    node_set_fini(&quorum->members);
    node_set_fini(&quorum->joined);
    node_set_fini(&quorum->left);
    node_set_fini(&quorum->next_members);
    node_set_fini(&quorum->carried);
    free(quorum->clients);
    free(quorum);
}

bool quorum_is_quorate(const struct quorum *quorum)
{
    return quorum->quorate;
}

/* ---- actions ------------------------------------------------------------------------------------------------ */

/* Without memory one that goes nowhere. */
static struct quorum_action *add(struct quorum *quorum, enum quorum_action_type type, uint64_t conn)
{
    static struct quorum_action nowhere;
    struct quorum_actions *out = quorum->out;
    struct quorum_action *action = &nowhere;

    if (out->count == out->capacity) {
        size_t capacity = out->capacity > 0 ? 2 * out->capacity : 8;
        struct quorum_action *items = realloc(out->items, capacity * sizeof(*items));

        if (items != NULL) {
            out->items = items;
            out->capacity = capacity;
        } else {
            quorum->out_of_memory = true;
        }
    }
    if (out->count < out->capacity)
        action = &out->items[out->count++];
    memset(action, 0, sizeof(*action));
    action->type = type;
    action->conn = conn;
    return action;
}

static void add_quorum_event(struct quorum *quorum, const struct client *client)
{
    struct quorum_action *action = add(quorum, QUORUM_ACT_QUORUM_EVENT, client->conn);

    action->model = client->model;
    action->quorate = quorum->quorate;
    action->ring_id = quorum->view_ring_id;
    action->members = &quorum->view;
}

static void add_nodelist_event(struct quorum *quorum, const struct client *client,
                               const struct node_set *joined, const struct node_set *left)
{
    struct quorum_action *action;

    if (client->model == 0)
        return;
    action = add(quorum, QUORUM_ACT_NODELIST_EVENT, client->conn);
    action->model = client->model;
    action->ring_id = quorum->ring_id;
    action->members = &quorum->members;
    action->joined = joined;
    action->left = left;
}

/* ---- memberships -------------------------------------------------------------------------------------------- */

static void copy(struct quorum *quorum, struct node_set *to, const struct node_set *from)
{
    if (node_set_copy(to, from) != Q_OK)
        quorum->out_of_memory = true;
}

/* `to` becomes what of `all` is not in `some`. */
static void subtract(struct quorum *quorum, struct node_set *to, const struct node_set *all,
                     const struct node_set *some)
{
    node_set_fini(to);
    for (uint32_t i = 0; i < all->count; i++)
        if (!node_set_has(some, all->ids[i]) && node_set_add(to, all->ids[i]) != Q_OK)
            quorum->out_of_memory = true;
}

/* A synchronisation that is given up is not told of, but who was lost in it has not been with us all the time. */
static void on_init(struct quorum *quorum, const struct quorum_event *event)
{
    quorum->next_ring_id = event->u.init.ring_id;
    copy(quorum, &quorum->next_members, event->u.init.members);
    node_set_intersect(&quorum->carried, event->u.init.transitional);
    node_set_intersect(&quorum->carried, event->u.init.members);
}

static void on_activate(struct quorum *quorum)
{
    subtract(quorum, &quorum->joined, &quorum->next_members, &quorum->carried);
    subtract(quorum, &quorum->left, &quorum->members, &quorum->carried);
    quorum->ring_id = quorum->next_ring_id;
    copy(quorum, &quorum->members, &quorum->next_members);
    copy(quorum, &quorum->carried, &quorum->next_members);
    for (size_t i = 0; i < quorum->client_count; i++)
        if (quorum->clients[i].tracks)
            add_nodelist_event(quorum, &quorum->clients[i], &quorum->joined, &quorum->left);
}

static void on_report(struct quorum *quorum, const struct quorum_event *event)
{
    quorum->quorate = event->u.report.quorate;
    quorum->view_ring_id = event->u.report.ring_id;
    if (node_set_assign(&quorum->view, event->u.report.members, event->u.report.member_count) != Q_OK)
        quorum->out_of_memory = true;
    for (size_t i = 0; i < quorum->client_count; i++)
        if (quorum->clients[i].tracks)
            add_quorum_event(quorum, &quorum->clients[i]);
}

/* ---- clients ------------------------------------------------------------------------------------------------ */

/* NULL without memory. */
static struct client *find_client(struct quorum *quorum, uint64_t conn)
{
    for (size_t i = 0; i < quorum->client_count; i++)
        if (quorum->clients[i].conn == conn)
            return &quorum->clients[i];
    if (quorum->client_count == quorum->client_capacity) {
        size_t capacity = quorum->client_capacity > 0 ? 2 * quorum->client_capacity : 8;
        struct client *clients = realloc(quorum->clients, capacity * sizeof(*clients));

        if (clients == NULL) {
            quorum->out_of_memory = true;
            return NULL;
        }
        quorum->clients = clients;
        quorum->client_capacity = capacity;
    }
    quorum->clients[quorum->client_count] = (struct client){.conn = conn};
    return &quorum->clients[quorum->client_count++];
}

static void forget_client(struct quorum *quorum, uint64_t conn)
{
    for (size_t i = 0; i < quorum->client_count; i++)
        if (quorum->clients[i].conn == conn) {
            quorum->client_count--;
            memmove(&quorum->clients[i], &quorum->clients[i + 1],
                    (quorum->client_count - i) * sizeof(*quorum->clients));
            return;
        }
}

static enum cs_error start_tracking(struct quorum *quorum, struct client *client, uint32_t flags)
{
    if ((flags & (QUORUM_TRACK_CURRENT | QUORUM_TRACK_CHANGES)) != 0) {
        add_nodelist_event(quorum, client, &quorum->nobody, &quorum->nobody);
        add_quorum_event(quorum, client);
    }
    if (client->tracks)
        return CS_ERROR_EXIST;
    client->tracks = (flags & (QUORUM_TRACK_CHANGES | QUORUM_TRACK_CHANGES_ONLY)) != 0;
    return CS_ERROR_OK;
}

static void on_request(struct quorum *quorum, const struct quorum_event *event)
{
    struct client *client = find_client(quorum, event->u.request.conn);
    enum cs_error error = CS_ERROR_OK;
    uint32_t value = 0;
    struct quorum_action *answer;

    if (client == NULL)
        return;
    switch (event->u.request.type) {
    case QUORUM_GET_QUORATE:
        value = quorum->quorate;
        break;
    case QUORUM_TRACK_START:
        error = start_tracking(quorum, client, event->u.request.flags);
        break;
    case QUORUM_TRACK_STOP: /* whether it tracks or not */
        client->tracks = false;
        break;
    case QUORUM_GET_TYPE:
        value = quorum->has_provider;
        client->model = 0;
        break;
    case QUORUM_MODEL_GET_TYPE:
        value = quorum->has_provider;
        if (event->u.request.model < MODELS)
            client->model = event->u.request.model;
        else
            error = CS_ERROR_INVALID_PARAM;
        break;
    }
    answer = add(quorum, QUORUM_ACT_ANSWER, event->u.request.conn);
    answer->request = event->u.request.type;
    answer->error = error;
    answer->value = value;
}

enum q_err quorum_step(struct quorum *quorum, const struct quorum_event *event, struct quorum_actions *out)
{
    out->count = 0;
    quorum->out = out;
    quorum->out_of_memory = false;
    switch (event->type) {
    case QUORUM_EV_INIT:
        on_init(quorum, event);
        break;
    case QUORUM_EV_ACTIVATE:
        on_activate(quorum);
        break;
    case QUORUM_EV_REPORT:
        on_report(quorum, event);
        break;
    case QUORUM_EV_REQUEST:
        on_request(quorum, event);
        break;
    case QUORUM_EV_CLIENT_GONE:
        forget_client(quorum, event->u.gone.conn);
        break;
    }
    quorum->out = NULL;
    return quorum->out_of_memory ? Q_ERR_NO_MEMORY : Q_OK;
}
