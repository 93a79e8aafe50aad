/* SPDX-License-Identifier: BSD-2-Clause */
#include "new_password.h"
#include "agent.h"
#include "clock.h"
#include "profile.h"
#include "qr.h"
#include "service_words.h"
#include "transfer.h"
#include "uuid.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define PROFILE_MINUTES                                                                            \
    10             /* the same link, as often as the browser likes: a button is pressed twice */
#define AGAIN_S 10 /* so long, the form that is sent again shows it again */

/* The first mail address, or NULL. */
static const char *address_of(const struct apw_request *request)
{
    const struct apw_values *mail = &request->account.user->mail;

    return mail->count > 0 ? mail->value[0].bytes : NULL;
}

/* The sender's name. */
static const char *sender_of(const struct apw_request *request)
{
    const char *full_name = request->account.user->full_name;

    return full_name[0] != '\0' ? full_name : address_of(request);
}

static bool has_account(const struct apw_request *request)
{
    const struct apw_portal_config *config = request->portal->portal_config;

    return config->imap.host != NULL && config->smtp.host != NULL && address_of(request) != NULL;
}

/* Devices would also fetch and send with it. */
static bool has_profile(const struct apw_request *request)
{
    const char *services = request->visitor->services;

    return has_account(request) && apw_services_have(services, "imap") &&
           apw_services_send(services);
}

void apw_new_password_keep(struct apw_request *request, const struct apw_password *password,
                           const char *label, const char *services)
{
    struct apw_visitor *visitor = request->visitor;

    apw_visitor_forget_password(visitor);
    visitor->password = *password;
    visitor->has_password = true;
    visitor->is_password_shown = false;
    snprintf(visitor->label, sizeof visitor->label, "%s", label);
    snprintf(visitor->services, sizeof visitor->services, "%s", services);
    if (has_profile(request)) {
        apw_web_session_make_cookie(visitor->profile_token);
        visitor->profile_until_ms = apw_clock_monotonic_ms() + PROFILE_MINUTES * 60 * 1000;
    }
}

/* The browser may have dropped the page that showed it, because the button was pressed again. */
bool apw_new_password_show_again(struct apw_visitor *visitor, const char *label)
{
    if (!visitor->has_password || (label != NULL && strcmp(visitor->label, label) != 0) ||
        (visitor->is_password_shown && apw_clock_remaining_ms(visitor->again_until_ms) == 0))
        return false;
    visitor->is_password_shown = false;
    return true;
}

/* In the words of mail programs. */
static const char *security_of(const char *port)
{
    return apw_host_port_is_tls(port) ? "SSL/TLS" : "STARTTLS";
}

static void set_servers(struct apw_request *request)
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

/* Where to paste it. */
static void add_use(struct apw_request *request)
{
    const char *services = request->visitor->services;
    bool reads = apw_services_read(services), sends = apw_services_send(services);
    char words[APW_SERVICE_WORDS_SIZE];

    apw_service_words(request->portal->site.texts, request->exchange->language, services, words);
    apw_page_set(&request->page, "services", words);
    apw_page_add(&request->page, reads && sends ? "password-both-top.html"
                                 : reads        ? "password-read.html"
                                 : sends        ? "password-send.html"
                                                : "password-other.html");
    apw_page_set(&request->page, "services", NULL);
}

/* For a mail program that does not have the account yet. */
static void add_servers(struct apw_request *request, bool is_android)
{
    const struct apw_portal_config *config = request->portal->portal_config;
    const char *services = request->visitor->services;
    bool has_incoming = config->imap.host != NULL && apw_services_have(services, "imap"),
         has_outgoing = config->smtp.host != NULL && apw_services_send(services);

    if (!has_incoming && !has_outgoing)
        return;
    set_servers(request);
    apw_page_add(&request->page, "servers.html");
    if (has_incoming)
        apw_page_add(&request->page, "servers-incoming.html");
    if (has_outgoing)
        apw_page_add(&request->page, "servers-outgoing.html");
    apw_page_add(&request->page, "servers-end.html");
    if (has_incoming && has_outgoing && is_android)
        apw_page_add(&request->page, "servers-android.html");
}

