/* SPDX-License-Identifier: BSD-2-Clause */
#include "password_options.h"
#include "date.h"
#include "say.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

/* `app-password list` prints "all" if there is no restriction, so it is accepted here too. */
static const char *unless_all(const char *list)
{
    return list == NULL || strcmp(list, "all") == 0 ? NULL : list;
}

static enum apw_status check_user(const char *command, const struct apw_options *options)
{
    if (options->count == 0)
        return apw_say_usage("%s: USER is missing", command);
    if (options->count > 1)
        return apw_say_usage("%s: one USER at a time, not also \"%s\"; put a label of several "
                             "words in quotes",
                             command, options->operand[1]);
    if (options->value[APW_PASSWORD_OPTION_LABEL] == NULL)
        return apw_say_usage("%s: --label TEXT is missing: the device or program that will "
                             "use it, like \"Outlook on the laptop\"",
                             command);
    return APW_STATUS_DONE;
}

int apw_password_options_parse(const char *const value[APW_PASSWORD_OPTION_COUNT],
                               struct apw_password_spec *spec_r, int64_t *expires_r,
                               struct apw_record *record_r, struct apw_error *error)
{
    const char *expires = value[APW_PASSWORD_OPTION_EXPIRES];
    int64_t now = (int64_t)time(NULL);
    struct apw_error reason = {""};
    bool is_never = false;

    if (expires != NULL && apw_date_parse_expires(expires, now, &is_never, expires_r, &reason) != 0)
        return apw_error_set(error, "expires: %s", reason.text);
    *spec_r = (struct apw_password_spec){
        .label = value[APW_PASSWORD_OPTION_LABEL],
        .services = unless_all(value[APW_PASSWORD_OPTION_SERVICES]),
        .from = unless_all(value[APW_PASSWORD_OPTION_FROM]),
        .expires = expires == NULL || is_never ? NULL : expires_r,
        .is_endless = is_never,
    };
    return apw_password_spec_to_record(spec_r, now, record_r, error) == APW_PASSWORD_SPEC_GOOD ? 0
                                                                                               : -1;
}

enum apw_status apw_password_options_read(const char *command, const struct apw_options *options,
                                          struct apw_password_spec *spec_r, int64_t *expires_r,
                                          struct apw_record *record_r)
{
    struct apw_error error = {""};

    if (check_user(command, options) != APW_STATUS_DONE)
        return APW_STATUS_USAGE;
    if (apw_password_options_parse(options->value, spec_r, expires_r, record_r, &error) != 0)
        return apw_say_usage("%s: %s", command, error.text);
    return APW_STATUS_DONE;
}

void apw_password_options_limit(const struct apw_config *config,
                                const struct apw_password_spec *spec, struct apw_record *record)
{
    char expires[APW_DATE_RFC3339_SIZE];

    if (!apw_password_spec_limit(spec, config, record))
        return;
    apw_date_format_rfc3339(record->expires, expires);
    apw_say(NULL, "--expires: %s is the latest that max_lifetime in %s allows", expires,
            config->path);
}

void apw_password_options_describe(const struct apw_record *record)
{
    char expires[APW_DATE_RFC3339_SIZE] = "never", label[sizeof record->label];

    if (record->has_expires)
        apw_date_format_rfc3339(record->expires, expires);
    strcpy(label, record->label);
    fprintf(stderr, "  label     %s\n", apw_say_printable(label));
    fprintf(stderr, "  services  %s\n", record->services[0] == '\0' ? "all" : record->services);
    fprintf(stderr, "  from      %s\n", record->from_text[0] == '\0' ? "all" : record->from_text);
    fprintf(stderr, "  expires   %s\n", expires);
}
