/* SPDX-License-Identifier: BSD-2-Clause */
/* The decision with a store: which directory is asked what, in which order, and what their answers
 * and outages lead to. */
#include "clock.h"
#include "counted_hashes.h"
#include "series.h"
#include "unit.h"
#include "verify.h"
#include <sodium.h>

#define NOW      "20261122101500Z"
#define DEADLINE 123456789 /* handed through, the same to both */
#define BASE     "dc=example,dc=org"
#define DN       "uid=alice,ou=people,dc=example,dc=org"
#define ENTRIES  "ou=entries,o=app-passwords"
#define ID       "0f3e5a52-61aa"
#define STORED   "appPasswordOwner=" ID "," ENTRIES
#define WITNESS  "cn=mfa-witness,ou=services,o=app-passwords"
#define FLAG_ON  "(appPasswordMfaEnabled=TRUE)"
#define FLAG_OFF "(appPasswordMfaEnabled=FALSE)"
#define GROUP    "(memberOf=cn=mfa," BASE ")"
#define BY_NAME  "(uid=alice)"
#define BY_ID    "(appPasswordOwner=" ID ")"

/* Typed passwords; the first is the one of APP. */
#define RIGHT   UNIT_SHOWN
#define SHOWN   "zzzz-0000-0000-0000-0004"
#define UNKNOWN "zzzz 0000 0000 0000 0004" /* an app password, but not as it is shown */
#define ACCOUNT "correct horse battery staple"

#define VALUE(created) "id=k7q2 created=" created " hash={ARGON2}" UNIT_PHC " label=Laptop"
#define APP                                                                                        \
    {                                                                                              \
        "appPassword", VALUE("20261101000000Z")                                                    \
    }
#define STONE                                                                                      \
    {                                                                                              \
        "appPassword", "id=k7q2 created=20261101000000Z revoked=20261115000000Z label=Laptop"      \
    }
#define FROM(date)                                                                                 \
    {                                                                                              \
        "appPasswordMfaEnforceFrom", date                                                          \
    }
#define USED(at)                                                                                   \
    {                                                                                              \
        "appPasswordUsed", "id=k7q2 at=" at " service=smtp from=203.0.113.7"                       \
    }
#define UUID(value)                                                                                \
    {                                                                                              \
        "entryUUID", value                                                                         \
    }

/* What one search leads to. */
enum fate { ANSWERS = 0, IS_DOWN, BASE_IS_GONE, DENIES };

/* What the MFA filters match, in the users' directory or, with store_mfa, in the store. */
enum flag { FLAG_OF_NOBODY = 0, FLAG_IS_ON, FLAG_IS_OFF, FLAG_IS_HIDDEN, FLAG_IS_LOST };

enum bind_answer { BIND_OK = 0, BIND_WRONG, BIND_LOST };

struct attribute {
    const char *name;
    const char *value;
};
#define ATTRIBUTES_MAX 4

/* A login and its expected result. Defaults: alice with the right app password by smtp from
 * 203.0.113.7; both directories answer, and she has one id. */
struct scene {
    const char *name;
    const char *password;

    enum fate users;
    struct attribute user[ATTRIBUTES_MAX]; /* {UUID(ID)}, unless `is_without_id` */
    bool is_unknown, is_without_id;
    enum fate store;
    struct attribute stored[ATTRIBUTES_MAX]; /* none: no entry */
    const char *stored_dn;
    bool is_twice;
    enum flag flag;
    bool is_flag_in_users; /* with store_mfa it is in the store */
    bool is_off_by_default;
    bool has_witness;
    bool sees_witness; /* with MFA on */
    bool is_added;     /* after the first search */
    enum bind_answer bind;

    enum apw_mfa_enforcement enforcement;
    enum apw_account_password account_password;
    const char *exempt;
    int64_t record_use_s;

    enum apw_verdict verdict;
    enum apw_reason reason;
    /* Searches in order: u the user, s the entry in the store, w the witness, a the absence of an
     * entry, + and - the filters; b the bind. Capitals: in the store. */
    const char *asked;
    const char *dn; /* in the log */
    const char *detail;
    const char *use_dn;
    bool would_refuse, is_exempt;
};

static const struct scene *scene;
static char asked[32];

/* ---- the two directories ---- */

static void note(char what)
{
    size_t length = strlen(asked);

    assert_true(length < sizeof asked - 1);
    asked[length] = what;
    asked[length + 1] = '\0';
}

static struct apw_entry *make_entry(const char *dn, const struct attribute *attributes)
{
    struct apw_entry *entry = calloc(1, sizeof *entry);

