/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The small notations of trace files: node lists, rings, tie-breakers, durations. Each reader says whether the text is
 * in its notation; what it stores is meaningful only then.
 */
#ifndef QUORATE_TESTS_TRACE_WORDS_H
#define QUORATE_TESTS_TRACE_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/wire/wire.h"

/* The value of "key=value" if the word has that key, else NULL. */
const char *value_of(const char *word, const char *key);

bool read_algorithm(const char *text, uint32_t *algorithm);                    /* "lms", or any number */
bool read_tie_breaker(const char *text, struct wire_tie_breaker *tie_breaker); /* "lowest", "highest", "3" */
bool read_ring(const char *text, struct wire_ring_id *ring);                   /* "1.8" */
bool read_heuristics(const char *text, enum wire_heuristics *heuristics); /* "pass", "fail", "undefined" */
bool read_duration(const char *text, uint64_t *duration_ms);              /* "+12s", "+500ms" */

/* "{1,2:dead}": the nodes go into the list; *rest is what follows. */
bool read_nodes(const char *text, struct wire_node_list *list, const char **rest);

#endif
