/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the daemon and its heuristics worker say to each other over a SOCK_SEQPACKET pair: one struct a message, followed by
 * text where the kind has any. Private to heuristics.c and heuristics_worker.c, which are one program.
 */
#ifndef QUORATE_QDEVICE_HEURISTICS_PROTOCOL_H
#define QUORATE_QDEVICE_HEURISTICS_PROTOCOL_H

#include <stdbool.h>
#include <stdint.h>

#define HEURISTICS_TEXT_MAX 66000 /* a name and the longest value of a configuration key */

enum heuristics_message_kind {
    HEURISTICS_CLEAR,  /* to the worker: forget the commands */
    HEURISTICS_ADD,    /* to the worker: text is NAME, a zero byte, COMMAND */
    HEURISTICS_RUN,    /* to the worker: run them all; a former run is void */
    HEURISTICS_RESULT, /* to the daemon: `passed` */
    HEURISTICS_LOG     /* to the daemon: text, with the priority in `number` */
};

struct heuristics_message {
    enum heuristics_message_kind kind;
    uint64_t number; /* RUN, RESULT: of the run; LOG: syslog priority */
    uint32_t timeout_ms;
    bool passed;
};

/* Never returns. `fd` is the worker's end. */
_Noreturn void heuristics_worker_run(int fd, bool use_path, uint32_t processes_max);

#endif
