/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/reply.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ONE_YEAR "31536000" /* seconds */
#define ONE_DAY  "86400"

/* The prefix keeps other hosts and paths from setting our cookies (RFC 6265bis, 4.1.3.2). */
void apw_reply_name_cookie(const struct apw_web_settings *settings, enum apw_reply_cookie cookie,
                           char name_r[64])
{
    static const char *const endings[] = {[APW_REPLY_SESSION_COOKIE] = "",
                                          [APW_REPLY_BROWSER_COOKIE] = "-browser",
                                          [APW_REPLY_DRAFT_COOKIE] = "-draft",
                                          [APW_REPLY_REMEMBERED_COOKIE] = "-remembered",
                                          [APW_REPLY_LANGUAGE_COOKIE] = "-language"};

    snprintf(name_r, 64, "%s%s%s", settings->is_https ? "__Host-" : "", settings->cookie_name,
             endings[cookie]);
}

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
    MHD_add_response_header(response, name, value);
}

void apw_reply_add_security(struct MHD_Response *response)
{
    add_header(response, "Content-Security-Policy",
               "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
               "connect-src 'self'; "
               "form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
    add_header(response, "X-Content-Type-Options", "nosniff");
    add_header(response, "X-Frame-Options", "DENY");
    add_header(response, "Referrer-Policy", "same-origin");
    add_header(response, "Cross-Origin-Opener-Policy", "same-origin");
    add_header(response, "Cross-Origin-Resource-Policy", "same-origin");
}

/* `more` is another attribute with its semicolon in front, or "". */
static void add_cookie(const struct apw_web_settings *settings, enum apw_reply_cookie cookie,
                       const char *value, const char *more, struct MHD_Response *response)
{
    char header[256], name[64];

    if (value[0] == '\0')
        return;
    apw_reply_name_cookie(settings, cookie, name);
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

static void add_headers(const struct apw_web_settings *settings,
                        const struct apw_exchange *exchange, struct MHD_Response *response)
{
    char age[48];

    apw_reply_add_security(response);
    add_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    add_header(response, MHD_HTTP_HEADER_VARY, "Accept-Language, Cookie");
    add_header(response, MHD_HTTP_HEADER_CONTENT_LANGUAGE,
               settings->languages->language[exchange->language].code);
    add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
               exchange->type != NULL ? exchange->type : "text/html; charset=utf-8");
    if (exchange->file_name != NULL)
        add_file_name(exchange->file_name, response);
    if (exchange->location[0] != '\0')
        add_header(response, MHD_HTTP_HEADER_LOCATION, exchange->location);
    if (exchange->status == 405)
        add_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD, POST"); /* RFC 9110, 15.5.6 */
    if (exchange->status == 503 || exchange->status == 429)
        add_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "60");
    add_cookie(settings, APW_REPLY_SESSION_COOKIE, exchange->new_cookie, "", response);
    add_cookie(settings, APW_REPLY_BROWSER_COOKIE, exchange->new_browser, "; Max-Age=" ONE_YEAR,
               response);
    if (exchange->is_draft_over && exchange->draft[0] != '\0')
        add_cookie(settings, APW_REPLY_DRAFT_COOKIE, "-", "; Max-Age=0", response);
    else
        add_cookie(settings, APW_REPLY_DRAFT_COOKIE, exchange->new_draft, "; Max-Age=" ONE_DAY,
                   response);
    if (exchange->new_language != NULL)
        add_cookie(settings, APW_REPLY_LANGUAGE_COOKIE, exchange->new_language,
                   "; Max-Age=" ONE_YEAR, response);
    snprintf(age, sizeof age, "; Max-Age=%lld", (long long)exchange->remembered_s);
    add_cookie(settings, APW_REPLY_REMEMBERED_COOKIE, exchange->new_remembered, age, response);
}

enum MHD_Result apw_reply_send(const struct apw_web_settings *settings,
                               struct MHD_Connection *connection, struct apw_exchange *exchange)
{
    struct MHD_Response *response = make_response(exchange);
    enum MHD_Result result;

    if (response == NULL)
        return MHD_NO;
    add_headers(settings, exchange, response);
    result = MHD_queue_response(connection, exchange->status, response);
    MHD_destroy_response(response);
    return result;
}
