/* SPDX-License-Identifier: BSD-2-Clause */
#include "draft.h"
#include "seal.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define HEAD   "draft " /* so a draft is never taken for an enrolled second factor */
#define SEALED "sealed="
#define PREFIX (sizeof HEAD SEALED - 1) /* the cookie has what follows */
#define DAY_S  86400

struct plain {
    int64_t since;
    uint8_t secret[APW_METHOD_SECRET_BYTES];
};

static struct apw_seal seal_of(const uint8_t key[APW_METHOD_KEY_BYTES], const char *unique_id)
{
    return (struct apw_seal){.key = key, .head = HEAD, .unique_id = unique_id};
}

void apw_draft_seal(const uint8_t key[APW_METHOD_KEY_BYTES], const char *unique_id, int64_t now,
                    const uint8_t secret[APW_METHOD_SECRET_BYTES], char draft_r[APW_DRAFT_SIZE])
{
    const struct apw_seal seal = seal_of(key, unique_id);
    char value[PREFIX + APW_DRAFT_SIZE] = "";
    struct plain plain;

    memset(&plain, 0, sizeof plain); /* the bytes between the members, too */
    plain.since = now;
    memcpy(plain.secret, secret, sizeof plain.secret);
    if (apw_seal_close(&seal, (const char *)&plain, sizeof plain, value, sizeof value) == 0)
        memcpy(draft_r, value + PREFIX, APW_DRAFT_SIZE);
    else
        draft_r[0] = '\0';
    sodium_memzero(&plain, sizeof plain);
}

bool apw_draft_open(const uint8_t key[APW_METHOD_KEY_BYTES], const char *unique_id, int64_t now,
                    const char *draft, uint8_t secret_r[APW_METHOD_SECRET_BYTES])
{
    const struct apw_seal seal = seal_of(key, unique_id);
    char sealed[sizeof SEALED + APW_DRAFT_SIZE], bytes[APW_SEAL_PLAIN_MAX];
    struct plain plain;
    size_t length;
    bool is_good;

    snprintf(sealed, sizeof sealed, SEALED "%s", draft);
    is_good = apw_seal_open(&seal, (struct apw_field){sealed, strlen(sealed)}, bytes, &length) ==
                  APW_SEAL_OPEN &&
              length == sizeof plain;
    if (is_good) {
        memcpy(&plain, bytes, sizeof plain);
        is_good = plain.since <= now && now - plain.since < DAY_S;
    }
    if (is_good)
        memcpy(secret_r, plain.secret, sizeof plain.secret);
    sodium_memzero(bytes, sizeof bytes);
    sodium_memzero(&plain, sizeof plain);
    return is_good;
}
