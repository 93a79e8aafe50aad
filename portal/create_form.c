/* SPDX-License-Identifier: BSD-2-Clause */
#include "create_form.h"
#include "moment.h"
#include "policy.h"
#include "utf8.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY_S      86400
#define VALUE_SIZE 16

/* The ends that have a text of their own. */
static const struct {
    int64_t period_s;
    enum apw_text text;
} usual[] = {
    {30 * DAY_S, APW_TEXT_IN_30_DAYS},
    {90 * DAY_S, APW_TEXT_IN_90_DAYS},
    {365 * DAY_S, APW_TEXT_IN_A_YEAR},
};
#define USUAL_COUNT (sizeof usual / sizeof usual[0])

/* The periods to choose from, the shortest first; 0 is never. */
struct choices {
    size_t count;
    int64_t period_s[USUAL_COUNT + 3];
};

/* In its place; once. */
static void offer(struct choices *choices, int64_t period_s, int64_t longest_s)
{
    size_t at = choices->count;

    if (period_s == 0 || (longest_s > 0 && period_s > longest_s))
        return;
    while (at > 0 && choices->period_s[at - 1] > period_s)
        at--;
    if (at > 0 && choices->period_s[at - 1] == period_s)
        return;
    memmove(&choices->period_s[at + 1], &choices->period_s[at],
            (choices->count - at) * sizeof choices->period_s[0]);
    choices->period_s[at] = period_s;
    choices->count++;
}

static void list_choices(const struct apw_config *config, struct choices *choices_r)
{
    choices_r->count = 0;
    if (config->max_lifetime_s == 0)
        choices_r->period_s[choices_r->count++] = 0;
    for (size_t i = 0; i < USUAL_COUNT; i++)
        offer(choices_r, usual[i].period_s, config->max_lifetime_s);
    offer(choices_r, config->default_expires_s, config->max_lifetime_s);
    offer(choices_r, config->max_lifetime_s, config->max_lifetime_s);
}

/* The value in the form, as apw_clock_parse_duration() reads it. */
static void format_value(int64_t period_s, char value_r[VALUE_SIZE])
{
    bool is_days = period_s % DAY_S == 0;

    if (period_s == 0)
        strcpy(value_r, "never");
    else
        snprintf(value_r, VALUE_SIZE, "%" PRId64 "%s", is_days ? period_s / DAY_S : period_s,
                 is_days ? "d" : "s");
}

/* A period without a text of its own is shown as the day when it ends: languages differ in how they
 * count days. */
static void add_choice(struct apw_request *request, int64_t period_s, const char *chosen)
{
    char value[VALUE_SIZE], date[APW_MOMENT_SIZE];
    enum apw_text text = period_s == 0 ? APW_TEXT_EXPIRES_NEVER : APW_TEXT_NONE;
    struct apw_page *page = &request->page;

    for (size_t i = 0; i < USUAL_COUNT; i++)
        if (usual[i].period_s == period_s)
            text = usual[i].text;
    apw_moment_day(request->portal->site.texts, request->exchange->language,
                   (int64_t)time(NULL) + period_s, date);
    format_value(period_s, value);
    apw_page_set(page, "value", value);
    apw_page_set(page, "is_chosen", strcmp(chosen, value) == 0 ? "selected" : "");
    apw_page_set(page, "choice", text == APW_TEXT_NONE ? date : apw_request_text(request, text));
    apw_page_add(page, "create-form-choice.html");
    apw_page_set(page, "value", NULL);
    apw_page_set(page, "choice", NULL);
}

static void add_choices(struct apw_request *request)
{
    const struct apw_config *config = request->portal->config;
    const char *typed = apw_request_field(request, APW_FIELD_EXPIRES);
    char preset[VALUE_SIZE];
    struct choices choices;

    list_choices(config, &choices);
    format_value(config->default_expires_s, preset);
    for (size_t i = 0; i < choices.count; i++)
        add_choice(request, choices.period_s[i], typed[0] != '\0' ? typed : preset);
}

/* What applies whatever is chosen. */
static void add_policy(struct apw_request *request)
{
    const struct apw_config *config = request->portal->config;
    const struct apw_texts *texts = request->portal->site.texts;
    int64_t now = (int64_t)time(NULL);
    struct apw_page *page = &request->page;
    char date[APW_MOMENT_SIZE];

    apw_page_set(page, "date", date);
    if (config->max_lifetime_s > 0) {
        apw_moment_day(texts, request->exchange->language, apw_policy_latest(config, now), date);
        apw_page_add(page, "policy-latest.html");
    }
    if (config->revoke_unused_s > 0) {
        apw_moment_day(texts, request->exchange->language, now - config->revoke_unused_s, date);
        apw_page_add(page, "policy-unused.html");
    }
    apw_page_set(page, "date", NULL);
}

static const char *select_if(const struct apw_request *request, const char *services)
{
    return strcmp(apw_request_field(request, APW_FIELD_SERVICES), services) == 0 ? "selected" : "";
}

void apw_create_form_add(struct apw_request *request)
{
    const char *label = apw_request_field(request, APW_FIELD_LABEL);
    struct apw_page *page = &request->page;

    apw_page_set(page, "typed", apw_utf8_is_valid(label, strlen(label)) ? label : "");
    apw_page_set(page, "is_both", select_if(request, ""));
    apw_page_set(page, "is_read", select_if(request, "imap,pop3"));
    apw_page_set(page, "is_send", select_if(request, "smtp"));
    apw_page_add(page, "create-form.html");
    add_choices(request);
    apw_page_add(page, "create-form-choices-end.html");
    add_policy(request);
    apw_page_add(page, "create-form-end.html");
}
