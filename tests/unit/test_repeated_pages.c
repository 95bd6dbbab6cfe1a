/* SPDX-License-Identifier: BSD-3-Clause */
/* Pages that repeat are saved, and nobody notices: neither who reads them nor a thread that writes to them all the while. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/transport/repeated_pages.h"

#define PAGES 1024
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif

static size_t page_size;
static uint8_t *area;

static int set_up(void **state)
{
    (void)state;
    page_size = (size_t)sysconf(_SC_PAGESIZE);
    area = mmap(NULL, PAGES * page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(area, MAP_FAILED);
    madvise(area, PAGES * page_size, MADV_NOHUGEPAGE);
    explicit_bzero(area, PAGES * page_size);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    munlockall();
    munmap(area, PAGES * page_size);
    return 0;
}

/* That take up memory of their own, or have been looked at. */
static size_t resident_pages(void)
{
    static uint64_t entries[PAGES];
    size_t count = 0;
    int fd = open("/proc/self/pagemap", O_RDONLY);

    assert_int_equal(pread(fd, entries, sizeof(entries), (off_t)((uintptr_t)area / page_size * 8)), sizeof(entries));
    close(fd);
    for (size_t i = 0; i < PAGES; i++)
        count += entries[i] >> 63;
    return count;
}

/* Something in every `distance`th page. */
static void write_every(size_t distance)
{
    for (size_t i = 0; i < PAGES; i += distance)
        area[i * page_size + i % page_size] = (uint8_t)(1 + i / distance);
}

static void assert_as_written(size_t distance)
{
    for (size_t i = 0; i < PAGES; i++) {
        for (size_t j = 0; j < page_size; j++)
            assert_int_equal(area[i * page_size + j],
                             i % distance == 0 && j == i % page_size ? (uint8_t)(1 + i / distance) : 0);
    }
}

static void skip_unless_possible(void)
{
    int fd = REPEATED_PAGES_SUPPORTED ? (int)syscall(SYS_userfaultfd, 0) : -1;

    if (fd >= 0)
        close(fd);
    if (fd < 0 || madvise(NULL, 0, MADV_DONTNEED_LOCKED) != 0)
        skip();
}

static void test_long_runs_are_given_back(void **state)
{
    (void)state;
    skip_unless_possible();
    write_every(64);
    assert_int_equal(resident_pages(), PAGES);
    assert_true(repeated_pages_save() >= (PAGES - PAGES / 64) * page_size);
    assert_int_equal(resident_pages(), PAGES / 64);
    assert_as_written(64);
}

static void test_short_runs_stay(void **state)
{
    (void)state;
    write_every(4);
    repeated_pages_save();
    assert_int_equal(resident_pages(), PAGES);
    assert_as_written(4);
}

/* As in a daemon whose memory is locked: they come back, locked again, when they are used. */
static void test_locked_pages(void **state)
{
    (void)state;
    skip_unless_possible();
    assert_int_equal(mlock(area, PAGES * page_size), 0);
    write_every(256);
    repeated_pages_save();
    assert_int_equal(resident_pages(), PAGES / 256);
    area[5 * page_size] = 7;
    assert_int_equal(resident_pages(), PAGES / 256 + 1);
    assert_int_equal(area[5 * page_size + 1], 0);
    area[5 * page_size] = 0;
    assert_as_written(256);
}

/* ---- pages of something else ---- */

#define FIRST 3
#define LAST 900

static void write_pattern(void)
{
    for (size_t i = FIRST; i <= LAST; i++) {
        for (size_t j = 0; j < page_size; j += 16)
            area[i * page_size + j] = 0xff;
    }
}

static void assert_pattern_but_in(size_t page, size_t offset)
{
    for (size_t i = 0; i < PAGES; i++) {
        for (size_t j = 0; j < page_size; j++) {
            bool other = i == page && j == offset;
            uint8_t is = area[i * page_size + j];

            assert_int_equal(is, other ? 7 : i >= FIRST && i <= LAST && j % 16 == 0 ? 0xff : 0);
        }
    }
}

static void test_a_table_is_saved(void **state)
{
    (void)state;
    skip_unless_possible();
    write_pattern();
    assert_true(repeated_pages_save() >= (PAGES - FIRST) * page_size);
    assert_int_equal(resident_pages(), FIRST);
    area[500 * page_size + 5] = 7;
    assert_int_equal(resident_pages(), FIRST + 1);
    assert_pattern_but_in(500, 5);
    assert_true(repeated_pages_save() <= (PAGES + 64) * page_size);
    assert_pattern_but_in(500, 5);
}

static void test_a_locked_table_is_saved(void **state)
{
    (void)state;
    skip_unless_possible();
    assert_int_equal(mlockall(MCL_CURRENT), 0);
    assert_int_equal(mlockall(MCL_FUTURE | MCL_ONFAULT), 0);
    write_pattern();
    repeated_pages_save();
    assert_int_equal(resident_pages(), FIRST);
    area[LAST * page_size + 5] = 7;
    assert_pattern_but_in(LAST, 5);
}

/* ---- others write meanwhile ---- */

static atomic_bool stop;
static atomic_ulong rounds;

/* Counts to three in the middle of each of some runs, and clears what it has counted, so that the pages may go again. */
static void *write_all_the_while(void *unused)
{
    (void)unused;
    while (!stop) {
        for (size_t i = 32; i < PAGES; i += 256) {
            volatile uint64_t *counter = (volatile uint64_t *)(area + i * page_size);

            for (uint64_t count = 0; count < 3; count++) {
                if (*counter != count)
                    return area;
                *counter = count + 1;
            }
            *counter = 0;
        }
        rounds++;
    }
    return NULL;
}

/* All pages but those that are written to. */
static void bring_zeros_back(void)
{
    for (size_t i = 0; i < PAGES; i++)
        if (i % 64 != 0 && i % 256 != 32)
            ((volatile uint8_t *)area)[i * page_size] = 0;
}

static void test_no_write_is_lost(void **state)
{
    pthread_t writer;
    void *lost;

    (void)state;
    stop = false;
    write_every(64);
    assert_int_equal(pthread_create(&writer, NULL, write_all_the_while, NULL), 0);
    /* Often enough at the same time for a loss to show, if there are two processors. */
    for (int i = 0, at_once = 0; i < 2000 && at_once < 100; i++) {
        unsigned long before;

        bring_zeros_back();
        before = rounds;
        repeated_pages_save();
        at_once += rounds != before;
    }
    stop = true;
    pthread_join(writer, &lost);
    assert_null(lost);
    assert_as_written(64);
}

/* Writes to a page of the table and puts back what was there. */
static void *change_all_the_while(void *unused)
{
    volatile uint8_t *byte = area + 450 * page_size;

    (void)unused;
    while (!stop) {
        *byte = 7;
        if (*byte != 7)
            return area;
        *byte = 0xff;
    }
    return NULL;
}

static void test_no_change_of_a_table_is_lost(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        pthread_t writer;
        void *lost;

        stop = false;
        write_pattern();
        assert_int_equal(pthread_create(&writer, NULL, change_all_the_while, NULL), 0);
        repeated_pages_save();
        stop = true;
        pthread_join(writer, &lost);
        assert_null(lost);
        tear_down(state);
        set_up(state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_long_runs_are_given_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_short_runs_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_locked_pages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_table_is_saved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_locked_table_is_saved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_write_is_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_change_of_a_table_is_lost, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
