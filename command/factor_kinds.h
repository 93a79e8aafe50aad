/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * factor_kinds: which second factors a user has, as far as that can be told without their key.
 */
#ifndef APW_FACTOR_KINDS_H
#define APW_FACTOR_KINDS_H

#include "user.h"

#define APW_FACTOR_KINDS_SIZE 128

/* "2 totp, mail"; "" if there are none, or if they are hidden from this identity. Returns how many
 * there are. The user was read `with_enrolment`. */
size_t apw_factor_kinds(const struct apw_user *user, char text_r[APW_FACTOR_KINDS_SIZE]);

#endif
