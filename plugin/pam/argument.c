/* SPDX-License-Identifier: BSD-2-Clause */
#include "argument.h"
#include "config.h"
#include "service.h"
#include <stddef.h>
#include <string.h>

typedef int (*setter)(struct apw_pam_arguments *arguments, const char *value,
                      struct apw_error *error);

static int set_config(struct apw_pam_arguments *arguments, const char *value,
                      struct apw_error *error)
{
    if (value[0] != '/')
        return apw_error_set(error, "config=%s: not an absolute path", value);
    arguments->config = value;
    return 0;
}

static int set_service(struct apw_pam_arguments *arguments, const char *value,
                       struct apw_error *error)
{
    char service[APW_SERVICE_SIZE];

    if (apw_service_canonicalize(value, strlen(value), service) != 0)
        return apw_error_set(error, "service=%s: not a service name like imap", value);
    arguments->service = value;
    return 0;
}

static int set_tempfail(struct apw_pam_arguments *arguments, const char *value,
                        struct apw_error *error)
{
    if (strcmp(value, "exit") != 0)
        return apw_error_set(error, "tempfail=%s: the only value is \"exit\"", value);
    arguments->exits_on_tempfail = true;
    return 0;
}

/* scripts/check-man compares the names with pam_app_password(8). */
static const struct argument {
    const char *name;
    setter set;
} known[] = {
    {"config", set_config},
    {"service", set_service},
    {"tempfail", set_tempfail},
};

#define KNOWN_COUNT (sizeof known / sizeof known[0])

static int set(struct apw_pam_arguments *arguments, const char *text, bool is_set[KNOWN_COUNT],
               struct apw_error *error)
{
    size_t length = strcspn(text, "=");

    for (size_t i = 0; i < KNOWN_COUNT && text[length] == '='; i++) {
        if (strlen(known[i].name) != length || memcmp(known[i].name, text, length) != 0)
            continue;
        if (is_set[i])
            return apw_error_set(error, "%s= is given twice", known[i].name);
        is_set[i] = true;
        return known[i].set(arguments, text + length + 1, error);
    }
    return apw_error_set(error, "unknown argument %s", text);
}

int apw_pam_arguments_parse(int argc, const char **argv, struct apw_pam_arguments *arguments_r,
                            struct apw_error *error)
{
    bool is_set[KNOWN_COUNT] = {false};
    int status = 0;

    *arguments_r = (struct apw_pam_arguments){.config = apw_config_default_path};
    for (int i = 0; i < argc; i++)
        if (set(arguments_r, argv[i], is_set, error) != 0)
            status = -1;
    return status;
}
