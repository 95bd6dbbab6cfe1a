/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The worker: runs the administrator's commands, each in a session of its own, and sees that nothing of them is left when a
 * run is over. It has one descriptor of the daemon's, its socket; when that closes it kills what runs and ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/printable.h"
#include "qdevice/heuristics_protocol.h"
#include "qdevice/logic/command_line.h"

#define PROCESS_NAME "qdevice-heur"
#define COMMANDS_MAX 256
#define OUTPUT_SIZE 512     /* kept of a command's output: its end */
#define KILL_AFTER_MS 1000  /* between the polite and the final signal */
#define SWEEP_MS 100        /* between two looks at what outlived its run */
#define READS_MAX 16        /* of one command's output at a time: one that prints for ever must not hold the others up */
#define END_SWEEPS_MAX 50
#define END_SWEEP_MS 10

struct command {
    char *name;
    struct command_line line;
    pid_t pid;     /* also its process group; 0: not running */
    int output_fd; /* -1 */
    char output[OUTPUT_SIZE + 1];
    size_t output_size;
};

/* A process group that outlived its run. */
struct leftover {
    pid_t group;
    uint64_t kill_at_ms;
};

struct worker {
    int fd;
    int signal_fd;
    bool use_path;
    uint32_t processes_max;
    struct command commands[COMMANDS_MAX];
    size_t command_count;
    bool incomplete; /* there are others that could not be taken */
    bool running;
    uint64_t run;
    uint64_t run_until_ms;
    struct leftover leftovers[2 * COMMANDS_MAX];
    size_t leftover_count;
    bool sweep_due; /* something of a former run may still be there */
    char text[HEURISTICS_TEXT_MAX + 1];
};

/* ---- to the daemon ---- */

static void tell(struct worker *worker, const struct heuristics_message *message, const char *text)
{
    struct iovec parts[2] = {{(void *)message, sizeof(*message)}, {(void *)text, strlen(text)}};
    struct msghdr header = {.msg_iov = parts, .msg_iovlen = 2};

    (void)!sendmsg(worker->fd, &header, MSG_NOSIGNAL);
}

