/* SPDX-License-Identifier: BSD-2-Clause */
#include "request.h"
#include "log.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Sets {connections}: what becomes of those that an app password has opened when it is revoked. */
static void set_connections(struct apw_request *request)
{
    int64_t seconds = apw_config_sessions_end_s(request->portal->config);
    struct apw_page *page = &request->page;
    struct apw_buffer text = {NULL, 0, 0, false};
    char number[21];

    snprintf(number, sizeof number, "%" PRId64, seconds);
    apw_page_set(page, "seconds", number);
    apw_template_fill_text(apw_request_text(request, seconds > 0 ? APW_TEXT_CONNECTIONS_END
                                                                 : APW_TEXT_CONNECTIONS_STAY),
                           &page->variables, &text);
    if (!text.is_broken)
        snprintf(request->connections, sizeof request->connections, "%s", text.bytes);
    apw_buffer_free(&text);
    apw_page_set(page, "seconds", NULL);
    apw_page_set(page, "connections", request->connections);
}

void apw_request_begin(struct apw_request *request, const struct apw_portal *portal,
                       struct apw_exchange *exchange, struct apw_web_session *session)
{
    const struct apw_support *support;
    struct apw_page *page = &request->page;

    memset(request, 0, sizeof *request);
    request->portal = portal;
    request->exchange = exchange;
    request->session = session;
    request->visitor = session == NULL ? NULL : session->content;
    apw_page_begin(page, &portal->site, exchange, session);
    support = apw_supports_find(&portal->portal_config->support,
                                portal->site.languages.language[exchange->language].code);
    if (support != NULL)
        apw_page_set_link(page, "support", support->text, support->link);
    apw_page_set(page, "site", portal->portal_config->site);
    set_connections(request);
    apw_page_set(page, "user", session == NULL ? "" : request->visitor->login);
    if (session != NULL)
        page->who = request->visitor->is_invited          ? "who-invited.html"
                    : request->visitor->is_single_sign_on ? "who-sso.html"
                                                          : "who.html";
    if (session != NULL && !request->visitor->is_single_sign_on)
        page->ending = request->visitor->is_invited ? "ending-invited.html" : "ending.html";
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

void apw_request_add_step(struct apw_request *request, unsigned step, unsigned steps)
{
    char step_text[12], steps_text[12];
    struct apw_page *page = &request->page;

    snprintf(step_text, sizeof step_text, "%u", step);
    snprintf(steps_text, sizeof steps_text, "%u", steps);
    apw_page_set(page, "step", step_text);
    apw_page_set(page, "steps", steps_text);
    apw_page_add(page, "step.html");
    apw_page_set(page, "step", NULL);
    apw_page_set(page, "steps", NULL);
}

void apw_request_add_setting_up_step(struct apw_request *request, unsigned step)
{
    bool is_addition = request->account.factors.count > 0;
    bool has_passwords = request->account.user->password_count > 0;

    apw_request_add_step(request, step, is_addition || has_passwords ? 2 : 4);
}

void apw_request_add_cancel(struct apw_request *request)
{
    if (request->account.factors.count > 0)
        apw_page_add(&request->page, "cancel.html");
}

void apw_request_show_step(struct apw_request *request, enum apw_text title, const char *file,
                           unsigned step)
{
    struct apw_page *page = &request->page;

    apw_page_open(page, 200, title);
    apw_request_add_setting_up_step(request, step);
    apw_page_add(page, file);
    apw_request_add_cancel(request);
    apw_page_end(page);
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
    request->session->is_flash_at_field = false;
    apw_request_go(request, path);
}

void apw_request_go_complaining(struct apw_request *request, const char *path, enum apw_text text)
{
    apw_request_go_saying(request, path, text, false);
    request->session->is_flash_at_field = true;
}

void apw_request_go_waiting(struct apw_request *request, const char *path, enum apw_text text,
                            unsigned minutes)
{
    request->session->flash_minutes = minutes;
    apw_request_go_saying(request, path, text, false);
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

void apw_request_audit(struct apw_request *request, enum apw_audit_action action, const char *id,
                       const struct apw_error *error)
{
    const char *login = request->visitor->login;

    apw_log_audit(
        request->portal->log,
        &(struct apw_audit){.action = action,
                            .actor = login,
                            .user = request->helped.user != NULL ? request->helped_login : login,
                            .id = id,
                            .is_done = error == NULL,
                            .client = request->exchange->client,
                            .error = error == NULL ? NULL : error->text});
}

static void audit_revoked(void *context, const char *id)
{
    apw_request_audit(context, APW_AUDIT_REVOKE, id, NULL);
}

void apw_request_audit_all(struct apw_request *request, const struct apw_user *user)
{
    apw_manage_each_id(user, audit_revoked, request);
}

void apw_request_fail_change(struct apw_request *request, enum apw_audit_action action,
                             const char *id, const struct apw_error *error)
{
    apw_request_audit(request, action, id, error);
    apw_page_fail(&request->page, 503, APW_TEXT_UNAVAILABLE);
}
