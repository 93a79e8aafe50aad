/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * draft: the key of an authenticator app that was shown and not verified yet, sealed into a cookie
 * of the browser that saw it. So the key on the phone stays good when the session ends before the
 * first code, and choosing another way and coming back makes no other key.
 *
 * It opens for the same entry, with the same portal.key, within a day.
 */
#ifndef APW_DRAFT_H
#define APW_DRAFT_H

#include "method.h"
#include "web/exchange.h"

/* `key` is portal.key, `unique_id` the entry's, `now` in seconds since 1970. sodium_init() must
 * have succeeded. */
void apw_draft_seal(const uint8_t key[APW_METHOD_KEY_BYTES], const char *unique_id, int64_t now,
                    const uint8_t secret[APW_METHOD_SECRET_BYTES], char draft_r[APW_DRAFT_SIZE]);

/* False if the draft is none, another entry's, too old or damaged. Wipe the secret. */
bool apw_draft_open(const uint8_t key[APW_METHOD_KEY_BYTES], const char *unique_id, int64_t now,
                    const char *draft, uint8_t secret_r[APW_METHOD_SECRET_BYTES]);

#endif
