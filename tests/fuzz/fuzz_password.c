/* SPDX-License-Identifier: BSD-2-Clause */
/* The input of a password field. */
#include "fuzz.h"
#include "password.h"
#include <sodium.h>

/* The form that people see is read back. */
static void try_shown(const struct apw_password *password)
{
    char shown[APW_PASSWORD_SHOWN_SIZE], id[APW_ID_LENGTH + 1];
    struct apw_password again;

    apw_password_show(password, shown);
    FUZZ_MUST(strlen(shown) == APW_PASSWORD_SHOWN_SIZE - 1);
    FUZZ_MUST(apw_password_recognize(shown, strlen(shown), &again));
    FUZZ_MUST(strcmp(again.symbols, password->symbols) == 0);
    FUZZ_MUST(apw_password_check_symbol(again.symbols) == again.symbols[APW_PASSWORD_LENGTH - 1]);
    apw_password_id(password, id);
    FUZZ_MUST(apw_password_is_id(id, strlen(id)));
}

/* With one wrong symbol it is not an app password. */
static void try_slip(struct apw_password password, uint8_t which)
{
    size_t place = which % APW_PASSWORD_LENGTH;
    struct apw_password none;

    password.symbols[place] = password.symbols[place] == '7' ? '8' : '7';
    FUZZ_MUST(!apw_password_recognize(password.symbols, APW_PASSWORD_LENGTH, &none));
    FUZZ_MUST(sodium_is_zero((const unsigned char *)&none, sizeof none));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct apw_password password;

    if (apw_password_recognize((const char *)bytes, length, &password)) {
        try_shown(&password);
        try_slip(password, bytes[0]);
    } else {
        FUZZ_MUST(sodium_is_zero((const unsigned char *)&password, sizeof password));
    }
    apw_password_is_login((const char *)bytes, length);
    apw_password_is_id((const char *)bytes, length);
    return 0;
}
