/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages as one line of text, for unit tests and fuzz targets: "VOTE_INFO seq=1 vote=ACK ring=1.5". Pure. Fields come
 * in wire order and only if they are there. Whatever a peer sent, the line is printable ASCII: other bytes,
 * quotes and backslashes of names and reasons are escaped as \xHH.
 */
#ifndef QUORATE_TESTS_WIRE_TEXT_H
#define QUORATE_TESTS_WIRE_TEXT_H

#include <stddef.h>

#include "common/wire/wire.h"

/* Enough for any message that is not a very long list; longer text is cut. */
#define WIRE_TEXT_SIZE 1024

/*
 * Writes the text of a decoded message to `text`, terminated, cut to `size` bytes (at least 1, terminator
 * included). Returns the length of the whole text, as snprintf does.
 */
size_t wire_text(char *text, size_t size, const struct wire_message *message);

/* The same for bytes alone, in double quotes: a cluster name in a log line. */
size_t wire_text_bytes(char *text, size_t size, struct wire_bytes bytes);

const char *
wire_node_list_type_name(enum wire_node_list_type list_type); /* "initial-config", "membership" ... */
const char *wire_node_state_name(enum wire_node_state state); /* "member", "dead", "leaving" */

#endif
