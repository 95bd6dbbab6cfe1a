/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a configuration means: transport, nodes, links, timers, quorum, logging and process settings, checked and with
 * all defaults in place (spec/corosync-conf.md sections 4 to 8). Pure. Made from the keys of one reading of the files;
 * a reload makes a new one and hands both to config_change.h. It owns all its texts and does not look at the keys again.
 */
#ifndef QUORATE_CORE_CONFIG_CORE_CONFIG_H
#define QUORATE_CORE_CONFIG_CORE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "core/config/conf_facts.h"
#include "core/config/conf_map.h"
#include "core/config/conf_report.h"
#include "core/config/totem_config.h"

#define CORE_LINKS_MAX 8
#define CORE_NODES_MAX 384 /* as many as a message of the ring can name */
#define CORE_KEY_SIZE_MIN 128
#define CORE_KEY_SIZE_MAX 4096
#define CORE_PORT_DEFAULT 5405

enum core_transport { CORE_TRANSPORT_KNET, CORE_TRANSPORT_UDPU, CORE_TRANSPORT_UDP };
enum core_link_mode { CORE_LINK_PASSIVE, CORE_LINK_ACTIVE, CORE_LINK_RR };
/* Which addresses of a name may be used, and which of them first. */
enum core_ip_version { CORE_IPV4, CORE_IPV6, CORE_IPV4_6, CORE_IPV6_4 };

struct core_node {
    uint32_t position; /* N of nodelist.node.N */
    uint32_t id;
    bool id_is_generated; /* from its address: udp and udpu only */
    uint32_t key_count;   /* that its section has */
    const char *name;     /* NULL: none */
    uint32_t votes;
    const char *address_texts[CORE_LINKS_MAX]; /* ringL_addr as written; NULL: none */
    struct conf_address addresses[CORE_LINKS_MAX];
};

struct core_link {
    bool exists;
    struct conf_address local; /* family 0: this node is not on it */
    const char *local_text;    /* ringL_addr of this node, or bindnetaddr; NULL: none */
    size_t member_count;       /* nodes with an address on it */
    uint16_t port;
    struct conf_address multicast; /* udp */
    const char *multicast_text;    /* as it is told in cmap; NULL: none */
    bool is_broadcast;
    uint8_t ttl;
    bool is_sctp;
    uint8_t knet_priority;
    uint32_t knet_ping_interval_ms, knet_ping_timeout_ms, knet_ping_precision, knet_pong_count;
    bool knet_ping_interval_is_set, knet_ping_timeout_is_set;
};

struct core_quorum_device {
    bool is_configured; /* model is there and not empty */
    const char *model;
    bool votes_are_set;
    uint32_t votes, timeout_ms, sync_timeout_ms;
};

/* As written, with defaults; what follows from it is votequorum's business. */
struct core_quorum {
    const char *provider; /* NULL: no quorum service */
    bool expected_votes_are_set, wait_for_all_is_set;
    uint32_t expected_votes, votes, last_man_standing_window_ms;
    bool two_node, wait_for_all, last_man_standing, auto_tie_breaker, allow_downscale,
        expected_votes_tracking;
    const char *auto_tie_breaker_node; /* NULL: lowest */
    struct core_quorum_device device;
};

enum core_debug { CORE_DEBUG_OFF, CORE_DEBUG_ON, CORE_DEBUG_TRACE };

/* Of the whole daemon, or of one subsystem, which has taken over what it does not set itself. */
struct core_log_target {
    const char *subsystem; /* NULL: the daemon */
    bool to_stderr, to_syslog, to_logfile;
    const char *logfile; /* NULL: none */
    int syslog_facility; /* numbers of syslog(3), without the shift of facilities */
    int syslog_priority, logfile_priority;
    enum core_debug debug;
};

enum core_timestamp { CORE_TIMESTAMP_OFF, CORE_TIMESTAMP_ON, CORE_TIMESTAMP_HIRES };

struct core_logging {
    struct core_log_target *targets; /* [0]: the daemon */
    size_t target_count;
    enum core_timestamp timestamp;
    bool fileline, function_name, blackbox;
};

enum core_ipc_type { CORE_IPC_NATIVE, CORE_IPC_SHM, CORE_IPC_SOCKET };
enum core_cgroup { CORE_CGROUP_YES, CORE_CGROUP_NO, CORE_CGROUP_AUTO };

struct core_system {
    enum core_ipc_type ipc_type;
    bool sched_rr, allow_knet_handle_fallback;
    const char *priority; /* max, min or a number; NULL: left alone */
    enum core_cgroup move_to_root_cgroup;
    const char *state_dir;
};

struct core_config {
    enum core_transport transport;
    const char *cluster_name; /* NULL: none */
    uint64_t config_version;
    enum core_ip_version ip_version;
    const char *crypto_model, *crypto_cipher, *crypto_hash; /* never NULL; "none" */
    const char *key_file; /* to be read if crypto_hash is not none and key_text is NULL */
    const char
        *key_text; /* by totem.key: the key is its characters and its terminator, as in the packaged daemon */
    enum core_link_mode link_mode;
    uint32_t netmtu;
    struct totem_config totem;
    size_t token_node_count; /* what totem_config_read is to be given when keys change at run time */
    struct core_node *nodes; /* by their place in sorted keys: 0, 1, 10, 11, 2 */
    size_t node_count;
    size_t local_index; /* into nodes; SIZE_MAX: this host is not one of them */
    struct core_link links[CORE_LINKS_MAX];
    struct core_quorum quorum;
    struct core_logging logging;
    bool logging_is_valid; /* false only after core_config_read_again: keep what is in effect */
    struct core_system system;
    char **texts; /* all texts above */
    size_t text_count, text_capacity;
};

void core_config_init(struct core_config *config);
void core_config_fini(struct core_config *config);

/*
 * Reads the keys of files that were read without errors. Q_ERR_INVALID: errors have been added to the report.
 * Q_ERR_AGAIN: facts are wanted; begin anew with an empty config and what the report had before. Q_ERR_NO_MEMORY. The
 * config is to be ended in every case.
 */
enum q_err core_config_read(struct core_config *config, const struct conf_map *map, struct conf_facts *facts,
                            struct conf_report *report);

/*
 * The same at a reload: a fault of the logging settings is a warning, as nothing else depends on them, and the state
 * directory is not looked at, as it cannot change.
 */
enum q_err core_config_read_again(struct core_config *config, const struct conf_map *map,
                                  struct conf_facts *facts, struct conf_report *report);

/*
 * Only `logging`, of live keys that a client has changed. Q_ERR_INVALID: it is in the report why, keep what is in effect.
 * Q_ERR_NO_MEMORY.
 */
enum q_err core_config_read_logging(struct core_config *config, const struct cmap_store *keys,
                                    struct conf_report *report);

/*
 * Sets the keys that the daemon adds to those of its files: nodelist.local_node_pos, generated node ids, bindnetaddr and
 * the like, and runtime.config.totem.* (spec/corosync-conf.md section 3).
 */
enum cs_error core_config_publish(const struct core_config *config, struct cmap_store *keys,
                                  struct cmap_changes *changes);

const char *core_transport_name(enum core_transport transport);

#endif
