/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whole clusters of two to five nodes under every valid combination of options: booted in every part, cut in
 * every way, cut again, healed; and with a quorum device that votes for any of the nodes. Nothing here
 * computes a quorum. What must come out, for a part of k of the n nodes:
 *
 *  M1  Boot. Who waits for all is quorate when all are there, not before. Two nodes with two_node are, even
 *      alone. Otherwise it takes more than half of the nodes; or exactly half with a list of tie-breakers, if
 *      one of it is there.
 *  M2  Cut of a whole cluster. Both halves stay quorate with two_node; else a side does if it has more than
 *      half of the nodes, or exactly half and the winner of the tie. Waiting for all does not matter.
 *  M3  The window of last_man_standing changes nothing for anybody, except that half a cluster that lives on
 *      its tie-breaker is held to the quorum of the whole one if allow_downscale keeps that. Half a cluster
 *      is counted anew only if the lowest node is in it, whoever breaks ties.
 *  M4  Second cut, of the side Q that is quorate. If the window has counted it anew, as M2 with Q for the
 *      cluster. Else, or if allow_downscale keeps the old quorum, it takes more than half of the whole cluster
 *      still, or half of it (rounded down) with the winner of the tie, if fewer nodes than the quorum went
 *      since the votes sufficed.
 *  M5  Heal. All are quorate.
 *  M6  Device with V votes: a node is quorate if its side's votes, with V if its own device votes, are more
 *      than half of n + V; or if master wins and a device votes for any node of the side.
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

struct combination {
    uint32_t n;
    bool two_node;
    bool wait_for_all;
    bool last_man_standing;
    bool allow_downscale;
    const char *tie_breaker; /* NULL: off; else auto_tie_breaker_node */
};

static uint32_t count_of(uint32_t mask)
{
    return (uint32_t)__builtin_popcount(mask);
}

static uint32_t everybody(const struct combination *c)
{
    return (1u << c->n) - 1;
}

/* ---- what must come out -------------------------------------------------------------------------------------------- */

static const uint32_t list_order[] = {2, 1, 4, 9};
#define LIST "2 1 4 9"

/* Who decides a tie among those who were together; 0: nobody. */
static uint32_t winner(const struct combination *c, uint32_t together)
{
    if (c->tie_breaker == NULL)
        return 0;
    if (strcmp(c->tie_breaker, "lowest") == 0)
        return (uint32_t)__builtin_ctz(together) + 1;
    if (strcmp(c->tie_breaker, "highest") == 0)
        return 32 - (uint32_t)__builtin_clz(together);
    for (size_t i = 0; i < sizeof(list_order) / sizeof(list_order[0]); i++)
        if ((together >> (list_order[i] - 1) & 1) != 0)
            return list_order[i];
    return 0;
}

static bool has(uint32_t mask, uint32_t node)
{
    return node != 0 && (mask >> (node - 1) & 1) != 0;
}

/* M1 */
static bool boots(const struct combination *c, uint32_t part)
{
    bool has_list = c->tie_breaker != NULL && strcmp(c->tie_breaker, LIST) == 0;

    if (c->wait_for_all)
        return part == everybody(c);
    if (c->two_node)
        return true;
    return 2 * count_of(part) > c->n ||
           (has_list && 2 * count_of(part) == c->n && has(part, winner(c, part)));
}

/* M2: `part` of those who were together. */
static bool survives(const struct combination *c, uint32_t part, uint32_t together)
{
    uint32_t k = count_of(part);
    uint32_t n = count_of(together);

    return c->two_node || 2 * k > n || (2 * k == n && has(part, winner(c, together)));
}

/* Does the window count the survivors anew? */
static bool has_window(const struct combination *c, uint32_t part)
{
    return c->last_man_standing && (2 * count_of(part) > c->n || has(part, 1));
}

static bool keeps_old_quorum(const struct combination *c)
{
    return c->last_man_standing && c->allow_downscale;
}

/* M3 */
static bool survives_window(const struct combination *c, uint32_t part)
{
    bool by_tie = !c->two_node && 2 * count_of(part) == c->n;

    return survives(c, part, everybody(c)) && !(keeps_old_quorum(c) && by_tie && has_window(c, part));
}

