/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the voter does in its own process; see voter.h. Called by voter.c right after fork.
 */
#ifndef QUORATE_QDEVICE_VOTER_PROCESS_H
#define QUORATE_QDEVICE_VOTER_PROCESS_H

/* Never returns. `fd` is the voter's end of the socket to the agent. */
_Noreturn void voter_process_run(int fd, const char *device_name, const char *lock_file);

#endif
