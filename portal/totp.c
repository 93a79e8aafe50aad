/* SPDX-License-Identifier: BSD-2-Clause */
#include "totp.h"
#include "ignorable.h"
#include <liboath/oath.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PERIOD_S  OATH_TOTP_DEFAULT_TIME_STEP_SIZE
#define AHEAD_MAX 60 /* periods */
#define SLOW_MAX  4  /* as old as a code may be that was typed slowly */

int apw_totp_canonicalize_code(const char *typed, char code_r[APW_TOTP_DIGITS + 1])
{
    size_t length = strlen(typed), count = 0;

    while (length > 0) {
        size_t bytes = apw_ignorable_separator_bytes(typed, length);

        if (bytes == 0) {
            if (*typed < '0' || *typed > '9' || count == APW_TOTP_DIGITS)
                return -1;
            code_r[count++] = *typed;
            bytes = 1;
        }
        typed += bytes;
        length -= bytes;
    }
    code_r[count] = '\0';
    return count == APW_TOTP_DIGITS ? 0 : -1;
}

/* Whether `code` is that of the counter; -1 without memory. */
static int is_code_of(const struct apw_method *method, uint64_t counter, const char *code)
{
    char expected[APW_TOTP_DIGITS + 1];
    int is_same;

    if (oath_hotp_generate((const char *)method->secret, sizeof method->secret, counter,
                           APW_TOTP_DIGITS, false, OATH_HOTP_DYNAMIC_TRUNCATION,
                           expected) != OATH_OK)
        return -1;
    is_same = sodium_memcmp(expected, code, APW_TOTP_DIGITS) == 0;
    sodium_memzero(expected, sizeof expected);
    return is_same;
}

enum apw_totp_result apw_totp_check(const struct apw_method *method, const char *typed, int64_t now,
                                    uint64_t *counter_r)
{
    enum apw_totp_result result = APW_TOTP_WRONG;
    char code[APW_TOTP_DIGITS + 1];

    if (apw_totp_canonicalize_code(typed, code) != 0 || now < PERIOD_S)
        return APW_TOTP_WRONG;
    for (int drift = -1; drift <= 1; drift++) {
        uint64_t counter = (uint64_t)(now / PERIOD_S + drift);
        int is_right = is_code_of(method, counter, code);

        if (is_right < 0)
            result = APW_TOTP_NO_MEMORY;
        if (is_right <= 0)
            continue;
        result = counter > method->counter ? APW_TOTP_RIGHT : APW_TOTP_REPLAYED;
        *counter_r = counter;
        if (result == APW_TOTP_RIGHT)
            break;
    }
    sodium_memzero(code, sizeof code);
    return result;
}

int64_t apw_totp_find_ahead(const struct apw_method *method, const char *typed, int64_t now)
{
    char code[APW_TOTP_DIGITS + 1];
    int64_t ahead_s = 0;

    if (apw_totp_canonicalize_code(typed, code) != 0 || now < AHEAD_MAX * PERIOD_S)
        return 0;
    for (int drift = -AHEAD_MAX; drift <= AHEAD_MAX && ahead_s == 0; drift++)
        if ((drift < -SLOW_MAX || drift > 1) &&
            is_code_of(method, (uint64_t)(now / PERIOD_S + drift), code) > 0)
            ahead_s = drift * INT64_C(1) * PERIOD_S;
    sodium_memzero(code, sizeof code);
    return ahead_s;
}

static int encode(const struct apw_method *method, char **text_r)
{
    return oath_base32_encode((const char *)method->secret, sizeof method->secret, text_r, NULL) ==
                   OATH_OK
               ? 0
               : -1;
}

static void free_secret(char *text)
{
    sodium_memzero(text, strlen(text));
    free(text);
}

/* Percent-encodes (RFC 3986, 2.1) all but unreserved characters. -1 if it does not fit. */
static int encode_uri(const char *text, char *encoded_r, size_t size)
{
    size_t length = 0;

    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || strchr("-._~", c) != NULL;

        if (length + 4 > size)
            return -1;
        length +=
            (size_t)snprintf(encoded_r + length, size - length, is_plain ? "%c" : "%%%02X", c);
    }
    encoded_r[length] = '\0';
    return 0;
}

int apw_totp_uri(const struct apw_method *method, const char *issuer, const char *user,
                 char uri_r[APW_TOTP_URI_SIZE])
{
    char encoded_issuer[256], encoded_user[512], *secret;
    int length;

    if (encode_uri(issuer, encoded_issuer, sizeof encoded_issuer) != 0 ||
        encode_uri(user, encoded_user, sizeof encoded_user) != 0 || encode(method, &secret) != 0)
        return -1;
    length = snprintf(uri_r, APW_TOTP_URI_SIZE, "otpauth://totp/%s:%s?secret=%s&issuer=%s",
                      encoded_issuer, encoded_user, secret, encoded_issuer);
    free_secret(secret);
    return length < APW_TOTP_URI_SIZE ? 0 : -1;
}

int apw_totp_secret_text(const struct apw_method *method, char text_r[APW_TOTP_SECRET_TEXT_SIZE])
{
    size_t length = 0;
    char *secret;

    if (encode(method, &secret) != 0)
        return -1;
    for (size_t i = 0; secret[i] != '\0' && length + 3 < APW_TOTP_SECRET_TEXT_SIZE; i++) {
        if (i > 0 && i % 4 == 0)
            text_r[length++] = ' ';
        text_r[length++] = secret[i];
    }
    text_r[length] = '\0';
    free_secret(secret);
    return 0;
}
