/* SPDX-License-Identifier: BSD-2-Clause */
/* With the test's own clock: every refusal ends refusal_delay after the start of the login,
 * whatever its reason and however long the decision took. Other answers do not wait. A clock that
 * has jumped is an outage until it is right again. */
#include "clock.h"
#include "front.h"
#include "ldap/directory.h"
#include "series.h"
#include "unit.h"
#include <sodium.h>

#define DN       "uid=alice,dc=example,dc=org"
#define DELAY_MS 3000
#define NOW      1795000000 /* in November 2026 */
#define DAY      86400

#define VALUE(keys) "id=k7q2 created=20261101000000Z" keys " hash={ARGON2}" UNIT_PHC " label=Laptop"

/* ---- the clock ---- */

static int64_t monotonic_ms, slept_until_ms;
static int sleeps;
static time_t wall = NOW;

int64_t __wrap_apw_clock_monotonic_ms(void);
void __wrap_apw_clock_sleep_until_ms(int64_t moment);
time_t __wrap_time(time_t *seconds_r);

int64_t __wrap_apw_clock_monotonic_ms(void)
{
    return monotonic_ms;
}

void __wrap_apw_clock_sleep_until_ms(int64_t moment)
{
    sleeps++;
    slept_until_ms = moment;
}

time_t __wrap_time(time_t *seconds_r)
{
    if (seconds_r != NULL)
        *seconds_r = wall;
    return wall;
}

/* ---- the directory ---- */

static const struct scene {
    const char *name;
    const char *login;
    const char *password;
    const char *attributes[4]; /* name, value, …; empty: no such entry */
    bool mfa_is_on;
    enum apw_user_bind bind;
    int takes_ms; /* each request */
    enum apw_verdict verdict;
    enum apw_reason reason;
} scenes[] = {
    {"a blank login", " ", "x", {NULL}, false, 0, 0, APW_REFUSED, APW_REASON_MALFORMED},
    {"an empty password", "alice", "", {NULL}, false, 0, 0, APW_REFUSED, APW_REASON_MALFORMED},
    {"an unknown user",
     "alice",
     UNIT_SHOWN,
     {NULL},
     false,
     0,
     1,
     APW_REFUSED,
     APW_REASON_UNKNOWN_USER},
    {"a locked account",
     "alice",
     UNIT_SHOWN,
     {"nsAccountLock", "TRUE"},
     false,
     0,
     5,
     APW_REFUSED,
     APW_REASON_ACCOUNT_DISABLED},
    {"an unusable value",
     "alice",
     UNIT_SHOWN,
     {"appPassword", "id=k7q2 x"},
     false,
     0,
     5,
     APW_REFUSED,
     APW_REASON_UNUSABLE_VALUE},
    {"an expired app password",
     "alice",
     UNIT_SHOWN,
     {"appPassword", VALUE(" expires=20261102000000Z")},
     false,
     0,
     5,
     APW_REFUSED,
     APW_REASON_EXPIRED},
    {"an app password for another service",
     "alice",
     UNIT_SHOWN,
     {"appPassword", VALUE(" services=imap")},
     false,
     0,
     5,
     APW_REFUSED,
     APW_REASON_WRONG_SERVICE},
    {"an app password for another network",
     "alice",
     UNIT_SHOWN,
     {"appPassword", VALUE(" from=192.0.2.0/24")},
     false,
     0,
     5,
     APW_REFUSED,
     APW_REASON_WRONG_NETWORK},
    {"a wrong app password",
     "alice",
     "k7q2-0000-0000-0000-0001",
     {"appPassword", VALUE("")},
     false,
     0,
     20,
     APW_REFUSED,
     APW_REASON_WRONG_APP_PASSWORD},
    {"a revoked app password",
     "alice",
     UNIT_SHOWN,
     {"uid", "alice"},
     true,
     0,
     20,
     APW_REFUSED,
     APW_REASON_UNKNOWN_APP_PASSWORD},
    {"an account password with MFA",
     "alice",
     "secret",
     {"uid", "alice"},
     true,
     0,
     20,
     APW_REFUSED,
     APW_REASON_ACCOUNT_PASSWORD_WITH_MFA},
    {"a wrong account password",
     "alice",
     "secret",
     {"uid", "alice"},
     false,
     APW_USER_BIND_WRONG,
     300,
     APW_REFUSED,
     APW_REASON_WRONG_ACCOUNT_PASSWORD},
    {"a temporarily locked account",
     "alice",
     "secret",
     {"uid", "alice"},
     false,
     APW_USER_BIND_LOCKED,
     900,
     APW_REFUSED,
     APW_REASON_ACCOUNT_LOCKED},
    {"a password that must be changed",
     "alice",
     "secret",
     {"uid", "alice"},
     false,
     APW_USER_BIND_MUST_CHANGE,
     5,
     APW_REFUSED,
     APW_REASON_PASSWORD_MUST_CHANGE},

    {"a right app password",
     "alice",
     UNIT_SHOWN,
     {"appPassword", VALUE("")},
     true,
     0,
     5,
     APW_ACCEPTED,
     APW_REASON_APP_PASSWORD},
    {"a right account password",
     "alice",
     "secret",
     {"uid", "alice"},
     false,
     APW_USER_BIND_OK,
     5,
     APW_ACCEPTED,
     APW_REASON_ACCOUNT_PASSWORD},
    {"a directory that is lost on the way",
     "alice",
     "secret",
     {"uid", "alice"},
     false,
     APW_USER_BIND_UNAVAILABLE,
     5,
     APW_UNAVAILABLE,
     APW_REASON_DIRECTORY_UNAVAILABLE},
};

