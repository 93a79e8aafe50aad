/* SPDX-License-Identifier: BSD-2-Clause */
#include "help_actions.h"
#include "devices.h"
#include "enrolment.h"
#include "factor_mail.h"
#include "help_failure.h"
#include "help_mfa.h"
#include "helpdesk.h"
#include "moment.h"
#include "notice.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINK_VALID_S 86400

/* ---- revoking ---- */

/* Of an unused link. */
static void tell_withdrawn(struct apw_request *request, const char *value)
{
    struct apw_invitation invitation;
    struct apw_error error;
    bool is_good = apw_invitation_parse(value, strlen(value), &invitation, &error) == 0;

    apw_page_set(&request->page, "label", is_good ? invitation.record.label : "–");
    apw_notice_tell_helped(request, "mail-help-withdrawn.txt");
    apw_page_set(&request->page, "label", NULL);
}

static const char *label_of(const struct apw_user *user, const char *id)
{
    for (size_t i = 0; i < user->password_count; i++)
        if (strcmp(user->password[i].id, id) == 0 && user->password[i].has_record)
            return user->password[i].record.label;
    return "–";
}

void apw_help_actions_do_revoke(struct apw_request *request)
{
    enum apw_manage_result result = APW_MANAGE_NOT_FOUND;
    struct apw_error error = {""};
    char id[APW_ID_LENGTH + 1] = "";
    struct apw_target target;
    const char *link;

    if (!apw_helped_read(request))
        return;
    target = apw_helped_target(request);
    if (apw_password_id_canonicalize(apw_request_field(request, APW_FIELD_ID), id) == 0)
        result = apw_manage_revoke(&request->portal->manager, &target, id, &error);
    if (result != APW_MANAGE_DONE) {
        apw_help_failure_answer(request, result, APW_AUDIT_REVOKE, id, &error);
        return;
    }
    apw_request_audit(request, APW_AUDIT_REVOKE, id, NULL);
    link = apw_invitation_find_id(request->helped.user, id);
    if (link != NULL) {
        tell_withdrawn(request, link);
        apw_helped_go_saying(request, APW_TEXT_LINK_WITHDRAWN, true);
        return;
    }
    apw_page_set(&request->page, "label", label_of(request->helped.user, id));
    apw_notice_tell_helped(request, "mail-help-revoked.txt");
    apw_helped_go_saying(request, APW_TEXT_REVOKED, true);
}

void apw_help_actions_do_revoke_all(struct apw_request *request)
{
    struct apw_error error = {""};
    enum apw_manage_result result;
    struct apw_target target;

    if (!apw_helped_read(request))
        return;
    target = apw_helped_target(request);
    result = apw_manage_revoke_all(&request->portal->manager, &target, NULL, &error);
    if (result == APW_MANAGE_UNCHANGED) {
        apw_help_failure_refuse(request, APW_AUDIT_REVOKE, APW_TEXT_NONE_TO_REVOKE);
        return;
    }
    if (result != APW_MANAGE_DONE) {
        apw_help_failure_answer(request, result, APW_AUDIT_REVOKE, NULL, &error);
        return;
    }
    apw_request_audit_all(request, request->helped.user);
    apw_notice_tell_helped(request, "mail-help-revoked-all.txt");
    apw_helped_go_saying(request, APW_TEXT_REVOKED_ALL, true);
}

/* ---- a link for a device ---- */

static const struct apw_method *alternate(const struct apw_request *request)
{
    return apw_factor_mail_for_link(request->portal, &request->helped);
}

/* Whether a link with that label, for that factor, can still be used. */
static bool has_link(const struct apw_user *user, const char *label, const char *factor)
{
    struct apw_invitation invitation;

    for (size_t i = 0; i < user->method.count; i++)
        if (apw_devices_is_open(&user->method.value[i], &invitation) &&
            strcmp(invitation.record.label, label) == 0 && strcmp(invitation.factor, factor) == 0)
            return true;
    return false;
}

