/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "core/services/votequorum_machine.h"

/* ---- get info ---------------------------------------------------------------------------------------------- */

/* What describes the answering node, whichever was asked about. */
static uint32_t local_flags(const struct votequorum *vq)
{
    const struct votequorum_options *options = &vq->settings.options;

    return (options->two_node ? VOTEQUORUM_INFO_TWO_NODE : 0u) |
           (votequorum_is_quorate(vq) ? VOTEQUORUM_INFO_IS_QUORATE : 0u) |
           (options->wait_for_all ? VOTEQUORUM_INFO_WAITS_FOR_ALL : 0u) |
           (options->last_man_standing ? VOTEQUORUM_INFO_LMS : 0u) |
           (options->tie_breaker != VOTEQUORUM_TIE_BREAKER_NONE ? VOTEQUORUM_INFO_ATB : 0u) |
           (options->allow_downscale ? VOTEQUORUM_INFO_DOWNSCALE : 0u);
}

static uint32_t device_bits(uint32_t flags)
{
    return ((flags & VOTEQUORUM_FLAG_DEVICE_REGISTERED) != 0 ? VOTEQUORUM_INFO_DEVICE_REGISTERED : 0u) |
           ((flags & VOTEQUORUM_FLAG_DEVICE_ALIVE) != 0 ? VOTEQUORUM_INFO_DEVICE_ALIVE : 0u) |
           ((flags & VOTEQUORUM_FLAG_DEVICE_CAST_VOTE) != 0 ? VOTEQUORUM_INFO_DEVICE_CAST_VOTE : 0u) |
           ((flags & VOTEQUORUM_FLAG_DEVICE_MASTER_WINS) != 0 ? VOTEQUORUM_INFO_DEVICE_MASTER_WINS : 0u);
}

static enum cs_error on_get_info(struct votequorum *vq, uint32_t node_id)
{
    struct votequorum_node_info *info = &vq->out->info;
    struct votequorum_view view = votequorum_view(vq);
    const struct votequorum_node *node = votequorum_find_node(vq, node_id != 0 ? node_id : vq->own_id);

    memset(info, 0, sizeof(*info));
    if (node == NULL)
        return CS_ERROR_NOT_EXIST;
    info->node_id = node->node_id;
    info->state = node->state;
    info->votes = node->votes;
    info->expected_votes = node->expected_votes;
    info->highest_expected = votequorum_highest_expected(&view);
    info->total_votes = votequorum_total_votes(&view, (node->flags & VOTEQUORUM_FLAG_DEVICE_CAST_VOTE) != 0);
    info->quorum = vq->quorum;
    info->flags = local_flags(vq) | device_bits(node->flags);
    info->device_votes = vq->device_votes;
    memcpy(info->device_name, vq->device_name, sizeof(info->device_name));
    return CS_ERROR_OK;
}

/* ---- expected votes, votes ----------------------------------------------------------------------------------- */

static uint32_t total_votes(const struct votequorum *vq, const struct votequorum_view *view)
{
    return votequorum_total_votes(view, votequorum_device_has(vq, VOTEQUORUM_FLAG_DEVICE_CAST_VOTE));
}

static enum cs_error on_set_expected(struct votequorum *vq, bool can_send, uint32_t expected_votes)
{
    struct votequorum_view view = votequorum_view(vq);
    uint32_t total = total_votes(vq, &view);

    if (expected_votes < total)
        return CS_ERROR_INVALID_PARAM;
    if (votequorum_is_quorate(vq) && votequorum_quorum_if(&view, expected_votes) > total)
        return CS_ERROR_INVALID_PARAM;
    if (!can_send)
        return CS_ERROR_NO_RESOURCES;
    for (size_t i = 0; i < vq->node_count; i++)
        if (vq->nodes[i].state == VOTEQUORUM_MEMBER)
            vq->nodes[i].expected_votes = expected_votes;
    votequorum_send_announcement(vq, VOTEQUORUM_ANNOUNCE_EXPECTED, vq->own_id, expected_votes);
    return CS_ERROR_OK;
}

/* Would the cluster make sense with these votes in it? */
static bool votes_make_sense(struct votequorum *vq, uint32_t *votes, uint32_t value)
{
    uint32_t kept = *votes;
    struct votequorum_view view;
    uint32_t quorum;
    uint32_t total;

    *votes = value;
    view = votequorum_view(vq);
    quorum = votequorum_quorum_if(&view, 0);
    total = total_votes(vq, &view);
    *votes = kept;
    return quorum >= total / 2 && quorum <= total && total < UINT32_MAX;
}

