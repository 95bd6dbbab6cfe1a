/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/services/votequorum_machine.h"

/*
 * What we said ourselves. Our own table is right whatever this says (votequorum.h); it tells when the ring
 * has heard us, and what peers believe now: if that is out of date, they are told again. Something newer may
 * be on its way already: then once more does no harm. Our expected votes may have been announced away since it was said; peers,
 * which hear it now, count with what it says, and so do we.
 */
static void on_own_info(struct votequorum *vq, const struct votequorum_message *message)
{
    struct votequorum_node *own = votequorum_own(vq);
    bool counts_for_peers =
        (message->u.node_info.flags & VOTEQUORUM_FLAG_QUORATE) != 0 || vq->settings.options.expected_votes_tracking;
    bool outdated = ((message->u.node_info.flags ^ own->flags) & VOTEQUORUM_DEVICE_FLAGS) != 0 ||
                    message->u.node_info.votes != own->votes;

    if (!outdated) {
        vq->correcting = false;
    } else if (!vq->correcting) {
        vq->correcting = true;
        votequorum_send_own_info(vq);
    }
    if (counts_for_peers && message->u.node_info.expected_votes > own->expected_votes)
        own->expected_votes = message->u.node_info.expected_votes;
    votequorum_count(vq, (struct votequorum_question){false, false});
}

static bool is_changed(const struct votequorum_node *before, const struct votequorum_node *after)
{
    return before->votes != after->votes || before->expected_votes != after->expected_votes ||
           before->flags != after->flags || before->state != after->state;
}

static void on_peer_info(struct votequorum *vq, const struct votequorum_message *message)
{
    struct votequorum_node *own = votequorum_own(vq);
    struct votequorum_node *node = votequorum_find_node(vq, message->u.node_info.node_id);
    struct votequorum_question question = {false, false};
    uint32_t flags = message->u.node_info.flags;
    bool quorate = (flags & VOTEQUORUM_FLAG_QUORATE) != 0;
    bool is_new = node == NULL;
    struct votequorum_node before;

    if (is_new) {
        node = votequorum_add_node(vq, message->u.node_info.node_id);
        if (node == NULL)
            return;
        own = votequorum_own(vq);
    }
    before = *node;
    node->flags = flags;
    node->votes = message->u.node_info.votes;
    node->state = VOTEQUORUM_MEMBER;
    if ((flags & VOTEQUORUM_FLAG_LEAVING) != 0) {
        node->state = VOTEQUORUM_LEAVING;
        question.allow_decrease = true;
        question.by_current_nodes = true;
    }
    if (quorate && !votequorum_is_quorate(vq)) {
        own->expected_votes = message->u.node_info.expected_votes;
        question.allow_decrease = true;
    }
    node->expected_votes = quorate || vq->settings.options.expected_votes_tracking
                               ? message->u.node_info.expected_votes
                               : own->expected_votes;
    if (is_new || is_changed(&before, node) || (flags & VOTEQUORUM_FLAG_FIRST) != 0)
        votequorum_count(vq, question);
    /* Who joins nodes that are quorate has not to wait for others. */
    if (vq->settings.options.wait_for_all && quorate && (flags & VOTEQUORUM_FLAG_WAITING) == 0)
        votequorum_set_waiting(vq, false);
}

static void on_device_info(struct votequorum *vq, uint32_t sender, uint32_t votes)
{
    const struct votequorum_node *node = votequorum_find_node(vq, sender);
    bool follows = node != NULL && (node->flags & VOTEQUORUM_FLAG_QUORATE) != 0 && !votequorum_is_quorate(vq);

    if (votes == vq->device_votes || (!follows && votes < vq->device_votes))
        return;
    vq->device_votes = votes;
    votequorum_count(vq, (struct votequorum_question){false, false});
}

static void on_node_info(struct votequorum *vq, uint32_t sender, const struct votequorum_message *message)
{
    if (message->u.node_info.node_id == 0)
        on_device_info(vq, sender, message->u.node_info.votes);
    else if (message->u.node_info.node_id != sender)
        votequorum_act_note(vq, VOTEQUORUM_NOTE_WARNING, "node %u speaks for node %u: ignored", sender,
                            message->u.node_info.node_id);
    else if (sender == vq->own_id)
        on_own_info(vq, message);
    else
        on_peer_info(vq, message);
}

static void expect_of_all(struct votequorum *vq, uint32_t expected_votes)
{
    for (size_t i = 0; i < vq->node_count; i++)
        if (vq->nodes[i].state == VOTEQUORUM_MEMBER)
            vq->nodes[i].expected_votes = expected_votes;
}

/* Those that are tracked do not fall, whatever was asked for, and told. */
static void on_expected(struct votequorum *vq, uint32_t expected_votes)
{
    expect_of_all(vq, expected_votes);
    votequorum_act_expected_events(vq);
    vq->expected_votes_barrier = expected_votes;
    votequorum_act_publish(vq, VOTEQUORUM_KEY_EV_BARRIER, expected_votes);
    if (vq->settings.options.expected_votes_tracking && expected_votes < vq->tracking_barrier)
        expect_of_all(vq, vq->tracking_barrier);
}

static void on_votes(struct votequorum *vq, uint32_t node_id, uint32_t votes)
{
    struct votequorum_node *node = votequorum_find_node(vq, node_id);

    if (node_id == 0)
        vq->device_votes = votes;
    else if (node != NULL)
        node->votes = votes;
}

static void on_announcement(struct votequorum *vq, const struct votequorum_message *message)
{
    switch (message->u.announcement.what) {
    case VOTEQUORUM_ANNOUNCE_EXPECTED:
        on_expected(vq, message->u.announcement.value);
        votequorum_count(vq, (struct votequorum_question){.allow_decrease = true});
        break;
    case VOTEQUORUM_ANNOUNCE_VOTES:
        on_votes(vq, message->u.announcement.node_id, message->u.announcement.value);
        votequorum_count(vq, (struct votequorum_question){.allow_decrease = true});
        break;
    case VOTEQUORUM_ANNOUNCE_CANCEL_WAIT:
        votequorum_set_waiting(vq, false);
        votequorum_count(vq, (struct votequorum_question){false, false});
        break;
    }
}

void votequorum_on_delivered(struct votequorum *vq, const struct votequorum_event *event)
{
    uint32_t sender = event->u.delivered.sender;
    struct votequorum_message message;
    enum q_err err = votequorum_message_decode(event->u.delivered.bytes, event->u.delivered.size,
                                               event->u.delivered.order, &message);

    /* Before the first ring there is nobody but us. */
    if (sender != vq->own_id && !node_set_has(&vq->members, sender)) {
        votequorum_act_note(vq, VOTEQUORUM_NOTE_WARNING, "message of node %u, which is no member: ignored",
                            sender);
        return;
    }
    if (err != Q_OK) {
        votequorum_act_note(vq, VOTEQUORUM_NOTE_WARNING, "message of node %u: %s", sender, q_err_text(err));
        return;
    }
    switch (message.type) {
    case VOTEQUORUM_NODE_INFO:
        on_node_info(vq, sender, &message);
        break;
    case VOTEQUORUM_ANNOUNCEMENT:
        on_announcement(vq, &message);
        break;
    case VOTEQUORUM_DEVICE_REGISTRATION:
        votequorum_on_registration(vq, sender, &message);
        break;
    case VOTEQUORUM_DEVICE_RENAME:
        votequorum_on_rename(vq, &message);
        break;
    }
}
