/* SPDX-License-Identifier: BSD-3-Clause */
/* An invitation that several want to use at once, or that is withdrawn while it is being used. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "certs/enrol/invitation_use.h"

#define NOW 1800000000

static char path[] = "/tmp/quorate-invitations-XXXXXX";
static struct invitation_dir dir;
static struct certs_failure why;
static const uint8_t key[INVITATION_KEY_HASH_SIZE] = "one key", other_key[INVITATION_KEY_HASH_SIZE] = "another key";
static char text[INVITATION_TEXT_SIZE];

static int set_up(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(path));
    assert_int_equal(invitation_dir_open(&dir, path, &why), Q_OK);
    return 0;
}

static int tear_down(void **state)
{
    char command[sizeof(path) + 16];

    (void)state;
    invitation_dir_close(&dir);
    snprintf(command, sizeof(command), "rm -r %s", path);
    return system(command);
}

/* On disk, open; what a connection knows of it. */
static struct invitation invite(uint8_t id)
{
    struct invitation invitation = {.id = {id}, .cluster = "alpha", .created_s = NOW, .expires_s = NOW + 100, .serial = 103};

    assert_int_equal(invitation_dir_write(&dir, &invitation, &why), Q_OK);
    return invitation;
}

static unsigned claim(struct invitation *invitation, const uint8_t *hash, const char *node)
{
    static const struct enrol_bytes cluster = {NULL, 0};
    struct invitation_claim who = {.now_s = NOW + 1, .proof_good = true, .key_hash = hash, .cluster = &cluster};
    unsigned reason = 99;

    assert_int_equal(invitation_use_claim(path, invitation, &who, node, "192.0.2.1:5", &reason, text, &why), Q_OK);
    return reason;
}

static enum q_err fill(struct invitation *invitation, const char *certificate)
{
    return invitation_use_fill(path, invitation, (const uint8_t *)certificate, strlen(certificate), &why);
}

static void assert_certificate(const struct invitation *invitation, const char *certificate)
{
    assert_int_equal(invitation->certificate_size, strlen(certificate));
    assert_memory_equal(invitation->certificate, certificate, strlen(certificate));
}

static void of_two_keys_one_claims_it(void **state)
{
    struct invitation first = invite(1), second = first;

    (void)state;
    assert_int_equal(claim(&first, key, "n1"), 0);
    assert_int_equal(claim(&second, other_key, "n2"), ENROL_USED);
    assert_int_equal(claim(&first, key, "n1"), 0);
    assert_int_equal(fill(&first, "for n1"), Q_OK);
    assert_certificate(&first, "for n1");
    invitation_fini(&first);
    invitation_fini(&second);
}

static void of_one_number_there_is_one_certificate(void **state)
{
    struct invitation first = invite(2), second = first, third = first;

    (void)state;
    assert_int_equal(claim(&first, key, ""), 0);
    assert_int_equal(claim(&second, key, ""), 0);
    assert_int_equal(fill(&second, "the second is quicker"), Q_OK);
    assert_int_equal(fill(&first, "the first was signed as well"), Q_OK);
    assert_certificate(&first, "the second is quicker");
    assert_int_equal(claim(&third, key, ""), 0);
    assert_certificate(&third, "the second is quicker");
    invitation_fini(&first);
    invitation_fini(&second);
    invitation_fini(&third);
}

static void the_first_name_stays(void **state)
{
    struct invitation first = invite(3), second = first;

    (void)state;
    assert_int_equal(claim(&first, key, "n1"), 0);
    assert_int_equal(claim(&second, key, "n2"), 0);
    assert_string_equal(second.node, "n1");
    invitation_fini(&first);
    invitation_fini(&second);
    first = invite(4);
    assert_int_equal(claim(&first, key, "no\nname"), 0);
    assert_string_equal(first.node, "");
}

static void what_was_withdrawn_does_not_come_back(void **state)
{
    struct invitation claimed = invite(5), open = invite(6);

    (void)state;
    assert_int_equal(claim(&claimed, key, "n1"), 0);
    assert_int_equal(invitation_dir_remove(&dir, claimed.id, &why), Q_OK);
    assert_int_equal(invitation_dir_remove(&dir, open.id, &why), Q_OK);
    assert_int_equal(fill(&claimed, "signed meanwhile"), Q_ERR_NOT_FOUND);
    assert_int_equal(claim(&open, key, "n1"), ENROL_UNKNOWN);
    assert_int_equal(invitation_dir_read(&dir, claimed.id, &claimed, &why), Q_ERR_NOT_FOUND);
}

static void a_certificate_that_is_too_large_is_not_kept(void **state)
{
    struct invitation invitation = invite(7);
    uint8_t *large = calloc(1, INVITATION_CERTIFICATE_SIZE_MAX + 1);

    (void)state;
    assert_non_null(large);
    assert_int_equal(invitation_use_fill(path, &invitation, large, INVITATION_CERTIFICATE_SIZE_MAX + 1, &why), Q_ERR_INVALID);
    assert_null(invitation.certificate);
    assert_int_equal(invitation_use_record(path, &invitation, large, INVITATION_CERTIFICATE_SIZE_MAX, &why), Q_OK);
    invitation_fini(&invitation);
    free(large);
}

/* Many programs at once, each with a key of its own: one of them gets it. */
static void in_a_crowd_one_claims_it(void **state)
{
    enum { PROGRAMS = 12 };
    pid_t children[PROGRAMS];
    int winners = 0;

    (void)state;
    invite(8);
    for (int i = 0; i < PROGRAMS; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            uint8_t own[INVITATION_KEY_HASH_SIZE] = {(uint8_t)i};
            struct invitation mine = {.id = {8}};

            _exit(claim(&mine, own, "") == 0 ? 0 : 1);
        }
    }
    for (int i = 0; i < PROGRAMS; i++) {
        int status;

        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status));
        winners += WEXITSTATUS(status) == 0;
    }
    assert_int_equal(winners, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_two_keys_one_claims_it),
        cmocka_unit_test(of_one_number_there_is_one_certificate),
        cmocka_unit_test(the_first_name_stays),
        cmocka_unit_test(what_was_withdrawn_does_not_come_back),
        cmocka_unit_test(a_certificate_that_is_too_large_is_not_kept),
        cmocka_unit_test(in_a_crowd_one_claims_it),
    };

    return cmocka_run_group_tests_name("invitation_use", tests, set_up, tear_down);
}
