/* SPDX-License-Identifier: BSD-2-Clause */
/* What an open session's user could still sign in by, and until when; and what the host says of a
 * login, and which use is recorded. With a directory and a clock of our own. */
#include "clock.h"
#include "series.h"
#include "unit.h"
#include "verify.h"
#include <sodium.h>

#define NOW      "20261122101500Z"
#define AN_HOUR  "20261122111500Z" /* from now: the farthest that anything looks ahead */
#define DEADLINE 123456789
#define BASE     "dc=example,dc=org"
#define DN       "uid=alice," BASE
#define MFA      "(appPasswordMfaEnabled=TRUE)"
#define HASH     " hash={ARGON2}" UNIT_PHC " label=Phone"
#define MADE     " created=20261101000000Z"
#define ACCOUNT  APW_WAY_ACCOUNT_PASSWORD

enum mfa { OFF = 0, ON, HIDDEN };

struct attribute {
    const char *name, *value;
};
#define ATTRIBUTES_MAX 5

static struct directory {
    struct attribute attribute[ATTRIBUTES_MAX];
    enum mfa mfa;
    size_t entries; /* that the login finds */
    bool is_lost;
    bool is_memory_short; /* as soon as the entry is found */
} directory;
static size_t searches;
static const char *asked_attributes; /* of the first search: whether appPasswordUsed was one */

/* In place of the C library's and ours. */
static bool is_memory_short;
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
int __real_apw_idna_login(const char *login, char **ascii_r);
int __wrap_apw_idna_login(const char *login, char **ascii_r);

void *__wrap_calloc(size_t count, size_t size)
{
    return is_memory_short ? NULL : __real_calloc(count, size);
}

int __wrap_apw_idna_login(const char *login, char **ascii_r)
{
    return is_memory_short ? -1 : __real_apw_idna_login(login, ascii_r);
}

static int64_t time_of(const char *timestamp)
{
    int64_t seconds;

    if (apw_clock_parse_timestamp(timestamp, strlen(timestamp), &seconds) != 0)
        abort();
    return seconds;
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    if (memory == NULL)
        abort();
    return memory;
}

/* Behind the last value: a login that reads it records no use. */
static const char behind[] = "id=k7q2 at=20261122101459Z";

static void add(struct apw_entry *entry, const struct attribute *from)
{
    struct apw_attribute *attribute = NULL;

    for (size_t i = 0; i < entry->attribute_count; i++)
        if (strcmp(entry->attribute[i].name, from->name) == 0)
            attribute = &entry->attribute[i];
    if (attribute == NULL) {
        attribute = &entry->attribute[entry->attribute_count++];
        attribute->name = strdup(from->name);
        attribute->value = allocate(ATTRIBUTES_MAX + 1, sizeof attribute->value[0]);
    }
    attribute->value[attribute->count].length = strlen(from->value);
    attribute->value[attribute->count++].bytes = strdup(from->value);
    attribute->value[attribute->count].bytes = (char *)behind;
    attribute->value[attribute->count].length = strlen(behind);
}

static struct apw_entry *make_entries(size_t count)
{
    struct apw_entry *entry = NULL;

    for (size_t number = 0; number < count; number++) {
        struct apw_entry *next = entry;

        entry = allocate(1, sizeof *entry);
        entry->next = next;
        entry->dn = strdup(DN);
        entry->attribute = allocate(ATTRIBUTES_MAX, sizeof entry->attribute[0]);
        for (size_t i = 0; i < ATTRIBUTES_MAX && directory.attribute[i].name != NULL; i++)
            add(entry, &directory.attribute[i]);
    }
    return entry;
}

static enum apw_ldap_result search(void *context, const struct apw_query *query, int64_t deadline,
                                   struct apw_entry **entries_r, struct apw_error *error)
{
    bool is_mfa = strstr(query->filter, MFA) != NULL;
    bool is_negated = strcmp(query->filter, MFA) != 0;

