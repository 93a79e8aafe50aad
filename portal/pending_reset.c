/* SPDX-License-Identifier: BSD-2-Clause */
#include "pending_reset.h"
#include "log.h"
#include "moment.h"
#include "notice.h"
#include "reset.h"
#include <time.h>

static enum apw_reset_state read(struct apw_request *request, struct apw_reset *reset_r)
{
    struct apw_error error = {""};
    enum apw_reset_state state =
        apw_reset_read(request->account.user, (int64_t)time(NULL), reset_r, &error);

    if (state == APW_RESET_UNREADABLE)
        apw_request_log(request, APW_UNAVAILABLE, APW_REASON_NOT_DONE, "reset", NULL, &error);
    return state;
}

/* ---- the sign-in ---- */

static bool read_again(struct apw_request *request, struct apw_error *error)
{
    apw_account_free(&request->account);
    return apw_account_read(request->portal, request->session->owner, request->visitor->login,
                            &request->account, error) == APW_ACCOUNT_THERE;
}

/* In the name of the help desk, who asked for it. */
static void audit(struct apw_request *request, const struct apw_reset *reset,
                  const struct apw_error *error)
{
    apw_log_audit(request->portal->log,
                  &(struct apw_audit){.action = APW_AUDIT_RESET,
                                      .actor = reset->by,
                                      .user = request->visitor->login,
                                      .id = reset->id,
                                      .is_done = error == NULL,
                                      .client = request->exchange->client,
                                      .error = error == NULL ? NULL : error->text});
}

bool apw_pending_reset_carry_out(struct apw_request *request)
{
    const struct apw_target target = {.dn = request->account.user->dn};
    enum apw_manage_result result;
    struct apw_error error = {""};
    struct apw_reset reset;

    if (!request->account.has_mfa || read(request, &reset) != APW_RESET_DUE)
        return true;
    result = apw_reset_carry_out(&request->portal->manager, &target, &reset, &error);
    if (result == APW_MANAGE_DONE) {
        audit(request, &reset, NULL);
        apw_notice_tell_all(request, "mail-reset-done.txt");
    }
    if ((result == APW_MANAGE_DONE || result == APW_MANAGE_UNCHANGED) &&
        read_again(request, &error))
        return true;
    if (result == APW_MANAGE_DONE || result == APW_MANAGE_UNCHANGED) {
        apw_request_give_up(request, "look-up", &error);
        return false;
    }
    audit(request, &reset, &error);
    apw_page_fail(&request->page, 503, APW_TEXT_UNAVAILABLE);
    return false;
}

/* ---- the owner's page ---- */

void apw_pending_reset_add_facts(struct apw_request *request, const struct apw_reset *reset,
                                 const char *file)
{
    struct apw_page *page = &request->page;
    char at[APW_MOMENT_SIZE];

    apw_moment_minute(request->portal->site.texts, request->exchange->language, reset->at, at);
    apw_page_set(page, "at", reset->id[0] != '\0' ? at : "?");
    apw_page_set(page, "by", reset->by[0] != '\0' ? reset->by : "?");
    apw_page_add(page, file);
    apw_page_set(page, "at", NULL);
    apw_page_set(page, "by", NULL);
}

void apw_pending_reset_add(struct apw_request *request)
{
    struct apw_reset reset;

    switch (read(request, &reset)) {
    case APW_RESET_UNREADABLE: /* the owner can remove it */
    case APW_RESET_WAITING:
    case APW_RESET_DUE:
        break;
    case APW_RESET_NONE:
        return;
    }
    apw_pending_reset_add_facts(request, &reset, "reset-waiting.html");
}

void apw_pending_reset_do_cancel(struct apw_request *request)
{
    const struct apw_target target = {.dn = request->account.user->dn};
    struct apw_error error = {""};

    switch (apw_reset_cancel(&request->portal->manager, &target, &error)) {
    case APW_MANAGE_DONE:
        apw_request_audit(request, APW_AUDIT_CANCEL_RESET, NULL, NULL);
        apw_notice_tell_all(request, "mail-reset-canceled.txt");
        apw_request_go_saying(request, "", APW_TEXT_RESET_CANCELED, true);
        return;
    case APW_MANAGE_UNCHANGED:
        apw_request_go_saying(request, "", APW_TEXT_NO_RESET, false);
        return;
    case APW_MANAGE_CONFLICT:
        apw_request_audit(request, APW_AUDIT_CANCEL_RESET, NULL, &error);
        apw_request_go_saying(request, "", APW_TEXT_CHANGED_MEANWHILE, false);
        return;
    default:
        break;
    }
    apw_request_fail_change(request, APW_AUDIT_CANCEL_RESET, NULL, &error);
}
