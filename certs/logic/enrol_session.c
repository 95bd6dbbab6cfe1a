/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/logic/enrol_session.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define TEXT_SIZE 128

void enrol_session_init(struct enrol_session *session)
{
    memset(session, 0, sizeof(*session));
    q_buf_init(&session->in);
    q_buf_init(&session->out);
}

void enrol_session_fini(struct enrol_session *session)
{
    q_buf_fini(&session->in);
    q_buf_fini(&session->out);
}

static enum q_err answer(struct enrol_session *session, const struct enrol_message *message, enum enrol_action *action)
{
    assert(session->out.size == 0);
    enrol_encode(message, &session->out);
    session->phase = ENROL_PHASE_ANSWERING;
    *action = ENROL_DO_ANSWER;
    return session->out.failed ? Q_ERR_NO_MEMORY : Q_OK;
}

static enum q_err refuse(struct enrol_session *session, unsigned reason, const char *text, enum enrol_action *action)
{
    struct enrol_message message = {.type = ENROL_REFUSED, .reason = (enum enrol_reason)reason};

    assert(reason > 0 && reason <= ENROL_REASON_LAST && text[0] != '\0');
    session->reason = reason;
    snprintf(session->text, sizeof(session->text), "%s", text);
    message.text = (struct enrol_bytes){(const uint8_t *)session->text, strlen(session->text)};
    return answer(session, &message, action);
}

static enum q_err grant(struct enrol_session *session, const struct enrol_grant *what, enum enrol_action *action)
{
    struct enrol_message message = {
        .type = ENROL_GRANTED,
        .cluster = what->cluster,
        .certificate = what->certificate,
        .authority_count = what->authority_count,
    };

    assert(what->authority_count > 0 && what->authority_count <= ENROL_AUTHORITIES_MAX);
    memcpy(message.authorities, what->authorities, what->authority_count * sizeof(*what->authorities));
    if (!enrol_grant_fits(&message))
        return refuse(session, ENROL_FAILED,
                      "the certificate and the authorities that the arbiter trusts are too large for one answer", action);
    return answer(session, &message, action);
}

static enum q_err on_message(struct enrol_session *session, size_t size, enum enrol_action *action)
{
    char text[TEXT_SIZE];

    if (session->in.size > size)
        return refuse(session, ENROL_BAD_MESSAGE, "there are bytes behind the message", action);
    if (enrol_decode(q_buf_bytes(&session->in), size, &session->request, text, sizeof(text)) != Q_OK)
        return refuse(session, ENROL_BAD_MESSAGE, text, action);
    switch (session->request.type) {
    case ENROL_JOIN:
        *action = ENROL_DO_JUDGE;
        break;
    case ENROL_RENEW:
        *action = ENROL_DO_ENTITLE;
        break;
    case ENROL_ASK:
        *action = ENROL_DO_APPRAISE;
        break;
    case ENROL_GRANTED:
    case ENROL_REFUSED:
    case ENROL_VERDICT:
        return refuse(session, ENROL_BAD_MESSAGE, "only the arbiter says this", action);
    }
    session->phase = ENROL_PHASE_JUDGING;
    return Q_OK;
}

static enum q_err on_bytes(struct enrol_session *session, const struct enrol_bytes *bytes, enum enrol_action *action)
{
    size_t missing, size;

    if (bytes->size > ENROL_MESSAGE_SIZE_MAX - session->in.size)
        return refuse(session, ENROL_BAD_MESSAGE, "the message is too long", action);
    q_buf_append(&session->in, bytes->bytes, bytes->size);
    if (session->in.failed)
        return Q_ERR_NO_MEMORY;
    if (enrol_missing(q_buf_bytes(&session->in), session->in.size, &missing, &size) != Q_OK)
        return refuse(session, ENROL_BAD_MESSAGE, "the message is too long", action);
    *action = ENROL_DO_NOTHING;
    return missing > 0 ? Q_OK : on_message(session, size, action);
}

static enum q_err give_verdict(struct enrol_session *session, const struct enrol_event *event, enum enrol_action *action)
{
    struct enrol_message message = {
        .type = ENROL_VERDICT, .reason = (enum enrol_reason)event->reason, .time_ms = event->time_ms};

    assert(event->reason <= ENROL_REASON_LAST && event->grant == NULL);
    if (event->reason != 0) {
        assert(event->text[0] != '\0');
        snprintf(session->text, sizeof(session->text), "%s", event->text);
        message.text = (struct enrol_bytes){(const uint8_t *)session->text, strlen(session->text)};
    }
    return answer(session, &message, action);
}

static enum q_err on_judged(struct enrol_session *session, const struct enrol_event *event, enum enrol_action *action)
{
    if (session->request.type == ENROL_ASK)
        return give_verdict(session, event, action);
    if (event->reason != 0)
        return refuse(session, event->reason, event->text, action);
    if (event->grant != NULL)
        return grant(session, event->grant, action);
    if (session->request.type == ENROL_RENEW) {
        session->phase = ENROL_PHASE_SIGNING;
        *action = ENROL_DO_SIGN;
    } else {
        session->phase = ENROL_PHASE_KEEPING;
        *action = ENROL_DO_KEEP;
    }
    return Q_OK;
}

static enum q_err on_kept(struct enrol_session *session, const struct enrol_event *event, enum enrol_action *action)
{
    if (event->reason != 0)
        return refuse(session, event->reason, event->text, action);
    session->phase = ENROL_PHASE_SIGNING;
    *action = ENROL_DO_SIGN;
    return Q_OK;
}

enum q_err enrol_session_step(struct enrol_session *session, const struct enrol_event *event,
                              enum enrol_action *action)
{
    switch (session->phase) {
    case ENROL_PHASE_READING:
        assert(event->type == ENROL_EV_BYTES);
        return on_bytes(session, &event->bytes, action);
    case ENROL_PHASE_JUDGING:
        assert(event->type == ENROL_EV_JUDGED);
        return on_judged(session, event, action);
    case ENROL_PHASE_KEEPING:
        assert(event->type == ENROL_EV_KEPT);
        return on_kept(session, event, action);
    case ENROL_PHASE_SIGNING:
        assert(event->type == ENROL_EV_SIGNED);
        return event->reason != 0 ? refuse(session, event->reason, event->text, action)
                                  : grant(session, event->grant, action);
    case ENROL_PHASE_ANSWERING:
        assert(event->type == ENROL_EV_ANSWERED);
        session->phase = ENROL_PHASE_OVER;
        *action = ENROL_DO_CLOSE;
        return Q_OK;
    case ENROL_PHASE_OVER:
        break;
    }
    assert(!"nothing happens any more");
    return Q_ERR_INVALID;
}
