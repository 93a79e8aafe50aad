/* SPDX-License-Identifier: BSD-2-Clause */
/* The search for an entry together with the one whether MFA is off for it: what counts as shown. */
#include "clock.h"
#include "mfa.h"
#include "series.h"
#include "unit.h"
#include <time.h>

#define BASE     "dc=example,dc=org"
#define DN       "uid=alice,ou=people,dc=example,dc=org"
#define OTHER_DN "uid=mallory,ou=people,dc=example,dc=org"
#define WITNESS  "uid=mfa-witness,ou=people,dc=example,dc=org"
#define FILTER   "(|(uid=alice)(mail=alice))"
#define ON       "(|(memberOf=cn=mfa,dc=example,dc=org)(mfaStatus=on))"
#define ALL_ON   "(&(memberOf=cn=mfa,dc=example,dc=org)(mfaStatus=on))" /* for the witness */
#define OFF      "(mfaStatus=off)"
#define DEADLINE 123456789 /* handed through */

static time_t seconds_ahead;

/* In place of the C library's: time stands still, and a minute passes at once. */
int clock_gettime(clockid_t clock, struct timespec *time_r)
{
    (void)clock;
    *time_r = (struct timespec){.tv_sec = 1000000 + seconds_ahead};
    return 0;
}

/* Entries; NULL: no more. */
struct answer {
    const char *dn[2];
    bool fails;
    enum apw_ldap_result result; /* if it fails */
};

#define NOTHING                                                                                    \
    {                                                                                              \
        .dn = { NULL }                                                                             \
    }
#define ONE(...)                                                                                   \
    {                                                                                              \
        .dn = { __VA_ARGS__ }                                                                      \
    }
#define FAILS(what)                                                                                \
    {                                                                                              \
        .fails = true, .result = APW_LDAP_##what                                                   \
    }

