/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/config_internal.h"

#define PREFIX "nodelist.node."

/* ---- the list ---- */

/* Splits "nodelist.node.N.KEY". NULL: it is not of that form. */
static const char *split_key(const char *name, uint32_t *position)
{
    const char *at = name + strlen(PREFIX);
    uint64_t number = 0;

    if (*at < '0' || *at > '9')
        return NULL;
    for (; *at >= '0' && *at <= '9'; at++) {
        number = number * 10 + (uint64_t)(*at - '0');
        if (number > UINT32_MAX)
            return NULL;
    }
    if (*at != '.')
        return NULL;
    *position = (uint32_t)number;
    return at + 1;
}

/* L of "ringL_addr", as the packaged daemon reads it (with a sign, even). False: another key. */
static bool split_ring(const char *key, uint32_t *link)
{
    bool is_negative;
    uint32_t number = 0;
    const char *digits;

    if (strncmp(key, "ring", 4) != 0)
        return false;
    key += 4;
    is_negative = *key == '-';
    key += is_negative;
    for (digits = key; *key >= '0' && *key <= '9'; key++)
        number = number > UINT32_MAX / 10 - 1 ? UINT32_MAX / 10 : number * 10 + (uint32_t)(*key - '0');
    *link = is_negative ? 0 - number : number;
    return key > digits && strcmp(key, "_addr") == 0;
}

/* The node of that position, which is the last one: keys are sorted. NULL: no memory, or too many. */
static struct core_node *node_at(struct config_reading *r, uint32_t position)
{
    struct core_config *config = r->config;
    struct core_node *larger;

    if (config->node_count > 0 && config->nodes[config->node_count - 1].position == position)
        return &config->nodes[config->node_count - 1];
    if (config->node_count > CORE_NODES_MAX)
        return NULL;
    larger = reallocarray(config->nodes, config->node_count + 1, sizeof(*larger));
    if (larger == NULL) {
        r->no_memory = true;
        return NULL;
    }
    config->nodes = larger;
    larger[config->node_count] = (struct core_node){.position = position, .votes = 1};
    return &larger[config->node_count++];
}

static void read_node_key(struct config_reading *r, struct core_node *node, const char *name, const char *key)
{
    uint64_t number;
    uint32_t link;

    if (strcmp(key, "nodeid") == 0 && config_number(r, name, CMAP_U32, &number)) {
        node->id = (uint32_t)number;
    } else if (strcmp(key, "quorum_votes") == 0 && config_number(r, name, CMAP_U32, &number)) {
        node->votes = (uint32_t)number;
    } else if (strcmp(key, "name") == 0) {
        node->name = config_text(r, name);
    } else if (split_ring(key, &link)) {
        if (link < CORE_LINKS_MAX) {
            node->address_texts[link] = config_text(r, name);
            r->config->links[link].exists = true;
        } else if (!r->link_is_too_high || link > r->highest_link) {
            r->link_is_too_high = true;
            r->highest_link = link;
        }
    }
}

void config_read_nodes(struct config_reading *r)
{
    struct cmap_value value;

    for (const char *name = cmap_store_next(r->keys, PREFIX, "", &value); name != NULL;
         name = cmap_store_next(r->keys, PREFIX, name, &value)) {
        uint32_t position;
        const char *key = split_key(name, &position);
        struct core_node *node = key == NULL ? NULL : node_at(r, position);
        if (node == NULL)
            continue;
        node->key_count++;
        read_node_key(r, node, name, key);
    }
    if (r->config->node_count > CORE_NODES_MAX)
        config_fail(r, CONF_STAGE_READ, NULL, "a message of the ring can name no more",
                    "The nodelist has more than %d nodes", CORE_NODES_MAX);
}

/* ---- which of them is this host (spec/corosync-conf.md section 5.1) ---- */

