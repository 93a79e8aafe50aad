/* SPDX-License-Identifier: BSD-2-Clause */
/* What a browser answers for a passkey: client data (JSON) and authenticator data (CBOR). */
#include "fuzz.h"
#include "mutate.h"
#include "passkey.h"
#include <sodium.h>

#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

/* libcbor asks for as much memory as a length in the data claims, and frees it unused if the data
 * end before. Outside of this program, too, it copes with not getting it. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "max_allocation_size_mb=64:allocator_may_return_null=1";
}

static const char challenge[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
static const struct apw_passkey_request request = {
    .host = "localhost", .origin = "http://localhost", .challenge = challenge};
static const char client_data[] = "{\"type\":\"webauthn.%s\",\"challenge\":\"%s\","
                                  "\"origin\":\"http://localhost\",\"crossOrigin\":false}";

/* ---- mutations ---- */

static const struct fuzz_rule rules[] = {
    {'V', "{%T,%C,%O}|{%T,%C,%O,%X}|{%T,%C,%O,%X,%A}|{%A}"},
    {'T', "\"type\":%t"},
    {'t', "\"webauthn.create\"|\"webauthn.get\"|%v"},
    {'C', "\"challenge\":%c"},
    {'c', "\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\"|%v"},
    {'O', "\"origin\":%o"},
    {'o', "\"http://localhost\"|\"http://localhost:80\"|%v"},
    {'X', "\"crossOrigin\":%v"},
    {'A', "\"%*\":%v|%T|\"tokenBinding\":{%X}"},
    {'v', "false|true|null|0|1e9|\"\"|\"\\u0000\"|%[%v,%v%]|{%A}|\"%*\""},
    {0, NULL},
};

/* The head of a CBOR item (RFC 8949, 3). */
static void put_head(struct fuzz_output *output, unsigned major, unsigned value)
{
    if (value < 24) {
        fuzz_put_byte(output, major << 5 | value);
    } else if (value < 256) {
        fuzz_put_byte(output, major << 5 | 24);
        fuzz_put_byte(output, value);
    } else {
        fuzz_put_byte(output, major << 5 | 25);
        fuzz_put_byte(output, value >> 8);
        fuzz_put_byte(output, value & 0xff);
    }
}

static void put_noise(struct fuzz_output *output, unsigned length)
{
    while (length-- > 0)
        fuzz_put_byte(output, fuzz_pick(256));
}

/* Any item, to a certain depth. */
static void put_item(struct fuzz_output *output, int depth)
{
    unsigned major = fuzz_pick(depth > 3 ? 4 : 8), count = fuzz_pick(4);

    if (fuzz_pick(16) == 0) { /* of indefinite length */
        fuzz_put_byte(output, (2 + fuzz_pick(4)) << 5 | 31);
        for (unsigned i = 0; i < count; i++)
            put_item(output, depth + 1);
        fuzz_put_byte(output, 0xff);
        return;
    }
    put_head(output, major, major == 4 || major == 5 ? count : fuzz_pick(40));
    if (major == 2 || major == 3)
        put_noise(output, output->bytes[output->length - 1] & 31);
    for (unsigned i = 0; (major == 4 || major == 5) && i < (major - 3) * count; i++)
        put_item(output, depth + 1);
}

/* One part of a key (RFC 9052, 7), mostly as it should be. */
static void put_part(struct fuzz_output *output, unsigned major, unsigned value, unsigned bytes)
{
    if (fuzz_pick(24) == 0) {
        put_item(output, 0);
        return;
    }
    put_head(output, major, value);
    put_noise(output, bytes);
}

/* A key for ES256, EdDSA or RS256. Negative numbers have major type 1, and are one less. */
static void put_key(struct fuzz_output *output)
{
    static const unsigned types[] = {2, 1, 3}, algorithms[] = {6, 7, 256}, curves[] = {1, 6};
    unsigned kind = fuzz_pick(3);

    put_part(output, 5, kind == 0 ? 5 : 4, 0);
    put_part(output, 0, 1, 0);
    put_part(output, 0, types[kind], 0);
    put_part(output, 0, 3, 0);
    put_part(output, 1, algorithms[kind], 0);
    put_part(output, 1, 0, 0);
    if (kind == 2)
        put_part(output, 2, 256, 256);
    else
        put_part(output, 0, curves[kind], 0);
    put_part(output, 1, 1, 0);
    put_part(output, 2, kind == 2 ? 3 : 32, kind == 2 ? 3 : 32);
    if (kind == 0) {
        put_part(output, 1, 2, 0);
        put_part(output, 2, 32, 32);
    }
}

