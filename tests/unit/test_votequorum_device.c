/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * votequorum and its quorum device: registration, polls and timeouts, the synchronisation that waits for a
 * vote, and when a vote counts (spec/votequorum.md 5.3, 6.2, 9.2; docs/observed.md). Flags and numbers are
 * those of the packaged daemon.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/votequorum_cluster.h"

static struct vq_cluster cluster; /* too large for the stack */

static int tear_down(void **state)
{
    (void)state;
    vq_cluster_fini(&cluster);
    return 0;
}

#define ALL(count) ((1u << (count)) - 1)

/* One vote of the device, timeout 4 s, 6 s in a synchronisation. */
static void with_device(struct votequorum_config *config)
{
    config->has_device = true;
    config->has_device_votes = true;
    config->device_votes = 1;
    config->device_timeout_ms = 4000;
    config->device_sync_timeout_ms = 6000;
}

/* As many votes as all nodes but one. */
static void with_strong_device(struct votequorum_config *config)
{
    with_device(config);
    config->has_device_votes = false;
}

static void bring_up(uint32_t count, void (*change)(struct votequorum_config *config))
{
    vq_cluster_init(&cluster, count);
    for (uint32_t id = 1; id <= count; id++)
        change(&cluster.nodes[id].config);
    vq_cluster_start_all(&cluster, ALL(count));
    vq_cluster_form(&cluster, ALL(count));
}

static void register_all(void)
{
    for (uint32_t id = 1; id <= cluster.count; id++)
        assert_int_equal(vq_cluster_device(&cluster, id, VOTEQUORUM_REGISTER, 0), CS_ERROR_OK);
}

static void poll_all(bool vote)
{
    for (uint32_t id = 1; id <= cluster.count; id++)
        assert_int_equal(vq_cluster_poll(&cluster, id, vote), CS_ERROR_OK);
}

static enum cs_error ask_name(uint32_t id, enum votequorum_request_type type, const char *name)
{
    struct votequorum_request request = {.type = type,
                                         .name = name,
                                         .new_name = "E",
                                         .value = true,
                                         .allow = 1,
                                         .ring_id = cluster.nodes[id].ring_id};

    return vq_cluster_ask(&cluster, id, &request);
}

/* "expected highest total quorum flags". */
static const char *shown(uint32_t id)
{
    static char text[128];
    const struct votequorum_node_info *info = vq_cluster_info(&cluster, id, 0);

    snprintf(text, sizeof(text), "%u %u %u %u %#x", info->expected_votes, info->highest_expected,
             info->total_votes, info->quorum, info->flags);
    return text;
}

/* ---- registration ---------------------------------------------------------------------------------------------- */

static void without_registration_a_device_may_do_nothing(void **state)
{
    (void)state;
    bring_up(2, with_device);
    assert_string_equal(shown(1), "3 3 2 2 0x2");
    assert_int_equal(ask_name(1, VOTEQUORUM_UNREGISTER, "D"), CS_ERROR_NOT_EXIST);
    assert_int_equal(ask_name(1, VOTEQUORUM_RENAME, "D"), CS_ERROR_NOT_EXIST);
    assert_int_equal(ask_name(1, VOTEQUORUM_POLL, "D"), CS_ERROR_NOT_EXIST);
    assert_int_equal(ask_name(1, VOTEQUORUM_MASTER_WINS, "D"), CS_ERROR_NOT_EXIST);
}