    (void)context;
    assert_true(deadline == DEADLINE);
    *entries_r = NULL;
    if (searches++ == 0)
        for (const char *const *name = query->attributes; *name != NULL; name++)
            if (strcmp(*name, "appPasswordUsed") == 0)
                asked_attributes = *name;
    if (directory.is_lost) {
        apw_error_set(error, "no answer in time");
        return APW_LDAP_UNAVAILABLE;
    }
    if (!is_mfa)
        *entries_r = make_entries(directory.entries);
    else if (directory.mfa == (is_negated ? OFF : ON))
        *entries_r = make_entries(1);
    is_memory_short = directory.is_memory_short;
    return APW_LDAP_OK;
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
    (void)context;
    (void)deadline;
    (void)error;
    assert_string_equal(dn, DN);
    return password_length == 7 && memcmp(password, "correct", 7) == 0 ? APW_USER_BIND_OK
                                                                       : APW_USER_BIND_WRONG;
}

static int64_t now(void *context)
{
    (void)context;
    return time_of(NOW);
}

static const struct apw_world world = {
    .search = search, .search_series = search_series, .bind_user = bind_user, .now = now};

static struct apw_config make_config(void)
{
    return (struct apw_config){.base = (char *)BASE,
                               .filter = (char *)"(uid=%u)",
                               .mfa_filter = (char *)MFA,
                               .hash_memory_mib = 8,
                               .hash_passes = 1};
}

static void set_directory(const struct attribute *attributes, enum mfa mfa)
{
    directory = (struct directory){.mfa = mfa, .entries = 1};
    memcpy(directory.attribute, attributes, sizeof directory.attribute);
    searches = 0;
    asked_attributes = NULL;
    is_memory_short = false;
}

/* ---- the ways in ---- */

struct way {
    const char *name;
    enum apw_standing standing;
    enum apw_reason reason;
    const char *ended; /* NULL: unknown */
};
#define WAYS_MAX 4

#define VALID(way)                                                                                 \
    {                                                                                              \
        .name = way, .standing = APW_STANDING_VALID                                                \
    }
#define GONE(way, why)                                                                             \
    {                                                                                              \
        way, APW_STANDING_ENDED, APW_REASON_##why, NULL                                            \
    }
#define UNSURE(way, why)                                                                           \
    {                                                                                              \
        way, APW_STANDING_UNKNOWN, APW_REASON_##why, NULL                                          \
    }
#define APP(keys)                                                                                  \
    {                                                                                              \
        "appPassword", "id=k7q2" MADE keys HASH                                                    \
    }
#define OTHER_APP(keys)                                                                            \
    {                                                                                              \
        "appPassword", "id=0123" MADE keys HASH                                                    \
    }
#define FROM(time)                                                                                 \
    {                                                                                              \
        "appPasswordMfaEnforceFrom", time                                                          \
    }

