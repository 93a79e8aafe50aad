/* SPDX-License-Identifier: BSD-2-Clause */
#include "host_port.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

bool apw_host_port_is_port(const char *text, size_t length)
{
    char *end;
    long port;

    if (length == 0 || length > 5 || strspn(text, "0123456789") < length)
        return false;
    port = strtol(text, &end, 10);
    return end == text + length && port > 0 && port <= 65535;
}

bool apw_host_port_is_host(const char *text, size_t length)
{
    struct in6_addr address;
    char bare[INET6_ADDRSTRLEN];

    if (length == 0 || text[0] != '[')
        return length > 0 && strspn(text, LETTERS DIGITS "-.") >= length;
    if (length < 3 || length - 2 >= sizeof bare || text[length - 1] != ']')
        return false;
    memcpy(bare, text + 1, length - 2);
    bare[length - 2] = '\0';
    return inet_pton(AF_INET6, bare, &address) == 1;
}

int apw_host_port_copy_host(const char *text, size_t length, char **host_r, struct apw_error *error)
{
    *host_r = text[0] == '[' ? strndup(text + 1, length - 2) : strndup(text, length);
    return *host_r == NULL ? apw_error_set(error, "out of memory") : 0;
}

size_t apw_host_port_host_length(const char *text)
{
    return text[0] == '[' ? strcspn(text, "]") + (strchr(text, ']') != NULL) : strcspn(text, ":/");
}

bool apw_host_port_is_tls(const char *port)
{
    return strcmp(port, "993") == 0 || strcmp(port, "465") == 0 || strcmp(port, "995") == 0;
}

int apw_host_port_split(const char *value, char **host_r, char port_r[6], struct apw_error *error)
{
    size_t length = apw_host_port_host_length(value);
    const char *port = value + length + 1;

    if (!apw_host_port_is_host(value, length) || value[length] != ':' ||
        !apw_host_port_is_port(port, strlen(port)))
        return apw_error_set(error, "not a host and port like mail.example.org:993");
    strcpy(port_r, port);
    return apw_host_port_copy_host(value, length, host_r, error);
}
