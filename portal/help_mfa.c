/* SPDX-License-Identifier: BSD-2-Clause */
#include "help_mfa.h"
#include "clock.h"
#include "help_failure.h"
#include "helpdesk.h"
#include "mfa_switch.h"
#include "moment.h"
#include "notice.h"
#include "pending_reset.h"
#include "reminder.h"
#include "reset.h"
#include "update.h"
#include <stdio.h>
#include <time.h>

#define DAYS_MAX 366

/* ---- resetting the second steps ---- */

static bool tell_reset(struct apw_request *request, const struct apw_reset *reset)
{
    char at[APW_MOMENT_SIZE];
    bool is_told;

    apw_moment_zoned(request->portal->site.texts, request->exchange->language, reset->at, at);
    apw_page_set(&request->page, "at", at);
    is_told = apw_notice_tell_helped_all(request, "mail-help-reset.txt");
    apw_page_set(&request->page, "at", NULL);
    return is_told;
}

/* Nobody would cancel a reset that they do not know of. */
static void take_back(struct apw_request *request)
{
    const struct apw_target target = apw_helped_target(request);
    struct apw_error error = {""};
    enum apw_manage_result result = apw_reset_cancel(&request->portal->manager, &target, &error);

    if (result == APW_MANAGE_DONE || result == APW_MANAGE_UNCHANGED) {
        apw_request_audit(request, APW_AUDIT_CANCEL_RESET, NULL, NULL);
        apw_helped_go_saying(request, APW_TEXT_HELP_RESET_NOT_TOLD, false);
    } else {
        apw_help_failure_answer(request, result, APW_AUDIT_CANCEL_RESET, NULL, &error);
    }
}

void apw_help_mfa_do_reset(struct apw_request *request)
{
    const struct apw_portal *portal = request->portal;
    struct apw_error error = {""};
    enum apw_manage_result result;
    struct apw_reset reset;
    struct apw_target target;

    if (!apw_helped_read(request))
        return;
    target = apw_helped_target(request);
    result =
        apw_reset_request(&portal->manager, &target, portal->portal_config->helpdesk.reset_delay_s,
                          request->visitor->login, &reset, &error);
    if (result == APW_MANAGE_DONE) {
        apw_request_audit(request, APW_AUDIT_REQUEST_RESET, reset.id, NULL);
        if (tell_reset(request, &reset))
            apw_helped_go_saying(request, APW_TEXT_HELP_RESET, true);
        else
            take_back(request);
    } else if (result == APW_MANAGE_UNCHANGED) {
        apw_help_failure_refuse(request, APW_AUDIT_REQUEST_RESET, APW_TEXT_HELP_RESET_THERE);
    } else if (result == APW_MANAGE_NOT_FOUND) {
        apw_help_failure_refuse(request, APW_AUDIT_REQUEST_RESET, APW_TEXT_HELP_NO_FACTOR);
    } else {
        apw_help_failure_answer(request, result, APW_AUDIT_REQUEST_RESET, NULL, &error);
    }
}

void apw_help_mfa_do_cancel_reset(struct apw_request *request)
{
    struct apw_error error = {""};
    enum apw_manage_result result;
    struct apw_target target;

    if (!apw_helped_read(request))
        return;
    target = apw_helped_target(request);
    result = apw_reset_cancel(&request->portal->manager, &target, &error);
    if (result == APW_MANAGE_DONE) {
        apw_request_audit(request, APW_AUDIT_CANCEL_RESET, NULL, NULL);
        apw_notice_tell_helped_all(request, "mail-help-reset-canceled.txt");
        apw_helped_go_saying(request, APW_TEXT_RESET_CANCELED, true);
    } else if (result == APW_MANAGE_UNCHANGED) {
        apw_help_failure_refuse(request, APW_AUDIT_CANCEL_RESET, APW_TEXT_NO_RESET);
    } else {
        apw_help_failure_answer(request, result, APW_AUDIT_CANCEL_RESET, NULL, &error);
    }
}

/* ---- turning MFA on and off ---- */

/* The beginning of a day, "2027-01-31", in the page's time zone; -1 unless it lies within the next
 * year. */
static int read_date(const char *text, int64_t *start_r)
{
    int year, month, day, end = 0;
    int64_t days, now = (int64_t)time(NULL);
    struct tm midnight = {.tm_isdst = -1};

    if (sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &end) != 3 || text[end] != '\0' ||
        apw_clock_date_to_days(year, month, day, &days) != 0)
        return -1;
    midnight.tm_year = year - 1900;
    midnight.tm_mon = month - 1;
    midnight.tm_mday = day;
    *start_r = (int64_t)mktime(&midnight);
    return *start_r > now && *start_r <= now + DAYS_MAX * INT64_C(86400) ? 0 : -1;
}

static enum apw_manage_result add_reminder(const struct apw_manager *manager,
                                           const struct apw_user *user, void *context,
                                           struct apw_error *error)
{
    const struct apw_reminder_change change = {.added_count = 1, .added = context};
    struct apw_reminder found;

    return apw_reminder_find(user, context, &found) == NULL
               ? apw_reminder_apply(manager, user, &change, error)
               : APW_MANAGE_UNCHANGED;
}

