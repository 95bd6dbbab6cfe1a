/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/enrol/invitation_use.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/logic/name.h"

/* The directory, locked, and what the file says now in place of what it said before. */
static enum q_err read_anew(struct invitation_dir *dir, const char *path, struct invitation *invitation,
                            struct certs_failure *why)
{
    struct invitation fresh;
    enum q_err err = invitation_dir_open(dir, path, why);

    if (err == Q_OK)
        err = invitation_dir_lock(dir, why);
    if (err == Q_OK)
        err = invitation_dir_read(dir, invitation->id, &fresh, why);
    if (err != Q_OK)
        return err;
    invitation_fini(invitation);
    *invitation = fresh;
    return Q_OK;
}

static enum q_err claim_in(const struct invitation_dir *dir, struct invitation *invitation,
                           const struct invitation_claim *claim, const char *node, const char *peer,
                           struct certs_failure *why)
{
    if (invitation->claimed_s != 0)
        return Q_OK;
    if (invitation->node[0] == '\0' && certs_node_name_fault(node) == NULL)
        snprintf(invitation->node, sizeof(invitation->node), "%s", node);
    invitation_claim(invitation, claim, peer);
    return invitation_dir_write(dir, invitation, why);
}

enum q_err invitation_use_claim(const char *path, struct invitation *invitation, const struct invitation_claim *claim,
                                const char *node, const char *peer, unsigned *reason, char text[INVITATION_TEXT_SIZE],
                                struct certs_failure *why)
{
    struct invitation_dir dir;
    enum q_err err = read_anew(&dir, path, invitation, why);

    *reason = 0;
    if (err == Q_OK || err == Q_ERR_NOT_FOUND)
        *reason = invitation_judge(err == Q_OK ? invitation : NULL, claim, text);
    if (err == Q_OK && *reason == 0)
        err = claim_in(&dir, invitation, claim, node, peer, why);
    invitation_dir_close(&dir);
    return *reason != 0 ? Q_OK : err;
}

static enum q_err put(struct invitation *invitation, const uint8_t *certificate, size_t size, struct certs_failure *why)
{
    if (size > INVITATION_CERTIFICATE_SIZE_MAX)
        return certs_fail(why, Q_ERR_INVALID, "The certificate has %zu bytes: that is too much.", size);
    invitation_fini(invitation);
    invitation->certificate = malloc(size > 0 ? size : 1);
    if (invitation->certificate == NULL)
        return certs_fail_memory(why);
    memcpy(invitation->certificate, certificate, size);
    invitation->certificate_size = size;
    return Q_OK;
}

enum q_err invitation_use_fill(const char *path, struct invitation *invitation, const uint8_t *certificate, size_t size,
                               struct certs_failure *why)
{
    struct invitation_dir dir;
    enum q_err err = read_anew(&dir, path, invitation, why);

    if (err == Q_OK && invitation->certificate == NULL) {
        err = put(invitation, certificate, size, why);
        if (err == Q_OK)
            err = invitation_dir_write(&dir, invitation, why);
    }
    invitation_dir_close(&dir);
    return err;
}

enum q_err invitation_use_record(const char *path, struct invitation *invitation, const uint8_t *certificate, size_t size,
                                 struct certs_failure *why)
{
    struct invitation_dir dir;
    enum q_err err = invitation_dir_open(&dir, path, why);

    if (err != Q_OK)
        return err;
    err = put(invitation, certificate, size, why);
    if (err == Q_OK)
        err = invitation_dir_write(&dir, invitation, why);
    invitation_dir_close(&dir);
    return err;
}
