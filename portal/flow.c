#include "flow.h"
#include "clock.h"
#include "login.h"
#include "mail.h"
#include "request.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- what the answering files share ---- */

void apw_moment_format(int64_t seconds, bool with_time, char text_r[APW_MOMENT_SIZE])
{
    time_t moment = (time_t)seconds;
    struct tm fields;

    if (gmtime_r(&moment, &fields) == NULL ||
        strftime(text_r, APW_MOMENT_SIZE, with_time ? "%Y-%m-%d %H:%M UTC" : "%Y-%m-%d", &fields) ==
            0)
        strcpy(text_r, "?");
}

void apw_step_go(struct apw_step *step, const char *path)
{
    apw_page_redirect(&step->page, path);
}

void apw_step_go_saying(struct apw_step *step, const char *path, enum apw_text text, bool is_good)
{
    step->visit->flash = text;
    step->visit->is_flash_good = is_good;
    apw_step_go(step, path);
}

void apw_step_log(struct apw_step *step, enum apw_verdict verdict, enum apw_reason reason,
                  const char *action, const char *id, const struct apw_error *error)
{
    apw_account_log(step->portal, step->visit->login, step->exchange->client, verdict, reason,
                    action, id, error);
}

void apw_step_give_up(struct apw_step *step, const char *action, const struct apw_error *error)
{
    apw_step_log(step, APW_UNAVAILABLE, APW_REASON_DIRECTORY_UNAVAILABLE, action, NULL, error);
    apw_page_fail(&step->page, 503, APW_TEXT_UNAVAILABLE);
}

int apw_step_mail(struct apw_step *step, const char *to, const char *file)
{
    const struct apw_portal *portal = step->portal;
    struct apw_buffer text = {NULL, 0, 0, false};
    struct apw_error error = {""};
    char time_text[APW_MOMENT_SIZE];
    int status = -1;

    apw_moment_format((int64_t)time(NULL), true, time_text);
    apw_page_set(&step->page, "client",
                 step->exchange->client[0] != '\0' ? step->exchange->client : "-");
    apw_page_set(&step->page, "time", time_text);
    if (apw_template_fill(portal->templates, file, step->exchange->language, &step->page.variables,
                          &text, &error) == 0)
        status = apw_mail_send(portal->conf->sendmail, to,
                               apw_text_in(APW_TEXT_FROM_NAME, step->exchange->language),
                               text.bytes, &error);
    apw_page_set(&step->page, "time", NULL);
    apw_buffer_free(&text);
    if (status != 0)
        apw_step_log(step, APW_UNAVAILABLE, APW_REASON_NOT_DONE, "mail", NULL, &error);
    return status;
}

void apw_step_notify(struct apw_step *step, const char *file, const char *label)
{
    const struct apw_values *mail = &step->account.user->mail;
    struct apw_error error = {""};

    apw_page_set(&step->page, "label", label);
    if (mail->count > 0 && apw_method_address_is_valid(mail->value[0].bytes)) {
        apw_step_mail(step, mail->value[0].bytes, file);
        return;
    }
    apw_error_set(&error, "%s has no mail address that can be read and written to",
                  step->account.user->dn);
    apw_step_log(step, APW_UNAVAILABLE, APW_REASON_NOT_DONE, "mail", NULL, &error);
}

/* ---- who asks ---- */

static void show_sign_in(const struct apw_portal *portal, struct apw_exchange *exchange,
                         unsigned status, enum apw_text text, bool is_good)
{
    struct apw_page page;
    /* Not an app password in the wrong field. */
    bool is_shown = !apw_password_is_login(exchange->form.login, strlen(exchange->form.login)) &&
                    apw_text_is_utf8(exchange->form.login, strlen(exchange->form.login));

    apw_page_begin(&page, portal, exchange, NULL);
    apw_page_open(&page, status, APW_TITLE_SIGN_IN);
    apw_page_say(&page, text, is_good);
    apw_page_set(&page, "login", is_shown ? exchange->form.login : "");
    apw_page_add(&page, "sign-in.html");
    apw_page_end(&page);
}

void apw_flow_fail(const struct apw_portal *portal, struct apw_exchange *exchange, unsigned status,
                   enum apw_text text)
{
    struct apw_page page;

