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
    const atomic_bool *stop;
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
           curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK && /* not for a silent DNS */
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

/* libcurl calls this at least once a second; anything but 0 ends the attempt. */
static int is_stopped(void *context, curl_off_t download_total, curl_off_t downloaded,
                      curl_off_t upload_total, curl_off_t uploaded)
{
    const struct attempt *attempt = context;

    (void)download_total;
    (void)downloaded;
    (void)upload_total;
    (void)uploaded;
    return attempt->stop != NULL && *attempt->stop;
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
           curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, is_stopped) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_XFERINFODATA, attempt) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CRLF, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L) == CURLE_OK;
}

/* The last reply, or 0. */
static long reply_of(const struct attempt *attempt)
{
    long reply = 0;

    curl_easy_getinfo(attempt->curl, CURLINFO_RESPONSE_CODE, &reply);
    return reply;
}

static CURLcode perform(struct attempt *attempt, const struct apw_mail_settings *settings,
                        struct apw_error *error)
{
    CURLcode code = curl_easy_perform(attempt->curl);

    if (code == CURLE_OK)
        return code;
    if (attempt->why[0] == '\0' && reply_of(attempt) >= 400)
        snprintf(attempt->why, sizeof attempt->why, "%s (%ld)", curl_easy_strerror(code),
                 reply_of(attempt));
    apw_error_set(error, "mail_relay %s:%s: %s", settings->host, settings->port,
                  attempt->why[0] != '\0' ? attempt->why : curl_easy_strerror(code));
    return code;
}

/* Whether a 5xx reply was about this message. A relay that refuses the connection or our password
 * may be configured wrong, and the next attempt may succeed. */
static bool is_refused(const struct attempt *attempt, CURLcode code)
{
    return reply_of(attempt) >= 500 && (code == CURLE_SEND_ERROR || attempt->sent > 0);
}

static void finish(struct attempt *attempt)
{
    curl_easy_cleanup(attempt->curl);
    curl_slist_free_all(attempt->recipients);
}

enum apw_mail_result apw_relay_send(const struct apw_mail_settings *settings, const char *to,
                                    const struct apw_buffer *message, const atomic_bool *stop,
                                    struct apw_error *error)
{
    struct attempt attempt = {.curl = curl_easy_init(), .message = message, .stop = stop};
    enum apw_mail_result result = APW_MAIL_NOT_SENT;
    CURLcode code;

    if (attempt.curl != NULL && set_up(&attempt, settings) &&
        set_up_message(&attempt, settings->from, to)) {
        code = perform(&attempt, settings, error);
        result = code == CURLE_OK             ? APW_MAIL_SENT
                 : is_refused(&attempt, code) ? APW_MAIL_REFUSED
                                              : APW_MAIL_NOT_SENT;
    } else {
        apw_error_set(error, "libcurl cannot be set up for mail");
    }
    finish(&attempt);
    return result;
}

int apw_relay_try(const struct apw_mail_settings *settings, struct apw_error *error)
{
    struct attempt attempt = {.curl = curl_easy_init()};
    int status = -1;

    if (attempt.curl != NULL && set_up(&attempt, settings) &&
        curl_easy_setopt(attempt.curl, CURLOPT_CONNECT_ONLY, 1L) == CURLE_OK)
        status = perform(&attempt, settings, error) == CURLE_OK ? 0 : -1;
    else
        apw_error_set(error, "libcurl cannot be set up for mail");
    finish(&attempt);
    return status;
}
