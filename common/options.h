/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Advanced settings as both daemons take them: `-S name=value[,name2=value2...]` (spec/tools.md section 7,
 * spec/qdevice-daemon.md section 2). A daemon describes its settings in a table; this module parses, checks
 * ranges and stores into the daemon's struct. Names are case-insensitive; the last of a repeated name wins;
 * a list ends at its first empty item. Used at start only.
 */
#ifndef QUORATE_COMMON_OPTIONS_H
#define QUORATE_COMMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum option_kind {
    OPTION_BOOL,     /* bool: on/yes/1, off/no/0 */
    OPTION_EITHER,   /* bool: whether it is the second of two choices */
    OPTION_NUMBER,   /* uint64_t, decimal, minimum..maximum */
    OPTION_PERMILLE, /* uint64_t: a decimal fraction times 1000, minimum..maximum of the result */
    OPTION_TEXT,     /* char *, allocated; NULL before */
    OPTION_CHOICE,   /* int: index into choices */
    OPTION_UMASK,    /* int64_t: octal 0..0777; empty: -1 */
    OPTION_GROUP,    /* int64_t: name or number of a group; empty or -1: -1 */
    OPTION_OBSOLETE  /* accepted with a warning, ignored */
};

struct option_def {
    const char *name;
    enum option_kind kind;
    size_t offset; /* of the field in the struct given to options_apply */
    uint64_t minimum;
    uint64_t maximum;
    const char *const *choices; /* OPTION_CHOICE, OPTION_EITHER; ended by NULL */
};

/* A row of a table: the field of a structure, and its range (0, 0: it has none). */
#define OPTION_DEF(kind_, name_, structure_, field_, minimum_, maximum_)                                                 \
    {                                                                                                                    \
        .name = (name_), .kind = (kind_), .offset = offsetof(structure_, field_), .minimum = (minimum_),                 \
        .maximum = (maximum_)                                                                                            \
    }

/* A daemon's table, and the one that it shares with the other: one structure begins with the other's. */
struct option_set {
    const struct option_def *defs;
    size_t count;
    const struct option_set *next; /* NULL: that is all */
};

#define OPTIONS_ERR_SIZE 256

/*
 * Applies one argument of -S to the struct at `base`. Q_ERR_INVALID: unknown name or value out of range, said
 * in err_text; what came before in the list has been applied. A warning (obsolete name) is left in err_text with
 * Q_OK, which otherwise is "". Q_ERR_NO_MEMORY.
 */
enum q_err options_apply(const struct option_set *set, void *base, const char *list, char *err_text, size_t size);

/* Frees the texts that were stored. */
void options_free(const struct option_set *set, void *base);

/* One value. Q_ERR_INVALID: it is none of that kind or range; Q_ERR_NO_MEMORY. */
enum q_err option_store(const struct option_def *def, void *base, const char *value);

/* A text that was not set becomes a copy of `text`; false: out of memory. */
bool option_default_text(char **field, const char *text);

/* The single parsers, also for command line options. False: not a value of that kind. */
bool option_parse_bool(const char *text, bool *value);
bool option_parse_number(const char *text, uint64_t minimum, uint64_t maximum, uint64_t *value);
bool option_parse_permille(const char *text, uint64_t minimum, uint64_t maximum, uint64_t *value);
bool option_parse_choice(const char *text, const char *const *choices, int *value);
bool option_parse_umask(const char *text, int64_t *value);
bool option_parse_group(const char *text, int64_t *value);

#endif
