/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Plays trace files against the arbiter's logic and compares what it answers: run_trace [FILE...] speaks TAP, one
 * test per scenario. `run_trace -p FILE` prints what the arbiter does answer. The language: tests/trace/README.md.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/trace/commands.h"
#include "tests/trace/script.h"
#include "tests/trace/world.h"

/* ---- comparing ----------------------------------------------------------------------------------- */

static bool is_label(const char *word)
{
    const char *dot = strchr(word, '.');
    const char *name = dot != NULL ? dot + 1 : word;

    return name[0] == 'n' && name[1] >= '0' && name[1] <= '9';
}

/*
 * Writes one expectation, "VI ACK n1 n2 at 3s", as the outputs it stands for: "VI ACK n1 at 3s", "VI ACK n2 at 3s".
 * Returns how many.
 */
static unsigned expand(char *text, char outputs[][WORLD_OUTPUT_SIZE], unsigned room)
{
    char verb[48] = "";
    char *labels[16];
    unsigned label_count = 0;
    char *at = strstr(text, " at ");
    char time[32] = "";

    if (at != NULL) {
        snprintf(time, sizeof(time), "%s", at);
        *at = '\0';
    }
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " ")) {
        if (is_label(word) && label_count < 16) {
            labels[label_count++] = word;
        } else {
            size_t used = strlen(verb);
            snprintf(verb + used, sizeof(verb) - used, "%s%s", used > 0 ? " " : "", word);
        }
    }
    if (label_count == 0 && room > 0) {
        snprintf(outputs[0], WORLD_OUTPUT_SIZE, "%s%s", verb, time);
        return 1;
    }
    for (unsigned i = 0; i < label_count && i < room; i++) {
        if ((size_t)snprintf(outputs[i], WORLD_OUTPUT_SIZE, "%s %s%s", verb, labels[i], time) >=
            WORLD_OUTPUT_SIZE) {
            return 0;
        }
    }
    return label_count;
}

static unsigned expand_all(const char *expected, char outputs[][WORLD_OUTPUT_SIZE], unsigned room)
{
    char text[SCRIPT_TEXT_SIZE];
    unsigned count = 0;
    char *next = text;

    snprintf(text, sizeof(text), "%s", expected);
    while (next != NULL && *next != '\0') {
        char *one = next;

        next = strchr(next, ',');
        if (next != NULL) {
            *next++ = '\0';
        }
        count += expand(one, outputs + count, room - count);
    }
    return count;
}

static void print_outputs(const char *what, char outputs[][WORLD_OUTPUT_SIZE], unsigned count)
{
    printf("#   %s: ", what);
    for (unsigned i = 0; i < count; i++) {
        printf("%s%s", i > 0 ? ", " : "", outputs[i]);
    }
    printf("%s\n", count == 0 ? "nothing" : "");
}

static bool compare(struct world *world, const struct script_line *line)
{
    static char expected[WORLD_OUTPUTS_MAX][WORLD_OUTPUT_SIZE];
    unsigned count = expand_all(line->expected, expected, WORLD_OUTPUTS_MAX);
    bool same = count == world->output_count;

    for (unsigned i = 0; same && i < count; i++) {
        same = strcmp(expected[i], world->outputs[i]) == 0;
    }
    if (!same) {
        printf("# %s:%u: %s\n", line->file, line->number, line->command);
        print_outputs("expected", expected, count);
        print_outputs("arbiter ", world->outputs, world->output_count);
    }
    return same;
}

/* The line as it would have to stand in the file. */
static void print_answers(struct world *world, const struct script_line *line)
{
    printf("%-27s", line->command);
    for (unsigned i = 0; i < world->output_count; i++) {
        printf("%s%s", i == 0 ? " -> " : ", ", world->outputs[i]);
    }
    printf("\n");
}

static bool run_scenario(struct script_line *lines, size_t count, bool print)
{
    static struct world world;
    bool good = true;

    world_init(&world);
    for (size_t i = 0; i < count && good; i++) {
        world.line_ms = world.now_ms;
        world.output_count = 0;
        if (!run_command(&world, &lines[i])) {
            printf("# %s:%u: %s: not as said, or not understood\n", lines[i].file, lines[i].number,
                   lines[i].command);
            good = print;
        } else if (print) {
            print_answers(&world, &lines[i]);
        } else {
            good = compare(&world, &lines[i]);
        }
    }
    world_fini(&world);
    return good;
}

/* ---- TAP ----------------------------------------------------------------------------------------- */

static unsigned run_file(const char *path, unsigned *number)
{
    struct script *script = script_read(path);
    const char *slash = strrchr(path, '/');
    unsigned failed = 0;

    if (script == NULL) {
        printf("not ok %u - %s is readable\n", ++*number, path);
        return 1;
    }
    for (unsigned i = 0; i < script_scenario_count(script); i++) {
        size_t count;
        struct script_line *lines = script_lines(script, i, &count);
        bool good = run_scenario(lines, count, false);

        failed += !good;
        printf("%sok %u - %s: %s\n", good ? "" : "not ", ++*number, slash != NULL ? slash + 1 : path,
               script_title(script, i));
    }
    script_free(script);
    return failed;
}

static int print_file(const char *path)
{
    struct script *script = script_read(path);

    for (unsigned i = 0; script != NULL && i < script_scenario_count(script); i++) {
        size_t count;
        struct script_line *lines = script_lines(script, i, &count);

        printf("\n== %s\n", script_title(script, i));
        run_scenario(lines, count, true);
    }
    script_free(script);
    return script == NULL;
}

/* All of tests/trace/scenarios, by name. */
static unsigned run_all(unsigned *number)
{
    const char *src = getenv("Q_SRC");
    unsigned failed = 0;
    char pattern[4096];
    glob_t found;

    snprintf(pattern, sizeof(pattern), "%s/tests/trace/scenarios/*.trace", src != NULL ? src : ".");
    if (glob(pattern, 0, NULL, &found) != 0) {
        printf("Bail out! no %s\n", pattern);
        return 1;
    }
    for (size_t i = 0; i < found.gl_pathc; i++) {
        failed += run_file(found.gl_pathv[i], number);
    }
    globfree(&found);
    return failed;
}

int main(int argc, char **argv)
{
    unsigned number = 0;
    unsigned failed = 0;

    /* What went before must be out when an assertion of the arbiter's ends it all. */
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 3 && strcmp(argv[1], "-p") == 0) {
        return print_file(argv[2]);
    }
    if (argc == 1) {
        failed = run_all(&number);
    }
    for (int i = 1; i < argc; i++) {
        failed += run_file(argv[i], &number);
    }
    printf("1..%u\n", number);
    return failed != 0;
}
