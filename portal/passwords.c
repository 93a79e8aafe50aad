#include "clock.h"
#include "request.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PROFILE_MINUTES 10

/* ---- the list ---- */

static const char *say(const struct apw_step *step, enum apw_text text)
{
    return apw_text_in(text, step->exchange->language);
}

static enum apw_text state_of(const struct apw_managed_password *password)
{
    if (!password->is_usable)
        return APW_TEXT_UNUSABLE;
    return password->record.has_expires && password->record.expires <= (int64_t)time(NULL)
               ? APW_TEXT_EXPIRED
               : APW_TEXT_NONE;
}

/* What it is good for: in words for what this page makes, else as the administrator wrote it. */
static const char *services_of(const struct apw_step *step,
                               const struct apw_managed_password *password)
{
    const char *services = password->has_record ? password->record.services : "";

    if (services[0] == '\0')
        return say(step, APW_TEXT_ALL_SERVICES);
    if (strcmp(services, "imap,pop3") == 0)
        return say(step, APW_TEXT_READING);
    return strcmp(services, "smtp") == 0 ? say(step, APW_TEXT_SENDING) : services;
}

static void add_row(struct apw_step *step, const struct apw_managed_password *password)
{
    char created[APW_MOMENT_SIZE] = "–", expires[APW_MOMENT_SIZE] = "–", used[APW_MOMENT_SIZE];
    const struct apw_record *record = &password->record;
    struct apw_page *page = &step->page;

    if (password->has_record)
        apw_moment_format(record->created, false, created);
    if (password->has_record && record->has_expires)
        apw_moment_format(record->expires, false, expires);
    if (password->has_use)
        apw_moment_format(password->use.at, false, used);
    apw_page_set(page, "id", password->id[0] != '\0' ? password->id : "–");
    apw_page_set(page, "label", password->has_record ? record->label : "–");
    apw_page_set(page, "created", created);
    apw_page_set(page, "expires",
                 password->has_record && !record->has_expires ? say(step, APW_TEXT_NEVER)
                                                              : expires);
    apw_page_set(page, "last_used", password->has_use ? used : say(step, APW_TEXT_NOT_USED));
    apw_page_set(page, "last_service", password->has_use ? password->use.service : "");
    apw_page_set(page, "last_from", password->has_use ? password->use.from : "");
    apw_page_set(page, "services", services_of(step, password));
    apw_page_set(page, "state", say(step, state_of(password)));
    apw_page_add(page, "list-row.html");
}

void apw_show_list(struct apw_step *step)
{
    const struct apw_user *user = step->account.user;
    struct apw_page *page = &step->page;
    char date[APW_MOMENT_SIZE];

    apw_page_open(page, 200, APW_TITLE_LIST);
    if (step->account.is_announced) {
        apw_moment_format(user->enforce_from, false, date);
        apw_page_set(page, "date", date);
        apw_page_add(page, "announced.html");
    }
    if (user->password_count == 0) {
        apw_page_add(page, "list-empty.html");
    } else {
        apw_page_add(page, "list-top.html");
        for (size_t i = 0; i < user->password_count; i++)
            add_row(step, &user->password[i]);
        apw_page_add(page, "list-end.html");
    }
    apw_page_add(page, "list-actions.html");
    if (!step->visit->is_single_sign_on) {
        apw_page_set(page, "method",
                     say(step, step->account.method.kind == APW_METHOD_APP ? APW_TEXT_METHOD_APP
                                                                           : APW_TEXT_METHOD_MAIL));
        apw_page_add(page, "change-method.html");
    }
    apw_page_end(page);
}

/* ---- a new one ---- */

/* The first mail address, or NULL. */
static const char *address_of(const struct apw_step *step)
{
    const struct apw_values *mail = &step->account.user->mail;

    return mail->count > 0 ? mail->value[0].bytes : NULL;
}

static bool has_profile(const struct apw_step *step)
{
    const struct apw_conf *conf = step->portal->conf;

    return conf->imap.host != NULL && conf->smtp.host != NULL && address_of(step) != NULL;
}

static void keep(struct apw_step *step, const struct apw_password *password, const char *label)
{
    struct apw_visit *visit = step->visit;

    apw_visit_forget_password(visit);
    visit->password = *password;
    visit->has_password = true;
    visit->is_password_shown = false;
    snprintf(visit->label, sizeof visit->label, "%s", label);
    if (has_profile(step)) {
        apw_cookie_make(visit->profile_token);
        visit->profile_until_ms = apw_clock_monotonic_ms() + PROFILE_MINUTES * 60 * 1000;
    }
}

