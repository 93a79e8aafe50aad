/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/http.h"
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX      256
#define CONNECTION_BYTES_MAX (32 * 1024) /* headers, and the part of the body in transit */
#define IDLE_SECONDS_MAX     15
#define BODY_BYTES_MAX       (16 * 1024)
#define POST_BUFFER_BYTES    2048
#define ASSETS_MAX           8
#define ONE_YEAR             "31536000" /* seconds */

static const char form_type[] = "application/x-www-form-urlencoded";

struct apw_http {
    struct apw_http_settings settings;
    struct MHD_Daemon *daemon;
    struct MHD_Response *asset[ASSETS_MAX];
};

/* A request while it comes in. */
struct request {
    struct apw_exchange exchange;
    struct MHD_PostProcessor *fields; /* NULL without a form */
    size_t body_bytes;
};

/* ---- what comes in ---- */

/* libmicrohttpd calls with offset 0 for the first part of a field. */
static enum MHD_Result take_field(void *context, enum MHD_ValueKind kind, const char *key,
                                  const char *filename, const char *content_type,
                                  const char *transfer_encoding, const char *data, uint64_t offset,
                                  size_t size)
{
    (void)kind, (void)filename, (void)content_type, (void)transfer_encoding;
    apw_form_take(context, key, data, offset, size);
    return MHD_YES;
}

enum cookie { SESSION_COOKIE, BROWSER_COOKIE };

/* The prefix keeps other hosts and paths from setting our cookies (RFC 6265bis, 4.1.3.2). */
static void name_cookie(const struct apw_http_settings *settings, enum cookie cookie,
                        char name_r[64])
{
    snprintf(name_r, 64, "%s%s%s", settings->is_https ? "__Host-" : "", settings->cookie_name,
             cookie == BROWSER_COOKIE ? "-browser" : "");
}

static void read_cookie(const struct apw_http_settings *settings, struct MHD_Connection *connection,
                        enum cookie cookie, char cookie_r[APW_COOKIE_SIZE])
{
    const char *value;
    char name[64];

    name_cookie(settings, cookie, name);
    value = MHD_lookup_connection_value(connection, MHD_COOKIE_KIND, name);
    if (value != NULL && strlen(value) == APW_COOKIE_SIZE - 1)
        memcpy(cookie_r, value, APW_COOKIE_SIZE);
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

/* Nobody, if the header is there twice. */
static const char *read_signed_on(const struct apw_http_settings *settings,
                                  struct MHD_Connection *connection)
{
    struct header_search search = {.name = settings->user_header};

    if (search.name == NULL)
        return NULL;
    MHD_get_connection_values(connection, MHD_HEADER_KIND, count_header, &search);
    return search.count == 1 ? search.value : NULL;
}

static bool is_form(struct MHD_Connection *connection)
{
    const char *type =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_TYPE);

    return type != NULL && strncasecmp(type, form_type, sizeof form_type - 1) == 0;
}

static void begin_form(const struct apw_http_settings *settings, struct MHD_Connection *connection,
                       struct request *request)
{
    struct apw_form *form = &request->exchange.form;

    if (is_form(connection) && apw_form_begin(settings->fields, form) == 0)
        request->fields =
            MHD_create_post_processor(connection, POST_BUFFER_BYTES, take_field, form);
    if (request->fields == NULL)
        form->is_bad = true;
}

static struct request *begin_request(const struct apw_http_settings *settings,
                                     struct MHD_Connection *connection, bool is_post)
{
    struct request *request = calloc(1, sizeof *request);

    if (request == NULL)
        return NULL;
    request->exchange.is_post = is_post;
    read_cookie(settings, connection, SESSION_COOKIE, request->exchange.cookie);
    read_cookie(settings, connection, BROWSER_COOKIE, request->exchange.browser);
    read_client(connection, &request->exchange);
    request->exchange.signed_on = read_signed_on(settings, connection);
    request->exchange.language = apw_language_choose(
        settings->languages,
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_LANGUAGE));
    if (is_post)
        begin_form(settings, connection, request);
    return request;
}

static void end_request(void *context, struct MHD_Connection *connection, void **request_context,
                        enum MHD_RequestTerminationCode how)
{
    struct request *request = *request_context;

    (void)context, (void)connection, (void)how;
    if (request == NULL)
        return;
    if (request->fields != NULL)
        MHD_destroy_post_processor(request->fields);
    apw_form_free(&request->exchange.form);
    apw_buffer_free(&request->exchange.body);
    sodium_memzero(request, sizeof *request);
    free(request);
    *request_context = NULL;
}

