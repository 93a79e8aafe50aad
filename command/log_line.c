/* SPDX-License-Identifier: BSD-2-Clause */
#include "log_line.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START        "app-password: verdict=accepted "
#define PRIORITY     '<' /* of RFC 5424 */
#define STAMP_LENGTH 15  /* of RFC 3164: "Nov 29 08:40:01" */

/* Syslog's or the journal's words before the line: time, host and program. Behind the program's
 * colon, Dovecot adds single words with colons ("auth-worker(12): Error: "). Other text may be what
 * a client sent. */
static bool is_prefix(const char *text, size_t length)
{
    bool is_message = false;

    for (size_t i = 0; i < length; i++) {
        bool is_behind_colon = i > 0 && text[i] == ' ' && text[i - 1] == ':';

        if (strchr("\"=\\", text[i]) != NULL || (is_message && text[i] == ' ' && !is_behind_colon))
            return false;
        is_message = is_message || is_behind_colon;
    }
    return length == 0 || text[length - 1] == ' ';
}

static void read_time(const char *text, size_t length, char time_r[APW_LOG_LINE_TIME_SIZE])
{
    size_t time_length;

    if (length > 0 && *text == PRIORITY) {
        size_t skipped = strcspn(text, " ");

        skipped += skipped < length;
        text += skipped;
        length -= skipped;
    }
    time_length = *text >= '0' && *text <= '9' ? strcspn(text, " ") : STAMP_LENGTH;
    if (time_length > length)
        time_length = 0;
    snprintf(time_r, APW_LOG_LINE_TIME_SIZE, "%.*s", (int)time_length, text);
}

/* Undoes the quoting of lib/event. NULL if the value is cut off or too long. */
static const char *read_quoted(const char *text, char *value_r, size_t size)
{
    size_t length = 0;

    if (*text++ != '"')
        return NULL;
    for (; *text != '"'; length++) {
        char hex[3] = "";

        if (*text == '\0' || length + 1 == size)
            return NULL;
        value_r[length] = *text++;
        if (value_r[length] != '\\')
            continue;
        if (*text != 'x' || strspn(text + 1, "0123456789abcdef") < 2)
            return NULL;
        memcpy(hex, text + 1, 2);
        value_r[length] = (char)strtoul(hex, NULL, 16);
        text += 3;
    }
    value_r[length] = '\0';
    return text + 1;
}

static const char *read_word(const char *text, char *value_r, size_t size)
{
    size_t length = strcspn(text, " ");

    if (length == 0 || length >= size)
        return NULL;
    memcpy(value_r, text, length);
    value_r[length] = '\0';
    return text + length;
}

/* Reads the value behind `key`, and copies it if it is one of ours. */
static const char *read_value(const char *key, const char *text, struct apw_log_line *line)
{
    char value[APW_LOGIN_SIZE * 4]; /* a word, or an error in quotes, which is not copied */

    if (strcmp(key, "user") == 0 || strcmp(key, "name") == 0)
        return read_quoted(text, line->name, sizeof line->name);
    if (strcmp(key, "service") == 0)
        return read_word(text, line->service, sizeof line->service);
    if (strcmp(key, "client") == 0)
        return read_word(text, line->client, sizeof line->client);
    if (strcmp(key, "would-refuse") == 0)
        line->would_refuse = true;
    return *text == '"' ? read_quoted(text, value, sizeof value)
                        : read_word(text, value, sizeof value);
}

/* The keys behind the verdict. */
static bool read_values(const char *text, struct apw_log_line *line)
{
    while (*text != '\0') {
        char key[16];
        size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz-");

        if (length == 0 || length >= sizeof key || text[length] != '=')
            return false;
        memcpy(key, text, length);
        key[length] = '\0';
        text = read_value(key, text + length + 1, line);
        if (text == NULL || (*text != ' ' && *text != '\0'))
            return false;
        text += *text == ' ';
    }
    return line->name[0] != '\0' && line->service[0] != '\0' && line->client[0] != '\0';
}

bool apw_log_line_read(const char *text, struct apw_log_line *line_r)
{
    const char *start = strstr(text, START);
    size_t length = start == NULL ? 0 : (size_t)(start - text);

    memset(line_r, 0, sizeof *line_r);
    if (start == NULL || !is_prefix(text, length))
        return false;
    read_time(text, length, line_r->time);
    return read_values(start + strlen(START), line_r);
}
