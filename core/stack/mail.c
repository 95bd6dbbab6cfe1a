/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/stack/mail.h"

#include <stdlib.h>
#include <string.h>

void mail_fini(struct mail *mail)
{
    while (mail->first != NULL)
        mail_remove_first(mail);
}

bool mail_add(struct mail *mail, const uint8_t *head, size_t head_size, const uint8_t *body, size_t body_size,
              bool for_this_ring)
{
    struct mail_item *item = malloc(sizeof(*item) + head_size + body_size);

    if (item == NULL)
        return false;
    item->next = NULL;
    item->size = head_size + body_size;
    item->for_this_ring = for_this_ring;
    memcpy(item->bytes, head, head_size);
    if (body_size > 0)
        memcpy(item->bytes + head_size, body, body_size);
    if (mail->first == NULL)
        mail->first = item;
    else
        mail->last->next = item;
    mail->last = item;
    return true;
}

void mail_remove_first(struct mail *mail)
{
    struct mail_item *first = mail->first;

    mail->first = first->next;
    free(first);
}

void mail_on_change(struct mail *mail)
{
    struct mail_item *kept = NULL;

    while (mail->first != NULL) {
        struct mail_item *item = mail->first;

        mail->first = item->next;
        if (item->for_this_ring) {
            free(item);
            continue;
        }
        item->next = NULL;
        if (kept == NULL)
            kept = item;
        else
            mail->last->next = item;
        mail->last = item;
    }
    mail->first = kept;
}
