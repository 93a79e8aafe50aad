/* SPDX-License-Identifier: BSD-2-Clause */
#include "invited.h"
#include "admission.h"
#include "clock.h"
#include "log.h"
#include "moment.h"
#include "new_password.h"
#include "notice.h"
#include "stranger.h"
#include "web/throttle.h"
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ACTION    "use-invitation"
#define TRIES     "invitation"
#define USES_KEPT 256 /* then the oldest goes */
#define TURNS     16

/* Nobody guesses 128 bits; this bounds the searches that a network may cause. */
static const struct apw_patience patience = {.free = 20, .base_s = 2, .most_s = 60};

/* ---- who used a link ---- */

/* `use` is whose, and which browser's. The cookies are secret. */
struct kept {
    char *dn; /* NULL for none */
    struct apw_invited_use use;
    char hash[APW_TOKEN_SIZE];    /* of the link's token */
    char before[APW_COOKIE_SIZE]; /* the browser's cookie when it used the link */
    char cookie[APW_COOKIE_SIZE]; /* and that of the session that it got */
};

/* Forms of one browser take turns, so that the second one finds what became of the first. */
struct apw_invited_uses {
    pthread_mutex_t turn[TURNS];
    pthread_mutex_t mutex;
    size_t next;
    struct kept kept[USES_KEPT];
};

static pthread_mutex_t *turn_of(struct apw_invited_uses *uses, const char *cookie)
{
    return &uses->turn[(unsigned char)cookie[0] % TURNS];
}

int apw_invited_uses_new(struct apw_invited_uses **uses_r, struct apw_error *error)
{
    *uses_r = calloc(1, sizeof **uses_r);
    if (*uses_r == NULL)
        return apw_error_set(error, "out of memory");
    pthread_mutex_init(&(*uses_r)->mutex, NULL);
    for (size_t i = 0; i < TURNS; i++)
        pthread_mutex_init(&(*uses_r)->turn[i], NULL);
    return 0;
}

void apw_invited_uses_free(struct apw_invited_uses **uses)
{
    if (*uses == NULL)
        return;
    for (size_t i = 0; i < USES_KEPT; i++)
        free((*uses)->kept[i].dn);
    for (size_t i = 0; i < TURNS; i++)
        pthread_mutex_destroy(&(*uses)->turn[i]);
    pthread_mutex_destroy(&(*uses)->mutex);
    sodium_memzero(*uses, sizeof **uses);
    free(*uses);
    *uses = NULL;
}

/* Takes the DN. Without memory for it, the owner's page says only that the link was used, and a
 * button pressed twice loses the app password. */
static void remember(struct apw_invited_uses *uses, const struct kept *kept)
{
    if (kept->dn == NULL)
        return;
    pthread_mutex_lock(&uses->mutex);
    free(uses->kept[uses->next].dn);
    uses->kept[uses->next] = *kept;
    uses->next = (uses->next + 1) % USES_KEPT;
    pthread_mutex_unlock(&uses->mutex);
}

/* Copies the cookie of the session that a browser got for that token. */
static bool find_cookie(struct apw_invited_uses *uses, const char *token,
                        const char browser[APW_COOKIE_SIZE], char cookie_r[APW_COOKIE_SIZE])
{
    char hash[APW_TOKEN_SIZE];
    bool is_found = false;

    apw_token_hash(token, hash);
    pthread_mutex_lock(&uses->mutex);
    for (size_t i = 0; i < USES_KEPT && !is_found; i++) {
        const struct kept *kept = &uses->kept[i];

        if (kept->dn == NULL || sodium_memcmp(kept->hash, hash, sizeof hash) != 0 ||
            (sodium_memcmp(kept->before, browser, APW_COOKIE_SIZE) != 0 &&
             sodium_memcmp(kept->cookie, browser, APW_COOKIE_SIZE) != 0))
            continue;
        memcpy(cookie_r, kept->cookie, APW_COOKIE_SIZE);
        is_found = true;
    }
    pthread_mutex_unlock(&uses->mutex);
    return is_found;
}

bool apw_invited_uses_find(struct apw_invited_uses *uses, const char *dn, const char *id,
                           struct apw_invited_use *use_r)
{
    bool is_found = false;

    pthread_mutex_lock(&uses->mutex);
    for (size_t i = 0; i < USES_KEPT && !is_found; i++) {
        if (uses->kept[i].dn == NULL || strcmp(uses->kept[i].dn, dn) != 0 ||
            strcmp(uses->kept[i].use.invitation, id) != 0)
            continue;
        *use_r = uses->kept[i].use;
        is_found = true;
    }
    pthread_mutex_unlock(&uses->mutex);
    return is_found;
}