/* The path below the root, without the slash in front; NULL for one outside of it. */
static const char *path_below(const char *root, const char *url, char path_r[256])
{
    size_t root_length = strlen(root), length;

    if (strncmp(url, root, root_length) != 0 || (url[root_length] != '/' && url[root_length] != 0))
        return NULL;
    url += root_length;
    url += *url == '/';
    length = strlen(url);
    if (length >= 256)
        return NULL;
    memcpy(path_r, url, length + 1);
    return path_r;
}

/* ---- what goes out ---- */

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
    MHD_add_response_header(response, name, value);
}

static void add_security_headers(struct MHD_Response *response)
{
    add_header(response, "Content-Security-Policy",
               "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
               "form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
    add_header(response, "X-Content-Type-Options", "nosniff");
    add_header(response, "X-Frame-Options", "DENY");
    add_header(response, "Referrer-Policy", "same-origin");
    add_header(response, "Cross-Origin-Opener-Policy", "same-origin");
    add_header(response, "Cross-Origin-Resource-Policy", "same-origin");
}

/* `more` is another attribute with its semicolon in front, or "". */
static void add_cookie(const struct apw_http_settings *settings, enum cookie cookie,
                       const char *value, const char *more, struct MHD_Response *response)
{
    char header[256], name[64];

    if (value[0] == '\0')
        return;
    name_cookie(settings, cookie, name);
    snprintf(header, sizeof header, "%s=%s; Path=/; HttpOnly; SameSite=Lax%s%s", name, value,
             settings->is_https ? "; Secure" : "", more);
    add_header(response, MHD_HTTP_HEADER_SET_COOKIE, header);
    sodium_memzero(header, sizeof header);
}

static void add_file_name(const char *name, struct MHD_Response *response)
{
    char header[128];

    snprintf(header, sizeof header, "attachment; filename=\"%s\"", name);
    add_header(response, MHD_HTTP_HEADER_CONTENT_DISPOSITION, header);
}

static void free_body(void *bytes)
{
    struct apw_buffer *body = bytes;

    apw_buffer_free(body);
    free(body);
}

static ssize_t read_body(void *context, uint64_t position, char *to, size_t size)
{
    const struct apw_buffer *body = context;
    size_t rest = position < body->length ? body->length - (size_t)position : 0;

    if (rest == 0)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (size > rest)
        size = rest;
    memcpy(to, body->bytes + position, size);
    return (ssize_t)size;
}

/* The response takes over the body, and wipes it after sending it. */
static struct MHD_Response *make_response(struct apw_exchange *exchange)
{
    struct apw_buffer *body = malloc(sizeof *body);
    struct MHD_Response *response;

    if (body == NULL)
        return NULL;
    *body = exchange->body;
    memset(&exchange->body, 0, sizeof exchange->body);
    response =
        MHD_create_response_from_callback(body->length, 16 * 1024, read_body, body, free_body);
    if (response == NULL)
        free_body(body);
    return response;
}

static void add_headers(const struct apw_http_settings *settings,
                        const struct apw_exchange *exchange, struct MHD_Response *response)
{
    add_security_headers(response);
    add_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    add_header(response, MHD_HTTP_HEADER_VARY, "Accept-Language, Cookie");
    add_header(response, MHD_HTTP_HEADER_CONTENT_LANGUAGE,
               settings->languages->code[exchange->language]);
    add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
               exchange->type != NULL ? exchange->type : "text/html; charset=utf-8");
    if (exchange->file_name != NULL)
        add_file_name(exchange->file_name, response);
    if (exchange->location[0] != '\0')
        add_header(response, MHD_HTTP_HEADER_LOCATION, exchange->location);
    if (exchange->status == 405)
        add_header(response, MHD_HTTP_HEADER_ALLOW, "GET, POST"); /* RFC 9110, 15.5.6 */
    if (exchange->status == 503)
        add_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "60");
    add_cookie(settings, SESSION_COOKIE, exchange->new_cookie, "", response);
    add_cookie(settings, BROWSER_COOKIE, exchange->new_browser, "; Max-Age=" ONE_YEAR, response);
}

static enum MHD_Result send_answer(const struct apw_http *http, struct MHD_Connection *connection,
                                   struct apw_exchange *exchange)
{
    struct MHD_Response *response = make_response(exchange);
    enum MHD_Result result;

