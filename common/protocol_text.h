/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The words that the packaged programs print for values of the protocol (spec/tools.md sections 4 to 6). Pure;
 * used by version and status output. Logs use the short names of common/wire.
 */
#ifndef QUORATE_COMMON_PROTOCOL_TEXT_H
#define QUORATE_COMMON_PROTOCOL_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "common/wire/wire.h"

const char *algorithm_text(uint32_t algorithm);               /* "Fifty-Fifty split" */
const char *message_type_text(enum wire_type type);           /* "Node list reply" */
const char *vote_text(enum wire_vote vote);                   /* "Ask later" */
const char *heuristics_text(enum wire_heuristics heuristics); /* "Undefined" */
void tie_breaker_text(struct wire_tie_breaker tie_breaker, char *text, size_t size);

#endif
