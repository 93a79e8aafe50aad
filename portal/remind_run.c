/* SPDX-License-Identifier: BSD-2-Clause */
#include "remind_run.h"
#include "utf8.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

bool apw_remind_run_goes_on(const struct apw_remind_run *run)
{
    return !*run->stop && run->troubles < APW_REMIND_TROUBLES;
}

void apw_remind_run_note(struct apw_remind_run *run, const char *user, int exit_status,
                         const struct apw_error *error)
{
    if (user == NULL)
        run->state.error = *error;
    else
        apw_error_set(&run->state.error, "%s: %s", user, error->text);
    fprintf(stderr, "app-password-portal: %s%s%s\n",
            user == NULL ? "" : apw_remind_run_printable(user), user == NULL ? "" : ": ",
            error->text);
    if (exit_status > run->exit_status)
        run->exit_status = exit_status;
}

int apw_remind_run_status_of(enum apw_manage_result result)
{
    switch (result) {
    case APW_MANAGE_NOT_PERMITTED:
        return EX_NOPERM;
    case APW_MANAGE_CONFIGURATION:
        return EX_CONFIG;
    case APW_MANAGE_UNAVAILABLE:
    case APW_MANAGE_CONFLICT:
        return EX_TEMPFAIL;
    case APW_MANAGE_DONE:
    case APW_MANAGE_UNCHANGED:
    case APW_MANAGE_NOT_FOUND:
    case APW_MANAGE_INVALID:
    case APW_MANAGE_ENDED:
    case APW_MANAGE_MFA_IS_OFF:
    case APW_MANAGE_REFUSED:
        break;
    }
    return EXIT_FAILURE;
}

const char *apw_remind_run_printable(const char *name)
{
    return apw_utf8_is_printable(name, strlen(name)) ? name : "(a name with control characters)";
}
