/* SPDX-License-Identifier: BSD-2-Clause */
/* Browsers that skip the second factor: letting in, remembering, listing and forgetting. */
#include "field.h"
#include "remembered.h"
#include "tries.h"
#include "update.h"
#include "visit.h"
#include <sodium.h>

#define DAY      INT64_C(86400)
#define PERIOD   (30 * DAY)
#define PASSWORD "correct horse"
#define COOKIE   "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define FACTOR   "1f2e3d4c"
#define VALUES   32

/* ---- in place of the directory ---- */

static enum apw_manage_result result; /* of the next change */
static unsigned deleted_count, added_count;
static const char *deleted[VALUES];
static char added[APW_BROWSER_RECORD_SIZE];

enum apw_manage_result __wrap_apw_update_apply(const struct apw_manager *manager,
                                               const struct apw_user *changed_user,
                                               const struct apw_change *changes, size_t count,
                                               struct apw_error *error);
enum apw_manage_result __wrap_apw_update_apply(const struct apw_manager *manager,
                                               const struct apw_user *changed_user,
                                               const struct apw_change *changes, size_t count,
                                               struct apw_error *error)
{
    assert_ptr_equal(manager, &portal.manager);
    assert_ptr_equal(changed_user, &user);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(changes[i].attribute, "appPasswordMfaMethod");
        if (changes[i].kind == APW_CHANGE_DELETE) {
            assert_int_equal(added_count, 0);
            deleted[deleted_count++] = changes[i].value;
        } else {
            assert_int_equal(changes[i].kind, APW_CHANGE_ADD);
            snprintf(added, sizeof added, "%s", changes[i].value);
            added_count++;
        }
    }
    if (result != APW_MANAGE_DONE)
        apw_error_set(error, "not changed");
    return result;
}

/* ---- a person with a second factor ---- */

static char texts[VALUES][APW_BROWSER_RECORD_SIZE];
static struct apw_value values[VALUES];
static struct apw_factor *factor;

static void begin(void)
{
    visit_begin();
    factor = visit_add_factor(APW_METHOD_APP, FACTOR);
    portal_config.factors.remember_browser_s = PERIOD;
    user.method = (struct apw_values){.count = 0, .value = values};
    snprintf(exchange.remembered, sizeof exchange.remembered, "%s", COOKIE);
    snprintf(exchange.client, sizeof exchange.client, "192.0.2.1");
    result = APW_MANAGE_DONE;
    deleted_count = added_count = 0;
    added[0] = '\0';
}

static const char *add_value(const char *text)
{
    size_t i = user.method.count++;

    assert_true(i < VALUES);
    snprintf(texts[i], sizeof texts[i], "%s", text);
    values[i] = (struct apw_value){texts[i], strlen(texts[i])};
    return texts[i];
}

/* The record of the browser with that cookie, stored ten days ago. */
static struct apw_browser_record record_of(const char *text)
{
    struct apw_browser_record record = {.factor = FACTOR, .name = "Firefox"};
    uint8_t cookie[APW_BROWSER_COOKIE_BYTES];
    size_t length;

    assert_int_equal(
        apw_field_decode(&(struct apw_field){text, strlen(text)}, cookie, sizeof cookie, &length),
        0);
    apw_browser_record_prove(cookie, PASSWORD, &record);
    record.since = now_s - 10 * DAY;
    record.until = record.since + PERIOD;
    return record;
}

static const char *add_record(const struct apw_browser_record *record)
{
    char value[APW_BROWSER_RECORD_SIZE];

    assert_int_equal(apw_browser_record_seal(record, portal_config.key, user.unique_id, value), 0);
    return add_value(value);
}

/* A record of another browser, remembered at that moment. */
static const char *add_other(int64_t since)
{
    char cookie[APW_COOKIE_SIZE];
    struct apw_browser_record record;

    apw_web_session_make_cookie(cookie);
    record = record_of(cookie);
    record.since = since;
    record.until = since + PERIOD;
    return add_record(&record);
}

/* ---- letting in ---- */

static void assert_let_in(const char *password, bool is_let_in)
{
    request.session->level = APW_RIGHTS_PASSWORD;
    request.visitor->is_remembered = false;
    assert_int_equal(apw_remembered_let_in(&request, password), is_let_in);
    assert_int_equal(request.session->level, is_let_in ? APW_RIGHTS_FULL : APW_RIGHTS_PASSWORD);
    assert_int_equal(request.visitor->is_remembered, is_let_in);
}

