/* SPDX-License-Identifier: BSD-2-Clause */
/* Looks at open sessions, with a directory and a clock of our own. */
#include "clock.h"
#include "look.h"
#include "unit.h"

#define BASE    "dc=example,dc=org"
#define DN      "uid=alice," BASE
#define MFA     "(appPasswordMfaEnabled=TRUE)"
#define HASH    " hash={ARGON2}" UNIT_PHC " label=Phone"
#define PHONE   "id=k7q2 created=20261101000000Z"
#define LAPTOP  "id=0123 created=20261101000000Z" HASH
#define STONE   "id=k7q2 created=20261101000000Z revoked=20261122101459Z label=Phone"
#define ACCOUNT APW_WAY_ACCOUNT_PASSWORD

static int64_t the_time;

enum mfa { OFF = 0, ON, HIDDEN };

/* What the directory has. */
static struct {
    bool is_lost, is_gone;
    const char *values[3]; /* of appPassword */
    const char *disabled;  /* nsAccountLock */
    const char *end;       /* pwdEndTime */
    const char *enforce;   /* appPasswordMfaEnforceFrom */
    enum mfa mfa;
} directory;

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    if (memory == NULL)
        abort();
    return memory;
}

static void add(struct apw_entry *entry, const char *name, const char *const *values, size_t count)
{
    struct apw_attribute *attribute = &entry->attribute[entry->attribute_count];

    attribute->value = allocate(count, sizeof attribute->value[0]);
    for (size_t i = 0; i < count && values[i] != NULL; i++) {
        attribute->value[i].bytes = strdup(values[i]);
        attribute->value[i].length = strlen(values[i]);
        attribute->count++;
    }
    if (attribute->count > 0) {
        attribute->name = strdup(name);
        entry->attribute_count++;
    } else {
        free(attribute->value);
    }
}

static struct apw_entry *make_entry(void)
{
    struct apw_entry *entry = allocate(1, sizeof *entry);

    entry->dn = strdup(DN);
    entry->attribute = allocate(4, sizeof entry->attribute[0]);
    add(entry, "appPassword", directory.values, 3);
    add(entry, "nsAccountLock", &directory.disabled, 1);
    add(entry, "pwdEndTime", &directory.end, 1);
    add(entry, "appPasswordMfaEnforceFrom", &directory.enforce, 1);
    return entry;
}

static enum apw_ldap_result search(void *context, const struct apw_query *query, int64_t deadline,
                                   struct apw_entry **entries_r, struct apw_error *error)
{
    bool is_negated = strncmp(query->filter, "(!", 2) == 0;
    bool is_mfa = strcmp(query->base, DN) == 0;

    (void)context;
    (void)deadline;
    *entries_r = NULL;
    if (directory.is_lost) {
        apw_error_set(error, "no answer in time");
        return APW_LDAP_UNAVAILABLE;
    }
    if (is_mfa ? directory.mfa == (is_negated ? OFF : ON) : !directory.is_gone)
        *entries_r = make_entry();
    return APW_LDAP_OK;
}

static int64_t now(void *context)
{
    (void)context;
    return the_time;
}

static const struct apw_world world = {.search = search, .now = now};
static struct apw_config config = {.base = (char *)BASE,
                                   .filter = (char *)"(uid=%u)",
                                   .mfa_filter = (char *)MFA,
                                   .hash_memory_mib = 8,
                                   .hash_passes = 1,
                                   .deadline_ms = 1000};

/* ---- one user with one session ---- */

static struct apw_table_user user;
static struct apw_table_session session;

static void open_session(const char *way)
{
    memset(&directory, 0, sizeof directory);
    directory.values[0] = PHONE HASH;
    memset(&user, 0, sizeof user);
    memset(&session, 0, sizeof session);
    user.name = (char *)"alice";
    user.count = 1;
    user.session = &session;
    session.who.name = session.who.username = (char *)"alice";
    snprintf(session.who.service, sizeof session.who.service, "imap");
    snprintf(session.who.client, sizeof session.who.client, "192.0.2.7");
    snprintf(session.who.way, sizeof session.who.way, "%s", way);
    session.opened_after = the_time - 10;
}

static enum apw_look look(void)
{
    struct apw_error error = {""};

    return apw_look(&config, &world, &user, &error);
}

static void close_session(void)
{
    free(session.ways);
    free(user.ways);
    free(user.place[0].dn);
    free(user.place[1].dn);
}

static void assert_stays(void)
{
    assert_int_equal(look(), APW_LOOK_DONE);
    assert_false(session.is_lost);
}

