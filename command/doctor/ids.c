/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/ids.h"
#include "doctor/dialect.h"
#include "ldap/filter.h"
#include "store.h"
#include <stdio.h>
#include <stdlib.h>

#define SAMPLE_SIZE 1000

struct sample {
    const struct apw_doctor_view *view;
    size_t seen;
    size_t missing, wrong;
    struct apw_error first_missing, first_wrong;
};

static int look_at_entry(void *context, const struct apw_entry *entry)
{
    struct sample *sample = context;
    const struct apw_config *config = sample->view->config;
    const struct apw_attribute *found =
        apw_entry_attribute(entry, config->store.id_attribute->name);
    bool is_missing = found == NULL || found->count == 0;
    struct apw_error error = {""};
    char id[APW_STORE_ID_SIZE];

    if (apw_store_read_id(config, entry, id, &error) != 0) {
        if (is_missing && sample->missing++ == 0)
            sample->first_missing = error;
        if (!is_missing && sample->wrong++ == 0)
            sample->first_wrong = error;
    }
    return ++sample->seen == SAMPLE_SIZE ? -1 : 0;
}

/* With store_mfa, those with the account password, too. */
static const char *which_logins(const struct apw_doctor_view *view)
{
    return view->config->store.has_mfa ? "" : " with app passwords";
}

/* The rule is for entries that have it: what no entry has needs another attribute. */
static void report_missing(const struct sample *sample)
{
    const struct apw_doctor_view *view = sample->view;
    const struct apw_doctor_rule rule = {.attribute = view->config->store.id_attribute->name,
                                         .dn = apw_doctor_view_dn(view->identity),
                                         .right = "read"};

    apw_diagnosis_problem(view->diagnosis, "id_attribute",
                          "%zu of %zu users have none that the mail server can read, so their "
                          "logins%s are unavailable: %s",
                          sample->missing, sample->seen, which_logins(view),
                          sample->first_missing.text);
    if (sample->missing == sample->seen)
        apw_diagnosis_fix(view->diagnosis,
                          "# if no entry has %s: id_attribute %s, whichever this directory has",
                          rule.attribute, apw_directory_id_attributes);
    apw_doctor_dialect_fix_rule(view, apw_doctor_dialect_find(view, view->directory), &rule);
}

static void conclude(const struct sample *sample, enum apw_ldap_result result,
                     const struct apw_error *error)
{
    const struct apw_doctor_view *view = sample->view;
    const char *name = view->config->store.id_attribute->name;

    if (sample->missing > 0)
        report_missing(sample);
    if (sample->wrong > 0) {
        apw_diagnosis_problem(view->diagnosis, "id_attribute",
                              "%zu of %zu users have no usable one, so their logins%s are "
                              "unavailable: %s",
                              sample->wrong, sample->seen, which_logins(view),
                              sample->first_wrong.text);
        apw_diagnosis_fix(view->diagnosis, "let %s have one value, which nobody else has", name);
    }
    if (sample->missing + sample->wrong > 0)
        return;
    /* A server's limit for the mail server makes the sample smaller. */
    if (sample->seen == 0 && result != APW_LDAP_OK)
        apw_diagnosis_unknown(view->diagnosis, "id_attribute", "%s", error->text);
    else if (sample->seen > 0)
        apw_diagnosis_good(view->diagnosis, "id_attribute",
                           "each of the first %zu users has one %s", sample->seen, name);
}

void apw_doctor_ids_check(const struct apw_doctor_view *view)
{
    const char *const wanted[] = {view->config->store.id_attribute->name, NULL};
    char *filter = apw_filter_expand_any(view->filter);
    const struct apw_query query = {
        .base = view->base, .scope = view->scope, .filter = filter, .attributes = wanted};
    struct sample sample = {.view = view};
    struct apw_error error = {"out of memory"};
    enum apw_ldap_result result = APW_LDAP_UNAVAILABLE;

    if (filter != NULL)
        result = apw_directory_search_each(view->directory, &query, APW_DIRECTORY_PAGE_MS,
                                           look_at_entry, &sample, &error);
    free(filter);
    conclude(&sample, result, &error);
}
