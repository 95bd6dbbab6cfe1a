/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What clients of the quorum service are told: models, trackers, views, and who has joined and left
 * (spec/corosync-ipc.md section 7, votequorum.md 6.3).
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/services/quorum.h"

#define OLD 70 /* a client of model 0 */
#define NEW 71 /* of model 1 */

static struct quorum *quorum;
static struct quorum_actions actions;
static char text[1024];

static int set_up(void **state)
{
    (void)state;
    quorum = quorum_new(true);
    quorum_actions_init(&actions);
    return quorum == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    quorum_free(quorum);
    quorum_actions_fini(&actions);
    return 0;
}

__attribute__((format(printf, 1, 2))) static void tell(const char *format, ...)
{
    size_t used = strlen(text);
    va_list args;

    va_start(args, format);
    vsnprintf(text + used, sizeof(text) - used, format, args);
    va_end(args);
}

static void tell_set(const char *name, const struct node_set *set)
{
    char ids[64];

    node_set_text(set, ids, sizeof(ids));
    tell(" %s%s", name, ids);
}

static void tell_action(const struct quorum_action *action)
{
    tell("%s%u: ", text[0] == '\0' ? "" : "; ", (unsigned)action->conn);
    switch (action->type) {
    case QUORUM_ACT_ANSWER:
        tell("answer %d value %u", action->error, action->value);
        break;
    case QUORUM_ACT_QUORUM_EVENT:
        tell("quorum model %u %d ring %u.%u", action->model, action->quorate, action->ring_id.rep,
             (unsigned)action->ring_id.seq);
        tell_set("view ", action->members);
        break;
    case QUORUM_ACT_NODELIST_EVENT:
        tell("nodelist ring %u.%u", action->ring_id.rep, (unsigned)action->ring_id.seq);
        tell_set("members ", action->members);
        tell_set("joined ", action->joined);
        tell_set("left ", action->left);
        break;
    }
}

/* What it tells, as text. */
static const char *step(const struct quorum_event *event)
{
    assert_int_equal(quorum_step(quorum, event, &actions), Q_OK);
    text[0] = '\0';
    for (size_t i = 0; i < actions.count; i++)
        tell_action(&actions.items[i]);
    return text;
}

static const char *ask(uint64_t conn, enum quorum_request_type type, uint32_t parameter)
{
    struct quorum_event event = {.type = QUORUM_EV_REQUEST, .u.request = {conn, type, parameter, parameter}};

    return step(&event);
}

/* Sets of ids as digits: "123". */
static void read_set(struct node_set *set, const char *digits)
{
    node_set_init(set);
    for (; *digits != '\0'; digits++)
        assert_int_equal(node_set_add(set, (uint32_t)(*digits - '0')), Q_OK);
}

static void init(uint64_t seq, const char *members, const char *transitional)
{
    struct node_set member_set;
    struct node_set transitional_set;
    struct quorum_event event = {.type = QUORUM_EV_INIT,
                                 .u.init = {{1, seq}, &member_set, &transitional_set}};

    read_set(&member_set, members);
    read_set(&transitional_set, transitional);
    assert_string_equal(step(&event), "");
    node_set_fini(&member_set);
    node_set_fini(&transitional_set);
}

static const char *activate(void)
{
    struct quorum_event event = {.type = QUORUM_EV_ACTIVATE};

    return step(&event);
}

static const char *report(bool quorate, uint64_t seq, const char *members)
{
    struct node_set set;
    struct quorum_event event = {.type = QUORUM_EV_REPORT};
    const char *told;

    read_set(&set, members);
    event.u.report.quorate = quorate;
    event.u.report.ring_id = (struct totem_ring_id){1, seq};
    event.u.report.members = set.ids;
    event.u.report.member_count = set.count;
    told = step(&event);
    node_set_fini(&set);
    return told;
}

static void a_client_gets_the_events_of_its_model(void **state)
{
    (void)state;
    init(5, "123", "");
    activate();
    report(true, 5, "123");
    assert_string_equal(ask(OLD, QUORUM_GET_TYPE, 0), "70: answer 1 value 1");
    assert_string_equal(ask(NEW, QUORUM_MODEL_GET_TYPE, 1), "71: answer 1 value 1");
    assert_string_equal(ask(NEW, QUORUM_MODEL_GET_TYPE, 2), "71: answer 7 value 1");
    assert_string_equal(ask(OLD, QUORUM_TRACK_START, QUORUM_TRACK_CURRENT | QUORUM_TRACK_CHANGES),
                        "70: quorum model 0 1 ring 1.5 view 1,2,3; 70: answer 1 value 0");
    assert_string_equal(ask(NEW, QUORUM_TRACK_START, QUORUM_TRACK_CHANGES),
                        "71: nodelist ring 1.5 members 1,2,3 joined none left none; "
                        "71: quorum model 1 1 ring 1.5 view 1,2,3; 71: answer 1 value 0");
    init(9, "12", "12");
    assert_string_equal(activate(), "71: nodelist ring 1.9 members 1,2 joined none left 3");
    /* Who comes now sees the old view and the new nodes, as long as votequorum has not reported. */
    assert_string_equal(ask(NEW + 1, QUORUM_MODEL_GET_TYPE, 1), "72: answer 1 value 1");
    assert_string_equal(ask(NEW + 1, QUORUM_TRACK_START, QUORUM_TRACK_CURRENT),
                        "72: nodelist ring 1.9 members 1,2 joined none left none; "
                        "72: quorum model 1 1 ring 1.5 view 1,2,3; 72: answer 1 value 0");
    assert_string_equal(report(false, 9, "12"),
                        "70: quorum model 0 0 ring 1.9 view 1,2; 71: quorum model 1 0 ring 1.9 view 1,2");
    assert_string_equal(ask(OLD, QUORUM_GET_QUORATE, 0), "70: answer 1 value 0");
    assert_false(quorum_is_quorate(quorum));
}

