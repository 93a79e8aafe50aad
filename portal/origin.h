/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * origin: the origin of public_url, as browsers write it (RFC 6454, 6.2), to which passkeys are
 * bound.
 */
#ifndef APW_ORIGIN_H
#define APW_ORIGIN_H

#include "error.h"

struct apw_origin {
    char *text; /* "https://mail.example.org"; owned */
    char *host; /* owned; NULL if it is an address, for which there are no passkeys */
};

/* `url` is a valid public_url, `host` its host without brackets. */
int apw_origin_read(const char *url, const char *host, struct apw_origin *origin_r,
                    struct apw_error *error);
void apw_origin_free(struct apw_origin *origin);

#endif
