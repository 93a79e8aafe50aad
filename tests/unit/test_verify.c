/* SPDX-License-Identifier: BSD-2-Clause */
/* The decision: every row of the table at its edges, with a directory and a clock of our own. */
#include "clock.h"
#include "counted_hashes.h"
#include "name.h"
#include "series.h"
#include "unit.h"
#include "verify.h"
#include <sodium.h>
#include <strings.h>

#define NOW      "20261122101500Z"
#define DEADLINE 123456789 /* handed through, never looked at */
#define BASE     "dc=example,dc=org"
#define DN       "uid=alice,ou=People,dc=example,dc=org"
#define OTHER_DN "uid=alice,ou=Guests,dc=example,dc=org"
#define MFA      "(appPasswordMfaEnabled=TRUE)"
#define OFF      "(appPasswordMfaEnabled=FALSE)"
#define NOT_MFA  "(!(appPasswordMfaEnabled=TRUE))"

/* Typed passwords. */
#define RIGHT   UNIT_SHOWN
#define WRONG   "k7q2-0000-0000-0000-0001" /* the id is there, the rest is wrong */
#define SHOWN   "zzzz-0000-0000-0000-0004" /* no value has the id */
#define UNKNOWN "zzzz 0000 0000 0000 0004" /* the same, but not as it is shown */
#define ACCOUNT "correct horse battery staple"

/* Stored values. */
#define VALUE(keys) "id=k7q2 created=20261101000000Z" keys " hash={ARGON2}" UNIT_PHC " label=Laptop"
#define APP(keys)                                                                                  \
    {                                                                                              \
        "appPassword", VALUE(keys)                                                                 \
    }
#define OTHER_APP                                                                                  \
    {                                                                                              \
        "appPassword", "id=0123 created=20261101000000Z hash={ARGON2}" UNIT_PHC " label=Phone"     \
    }

#define STONE(id)                                                                                  \
    {                                                                                              \
        "appPassword", "id=" id " created=20261101000000Z revoked=20261115000000Z label=Laptop"    \
    }

/* The entries that the accepted name finds. */
enum leads { LEADS_BACK = 0, LEADS_NOWHERE, LEADS_ELSEWHERE, LEADS_TWICE, LEADS_TWICE_LAST };

enum found { ONE_ENTRY = 0, NO_ENTRY, TWO_ENTRIES };

/* What the two searches for the MFA filter answer. */
enum mfa_answer {
    MFA_UNASKED = 0,
    MFA_IS_OFF,
    MFA_IS_ON,
    MFA_IS_HIDDEN, /* neither the filter nor its negation matches */
};

/* What the searches for disabled_filter answer; it is set unless UNASKED. */
#define DISABLED "(employeeType=gone)"
enum disabled_answer { DISABLED_UNASKED = 0, OFF_IS_TRUE, ON_IS_TRUE, NEITHER_IS_TRUE };

enum bind_answer {
    BIND_UNASKED = 0,
    BIND_OK,
    BIND_WRONG,
    BIND_LOCKED,
    BIND_MUST_CHANGE,
    BIND_LOST
};

struct stored {
    const char *name;
    const char *value;
};
#define STORED_MAX 8

static const char nothing[] = ""; /* in a row: the host does not know */

/* One login and its expected result. Defaults: alice, at NOW, by smtp from 203.0.113.7; the
 * shortest configuration. */
struct scene {
    const char *name;

    const char *login;
    const char *password;
    const char *service;
    const char *client;
    const char *now;

    enum found found;
    struct stored stored[STORED_MAX];
    enum mfa_answer mfa;
    enum disabled_answer disabled;
    bool is_ended; /* so that disabled_filter is not asked for */
    enum bind_answer bind;

    enum apw_mfa_enforcement enforcement;
    enum apw_account_password account_password;
    const char *account_password_from;
    bool is_active_directory; /* with mfa_off_filter, unless account_password is never */
    const char *login_attribute;
    unsigned hash_memory_mib, hash_passes;
    enum leads leads; /* where the accepted name does, if it is not what was typed */
    bool is_name_asked;
    bool revoke_on_password_change;
    int64_t max_lifetime_s;

    enum apw_verdict verdict;
    enum apw_reason reason;
    int hashes;
    const char *accepted_name; /* the login */
    const char *id;
    bool would_refuse;
    bool is_exempt;
    bool names_entry;
    bool is_no_app_password; /* though `password` looks like one */
    const char *detail;      /* none */
};

/* ---- the world ---- */

static const struct scene *scene;
static enum apw_ldap_result search_result[5]; /* of the first, second search and so on */
static const struct stored *many;             /* instead of the scene's */
static size_t many_count;

#define QUESTIONS_MAX 8
static struct question {
    char base[128];
    enum apw_scope scope;
    char filter[512];
    char attributes[512];
    unsigned limit;
} questions[QUESTIONS_MAX];
static size_t searches, binds;
static char bound_dn[128], bound_password[APW_SECRET_BYTES_MAX + 1];

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    if (memory == NULL)
        abort();
    return memory;
}

static void add_value(struct apw_entry *entry, const struct stored *stored)
{
    struct apw_attribute *last =
        entry->attribute_count > 0 ? &entry->attribute[entry->attribute_count - 1] : NULL;
    bool has_options = strchr(stored->name, ';') != NULL;
    char *name = strndup(stored->name, strcspn(stored->name, ";"));
    struct apw_value *value;

    if (last == NULL || strcmp(last->name, name) != 0 || last->has_options != has_options) {
        last = &entry->attribute[entry->attribute_count++];
        last->name = name;
        last->has_options = has_options;
        last->value = allocate(64, sizeof *last->value);
    } else {
        free(name);
    }
    value = &last->value[last->count++];
    value->length = strlen(stored->value);
    value->bytes = strdup(stored->value);
}

static struct apw_entry *make_entry(const char *dn, const struct stored *stored, size_t count)
{
    struct apw_entry *entry = allocate(1, sizeof *entry);

    entry->dn = strdup(dn);
    entry->attribute = allocate(STORED_MAX, sizeof *entry->attribute);
    for (size_t i = 0; i < count && stored[i].name != NULL; i++)
        add_value(entry, &stored[i]);
    return entry;
}

static struct apw_entry *find_entries(void)
{
    struct apw_entry *entry;

    if (scene->found == NO_ENTRY)
        return NULL;
    entry =
        many != NULL ? make_entry(DN, many, many_count) : make_entry(DN, scene->stored, STORED_MAX);
    if (scene->found == TWO_ENTRIES)
        entry->next = make_entry("uid=alice,ou=Guests," BASE, scene->stored, STORED_MAX);
    return entry;
}

static struct apw_entry *find_by_name(void)
{
    struct apw_entry *own = make_entry(DN, NULL, 0), *other = make_entry(OTHER_DN, NULL, 0);
    enum leads leads = scene->leads;

    if (leads == LEADS_BACK || leads == LEADS_NOWHERE)
        apw_entries_free(&other);
    if (leads == LEADS_ELSEWHERE || leads == LEADS_NOWHERE)
        apw_entries_free(&own);
    if (leads == LEADS_TWICE)
        own->next = other;
    if (leads == LEADS_TWICE_LAST)
        other->next = own;
    return leads == LEADS_ELSEWHERE || leads == LEADS_TWICE_LAST ? other : own;
}

static bool mfa_search_matches(const char *filter)
{
    bool is_negated = strcmp(filter, MFA) != 0 && strcmp(filter, DISABLED) != 0;

    if (strstr(filter, DISABLED) != NULL)
        return scene->disabled == (is_negated ? OFF_IS_TRUE : ON_IS_TRUE);
    return is_negated ? scene->mfa == MFA_IS_OFF || scene->mfa == MFA_UNASKED
                      : scene->mfa == MFA_IS_ON;
}

static enum apw_ldap_result search(void *context, const struct apw_query *query, int64_t deadline,
                                   struct apw_entry **entries_r, struct apw_error *error)
{
    const char *const *attributes = query->attributes;
    struct question *question = &questions[searches];
    size_t number = searches++;

    assert_ptr_equal(context, &questions);
    assert_true(deadline == DEADLINE);
    assert_true(number < UNIT_COUNT(search_result));
    *question = (struct question){.scope = query->scope, .limit = query->limit};
    snprintf(question->base, sizeof question->base, "%s", query->base);
    snprintf(question->filter, sizeof question->filter, "%s", query->filter);
    for (; *attributes != NULL; attributes++) {
        strcat(question->attributes, *attributes);
        strcat(question->attributes, " ");
    }
    if (number == 0)
        *entries_r = find_entries();
    else if (strcmp(query->base, BASE) == 0 && strstr(query->filter, MFA) == NULL)
        *entries_r = find_by_name();
    else
        *entries_r = mfa_search_matches(query->filter) ? make_entry(DN, NULL, 0) : NULL;
    error->text[0] = '\0';
    if (search_result[number] != APW_LDAP_OK)
        apw_error_set(error, "search %zu for %s failed", number + 1, query->filter);
    return search_result[number];
}

static enum apw_ldap_result search_series(void *context, struct apw_search_series *series,
                                          int64_t deadline, struct apw_error *error)
{
    return series_answer(search, context, series, deadline, error);
}

static enum apw_user_bind bind_user(void *context, const char *dn, const char *password,
                                    size_t password_length, int64_t deadline,
                                    struct apw_error *error)
{
    assert_ptr_equal(context, &questions);
    assert_true(deadline == DEADLINE);
    assert_true(password_length < sizeof bound_password);
    binds++;
    snprintf(bound_dn, sizeof bound_dn, "%s", dn);
    memcpy(bound_password, password, password_length);
    bound_password[password_length] = '\0';
    error->text[0] = '\0';
    switch (scene->bind) {
    case BIND_UNASKED: /* so that a needless search fails the test */
    case BIND_OK:
        return APW_USER_BIND_OK;
    case BIND_WRONG:
        return APW_USER_BIND_WRONG;
    case BIND_LOCKED:
        return APW_USER_BIND_LOCKED;
    case BIND_MUST_CHANGE:
        return APW_USER_BIND_MUST_CHANGE;
    case BIND_LOST:
        break;
    }
    apw_error_set(error, "no answer in time");
    return APW_USER_BIND_UNAVAILABLE;
}

static int64_t now(void *context)
{
    int64_t seconds;

    (void)context;
    if (apw_clock_parse_timestamp(scene->now != NULL ? scene->now : NOW, 15, &seconds) != 0)
        abort();
    return seconds;
}

static struct apw_world world = {.search = search,
                                 .search_series = search_series,
                                 .bind_user = bind_user,
                                 .now = now,
                                 .context = &questions};

static void reset_world(const struct scene *next)
{
    scene = next;
    for (size_t i = 0; i < UNIT_COUNT(search_result); i++)
        search_result[i] = APW_LDAP_OK;
    many = NULL;
    searches = binds = 0;
    hashes = 0;
    hashes_fail = false;
    bound_dn[0] = bound_password[0] = '\0';
}

/* ---- one scene ---- */

static struct apw_config make_config(const struct scene *of)
{
    struct apw_config config = {.base = (char *)BASE,
                                .filter = (char *)"(|(uid=%u)(mail=%u))",
                                .mfa_filter = (char *)MFA,
                                .hash_memory_mib = of->hash_memory_mib,
                                .hash_passes = of->hash_passes,
                                .disabled_filter =
                                    of->disabled != DISABLED_UNASKED ? (char *)DISABLED : NULL,
                                .mfa_enforcement = of->enforcement,
                                .account_password = of->account_password,
                                .login_attribute = (char *)of->login_attribute,
                                .revoke_on_password_change = of->revoke_on_password_change,
                                .max_lifetime_s = of->max_lifetime_s};