/* Defaults: one session by imap from 192.0.2.7, all ways, nothing changes within the hour. */
static const struct session_case {
    const char *name;
    struct attribute attribute[ATTRIBUTES_MAX];
    enum mfa mfa;
    const char *way;
    const char *exempt;
    struct way found[WAYS_MAX];
    const char *until;
} session_cases[] = {
    {"with MFA off, the account password is a way", .found = {VALID(ACCOUNT)}},
    {"with MFA on, it is none", .mfa = ON, .found = {GONE(ACCOUNT, ACCOUNT_PASSWORD_WITH_MFA)}},
    {"if that cannot be read, it is unsure", .mfa = HIDDEN,
     .found = {UNSURE(ACCOUNT, MFA_UNREADABLE)}},
    {"each app password is a way, after the account password",
     {APP(""), OTHER_APP("")},
     .mfa = ON,
     .found = {GONE(ACCOUNT, ACCOUNT_PASSWORD_WITH_MFA), VALID("k7q2"), VALID("0123")}},
    {"only the way that is asked for is looked at",
     {APP(""), OTHER_APP("")},
     .mfa = HIDDEN,
     .way = "0123",
     .found = {VALID("0123")}},
    {"the account password may be asked for alone",
     {APP("")},
     .way = ACCOUNT,
     .found = {VALID(ACCOUNT)}},
    {"an app password that is not there has ended",
     {APP("")},
     .way = "zzzz",
     .found = {GONE("zzzz", UNKNOWN_APP_PASSWORD)}},
    {"a revoked one has ended when it was revoked",
     {{"appPassword", "id=k7q2" MADE " revoked=20261120000000Z label=Phone"}},
     .way = "k7q2",
     .found = {{"k7q2", APW_STANDING_ENDED, APW_REASON_REVOKED, "20261120000000Z"}}},
    {"one that expires now has ended now",
     {APP(" expires=" NOW)},
     .way = "k7q2",
     .found = {{"k7q2", APW_STANDING_ENDED, APW_REASON_EXPIRED, NOW}}},
    {"one that expires in a second is valid until then",
     {APP(" expires=20261122101501Z")},
     .way = "k7q2",
     .found = {VALID("k7q2")},
     .until = "20261122101501Z"},
    {"one of another service has not ended at a time",
     {APP(" expires=20261122101501Z services=smtp")},
     .way = "k7q2",
     .found = {GONE("k7q2", WRONG_SERVICE)}},
    {"one of a service with a short name",
     {APP(" services=x")},
     .way = "k7q2",
     .found = {GONE("k7q2", WRONG_SERVICE)}},
    {"a value that cannot be read has not ended at a time",
     {{"appPassword", "id=k7q2 created=today"}},
     .way = "k7q2",
     .found = {GONE("k7q2", UNUSABLE_VALUE)}},
    {"what is unsure of one way is not said of the next",
     {APP("")},
     .mfa = HIDDEN,
     .found = {UNSURE(ACCOUNT, MFA_UNREADABLE), VALID("k7q2")}},
    {"one of another network neither",
     {APP(" from=198.51.100.0/24")},
     .way = "k7q2",
     .found = {GONE("k7q2", WRONG_NETWORK)}},
    {"the first end counts",
     {APP(" expires=20261122105000Z"), OTHER_APP(" expires=20261122103000Z")},
     .found = {VALID(ACCOUNT), VALID("k7q2"), VALID("0123")},
     .until = "20261122103000Z"},
    {"in whatever order",
     {APP(" expires=20261122103000Z"), OTHER_APP(" expires=20261122105000Z")},
     .found = {VALID(ACCOUNT), VALID("k7q2"), VALID("0123")},
     .until = "20261122103000Z"},
    {"an end after the hour does not",
     {APP(" expires=20261122111501Z")},
     .way = "k7q2",
     .found = {VALID("k7q2")}},
    {"two values of one id are one way, that has ended",
     {APP(""), APP(""), OTHER_APP("")},
     .found = {VALID(ACCOUNT), GONE("k7q2", UNUSABLE_VALUE), VALID("0123")}},
    {"a value without an id is none",
     {{"appPassword", "rubbish"}, OTHER_APP("")},
     .found = {VALID(ACCOUNT), VALID("0123")}},
    {"one that was made days from now is unsure",
     {{"appPassword", "id=k7q2 created=20261125000000Z" HASH}},
     .way = "k7q2",
     .found = {UNSURE("k7q2", CLOCK)}},
    {"MFA that is announced for tomorrow changes nothing",
     {FROM("20261123101500Z")},
     .mfa = ON,
     .found = {VALID(ACCOUNT)}},
    {"MFA that is announced for an hour from now",
     {FROM(AN_HOUR)},
     .mfa = ON,
     .found = {VALID(ACCOUNT)}},
    {"MFA that is announced for half an hour from now",
     {FROM("20261122104501Z")},
     .mfa = ON,
     .found = {VALID(ACCOUNT)},
     .until = "20261122104501Z"},
    {"MFA that is announced for the next second",
     {FROM("20261122101501Z")},
     .mfa = ON,
     .found = {VALID(ACCOUNT)},
     .until = "20261122101501Z"},
    {"MFA that is announced for the one after it",
     {FROM("20261122101502Z")},
     .mfa = ON,
     .found = {VALID(ACCOUNT)},
     .until = "20261122101502Z"},
    {"MFA that is announced for the last second of the hour",
     {FROM("20261122111459Z")},
     .mfa = ON,
     .found = {VALID(ACCOUNT)},
     .until = "20261122111459Z"},
    {"MFA that was announced for this second is on",
     {FROM(NOW)},
     .mfa = ON,
     .found = {GONE(ACCOUNT, ACCOUNT_PASSWORD_WITH_MFA)}},
    {"an announcement does not concern an exempt network",
     {FROM("20261122104501Z")},
     .mfa = ON,
     .exempt = "192.0.2.0/24",
     .found = {VALID(ACCOUNT)}},
    {"without MFA it is not looked at", {FROM("20261122104501Z")}, .found = {VALID(ACCOUNT)}},
    {"an account ends in twenty minutes",
     {{"pwdEndTime", "20261122103500Z"}, APP("")},
     .found = {VALID(ACCOUNT), VALID("k7q2")},
     .until = "20261122103500Z"},
    {"an account ends after the hour",
     {{"pwdEndTime", "20261122120000Z"}},
     .found = {VALID(ACCOUNT)}},
};

