/* SPDX-License-Identifier: BSD-2-Clause */
#include "table.h"
#include "date.h"
#include "invitation.h"
#include "login.h"
#include "policy.h"
#include "say.h"
#include "use.h"
#include "utf8.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum column { ID, LABEL, CREATED, EXPIRES, SERVICES, FROM, LAST_USED, COLUMN_COUNT };

static const char *const headers[COLUMN_COUNT] = {
    "ID", "LABEL", "CREATED (UTC)", "EXPIRES (UTC)", "SERVICES", "FROM", "LAST USED (UTC)",
};

/* One usable app password, as text. */
struct row {
    const char *cell[COLUMN_COUNT]; /* points into the fields below */
    struct apw_record record;       /* a printable copy */
    char created[APW_DATE_MINUTE_SIZE + 32];
    char expires[APW_DATE_MINUTE_SIZE + 16];
    char last_used[APW_DATE_MINUTE_SIZE + APW_SERVICE_SIZE + APW_ADDRESS_TEXT_SIZE + 2];
};

static void fill_expires(int64_t end, int64_t now, struct row *row)
{
    char minute[APW_DATE_MINUTE_SIZE];

    strcpy(row->expires, "never");
    if (end == APW_POLICY_NEVER)
        return;
    apw_date_format_minute(end, minute);
    snprintf(row->expires, sizeof row->expires, "%s%s", minute, end <= now ? " expired" : "");
}

static void fill_created(const struct apw_managed_password *password, struct row *row)
{
    char minute[APW_DATE_MINUTE_SIZE];

    apw_date_format_minute(row->record.created, minute);
    snprintf(row->created, sizeof row->created, "%s%s", minute,
             password->is_outdated ? " password changed" : "");
}

static void fill_last_used(const struct apw_managed_password *password, struct row *row)
{
    const struct apw_use *use = &password->use;
    char minute[APW_DATE_MINUTE_SIZE];

    strcpy(row->last_used, "-");
    if (!password->has_use)
        return;
    apw_date_format_minute(use->at, minute);
    snprintf(row->last_used, sizeof row->last_used, "%s%s%s%s%s", minute,
             use->service[0] != '\0' ? " " : "", use->service, use->from[0] != '\0' ? " " : "",
             use->from);
    apw_say_printable(row->last_used);
}

static void fill(const struct apw_managed_password *password, int64_t now, struct row *row)
{
    struct apw_record *record = &row->record;

    *record = password->record;
    fill_created(password, row);
    fill_expires(password->end, now, row);
    fill_last_used(password, row);
    row->cell[ID] = apw_say_printable(record->id);
    row->cell[LABEL] = apw_say_printable(record->label);
    row->cell[CREATED] = row->created;
    row->cell[EXPIRES] = row->expires;
    row->cell[SERVICES] = record->services[0] == '\0' ? "all" : apw_say_printable(record->services);
    row->cell[FROM] = record->from_text[0] == '\0' ? "all" : apw_say_printable(record->from_text);
    row->cell[LAST_USED] = row->last_used;
}

static size_t width_of(const char *text)
{
    return apw_utf8_characters(text, strlen(text));
}

static void widen(const char *const *cells, size_t *widths)
{
    for (int i = 0; i < COLUMN_COUNT; i++)
        if (width_of(cells[i]) > widths[i])
            widths[i] = width_of(cells[i]);
}

static void print_row(const char *const *cells, const size_t *widths)
{
    for (int i = 0; i < COLUMN_COUNT - 1; i++)
        printf("%s%*s", cells[i], (int)(widths[i] - width_of(cells[i])) + 2, "");
    puts(cells[COLUMN_COUNT - 1]);
}

static void print_unusable(const struct apw_managed_password *password)
{
    struct apw_error problem = password->problem;
    char label[sizeof password->record.label];

    strcpy(label, password->record.label);
    printf("%-4s  %s%sunusable: %s\n", password->id[0] == '\0' ? "?" : password->id,
           apw_say_printable(label), password->has_record ? ", " : "",
           apw_say_printable(problem.text));
}

int apw_table_print(const struct apw_user *user)
{
    struct row *rows = calloc(user->password_count + 1, sizeof *rows);
    size_t widths[COLUMN_COUNT] = {0}, count = 0;

    if (rows == NULL)
        return -1;
    widen(headers, widths);
    for (; count < user->password_count && user->password[count].is_usable; count++) {
        fill(&user->password[count], (int64_t)time(NULL), &rows[count]);
        widen(rows[count].cell, widths);
    }
    print_row(headers, widths);
    for (size_t i = 0; i < count; i++)
        print_row(rows[i].cell, widths);
    for (size_t i = count; i < user->password_count; i++)
        print_unusable(&user->password[i]);
    free(rows);
    return 0;
}

void apw_table_print_revoked(const struct apw_user *user)
{
    if (user->tombstone_count > 0)
        printf("%-4s  %-16s  %-16s  %s\n", "ID", "CREATED (UTC)", "REVOKED (UTC)", "LABEL");
    for (size_t i = 0; i < user->tombstone_count; i++) {
        const struct apw_tombstone *tombstone = &user->tombstone[i];
        char created[APW_DATE_MINUTE_SIZE], revoked[APW_DATE_MINUTE_SIZE];
        char label[sizeof tombstone->label];

        apw_date_format_minute(tombstone->created, created);
        apw_date_format_minute(tombstone->revoked, revoked);
        strcpy(label, tombstone->label);
        printf("%-4s  %-16s  %-16s  %s\n", tombstone->id, created, revoked,
               apw_say_printable(label));
    }
}

static void print_invitation(const struct apw_value *value, int64_t now)
{
    struct apw_invitation invitation;
    char created[APW_DATE_MINUTE_SIZE], until[APW_DATE_MINUTE_SIZE];
    struct apw_error error;

    if (apw_invitation_parse(value->bytes, value->length, &invitation, &error) != 0) {
        printf("?     %s\n", error.text);
        return;
    }
    apw_date_format_minute(invitation.record.created, created);
    apw_date_format_minute(invitation.until, until);
    printf("%-4s  %-16s  %-16s  %s%s\n", invitation.record.id, created, until,
           apw_say_printable(invitation.record.label), now >= invitation.until ? " (expired)" : "");
}

void apw_table_print_invitations(const struct apw_user *user)
{
    if (apw_invitation_count(user) > 0)
        printf("%-4s  %-16s  %-16s  %s\n", "ID", "INVITED (UTC)", "UNTIL (UTC)", "LABEL");
    for (size_t i = 0; i < user->method.count; i++)
        if (apw_invitation_is_value(user->method.value[i].bytes, user->method.value[i].length))
            print_invitation(&user->method.value[i], (int64_t)time(NULL));
}
