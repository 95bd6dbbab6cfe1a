/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The arbiter's side of one enrolment, inside of TLS (docs/enrolment.md): what has been said, what is to be done next.
 * Pure. The enrolment program feeds it what happens and does the one thing it asks for.
 *
 *   phase       | event          | then
 *   ------------+----------------+-----------------------------------------------------------------------------------
 *   READING     | BYTES          | more is missing: READING; a JOIN: JUDGE, JUDGING; a RENEW: ENTITLE, JUDGING;
 *               |                | an ASK: APPRAISE, JUDGING; anything else: ANSWER (refused), ANSWERING
 *   JUDGING     | JUDGED         | granted: KEEP, KEEPING (JOIN) or SIGN, SIGNING (RENEW); with a certificate that
 *               |                | was made before: ANSWER, ANSWERING; refused: ANSWER, ANSWERING; an ASK: ANSWER
 *               |                | (the verdict, good or bad), ANSWERING
 *   KEEPING     | KEPT           | done: SIGN, SIGNING; failed: ANSWER (refused), ANSWERING
 *   SIGNING     | SIGNED         | ANSWER, ANSWERING
 *   ANSWERING   | ANSWERED       | CLOSE, OVER
 *
 * Bytes behind the first message are a fault: the node speaks once. The end of the connection or of its time is the
 * program's to notice; it then drops the session in any phase.
 */
#ifndef QUORATE_CERTS_LOGIC_ENROL_SESSION_H
#define QUORATE_CERTS_LOGIC_ENROL_SESSION_H

#include "certs/logic/enrol_wire.h"
#include "common/buf.h"

enum enrol_phase {
    ENROL_PHASE_READING,
    ENROL_PHASE_JUDGING,
    ENROL_PHASE_KEEPING,
    ENROL_PHASE_SIGNING,
    ENROL_PHASE_ANSWERING,
    ENROL_PHASE_OVER
};

enum enrol_event_type { ENROL_EV_BYTES, ENROL_EV_JUDGED, ENROL_EV_KEPT, ENROL_EV_SIGNED, ENROL_EV_ANSWERED };

/* What a grant says; all borrowed. */
struct enrol_grant {
    struct enrol_bytes cluster;
    struct enrol_bytes certificate;
    const struct enrol_bytes *authorities;
    size_t authority_count;
};

struct enrol_event {
    enum enrol_event_type type;
    struct enrol_bytes bytes; /* BYTES */
    unsigned reason;          /* JUDGED, KEPT, SIGNED: 0, or of enum enrol_reason */
    const char *text;         /* beside a reason: plain text, not empty */
    const struct enrol_grant *grant; /* SIGNED without reason; JUDGED if a certificate exists already */
    int64_t time_ms;                 /* JUDGED: the arbiter's clock, since 1970 */
};

/* What is to be done; its outcome is the next event. */
enum enrol_action {
    ENROL_DO_NOTHING, /* wait for bytes */
    ENROL_DO_JUDGE,   /* look the invitation up, check the proof */
    ENROL_DO_ENTITLE, /* the certificate of the handshake: whose it is, and whether it is good */
    ENROL_DO_APPRAISE, /* the certificate of the handshake: what the arbiter would say to a device that has it */
    ENROL_DO_KEEP,    /* make the claim last */
    ENROL_DO_SIGN,
    ENROL_DO_ANSWER, /* send session->out */
    ENROL_DO_CLOSE
};

struct enrol_session {
    enum enrol_phase phase;
    struct q_buf in;
    struct q_buf out;
    struct enrol_message request; /* from JUDGING on; points into `in` */
    unsigned reason;              /* why it was refused; 0: it was not, or only asked */
    char text[ENROL_TEXT_SIZE_MAX + 1];
};

void enrol_session_init(struct enrol_session *session);
void enrol_session_fini(struct enrol_session *session);

/* One event, which must be one of the phase (asserted). *action is what to do now. Q_ERR_NO_MEMORY: drop it. */
enum q_err enrol_session_step(struct enrol_session *session, const struct enrol_event *event,
                              enum enrol_action *action);

#endif
