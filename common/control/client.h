/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tools' end of a daemon's control socket: one request, one reply, within a time limit (spec/tools.md
 * sections 2 and 3). Works with our daemons and with the packaged ones. Blocking; used by the tools only.
 */
#ifndef QUORATE_COMMON_CONTROL_CLIENT_H
#define QUORATE_COMMON_CONTROL_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

#define CONTROL_REQUEST_SIZE_MAX 4096
#define CONTROL_STATUS_LINE_MAX 511
#define CONTROL_ERR_SIZE 256

enum control_outcome {
    CONTROL_OK,             /* body is what the daemon said behind OK */
    CONTROL_REFUSED,        /* body is the daemon's error text */
    CONTROL_INTERNAL,       /* the request is too long, cannot be sent, or the status line is too long */
    CONTROL_CANNOT_CONNECT, /* error_text is that of errno */
    CONTROL_NO_REPLY,       /* the daemon closed the connection without a word */
    CONTROL_UNKNOWN_REPLY,  /* neither OK nor Error */
    CONTROL_TIMED_OUT
};

struct control_answer {
    enum control_outcome outcome;
    struct q_buf body;
    char error_text[CONTROL_ERR_SIZE]; /* what went wrong, without the program's name */
};

/* Sends the request (with its final newline) to the socket at `path`. control_answer_fini in any case. */
void control_ask(const char *path, const char *request, size_t size, uint64_t timeout_ms,
                 struct control_answer *answer);
void control_answer_fini(struct control_answer *answer);

#endif
