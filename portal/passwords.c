/* SPDX-License-Identifier: BSD-2-Clause */
#include "passwords.h"
#include "clock.h"
#include "invited.h"
#include "new_password.h"
#include "notice.h"
#include "password_list.h"
#include <sodium.h>
#include <string.h>
#include <time.h>

/* ---- creating ---- */

static enum apw_form_field_number field_of(enum apw_password_spec_part part)
{
    switch (part) {
    case APW_PASSWORD_SPEC_LABEL:
        return APW_FIELD_LABEL;
    case APW_PASSWORD_SPEC_EXPIRES:
        return APW_FIELD_EXPIRES;
    case APW_PASSWORD_SPEC_GOOD:
    case APW_PASSWORD_SPEC_SERVICES:
    case APW_PASSWORD_SPEC_FROM:
        break;
    }
    return APW_FIELD_SERVICES;
}

/* The request in the form. */
struct wish {
    struct apw_password_spec spec;
    int64_t expires;
    struct apw_record record; /* the label as it is stored */
};

static int read_expires(const char *value, int64_t now, struct wish *wish)
{
    wish->spec.is_endless = strcmp(value, "never") == 0;
    if (wish->spec.is_endless || strcmp(value, "default") == 0)
        return 0;
    if (apw_clock_parse_duration(value, false, &wish->expires) != 0 || wish->expires <= 0)
        return -1;
    wish->expires += now;
    wish->spec.expires = &wish->expires;
    return 0;
}

/* Reads the form; NONE, or the complaint about the first field that is wrong. */
static enum apw_text read_wish(const struct apw_request *request, struct wish *wish_r)
{
    const char *services = apw_request_field(request, APW_FIELD_SERVICES);
    enum apw_password_spec_part part = APW_PASSWORD_SPEC_EXPIRES;
    int64_t now = (int64_t)time(NULL);
    struct apw_error error;

    *wish_r = (struct wish){
        .spec = {.label = apw_request_field(request, APW_FIELD_LABEL),
                 .services = services[0] != '\0' ? services : NULL,
                 .is_told = apw_remind_settings_is_on(&request->portal->portal_config->remind)}};
    if (read_expires(apw_request_field(request, APW_FIELD_EXPIRES), now, wish_r) == 0)
        part = apw_password_spec_to_record(&wish_r->spec, now, &wish_r->record, &error);
    return part == APW_PASSWORD_SPEC_GOOD
               ? APW_TEXT_NONE
               : (enum apw_text)apw_form_fields.field[field_of(part)].complaint;
}

/* Says why a change was not made. */
static void fail(struct apw_request *request, enum apw_manage_result result,
                 enum apw_audit_action action, const char *id, const struct apw_error *error)
{
    enum apw_text text = APW_TEXT_UNAVAILABLE;

    switch (result) {
    case APW_MANAGE_NOT_FOUND:
        text = APW_TEXT_GONE;
        break;
    case APW_MANAGE_INVALID:
        text = APW_TEXT_BAD_REQUEST;
        break;
    case APW_MANAGE_CONFLICT:
    case APW_MANAGE_MFA_IS_OFF:
    case APW_MANAGE_ENDED:
        text = APW_TEXT_CHANGED_MEANWHILE;
        break;
    case APW_MANAGE_DONE:
    case APW_MANAGE_UNCHANGED:
    case APW_MANAGE_REFUSED: /* by the server, which may be read-only */
    case APW_MANAGE_NOT_PERMITTED:
    case APW_MANAGE_CONFIGURATION:
    case APW_MANAGE_UNAVAILABLE:
        apw_request_fail_change(request, action, id, error);
        return;
    }
    apw_request_audit(request, action, id, error);
    apw_request_go_saying(request, "", text, false);
}

static void create(struct apw_request *request, const struct apw_password_spec *spec,
                   const char *label)
{
    const struct apw_target target = {.dn = request->account.user->dn};
    const char *services = spec->services == NULL ? "" : spec->services;
    struct apw_error error = {""};
    struct apw_password password;
    char id[APW_ID_LENGTH + 1];
    enum apw_manage_result result =
        apw_manage_create(&request->portal->manager, &target, spec, &password, &error);

    if (result == APW_MANAGE_DONE) {
        apw_password_id(&password, id);
        apw_new_password_keep(request, &password, label, services);
        apw_request_audit(request, APW_AUDIT_CREATE, id, NULL);
        apw_notice_tell_created(request, label, services);
        apw_request_go(request, "password");
    } else {
        fail(request, result, APW_AUDIT_CREATE, NULL, &error);
    }
    sodium_memzero(&password, sizeof password);
}

