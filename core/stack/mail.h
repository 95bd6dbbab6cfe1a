/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages of the services that the ring has no room for yet, in their order. Pure, but for memory. Clients are refused
 * while there are any, so only what services say of their own accord gets in here. Embedded.
 */
#ifndef QUORATE_CORE_STACK_MAIL_H
#define QUORATE_CORE_STACK_MAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mail_item {
    struct mail_item *next;
    size_t size;
    bool for_this_ring;
    uint8_t bytes[];
};

struct mail {
    struct mail_item *first;
    struct mail_item *last;
};

void mail_fini(struct mail *mail);
/* Copies head and body one behind the other. False without memory. */
bool mail_add(struct mail *mail, const uint8_t *head, size_t head_size, const uint8_t *body, size_t body_size,
              bool for_this_ring);
void mail_remove_first(struct mail *mail);
/* The membership has changed: what was for the former ring only is of no use. */
void mail_on_change(struct mail *mail);

#endif
