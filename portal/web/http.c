#include "web/http.h"
#include "flow.h"
#include "web/exchange.h"
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECTIONS_MAX      256
#define CONNECTION_BYTES_MAX (32 * 1024) /* headers, and what of the body is under way */
#define IDLE_SECONDS_MAX     15
#define BODY_BYTES_MAX       (16 * 1024)
#define POST_BUFFER_BYTES    2048
#define ASSET_BYTES_MAX      (256 * 1024)
#define ONE_YEAR             "31536000" /* seconds */

static const char form_type[] = "application/x-www-form-urlencoded";

/* A file that everybody may have. */
struct asset {
    const char *name;
    const char *type;
    struct MHD_Response *response;
};

struct apw_http {
    const struct apw_portal *portal;
    struct MHD_Daemon *daemon;
    struct asset asset[3];
};

/* A request while it comes in. */
struct request {
    struct apw_exchange exchange;
    struct MHD_PostProcessor *fields; /* NULL where there is no form to be read */
    size_t body_bytes;
};

/* ---- what comes in ---- */

static struct {
    const char *name;
    size_t offset;
    size_t size;
} const fields[] = {
#define FIELD(name)                                                                                \
    {                                                                                              \
#name, offsetof(struct apw_form, name), sizeof((struct apw_form *)NULL)->name              \
    }
    FIELD(csrf),    FIELD(login), FIELD(password), FIELD(code),    FIELD(method),
    FIELD(address), FIELD(label), FIELD(services), FIELD(expires), FIELD(id),
#undef FIELD
};

/* Takes a stretch of a field. The library calls with offset 0 for a new field, or the first stretch
 * of one. */
static enum MHD_Result take_field(void *context, enum MHD_ValueKind kind, const char *key,
                                  const char *filename, const char *content_type,
                                  const char *transfer_encoding, const char *data, uint64_t offset,
                                  size_t size)
{
    struct apw_form *form = context;

    (void)kind, (void)filename, (void)content_type, (void)transfer_encoding;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        char *value = (char *)form + fields[i].offset;

        if (strcmp(fields[i].name, key) != 0)
            continue;
        if (offset + size >= fields[i].size || strlen(value) != offset ||
            memchr(data, '\0', size) != NULL) {
            form->is_bad = true;
            return MHD_YES;
        }
        memcpy(value + offset, data, size);
        value[offset + size] = '\0';
    }
    return MHD_YES;
}

/* The names of our cookies. The prefix keeps other hosts and paths from setting them (RFC 6265bis,
 * 4.1.3.2). */
static const char *visit_cookie(const struct apw_portal *portal)
{
    return portal->conf->is_https ? "__Host-app-password" : "app-password";
}

static const char *browser_cookie(const struct apw_portal *portal)
{
    return portal->conf->is_https ? "__Host-app-password-browser" : "app-password-browser";
}

static void read_cookie(struct MHD_Connection *connection, const char *name,
                        char cookie_r[APW_COOKIE_SIZE])
{
    const char *cookie = MHD_lookup_connection_value(connection, MHD_COOKIE_KIND, name);

    if (cookie != NULL && strlen(cookie) == APW_COOKIE_SIZE - 1)
        memcpy(cookie_r, cookie, APW_COOKIE_SIZE);
}

/* The address that the proxy tells, or the one that connects. */
static void read_client(struct MHD_Connection *connection, struct apw_exchange *exchange)
{
    const char *told = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "X-Real-IP");
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    char text[APW_ADDRESS_TEXT_SIZE] = "";
    struct apw_address address;

    if (told == NULL && info != NULL &&
        (info->client_addr->sa_family == AF_INET || info->client_addr->sa_family == AF_INET6) &&
        getnameinfo(info->client_addr,
                    info->client_addr->sa_family == AF_INET ? sizeof(struct sockaddr_in)
                                                            : sizeof(struct sockaddr_in6),
                    text, sizeof text, NULL, 0, NI_NUMERICHOST) == 0)
        told = text;
    if (told != NULL && apw_address_parse(told, &address) == 0)
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

/* Whom the proxy names; nobody where it names two. */
static const char *read_signed_on(const struct apw_portal *portal,
                                  struct MHD_Connection *connection)
{
    struct header_search search = {.name = portal->conf->trusted_user_header};

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

static struct request *begin_request(const struct apw_portal *portal,
                                     struct MHD_Connection *connection, bool is_post)
{
    struct request *request = calloc(1, sizeof *request);