/* M4: `part` of `quorate`, which was part of the whole. */
static bool survives_second(const struct combination *c, uint32_t part, uint32_t quorate)
{
    uint32_t k = count_of(part);
    bool by_votes = 2 * count_of(quorate) > c->n;

    if (c->two_node)
        return true;
    if (has_window(c, quorate) && !c->allow_downscale)
        return survives(c, part, quorate);
    if (2 * k > c->n)
        return true;
    if (has_window(c, quorate)) /* half of what is expected now, and not too many gone for the old quorum */
        return k == count_of(quorate) / 2 && has(part, winner(c, quorate)) &&
               count_of(quorate) < k + c->n / 2 + 1;
    /* Half, rounded down: in an odd cluster, which waits for all, the majority that stayed is known to be gone. */
    return k == c->n / 2 && has(part, winner(c, by_votes ? quorate : everybody(c))) &&
           count_of(by_votes ? quorate : everybody(c)) < k + c->n / 2 + 1;
}

/* ---- doing it -------------------------------------------------------------------------------------------------------- */

static void make(const struct combination *c)
{
    vq_cluster_init(&cluster, c->n);
    for (uint32_t id = 1; id <= c->n; id++) {
        struct votequorum_config *config = &cluster.nodes[id].config;

        config->two_node = c->two_node;
        config->has_wait_for_all = true;
        config->wait_for_all = c->wait_for_all;
        config->last_man_standing = c->last_man_standing;
        config->allow_downscale = c->allow_downscale;
        config->auto_tie_breaker = c->tie_breaker != NULL;
        config->auto_tie_breaker_node = c->tie_breaker;
    }
}

static void tell(const struct combination *c, const char *what, uint32_t first, uint32_t second)
{
    print_error(
        "%s: n %u two_node %d wfa %d lms %d downscale %d tie-breaker %s; masks %#x %#x; quorate %#x\n", what,
        c->n, c->two_node, c->wait_for_all, c->last_man_standing, c->allow_downscale,
        c->tie_breaker != NULL ? c->tie_breaker : "off", first, second, vq_cluster_quorate(&cluster));
    fail();
}

/* All of the part, or nobody of it. */
static bool is_as_wanted(uint32_t part, bool quorate)
{
    return (vq_cluster_quorate(&cluster) & part) == (quorate ? part : 0);
}

static void check_boot(const struct combination *c, uint32_t part)
{
    make(c);
    vq_cluster_start_all(&cluster, part);
    vq_cluster_form(&cluster, part);
    if (!is_as_wanted(part, boots(c, part)))
        tell(c, "boot", part, 0);
    vq_cluster_start_all(&cluster, everybody(c) & ~part);
    vq_cluster_form(&cluster, everybody(c));
    if (!is_as_wanted(everybody(c), true))
        tell(c, "boot of the rest", part, 0);
    vq_cluster_fini(&cluster);
}

static void bring_up_and_cut(const struct combination *c, uint32_t part)
{
    make(c);
    vq_cluster_start_all(&cluster, everybody(c));
    vq_cluster_form(&cluster, everybody(c));
    vq_cluster_form(&cluster, part);
    if (part != everybody(c))
        vq_cluster_form(&cluster, everybody(c) & ~part);
}

static void check_heal(const struct combination *c, uint32_t first, uint32_t second)
{
    vq_cluster_form(&cluster, everybody(c));
    if (!is_as_wanted(everybody(c), true))
        tell(c, "heal", first, second);
    vq_cluster_fini(&cluster);
}

static void check_cut(const struct combination *c, uint32_t part)
{
    uint32_t rest = everybody(c) & ~part;

    bring_up_and_cut(c, part);
    if (!is_as_wanted(part, survives(c, part, everybody(c))) ||
        (rest != 0 && !is_as_wanted(rest, survives(c, rest, everybody(c)))))
        tell(c, "cut", part, 0);
    vq_cluster_advance(&cluster, 10000);
    if (!is_as_wanted(part, survives_window(c, part)))
        tell(c, "window", part, 0);
    check_heal(c, part, 0);
}

static void check_second_cut(const struct combination *c, uint32_t quorate, uint32_t part)
{
    bring_up_and_cut(c, quorate);
    vq_cluster_advance(&cluster, 10000);
    vq_cluster_form(&cluster, part);
    vq_cluster_form(&cluster, quorate & ~part);
    if (!is_as_wanted(part, survives_second(c, part, quorate)))
        tell(c, "second cut", quorate, part);
    check_heal(c, quorate, part);
}

static void check_combination(const struct combination *c)
{
    for (uint32_t part = 1; part <= everybody(c); part++) {
        check_boot(c, part);
        check_cut(c, part);
        if (!survives_window(c, part))
            continue;
        for (uint32_t second = 1; second < part; second++)
            if ((second & part) == second)
                check_second_cut(c, part, second);
    }
}

/* Valid: what the daemon starts with, and does not switch off (spec/votequorum.md 1.1). */
static bool is_valid(const struct combination *c)
{
    if (c->two_node && (c->tie_breaker != NULL || c->n != 2))
        return false;
    return c->tie_breaker == NULL || c->n % 2 == 0 || c->wait_for_all;
}

