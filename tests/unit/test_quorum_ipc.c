/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bytes between us and clients of libquorum and libvotequorum, field by field at the offsets of
 * spec/corosync-ipc.md section 4; requests cut off at every length, and with names that do not end.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/services/quorum_ipc.h"

static uint32_t u32(const struct q_buf *buf, size_t offset)
{
    assert_true(offset + 4 <= buf->size);
    return totem_get_u32(q_buf_bytes(buf) + offset, TOTEM_ORDER_OURS);
}

static uint64_t u64(const struct q_buf *buf, size_t offset)
{
    assert_true(offset + 8 <= buf->size);
    return totem_get_u64(q_buf_bytes(buf) + offset, TOTEM_ORDER_OURS);
}

static void check_header(const struct q_buf *buf, uint32_t id, size_t size, uint32_t error)
{
    assert_false(buf->failed);
    assert_int_equal(buf->size, size);
    assert_int_equal(u32(buf, 0), id);
    assert_int_equal(u32(buf, 4), 0);
    assert_int_equal(u32(buf, 8), size);
    assert_int_equal(u32(buf, 12), 0);
    assert_int_equal(u32(buf, 16), error);
    assert_int_equal(u32(buf, 20), 0);
}

/* ---- requests ---------------------------------------------------------------------------------------------- */

static uint8_t bytes[600];

/* As a client of these libraries would fill it: padding is rubbish. */
static void make_request(uint32_t id, uint32_t size)
{
    memset(bytes, 0xa5, sizeof(bytes));
    totem_put_u32(bytes, id, TOTEM_ORDER_OURS);
    totem_put_u32(bytes + 8, size, TOTEM_ORDER_OURS);
}

static void put_u32(size_t offset, uint32_t value)
{
    totem_put_u32(bytes + offset, value, TOTEM_ORDER_OURS);
}

/* On the heap, so that reading beyond the end is found. `whole`: what all that is needed takes. */
static void check_every_length(size_t whole, bool vote)
{
    for (size_t size = 0; size <= whole; size++)
        for (int honest = 0; honest < 2; honest++) {
            uint8_t *cut = malloc(size > 0 ? size : 1);
            struct votequorum_ipc_request request;
            struct quorum_event event;
            enum q_err err;

            assert_non_null(cut);
            memcpy(cut, bytes, size);
            if (size >= 12)
                totem_put_u32(cut + 8, (uint32_t)(honest == 1 ? size : whole), TOTEM_ORDER_OURS);
            err = vote ? votequorum_ipc_decode(cut, size, &request) : quorum_ipc_decode(cut, size, &event);
            assert_int_equal(err, size == whole ? Q_OK : Q_ERR_INVALID);
            free(cut);
        }
}

static struct votequorum_ipc_request decoded;

static const struct votequorum_request *decode(size_t size)
{
    assert_int_equal(votequorum_ipc_decode(bytes, size, &decoded), Q_OK);
    return &decoded.request;
}

static void numbers_of_votequorum_requests_are_where_clients_put_them(void **state)
{
    const struct votequorum_request *request;

    (void)state;
    make_request(0, 24);
    put_u32(16, 7);
    request = decode(24);
    assert_int_equal(request->type, VOTEQUORUM_GET_INFO);
    assert_int_equal(request->node_id, 7);
    check_every_length(20, true);
    make_request(1, 24);
    put_u32(16, 8);
    request = decode(24);
    assert_int_equal(request->type, VOTEQUORUM_SET_EXPECTED);
    assert_int_equal(request->votes, 8);
    check_every_length(20, true);
    make_request(2, 24);
    put_u32(16, 9);
    put_u32(20, 3);
    request = decode(24);
    assert_int_equal(request->type, VOTEQUORUM_SET_VOTES);
    assert_int_equal(request->votes, 9);
    assert_int_equal(request->node_id, 3);
    check_every_length(24, true);
    make_request(3, 32);
    totem_put_u64(bytes + 16, 0x1122334455667788, TOTEM_ORDER_OURS);
    put_u32(24, 3);
    request = decode(32);
    assert_int_equal(request->type, VOTEQUORUM_TRACK_START);
    assert_true(request->context == 0x1122334455667788);
    assert_int_equal(request->flags, 3);
    check_every_length(28, true);
    make_request(4, 16);
    assert_int_equal(decode(16)->type, VOTEQUORUM_TRACK_STOP);
    check_every_length(16, true);
}