static void put_extensions(struct fuzz_output *output)
{
    static const char *const names[] = {"credProtect", "hmac-secret", "credBlob", "minPinLength"};
    unsigned count = fuzz_pick(3);

    put_head(output, 5, count);
    for (unsigned i = 0; i < count; i++) {
        const char *name = names[fuzz_pick(4)];

        put_head(output, 3, (unsigned)strlen(name));
        fuzz_put_text(output, name);
        put_item(output, 2);
    }
}

/* Authenticator data (WebAuthn 6.1). */
static size_t write_authenticator_data(uint8_t *bytes, size_t size)
{
    static const uint8_t flags[] = {0x01, 0x05, 0x09, 0x19, 0x11, 0x41, 0x45, 0x5d, 0xc5, 0x81};
    static const unsigned lengths[] = {16, 32, 64, 1, 0, 1023, 1024};
    struct fuzz_output output = {.bytes = bytes, .size = size};
    uint8_t flag = fuzz_pick(8) == 0 ? (uint8_t)fuzz_pick(256) : flags[fuzz_pick(sizeof flags)];
    uint8_t hash[crypto_hash_sha256_BYTES];
    unsigned length = lengths[fuzz_pick(7)];

    crypto_hash_sha256(hash, (const uint8_t *)"localhost", 9);
    fuzz_put(&output, hash, sizeof hash);
    fuzz_put_byte(&output, flag);
    fuzz_put(&output, "\0\0\0", 3);
    fuzz_put_byte(&output, fuzz_pick(16));
    if ((flag & 0x40) != 0) {
        put_noise(&output, 16);
        fuzz_put_byte(&output, length >> 8);
        fuzz_put_byte(&output, length & 0xff);
        put_noise(&output, length);
        put_key(&output);
    }
    if ((flag & 0x80) != 0)
        put_extensions(&output);
    return output.length;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t size, unsigned seed)
{
    uint8_t buffer[FUZZ_PART_SIZE];
    struct fuzz_output item = {.bytes = buffer, .size = sizeof buffer};
    size_t at;

    fuzz_seed(seed);
    if (length > 0 && bytes[0] == '{')
        return fuzz_mutate_text(rules, "{}[],:\"", bytes, length, size);
    if (length == 0 || fuzz_pick(4) == 0)
        return fuzz_pick(8) == 0 ? fuzz_mutate_text(rules, "", bytes, 0, size)
                                 : write_authenticator_data(bytes, size);
    if (fuzz_pick(2) == 0)
        return LLVMFuzzerMutate(bytes, length, size);
    at = fuzz_pick((unsigned)length);
    put_item(&item, 0);
    return fuzz_replace(bytes, length, size, at, fuzz_pick((unsigned)(length - at)), &item);
}

/* ---- what is tried ---- */

/* libFuzzer sees no branch of libfido2. So it also counts what came of an input: what kind of key
 * was read, with how long an id and which flags, and with which flags a signature was accepted. */
enum {
    KEYS = 0,
    LENGTHS = 4,
    FLAGS = LENGTHS + 128,
    SIGNED = FLAGS + 256,
    OUTCOMES = SIGNED + 256
};
__attribute__((section("__libfuzzer_extra_counters"))) static uint8_t outcomes[OUTCOMES];

static void note_passkey(const struct apw_method *method)
{
    outcomes[KEYS + (method->algorithm & 3)]++; /* -7, -8 and -257 differ in these bits */
    outcomes[LENGTHS + method->credential_length % 1024 / 8]++;
    outcomes[FLAGS + method->flags]++;
}

static char *encode(const uint8_t *bytes, size_t length)
{
    size_t size = sodium_base64_ENCODED_LEN(length, BASE64);
    char *text = malloc(size);

    if (text == NULL)
        abort();
    return sodium_bin2base64(text, size, bytes, length, BASE64);
}

