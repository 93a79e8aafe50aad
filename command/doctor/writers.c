/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/writers.h"
#include "session.h"
#include "settings.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define IMPROBABLE "a value that nobody has: app-password doctor"

/* Whether the server accepts changes itself. Tries one that always fails: a replica, asked not to
 * forward it, returns a referral to its provider before it checks rights and values. */
static bool takes_changes(const struct apw_doctor_view *view, char *uri)
{
    static const struct apw_change changes[] = {{APW_CHANGE_DELETE, "appPasswordUsed", IMPROBABLE},
                                                {APW_CHANGE_DELETE, "appPasswordUsed", IMPROBABLE}};
    const struct apw_uris alone = {.count = 1, .uri = {uri}};
    enum apw_ldap_result result;
    struct apw_directory *directory;
    struct apw_error error = {""};

    if (apw_doctor_view_connect(view, &alone, view->identity, &directory, &error) != 0)
        return false; /* another check says so */
    result = apw_directory_modify_here(directory, view->sample, changes, 2,
                                       apw_doctor_view_deadline(view), &error);
    apw_directory_free(&directory);
    return result == APW_LDAP_CONFLICT || result == APW_LDAP_NOT_PERMITTED;
}

static bool has_page(const struct apw_config *config)
{
    char path[PATH_MAX];
    struct apw_error error = {""};

    return apw_settings_sibling(config->path, "portal.conf", path, sizeof path, &error) == 0 &&
           access(path, F_OK) == 0;
}

void apw_doctor_writers_check(const struct apw_doctor_view *view)
{
    const struct apw_uris *uris = view->write_uris;
    const char *key = apw_doctor_view_is_store(view) ? "store_write_uri" : "write_uri";
    const char *first = NULL, *second = NULL;

    if (uris->count < 2 || view->sample == NULL || !has_page(view->config))
        return;
    for (size_t i = 0; i < uris->count && second == NULL; i++) {
        if (!takes_changes(view, uris->uri[i]))
            continue;
        if (first == NULL)
            first = uris->uri[i];
        else
            second = uris->uri[i];
    }
    if (second == NULL) {
        apw_diagnosis_good(view->diagnosis, key, "one server takes the page's changes");
        return;
    }
    apw_diagnosis_problem(
        view->diagnosis, key,
        "%s and %s both take changes: until they have replicated, two pages, or one that switches "
        "servers, can accept the same code of an authenticator app twice",
        first, second);
    apw_diagnosis_fix(view->diagnosis, "%s %s   # the same one server on every host with the page",
                      key, first);
}
