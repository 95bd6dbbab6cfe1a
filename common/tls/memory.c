/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/tls/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <openssl/crypto.h>

/*
 * What comes and goes with handshakes and records lives in slots: a buffer of one page, the record buffers
 * (17 KiB), and the buffer of handshake messages (21848 bytes). What stays, above all the SSL object of
 * 7.5 KiB, must not: it would take over slots whose six pages a buffer has just touched, and keep them all for
 * the life of its connection.
 */
#define SMALL_BUFFER_SIZE_MIN 4096
#define SMALL_BUFFER_SIZE_MAX 6143
#define LARGE_BUFFER_SIZE_MIN 16384
#define SLOT_SIZE 24576

/* Address space for all slots is reserved at once, which costs nothing; memory comes by the chunk. */
#define SLOT_COUNT_MAX (256 * 1024)
#define CHUNK_SLOT_COUNT 256

/* Freed slots kept with their pages, for the next record or handshake. */
#define WARM_COUNT_MAX 32

#define NO_SLOT UINT32_MAX

static struct {
    char *slots;
    uint32_t opened_count; /* slots whose memory is accessible */
    uint32_t used_count;   /* slots that have ever been used; the rest has never been touched */
    uint32_t warm_count;
    uint32_t warm[WARM_COUNT_MAX];
    uint32_t cold_first; /* freed slots without pages, linked through next_cold */
    uint32_t *next_cold; /* per slot */
} arena = {.cold_first = NO_SLOT};

static char *slot_at(uint32_t index)
{
    return arena.slots + (size_t)index * SLOT_SIZE;
}

static bool in_slots(const void *block)
{
    uintptr_t at = (uintptr_t)block;
    uintptr_t first = (uintptr_t)arena.slots;

    return at >= first && at < first + (size_t)SLOT_COUNT_MAX * SLOT_SIZE;
}

static bool open_chunk(void)
{
    if (arena.opened_count == SLOT_COUNT_MAX ||
        mprotect(slot_at(arena.opened_count), (size_t)CHUNK_SLOT_COUNT * SLOT_SIZE, PROT_READ | PROT_WRITE) !=
            0)
        return false;
    arena.opened_count += CHUNK_SLOT_COUNT;
    return true;
}

static void *slot_get(void)
{
    uint32_t index;

    if (arena.warm_count > 0)
        return slot_at(arena.warm[--arena.warm_count]);
    if (arena.cold_first != NO_SLOT) {
        index = arena.cold_first;
        arena.cold_first = arena.next_cold[index];
        return slot_at(index);
    }
    if (arena.used_count == arena.opened_count && !open_chunk())
        return NULL;
    return slot_at(arena.used_count++);
}

static void slot_put(void *block)
{
    uint32_t index = (uint32_t)((size_t)((char *)block - arena.slots) / SLOT_SIZE);

    if (arena.warm_count < WARM_COUNT_MAX) {
        arena.warm[arena.warm_count++] = index;
        return;
    }
    (void)madvise(block, SLOT_SIZE, MADV_DONTNEED);
    arena.next_cold[index] = arena.cold_first;
    arena.cold_first = index;
}

static bool is_buffer(size_t size)
{
    return (size >= LARGE_BUFFER_SIZE_MIN && size <= SLOT_SIZE) ||
           (size >= SMALL_BUFFER_SIZE_MIN && size <= SMALL_BUFFER_SIZE_MAX);
}

static void *on_malloc(size_t size, const char *file, int line)
{
    void *block = NULL;

    (void)file;
    (void)line;
    if (is_buffer(size))
        block = slot_get();
    return block != NULL ? block : malloc(size);
}

static void on_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    if (in_slots(block))
        slot_put(block);
    else
        free(block);
}

static void *on_realloc(void *block, size_t size, const char *file, int line)
{
    void *moved;

    if (block == NULL)
        return on_malloc(size, file, line);
    if (!in_slots(block))
        return realloc(block, size);
    if (size <= SLOT_SIZE)
        return block;
    moved = malloc(size);
    if (moved == NULL)
        return NULL;
    memcpy(moved, block, SLOT_SIZE);
    slot_put(block);
    return moved;
}

bool tls_memory_init(void)
{
    size_t size = (size_t)SLOT_COUNT_MAX * SLOT_SIZE;
    void *slots, *links;

#ifdef Q_SANITIZED
    return true; /* the sanitizer is to see every block by itself */
#endif
    if (arena.slots != NULL)
        return false;
    slots = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (slots == MAP_FAILED)
        return false;
    links = mmap(NULL, SLOT_COUNT_MAX * sizeof(uint32_t), PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (links != MAP_FAILED && CRYPTO_set_mem_functions(on_malloc, on_realloc, on_free) == 1) {
        arena.slots = slots;
        arena.next_cold = links;
        return true;
    }
    if (links != MAP_FAILED)
        munmap(links, SLOT_COUNT_MAX * sizeof(uint32_t));
    munmap(slots, size);
    return false;
}
