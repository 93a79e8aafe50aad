/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * authenticator: makes passkeys and signatures as a device does (WebAuthn level 2), with a key of
 * Ed25519.
 */
#ifndef APW_AUTHENTICATOR_H
#define APW_AUTHENTICATOR_H

#include "passkey.h"
#include "unit.h"
#include <sodium.h>

#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

/* Flags (6.1). */
#define PRESENT        0x01
#define ELIGIBLE       0x08
#define BACKED_UP      0x10
#define HAS_CREDENTIAL 0x40
#define HAS_EXTENSIONS 0x80

/* Authenticator data (6.1). */
struct data {
    uint8_t bytes[APW_PASSKEY_AUTHENTICATOR_MAX];
    size_t length;
};

static inline void put(struct data *data, const void *bytes, size_t length)
{
    memcpy(data->bytes + data->length, bytes, length);
    data->length += length;
}

static inline struct data begin_data(const char *host, uint8_t flags, uint32_t counter)
{
    const uint8_t rest[] = {flags, (uint8_t)(counter >> 24), (uint8_t)(counter >> 16),
                            (uint8_t)(counter >> 8), (uint8_t)counter};
    struct data data = {.length = 0};
    uint8_t hash[crypto_hash_sha256_BYTES];

    crypto_hash_sha256(hash, (const uint8_t *)host, strlen(host));
    put(&data, hash, sizeof hash);
    put(&data, rest, sizeof rest);
    return data;
}

/* A credential (6.5.2) with an id of so many bytes "i", and a key in COSE. */
static inline void put_credential(struct data *data, size_t id_length, const void *key,
                                  size_t key_length)
{
    const uint8_t length[] = {(uint8_t)(id_length >> 8), (uint8_t)id_length};
    char *id = unit_repeat("i", id_length);

    put(data, "the model's uuid", 16);
    put(data, length, sizeof length);
    put(data, id, id_length);
    put(data, key, key_length);
    free(id);
}

static uint8_t own_key[crypto_sign_PUBLICKEYBYTES], own_secret[crypto_sign_SECRETKEYBYTES];

static inline void authenticator_begin(void)
{
    const uint8_t seed[crypto_sign_SEEDBYTES] = {1};

    if (sodium_init() < 0)
        abort();
    crypto_sign_seed_keypair(own_key, own_secret, seed);
}

/* Our Ed25519 key in COSE (RFC 9053, 7.2). */
static inline void put_own_credential(struct data *data, size_t id_length)
{
    static const uint8_t head[] = {0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21, 0x58, 32};
    uint8_t key[sizeof head + sizeof own_key];

    memcpy(key, head, sizeof head);
    memcpy(key + sizeof head, own_key, sizeof own_key);
    put_credential(data, id_length, key, sizeof key);
}

static inline char *encode(const void *bytes, size_t length)
{
    size_t size = sodium_base64_ENCODED_LEN(length, BASE64);

    return sodium_bin2base64(malloc(size), size, bytes, length, BASE64);
}

/* Signs as our key (6.3.3). The caller frees it. */
static inline char *sign(const struct data *data, const char *client_data)
{
    uint8_t signature[crypto_sign_BYTES];
    struct data message = *data;
    uint8_t hash[crypto_hash_sha256_BYTES];

    crypto_hash_sha256(hash, (const uint8_t *)client_data, strlen(client_data));
    put(&message, hash, sizeof hash);
    crypto_sign_detached(signature, NULL, message.bytes, message.length, own_secret);
    return encode(signature, sizeof signature);
}

#endif
