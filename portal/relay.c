/* SPDX-License-Identifier: BSD-2-Clause */
#include "relay.h"
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#define SECONDS_MAX 10L
#define URL_SIZE    320

int apw_relay_init(struct apw_error *error)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK
               ? 0
               : apw_error_set(error, "libcurl cannot be initialized");
}

/* One connection. */
struct attempt {
    CURL *curl;
    struct curl_slist *recipients;
    char url[URL_SIZE];
    char why[CURL_ERROR_SIZE];
    const struct apw_buffer *message;
    size_t sent;
};

/* The whole setup succeeds, or nothing is sent: without one of these, a certificate might not be
 * checked. */
static bool set_up(struct attempt *attempt, const struct apw_mail_settings *settings)
{
    CURL *curl = attempt->curl;
    bool is_ipv6 = strchr(settings->host, ':') != NULL;
    long tls = settings->tls == APW_MAIL_TLS_NO ? CURLUSESSL_NONE : CURLUSESSL_ALL;

    snprintf(attempt->url, sizeof attempt->url, "%s://%s%s%s:%s",
             settings->tls == APW_MAIL_TLS_SMTPS ? "smtps" : "smtp", is_ipv6 ? "[" : "",
             settings->host, is_ipv6 ? "]" : "", settings->port);
    return curl_easy_setopt(curl, CURLOPT_URL, attempt->url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK && /* whatever the environment */
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT, SECONDS_MAX) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, attempt->why) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_USE_SSL, tls) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
           (settings->cacert == NULL ||
            curl_easy_setopt(curl, CURLOPT_CAINFO, settings->cacert) == CURLE_OK) &&
           (settings->user == NULL ||
            (curl_easy_setopt(curl, CURLOPT_USERNAME, settings->user) == CURLE_OK &&
             curl_easy_setopt(curl, CURLOPT_PASSWORD, settings->password) == CURLE_OK));
}

static size_t read_message(char *to, size_t size, size_t count, void *context)
{
    struct attempt *attempt = context;
    size_t length = attempt->message->length - attempt->sent;

    if (length > size * count)
        length = size * count;
    memcpy(to, attempt->message->bytes + attempt->sent, length);
    attempt->sent += length;
    return length;
}

static bool set_up_message(struct attempt *attempt, const char *from, const char *to)
{
    CURL *curl = attempt->curl;

    attempt->recipients = curl_slist_append(NULL, to);
    return attempt->recipients != NULL &&
           curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, attempt->recipients) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_message) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_READDATA, attempt) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CRLF, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L) == CURLE_OK;
}

static int perform(struct attempt *attempt, const struct apw_mail_settings *settings,
                   struct apw_error *error)
{
    CURLcode result = curl_easy_perform(attempt->curl);

    if (result == CURLE_OK)
        return 0;
    return apw_error_set(error, "mail_relay %s:%s: %s", settings->host, settings->port,
                         attempt->why[0] != '\0' ? attempt->why : curl_easy_strerror(result));
}

static int finish(struct attempt *attempt, int status)
{
    curl_easy_cleanup(attempt->curl);
    curl_slist_free_all(attempt->recipients);
    return status;
}

int apw_relay_send(const struct apw_mail_settings *settings, const char *to,
                   const struct apw_buffer *message, struct apw_error *error)
{
    struct attempt attempt = {.curl = curl_easy_init(), .message = message};

    if (attempt.curl == NULL || !set_up(&attempt, settings) ||
        !set_up_message(&attempt, settings->from, to))
        return finish(&attempt, apw_error_set(error, "libcurl cannot be set up for mail"));
    return finish(&attempt, perform(&attempt, settings, error));
}

int apw_relay_try(const struct apw_mail_settings *settings, struct apw_error *error)
{
    struct attempt attempt = {.curl = curl_easy_init()};

    if (attempt.curl == NULL || !set_up(&attempt, settings) ||
        curl_easy_setopt(attempt.curl, CURLOPT_CONNECT_ONLY, 1L) != CURLE_OK)
        return finish(&attempt, apw_error_set(error, "libcurl cannot be set up for mail"));
    return finish(&attempt, perform(&attempt, settings, error));
}
