/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether MFA is on: the searches, their connections, and the results of their answers. */
#include "clock.h"
#include "ldap/filter.h"
#include "ldap/filter_tree.h"
#include "mfa.h"
#include "series.h"
#include "store.h"
#include "unit.h"
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>

#define DN       "uid=alice,ou=people,dc=example,dc=org"
#define OTHER_DN "uid=mallory,ou=people,dc=example,dc=org"
#define WITNESS  "uid=mfa-witness,ou=people,dc=example,dc=org"
#define ON       "(memberOf=cn=mfa,dc=example,dc=org)"
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

/* In place of the C library's, however it is called. */
static bool is_memory_short;
__attribute__((format(printf, 2, 3))) int __wrap_asprintf(char **text_r, const char *format, ...);
__attribute__((format(printf, 3, 4))) int __wrap___asprintf_chk(char **text_r, int flag,
                                                                const char *format, ...);

__attribute__((format(printf, 2, 0))) static int print(char **text_r, const char *format,
                                                       va_list arguments)
{
    return is_memory_short ? -1 : vasprintf(text_r, format, arguments);
}

int __wrap_asprintf(char **text_r, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = print(text_r, format, arguments);
    va_end(arguments);
    return length;
}

int __wrap___asprintf_chk(char **text_r, int flag, const char *format, ...)
{
    va_list arguments;
    int length;

    (void)flag;
    va_start(arguments, format);
    length = print(text_r, format, arguments);
    va_end(arguments);
    return length;
}

/* ---- a directory of two entries ---- */

/* What of an entry the filters match. */
enum matches { NEITHER = 0, IS_ON = 1, IS_OFF = 2, BOTH = IS_ON | IS_OFF };

/* What happens to one search, counted from 1. */
struct fault {
    size_t search;
    enum apw_ldap_result result;
};

struct scene {
    const char *name;
    enum matches user;
    enum matches witness;
    bool has_off_filter; /* else off is the negation: what does not match ON */
    bool has_witness;
    bool is_seen;               /* the witness, by an earlier login */
    time_t seconds_later;       /* than that login */
    bool is_another_connection; /* than that login's */
    bool is_likely_on;
    bool is_another_entry; /* that comes instead of the user's */
    struct fault fault;

    enum apw_mfa mfa;
    const char *asked; /* o: on, f: off; in capitals: of the witness */
    const char *error;
};

static const struct scene *scene;
static uint32_t connection;
static char asked[32];

static bool matches(enum matches entry, const char *filter)
{
    if (strcmp(filter, ON) == 0)
        return (entry & IS_ON) != 0;
    if (strcmp(filter, OFF) == 0)
        return (entry & IS_OFF) != 0;
    if (strcmp(filter, "(!" ON ")") == 0) /* a hidden attribute: neither, or looks like off */
        return (entry & IS_OFF) != 0;
    assert_string_equal(filter, "(&" OFF "(!" ON "))");
    return entry == IS_OFF;
}

static enum apw_ldap_result look(const struct apw_query *query, struct apw_entry **entries_r,
                                 struct apw_error *error)
{
    bool is_witness = strcmp(query->base, WITNESS) == 0, is_on = strcmp(query->filter, ON) == 0;
    size_t length = strlen(asked);

    assert_true(is_witness || strcmp(query->base, DN) == 0);
    assert_int_equal(query->scope, APW_SCOPE_BASE);
    assert_int_equal(query->limit, 1);
    assert_string_equal(query->attributes[0], "1.1");
    asked[length] = is_witness ? (is_on ? 'O' : 'F') : is_on ? 'o' : 'f';
    asked[length + 1] = '\0';
    *entries_r = NULL;
    if (scene->fault.search == length + 1) {
        apw_error_set(error, "the fault of the scene");
        return scene->fault.result;
    }
    if (matches(is_witness ? scene->witness : scene->user, query->filter)) {
        *entries_r = calloc(1, sizeof **entries_r);
        (*entries_r)->dn = strdup(is_witness || !scene->is_another_entry ? query->base : OTHER_DN);
    }
    return APW_LDAP_OK;
}