static void one_name_is_known_in_the_whole_cluster(void **state)
{
    (void)state;
    bring_up(2, with_device);
    assert_int_equal(ask_name(1, VOTEQUORUM_REGISTER, "D"), CS_ERROR_OK);
    assert_string_equal(shown(1), "3 3 2 2 0x42");
    assert_string_equal(shown(2), "3 3 2 2 0x2");
    assert_string_equal(vq_cluster_info(&cluster, 2, 1)->device_name, "D");
    assert_int_equal(vq_cluster_info(&cluster, 2, 1)->flags, 0x42);
    assert_int_equal(ask_name(1, VOTEQUORUM_REGISTER, "D"), CS_ERROR_OK);
    assert_int_equal(ask_name(1, VOTEQUORUM_REGISTER, "E"), CS_ERROR_EXIST);
    assert_int_equal(ask_name(2, VOTEQUORUM_REGISTER, "E"), CS_ERROR_EXIST);
    assert_int_equal(vq_cluster_info(&cluster, 2, 0)->flags, 0x2);
    /* Told to newcomers in a synchronisation, which registers nobody. */
    vq_cluster_form(&cluster, 3);
    assert_int_equal(vq_cluster_info(&cluster, 2, 0)->flags, 0x2);
    assert_int_equal(ask_name(2, VOTEQUORUM_REGISTER, "D"), CS_ERROR_OK);
    assert_int_equal(vq_cluster_info(&cluster, 1, 2)->flags, 0x42);
}

static void the_name_is_forgotten_with_the_last_registration(void **state)
{
    (void)state;
    bring_up(2, with_device);
    register_all();
    assert_int_equal(ask_name(1, VOTEQUORUM_UNREGISTER, "E"), CS_ERROR_INVALID_PARAM);
    assert_int_equal(ask_name(1, VOTEQUORUM_UNREGISTER, "D"), CS_ERROR_OK);
    assert_string_equal(vq_cluster_info(&cluster, 1, 0)->device_name, "D");
    assert_int_equal(ask_name(2, VOTEQUORUM_UNREGISTER, "D"), CS_ERROR_OK);
    assert_string_equal(vq_cluster_info(&cluster, 1, 0)->device_name, "");
    assert_int_equal(ask_name(1, VOTEQUORUM_REGISTER, "E"), CS_ERROR_OK);
}

static void a_device_is_renamed_for_everybody(void **state)
{
    struct votequorum_request request = {.type = VOTEQUORUM_RENAME, .name = "D", .new_name = ""};

    (void)state;
    bring_up(2, with_device);
    register_all();
    assert_int_equal(vq_cluster_ask(&cluster, 1, &request), CS_ERROR_INVALID_PARAM);
    assert_int_equal(ask_name(1, VOTEQUORUM_RENAME, "X"), CS_ERROR_INVALID_PARAM);
    assert_int_equal(ask_name(1, VOTEQUORUM_RENAME, "D"), CS_ERROR_OK);
    assert_string_equal(vq_cluster_info(&cluster, 2, 0)->device_name, "E");
    assert_int_equal(ask_name(2, VOTEQUORUM_POLL, "E"), CS_ERROR_OK);
    assert_int_equal(ask_name(2, VOTEQUORUM_POLL, "D"), CS_ERROR_INVALID_PARAM);
}

static void names_have_their_limits(void **state)
{
    char name[300];

    (void)state;
    bring_up(2, with_device);
    memset(name, 'x', sizeof(name));
    name[255] = '\0';
    assert_int_equal(ask_name(1, VOTEQUORUM_REGISTER, name), CS_ERROR_INVALID_PARAM);
    assert_int_equal(ask_name(1, VOTEQUORUM_REGISTER, ""), CS_ERROR_INVALID_PARAM);
    name[254] = '\0';
    assert_int_equal(ask_name(1, VOTEQUORUM_REGISTER, name), CS_ERROR_OK);
    assert_string_equal(vq_cluster_info(&cluster, 2, 0)->device_name, name);
}

