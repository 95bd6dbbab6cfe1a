/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Invitations on the arbiter's disk: a directory with one small file each, named after its id, mode 0600. Every file is
 * whole or not there: written beside its name, synced, renamed. Made by corosync-qnetd-certutil as root, used up by the
 * enrolment program as the arbiter's user, to whom the directory belongs; so the former follows no link in it. Embedded
 * by both; one descriptor.
 */
#ifndef QUORATE_CERTS_ENROL_INVITATION_DIR_H
#define QUORATE_CERTS_ENROL_INVITATION_DIR_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "certs/failure.h"
#include "certs/logic/invitation.h"

#define INVITATION_DIR_PARENT Q_STATEDIR "/corosync-qnetd"
#define INVITATION_DIR_DEFAULT INVITATION_DIR_PARENT "/invitations"
/* Whom the directory belongs to when it is made, if there is such a user. */
#define INVITATION_DIR_USER "coroqnetd"

/* More are refused: they are somebody's mistake. */
#define INVITATION_COUNT_MAX 10000

struct invitation_dir {
    int fd; /* -1: not open */
    uid_t owner;
    gid_t group;
};

/* Q_ERR_NOT_FOUND: there is none, so nobody has been invited. Q_ERR_ACCESS, Q_ERR_IO. */
enum q_err invitation_dir_open(struct invitation_dir *dir, const char *path, struct certs_failure *why);

/* Makes what is missing of the directory and its parent (0700 and 0750, of the arbiter's user if we may), and opens it. */
enum q_err invitation_dir_create(struct invitation_dir *dir, const char *path, struct certs_failure *why);
void invitation_dir_close(struct invitation_dir *dir);

/*
 * Takes the directory's lock, until it is closed: whoever goes by what a file says when it replaces or removes it does this first.
 * Nobody holds it for longer than some files take to be read and written; Q_ERR_BUSY after five seconds.
 */
enum q_err invitation_dir_lock(struct invitation_dir *dir, struct certs_failure *why);

/* Q_ERR_NOT_FOUND: none of that id. Q_ERR_INVALID: its file is damaged. *invitation is to be given to invitation_fini. */
enum q_err invitation_dir_read(const struct invitation_dir *dir, const uint8_t id[ENROL_ID_SIZE],
                               struct invitation *invitation, struct certs_failure *why);

/* On disk when this returns, in place of a former one of that id. */
enum q_err invitation_dir_write(const struct invitation_dir *dir, const struct invitation *invitation,
                                struct certs_failure *why);

enum q_err invitation_dir_remove(const struct invitation_dir *dir, const uint8_t id[ENROL_ID_SIZE],
                                 struct certs_failure *why);

/*
 * Another file of that plain name, of at most `max` bytes, appended to *bytes. Q_ERR_NOT_FOUND; Q_ERR_INVALID: it is longer, or
 * no file.
 */
enum q_err invitation_dir_load(const struct invitation_dir *dir, const char *name, struct q_buf *bytes, size_t max,
                               struct certs_failure *why);
/* On disk when this returns. */
enum q_err invitation_dir_store(const struct invitation_dir *dir, const char *name, const struct q_buf *bytes,
                                struct certs_failure *why);

/* How many there are; those beyond INVITATION_COUNT_MAX are not counted. */
size_t invitation_dir_count(const struct invitation_dir *dir);

/* Removes what writing left behind that was interrupted more than an hour before now_s. */
void invitation_dir_sweep(const struct invitation_dir *dir, int64_t now_s);

/*
 * Calls `each` for every invitation, in no order; it may keep nothing but may remove the one it is shown. Damaged files and
 * leftovers of interrupted writing are skipped. Q_ERR_LIMIT: more than INVITATION_COUNT_MAX files.
 */
enum q_err invitation_dir_each(const struct invitation_dir *dir,
                               void (*each)(void *context, const struct invitation *invitation), void *context,
                               struct certs_failure *why);

#endif
