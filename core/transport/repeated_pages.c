/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/userfaultfd.h>

#include "core/transport/repeated_pages.h"

#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif

/* Shorter runs of pages are not worth the system calls, and, if they are not zeros, a mapping each. */
#define ZEROS_MIN_PAGES 8
#define PATTERN_MIN_PAGES 256
#define PATTERN_PAGES 64
/* Larger ones are no buffers, but address space that something has reserved (the sanitizers' shadow, for one). */
#define MAPPING_MAX ((size_t)256 << 20)
#define PAGEMAP_PRESENT (UINT64_C(1) << 63)
#define PAGEMAP_BATCH 512

struct search {
    int fault_fd, pagemap_fd;
    size_t page_size;
    size_t saved;
};

static bool is_zero(const uint8_t *bytes, size_t size)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

/* ---- what is done with a run of equal pages ---- */

/* This thread may write to nothing but its stack between the two, and take no lock: it could wait for ever. */
static bool hold_writers(const struct search *search, const uint8_t *start, size_t size)
{
    struct uffdio_writeprotect request = {{(uintptr_t)start, size}, UFFDIO_WRITEPROTECT_MODE_WP};

    return ioctl(search->fault_fd, UFFDIO_WRITEPROTECT, &request) == 0;
}

static void release_writers(const struct search *search, const uint8_t *start, size_t size)
{
    struct uffdio_writeprotect request = {{(uintptr_t)start, size}, 0};

    /* What has been mapped anew is not ours to protect any more: there it is enough to wake them. */
    if (ioctl(search->fault_fd, UFFDIO_WRITEPROTECT, &request) != 0)
        ioctl(search->fault_fd, UFFDIO_WAKE, &request.range);
}

static void save_zeros(struct search *search, uint8_t *start, size_t size)
{
    if (!hold_writers(search, start, size))
        return;
    if (is_zero(start, size) && madvise(start, size, MADV_DONTNEED_LOCKED) == 0)
        search->saved += size;
    release_writers(search, start, size);
}

/* A file in memory with the page some times over. It stays mapped, so that where memory is locked it is never swapped out. -1. */
static int make_pattern(const uint8_t *page, size_t page_size)
{
    int fd = memfd_create("repeated", MFD_CLOEXEC);
    uint8_t *pattern;

    if (fd < 0)
        return -1;
    if (ftruncate(fd, (off_t)(PATTERN_PAGES * page_size)) != 0 ||
        (pattern = mmap(NULL, PATTERN_PAGES * page_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)) == MAP_FAILED) {
        close(fd);
        return -1;
    }
    for (size_t i = 0; i < PATTERN_PAGES; i++)
        memcpy(pattern + i * page_size, page, page_size);
    return fd;
}

/* The pages as copies of the pattern that are made when they are written. */
static void map_pattern(int pattern_fd, uint8_t *start, size_t size)
{
    void *mapped = mmap(start, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, pattern_fd, 0);

    assert(mapped == start); /* what was there may be gone, and we are only starting */
}

static void save_pattern(struct search *search, uint8_t *start, size_t size)
{
    size_t chunk = PATTERN_PAGES * search->page_size;
    int pattern_fd = make_pattern(start, search->page_size);

    if (pattern_fd < 0)
        return;
    if (hold_writers(search, start, size)) {
        if (memcmp(start, start + search->page_size, size - search->page_size) == 0) {
            for (size_t done = 0; done < size; done += chunk)
                map_pattern(pattern_fd, start + done, size - done < chunk ? size - done : chunk);
            search->saved += size;
        }
        release_writers(search, start, size);
    }
    close(pattern_fd);
}

static void save_run(struct search *search, uint8_t *start, size_t size)
{
    if (size >= ZEROS_MIN_PAGES * search->page_size && is_zero(start, search->page_size))
        save_zeros(search, start, size);
    else if (size >= PATTERN_MIN_PAGES * search->page_size)
        save_pattern(search, start, size);
}

/* ---- where they are ---- */

struct cursor {
    struct search *search;
    uint8_t *run; /* since where pages are there, and all the same; NULL: nowhere */
};

