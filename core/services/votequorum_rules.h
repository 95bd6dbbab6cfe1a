/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Is this node quorate? The rules of votequorum as functions of a view of the cluster, which they do not
 * change and of which they keep nothing (spec/votequorum.md section 3). The machine of votequorum.h makes the
 * view, asks, and acts.
 *
 * All sums are taken in 64 bits, so that no number of votes wraps; what does not fit the 32 bits that clients
 * and peers have room for is shown as the largest that does.
 *
 * The rules in words. "Voters" are the nodes in the membership that have told their votes, T the sum of their
 * votes and of the device's if our own device casts its vote, N their number, the device counted likewise.
 *
 *  expected     Our expected votes rise to the votes of all voters and of the device (whether it votes or
 *               not). When it is asked to count by nodes, everybody's expected votes become the number of
 *               nodes, plus one for a device.
 *  quorum       More than half of the highest expected votes of any voter, and more than half of T. It never
 *               falls unless that is allowed. With two_node it is 1 as long as N is at most 2.
 *  waiting      Who waits for all is not quorate before T is exactly the expected votes; then waiting is
 *               over. It begins again whenever a node is found not quorate.
 *  by votes     Quorate: T reaches the quorum.
 *  tie-breaker  Quorate: T is half of our expected votes, fewer nodes than the quorum have gone since the
 *               voters were quorate by votes last, and the tie is ours: the lowest (highest) node they had
 *               then is here; or, of the list, nobody was with them who stands before the first of those who
 *               are here.
 *  master wins  Quorate: our device has said that masters win, be it that it has gone since, and some voter
 *               whose device casts its vote says so too.
 *
 * One rule is stricter than the packaged daemon's, which counts those who have gone, and looks for nodes of
 * the list, in the ring before this one only: there a half that has lost the tie wins it as soon as its ring
 * is formed once more. Who has never been quorate by votes is judged by the ring before, here as there.
 */
#ifndef QUORATE_CORE_SERVICES_VOTEQUORUM_RULES_H
#define QUORATE_CORE_SERVICES_VOTEQUORUM_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/node_set.h"

/* The values are those of runtime.votequorum.atb_type. */
enum votequorum_tie_breaker {
    VOTEQUORUM_TIE_BREAKER_NONE,
    VOTEQUORUM_TIE_BREAKER_LOWEST,
    VOTEQUORUM_TIE_BREAKER_HIGHEST,
    VOTEQUORUM_TIE_BREAKER_LIST
};

struct votequorum_options {
    bool two_node;
    bool wait_for_all;
    bool last_man_standing;
    bool allow_downscale;
    bool expected_votes_tracking;
    enum votequorum_tie_breaker tie_breaker;
    const uint32_t *tie_breaker_nodes; /* LIST: in order of preference */
    size_t tie_breaker_node_count;
};

/* A node of the membership that has told its votes. */
struct votequorum_voter {
    uint32_t node_id;
    uint32_t votes;
    uint32_t expected_votes;
    uint32_t flags; /* enum votequorum_node_flag */
};

struct votequorum_view {
    const struct votequorum_options *options;
    const struct votequorum_voter *voters;
    size_t voter_count;
    size_t own;                      /* index of this node among the voters */
    uint32_t device_votes;           /* 0: there is no device */
    uint32_t quorum;                 /* so far */
    bool waiting;                    /* for all */
    bool master_wins;                /* what our device has allowed last */
    uint32_t expected_votes_barrier; /* allow_downscale: the quorum is not counted from fewer */
    uint32_t lowest_node_id;         /* of the voters when they were last quorate by votes; 0: never yet */
    uint32_t highest_node_id;
    const struct node_set *members;  /* of the ring */
    const struct node_set *previous;     /* of the ring before it */
    const struct node_set *quorate_with; /* voters when they were last quorate by votes; empty: never yet */
};

struct votequorum_question {
    bool allow_decrease;   /* the quorum may become less than it was */
    bool by_current_nodes; /* expected votes are counted anew from the nodes that are there */
};

enum votequorum_reason {
    VOTEQUORUM_BY_VOTES,
    VOTEQUORUM_BY_TIE_BREAKER,
    VOTEQUORUM_BY_MASTER_WINS,
    VOTEQUORUM_TOO_FEW,
    VOTEQUORUM_WAITS_FOR_ALL /* nothing is decided: what was, stays */
};

struct votequorum_verdict {
    enum votequorum_reason reason;
    bool quorate;            /* what the reason says; false while waiting */
    bool waiting;            /* from now on */
    uint32_t own_expected;   /* from now on; more than before: clients are told */
    uint32_t everybodys_expected; /* not 0: then of this node too */
    uint32_t quorum;
    uint32_t total_votes;    /* T */
};

struct votequorum_verdict votequorum_decide(const struct votequorum_view *view, struct votequorum_question question);

/* T as if the device of this voter were ours: what a client is told when it asks about that node. */
uint32_t votequorum_total_votes(const struct votequorum_view *view, bool device_casts_vote);

/* The quorum if the highest expected votes were `expected_votes` (0: as they are), and might fall. */
uint32_t votequorum_quorum_if(const struct votequorum_view *view, uint32_t expected_votes);

/* Of all voters; 0 without any. */
uint32_t votequorum_highest_expected(const struct votequorum_view *view);

/* Is the tie ours, now that half of the votes are gone? */
bool votequorum_wins_tie(const struct votequorum_view *view);

/*
 * Does a change of the membership from `previous` to `members` start the window of last_man_standing?
 * `quorum` and the remembered nodes are those of before the change.
 */
bool votequorum_starts_window(const struct votequorum_view *view);

#endif
