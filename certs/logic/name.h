/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What may be the name of a cluster in a certificate. Pure. The name becomes the certificate's common name, by which the
 * arbiter knows the cluster, and part of a file name; whatever could be taken for another name, there or here, is refused
 * before anything is made (certificates.md, pain points 1 and 7). Used by both tools and by enrolment.
 */
#ifndef QUORATE_CERTS_LOGIC_NAME_H
#define QUORATE_CERTS_LOGIC_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* Common names of the arbiter's own certificates; no cluster may have them. */
#define CERTS_AUTHORITY_NAME "QNet CA"
#define CERTS_SERVER_NAME "Qnetd Server"

/* In bytes: "cluster-", the name, ".crt" and what is added while it is written must fit into a file name. */
#define CERTS_CLUSTER_NAME_LENGTH_MAX 200

/*
 * NULL if the terminated text can be a cluster's name; else what is wrong with it, to be put after "The cluster name ":
 * "is empty", "contains a slash", ... Refused are: nothing at all, more than CERTS_CLUSTER_NAME_LENGTH_MAX bytes, what is no
 * UTF-8, control characters, slashes, blanks at either end, asterisks (the packaged arbiter takes them for wildcards), and
 * the arbiter's own names in any case.
 */
const char *certs_name_fault(const char *name);

/* Whether the arbiter would take one name for the other: it ignores the case of ASCII letters. */
bool certs_name_same(const char *a, const char *b);

#define CERTS_NODE_NAME_LENGTH_MAX 64

/* The same for the name of a node (it becomes the organizational unit of the certificate): 1 to 64 bytes; NULL if it is good. */
const char *certs_node_name_fault(const char *name);

#endif