/* Cuts it at its hyphens: a line may end behind each. */
static void set_groups(struct apw_page *page, char shown[APW_PASSWORD_SHOWN_SIZE])
{
    char *rest = NULL;

    apw_page_set(page, "group1", strtok_r(shown, "-", &rest));
    apw_page_set(page, "group2", strtok_r(NULL, "-", &rest));
    apw_page_set(page, "group3", strtok_r(NULL, "-", &rest));
    apw_page_set(page, "group4", strtok_r(NULL, "-", &rest));
    apw_page_set(page, "group5", strtok_r(NULL, "-", &rest));
}

static bool is_one_of(const char *system, const char *const *systems)
{
    while (*systems != NULL && strcmp(system, *systems) != 0)
        systems++;
    return *systems != NULL;
}

/* The device that shows the page. */
struct device {
    bool is_iphone; /* or iPad */
    bool is_apple;
    bool is_android;
};

static struct device device_of(const struct apw_request *request)
{
    static const char *const phones[] = {"iPhone", "iPad", NULL};
    const char *system = apw_agent_system(request->exchange->agent);
    bool is_iphone = is_one_of(system, phones);

    return (struct device){.is_iphone = is_iphone,
                           .is_apple = is_iphone || strcmp(system, "Mac") == 0,
                           .is_android = strcmp(system, "Android") == 0};
}

bool apw_new_password_has_transfer(const struct apw_request *request)
{
    const struct device device = device_of(request);

    return has_account(request) && !device.is_iphone && !device.is_android;
}

static void add_profile(struct apw_request *request, const struct device *device)
{
    char profile[APW_LOCATION_SIZE];

    snprintf(profile, sizeof profile, "%s/profile/%s", request->portal->site.root,
             request->visitor->profile_token);
    apw_page_set(&request->page, "profile", profile);
    apw_page_add(&request->page, device->is_iphone ? "profile-iphone.html" : "profile.html");
    if (!apw_profile_is_signed(request->portal))
        apw_page_add(&request->page, "profile-unsigned.html");
    apw_page_add(&request->page, "profile-end.html");
}

/* For a second screen: no phone scans its own. The picture is as secret as the app password, and in
 * the same page, which is shown once. */
static void add_transfer(struct apw_request *request)
{
    char password[APW_PASSWORD_SHOWN_SIZE], json[APW_TRANSFER_SIZE], size_text[16];
    const struct apw_portal_config *config = request->portal->portal_config;
    const struct apw_transfer transfer = {.imap = &config->imap,
                                          .smtp = &config->smtp,
                                          .login = request->account.user->name,
                                          .password = password,
                                          .address = address_of(request),
                                          .name = sender_of(request)};
    struct apw_buffer path = {NULL, 0, 0, false};
    int size = 0;

    apw_password_show(&request->visitor->password, password);
    if (apw_transfer_write(&transfer, json) == 0 && apw_qr_path(json, &path, &size) == 0) {
        snprintf(size_text, sizeof size_text, "%d", size);
        apw_page_set(&request->page, "size", size_text);
        apw_page_set(&request->page, "path", path.bytes);
        apw_page_add(&request->page, "transfer.html");
        apw_page_set(&request->page, "size", NULL);
        apw_page_set(&request->page, "path", NULL);
    }
    sodium_memzero(password, sizeof password);
    sodium_memzero(json, sizeof json);
    apw_buffer_free(&path);
}

/* Whatever helps this device most comes first, and its steps are open. Android gets no profile: the
 * link works in this browser only. */
static void add_all(struct apw_request *request, const struct device *device)
{
    struct apw_page *page = &request->page;
    const char *services = request->visitor->services;
    bool has_link = request->visitor->profile_token[0] != '\0',
         is_new = request->visitor->is_invited; /* so the device hardly has the account yet */

    apw_page_set(page, "is_iphone", device->is_iphone ? "open" : "");
    apw_page_set(page, "is_android", device->is_android ? "open" : "");
    if (has_link && device->is_apple)
        add_profile(request, device);
    apw_page_add(page, "password.html");
    add_use(request);
    if (is_new)
        add_servers(request, device->is_android);
    if (apw_services_read(services) && apw_services_send(services))
        apw_page_add(page, "password-both.html");
    if (!is_new)
        add_servers(request, device->is_android);
    if (has_link && !device->is_apple && !device->is_android)
        add_profile(request, device);
    if (has_link && !device->is_iphone && !device->is_android)
        add_transfer(request);
    if (!request->visitor->is_invited)
        apw_page_add(page, "password-done.html");
}

