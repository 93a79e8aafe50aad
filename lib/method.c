/* SPDX-License-Identifier: BSD-2-Clause */
#include "method.h"
#include "clock.h"
#include "field.h"
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define CODE_WORD            "code "
#define HASH_SCHEME          "{ARGON2}"
#define SECRET_HEX           (2 * APW_METHOD_SECRET_BYTES)
#define COUNTER_DIGITS       18
#define COUNTER_MAX          UINT64_C(999999999999999999)
#define CREDENTIAL_TEXT_SIZE (APW_METHOD_CREDENTIAL_MAX * 4 / 3 + 4)
#define KEY_TEXT_SIZE        (APW_METHOD_PUBLIC_KEY_MAX * 4 / 3 + 4)
#define HASH_TEXT            22 /* base64url of a hash */
#define BASE64               sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define PART_SIZE            APW_METHOD_PLAIN_SIZE /* of what only one kind has */

const char *apw_method_kind_name(enum apw_method_kind kind)
{
    switch (kind) {
    case APW_METHOD_APP:
        return "totp";
    case APW_METHOD_MAIL:
        return "mail";
    case APW_METHOD_PASSKEY:
        return "passkey";
    case APW_METHOD_RECOVERY:
        return "recovery";
    }
    return NULL;
}

int apw_method_kind_read(const char *name, size_t length, enum apw_method_kind *kind_r)
{
    for (int kind = 0; kind < APW_METHOD_KIND_COUNT; kind++) {
        const char *known = apw_method_kind_name((enum apw_method_kind)kind);

        if (strlen(known) == length && memcmp(known, name, length) == 0) {
            *kind_r = (enum apw_method_kind)kind;
            return 0;
        }
    }
    return -1;
}

void apw_method_make_id(char id_r[APW_METHOD_ID_SIZE])
{
    uint8_t bytes[(APW_METHOD_ID_SIZE - 1) / 2];

    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2hex(id_r, APW_METHOD_ID_SIZE, bytes, sizeof bytes);
}

/* ---- parts that all kinds have ---- */

bool apw_method_is_id(const char *text, size_t length)
{
    if (length != APW_METHOD_ID_SIZE - 1)
        return false;
    for (size_t i = 0; i < length; i++)
        if (text[i] == '\0' || strchr("0123456789abcdef", text[i]) == NULL)
            return false;
    return true;
}

static bool is_name(const char *text, size_t length)
{
    return length == 0 || apw_record_check_label(text, length, NULL) == 0;
}

static int read_time(const struct apw_field *field, int64_t *time_r)
{
    return apw_clock_parse_timestamp(field->start, field->length, time_r);
}

static int read_counter(const struct apw_field *field, uint64_t *counter_r)
{
    char text[24];

    if (apw_field_copy(field, text, sizeof text) != 0 || text[0] == '\0' ||
        strspn(text, "0123456789") != strlen(text) || strlen(text) > COUNTER_DIGITS)
        return -1;
    return sscanf(text, "%" SCNu64, counter_r) == 1 ? 0 : -1;
}

/* ---- an authenticator app ---- */

static int write_app(const struct apw_method *method, char part_r[PART_SIZE])
{
    char secret[SECRET_HEX + 1];

    if (method->counter > COUNTER_MAX)
        return -1;
    sodium_bin2hex(secret, sizeof secret, method->secret, sizeof method->secret);
    snprintf(part_r, PART_SIZE, "step=%" PRIu64 " secret=%s", method->counter, secret);
    sodium_memzero(secret, sizeof secret);
    return 0;
}

static int read_app(struct apw_field *rest, bool is_last, struct apw_method *method)
{
    struct apw_field counter, secret;
    size_t length;

    if (!apw_field_take(rest, "step", false, &counter) ||
        read_counter(&counter, &method->counter) != 0 ||
        !apw_field_take(rest, "secret", is_last, &secret) || secret.length != SECRET_HEX)
        return -1;
    return sodium_hex2bin(method->secret, sizeof method->secret, secret.start, secret.length, NULL,
                          &length, NULL) == 0 &&
                   length == sizeof method->secret
               ? 0
               : -1;
}

/* ---- an address ---- */

static int write_mail(const struct apw_method *method, char part_r[PART_SIZE])
{
    if (!apw_mail_address_is_valid(method->address))
        return -1;
    snprintf(part_r, PART_SIZE, "address=%s", method->address);
    return 0;
}

static int read_mail(struct apw_field *rest, bool is_last, struct apw_method *method)
{
    struct apw_field address;

    return apw_field_take(rest, "address", is_last, &address) &&
                   apw_field_copy(&address, method->address, sizeof method->address) == 0 &&
                   apw_mail_address_is_valid(method->address)
               ? 0
               : -1;
}