/* Why no link can be made; NONE if one can. */
static enum apw_text why_no_link(const struct apw_request *request, const char *label)
{
    const struct apw_method *factor = alternate(request);
    const struct apw_user *user = request->helped.user;
    struct apw_error error;

    if (apw_record_check_label(label, strlen(label), &error) != 0)
        return APW_TEXT_BAD_LABEL;
    if (!request->helped.has_mfa || request->helped.is_ended)
        return APW_TEXT_HELP_MFA_IS_OFF;
    if (factor == NULL)
        return APW_TEXT_HELP_NO_ADDRESS;
    if (has_link(user, label, factor->id))
        return APW_TEXT_HELP_LINK_THERE;
    return user->password_count >= request->portal->config->max_app_passwords ||
                   apw_invitation_count(user) >= APW_INVITATIONS_MAX
               ? APW_TEXT_HELP_TOO_MANY
               : APW_TEXT_NONE;
}

/* Whether the link went to the address. */
static bool mail_link(struct apw_request *request, const struct apw_invitation *invitation,
                      const char *token, const char *address)
{
    const struct apw_portal *portal = request->portal;
    char *link =
        apw_invitation_write_link(portal->portal_config->url, request->helped_login, token);
    enum apw_mail_result result = APW_MAIL_NOT_SENT;
    char until[APW_MOMENT_SIZE];

    if (link == NULL)
        return false;
    apw_moment_zoned(portal->site.texts, request->exchange->language, invitation->until, until);
    apw_page_set(&request->page, "until", until);
    apw_page_set(&request->page, "label", invitation->record.label);
    apw_page_set(&request->page, "link", link);
    result = apw_notice_mail_helped(request, address, "mail-help-link.txt");
    apw_page_set(&request->page, "link", NULL);
    apw_page_set(&request->page, "until", NULL);
    sodium_memzero(link, strlen(link));
    free(link);
    return result == APW_MAIL_SENT;
}

/* Nobody has seen the link. */
static void take_back(struct apw_request *request, const char *id)
{
    struct apw_target target = apw_helped_target(request);
    struct apw_error error = {""};
    enum apw_manage_result result =
        apw_manage_revoke(&request->portal->manager, &target, id, &error);

    if (result != APW_MANAGE_NOT_FOUND)
        apw_request_audit(request, APW_AUDIT_REVOKE, id, result == APW_MANAGE_DONE ? NULL : &error);
    apw_helped_go_saying(request, APW_TEXT_HELP_LINK_NOT_SENT, false);
}

static void tell_about_link(struct apw_request *request, const char *address)
{
    char masked[APW_FACTOR_MAIL_MASKED_SIZE];

    apw_factor_mail_mask(address, masked);
    apw_page_set(&request->page, "address", masked);
    apw_notice_tell_helped(request, "mail-help-link-sent.txt");
    apw_page_set(&request->page, "address", NULL);
}

void apw_help_actions_do_link(struct apw_request *request)
{
    const char *label = apw_request_field(request, APW_FIELD_LABEL);
    const struct apw_password_spec spec = {.label = label};
    struct apw_manage_invitation wish = {.spec = &spec, .valid_s = LINK_VALID_S};
    const struct apw_method *factor;
    struct apw_invitation invitation;
    struct apw_error error = {""};
    enum apw_manage_result result;
    char token[APW_TOKEN_SIZE];
    struct apw_target target;
    enum apw_text why;

    if (!apw_helped_read(request))
        return;
    why = why_no_link(request, label);
    if (why != APW_TEXT_NONE) {
        apw_help_failure_refuse(request, APW_AUDIT_INVITE, why);
        return;
    }
    target = apw_helped_target(request);
    factor = alternate(request);
    wish.factor = factor->id; /* who removes the address ends the link */
    result =
        apw_manage_invite(&request->portal->manager, &target, &wish, &invitation, token, &error);
    if (result == APW_MANAGE_DONE)
        apw_request_audit(request, APW_AUDIT_INVITE, invitation.record.id, NULL);
    if (result != APW_MANAGE_DONE) {
        apw_help_failure_answer(request, result, APW_AUDIT_INVITE, NULL, &error);
    } else if (!mail_link(request, &invitation, token, factor->address)) {
        take_back(request, invitation.record.id);
    } else {
        tell_about_link(request, factor->address);
        apw_helped_go_saying(request, APW_TEXT_HELP_LINK_SENT, true);
    }
    sodium_memzero(token, sizeof token);
}

