/* SPDX-License-Identifier: BSD-2-Clause */
#include "help_failure.h"

void apw_help_failure_refuse(struct apw_request *request, enum apw_audit_action action,
                             enum apw_text why)
{
    struct apw_error error;

    apw_error_set(&error, "%s", apw_wording[why]);
    apw_request_audit(request, action, NULL, &error);
    apw_helped_go_saying(request, why, false);
}

static enum apw_text text_of(enum apw_manage_result result)
{
    switch (result) {
    case APW_MANAGE_NOT_FOUND:
        return APW_TEXT_GONE;
    case APW_MANAGE_INVALID:
        return APW_TEXT_BAD_REQUEST;
    case APW_MANAGE_CONFLICT:
    case APW_MANAGE_MFA_IS_OFF:
    case APW_MANAGE_ENDED:
        return APW_TEXT_CHANGED_MEANWHILE;
    case APW_MANAGE_NOT_PERMITTED:
        return APW_TEXT_HELP_NOT_PERMITTED;
    case APW_MANAGE_CONFIGURATION:
        return APW_TEXT_HELP_ELSEWHERE;
    case APW_MANAGE_DONE:
    case APW_MANAGE_UNCHANGED:
    case APW_MANAGE_REFUSED: /* by the server, which may be read-only */
    case APW_MANAGE_UNAVAILABLE:
        break;
    }
    return APW_TEXT_NONE;
}

void apw_help_failure_answer(struct apw_request *request, enum apw_manage_result result,
                             enum apw_audit_action action, const char *id,
                             const struct apw_error *error)
{
    enum apw_text text = text_of(result);

    if (text == APW_TEXT_NONE) {
        apw_request_fail_change(request, action, id, error);
        return;
    }
    apw_request_audit(request, action, id, error);
    apw_helped_go_saying(request, text, false);
}
