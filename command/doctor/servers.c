/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/servers.h"
#include "clock.h"
#include "doctor/ad_schema.h"
#include "doctor/certificate.h"
#include "doctor/clocks.h"
#include "doctor/dialect.h"
#include "doctor/schema.h"
#include "ldap/filter.h"
#include "secret.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOW_MS  10 /* that a search may take more than reading an entry by its DN */
#define SEARCHES 5
#define ROUNDS   5 /* of these, until they are fast enough */

/* The shortest time of a search below the base, in milliseconds: a busy server makes some of them
 * longer, but never shorter. */
static int64_t time_search(const struct apw_doctor_view *view, struct apw_directory *directory,
                           enum apw_scope scope, const char *filter)
{
    const struct apw_query query = {.base = view->base,
                                    .scope = scope,
                                    .filter = filter,
                                    .attributes = apw_search_no_attributes,
                                    .limit = 2};
    int64_t shortest = INT64_MAX;

    for (int i = 0; i < SEARCHES; i++) {
        int64_t start = apw_clock_monotonic_ms(), took;
        struct apw_entry *entries;
        struct apw_error error = {""};

        apw_doctor_view_search(view, directory, &query, &entries, &error);
        apw_entries_free(&entries);
        took = apw_clock_monotonic_ms() - start;
        if (took < shortest)
            shortest = took;
    }
    return shortest;
}

/* If each of its attributes has an index, a search takes no longer than reading one entry. */
static void check_speed(const struct apw_doctor_view *view, const char *uri,
                        struct apw_directory *directory)
{
    const char *subject = apw_doctor_view_is_store(view) ? "appPasswordOwner" : "filter";
    char login[64];
    int64_t by_dn, took;
    char *filter;

    snprintf(login, sizeof login, "app-password-doctor-%08x", (unsigned)randombytes_random());
    filter = apw_filter_expand(view->filter, login);
    if (filter == NULL)
        return;
    by_dn = time_search(view, directory, APW_SCOPE_BASE, "(objectClass=*)");
    took = time_search(view, directory, view->scope, filter);
    for (int i = 1; i < ROUNDS && took - by_dn > SLOW_MS; i++) {
        int64_t again = time_search(view, directory, view->scope, filter);

        took = again < took ? again : took;
    }
    free(filter);
    if (took - by_dn <= SLOW_MS) {
        apw_diagnosis_good(
            view->diagnosis, subject,
            "%s takes %d ms to find that %s does not exist (%d ms to read an entry by its DN)", uri,
            (int)took, login, (int)by_dn);
        return;
    }
    apw_diagnosis_problem(view->diagnosis, subject,
                          "%s takes %d ms to find that %s does not exist, but %d ms to read an "
                          "entry by its DN: an attribute of %s has no index",
                          uri, (int)took, login, (int)by_dn, view->filter);
    for (size_t i = 0; i < view->searched; i++)
        apw_doctor_dialect_fix_index(view->diagnosis, apw_doctor_dialect_find(view, directory),
                                     view->names.name[i]);
}

/* The name of a key of this directory. */
static const char *key_of(const struct apw_doctor_view *view, const char *name, char key_r[32])
{
    snprintf(key_r, 32, "%s%s", view->prefix, name);
    return key_r;
}

static void explain_missing_base(const struct apw_doctor_view *view, const char *uri)
{
    char key[32];

    apw_diagnosis_problem(view->diagnosis, key_of(view, "base", key),
                          "%s: \"%s\" does not exist, or the mail server may not see it", uri,
                          view->base);
    if (apw_doctor_view_is_store(view))
        apw_diagnosis_fix(view->diagnosis,
                          "if this server has lost its data, load a backup   # correct store_base "
                          "only if it was never right");
    else
        apw_diagnosis_fix(view->diagnosis,
                          "base dc=example,dc=org   # the suffix of your directory");
}

static void explain_outage(const struct apw_doctor_view *view, const char *uri,
                           enum apw_ldap_result result, const struct apw_error *error)
{
    const struct apw_identity *identity = view->identity;
    const char *stray = identity->password == NULL ? NULL : apw_secret_stray(identity->password);
    char key[32];