static void assert_lost(enum apw_reason reason)
{
    assert_int_equal(look(), APW_LOOK_DONE);
    assert_true(session.is_lost);
    assert_int_equal(session.reason, reason);
}

/* Each cause, for 2.4 and for 2.3, which does not say by which app password. */
static const struct cause {
    const char *name;
    const char *way;
    const char *value; /* instead of the app password; "" for none */
    const char *disabled, *end;
    enum mfa mfa;
    enum apw_reason reason;
} causes[] = {
    {"2.4: revoked", "k7q2", .value = STONE, .reason = APW_REASON_REVOKED},
    {"2.4: deleted", "k7q2", .value = "", .reason = APW_REASON_UNKNOWN_APP_PASSWORD},
    {"2.4: expired", "k7q2", .value = PHONE " expires=20261122000000Z" HASH,
     .reason = APW_REASON_EXPIRED},
    {"2.4: for another service", "k7q2", .value = PHONE " services=smtp" HASH,
     .reason = APW_REASON_WRONG_SERVICE},
    {"2.4: for another network", "k7q2", .value = PHONE " from=198.51.100.0/24" HASH,
     .reason = APW_REASON_WRONG_NETWORK},
    {"2.4: unusable", "k7q2", .value = PHONE " colour=red" HASH,
     .reason = APW_REASON_UNUSABLE_VALUE},
    {"2.4: disabled", "k7q2", .disabled = "TRUE", .reason = APW_REASON_ACCOUNT_DISABLED},
    {"2.4: at its end", "k7q2", .end = "20261122000000Z", .reason = APW_REASON_ACCOUNT_DISABLED},
    {"2.4: MFA enforced", ACCOUNT, .mfa = ON, .reason = APW_REASON_ACCOUNT_PASSWORD_WITH_MFA},
    {"2.3: revoked", "", .value = STONE, .reason = APW_REASON_REVOKED},
    {"2.3: deleted", "", .value = "", .reason = APW_REASON_UNKNOWN_APP_PASSWORD},
    {"2.3: for another service", "", .value = PHONE " services=smtp" HASH,
     .reason = APW_REASON_WRONG_SERVICE},
    {"2.3: disabled", "", .disabled = "TRUE", .reason = APW_REASON_ACCOUNT_DISABLED},
    {"2.3: MFA enforced", "", .mfa = ON, .reason = APW_REASON_ACCOUNT_PASSWORD_WITH_MFA},
};

static void test_cause(void **state)
{
    const struct cause *cause = *state;

    open_session(cause->way);
    assert_stays();
    assert_stays();
    if (cause->value != NULL)
        directory.values[0] = cause->value[0] == '\0' ? NULL : cause->value;
    directory.disabled = cause->disabled;
    directory.end = cause->end;
    directory.mfa = cause->mfa;
    assert_lost(cause->reason);
    assert_lost(cause->reason); /* until it is gone */
    close_session();
}

static void test_other_app_passwords_do_not_matter_in_24(void **state)
{
    (void)state;
    open_session("k7q2");
    directory.values[1] = LAPTOP;
    assert_stays();
    directory.values[1] = NULL;
    directory.mfa = ON;
    assert_stays();
    close_session();
}

static void test_mistakes_that_are_undone(void **state)
{
    (void)state;
    open_session("");
    assert_stays();
    directory.mfa = ON;
    assert_lost(APW_REASON_ACCOUNT_PASSWORD_WITH_MFA);
    directory.mfa = OFF;
    assert_stays();
    close_session();
}

static void test_new_ways_count(void **state)
{
    (void)state;
    open_session("");
    assert_stays();
    directory.values[1] = LAPTOP;
    assert_stays();
    assert_true(apw_table_has_way(session.ways, "0123"));
    directory.values[1] = NULL;
    assert_lost(APW_REASON_UNKNOWN_APP_PASSWORD);
    close_session();
}

static void test_outage(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        open_session(i == 0 ? "" : "k7q2");
        assert_stays();
        directory.is_lost = true;
        assert_int_equal(look(), APW_LOOK_UNAVAILABLE);
        assert_false(session.is_lost);
        close_session();
    }
}

static void test_mfa_that_cannot_be_read(void **state)
{
    (void)state;
    open_session("");
    assert_stays();
    directory.mfa = HIDDEN;
    assert_stays();
    assert_true(apw_table_has_way(session.ways, ACCOUNT));
    close_session();
}

static void test_absence(void **state)
{
    (void)state;
    open_session("");
    assert_stays();
    directory.is_gone = true;
    assert_stays();
    assert_int_equal(user.changed, 1);
    assert_lost(APW_REASON_UNKNOWN_USER);
    directory.is_gone = false;
    assert_stays();
    directory.is_gone = true;
    assert_stays();
    close_session();
}

