/* SPDX-License-Identifier: BSD-2-Clause */
#include "autoconfig.h"
#include "autodiscover.h"
#include "form_fields.h"
#include "own_domains.h"
#include "profile.h"
#include "stranger.h"
#include "uuid.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define XML         "text/xml; charset=utf-8"
#define DOMAIN_SIZE 256

static const struct apw_portal_config *config_of(const struct apw_page *page)
{
    return ((const struct apw_portal *)page->site->context)->portal_config;
}

static void begin(struct apw_page *page, const char *type)
{
    page->exchange->status = 200;
    page->exchange->type = type;
}

/* The address in the query; "" without one. NULL if it is not one of ours. */
static const char *address_of(const struct apw_page *page)
{
    const struct apw_form *query = &page->exchange->query;
    const char *address = apw_form_value(query, APW_QUERY_ADDRESS);

    return address[0] == '\0' || (apw_form_check(query, APW_QUERY_ADDRESS) == 0 &&
                                  apw_own_domains_have(config_of(page)->own_domains, address))
               ? address
               : NULL;
}

/* ---- Thunderbird (draft-ietf-mailmaint-autoconfig), and programs that do as it does ---- */

static void add_server(struct apw_page *page, const char *element, const char *type,
                       const struct apw_host_port *server)
{
    if (server->host == NULL)
        return;
    apw_page_set(page, "element", element);
    apw_page_set(page, "type", type);
    apw_page_set(page, "host", server->host);
    apw_page_set(page, "port", server->port);
    apw_page_set(page, "security", apw_host_port_is_tls(server->port) ? "SSL" : "STARTTLS");
    apw_page_add(page, "autoconfig-server.xml");
}

/* The domains for which the settings are good, separated by spaces. */
static void add_domains(struct apw_page *page, const char *domains)
{
    char domain[DOMAIN_SIZE];

    for (const char *rest = domains; *rest != '\0'; rest += strspn(rest, " ")) {
        size_t length = strcspn(rest, " ");

        snprintf(domain, sizeof domain, "%.*s", (int)length, rest);
        apw_page_set(page, "domain", domain);
        if (rest == domains)
            apw_page_add(page, "autoconfig-top.xml");
        apw_page_add(page, "autoconfig-domain.xml");
        rest += length;
    }
    apw_page_set(page, "domain", NULL);
}

/* Some programs leave the address out. */
static bool answer_thunderbird(struct apw_page *page)
{
    const struct apw_portal_config *config = config_of(page);
    const char *address = address_of(page);

    if (address == NULL)
        return false;
    begin(page, XML);
    add_domains(page, address[0] != '\0' ? strchr(address, '@') + 1 : config->own_domains);
    add_server(page, "incomingServer", "imap", &config->imap);
    add_server(page, "incomingServer", "pop3", &config->pop3);
    add_server(page, "outgoingServer", "smtp", &config->smtp);
    apw_page_add(page, "autoconfig-provider-end.xml");
    add_server(page, "setupServer", "managesieve", &config->sieve);
    apw_page_add(page, "autoconfig-end.xml");
    return true;
}

/* ---- Outlook (MS-OXDSCLI) ---- */

/* "TLS" means STARTTLS there, and the element outranks SSL (2.2.4.1.1.2.6.22). */
static void add_protocol(struct apw_page *page, const char *type,
                         const struct apw_host_port *server, const char *file)
{
    if (server->host == NULL)
        return;
    apw_page_set(page, "type", type);
    apw_page_set(page, "host", server->host);
    apw_page_set(page, "port", server->port);
    apw_page_set(page, "security", apw_host_port_is_tls(server->port) ? "SSL" : "TLS");
    apw_page_add(page, file);
}

