/* SPDX-License-Identifier: BSD-2-Clause */
/* appPasswordMfaMethod: sealed values, enrollment codes, invitations, reminders and resets. */
#include "browser_record.h"
#include "fuzz.h"
#include "guesses.h"
#include "invitation.h"
#include "method_seal.h"
#include "mutate.h"
#include "reminder.h"
#include "reset.h"
#include "values.h"
#include <sodium.h>
#include <stdio.h>

static const uint8_t key[APW_METHOD_KEY_BYTES] = "a key that everybody knows";

static const struct fuzz_rule rules[] = {
    {'V', "%A|%E|%P|%Q|%B|%O|%C|%I|%J|%K|%G|%m|%Y"},
    {'A', "id=%f since=%t[ used=%t] step=%N secret=%X name=[%l]"},
    {'E', "id=%f since=%t[ used=%t] address=%m name=[%l]"},
    {'P', "id=%f since=%t[ used=%t] credential=%r alg=%v key=%r counter=%N flags=%e%e name=[%l]"},
    {'Q', "id=%f since=%t[ used=%t] codes=%q,%q,%q,%q,%q,%q,%q,%q,%q,%q name=[%l]"},
    {'B', "id=%f since=%t until=%t factor=%f proof=%p name=%l"},
    {'O', "method=app since=%t step=%N secret=%X|method=mail since=%t address=%m"},
    {'C', "code created=%t expires=%t hash={ARGON2}%h"},
    {'I', "invitation id=%i created=%t until=%t hash=%r[ factor=%f][ expires=%t][ services=%s]"
          "[ from=%n] label=%l"},
    {'J', "reminder kind=%x[ id=%i] of=%t[ sent=%t]"},
    {'x', "mfa-announced|mfa-week|mfa-today|expiring-14|expiring-3|unused|unused-revoke|yearly|%*"},
    {'K', "reset id=%i created=%t at=%t by=%y"},
    {'G', "guesses day=%u count=%N[ told=%u][ link=%r]"},
    {'u', "20261129000000Z|20261130000000Z|19700102000000Z|99991231000000Z|%t"},
    {'Y', "%y/%r"},
    {'y', "YWxpY2U|Ym9i|YWxpY2VAZXhhbXBsZS5vcmc|YQ|YR|%*"},
    {'X', "00112233445566778899001122334455%e%e%e%e%e%e%e%e|%e%e"},
    {'v', "-7|-8|-257|07|%N|-"},
    {'q', "-|-|%r"},
    {'p', "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8|%r"},
    {'m', "alice@example.net|alice.b+c@mail.example.net|%w@%w.example|\"a b\"@x.example|"
          "a@%[192.0.2.1%]|-a@b.c"},
    FUZZ_VALUE_RULES,
    {0, NULL}};

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t size, unsigned seed)
{
    fuzz_seed(seed);
    return fuzz_mutate_text(rules, " =,$/@.", bytes, length, size);
}

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
    value[which % (length - 1)] ^= 1; /* the last symbol may have unused bits */
    FUZZ_MUST(apw_method_open(value, length, key, "1-2-3", &opened, NULL) != 0);
}

static void try_address(const char *address)
{
    struct apw_method method = {.kind = APW_METHOD_MAIL, .id = "1f2e3d4c", .since = 1795000000};

    if (!apw_mail_address_is_valid(address))
        return;
    FUZZ_MUST(strlen(address) < sizeof method.address && fuzz_is_one_line(address));
    FUZZ_MUST(strpbrk(address, " <>\",;") == NULL && address[0] != '-');
    strcpy(method.address, address);
    try_sealed(&method, (uint8_t)address[0]);
}

/* As what is sealed for a browser. */
static void try_browser(const uint8_t *bytes, size_t length)
{
    const struct apw_seal seal = {.key = key, .head = "browser v=2 ", .unique_id = "1"};
    char value[APW_BROWSER_RECORD_SIZE];
    struct apw_browser_record record, second;

    if (apw_seal_close(&seal, (const char *)bytes, length, value, sizeof value) != 0)
        return;
    FUZZ_MUST(apw_browser_record_is_value(value, strlen(value)));
    FUZZ_MUST(apw_browser_record_open(value, strlen(value), key, "2", &second) != 0);
    if (apw_browser_record_open(value, strlen(value), key, "1", &record) != 0) {
        FUZZ_MUST(sodium_is_zero((const uint8_t *)&record, sizeof record));
        return;
    }
    FUZZ_MUST(apw_browser_record_seal(&record, key, "1", value) == 0);
    FUZZ_MUST(apw_browser_record_open(value, strlen(value), key, "1", &second) == 0);
    FUZZ_MUST(memcmp(&record, &second, sizeof record) == 0);
}

