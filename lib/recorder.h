/*
 * recorder: writes appPasswordUsed, the last use of an app password, at most once per `record_use`.
 *
 * After the verdict and beside it: a thread of its own, which lives only while there is something
 * to write, asks write_uri for what is recorded there and changes it in one modify that names the
 * old values, so that of several hosts at once none loses a newer one. What cannot be written now
 * is dropped; the next login will try again. After a failure there is a pause of a minute.
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

/* Prepares TLS where write_uri needs it and `logins`, the directory that logins are asked of, has
 * none: call it before chroot(). Both `logins` and `log` are borrowed and outlive it. Starts no
 * thread. */
int apw_recorder_new(const struct apw_config *config, const struct apw_directory *logins,
                     struct apw_log *log, struct apw_recorder **recorder_r,
                     struct apw_error *error);

/* Has a use of the entry `dn` written, and returns at once. Copies both. Never fails; any thread,
 * and a child after fork(). */
void apw_recorder_note(struct apw_recorder *recorder, const char *dn, const struct apw_use *use);

/* Waits for what is being written, a few seconds at the most; takes a pointer to NULL. */
void apw_recorder_free(struct apw_recorder **recorder);

#endif
