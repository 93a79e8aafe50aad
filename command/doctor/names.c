/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/names.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

static void add(struct apw_doctor_names *names, const char *name, size_t length)
{
    for (size_t i = 0; i < names->count; i++)
        if (strlen(names->name[i]) == length && strncasecmp(names->name[i], name, length) == 0)
            return;
    if (names->count < APW_DOCTOR_NAMES_MAX && length > 0 && length < APW_DOCTOR_NAME_SIZE)
        snprintf(names->name[names->count++], APW_DOCTOR_NAME_SIZE, "%.*s", (int)length, name);
}

void apw_doctor_names_add(struct apw_doctor_names *names, const char *name)
{
    add(names, name, strlen(name));
}

void apw_doctor_names_add_filter(struct apw_doctor_names *names, const char *filter)
{
    for (const char *at = strchr(filter, '('); at != NULL; at = strchr(at + 1, '(')) {
        size_t length =
            strspn(at + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.");

        if (length > 0 && at[1 + length] != '\0' && strchr("=~<>:;", at[1 + length]) != NULL)
            add(names, at + 1, length);
    }
}
