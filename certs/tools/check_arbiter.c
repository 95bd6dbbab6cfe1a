/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether an arbiter's certificates are what its daemon and its nodes need. */
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <unistd.h>

#include <openssl/err.h>

#include "certs/store/authority.h"
#include "certs/x509/chain.h"
#include "certs/tools/check.h"
#include "certs/enrol/ask.h"
#include "certs/enrol/revoked.h"
#include "certs/store/issued.h"
#include "certs/reach.h"
#include "certs/tools/roll_tool.h"
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
                                 place->form == CERTS_PEM ? CERTS_PEM_AUTHORITY : "cert9.db", REVOKED_FILE};
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
                   "%s cannot be read by the user %s, whom the daemon runs as: run chgrp -R %s %s, and chmod g+r %s.", path,
                   DAEMON_USER, DAEMON_USER, place->dir, path);
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

/* --- What was revoked -------------------------------------------------------------------------------- */

static void check_revoked(struct check *check, const struct certs_place *place)
{
    struct revocations list;
    struct certs_failure why;

    if (revoked_read(place->dir, &list, &why) != Q_OK) {
        check_find(check, CHECK_PROBLEM, "revoked", "%s", why.text);
        return;
    }
    check_find(check, CHECK_GOOD, "revoked", "%zu revocations are on the list.", list.count);
    revocations_fini(&list);
}

/* --- The daemon -------------------------------------------------------------------------------------- */

/* What the daemon shows now: it may have been started with other certificates, or not have taken new ones yet. */
static void check_shown(struct check *check, const struct certs_identity *identity, uint16_t port)
{
    const struct ask_wish wish = {.identity = identity, .cluster = "none", .host = "localhost", .port = port};
    struct ask_answer answer;
    struct certs_failure why;
    uint64_t serial = 0;
    enum q_err err = ask_arbiter(&wish, &answer, &why);

    if (err == Q_ERR_INVALID) {
        check_find(check, CHECK_PROBLEM, "daemon",
                   "what answers on port %u does not show a certificate of this authority. %s Start corosync-qnetd with these "
                   "certificates, or name its port with --port.",
                   port, why.text);
        return;
    }
    if (err != Q_OK)
        return; /* a packaged one, or busy: it says nothing about itself */
    (void)ASN1_INTEGER_get_uint64(&serial, X509_get0_serialNumber(identity->cert));
    ERR_clear_error();
    if (serial == answer.serial)
        check_find(check, CHECK_GOOD, "daemon", "it speaks %s, and shows the certificate above.", answer.tls_version);
    else
        check_find(check, CHECK_WARNING, "daemon",
                   "it shows another certificate than the one above. It takes new ones within seconds; if this stays so, it was "
                   "started with others (options -S): its log says which.");
}

static void check_listening(struct check *check, const struct certs_identity *identity, uint16_t port)
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
    check_shown(check, identity, port);
}

/* Whether the system keeps the clock by a time service; nodes go by this arbiter's. */
static void check_clock_kept(struct check *check)
{
    struct timex status = {.modes = 0};

    if (adjtimex(&status) == TIME_ERROR)
        check_find(check, CHECK_WARNING, "clock",
                   "no time service keeps this machine's clock: certificates come to be valid, and end, by it. Install one "
                   "(chrony, systemd-timesyncd) here and on the nodes.");
    else
        check_find(check, CHECK_GOOD, "clock", "it is kept by a time service.");
}

/* --- All --------------------------------------------------------------------------------------------- */

static void check_server(struct check *check, const struct certs_identity *identity)
{
    struct certs_failure why;

    for (int i = 0; i < sk_X509_num(identity->authorities); i++)
        check_dates(check, "authority", sk_X509_value(identity->authorities, i));
    if (identity->cert == NULL) {
        check_find(check, CHECK_PROBLEM, "certificate",
                   "the arbiter has no certificate of its own. Run -i: it completes what is missing.");
        return;
    }
    check_dates(check, "certificate", identity->cert);
    if (chain_check_server(identity, &why) == Q_OK)
        check_find(check, CHECK_GOOD, "certificate",
                   "devices that trust the authority above will accept it.");
    else
        check_find(check, CHECK_PROBLEM, "certificate", "%s", why.text);
}

static void check_open(struct check *check, const struct certs_place *place, const struct certs_authority *authority,
                       uint16_t port)
{
    static const char *const secrets[] = {"key4.db", "key3.db", CERTS_PEM_SERVER, CERTS_PEM_AUTHORITY_KEY,
                                          NULL};
    const struct certs_identity identity = {.cert = certs_authority_server(authority),
                                            .intermediates = certs_authority_intermediates(authority),
                                            .authorities = certs_authority_trusted(authority)};

    check_find(check, CHECK_GOOD, "files", "certificates in %s can be read.", place->dir);
    check_permissions(check, place->dir, secrets);
    check_daemon_reads(check, place);
    check_server(check, &identity);
    check_issued(check, authority);
    roll_check(check, authority, place);
    check_revoked(check, place);
    check_clock_kept(check);
    if (identity.cert != NULL)
        check_listening(check, &identity, port);
}

void check_arbiter(struct check *check, const struct certs_place *place, uint16_t port)
{
    struct certs_authority *authority;
    struct certs_failure why;

    if (certs_authority_open(place, CERTS_READ, &authority, &why) != Q_OK) {
        check_find(check, CHECK_PROBLEM, "files", "%s", why.text);
        return;
    }
    check_open(check, place, authority, port);
    certs_authority_close(authority);
}
