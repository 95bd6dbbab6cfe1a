/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The quick start -Q (certificates.md 5): runs the other operations on the arbiter and on all nodes of a cluster, by ssh and scp as
 * root. Unlike the packaged script it checks every step, uses temporary directories that nobody else can prepare, and repairs a
 * run that stopped half way. Blocking; called by corosync-qdevice-net-certutil's main only.
 */
#ifndef QUORATE_CERTS_QUICK_START_H
#define QUORATE_CERTS_QUICK_START_H

struct quick_start {
    const char *program;      /* of this program on the nodes: the path by which it was called here */
    const char *cluster_name; /* valid */
    const char *ssh;          /* split at blanks */
    const char *scp;
    char **hosts; /* arbiter, then nodes */
    int host_count;
};

/* Returns the exit status. */
int quick_start_run(const struct quick_start *quick);

#endif
