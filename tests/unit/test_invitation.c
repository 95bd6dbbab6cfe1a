/* SPDX-License-Identifier: BSD-3-Clause */
/* Invitations: their file, and who may use them when. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "certs/logic/invitation.h"
#include "common/printable.h"

#define NOW 1800000000

static const uint8_t key[INVITATION_KEY_HASH_SIZE] = "a hash of the first node's key";
static const uint8_t other_key[INVITATION_KEY_HASH_SIZE] = "a hash of another node's key";
static const struct enrol_bytes nothing = {NULL, 0};
static const struct enrol_bytes alpha = {(const uint8_t *)"alpha", 5};
static const struct enrol_bytes beta = {(const uint8_t *)"beta", 4};

static struct invitation an_invitation(void)
{
    struct invitation invitation = {.id = "0123456789abcde",
                                    .verifier = "a public key of the proofs",
                                    .cluster = "alpha",
                                    .node = "n1.example",
                                    .created_s = NOW - 600,
                                    .expires_s = NOW + 3000,
                                    .serial = 103};

    return invitation;
}

static struct invitation_claim a_claim(void)
{
    return (struct invitation_claim){.now_s = NOW, .proof_good = true, .key_hash = key, .cluster = &alpha};
}

static unsigned judge(const struct invitation *invitation, const struct invitation_claim *claim)
{
    char text[INVITATION_TEXT_SIZE];
    unsigned reason = invitation_judge(invitation, claim, text);

    assert_true((reason == 0) == (text[0] == '\0'));
    return reason;
}

static void assert_there_and_back(const struct invitation *invitation)
{
    struct invitation again;
    struct q_buf buf, twice;

    q_buf_init(&buf);
    q_buf_init(&twice);
    invitation_encode(invitation, &buf);
    assert_true(buf.size <= INVITATION_FILE_SIZE_MAX);
    assert_int_equal(invitation_decode(q_buf_bytes(&buf), buf.size, &again), Q_OK);
    invitation_encode(&again, &twice);
    assert_int_equal(twice.size, buf.size);
    assert_memory_equal(q_buf_bytes(&buf), q_buf_bytes(&twice), buf.size);
    invitation_fini(&again);
    /* Cut off anywhere it is none. */
    for (size_t size = 0; size < buf.size; size++)
        assert_int_equal(invitation_decode(q_buf_bytes(&buf), size, &again), Q_ERR_INVALID);
    q_buf_append_u8(&buf, '\n');
    assert_int_equal(invitation_decode(q_buf_bytes(&buf), buf.size, &again), Q_ERR_INVALID);
    q_buf_fini(&buf);
    q_buf_fini(&twice);
}

static void the_file_is_read_as_it_was_written(void **state)
{
    struct invitation invitation = an_invitation();
    struct invitation_claim claim = a_claim();

    (void)state;
    assert_there_and_back(&invitation);
    memset(invitation.identity.bytes, 0x5a, sizeof(invitation.identity.bytes));
    assert_there_and_back(&invitation);
    invitation.node[0] = '\0';
    assert_there_and_back(&invitation);
    invitation_claim(&invitation, &claim, "192.0.2.1:5000");
    assert_there_and_back(&invitation);
    invitation.certificate = (uint8_t *)strdup("a certificate");
    invitation.certificate_size = 13;
    assert_there_and_back(&invitation);
    invitation_fini(&invitation);
}

static void the_file_never_changes(void **state)
{
    static const char expected[] = "quorate-invitation 1\n"
                                   "id 30313233343536373839616263646500\n"
                                   "verifier 61207075626c6963206b6579206f66207468652070726f6f6673000000000000\n"
                                   "cluster alpha\n"
                                   "node n1.example\n"
                                   "created 1799999400\n"
                                   "expires 1800003000\n"
                                   "serial 103\n"
                                   "end\n";
    struct invitation invitation = an_invitation();
    struct q_buf buf;

    (void)state;
    q_buf_init(&buf);
    invitation_encode(&invitation, &buf);
    assert_int_equal(buf.size, strlen(expected));
    assert_memory_equal(q_buf_bytes(&buf), expected, buf.size);
    q_buf_fini(&buf);
}

static void damage_to_the_file_is_noticed_or_harmless(void **state)
{
    struct invitation invitation = an_invitation(), again;
    struct q_buf buf, twice;

    (void)state;
    q_buf_init(&buf);
    q_buf_init(&twice);
    invitation_encode(&invitation, &buf);
    for (size_t i = 0; i < buf.size; i++) {
        uint8_t *byte = buf.data + buf.start + i, right = *byte;

        for (unsigned value = 0; value < 256; value++) {
            *byte = (uint8_t)value;
            if (invitation_decode(q_buf_bytes(&buf), buf.size, &again) != Q_OK)
                continue;
            q_buf_reset(&twice);
            invitation_encode(&again, &twice);
            assert_int_equal(twice.size, buf.size);
            assert_memory_equal(q_buf_bytes(&buf), q_buf_bytes(&twice), buf.size);
            invitation_fini(&again);
        }
        *byte = right;
    }
    q_buf_fini(&buf);
    q_buf_fini(&twice);
}