    apw_page_begin(&page, portal, exchange, NULL);
    apw_page_fail(&page, status, text);
    /* Such a page has no form. Who was sent here by a form of another site, for which the browser
     * keeps the cookie back, would lose the one they have. */
    exchange->new_cookie[0] = '\0';
}

/* Begins a visit for who has shown who they are, with a cookie of its own. */
static struct apw_visit *begin_visit(const struct apw_portal *portal, struct apw_exchange *exchange,
                                     const char *login, const char *dn)
{
    int64_t now = apw_clock_monotonic_ms();
    struct apw_visit *old =
        exchange->cookie[0] != '\0' ? apw_visit_enter(portal->visits, exchange->cookie, now) : NULL;

    if (old != NULL)
        apw_visit_end(portal->visits, old);
    return apw_visit_begin(portal->visits, login, dn, now, exchange->new_cookie);
}

/* Reads the entry of who has signed in; where it is gone, so is the visit. Whether to go on. */
static bool read_account(struct apw_step *step)
{
    struct apw_visit *visit = step->visit;
    struct apw_error error = {""};

    switch (apw_account_read(step->portal, visit->dn, visit->login, &step->account, &error)) {
    case APW_ACCOUNT_UNAVAILABLE:
        apw_step_give_up(step, "look-up", &error);
        return false;
    case APW_ACCOUNT_GONE:
        break;
    case APW_ACCOUNT_THERE:
        /* An administrator has reset it, or it was changed from elsewhere. */
        if (visit->is_single_sign_on || visit->rights != APW_RIGHTS_FULL ||
            (step->account.has_method && apw_method_is_same(&step->account.method, &visit->method)))
            return true;
        break;
    }
    apw_visit_end(step->portal->visits, visit);
    step->visit = NULL;
    if (step->portal->conf->trusted_user_header != NULL) /* nobody signs in here */
        apw_flow_fail(step->portal, step->exchange, 403, APW_TEXT_VISIT_OVER);
    else
        show_sign_in(step->portal, step->exchange, 403, APW_TEXT_VISIT_OVER, false);
    return false;
}

static void finish(struct apw_step *step)
{
    apw_account_free(&step->account);
    if (step->visit != NULL)
        apw_visit_leave(step->portal->visits, step->visit);
}

static void sign_in(const struct apw_portal *portal, struct apw_exchange *exchange)
{
    struct apw_step step = {.portal = portal, .exchange = exchange};
    char login[APW_LOGIN_SIZE], *dn = NULL;
    enum apw_verdict verdict =
        apw_account_sign_in(portal, exchange->form.login, exchange->form.password, exchange->client,
                            exchange->browser, login, &dn);

    if (verdict == APW_REFUSED) {
        show_sign_in(portal, exchange, 403, APW_TEXT_REFUSED, false);
        return;
    }
    if (verdict == APW_ACCEPTED)
        step.visit = begin_visit(portal, exchange, login, dn);
    free(dn);
    if (step.visit == NULL) {
        apw_flow_fail(portal, exchange, 503, APW_TEXT_UNAVAILABLE);
        return;
    }
    apw_page_begin(&step.page, portal, exchange, step.visit);
    if (read_account(&step)) {
        apw_send_challenge(&step);
        apw_step_go(&step, "");
    }
    finish(&step);
}

static void sign_out(struct apw_step *step)
{
    apw_visit_end(step->portal->visits, step->visit);
    step->visit = NULL;
    apw_cookie_make(step->exchange->new_cookie);
    show_sign_in(step->portal, step->exchange, 200, APW_TEXT_SIGNED_OUT, true);
}

/* ---- where to ---- */

bool apw_step_may_choose(const struct apw_step *step)
{
    const struct apw_visit *visit = step->visit;

    if (!step->account.has_mfa || visit->is_single_sign_on)
        return false;
    if (visit->rights == APW_RIGHTS_FULL || step->account.has_method)
        return visit->rights == APW_RIGHTS_FULL && visit->is_choosing;
    return step->portal->conf->enrolment == APW_ENROLMENT_OPEN ||
           visit->enrolment_code_value != NULL;
}

static void show_not_enabled(struct apw_step *step)
{
    apw_page_show(&step->page, APW_TITLE_NOT_ENABLED, "not-enabled.html");
}