static void names_of_votequorum_requests_are_where_clients_put_them(void **state)
{
    const struct votequorum_request *request;

    (void)state;
    for (uint32_t id = 5; id <= 6; id++) {
        make_request(id, 272);
        strcpy((char *)bytes + 16, "Qdevice");
        request = decode(272);
        assert_int_equal(request->type, id == 5 ? VOTEQUORUM_REGISTER : VOTEQUORUM_UNREGISTER);
        assert_string_equal(request->name, "Qdevice");
        check_every_length(271, true);
    }
    make_request(7, 528);
    strcpy((char *)bytes + 16, "old");
    strcpy((char *)bytes + 271, "new");
    request = decode(528);
    assert_int_equal(request->type, VOTEQUORUM_RENAME);
    assert_string_equal(request->name, "old");
    assert_string_equal(request->new_name, "new");
    check_every_length(526, true);
    make_request(8, 296);
    strcpy((char *)bytes + 16, "Qdevice");
    put_u32(272, 5);
    put_u32(280, 1);
    totem_put_u64(bytes + 288, 0x900000001, TOTEM_ORDER_OURS);
    request = decode(296);
    assert_int_equal(request->type, VOTEQUORUM_POLL);
    assert_true(request->value);
    assert_int_equal(request->ring_id.rep, 1);
    assert_true(request->ring_id.seq == 0x900000001);
    check_every_length(296, true);
    put_u32(272, 0);
    put_u32(8, 296);
    assert_false(decode(296)->value);
    make_request(9, 280);
    strcpy((char *)bytes + 16, "Qdevice");
    put_u32(272, 1);
    request = decode(280);
    assert_int_equal(request->type, VOTEQUORUM_MASTER_WINS);
    assert_int_equal(request->allow, 1);
    check_every_length(276, true);
}

static void what_clients_cannot_mean_is_refused(void **state)
{
    struct quorum_event event;

    (void)state;
    for (uint32_t id = 5; id <= 9; id++) {
        make_request(id, 528); /* no name ends */
        assert_int_equal(votequorum_ipc_decode(bytes, 528, &decoded), Q_ERR_INVALID);
    }
    make_request(10, 24);
    assert_int_equal(votequorum_ipc_decode(bytes, 24, &decoded), Q_ERR_NOT_FOUND);
    make_request(UINT32_MAX, 24);
    assert_int_equal(votequorum_ipc_decode(bytes, 24, &decoded), Q_ERR_NOT_FOUND);
    make_request(5, 24);
    assert_int_equal(quorum_ipc_decode(bytes, 24, &event), Q_ERR_NOT_FOUND);
    make_request(4, 15); /* less than its own header */
    assert_int_equal(votequorum_ipc_decode(bytes, 24, &decoded), Q_ERR_INVALID);
    make_request(4, 25); /* more than has come */
    assert_int_equal(votequorum_ipc_decode(bytes, 24, &decoded), Q_ERR_INVALID);
}

static void quorum_requests_are_read(void **state)
{
    static const size_t sizes[] = {16, 20, 16, 16, 20};
    struct quorum_event event;

    (void)state;
    for (uint32_t id = 0; id < 5; id++) {
        make_request(id, 24);
        put_u32(16, 3);
        assert_int_equal(quorum_ipc_decode(bytes, 24, &event), Q_OK);
        assert_int_equal(event.type, QUORUM_EV_REQUEST);
        assert_int_equal(event.u.request.type, id);
        assert_int_equal(event.u.request.flags, id == 1 ? 3 : 0);
        assert_int_equal(event.u.request.model, id == 4 ? 3 : 0);
        check_every_length(sizes[id], false);
    }
}

/* ---- votequorum: answers and events --------------------------------------------------------------------------- */

static struct votequorum_actions actions;
static struct votequorum_node_and_state nodes[] = {{9, 9}, {1, 1}, {2, 2}, {0, 0}};
static struct q_buf buf;

static int set_up(void **state)
{
    (void)state;
    memset(&actions, 0, sizeof(actions));
    actions.nodes = nodes;
    actions.node_count = 4;
    q_buf_init(&buf);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    q_buf_fini(&buf);
    return 0;
}

static void votequorum_answers_are_written(void **state)
{
    struct votequorum_action action = {.type = VOTEQUORUM_ACT_ANSWER, .error = CS_ERROR_EXIST};

    (void)state;
    assert_true(votequorum_ipc_encode(&actions, &action, &buf));
    check_header(&buf, 0, 24, 14);
    q_buf_reset(&buf);
    actions.info = (struct votequorum_node_info){1, VOTEQUORUM_LEAVING, 3, 4, 5, 6, 7, 8, 9, "Qdevice"};
    action.has_info = true;
    action.error = CS_ERROR_OK;
    assert_true(votequorum_ipc_encode(&actions, &action, &buf));
    check_header(&buf, 1, 320, 1);
    for (uint32_t i = 0; i < 9; i++)
        assert_int_equal(u32(&buf, 24 + 4 * (size_t)i), i == 1 ? VOTEQUORUM_LEAVING : i + 1);
    assert_string_equal((const char *)q_buf_bytes(&buf) + 60, "Qdevice");
}

