/* SPDX-License-Identifier: BSD-2-Clause */
#include "mfa_change.h"
#include "date.h"
#include "output.h"
#include "say.h"
#include <stdio.h>
#include <time.h>

#define STATE_SIZE 48

bool apw_mfa_change_is_announced(const struct apw_mfa_state *state)
{
    return state->mfa == APW_MFA_ON && state->has_from && state->is_from_readable &&
           state->from > (int64_t)time(NULL);
}

static void format_state(const struct apw_mfa_state *state, char text_r[STATE_SIZE])
{
    char date[APW_DATE_RFC3339_SIZE];

    if (state->mfa == APW_MFA_OFF) {
        snprintf(text_r, STATE_SIZE, "off");
    } else if (state->mfa != APW_MFA_ON) {
        snprintf(text_r, STATE_SIZE, "neither on nor off");
    } else if (state->has_from && !state->is_from_readable) {
        snprintf(text_r, STATE_SIZE, "announced for an invalid date");
    } else if (apw_mfa_change_is_announced(state)) {
        apw_date_format_short(state->from, date);
        snprintf(text_r, STATE_SIZE, "announced for %s", date);
    } else {
        snprintf(text_r, STATE_SIZE, "enforced%s", state->is_default ? " by default" : "");
    }
}

void apw_mfa_change_print(const char *name, const struct apw_mfa_switched *switched,
                          bool is_dry_run)
{
    char before[STATE_SIZE], after[STATE_SIZE], links[STATE_SIZE] = "";
    bool is_enforced =
        switched->after.mfa == APW_MFA_ON && !apw_mfa_change_is_announced(&switched->after);

    format_state(&switched->before, before);
    format_state(&switched->after, after);
    if (switched->withdrawn > 0)
        snprintf(links, sizeof links, "; unused links withdrawn: %zu", switched->withdrawn);
    apw_output_line("%s: %s \u2192 %s%s%s%s", name, before, after, is_enforced ? " now" : "", links,
                    is_dry_run ? " (dry run)" : "");
}

void apw_mfa_change_print_unchanged(const char *name, const struct apw_mfa_switched *switched)
{
    char state[STATE_SIZE];

    format_state(&switched->before, state);
    apw_output_line("%s: unchanged, %s", name, state);
}

void apw_mfa_change_warn(const char *name, const struct apw_mfa_state *after, bool is_dry_run)
{
    const char *can = is_dry_run ? "could" : "can";
    char date[APW_DATE_RFC3339_SIZE];

    if (!apw_mfa_change_is_announced(after)) {
        apw_say(name,
                "no app password: none of this user's programs %s sign in now; app-password create "
                "makes one",
                can);
        return;
    }
    apw_date_format_short(after->from, date);
    apw_say(name,
            "no app password yet: from %s on, none of this user's programs %s sign in without one",
            date, can);
}