/* ---- a passkey ---- */

static int write_passkey(const struct apw_method *method, char part_r[PART_SIZE])
{
    char credential[CREDENTIAL_TEXT_SIZE], key[KEY_TEXT_SIZE];

    if (method->credential_length == 0 || method->credential_length > sizeof method->credential ||
        method->public_key_length == 0 || method->public_key_length > sizeof method->public_key ||
        method->counter > COUNTER_MAX)
        return -1;
    sodium_bin2base64(credential, sizeof credential, method->credential, method->credential_length,
                      BASE64);
    sodium_bin2base64(key, sizeof key, method->public_key, method->public_key_length, BASE64);
    snprintf(part_r, PART_SIZE, "credential=%s alg=%d key=%s counter=%" PRIu64 " flags=%02x",
             credential, method->algorithm, key, method->counter, method->flags);
    return 0;
}

static int read_bytes(const struct apw_field *text, uint8_t *bytes_r, size_t size, size_t *length_r)
{
    return apw_field_decode(text, bytes_r, size, length_r) == 0 && *length_r > 0 ? 0 : -1;
}

static int read_algorithm(const struct apw_field *field, int *algorithm_r)
{
    char text[8], again[16];

    if (apw_field_copy(field, text, sizeof text) != 0 || sscanf(text, "%d", algorithm_r) != 1)
        return -1;
    snprintf(again, sizeof again, "%d", *algorithm_r);
    return strcmp(text, again) == 0 ? 0 : -1;
}

static int read_passkey(struct apw_field *rest, bool is_last, struct apw_method *method)
{
    struct apw_field credential, algorithm, key, counter, flags;
    size_t length;

    return apw_field_take(rest, "credential", false, &credential) &&
                   read_bytes(&credential, method->credential, sizeof method->credential,
                              &method->credential_length) == 0 &&
                   apw_field_take(rest, "alg", false, &algorithm) &&
                   read_algorithm(&algorithm, &method->algorithm) == 0 &&
                   apw_field_take(rest, "key", false, &key) &&
                   read_bytes(&key, method->public_key, sizeof method->public_key,
                              &method->public_key_length) == 0 &&
                   apw_field_take(rest, "counter", false, &counter) &&
                   read_counter(&counter, &method->counter) == 0 &&
                   apw_field_take(rest, "flags", is_last, &flags) && flags.length == 2 &&
                   sodium_hex2bin(&method->flags, 1, flags.start, flags.length, NULL, &length,
                                  NULL) == 0 &&
                   length == 1
               ? 0
               : -1;
}

/* ---- recovery codes ---- */

static int write_recovery(const struct apw_method *method, char part_r[PART_SIZE])
{
    size_t length = (size_t)snprintf(part_r, PART_SIZE, "codes=");

    for (size_t i = 0; i < APW_METHOD_CODES; i++) {
        const uint8_t *hash = method->code_hash[i];

        if (i > 0)
            part_r[length++] = ',';
        if (sodium_is_zero(hash, APW_METHOD_CODE_HASH_BYTES))
            part_r[length++] = '-';
        else
            length += strlen(sodium_bin2base64(part_r + length, HASH_TEXT + 1, hash,
                                               APW_METHOD_CODE_HASH_BYTES, BASE64));
        part_r[length] = '\0';
    }
    return 0;
}

static int read_code_hash(const char *text, size_t length,
                          uint8_t hash_r[APW_METHOD_CODE_HASH_BYTES])
{
    size_t bytes;

    if (length == 1 && text[0] == '-')
        return 0;
    return length == HASH_TEXT &&
                   apw_field_decode(&(struct apw_field){text, length}, hash_r,
                                    APW_METHOD_CODE_HASH_BYTES, &bytes) == 0 &&
                   bytes == APW_METHOD_CODE_HASH_BYTES &&
                   !sodium_is_zero(hash_r, APW_METHOD_CODE_HASH_BYTES)
               ? 0
               : -1;
}

static int read_recovery(struct apw_field *rest, bool is_last, struct apw_method *method)
{
    struct apw_field codes;

    if (!apw_field_take(rest, "codes", is_last, &codes))
        return -1;
    for (size_t i = 0; i < APW_METHOD_CODES; i++) {
        const char *comma = codes.length == 0 ? NULL : memchr(codes.start, ',', codes.length);
        size_t length = comma == NULL ? codes.length : (size_t)(comma - codes.start);
        bool is_end = i == APW_METHOD_CODES - 1;

        if ((comma == NULL) != is_end ||
            read_code_hash(codes.start, length, method->code_hash[i]) != 0)
            return -1;
        codes.start += length + !is_end;
        codes.length -= length + !is_end;
    }
    return 0;
}

