/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/tools/roll_tool.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "certs/enrol/invite.h"
#include "certs/enrol/revoked.h"
#include "certs/enrol/standing.h"
#include "certs/tools/tool.h"
#include "common/printable.h"

#define PRINTED_SIZE (4 * TLS_PEER_NAME_LENGTH_MAX + 1)

static const char *const stage_words[] = {[ROLL_NONE] = "none", [ROLL_BEGUN] = "begun", [ROLL_CHANGED] = "changed"};
static const char *const state_words[] = {
    [STANDING_READY] = "ready", [STANDING_UNKNOWN] = "unknown", [STANDING_BEHIND] = "behind"};

static const char *printed(const char *name, char text[PRINTED_SIZE])
{
    (void)printable_text(name, strlen(name), text, PRINTED_SIZE);
    return text;
}

static enum q_err read_standing(const struct certs_authority *authority, const struct certs_place *place,
                                struct standing *out, struct certs_failure *why)
{
    struct revocations revoked;
    enum q_err err = revoked_read(place->dir, &revoked, why);

    *out = (struct standing){0};
    if (err != Q_OK)
        return err;
    err = standing_read(authority, &revoked, out, why);
    revocations_fini(&revoked);
    return err;
}

static size_t count_of(const struct standing *standing, enum roll_stage stage, enum standing_state state)
{
    size_t count = 0;

    for (size_t i = 0; i < standing->count; i++)
        count += standing_of(&standing->entries[i], stage) == state;
    return count;
}

/* --- Status ---------------------------------------------------------------------------------------------- */

/* What is true of the entry, and what to do. */
static const char *sentence(const struct standing_entry *entry, enum roll_stage stage)
{
    switch (standing_of(entry, stage)) {
    case STANDING_READY:
        return "ready";
    case STANDING_UNKNOWN:
        return stage == ROLL_BEGUN ? "has a certificate of the new authority; whether its nodes trust that one is not known here"
                                   : "nodes with the former authority's certificate of the cluster may be left";
    case STANDING_BEHIND:
        break;
    }
    return entry->node[0] != '\0' ? "former authority only: run corosync-qdevice-net-certutil --renew there"
                                  : "former authority only: renew on each node, or see the packaged flow's steps";
}

static void print_entry(FILE *to, const struct standing_entry *entry, enum roll_stage stage)
{
    char cluster[PRINTED_SIZE], node[PRINTED_SIZE];

    fprintf(to, "%-24s %-16s %s\n", printed(entry->cluster, cluster),
            entry->node[0] != '\0' ? printed(entry->node, node) : "-", sentence(entry, stage));
}

static void print_status(enum roll_stage stage, const struct standing *standing)
{
    switch (stage) {
    case ROLL_NONE:
        puts("The arbiter has one authority, and no change of it is under way.");
        return;
    case ROLL_BEGUN:
        puts("Begun: certificates for nodes come from the new authority, the arbiter's own is of the former. Next, when all are "
             "ready: --roll-over change");
        break;
    case ROLL_CHANGED:
        puts("Changed: the arbiter's own certificate is of the new authority, nodes with one of the former are still accepted. "
             "Next, when all are ready: --roll-over finish");
        break;
    }
    printf("%-24s %-16s %s\n", "Cluster", "Node", "Standing");
    for (size_t i = 0; i < standing->count; i++)
        print_entry(stdout, &standing->entries[i], stage);
}

