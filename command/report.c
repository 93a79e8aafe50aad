/* SPDX-License-Identifier: BSD-2-Clause */
#include "clock.h"
#include "command.h"
#include "csv.h"
#include "date.h"
#include "finding.h"
#include "json.h"
#include "manage.h"
#include "output.h"
#include "progress.h"
#include "report_progress.h"
#include "say.h"
#include "session.h"
#include "would_refuse.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EXPIRING_DEFAULT_S (14 * 86400)
#define UNUSED_DEFAULT_S   (90 * 86400)

/* Findings up to COSTLY are about app passwords. */
enum finding { EXPIRED = 0, EXPIRING, UNUSED, DISABLED, COSTLY, WITHOUT, GUESSED, FINDING_COUNT };

static const char *const finding_names[FINDING_COUNT] = {
    [EXPIRED] = "expired",
    [EXPIRING] = "expiring",
    [UNUSED] = "unused",
    [DISABLED] = "disabled-account",
    [COSTLY] = "costly-hash",
    [WITHOUT] = "mfa-without-app-password",
    [GUESSED] = "second-factor-guessed",
};

/* The findings are the first options. */
enum { PROGRESS = FINDING_COUNT, BY, JSON, CSV, WOULD_REFUSE };

static const struct apw_option table[] = {
    [EXPIRED] = {.name = "expired", .help = "app passwords that have expired"},
    [EXPIRING] = {.name = "expiring",
                  .argument = "PERIOD",
                  .help = "those that expire within this period; 14d"},
    [UNUSED] = {.name = "unused",
                .argument = "PERIOD",
                .help = "those not used within this period; 90d"},
    [DISABLED] = {.name = "disabled", .help = "those of disabled accounts"},
    [COSTLY] = {.name = "costly", .help = "those whose hashes cost more than new ones"},
    [WITHOUT] = {.name = "mfa-without-app-password",
                 .help = "users with MFA who have no app password"},
    [GUESSED] = {.name = "second-factor-guessed",
                 .help = "users for whom wrong codes were entered on the page"},
    [PROGRESS] = {.name = "progress", .help = "instead: how many users have MFA on, and the like"},
    [BY] = {.name = "by",
            .argument = "ATTRIBUTE",
            .help = "with --progress: one row for each value, like departmentNumber"},
    [JSON] = {.name = "json", .help = "for programs"},
    [CSV] = {.name = "csv", .help = "for a spreadsheet"},
    [WOULD_REFUSE] = {.name = "would-refuse",
                      .help = "instead: whose account passwords enforced MFA would refuse, "
                              "from the log, or from [FILE]"},
    APW_OPTION_HELP,
    APW_OPTION_LAST,
};

struct report {
    const struct apw_manager *manager;
    struct apw_error error; /* why an account has ended */
    bool is_wanted[FINDING_COUNT];
    int64_t expiring_s;
    int64_t unused_s;
    enum apw_report_format format;
    int64_t now;
    size_t count[FINDING_COUNT];
    size_t printed;
    bool is_out_of_memory;
};

/* ---- one line for each finding ---- */

static void print_time_cell(bool is_there, int64_t seconds, char end)
{
    char text[APW_DATE_RFC3339_SIZE] = "";

    if (is_there)
        apw_date_format_rfc3339(seconds, text);
    apw_csv_print_cell(text, end);
}

static void print_csv(enum finding finding, const struct apw_user *user,
                      const struct apw_managed_password *password)
{
    apw_csv_print_cell(finding_names[finding], ',');
    apw_csv_print_cell(user->name, ',');
    apw_csv_print_cell(user->dn, ',');
    apw_csv_print_cell(password == NULL ? "" : password->id, ',');
    apw_csv_print_cell(password == NULL ? "" : password->record.label, ',');
    print_time_cell(password != NULL && password->has_record,
                    password == NULL ? 0 : password->record.created, ',');
    print_time_cell(password != NULL && password->record.has_expires,
                    password == NULL ? 0 : password->record.expires, ',');
    print_time_cell(password != NULL && password->has_use, password == NULL ? 0 : password->use.at,
                    '\n');
}