    if (of->is_active_directory) {
        config.directory = APW_DIRECTORY_ACTIVE_DIRECTORY;
        config.mfa_off_filter =
            of->account_password == APW_ACCOUNT_PASSWORD_NEVER ? NULL : (char *)OFF;
    }
    if (of->account_password_from != NULL &&
        apw_networks_parse(of->account_password_from, strlen(of->account_password_from), ' ',
                           &config.account_password_from, NULL) != 0)
        abort();
    if (of->hash_memory_mib == 0) { /* the defaults */
        config.hash_memory_mib = 8;
        config.hash_passes = 1;
    }
    return config;
}

static const char *or_default(const char *text, const char *otherwise)
{
    return text == nothing ? NULL : text == NULL ? otherwise : text;
}

/* Only an accepted login has a name, and only an accepted one would-refuse. */
static void assert_consistent(const struct apw_decision *decision)
{
    if (decision->event.verdict != APW_ACCEPTED)
        assert_true(unit_is_zero(decision->event.name, sizeof decision->event.name));
    else
        assert_true(decision->event.name[0] != '\0');
    if (decision->event.would_refuse)
        assert_int_equal(decision->event.verdict, APW_ACCEPTED);
}

static void play(const struct scene *of, struct apw_decision *decision_r)
{
    const char *login = or_default(of->login, "alice"), *password = or_default(of->password, RIGHT);
    struct apw_config config = make_config(of);
    size_t login_length = strlen(login), password_length = strlen(password);
    char *login_copy = unit_copy(login, login_length),
         *password_copy = unit_copy(password, password_length);
    const struct apw_attempt attempt = {.login = login_copy,
                                        .login_length = login_length,
                                        .password = password_copy,
                                        .password_length = password_length,
                                        .service = or_default(of->service, "smtp"),
                                        .client = or_default(of->client, "203.0.113.7")};

    memset(decision_r, 0xaa, sizeof *decision_r);
    apw_verify(&config, &world, &attempt, DEADLINE, decision_r);
    assert_consistent(decision_r);
    free(login_copy);
    free(password_copy);
}

static void assert_outcome(const struct apw_decision *decision, enum apw_verdict verdict,
                           enum apw_reason reason)
{
    assert_string_equal(apw_reason_name(decision->event.reason), apw_reason_name(reason));
    assert_string_equal(apw_verdict_name(decision->event.verdict), apw_verdict_name(verdict));
}

static bool is_app_shaped(const struct scene *row)
{
    return !row->is_no_app_password &&
           (row->password == NULL || strstr(row->password, ACCOUNT) == NULL);
}

/* The user's search, for an account password with the one whether MFA is off, then the one for the
 * likely answer. */
static size_t searches_for(const struct scene *row)
{
    size_t asked = (size_t)row->is_name_asked + !is_app_shaped(row);

    if (row->reason == APW_REASON_AMBIGUOUS_NAME)
        return 1 + asked;
    if (row->disabled != DISABLED_UNASKED && !row->is_ended)
        return asked + (row->disabled == OFF_IS_TRUE ? 2 : 3);
    if (row->mfa == MFA_UNASKED)
        return asked + 1;
    if (row->mfa == MFA_IS_HIDDEN)
        return asked + 3;
    if (row->mfa == MFA_IS_ON)
        return asked + 2;
    return asked + (is_app_shaped(row) ? 3 : 1);
}

static void test_scene(void **state)
{
    const struct scene *row = *state;
    struct apw_decision decision;

    reset_world(row);
    play(row, &decision);
    assert_outcome(&decision, row->verdict, row->reason);
    assert_int_equal(searches, searches_for(row));
    assert_int_equal(binds, row->bind == BIND_UNASKED ? 0 : 1);
    assert_int_equal(hashes, row->hashes);
    if (row->verdict == APW_ACCEPTED)
        assert_string_equal(decision.event.name, row->accepted_name != NULL ? row->accepted_name
                                                 : row->login != NULL       ? row->login
                                                                            : "alice");
    assert_string_equal(decision.event.id, row->id != NULL ? row->id : "");
    assert_int_equal(decision.event.would_refuse, row->would_refuse);
    assert_int_equal(decision.event.is_exempt, row->is_exempt);
    assert_int_equal(decision.event.dn != NULL, row->names_entry);
    if (decision.event.dn != NULL)
        assert_string_equal(decision.event.dn, DN);
    if (row->detail != NULL)
        assert_contains(decision.event.detail.text, row->detail);
    else
        assert_string_equal(decision.event.detail.text, "");
    apw_verify_clear(&decision);
}

static enum apw_existence existence_for(const struct scene *row)
{
    bool has_name = row->login_attribute == NULL;

    for (size_t i = 0; i < STORED_MAX && row->stored[i].name != NULL && !has_name; i++)
        has_name = strcasecmp(row->stored[i].name, row->login_attribute) == 0;
    if (!has_name)
        return APW_EXISTENCE_UNAVAILABLE;
    switch (row->reason) {
    case APW_REASON_UNKNOWN_USER:
    case APW_REASON_ACCOUNT_DISABLED:
        return APW_EXISTENCE_UNKNOWN;
    case APW_REASON_AMBIGUOUS_USER:
    case APW_REASON_AMBIGUOUS_NAME:
    case APW_REASON_NO_NAME:
    case APW_REASON_INTERNAL_ERROR:
    case APW_REASON_DIRECTORY_UNAVAILABLE:
        return APW_EXISTENCE_UNAVAILABLE;
    default:
        return APW_EXISTENCE_KNOWN;
    }
}

/* The same scene without a password: the same checks up to the account's state; nothing accepts. */
static void test_existence(void **state)
{
    const struct scene *row = *state;
    const char *login = or_default(row->login, "alice");
    struct apw_config config = make_config(row);
    const struct apw_attempt attempt = {.login = login, .login_length = strlen(login)};
    enum apw_existence expected = existence_for(row);
    struct apw_decision decision;

    reset_world(row);
    memset(&decision, 0xaa, sizeof decision);
    assert_int_equal(apw_verify_existence(&config, &world, &attempt, DEADLINE, &decision),
                     expected);
    assert_int_not_equal(decision.event.verdict, APW_ACCEPTED);
    assert_int_equal(binds, 0);
    assert_int_equal(hashes, 0);
    assert_null(decision.use_dn);
    assert_string_equal(decision.event.name, expected != APW_EXISTENCE_KNOWN ? ""
                                             : row->accepted_name != NULL    ? row->accepted_name
                                                                             : login);
    if (expected == APW_EXISTENCE_UNKNOWN)
        assert_outcome(&decision, row->verdict, row->reason);
    else if (expected == APW_EXISTENCE_UNAVAILABLE)
        assert_int_equal(decision.event.verdict, APW_UNAVAILABLE);
    apw_verify_clear(&decision);
}

static void test_existence_without_answer(void **state)
{
    const struct apw_attempt attempt = {.login = "alice", .login_length = 5},
                             malformed = {.login = " ", .login_length = 1};
    const struct scene scene_ = {.name = "nobody"};
    struct apw_config config = make_config(&scene_);
    struct apw_decision decision;

    (void)state;
    reset_world(&scene_);
    assert_int_equal(apw_verify_existence(NULL, &world, &attempt, DEADLINE, &decision),
                     APW_EXISTENCE_UNAVAILABLE);
    assert_int_equal(decision.event.reason, APW_REASON_CONFIGURATION);
    assert_int_equal(apw_verify_existence(&config, &world, &malformed, DEADLINE, &decision),
                     APW_EXISTENCE_UNKNOWN);
    assert_int_equal(searches, 0);
    search_result[0] = APW_LDAP_UNAVAILABLE;
    assert_int_equal(apw_verify_existence(&config, &world, &attempt, DEADLINE, &decision),
                     APW_EXISTENCE_UNAVAILABLE);
    apw_verify_clear(&decision);
}

/* ---- the rows of the table ---- */

#define ACCEPTED(why)    .verdict = APW_ACCEPTED, .reason = APW_REASON_##why
#define REFUSED(why)     .verdict = APW_REFUSED, .reason = APW_REASON_##why
#define UNAVAILABLE(why) .verdict = APW_UNAVAILABLE, .reason = APW_REASON_##why

/* Row 6, accepted and refused by the hash: the one value with the id was looked at. */
#define BY_HASH_ACCEPTED ACCEPTED(APP_PASSWORD), .id = "k7q2", .hashes = 1
#define BY_HASH_REFUSED  REFUSED(WRONG_APP_PASSWORD), .id = "k7q2", .hashes = 1
#define UNUSABLE(why)    REFUSED(UNUSABLE_VALUE), .id = "k7q2", .names_entry = true, .detail = why

/* Row 5. */
#define ENDED REFUSED(ACCOUNT_DISABLED), .detail = "ends the account"
#define UNCLEAR(what)                                                                              \
    UNAVAILABLE(DIRECTORY_UNAVAILABLE), .names_entry = true, .detail = what " is invalid"

static const struct scene entry_scenes[] = {
    {"an unknown user is refused", .found = NO_ENTRY, REFUSED(UNKNOWN_USER)},
    {"an unknown user is refused with an account password too", .found = NO_ENTRY,
     .password = ACCOUNT, REFUSED(UNKNOWN_USER)},
    {"two entries are an outage, not a guess", .found = TWO_ENTRIES, .stored = {APP("")},
     UNAVAILABLE(AMBIGUOUS_USER), .names_entry = true,
     .detail = "also found: uid=alice,ou=Guests," BASE},
    {"a disabled account is refused",
     .stored = {APP(""), {"pwdAccountLockedTime", "000001010000Z"}}, ENDED},
    {"a disabled account is refused with its account password", .password = ACCOUNT,
     .stored = {{"pwdAccountLockedTime", "000001010000Z"}}, ENDED},
    {"a disabled account of a 389 server is refused",
     .stored = {APP(""), {"nsAccountLock", "TRUE"}}, ENDED},
    {"nsAccountLock in lower case disables", .stored = {APP(""), {"nsAccountLock", "true"}}, ENDED},
    {"nsAccountLock in other case disables", .stored = {APP(""), {"nsaccountlock", "TRUE"}}, ENDED},
    {"nsAccountLock with an option disables", .stored = {APP(""), {"nsAccountLock;x-y", "TRUE"}},
     ENDED},
    {"one of two locks for good disables",
     .stored = {APP(""),
                {"pwdAccountLockedTime", "20261122101400Z"},
                {"pwdAccountLockedTime", "000001010000Z"}},
     ENDED},
    {"any time of the year 0 locks for good",
     .stored = {APP(""), {"pwdAccountLockedTime", "00000101000000.0Z"}}, ENDED},
    {"nsAccountLock FALSE does not disable", .stored = {APP(""), {"nsAccountLock", "FALSE"}},
     BY_HASH_ACCEPTED},
    {"a start in the future refuses", .stored = {APP(""), {"pwdStartTime", "20261122101501Z"}},
     ENDED},
    {"a start that is reached does not", .stored = {APP(""), {"pwdStartTime", "20261122101500Z"}},
     BY_HASH_ACCEPTED},
    {"an end in the future does not refuse", .stored = {APP(""), {"pwdEndTime", "20261122101501Z"}},
     BY_HASH_ACCEPTED},
    {"an end that is reached refuses", .stored = {APP(""), {"pwdEndTime", "20261122101500Z"}},
     ENDED},
    {"an end refuses the account password, untried", .password = ACCOUNT,
     .stored = {{"pwdEndTime", "20200101000000Z"}}, ENDED},
    {"accountExpires that is past refuses",
     .stored = {APP(""), {"accountExpires", "132223104000000000"}}, ENDED},
    {"userAccountControl disables", .stored = {APP(""), {"userAccountControl", "514"}}, ENDED},
    {"krbPrincipalExpiration that is past refuses",
     .stored = {APP(""), {"krbPrincipalExpiration", "20200101000000Z"}}, ENDED},
    {"shadowExpire that is past refuses", .stored = {APP(""), {"shadowExpire", "18262"}}, ENDED},
    {"an end that cannot be read is an outage", .stored = {APP(""), {"pwdEndTime", "soon"}},
     UNCLEAR("pwdEndTime")},
    {"one that cannot be read is an outage with the account password too", .password = ACCOUNT,
     .stored = {{"accountExpires", "never"}}, UNCLEAR("accountExpires")},
    {"one that has ended refuses though another cannot be read",
     .stored = {APP(""), {"shadowExpire", "x"}, {"nsAccountLock", "TRUE"}}, ENDED},
    {"disabled_filter that does not match accepts", .disabled = OFF_IS_TRUE, .stored = {APP("")},
     BY_HASH_ACCEPTED},
    {"disabled_filter that matches refuses", .disabled = ON_IS_TRUE, .stored = {APP("")},
     REFUSED(ACCOUNT_DISABLED), .detail = "disabled_filter matches"},
    {"disabled_filter that is not answered is an outage", .disabled = NEITHER_IS_TRUE,
     .stored = {APP("")}, UNAVAILABLE(DIRECTORY_UNAVAILABLE), .names_entry = true,
     .detail = "neither disabled_filter " DISABLED " nor its negation"},
    {"an account that has ended is not asked for disabled_filter", .disabled = ON_IS_TRUE,
     .is_ended = true, .stored = {APP(""), {"nsAccountLock", "TRUE"}}, ENDED},
    {"a temporary lock does not stop an app password",
     .stored = {APP(""), {"pwdAccountLockedTime", "20261122101400Z"}}, BY_HASH_ACCEPTED},
};