/* The answer comes when the registration has been delivered; meanwhile nobody else registers here. */
static void a_registration_is_answered_when_it_comes_back(void **state)
{
    (void)state;
    bring_up(2, with_device);
    vq_cluster_lose_token(&cluster, 3);
    assert_int_equal(ask_name(1, VOTEQUORUM_REGISTER, "D"), 0);
    assert_int_equal(ask_name(1, VOTEQUORUM_REGISTER, "D"), CS_ERROR_TRY_AGAIN);
    vq_cluster_told(&cluster, 1);
    vq_cluster_form(&cluster, 3);
    assert_string_equal(vq_cluster_told(&cluster, 1), "PASS; REPORT 1 1.9 [1 2]; ANSWER 1; ");
    /* A client that has gone gets no answer, but what it asked for. */
    vq_cluster_lose_token(&cluster, 3);
    assert_int_equal(ask_name(2, VOTEQUORUM_REGISTER, "D"), 0);
    vq_cluster_event(&cluster, 2, VOTEQUORUM_EV_CLIENT_GONE);
    vq_cluster_told(&cluster, 2);
    vq_cluster_form(&cluster, 3);
    assert_string_equal(vq_cluster_told(&cluster, 2), "PASS; REPORT 1 1.13 [1 2]; ");
    assert_int_equal(vq_cluster_info(&cluster, 2, 0)->flags, 0x42);
}

/* ---- polls -------------------------------------------------------------------------------------------------------- */

static void a_poll_makes_the_device_alive_and_casts_its_vote(void **state)
{
    struct votequorum_request old = {.type = VOTEQUORUM_POLL, .name = "X", .ring_id = {1, 1}};

    (void)state;
    bring_up(2, with_device);
    ask_name(1, VOTEQUORUM_REGISTER, "D");
    assert_int_equal(vq_cluster_ask(&cluster, 1, &old),
                     CS_ERROR_MESSAGE_ERROR); /* the ring before the name */
    assert_int_equal(ask_name(1, VOTEQUORUM_POLL, "X"), CS_ERROR_INVALID_PARAM);
    vq_cluster_poll(&cluster, 1, false);
    assert_string_equal(shown(1), "3 3 2 2 0xc2");
    vq_cluster_poll(&cluster, 1, true);
    assert_string_equal(shown(1), "3 3 3 2 0x1c2");
    assert_int_equal(vq_cluster_info(&cluster, 2, 1)->total_votes, 3);
    assert_int_equal(vq_cluster_info(&cluster, 2, 2)->total_votes, 2);
    vq_cluster_device(&cluster, 1, VOTEQUORUM_MASTER_WINS, 7);
    assert_string_equal(shown(1), "3 3 3 2 0x3c2");
    assert_int_equal(cluster.nodes[1].published[VOTEQUORUM_KEY_DEVICE_MASTER_WINS], 7);
    vq_cluster_advance(&cluster, 3999);
    assert_string_equal(shown(1), "3 3 3 2 0x3c2");
    vq_cluster_advance(&cluster, 1);
    assert_string_equal(shown(1), "3 3 2 2 0x242"); /* contact lost: registered, and master wins as before */
}

static void the_device_is_in_quorum_events_of_the_node_where_it_is_registered(void **state)
{
    struct votequorum_request track = {.type = VOTEQUORUM_TRACK_START, .flags = VOTEQUORUM_TRACK_CURRENT};

    (void)state;
    bring_up(2, with_device);
    ask_name(1, VOTEQUORUM_REGISTER, "D");
    vq_cluster_told(&cluster, 1);
    vq_cluster_ask(&cluster, 1, &track);
    vq_cluster_ask(&cluster, 2, &track);
    assert_string_equal(vq_cluster_told(&cluster, 1),
                        "NODELIST 1.5 [1 2]; QUORUM 1 [1/1 2/1 0/0]; ANSWER 1; ");
    assert_non_null(strstr(vq_cluster_told(&cluster, 2), "QUORUM 1 [1/1 2/1]; "));
}

static void the_vote_counts_on_the_node_whose_device_casts_it(void **state)
{
    (void)state;
    bring_up(2, with_device);
    register_all();
    poll_all(false);
    vq_cluster_form(&cluster, 1);
    vq_cluster_form(&cluster, 2);
    vq_cluster_poll(&cluster, 1, true);
    vq_cluster_poll(&cluster, 2, false);
    assert_string_equal(shown(1), "3 3 2 2 0x1c2");
    assert_string_equal(shown(2), "3 3 1 2 0xc0");
}

