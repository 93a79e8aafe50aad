/* SPDX-License-Identifier: BSD-2-Clause */
#include "advice.h"
#include "moment.h"
#include "service_words.h"
#include <string.h>
#include <time.h>

/* Callers rarely mean an app password that was revoked before these. */
#define NEWEST_REVOKED 3

/* One sentence or two, with the page's {names} in them. */
static void say(struct apw_request *request, enum apw_text text)
{
    struct apw_buffer whole = {NULL, 0, 0, false};
    struct apw_page *page = &request->page;

    apw_template_fill_text(apw_request_text(request, text), &page->variables, &whole);
    apw_page_set(page, "text", whole.bytes);
    apw_page_add(page, "say-row.html");
    apw_page_set(page, "text", NULL);
    apw_buffer_free(&whole);
}

/* ---- one thing each; true if there was something to say ---- */

static bool say_account(struct apw_request *request)
{
    if (request->helped.is_ended)
        say(request, APW_TEXT_SAY_ENDED);
    return request->helped.is_ended;
}

static bool say_lock(struct apw_request *request)
{
    int64_t since = request->helped.user->locked_since;
    char date[APW_MOMENT_SIZE];

    if (since == 0)
        return false;
    apw_moment_minute(request->portal->site.texts, request->exchange->language, since, date);
    apw_page_set(&request->page, "date", date);
    say(request, APW_TEXT_SAY_LOCKED);
    return true;
}

static bool say_mfa(struct apw_request *request)
{
    const struct apw_account *helped = &request->helped;
    char date[APW_MOMENT_SIZE];

    if (!helped->has_mfa) {
        if (request->portal->config->account_password == APW_ACCOUNT_PASSWORD_WHEN_MFA_OFF)
            say(request, APW_TEXT_SAY_MFA_OFF);
        return true;
    }
    if (!helped->is_announced)
        return false;
    apw_moment_minute(request->portal->site.texts, request->exchange->language,
                      helped->user->enforce_from, date);
    apw_page_set(&request->page, "date", date);
    say(request, APW_TEXT_SAY_ANNOUNCED);
    return true;
}

static bool say_second_step(struct apw_request *request)
{
    const struct apw_factors *factors = &request->helped.factors;

    if (!request->helped.has_mfa)
        return false;
    if (apw_factors_count(factors) == 0)
        say(request, request->portal->portal_config->enrolment == APW_ENROLMENT_CODE
                         ? APW_TEXT_SAY_ENROL_BY_CODE
                         : APW_TEXT_SAY_ENROL);
    else if (apw_factors_usual(factors) == NULL)
        say(request, APW_TEXT_SAY_NOT_ALLOWED);
    else
        return false;
    return true;
}

static bool say_no_password(struct apw_request *request)
{
    const struct apw_account *helped = &request->helped;
    bool is_missing = helped->has_mfa && helped->user->password_count == 0 &&
                      apw_factors_count(&helped->factors) > 0;

    if (is_missing)
        say(request, APW_TEXT_SAY_NO_APP_PASSWORD);
    return is_missing;
}

/* About an app password whose value is good. */
static bool say_record(struct apw_request *request, const struct apw_managed_password *password)
{
    const struct apw_texts *texts = request->portal->site.texts;
    unsigned language = request->exchange->language;
    const struct apw_record *record = &password->record;
    char date[APW_MOMENT_SIZE], services[APW_SERVICE_WORDS_SIZE];
    struct apw_page *page = &request->page;

    if (password->end <= (int64_t)time(NULL)) {
        apw_moment_day(texts, language, password->end, date);
        apw_page_set(page, "date", date);
        say(request, APW_TEXT_SAY_EXPIRED);
        return true;
    }
    if (!password->has_use)
        say(request, APW_TEXT_SAY_UNUSED);
    apw_service_words(texts, language, record->services, services);
    apw_page_set(page, "services", services);
    if (record->services[0] != '\0')
        say(request, APW_TEXT_SAY_ONLY_FOR);
    apw_page_set(page, "from", record->from_text);
    if (record->from_text[0] != '\0')
        say(request, APW_TEXT_SAY_ONLY_FROM);
    return !password->has_use || record->services[0] != '\0' || record->from_text[0] != '\0';
}

static bool say_passwords(struct apw_request *request)
{
    const struct apw_user *user = request->helped.user;
    bool is_said = false;

    for (size_t i = 0; i < user->password_count; i++) {
        const struct apw_managed_password *password = &user->password[i];

        apw_page_set(&request->page, "label",
                     password->has_record ? password->record.label : password->id);
        if (password->is_usable) {
            is_said = say_record(request, password) || is_said;
        } else {
            say(request, APW_TEXT_SAY_DAMAGED);
            is_said = true;
        }
    }
    return is_said;
}

/* The directory has the last use of a revoked one, but not who has tried it since. */
static bool say_revoked(struct apw_request *request)
{
    const struct apw_texts *texts = request->portal->site.texts;
    unsigned language = request->exchange->language;
    const struct apw_user *user = request->helped.user;

    for (size_t i = 0; i < user->tombstone_count && i < NEWEST_REVOKED; i++) {
        const struct apw_tombstone *tombstone = &user->tombstone[i];
        const struct apw_use *use = apw_user_newest_use(user, tombstone->id);
        char date[APW_MOMENT_SIZE], used[APW_MOMENT_SIZE];
        struct apw_page *page = &request->page;

        apw_moment_day(texts, language, tombstone->revoked, date);
        if (use != NULL)
            apw_moment_day(texts, language, use->at, used);
        apw_page_set(page, "label", tombstone->label);
        apw_page_set(page, "date", date);
        apw_page_set(page, "used", use != NULL ? used : NULL);
        say(request, use != NULL ? APW_TEXT_SAY_REVOKED_USED : APW_TEXT_SAY_REVOKED);
    }
    return user->tombstone_count > 0;
}

void apw_advice_add(struct apw_request *request)
{
    static bool (*const sayings[])(struct apw_request * request) = {
        say_lock, say_mfa, say_second_step, say_no_password, say_passwords, say_revoked};
    struct apw_page *page = &request->page;
    bool is_said;

    apw_page_set(page, "url", request->portal->portal_config->url);
    apw_page_add(page, "say-top.html");
    is_said = say_account(request); /* then nothing else matters */
    for (size_t i = 0; i < sizeof sayings / sizeof sayings[0] && !request->helped.is_ended; i++)
        is_said = sayings[i](request) || is_said;
    if (!is_said)
        say(request, APW_TEXT_SAY_NOTHING_WRONG);
    apw_page_add(page, "say-end.html");
}
