/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/transport/source_filter.h"

#include <linux/filter.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>

#define SOURCE_OFFSET_IPV4 12 /* in the header of the network */
#define SOURCE_OFFSET_IPV6 8
#define WHOLE UINT32_MAX

struct program {
    struct sock_filter *code;
    size_t count;
};

static void add(struct program *program, struct sock_filter instruction)
{
    program->code[program->count++] = instruction;
}

static uint32_t word_of(const struct conf_address *address, size_t i)
{
    const uint8_t *bytes = address->bytes + 4 * i;

    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Accepts the datagram if its source is this address, else goes on behind. */
static void add_address(struct program *program, const struct conf_address *address)
{
    const size_t words = address->family == 4 ? 1 : 4;
    const uint32_t offset = address->family == 4 ? SOURCE_OFFSET_IPV4 : SOURCE_OFFSET_IPV6;

    for (size_t i = 0; i < words; i++) {
        /* To behind the RET: over the loads and comparisons of the other words, and itself. */
        const uint8_t skip = (uint8_t)(2 * (words - 1 - i) + 1);
        add(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                                  (uint32_t)SKF_NET_OFF + offset + 4 * (uint32_t)i));
        add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, word_of(address, i), 0, skip));
    }
    add(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, WHOLE));
}

void source_filter_set(int fd, const struct conf_address *addresses, size_t count)
{
    const size_t size_max = 9 * count + 1;
    struct program program = {.code = size_max <= BPF_MAXINSNS ? calloc(size_max, sizeof(struct sock_filter))
                                                               : NULL};
    struct sock_fprog all;

    if (program.code == NULL) {
        source_filter_clear(fd);
        return;
    }
    for (size_t i = 0; i < count; i++)
        add_address(&program, &addresses[i]);
    add(&program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0));
    all = (struct sock_fprog){.len = (unsigned short)program.count, .filter = program.code};
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &all, sizeof(all)) != 0)
        source_filter_clear(fd);
    free(program.code);
}

void source_filter_clear(int fd)
{
    const int none = 0;

    (void)setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none));
}
