/* SPDX-License-Identifier: BSD-2-Clause */
#include "hash.h"
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define KIB_PER_MIB  1024
#define SALT_BYTES   crypto_pwhash_argon2id_SALTBYTES
#define OUTPUT_BYTES 32 /* what crypto_pwhash_str() stores */
#define BASE64_LENGTH(bytes)                                                                       \
    sodium_base64_ENCODED_LEN(bytes, sodium_base64_VARIANT_ORIGINAL_NO_PADDING)

/* A parsed PHC string. */
struct phc {
    struct apw_hash_cost cost;
    unsigned char salt[SALT_BYTES];
    unsigned char output[OUTPUT_BYTES];
};

/* Reads "<prefix><number>" and moves on; at most seven digits, no leading zero. */
static int take_number(const char **text, const char *prefix, unsigned *number_r)
{
    size_t length = strlen(prefix);
    unsigned number = 0;
    int digits = 0;

    if (strncmp(*text, prefix, length) != 0)
        return -1;
    *text += length;
    for (; **text >= '0' && **text <= '9'; (*text)++) {
        if (++digits > 7 || (digits > 1 && number == 0))
            return -1;
        number = number * 10 + (unsigned)(**text - '0');
    }
    *number_r = number;
    return digits > 0 ? 0 : -1;
}

static const char base64_symbols[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Reads '$' and unpadded base64 of exactly `bytes` bytes and moves on. */
static int take_base64(const char **text, unsigned char *bytes_r, size_t bytes)
{
    size_t length, decoded;
    const char *end;

    if (**text != '$')
        return -1;
    (*text)++;
    length = strcspn(*text, "$");
    if (length != BASE64_LENGTH(bytes) - 1 ||
        strspn(*text, base64_symbols) != length || /* libsodium accepts some bytes past 0x7f */
        sodium_base642bin(bytes_r, bytes, *text, length, NULL, &decoded, &end,
                          sodium_base64_VARIANT_ORIGINAL_NO_PADDING) != 0 ||
        decoded != bytes || end != *text + length)
        return -1;
    *text += length;
    return 0;
}

/* libsodium writes only version 19, one lane, 16 bytes of salt and 32 of output. The string is
 * parsed here because crypto_pwhash_str_verify() reports "no memory" as a mismatch. */
static int parse(const char *text, struct phc *phc_r, struct apw_error *error)
{
    unsigned version, lanes;

    if (strncmp(text, "$argon2id$", 10) != 0)
        return apw_error_set(error, "the hash is not argon2id");
    text += 9;
    if (take_number(&text, "$v=", &version) != 0 || version != 19 ||
        take_number(&text, "$m=", &phc_r->cost.memory_kib) != 0 ||
        take_number(&text, ",t=", &phc_r->cost.passes) != 0 ||
        take_number(&text, ",p=", &lanes) != 0 || lanes != 1 ||
        take_base64(&text, phc_r->salt, sizeof phc_r->salt) != 0 ||
        take_base64(&text, phc_r->output, sizeof phc_r->output) != 0 || *text != '\0')
        return apw_error_set(error, "the hash is not an argon2id string as libsodium writes it");
    if (phc_r->cost.memory_kib < crypto_pwhash_MEMLIMIT_MIN / 1024 ||
        phc_r->cost.passes < crypto_pwhash_OPSLIMIT_MIN)
        return apw_error_set(error, "the hash has a cost that argon2id cannot have");
    return 0;
}

static bool is_over(const struct apw_hash_cost *cost, const struct apw_hash_cost *limit)
{
    return cost->memory_kib > limit->memory_kib || cost->passes > limit->passes;
}

static int parse_within(const char *text, const struct apw_hash_cost *cap, struct phc *phc_r,
                        struct apw_error *error)
{
    if (parse(text, phc_r, error) != 0)
        return -1;
    if (is_over(&phc_r->cost, cap))
        return apw_error_set(error,
                             "the hash costs %u KiB and %u passes, over the cap of %u KiB and %u "
                             "passes that hash_memory and hash_passes set",
                             phc_r->cost.memory_kib, phc_r->cost.passes, cap->memory_kib,
                             cap->passes);
    return 0;
}

static unsigned at_most(unsigned number, unsigned limit)
{
    return number < limit ? number : limit;
}

struct apw_hash_cost apw_hash_cap(unsigned memory_mib, unsigned passes)
{
    return (struct apw_hash_cost){
        .memory_kib =
            KIB_PER_MIB * at_most(APW_HASH_COST_FACTOR * memory_mib, APW_HASH_MEMORY_MAX_MIB),
        .passes = at_most(APW_HASH_COST_FACTOR * passes, APW_HASH_PASSES_MAX)};
}

struct apw_hash_cost apw_hash_cost_of(const char *phc)
{
    struct phc stored;

    return parse(phc, &stored, NULL) == 0 ? stored.cost : (struct apw_hash_cost){0, 0};
}

bool apw_hash_is_costly(const struct apw_hash_cost *cost, unsigned memory_mib, unsigned passes)
{
    return is_over(cost, &(const struct apw_hash_cost){memory_mib * KIB_PER_MIB, passes});
}

int apw_hash_make(const struct apw_password *password, unsigned memory_mib, unsigned passes,
                  char phc_r[APW_HASH_TEXT_SIZE], struct apw_error *error)
{
    _Static_assert(APW_HASH_TEXT_SIZE > crypto_pwhash_STRBYTES, "room for a PHC string");

    if (crypto_pwhash_str_alg(phc_r, password->symbols, APW_PASSWORD_LENGTH, passes,
                              (size_t)memory_mib * KIB_PER_MIB * 1024,
                              crypto_pwhash_ALG_ARGON2ID13) != 0)
        return apw_error_set(error, "not enough memory for a hash of %u MiB", memory_mib);
    return 0;
}

int apw_hash_check(const char *phc, const struct apw_hash_cost *cap, struct apw_error *error)
{
    struct phc parsed;

    return parse_within(phc, cap, &parsed, error);
}

enum apw_hash_result apw_hash_verify(const char *phc, const struct apw_hash_cost *cap,
                                     const struct apw_password *password, struct apw_error *error)
{
    enum apw_hash_result result = APW_HASH_MISMATCH;
    unsigned char output[OUTPUT_BYTES];
    struct phc stored;

    if (parse_within(phc, cap, &stored, error) != 0)
        return APW_HASH_UNUSABLE;
    if (crypto_pwhash(output, sizeof output, password->symbols, APW_PASSWORD_LENGTH, stored.salt,
                      stored.cost.passes, (size_t)stored.cost.memory_kib * 1024,
                      crypto_pwhash_ALG_ARGON2ID13) != 0) {
        apw_error_set(error, "not enough memory for a hash of %u KiB", stored.cost.memory_kib);
        result = APW_HASH_NO_MEMORY;
    } else if (sodium_memcmp(output, stored.output, sizeof output) == 0) {
        result = APW_HASH_MATCH;
    }
    sodium_memzero(output, sizeof output);
    return result;
}
