/* SPDX-License-Identifier: BSD-2-Clause */
/* appPasswordMfaMethod: sealed values and enrollment codes. */
#include "fuzz.h"
#include "method.h"
#include <sodium.h>

static const uint8_t key[APW_METHOD_KEY_BYTES] = "a key that everybody knows";

/* A sealed value can be opened again, but not with a changed bit or for another entry. */
static void try_sealed(const struct apw_method *method, uint8_t which)
{
    char value[APW_METHOD_VALUE_SIZE];
    struct apw_method opened;
    size_t length;

    FUZZ_MUST(apw_method_seal(method, key, "1-2-3", value, NULL) == 0);
    length = strlen(value);
    FUZZ_MUST(!apw_method_is_code(value, length));
    FUZZ_MUST(apw_method_open(value, length, key, "1-2-3", &opened, NULL) == 0);
    FUZZ_MUST(apw_method_is_same(method, &opened));
    FUZZ_MUST(apw_method_open(value, length, key, "1-2-4", &opened, NULL) != 0);
    value[7 + which % (length - 8)] ^= 1;
    FUZZ_MUST(apw_method_open(value, length, key, "1-2-3", &opened, NULL) != 0);
}

static void try_address(const char *address)
{
    struct apw_method method = {.kind = APW_METHOD_MAIL, .since = 1795000000};

    if (!apw_method_address_is_valid(address))
        return;
    FUZZ_MUST(strlen(address) < sizeof method.address && fuzz_is_one_line(address));
    FUZZ_MUST(strpbrk(address, " <>\",;") == NULL && address[0] != '-');
    strcpy(method.address, address);
    try_sealed(&method, (uint8_t)address[0]);
}

/* Seals the bytes: only the owner of the key could have put them there. */
static void try_inside(const uint8_t *bytes, size_t length)
{
    uint8_t sealed[24 + 600 + 16] = {0};
    char value[1100] = "sealed=";
    unsigned long long sealed_length;
    struct apw_method opened;

    if (length > 600)
        return;
    crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + 24, &sealed_length, bytes, length,
                                               (const uint8_t *)"1", 1, NULL, sealed, key);
    sodium_bin2base64(value + 7, sizeof value - 7, sealed, 24 + (size_t)sealed_length,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    if (apw_method_open(value, strlen(value), key, "1", &opened, NULL) == 0)
        try_sealed(&opened, bytes[0]);
    else
        FUZZ_MUST(sodium_is_zero((const uint8_t *)&opened, sizeof opened));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char *text = fuzz_text(bytes, length), again[APW_METHOD_VALUE_SIZE];
    struct apw_enrolment_code code, second;
    struct apw_method method;

    FUZZ_MUST(apw_method_open((const char *)bytes, length, key, "1-2-3", &method, NULL) != 0);
    if (apw_method_parse_code((const char *)bytes, length, &code, NULL) == 0) {
        FUZZ_MUST(apw_method_format_code(&code, again, NULL) == 0);
        FUZZ_MUST(apw_method_parse_code(again, strlen(again), &second, NULL) == 0);
        FUZZ_MUST(memcmp(&code, &second, sizeof code) == 0);
    }
    try_inside(bytes, length);
    try_address(text);
    free(text);
    return 0;
}
