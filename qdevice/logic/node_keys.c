/* SPDX-License-Identifier: BSD-3-Clause */
#include "qdevice/logic/node_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "nodelist.node."

/* The POSITION of a key of the node list, with its length; NULL if it is another key. `name` becomes what follows. */
static const char *position_of(const char *key, size_t *length, const char **name)
{
    const char *position = key + strlen(PREFIX);
    const char *dot;

    if (strncmp(key, PREFIX, strlen(PREFIX)) != 0)
        return NULL;
    dot = strchr(position, '.');
    if (dot == NULL || dot == position)
        return NULL;
    *length = (size_t)(dot - position);
    *name = dot + 1;
    return position;
}

static bool marks_node(const char *name)
{
    return strcmp(name, "ring0_addr") == 0 || strcmp(name, "name") == 0;
}

/* A dotted IPv4 address, from which an id can be derived without asking anybody; 0: it is something else. */
static uint32_t id_from_address(const char *address, bool clear_high_bit)
{
    uint32_t id = 0;

    for (int part = 0; part < 4; part++) {
        char *end;
        unsigned long value = strtoul(address, &end, 10);

        if (end == address || *address < '0' || *address > '9' || value > 255 || *end != (part < 3 ? '.' : '\0'))
            return 0;
        id = id << 8 | (uint32_t)value;
        address = end + 1;
    }
    return clear_high_bit ? id & INT32_MAX : id;
}

static bool sub_number(const struct keys *keys, const char *position, size_t length, const char *name, uint64_t *number)
{
    char key[256];

    snprintf(key, sizeof(key), PREFIX "%.*s.%s", (int)length, position, name);
    return keys_number(keys, key, KEY_U32, number);
}

static uint32_t node_id(const struct keys *keys, const char *position, size_t length)
{
    const char *clear = keys_text(keys, "totem.clear_node_high_bit");
    const char *address;
    uint64_t number = 0;
    char key[256];

    if (sub_number(keys, position, length, "nodeid", &number))
        return (uint32_t)number;
    snprintf(key, sizeof(key), PREFIX "%.*s.ring0_addr", (int)length, position);
    address = keys_text(keys, key);
    return address != NULL ? id_from_address(address, clear != NULL && strcmp(clear, "yes") == 0) : 0;
}

static bool is_known(const struct wire_node_info *nodes, uint32_t count, uint32_t id)
{
    for (uint32_t i = 0; i < count; i++)
        if (nodes[i].node_id == id)
            return true;
    return false;
}

enum q_err node_keys_parse(const struct keys *keys, struct wire_node_info **nodes, uint32_t *count, char *err_text,
                           size_t size)
{
    struct wire_node_info *list = calloc(WIRE_NODES_MAX, sizeof(*list));
    uint32_t found = 0;

    if (list == NULL)
        return Q_ERR_NO_MEMORY;
    for (size_t i = 0; i < keys->count; i++) {
        uint64_t data_center = 0;
        const char *position, *name;
        size_t length;
        uint32_t id;

        position = position_of(keys->items[i].name, &length, &name);
        if (position == NULL || !marks_node(name))
            continue;
        id = node_id(keys, position, length);
        if (id == 0) {
            snprintf(err_text, size, "nodelist.node.%.*s has no nodeid: set one", (int)length, position);
            free(list);
            return Q_ERR_INVALID;
        }
        if (is_known(list, found, id) || found == WIRE_NODES_MAX)
            continue;
        sub_number(keys, position, length, "datacenterid", &data_center);
        list[found].node_id = id;
        list[found++].data_center_id = (uint32_t)data_center;
    }
    if (found == 0) {
        snprintf(err_text, size, "there is no nodelist: a quorum device needs one");
        free(list);
        return Q_ERR_INVALID;
    }
    *nodes = list;
    *count = found;
    return Q_OK;
}
