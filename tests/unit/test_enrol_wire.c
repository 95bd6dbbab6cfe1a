/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages of an enrolment: there and back, strictness, and the session and the answer that are made of them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "certs/logic/enrol_reply.h"
#include "certs/logic/enrol_session.h"
#include "certs/logic/enrol_wire.h"

#define TEXT(text) {(const uint8_t *)(text), strlen(text)}

static const uint8_t id[ENROL_ID_SIZE] = "0123456789abcdef";
static const uint8_t proof[ENROL_PROOF_SIZE] = {1, 2, 3};

static struct enrol_message a_join(void)
{
    return (struct enrol_message){.type = ENROL_JOIN,
                                  .id = {id, sizeof(id)},
                                  .cluster = TEXT("alpha"),
                                  .node = TEXT("node1"),
                                  .request = TEXT("the request"),
                                  .proof = {proof, sizeof(proof)}};
}

static struct enrol_message a_grant(void)
{
    return (struct enrol_message){.type = ENROL_GRANTED,
                                  .cluster = TEXT("alpha"),
                                  .certificate = TEXT("a certificate"),
                                  .authorities = {TEXT("one"), TEXT("two")},
                                  .authority_count = 2};
}

static struct enrol_message a_refusal(void)
{
    return (struct enrol_message){.type = ENROL_REFUSED, .reason = ENROL_USED, .text = TEXT("it is used")};
}

static struct enrol_message an_ask(void)
{
    return (struct enrol_message){.type = ENROL_ASK, .cluster = TEXT("alpha")};
}

static struct enrol_message a_verdict(unsigned reason)
{
    struct enrol_message message = {
        .type = ENROL_VERDICT, .reason = (enum enrol_reason)reason, .time_ms = INT64_C(0x1a2b3c4d5e6)};

    if (reason != 0)
        message.text = (struct enrol_bytes)TEXT("it is revoked");
    return message;
}

static enum q_err decode(const struct q_buf *buf, struct enrol_message *message)
{
    char text[100] = "";
    enum q_err err = enrol_decode(q_buf_bytes(buf), buf->size, message, text, sizeof(text));

    assert_true((err == Q_OK) == (text[0] == '\0'));
    return err;
}

static void assert_bytes(const struct enrol_bytes *a, const struct enrol_bytes *b)
{
    assert_int_equal(a->size, b->size);
    assert_true((a->bytes == NULL) == (b->bytes == NULL));
    if (a->bytes != NULL)
        assert_memory_equal(a->bytes, b->bytes, a->size);
}

static void assert_there_and_back(const struct enrol_message *message)
{
    struct enrol_message again;
    struct q_buf buf;

    q_buf_init(&buf);
    enrol_encode(message, &buf);
    assert_int_equal(decode(&buf, &again), Q_OK);
    assert_int_equal(again.type, message->type);
    assert_int_equal(again.reason, message->reason);
    assert_true(again.time_ms == message->time_ms);
    assert_int_equal(again.authority_count, message->authority_count);
    assert_bytes(&again.id, &message->id);
    assert_bytes(&again.cluster, &message->cluster);
    assert_bytes(&again.node, &message->node);
    assert_bytes(&again.request, &message->request);
    assert_bytes(&again.certificate, &message->certificate);
    assert_bytes(&again.text, &message->text);
    assert_bytes(&again.proof, &message->proof);
    for (size_t i = 0; i < message->authority_count; i++)
        assert_bytes(&again.authorities[i], &message->authorities[i]);
    if (message->type == ENROL_JOIN)
        assert_int_equal(again.proven_size, enrol_proven_size(buf.size));
    q_buf_fini(&buf);
}

static void every_message_is_read_as_it_was_written(void **state)
{
    struct enrol_message join = a_join(), grant = a_grant(), refusal = a_refusal();
    struct enrol_message renew = {.type = ENROL_RENEW, .request = TEXT("r")};

    (void)state;
    assert_there_and_back(&join);
    join.cluster = join.node = (struct enrol_bytes){NULL, 0};
    assert_there_and_back(&join);
    assert_there_and_back(&grant);
    assert_there_and_back(&refusal);
    assert_there_and_back(&renew);
    for (unsigned reason = 0; reason <= ENROL_REASON_LAST; reason++) {
        struct enrol_message verdict = a_verdict(reason);

        assert_there_and_back(&verdict);
        verdict.time_ms = reason % 2 == 0 ? 0 : INT64_MAX;
        assert_there_and_back(&verdict);
    }
    join = an_ask();
    assert_there_and_back(&join);
}

