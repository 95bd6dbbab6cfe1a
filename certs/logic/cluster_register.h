/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which clusters an arbiter has invited nodes of: name and identity of each, for as long as the arbiter lives, since certificates
 * with that identity may be out. Pure: the list and the text of its file; of one name there may be several. Kept by
 * certs/enrol/invite.c.
 */
#ifndef QUORATE_CERTS_LOGIC_CLUSTER_REGISTER_H
#define QUORATE_CERTS_LOGIC_CLUSTER_REGISTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/logic/name.h"
#include "common/buf.h"
#include "common/cluster_identity.h"
#include "common/err.h"

/* More clusters than one arbiter serves. Their file takes 3.1 MB at most. */
#define CLUSTER_REGISTER_MAX 10000
#define CLUSTER_REGISTER_FILE_SIZE_MAX ((size_t)4 << 20)

struct registered_cluster {
    struct cluster_identity identity; /* set */
    char name[CERTS_CLUSTER_NAME_LENGTH_MAX + 1];
};

/* All zero is none. In the order in which they were added. */
struct cluster_register {
    struct registered_cluster *items;
    size_t count;
};

void cluster_register_fini(struct cluster_register *clusters);

/* Q_OK without a change if it is there, spelled in whatever case. Q_ERR_LIMIT, Q_ERR_NO_MEMORY. */
enum q_err cluster_register_add(struct cluster_register *clusters, const char *name,
                                const struct cluster_identity *identity);

/*
 * The clusters of that name whose identity, as text, begins with `prefix` ("": all); the first of them in *found. Returns how many
 * there are; *found is left alone if it is none.
 */
size_t cluster_register_find(const struct cluster_register *clusters, const char *name, const char *prefix,
                             struct cluster_identity *found);

/* Whom somebody means. */
struct cluster_wish {
    const char *name;     /* checked: certs_name_fault */
    const char *identity; /* how it begins; NULL: the one that there is */
    bool another;         /* a new one, of which name there may be some already */
};

enum cluster_register_answer {
    CLUSTER_REGISTER_KNOWN,    /* that one */
    CLUSTER_REGISTER_NEW,      /* there is none of the name yet, or another is wanted: an identity is to be drawn */
    CLUSTER_REGISTER_STRANGE,  /* a whole identity that the register does not know: it may have been lost since it was given out */
    CLUSTER_REGISTER_SEVERAL,  /* more than one fits */
    CLUSTER_REGISTER_NONE,     /* none fits */
    CLUSTER_REGISTER_ELSEWHERE /* a whole identity, but of a cluster of another name: *name_there */
};

/* *identity is set for the first and the third, else none. *name_there lives as long as the register. */
enum cluster_register_answer cluster_register_choose(const struct cluster_register *clusters, const struct cluster_wish *wish,
                                                     struct cluster_identity *identity, const char **name_there);

/* An allocation that failed shows in out->failed. */
void cluster_register_encode(const struct cluster_register *clusters, struct q_buf *out);

/* Into *out, which is empty if it fails. Q_ERR_INVALID: not what cluster_register_encode writes. Q_ERR_LIMIT, Q_ERR_NO_MEMORY. */
enum q_err cluster_register_decode(const uint8_t *bytes, size_t size, struct cluster_register *out);

#endif
