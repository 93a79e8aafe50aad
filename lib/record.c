/* SPDX-License-Identifier: BSD-2-Clause */
#include "record.h"
#include "clock.h"
#include "field.h"
#include "utf8.h"
#include <stdio.h>
#include <string.h>

#define HASH_SCHEME "{ARGON2}"

int apw_record_parse_id(const char *value, size_t length, char id_r[APW_ID_LENGTH + 1])
{
    struct apw_field rest = {value, length}, id;

    if (!apw_field_take(&rest, "id", false, &id) || !apw_password_is_id(id.start, id.length) ||
        rest.start == id.start + id.length)
        return -1;
    memcpy(id_r, id.start, APW_ID_LENGTH);
    id_r[APW_ID_LENGTH] = '\0';
    return 0;
}

int apw_record_check_label(const char *label, size_t length, struct apw_error *error)
{
    if (!apw_utf8_is_printable(label, length))
        return apw_error_set(error, "the label has control characters or is not UTF-8");
    if (length == 0 || apw_utf8_characters(label, length) > APW_LABEL_CHARACTERS_MAX)
        return apw_error_set(error, "a label has 1 to %d characters", APW_LABEL_CHARACTERS_MAX);
    if (label[0] == ' ' || label[length - 1] == ' ')
        return apw_error_set(error, "the label begins or ends with a space");
    return 0;
}

static int parse_expires(struct apw_field *rest, struct apw_record *record, struct apw_error *error)
{
    struct apw_field value;

    if (!apw_field_take(rest, "expires", false, &value))
        return 0;
    record->has_expires = true;
    if (apw_clock_parse_timestamp(value.start, value.length, &record->expires) != 0)
        return apw_error_set(error, "expires= is not a time like 20261122101500Z");
    return 0;
}

static int parse_services(struct apw_field *rest, struct apw_record *record,
                          struct apw_error *error)
{
    struct apw_field value;

    if (!apw_field_take(rest, "services", false, &value))
        return 0;
    if (!apw_service_list_is_valid(value.start, value.length) ||
        apw_field_copy(&value, record->services, sizeof record->services) != 0)
        return apw_error_set(error, "services= is not a list like smtp,imap");
    return 0;
}

static int parse_from(struct apw_field *rest, struct apw_record *record, struct apw_error *error)
{
    struct apw_field value;

    if (!apw_field_take(rest, "from", false, &value))
        return 0;
    if (apw_field_copy(&value, record->from_text, sizeof record->from_text) != 0 ||
        apw_networks_parse(value.start, value.length, ',', &record->from, NULL) != 0)
        return apw_error_set(error, "from= is not a list like 192.0.2.0/24,2001:db8::/32");
    return 0;
}

int apw_record_parse_limits(struct apw_field *rest, struct apw_record *record,
                            struct apw_error *error)
{
    return parse_expires(rest, record, error) == 0 && parse_services(rest, record, error) == 0 &&
                   parse_from(rest, record, error) == 0
               ? 0
               : -1;
}

static int parse_hash(struct apw_field *rest, struct apw_record *record, struct apw_error *error)
{
    const size_t scheme_length = sizeof HASH_SCHEME - 1;
    struct apw_field value;

    if (!apw_field_take(rest, "hash", false, &value))
        return apw_error_set(error, "hash= is missing, or a key is unknown, repeated or misplaced");
    if (value.length <= scheme_length || memcmp(value.start, HASH_SCHEME, scheme_length) != 0)
        return apw_error_set(error, "hash= does not begin with " HASH_SCHEME);
    value.start += scheme_length;
    value.length -= scheme_length;
    if (apw_field_copy(&value, record->hash, sizeof record->hash) != 0)
        return apw_error_set(error, "hash= is too long");
    return 0;
}

int apw_record_parse_label(struct apw_field *rest, struct apw_record *record,
                           struct apw_error *error)
{
    struct apw_field value;

    if (!apw_field_take(rest, "label", true, &value))
        return apw_error_set(error,
                             "label= is missing, or a key is unknown, repeated or misplaced");
    if (apw_record_check_label(value.start, value.length, error) != 0)
        return -1;
    return apw_field_copy(&value, record->label, sizeof record->label);
}

int apw_record_parse(const char *value, size_t length, struct apw_record *record_r,
                     struct apw_error *error)
{
    struct apw_field rest = {value, length}, field;

    memset(record_r, 0, sizeof *record_r);
    if (!apw_field_take(&rest, "id", false, &field) ||
        !apw_password_is_id(field.start, field.length))
        return apw_error_set(error, "it does not begin with id= and four symbols");
    apw_field_copy(&field, record_r->id, sizeof record_r->id);
    if (apw_field_take_time(&rest, "created", &record_r->created) != 0)
        return apw_error_set(error, "created= is missing or not a time like 20261122101500Z");
    if (apw_record_parse_limits(&rest, record_r, error) != 0 ||
        parse_hash(&rest, record_r, error) != 0 ||
        apw_record_parse_label(&rest, record_r, error) != 0)
        return -1;
    return 0;
}

int apw_record_format_limits(const struct apw_record *record, char limits_r[APW_RECORD_SIZE],
                             struct apw_error *error)
{
    char expires[APW_TIMESTAMP_SIZE] = "";
    int length;

    if (record->has_expires && apw_clock_format_timestamp(record->expires, expires) != 0)
        return apw_error_set(error, "a time lies outside the years 0 to 9999");
    length =
        snprintf(limits_r, APW_RECORD_SIZE, "%s%s%s%s%s%s", record->has_expires ? " expires=" : "",
                 expires, record->services[0] != '\0' ? " services=" : "", record->services,
                 record->from_text[0] != '\0' ? " from=" : "", record->from_text);
    if (length < 0 || length >= APW_RECORD_SIZE)
        return apw_error_set(error, "the value is longer than %d bytes", APW_RECORD_SIZE - 1);
    return 0;
}

int apw_record_format(const struct apw_record *record, char value_r[APW_RECORD_SIZE],
                      struct apw_error *error)
{
    char created[APW_TIMESTAMP_SIZE], limits[APW_RECORD_SIZE];
    struct apw_record check;
    int length;

    if (apw_clock_format_timestamp(record->created, created) != 0)
        return apw_error_set(error, "a time lies outside the years 0 to 9999");
    if (apw_record_format_limits(record, limits, error) != 0)
        return -1;
    length =
        snprintf(value_r, APW_RECORD_SIZE, "id=%s created=%s%s hash=" HASH_SCHEME "%s label=%s",
                 record->id, created, limits, record->hash, record->label);
    if (length < 0 || length >= APW_RECORD_SIZE)
        return apw_error_set(error, "the value is longer than %d bytes", APW_RECORD_SIZE - 1);
    return apw_record_parse(value_r, (size_t)length, &check, error);
}