static const struct scene app_password_scenes[] = {
    {"an app password is accepted", .stored = {APP("")}, BY_HASH_ACCEPTED},
    {"an app password without hyphens is accepted", .password = UNIT_PASSWORD, .stored = {APP("")},
     BY_HASH_ACCEPTED},
    {"an app password in upper case with spaces is accepted",
     .password = " K7Q2 9FJD X3MH 4TNZ P8WW ", .stored = {APP("")}, BY_HASH_ACCEPTED},
    {"an app password with en dashes is accepted",
     .password = "k7q2\xe2\x80\x93"
                 "9fjd\xe2\x80\x93x3mh\xe2\x80\x93"
                 "4tnz\xe2\x80\x93p8ww",
     .stored = {APP("")}, BY_HASH_ACCEPTED},
    {"an app password among others is accepted", .stored = {OTHER_APP, APP("")}, BY_HASH_ACCEPTED},
    {"the accepted name is the login as it came", .login = "Alice@Example.ORG", .stored = {APP("")},
     BY_HASH_ACCEPTED},
    {"a wrong app password is refused", .password = WRONG, .stored = {APP("")}, BY_HASH_REFUSED},
    {"a wrong app password never opens as an account password", .password = WRONG,
     .stored = {APP(""), OTHER_APP}, BY_HASH_REFUSED},
    {"an unusable value elsewhere does no harm",
     .stored = {{"appPassword", "id=0123 colour=red"},
                {"appPassword", "rubbish"},
                {"appPassword", ""},
                APP("")},
     BY_HASH_ACCEPTED},
    {"two unusable values of another id do no harm", .stored = {OTHER_APP, OTHER_APP, APP("")},
     BY_HASH_ACCEPTED},

    {"a second before it expires it is accepted", .now = "20270521235959Z",
     .stored = {APP(" expires=20270522000000Z")}, BY_HASH_ACCEPTED},
    {"at the second it expires it is refused", .now = "20270522000000Z",
     .stored = {APP(" expires=20270522000000Z")}, REFUSED(EXPIRED), .id = "k7q2"},
    {"a second after it expired it is refused", .now = "20270522000001Z",
     .stored = {APP(" expires=20270522000000Z")}, REFUSED(EXPIRED), .id = "k7q2"},
    {"a second before max_lifetime it is accepted", .now = "20270130235959Z",
     .max_lifetime_s = 91 * 86400, .stored = {APP("")}, BY_HASH_ACCEPTED},
    {"at the second of max_lifetime it is refused", .now = "20270131000000Z",
     .max_lifetime_s = 91 * 86400, .stored = {APP("")}, REFUSED(EXPIRED), .id = "k7q2"},
    {"past max_lifetime it is refused, though it expires later", .max_lifetime_s = 86400,
     .stored = {APP(" expires=20270522000000Z")}, REFUSED(EXPIRED), .id = "k7q2"},
    {"it expires before max_lifetime", .now = "20270522000000Z", .max_lifetime_s = 3650 * 86400,
     .stored = {APP(" expires=20270522000000Z")}, REFUSED(EXPIRED), .id = "k7q2"},
    {"within max_lifetime it may expire later", .max_lifetime_s = 3650 * 86400,
     .stored = {APP(" expires=20370522000000Z")}, BY_HASH_ACCEPTED},
    {"max_lifetime does not hide a wrong clock", .now = "20261030235959Z", .max_lifetime_s = 86400,
     .stored = {APP("")}, UNAVAILABLE(CLOCK), .id = "k7q2", .names_entry = true,
     .detail = "check this host's clock"},
    {"made in the future it lives for max_lifetime, too", .now = "20261031235959Z",
     .max_lifetime_s = 86400, .stored = {APP("")}, BY_HASH_ACCEPTED},
    {"made a second in the future it is accepted", .now = "20261031235959Z", .stored = {APP("")},
     BY_HASH_ACCEPTED},
    {"made a day in the future it is accepted", .now = "20261031000000Z", .stored = {APP("")},
     BY_HASH_ACCEPTED},
    {"made a day and a second in the future the clock is wrong", .now = "20261030235959Z",
     .stored = {APP("")}, UNAVAILABLE(CLOCK), .id = "k7q2", .names_entry = true,
     .detail = "check this host's clock"},
    {"with a clock in 1970 it is the clock that is wrong", .now = "19700101000000Z",
     .stored = {APP(" expires=20270522000000Z")}, UNAVAILABLE(CLOCK), .id = "k7q2",
     .names_entry = true, .detail = "clock"},

    {"a revoked app password is refused", .stored = {STONE("k7q2")}, REFUSED(REVOKED),
     .id = "k7q2"},
    {"a revoked app password without hyphens is refused", .password = UNIT_PASSWORD,
     .stored = {OTHER_APP, STONE("k7q2")}, REFUSED(REVOKED), .id = "k7q2"},
    {"one of the id of a revoked one is refused", .password = WRONG, .stored = {STONE("k7q2")},
     REFUSED(REVOKED), .id = "k7q2"},
    {"a revoked app password from an exempt network is refused",
     .account_password_from = "203.0.113.0/24", .stored = {STONE("k7q2")}, REFUSED(REVOKED),
     .id = "k7q2"},
    {"a tombstone after a value of the same id counts", .stored = {APP(""), STONE("k7q2")},
     REFUSED(REVOKED), .id = "k7q2"},
    {"a tombstone before a value of the same id counts", .stored = {STONE("k7q2"), APP("")},
     REFUSED(REVOKED), .id = "k7q2"},
    {"two tombstones of one id are one", .stored = {STONE("k7q2"), STONE("k7q2")}, REFUSED(REVOKED),
     .id = "k7q2"},
    {"a tombstone of another id does no harm", .stored = {STONE("0123"), APP("")},
     BY_HASH_ACCEPTED},
    {"a tombstone with a key more is unusable",
     .stored = {{"appPassword", "id=k7q2 created=20261101000000Z revoked=20261115000000Z "
                                "colour=red label=Laptop"}},
     UNUSABLE("hash= is missing")},

    {"its one service is accepted", .stored = {APP(" services=smtp")}, BY_HASH_ACCEPTED},
    {"one of its services is accepted", .service = "imap", .stored = {APP(" services=smtp,imap")},
     BY_HASH_ACCEPTED},
    {"another service is refused", .service = "imap", .stored = {APP(" services=smtp")},
     REFUSED(WRONG_SERVICE), .id = "k7q2"},
    {"submission is smtp", .service = "submission", .stored = {APP(" services=smtp")},
     BY_HASH_ACCEPTED},
    {"SMTPS is smtp", .service = "SMTPS", .stored = {APP(" services=smtp")}, BY_HASH_ACCEPTED},
    {"smtp is a stored submission", .stored = {APP(" services=submission")}, BY_HASH_ACCEPTED},
    {"managesieve is sieve", .service = "managesieve", .stored = {APP(" services=sieve")},
     BY_HASH_ACCEPTED},
    {"pop is pop3", .service = "pop", .stored = {APP(" services=imap,pop3")}, BY_HASH_ACCEPTED},
    {"a service that begins like another is refused", .service = "smtpd",
     .stored = {APP(" services=smtp")}, REFUSED(WRONG_SERVICE), .id = "k7q2"},
    {"an unknown service is refused", .service = nothing, .stored = {APP(" services=smtp")},
     REFUSED(WRONG_SERVICE), .id = "k7q2"},
    {"a service of odd characters is unknown", .service = "smtp,imap",
     .stored = {APP(" services=smtp")}, REFUSED(WRONG_SERVICE), .id = "k7q2"},
    {"an empty service is unknown", .service = "", .stored = {APP(" services=smtp")},
     REFUSED(WRONG_SERVICE), .id = "k7q2"},
    {"an unknown service may use one for all", .service = nothing, .stored = {APP("")},
     BY_HASH_ACCEPTED},

    {"from its IPv4 network it is accepted", .client = "192.0.2.255",
     .stored = {APP(" from=192.0.2.0/24")}, BY_HASH_ACCEPTED},
    {"beside its IPv4 network it is refused", .client = "192.0.3.0",
     .stored = {APP(" from=192.0.2.0/24")}, REFUSED(WRONG_NETWORK), .id = "k7q2"},
    {"from its IPv6 network it is accepted", .client = "2001:db8:ffff::1",
     .stored = {APP(" from=192.0.2.0/24,2001:db8::/32")}, BY_HASH_ACCEPTED},
    {"beside its IPv6 network it is refused", .client = "2001:db9::1",
     .stored = {APP(" from=192.0.2.0/24,2001:db8::/32")}, REFUSED(WRONG_NETWORK), .id = "k7q2"},
    {"an IPv4-mapped client counts as IPv4", .client = "::ffff:192.0.2.7",
     .stored = {APP(" from=192.0.2.0/24")}, BY_HASH_ACCEPTED},
    {"an IPv4 client is in an IPv4-mapped network", .client = "192.0.2.7",
     .stored = {APP(" from=::ffff:192.0.2.0/120")}, BY_HASH_ACCEPTED},
    {"an IPv4-mapped client is in no IPv6 network", .client = "::ffff:192.0.2.7",
     .stored = {APP(" from=::/0")}, REFUSED(WRONG_NETWORK), .id = "k7q2"},
    {"a single address is a network", .client = "198.51.100.7",
     .stored = {APP(" from=198.51.100.7")}, BY_HASH_ACCEPTED},
    {"an unknown client is refused where there is a network", .client = nothing,
     .stored = {APP(" from=0.0.0.0/0,::/0")}, REFUSED(WRONG_NETWORK), .id = "k7q2"},
    {"a client that is no address is unknown", .client = "localhost",
     .stored = {APP(" from=0.0.0.0/0,::/0")}, REFUSED(WRONG_NETWORK), .id = "k7q2"},
    {"an unknown client is accepted where there is no network", .client = nothing,
     .stored = {APP("")}, BY_HASH_ACCEPTED},
};

/* Corrects one step of row 6 after the other. */
#define MADE(created, keys)                                                                        \
    {                                                                                              \
        "appPassword", "id=k7q2 created=" created keys " hash={ARGON2}" UNIT_PHC " label=Laptop"   \
    }

