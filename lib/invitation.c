/* SPDX-License-Identifier: BSD-2-Clause */
#include "invitation.h"
#include "clock.h"
#include "field.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define WORD    "invitation "
#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING

/* ---- the value ---- */

bool apw_invitation_is_value(const char *value, size_t length)
{
    return apw_field_begins(value, length, WORD);
}

static int parse_id(struct apw_field *rest, char id_r[APW_ID_LENGTH + 1])
{
    struct apw_field id;

    return apw_field_take(rest, "id", false, &id) && apw_password_is_id(id.start, id.length)
               ? apw_field_copy(&id, id_r, APW_ID_LENGTH + 1)
               : -1;
}

static int parse_hash(struct apw_field *rest, char hash_r[APW_TOKEN_SIZE])
{
    struct apw_field hash;

    return apw_field_take(rest, "hash", false, &hash) &&
                   apw_field_copy(&hash, hash_r, APW_TOKEN_SIZE) == 0 && apw_token_is_token(hash_r)
               ? 0
               : -1;
}

static int parse_factor(struct apw_field *rest, char factor_r[APW_METHOD_ID_SIZE])
{
    struct apw_field factor;

    if (!apw_field_take(rest, "factor", false, &factor))
        return 0;
    return apw_method_is_id(factor.start, factor.length)
               ? apw_field_copy(&factor, factor_r, APW_METHOD_ID_SIZE)
               : -1;
}

static int parse(const char *value, size_t length, struct apw_invitation *invitation)
{
    struct apw_field rest = {value, length};
    struct apw_record *record = &invitation->record;
    struct apw_error error;

    if (!apw_invitation_is_value(value, length))
        return -1;
    rest.start += sizeof WORD - 1;
    rest.length -= sizeof WORD - 1;
    return parse_id(&rest, record->id) == 0 &&
                   apw_field_take_time(&rest, "created", &record->created) == 0 &&
                   apw_field_take_time(&rest, "until", &invitation->until) == 0 &&
                   parse_hash(&rest, invitation->hash) == 0 &&
                   parse_factor(&rest, invitation->factor) == 0 &&
                   apw_record_parse_limits(&rest, record, &error) == 0 &&
                   apw_record_parse_label(&rest, record, &error) == 0
               ? 0
               : -1;
}

int apw_invitation_parse(const char *value, size_t length, struct apw_invitation *invitation_r,
                         struct apw_error *error)
{
    memset(invitation_r, 0, sizeof *invitation_r);
    if (parse(value, length, invitation_r) == 0)
        return 0;
    memset(invitation_r, 0, sizeof *invitation_r);
    return apw_error_set(error, "malformed invitation");
}

int apw_invitation_format(const struct apw_invitation *invitation,
                          char value_r[APW_INVITATION_VALUE_SIZE], struct apw_error *error)
{
    const struct apw_record *record = &invitation->record;
    char created[APW_TIMESTAMP_SIZE], until[APW_TIMESTAMP_SIZE], limits[APW_RECORD_SIZE];
    struct apw_invitation check;
    int length;

    if (apw_clock_format_timestamp(record->created, created) != 0 ||
        apw_clock_format_timestamp(invitation->until, until) != 0)
        return apw_error_set(error, "a time lies outside the years 0 to 9999");
    if (apw_record_format_limits(record, limits, error) != 0)
        return -1;
    length = snprintf(value_r, APW_INVITATION_VALUE_SIZE,
                      WORD "id=%s created=%s until=%s hash=%s%s%s%s label=%s", record->id, created,
                      until, invitation->hash, invitation->factor[0] != '\0' ? " factor=" : "",
                      invitation->factor, limits, record->label);
    if (length < 0 || length >= APW_INVITATION_VALUE_SIZE)
        return apw_error_set(error, "the value is longer than %d bytes",
                             APW_INVITATION_VALUE_SIZE - 1);
    return apw_invitation_parse(value_r, (size_t)length, &check, error);
}

/* ---- the user's ---- */

size_t apw_invitation_count(const struct apw_user *user)
{
    size_t count = 0;

    for (size_t i = 0; i < user->method.count; i++)
        count += apw_invitation_is_value(user->method.value[i].bytes, user->method.value[i].length);
    return count;
}

size_t apw_invitation_plan_removal(const struct apw_user *user, struct apw_change *changes_r)
{
    size_t count = 0;

    for (size_t i = 0; i < user->method.count; i++)
        if (apw_invitation_is_value(user->method.value[i].bytes, user->method.value[i].length))
            changes_r[count++] = (struct apw_change){APW_CHANGE_DELETE, APW_INVITATION_ATTRIBUTE,
                                                     user->method.value[i].bytes};
    return count;
}

const char *apw_invitation_find_id(const struct apw_user *user, const char *id)
{
    for (size_t i = 0; i < user->method.count; i++) {
        const struct apw_value *value = &user->method.value[i];
        struct apw_field rest = {value->bytes, value->length};
        char own[APW_ID_LENGTH + 1];

        if (!apw_invitation_is_value(value->bytes, value->length))
            continue;
        rest.start += sizeof WORD - 1;
        rest.length -= sizeof WORD - 1;
        if (parse_id(&rest, own) == 0 && strcmp(own, id) == 0)
            return value->bytes;
    }
    return NULL;
}

const char *apw_invitation_find_token(const struct apw_user *user, const char *token, int64_t now,
                                      struct apw_invitation *invitation_r)
{
    struct apw_error error;

    for (size_t i = 0; i < user->method.count; i++) {
        const struct apw_value *value = &user->method.value[i];

        if (apw_invitation_is_value(value->bytes, value->length) &&
            apw_invitation_parse(value->bytes, value->length, invitation_r, &error) == 0 &&
            now < invitation_r->until && apw_token_has_hash(token, invitation_r->hash))
            return value->bytes;
    }
    memset(invitation_r, 0, sizeof *invitation_r);
    return NULL;
}

/* ---- the link ---- */

void apw_invitation_write_code(const char *login, const char token[APW_TOKEN_SIZE],
                               char code_r[APW_INVITATION_CODE_SIZE])
{
    sodium_bin2base64(code_r, APW_INVITATION_CODE_SIZE, (const unsigned char *)login, strlen(login),
                      VARIANT);
    strcat(code_r, "/");
    strcat(code_r, token);
}

char *apw_invitation_write_link(const char *url, const char *login,
                                const char token[APW_TOKEN_SIZE])
{
    char code[APW_INVITATION_CODE_SIZE], *link = NULL;

    apw_invitation_write_code(login, token, code);
    if (asprintf(&link, "%s/" APW_INVITATION_PATH "%s", url, code) < 0)
        link = NULL;
    sodium_memzero(code, sizeof code);
    return link;
}

int apw_invitation_read_code(const char *code, char login_r[APW_LOGIN_SIZE],
                             char token_r[APW_TOKEN_SIZE])
{
    struct apw_field login = {code, strcspn(code, "/")};
    size_t length;

    if (code[login.length] != '/' || !apw_token_is_token(code + login.length + 1) ||
        apw_field_decode(&login, (uint8_t *)login_r, APW_LOGIN_SIZE - 1, &length) != 0 ||
        memchr(login_r, '\0', length) != NULL)
        return -1;
    login_r[length] = '\0';
    strcpy(token_r, code + login.length + 1);
    return 0;
}
