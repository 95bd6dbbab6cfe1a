/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether a node can take part in the vote, as far as certificates and the way to the arbiter are concerned. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/x509/chain.h"
#include "certs/tools/check.h"
#include "certs/tools/check_verdict.h"
#include "certs/store/folder.h"
#include "certs/logic/conf_value.h"
#include "certs/store/node_store.h"
#include "certs/tools/probe.h"
#include "common/options.h"
#include "common/tls/expiry.h"

#define PORT_DEFAULT 5403

/* What the checks go by. */
struct facts {
    char cluster_name[CONF_VALUE_SIZE]; /* "": not known */
    char host[CONF_VALUE_SIZE];
    uint16_t port;
};

/* --- The configuration ------------------------------------------------------------------------------- */

static void find_port(struct check *check, const char *text, size_t size, struct facts *facts)
{
    char value[CONF_VALUE_SIZE];
    uint64_t port;

    if (!conf_value(text, size, "quorum.device.net.port", value))
        return;
    if (option_parse_number(value, 1, 65535, &port))
        facts->port = (uint16_t)port;
    else
        check_find(check, CHECK_PROBLEM, "configuration",
                   "quorum.device.net.port is \"%s\": say a number from 1 to 65535.", value);
}

static void read_configuration(struct check *check, const struct check_node_wish *wish, struct facts *facts)
{
    struct certs_failure why;
    char value[CONF_VALUE_SIZE];
    char *text = NULL;
    size_t size = 0;

    if (certs_file_read(wish->conf_path, &text, &size, &why) != Q_OK) {
        check_find(check, CHECK_WARNING, "configuration",
                   "%s cannot be read; cluster and arbiter are taken from the command line only.",
                   wish->conf_path);
        return;
    }
    (void)conf_value(text, size, "totem.cluster_name", facts->cluster_name);
    if (conf_value(text, size, "quorum.device.net.host", facts->host))
        find_port(check, text, size, facts);
    else
        check_find(
            check, wish->host != NULL ? CHECK_WARNING : CHECK_PROBLEM, "configuration",
            "%s has no quorum.device.net.host: without it the device has no arbiter. Add the device section.",
            wish->conf_path);
    if (conf_value(text, size, "quorum.device.net.tls", value) && strcmp(value, "off") == 0)
        check_find(check, CHECK_WARNING, "configuration",
                   "quorum.device.net.tls is off: certificates are not used, and anybody can pose as this "
                   "cluster. Say on or required.");
    free(text);
}

static void gather(struct check *check, const struct check_node_wish *wish, struct facts *facts)
{
    *facts = (struct facts){.port = PORT_DEFAULT};
    read_configuration(check, wish, facts);
    if (wish->cluster_name != NULL)
        snprintf(facts->cluster_name, sizeof(facts->cluster_name), "%s", wish->cluster_name);
    if (wish->host != NULL)
        snprintf(facts->host, sizeof(facts->host), "%s", wish->host);
    if (wish->port != 0)
        facts->port = wish->port;
}

/* --- The certificates -------------------------------------------------------------------------------- */

static void check_names(struct check *check, X509 *cert, const struct facts *facts)
{
    struct certs_failure why;

    if (facts->cluster_name[0] == '\0')
        check_find(check, CHECK_WARNING, "name",
                   "the cluster's name is not known: totem.cluster_name is not set, and there is no -n.");
    else if (chain_check_name(cert, facts->cluster_name, &why) != Q_OK)
        check_find(check, CHECK_PROBLEM, "name", "%s", why.text);
    else
        check_find(check, CHECK_GOOD, "name", "the certificate is for the cluster \"%s\".",
                   facts->cluster_name);
}