/* Spec 9.1: three nodes, V 2, the vote on node 1 only, and master wins. */
static void where_master_wins_one_vote_is_enough_for_the_partition(void **state)
{
    (void)state;
    bring_up(3, with_strong_device);
    assert_string_equal(shown(1), "5 5 3 3 0x2");
    register_all();
    for (uint32_t id = 1; id <= 3; id++)
        vq_cluster_device(&cluster, id, VOTEQUORUM_MASTER_WINS, 1);
    poll_all(false);
    vq_cluster_kill(&cluster, 3);
    vq_cluster_form(&cluster, 3);
    vq_cluster_poll(&cluster, 1, true);
    vq_cluster_poll(&cluster, 2, false);
    assert_string_equal(shown(1), "5 5 4 3 0x3c2");
    assert_string_equal(shown(2), "5 5 2 3 0x2c2");
    /* What node 2's device has allowed holds when it is stopped. */
    vq_cluster_device(&cluster, 2, VOTEQUORUM_UNREGISTER, 0);
    assert_string_equal(shown(2), "5 5 2 3 0x2");
    vq_cluster_poll(&cluster, 1, false);
    assert_int_equal(vq_cluster_quorate(&cluster), 0);
}

static void when_master_wins_is_withdrawn_the_own_vote_must_do(void **state)
{
    (void)state;
    bring_up(3, with_strong_device);
    register_all();
    for (uint32_t id = 1; id <= 3; id++)
        vq_cluster_device(&cluster, id, VOTEQUORUM_MASTER_WINS, 1);
    poll_all(true);
    vq_cluster_kill(&cluster, 3);
    vq_cluster_form(&cluster, 3);
    vq_cluster_poll(&cluster, 1, true);
    vq_cluster_poll(&cluster, 2, false);
    assert_int_equal(vq_cluster_quorate(&cluster), 3);
    vq_cluster_device(&cluster, 2, VOTEQUORUM_MASTER_WINS, 0);
    assert_int_equal(vq_cluster_quorate(&cluster), 1);
}

/* ---- the synchronisation ---------------------------------------------------------------------------------------------- */

static void a_synchronisation_waits_for_a_device_that_is_alive(void **state)
{
    (void)state;
    bring_up(2, with_device);
    register_all();
    poll_all(false);
    vq_cluster_told(&cluster, 2);
    vq_cluster_form(&cluster, 2);
    assert_string_equal(vq_cluster_told(&cluster, 2), "");
    assert_true(cluster.nodes[2].reported_quorate); /* clients of the quorum service still see what was */
    vq_cluster_poll(&cluster, 2, true);
    assert_string_equal(vq_cluster_told(&cluster, 2), "PASS; ANSWER 1; REPORT 1 2.9 [2]; ");
    /* A vote against ends the waiting too. */
    vq_cluster_form(&cluster, 2);
    vq_cluster_told(&cluster, 2);
    vq_cluster_poll(&cluster, 2, false);
    assert_string_equal(vq_cluster_told(&cluster, 2), "PASS; ANSWER 1; REPORT 0 2.13 [2]; ");
}

static void a_silent_device_is_waited_for_until_the_timeout_of_synchronisations(void **state)
{
    (void)state;
    bring_up(2, with_device);
    register_all();
    poll_all(true);
    vq_cluster_advance(&cluster, 3000);
    vq_cluster_form(&cluster, 2);
    vq_cluster_told(&cluster, 2);
    vq_cluster_advance(&cluster, 5999);
    assert_string_equal(vq_cluster_told(&cluster, 2), "");
    vq_cluster_advance(&cluster, 1);
    assert_string_equal(vq_cluster_told(&cluster, 2), "PASS; REPORT 0 2.9 [2]; ");
    assert_string_equal(shown(2), "3 3 1 2 0x40");
}

