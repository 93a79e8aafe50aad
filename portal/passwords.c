/* SPDX-License-Identifier: BSD-2-Clause */
#include "passwords.h"
#include "clock.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PROFILE_MINUTES 10

/* ---- the list ---- */

static enum apw_text state_of(const struct apw_managed_password *password)
{
    if (!password->is_usable)
        return APW_TEXT_UNUSABLE;
    return password->record.has_expires && password->record.expires <= (int64_t)time(NULL)
               ? APW_TEXT_EXPIRED
               : APW_TEXT_NONE;
}

/* In words for what this page creates, else as it is stored. */
static const char *services_of(const struct apw_request *request,
                               const struct apw_managed_password *password)
{
    const char *services = password->has_record ? password->record.services : "";

    if (services[0] == '\0')
        return apw_request_text(request, APW_TEXT_ALL_SERVICES);
    if (strcmp(services, "imap,pop3") == 0)
        return apw_request_text(request, APW_TEXT_READING);
    return strcmp(services, "smtp") == 0 ? apw_request_text(request, APW_TEXT_SENDING) : services;
}

static void add_row(struct apw_request *request, const struct apw_managed_password *password)
{
    char created[APW_REQUEST_TIME_SIZE] = "–", expires[APW_REQUEST_TIME_SIZE] = "–",
         used[APW_REQUEST_TIME_SIZE];
    const struct apw_record *record = &password->record;
    struct apw_page *page = &request->page;

    if (password->has_record)
        apw_request_format_time(record->created, false, created);
    if (password->has_record && record->has_expires)
        apw_request_format_time(record->expires, false, expires);
    if (password->has_use)
        apw_request_format_time(password->use.at, false, used);
    apw_page_set(page, "id", password->id[0] != '\0' ? password->id : "–");
    apw_page_set(page, "label", password->has_record ? record->label : "–");
    apw_page_set(page, "created", created);
    apw_page_set(page, "expires",
                 password->has_record && !record->has_expires
                     ? apw_request_text(request, APW_TEXT_NEVER)
                     : expires);
    apw_page_set(page, "last_used",
                 password->has_use ? used : apw_request_text(request, APW_TEXT_NOT_USED));
    apw_page_set(page, "last_service", password->has_use ? password->use.service : "");
    apw_page_set(page, "last_from", password->has_use ? password->use.from : "");
    apw_page_set(page, "services", services_of(request, password));
    apw_page_set(page, "state", apw_request_text(request, state_of(password)));
    apw_page_add(page, "list-row.html");
}

static void add_revoked(struct apw_request *request)
{
    const struct apw_user *user = request->account.user;
    struct apw_page *page = &request->page;

    if (user->tombstone_count == 0)
        return;
    apw_page_add(page, "revoked-top.html");
    for (size_t i = 0; i < user->tombstone_count; i++) {
        const struct apw_tombstone *tombstone = &user->tombstone[i];
        char created[APW_REQUEST_TIME_SIZE], revoked[APW_REQUEST_TIME_SIZE];

        apw_request_format_time(tombstone->created, false, created);
        apw_request_format_time(tombstone->revoked, false, revoked);
        apw_page_set(page, "id", tombstone->id);
        apw_page_set(page, "label", tombstone->label);
        apw_page_set(page, "created", created);
        apw_page_set(page, "revoked", revoked);
        apw_page_add(page, "revoked-row.html");
    }
    apw_page_add(page, "revoked-end.html");
}

void apw_passwords_show_list(struct apw_request *request)
{
    const struct apw_user *user = request->account.user;
    struct apw_page *page = &request->page;
    char date[APW_REQUEST_TIME_SIZE];

    apw_page_open(page, 200, APW_TITLE_LIST);
    if (request->account.is_announced) {
        apw_request_format_time(user->enforce_from, false, date);
        apw_page_set(page, "date", date);
        apw_page_add(page, "announced.html");
    }
    if (user->password_count == 0) {
        apw_page_add(page, "list-empty.html");
    } else {
        apw_page_add(page, "list-top.html");
        for (size_t i = 0; i < user->password_count; i++)
            add_row(request, &user->password[i]);
        apw_page_add(page, "list-end.html");
    }
    apw_page_add(page, "list-actions.html");
    if (!request->visitor->is_single_sign_on) {
        apw_page_set(page, "method",
                     apw_request_text(request, request->account.method.kind == APW_METHOD_APP
                                                   ? APW_TEXT_METHOD_APP
                                                   : APW_TEXT_METHOD_MAIL));
        apw_page_add(page, "change-method.html");
    }
    add_revoked(request);
    apw_page_end(page);
}

/* ---- creating ---- */

/* The first mail address, or NULL. */
static const char *address_of(const struct apw_request *request)
{
    const struct apw_values *mail = &request->account.user->mail;

    return mail->count > 0 ? mail->value[0].bytes : NULL;
}

