/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/services/cpg_machine.h"
#include "core/services/ipc_wire.h"

/* The largest payload that an event has room for. */
#define EVENT_HEADS_MAX 200
#define DELIVERED_MAX (IPC_MESSAGE_MAX - EVENT_HEADS_MAX)

bool cpg_pieces_take(struct cpg_pieces *pieces, enum cpg_fragment type, uint32_t whole_size, uint32_t size)
{
    if (type == CPG_FRAGMENT_FIRST)
        *pieces = (struct cpg_pieces){.open = true, .whole_size = whole_size};
    if (!pieces->open || pieces->whole_size != whole_size || size > whole_size - pieces->done_size)
        return false;
    pieces->done_size += size;
    if (type == CPG_FRAGMENT_LAST)
        pieces->open = false;
    return type != CPG_FRAGMENT_LAST || pieces->done_size == whole_size;
}

static void on_join(struct cpg *cpg, uint32_t sender, const struct cpg_message *message)
{
    struct cpg_node *node = cpg_node_find(cpg, sender);
    struct cpg_group *group = cpg_group_get(cpg, message->group);
    struct cpg_conn *conn = NULL;

    if (group == NULL) {
        cpg->no_memory = true;
        return;
    }
    if (sender == cpg->node_id)
        conn = cpg_group_conn(group, message->pid);
    /* A member without a connection would be one for ever. */
    if (cpg_member_find(group, sender, message->pid) != NULL || node->member_count >= CPG_NODE_MEMBERS_MAX ||
        (sender == cpg->node_id && conn == NULL)) {
        cpg_complain(cpg, &cpg->peers, "node %u: process %u cannot join a group", sender, message->pid);
        cpg_group_tidy(cpg, group);
        return;
    }
    if (cpg_member_add(cpg, group, sender, message->pid) == NULL)
        return;
    if (conn != NULL) {
        conn->joined_at = ++cpg->sequence;
        if (conn->state == CPG_JOINING)
            conn->state = CPG_JOINED;
    }
    if (cpg_list_add(cpg, sender, message->pid, CPG_REASON_JOIN))
        cpg_tell_change(cpg, group, true);
}

static void on_leave(struct cpg *cpg, uint32_t sender, const struct cpg_message *message)
{
    struct cpg_group *group = cpg_group_find(cpg, message->group);
    struct cpg_conn *conn = NULL;
    size_t index;

    if (group == NULL)
        return;
    if (sender == cpg->node_id)
        conn = cpg_group_conn(group, message->pid);
    if (sender == cpg->node_id && (conn == NULL || conn->state != CPG_LEAVING))
        return;
    index = cpg_member_from(group, sender, message->pid);
    if (cpg_member_find(group, sender, message->pid) != NULL) {
        cpg_member_remove(cpg, group, index);
        if (cpg_list_add(cpg, sender, message->pid, message->reason))
            cpg_tell_change(cpg, group, false);
    }
    if (conn != NULL)
        cpg_conn_unjoin(cpg, conn);
    cpg_group_tidy(cpg, group);
}

static void on_fragment(struct cpg *cpg, const struct cpg_group *group, uint32_t sender,
                        const struct cpg_message *message)
{
    struct cpg_member *member = cpg_member_find(group, sender, message->pid);

    if (member == NULL ||
        !cpg_pieces_take(&member->received, message->fragment, message->whole_size, message->data_size))
        return;
    if (message->fragment == CPG_FRAGMENT_FIRST)
        member->first_at = ++cpg->sequence;
    cpg_tell_fragment(cpg, group, sender, message, member->first_at);
}

static void on_data(struct cpg *cpg, uint32_t sender, const struct cpg_message *message)
{
    const struct cpg_group *group = cpg_group_find(cpg, message->group);

    if (group == NULL || !cpg_group_has_node(group, sender)) {
        cpg_complain(cpg, &cpg->peers, "node %u: message of process %u to a group that it is not in", sender,
                     message->pid);
        return;
    }
    if (message->data_size > DELIVERED_MAX)
        cpg_complain(cpg, &cpg->peers, "node %u: message too large", sender);
    else if (message->type == CPG_MCAST)
        cpg_tell_mcast(cpg, group, sender, message);
    else
        on_fragment(cpg, group, sender, message);
}

void cpg_on_delivered(struct cpg *cpg, const struct service_event *event)
{
    uint32_t sender = event->u.delivered.sender;
    struct cpg_message message;
    enum q_err err = cpg_message_decode(event->u.delivered.bytes, event->u.delivered.size,
                                        event->u.delivered.order, &message);

    if (err != Q_OK) {
        cpg_complain(cpg, &cpg->peers, "node %u: message of cpg: %s", sender, q_err_text(err));
        return;
    }
    if (message.type == CPG_JOIN_LIST) {
        cpg_on_join_list(cpg, sender, event->u.delivered.bytes, event->u.delivered.size,
                         event->u.delivered.order);
        return;
    }
    if (message.type == CPG_OLD_DOWN_LIST || message.type == CPG_DOWN_LIST)
        return; /* each node knows for itself whom it has lost */
    if (cpg_node_find(cpg, sender) == NULL) {
        cpg_complain(cpg, &cpg->peers, "node %u: message of a node that is no member", sender);
        return;
    }
    switch (message.type) {
    case CPG_JOIN:
        on_join(cpg, sender, &message);
        break;
    case CPG_LEAVE:
        on_leave(cpg, sender, &message);
        break;
    case CPG_MCAST:
    case CPG_FRAGMENT:
        on_data(cpg, sender, &message);
        break;
    case CPG_JOIN_LIST:
    case CPG_OLD_DOWN_LIST:
    case CPG_DOWN_LIST:
        break;
    }
}
