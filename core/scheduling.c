/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/scheduling.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

#include "core/config/config_start.h"
#include "core/logging.h"

/* Version 1 with the cpu controller, and version 2. Which of them is there, and whether real time needs it, shows by trying. */
static const char *const root_groups[] = {"/sys/fs/cgroup/cpu/tasks", "/sys/fs/cgroup/cgroup.procs"};

static bool move_to_root_cgroup(void)
{
    bool moved = false;

    for (size_t i = 0; i < sizeof(root_groups) / sizeof(root_groups[0]) && !moved; i++) {
        int fd = open(root_groups[i], O_WRONLY | O_CLOEXEC);

        if (fd < 0)
            continue;
        moved = write(fd, "0", 1) == 1; /* 0: who writes */
        close(fd);
    }
    if (moved)
        logging_line(LOGGING_MAIN, LOG_INFO, "Moved into the root control group");
    else
        logging_line(LOGGING_MAIN, LOG_WARNING, "Cannot move into the root control group: %s", strerror(errno));
    return moved;
}

static int set_round_robin(void)
{
    struct sched_param parameters = {.sched_priority = sched_get_priority_max(SCHED_RR)};

    return sched_setscheduler(0, SCHED_RR, &parameters) == 0 ? 0 : errno;
}

static void set_nice(const char *priority)
{
    int32_t nice_value = 0;

    if (priority == NULL)
        return;
    if (strcmp(priority, "max") == 0)
        nice_value = -20;
    else if (strcmp(priority, "min") == 0)
        nice_value = 19;
    else if (!config_priority_number(priority, &nice_value))
        return;
    if (nice_value == 0)
        return;
    if (setpriority(PRIO_PROCESS, 0, nice_value) != 0)
        logging_line(LOGGING_MAIN, LOG_WARNING, "Could not set priority %d: %s", (int)nice_value, strerror(errno));
}

void scheduling_apply(const struct core_system *settings)
{
    int error;

    if (settings->move_to_root_cgroup == CORE_CGROUP_YES)
        move_to_root_cgroup();
    if (!settings->sched_rr) {
        set_nice(settings->priority);
        return;
    }
    error = set_round_robin();
    if (error != 0 && settings->move_to_root_cgroup == CORE_CGROUP_AUTO && move_to_root_cgroup())
        error = set_round_robin();
    if (error == 0)
        return;
    logging_line(LOGGING_MAIN, LOG_WARNING,
                 "Could not set SCHED_RR at priority %d: %s (%d). The highest ordinary priority is used instead; on a busy "
                 "machine tokens may come late",
                 sched_get_priority_max(SCHED_RR), strerror(error), error);
    set_nice("max");
}

/* Who has it has no limit. Others, once theirs is reached, could map nothing any more. */
static bool may_lock_all(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

    return syscall(SYS_capget, &header, data) == 0 &&
           (data[CAP_TO_INDEX(CAP_IPC_LOCK)].effective & CAP_TO_MASK(CAP_IPC_LOCK)) != 0;
}

void scheduling_lock_memory(void)
{
    struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};

    if (setrlimit(RLIMIT_MEMLOCK, &unlimited) != 0 && !may_lock_all()) {
        logging_line(LOGGING_MAIN, LOG_WARNING, "Could not increase RLIMIT_MEMLOCK, not locking memory: %s (%d)",
                     strerror(errno), errno);
        return;
    }
    /* What comes later is locked page by page: stacks of threads and rings of clients are mostly empty. */
    if (mlockall(MCL_CURRENT) != 0 || mlockall(MCL_FUTURE | MCL_ONFAULT) != 0)
        logging_line(LOGGING_MAIN, LOG_WARNING, "Could not lock memory of service to avoid page faults: %s (%d)",
                     strerror(errno), errno);
}
