/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rules of votequorum over everything they can be asked about clusters of two to five nodes: every set of
 * nodes that is left, seen from each of them, under every valid combination of options, every state of the
 * own quorum device and of a peer's, and every history that matters. What must come out is said again here,
 * as properties instead of formulas:
 *
 *  R1  Our expected votes never fall by themselves. They are at least the votes of all voters and of the
 *      device together.
 *  R2  The quorum is the smallest number that no two sides can both reach: twice the quorum is more than the
 *      highest expected votes of any voter, and more than the votes that are there. It is not below what it
 *      was, unless asked. Asked to count by nodes, it is the number of voters and the device that counts as
 *      the highest expected votes, and with allow_downscale not less than the barrier (if it may fall at
 *      all).
 *  R3  two_node: with one or two voters (a device that votes for us is one) the quorum is 1.
 *  R4  Who waits for all decides nothing before exactly the expected votes are there.
 *  R5  Quorate by votes: the votes that are there reach the quorum.
 *  R6  Quorate by tie-breaker: half of the expected votes are there (rounded down), fewer nodes than the
 *      quorum have gone since the membership was last quorate by votes (never yet: since the ring before),
 *      and the winner of the tie is here: the lowest or highest node of that membership; or the first of the
 *      list that is here or was in it.
 *  R7  Quorate because master wins: our device has said so last, and a voter's that casts its vote says so.
 *  R8  Otherwise not quorate; who is not and shall wait for all waits (again), who is does not.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/services/votequorum_rules.h"
#include "core/services/votequorum_wire.h"

#define NODES_MAX 5
#define SETS (1u << NODES_MAX)

#define CAST VOTEQUORUM_FLAG_DEVICE_CAST_VOTE
#define MASTER VOTEQUORUM_FLAG_DEVICE_MASTER_WINS

/* Node i + 1 is in the set of mask m if bit i of m is set. */
static struct node_set sets[SETS];

static int make_sets(void **state)
{
    (void)state;
    for (uint32_t mask = 0; mask < SETS; mask++) {
        node_set_init(&sets[mask]);
        for (uint32_t i = 0; i < NODES_MAX; i++)
            if ((mask >> i & 1) != 0 && node_set_add(&sets[mask], i + 1) != Q_OK)
                return -1;
    }
    return 0;
}

static int free_sets(void **state)
{
    (void)state;
    for (uint32_t mask = 0; mask < SETS; mask++)
        node_set_fini(&sets[mask]);
    return 0;
}

/* ---- a case, and what must come out ------------------------------------------------------------------------ */

struct rule_case {
    struct votequorum_options options;
    uint32_t node_count;
    uint32_t here; /* masks */
    uint32_t previous;
    uint32_t remembered; /* 0: never quorate by votes */
    uint32_t own;        /* index of this node in the cluster */
    bool weighted;       /* node i has i votes instead of one */
    uint32_t device_votes;
    uint32_t own_flags;
    bool allowed;        /* master wins, by our device, which may have gone since */
    uint32_t peer_flags; /* of the lowest other voter */
    uint32_t own_expected;
    uint32_t quorum;
    bool waiting;
    struct votequorum_question question;
};

static uint32_t weight(const struct rule_case *c, uint32_t node)
{
    return c->weighted ? node + 1 : 1;
}

static uint32_t count_of(uint32_t mask)
{
    return sets[mask].count;
}

static bool is_here(const struct rule_case *c, uint32_t node)
{
    return (c->here >> node & 1) != 0;
}

/* Peers expect one vote per node. */
static uint32_t expected_by(const struct rule_case *c, uint32_t node)
{
    return node == c->own ? c->own_expected : c->node_count;
}

static bool device_votes_for_us(const struct rule_case *c)
{
    return (c->own_flags & CAST) != 0;
}

static uint32_t node_votes_here(const struct rule_case *c)
{
    uint32_t sum = 0;

    for (uint32_t node = 0; node < c->node_count; node++)
        sum += is_here(c, node) ? weight(c, node) : 0;
    return sum;
}

static uint32_t votes_here(const struct rule_case *c)
{
    return node_votes_here(c) + (device_votes_for_us(c) ? c->device_votes : 0);
}

