/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a configuration's meaning depends on outside of its text: names that must be resolved, accounts, files, the
 * host's own addresses. Pure: nothing is looked up here. Reading a configuration asks for facts by kind and text; those
 * not known yet are remembered as wanted, the reading gives up with Q_ERR_AGAIN, the shell finds them out
 * (conf_facts_wanted, conf_fact_*), and the configuration is read again. One set serves one reading of the files: a
 * reload begins with an empty one, so that names are resolved anew.
 */
#ifndef QUORATE_CORE_CONFIG_CONF_FACTS_H
#define QUORATE_CORE_CONFIG_CONF_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "core/services/name_tree.h"

#define CONF_ADDRESS_TEXT_SIZE 64

struct conf_address {
    int family; /* 4 or 6; 0: none */
    uint8_t bytes[16];
    char text[CONF_ADDRESS_TEXT_SIZE]; /* numeric */
};

bool conf_address_equal(const struct conf_address *a, const struct conf_address *b);

enum conf_fact_kind {
    CONF_FACT_ADDRESSES = 'a', /* of a host name or numeric address, in the resolver's order */
    CONF_FACT_HOST_NAME = 'h', /* the name that a numeric address of this host resolves to */
    CONF_FACT_USER = 'u',      /* number of the user, who is given by name or number */
    CONF_FACT_GROUP = 'g',
    CONF_FACT_KEY_FILE = 'k',  /* size in bytes, read up to CONF_KEY_SIZE_MAX */
    CONF_FACT_DIRECTORY = 'd', /* whether it can be entered */
    CONF_FACT_LOG_FILE = 'l'   /* whether it can be opened for writing */
};

struct conf_fact {
    struct name_node node;
    enum conf_fact_kind kind;
    bool known;
    bool found;
    int error_number; /* why not found; 0: nobody said */
    char *error_text; /* what the packaged daemon would say; NULL */
    uint64_t number;  /* id or size */
    char *text_found; /* host name */
    struct conf_address *addresses;
    size_t address_count;
    char name[]; /* kind, then what was asked for */
};

struct conf_facts {
    struct name_tree tree;
    size_t wanted_count;
    bool no_memory;
    char *node_name;            /* of uname */
    struct conf_address *local; /* addresses of this host's interfaces, in the system's order */
    size_t local_count;
    const char *const *crypto_models; /* of the installed libknet, NULL-terminated; not owned */
    const char *const *compression_models;
};

void conf_facts_init(struct conf_facts *facts);
void conf_facts_fini(struct conf_facts *facts);
/* These two before anything is read. */
enum q_err conf_facts_set_node_name(struct conf_facts *facts, const char *name);
enum q_err conf_facts_add_local(struct conf_facts *facts, const struct conf_address *address);

/* ---- for the reading ---- */

/* NULL: not known yet, it is wanted now. */
const struct conf_fact *conf_facts_ask(struct conf_facts *facts, enum conf_fact_kind kind, const char *text);

/* ---- for the shell ---- */

/* Any of those that are wanted; NULL: none is. */
struct conf_fact *conf_facts_wanted(const struct conf_facts *facts);
/* What was asked for. */
const char *conf_fact_text(const struct conf_fact *fact);
/* The answers; each makes the fact known. text: may be NULL. */
void conf_fact_set_missing(struct conf_facts *facts, struct conf_fact *fact, int error_number,
                           const char *text);
void conf_fact_set_number(struct conf_facts *facts, struct conf_fact *fact, uint64_t number);
void conf_fact_set_text(struct conf_facts *facts, struct conf_fact *fact, const char *text);
void conf_fact_set_addresses(struct conf_facts *facts, struct conf_fact *fact,
                             const struct conf_address *addresses, size_t count);

#endif
