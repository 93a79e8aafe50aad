/* SPDX-License-Identifier: BSD-2-Clause */
#include "guessing.h"
#include "clock.h"
#include "guesses.h"
#include "notice.h"
#include "tries.h"
#include "web/browser.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define ACTION   "this-browser"
#define PATH     ACTION "/"
#define URL_SIZE 1024
#define PATIENCE 5

/* An attacker who sends many codes at once and the owner change the same entry. */
static enum apw_manage_result update(const struct apw_request *request, apw_guesses_change change,
                                     void *context, struct apw_error *error)
{
    enum apw_manage_result result = APW_MANAGE_CONFLICT;

    for (int i = 0; i < PATIENCE && result == APW_MANAGE_CONFLICT; i++)
        result = apw_guesses_update(&request->portal->manager, request->session->owner, change,
                                    context, error);
    return result;
}

/* Concurrent changes, and what has been changed already, are no failure. */
static void log_failure(struct apw_request *request, enum apw_manage_result result,
                        const char *action, const struct apw_error *error)
{
    if (result != APW_MANAGE_DONE && result != APW_MANAGE_UNCHANGED &&
        result != APW_MANAGE_CONFLICT)
        apw_request_log(request, APW_UNAVAILABLE, APW_REASON_NOT_DONE, action, NULL, error);
}

/* ---- counting ---- */

static bool charge(struct apw_guesses *guesses, void *context)
{
    (void)context;
    if (guesses->count >= APW_GUESSES_MOST)
        return false;
    guesses->count++;
    return true;
}

enum apw_verdict apw_guessing_charge(const struct apw_request *request, struct apw_error *error)
{
    enum apw_manage_result result = APW_MANAGE_DONE;

    if (apw_tries_browser(request) == NULL)
        result = update(request, charge, NULL, error);
    if (result == APW_MANAGE_DONE)
        return APW_ACCEPTED;
    /* Each concurrent code is a guess: a code that could not be counted is not checked. */
    return result == APW_MANAGE_UNCHANGED || result == APW_MANAGE_CONFLICT ? APW_REFUSED
                                                                           : APW_UNAVAILABLE;
}

static bool give_back(struct apw_guesses *guesses, void *context)
{
    (void)context;
    if (guesses->count == 0)
        return false;
    guesses->count--;
    return true;
}

void apw_guessing_give_back(struct apw_request *request)
{
    struct apw_error error = {""};

    if (apw_tries_browser(request) == NULL)
        log_failure(request, update(request, give_back, NULL, &error), "second-factor", &error);
}

/* ---- telling the owner ---- */

/* A mail that cannot be sent is tried again with the next wrong code, but not with each. */
static const struct apw_patience mail_patience = {.free = 3, .base_s = 5, .most_s = 60};

/* What goes into a mail, and what it replaces. */
struct letter {
    char token[APW_TOKEN_SIZE];
    struct apw_guesses before;
};

static bool make_link(struct apw_guesses *guesses, void *context)
{
    struct letter *letter = context;

    if (guesses->told >= guesses->day)
        return false;
    letter->before = *guesses;
    apw_guesses_make_link(guesses, letter->token);
    return true;
}

static bool make_link_if_many(struct apw_guesses *guesses, void *context)
{
    return guesses->count >= APW_GUESSES_TELL && make_link(guesses, context);
}

/* Nobody got the link, so the one before is still good, and the owner not told. */
static bool take_back(struct apw_guesses *guesses, void *context)
{
    const struct letter *letter = context;

    if (!apw_guesses_use_link(guesses, letter->token))
        return false;
    guesses->told = letter->before.told;
    memcpy(guesses->link, letter->before.link, sizeof guesses->link);
    return true;
}

static bool mail_link(struct apw_request *request, const char *token)
{
    const struct apw_portal *portal = request->portal;
    const struct apw_factor *factor =
        apw_factors_of_kind(&request->account.factors, APW_METHOD_MAIL);
    char url[URL_SIZE];
    enum apw_mail_result result;

    if (!apw_throttle_take(portal->account_throttle, "mail about guesses",
                           request->account.user->unique_id, &mail_patience,
                           apw_clock_monotonic_ms()))
        return false;
    snprintf(url, sizeof url, "%s/" PATH "%s", portal->portal_config->url, token);
    apw_page_set(&request->page, "link", url);
    result = factor != NULL ? apw_notice_mail(request, factor->method.address, "mail-guessed.txt")
                            : apw_notice_mail_owner(request, "mail-guessed.txt");
    apw_page_set(&request->page, "link", NULL);
    sodium_memzero(url, sizeof url);
    return result == APW_MAIL_SENT;
}

static void tell(struct apw_request *request, apw_guesses_change change)
{
    struct letter letter = {.token = ""};
    struct apw_error error = {""};
    enum apw_manage_result result = update(request, change, &letter, &error);

    if (result == APW_MANAGE_DONE && !mail_link(request, letter.token))
        result = update(request, take_back, &letter, &error);
    log_failure(request, result, "mail", &error);
    sodium_memzero(&letter, sizeof letter);
}

void apw_guessing_tell(struct apw_request *request)
{
    if (apw_tries_browser(request) == NULL)
        tell(request, make_link_if_many);
}

void apw_guessing_tell_at_once(struct apw_request *request)
{
    tell(request, make_link);
}

/* ---- the link ---- */

/* NULL, and the request is answered, unless it is a token. The page's form is sent to the path that
 * was asked for: with dots in it, that would be another page of ours. */
static const char *read_token(struct apw_request *request)
{
    const char *token = request->exchange->path + sizeof PATH - 1;

    if (apw_token_is_token(token))
        return token;
    apw_page_fail(&request->page, 404, APW_TEXT_NOT_FOUND);
    return NULL;
}

/* Programs that fetch links in mail send no forms, so they do not use up the link. */
void apw_guessing_show_link(struct apw_request *request)
{
    if (read_token(request) == NULL)
        return;
    apw_page_set(&request->page, "path", request->exchange->path);
    apw_page_show(&request->page, APW_TITLE_THIS_BROWSER, "this-browser.html");
}

static bool use_link(struct apw_guesses *guesses, void *context)
{
    const char *const *token = context;

    return apw_guesses_use_link(guesses, *token);
}

void apw_guessing_do_link(struct apw_request *request)
{
    const struct apw_portal *portal = request->portal;
    const char *token = read_token(request);
    struct apw_error error = {""};
    enum apw_manage_result result;

    if (token == NULL)
        return;
    result = update(request, use_link, &token, &error);
    if (result == APW_MANAGE_DONE) {
        apw_browser_mark(portal->portal_config->key, request->visitor->login,
                         request->exchange->new_browser);
        request->session->is_known = true;
        apw_request_log(request, APW_ACCEPTED, APW_REASON_DONE, ACTION, NULL, NULL);
        apw_request_go_saying(request, "", APW_TEXT_BROWSER_KNOWN, true);
    } else if (result == APW_MANAGE_UNCHANGED) {
        apw_request_log(request, APW_REFUSED, APW_REASON_NOT_DONE, ACTION, NULL, NULL);
        apw_request_go_saying(request, "", APW_TEXT_BROWSER_LINK_USED, false);
    } else {
        apw_request_give_up(request, ACTION, &error);
    }
}
