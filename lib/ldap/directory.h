/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * directory: the LDAP directory, as one identity.
 *
 * Knows the servers and keeps two connections: one bound as the identity, and one for the binds of
 * users alone. The first operation of each kind opens its connection; a later one reopens it once
 * if it turns out stale. Make it before chroot(), because it reads the CA file then; use it
 * afterwards.
 *
 * Threads: any thread may call at any time; a thread that finds the kept connection in use opens
 * another. Fork: a child never touches the parent's connection.
 * Waits: each takes at most `timeout_ms`, and everything ends at `deadline`
 * (apw_clock_monotonic_ms()), TLS handshakes and name resolution included.
 * The host's ldap.conf and LDAP* variables do not apply.
 */
#ifndef APW_DIRECTORY_H
#define APW_DIRECTORY_H

#include "error.h"
#include "identity.h"
#include "ldap/entry.h"
#include "ldap/handle.h"
#include "ldap/modify.h"
#include "ldap/result.h"
#include "ldap/search.h"
#include "ldap/uri.h"
#include "ldap/user_bind.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct apw_directory;

/* Borrowed. apw_config_directory_settings() fills it. */
struct apw_directory_settings {
    const struct apw_uris *uris;
    const struct apw_identity *identity;
    bool start_tls;
    const char *tls_cacert;
    enum apw_tls_min tls_min;
    int timeout_ms;
    int64_t idle_ms; /* close a kept connection that was idle for this long; 0: never */
    /* Shares its TLS context; must have the same TLS settings and outlive this one. NULL for a
     * context of its own. */
    const struct apw_directory *tls_of;
};

/* Copies the settings. Reads the CA file, touches no network. */
int apw_directory_new(const struct apw_directory_settings *settings,
                      struct apw_directory **directory_r, struct apw_error *error);
void apw_directory_free(struct apw_directory **directory); /* takes NULL */

/* Closes the kept connections; the next operation opens another. */
void apw_directory_disconnect(struct apw_directory *directory);

/* Returns the entries in *entries_r: NULL if there are none. The caller frees them. */
enum apw_ldap_result apw_directory_search(struct apw_directory *directory,
                                          const struct apw_query *query, int64_t deadline,
                                          struct apw_entry **entries_r, struct apw_error *error);

/* Asks all of a series over one connection; see struct apw_search_series. The result is that of the
 * last search asked; together, of the first. The caller clears the series. */
enum apw_ldap_result apw_directory_search_series(struct apw_directory *directory,
                                                 struct apw_search_series *series, int64_t deadline,
                                                 struct apw_error *error);

/* The page_ms of a search for everybody: without an index, a server looks at all entries before it
 * has found the few of a page, which takes it seconds if there are a million. */
#define APW_DIRECTORY_PAGE_MS 240000

/* Searches page by page, in the memory of one page. Each page has `page_ms`; a single wait for it
 * may take half of that, even if `timeout_ms` is shorter. The callback may use the directory. The
 * result is OK too if the callback ended the search. Never starts over: if the connection is lost
 * halfway, the result is APW_LDAP_UNAVAILABLE; if the server cuts off what this identity may see
 * (its size limit), it is APW_LDAP_REFUSED. */
enum apw_ldap_result apw_directory_search_each(struct apw_directory *directory,
                                               const struct apw_query *query, int page_ms,
                                               apw_search_callback callback, void *context,
                                               struct apw_error *error);

/* The server's certificate, as DER in *bytes_r, which the caller frees; NULL without TLS. */
enum apw_ldap_result apw_directory_certificate(struct apw_directory *directory, int64_t deadline,
                                               char **bytes_r, size_t *length_r,
                                               struct apw_error *error);

/* Who the server takes us for (RFC 4532): a DN, or a name such as "u:alice"; NULL for anonymous.
 * The caller frees it. */
enum apw_ldap_result apw_directory_whoami(struct apw_directory *directory, int64_t deadline,
                                          char **name_r, struct apw_error *error);

/* Binds as `dn`, on a connection that only such binds use: each replaces the identity of the one
 * before (RFC 4511, 4.2.1). An empty password is WRONG and is never sent. The error says why there
 * was no answer, or has the words of Active Directory.
 *
 * A server counts each wrong password once. So a bind that was sent on the kept connection, and
 * got no answer or "busy" or "unavailable", is not sent again to this server: it is UNAVAILABLE
 * unless another server answers. A connection that the server has closed before, or that was idle
 * for a minute, is not used.
 *
 * Until a server has judged a second bind on a connection, a result that judges no password may be
 * its objection to that; then a new connection decides. If it judges the password there, or if it
 * closed the connection instead of answering, it gets a new connection for each bind from then on.
 */
enum apw_user_bind apw_directory_bind_user(struct apw_directory *directory, const char *dn,
                                           const char *password, size_t password_length,
                                           int64_t deadline, struct apw_error *error);

/* Makes all changes or none; see apw_modify_run(). */
enum apw_ldap_result apw_directory_modify(struct apw_directory *directory, const char *dn,
                                          const struct apw_change *changes, size_t count,
                                          int64_t deadline, struct apw_error *error);

/* Adds the entry with the values of the changes, which all are APW_CHANGE_ADD. CONFLICT if it is
 * there already. */
enum apw_ldap_result apw_directory_add(struct apw_directory *directory, const char *dn,
                                       const struct apw_change *changes, size_t count,
                                       int64_t deadline, struct apw_error *error);

/* Deletes the entry, which must have no children. */
enum apw_ldap_result apw_directory_delete(struct apw_directory *directory, const char *dn,
                                          int64_t deadline, struct apw_error *error);

/* As apw_directory_modify(), but a replica that would forward the changes to its provider answers
 * APW_LDAP_READ_ONLY. */
enum apw_ldap_result apw_directory_modify_here(struct apw_directory *directory, const char *dn,
                                               const struct apw_change *changes, size_t count,
                                               int64_t deadline, struct apw_error *error);

#endif
