/* SPDX-License-Identifier: BSD-2-Clause */
#include "status.h"

/* No `default`: the compiler finds a result that is missing here. */
enum apw_status apw_status_of(enum apw_manage_result result)
{
    switch (result) {
    case APW_MANAGE_DONE:
    case APW_MANAGE_UNCHANGED:
        return APW_STATUS_DONE;
    case APW_MANAGE_UNAVAILABLE:
        return APW_STATUS_UNAVAILABLE;
    case APW_MANAGE_INVALID:
        return APW_STATUS_USAGE;
    case APW_MANAGE_NOT_PERMITTED:
        return APW_STATUS_NOT_PERMITTED;
    case APW_MANAGE_CONFIGURATION:
        return APW_STATUS_CONFIGURATION;
    case APW_MANAGE_NOT_FOUND:
    case APW_MANAGE_MFA_IS_OFF:
    case APW_MANAGE_ENDED:
    case APW_MANAGE_REFUSED:
    case APW_MANAGE_CONFLICT:
        break;
    }
    return APW_STATUS_FAILED;
}