/* ---- the link ---- */

/* A link, and the account that it names as the directory has it now. */
struct link {
    int64_t begin_ms;                        /* when it was asked for; monotonic */
    char network[APW_THROTTLE_NETWORK_SIZE]; /* that is charged for the search */
    char login[APW_LOGIN_SIZE];
    struct apw_account account;
    struct apw_invitation invitation;
    const char *value; /* borrowed from the account */
};

/* A link that opened nothing. */
static void log_link(const struct apw_portal *portal, const struct apw_exchange *exchange,
                     const struct link *link, enum apw_verdict verdict,
                     const struct apw_error *error)
{
    apw_account_log(portal, &(struct apw_account_event){.verdict = verdict,
                                                        .reason = APW_REASON_NOT_DONE,
                                                        .login = link->login,
                                                        .client = exchange->client,
                                                        .action = ACTION,
                                                        .invitation = link->invitation.record.id,
                                                        .error = error});
}

/* A change by whoever has opened the link, in the name of the link's user. */
static void audit(const struct apw_portal *portal, const struct apw_exchange *exchange,
                  const struct link *link, struct apw_audit audit)
{
    char details[sizeof "invitation=" + APW_ID_LENGTH];

    snprintf(details, sizeof details, "invitation=%s", link->invitation.record.id);
    audit.actor = audit.user = link->login;
    audit.client = exchange->client;
    audit.details = details;
    apw_log_audit(portal->log, &audit);
}

/* One answer for all links that do not work, after the same time. */
static void refuse(const struct apw_portal *portal, struct apw_exchange *exchange,
                   const struct link *link)
{
    struct apw_error error = {""};

    exchange->due_ms = link->begin_ms + 1 + portal->config->refusal_delay_ms;
    log_link(portal, exchange, link, APW_REFUSED, &error);
    apw_stranger_fail(portal, exchange, 410, APW_TEXT_DEVICE_LINK_OVER);
}

static bool is_good(const struct apw_account *account, const struct apw_invitation *invitation)
{
    const struct apw_factor *factor;

    if (!account->has_mfa)
        return false;
    if (invitation->factor[0] == '\0')
        return true;
    factor = apw_factors_find(&account->factors, invitation->factor);
    return factor != NULL && factor->is_allowed;
}

/* Finds the account and the invitation. False if the request was answered. */
static bool find(const struct apw_portal *portal, struct apw_exchange *exchange, struct link *link)
{
    const char *code = exchange->path + sizeof APW_INVITATION_PATH - 1;
    enum apw_account_lookup lookup = APW_ACCOUNT_GONE;
    char login[APW_LOGIN_SIZE], token[APW_TOKEN_SIZE];
    struct apw_error error = {""};

    if (apw_invitation_read_code(code, login, token) == 0 &&
        apw_login_canonicalize(login, strlen(login), NULL, link->login) == 0)
        lookup = apw_account_find(portal, link->login, &link->account, &error);
    if (lookup == APW_ACCOUNT_THERE)
        link->value = apw_invitation_find_token(link->account.user, token, (int64_t)time(NULL),
                                                &link->invitation);
    sodium_memzero(token, sizeof token);
    if (link->value != NULL && is_good(&link->account, &link->invitation))
        return true;
    if (lookup == APW_ACCOUNT_UNAVAILABLE || lookup == APW_ACCOUNT_SEALED) {
        apw_throttle_give_back(portal->password_throttle, TRIES, link->network);
        log_link(portal, exchange, link, APW_UNAVAILABLE, &error);
        apw_stranger_fail(portal, exchange, 503, APW_TEXT_UNAVAILABLE);
    } else {
        refuse(portal, exchange, link);
    }
    return false;
}

/* Behind a single sign-on, nobody has a second factor here. */
static bool must_enroll(const struct apw_portal *portal, const struct apw_account *account)
{
    return account->factors.count == 0 && portal->portal_config->proxy.user_header == NULL;
}

/* Whether somebody is signed in in this browser: their visit would end. */
static bool find_visitor(const struct apw_portal *portal, const struct apw_exchange *exchange,
                         char login_r[APW_LOGIN_SIZE])
{
    struct apw_web_session *session = NULL;
    bool is_found = false;

    if (exchange->cookie[0] != '\0')
        session = apw_web_session_enter(portal->site.sessions, exchange->cookie,
                                        apw_clock_monotonic_ms(), NULL);
    if (session == NULL)
        return false;
    is_found = !((const struct apw_visitor *)session->content)->is_invited;
    strcpy(login_r, ((const struct apw_visitor *)session->content)->login);
    apw_web_session_leave(portal->site.sessions, session);
    return is_found;
}

