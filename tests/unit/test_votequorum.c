/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * votequorum's machine on rings formed by hand: the situations of spec/votequorum.md, each with what a client
 * is told and what `corosync-quorumtool` would show. Where a fact was seen with the packaged daemon the test
 * has its numbers.
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

static void for_all(void (*change)(struct votequorum_config *config))
{
    for (uint32_t id = 1; id <= cluster.count; id++)
        change(&cluster.nodes[id].config);
}

/* All of them start and form one ring. */
static void bring_up(uint32_t count, void (*change)(struct votequorum_config *config))
{
    vq_cluster_init(&cluster, count);
    if (change != NULL)
        for_all(change);
    vq_cluster_start_all(&cluster, ALL(count));
    vq_cluster_form(&cluster, ALL(count));
}

static void split(uint32_t one, uint32_t other)
{
    vq_cluster_form(&cluster, one);
    vq_cluster_form(&cluster, other);
}

/* "expected highest total quorum flags", as in the table of spec section 9.1. */
static const char *shown(uint32_t id)
{
    static char text[128];
    const struct votequorum_node_info *info = vq_cluster_info(&cluster, id, 0);

    snprintf(text, sizeof(text), "%u %u %u %u %#x", info->expected_votes, info->highest_expected,
             info->total_votes, info->quorum, info->flags);
    return text;
}

static enum cs_error ask_votes(uint32_t id, enum votequorum_request_type type, uint32_t node_id,
                               uint32_t votes)
{
    struct votequorum_request request = {.type = type, .node_id = node_id, .votes = votes};

    return vq_cluster_ask(&cluster, id, &request);
}

static enum cs_error track(uint32_t id, uint32_t flags)
{
    struct votequorum_request request = {.type = VOTEQUORUM_TRACK_START, .flags = flags, .context = 7};

    return vq_cluster_ask(&cluster, id, &request);
}

#define QUORATE VOTEQUORUM_INFO_IS_QUORATE
#define WFA VOTEQUORUM_INFO_WAITS_FOR_ALL

/* ---- membership -------------------------------------------------------------------------------------------------- */

static void a_majority_is_quorate_and_the_rest_is_not(void **state)
{
    (void)state;
    bring_up(3, NULL);
    assert_int_equal(vq_cluster_quorate(&cluster), 7);
    assert_string_equal(shown(1), "3 3 3 2 0x2");
    split(3, 4);
    assert_int_equal(vq_cluster_quorate(&cluster), 3);
    assert_string_equal(shown(2), "3 3 2 2 0x2");
    assert_string_equal(shown(3), "3 3 1 2 0");
    assert_int_equal(vq_cluster_info(&cluster, 1, 3)->state, VOTEQUORUM_DEAD);
    vq_cluster_form(&cluster, 7);
    assert_int_equal(vq_cluster_quorate(&cluster), 7);
    assert_int_equal(vq_cluster_info(&cluster, 1, 3)->state, VOTEQUORUM_MEMBER);
}

/* Spec 6.3: the trace of a tracker on node 1 of three, node 3 cut off and back. */
static void clients_are_told_of_every_change_in_the_order_of_the_packaged_daemon(void **state)
{
    (void)state;
    bring_up(3, NULL);
    vq_cluster_told(&cluster, 1);
    assert_int_equal(track(1, VOTEQUORUM_TRACK_CHANGES), CS_ERROR_OK);
    assert_string_equal(vq_cluster_told(&cluster, 1),
                        "NODELIST 1.5 [1 2 3]; QUORUM 1 [1/1 2/1 3/1]; ANSWER 1; ");
    split(3, 4);
    assert_string_equal(vq_cluster_told(&cluster, 1),
                        "NODELIST 1.9 [1 2]; PASS; REPORT 1 1.9 [1 2]; QUORUM 1 [1/1 2/1 3/2]; ");
    vq_cluster_form(&cluster, 7);
    assert_string_equal(vq_cluster_told(&cluster, 1),
                        "NODELIST 1.17 [1 2 3]; PASS; REPORT 1 1.17 [1 2 3]; QUORUM 1 [1/1 2/1 3/1]; ");
    assert_int_equal(cluster.nodes[1].published[VOTEQUORUM_KEY_HIGHEST_NODE_ID], 3);
}