static void assert_way(const struct apw_way *way, const struct way *expected)
{
    assert_string_equal(way->name, expected->name);
    assert_int_equal(way->standing, expected->standing);
    if (expected->standing != APW_STANDING_VALID)
        assert_string_equal(apw_reason_name(way->reason), apw_reason_name(expected->reason));
    assert_int_equal(way->ended, expected->ended == NULL ? 0 : time_of(expected->ended));
}

static void test_session(void **state)
{
    const struct session_case *row = *state;
    struct apw_open_session sessions[2] = {
        {.service = "imap", .client = "192.0.2.7", .way = row->way},
        {.service = "imap", .client = "192.0.2.7", .way = row->way}};
    struct apw_config config = make_config();
    struct apw_session_user user;
    size_t count = 0;

    if (row->exempt != NULL)
        assert_int_equal(apw_networks_parse(row->exempt, strlen(row->exempt), ' ',
                                            &config.account_password_from, NULL),
                         0);
    set_directory(row->attribute, row->mfa);
    assert_int_equal(
        apw_verify_open_sessions(&config, &world, "alice", sessions, 2, DEADLINE, &user),
        APW_EXISTENCE_KNOWN);
    while (count < WAYS_MAX && row->found[count].name != NULL)
        count++;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(sessions[i].count, count);
        for (size_t j = 0; j < count; j++)
            assert_way(&sessions[i].found[j], &row->found[j]);
    }
    if (row->found[count - 1].standing == APW_STANDING_VALID)
        assert_string_equal(user.event.detail.text, "");
    assert_string_equal(user.dn, DN);
    assert_null(user.stored_dn);
    assert_int_equal(user.until, time_of(row->until == NULL ? AN_HOUR : row->until));
    /* Whether MFA is on is asked once for all sessions, unless it cannot be read. */
    assert_in_range(searches, 1, row->mfa == HIDDEN ? 5 : 3);
    apw_verify_clear_session_user(&user);
    apw_verify_clear_open_sessions(sessions, 2);
}

/* Each session has its own way, service and client. */
static void test_two_sessions(void **state)
{
    static const struct attribute attributes[ATTRIBUTES_MAX] = {APP(" services=imap,i"),
                                                                OTHER_APP(" from=192.0.2.0/24")};
    struct apw_open_session sessions[4] = {
        {.service = "imap", .client = "192.0.2.7", .way = "k7q2"},
        {.client = "192.0.2.7", .way = "k7q2"},
        {.service = "imap", .way = "0123"},
        {.service = "imap", .client = "192.0.2.7", .way = "0123"}}; /* is not asked about */
    struct apw_way kept;
    struct apw_config config = make_config();
    struct apw_session_user user;

    (void)state;
    set_directory(attributes, OFF);
    sessions[3].found = &kept;
    sessions[3].count = 7;
    assert_int_equal(
        apw_verify_open_sessions(&config, &world, "alice", sessions, 3, DEADLINE, &user),
        APW_EXISTENCE_KNOWN);
    assert_way(&sessions[0].found[0], &(struct way)VALID("k7q2"));
    assert_way(&sessions[1].found[0], &(struct way)GONE("k7q2", WRONG_SERVICE));
    assert_way(&sessions[2].found[0], &(struct way)GONE("0123", WRONG_NETWORK));
    assert_string_equal(user.event.client, "");
    assert_string_equal(user.event.id, "0123");
    apw_verify_clear_session_user(&user);
    apw_verify_clear_open_sessions(sessions, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_null(sessions[i].found);
        assert_int_equal(sessions[i].count, 0);
    }
    assert_ptr_equal(sessions[3].found, &kept);
    assert_int_equal(sessions[3].count, 7);
}

