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
    APW_TOTP_REPLAYED, /* right, but of a step that was used before, or one before that */
    APW_TOTP_NO_MEMORY,
};

/* Holds what was typed (digits; spaces do not count) against the step of `now` and the ones before
 * and behind it (RFC 6238, 5.2). Of RIGHT, *step_r is the step to be stored as used. */
enum apw_totp_result apw_totp_check(const struct apw_method *method, const char *typed, int64_t now,
                                    uint64_t *step_r);

/* What is typed as digits: spaces out, exactly six digits; -1 otherwise. */
int apw_code_canonicalise(const char *typed, char code_r[APW_TOTP_DIGITS + 1]);

/* otpauth://totp/… for the QR code. Secret: wipe it. -1 where it does not fit. */
int apw_totp_uri(const struct apw_method *method, const char *issuer, const char *user,
                 char uri_r[APW_TOTP_URI_SIZE]);

/* The secret for typing in. Secret: wipe it. */
int apw_totp_secret_text(const struct apw_method *method, char text_r[APW_TOTP_SECRET_TEXT_SIZE]);

#endif
