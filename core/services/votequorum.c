/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/services/votequorum_machine.h"

struct votequorum *votequorum_new(enum totem_order order)
{
    struct votequorum *vq = calloc(1, sizeof(*vq));

    if (vq == NULL)
        return NULL;
    vq->order = order;
    vq->window_end_ms = VOTEQUORUM_NEVER;
    vq->device_deadline_ms = VOTEQUORUM_NEVER;
    votequorum_settings_init(&vq->settings);
    node_set_init(&vq->members);
    node_set_init(&vq->previous);
    node_set_init(&vq->settled);
    node_set_init(&vq->quorate_with);
    return vq;
}

void votequorum_free(struct votequorum *vq)
{
    if (vq == NULL)
        return;
    votequorum_settings_fini(&vq->settings);
    node_set_fini(&vq->members);
    node_set_fini(&vq->previous);
    node_set_fini(&vq->settled);
    node_set_fini(&vq->quorate_with);
    free(vq->nodes);
    free(vq->voters);
    free(vq->trackers);
    free(vq);
}

/* ---- the configuration --------------------------------------------------------------------------------- */

static void tell_complaints(struct votequorum *vq, const struct votequorum_complaints *complaints)
{
    for (size_t i = 0; complaints->texts[i] != NULL; i++)
        votequorum_act_note(vq, VOTEQUORUM_NOTE_CRITICAL, "%s", complaints->texts[i]);
}

static void publish_settings(struct votequorum *vq)
{
    votequorum_act_publish(vq, VOTEQUORUM_KEY_TWO_NODE, vq->settings.options.two_node);
    if (vq->settings.has_device)
        votequorum_act_publish(vq, VOTEQUORUM_KEY_DEVICE_CAN_OPERATE, vq->settings.device_can_operate);
}

static void publish_start(struct votequorum *vq, bool has_tie_breaker)
{
    votequorum_act_publish(vq, VOTEQUORUM_KEY_THIS_NODE_ID, vq->own_id);
    publish_settings(vq);
    votequorum_act_publish(vq, VOTEQUORUM_KEY_EV_BARRIER, vq->expected_votes_barrier);
    if (has_tie_breaker)
        votequorum_act_publish(vq, VOTEQUORUM_KEY_ATB_TYPE, vq->settings.options.tie_breaker);
    if (vq->settings.options.expected_votes_tracking)
        votequorum_act_publish(vq, VOTEQUORUM_KEY_EV_TRACKING_BARRIER, vq->tracking_barrier);
}

static void start(struct votequorum *vq, const struct votequorum_config *config)
{
    struct votequorum_complaints complaints;
    enum q_err err = votequorum_settings_start(&vq->settings, config, &complaints);
    struct votequorum_node *own;

    if (err == Q_ERR_INVALID) {
        votequorum_act_refuse(vq, complaints.texts[0]);
        return;
    }
    own = err == Q_OK ? votequorum_add_node(vq, config->node_id) : NULL;
    if (own == NULL) {
        vq->out_of_memory = true;
        return;
    }
    vq->configured = true;
    vq->own_id = config->node_id;
    own->state = VOTEQUORUM_MEMBER;
    own->votes = vq->settings.own_votes;
    own->expected_votes = vq->settings.own_expected_votes;
    own->flags = VOTEQUORUM_FLAG_FIRST;
    vq->device_votes = vq->settings.device_votes;
    vq->expected_votes_barrier = own->expected_votes;
    vq->tracking_barrier = config->stored_expected_votes;
    tell_complaints(vq, &complaints);
    publish_start(vq, config->auto_tie_breaker);
    votequorum_set_waiting(vq, vq->settings.options.wait_for_all);
    votequorum_count(vq, (struct votequorum_question){false, false});
    votequorum_send_own_info(vq);
}

