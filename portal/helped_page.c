/* SPDX-License-Identifier: BSD-2-Clause */
#include "helped_page.h"
#include "advice.h"
#include "devices.h"
#include "factor.h"
#include "help_actions.h"
#include "help_mfa.h"
#include "helpdesk.h"
#include "moment.h"
#include "password_row.h"

static void add_facts(struct apw_request *request)
{
    const struct apw_account *helped = &request->helped;
    const struct apw_user *user = helped->user;
    struct apw_page *page = &request->page;
    char date[APW_MOMENT_SIZE];

    apw_page_set(page, "name", user->full_name[0] != '\0' ? user->full_name : user->name);
    apw_page_set(page, "mail", user->mail.count > 0 ? user->mail.value[0].bytes : "–");
    apw_page_set(page, "account",
                 apw_request_text(request, helped->is_ended ? APW_TEXT_ACCOUNT_ENDED
                                                            : APW_TEXT_ACCOUNT_OPEN));
    apw_page_set(page, "mfa",
                 apw_request_text(request, !helped->has_mfa       ? APW_TEXT_OFF
                                           : helped->is_announced ? APW_TEXT_ANNOUNCED
                                                                  : APW_TEXT_ON));
    apw_page_add(page, "helped-top.html");
    if (helped->has_mfa && user->has_enforce_from) {
        apw_moment_minute(request->portal->site.texts, request->exchange->language,
                          user->enforce_from, date);
        apw_page_set(page, "date", date);
        apw_page_add(page, helped->is_announced ? "helped-from.html" : "helped-since.html");
    }
    apw_page_add(page, "helped-facts-end.html");
}

static void add_factors(struct apw_request *request)
{
    const struct apw_factors *factors = &request->helped.factors;
    const struct apw_texts *texts = request->portal->site.texts;
    unsigned language = request->exchange->language;
    struct apw_page *page = &request->page;

    apw_page_add(page, "helped-factors-top.html");
    for (size_t i = 0; i < factors->count; i++) {
        const struct apw_method *method = &factors->factor[i].method;
        char title[APW_FACTOR_TITLE_SIZE], since[APW_MOMENT_SIZE], used[APW_MOMENT_SIZE];

        apw_factor_title(request, method, title);
        apw_moment_day(texts, language, method->since, since);
        apw_moment_minute(texts, language, method->used, used);
        apw_page_set(page, "factor", title);
        apw_page_set(page, "since", since);
        apw_page_set(page, "used",
                     method->used != 0 ? used : apw_request_text(request, APW_TEXT_NOT_USED));
        apw_page_add(page, "helped-factor.html");
    }
    apw_page_add(page, factors->count == 0 ? "helped-factors-none.html" : "helped-list-end.html");
}

static void add_passwords(struct apw_request *request)
{
    const struct apw_user *user = request->helped.user;
    struct apw_page *page = &request->page;

    apw_page_add(page, "helped-passwords-top.html");
    apw_password_row_ask_names(request->portal, user);
    for (size_t i = 0; i < user->password_count; i++) {
        apw_password_row_add(request, &user->password[i]);
        if (user->password[i].id[0] != '\0')
            apw_page_add(page, "help-revoke.html");
        apw_page_add(page, "helped-row-end.html");
    }
    apw_page_add(page,
                 user->password_count == 0 ? "helped-passwords-none.html" : "helped-list-end.html");
}

/* Links that would give somebody an app password. */
static void add_unused(struct apw_request *request)
{
    const struct apw_user *user = request->helped.user;
    struct apw_page *page = &request->page;
    struct apw_invitation invitation;
    bool is_any = false;

    for (size_t i = 0; i < user->method.count; i++) {
        char until[APW_MOMENT_SIZE];

        if (!apw_devices_is_open(&user->method.value[i], &invitation))
            continue;
        if (!is_any)
            apw_page_add(page, "helped-unused-top.html");
        is_any = true;
        apw_moment_minute(request->portal->site.texts, request->exchange->language,
                          invitation.until, until);
        apw_page_set(page, "id", invitation.record.id);
        apw_page_set(page, "label", invitation.record.label);
        apw_page_set(page, "until", until);
        apw_page_add(page, "helped-unused.html");
        apw_page_add(page, "help-withdraw.html");
        apw_page_add(page, "helped-row-end.html");
    }
    if (is_any)
        apw_page_add(page, "helped-list-end.html");
}

void apw_helped_page_show(struct apw_request *request)
{
    struct apw_page *page = &request->page;

    if (request->helped.user == NULL && !apw_helped_read(request))
        return;
    apw_helpdesk_log(request, APW_ACCEPTED, APW_REASON_DONE, "help-desk-person", NULL, NULL);
    page->is_shown_once = true; /* the links of the languages would lose the person */
    apw_page_set(page, "person", request->helped_login);
    apw_page_open(page, 200, APW_TITLE_HELP_DESK);
    add_facts(request);
    apw_help_mfa_add_reset(request);
    apw_advice_add(request);
    add_factors(request);
    add_passwords(request);
    add_unused(request);
    apw_help_actions_add(request);
    apw_password_row_add_revoked(request, request->helped.user);
    apw_page_end(page);
}