/* The date or the cost that led to the finding. */
static void format_when(enum finding finding, const struct apw_managed_password *password,
                        char *text_r, size_t size)
{
    char minute[APW_DATE_MINUTE_SIZE] = "never";

    text_r[0] = '\0';
    switch (finding) {
    case EXPIRED:
    case EXPIRING:
        apw_date_format_minute(password->record.expires, minute);
        snprintf(text_r, size, "  expires %s", minute);
        return;
    case UNUSED:
        if (password->has_use)
            apw_date_format_minute(password->use.at, minute);
        snprintf(text_r, size, "  last used %s", minute);
        return;
    case COSTLY:
        snprintf(text_r, size, "  costs %u KiB and %u passes", password->cost.memory_kib,
                 password->cost.passes);
        return;
    case DISABLED:
    case WITHOUT:
    case GUESSED:
    case FINDING_COUNT:
        break;
    }
}

static void print_text(enum finding finding, const struct apw_user *user,
                       const struct apw_managed_password *password)
{
    char when[64];

    if (password == NULL) {
        apw_output_line("%-24s  %s", finding_names[finding], user->name);
        return;
    }
    format_when(finding, password, when, sizeof when);
    apw_output_line("%-24s  %s  %s  %s%s", finding_names[finding], user->name,
                    password->id[0] != '\0' ? password->id : "?", password->record.label, when);
}

static void print(struct report *report, enum finding finding, const struct apw_user *user,
                  const struct apw_managed_password *password)
{
    report->count[finding]++;
    apw_progress_hide();
    switch (report->format) {
    case APW_REPORT_TEXT:
        print_text(finding, user, password);
        break;
    case APW_REPORT_JSON:
        fputs(report->printed > 0 ? ",\n  " : "[\n  ", stdout);
        if (apw_json_print_finding(finding_names[finding], user, password) != 0)
            report->is_out_of_memory = true;
        break;
    case APW_REPORT_CSV:
        print_csv(finding, user, password);
        break;
    }
    report->printed++;
}

static void print_start(const struct report *report)
{
    if (report->format == APW_REPORT_CSV)
        puts("finding,user,dn,id,label,created,expires,last_used");
}

static void print_end(const struct report *report)
{
    if (report->format == APW_REPORT_JSON)
        puts(report->printed > 0 ? "\n]" : "[]");
    for (int i = 0; i < FINDING_COUNT; i++)
        if (report->is_wanted[i])
            apw_say(NULL, "%s: %zu", finding_names[i], report->count[i]);
}

/* ---- the searches ---- */

static int look_at_user(void *context, const struct apw_user *user)
{
    struct report *report = context;
    bool is_disabled =
        user->password_count > 0 && report->is_wanted[DISABLED] &&
        apw_manage_account_state(report->manager, user, &report->error) != APW_ACCOUNT_STATE_ACTIVE;

    for (size_t i = 0; i < user->password_count; i++) {
        const struct apw_managed_password *password = &user->password[i];

        if (report->is_wanted[EXPIRED] && apw_finding_is_expired(password, report->now))
            print(report, EXPIRED, user, password);
        if (report->is_wanted[EXPIRING] &&
            apw_finding_is_expiring(password, report->now, report->expiring_s))
            print(report, EXPIRING, user, password);
        if (report->is_wanted[UNUSED] &&
            apw_finding_is_unused(user, password, report->now, report->unused_s))
            print(report, UNUSED, user, password);
        if (report->is_wanted[COSTLY] && password->is_costly)
            print(report, COSTLY, user, password);
        if (is_disabled)
            print(report, DISABLED, user, password);
    }
    apw_progress_step();
    return report->is_out_of_memory ? -1 : 0;
}

