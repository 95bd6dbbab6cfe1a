/* SPDX-License-Identifier: BSD-3-Clause */
#include "certs/enrol/signer.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/x509.h>

#include "certs/store/authority.h"
#include "certs/x509/issue.h"

/* What the process says: this byte, then the certificate; or the other, then words. A zero byte ends both. */
#define SAYS_SIGNED 's'
#define SAYS_FAILED 'f'
#define ANSWER_SIZE_MAX 32768
#define SIGN_TIMEOUT_S 20

void signer_init(struct signer *signer)
{
    *signer = (struct signer){.fd = -1};
    q_buf_init(&signer->answer);
}

static void reap(struct signer *signer)
{
    if (signer->pid > 0) {
        kill(signer->pid, SIGKILL);
        while (waitpid(signer->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    signer->pid = 0;
    if (signer->fd >= 0)
        close(signer->fd);
    signer->fd = -1;
}

void signer_fini(struct signer *signer)
{
    reap(signer);
    q_buf_fini(&signer->answer);
}

/* ---- in the process of its own ---------------------------------------------------------------------------------- */

static enum q_err sign(const struct signer_order *order, X509 **cert, struct certs_failure *why)
{
    struct certs_client_order what = {.cluster_name = order->cluster,
                                      .cluster = order->identity,
                                      .node_name = order->node,
                                      .serial = order->serial,
                                      .now = (int64_t)time(NULL)};
    const unsigned char *at = order->request;
    X509_REQ *request = d2i_X509_REQ(NULL, &at, (long)order->request_size);
    struct certs_authority *authority = NULL;
    enum q_err err = request == NULL ? certs_fail_openssl(why, "The request cannot be read") : Q_OK;

    if (err == Q_OK)
        err = certs_request_key(request, &what.public_key, why);
    if (err == Q_OK)
        err = certs_authority_open(order->place, order->serial == 0 ? CERTS_CHANGE : CERTS_READ, &authority, why);
    if (err == Q_OK)
        err = certs_authority_issue(authority, &what, cert, why);
    certs_authority_close(authority);
    EVP_PKEY_free(what.public_key);
    X509_REQ_free(request);
    return err;
}

static void append_certificate(struct q_buf *out, X509 *cert)
{
    uint8_t *der = NULL;
    int size = i2d_X509(cert, &der);

    if (size > 0)
        q_buf_append(out, der, (size_t)size);
    OPENSSL_free(der);
}

static void write_all(int fd, const struct q_buf *answer)
{
    const uint8_t *at = q_buf_bytes(answer);
    size_t left = answer->size;

    while (left > 0) {
        ssize_t count = write(fd, at, left);

        if (count < 0 && errno != EINTR)
            return;
        if (count > 0) {
            at += count;
            left -= (size_t)count;
        }
    }
}

static void work(int fd, const struct signer_order *order)
{
    struct certs_failure why = {.text = ""};
    struct q_buf answer;
    X509 *cert = NULL;

    alarm(SIGN_TIMEOUT_S);
    q_buf_init(&answer);
    if (sign(order, &cert, &why) == Q_OK) {
        q_buf_append_u8(&answer, SAYS_SIGNED);
        append_certificate(&answer, cert);
    } else {
        q_buf_append_u8(&answer, SAYS_FAILED);
        q_buf_append(&answer, why.text, strlen(why.text));
    }
    q_buf_append_u8(&answer, 0);
    write_all(fd, &answer);
}

/* Nothing of the program's connections, nor of its readers, is to live on here. */
static void close_all_but(int fd)
{
    if (fd != 3) {
        dup3(fd, 3, O_CLOEXEC);
        fd = 3;
    }
    (void)close_range((unsigned)fd + 1, ~0u, 0);
}

enum q_err signer_start(struct signer *signer, const struct signer_order *order)
{
    int fds[2];

    assert(signer->pid == 0 && signer->fd < 0);
    q_buf_reset(&signer->answer);
    if (pipe2(fds, O_CLOEXEC) != 0)
        return Q_ERR_IO;
    signer->pid = fork();
    if (signer->pid < 0) {
        signer->pid = 0;
        close(fds[0]);
        close(fds[1]);
        return Q_ERR_IO;
    }
    if (signer->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGALRM, SIG_DFL);
        close_all_but(fds[1]);
        work(3, order);
        _exit(0);
    }
    close(fds[1]);
    signer->fd = fds[0];
    return fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0 ? Q_OK : Q_ERR_IO;
}

/* ---- in the program --------------------------------------------------------------------------------------------- */

enum q_err signer_take(struct signer *signer, const uint8_t **certificate, size_t *size, const char **why)
{
    const uint8_t *bytes;

    for (;;) {
        uint8_t *room = q_buf_reserve(&signer->answer, 4096);
        ssize_t count = room == NULL ? 0 : read(signer->fd, room, 4096);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno == EAGAIN)
            return Q_ERR_AGAIN;
        if (count <= 0 || signer->answer.size > ANSWER_SIZE_MAX)
            break;
        q_buf_commit(&signer->answer, (size_t)count);
    }
    reap(signer);
    bytes = q_buf_bytes(&signer->answer);
    *size = signer->answer.size;
    *why = "the signing process ended without a word";
    if (*size < 3 || bytes[*size - 1] != 0)
        return Q_ERR_IO;
    *size -= 2;
    *certificate = bytes + 1;
    if (bytes[0] == SAYS_SIGNED)
        return Q_OK;
    *why = (const char *)bytes + 1;
    return Q_ERR_INVALID;
}