static void who_has_no_device_alive_is_not_waited_for(void **state)
{
    (void)state;
    bring_up(2, with_device);
    ask_name(1, VOTEQUORUM_REGISTER, "D");
    vq_cluster_told(&cluster, 1);
    vq_cluster_form(&cluster, 1);
    assert_string_equal(vq_cluster_told(&cluster, 1), "PASS; REPORT 0 1.9 [1]; ");
}

static void everybody_waits_for_the_slowest_device(void **state)
{
    (void)state;
    bring_up(3, with_device);
    register_all();
    poll_all(true);
    vq_cluster_kill(&cluster, 3);
    vq_cluster_told(&cluster, 1);
    vq_cluster_form(&cluster, 3);
    vq_cluster_poll(&cluster, 1, true);
    assert_string_equal(vq_cluster_told(&cluster, 1), "PASS; ANSWER 1; ");
    vq_cluster_poll(&cluster, 2, true);
    assert_string_equal(vq_cluster_told(&cluster, 1), "REPORT 1 1.9 [1 2]; ");
}

static void a_device_that_unregisters_is_not_waited_for_any_more(void **state)
{
    (void)state;
    bring_up(2, with_device);
    register_all();
    poll_all(true);
    vq_cluster_form(&cluster, 1);
    vq_cluster_told(&cluster, 1);
    vq_cluster_device(&cluster, 1, VOTEQUORUM_UNREGISTER, 0);
    assert_string_equal(vq_cluster_told(&cluster, 1), "PASS; ANSWER 1; REPORT 0 1.9 [1]; ");
}

static void a_vote_for_the_ring_before_is_none(void **state)
{
    struct votequorum_request request = {.type = VOTEQUORUM_POLL, .name = "D", .value = true};

    (void)state;
    bring_up(2, with_device);
    register_all();
    poll_all(false);
    request.ring_id = cluster.nodes[1].ring_id;
    vq_cluster_form(&cluster, 1);
    assert_int_equal(vq_cluster_ask(&cluster, 1, &request), CS_ERROR_MESSAGE_ERROR);
    vq_cluster_told(&cluster, 1);
    vq_cluster_poll(&cluster, 1, false);
    assert_string_equal(vq_cluster_told(&cluster, 1), "PASS; ANSWER 1; REPORT 0 1.9 [1]; ");
}

/* ---- withdrawn votes -------------------------------------------------------------------------------------------------------- */

/*
 * docs/observed.md, "relapse": the broadcast of an ACK waits for the token when the ring is cut, and is
 * delivered after that of the NACK for the new ring. `keeps_stale`: with a transport that cannot drop it.
 */
static void check_no_relapse(bool keeps_stale)
{
    bring_up(2, with_device);
    cluster.keeps_stale = keeps_stale;
    register_all();
    poll_all(false);
    vq_cluster_lose_token(&cluster, 3);
    vq_cluster_poll(&cluster, 2, true); /* the broadcast stays behind */
    vq_cluster_form(&cluster, 2);
    vq_cluster_told(&cluster, 2);
    vq_cluster_poll(&cluster, 2, false);
    assert_string_equal(vq_cluster_told(&cluster, 2), "PASS; ANSWER 1; REPORT 0 2.9 [2]; ");
    assert_int_equal(cluster.nodes[2].queue.count, 0);
    assert_string_equal(shown(2), "3 3 1 2 0xc0");
}

static void a_withdrawn_vote_is_not_turned_on_by_an_old_broadcast(void **state)
{
    (void)state;
    check_no_relapse(false);
    vq_cluster_fini(&cluster);
    check_no_relapse(true);
}

