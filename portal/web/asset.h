/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * asset: the static files of a site, read once at the start.
 */
#ifndef APW_ASSET_H
#define APW_ASSET_H

#include "error.h"
#include <stdbool.h>
#include <stddef.h>

#define APW_ASSET_BYTES_MAX (256 * 1024)

struct apw_asset {
    const char *name; /* of the file, and its path below the site's root */
    const char *type; /* Content-Type */
    bool is_fresh;    /* browsers and proxies must not keep it */
    char *bytes;      /* owned; NULL until it is loaded */
    size_t length;
};

/* Reads each asset from that folder. -1 if one cannot be read or is too long; free them anyway. */
int apw_assets_load(const char *folder, struct apw_asset *assets, size_t count,
                    struct apw_error *error);

/* Names what is in them all. Pages add it to the addresses of assets, so that browsers, which keep
 * an asset for a year, fetch one that has changed. sodium_init() must have succeeded. */
#define APW_ASSETS_VERSION_SIZE 33
void apw_assets_version(const struct apw_asset *assets, size_t count,
                        char version_r[APW_ASSETS_VERSION_SIZE]);

void apw_assets_free(struct apw_asset *assets, size_t count);

#endif