/* The bytes of docs/enrolment.md. */
static void the_bytes_never_change(void **state)
{
    static const uint8_t expected[] = {4, 0, 0, 19, 0, 7, 0, 1, 4, 0, 8, 0, 10, 'i', 't', ' ', 'i', 's', ' ', 'u', 's', 'e', 'd'};
    static const uint8_t verdict_bytes[] = {6, 0, 0, 12, 0, 10, 0, 8, 0, 0, 1, 0xa2, 0xb3, 0xc4, 0xd5, 0xe6};
    struct enrol_message refusal = a_refusal(), verdict = a_verdict(0);
    struct q_buf buf;

    (void)state;
    q_buf_init(&buf);
    enrol_encode(&refusal, &buf);
    assert_int_equal(buf.size, sizeof(expected));
    assert_memory_equal(q_buf_bytes(&buf), expected, sizeof(expected));
    q_buf_reset(&buf);
    enrol_encode(&verdict, &buf);
    assert_int_equal(buf.size, sizeof(verdict_bytes));
    assert_memory_equal(q_buf_bytes(&buf), verdict_bytes, sizeof(verdict_bytes));
    q_buf_fini(&buf);
}

/* A whole message is none when it is cut off anywhere, or has a byte more. */
static void a_message_ends_where_it_says(void **state)
{
    struct enrol_message join = a_join(), again;
    struct q_buf buf;
    char text[100];

    (void)state;
    q_buf_init(&buf);
    enrol_encode(&join, &buf);
    for (size_t size = 0; size < buf.size; size++) {
        uint8_t *bytes = malloc(size + 1);
        size_t missing, whole;

        memcpy(bytes, q_buf_bytes(&buf), size);
        assert_int_equal(enrol_decode(bytes, size, &again, text, sizeof(text)), Q_ERR_INVALID);
        assert_int_equal(enrol_missing(bytes, size, &missing, &whole), Q_OK);
        assert_int_equal(missing, size < ENROL_HEADER_SIZE ? ENROL_HEADER_SIZE - size : buf.size - size);
        free(bytes);
    }
    q_buf_append_u8(&buf, 0);
    assert_int_equal(decode(&buf, &again), Q_ERR_INVALID);
    q_buf_fini(&buf);
}

static void append_field(struct q_buf *buf, uint16_t tag, const void *bytes, size_t size)
{
    q_buf_append_u16(buf, tag);
    q_buf_append_u16(buf, (uint16_t)size);
    q_buf_append(buf, bytes, size);
    q_buf_put_u16(buf, 2, (uint16_t)(buf->size - ENROL_HEADER_SIZE));
}

static void begin(struct q_buf *buf, uint8_t type)
{
    q_buf_reset(buf);
    q_buf_append_u8(buf, type);
    q_buf_append_u8(buf, 0);
    q_buf_append_u16(buf, 0);
}

