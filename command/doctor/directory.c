#include "clock.h"
#include "doctor/doctor.h"
#include "finding.h"
#include "verify.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define OID           "2.25.141699905820307496210288608633455437436"
#define SLOW_MS       10 /* more than for one entry by its DN */
#define SEARCHES      3
#define SAMPLE_SIZE   50
#define IMPROBABLE    "a value that nobody has: app-password doctor"
#define IMPROBABLE_DN "cn=nobody,cn=app-password doctor"
#define NAMES_MAX     16
#define NAME_SIZE     64

static const struct attribute {
    const char *name;
    const char *oid;
    const char *equality, *equality_oid;
    const char *syntax;
    bool is_single;
} attributes[] = {
    {"appPassword", OID ".1.1", "caseExactMatch", "2.5.13.5", "1.3.6.1.4.1.1466.115.121.1.15",
     false},
    {"appPasswordMfaEnabled", OID ".1.2", "booleanMatch", "2.5.13.13",
     "1.3.6.1.4.1.1466.115.121.1.7", true},
    {"appPasswordMfaEnforceFrom", OID ".1.3", "generalizedTimeMatch", "2.5.13.27",
     "1.3.6.1.4.1.1466.115.121.1.24", true},
    {"appPasswordUsed", OID ".1.4", "caseExactMatch", "2.5.13.5", "1.3.6.1.4.1.1466.115.121.1.15",
     false},
    {"appPasswordMfaMethod", OID ".1.5", "caseExactMatch", "2.5.13.5",
     "1.3.6.1.4.1.1466.115.121.1.15", false},
};
#define ATTRIBUTE_COUNT (sizeof attributes / sizeof attributes[0])

/* Names of attributes, each once. */
struct names {
    size_t count;
    char name[NAMES_MAX][NAME_SIZE];
};

struct view {
    struct apw_doctor *doctor;
    const struct apw_doctor_directory *look;
    const struct apw_config *config;
    struct apw_directory *directory; /* of the mail server, all URIs */
    struct names names;              /* that decide who is who: of filter and login_attribute */
    char *sample;                    /* the DN of an entry to try rights on, or NULL */
};

static int64_t deadline_of(const struct apw_config *config)
{
    return apw_clock_monotonic_ms() + config->deadline_ms;
}

/* One search; the caller frees the entries. */
static enum apw_ldap_result search(const struct view *view, struct apw_directory *directory,
                                   const char *base, enum apw_scope scope, const char *filter,
                                   const char *const *wanted, unsigned limit,
                                   struct apw_entry **entries_r, struct apw_error *error)
{
    const struct apw_query query = {
        .base = base, .scope = scope, .filter = filter, .attributes = wanted, .limit = limit};

    *entries_r = NULL;
    return apw_directory_search(directory, &query, deadline_of(view->config), entries_r, error);
}

static void add_name(struct names *names, const char *name, size_t length)
{
    for (size_t i = 0; i < names->count; i++)
        if (strlen(names->name[i]) == length && strncasecmp(names->name[i], name, length) == 0)
            return;
    if (names->count < NAMES_MAX && length > 0 && length < NAME_SIZE)
        snprintf(names->name[names->count++], NAME_SIZE, "%.*s", (int)length, name);
}