static void log_to_daemon(struct worker *worker, int priority, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void log_to_daemon(struct worker *worker, int priority, const char *format, ...)
{
    struct heuristics_message message = {.kind = HEURISTICS_LOG, .number = (uint64_t)priority};
    char text[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    tell(worker, &message, text);
}

/* ---- output of commands ---- */

/* Keeps the end of it; the rest is read and dropped, so that no command hangs in a write. */
static void take_output(struct command *command)
{
    char chunk[4096];
    ssize_t size = 0;

    for (int i = 0; i < READS_MAX; i++) {
        size_t keep, old;

        size = read(command->output_fd, chunk, sizeof(chunk));
        if (size <= 0)
            break;
        keep = (size_t)size < OUTPUT_SIZE ? (size_t)size : OUTPUT_SIZE;
        old = command->output_size + keep > OUTPUT_SIZE ? OUTPUT_SIZE - keep : command->output_size;

        memmove(command->output, command->output + command->output_size - old, old);
        memcpy(command->output + old, chunk + size - keep, keep);
        command->output_size = old + keep;
        if ((size_t)size < sizeof(chunk))
            return;
    }
    if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) {
        close(command->output_fd);
        command->output_fd = -1;
    }
}

/* The last line of output that has something in it, made printable. */
static const char *last_words(struct command *command, char *text, size_t size)
{
    char *end = command->output + command->output_size;
    char *begin;

    while (end > command->output && (end[-1] == '\n' || end[-1] == '\r' || end[-1] == ' '))
        end--;
    *end = '\0';
    begin = memrchr(command->output, '\n', (size_t)(end - command->output));
    begin = begin != NULL ? begin + 1 : command->output;
    if (*begin == '\0')
        return "no output";
    printable_text(begin, (size_t)(end - begin), text, size);
    return text;
}

/* ---- what outlives a run ---- */

static bool is_running_command(const struct worker *worker, pid_t pid)
{
    for (size_t i = 0; i < worker->command_count; i++)
        if (worker->commands[i].pid == pid)
            return true;
    return false;
}

static bool is_leftover(const struct worker *worker, pid_t group)
{
    for (size_t i = 0; i < worker->leftover_count; i++)
        if (worker->leftovers[i].group == group)
            return true;
    return false;
}

/*
 * Orphans come to the worker, which is their subreaper, whatever session they have made for themselves. Between runs every
 * child is one; those in the group of a command that has been asked to end get their time.
 */
static void sweep(struct worker *worker)
{
    FILE *children = fopen("/proc/thread-self/children", "re");
    int pid;

    worker->sweep_due = worker->leftover_count > 0;
    if (children == NULL)
        return;
    while (fscanf(children, "%d", &pid) == 1) {
        if (is_running_command(worker, pid))
            continue;
        worker->sweep_due = true;
        if (is_leftover(worker, getpgid(pid)))
            continue;
        kill(pid, SIGKILL);
    }
    fclose(children);
}

/* ---- runs ---- */

static void kill_group_later(struct worker *worker, pid_t group)
{
    if (kill(-group, SIGTERM) != 0)
        return; /* nothing of it is left */
    if (worker->leftover_count == sizeof(worker->leftovers) / sizeof(worker->leftovers[0])) {
        kill(-group, SIGKILL);
        return;
    }
    worker->leftovers[worker->leftover_count++] = (struct leftover){group, clock_monotonic_ms() + KILL_AFTER_MS};
}

static void stop_command(struct worker *worker, struct command *command)
{
    if (command->pid != 0)
        kill_group_later(worker, command->pid);
    if (command->output_fd >= 0)
        close(command->output_fd);
    command->output_fd = -1;
    command->pid = 0;
}

static void end_run(struct worker *worker)
{
    for (size_t i = 0; i < worker->command_count; i++)
        stop_command(worker, &worker->commands[i]);
    worker->running = false;
    sweep(worker);
}

static void report(struct worker *worker, bool passed)
{
    struct heuristics_message message = {.kind = HEURISTICS_RESULT, .number = worker->run, .passed = passed};

    end_run(worker);
    tell(worker, &message, "");
}

_Noreturn static void become_command(const struct worker *worker, const struct command *command, int output_fd)
{
    sigset_t none;
    int null_fd = open("/dev/null", O_RDONLY);

    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* should the worker be killed */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int signal_number = 1; signal_number < NSIG; signal_number++)
        signal(signal_number, SIG_DFL);
    dup2(null_fd, STDIN_FILENO);
    dup2(output_fd, STDOUT_FILENO);
    dup2(output_fd, STDERR_FILENO);
    close_range(STDERR_FILENO + 1, ~0u, 0);
    if (worker->use_path)
        execvp(command->line.arguments[0], command->line.arguments);
    else
        execv(command->line.arguments[0], command->line.arguments);
    fprintf(stderr, "cannot be executed: %s\n", strerror(errno));
    _exit(127);
}

static bool start_command(struct worker *worker, struct command *command)
{
    int ends[2];

    command->output_size = 0;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    command->pid = fork();
    if (command->pid == 0)
        become_command(worker, command, ends[1]);
    close(ends[1]);
    if (command->pid < 0) {
        close(ends[0]);
        command->pid = 0;
        return false;
    }
    command->output_fd = ends[0];
    return true;
}

static void start_run(struct worker *worker, const struct heuristics_message *message)
{
    end_run(worker);
    worker->running = true;
    worker->run = message->number;
    worker->run_until_ms = clock_monotonic_ms() + message->timeout_ms;
    if (worker->leftover_count + worker->command_count > worker->processes_max) {
        log_to_daemon(worker, LOG_ERR, "Heuristics fail: %zu commands of former runs have not ended yet",
                      worker->leftover_count);
        report(worker, false);
        return;
    }
    if (worker->incomplete || worker->command_count == 0) {
        log_to_daemon(worker, LOG_ERR, "Heuristics fail: not all commands are known to the worker");
        report(worker, false);
        return;
    }
    for (size_t i = 0; i < worker->command_count; i++) {
        if (start_command(worker, &worker->commands[i]))
            continue;
        log_to_daemon(worker, LOG_ERR, "Heuristics fail: exec_%s cannot be started: %s", worker->commands[i].name,
                      strerror(errno));
        report(worker, false);
        return;
    }
}