static void what_does_not_belong_is_refused(void **state)
{
    struct enrol_message message;
    struct q_buf buf;
    uint8_t large[ENROL_REQUEST_SIZE_MAX + 1] = {0};

    (void)state;
    q_buf_init(&buf);
    for (unsigned type = 0; type < 256; type++) {
        begin(&buf, (uint8_t)type);
        assert_int_equal(decode(&buf, &message), Q_ERR_INVALID); /* nothing in it, or unknown */
    }
    begin(&buf, ENROL_RENEW);
    append_field(&buf, 4, "r", 1);
    assert_int_equal(decode(&buf, &message), Q_OK);
    append_field(&buf, 4, "r", 1); /* twice */
    assert_int_equal(decode(&buf, &message), Q_ERR_INVALID);
    for (uint16_t tag = 0; tag < 300; tag++) {
        begin(&buf, ENROL_RENEW);
        append_field(&buf, 4, "r", 1);
        append_field(&buf, tag, proof, sizeof(proof));
        assert_int_equal(decode(&buf, &message), Q_ERR_INVALID); /* none of a renewal's, or out of order */
    }
    begin(&buf, ENROL_RENEW);
    append_field(&buf, 4, large, sizeof(large));
    assert_int_equal(decode(&buf, &message), Q_ERR_INVALID);
    begin(&buf, ENROL_RENEW);
    append_field(&buf, 4, large, 0);
    assert_int_equal(decode(&buf, &message), Q_ERR_INVALID);
    begin(&buf, ENROL_VERDICT);
    append_field(&buf, 10, "\0\0\0\0\0\0\0\0", 8);
    assert_int_equal(decode(&buf, &message), Q_OK);
    begin(&buf, ENROL_VERDICT);
    append_field(&buf, 10, "\x80\0\0\0\0\0\0\0", 8);
    assert_int_equal(decode(&buf, &message), Q_ERR_INVALID); /* no time */
    begin(&buf, ENROL_VERDICT);
    append_field(&buf, 8, "why", 3);
    append_field(&buf, 10, "\0\0\0\0\0\0\0\0", 8);
    assert_int_equal(decode(&buf, &message), Q_ERR_INVALID); /* a text without a reason */
    begin(&buf, ENROL_VERDICT);
    append_field(&buf, 7, "\x08", 1);
    append_field(&buf, 10, "\0\0\0\0\0\0\0\0", 8);
    assert_int_equal(decode(&buf, &message), Q_ERR_INVALID); /* the other way round */
    begin(&buf, ENROL_REFUSED);
    append_field(&buf, 7, "\x09", 1);
    append_field(&buf, 8, "why", 3);
    assert_int_equal(decode(&buf, &message), Q_ERR_INVALID); /* an unknown reason */
    begin(&buf, ENROL_REFUSED);
    append_field(&buf, 7, "\x01", 1);
    append_field(&buf, 8, "w\033[31m", 6);
    assert_int_equal(decode(&buf, &message), Q_ERR_INVALID); /* a terminal's control characters */
    q_buf_fini(&buf);
}

static void no_more_authorities_than_there_is_room_for(void **state)
{
    struct enrol_message message;
    struct q_buf buf;

    (void)state;
    q_buf_init(&buf);
    begin(&buf, ENROL_GRANTED);
    append_field(&buf, 2, "alpha", 5);
    append_field(&buf, 5, "c", 1);
    for (unsigned i = 0; i < ENROL_AUTHORITIES_MAX; i++)
        append_field(&buf, 6, "a", 1);
    assert_int_equal(decode(&buf, &message), Q_OK);
    append_field(&buf, 6, "a", 1);
    assert_int_equal(decode(&buf, &message), Q_ERR_INVALID);
    q_buf_fini(&buf);
}

/* ---- the session ------------------------------------------------------------------------------------------------ */

static enum enrol_action feed(struct enrol_session *session, const uint8_t *bytes, size_t size)
{
    struct enrol_event event = {.type = ENROL_EV_BYTES, .bytes = {bytes, size}};
    enum enrol_action action;

    assert_int_equal(enrol_session_step(session, &event, &action), Q_OK);
    return action;
}

static enum enrol_action tell(struct enrol_session *session, enum enrol_event_type type, unsigned reason,
                              const struct enrol_grant *grant)
{
    struct enrol_event event = {.type = type, .reason = reason, .text = "because", .grant = grant};
    enum enrol_action action;

    assert_int_equal(enrol_session_step(session, &event, &action), Q_OK);
    return action;
}

static enum enrol_action feed_message(struct enrol_session *session, const struct enrol_message *message)
{
    enum enrol_action action = ENROL_DO_NOTHING;
    struct q_buf buf;

    q_buf_init(&buf);
    enrol_encode(message, &buf);
    for (size_t i = 0; i < buf.size; i++) {
        assert_int_equal(action, ENROL_DO_NOTHING);
        action = feed(session, q_buf_bytes(&buf) + i, 1);
    }
    q_buf_fini(&buf);
    return action;
}