static enum apw_ldap_result search(void *context, const struct apw_query *query, int64_t deadline,
                                   struct apw_entry **entries_r, struct apw_error *error)
{
    assert_null(context);
    assert_true(deadline == DEADLINE);
    return look(query, entries_r, error);
}

static enum apw_ldap_result search_series(void *context, struct apw_search_series *series,
                                          int64_t deadline, struct apw_error *error)
{
    series->connection = connection;
    return series_answer(search, context, series, deadline, error);
}

static enum apw_mfa read_mfa(struct apw_witness *witness, struct apw_error *error)
{
    const struct apw_world world = {
        .search = search, .search_series = search_series, .mfa_witness = witness};
    const struct apw_config config = {.mfa_filter = (char *)ON,
                                      .mfa_off_filter =
                                          (char *)(scene->has_off_filter ? OFF : NULL),
                                      .mfa_witness = (char *)(scene->has_witness ? WITNESS : NULL)};

    asked[0] = '\0';
    return apw_mfa_read(&world, &config, &(struct apw_mfa_subject){.dn = DN}, scene->is_likely_on,
                        DEADLINE, error);
}

/* ---- scenes ---- */

#define WITH_OFF     .has_off_filter = true
#define WITH_WITNESS .has_witness = true, .witness = IS_ON
#define SEEN         WITH_WITNESS, .is_seen = true