static void test_id_of_last_way(void **state)
{
    static const struct attribute attributes[ATTRIBUTES_MAX] = {APP("")};
    struct apw_open_session sessions[2] = {{.service = "imap", .way = "k7q2"},
                                           {.service = "imap", .way = ACCOUNT}};
    struct apw_config config = make_config();
    struct apw_session_user user;

    (void)state;
    set_directory(attributes, OFF);
    apw_verify_open_sessions(&config, &world, "alice", sessions, 2, DEADLINE, &user);
    assert_string_equal(user.event.id, "");
    apw_verify_clear_session_user(&user);
    apw_verify_clear_open_sessions(sessions, 2);
}

/* ---- without memory ---- */

static void test_sessions_without_memory(void **state)
{
    static const struct attribute attributes[ATTRIBUTES_MAX] = {APP("")};
    struct apw_open_session session = {.service = "imap"};
    struct apw_config config = make_config();
    struct apw_session_user user;

    (void)state;
    set_directory(attributes, OFF);
    directory.is_memory_short = true;
    assert_int_equal(
        apw_verify_open_sessions(&config, &world, "alice", &session, 1, DEADLINE, &user),
        APW_EXISTENCE_UNAVAILABLE);
    assert_int_equal(user.event.verdict, APW_UNAVAILABLE);
    assert_string_equal(apw_reason_name(user.event.reason),
                        apw_reason_name(APW_REASON_INTERNAL_ERROR));
    is_memory_short = false;
    apw_verify_clear_session_user(&user);
    apw_verify_clear_open_sessions(&session, 1);
}

static struct apw_attempt attempt_with(const char *password)
{
    return (struct apw_attempt){.login = "alice",
                                .login_length = 5,
                                .password = password,
                                .password_length = strlen(password),
                                .service = "imap",
                                .client = "192.0.2.7"};
}

/* The name that the login would get cannot be compared. */
static void test_name_without_memory(void **state)
{
    static const struct attribute attributes[ATTRIBUTES_MAX] = {APP(""), {"uid", "alice"}};
    struct apw_attempt attempt = attempt_with(UNIT_SHOWN);
    struct apw_config config = make_config();
    struct apw_decision decision;

    (void)state;
    config.login_attribute = (char *)"uid";
    set_directory(attributes, OFF);
    directory.is_memory_short = true;
    apw_verify(&config, &world, &attempt, DEADLINE, &decision);
    is_memory_short = false;
    assert_int_equal(decision.event.verdict, APW_UNAVAILABLE);
    assert_string_equal(decision.event.detail.text, "out of memory");
    apw_verify_clear(&decision);
}

/* ---- users without ways ---- */

