/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * view: a directory as the doctor's checks see it, and their searches.
 *
 * A site has one, or two: that of the users, and the store. The view whose holder is itself is that
 * of the directory with our attributes.
 */
#ifndef APW_DOCTOR_VIEW_H
#define APW_DOCTOR_VIEW_H

#include "command.h"
#include "doctor/diagnosis.h"
#include "doctor/names.h"
#include "user.h"

struct apw_doctor_view {
    struct apw_diagnosis *diagnosis;   /* borrowed, like all but the last three */
    const struct apw_config *config;   /* with the mail server's identities */
    const struct apw_session *session; /* as the administrator; NULL if this host has none */

    /* The view of the directory with our attributes: this one, or that of the store. */
    const struct apw_doctor_view *holder;

    /* What the keys of the configuration say of this directory. */
    const char *prefix; /* of these keys: "store_" or "" */
    enum apw_directory_type type;
    const struct apw_uris *uris, *write_uris;
    const struct apw_identity *identity; /* the mail server's */
    const struct apw_identity *manager;  /* who reads here for the administrator; NULL: nobody */
    const char *base;
    enum apw_scope scope;
    const char *filter; /* template, as of the key */

    struct apw_directory *managed;   /* as `manager`; NULL if there is none */
    struct apw_directory *directory; /* as the mail server, with all URIs */
    struct apw_doctor_names names;   /* that identify a user: of filter, login_attribute and
                                        id_attribute */
    size_t searched;                 /* how many of them, the first ones, a login searches by */
    char *sample;                    /* DN of an entry to test rights on; NULL if there is none */
};

/* Prepares the mail server's connection to the directory with the users; touches no network.
 * view_r->directory is NULL if that fails, as it then does for each single server too. */
void apw_doctor_view_open(struct apw_diagnosis *diagnosis, const struct apw_config *config,
                          const struct apw_session *session, struct apw_doctor_view *view_r);

/* The same for the store, which becomes the holder of `users`. */
void apw_doctor_view_open_store(struct apw_doctor_view *users, struct apw_doctor_view *store_r);
void apw_doctor_view_close(struct apw_doctor_view *view); /* takes one that is zeroed */

bool apw_doctor_view_is_store(const struct apw_doctor_view *view);

/* Whether our attributes are in this directory. */
bool apw_doctor_view_is_holder(const struct apw_doctor_view *view);

/* Another connection to the directory, as `identity`, at `uris`. */
int apw_doctor_view_connect(const struct apw_doctor_view *view, const struct apw_uris *uris,
                            const struct apw_identity *identity, struct apw_directory **directory_r,
                            struct apw_error *error);

/* As the administrator sees it or, without one, the mail server. */
struct apw_directory *apw_doctor_view_best(const struct apw_doctor_view *view);

/* To find users as the mail server does; `users` is the view of the users. */
struct apw_manager apw_doctor_view_manager(const struct apw_doctor_view *users);

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

/* Whether `directory` finds the entry of that DN by `filter`. */
bool apw_doctor_view_matches(const struct apw_doctor_view *view, struct apw_directory *directory,
                             const char *dn, const char *filter);

/* An identity's DN for a rule; text in its place if it has none. Borrowed. */
const char *apw_doctor_view_dn(const struct apw_identity *identity);

#endif