static bool has_profile(const struct apw_request *request)
{
    const struct apw_portal_config *config = request->portal->portal_config;

    return config->imap.host != NULL && config->smtp.host != NULL && address_of(request) != NULL;
}

static void keep(struct apw_request *request, const struct apw_password *password,
                 const char *label)
{
    struct apw_visitor *visitor = request->visitor;

    apw_visitor_forget_password(visitor);
    visitor->password = *password;
    visitor->has_password = true;
    visitor->is_password_shown = false;
    snprintf(visitor->label, sizeof visitor->label, "%s", label);
    if (has_profile(request)) {
        apw_web_session_make_cookie(visitor->profile_token);
        visitor->profile_until_ms = apw_clock_monotonic_ms() + PROFILE_MINUTES * 60 * 1000;
    }
}

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
    if (strcmp(value, "never") == 0)
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

    *wish_r = (struct wish){.spec = {.label = apw_request_field(request, APW_FIELD_LABEL),
                                     .services = services[0] != '\0' ? services : NULL}};
    if (read_expires(apw_request_field(request, APW_FIELD_EXPIRES), now, wish_r) == 0)
        part = apw_password_spec_to_record(&wish_r->spec, now, &wish_r->record, &error);
    return part == APW_PASSWORD_SPEC_GOOD
               ? APW_TEXT_NONE
               : (enum apw_text)apw_form_fields.field[field_of(part)].complaint;
}

/* Says why a change was not made. */
static void fail(struct apw_request *request, enum apw_manage_result result, const char *action,
                 const char *id, const struct apw_error *error)
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
        apw_request_give_up(request, action, error);
        return;
    }
    apw_request_log(request, APW_REFUSED, APW_REASON_NOT_DONE, action, id, error);
    apw_request_go_saying(request, "", text, false);
}

static void create(struct apw_request *request, const struct apw_password_spec *spec,
                   const char *label)
{
    const struct apw_target target = {.dn = request->account.user->dn};
    struct apw_error error = {""};
    struct apw_password password;
    char id[APW_ID_LENGTH + 1];
    enum apw_manage_result result =
        apw_manage_create(&request->portal->manager, &target, spec, &password, &error);

    if (result == APW_MANAGE_DONE) {
        apw_password_id(&password, id);
        keep(request, &password, label);
        apw_request_log(request, APW_ACCEPTED, APW_REASON_DONE, "create", id, NULL);
        apw_request_notify(request, "mail-created.txt", label);
        apw_request_go(request, "password");
    } else {
        fail(request, result, "create", NULL, &error);
    }
    sodium_memzero(&password, sizeof password);
}

/* The button was pressed twice: a new one with that label has not been shown yet. */
static bool is_made_already(const struct apw_visitor *visitor, const char *label)
{
    return visitor->has_password && !visitor->is_password_shown &&
           strcmp(visitor->label, label) == 0;
}

void apw_passwords_do_create(struct apw_request *request)
{
    struct wish wish;
    enum apw_text text = read_wish(request, &wish);

    if (text == APW_TEXT_NONE && is_made_already(request->visitor, wish.record.label)) {
        apw_request_go(request, "password");
        return;
    }
    if (text == APW_TEXT_NONE &&
        request->account.user->password_count >= request->portal->config->max_app_passwords)
        text = APW_TEXT_TOO_MANY;
    if (text == APW_TEXT_NONE)
        create(request, &wish.spec, wish.record.label);
    else
        apw_request_go_saying(request, "", text, false);
}

/* In the words of mail programs. */
static const char *security_of(const char *port)
{
    bool is_tls = strcmp(port, "993") == 0 || strcmp(port, "465") == 0 || strcmp(port, "995") == 0;

    return is_tls ? "SSL/TLS" : "STARTTLS";
}

static void add_servers(struct apw_request *request)
{
    const struct apw_portal_config *config = request->portal->portal_config;
    struct apw_page *page = &request->page;

    apw_page_set(page, "imap_host", config->imap.host);
    apw_page_set(page, "imap_port", config->imap.port);
    apw_page_set(page, "imap_security", security_of(config->imap.port));
    apw_page_set(page, "smtp_security", security_of(config->smtp.port));
    apw_page_set(page, "smtp_host", config->smtp.host);
    apw_page_set(page, "smtp_port", config->smtp.port);
    apw_page_set(page, "login", request->account.user->name);
}

