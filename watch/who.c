/* SPDX-License-Identifier: BSD-2-Clause */
#include "who.h"
#include "password.h"
#include "program.h"
#include "utf8.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUTPUT_SIZE (size_t)(64 * 1024 * 1024) /* half a million sessions */

/* A string of the object, or "". */
static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? "" : text;
}

static bool is_way(const char *text, size_t length)
{
    if (length == strlen(APW_WAY_ACCOUNT_PASSWORD))
        return memcmp(text, APW_WAY_ACCOUNT_PASSWORD, length) == 0;
    return apw_password_is_id(text, length);
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789ABCDEF";
    const char *found = c == '\0' ? NULL : strchr(digits, c);

    return found == NULL ? -1 : (int)(found - digits);
}

/* Undoes "=2A" and the like, in place. */
static void decode(char *name)
{
    char *to = name;

    for (const char *from = name; *from != '\0'; from++) {
        int high = *from == '=' ? hex_digit(from[1]) : -1;
        int low = high >= 0 ? hex_digit(from[2]) : -1;

        if (low >= 0 && high * 16 + low != 0) {
            *to++ = (char)(high * 16 + low);
            from += 2;
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
}

/* Reads by what somebody signed in, and by which name. Fails without memory. */
static int read_field(struct apw_who_session *session, const char *field)
{
    size_t length = strcspn(field, ":");

    if (!is_way(field, length) || field[length] != ':' || field[length + 1] == '\0') {
        session->name = strdup(session->username);
        return session->name != NULL ? 0 : -1;
    }
    memcpy(session->way, field, length);
    session->field = strdup(field);
    session->name = strdup(field + length + 1);
    if (session->field == NULL || session->name == NULL)
        return -1;
    decode(session->name);
    return 0;
}

static int read_session(const json_t *object, struct apw_who_session *session_r)
{
    memset(session_r, 0, sizeof *session_r);
    snprintf(session_r->service, sizeof session_r->service, "%s", text_of(object, "service"));
    snprintf(session_r->client, sizeof session_r->client, "%s", text_of(object, "ip"));
    session_r->pid = atol(text_of(object, "pid"));
    session_r->username = strdup(text_of(object, "username"));
    return session_r->username == NULL ? -1 : read_field(session_r, text_of(object, APW_WHO_FIELD));
}

int apw_who_compare(const struct apw_who_session *one, const struct apw_who_session *other)
{
    int order = strcmp(one->name, other->name);

    if (order == 0)
        order = strcmp(one->username, other->username);
    if (order == 0)
        order = strcmp(one->service, other->service);
    if (order == 0)
        order = strcmp(one->client, other->client);
    if (order == 0)
        order = strcmp(one->way, other->way);
    return order != 0 ? order : (one->pid > other->pid) - (one->pid < other->pid);
}

static int compare(const void *one, const void *other)
{
    return apw_who_compare(one, other);
}

/* Deliveries and administration; a name is "" before somebody has signed in. */
static bool is_without_sign_in(const char *service)
{
    return strcmp(service, "lmtp") == 0 || strcmp(service, "doveadm") == 0;
}

static int read_sessions(const json_t *list, struct apw_who *who_r)
{
    size_t count = json_array_size(list);

    who_r->session = calloc(count + 1, sizeof who_r->session[0]);
    if (who_r->session == NULL)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct apw_who_session *session = &who_r->session[who_r->count++];

        if (read_session(json_array_get(list, i), session) != 0)
            return -1;
        if (session->name[0] == '\0' || is_without_sign_in(session->service))
            apw_who_free_session(&who_r->session[--who_r->count]);
    }
    qsort(who_r->session, who_r->count, sizeof who_r->session[0], compare);
    return 0;
}

/* One name that is not UTF-8 would make all of it invalid JSON. Our users have no such name. */
static void replace_invalid(char *text)
{
    size_t length = strlen(text);

    while (length > 0) {
        uint32_t character;
        size_t bytes = apw_utf8_decode(text, length, &character);

        if (bytes == 0) {
            *text = '?';
            bytes = 1;
        }
        text += bytes;
        length -= bytes;
    }
}

int apw_who_parse(char *text, struct apw_who *who_r, struct apw_error *error)
{
    json_error_t problem;
    json_t *list;
    int status;

    memset(who_r, 0, sizeof *who_r);
    replace_invalid(text);
    list = json_loads(text, JSON_ALLOW_NUL, &problem);
    if (list == NULL || !json_is_array(list)) {
        json_decref(list);
        return apw_error_set(error, "doveadm printed no list of sessions%s%s",
                             list == NULL ? ": " : "", list == NULL ? problem.text : "");
    }
    status = read_sessions(list, who_r);
    json_decref(list);
    if (status == 0)
        return 0;
    apw_who_free(who_r);
    return apw_error_set(error, "out of memory");
}

int apw_who_read(const char *doveadm, int limit_s, struct apw_who *who_r, struct apw_error *error)
{
    const char *const command[] = {doveadm, "-f", "json", "who", "-1", NULL};
    char *output = malloc(OUTPUT_SIZE);
    int status;

    memset(who_r, 0, sizeof *who_r);
    if (output == NULL)
        return apw_error_set(error, "out of memory");
    status = apw_program_read_within(command, limit_s, output, OUTPUT_SIZE);
    if (status == 0)
        status = apw_who_parse(output, who_r, error);
    else if (status > 0)
        apw_error_set(error, "\"%s who\" failed with status %d; run it as this user to see why",
                      doveadm, status);
    else
        apw_error_set(error, "\"%s who\" could not be run, or did not end within %d seconds",
                      doveadm, limit_s);
    free(output);
    return status == 0 ? 0 : -1;
}

void apw_who_free_session(struct apw_who_session *session)
{
    free(session->name);
    free(session->username);
    free(session->field);
    memset(session, 0, sizeof *session);
}

void apw_who_free(struct apw_who *who)
{
    for (size_t i = 0; i < who->count; i++)
        apw_who_free_session(&who->session[i]);
    free(who->session);
    memset(who, 0, sizeof *who);
}