static const struct user_case {
    const char *name;
    const char *login;
    struct attribute attribute[ATTRIBUTES_MAX];
    size_t entries;
    bool is_lost;
    enum apw_existence existence;
    enum apw_verdict verdict;
    enum apw_reason reason;
    bool has_dn;
} user_cases[] = {
    {"a name that is none is unknown", "ali\nce", .existence = APW_EXISTENCE_UNKNOWN,
     .reason = APW_REASON_MALFORMED},
    {"a name without an entry is unknown", "alice", .existence = APW_EXISTENCE_UNKNOWN,
     .reason = APW_REASON_UNKNOWN_USER},
    {"a name with two entries says nothing", "alice", .entries = 2,
     .existence = APW_EXISTENCE_UNAVAILABLE, .verdict = APW_UNAVAILABLE,
     .reason = APW_REASON_AMBIGUOUS_USER},
    {"no answer says nothing", "alice", .is_lost = true, .existence = APW_EXISTENCE_UNAVAILABLE,
     .verdict = APW_UNAVAILABLE, .reason = APW_REASON_DIRECTORY_UNAVAILABLE},
    {"an account that has ended is unknown",
     "alice",
     {{"pwdEndTime", NOW}},
     .entries = 1,
     .existence = APW_EXISTENCE_UNKNOWN,
     .reason = APW_REASON_ACCOUNT_DISABLED,
     .has_dn = true},
    {"an account whose end is unreadable says nothing",
     "alice",
     {{"pwdEndTime", "soon"}},
     .entries = 1,
     .existence = APW_EXISTENCE_UNAVAILABLE,
     .verdict = APW_UNAVAILABLE,
     .reason = APW_REASON_DIRECTORY_UNAVAILABLE,
     .has_dn = true},
};

static void test_user(void **state)
{
    const struct user_case *row = *state;
    struct apw_open_session session = {.service = "imap", .client = "192.0.2.7"};
    struct apw_config config = make_config();
    struct apw_session_user user;

    set_directory(row->attribute, OFF);
    directory.entries = row->entries;
    directory.is_lost = row->is_lost;
    assert_int_equal(
        apw_verify_open_sessions(&config, &world, row->login, &session, 1, DEADLINE, &user),
        row->existence);
    assert_int_equal(user.event.verdict, row->verdict);
    assert_string_equal(apw_reason_name(user.event.reason), apw_reason_name(row->reason));
    assert_int_equal(user.dn != NULL, row->has_dn);
    assert_int_equal(session.count, 0);
    apw_verify_clear_session_user(&user);
    assert_true(unit_is_zero(&user, sizeof user));
}

/* ---- what the host says ---- */

static const struct host_case {
    const char *name;
    const char *password;
    enum apw_verdict host;
    enum apw_reason host_reason; /* APP_PASSWORD: it names none */
    bool is_asked;
    enum apw_verdict verdict;
    enum apw_reason reason;
} host_cases[] = {
    {"the host accepts an app password", UNIT_SHOWN, APW_ACCEPTED, APW_REASON_APP_PASSWORD, true,
     APW_ACCEPTED, APW_REASON_APP_PASSWORD},
    {"the host accepts an account password", "correct", APW_ACCEPTED, APW_REASON_APP_PASSWORD, true,
     APW_ACCEPTED, APW_REASON_ACCOUNT_PASSWORD},
    {"the host refuses the name of an app password", UNIT_SHOWN, APW_REFUSED,
     APW_REASON_APP_PASSWORD, true, APW_REFUSED, APW_REASON_REFUSED_NAME},
    {"the host refuses for another reason", UNIT_SHOWN, APW_REFUSED, APW_REASON_FOREIGN_AUTHZID,
     true, APW_REFUSED, APW_REASON_FOREIGN_AUTHZID},
    {"the host refuses an account password", "correct", APW_REFUSED, APW_REASON_FOREIGN_AUTHZID,
     true, APW_REFUSED, APW_REASON_FOREIGN_AUTHZID},
    {"the host cannot tell", UNIT_SHOWN, APW_UNAVAILABLE, APW_REASON_APP_PASSWORD, true,
     APW_UNAVAILABLE, APW_REASON_INTERNAL_ERROR},
    {"the host cannot tell for an account password", "correct", APW_UNAVAILABLE,
     APW_REASON_APP_PASSWORD, true, APW_UNAVAILABLE, APW_REASON_INTERNAL_ERROR},
    {"the host is not asked about a wrong app password", "k7q2-0000-0000-0000-0001", APW_ACCEPTED,
     APW_REASON_APP_PASSWORD, false, APW_REFUSED, APW_REASON_WRONG_APP_PASSWORD},
    {"the host is not asked about a wrong account password", "false", APW_ACCEPTED,
     APW_REASON_APP_PASSWORD, false, APW_REFUSED, APW_REASON_WRONG_ACCOUNT_PASSWORD},
};

