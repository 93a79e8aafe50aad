/* SPDX-License-Identifier: BSD-2-Clause */
#include "json.h"
#include "date.h"
#include "invitation.h"
#include "policy.h"
#include "use.h"
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* json_*_set_new() and json_array_append_new() fail if the new value is NULL, so only their results
 * need checking. */

static json_t *text_or_null(const char *text)
{
    return text[0] == '\0' ? json_null() : json_string(text);
}

static json_t *time_or_null(bool is_there, int64_t seconds)
{
    char text[APW_DATE_RFC3339_SIZE];

    if (!is_there)
        return json_null();
    apw_date_format_rfc3339(seconds, text);
    return json_string(text);
}

/* A comma-separated list; null if it is empty, which means no restriction. */
static json_t *list_or_null(const char *list)
{
    json_t *array;

    if (list[0] == '\0')
        return json_null();
    array = json_array();
    for (;;) {
        size_t length = strcspn(list, ",");

        if (json_array_append_new(array, json_stringn(list, length)) != 0) {
            json_decref(array);
            return NULL;
        }
        if (list[length] == '\0')
            return array;
        list += length + 1;
    }
}

static json_t *last_used_or_null(const struct apw_managed_password *password)
{
    const struct apw_use *use = &password->use;

    if (!password->has_use)
        return json_null();
    return json_pack("{s:o, s:o, s:o}", "at", time_or_null(true, use->at), "service",
                     text_or_null(use->service), "from", text_or_null(use->from));
}

static json_t *object_of(const struct apw_managed_password *password)
{
    static const struct apw_record nothing;
    const struct apw_record *record = password->has_record ? &password->record : &nothing;
    json_t *object = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", text_or_null(password->id), "label",
        text_or_null(record->label), "created", time_or_null(password->has_record, record->created),
        "expires", time_or_null(password->end != APW_POLICY_NEVER, password->end), "services",
        list_or_null(record->services), "from", list_or_null(record->from_text), "last_used",
        last_used_or_null(password));

    if (object != NULL && password->is_outdated &&
        json_object_set_new(object, "password_changed", json_true()) != 0) {
        json_decref(object);
        return NULL;
    }
    if (object != NULL && !password->is_usable &&
        json_object_set_new(object, "unusable", json_string(password->problem.text)) != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *object_of_revoked(const struct apw_tombstone *tombstone)
{
    return json_pack("{s:s, s:s, s:o, s:o}", "id", tombstone->id, "label", tombstone->label,
                     "created", time_or_null(true, tombstone->created), "revoked",
                     time_or_null(true, tombstone->revoked));
}

/* All null if the value is damaged. */
static json_t *object_of_invitation(const struct apw_value *value)
{
    struct apw_invitation invitation;
    struct apw_error error;
    bool is_right = apw_invitation_parse(value->bytes, value->length, &invitation, &error) == 0;
    const struct apw_record *record = &invitation.record;

    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", text_or_null(record->id), "label",
                     text_or_null(record->label), "invited",
                     time_or_null(is_right, record->created), "valid_until",
                     time_or_null(is_right, invitation.until), "expires",
                     time_or_null(record->has_expires, record->expires), "services",
                     list_or_null(record->services), "from", list_or_null(record->from_text));
}

static int append_invitations(const struct apw_user *user, json_t *array)
{
    int status = 0;

    for (size_t i = 0; status == 0 && i < user->method.count; i++) {
        const struct apw_value *value = &user->method.value[i];

        if (apw_invitation_is_value(value->bytes, value->length))
            status = json_array_append_new(array, object_of_invitation(value));
    }
    return status;
}

int apw_json_print(const struct apw_user *user, bool with_revoked, bool with_invitations)
{
    json_t *array = json_array();
    int status = array == NULL ? -1 : 0;

    for (size_t i = 0; status == 0 && i < user->password_count; i++)
        status = json_array_append_new(array, object_of(&user->password[i]));
    for (size_t i = 0; with_revoked && status == 0 && i < user->tombstone_count; i++)
        status = json_array_append_new(array, object_of_revoked(&user->tombstone[i]));
    if (status == 0 && with_invitations)
        status = append_invitations(user, array);
    if (status == 0) {
        json_dumpf(array, stdout,
                   JSON_INDENT(2) |
                       JSON_ENSURE_ASCII); /* apw_output_finish() sees a failed write */
        putchar('\n');
    }
    json_decref(array);
    return status;
}

int apw_json_print_finding(const char *finding, const struct apw_user *user,
                           const struct apw_managed_password *password, int64_t would_end)
{
    json_t *object = json_pack("{s:s, s:o, s:o}", "finding", finding, "user",
                               json_string(user->name), "dn", json_string(user->dn));
    json_t *rest = password == NULL ? json_object() : object_of(password);
    int status = object == NULL || rest == NULL ? -1 : json_object_update(object, rest);

    if (status == 0 && would_end != APW_POLICY_NEVER)
        status = json_object_set_new(object, "would_end", time_or_null(true, would_end));
    if (status == 0)
        status = json_dumpf(object, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
    json_decref(object);
    json_decref(rest);
    return status;
}
