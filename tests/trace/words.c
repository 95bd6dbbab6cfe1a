/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/trace/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The value of "key=value" if the word has that key. */
const char *value_of(const char *word, const char *key)
{
    size_t size = strlen(key);

    return strncmp(word, key, size) == 0 && word[size] == '=' ? word + size + 1 : NULL;
}

bool read_algorithm(const char *text, uint32_t *algorithm)
{
    for (uint32_t i = 0; i < WIRE_ALGORITHM_COUNT; i++) {
        if (strcmp(text, wire_algorithm_name(i)) == 0) {
            *algorithm = i;
            return true;
        }
    }
    *algorithm = (uint32_t)strtoul(text, NULL, 10);
    return text[0] >= '0' && text[0] <= '9';
}

bool read_tie_breaker(const char *text, struct wire_tie_breaker *tie_breaker)
{
    *tie_breaker = (struct wire_tie_breaker){WIRE_TIE_BREAKER_LOWEST, 0};
    if (strcmp(text, "highest") == 0) {
        tie_breaker->mode = WIRE_TIE_BREAKER_HIGHEST;
    } else if (strcmp(text, "lowest") != 0) {
        tie_breaker->mode = WIRE_TIE_BREAKER_NODE_ID;
        tie_breaker->node_id = (uint32_t)strtoul(text, NULL, 10);
    }
    return tie_breaker->mode != WIRE_TIE_BREAKER_NODE_ID || tie_breaker->node_id != 0;
}

/* "1.8" */
bool read_ring(const char *text, struct wire_ring_id *ring)
{
    return sscanf(text, "%" SCNu32 ".%" SCNu64, &ring->node_id, &ring->seq) == 2;
}

bool read_heuristics(const char *text, enum wire_heuristics *heuristics)
{
    for (unsigned i = 0; i <= WIRE_HEURISTICS_FAIL; i++) {
        *heuristics = (enum wire_heuristics)i;
        if (strcmp(text, wire_heuristics_name(*heuristics)) == 0) {
            return true;
        }
    }
    return false;
}

/* "{1,2}" and what follows it: the ids go to the message's node list. */
bool read_nodes(const char *text, struct wire_node_list *list, const char **rest)
{
    static const char *const states[] = {"", ":member", ":dead", ":leaving"};

    list->node_count = 0;
    if (*text++ != '{') {
        return false;
    }
    while (*text != '}') {
        struct wire_node_info *node = &list->nodes[list->node_count];
        char *end;

        node->node_id = (uint32_t)strtoul(text, &end, 10);
        if (end == text || list->node_count == WIRE_NODES_MAX) {
            return false;
        }
        text = end;
        for (unsigned i = 1; i < 4; i++) {
            if (strncmp(text, states[i], strlen(states[i])) == 0) {
                node->state = (enum wire_node_state)i;
                text += strlen(states[i]);
            }
        }
        list->node_count++;
        text += *text == ',';
    }
    *rest = text + 1;
    return true;
}

/* "+12s", "+500ms" */
bool read_duration(const char *text, uint64_t *duration_ms)
{
    char unit[4] = "";
    double amount;

    if (sscanf(text, "+%lf%3s", &amount, unit) != 2) {
        return false;
    }
    *duration_ms = (uint64_t)(strcmp(unit, "ms") == 0 ? amount : amount * 1000 + 0.5);
    return strcmp(unit, "ms") == 0 || strcmp(unit, "s") == 0;
}