static void tracking_twice_is_refused_after_the_present_state_was_told(void **state)
{
    struct votequorum_request stop = {.type = VOTEQUORUM_TRACK_STOP};

    (void)state;
    bring_up(2, NULL);
    vq_cluster_told(&cluster, 1);
    assert_int_equal(vq_cluster_ask(&cluster, 1, &stop), CS_ERROR_NOT_EXIST);
    assert_int_equal(track(1, 0), CS_ERROR_OK);
    assert_string_equal(vq_cluster_told(&cluster, 1), "ANSWER 12; ANSWER 1; ");
    assert_int_equal(track(1, VOTEQUORUM_TRACK_CURRENT), CS_ERROR_OK);
    assert_int_equal(vq_cluster_ask(&cluster, 1, &stop),
                     CS_ERROR_NOT_EXIST); /* CURRENT alone does not register */
    vq_cluster_told(&cluster, 1);
    assert_int_equal(track(1, VOTEQUORUM_TRACK_CHANGES_ONLY), CS_ERROR_OK);
    assert_string_equal(vq_cluster_told(&cluster, 1), "ANSWER 1; ");
    assert_int_equal(track(1, VOTEQUORUM_TRACK_CURRENT), CS_ERROR_EXIST);
    assert_string_equal(vq_cluster_told(&cluster, 1), "NODELIST 1.5 [1 2]; QUORUM 1 [1/1 2/1]; ANSWER 14; ");
    assert_int_equal(track(1, 0), CS_ERROR_EXIST);
    assert_int_equal(vq_cluster_ask(&cluster, 1, &stop), CS_ERROR_OK);
    assert_int_equal(track(1, VOTEQUORUM_TRACK_CHANGES), CS_ERROR_OK);
    vq_cluster_event(&cluster, 1, VOTEQUORUM_EV_CLIENT_GONE);
    vq_cluster_told(&cluster, 1);
    vq_cluster_form(&cluster, 3);
    assert_string_equal(vq_cluster_told(&cluster, 1), "PASS; REPORT 1 1.9 [1 2]; ");
}

static void a_node_that_is_not_known_is_told_so_with_an_empty_answer(void **state)
{
    static const struct votequorum_node_info nothing;

    (void)state;
    bring_up(2, NULL);
    assert_memory_equal(vq_cluster_info(&cluster, 1, 9), &nothing, sizeof(nothing));
    assert_int_equal(cluster.nodes[1].answer, CS_ERROR_NOT_EXIST);
    assert_int_equal(vq_cluster_info(&cluster, 1, 2)->node_id, 2);
    assert_int_equal(vq_cluster_info(&cluster, 2, 0)->node_id, 2);
}

/* An aborted synchronisation decides nothing, and forgets nothing of the time before it. */
static void a_synchronisation_that_is_given_up_is_not_seen(void **state)
{
    (void)state;
    bring_up(3, NULL);
    vq_cluster_device(&cluster, 1, VOTEQUORUM_REGISTER, 0);
    vq_cluster_poll(&cluster, 1, true);
    vq_cluster_told(&cluster, 1);
    vq_cluster_form(&cluster, 1); /* the device is waited for */
    assert_string_equal(vq_cluster_told(&cluster, 1), "");
    vq_cluster_abort(&cluster, 1);
    vq_cluster_poll(&cluster, 1, false);
    vq_cluster_form(&cluster, 7);
    vq_cluster_poll(&cluster, 1, false);
    assert_int_equal(vq_cluster_quorate(&cluster), 7);
}

/* ---- two_node, wait_for_all ------------------------------------------------------------------------------------------ */

static void two_node(struct votequorum_config *config)
{
    config->two_node = true;
}

static void two_node_without_wait(struct votequorum_config *config)
{
    config->two_node = true;
    config->has_wait_for_all = true;
}

static void wait_for_all(struct votequorum_config *config)
{
    config->has_wait_for_all = true;
    config->wait_for_all = true;
}

/* The rows of spec 9.1 about two_node. */
static void two_nodes_wait_for_one_another_once_and_survive_alone(void **state)
{
    (void)state;
    vq_cluster_init(&cluster, 2);
    for_all(two_node);
    vq_cluster_start(&cluster, 1);
    vq_cluster_form(&cluster, 1);
    assert_string_equal(shown(1), "2 2 1 1 0x5");
    vq_cluster_start(&cluster, 2);
    vq_cluster_form(&cluster, 3);
    assert_string_equal(shown(1), "2 2 2 1 0x7");
    assert_int_equal(cluster.nodes[1].published[VOTEQUORUM_KEY_WAIT_FOR_ALL_STATUS], 0);
    vq_cluster_kill(&cluster, 2);
    vq_cluster_form(&cluster, 1);
    assert_string_equal(shown(1), "2 2 1 1 0x7");
    vq_cluster_kill(&cluster, 1);
    vq_cluster_start(&cluster, 1);
    vq_cluster_form(&cluster, 1);
    assert_string_equal(shown(1), "2 2 1 1 0x5");
    assert_int_equal(cluster.nodes[1].published[VOTEQUORUM_KEY_WAIT_FOR_ALL_STATUS], 1);
}

