/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/enrol/appraise.h"

#include <stdio.h>
#include <string.h>

#include "certs/enrol/revoked.h"
#include "common/cert_names.h"
#include "common/log.h"
#include "common/printable.h"
#include "common/tls/peer_names.h"

#define SHOWN_NAME_SIZE 201

static void refuse(struct judge_verdict *verdict, unsigned reason, const char *text)
{
    verdict->reason = reason;
    snprintf(verdict->text, sizeof(verdict->text), "%s", text);
}

static void refuse_name(struct judge_verdict *verdict, const char *shown, const struct enrol_bytes *cluster)
{
    char theirs[SHOWN_NAME_SIZE], asked[SHOWN_NAME_SIZE];

    /* Cut between characters: the text goes into a message, which holds no others. */
    printable_text(shown, strlen(shown), theirs, sizeof(theirs));
    printable_text((const char *)cluster->bytes, cluster->size, asked, sizeof(asked));
    verdict->reason = ENROL_OTHER_CLUSTER;
    snprintf(verdict->text, sizeof(verdict->text), "the certificate is for \"%s\", the node is in cluster \"%s\"", theirs, asked);
}

void appraise(const char *store, const struct tls_peer_names *shown, const struct enrol_bytes *cluster,
              struct judge_verdict *verdict)
{
    struct certs_failure why;
    struct revocations list;

    memset(verdict, 0, sizeof(*verdict));
    if (shown == NULL) {
        refuse(verdict, ENROL_NOT_ENTITLED, "the node has shown no certificate");
        return;
    }
    if (cert_names_match(shown->names, shown->count, cluster->bytes, cluster->size) == CERT_NAMES_OTHER) {
        refuse_name(verdict, shown->count > 0 ? shown->names[0] : "nobody", cluster);
        return;
    }
    if (revoked_read(store, &list, &why) != Q_OK) {
        log_line(LOG_ERR, "Enrolment: %s", why.text);
        refuse(verdict, ENROL_FAILED, "the arbiter cannot read its list of revoked certificates");
        return;
    }
    if (revoked_concerns(&list, shown))
        refuse(verdict, ENROL_NOT_ENTITLED, "the certificate that the node has shown is revoked");
    revocations_fini(&list);
}