/* Programs that fetch links send no forms, so they do not use up the link. */
static void ask(const struct apw_portal *portal, struct apw_exchange *exchange,
                const struct link *link)
{
    struct apw_request request;
    struct apw_page *page = &request.page;
    char until[APW_MOMENT_SIZE], visitor[APW_LOGIN_SIZE];

    apw_request_begin(&request, portal, exchange, NULL);
    apw_moment_minute(portal->site.texts, exchange->language, link->invitation.until, until);
    apw_page_set(page, "user",
                 link->account.user->mail.count > 0 ? link->account.user->mail.value[0].bytes
                                                    : link->account.user->name);
    apw_page_set(page, "label", link->invitation.record.label);
    apw_page_set(page, "date", until);
    apw_page_set(page, "path", exchange->path);
    apw_page_open(page, 200, APW_TITLE_DEVICE);
    if (must_enroll(portal, &link->account)) {
        apw_page_add(page, "device-enrol.html");
    } else {
        if (find_visitor(portal, exchange, visitor)) {
            apw_page_set(page, "visitor", visitor);
            apw_page_add(page, "device-visit.html");
        }
        apw_page_add(page, "device.html");
    }
    apw_page_end(page);
}

/* The session that shows the new app password; false without one. */
static bool admit(const struct apw_portal *portal, struct apw_exchange *exchange,
                  const struct link *link, const struct apw_password *password,
                  struct apw_request *request_r)
{
    struct apw_web_session *session =
        apw_admission_begin(portal, exchange, link->login, link->account.user->dn);

    if (session == NULL)
        return false;
    apw_request_begin(request_r, portal, exchange, session);
    request_r->account = link->account;
    request_r->visitor->is_invited = true;
    apw_new_password_keep(request_r, password, link->invitation.record.label,
                          link->invitation.record.services);
    return true;
}

static void remember_use(const struct apw_portal *portal, const struct apw_exchange *exchange,
                         const struct link *link, const char *id)
{
    struct kept kept = {.dn = strdup(link->account.user->dn), .use.at = (int64_t)time(NULL)};

    strcpy(kept.use.invitation, link->invitation.record.id);
    strcpy(kept.use.password, id);
    strcpy(kept.use.label, link->invitation.record.label);
    strcpy(kept.use.client, exchange->client);
    apw_agent_name(exchange->agent, kept.use.browser);
    memcpy(kept.hash, link->invitation.hash, sizeof kept.hash);
    memcpy(kept.before, exchange->cookie, sizeof kept.before);
    memcpy(kept.cookie, exchange->new_cookie, sizeof kept.cookie);
    remember(portal->invited_uses, &kept);
    sodium_memzero(&kept, sizeof kept);
}

static void hand_over(const struct apw_portal *portal, struct apw_exchange *exchange,
                      const struct link *link, const struct apw_password *password)
{
    const struct apw_target target = {.dn = link->account.user->dn};
    const struct apw_record *record = &link->invitation.record;
    char id[APW_ID_LENGTH + 1];
    struct apw_error error = {""};
    struct apw_request request;

    apw_password_id(password, id);
    audit(portal, exchange, link,
          (struct apw_audit){.action = APW_AUDIT_CREATE, .id = id, .is_done = true});
    if (!admit(portal, exchange, link, password, &request)) {
        bool is_revoked =
            apw_manage_revoke(&portal->manager, &target, id, &error) == APW_MANAGE_DONE;

        audit(
            portal, exchange, link,
            (struct apw_audit){
                .action = APW_AUDIT_REVOKE, .id = id, .is_done = is_revoked, .error = error.text});
        apw_error_set(&error, "no session is free; nobody has seen app password %s, %s%s", id,
                      is_revoked ? "so it was revoked" : "but revoking it failed: ", error.text);
        log_link(portal, exchange, link, APW_UNAVAILABLE, &error);
        apw_stranger_fail(portal, exchange, 503, APW_TEXT_UNAVAILABLE);
        return;
    }
    remember_use(portal, exchange, link, id);
    apw_notice_tell_created(&request, record->label, record->services);
    apw_request_go(&request, "password");
    apw_web_session_leave(portal->site.sessions, request.session);
}

static bool has_too_many(const struct apw_portal *portal, const struct apw_account *account)
{
    return account->user->password_count >= portal->config->max_app_passwords;
}

