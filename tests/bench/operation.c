/* SPDX-License-Identifier: BSD-2-Clause */
#include "operation.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void fail(const char *format, ...)
{
    va_list arguments;

    fputs("bench: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

void user_name(const char *template, unsigned user, char name_r[NAME_SIZE])
{
    const char *place = strchr(template, '#');

    if (place == NULL)
        snprintf(name_r, NAME_SIZE, "%s", template);
    else
        snprintf(name_r, NAME_SIZE, "%.*s%u%s", (int)(place - template), template, user, place + 1);
}

int connect_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (strlen(path) >= sizeof address.sun_path)
        fail("%s: too long for a socket", path);
    strcpy(address.sun_path, path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        fail("%s: %s", path, strerror(errno));
    return fd;
}

void send_all(int fd, const void *bytes, size_t length)
{
    if (send(fd, bytes, length, MSG_NOSIGNAL) != (ssize_t)length)
        fail("send: %s", strerror(errno));
}