/* One that is not there is not looked at: that would bring it. */
static void next_page(struct cursor *cursor, uint8_t *page, bool present)
{
    struct search *search = cursor->search;

    if (cursor->run != NULL && (!present || memcmp(cursor->run, page, search->page_size) != 0)) {
        save_run(search, cursor->run, (size_t)(page - cursor->run));
        cursor->run = NULL;
    }
    if (present && cursor->run == NULL)
        cursor->run = page;
}

static void look_through(struct search *search, uint8_t *start, uint8_t *end)
{
    struct cursor cursor = {search, NULL};
    uint64_t entries[PAGEMAP_BATCH];

    for (uint8_t *batch = start; batch < end; batch += PAGEMAP_BATCH * search->page_size) {
        size_t count = (size_t)(end - batch) / search->page_size;
        off_t offset = (off_t)((uintptr_t)batch / search->page_size * sizeof(entries[0]));

        count = count < PAGEMAP_BATCH ? count : PAGEMAP_BATCH;
        memset(entries, 0, sizeof(entries));
        if (pread(search->pagemap_fd, entries, count * sizeof(entries[0]), offset) < 0)
            memset(entries, 0, sizeof(entries));
        for (size_t i = 0; i < count; i++)
            next_page(&cursor, batch + i * search->page_size, (entries[i] & PAGEMAP_PRESENT) != 0);
    }
    next_page(&cursor, end, false);
}

static void look_through_mapping(struct search *search, uintptr_t start, uintptr_t end)
{
    struct uffdio_register mapping = {.range = {start, end - start}, .mode = UFFDIO_REGISTER_MODE_WP};
    size_t before = search->saved;

    if (end - start > MAPPING_MAX || ioctl(search->fault_fd, UFFDIO_REGISTER, &mapping) != 0)
        return;
    look_through(search, (uint8_t *)start, (uint8_t *)end);
    ioctl(search->fault_fd, UFFDIO_UNREGISTER, &mapping.range);
    /* Or the system would fill the gaps again, to make huge pages. */
    if (search->saved > before)
        madvise((void *)start, end - start, MADV_NOHUGEPAGE);
}

/* A line of proc(5)'s "maps". */
static void look_at_line(struct search *search, const char *line)
{
    unsigned long start, end, inode;
    char access[5], name[8] = "";

    if (sscanf(line, "%lx-%lx %4s %*s %*s %lu %7s", &start, &end, access, &inode, name) < 4)
        return;
    if (strcmp(access, "rw-p") == 0 && inode == 0 && (name[0] == '\0' || strcmp(name, "[heap]") == 0))
        look_through_mapping(search, start, end);
}

/* The mappings as they are now, a string to be freed: they change while they are looked through. */
static char *read_mappings(void)
{
    FILE *file = fopen("/proc/self/maps", "re");
    char *text = NULL;
    size_t size = 0;

    if (file == NULL)
        return NULL;
    if (getdelim(&text, &size, '\0', file) < 0) {
        free(text);
        text = NULL;
    }
    fclose(file);
    return text;
}

static bool open_search(struct search *search)
{
    struct uffdio_api api = {.api = UFFD_API, .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP};

    search->fault_fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
    search->pagemap_fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    search->page_size = (size_t)sysconf(_SC_PAGESIZE);
    /* Without pages this only asks whether the system knows it: a refusal while writers are held up would write to errno,
     * which may be on the very pages. */
    return madvise(NULL, 0, MADV_DONTNEED_LOCKED) == 0 && search->fault_fd >= 0 && search->pagemap_fd >= 0 &&
           ioctl(search->fault_fd, UFFDIO_API, &api) == 0;
}

static void close_search(const struct search *search)
{
    if (search->pagemap_fd >= 0)
        close(search->pagemap_fd);
    if (search->fault_fd >= 0)
        close(search->fault_fd);
}

size_t repeated_pages_save(void)
{
    struct search search = {.fault_fd = -1, .pagemap_fd = -1};
    char *mappings = NULL;
    char *rest = NULL;

    if (REPEATED_PAGES_SUPPORTED && open_search(&search))
        mappings = read_mappings();
    if (mappings != NULL) {
        for (char *line = strtok_r(mappings, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
            look_at_line(&search, line);
    }
    free(mappings);
    close_search(&search);
    return search.saved;
}
