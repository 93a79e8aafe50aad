/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * user: one user's entry, as a manager of app passwords sees it.
 *
 * Only reads; update.h changes entries.
 */
#ifndef APW_USER_H
#define APW_USER_H

#include "account_state.h"
#include "config.h"
#include "error.h"
#include "hash.h"
#include "ldap/directory.h"
#include "mfa.h"
#include "record.h"
#include "tombstone.h"
#include "use.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How reading or changing an entry ended. Everything but DONE and UNCHANGED left its reason in the
 * error. */
enum apw_manage_result {
    APW_MANAGE_UNAVAILABLE = 0, /* no answer from the directory, or no memory */
    APW_MANAGE_DONE,
    APW_MANAGE_UNCHANGED,
    APW_MANAGE_NOT_FOUND,     /* no such user, or no such app password */
    APW_MANAGE_INVALID,       /* invalid request: label, services, id, … */
    APW_MANAGE_ENDED,         /* apw_manage_create() unless forced: the account has ended */
    APW_MANAGE_MFA_IS_OFF,    /* apw_manage_create() without `without_mfa` */
    APW_MANAGE_REFUSED,       /* ambiguous user, too many, or rejected by the server */
    APW_MANAGE_CONFLICT,      /* concurrent changes of the entry */
    APW_MANAGE_NOT_PERMITTED, /* the directory's ACL says no, or our own bind was refused */
    APW_MANAGE_CONFIGURATION,
};

/* The directory as the managing identity, and the configuration. Borrowed. Each operation has the
 * configuration's `deadline`. */
struct apw_manager {
    const struct apw_config *config;
    struct apw_directory *directory;
    bool is_dry_run;     /* report the result, but change nothing */
    bool with_enrolment; /* also read what enrollment needs: see struct apw_user */
    const char *also;    /* one more attribute to read; NULL for none */
};

/* Names an entry by a login that the configuration's filter finds, or by its DN; the other is NULL.
 * With both, it is the entry of that DN if the filter finds it by that login. Borrowed. */
struct apw_target {
    const char *login;
    const char *dn;
    const struct apw_user
        *user; /* that entry, just read, or NULL: saves manage.h the first search */
};

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
    bool has_class; /* objectClass appPasswordAccount; true if objectClass is hidden */
    enum apw_account_state account_state; /* by its attributes alone: apw_manage_account_state() */
    struct apw_error account_problem;     /* why it is not active */
    enum apw_mfa_flag mfa_flag;           /* appPasswordMfaEnabled; mfa_filter may say otherwise */
    bool has_enforce_from;
    bool is_enforce_from_readable;
    int64_t enforce_from;

    /* Only if the manager is `with_enrolment`. */
    char *unique_id; /* nsUniqueId or entryUUID; NULL if missing or hidden */
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

/* The deadline of an operation that starts now (apw_clock_monotonic_ms()). */
int64_t apw_user_deadline(const struct apw_manager *manager);

/* Finds the one entry and reads all of the above. The caller frees *user_r, which is NULL unless
 * the result is APW_MANAGE_DONE. */
enum apw_manage_result apw_user_find(const struct apw_manager *manager,
                                     const struct apw_target *target, struct apw_user **user_r,
                                     struct apw_error *error);

/* Called for each user, which is borrowed. Anything but 0 ends the search. */
typedef int (*apw_user_callback)(void *context, const struct apw_user *user);

/* Reads, page by page, every entry under the configuration's base that matches `filter`. The
 * callback may change them. DONE also if the callback ends the search. */
enum apw_manage_result apw_user_each(const struct apw_manager *manager, const char *filter,
                                     apw_user_callback callback, void *context,
                                     struct apw_error *error);
void apw_user_free(struct apw_user **user); /* wipes values; takes NULL */

/* Reads whether MFA is on, as a login does. *mfa_r is APW_MFA_ON or APW_MFA_OFF with
 * APW_MANAGE_DONE, and APW_MFA_UNREADABLE with NOT_PERMITTED. */
enum apw_manage_result apw_user_mfa(const struct apw_manager *manager, const struct apw_user *user,
                                    enum apw_mfa *mfa_r, struct apw_error *error);

bool apw_user_has_tombstone(const struct apw_user *user, const char *id);

/* Whether an app password, a revoked one or a recorded use has that id. */
bool apw_user_has_id(const struct apw_user *user, const char *id);

#endif