static void assert_says(struct enrol_session *session, enum enrol_type type, unsigned reason)
{
    struct enrol_message answer;

    assert_int_equal(decode(&session->out, &answer), Q_OK);
    assert_int_equal(answer.type, type);
    assert_int_equal(answer.reason, reason);
    assert_int_equal(session->reason, reason);
    assert_int_equal(tell(session, ENROL_EV_ANSWERED, 0, NULL), ENROL_DO_CLOSE);
    assert_int_equal(session->phase, ENROL_PHASE_OVER);
    enrol_session_fini(session);
}

static struct enrol_grant grant_of(const struct enrol_message *message)
{
    return (struct enrol_grant){message->cluster, message->certificate, message->authorities, message->authority_count};
}

static void a_node_that_joins(void **state)
{
    struct enrol_message join = a_join(), granted = a_grant();
    struct enrol_grant grant = grant_of(&granted);
    struct enrol_session session;

    (void)state;
    enrol_session_init(&session);
    assert_int_equal(feed_message(&session, &join), ENROL_DO_JUDGE);
    assert_bytes(&session.request.id, &join.id);
    assert_int_equal(tell(&session, ENROL_EV_JUDGED, 0, NULL), ENROL_DO_KEEP);
    assert_int_equal(tell(&session, ENROL_EV_KEPT, 0, NULL), ENROL_DO_SIGN);
    assert_int_equal(tell(&session, ENROL_EV_SIGNED, 0, &grant), ENROL_DO_ANSWER);
    assert_says(&session, ENROL_GRANTED, 0);
}

static void a_node_that_asks_again_gets_the_same(void **state)
{
    struct enrol_message join = a_join(), granted = a_grant();
    struct enrol_grant grant = grant_of(&granted);
    struct enrol_session session;

    (void)state;
    enrol_session_init(&session);
    assert_int_equal(feed_message(&session, &join), ENROL_DO_JUDGE);
    assert_int_equal(tell(&session, ENROL_EV_JUDGED, 0, &grant), ENROL_DO_ANSWER);
    assert_says(&session, ENROL_GRANTED, 0);
}

static void a_node_that_renews(void **state)
{
    struct enrol_message renew = {.type = ENROL_RENEW, .request = TEXT("r")}, granted = a_grant();
    struct enrol_grant grant = grant_of(&granted);
    struct enrol_session session;

    (void)state;
    enrol_session_init(&session);
    assert_int_equal(feed_message(&session, &renew), ENROL_DO_ENTITLE);
    assert_int_equal(tell(&session, ENROL_EV_JUDGED, 0, NULL), ENROL_DO_SIGN);
    assert_int_equal(tell(&session, ENROL_EV_SIGNED, 0, &grant), ENROL_DO_ANSWER);
    assert_says(&session, ENROL_GRANTED, 0);
}

/* An arbiter that trusts more, or larger ones, than an answer can hold says so. */
static void a_grant_that_is_too_large_is_refused(void **state)
{
    static const uint8_t bytes[ENROL_CERTIFICATE_SIZE_MAX + 1];
    const struct {
        size_t count;
        size_t size;
        bool fits;
    } cases[] = {{1, sizeof(bytes) - 1, true}, {1, sizeof(bytes), false}, {3, 8192, true}, {4, 8192, false},
                 {8, 4088, true},              {8, 4089, false}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct enrol_message join = a_join(), granted = a_grant();
        struct enrol_session session;
        struct enrol_grant grant;

        granted.authority_count = cases[i].count;
        for (size_t k = 0; k < cases[i].count; k++)
            granted.authorities[k] = (struct enrol_bytes){bytes, cases[i].size};
        grant = grant_of(&granted);
        enrol_session_init(&session);
        assert_int_equal(feed_message(&session, &join), ENROL_DO_JUDGE);
        assert_int_equal(tell(&session, ENROL_EV_JUDGED, 0, &grant), ENROL_DO_ANSWER);
        assert_true(session.out.size <= ENROL_MESSAGE_SIZE_MAX);
        assert_says(&session, cases[i].fits ? ENROL_GRANTED : ENROL_REFUSED, cases[i].fits ? 0 : ENROL_FAILED);
    }
}