    if (request == NULL)
        return NULL;
    request->exchange.is_post = is_post;
    read_cookie(connection, visit_cookie(portal), request->exchange.cookie);
    read_cookie(connection, browser_cookie(portal), request->exchange.browser);
    read_client(connection, &request->exchange);
    request->exchange.signed_on = read_signed_on(portal, connection);
    request->exchange.language = apw_language_choose(
        &portal->languages,
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_LANGUAGE));
    if (is_post && is_form(connection))
        request->fields = MHD_create_post_processor(connection, POST_BUFFER_BYTES, take_field,
                                                    &request->exchange.form);
    if (is_post && request->fields == NULL)
        request->exchange.form.is_bad = true;
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
    apw_buffer_free(&request->exchange.body);
    sodium_memzero(request, sizeof *request);
    free(request);
    *request_context = NULL;
}

/* The path below the root, without slashes around it; NULL for one outside of it. */
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

/* `more` is an attribute with its semicolon in front, or "". */
static void add_cookie(const struct apw_portal *portal, const char *name, const char *cookie,
                       const char *more, struct MHD_Response *response)
{
    char header[256];

    snprintf(header, sizeof header, "%s=%s; Path=/; HttpOnly; SameSite=Lax%s%s", name, cookie,
             portal->conf->is_https ? "; Secure" : "", more);
    add_header(response, MHD_HTTP_HEADER_SET_COOKIE, header);
    sodium_memzero(header, sizeof header);
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

/* The body goes from the exchange to the response, which wipes it when it has been sent. */
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

static void add_headers(const struct apw_portal *portal, const struct apw_exchange *exchange,
                        struct MHD_Response *response)
{
    add_security_headers(response);
    add_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    add_header(response, MHD_HTTP_HEADER_VARY, "Accept-Language, Cookie");
    add_header(response, MHD_HTTP_HEADER_CONTENT_LANGUAGE,
               portal->languages.code[exchange->language]);
    add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
               exchange->type != NULL ? exchange->type : "text/html; charset=utf-8");
    if (exchange->type != NULL)
        add_header(response, MHD_HTTP_HEADER_CONTENT_DISPOSITION,
                   "attachment; filename=\"mail.mobileconfig\"");
    if (exchange->location[0] != '\0')
        add_header(response, MHD_HTTP_HEADER_LOCATION, exchange->location);
    if (exchange->status == 405)
        add_header(response, MHD_HTTP_HEADER_ALLOW, "GET, POST"); /* RFC 9110, 15.5.6 */
    if (exchange->status == 503)
        add_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "60");
    if (exchange->new_cookie[0] != '\0')
        add_cookie(portal, visit_cookie(portal), exchange->new_cookie, "", response);
    if (exchange->new_browser[0] != '\0')
        add_cookie(portal, browser_cookie(portal), exchange->new_browser, "; Max-Age=" ONE_YEAR,
                   response);
}

static enum MHD_Result send_answer(const struct apw_http *http, struct MHD_Connection *connection,
                                   struct apw_exchange *exchange)
{
    struct MHD_Response *response = make_response(exchange);
    enum MHD_Result result;