/* R1 */
static uint32_t wanted_expected(const struct rule_case *c)
{
    uint32_t expected = c->own_expected;

    while (expected < node_votes_here(c) + c->device_votes)
        expected++;
    return expected;
}

static uint32_t heads(const struct rule_case *c)
{
    return count_of(c->here) + (c->device_votes > 0 ? 1 : 0);
}

#define BARRIER 4

/* R2: is `quorum` enough? */
static bool is_enough(const struct rule_case *c, uint32_t quorum)
{
    if (2 * quorum <= votes_here(c))
        return false;
    if (!c->question.allow_decrease && quorum < c->quorum)
        return false;
    if (c->question.by_current_nodes)
        return 2 * quorum > heads(c) &&
               (2 * quorum > BARRIER || !c->options.allow_downscale || !c->question.allow_decrease);
    for (uint32_t node = 0; node < c->node_count; node++)
        if (is_here(c, node) && 2 * quorum <= (node == c->own ? wanted_expected(c) : expected_by(c, node)))
            return false;
    return true;
}

/* R2, R3 */
static uint32_t wanted_quorum(const struct rule_case *c)
{
    uint32_t quorum = 1;

    if (c->options.two_node && count_of(c->here) + (device_votes_for_us(c) ? 1 : 0) <= 2)
        return 1;
    while (!is_enough(c, quorum))
        quorum++;
    return quorum;
}

static uint32_t before(const struct rule_case *c)
{
    return c->remembered != 0 ? c->remembered : c->previous;
}

/* R6: the index of the node that wins ties; NODES_MAX: nobody does. */
static uint32_t winner(const struct rule_case *c)
{
    uint32_t seen = c->here | before(c);

    switch (c->options.tie_breaker) {
    case VOTEQUORUM_TIE_BREAKER_NONE:
        break;
    case VOTEQUORUM_TIE_BREAKER_LOWEST:
        for (uint32_t node = 0; node < NODES_MAX; node++)
            if ((c->remembered >> node & 1) != 0)
                return node;
        break;
    case VOTEQUORUM_TIE_BREAKER_HIGHEST:
        for (uint32_t node = NODES_MAX; node-- > 0;)
            if ((c->remembered >> node & 1) != 0)
                return node;
        break;
    case VOTEQUORUM_TIE_BREAKER_LIST:
        for (size_t i = 0; i < c->options.tie_breaker_node_count; i++) {
            uint32_t node = c->options.tie_breaker_nodes[i] - 1;

            if (node < NODES_MAX && (seen >> node & 1) != 0)
                return node;
        }
        break;
    }
    return NODES_MAX;
}

static bool wins_tie(const struct rule_case *c)
{
    return winner(c) < NODES_MAX && is_here(c, winner(c));
}

static bool wins_by_tie_breaker(const struct rule_case *c, uint32_t expected)
{
    bool half = 2 * votes_here(c) == expected || 2 * votes_here(c) + 1 == expected;

    return half && count_of(before(c)) < count_of(c->here) + wanted_quorum(c) && wins_tie(c);
}

/* R7 */
static bool wins_by_master(const struct rule_case *c)
{
    bool peer = count_of(c->here) > 1 && (c->peer_flags & MASTER) != 0 && (c->peer_flags & CAST) != 0;

    bool own = (c->own_flags & MASTER) != 0 && device_votes_for_us(c);

    return c->allowed && (own || peer);
}

static enum votequorum_reason wanted_reason(const struct rule_case *c)
{
    uint32_t expected = c->question.by_current_nodes ? heads(c) : wanted_expected(c);

    if (c->options.wait_for_all && c->waiting && votes_here(c) != expected)
        return VOTEQUORUM_WAITS_FOR_ALL;
    if (votes_here(c) >= wanted_quorum(c))
        return VOTEQUORUM_BY_VOTES;
    if (wins_by_tie_breaker(c, expected))
        return VOTEQUORUM_BY_TIE_BREAKER;
    return wins_by_master(c) ? VOTEQUORUM_BY_MASTER_WINS : VOTEQUORUM_TOO_FEW;
}

/* ---- asking ---------------------------------------------------------------------------------------------------- */

