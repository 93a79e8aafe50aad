/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/intake.h"
#include "web/reply.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

static void read_cookie(const struct apw_web_settings *settings, struct MHD_Connection *connection,
                        enum apw_reply_cookie cookie, size_t size, char *cookie_r)
{
    const char *value;
    char name[64];

    apw_reply_name_cookie(settings, cookie, name);
    value = MHD_lookup_connection_value(connection, MHD_COOKIE_KIND, name);
    if (value != NULL && strlen(value) < size)
        strcpy(cookie_r, value);
}

/* Ours have one length. */
static void read_token(const struct apw_web_settings *settings, struct MHD_Connection *connection,
                       enum apw_reply_cookie cookie, char token_r[APW_COOKIE_SIZE])
{
    read_cookie(settings, connection, cookie, APW_COOKIE_SIZE, token_r);
    if (strlen(token_r) < APW_COOKIE_SIZE - 1)
        token_r[0] = '\0';
}

static void read_agent(struct MHD_Connection *connection, struct apw_exchange *exchange)
{
    const char *agent =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_USER_AGENT);

    snprintf(exchange->agent, sizeof exchange->agent, "%s", agent == NULL ? "" : agent);
}

/* The address in the proxy's header, else that of the connection. */
static void read_client(struct MHD_Connection *connection, struct apw_exchange *exchange)
{
    const char *told = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "X-Real-IP");
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    char text[APW_ADDRESS_TEXT_SIZE + IF_NAMESIZE] = ""; /* it may have a zone */
    struct apw_address address;

    if (told == NULL && info != NULL &&
        (info->client_addr->sa_family == AF_INET || info->client_addr->sa_family == AF_INET6) &&
        getnameinfo(info->client_addr,
                    info->client_addr->sa_family == AF_INET ? sizeof(struct sockaddr_in)
                                                            : sizeof(struct sockaddr_in6),
                    text, sizeof text, NULL, 0, NI_NUMERICHOST) == 0)
        told = text;
    if (told != NULL && apw_network_parse_address(told, &address) == 0)
        inet_ntop(address.bits == 32 ? AF_INET : AF_INET6, address.bytes, exchange->client,
                  sizeof exchange->client);
}

struct header_search {
    const char *name;
    const char *value;
    unsigned count;
};

static enum MHD_Result count_header(void *context, enum MHD_ValueKind kind, const char *key,
                                    const char *value)
{
    struct header_search *search = context;

    (void)kind;
    if (strcasecmp(key, search->name) == 0) {
        search->value = value;
        search->count++;
    }
    return MHD_YES;
}

/* NULL if the header is not there, or twice. */
static const char *read_single(struct MHD_Connection *connection, const char *name)
{
    struct header_search search = {.name = name};

    MHD_get_connection_values(connection, MHD_HEADER_KIND, count_header, &search);
    return search.count == 1 ? search.value : NULL;
}

/* Takes the same time for any value. */
static bool is_secret(const char *sent, const char *secret)
{
    uint8_t left[crypto_generichash_BYTES], right[crypto_generichash_BYTES];

    crypto_generichash(left, sizeof left, (const uint8_t *)sent, strlen(sent), NULL, 0);
    crypto_generichash(right, sizeof right, (const uint8_t *)secret, strlen(secret), NULL, 0);
    return sodium_memcmp(left, right, sizeof left) == 0;
}

/* Any program that can connect to the socket could name any user, so the proxy must also send the
 * secret. */
static void read_signed_on(const struct apw_web_settings *settings,
                           struct MHD_Connection *connection, struct apw_exchange *exchange)
{
    const char *sent, *user;

    if (settings->user_header == NULL || settings->user_secret == NULL)
        return;
    sent = read_single(connection, settings->secret_header);
    user = read_single(connection, settings->user_header);
    if (sent != NULL && is_secret(sent, settings->user_secret))
        exchange->signed_on = user;
    else
        exchange->is_proxy_unknown = user != NULL;
}

/* A link of the page, "?lang=nb", comes first, then the language that such a link chose before,
 * then what the browser asks for. */
static void read_language(const struct apw_web_settings *settings,
                          struct MHD_Connection *connection, struct apw_exchange *exchange)
{
    const char *link = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "lang");
    char kept[APW_LANGUAGE_CODE_SIZE] = "";
    int found = link == NULL ? -1 : apw_language_find(settings->languages, link);

    exchange->is_language_chosen = found >= 0;
    read_cookie(settings, connection, APW_REPLY_LANGUAGE_COOKIE, sizeof kept, kept);
    if (found < 0)
        found = apw_language_find(settings->languages, kept);
    exchange->language =
        found >= 0
            ? (unsigned)found
            : apw_language_choose(settings->languages,
                                  MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                                              MHD_HTTP_HEADER_ACCEPT_LANGUAGE));
}

void apw_intake_read(const struct apw_web_settings *settings, struct MHD_Connection *connection,
                     struct apw_exchange *exchange)
{
    read_token(settings, connection, APW_REPLY_SESSION_COOKIE, exchange->cookie);
    read_token(settings, connection, APW_REPLY_BROWSER_COOKIE, exchange->browser);
    read_token(settings, connection, APW_REPLY_REMEMBERED_COOKIE, exchange->remembered);
    read_cookie(settings, connection, APW_REPLY_DRAFT_COOKIE, sizeof exchange->draft,
                exchange->draft);
    read_agent(connection, exchange);
    read_client(connection, exchange);
    read_signed_on(settings, connection, exchange);
    read_language(settings, connection, exchange);
}