static const struct scene order_scenes[] = {
    {"unusable comes before all", .password = WRONG, .service = "imap", .client = nothing,
     .stored = {MADE("20271101000000Z",
                     " expires=20260101000000Z services=smtp from=192.0.2.0/33")},
     UNUSABLE("from=")},
    {"the clock comes before expired", .password = WRONG, .service = "imap", .client = nothing,
     .stored = {MADE("20271101000000Z",
                     " expires=20260101000000Z services=smtp from=192.0.2.0/24")},
     UNAVAILABLE(CLOCK), .id = "k7q2", .names_entry = true, .detail = "clock"},
    {"expired comes before wrong service", .password = WRONG, .service = "imap", .client = nothing,
     .stored = {MADE("20251101000000Z",
                     " expires=20260101000000Z services=smtp from=192.0.2.0/24")},
     REFUSED(EXPIRED), .id = "k7q2"},
    {"wrong service comes before wrong network", .password = WRONG, .service = "imap",
     .client = nothing, .stored = {MADE("20251101000000Z", " services=smtp from=192.0.2.0/24")},
     REFUSED(WRONG_SERVICE), .id = "k7q2"},
    {"wrong network comes before the hash", .password = WRONG, .client = nothing,
     .stored = {MADE("20251101000000Z", " services=smtp from=192.0.2.0/24")},
     REFUSED(WRONG_NETWORK), .id = "k7q2"},
    {"the hash comes last", .password = WRONG, .client = "192.0.2.1",
     .stored = {MADE("20251101000000Z", " services=smtp from=192.0.2.0/24")}, BY_HASH_REFUSED},
    {"max_lifetime comes before a changed account password", .revoke_on_password_change = true,
     .max_lifetime_s = 86400,
     .stored = {MADE("20251101000000Z", ""), {"pwdChangedTime", "20261115000000Z"}},
     REFUSED(EXPIRED), .id = "k7q2"},
    {"max_lifetime comes before wrong service", .service = "imap", .max_lifetime_s = 86400,
     .stored = {MADE("20251101000000Z", " services=smtp")}, REFUSED(EXPIRED), .id = "k7q2"},
    {"expired comes before a changed account password", .revoke_on_password_change = true,
     .stored = {MADE("20251101000000Z", " expires=20260101000000Z"),
                {"pwdChangedTime", "20261115000000Z"}},
     REFUSED(EXPIRED), .id = "k7q2"},
    {"a changed account password comes before wrong service", .service = "imap",
     .revoke_on_password_change = true,
     .stored = {MADE("20251101000000Z", " services=smtp"), {"pwdChangedTime", "20261115000000Z"}},
     REFUSED(PASSWORD_CHANGED), .id = "k7q2"},
    {"disabled comes before everything of the app password",
     .stored = {MADE("20271101000000Z", " expires=20260101000000Z"), {"nsAccountLock", "TRUE"}},
     ENDED},
};

/* The account password was changed at that time. */
#define CHANGED(time)                                                                              \
    .revoke_on_password_change = true, .stored = {APP(""), {"pwdChangedTime", time}}

static const struct scene change_scenes[] = {
    {"one made before the change is refused", CHANGED("20261101000001Z"), REFUSED(PASSWORD_CHANGED),
     .id = "k7q2"},
    {"without the right secret, too", .password = WRONG, CHANGED("20261101000001Z"),
     REFUSED(PASSWORD_CHANGED), .id = "k7q2"},
    {"one made in the same second is accepted", CHANGED("20261101000000Z"), BY_HASH_ACCEPTED},
    {"one made after it is accepted", CHANGED("20261031235959Z"), BY_HASH_ACCEPTED},
    {"a change that nobody asked about is no reason",
     .stored = {APP(""), {"pwdChangedTime", "20261115000000Z"}}, BY_HASH_ACCEPTED},
    {"a change that is still to come refuses all", .revoke_on_password_change = true,
     .stored = {APP(""), {"pwdLastSet", "0"}}, REFUSED(PASSWORD_CHANGED), .id = "k7q2"},
    {"an entry that does not tell is an outage", .revoke_on_password_change = true,
     .stored = {APP("")}, UNAVAILABLE(DIRECTORY_UNAVAILABLE), .id = "k7q2", .names_entry = true,
     .detail = "neither pwdChangedTime"},
    {"an invalid time is an outage", CHANGED("x"), UNAVAILABLE(DIRECTORY_UNAVAILABLE), .id = "k7q2",
     .names_entry = true, .detail = "pwdChangedTime is invalid"},
    {"the account password needs no time", .password = ACCOUNT, .mfa = MFA_IS_OFF,
     .revoke_on_password_change = true, .stored = {APP("")}, .bind = BIND_OK,
     ACCEPTED(ACCOUNT_PASSWORD)},
};

#define HASHED(phc)                                                                                \
    {                                                                                              \
        "appPassword", "id=k7q2 created=20261101000000Z hash={ARGON2}" phc " label=Laptop"         \
    }
#define COST(memory, passes)                                                                       \
    HASHED("$argon2id$v=19$m=" memory ",t=" passes ",p=1$" UNIT_SALT "$" UNIT_OUTPUT)

/* test_record has all kinds; this tests their verdicts. */
static const struct scene unusable_scenes[] = {
    {"an unknown key", .stored = {APP(" colour=red")}, UNUSABLE("unknown, repeated or misplaced")},
    {"a repeated key", .stored = {APP(" expires=20270522000000Z expires=20280522000000Z")},
     UNUSABLE("unknown, repeated or misplaced")},
    {"keys in another order", .stored = {APP(" from=::/0 services=smtp")},
     UNUSABLE("unknown, repeated or misplaced")},
    {"a missing hash", .stored = {{"appPassword", "id=k7q2 created=20261101000000Z label=Laptop"}},
     UNUSABLE("hash= is missing")},
    {"a missing label",
     .stored = {{"appPassword", "id=k7q2 created=20261101000000Z hash={ARGON2}" UNIT_PHC}},
     UNUSABLE("label= is missing")},
    {"a missing created",
     .stored = {{"appPassword", "id=k7q2 hash={ARGON2}" UNIT_PHC " label=Laptop"}},
     UNUSABLE("created=")},
    {"a time that is invalid", .stored = {APP(" expires=never")}, UNUSABLE("expires=")},
    {"services that are none", .stored = {APP(" services=*")}, UNUSABLE("services=")},
    {"a network that is invalid", .stored = {APP(" from=192.0.2.1/24")}, UNUSABLE("from=")},
    {"a hash without its scheme",
     .stored = {{"appPassword", "id=k7q2 created=20261101000000Z hash=" UNIT_PHC " label=Laptop"}},
     UNUSABLE("{ARGON2}")},
    {"an argon2i hash",
     .stored = {HASHED("$argon2i$v=19$m=8,t=3,p=1$" UNIT_SALT
                       "$AeM7OtFCOppj0q4/ICDAvIM489IWsNOjootCrwyguiQ")},
     UNUSABLE("not argon2id")},
    {"memory over four times that of new ones", .stored = {COST("32769", "1")},
     UNUSABLE("32769 KiB and 1 passes, over the cap of 32768 KiB and 4 passes")},
    {"passes over four times those of new ones", .stored = {COST("8", "5")},
     UNUSABLE("8 KiB and 5 passes, over the cap of 32768 KiB and 4 passes")},
    {"a cost that was right before the site lowered its own", .stored = {COST("65536", "2")},
     .hash_memory_mib = 8, .hash_passes = 2, UNUSABLE("over the cap of 32768 KiB and 8 passes")},
    {"memory over the cap of a site that spends most", .stored = {COST("262145", "1")},
     .hash_memory_mib = 256, .hash_passes = 10,
     UNUSABLE("over the cap of 262144 KiB and 10 passes")},
    {"passes over the cap of a site that spends most", .stored = {COST("8", "11")},
     .hash_memory_mib = 256, .hash_passes = 10,
     UNUSABLE("over the cap of 262144 KiB and 10 passes")},
    {"a hash that is cut short", .stored = {HASHED("$argon2id$v=19$m=8,t=1,p=1$" UNIT_SALT)},
     UNUSABLE("as libsodium writes it")},
    {"two values with one id", .stored = {APP(""), APP("")}, UNUSABLE("2 values have the id k7q2")},
    {"two values with one id, one of them unusable",
     .stored = {APP(""), {"appPassword", "id=k7q2 colour=red"}},
     UNUSABLE("2 values have the id k7q2")},
    {"three values with one id among others",
     .stored = {APP(" expires=20200101000000Z"), OTHER_APP, APP(""), APP("")},
     UNUSABLE("3 values have the id k7q2")},
};

/* Wrong, but hashed. */
static const struct scene cost_scenes[] = {
    {"four times the memory of new ones", .stored = {COST("32768", "1")}, BY_HASH_REFUSED},
    {"four times the passes of new ones", .stored = {COST("8", "4")}, BY_HASH_REFUSED},
    {"four times both", .stored = {COST("4096", "4")}, .hash_memory_mib = 1, .hash_passes = 1,
     BY_HASH_REFUSED},
    {"less than new ones, since the site raised its own", .stored = {COST("16", "1")},
     .hash_memory_mib = 64, .hash_passes = 3, BY_HASH_REFUSED},
    {"more than four times the default where new ones cost more", .stored = {COST("40960", "5")},
     .hash_memory_mib = 10, .hash_passes = 2, BY_HASH_REFUSED},
};

#define WITH_MFA_ON .mfa = MFA_IS_ON
#define FROM(time)                                                                                 \
    {                                                                                              \
        "appPasswordMfaEnforceFrom", time                                                          \
    }
#define BY_BIND     .bind = BIND_OK, ACCEPTED(ACCOUNT_PASSWORD)
#define MFA_REFUSED REFUSED(ACCOUNT_PASSWORD_WITH_MFA)
#define AD_USER                                                                                    \
    .is_active_directory = true, .stored = {{"userAccountControl", "512"}, {"accountExpires", "0"}}
#define UNREADABLE(why) UNAVAILABLE(MFA_UNREADABLE), .names_entry = true, .detail = why

