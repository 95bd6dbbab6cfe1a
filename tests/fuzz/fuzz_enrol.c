/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Everything of an enrolment that is read from strangers or from a file. The first byte says what the others are: a code as
 * somebody typed it, a message, the file of an invitation, the stream of a node's bytes in pieces, an answer, or the list of
 * revocations, or that of clusters. What is accepted is canonical: written again it is the same. A session asks for one thing at a
 * time and ends with one answer that decodes.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "certs/logic/cluster_register.h"
#include "certs/logic/enrol_code.h"
#include "certs/logic/enrol_reply.h"
#include "certs/logic/enrol_session.h"
#include "certs/logic/enrol_wire.h"
#include "certs/logic/invitation.h"
#include "certs/logic/revocations.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_code(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), again[ENROL_CODE_TEXT_SIZE], err_text[ENROL_CODE_ERR_SIZE] = "";
    struct enrol_code code, twice;

    assert(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    if (enrol_code_read(text, &code, err_text, sizeof(err_text)) == Q_OK) {
        enrol_code_write(&code, again);
        assert(enrol_code_read(again, &twice, err_text, sizeof(err_text)) == Q_OK);
        assert(memcmp(code.secret, twice.secret, sizeof(code.secret)) == 0 && code.pin == twice.pin);
    } else {
        assert(err_text[0] != '\0');
    }
    free(text);
}

static void check_message(const uint8_t *data, size_t size)
{
    struct enrol_message message;
    char err_text[100] = "";
    struct q_buf again;

    if (enrol_decode(data, size, &message, err_text, sizeof(err_text)) != Q_OK) {
        assert(err_text[0] != '\0');
        return;
    }
    q_buf_init(&again);
    enrol_encode(&message, &again);
    assert(again.size == size && memcmp(q_buf_bytes(&again), data, size) == 0);
    assert(message.type != ENROL_JOIN || message.proven_size == enrol_proven_size(size));
    q_buf_fini(&again);
}

static void check_invitation(const uint8_t *data, size_t size)
{
    struct invitation invitation;
    struct q_buf again;

    if (invitation_decode(data, size, &invitation) != Q_OK) {
        assert(invitation.certificate == NULL);
        return;
    }
    q_buf_init(&again);
    invitation_encode(&invitation, &again);
    assert(again.size == size && memcmp(q_buf_bytes(&again), data, size) == 0);
    q_buf_fini(&again);
    invitation_fini(&invitation);
}

/* What the program might tell next, by a byte of the input. */
static struct enrol_event reply_to(enum enrol_action action, uint8_t choice, const struct enrol_grant *grant)
{
    struct enrol_event event = {.text = "no"};

    event.reason = choice & 1 ? 1 + choice / 2 % ENROL_REASON_LAST : 0;
    switch (action) {
    case ENROL_DO_JUDGE:
    case ENROL_DO_ENTITLE:
    case ENROL_DO_APPRAISE:
        event.time_ms = choice;
        event.type = ENROL_EV_JUDGED;
        event.grant = choice & 2 && action != ENROL_DO_APPRAISE ? grant : NULL;
        break;
    case ENROL_DO_KEEP:
        event.type = ENROL_EV_KEPT;
        break;
    case ENROL_DO_SIGN:
        event.type = ENROL_EV_SIGNED;
        event.grant = grant;
        break;
    case ENROL_DO_ANSWER:
        event.type = ENROL_EV_ANSWERED;
        break;
    case ENROL_DO_NOTHING:
    case ENROL_DO_CLOSE:
        assert(!"nothing to reply to");
    }
    return event;
}

static void check_answer(const struct enrol_session *session)
{
    struct enrol_message answer;
    char text[ENROL_REPLY_TEXT_SIZE];
    struct q_buf in;
    size_t missing;

    q_buf_init(&in);
    assert(enrol_reply_take(&in, q_buf_bytes(&session->out), session->out.size,
                            session->phase == ENROL_PHASE_ANSWERING && session->request.type == ENROL_ASK ? ENROL_VERDICT
                                                                                                      : ENROL_GRANTED,
                            &answer, &missing, text, sizeof(text)) == Q_OK);
    assert((answer.type == ENROL_REFUSED) == (session->reason != 0));
    if (answer.type == ENROL_REFUSED)
        enrol_reply_explain(&answer, text);
    q_buf_fini(&in);
}