/* Whether it is worth asking the arbiter. */
static bool check_identity(struct check *check, const struct certs_identity *identity,
                           const struct facts *facts)
{
    struct certs_failure why;
    enum q_err err;

    if (sk_X509_num(identity->authorities) < 1) {
        check_find(check, CHECK_PROBLEM, "authority",
                   "no authority is trusted. Run -i -c with the arbiter's qnetd-cacert.crt, or --join.");
        return false;
    }
    for (int i = 0; i < sk_X509_num(identity->authorities); i++)
        check_dates(check, "authority", sk_X509_value(identity->authorities, i));
    if (identity->cert == NULL || identity->key == NULL) {
        check_find(check, CHECK_PROBLEM, "certificate",
                   "there is no certificate with its key. Have one made with --join, or with -r on one node, "
                   "-s on the arbiter, -M and -m.");
        return false;
    }
    check_dates(check, "certificate", identity->cert);
    err = chain_check_client(identity, &why);
    if (err == Q_OK)
        check_find(check, CHECK_GOOD, "certificate",
                   "it is from the authority above, for clients, and its key is here.");
    else if (err != Q_ERR_EXPIRED)
        check_find(check, CHECK_PROBLEM, "certificate", "%s", why.text);
    check_names(check, identity->cert, facts);
    return true;
}

/* --- The arbiter ------------------------------------------------------------------------------------- */

/* The way of a device, up to its last step. False: there is nobody to ask further. */
static bool go_the_way(struct check *check, const struct certs_place *place, const struct facts *facts, bool *let_in)
{
    static const char *const what[] = {[PROBE_CONNECT] = "address",
                                       [PROBE_GREETING] = "port",
                                       [PROBE_HANDSHAKE] = "TLS",
                                       [PROBE_ACCEPTED] = "acceptance"};
    const struct probe_wish wish = {
        .place = place, .cluster_name = facts->cluster_name, .host = facts->host, .port = facts->port};
    struct probe_result result;
    char expiry[EXPIRY_TEXT_SIZE];
    struct certs_failure why;

    *let_in = probe_arbiter(&wish, &result, &why) == Q_OK;
    if (!*let_in)
        check_find(check, CHECK_PROBLEM, what[result.step], "%s", why.text);
    if (result.step <= PROBE_HANDSHAKE)
        return result.step == PROBE_HANDSHAKE;
    check_find(check, CHECK_GOOD, "arbiter",
               "%s, port %u, speaks %s and shows a certificate that this node trusts.", facts->host,
               facts->port, result.tls_version);
    if (expiry_check(0, result.arbiter_not_after, (time_t)check->now) != EXPIRY_VALID) {
        expiry_text(0, result.arbiter_not_after, (time_t)check->now, expiry, sizeof(expiry));
        check_find(check, CHECK_WARNING, "arbiter", "its certificate %s: have it renewed.", expiry);
    }
    return true;
}

static void check_the_arbiter(struct check *check, const struct certs_place *place, const struct certs_identity *identity,
                              const struct facts *facts)
{
    struct check_verdict_wish wish = {
        .identity = identity, .cluster_name = facts->cluster_name, .host = facts->host, .port = facts->port};

    if (facts->host[0] == '\0' || facts->cluster_name[0] == '\0')
        check_find(check, CHECK_WARNING, "arbiter",
                   "was not asked: name it with --host, and the cluster with -n.");
    else if (go_the_way(check, place, facts, &wish.let_in))
        check_verdict(check, &wish);
}

/* --- All --------------------------------------------------------------------------------------------- */

void check_node(struct check *check, const struct certs_place *place, const struct check_node_wish *wish)
{
    static const char *const secrets[] = {
        "key4.db", "key3.db", CERTS_PEM_NODE, CERTS_PEM_PENDING_KEY, "qdevice-net-node.p12", NULL};
    struct certs_identity identity;
    struct certs_failure why;
    struct facts facts;
    enum q_err err;

    gather(check, wish, &facts);
    err = certs_node_load(place, &identity, &why);
    if (err != Q_OK) {
        check_find(check, CHECK_PROBLEM, "files", "%s", why.text);
        return;
    }
    check_find(check, CHECK_GOOD, "files", "certificates in %s can be read.", place->dir);
    check_permissions(check, place->dir, secrets);
    if (check_identity(check, &identity, &facts))
        check_the_arbiter(check, place, &identity, &facts);
    certs_identity_fini(&identity);
}
