/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/services/cpg_machine.h"

static void clear_reports(struct cpg *cpg)
{
    for (size_t i = 0; i < cpg->sync.report_count; i++)
        free(cpg->sync.reports[i].bytes);
    cpg->sync.report_count = 0;
}

void cpg_sync_fini(struct cpg *cpg)
{
    clear_reports(cpg);
    free(cpg->sync.reports);
    node_set_fini(&cpg->sync.members);
    node_set_fini(&cpg->sync.carried);
}

/*
 * A synchronisation that comes to nothing leaves us with the members of the one before it. Who has not come along in
 * the ring of the former is as lost as who has not in this one: it may have been started anew in between.
 */
void cpg_on_sync_init(struct cpg *cpg, const struct service_event *event)
{
    struct cpg_sync *sync = &cpg->sync;

    clear_reports(cpg);
    sync->running = true;
    sync->ring_id = event->u.init.ring_id;
    if (node_set_copy(&sync->members, event->u.init.members) != Q_OK)
        cpg->no_memory = true;
    node_set_intersect(&sync->carried, event->u.init.transitional);
}

void cpg_on_sync_abort(struct cpg *cpg)
{
    clear_reports(cpg);
    cpg->sync.running = false;
}

/* ---- what we say ---------------------------------------------------------------------------------------------------- */

static void send_down_list(struct cpg *cpg)
{
    uint32_t left[TOTEM_NODES_MAX];
    uint32_t count = 0;

    for (size_t i = 0; i < cpg->node_count && count < TOTEM_NODES_MAX; i++)
        if (!node_set_has(&cpg->sync.carried, cpg->nodes[i].id))
            left[count++] = cpg->nodes[i].id;
    outbox_add(cpg->out, OUTBOX_MULTICAST)->for_this_ring = true;
    cpg_put_down_list(outbox_head(cpg->out, CPG_DOWN_LIST_SIZE), (uint32_t)cpg->node_count, left, count);
}

static void send_join_list(struct cpg *cpg)
{
    const struct cpg_node *own = cpg_node_find(cpg, cpg->node_id);

    if (own == NULL || own->member_count == 0)
        return;
    outbox_add(cpg->out, OUTBOX_MULTICAST)->for_this_ring = true;
    cpg_put_join_list(outbox_head(cpg->out, CPG_JOIN_LIST_SIZE), own->member_count);
    for (const struct cpg_group *group = cpg_group_after(cpg, NULL); group != NULL;
         group = cpg_group_after(cpg, group))
        for (size_t i = cpg_member_from(group, cpg->node_id, 0);
             i < group->member_count && group->members[i].node_id == cpg->node_id; i++)
            cpg_put_entry(outbox_head(cpg->out, CPG_ENTRY_SIZE), cpg_group_name(group),
                          group->members[i].pid);
}

void cpg_on_sync_process(struct cpg *cpg)
{
    assert(cpg->sync.running);
    send_down_list(cpg);
    send_join_list(cpg);
    outbox_sync_done(cpg->out, SERVICE_CPG);
}

/* ---- what we hear --------------------------------------------------------------------------------------------------- */

static struct cpg_report *report_of(struct cpg *cpg, uint32_t node_id)
{
    struct cpg_sync *sync = &cpg->sync;
    struct cpg_report *reports;
    size_t index = 0;

    while (index < sync->report_count && sync->reports[index].node_id < node_id)
        index++;
    if (index < sync->report_count && sync->reports[index].node_id == node_id)
        return &sync->reports[index];
    reports = cpg_grow(cpg, sync->reports, &sync->report_capacity, sync->report_count, sizeof(*reports));
    if (reports == NULL)
        return NULL;
    sync->reports = reports;
    memmove(reports + index + 1, reports + index, (sync->report_count - index) * sizeof(*reports));
    sync->report_count++;
    reports[index] = (struct cpg_report){.node_id = node_id};
    return &reports[index];
}

/* The last one of a node counts: a packaged daemon may send what was meant for a ring that has come to nothing. */
void cpg_on_join_list(struct cpg *cpg, uint32_t sender, const uint8_t *bytes, size_t size,
                      enum totem_order order)
{
    struct cpg_report *report;
    uint8_t *copy;

    if (!cpg->sync.running || sender == cpg->node_id || !node_set_has(&cpg->sync.members, sender))
        return;
    report = report_of(cpg, sender);
    copy = malloc(size);
    if (report == NULL || copy == NULL) {
        cpg->no_memory = true;
        free(copy);
        return;
    }
    memcpy(copy, bytes, size);
    free(report->bytes);
    *report = (struct cpg_report){sender, copy, size, order};
}

/* ---- the outcome ---------------------------------------------------------------------------------------------------- */