/* Peers take what an old broadcast says for true, until they are told again. */
static void peers_do_not_keep_an_old_vote_either(void **state)
{
    (void)state;
    bring_up(3, with_device);
    cluster.keeps_stale = true;
    register_all();
    poll_all(false);
    vq_cluster_lose_token(&cluster, 7);
    vq_cluster_poll(&cluster, 2, true);
    vq_cluster_form(&cluster, 6);
    vq_cluster_poll(&cluster, 3, false);
    vq_cluster_poll(&cluster, 2, false);
    assert_int_equal(vq_cluster_info(&cluster, 3, 2)->flags, 0xc0);
    assert_int_equal(vq_cluster_info(&cluster, 2, 2)->flags, 0xc0);
}

/* docs/observed.md, "a confirmed NACK is not a withdrawn vote": here it is, without a token. */
static void a_withdrawn_vote_is_gone_although_the_ring_delivers_nothing(void **state)
{
    (void)state;
    bring_up(4, with_device);
    register_all();
    poll_all(true);
    vq_cluster_form(&cluster, 3);
    vq_cluster_poll(&cluster, 1, true);
    vq_cluster_poll(&cluster, 2, true);
    assert_int_equal(vq_cluster_quorate(&cluster) & 3, 3);
    vq_cluster_kill(&cluster, 2);
    vq_cluster_lose_token(&cluster, 1);
    vq_cluster_told(&cluster, 1);
    vq_cluster_poll(&cluster, 1, false);
    assert_string_equal(vq_cluster_told(&cluster, 1), "REPORT 0 1.9 [1 2]; ANSWER 1; ");
}

static void a_vote_that_is_given_counts_when_the_ring_has_heard_of_it(void **state)
{
    (void)state;
    bring_up(2, with_device);
    register_all();
    poll_all(false);
    vq_cluster_form(&cluster, 1);
    vq_cluster_poll(&cluster, 1, false);
    vq_cluster_lose_token(&cluster, 1);
    vq_cluster_told(&cluster, 1);
    vq_cluster_poll(&cluster, 1, true);
    assert_string_equal(vq_cluster_told(&cluster, 1), "ANSWER 1; ");
    cluster.nodes[1].is_stuck = false;
    vq_cluster_run(&cluster);
    assert_string_equal(vq_cluster_told(&cluster, 1), "REPORT 1 1.9 [1]; ");
}

static void a_device_that_dies_takes_its_vote_along_without_a_token(void **state)
{
    (void)state;
    bring_up(2, with_device);
    register_all();
    poll_all(true);
    vq_cluster_form(&cluster, 1);
    vq_cluster_poll(&cluster, 1, true);
    vq_cluster_lose_token(&cluster, 1);
    vq_cluster_told(&cluster, 1);
    vq_cluster_advance(&cluster, 4000);
    assert_string_equal(vq_cluster_told(&cluster, 1), "REPORT 0 1.9 [1]; ");
}

/* ---- reload ------------------------------------------------------------------------------------------------------------------- */

static void reload_all(void)
{
    for (uint32_t id = 1; id <= cluster.count; id++)
        vq_cluster_reload(&cluster, id);
    vq_cluster_run(&cluster);
}

/* With what the packaged daemon answers: two_node gives way where a device is registered, else the device does. */
static void a_device_and_two_node_do_not_go_together_later_either(void **state)
{
    (void)state;
    bring_up(3, with_device);
    ask_name(1, VOTEQUORUM_REGISTER, "D");
    for (uint32_t id = 1; id <= 3; id++)
        cluster.nodes[id].config.two_node = true;
    reload_all();
    assert_string_equal(shown(1), "4 4 3 3 0x42");
    assert_string_equal(shown(2), "4 4 3 3 0x7");
    assert_int_equal(cluster.nodes[1].published[VOTEQUORUM_KEY_DEVICE_CAN_OPERATE], 1);
    assert_int_equal(cluster.nodes[2].published[VOTEQUORUM_KEY_DEVICE_CAN_OPERATE], 0);
    assert_int_equal(ask_name(2, VOTEQUORUM_REGISTER, "D"), CS_ERROR_ACCESS);
    assert_int_equal(ask_name(2, VOTEQUORUM_POLL, "D"), CS_ERROR_ACCESS);
    assert_int_equal(ask_name(2, VOTEQUORUM_MASTER_WINS, "D"), CS_ERROR_ACCESS);
    assert_int_equal(ask_name(1, VOTEQUORUM_POLL, "D"), CS_ERROR_OK);
}

