/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/doubles.h"
#include "doctor/dialect.h"
#include "ldap/filter.h"
#include "progress.h"
#include "session.h"
#include "utf8.h"
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A Bloom filter: at 4 million values, the server is asked about one in 40. */
#define SEEN_BYTES ((size_t)4 << 20)
#define SEEN_BITS  4 /* of each value */
#define SHOWN_MAX  20

struct doubles {
    const struct apw_doctor_view *view;
    struct apw_directory *directory; /* borrowed */
    char template[APW_DOCTOR_NAME_SIZE + 8];
    unsigned char key[crypto_generichash_KEYBYTES];
    unsigned char *seen;
    size_t entries;
    size_t found;
    enum apw_ldap_result result; /* of the question about one value */
    struct apw_error error;
};

/* Values that the server takes for equal get the same form: ASCII letters in lower case, without
 * spaces and hyphens. All values beyond ASCII get one form, so that the server compares them. */
static size_t fold(const struct apw_value *value, char *folded_r)
{
    size_t length = 0;

    for (size_t i = 0; i < value->length; i++) {
        char c = apw_utf8_lower(value->bytes[i]);

        if ((unsigned char)c >= 0x80)
            return 0;
        if (c != ' ' && c != '-')
            folded_r[length++] = c;
    }
    return length;
}

/* Whether a value that the server takes for the same may have been there before; notes it. */
static bool may_be_seen(struct doubles *doubles, const char *folded, size_t length)
{
    uint32_t place[SEEN_BITS];
    bool is_seen = true;

    crypto_generichash((unsigned char *)place, sizeof place, (const unsigned char *)folded, length,
                       doubles->key, sizeof doubles->key);
    for (int i = 0; i < SEEN_BITS; i++) {
        size_t bit = place[i] % (SEEN_BYTES * 8);
        unsigned char mask = (unsigned char)(1U << bit % 8);

        is_seen = is_seen && (doubles->seen[bit / 8] & mask) != 0;
        doubles->seen[bit / 8] |= mask;
    }
    return is_seen;
}

static void report(struct doubles *doubles, const char *value, const char *dn, const char *other)
{
    const char *attribute = doubles->view->config->login_attribute;

    if (doubles->found++ >= SHOWN_MAX)
        return;
    apw_diagnosis_problem(
        doubles->view->diagnosis, "login_attribute",
        "%s \"%s\" is a value of \"%s\" and of \"%s\": a login by another name is "
        "unavailable (ambiguous-name)",
        attribute, value, dn, other);
    apw_diagnosis_fix(doubles->view->diagnosis, "change %s of one of them", attribute);
}

/* Asks the server which entries have the value. */
static int ask(struct doubles *doubles, const char *value, const char *dn)
{
    const struct apw_config *config = doubles->view->config;
    struct apw_query query = {.base = config->base,
                              .scope = config->scope,
                              .attributes = apw_search_no_attributes,
                              .limit = 2};
    char *filter = apw_filter_expand(doubles->template, value);
    struct apw_entry *entries = NULL;

    if (filter == NULL)
        return -1;
    query.filter = filter;
    doubles->result = apw_doctor_view_search(doubles->view, doubles->directory, &query, &entries,
                                             &doubles->error);
    free(filter);
    if (entries != NULL && entries->next != NULL)
        report(doubles, value, dn, strcmp(entries->dn, dn) == 0 ? entries->next->dn : entries->dn);
    apw_entries_free(&entries);
    return doubles->result == APW_LDAP_OK ? 0 : -1;
}

static int look_at_entry(void *context, const struct apw_entry *entry)
{
    struct doubles *doubles = context;
    const struct apw_attribute *attribute =
        apw_entry_attribute(entry, doubles->view->config->login_attribute);
    int status = 0;

    doubles->entries++;
    apw_progress_step();
    for (size_t i = 0; attribute != NULL && i < attribute->count && status == 0; i++) {
        const struct apw_value *value = &attribute->value[i];
        char *folded = malloc(value->length + 1);

        if (folded == NULL)
            return -1;
        if (may_be_seen(doubles, folded, fold(value, folded)) &&
            strlen(value->bytes) == value->length)
            status = ask(doubles, value->bytes, entry->dn);
        free(folded);
    }
    return status;
}