static const struct scene account_password_scenes[] = {
    {"the account password of a user without MFA is accepted", .password = ACCOUNT,
     .mfa = MFA_IS_OFF, BY_BIND},
    {"it is accepted though there are app passwords", .password = ACCOUNT, .stored = {APP("")},
     .mfa = MFA_IS_OFF, BY_BIND},
    {"a wrong account password is refused", .password = ACCOUNT, .mfa = MFA_IS_OFF,
     .bind = BIND_WRONG, REFUSED(WRONG_ACCOUNT_PASSWORD)},
    {"a locked account is refused", .password = ACCOUNT, .mfa = MFA_IS_OFF, .bind = BIND_LOCKED,
     REFUSED(ACCOUNT_LOCKED)},
    {"an account password that must be changed is refused", .password = ACCOUNT, .mfa = MFA_IS_OFF,
     .bind = BIND_MUST_CHANGE, REFUSED(PASSWORD_MUST_CHANGE)},
    {"a bind without an answer is an outage", .password = ACCOUNT, .mfa = MFA_IS_OFF,
     .bind = BIND_LOST, UNAVAILABLE(DIRECTORY_UNAVAILABLE), .detail = "no answer in time"},
    {"the account password of an MFA user is refused untried", .password = ACCOUNT, WITH_MFA_ON,
     MFA_REFUSED},
    {"the account password of an MFA user with app passwords is refused untried",
     .password = ACCOUNT, .stored = {APP(""), OTHER_APP}, WITH_MFA_ON, MFA_REFUSED},
    {"an unreadable MFA flag is an outage", .password = ACCOUNT, .mfa = MFA_IS_HIDDEN,
     UNREADABLE("neither mfa_filter " MFA " nor its negation")},

    {"an app password as shown without a value is never tried with MFA off", .password = SHOWN,
     .stored = {APP("")}, REFUSED(UNKNOWN_APP_PASSWORD)},
    {"nor without any value", .password = SHOWN, REFUSED(UNKNOWN_APP_PASSWORD)},
    {"nor with MFA on", .password = SHOWN, .stored = {APP("")}, REFUSED(UNKNOWN_APP_PASSWORD)},
    {"nor where MFA is unreadable", .password = SHOWN, .stored = {FROM("soon")},
     REFUSED(UNKNOWN_APP_PASSWORD)},
    {"nor before MFA is enforced", .password = SHOWN, .stored = {FROM("20271201000000Z")},
     REFUSED(UNKNOWN_APP_PASSWORD)},
    {"nor in report mode", .password = SHOWN, .enforcement = APW_MFA_REPORT,
     REFUSED(UNKNOWN_APP_PASSWORD)},
    {"nor from an exempt network", .password = SHOWN, .account_password_from = "203.0.113.0/24",
     REFUSED(UNKNOWN_APP_PASSWORD)},
    {"nor where account passwords never open", .password = SHOWN,
     .account_password = APW_ACCOUNT_PASSWORD_NEVER, REFUSED(UNKNOWN_APP_PASSWORD)},
    {"in Active Directory, it is refused with MFA on", .password = SHOWN, AD_USER, WITH_MFA_ON,
     REFUSED(UNKNOWN_APP_PASSWORD)},
    {"and with MFA off", .password = SHOWN, AD_USER, .mfa = MFA_IS_OFF,
     REFUSED(UNKNOWN_APP_PASSWORD)},
    {"and is an outage where it may be hidden with the flag", .password = SHOWN, AD_USER,
     .mfa = MFA_IS_HIDDEN, UNREADABLE("neither mfa_filter " MFA " nor mfa_off_filter " OFF)},
    {"and is refused where account passwords never open", .password = SHOWN, AD_USER,
     .account_password = APW_ACCOUNT_PASSWORD_NEVER, REFUSED(UNKNOWN_APP_PASSWORD)},
    {"an app-shaped account password in upper case is tried",
     .password = "ZZZZ-0000-0000-0000-0004", .mfa = MFA_IS_OFF, BY_BIND},
    {"one with a space after it is tried", .password = SHOWN " ", .mfa = MFA_IS_OFF, BY_BIND},
    {"one with o for 0 is tried", .password = "zzzz-000o-0000-0000-0004", .mfa = MFA_IS_OFF,
     BY_BIND},
    {"one as shown but for its check symbol is tried", .password = "zzzz-0000-0000-0000-0005",
     .mfa = MFA_IS_OFF, BY_BIND, .is_no_app_password = true},
    {"an app-shaped account password is accepted with MFA off", .password = UNIT_PASSWORD,
     .mfa = MFA_IS_OFF, BY_BIND},
    {"an app-shaped account password beside other app passwords is accepted with MFA off",
     .password = UNKNOWN, .stored = {APP("")}, .mfa = MFA_IS_OFF, BY_BIND},
    {"an unknown app password is refused with MFA off", .password = UNKNOWN, .stored = {APP("")},
     .mfa = MFA_IS_OFF, .bind = BIND_WRONG, REFUSED(WRONG_ACCOUNT_PASSWORD)},
    {"an unknown app password is refused with MFA on", .password = UNKNOWN, .stored = {APP("")},
     WITH_MFA_ON, REFUSED(UNKNOWN_APP_PASSWORD)},
    {"a revoked app password is refused",
     .stored = {{"appPasswordUsed", "id=k7q2 at=20261120070000Z service=smtp"}},
     .password = UNIT_PASSWORD, WITH_MFA_ON, REFUSED(UNKNOWN_APP_PASSWORD)},
    {"a value with an attribute option is no app password",
     .stored = {{"appPassword;x-old", VALUE("")}}, .password = UNIT_PASSWORD, WITH_MFA_ON,
     REFUSED(UNKNOWN_APP_PASSWORD)},
    {"an app password with an unreadable MFA flag is accepted all the same", .stored = {APP("")},
     BY_HASH_ACCEPTED},
    {"an unknown app password with an unreadable MFA flag is an outage", .password = UNKNOWN,
     .stored = {APP("")}, .mfa = MFA_IS_HIDDEN, UNREADABLE("neither")},

    {"a second before MFA is enforced the account password is accepted", .password = ACCOUNT,
     .now = "20261130235959Z", .stored = {FROM("20261201000000Z")}, WITH_MFA_ON, BY_BIND,
     .would_refuse = true},
    {"at the second MFA is enforced it is refused", .password = ACCOUNT, .now = "20261201000000Z",
     .stored = {FROM("20261201000000Z")}, WITH_MFA_ON, MFA_REFUSED},
    {"a second after MFA is enforced it is refused", .password = ACCOUNT, .now = "20261201000001Z",
     .stored = {FROM("20261201000000Z")}, WITH_MFA_ON, MFA_REFUSED},
    {"the announcement may have a zone", .password = ACCOUNT, .now = "20261130225959Z",
     .stored = {FROM("20261201000000+0100")}, WITH_MFA_ON, BY_BIND, .would_refuse = true},
    {"at the second of an announcement with a zone", .password = ACCOUNT, .now = "20261130230000Z",
     .stored = {FROM("20261201000000+0100")}, WITH_MFA_ON, MFA_REFUSED},
    {"an announcement by a clock in 1970 is an outage", .password = ACCOUNT,
     .now = "19700101000000Z", .stored = {FROM("20261201000000Z")}, WITH_MFA_ON, UNAVAILABLE(CLOCK),
     .names_entry = true, .detail = "check it"},
    {"an announcement by a clock behind an app password is an outage", .password = ACCOUNT,
     .now = "20261030235959Z", .stored = {FROM("20261201000000Z"), APP("")}, WITH_MFA_ON,
     UNAVAILABLE(CLOCK), .names_entry = true, .detail = "check it"},
    {"an announcement by a clock behind a tombstone is an outage", .password = ACCOUNT,
     .now = "20261110000000Z", .stored = {FROM("20261201000000Z"), STONE("0123")}, WITH_MFA_ON,
     UNAVAILABLE(CLOCK), .names_entry = true, .detail = "check it"},
    {"an announcement by a clock a day behind an app password is one", .password = ACCOUNT,
     .now = "20261031000000Z", .stored = {FROM("20261201000000Z"), APP("")}, WITH_MFA_ON, BY_BIND,
     .would_refuse = true},
    {"an announcement by a clock behind a last use is an outage", .password = ACCOUNT,
     .now = "20261030235959Z",
     .stored = {FROM("20261201000000Z"), {"appPasswordUsed", "id=k7q2 at=20261101000000Z"}},
     WITH_MFA_ON, UNAVAILABLE(CLOCK), .names_entry = true, .detail = "check it"},
    {"with a clock in 1970 report mode accepts and tells", .password = ACCOUNT,
     .now = "19700101000000Z", .stored = {FROM("20261201000000Z")}, .enforcement = APW_MFA_REPORT,
     WITH_MFA_ON, BY_BIND, .would_refuse = true},
    {"an announcement that makes no sense is an outage", .password = ACCOUNT,
     .stored = {FROM("soon")}, WITH_MFA_ON,
     UNREADABLE("appPasswordMfaEnforceFrom is not one GeneralizedTime")},
    {"an empty announcement is an outage", .password = ACCOUNT, .stored = {FROM("")}, WITH_MFA_ON,
     UNREADABLE("appPasswordMfaEnforceFrom")},
    {"two announcements are an outage", .password = ACCOUNT,
     .stored = {FROM("20271201000000Z"), FROM("20271202000000Z")}, WITH_MFA_ON,
     UNREADABLE("appPasswordMfaEnforceFrom")},
    {"an announcement without MFA says nothing", .password = ACCOUNT,
     .stored = {FROM("20251201000000Z")}, .mfa = MFA_IS_OFF, BY_BIND},
    {"an announcement that makes no sense does no harm without MFA", .password = ACCOUNT,
     .stored = {FROM("soon")}, .mfa = MFA_IS_OFF, BY_BIND},
    {"an announcement does not weaken the account password", .password = ACCOUNT,
     .stored = {FROM("20271201000000Z")}, WITH_MFA_ON, .bind = BIND_WRONG,
     REFUSED(WRONG_ACCOUNT_PASSWORD)},
    {"an app password is accepted before MFA is enforced",
     .stored = {APP(""), FROM("20271201000000Z")}, BY_HASH_ACCEPTED},

    {"report mode accepts and tells", .password = ACCOUNT, .enforcement = APW_MFA_REPORT,
     WITH_MFA_ON, BY_BIND, .would_refuse = true},
    {"report mode has nothing to tell without MFA", .password = ACCOUNT,
     .enforcement = APW_MFA_REPORT, .mfa = MFA_IS_OFF, BY_BIND},
    {"report mode refuses a wrong account password and tells no more", .password = ACCOUNT,
     .enforcement = APW_MFA_REPORT, WITH_MFA_ON, .bind = BIND_WRONG,
     REFUSED(WRONG_ACCOUNT_PASSWORD)},
    {"report mode with an unreadable flag is an outage", .password = ACCOUNT,
     .enforcement = APW_MFA_REPORT, .mfa = MFA_IS_HIDDEN, UNREADABLE("neither")},
    {"report mode with an app-shaped account password tells too", .password = UNKNOWN,
     .enforcement = APW_MFA_REPORT, .stored = {APP("")}, WITH_MFA_ON, BY_BIND,
     .would_refuse = true},
    {"report mode does not weaken a wrong app password", .password = WRONG,
     .enforcement = APW_MFA_REPORT, .stored = {APP("")}, BY_HASH_REFUSED},

    {"never refuses the account password with MFA off", .password = ACCOUNT,
     .account_password = APW_ACCOUNT_PASSWORD_NEVER, .mfa = MFA_IS_OFF,
     REFUSED(ACCOUNT_PASSWORD_NEVER)},
    {"never refuses the account password with MFA on", .password = ACCOUNT,
     .account_password = APW_ACCOUNT_PASSWORD_NEVER, WITH_MFA_ON, MFA_REFUSED},
    {"never wins over report", .password = ACCOUNT, .enforcement = APW_MFA_REPORT,
     .account_password = APW_ACCOUNT_PASSWORD_NEVER, WITH_MFA_ON, REFUSED(ACCOUNT_PASSWORD_NEVER)},
    {"never wins over an announcement", .password = ACCOUNT, .stored = {FROM("20271201000000Z")},
     .account_password = APW_ACCOUNT_PASSWORD_NEVER, WITH_MFA_ON, REFUSED(ACCOUNT_PASSWORD_NEVER)},
    {"with never, the log tells a revoked app password from an account password",
     .password = UNIT_PASSWORD, .account_password = APW_ACCOUNT_PASSWORD_NEVER, .mfa = MFA_IS_OFF,
     REFUSED(UNKNOWN_APP_PASSWORD)},
    {"never lets an app password in", .stored = {APP("")},
     .account_password = APW_ACCOUNT_PASSWORD_NEVER, BY_HASH_ACCEPTED},
    {"never with an unreadable flag is an outage", .password = ACCOUNT,
     .account_password = APW_ACCOUNT_PASSWORD_NEVER, .mfa = MFA_IS_HIDDEN, UNREADABLE("neither")},

    {"from an exempt network the account password passes with MFA on", .password = ACCOUNT,
     .account_password_from = "198.51.100.0/24 203.0.113.0/24", WITH_MFA_ON, BY_BIND,
     .is_exempt = true},
    {"from an exempt IPv6 network", .password = ACCOUNT, .client = "2001:db8::1",
     .account_password_from = "198.51.100.0/24 2001:db8::/32", WITH_MFA_ON, BY_BIND,
     .is_exempt = true},
    {"from an exempt network as IPv4-mapped", .password = ACCOUNT, .client = "::ffff:203.0.113.7",
     .account_password_from = "203.0.113.0/24", WITH_MFA_ON, BY_BIND, .is_exempt = true},
    {"from beside an exempt network it is refused", .password = ACCOUNT,
     .account_password_from = "203.0.113.0/32 203.0.113.8/29", WITH_MFA_ON, MFA_REFUSED},
    {"from an unknown client it is refused", .password = ACCOUNT, .client = nothing,
     .account_password_from = "0.0.0.0/0 ::/0", WITH_MFA_ON, MFA_REFUSED},
    {"an exempt network is not told with MFA off", .password = ACCOUNT,
     .account_password_from = "203.0.113.0/24", .mfa = MFA_IS_OFF, BY_BIND},
    {"an exempt network is not told in report mode, nor would it be refused", .password = ACCOUNT,
     .enforcement = APW_MFA_REPORT, .account_password_from = "203.0.113.0/24", WITH_MFA_ON,
     BY_BIND},
    {"an exempt network passes never", .password = ACCOUNT,
     .account_password = APW_ACCOUNT_PASSWORD_NEVER, .account_password_from = "203.0.113.0/24",
     .mfa = MFA_IS_OFF, BY_BIND, .is_exempt = true},
    {"an exempt network needs a readable flag", .password = ACCOUNT,
     .account_password_from = "203.0.113.0/24", .mfa = MFA_IS_HIDDEN, UNREADABLE("neither")},
    {"an exempt network does not help a disabled account", .password = ACCOUNT,
     .account_password_from = "203.0.113.0/24", .stored = {{"nsAccountLock", "TRUE"}}, ENDED},
    {"an app-shaped account password passes from an exempt network", .password = UNIT_PASSWORD,
     .account_password_from = "203.0.113.0/24", WITH_MFA_ON, BY_BIND, .is_exempt = true},
};

