/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * orphans: "app-password revoke --orphans": entries of the store whose user is gone.
 */
#ifndef APW_ORPHANS_H
#define APW_ORPHANS_H

#include "session.h"
#include "status.h"

/* Lists the entries whose id nobody has, records since when, and deletes those that have been so
 * for long enough. Changes nothing unless every search was answered completely. */
enum apw_status apw_orphans_revoke(const struct apw_session *session);

#endif
