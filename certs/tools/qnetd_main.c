/* SPDX-License-Identifier: BSD-3-Clause */
/* corosync-qnetd-certutil: the arbiter's certificates. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>

#include "certs/store/authority.h"
#include "certs/tools/check.h"
#include "certs/tools/common_options.h"
#include "certs/x509/decode.h"
#include "certs/enrol/invitation_dir.h"
#include "certs/enrol/invite.h"
#include "certs/enrol/revoked.h"
#include "certs/x509/identity.h"
#include "certs/store/issued.h"
#include "certs/tools/listing.h"
#include "certs/logic/name.h"
#include "certs/store/roll_over.h"
#include "certs/tools/roll_tool.h"
#include "certs/tools/tool.h"
#include "certs/tools/transfer.h"

#define PORT_DEFAULT 5403
#define SERVER_NAMES_MAX 16
#define SERVER_NAME_SIZE 300

enum {
    OPTION_DAYS = COMMON_END,
    OPTION_SERVER_NAME,
    OPTION_INVITE,
    OPTION_NODE,
    OPTION_EXPIRES,
    OPTION_IDENTITY,
    OPTION_ANOTHER,
    OPTION_REVOKE,
    OPTION_RENEW,
    OPTION_ROLL_OVER,
    OPTION_FORCE
};

struct call {
    struct common_options common;
    const char *file;
    const char *name;
    int64_t lifetime_s;
    char server_names[SERVER_NAMES_MAX][SERVER_NAME_SIZE];
    const char *alternatives[SERVER_NAMES_MAX + 1];
    size_t alternative_count;
    const char *nodes[INVITE_NODES_MAX];
    size_t node_count;
    int64_t valid_s; /* an invitation */
    const char *identity;
    bool another;
    const char *step; /* of --roll-over */
    bool force;
};

static void usage(const char *program)
{
    printf("Usage: %s [-i|-s] [-c certificate] [-G] [-n cluster_name] [--pem]\n"
           "\n"
           "  -i                  make the certificates of this arbiter: its authority and its own\n"
           "     --server-name NAME  a host name or address of the arbiter, for other TLS clients; may be "
           "repeated\n"
           "  -s -c FILE -n NAME  sign the request in FILE for the cluster NAME\n"
           "     --days N            valid for so many days (with -i too)\n"
           "  --invite CLUSTER    make a code with which a node joins the cluster, see "
           "corosync-qdevice-net-certutil --join\n"
           "     --node NAME         for this node; may be repeated, each gets a code of its own\n"
           "     --expires TIME      90s, 30m, 2h, 7d; default 1h\n"
           "     --another           another cluster of a name that there is already\n"
           "     --identity ID       of several of that name this one (see --list); the first digits are enough, but for one that this "
           "arbiter has lost\n"
           "  --revoke CLUSTER    no longer accept the cluster's certificates, and withdraw its codes\n"
           "     --node NAME         only those of this node\n"
           "     --identity ID       of several clusters of that name this one; or none, or all\n"
           "  --renew             a new certificate and key of the arbiter itself\n"
           "     --server-name NAME, --days N  as with -i; default: the names that it has\n"
           "  --roll-over STEP    another authority, while the present one is still accepted; STEP is begin, then change, "
           "then finish;\n"
           "                      status says which nodes are ready for the next; cancel, before change, goes back\n"
           "     --force             the step, whoever is locked out by it\n"
           "  --check             look for what is wrong, and say what to do\n"
           "     --port PORT         of the daemon; default 5403\n"
           "  --list              the certificates there are, and until when they are valid\n"
           "     --format=json       for programs\n"
           "  --import --cert FILE --key FILE --ca FILE  use a certificate from someone else's authority\n"
           "  --convert pem|nss   have the certificates in the other form too\n"
           "  --pem               with PEM files in " CERTS_ARBITER_PEM " instead of the database\n"
           "  -G                  accepted for compatibility: nothing is ever group writable\n"
           "  -h, --help          this text\n"
           "\n"
           "The database is " CERTS_ARBITER_NSS ". See corosync-qnetd-certutil(8).\n",
           program);
}

