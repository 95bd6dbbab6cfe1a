/* SPDX-License-Identifier: BSD-3-Clause */
/* corosync-qdevice-net-certutil: a node's certificates. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certs/x509/chain.h"
#include "certs/tools/check.h"
#include "certs/tools/common_options.h"
#include "certs/x509/decode.h"
#include "certs/x509/encode.h"
#include "certs/enrol/join.h"
#include "certs/store/folder.h"
#include "certs/x509/issue.h"
#include "certs/logic/name.h"
#include "certs/tools/listing.h"
#include "certs/store/node_store.h"
#include "certs/tools/quick_start.h"
#include "certs/tools/tool.h"
#include "certs/tools/transfer.h"

#define REQUEST_FILE "qdevice-net-node.crq"
#define PKCS12_FILE "qdevice-net-node.p12"

enum { OPTION_JOIN = COMMON_END, OPTION_RENEW, OPTION_HOST, OPTION_NODE, OPTION_REPLACE };

struct call {
    struct common_options common;
    const char *file;
    const char *name;
    struct quick_start quick;
    const char *code;
    const char *host;
    const char *node;
    bool replace;
};

static void usage(const char *program)
{
    printf(
        "Usage: %s [-i|-m|-M|-r|-Q] [-c certificate] [-n cluster_name] [-S ssh] [-C scp] [--pem]\n"
        "\n"
        "  -i -c FILE          begin: trust the arbiter whose qnetd-cacert.crt is in FILE\n"
        "  -r -n NAME          make a key, and a request for a certificate of the cluster NAME\n"
        "  -M -c FILE          take the certificate in FILE, signed by the arbiter, and pack it for the "
        "other nodes\n"
        "  -m -c FILE          take what another node has packed with -M\n"
        "  -Q -n NAME QNETD NODE...  all of that on all hosts, as root by ssh and scp\n"
        "     -S COMMAND, -C COMMAND  instead of ssh and scp, options included\n"
        "  --join CODE --host ARBITER  get all that from the arbiter, with a code that "
        "corosync-qnetd-certutil --invite made there\n"
        "     --port PORT         default 5403\n"
        "     -n NAME             the cluster; default: of corosync.conf, or as the code says\n"
        "     --node NAME         what the node calls itself; default: its host name\n"
        "     --replace           also if the node has another arbiter's or cluster's certificates\n"
        "     (a CODE of - is read from standard input)\n"
        "  --renew --host ARBITER  get a new certificate and key in place of the present ones\n"
        "  --check             look for what is wrong, on the whole way to the arbiter, and say what to do\n"
        "     --host ARBITER, --port PORT, -n NAME  default: of corosync.conf\n"
        "  --list              the certificates there are, and until when they are valid\n"
        "     --format=json       for programs\n"
        "  --import -n NAME --cert FILE --key FILE --ca FILE  use a certificate from someone else's "
        "authority\n"
        "  --convert pem|nss   have the certificates in the other form too\n"
        "  --pem               with PEM files in " CERTS_NODE_PEM " instead of the database\n"
        "  -h, --help          this text\n"
        "\n"
        "The database is " CERTS_NODE_NSS ". See corosync-qdevice-net-certutil(8).\n",
        program);
}

static void choose_place(const struct call *call, struct certs_place *place)
{
    certs_place_choose(call->common.pem, CERTS_NODE_NSS, CERTS_NODE_PEM, place);
}

/* --- -i -------------------------------------------------------------------------------------------- */

static int initialize(const struct call *call)
{
    struct certs_place place = {.form = call->common.pem ? CERTS_PEM : CERTS_NSS,
                                .dir = call->common.pem ? CERTS_NODE_PEM : CERTS_NODE_NSS};
    STACK_OF(X509) *authorities = NULL;
    struct certs_failure why;
    int status = TOOL_OK;
    char *bytes;
    size_t size;

    if (!tool_read_file(call->file, &bytes, &size))
        return TOOL_ARGUMENT;
    if (certs_decode_certificates(call->file, bytes, size, &authorities, &why) != Q_OK)
        status = tool_fail(&why, TOOL_NOT_AUTHORITY);
    else if (certs_node_create(&place, authorities, tool_say, &why) != Q_OK)
        status = tool_fail(&why, TOOL_FAILED);
    sk_X509_pop_free(authorities, X509_free);
    free(bytes);
    return status;
}

