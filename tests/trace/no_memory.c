/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Plays every trace once for each allocation of the arbiter's in it, and lets that one fail. What it answers then is
 * not compared; but it must not crash, leak (AddressSanitizer) or break its invariants, and each of its messages must
 * be whole. Linked with malloc, calloc and realloc wrapped.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/trace/commands.h"
#include "tests/trace/script.h"
#include "tests/trace/world.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static bool in_step;
static unsigned long allocations; /* within steps, in this run */
static unsigned long fail_at;     /* the one to fail, counted from 1 */

static bool fails(void)
{
    return in_step && ++allocations == fail_at;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

static void on_step(bool begins)
{
    in_step = begins;
}

static void play(struct script_line *lines, size_t count)
{
    static struct world world;

    allocations = 0;
    world_init(&world);
    world.forgiving = true;
    for (size_t i = 0; i < count; i++) {
        world.output_count = 0;
        run_command(&world, &lines[i]);
        for (unsigned j = 0; j < world.output_count; j++) {
            if (strncmp(world.outputs[j], "undecodable", strlen("undecodable")) == 0) {
                printf("not ok - allocation %lu failing in %s:%u: %s\n", fail_at, lines[i].file,
                       lines[i].number, world.outputs[j]);
                exit(1);
            }
        }
    }
    world_fini(&world);
}

/* As many runs as the scenario has allocations. */
static unsigned long play_scenario(struct script_line *lines, size_t count)
{
    fail_at = 0;
    do {
        fail_at++;
        play(lines, count);
    } while (allocations >= fail_at);
    return fail_at - 1;
}

static void play_file(const char *path, unsigned number)
{
    struct script *script = script_read(path);
    unsigned long runs = 0;

    for (unsigned i = 0; script != NULL && i < script_scenario_count(script); i++) {
        size_t count;
        struct script_line *lines = script_lines(script, i, &count);

        printf("# %s: %s\n", path, script_title(script, i));
        runs += play_scenario(lines, count);
    }
    printf("%sok %u - %s with each of %lu allocations failing\n", script == NULL ? "not " : "", number, path,
           runs);
    script_free(script);
}

int main(int argc, char **argv)
{
    const char *src = getenv("Q_SRC");
    char pattern[4096];
    glob_t found;

    setvbuf(stdout, NULL, _IOLBF, 0);
    snprintf(pattern, sizeof(pattern), "%s/tests/trace/scenarios/*.trace", src != NULL ? src : ".");
    if (glob(argc > 1 ? argv[1] : pattern, 0, NULL, &found) != 0) {
        printf("Bail out! no %s\n", pattern);
        return 1;
    }
    world_step_hook = on_step;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        play_file(found.gl_pathv[i], (unsigned)i + 1);
    }
    printf("1..%zu\n", found.gl_pathc);
    globfree(&found);
    return 0;
}
