/* SPDX-License-Identifier: BSD-2-Clause */
#include "announcement.h"
#include "clock.h"
#include "record.h"
#include "tombstone.h"
#include "use.h"
#include <sodium.h>
#include <stddef.h>

#define CLOCK_EARLIEST 1790812800 /* 2026-10-01: a right clock is later */

int apw_announcement_read(const struct apw_entry *entry, int64_t now, bool *is_announced_r,
                          struct apw_error *error)
{
    const struct apw_attribute *attribute = apw_entry_attribute(entry, "appPasswordMfaEnforceFrom");
    int64_t enforce_from;

    *is_announced_r = false;
    if (attribute == NULL || attribute->count == 0)
        return 0;
    if (attribute->count != 1 ||
        apw_clock_parse_generalized_time(attribute->value[0].bytes, attribute->value[0].length,
                                         &enforce_from) != 0)
        return apw_error_set(error, "appPasswordMfaEnforceFrom is not one GeneralizedTime");
    *is_announced_r = now < enforce_from;
    return 0;
}

static bool is_made_later(const struct apw_value *value, int64_t moment)
{
    struct apw_tombstone tombstone;
    struct apw_record record;
    bool is_later;

    if (apw_tombstone_parse(value->bytes, value->length, &tombstone) == 0)
        return tombstone.created > moment || tombstone.revoked > moment;
    is_later = apw_record_parse(value->bytes, value->length, &record, NULL) == 0 &&
               record.created > moment;

    sodium_memzero(&record, sizeof record);
    return is_later;
}

bool apw_announcement_is_clock_behind(const struct apw_entry *entry, int64_t now)
{
    const struct apw_attribute *made = apw_entry_attribute(entry, "appPassword");
    const struct apw_attribute *used = apw_entry_attribute(entry, "appPasswordUsed");
    int64_t latest = now + APW_ANNOUNCEMENT_TOLERANCE_S;
    struct apw_use use;

    if (now < CLOCK_EARLIEST)
        return true;
    for (size_t i = 0; made != NULL && i < made->count; i++)
        if (is_made_later(&made->value[i], latest))
            return true;
    for (size_t i = 0; used != NULL && i < used->count; i++)
        if (apw_use_parse(used->value[i].bytes, used->value[i].length, &use) == 0 &&
            use.at > latest)
            return true;
    return false;
}
