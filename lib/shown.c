/* SPDX-License-Identifier: BSD-2-Clause */
#include "shown.h"
#include "clock.h"
#include "ldap/filter.h"
#include "ldap/filter_tree.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The question, its entry and its deadline. */
struct reading {
    const struct apw_world *world;
    const struct apw_shown_question *question;
    const char *dn;
    char *off;         /* matches the entry if it is off */
    char *witness_on;  /* must match the witness */
    char *witness_off; /* must not match it */
    int64_t deadline;
    struct apw_error *error;
};

/* The directory's answer to one question about the entry. */
enum answer { ANSWER_NONE = 0, ANSWER_NO, ANSWER_YES, ANSWER_UNTRUSTED };

/* A search of only this entry. */
static struct apw_query query_of(const char *dn, const char *filter)
{

    return (struct apw_query){.base = dn,
                              .scope = APW_SCOPE_BASE,
                              .filter = filter,
                              .attributes = apw_search_no_attributes,
                              .limit = 1};
}

static bool is_other_entry(const struct reading *reading, const struct apw_entry *entries)
{
    if (entries == NULL || strcasecmp(entries->dn, reading->dn) == 0)
        return false;
    apw_error_set(reading->error, "asked for %s, the directory answered with %s", reading->dn,
                  entries->dn);
    return true;
}

/* Whether the entry matches. */
static enum answer ask(const struct reading *reading, const char *filter)
{
    const struct apw_world *world = reading->world;
    const struct apw_query query = query_of(reading->dn, filter);
    struct apw_entry *entries = NULL;
    enum apw_ldap_result result =
        world->search(world->context, &query, reading->deadline, &entries, reading->error);
    enum answer answer = entries != NULL ? ANSWER_YES : ANSWER_NO;

    if (result != APW_LDAP_OK || is_other_entry(reading, entries))
        answer = ANSWER_NONE;
    apw_entries_free(&entries);
    return answer;
}

/* Judges the answers about the witness, which follow the one about the entry. */
static enum answer judge_witness(const struct reading *reading,
                                 const struct apw_search_series *series)
{
    const struct apw_shown_question *question = reading->question;
    bool has_parts = strcmp(reading->witness_on, question->filter) != 0;

    if (series->asked == series->count && series->search[series->count - 1].entries == NULL)
        return ANSWER_YES;
    apw_error_set(reading->error,
                  series->asked < series->count
                      ? "%s_witness %s does not match %s%s_filter %s: a group was renamed, or the "
                        "mail server may not see what the filter reads"
                      : "%s_witness %s matches %s%s_filter %s, but also the filter that shows the "
                        "opposite",
                  question->name, question->witness, has_parts ? "each part of " : "",
                  question->name, question->filter);
    return ANSWER_UNTRUSTED;
}

/* Asks whether the entry matches `off` and, if it does, for the witness over the same connection.
 */
static enum answer ask_off_with_witness(const struct reading *reading)
{
    const struct apw_world *world = reading->world;
    const char *witness = reading->question->witness;
    struct apw_witness *seen = reading->question->seen;
    struct apw_search_series series = {
        .count = 3,
        .search = {{.query = query_of(reading->dn, reading->off)},
                   {.query = query_of(witness, reading->witness_on)},
                   {.query = query_of(witness, reading->witness_off)}}};
    int64_t start = apw_clock_monotonic_ms();
    enum apw_ldap_result result =
        world->search_series(world->context, &series, reading->deadline, reading->error);
    enum answer answer = ANSWER_NONE;

    if (result == APW_LDAP_OK && !is_other_entry(reading, series.search[0].entries)) {
        answer = series.search[0].entries == NULL ? ANSWER_NO : judge_witness(reading, &series);
    } else if (result != APW_LDAP_OK && result != APW_LDAP_UNAVAILABLE && series.asked > 1) {
        apw_error_set(reading->error, "%s_witness %s: %s", reading->question->name, witness,
                      reading->error->text);
        answer = ANSWER_UNTRUSTED;
    }
    if (answer == ANSWER_YES && seen != NULL)
        apw_witness_note(seen, series.connection, start);
    apw_search_series_clear(&series);
    return answer;
}

/* The same, but asks for the witness only if this connection has not seen it recently. */
static enum answer ask_off(const struct reading *reading)
{
    const struct apw_world *world = reading->world;
    const struct apw_shown_question *question = reading->question;
    uint32_t connection = question->seen != NULL
                              ? apw_witness_connection(question->seen, apw_clock_monotonic_ms())
                              : 0;
    struct apw_search_series series = {.count = 1,
                                       .search = {{.query = query_of(reading->dn, reading->off)}}};
    enum answer answer;

    if (question->witness == NULL)
        return ask(reading, reading->off);
    if (connection == 0)
        return ask_off_with_witness(reading);
    if (world->search_series(world->context, &series, reading->deadline, reading->error) !=
            APW_LDAP_OK ||
        is_other_entry(reading, series.search[0].entries))
        answer = ANSWER_NONE;
    else if (series.search[0].entries == NULL)
        answer = ANSWER_NO;
    else
        answer = series.connection == connection ? ANSWER_YES : ask_off_with_witness(reading);
    apw_search_series_clear(&series);
    return answer;
}

