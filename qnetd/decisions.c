/* SPDX-License-Identifier: BSD-3-Clause */
#include "qnetd/decisions.h"

#include <stdlib.h>
#include <string.h>

void decisions_init(struct decisions *decisions)
{
    memset(decisions, 0, sizeof(*decisions));
}

void decisions_fini(struct decisions *decisions)
{
    for (size_t i = 0; i < DECISIONS_KEPT; i++)
        free(decisions->entries[i]);
    decisions_init(decisions);
}

void decisions_add(struct decisions *decisions, int64_t wall_ms, int level, struct wire_bytes cluster_name,
                   uint32_t node_id, const char *text)
{
    uint64_t seq = ++decisions->newest_seq;
    struct decision **place = &decisions->entries[seq % DECISIONS_KEPT];
    size_t text_size = strlen(text) + 1;
    struct decision *entry;
    char *name, *text_copy;

    if (cluster_name.size > DECISION_NAME_MAX)
        cluster_name.size = DECISION_NAME_MAX;
    free(*place);
    *place = NULL;
    entry = malloc(sizeof(*entry) + cluster_name.size + text_size);
    if (entry == NULL)
        return;
    name = (char *)(entry + 1);
    text_copy = name + cluster_name.size;
    if (cluster_name.size > 0)
        memcpy(name, cluster_name.data, cluster_name.size);
    memcpy(text_copy, text, text_size);
    *entry = (struct decision){
        .seq = seq,
        .wall_ms = wall_ms,
        .level = level,
        .node_id = node_id,
        .cluster_name = {.data = (const uint8_t *)name, .size = cluster_name.size},
        .text = text_copy,
    };
    *place = entry;
}

const struct decision *decisions_after(const struct decisions *decisions, uint64_t seq)
{
    uint64_t oldest = decisions->newest_seq < DECISIONS_KEPT ? 1 : decisions->newest_seq - DECISIONS_KEPT + 1;

    for (uint64_t at = seq + 1 > oldest ? seq + 1 : oldest; at <= decisions->newest_seq; at++) {
        if (decisions->entries[at % DECISIONS_KEPT] != NULL)
            return decisions->entries[at % DECISIONS_KEPT];
    }
    return NULL;
}
