/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What tells clusters of one name apart: a random number that an arbiter draws when it first invites a node of a cluster, and
 * puts into all certificates that come of its invitations, as an alternative name of the form "quorate-cluster:UUID". (Not
 * "urn:uuid:", which a company's authority may have used for something that differs from node to node.) Pure. A value; all
 * zero is none, as in certificates of the packaged flow.
 */
#ifndef QUORATE_COMMON_CLUSTER_IDENTITY_H
#define QUORATE_COMMON_CLUSTER_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLUSTER_IDENTITY_SIZE 16
#define CLUSTER_IDENTITY_TEXT_SIZE 37
#define CLUSTER_IDENTITY_URI "quorate-cluster:"
#define CLUSTER_IDENTITY_URI_SIZE (sizeof(CLUSTER_IDENTITY_URI) - 1 + CLUSTER_IDENTITY_TEXT_SIZE)

struct cluster_identity {
    uint8_t bytes[CLUSTER_IDENTITY_SIZE];
};

bool cluster_identity_is_set(const struct cluster_identity *identity);
bool cluster_identity_equal(const struct cluster_identity *a, const struct cluster_identity *b);

/* Whether these are certainly two clusters: both have an identity, and not the same. */
bool cluster_identity_conflict(const struct cluster_identity *a, const struct cluster_identity *b);

/* "3f2a9c04-5d1e-4b7a-9e02-8c6f1a2b3c4d", terminated; "" if there is none. */
void cluster_identity_text(const struct cluster_identity *identity, char text[CLUSTER_IDENTITY_TEXT_SIZE]);

/* Exactly that text, in lower case, of that length; false: it is none, and *identity is none. */
bool cluster_identity_parse(const char *text, size_t length, struct cluster_identity *identity);

/* The same behind CLUSTER_IDENTITY_URI. */
bool cluster_identity_parse_uri(const char *text, size_t length, struct cluster_identity *identity);

#endif