/* Leaves filters for free_filters(), also without memory. */
static int make_filters(struct reading *reading)
{
    const char *on = reading->question->filter, *off = reading->question->off_filter;

    reading->off = off != NULL ? apw_filter_exclude(off, on) : apw_filter_negate(on);
    reading->witness_on = apw_filter_tree_match_all(on);
    reading->witness_off = off != NULL ? strdup(off) : apw_filter_negate(on);
    if (reading->off != NULL && reading->witness_on != NULL && reading->witness_off != NULL)
        return 0;
    return apw_error_set(reading->error, "out of memory");
}

static void free_filters(struct reading *reading)
{
    free(reading->off);
    free(reading->witness_on);
    free(reading->witness_off);
}

/* Asks for on and for off, the likelier one first, until one is shown. */
static enum apw_shown read_on_or_off(const struct reading *reading, bool is_likely_on)
{
    const struct apw_shown_question *question = reading->question;

    for (int turn = 0; turn < 2; turn++) {
        bool asks_for_on = (turn == 0) == is_likely_on;

        switch (asks_for_on ? ask(reading, question->filter) : ask_off(reading)) {
        case ANSWER_YES:
            return asks_for_on ? APW_SHOWN_ON : APW_SHOWN_OFF;
        case ANSWER_NO:
            break;
        case ANSWER_UNTRUSTED:
            return APW_SHOWN_NEITHER;
        case ANSWER_NONE:
            return APW_SHOWN_UNAVAILABLE;
        }
    }
    if (question->off_filter != NULL)
        apw_error_set(reading->error,
                      "the directory answers neither %s_filter %s nor %s_off_filter %s for this "
                      "entry; turn MFA on or off for it, or check the schema and the right to "
                      "search the attributes",
                      question->name, question->filter, question->name, question->off_filter);
    else
        apw_error_set(reading->error,
                      "the directory answers neither %s_filter %s nor its negation for this entry; "
                      "check the schema and the right to search the attributes",
                      question->name, question->filter);
    return APW_SHOWN_NEITHER;
}

enum apw_shown apw_shown_read(const struct apw_world *world,
                              const struct apw_shown_question *question, const char *dn,
                              bool is_likely_on, int64_t deadline, struct apw_error *error)
{
    struct reading reading = {
        .world = world, .question = question, .dn = dn, .deadline = deadline, .error = error};
    enum apw_shown shown = make_filters(&reading) == 0 ? read_on_or_off(&reading, is_likely_on)
                                                       : APW_SHOWN_UNAVAILABLE;

    free_filters(&reading);
    return shown;
}

/* ---- together with the search for the entry ---- */

/* Whether the one entry that was found is also the one that is off. */
static bool is_found_off(const struct apw_search_series *series)
{
    const struct apw_entry *found = series->search[0].entries, *off = series->search[1].entries;

    return series->search[1].result == APW_LDAP_OK && found != NULL && found->next == NULL &&
           off != NULL && off->next == NULL && strcasecmp(found->dn, off->dn) == 0;
}

/* Whether the series has shown the witness. */
static bool shows_witness(const struct apw_search_series *series)
{
    return series->search[2].result == APW_LDAP_OK && series->search[2].entries != NULL &&
           series->search[3].result == APW_LDAP_OK && series->search[3].entries == NULL;
}

static enum apw_ldap_result find(const struct reading *reading, const struct apw_query *query,
                                 const char *filter_and_off, struct apw_entry **entries_r,
                                 bool *is_off_r)
{
    const struct apw_world *world = reading->world;
    const char *witness = reading->question->witness;
    struct apw_witness *seen = reading->question->seen;
    int64_t start = apw_clock_monotonic_ms();
    uint32_t seen_over = seen == NULL ? 0 : apw_witness_connection(seen, start);
    struct apw_search_series series = {
        .count = witness == NULL || seen_over != 0 ? 2 : 4,
        .is_together = true,
        .search = {{.query = *query},
                   {.query = *query},
                   {.query = query_of(witness, reading->witness_on)},
                   {.query = query_of(witness, reading->witness_off)}}};
    enum apw_ldap_result result;

    series.search[1].query.filter = filter_and_off;
    series.search[1].query.attributes = apw_search_no_attributes;
    result = world->search_series(world->context, &series, reading->deadline, reading->error);
    *is_off_r = result == APW_LDAP_OK && is_found_off(&series) &&
                (witness == NULL ||
                 (seen_over != 0 ? seen_over == series.connection : shows_witness(&series)));
    if (*is_off_r && series.count == 4 && seen != NULL)
        apw_witness_note(seen, series.connection, start);
    *entries_r = series.search[0].entries;
    series.search[0].entries = NULL;
    apw_search_series_clear(&series);
    return result;
}

enum apw_ldap_result apw_shown_find(const struct apw_world *world,
                                    const struct apw_shown_question *question,
                                    const struct apw_query *query, int64_t deadline,
                                    struct apw_entry **entries_r, bool *is_off_r,
                                    struct apw_error *error)
{
    struct reading reading = {
        .world = world, .question = question, .deadline = deadline, .error = error};
    enum apw_ldap_result result = APW_LDAP_UNAVAILABLE;
    char *filter_and_off = NULL;

    *entries_r = NULL;
    *is_off_r = false;
    if (make_filters(&reading) == 0) {
        filter_and_off = apw_filter_both(query->filter, reading.off);
        if (filter_and_off == NULL)
            apw_error_set(error, "out of memory");
        else
            result = find(&reading, query, filter_and_off, entries_r, is_off_r);
    }
    free(filter_and_off);
    free_filters(&reading);
    return result;
}
