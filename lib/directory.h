/*
 * directory: the only user of <ldap.h>.
 *
 * One `struct apw_directory` stands for "the directory, as this identity": it knows the URIs and
 * keeps one bound connection, opened at the first question and reopened once, unseen, when it turns
 * out stale. Make it before chroot() (it reads the CA file then); ask it afterwards.
 *
 * Threads: any thread may ask at any time; a thread that finds the kept connection in use opens
 * another for itself. Fork: a child never touches the parent's connection, it opens its own.
 * Waits: each step takes at most `timeout_ms`, and everything ends at `deadline`
 * (apw_clock_monotonic_ms()), TLS handshakes and name resolution included.
 * The host's ldap.conf and LDAP* variables do not apply.
 */
#ifndef APW_DIRECTORY_H
#define APW_DIRECTORY_H

#include "config.h"
#include "error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct apw_directory;

struct apw_directory_settings {
    const struct apw_uris *uris;
    const struct apw_identity *identity;
    bool start_tls;
    const char *tls_cacert;
    enum apw_tls_min tls_min;
    int timeout_ms;
    /* A directory whose TLS (CA certificates, versions) this one shares, and that outlives it; NULL
     * for TLS of its own. The two TLS settings above must be the same. */
    const struct apw_directory *tls_of;
};

/* What a question ended in. Everything but APW_LDAP_OK left its reason in the error. */
enum apw_ldap_result {
    APW_LDAP_UNAVAILABLE = 0, /* no answer, or one that nobody expects */
    APW_LDAP_OK,
    APW_LDAP_NO_SUCH_OBJECT, /* 32 */
    APW_LDAP_NOT_PERMITTED,  /* 50, or the service's own bind refused: 48, 49 */
    APW_LDAP_CONFLICT,       /* 16, 20: the entry changed meanwhile, read it again */
    APW_LDAP_READ_ONLY, /* 10, 53: a modify that this server takes none of, a replica perhaps */
    APW_LDAP_REFUSED,   /* the server takes issue: schema, constraint, a size limit, … */
};

struct apw_value {
    char *bytes; /* followed by a NUL that does not count */
    size_t length;
};

struct apw_attribute {
    char *name; /* description without options */
    bool has_options;
    size_t count;
    struct apw_value *value;
};

struct apw_entry {
    char *dn;
    size_t attribute_count;
    struct apw_attribute *attribute;
    struct apw_entry *next;
};

/* Copies the settings. Reads the CA file, touches no network. */
int apw_directory_new(const struct apw_directory_settings *settings,
                      struct apw_directory **directory_r, struct apw_error *error);
void apw_directory_free(struct apw_directory **directory); /* takes NULL */

/* Closes the kept connection; the next question opens another. */
void apw_directory_disconnect(struct apw_directory *directory);

/* What a search asks for (RFC 4511, 4.5.1). Borrowed. */
struct apw_query {
    const char *base;
    enum apw_scope scope;
    const char *filter;
    const char *const *attributes; /* ends in NULL */
    unsigned limit;                /* entries; 0 for no limit. Reaching it is no error. */
};

/* Returns the entries in *entries_r: NULL if there are none. The caller frees them. */
enum apw_ldap_result apw_directory_search(struct apw_directory *directory,
                                          const struct apw_query *query, int64_t deadline,
                                          struct apw_entry **entries_r, struct apw_error *error);

void apw_entries_free(struct apw_entry **entries); /* wipes values; takes NULL */

/* What is done with each entry of a large search; the entry is borrowed for the call. 0 goes on,
 * anything else ends the search. */
typedef int (*apw_entry_visitor)(void *context, const struct apw_entry *entry);

/* Searches page by page (RFC 2696), however many entries there are, in the memory of one page. Each
 * page has `page_ms` milliseconds. The visitor may ask the directory other things. OK too where the
 * visitor has ended it. Never begins anew: where the connection is lost in the middle the result is
 * APW_LDAP_UNAVAILABLE; where the server cuts off what this identity may see (its size limit), it
 * is APW_LDAP_REFUSED. */
enum apw_ldap_result apw_directory_search_each(struct apw_directory *directory,
                                               const struct apw_query *query, int page_ms,
                                               apw_entry_visitor visitor, void *context,
                                               struct apw_error *error);

/* The attribute of that name without options, or NULL. */
const struct apw_attribute *apw_entry_attribute(const struct apw_entry *entry, const char *name);

/* A filter from its template: %u login, %n what is before its last '@', %d what is behind, %% a
 * percent sign; all escaped (RFC 4515, 3). NULL where memory is short. The caller frees it. */
char *apw_filter_expand(const char *template, const char *login);

/* Whether libldap takes `filter` (RFC 4515) and, for a template, it has no % but those above. */
int apw_filter_check(const char *filter, bool is_template, struct apw_error *error);

/* Whether `uri` is an LDAP URI that we take; the rule is at apw_uris_parse(). */
int apw_uri_check(const char *uri, bool start_tls, struct apw_error *error);

/* Whether `dn` is a distinguished name (RFC 4514). */
bool apw_dn_is_valid(const char *dn);

/* What a value of attributeTypes, or of objectClasses where `is_class`, defines (RFC 4512, 4.1). */
#define APW_SCHEMA_TEXT_SIZE 128
struct apw_schema_element {
    char oid[APW_SCHEMA_TEXT_SIZE];
    char equality[APW_SCHEMA_TEXT_SIZE]; /* "" for a class, and where there is none */
    char syntax[APW_SCHEMA_TEXT_SIZE];   /* the same */
    bool is_single;
};

/* -1 where it cannot be read. */
int apw_schema_parse(const char *value, bool is_class, struct apw_schema_element *element_r);

/* How a simple bind as the user ended. */
enum apw_user_bind {
    APW_USER_BIND_UNAVAILABLE = 0,
    APW_USER_BIND_OK,
    APW_USER_BIND_WRONG,       /* 48, 49, 32 */
    APW_USER_BIND_LOCKED,      /* 19, 53, or the password-policy control says locked */
    APW_USER_BIND_MUST_CHANGE, /* the control says so */
};

/* Binds as `dn` with the password-policy control (draft-behera-ldap-password-policy) on a
 * connection of its own that is closed afterwards. An empty password is never sent: it would be an
 * anonymous bind that succeeds (RFC 4513, 5.1.2); it is WRONG. */
enum apw_user_bind apw_directory_bind_user(struct apw_directory *directory, const char *dn,
                                           const char *password, size_t password_length,
                                           int64_t deadline, struct apw_error *error);

enum apw_change_kind { APW_CHANGE_ADD = 0, APW_CHANGE_DELETE, APW_CHANGE_REPLACE };

/* One change of a modify; value NULL means all values (DELETE and REPLACE). */
struct apw_change {
    enum apw_change_kind kind;
    const char *attribute;
    const char *value; /* NUL-terminated */
};

/* One modify operation: all changes or none (RFC 4511, 4.6). Never sent twice: where the answer
 * was lost the result is APW_LDAP_UNAVAILABLE and the error says that it may have been made. */
enum apw_ldap_result apw_directory_modify(struct apw_directory *directory, const char *dn,
                                          const struct apw_change *changes, size_t count,
                                          int64_t deadline, struct apw_error *error);

#endif