/* The profile's link still works for a while: a phone may have lost the page before the profile. */
static void show_gone(struct apw_request *request, const struct device *device)
{
    const struct apw_visitor *visitor = request->visitor;
    struct apw_page *page = &request->page;

    apw_page_open(page, 200, APW_TITLE_PASSWORD);
    if (device->is_apple && visitor->has_password && visitor->profile_token[0] != '\0' &&
        apw_clock_remaining_ms(visitor->profile_until_ms) > 0)
        add_profile(request, device);
    apw_page_add(page, visitor->is_invited ? "device-done.html" : "password-gone.html");
    apw_page_end(page);
}

/* Shows it once; after that the page says that it was shown. */
void apw_new_password_show(struct apw_request *request)
{
    struct apw_visitor *visitor = request->visitor;
    struct apw_page *page = &request->page;
    const struct device device = device_of(request);
    char shown[APW_PASSWORD_SHOWN_SIZE];

    if (!visitor->has_password || visitor->is_password_shown) {
        show_gone(request, &device);
        return;
    }
    apw_password_show(&visitor->password, shown);
    set_groups(page, shown);
    apw_page_set(page, "label", visitor->label);
    page->is_shown_once = true;
    apw_page_open(page, 200, APW_TITLE_PASSWORD);
    if (visitor->is_beginner)
        apw_request_add_step(request, 4, 4);
    add_all(request, &device);
    apw_page_end(page);
    sodium_memzero(shown, sizeof shown);
    visitor->is_password_shown = !request->exchange->body.is_broken && !request->exchange->is_head;
    visitor->again_until_ms = apw_clock_monotonic_ms() + AGAIN_S * 1000;
}

/* ---- the profile for Apple devices ---- */

/* Whether the request may come from a button that was pressed again. */
static bool is_repeated(const struct apw_exchange *exchange)
{
    return exchange->is_post ? strcmp(exchange->path, "create") == 0
                             : strcmp(exchange->path, "password") == 0;
}

void apw_new_password_forget_old(struct apw_visitor *visitor, const struct apw_exchange *exchange)
{
    if (!is_repeated(exchange))
        visitor->again_until_ms = 0;
    if (visitor->is_password_shown && apw_clock_remaining_ms(visitor->profile_until_ms) == 0 &&
        apw_clock_remaining_ms(visitor->again_until_ms) == 0)
        apw_visitor_forget_password(visitor);
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

void apw_new_password_show_profile(struct apw_request *request)
{
    const struct apw_portal_config *config = request->portal->portal_config;
    const struct apw_visitor *visitor = request->visitor;
    struct apw_page *page = &request->page;
    char password[APW_PASSWORD_SHOWN_SIZE], uuid1[APW_UUID_SIZE], uuid2[APW_UUID_SIZE];

    if (!is_link_good(request) || !has_profile(request)) {
        apw_page_fail(page, 410, APW_TEXT_LINK_OVER);
        return;
    }
    apw_password_show(&visitor->password, password);
    apw_uuid_make(uuid1);
    apw_uuid_make(uuid2);
    set_servers(request);
    apw_page_set(page, "organization", config->site);
    apw_page_set(page, "name", sender_of(request));
    apw_page_set(page, "address", address_of(request));
    apw_page_set(page, "password", password);
    /* Apple has one key for TLS from the first byte and for STARTTLS. */
    apw_page_set(page, "imap_tls", "true");
    apw_page_set(page, "smtp_tls", "true");
    apw_page_set(page, "uuid1", uuid1);
    apw_page_set(page, "uuid2", uuid2);
    apw_page_set(page, "label", visitor->label);
    apw_page_add(page, "profile.mobileconfig");
    apw_profile_finish(request->portal, request->exchange);
    sodium_memzero(password, sizeof password);
}