static struct votequorum_view view_of(const struct rule_case *c, struct votequorum_voter voters[NODES_MAX])
{
    struct votequorum_view view = {.options = &c->options,
                                   .voters = voters,
                                   .device_votes = c->device_votes,
                                   .quorum = c->quorum,
                                   .waiting = c->waiting,
                                   .master_wins = c->allowed,
                                   .expected_votes_barrier = BARRIER,
                                   .lowest_node_id = node_set_lowest(&sets[c->remembered]),
                                   .highest_node_id = node_set_highest(&sets[c->remembered]),
                                   .members = &sets[c->here],
                                   .previous = &sets[c->previous],
                                   .quorate_with = &sets[c->remembered]};
    bool peer_done = false;

    for (uint32_t node = 0; node < c->node_count; node++) {
        uint32_t flags = c->own_flags;

        if (!is_here(c, node))
            continue;
        if (node == c->own) {
            view.own = view.voter_count;
        } else {
            flags = peer_done ? 0 : c->peer_flags;
            peer_done = true;
        }
        voters[view.voter_count++] =
            (struct votequorum_voter){node + 1, weight(c, node), expected_by(c, node), flags};
    }
    return view;
}

static unsigned long case_count;

static void fail_case(const struct rule_case *c, const struct votequorum_verdict *got)
{
    print_error(
        "nodes %u here %#x previous %#x remembered %#x own %u weighted %d device %u flags %#x allowed %d "
        "peer %#x expected %u "
        "quorum %u waiting %d two_node %d wfa %d downscale %d tie-breaker %d decrease %d by nodes %d\n",
        c->node_count, c->here, c->previous, c->remembered, c->own + 1, c->weighted, c->device_votes,
        c->own_flags, c->allowed, c->peer_flags, c->own_expected, c->quorum, c->waiting, c->options.two_node,
        c->options.wait_for_all, c->options.allow_downscale, c->options.tie_breaker,
        c->question.allow_decrease, c->question.by_current_nodes);
    print_error("got reason %d expected %u everybody's %u quorum %u total %u; wanted %d, %u, %u, %u, %u\n",
                got->reason, got->own_expected, got->everybodys_expected, got->quorum, got->total_votes,
                wanted_reason(c), wanted_expected(c), c->question.by_current_nodes ? heads(c) : 0,
                wanted_quorum(c), votes_here(c));
    fail();
}

static void check(const struct rule_case *c)
{
    struct votequorum_voter voters[NODES_MAX];
    struct votequorum_view view = view_of(c, voters);
    struct votequorum_verdict verdict = votequorum_decide(&view, c->question);
    enum votequorum_reason reason = wanted_reason(c);
    bool quorate = reason == VOTEQUORUM_BY_VOTES || reason == VOTEQUORUM_BY_TIE_BREAKER ||
                   reason == VOTEQUORUM_BY_MASTER_WINS;

    case_count++;
    if (verdict.reason != reason || verdict.quorate != quorate ||
        verdict.waiting != (c->options.wait_for_all && !quorate) ||
        verdict.own_expected != wanted_expected(c) ||
        verdict.everybodys_expected != (c->question.by_current_nodes ? heads(c) : 0) ||
        verdict.quorum != wanted_quorum(c) || verdict.total_votes != votes_here(c))
        fail_case(c, &verdict);
}

/* ---- everything ------------------------------------------------------------------------------------------------ */

static void check_questions(struct rule_case *c)
{
    static const struct votequorum_question questions[] = {{false, false}, {true, false}, {true, true}};
    static const uint32_t quorums[] = {0, 3, 9};
    const uint32_t expected[] = {1, c->node_count, c->node_count + 2};

    for (size_t question = 0; question < 3; question++)
        for (size_t quorum = 0; quorum < 3; quorum++)
            for (size_t e = 0; e < 3; e++) {
                c->question = questions[question];
                c->quorum = quorums[quorum];
                c->own_expected = expected[e];
                check(c);
            }
}

/* Not asked for; asked for and over; asked for and not over yet. */
static void check_waiting(struct rule_case *c)
{
    for (int wait = 0; wait < 3; wait++) {
        c->options.wait_for_all = wait > 0;
        c->waiting = wait == 2;
        check_questions(c);
    }
}

