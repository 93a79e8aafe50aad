/* SPDX-License-Identifier: BSD-2-Clause */
#include "notice.h"
#include "agent.h"
#include "helpdesk.h"
#include "letter.h"
#include "moment.h"
#include "outbox.h"
#include "service_words.h"
#include "web/throttle.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define CLIENT_SIZE (APW_ADDRESS_TEXT_SIZE + APW_THROTTLE_NETWORK_SIZE + 4)

/* Whose account a mail is about. */
struct owner {
    const struct apw_account *account;
    const char *login;
    const char *facts; /* the template that all of its mails end with */
    bool is_helped;    /* by the visitor, of the help desk */
};

static struct owner visitor_of(const struct apw_request *request)
{
    return (struct owner){&request->account, request->visitor->login, "mail-facts.txt", false};
}

/* The owner does not learn about the browser of the help desk. */
static struct owner helped_of(const struct apw_request *request)
{
    return (struct owner){&request->helped, request->helped_login, "mail-help-facts.txt", true};
}

/* ---- writing ---- */

/* "2001:db8::5 (2001:db8::/64)": the list of app passwords shows the network. */
static void name_client(const char *address, char client_r[CLIENT_SIZE])
{
    char network[APW_THROTTLE_NETWORK_SIZE];

    apw_throttle_network(address, network);
    if (address[0] == '\0')
        strcpy(client_r, "?");
    else if (strcmp(network, address) == 0)
        snprintf(client_r, CLIENT_SIZE, "%s", address);
    else
        snprintf(client_r, CLIENT_SIZE, "%s (%s)", address, network);
}

/* Fills in the template, and behind it the facts. */
static int fill(struct apw_request *request, const struct owner *owner, const char *file,
                struct apw_buffer *text, struct apw_error *error)
{
    const struct apw_portal *portal = request->portal;
    unsigned language = request->exchange->language;
    struct apw_page *page = &request->page;
    char now[APW_MOMENT_SIZE], browser[APW_AGENT_NAME_SIZE], client[CLIENT_SIZE];
    int status = -1;

    apw_moment_zoned(portal->site.texts, language, (int64_t)time(NULL), now);
    apw_agent_name(request->exchange->agent, browser);
    name_client(request->exchange->client, client);
    apw_page_set(page, "user", owner->login);
    apw_page_set(page, "url", portal->portal_config->url);
    apw_page_set(page, "time", now);
    apw_page_set(page, "browser", browser);
    apw_page_set(page, "client", client);
    if (apw_template_fill(portal->site.templates, file, language, &page->variables, text, error) ==
        0)
        status = apw_template_fill(portal->site.templates, owner->facts, language, &page->variables,
                                   text, error);
    apw_page_set(page, "user", request->visitor->login);
    apw_page_set(page, "time", NULL);
    apw_page_set(page, "browser", NULL);
    apw_page_set(page, "client", NULL);
    return status;
}

static int compose(struct apw_request *request, const struct owner *owner, const char *to,
                   const char *file, struct apw_mail *mail_r, struct apw_error *error)
{
    struct apw_buffer text = {NULL, 0, 0, false};
    int status = fill(request, owner, file, &text, error);

    if (status == 0)
        status = apw_letter_compose(request->portal, request->exchange->language, to, text.bytes,
                                    mail_r, error);
    apw_buffer_free(&text);
    return status;
}

/* ---- sending ---- */

static void log_failure(struct apw_request *request, const struct owner *owner,
                        const struct apw_error *error)
{
    if (owner->is_helped)
        apw_helpdesk_log(request, APW_UNAVAILABLE, APW_REASON_NOT_DONE, "mail", NULL, error);
    else
        apw_request_log(request, APW_UNAVAILABLE, APW_REASON_NOT_DONE, "mail", NULL, error);
}

static enum apw_mail_result mail_now(struct apw_request *request, const struct owner *owner,
                                     const char *to, const char *file)
{
    struct apw_mail mail = {.to = NULL};
    struct apw_error error = {""};
    enum apw_mail_result result = APW_MAIL_NOT_SENT;

    if (compose(request, owner, to, file, &mail, &error) == 0)
        result = apw_mail_send(&request->portal->portal_config->mail, &mail, NULL, &error);
    apw_mail_free(&mail);
    if (result != APW_MAIL_SENT)
        log_failure(request, owner, &error);
    return result;
}

enum apw_mail_result apw_notice_mail(struct apw_request *request, const char *to, const char *file)
{
    const struct owner owner = visitor_of(request);

    return mail_now(request, &owner, to, file);
}

enum apw_mail_result apw_notice_mail_helped(struct apw_request *request, const char *to,
                                            const char *file)
{
    const struct owner owner = helped_of(request);

    return mail_now(request, &owner, to, file);
}

/* The person's own mailbox; NULL, and a log line, if it is not known. */
static const char *own_address(struct apw_request *request, const struct owner *owner)
{
    const struct apw_values *mail = &owner->account->user->mail;
    struct apw_error error = {""};

    if (mail->count > 0 && apw_mail_address_is_valid(mail->value[0].bytes))
        return mail->value[0].bytes;
    apw_error_set(&error, "%s has no valid mail address, or it cannot be read",
                  owner->account->user->dn);
    log_failure(request, owner, &error);
    return NULL;
}

