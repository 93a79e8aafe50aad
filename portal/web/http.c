/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/http.h"
#include "web/intake.h"
#include "web/reply.h"
#include "web/throttle.h"
#include "web/worker.h"
#include <errno.h>
#include <microhttpd.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define CONNECTIONS_MAX      512
#define SURPLUS_MAX          128 /* further ones, which get status 503 */
#define WORKERS              48
#define PENDING_OF_ONE       32          /* requests of one network in work; fewer than WORKERS */
#define CONNECTION_BYTES_MAX (32 * 1024) /* headers, and the part of the body in transit */
#define IDLE_SECONDS_MAX     15
#define BODY_BYTES_MAX       (16 * 1024)
#define POST_BUFFER_BYTES    2048
#define ASSETS_MAX           16

/* The characters of our paths. */
static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-/";

struct apw_http {
    struct apw_web_settings settings;
    struct MHD_Daemon *daemon;
    struct MHD_Response *asset[ASSETS_MAX];
    struct apw_workers *workers;
    struct request *pending; /* of libmicrohttpd's thread alone, as is the next one */
    unsigned connections;
};

/* A request while it comes in, and until its answer is sent. Workers have it while its connection
 * is suspended; libmicrohttpd's thread has it otherwise. */
struct request {
    struct apw_worker_job job;
    struct MHD_Connection *connection;
    struct apw_exchange exchange;
    char path[APW_PATH_SIZE];
    char network[APW_THROTTLE_NETWORK_SIZE];
    bool is_pending;                  /* a worker has it, or has had it */
    struct request *other;            /* the next one that is pending */
    struct MHD_PostProcessor *fields; /* NULL without a form */
    bool is_document;                 /* the body is XML */
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

static bool is_of_type(struct MHD_Connection *connection, const char *type)
{
    const char *sent =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_TYPE);

    return sent != NULL && strncasecmp(sent, type, strlen(type)) == 0;
}

static void begin_form(const struct apw_web_settings *settings, struct MHD_Connection *connection,
                       struct request *request)
{
    struct apw_form *form = &request->exchange.form;

    if (is_of_type(connection, "application/x-www-form-urlencoded") &&
        apw_form_begin(settings->fields, form) == 0)
        request->fields =
            MHD_create_post_processor(connection, POST_BUFFER_BYTES, take_field, form);
    if (request->fields == NULL)
        form->is_bad = true;
    request->is_document =
        is_of_type(connection, "text/xml") || is_of_type(connection, "application/xml");
}

static enum MHD_Result take_argument(void *context, enum MHD_ValueKind kind, const char *key,
                                     const char *value)
{
    (void)kind;
    if (value != NULL)
        apw_form_take(context, key, value, 0, strlen(value));
    return MHD_YES;
}

static void read_query(const struct apw_web_settings *settings, struct MHD_Connection *connection,
                       struct apw_form *query_r)
{
    if (apw_form_begin(settings->query_fields, query_r) == 0)
        MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, take_argument, query_r);
}

static struct request *begin_request(const struct apw_web_settings *settings,
                                     struct MHD_Connection *connection, bool is_post)
{
    struct request *request = calloc(1, sizeof *request);

    if (request == NULL)
        return NULL;
    request->exchange.is_post = is_post;
    apw_intake_read(settings, connection, &request->exchange);
    if (is_post)
        begin_form(settings, connection, request);
    else
        read_query(settings, connection, &request->exchange.query);
    return request;
}

/* ---- the requests of one network ---- */

static bool has_too_many(const struct apw_http *http, const char *network)
{
    unsigned count = 0;

    for (const struct request *other = http->pending; other != NULL; other = other->other)
        count += strcmp(other->network, network) == 0;
    return count >= PENDING_OF_ONE;
}

static void add_pending(struct apw_http *http, struct request *request)
{
    request->is_pending = true;
    request->other = http->pending;
    http->pending = request;
}

