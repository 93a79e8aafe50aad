/* SPDX-License-Identifier: BSD-2-Clause */
#include "create_list.h"
#include "creation.h"
#include "csv.h"
#include "manage.h"
#include "output.h"
#include "password_options.h"
#include "progress.h"
#include "say.h"
#include "session.h"
#include "sheet.h"
#include "tally.h"
#include "trail.h"
#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { USER, LABEL, SERVICES, EXPIRES, FROM };

static const char *const columns[] = {
    [USER] = "user",       [LABEL] = "label", [SERVICES] = "services",
    [EXPIRES] = "expires", [FROM] = "from",   NULL,
};

/* One line. */
struct item {
    unsigned line;
    const char *login;
    struct apw_password_spec spec;
    int64_t expires;            /* of `spec` */
    char label[APW_LABEL_SIZE]; /* as it will be stored */
    bool is_there;              /* it was made before */
    char id[APW_ID_LENGTH + 1]; /* of the one that was made now */
};

struct list {
    const struct apw_create_list *request;
    const char *name; /* of the file, for people */
    struct apw_sheet sheet;
    struct item *item; /* sheet.count */
    struct apw_tally tally;
    unsigned there;   /* lines left alone */
    unsigned limited; /* lines that max_lifetime ends earlier than they say */
};

#define ABOUT_SIZE 512

/* "list.csv:7: alice" */
static const char *about(const struct list *list, const struct item *item, char text_r[ABOUT_SIZE])
{
    snprintf(text_r, ABOUT_SIZE, "%s:%u: %s", list->name, item->line, item->login);
    return text_r;
}

/* ---- what needs no directory ---- */

/* A cell, or the option in its place. */
static const char *find_value(const struct list *list, size_t row, size_t column)
{
    static const int options[] = {
        [LABEL] = APW_PASSWORD_OPTION_LABEL,
        [SERVICES] = APW_PASSWORD_OPTION_SERVICES,
        [EXPIRES] = APW_PASSWORD_OPTION_EXPIRES,
        [FROM] = APW_PASSWORD_OPTION_FROM,
    };
    const char *cell = apw_sheet_cell(&list->sheet, row, column);

    return cell != NULL ? cell : list->request->options->value[options[column]];
}

static int read_item(struct list *list, size_t row, struct apw_error *error)
{
    struct item *item = &list->item[row];
    struct apw_record record;
    const char *value[APW_PASSWORD_OPTION_COUNT];

    item->line = list->sheet.line[row];
    item->login = apw_sheet_cell(&list->sheet, row, USER);
    if (item->login == NULL) {
        item->login = "?";
        return apw_error_set(error, "the user is missing");
    }
    value[APW_PASSWORD_OPTION_LABEL] = find_value(list, row, LABEL);
    value[APW_PASSWORD_OPTION_SERVICES] = find_value(list, row, SERVICES);
    value[APW_PASSWORD_OPTION_EXPIRES] = find_value(list, row, EXPIRES);
    value[APW_PASSWORD_OPTION_FROM] = find_value(list, row, FROM);
    if (value[APW_PASSWORD_OPTION_LABEL] == NULL)
        return apw_error_set(error, "the label is missing: a column \"label\", or --label TEXT");
    if (apw_password_options_parse(value, &item->spec, &item->expires, &record, error) != 0)
        return -1;
    item->spec.without_mfa = list->request->base.without_mfa;
    item->spec.is_forced = list->request->base.is_forced;
    strcpy(item->label, record.label);
    return 0;
}

static int check_repetition(const struct list *list, size_t row, struct apw_error *error)
{
    const struct item *item = &list->item[row];

    for (size_t i = 0; i < row; i++)
        if (strcasecmp(list->item[i].login, item->login) == 0 &&
            strcmp(list->item[i].label, item->label) == 0)
            return apw_error_set(error, "line %u has the same user and label", list->item[i].line);
    return 0;
}

/* Reads all lines, and says what is wrong with any. */
static enum apw_status read_items(struct list *list)
{
    unsigned wrong = 0;

    list->item = calloc(list->sheet.count, sizeof *list->item);
    if (list->item == NULL) {
        apw_say(NULL, "out of memory");
        return APW_STATUS_UNAVAILABLE;
    }
    for (size_t i = 0; i < list->sheet.count; i++) {
        struct apw_error error = {""};
        char text[ABOUT_SIZE];

        if (read_item(list, i, &error) == 0 && check_repetition(list, i, &error) == 0)
            continue;
        apw_say(about(list, &list->item[i], text), "%s", error.text);
        wrong++;
    }
    if (wrong == 0)
        return APW_STATUS_DONE;
    return apw_say_usage("%s: nothing was created, because %u of %zu lines are wrong", list->name,
                         wrong, list->sheet.count);
}