static enum cs_error on_set_votes(struct votequorum *vq, bool can_send, uint32_t node_id, uint32_t votes)
{
    struct votequorum_node *node = votequorum_find_node(vq, node_id);

    if (node_id != 0 && node == NULL)
        return CS_ERROR_NAME_NOT_FOUND;
    if (!votes_make_sense(vq, node_id == 0 ? &vq->device_votes : &node->votes, votes))
        return CS_ERROR_INVALID_PARAM;
    if (!can_send)
        return CS_ERROR_NO_RESOURCES;
    votequorum_send_announcement(vq, VOTEQUORUM_ANNOUNCE_VOTES, node_id, votes);
    return CS_ERROR_OK;
}

/* ---- trackers -------------------------------------------------------------------------------------------------- */

/* The index; tracker_count: there is none. */
static size_t find_tracker(const struct votequorum *vq, uint64_t conn)
{
    size_t i = 0;

    while (i < vq->tracker_count && vq->trackers[i].conn != conn)
        i++;
    return i;
}

static void add_tracker(struct votequorum *vq, struct votequorum_tracker tracker)
{
    if (vq->tracker_count == vq->tracker_capacity) {
        size_t capacity = vq->tracker_capacity > 0 ? 2 * vq->tracker_capacity : 8;
        struct votequorum_tracker *trackers = realloc(vq->trackers, capacity * sizeof(*trackers));

        if (trackers == NULL) {
            vq->out_of_memory = true;
            return;
        }
        vq->trackers = trackers;
        vq->tracker_capacity = capacity;
    }
    vq->trackers[vq->tracker_count++] = tracker;
}

static bool remove_tracker(struct votequorum *vq, uint64_t conn)
{
    size_t i = find_tracker(vq, conn);

    if (i == vq->tracker_count)
        return false;
    vq->tracker_count--;
    memmove(&vq->trackers[i], &vq->trackers[i + 1], (vq->tracker_count - i) * sizeof(*vq->trackers));
    return true;
}

/* The present state is told even to who is refused because it tracks already, as the packaged daemon does. */
static enum cs_error on_track_start(struct votequorum *vq, uint64_t conn,
                                    const struct votequorum_request *request)
{
    struct votequorum_tracker tracker = {conn, request->context};

    if ((request->flags & (VOTEQUORUM_TRACK_CURRENT | VOTEQUORUM_TRACK_CHANGES)) != 0) {
        votequorum_act_nodelist_event(vq, &tracker);
        votequorum_act_quorum_event(vq, &tracker);
    }
    if (find_tracker(vq, conn) < vq->tracker_count)
        return CS_ERROR_EXIST;
    if ((request->flags & (VOTEQUORUM_TRACK_CHANGES | VOTEQUORUM_TRACK_CHANGES_ONLY)) != 0)
        add_tracker(vq, tracker);
    return CS_ERROR_OK;
}

void votequorum_on_client_gone(struct votequorum *vq, uint64_t conn)
{
    remove_tracker(vq, conn);
    if (vq->registering_conn == conn)
        vq->registering_conn = 0;
}

void votequorum_on_request(struct votequorum *vq, const struct votequorum_event *event)
{
    const struct votequorum_request *request = event->u.request.request;
    uint64_t conn = event->u.request.conn;
    bool can_send = event->u.request.can_send;
    enum cs_error error = CS_ERROR_OK;

    switch (request->type) {
    case VOTEQUORUM_GET_INFO:
        votequorum_act_answer_info(vq, conn, on_get_info(vq, request->node_id));
        return;
    case VOTEQUORUM_SET_EXPECTED:
        error = on_set_expected(vq, can_send, request->votes);
        break;
    case VOTEQUORUM_SET_VOTES:
        error = on_set_votes(vq, can_send, request->node_id, request->votes);
        break;
    case VOTEQUORUM_TRACK_START:
        error = on_track_start(vq, conn, request);
        break;
    case VOTEQUORUM_TRACK_STOP:
        error = remove_tracker(vq, conn) ? CS_ERROR_OK : CS_ERROR_NOT_EXIST;
        break;
    case VOTEQUORUM_REGISTER:
    case VOTEQUORUM_UNREGISTER:
    case VOTEQUORUM_RENAME:
    case VOTEQUORUM_POLL:
    case VOTEQUORUM_MASTER_WINS:
        votequorum_on_device_request(vq, conn, can_send, request);
        return;
    }
    votequorum_act_answer(vq, conn, error);
}
