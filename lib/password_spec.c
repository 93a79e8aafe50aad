/* SPDX-License-Identifier: BSD-2-Clause */
#include "password_spec.h"
#include "network.h"
#include "policy.h"
#include "service.h"
#include <string.h>

/* Appends `name` unless the list already has it; -1 if it does not fit. */
static int append_service(char *list, const char *name)
{
    size_t length = strlen(list);

    if (length > 0 && apw_service_list_has(list, name))
        return 0;
    if (length + 1 + strlen(name) >= APW_SERVICES_SIZE)
        return -1;
    if (length > 0)
        list[length++] = ',';
    strcpy(list + length, name);
    return 0;
}

static int read_services(const char *text, struct apw_record *record, struct apw_error *error)
{
    for (;;) {
        size_t length = strcspn(text, ",");
        char name[APW_SERVICE_SIZE];

        if (apw_service_canonicalize(text, length, name) != 0)
            return apw_error_set(error,
                                 "\"%.*s\" is not the name of a service: letters, digits and "
                                 "hyphens, at most %d, like smtp,imap",
                                 (int)length, text, APW_SERVICE_SIZE - 1);
        if (append_service(record->services, name) != 0)
            return apw_error_set(error, "the services take more than %d bytes",
                                 APW_SERVICES_SIZE - 1);
        if (text[length] == '\0')
            return 0;
        text += length + 1;
    }
}

static int read_from(const char *text, struct apw_record *record, struct apw_error *error)
{
    const char *bad = text;

    if (strlen(text) >= sizeof record->from_text)
        return apw_error_set(error, "the addresses take more than %zu bytes",
                             sizeof record->from_text - 1);
    if (apw_networks_parse(text, strlen(text), ',', &record->from, &bad) != 0)
        return apw_error_set(error,
                             "\"%.*s\" is not a network like 192.0.2.7, 192.0.2.0/24 or "
                             "2001:db8::/32 (at most %d, no bits set after the prefix)",
                             (int)strcspn(bad, ","), bad, APW_NETWORKS_MAX);
    strcpy(record->from_text, text);
    return 0;
}

/* Trims the label. */
static int read_label(const char *text, struct apw_record *record, struct apw_error *error)
{
    static const char spaces[] = " \t\n\v\f\r";
    size_t length;

    text += strspn(text, spaces);
    length = strlen(text);
    while (length > 0 && strchr(spaces, text[length - 1]) != NULL)
        length--;
    if (apw_record_check_label(text, length, error) != 0)
        return -1;
    memcpy(record->label, text, length);
    record->label[length] = '\0';
    return 0;
}

enum apw_password_spec_part apw_password_spec_to_record(const struct apw_password_spec *spec,
                                                        int64_t now, struct apw_record *record_r,
                                                        struct apw_error *error)
{
    memset(record_r, 0, sizeof *record_r);
    if (read_label(spec->label, record_r, error) != 0)
        return APW_PASSWORD_SPEC_LABEL;
    if (spec->services != NULL && read_services(spec->services, record_r, error) != 0)
        return APW_PASSWORD_SPEC_SERVICES;
    if (spec->from != NULL && read_from(spec->from, record_r, error) != 0)
        return APW_PASSWORD_SPEC_FROM;
    record_r->created = now;
    record_r->has_expires = spec->expires != NULL;
    record_r->expires = spec->expires == NULL ? 0 : *spec->expires;
    if (record_r->has_expires && record_r->expires <= now) {
        apw_error_set(error, "it would have expired already");
        return APW_PASSWORD_SPEC_EXPIRES;
    }
    return APW_PASSWORD_SPEC_GOOD;
}

bool apw_password_spec_limit(const struct apw_password_spec *spec, const struct apw_config *config,
                             struct apw_record *record)
{
    bool is_open = spec->expires == NULL && !spec->is_endless;

    if (is_open && config->default_expires_s > 0) {
        record->has_expires = true;
        record->expires = apw_policy_default(config, record->created);
    }
    return apw_policy_cap(config, record) && !is_open;
}