#define BOOKS                                                                                      \
    "al@b\xc3\xbc"                                                                                 \
    "cher.example"

static const struct scene name_scenes[] = {
    {"the accepted name is login_attribute's value", .login = "alice@example.org",
     .is_name_asked = true, .login_attribute = "uid", .stored = {APP(""), {"uid", "alice"}},
     BY_HASH_ACCEPTED, .accepted_name = "alice"},
    {"login_attribute names who came with the account password", .login = "ALICE",
     .is_name_asked = true, .login_attribute = "uid", .password = ACCOUNT,
     .stored = {{"uid", "alice"}}, .mfa = MFA_IS_OFF, BY_BIND, .accepted_name = "alice"},
    {"login_attribute is found in other case", .is_name_asked = true, .login_attribute = "uid",
     .stored = {APP(""), {"UID", "a"}}, BY_HASH_ACCEPTED, .accepted_name = "a"},
    {"a missing login_attribute is an outage", .login_attribute = "uid", .stored = {APP("")},
     UNAVAILABLE(NO_NAME), .id = "k7q2", .hashes = 1, .names_entry = true,
     .detail = "login_attribute uid has no value"},
    {"of several values the one that was typed is the name", .login_attribute = "mail",
     .login = "al@example.org",
     .stored = {APP(""), {"mail", "alice@example.org"}, {"mail", "al@example.org"}},
     BY_HASH_ACCEPTED, .accepted_name = "al@example.org"},
    {"in other case it is the name as it is stored", .login_attribute = "mail",
     .login = "AL@example.ORG", .is_name_asked = true,
     .stored = {APP(""), {"mail", "alice@example.org"}, {"mail", "Al@example.org"}},
     BY_HASH_ACCEPTED, .accepted_name = "Al@example.org"},
    {"with the account password too", .login_attribute = "mail", .login = "AL@example.org",
     .is_name_asked = true, .password = ACCOUNT,
     .stored = {{"mail", "al@example.org"}, {"mail", "alice@example.org"}}, .mfa = MFA_IS_OFF,
     BY_BIND, .accepted_name = "al@example.org"},
    {"of both forms of a domain the typed one is the name", .login_attribute = "mail",
     .login = BOOKS, .stored = {APP(""), {"mail", "al@xn--bcher-kva.example"}, {"mail", BOOKS}},
     BY_HASH_ACCEPTED, .accepted_name = BOOKS},
    {"a letter beyond ASCII has no other case", .login_attribute = "mail",
     .login = "\xc3\x85se@example.org",
     .stored = {APP(""), {"mail", "\xc3\xa5se@example.org"}, {"mail", "a@example.org"}},
     UNAVAILABLE(NO_NAME), .id = "k7q2", .hashes = 1, .names_entry = true,
     .detail = "login_attribute mail has 2 values here, and what was typed is not"},
    {"of several values none was typed: an outage", .login_attribute = "mail",
     .stored = {APP(""), {"mail", "alice@example.org"}, {"mail", "al@example.org"}},
     UNAVAILABLE(NO_NAME), .id = "k7q2", .hashes = 1, .names_entry = true,
     .detail = "login_attribute mail has 2 values here, and what was typed is not"},
    {"the beginning of a value is not the value", .login_attribute = "mail", .login = "al",
     .stored = {APP(""), {"mail", "al@example.org"}, {"mail", "alice"}}, UNAVAILABLE(NO_NAME),
     .id = "k7q2", .hashes = 1, .names_entry = true, .detail = "has 2 values"},
    {"of several values two were typed: an outage", .login_attribute = "uid",
     .stored = {APP(""), {"uid", "alice"}, {"uid", "Alice"}}, UNAVAILABLE(NO_NAME), .id = "k7q2",
     .hashes = 1, .names_entry = true, .detail = "login_attribute uid has 2 values here"},
    {"a value beside it that cannot be a name does no harm", .login_attribute = "uid",
     .stored = {APP(""), {"uid", "al\nice"}, {"uid", "alice"}}, BY_HASH_ACCEPTED},

#define AMBIGUOUS UNAVAILABLE(AMBIGUOUS_NAME), .is_name_asked = true, .names_entry = true
    {"a name that leads to another entry too is an outage", .login = "sam@b.test",
     .login_attribute = "uid", .stored = {APP(""), {"uid", "sam"}}, .leads = LEADS_TWICE, AMBIGUOUS,
     .detail = "accepted name \"sam\": " OTHER_DN},
    {"whichever of them comes first", .login = "sam@b.test", .login_attribute = "uid",
     .stored = {APP(""), {"uid", "sam"}}, .leads = LEADS_TWICE_LAST, AMBIGUOUS,
     .detail = "accepted name \"sam\": " OTHER_DN},
    {"a name that leads to another entry alone is an outage", .login = "sam@b.test",
     .login_attribute = "uid", .stored = {APP(""), {"uid", "sam"}}, .leads = LEADS_ELSEWHERE,
     AMBIGUOUS, .detail = "accepted name \"sam\": " OTHER_DN},
    {"a name that leads nowhere is an outage", .login = "sam@b.test", .login_attribute = "uid",
     .stored = {APP(""), {"uid", "sam"}}, .leads = LEADS_NOWHERE, AMBIGUOUS,
     .detail = "finds no entry by the accepted name \"sam\""},
    {"so it is with the account password, which is not tried", .login = "sam@b.test",
     .password = ACCOUNT, .login_attribute = "uid", .stored = {{"uid", "sam"}},
     .leads = LEADS_TWICE, AMBIGUOUS, .detail = OTHER_DN},
    {"with a wrong app password, which is not hashed", .login = "sam@b.test", .password = WRONG,
     .login_attribute = "uid", .stored = {APP(""), {"uid", "sam"}}, .leads = LEADS_TWICE, AMBIGUOUS,
     .detail = OTHER_DN},
    {"and for an account that has ended", .login = "sam@b.test", .login_attribute = "uid",
     .stored = {APP(""), {"uid", "sam"}, {"nsAccountLock", "TRUE"}}, .leads = LEADS_TWICE,
     AMBIGUOUS, .detail = OTHER_DN},
    {"one of several values that is typed in other case leads back", .login = "SAM",
     .login_attribute = "uid", .stored = {APP(""), {"uid", "sam"}, {"uid", "s"}},
     .leads = LEADS_TWICE, AMBIGUOUS, .detail = OTHER_DN},
    {"a name that was typed is not looked up again", .login = "sam", .login_attribute = "uid",
     .stored = {APP(""), {"uid", "sam"}}, .leads = LEADS_TWICE, BY_HASH_ACCEPTED},
    {"without login_attribute nothing is looked up again", .login = "sam", .stored = {APP("")},
     .leads = LEADS_TWICE, BY_HASH_ACCEPTED},
    {"a login_attribute with an option alone is missing", .login_attribute = "uid",
     .stored = {APP(""), {"uid;lang-en", "alice"}}, UNAVAILABLE(NO_NAME), .id = "k7q2", .hashes = 1,
     .names_entry = true, .detail = "login_attribute uid has no value"},
    {"an empty login_attribute is an outage", .login_attribute = "uid",
     .stored = {APP(""), {"uid", ""}}, UNAVAILABLE(NO_NAME), .id = "k7q2", .hashes = 1,
     .names_entry = true, .detail = "not a name"},
    {"a login_attribute with a line end is an outage", .login_attribute = "uid",
     .stored = {APP(""), {"uid", "alice\nroot"}}, UNAVAILABLE(NO_NAME), .id = "k7q2", .hashes = 1,
     .names_entry = true, .detail = "not a name"},
    {"a missing login_attribute is an outage with the account password too",
     .login_attribute = "uid", .password = ACCOUNT, .mfa = MFA_IS_OFF, .bind = BIND_OK,
     UNAVAILABLE(NO_NAME), .names_entry = true, .detail = "login_attribute uid"},
    {"a missing login_attribute does not change a refusal", .login_attribute = "uid",
     .password = WRONG, .stored = {APP("")}, BY_HASH_REFUSED},
    {"nor is it told of an announced MFA", .login_attribute = "uid", .password = ACCOUNT,
     .enforcement = APW_MFA_REPORT, WITH_MFA_ON, .bind = BIND_OK, UNAVAILABLE(NO_NAME),
     .names_entry = true, .detail = "login_attribute uid"},
};

/* ---- row 1 ---- */

#define BYTES(text) text, sizeof text - 1

static const struct malformed_case {
    const char *name;
    const char *login;
    size_t login_length;
    const char *password;
    size_t password_length;
} malformed_cases[] = {
    {"an empty login is malformed", BYTES(""), BYTES("x")},
    {"a blank login is malformed", BYTES("  "), BYTES("x")},
    {"a login of ideographic spaces is malformed", BYTES("\xe3\x80\x80\xe3\x80\x80"), BYTES("x")},
    {"a login that is not UTF-8 is malformed", BYTES("Andr\xe9"), BYTES("x")},
    {"a login with a NUL is malformed", BYTES("alice\0x"), BYTES("x")},
    {"a login with a line end is malformed", BYTES("alice\n"), BYTES("x")},
    {"a login with DEL is malformed", BYTES("ali\x7f"), BYTES("x")},
    {"a login with C1 is malformed", BYTES("ali\xc2\x85"), BYTES("x")},
    {"an empty password is malformed", BYTES("alice"), BYTES("")},
    {"a password with a NUL is malformed", BYTES("alice"), BYTES("secret\0more")},
    {"a password that ends in a NUL is malformed", BYTES("alice"), BYTES(UNIT_SHOWN "\0")},
    {"a password that begins with a NUL is malformed", BYTES("alice"), BYTES("\0" UNIT_SHOWN)},
    {"a password of one NUL is malformed", BYTES("alice"), BYTES("\0")},
    {"nothing at all is malformed", BYTES(""), BYTES("")},
};

static const struct scene open_scene = {.stored = {APP("")}};

