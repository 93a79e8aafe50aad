/* SPDX-License-Identifier: BSD-2-Clause */
#include "clock.h"
#include "command.h"
#include "csv.h"
#include "date.h"
#include "finding.h"
#include "json.h"
#include "manage.h"
#include "output.h"
#include "policy.h"
#include "progress.h"
#include "report_progress.h"
#include "rights.h"
#include "say.h"
#include "session.h"
#include "unused.h"
#include "would_refuse.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EXPIRING_DEFAULT_S (14 * 86400)
#define UNUSED_DEFAULT_S   (90 * 86400)

/* Findings up to COSTLY are about app passwords. */
enum finding {
    EXPIRED = 0,
    EXPIRING,
    UNUSED,
    DISABLED,
    EXCEEDING,
    COSTLY,
    WITHOUT,
    GUESSED,
    SINGLE,
    FINDING_COUNT
};

static const char *const finding_names[FINDING_COUNT] = {
    [EXPIRED] = "expired",
    [EXPIRING] = "expiring",
    [UNUSED] = "unused",
    [DISABLED] = "disabled-account",
    [EXCEEDING] = "exceeds-max-lifetime",
    [COSTLY] = "costly-hash",
    [WITHOUT] = "mfa-without-app-password",
    [GUESSED] = "second-factor-guessed",
    [SINGLE] = "single-second-factor",
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
    [EXCEEDING] = {.name = "max-lifetime",
                   .argument = "PERIOD",
                   .help = "those that this max_lifetime would end earlier; only if asked for"},
    [COSTLY] = {.name = "costly", .help = "those whose hashes cost more than new ones"},
    [WITHOUT] = {.name = "mfa-without-app-password",
                 .help = "users with MFA who have no app password"},
    [GUESSED] = {.name = "second-factor-guessed",
                 .help = "users for whom wrong codes were entered on the page"},
    [SINGLE] = {.name = "single-second-factor",
                .help = "users who would lose their only second factor; only if asked for"},
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
    int64_t lifetime_s;
    enum apw_report_format format;
    int64_t now;
    size_t count[FINDING_COUNT];
    size_t ended;   /* of EXCEEDING: those that would end at once */
    size_t orphans; /* entries of the store without a user */
    size_t seen;    /* users */
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

/* What is found, and about whom. */
struct found {
    enum finding finding;
    const struct apw_user *user;
    const struct apw_managed_password *password; /* NULL if it is not about one */
    int64_t would_end;                           /* of EXCEEDING; otherwise APW_POLICY_NEVER */
};

static void print_csv(const struct report *report, const struct found *found)
{
    const struct apw_managed_password *password = found->password;
    bool has_more = report->is_wanted[EXCEEDING];

    apw_csv_print_cell(finding_names[found->finding], ',');
    apw_csv_print_cell(found->user->name, ',');
    apw_csv_print_cell(found->user->dn, ',');
    apw_csv_print_cell(password == NULL ? "" : password->id, ',');
    apw_csv_print_cell(password == NULL ? "" : password->record.label, ',');
    print_time_cell(password != NULL && password->has_record,
                    password == NULL ? 0 : password->record.created, ',');
    print_time_cell(password != NULL && password->end != APW_POLICY_NEVER,
                    password == NULL ? 0 : password->end, ',');
    print_time_cell(password != NULL && password->has_use, password == NULL ? 0 : password->use.at,
                    has_more ? ',' : '\n');
    if (has_more)
        print_time_cell(found->would_end != APW_POLICY_NEVER, found->would_end, '\n');
}

/* The date or the cost that led to the finding. */
static void format_when(const struct report *report, const struct found *found, char *text_r,
                        size_t size)
{
    const struct apw_managed_password *password = found->password;
    char minute[APW_DATE_MINUTE_SIZE] = "never";

    text_r[0] = '\0';
    switch (found->finding) {
    case EXPIRED:
    case EXPIRING:
        apw_date_format_minute(password->end, minute);
        snprintf(text_r, size, "  expires %s", minute);
        return;
    case UNUSED:
        if (password->has_use)
            apw_date_format_minute(password->use.at, minute);
        snprintf(text_r, size, "  last used %s", minute);
        return;
    case EXCEEDING:
        apw_date_format_minute(found->would_end, minute);
        snprintf(text_r, size, "  would %s %s",
                 found->would_end <= report->now ? "have ended" : "end", minute);
        return;
    case COSTLY:
        snprintf(text_r, size, "  costs %u KiB and %u passes", password->cost.memory_kib,
                 password->cost.passes);
        return;
    case DISABLED:
    case WITHOUT:
    case GUESSED:
    case SINGLE:
    case FINDING_COUNT:
        break;
    }
}

static void print_text(const struct report *report, const struct found *found)
{
    const struct apw_managed_password *password = found->password;
    const char *name = finding_names[found->finding];
    char when[64];

    if (password == NULL) {
        apw_output_line("%-24s  %s", name, found->user->name);
        return;
    }
    format_when(report, found, when, sizeof when);
    apw_output_line("%-24s  %s  %s  %s%s", name, found->user->name,
                    password->id[0] != '\0' ? password->id : "?", password->record.label, when);
}

static void print_found(struct report *report, const struct found *found)
{
    report->count[found->finding]++;
    apw_progress_hide();
    switch (report->format) {
    case APW_REPORT_TEXT:
        print_text(report, found);
        break;
    case APW_REPORT_JSON:
        fputs(report->printed > 0 ? ",\n  " : "[\n  ", stdout);
        if (apw_json_print_finding(finding_names[found->finding], found->user, found->password,
                                   found->would_end) != 0)
            report->is_out_of_memory = true;
        break;
    case APW_REPORT_CSV:
        print_csv(report, found);
        break;
    }
    report->printed++;
}

static void print(struct report *report, enum finding finding, const struct apw_user *user,
                  const struct apw_managed_password *password)
{
    print_found(report, &(struct found){finding, user, password, APW_POLICY_NEVER});
}

static void print_exceeding(struct report *report, const struct apw_user *user,
                            const struct apw_managed_password *password)
{
    struct found found = {EXCEEDING, user, password, APW_POLICY_NEVER};

    if (!apw_finding_exceeds(password, report->now, report->lifetime_s, &found.would_end))
        return;
    report->ended += found.would_end <= report->now;
    print_found(report, &found);
}

static void print_start(const struct report *report)
{
    if (report->format == APW_REPORT_CSV)
        printf("finding,user,dn,id,label,created,expires,last_used%s\n",
               report->is_wanted[EXCEEDING] ? ",would_end" : "");
}

static void print_end(const struct report *report)
{
    if (report->format == APW_REPORT_JSON)
        puts(report->printed > 0 ? "\n]" : "[]");
    for (int i = 0; i < FINDING_COUNT; i++)
        if (report->is_wanted[i])
            apw_say(NULL, "%s: %zu", finding_names[i], report->count[i]);
    if (report->is_wanted[EXCEEDING])
        apw_say(NULL, "of these, %zu would end at once", report->ended);
    if (report->orphans > 0)
        apw_say(
            NULL,
            "entries of the store that belong to nobody in the users' directory: %zu; their "
            "users were deleted, or id_attribute, base or the rights of the identity that reads "
            "users are not right",
            report->orphans);
}

/* ---- the searches ---- */

static int look_at_user(void *context, const struct apw_user *user)
{
    struct report *report = context;
    bool is_disabled =
        user->password_count > 0 && report->is_wanted[DISABLED] &&
        apw_manage_account_state(report->manager, user, &report->error) != APW_ACCOUNT_STATE_ACTIVE;

    report->seen++;
    report->orphans += user->is_orphan;
    for (size_t i = 0; i < user->password_count; i++) {
        const struct apw_managed_password *password = &user->password[i];

        if (report->is_wanted[EXPIRED] && apw_finding_is_expired(password, report->now))
            print(report, EXPIRED, user, password);
        if (report->is_wanted[EXPIRING] &&
            apw_finding_is_expiring(password, report->now, report->expiring_s))
            print(report, EXPIRING, user, password);
        if (report->is_wanted[UNUSED] &&
            apw_unused_is(user, password, report->now, report->unused_s))
            print(report, UNUSED, user, password);
        if (report->is_wanted[EXCEEDING])
            print_exceeding(report, user, password);
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

    report->seen++;
    if (user->password_count == 0) /* tombstones open nothing */
        print(report, WITHOUT, user, NULL);
    apw_progress_step();
    return report->is_out_of_memory ? -1 : 0;
}

static enum apw_manage_result
search_without(struct report *report, const struct apw_manager *manager, struct apw_error *error)
{
    /* Without a store: provided that this identity may look for app passwords. */
    static const char readable[] = "(|(appPassword=*)(!(appPassword=*)))";

    return apw_finding_each_with_mfa(manager,
                                     apw_config_has_store(manager->config) ? NULL : readable,
                                     look_at_user_without, report, error);
}

/* A count that cannot be read is a finding, too: the page then checks no codes. */
static int look_at_factors(void *context, const struct apw_user *user)
{
    struct report *report = context;
    struct apw_error error = {""};

    report->seen++;
    if (report->is_wanted[GUESSED] && apw_finding_is_guessed(user, report->now, &error))
        print(report, GUESSED, user, NULL);
    if (report->is_wanted[SINGLE] && apw_finding_is_single(user))
        print(report, SINGLE, user, NULL);
    apw_progress_step();
    return report->is_out_of_memory ? -1 : 0;
}

static enum apw_manage_result
search_factors(struct report *report, const struct apw_manager *manager, struct apw_error *error)
{
    struct apw_manager reading = *manager;

    apw_progress_begin("users with second factors", 0);
    reading.with_enrolment = true;
    return apw_user_each_holder(&reading, "(appPasswordMfaMethod=*)", look_at_factors, report,
                                error);
}

/* If no uses are recorded, every app password would look unused. */
static enum apw_manage_result check_uses(struct report *report, const struct apw_manager *manager,
                                         struct apw_error *error)
{
    enum apw_manage_result result;
    bool has_uses;

    if (!report->is_wanted[UNUSED])
        return APW_MANAGE_DONE;
    result = apw_unused_has_uses(manager, report->now, report->unused_s, &has_uses, error);
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

    print_start(report);
    for (int i = EXPIRED; i <= COSTLY; i++)
        is_about_passwords = is_about_passwords || report->is_wanted[i];
    if (result == APW_MANAGE_DONE && is_about_passwords) {
        apw_progress_begin("users with app passwords", 0);
        result = apw_user_each_holder(manager, "(appPassword=*)", look_at_user, report, &error);
    }
    if (result == APW_MANAGE_DONE && report->is_wanted[WITHOUT])
        result = search_without(report, manager, &error);
    if (result == APW_MANAGE_DONE && (report->is_wanted[GUESSED] || report->is_wanted[SINGLE]))
        result = search_factors(report, manager, &error);
    if (result == APW_MANAGE_DONE && report->seen == 0)
        result = apw_rights_check_any(manager, &error);
    apw_progress_end();
    print_end(report);
    if (report->is_out_of_memory)
        apw_error_set(&error, "out of memory");
    if (result != APW_MANAGE_DONE || report->is_out_of_memory)
        apw_say(NULL, "the report is not complete: %s", error.text);
    return report->is_out_of_memory ? APW_STATUS_UNAVAILABLE : apw_status_of(result);
}

/* ---- the command ---- */

/* If no finding is asked for, all are, but for users with a single second factor, who may be most,
 * and for what needs a period. */
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
        report->is_wanted[i] = options->is_given[i] || (!is_any && i != SINGLE && i != EXCEEDING);
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
         apw_option_period("--unused", options->value[UNUSED], &report->unused_s) != 0) ||
        (options->is_given[EXCEEDING] &&
         apw_option_period("--max-lifetime", options->value[EXCEEDING], &report->lifetime_s) != 0))
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
