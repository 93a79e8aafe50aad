/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * create_list: app passwords for the users of a list in CSV.
 *
 * Nothing is made unless all lines can be. A line whose user has a working app password with that
 * label is left alone, so a list that was done in part can be given again.
 */
#ifndef APW_CREATE_LIST_H
#define APW_CREATE_LIST_H

#include "invocation.h"
#include "option.h"
#include "password_spec.h"
#include "status.h"
#include <stdbool.h>

/* `base` has what is the same for all: without_mfa and is_forced. Options of password_options.h
 * take the place of empty cells. */
struct apw_create_list {
    const char *path; /* "-": standard input */
    const struct apw_options *options;
    struct apw_password_spec base;
    bool is_dry_run;
};

/* Prints CSV: user, label, id and the app password. */
enum apw_status apw_create_list(const struct apw_invocation *invocation,
                                const struct apw_create_list *request);

#endif