void apw_passwords_do_create(struct apw_request *request)
{
    struct wish wish;
    enum apw_text text = read_wish(request, &wish);

    if (text == APW_TEXT_NONE && apw_new_password_show_again(request->visitor, wish.record.label)) {
        apw_request_go(request, "password");
        return;
    }
    if (text == APW_TEXT_NONE &&
        request->account.user->password_count >= request->portal->config->max_app_passwords)
        text = APW_TEXT_TOO_MANY;
    if (text == APW_TEXT_NONE) {
        create(request, &wish.spec, wish.record.label);
    } else if (text == APW_TEXT_BAD_LABEL) {
        apw_page_complain(&request->page, text);
        apw_password_list_show(request);
        if (request->exchange->status == 200)
            request->exchange->status = 400;
    } else {
        apw_request_go_saying(request, "", text, false);
    }
}

/* ---- renaming ---- */

void apw_passwords_do_rename(struct apw_request *request)
{
    const struct apw_target target = {.dn = request->account.user->dn};
    const char *label = apw_request_field(request, APW_FIELD_LABEL);
    struct apw_error error = {""};
    char id[APW_ID_LENGTH + 1] = "";
    enum apw_manage_result result = APW_MANAGE_NOT_FOUND;

    if (apw_record_check_label(label, strlen(label), &error) != 0) {
        apw_request_go_saying(request, "", APW_TEXT_BAD_LABEL, false);
        return;
    }
    if (apw_password_id_canonicalize(apw_request_field(request, APW_FIELD_ID), id) == 0)
        result = apw_manage_rename(&request->portal->manager, &target, id, label, &error);
    if (result != APW_MANAGE_DONE && result != APW_MANAGE_UNCHANGED) {
        fail(request, result, APW_AUDIT_RENAME, id, &error);
        return;
    }
    if (result == APW_MANAGE_DONE)
        apw_request_audit(request, APW_AUDIT_RENAME, id, NULL);
    apw_request_go_saying(request, "", APW_TEXT_RENAMED, true);
}

/* ---- revoking ---- */

/* A new one that is revoked must not be shown any more, nor go into a profile. */
static void forget_revoked(struct apw_visitor *visitor, const char *id)
{
    char own[APW_ID_LENGTH + 1];

    if (!visitor->has_password)
        return;
    apw_password_id(&visitor->password, own);
    if (id == NULL || strcmp(own, id) == 0)
        apw_visitor_forget_password(visitor);
}

void apw_passwords_do_revoke(struct apw_request *request)
{
    const struct apw_target target = {.dn = request->account.user->dn};
    const struct apw_user *user = request->account.user;
    enum apw_manage_result result = APW_MANAGE_NOT_FOUND;
    const char *label = "–";
    struct apw_invited_use use;
    struct apw_error error = {""};
    char id[APW_ID_LENGTH + 1] = "";

    if (apw_password_id_canonicalize(apw_request_field(request, APW_FIELD_ID), id) == 0)
        result = apw_manage_revoke(&request->portal->manager, &target, id, &error);
    if (result == APW_MANAGE_NOT_FOUND &&
        apw_invited_uses_find(request->portal->invited_uses, user->dn, id, &use)) {
        apw_request_go_saying(request, "", APW_TEXT_LINK_USED, false);
        return;
    }
    if (result != APW_MANAGE_DONE) {
        fail(request, result, APW_AUDIT_REVOKE, id, &error);
        return;
    }
    apw_request_audit(request, APW_AUDIT_REVOKE, id, NULL);
    if (apw_invitation_find_id(user, id) != NULL) {
        apw_request_go_saying(request, "", APW_TEXT_LINK_WITHDRAWN, true);
        return;
    }
    for (size_t i = 0; i < user->password_count; i++)
        if (strcmp(user->password[i].id, id) == 0 && user->password[i].has_record)
            label = user->password[i].record.label;
    forget_revoked(request->visitor, id);
    apw_page_set(&request->page, "label", label);
    apw_notice_tell(request, "mail-revoked.txt");
    apw_request_go_saying(request, "", APW_TEXT_REVOKED, true);
}

void apw_passwords_do_revoke_all(struct apw_request *request)
{
    const struct apw_target target = {.dn = request->account.user->dn};
    struct apw_error error = {""};
    enum apw_manage_result result =
        apw_manage_revoke_all(&request->portal->manager, &target, NULL, &error);

    if (result == APW_MANAGE_UNCHANGED) {
        apw_request_go_saying(request, "", APW_TEXT_NONE_TO_REVOKE, false);
        return;
    }
    if (result != APW_MANAGE_DONE) {
        fail(request, result, APW_AUDIT_REVOKE, NULL, &error);
        return;
    }
    forget_revoked(request->visitor, NULL);
    apw_request_audit_all(request, request->account.user);
    apw_notice_tell(request, "mail-revoked-all.txt");
    apw_request_go_saying(request, "", APW_TEXT_REVOKED_ALL, true);
}