/* --- -r -------------------------------------------------------------------------------------------- */

/* Writes bytes into the store's directory and says where; cleans them. */
static int store_file(const struct certs_place *place, const char *name, struct q_buf *bytes, mode_t mode,
                      const char *label, enum q_err err, struct certs_failure *why)
{
    char *path = NULL;

    if (err == Q_OK)
        err = certs_node_write(place, name, bytes, mode, &path, why);
    if (err == Q_OK)
        tool_stored(label, path);
    free(path);
    certs_buf_clean(bytes);
    return err == Q_OK ? TOOL_OK : tool_fail(why, TOOL_FAILED);
}

static int request(const struct call *call)
{
    X509_REQ *request = NULL;
    struct certs_failure why;
    struct certs_place place;
    EVP_PKEY *key = NULL;
    struct q_buf bytes;
    enum q_err err;
    int status;

    if (!tool_check_name(call->name))
        return TOOL_ARGUMENT;
    choose_place(call, &place);
    err = certs_key_new(&key, &why);
    if (err == Q_OK)
        err = certs_node_add_key(&place, key, &why);
    if (err == Q_OK) {
        tool_say("Creating new certificate request");
        err = certs_request_new(key, call->name, &request, &why);
    }
    q_buf_init(&bytes);
    if (err == Q_OK)
        err = certs_encode_request(request, place.form == CERTS_PEM, &bytes, &why);
    status = store_file(&place, REQUEST_FILE, &bytes, CERTS_MODE_SHARED, "Certificate request", err, &why);
    X509_REQ_free(request);
    EVP_PKEY_free(key);
    return status;
}

/* --- -M and -m -------------------------------------------------------------------------------------- */

/* In one file for all other nodes of the cluster, as the packaged flow has it. */
static int pack(const struct certs_place *place, const struct certs_identity *identity)
{
    struct certs_failure why;
    struct q_buf bytes;
    enum q_err err;

    q_buf_init(&bytes);
    err = certs_encode_pkcs12(identity, &bytes, &why);
    return store_file(place, PKCS12_FILE, &bytes, CERTS_MODE_SECRET, "Certificate", err, &why);
}

static int accept_certificate(const struct call *call)
{
    STACK_OF(X509) *certs = NULL;
    struct certs_identity identity;
    struct certs_failure why;
    struct certs_place place;
    X509 *own = NULL;
    char *bytes;
    size_t size;
    int status;
    enum q_err err;

    if (!tool_read_file(call->file, &bytes, &size))
        return TOOL_ARGUMENT;
    choose_place(call, &place);
    err = certs_decode_certificates(call->file, bytes, size, &certs, &why);
    free(bytes);
    if (err != Q_OK)
        return tool_fail(&why, TOOL_CONTENT);
    own = sk_X509_shift(certs);
    tool_say("Importing signed cluster certificate");
    err = certs_node_accept(&place, own, certs, &identity, &why);
    if (err == Q_OK) {
        status = pack(&place, &identity);
        certs_identity_fini(&identity);
    } else {
        status = tool_fail(&why, TOOL_FAILED);
    }
    sk_X509_pop_free(certs, X509_free);
    X509_free(own);
    return status;
}

static int import_packed(const struct call *call)
{
    struct certs_identity identity;
    struct certs_failure why;
    struct certs_place place;
    int status = TOOL_OK;
    enum q_err err;
    char *bytes;
    size_t size;

    if (!tool_read_file(call->file, &bytes, &size))
        return TOOL_ARGUMENT;
    choose_place(call, &place);
    err = certs_decode_pkcs12(call->file, bytes, size, &identity, &why);
    explicit_bzero(bytes, size);
    free(bytes);
    if (err != Q_OK)
        return tool_fail(&why, TOOL_NOT_PKCS12);
    if (!certs_place_exists(&place)) {
        status = tool_fail_text(TOOL_FAILED,
                                "Certificate database doesn't exists. Use corosync-qdevice-net-certutil -i "
                                "to create it (there is "
                                "none in %s).",
                                place.dir);
    } else {
        tool_say("Importing cluster certificate and key");
        if (certs_node_install(&place, &identity, CERTS_KEEP_AUTHORITIES, &why) != Q_OK)
            status = tool_fail(&why, TOOL_FAILED);
    }
    certs_identity_fini(&identity);
    return status;
}