/* Its answer has no placeholders, so the login name is the address of the request. */
static bool answer_outlook(struct apw_page *page)
{
    const struct apw_portal_config *config = config_of(page);
    const struct apw_buffer *document = &page->exchange->document;
    char address[APW_MAIL_ADDRESS_SIZE];

    if (document->bytes == NULL || document->is_broken ||
        apw_autodiscover_read(document->bytes, document->length, address) != 0 ||
        !apw_own_domains_have(config->own_domains, address))
        return false;
    begin(page, XML);
    apw_page_set(page, "address", address);
    apw_page_add(page, "autodiscover-top.xml");
    add_protocol(page, "IMAP", &config->imap, "autodiscover-incoming.xml");
    add_protocol(page, "POP3", &config->pop3, "autodiscover-incoming.xml");
    add_protocol(page, "SMTP", &config->smtp, "autodiscover-outgoing.xml");
    apw_page_add(page, "autodiscover-end.xml");
    apw_page_set(page, "address", NULL);
    return true;
}

/* Newer ones first ask where to ask. An address in public_url has no character that JSON escapes.
 */
static bool answer_new_outlook(struct apw_page *page)
{
    const struct apw_portal_config *config = config_of(page);
    struct apw_buffer *body = &page->exchange->body;

    if (strcasecmp(apw_form_value(&page->exchange->query, APW_QUERY_PROTOCOL), "AutodiscoverV1") !=
        0)
        return false;
    begin(page, "application/json");
    apw_buffer_add_string(body, "{\"Protocol\":\"AutodiscoverV1\",\"Url\":\"");
    apw_buffer_add(body, config->url, strlen(config->url) - strlen(config->root));
    apw_buffer_add_string(body, "/autodiscover/autodiscover.xml\"}");
    return true;
}

/* ---- Apple ---- */

/* The device asks for the password, and for what the profile does not have. */
static bool answer_apple(struct apw_page *page)
{
    const struct apw_portal_config *config = config_of(page);
    const struct apw_host_port *incoming =
        config->imap.host != NULL ? &config->imap : &config->pop3;
    const char *address = address_of(page);
    char uuid1[APW_UUID_SIZE], uuid2[APW_UUID_SIZE];

    if (address == NULL)
        return false;
    apw_uuid_make(uuid1);
    apw_uuid_make(uuid2);
    apw_page_set(page, "uuid1", uuid1);
    apw_page_set(page, "uuid2", uuid2);
    apw_page_set(page, "site", config->site);
    apw_page_set(page, "organization", config->site);
    apw_page_set(page, "address", address[0] != '\0' ? address : config->site);
    apw_page_set(page, "type", incoming == &config->imap ? "EmailTypeIMAP" : "EmailTypePOP");
    apw_page_set(page, "host", incoming->host);
    apw_page_set(page, "port", incoming->port);
    apw_page_set(page, "smtp_host", config->smtp.host);
    apw_page_set(page, "smtp_port", config->smtp.port);
    apw_page_add(page, "autoconfig.mobileconfig");
    if (address[0] != '\0')
        apw_page_add(page, "autoconfig-address.mobileconfig");
    apw_page_add(page, "autoconfig-end.mobileconfig");
    apw_profile_finish(page->site->context, page->exchange);
    return true;
}

/* ---- all of them ---- */

/* Programs differ in upper and lower case. */
static const struct {
    const char *path;
    bool is_post;
    bool (*answer)(struct apw_page *page); /* false: there is nothing for this request */
} answers[] = {
    {"mail/config-v1.1.xml", false, answer_thunderbird},
    {"autodiscover/autodiscover.xml", true, answer_outlook},
    {"autodiscover/autodiscover.json", false, answer_new_outlook},
    {"mail.mobileconfig", false, answer_apple},
};

/* An account needs a server of each kind. */
static bool has_servers(const struct apw_portal_config *config)
{
    return (config->imap.host != NULL || config->pop3.host != NULL) && config->smtp.host != NULL &&
           config->own_domains[0] != '\0';
}

bool apw_autoconfig_answer(const struct apw_portal *portal, struct apw_exchange *exchange)
{
    struct apw_page page = {.site = &portal->site, .exchange = exchange};
    size_t i = 0;

    while (strcasecmp(exchange->path, answers[i].path) != 0)
        if (++i == sizeof answers / sizeof answers[0])
            return false;
    if (exchange->is_post != answers[i].is_post || exchange->query.is_bad ||
        !has_servers(portal->portal_config) || !answers[i].answer(&page))
        apw_stranger_fail(portal, exchange, 404, APW_TEXT_NOT_FOUND);
    return true;
}
