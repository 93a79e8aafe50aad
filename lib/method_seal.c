/* SPDX-License-Identifier: BSD-2-Clause */
#include "method_seal.h"
#include "field.h"
#include "seal.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define FACTOR_WORD "factor v=2 "
#define HEAD_SIZE   64

_Static_assert(APW_METHOD_KEY_BYTES == APW_SEAL_KEY_BYTES, "key size");
_Static_assert(APW_METHOD_PLAIN_SIZE <= APW_SEAL_PLAIN_MAX, "size of what is sealed");

static void write_head(enum apw_method_kind kind, char head_r[HEAD_SIZE])
{
    snprintf(head_r, HEAD_SIZE, FACTOR_WORD "kind=%s ", apw_method_kind_name(kind));
}

int apw_method_seal(const struct apw_method *method, const uint8_t key[APW_METHOD_KEY_BYTES],
                    const char *unique_id, char value_r[APW_METHOD_VALUE_SIZE],
                    struct apw_error *error)
{
    char plain[APW_METHOD_PLAIN_SIZE], head[HEAD_SIZE];
    const struct apw_seal seal = {.key = key, .head = head, .unique_id = unique_id};
    int length =
        apw_method_kind_name(method->kind) == NULL ? -1 : apw_method_plain_write(method, plain);
    int status = -1;

    if (length >= 0) {
        write_head(method->kind, head);
        status = apw_seal_close(&seal, plain, (size_t)length, value_r, APW_METHOD_VALUE_SIZE);
    }
    sodium_memzero(plain, sizeof plain);
    return status == 0 ? 0 : apw_error_set(error, "the second factor cannot be stored");
}

/* Takes the start of a value; *rest is then "sealed=…". False if it is not of this version. */
static bool take_head(struct apw_field *rest, enum apw_method_kind *kind_r)
{
    const size_t word_length = sizeof FACTOR_WORD - 1;
    struct apw_field behind, kind;

    if (!apw_field_begins(rest->start, rest->length, FACTOR_WORD))
        return false;
    behind = (struct apw_field){rest->start + word_length, rest->length - word_length};
    if (!apw_field_take(&behind, "kind", false, &kind) ||
        apw_method_kind_read(kind.start, kind.length, kind_r) != 0)
        return false;
    *rest = behind;
    return true;
}

int apw_method_open(const char *value, size_t length, const uint8_t key[APW_METHOD_KEY_BYTES],
                    const char *unique_id, struct apw_method *method_r, struct apw_error *error)
{
    struct apw_field rest = {value, length};
    enum apw_method_kind kind = APW_METHOD_APP;
    bool is_new = take_head(&rest, &kind);
    char plain[APW_SEAL_PLAIN_MAX], head[HEAD_SIZE] = ""; /* as in 0.1 */
    const struct apw_seal seal = {.key = key, .head = head, .unique_id = unique_id};
    size_t plain_length = 0;
    int status;

    memset(method_r, 0, sizeof *method_r);
    if (is_new)
        write_head(kind, head);
    switch (apw_seal_open(&seal, rest, plain, &plain_length)) {
    case APW_SEAL_MALFORMED:
        return apw_error_set(error, "the second factor is not a sealed value of this version");
    case APW_SEAL_FOREIGN:
        return apw_error_set(error, "the second factor was sealed with another key or for another "
                                    "entry, or has been changed");
    case APW_SEAL_OPEN:
        break;
    }
    status = is_new ? apw_method_plain_read(kind, plain, plain_length, method_r)
                    : apw_method_plain_read_old(plain, plain_length, method_r);
    sodium_memzero(plain, sizeof plain);
    if (status == 0)
        return 0;
    sodium_memzero(method_r, sizeof *method_r);
    return apw_error_set(error, "the sealed value is not a second factor of this version");
}

int apw_method_peek(const char *value, size_t length, enum apw_method_kind *kind_r)
{
    struct apw_field rest = {value, length};

    return take_head(&rest, kind_r) ? 0 : -1;
}

bool apw_method_is_sealed(const char *value, size_t length)
{
    return apw_field_begins(value, length, "factor ") || apw_field_begins(value, length, "sealed=");
}