static struct apw_decision decide(const struct apw_config *config, const char *login,
                                  size_t login_length, const char *password, size_t password_length)
{
    const struct apw_attempt attempt = {.login = login,
                                        .login_length = login_length,
                                        .password = password,
                                        .password_length = password_length};
    struct apw_decision decision;

    apw_verify(config, &world, &attempt, DEADLINE, &decision);
    assert_consistent(&decision);
    return decision;
}

static void assert_nothing_asked(void)
{
    assert_int_equal(searches, 0);
    assert_int_equal(binds, 0);
    assert_int_equal(hashes, 0);
}

static void test_malformed(void **state)
{
    const struct malformed_case *row = *state;
    struct apw_config config = make_config(&open_scene);
    const struct apw_config *configs[] = {&config, NULL};
    char *login = unit_copy(row->login, row->login_length),
         *password = unit_copy(row->password, row->password_length);

    for (size_t i = 0; i < UNIT_COUNT(configs); i++) {
        struct apw_decision decision;

        reset_world(&open_scene);
        decision = decide(configs[i], login, row->login_length, password, row->password_length);
        assert_outcome(&decision, APW_REFUSED, APW_REASON_MALFORMED);
        assert_nothing_asked();
        assert_int_equal(decision.event.user_length, row->login_length);
        assert_memory_equal(decision.event.user, row->login, row->login_length);
    }
    free(login);
    free(password);
}

static void test_lengths(void **state)
{
    static const struct scene off = {.mfa = MFA_IS_OFF, .bind = BIND_OK};
    struct apw_config config = make_config(&off);
    char *letters = unit_repeat("a", 2048);
    struct apw_decision decision;

    (void)state;
    reset_world(&off);
    decision = decide(&config, letters, 255, letters, 1024);
    assert_outcome(&decision, APW_ACCEPTED, APW_REASON_ACCOUNT_PASSWORD);
    assert_int_equal(strlen(decision.event.name), 255);
    assert_int_equal(strlen(bound_password), 1024);
    reset_world(&off);
    decision = decide(&config, letters, 256, letters, 1024);
    assert_outcome(&decision, APW_REFUSED, APW_REASON_MALFORMED);
    assert_int_equal(decision.event.user_length, 255);
    assert_nothing_asked();
    decision = decide(&config, letters, 255, letters, 1025);
    assert_outcome(&decision, APW_REFUSED, APW_REASON_MALFORMED);
    assert_nothing_asked();
    decision = decide(&config, letters, 255, letters, 2048);
    assert_outcome(&decision, APW_REFUSED, APW_REASON_MALFORMED);
    assert_nothing_asked();
    free(letters);
}

static void test_broken_configuration(void **state)
{
    struct apw_decision decision;

    (void)state;
    reset_world(&open_scene);
    decision = decide(NULL, BYTES("alice"), BYTES(RIGHT));
    assert_outcome(&decision, APW_UNAVAILABLE, APW_REASON_CONFIGURATION);
    assert_nothing_asked();
}

/* ---- row 2, and the searches of row 7 ---- */

static const enum apw_ldap_result failures[] = {APW_LDAP_UNAVAILABLE, APW_LDAP_NO_SUCH_OBJECT,
                                                APW_LDAP_NOT_PERMITTED, APW_LDAP_CONFLICT,
                                                APW_LDAP_REFUSED};

/* Each search fails in each way, though an entry came along. */
static void test_failed_searches(void **state)
{
    static const struct scene scenes[] = {
        {.password = ACCOUNT, .mfa = MFA_IS_OFF},
        {.password = ACCOUNT, .mfa = MFA_IS_ON},
        {.password = ACCOUNT, .mfa = MFA_IS_HIDDEN},
        {.password = ACCOUNT, .mfa = MFA_IS_ON, .enforcement = APW_MFA_REPORT},
        {.password = UNKNOWN, .mfa = MFA_IS_OFF},
        {.password = UNKNOWN, .mfa = MFA_IS_ON},
        {.password = UNKNOWN, .mfa = MFA_IS_HIDDEN},
        {.stored = {APP("")}},
        {.stored = {APP("")}, .disabled = OFF_IS_TRUE},
        {.stored = {APP("")}, .disabled = ON_IS_TRUE},
        {.stored = {APP("")}, .disabled = NEITHER_IS_TRUE},
        {.login_attribute = "uid", .stored = {APP(""), {"uid", "al"}}, .is_name_asked = true},
        {.login_attribute = "uid",
         .password = ACCOUNT,
         .stored = {{"uid", "al"}},
         .is_name_asked = true,
         .mfa = MFA_IS_OFF},
    };

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(scenes); i++)
        for (size_t number = 0; number < searches_for(&scenes[i]); number++)
            for (size_t how = 0; how < UNIT_COUNT(failures); how++) {
                struct apw_decision decision;

                if (number == 1 && !is_app_shaped(&scenes[i]))
                    continue; /* below */
                reset_world(&scenes[i]);
                search_result[number] = failures[how];
                play(&scenes[i], &decision);
                assert_outcome(&decision, APW_UNAVAILABLE, APW_REASON_DIRECTORY_UNAVAILABLE);
                assert_contains(decision.event.detail.text, "failed");
                assert_int_equal(searches,
                                 number > 0 || is_app_shaped(&scenes[i]) ? number + 1 : 2);
                assert_int_equal(binds, 0);
                assert_int_equal(hashes, 0);
                apw_verify_clear(&decision);
            }
}

/* The search for MFA off that comes with the one for the entry. */
static void test_failed_company(void **state)
{
    static const struct scene off = {.password = ACCOUNT, .mfa = MFA_IS_OFF, .bind = BIND_OK},
                              on = {.password = ACCOUNT, .mfa = MFA_IS_ON},
                              hidden = {.password = ACCOUNT, .mfa = MFA_IS_HIDDEN};
    static const struct {
        const struct scene *scene;
        enum apw_verdict verdict;
        enum apw_reason reason;
        size_t searches;
    } cases[] = {
        {&off, APW_ACCEPTED, APW_REASON_ACCOUNT_PASSWORD, 4},
        {&on, APW_REFUSED, APW_REASON_ACCOUNT_PASSWORD_WITH_MFA, 3},
        {&hidden, APW_UNAVAILABLE, APW_REASON_MFA_UNREADABLE, 4},
    };

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++)
        for (size_t how = 0; how < UNIT_COUNT(failures); how++) {
            struct apw_decision decision;

            reset_world(cases[i].scene);
            search_result[1] = failures[how];
            play(cases[i].scene, &decision);
            assert_outcome(&decision, cases[i].verdict, cases[i].reason);
            assert_int_equal(searches, cases[i].searches);
            assert_int_equal(binds, cases[i].verdict == APW_ACCEPTED);
            apw_verify_clear(&decision);
        }
}

/* The error of a search contains its filter, and with it the login. */
static void test_password_as_login(void **state)
{
    static const struct scene scenes[] = {{.login = RIGHT}, {.login = RIGHT "@example.org"}};

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(scenes); i++) {
        struct apw_decision decision;

        reset_world(&scenes[i]);
        search_result[0] = APW_LDAP_UNAVAILABLE;
        play(&scenes[i], &decision);
        assert_outcome(&decision, APW_UNAVAILABLE, APW_REASON_DIRECTORY_UNAVAILABLE);
        assert_null(strstr(decision.event.detail.text, "k7q2"));
        apw_verify_clear(&decision);
    }
}

/* ---- what is asked ---- */

#define ENDING_ATTRIBUTES                                                                          \
    "pwdAccountLockedTime nsAccountLock pwdStartTime pwdEndTime userAccountControl "               \
    "accountExpires krbPrincipalExpiration shadowExpire "

static void test_question_about_the_change(void **state)
{
    static const struct scene row = {
        .password = ACCOUNT, .mfa = MFA_IS_ON, .revoke_on_password_change = true};
    struct apw_decision decision;

    (void)state;
    reset_world(&row);
    play(&row, &decision);
    assert_string_equal(questions[0].attributes,
                        "appPassword appPasswordMfaEnforceFrom " ENDING_ATTRIBUTES
                        "pwdChangedTime pwdUpdateTime krbLastPwdChange pwdLastSet ");
    apw_verify_clear(&decision);
}

static void test_questions(void **state)
{
    static const struct scene on = {
        .login = "a*b@example.org", .password = " " ACCOUNT " ", .mfa = MFA_IS_ON};
    static const struct scene off = {.login = "a*b@example.org",
                                     .password = " " UNKNOWN " ",
                                     .login_attribute = "uid",
                                     .stored = {{"uid", "a(b"}},
                                     .mfa = MFA_IS_OFF,
                                     .bind = BIND_OK};
    struct apw_decision decision;

    (void)state;
    reset_world(&on);
    play(&on, &decision);
    assert_string_equal(questions[0].base, BASE);
    assert_int_equal(questions[0].scope, APW_SCOPE_SUB);
    assert_string_equal(questions[0].filter,
                        "(|(uid=a\\2Ab@example.org)(mail=a\\2Ab@example.org))");
    assert_int_equal(questions[0].limit, 2);
    assert_string_equal(questions[0].attributes,
                        "appPassword appPasswordMfaEnforceFrom " ENDING_ATTRIBUTES);
    assert_string_equal(questions[1].base, BASE);
    assert_int_equal(questions[1].scope, APW_SCOPE_SUB);
    assert_string_equal(questions[1].filter,
                        "(&(|(uid=a\\2Ab@example.org)(mail=a\\2Ab@example.org))" NOT_MFA ")");
    assert_int_equal(questions[1].limit, 2);
    assert_string_equal(questions[1].attributes, "1.1 ");
    assert_string_equal(questions[2].base, DN);
    assert_int_equal(questions[2].scope, APW_SCOPE_BASE);
    assert_string_equal(questions[2].filter, MFA);
    assert_string_equal(questions[2].attributes, "1.1 ");
    apw_verify_clear(&decision);

    reset_world(&off);
    play(&off, &decision);
    assert_outcome(&decision, APW_ACCEPTED, APW_REASON_ACCOUNT_PASSWORD);
    assert_string_equal(questions[0].attributes,
                        "appPassword appPasswordMfaEnforceFrom " ENDING_ATTRIBUTES "uid ");
    assert_string_equal(bound_dn, DN);
    assert_string_equal(bound_password, " " UNKNOWN " "); /* as typed, nothing forgiven */
    assert_string_equal(questions[1].base, BASE);
    assert_int_equal(questions[1].scope, APW_SCOPE_SUB);
    assert_int_equal(questions[1].limit, 2);
    assert_string_equal(questions[1].filter, "(|(uid=a\\28b)(mail=a\\28b))");
    assert_string_equal(questions[1].attributes, "1.1 ");
    assert_string_equal(questions[2].filter,
                        MFA); /* users who send an app password usually have MFA on */
    assert_string_equal(questions[3].filter, NOT_MFA);
    apw_verify_clear(&decision);
}

static void test_description(void **state)
{
    static const struct scene rows[] = {
        {.service = "SUBMISSIONS", .client = "::FFFF:203.0.113.7", .stored = {APP("")}},
        {.service = "im/ap", .client = "203.0.113.007", .stored = {APP("")}},
        {.client = "2001:DB8:0:0::1", .found = NO_ENTRY},
    };
    struct apw_decision decision;

    (void)state;
    reset_world(&rows[0]);
    play(&rows[0], &decision);
    assert_string_equal(decision.event.service, "smtp");
    assert_string_equal(decision.event.client, "203.0.113.7");
    apw_verify_clear(&decision);
    reset_world(&rows[1]);
    play(&rows[1], &decision);
    assert_string_equal(decision.event.service, "");
    assert_string_equal(decision.event.client, "");
    apw_verify_clear(&decision);
    reset_world(&rows[2]);
    play(&rows[2], &decision);
    assert_string_equal(decision.event.client, "2001:db8::1");
    assert_int_equal(decision.event.user_length, 5);
    assert_memory_equal(decision.event.user, "alice", 5);
    apw_verify_clear(&decision);
}

