/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * corosync-qnetd-enrol: started by the arbiter when the first node wants to enrol, with a socket as descriptor 3. A process
 * apart, so that nothing a node that enrols does, or costs, reaches the one that votes; with the lowest priority.
 */
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certs/enrol/invitation_dir.h"
#include "certs/enrol/registrar.h"
#include "common/log.h"
#include "common/program_options.h"

#define PROGRAM "corosync-qnetd-enrol"
#define CHANNEL 3

struct call {
    struct registrar_settings settings;
    struct log_config log;
    struct tls_source_nss nss;
    struct tls_source_pem pem;
};

#define AT(member) offsetof(struct call, member)

static const struct program_option options[] = {
    {'f', .flag = AT(log.foreground)},
    {'d', .count = AT(log.debug_count)},
    {'i', .has_argument = true, .text = AT(settings.invitations)},
    {'n', .has_argument = true, .text = AT(nss.dir)},
    {'N', .has_argument = true, .text = AT(nss.nickname)},
    {'w', .has_argument = true, .text = AT(nss.password_file)},
    {'c', .has_argument = true, .text = AT(pem.cert_file)},
    {'k', .has_argument = true, .text = AT(pem.key_file)},
    {'a', .has_argument = true, .text = AT(pem.ca_file)},
};

/* The arbiter passes its own settings on, always in this form. */
static bool parse(struct call *call, int argc, char **argv)
{
    const struct program_options line = {.own = options, .own_count = sizeof(options) / sizeof(options[0])};
    struct tls_credentials_source *identity = &call->settings.identity;
    struct program_result result;

    if (program_options_read(&line, call, argc, argv, 0, &result) != PROGRAM_READ || optind < argc)
        return false;
    identity->kind = call->pem.cert_file != NULL ? TLS_SOURCE_PEM : TLS_SOURCE_NSS;
    if (identity->kind == TLS_SOURCE_PEM)
        identity->pem = call->pem;
    else
        identity->nss = call->nss;
    return call->settings.invitations != NULL;
}

/* The authority is where the arbiter's certificate is: in the same database, or in the same folder. */
static void choose_place(struct call *call)
{
    char *copy;

    if (call->settings.identity.kind == TLS_SOURCE_NSS) {
        call->settings.place = (struct certs_place){CERTS_NSS, call->settings.identity.nss.dir};
        return;
    }
    copy = strdup(call->pem.cert_file);
    call->settings.place = (struct certs_place){CERTS_PEM, copy == NULL ? "." : dirname(copy)};
}

static bool is_socket(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

static void give_way_to_the_arbiter(void)
{
    (void)setpriority(PRIO_PROCESS, 0, 19);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)prctl(PR_SET_DUMPABLE, 0);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
}

int main(int argc, char **argv)
{
    struct call call = {.log = {.ident = PROGRAM}, .settings = {.channel = CHANNEL}};
    char err_text[TLS_CREDENTIALS_ERR_SIZE];
    struct registrar *registrar;
    int status = EXIT_FAILURE;

    if (!parse(&call, argc, argv) || !is_socket(CHANNEL)) {
        fprintf(stderr, PROGRAM " is started by corosync-qnetd when a node enrols. See corosync-qnetd(8).\n");
        return EXIT_FAILURE;
    }
    umask(077);
    give_way_to_the_arbiter();
    choose_place(&call);
    call.settings.identity.allow_expired = true; /* nodes are told, and look at it themselves */
    log_open(&call.log);
    if (registrar_new(&call.settings, &registrar, err_text, sizeof(err_text)) == Q_OK) {
        log_line(LOG_DEBUG, "Enrolment: ready");
        registrar_run(registrar);
        registrar_free(registrar);
        status = EXIT_SUCCESS;
    } else {
        log_line(LOG_ERR, "Enrolment: %s", err_text);
    }
    log_close();
    return status;
}