static void use_link(const struct apw_portal *portal, struct apw_exchange *exchange,
                     const struct link *link)
{
    const struct apw_target target = {.dn = link->account.user->dn};
    const struct apw_record *record = &link->invitation.record;
    const struct apw_password_spec spec = {
        .label = record->label,
        .services = record->services[0] != '\0' ? record->services : NULL,
        .from = record->from_text[0] != '\0' ? record->from_text : NULL,
        .expires = record->has_expires ? &record->expires : NULL,
        .is_endless = !record->has_expires,
        .invitation = link->value,
        .is_told = apw_remind_settings_is_on(&portal->portal_config->remind)};
    struct apw_error error = {""};
    struct apw_password password;

    switch (apw_manage_create(&portal->manager, &target, &spec, &password, &error)) {
    case APW_MANAGE_DONE:
        hand_over(portal, exchange, link, &password);
        break;
    case APW_MANAGE_UNCHANGED:
    case APW_MANAGE_NOT_FOUND:
    case APW_MANAGE_INVALID:
    case APW_MANAGE_CONFLICT:
    case APW_MANAGE_MFA_IS_OFF:
    case APW_MANAGE_ENDED:
        refuse(portal, exchange, link);
        break;
    case APW_MANAGE_REFUSED: /* too many app passwords, or by the server */
    case APW_MANAGE_NOT_PERMITTED:
    case APW_MANAGE_CONFIGURATION:
    case APW_MANAGE_UNAVAILABLE:
        log_link(portal, exchange, link, APW_UNAVAILABLE, &error);
        apw_stranger_fail(portal, exchange, 503,
                          has_too_many(portal, &link->account) ? APW_TEXT_TOO_MANY
                                                               : APW_TEXT_UNAVAILABLE);
        break;
    }
    sodium_memzero(&password, sizeof password);
}

static void answer_link(const struct apw_portal *portal, struct apw_exchange *exchange,
                        struct link *link)
{
    if (find(portal, exchange, link)) {
        apw_throttle_give_back(portal->password_throttle, TRIES, link->network);
        if (exchange->is_post && !must_enroll(portal, &link->account))
            use_link(portal, exchange, link);
        else
            ask(portal, exchange, link);
    }
    apw_account_free(&link->account);
}

void apw_invited_answer(const struct apw_portal *portal, struct apw_exchange *exchange)
{
    struct link link = {.begin_ms = apw_clock_monotonic_ms()};
    pthread_mutex_t *turn = turn_of(portal->invited_uses, exchange->cookie);

    apw_throttle_network(exchange->client, link.network);
    if (!apw_throttle_take(portal->password_throttle, TRIES, link.network, &patience,
                           link.begin_ms)) {
        apw_stranger_fail(portal, exchange, 429, APW_TEXT_BUSY);
    } else if (exchange->is_post) {
        pthread_mutex_lock(turn);
        if (apw_invited_show_again(portal, exchange))
            apw_throttle_give_back(portal->password_throttle, TRIES, link.network);
        else
            answer_link(portal, exchange, &link);
        pthread_mutex_unlock(turn);
    } else {
        answer_link(portal, exchange, &link);
    }
}

bool apw_invited_show_again(const struct apw_portal *portal, struct apw_exchange *exchange)
{
    const char *path = exchange->path, *slash = strrchr(path, '/');
    struct apw_web_session *session = NULL;
    char cookie[APW_COOKIE_SIZE];
    struct apw_request request;
    bool is_again = false;

    if (!exchange->is_post ||
        strncmp(path, APW_INVITATION_PATH, sizeof APW_INVITATION_PATH - 1) != 0 ||
        !find_cookie(portal->invited_uses, slash + 1, exchange->cookie, cookie))
        return false;
    session = apw_web_session_enter(portal->site.sessions, cookie, apw_clock_monotonic_ms(), NULL);
    if (session != NULL)
        is_again = apw_new_password_show_again(session->content, NULL);
    if (is_again) {
        memcpy(exchange->new_cookie, cookie, sizeof exchange->new_cookie);
        apw_request_begin(&request, portal, exchange, session);
        apw_request_go(&request, "password");
    }
    if (session != NULL)
        apw_web_session_leave(portal->site.sessions, session);
    sodium_memzero(cookie, sizeof cookie);
    return is_again;
}

/* ---- the session ---- */

void apw_invited_answer_session(struct apw_request *request)
{
    const char *path = request->exchange->path;
    bool is_get = !request->exchange->is_post;

    if (is_get && strncmp(path, "profile/", 8) == 0)
        apw_new_password_show_profile(request);
    else if (is_get && strcmp(path, "password") == 0)
        apw_new_password_show(request);
    else
        apw_request_go(request, "password");
}