static const struct let_in_case {
    const char *name;
    const char *cookie, *password; /* NULL: as it was remembered */
    int64_t since, until;          /* added to the record */
    bool is_let_in;
} let_ins[] = {
    {"the browser that was remembered", NULL, NULL, 0, 0, true},
    {"another password", NULL, "correct horses", 0, 0, false},
    {"an empty password", NULL, "", 0, 0, false},
    {"no cookie", "", NULL, 0, 0, false},
    {"another cookie", "BAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", NULL, 0, 0, false},
    {"a byte less", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg", NULL, 0, 0, false},
    {"no base64url", "+AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", NULL, 0, 0, false},
    {"the last second", NULL, NULL, 0, -20 * DAY + 1, true},
    {"the first second after it", NULL, NULL, 0, -20 * DAY, false},
    {"the last second of a shorter period", NULL, NULL, -20 * DAY + 1, DAY, true},
    {"the first second after that", NULL, NULL, -20 * DAY, DAY, false},
};

static void test_let_in(void **state)
{
    const struct let_in_case *row = *state;
    struct apw_browser_record record;

    begin();
    record = record_of(COOKIE);
    record.since += row->since;
    record.until += row->until;
    add_record(&record);
    if (row->cookie != NULL)
        snprintf(exchange.remembered, sizeof exchange.remembered, "%s", row->cookie);
    assert_let_in(row->password != NULL ? row->password : PASSWORD, row->is_let_in);
    if (row->is_let_in)
        assert_logged("verdict=accepted reason=remembered-browser user=\"alice\"");
    else
        assert_not_logged("remembered-browser");
    visit_end();
}

static void test_shortest_period(void **state)
{
    struct apw_browser_record record;

    (void)state;
    begin();
    portal_config.factors.remember_browser_s = 1;
    record = record_of(COOKIE);
    record.since = now_s;
    add_record(&record);
    assert_let_in(PASSWORD, true);
    now_s++;
    assert_let_in(PASSWORD, false);
    visit_end();
}

/* Each of these alone ends it. */
static void test_settings(void **state)
{
    struct apw_browser_record record;

    (void)state;
    begin();
    record = record_of(COOKIE);
    add_record(&record);
    portal_config.factors.remember_browser_s = 0;
    assert_let_in(PASSWORD, false);
    portal_config.factors.remember_browser_s = PERIOD;
    request.account.has_mfa = false;
    assert_let_in(PASSWORD, false);
    request.account.has_mfa = true;
    factor->is_allowed = false;
    assert_let_in(PASSWORD, false);
    factor->is_allowed = true;
    request.account.factors.count = 0;
    assert_let_in(PASSWORD, false);
    request.account.factors.count = 1;
    user.unique_id = (char *)"another";
    assert_let_in(PASSWORD, false);
    user.unique_id = (char *)"entry";
    portal_config.key[0] ^= 1;
    assert_let_in(PASSWORD, false);
    portal_config.key[0] ^= 1;
    assert_let_in(PASSWORD, true);
    visit_end();
}

static void test_among_others(void **state)
{
    struct apw_browser_record record;

    (void)state;
    begin();
    assert_let_in(PASSWORD, false);
    add_value("factor v=2 kind=totp sealed=AAAA");
    add_value("browser v=2 sealed=AAAA");
    add_other(now_s);
    record = record_of(COOKIE);
    record.proof[0] ^= 1;
    add_record(&record); /* the same cookie with another password */
    record.proof[0] ^= 1;
    strcpy(record.id, "00000000");
    add_record(&record); /* another cookie with the same proof */
    assert_let_in(PASSWORD, false);
    record = record_of(COOKIE);
    add_record(&record);
    assert_let_in(PASSWORD, true);
    add_other(now_s);
    assert_let_in(PASSWORD, true);
    visit_end();
}

static void test_tries_are_forgotten(void **state)
{
    struct apw_browser_record record;

    (void)state;
    begin();
    record = record_of(COOKIE);
    add_record(&record);
    while (apw_tries_take(&request, APW_TRIES_FACTOR))
        ;
    assert_let_in(PASSWORD, true);
    assert_true(apw_tries_take(&request, APW_TRIES_FACTOR));
    visit_end();
}

/* ---- remembering ---- */

/* The person passes the second step, with this in the box. */
static void keep(const char *ticked)
{
    visit_next();
    visit_type("remember", ticked);
    apw_remembered_keep(&request, &factor->method);
    assert_string_equal(request.visitor->remember_cookie, "");
    assert_true(unit_is_zero(request.visitor->remember_proof, APW_BROWSER_PROOF_BYTES));
}

static void test_keep(void **state)
{
    struct apw_browser_record record;

    (void)state;
    begin();
    exchange.remembered[0] = '\0';
    apw_remembered_prepare(&request, PASSWORD);
    keep("yes");
    assert_int_equal(added_count, 1);
    assert_int_equal(deleted_count, 0);
    assert_int_equal(strlen(exchange.new_remembered), APW_COOKIE_SIZE - 1);
    assert_int_equal(exchange.remembered_s, PERIOD);
    assert_logged("action=remember-browser");
    assert_not_logged("not changed");
    assert_int_equal(
        apw_browser_record_open(added, strlen(added), portal_config.key, "entry", &record), 0);
    assert_int_equal(record.since, now_s);
    assert_int_equal(record.until, now_s + PERIOD);
    assert_string_equal(record.factor, FACTOR);

    add_value(added);
    assert_let_in(PASSWORD, false);
    strcpy(exchange.remembered, exchange.new_remembered);
    assert_let_in(PASSWORD, true);
    assert_let_in("another", false);
    now_s += PERIOD;
    assert_let_in(PASSWORD, false);
    visit_end();
}

static void test_not_kept(void **state)
{
    (void)state;
    begin();
    keep("yes"); /* it was not prepared */
    apw_remembered_prepare(&request, PASSWORD);
    keep("");
    apw_remembered_prepare(&request, PASSWORD);
    keep("no");
    portal_config.factors.remember_browser_s = 0;
    apw_remembered_prepare(&request, PASSWORD);
    assert_string_equal(request.visitor->remember_cookie, "");
    strcpy(request.visitor->remember_cookie, COOKIE);
    keep("yes");
    assert_int_equal(added_count, 0);
    assert_string_equal(exchange.new_remembered, "");
    assert_not_logged("remember-browser");
    portal_config.factors.remember_browser_s = 1;
    apw_remembered_prepare(&request, PASSWORD);
    keep("yes");
    assert_int_equal(added_count, 1);
    visit_end();
}

static void test_not_stored(void **state)
{
    (void)state;
    begin();
    apw_remembered_prepare(&request, PASSWORD);
    result = APW_MANAGE_UNAVAILABLE;
    keep("yes");
    assert_string_equal(exchange.new_remembered, "");
    assert_int_equal(exchange.remembered_s, 0);
    assert_logged("action=remember-browser");
    assert_logged("not changed");
    visit_end();
}

static const struct room_case {
    const char *name;
    unsigned good, over; /* records in the entry */
    unsigned oldest;     /* of the good ones */
    unsigned deleted;
    bool is_oldest_deleted;
} rooms[] = {
    {"nine others stay", 9, 0, 5, 0, false},
    {"of ten others the oldest goes", 10, 0, 5, 1, true},
    {"also if it is the first", 10, 0, 0, 1, true},
    {"also if it is the last", 10, 0, 9, 1, true},
    {"one that is over goes", 9, 1, 5, 1, false},
    {"and the oldest of ten", 10, 1, 5, 2, true},
    {"ten that are over, and the oldest of ten", 10, 10, 5, 11, true},
    {"at most eleven go at once", 10, 15, 5, 11, false},
};

static void test_room(void **state)
{
    const struct room_case *row = *state;
    const char *oldest = NULL;
    unsigned found = 0;

    begin();
    for (unsigned i = 0; i < row->good; i++) {
        const char *value = add_other(now_s - (i == row->oldest ? 2 : 1) * DAY);

        if (i == row->oldest)
            oldest = value;
    }
    for (unsigned i = 0; i < row->over; i++)
        add_other(now_s - PERIOD - i);
    add_value("factor v=2 kind=totp sealed=AAAA");
    add_value("code created=20261122101500Z");
    add_other(now_s - 3 * DAY);
    user.method.count--; /* that one is behind the end */
    apw_remembered_prepare(&request, PASSWORD);
    keep("yes");
    assert_int_equal(added_count, 1);
    assert_int_equal(deleted_count, row->deleted);
    for (unsigned i = 0; i < deleted_count; i++) {
        assert_int_equal(strncmp(deleted[i], "browser ", 8), 0);
        found += deleted[i] == oldest;
    }
    assert_int_equal(found, row->is_oldest_deleted);
    visit_end();
}

/* ---- the list ---- */

/* The page; how many browsers it lists. */
static unsigned list(void)
{
    unsigned count = 0;

    visit_next();
    apw_page_open(&request.page, 200, APW_TITLE_SECOND_STEPS);
    apw_remembered_add_list(&request);
    apw_page_end(&request.page);
    assert_shown(200, "<html");
    for (const char *at = exchange.body.bytes; (at = strstr(at, "/forget-browser")) != NULL; at++)
        count++;
    return count;
}

static void test_list(void **state)
{
    (void)state;
    begin();
    add_other(now_s);
    user.method.count--; /* that one is behind the end */
    assert_int_equal(list(), 0);
    assert_null(strstr(exchange.body.bytes, "<ul"));
    add_other(now_s);
    assert_int_equal(list(), 1);
    assert_contains(exchange.body.bytes, "<ul");
    add_value("factor v=2 kind=totp sealed=AAAA");
    add_value("browser v=2 sealed=AAAA");
    add_other(now_s - PERIOD);
    add_other(now_s - PERIOD + 1);
    assert_int_equal(list(), 2);
    assert_non_null(strstr(strstr(exchange.body.bytes, "<ul"), "</ul>"));
    assert_null(strstr(strstr(exchange.body.bytes, "<ul") + 1, "<ul"));
    portal_config.factors.remember_browser_s = 1;
    assert_int_equal(list(), 1);
    portal_config.factors.remember_browser_s = 0;
    assert_int_equal(list(), 0);
    visit_end();
}

static void test_box(void **state)
{
    (void)state;
    begin();
    for (int is_on = 0; is_on <= 1; is_on++) {
        portal_config.factors.remember_browser_s = is_on ? PERIOD : 0;
        visit_next();
        apw_page_open(&request.page, 200, APW_TITLE_SECOND_STEPS);
        apw_remembered_add_box(&request);
        apw_page_end(&request.page);
        assert_shown(200, "<html");
        if (is_on) /* 20,000 and 30 days after the beginning of 1970 */
            assert_contains(exchange.body.bytes, "in this browser until 3 November 2024");
        else
            assert_null(strstr(exchange.body.bytes, "in this browser"));
    }
    visit_end();
}

static const struct forget_case {
    const char *name;
    bool is_there;
    enum apw_manage_result result;
    bool is_logged;
    unsigned status;
} forgets[] = {
    {"a browser is forgotten", true, APW_MANAGE_DONE, true, 303},
    {"somebody else was faster", true, APW_MANAGE_CONFLICT, false, 303},
    {"the directory is away", true, APW_MANAGE_UNAVAILABLE, true, 503},
    {"the right is missing", true, APW_MANAGE_NOT_PERMITTED, true, 503},
    {"it is gone already", false, APW_MANAGE_UNAVAILABLE, false, 303},
};

static void test_forget(void **state)
{
    const struct forget_case *row = *state;
    struct apw_browser_record record;
    const char *value;

    begin();
    record = record_of(COOKIE);
    if (!row->is_there)
        record.until = now_s;
    value = add_record(&record);
    add_other(now_s);
    record.until = now_s + DAY;
    add_record(&record);
    user.method.count--; /* that one is behind the end */
    result = row->result;
    visit_next();
    visit_type("id", record.id);
    apw_remembered_do_forget(&request);
    assert_int_equal(added_count, 0);
    assert_int_equal(deleted_count, row->is_there);
    if (row->is_there)
        assert_ptr_equal(deleted[0], value);
    if (row->is_logged)
        assert_logged("action=forget-browser");
    else
        assert_not_logged("forget-browser");
    assert_int_equal(exchange.status, row->status);
    if (row->status == 303)
        assert_redirected("second-steps", APW_TEXT_BROWSER_FORGOTTEN, true);
    visit_end();
}

int main(void)
{
    visit_prepare();
    UNIT_ROWS(let_ins, test_let_in);
    UNIT_TEST("a period of a second", test_shortest_period);
    UNIT_TEST("settings and changes that end it for all browsers", test_settings);
    UNIT_TEST("one browser among other values", test_among_others);
    UNIT_TEST("wrong codes of before no longer count", test_tries_are_forgotten);
    UNIT_TEST("a browser that is remembered is let in later", test_keep);
    UNIT_TEST("no browser is remembered unless the person asks for it", test_not_kept);
    UNIT_TEST("a browser gets no cookie if its record is not stored", test_not_stored);
    UNIT_ROWS(rooms, test_room);
    UNIT_TEST("the list shows the valid ones", test_list);
    UNIT_TEST("the box says until when", test_box);
    UNIT_ROWS(forgets, test_forget);
    return unit_run();
}
