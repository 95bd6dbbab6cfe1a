/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/priority.h"

#include <sched.h>
#include <stdio.h>

void priority_raise(pid_t server)
{
    const struct sched_param param = {.sched_priority = 1};

    if (sched_setscheduler(server, SCHED_RR, &param) != 0 || sched_setscheduler(0, SCHED_RR, &param) != 0)
        perror("bench-load: cannot keep the rest of the machine out of the figures");
}

void priority_restore(pid_t server)
{
    const struct sched_param param = {.sched_priority = 0};

    sched_setscheduler(0, SCHED_OTHER, &param);
    sched_setscheduler(server, SCHED_OTHER, &param);
}
