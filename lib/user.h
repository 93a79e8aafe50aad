/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * user: finds users, as a manager of app passwords sees them.
 *
 * Only reads; update.h changes entries.
 */
#ifndef APW_USER_H
#define APW_USER_H

#include "config.h"
#include "error.h"
#include "ldap/directory.h"
#include "mfa.h"
#include "user_entry.h"
#include <stdbool.h>
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
    struct apw_directory *store; /* if the configuration has one; then the other is only read */
    bool is_dry_run;             /* report the result, but change nothing */
    bool with_enrolment;         /* also read what enrollment needs: see struct apw_user */
    const char *also;            /* one more attribute to read; NULL for none */
    const struct apw_identity *explained; /* who manages, if a person is told why not: rights.h */
};

/* Names an entry by a login that the configuration's filter finds, or by its DN; the other is NULL.
 * With both, it is the entry of that DN if the filter finds it by that login. Borrowed. */
struct apw_target {
    const char *login;
    const char *dn;
    const struct apw_user
        *user; /* that entry, just read, or NULL: saves manage.h the first search */
};

/* What the end of a search means. A base that does not exist is one that the configuration names.
 */
enum apw_manage_result apw_user_result_of(enum apw_ldap_result result);

/* The deadline of an operation that starts now (apw_clock_monotonic_ms()). */
int64_t apw_user_deadline(const struct apw_manager *manager);

/* Finds the one entry and reads all of the above. The caller frees *user_r, which is NULL unless
 * the result is APW_MANAGE_DONE. */
enum apw_manage_result apw_user_find(const struct apw_manager *manager,
                                     const struct apw_target *target, struct apw_user **user_r,
                                     struct apw_error *error);

/* Called for each user, which is borrowed. Anything but 0 ends the search. */
typedef int (*apw_user_callback)(void *context, const struct apw_user *user);

/* Reads, page by page, every user under the configuration's base whose own entry matches `filter`.
 * The callback may change them. DONE also if the callback ends the search. */
enum apw_manage_result apw_user_each(const struct apw_manager *manager, const char *filter,
                                     apw_user_callback callback, void *context,
                                     struct apw_error *error);

/* The same for everybody whose entry with our attributes matches `filter`, like
 * "(appPassword=*)": with a store, its entries, orphans included. */
enum apw_manage_result apw_user_each_holder(const struct apw_manager *manager, const char *filter,
                                            apw_user_callback callback, void *context,
                                            struct apw_error *error);

/* Reads whether MFA is on, as a login does. *mfa_r is APW_MFA_ON or APW_MFA_OFF with
 * APW_MANAGE_DONE, and APW_MFA_UNREADABLE with NOT_PERMITTED. */
enum apw_manage_result apw_user_mfa(const struct apw_manager *manager, const struct apw_user *user,
                                    enum apw_mfa *mfa_r, struct apw_error *error);

#endif
