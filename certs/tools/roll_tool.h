/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * corosync-qnetd-certutil --renew and --roll-over: a step of roll_over.h, with what belongs to it, said in words; steps that
 * would lock out nodes are refused, with the nodes' names. Called once per run of the tool.
 */
#ifndef QUORATE_CERTS_ROLL_TOOL_H
#define QUORATE_CERTS_ROLL_TOOL_H

#include <stdbool.h>

#include "certs/store/authority.h"
#include "certs/tools/check.h"

struct roll_call {
    const struct certs_place *place;
    const struct certs_authority_wish *wish;
    const char *step; /* of --roll-over; NULL: --renew */
    bool force;       /* whoever is locked out by it */
    bool json;        /* of the step "status" */
};

/* Returns the exit status. */
int roll_run(const struct roll_call *call);

/* A finding if a change of authorities is under way. */
void roll_check(struct check *check, const struct certs_authority *authority, const struct certs_place *place);

#endif