static void tracking_is_started_once_and_stopped_as_often_as_one_likes(void **state)
{
    (void)state;
    assert_string_equal(ask(OLD, QUORUM_TRACK_STOP, 0), "70: answer 1 value 0");
    assert_string_equal(ask(OLD, QUORUM_TRACK_START, 0), "70: answer 1 value 0");
    assert_string_equal(report(true, 5, "1"), "");
    assert_string_equal(ask(OLD, QUORUM_TRACK_START, QUORUM_TRACK_CURRENT),
                        "70: quorum model 0 1 ring 1.5 view 1; 70: answer 1 value 0");
    assert_string_equal(report(true, 5, "1"), "");
    assert_string_equal(ask(OLD, QUORUM_TRACK_START, QUORUM_TRACK_CHANGES_ONLY), "70: answer 1 value 0");
    assert_string_equal(report(true, 5, "1"), "70: quorum model 0 1 ring 1.5 view 1");
    assert_string_equal(ask(OLD, QUORUM_TRACK_START, QUORUM_TRACK_CURRENT),
                        "70: quorum model 0 1 ring 1.5 view 1; 70: answer 14 value 0");
    assert_string_equal(ask(OLD, QUORUM_TRACK_STOP, 0), "70: answer 1 value 0");
    assert_string_equal(report(true, 5, "1"), "");
}

static void who_is_gone_is_told_nothing(void **state)
{
    struct quorum_event gone = {.type = QUORUM_EV_CLIENT_GONE, .u.gone = {OLD}};

    (void)state;
    ask(OLD, QUORUM_TRACK_START, QUORUM_TRACK_CHANGES);
    ask(NEW, QUORUM_TRACK_START, QUORUM_TRACK_CHANGES);
    assert_string_equal(step(&gone), "");
    assert_string_equal(step(&gone), "");
    assert_string_equal(report(true, 5, "1"), "71: quorum model 0 1 ring 1.5 view 1");
}

static void start_model_1(void)
{
    ask(NEW, QUORUM_MODEL_GET_TYPE, 1);
    ask(NEW, QUORUM_TRACK_START, QUORUM_TRACK_CHANGES_ONLY);
    init(5, "123", "");
    assert_string_equal(activate(), "71: nodelist ring 1.5 members 1,2,3 joined 1,2,3 left none");
}

static void a_quick_restart_is_joining_and_leaving(void **state)
{
    (void)state;
    start_model_1();
    init(9, "123", "12");
    assert_string_equal(activate(), "71: nodelist ring 1.9 members 1,2,3 joined 3 left 3");
    init(13, "1234", "123");
    assert_string_equal(activate(), "71: nodelist ring 1.13 members 1,2,3,4 joined 4 left none");
}

static void a_membership_that_was_given_up_is_not_told_but_not_forgotten(void **state)
{
    (void)state;
    start_model_1();
    init(9, "12", "12"); /* given up: 3 was lost, and has come back unseen */
    init(13, "123", "123");
    assert_string_equal(activate(), "71: nodelist ring 1.13 members 1,2,3 joined 3 left 3");
}

static void without_a_provider_the_node_is_quorate_and_has_no_view(void **state)
{
    (void)state;
    quorum_free(quorum);
    quorum = quorum_new(false);
    assert_non_null(quorum);
    assert_string_equal(ask(OLD, QUORUM_GET_TYPE, 0), "70: answer 1 value 0");
    assert_string_equal(ask(OLD, QUORUM_GET_QUORATE, 0), "70: answer 1 value 1");
    assert_string_equal(ask(OLD, QUORUM_TRACK_START, QUORUM_TRACK_CHANGES),
                        "70: quorum model 0 1 ring 0.0 view none; 70: answer 1 value 0");
    init(5, "12", "1");
    assert_string_equal(activate(), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_client_gets_the_events_of_its_model, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tracking_is_started_once_and_stopped_as_often_as_one_likes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(who_is_gone_is_told_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_quick_restart_is_joining_and_leaving, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_membership_that_was_given_up_is_not_told_but_not_forgotten, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_a_provider_the_node_is_quorate_and_has_no_view, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests_name("quorum", tests, NULL, NULL);
}