static void two_node_without_wait_for_all_is_quorate_from_its_start(void **state)
{
    (void)state;
    vq_cluster_init(&cluster, 2);
    for_all(two_node_without_wait);
    vq_cluster_start(&cluster, 1);
    assert_string_equal(vq_cluster_told(&cluster, 1), "REPORT 1 0.0 []; ");
    vq_cluster_form(&cluster, 1);
    assert_string_equal(shown(1), "2 2 1 1 0x3");
}

/* Spec 4.2 and 9.1. */
static void who_has_lost_quorum_waits_for_all_again(void **state)
{
    (void)state;
    vq_cluster_init(&cluster, 3);
    for_all(wait_for_all);
    vq_cluster_start_all(&cluster, 7);
    vq_cluster_form(&cluster, 3);
    assert_string_equal(shown(1), "3 3 2 2 0x4");
    vq_cluster_form(&cluster, 7);
    assert_string_equal(shown(1), "3 3 3 2 0x6");
    vq_cluster_kill(&cluster, 3);
    vq_cluster_form(&cluster, 3);
    assert_int_equal(vq_cluster_quorate(&cluster), 3);
    split(1, 2);
    assert_int_equal(vq_cluster_quorate(&cluster), 0);
    vq_cluster_form(&cluster, 3);
    assert_string_equal(shown(1), "3 3 2 2 0x4");
    vq_cluster_start(&cluster, 3);
    vq_cluster_form(&cluster, 7);
    assert_int_equal(vq_cluster_quorate(&cluster), 7);
}

static void who_joins_a_quorate_partition_does_not_wait(void **state)
{
    (void)state;
    vq_cluster_init(&cluster, 5);
    for_all(wait_for_all);
    vq_cluster_start_all(&cluster, 31);
    vq_cluster_form(&cluster, 31);
    split(7, 24);
    assert_int_equal(vq_cluster_quorate(&cluster), 7);
    vq_cluster_kill(&cluster, 5);
    vq_cluster_form(&cluster, 15);
    assert_int_equal(vq_cluster_quorate(&cluster), 15);
}

static void waiting_can_be_cancelled_everywhere_by_one(void **state)
{
    (void)state;
    vq_cluster_init(&cluster, 3);
    for_all(wait_for_all);
    vq_cluster_start_all(&cluster, 3);
    vq_cluster_form(&cluster, 3);
    assert_int_equal(vq_cluster_quorate(&cluster), 0);
    vq_cluster_event(&cluster, 1, VOTEQUORUM_EV_CANCEL_WAIT);
    assert_int_equal(vq_cluster_quorate(&cluster), 3);
    assert_true(cluster.nodes[1].is_published[VOTEQUORUM_KEY_CANCEL_WAIT_FOR_ALL]);
    assert_false(cluster.nodes[2].is_published[VOTEQUORUM_KEY_CANCEL_WAIT_FOR_ALL]);
}

/* ---- last_man_standing, auto_tie_breaker ------------------------------------------------------------------------------- */

static void last_man(struct votequorum_config *config)
{
    config->last_man_standing = true;
    config->has_wait_for_all = true;
    config->wait_for_all = true;
}

static void last_man_and_tie_breaker(struct votequorum_config *config)
{
    last_man(config);
    config->auto_tie_breaker = true;
}

static void tie_breaker(struct votequorum_config *config)
{
    config->auto_tie_breaker = true;
}

static void tie_breaker_list(struct votequorum_config *config)
{
    config->auto_tie_breaker = true;
    config->auto_tie_breaker_node = "2 1";
}

static void after_the_window_expected_votes_follow_the_survivors(void **state)
{
    (void)state;
    bring_up(3, last_man);
    track(1, VOTEQUORUM_TRACK_CHANGES);
    split(3, 4);
    assert_string_equal(shown(1), "3 3 2 2 0xe");
    vq_cluster_told(&cluster, 1);
    vq_cluster_advance(&cluster, 9999);
    assert_string_equal(shown(1), "3 3 2 2 0xe");
    vq_cluster_told(&cluster, 1);
    vq_cluster_advance(&cluster, 1);
    assert_string_equal(vq_cluster_told(&cluster, 1), ""); /* nobody is told */
    assert_string_equal(shown(1), "2 2 2 2 0xe");
    vq_cluster_told(&cluster, 1);
    vq_cluster_form(&cluster, 7);
    assert_string_equal(vq_cluster_told(&cluster, 1),
                        "NODELIST 1.17 [1 2 3]; PASS; EXPECTED 3; REPORT 1 1.17 [1 2 3]; "
                        "QUORUM 1 [1/1 2/1 3/1]; ");
    assert_string_equal(shown(1), "3 3 3 2 0xe");
}

