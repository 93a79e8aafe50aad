/* SPDX-License-Identifier: BSD-2-Clause */
#include "browser_record.h"
#include "clock.h"
#include "field.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define WORD     "browser "
#define HEAD     WORD "v=2 "
#define BASE64   sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define ID_BYTES ((APW_METHOD_ID_SIZE - 1) / 2)

bool apw_browser_record_is_value(const char *value, size_t length)
{
    return apw_field_begins(value, length, WORD);
}

int apw_browser_record_seal(const struct apw_browser_record *record,
                            const uint8_t key[APW_SEAL_KEY_BYTES], const char *unique_id,
                            char value_r[APW_BROWSER_RECORD_SIZE])
{
    const struct apw_seal seal = {.key = key, .head = HEAD, .unique_id = unique_id};
    char since[APW_TIMESTAMP_SIZE], until[APW_TIMESTAMP_SIZE], plain[512],
        proof[sodium_base64_ENCODED_LEN(APW_BROWSER_PROOF_BYTES, BASE64)];
    int length, status;

    if (!apw_method_is_id(record->id, strlen(record->id)) ||
        !apw_method_is_id(record->factor, strlen(record->factor)) ||
        apw_record_check_label(record->name, strlen(record->name), NULL) != 0 ||
        apw_clock_format_timestamp(record->since, since) != 0 ||
        apw_clock_format_timestamp(record->until, until) != 0)
        return -1;
    sodium_bin2base64(proof, sizeof proof, record->proof, sizeof record->proof, BASE64);
    length = snprintf(plain, sizeof plain, "id=%s since=%s until=%s factor=%s proof=%s name=%s",
                      record->id, since, until, record->factor, proof, record->name);
    status = apw_seal_close(&seal, plain, (size_t)length, value_r, APW_BROWSER_RECORD_SIZE);
    sodium_memzero(plain, sizeof plain);
    sodium_memzero(proof, sizeof proof);
    return status;
}

static int read_id(struct apw_field *rest, const char *key, char id_r[APW_METHOD_ID_SIZE])
{
    struct apw_field id;

    return apw_field_take(rest, key, false, &id) && apw_method_is_id(id.start, id.length)
               ? apw_field_copy(&id, id_r, APW_METHOD_ID_SIZE)
               : -1;
}

static int read_proof(struct apw_field *rest, uint8_t proof_r[APW_BROWSER_PROOF_BYTES])
{
    struct apw_field proof;
    size_t length;

    return apw_field_take(rest, "proof", false, &proof) &&
                   apw_field_decode(&proof, proof_r, APW_BROWSER_PROOF_BYTES, &length) == 0 &&
                   length == APW_BROWSER_PROOF_BYTES
               ? 0
               : -1;
}

static int read_plain(struct apw_field rest, struct apw_browser_record *record_r)
{
    struct apw_field name;

    return read_id(&rest, "id", record_r->id) == 0 &&
                   apw_field_take_time(&rest, "since", &record_r->since) == 0 &&
                   apw_field_take_time(&rest, "until", &record_r->until) == 0 &&
                   read_id(&rest, "factor", record_r->factor) == 0 &&
                   read_proof(&rest, record_r->proof) == 0 &&
                   apw_field_take(&rest, "name", true, &name) &&
                   apw_record_check_label(name.start, name.length, NULL) == 0
               ? apw_field_copy(&name, record_r->name, sizeof record_r->name)
               : -1;
}

int apw_browser_record_open(const char *value, size_t length, const uint8_t key[APW_SEAL_KEY_BYTES],
                            const char *unique_id, struct apw_browser_record *record_r)
{
    const struct apw_seal seal = {.key = key, .head = HEAD, .unique_id = unique_id};
    const size_t head = sizeof HEAD - 1;
    char plain[APW_SEAL_PLAIN_MAX];
    size_t plain_length;
    int status = -1;

    memset(record_r, 0, sizeof *record_r);
    if (apw_field_begins(value, length, HEAD) &&
        apw_seal_open(&seal, (struct apw_field){value + head, length - head}, plain,
                      &plain_length) == APW_SEAL_OPEN)
        status = read_plain((struct apw_field){plain, plain_length}, record_r);
    sodium_memzero(plain, sizeof plain);
    if (status != 0)
        sodium_memzero(record_r, sizeof *record_r);
    return status;
}

void apw_browser_record_prove(const uint8_t cookie[APW_BROWSER_COOKIE_BYTES], const char *password,
                              struct apw_browser_record *record_r)
{
    crypto_generichash_state state;

    sodium_bin2hex(record_r->id, sizeof record_r->id, cookie, ID_BYTES);
    crypto_generichash_init(&state, cookie, APW_BROWSER_COOKIE_BYTES, sizeof record_r->proof);
    crypto_generichash_update(&state, (const uint8_t *)"password", 9);
    crypto_generichash_update(&state, (const uint8_t *)password, strlen(password));
    crypto_generichash_final(&state, record_r->proof, sizeof record_r->proof);
    sodium_memzero(&state, sizeof state);
}