static void update(struct votequorum *vq, const struct votequorum_config *config)
{
    struct votequorum_complaints complaints;
    struct votequorum_node *own = votequorum_own(vq);
    uint32_t votes = own->votes;
    uint32_t expected_votes = own->expected_votes;
    enum q_err err = votequorum_settings_update(
        &vq->settings, config, votequorum_device_has(vq, VOTEQUORUM_FLAG_DEVICE_REGISTERED), &complaints);

    tell_complaints(vq, &complaints);
    if (err != Q_OK) {
        votequorum_act_note(vq, VOTEQUORUM_NOTE_CRITICAL, "quorum goes on with what was configured before");
        return;
    }
    publish_settings(vq);
    votequorum_act_publish(vq, VOTEQUORUM_KEY_ATB_TYPE, vq->settings.options.tie_breaker);
    votequorum_set_waiting(vq, vq->waiting && vq->settings.options.wait_for_all);
    own->votes = vq->settings.own_votes;
    own->expected_votes = vq->settings.own_expected_votes;
    vq->device_votes = vq->settings.device_votes;
    votequorum_send_own_info(vq);
    votequorum_send_device_info(vq);
    if (own->votes != votes)
        votequorum_send_announcement(vq, VOTEQUORUM_ANNOUNCE_VOTES, vq->own_id, own->votes);
    if (own->expected_votes != expected_votes)
        votequorum_send_announcement(vq, VOTEQUORUM_ANNOUNCE_EXPECTED, vq->own_id, own->expected_votes);
}

static void on_cancel_wait(struct votequorum *vq)
{
    vq->is_published[VOTEQUORUM_KEY_CANCEL_WAIT_FOR_ALL] = false; /* somebody else has written it */
    votequorum_act_publish(vq, VOTEQUORUM_KEY_CANCEL_WAIT_FOR_ALL, 0);
    votequorum_send_announcement(vq, VOTEQUORUM_ANNOUNCE_CANCEL_WAIT, vq->own_id, 0);
}

/* ---- the synchronisation --------------------------------------------------------------------------------- */

static void mark_dead(struct votequorum *vq)
{
    for (size_t i = 0; i < vq->node_count; i++)
        if (!node_set_has(&vq->members, vq->nodes[i].node_id))
            vq->nodes[i].state = VOTEQUORUM_DEAD;
}

/* Everybody is counted as before until it tells anew; who does not is no less a member of the ring. */
static void on_begin(struct votequorum *vq, const struct votequorum_event *event)
{
    struct votequorum_view view;

    if (node_set_assign(&vq->members, event->u.begin.members, event->u.begin.member_count) != Q_OK ||
        node_set_copy(&vq->previous, &vq->settled) != Q_OK)
        vq->out_of_memory = true;
    assert(vq->out_of_memory || node_set_has(&vq->members, vq->own_id));
    vq->ring_id = event->u.begin.ring_id;
    vq->synchronising = true;
    vq->pass_is_due = false;
    if (vq->members.count > 1)
        votequorum_own(vq)->flags &= ~(uint32_t)VOTEQUORUM_FLAG_FIRST;
    view = votequorum_view(vq);
    if (votequorum_starts_window(&view))
        vq->window_end_ms = vq->now_ms + vq->settings.last_man_standing_window_ms;
    if (!vq->out_of_memory)
        mark_dead(vq);
    votequorum_await_device(vq);
}

/* Ourselves first: peers of the packaged make end if they hear of the device from somebody they do not know. */
static void on_process(struct votequorum *vq)
{
    votequorum_send_own_info(vq);
    votequorum_send_device_info(vq);
    if (vq->device_name[0] != '\0')
        votequorum_send_registration(vq, true, vq->device_name);
    for (size_t i = 0; i < vq->tracker_count; i++)
        votequorum_act_nodelist_event(vq, &vq->trackers[i]);
    vq->pass_is_due = vq->device_is_awaited;
    if (!vq->pass_is_due)
        votequorum_act_pass(vq);
}

static void on_activate(struct votequorum *vq)
{
    assert(!vq->pass_is_due);
    if (node_set_copy(&vq->settled, &vq->members) != Q_OK)
        vq->out_of_memory = true;
    votequorum_count(vq, (struct votequorum_question){false, false});
    vq->synchronising = false;
    votequorum_act_report(vq);
}

/* ---- the clock --------------------------------------------------------------------------------------------- */

/* Not in a synchronisation: those who are still to tell their votes would be counted out. */
static void on_window_time(struct votequorum *vq)
{
    if (vq->synchronising || vq->now_ms < vq->window_end_ms)
        return;
    vq->window_end_ms = VOTEQUORUM_NEVER;
    if (votequorum_is_quorate(vq))
        votequorum_count(vq, (struct votequorum_question){true, true});
}