static void with_a_tie_breaker_the_last_man_stands(void **state)
{
    (void)state;
    bring_up(4, last_man_and_tie_breaker);
    for (uint32_t left = 3; left > 0; left--) {
        vq_cluster_kill(&cluster, left + 1);
        vq_cluster_form(&cluster, ALL(left));
        assert_int_equal(vq_cluster_quorate(&cluster), ALL(left));
        vq_cluster_advance(&cluster, 10000);
        assert_int_equal(vq_cluster_info(&cluster, 1, 0)->expected_votes, left);
    }
}

/* A window that ends while a new membership is being found would count with the votes of half a synchronisation. */
static void the_window_does_not_end_in_a_synchronisation(void **state)
{
    (void)state;
    bring_up(3, last_man);
    split(3, 4);
    vq_cluster_lose_token(&cluster, 3);
    vq_cluster_advance(&cluster, 9000);
    vq_cluster_form(&cluster, 1);
    assert_int_equal(vq_cluster_quorate(&cluster) & 1, 0);
    vq_cluster_advance(&cluster, 20000);
    assert_int_equal(vq_cluster_quorate(&cluster) & 1, 0);
}

/* Nor is a timer asked for before it is over. */
static void in_a_synchronisation_the_window_is_no_deadline(void **state)
{
    uint32_t members[] = {1};
    struct votequorum_event event = {.type = VOTEQUORUM_EV_SYNC_BEGIN, .u.begin = {{1, 99}, members, 1}};
    struct votequorum *machine;

    (void)state;
    bring_up(3, last_man);
    split(3, 4);
    machine = cluster.nodes[1].machine;
    assert_int_equal(votequorum_deadline_ms(machine), cluster.now_ms + 10000);
    event.now_ms = cluster.now_ms;
    assert_int_equal(votequorum_step(machine, &event, &cluster.actions), Q_OK);
    assert_true(votequorum_deadline_ms(machine) == VOTEQUORUM_NEVER);
    event = (struct votequorum_event){.type = VOTEQUORUM_EV_TIME, .now_ms = cluster.now_ms + 20000};
    assert_int_equal(votequorum_step(machine, &event, &cluster.actions), Q_OK);
    cluster.now_ms += 20000;
    assert_int_equal(vq_cluster_info(&cluster, 1, 0)->expected_votes, 3);
}

static void last_man_standing_needs_equal_nodes(void **state)
{
    (void)state;
    vq_cluster_init(&cluster, 3);
    for_all(last_man);
    cluster.list[1].votes = 2;
    vq_cluster_start_all(&cluster, 7);
    assert_int_equal(vq_cluster_info(&cluster, 1, 0)->flags & VOTEQUORUM_INFO_LMS, VOTEQUORUM_INFO_LMS);
    assert_int_equal(vq_cluster_info(&cluster, 2, 0)->flags & VOTEQUORUM_INFO_LMS, 0);
    vq_cluster_form(&cluster, 7);
    assert_int_equal(vq_cluster_info(&cluster, 1, 0)->flags & VOTEQUORUM_INFO_LMS, 0);
    split(3, 4);
    vq_cluster_advance(&cluster, 20000);
    assert_int_equal(vq_cluster_info(&cluster, 1, 0)->expected_votes, 4);
}

static void of_two_halves_the_tie_breakers_is_quorate(void **state)
{
    (void)state;
    bring_up(2, tie_breaker);
    split(1, 2);
    assert_string_equal(shown(1), "2 2 1 2 0x12");
    assert_string_equal(shown(2), "2 2 1 2 0x10");
    assert_int_equal(cluster.nodes[1].published[VOTEQUORUM_KEY_HIGHEST_NODE_ID],
                     2); /* of the last quorum by votes */
    vq_cluster_kill(&cluster, 2);
    vq_cluster_start(&cluster, 2);
    vq_cluster_form(&cluster, 2);
    assert_int_equal(vq_cluster_quorate(&cluster), 1);
}