/* --- --join and --renew ----------------------------------------------------------------------------- */

/* So that a code need not be among the arguments, which everybody on the host can see. */
static bool read_code(char text[256])
{
    if (isatty(STDIN_FILENO))
        fputs("Code: ", stderr);
    return fgets(text, 256, stdin) != NULL;
}

static const char *own_name(const struct call *call, char name[256])
{
    if (call->node != NULL)
        return call->node;
    if (gethostname(name, 255) != 0 || certs_node_name_fault(name) != NULL)
        return NULL;
    return name;
}

static int enrol(const struct call *call)
{
    char typed[256], host_name[256] = "", *configured, *cluster = NULL;
    bool joining = call->common.operation == OPTION_JOIN;
    struct join_wish wish = {.code = call->code,
                             .host = call->host,
                             .port = call->common.port != 0 ? (uint16_t)call->common.port : JOIN_PORT_DEFAULT,
                             .cluster = call->name,
                             .node = own_name(call, host_name),
                             .replace = call->replace};
    struct certs_failure why;
    struct certs_place place;
    enum q_err err;

    if (call->host == NULL)
        return tool_fail_text(TOOL_ARGUMENT, "Name the arbiter with --host.");
    if (call->name != NULL && !tool_check_name(call->name))
        return TOOL_ARGUMENT;
    if (call->node != NULL && certs_node_name_fault(call->node) != NULL)
        return tool_fail_text(TOOL_ARGUMENT, "The node name %s.", certs_node_name_fault(call->node));
    if (joining && strcmp(call->code, "-") == 0) {
        if (!read_code(typed))
            return tool_fail_text(TOOL_ARGUMENT, "There is no code on standard input.");
        wish.code = typed;
    }
    choose_place(call, &place);
    wish.place = &place;
    configured = join_configured_cluster(Q_CONFDIR "/corosync.conf");
    if (wish.cluster == NULL)
        wish.cluster = configured;
    err = joining ? join_cluster(&wish, &cluster, &why) : join_renew(&wish, &cluster, &why);
    explicit_bzero(typed, sizeof(typed));
    if (err == Q_OK)
        printf("This node has its certificate for cluster \"%s\", in %s\n", cluster, place.dir);
    free(cluster);
    free(configured);
    return err == Q_OK ? TOOL_OK : tool_fail(&why, err == Q_ERR_ACCESS ? TOOL_CONTENT : TOOL_FAILED);
}

/* --- Whole stores ------------------------------------------------------------------------------------ */

static int import_foreign(const struct call *call)
{
    struct certs_identity identity;
    struct certs_failure why;
    struct certs_place place;
    int status;

    if (!tool_check_name(call->name))
        return TOOL_ARGUMENT;
    status = transfer_read(&call->common.files, &identity);
    if (status != TOOL_OK)
        return status;
    choose_place(call, &place);
    if (chain_check_name(identity.cert, call->name, &why) != Q_OK)
        status = tool_fail(&why, TOOL_CONTENT);
    else if (certs_node_install(&place, &identity, CERTS_KEEP_AUTHORITIES, &why) != Q_OK)
        status = tool_fail(&why, TOOL_FAILED);
    else
        printf("This node has its certificate for cluster \"%s\", in %s\n", call->name, place.dir);
    certs_identity_fini(&identity);
    return status;
}

static enum q_err convert_to(const struct certs_place *to, const struct certs_identity *identity,
                             struct certs_failure *why)
{
    if (identity->cert != NULL && identity->key != NULL)
        return certs_node_install(to, identity, CERTS_KEEP_AUTHORITIES, why);
    return certs_node_create(to, identity->authorities, NULL, why);
}

