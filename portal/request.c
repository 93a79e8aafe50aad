/* SPDX-License-Identifier: BSD-2-Clause */
#include "request.h"
#include "outbox.h"
#include <string.h>
#include <time.h>

void apw_request_begin(struct apw_request *request, const struct apw_portal *portal,
                       struct apw_exchange *exchange, struct apw_web_session *session)
{
    struct apw_page *page = &request->page;

    memset(request, 0, sizeof *request);
    request->portal = portal;
    request->exchange = exchange;
    request->session = session;
    request->visitor = session == NULL ? NULL : session->content;
    apw_page_begin(page, &portal->site, exchange, session);
    apw_page_set(page, "support", portal->portal_config->support);
    apw_page_set(page, "site", portal->portal_config->site);
    apw_page_set(page, "user", session == NULL ? "" : request->visitor->login);
    if (session != NULL)
        page->who = request->visitor->is_single_sign_on ? "who-sso.html" : "who.html";
}

const char *apw_request_text(const struct apw_request *request, enum apw_text text)
{
    return apw_text_in(request->portal->site.texts, text, request->exchange->language);
}

const char *apw_request_field(const struct apw_request *request, enum apw_form_field_number field)
{
    return apw_form_value(&request->exchange->form, field);
}

enum apw_text apw_request_check_field(const struct apw_request *request,
                                      enum apw_form_field_number field)
{
    return (enum apw_text)apw_form_check(&request->exchange->form, field);
}

void apw_request_go(struct apw_request *request, const char *path)
{
    apw_page_redirect(&request->page, path);
}

void apw_request_go_saying(struct apw_request *request, const char *path, enum apw_text text,
                           bool is_good)
{
    request->session->flash = text;
    request->session->is_flash_good = is_good;
    apw_request_go(request, path);
}

void apw_request_log(struct apw_request *request, enum apw_verdict verdict, enum apw_reason reason,
                     const char *action, const char *id, const struct apw_error *error)
{
    const struct apw_account_event event = {.verdict = verdict,
                                            .reason = reason,
                                            .login = request->visitor->login,
                                            .client = request->exchange->client,
                                            .action = action,
                                            .id = id,
                                            .error = error};

    apw_account_log(request->portal, &event);
}

void apw_request_give_up(struct apw_request *request, const char *action,
                         const struct apw_error *error)
{
    apw_request_log(request, APW_UNAVAILABLE, APW_REASON_DIRECTORY_UNAVAILABLE, action, NULL,
                    error);
    apw_page_fail(&request->page, 503, APW_TEXT_UNAVAILABLE);
}

/* Fills in the template of a mail. */
static int compose(struct apw_request *request, const char *to, const char *file,
                   struct apw_mail *mail_r, struct apw_error *error)
{
    const struct apw_portal *portal = request->portal;
    const char *client = request->exchange->client;
    struct apw_buffer text = {NULL, 0, 0, false};
    char now[APW_REQUEST_TIME_SIZE];
    int status = -1;

    apw_request_format_time((int64_t)time(NULL), true, now);
    apw_page_set(&request->page, "client", client[0] != '\0' ? client : "-");
    apw_page_set(&request->page, "time", now);
    if (apw_template_fill(portal->site.templates, file, request->exchange->language,
                          &request->page.variables, &text, error) == 0)
        status = apw_mail_compose(&portal->portal_config->mail, to,
                                  apw_request_text(request, APW_TEXT_FROM_NAME), text.bytes, mail_r,
                                  error);
    apw_page_set(&request->page, "time", NULL);
    apw_buffer_free(&text);
    return status;
}

static void log_failed_mail(struct apw_request *request, const struct apw_error *error)
{
    apw_request_log(request, APW_UNAVAILABLE, APW_REASON_NOT_DONE, "mail", NULL, error);
}

enum apw_mail_result apw_request_mail(struct apw_request *request, const char *to, const char *file)
{
    struct apw_mail mail = {.to = NULL};
    struct apw_error error = {""};
    enum apw_mail_result result = APW_MAIL_NOT_SENT;

    if (compose(request, to, file, &mail, &error) == 0)
        result = apw_mail_send(&request->portal->portal_config->mail, &mail, NULL, &error);
    apw_mail_free(&mail);
    if (result != APW_MAIL_SENT)
        log_failed_mail(request, &error);
    return result;
}

/* The person's own mailbox; NULL, and a log line, if it is not known. */
static const char *own_address(struct apw_request *request)
{
    const struct apw_values *mail = &request->account.user->mail;
    struct apw_error error = {""};

    if (mail->count > 0 && apw_method_address_is_valid(mail->value[0].bytes))
        return mail->value[0].bytes;
    apw_error_set(&error, "%s has no valid mail address, or it cannot be read",
                  request->account.user->dn);
    log_failed_mail(request, &error);
    return NULL;
}

enum apw_mail_result apw_request_mail_owner(struct apw_request *request, const char *file)
{
    const char *to = own_address(request);

    return to != NULL ? apw_request_mail(request, to, file) : APW_MAIL_NOT_SENT;
}

/* Gives a mail that was not sent to the outbox; the error says what follows. */
static void keep(const struct apw_request *request, struct apw_mail *mail, struct apw_error *error)
{
    struct apw_error why;

    if (apw_outbox_keep(request->portal->outbox, mail, request->visitor->login,
                        request->exchange->client, &why) == 0)
        apw_error_set(error, "%s; trying again for a day", error->text);
    else
        apw_error_set(error, "%s; not trying again: %s", error->text, why.text);
}

void apw_request_notify(struct apw_request *request, const char *file, const char *label)
{
    const char *to = own_address(request);
    struct apw_mail mail = {.to = NULL};
    struct apw_error error = {""};
    enum apw_mail_result result;

    if (to == NULL)
        return;
    apw_page_set(&request->page, "label", label);
    if (compose(request, to, file, &mail, &error) != 0) {
        log_failed_mail(request, &error);
        return;
    }
    result = apw_mail_send(&request->portal->portal_config->mail, &mail, NULL, &error);
    if (result == APW_MAIL_NOT_SENT)
        keep(request, &mail, &error);
    apw_mail_free(&mail);
    if (result != APW_MAIL_SENT)
        log_failed_mail(request, &error);
}

void apw_request_format_time(int64_t seconds, bool with_time, char text_r[APW_REQUEST_TIME_SIZE])
{
    time_t moment = (time_t)seconds;
    struct tm fields;

    if (gmtime_r(&moment, &fields) == NULL ||
        strftime(text_r, APW_REQUEST_TIME_SIZE, with_time ? "%Y-%m-%d %H:%M UTC" : "%Y-%m-%d",
                 &fields) == 0)
        strcpy(text_r, "?");
}