static const struct find_case {
    const char *name;
    bool has_off_filter;
    bool has_witness;
    bool is_seen;         /* the witness, over connection 1 */
    time_t seconds_later; /* than that */
    uint32_t connection;  /* that answers; 0: 1 */
    struct answer entry, off, witness_on, witness_off;

    bool is_off;
    const char *asked; /* e: the entry, f: off, O and F: of the witness */
    bool is_seen_afterwards;
} cases[] = {
    {"off", .entry = ONE(DN), .off = ONE(DN), .is_off = true, .asked = "ef"},
    {"off, by a filter of its own", .has_off_filter = true, .entry = ONE(DN), .off = ONE(DN),
     .is_off = true, .asked = "ef"},
    {"off, and the DN in other letters", .entry = ONE(DN),
     .off = ONE("UID=Alice,ou=People,dc=example,dc=org"), .is_off = true, .asked = "ef"},
    {"not off", .entry = ONE(DN), .off = NOTHING, .asked = "ef"},
    {"off is another entry", .entry = ONE(DN), .off = ONE(OTHER_DN), .asked = "ef"},
    {"the entry and another are off", .entry = ONE(DN), .off = ONE(DN, OTHER_DN), .asked = "ef"},
    {"another and the entry are off", .entry = ONE(DN), .off = ONE(OTHER_DN, DN), .asked = "ef"},
    {"two entries", .entry = ONE(DN, OTHER_DN), .off = ONE(DN), .asked = "ef"},
    {"no entry", .entry = NOTHING, .off = NOTHING, .asked = "ef"},
    {"no entry, though one is off", .entry = NOTHING, .off = ONE(DN), .asked = "ef"},
    {"an outage", .entry = FAILS(UNAVAILABLE), .off = ONE(DN), .asked = "ef"},
    {"an outage with an entry", .entry = {{DN}, true, APW_LDAP_UNAVAILABLE}, .off = ONE(DN),
     .asked = "ef"},
    {"off cannot be searched", .entry = ONE(DN), .off = FAILS(REFUSED), .asked = "ef"},
    {"off cannot be searched to the end", .entry = ONE(DN), .off = {{DN}, true, APW_LDAP_REFUSED},
     .asked = "ef"},

    {"off, and the witness was seen", .has_witness = true, .is_seen = true, .entry = ONE(DN),
     .off = ONE(DN), .is_off = true, .asked = "ef", .is_seen_afterwards = true},
    {"off, a minute after the witness was seen", .has_witness = true, .is_seen = true,
     .seconds_later = APW_WITNESS_S, .entry = ONE(DN), .off = ONE(DN), .witness_on = ONE(WITNESS),
     .is_off = true, .asked = "efOF", .is_seen_afterwards = true},
    {"off, but the witness was seen over another connection", .has_witness = true, .is_seen = true,
     .connection = 2, .entry = ONE(DN), .off = ONE(DN), .asked = "ef"},
    {"not off, and the witness was seen", .has_witness = true, .is_seen = true, .entry = ONE(DN),
     .off = NOTHING, .asked = "ef", .is_seen_afterwards = true},
    {"off, and the witness is seen", .has_witness = true, .entry = ONE(DN), .off = ONE(DN),
     .witness_on = ONE(WITNESS), .is_off = true, .asked = "efOF", .is_seen_afterwards = true},
    {"off, by a filter of its own, and the witness is seen", .has_off_filter = true,
     .has_witness = true, .entry = ONE(DN), .off = ONE(DN), .witness_on = ONE(WITNESS),
     .is_off = true, .asked = "efOF", .is_seen_afterwards = true},
    {"off, but the witness is not on", .has_witness = true, .entry = ONE(DN), .off = ONE(DN),
     .witness_on = NOTHING, .asked = "efOF"},
    {"off, but so is the witness", .has_witness = true, .entry = ONE(DN), .off = ONE(DN),
     .witness_on = ONE(WITNESS), .witness_off = ONE(WITNESS), .asked = "efOF"},
    {"off, but the witness is gone", .has_witness = true, .entry = ONE(DN), .off = ONE(DN),
     .witness_on = FAILS(NO_SUCH_OBJECT), .witness_off = FAILS(NO_SUCH_OBJECT), .asked = "efOF"},
    {"off, but the witness may not be seen to the end", .has_witness = true, .entry = ONE(DN),
     .off = ONE(DN), .witness_on = {{WITNESS}, true, APW_LDAP_REFUSED}, .asked = "efOF"},
    {"off, but nobody knows whether the witness is", .has_witness = true, .entry = ONE(DN),
     .off = ONE(DN), .witness_on = ONE(WITNESS), .witness_off = FAILS(REFUSED), .asked = "efOF"},
    {"not off, and the witness is seen", .has_witness = true, .entry = ONE(DN), .off = NOTHING,
     .witness_on = ONE(WITNESS), .asked = "efOF"},
};

static const struct find_case *row;
static char asked[8];

static void assert_query(const struct apw_query *query, const char *base, enum apw_scope scope,
                         const char *filter, unsigned limit)
{
    assert_string_equal(query->base, base);
    assert_int_equal(query->scope, scope);
    assert_string_equal(query->filter, filter);
    assert_int_equal(query->limit, limit);
    assert_string_equal(query->attributes[0], strcmp(filter, FILTER) == 0 ? "uid" : "1.1");
}

static const struct answer *answer_to(size_t number, const struct apw_query *query)
{
    switch (number) {
    case 0:
        assert_query(query, BASE, APW_SCOPE_SUB, FILTER, 2);
        return &row->entry;
    case 1:
        assert_query(
            query, BASE, APW_SCOPE_SUB,
            row->has_off_filter ? "(&" FILTER "(&" OFF "(!" ON ")))" : "(&" FILTER "(!" ON "))", 2);
        return &row->off;
    case 2:
        assert_query(query, WITNESS, APW_SCOPE_BASE, ALL_ON, 1);
        return &row->witness_on;
    default:
        assert_query(query, WITNESS, APW_SCOPE_BASE, row->has_off_filter ? OFF : "(!" ON ")", 1);
        return &row->witness_off;
    }
}

