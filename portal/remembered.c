/* SPDX-License-Identifier: BSD-2-Clause */
#include "remembered.h"
#include "agent.h"
#include "browser_record.h"
#include "factor.h"
#include "field.h"
#include "moment.h"
#include "tries.h"
#include "update.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define BROWSERS_MAX 10

static const char attribute[] = "appPasswordMfaMethod";

static int64_t period(const struct apw_request *request)
{
    return request->portal->portal_config->factors.remember_browser_s;
}

/* ---- the records ---- */

/* Whether the value is a record that is good now; one that cannot be read is not. */
static bool read_record(const struct apw_request *request, const struct apw_value *value,
                        struct apw_browser_record *record_r)
{
    const struct apw_factor *factor;
    int64_t now = (int64_t)time(NULL);

    if (!apw_browser_record_is_value(value->bytes, value->length) ||
        apw_browser_record_open(value->bytes, value->length, request->portal->portal_config->key,
                                request->account.user->unique_id, record_r) != 0)
        return false;
    factor = apw_factors_find(&request->account.factors, record_r->factor);
    return factor != NULL && factor->is_allowed && now < record_r->until &&
           now < record_r->since + period(request);
}

static bool decode_cookie(const char *text, uint8_t cookie_r[APW_BROWSER_COOKIE_BYTES])
{
    size_t length;

    return apw_field_decode(&(struct apw_field){text, strlen(text)}, cookie_r,
                            APW_BROWSER_COOKIE_BYTES, &length) == 0 &&
           length == APW_BROWSER_COOKIE_BYTES;
}

/* The factor that was passed in this browser, NULL if it is not remembered with this password. */
static const struct apw_factor *find_passed(const struct apw_request *request, const char *password)
{
    const struct apw_values *values = &request->account.user->method;
    uint8_t cookie[APW_BROWSER_COOKIE_BYTES];
    struct apw_browser_record ours, found;
    const struct apw_factor *factor = NULL;

    if (!decode_cookie(request->exchange->remembered, cookie))
        return NULL;
    apw_browser_record_prove(cookie, password, &ours);
    for (size_t i = 0; i < values->count && factor == NULL; i++)
        if (read_record(request, &values->value[i], &found) && strcmp(found.id, ours.id) == 0 &&
            sodium_memcmp(found.proof, ours.proof, sizeof ours.proof) == 0)
            factor = apw_factors_find(&request->account.factors, found.factor);
    sodium_memzero(cookie, sizeof cookie);
    sodium_memzero(&ours, sizeof ours);
    sodium_memzero(&found, sizeof found);
    return factor;
}

bool apw_remembered_let_in(struct apw_request *request, const char *password)
{
    const struct apw_factor *factor;

    if (period(request) == 0 || !request->account.has_mfa)
        return false;
    factor = find_passed(request, password);
    if (factor == NULL)
        return false;
    apw_tries_forget(request, APW_TRIES_FACTOR);
    apw_factor_grant(request, &factor->method);
    request->visitor->is_remembered = true;
    apw_request_log(request, APW_ACCEPTED, APW_REASON_REMEMBERED_BROWSER, "second-factor", NULL,
                    NULL);
    return true;
}

/* ---- remembering ---- */

void apw_remembered_prepare(struct apw_request *request, const char *password)
{
    struct apw_visitor *visitor = request->visitor;
    uint8_t cookie[APW_BROWSER_COOKIE_BYTES];
    struct apw_browser_record record;

    if (period(request) == 0)
        return;
    apw_web_session_make_cookie(visitor->remember_cookie);
    if (decode_cookie(visitor->remember_cookie, cookie)) {
        apw_browser_record_prove(cookie, password, &record);
        memcpy(visitor->remember_proof, record.proof, sizeof visitor->remember_proof);
        memcpy(visitor->remember_id, record.id, sizeof visitor->remember_id);
        sodium_memzero(&record, sizeof record);
    }
    sodium_memzero(cookie, sizeof cookie);
}

void apw_remembered_add_box(struct apw_request *request)
{
    int64_t until = (int64_t)time(NULL) + period(request);
    char date[APW_MOMENT_SIZE];

    if (period(request) == 0)
        return;
    apw_moment_day(request->portal->site.texts, request->exchange->language, until, date);
    apw_page_set(&request->page, "date", date);
    apw_page_add(&request->page, "remember.html");
    apw_page_set(&request->page, "date", NULL);
}

/* Plans the removal of records that are no longer good and, with all places taken, of the oldest.
 */
static size_t plan_room(const struct apw_request *request, struct apw_change *changes, size_t most)
{
    const struct apw_values *values = &request->account.user->method;
    const struct apw_value *oldest = NULL;
    int64_t oldest_since = INT64_MAX;
    size_t count = 0, good = 0;

    for (size_t i = 0; i < values->count; i++) {
        const struct apw_value *value = &values->value[i];
        struct apw_browser_record record;

        if (!apw_browser_record_is_value(value->bytes, value->length))
            continue;
        if (!read_record(request, value, &record)) {
            if (count < most)
                changes[count++] = (struct apw_change){APW_CHANGE_DELETE, attribute, value->bytes};
            continue;
        }
        good++;
        if (record.since < oldest_since) {
            oldest_since = record.since;
            oldest = value;
        }
    }
    if (good >= BROWSERS_MAX && count < most)
        changes[count++] = (struct apw_change){APW_CHANGE_DELETE, attribute, oldest->bytes};
    return count;
}