/* The first `length` characters of a name against a whole text, which may be cut at its first dot. */
static bool matches(const char *text, const char *name, size_t length, bool cut_text)
{
    size_t text_length = text == NULL ? 0 : cut_text ? strcspn(text, ".") : strlen(text);

    return text_length > 0 && text_length == length && memcmp(text, name, length) == 0;
}

static bool find_by_name(struct config_reading *r, const char *name, size_t length, bool cut_text)
{
    for (size_t i = 0; i < r->config->node_count; i++) {
        const struct core_node *node = &r->config->nodes[i];
        if (matches(node->name, name, length, cut_text) ||
            matches(node->address_texts[0], name, length, cut_text)) {
            r->config->local_index = i;
            return true;
        }
    }
    return false;
}

/* Steps 1 to 3: the name of the host, shorter and shorter. */
static bool find_by_node_name(struct config_reading *r)
{
    const char *name = r->facts->node_name == NULL ? "" : r->facts->node_name;
    size_t length = strlen(name);

    for (;;) {
        if (find_by_name(r, name, length, false))
            return true;
        while (length > 0 && name[length - 1] != '.')
            length--;
        if (length == 0)
            break;
        length--;
    }
    return find_by_name(r, name, strcspn(name, "."), true);
}

/* Step 4: the names and numbers of this host's addresses. */
static bool find_by_local_addresses(struct config_reading *r)
{
    size_t wanted_count = r->facts->wanted_count;

    for (size_t i = 0; i < r->facts->local_count; i++)
        conf_facts_ask(r->facts, CONF_FACT_HOST_NAME, r->facts->local[i].text);
    if (r->facts->wanted_count > wanted_count)
        return true; /* not yet: to be read again */
    for (size_t i = 0; i < r->facts->local_count; i++) {
        const char *number = r->facts->local[i].text;
        const struct conf_fact *fact = conf_facts_ask(r->facts, CONF_FACT_HOST_NAME, number);
        const char *name = fact != NULL && fact->found ? fact->text_found : NULL;
        if (name != NULL &&
            (find_by_name(r, name, strlen(name), false) || find_by_name(r, name, strcspn(name, "."), false)))
            return true;
        if (find_by_name(r, number, strlen(number), false))
            return true;
    }
    return false;
}

static bool is_local(const struct conf_facts *facts, const struct conf_fact *fact)
{
    for (size_t i = 0; fact != NULL && i < fact->address_count; i++)
        for (size_t j = 0; j < facts->local_count; j++)
            if (conf_address_equal(&fact->addresses[i], &facts->local[j]))
                return true;
    return false;
}

/* Step 5: the addresses of the list's names. */
static void find_by_listed_names(struct config_reading *r)
{
    struct core_config *config = r->config;

    for (size_t i = 0; i < config->node_count; i++) {
        const char *const texts[] = {config->nodes[i].name, config->nodes[i].address_texts[0]};
        for (size_t j = 0; j < COUNT(texts); j++) {
            const struct conf_fact *fact =
                texts[j] == NULL ? NULL : conf_facts_ask(r->facts, CONF_FACT_ADDRESSES, texts[j]);
            if (config->local_index == SIZE_MAX && is_local(r->facts, fact))
                config->local_index = i;
        }
    }
    /* An earlier name may still turn out to be ours. */
    if (r->facts->wanted_count > 0)
        config->local_index = SIZE_MAX;
}

void config_find_local_node(struct config_reading *r)
{
    if (!find_by_node_name(r) && !find_by_local_addresses(r))
        find_by_listed_names(r);
}

/* ---- ids ---- */

static const char *node_key(const struct core_node *node, const char *key, char name[CMAP_NAME_MAX + 1])
{
    snprintf(name, CMAP_NAME_MAX + 1, PREFIX "%u.%s", node->position, key);
    return name;
}

