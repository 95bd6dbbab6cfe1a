/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What devices do in a trace: lines of the form `n1: verb words`, turned into events of the world. Every function
 * says whether the line was understood and, where the line promises it, came true.
 */
#ifndef QUORATE_TESTS_TRACE_DEVICES_H
#define QUORATE_TESTS_TRACE_DEVICES_H

#include "tests/trace/script.h"
#include "tests/trace/world.h"

struct act {
    struct world *world;
    struct world_conn *conn;
    char **words; /* behind the verb */
    unsigned word_count;
    const char *verb_rest; /* what follows the verb in its own word: "{1,2}@1.8" */
};

bool run_device(struct world *world, struct script_line *line);

/* Single verbs, for commands that are made of several. */
bool do_joins(const struct act *act);
bool do_kap(const struct act *act);
bool do_config(const struct act *act);
bool do_membership(const struct act *act);

/* One "key=value" of INIT; a lease is also noted in *present. */
bool read_init_word(const char *word, struct wire_init *init, uint32_t *present);

#endif
