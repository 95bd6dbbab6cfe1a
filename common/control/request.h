/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One request line at a daemon's control socket, cut into words (spec/tools.md section 3.1). Pure. Words may
 * contain any byte but NUL; whoever shows one uses common/printable.
 */
#ifndef QUORATE_COMMON_CONTROL_REQUEST_H
#define QUORATE_COMMON_CONTROL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"

/* Words beyond this many are ignored. */
#define CONTROL_WORDS_MAX 32

struct control_request {
    char *storage; /* the words, each terminated */
    const char *words[CONTROL_WORDS_MAX];
    size_t word_count;
};

/*
 * Parses the line at the start of `bytes`: everything up to the first CR or LF, or all of it. `quoting`: "..." and
 * backslash group and escape as at the arbiter's socket; the device's socket has no quoting. Q_ERR_NO_MEMORY.
 */
enum q_err control_request_parse(struct control_request *request, const char *bytes, size_t size,
                                 bool quoting);
void control_request_fini(struct control_request *request);

/* Whether word `index` is there and equals `word`, in any case. */
bool control_request_is(const struct control_request *request, size_t index, const char *word);

/* Appends `text` as one quoted word and a blank, as the tools send names. */
void control_request_append_quoted(struct q_buf *buf, const char *text);

#endif