static bool all_have_ended(const struct worker *worker)
{
    for (size_t i = 0; i < worker->command_count; i++)
        if (worker->commands[i].pid != 0)
            return false;
    return true;
}

static void explain_failure(struct worker *worker, struct command *command, int status)
{
    char text[4 * OUTPUT_SIZE];
    const char *words = last_words(command, text, sizeof(text));

    if (WIFSIGNALED(status))
        log_to_daemon(worker, LOG_WARNING, "Heuristics fail: exec_%s was killed by signal %d: %s", command->name,
                      WTERMSIG(status), words);
    else
        log_to_daemon(worker, LOG_WARNING, "Heuristics fail: exec_%s ended with status %d: %s", command->name,
                      WEXITSTATUS(status), words);
}

static void command_ended(struct worker *worker, struct command *command, int status)
{
    bool passed = WIFEXITED(status) && WEXITSTATUS(status) == 0;

    if (command->output_fd >= 0)
        take_output(command);
    if (!passed)
        explain_failure(worker, command, status);
    stop_command(worker, command); /* the rest of its group, if there is any */
    if (!worker->running)
        return;
    if (!passed)
        report(worker, false);
    else if (all_have_ended(worker))
        report(worker, true);
}

static void reap(struct worker *worker)
{
    struct signalfd_siginfo info;
    int status;
    pid_t pid;

    (void)!read(worker->signal_fd, &info, sizeof(info));
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (size_t i = 0; i < worker->command_count; i++)
            if (worker->commands[i].pid == pid)
                command_ended(worker, &worker->commands[i], status);
}

/* ---- time ---- */

static void on_time(struct worker *worker)
{
    uint64_t now_ms = clock_monotonic_ms();
    size_t kept = 0;

    for (size_t i = 0; i < worker->leftover_count; i++) {
        struct leftover *leftover = &worker->leftovers[i];

        if (kill(-leftover->group, now_ms >= leftover->kill_at_ms ? SIGKILL : 0) == 0)
            worker->leftovers[kept++] = *leftover;
    }
    worker->leftover_count = kept;
    if (!worker->running && worker->sweep_due)
        sweep(worker);
    if (!worker->running || now_ms < worker->run_until_ms)
        return;
    for (size_t i = 0; i < worker->command_count; i++) {
        char text[4 * OUTPUT_SIZE];

        if (worker->commands[i].pid != 0)
            log_to_daemon(worker, LOG_WARNING, "Heuristics fail: exec_%s has not ended in time: %s",
                          worker->commands[i].name, last_words(&worker->commands[i], text, sizeof(text)));
    }
    report(worker, false);
}

static int time_left_ms(const struct worker *worker)
{
    uint64_t now_ms = clock_monotonic_ms();
    int left = worker->leftover_count > 0 || worker->sweep_due ? SWEEP_MS : -1;

    if (worker->running) {
        uint64_t run_left = worker->run_until_ms > now_ms ? worker->run_until_ms - now_ms : 0;

        if (left < 0 || run_left < (uint64_t)left)
            left = run_left > 60000 ? 60000 : (int)run_left;
    }
    return left;
}

/* ---- from the daemon ---- */

static void clear_commands(struct worker *worker)
{
    end_run(worker);
    for (size_t i = 0; i < worker->command_count; i++) {
        free(worker->commands[i].name);
        command_line_fini(&worker->commands[i].line);
    }
    worker->command_count = 0;
    worker->incomplete = false;
}

static void add_command(struct worker *worker, size_t size)
{
    const char *name = worker->text;
    size_t name_size = strlen(name);
    struct command *command = &worker->commands[worker->command_count];
    bool incomplete = worker->incomplete;

    worker->incomplete = true;
    if (name_size + 1 >= size || worker->command_count == COMMANDS_MAX)
        return;
    memset(command, 0, sizeof(*command));
    command->output_fd = -1;
    if (command_line_parse(&command->line, name + name_size + 1) != Q_OK)
        return;
    command->name = strdup(name);
    if (command->name == NULL) {
        command_line_fini(&command->line);
        return;
    }
    worker->command_count++;
    worker->incomplete = incomplete;
}

