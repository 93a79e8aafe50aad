/* SPDX-License-Identifier: BSD-2-Clause */
#include "verdict.h"

const char *apw_verdict_name(enum apw_verdict verdict)
{
    switch (verdict) {
    case APW_REFUSED:
        return "refused";
    case APW_ACCEPTED:
        return "accepted";
    case APW_UNAVAILABLE:
        break;
    }
    return "unavailable";
}
