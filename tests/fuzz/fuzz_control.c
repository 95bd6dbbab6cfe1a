/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parser of request lines at the control socket. Words lie within the line, hold neither line ends nor, without
 * quoting, blanks; and words sent as the tools send them are parsed as the same words.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/control/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_words(const struct control_request *request, size_t size, bool quoting)
{
    size_t total = 0;

    assert(request->word_count <= CONTROL_WORDS_MAX);
    for (size_t i = 0; i < request->word_count; i++) {
        const char *word = request->words[i];

        assert(strpbrk(word, "\r\n") == NULL);
        assert(quoting || strpbrk(word, " \f\t\v") == NULL);
        assert(control_request_is(request, i, word));
        total += strlen(word);
    }
    assert(total <= size);
    assert(!control_request_is(request, request->word_count, ""));
}

static void check_sent_again(const struct control_request *request)
{
    struct control_request again;
    struct q_buf line;

    q_buf_init(&line);
    for (size_t i = 0; i < request->word_count; i++) {
        control_request_append_quoted(&line, request->words[i]);
    }
    q_buf_append(&line, "\n", 1);
    assert(control_request_parse(&again, (const char *)q_buf_bytes(&line), line.size, true) == Q_OK);
    assert(again.word_count == request->word_count);
    for (size_t i = 0; i < request->word_count; i++) {
        assert(strcmp(again.words[i], request->words[i]) == 0);
    }
    control_request_fini(&again);
    q_buf_fini(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (unsigned quoting = 0; quoting < 2; quoting++) {
        struct control_request request;

        assert(control_request_parse(&request, (const char *)data, size, quoting == 1) == Q_OK);
        check_words(&request, size, quoting == 1);
        check_sent_again(&request);
        control_request_fini(&request);
    }
    return 0;
}
