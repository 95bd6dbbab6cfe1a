/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/config/conf_map.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/conf_reader.h"
#include "core/config/conf_values.h"

#define DEPTH_MAX (CONF_PATH_MAX / 2 + 2)
#define HELD_MAX 1024  /* keys of such a section as is put together at its end; each is compared with all */
#define NAME_SIZE 1024 /* of any name put together here, before its length is checked */

struct origin {
    struct name_node node; /* first */
    const char *file;      /* one of the map's file_names */
    uint32_t line;
    char name[];
};

/* A key of a section whose keys get their name only at its end. */
struct held {
    char *key;
    char *value;
    uint32_t line;
    struct held *next;
};

struct frame {
    enum conf_section section;
    size_t path_length; /* of the path of the section around it */
};

struct reading {
    struct conf_map *map;
    struct conf_facts *facts;
    struct conf_report *report;
    struct conf_reader reader;
    const char *file;
    bool is_uidgid_file, no_memory;
    struct frame frames[DEPTH_MAX]; /* [0]: the file */
    size_t depth;
    uint32_t ignored_depth;       /* sections inside of one that cannot be used, itself included */
    char path[CONF_PATH_MAX + 1]; /* of the innermost section; "": top */
    struct held *held;            /* newest first, the order in which the packaged daemon stores them */
    size_t held_count;
    uint8_t link; /* linknumber of the interface section */
    uint32_t node_position;
};

void conf_map_init(struct conf_map *map)
{
    memset(map, 0, sizeof(*map));
    cmap_store_init(&map->keys);
}

void conf_map_fini(struct conf_map *map)
{
    while (map->origins.root != NULL) {
        struct name_node *node = map->origins.root;
        name_tree_remove(&map->origins, node);
        free(node);
    }
    for (size_t i = 0; i < map->file_count; i++)
        free(map->file_names[i]);
    free(map->file_names);
    cmap_store_fini(&map->keys);
    conf_map_init(map);
}

struct conf_place conf_map_place(const struct conf_map *map, const char *key)
{
    const struct origin *origin = (const struct origin *)name_tree_find(&map->origins, key);

    if (origin == NULL)
        return (struct conf_place){.key = key};
    return (struct conf_place){origin->file, origin->line, key};
}

static bool note_origin(struct reading *r, const char *name, uint32_t line)
{
    struct origin *origin = (struct origin *)name_tree_find(&r->map->origins, name);
    size_t size = strlen(name) + 1;

    if (origin == NULL) {
        origin = malloc(sizeof(*origin) + size);
        if (origin == NULL)
            return false;
        memcpy(origin->name, name, size);
        origin->node.name = origin->name;
        name_tree_add(&r->map->origins, &origin->node);
    }
    origin->file = r->file;
    origin->line = line;
    return true;
}

/* ---- findings ---- */