/* --- -i -------------------------------------------------------------------------------------------- */

static bool add_server_name(struct call *call, const char *name)
{
    char *to = call->server_names[call->alternative_count];
    unsigned char address[16];
    bool ip = inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;

    if (call->alternative_count == SERVER_NAMES_MAX || strlen(name) > SERVER_NAME_SIZE - 5 ||
        name[0] == '\0' ||
        (!ip &&
         strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") != strlen(name)))
        return false;
    snprintf(to, SERVER_NAME_SIZE, "%s%s", ip ? "IP:" : "DNS:", name);
    call->alternatives[call->alternative_count++] = to;
    return true;
}

/* Unless told others: what this host calls itself. */
static void add_host_name(struct call *call)
{
    char name[256] = "";

    if (call->alternative_count == 0 && gethostname(name, sizeof(name) - 1) == 0 &&
        strcmp(name, "localhost") != 0)
        (void)add_server_name(call, name);
}

/* By what nodes know the arbiter now; NULL: nothing. */
static X509 *authority_of(const struct certs_place *place)
{
    struct certs_authority *authority;
    struct certs_failure ignored;
    X509 *cert = NULL;

    if (certs_authority_open(place, CERTS_READ, &authority, &ignored) != Q_OK)
        return NULL;
    cert = certs_authority_shown(authority);
    X509_up_ref(cert);
    certs_authority_close(authority);
    return cert;
}

/* Codes name the authority that they were made with: of another one they would be good for nobody but a thief. */
static enum q_err withdraw_codes_of(const X509 *before, const struct certs_place *place, struct certs_failure *why)
{
    X509 *after = authority_of(place);
    bool same = before != NULL && after != NULL && certs_same(before, after);
    size_t count;

    X509_free(after);
    return same ? Q_OK : invite_withdraw(NULL, &count, why);
}

static int initialize(struct call *call)
{
    struct certs_place place = {.form = call->common.pem ? CERTS_PEM : CERTS_NSS,
                                .dir = call->common.pem ? CERTS_ARBITER_PEM : CERTS_ARBITER_NSS};
    struct certs_authority_wish wish = {.lifetime_s = call->lifetime_s, .now = time(NULL)};
    struct certs_failure why;
    X509 *before = authority_of(&place);
    enum q_err err;

    add_host_name(call);
    wish.alternatives = call->alternatives;
    err = certs_authority_create(&place, &wish, tool_say, &why);
    if (err == Q_OK)
        err = withdraw_codes_of(before, &place, &why);
    X509_free(before);
    if (err != Q_OK)
        return tool_fail(&why, TOOL_FAILED);
    printf("QNetd CA certificate is exported as %s/%s\n", place.dir,
           call->common.pem ? CERTS_PEM_AUTHORITY : CERTS_EXPORTED_AUTHORITY);
    return TOOL_OK;
}

/* --- -s -------------------------------------------------------------------------------------------- */

/* The newest certificate that the whole cluster had before, if it was for another key. */
struct predecessor {
    const char *cluster;
    EVP_PKEY *key;
    X509 *cert; /* owned */
};

static void look_for_predecessor(void *context, X509 *cert)
{
    struct predecessor *before = context;
    char name[CERTS_CLUSTER_NAME_LENGTH_MAX + 2];

    issued_common_name(cert, name, sizeof(name));
    if (strcmp(name, before->cluster) != 0 ||
        X509_NAME_get_index_by_NID(X509_get_subject_name(cert), NID_organizationalUnitName, -1) >= 0)
        return;
    X509_free(before->cert);
    before->cert = NULL;
    if (EVP_PKEY_eq(X509_get0_pubkey(cert), before->key) != 1 && X509_up_ref(cert) == 1)
        before->cert = cert;
}

/*
 * The file for the cluster is about to be replaced: of the former certificate, which stays good, a copy stays on record, also if the packaged
 * script made it. It may have been another cluster's of the same name, which nobody can see here.
 */
static enum q_err keep_predecessor(struct certs_authority *authority, const char *cluster, EVP_PKEY *key,
                                   struct certs_failure *why)
{
    struct predecessor before = {.cluster = cluster, .key = key};
    size_t unreadable;
    enum q_err err = certs_authority_each_issued(authority, look_for_predecessor, &before, &unreadable, why);
    bool kept;

    if (err != Q_OK || before.cert == NULL)
        return err;
    /* A number that nobody here has given out has no place in the record: no reason not to sign. */
    kept = certs_authority_record(authority, before.cert, why) == Q_OK;
    fprintf(stderr,
            "Note: the cluster \"%s\" had a certificate for another key. It %s, and good until it is revoked. If this is "
            "another cluster of the same name, the arbiter cannot tell their nodes apart: give one of them another name "
            "(totem.cluster_name), or have its nodes join with codes of --invite --another.\n",
            cluster, kept ? "stays on record" : "cannot be kept on record");
    X509_free(before.cert);
    return Q_OK;
}

static int sign_key(const struct call *call, EVP_PKEY *key)
{
    struct certs_client_order order = {
        .cluster_name = call->name, .public_key = key, .now = time(NULL), .lifetime_s = call->lifetime_s};
    struct certs_authority *authority;
    struct certs_failure why;
    struct certs_place place;
    X509 *cert = NULL;
    char *path = NULL;
    enum q_err err;

    certs_place_choose(call->common.pem, CERTS_ARBITER_NSS, CERTS_ARBITER_PEM, &place);
    if (certs_authority_open(&place, CERTS_CHANGE, &authority, &why) != Q_OK)
        return tool_fail(&why, TOOL_FAILED);
    tool_say("Signing cluster certificate");
    err = keep_predecessor(authority, call->name, key, &why);
    if (err == Q_OK)
        err = certs_authority_issue(authority, &order, &cert, &why);
    if (err == Q_OK)
        err = certs_authority_export(authority, call->name, cert, &path, &why);
    if (err == Q_OK && roll_over_stage(authority) == ROLL_BEGUN)
        fputs("Note: the authority is being changed, and this certificate is of the new one. A node has to trust both before -M takes "
              "it: its -i takes both from the arbiter's file, for one that was set up before see corosync-qnetd-certutil(8), "
              "--roll-over.\n",
              stderr);
    if (err == Q_OK)
        tool_stored("Certificate", path);
    free(path);
    X509_free(cert);
    certs_authority_close(authority);
    return err == Q_OK ? TOOL_OK : tool_fail(&why, TOOL_FAILED);
}

static int sign_request(const struct call *call)
{
    struct certs_failure why;
    X509_REQ *request = NULL;
    EVP_PKEY *key = NULL;
    enum q_err err;
    char *bytes;
    size_t size;
    int status;

    if (!tool_read_file(call->file, &bytes, &size) || !tool_check_name(call->name)) {
        free(bytes);
        return TOOL_ARGUMENT;
    }
    err = certs_decode_request(call->file, bytes, size, &request, &why);
    if (err == Q_OK)
        err = certs_request_key(request, &key, &why);
    status = err == Q_OK ? sign_key(call, key) : tool_fail(&why, TOOL_CONTENT);
    EVP_PKEY_free(key);
    X509_REQ_free(request);
    free(bytes);
    return status;
}

/* --- --invite -------------------------------------------------------------------------------------- */

static bool add_node(struct call *call, const char *name)
{
    const char *fault = certs_node_name_fault(name);

    if (fault != NULL)
        return tool_fail_text(0, "The node name %s.", fault) != 0;
    if (call->node_count == INVITE_NODES_MAX)
        return tool_fail_text(0, "No more than %d nodes can be invited at once.", INVITE_NODES_MAX) != 0;
    call->nodes[call->node_count++] = name;
    return true;
}

static bool set_expiry(struct call *call, const char *text)
{
    if (invite_parse_time(text, &call->valid_s) == Q_OK)
        return true;
    return tool_fail_text(0, "\"%s\" is no time from 1s to 30d (say 90s, 30m, 2h or 7d)", text) != 0;
}

/* As --list shows it, or how it begins; --revoke also takes "none" and "all". */
static bool check_identity(const char *text)
{
    if (strcmp(text, IDENTITY_NONE) == 0 || strcmp(text, IDENTITY_ALL) == 0 ||
        (strlen(text) >= 4 && strspn(text, "0123456789abcdef-") == strlen(text)))
        return true;
    return tool_fail_text(0, "\"%s\" is no identity: say at least four of its digits, as --list shows them.", text) != 0;
}

static int invite(const struct call *call)
{
    struct invite_wish wish = {.cluster = call->name,
                               .nodes = call->nodes,
                               .node_count = call->node_count,
                               .identity = call->identity,
                               .another = call->another,
                               .now_s = time(NULL),
                               .valid_s = call->valid_s != 0 ? call->valid_s : INVITE_VALID_DEFAULT_S};
    struct certs_failure why;
    struct certs_place place;

    if (!tool_check_name(call->name))
        return TOOL_ARGUMENT;
    if (call->another && call->identity != NULL)
        return tool_fail_text(TOOL_ARGUMENT, "--another makes a cluster, --identity names one that there is: say one of them.");
    certs_place_choose(call->common.pem, CERTS_ARBITER_NSS, CERTS_ARBITER_PEM, &place);
    wish.place = &place;
    return invite_nodes(&wish, &why) == Q_OK ? TOOL_OK : tool_fail(&why, TOOL_FAILED);
}

/* --- Whole stores ------------------------------------------------------------------------------------ */

static int import_foreign(const struct call *call)
{
    struct certs_identity identity;
    struct certs_failure why;
    struct certs_place place;
    int status = transfer_read(&call->common.files, &identity);

    if (status != TOOL_OK)
        return status;
    certs_place_choose(call->common.pem, CERTS_ARBITER_NSS, CERTS_ARBITER_PEM, &place);
    if (certs_authority_import(&place, &identity, &why) != Q_OK)
        status = tool_fail(&why, TOOL_FAILED);
    else
        printf("The arbiter has its certificate, in %s\n", place.dir);
    certs_identity_fini(&identity);
    return status;
}

static int convert(const struct call *call)
{
    struct certs_place from, to;
    struct certs_failure why;
    int status = transfer_places(call->common.form, CERTS_ARBITER_NSS, CERTS_ARBITER_PEM, &from, &to);

    if (status != TOOL_OK)
        return status;
    if (certs_authority_convert(&from, &to, &why) != Q_OK)
        return tool_fail(&why, TOOL_FAILED);
    transfer_done("corosync-qnetd", &from, &to);
    return TOOL_OK;
}

struct listed {
    struct listing *listing;
    const struct certs_authority *authority;
};

/* Certificates of authorities that the arbiter had before are on record too, but nobody accepts them any more. */
static void list_one(void *context, X509 *cert)
{
    struct listed *to = context;

    listing_add(to->listing, certs_authority_vouches(to->authority, cert) ? "cluster" : "dropped", cert);
}

/* What nodes that enrolled have got belongs into the list; whoever may not write sees what is recorded. */
static void settle(const struct certs_place *place)
{
    struct certs_authority *authority;
    struct certs_failure ignored;

    if (certs_authority_open(place, CERTS_CHANGE, &authority, &ignored) != Q_OK)
        return;
    (void)invite_settle(authority, time(NULL), &ignored);
    certs_authority_close(authority);
}

static void list_invitation(void *context, const struct invitation *invitation)
{
    struct listing *listing = context;

    /* Records of renewals have the same form; they are among the certificates. */
    if (invitation->created_s != invitation->expires_s)
        listing_add_invitation(listing, invitation);
}

/* Whoever may not read them sees certificates only. */
static void list_invitations(struct listing *listing)
{
    struct certs_failure ignored;
    struct invitation_dir dir;

    if (invitation_dir_open(&dir, INVITATION_DIR_DEFAULT, &ignored) == Q_OK)
        (void)invitation_dir_each(&dir, list_invitation, listing, &ignored);
    invitation_dir_close(&dir);
}

static int list(const struct call *call)
{
    struct certs_authority *authority;
    struct listing listing;
    struct listed to = {.listing = &listing};
    struct certs_failure why;
    struct certs_place place;
    struct revocations revoked;
    size_t unreadable = 0;
    enum q_err err;

    certs_place_choose(call->common.pem, CERTS_ARBITER_NSS, CERTS_ARBITER_PEM, &place);
    settle(&place);
    if (certs_authority_open(&place, CERTS_READ, &authority, &why) != Q_OK)
        return tool_fail(&why, TOOL_FAILED);
    err = revoked_read(place.dir, &revoked, &why);
    if (err != Q_OK) {
        certs_authority_close(authority);
        return tool_fail(&why, TOOL_FAILED);
    }
    listing_begin(&listing, call->common.json);
    listing.revoked = &revoked;
    listing.authorities = certs_authority_trusted(authority);
    listing_add(&listing, "authority", certs_authority_certificate(authority));
    listing_add(&listing, "former", roll_over_former(authority));
    listing_add(&listing, "arbiter", certs_authority_server(authority));
    to.authority = authority;
    err = certs_authority_each_issued(authority, list_one, &to, &unreadable, &why);
    certs_authority_close(authority);
    list_invitations(&listing);
    revocations_fini(&revoked);
    if (!listing_end(&listing))
        return TOOL_FAILED;
    if (unreadable > 0)
        fprintf(stderr, "%zu files in %s that should hold certificates cannot be read\n", unreadable,
                place.dir);
    return err == Q_OK ? TOOL_OK : tool_fail(&why, TOOL_FAILED);
}

/* --- --revoke -------------------------------------------------------------------------------------- */

static int revoke_all(const struct call *call)
{
    struct revoke_wish wish = {.cluster = call->name, .identity = call->identity, .now_s = time(NULL)};
    struct certs_failure why;
    struct certs_place place;
    size_t count;

    if (!tool_check_name(call->name))
        return TOOL_ARGUMENT;
    if (call->node_count > 1)
        return tool_fail_text(TOOL_ARGUMENT, "One node at a time can be revoked.");
    wish.node = call->node_count == 1 ? call->nodes[0] : NULL;
    certs_place_choose(call->common.pem, CERTS_ARBITER_NSS, CERTS_ARBITER_PEM, &place);
    wish.place = &place;
    if (revoke_certificates(&wish, &count, &why) != Q_OK)
        return tool_fail(&why, TOOL_FAILED);
    if (wish.node != NULL)
        printf("Revoked: %zu certificates of the node \"%s\" of the cluster \"%s\"\n", count, wish.node,
               wish.cluster);
    else
        printf("Revoked: all certificates of the cluster \"%s\" that there are so far (%zu on record)\n",
               wish.cluster, count);
    return TOOL_OK;
}

/* --- --renew and --roll-over ----------------------------------------------------------------------- */

static int roll_over(const struct call *call)
{
    struct certs_authority_wish wish = {.alternatives = call->alternative_count > 0 ? call->alternatives : NULL,
                                        .lifetime_s = call->lifetime_s,
                                        .now = time(NULL)};
    struct certs_place place;
    const struct roll_call roll = {.place = &place,
                                   .wish = &wish,
                                   .step = call->common.operation == OPTION_RENEW ? NULL : call->step,
                                   .force = call->force,
                                   .json = call->common.json};

    certs_place_choose(call->common.pem, CERTS_ARBITER_NSS, CERTS_ARBITER_PEM, &place);
    return roll_run(&roll);
}

static int run_checks(const struct call *call)
{
    struct certs_place place;
    struct check check;

    certs_place_choose(call->common.pem, CERTS_ARBITER_NSS, CERTS_ARBITER_PEM, &place);
    check_begin(&check, call->common.json);
    check_arbiter(&check, &place, (uint16_t)call->common.port);
    return check_end(&check);
}

/* --- Command line ---------------------------------------------------------------------------------- */

static bool take_days(void *call, const char *argument, int *status)
{
    (void)status;
    return tool_parse_days(argument, &((struct call *)call)->lifetime_s);
}

static bool take_server_name(void *call, const char *argument, int *status)
{
    if (add_server_name(call, argument))
        return true;
    *status = tool_fail_text(TOOL_ARGUMENT, "\"%s\" is no host name or address, or one too many", argument);
    return false;
}

static bool take_node(void *call, const char *argument, int *status)
{
    *status = TOOL_ARGUMENT;
    return add_node(call, argument);
}

static bool take_expiry(void *call, const char *argument, int *status)
{
    *status = TOOL_ARGUMENT;
    return set_expiry(call, argument);
}

static bool take_identity(void *call, const char *argument, int *status)
{
    (void)call;
    *status = TOOL_ARGUMENT;
    return check_identity(argument);
}

#define AT(member) offsetof(struct call, member)

static const struct program_option options[] = {
    {'i', .is_operation = true},
    {'s', .is_operation = true},
    {'G', .name = NULL}, /* nothing is ever group writable */
    {'c', .has_argument = true, .text = AT(file)},
    {'n', .has_argument = true, .text = AT(name)},
    {OPTION_DAYS, "days", .has_argument = true, .take = take_days},
    {OPTION_SERVER_NAME, "server-name", .has_argument = true, .take = take_server_name},
    {OPTION_INVITE, "invite", .has_argument = true, .is_operation = true, .text = AT(name)},
    {OPTION_REVOKE, "revoke", .has_argument = true, .is_operation = true, .text = AT(name)},
    {OPTION_NODE, "node", .has_argument = true, .take = take_node},
    {OPTION_EXPIRES, "expires", .has_argument = true, .take = take_expiry},
    {OPTION_IDENTITY, "identity", .has_argument = true, .text = AT(identity), .take = take_identity},
    {OPTION_ANOTHER, "another", .flag = AT(another)},
    {OPTION_RENEW, "renew", .is_operation = true},
    {OPTION_ROLL_OVER, "roll-over", .has_argument = true, .is_operation = true, .text = AT(step)},
    {OPTION_FORCE, "force", .flag = AT(force)},
};

static bool parse(struct call *call, int argc, char **argv, int *status)
{
    if (!tool_options_parse(&call->common, options, sizeof(options) / sizeof(options[0]), argc, argv, status))
        return false;
    *status = TOOL_FAILED;
    if (optind < argc)
        return tool_fail_text(0, "Unexpected argument: %s", argv[optind]) != 0;
    return true;
}

int main(int argc, char **argv)
{
    static struct call call = {.common = {.port = PORT_DEFAULT}};
    int status;

    tool_init();
    if (!parse(&call, argc, argv, &status))
        return status;
    switch (call.common.operation) {
    case 'i':
        return initialize(&call);
    case 's':
        return sign_request(&call);
    case OPTION_INVITE:
        return invite(&call);
    case OPTION_REVOKE:
        return revoke_all(&call);
    case OPTION_RENEW:
    case OPTION_ROLL_OVER:
        return roll_over(&call);
    case COMMON_IMPORT:
        return import_foreign(&call);
    case COMMON_CONVERT:
        return convert(&call);
    case COMMON_LIST:
        return list(&call);
    case COMMON_CHECK:
        return run_checks(&call);
    default:
        usage(argv[0]);
        /* Front ends run it without anything to see whether it is there; one that forgot the operation shall not "succeed". */
        return call.common.operation == 'h' || argc == 1 ? TOOL_OK : TOOL_FAILED;
    }
}
