/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <string.h>

#include "core/services/cpg_machine.h"

static void check_conn(const struct cpg *cpg, const struct cpg_group *group, const struct cpg_conn *conn)
{
    const struct cpg_member *member = cpg_member_find(group, cpg->node_id, conn->pid);

    assert(conn->group == group);
    assert(conn->state != CPG_UNJOINED);
    assert(conn->next == NULL ? group->last == conn : conn->next->previous == conn);
    assert(cpg_group_conn(group, conn->pid) == conn); /* no other is the same member */
    assert(!conn->gone || (conn->state == CPG_LEAVING && conn->iterations == NULL));
    if (conn->state == CPG_JOINING)
        assert(member == NULL);
    if (conn->state == CPG_JOINED || (conn->state == CPG_LEAVING && !conn->gone))
        assert(member != NULL);
}

static void check_pieces(const struct cpg_pieces *pieces)
{
    if (pieces->open)
        assert(pieces->done_size <= pieces->whole_size);
}

static size_t check_group(const struct cpg *cpg, const struct cpg_group *group)
{
    size_t local_count = 0;

    assert(group->member_count > 0 || group->first != NULL);
    assert(cpg_group_find(cpg, cpg_group_name(group)) == group);
    for (const struct cpg_conn *conn = group->first; conn != NULL; conn = conn->next) {
        check_conn(cpg, group, conn);
        local_count++;
    }
    for (size_t i = 0; i < group->member_count; i++) {
        const struct cpg_member *member = &group->members[i];

        assert(i == 0 || member[-1].node_id < member->node_id ||
               (member[-1].node_id == member->node_id && member[-1].pid < member->pid));
        assert(!member->reported && !member->fresh);
        check_pieces(&member->received);
        if (member->node_id == cpg->node_id)
            assert(cpg_group_conn(group, member->pid) != NULL);
    }
    return local_count;
}

static void check_nodes(const struct cpg *cpg)
{
    size_t member_count = 0;
    size_t told_count = 0;

    for (size_t i = 0; i < cpg->node_count; i++) {
        size_t count = 0;

        assert(i == 0 || cpg->nodes[i - 1].id < cpg->nodes[i].id);
        assert(cpg->nodes[i].member_count <= CPG_NODE_MEMBERS_MAX);
        for (const struct cpg_group *group = cpg_group_after(cpg, NULL); group != NULL;
             group = cpg_group_after(cpg, group))
            for (size_t k = cpg_member_from(group, cpg->nodes[i].id, 0);
                 k < group->member_count && group->members[k].node_id == cpg->nodes[i].id; k++)
                count++;
        assert(count == cpg->nodes[i].member_count);
        told_count += count;
    }
    for (const struct cpg_group *group = cpg_group_after(cpg, NULL); group != NULL;
         group = cpg_group_after(cpg, group))
        member_count += group->member_count;
    assert(told_count == member_count); /* nobody is of another node */
}

void cpg_check(const struct cpg *cpg)
{
    size_t local_count = 0;

    for (size_t i = 0; i < cpg->conn_count; i++) {
        const struct cpg_conn *conn = cpg->conns[i];

        assert(i == 0 || cpg->conns[i - 1]->id < conn->id);
        assert(!conn->gone && (conn->group == NULL) == (conn->state == CPG_UNJOINED));
        assert(conn->iteration_count <= CPG_ITERATIONS_MAX);
        check_pieces(&conn->sent);
    }
    for (const struct cpg_group *group = cpg_group_after(cpg, NULL); group != NULL;
         group = cpg_group_after(cpg, group))
        local_count += check_group(cpg, group);
    assert(local_count == cpg->local_count && local_count <= CPG_LOCAL_MEMBERS_MAX);
    assert(cpg->iteration_bytes <= CPG_ITERATION_BYTES_MAX);
    assert(cpg->list_count == 0);
    assert(cpg->sync.running || cpg->sync.report_count == 0);
    for (size_t i = 0; i < cpg->sync.report_count; i++)
        assert(node_set_has(&cpg->sync.members, cpg->sync.reports[i].node_id));
    check_nodes(cpg);
}