/* The mail that follows says what a reminder would say. */
static void record_announcement(struct apw_request *request, const char *dn, int64_t from)
{
    const struct apw_portal *portal = request->portal;
    struct apw_reminder reminder = {.kind = APW_REMINDER_MFA_ANNOUNCED, .of = from};
    struct apw_error error = {""};
    enum apw_manage_result result;

    if (!portal->portal_config->remind.has[APW_REMIND_MFA])
        return;
    result = apw_update_user(&portal->manager, &(struct apw_target){.dn = dn}, add_reminder,
                             &reminder, &error);
    if (result != APW_MANAGE_DONE && result != APW_MANAGE_UNCHANGED)
        apw_helpdesk_log(request, APW_UNAVAILABLE, APW_REASON_NOT_DONE, "help-mfa-on", NULL,
                         &error);
}

static void tell_on(struct apw_request *request, int64_t from)
{
    char date[APW_MOMENT_SIZE];

    apw_moment_day(request->portal->site.texts, request->exchange->language, from, date);
    apw_page_set(&request->page, "date", date);
    apw_notice_tell_helped_all(request, "mail-help-mfa-on.txt");
    apw_page_set(&request->page, "date", NULL);
}

void apw_help_mfa_do_on(struct apw_request *request)
{
    int64_t from = 0;
    const struct apw_mfa_start start = {.is_only_if_off = true, .from = &from};
    struct apw_mfa_switched switched;
    struct apw_error error = {""};
    enum apw_manage_result result;
    struct apw_target target;

    if (!apw_helped_read(request))
        return;
    if (read_date(apw_request_field(request, APW_FIELD_DATE), &from) != 0) {
        apw_help_failure_refuse(request, APW_AUDIT_MFA_ON, APW_TEXT_BAD_DATE);
        return;
    }
    target = apw_helped_target(request);
    result = apw_mfa_switch_on(&request->portal->manager, &target, &start, &switched, &error);
    if (result == APW_MANAGE_DONE) {
        apw_request_audit(request, APW_AUDIT_MFA_ON, NULL, NULL);
        record_announcement(request, target.dn, from);
        tell_on(request, from);
        apw_helped_go_saying(request, APW_TEXT_HELP_MFA_ON, true);
    } else if (result == APW_MANAGE_UNCHANGED) {
        apw_help_failure_refuse(request, APW_AUDIT_MFA_ON, APW_TEXT_HELP_MFA_IS_ON);
    } else {
        apw_help_failure_answer(request, result, APW_AUDIT_MFA_ON, NULL, &error);
    }
}

static bool may_turn_off(const struct apw_request *request)
{
    return request->portal->portal_config->helpdesk.may_turn_mfa_off;
}

void apw_help_mfa_do_off(struct apw_request *request)
{
    const struct apw_manager *manager = &request->portal->manager;
    struct apw_mfa_switched switched;
    struct apw_error error = {""};
    enum apw_manage_result result;
    struct apw_target target;

    if (!apw_helped_read(request))
        return;
    target = apw_helped_target(request);
    if (!may_turn_off(request) && !request->helped.is_announced && request->helped.has_mfa) {
        apw_help_failure_refuse(request, APW_AUDIT_MFA_OFF, APW_TEXT_HELP_MFA_STAYS_ON);
        return;
    }
    result = may_turn_off(request) ? apw_mfa_switch_off(manager, &target, &switched, &error)
                                   : apw_mfa_switch_take_back(manager, &target, &switched, &error);
    if (result == APW_MANAGE_DONE) {
        apw_request_audit(request, APW_AUDIT_MFA_OFF, NULL, NULL);
        apw_notice_tell_helped_all(request, "mail-help-mfa-off.txt");
        apw_helped_go_saying(request, APW_TEXT_HELP_MFA_OFF, true);
    } else if (result == APW_MANAGE_UNCHANGED) {
        apw_help_failure_refuse(request, APW_AUDIT_MFA_OFF, APW_TEXT_HELP_MFA_OFF);
    } else {
        apw_help_failure_answer(request, result, APW_AUDIT_MFA_OFF, NULL, &error);
    }
}

/* ---- the forms ---- */

bool apw_help_mfa_has_reset(const struct apw_request *request)
{
    struct apw_error error;
    struct apw_reset reset;
    enum apw_reset_state state =
        apw_reset_read(request->helped.user, (int64_t)time(NULL), &reset, &error);

    return state == APW_RESET_WAITING || state == APW_RESET_DUE;
}

void apw_help_mfa_add_reset(struct apw_request *request)
{
    struct apw_error error;
    struct apw_reset reset;

    switch (apw_reset_read(request->helped.user, (int64_t)time(NULL), &reset, &error)) {
    case APW_RESET_NONE:
        return;
    case APW_RESET_UNREADABLE: /* it can be canceled */
        apw_helpdesk_log(request, APW_UNAVAILABLE, APW_REASON_NOT_DONE, "help-reset", NULL, &error);
        break;
    case APW_RESET_WAITING:
    case APW_RESET_DUE:
        break;
    }
    apw_pending_reset_add_facts(request, &reset, "help-cancel-reset.html");
}

void apw_help_mfa_add(struct apw_request *request)
{
    const struct apw_account *helped = &request->helped;

    if (helped->factors.count > 0 && !apw_help_mfa_has_reset(request))
        apw_page_add(&request->page, "help-reset.html");
    if (!helped->has_mfa && !helped->is_ended)
        apw_page_add(&request->page, "help-mfa-on.html");
    if (helped->has_mfa && (helped->is_announced || may_turn_off(request)))
        apw_page_add(&request->page, "help-mfa-off.html");
}