/* The packaged daemon's node 1 becomes quorate here, beside node 2 (auto_tie_breaker_node "2 1", runtime.force_gather). */
static void a_half_that_lost_the_tie_does_not_win_it_by_forming_its_ring_again(void **state)
{
    (void)state;
    bring_up(2, tie_breaker_list);
    split(1, 2);
    assert_int_equal(vq_cluster_quorate(&cluster), 2);
    for (int i = 0; i < 3; i++) {
        vq_cluster_form(&cluster, 1);
        assert_int_equal(vq_cluster_quorate(&cluster), 2);
    }
    vq_cluster_form(&cluster, 3);
    assert_int_equal(vq_cluster_quorate(&cluster), 3);
}

/* ---- expected votes and votes at run time --------------------------------------------------------------------------------- */

/* With the answers of the packaged daemon. */
static void expected_votes_are_set_for_everybody_if_they_keep_quorum(void **state)
{
    static const enum cs_error wanted[] = {7, 7, 7, 1, 1, 1, 7};

    (void)state;
    bring_up(3, NULL);
    track(2, VOTEQUORUM_TRACK_CHANGES);
    vq_cluster_told(&cluster, 2);
    for (uint32_t expected = 0; expected < 7; expected++)
        assert_int_equal(ask_votes(1, VOTEQUORUM_SET_EXPECTED, 0, expected), wanted[expected]);
    assert_string_equal(vq_cluster_told(&cluster, 2), "EXPECTED 3; EXPECTED 4; EXPECTED 5; ");
    assert_string_equal(shown(3), "5 5 3 3 0x2");
    assert_int_equal(cluster.nodes[3].published[VOTEQUORUM_KEY_EV_BARRIER], 5);
    /* The packaged daemon takes this one: its sum wraps. */
    assert_int_equal(ask_votes(1, VOTEQUORUM_SET_EXPECTED, 0, UINT32_MAX), CS_ERROR_INVALID_PARAM);
    assert_int_equal(ask_votes(1, VOTEQUORUM_SET_EXPECTED, 0, 3), CS_ERROR_OK);
    assert_string_equal(shown(3), "3 3 3 2 0x2");
}

static void tracked(struct votequorum_config *config)
{
    config->expected_votes_tracking = true;
}

/* With the numbers of the packaged daemon, which tells what was asked for, too. */
static void tracked_expected_votes_rise_only(void **state)
{
    (void)state;
    bring_up(3, tracked);
    track(2, VOTEQUORUM_TRACK_CHANGES);
    vq_cluster_told(&cluster, 2);
    assert_int_equal(ask_votes(1, VOTEQUORUM_SET_EXPECTED, 0, 5), CS_ERROR_OK);
    assert_int_equal(ask_votes(1, VOTEQUORUM_SET_EXPECTED, 0, 4), CS_ERROR_OK);
    assert_string_equal(vq_cluster_told(&cluster, 2), "EXPECTED 5; EXPECTED 4; ");
    assert_string_equal(shown(3), "5 5 3 3 0x2");
    assert_int_equal(cluster.nodes[3].published[VOTEQUORUM_KEY_EV_BARRIER], 4);
    assert_int_equal(cluster.nodes[3].published[VOTEQUORUM_KEY_EV_TRACKING_BARRIER], 5);
    vq_cluster_kill(&cluster, 3);
    vq_cluster_form(&cluster, 3);
    assert_int_equal(vq_cluster_quorate(&cluster), 0);
    assert_int_equal(ask_votes(1, VOTEQUORUM_SET_EXPECTED, 0, 2), CS_ERROR_OK);
    assert_string_equal(shown(2), "5 5 2 3 0");
}

static void who_is_not_quorate_anyway_may_expect_more(void **state)
{
    (void)state;
    bring_up(3, NULL);
    split(3, 4);
    assert_int_equal(ask_votes(3, VOTEQUORUM_SET_EXPECTED, 0, 0), CS_ERROR_INVALID_PARAM);
    assert_int_equal(ask_votes(3, VOTEQUORUM_SET_EXPECTED, 0, 9), CS_ERROR_OK);
    assert_string_equal(shown(3), "9 9 1 5 0");
}

/* Node 4 starts with what is in its configuration. */
static void who_joins_a_quorate_partition_expects_what_it_expects(void **state)
{
    (void)state;
    bring_up(4, NULL);
    assert_int_equal(ask_votes(1, VOTEQUORUM_SET_EXPECTED, 0, 5), CS_ERROR_OK);
    vq_cluster_kill(&cluster, 4);
    vq_cluster_form(&cluster, 7);
    vq_cluster_start(&cluster, 4);
    vq_cluster_form(&cluster, 8);
    assert_string_equal(shown(4), "4 4 1 3 0");
    vq_cluster_form(&cluster, 15);
    assert_string_equal(shown(4), "5 5 4 3 0x2");
    assert_int_equal(vq_cluster_info(&cluster, 1, 4)->expected_votes, 5); /* what 4 said, nobody believes */
}