/* False: the daemon has gone. */
static bool take_message(struct worker *worker)
{
    struct heuristics_message message;
    struct iovec parts[2] = {{&message, sizeof(message)}, {worker->text, HEURISTICS_TEXT_MAX}};
    struct msghdr header = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t size = recvmsg(worker->fd, &header, 0);

    if (size < 0)
        return errno == EAGAIN || errno == EINTR;
    if (size < (ssize_t)sizeof(message))
        return false;
    worker->text[(size_t)size - sizeof(message)] = '\0';
    switch (message.kind) {
    case HEURISTICS_CLEAR:
        clear_commands(worker);
        break;
    case HEURISTICS_ADD:
        add_command(worker, (size_t)size - sizeof(message));
        break;
    case HEURISTICS_RUN:
        start_run(worker, &message);
        break;
    case HEURISTICS_RESULT:
    case HEURISTICS_LOG:
        break;
    }
    return true;
}

static bool serve(struct worker *worker)
{
    struct pollfd fds[2 + COMMANDS_MAX] = {{.fd = worker->fd, .events = POLLIN},
                                           {.fd = worker->signal_fd, .events = POLLIN}};

    for (size_t i = 0; i < worker->command_count; i++)
        fds[2 + i] = (struct pollfd){.fd = worker->commands[i].output_fd, .events = POLLIN};
    if (poll(fds, 2 + worker->command_count, time_left_ms(worker)) < 0 && errno != EINTR)
        return false;
    for (size_t i = 0; i < worker->command_count; i++)
        if (fds[2 + i].revents != 0 && worker->commands[i].output_fd >= 0)
            take_output(&worker->commands[i]);
    if (fds[1].revents != 0)
        reap(worker);
    on_time(worker);
    return fds[0].revents == 0 || take_message(worker);
}

/* The daemon has gone: nothing that it had started stays. */
static void kill_all(struct worker *worker)
{
    struct pollfd nothing = {.fd = -1};

    for (size_t i = 0; i < worker->leftover_count; i++)
        kill(-worker->leftovers[i].group, SIGKILL);
    worker->leftover_count = 0;
    for (size_t i = 0; i < worker->command_count; i++) {
        if (worker->commands[i].pid != 0)
            kill(-worker->commands[i].pid, SIGKILL);
        worker->commands[i].pid = 0;
    }
    /* Who is killed leaves orphans, which come here in turn. */
    for (int i = 0; i < END_SWEEPS_MAX; i++) {
        sweep(worker);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        if (!worker->sweep_due)
            return;
        poll(&nothing, 1, END_SWEEP_MS);
    }
}

/* It is forked while the daemon still has the terminal or pipe of whoever starts it, who may wait for their end. */
static void keep_only(int fd)
{
    int null_fd = open("/dev/null", O_RDWR);

    for (int i = 0; i <= STDERR_FILENO; i++)
        if (i != fd)
            dup2(null_fd, i);
    if (fd > STDERR_FILENO + 1)
        close_range(STDERR_FILENO + 1, (unsigned)fd - 1, 0);
    close_range((unsigned)(fd > STDERR_FILENO ? fd : STDERR_FILENO) + 1, ~0u, 0);
}

_Noreturn void heuristics_worker_run(int fd, bool use_path, uint32_t processes_max)
{
    static struct worker worker;
    sigset_t child;

    worker.fd = fd;
    worker.use_path = use_path;
    worker.processes_max = processes_max;
    setsid();
    prctl(PR_SET_NAME, PROCESS_NAME);
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* orphans of commands come here to be reaped */
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    keep_only(fd);
    worker.signal_fd = signalfd(-1, &child, SFD_NONBLOCK | SFD_CLOEXEC);
    while (worker.signal_fd >= 0 && serve(&worker))
        ;
    kill_all(&worker);
    _exit(0);
}