    entry->dn = strdup(dn);
    entry->attribute = calloc(ATTRIBUTES_MAX, sizeof *entry->attribute);
    for (size_t i = 0; i < ATTRIBUTES_MAX && attributes != NULL && attributes[i].name != NULL;
         i++) {
        struct apw_attribute *last = i > 0 ? &entry->attribute[entry->attribute_count - 1] : NULL;

        if (last == NULL || strcmp(last->name, attributes[i].name) != 0) {
            last = &entry->attribute[entry->attribute_count++];
            last->name = strdup(attributes[i].name);
            last->value = calloc(ATTRIBUTES_MAX, sizeof *last->value);
        }
        last->value[last->count].length = strlen(attributes[i].value);
        last->value[last->count++].bytes = strdup(attributes[i].value);
    }
    return entry;
}

static enum apw_ldap_result meet(enum fate fate, struct apw_error *error)
{
    static const enum apw_ldap_result results[] = {
        [ANSWERS] = APW_LDAP_OK,
        [IS_DOWN] = APW_LDAP_UNAVAILABLE,
        [BASE_IS_GONE] = APW_LDAP_NO_SUCH_OBJECT,
        [DENIES] = APW_LDAP_NOT_PERMITTED,
    };

    if (fate != ANSWERS)
        apw_error_set(error, "the fault of the scene");
    return results[fate];
}

static bool has_attribute(const struct apw_query *query, const char *name)
{
    for (const char *const *at = query->attributes; *at != NULL; at++)
        if (strcmp(*at, name) == 0)
            return true;
    return false;
}

static enum apw_ldap_result find_user(const struct apw_query *query, struct apw_entry **entries_r,
                                      struct apw_error *error)
{
    static const struct attribute with_id[ATTRIBUTES_MAX] = {UUID(ID)};
    const struct attribute *attributes =
        scene->user[0].name == NULL && !scene->is_without_id ? with_id : scene->user;

    note('u');
    assert_string_equal(query->filter, BY_NAME);
    assert_true(has_attribute(query, "entryUUID"));
    assert_false(has_attribute(query, "appPassword")); /* not even where somebody put it */
    assert_false(has_attribute(query, "appPasswordMfaEnforceFrom"));
    assert_false(has_attribute(query, "appPasswordUsed"));
    if (scene->users == ANSWERS && !scene->is_unknown)
        *entries_r = make_entry(DN, attributes);
    return meet(scene->users, error);
}

/* Whether a filter for MFA matches the entry with the flag. */
static enum apw_ldap_result match(const struct apw_query *query, const char *dn, bool is_in_store,
                                  struct apw_entry **entries_r, struct apw_error *error)
{
    bool is_on = strcmp(query->filter, is_in_store ? FLAG_ON : GROUP) == 0;

    note(is_on ? (is_in_store ? 'O' : 'o') : is_in_store ? 'F' : 'f');
    if (!is_on)
        assert_string_equal(query->filter, is_in_store ? "(&" FLAG_OFF "(!" FLAG_ON "))"
                                           : strcmp(query->base, BASE) == 0 ? "(&" BY_NAME
                                                                              "(!" GROUP "))"
                                                                            : "(!" GROUP ")");
    assert_true(has_attribute(query, "1.1"));
    if (scene->flag == FLAG_IS_LOST)
        return meet(IS_DOWN, error);
    if (scene->flag == (is_on ? FLAG_IS_ON : FLAG_IS_OFF))
        *entries_r = make_entry(dn, NULL);
    return APW_LDAP_OK;
}

static enum apw_ldap_result ask_users(void *context, const struct apw_query *query,
                                      int64_t deadline, struct apw_entry **entries_r,
                                      struct apw_error *error)
{
    assert_string_equal(context, "users");
    assert_true(deadline == DEADLINE);
    *entries_r = NULL;
    if (strcmp(query->base, BASE) == 0 && strstr(query->filter, GROUP) == NULL)
        return find_user(query, entries_r, error);
    assert_string_equal(query->base, strstr(query->filter, BY_NAME) != NULL ? BASE : DN);
    assert_true(scene->is_flag_in_users);
    return match(query, DN, false, entries_r, error);
}

static enum apw_ldap_result find_stored(const struct apw_query *query, struct apw_entry **entries_r,
                                        struct apw_error *error)
{
    const char *dn = scene->stored_dn != NULL ? scene->stored_dn : STORED;

    note('S');
    assert_int_equal(query->scope, APW_SCOPE_ONE);
    assert_string_equal(query->filter, BY_ID); /* never the login */
    assert_true(has_attribute(query, "appPassword"));
    assert_true(has_attribute(query, "appPasswordMfaEnforceFrom"));
    assert_true(has_attribute(query, "appPasswordUsed") == (scene->record_use_s > 0));
    if (scene->store == ANSWERS && scene->stored[0].name != NULL)
        *entries_r = make_entry(dn, scene->stored);
    if (*entries_r != NULL && scene->is_twice)
        (*entries_r)->next = make_entry("cn=copy," ENTRIES, scene->stored);
    return meet(scene->store, error);
}

