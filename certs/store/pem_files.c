/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/store/pem_files.h"

#include <stdlib.h>
#include <string.h>

#include "certs/x509/decode.h"
#include "certs/x509/encode.h"

/* --- Reading ---------------------------------------------------------------------------------------- */

/* Reads the file and its path for the sentences; both NULL if there is no such file. */
static enum q_err read_file(const struct certs_folder *folder, const char *name, char **path, char **bytes,
                            size_t *size, struct certs_failure *why)
{
    *path = NULL;
    *bytes = NULL;
    *size = 0;
    if (!certs_folder_has(folder, name))
        return Q_OK;
    *path = certs_folder_path(folder, name);
    if (*path == NULL)
        return certs_fail_memory(why);
    return certs_folder_read(folder, name, bytes, size, why);
}

static void free_file(char *path, char *bytes, size_t size)
{
    if (bytes != NULL)
        explicit_bzero(bytes, size);
    free(bytes);
    free(path);
}

enum q_err pem_read_identity(const struct certs_folder *folder, const char *name, struct certs_identity *out,
                             struct certs_failure *why)
{
    char *path, *bytes;
    size_t size;
    enum q_err err = read_file(folder, name, &path, &bytes, &size, why);

    if (err == Q_OK && bytes != NULL)
        err = certs_decode_certificates(path, bytes, size, &out->intermediates, why);
    if (err == Q_OK && bytes != NULL) {
        out->cert = sk_X509_shift(out->intermediates);
        err = certs_decode_key(path, bytes, size, &out->key, why);
    }
    free_file(path, bytes, size);
    return err;
}

enum q_err pem_read_certificates(const struct certs_folder *folder, const char *name, STACK_OF(X509) * *out,
                                 struct certs_failure *why)
{
    char *path, *bytes;
    size_t size;
    enum q_err err = read_file(folder, name, &path, &bytes, &size, why);

    if (err == Q_OK && bytes != NULL)
        err = certs_decode_certificates(path, bytes, size, out, why);
    free_file(path, bytes, size);
    return err;
}

enum q_err pem_read_key(const struct certs_folder *folder, const char *name, EVP_PKEY **out,
                        struct certs_failure *why)
{
    char *path, *bytes;
    size_t size;
    enum q_err err = read_file(folder, name, &path, &bytes, &size, why);

    if (err == Q_OK && bytes != NULL)
        err = certs_decode_key(path, bytes, size, out, why);
    free_file(path, bytes, size);
    return err;
}

enum q_err pem_read_keys(const struct certs_folder *folder, const char *name, EVP_PKEY **keys, size_t max, size_t *count,
                         struct certs_failure *why)
{
    char *path, *bytes;
    size_t size;
    enum q_err err = read_file(folder, name, &path, &bytes, &size, why);

    *count = 0;
    if (err == Q_OK && bytes != NULL)
        err = certs_decode_keys(path, bytes, size, keys, max, count, why);
    free_file(path, bytes, size);
    return err;
}

/* --- Writing ---------------------------------------------------------------------------------------- */

static enum q_err write_file(struct certs_folder *folder, const char *name, struct q_buf *text, mode_t mode,
                             enum q_err err, struct certs_failure *why)
{
    if (err == Q_OK)
        err = certs_folder_write(folder, name, q_buf_bytes(text), text->size, mode, why);
    certs_buf_clean(text);
    return err;
}

enum q_err pem_write_identity(struct certs_folder *folder, const char *name,
                              const struct certs_identity *identity, struct certs_failure *why)
{
    struct q_buf text;
    enum q_err err;

    q_buf_init(&text);
    err = certs_encode_pem(identity->cert, &text, why);
    if (err == Q_OK)
        err = certs_encode_pem_list(identity->intermediates, &text, why);
    if (err == Q_OK)
        err = certs_encode_pem_key(identity->key, &text, why);
    return write_file(folder, name, &text, CERTS_MODE_SHARED, err, why);
}

enum q_err pem_write_certificates(struct certs_folder *folder, const char *name, const STACK_OF(X509) * list,
                                  struct certs_failure *why)
{
    struct q_buf text;

    q_buf_init(&text);
    return write_file(folder, name, &text, CERTS_MODE_PUBLIC, certs_encode_pem_list(list, &text, why), why);
}

enum q_err pem_write_key(struct certs_folder *folder, const char *name, const EVP_PKEY *key,
                         struct certs_failure *why)
{
    struct q_buf text;

    q_buf_init(&text);
    return write_file(folder, name, &text, CERTS_MODE_SHARED, certs_encode_pem_key(key, &text, why), why);
}

enum q_err pem_write_keys(struct certs_folder *folder, const char *name, EVP_PKEY *const *keys, size_t count,
                          struct certs_failure *why)
{
    enum q_err err = Q_OK;
    struct q_buf text;

    q_buf_init(&text);
    for (size_t i = 0; err == Q_OK && i < count; i++)
        err = certs_encode_pem_key(keys[i], &text, why);
    return write_file(folder, name, &text, CERTS_MODE_SHARED, err, why);
}
