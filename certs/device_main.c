/* SPDX-License-Identifier: BSD-3-Clause */
/* corosync-qdevice-net-certutil: a node's certificates. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "certs/decode.h"
#include "certs/encode.h"
#include "certs/folder.h"
#include "certs/issue.h"
#include "certs/node_store.h"
#include "certs/quick_start.h"
#include "certs/tool.h"

#define REQUEST_FILE "qdevice-net-node.crq"
#define PKCS12_FILE "qdevice-net-node.p12"

enum { OPTION_PEM = 1000 };

struct call {
    int operation; /* the letter; 0: none */
    const char *file;
    const char *name;
    bool pem;
    struct quick_start quick;
};

static void usage(const char *program)
{
    printf("Usage: %s [-i|-m|-M|-r|-Q] [-c certificate] [-n cluster_name] [-S ssh] [-C scp] [--pem]\n"
           "\n"
           "  -i -c FILE          begin: trust the arbiter whose qnetd-cacert.crt is in FILE\n"
           "  -r -n NAME          make a key, and a request for a certificate of the cluster NAME\n"
           "  -M -c FILE          take the certificate in FILE, signed by the arbiter, and pack it for the "
           "other nodes\n"
           "  -m -c FILE          take what another node has packed with -M\n"
           "  -Q -n NAME QNETD NODE...  all of that on all hosts, as root by ssh and scp\n"
           "     -S COMMAND, -C COMMAND  instead of ssh and scp, options included\n"
           "  --pem               with PEM files in " CERTS_NODE_PEM " instead of the database\n"
           "  -h, --help          this text\n"
           "\n"
           "The database is " CERTS_NODE_NSS ". See corosync-qdevice-net-certutil(8).\n",
           program);
}

static void choose_place(const struct call *call, struct certs_place *place)
{
    certs_place_choose(call->pem, CERTS_NODE_NSS, CERTS_NODE_PEM, place);
}

/* --- -i -------------------------------------------------------------------------------------------- */

static int initialize(const struct call *call)
{
    struct certs_place place = {.form = call->pem ? CERTS_PEM : CERTS_NSS,
                                .dir = call->pem ? CERTS_NODE_PEM : CERTS_NODE_NSS};
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

/* --- Command line ---------------------------------------------------------------------------------- */

static bool parse(struct call *call, int argc, char **argv, int *status)
{
    static const struct option longs[] = {
        {"help", no_argument, NULL, 'h'},
        {"pem", no_argument, NULL, OPTION_PEM},
        {NULL, 0, NULL, 0},
    };
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, ":himMrQc:n:S:C:", longs, NULL)) != -1) {
        switch (option) {
        case 'h':
        case 'i':
        case 'm':
        case 'M':
        case 'r':
        case 'Q':
            call->operation = option;
            break;
        case 'c':
            call->file = optarg;
            break;
        case 'n':
            call->name = optarg;
            break;
        case 'S':
            call->quick.ssh = optarg;
            break;
        case 'C':
            call->quick.scp = optarg;
            break;
        case OPTION_PEM:
            call->pem = true;
            break;
        default:
            *status = tool_bad_option(option, optopt, argv[optind - 1]);
            return false;
        }
    }
    call->quick.hosts = argv + optind;
    call->quick.host_count = argc - optind;
    if (call->operation != 'Q' && optind < argc) {
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
    switch (call.operation) {
    case 'i':
        return initialize(&call);
    case 'r':
        return request(&call);
    case 'M':
        return accept_certificate(&call);
    case 'm':
        return import_packed(&call);
    case 'Q':
        if (!tool_check_name(call.name))
            return TOOL_ARGUMENT;
        call.quick.program = argv[0];
        call.quick.cluster_name = call.name;
        return quick_start_run(&call.quick);
    default:
        usage(argv[0]);
        /* The quick start of the packaged script runs it without anything to see whether it is there. */
        return call.operation == 'h' || argc == 1 ? TOOL_OK : TOOL_FAILED;
    }
}
