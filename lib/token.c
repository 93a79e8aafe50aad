/* SPDX-License-Identifier: BSD-2-Clause */
#include "token.h"
#include <sodium.h>
#include <stdint.h>
#include <string.h>

#define TOKEN_BYTES 16
#define VARIANT     sodium_base64_VARIANT_URLSAFE_NO_PADDING

void apw_token_make(char token_r[APW_TOKEN_SIZE])
{
    uint8_t bytes[TOKEN_BYTES];

    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2base64(token_r, APW_TOKEN_SIZE, bytes, sizeof bytes, VARIANT);
    sodium_memzero(bytes, sizeof bytes);
}

void apw_token_hash(const char *token, char hash_r[APW_TOKEN_SIZE])
{
    uint8_t hash[TOKEN_BYTES];

    crypto_generichash(hash, sizeof hash, (const uint8_t *)token, strlen(token), NULL, 0);
    sodium_bin2base64(hash_r, APW_TOKEN_SIZE, hash, sizeof hash, VARIANT);
}

bool apw_token_has_hash(const char *token, const char hash[APW_TOKEN_SIZE])
{
    char own[APW_TOKEN_SIZE];

    apw_token_hash(token, own);
    return sodium_memcmp(own, hash, sizeof own) == 0;
}

bool apw_token_is_token(const char *text)
{
    static const char base64url[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    return strlen(text) == APW_TOKEN_SIZE - 1 && strspn(text, base64url) == APW_TOKEN_SIZE - 1;
}
