/* SPDX-License-Identifier: BSD-2-Clause */
#include "ldap/transport.h"
#include "clock.h"
#include "ldap/resolve.h"
#include "network.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Waits up to `wait_ms` for `events` on the socket; -1 with errno set after that. */
static int wait_within(struct apw_transport *transport, short events, int64_t wait_ms)
{
    int64_t until = apw_clock_monotonic_ms() + wait_ms;
    struct pollfd polled = {.fd = transport->fd, .events = events};
    int ready;

    if (until > transport->deadline)
        until = transport->deadline;
    do
        ready = poll(&polled, 1, (int)apw_clock_remaining_ms(until));
    while (ready < 0 && errno == EINTR);
    if (ready == 0) {
        transport->is_timed_out = true;
        errno = ETIMEDOUT;
    }
    return ready > 0 ? 0 : -1;
}

static int wait_for(struct apw_transport *transport, short events)
{
    return wait_within(transport, events, transport->timeout_ms);
}

int apw_transport_wait_readable(struct apw_transport *transport)
{
    return wait_for(transport, POLLIN);
}

/* Creates the socket and connects it within `wait_ms`; -1 with errno set. */
static int open_socket(struct apw_transport *transport, int family, const struct sockaddr *address,
                       socklen_t address_length, int64_t wait_ms)
{
    int failure = 0;
    socklen_t failure_length = sizeof failure;

    transport->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (transport->fd < 0)
        return -1;
    if (connect(transport->fd, address, address_length) == 0)
        return 0;
    failure = errno;
    if (failure == EINPROGRESS || failure == EINTR) {
        if (wait_within(transport, POLLOUT, wait_ms) == 0 &&
            getsockopt(transport->fd, SOL_SOCKET, SO_ERROR, &failure, &failure_length) == 0 &&
            failure == 0)
            return 0;
        if (failure == EINPROGRESS || failure == EINTR || failure == 0)
            failure = errno;
    }
    close(transport->fd);
    transport->fd = -1;
    errno = failure;
    return -1;
}

int apw_transport_open_unix(struct apw_transport *transport, const char *path,
                            struct apw_error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof address.sun_path)
        return apw_error_set(error, "%s: the path is too long for a socket", path);
    strcpy(address.sun_path, path);
    if (open_socket(transport, AF_UNIX, (struct sockaddr *)&address, sizeof address,
                    transport->timeout_ms) != 0)
        return apw_error_set(error, "connect: %s: %s", path, strerror(errno));
    return 0;
}

static bool is_loopback(const struct sockaddr *address)
{
    const void *bytes = address->sa_family == AF_INET
                            ? (const void *)&((const struct sockaddr_in *)address)->sin_addr
                            : (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr;
    char text[APW_ADDRESS_TEXT_SIZE];

    return inet_ntop(address->sa_family, bytes, text, sizeof text) != NULL &&
           apw_network_is_loopback(text);
}

static int64_t count_addresses(const struct addrinfo *address)
{
    int64_t count = 0;

    for (; address != NULL; address = address->ai_next)
        count++;
    return count;
}

/* Tries one address after the other; each gets its share of the remaining time. */
static int open_any(struct apw_transport *transport, const struct addrinfo *address, int64_t until,
                    struct apw_error *error)
{
    for (; address != NULL; address = address->ai_next) {
        int64_t share = apw_clock_remaining_ms(until) / count_addresses(address);

        if (transport->is_local_only && !is_loopback(address->ai_addr))
            apw_error_set(error, "the name leads to an address outside the loopback; use ldaps:// "
                                 "or set \"start_tls yes\"");
        else if (open_socket(transport, address->ai_family, address->ai_addr, address->ai_addrlen,
                             share) == 0)
            return 0;
        else
            apw_error_set(error, "connect: %s", strerror(errno));
    }
    return -1;
}

int apw_transport_open_tcp(struct apw_transport *transport, const char *host, const char *port,
                           struct apw_error *error)
{
    int64_t until = apw_clock_monotonic_ms() + transport->timeout_ms;
    struct addrinfo *addresses;
    const int on = 1;
    int status;

    if (until > transport->deadline)
        until = transport->deadline;
    if (apw_resolve_host(host, port, until, &addresses, error) != 0)
        return -1;
    status = open_any(transport, addresses, until, error);
    freeaddrinfo(addresses);
    if (status != 0)
        return -1;
    setsockopt(transport->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(transport->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    return 0;
}

bool apw_transport_is_stale(const struct apw_transport *transport)
{
    struct pollfd polled = {.fd = transport->fd, .events = POLLIN};

    return poll(&polled, 1, 0) != 0;
}

static int layer_setup(Sockbuf_IO_Desc *layer, void *transport)
{
    layer->sbiod_pvt = transport;
    return 0;
}

static int layer_remove(Sockbuf_IO_Desc *layer)
{
    layer->sbiod_pvt = NULL;
    return 0;
}

static int layer_control(Sockbuf_IO_Desc *layer, int option, void *argument)
{
    (void)layer;
    (void)option;
    (void)argument;
    return 0;
}

static ber_slen_t layer_read(Sockbuf_IO_Desc *layer, void *bytes, ber_len_t length)
{
    struct apw_transport *transport = layer->sbiod_pvt;

    for (;;) {
        ssize_t count;

        if (apw_clock_remaining_ms(transport->deadline) == 0) {
            transport->is_timed_out = true;
            errno = ETIMEDOUT;
            return -1;
        }
        if (transport->may_receive == 0) {
            errno = EMSGSIZE;
            return -1;
        }
        count = recv(transport->fd, bytes,
                     length < transport->may_receive ? length : transport->may_receive, 0);
        if (count >= 0) {
            transport->may_receive -= (size_t)count;
            return count;
        }
        if (errno != EINTR &&
            ((errno != EAGAIN && errno != EWOULDBLOCK) || wait_for(transport, POLLIN) != 0))
            return -1;
    }
}

static ber_slen_t layer_write(Sockbuf_IO_Desc *layer, void *bytes, ber_len_t length)
{
    struct apw_transport *transport = layer->sbiod_pvt;

    if (transport->is_abandoned)
        return (ber_slen_t)length;
    for (;;) {
        ssize_t count = send(transport->fd, bytes, length, MSG_NOSIGNAL);

        if (count >= 0)
            return count;
        if (errno != EINTR &&
            ((errno != EAGAIN && errno != EWOULDBLOCK) || wait_for(transport, POLLOUT) != 0))
            return -1;
    }
}

static int layer_close(Sockbuf_IO_Desc *layer)
{
    struct apw_transport *transport = layer->sbiod_pvt;

    if (transport->fd >= 0)
        close(transport->fd);
    transport->fd = -1;
    return 0;
}

Sockbuf_IO apw_transport_io = {
    .sbi_setup = layer_setup,
    .sbi_remove = layer_remove,
    .sbi_ctrl = layer_control,
    .sbi_read = layer_read,
    .sbi_write = layer_write,
    .sbi_close = layer_close,
};