static void check_histories(struct rule_case *c)
{
    const uint32_t all = (1u << c->node_count) - 1;
    const uint32_t remembered[] = {0, all, c->here};

    for (int weighted = 0; weighted < 2; weighted++)
        for (int previous = 0; previous < 2; previous++)
            for (int memory = 0; memory < 3; memory++) {
                c->weighted = weighted == 1;
                c->previous = previous == 0 ? all : c->here;
                c->remembered = remembered[memory];
                check_waiting(c);
            }
}

static void check_options_without_device(struct rule_case *c)
{
    static const uint32_t some[] = {2, 4};
    static const uint32_t most[] = {9, 3, 1, 5};

    c->device_votes = 0;
    c->own_flags = 0;
    c->peer_flags = 0;
    for (int downscale = 0; downscale < 2; downscale++)
        for (int kind = 0; kind < 6; kind++) {
            memset(&c->options, 0, sizeof(c->options));
            c->options.allow_downscale = downscale == 1;
            c->options.two_node = kind == 5; /* excludes the tie-breaker */
            c->options.tie_breaker =
                kind < 4 ? (enum votequorum_tie_breaker)kind : VOTEQUORUM_TIE_BREAKER_NONE;
            if (kind == 4)
                c->options.tie_breaker = VOTEQUORUM_TIE_BREAKER_LIST;
            c->options.tie_breaker_nodes = kind == 4 ? most : some;
            c->options.tie_breaker_node_count = kind == 4 ? 4 : 2;
            check_histories(c);
        }
}

/* A device excludes two_node, auto_tie_breaker and allow_downscale: histories do not matter. */
static void check_devices(struct rule_case *c)
{
    static const uint32_t states[] = {0, CAST, MASTER, CAST | MASTER};
    const int gone = 4; /* has allowed master wins, and unregistered */
    const uint32_t votes[] = {1, c->node_count - 1};

    memset(&c->options, 0, sizeof(c->options));
    c->previous = (1u << c->node_count) - 1;
    c->remembered = 0;
    for (int weighted = 0; weighted < 2; weighted++)
        for (size_t v = 0; v < 2; v++)
            for (int own = 0; own <= gone; own++)
                for (size_t peer = 0; peer < 4; peer++) {
                    c->weighted = weighted == 1;
                    c->device_votes = votes[v];
                    c->own_flags = own == gone ? 0 : VOTEQUORUM_FLAG_DEVICE_REGISTERED | states[own];
                    c->allowed = own == gone || (states[own] & MASTER) != 0;
                    c->peer_flags = states[peer];
                    check_waiting(c);
                }
}

static void for_each_partition(void (*check_one)(struct rule_case *c))
{
    for (uint32_t node_count = 2; node_count <= NODES_MAX; node_count++)
        for (uint32_t here = 1; here < 1u << node_count; here++)
            for (uint32_t own = 0; own < node_count; own++)
                if ((here >> own & 1) != 0) {
                    struct rule_case c = {.node_count = node_count, .here = here, .own = own};

                    check_one(&c);
                }
}

static void every_partition_without_a_device_is_judged_as_the_rules_say(void **state)
{
    (void)state;
    case_count = 0;
    for_each_partition(check_options_without_device);
    print_message("# %lu cases\n", case_count);
}

static void every_partition_with_a_device_is_judged_as_the_rules_say(void **state)
{
    (void)state;
    case_count = 0;
    for_each_partition(check_devices);
    print_message("# %lu cases\n", case_count);
}

/* ---- two sides of a cut ------------------------------------------------------------------------------------------ */

static bool side_is_quorate(struct rule_case *c, uint32_t here)
{
    struct votequorum_voter voters[NODES_MAX];
    struct votequorum_view view;

    c->here = here;
    c->own = (uint32_t)__builtin_ctz(here);
    view = view_of(c, voters);
    return votequorum_decide(&view, c->question).quorate;
}

