/* SPDX-License-Identifier: BSD-2-Clause */
#include "seal.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define SEALED_KEY   "sealed"
#define NONCE_BYTES  crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES    crypto_aead_xchacha20poly1305_ietf_ABYTES
#define SEALED_BYTES (NONCE_BYTES + APW_SEAL_PLAIN_MAX + TAG_BYTES)
#define BOUND_SIZE   512
#define VARIANT      sodium_base64_VARIANT_URLSAFE_NO_PADDING

_Static_assert(APW_SEAL_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "key size");

static int bind(const struct apw_seal *seal, char bound_r[BOUND_SIZE])
{
    return snprintf(bound_r, BOUND_SIZE, "%s%s", seal->head, seal->unique_id) < BOUND_SIZE ? 0 : -1;
}

int apw_seal_close(const struct apw_seal *seal, const char *plain, size_t length, char *value_r,
                   size_t size)
{
    size_t prefix = strlen(seal->head) + sizeof SEALED_KEY;
    uint8_t sealed[SEALED_BYTES];
    unsigned long long sealed_length;
    char bound[BOUND_SIZE];

    if (length > APW_SEAL_PLAIN_MAX || bind(seal, bound) != 0 ||
        prefix + sodium_base64_ENCODED_LEN(NONCE_BYTES + length + TAG_BYTES, VARIANT) > size)
        return -1;
    randombytes_buf(sealed, NONCE_BYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        sealed + NONCE_BYTES, &sealed_length, (const uint8_t *)plain, length,
        (const uint8_t *)bound, strlen(bound), NULL, sealed, seal->key);
    snprintf(value_r, size, "%s" SEALED_KEY "=", seal->head);
    sodium_bin2base64(value_r + prefix, size - prefix, sealed, NONCE_BYTES + (size_t)sealed_length,
                      VARIANT);
    return 0;
}

enum apw_seal_result apw_seal_open(const struct apw_seal *seal, struct apw_field rest,
                                   char plain_r[APW_SEAL_PLAIN_MAX], size_t *length_r)
{
    uint8_t sealed[SEALED_BYTES];
    unsigned long long plain_length;
    size_t sealed_length;
    struct apw_field text;
    char bound[BOUND_SIZE];

    if (!apw_field_take(&rest, SEALED_KEY, true, &text) ||
        apw_field_decode(&text, sealed, sizeof sealed, &sealed_length) != 0 ||
        sealed_length < NONCE_BYTES + TAG_BYTES)
        return APW_SEAL_MALFORMED;
    if (bind(seal, bound) != 0 || crypto_aead_xchacha20poly1305_ietf_decrypt(
                                      (uint8_t *)plain_r, &plain_length, NULL, sealed + NONCE_BYTES,
                                      sealed_length - NONCE_BYTES, (const uint8_t *)bound,
                                      strlen(bound), sealed, seal->key) != 0)
        return APW_SEAL_FOREIGN;
    *length_r = (size_t)plain_length;
    return APW_SEAL_OPEN;
}
