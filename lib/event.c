/* SPDX-License-Identifier: BSD-2-Clause */
#include "event.h"
#include "login.h"
#include "password.h"
#include "utf8.h"
#include <stdio.h>
#include <string.h>

#define DN_BYTES_MAX 255

/* A line under construction. Drops what does not fit. */
struct line {
    char *text;
    size_t length;
    size_t size;
};

static void put(struct line *line, const char *text, size_t length)
{
    if (line->length + length >= line->size)
        return;
    memcpy(line->text + line->length, text, length);
    line->length += length;
    line->text[line->length] = '\0';
}

static void put_string(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

/* Bytes of the first character, or 0 if it must be escaped. */
static size_t plain_bytes(const char *text, size_t length)
{
    return *text == '"' || *text == '\\' ? 0 : apw_utf8_printable_bytes(text, length);
}

static void put_quoted(struct line *line, const char *text, size_t length)
{
    char escaped[8];

    put(line, "\"", 1);
    while (length > 0) {
        size_t plain = plain_bytes(text, length);

        if (plain > 0) {
            put(line, text, plain);
        } else {
            plain = 1;
            snprintf(escaped, sizeof escaped, "\\x%02x", (unsigned char)*text);
            put_string(line, escaped);
        }
        text += plain;
        length -= plain;
    }
    put(line, "\"", 1);
}

/* Users paste app passwords into the wrong field. */
static void put_user(struct line *line, const struct apw_event *event)
{
    if (apw_password_is_login(event->user, event->user_length))
        put_string(line, "\"(app password)\"");
    else
        put_quoted(line, event->user, event->user_length);
}

static void put_field(struct line *line, const char *key, const char *value)
{
    put_string(line, key);
    put_string(line, value[0] != '\0' ? value : "-");
}

static void put_repeat(struct line *line, enum apw_repeat repeat)
{
    switch (repeat) {
    case APW_REPEAT_YES:
        put_field(line, " repeat=", "yes");
        return;
    case APW_REPEAT_NO:
        put_field(line, " repeat=", "no");
        return;
    case APW_REPEAT_UNKNOWN:
        return;
    }
}

static bool is_as_typed(const struct apw_event *event)
{
    return event->name[0] == '\0' || (strlen(event->name) == event->user_length &&
                                      memcmp(event->name, event->user, event->user_length) == 0);
}

/* `repeat` comes first: fail2ban looks for it after the id. */
static void put_extras(struct line *line, const struct apw_event *event)
{
    put_repeat(line, event->repeat);
    if (event->action != NULL)
        put_field(line, " action=", event->action);
    if (event->would_refuse)
        put_field(line, " would-refuse=", apw_reason_name(APW_REASON_ACCOUNT_PASSWORD_WITH_MFA));
    if (event->is_exempt)
        put_field(line, " exempt=", "network");
    if (event->dn != NULL) {
        put_string(line, " dn=");
        put_quoted(line, event->dn, strnlen(event->dn, DN_BYTES_MAX));
    }
    if (event->verdict != APW_ACCEPTED && event->detail.text[0] != '\0') {
        put_string(line, " error=");
        put_quoted(line, event->detail.text, strlen(event->detail.text));
    }
    if (event->verdict == APW_ACCEPTED && !is_as_typed(event)) {
        put_string(line, " name=");
        put_quoted(line, event->name, strlen(event->name));
    }
    if (event->session[0] != '\0')
        put_field(line, " session=", event->session);
}

void apw_event_set_session(struct apw_event *event, const char *session)
{
    size_t length = strnlen(session, APW_SESSION_SIZE);

    event->session[0] = '\0';
    if (length == APW_SESSION_SIZE)
        return;
    for (size_t i = 0; i < length; i++)
        if (session[i] <= ' ' || session[i] > '~' || session[i] == '"' || session[i] == '\\')
            return;
    memcpy(event->session, session, length + 1);
}

void apw_event_format(const struct apw_event *event, char line_r[APW_EVENT_SIZE])
{
    struct line line = {.text = line_r, .size = APW_EVENT_SIZE};

    put_field(&line, "app-password: verdict=", apw_verdict_name(event->verdict));
    put_field(&line, " reason=", apw_reason_name(event->reason));
    put_string(&line, " user=");
    put_user(&line, event);
    put_field(&line, " service=", event->service);
    put_field(&line, " client=", event->client);
    put_field(&line, " id=", event->id);
    put_extras(&line, event);
}