static void whoever_has_the_code_may_use_it_once(void **state)
{
    struct invitation invitation = an_invitation();
    struct invitation_claim first = a_claim(), second = a_claim();

    (void)state;
    assert_int_equal(judge(&invitation, &first), 0);
    assert_int_equal(invitation_state(&invitation, NOW), INVITATION_OPEN);
    invitation_claim(&invitation, &first, "192.0.2.1:5000");
    assert_int_equal(invitation_state(&invitation, NOW), INVITATION_CLAIMED);
    assert_int_equal(judge(&invitation, &first), 0); /* its connection broke, it comes again */
    second.key_hash = other_key;
    assert_int_equal(judge(&invitation, &second), ENROL_USED);
    invitation_claim(&invitation, &second, "192.0.2.66:5000");
    assert_memory_equal(invitation.key_hash, key, sizeof(key));
    assert_string_equal(invitation.claimed_by, "192.0.2.1:5000");
}

static void it_ends_to_the_second(void **state)
{
    struct invitation invitation = an_invitation();
    struct invitation_claim claim = a_claim();

    (void)state;
    claim.now_s = invitation.expires_s - 1;
    assert_int_equal(judge(&invitation, &claim), 0);
    claim.now_s = invitation.expires_s;
    assert_int_equal(judge(&invitation, &claim), ENROL_EXPIRED);
    assert_int_equal(invitation_state(&invitation, claim.now_s), INVITATION_EXPIRED);
    /* Nor does a claim made in time prolong it. */
    invitation_claim(&invitation, &claim, "192.0.2.1:5000");
    assert_int_equal(judge(&invitation, &claim), ENROL_EXPIRED);
}

static void it_is_for_its_cluster(void **state)
{
    struct invitation invitation = an_invitation();
    struct invitation_claim claim = a_claim();
    struct enrol_bytes longer = {(const uint8_t *)"alphabet", 8}, shorter = {(const uint8_t *)"alph", 4};

    (void)state;
    claim.cluster = &beta;
    assert_int_equal(judge(&invitation, &claim), ENROL_OTHER_CLUSTER);
    claim.cluster = &longer;
    assert_int_equal(judge(&invitation, &claim), ENROL_OTHER_CLUSTER);
    claim.cluster = &shorter;
    assert_int_equal(judge(&invitation, &claim), ENROL_OTHER_CLUSTER);
    claim.cluster = &nothing;
    assert_int_equal(judge(&invitation, &claim), 0);
}

/* The text of a refusal goes into a message, where nothing but whole characters may be. */
static void names_are_never_cut_within_a_character(void **state)
{
    struct invitation invitation = an_invitation();
    struct invitation_claim claim = a_claim();
    char name[ENROL_NAME_SIZE_MAX + 1], text[INVITATION_TEXT_SIZE];

    (void)state;
    for (size_t before = 0; before < 3; before++) {
        struct enrol_bytes said = {(const uint8_t *)name, before + 3 * ((ENROL_NAME_SIZE_MAX - before) / 3)};

        memset(name, 'x', before);
        for (size_t at = before; at < said.size; at += 3)
            memcpy(name + at, "\xe2\x82\xac", 3);
        name[said.size] = '\0';
        claim.cluster = &said;
        assert_int_equal(invitation_judge(&invitation, &claim, text), ENROL_OTHER_CLUSTER);
        assert_true(printable_is_plain(text, strlen(text)));
        memcpy(invitation.cluster, name, said.size + 1);
        claim.cluster = &beta;
        assert_int_equal(invitation_judge(&invitation, &claim, text), ENROL_OTHER_CLUSTER);
        assert_true(printable_is_plain(text, strlen(text)));
    }
}

/* Whoever does not know the secret learns nothing of the invitation: the same answer in each of its states. */
static void without_the_secret_every_answer_is_the_same(void **state)
{
    struct invitation invitation = an_invitation();
    struct invitation_claim claim = a_claim();
    char first[INVITATION_TEXT_SIZE], text[INVITATION_TEXT_SIZE];

    (void)state;
    claim.proof_good = false;
    assert_int_equal(judge(NULL, &claim), ENROL_UNKNOWN);
    assert_int_equal(invitation_judge(&invitation, &claim, first), ENROL_BAD_PROOF);
    claim.cluster = &beta;
    claim.now_s = invitation.expires_s;
    invitation.claimed_s = NOW;
    assert_int_equal(invitation_judge(&invitation, &claim, text), ENROL_BAD_PROOF);
    assert_string_equal(text, first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_is_read_as_it_was_written),
        cmocka_unit_test(the_file_never_changes),
        cmocka_unit_test(damage_to_the_file_is_noticed_or_harmless),
        cmocka_unit_test(whoever_has_the_code_may_use_it_once),
        cmocka_unit_test(it_ends_to_the_second),
        cmocka_unit_test(it_is_for_its_cluster),
        cmocka_unit_test(names_are_never_cut_within_a_character),
        cmocka_unit_test(without_the_secret_every_answer_is_the_same),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
