/* SPDX-License-Identifier: BSD-2-Clause */
#include "use.h"
#include "clock.h"
#include "field.h"
#include <stdio.h>
#include <string.h>

int apw_use_parse(const char *value, size_t length, struct apw_use *use_r)
{
    struct apw_field rest = {value, length}, field;
    struct apw_address address;

    memset(use_r, 0, sizeof *use_r);
    if (!apw_field_take(&rest, "id", false, &field) ||
        !apw_password_is_id(field.start, field.length))
        return -1;
    apw_field_copy(&field, use_r->id, sizeof use_r->id);
    if (apw_field_take_time(&rest, "at", &use_r->at) != 0)
        return -1;
    if (apw_field_take(&rest, "service", false, &field) &&
        (!apw_service_list_is_valid(field.start, field.length) ||
         apw_field_copy(&field, use_r->service, sizeof use_r->service) != 0))
        return -1;
    if (apw_field_take(&rest, "from", false, &field) &&
        (apw_field_copy(&field, use_r->from, sizeof use_r->from) != 0 ||
         apw_network_parse_address(use_r->from, &address) != 0))
        return -1;
    return rest.length == 0 ? 0 : -1;
}

int apw_use_format(const struct apw_use *use, char value_r[APW_USE_SIZE])
{
    char at[APW_TIMESTAMP_SIZE];
    struct apw_use check;
    int length;

    if (apw_clock_format_timestamp(use->at, at) != 0)
        return -1;
    length = snprintf(value_r, APW_USE_SIZE, "id=%s at=%s%s%s%s%s", use->id, at,
                      use->service[0] != '\0' ? " service=" : "", use->service,
                      use->from[0] != '\0' ? " from=" : "", use->from);
    if (length < 0 || length >= APW_USE_SIZE)
        return -1;
    return apw_use_parse(value_r, (size_t)length, &check);
}

bool apw_use_is_due(const struct apw_use *recorded, int64_t now, int64_t period_s)
{
    return recorded->at <= now && now - recorded->at >= period_s;
}
