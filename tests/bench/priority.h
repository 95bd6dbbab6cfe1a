/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Puts the server and the load generator ahead of everything else on the machine while a phase measures time rather than
 * CPU, so that a busy machine does not count. Without the right to do so (root) nothing happens but a word on stderr.
 */
#ifndef QUORATE_TESTS_BENCH_PRIORITY_H
#define QUORATE_TESTS_BENCH_PRIORITY_H

#include <sys/types.h>

void priority_raise(pid_t server);
void priority_restore(pid_t server);

#endif
