/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * view: the directory as the doctor's checks see it, and their searches.
 */
#ifndef APW_DOCTOR_VIEW_H
#define APW_DOCTOR_VIEW_H

#include "command.h"
#include "doctor/diagnosis.h"
#include "doctor/names.h"

struct apw_doctor_view {
    struct apw_diagnosis *diagnosis;   /* borrowed, like the next two */
    const struct apw_config *config;   /* with the mail server's identity */
    const struct apw_session *session; /* as the administrator; NULL if this host has none */
    struct apw_directory *directory;   /* as the mail server, with all URIs */
    struct apw_doctor_names names;     /* that identify a user: of filter, and login_attribute */
    char *sample;                      /* DN of a user to test rights on; NULL if there is none */
};

/* Prepares the mail server's connection; touches no network. view_r->directory is NULL if that
 * fails, as it then does for each single server too. */
void apw_doctor_view_open(struct apw_diagnosis *diagnosis, const struct apw_config *config,
                          const struct apw_session *session, struct apw_doctor_view *view_r);
void apw_doctor_view_close(struct apw_doctor_view *view);

/* Fills view->sample, if possible with a user who has no rights of administration: Active Directory
 * lets such a one (adminCount 1) inherit none of our rights. */
void apw_doctor_view_find_sample(struct apw_doctor_view *view);

/* The monotonic time by which one operation that starts now must end. */
int64_t apw_doctor_view_deadline(const struct apw_doctor_view *view);

/* As apw_directory_search(), within the deadline. */
enum apw_ldap_result apw_doctor_view_search(const struct apw_doctor_view *view,
                                            struct apw_directory *directory,
                                            const struct apw_query *query,
                                            struct apw_entry **entries_r, struct apw_error *error);

/* Reads one entry by its DN; `attributes` NULL reads none. The caller frees the entry. */
enum apw_ldap_result apw_doctor_view_read(const struct apw_doctor_view *view,
                                          struct apw_directory *directory, const char *dn,
                                          const char *const *attributes, struct apw_entry **entry_r,
                                          struct apw_error *error);

/* The DN of an entry below the base that `directory` finds by `filter`, or NULL. The caller frees
 * it. */
char *apw_doctor_view_find(const struct apw_doctor_view *view, struct apw_directory *directory,
                           const char *filter);

/* What mail servers compare: an address of a user, and the accepted name of the user's logins.
 * Without login_attribute that is what was typed: another value that filter looks for, or the
 * address. */
struct apw_doctor_sender {
    char address[256];
    char name[256];
};

/* Finds a user with a mail address whose account has not ended. */
bool apw_doctor_view_find_sender(const struct apw_doctor_view *view,
                                 struct apw_doctor_sender *sender_r);

/* An identity's DN for a rule; text in its place if it has none. Borrowed. */
const char *apw_doctor_view_dn(const struct apw_identity *identity);

#endif