static const struct scene scenes[] = {
    {"on, by the filter alone", .user = IS_ON, .mfa = APW_MFA_ON, .asked = "fo"},
    {"on, if that is likely", .user = IS_ON, .is_likely_on = true, .mfa = APW_MFA_ON, .asked = "o"},
    {"off, by the negation", .user = IS_OFF, .mfa = APW_MFA_OFF, .asked = "f"},
    {"off, though on was likely", .user = IS_OFF, .is_likely_on = true, .mfa = APW_MFA_OFF,
     .asked = "of"},
    {"neither is unreadable", .mfa = APW_MFA_UNREADABLE, .asked = "fo",
     .error = "neither mfa_filter " ON " nor its negation for"},

    {"off, by mfa_off_filter", .user = IS_OFF, WITH_OFF, .mfa = APW_MFA_OFF, .asked = "f"},
    {"on, with mfa_off_filter", .user = IS_ON, WITH_OFF, .mfa = APW_MFA_ON, .asked = "fo"},
    {"both is on", .user = BOTH, WITH_OFF, .mfa = APW_MFA_ON, .asked = "fo"},
    {"both is on, if that is likely", .user = BOTH, WITH_OFF, .is_likely_on = true,
     .mfa = APW_MFA_ON, .asked = "o"},
    {"neither with mfa_off_filter is unreadable", WITH_OFF, .mfa = APW_MFA_UNREADABLE,
     .asked = "fo", .error = "nor mfa_off_filter " OFF " for"},

    {"on needs no witness", .user = IS_ON, WITH_WITNESS, .mfa = APW_MFA_ON, .asked = "fo"},
    {"on needs no witness that is gone", .user = IS_ON, .has_witness = true, .is_likely_on = true,
     .mfa = APW_MFA_ON, .asked = "o"},
    {"neither needs no witness", .has_witness = true, .mfa = APW_MFA_UNREADABLE, .asked = "fo",
     .error = "neither"},
    {"off with a witness takes two searches more", .user = IS_OFF, WITH_WITNESS, .mfa = APW_MFA_OFF,
     .asked = "fOF"},
    {"off with a witness and mfa_off_filter", .user = IS_OFF, WITH_WITNESS, WITH_OFF,
     .mfa = APW_MFA_OFF, .asked = "fOF"},
    {"a witness that looks off is not trusted", .user = IS_OFF, .has_witness = true,
     .witness = IS_OFF, .mfa = APW_MFA_UNREADABLE, .asked = "fO",
     .error = "mfa_witness " WITNESS " does not match mfa_filter " ON},
    {"a witness that looks off is not trusted if on was likely", .user = IS_OFF,
     .has_witness = true, .witness = IS_OFF, .is_likely_on = true, .mfa = APW_MFA_UNREADABLE,
     .asked = "ofO", .error = "mfa_witness " WITNESS},
    {"a witness that is neither is not trusted", .user = IS_OFF, .has_witness = true,
     .mfa = APW_MFA_UNREADABLE, .asked = "fO", .error = "mfa_witness " WITNESS},
    {"a witness that is both is not trusted", .user = IS_OFF, .has_witness = true, .witness = BOTH,
     .mfa = APW_MFA_UNREADABLE, .asked = "fOF",
     .error = "matches mfa_filter " ON ", but also the filter that shows the opposite"},
    {"a witness that is both is not trusted with mfa_off_filter", .user = IS_OFF,
     .has_witness = true, .witness = BOTH, WITH_OFF, .mfa = APW_MFA_UNREADABLE, .asked = "fOF",
     .error = "mfa_witness " WITNESS},
    {"a witness that was removed is not trusted", .user = IS_OFF, WITH_WITNESS,
     .fault = {2, APW_LDAP_NO_SUCH_OBJECT}, .mfa = APW_MFA_UNREADABLE, .asked = "fO",
     .error = "mfa_witness " WITNESS ": the fault"},
    {"a witness that may not be seen is not trusted", .user = IS_OFF, WITH_WITNESS,
     .fault = {3, APW_LDAP_NOT_PERMITTED}, .mfa = APW_MFA_UNREADABLE, .asked = "fOF",
     .error = "mfa_witness " WITNESS ": the fault"},
    {"an outage at the witness is an outage", .user = IS_OFF, WITH_WITNESS,
     .fault = {2, APW_LDAP_UNAVAILABLE}, .mfa = APW_MFA_UNAVAILABLE, .asked = "fO",
     .error = "the fault"},
    {"an outage at the entry is an outage", .user = IS_OFF, WITH_WITNESS,
     .fault = {1, APW_LDAP_NO_SUCH_OBJECT}, .mfa = APW_MFA_UNAVAILABLE, .asked = "f",
     .error = "the fault"},

    {"another entry that is off shows nothing", .user = IS_OFF, .is_another_entry = true,
     .mfa = APW_MFA_UNAVAILABLE, .asked = "f", .error = "asked for " DN},
    {"another entry that is on shows nothing", .user = IS_ON, .is_another_entry = true,
     .is_likely_on = true, .mfa = APW_MFA_UNAVAILABLE, .asked = "o",
     .error = "the directory answered with " OTHER_DN},
    {"another entry with a witness shows nothing", .user = IS_OFF, WITH_WITNESS,
     .is_another_entry = true, .mfa = APW_MFA_UNAVAILABLE, .asked = "fOF",
     .error = "answered with " OTHER_DN},
    {"another entry shows nothing, whatever was seen", .user = IS_OFF, SEEN,
     .is_another_entry = true, .mfa = APW_MFA_UNAVAILABLE, .asked = "f",
     .error = "answered with " OTHER_DN},

    {"a witness seen of late is not asked", .user = IS_OFF, SEEN, .mfa = APW_MFA_OFF, .asked = "f"},
    {"nor after 59 seconds", .user = IS_OFF, SEEN, .seconds_later = 59, .mfa = APW_MFA_OFF,
     .asked = "f"},
    {"it is after a minute", .user = IS_OFF, SEEN, .seconds_later = 60, .mfa = APW_MFA_OFF,
     .asked = "fOF"},
    {"it is over another connection", .user = IS_OFF, SEEN, .is_another_connection = true,
     .mfa = APW_MFA_OFF, .asked = "ffOF"},
    {"on is on, whatever was seen", .user = IS_ON, SEEN, .mfa = APW_MFA_ON, .asked = "fo"},
    {"on is on, over another connection", .user = IS_ON, SEEN, .is_another_connection = true,
     .mfa = APW_MFA_ON, .asked = "fo"},
    {"an outage is one, whatever was seen", .user = IS_OFF, SEEN,
     .fault = {1, APW_LDAP_UNAVAILABLE}, .mfa = APW_MFA_UNAVAILABLE, .asked = "f",
     .error = "the fault"},
};

