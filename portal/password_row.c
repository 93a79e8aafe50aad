/* SPDX-License-Identifier: BSD-2-Clause */
#include "password_row.h"
#include "moment.h"
#include "policy.h"
#include "reverse_names.h"
#include "service_words.h"
#include "unused.h"
#include "web/throttle.h"
#include <string.h>
#include <time.h>

void apw_password_row_ask_names(const struct apw_portal *portal, const struct apw_user *user)
{
    if (portal->reverse_names == NULL)
        return;
    for (size_t i = 0; i < user->password_count; i++)
        if (user->password[i].has_use && user->password[i].use.from[0] != '\0')
            apw_reverse_names_ask(portal->reverse_names, user->password[i].use.from);
}

/* So long not used that its owner gets a mail about it. */
static bool is_unused(const struct apw_request *request,
                      const struct apw_managed_password *password, int64_t now)
{
    const struct apw_user *user =
        request->helped.user != NULL ? request->helped.user : request->account.user;

    return apw_unused_end(request->portal->config, user, password, now) <=
           now + APW_POLICY_NOTICE_S;
}

static enum apw_text state_of(const struct apw_request *request,
                              const struct apw_managed_password *password)
{
    int64_t now = (int64_t)time(NULL);

    if (!password->is_usable)
        return APW_TEXT_UNUSABLE;
    if (password->end <= now)
        return APW_TEXT_EXPIRED;
    if (password->is_outdated)
        return APW_TEXT_OUTDATED;
    return is_unused(request, password, now) ? APW_TEXT_UNUSED_LONG : APW_TEXT_NONE;
}

/* The texts of a row's last use; the page borrows them until the row is added. */
struct last_use {
    char at[APW_MOMENT_SIZE];
    char service[APW_SERVICE_WORDS_SIZE];
    char from[APW_THROTTLE_NETWORK_SIZE];
    char name[APW_REVERSE_NAME_SIZE];
};

static void set_last_use(struct apw_request *request, const struct apw_use *use,
                         struct last_use *texts_r)
{
    struct apw_reverse_names *names = request->portal->reverse_names;
    const struct apw_texts *texts = request->portal->site.texts;
    unsigned language = request->exchange->language;
    char here[APW_THROTTLE_NETWORK_SIZE];
    struct apw_page *page = &request->page;

    *texts_r = (struct last_use){.at = ""};
    apw_moment_minute(texts, language, use->at, texts_r->at);
    if (use->service[0] != '\0')
        apw_service_words(texts, language, use->service, texts_r->service);
    if (use->from[0] != '\0')
        apw_throttle_network(use->from, texts_r->from);
    if (use->from[0] != '\0' && names != NULL)
        apw_reverse_names_get(names, use->from, texts_r->name);
    apw_throttle_network(request->exchange->client, here);
    apw_page_set(page, "last_used", texts_r->at);
    apw_page_set(page, "last_service", texts_r->service);
    apw_page_set(page, "last_from", texts_r->from);
    apw_page_set(page, "last_name", texts_r->name);
    apw_page_set(page, "last_here",
                 request->helped.user == NULL && strcmp(texts_r->from, here) == 0 &&
                         strcmp(here, "-") != 0
                     ? apw_request_text(request, APW_TEXT_HERE)
                     : "");
}

static void set_dates(struct apw_request *request, const struct apw_managed_password *password,
                      char created_r[APW_MOMENT_SIZE], char expires_r[APW_MOMENT_SIZE])
{
    const struct apw_texts *texts = request->portal->site.texts;
    unsigned language = request->exchange->language;
    struct apw_page *page = &request->page;

    apw_moment_day(texts, language, password->record.created, created_r);
    apw_page_set(page, "created", created_r);
    apw_page_set(page, "expires", apw_request_text(request, APW_TEXT_NEVER));
    if (password->end == APW_POLICY_NEVER)
        return;
    apw_moment_end(texts, language, password->end, expires_r);
    apw_page_set(page, "expires", expires_r);
}

/* Of an app password whose value is damaged. */
static const char *const unknown[] = {"id", "label", "created", "expires", "services"};

void apw_password_row_add(struct apw_request *request, const struct apw_managed_password *password)
{
    char created[APW_MOMENT_SIZE], expires[APW_MOMENT_SIZE], services[APW_SERVICE_WORDS_SIZE];
    struct last_use last_use;
    const struct apw_record *record = password->has_record ? &password->record : NULL;
    struct apw_page *page = &request->page;

    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        apw_page_set(page, unknown[i], "–");
    if (password->id[0] != '\0')
        apw_page_set(page, "id", password->id);
    if (record != NULL) {
        apw_page_set(page, "label", record->label);
        set_dates(request, password, created, expires);
        apw_service_words(request->portal->site.texts, request->exchange->language,
                          record->services, services);
        apw_page_set(page, "services", services);
        apw_page_set(page, "from", record->from_text);
    }
    apw_page_set(page, "last_used", apw_request_text(request, APW_TEXT_NOT_USED));
    apw_page_set(page, "last_service", "");
    apw_page_set(page, "last_from", "");
    apw_page_set(page, "last_name", "");
    apw_page_set(page, "last_here", "");
    if (password->has_use)
        set_last_use(request, &password->use, &last_use);
    apw_page_set(page, "state", apw_request_text(request, state_of(request, password)));
    apw_page_add(page, "list-row.html");
    if (record != NULL && record->from_text[0] != '\0')
        apw_page_add(page, "list-row-from.html");
    apw_page_add(page, "list-row-facts-end.html");
}

void apw_password_row_add_revoked(struct apw_request *request, const struct apw_user *user)
{
    const struct apw_texts *texts = request->portal->site.texts;
    unsigned language = request->exchange->language;
    struct apw_page *page = &request->page;

    if (user->tombstone_count == 0)
        return;
    apw_page_add(page, "revoked-top.html");
    for (size_t i = 0; i < user->tombstone_count; i++) {
        const struct apw_tombstone *tombstone = &user->tombstone[i];
        char created[APW_MOMENT_SIZE], revoked[APW_MOMENT_SIZE];

        apw_moment_day(texts, language, tombstone->created, created);
        apw_moment_minute(texts, language, tombstone->revoked, revoked);
        apw_page_set(page, "id", tombstone->id);
        apw_page_set(page, "label", tombstone->label);
        apw_page_set(page, "created", created);
        apw_page_set(page, "revoked", revoked);
        apw_page_add(page, "revoked-row.html");
    }
    apw_page_add(page, "revoked-end.html");
}
