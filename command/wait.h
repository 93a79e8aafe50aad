/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wait: waits until every server shows the tombstones of what was revoked.
 */
#ifndef APW_WAIT_H
#define APW_WAIT_H

#include "revocation.h"
#include "session.h"
#include "status.h"
#include <stdint.h>

/* Asks each server of `uri` and `write_uri` separately, as the administrator, for at most
 * `seconds`. If a server does not show one by then or does not answer, says which and returns
 * APW_STATUS_UNAVAILABLE. */
enum apw_status apw_wait(const struct apw_session *session,
                         const struct apw_revocations *revocations, int64_t seconds);

#endif