/* Nodes that have not come along, of one group: one change. */
static void drop_lost(struct cpg *cpg, struct cpg_group *group)
{
    size_t kept = 0;

    for (size_t i = 0; i < group->member_count; i++) {
        const struct cpg_member *member = &group->members[i];

        if (node_set_has(&cpg->sync.carried, member->node_id) &&
            node_set_has(&cpg->sync.members, member->node_id))
            group->members[kept++] = *member;
        else if (!cpg_list_add(cpg, member->node_id, member->pid, CPG_REASON_NODE_DOWN))
            return;
    }
    group->member_count = kept;
    cpg_tell_change(cpg, group, false);
}

/* The members of the new membership, each with as many members of groups as are left. */
static bool change_nodes(struct cpg *cpg)
{
    const struct node_set *members = &cpg->sync.members;
    struct cpg_node *nodes = calloc(members->count, sizeof(*nodes));

    if (nodes == NULL || node_set_copy(&cpg->sync.carried, members) != Q_OK) {
        free(nodes);
        cpg->no_memory = true;
        return false;
    }
    free(cpg->nodes);
    cpg->nodes = nodes;
    cpg->node_count = members->count;
    cpg->ring_id = cpg->sync.ring_id;
    for (uint32_t i = 0; i < members->count; i++)
        nodes[i].id = members->ids[i];
    for (const struct cpg_group *group = cpg_group_after(cpg, NULL); group != NULL;
         group = cpg_group_after(cpg, group))
        for (size_t i = 0; i < group->member_count; i++)
            cpg_node_find(cpg, group->members[i].node_id)->member_count++;
    return true;
}

static void take_entry(struct cpg *cpg, const struct cpg_report *report, struct cpg_entry entry)
{
    struct cpg_group *group = cpg_group_get(cpg, entry.group);
    struct cpg_member *member;

    if (group == NULL) {
        cpg->no_memory = true;
        return;
    }
    member = cpg_member_find(group, report->node_id, entry.pid);
    if (member == NULL) {
        if (cpg_node_find(cpg, report->node_id)->member_count < CPG_NODE_MEMBERS_MAX)
            member = cpg_member_add(cpg, group, report->node_id, entry.pid);
        if (member != NULL)
            member->fresh = true;
    }
    if (member != NULL)
        member->reported = true;
    cpg_group_tidy(cpg, group);
}

static void take_reports(struct cpg *cpg)
{
    for (size_t i = 0; i < cpg->sync.report_count; i++) {
        const struct cpg_report *report = &cpg->sync.reports[i];
        struct cpg_message message;
        enum q_err err = cpg_message_decode(report->bytes, report->size, report->order, &message);

        assert(err == Q_OK && message.type == CPG_JOIN_LIST);
        for (size_t k = 0; k < message.entry_count; k++)
            take_entry(cpg, report, cpg_message_entry(&message, k));
    }
}

static void tell_fresh(struct cpg *cpg, struct cpg_group *group)
{
    for (size_t i = 0; i < group->member_count; i++) {
        struct cpg_member *member = &group->members[i];

        if (member->fresh && !cpg_list_add(cpg, member->node_id, member->pid, CPG_REASON_NODE_UP))
            return;
        member->fresh = false;
    }
    cpg_tell_change(cpg, group, true);
}

/* Members whose node does not know them any more: a change for each. */
static void drop_unreported(struct cpg *cpg, struct cpg_group *group)
{
    size_t index = 0;

    while (index < group->member_count) {
        struct cpg_member *member = &group->members[index];
        struct cpg_member gone = *member;

        if (gone.reported || gone.node_id == cpg->node_id) {
            member->reported = false;
            index++;
            continue;
        }
        cpg_member_remove(cpg, group, index);
        if (cpg_list_add(cpg, gone.node_id, gone.pid, CPG_REASON_PROCESS_DOWN))
            cpg_tell_change(cpg, group, false);
    }
}

static void for_each_group(struct cpg *cpg, void (*action)(struct cpg *, struct cpg_group *))
{
    struct cpg_group *group = cpg_group_after(cpg, NULL);

    while (group != NULL) {
        struct cpg_group *next = cpg_group_after(cpg, group);

        action(cpg, group);
        cpg_group_tidy(cpg, group);
        group = next;
    }
}

void cpg_on_sync_activate(struct cpg *cpg)
{
    assert(cpg->sync.running);
    for_each_group(cpg, drop_lost);
    if (cpg->no_memory || !change_nodes(cpg))
        return;
    take_reports(cpg);
    for_each_group(cpg, tell_fresh);
    for_each_group(cpg, drop_unreported);
    clear_reports(cpg);
    cpg->sync.running = false;
    cpg_tell_ring(cpg);
}