static const struct scene *scene;

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);

    if (memory == NULL)
        abort();
    return memory;
}

static struct apw_entry *make_entry(const char *const *attributes)
{
    struct apw_entry *entry = allocate(sizeof *entry);

    entry->dn = strdup(DN);
    if (attributes == NULL)
        return entry;
    entry->attribute_count = 1;
    entry->attribute = allocate(sizeof *entry->attribute);
    entry->attribute->name = strdup(attributes[0]);
    entry->attribute->count = 1;
    entry->attribute->value = allocate(sizeof *entry->attribute->value);
    entry->attribute->value->bytes = strdup(attributes[1]);
    entry->attribute->value->length = strlen(attributes[1]);
    return entry;
}

enum apw_ldap_result __wrap_apw_directory_search(struct apw_directory *directory,
                                                 const struct apw_query *query, int64_t deadline,
                                                 struct apw_entry **entries_r,
                                                 struct apw_error *error);
enum apw_ldap_result __wrap_apw_directory_search_series(struct apw_directory *directory,
                                                        struct apw_search_series *series,
                                                        int64_t deadline, struct apw_error *error);
enum apw_user_bind __wrap_apw_directory_bind_user(struct apw_directory *directory, const char *dn,
                                                  const char *password, size_t password_length,
                                                  int64_t deadline, struct apw_error *error);

enum apw_ldap_result __wrap_apw_directory_search(struct apw_directory *directory,
                                                 const struct apw_query *query, int64_t deadline,
                                                 struct apw_entry **entries_r,
                                                 struct apw_error *error)
{
    bool is_about_mfa = strcmp(query->attributes[0], "1.1") == 0;
    bool is_negated = strstr(query->filter, "(!") != NULL;

    (void)directory, (void)deadline, (void)error;
    monotonic_ms += scene->takes_ms;
    *entries_r = NULL;
    if (is_about_mfa && is_negated != scene->mfa_is_on)
        *entries_r = make_entry(NULL);
    if (!is_about_mfa && scene->attributes[0] != NULL)
        *entries_r = make_entry(scene->attributes);
    return APW_LDAP_OK;
}

static enum apw_ldap_result search(void *directory, const struct apw_query *query, int64_t deadline,
                                   struct apw_entry **entries_r, struct apw_error *error)
{
    return __wrap_apw_directory_search(directory, query, deadline, entries_r, error);
}

enum apw_ldap_result __wrap_apw_directory_search_series(struct apw_directory *directory,
                                                        struct apw_search_series *series,
                                                        int64_t deadline, struct apw_error *error)
{
    return series_answer(search, directory, series, deadline, error);
}

enum apw_user_bind __wrap_apw_directory_bind_user(struct apw_directory *directory, const char *dn,
                                                  const char *password, size_t password_length,
                                                  int64_t deadline, struct apw_error *error)
{
    (void)directory, (void)dn, (void)password, (void)password_length, (void)deadline, (void)error;
    monotonic_ms += scene->takes_ms;
    return scene->bind;
}

/* ---- a login ---- */

static char conf_path[UNIT_PATH_SIZE], never_conf_path[UNIT_PATH_SIZE], log_path[UNIT_PATH_SIZE];

static struct apw_front *open_front_of(const char *path)
{
    struct apw_front *front;
    struct apw_error error;

    assert_int_equal(apw_front_open(path, &front, &error), 0);
    assert_string_equal(error.text, "");
    return front;
}

static struct apw_front *open_front(void)
{
    return open_front_of(conf_path);
}

typedef enum apw_verdict (*authorizer)(void *, const char *, enum apw_reason *, struct apw_error *);

static enum apw_verdict forbid(void *context, const char *name, enum apw_reason *reason_r,
                               struct apw_error *error)
{
    (void)context, (void)name, (void)error;
    *reason_r = APW_REASON_FOREIGN_AUTHZID;
    return APW_REFUSED;
}

static void verify_as(struct apw_front *front, const struct scene *now, authorizer authorize,
                      struct apw_decision *decision)
{
    const struct apw_attempt attempt = {.login = now->login,
                                        .login_length = strlen(now->login),
                                        .password = now->password,
                                        .password_length = strlen(now->password),
                                        .service = "smtp",
                                        .client = "203.0.113.7",
                                        .authorize = authorize};

    scene = now;
    sleeps = 0;
    monotonic_ms = 1000000;
    apw_front_verify(front, &attempt, true, decision);
}

static void verify(struct apw_front *front, const struct scene *now, struct apw_decision *decision)
{
    verify_as(front, now, NULL, decision);
}

