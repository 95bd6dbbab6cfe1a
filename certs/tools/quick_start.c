/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/tools/quick_start.h"

#include <errno.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "certs/store/place.h"
#include "certs/tools/tool.h"
#include "common/buf.h"
#include "common/text.h"

#define WORDS_MAX 64
#define ARBITER_PROGRAM "corosync-qnetd-certutil"
#define DIRECTORY_SIZE 256

/* On every node from before the first step until after the last: a database beside it is our own, and not complete. */
#define UNFINISHED CERTS_NODE_PARENT "/quick-start-unfinished"

extern char **environ;

struct run {
    const struct quick_start *quick;
    char local[64];              /* our temporary directory */
    char remote[DIRECTORY_SIZE]; /* that of the host at work */
};

/* --- Running --------------------------------------------------------------------------------------- */

/* `command` is split at blanks, the others are one argument each. Returns the exit status, -1 if there is none. */
static int spawn(const char *command, const char *const *arguments, size_t count, int out)
{
    char *words = strdup(command);
    char *argv[WORDS_MAX + 8];
    posix_spawn_file_actions_t actions;
    size_t length = 0;
    char *save = NULL;
    int status = -1;
    pid_t pid;

    if (words == NULL)
        return -1;
    for (char *word = strtok_r(words, " \t", &save); word != NULL && length < WORDS_MAX;
         word = strtok_r(NULL, " \t", &save))
        argv[length++] = word;
    for (size_t i = 0; i < count; i++)
        argv[length++] = (char *)(uintptr_t)arguments[i];
    argv[length] = NULL;
    posix_spawn_file_actions_init(&actions);
    if (out >= 0)
        posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    errno = length > count ? posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ) : EINVAL;
    posix_spawn_file_actions_destroy(&actions);
    if (errno != 0) {
        tool_fail_text(0, "Cannot run %s: %s", length > count ? argv[0] : "an empty command",
                       strerror(errno));
    } else {
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    free(words);
    return status;
}

/* A shell's word, whatever is in it. */
static void append_quoted(struct q_buf *buf, const char *text)
{
    text_append(buf, "'");
    for (; *text != '\0'; text++)
        text_append(buf, *text == '\'' ? "'\\''" : "%c", *text);
    text_append(buf, "'");
}

static bool on_host(struct run *run, const char *host, const char *line, int out)
{
    char *target = NULL;
    int status = -1;

    if (asprintf(&target, "root@%s", host) > 0) {
        const char *arguments[] = {target, line};

        status = spawn(run->quick->ssh, arguments, 2, out);
    }
    free(target);
    return status == 0;
}

/* Run words of a shell's line there: program and arguments, quoted. NULL ends. */
static bool run_there(struct run *run, const char *host, int out, const char *const *words)
{
    struct q_buf line;
    bool good;

    q_buf_init(&line);
    for (size_t i = 0; words[i] != NULL; i++) {
        text_append(&line, i > 0 ? " " : "");
        append_quoted(&line, words[i]);
    }
    q_buf_append_u8(&line, 0);
    good = !line.failed && on_host(run, host, (const char *)q_buf_bytes(&line), out);
    q_buf_fini(&line);
    return good;
}
#define RUN(run, host, ...) run_there((run), (host), -1, (const char *const[]){__VA_ARGS__, NULL})

static bool copy(struct run *run, const char *from, const char *to)
{
    const char *arguments[] = {from, to};

    return spawn(run->quick->scp, arguments, 2, -1) == 0;
}

/* "root@HOST:PATH"; scp of today takes the path as it is, without a shell on the other side. */
static char *remote_path(const char *host, const char *path)
{
    bool v6 = strchr(host, ':') != NULL;
    char *text;

    return asprintf(&text, v6 ? "root@[%s]:%s" : "root@%s:%s", host, path) > 0 ? text : NULL;
}

/* From host a to host b, through here. */
static bool carry(struct run *run, const char *host_a, const char *path_a, const char *host_b,
                  const char *path_b)
{
    char *from = remote_path(host_a, path_a), *to = remote_path(host_b, path_b);
    char *here = NULL;
    bool good = from != NULL && to != NULL && asprintf(&here, "%s/file", run->local) > 0 &&
                copy(run, from, here) && copy(run, here, to);

    if (here != NULL)
        unlink(here);
    free(here);
    free(from);
    free(to);
    return good;
}

/* The output of `mktemp -d` there, into run->remote. */
static bool make_remote(struct run *run, const char *host)
{
    int pipes[2];
    ssize_t got;

    if (pipe(pipes) != 0)
        return false;
    if (!run_there(run, host, pipes[1], (const char *const[]){"mktemp", "-d", NULL})) {
        close(pipes[0]);
        close(pipes[1]);
        return false;
    }
    close(pipes[1]);
    got = read(pipes[0], run->remote, sizeof(run->remote) - 1);
    close(pipes[0]);
    run->remote[got > 0 ? got : 0] = '\0';
    run->remote[strcspn(run->remote, "\r\n")] = '\0';
    return run->remote[0] == '/';
}

/* Carry a file from host a into a new directory of b, run `words` there with "FILE" replaced by it, remove the directory. */
static bool deliver(struct run *run, const char *host_a, const char *path_a, const char *host_b,
                    const char **words)
{
    char *file = NULL;
    bool good = make_remote(run, host_b) && asprintf(&file, "%s/file", run->remote) > 0 &&
                carry(run, host_a, path_a, host_b, file);

    for (size_t i = 0; good && words[i] != NULL; i++) {
        if (strcmp(words[i], "FILE") == 0)
            words[i] = file;
    }
    good = good && run_there(run, host_b, -1, words);
    if (run->remote[0] == '/')
        (void)RUN(run, host_b, "rm", "-rf", run->remote);
    run->remote[0] = '\0';
    free(file);
    return good;
}