static size_t host_questions;

static enum apw_verdict authorize(void *context, const char *name, enum apw_reason *reason_r,
                                  struct apw_error *error)
{
    const struct host_case *row = context;

    (void)error;
    host_questions++;
    assert_string_equal(name, "alice");
    if (row->host_reason != APW_REASON_APP_PASSWORD)
        *reason_r = row->host_reason;
    return row->host;
}

static void test_host(void **state)
{
    static const struct attribute attributes[ATTRIBUTES_MAX] = {APP("")};
    struct host_case row = *(const struct host_case *)*state;
    struct apw_attempt attempt = attempt_with(row.password);
    struct apw_config config = make_config();
    struct apw_decision decision;

    attempt.authorize = authorize;
    attempt.authorize_context = &row;
    host_questions = 0;
    config.record_use_s = 86400;
    set_directory(attributes, OFF);
    apw_verify(&config, &world, &attempt, DEADLINE, &decision);
    assert_int_equal(decision.event.verdict, row.verdict);
    assert_string_equal(apw_reason_name(decision.event.reason), apw_reason_name(row.reason));
    assert_int_equal(host_questions, row.is_asked);
    assert_string_equal(decision.event.name, row.verdict == APW_ACCEPTED ? "alice" : "");
    assert_int_equal(decision.use_dn != NULL,
                     row.verdict == APW_ACCEPTED && row.reason == APW_REASON_APP_PASSWORD);
    apw_verify_clear(&decision);
}

/* The host's objection: nothing is decided. */
static void test_objection(void **state)
{
    static const struct {
        struct apw_objection objection;
        enum apw_reason reason;
    } rows[] = {{{APW_REFUSED, {"no such realm"}}, APW_REASON_MALFORMED},
                {{APW_UNAVAILABLE, {"out of memory"}}, APW_REASON_INTERNAL_ERROR}};
    static const struct attribute attributes[ATTRIBUTES_MAX] = {APP("")};
    struct apw_config config = make_config();

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        struct apw_attempt attempt = attempt_with(UNIT_SHOWN);
        struct apw_decision decision;

        attempt.objection = &rows[i].objection;
        set_directory(attributes, OFF);
        apw_verify(&config, &world, &attempt, DEADLINE, &decision);
        assert_int_equal(decision.event.verdict, rows[i].objection.verdict);
        assert_int_equal(decision.event.reason, rows[i].reason);
        assert_string_equal(decision.event.detail.text, rows[i].objection.why.text);
        assert_int_equal(searches, 0);
        apw_verify_clear(&decision);
    }
}

/* A login that waited in the host's queue. */
static void test_wait(void **state)
{
    static const struct {
        int64_t waited_ms;
        enum apw_verdict verdict;
        size_t searches;
    } rows[] = {{0, APW_ACCEPTED, 1}, {6000, APW_ACCEPTED, 1}, {6001, APW_UNAVAILABLE, 0}};
    static const struct attribute attributes[ATTRIBUTES_MAX] = {APP("")};
    struct apw_config config = make_config();

    (void)state;
    config.deadline_ms = 12000;
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        struct apw_attempt attempt = attempt_with(UNIT_SHOWN);
        struct apw_decision decision;

        attempt.waited_ms = rows[i].waited_ms;
        set_directory(attributes, OFF);
        apw_verify(&config, &world, &attempt, DEADLINE, &decision);
        assert_int_equal(decision.event.verdict, rows[i].verdict);
        assert_int_equal(searches, rows[i].searches);
        if (rows[i].verdict == APW_UNAVAILABLE) {
            assert_int_equal(decision.event.reason, APW_REASON_WAITED_TOO_LONG);
            assert_string_equal(decision.event.detail.text,
                                "the login waited 6 s, longer than half of the deadline of 12 s");
        }
        apw_verify_clear(&decision);
    }
}

