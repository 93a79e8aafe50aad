/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy: how long an app password may live: max_lifetime and default_expires. Pure.
 *
 * Moments are seconds since 1970; APW_POLICY_NEVER is the end of one without an end.
 */
#ifndef APW_POLICY_H
#define APW_POLICY_H

#include "config_keys.h"
#include "error.h"
#include "record.h"
#include <stdbool.h>
#include <stdint.h>

#define APW_POLICY_NEVER INT64_MAX

/* Owners get a mail this long before revoke_unused revokes an app password. */
#define APW_POLICY_NOTICE_S (14 * 86400)

/* When an app password ends: valid while now < end. It is the earlier of its `expires` and of
 * max_lifetime after its creation. */
int64_t apw_policy_end(const struct apw_config *config, const struct apw_record *record);

/* The latest end that max_lifetime allows an app password made at `now`. */
int64_t apw_policy_latest(const struct apw_config *config, int64_t now);

/* The end of an app password made at `now` by somebody who names none: default_expires. */
int64_t apw_policy_default(const struct apw_config *config, int64_t now);

/* Shortens `expires` to what max_lifetime allows, counted from `created`; true if it did. */
bool apw_policy_cap(const struct apw_config *config, struct apw_record *record);

/* Fails unless the keys agree with each other, and with record_use. */
int apw_policy_check(const struct apw_config *config, struct apw_error *error);

#endif