/* --- Steps ----------------------------------------------------------------------------------------- */

static int stopped(const char *host, const char *what)
{
    return tool_fail_text(TOOL_FAILED,
                          "%s on %s failed. Put right what it says above and run the quick start again.",
                          what, host);
}

/* Nothing is done anywhere before all nodes are found to be ready. */
static int check_node(struct run *run, const char *node)
{
    if (!RUN(run, node, "sh", "-c", "command -v \"$0\" >/dev/null", run->quick->program))
        return tool_fail_text(TOOL_FAILED, "Node %s doesn't have %s installed", node, run->quick->program);
    if (RUN(run, node, "test", "-e", UNFINISHED))
        return RUN(run, node, "rm", "-rf", CERTS_NODE_NSS) ? TOOL_OK
                                                           : stopped(node, "Removing an unfinished database");
    if (RUN(run, node, "test", "-e", CERTS_NODE_NSS "/cert9.db"))
        return tool_fail_text(TOOL_FAILED, "Node %s seems to be already initialized. Please delete %s", node,
                              CERTS_NODE_NSS);
    return TOOL_OK;
}

static int mark_node(struct run *run, const char *node)
{
    if (RUN(run, node, "mkdir", "-p", CERTS_NODE_PARENT) && RUN(run, node, "touch", UNFINISHED))
        return TOOL_OK;
    return stopped(node, "Beginning");
}

static int prepare_arbiter(struct run *run, const char *arbiter)
{
    if (RUN(run, arbiter, "test", "-e", CERTS_ARBITER_NSS "/" CERTS_EXPORTED_AUTHORITY, "-a", "-e",
            CERTS_ARBITER_NSS "/cert9.db"))
        return TOOL_OK;
    return RUN(run, arbiter, ARBITER_PROGRAM, "-i") ? TOOL_OK
                                                    : stopped(arbiter, "Making the arbiter's certificates");
}

static int sign_for_first(struct run *run, const char *arbiter, const char *first)
{
    const char *program = run->quick->program, *name = run->quick->cluster_name;
    const char *sign[] = {ARBITER_PROGRAM, "-s", "-c", "FILE", "-n", name, NULL};
    const char *accept[] = {program, "-M", "-c", "FILE", NULL};
    char *path = NULL;
    bool good;

    if (!RUN(run, first, program, "-r", "-n", name))
        return stopped(first, "Making the request");
    if (!deliver(run, first, CERTS_NODE_NSS "/qdevice-net-node.crq", arbiter, sign))
        return stopped(arbiter, "Signing the request");
    good = asprintf(&path, "%s/cluster-%s.crt", CERTS_ARBITER_NSS, name) > 0 &&
           deliver(run, arbiter, path, first, accept);
    free(path);
    return good ? TOOL_OK : stopped(first, "Taking the certificate");
}

static int all_steps(struct run *run)
{
    const struct quick_start *quick = run->quick;
    const char *arbiter = quick->hosts[0], *first = quick->hosts[1];
    int status = TOOL_OK;

    for (int i = 1; status == TOOL_OK && i < quick->host_count; i++)
        status = check_node(run, quick->hosts[i]);
    for (int i = 1; status == TOOL_OK && i < quick->host_count; i++)
        status = mark_node(run, quick->hosts[i]);
    if (status == TOOL_OK)
        status = prepare_arbiter(run, arbiter);
    for (int i = 1; status == TOOL_OK && i < quick->host_count; i++) {
        const char *words[] = {quick->program, "-i", "-c", "FILE", NULL};

        if (!deliver(run, arbiter, CERTS_ARBITER_NSS "/" CERTS_EXPORTED_AUTHORITY, quick->hosts[i], words))
            status = stopped(quick->hosts[i], "Taking the arbiter's authority");
    }
    if (status == TOOL_OK)
        status = sign_for_first(run, arbiter, first);
    for (int i = 2; status == TOOL_OK && i < quick->host_count; i++) {
        const char *words[] = {quick->program, "-m", "-c", "FILE", NULL};

        if (!deliver(run, first, CERTS_NODE_NSS "/qdevice-net-node.p12", quick->hosts[i], words))
            status = stopped(quick->hosts[i], "Taking the cluster's certificate");
    }
    for (int i = 1; status == TOOL_OK && i < quick->host_count; i++) {
        if (!RUN(run, quick->hosts[i], "rm", UNFINISHED))
            status = stopped(quick->hosts[i], "Finishing");
    }
    return status;
}

int quick_start_run(const struct quick_start *quick)
{
    struct run run = {.quick = quick, .local = "/tmp/quorate-certs-XXXXXX"};
    int status;

    if (quick->host_count < 1)
        return tool_fail_text(TOOL_ARGUMENT, "No QNetd server address provided.");
    if (quick->host_count < 2)
        return tool_fail_text(TOOL_ARGUMENT, "No nodes provided.");
    for (int i = 0; i < quick->host_count; i++) {
        if (quick->hosts[i][0] == '-' || quick->hosts[i][0] == '\0')
            return tool_fail_text(TOOL_ARGUMENT, "\"%s\" is no host", quick->hosts[i]);
    }
    if (mkdtemp(run.local) == NULL)
        return tool_fail_text(TOOL_FAILED, "Cannot make a temporary directory: %s", strerror(errno));
    status = all_steps(&run);
    rmdir(run.local);
    return status;
}
