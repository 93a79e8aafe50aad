/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * user_entry: a user, as read from an entry. Pure.
 */
#ifndef APW_USER_ENTRY_H
#define APW_USER_ENTRY_H

#include "account_state.h"
#include "config.h"
#include "error.h"
#include "hash.h"
#include "ldap/entry.h"
#include "record.h"
#include "tombstone.h"
#include "use.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One value of appPassword that is not a tombstone. */
struct apw_managed_password {
    char *value; /* as stored, followed by a NUL that does not count */
    size_t length;
    char id[APW_ID_LENGTH + 1]; /* "" if unreadable */
    bool has_record;            /* `record` could be read */
    struct apw_record record;
    struct apw_hash_cost cost; /* zeros if unreadable */
    bool is_costly;            /* hashed at a higher cost than new ones */
    bool is_usable;            /* an unusable one lets nobody in */
    struct apw_error problem;  /* why it is not */
    bool has_use;
    struct apw_use use; /* the newest one of this id */
};

enum apw_mfa_flag {
    APW_MFA_FLAG_ABSENT = 0, /* or hidden from this identity */
    APW_MFA_FLAG_TRUE,
    APW_MFA_FLAG_FALSE,
};

struct apw_user {
    char *dn;
    char *name;     /* login_attribute, or uid if that is not set; the DN if it has none */
    bool has_class; /* objectClass appPasswordAccount; true if no entry may add it, or if
                       objectClass is hidden */
    enum apw_account_state account_state; /* by its attributes alone: apw_manage_account_state() */
    struct apw_error account_problem;     /* why it is not active */
    enum apw_mfa_flag mfa_flag;           /* appPasswordMfaEnabled; mfa_filter may say otherwise */
    bool has_enforce_from;
    bool is_enforce_from_readable;
    int64_t enforce_from;

    /* Only if the manager is `with_enrolment`. */
    char *unique_id; /* the immutable id; NULL if missing or hidden */
    struct apw_values mail;
    struct apw_values method; /* appPasswordMfaMethod, as stored */

    struct apw_values also; /* the manager's */

    size_t password_count;
    struct apw_managed_password *password; /* in order of creation, unusable ones last */
    size_t tombstone_count;
    struct apw_tombstone *tombstone; /* of revoked ones, the newest first */
    size_t use_count;
    struct apw_use *use; /* every appPasswordUsed with an id; `at` is INT64_MIN if the rest is
                            unreadable */
};

/* Lists the attributes to read: ours and the one with the name, those of the enrollment if wanted,
 * and `also` unless it is NULL. Borrowed, and NULL follows. */
#define APW_USER_ATTRIBUTES_SIZE 24
void apw_user_list_attributes(const struct apw_config *config, bool with_enrolment,
                              const char *also, const char *list_r[APW_USER_ATTRIBUTES_SIZE]);

/* The user with this entry, which has the attributes listed; NULL without memory. */
struct apw_user *apw_user_read(const struct apw_config *config, const char *also,
                               const struct apw_entry *entry);
void apw_user_free(struct apw_user **user); /* wipes values; takes NULL */

bool apw_user_has_tombstone(const struct apw_user *user, const char *id);

/* Whether an app password, a revoked one or a recorded use has that id. */
bool apw_user_has_id(const struct apw_user *user, const char *id);

#endif
