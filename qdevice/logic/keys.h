/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A set of configuration keys with typed values, as read from cmap in one go. Pure; filled by core.c and by tests, read
 * by device_config.c. Keys keep the order in which they were added (cmap's own order, which is that of the node list).
 */
#ifndef QUORATE_QDEVICE_LOGIC_KEYS_H
#define QUORATE_QDEVICE_LOGIC_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define KEYS_MAX 8192        /* more are refused */
#define KEYS_TEXT_MAX 65536  /* bytes of one value */

enum key_type { KEY_TEXT, KEY_U8, KEY_U16, KEY_U32, KEY_U64, KEY_OTHER };

struct key {
    char *name;
    enum key_type type;
    uint64_t number; /* KEY_U8 .. KEY_U64 */
    char *text;      /* KEY_TEXT, terminated */
};

struct keys {
    struct key *items;
    size_t count;
    size_t capacity;
};

void keys_init(struct keys *keys);
void keys_fini(struct keys *keys);
/* Copies name and text. Q_ERR_LIMIT, Q_ERR_NO_MEMORY. */
enum q_err keys_add_text(struct keys *keys, const char *name, const char *text, size_t size);
enum q_err keys_add_number(struct keys *keys, const char *name, enum key_type type, uint64_t number);

/* A key of another type counts as absent (spec/qdevice-daemon.md section 5.1). NULL / false: absent. */
const char *keys_text(const struct keys *keys, const char *name);
bool keys_number(const struct keys *keys, const char *name, enum key_type type, uint64_t *number);

#endif
