/*
 * wait: until every server of the directory has forgotten what was revoked.
 */
#ifndef APW_WAIT_H
#define APW_WAIT_H

#include "command.h"
#include "password.h"
#include <stddef.h>
#include <stdint.h>

/* What is to be forgotten. */
struct apw_revocations {
    size_t count;
    struct apw_revocation {
        char *dn;
        char id[APW_ID_LENGTH + 1]; /* "" for every app password of the entry */
    } * item;
};

/* Adds one; -1 without memory. */
int apw_revocations_add(struct apw_revocations *revocations, const char *dn, const char *id);
void apw_revocations_clear(struct apw_revocations *revocations);

/* Asks each URI of `uri` and `write_uri` on its own, as whoever manages, until none has any of them
 * left; at most `seconds`. APW_STATUS_UNAVAILABLE, and said which, where one still has or does not
 * answer. */
enum apw_status apw_wait(const struct apw_session *session,
                         const struct apw_revocations *revocations, int64_t seconds);

#endif