static void votes_are_set_for_one_node_if_the_cluster_still_makes_sense(void **state)
{
    (void)state;
    bring_up(3, NULL);
    assert_int_equal(ask_votes(1, VOTEQUORUM_SET_VOTES, 9, 1), CS_ERROR_NAME_NOT_FOUND);
    assert_int_equal(ask_votes(1, VOTEQUORUM_SET_VOTES, 2, 5), CS_ERROR_OK);
    assert_string_equal(shown(3), "7 7 7 4 0x2");
    assert_int_equal(ask_votes(1, VOTEQUORUM_SET_VOTES, 2, 1),
                     CS_ERROR_INVALID_PARAM); /* 3 votes, quorum 4 */
    assert_int_equal(ask_votes(1, VOTEQUORUM_SET_VOTES, 2, UINT32_MAX), CS_ERROR_INVALID_PARAM);
    assert_string_equal(shown(3), "7 7 7 4 0x2");
    assert_int_equal(ask_votes(1, VOTEQUORUM_SET_VOTES, 0, 3), CS_ERROR_OK); /* the device's */
    assert_int_equal(vq_cluster_info(&cluster, 3, 0)->device_votes, 3);
}

static void what_cannot_be_sent_is_refused(void **state)
{
    struct votequorum_request request = {.type = VOTEQUORUM_SET_EXPECTED, .votes = 3};
    struct votequorum_event event = {.type = VOTEQUORUM_EV_REQUEST,
                                     .u.request = {.conn = VQ_CONN, .can_send = false, .request = &request}};

    (void)state;
    bring_up(3, NULL);
    event.now_ms = cluster.now_ms;
    for (int i = 0; i < 3; i++) {
        static const enum votequorum_request_type types[] = {VOTEQUORUM_SET_EXPECTED, VOTEQUORUM_SET_VOTES,
                                                             VOTEQUORUM_REGISTER};
        static const enum cs_error wanted[] = {CS_ERROR_NO_RESOURCES, CS_ERROR_NO_RESOURCES,
                                               CS_ERROR_TRY_AGAIN};

        request.type = types[i];
        request.node_id = 1;
        request.name = "D";
        votequorum_actions_reset(&cluster.actions);
        assert_int_equal(votequorum_step(cluster.nodes[1].machine, &event, &cluster.actions), Q_OK);
        assert_int_equal(cluster.actions.count, 1);
        assert_int_equal(cluster.actions.items[0].error, wanted[i]);
    }
}

/* ---- allow_downscale -------------------------------------------------------------------------------------------------------- */

static void downscale(struct votequorum_config *config)
{
    config->allow_downscale = true;
    config->has_wait_for_all = true;
    config->wait_for_all = true;
}

static void leave(uint32_t id, uint32_t rest)
{
    vq_cluster_event(&cluster, id, VOTEQUORUM_EV_SHUTDOWN);
    vq_cluster_kill(&cluster, id);
    vq_cluster_form(&cluster, rest);
}

/* With the numbers of the packaged daemon, allow_downscale and wait_for_all. */
static void who_leaves_in_order_is_not_expected_any_more(void **state)
{
    (void)state;
    bring_up(3, downscale);
    track(1, VOTEQUORUM_TRACK_CHANGES);
    vq_cluster_told(&cluster, 1);
    leave(3, 3);
    assert_string_equal(vq_cluster_told(&cluster, 1),
                        "NODELIST 1.9 [1 2]; PASS; REPORT 1 1.9 [1 2]; QUORUM 1 [1/1 2/1 3/2]; ");
    assert_string_equal(shown(1), "2 2 2 2 0x26");
    vq_cluster_told(&cluster, 1);
    leave(2, 1); /* the barrier of three holds the quorum at two */
    assert_string_equal(
        vq_cluster_told(&cluster, 1),
        "REPORT 0 1.9 [1 2]; QUORUM 0 [1/1 2/3 3/2]; NODELIST 1.13 [1]; PASS; REPORT 0 1.13 [1]; "
        "QUORUM 0 [1/1 2/2 3/2]; ");
    assert_string_equal(shown(1), "1 1 1 2 0x24");
    vq_cluster_start(&cluster, 2);
    vq_cluster_form(&cluster, 3);
    assert_string_equal(shown(1), "2 3 2 2 0x26");
    assert_string_equal(shown(2), "3 3 2 2 0x24");
    assert_int_equal(cluster.nodes[1].stored, 3); /* the most that was ever expected, for the next start */
}

