/* SPDX-License-Identifier: BSD-3-Clause */
#include "qnetd/status.h"

#include <stdio.h>
#include <time.h>

#include "common/clock.h"
#include "common/tls/expiry.h"
#include "qnetd/logic/cluster.h"

int64_t status_wall_ms(const struct status_source *source, uint64_t at_ms)
{
    return source->now_wall_ms + (int64_t)(at_ms - source->now_ms);
}

const char *status_grant_text(int grant_state)
{
    switch ((enum grant_state)grant_state) {
    case GRANT_NONE:
        return "none";
    case GRANT_HELD:
        return "held";
    case GRANT_GHOST:
        return "ghost";
    }
    return "unknown";
}

const char *status_phase_text(int phase)
{
    switch ((enum cluster_phase)phase) {
    case CLUSTER_EMPTY:
        return "empty";
    case CLUSTER_UNSTABLE:
        return "unstable";
    case CLUSTER_WAITING:
        return "waiting";
    case CLUSTER_PERSISTING:
        return "persisting";
    case CLUSTER_SETTLED:
        return "settled";
    }
    return "unknown";
}

/* One certificate that deserves a warning; false if it does not. */
static bool expiry_warning(const char *what, const struct tls_cert_facts *facts,
                           char text[STATUS_WARNING_SIZE])
{
    char expiry[EXPIRY_TEXT_SIZE];
    time_t now = time(NULL);

    if (expiry_check(facts->not_before, facts->not_after, now) == EXPIRY_VALID)
        return false;
    expiry_text(facts->not_before, facts->not_after, now, expiry, sizeof(expiry));
    snprintf(text, STATUS_WARNING_SIZE, "%s %s %s", what, facts->subject, expiry);
    return true;
}

/* The condition number `number`: its text in `text`, false if it does not hold. */
static bool looseness_warning(const struct settings *settings, unsigned number,
                              char text[STATUS_WARNING_SIZE])
{
    const char *warning = NULL;

    if (number == 0 && settings->tls == (int)WIRE_TLS_UNSUPPORTED)
        warning = "TLS is off: clients are not authenticated";
    if (number == 0 && settings->tls == (int)WIRE_TLS_SUPPORTED)
        warning = "TLS is not required: clients in plain text are not authenticated";
    if (number == 1 && settings->tls != (int)WIRE_TLS_UNSUPPORTED && !settings->client_cert_required)
        warning = "Client certificates are not required: clients are not authenticated";
    if (number == 2 && settings->vote_lease == SETTINGS_LEASE_PACKAGED)
        warning = "vote_lease=packaged: two halves can both be quorate for seconds";
    if (warning == NULL)
        return false;
    snprintf(text, STATUS_WARNING_SIZE, "%s", warning);
    return true;
}

static bool state_warning(const struct state_dir *state, char text[STATUS_WARNING_SIZE])
{
    if (state == NULL || state_dir_status(state) == STATE_DIR_WORKING)
        return false;
    snprintf(text, STATUS_WARNING_SIZE, "State directory %s %s: a restart will make clusters wait",
             state->path == NULL ? "" : state->path,
             state_dir_status(state) == STATE_DIR_OFF ? "cannot be used" : "cannot be written");
    return true;
}

static bool identity_warning(const struct identity *identity, unsigned number, char text[STATUS_WARNING_SIZE])
{
    const struct tls_facts *facts;

    if (identity == NULL || identity->credentials == NULL)
        return false;
    facts = tls_credentials_facts(identity->credentials);
    if (number == 0 && identity->reload_error != NULL) {
        snprintf(text, STATUS_WARNING_SIZE, "Reload failed: %s", identity->reload_error);
        return true;
    }
    if (number == 1)
        return expiry_warning("Certificate", &facts->own, text);
    if (number >= 2 && number - 2 < facts->ca_count)
        return expiry_warning("Certificate authority", &facts->ca[number - 2], text);
    return false;
}

const char *status_warning(const struct status_source *source, unsigned index, char text[STATUS_WARNING_SIZE])
{
    uint64_t quarantine_end_ms = arbiter_quarantine_end_ms(source->arbiter);
    unsigned found = 0;

    for (unsigned number = 0; number < 3; number++) {
        if (looseness_warning(source->settings, number, text) && found++ == index)
            return text;
    }
    if (state_warning(source->state, text) && found++ == index)
        return text;
    if (quarantine_end_ms > source->now_ms) {
        char until[CLOCK_TEXT_SIZE];

        clock_text(status_wall_ms(source, quarantine_end_ms), until);
        snprintf(text, STATUS_WARNING_SIZE,
                 "Votes of an earlier arbiter are not known: exclusive votes are withheld, until %s at the latest",
                 until);
        if (found++ == index)
            return text;
    }
    for (unsigned number = 0; number < 16; number++) {
        if (identity_warning(source->identity, number, text) && found++ == index)
            return text;
    }
    return NULL;
}
