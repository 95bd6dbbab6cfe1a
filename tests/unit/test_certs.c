/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/test_certs.h"

#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#define DAY_S (24L * 60 * 60)

extern char **environ;

/* Unlike assert also in builds without assertions, and with OpenSSL's words. */
static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "test certificates: %s\n", what);
    ERR_print_errors_fp(stderr);
    abort();
}

/* --- Certificates --------------------------------------------------------------------------------- */

static EVP_PKEY *make_key(enum test_key_kind kind)
{
    EVP_PKEY *key = kind == TEST_KEY_RSA_2048 ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");

    must(key != NULL, "cannot make a key");
    return key;
}

static void add_extension(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    must(extension != NULL && X509_add_ext(cert, extension, -1) == 1, value);
    X509_EXTENSION_free(extension);
}

/* By hand rather than by configuration text, so that any byte can be in a name. */
static void add_alternatives(X509 *cert, const char *const *alternatives)
{
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();

    for (; *alternatives != NULL; alternatives++) {
        bool dns = strncmp(*alternatives, "DNS:", 4) == 0;
        GENERAL_NAME *name = GENERAL_NAME_new();

        must(name != NULL, "no memory");
        if (dns) {
            ASN1_IA5STRING *text = ASN1_IA5STRING_new();

            must(text != NULL && ASN1_STRING_set(text, *alternatives + 4, -1) == 1, "no memory");
            GENERAL_NAME_set0_value(name, GEN_DNS, text);
        } else if (strncmp(*alternatives, "URI:", 4) == 0) {
            ASN1_IA5STRING *text = ASN1_IA5STRING_new();

            must(text != NULL && ASN1_STRING_set(text, *alternatives + 4, -1) == 1, "no memory");
            GENERAL_NAME_set0_value(name, GEN_URI, text);
        } else {
            ASN1_OCTET_STRING *address = a2i_IPADDRESS(*alternatives + 3);

            must(address != NULL, *alternatives);
            GENERAL_NAME_set0_value(name, GEN_IPADD, address);
        }
        must(sk_GENERAL_NAME_push(names, name) > 0, "no memory");
    }
    must(X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, 0) == 1, "alternative names");
    GENERAL_NAMES_free(names);
}

static void set_subject(X509 *cert, const struct test_cert_wish *wish)
{
    X509_NAME *name = X509_NAME_new();
    size_t length;

    must(name != NULL, "no memory");
    if (wish->common_name != NULL) {
        length = wish->common_name_length != 0 ? wish->common_name_length : strlen(wish->common_name);
        /* ASN1_STRING by type: the convenient way would refuse names over 64 bytes. */
        X509_NAME_ENTRY *entry = X509_NAME_ENTRY_create_by_NID(
            NULL, NID_commonName, V_ASN1_UTF8STRING, (const unsigned char *)wish->common_name, (int)length);
        must(entry != NULL && X509_NAME_add_entry(name, entry, -1, 0) == 1, "common name");
        X509_NAME_ENTRY_free(entry);
    }
    must(X509_set_subject_name(cert, name) == 1, "subject");
    X509_NAME_free(name);
}

struct test_cert test_cert_make(const struct test_cert_wish *wish, const struct test_cert *issuer)
{
    static long serial = 100;
    struct test_cert made = {.cert = X509_new(), .key = wish->key};
    const struct test_cert *by = issuer != NULL ? issuer : &made;
    long before = wish->not_before_offset_s != 0 ? wish->not_before_offset_s : -DAY_S;
    long after = wish->not_after_offset_s != 0 ? wish->not_after_offset_s : 3650 * DAY_S;
    char constraints[64];

    if (made.key != NULL)
        EVP_PKEY_up_ref(made.key);
    else
        made.key = make_key(wish->key_kind);
    must(made.cert != NULL && X509_set_version(made.cert, X509_VERSION_3) == 1, "no memory");
    ASN1_INTEGER_set(X509_get_serialNumber(made.cert), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(made.cert), before);
    X509_gmtime_adj(X509_getm_notAfter(made.cert), after);
    set_subject(made.cert, wish);
    must(X509_set_issuer_name(made.cert, X509_get_subject_name(by->cert)) == 1 &&
             X509_set_pubkey(made.cert, made.key) == 1,
         "issuer and key");
    if (wish->is_authority) {
        snprintf(constraints, sizeof(constraints), "critical,CA:TRUE,pathlen:%d", wish->path_length);
        add_extension(made.cert, NID_basic_constraints, constraints);
    }
    if (wish->alternatives != NULL)
        add_alternatives(made.cert, wish->alternatives);
    must(X509_sign(made.cert, by->key, EVP_sha256()) > 0, "signature");
    return made;
}

