/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * login: the name that a client typed. Pure.
 */
#ifndef APW_LOGIN_H
#define APW_LOGIN_H

#include <stdbool.h>
#include <stddef.h>

#define APW_LOGIN_BYTES_MAX 255
#define APW_LOGIN_SIZE      (APW_LOGIN_BYTES_MAX + 1)

/* Removes white space and invisible characters from both ends (ignorable.h). Appends "@realm"
 * unless the realm is NULL or empty, or the login has an '@'. Returns -1, and "" in login_r, if the
 * result is not well-formed. */
int apw_login_canonicalize(const char *login, size_t length, const char *realm,
                           char login_r[APW_LOGIN_SIZE]);

/* Not empty, not blank, at most 255 bytes, UTF-8, no control characters. */
bool apw_login_is_wellformed(const char *login, size_t length);

#endif