/* ---- a code to enroll with ---- */

/* Why no code can be made; NONE if one can. A code that waits for a reset opens nothing before: it
 * sets up the first second step only. */
static enum apw_text why_no_code(const struct apw_request *request)
{
    if (!request->helped.has_mfa || request->helped.is_ended)
        return APW_TEXT_HELP_MFA_IS_OFF;
    if (request->portal->portal_config->enrolment != APW_ENROLMENT_CODE)
        return APW_TEXT_HELP_NO_CODE;
    return request->helped.factors.count > 0 && !apw_help_mfa_has_reset(request)
               ? APW_TEXT_HELP_ENROLLED
               : APW_TEXT_NONE;
}

void apw_help_actions_do_code(struct apw_request *request)
{
    struct apw_visitor *visitor = request->visitor;
    struct apw_error error = {""};
    enum apw_manage_result result;
    struct apw_password code;
    struct apw_target target;
    enum apw_text why;

    if (!apw_helped_read(request))
        return;
    why = why_no_code(request);
    if (why != APW_TEXT_NONE) {
        apw_help_failure_refuse(request, APW_AUDIT_CODE, why);
        return;
    }
    target = apw_helped_target(request);
    result = apw_enrolment_make_code(&request->portal->manager, &target, false, &code, &error);
    if (result != APW_MANAGE_DONE) {
        apw_help_failure_answer(request, result, APW_AUDIT_CODE, NULL, &error);
        return;
    }
    apw_request_audit(request, APW_AUDIT_CODE, NULL, NULL);
    strcpy(visitor->helped_login, request->helped_login);
    apw_password_show(&code, visitor->helped_code);
    sodium_memzero(&code, sizeof code);
    apw_notice_tell_helped_all(request, "mail-help-code.txt");
    apw_request_go(request, APW_HELP_CODE_PATH);
}

void apw_help_actions_show_code(struct apw_request *request)
{
    struct apw_visitor *visitor = request->visitor;
    struct apw_page *page = &request->page;

    if (visitor->helped_code[0] == '\0') {
        apw_request_go(request, APW_HELPDESK_PATH);
        return;
    }
    page->is_shown_once = true;
    apw_page_set(page, "person", visitor->helped_login);
    apw_page_set(page, "code", visitor->helped_code);
    apw_page_show(page, APW_TITLE_HELP_CODE, "help-code.html");
    apw_page_set(page, "code", NULL);
    apw_visitor_forget_helped_code(visitor);
}

/* ---- the forms ---- */

void apw_help_actions_add(struct apw_request *request)
{
    const struct apw_method *factor = alternate(request);
    char masked[APW_FACTOR_MAIL_MASKED_SIZE];
    struct apw_page *page = &request->page;

    apw_page_add(page, "help-top.html");
    if (why_no_code(request) == APW_TEXT_NONE)
        apw_page_add(page, "help-code-form.html");
    if (factor != NULL && request->helped.has_mfa && !request->helped.is_ended) {
        apw_factor_mail_mask(factor->address, masked);
        apw_page_set(page, "address", masked);
        apw_page_add(page, "help-link.html");
        apw_page_set(page, "address", NULL);
    }
    if (request->helped.user->password_count > 0)
        apw_page_add(page, "help-revoke-all.html");
    apw_help_mfa_add(request);
    apw_page_add(page, "help-end.html");
}
