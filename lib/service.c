/* SPDX-License-Identifier: BSD-2-Clause */
#include "service.h"
#include "utf8.h"
#include <string.h>

static bool is_name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

static const char *resolve_alias(const char *name)
{
    static const char *const aliases[][2] = {
        {"smtps", "smtp"}, {"submission", "smtp"}, {"submissions", "smtp"},  {"imaps", "imap"},
        {"pop3s", "pop3"}, {"pop", "pop3"},        {"managesieve", "sieve"},
    };

    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++)
        if (strcmp(name, aliases[i][0]) == 0)
            return aliases[i][1];
    return name;
}

int apw_service_canonicalize(const char *name, size_t length, char name_r[APW_SERVICE_SIZE])
{
    char folded[APW_SERVICE_SIZE];

    name_r[0] = '\0';
    if (length == 0 || length >= sizeof folded)
        return -1;
    for (size_t i = 0; i < length; i++) {
        char c = apw_utf8_lower(name[i]);

        if (!is_name_character(c))
            return -1;
        folded[i] = c;
    }
    folded[length] = '\0';
    strcpy(name_r, resolve_alias(folded)); /* no alias is longer than its service */
    return 0;
}

bool apw_service_list_has(const char *list, const char *service)
{
    for (;;) {
        size_t length = strcspn(list, ",");
        char name[APW_SERVICE_SIZE];

        if (apw_service_canonicalize(list, length, name) == 0 && strcmp(name, service) == 0)
            return true;
        if (list[length] == '\0')
            return false;
        list += length + 1;
    }
}

bool apw_service_list_is_valid(const char *list, size_t length)
{
    size_t name_length = 0;

    for (size_t i = 0; i < length; i++) {
        if (list[i] == ',' && name_length > 0)
            name_length = 0;
        else if (is_name_character(list[i]) && name_length < APW_SERVICE_SIZE - 1)
            name_length++;
        else
            return false;
    }
    return name_length > 0;
}
