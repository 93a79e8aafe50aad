/* SPDX-License-Identifier: BSD-2-Clause */
#include "operation.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
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

int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t cpu_us(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
           usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

void open_operation(struct operation *operation)
{
    operation->state = operation->kind->open(operation->word + 2);
}

int64_t time_operation(struct operation *operation, unsigned user)
{
    int64_t start;

    if (operation->kind->before != NULL)
        operation->kind->before(operation->state);
    start = now_us();
    if (!operation->kind->run(operation->state, user))
        fail("%s, user %u: unexpected outcome", operation->word[1], user);
    return now_us() - start;
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
