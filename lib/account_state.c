/* SPDX-License-Identifier: BSD-2-Clause */
#include "account_state.h"
#include <string.h>
#include <strings.h>

#define LOCKED_FOR_GOOD "0000" /* the year of pwdAccountLockedTime in an administrator's lock */

/* Whether any value of the attribute, with whatever options, begins with `start`. */
static bool has_value_from(const struct apw_entry *entry, const char *name, const char *start)
{
    for (size_t i = 0; i < entry->attribute_count; i++) {
        const struct apw_attribute *attribute = &entry->attribute[i];

        if (strcasecmp(attribute->name, name) != 0)
            continue;
        for (size_t j = 0; j < attribute->count; j++)
            if (strncasecmp(attribute->value[j].bytes, start, strlen(start)) == 0)
                return true;
    }
    return false;
}

bool apw_account_state_is_disabled(const struct apw_entry *entry)
{
    return has_value_from(entry, "pwdAccountLockedTime", LOCKED_FOR_GOOD) ||
           has_value_from(entry, "nsAccountLock", "TRUE");
}
