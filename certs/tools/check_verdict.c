/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/tools/check_verdict.h"

#include <stdio.h>

#include "certs/logic/enrol_reply.h"

#define SUBJECT_SIZE 256

/* --- The clocks -------------------------------------------------------------------------------------- */

/* Says so if a certificate is valid by one of the two clocks only. */
static bool check_one(struct check *check, X509 *cert, const struct clock_gap *gap)
{
    enum clock_gap_effect effect = clock_gap_effect(gap, check->now * 1000, check_time_of(X509_get0_notBefore(cert)),
                                                    check_time_of(X509_get0_notAfter(cert)));
    char far[CLOCK_GAP_TEXT_SIZE], subject[SUBJECT_SIZE] = "";

    if (effect == CLOCK_GAP_NO_EFFECT)
        return false;
    clock_gap_text(gap, far);
    X509_NAME_oneline(X509_get_subject_name(cert), subject, sizeof(subject));
    check_find(check, CHECK_PROBLEM, "clock",
               "this node's clock is %s %s the arbiter's, and %s is valid by the clock %s only. Set the clock that is wrong, best "
               "by NTP on both hosts.",
               far, gap->ahead_ms > 0 ? "behind" : "ahead of", subject,
               effect == CLOCK_GAP_GOOD_HERE ? "of this node" : "of the arbiter");
    return true;
}

void check_clock(struct check *check, const struct certs_identity *identity, const struct clock_gap *gap)
{
    bool harmful = identity->cert != NULL && check_one(check, identity->cert, gap);
    char far[CLOCK_GAP_TEXT_SIZE];

    for (int i = 0; i < sk_X509_num(identity->authorities); i++)
        harmful = check_one(check, sk_X509_value(identity->authorities, i), gap) || harmful;
    if (harmful)
        return;
    clock_gap_text(gap, far);
    if (clock_gap_is_wide(gap))
        check_find(check, CHECK_WARNING, "clock",
                   "this node's clock is %s %s the arbiter's: a certificate made now may not be valid yet, and those there are end at "
                   "the wrong time. Set the clock that is wrong, best by NTP on both hosts.",
                   far, gap->ahead_ms > 0 ? "behind" : "ahead of");
    else
        check_find(check, CHECK_GOOD, "clock", "%s away from the arbiter's.", far);
}

/* --- The arbiter's word ------------------------------------------------------------------------------- */

static void tell_answer(struct check *check, const struct check_verdict_wish *wish, const struct ask_answer *answer)
{
    if (answer->reason == 0)
        check_find(check, CHECK_GOOD, "acceptance",
                   "the arbiter says that it accepts this node's certificate for the cluster \"%s\".", wish->cluster_name);
    else
        check_find(check, answer->reason == ENROL_FAILED ? CHECK_WARNING : CHECK_PROBLEM, "acceptance",
                   "the arbiter says: %s. %s.", answer->text, enrol_verdict_remedy((enum enrol_reason)answer->reason));
}

/* Without its word: by what it did on the way of a device, and the names, which were checked by its rule. */
static void tell_own_judgement(struct check *check, const struct check_verdict_wish *wish, const char *because)
{
    if (wish->let_in)
        check_find(check, CHECK_GOOD, "acceptance",
                   "the arbiter does not object to this node's certificate for the cluster \"%s\"; it cannot be asked for more, %s.",
                   wish->cluster_name, because);
    check_find(check, CHECK_WARNING, "clock",
               "cannot be compared with the arbiter's, %s: compare the output of \"date -u\" on both hosts.", because);
}

void check_verdict(struct check *check, const struct check_verdict_wish *wish)
{
    struct ask_wish asking = {.identity = wish->identity,
                              .show = true,
                              .cluster = wish->cluster_name,
                              .host = wish->host,
                              .port = wish->port};
    struct certs_failure why, again;
    struct ask_answer answer;
    enum q_err err = ask_arbiter(&asking, &answer, &why);

    if (err == Q_OK) {
        tell_answer(check, wish, &answer);
        check_clock(check, wish->identity, &answer.gap);
        return;
    }
    if (err == Q_ERR_NOT_FOUND) {
        tell_own_judgement(check, wish, "being older than this question");
        return;
    }
    /* Perhaps it is our certificate that ends the connection: its dates, by the clock over there. */
    asking.show = false;
    if (err == Q_ERR_AGAIN || ask_arbiter(&asking, &answer, &again) != Q_OK) {
        tell_own_judgement(check, wish, "being a packaged one, or busy, or one with enrolment off");
        return;
    }
    check_find(check, wish->let_in ? CHECK_WARNING : CHECK_PROBLEM, "acceptance",
               "the arbiter answers, but not to this node's certificate: %s", why.text);
    check_clock(check, wish->identity, &answer.gap);
}
