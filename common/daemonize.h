/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Going into the background, honestly: the process that was started returns only when its child has come up
 * completely, and with the child's exit status if it has not. Called by main, once.
 */
#ifndef QUORATE_COMMON_DAEMONIZE_H
#define QUORATE_COMMON_DAEMONIZE_H

#include "common/err.h"

/*
 * Forks. In the child returns with Q_OK, in a session of its own, standard descriptors untouched; the caller
 * goes on starting up. The parent does not return: it exits with 0 after daemonize_completed, with the exit
 * status of the child if that ends before. Q_ERR_IO (with errno) if there was no child.
 */
enum q_err daemonize_begin(void);

/* Lets the parent go and leads descriptors 0, 1 and 2 to the null device. Nothing without daemonize_begin. */
void daemonize_completed(void);

#endif
