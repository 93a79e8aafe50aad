/* SPDX-License-Identifier: BSD-2-Clause */
#include "idna.h"
#include <idn2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_ascii(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text >= 0x80)
            return false;
    return true;
}

/* Letters, digits, hyphens and dots (RFC 5890, 2.3.1), to which libidn2 also maps other characters.
 */
static bool is_host_name(const char *text)
{
    return text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.")] == '\0';
}

int apw_idna_login(const char *login, char **ascii_r)
{
    const char *at = strrchr(login, '@');
    char *domain;
    int status;

    *ascii_r = NULL;
    if (at == NULL || is_ascii(at + 1))
        return 0;
    status = idn2_to_ascii_8z(at + 1, &domain, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (status != IDN2_OK)
        return status == IDN2_MALLOC ? -1 : 0;
    if (!is_host_name(domain)) {
        idn2_free(domain);
        return 0;
    }
    status = asprintf(ascii_r, "%.*s@%s", (int)(at - login), login, domain);
    idn2_free(domain);
    if (status >= 0)
        return 0;
    *ascii_r = NULL;
    return -1;
}
