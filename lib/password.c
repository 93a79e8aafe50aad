/* SPDX-License-Identifier: BSD-2-Clause */
#include "password.h"
#include "ignorable.h"
#include "utf8.h"
#include <sodium.h>
#include <stdint.h>
#include <string.h>

static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

/* The value of a canonical symbol, -1 for anything else. */
static int symbol_value(char symbol)
{
    const char *found = symbol == '\0' ? NULL : strchr(alphabet, symbol);

    return found == NULL ? -1 : (int)(found - alphabet);
}

char apw_password_check_symbol(const char *symbols)
{
    int sum = 0;
    bool is_doubled = true;

    for (int i = APW_PASSWORD_LENGTH - 2; i >= 0; i--) {
        int value = symbol_value(symbols[i]);

        if (value < 0)
            return 0;
        if (is_doubled)
            value = value * 2 / 32 + value * 2 % 32;
        sum += value;
        is_doubled = !is_doubled;
    }
    return alphabet[(32 - sum % 32) % 32];
}

void apw_password_make_symbols(size_t count, char *symbols_r)
{
    for (size_t i = 0; i < count; i++)
        symbols_r[i] = alphabet[randombytes_random() & 31];
    symbols_r[count] = '\0';
}

void apw_password_make(struct apw_password *password_r)
{
    apw_password_make_symbols(APW_PASSWORD_LENGTH - 1, password_r->symbols);
    password_r->symbols[APW_PASSWORD_LENGTH - 1] = apw_password_check_symbol(password_r->symbols);
    password_r->symbols[APW_PASSWORD_LENGTH] = '\0';
}

/* One typed byte as a canonical symbol, or 0. */
static char fold_symbol(char typed)
{
    char symbol = apw_utf8_lower(typed);

    if (symbol == 'o')
        return '0';
    if (symbol == 'i' || symbol == 'l')
        return '1';
    return symbol_value(symbol) < 0 ? 0 : symbol;
}

bool apw_password_read_symbols(const char *typed, size_t length, size_t count, char *symbols_r)
{
    size_t found = 0;

    while (length > 0) {
        size_t skipped = apw_ignorable_separator_bytes(typed, length);

        if (skipped == 0) {
            char symbol = fold_symbol(*typed);

            if (symbol == 0 || found == count)
                return false;
            symbols_r[found++] = symbol;
            skipped = 1;
        }
        typed += skipped;
        length -= skipped;
    }
    symbols_r[found] = '\0';
    return found == count;
}

bool apw_password_recognize(const char *typed, size_t length, struct apw_password *password_r)
{
    if (apw_password_read_symbols(typed, length, APW_PASSWORD_LENGTH, password_r->symbols) &&
        apw_password_check_symbol(password_r->symbols) ==
            password_r->symbols[APW_PASSWORD_LENGTH - 1])
        return true;
    sodium_memzero(password_r, sizeof *password_r);
    return false;
}

bool apw_password_is_login(const char *login, size_t length)
{
    const char *realm = length == 0 ? NULL : memchr(login, '@', length);
    struct apw_password password;
    bool is_password =
        apw_password_recognize(login, realm == NULL ? length : (size_t)(realm - login), &password);

    sodium_memzero(&password, sizeof password);
    return is_password;
}

void apw_password_id(const struct apw_password *password, char id_r[APW_ID_LENGTH + 1])
{
    memcpy(id_r, password->symbols, APW_ID_LENGTH);
    id_r[APW_ID_LENGTH] = '\0';
}

bool apw_password_is_id(const char *text, size_t length)
{
    if (length != APW_ID_LENGTH)
        return false;
    for (size_t i = 0; i < length; i++)
        if (symbol_value(text[i]) < 0)
            return false;
    return true;
}

void apw_password_show(const struct apw_password *password, char shown_r[APW_PASSWORD_SHOWN_SIZE])
{
    size_t at = 0;

    for (size_t i = 0; i < APW_PASSWORD_LENGTH; i++) {
        if (i > 0 && i % 4 == 0)
            shown_r[at++] = '-';
        shown_r[at++] = password->symbols[i];
    }
    shown_r[at] = '\0';
}

int apw_password_id_canonicalize(const char *typed, char id_r[APW_ID_LENGTH + 1])
{
    if (strlen(typed) != APW_ID_LENGTH)
        return -1;
    for (int i = 0; i <= APW_ID_LENGTH; i++)
        id_r[i] = fold_symbol(typed[i]);
    return apw_password_is_id(id_r, APW_ID_LENGTH) ? 0 : -1;
}

bool apw_password_is_as_shown(const char *typed, size_t length)
{
    struct apw_password password;
    char shown[APW_PASSWORD_SHOWN_SIZE];
    bool is_as_shown = false;

    if (length == sizeof shown - 1 && apw_password_recognize(typed, length, &password)) {
        apw_password_show(&password, shown);
        is_as_shown = sodium_memcmp(shown, typed, length) == 0;
        sodium_memzero(shown, sizeof shown);
        sodium_memzero(&password, sizeof password);
    }
    return is_as_shown;
}
