/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/logic/cluster_register.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/logic/line_file.h"

static const char head[] = "quorate-clusters 1\n";

#define IDENTITY_LENGTH (CLUSTER_IDENTITY_TEXT_SIZE - 1)
#define LINE_SIZE (IDENTITY_LENGTH + 1 + CERTS_CLUSTER_NAME_LENGTH_MAX + 2)

void cluster_register_fini(struct cluster_register *clusters)
{
    free(clusters->items);
    *clusters = (struct cluster_register){0};
}

static bool has(const struct cluster_register *clusters, const char *name, const struct cluster_identity *identity)
{
    for (size_t i = 0; i < clusters->count; i++) {
        if (cluster_identity_equal(&clusters->items[i].identity, identity) && certs_name_same(clusters->items[i].name, name))
            return true;
    }
    return false;
}

static enum q_err append(struct cluster_register *clusters, const char *name, size_t length,
                         const struct cluster_identity *identity)
{
    struct registered_cluster *grown;

    if (clusters->count == CLUSTER_REGISTER_MAX)
        return Q_ERR_LIMIT;
    /* In powers of two: it is read as a whole by every invitation. */
    if ((clusters->count & (clusters->count - 1)) == 0) {
        grown = realloc(clusters->items, (clusters->count == 0 ? 1 : 2 * clusters->count) * sizeof(*grown));
        if (grown == NULL)
            return Q_ERR_NO_MEMORY;
        clusters->items = grown;
    }
    clusters->items[clusters->count].identity = *identity;
    memcpy(clusters->items[clusters->count].name, name, length);
    clusters->items[clusters->count++].name[length] = '\0';
    return Q_OK;
}

enum q_err cluster_register_add(struct cluster_register *clusters, const char *name,
                                const struct cluster_identity *identity)
{
    return has(clusters, name, identity) ? Q_OK : append(clusters, name, strlen(name), identity);
}

size_t cluster_register_find(const struct cluster_register *clusters, const char *name, const char *prefix,
                             struct cluster_identity *found)
{
    size_t count = 0;

    for (size_t i = 0; i < clusters->count; i++) {
        char text[CLUSTER_IDENTITY_TEXT_SIZE];

        if (!certs_name_same(clusters->items[i].name, name))
            continue;
        cluster_identity_text(&clusters->items[i].identity, text);
        if (strncmp(text, prefix, strlen(prefix)) == 0 && count++ == 0)
            *found = clusters->items[i].identity;
    }
    return count;
}

/* Somebody has written down a whole identity, of which the register knows nothing under that name. */
static enum cluster_register_answer judge_strange(const struct cluster_register *clusters, struct cluster_identity *identity,
                                                  const char **name_there)
{
    for (size_t i = 0; i < clusters->count; i++) {
        if (!cluster_identity_equal(&clusters->items[i].identity, identity))
            continue;
        *name_there = clusters->items[i].name;
        *identity = (struct cluster_identity){{0}};
        return CLUSTER_REGISTER_ELSEWHERE;
    }
    return CLUSTER_REGISTER_STRANGE;
}

enum cluster_register_answer cluster_register_choose(const struct cluster_register *clusters, const struct cluster_wish *wish,
                                                     struct cluster_identity *identity, const char **name_there)
{
    const char *prefix = wish->identity != NULL ? wish->identity : "";
    size_t count;

    *identity = (struct cluster_identity){{0}};
    if (wish->another)
        return CLUSTER_REGISTER_NEW;
    count = cluster_register_find(clusters, wish->name, prefix, identity);
    if (count == 1)
        return CLUSTER_REGISTER_KNOWN;
    *identity = (struct cluster_identity){{0}};
    if (count > 1)
        return CLUSTER_REGISTER_SEVERAL;
    if (wish->identity == NULL)
        return CLUSTER_REGISTER_NEW;
    if (cluster_identity_parse(wish->identity, strlen(wish->identity), identity))
        return judge_strange(clusters, identity, name_there);
    return CLUSTER_REGISTER_NONE;
}

/* ---- text ------------------------------------------------------------------------------------------------------- */

void cluster_register_encode(const struct cluster_register *clusters, struct q_buf *out)
{
    q_buf_append(out, head, strlen(head));
    for (size_t i = 0; i < clusters->count; i++) {
        char line[LINE_SIZE], identity[CLUSTER_IDENTITY_TEXT_SIZE];
        int length;

        cluster_identity_text(&clusters->items[i].identity, identity);
        length = snprintf(line, sizeof(line), "%s %s\n", identity, clusters->items[i].name);
        q_buf_append(out, line, (size_t)length);
    }
    q_buf_append(out, LINE_FILE_END, strlen(LINE_FILE_END));
}

static enum q_err take_entry(void *context, const char *line)
{
    const char *name = line + IDENTITY_LENGTH + 1;
    struct cluster_identity identity;

    if (strlen(line) <= IDENTITY_LENGTH + 1 || line[IDENTITY_LENGTH] != ' ' ||
        !cluster_identity_parse(line, IDENTITY_LENGTH, &identity) || certs_name_fault(name) != NULL)
        return Q_ERR_INVALID;
    return append(context, name, strlen(name), &identity);
}

enum q_err cluster_register_decode(const uint8_t *bytes, size_t size, struct cluster_register *out)
{
    enum q_err err;

    *out = (struct cluster_register){0};
    err = line_file_each(bytes, size, head, take_entry, out);
    if (err != Q_OK)
        cluster_register_fini(out);
    return err;
}