/* ---- what it costs ---- */

/* `count` values; the one of k7q2 stands at `place`. */
static void store_many(size_t count, size_t place)
{
    static const char symbols[] = "0123456789abcdefghjkmnpqrstvwxyz";
    static char text[40][sizeof VALUE("")];
    static struct stored values[40];

    for (size_t i = 0; i < count; i++) {
        memcpy(text[i], VALUE(""), sizeof text[i]);
        if (i != place) {
            text[i][3] = symbols[i / 32];
            text[i][4] = symbols[i % 32];
        }
        values[i] = (struct stored){"appPassword", text[i]};
    }
    many = values;
    many_count = count;
}

static void test_cost(void **state)
{
    static const size_t counts[] = {1, 5, 40};
    static const struct scene typed[] = {
        {.password = RIGHT, BY_HASH_ACCEPTED},
        {.password = WRONG, BY_HASH_REFUSED},
        {.password = UNKNOWN, .mfa = MFA_IS_ON, REFUSED(UNKNOWN_APP_PASSWORD)},
        {.password = ACCOUNT, .mfa = MFA_IS_ON, MFA_REFUSED},
    };

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(counts); i++)
        for (size_t place = 0; place < counts[i]; place++)
            for (size_t j = 0; j < UNIT_COUNT(typed); j++) {
                struct apw_decision decision;

                reset_world(&typed[j]);
                store_many(counts[i], place);
                play(&typed[j], &decision);
                assert_outcome(&decision, typed[j].verdict, typed[j].reason);
                assert_int_equal(hashes, typed[j].hashes);
                assert_int_equal(searches, searches_for(&typed[j]));
                assert_int_equal(binds, 0);
                apw_verify_clear(&decision);
            }
}

static void test_no_memory_for_hash(void **state)
{
    static const struct scene rows[] = {{.password = RIGHT, .stored = {APP("")}},
                                        {.password = WRONG, .stored = {APP("")}}};

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        struct apw_decision decision;

        reset_world(&rows[i]);
        hashes_fail = true;
        play(&rows[i], &decision);
        assert_outcome(&decision, APW_UNAVAILABLE, APW_REASON_INTERNAL_ERROR);
        assert_contains(decision.event.detail.text, "not enough memory");
        assert_int_equal(hashes, 1);
        apw_verify_clear(&decision);
    }
}

/* The same login again costs no hash, but everything else that the directory says still applies. */
static const struct remembered_case {
    const char *name;
    const char *password;
    const struct stored stored;
    enum apw_verdict verdict;
    enum apw_reason reason;
    int hashes;
} remembered_cases[] = {
    {"the same app password again costs no hash", RIGHT, APP(""), APW_ACCEPTED,
     APW_REASON_APP_PASSWORD, 0},
    {"a wrong one costs its hash", WRONG, APP(""), APW_REFUSED, APW_REASON_WRONG_APP_PASSWORD, 1},
    {"one that has expired since is refused", RIGHT, APP(" expires=20200101000000Z"), APW_REFUSED,
     APW_REASON_EXPIRED, 0},
    {"one that was limited to another service since is refused", RIGHT, APP(" services=imap"),
     APW_REFUSED, APW_REASON_WRONG_SERVICE, 0},
    {"one that was limited to another network since is refused", RIGHT, APP(" from=192.0.2.0/24"),
     APW_REFUSED, APW_REASON_WRONG_NETWORK, 0},
    {"one that was revoked since is refused",
     RIGHT,
     {"mail", "alice@example.org"},
     APW_REFUSED,
     APW_REASON_UNKNOWN_APP_PASSWORD,
     0},
};

static void test_remembered(void **state)
{
    static const struct scene before = {.password = RIGHT, .stored = {APP("")}};
    const struct remembered_case *row = *state;
    const struct scene after = {
        .password = row->password, .stored = {row->stored}, .mfa = MFA_IS_ON};
    struct apw_decision decision;
    struct apw_error error;

    assert_int_equal(apw_remember_new(10, &world.remember, &error), 0);
    reset_world(&before);
    play(&before, &decision);
    assert_outcome(&decision, APW_ACCEPTED, APW_REASON_APP_PASSWORD);
    assert_int_equal(hashes, 1);
    apw_verify_clear(&decision);
    reset_world(&after);
    play(&after, &decision);
    assert_outcome(&decision, row->verdict, row->reason);
    assert_int_equal(hashes, row->hashes);
    apw_verify_clear(&decision);
    apw_tags_free(&world.remember);
}

/* Each scene twice, and once more with another password. */
static const struct repeat_case {
    const char *name;
    const struct scene scene;
    const char *other;
    enum apw_reason reason;
    bool is_told;
} repeat_cases[] = {
    {"repeat: the account password with MFA",
     {.password = "old", .mfa = MFA_IS_ON},
     "older",
     APW_REASON_ACCOUNT_PASSWORD_WITH_MFA,
     true},
    {"repeat: account passwords are never accepted",
     {.password = "old", .mfa = MFA_IS_OFF, .account_password = APW_ACCOUNT_PASSWORD_NEVER},
     "older",
     APW_REASON_ACCOUNT_PASSWORD_NEVER,
     true},
    {"repeat: a wrong account password",
     {.password = "old", .mfa = MFA_IS_OFF, .bind = BIND_WRONG},
     "older",
     APW_REASON_WRONG_ACCOUNT_PASSWORD,
     true},
    {"repeat: not of an unknown client",
     {.password = "old", .mfa = MFA_IS_ON, .client = "nonsense"},
     "older",
     APW_REASON_ACCOUNT_PASSWORD_WITH_MFA,
     false},
    {"repeat: not of app passwords",
     {.password = WRONG, .stored = {APP("")}},
     WRONG,
     APW_REASON_WRONG_APP_PASSWORD,
     false},
    {"repeat: not of unknown users",
     {.password = "old", .found = NO_ENTRY},
     "older",
     APW_REASON_UNKNOWN_USER,
     false},
};

static void play_repeat(const struct scene *next, enum apw_reason reason, enum apw_repeat repeat)
{
    struct apw_decision decision;

    reset_world(next);
    play(next, &decision);
    assert_int_equal(decision.event.reason, reason);
    assert_int_equal(decision.event.repeat, repeat);
    apw_verify_clear(&decision);
}

static void test_repeat(void **state)
{
    const struct repeat_case *row = *state;
    struct scene second = row->scene, third = row->scene;
    struct apw_error error;

    second.password = row->other;
    third.password = "the third";
    assert_int_equal(apw_repeat_new(&world.repeat, &error), 0);
    play_repeat(&row->scene, row->reason, APW_REPEAT_UNKNOWN);
    play_repeat(&row->scene, row->reason, row->is_told ? APW_REPEAT_YES : APW_REPEAT_UNKNOWN);
    play_repeat(&second, row->reason, APW_REPEAT_UNKNOWN);
    if (row->is_told)
        play_repeat(&third, row->reason, APW_REPEAT_NO);
    apw_repeat_free(&world.repeat);
}

static void test_long_name(void **state)
{
    char *name = unit_repeat("a", 256);
    const struct scene row = {.login_attribute = "uid", .stored = {APP(""), {"uid", name}}};
    struct apw_decision decision;

    (void)state;
    reset_world(&row);
    play(&row, &decision);
    assert_outcome(&decision, APW_UNAVAILABLE, APW_REASON_NO_NAME);
    apw_verify_clear(&decision);
    name[255] = '\0';
    reset_world(&row);
    play(&row, &decision);
    assert_outcome(&decision, APW_ACCEPTED, APW_REASON_APP_PASSWORD);
    assert_string_equal(decision.event.name, name);
    apw_verify_clear(&decision);
    free(name);
}

static void test_clear(void **state)
{
    struct apw_decision decision = {
        .event = {.verdict = APW_ACCEPTED, .dn = strdup("x"), .name = "alice"}};

    (void)state;
    apw_verify_clear(&decision);
    assert_int_equal(decision.event.verdict, APW_REFUSED);
    assert_true(unit_is_zero(&decision, sizeof decision));
    apw_verify_clear(&decision);
}

/* ---- names that lead to one entry ---- */

static const struct name_case {
    const char *name;
    enum leads first; /* where the name of the first login leads */
    const char *value;
    bool is_asked; /* once more, for the second login */
} name_cases[] = {
    {"a name that leads back is not looked up again", LEADS_BACK, "sam", false},
    {"another name is", LEADS_BACK, "samuel", true},
    {"a name that leads elsewhere is looked up again", LEADS_TWICE, "sam", true},
    {"a name that leads nowhere is looked up again", LEADS_NOWHERE, "sam", true},
};

static void test_names(void **state)
{
    const struct name_case *row = *state;
    const struct scene before = {.login = "s@b.test",
                                 .login_attribute = "uid",
                                 .stored = {APP(""), {"uid", "sam"}},
                                 .leads = row->first};
    const struct scene after = {
        .login = "sam@b.test", .login_attribute = "uid", .stored = {APP(""), {"uid", row->value}}};
    struct apw_decision decision;
    struct apw_error error;

    assert_int_equal(apw_tags_new(APW_NAME_S, 10, &world.names, &error), 0);
    reset_world(&before);
    play(&before, &decision);
    assert_int_equal(decision.event.verdict,
                     row->first == LEADS_BACK ? APW_ACCEPTED : APW_UNAVAILABLE);
    assert_int_equal(searches, 2);
    apw_verify_clear(&decision);
    reset_world(&after);
    play(&after, &decision);
    assert_outcome(&decision, APW_ACCEPTED, APW_REASON_APP_PASSWORD);
    assert_int_equal(searches, row->is_asked ? 2 : 1);
    apw_verify_clear(&decision);
    apw_tags_free(&world.names);
}

int main(void)
{
    if (sodium_init() < 0)
        return EXIT_FAILURE;
    UNIT_ROWS(malformed_cases, test_malformed);
    UNIT_TEST("a login has 255 bytes at most, a password 1024", test_lengths);
    UNIT_TEST("a broken configuration is an outage", test_broken_configuration);
    UNIT_TEST("every search that fails is an outage", test_failed_searches);
    UNIT_TEST("but not that for MFA off which comes with the entry's", test_failed_company);
    UNIT_TEST("an app password as login is in no error", test_password_as_login);
    UNIT_ROWS(entry_scenes, test_scene);
    UNIT_ROWS(app_password_scenes, test_scene);
    UNIT_ROWS(order_scenes, test_scene);
    UNIT_ROWS(change_scenes, test_scene);
    UNIT_ROWS(unusable_scenes, test_scene);
    UNIT_ROWS(cost_scenes, test_scene);
    UNIT_ROWS(account_password_scenes, test_scene);
    UNIT_ROWS(name_scenes, test_scene);
    UNIT_ROWS(entry_scenes, test_existence);
    UNIT_ROWS(name_scenes, test_existence);
    UNIT_TEST("a lookup without an answer finds nobody", test_existence_without_answer);
    UNIT_TEST("the directory is asked no more than it need be", test_questions);
    UNIT_TEST("with revoke_on_password_change, when the password was changed is asked, too",
              test_question_about_the_change);
    UNIT_TEST("service and client are described in one form", test_description);
    UNIT_TEST("one hash at most with 1, 5 and 40 app passwords", test_cost);
    UNIT_TEST("a hash without memory is an outage", test_no_memory_for_hash);
    UNIT_ROWS(remembered_cases, test_remembered);
    UNIT_ROWS(repeat_cases, test_repeat);
    UNIT_ROWS(name_cases, test_names);
    UNIT_TEST("a name has 255 bytes at most", test_long_name);
    UNIT_TEST("a cleared decision is a refusal", test_clear);
    return unit_run();
}
