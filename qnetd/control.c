/* SPDX-License-Identifier: BSD-3-Clause */
#include "qnetd/control.h"

#include <string.h>

#include "common/clock.h"
#include "common/control/server.h"
#include "common/options.h"
#include "qnetd/daemon.h"
#include "qnetd/status.h"

static struct status_source status_source_of(const struct daemon *daemon)
{
    return (struct status_source){
        .arbiter = daemon->arbiter,
        .settings = daemon->settings,
        .identity = &daemon->identity,
        .state = &daemon->state,
        .decisions = &daemon->decisions,
        .started_wall_ms = daemon->started_wall_ms,
        .now_ms = clock_monotonic_ms(),
        .now_wall_ms = clock_wall_ms(),
    };
}

/* What the words behind list and decisions ask for; reading stops at the first unknown one. */
struct filter {
    bool verbose;
    bool json;
    uint64_t since;  /* decisions */
    uint64_t offset; /* list in JSON */
    uint64_t limit;
    struct wire_bytes cluster_name;
};

/* The field that a word with a number behind it sets; NULL: not such a word. */
static uint64_t *find_number(struct filter *filter, const struct control_request *request, size_t index)
{
    if (control_request_is(request, index, "since"))
        return &filter->since;
    if (control_request_is(request, index, "offset"))
        return &filter->offset;
    if (control_request_is(request, index, "limit"))
        return &filter->limit;
    return NULL;
}

static struct filter read_filter(const struct control_request *request)
{
    struct filter filter = {.limit = UINT64_MAX};
    size_t i = 1;

    while (i < request->word_count) {
        if (control_request_is(request, i, "verbose")) {
            filter.verbose = true;
        } else if (control_request_is(request, i, "json")) {
            filter.json = true;
        } else if (control_request_is(request, i, "cluster") && i + 1 < request->word_count) {
            const char *name = request->words[++i];

            filter.cluster_name = (struct wire_bytes){(const uint8_t *)name, strlen(name)};
            if (name[0] == '\0')
                filter.cluster_name.data = NULL;
        } else {
            uint64_t *number = find_number(&filter, request, i);

            if (number == NULL || i + 1 >= request->word_count ||
                !option_parse_number(request->words[++i], 0, UINT64_MAX, number))
                break;
        }
        i++;
    }
    return filter;
}

static void on_status(void *context, const struct control_request *request, struct control_reply *reply)
{
    struct status_source source = status_source_of(context);

    /* As ever only the first word counts; others are ignored. */
    if (control_request_is(request, 1, "json"))
        status_json(&source, &reply->body);
    else
        status_text(&source, control_request_is(request, 1, "verbose"), &reply->body);
}

static void on_list(void *context, const struct control_request *request, struct control_reply *reply)
{
    struct status_source source = status_source_of(context);
    struct filter filter = read_filter(request);

    if (filter.json)
        status_list_json(&source, filter.cluster_name, filter.offset, filter.limit, &reply->body);
    else
        status_list_text(&source, filter.verbose, filter.cluster_name, &reply->body);
}

static void on_decisions(void *context, const struct control_request *request, struct control_reply *reply)
{
    struct status_source source = status_source_of(context);
    struct filter filter = read_filter(request);

    if (filter.json)
        status_decisions_json(&source, filter.since, filter.cluster_name, &reply->body);
    else
        reply->error = "Decisions are only told as json";
}

static void on_stop(void *context)
{
    daemon_quit(context);
}

enum q_err control_open(struct daemon *daemon, struct control_server **out, char *err_text, size_t size)
{
    static const struct control_command commands[] = {
        {"status", on_status, "Can't get QNetd status"},
        {"list", on_list, "Can't get QNetd cluster list"},
        {"decisions", on_decisions, "Can't get QNetd decisions"},
        {"shutdown", control_on_shutdown, "Can't shut down"},
    };
    struct control_server_config config = {
        .loop = daemon->loop,
        .quoting = true,
        .commands = commands,
        .command_count = sizeof(commands) / sizeof(commands[0]),
        .context = daemon,
        .on_stop = on_stop,
    };

    daemon_options_control(&daemon->settings->daemon, &config);
    return control_server_new(&config, out, err_text, size);
}