/* ---- the whole ---- */

static const struct kind {
    int (*write)(const struct apw_method *method, char part_r[PART_SIZE]);
    int (*read)(struct apw_field *rest, bool is_last, struct apw_method *method);
} kinds[APW_METHOD_KIND_COUNT] = {
    [APW_METHOD_APP] = {write_app, read_app},
    [APW_METHOD_MAIL] = {write_mail, read_mail},
    [APW_METHOD_PASSKEY] = {write_passkey, read_passkey},
    [APW_METHOD_RECOVERY] = {write_recovery, read_recovery},
};

int apw_method_plain_write(const struct apw_method *method, char plain_r[APW_METHOD_PLAIN_SIZE])
{
    char since[APW_TIMESTAMP_SIZE], used[APW_TIMESTAMP_SIZE], part[PART_SIZE];
    bool has_use = method->used != 0;
    int length = -1;

    if (apw_method_is_id(method->id, strlen(method->id)) &&
        is_name(method->name, strlen(method->name)) &&
        apw_clock_format_timestamp(method->since, since) == 0 &&
        apw_clock_format_timestamp(method->used, used) == 0 &&
        kinds[method->kind].write(method, part) == 0)
        length = snprintf(plain_r, APW_METHOD_PLAIN_SIZE, "id=%s since=%s %s%s%s%s name=%s",
                          method->id, since, has_use ? "used=" : "", has_use ? used : "",
                          has_use ? " " : "", part, method->name);
    sodium_memzero(part, sizeof part);
    return length < APW_METHOD_PLAIN_SIZE ? length : -1;
}

int apw_method_plain_read(enum apw_method_kind kind, const char *plain, size_t length,
                          struct apw_method *method_r)
{
    struct apw_field rest = {plain, length}, id, since, used, name;

    memset(method_r, 0, sizeof *method_r);
    method_r->kind = kind;
    if (!apw_field_take(&rest, "id", false, &id) || !apw_method_is_id(id.start, id.length) ||
        apw_field_copy(&id, method_r->id, sizeof method_r->id) != 0 ||
        !apw_field_take(&rest, "since", false, &since) || read_time(&since, &method_r->since) != 0)
        return -1;
    if (apw_field_take(&rest, "used", false, &used) &&
        (read_time(&used, &method_r->used) != 0 || method_r->used == 0))
        return -1;
    return kinds[kind].read(&rest, false, method_r) == 0 &&
                   apw_field_take(&rest, "name", true, &name) && is_name(name.start, name.length) &&
                   apw_field_copy(&name, method_r->name, sizeof method_r->name) == 0
               ? 0
               : -1;
}

int apw_method_plain_read_old(const char *plain, size_t length, struct apw_method *method_r)
{
    struct apw_field rest = {plain, length}, kind, since;

    memset(method_r, 0, sizeof *method_r);
    strcpy(method_r->id, APW_METHOD_OLD_ID);
    if (!apw_field_take(&rest, "method", false, &kind) ||
        !apw_field_take(&rest, "since", false, &since) || read_time(&since, &method_r->since) != 0)
        return -1;
    method_r->kind = kind.length == 3 ? APW_METHOD_APP : APW_METHOD_MAIL;
    if (kind.length == 3 && memcmp(kind.start, "app", 3) == 0)
        return read_app(&rest, true, method_r);
    if (kind.length == 4 && memcmp(kind.start, "mail", 4) == 0)
        return read_mail(&rest, true, method_r);
    return -1;
}

/* ---- others ---- */

bool apw_method_is_code(const char *value, size_t length)
{
    return apw_field_begins(value, length, CODE_WORD);
}

bool apw_method_is_same(const struct apw_method *left, const struct apw_method *right)
{
    return left->kind == right->kind && left->since == right->since &&
           strcmp(left->id, right->id) == 0 &&
           sodium_memcmp(left->secret, right->secret, sizeof left->secret) == 0 &&
           strcmp(left->address, right->address) == 0 &&
           left->credential_length == right->credential_length &&
           memcmp(left->credential, right->credential, left->credential_length) == 0;
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
    if (apw_field_take_time(&rest, "created", &code_r->created) != 0 ||
        apw_field_take_time(&rest, "expires", &code_r->expires) != 0 ||
        !apw_field_take(&rest, "hash", true, &field) || field.length == scheme_length ||
        !apw_field_begins(field.start, field.length, HASH_SCHEME))
        return apw_error_set(error, "malformed enrollment code");
    field.start += scheme_length;
    field.length -= scheme_length;
    if (apw_field_copy(&field, code_r->hash, sizeof code_r->hash) != 0)
        return apw_error_set(error, "the hash of the enrollment code is too long");
    return 0;
}
