/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/store/issued.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "certs/x509/decode.h"
#include "certs/x509/encode.h"
#include "certs/x509/identity.h"
#include "certs/logic/name.h"
#include "certs/logic/serial.h"

#define ISSUED "issued"
#define ENDING ".crt"
#define FILE_SIZE 64

/* False for numbers that were not given out here, too large for a file's name. */
static bool file_of(const X509 *cert, char name[FILE_SIZE])
{
    uint64_t serial;

    if (ASN1_INTEGER_get_uint64(&serial, X509_get0_serialNumber(cert)) != 1)
        return false;
    snprintf(name, FILE_SIZE, ISSUED "/%" PRIu64 ENDING, serial);
    return true;
}

bool issued_has_number(const struct certs_folder *folder, const X509 *cert)
{
    char name[FILE_SIZE];

    return !file_of(cert, name) || certs_folder_has(folder, name);
}

enum q_err issued_add(struct certs_folder *folder, X509 *cert, struct certs_failure *why)
{
    char name[FILE_SIZE];
    struct q_buf der;
    enum q_err err = certs_folder_make_sub(folder, ISSUED, why);

    if (err != Q_OK)
        return err;
    if (!file_of(cert, name))
        return certs_fail(why, Q_ERR_INVALID,
                          "The certificate has a serial number that was not given out here.");
    q_buf_init(&der);
    err = certs_encode_der(cert, &der, why);
    if (err == Q_OK)
        err = certs_folder_write(folder, name, q_buf_bytes(&der), der.size, CERTS_MODE_SHARED, why);
    q_buf_fini(&der);
    return err;
}

X509 *issued_read(const struct certs_folder *folder, const char *path)
{
    STACK_OF(X509) *list = NULL;
    struct certs_failure ignored;
    X509 *cert = NULL;
    char *bytes;
    size_t size;

    if (certs_folder_read(folder, path, &bytes, &size, &ignored) == Q_OK &&
        certs_decode_certificates(path, bytes, size, &list, &ignored) == Q_OK)
        cert = sk_X509_shift(list);
    sk_X509_pop_free(list, X509_free);
    free(bytes);
    return cert;
}

/* --- Walking --------------------------------------------------------------------------------------- */

/* Calls on_name with every entry of a directory below the folder; a missing one has none. */
static enum q_err each_name(const struct certs_folder *folder, const char *sub,
                            void (*on_name)(void *, const char *), void *context, struct certs_failure *why)
{
    int fd = openat(folder->fd, sub, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;

    if (fd < 0 && errno == ENOENT)
        return Q_OK;
    if (dir == NULL) {
        enum q_err err = certs_fail_errno(why, "Cannot list", folder->path);

        if (fd >= 0)
            close(fd);
        return err;
    }
    while ((entry = readdir(dir)) != NULL)
        on_name(context, entry->d_name);
    closedir(dir);
    return Q_OK;
}

static bool has_ending(const char *name, size_t *stem)
{
    size_t length = strlen(name);

    if (length <= strlen(ENDING) || strcmp(name + length - strlen(ENDING), ENDING) != 0)
        return false;
    *stem = length - strlen(ENDING);
    return true;
}

static bool issued_serial(const char *name, uint64_t *serial)
{
    size_t stem;

    return has_ending(name, &stem) && certs_serial_parse(name, stem, serial) == Q_OK;
}

static void raise_one(void *context, const char *name)
{
    uint64_t *serial = context;
    uint64_t number;

    if (issued_serial(name, &number) && number < CERTS_SERIAL_RANDOM_MIN && number > *serial)
        *serial = number;
}

enum q_err issued_raise_serial(const struct certs_folder *folder, uint64_t *serial, struct certs_failure *why)
{
    return each_name(folder, ISSUED, raise_one, serial, why);
}

/* --- All certificates -------------------------------------------------------------------------------- */

struct collecting {
    const struct certs_folder *folder;
    const char *sub; /* "issued/", or "" for the exported ones */
    STACK_OF(X509) * found;
    size_t unreadable;
    bool failed;
};

static void collect_one(void *context, const char *name)
{
    struct collecting *c = context;
    uint64_t serial;
    size_t stem;
    X509 *cert;
    char *path;

    if (c->sub[0] != '\0' ? !issued_serial(name, &serial)
                          : strncmp(name, "cluster-", 8) != 0 || !has_ending(name, &stem))
        return;
    if (asprintf(&path, "%s%s", c->sub, name) < 0) {
        c->failed = true;
        return;
    }
    cert = issued_read(c->folder, path);
    free(path);
    if (cert == NULL)
        c->unreadable++;
    else if (sk_X509_push(c->found, cert) <= 0)
        c->failed = true;
}

static int by_serial(const X509 *const *a, const X509 *const *b)
{
    return ASN1_INTEGER_cmp(X509_get0_serialNumber(*a), X509_get0_serialNumber(*b));
}

enum q_err issued_each(const struct certs_folder *folder, void (*on_certificate)(void *context, X509 *cert),
                       void *context, size_t *unreadable, struct certs_failure *why)
{
    struct collecting c = {.folder = folder, .sub = ISSUED "/", .found = sk_X509_new(by_serial)};
    enum q_err err =
        c.found != NULL ? each_name(folder, ISSUED, collect_one, &c, why) : certs_fail_memory(why);

    c.sub = "";
    if (err == Q_OK)
        err = each_name(folder, ".", collect_one, &c, why);
    if (err == Q_OK && c.failed)
        err = certs_fail_memory(why);
    if (err == Q_OK) {
        sk_X509_sort(c.found);
        /* The newest of a cluster is there under both names. */
        for (int i = 0; i < sk_X509_num(c.found); i++) {
            if (i == 0 || !certs_same(sk_X509_value(c.found, i - 1), sk_X509_value(c.found, i)))
                on_certificate(context, sk_X509_value(c.found, i));
        }
    }
    *unreadable = c.unreadable;
    sk_X509_pop_free(c.found, X509_free);
    return err;
}

/* --- Names ------------------------------------------------------------------------------------------- */

void issued_common_name(const X509 *cert, char *text, size_t size)
{
    const X509_NAME *subject = X509_get_subject_name(cert);
    unsigned char *utf8 = NULL;
    int at = -1, last = -1, length;

    text[0] = '\0';
    while ((at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0)
        last = at;
    if (last < 0)
        return;
    length = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)));
    if (length > 0 && memchr(utf8, '\0', (size_t)length) == NULL)
        snprintf(text, size, "%.*s", length, (const char *)utf8);
    OPENSSL_free(utf8);
}

struct comparing {
    const char *name;
    char other[512];
};

static void compare_one(void *context, X509 *cert)
{
    struct comparing *c = context;
    char name[512];

    issued_common_name(cert, name, sizeof(name));
    if (certs_name_same(name, c->name) && strcmp(name, c->name) != 0)
        memcpy(c->other, name, sizeof(name));
}

enum q_err issued_check_case(const struct certs_folder *folder, const char *cluster_name,
                             struct certs_failure *why)
{
    struct comparing c = {.name = cluster_name};
    size_t unreadable;
    enum q_err err = issued_each(folder, compare_one, &c, &unreadable, why);

    if (err != Q_OK || c.other[0] == '\0')
        return err;
    return certs_fail(
        why, Q_ERR_INVALID,
        "There is a certificate for the cluster \"%s\", whose name differs from \"%s\" in the case of letters "
        "only: arbiters ignore that, so that each could pose as the other. Spell it like that if that cluster is meant, "
        "else choose another name.",
        c.other, cluster_name);
}
