/* SPDX-License-Identifier: BSD-3-Clause */
#include "qdevice/logic/keys.h"

#include <stdlib.h>
#include <string.h>

void keys_init(struct keys *keys)
{
    memset(keys, 0, sizeof(*keys));
}

void keys_fini(struct keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        free(keys->items[i].name);
        free(keys->items[i].text);
    }
    free(keys->items);
    keys_init(keys);
}

/* A new key with its name; NULL: see *err. */
static struct key *add(struct keys *keys, const char *name, enum key_type type, enum q_err *err)
{
    struct key *key;

    *err = keys->count == KEYS_MAX ? Q_ERR_LIMIT : Q_ERR_NO_MEMORY;
    if (keys->count == KEYS_MAX)
        return NULL;
    if (keys->count == keys->capacity) {
        size_t capacity = keys->capacity > 0 ? 2 * keys->capacity : 64;
        struct key *items = realloc(keys->items, capacity * sizeof(*items));

        if (items == NULL)
            return NULL;
        keys->items = items;
        keys->capacity = capacity;
    }
    key = &keys->items[keys->count];
    memset(key, 0, sizeof(*key));
    key->type = type;
    key->name = strdup(name);
    if (key->name == NULL)
        return NULL;
    keys->count++;
    *err = Q_OK;
    return key;
}

enum q_err keys_add_text(struct keys *keys, const char *name, const char *text, size_t size)
{
    struct key *key;
    enum q_err err;

    if (size > KEYS_TEXT_MAX)
        return Q_ERR_LIMIT;
    key = add(keys, name, KEY_TEXT, &err);
    if (key == NULL)
        return err;
    key->text = malloc(size + 1);
    if (key->text == NULL) {
        free(key->name);
        keys->count--;
        return Q_ERR_NO_MEMORY;
    }
    if (size > 0)
        memcpy(key->text, text, size);
    key->text[size] = '\0';
    return Q_OK;
}

enum q_err keys_add_number(struct keys *keys, const char *name, enum key_type type, uint64_t number)
{
    enum q_err err;
    struct key *key = add(keys, name, type, &err);

    if (key != NULL)
        key->number = number;
    return err;
}

static const struct key *find(const struct keys *keys, const char *name, enum key_type type)
{
    for (size_t i = 0; i < keys->count; i++)
        if (keys->items[i].type == type && strcmp(keys->items[i].name, name) == 0)
            return &keys->items[i];
    return NULL;
}

const char *keys_text(const struct keys *keys, const char *name)
{
    const struct key *key = find(keys, name, KEY_TEXT);

    return key != NULL ? key->text : NULL;
}

bool keys_number(const struct keys *keys, const char *name, enum key_type type, uint64_t *number)
{
    const struct key *key = find(keys, name, type);

    if (key != NULL)
        *number = key->number;
    return key != NULL;
}