static enum apw_ldap_result ask_store(void *context, const struct apw_query *query,
                                      int64_t deadline, struct apw_entry **entries_r,
                                      struct apw_error *error)
{
    assert_string_equal(context, "store");
    assert_true(deadline == DEADLINE);
    *entries_r = NULL;
    if (strcmp(query->base, ENTRIES) == 0)
        return find_stored(query, entries_r, error);
    assert_string_equal(query->base, STORED);
    assert_false(scene->is_flag_in_users);
    return match(query, STORED, true, entries_r, error);
}

/* By itself, or with the description that default off needs. */
static bool shows_witness(const char *filter)
{
    return strcmp(filter, FLAG_ON) == 0 ||
           strcmp(filter, "(&" FLAG_ON "(description=entryUUID))") == 0;
}

/* One search of a series in the store. */
static enum apw_ldap_result ask_in_series(void *context, const struct apw_query *query,
                                          int64_t deadline, struct apw_entry **entries_r,
                                          struct apw_error *error)
{
    bool is_witness = strcmp(query->base, WITNESS) == 0;

    assert_string_equal(context, "store");
    assert_true(deadline == DEADLINE);
    assert_true(has_attribute(query, "1.1"));
    if (strcmp(query->base, STORED) == 0)
        return match(query, STORED, true, entries_r, error);
    note(is_witness ? 'W' : 'A');
    assert_int_equal(query->scope, is_witness ? APW_SCOPE_BASE : APW_SCOPE_ONE);
    assert_string_equal(query->base, is_witness ? WITNESS : ENTRIES);
    if (scene->flag == FLAG_IS_LOST)
        return meet(IS_DOWN, error);
    if (is_witness && !scene->sees_witness)
        return meet(scene->flag == FLAG_IS_HIDDEN ? BASE_IS_GONE : ANSWERS, error);
    if (is_witness ? shows_witness(query->filter) : scene->is_added)
        *entries_r = make_entry(query->base, NULL);
    return APW_LDAP_OK;
}

static enum apw_ldap_result ask_series(void *context, struct apw_search_series *series,
                                       int64_t deadline, struct apw_error *error)
{
    series->connection = 1;
    return series_answer(ask_in_series, context, series, deadline, error);
}

static enum apw_ldap_result ask_users_series(void *context, struct apw_search_series *series,
                                             int64_t deadline, struct apw_error *error)
{
    return series_answer(ask_users, context, series, deadline, error);
}

static enum apw_user_bind bind_user(void *context, const char *dn, const char *password,
                                    size_t password_length, int64_t deadline,
                                    struct apw_error *error)
{
    const char *typed = scene->password != NULL ? scene->password : RIGHT;

    assert_string_equal(context, "users");
    assert_string_equal(dn, DN);
    assert_int_equal(password_length, strlen(typed));
    assert_memory_equal(password, typed, password_length);
    assert_true(deadline == DEADLINE);
    note('b');
    if (scene->bind == BIND_LOST)
        apw_error_set(error, "the fault of the scene");
    return scene->bind == BIND_OK      ? APW_USER_BIND_OK
           : scene->bind == BIND_WRONG ? APW_USER_BIND_WRONG
                                       : APW_USER_BIND_UNAVAILABLE;
}

static enum apw_user_bind bind_nobody(void *context, const char *dn, const char *password,
                                      size_t password_length, int64_t deadline,
                                      struct apw_error *error)
{
    (void)context, (void)dn, (void)password, (void)password_length, (void)deadline, (void)error;
    fail_msg("nobody binds to the store");
    return APW_USER_BIND_UNAVAILABLE;
}

static int64_t now(void *context)
{
    int64_t seconds = 0;

    assert_string_equal(context, "users");
    apw_clock_parse_timestamp(NOW, strlen(NOW), &seconds);
    return seconds;
}

static struct apw_config make_config(void)
{
    struct apw_config config = {.base = (char *)BASE,
                                .filter = (char *)"(uid=%u)",
                                .mfa_filter = (char *)(scene->is_flag_in_users ? GROUP : FLAG_ON),
                                .mfa_off_filter =
                                    (char *)(scene->is_flag_in_users ? NULL : FLAG_OFF),
                                .mfa_witness = (char *)(scene->has_witness ? WITNESS : NULL),
                                .hash_memory_mib = 8,
                                .hash_passes = 1,
                                .mfa_enforcement = scene->enforcement,
                                .account_password = scene->account_password,
                                .record_use_s = scene->record_use_s,
                                .store = {.uris = {.count = 1},
                                          .base = (char *)ENTRIES,
                                          .id_attribute = apw_directory_id_attribute("entryUUID"),
                                          .has_mfa = !scene->is_flag_in_users,
                                          .is_mfa_off_by_default = scene->is_off_by_default}};

    if (scene->exempt != NULL)
        assert_int_equal(apw_networks_parse(scene->exempt, strlen(scene->exempt), ' ',
                                            &config.account_password_from, NULL),
                         0);
    return config;
}