/* Whatever the verdict, it is an answer and no refusal: it does not count as a wrong code. */
static void a_node_that_asks(void **state)
{
    (void)state;
    for (unsigned reason = 0; reason <= ENROL_REASON_LAST; reason++) {
        struct enrol_event event = {.type = ENROL_EV_JUDGED, .reason = reason, .text = "because", .time_ms = 77};
        struct enrol_message ask = an_ask(), answer;
        struct enrol_session session;
        enum enrol_action action;

        enrol_session_init(&session);
        assert_int_equal(feed_message(&session, &ask), ENROL_DO_APPRAISE);
        assert_int_equal(enrol_session_step(&session, &event, &action), Q_OK);
        assert_int_equal(action, ENROL_DO_ANSWER);
        assert_int_equal(decode(&session.out, &answer), Q_OK);
        assert_int_equal(answer.type, ENROL_VERDICT);
        assert_int_equal(answer.reason, reason);
        assert_int_equal(answer.text.size, reason == 0 ? 0 : 7);
        assert_true(answer.time_ms == 77);
        assert_int_equal(session.reason, 0);
        assert_int_equal(tell(&session, ENROL_EV_ANSWERED, 0, NULL), ENROL_DO_CLOSE);
        enrol_session_fini(&session);
    }
}

static void a_refusal_at_every_step(void **state)
{
    (void)state;
    for (unsigned step = 0; step < 3; step++) {
        struct enrol_message join = a_join();
        struct enrol_session session;

        enrol_session_init(&session);
        assert_int_equal(feed_message(&session, &join), ENROL_DO_JUDGE);
        assert_int_equal(tell(&session, ENROL_EV_JUDGED, step == 0 ? ENROL_UNKNOWN : 0, NULL),
                         step == 0 ? ENROL_DO_ANSWER : ENROL_DO_KEEP);
        if (step > 0)
            assert_int_equal(tell(&session, ENROL_EV_KEPT, step == 1 ? ENROL_FAILED : 0, NULL),
                             step == 1 ? ENROL_DO_ANSWER : ENROL_DO_SIGN);
        if (step > 1)
            assert_int_equal(tell(&session, ENROL_EV_SIGNED, ENROL_BAD_MESSAGE, NULL), ENROL_DO_ANSWER);
        assert_says(&session, ENROL_REFUSED, step == 0 ? ENROL_UNKNOWN : step == 1 ? ENROL_FAILED : ENROL_BAD_MESSAGE);
    }
}

static void what_is_no_request_is_answered_once(void **state)
{
    static const uint8_t endless[] = {1, 0, 0xff, 0xff};
    struct enrol_message granted = a_grant(), join = a_join();
    struct enrol_session session;
    struct q_buf buf;

    (void)state;
    enrol_session_init(&session);
    assert_int_equal(feed(&session, endless, sizeof(endless)), ENROL_DO_ANSWER);
    assert_says(&session, ENROL_REFUSED, ENROL_BAD_MESSAGE);
    enrol_session_init(&session);
    assert_int_equal(feed(&session, (const uint8_t *)"\0\0\0\0", 4), ENROL_DO_ANSWER);
    assert_says(&session, ENROL_REFUSED, ENROL_BAD_MESSAGE);
    enrol_session_init(&session);
    assert_int_equal(feed_message(&session, &granted), ENROL_DO_ANSWER);
    assert_says(&session, ENROL_REFUSED, ENROL_BAD_MESSAGE);
    q_buf_init(&buf);
    enrol_encode(&join, &buf);
    q_buf_append_u8(&buf, 0);
    enrol_session_init(&session);
    assert_int_equal(feed(&session, q_buf_bytes(&buf), buf.size), ENROL_DO_ANSWER);
    assert_says(&session, ENROL_REFUSED, ENROL_BAD_MESSAGE);
    q_buf_fini(&buf);
}

/* ---- the answer ------------------------------------------------------------------------------------------------- */