static int look_at_user_without(void *context, const struct apw_user *user)
{
    struct report *report = context;

    if (user->password_count == 0) /* tombstones open nothing */
        print(report, WITHOUT, user, NULL);
    apw_progress_step();
    return report->is_out_of_memory ? -1 : 0;
}

static enum apw_manage_result
search_without(struct report *report, const struct apw_manager *manager, struct apw_error *error)
{
    /* Everybody with MFA, provided that this identity may look for app passwords. */
    static const char format[] = "(&%s(|(appPassword=*)(!(appPassword=*))))";
    size_t size = sizeof format + strlen(manager->config->mfa_filter);
    char *filter = malloc(size);
    enum apw_manage_result result;

    if (filter == NULL) {
        apw_error_set(error, "out of memory");
        return APW_MANAGE_UNAVAILABLE;
    }
    snprintf(filter, size, format, manager->config->mfa_filter);
    result = apw_user_each(manager, filter, look_at_user_without, report, error);
    free(filter);
    return result;
}

/* A count that cannot be read is a finding, too: the page then checks no codes. */
static int look_at_guesses(void *context, const struct apw_user *user)
{
    struct report *report = context;
    struct apw_error error = {""};

    if (apw_finding_is_guessed(user, report->now, &error))
        print(report, GUESSED, user, NULL);
    apw_progress_step();
    return report->is_out_of_memory ? -1 : 0;
}

static enum apw_manage_result
search_guessed(struct report *report, const struct apw_manager *manager, struct apw_error *error)
{
    struct apw_manager reading = *manager;

    reading.with_enrolment = true;
    return apw_user_each(&reading, "(appPasswordMfaMethod=*)", look_at_guesses, report, error);
}

/* If no uses are recorded, every app password would look unused. */
static enum apw_manage_result check_uses(struct report *report, const struct apw_manager *manager,
                                         struct apw_error *error)
{
    enum apw_manage_result result;
    bool has_uses;

    if (!report->is_wanted[UNUSED])
        return APW_MANAGE_DONE;
    result = apw_finding_has_uses(manager, report->now, report->unused_s, &has_uses, error);
    if (result == APW_MANAGE_DONE && !has_uses) {
        report->is_wanted[UNUSED] = false;
        apw_say(NULL,
                "last use is not recorded here, or no app password was used within the period: "
                "--unused is left out (record_use in app-password.conf turns recording on)");
    }
    return result;
}

static enum apw_status report_all(struct report *report, const struct apw_manager *manager)
{
    struct apw_error error = {""};
    enum apw_manage_result result = check_uses(report, manager, &error);
    bool is_about_passwords = false;

    apw_progress_begin(0);
    print_start(report);
    for (int i = EXPIRED; i <= COSTLY; i++)
        is_about_passwords = is_about_passwords || report->is_wanted[i];
    if (result == APW_MANAGE_DONE && is_about_passwords)
        result = apw_user_each(manager, "(appPassword=*)", look_at_user, report, &error);
    if (result == APW_MANAGE_DONE && report->is_wanted[WITHOUT])
        result = search_without(report, manager, &error);
    if (result == APW_MANAGE_DONE && report->is_wanted[GUESSED])
        result = search_guessed(report, manager, &error);
    apw_progress_end();
    print_end(report);
    if (report->is_out_of_memory)
        apw_error_set(&error, "out of memory");
    if (result != APW_MANAGE_DONE || report->is_out_of_memory)
        apw_say(NULL, "the report is not complete: %s", error.text);
    return report->is_out_of_memory ? APW_STATUS_UNAVAILABLE : apw_status_of(result);
}

/* ---- the command ---- */

/* If no finding is asked for, all are. */
static enum apw_status choose_findings(const struct apw_options *options, struct report *report)
{
    bool is_any = false;