static void on_time(struct votequorum *vq)
{
    votequorum_on_device_time(vq);
    on_window_time(vq);
}

uint64_t votequorum_deadline_ms(const struct votequorum *vq)
{
    uint64_t window_end_ms = vq->synchronising ? VOTEQUORUM_NEVER : vq->window_end_ms;

    return window_end_ms < vq->device_deadline_ms ? window_end_ms : vq->device_deadline_ms;
}

/* ---- events ------------------------------------------------------------------------------------------------ */

/* Everybody else counts without us from now on. */
static void on_shutdown(struct votequorum *vq)
{
    if (!vq->settings.options.allow_downscale)
        return;
    votequorum_own(vq)->flags |= VOTEQUORUM_FLAG_LEAVING;
    votequorum_send_own_info(vq);
}

static void handle(struct votequorum *vq, const struct votequorum_event *event)
{
    switch (event->type) {
    case VOTEQUORUM_EV_CONFIG:
        assert(event->u.config->node_id == vq->own_id);
        update(vq, event->u.config);
        break;
    case VOTEQUORUM_EV_CANCEL_WAIT:
        on_cancel_wait(vq);
        break;
    case VOTEQUORUM_EV_SYNC_BEGIN:
        on_begin(vq, event);
        break;
    case VOTEQUORUM_EV_SYNC_PROCESS:
        on_process(vq);
        break;
    case VOTEQUORUM_EV_SYNC_ACTIVATE:
        on_activate(vq);
        break;
    case VOTEQUORUM_EV_SYNC_ABORT:
        vq->pass_is_due = false;
        break;
    case VOTEQUORUM_EV_DELIVERED:
        votequorum_on_delivered(vq, event);
        break;
    case VOTEQUORUM_EV_REQUEST:
        votequorum_on_request(vq, event);
        break;
    case VOTEQUORUM_EV_CLIENT_GONE:
        votequorum_on_client_gone(vq, event->u.gone.conn);
        break;
    case VOTEQUORUM_EV_SHUTDOWN:
        on_shutdown(vq);
        break;
    case VOTEQUORUM_EV_TIME:
        on_time(vq);
        break;
    }
}

enum q_err votequorum_step(struct votequorum *vq, const struct votequorum_event *event,
                           struct votequorum_actions *out)
{
    assert(event->now_ms >= vq->now_ms);
    vq->now_ms = event->now_ms;
    vq->out = out;
    vq->out_of_memory = false;
    if (vq->configured) {
        handle(vq, event);
    } else {
        assert(event->type == VOTEQUORUM_EV_CONFIG);
        start(vq, event->u.config);
    }
    vq->out = NULL;
    return vq->out_of_memory ? Q_ERR_NO_MEMORY : Q_OK;
}

void votequorum_check(const struct votequorum *vq)
{
    const struct votequorum_node *own = votequorum_own(vq);
    bool registered = (own->flags & VOTEQUORUM_FLAG_DEVICE_REGISTERED) != 0;
    bool alive = (own->flags & VOTEQUORUM_FLAG_DEVICE_ALIVE) != 0;
    bool votes = (own->flags & VOTEQUORUM_FLAG_DEVICE_CAST_VOTE) != 0;

    for (size_t i = 0; i < vq->node_count; i++) {
        assert(vq->nodes[i].node_id != 0);
        assert(i == 0 || vq->nodes[i].node_id > vq->nodes[i - 1].node_id);
    }
    assert(own->state == VOTEQUORUM_MEMBER);
    assert(((own->flags & VOTEQUORUM_FLAG_WAITING) != 0) == vq->waiting);
    assert(!vq->waiting || !votequorum_is_quorate(vq) || vq->synchronising);
    assert(!votes || alive);
    assert(!alive || registered);
    assert(!registered || vq->device_name[0] != '\0');
    assert(alive == (vq->device_deadline_ms != VOTEQUORUM_NEVER));
    assert(!vq->pass_is_due || (vq->synchronising && vq->device_is_awaited));
    assert(vq->quorum > 0);
}
