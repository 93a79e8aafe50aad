/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * totp: codes of an authenticator app (RFC 6238: SHA-1, 30 seconds, 6 digits), by liboath.
 */
#ifndef APW_TOTP_H
#define APW_TOTP_H

#include "method.h"
#include <stdint.h>

#define APW_TOTP_DIGITS           6
#define APW_TOTP_URI_SIZE         1024
#define APW_TOTP_SECRET_TEXT_SIZE 48 /* base32, grouped by four */

enum apw_totp_result {
    APW_TOTP_WRONG = 0,
    APW_TOTP_RIGHT,
    APW_TOTP_REPLAYED, /* right, but used already, or older than one that was used */
    APW_TOTP_NO_MEMORY,
};

/* Checks a typed code against the counters before, at and after `now`
 * (RFC 6238, 5.2). If RIGHT, store *counter_r as used. */
enum apw_totp_result apw_totp_check(const struct apw_method *method, const char *typed, int64_t now,
                                    uint64_t *counter_r);

/* For a code that is wrong now: by how many seconds the clock of the phone is ahead (or behind: <
 * 0) if it is that of another time within half an hour. 0 if it is of none, or if it may just have
 * been typed slowly. */
int64_t apw_totp_find_ahead(const struct apw_method *method, const char *typed, int64_t now);

/* Removes white space, hyphens and invisible characters; -1 unless exactly six digits remain. */
int apw_totp_canonicalize_code(const char *typed, char code_r[APW_TOTP_DIGITS + 1]);

/* otpauth://totp/… for the QR code. Secret: wipe it. -1 if it does not fit. */
int apw_totp_uri(const struct apw_method *method, const char *issuer, const char *user,
                 char uri_r[APW_TOTP_URI_SIZE]);

/* The secret as text to type. Secret: wipe it. */
int apw_totp_secret_text(const struct apw_method *method, char text_r[APW_TOTP_SECRET_TEXT_SIZE]);

#endif