static void show_home(struct apw_step *step)
{
    const struct apw_visit *visit = step->visit;

    if (visit->rights == APW_RIGHTS_FULL)
        apw_show_list(step);
    else if (step->account.has_method)
        apw_show_challenge(step);
    else if (step->portal->conf->enrolment == APW_ENROLMENT_CODE &&
             visit->enrolment_code_value == NULL)
        apw_show_enrolment_code(step);
    else
        apw_show_start(step);
}

/* Who may see a page, or send its form. */
enum gate {
    GATE_SIGNED_IN = 0, /* with the account password, at least */
    GATE_CHOOSING,      /* who may choose a second factor now */
    GATE_FULL,
};

static const struct route {
    const char *path;
    bool is_post;
    enum gate gate;
    void (*answer)(struct apw_step *step);
} routes[] = {
    {"", false, GATE_SIGNED_IN, show_home},
    {"enrolment-code", true, GATE_SIGNED_IN, apw_do_enrolment_code},
    {"start", true, GATE_SIGNED_IN, apw_do_start},
    {"resend", true, GATE_SIGNED_IN, apw_do_resend},
    {"verify", true, GATE_SIGNED_IN, apw_do_verify},
    {"choose", false, GATE_CHOOSING, apw_show_choose},
    {"choose", true, GATE_CHOOSING, apw_do_choose},
    {"app", false, GATE_CHOOSING, apw_show_app},
    {"contact", false, GATE_CHOOSING, apw_show_contact},
    {"contact", true, GATE_CHOOSING, apw_do_contact},
    {"contact-code", false, GATE_CHOOSING, apw_show_contact_code},
    {"verified", false, GATE_FULL, apw_show_verified},
    {"create", true, GATE_FULL, apw_do_create},
    {"password", false, GATE_FULL, apw_show_password},
    {"profile", false, GATE_FULL, apw_show_profile},
    {"revoke", true, GATE_FULL, apw_do_revoke},
    {"revoke-all", true, GATE_FULL, apw_do_revoke_all},
    {"change-method", true, GATE_FULL, apw_do_change_method},
};

static bool is_let_through(const struct apw_step *step, enum gate gate)
{
    switch (gate) {
    case GATE_SIGNED_IN:
        return true;
    case GATE_CHOOSING:
        return apw_step_may_choose(step);
    case GATE_FULL:
        break;
    }
    return step->visit->rights == APW_RIGHTS_FULL;
}

/* The profile's page has the token of its link behind it. */
static bool is_path(const struct route *route, const char *path)
{
    size_t length = strlen(route->path);

    return strcmp(route->path, path) == 0 ||
           (route->answer == apw_show_profile && strncmp(path, "profile/", length + 1) == 0);
}

static void answer_visit(struct apw_step *step)
{
    const struct apw_exchange *exchange = step->exchange;

    if (!step->account.has_mfa) {
        show_not_enabled(step);
        return;
    }
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        const struct route *route = &routes[i];

        if (route->is_post != exchange->is_post || !is_path(route, exchange->path))
            continue;
        if (is_let_through(step, route->gate))
            route->answer(step);
        else
            apw_step_go(step, ""); /* the start knows what comes next for this person */
        return;
    }
    apw_page_fail(&step->page, 404, APW_TEXT_NOT_FOUND);
}

static void answer_with_visit(const struct apw_portal *portal, struct apw_exchange *exchange,
                              struct apw_visit *visit)
{
    struct apw_step step = {.portal = portal, .exchange = exchange, .visit = visit};

    apw_page_begin(&step.page, portal, exchange, visit);
    if (exchange->is_post && strcmp(exchange->path, "sign-out") == 0 && !visit->is_single_sign_on)
        sign_out(&step);
    else if (read_account(&step))
        answer_visit(&step);
    finish(&step);
}

/* Whether it is a page for who has signed in. */
static bool is_page(const char *path)
{
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        if (!routes[i].is_post && is_path(&routes[i], path))
            return true;
    return false;
}