static const struct apw_world store = {.search = ask_store,
                                       .search_series = ask_series,
                                       .bind_user = bind_nobody,
                                       .context = (char *)"store"};

static struct apw_world both(void)
{
    return (struct apw_world){.search = ask_users,
                              .search_series = ask_users_series,
                              .bind_user = bind_user,
                              .now = now,
                              .context = (char *)"users",
                              .store = &store};
}

static struct apw_attempt attempt_of(const struct scene *of)
{
    const char *password = of->password != NULL ? of->password : RIGHT;

    return (struct apw_attempt){.login = "alice",
                                .login_length = 5,
                                .password = password,
                                .password_length = strlen(password),
                                .service = "smtp",
                                .client = "203.0.113.7"};
}

/* ---- scenes ---- */

#define ACCEPTS(why)  .verdict = APW_ACCEPTED, .reason = APW_REASON_##why
#define REFUSES(why)  .verdict = APW_REFUSED, .reason = APW_REASON_##why
#define GIVES_UP(why) .verdict = APW_UNAVAILABLE, .reason = APW_REASON_##why
#define IN_USERS      .is_flag_in_users = true
#define OFF_DEFAULT   .is_off_by_default = true, .has_witness = true
#define WITNESSED     OFF_DEFAULT, .sees_witness = true
#define NEVER         .account_password = APW_ACCOUNT_PASSWORD_NEVER
#define REPORT        .enforcement = APW_MFA_REPORT
#define TRUE_FLAG     .flag = FLAG_IS_ON
#define FALSE_FLAG    .flag = FLAG_IS_OFF
#define ENTRY         .stored = {APP}

