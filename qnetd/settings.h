/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the arbiter's administrator can set: the command line and the advanced settings of -S
 * (spec/tools.md sections 6 and 7, and those of ours, described in corosync-qnetd(8)). Filled once by main,
 * constant afterwards.
 */
#ifndef QUORATE_QNETD_SETTINGS_H
#define QUORATE_QNETD_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/daemon_options.h"
#include "common/err.h"
#include "qnetd/logic/arbiter.h"

enum settings_family { SETTINGS_FAMILY_ANY = 0, SETTINGS_FAMILY_IPV4 = '4', SETTINGS_FAMILY_IPV6 = '6' };

struct settings {
    struct daemon_options daemon; /* what the device takes alike */

    /* Command line. */
    int family;                /* enum settings_family */
    char *listen_address;      /* -l; NULL: all */
    uint64_t listen_port;      /* -p */
    int tls;                     /* -s: enum wire_tls_supported */
    bool client_cert_required;   /* -c */
    uint64_t clients_max;        /* -m */

    /* -S, packaged names. */
    uint64_t listen_backlog;
    uint64_t max_client_send_buffers;
    uint64_t max_client_send_size;
    uint64_t max_client_receive_size;
    char *nss_db_dir;
    char *cert_nickname;
    uint64_t heartbeat_interval_min; /* ms */
    uint64_t heartbeat_interval_max; /* ms */
    bool dpd_enabled;
    uint64_t dpd_coefficient_permille;
    bool keep_active_partition;

    /* -S, ours. */
    char *state_dir;
    int vote_lease;        /* enum settings_vote_lease */
    uint64_t lease_margin; /* ms */
    uint64_t init_timeout; /* ms */
    uint64_t max_nodes_per_cluster;
    uint64_t max_handshakes; /* TLS handshakes under way at once */
    char *tls_cert_file;     /* PEM; NULL: the NSS database is used */
    char *tls_key_file;
    char *tls_ca_file;
    char *nss_pwd_file;
    bool enrolment;      /* nodes may enrol with a code */
    char *enrol_program; /* that serves them */
};

enum settings_vote_lease { SETTINGS_LEASE_STRICT, SETTINGS_LEASE_PACKAGED };

/*
 * Parses the command line into defaults. Q_ERR_INVALID, Q_ERR_NO_MEMORY: err_text says what is wrong. With Q_OK a
 * warning may be left in err_text ("" otherwise). settings_fini is needed in any case.
 */
enum q_err settings_parse(struct settings *settings, int argc, char **argv, char *err_text, size_t size);
void settings_fini(struct settings *settings);

/* The part that the logic decides by. */
void settings_for_arbiter(const struct settings *settings, struct arbiter_settings *out);

/* Usage lines for -h. */
const char *settings_usage(void);

#endif