/* ---- the use that is recorded ---- */

#define USED(id, at)                                                                               \
    {                                                                                              \
        "appPasswordUsed", "id=" id " at=" at " service=smtp from=198.51.100.7"                    \
    }

static const struct use_case {
    const char *name;
    struct attribute used[2];
    int64_t record_use_s;
    const char *password;
    bool is_recorded;
    bool without_address;
} use_cases[] = {
    {"the first use is recorded", {{NULL, NULL}}, 86400, UNIT_SHOWN, true, false},
    {"without the address, if the site says so", {{NULL, NULL}}, 86400, UNIT_SHOWN, true, true},
    {"never, if the site says so", {{NULL, NULL}}, 0, UNIT_SHOWN, false, false},
    {"a use a day ago is replaced",
     {USED("k7q2", "20261121101500Z")},
     86400,
     UNIT_SHOWN,
     true,
     false},
    {"one a second younger is not",
     {USED("k7q2", "20261121101501Z")},
     86400,
     UNIT_SHOWN,
     false,
     false},
    {"whatever the site asks for, down to a second",
     {USED("k7q2", "20261122101459Z")},
     1,
     UNIT_SHOWN,
     true,
     false},
    {"another one's use does not matter",
     {USED("0123", "20261122101459Z")},
     86400,
     UNIT_SHOWN,
     true,
     false},
    {"of two uses, the second is this one's",
     {USED("0123", "20261122101459Z"), USED("k7q2", "20261122101459Z")},
     86400,
     UNIT_SHOWN,
     false,
     false},
    {"of two uses, the first is this one's",
     {USED("k7q2", "20261122101459Z"), USED("0123", "20261122101459Z")},
     86400,
     UNIT_SHOWN,
     false,
     false},
    {"a value that is no use is none",
     {{"appPasswordUsed", "rubbish"}},
     86400,
     UNIT_SHOWN,
     true,
     false},
    {"a wrong app password is not used",
     {{NULL, NULL}},
     86400,
     "k7q2-0000-0000-0000-0001",
     false,
     false},
    {"an account password is not an app password", {{NULL, NULL}}, 86400, "correct", false, false},
};

static void test_use(void **state)
{
    const struct use_case *row = *state;
    struct attribute attributes[ATTRIBUTES_MAX] = {APP(""), row->used[0], row->used[1]};
    struct apw_attempt attempt = attempt_with(row->password);
    struct apw_config config = make_config();
    struct apw_decision decision;

    config.record_use_s = row->record_use_s;
    config.record_use_without_address = row->without_address;
    set_directory(attributes, OFF);
    apw_verify(&config, &world, &attempt, DEADLINE, &decision);
    assert_int_equal(asked_attributes != NULL, row->record_use_s > 0);
    if (row->is_recorded) {
        assert_string_equal(decision.use_dn, DN);
        assert_string_equal(decision.use.id, "k7q2");
        assert_int_equal(decision.use.at, time_of(NOW));
        assert_string_equal(decision.use.service, "imap");
        assert_string_equal(decision.use.from, row->without_address ? "" : "192.0.2.7");
    } else {
        assert_null(decision.use_dn);
    }
    apw_verify_clear(&decision);
}

int main(void)
{
    if (sodium_init() < 0)
        return EXIT_FAILURE;
    UNIT_ROWS(session_cases, test_session);
    UNIT_TEST("each session has its own way, service and client", test_two_sessions);
    UNIT_TEST("the id is that of the last way", test_id_of_last_way);
    UNIT_TEST("sessions without memory say nothing", test_sessions_without_memory);
    UNIT_TEST("a name without memory is an outage", test_name_without_memory);
    UNIT_ROWS(user_cases, test_user);
    UNIT_ROWS(host_cases, test_host);
    UNIT_TEST("the host's objection is the verdict", test_objection);
    UNIT_TEST("a login that waited longer than half of the deadline is unavailable", test_wait);
    UNIT_ROWS(use_cases, test_use);
    return unit_run();
}
