/* SPDX-License-Identifier: BSD-2-Clause */
#include "event.h"
#include "line.h"
#include "login.h"
#include <string.h>

#define DN_BYTES_MAX 255

static void put_repeat(struct apw_line *line, enum apw_repeat repeat)
{
    switch (repeat) {
    case APW_REPEAT_YES:
        apw_line_put_field(line, " repeat=", "yes");
        return;
    case APW_REPEAT_NO:
        apw_line_put_field(line, " repeat=", "no");
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
static void put_extras(struct apw_line *line, const struct apw_event *event)
{
    put_repeat(line, event->repeat);
    if (event->action != NULL)
        apw_line_put_field(line, " action=", event->action);
    if (event->invitation[0] != '\0')
        apw_line_put_field(line, " invitation=", event->invitation);
    if (event->would_refuse)
        apw_line_put_field(line,
                           " would-refuse=", apw_reason_name(APW_REASON_ACCOUNT_PASSWORD_WITH_MFA));
    if (event->is_exempt)
        apw_line_put_field(line, " exempt=", "network");
    if (event->dn != NULL) {
        apw_line_put(line, " dn=");
        apw_line_put_quoted(line, event->dn, strnlen(event->dn, DN_BYTES_MAX));
    }
    if (event->verdict != APW_ACCEPTED && event->detail.text[0] != '\0') {
        apw_line_put(line, " error=");
        apw_line_put_quoted(line, event->detail.text, strlen(event->detail.text));
    }
    if (event->verdict == APW_ACCEPTED && !is_as_typed(event)) {
        apw_line_put(line, " name=");
        apw_line_put_quoted(line, event->name, strlen(event->name));
    }
    if (event->session[0] != '\0')
        apw_line_put_field(line, " session=", event->session);
    if (event->actor != NULL) {
        apw_line_put(line, " actor=");
        apw_line_put_login(line, event->actor, strnlen(event->actor, APW_LOGIN_BYTES_MAX));
    }
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

static void put_facts(struct apw_line *line, const struct apw_event *event)
{
    apw_line_put_field(line, " reason=", apw_reason_name(event->reason));
    apw_line_put(line, " user=");
    apw_line_put_login(line, event->user, event->user_length);
    apw_line_put_field(line, " service=", event->service);
    apw_line_put_field(line, " client=", event->client);
    apw_line_put_field(line, " id=", event->id);
}

void apw_event_format(const struct apw_event *event, char line_r[APW_EVENT_SIZE])
{
    struct apw_line line = apw_line_begin(line_r);

    apw_line_put_field(&line, "app-password: verdict=", apw_verdict_name(event->verdict));
    put_facts(&line, event);
    put_extras(&line, event);
}

void apw_event_format_kick(const struct apw_event *event, char line_r[APW_EVENT_SIZE])
{
    struct apw_line line = apw_line_begin(line_r);

    apw_line_put(&line, "app-password: action=kick");
    put_facts(&line, event);
}