static const struct scene scenes[] = {
    /* an app password */
    {"an app password of the store is accepted", ENTRY, ACCEPTS(APP_PASSWORD), .asked = "uS"},
    {"an app password is accepted, MFA in the users' directory", ENTRY, IN_USERS,
     ACCEPTS(APP_PASSWORD), .asked = "uS"},
    {"an app password in the user's own entry counts for nothing", .user = {UUID(ID), APP},
     REFUSES(UNKNOWN_APP_PASSWORD), .asked = "uS"},
    {"a revoked app password is refused", .stored = {STONE}, REFUSES(REVOKED), .asked = "uS"},
    {"a revocation beside the app password wins", .stored = {APP, STONE}, REFUSES(REVOKED),
     .asked = "uS"},
    {"an app password without an entry in the store is refused", REFUSES(UNKNOWN_APP_PASSWORD),
     .asked = "uS"},
    {"an app password of another user is refused", .password = SHOWN, ENTRY,
     REFUSES(UNKNOWN_APP_PASSWORD), .asked = "uS"},
    {"an app password is refused without asking for MFA", .password = SHOWN, ENTRY, IN_USERS,
     FALSE_FLAG, REFUSES(UNKNOWN_APP_PASSWORD), .asked = "uS"},
    {"two values with one id are unusable", .stored = {APP, APP}, REFUSES(UNUSABLE_VALUE),
     .asked = "uS", .dn = STORED, .detail = "2 values"},
    {"an app password from the future is the clock's fault",
     .stored = {{"appPassword", VALUE("20261125000000Z")}}, GIVES_UP(CLOCK), .asked = "uS",
     .dn = STORED, .detail = "in the future"},

    /* outages: an app password */
    {"an unknown user does not reach the store", .is_unknown = true, ENTRY, REFUSES(UNKNOWN_USER),
     .asked = "u"},
    {"without the users' directory nobody is accepted", .users = IS_DOWN, ENTRY,
     GIVES_UP(DIRECTORY_UNAVAILABLE), .asked = "u", .detail = "the fault"},
    {"without its base nobody is accepted", .users = BASE_IS_GONE, ENTRY,
     GIVES_UP(DIRECTORY_UNAVAILABLE), .asked = "u"},
    {"without the store no app password is accepted", .store = IS_DOWN,
     GIVES_UP(DIRECTORY_UNAVAILABLE), .asked = "uS", .dn = DN, .detail = "the fault"},
    {"nor is one refused", .store = IS_DOWN, .password = SHOWN, IN_USERS, FALSE_FLAG,
     GIVES_UP(DIRECTORY_UNAVAILABLE), .asked = "uS"},
    {"a store without its base is an outage", .store = BASE_IS_GONE,
     GIVES_UP(DIRECTORY_UNAVAILABLE), .asked = "uS", .dn = DN,
     .detail = "store_base \"" ENTRIES "\" does not exist"},
    {"a store that denies is an outage", .store = DENIES, GIVES_UP(DIRECTORY_UNAVAILABLE),
     .asked = "uS"},
    {"a store with two such entries is an outage", ENTRY, .is_twice = true,
     GIVES_UP(DIRECTORY_UNAVAILABLE), .asked = "uS", .detail = "more than one entry"},
    {"a store that answers with another entry is an outage", ENTRY,
     .stored_dn = "appPasswordOwner=0f3e5a52-61ab," ENTRIES, GIVES_UP(DIRECTORY_UNAVAILABLE),
     .asked = "uS", .detail = "the store answered with"},
    {"a user without an id is an outage", .is_without_id = true, ENTRY,
     GIVES_UP(DIRECTORY_UNAVAILABLE), .asked = "u", .dn = DN,
     .detail = "id_attribute entryUUID has no value"},
    {"a user with two ids is an outage", .user = {UUID(ID), UUID("f")}, ENTRY,
     GIVES_UP(DIRECTORY_UNAVAILABLE), .asked = "u", .dn = DN, .detail = "2 values"},
    {"an id that is none is an outage", .user = {UUID("*")}, ENTRY, GIVES_UP(DIRECTORY_UNAVAILABLE),
     .asked = "u", .dn = DN, .detail = "is not an id"},

    /* the account password, MFA in the users' directory */
    {"with MFA off the store is not asked", .password = ACCOUNT, ENTRY, IN_USERS, FALSE_FLAG,
     ACCEPTS(ACCOUNT_PASSWORD), .asked = "ufb"},
    {"with MFA off an outage of the store does not matter", .password = ACCOUNT, .store = IS_DOWN,
     IN_USERS, FALSE_FLAG, ACCEPTS(ACCOUNT_PASSWORD), .asked = "ufb"},
    {"nor does a missing id", .password = ACCOUNT, .is_without_id = true, IN_USERS, FALSE_FLAG,
     ACCEPTS(ACCOUNT_PASSWORD), .asked = "ufb"},
    {"with MFA off a wrong password is refused", .password = ACCOUNT, IN_USERS, FALSE_FLAG,
     .bind = BIND_WRONG, REFUSES(WRONG_ACCOUNT_PASSWORD), .asked = "ufb"},
    {"a bind without an answer is an outage", .password = ACCOUNT, IN_USERS, FALSE_FLAG,
     .bind = BIND_LOST, GIVES_UP(DIRECTORY_UNAVAILABLE), .asked = "ufb"},
    {"with MFA on the account password is refused", .password = ACCOUNT, ENTRY, IN_USERS, TRUE_FLAG,
     REFUSES(ACCOUNT_PASSWORD_WITH_MFA), .asked = "ufoS"},
    {"with MFA on and no entry it is refused, too", .password = ACCOUNT, IN_USERS, TRUE_FLAG,
     REFUSES(ACCOUNT_PASSWORD_WITH_MFA), .asked = "ufoS"},
    {"with MFA on an outage of the store is one", .password = ACCOUNT, .store = IS_DOWN, IN_USERS,
     TRUE_FLAG, GIVES_UP(DIRECTORY_UNAVAILABLE), .asked = "ufoS", .dn = DN},
    {"with MFA on a store without its base is an outage", .password = ACCOUNT,
     .store = BASE_IS_GONE, IN_USERS, TRUE_FLAG, GIVES_UP(DIRECTORY_UNAVAILABLE), .asked = "ufoS"},
    {"with MFA on a missing id is an outage", .password = ACCOUNT, .is_without_id = true, IN_USERS,
     TRUE_FLAG, GIVES_UP(DIRECTORY_UNAVAILABLE), .asked = "ufo"},
    {"MFA that is hidden is unreadable", .password = ACCOUNT, IN_USERS, .flag = FLAG_IS_HIDDEN,
     GIVES_UP(MFA_UNREADABLE), .asked = "ufof", .dn = DN},
    {"MFA that cannot be asked for is an outage", .password = ACCOUNT, IN_USERS,
     .flag = FLAG_IS_LOST, GIVES_UP(DIRECTORY_UNAVAILABLE), .asked = "ufo"},
    {"what is shaped like an app password needs the store, MFA off", .password = UNKNOWN, IN_USERS,
     FALSE_FLAG, ACCEPTS(ACCOUNT_PASSWORD), .asked = "uSofb"},
    {"and is an outage without it", .password = UNKNOWN, .store = IS_DOWN, IN_USERS, FALSE_FLAG,
     GIVES_UP(DIRECTORY_UNAVAILABLE), .asked = "uS"},
    {"what is shaped like an app password is refused with MFA on", .password = UNKNOWN, ENTRY,
     IN_USERS, TRUE_FLAG, REFUSES(UNKNOWN_APP_PASSWORD), .asked = "uSo"},
    {"the flag of the store counts for nothing if MFA is in the users' directory",
     .password = ACCOUNT, .stored = {APP, {"appPasswordMfaEnabled", "FALSE"}}, IN_USERS, TRUE_FLAG,
     REFUSES(ACCOUNT_PASSWORD_WITH_MFA), .asked = "ufoS"},

    /* the account password, MFA in the store */
    {"store_mfa: TRUE refuses", .password = ACCOUNT, ENTRY, TRUE_FLAG,
     REFUSES(ACCOUNT_PASSWORD_WITH_MFA), .asked = "uSO"},
    {"store_mfa: FALSE accepts", .password = ACCOUNT, .stored = {FROM("20200101000000Z")},
     FALSE_FLAG, ACCEPTS(ACCOUNT_PASSWORD), .asked = "uSFb"},
    {"store_mfa: FALSE accepts beside an app password", .password = ACCOUNT, ENTRY, FALSE_FLAG,
     ACCEPTS(ACCOUNT_PASSWORD), .asked = "uSOFb"},
    {"store_mfa: an entry that says neither is unreadable", .password = ACCOUNT, ENTRY,
     .flag = FLAG_IS_HIDDEN, GIVES_UP(MFA_UNREADABLE), .asked = "uSOF", .dn = STORED},
    {"store_mfa: that is so with MFA off by default", .password = ACCOUNT, ENTRY, WITNESSED,
     .flag = FLAG_IS_HIDDEN, GIVES_UP(MFA_UNREADABLE), .asked = "uSOF", .dn = STORED},
    {"store_mfa: an outage at the flag is one", .password = ACCOUNT, ENTRY, .flag = FLAG_IS_LOST,
     GIVES_UP(DIRECTORY_UNAVAILABLE), .asked = "uSO"},
    {"store_mfa: without an entry MFA is on", .password = ACCOUNT,
     REFUSES(ACCOUNT_PASSWORD_WITH_MFA), .asked = "uS"},
    {"store_mfa: without the store nothing is decided", .password = ACCOUNT, .store = IS_DOWN,
     FALSE_FLAG, GIVES_UP(DIRECTORY_UNAVAILABLE), .asked = "uS"},
    {"store_mfa: without its base nothing is decided", .password = ACCOUNT, .store = BASE_IS_GONE,
     WITNESSED, GIVES_UP(DIRECTORY_UNAVAILABLE), .asked = "uS"},
    {"store_mfa: a missing id is an outage", .password = ACCOUNT, .is_without_id = true, WITNESSED,
     GIVES_UP(DIRECTORY_UNAVAILABLE), .asked = "u"},
    {"store_mfa: without the users' directory nothing is decided", .password = ACCOUNT,
     .users = IS_DOWN, FALSE_FLAG, GIVES_UP(DIRECTORY_UNAVAILABLE), .asked = "u"},
    {"store_mfa: with a witness, FALSE accepts", .password = ACCOUNT,
     .stored = {FROM("20200101000000Z")}, WITNESSED, FALSE_FLAG, ACCEPTS(ACCOUNT_PASSWORD),
     .asked = "uSFWWb"},
    {"store_mfa: without the witness, FALSE is unreadable", .password = ACCOUNT,
     .stored = {FROM("20200101000000Z")}, OFF_DEFAULT, FALSE_FLAG, GIVES_UP(MFA_UNREADABLE),
     .asked = "uSFW", .detail = "mfa_witness " WITNESS},

    /* no entry, and MFA off by default */
    {"default off: the witness and no entry accept", .password = ACCOUNT, WITNESSED,
     ACCEPTS(ACCOUNT_PASSWORD), .asked = "uSWAb"},
    {"default off: a wrong password is refused", .password = ACCOUNT, WITNESSED, .bind = BIND_WRONG,
     REFUSES(WRONG_ACCOUNT_PASSWORD), .asked = "uSWAb"},
    {"default off: an empty store accepts nobody", .password = ACCOUNT, OFF_DEFAULT,
     GIVES_UP(MFA_UNREADABLE), .asked = "uSW", .dn = DN,
     .detail = "mfa_witness " WITNESS " is not in the store with MFA on"},
    {"default off: a witness that is gone accepts nobody", .password = ACCOUNT, OFF_DEFAULT,
     .flag = FLAG_IS_HIDDEN, GIVES_UP(MFA_UNREADABLE), .asked = "uSW",
     .detail = "which is id_attribute: the fault"},
    {"default off: an outage at the witness is one", .password = ACCOUNT, WITNESSED,
     .flag = FLAG_IS_LOST, GIVES_UP(DIRECTORY_UNAVAILABLE), .asked = "uSW", .detail = "the fault"},
    {"default off: an entry that has just been added accepts nobody", .password = ACCOUNT,
     WITNESSED, .is_added = true, GIVES_UP(MFA_UNREADABLE), .asked = "uSWA",
     .detail = "has just been added"},
    {"default off: an app password as shown is refused", .password = SHOWN, WITNESSED,
     REFUSES(UNKNOWN_APP_PASSWORD), .asked = "uS"},
    {"default off: what is only shaped like one is tried", .password = UNKNOWN, WITNESSED,
     ACCEPTS(ACCOUNT_PASSWORD), .asked = "uSWAb"},

    /* announced */
    {"MFA that is announced in the store accepts", .password = ACCOUNT,
     .stored = {FROM("20261201000000Z")}, IN_USERS, TRUE_FLAG, ACCEPTS(ACCOUNT_PASSWORD),
     .asked = "ufoSb", .would_refuse = true},
    {"store_mfa: MFA that is announced accepts", .password = ACCOUNT,
     .stored = {FROM("20261201000000Z")}, TRUE_FLAG, ACCEPTS(ACCOUNT_PASSWORD), .asked = "uSFOb",
     .would_refuse = true},
    {"an announcement in the user's own entry counts for nothing", .password = ACCOUNT,
     .user = {UUID(ID), FROM("20261201000000Z")}, ENTRY, IN_USERS, TRUE_FLAG,
     REFUSES(ACCOUNT_PASSWORD_WITH_MFA), .asked = "ufoS"},
    {"an announcement that has come refuses", .password = ACCOUNT,
     .stored = {FROM("20261122101500Z")}, TRUE_FLAG, REFUSES(ACCOUNT_PASSWORD_WITH_MFA),
     .asked = "uSFO"},
    {"an announcement that is no date is unreadable", .password = ACCOUNT, .stored = {FROM("soon")},
     TRUE_FLAG, GIVES_UP(MFA_UNREADABLE), .asked = "uSFO", .dn = STORED,
     .detail = "not one GeneralizedTime"},
    {"two announcements are unreadable", .password = ACCOUNT,
     .stored = {FROM("20261201000000Z"), FROM("20270101000000Z")}, IN_USERS, TRUE_FLAG,
     GIVES_UP(MFA_UNREADABLE), .asked = "ufoS", .dn = STORED},
    {"an app password made later shows a clock that is behind", .password = ACCOUNT,
     .stored = {FROM("20261201000000Z"), {"appPassword", VALUE("20261125000000Z")}}, TRUE_FLAG,
     GIVES_UP(CLOCK), .asked = "uSO", .dn = STORED},
    {"so does a last use, MFA in the users' directory", .password = ACCOUNT,
     .stored = {FROM("20261201000000Z"), USED("20261125000000Z")}, IN_USERS, TRUE_FLAG,
     .record_use_s = 86400, GIVES_UP(CLOCK), .asked = "ufoS", .dn = STORED},
    {"what the user's own entry says of that counts for nothing", .password = ACCOUNT,
     .user = {UUID(ID), {"appPassword", VALUE("20261125000000Z")}},
     .stored = {FROM("20261201000000Z")}, TRUE_FLAG, ACCEPTS(ACCOUNT_PASSWORD), .asked = "uSFOb",
     .would_refuse = true},

    /* report, never, exempt networks */
    {"mfa_enforcement report accepts", .password = ACCOUNT, ENTRY, TRUE_FLAG, REPORT,
     ACCEPTS(ACCOUNT_PASSWORD), .asked = "uSOb", .would_refuse = true},
    {"mfa_enforcement report accepts without an entry", .password = ACCOUNT, REPORT,
     ACCEPTS(ACCOUNT_PASSWORD), .asked = "uSb", .would_refuse = true},
    {"mfa_enforcement report needs the store", .password = ACCOUNT, .store = IS_DOWN, REPORT,
     GIVES_UP(DIRECTORY_UNAVAILABLE), .asked = "uS"},
    {"account_password never refuses with MFA off", .password = ACCOUNT, IN_USERS, FALSE_FLAG,
     NEVER, REFUSES(ACCOUNT_PASSWORD_NEVER), .asked = "uf"},
    {"account_password never refuses by default", .password = ACCOUNT, WITNESSED, NEVER,
     REFUSES(ACCOUNT_PASSWORD_NEVER), .asked = "uSWA"},
    {"an exempt network accepts with MFA on", .password = ACCOUNT, ENTRY, TRUE_FLAG,
     .exempt = "203.0.113.0/24", ACCEPTS(ACCOUNT_PASSWORD), .asked = "uSOb", .is_exempt = true},
    {"another network does not", .password = ACCOUNT, ENTRY, TRUE_FLAG, .exempt = "192.0.2.0/24",
     REFUSES(ACCOUNT_PASSWORD_WITH_MFA), .asked = "uSO"},
    {"an exempt network needs the store", .password = ACCOUNT, .store = IS_DOWN,
     .exempt = "203.0.113.0/24", GIVES_UP(DIRECTORY_UNAVAILABLE), .asked = "uS"},

    /* the last use */
    {"a use is due in the store", ENTRY, .record_use_s = 86400, ACCEPTS(APP_PASSWORD),
     .asked = "uS", .use_dn = STORED},
    {"an old one is replaced there", .stored = {APP, USED("20261101000000Z")},
     .record_use_s = 86400, ACCEPTS(APP_PASSWORD), .asked = "uS", .use_dn = STORED},
    {"a recent one is not", .stored = {APP, USED("20261122101000Z")}, .record_use_s = 86400,
     ACCEPTS(APP_PASSWORD), .asked = "uS"},
    {"one in the user's own entry counts for nothing", .user = {UUID(ID), USED("20261122101000Z")},
     ENTRY, .record_use_s = 86400, ACCEPTS(APP_PASSWORD), .asked = "uS", .use_dn = STORED},
};