/* An earlier login of a user with MFA off, of this process. */
static void see_witness(struct apw_witness *witness)
{
    static const struct scene before = {.user = IS_OFF, WITH_WITNESS};
    struct apw_error error = {""};

    scene = &before;
    assert_int_equal(read_mfa(witness, &error), APW_MFA_OFF);
    assert_string_equal(asked, "fOF");
}

static void test_scene(void **state)
{
    const struct scene *row = *state;
    struct apw_witness witness = {0};
    struct apw_error error = {""};

    seconds_ahead = 0;
    connection = 7;
    if (row->is_seen)
        see_witness(&witness);
    scene = row;
    seconds_ahead = row->seconds_later;
    connection = row->is_another_connection ? 8 : 7;
    assert_int_equal(read_mfa(&witness, &error), row->mfa);
    assert_string_equal(asked, row->asked);
    if (row->error != NULL)
        assert_contains(error.text, row->error);
}

/* A witness that fails is asked again by the next login, and one that is back is trusted again. */
static void test_witness_comes_back(void **state)
{
    static const struct scene gone = {.user = IS_OFF, .has_witness = true},
                              back = {.user = IS_OFF, WITH_WITNESS};
    struct apw_witness witness = {0};
    struct apw_error error = {""};

    (void)state;
    connection = 7;
    seconds_ahead = 0;
    scene = &gone;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(read_mfa(&witness, &error), APW_MFA_UNREADABLE);
        assert_string_equal(asked, "fO");
    }
    scene = &back;
    assert_int_equal(read_mfa(&witness, &error), APW_MFA_OFF);
    scene = &gone; /* within the minute no login notices; after it, every login does */
    assert_int_equal(read_mfa(&witness, &error), APW_MFA_OFF);
    seconds_ahead = 60;
    assert_int_equal(read_mfa(&witness, &error), APW_MFA_UNREADABLE);
    assert_int_equal(read_mfa(&witness, &error), APW_MFA_UNREADABLE);
}

/* A program that keeps no witness, such as the command, searches each time. */
static void test_without_memory_of_it(void **state)
{
    static const struct scene off = {.user = IS_OFF, WITH_WITNESS};
    struct apw_error error = {""};

    (void)state;
    scene = &off;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(read_mfa(NULL, &error), APW_MFA_OFF);
        assert_string_equal(asked, "fOF");
    }
}

/* ---- the flag in a store ---- */

#define ENTRIES "ou=entries,o=app-passwords"
#define STORED  "appPasswordOwner=0f3e," ENTRIES