/* Three are in everybody's list, two more are in their own. */
static void who_came_on_top_of_the_list_may_leave_again(void **state)
{
    (void)state;
    vq_cluster_init(&cluster, 5);
    for_all(downscale);
    for (uint32_t id = 1; id <= 3; id++)
        cluster.nodes[id].config.node_count = 3;
    vq_cluster_start_all(&cluster, 31);
    vq_cluster_form(&cluster, 31);
    assert_string_equal(shown(1), "5 5 5 3 0x26");
    leave(5, 15);
    assert_string_equal(shown(1), "4 4 4 3 0x26");
    leave(4, 7);
    assert_string_equal(shown(1), "3 3 3 2 0x26");
}

static void expected_votes_that_were_set_are_the_barrier_for_leaving(void **state)
{
    (void)state;
    bring_up(4, downscale);
    assert_int_equal(ask_votes(1, VOTEQUORUM_SET_EXPECTED, 0, 6), CS_ERROR_OK);
    assert_string_equal(shown(1), "6 6 4 4 0x26");
    leave(4, 7);
    assert_string_equal(shown(1), "3 3 3 4 0x24");
}

/* ---- reload ----------------------------------------------------------------------------------------------------------------- */

static void reload_all(void)
{
    for (uint32_t id = 1; id <= cluster.count; id++)
        vq_cluster_reload(&cluster, id);
    vq_cluster_run(&cluster);
}

static void expect_four(struct votequorum_config *config)
{
    config->expected_votes = 4;
}

/* Spec 4.7: n events for n nodes; announced only by whom it changes something. */
static void a_reload_announces_what_it_changes(void **state)
{
    (void)state;
    bring_up(3, NULL);
    track(1, VOTEQUORUM_TRACK_CHANGES);
    vq_cluster_told(&cluster, 1);
    reload_all();
    assert_string_equal(vq_cluster_told(&cluster, 1), "");
    for_all(expect_four);
    reload_all();
    assert_string_equal(vq_cluster_told(&cluster, 1), "EXPECTED 4; EXPECTED 4; EXPECTED 4; ");
    assert_string_equal(shown(2), "4 4 3 3 0x2");
    cluster.list[1].votes = 2;
    reload_all();
    assert_int_equal(vq_cluster_info(&cluster, 3, 2)->votes, 2);
    assert_int_equal(vq_cluster_info(&cluster, 3, 0)->total_votes, 4);
}

static void expect_five(struct votequorum_config *config)
{
    config->expected_votes = 5;
}

/* Node 1 reads a lower number before the others do. What they have said of themselves, a moment later, counts for them and for it:
 * nobody lowers its quorum for good, and nobody keeps the old one when all have read the new number. */
static void a_reload_that_some_read_late_lowers_expected_votes_in_the_end(void **state)
{
    (void)state;
    bring_up(3, expect_five);
    assert_string_equal(shown(1), "5 5 3 3 0x2");
    cluster.nodes[1].config.expected_votes = 3;
    vq_cluster_reload(&cluster, 1);
    for (int words = 0; words < 2; words++) {
        vq_cluster_reload(&cluster, 2);
        vq_cluster_reload(&cluster, 3);
    }
    vq_cluster_run(&cluster);
    assert_string_equal(shown(1), "3 5 3 3 0x2");
    assert_string_equal(shown(2), "5 5 3 3 0x2");
    assert_string_equal(shown(3), "5 5 3 3 0x2");
    cluster.nodes[2].config.expected_votes = 3;
    cluster.nodes[3].config.expected_votes = 3;
    reload_all();
    for (uint32_t id = 1; id <= 3; id++)
        assert_string_equal(shown(id), "3 3 3 2 0x2");
}

static void not_two_node(struct votequorum_config *config)
{
    config->two_node = false;
}

static void when_two_node_goes_so_does_the_waiting_it_implied(void **state)
{
    (void)state;
    vq_cluster_init(&cluster, 2);
    for_all(two_node);
    vq_cluster_start(&cluster, 1);
    vq_cluster_form(&cluster, 1);
    assert_string_equal(shown(1), "2 2 1 1 0x5");
    for_all(not_two_node);
    vq_cluster_reload(&cluster, 1);
    vq_cluster_run(&cluster);
    assert_string_equal(shown(1), "2 2 1 2 0");
    assert_int_equal(cluster.nodes[1].published[VOTEQUORUM_KEY_WAIT_FOR_ALL_STATUS], 0);
    assert_int_equal(cluster.nodes[1].published[VOTEQUORUM_KEY_TWO_NODE], 0);
}

