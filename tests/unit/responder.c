/* SPDX-License-Identifier: BSD-2-Clause */
#include "responder.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 32
#define WAKE            RESPONDER_LISTENERS /* its index in the poll set */

struct connection {
    int fd; /* -1: none */
    int listener;
    int requests;
};

/* The mutex protects everything below. Only the thread uses the connections. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static responder_answer answer;
static const void *row;
static struct seen seen;
static enum { RUN, DROP, STOP } wish;

static pthread_t thread;
static int wake[2];
static int listeners[RESPONDER_LISTENERS];
static char uris[RESPONDER_LISTENERS][512];
static struct connection connections[CONNECTIONS_MAX];

static void must(bool is_good, const char *what)
{
    if (is_good)
        return;
    perror(what);
    abort();
}

static void listen_on_loopback(int number)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    must(fd >= 0 && bind(fd, (struct sockaddr *)&address, length) == 0 && listen(fd, 16) == 0 &&
             getsockname(fd, (struct sockaddr *)&address, &length) == 0,
         "loopback");
    listeners[number] = fd;
    snprintf(uris[number], sizeof uris[number], "ldap://127.0.0.1:%d", ntohs(address.sin_port));
}

/* The URI has the path's slashes percent-encoded. */
static void listen_on_unix_socket(int number, const char *folder_path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    size_t length;

    must(fd >= 0, "Unix socket");
    length = (size_t)snprintf(address.sun_path, sizeof address.sun_path, "%s/ldapi", folder_path);
    if (length >= sizeof address.sun_path) { /* a deep TMPDIR */
        must(chdir(folder_path) == 0, folder_path);
        strcpy(address.sun_path, "./ldapi");
    }
    must(bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 16) == 0,
         address.sun_path);
    listeners[number] = fd;
    strcpy(uris[number], "ldapi://");
    for (const char *at = address.sun_path; *at != '\0'; at++)
        snprintf(uris[number] + strlen(uris[number]), 4, *at == '/' ? "%%2F" : "%c", *at);
}

/* The length of the message whose first two to six bytes are given; 0 if it is not a message. */
static size_t message_length(const unsigned char *bytes, size_t length)
{
    size_t octets, content = 0;

    if (length < 2 || bytes[0] != 0x30)
        return 0;
    if (bytes[1] < 0x80)
        return bytes[1] + 2u;
    octets = bytes[1] & 0x7f;
    if (octets > 4 || length < 2 + octets)
        return 0;
    for (size_t i = 0; i < octets; i++)
        content = content << 8 | bytes[2 + i];
    return content + 2 + octets;
}

/* Reads one message, or other bytes as they come. libldap sends a message in one piece. */
static size_t read_message(int fd, char bytes[RESPONDER_MESSAGE_SIZE])
{
    ssize_t first = recv(fd, bytes, 6, MSG_PEEK);
    size_t length = first > 0 ? message_length((unsigned char *)bytes, (size_t)first) : 0;
    ssize_t count = recv(
        fd, bytes, length > 0 && length <= RESPONDER_MESSAGE_SIZE ? length : RESPONDER_MESSAGE_SIZE,
        length > 0 && length <= RESPONDER_MESSAGE_SIZE ? MSG_WAITALL : 0);

    return count > 0 ? (size_t)count : 0;
}

static void parse(struct request *request)
{
    struct berval value = {.bv_len = request->length, .bv_val = (char *)request->bytes};
    BerElement *ber = ber_init(&value);
    ber_len_t length;

    must(ber != NULL, "ber_init");
    if (ber_scanf(ber, "{i", &request->id) != LBER_ERROR)
        request->operation = ber_peek_tag(ber, &length);
    ber_free(ber, 1);
}

static void note(const struct request *request)
{
    switch (request->operation) {
    case BIND_REQUEST:
        seen.binds++;
        memcpy(seen.bind, request->bytes, request->length);
        seen.bind_length = request->length;
        break;
    case SEARCH_REQUEST:
        seen.searches++;
        break;
    case MODIFY_REQUEST:
        seen.modifies++;
        break;
    case ADD_REQUEST:
        seen.adds++;
        break;
    case UNBIND_REQUEST:
        seen.unbinds++;
        break;
    default:
        seen.others++;
    }
}

