/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recorder: writes appPasswordUsed, the last use of an app password, at most once per `record_use`.
 *
 * A separate thread writes after the verdict and lives only while there is something to write. It
 * reads what write_uri has and replaces it in one modify that names the old values, so that no host
 * overwrites a newer use. It drops what it cannot write; the next login tries again. After a
 * failure it pauses for a minute.
 */
#ifndef APW_RECORDER_H
#define APW_RECORDER_H

#include "config.h"
#include "error.h"
#include "ldap/directory.h"
#include "log.h"
#include "record.h"
#include "use.h"

struct apw_recorder;

/* Prepares TLS if write_uri needs it and `logins`, the directory that logins read our attributes
 * from, has none: call it before chroot(). Borrows `logins` and `log`, which must outlive it.
 * Starts no thread. With a store it writes to store_write_uri. */
int apw_recorder_new(const struct apw_config *config, const struct apw_directory *logins,
                     struct apw_log *log, struct apw_recorder **recorder_r,
                     struct apw_error *error);

/* Queues a use of the entry `dn` and returns at once. Copies both. Never fails. Any thread may
 * call, and a child of fork(). */
void apw_recorder_note(struct apw_recorder *recorder, const char *dn, const struct apw_use *use);

/* Waits for a write in progress, a few seconds at most; takes a pointer to NULL. */
void apw_recorder_free(struct apw_recorder **recorder);

#endif