static int convert(const struct call *call)
{
    struct certs_identity identity;
    struct certs_place from, to;
    struct certs_failure why;
    int status = transfer_places(call->common.form, CERTS_NODE_NSS, CERTS_NODE_PEM, &from, &to);
    enum q_err err;

    if (status != TOOL_OK)
        return status;
    err = certs_node_load(&from, &identity, &why);
    if (err == Q_OK)
        err = convert_to(&to, &identity, &why);
    certs_identity_fini(&identity);
    if (err != Q_OK)
        return tool_fail(&why, TOOL_FAILED);
    transfer_done("corosync-qdevice", &from, &to);
    return TOOL_OK;
}

static int list(const struct call *call)
{
    struct certs_identity identity;
    struct listing listing;
    struct certs_failure why;
    struct certs_place place;

    choose_place(call, &place);
    if (certs_node_load(&place, &identity, &why) != Q_OK)
        return tool_fail(&why, TOOL_FAILED);
    listing_begin(&listing, call->common.json);
    listing.authorities = identity.authorities;
    for (int i = 0; i < sk_X509_num(identity.authorities); i++)
        listing_add(&listing, "authority", sk_X509_value(identity.authorities, i));
    listing_add(&listing, "cluster", identity.cert);
    certs_identity_fini(&identity);
    return listing_end(&listing) ? TOOL_OK : TOOL_FAILED;
}

static int run_checks(const struct call *call)
{
    const struct check_node_wish wish = {.host = call->host,
                                         .port = (uint16_t)call->common.port,
                                         .cluster_name = call->name,
                                         .conf_path = Q_CONFDIR "/corosync.conf"};
    struct certs_place place;
    struct check check;

    choose_place(call, &place);
    check_begin(&check, call->common.json);
    check_node(&check, &place, &wish);
    return check_end(&check);
}

/* --- Command line ---------------------------------------------------------------------------------- */

#define AT(member) offsetof(struct call, member)

static const struct program_option options[] = {
    {'i', .is_operation = true},
    {'m', .is_operation = true},
    {'M', .is_operation = true},
    {'r', .is_operation = true},
    {'Q', .is_operation = true},
    {'c', .has_argument = true, .text = AT(file)},
    {'n', .has_argument = true, .text = AT(name)},
    {'S', .has_argument = true, .text = AT(quick.ssh)},
    {'C', .has_argument = true, .text = AT(quick.scp)},
    {OPTION_JOIN, "join", .has_argument = true, .is_operation = true, .text = AT(code)},
    {OPTION_RENEW, "renew", .is_operation = true},
    {OPTION_HOST, "host", .has_argument = true, .text = AT(host)},
    {OPTION_NODE, "node", .has_argument = true, .text = AT(node)},
    {OPTION_REPLACE, "replace", .flag = AT(replace)},
};

static bool parse(struct call *call, int argc, char **argv, int *status)
{
    if (!tool_options_parse(&call->common, options, sizeof(options) / sizeof(options[0]), argc, argv, status))
        return false;
    call->quick.hosts = argv + optind;
    call->quick.host_count = argc - optind;
    if (call->common.operation != 'Q' && optind < argc) {
        *status = tool_fail_text(TOOL_FAILED, "Unexpected argument: %s", argv[optind]);
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct call call = {.quick = {.ssh = "ssh", .scp = "scp"}};
    int status;

    tool_init();
    if (!parse(&call, argc, argv, &status))
        return status;
    switch (call.common.operation) {
    case 'i':
        return initialize(&call);
    case 'r':
        return request(&call);
    case 'M':
        return accept_certificate(&call);
    case 'm':
        return import_packed(&call);
    case OPTION_JOIN:
    case OPTION_RENEW:
        return enrol(&call);
    case COMMON_IMPORT:
        return import_foreign(&call);
    case COMMON_CONVERT:
        return convert(&call);
    case COMMON_LIST:
        return list(&call);
    case COMMON_CHECK:
        return run_checks(&call);
    case 'Q':
        if (!tool_check_name(call.name))
            return TOOL_ARGUMENT;
        call.quick.program = argv[0];
        call.quick.cluster_name = call.name;
        return quick_start_run(&call.quick);
    default:
        usage(argv[0]);
        /* The quick start of the packaged script runs it without anything to see whether it is there. */
        return call.common.operation == 'h' || argc == 1 ? TOOL_OK : TOOL_FAILED;
    }
}