/* ---- what the directory says ---- */

static const struct apw_managed_password *find_label(const struct apw_user *user, const char *label,
                                                     int64_t now)
{
    for (size_t i = 0; i < user->password_count; i++) {
        const struct apw_managed_password *password = &user->password[i];

        if (password->is_usable && !password->is_outdated && password->end > now &&
            strcmp(password->record.label, label) == 0)
            return password;
    }
    return NULL;
}

/* Whether max_lifetime ends it earlier than the line says. */
static bool is_limited(const struct apw_config *config, const struct item *item)
{
    struct apw_record record;
    struct apw_error error = {""};

    return apw_password_spec_to_record(&item->spec, (int64_t)time(NULL), &record, &error) ==
               APW_PASSWORD_SPEC_GOOD &&
           apw_password_spec_limit(&item->spec, config, &record);
}

/* Finds the line's user, and whether the line was done before. */
static enum apw_manage_result find_user(const struct apw_manager *manager, struct list *list,
                                        struct item *item, struct apw_user **user_r,
                                        struct apw_error *error)
{
    const struct apw_managed_password *found = NULL;
    char text[ABOUT_SIZE];
    enum apw_manage_result result =
        apw_user_find(manager, &(struct apw_target){.login = item->login}, user_r, error);

    if (result == APW_MANAGE_DONE)
        found = find_label(*user_r, item->label, (int64_t)time(NULL));
    if (found != NULL) {
        item->is_there = true;
        list->there++;
        apw_say(about(list, item, text), "left alone: app password %s has this label", found->id);
    }
    return result;
}

/* Whether this line can be done, or was done before. */
static enum apw_manage_result check_item(const struct apw_manager *manager, struct list *list,
                                         struct item *item, struct apw_error *error)
{
    struct apw_user *user;
    enum apw_manage_result result = find_user(manager, list, item, &user, error);

    if (result == APW_MANAGE_DONE && !item->is_there) {
        result = apw_manage_may_create(manager, user, &item->spec, error);
        list->limited += is_limited(manager->config, item);
    }
    apw_user_free(&user);
    return result;
}

/* Logs a line that was done or failed. */
static void note(const struct item *item, enum apw_manage_result result,
                 const struct apw_error *error)
{
    apw_trail_add(
        &(struct apw_audit){
            .action = APW_AUDIT_CREATE, .user = item->login, .id = item->id, .error = error->text},
        result);
}

static enum apw_status check_all(const struct apw_manager *manager, struct list *list)
{
    bool is_stopped = false;

    apw_progress_begin("users", list->sheet.count);
    for (size_t i = 0; i < list->sheet.count && !is_stopped; i++) {
        struct item *item = &list->item[i];
        struct apw_error error = {""};
        char text[ABOUT_SIZE];
        enum apw_manage_result result;

        apw_progress_hide();
        result = check_item(manager, list, item, &error);
        if (result != APW_MANAGE_DONE) {
            note(item, result, &error);
            apw_creation_complain(manager->config, about(list, item, text), result, &error);
        }
        apw_tally_add(&list->tally, apw_status_of(result));
        is_stopped = result == APW_MANAGE_UNAVAILABLE;
        apw_progress_step();
    }
    apw_progress_end();
    if (list->limited > 0)
        apw_say(NULL, "%s: %u lines end later than max_lifetime in %s allows; it shortens them",
                list->name, list->limited, manager->config->path);
    if (list->tally.failed > 0)
        apw_say(NULL, "%s: nothing was created, because %u of %zu lines failed", list->name,
                list->tally.failed, list->sheet.count);
    return apw_tally_status(&list->tally);
}

/* ---- making them ---- */

static int print_row(const struct item *item, const struct apw_password *password)
{
    char shown[APW_PASSWORD_SHOWN_SIZE];
    int status, reason;

    apw_csv_print_cell(item->login, ',');
    apw_csv_print_cell(item->label, ',');
    apw_csv_print_cell(item->id, ',');
    apw_password_show(password, shown);
    status = apw_output_secret_cell(shown);
    reason = errno;
    sodium_memzero(shown, sizeof shown);
    errno = reason;
    return status;
}

/* Prints the new one at once. An unprinted one is revoked, and ends the list. */
static enum apw_status hand_over(const struct apw_manager *manager, struct item *item,
                                 const struct apw_password *password, bool *is_stopped_r)
{
    enum apw_status status;

    if (print_row(item, password) == 0)
        return APW_STATUS_DONE;
    status = apw_creation_take_back(manager, item->login, item->id);
    *is_stopped_r = true;
    item->id[0] = '\0';
    return status;
}