/* Two bytes of choices, then the node's bytes in pieces of a size that the first one says. */
static void check_session(const uint8_t *data, size_t size)
{
    static const struct enrol_bytes authority = {(const uint8_t *)"a", 1};
    const struct enrol_grant grant = {{(const uint8_t *)"alpha", 5}, {(const uint8_t *)"c", 1}, &authority, 1};
    enum enrol_action action = ENROL_DO_NOTHING;
    struct enrol_session session;
    size_t piece, at = 2;
    uint8_t choices;

    if (size < 2)
        return;
    piece = data[0] == 0 ? size : data[0];
    choices = data[1];
    enrol_session_init(&session);
    while (action == ENROL_DO_NOTHING && at < size) {
        struct enrol_event event = {.type = ENROL_EV_BYTES};

        event.bytes = (struct enrol_bytes){data + at, piece < size - at ? piece : size - at};
        assert(enrol_session_step(&session, &event, &action) == Q_OK);
        at += event.bytes.size;
    }
    while (action != ENROL_DO_NOTHING && action != ENROL_DO_CLOSE) {
        struct enrol_event event = reply_to(action, choices, &grant);

        if (action == ENROL_DO_ANSWER)
            check_answer(&session);
        choices = (uint8_t)(choices >> 2 | choices << 6);
        assert(enrol_session_step(&session, &event, &action) == Q_OK);
        assert(action != ENROL_DO_NOTHING);
    }
    assert(session.in.size <= ENROL_MESSAGE_SIZE_MAX);
    assert((session.phase == ENROL_PHASE_OVER) == (action == ENROL_DO_CLOSE));
    enrol_session_fini(&session);
}

static void check_reply(const uint8_t *data, size_t size)
{
    struct enrol_message answer;
    char text[ENROL_REPLY_TEXT_SIZE] = "";
    struct q_buf in;
    size_t missing;
    enum q_err err;

    q_buf_init(&in);
    err = enrol_reply_take(&in, data, size, ENROL_GRANTED, &answer, &missing, text, sizeof(text));
    if (err == Q_ERR_INVALID) {
        assert(text[0] != '\0');
        q_buf_reset(&in);
        err = enrol_reply_take(&in, data, size, ENROL_VERDICT, &answer, &missing, text, sizeof(text));
        assert(err == Q_ERR_INVALID || (err == Q_OK && answer.type == ENROL_VERDICT));
    }
    if (err == Q_OK && answer.reason != 0)
        assert(enrol_verdict_remedy(answer.reason)[0] != '\0');
    q_buf_fini(&in);
}

static void check_revocations(const uint8_t *data, size_t size)
{
    struct revocations list;
    struct q_buf again;

    if (revocations_decode(data, size, &list) != Q_OK) {
        assert(list.items == NULL);
        return;
    }
    for (size_t i = 0; i < list.count; i++) {
        const struct revocation *one = &list.items[i];
        struct revocation_subject subject = {
            one->cluster, one->serial, one->number[0] != '\0' ? one->number : "01", one->identity, one->node};

        assert(revocations_when(&list, &subject) != 0);
    }
    q_buf_init(&again);
    revocations_encode(&list, &again);
    assert(again.size == size && memcmp(q_buf_bytes(&again), data, size) == 0);
    q_buf_fini(&again);
    revocations_fini(&list);
}

static void check_clusters(const uint8_t *data, size_t size)
{
    struct cluster_register clusters;
    struct cluster_identity found;
    struct q_buf again;

    if (cluster_register_decode(data, size, &clusters) != Q_OK) {
        assert(clusters.items == NULL);
        return;
    }
    for (size_t i = 0; i < clusters.count; i++)
        assert(cluster_register_find(&clusters, clusters.items[i].name, "", &found) > 0);
    q_buf_init(&again);
    cluster_register_encode(&clusters, &again);
    assert(again.size == size && memcmp(q_buf_bytes(&again), data, size) == 0);
    q_buf_fini(&again);
    cluster_register_fini(&clusters);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const checks[])(const uint8_t *, size_t) = {check_code, check_message, check_invitation, check_session,
                                                              check_reply, check_revocations, check_clusters};

    if (size > 0)
        checks[data[0] % (sizeof(checks) / sizeof(checks[0]))](data + 1, size - 1);
    return 0;
}