static void print_json(enum roll_stage stage, const struct standing *standing)
{
    json_t *nodes = json_array();
    json_t *all = json_pack("{s:s, s:o}", "stage", stage_words[stage], "nodes", nodes);

    for (size_t i = 0; stage != ROLL_NONE && i < standing->count; i++) {
        const struct standing_entry *entry = &standing->entries[i];

        json_array_append_new(nodes, json_pack("{s:s, s:s?, s:s, s:b, s:b}", "cluster", entry->cluster, "node",
                                               entry->node[0] != '\0' ? entry->node : NULL, "standing",
                                               state_words[standing_of(entry, stage)], "new_certificate", entry->has_new,
                                               "former_certificate", entry->has_former));
    }
    json_dumpf(all, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(all);
}

void roll_check(struct check *check, const struct certs_authority *authority, const struct certs_place *place)
{
    enum roll_stage stage = roll_over_stage(authority);
    struct certs_failure why;
    struct standing standing;

    if (stage == ROLL_NONE)
        return;
    if (read_standing(authority, place, &standing, &why) != Q_OK) {
        check_find(check, CHECK_PROBLEM, "authority", "%s", why.text);
        return;
    }
    check_find(check, CHECK_WARNING, "authority",
               "the authority is being changed (%s): of the nodes on record %zu are ready for the next step, --roll-over %s, %zu "
               "perhaps, and %zu are not. --roll-over status has their names and what to do.",
               stage_words[stage], count_of(&standing, stage, STANDING_READY), stage == ROLL_BEGUN ? "change" : "finish",
               count_of(&standing, stage, STANDING_UNKNOWN), count_of(&standing, stage, STANDING_BEHIND));
    standing_fini(&standing);
}

/* --- Steps ------------------------------------------------------------------------------------------------- */

/* Says who would be locked out; whether the step may be done. */
static bool may_go_on(const struct roll_call *call, enum roll_stage stage, const struct standing *standing)
{
    size_t count = standing->count - count_of(standing, stage, STANDING_READY);

    if (count == 0 && standing->unreadable == 0)
        return true;
    fprintf(stderr, "%s\n", call->force ? "Locked out by this step, or perhaps so where it says \"not known\" or \"may\":"
                                        : "This step would lock out, or perhaps so where it says \"not known\" or \"may\":");
    for (size_t i = 0; i < standing->count; i++) {
        if (standing_of(&standing->entries[i], stage) != STANDING_READY)
            print_entry(stderr, &standing->entries[i], stage);
    }
    if (standing->unreadable > 0)
        fprintf(stderr, "%zu files of the record cannot be read\n", standing->unreadable);
    if (!call->force)
        fputs("Nothing has been changed. Nodes that are no more: --revoke CLUSTER --node NAME. If you know that the others have "
              "been seen to, or mean to lock them out, repeat the command with --force.\n",
              stderr);
    return call->force;
}

static enum q_err begin(const struct roll_call *call, struct certs_authority *authority, struct certs_failure *why)
{
    bool again = roll_over_stage(authority) == ROLL_BEGUN;
    enum q_err err = roll_over_begin(authority, call->wish, why);

    if (err != Q_OK)
        return err;
    printf("%s\n", again ? "The change has begun before" : "There is a new authority, beside the present one");
    puts("A running corosync-qnetd takes it within some seconds. Then have each node renew: corosync-qdevice-net-certutil --renew "
         "--host THIS_ARBITER (or see docs/certificates.md for packaged tools), and look at --roll-over status");
    return Q_OK;
}

/* Codes name the authority by which the arbiter is known; it will be known by another one. */
static enum q_err change(const struct roll_call *call, struct certs_authority *authority, struct certs_failure *why)
{
    size_t withdrawn = 0;
    enum q_err err = Q_OK;

    if (roll_over_stage(authority) == ROLL_BEGUN)
        err = invite_withdraw(NULL, &withdrawn, why);
    if (err == Q_OK)
        err = roll_over_change(authority, call->wish, why);
    if (err != Q_OK)
        return err;
    if (withdrawn > 0)
        printf("Withdrawn: %zu codes that were not used\n", withdrawn);
    puts("The arbiter has a certificate of the new authority; those of the former are accepted until --roll-over finish");
    return Q_OK;
}

/* Whoever has a certificate of the new authority has installed it, and nothing else. */
static int cancel(const struct roll_call *call, struct certs_authority *authority)
{
    bool begun = roll_over_stage(authority) == ROLL_BEGUN;
    struct standing standing = {0};
    struct certs_failure why;
    size_t count = 0;

    if (begun && read_standing(authority, call->place, &standing, &why) != Q_OK)
        return tool_fail(&why, TOOL_FAILED);
    for (size_t i = 0; i < standing.count; i++) {
        char cluster[PRINTED_SIZE], node[PRINTED_SIZE];
        const struct standing_entry *one = &standing.entries[i];

        if (!one->has_new)
            continue;
        count++;
        fprintf(stderr, "%-24s %-16s has a certificate of the new authority\n", printed(one->cluster, cluster),
                one->node[0] != '\0' ? printed(one->node, node) : "-");
    }
    count += standing.unreadable;
    if (standing.unreadable > 0)
        fprintf(stderr, "%zu files of the record cannot be read\n", standing.unreadable);
    standing_fini(&standing);
    if (count > 0 && !call->force)
        return tool_fail_text(TOOL_FAILED, "To cancel would lock these out. Nothing has been changed. Go on with --roll-over change, or, if "
                                           "they are to join anew (--join --replace), repeat the command with --force.");
    if (roll_over_cancel(authority, &why) != Q_OK)
        return tool_fail(&why, TOOL_FAILED);
    puts(begun ? "The change is cancelled: the arbiter has one authority, the one from before" :
                 "The arbiter has one authority, and no change of it is under way");
    return TOOL_OK;
}

static enum q_err finish(struct certs_authority *authority, struct certs_failure *why)
{
    enum q_err err = roll_over_finish(authority, why);

    if (err == Q_OK)
        puts("The arbiter has one authority; certificates of any other are refused");
    return err;
}

static int guarded(const struct roll_call *call, struct certs_authority *authority, enum roll_stage from)
{
    struct certs_failure why;
    struct standing standing;
    enum q_err err;
    bool good;

    /* In any other stage nothing is at stake: the step repairs, or refuses. */
    if (roll_over_stage(authority) == from) {
        if (read_standing(authority, call->place, &standing, &why) != Q_OK)
            return tool_fail(&why, TOOL_FAILED);
        good = may_go_on(call, from, &standing);
        standing_fini(&standing);
        if (!good)
            return TOOL_FAILED;
    }
    err = from == ROLL_BEGUN ? change(call, authority, &why) : finish(authority, &why);
    return err == Q_OK ? TOOL_OK : tool_fail(&why, TOOL_FAILED);
}

static int status_of(const struct roll_call *call, const struct certs_authority *authority)
{
    enum roll_stage stage = roll_over_stage(authority);
    struct certs_failure why;
    struct standing standing;

    if (read_standing(authority, call->place, &standing, &why) != Q_OK)
        return tool_fail(&why, TOOL_FAILED);
    if (call->json)
        print_json(stage, &standing);
    else
        print_status(stage, &standing);
    standing_fini(&standing);
    return fflush(stdout) == 0 ? TOOL_OK : TOOL_FAILED;
}

static int run_in(const struct roll_call *call, struct certs_authority *authority)
{
    struct certs_failure why;
    enum q_err err;

    if (call->step != NULL && strcmp(call->step, "change") == 0)
        return guarded(call, authority, ROLL_BEGUN);
    if (call->step != NULL && strcmp(call->step, "finish") == 0)
        return guarded(call, authority, ROLL_CHANGED);
    if (call->step != NULL && strcmp(call->step, "cancel") == 0)
        return cancel(call, authority);
    if (call->step != NULL && strcmp(call->step, "status") == 0)
        return status_of(call, authority);
    if (call->step != NULL) {
        err = begin(call, authority, &why);
    } else {
        err = roll_over_renew(authority, call->wish, &why);
        if (err == Q_OK)
            puts("The arbiter has a new certificate and key. A running corosync-qnetd takes them within some seconds");
    }
    return err == Q_OK ? TOOL_OK : tool_fail(&why, TOOL_FAILED);
}

static bool known_step(const char *step)
{
    static const char *const steps[] = {"begin", "change", "finish", "cancel", "status"};

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (strcmp(step, steps[i]) == 0)
            return true;
    }
    return false;
}

int roll_run(const struct roll_call *call)
{
    struct certs_authority *authority;
    struct certs_failure why;
    int status;

    if (call->step != NULL && !known_step(call->step))
        return tool_fail_text(TOOL_ARGUMENT, "\"%s\" is no step: say --roll-over begin, status, change, finish or cancel.", call->step);
    if (certs_authority_open(call->place, CERTS_CHANGE, &authority, &why) != Q_OK)
        return tool_fail(&why, TOOL_FAILED);
    /* What nodes have got meanwhile belongs into the record. */
    status = invite_settle(authority, call->wish->now, &why) == Q_OK ? run_in(call, authority) : tool_fail(&why, TOOL_FAILED);
    certs_authority_close(authority);
    return status;
}
