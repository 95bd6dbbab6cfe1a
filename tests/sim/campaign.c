/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/campaign.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/mutation.h"
#include "tests/sim/scenario.h"

#define TAIL_LINES 120
#define START_MS 1000000

enum mutation mutation_active = MUTATION_none;

static const struct {
    const char *name;
    enum mutation mutation;
} mutations[] = {
    {"losers_first", MUTATION_losers_first},   {"lease_wait", MUTATION_lease_wait},
    {"stable_view", MUTATION_stable_view},     {"quarantine", MUTATION_quarantine},
    {"accounted", MUTATION_accounted},         {"persist_first", MUTATION_persist_first},
    {"echo_pacing", MUTATION_echo_pacing},     {"lease_start", MUTATION_lease_start},
    {"lease_end", MUTATION_lease_end},         {"stale_ring", MUTATION_stale_ring},
    {"told_ring", MUTATION_told_ring},         {"consensus_wait", MUTATION_consensus_wait},
    {"order_gap", MUTATION_order_gap},         {"recovered", MUTATION_recovered},
    {"sync_barrier", MUTATION_sync_barrier},   {"stale_poll", MUTATION_stale_poll},
    {"device_gone", MUTATION_device_gone},
};

bool campaign_mutate(const char *name)
{
    for (size_t i = 0; i < sizeof mutations / sizeof mutations[0]; i++) {
        if (strcmp(mutations[i].name, name) == 0) {
            mutation_active = mutations[i].mutation;
            return true;
        }
    }
    return false;
}

const char *campaign_mutation(void)
{
    for (size_t i = 0; i < sizeof mutations / sizeof mutations[0]; i++) {
        if (mutations[i].mutation == mutation_active) {
            return mutations[i].name;
        }
    }
    return NULL;
}

static const char *const cores_names[] = {
    [CORES_BY_SEED] = "seed", [CORES_MODELLED] = "model", [CORES_REAL] = "real"};

bool campaign_cores(const char *name, enum sim_cores *cores)
{
    for (int i = 0; i <= CORES_REAL; i++) {
        if (strcmp(cores_names[i], name) == 0) {
            *cores = (enum sim_cores)i;
            return true;
        }
    }
    return false;
}

/* ---- when an assertion of the logic fails -------------------------------------------------------------- */

static volatile uint64_t guarded_seed;
static volatile enum sim_cores guarded_cores;

