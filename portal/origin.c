/* SPDX-License-Identifier: BSD-2-Clause */
#include "origin.h"
#include "network.h"
#include "utf8.h"
#include <stdlib.h>
#include <string.h>

/* Without the port that the scheme implies. */
static size_t origin_length(const char *url)
{
    size_t start = strcspn(url, "/") + 2, length = start + strcspn(url + start, "/");
    const char *port = strncmp(url, "https:", 6) == 0 ? ":443" : ":80";
    size_t port_length = strlen(port);

    if (length > port_length && memcmp(url + length - port_length, port, port_length) == 0)
        length -= port_length;
    return length;
}

static char *lower_copy(const char *text, size_t length)
{
    char *copy = strndup(text, length);

    for (char *c = copy; c != NULL && *c != '\0'; c++)
        *c = apw_utf8_lower(*c);
    return copy;
}

int apw_origin_read(const char *url, const char *host, struct apw_origin *origin_r,
                    struct apw_error *error)
{
    struct apw_address address;
    bool is_address = apw_network_parse_address(host, &address) == 0;

    *origin_r = (struct apw_origin){.text = lower_copy(url, origin_length(url))};
    if (!is_address)
        origin_r->host = lower_copy(host, strlen(host));
    if (origin_r->text != NULL && (is_address || origin_r->host != NULL))
        return 0;
    apw_origin_free(origin_r);
    return apw_error_set(error, "out of memory");
}

void apw_origin_free(struct apw_origin *origin)
{
    free(origin->text);
    free(origin->host);
    *origin = (struct apw_origin){NULL, NULL};
}