/* Shows it once; after that the page says that it was shown. */
void apw_passwords_show_new(struct apw_request *request)
{
    struct apw_visitor *visitor = request->visitor;
    struct apw_page *page = &request->page;
    char shown[APW_PASSWORD_SHOWN_SIZE], profile[APW_LOCATION_SIZE];

    if (!visitor->has_password || visitor->is_password_shown) {
        apw_page_show(page, APW_TITLE_PASSWORD, "password-gone.html");
        return;
    }
    apw_password_show(&visitor->password, shown);
    apw_page_set(page, "password", shown);
    apw_page_set(page, "label", visitor->label);
    apw_page_open(page, 200, APW_TITLE_PASSWORD);
    apw_page_add(page, "password.html");
    if (request->portal->portal_config->imap.host != NULL &&
        request->portal->portal_config->smtp.host != NULL) {
        add_servers(request);
        apw_page_add(page, "servers.html");
    }
    if (visitor->profile_token[0] != '\0') {
        snprintf(profile, sizeof profile, "%s/profile/%s", request->portal->site.root,
                 visitor->profile_token);
        apw_page_set(page, "profile", profile);
        apw_page_add(page, "profile.html");
    }
    apw_page_add(page, "password-done.html");
    apw_page_end(page);
    sodium_memzero(shown, sizeof shown);
    visitor->is_password_shown = !request->exchange->body.is_broken;
    if (visitor->is_password_shown && visitor->profile_token[0] == '\0')
        apw_visitor_forget_password(visitor);
}

/* ---- the profile for Apple devices ---- */

/* A random UUID (RFC 9562, 5.4). */
static void make_uuid(char uuid_r[37])
{
    unsigned char b[16];

    randombytes_buf(b, sizeof b);
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    snprintf(uuid_r, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
             b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
             b[14], b[15]);
}

/* Whether the link is the one on the page, and still valid. */
static bool is_link_good(const struct apw_request *request)
{
    const struct apw_visitor *visitor = request->visitor;
    const char *slash = strchr(request->exchange->path, '/');

    return visitor->has_password && visitor->profile_token[0] != '\0' && slash != NULL &&
           apw_clock_remaining_ms(visitor->profile_until_ms) > 0 &&
           strlen(slash + 1) == sizeof visitor->profile_token - 1 &&
           sodium_memcmp(slash + 1, visitor->profile_token, sizeof visitor->profile_token - 1) == 0;
}

void apw_passwords_show_profile(struct apw_request *request)
{
    const struct apw_portal_config *config = request->portal->portal_config;
    struct apw_visitor *visitor = request->visitor;
    struct apw_page *page = &request->page;
    char password[APW_PASSWORD_SHOWN_SIZE], uuid1[37], uuid2[37];

    if (!is_link_good(request) || !has_profile(request)) {
        if (visitor->has_password && apw_clock_remaining_ms(visitor->profile_until_ms) == 0)
            apw_visitor_forget_password(visitor);
        apw_page_fail(page, 410, APW_TEXT_LINK_USED);
        return;
    }
    apw_password_show(&visitor->password, password);
    make_uuid(uuid1);
    make_uuid(uuid2);
    add_servers(request);
    apw_page_set(page, "organization", config->site);
    apw_page_set(page, "name", request->account.user->name);
    apw_page_set(page, "address", address_of(request));
    apw_page_set(page, "password", password);
    /* Apple has one key for TLS from the first byte and for STARTTLS. */
    apw_page_set(page, "imap_tls", "true");
    apw_page_set(page, "smtp_tls", "true");
    apw_page_set(page, "uuid1", uuid1);
    apw_page_set(page, "uuid2", uuid2);
    request->exchange->status = 200;
    request->exchange->type = "application/x-apple-aspen-config";
    request->exchange->file_name = "mail.mobileconfig";
    apw_page_add(page, "profile.mobileconfig");
    sodium_memzero(password, sizeof password);
    if (!request->exchange->body.is_broken)
        apw_visitor_forget_password(visitor);
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
    struct apw_error error = {""};
    char id[APW_ID_LENGTH + 1] = "";

    if (apw_password_id_canonicalize(apw_request_field(request, APW_FIELD_ID), id) == 0)
        result = apw_manage_revoke(&request->portal->manager, &target, id, &error);
    if (result != APW_MANAGE_DONE) {
        fail(request, result, "revoke", id, &error);
        return;
    }
    for (size_t i = 0; i < user->password_count; i++)
        if (strcmp(user->password[i].id, id) == 0 && user->password[i].has_record)
            label = user->password[i].record.label;
    forget_revoked(request->visitor, id);
    apw_request_log(request, APW_ACCEPTED, APW_REASON_DONE, "revoke", id, NULL);
    apw_request_notify(request, "mail-revoked.txt", label);
    apw_request_go_saying(request, "", APW_TEXT_REVOKED, true);
}

void apw_passwords_do_revoke_all(struct apw_request *request)
{
    const struct apw_target target = {.dn = request->account.user->dn};
    struct apw_error error = {""};
    enum apw_manage_result result =
        apw_manage_revoke_all(&request->portal->manager, &target, NULL, &error);

    if (result != APW_MANAGE_DONE && result != APW_MANAGE_UNCHANGED) {
        fail(request, result, "revoke-all", NULL, &error);
        return;
    }
    forget_revoked(request->visitor, NULL);
    apw_request_log(request, APW_ACCEPTED, APW_REASON_DONE, "revoke-all", NULL, NULL);
    apw_request_notify(request, "mail-revoked-all.txt", NULL);
    apw_request_go_saying(request, "", APW_TEXT_REVOKED_ALL, true);
}
