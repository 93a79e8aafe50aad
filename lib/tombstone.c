/* SPDX-License-Identifier: BSD-2-Clause */
#include "tombstone.h"
#include "clock.h"
#include "field.h"
#include <stdio.h>
#include <string.h>

static int read_fields(const char *value, size_t length, struct apw_tombstone *tombstone_r)
{
    struct apw_field rest = {value, length}, field;

    if (!apw_field_take(&rest, "id", false, &field) ||
        !apw_password_is_id(field.start, field.length) ||
        apw_field_copy(&field, tombstone_r->id, sizeof tombstone_r->id) != 0)
        return -1;
    if (apw_field_take_time(&rest, "created", &tombstone_r->created) != 0 ||
        apw_field_take_time(&rest, "revoked", &tombstone_r->revoked) != 0)
        return -1;
    if (!apw_field_take(&rest, "label", true, &field) ||
        apw_record_check_label(field.start, field.length, NULL) != 0)
        return -1;
    return apw_field_copy(&field, tombstone_r->label, sizeof tombstone_r->label);
}

/* -1 if it does not fit or a time is out of range. */
static int write_fields(const struct apw_tombstone *tombstone, char value_r[APW_TOMBSTONE_SIZE])
{
    char created[APW_TIMESTAMP_SIZE], revoked[APW_TIMESTAMP_SIZE];
    int length;

    if (apw_clock_format_timestamp(tombstone->created, created) != 0 ||
        apw_clock_format_timestamp(tombstone->revoked, revoked) != 0)
        return -1;
    length = snprintf(value_r, APW_TOMBSTONE_SIZE, "id=%s created=%s revoked=%s label=%s",
                      tombstone->id, created, revoked, tombstone->label);
    return length < 0 || length >= APW_TOMBSTONE_SIZE ? -1 : 0;
}

int apw_tombstone_parse(const char *value, size_t length, struct apw_tombstone *tombstone_r)
{
    char again[APW_TOMBSTONE_SIZE];

    memset(tombstone_r, 0, sizeof *tombstone_r);
    if (read_fields(value, length, tombstone_r) == 0 && write_fields(tombstone_r, again) == 0 &&
        strlen(again) == length && memcmp(again, value, length) == 0)
        return 0;
    memset(tombstone_r, 0, sizeof *tombstone_r);
    return -1;
}

int apw_tombstone_format(const struct apw_tombstone *tombstone, char value_r[APW_TOMBSTONE_SIZE],
                         struct apw_error *error)
{
    struct apw_tombstone check;

    if (write_fields(tombstone, value_r) != 0 ||
        apw_tombstone_parse(value_r, strlen(value_r), &check) != 0)
        return apw_error_set(
            error, "cannot write a tombstone: the id, a time or the label is out of range");
    return 0;
}