/* The attributes that a filter reads: what stands between "(" and a comparison (RFC 4515). */
static void add_names_of_filter(struct names *names, const char *filter)
{
    for (const char *at = strchr(filter, '('); at != NULL; at = strchr(at + 1, '(')) {
        size_t length =
            strspn(at + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.");

        if (length > 0 && strchr("=~<>:;", at[1 + length]) != NULL)
            add_name(names, at + 1, length);
    }
}

/* ---- each server by itself ---- */

static void look_at_schema_of(const struct view *view, const char *uri,
                              const struct apw_entry *subschema, const char *list, bool is_class,
                              const char *name, const struct attribute *expected)
{
    const struct apw_attribute *values =
        subschema == NULL ? NULL : apw_entry_attribute(subschema, list);
    const char *oid = is_class ? OID ".2.1" : expected->oid;

    for (size_t i = 0; values != NULL && i < values->count; i++) {
        struct apw_schema_element element;

        if (strstr(values->value[i].bytes, oid) == NULL ||
            apw_schema_parse(values->value[i].bytes, is_class, &element) != 0 ||
            strcmp(element.oid, oid) != 0)
            continue;
        if (is_class || ((strcasecmp(element.equality, expected->equality) == 0 ||
                          strcmp(element.equality, expected->equality_oid) == 0) &&
                         strcmp(element.syntax, expected->syntax) == 0 &&
                         element.is_single == expected->is_single))
            return;
        apw_doctor_problem(view->doctor, "schema", "%s: %s is defined otherwise: %s", uri, name,
                           values->value[i].bytes);
        apw_doctor_mend("load the definition of ldap-schema/ instead");
        return;
    }
    apw_doctor_problem(view->doctor, "schema", "%s: %s is not defined there", uri, name);
    apw_doctor_mend("ldapadd -Q -Y EXTERNAL -H ldapi:/// -f app-password.ldif   # on that host");
}

static void look_at_schema(const struct view *view, const char *uri,
                           struct apw_directory *directory)
{
    static const char *const where[] = {"subschemaSubentry", NULL};
    static const char *const what[] = {"attributeTypes", "objectClasses", NULL};
    const struct apw_attribute *subentry;
    struct apw_entry *root = NULL, *subschema = NULL;
    struct apw_error error = {""};
    unsigned before = view->doctor->problems;

    search(view, directory, "", APW_SCOPE_BASE, "(objectClass=*)", where, 1, &root, &error);
    subentry = root == NULL ? NULL : apw_entry_attribute(root, where[0]);
    if (subentry == NULL || subentry->count == 0 ||
        search(view, directory, subentry->value[0].bytes, APW_SCOPE_BASE, "(objectClass=subschema)",
               what, 1, &subschema, &error) != APW_LDAP_OK ||
        subschema == NULL) {
        apw_doctor_unknown(view->doctor, "schema", "%s does not show it to the mail server: %s",
                           uri, error.text);
        apw_doctor_mend("access to dn.base=\"\" by * read   and the same for \"cn=Subschema\"");
    } else {
        for (size_t i = 0; i < ATTRIBUTE_COUNT; i++)
            look_at_schema_of(view, uri, subschema, what[0], false, attributes[i].name,
                              &attributes[i]);
        look_at_schema_of(view, uri, subschema, what[1], true, "appPasswordAccount", NULL);
        if (view->doctor->problems == before)
            apw_doctor_good(view->doctor, "schema", "%s", uri);
    }
    apw_entries_free(&root);
    apw_entries_free(&subschema);
}

static int compare_times(const void *left, const void *right)
{
    const int64_t *one = left, *other = right;

    return *one < *other ? -1 : *one > *other;
}

/* The median time of a search, in milliseconds. */
static int64_t time_search(const struct view *view, struct apw_directory *directory,
                           enum apw_scope scope, const char *filter)
{
    static const char *const nothing[] = {"1.1", NULL};
    int64_t took[SEARCHES];

    for (int i = 0; i < SEARCHES; i++) {
        int64_t start = apw_clock_monotonic_ms();
        struct apw_entry *entries;
        struct apw_error error = {""};

        search(view, directory, view->config->base, scope, filter, nothing, 2, &entries, &error);
        apw_entries_free(&entries);
        took[i] = apw_clock_monotonic_ms() - start;
    }
    qsort(took, SEARCHES, sizeof took[0], compare_times);
    return took[SEARCHES / 2];
}

/* With an index on each of its attributes a search takes no longer than that of one entry. */
static void look_at_speed(const struct view *view, const char *uri, struct apw_directory *directory)
{
    char login[64];
    int64_t way, took;
    char *filter;

    snprintf(login, sizeof login, "app-password-doctor-%08x", (unsigned)randombytes_random());
    filter = apw_filter_expand(view->config->filter, login);
    if (filter == NULL)
        return;
    way = time_search(view, directory, APW_SCOPE_BASE, "(objectClass=*)");
    took = time_search(view, directory, view->config->scope, filter);
    free(filter);
    if (took - way <= SLOW_MS) {
        apw_doctor_good(view->doctor, "filter",
                        "%s finds out in %d ms that there is no %s (%d ms an entry by its DN)", uri,
                        (int)took, login, (int)way);
        return;
    }
    apw_doctor_problem(view->doctor, "filter",
                       "%s takes %d ms to find that there is no %s, and %d ms for an entry by its "
                       "DN: an attribute of %s has no index",
                       uri, (int)took, login, (int)way, view->config->filter);
    for (size_t i = 0; i < view->names.count; i++)
        apw_doctor_mend("olcDbIndex: %s eq", view->names.name[i]);
}

static void explain_outage(const struct view *view, const char *uri, enum apw_ldap_result result,
                           const struct apw_error *error)
{
    if (result == APW_LDAP_NOT_PERMITTED) {
        apw_doctor_problem(view->doctor, "bind", "%s", error->text);
        apw_doctor_mend("write the password of binddn into %s",
                        view->config->identity.password_file != NULL
                            ? view->config->identity.password_file
                            : "bindpw_file");
    } else if (result == APW_LDAP_NO_SUCH_OBJECT) {
        apw_doctor_problem(view->doctor, "base", "%s: \"%s\" is not there, or hidden", uri,
                           view->config->base);
        apw_doctor_mend("base dc=example,dc=org   # the suffix of your directory");
    } else if (strstr(error->text, "TLS") != NULL) {
        apw_doctor_problem(view->doctor, "certificate", "%s", error->text);
        apw_doctor_mend("tls_cacert FILE   # with the CA of that certificate, whose names must "
                        "have the host of the URI, and which must not have expired");
    } else {
        apw_doctor_problem(view->doctor, "uri", "%s", error->text);
        apw_doctor_mend("start that server, or take %s out of %s", uri, view->config->path);
    }
}

static void look_at_server(const struct view *view, char *uri)
{
    static const char *const nothing[] = {"1.1", NULL};
    const struct apw_uris alone = {.count = 1, .uri = {uri}};
    struct apw_directory *directory;
    struct apw_entry *base = NULL;
    struct apw_error error = {""};
    enum apw_ldap_result result;

    if (apw_session_connect(view->config, &alone, &view->config->identity, &directory, &error) !=
        0) {
        apw_doctor_problem(view->doctor, "uri", "%s: %s", uri, error.text);
        apw_doctor_mend("uri ldaps://ldap.example.org");
        return;
    }
    result = search(view, directory, view->config->base, APW_SCOPE_BASE, "(objectClass=*)", nothing,
                    1, &base, &error);
    apw_entries_free(&base);
    if (result != APW_LDAP_OK) {
        explain_outage(view, uri, result, &error);
    } else {
        apw_doctor_good(view->doctor, "uri", "%s answers, takes the password and has the base",
                        uri);
        look_at_speed(view, uri, directory);
        look_at_schema(view, uri, directory);
    }
    apw_directory_free(&directory);
}

static void look_at_servers(const struct view *view)
{
    const struct apw_uris *lists[] = {&view->config->uris, &view->config->write_uris};

    for (int list = 0; list < 2; list++)
        for (unsigned i = 0; i < lists[list]->count; i++) {
            bool is_known = false;

            for (unsigned j = 0; list == 1 && j < lists[0]->count; j++)
                is_known = is_known || strcmp(lists[0]->uri[j], lists[1]->uri[i]) == 0;
            if (!is_known)
                look_at_server(view, lists[list]->uri[i]);
        }
}

/* ---- rights ---- */

enum right { RIGHT_UNKNOWN = 0, RIGHT_YES, RIGHT_NO };

/* Whether a value of the attribute may be deleted, by deleting one that is not there: 16 is yes,
 * 50 is no. A second change, which never succeeds, has whatever else happens undone. */
static enum right may_delete(const struct view *view, struct apw_directory *directory,
                             const char *dn, const char *attribute, const char *value,
                             const char *undone_by, struct apw_error *error)
{
    const struct apw_change changes[] = {{APW_CHANGE_DELETE, attribute, value},
                                         {APW_CHANGE_DELETE, undone_by, IMPROBABLE}};
    size_t count = undone_by == NULL ? 1 : 2;

    switch (apw_directory_modify(directory, dn, changes, count, deadline_of(view->config), error)) {
    case APW_LDAP_OK:
    case APW_LDAP_CONFLICT:
        return RIGHT_YES;
    case APW_LDAP_NOT_PERMITTED:
        return RIGHT_NO;
    case APW_LDAP_UNAVAILABLE:
    case APW_LDAP_NO_SUCH_OBJECT:
    case APW_LDAP_READ_ONLY:
    case APW_LDAP_REFUSED:
        break;
    }
    return RIGHT_UNKNOWN;
}

/* A value of its syntax that the entry does not have. */
static const char *absent_value(const struct view *view, const char *dn, const char *attribute)
{
    static const char *const nothing[] = {"1.1", NULL};
    struct apw_entry *entry = NULL;
    struct apw_error error = {""};
    bool is_true;

    if (strcasecmp(attribute, "appPasswordMfaEnforceFrom") == 0)
        return "19000101000000Z";
    if (strcasecmp(attribute, "objectClass") == 0)
        return "residentialPerson";
    if (strcasecmp(attribute, "appPasswordMfaEnabled") != 0)
        return IMPROBABLE;
    search(view, view->directory, dn, APW_SCOPE_BASE, "(appPasswordMfaEnabled=TRUE)", nothing, 1,
           &entry, &error);
    is_true = entry != NULL;
    apw_entries_free(&entry);
    return is_true ? "FALSE" : "TRUE";
}

static void judge_right(const struct view *view, const char *who, const char *attribute,
                        enum right right, bool is_to_have, const char *identity,
                        const struct apw_error *error)
{
    if (right == RIGHT_UNKNOWN) {
        apw_doctor_unknown(view->doctor, "rights", "whether %s may write %s: %s", who, attribute,
                           error->text);
        apw_doctor_mend("write_uri URI   # of a server that takes changes");
    } else if ((right == RIGHT_YES) == is_to_have) {
        apw_doctor_good(view->doctor, "rights", "%s %s write %s", who,
                        is_to_have ? "may" : "may not", attribute);
    } else {
        apw_doctor_problem(view->doctor, "rights", "%s %s write %s", who,
                           is_to_have ? "may not" : "may", attribute);
        apw_doctor_mend("access to attrs=%s … by dn.exact=\"%s\" %s   # see ldap-schema/acl-*",
                        attribute, identity, is_to_have ? "write" : "none");
    }
}

static void look_at_right(const struct view *view, struct apw_directory *directory, const char *who,
                          const char *identity, const char *dn, const char *attribute,
                          bool is_to_have, const char *undone_by)
{
    struct apw_error error = {""};
    const char *value = absent_value(view, dn, attribute);
    enum right right = may_delete(view, directory, dn, attribute, value, undone_by, &error);

    if (right == RIGHT_UNKNOWN && strcmp(value, IMPROBABLE) == 0) /* perhaps it holds DNs */
        right = may_delete(view, directory, dn, attribute, IMPROBABLE_DN, undone_by, &error);
    judge_right(view, who, attribute, right, is_to_have, identity, &error);
}

static const char *identity_dn(const struct apw_identity *identity)
{
    return identity->dn != NULL ? identity->dn : "whoever signs in by EXTERNAL";
}

/* A connection to write_uri as the mail server. */
static struct apw_directory *connect_to_write(const struct view *view)
{
    struct apw_directory *directory = NULL;
    struct apw_error error = {""};

    if (apw_session_connect(view->config, &view->config->write_uris, &view->config->identity,
                            &directory, &error) != 0) {
        apw_doctor_problem(view->doctor, "write_uri", "%s", error.text);
        apw_doctor_mend("write_uri ldaps://ldap.example.org");
    }
    return directory;
}

static void look_at_mail_servers_writes(const struct view *view)
{
    struct apw_directory *directory = connect_to_write(view);
    const char *identity = identity_dn(&view->config->identity);
    const char *who = "the mail server", *undone_by = NULL;
    struct apw_error error = {""};
    enum right used;

    if (directory == NULL)
        return;
    used = may_delete(view, directory, view->sample, "appPasswordUsed", IMPROBABLE, NULL, &error);
    if (used == RIGHT_YES)
        undone_by = "appPasswordUsed";
    if (view->config->record_use_s > 0)
        judge_right(view, who, "appPasswordUsed", used, true, identity, &error);
    for (size_t i = 0; i < ATTRIBUTE_COUNT; i++)
        if (strcmp(attributes[i].name, "appPasswordUsed") != 0)
            look_at_right(view, directory, who, identity, view->sample, attributes[i].name, false,
                          undone_by);
    look_at_right(view, directory, who, identity, view->sample, "objectClass", false, undone_by);
    for (size_t i = 0; i < view->names.count; i++)
        look_at_right(view, directory, who, identity, view->sample, view->names.name[i], false,
                      undone_by);
    apw_directory_free(&directory);
}

static void look_at_administrators_writes(const struct view *view)
{
    const struct apw_session *session = view->look->session;
    const char *identity = identity_dn(&session->identity);

    for (size_t i = 0; i < ATTRIBUTE_COUNT; i++)
        look_at_right(view, session->directory, "the administrator", identity, view->sample,
                      attributes[i].name, true, "appPasswordUsed");
}

/* How many values of the attribute the entry shows. */
static size_t count_shown(const struct view *view, struct apw_directory *directory, const char *dn,
                          const char *attribute)
{
    const char *wanted[] = {attribute, NULL};
    struct apw_entry *entry = NULL;
    struct apw_error error = {""};
    const struct apw_attribute *shown;
    size_t count;

    search(view, directory, dn, APW_SCOPE_BASE, "(objectClass=*)", wanted, 1, &entry, &error);
    shown = entry == NULL ? NULL : apw_entry_attribute(entry, attribute);
    count = shown == NULL ? 0 : shown->count;
    apw_entries_free(&entry);
    return count;
}

/* An entry of which whoever is asked sees the attribute. The caller frees it; NULL for none. */
static char *find_with(const struct view *view, struct apw_directory *directory, const char *filter)
{
    static const char *const nothing[] = {"1.1", NULL};
    struct apw_entry *entry = NULL;
    struct apw_error error = {""};
    char *dn = NULL;

    search(view, directory, view->config->base, view->config->scope, filter, nothing, 1, &entry,
           &error);
    if (entry != NULL)
        dn = strdup(entry->dn);
    apw_entries_free(&entry);
    return dn;
}

/* What the mail server must see where the administrator does. */
static void look_at_reading(const struct view *view, const char *attribute)
{
    struct apw_directory *administrator =
        view->look->session == NULL ? NULL : view->look->session->directory;
    char filter[NAME_SIZE + 8];
    char *dn;

    snprintf(filter, sizeof filter, "(%s=*)", attribute);
    dn = find_with(view, administrator != NULL ? administrator : view->directory, filter);
    if (dn == NULL) {
        apw_doctor_note("rights", "no entry shows %s, so nothing to compare", attribute);
        return;
    }
    if (count_shown(view, view->directory, dn, attribute) > 0) {
        apw_doctor_good(view->doctor, "rights", "the mail server reads %s", attribute);
    } else {
        apw_doctor_problem(view->doctor, "rights", "the mail server does not read %s of %s",
                           attribute, dn);
        apw_doctor_mend("access to attrs=%s by dn.exact=\"%s\" read by * break", attribute,
                        identity_dn(&view->config->identity));
    }
    free(dn);
}

/* What anonymous finds or reads is everybody's. */
static void look_at_anonymous(const struct view *view)
{
    const struct apw_identity anonymous = {.method = APW_BIND_ANONYMOUS};
    struct apw_directory *directory = NULL;
    struct apw_error error = {""};
    unsigned before = view->doctor->problems;

    if (apw_session_connect(view->config, &view->config->uris, &anonymous, &directory, &error) !=
        0) {
        apw_doctor_unknown(view->doctor, "rights", "what anonymous sees: %s", error.text);
        return;
    }
    for (size_t i = 0; i < ATTRIBUTE_COUNT; i++) {
        char filter[NAME_SIZE + 8];
        char *dn;

        snprintf(filter, sizeof filter, "(%s=*)", attributes[i].name);
        dn = find_with(view, directory, filter);
        if (dn == NULL)
            continue;
        apw_doctor_problem(view->doctor, "rights", "anonymous finds out who has %s: %s",
                           attributes[i].name, dn);
        apw_doctor_mend("access to attrs=%s … by * none   # before your own rules",
                        attributes[i].name);
        free(dn);
    }
    if (view->doctor->problems == before)
        apw_doctor_good(view->doctor, "rights", "anonymous finds none of the five attributes");
    apw_directory_free(&directory);
}

/* ---- --as ---- */

static void look_as_user(const struct view *view)
{
    static const char *const hidden[] = {"appPassword", "appPasswordMfaMethod"};
    const char *dn = view->look->as_dn;
    struct apw_identity identity = {
        .method = APW_BIND_SIMPLE, .dn = (char *)dn, .password = (char *)view->look->as_password};
    struct apw_directory *directory = NULL;
    struct names names = view->names;
    static const char *const nothing[] = {"1.1", NULL};
    struct apw_entry *entry = NULL;
    struct apw_error error = {""};

    if (view->look->as_password == NULL)
        return;
    if (apw_session_connect(view->config, &view->config->write_uris, &identity, &directory,
                            &error) != 0 ||
        search(view, directory, dn, APW_SCOPE_BASE, "(objectClass=*)", nothing, 1, &entry,
               &error) != APW_LDAP_OK) {
        apw_doctor_unknown(view->doctor, "--as", "%s", error.text);
        apw_directory_free(&directory);
        return;
    }
    apw_entries_free(&entry);
    add_names_of_filter(&names, view->config->mfa_filter);
    add_name(&names, "objectClass", strlen("objectClass"));
    for (size_t i = 0; i < ATTRIBUTE_COUNT; i++)
        add_name(&names, attributes[i].name, strlen(attributes[i].name));
    for (size_t i = 0; i < names.count; i++)
        look_at_right(view, directory, "the user", dn, dn, names.name[i], false, NULL);
    for (size_t i = 0; i < 2; i++) {
        if (count_shown(view, directory, dn, hidden[i]) == 0) {
            apw_doctor_good(view->doctor, "rights", "the user reads no %s", hidden[i]);
            continue;
        }
        apw_doctor_problem(view->doctor, "rights", "the user reads %s", hidden[i]);
        apw_doctor_mend("access to attrs=%s … by * none   # before any \"by self\"", hidden[i]);
    }
    apw_directory_free(&directory);
}

/* ---- mfa_filter ---- */

struct sample {
    const struct view *view;
    unsigned on, off, unreadable;
    char unreadable_dn[256];
    unsigned seen;
};

static enum apw_mfa read_mfa(const struct view *view, const char *dn, struct apw_error *error)
{
    struct apw_world world = apw_world_of(view->directory);

    return apw_mfa_read(&world, view->config->mfa_filter, dn, false, deadline_of(view->config),
                        error);
}

static int sample_entry(void *context, const struct apw_entry *entry)
{
    struct sample *sample = context;
    struct apw_error error = {""};

    switch (read_mfa(sample->view, entry->dn, &error)) {
    case APW_MFA_ON:
        sample->on++;
        break;
    case APW_MFA_OFF:
        sample->off++;
        break;
    case APW_MFA_UNREADABLE:
    case APW_MFA_UNAVAILABLE:
        sample->unreadable++;
        snprintf(sample->unreadable_dn, sizeof sample->unreadable_dn, "%s", entry->dn);
        break;
    }
    return ++sample->seen == SAMPLE_SIZE ? -1 : 0;
}

/* Whoever has one of the attributes of `filter`, which is whoever can sign in. The caller frees. */
static char *filter_of_users(const struct view *view)
{
    size_t size = view->names.count * (NAME_SIZE + 8) + 8;
    char *filter = malloc(size), *end = filter;

    if (filter == NULL)
        return NULL;
    end += sprintf(end, "(|");
    for (size_t i = 0; i < view->names.count; i++)
        end += sprintf(end, "(%s=*)", view->names.name[i]);
    sprintf(end, ")");
    return filter;
}

static void look_at_mfa_user(const struct view *view)
{
    const struct apw_manager manager = {.config = view->config, .directory = view->directory};
    const char *login = view->look->mfa_user;
    struct apw_error error = {""};
    struct apw_user *user = NULL;

    if (apw_user_find(&manager, &(struct apw_target){.login = login}, &user, &error) !=
        APW_MANAGE_DONE) {
        apw_doctor_problem(view->doctor, "--mfa-user", "%s: %s", login, error.text);
        apw_doctor_mend("name a user that filter and base find");
    } else if (read_mfa(view, user->dn, &error) == APW_MFA_ON) {
        apw_doctor_good(view->doctor, "--mfa-user", "%s has MFA on", login);
    } else {
        apw_doctor_problem(view->doctor, "--mfa-user", "%s does not have MFA on by %s %s", login,
                           view->config->mfa_filter, error.text);
        apw_doctor_mend("app-password mfa on %s   # or an mfa_filter that reads your own flag",
                        login);
    }
    apw_user_free(&user);
}

static void look_at_mfa_filter(const struct view *view)
{
    static const char *const nothing[] = {"1.1", NULL};
    struct sample sample = {.view = view};
    struct apw_error error = {""};
    char *filter = filter_of_users(view);
    const struct apw_query query = {.base = view->config->base,
                                    .scope = view->config->scope,
                                    .filter = filter,
                                    .attributes = nothing};

    if (filter == NULL ||
        apw_directory_search_each(view->directory, &query, view->config->deadline_ms, sample_entry,
                                  &sample, &error) != APW_LDAP_OK) {
        apw_doctor_unknown(view->doctor, "mfa_filter", "%s", error.text);
    } else if (sample.unreadable > 0) {
        apw_doctor_problem(
            view->doctor, "mfa_filter",
            "neither %s nor its opposite is answered for %u of %u users, %s for one: "
            "their account passwords are answered \"unavailable\"",
            view->config->mfa_filter, sample.unreadable, sample.seen, sample.unreadable_dn);
        apw_doctor_mend("access to attrs=appPasswordMfaEnabled by dn.exact=\"%s\" search by * "
                        "break   # or what mfa_filter reads; and the schema on every server",
                        identity_dn(&view->config->identity));
    } else {
        apw_doctor_good(view->doctor, "mfa_filter", "of the first %u users %u have MFA on, %u off",
                        sample.seen, sample.on, sample.off);
    }
    free(filter);
    if (view->look->mfa_user != NULL)
        look_at_mfa_user(view);
}

/* ---- values ---- */

struct values {
    const struct view *view;
    int64_t now;
    size_t good;
};

static int look_at_values_of(void *context, const struct apw_user *user)
{
    struct values *values = context;
    struct apw_doctor *doctor = values->view->doctor;

    for (size_t i = 0; i < user->password_count; i++) {
        const struct apw_managed_password *password = &user->password[i];
        bool is_expired = apw_finding_is_expired(password, values->now);

        if (password->is_usable && !is_expired) {
            values->good++;
            continue;
        }
        if (password->is_usable)
            apw_doctor_problem(doctor, "values", "%s: %s has expired", user->name, password->id);
        else
            apw_doctor_problem(doctor, "values", "%s: %s is unusable: %s", user->name,
                               password->id[0] != '\0' ? password->id : "a value without id",
                               password->problem.text);
        apw_doctor_mend("app-password revoke %s %s", user->name,
                        password->id[0] != '\0' ? password->id
                                                : "--all   # nothing less reaches it");
    }
    return 0;
}

static void look_at_values(const struct view *view)
{
    const struct apw_manager own = {.config = view->config, .directory = view->directory};
    struct values values = {.view = view, .now = (int64_t)time(NULL)};
    struct apw_error error = {""};
    unsigned before = view->doctor->problems;

    if (apw_user_each(view->look->session != NULL ? &view->look->session->manager : &own,
                      "(appPassword=*)", look_at_values_of, &values, &error) != APW_MANAGE_DONE) {
        apw_doctor_unknown(view->doctor, "values", "%s", error.text);
        apw_doctor_mend("olcLimits: dn.exact=\"DN\" size=unlimited   # for whoever looks");
    } else if (view->doctor->problems == before) {
        apw_doctor_good(view->doctor, "values", "%zu app passwords can be used", values.good);
    }
}

/* ---- the whole ---- */

static void look_at_rights(const struct view *view)
{
    static const char *const read[] = {"appPassword", "appPasswordMfaEnforceFrom",
                                       "appPasswordUsed", "pwdAccountLockedTime", "nsAccountLock"};

    for (size_t i = 0; i < sizeof read / sizeof read[0]; i++)
        look_at_reading(view, read[i]);
    for (size_t i = 0; i < view->names.count; i++)
        look_at_reading(view, view->names.name[i]);
    look_at_anonymous(view);
    if (view->sample == NULL) {
        apw_doctor_unknown(view->doctor, "rights", "no entry below %s to try them on",
                           view->config->base);
        apw_doctor_mend("base and filter of %s must find your users", view->config->path);
        return;
    }
    look_at_mail_servers_writes(view);
    if (view->look->session != NULL)
        look_at_administrators_writes(view);
    else
        apw_doctor_note("rights", "no administrator here (admin.conf, -D, -Y), so none is looked "
                                  "at");
}

void apw_doctor_directory(struct apw_doctor *doctor, const struct apw_doctor_directory *look)
{
    struct view view = {.doctor = doctor, .look = look, .config = look->config};
    unsigned before = doctor->problems;
    struct apw_error error = {""};
    char *filter;

    add_names_of_filter(&view.names, look->config->filter);
    if (look->config->login_attribute != NULL)
        add_name(&view.names, look->config->login_attribute, strlen(look->config->login_attribute));
    look_at_servers(&view);
    if (apw_session_connect(look->config, &look->config->uris, &look->config->identity,
                            &view.directory, &error) != 0)
        return; /* look_at_servers() has said so */
    filter = filter_of_users(&view);
    if (filter != NULL)
        view.sample = find_with(&view, view.directory, filter);
    if (doctor->problems == before || view.sample != NULL) {
        look_at_rights(&view);
        look_at_mfa_filter(&view);
        look_at_values(&view);
        look_as_user(&view);
    } else {
        apw_doctor_unknown(doctor, "rights", "not looked at before the problems above are mended");
    }
    free(filter);
    free(view.sample);
    apw_directory_free(&view.directory);
}