/* Before signing in there is one page and one form. */
static void answer_stranger(const struct apw_portal *portal, struct apw_exchange *exchange)
{
    if (exchange->is_post && strcmp(exchange->path, "sign-in") == 0)
        sign_in(portal, exchange);
    else if (!exchange->is_post && exchange->path[0] == '\0')
        show_sign_in(portal, exchange, 200, APW_TEXT_NONE, false);
    else if (exchange->is_post || is_page(exchange->path))
        show_sign_in(portal, exchange, 403, APW_TEXT_VISIT_OVER, false);
    else
        apw_flow_fail(portal, exchange, 404, APW_TEXT_NOT_FOUND);
}

/* ---- the site's single sign-on ---- */

static struct apw_visit *begin_signed_on(const struct apw_portal *portal,
                                         struct apw_exchange *exchange, const char *login)
{
    struct apw_visit *visit = NULL;
    struct apw_error error = {""};
    struct apw_account account;

    switch (apw_account_find(portal, login, &account, &error)) {
    case APW_ACCOUNT_THERE:
        visit = begin_visit(portal, exchange, login, account.user->dn);
        apw_account_free(&account);
        break;
    case APW_ACCOUNT_GONE:
        apw_account_log(portal, login, exchange->client, APW_REFUSED, APW_REASON_UNKNOWN_USER, NULL,
                        NULL, NULL);
        apw_flow_fail(portal, exchange, 403, APW_TEXT_NO_SIGN_ON);
        return NULL;
    case APW_ACCOUNT_UNAVAILABLE:
        break;
    }
    if (visit == NULL) {
        apw_account_log(portal, login, exchange->client, APW_UNAVAILABLE,
                        APW_REASON_DIRECTORY_UNAVAILABLE, NULL, NULL, &error);
        apw_flow_fail(portal, exchange, 503, APW_TEXT_UNAVAILABLE);
        return NULL;
    }
    visit->is_single_sign_on = true;
    visit->rights = APW_RIGHTS_FULL;
    apw_account_log(portal, login, exchange->client, APW_ACCEPTED, APW_REASON_SINGLE_SIGN_ON, NULL,
                    NULL, NULL);
    return visit;
}

static void answer_signed_on(const struct apw_portal *portal, struct apw_exchange *exchange,
                             struct apw_visit *visit)
{
    const char *typed = exchange->signed_on == NULL ? "" : exchange->signed_on;
    char login[APW_LOGIN_SIZE];

    if (apw_login_canonicalise(typed, strlen(typed), NULL, login) != 0) {
        if (visit != NULL)
            apw_visit_end(portal->visits, visit);
        apw_flow_fail(portal, exchange, 403, APW_TEXT_NO_SIGN_ON);
        return;
    }
    if (visit != NULL && (!visit->is_single_sign_on || strcmp(visit->login, login) != 0)) {
        apw_visit_end(portal->visits, visit);
        visit = NULL;
        if (exchange->is_post) { /* the form was for somebody else */
            apw_flow_fail(portal, exchange, 403, APW_TEXT_FOREIGN_FORM);
            return;
        }
    }
    if (visit == NULL)
        visit = begin_signed_on(portal, exchange, login);
    if (visit != NULL)
        answer_with_visit(portal, exchange, visit);
}

void apw_flow_answer(const struct apw_portal *portal, struct apw_exchange *exchange)
{
    struct apw_visit *visit = NULL;

    if (exchange->is_post &&
        (exchange->cookie[0] == '\0' ||
         !apw_visits_token_is_right(portal->visits, exchange->cookie, exchange->form.csrf))) {
        apw_flow_fail(portal, exchange, 403, APW_TEXT_FOREIGN_FORM);
        return;
    }
    if (exchange->form.is_bad) {
        apw_flow_fail(portal, exchange, 400, APW_TEXT_BAD_REQUEST);
        return;
    }
    if (exchange->cookie[0] != '\0')
        visit = apw_visit_enter(portal->visits, exchange->cookie, apw_clock_monotonic_ms());
    if (portal->conf->trusted_user_header != NULL)
        answer_signed_on(portal, exchange, visit);
    else if (visit != NULL && exchange->is_post && strcmp(exchange->path, "sign-in") == 0) {
        apw_visit_leave(portal->visits, visit);
        sign_in(portal, exchange);
    } else if (visit != NULL)
        answer_with_visit(portal, exchange, visit);
    else
        answer_stranger(portal, exchange);
}
