/* SPDX-License-Identifier: BSD-2-Clause */
#include "code.h"
#include "csv.h"
#include "date.h"
#include "method.h"
#include "output.h"
#include <sodium.h>
#include <stdio.h>
#include <time.h>

int apw_code_print(const char *name, const struct apw_password *code, bool reset)
{
    char shown[APW_PASSWORD_SHOWN_SIZE];

    apw_password_show(code, shown);
    apw_output_line("%s: %scode to enroll with, once, within %d days: %s", name,
                    reset ? "second factors removed; " : "", APW_ENROLMENT_CODE_SECONDS / 86400,
                    shown);
    sodium_memzero(shown, sizeof shown);
    return fflush(stdout);
}

void apw_code_print_header(void)
{
    puts("user,name,mail,code,until");
}

int apw_code_print_csv(const char *name, const struct apw_user *user,
                       const struct apw_password *code)
{
    char shown[APW_PASSWORD_SHOWN_SIZE], until[APW_DATE_RFC3339_SIZE];

    apw_date_format_rfc3339((int64_t)time(NULL) + APW_ENROLMENT_CODE_SECONDS, until);
    apw_password_show(code, shown);
    apw_csv_print_cell(name, ',');
    apw_csv_print_cell(user->full_name, ',');
    apw_csv_print_cell(user->mail.count > 0 ? user->mail.value[0].bytes : "", ',');
    apw_csv_print_cell(shown, ',');
    apw_csv_print_cell(until, '\n');
    sodium_memzero(shown, sizeof shown);
    return fflush(stdout);
}