static void an_answer_in_single_bytes(void **state)
{
    struct enrol_message refusal = a_refusal(), answer;
    char text[ENROL_REPLY_TEXT_SIZE];
    struct q_buf buf, in;
    size_t missing;

    (void)state;
    q_buf_init(&buf);
    q_buf_init(&in);
    enrol_encode(&refusal, &buf);
    for (size_t i = 0; i < buf.size; i++) {
        enum q_err err = enrol_reply_take(&in, q_buf_bytes(&buf) + i, 1, ENROL_GRANTED, &answer, &missing, text, sizeof(text));

        assert_int_equal(err, i + 1 < buf.size ? Q_ERR_AGAIN : Q_OK);
    }
    assert_int_equal(answer.reason, ENROL_USED);
    enrol_reply_explain(&answer, text);
    assert_non_null(strstr(text, "the arbiter refuses: it is used."));
    assert_non_null(strstr(text, "revoke"));
    assert_int_equal(enrol_reply_take(&in, "x", 1, ENROL_GRANTED, &answer, &missing, text, sizeof(text)), Q_ERR_INVALID);
    q_buf_fini(&in);
    q_buf_fini(&buf);
}

static void every_refusal_has_a_remedy(void **state)
{
    (void)state;
    for (unsigned reason = 1; reason <= ENROL_REASON_LAST; reason++) {
        struct enrol_message refusal = {.type = ENROL_REFUSED, .reason = (enum enrol_reason)reason, .text = TEXT("no")};
        char text[ENROL_REPLY_TEXT_SIZE];

        enrol_reply_explain(&refusal, text);
        assert_true(strlen(text) > 60);
        assert_true(strlen(enrol_verdict_remedy((enum enrol_reason)reason)) > 40);
    }
}

/* A key that the code may have become the key's of is kept until there is an answer that is final. */
static void a_key_outlives_refusals_that_may_pass(void **state)
{
    (void)state;
    for (unsigned reason = 1; reason <= ENROL_REASON_LAST; reason++) {
        bool may_pass = reason == ENROL_FAILED || reason == ENROL_BAD_PROOF;
        bool may_have_been_taken = may_pass || reason == ENROL_OTHER_CLUSTER || reason == ENROL_BAD_MESSAGE;

        assert_int_equal(enrol_refusal_ends_key((enum enrol_reason)reason, true), !may_pass);
        assert_int_equal(enrol_refusal_ends_key((enum enrol_reason)reason, false), !may_have_been_taken);
    }
}

static void what_was_not_asked_for_is_no_answer(void **state)
{
    const struct enrol_message others[] = {a_join(), an_ask(), a_verdict(0), a_verdict(ENROL_FAILED)};
    struct enrol_message grant = a_grant(), answer;
    char text[100];
    struct q_buf buf, in;
    size_t missing;

    (void)state;
    q_buf_init(&buf);
    q_buf_init(&in);
    for (size_t i = 0; i <= sizeof(others) / sizeof(others[0]); i++) {
        enum enrol_type expected = i == 0 ? ENROL_VERDICT : ENROL_GRANTED;

        q_buf_reset(&buf);
        q_buf_reset(&in);
        enrol_encode(i == 0 ? &grant : &others[i - 1], &buf);
        assert_int_equal(
            enrol_reply_take(&in, q_buf_bytes(&buf), buf.size, expected, &answer, &missing, text, sizeof(text)),
            Q_ERR_INVALID);
    }
    q_buf_fini(&in);
    q_buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_is_read_as_it_was_written),
        cmocka_unit_test(the_bytes_never_change),
        cmocka_unit_test(a_message_ends_where_it_says),
        cmocka_unit_test(what_does_not_belong_is_refused),
        cmocka_unit_test(no_more_authorities_than_there_is_room_for),
        cmocka_unit_test(a_node_that_joins),
        cmocka_unit_test(a_node_that_asks_again_gets_the_same),
        cmocka_unit_test(a_node_that_renews),
        cmocka_unit_test(a_grant_that_is_too_large_is_refused),
        cmocka_unit_test(a_node_that_asks),
        cmocka_unit_test(a_refusal_at_every_step),
        cmocka_unit_test(what_is_no_request_is_answered_once),
        cmocka_unit_test(an_answer_in_single_bytes),
        cmocka_unit_test(every_refusal_has_a_remedy),
        cmocka_unit_test(a_key_outlives_refusals_that_may_pass),
        cmocka_unit_test(what_was_not_asked_for_is_no_answer),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