static void fail(struct reading *r, const char *key, const char *advice, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void fail(struct reading *r, const char *key, const char *advice, const char *format, ...)
{
    char text[CONF_FINDING_TEXT_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    conf_report_add(r->report, CONF_ERROR, CONF_STAGE_PARSER,
                    (struct conf_place){r->file, r->reader.line, key}, advice, "%s", text);
}

/* ---- storing ---- */

static void store_value(struct reading *r, const char *name, struct cmap_value value, uint32_t line)
{
    enum cs_error error = cmap_store_set(&r->map->keys, name, value, NULL);
    const char *why;

    if (error == CS_ERROR_OK) {
        r->no_memory |= !note_origin(r, name, line);
        return;
    }
    if (error == CS_ERROR_NO_MEMORY) {
        r->no_memory = true;
        return;
    }
    why = error == CS_ERROR_NAME_TOO_LONG  ? "CS_ERR_NAME_TOO_LONG"
          : error == CS_ERROR_NO_RESOURCES ? "CS_ERR_NO_RESOURCES"
                                           : "CS_ERR_INVALID_PARAM";
    fail(r, NULL, "a key's whole name has 3 to 255 characters out of A-Z a-z 0-9 . _ - / :",
         "Can't store key \"%s\" into icmap, returned error is %s", name, why);
}

static void store_text(struct reading *r, const char *name, const char *text, uint32_t line)
{
    store_value(r, name, (struct cmap_value){CMAP_TEXT, strlen(text), text}, line);
}

static void store_number(struct reading *r, const char *name, enum cmap_type type, uint64_t number,
                         uint32_t line)
{
    struct cmap_number value = cmap_number(type, number);

    store_value(r, name, cmap_number_value(&value), line);
}

/* Text or number, as `type` says; a number has been checked before. */
static void store(struct reading *r, const char *name, enum cmap_type type, const char *text, uint32_t line)
{
    uint64_t number;

    if (type == CMAP_TEXT)
        store_text(r, name, text, line);
    else if (conf_parse_integer(text, type, &number))
        store_number(r, name, type, number, line);
}

/* ---- sections whose keys are held until their end ---- */

static void hold(struct reading *r, const char *key, const char *value)
{
    struct held *held;

    if (++r->held_count > HELD_MAX) {
        if (r->held_count == HELD_MAX + 1)
            fail(r, NULL, "spread them over several sections", "Section \"%s\" has more than %d keys",
                 r->path, HELD_MAX);
        return;
    }
    held = calloc(1, sizeof(*held));
    if (held != NULL) {
        held->key = strdup(key);
        held->value = strdup(value);
        held->line = r->reader.line;
        held->next = r->held;
        r->held = held;
    }
    r->no_memory |= held == NULL || held->key == NULL || held->value == NULL;
}

static void drop_held(struct reading *r)
{
    r->held_count = 0;
    while (r->held != NULL) {
        struct held *held = r->held;
        r->held = held->next;
        free(held->key);
        free(held->value);
        free(held);
    }
}

/* The value given last. */
static const char *held_value(const struct reading *r, const char *key)
{
    for (const struct held *held = r->held; held != NULL; held = held->next)
        if (strcmp(held->key, key) == 0)
            return held->value;
    return NULL;
}

/* Stores what is held as PREFIX.key; of a repeated key the last. */
static void store_held_text(struct reading *r, const char *prefix)
{
    for (const struct held *held = r->held; held != NULL; held = held->next) {
        char name[NAME_SIZE];
        if (held_value(r, held->key) != held->value)
            continue;
        snprintf(name, sizeof(name), "%s.%s", prefix, held->key);
        store_text(r, name, held->value, held->line);
    }
}

static void end_logger_subsys(struct reading *r)
{
    const char *subsys = held_value(r, "subsys");
    char prefix[NAME_SIZE];

    if (subsys == NULL) {
        fail(r, NULL, "name the subsystem, as in \"subsys: TOTEM\"",
             "No subsys key in logger_subsys directive");
        return;
    }
    snprintf(prefix, sizeof(prefix), "logging.logger_subsys.%s", subsys);
    store_held_text(r, prefix);
}

static void end_logging_daemon(struct reading *r)
{
    const char *name = held_value(r, "name");
    const char *subsys = held_value(r, "subsys");
    char prefix[NAME_SIZE];

    if (name == NULL) {
        fail(r, NULL, "name the daemon, as in \"name: corosync\"", "No name key in logging_daemon directive");
        return;
    }
    if (strcmp(name, "corosync") == 0 && subsys == NULL)
        snprintf(prefix, sizeof(prefix), "logging");
    else if (strcmp(name, "corosync") == 0)
        snprintf(prefix, sizeof(prefix), "logging.logger_subsys.%s", subsys);
    else if (subsys == NULL)
        snprintf(prefix, sizeof(prefix), "logging.logging_daemon.%s", name);
    else
        snprintf(prefix, sizeof(prefix), "logging.logging_daemon.%s.%s", name, subsys);
    if (strcmp(name, "corosync") == 0) {
        /* the daemon's own name is no setting of its logging */
        for (struct held **at = &r->held; *at != NULL;) {
            struct held *held = *at;
            if (strcmp(held->key, "name") != 0) {
                at = &held->next;
                continue;
            }
            *at = held->next;
            free(held->key);
            free(held->value);
            free(held);
        }
    }
    store_held_text(r, prefix);
}

static void end_interface(struct reading *r)
{
    unsigned member = 0;

    for (const struct held *held = r->held; held != NULL; held = held->next) {
        bool is_member = strcmp(held->key, "memberaddr") == 0;
        char name[NAME_SIZE];
        if (is_member)
            snprintf(name, sizeof(name), "totem.interface.%u.member.%u", (unsigned)r->link, member++);
        else if (held_value(r, held->key) == held->value)
            snprintf(name, sizeof(name), "totem.interface.%u.%s", (unsigned)r->link, held->key);
        else
            continue;
        store(r, name, is_member ? CMAP_TEXT : conf_value_type(CONF_INTERFACE, held->key), held->value,
              held->line);
    }
}

/* ---- keys ---- */

static void read_account(struct reading *r, enum conf_fact_kind kind, const char *value)
{
    const struct conf_fact *account = conf_facts_ask(r->facts, kind, value);
    bool is_user = kind == CONF_FACT_USER;
    char name[NAME_SIZE];

    if (account == NULL)
        return;
    if (!account->found) {
        fail(r, NULL, is_user ? "give the name or number of a user" : "give the name or number of a group",
             "The '%s' %s is not found in /etc/%s, please read the documentation.", value,
             is_user ? "user" : "group", is_user ? "passwd" : "group");
        return;
    }
    snprintf(name, sizeof(name), "uidgid.config.%s.%" PRIu64, is_user ? "uid" : "gid", account->number);
    store_number(r, name, CMAP_U8, 1, r->reader.line);
}

static void read_interface_key(struct reading *r, const char *key, const char *value, const char *name)
{
    uint64_t number;

    if (strcmp(key, "linknumber") == 0) {
        if (conf_parse_integer(value, CMAP_U8, &number))
            r->link = (uint8_t)number;
    } else if (conf_interface_key_is_known(key)) {
        hold(r, key, value);
    } else {
        store_text(r, name, value, r->reader.line);
    }
}

/* The number a value must be. False: it is none, or none of the type. */
static bool check_value(struct reading *r, enum conf_section section, const char *key, const char *value,
                        const char *name)
{
    enum cmap_type type = conf_value_type(section, key);
    char text[256];
    uint64_t number;

    if (conf_word_is_wrong(section, key, value, r->facts, text, sizeof(text))) {
        fail(r, name, NULL, "%s", text);
        return false;
    }
    if (type == CMAP_TEXT || conf_parse_integer(value, type, &number))
        return true;
    conf_integer_range(type, text, sizeof(text));
    fail(r, NULL, "give a decimal number and nothing else",
         "Value of key \"%s\" is expected to be integer in range (%s), but \"%s\" was given", name, text,
         value);
    return false;
}

/* The key's whole name for messages and, mostly, in cmap. False: too long. */
static bool name_key(struct reading *r, enum conf_section section, const char *key, char name[NAME_SIZE])
{
    if (section == CONF_NODE)
        snprintf(name, NAME_SIZE, "nodelist.node.%u.%s", r->node_position, key);
    else
        snprintf(name, NAME_SIZE, "%s%s%s", r->path, r->path[0] == '\0' ? "" : ".", key);
    if (strlen(r->path) + 1 + strlen(key) <= CONF_PATH_MAX)
        return true;
    fail(r, NULL, "the names of all its sections and its own have 254 characters at most",
         "New key makes total cmap path too long");
    return false;
}

static void read_key(struct reading *r)
{
    enum conf_section section = r->frames[r->depth].section;
    const char *key = r->reader.name;
    const char *value = r->reader.value;
    char name[NAME_SIZE];

    if (r->is_uidgid_file && section != CONF_UIDGID) {
        fail(r, NULL, "files of uidgid.d contain uidgid sections and nothing else",
             "uidgid: Only uid and gid are allowed items");
        return;
    }
    if (!name_key(r, section, key, name) || !check_value(r, section, key, value, name))
        return;
    switch (section) {
    case CONF_INTERFACE:
        read_interface_key(r, key, value, name);
        break;
    case CONF_MEMBER:
        if (strcmp(key, "memberaddr") == 0)
            hold(r, key, value);
        else
            fail(r, name, NULL, "Only memberaddr is allowed in member section");
        break;
    case CONF_LOGGER_SUBSYS:
    case CONF_LOGGING_DAEMON:
        hold(r, key, value);
        break;
    case CONF_UIDGID:
        if (strcmp(key, "uid") == 0)
            read_account(r, CONF_FACT_USER, value);
        else if (strcmp(key, "gid") == 0)
            read_account(r, CONF_FACT_GROUP, value);
        else
            fail(r, name, NULL, "uidgid: Only uid and gid are allowed items");
        break;
    case CONF_TOP:
    case CONF_TOTEM:
    case CONF_NODELIST:
    case CONF_NODE:
    case CONF_QUORUM:
    case CONF_DEVICE:
    case CONF_LOGGING:
    case CONF_SYSTEM:
    case CONF_RESOURCES:
    case CONF_MONITORED:
    case CONF_PLAIN:
        store(r, name, conf_value_type(section, key), value, r->reader.line);
        break;
    }
}

/* ---- sections ---- */

/* Whether the section is one that can be used; says why not. */
static bool check_section(struct reading *r, enum conf_section outer, const char *name)
{

    if (name[0] == '\0')
        return false; /* the grammar has said so */
    if (r->is_uidgid_file && strcmp(name, "uidgid") != 0) {
        fail(r, NULL, "files of uidgid.d contain uidgid sections and nothing else",
             "uidgid: Can't add subsection different than uidgid");
        return false;
    }
    if (!conf_section_may_nest(outer)) {
        fail(r, NULL, "a bracket before it may be missing",
             "Section \"%s\" cannot stand inside of section \"%s\"", name, r->path);
        return false;
    }
    if (strlen(r->path) + 1 + strlen(name) > CONF_PATH_MAX) {
        fail(r, NULL, "the names of all sections around a key and its own have 254 characters at most",
             "Start of section makes total cmap path too long");
        return false;
    }
    return true;
}

static void begin_section(struct reading *r)
{
    enum conf_section outer = r->frames[r->depth].section;
    const char *name = r->reader.name;
    size_t path_length = strlen(r->path);
    struct frame *frame;

    if (r->ignored_depth > 0 || !check_section(r, outer, name)) {
        r->ignored_depth++;
        return;
    }
    r->depth++;
    assert(r->depth < DEPTH_MAX);
    frame = &r->frames[r->depth];
    *frame = (struct frame){conf_section_inside(outer, name), path_length};
    snprintf(r->path + path_length, sizeof(r->path) - path_length, "%s%s", path_length == 0 ? "" : ".", name);
    if (frame->section == CONF_INTERFACE)
        r->link = 0;
    if (frame->section == CONF_NODELIST)
        r->node_position = 0;
}

static void end_section(struct reading *r)
{
    struct frame frame = r->frames[r->depth];

    if (r->ignored_depth > 0) {
        r->ignored_depth--;
        return;
    }
    if (frame.section == CONF_INTERFACE)
        end_interface(r);
    else if (frame.section == CONF_LOGGER_SUBSYS)
        end_logger_subsys(r);
    else if (frame.section == CONF_LOGGING_DAEMON)
        end_logging_daemon(r);
    else if (frame.section == CONF_NODE)
        r->node_position++;
    if (frame.section == CONF_INTERFACE || frame.section == CONF_LOGGER_SUBSYS ||
        frame.section == CONF_LOGGING_DAEMON)
        drop_held(r);
    r->path[frame.path_length] = '\0';
    r->depth--;
}

static void read_events(struct reading *r)
{
    for (;;) {
        switch (conf_reader_next(&r->reader)) {
        case CONF_EVENT_SECTION:
            begin_section(r);
            break;
        case CONF_EVENT_END:
            end_section(r);
            break;
        case CONF_EVENT_KEY:
            if (r->ignored_depth == 0)
                read_key(r);
            break;
        case CONF_EVENT_ERROR:
            fail(r, NULL, r->reader.advice, "%s", r->reader.error);
            break;
        case CONF_EVENT_END_OF_TEXT:
            assert(r->depth == 0 && r->ignored_depth == 0 && r->held == NULL);
            return;
        }
    }
}

enum q_err conf_map_read(struct conf_map *map, const char *file_name, const void *text, size_t size,
                         bool is_uidgid_file, struct conf_facts *facts, struct conf_report *report)
{
    struct reading *r = calloc(1, sizeof(*r));
    char **larger = reallocarray(map->file_names, map->file_count + 1, sizeof(char *));
    bool no_memory;

    if (larger != NULL)
        map->file_names = larger;
    if (r == NULL || larger == NULL || (larger[map->file_count] = strdup(file_name)) == NULL) {
        free(r);
        return Q_ERR_NO_MEMORY;
    }
    r->map = map;
    r->facts = facts;
    r->report = report;
    r->file = map->file_names[map->file_count++];
    r->is_uidgid_file = is_uidgid_file;
    conf_reader_init(&r->reader, text, size);
    read_events(r);
    no_memory = r->no_memory || facts->no_memory || report->no_memory;
    free(r);
    if (no_memory)
        return Q_ERR_NO_MEMORY;
    return facts->wanted_count > 0 ? Q_ERR_AGAIN : Q_OK;
}
