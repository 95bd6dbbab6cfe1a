/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/config/conf_facts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool conf_address_equal(const struct conf_address *a, const struct conf_address *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, a->family == 4 ? 4 : 16) == 0;
}

void conf_facts_init(struct conf_facts *facts)
{
    memset(facts, 0, sizeof(*facts));
}

static void fact_free(struct conf_fact *fact)
{
    free(fact->error_text);
    free(fact->text_found);
    free(fact->addresses);
    free(fact);
}

void conf_facts_fini(struct conf_facts *facts)
{
    while (facts->tree.root != NULL) {
        struct conf_fact *fact = (struct conf_fact *)facts->tree.root;
        name_tree_remove(&facts->tree, &fact->node);
        fact_free(fact);
    }
    free(facts->node_name);
    free(facts->local);
    conf_facts_init(facts);
}

enum q_err conf_facts_set_node_name(struct conf_facts *facts, const char *name)
{
    char *copy = strdup(name);

    if (copy == NULL)
        return Q_ERR_NO_MEMORY;
    free(facts->node_name);
    facts->node_name = copy;
    return Q_OK;
}

enum q_err conf_facts_add_local(struct conf_facts *facts, const struct conf_address *address)
{
    struct conf_address *larger = reallocarray(facts->local, facts->local_count + 1, sizeof(*larger));

    if (larger == NULL)
        return Q_ERR_NO_MEMORY;
    facts->local = larger;
    larger[facts->local_count++] = *address;
    return Q_OK;
}

const struct conf_fact *conf_facts_ask(struct conf_facts *facts, enum conf_fact_kind kind, const char *text)
{
    size_t size = strlen(text) + 1;
    struct conf_fact *fact = calloc(1, sizeof(*fact) + 1 + size);
    struct conf_fact *present;

    if (fact == NULL) {
        facts->no_memory = true;
        return NULL;
    }
    fact->kind = kind;
    fact->name[0] = (char)kind;
    memcpy(&fact->name[1], text, size);
    fact->node.name = fact->name;
    present = (struct conf_fact *)name_tree_find(&facts->tree, fact->name);
    if (present != NULL) {
        free(fact);
        return present->known ? present : NULL;
    }
    name_tree_add(&facts->tree, &fact->node);
    facts->wanted_count++;
    return NULL;
}

struct conf_fact *conf_facts_wanted(const struct conf_facts *facts)
{
    if (facts->wanted_count == 0)
        return NULL;
    for (struct name_node *node = name_tree_from(&facts->tree, ""); node != NULL;
         node = name_tree_after(&facts->tree, node->name))
        if (!((struct conf_fact *)node)->known)
            return (struct conf_fact *)node;
    assert(!"a fact that is wanted is in the tree");
    return NULL;
}

const char *conf_fact_text(const struct conf_fact *fact)
{
    return &fact->name[1];
}

static void make_known(struct conf_facts *facts, struct conf_fact *fact, bool found)
{
    assert(!fact->known);
    fact->known = true;
    fact->found = found;
    facts->wanted_count--;
}

void conf_fact_set_missing(struct conf_facts *facts, struct conf_fact *fact, int error_number,
                           const char *text)
{
    make_known(facts, fact, false);
    fact->error_number = error_number;
    if (text != NULL) {
        fact->error_text = strdup(text);
        facts->no_memory |= fact->error_text == NULL;
    }
}

void conf_fact_set_number(struct conf_facts *facts, struct conf_fact *fact, uint64_t number)
{
    make_known(facts, fact, true);
    fact->number = number;
}

void conf_fact_set_text(struct conf_facts *facts, struct conf_fact *fact, const char *text)
{
    make_known(facts, fact, true);
    fact->text_found = strdup(text);
    if (fact->text_found == NULL) {
        facts->no_memory = true;
        fact->found = false;
    }
}

void conf_fact_set_addresses(struct conf_facts *facts, struct conf_fact *fact,
                             const struct conf_address *addresses, size_t count)
{
    make_known(facts, fact, count > 0);
    if (count == 0)
        return;
    fact->addresses = calloc(count, sizeof(*addresses));
    if (fact->addresses == NULL) {
        facts->no_memory = true;
        fact->found = false;
        return;
    }
    memcpy(fact->addresses, addresses, count * sizeof(*addresses));
    fact->address_count = count;
}
