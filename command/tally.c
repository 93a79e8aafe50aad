/* SPDX-License-Identifier: BSD-2-Clause */
#include "tally.h"

void apw_tally_add(struct apw_tally *tally, enum apw_status status)
{
    tally->count++;
    if (status == APW_STATUS_DONE)
        return;
    if (tally->failed++ == 0)
        tally->status = status;
    else if (tally->status != status)
        tally->is_mixed = true;
}

enum apw_status apw_tally_status(const struct apw_tally *tally)
{
    if (tally->failed == 0)
        return APW_STATUS_DONE;
    if (tally->failed < tally->count || tally->is_mixed)
        return APW_STATUS_FAILED;
    return tally->status;
}