static void votequorum_events_are_written(void **state)
{
    struct votequorum_action action = {.type = VOTEQUORUM_ACT_QUORUM_EVENT,
                                       .context = 0x1122334455667788,
                                       .quorate = true,
                                       .ring_id = {1, 0x900000001},
                                       .nodes = {1, 3},
                                       .value = 5};

    (void)state;
    assert_true(votequorum_ipc_encode(&actions, &action, &buf));
    check_header(&buf, 3, 48 + 8 * 3, 1);
    assert_int_equal(u32(&buf, 24), 1);
    assert_true(u64(&buf, 32) == action.context);
    assert_int_equal(u32(&buf, 40), 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(u32(&buf, 48 + 8 * i), nodes[1 + i].node_id);
        assert_int_equal(u32(&buf, 52 + 8 * i), nodes[1 + i].state);
    }
    q_buf_reset(&buf);
    action.type = VOTEQUORUM_ACT_NODELIST_EVENT;
    action.nodes.size = 2;
    assert_true(votequorum_ipc_encode(&actions, &action, &buf));
    check_header(&buf, 5, 56 + 4 * 2, 1);
    assert_true(u64(&buf, 24) == action.context);
    assert_int_equal(u32(&buf, 32), 1);
    assert_true(u64(&buf, 40) == 0x900000001);
    assert_int_equal(u32(&buf, 48), 2);
    assert_int_equal(u32(&buf, 56), 1);
    assert_int_equal(u32(&buf, 60), 2);
    q_buf_reset(&buf);
    action.type = VOTEQUORUM_ACT_EXPECTED_EVENT;
    assert_true(votequorum_ipc_encode(&actions, &action, &buf));
    check_header(&buf, 4, 40, 1);
    assert_true(u64(&buf, 24) == action.context);
    assert_int_equal(u32(&buf, 32), 5);
    q_buf_reset(&buf);
    action.type = VOTEQUORUM_ACT_REPORT;
    assert_false(votequorum_ipc_encode(&actions, &action, &buf));
    assert_int_equal(buf.size, 0);
}

/* ---- quorum: answers and events -------------------------------------------------------------------------------- */

static void quorum_answers_are_written(void **state)
{
    static const uint32_t ids[] = {0, 1, 2, 4, 5};
    static const size_t sizes[] = {32, 24, 24, 32, 32};

    (void)state;
    for (uint32_t request = 0; request < 5; request++) {
        struct quorum_action action = {.type = QUORUM_ACT_ANSWER,
                                       .request = (enum quorum_request_type)request,
                                       .error = CS_ERROR_INVALID_PARAM,
                                       .value = 1};

        q_buf_reset(&buf);
        quorum_ipc_encode(&action, &buf);
        check_header(&buf, ids[request], sizes[request], 7);
        if (sizes[request] == 32)
            assert_int_equal(u32(&buf, 24), 1);
    }
}

static void quorum_events_are_written(void **state)
{
    uint32_t member_ids[] = {1, 2, 3};
    uint32_t joined_ids[] = {3};
    uint32_t left_ids[] = {3, 4};
    struct node_set members = {member_ids, 3};
    struct node_set joined = {joined_ids, 1};
    struct node_set left = {left_ids, 2};
    struct quorum_action action = {.type = QUORUM_ACT_QUORUM_EVENT,
                                   .quorate = true,
                                   .ring_id = {1, 0x900000001},
                                   .members = &members,
                                   .joined = &joined,
                                   .left = &left};

    (void)state;
    quorum_ipc_encode(&action, &buf);
    check_header(&buf, 3, 48 + 4 * 3, 1);
    assert_int_equal(u32(&buf, 24), 1);
    assert_true(u64(&buf, 32) == 0x900000001);
    assert_int_equal(u32(&buf, 40), 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(u32(&buf, 44 + 4 * i), i + 1);
    q_buf_reset(&buf);
    action.model = 1;
    quorum_ipc_encode(&action, &buf);
    check_header(&buf, 6, 56 + 4 * 3, 1);
    assert_int_equal(u32(&buf, 24), 1);
    assert_int_equal(u32(&buf, 32), 1);
    assert_true(u64(&buf, 40) == 0x900000001);
    assert_int_equal(u32(&buf, 48), 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(u32(&buf, 52 + 4 * i), i + 1);
    q_buf_reset(&buf);
    action.type = QUORUM_ACT_NODELIST_EVENT;
    quorum_ipc_encode(&action, &buf);
    check_header(&buf, 7, 64 + 4 * 6, 1);
    assert_int_equal(u32(&buf, 24), 1);
    assert_true(u64(&buf, 32) == 0x900000001);
    assert_int_equal(u32(&buf, 40), 3);
    assert_int_equal(u32(&buf, 48), 1);
    assert_int_equal(u32(&buf, 56), 2);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(u32(&buf, 60 + 4 * i), i + 1);
    assert_int_equal(u32(&buf, 72), 3);
    assert_int_equal(u32(&buf, 76), 3);
    assert_int_equal(u32(&buf, 80), 4);
    assert_int_equal(u32(&buf, 84), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_votequorum_requests_are_where_clients_put_them),
        cmocka_unit_test(names_of_votequorum_requests_are_where_clients_put_them),
        cmocka_unit_test(what_clients_cannot_mean_is_refused),
        cmocka_unit_test(quorum_requests_are_read),
        cmocka_unit_test_setup_teardown(votequorum_answers_are_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(votequorum_events_are_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(quorum_answers_are_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(quorum_events_are_written, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("quorum_ipc", tests, NULL, NULL);
}