static void every_cut_of_every_cluster_ends_as_the_rules_say(void **state)
{
    static const char *const tie_breakers[] = {NULL, "lowest", "highest", LIST};
    unsigned combinations = 0;

    (void)state;
    for (uint32_t n = 2; n <= VQ_NODES_MAX; n++)
        for (uint32_t bits = 0; bits < 16; bits++)
            for (size_t t = 0; t < 4; t++) {
                struct combination c = {
                    n, (bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0, tie_breakers[t]};

                if (is_valid(&c)) {
                    check_combination(&c);
                    combinations++;
                }
            }
    print_message("# %u combinations of options\n", combinations);
}

/* ---- with a device ------------------------------------------------------------------------------------------------------ */

struct device_case {
    uint32_t n;
    uint32_t votes; /* V */
    bool wait_for_all;
    bool master_wins;
};

static void bring_up_with_device(const struct device_case *c)
{
    uint32_t all = (1u << c->n) - 1;

    vq_cluster_init(&cluster, c->n);
    for (uint32_t id = 1; id <= c->n; id++) {
        struct votequorum_config *config = &cluster.nodes[id].config;

        config->has_wait_for_all = true;
        config->wait_for_all = c->wait_for_all;
        config->has_device = true;
        config->has_device_votes = c->votes != c->n - 1; /* else it counts its votes itself */
        config->device_votes = c->votes;
    }
    vq_cluster_start_all(&cluster, all);
    vq_cluster_form(&cluster, all);
    for (uint32_t id = 1; id <= c->n; id++) {
        assert_int_equal(vq_cluster_device(&cluster, id, VOTEQUORUM_REGISTER, 0), CS_ERROR_OK);
        vq_cluster_device(&cluster, id, VOTEQUORUM_MASTER_WINS, c->master_wins);
        vq_cluster_poll(&cluster, id, true);
    }
    assert_int_equal(vq_cluster_quorate(&cluster), all);
}

/* M6 */
static bool wanted_with_device(const struct device_case *c, uint32_t part, uint32_t casting, uint32_t id)
{
    uint32_t votes = count_of(part) + (has(casting, id) ? c->votes : 0);

    return 2 * votes > c->n + c->votes || (c->master_wins && casting != 0);
}

static void poll_part(uint32_t part, uint32_t casting)
{
    for (uint32_t id = 1; id <= cluster.count; id++)
        if (has(part, id))
            vq_cluster_poll(&cluster, id, has(casting, id));
}

static void check_part(const struct device_case *c, uint32_t part, uint32_t casting)
{
    for (uint32_t id = 1; id <= c->n; id++)
        if (has(part, id) &&
            has(vq_cluster_quorate(&cluster), id) != wanted_with_device(c, part, casting, id)) {
            print_error("n %u V %u wfa %d mw %d part %#x casting %#x node %u: quorate %#x\n", c->n, c->votes,
                        c->wait_for_all, c->master_wins, part, casting, id, vq_cluster_quorate(&cluster));
            fail();
        }
}

/* Cast within the synchronisation, withdrawn and given again outside of it; who waits for all gets it back with all only. */
static void check_votes(const struct device_case *c, uint32_t part, uint32_t casting)
{
    bring_up_with_device(c);
    vq_cluster_form(&cluster, part);
    poll_part(part, casting);
    check_part(c, part, casting);
    if (!c->wait_for_all) {
        poll_part(part, 0);
        check_part(c, part, 0);
        poll_part(part, casting);
        check_part(c, part, casting);
    }
    /* Devices fall silent. */
    vq_cluster_advance(&cluster, 30000);
    check_part(c, part, 0);
    vq_cluster_fini(&cluster);
}

static void every_vote_of_a_device_counts_as_the_rules_say(void **state)
{
    (void)state;
    for (uint32_t n = 2; n <= 4; n++)
        for (uint32_t bits = 0; bits < 8; bits++) {
            struct device_case c = {n, (bits & 1) != 0 ? n - 1 : 1, (bits & 2) != 0, (bits & 4) != 0};

            for (uint32_t part = 1; part < 1u << n; part++)
                for (uint32_t casting = 0; casting <= part; casting++)
                    if ((casting & part) == casting)
                        check_votes(&c, part, casting);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut_of_every_cluster_ends_as_the_rules_say),
        cmocka_unit_test(every_vote_of_a_device_counts_as_the_rules_say),
    };

    return cmocka_run_group_tests_name("votequorum_matrix", tests, NULL, NULL);
}
