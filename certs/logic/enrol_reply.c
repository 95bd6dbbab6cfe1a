/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/logic/enrol_reply.h"

#include <assert.h>
#include <stdio.h>

enum q_err enrol_reply_take(struct q_buf *in, const void *bytes, size_t size, enum enrol_type expected,
                            struct enrol_message *answer, size_t *missing, char *err_text, size_t err_size)
{
    size_t whole;

    *missing = 0;
    q_buf_append(in, bytes, size);
    if (in->failed)
        return Q_ERR_NO_MEMORY;
    if (enrol_missing(q_buf_bytes(in), in->size, missing, &whole) != Q_OK || in->size > whole) {
        snprintf(err_text, err_size, "its answer is longer than it may be");
        return Q_ERR_INVALID;
    }
    if (*missing > 0)
        return Q_ERR_AGAIN;
    if (enrol_decode(q_buf_bytes(in), whole, answer, err_text, err_size) != Q_OK)
        return Q_ERR_INVALID;
    if (answer->type == expected || answer->type == ENROL_REFUSED)
        return Q_OK;
    snprintf(err_text, err_size, "its answer is none");
    return Q_ERR_INVALID;
}

bool enrol_refusal_ends_key(enum enrol_reason reason, bool is_new)
{
    switch (reason) {
    case ENROL_UNKNOWN:
    case ENROL_EXPIRED:
    case ENROL_USED:
    case ENROL_NOT_ENTITLED:
        return true;
    case ENROL_BAD_MESSAGE:
    case ENROL_OTHER_CLUSTER: /* corosync.conf may have changed since the code was used with it */
        return is_new;
    case ENROL_BAD_PROOF:
    case ENROL_FAILED: /* perhaps after the code became this key's */
        return false;
    }
    assert(!"unknown reason");
    return false;
}

static const char *remedy(enum enrol_reason reason)
{
    switch (reason) {
    case ENROL_UNKNOWN:
    case ENROL_EXPIRED:
        return "Have a new code made on the arbiter: corosync-qnetd-certutil --invite CLUSTER";
    case ENROL_USED:
        return "If that was not you, somebody else has joined with this code: revoke that certificate on the arbiter "
               "(corosync-qnetd-certutil --list). For this node have a new code made: corosync-qnetd-certutil --invite "
               "CLUSTER";
    case ENROL_OTHER_CLUSTER:
        return "Have a code made for this node's cluster, or check totem.cluster_name in corosync.conf";
    case ENROL_BAD_PROOF:
        return "Run the command again; should this be said again, have a new code made on the arbiter";
    case ENROL_BAD_MESSAGE:
        return "Check that this program and the arbiter are of the same version";
    case ENROL_FAILED:
        return "The arbiter's log says more; when it has been seen to, run the same command again: the code is still "
               "good for this node";
    case ENROL_NOT_ENTITLED:
        return "Join anew with a code: corosync-qnetd-certutil --invite CLUSTER on the arbiter";
    }
    assert(!"unknown reason");
    return "";
}

void enrol_reply_explain(const struct enrol_message *refusal, char text[ENROL_REPLY_TEXT_SIZE])
{
    assert(refusal->type == ENROL_REFUSED);
    snprintf(text, ENROL_REPLY_TEXT_SIZE, "the arbiter refuses: %.*s. %s.", (int)refusal->text.size,
             (const char *)refusal->text.bytes, remedy(refusal->reason));
}

const char *enrol_verdict_remedy(enum enrol_reason reason)
{
    switch (reason) {
    case ENROL_OTHER_CLUSTER:
        return "Have a certificate made for this cluster (--invite on the arbiter, --join here), or correct totem.cluster_name in "
               "corosync.conf";
    case ENROL_NOT_ENTITLED:
        return "Have a new certificate made: corosync-qnetd-certutil --invite CLUSTER on the arbiter, --join --replace here";
    case ENROL_FAILED:
        return "Ask again in a minute; if it is said again, see to the arbiter: corosync-qnetd-certutil --check there says more";
    case ENROL_BAD_MESSAGE:
    case ENROL_UNKNOWN:
    case ENROL_EXPIRED:
    case ENROL_USED:
    case ENROL_BAD_PROOF:
        break;
    }
    return "Check that this program and the arbiter are of the same version";
}