enum apw_mail_result apw_notice_mail_owner(struct apw_request *request, const char *file)
{
    const struct owner owner = visitor_of(request);
    const char *to = own_address(request, &owner);

    return to != NULL ? mail_now(request, &owner, to, file) : APW_MAIL_NOT_SENT;
}

/* Gives a mail that was not sent to the outbox; the error says what follows. */
static bool keep(const struct apw_request *request, const struct owner *owner,
                 struct apw_mail *mail, struct apw_error *error)
{
    struct apw_error why;
    bool is_kept = apw_outbox_keep(request->portal->outbox, mail, owner->login,
                                   request->exchange->client, &why) == 0;

    if (is_kept)
        apw_error_set(error, "%s; trying again for a day", error->text);
    else
        apw_error_set(error, "%s; not trying again: %s", error->text, why.text);
    return is_kept;
}

/* One of several copies. After one that could not be sent, the person does not wait for the next
 * attempt to fail, too. Whether it was sent or kept. */
static bool send_or_keep(struct apw_request *request, const struct owner *owner, const char *to,
                         const char *file, enum apw_mail_result *result)
{
    struct apw_mail mail = {.to = NULL};
    struct apw_error error = {""};
    bool is_kept = false;

    if (compose(request, owner, to, file, &mail, &error) != 0) {
        log_failure(request, owner, &error);
        return false;
    }
    if (*result != APW_MAIL_NOT_SENT)
        *result = apw_mail_send(&request->portal->portal_config->mail, &mail, NULL, &error);
    else
        apw_error_set(&error, "not tried, because the one before was not sent");
    if (*result == APW_MAIL_NOT_SENT)
        is_kept = keep(request, owner, &mail, &error);
    apw_mail_free(&mail);
    if (*result != APW_MAIL_SENT)
        log_failure(request, owner, &error);
    return is_kept || *result == APW_MAIL_SENT;
}

/* Whether the factor has an address that none before it has, nor the person's own mailbox. */
static bool is_further_address(const struct apw_factors *factors, size_t number, const char *own)
{
    const struct apw_method *method = &factors->factor[number].method;

    if (method->kind != APW_METHOD_MAIL || (own != NULL && strcasecmp(method->address, own) == 0))
        return false;
    for (size_t i = 0; i < number; i++)
        if (factors->factor[i].method.kind == APW_METHOD_MAIL &&
            strcasecmp(factors->factor[i].method.address, method->address) == 0)
            return false;
    return true;
}

static bool tell(struct apw_request *request, const struct owner *owner, const char *file,
                 bool with_alternates)
{
    const struct apw_factors *factors = &owner->account->factors;
    enum apw_mail_result result = APW_MAIL_SENT;
    const char *own = own_address(request, owner);
    bool is_told = own != NULL && send_or_keep(request, owner, own, file, &result);

    for (size_t i = 0; with_alternates && i < factors->count; i++)
        if (is_further_address(factors, i, own))
            is_told =
                send_or_keep(request, owner, factors->factor[i].method.address, file, &result) ||
                is_told;
    return is_told;
}

void apw_notice_tell(struct apw_request *request, const char *file)
{
    const struct owner owner = visitor_of(request);

    tell(request, &owner, file, false);
}

void apw_notice_tell_all(struct apw_request *request, const char *file)
{
    const struct owner owner = visitor_of(request);

    tell(request, &owner, file, true);
}

void apw_notice_tell_helped(struct apw_request *request, const char *file)
{
    const struct owner owner = helped_of(request);

    tell(request, &owner, file, false);
}

bool apw_notice_tell_helped_all(struct apw_request *request, const char *file)
{
    const struct owner owner = helped_of(request);

    return tell(request, &owner, file, true);
}

void apw_notice_tell_created(struct apw_request *request, const char *label, const char *services)
{
    bool reads = apw_services_read(services), sends = apw_services_send(services);
    struct apw_buffer ability = {NULL, 0, 0, false};
    char words[APW_SERVICE_WORDS_SIZE];
    enum apw_text text = reads && sends ? APW_TEXT_CAN_BOTH
                         : reads        ? APW_TEXT_CAN_READ
                         : sends        ? APW_TEXT_CAN_SEND
                                        : APW_TEXT_CAN_OTHER;

    apw_service_words(request->portal->site.texts, request->exchange->language, services, words);
    apw_page_set(&request->page, "services", words);
    apw_template_fill_text(apw_request_text(request, text), &request->page.variables, &ability);
    apw_page_set(&request->page, "ability", ability.bytes);
    apw_page_set(&request->page, "label", label);
    apw_notice_tell(request,
                    request->visitor->is_invited ? "mail-created-by-link.txt" : "mail-created.txt");
    apw_page_set(&request->page, "ability", NULL);
    apw_page_set(&request->page, "services", NULL);
    apw_buffer_free(&ability);
}
