/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A directory of certificates whose files are replaced as wholes. Everything is written into the folder's own subdirectory
 * ".new" (mode 0700), gets owner and mode there, reaches the disk, and is then renamed to its name; whoever looks sees the old
 * file or the new one. A lock on the parent directory, which outlives replacement of the folder itself, keeps programs from
 * working at the same time; what an interrupted one left in ".new" is removed by the next that opens for change. Used by the
 * stores; a value that is initialised by certs_folder_open and freed by certs_folder_close.
 */
#ifndef QUORATE_CERTS_FOLDER_H
#define QUORATE_CERTS_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "certs/failure.h"

#define CERTS_STAGE ".new"

/* Modes of files. Nobody outside of owner and group sees a private key; the group reads, since a daemon has to. */
#define CERTS_MODE_PUBLIC 0644
#define CERTS_MODE_SHARED 0640
#define CERTS_MODE_SECRET 0600
#define CERTS_MODE_DIR 0750

struct certs_folder {
    char *path;   /* absolute, or as given */
    int fd;       /* of the folder; -1: not open */
    int stage;    /* of ".new"; -1: read only */
    int lock;     /* of the parent, locked; -1: read only */
    bool made;    /* it was not there before */
    bool guarded; /* the parent is not root's: its owner could put a link in the folder's place */
    bool give;    /* new files get this owner and group */
    uid_t uid;
    gid_t gid;
};

enum certs_folder_access {
    CERTS_FOLDER_READ,   /* Q_ERR_NOT_FOUND if it is not there; nothing is locked or written */
    CERTS_FOLDER_CHANGE, /* the same, but locked */
    CERTS_FOLDER_CREATE /* made if missing, with CERTS_MODE_DIR, parents with 0755; the mode of one that exists is left alone */
};

/*
 * If run as root, new files get owner and group of the parent directory, as with the packaged script (certificates.md 3.1);
 * where that group is root's too and a group named reader_group exists (NULL: none), they get that, so that the daemon can read
 * them. Waits for the lock; says so on stderr if it takes long.
 */
enum q_err certs_folder_open(struct certs_folder *folder, const char *path, enum certs_folder_access access,
                             const char *reader_group, struct certs_failure *why);

/* Removes ".new", drops the lock. A folder of zeros, or closed before, is allowed if fd, stage and lock are -1. */
void certs_folder_close(struct certs_folder *folder);

/* "PATH/NAME" on the heap; NULL without memory. */
char *certs_folder_path(const struct certs_folder *folder, const char *name);

/* Whether there is a regular file of that name. */
bool certs_folder_has(const struct certs_folder *folder, const char *name);

/* The whole of a file, at most CERTS_FILE_SIZE_MAX bytes, on the heap, with a NUL after it that does not count. */
enum q_err certs_folder_read(const struct certs_folder *folder, const char *name, char **bytes, size_t *size,
                             struct certs_failure *why);

/* The same for any file, with messages of the packaged scripts' kind; not for files of a folder. */
enum q_err certs_file_read(const char *path, char **bytes, size_t *size, struct certs_failure *why);

/* Replace or make a file. Needs a folder open for change, as all below. */
enum q_err certs_folder_write(struct certs_folder *folder, const char *name, const void *bytes, size_t size,
                              mode_t mode, struct certs_failure *why);

/* For what is written by others (NSS): the path of ".new" on the heap, */
char *certs_folder_stage_path(const struct certs_folder *folder);
/* copy the folder's file of that name there, if there is one, */
enum q_err certs_folder_stage_copy(struct certs_folder *folder, const char *name, struct certs_failure *why);
/* and what was written there gets its name in the folder. */
enum q_err certs_folder_publish(struct certs_folder *folder, const char *name, mode_t mode,
                                struct certs_failure *why);

/* Remove a file; fine if there is none. */
enum q_err certs_folder_remove(struct certs_folder *folder, const char *name, struct certs_failure *why);

/* Q_ERR_BUSY, with the way out, if there is nothing but an NSS database of the old format (cert8.db), which is only read here. */
enum q_err certs_folder_refuse_old(const struct certs_folder *folder, struct certs_failure *why);

/* Make a subdirectory (CERTS_MODE_DIR) unless it is there. Names above may then be "SUB/NAME". */
enum q_err certs_folder_make_sub(struct certs_folder *folder, const char *name, struct certs_failure *why);

#endif