static void test_users_of_another_passdb(void **state)
{
    (void)state;
    open_session("");
    directory.is_gone = true;
    for (int i = 0; i < 3; i++)
        assert_stays();
    assert_int_equal(user.until, the_time + 3600);
    close_session();
}

static void test_first_look(void **state)
{
    (void)state;
    open_session("");
    directory.values[0] = STONE; /* a second ago, after the session may have begun */
    assert_lost(APW_REASON_REVOKED);
    assert_lost(APW_REASON_REVOKED);
    close_session();
    open_session("");
    directory.values[0] = STONE;
    session.opened_after = the_time;
    assert_stays();
    close_session();
}

/* The user's only session ends, and another begins, between two looks. */
static void replace_session(void)
{
    free(session.ways);
    session.ways = NULL;
    session.kicks = 0;
}

static void test_new_session(void **state)
{
    (void)state;
    open_session("");
    assert_stays();
    replace_session();
    directory.mfa = ON; /* after the new session has begun */
    assert_lost(APW_REASON_ACCOUNT_PASSWORD_WITH_MFA);
    assert_lost(APW_REASON_ACCOUNT_PASSWORD_WITH_MFA);
    replace_session(); /* it comes back */
    assert_stays();
    replace_session();
    directory.values[0] = NULL; /* without a trace */
    assert_lost(APW_REASON_UNKNOWN_APP_PASSWORD);
    replace_session();
    assert_stays();
    close_session();
}

static void test_new_session_of_another_service(void **state)
{
    (void)state;
    open_session("");
    directory.values[0] = PHONE " services=imap" HASH;
    assert_stays();
    replace_session();
    snprintf(session.who.service, sizeof session.who.service, "pop3");
    assert_stays();
    assert_false(apw_table_has_way(session.ways, "k7q2"));
    close_session();
}

static int64_t moment(const char *text)
{
    int64_t seconds;

    assert_int_equal(apw_clock_parse_timestamp(text, 15, &seconds), 0);
    return seconds;
}

static void test_until(void **state)
{
    (void)state;
    open_session("");
    assert_stays();
    assert_int_equal(user.until, the_time + 3600);
    directory.values[0] = PHONE " expires=20261122103000Z" HASH;
    assert_stays();
    assert_int_equal(user.until, moment("20261122103000Z"));
    directory.end = "20261122102001Z";
    assert_stays();
    assert_int_equal(user.until, moment("20261122102001Z"));
    directory.mfa = ON;
    directory.enforce = "20261122101600Z";
    assert_stays();
    assert_int_equal(user.until, moment("20261122101600Z"));
    close_session();
}

/* PHONE lives until 10:30. */
static void test_max_lifetime(void **state)
{
    int64_t before = the_time;

    (void)state;
    config.max_lifetime_s = 21 * 86400 + 37800;
    open_session("k7q2");
    assert_stays();
    assert_int_equal(user.until, moment("20261122103000Z"));
    the_time = moment("20261122102959Z");
    assert_stays();
    the_time++;
    assert_lost(APW_REASON_EXPIRED);
    assert_int_equal(user.last_end, the_time);
    the_time = before;
    config.max_lifetime_s = 0;
    close_session();
}

int main(void)
{
    if (apw_clock_parse_timestamp("20261122101500Z", 15, &the_time) != 0)
        return EXIT_FAILURE;
    UNIT_ROWS(causes, test_cause);
    UNIT_TEST("2.4: other app passwords and MFA do not matter",
              test_other_app_passwords_do_not_matter_in_24);
    UNIT_TEST("a mistake that is undone ends nothing", test_mistakes_that_are_undone);
    UNIT_TEST("2.3: ways that are added later count", test_new_ways_count);
    UNIT_TEST("an outage ends nothing", test_outage);
    UNIT_TEST("MFA that cannot be read ends nothing", test_mfa_that_cannot_be_read);
    UNIT_TEST("a user who is gone is looked at twice", test_absence);
    UNIT_TEST("users of another passdb are left alone", test_users_of_another_passdb);
    UNIT_TEST("a first look finds what has just ended", test_first_look);
    UNIT_TEST("2.3: a first look finds what stood for an earlier session", test_new_session);
    UNIT_TEST("2.3: it ignores what never stood for this service",
              test_new_session_of_another_service);
    UNIT_TEST("the next moment is known", test_until);
    UNIT_TEST("a session ends at max_lifetime", test_max_lifetime);
    return unit_run();
}
