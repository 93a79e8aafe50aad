/*
 * list: the app passwords of one user, for people and for programs.
 */
#ifndef APW_LIST_H
#define APW_LIST_H

#include "user.h"

/* Columns with a header; unusable values come last, with what is wrong. */
int apw_table_print(const struct apw_user *user);

/* An array of objects, as app-password(1) describes. -1 where memory is short. */
int apw_json_print(const struct apw_user *user);

/* One object on one line, without its end: the finding, the user and, unless it is NULL, the app
 * password. -1 where memory is short. */
int apw_json_print_finding(const char *finding, const struct apw_user *user,
                           const struct apw_managed_password *password);

#endif
