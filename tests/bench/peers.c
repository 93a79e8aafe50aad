/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Peers, asked as mail servers ask them. Each has its own connection, kept if the protocol allows.
 */
#include "operation.h"
#include <arpa/inet.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_SIZE 8192

struct peer {
    const char *path;
    const char *user;
    const char *password;
    int fd;
    unsigned last_id;
    char buffer[BUFFER_SIZE]; /* received, not read yet */
    size_t length;
};

static struct peer *new_peer(char *const *word)
{
    struct peer *peer = calloc(1, sizeof *peer);

    peer->path = word[0];
    peer->user = word[1];
    peer->password = word[2];
    return peer;
}

static void receive(struct peer *peer)
{
    ssize_t count = recv(peer->fd, peer->buffer + peer->length, BUFFER_SIZE - 1 - peer->length, 0);

    if (count <= 0)
        fail("%s: %s", peer->path, count == 0 ? "closed" : strerror(errno));
    peer->length += (size_t)count;
}

/* ---- Dovecot's auth socket, as Postfix asks (Dovecot's "Authentication Protocol", 1.x) ---- */

/* The next line, without its line end. */
static void take_line(struct peer *peer, char line_r[BUFFER_SIZE])
{
    char *end;
    size_t length;

    while ((end = memchr(peer->buffer, '\n', peer->length)) == NULL)
        receive(peer);
    length = (size_t)(end - peer->buffer);
    memcpy(line_r, peer->buffer, length);
    line_r[length] = '\0';
    peer->length -= length + 1;
    memmove(peer->buffer, end + 1, peer->length);
}

static void *dovecot_open(char *const *word)
{
    struct peer *peer = new_peer(word);
    char line[BUFFER_SIZE];
    int length;

    peer->fd = connect_unix(peer->path);
    length = snprintf(line, sizeof line, "VERSION\t1\t1\nCPID\t%d\n", (int)getpid());
    send_all(peer->fd, line, (size_t)length);
    do
        take_line(peer, line);
    while (strcmp(line, "DONE") != 0);
    return peer;
}

/* The initial response of PLAIN (RFC 4616) in base64. */
static void encode_plain(const char *name, const char *password, char text_r[1024])
{
    char message[512];
    int length = snprintf(message, sizeof message, "%c%s%c%s", '\0', name, '\0', password);

    sodium_bin2base64(text_r, 1024, (unsigned char *)message, (size_t)length,
                      sodium_base64_VARIANT_ORIGINAL);
}

static bool dovecot_run(void *state, unsigned user)
{
    struct peer *peer = state;
    char name[NAME_SIZE], response[1024], line[BUFFER_SIZE], wanted[32];
    int length;

    user_name(peer->user, user, name);
    encode_plain(name, peer->password, response);
    length = snprintf(line, sizeof line,
                      "AUTH\t%u\tPLAIN\tservice=smtp\tnologin\trip=192.0.2.17\tsecured\tresp=%s\n",
                      ++peer->last_id, response);
    send_all(peer->fd, line, (size_t)length);
    take_line(peer, line);
    snprintf(wanted, sizeof wanted, "OK\t%u\t", peer->last_id);
    return strncmp(line, wanted, strlen(wanted)) == 0;
}

const struct kind dovecot_kind = {"dovecot", "SOCKET, USER, PASSWORD", 3, dovecot_open, dovecot_run,
                                  NULL};

/* ---- saslauthd, as libsasl2 asks: one connection a login, four counted strings ---- */

static void *saslauthd_open(char *const *word)
{
    return new_peer(word);
}

static size_t append_counted(char *message, const char *text)
{
    uint16_t count = htons((uint16_t)strlen(text));

    memcpy(message, &count, sizeof count);
    memcpy(message + sizeof count, text, strlen(text));
    return sizeof count + strlen(text);
}

static bool saslauthd_run(void *state, unsigned user)
{
    struct peer *peer = state;
    char name[NAME_SIZE], message[2048];
    size_t length;

    user_name(peer->user, user, name);
    length = append_counted(message, name);
    length += append_counted(message + length, peer->password);
    length += append_counted(message + length, "smtp");
    length += append_counted(message + length, "");
    peer->fd = connect_unix(peer->path);
    send_all(peer->fd, message, length);
    for (peer->length = 0; peer->length < 4;)
        receive(peer);
    close(peer->fd);
    return memcmp(peer->buffer + 2, "OK", 2) == 0;
}

const struct kind saslauthd_kind = {
    "saslauthd", "SOCKET, USER, PASSWORD", 3, saslauthd_open, saslauthd_run, NULL};