    if (response == NULL)
        return MHD_NO;
    add_headers(http->portal, exchange, response);
    result = MHD_queue_response(connection, exchange->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result send_failure(const struct apw_http *http, struct MHD_Connection *connection,
                                    struct apw_exchange *exchange, unsigned status,
                                    enum apw_text text)
{
    apw_flow_fail(http->portal, exchange, status, text);
    return send_answer(http, connection, exchange);
}

/* ---- one request ---- */

static const struct asset *find_asset(const struct apw_http *http, const char *path)
{
    for (size_t i = 0; i < sizeof http->asset / sizeof http->asset[0]; i++)
        if (strcmp(http->asset[i].name, path) == 0)
            return &http->asset[i];
    return NULL;
}

static enum MHD_Result take_body(struct request *request, const char *data, size_t *size)
{
    request->body_bytes += *size;
    if (request->body_bytes > BODY_BYTES_MAX)
        return MHD_NO; /* nothing of ours sends that much: the connection is closed */
    /* The library would take a NUL for the end of a field. */
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
    const struct asset *asset;
    char path[256];

    exchange->path = path_below(http->portal->conf->root, url, path);
    if (exchange->path == NULL)
        return send_failure(http, connection, exchange, 404, APW_TEXT_NOT_FOUND);
    asset = exchange->is_post ? NULL : find_asset(http, exchange->path);
    if (asset != NULL)
        return MHD_queue_response(connection, 200, asset->response);
    if (request->fields != NULL) {
        if (MHD_destroy_post_processor(request->fields) != MHD_YES)
            exchange->form.is_bad = true;
        request->fields = NULL;
    }
    apw_flow_answer(http->portal, exchange);
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
        request = begin_request(http->portal, connection, is_post);
        *request_context = request;
        if (request == NULL)
            return MHD_NO;
        if (!is_post && strcmp(method, MHD_HTTP_METHOD_GET) != 0)
            return send_failure(http, connection, &request->exchange, 405, APW_TEXT_BAD_REQUEST);
        return MHD_YES;
    }
    if (*data_size > 0)
        return take_body(request, data, data_size);
    return answer(http, connection, request, url);
}

/* ---- start and stop ---- */

static int load_asset(struct asset *asset, const char *folder, struct apw_error *error)
{
    char path[PATH_MAX], *bytes = malloc(ASSET_BYTES_MAX);
    size_t length;
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, asset->name);
    file = fopen(path, "re");
    if (file == NULL || bytes == NULL) {
        apw_error_set(error, "%s: %s", path, strerror(errno));
        free(bytes);
        return -1;
    }
    length = fread(bytes, 1, ASSET_BYTES_MAX, file);
    fclose(file);
    asset->response = MHD_create_response_from_buffer(length, bytes, MHD_RESPMEM_MUST_FREE);
    if (asset->response == NULL) {
        free(bytes);
        return apw_error_set(error, "out of memory");
    }
    add_security_headers(asset->response);
    add_header(asset->response, MHD_HTTP_HEADER_CONTENT_TYPE, asset->type);
    add_header(asset->response, MHD_HTTP_HEADER_CACHE_CONTROL, "max-age=3600");
    return 0;
}

/* A socket that nobody listens on any more is what a crash leaves behind. */
static void remove_stale(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 &&
        errno == ECONNREFUSED)
        unlink(address->sun_path);
    if (fd >= 0)
        close(fd);
}

static int listen_unix(const char *path, struct apw_error *error)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    mode_t before;
    int status;

    strcpy(address.sun_path, path);
    remove_stale(&address);
    before = umask(0117); /* 0660: the proxy is in the socket's group, and nobody else */
    status = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&address, sizeof address);
    umask(before);
    if (status == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    apw_error_set(error, "listen unix:%s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static int listen_port(const char *host, const char *port, struct apw_error *error)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int fd = -1, one = 1;

    if (getaddrinfo(host, port, &hints, &found) == 0)
        fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0) {
        apw_error_set(error, "listen %s:%s: %s", host, port, strerror(errno));
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    if (found != NULL)
        freeaddrinfo(found);
    return fd;
}

static int open_socket(const struct apw_conf *conf, struct apw_error *error)
{
    return conf->listen_socket != NULL ? listen_unix(conf->listen_socket, error)
                                       : listen_port(conf->listen_host, conf->listen_port, error);
}

int apw_http_start(const struct apw_portal *portal, const char *assets, struct apw_http **http_r,
                   struct apw_error *error)
{
    static const struct asset known[] = {{"style.css", "text/css; charset=utf-8", NULL},
                                         {"copy.js", "text/javascript; charset=utf-8", NULL},
                                         {"icon.svg", "image/svg+xml", NULL}};
    struct apw_http *http = calloc(1, sizeof *http);
    int fd;

    *http_r = NULL;
    if (http == NULL)
        return apw_error_set(error, "out of memory");
    http->portal = portal;
    memcpy(http->asset, known, sizeof known);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (load_asset(&http->asset[i], assets, error) != 0)
            goto failed;
    fd = open_socket(portal->conf, error);
    if (fd < 0)
        goto failed;
    http->daemon = MHD_start_daemon(
        MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0, NULL, NULL, handle, http,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS_MAX, MHD_OPTION_NOTIFY_COMPLETED,
        end_request, NULL, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    if (http->daemon != NULL) {
        *http_r = http;
        return 0;
    }
    close(fd);
    apw_error_set(error, "the HTTP server could not be started: %s", strerror(errno));
failed:
    apw_http_stop(&http);
    return -1;
}

void apw_http_stop(struct apw_http **http)
{
    if (*http == NULL)
        return;
    if ((*http)->daemon != NULL) {
        MHD_stop_daemon((*http)->daemon);
        if ((*http)->portal->conf->listen_socket != NULL)
            unlink((*http)->portal->conf->listen_socket);
    }
    for (size_t i = 0; i < sizeof(*http)->asset / sizeof(*http)->asset[0]; i++)
        if ((*http)->asset[i].response != NULL)
            MHD_destroy_response((*http)->asset[i].response);
    free(*http);
    *http = NULL;
}
