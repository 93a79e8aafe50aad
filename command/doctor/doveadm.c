/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/doveadm.h"
#include "program.h"
#include <string.h>
#include <sysexits.h>

/* While Dovecot runs, its master takes connections even if the auth process fails, until there are
 * too many. */
static bool is_not_running(const char *output)
{
    return output != NULL && strstr(output, "connect(") != NULL &&
           strstr(output, "temporarily unavailable") == NULL;
}

static enum apw_doctor_doveadm ask(const char *const *arguments, char **output_r)
{
    int status = apw_program_read_all(arguments, output_r);

    if (is_not_running(*output_r))
        return APW_DOCTOR_DOVEADM_NOT_RUNNING;
    if (status == EX_NOUSER)
        return APW_DOCTOR_DOVEADM_NO_USER;
    return status == 0 ? APW_DOCTOR_DOVEADM_FOUND : APW_DOCTOR_DOVEADM_FAILED;
}

enum apw_doctor_doveadm apw_doctor_doveadm_passdb(const struct apw_doctor_doveconf *conf,
                                                  const char *user, char **output_r)
{
    return ask((const char *[]){"doveadm", "-c", conf->path, "auth", "lookup", "-x", "service=lmtp",
                                user, NULL},
               output_r);
}

enum apw_doctor_doveadm apw_doctor_doveadm_userdb(const struct apw_doctor_doveconf *conf,
                                                  const char *user, char **output_r)
{
    return ask(
        (const char *[]){"doveadm", "-c", conf->path, "user", "-x", "service=lmtp", user, NULL},
        output_r);
}