static void remove_pending(struct apw_http *http, const struct request *request)
{
    for (struct request **place = &http->pending; *place != NULL; place = &(*place)->other)
        if (*place == request) {
            *place = request->other;
            return;
        }
}

static void end_request(void *context, struct MHD_Connection *connection, void **request_context,
                        enum MHD_RequestTerminationCode how)
{
    struct request *request = *request_context;

    (void)connection, (void)how;
    if (request == NULL)
        return;
    remove_pending(context, request);
    if (request->fields != NULL)
        MHD_destroy_post_processor(request->fields);
    apw_form_free(&request->exchange.form);
    apw_form_free(&request->exchange.query);
    apw_buffer_free(&request->exchange.document);
    apw_buffer_free(&request->exchange.body);
    sodium_memzero(request, sizeof *request);
    free(request);
    *request_context = NULL;
}

/* The path below the root, without the slash in front; NULL for one outside of it. */
static const char *path_below(const char *root, const char *url, char path_r[APW_PATH_SIZE])
{
    size_t root_length = strlen(root), length;

    if (strncmp(url, root, root_length) != 0 || (url[root_length] != '/' && url[root_length] != 0))
        return NULL;
    url += root_length;
    url += *url == '/';
    length = strlen(url);
    if (length >= APW_PATH_SIZE)
        return NULL;
    memcpy(path_r, url, length + 1);
    return path_r;
}

static enum MHD_Result send_failure(const struct apw_http *http, struct MHD_Connection *connection,
                                    struct apw_exchange *exchange, unsigned status)
{
    http->settings.fail(http->settings.context, exchange, status);
    return apw_reply_send(&http->settings, connection, exchange);
}

/* ---- one request ---- */

static struct MHD_Response *find_asset(const struct apw_http *http, const char *path)
{
    for (size_t i = 0; i < http->settings.asset_count; i++)
        if (strcmp(http->settings.assets[i].name, path) == 0)
            return http->asset[i];
    return NULL;
}

/* Sends the browser to the same page without "?lang=", so that going back, or a bookmark, does not
 * choose that language again. */
static enum MHD_Result keep_language(const struct apw_http *http, struct MHD_Connection *connection,
                                     struct apw_exchange *exchange)
{
    bool is_plain = exchange->path[0] != '/' && /* that would be another host's address */
                    exchange->path[strspn(exchange->path, plain)] == '\0';

    exchange->status = 303;
    snprintf(exchange->location, sizeof exchange->location, "%s/%s", http->settings.root,
             is_plain ? exchange->path : "");
    exchange->new_language = http->settings.languages->language[exchange->language].code;
    return apw_reply_send(&http->settings, connection, exchange);
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
    if (request->is_document)
        apw_buffer_add(&request->exchange.document, data, *size);
    *size = 0;
    return MHD_YES;
}

static void work(void *context, struct apw_worker_job *job)
{
    const struct apw_http *http = context;
    struct request *request = (struct request *)job;

    http->settings.answer(http->settings.context, &request->exchange);
    job->due_ms = request->exchange.due_ms;
}

static void finish(void *context, struct apw_worker_job *job)
{
    (void)context;
    MHD_resume_connection(((struct request *)job)->connection);
}

/* Only a request that reads a directory or waits needs a worker. One network gets only some of
 * them, so that others are served meanwhile. */
static enum MHD_Result hand_over(struct apw_http *http, struct MHD_Connection *connection,
                                 struct request *request)
{
    apw_throttle_site(request->exchange.client, request->network);
    if (has_too_many(http, request->network))
        return send_failure(http, connection, &request->exchange, 429);
    request->connection = connection;
    add_pending(http, request);
    MHD_suspend_connection(connection);
    if (!apw_worker_give(http->workers, &request->job))
        MHD_resume_connection(connection); /* there is no answer: this ends the connection */
    return MHD_YES;
}

static enum MHD_Result answer(struct apw_http *http, struct MHD_Connection *connection,
                              struct request *request, const char *url)
{
    struct apw_exchange *exchange = &request->exchange;
    struct MHD_Response *asset;