    for (int i = 0; i < FINDING_COUNT; i++)
        is_any = is_any || options->is_given[i];
    if (options->is_given[PROGRESS] && is_any)
        return apw_say_usage("report: --progress excludes the options for problems");
    if (options->is_given[BY] && !options->is_given[PROGRESS])
        return apw_say_usage("report: --by needs --progress");
    if (options->is_given[BY] && !apw_report_progress_is_attribute(options->value[BY]))
        return apw_say_usage("report: --by \"%s\": give the name of an attribute that holds no "
                             "secret, like departmentNumber",
                             options->value[BY]);
    for (int i = 0; i < FINDING_COUNT; i++)
        report->is_wanted[i] = !is_any || options->is_given[i];
    return APW_STATUS_DONE;
}

static enum apw_status read_format(const struct apw_options *options,
                                   enum apw_report_format *format_r)
{
    if (options->is_given[JSON] && options->is_given[CSV])
        return apw_say_usage("report: --json and --csv exclude each other");
    *format_r = options->is_given[JSON]  ? APW_REPORT_JSON
                : options->is_given[CSV] ? APW_REPORT_CSV
                                         : APW_REPORT_TEXT;
    return APW_STATUS_DONE;
}

static enum apw_status read_request(const struct apw_options *options, struct report *report)
{
    if (read_format(options, &report->format) != APW_STATUS_DONE)
        return APW_STATUS_USAGE;
    if ((options->is_given[EXPIRING] &&
         apw_option_period("--expiring", options->value[EXPIRING], &report->expiring_s) != 0) ||
        (options->is_given[UNUSED] &&
         apw_option_period("--unused", options->value[UNUSED], &report->unused_s) != 0))
        return APW_STATUS_USAGE;
    if (options->count > 0)
        return apw_say_usage("report is about the whole directory, not about \"%s\"; `app-password "
                             "list` is about one USER",
                             options->operand[0]);
    return choose_findings(options, report);
}

/* Reads a log, not the directory. */
static enum apw_status report_would_refuse(const struct apw_invocation *invocation,
                                           const struct apw_options *options)
{
    enum apw_report_format format = APW_REPORT_TEXT;
    struct apw_config *config = NULL;
    struct apw_error error = {""};
    enum apw_status status;

    for (int i = 0; i <= BY; i++)
        if (options->is_given[i])
            return apw_say_usage("report: --would-refuse and --%s exclude each other",
                                 table[i].name);
    if (read_format(options, &format) != APW_STATUS_DONE)
        return APW_STATUS_USAGE;
    if (options->count > 1)
        return apw_say_usage("report: --would-refuse reads one FILE, not also \"%s\"",
                             options->operand[1]);
    if (apw_config_read(invocation->config_path, &config, &error) != 0) {
        apw_say(NULL, "%s", error.text);
        return APW_STATUS_CONFIGURATION;
    }
    status =
        apw_would_refuse_report(config, options->count == 1 ? options->operand[0] : NULL, format);
    apw_config_free(&config);
    return status;
}

static enum apw_status run(const struct apw_invocation *invocation,
                           const struct apw_options *options)
{
    struct report report = {
        .expiring_s = EXPIRING_DEFAULT_S, .unused_s = UNUSED_DEFAULT_S, .now = (int64_t)time(NULL)};
    struct apw_session session;
    enum apw_status status;

    if (options->is_given[WOULD_REFUSE])
        return report_would_refuse(invocation, options);
    status = read_request(options, &report);
    if (status == APW_STATUS_DONE)
        status = apw_session_open(invocation, &session);
    if (status != APW_STATUS_DONE)
        return status;
    report.manager = &session.manager;
    status = options->is_given[PROGRESS]
                 ? apw_report_progress(&session.manager, options->value[BY], report.format)
                 : report_all(&report, &session.manager);
    apw_session_close(&session);
    return status;
}

const struct apw_command apw_command_report = {
    .name = "report",
    .options = table,
    .usage = "[FILE]",
    .help = "problems in the whole directory; without these options, all of them:",
    .run = run,
};