static void a_reload_without_this_node_changes_nothing(void **state)
{
    (void)state;
    bring_up(3, NULL);
    cluster.nodes[3].config.node_count = 2;
    vq_cluster_reload(&cluster, 3);
    vq_cluster_run(&cluster);
    assert_int_equal(vq_cluster_quorate(&cluster), 7);
    assert_string_equal(shown(3), "3 3 3 2 0x2");
    assert_non_null(strstr(cluster.nodes[3].notes, "nodelist or quorum.expected_votes must be configured"));
}

/* One node that is a majority is quorate before it has a ring, and does not make one up. */
static void a_ring_that_is_not_there_yet_is_not_named(void **state)
{
    (void)state;
    bring_up(1, NULL);
    assert_non_null(strstr(cluster.nodes[1].notes, "before the first ring: quorate (votes 1, quorum 1, expected 1): by votes\n"));
    assert_null(strstr(cluster.nodes[1].notes, "ring 0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_majority_is_quorate_and_the_rest_is_not, tear_down),
        cmocka_unit_test_teardown(clients_are_told_of_every_change_in_the_order_of_the_packaged_daemon,
                                  tear_down),
        cmocka_unit_test_teardown(tracking_twice_is_refused_after_the_present_state_was_told, tear_down),
        cmocka_unit_test_teardown(a_node_that_is_not_known_is_told_so_with_an_empty_answer, tear_down),
        cmocka_unit_test_teardown(a_synchronisation_that_is_given_up_is_not_seen, tear_down),
        cmocka_unit_test_teardown(two_nodes_wait_for_one_another_once_and_survive_alone, tear_down),
        cmocka_unit_test_teardown(two_node_without_wait_for_all_is_quorate_from_its_start, tear_down),
        cmocka_unit_test_teardown(who_has_lost_quorum_waits_for_all_again, tear_down),
        cmocka_unit_test_teardown(who_joins_a_quorate_partition_does_not_wait, tear_down),
        cmocka_unit_test_teardown(waiting_can_be_cancelled_everywhere_by_one, tear_down),
        cmocka_unit_test_teardown(after_the_window_expected_votes_follow_the_survivors, tear_down),
        cmocka_unit_test_teardown(with_a_tie_breaker_the_last_man_stands, tear_down),
        cmocka_unit_test_teardown(the_window_does_not_end_in_a_synchronisation, tear_down),
        cmocka_unit_test_teardown(in_a_synchronisation_the_window_is_no_deadline, tear_down),
        cmocka_unit_test_teardown(last_man_standing_needs_equal_nodes, tear_down),
        cmocka_unit_test_teardown(of_two_halves_the_tie_breakers_is_quorate, tear_down),
        cmocka_unit_test_teardown(a_half_that_lost_the_tie_does_not_win_it_by_forming_its_ring_again,
                                  tear_down),
        cmocka_unit_test_teardown(expected_votes_are_set_for_everybody_if_they_keep_quorum, tear_down),
        cmocka_unit_test_teardown(tracked_expected_votes_rise_only, tear_down),
        cmocka_unit_test_teardown(who_is_not_quorate_anyway_may_expect_more, tear_down),
        cmocka_unit_test_teardown(who_joins_a_quorate_partition_expects_what_it_expects, tear_down),
        cmocka_unit_test_teardown(votes_are_set_for_one_node_if_the_cluster_still_makes_sense, tear_down),
        cmocka_unit_test_teardown(what_cannot_be_sent_is_refused, tear_down),
        cmocka_unit_test_teardown(who_leaves_in_order_is_not_expected_any_more, tear_down),
        cmocka_unit_test_teardown(who_came_on_top_of_the_list_may_leave_again, tear_down),
        cmocka_unit_test_teardown(expected_votes_that_were_set_are_the_barrier_for_leaving, tear_down),
        cmocka_unit_test_teardown(a_reload_announces_what_it_changes, tear_down),
        cmocka_unit_test_teardown(a_reload_that_some_read_late_lowers_expected_votes_in_the_end, tear_down),
        cmocka_unit_test_teardown(when_two_node_goes_so_does_the_waiting_it_implied, tear_down),
        cmocka_unit_test_teardown(a_reload_without_this_node_changes_nothing, tear_down),
        cmocka_unit_test_teardown(a_ring_that_is_not_there_yet_is_not_named, tear_down),
    };

    return cmocka_run_group_tests_name("votequorum", tests, NULL, NULL);
}
