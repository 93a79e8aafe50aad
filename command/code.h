/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * code: prints enrollment codes, each at once. Fails with errno set.
 */
#ifndef APW_CODE_H
#define APW_CODE_H

#include "password.h"
#include "user.h"
#include <stdbool.h>

/* A line for people. `reset`: second factors were removed in the same step. */
int apw_code_print(const char *name, const struct apw_password *code, bool reset);

/* CSV for a mail merge; the user was read `with_enrolment`, a moment ago. */
void apw_code_print_header(void);
int apw_code_print_csv(const char *name, const struct apw_user *user,
                       const struct apw_password *code);

#endif