static const struct store_case {
    const char *name;
    bool has_entry;
    bool is_off_by_default;
    bool sees_witness, is_added;
    bool is_memory_short;
    struct fault fault;
    enum matches entry;
    enum apw_mfa mfa;
    const char *asked; /* e: the entry, w: the witness, a: absence */
    const char *error;
} store_cases[] = {
    {"an entry that is on", .has_entry = true, .entry = IS_ON, .mfa = APW_MFA_ON, .asked = "ee"},
    {"an entry that is off", .has_entry = true, .entry = IS_OFF, .mfa = APW_MFA_OFF, .asked = "e"},
    {"an entry that says neither is unreadable", .has_entry = true, .mfa = APW_MFA_UNREADABLE,
     .asked = "ee", .error = "neither"},
    {"an entry that was removed meanwhile is unavailable", .has_entry = true,
     .fault = {1, APW_LDAP_NO_SUCH_OBJECT}, .mfa = APW_MFA_UNAVAILABLE, .asked = "e",
     .error = "the fault"},
    {"without an entry it is on", .mfa = APW_MFA_ON, .asked = ""},
    {"without an entry and off by default, the witness and absence show it",
     .is_off_by_default = true, .sees_witness = true, .mfa = APW_MFA_OFF, .asked = "wa"},
    {"without the witness it is unreadable", .is_off_by_default = true, .mfa = APW_MFA_UNREADABLE,
     .asked = "w", .error = "mfa_witness " WITNESS " is not in the store with MFA on"},
    {"a witness that is gone is unreadable", .is_off_by_default = true,
     .fault = {1, APW_LDAP_NO_SUCH_OBJECT}, .mfa = APW_MFA_UNREADABLE, .asked = "w",
     .error = "with MFA on and the description entryUUID, which is id_attribute: the fault"},
    {"a base that is gone is unreadable", .is_off_by_default = true, .sees_witness = true,
     .fault = {2, APW_LDAP_NO_SUCH_OBJECT}, .mfa = APW_MFA_UNREADABLE, .asked = "wa",
     .error = "the fault"},
    {"a store that denies is unreadable", .is_off_by_default = true, .sees_witness = true,
     .fault = {2, APW_LDAP_NOT_PERMITTED}, .mfa = APW_MFA_UNREADABLE, .asked = "wa",
     .error = "the fault"},
    {"an outage at the witness is unavailable", .is_off_by_default = true, .sees_witness = true,
     .fault = {1, APW_LDAP_UNAVAILABLE}, .mfa = APW_MFA_UNAVAILABLE, .asked = "w",
     .error = "the fault"},
    {"an outage after the witness is unavailable", .is_off_by_default = true, .sees_witness = true,
     .fault = {2, APW_LDAP_UNAVAILABLE}, .mfa = APW_MFA_UNAVAILABLE, .asked = "wa",
     .error = "the fault"},
    {"an entry that was added meanwhile is unreadable", .is_off_by_default = true,
     .sees_witness = true, .is_added = true, .mfa = APW_MFA_UNREADABLE, .asked = "wa",
     .error = "the entry of 0f3e has just been added"},
    {"without memory for the question it is unavailable", .is_off_by_default = true,
     .sees_witness = true, .is_memory_short = true, .mfa = APW_MFA_UNAVAILABLE, .asked = "",
     .error = "out of memory"},
};

static const struct store_case *store_case;

static enum apw_ldap_result look_in_store(const struct apw_query *query,
                                          struct apw_entry **entries_r, struct apw_error *error)
{
    bool is_witness = strcmp(query->base, WITNESS) == 0,
         is_entry = strcmp(query->base, STORED) == 0;
    size_t number = strlen(asked);
    bool is_found = is_witness ? store_case->sees_witness
                    : is_entry ? matches(store_case->entry, query->filter)
                               : store_case->is_added;

    asked[number] = is_witness ? 'w' : is_entry ? 'e' : 'a';
    asked[number + 1] = '\0';
    assert_int_equal(query->scope, is_witness || is_entry ? APW_SCOPE_BASE : APW_SCOPE_ONE);
    assert_string_equal(query->base, is_witness ? WITNESS : is_entry ? STORED : ENTRIES);
    assert_int_equal(query->limit, 1);
    if (!is_entry)
        assert_string_equal(query->filter, is_witness ? "(&" ON "(description=entryUUID))"
                                                      : "(appPasswordOwner=0f3e)");
    *entries_r = NULL;
    if (store_case->fault.search == number + 1) {
        apw_error_set(error, "the fault of the store");
        return store_case->fault.result;
    }
    if (is_found) {
        *entries_r = calloc(1, sizeof **entries_r);
        (*entries_r)->dn = strdup(query->base);
    }
    return APW_LDAP_OK;
}

