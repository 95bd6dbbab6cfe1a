/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Heuristics: the administrator's commands, run by an isolated worker process. The worker is forked early, has no
 * descriptors of the daemon's but its pipe, runs each command in a process group and session of its own with /dev/null as
 * input and bounded pipes as output, kills whole groups when a run is over, and reports through the pipe. Neither a
 * hanging, forking, failing or endlessly printing command nor the worker's death stalls or ends the daemon: a dead worker is
 * started again and a run under way counts as failed. (spec/qdevice-daemon.md sections 13, 14; pain point 20.)
 */
#ifndef QUORATE_QDEVICE_HEURISTICS_H
#define QUORATE_QDEVICE_HEURISTICS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <qb/qbloop.h>

#include "common/err.h"
#include "qdevice/logic/agent.h"
#include "qdevice/logic/device_config.h"

struct heuristics;

struct heuristics_handlers {
    /* sequence: as given to heuristics_run; 0: a regular run (mode on), every interval */
    void (*on_result)(void *context, enum agent_run run, uint64_t sequence, enum wire_heuristics result);
    /* Whether a child of the daemon is none of ours. What a worker that has died leaves behind comes to the daemon, and is
     * killed. NULL: all children are ours. */
    bool (*is_other_child)(void *context, pid_t pid);
};

/* Forks the worker, and makes the daemon the reaper of its orphans. Call before descriptors, threads and TLS come into being. `use_path`: look programs up in PATH. */
enum q_err heuristics_new(bool use_path, uint32_t processes_max, struct heuristics **out);
/* Registers with the loop; handlers are called from it. */
enum q_err heuristics_attach(struct heuristics *heuristics, qb_loop_t *loop, const struct heuristics_handlers *handlers,
                             void *context);
/* New commands, mode, times; takes effect at once: a run under way starts again with the new list. Copies. */
enum q_err heuristics_configure(struct heuristics *heuristics, const struct heuristics_config *config);
/* Starts a run; a former one is void. timeout_ms 0: the configured one for that run. */
enum q_err heuristics_run(struct heuristics *heuristics, enum agent_run run, uint64_t sequence, uint32_t timeout_ms);
/* Kills what runs, reaps the worker. */
void heuristics_free(struct heuristics *heuristics);

#endif
