/* SPDX-License-Identifier: BSD-2-Clause */
#include "revocation.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int apw_revocations_add(struct apw_revocations *revocations, const char *dn, const char *id)
{
    struct apw_revocation *grown =
        realloc(revocations->item, (revocations->count + 1) * sizeof *grown);

    if (grown == NULL)
        return -1;
    revocations->item = grown;
    grown += revocations->count;
    grown->dn = strdup(dn);
    snprintf(grown->id, sizeof grown->id, "%s", id);
    if (grown->dn == NULL)
        return -1;
    revocations->count++;
    return 0;
}

void apw_revocations_clear(struct apw_revocations *revocations)
{
    for (size_t i = 0; i < revocations->count; i++)
        free(revocations->item[i].dn);
    free(revocations->item);
    *revocations = (struct apw_revocations){.count = 0};
}