static void drop(struct connection *connection)
{
    close(connection->fd);
    connection->fd = -1;
}

static void take_connection(int listener)
{
    const struct timeval patience = {.tv_sec = 5};

    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        if (connections[i].fd < 0) {
            connections[i] = (struct connection){.fd = accept(listeners[listener], NULL, NULL),
                                                 .listener = listener};
            setsockopt(connections[i].fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
            setsockopt(connections[i].fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
            pthread_mutex_lock(&mutex);
            seen.connections[listener]++;
            pthread_mutex_unlock(&mutex);
            return;
        }
    must(false, "too many connections");
}

static void serve(struct connection *connection)
{
    char bytes[RESPONDER_MESSAGE_SIZE];
    struct request request = {.fd = connection->fd, .listener = connection->listener};
    responder_answer answer_now;
    bool stays;

    request.bytes = bytes;
    request.length = read_message(connection->fd, bytes);
    request.number = ++connection->requests;
    pthread_mutex_lock(&mutex);
    answer_now = answer;
    request.row = row;
    if (request.length > 0) {
        parse(&request);
        note(&request);
    } else {
        seen.closed++;
        pthread_cond_broadcast(&changed);
    }
    pthread_mutex_unlock(&mutex);
    stays = request.length > 0 &&
            (request.operation == UNBIND_REQUEST || answer_now == NULL || answer_now(&request));
    if (!stays)
        drop(connection);
}

/* Those that nobody has accepted yet: their client gave up before. */
static void drop_waiting(int listener)
{
    struct pollfd polled = {.fd = listeners[listener], .events = POLLIN};

    while (poll(&polled, 1, 0) > 0)
        close(accept(listeners[listener], NULL, NULL));
}

/* Carries out `wish`; returns false to stop the thread. */
static bool obey(void)
{
    char byte;
    bool goes_on;

    must(read(wake[0], &byte, 1) == 1, "wake");
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        if (connections[i].fd >= 0)
            drop(&connections[i]);
    for (int i = 0; i < RESPONDER_LISTENERS; i++)
        drop_waiting(i);
    pthread_mutex_lock(&mutex);
    goes_on = wish != STOP;
    wish = RUN;
    seen = (struct seen){.closed = 0};
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
    return goes_on;
}

static void *run(void *argument)
{
    struct pollfd polled[RESPONDER_LISTENERS + 1 + CONNECTIONS_MAX];

    for (;;) {
        for (size_t i = 0; i < RESPONDER_LISTENERS; i++)
            polled[i] = (struct pollfd){.fd = listeners[i], .events = POLLIN};
        polled[WAKE] = (struct pollfd){.fd = wake[0], .events = POLLIN};
        for (size_t i = 0; i < CONNECTIONS_MAX; i++)
            polled[WAKE + 1 + i] = (struct pollfd){.fd = connections[i].fd, .events = POLLIN};
        if (poll(polled, sizeof polled / sizeof polled[0], -1) < 0)
            continue;
        if (polled[WAKE].revents != 0) {
            if (!obey())
                return argument;
            continue;
        }
        for (size_t i = 0; i < CONNECTIONS_MAX; i++)
            if (polled[WAKE + 1 + i].revents != 0)
                serve(&connections[i]);
        for (int i = 0; i < RESPONDER_LISTENERS; i++)
            if (polled[i].revents != 0)
                take_connection(i);
    }
}

void responder_start(const char *folder_path)
{
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        connections[i].fd = -1;
    for (int i = 0; i < RESPONDER_PORTS; i++)
        listen_on_loopback(i);
    listen_on_unix_socket(RESPONDER_PORTS, folder_path);
    must(pipe(wake) == 0, "pipe");
    must(pthread_create(&thread, NULL, run, NULL) == 0, "thread");
}

/* Passes the wish to the thread and waits until it is done. */
static void make_wish(int wished)
{
    pthread_mutex_lock(&mutex);
    wish = wished;
    must(write(wake[1], "w", 1) == 1, "wake");
    while (wish != RUN)
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
}

void responder_stop(void)
{
    make_wish(STOP);
    pthread_join(thread, NULL);
    for (int i = 0; i < RESPONDER_LISTENERS; i++)
        close(listeners[i]);
    close(wake[0]);
    close(wake[1]);
}

const char *responder_uri(int listener)
{
    return uris[listener];
}

void responder_expect(responder_answer next, const void *next_row)
{
    make_wish(DROP);
    pthread_mutex_lock(&mutex);
    answer = next;
    row = next_row;
    pthread_mutex_unlock(&mutex);
}

struct seen responder_seen(void)
{
    struct seen copy;

    pthread_mutex_lock(&mutex);
    copy = seen;
    pthread_mutex_unlock(&mutex);
    return copy;
}

bool responder_wait_closed(int count)
{
    struct timespec until;
    bool is_closed;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60;
    pthread_mutex_lock(&mutex);
    while (seen.closed < count && pthread_cond_timedwait(&changed, &mutex, &until) == 0)
        ;
    is_closed = seen.closed == count;
    pthread_mutex_unlock(&mutex);
    return is_closed;
}

bool responder_send(const struct request *request, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t count = send(request->fd, bytes, length, MSG_NOSIGNAL);

        if (count <= 0)
            return false;
        bytes += count;
        length -= (size_t)count;
    }
    return true;
}

static void send_and_free(const struct request *request, BerElement *ber)
{
    struct berval value;

    must(ber_flatten2(ber, &value, 0) == 0, "ber_flatten2");
    responder_send(request, value.bv_val, value.bv_len);
    ber_free(ber, 1);
}

bool responder_result(const struct request *request, ber_tag_t operation, int code,
                      const struct control *control, const char *referral)
{
    BerElement *ber = ber_alloc_t(LBER_USE_DER);

    must(ber != NULL && ber_printf(ber, "{it{ess", request->id, operation, code, "", "") >= 0,
         "result");
    if (referral != NULL)
        must(ber_printf(ber, "t{s}", (ber_tag_t)0xa3, referral) >= 0, "referral");
    must(ber_printf(ber, "}") >= 0, "result");
    if (control != NULL) {
        must(ber_printf(ber, "t{{s", (ber_tag_t)0xa0, control->oid) >= 0, "control");
        if (control->value != NULL)
            must(ber_printf(ber, "o", control->value, (ber_len_t)control->length) >= 0, "control");
        must(ber_printf(ber, "}}") >= 0, "control");
    }
    must(ber_printf(ber, "}") >= 0, "result");
    send_and_free(request, ber);
    return true;
}

bool responder_result_text(const struct request *request, ber_tag_t operation, int code,
                           const char *text)
{
    BerElement *ber = ber_alloc_t(LBER_USE_DER);

    must(ber != NULL && ber_printf(ber, "{it{ess}}", request->id, operation, code, "", text) >= 0,
         "result");
    send_and_free(request, ber);
    return true;
}

void responder_entry(const struct request *request, const char *dn, const char *const *attributes)
{
    BerElement *ber = ber_alloc_t(LBER_USE_DER);

    must(ber != NULL && ber_printf(ber, "{it{s{", request->id, (ber_tag_t)SEARCH_ENTRY, dn) >= 0,
         "entry");
    while (*attributes != NULL) {
        const char *name = *attributes;

        must(ber_printf(ber, "{s[", name) >= 0, "attribute");
        for (; *attributes != NULL && strcmp(*attributes, name) == 0; attributes += 2)
            must(ber_printf(ber, "s", attributes[1]) >= 0, "value");
        must(ber_printf(ber, "]}") >= 0, "attribute");
    }
    must(ber_printf(ber, "}}}") >= 0, "entry");
    send_and_free(request, ber);
}