static void on_abort(int number)
{
    char text[160];
    const char *mutation = campaign_mutation();
    int size = snprintf(text, sizeof text, "\nqsim: died in seed %llu; replay: qsim --seeds %llu..%llu --cores %s%s%s\n",
                        (unsigned long long)guarded_seed, (unsigned long long)guarded_seed,
                        (unsigned long long)guarded_seed, cores_names[guarded_cores], mutation != NULL ? " --mutate " : "",
                        mutation != NULL ? mutation : "");

    if (size > 0 && write(STDERR_FILENO, text, (size_t)size) < 0) {
        _exit(1);
    }
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

void campaign_guard(uint64_t seed, enum sim_cores cores)
{
    guarded_seed = seed;
    guarded_cores = cores;
    (void)signal(SIGABRT, on_abort);
    (void)signal(SIGSEGV, on_abort);
}

/* ---- timelines ----------------------------------------------------------------------------------------- */

/* Whether a line is about another cluster: "c2 n3 ..." or "[c2 n3] ..." behind the time. */
static bool is_about_other(const char *line, int cluster)
{
    char own[8];
    const char *text = line + 12;

    (void)snprintf(own, sizeof own, "c%d ", cluster);
    text += *text == '[';
    return text[0] == 'c' && text[1] >= '0' && text[1] <= '9' && text[2] == ' ' && strncmp(text, own, 3) != 0;
}

void campaign_print_timeline(const struct world *world, size_t lines, int cluster)
{
    size_t oldest = world->line_count > world->line_capacity ? world->line_count - world->line_capacity : 0;
    size_t first = world->line_count;

    while (first > oldest && lines > 0) {
        first--;
        lines -= cluster < 0 || !is_about_other(world->lines[first % world->line_capacity], cluster);
    }
    for (size_t i = first; i < world->line_count; i++) {
        const char *line = world->lines[i % world->line_capacity];

        if (cluster < 0 || !is_about_other(line, cluster)) {
            (void)printf("%s\n", line);
        }
    }
}

/* The cluster a failure names, -1 if none. */
static int cluster_named(const char *failure)
{
    const char *at = strstr(failure, " c");

    while (at != NULL && !(at[2] >= '0' && at[2] <= '9' && (at[3] == ':' || at[3] == ' '))) {
        at = strstr(at + 1, " c");
    }
    return at != NULL ? at[2] - '0' : -1;
}

static void show_failure(struct world *world, uint64_t seed, const char *failure)
{
    const char *mutation = campaign_mutation();

    scenario_run(world, seed, true);
    campaign_print_timeline(world, TAIL_LINES, cluster_named(failure));
    (void)printf("seed %llu: %s\n", (unsigned long long)seed, failure);
    if (strcmp(world->failure, failure) != 0) {
        (void)printf("DETERMINISM: the replay says: %s\n", world->failed ? world->failure : "nothing wrong");
    }
    (void)printf("replay: qsim --seeds %llu..%llu --cores %s --verbose%s%s\n", (unsigned long long)seed,
                 (unsigned long long)seed, cores_names[world->cores], mutation != NULL ? " --mutate " : "",
                 mutation != NULL ? mutation : "");
    (void)fflush(stdout);
}

/* ---- running ------------------------------------------------------------------------------------------- */

static void add_up(struct campaign *sum, const struct world *world)
{
    sum->runs++;
    sum->events += world->events;
    sum->votes += world->votes;
    sum->excused += world->excused > 0;
    sum->relapses += world->relapses > 0;
    sum->faults += world->faults;
    sum->virtual_ms += world->now_ms - START_MS;
    sum->real_runs += world->rings > 0;
    sum->rings += world->rings;
    sum->deliveries += world->deliveries;
    if (world->reform_permille > sum->slowest_reform_permille) {
        sum->slowest_reform_permille = world->reform_permille;
    }
    if (world->recovery_ms > 0) {
        uint64_t bound_ms = 1;
        uint64_t permille;

        for (unsigned i = 0; i < world->cluster_count; i++) {
            uint64_t cluster_bound_ms = scenario_recovery_bound_ms(&world->clusters[i]);

            bound_ms = cluster_bound_ms > bound_ms ? cluster_bound_ms : bound_ms;
        }
        permille = world->recovery_ms * 1000 / bound_ms;
        if (permille > sum->slowest_recovery_permille) {
            sum->slowest_recovery_permille = permille;
        }
    }
}

static void run_share(struct campaign *campaign, unsigned share)
{
    static struct world world;
    time_t start = time(NULL);
    time_t said = start;

    world_init(&world);
    world.only_safety = campaign->only_safety;
    world.cores = campaign->cores;
    for (uint64_t seed = campaign->first + share; seed <= campaign->last; seed += campaign->jobs) {
        campaign_guard(seed, campaign->cores);
        scenario_run(&world, seed, campaign->verbose);
        add_up(campaign, &world);
        if (campaign->verbose) {
            campaign_print_timeline(&world, SIZE_MAX, -1);
            (void)printf("seed %llu: %s, trace hash %016llx\n", (unsigned long long)seed,
                         world.failed ? world.failure : "good", (unsigned long long)world.hash);
        }
        if (world.failed) {
            campaign->failures++;
            campaign->first_failure = seed;
            (void)snprintf(campaign->failure, sizeof campaign->failure, "%s", world.failure);
            if (!campaign->quiet) {
                show_failure(&world, seed, campaign->failure);
            }
            break;
        }
        if (campaign->progress && share == 0 && time(NULL) - said >= 5) {
            said = time(NULL);
            (void)fprintf(stderr, "qsim: seed %llu, %llu runs/s per process, no failure\n",
                          (unsigned long long)seed,
                          (unsigned long long)(campaign->runs / (uint64_t)(said - start)));
        }
    }
    world_fini(&world);
}

static void merge(struct campaign *sum, const struct campaign *part)
{
    sum->runs += part->runs;
    sum->events += part->events;
    sum->votes += part->votes;
    sum->excused += part->excused;
    sum->relapses += part->relapses;
    sum->faults += part->faults;
    sum->virtual_ms += part->virtual_ms;
    sum->real_runs += part->real_runs;
    sum->rings += part->rings;
    sum->deliveries += part->deliveries;
    if (part->slowest_reform_permille > sum->slowest_reform_permille) {
        sum->slowest_reform_permille = part->slowest_reform_permille;
    }
    if (part->slowest_recovery_permille > sum->slowest_recovery_permille) {
        sum->slowest_recovery_permille = part->slowest_recovery_permille;
    }
    if (part->failures > 0 && (sum->failures == 0 || part->first_failure < sum->first_failure)) {
        sum->first_failure = part->first_failure;
        memcpy(sum->failure, part->failure, sizeof sum->failure);
    }
    sum->failures += part->failures;
}

static void run_in_processes(struct campaign *campaign)
{
    int pipes[64][2];
    unsigned jobs = campaign->jobs < 64 ? campaign->jobs : 64;
    struct campaign sum = *campaign;

    campaign->jobs = jobs;
    (void)fflush(stdout);
    for (unsigned i = 0; i < jobs; i++) {
        if (pipe(pipes[i]) != 0) {
            perror("qsim: pipe");
            exit(1);
        }
        if (fork() == 0) {
            (void)close(pipes[i][0]);
            run_share(campaign, i);
            (void)fflush(stdout);
            if (write(pipes[i][1], campaign, sizeof *campaign) != (ssize_t)sizeof *campaign) {
                _exit(1);
            }
            _exit(0);
        }
        (void)close(pipes[i][1]);
    }
    for (unsigned i = 0; i < jobs; i++) {
        struct campaign part = {.failures = 0};

        if (read(pipes[i][0], &part, sizeof part) != (ssize_t)sizeof part) {
            part.failures = 1;
            part.first_failure = campaign->first;
            (void)snprintf(part.failure, sizeof part.failure, "a process died, see above");
        }
        (void)close(pipes[i][0]);
        merge(&sum, &part);
    }
    while (wait(NULL) > 0) {
    }
    *campaign = sum;
}

bool campaign_run(struct campaign *campaign)
{
    if (campaign->jobs > 1) {
        run_in_processes(campaign);
    } else {
        run_share(campaign, 0);
    }
    if (!campaign->quiet) {
        (void)printf(
            "%llu runs, %llu events, %llu faults, %llu hours of virtual time, %llu ACKs; slowest recovery "
            "%llu %% of its bound; runs with two quorate halves by a packaged device beyond its bounds: "
            "%llu, by a relapse of votequorum: %llu; with real cores %llu runs, %llu rings, %llu messages told, slowest "
            "re-formation %llu %% of its bound; %llu failures\n",
            (unsigned long long)campaign->runs, (unsigned long long)campaign->events,
            (unsigned long long)campaign->faults, (unsigned long long)(campaign->virtual_ms / 3600000),
            (unsigned long long)campaign->votes,
            (unsigned long long)(campaign->slowest_recovery_permille / 10),
            (unsigned long long)campaign->excused, (unsigned long long)campaign->relapses,
            (unsigned long long)campaign->real_runs, (unsigned long long)campaign->rings,
            (unsigned long long)campaign->deliveries,
            (unsigned long long)(campaign->slowest_reform_permille / 10),
            (unsigned long long)campaign->failures);
    }
    return campaign->failures == 0;
}
