/* SPDX-License-Identifier: BSD-2-Clause */
#include "devices.h"
#include "invited.h"
#include "moment.h"
#include "notice.h"
#include "qr.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define VALID_S 600

bool apw_devices_is_open(const struct apw_value *value, struct apw_invitation *invitation_r)
{
    struct apw_error error;

    return apw_invitation_is_value(value->bytes, value->length) &&
           apw_invitation_parse(value->bytes, value->length, invitation_r, &error) == 0 &&
           (int64_t)time(NULL) < invitation_r->until;
}

static size_t count_open(const struct apw_user *user)
{
    struct apw_invitation invitation;
    size_t count = 0;

    for (size_t i = 0; i < user->method.count; i++)
        count += apw_devices_is_open(&user->method.value[i], &invitation);
    return count;
}

/* ---- making a link ---- */

static void keep(struct apw_visitor *visitor, const struct apw_invitation *invitation,
                 const char token[APW_TOKEN_SIZE])
{
    struct apw_visitor_link *link = &visitor->link;

    apw_visitor_forget_link(visitor);
    strcpy(link->id, invitation->record.id);
    strcpy(link->label, invitation->record.label);
    link->until = invitation->until;
    memcpy(link->token, token, APW_TOKEN_SIZE);
}

static void fail(struct apw_request *request, enum apw_manage_result result,
                 enum apw_audit_action action, const char *id, const struct apw_error *error)
{
    if (result == APW_MANAGE_CONFLICT || result == APW_MANAGE_MFA_IS_OFF ||
        result == APW_MANAGE_ENDED) {
        apw_request_audit(request, action, id, error);
        apw_request_go_saying(request, "", APW_TEXT_CHANGED_MEANWHILE, false);
    } else {
        apw_request_fail_change(request, action, id, error);
    }
}

static void make(struct apw_request *request, const char *label)
{
    const struct apw_target target = {.dn = request->account.user->dn};
    const struct apw_password_spec spec = {.label = label};
    const struct apw_visitor *visitor = request->visitor;
    const struct apw_manage_invitation wish = {
        .spec = &spec,
        .valid_s = VALID_S,
        .factor = visitor->is_single_sign_on ? NULL : visitor->method.id};
    struct apw_invitation invitation;
    struct apw_error error = {""};
    char token[APW_TOKEN_SIZE];
    enum apw_manage_result result =
        apw_manage_invite(&request->portal->manager, &target, &wish, &invitation, token, &error);

    if (result == APW_MANAGE_DONE) {
        keep(request->visitor, &invitation, token);
        apw_request_audit(request, APW_AUDIT_INVITE, invitation.record.id, NULL);
        apw_request_go(request, "device-link");
        sodium_memzero(token, sizeof token);
    } else {
        fail(request, result, APW_AUDIT_INVITE, NULL, &error);
    }
}

void apw_devices_do_link(struct apw_request *request)
{
    const char *label = apw_request_field(request, APW_FIELD_LABEL);
    const struct apw_user *user = request->account.user;
    struct apw_error error;

    if (apw_record_check_label(label, strlen(label), &error) != 0)
        apw_request_go_saying(request, "", APW_TEXT_BAD_LABEL, false);
    else if (user->password_count >= request->portal->config->max_app_passwords ||
             count_open(user) >= APW_INVITATIONS_MAX)
        apw_request_go_saying(request, "", APW_TEXT_TOO_MANY, false);
    else
        make(request, label);
}

/* ---- showing it ---- */

static bool is_unused(const struct apw_request *request)
{
    const struct apw_visitor_link *link = &request->visitor->link;

    return apw_invitation_find_id(request->account.user, link->id) != NULL &&
           (int64_t)time(NULL) < link->until;
}

static bool find_use(const struct apw_request *request, const char *id,
                     struct apw_invited_use *use_r)
{
    return apw_invited_uses_find(request->portal->invited_uses, request->account.user->dn, id,
                                 use_r);
}

static void show_used(struct apw_request *request, const struct apw_invited_use *use)
{
    struct apw_page *page = &request->page;
    char at[APW_MOMENT_SIZE];

    apw_moment_minute(request->portal->site.texts, request->exchange->language, use->at, at);
    apw_page_set(page, "time", at);
    apw_page_set(page, "browser", use->browser);
    apw_page_set(page, "client", use->client[0] != '\0' ? use->client : "?");
    apw_page_show(page, APW_TITLE_DEVICE_LINK, "device-used.html");
}

