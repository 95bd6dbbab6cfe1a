/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/options.h"

#include <assert.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool option_parse_bool(const char *text, bool *value)
{
    static const char *const words[] = {"off", "on", "no", "yes", "0", "1", NULL};
    int index;

    if (!option_parse_choice(text, words, &index))
        return false;
    *value = index % 2 == 1;
    return true;
}

bool option_parse_number(const char *text, uint64_t minimum, uint64_t maximum, uint64_t *value)
{
    uint64_t number = 0;

    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*text - '0'), &number))
            return false;
    }
    if (number < minimum || number > maximum)
        return false;
    *value = number;
    return true;
}

bool option_parse_permille(const char *text, uint64_t minimum, uint64_t maximum, uint64_t *value)
{
    const char *point = strchr(text, '.');
    size_t whole_length = point == NULL ? strlen(text) : (size_t)(point - text);
    uint64_t number, unit = 100;
    char whole[16];

    if (whole_length == 0 || whole_length >= sizeof(whole))
        return false;
    memcpy(whole, text, whole_length);
    whole[whole_length] = '\0';
    if (!option_parse_number(whole, 0, UINT32_MAX, &number))
        return false;
    number *= 1000;
    if (point != NULL && point[1] == '\0')
        return false;
    for (text = point == NULL ? "" : point + 1; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        number += (uint64_t)(*text - '0') * unit; /* digits after the third count for nothing */
        unit /= 10;
    }
    if (number < minimum || number > maximum)
        return false;
    *value = number;
    return true;
}

bool option_parse_choice(const char *text, const char *const *choices, int *value)
{
    for (int i = 0; choices[i] != NULL; i++) {
        if (strcasecmp(text, choices[i]) == 0) {
            *value = i;
            return true;
        }
    }
    return false;
}

bool option_parse_umask(const char *text, int64_t *value)
{
    int64_t mask = 0;

    if (*text == '\0') {
        *value = -1;
        return true;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '7')
            return false;
        mask = mask * 8 + (*text - '0');
        if (mask > 0777)
            return false;
    }
    *value = mask;
    return true;
}

bool option_parse_group(const char *text, int64_t *value)
{
    const struct group *group;
    uint64_t number;

    if (*text == '\0' || strcmp(text, "-1") == 0) {
        *value = -1;
        return true;
    }
    if (option_parse_number(text, 0, UINT32_MAX, &number)) {
        *value = (int64_t)number;
        return true;
    }
    group = getgrnam(text);
    if (group == NULL)
        return false;
    *value = (int64_t)group->gr_gid;
    return true;
}

static enum q_err store_text(char **field, const char *value)
{
    char *copy = strdup(value);

    if (copy == NULL)
        return Q_ERR_NO_MEMORY;
    free(*field);
    *field = copy;
    return Q_OK;
}

enum q_err option_store(const struct option_def *def, void *base, const char *value)
{
    void *field = (char *)base + def->offset;
    bool valid = false;
    int choice;

    switch (def->kind) {
    case OPTION_BOOL:
        valid = option_parse_bool(value, field);
        break;
    case OPTION_EITHER:
        valid = option_parse_choice(value, def->choices, &choice);
        if (valid)
            *(bool *)field = choice == 1;
        break;
    case OPTION_NUMBER:
        valid = option_parse_number(value, def->minimum, def->maximum, field);
        break;
    case OPTION_PERMILLE:
        valid = option_parse_permille(value, def->minimum, def->maximum, field);
        break;
    case OPTION_TEXT:
        return store_text(field, value);
    case OPTION_CHOICE:
        valid = option_parse_choice(value, def->choices, field);
        break;
    case OPTION_UMASK:
        valid = option_parse_umask(value, field);
        break;
    case OPTION_GROUP:
        valid = option_parse_group(value, field);
        break;
    case OPTION_OBSOLETE:
        valid = true;
        break;
    }
    return valid ? Q_OK : Q_ERR_INVALID;
}

bool option_default_text(char **field, const char *text)
{
    if (*field == NULL)
        *field = strdup(text);
    return *field != NULL;
}

static const struct option_def *find(const struct option_set *set, const char *name)
{
    for (; set != NULL; set = set->next) {
        for (size_t i = 0; i < set->count; i++) {
            if (strcasecmp(set->defs[i].name, name) == 0)
                return &set->defs[i];
        }
    }
    return NULL;
}

static enum q_err apply_item(const struct option_set *set, void *base, char *item, char *err_text, size_t size)
{
    char *value = strchr(item, '=');
    const struct option_def *def;
    enum q_err err;

    if (value != NULL)
        *value++ = '\0';
    def = find(set, item);
    if (def == NULL) {
        snprintf(err_text, size, "Unknown option '%s'", item);
        return Q_ERR_INVALID;
    }
    err = option_store(def, base, value == NULL ? "" : value);
    if (err == Q_ERR_INVALID)
        snprintf(err_text, size, "Invalid value '%s' for option '%s'", value == NULL ? "" : value, def->name);
    else if (err != Q_OK)
        snprintf(err_text, size, "Out of memory");
    else if (def->kind == OPTION_OBSOLETE)
        snprintf(err_text, size, "Option '%s' is obsolete and has no effect", def->name);
    return err;
}

enum q_err options_apply(const struct option_set *set, void *base, const char *list, char *err_text, size_t size)
{
    char *copy = strdup(list);
    enum q_err err = Q_OK;
    char *rest = copy;

    assert(size > 0);
    err_text[0] = '\0';
    if (copy == NULL) {
        snprintf(err_text, size, "Out of memory");
        return Q_ERR_NO_MEMORY;
    }
    while (err == Q_OK && rest != NULL) {
        char *item = strsep(&rest, ",");

        if (*item == '\0')
            break;
        err = apply_item(set, base, item, err_text, size);
    }
    free(copy);
    return err;
}

void options_free(const struct option_set *set, void *base)
{
    for (; set != NULL; set = set->next) {
        for (size_t i = 0; i < set->count; i++) {
            if (set->defs[i].kind == OPTION_TEXT) {
                char **field = (char **)(void *)((char *)base + set->defs[i].offset);

                free(*field);
                *field = NULL;
            }
        }
    }
}
