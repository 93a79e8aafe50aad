/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/asset.h"
#include <errno.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int load(const char *path, struct apw_asset *asset, struct apw_error *error)
{
    FILE *file = fopen(path, "re");
    int status = 0;

    if (file == NULL)
        return apw_error_set(error, "%s: %s", path, strerror(errno));
    asset->bytes = malloc(APW_ASSET_BYTES_MAX + 1);
    if (asset->bytes == NULL)
        status = apw_error_set(error, "out of memory");
    else
        asset->length = fread(asset->bytes, 1, APW_ASSET_BYTES_MAX + 1, file);
    if (status == 0 && ferror(file))
        status = apw_error_set(error, "%s: %s", path, strerror(errno));
    else if (asset->length > APW_ASSET_BYTES_MAX)
        status = apw_error_set(error, "%s: longer than %d KiB, which is the limit for such a file",
                               path, APW_ASSET_BYTES_MAX / 1024);
    fclose(file);
    return status;
}

int apw_assets_load(const char *folder, struct apw_asset *assets, size_t count,
                    struct apw_error *error)
{
    char path[PATH_MAX];

    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, assets[i].name);
        if (load(path, &assets[i], error) != 0)
            return -1;
    }
    return 0;
}

void apw_assets_version(const struct apw_asset *assets, size_t count,
                        char version_r[APW_ASSETS_VERSION_SIZE])
{
    uint8_t hash[(APW_ASSETS_VERSION_SIZE - 1) / 2];
    crypto_generichash_state state;

    crypto_generichash_init(&state, NULL, 0, sizeof hash);
    for (size_t i = 0; i < count; i++) {
        crypto_generichash_update(&state, (const uint8_t *)&assets[i].length,
                                  sizeof assets[i].length);
        crypto_generichash_update(&state, (const uint8_t *)assets[i].bytes, assets[i].length);
    }
    crypto_generichash_final(&state, hash, sizeof hash);
    sodium_bin2hex(version_r, APW_ASSETS_VERSION_SIZE, hash, sizeof hash);
}

void apw_assets_free(struct apw_asset *assets, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(assets[i].bytes);
        assets[i].bytes = NULL;
    }
}