struct test_cert test_cert_authority(const char *common_name)
{
    return test_cert_make(&(struct test_cert_wish){.common_name = common_name, .is_authority = true}, NULL);
}

struct test_cert test_cert_leaf(const char *common_name, const struct test_cert *issuer)
{
    return test_cert_make(&(struct test_cert_wish){.common_name = common_name}, issuer);
}

void test_cert_free(struct test_cert *cert)
{
    X509_free(cert->cert);
    EVP_PKEY_free(cert->key);
    *cert = (struct test_cert){0};
}

/* --- Files ---------------------------------------------------------------------------------------- */

char *test_dir_make(void)
{
    const char *parent = getenv("TMPDIR");
    char *dir;

    must(asprintf(&dir, "%s/quorate-test-XXXXXX", parent != NULL ? parent : "/tmp") > 0, "no memory");
    must(mkdtemp(dir) != NULL, dir);
    return dir;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

void test_dir_remove(char *dir)
{
    must(nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0, dir);
    free(dir);
}

char *test_path(const char *dir, const char *name)
{
    char *path;

    must(asprintf(&path, "%s/%s", dir, name) > 0, "no memory");
    return path;
}

void test_write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    must(file != NULL, path);
    fputs(text, file);
    must(fclose(file) == 0, path);
}

void test_write_certs(const char *path, const struct test_cert *const *certs)
{
    FILE *file = fopen(path, "we");

    must(file != NULL, path);
    for (; *certs != NULL; certs++)
        must(PEM_write_X509(file, (*certs)->cert) == 1, path);
    must(fclose(file) == 0, path);
}

void test_write_key(const char *path, EVP_PKEY *key)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

    must(file != NULL, path);
    must(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1, path);
    must(fclose(file) == 0, path);
}

struct tls_source_pem test_pem_source(const char *dir, const char *name, const struct test_cert *own,
                                      const struct test_cert *ca)
{
    char file[256];
    struct tls_source_pem src;

    snprintf(file, sizeof(file), "%s.crt", name);
    src.cert_file = test_path(dir, file);
    snprintf(file, sizeof(file), "%s.key", name);
    src.key_file = test_path(dir, file);
    snprintf(file, sizeof(file), "%s-ca.crt", name);
    src.ca_file = test_path(dir, file);
    test_write_certs(src.cert_file, (const struct test_cert *[]){own, NULL});
    test_write_key(src.key_file, own->key);
    test_write_certs(src.ca_file, (const struct test_cert *[]){ca, NULL});
    return src;
}

void test_pem_source_free(struct tls_source_pem *src)
{
    free((char *)src->cert_file);
    free((char *)src->key_file);
    free((char *)src->ca_file);
}

struct tls_credentials *test_credentials(const struct tls_credentials_source *like, enum tls_role role,
                                         const struct test_cert *own, const struct test_cert *ca)
{
    struct tls_credentials_source src = *like;
    struct tls_credentials *creds = NULL;
    char text[TLS_CREDENTIALS_ERR_SIZE];
    char *dir = test_dir_make();

    src.kind = TLS_SOURCE_PEM;
    src.pem = test_pem_source(dir, "own", own, ca);
    (void)tls_credentials_load(&src, role, &creds, text, sizeof(text));
    must(creds != NULL, text);
    test_pem_source_free(&src.pem);
    test_dir_remove(dir);
    return creds;
}

bool test_run(const char *const *argv, const char *input)
{
    posix_spawn_file_actions_t actions;
    int status = -1;
    pid_t pid;
    int err;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0);
    for (int fd = 1; fd <= 2; fd++)
        posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_WRONLY, 0);
    err = posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (err != 0 || waitpid(pid, &status, 0) != pid)
        return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
