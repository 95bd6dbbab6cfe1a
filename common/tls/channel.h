/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A byte stream over a connected non-blocking socket that starts in plain text and can be upgraded to
 * TLS in place (qnet-protocol 10). The caller owns the descriptor and the readiness loop and closes the
 * descriptor after tls_channel_fini. The structure is embedded and must not move once started, since
 * OpenSSL keeps its address. Order of life: init, any reads and writes in plain text, optionally start,
 * handshake until Q_OK, reads and writes under TLS, optionally shutdown, fini. After any error other
 * than Q_ERR_AGAIN only tls_channel_error, _end, _shutdown and _fini make sense; later calls repeat it.
 *
 * Readiness. Q_ERR_AGAIN comes with tls_channel_want, the direction to wait for; a read may want
 * writing and the reverse. Decrypted bytes may be waiting inside the channel while the socket is silent:
 * read until Q_ERR_AGAIN, or come back on your own while tls_channel_pending says so. The loop must be level
 * triggered, since a call that has done enough for one peer ends with Q_ERR_AGAIN although the socket has
 * more. No call raises SIGPIPE. The OpenSSL error queue is left empty.
 */
#ifndef QUORATE_COMMON_TLS_CHANNEL_H
#define QUORATE_COMMON_TLS_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* alert_in and alert_out when there was none; no alert has this number. */
#define TLS_ALERT_NONE 255

struct iovec;
struct ssl_st;
struct tls_credentials;
struct tls_peer_names;

enum tls_channel_state {
    TLS_CHANNEL_PLAIN,
    TLS_CHANNEL_HANDSHAKE, /* started; tls_channel_handshake has not succeeded yet */
    TLS_CHANNEL_SECURE,
    TLS_CHANNEL_DEAD /* ended or failed; see tls_channel_end and tls_channel_error */
};

enum tls_want { TLS_WANT_NOTHING, TLS_WANT_READ, TLS_WANT_WRITE };

/* How a channel ended. */
enum tls_end {
    TLS_END_NONE,   /* it has not */
    TLS_END_CLEAN,  /* TLS close_notify, or in plain text the end of the stream */
    TLS_END_EOF,    /* the stream ended without close_notify (usual for peers that just exit) */
    TLS_END_RESET,  /* connection reset, broken pipe, timed out, host unreachable */
    TLS_END_REFUSED /* TLS failed: not TLS at all, no common version, certificate refused by a side, garbage */
};

/* Private to channel.c, except that it is embedded. */
struct tls_channel {
    int fd;
    uint8_t state; /* enum tls_channel_state */
    uint8_t want;  /* enum tls_want */
    uint8_t end;   /* enum tls_end */
    bool handshake_done;
    bool first_byte_seen;   /* the peer's first byte after start has been looked at */
    bool would_block;       /* the socket said so during this call */
    bool drained;           /* OpenSSL has used up all it has read, but for part of a record */
    bool eof;               /* the socket reported the end of the stream */
    bool send_broken;       /* the peer takes nothing more; what it said before may lie unread */
    bool not_tls;           /* the first byte was none of TLS */
    uint8_t alert_in;       /* fatal alert received, TLS_ALERT_NONE */
    uint8_t alert_out;      /* fatal alert sent */
    uint8_t idle_records;   /* TLS control records since the last application data */
    uint8_t reads_left;     /* of the socket, in this call */
    bool cut_short;         /* the call ended because they were used up */
    uint16_t cut_count;     /* how often during the handshake */
    int socket_errno;       /* of the last failed socket call */
    uint32_t write_offered; /* bytes of the write that OpenSSL has half sent; must be offered again */
    struct ssl_st *ssl;
    struct tls_credentials *creds;
    struct tls_peer_names *peer;
    char *error; /* sentence on the failure, NULL as long as there is none */
};

/* Begin in plain text over fd: connected, non-blocking, stays the caller's. Cannot fail. */
void tls_channel_init(struct tls_channel *ch, int fd);

/*
 * Switch to TLS in the role of creds; takes its own reference. Everything written before must have been
 * flushed, and nothing that belongs to the handshake may have been read: the next byte on the socket, in
 * both directions, is the handshake's. Does no I/O: call tls_channel_handshake right after it, since a
 * server may have the ClientHello in its socket already, and a client has to send one.
 * Once per channel. Q_ERR_NO_MEMORY.
 */
enum q_err tls_channel_start(struct tls_channel *ch, struct tls_credentials *creds);

/*
 * Go on with the handshake. Q_OK: complete, certificate checked, tls_channel_peer is set if the peer
 * showed one, and application data may be waiting already: try to read at once. Q_ERR_AGAIN: see
 * tls_channel_want. Q_ERR_INVALID: TLS failed (plain text, version, certificate, name...); an alert has
 * been sent where possible. Q_ERR_CLOSED: the peer went away. Q_ERR_IO.
 */
enum q_err tls_channel_handshake(struct tls_channel *ch);

/*
 * Read up to size (> 0) bytes; *count > 0 with Q_OK, 0 otherwise. Q_ERR_AGAIN; Q_ERR_CLOSED: the peer ended
 * the stream or reset it, tls_channel_end says how; Q_ERR_INVALID: it broke TLS; Q_ERR_IO.
 * Not to be called between start and the success of handshake.
 */
enum q_err tls_channel_read(struct tls_channel *ch, void *buf, size_t size, size_t *count);

/*
 * Write up to size (> 0) bytes; Q_OK with *count > 0 if any has been taken over, possibly fewer than size.
 * After Q_ERR_AGAIN the next write must begin with the same bytes, of which more may follow; that holds
 * by itself when the caller keeps a queue and removes only what *count covered.
 */
enum q_err tls_channel_write(struct tls_channel *ch, const void *buf, size_t size, size_t *count);

/*
 * The same for several pieces, the first bytes first: small pieces leave together in one TLS record
 * (up to 16 KiB) or one segment. iov_count > 0, at least one byte in total; *iov is not changed.
 */
enum q_err tls_channel_writev(struct tls_channel *ch, const struct iovec *iov, size_t iov_count,
                              size_t *count);

/* Whether a read can give bytes although the socket may be silent. */
bool tls_channel_pending(const struct tls_channel *ch);

/* What to wait for after Q_ERR_AGAIN. */
enum tls_want tls_channel_want(const struct tls_channel *ch);

enum tls_channel_state tls_channel_state(const struct tls_channel *ch);

enum tls_end tls_channel_end(const struct tls_channel *ch);

/* Why the channel ended or failed: a phrase like "TLS handshake failed: the peer's certificate CN=alpha:
 * certificate has expired"; "" as long as it works. Lives until fini. */
const char *tls_channel_error(const struct tls_channel *ch);

/* Names and validity of the peer's certificate; NULL before the handshake or if it showed none. */
const struct tls_peer_names *tls_channel_peer(const struct tls_channel *ch);

/* "TLSv1.3" or "TLSv1.2" once the handshake has succeeded, also when the channel has ended since; else "". */
const char *tls_channel_version(const struct tls_channel *ch);

/* Say goodbye (close_notify) as far as the socket takes it right now. Never blocks, never fails. */
void tls_channel_shutdown(struct tls_channel *ch);

/* Free everything but the descriptor. Allowed in every state after init, and once more after itself. */
void tls_channel_fini(struct tls_channel *ch);

#endif