static enum apw_ldap_result search_store(void *context, const struct apw_query *query,
                                         int64_t deadline, struct apw_entry **entries_r,
                                         struct apw_error *error)
{
    assert_string_equal(context, "store");
    assert_true(deadline == DEADLINE);
    return look_in_store(query, entries_r, error);
}

static enum apw_ldap_result search_store_series(void *context, struct apw_search_series *series,
                                                int64_t deadline, struct apw_error *error)
{
    return series_answer(search_store, context, series, deadline, error);
}

/* The users' directory has no functions: to ask it would crash. */
static void test_store(void **state)
{
    const struct store_case *row = store_case = *state;
    const struct apw_world store = {
        .search = search_store, .search_series = search_store_series, .context = (char *)"store"};
    const struct apw_world world = {.store = &store};
    const struct apw_config config = {
        .mfa_filter = (char *)ON,
        .mfa_off_filter = (char *)OFF,
        .mfa_witness = (char *)(row->is_off_by_default ? WITNESS : NULL),
        .store = {.base = (char *)ENTRIES,
                  .id_attribute = apw_directory_id_attribute("entryUUID"),
                  .has_mfa = true,
                  .is_mfa_off_by_default = row->is_off_by_default}};
    const struct apw_mfa_subject subject = {
        .dn = DN, .id = "0f3e", .stored_dn = row->has_entry ? STORED : NULL};
    struct apw_error error = {""};

    asked[0] = '\0';
    is_memory_short = row->is_memory_short;
    assert_int_equal(apw_mfa_read(&world, &config, &subject, false, DEADLINE, &error), row->mfa);
    is_memory_short = false;
    assert_string_equal(asked, row->asked);
    assert_contains(error.text, row->error != NULL ? row->error : "");
}

/* ---- the word itself ---- */

static void test_word(void **state)
{
    static const int64_t then = 1000000;
    struct apw_witness witness = {0};

    (void)state;
    assert_int_equal(apw_witness_connection(&witness, 0), 0);
    assert_int_equal(apw_witness_connection(&witness, then), 0);
    apw_witness_note(&witness, 7, then);
    assert_int_equal(apw_witness_connection(&witness, then), 7);
    assert_int_equal(apw_witness_connection(&witness, then + 59999), 7);
    assert_int_equal(apw_witness_connection(&witness, then + 60000), 0);
    assert_int_equal(apw_witness_connection(&witness, then - 1), 0); /* no clock runs backward */
    apw_witness_note(&witness, UINT32_MAX, then);
    assert_int_equal(apw_witness_connection(&witness, then), UINT32_MAX);
}

static struct apw_witness shared;

/* Each thread's connection is seen at a time of its own: a mix of two would show. */
static void *note_often(void *argument)
{
    uint32_t own = *(const uint32_t *)argument;
    bool is_good = true;

    for (int i = 0; i < 20000; i++) {
        uint32_t seen;

        apw_witness_note(&shared, own, (int64_t)own * 1000000);
        seen = apw_witness_connection(&shared, (int64_t)own * 1000000);
        is_good = is_good && (seen == 0 || seen == own);
    }
    return is_good ? &shared : NULL;
}

static void test_threads(void **state)
{
    static const uint32_t own[4] = {1, 2, 3, 4};
    pthread_t thread[4];

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(thread); i++)
        assert_int_equal(pthread_create(&thread[i], NULL, note_often, (void *)&own[i]), 0);
    for (size_t i = 0; i < UNIT_COUNT(thread); i++) {
        void *result;

        assert_int_equal(pthread_join(thread[i], &result), 0);
        assert_ptr_equal(result, &shared);
    }
}

/* ---- filters that show nothing ---- */