static void conclude(const struct doubles *doubles, enum apw_ldap_result result,
                     const struct apw_error *error)
{
    struct apw_diagnosis *diagnosis = doubles->view->diagnosis;
    const char *attribute = doubles->view->config->login_attribute;

    if (doubles->found > SHOWN_MAX)
        apw_diagnosis_note(diagnosis, "login_attribute", "%zu more are not shown",
                           doubles->found - SHOWN_MAX);
    if (result != APW_LDAP_OK || doubles->result != APW_LDAP_OK) {
        apw_diagnosis_unknown(diagnosis, "login_attribute",
                              "%s: cannot tell whether two entries share a value: %s", attribute,
                              result != APW_LDAP_OK ? error->text : doubles->error.text);
        apw_doctor_dialect_fix_limit(doubles->view);
    } else if (doubles->found == 0) {
        apw_diagnosis_good(diagnosis, "login_attribute", "%s is unique in %zu entries", attribute,
                           doubles->entries);
    }
}

/* Reports an entry that a login finds, but that has no value for the accepted name. */
static void check_nameless(const struct apw_doctor_view *view, struct apw_directory *directory)
{
    const char *attribute = view->config->login_attribute;
    char *users = apw_filter_expand_any(view->config->filter), *filter = NULL, *dn = NULL;

    if (users != NULL && asprintf(&filter, "(&%s(!(%s=*)))", users, attribute) < 0)
        filter = NULL;
    if (filter != NULL)
        dn = apw_doctor_view_find(view, directory, filter);
    if (dn != NULL) {
        apw_diagnosis_problem(view->diagnosis, "login_attribute",
                              "%s has no %s: a login with the right password is unavailable "
                              "(no-name)",
                              dn, attribute);
        apw_diagnosis_fix(view->diagnosis,
                          "add %s to this entry and to those that %s finds, or narrow filter",
                          attribute, filter);
    }
    free(dn);
    free(filter);
    free(users);
}

/* What was typed becomes the accepted name, which `filter` must find, too. */
static void check_is_searched(const struct apw_doctor_view *view)
{
    const char *attribute = view->config->login_attribute;
    struct apw_doctor_names searched = {0};

    apw_doctor_names_add_filter(&searched, view->config->filter);
    for (size_t i = 0; i < searched.count; i++)
        if (strcasecmp(searched.name[i], attribute) == 0)
            return;
    apw_diagnosis_problem(view->diagnosis, "login_attribute",
                          "filter %s does not look for %s: a login by another name is unavailable "
                          "(ambiguous-name)",
                          view->config->filter, attribute);
    apw_diagnosis_fix(view->diagnosis, "filter (|(%s=%%u)%s)   # in app-password.conf", attribute,
                      view->config->filter);
}

void apw_doctor_doubles_check(const struct apw_doctor_view *view)
{
    const struct apw_config *config = view->config;
    const char *const attributes[] = {config->login_attribute, NULL};
    char filter[APW_DOCTOR_NAME_SIZE + 8];
    const struct apw_query query = {
        .base = config->base, .scope = config->scope, .filter = filter, .attributes = attributes};
    struct doubles doubles = {.view = view,
                              .directory = apw_doctor_view_best(view),
                              .result = APW_LDAP_OK,
                              .error = {"out of memory"}};
    struct apw_error error = {""};
    enum apw_ldap_result result;

    if (config->login_attribute == NULL)
        return;
    check_is_searched(view);
    snprintf(filter, sizeof filter, "(%s=*)", config->login_attribute);
    snprintf(doubles.template, sizeof doubles.template, "(%s=%%u)", config->login_attribute);
    doubles.seen = calloc(1, SEEN_BYTES);
    if (doubles.seen == NULL) {
        apw_diagnosis_unknown(view->diagnosis, "login_attribute", "out of memory");
        return;
    }
    randombytes_buf(doubles.key, sizeof doubles.key);
    apw_progress_begin("users", 0);
    result = apw_directory_search_each(doubles.directory, &query, APW_DIRECTORY_PAGE_MS,
                                       look_at_entry, &doubles, &error);
    apw_progress_end();
    free(doubles.seen);
    conclude(&doubles, result, &error);
    check_nameless(view, doubles.directory);
}
