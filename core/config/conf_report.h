/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is wrong or odd in a configuration: findings, each with the packaged daemon's own sentence (people and scripts
 * look for it), where it was found, and what to do about it. Pure. Filled by the files of core/config; the daemon logs
 * it, `-t` prints it. Findings stand in the order in which the packaged daemon comes upon them, so that the first error
 * is the one that it reports, and its exit status ours.
 */
#ifndef QUORATE_CORE_CONFIG_CONF_REPORT_H
#define QUORATE_CORE_CONFIG_CONF_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONF_FINDINGS_MAX 100 /* more are only counted */
#define CONF_FINDING_TEXT_SIZE 2048

enum conf_severity { CONF_WARNING, CONF_ERROR };

/* How the packaged daemon words it, and with which status it ends (spec/corosync-conf.md sections 1 and 8). */
enum conf_stage {
    CONF_STAGE_PARSER,  /* "parser error: FILE:LINE: ...", 8 */
    CONF_STAGE_LOGGING, /* "parse error in config: ...", 7 */
    CONF_STAGE_STATE,   /* as it is, 16: the state directory */
    CONF_STAGE_READ,    /* as it is, 8 */
    CONF_STAGE_CHECK,   /* "parse error in config: ...", 8 */
    CONF_STAGE_SERVICE  /* as it is, 20: votequorum refuses to start; not looked at by -t */
};

/* Where something stands. */
struct conf_place {
    const char *file; /* NULL: nowhere in particular */
    uint32_t line;    /* 0: not in one line */
    const char *key;  /* the cmap key; NULL: none */
};

struct conf_finding {
    enum conf_severity severity;
    enum conf_stage stage;
    uint32_t line;
    char *file, *key; /* or NULL */
    char *text;
    char *advice; /* or NULL */
};

struct conf_report {
    struct conf_finding *items;
    size_t count, capacity;
    size_t error_count, left_out;
    bool no_memory; /* a finding was lost; the configuration must not be used */
};

void conf_report_init(struct conf_report *report);
void conf_report_fini(struct conf_report *report);

/* advice: a sentence, or NULL. */
void conf_report_add(struct conf_report *report, enum conf_severity severity, enum conf_stage stage,
                     struct conf_place place, const char *advice, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* NULL: no error. */
const struct conf_finding *conf_report_first_error(const struct conf_report *report);
/* 0 without an error. */
int conf_report_exit_status(const struct conf_report *report);

/*
 * One line: the packaged daemon's, then in brackets the place and the advice as far as they add to it. Always
 * terminated. Bytes of the file may be in it: the caller makes it printable.
 */
void conf_finding_text(const struct conf_finding *finding, char *text, size_t size);

#endif