static void assert_text(const char *text, const char *expected)
{
    assert_string_equal(text != NULL ? text : "none", expected != NULL ? expected : "none");
}

static void test_scene(void **state)
{
    const struct scene *row = scene = *state;
    const struct apw_config config = make_config();
    const struct apw_attempt attempt = attempt_of(row);
    const struct apw_world world = both();
    struct apw_decision decision;

    asked[0] = '\0';
    apw_verify(&config, &world, &attempt, DEADLINE, &decision);
    assert_string_equal(apw_reason_name(decision.event.reason), apw_reason_name(row->reason));
    assert_int_equal(decision.event.verdict, row->verdict);
    assert_string_equal(asked, row->asked);
    assert_string_equal(decision.event.name, row->verdict == APW_ACCEPTED ? "alice" : "");
    if (row->dn != NULL)
        assert_text(decision.event.dn, row->dn);
    if (row->detail != NULL)
        assert_contains(decision.event.detail.text, row->detail);
    assert_text(decision.use_dn, row->use_dn);
    assert_int_equal(decision.event.would_refuse, row->would_refuse);
    assert_int_equal(decision.event.is_exempt, row->is_exempt);
    apw_verify_clear(&decision);
}

/* Whether somebody exists is asked of the users' directory alone. */
static void test_existence(void **state)
{
    static const struct {
        struct scene scene;
        enum apw_existence existence;
    } cases[] = {
        {{.name = "", .store = IS_DOWN}, APW_EXISTENCE_KNOWN},
        {{.name = "", .is_without_id = true}, APW_EXISTENCE_KNOWN},
        {{.name = "", .is_unknown = true, ENTRY}, APW_EXISTENCE_UNKNOWN},
        {{.name = "", .users = IS_DOWN, ENTRY}, APW_EXISTENCE_UNAVAILABLE},
    };

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        const struct apw_attempt attempt = {.login = "alice", .login_length = 5};
        const struct apw_world world = both();
        struct apw_decision decision;
        struct apw_config config;

        scene = &cases[i].scene;
        config = make_config();
        asked[0] = '\0';
        assert_int_equal(apw_verify_existence(&config, &world, &attempt, DEADLINE, &decision),
                         cases[i].existence);
        assert_string_equal(asked, "u");
        apw_verify_clear(&decision);
    }
}