static const struct hidden_case {
    const char *name; /* the filter */
    bool shows_nothing;
} hidden_cases[] = {
    {"(mfaStatus=off)", false},
    {"(!(mfaStatus=on))", true},
    {"( ! ( mfaStatus=on ) )", true},
    {"(!(!(mfaStatus=off)))", false},
    {"(&(mfaStatus=off)(!(mfaStatus=on)))", false},
    {"(&(objectClass=person)(!(mfaStatus=on)))", true},
    {"(&(OBJECTCLASS=person)(mfaStatus=off))", false},
    {"(|(mfaStatus=off)(!(mfaStatus=*)))", true},
    {"(|(mfaStatus=off)(mfaStatus=exempt))", false},
    {"(&(!(a=b))(!(c=d)))", true},
    {"(objectClass=*)", true},
    {"( objectClass=*)", true},
    {"(2.5.4.0=*)", true},
    {"(objectClass:=top)", true},
    {"(objectClassification=x)", false},
    {"(!(objectClass=computer))", true},
    {"(&(objectClass=user)(!(objectClass=computer)))", true},
    {"(&(objectClass=user)(!(objectClass=computer))(mfaStatus=off))", false},
    {"(objectCategory=person)", true},
    {"(&(objectCategory=person)(!(memberOf=cn=mfa)))", true},
    {"(sAMAccountType=805306368)", true},
    {"(userAccountControl:1.2.840.113556.1.4.803:=512)", true},
    {"(&(primaryGroupID=513)(!(memberOf=cn=mfa)))", true},
    {"( &(!(a=b))( ! (c=d)))", true},
    {"(mfaStatus:caseExactMatch:=off)", false},
    {"(!(&(a=b)(c=d)))", true},
    {"(uid=*)", true},
    {"(MAIL=*)", true},
    {"(entryUUID=*)", true},
    {"(uid>=a)", true},
    {"(|(mfaStatus=off)(cn<=zz))", true},
    {"(uidNumber>=1000)", false},
    {"(!(uid=*))", true},
    {"(|(mfaStatus=off)(uid=*))", true},
    {"(&(uid=*)(!(mfaStatus=on)))", true},
    {"(&(uid=*)(mfaStatus=off))", false},
    {"(mfaStatus=*)", false},
    {"(uidNumber=*)", false},
    {"(mail=*@contractors.example)", false},
    {"(uid=guest)", false},
};

static void test_hidden(void **state)
{
    const struct hidden_case *row = *state;
    struct apw_error error = {""};

    if (apw_filter_check(row->name, false, &error) != 0) /* only what the configuration takes */
        assert_contains(row->name, " ");
    assert_int_equal(apw_filter_tree_shows_nothing(row->name), row->shows_nothing);
}

struct only_case {
    const char *name; /* the filter */
    bool reads_only;  /* what is in a store */
};

static struct only_case only_cases[] = {
    {"(appPasswordMfaMethod=*)", true},
    {"(APPPASSWORD;x-y=id=*)", true},
    {"(|(!(appPasswordMfaEnabled=*))(appPasswordMfaEnforceFrom>=20270101000000Z))", true},
    {"(appPasswordsOfOthers=*)", false},
    {"(&(appPasswordMfaEnabled=TRUE)(departmentNumber=42))", false},
    {"(&(departmentNumber=42)(appPasswordMfaEnabled=TRUE))", false},
    {"(!(uid=alice))", false},
};

static void test_only(void **state)
{
    const struct only_case *row = *state;

    assert_int_equal(apw_filter_tree_reads_only(row->name, apw_store_attributes), row->reads_only);
}

int main(void)
{
    UNIT_ROWS(scenes, test_scene);
    UNIT_TEST("a witness that is back is trusted again", test_witness_comes_back);
    UNIT_TEST("without memory of it the witness is asked each time", test_without_memory_of_it);
    UNIT_ROWS(store_cases, test_store);
    UNIT_TEST("what was seen is forgotten after a minute", test_word);
    UNIT_TEST("threads see no mix of two connections", test_threads);
    UNIT_ROWS(hidden_cases, test_hidden);
    UNIT_ROWS(only_cases, test_only);
    return unit_run();
}
