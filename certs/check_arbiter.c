/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether an arbiter's certificates are what its daemon and its nodes need. */
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certs/authority.h"
#include "certs/chain.h"
#include "certs/check.h"
#include "certs/issued.h"
#include "certs/reach.h"
#include "common/tls/expiry.h"

#define DAEMON_USER "coroqnetd"

/* --- What the daemon can read ------------------------------------------------------------------------ */

static bool may(const struct stat *st, uid_t uid, gid_t gid, mode_t owner_bit)
{
    mode_t bit = st->st_uid == uid ? owner_bit : st->st_gid == gid ? owner_bit >> 3 : owner_bit >> 6;

    return (st->st_mode & bit) != 0;
}

static void check_daemon_reads(struct check *check, const struct certs_place *place)
{
    const char *const names[] = {".", place->form == CERTS_PEM ? CERTS_PEM_SERVER : "key4.db",
                                 place->form == CERTS_PEM ? CERTS_PEM_AUTHORITY : "cert9.db"};
    const struct passwd *user = getpwnam(DAEMON_USER);

    if (user == NULL)
        return;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[4096];
        struct stat st;

        snprintf(path, sizeof(path), "%s/%s", place->dir, names[i]);
        if (stat(path, &st) != 0 || may(&st, user->pw_uid, user->pw_gid, i == 0 ? S_IXUSR : S_IRUSR))
            continue;
        check_find(check, CHECK_PROBLEM, "daemon",
                   "%s cannot be read by the user %s, whom the daemon runs as: run chgrp -R %s %s.", path,
                   DAEMON_USER, DAEMON_USER, place->dir);
        return;
    }
    check_find(check, CHECK_GOOD, "daemon", "the user %s can read what the daemon needs.", DAEMON_USER);
}

/* --- What was issued --------------------------------------------------------------------------------- */

struct counting {
    struct check *check;
    unsigned all, ended;
};

static void count_one(void *context, X509 *cert)
{
    struct counting *c = context;

    c->all++;
    if (X509_cmp_current_time(X509_get0_notAfter(cert)) < 0)
        c->ended++;
}

static void check_issued(struct check *check, const struct certs_authority *authority)
{
    struct counting counting = {.check = check};
    struct certs_failure why;
    size_t unreadable = 0;

    if (certs_authority_each_issued(authority, count_one, &counting, &unreadable, &why) != Q_OK)
        check_find(check, CHECK_PROBLEM, "issued", "%s", why.text);
    else if (unreadable > 0)
        check_find(check, CHECK_WARNING, "issued",
                   "%zu files that should hold issued certificates cannot be read.", unreadable);
    else
        check_find(check, CHECK_GOOD, "issued",
                   "%u certificates were issued, %u of them have ended; --list shows them.", counting.all,
                   counting.ended);
}

/* --- The daemon -------------------------------------------------------------------------------------- */

static void check_listening(struct check *check, uint16_t port)
{
    struct certs_failure why;
    int fd;

    if (certs_reach("localhost", port, &fd, &why) != Q_OK) {
        check_find(
            check, CHECK_WARNING, "port",
            "nothing answers on port %u of this machine: start corosync-qnetd, or name its port with --port.",
            port);
        return;
    }
    close(fd);
    check_find(check, CHECK_GOOD, "port",
               "port %u is open; from a node, corosync-qdevice-net-certutil --check tries the whole way.",
               port);
}

/* --- All --------------------------------------------------------------------------------------------- */

static void check_server(struct check *check, const struct certs_authority *authority)
{
    X509 *server = certs_authority_server(authority);
    struct certs_identity identity = {.cert = server,
                                      .intermediates = certs_authority_intermediates(authority),
                                      .authorities = certs_authority_trusted(authority)};
    struct certs_failure why;

    for (int i = 0; i < sk_X509_num(identity.authorities); i++)
        check_dates(check, "authority", sk_X509_value(identity.authorities, i));
    if (server == NULL) {
        check_find(check, CHECK_PROBLEM, "certificate",
                   "the arbiter has no certificate of its own. Run -i: it completes what is missing.");
        return;
    }
    check_dates(check, "certificate", server);
    if (chain_check_server(&identity, &why) == Q_OK)
        check_find(check, CHECK_GOOD, "certificate",
                   "devices that trust the authority above will accept it.");
    else
        check_find(check, CHECK_PROBLEM, "certificate", "%s", why.text);
}

void check_arbiter(struct check *check, const struct certs_place *place, uint16_t port)
{
    static const char *const secrets[] = {"key4.db", "key3.db", CERTS_PEM_SERVER, CERTS_PEM_AUTHORITY_KEY,
                                          NULL};
    struct certs_authority *authority;
    struct certs_failure why;

    if (certs_authority_open(place, CERTS_READ, &authority, &why) != Q_OK) {
        check_find(check, CHECK_PROBLEM, "files", "%s", why.text);
        return;
    }
    check_find(check, CHECK_GOOD, "files", "certificates in %s can be read.", place->dir);
    check_permissions(check, place->dir, secrets);
    check_daemon_reads(check, place);
    check_server(check, authority);
    check_issued(check, authority);
    certs_authority_close(authority);
    check_listening(check, port);
}