static void a_device_can_be_added_and_removed(void **state)
{
    (void)state;
    vq_cluster_init(&cluster, 3);
    vq_cluster_start_all(&cluster, 7);
    vq_cluster_form(&cluster, 7);
    assert_string_equal(shown(1), "3 3 3 2 0x2");
    for (uint32_t id = 1; id <= 3; id++)
        with_strong_device(&cluster.nodes[id].config);
    reload_all();
    assert_string_equal(shown(1), "5 5 3 3 0x2");
    ask_name(1, VOTEQUORUM_REGISTER, "D");
    vq_cluster_poll(&cluster, 1, true);
    assert_string_equal(shown(1), "5 5 5 3 0x1c2");
    for (uint32_t id = 1; id <= 3; id++)
        cluster.nodes[id].config.has_device = false;
    reload_all();
    assert_string_equal(shown(1), "3 3 3 2 0x1c2");
    assert_int_equal(vq_cluster_info(&cluster, 1, 0)->device_votes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(without_registration_a_device_may_do_nothing, tear_down),
        cmocka_unit_test_teardown(one_name_is_known_in_the_whole_cluster, tear_down),
        cmocka_unit_test_teardown(the_name_is_forgotten_with_the_last_registration, tear_down),
        cmocka_unit_test_teardown(a_device_is_renamed_for_everybody, tear_down),
        cmocka_unit_test_teardown(names_have_their_limits, tear_down),
        cmocka_unit_test_teardown(a_registration_is_answered_when_it_comes_back, tear_down),
        cmocka_unit_test_teardown(a_poll_makes_the_device_alive_and_casts_its_vote, tear_down),
        cmocka_unit_test_teardown(the_device_is_in_quorum_events_of_the_node_where_it_is_registered,
                                  tear_down),
        cmocka_unit_test_teardown(the_vote_counts_on_the_node_whose_device_casts_it, tear_down),
        cmocka_unit_test_teardown(where_master_wins_one_vote_is_enough_for_the_partition, tear_down),
        cmocka_unit_test_teardown(when_master_wins_is_withdrawn_the_own_vote_must_do, tear_down),
        cmocka_unit_test_teardown(a_synchronisation_waits_for_a_device_that_is_alive, tear_down),
        cmocka_unit_test_teardown(a_silent_device_is_waited_for_until_the_timeout_of_synchronisations,
                                  tear_down),
        cmocka_unit_test_teardown(who_has_no_device_alive_is_not_waited_for, tear_down),
        cmocka_unit_test_teardown(everybody_waits_for_the_slowest_device, tear_down),
        cmocka_unit_test_teardown(a_device_that_unregisters_is_not_waited_for_any_more, tear_down),
        cmocka_unit_test_teardown(a_vote_for_the_ring_before_is_none, tear_down),
        cmocka_unit_test_teardown(a_withdrawn_vote_is_not_turned_on_by_an_old_broadcast, tear_down),
        cmocka_unit_test_teardown(peers_do_not_keep_an_old_vote_either, tear_down),
        cmocka_unit_test_teardown(a_withdrawn_vote_is_gone_although_the_ring_delivers_nothing, tear_down),
        cmocka_unit_test_teardown(a_vote_that_is_given_counts_when_the_ring_has_heard_of_it, tear_down),
        cmocka_unit_test_teardown(a_device_that_dies_takes_its_vote_along_without_a_token, tear_down),
        cmocka_unit_test_teardown(a_device_and_two_node_do_not_go_together_later_either, tear_down),
        cmocka_unit_test_teardown(a_device_can_be_added_and_removed, tear_down),
    };

    return cmocka_run_group_tests_name("votequorum_device", tests, NULL, NULL);
}