/* Reads the form; what is wrong with it, or NONE. */
static enum apw_text read_spec(const struct apw_form *form, struct apw_password_spec *spec_r,
                               int64_t *expires_r, struct apw_record *record_r)
{
    struct apw_error error;
    int64_t now = (int64_t)time(NULL);

    *spec_r = (struct apw_password_spec){.label = form->label, .without_mfa = false};
    if (form->services[0] != '\0')
        spec_r->services = form->services;
    if (strcmp(form->expires, "never") != 0) {
        if (apw_duration_parse(form->expires, false, expires_r) != 0 || *expires_r <= 0)
            return APW_TEXT_BAD_REQUEST;
        *expires_r += now;
        spec_r->expires = expires_r;
    }
    switch (apw_password_spec_to_record(spec_r, now, record_r, &error)) {
    case APW_PASSWORD_SPEC_GOOD:
        return APW_TEXT_NONE;
    case APW_PASSWORD_SPEC_LABEL:
        return APW_TEXT_BAD_LABEL;
    case APW_PASSWORD_SPEC_SERVICES:
    case APW_PASSWORD_SPEC_FROM:
    case APW_PASSWORD_SPEC_EXPIRES:
        break;
    }
    return APW_TEXT_BAD_REQUEST;
}

/* Says what became of a change that was not made. */
static void fail(struct apw_step *step, enum apw_manage_result result, const char *action,
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
        text = APW_TEXT_CHANGED_MEANWHILE;
        break;
    case APW_MANAGE_DONE:
    case APW_MANAGE_UNCHANGED:
    case APW_MANAGE_REFUSED: /* by the server: it may only be read, perhaps */
    case APW_MANAGE_NOT_PERMITTED:
    case APW_MANAGE_CONFIGURATION:
    case APW_MANAGE_UNAVAILABLE:
        apw_step_give_up(step, action, error);
        return;
    }
    apw_step_log(step, APW_REFUSED, APW_REASON_NOT_DONE, action, id, error);
    apw_step_go_saying(step, "", text, false);
}

static void create(struct apw_step *step, const struct apw_password_spec *spec, const char *label)
{
    const struct apw_target target = {.dn = step->account.user->dn};
    struct apw_error error = {""};
    struct apw_password password;
    char id[APW_ID_LENGTH + 1];
    enum apw_manage_result result =
        apw_manage_create(&step->portal->manager, &target, spec, &password, &error);

    if (result == APW_MANAGE_DONE) {
        apw_password_id(&password, id);
        keep(step, &password, label);
        apw_step_log(step, APW_ACCEPTED, APW_REASON_DONE, "create", id, NULL);
        apw_step_notify(step, "mail-created.txt", label);
        apw_step_go(step, "password");
    } else {
        fail(step, result, "create", NULL, &error);
    }
    sodium_memzero(&password, sizeof password);
}

/* Whether the same one was made a moment ago, unseen so far: the button was pressed twice. */
static bool is_made_already(const struct apw_visit *visit, const char *label)
{
    return visit->has_password && !visit->is_password_shown && strcmp(visit->label, label) == 0;
}

void apw_do_create(struct apw_step *step)
{
    struct apw_password_spec spec;
    struct apw_record record;
    int64_t expires;
    enum apw_text text = read_spec(&step->exchange->form, &spec, &expires, &record);

    if (text == APW_TEXT_NONE && is_made_already(step->visit, record.label)) {
        apw_step_go(step, "password");
        return;
    }
    if (text == APW_TEXT_NONE &&
        step->account.user->password_count >= step->portal->config->max_app_passwords)
        text = APW_TEXT_TOO_MANY;
    if (text == APW_TEXT_NONE)
        create(step, &spec, record.label);
    else
        apw_step_go_saying(step, "", text, false);
}

/* How a connection to that port begins, in the words of mail programs. */
static const char *security_of(const char *port)
{
    bool is_tls = strcmp(port, "993") == 0 || strcmp(port, "465") == 0 || strcmp(port, "995") == 0;

    return is_tls ? "SSL/TLS" : "STARTTLS";
}

static void add_servers(struct apw_step *step)
{
    const struct apw_conf *conf = step->portal->conf;
    struct apw_page *page = &step->page;

    apw_page_set(page, "imap_host", conf->imap.host);
    apw_page_set(page, "imap_port", conf->imap.port);
    apw_page_set(page, "imap_security", security_of(conf->imap.port));
    apw_page_set(page, "smtp_security", security_of(conf->smtp.port));
    apw_page_set(page, "smtp_host", conf->smtp.host);
    apw_page_set(page, "smtp_port", conf->smtp.port);
    apw_page_set(page, "login", step->account.user->name);
}