static char *encode_client_data(const char *ceremony)
{
    char text[512];
    int length = snprintf(text, sizeof text, client_data, ceremony, challenge);

    return encode((const uint8_t *)text, (size_t)length);
}

/* A passkey that was read is whole, and is not good for a signature that is noise. */
static void try_authenticator_data(const char *data)
{
    char *creates = encode_client_data("create"), *gets = encode_client_data("get");
    struct apw_passkey_response response = {creates, data, NULL};
    struct apw_method method, before;
    char value[APW_METHOD_PLAIN_SIZE];

    if (apw_passkey_register(&request, &response, &method, NULL) == 0) {
        FUZZ_MUST(method.credential_length > 0 && method.public_key_length > 0);
        FUZZ_MUST((method.flags & 1) != 0);
        note_passkey(&method);
        apw_method_make_id(method.id);
        FUZZ_MUST(apw_method_plain_write(&method, value) > 0);
        before = method;
        response = (struct apw_passkey_response){gets, data, data};
        FUZZ_MUST(apw_passkey_verify(&request, &response, &method, NULL) != 0);
        FUZZ_MUST(memcmp(&before, &method, sizeof method) == 0);
    }
    free(creates);
    free(gets);
}

/* Authenticator data that our own key has signed are accepted if they are for this host, somebody
 * was present, and the count rises. */
static void try_signed(const uint8_t *bytes, size_t length)
{
    uint8_t public_key[crypto_sign_PUBLICKEYBYTES], secret_key[crypto_sign_SECRETKEYBYTES];
    uint8_t seed[crypto_sign_SEEDBYTES] = {1}, signature[crypto_sign_BYTES], *message;
    char *gets = encode_client_data("get"), *data = encode(bytes, length), text[512];
    struct apw_method method = {
        .kind = APW_METHOD_PASSKEY, .algorithm = -8, .counter = 7, .flags = 0x09};
    struct apw_passkey_response response = {gets, data, NULL};
    int client_length = snprintf(text, sizeof text, client_data, "get", challenge);

    message = malloc(length + crypto_hash_sha256_BYTES);
    FUZZ_MUST(message != NULL);
    if (length > 0)
        memcpy(message, bytes, length);
    crypto_hash_sha256(message + length, (const uint8_t *)text, (size_t)client_length);
    crypto_sign_seed_keypair(public_key, secret_key, seed);
    crypto_sign_detached(signature, NULL, message, length + crypto_hash_sha256_BYTES, secret_key);
    memcpy(method.public_key, public_key, sizeof public_key);
    method.public_key_length = sizeof public_key;
    response.signature = encode(signature, sizeof signature);
    if (apw_passkey_verify(&request, &response, &method, NULL) == 0) {
        crypto_hash_sha256(message, (const uint8_t *)request.host, strlen(request.host));
        FUZZ_MUST(length >= 37 && memcmp(bytes, message, crypto_hash_sha256_BYTES) == 0);
        outcomes[SIGNED + bytes[32]]++;
        FUZZ_MUST((bytes[32] & 1) != 0 && (bytes[32] & 0x08) != 0 && method.counter > 7);
    } else {
        FUZZ_MUST(method.counter == 7 && method.flags == 0x09);
    }
    free((char *)response.signature);
    free(message);
    free(gets);
    free(data);
}

/* Client data are accepted only as they were asked for: then the authenticator data, which are
 * none, are looked at. */
static void try_client_data(const char *data)
{
    const struct apw_passkey_response response = {data, "AAAA", "AAAA"};
    struct apw_method method = {.kind = APW_METHOD_PASSKEY, .algorithm = -7};

    FUZZ_MUST(apw_passkey_verify(&request, &response, &method, NULL) != 0);
    FUZZ_MUST(apw_passkey_register(&request, &response, &method, NULL) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char *encoded = encode(bytes, length), *text = fuzz_text(bytes, length);

    try_authenticator_data(encoded);
    try_signed(bytes, length);
    try_client_data(encoded);
    try_client_data(text); /* not base64url, mostly */
    free(encoded);
    free(text);
    return 0;
}