/* What the rules are for: of two sides of a cluster that was whole, at most one is quorate (two_node aside). */
static void check_cut(struct rule_case *c)
{
    const uint32_t all = (1u << c->node_count) - 1;
    const uint32_t here = c->here;

    c->question = (struct votequorum_question){false, false};
    c->waiting = false;
    c->quorum = 0;
    c->previous = all;
    c->remembered = all;
    c->weighted = false;
    c->own_expected = c->node_count;
    for (int kind = 0; here != all && kind < 4; kind++) {
        static const uint32_t list[] = {3, 1};

        c->options.tie_breaker = (enum votequorum_tie_breaker)kind;
        c->options.tie_breaker_nodes = list;
        c->options.tie_breaker_node_count = 2;
        if (side_is_quorate(c, here))
            assert_false(side_is_quorate(c, all & ~here));
        /* Nor if one of them forms its ring once more. */
        c->previous = here;
        if (side_is_quorate(c, here)) {
            c->previous = all;
            assert_false(side_is_quorate(c, all & ~here));
        }
        c->previous = all;
    }
}

static void of_two_sides_of_a_whole_cluster_at_most_one_is_quorate(void **state)
{
    (void)state;
    for_each_partition(check_cut);
}

/* ---- last_man_standing ------------------------------------------------------------------------------------------- */

static void check_window(struct rule_case *c)
{
    const uint32_t all = (1u << c->node_count) - 1;
    struct votequorum_voter voters[NODES_MAX];

    c->options.last_man_standing = true;
    c->remembered = all;
    for (int previous = 0; previous < 2; previous++)
        for (int kind = 0; kind < 3; kind++)
            for (uint32_t quorum = 1; quorum <= NODES_MAX; quorum++) {
                struct votequorum_view view;
                bool lost;
                bool wanted;

                c->previous = previous == 0 ? all : c->here;
                c->options.tie_breaker = (enum votequorum_tie_breaker)kind;
                c->quorum = quorum;
                view = view_of(c, voters);
                lost = (c->previous & ~c->here) != 0;
                wanted = (lost && count_of(c->here) >= quorum) ||
                         (kind > 0 && count_of(c->here) <= quorum && is_here(c, 0));
                assert_int_equal(votequorum_starts_window(&view), wanted);
                c->options.last_man_standing = false;
                assert_false(votequorum_starts_window(&view));
                c->options.last_man_standing = true;
            }
}

static void the_window_starts_after_a_loss_that_is_survived(void **state)
{
    (void)state;
    for_each_partition(check_window);
}

/* ---- large numbers ------------------------------------------------------------------------------------------------ */

static void votes_do_not_wrap(void **state)
{
    struct votequorum_options options = {.two_node = false};
    struct votequorum_voter voters[2] = {{1, UINT32_MAX, 2, 0}, {2, UINT32_MAX, UINT32_MAX, 0}};
    struct votequorum_view view = {.options = &options,
                                   .voters = voters,
                                   .voter_count = 2,
                                   .device_votes = UINT32_MAX,
                                   .members = &sets[3],
                                   .previous = &sets[3],
                                   .quorate_with = &sets[0]};
    struct votequorum_verdict verdict = votequorum_decide(&view, (struct votequorum_question){false, false});

    (void)state;
    assert_int_equal(verdict.own_expected, UINT32_MAX);
    assert_int_equal(verdict.total_votes, UINT32_MAX);
    assert_int_equal(verdict.reason, VOTEQUORUM_BY_VOTES);
    /* 1001 votes: the packaged daemon shows a quorum of 245. */
    voters[0] = (struct votequorum_voter){1, 1000, 1001, 0};
    view.voter_count = 1;
    view.device_votes = 0;
    verdict = votequorum_decide(&view, (struct votequorum_question){false, false});
    assert_int_equal(verdict.quorum, 501);
    assert_int_equal(votequorum_quorum_if(&view, UINT32_MAX), 0x80000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_partition_without_a_device_is_judged_as_the_rules_say),
        cmocka_unit_test(every_partition_with_a_device_is_judged_as_the_rules_say),
        cmocka_unit_test(of_two_sides_of_a_whole_cluster_at_most_one_is_quorate),
        cmocka_unit_test(the_window_starts_after_a_loss_that_is_survived),
        cmocka_unit_test(votes_do_not_wrap),
    };

    return cmocka_run_group_tests_name("votequorum_rules", tests, make_sets, free_sets);
}