static void make_record(const struct apw_request *request, const struct apw_method *passed,
                        struct apw_browser_record *record_r)
{
    const struct apw_visitor *visitor = request->visitor;

    memset(record_r, 0, sizeof *record_r);
    record_r->since = (int64_t)time(NULL);
    record_r->until = record_r->since + period(request);
    memcpy(record_r->id, visitor->remember_id, sizeof record_r->id);
    memcpy(record_r->factor, passed->id, sizeof record_r->factor);
    memcpy(record_r->proof, visitor->remember_proof, sizeof record_r->proof);
    apw_agent_name(request->exchange->agent, record_r->name);
}

static enum apw_manage_result store(const struct apw_request *request,
                                    const struct apw_browser_record *record,
                                    struct apw_error *error)
{
    const struct apw_portal *portal = request->portal;
    const struct apw_user *user = request->account.user;
    struct apw_change changes[BROWSERS_MAX + 2];
    char value[APW_BROWSER_RECORD_SIZE];
    size_t count = plan_room(request, changes, BROWSERS_MAX + 1);

    if (apw_browser_record_seal(record, portal->portal_config->key, user->unique_id, value) != 0) {
        apw_error_set(error, "the browser cannot be stored");
        return APW_MANAGE_UNAVAILABLE;
    }
    changes[count++] = (struct apw_change){APW_CHANGE_ADD, attribute, value};
    return apw_update_apply(&portal->manager, user, changes, count, error);
}

void apw_remembered_keep(struct apw_request *request, const struct apw_method *passed)
{
    struct apw_exchange *exchange = request->exchange;
    struct apw_visitor *visitor = request->visitor;
    struct apw_browser_record record;
    struct apw_error error = {""};

    if (period(request) > 0 && visitor->remember_cookie[0] != '\0' &&
        strcmp(apw_request_field(request, APW_FIELD_REMEMBER), "yes") == 0) {
        make_record(request, passed, &record);
        if (store(request, &record, &error) == APW_MANAGE_DONE) {
            memcpy(exchange->new_remembered, visitor->remember_cookie,
                   sizeof exchange->new_remembered);
            exchange->remembered_s = period(request);
            apw_request_audit(request, APW_AUDIT_REMEMBER_BROWSER, NULL, NULL);
        } else {
            apw_request_audit(request, APW_AUDIT_REMEMBER_BROWSER, NULL, &error);
        }
        sodium_memzero(&record, sizeof record);
    }
    sodium_memzero(visitor->remember_cookie, sizeof visitor->remember_cookie);
    sodium_memzero(visitor->remember_proof, sizeof visitor->remember_proof);
}

/* ---- the list ---- */

static void add_row(struct apw_request *request, const struct apw_browser_record *record)
{
    const struct apw_texts *texts = request->portal->site.texts;
    char since[APW_MOMENT_SIZE], until[APW_MOMENT_SIZE];
    struct apw_page *page = &request->page;

    apw_moment_day(texts, request->exchange->language, record->since, since);
    apw_moment_day(texts, request->exchange->language, record->until, until);
    apw_page_set(page, "id", record->id);
    apw_page_set(page, "browser", record->name);
    apw_page_set(page, "since", since);
    apw_page_set(page, "until", until);
    apw_page_add(page, "remembered-row.html");
}

void apw_remembered_add_list(struct apw_request *request)
{
    const struct apw_values *values = &request->account.user->method;
    struct apw_browser_record record;
    bool is_any = false;

    for (size_t i = 0; i < values->count; i++) {
        if (period(request) == 0 || !read_record(request, &values->value[i], &record))
            continue;
        if (!is_any)
            apw_page_add(&request->page, "remembered-top.html");
        is_any = true;
        add_row(request, &record);
    }
    if (is_any)
        apw_page_add(&request->page, "remembered-end.html");
}

static const char *find_value(const struct apw_request *request, const char *id)
{
    const struct apw_values *values = &request->account.user->method;
    struct apw_browser_record record;

    for (size_t i = 0; i < values->count; i++)
        if (read_record(request, &values->value[i], &record) && strcmp(record.id, id) == 0)
            return values->value[i].bytes;
    return NULL;
}

void apw_remembered_do_forget(struct apw_request *request)
{
    const char *value = find_value(request, apw_request_field(request, APW_FIELD_ID));
    const struct apw_change change = {APW_CHANGE_DELETE, attribute, value};
    enum apw_manage_result result = APW_MANAGE_CONFLICT;
    struct apw_error error = {""};

    if (value != NULL)
        result =
            apw_update_apply(&request->portal->manager, request->account.user, &change, 1, &error);
    if (result != APW_MANAGE_DONE && result != APW_MANAGE_CONFLICT) { /* gone already */
        apw_request_fail_change(request, APW_AUDIT_FORGET_BROWSER, NULL, &error);
        return;
    }
    if (result == APW_MANAGE_DONE)
        apw_request_audit(request, APW_AUDIT_FORGET_BROWSER, NULL, NULL);
    apw_request_go_saying(request, "second-steps", APW_TEXT_BROWSER_FORGOTTEN, true);
}
