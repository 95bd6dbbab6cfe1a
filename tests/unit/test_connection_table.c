/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "qnetd/connection_table.h"

/* The table only keeps the pointer. */
static struct connection *fake(uintptr_t number)
{
    return (struct connection *)number;
}

static void an_id_finds_its_connection_only(void **state)
{
    struct connection_table table;
    uint64_t first, second, again;

    (void)state;
    connection_table_init(&table);
    assert_int_equal(connection_table_reserve(&table, &first), Q_OK);
    connection_table_put(&table, first, fake(1));
    assert_int_equal(connection_table_reserve(&table, &second), Q_OK);
    connection_table_put(&table, second, fake(2));
    assert_ptr_equal(connection_table_get(&table, first), fake(1));
    assert_ptr_equal(connection_table_get(&table, second), fake(2));
    assert_null(connection_table_get(&table, 0));
    assert_null(connection_table_get(&table, UINT64_MAX));

    connection_table_remove(&table, first);
    assert_null(connection_table_get(&table, first));
    assert_int_equal(connection_table_reserve(&table, &again), Q_OK);
    connection_table_put(&table, again, fake(3));
    assert_true((uint32_t)again == (uint32_t)first); /* the slot is used again, */
    assert_true(again != first);                     /* the id is not */
    assert_null(connection_table_get(&table, first));
    assert_ptr_equal(connection_table_get(&table, again), fake(3));
    connection_table_remove(&table, again);
    connection_table_remove(&table, second);
    connection_table_fini(&table);
}

static void it_grows_and_keeps_slots_small(void **state)
{
    enum { COUNT = 1000 };
    static uint64_t ids[COUNT];
    struct connection_table table;

    (void)state;
    connection_table_init(&table);
    for (uintptr_t i = 0; i < COUNT; i++) {
        assert_int_equal(connection_table_reserve(&table, &ids[i]), Q_OK);
        assert_true((uint32_t)ids[i] == i);
        connection_table_put(&table, ids[i], fake(i + 1));
    }
    assert_int_equal(table.count, COUNT);
    for (uintptr_t i = 0; i < COUNT; i++) {
        assert_ptr_equal(connection_table_get(&table, ids[i]), fake(i + 1));
        connection_table_remove(&table, ids[i]);
    }
    connection_table_fini(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_finds_its_connection_only),
        cmocka_unit_test(it_grows_and_keeps_slots_small),
    };

    return cmocka_run_group_tests_name("connection_table", tests, NULL, NULL);
}
