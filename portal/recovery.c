/* SPDX-License-Identifier: BSD-2-Clause */
#include "recovery.h"
#include "password.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>

static void hash_code(const struct apw_method *method, const char symbols[],
                      uint8_t hash_r[APW_METHOD_CODE_HASH_BYTES])
{
    crypto_generichash_state state;

    crypto_generichash_init(&state, NULL, 0, APW_METHOD_CODE_HASH_BYTES);
    crypto_generichash_update(&state, (const uint8_t *)method->id, strlen(method->id));
    crypto_generichash_update(&state, (const uint8_t *)symbols, APW_RECOVERY_SYMBOLS);
    crypto_generichash_final(&state, hash_r, APW_METHOD_CODE_HASH_BYTES);
    sodium_memzero(&state, sizeof state);
}

void apw_recovery_make(struct apw_method *method, struct apw_recovery_codes *codes_r)
{
    char symbols[APW_RECOVERY_SYMBOLS + 1];

    method->kind = APW_METHOD_RECOVERY;
    for (size_t i = 0; i < APW_METHOD_CODES; i++) {
        apw_password_make_symbols(APW_RECOVERY_SYMBOLS, symbols);
        snprintf(codes_r->shown[i], sizeof codes_r->shown[i], "%.4s-%.4s-%.4s", symbols,
                 symbols + 4, symbols + 8);
        hash_code(method, symbols, method->code_hash[i]);
    }
    sodium_memzero(symbols, sizeof symbols);
}

bool apw_recovery_use(struct apw_method *method, const char *typed)
{
    uint8_t hash[APW_METHOD_CODE_HASH_BYTES];
    char symbols[APW_RECOVERY_SYMBOLS + 1];
    bool is_right = false;

    if (apw_password_read_symbols(typed, strlen(typed), APW_RECOVERY_SYMBOLS, symbols)) {
        hash_code(method, symbols, hash);
        for (size_t i = 0; i < APW_METHOD_CODES && !is_right; i++) {
            is_right = sodium_memcmp(method->code_hash[i], hash, sizeof hash) == 0;
            if (is_right)
                sodium_memzero(method->code_hash[i], sizeof hash);
        }
    }
    sodium_memzero(symbols, sizeof symbols);
    return is_right;
}

unsigned apw_recovery_left(const struct apw_method *method)
{
    unsigned left = 0;

    for (size_t i = 0; i < APW_METHOD_CODES; i++)
        left += !sodium_is_zero(method->code_hash[i], APW_METHOD_CODE_HASH_BYTES);
    return left;
}
