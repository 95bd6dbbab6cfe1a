/* SPDX-License-Identifier: BSD-3-Clause */
/* One process, one arena: the tests build on one another in the order of the table. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "common/tls/memory.h"
#include "tests/unit/test_certs.h"
#include "tests/unit/tls_pair.h"

#define BLOCK_COUNT 1000

static unsigned char *blocks[BLOCK_COUNT];

static size_t size_of(size_t index)
{
    return index % 5 == 0 ? 100 : 3000 + index % 25 * 1000;
}

static bool holds(const unsigned char *block, size_t size, unsigned char value)
{
    for (size_t i = 0; i < size; i++) {
        if (block[i] != value)
            return false;
    }
    return true;
}

static long resident_bytes(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    assert_int_equal(fscanf(file, "%*d %ld", &pages), 1);
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

static void it_begins_once(void **state)
{
    (void)state;
    assert_true(tls_memory_init());
#ifndef Q_SANITIZED
    assert_false(tls_memory_init());
#endif
}

static void blocks_of_all_sizes_keep_to_themselves(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < BLOCK_COUNT; i++) {
            blocks[i] = OPENSSL_malloc(size_of(i));
            assert_non_null(blocks[i]);
            memset(blocks[i], (int)(i & 0xff), size_of(i));
        }
        for (size_t i = 0; i < BLOCK_COUNT; i++) {
            assert_true(holds(blocks[i], size_of(i), (unsigned char)i));
            OPENSSL_free(blocks[i]);
        }
    }
    OPENSSL_free(NULL);
}

static void growing_and_shrinking_keeps_the_content(void **state)
{
    static const size_t sizes[] = {10, 8191, 8192, 20000, 9000, 24576, 24577, 70000, 24576, 8};
    unsigned char *block = NULL;
    size_t before = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        size_t kept = before < sizes[i] ? before : sizes[i];

        block = OPENSSL_realloc(block, sizes[i]);
        assert_non_null(block);
        assert_true(holds(block, kept, 0x5a));
        memset(block, 0x5a, sizes[i]);
        before = sizes[i];
    }
    OPENSSL_free(block);
    OPENSSL_free(OPENSSL_zalloc(9000));
}

static void freed_blocks_go_back_to_the_system(void **state)
{
    long before, full;

    (void)state;
#ifdef Q_SANITIZED
    skip();
#endif
    before = resident_bytes();
    for (size_t i = 0; i < BLOCK_COUNT; i++) {
        blocks[i] = OPENSSL_malloc(20000);
        memset(blocks[i], 1, 20000);
    }
    full = resident_bytes();
    assert_true(full - before > 15000L * BLOCK_COUNT);
    for (size_t i = 0; i < BLOCK_COUNT; i++)
        OPENSSL_free(blocks[i]);
    assert_true(resident_bytes() - before < 2000000);
}

static void tls_lives_in_it(void **state)
{
    struct test_cert ca = test_cert_authority("QNet CA");
    struct test_cert server_cert = test_cert_leaf("Qnetd Server", &ca);
    struct test_cert client_cert = test_cert_leaf("alpha", &ca);
    struct tls_credentials *server = test_credentials(
        &(struct tls_credentials_source){.client_cert_required = true}, TLS_ROLE_SERVER, &server_cert, &ca);
    struct tls_credentials *client = test_credentials(
        &(struct tls_credentials_source){.peer_name = "Qnetd Server"}, TLS_ROLE_CLIENT, &client_cert, &ca);

    (void)state;
    for (int i = 0; i < 50; i++) {
        struct tls_pair pair;
        enum q_err end;
        char buf[64];

        tls_pair_init(&pair, server, client);
        assert_int_equal(tls_pair_handshake(&pair), Q_OK);
        tls_pair_write(&pair.client, "hello", 5);
        assert_int_equal(tls_pair_read_all(&pair.server, buf, sizeof(buf), &end), 5);
        tls_pair_fini(&pair);
    }
    tls_credentials_unref(server);
    tls_credentials_unref(client);
    test_cert_free(&ca);
    test_cert_free(&server_cert);
    test_cert_free(&client_cert);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_begins_once),
        cmocka_unit_test(blocks_of_all_sizes_keep_to_themselves),
        cmocka_unit_test(growing_and_shrinking_keeps_the_content),
        cmocka_unit_test(freed_blocks_go_back_to_the_system),
        cmocka_unit_test(tls_lives_in_it),
    };

    return cmocka_run_group_tests_name("tls_memory", tests, NULL, NULL);
}