static void show_code(struct apw_request *request)
{
    struct apw_page *page = &request->page;
    struct apw_buffer path = {NULL, 0, 0, false};
    const struct apw_visitor *visitor = request->visitor;
    char *link = apw_invitation_write_link(request->portal->portal_config->url, visitor->login,
                                           visitor->link.token);
    char size_text[16];
    int size = 0;

    if (link != NULL && apw_qr_path(link, &path, &size) == 0) {
        snprintf(size_text, sizeof size_text, "%d", size);
        apw_page_set(page, "size", size_text);
        apw_page_set(page, "path", path.bytes);
        apw_page_set(page, "link", link);
        apw_page_show(page, APW_TITLE_DEVICE_LINK, "device-link.html");
    } else {
        apw_page_fail(page, 503, APW_TEXT_UNAVAILABLE);
    }
    if (link != NULL)
        sodium_memzero(link, strlen(link));
    free(link);
    apw_buffer_free(&path);
}

void apw_devices_show_link(struct apw_request *request)
{
    const struct apw_visitor_link *link = &request->visitor->link;
    struct apw_invited_use use;

    if (link->id[0] == '\0') {
        apw_request_go(request, "");
        return;
    }
    apw_page_set(&request->page, "label", link->label);
    apw_page_set(&request->page, "id", link->id);
    if (find_use(request, link->id, &use))
        show_used(request, &use);
    else if (is_unused(request))
        show_code(request);
    else
        apw_page_show(&request->page, APW_TITLE_DEVICE_LINK, "device-over.html");
}

void apw_devices_show_used(struct apw_request *request)
{
    request->exchange->status = 200;
    request->exchange->type = "text/plain";
    apw_buffer_add_string(&request->exchange->body,
                          is_unused(request) ? request->visitor->link.id : "");
}

/* ---- undoing ---- */

/* The form names the link, because another tab may have made a newer one since. */
void apw_devices_do_undo(struct apw_request *request)
{
    const struct apw_target target = {.dn = request->account.user->dn};
    const char *link = apw_request_field(request, APW_FIELD_ID);
    struct apw_error error = {""};
    struct apw_invited_use use;
    bool is_used = find_use(request, link, &use);
    const char *id = is_used ? use.password : link;
    enum apw_manage_result result = APW_MANAGE_NOT_FOUND;

    if (id[0] != '\0')
        result = apw_manage_revoke(&request->portal->manager, &target, id, &error);
    if (result == APW_MANAGE_NOT_FOUND && !is_used) {
        apw_request_go(request, "device-link"); /* it may have been used this moment */
        return;
    }
    if (result != APW_MANAGE_DONE && result != APW_MANAGE_NOT_FOUND) {
        fail(request, result, APW_AUDIT_REVOKE, id, &error);
        return;
    }
    if (result == APW_MANAGE_DONE) {
        apw_request_audit(request, APW_AUDIT_REVOKE, id, NULL);
        if (is_used) {
            apw_page_set(&request->page, "label", use.label);
            apw_notice_tell(request, "mail-revoked.txt");
        }
    }
    apw_request_go_saying(request, "",
                          result != APW_MANAGE_DONE ? APW_TEXT_GONE
                          : is_used                 ? APW_TEXT_REVOKED
                                                    : APW_TEXT_LINK_WITHDRAWN,
                          result == APW_MANAGE_DONE);
    if (strcmp(request->visitor->link.id, link) == 0)
        apw_visitor_forget_link(request->visitor);
}

/* ---- the list ---- */

static void add_row(struct apw_request *request, const struct apw_invitation *invitation)
{
    struct apw_page *page = &request->page;
    char until[APW_MOMENT_SIZE];

    apw_moment_minute(request->portal->site.texts, request->exchange->language, invitation->until,
                      until);
    apw_page_set(page, "id", invitation->record.id);
    apw_page_set(page, "label", invitation->record.label);
    apw_page_set(page, "until", until);
    apw_page_add(page, "unused-row.html");
}

void apw_devices_add_unused(struct apw_request *request)
{
    const struct apw_user *user = request->account.user;
    struct apw_invitation invitation;

    if (count_open(user) == 0)
        return;
    apw_page_add(&request->page, "unused-top.html");
    for (size_t i = 0; i < user->method.count; i++)
        if (apw_devices_is_open(&user->method.value[i], &invitation))
            add_row(request, &invitation);
    apw_page_add(&request->page, "unused-end.html");
}