    exchange->path = path_below(http->settings.root, url, request->path);
    if (exchange->path == NULL)
        return send_failure(http, connection, exchange, 404);
    asset = exchange->is_post ? NULL : find_asset(http, exchange->path);
    if (asset != NULL)
        return MHD_queue_response(connection, 200, asset);
    if (exchange->is_language_chosen && !exchange->is_post)
        return keep_language(http, connection, exchange);
    if (request->fields != NULL) {
        if (MHD_destroy_post_processor(request->fields) != MHD_YES)
            exchange->form.is_bad = true;
        request->fields = NULL;
    }
    return hand_over(http, connection, request);
}

/* Counts connections, and marks those that are too many. */
static void count_connection(void *context, struct MHD_Connection *connection,
                             void **socket_context,
                             enum MHD_ConnectionNotificationCode notification)
{
    struct apw_http *http = context;

    (void)connection;
    if (notification == MHD_CONNECTION_NOTIFY_CLOSED) {
        http->connections--;
        return;
    }
    http->connections++;
    *socket_context = http->connections > CONNECTIONS_MAX ? http : NULL;
}

static bool is_surplus(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info != NULL && info->socket_context != NULL;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *data_size, void **request_context)
{
    struct apw_http *http = context;
    struct request *request = *request_context;
    bool is_post = strcmp(method, MHD_HTTP_METHOD_POST) == 0;
    bool is_head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;

    (void)version;
    if (request == NULL) {
        request = begin_request(&http->settings, connection, is_post);
        *request_context = request;
        if (request == NULL)
            return MHD_NO;
        request->exchange.is_head = is_head;
        if (is_surplus(connection))
            return send_failure(http, connection, &request->exchange, 503);
        if (!is_post && !is_head && strcmp(method, MHD_HTTP_METHOD_GET) != 0)
            return send_failure(http, connection, &request->exchange, 405);
        return MHD_YES;
    }
    if (request->is_pending)
        return request->exchange.status == 0
                   ? MHD_NO
                   : apw_reply_send(&http->settings, connection, &request->exchange);
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
    apw_reply_add_security(response);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, asset->type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL,
                            asset->is_fresh ? "no-store" : "max-age=31536000, immutable");
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

static int start_daemon(struct apw_http *http, int listener)
{
    http->daemon = MHD_start_daemon(
        MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle, http,
        MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)(CONNECTIONS_MAX + SURPLUS_MAX), MHD_OPTION_NOTIFY_CONNECTION, count_connection,
        http, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS_MAX, MHD_OPTION_NOTIFY_COMPLETED,
        end_request, http, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    return http->daemon == NULL ? -1 : 0;
}

int apw_http_start(const struct apw_web_settings *settings, int listener, struct apw_http **http_r,
                   struct apw_error *error)
{
    struct apw_http *http = calloc(1, sizeof *http);
    const struct apw_worker_settings workers = {
        .context = http, .count = WORKERS, .work = work, .finish = finish};
    int status = -1;

    *http_r = http;
    if (http != NULL)
        http->settings = *settings;
    if (http == NULL || make_assets(http) != 0)
        apw_error_set(error, "out of memory");
    else if (apw_workers_start(&workers, &http->workers, error) == 0 &&
             (status = start_daemon(http, listener)) != 0)
        apw_error_set(error, "cannot start the HTTP server: %s", strerror(errno));
    if (status == 0)
        return 0;
    close(listener);
    apw_http_stop(http_r);
    return -1;
}

void apw_http_stop(struct apw_http **http)
{
    if (*http == NULL)
        return;
    if ((*http)->workers != NULL)
        apw_workers_end((*http)->workers); /* resumes every connection, as must be */
    if ((*http)->daemon != NULL)
        MHD_stop_daemon((*http)->daemon);
    apw_workers_free(&(*http)->workers);
    for (size_t i = 0; i < ASSETS_MAX; i++)
        if ((*http)->asset[i] != NULL)
            MHD_destroy_response((*http)->asset[i]);
    free(*http);
    *http = NULL;
}
