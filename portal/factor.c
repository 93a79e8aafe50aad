/* SPDX-License-Identifier: BSD-2-Clause */
#include "factor.h"
#include "factor_app.h"
#include "factor_mail.h"
#include "tries.h"
#include "web/browser.h"

enum apw_reason apw_factor_check(const struct apw_request *request, const struct apw_method *method,
                                 uint64_t *counter_r)
{
    switch (method->kind) {
    case APW_METHOD_APP:
        return apw_factor_app_check(request, method, counter_r);
    case APW_METHOD_MAIL:
        return apw_factor_mail_check(request, method);
    }
    return APW_REASON_INTERNAL_ERROR;
}

void apw_factor_refuse(struct apw_request *request, enum apw_reason reason, const char *action,
                       const char *path)
{
    bool is_wait = reason == APW_REASON_TOO_MANY_TRIES;

    if (reason == APW_REASON_INTERNAL_ERROR) {
        apw_request_log(request, APW_UNAVAILABLE, reason, action, NULL, NULL);
        apw_page_fail(&request->page, 503, APW_TEXT_UNAVAILABLE);
        return;
    }
    apw_request_log(request, APW_REFUSED, reason, action, NULL, NULL);
    apw_request_go_saying(request, path, is_wait ? APW_TEXT_WAIT : APW_TEXT_WRONG_CODE, false);
}

void apw_factor_grant(struct apw_request *request, const struct apw_method *method)
{
    const struct apw_portal *portal = request->portal;
    struct apw_visitor *visitor = request->visitor;

    request->session->level = APW_RIGHTS_FULL;
    request->session->is_known = true;
    visitor->method = *method;
    visitor->is_choosing = false;
    apw_visitor_forget_pending(visitor);
    apw_visitor_forget_mail_code(visitor);
    request->account.method = *method; /* a mark from before it is no longer known */
    request->account.has_method = true;
    apw_web_session_renew(portal->site.sessions, request->session, request->exchange->new_cookie);
    if (apw_tries_browser(request) == NULL)
        apw_browser_mark(portal->portal_config->key, visitor->login,
                         request->exchange->new_browser);
}