    if (result == APW_LDAP_NOT_PERMITTED && stray != NULL) {
        apw_diagnosis_problem(view->diagnosis, "bind", "%s; the password in %s %s", error->text,
                              identity->password_file, stray);
        apw_diagnosis_fix(view->diagnosis, "write the password into %s without it",
                          identity->password_file);
    } else if (result == APW_LDAP_NOT_PERMITTED) {
        apw_diagnosis_problem(view->diagnosis, "bind", "%s", error->text);
        apw_diagnosis_fix(view->diagnosis, "write the password of %sbinddn into %s", view->prefix,
                          identity->password_file != NULL ? identity->password_file
                                                          : "bindpw_file");
    } else if (result == APW_LDAP_NO_SUCH_OBJECT) {
        explain_missing_base(view, uri);
    } else if (strstr(error->text, "TLS") != NULL) {
        apw_diagnosis_problem(view->diagnosis, "certificate", "%s", error->text);
        apw_diagnosis_fix(view->diagnosis,
                          "%stls_cacert FILE   # the CA of that certificate; the certificate must "
                          "name the URI's host and must not have expired",
                          view->prefix);
    } else {
        apw_diagnosis_problem(view->diagnosis, key_of(view, "uri", key), "%s", error->text);
        apw_diagnosis_fix(view->diagnosis, "start that server, or remove %s from %s", uri,
                          view->config->path);
    }
}

/* What the server says that it is must be what the configuration calls it: the two kinds show
 * differently that MFA is off, and that an account has ended. */
static void check_kind(const struct apw_doctor_view *view, const char *uri,
                       struct apw_directory *directory)
{
    bool is_ad = apw_doctor_dialect_find(view, directory) == APW_DOCTOR_DIALECT_ACTIVE_DIRECTORY;
    bool is_called_ad = view->type == APW_DIRECTORY_ACTIVE_DIRECTORY;

    if (is_ad && apw_doctor_view_is_store(view)) {
        apw_diagnosis_problem(view->diagnosis, "store_uri",
                              "%s says that it is Active Directory, which cannot be a store", uri);
        apw_diagnosis_fix(view->diagnosis, "app-password store init FOLDER   # makes a store");
        return;
    }
    if (is_ad != is_called_ad) {
        apw_diagnosis_problem(view->diagnosis, "directory",
                              is_ad ? "%s says that it is Active Directory, and %s does not: a "
                                      "hidden attribute could pass for one that is absent"
                                    : "%s does not say that it is Active Directory, and %s does",
                              uri, view->config->path);
        apw_diagnosis_fix(view->diagnosis, "directory %s", is_ad ? "active-directory" : "ldap");
    }
    if (!apw_doctor_view_is_holder(view))
        return;
    if (is_ad)
        apw_doctor_ad_schema_check(view, uri, directory);
    else
        apw_doctor_schema_check(view, uri, directory);
}

static void check_server(const struct apw_doctor_view *view, char *uri)
{
    const struct apw_uris alone = {.count = 1, .uri = {uri}};
    struct apw_directory *directory;
    struct apw_entry *base;
    struct apw_error error = {""};
    enum apw_ldap_result result;
    char key[32];

    if (apw_doctor_view_connect(view, &alone, view->identity, &directory, &error) != 0) {
        apw_diagnosis_problem(view->diagnosis, key_of(view, "uri", key), "%s: %s", uri, error.text);
        apw_diagnosis_fix(view->diagnosis, "%suri ldaps://ldap.example.org", view->prefix);
        return;
    }
    result = apw_doctor_view_read(view, directory, view->base, NULL, &base, &error);
    apw_entries_free(&base);
    if (result != APW_LDAP_OK) {
        explain_outage(view, uri, result, &error);
    } else {
        apw_diagnosis_good(view->diagnosis, key_of(view, "uri", key),
                           "%s answers, accepts the password and has the base", uri);
        apw_doctor_certificate_check(view, uri, directory);
        apw_doctor_clocks_check(view, uri, directory);
        check_speed(view, uri, directory);
        check_kind(view, uri, directory);
    }
    apw_directory_free(&directory);
}

void apw_doctor_servers_check(const struct apw_doctor_view *view)
{
    char *uris[2 * APW_URIS_MAX];
    size_t count = apw_uris_unite(view->uris, view->write_uris, uris);

    for (size_t i = 0; i < count; i++) {
        view->diagnosis->server = uris[i];
        check_server(view, uris[i]);
    }
    view->diagnosis->server = NULL;
}