static enum apw_ldap_result search(void *context, const struct apw_query *query, int64_t deadline,
                                   struct apw_entry **entries_r, struct apw_error *error)
{
    size_t number = strlen(asked);
    const struct answer *answer = answer_to(number, query);

    assert_ptr_equal(context, &row);
    assert_true(deadline == DEADLINE);
    asked[number] = "efOF"[number];
    asked[number + 1] = '\0';
    for (size_t i = 0; i < UNIT_COUNT(answer->dn) && answer->dn[i] != NULL; i++) {
        *entries_r = calloc(1, sizeof **entries_r);
        (*entries_r)->dn = strdup(answer->dn[i]);
        entries_r = &(*entries_r)->next;
    }
    if (!answer->fails)
        return APW_LDAP_OK;
    apw_error_set(error, "the fault of search %zu", number + 1);
    return answer->result;
}

static enum apw_ldap_result search_series(void *context, struct apw_search_series *series,
                                          int64_t deadline, struct apw_error *error)
{
    assert_true(series->is_together);
    series->connection = row->connection == 0 ? 1 : row->connection;
    return series_answer(search, context, series, deadline, error);
}

static void test_find(void **state)
{
    static const char *const attributes[] = {"uid", NULL};
    const struct apw_query query = {.base = BASE,
                                    .scope = APW_SCOPE_SUB,
                                    .filter = FILTER,
                                    .attributes = attributes,
                                    .limit = 2};
    struct apw_witness witness = {0};
    const struct apw_world world = {
        .search_series = search_series, .context = &row, .mfa_witness = &witness};
    struct apw_config config = {.mfa_filter = (char *)ON};
    struct apw_error error = {""};
    struct apw_entry *entries;
    bool is_off = true;

    row = *state;
    config.mfa_off_filter = (char *)(row->has_off_filter ? OFF : NULL);
    config.mfa_witness = (char *)(row->has_witness ? WITNESS : NULL);
    asked[0] = '\0';
    seconds_ahead = 0;
    if (row->is_seen)
        apw_witness_note(&witness, 1, apw_clock_monotonic_ms());
    seconds_ahead = row->seconds_later;
    assert_int_equal(apw_mfa_find(&world, &config, &query, DEADLINE, &entries, &is_off, &error),
                     row->entry.fails ? row->entry.result : APW_LDAP_OK);
    assert_int_equal(is_off, row->is_off);
    assert_string_equal(asked, row->asked);
    assert_string_equal(error.text, row->entry.fails ? "the fault of search 1" : "");
    if (row->entry.fails || row->entry.dn[0] == NULL)
        assert_null(entries);
    else
        assert_string_equal(entries->dn, row->entry.dn[0]);
    assert_int_equal(apw_witness_connection(&witness, apw_clock_monotonic_ms()),
                     row->is_seen_afterwards || row->connection == 2 ? 1 : 0);
    apw_entries_free(&entries);
}

/* Nobody remembers the witness: it is asked for each time. */
static void test_without_memory(void **state)
{
    static const char *const attributes[] = {"uid", NULL};
    const struct apw_query query = {
        .base = BASE, .filter = FILTER, .attributes = attributes, .limit = 2};
    static const struct find_case unseen = {
        .entry = ONE(DN), .off = ONE(DN), .witness_on = ONE(WITNESS)};
    const struct apw_world world = {.search_series = search_series, .context = &row};
    const struct apw_config config = {.mfa_filter = (char *)ON, .mfa_witness = (char *)WITNESS};
    struct apw_error error;
    struct apw_entry *entries;
    bool is_off;

    (void)state;
    row = &unseen;
    for (int i = 0; i < 2; i++) {
        asked[0] = '\0';
        assert_int_equal(apw_mfa_find(&world, &config, &query, DEADLINE, &entries, &is_off, &error),
                         APW_LDAP_OK);
        assert_true(is_off);
        assert_string_equal(asked, "efOF");
        apw_entries_free(&entries);
    }
}

int main(void)
{
    UNIT_ROWS(cases, test_find);
    UNIT_TEST("without a place to remember it, the witness is asked for each time",
              test_without_memory);
    return unit_run();
}
