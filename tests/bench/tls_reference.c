/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench-tls-reference: the least a TLS server can do, as a yardstick for the arbiters. One process, one epoll set:
 * accepts, does a mutual TLS handshake as OpenSSL does it (client certificate required and verified, no session tickets,
 * no session cache), keeps the connection, and sends back whatever it reads. It is stopped by a signal.
 *
 *   bench-tls-reference PORT DIRECTORY     (DIRECTORY as written by bench-credentials)
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#define LISTEN_BACKLOG 4096
#define EVENTS_MAX 64
#define READ_SIZE 4096

struct connection {
    int fd;
    SSL *ssl;
};

static void die(const char *what)
{
    fprintf(stderr, "bench-tls-reference: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static SSL_CTX *make_context(const char *dir)
{
    char cert[4096], key[4096], ca[4096];
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    snprintf(cert, sizeof(cert), "%s/server.pem", dir);
    snprintf(key, sizeof(key), "%s/server-key.pem", dir);
    snprintf(ca, sizeof(ca), "%s/ca.pem", dir);
    if (ctx == NULL || SSL_CTX_use_certificate_file(ctx, cert, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_load_verify_file(ctx, ca) != 1 || SSL_CTX_set_num_tickets(ctx, 0) != 1)
        die("cannot load the credentials");
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    return ctx;
}

static int listen_on(uint16_t port)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) != 0 ||
        bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 || listen(fd, LISTEN_BACKLOG) != 0) {
        perror("bench-tls-reference: listen");
        exit(1);
    }
    return fd;
}

static void drop(struct connection *conn)
{
    SSL_free(conn->ssl);
    close(conn->fd);
    free(conn);
}

static void accept_all(int epoll_fd, int listen_fd, SSL_CTX *ctx)
{
    for (;;) {
        int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        struct connection *conn = calloc(1, sizeof(*conn));
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = conn};
        if (conn == NULL || (conn->ssl = SSL_new(ctx)) == NULL)
            die("out of memory");
        conn->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        SSL_set_fd(conn->ssl, fd);
        SSL_set_accept_state(conn->ssl);
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
            die("epoll_ctl");
    }
}

/* SSL_read also carries the handshake on. */
static void on_readable(struct connection *conn)
{
    char bytes[READ_SIZE];
    int size;

    while ((size = SSL_read(conn->ssl, bytes, sizeof(bytes))) > 0) {
        if (SSL_write(conn->ssl, bytes, size) != size) {
            drop(conn);
            return;
        }
    }
    if (SSL_get_error(conn->ssl, size) != SSL_ERROR_WANT_READ) {
        ERR_clear_error();
        drop(conn);
    }
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS_MAX];

    if (argc != 3)
        die("usage: bench-tls-reference PORT DIRECTORY");
    signal(SIGPIPE, SIG_IGN);
    SSL_CTX *ctx = make_context(argv[2]);
    int listen_fd = listen_on((uint16_t)strtoul(argv[1], NULL, 10));
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event listening = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listen_fd, &listening) != 0)
        die("epoll");
    for (;;) {
        int count = epoll_wait(epoll_fd, events, EVENTS_MAX, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == NULL)
                accept_all(epoll_fd, listen_fd, ctx);
            else
                on_readable(events[i].data.ptr);
        }
    }
}