    if (response == NULL)
        return MHD_NO;
    add_headers(&http->settings, exchange, response);
    result = MHD_queue_response(connection, exchange->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result send_failure(const struct apw_http *http, struct MHD_Connection *connection,
                                    struct apw_exchange *exchange, unsigned status)
{
    http->settings.fail(http->settings.context, exchange, status);
    return send_answer(http, connection, exchange);
}

/* ---- one request ---- */

static struct MHD_Response *find_asset(const struct apw_http *http, const char *path)
{
    for (size_t i = 0; i < http->settings.asset_count; i++)
        if (strcmp(http->settings.assets[i].name, path) == 0)
            return http->asset[i];
    return NULL;
}

static enum MHD_Result take_body(struct request *request, const char *data, size_t *size)
{
    request->body_bytes += *size;
    if (request->body_bytes > BODY_BYTES_MAX)
        return MHD_NO; /* closes the connection; none of our forms is that long */
    /* libmicrohttpd takes a NUL for the end of a field. */
    if (memchr(data, '\0', *size) != NULL ||
        (request->fields != NULL && MHD_post_process(request->fields, data, *size) != MHD_YES))
        request->exchange.form.is_bad = true;
    *size = 0;
    return MHD_YES;
}

static enum MHD_Result answer(const struct apw_http *http, struct MHD_Connection *connection,
                              struct request *request, const char *url)
{
    struct apw_exchange *exchange = &request->exchange;
    struct MHD_Response *asset;
    char path[256];

    exchange->path = path_below(http->settings.root, url, path);
    if (exchange->path == NULL)
        return send_failure(http, connection, exchange, 404);
    asset = exchange->is_post ? NULL : find_asset(http, exchange->path);
    if (asset != NULL)
        return MHD_queue_response(connection, 200, asset);
    if (request->fields != NULL) {
        if (MHD_destroy_post_processor(request->fields) != MHD_YES)
            exchange->form.is_bad = true;
        request->fields = NULL;
    }
    http->settings.answer(http->settings.context, exchange);
    return send_answer(http, connection, exchange);
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *data_size, void **request_context)
{
    const struct apw_http *http = context;
    struct request *request = *request_context;
    bool is_post = strcmp(method, MHD_HTTP_METHOD_POST) == 0;

    (void)version;
    if (request == NULL) {
        request = begin_request(&http->settings, connection, is_post);
        *request_context = request;
        if (request == NULL)
            return MHD_NO;
        if (!is_post && strcmp(method, MHD_HTTP_METHOD_GET) != 0)
            return send_failure(http, connection, &request->exchange, 405);
        return MHD_YES;
    }
    if (*data_size > 0)
        return take_body(request, data, data_size);
    return answer(http, connection, request, url);
}

/* ---- start and stop ---- */

static struct MHD_Response *make_asset(const struct apw_asset *asset)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(asset->length, asset->bytes, MHD_RESPMEM_PERSISTENT);

    if (response == NULL)
        return NULL;
    add_security_headers(response);
    add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, asset->type);
    add_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "max-age=3600");
    return response;
}

static int make_assets(struct apw_http *http)
{
    if (http->settings.asset_count > ASSETS_MAX)
        return -1;
    for (size_t i = 0; i < http->settings.asset_count; i++)
        if ((http->asset[i] = make_asset(&http->settings.assets[i])) == NULL)
            return -1;
    return 0;
}

int apw_http_start(const struct apw_http_settings *settings, int listener, struct apw_http **http_r,
                   struct apw_error *error)
{
    struct apw_http *http = calloc(1, sizeof *http);

    *http_r = http;
    if (http != NULL)
        http->settings = *settings;
    if (http == NULL || make_assets(http) != 0) {
        close(listener);
        apw_http_stop(http_r);
        return apw_error_set(error, "out of memory");
    }
    http->daemon = MHD_start_daemon(
        MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0, NULL, NULL, handle, http,
        MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS_MAX, MHD_OPTION_NOTIFY_COMPLETED,
        end_request, NULL, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    if (http->daemon != NULL)
        return 0;
    apw_error_set(error, "cannot start the HTTP server: %s", strerror(errno));
    close(listener);
    apw_http_stop(http_r);
    return -1;
}

void apw_http_stop(struct apw_http **http)
{
    if (*http == NULL)
        return;
    if ((*http)->daemon != NULL)
        MHD_stop_daemon((*http)->daemon);
    for (size_t i = 0; i < ASSETS_MAX; i++)
        if ((*http)->asset[i] != NULL)
            MHD_destroy_response((*http)->asset[i]);
    free(*http);
    *http = NULL;
}