/* Shown once: reloading shows that it was. */
void apw_show_password(struct apw_step *step)
{
    struct apw_visit *visit = step->visit;
    struct apw_page *page = &step->page;
    char shown[APW_PASSWORD_SHOWN_SIZE], profile[APW_LOCATION_SIZE];

    if (!visit->has_password || visit->is_password_shown) {
        apw_page_show(page, APW_TITLE_PASSWORD, "password-gone.html");
        return;
    }
    apw_password_show(&visit->password, shown);
    apw_page_set(page, "password", shown);
    apw_page_set(page, "label", visit->label);
    apw_page_open(page, 200, APW_TITLE_PASSWORD);
    apw_page_add(page, "password.html");
    if (step->portal->conf->imap.host != NULL && step->portal->conf->smtp.host != NULL) {
        add_servers(step);
        apw_page_add(page, "servers.html");
    }
    if (visit->profile_token[0] != '\0') {
        snprintf(profile, sizeof profile, "%s/profile/%s", step->portal->conf->root,
                 visit->profile_token);
        apw_page_set(page, "profile", profile);
        apw_page_add(page, "profile.html");
    }
    apw_page_add(page, "password-done.html");
    apw_page_end(page);
    sodium_memzero(shown, sizeof shown);
    visit->is_password_shown = !step->exchange->body.is_broken;
    if (visit->is_password_shown && visit->profile_token[0] == '\0')
        apw_visit_forget_password(visit);
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

/* Whether the link is the one that was given out, and in time. */
static bool is_link_good(const struct apw_step *step)
{
    const struct apw_visit *visit = step->visit;
    const char *slash = strchr(step->exchange->path, '/');

    return visit->has_password && visit->profile_token[0] != '\0' && slash != NULL &&
           apw_clock_remaining_ms(visit->profile_until_ms) > 0 &&
           strlen(slash + 1) == sizeof visit->profile_token - 1 &&
           sodium_memcmp(slash + 1, visit->profile_token, sizeof visit->profile_token - 1) == 0;
}

void apw_show_profile(struct apw_step *step)
{
    const struct apw_conf *conf = step->portal->conf;
    struct apw_visit *visit = step->visit;
    struct apw_page *page = &step->page;
    char password[APW_PASSWORD_SHOWN_SIZE], uuid1[37], uuid2[37];

    if (!is_link_good(step) || !has_profile(step)) {
        if (visit->has_password && apw_clock_remaining_ms(visit->profile_until_ms) == 0)
            apw_visit_forget_password(visit);
        apw_page_fail(page, 410, APW_TEXT_LINK_USED);
        return;
    }
    apw_password_show(&visit->password, password);
    make_uuid(uuid1);
    make_uuid(uuid2);
    add_servers(step);
    apw_page_set(page, "organisation", conf->site);
    apw_page_set(page, "name", step->account.user->name);
    apw_page_set(page, "address", address_of(step));
    apw_page_set(page, "password", password);
    /* TLS from the first byte or by STARTTLS: Apple's key is the same for both. */
    apw_page_set(page, "imap_tls", "true");
    apw_page_set(page, "smtp_tls", "true");
    apw_page_set(page, "uuid1", uuid1);
    apw_page_set(page, "uuid2", uuid2);
    step->exchange->status = 200;
    step->exchange->type = "application/x-apple-aspen-config";
    apw_page_add(page, "profile.mobileconfig");
    sodium_memzero(password, sizeof password);
    if (!step->exchange->body.is_broken)
        apw_visit_forget_password(visit);
}

/* ---- away with it ---- */

/* What was made in this visit and is still to be shown, or in a profile, is gone with the rest. */
static void forget_revoked(struct apw_visit *visit, const char *id)
{
    char own[APW_ID_LENGTH + 1];

    if (!visit->has_password)
        return;
    apw_password_id(&visit->password, own);
    if (id == NULL || strcmp(own, id) == 0)
        apw_visit_forget_password(visit);
}

void apw_do_revoke(struct apw_step *step)
{
    const struct apw_target target = {.dn = step->account.user->dn};
    const struct apw_user *user = step->account.user;
    enum apw_manage_result result = APW_MANAGE_NOT_FOUND;
    const char *label = "–";
    struct apw_error error = {""};
    char id[APW_ID_LENGTH + 1] = "";

    if (apw_id_canonicalise(step->exchange->form.id, id) == 0)
        result = apw_manage_revoke(&step->portal->manager, &target, id, &error);
    if (result != APW_MANAGE_DONE) {
        fail(step, result, "revoke", id, &error);
        return;
    }
    for (size_t i = 0; i < user->password_count; i++)
        if (strcmp(user->password[i].id, id) == 0 && user->password[i].has_record)
            label = user->password[i].record.label;
    forget_revoked(step->visit, id);
    apw_step_log(step, APW_ACCEPTED, APW_REASON_DONE, "revoke", id, NULL);
    apw_step_notify(step, "mail-revoked.txt", label);
    apw_step_go_saying(step, "", APW_TEXT_REVOKED, true);
}

void apw_do_revoke_all(struct apw_step *step)
{
    const struct apw_target target = {.dn = step->account.user->dn};
    struct apw_error error = {""};
    enum apw_manage_result result =
        apw_manage_revoke_all(&step->portal->manager, &target, NULL, &error);

    if (result != APW_MANAGE_DONE && result != APW_MANAGE_UNCHANGED) {
        fail(step, result, "revoke-all", NULL, &error);
        return;
    }
    forget_revoked(step->visit, NULL);
    apw_step_log(step, APW_ACCEPTED, APW_REASON_DONE, "revoke-all", NULL, NULL);
    apw_step_notify(step, "mail-revoked-all.txt", NULL);
    apw_step_go_saying(step, "", APW_TEXT_REVOKED_ALL, true);
}
