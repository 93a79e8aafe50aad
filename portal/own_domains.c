/* SPDX-License-Identifier: BSD-2-Clause */
#include "own_domains.h"
#include "settings.h"
#include "utf8.h"
#include <string.h>
#include <strings.h>

#define ALLOWED    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-."
#define SEPARATORS " \t,"

int apw_own_domains_read(const char *value, char **domains_r, struct apw_error *error)
{
    char *to;

    if (apw_settings_copy(value, domains_r, error) != 0)
        return -1;
    to = *domains_r;
    while (value += strspn(value, SEPARATORS), *value != '\0') {
        size_t length = strcspn(value, SEPARATORS);

        if (strspn(value, ALLOWED) < length || value[0] == '.' || value[length - 1] == '.')
            return apw_error_set(error,
                                 "\"%.*s\" is not a domain; it is a list like example.org "
                                 "example.net, and includes their subdomains",
                                 (int)length, value);
        if (to != *domains_r)
            *to++ = ' ';
        for (; length > 0; length--, value++)
            *to++ = apw_utf8_lower(*value);
    }
    *to = '\0';
    return **domains_r != '\0'
               ? 0
               : apw_error_set(error, "no domain; remove the line if you have none");
}

bool apw_own_domains_have(const char *domains, const char *address)
{
    const char *at = strrchr(address, '@'), *domain = at == NULL ? address : at + 1;

    while (*domains != '\0') {
        size_t length = strcspn(domains, " "), domain_length = strlen(domain);

        if (domain_length >= length &&
            strncasecmp(domain + domain_length - length, domains, length) == 0 &&
            (domain_length == length || domain[domain_length - length - 1] == '.'))
            return true;
        domains += length + (domains[length] == ' ');
    }
    return false;
}
