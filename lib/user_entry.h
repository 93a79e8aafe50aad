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
    int64_t end;               /* apw_policy_end(); APW_POLICY_NEVER if unreadable */
    struct apw_hash_cost cost; /* zeros if unreadable */
    bool is_outdated; /* made before the account password was changed, and the site refuses these */
    bool is_costly;   /* hashed at a higher cost than new ones */
    bool is_usable;   /* an unusable one lets nobody in */
    struct apw_error problem; /* why it is not */
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
    char *name; /* login_attribute, or uid if that is not set; the DN if it has none */

    /* The entry that has our attributes: the user's own, or the one in the store, which is added
     * with the first of them. */
    char *holder_dn;
    bool has_holder;
    bool is_orphan; /* the users' directory has no entry with this id: `dn` is that of the store */
    bool has_class; /* objectClass appPasswordAccount; true if no entry may add it, or if
                       objectClass is hidden */

    enum apw_account_state account_state; /* by its attributes alone: apw_manage_account_state() */
    struct apw_error account_problem;     /* why it is not active */
    int64_t locked_since; /* when ppolicy locked the account password after wrong ones; 0: it did
                             not. The lock may be over. */

    /* With revoke_on_password_change. */
    bool is_change_unreadable;
    struct apw_error change_problem; /* why */

    enum apw_mfa_flag mfa_flag; /* appPasswordMfaEnabled; mfa_filter may say otherwise */
    bool has_enforce_from;
    bool is_enforce_from_readable;
    int64_t enforce_from;

    char *unique_id; /* the immutable id; NULL if missing or hidden, and without a store unless the
                        manager is `with_enrolment` */

    /* Only if the manager is `with_enrolment`. */
    char *full_name; /* displayName, else cn; "" if neither can be read */
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

/* Lists the attributes to read of the user's own entry: the name, the id and the state of the
 * account, the person's name and mail address with `with_enrolment`, `also` unless it is NULL, and
 * ours unless they are in a store. Borrowed, and NULL follows. */
#define APW_USER_ATTRIBUTES_SIZE 30
void apw_user_list_attributes(const struct apw_config *config, bool with_enrolment,
                              const char *also, const char *list_r[APW_USER_ATTRIBUTES_SIZE]);

/* Lists those to read of an entry in the store. */
void apw_user_list_stored(bool with_enrolment, const char *list_r[APW_USER_ATTRIBUTES_SIZE]);

/* The user with this entry; NULL without memory, with the error. `holder` is the entry with our
 * attributes: the same one without a store; with one, that of the store, or NULL if there is none.
 * Both have the attributes listed. With a store the id must have been readable. */
struct apw_user *apw_user_read(const struct apw_config *config, const char *also,
                               const struct apw_entry *entry, const struct apw_entry *holder,
                               struct apw_error *error);

/* The user of an entry in the store whose id nobody has: the account has ended. */
struct apw_user *apw_user_read_orphan(const struct apw_config *config,
                                      const struct apw_entry *holder, struct apw_error *error);
void apw_user_free(struct apw_user **user); /* wipes values; takes NULL */

/* The last use that is known of an app password, even of one that is gone; NULL for none. */
const struct apw_use *apw_user_newest_use(const struct apw_user *user, const char *id);

bool apw_user_has_tombstone(const struct apw_user *user, const char *id);

/* Whether appPasswordMfaMethod has exactly this value. */
bool apw_user_has_method(const struct apw_user *user, const char *value);

/* Whether an app password, a revoked one or a recorded use has that id. */
bool apw_user_has_id(const struct apw_user *user, const char *id);

#endif
