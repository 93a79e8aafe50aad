/* SPDX-License-Identifier: BSD-2-Clause */
#include "remember.h"
#include <stddef.h>

int apw_remember_new(unsigned maximum, struct apw_tags **remember_r, struct apw_error *error)
{
    return apw_tags_new(APW_REMEMBER_S, maximum, remember_r, error);
}

bool apw_remember_has(struct apw_tags *remember, const char *dn,
                      const struct apw_password *password, const char *phc)
{
    return apw_tags_have(remember, (const char *const[]){dn, phc, password->symbols, NULL});
}

void apw_remember_add(struct apw_tags *remember, const char *dn,
                      const struct apw_password *password, const char *phc)
{
    apw_tags_add(remember, (const char *const[]){dn, phc, password->symbols, NULL});
}
