/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/config/conf_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void conf_report_init(struct conf_report *report)
{
    memset(report, 0, sizeof(*report));
}

static void finding_fini(struct conf_finding *finding)
{
    free(finding->file);
    free(finding->key);
    free(finding->text);
    free(finding->advice);
}

void conf_report_fini(struct conf_report *report)
{
    for (size_t i = 0; i < report->count; i++)
        finding_fini(&report->items[i]);
    free(report->items);
    conf_report_init(report);
}

/* False: no memory. */
static bool copy(char **to, const char *from)
{
    if (from == NULL)
        return true;
    *to = strdup(from);
    return *to != NULL;
}

static bool grow(struct conf_report *report)
{
    size_t capacity = report->capacity == 0 ? 8 : report->capacity * 2;
    struct conf_finding *larger;

    if (report->count < report->capacity)
        return true;
    larger = reallocarray(report->items, capacity, sizeof(*larger));
    if (larger == NULL)
        return false;
    report->items = larger;
    report->capacity = capacity;
    return true;
}

void conf_report_add(struct conf_report *report, enum conf_severity severity, enum conf_stage stage,
                     struct conf_place place, const char *advice, const char *format, ...)
{
    struct conf_finding finding = {.severity = severity, .stage = stage, .line = place.line};
    char text[CONF_FINDING_TEXT_SIZE];
    va_list arguments;

    report->error_count += severity == CONF_ERROR;
    if (report->count == CONF_FINDINGS_MAX) {
        report->left_out++;
        return;
    }
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (!copy(&finding.file, place.file) || !copy(&finding.key, place.key) || !copy(&finding.text, text) ||
        !copy(&finding.advice, advice) || !grow(report)) {
        finding_fini(&finding);
        report->no_memory = true;
        return;
    }
    report->items[report->count++] = finding;
}

const struct conf_finding *conf_report_first_error(const struct conf_report *report)
{
    for (size_t i = 0; i < report->count; i++)
        if (report->items[i].severity == CONF_ERROR)
            return &report->items[i];
    return NULL;
}

static int exit_status(enum conf_stage stage)
{
    switch (stage) {
    case CONF_STAGE_LOGGING:
        return 7;
    case CONF_STAGE_STATE:
        return 16;
    case CONF_STAGE_SERVICE:
        return 20;
    case CONF_STAGE_PARSER:
    case CONF_STAGE_READ:
    case CONF_STAGE_CHECK:
        break;
    }
    return 8;
}

int conf_report_exit_status(const struct conf_report *report)
{
    const struct conf_finding *error = conf_report_first_error(report);

    if (error != NULL)
        return exit_status(error->stage);
    return report->error_count > 0 || report->no_memory ? 8 : 0;
}

/* Appends; a text that does not fit is cut. */
static void append(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void append(char *text, size_t size, const char *format, ...)
{
    size_t length = strlen(text);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text + length, size - length, format, arguments);
    va_end(arguments);
}

void conf_finding_text(const struct conf_finding *finding, char *text, size_t size)
{
    bool has_place = finding->stage != CONF_STAGE_PARSER && finding->file != NULL;

    text[0] = '\0';
    if (finding->severity == CONF_ERROR && finding->stage == CONF_STAGE_PARSER)
        append(text, size, "parser error: %s:%u: ", finding->file, finding->line);
    else if (finding->severity == CONF_ERROR &&
             (finding->stage == CONF_STAGE_LOGGING || finding->stage == CONF_STAGE_CHECK))
        append(text, size, "parse error in config: ");
    append(text, size, "%s", finding->text);
    if (!has_place && finding->key == NULL && finding->advice == NULL)
        return;
    append(text, size, " [");
    if (has_place)
        append(text, size, "%s:", finding->file);
    if (has_place && finding->line > 0)
        append(text, size, "%u:", finding->line);
    if (finding->key != NULL)
        append(text, size, "%s%s", has_place ? " " : "", finding->key);
    if (finding->advice != NULL)
        append(text, size, "%s%s", finding->key != NULL ? ": " : has_place ? " " : "", finding->advice);
    append(text, size, "]");
}
