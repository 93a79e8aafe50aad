/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * browser_record: a browser that skips the second factor for some time <-> one value of
 * appPasswordMfaMethod. Pure.
 *
 *   browser v=2 sealed=<…>
 *
 * and inside the seal (seal.h)
 *
 *   id=1f2e3d4c since=20261122101500Z until=20261222101500Z factor=5b6a7988 proof=<base64url>
 * name=…
 *
 * The proof is a hash of the account password with the browser's cookie as its key: it says nothing
 * about the password to somebody without the cookie, and another password has another proof.
 */
#ifndef APW_BROWSER_RECORD_H
#define APW_BROWSER_RECORD_H

#include "method.h"
#include "seal.h"

#define APW_BROWSER_RECORD_SIZE  1024
#define APW_BROWSER_PROOF_BYTES  32
#define APW_BROWSER_COOKIE_BYTES 32

struct apw_browser_record {
    char id[APW_METHOD_ID_SIZE];
    int64_t since, until;            /* valid while now < until */
    char factor[APW_METHOD_ID_SIZE]; /* that was passed; without it, the record is worth nothing */
    uint8_t proof[APW_BROWSER_PROOF_BYTES];
    char name[APW_LABEL_SIZE];
};

bool apw_browser_record_is_value(const char *value, size_t length);

int apw_browser_record_seal(const struct apw_browser_record *record,
                            const uint8_t key[APW_SEAL_KEY_BYTES], const char *unique_id,
                            char value_r[APW_BROWSER_RECORD_SIZE]);
int apw_browser_record_open(const char *value, size_t length, const uint8_t key[APW_SEAL_KEY_BYTES],
                            const char *unique_id, struct apw_browser_record *record_r);

/* The id that a cookie has, and the proof for this password. */
void apw_browser_record_prove(const uint8_t cookie[APW_BROWSER_COOKIE_BYTES], const char *password,
                              struct apw_browser_record *record_r);

#endif
