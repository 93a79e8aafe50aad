/* SPDX-License-Identifier: BSD-2-Clause */
#include "mfa.h"
#include "shown.h"

enum apw_mfa apw_mfa_read(const struct apw_world *world, const struct apw_config *config,
                          const char *dn, bool is_likely_on, int64_t deadline,
                          struct apw_error *error)
{
    const struct apw_shown_question question = {.name = "mfa",
                                                .filter = config->mfa_filter,
                                                .off_filter = config->mfa_off_filter,
                                                .witness = config->mfa_witness,
                                                .seen = world->mfa_witness};

    switch (apw_shown_read(world, &question, dn, is_likely_on, deadline, error)) {
    case APW_SHOWN_ON:
        return APW_MFA_ON;
    case APW_SHOWN_OFF:
        return APW_MFA_OFF;
    case APW_SHOWN_UNAVAILABLE:
        return APW_MFA_UNAVAILABLE;
    case APW_SHOWN_NEITHER:
        break;
    }
    return APW_MFA_UNREADABLE;
}