static void test_scene(void **state)
{
    const struct scene *row = *state;
    struct apw_front *front = open_front();
    struct apw_decision decision;

    verify(front, row, &decision);
    assert_int_equal(decision.event.verdict, row->verdict);
    assert_int_equal(decision.event.reason, row->reason);
    if (row->verdict == APW_REFUSED) {
        assert_int_equal(sleeps, 1);
        assert_int_equal(slept_until_ms, 1000000 + DELAY_MS + 1);
    } else {
        assert_int_equal(sleeps, 0);
    }
    apw_verify_clear(&decision);
    apw_front_close(&front);
}

/* Two refusals that a scene cannot express. */
static void test_other_refusals(void **state)
{
    static const struct scene login = {.login = "alice",
                                       .password = "secret",
                                       .attributes = {"uid", "alice"},
                                       .bind = APW_USER_BIND_OK,
                                       .takes_ms = 5};

    (void)state;
    for (int is_never = 0; is_never <= 1; is_never++) {
        struct apw_front *front = open_front_of(is_never ? never_conf_path : conf_path);
        struct apw_decision decision;

        verify_as(front, &login, forbid, &decision);
        assert_int_equal(decision.event.verdict, APW_REFUSED);
        assert_int_equal(decision.event.reason,
                         is_never ? APW_REASON_ACCOUNT_PASSWORD_NEVER : APW_REASON_FOREIGN_AUTHZID);
        assert_int_equal(sleeps, 1);
        assert_int_equal(slept_until_ms, 1000000 + DELAY_MS + 1);
        apw_verify_clear(&decision);
        apw_front_close(&front);
    }
}

/* Back by years, forward by years, and right again, without a restart. */
static void test_jump(void **state)
{
    static const struct scene login = {
        .login = "alice", .password = UNIT_SHOWN, .attributes = {"appPassword", VALUE("")}};
    static const struct scene limited = {
        .login = "alice",
        .password = UNIT_SHOWN,
        .attributes = {"appPassword", VALUE(" expires=20270101000000Z")}};
    struct apw_front *front = open_front();
    struct apw_decision decision;

    (void)state;
    wall = NOW - 3 * 365 * (time_t)DAY;
    verify(front, &login, &decision);
    assert_int_equal(decision.event.verdict, APW_UNAVAILABLE);
    assert_int_equal(decision.event.reason, APW_REASON_CLOCK);
    assert_contains(decision.event.detail.text, "clock");
    apw_verify_clear(&decision);
    wall = 0;
    verify(front, &login, &decision);
    assert_int_equal(decision.event.verdict, APW_UNAVAILABLE);
    apw_verify_clear(&decision);
    wall = NOW + 3 * 365 * (time_t)DAY;
    verify(front, &limited, &decision);
    assert_int_equal(decision.event.reason, APW_REASON_EXPIRED);
    apw_verify_clear(&decision);
    wall = NOW;
    verify(front, &limited, &decision);
    assert_int_equal(decision.event.verdict, APW_ACCEPTED);
    apw_verify_clear(&decision);
    apw_front_close(&front);
}

/* A clock that lost its battery must not turn enforced MFA into announced MFA. */
static void test_jump_before_enforcement(void **state)
{
    static const struct scene login = {
        .login = "alice",
        .password = "secret",
        .attributes = {"appPasswordMfaEnforceFrom", "20261101000000Z"},
        .mfa_is_on = true,
        .bind = APW_USER_BIND_OK};
    struct apw_front *front = open_front();
    struct apw_decision decision;

    (void)state;
    wall = 0;
    verify(front, &login, &decision);
    assert_int_equal(decision.event.verdict, APW_UNAVAILABLE);
    assert_int_equal(decision.event.reason, APW_REASON_CLOCK);
    assert_contains(decision.event.detail.text, "clock");
    apw_verify_clear(&decision);
    wall = NOW;
    verify(front, &login, &decision);
    assert_int_equal(decision.event.reason, APW_REASON_ACCOUNT_PASSWORD_WITH_MFA);
    apw_verify_clear(&decision);
    apw_front_close(&front);
}

int main(void)
{
    char text[4 * UNIT_PATH_SIZE], password_path[UNIT_PATH_SIZE];

    unit_path("app-password.conf", conf_path);
    unit_write(unit_path("password", password_path), "secret\n", 7);
    snprintf(text, sizeof text,
             "uri ldapi://%%2Fnowhere\nbase dc=example,dc=org\nbinddn cn=mail\nbindpw_file %s\n"
             "refusal_delay %d\nrecord_use never\nlog %s\n",
             password_path, DELAY_MS / 1000, unit_path("log", log_path));
    unit_write(conf_path, text, strlen(text));
    strcat(text, "account_password never\n");
    unit_write(unit_path("never.conf", never_conf_path), text, strlen(text));
    UNIT_ROWS(scenes, test_scene);
    UNIT_TEST("a foreign authzid and account_password never wait as well", test_other_refusals);
    UNIT_TEST("a clock that has jumped is an outage until it is right again", test_jump);
    UNIT_TEST("a clock that jumps back does not turn enforced MFA into announced MFA",
              test_jump_before_enforcement);
    return unit_run();
}
