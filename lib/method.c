/* SPDX-License-Identifier: BSD-2-Clause */
#include "method.h"
#include "clock.h"
#include "field.h"
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define SEALED_KEY     "sealed"
#define CODE_WORD      "code "
#define HASH_SCHEME    "{ARGON2}"
#define PLAIN_SIZE     512
#define NONCE_BYTES    crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES      crypto_aead_xchacha20poly1305_ietf_ABYTES
#define SEALED_BYTES   (NONCE_BYTES + PLAIN_SIZE + TAG_BYTES)
#define SECRET_HEX     (2 * APW_METHOD_SECRET_BYTES)
#define COUNTER_DIGITS 18
#define COUNTER_MAX    UINT64_C(999999999999999999)

_Static_assert(APW_METHOD_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "key size");

bool apw_method_address_is_valid(const char *address)
{
    static const char forbidden[] = "\"(),:;<>[\\]%!|&";
    const char *at = strchr(address, '@');
    size_t length = strlen(address);

    if (at == NULL || at == address || at[1] == '\0' || strchr(at + 1, '@') != NULL ||
        length >= APW_METHOD_ADDRESS_SIZE || address[0] == '-')
        return false;
    for (size_t i = 0; i < length; i++)
        if (address[i] <= ' ' || address[i] > '~' || strchr(forbidden, address[i]) != NULL)
            return false;
    return strchr(at, '.') != NULL && at[1] != '.' && at[1] != '-' && address[length - 1] != '.';
}

static int write_plain(const struct apw_method *method, char plain_r[PLAIN_SIZE])
{
    char since[APW_TIMESTAMP_SIZE], secret[SECRET_HEX + 1];
    int length = -1;

    if (apw_clock_format_timestamp(method->since, since) != 0)
        return -1;
    switch (method->kind) {
    case APW_METHOD_APP:
        if (method->counter > COUNTER_MAX)
            return -1;
        sodium_bin2hex(secret, sizeof secret, method->secret, sizeof method->secret);
        length = snprintf(plain_r, PLAIN_SIZE, "method=app since=%s step=%" PRIu64 " secret=%s",
                          since, method->counter, secret);
        sodium_memzero(secret, sizeof secret);
        break;
    case APW_METHOD_MAIL:
        if (apw_method_address_is_valid(method->address))
            length = snprintf(plain_r, PLAIN_SIZE, "method=mail since=%s address=%s", since,
                              method->address);
        break;
    }
    return length;
}

static int read_counter(const struct apw_field *field, uint64_t *counter_r)
{
    char text[24];

    if (apw_field_copy(field, text, sizeof text) != 0 || text[0] == '\0' ||
        strspn(text, "0123456789") != strlen(text) || strlen(text) > COUNTER_DIGITS)
        return -1;
    return sscanf(text, "%" SCNu64, counter_r) == 1 ? 0 : -1;
}

static int read_app(struct apw_field *rest, struct apw_method *method)
{
    struct apw_field counter, secret;
    size_t length;

    method->kind = APW_METHOD_APP;
    if (!apw_field_take(rest, "step", false, &counter) ||
        read_counter(&counter, &method->counter) != 0 ||
        !apw_field_take(rest, "secret", true, &secret) || secret.length != SECRET_HEX)
        return -1;
    return sodium_hex2bin(method->secret, sizeof method->secret, secret.start, secret.length, NULL,
                          &length, NULL) == 0 &&
                   length == sizeof method->secret
               ? 0
               : -1;
}

static int read_mail(struct apw_field *rest, struct apw_method *method)
{
    struct apw_field address;

    method->kind = APW_METHOD_MAIL;
    return apw_field_take(rest, "address", true, &address) &&
                   apw_field_copy(&address, method->address, sizeof method->address) == 0 &&
                   apw_method_address_is_valid(method->address)
               ? 0
               : -1;
}

static int read_plain(const char *plain, size_t length, struct apw_method *method_r)
{
    struct apw_field rest = {plain, length}, kind, since;

    memset(method_r, 0, sizeof *method_r);
    if (!apw_field_take(&rest, "method", false, &kind) ||
        !apw_field_take(&rest, "since", false, &since) ||
        apw_clock_parse_timestamp(since.start, since.length, &method_r->since) != 0)
        return -1;
    if (kind.length == 3 && memcmp(kind.start, "app", 3) == 0)
        return read_app(&rest, method_r);
    if (kind.length == 4 && memcmp(kind.start, "mail", 4) == 0)
        return read_mail(&rest, method_r);
    return -1;
}

int apw_method_seal(const struct apw_method *method, const uint8_t key[APW_METHOD_KEY_BYTES],
                    const char *unique_id, char value_r[APW_METHOD_VALUE_SIZE],
                    struct apw_error *error)
{
    uint8_t sealed[SEALED_BYTES];
    char plain[PLAIN_SIZE];
    int length = write_plain(method, plain), status = -1;
    unsigned long long sealed_length;
    const size_t prefix = sizeof SEALED_KEY; /* '=' replaces its NUL */