static enum apw_status make_item(const struct apw_manager *manager, struct list *list,
                                 struct item *item, bool *is_stopped_r)
{
    struct apw_user *user;
    enum apw_status status;
    struct apw_error error = {""};
    struct apw_password password = {{0}};
    char text[ABOUT_SIZE];
    /* An earlier line may name the same user in another way. */
    enum apw_manage_result result = find_user(manager, list, item, &user, &error);

    if (result == APW_MANAGE_DONE && !item->is_there)
        result =
            apw_manage_create(manager, &(struct apw_target){.login = item->login, .user = user},
                              &item->spec, &password, &error);
    apw_user_free(&user);
    if (item->is_there)
        return APW_STATUS_DONE;
    if (result == APW_MANAGE_DONE)
        apw_password_id(&password, item->id);
    note(item, result, &error);
    if (result == APW_MANAGE_DONE) {
        status = hand_over(manager, item, &password, is_stopped_r);
    } else {
        *is_stopped_r = result == APW_MANAGE_UNAVAILABLE;
        status = apw_creation_complain(manager->config, about(list, item, text), result, &error);
    }
    sodium_memzero(&password, sizeof password);
    return status;
}

/* Makes one, unless it is there already. */
static void make_next(const struct apw_manager *manager, struct list *list, struct item *item,
                      bool *is_stopped_r)
{
    sigset_t before;
    enum apw_status status;

    if (item->is_there)
        return;
    apw_creation_hold_signals(&before);
    status = make_item(manager, list, item, is_stopped_r);
    apw_creation_release_signals(&before);
    if (!item->is_there)
        apw_tally_add(&list->tally, status);
}

/* Some file systems tell only at the end that nothing was written. */
static enum apw_status close_output(const struct apw_manager *manager, const struct list *list)
{
    int reason;

    if (apw_output_close() == 0)
        return APW_STATUS_DONE;
    reason = errno;
    for (size_t i = 0; i < list->sheet.count; i++) {
        errno = reason;
        if (list->item[i].id[0] != '\0')
            apw_creation_take_back(manager, list->item[i].login, list->item[i].id);
    }
    return APW_STATUS_FAILED;
}

static enum apw_status make_all(const struct apw_manager *manager, struct list *list)
{
    bool is_stopped = false;
    size_t i = 0;

    memset(&list->tally, 0, sizeof list->tally);
    puts("user,label,id,password");
    apw_progress_begin("users", list->sheet.count);
    for (; i < list->sheet.count && !is_stopped; i++) {
        apw_progress_hide();
        make_next(manager, list, &list->item[i], &is_stopped);
        apw_progress_step();
    }
    apw_progress_end();
    if (i < list->sheet.count)
        apw_say(NULL, "stopped: %s was not tried from line %u on; give the same list again",
                list->name, list->item[i].line);
    apw_say(NULL, "%zu lines: %u created, %u left alone, %u failed", list->sheet.count,
            list->tally.count - list->tally.failed, list->there, list->tally.failed);
    if (close_output(manager, list) != APW_STATUS_DONE)
        return APW_STATUS_FAILED;
    return apw_tally_status(&list->tally);
}

/* Shows what would be made. */
static enum apw_status show_all(const struct list *list)
{
    for (size_t i = 0; i < list->sheet.count; i++)
        if (!list->item[i].is_there)
            apw_output_line("%s: would create \"%s\"", list->item[i].login, list->item[i].label);
    return APW_STATUS_DONE;
}

static enum apw_status run(const struct apw_invocation *invocation, struct list *list)
{
    struct apw_session session;
    enum apw_status status = apw_session_open(invocation, &session);

    if (status != APW_STATUS_DONE)
        return status;
    session.manager.is_dry_run = list->request->is_dry_run;
    status = apw_session_check_bind(&session);
    if (status == APW_STATUS_DONE)
        status = check_all(&session.manager, list);
    if (status == APW_STATUS_DONE)
        status = list->request->is_dry_run ? show_all(list) : make_all(&session.manager, list);
    apw_session_close(&session);
    return status;
}

enum apw_status apw_create_list(const struct apw_invocation *invocation,
                                const struct apw_create_list *request)
{
    static const struct apw_sheet_format format = {.columns = columns};
    struct list list = {.request = request,
                        .name = strcmp(request->path, "-") == 0 ? "standard input" : request->path};
    struct apw_error error = {""};
    enum apw_status status;

    if (apw_sheet_read(request->path, &format, &list.sheet, &error) != 0)
        return apw_say_usage("%s", error.text);
    status = read_items(&list);
    if (status == APW_STATUS_DONE)
        status = run(invocation, &list);
    free(list.item);
    apw_sheet_free(&list.sheet);
    return status;
}
