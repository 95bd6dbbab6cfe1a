/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command line of every daemon and tool: a table has a row for each option, which says what the option sets, and one loop
 * reads them all. Programs that have options in common share a table of them; the structure into which a program's options
 * are put begins with the one that the shared table fills. getopt_long(3) does the splitting, so that letters can be put together,
 * long names be shortened, and options follow words, as administrators know it. Used at start only.
 */
#ifndef QUORATE_COMMON_PROGRAM_OPTIONS_H
#define QUORATE_COMMON_PROGRAM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/options.h"

/* Keys from here on belong to options without a letter. */
#define PROGRAM_OPTION_LONG 1000

/* Offsets are of fields in the program's structure; 0: nothing there is set. */
struct program_option {
    int key;          /* the letter; or a number from PROGRAM_OPTION_LONG on */
    const char *name; /* NULL: a letter only */
    bool has_argument;
    bool argument_is_optional; /* --name=argument; what is without one sets no value */
    bool is_operation;         /* says what to do: the key goes where the table's user says */
    bool ends;                 /* as --help: what follows is not looked at */
    size_t text;               /* const char *: the argument itself */
    size_t flag;               /* bool: true */
    size_t count;              /* int: one more */
    size_t letter;             /* int: the key */
    const struct option_def *value; /* the argument is parsed, checked and stored */
    const char *expected;           /* with `value`: "'ARGUMENT' EXPECTED" says why it cannot be */
    const struct option_set *list;  /* the argument is of -S */
    /* What is more than that; `call` is the program's structure. False: said why; *status is the one to end with. */
    bool (*take)(void *call, const char *argument, int *status);
};

struct program_options {
    const struct program_option *own;
    size_t own_count;
    const struct program_option *common; /* those that the program shares with others */
    size_t common_count;
    size_t operation; /* offset of the int for the key of an operation; 0 is a place, too */
    bool quiet;       /* who asks says what is wrong with an unknown option, not getopt */
};

/* No program has more, its own and the common ones. */
#define PROGRAM_OPTIONS_MAX 64
#define PROGRAM_OPTIONS_ERR_SIZE (OPTIONS_ERR_SIZE + 32)

enum program_outcome {
    PROGRAM_READ,    /* all; text: a warning of a list, or "" */
    PROGRAM_ENDED,   /* by the option `key` */
    PROGRAM_UNKNOWN, /* no such option, or one that lacks its argument; getopt has said so unless it should be quiet */
    PROGRAM_INVALID, /* text says which option and why */
    PROGRAM_REFUSED  /* by `take` with `status`, which has said why */
};

struct program_result {
    int key;          /* PROGRAM_ENDED: of the row; PROGRAM_UNKNOWN: '?', or ':' for a lacking argument */
    int letter;       /* PROGRAM_UNKNOWN: what getopt calls optopt */
    const char *word; /* PROGRAM_UNKNOWN: the word of the command line */
    int status;
    char text[PROGRAM_OPTIONS_ERR_SIZE];
};

/*
 * Reads the options of argv into `call`; the words behind them begin at optind, as in getopt(3). `status`: what *status is before
 * a row's `take`.
 */
enum program_outcome program_options_read(const struct program_options *options, void *call, int argc, char **argv,
                                          int status, struct program_result *result);

#endif
