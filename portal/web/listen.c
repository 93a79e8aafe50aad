/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/listen.h"
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* A socket without a listener is left from a crash. */
static void remove_stale(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 &&
        errno == ECONNREFUSED)
        unlink(address->sun_path);
    if (fd >= 0)
        close(fd);
}

static int listen_unix(const char *path, struct apw_error *error)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    mode_t before;
    int status;

    strcpy(address.sun_path, path);
    remove_stale(&address);
    before = umask(0117); /* 0660: for the proxy, which is in the group */
    status = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&address, sizeof address);
    umask(before);
    if (status == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    apw_error_set(error, "listen unix:%s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static int listen_port(const char *host, const char *port, struct apw_error *error)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int fd = -1, one = 1;

    if (getaddrinfo(host, port, &hints, &found) == 0)
        fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0) {
        apw_error_set(error, "listen %s:%s: %s", host, port, strerror(errno));
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    if (found != NULL)
        freeaddrinfo(found);
    return fd;
}

int apw_listen_open(const struct apw_listen_address *address, struct apw_error *error)
{
    return address->path != NULL ? listen_unix(address->path, error)
                                 : listen_port(address->host, address->port, error);
}

void apw_listen_remove(const struct apw_listen_address *address)
{
    if (address->path != NULL)
        unlink(address->path);
}