/* An id from an IPv4 address, as udp and udpu make it. False: there is no such address. */
static bool generate_id(struct config_reading *r, struct core_node *node, const struct conf_address *address)
{
    const char *clear = cmap_store_text(r->keys, "totem.clear_node_high_bit");

    if (address == NULL || address->family != 4)
        return false;
    node->id = (uint32_t)address->bytes[0] << 24 | (uint32_t)address->bytes[1] << 16 |
               (uint32_t)address->bytes[2] << 8 | address->bytes[3];
    if (clear != NULL && strcmp(clear, "yes") == 0)
        node->id &= 0x7fffffff;
    node->id_is_generated = true;
    return true;
}

static void read_local_id(struct config_reading *r)
{
    struct core_node *node = &r->config->nodes[r->config->local_index];
    const struct conf_address *address = NULL;
    char name[CMAP_NAME_MAX + 1];

    if (node->id != 0)
        return;
    if (r->config->transport == CORE_TRANSPORT_KNET) {
        config_fail(r, CONF_STAGE_READ, node_key(node, "nodeid", name),
                    "give every node a nodeid of its own, 1 to 65535",
                    "Knet requires an explicit nodeid for the local node");
        return;
    }
    for (size_t link = 0; link < CORE_LINKS_MAX && address == NULL; link++)
        if (r->config->links[link].local.family != 0)
            address = &r->config->links[link].local;
    if (address != NULL && !generate_id(r, node, address))
        config_fail(r, CONF_STAGE_READ, node_key(node, "nodeid", name), "give every node a nodeid of its own",
                    "An IPV6 network requires that a node ID be specified");
}

void config_read_node_ids(struct config_reading *r)
{
    uint64_t number;

    if (config_number(r, "totem.nodeid", CMAP_U32, &number))
        config_warn(r, "totem.nodeid", "give nodeid in the node's section of the nodelist",
                    "nodeid in totem section is deprecated and ignored. "
                    "Nodelist (or autogenerated) nodeid is going to be used.");
    if (r->config->local_index != SIZE_MAX)
        read_local_id(r);
}

/* ---- members of links ---- */

static bool check_knet_id(struct config_reading *r, const struct core_node *node, const char *address)
{
    const char *advice = "give every node a nodeid of its own, 1 to 65535";
    char name[CMAP_NAME_MAX + 1];

    node_key(node, "nodeid", name);
    if (node->id == 0)
        config_fail(r, CONF_STAGE_READ, name, advice,
                    "Knet requires an explicit nodeid to be specified for address '%s'.", address);
    else if (node->id > UINT16_MAX)
        config_fail(r, CONF_STAGE_READ, name, advice,
                    "Knet requires nodeid to be less than 65536 for address '%s'.", address);
    return node->id != 0 && node->id <= UINT16_MAX;
}

static void read_member(struct config_reading *r, struct core_node *node, size_t link)
{
    const char *text = node->address_texts[link];
    char name[CMAP_NAME_MAX + 1];
    char key[32];
    const struct conf_address *address;
    bool is_wanted;

    if (r->config->transport == CORE_TRANSPORT_KNET && !check_knet_id(r, node, text))
        return;
    address = config_resolve(r, text, &is_wanted);
    if (is_wanted)
        return;
    if (node->id == 0 && !generate_id(r, node, address)) {
        config_fail(r, CONF_STAGE_READ, node_key(node, "nodeid", name), "give every node a nodeid of its own",
                    "An IPV6 network requires that a node ID be specified for address '%s'.", text);
        return;
    }
    if (address == NULL) {
        snprintf(key, sizeof(key), "ring%zu_addr", link);
        config_fail(r, CONF_STAGE_READ, node_key(node, key, name),
                    "it must be an address, or a name that resolves to one that ip_version allows",
                    "failed to parse node address '%s'", text);
        return;
    }
    node->addresses[link] = *address;
    r->config->links[link].member_count++;
}

void config_read_members(struct config_reading *r)
{
    for (size_t i = 0; i < r->config->node_count; i++)
        for (size_t link = 0; link < CORE_LINKS_MAX; link++)
            if (r->config->nodes[i].address_texts[link] != NULL)
                read_member(r, &r->config->nodes[i], link);
}
