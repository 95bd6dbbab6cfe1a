/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory is locked where the system permits it, by whichever right: tried in children, which give rights up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>

#include <cmocka.h>

#include "core/scheduling.h"
#include "core/transport/repeated_pages.h"

#define LIMIT ((rlim_t)1 << 30)

enum outcome { LOCKED, UNLOCKED, IMPOSSIBLE };

/* So that only `kept` remains of all capabilities. */
static bool drop_all_but(unsigned kept)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

    data[CAP_TO_INDEX(kept)].permitted = CAP_TO_MASK(kept);
    data[CAP_TO_INDEX(kept)].effective = CAP_TO_MASK(kept);
    return syscall(SYS_capset, &header, data) == 0;
}

static long locked_kib(void)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[256];
    long kib = -1;

    while (file != NULL && fgets(line, sizeof(line), file) != NULL && sscanf(line, "VmLck: %ld", &kib) != 1)
        continue;
    if (file != NULL)
        fclose(file);
    return kib;
}

/* What comes of it where there is a limit that may not be raised: one that this process is far below, if it may be set so high. */
static enum outcome lock_with(unsigned capability)
{
    struct rlimit limit = {LIMIT, LIMIT}, present;
    int status = 0;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0 && getrlimit(RLIMIT_MEMLOCK, &present) == 0)
            limit = (struct rlimit){present.rlim_max, present.rlim_max};
        if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_max == RLIM_INFINITY || !drop_all_but(capability))
            _exit(IMPOSSIBLE);
        scheduling_lock_memory();
        _exit(locked_kib() > 0 ? LOCKED : UNLOCKED);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return (enum outcome)WEXITSTATUS(status);
}

static void the_right_to_lock_is_enough(void **state)
{
    enum outcome outcome;

    (void)state;
    outcome = lock_with(CAP_IPC_LOCK);
    if (outcome == IMPOSSIBLE || !REPEATED_PAGES_SUPPORTED) /* AddressSanitizer locks nothing */
        skip();
    assert_int_equal(outcome, LOCKED);
}

static void without_a_right_nothing_is_locked_below_a_limit(void **state)
{
    enum outcome outcome;

    (void)state;
    outcome = lock_with(CAP_KILL);
    if (outcome == IMPOSSIBLE)
        skip();
    assert_int_equal(outcome, UNLOCKED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_to_lock_is_enough),
        cmocka_unit_test(without_a_right_nothing_is_locked_below_a_limit),
    };

    return cmocka_run_group_tests_name("scheduling", tests, NULL, NULL);
}