/* Seals the bytes: only the owner of the key could have put them there. */
static void try_inside(const char *head, const uint8_t *bytes, size_t length)
{
    uint8_t sealed[24 + 800 + 16] = {0};
    char value[1300], bound[64];
    unsigned long long sealed_length;
    struct apw_method opened;
    size_t start = (size_t)snprintf(value, sizeof value, "%ssealed=", head);

    if (length > 800)
        return;
    snprintf(bound, sizeof bound, "%s1", head);
    crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + 24, &sealed_length, bytes, length,
                                               (const uint8_t *)bound, strlen(bound), NULL, sealed,
                                               key);
    sodium_bin2base64(value + start, sizeof value - start, sealed, 24 + (size_t)sealed_length,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    if (apw_method_open(value, strlen(value), key, "1", &opened, NULL) == 0)
        try_sealed(&opened, bytes[0]);
    else
        FUZZ_MUST(sodium_is_zero((const uint8_t *)&opened, sizeof opened));
}

static void try_invitation(const char *value, size_t length)
{
    struct apw_invitation invitation, second;
    char again[APW_INVITATION_VALUE_SIZE];

    if (apw_invitation_parse(value, length, &invitation, NULL) != 0)
        return;
    FUZZ_MUST(apw_invitation_format(&invitation, again, NULL) == 0);
    FUZZ_MUST(apw_invitation_parse(again, strlen(again), &second, NULL) == 0);
    FUZZ_MUST(memcmp(&invitation, &second, sizeof invitation) == 0);
}

static void try_reminder(const char *value, size_t length)
{
    struct apw_reminder reminder, second;
    char again[APW_REMINDER_VALUE_SIZE];

    if (apw_reminder_parse(value, length, &reminder, NULL) != 0)
        return;
    FUZZ_MUST(apw_reminder_format(&reminder, again, NULL) == 0);
    FUZZ_MUST(apw_reminder_parse(again, strlen(again), &second, NULL) == 0);
    FUZZ_MUST(memcmp(&reminder, &second, sizeof reminder) == 0);
}

static void try_reset(const char *value, size_t length)
{
    struct apw_reset reset, second;
    char again[APW_RESET_VALUE_SIZE];

    if (apw_reset_parse(value, length, &reset, NULL) != 0)
        return;
    FUZZ_MUST(apw_reset_format(&reset, again, NULL) == 0);
    FUZZ_MUST(apw_reset_parse(again, strlen(again), &second, NULL) == 0);
    FUZZ_MUST(memcmp(&reset, &second, sizeof reset) == 0);
}

static void try_guesses(const char *value, size_t length)
{
    struct apw_guesses guesses, second;
    char again[APW_GUESSES_VALUE_SIZE];

    if (apw_guesses_parse(value, length, &guesses, NULL) != 0)
        return;
    FUZZ_MUST(apw_guesses_format(&guesses, again, NULL) == 0);
    FUZZ_MUST(apw_guesses_parse(again, strlen(again), &second, NULL) == 0);
    FUZZ_MUST(memcmp(&guesses, &second, sizeof guesses) == 0);
}

static void try_link(const char *code)
{
    char login[APW_LOGIN_SIZE], token[APW_TOKEN_SIZE], again[APW_INVITATION_CODE_SIZE];

    if (apw_invitation_read_code(code, login, token) != 0)
        return;
    apw_invitation_write_code(login, token, again);
    FUZZ_MUST(strcmp(again, code) == 0);
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
    try_inside("", bytes, length);
    try_inside("factor v=2 kind=totp ", bytes, length);
    try_inside("factor v=2 kind=mail ", bytes, length);
    try_inside("factor v=2 kind=recovery ", bytes, length);
    try_inside("factor v=2 kind=passkey ", bytes, length);
    try_browser(bytes, length);
    try_address(text);
    try_invitation((const char *)bytes, length);
    try_reminder((const char *)bytes, length);
    try_reset((const char *)bytes, length);
    try_guesses((const char *)bytes, length);
    try_link(text);
    free(text);
    return 0;
}
