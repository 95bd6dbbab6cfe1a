/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files that the certificate tools read: the first byte chooses what the rest is taken for. Whatever is accepted must pass
 * through the checks and encoders. PKCS #12 is left to OpenSSL's own fuzzing: its rounds of derivation are the file's to choose.
 */
#include <stdint.h>
#include <string.h>

#include "certs/x509/chain.h"
#include "certs/x509/decode.h"
#include "certs/x509/encode.h"
#include "certs/x509/issue.h"
#include "certs/store/issued.h"
#include "certs/logic/conf_value.h"
#include "certs/logic/name.h"
#include "certs/logic/serial.h"

static struct certs_failure why;

static void certificates(const uint8_t *bytes, size_t size)
{
    struct certs_identity identity = {0};
    STACK_OF(X509) * list;
    struct q_buf out;
    char name[64];

    if (certs_decode_certificates("file", bytes, size, &list, &why) != Q_OK)
        return;
    (void)chain_check_authorities(list, &why);
    identity.cert = sk_X509_value(list, 0);
    identity.authorities = list;
    (void)chain_check_client(&identity, &why);
    (void)chain_check_server(&identity, &why);
    issued_common_name(identity.cert, name, sizeof(name));
    q_buf_init(&out);
    (void)certs_encode_exported(identity.cert, &out, &why);
    q_buf_fini(&out);
    sk_X509_pop_free(list, X509_free);
}

static void request(const uint8_t *bytes, size_t size)
{
    X509_REQ *req;
    EVP_PKEY *key;

    if (certs_decode_request("file", bytes, size, &req, &why) != Q_OK)
        return;
    if (certs_request_key(req, &key, &why) == Q_OK)
        EVP_PKEY_free(key);
    X509_REQ_free(req);
}

static void key_file(const uint8_t *bytes, size_t size)
{
    EVP_PKEY *key;

    if (certs_decode_key("file", bytes, size, &key, &why) == Q_OK)
        EVP_PKEY_free(key);
}

static void texts(const uint8_t *bytes, size_t size)
{
    char name[300];
    char value[CONF_VALUE_SIZE];
    uint64_t serial;

    (void)certs_serial_parse(bytes, size, &serial);
    (void)conf_value((const char *)bytes, size, "totem.cluster_name", value);
    if (size >= sizeof(name))
        return;
    memcpy(name, bytes, size);
    name[size] = '\0';
    (void)certs_name_fault(name);
    (void)certs_node_name_fault(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > CERTS_FILE_SIZE_MAX)
        return 0;
    switch (data[0] & 3) {
    case 0:
        certificates(data + 1, size - 1);
        break;
    case 1:
        request(data + 1, size - 1);
        break;
    case 2:
        key_file(data + 1, size - 1);
        break;
    default:
        texts(data + 1, size - 1);
        break;
    }
    return 0;
}