    if (length < 0 || length >= PLAIN_SIZE) {
        apw_error_set(error, "the second factor cannot be stored");
        goto out;
    }
    randombytes_buf(sealed, NONCE_BYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        sealed + NONCE_BYTES, &sealed_length, (const uint8_t *)plain, (size_t)length,
        (const uint8_t *)unique_id, strlen(unique_id), NULL, sealed, key);
    memcpy(value_r, SEALED_KEY "=", prefix);
    sodium_bin2base64(value_r + prefix, APW_METHOD_VALUE_SIZE - prefix, sealed,
                      NONCE_BYTES + (size_t)sealed_length,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    status = 0;
out:
    sodium_memzero(plain, sizeof plain);
    return status;
}

/* Fails unless all of it is base64url. sodium_base642bin() takes any byte past ASCII for '_'. */
static int decode(const struct apw_field *text, uint8_t sealed_r[SEALED_BYTES], size_t *length_r)
{
    for (size_t i = 0; i < text->length; i++)
        if ((unsigned char)text->start[i] > '~')
            return -1;
    return sodium_base642bin(sealed_r, SEALED_BYTES, text->start, text->length, NULL, length_r,
                             NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

int apw_method_open(const char *value, size_t length, const uint8_t key[APW_METHOD_KEY_BYTES],
                    const char *unique_id, struct apw_method *method_r, struct apw_error *error)
{
    struct apw_field rest = {value, length}, text;
    uint8_t sealed[SEALED_BYTES];
    char plain[PLAIN_SIZE];
    unsigned long long plain_length;
    size_t sealed_length;
    int status = -1;

    memset(method_r, 0, sizeof *method_r);
    if (!apw_field_take(&rest, SEALED_KEY, true, &text) ||
        decode(&text, sealed, &sealed_length) != 0 || sealed_length < NONCE_BYTES + TAG_BYTES)
        return apw_error_set(error, "the second factor is not a sealed value");
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            (uint8_t *)plain, &plain_length, NULL, sealed + NONCE_BYTES,
            sealed_length - NONCE_BYTES, (const uint8_t *)unique_id, strlen(unique_id), sealed,
            key) != 0) {
        apw_error_set(error, "the second factor was sealed with another key or for another entry, "
                             "or has been changed");
    } else if (read_plain(plain, (size_t)plain_length, method_r) != 0) {
        apw_error_set(error, "the sealed value is not a second factor of this version");
        sodium_memzero(method_r, sizeof *method_r);
    } else {
        status = 0;
    }
    sodium_memzero(plain, sizeof plain);
    return status;
}

static bool begins_with(const char *value, size_t length, const char *start)
{
    return length >= strlen(start) && memcmp(value, start, strlen(start)) == 0;
}

bool apw_method_is_code(const char *value, size_t length)
{
    return begins_with(value, length, CODE_WORD);
}

bool apw_method_is_same(const struct apw_method *left, const struct apw_method *right)
{
    return left->kind == right->kind && left->since == right->since &&
           sodium_memcmp(left->secret, right->secret, sizeof left->secret) == 0 &&
           strcmp(left->address, right->address) == 0;
}

int apw_method_format_code(const struct apw_enrolment_code *code,
                           char value_r[APW_METHOD_VALUE_SIZE], struct apw_error *error)
{
    char created[APW_TIMESTAMP_SIZE], expires[APW_TIMESTAMP_SIZE];

    if (apw_clock_format_timestamp(code->created, created) != 0 ||
        apw_clock_format_timestamp(code->expires, expires) != 0)
        return apw_error_set(error, "a time lies outside the years 0 to 9999");
    snprintf(value_r, APW_METHOD_VALUE_SIZE,
             CODE_WORD "created=%s expires=%s hash=" HASH_SCHEME "%s", created, expires,
             code->hash);
    return 0;
}

int apw_method_parse_code(const char *value, size_t length, struct apw_enrolment_code *code_r,
                          struct apw_error *error)
{
    const size_t word_length = sizeof CODE_WORD - 1, scheme_length = sizeof HASH_SCHEME - 1;
    struct apw_field rest, field;

    memset(code_r, 0, sizeof *code_r);
    if (!apw_method_is_code(value, length))
        return apw_error_set(error, "not an enrollment code");
    rest = (struct apw_field){value + word_length, length - word_length};
    if (!apw_field_take(&rest, "created", false, &field) ||
        apw_clock_parse_timestamp(field.start, field.length, &code_r->created) != 0 ||
        !apw_field_take(&rest, "expires", false, &field) ||
        apw_clock_parse_timestamp(field.start, field.length, &code_r->expires) != 0 ||
        !apw_field_take(&rest, "hash", true, &field) || field.length == scheme_length ||
        !begins_with(field.start, field.length, HASH_SCHEME))
        return apw_error_set(error, "malformed enrollment code");
    field.start += scheme_length;
    field.length -= scheme_length;
    if (apw_field_copy(&field, code_r->hash, sizeof code_r->hash) != 0)
        return apw_error_set(error, "the hash of the enrollment code is too long");
    return 0;
}