static enum apw_reason log_in(const struct scene *next, const struct apw_world *world)
{
    const struct apw_attempt attempt = attempt_of(next);
    struct apw_decision decision;
    struct apw_config config;
    enum apw_reason reason;

    scene = next;
    config = make_config();
    asked[0] = '\0';
    hashes = 0;
    apw_verify(&config, world, &attempt, DEADLINE, &decision);
    reason = decision.event.reason;
    apw_verify_clear(&decision);
    return reason;
}

/* A remembered match saves the hash, and nothing else. */
static void test_remember(void **state)
{
    static const struct scene
        good = {.name = "", ENTRY},
        revoked = {.name = "", .stored = {STONE}}, none = {.name = ""},
        down = {.name = "", .store = IS_DOWN},
        other = {.name = "",
                 .stored = {{"appPassword",
                             "id=k7q2 created=20261101000000Z hash={ARGON2}"
                             "$argon2id$v=19$m=8,t=1,p=1$c2l4dGVlbiBieXRlcyBvbQ$" UNIT_OUTPUT
                             " label=Laptop"}}};
    struct apw_world world = both();

    (void)state;
    assert_int_equal(apw_remember_new(10, &world.remember, NULL), 0);
    assert_int_equal(log_in(&good, &world), APW_REASON_APP_PASSWORD);
    assert_int_equal(hashes, 1);
    assert_int_equal(log_in(&good, &world), APW_REASON_APP_PASSWORD);
    assert_string_equal(asked, "uS");
    assert_int_equal(hashes, 0);
    assert_int_equal(log_in(&revoked, &world), APW_REASON_REVOKED);
    assert_int_equal(log_in(&none, &world), APW_REASON_UNKNOWN_APP_PASSWORD);
    assert_int_equal(log_in(&down, &world), APW_REASON_DIRECTORY_UNAVAILABLE);
    assert_int_equal(log_in(&other, &world), APW_REASON_WRONG_APP_PASSWORD);
    assert_int_equal(hashes, 1);
    apw_tags_free(&world.remember);
}

int main(void)
{
    if (sodium_init() < 0)
        return EXIT_FAILURE;
    UNIT_ROWS(scenes, test_scene);
    UNIT_TEST("whether a user exists is not asked of the store", test_existence);
    UNIT_TEST("a remembered match saves the hash alone", test_remember);
    return unit_run();
}
