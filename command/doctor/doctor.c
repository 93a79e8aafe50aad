/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor: checks a whole installation and says what is wrong and how to fix it.
 */
#include "command.h"
#include "doctor/diagnosis.h"
#include "doctor/doubles.h"
#include "doctor/dovecot.h"
#include "doctor/files.h"
#include "doctor/flags.h"
#include "doctor/ids.h"
#include "doctor/logging.h"
#include "doctor/mfa.h"
#include "doctor/pam.h"
#include "doctor/portal.h"
#include "doctor/postfix.h"
#include "doctor/remind.h"
#include "doctor/replicas.h"
#include "doctor/rights.h"
#include "doctor/sasl.h"
#include "doctor/sender.h"
#include "doctor/servers.h"
#include "doctor/values.h"
#include "doctor/view.h"
#include "doctor/watch.h"
#include "doctor/writers.h"
#include "ldap/schema.h"
#include "prompt.h"
#include "say.h"
#include "secret.h"
#include "session.h"
#include <sodium.h>
#include <stdio.h>

#define POSTFIX_FOLDER  "/etc/postfix"
#define HASH_MEMORY_MIB 8 /* if the configuration cannot be read */

enum { POSTFIX, SASL, DOVECOT, WATCH, PAM, PORTAL, AS, MFA_USER, JSON };

static const struct apw_option table[] = {
    [POSTFIX] = {.name = "postfix",
                 .argument = "FOLDER",
                 .is_argument_optional = true,
                 .help = "also Postfix: what each smtpd reads; default " POSTFIX_FOLDER},
    [SASL] = {.name = "sasl",
              .argument = "FILE",
              .help = "also libsasl2: a file like imapd.conf or smtpd.conf"},
    [DOVECOT] = {.name = "dovecot",
                 .argument = "FILE",
                 .help = "also Dovecot: output of doveconf -n"},
    [WATCH] = {.name = "watch",
               .argument = "FOLDER",
               .is_argument_optional = true,
               .help = "also app-password-watch: the folder with its heartbeat"},
    [PAM] = {.name = "pam",
             .argument = "SERVICE",
             .is_argument_optional = true,
             .help = "also PAM: this service of /etc/pam.d; default: all that ask our module"},
    [PORTAL] = {.name = "portal",
                .help = "also the page: app-password-portal -t, and its reminders"},
    [AS] = {.name = "as",
            .argument = "DN",
            .help = "what users may do, tried as this one; reads the password like check"},
    [MFA_USER] = {.name = "mfa-user", .argument = "LOGIN", .help = "a user who must have MFA on"},
    [JSON] = {.name = "json", .help = "print the findings as a JSON array"},
    APW_OPTION_HELP,
    APW_OPTION_LAST,
};

struct request {
    const char *postfix_folder; /* NULL: not asked for, like the others */
    const char *sasl_path;
    const char *dovecot_path;
    bool has_watch;
    const char *watch_folder; /* NULL: its default */
    bool has_pam;
    const char *pam_service; /* NULL: all */
    bool has_portal;
    const char *as_dn;
    const char *mfa_user;
};

/* Asks for the password of --as; false, with a message, if there is none. */
static bool ask_password(struct apw_diagnosis *diagnosis, const char *as_dn,
                         char password_r[APW_SECRET_BYTES_MAX + 1])
{
    struct apw_error error = {""};
    size_t length = 0;

    if (apw_prompt_input("Password of the user of --as: ", password_r, APW_SECRET_BYTES_MAX,
                         &length, &error) == 0 &&
        length > 0)
        return true;
    apw_diagnosis_unknown(diagnosis, "--as", "no password for %s %s", as_dn, error.text);
    return false;
}

static void suggest_user(const struct apw_doctor_view *view)
{
    char dn[1024];

    apw_diagnosis_quote(view->sample != NULL ? view->sample : "DN of a user", dn, sizeof dn);
    apw_diagnosis_unknown(view->diagnosis, "--as", "what users may write was not checked");
    apw_diagnosis_fix(view->diagnosis,
                      "app-password doctor --as %s   # any user whose password you know", dn);
}

/* The directories of the site; `store` is NULL without one. */
struct views {
    struct apw_doctor_view *users, *store;
    bool is_store_ready; /* or there is none */
};

/* Checks the servers of one directory, and returns whether its content can be checked. */
static bool prepare(struct apw_doctor_view *view)
{
    unsigned before = view->diagnosis->problems;

    apw_doctor_servers_check(view);
    if (view->directory == NULL) /* each server had the same error */
        return false;
    apw_doctor_view_find_sample(view);
    if (view->diagnosis->problems == before || view->sample != NULL)
        return true;
    apw_diagnosis_unknown(view->diagnosis,
                          apw_doctor_view_is_store(view) ? "store rights" : "rights",
                          "not checked until the problems above are fixed");
    return false;
}

/* What the store alone has, or both together. */
static void check_stored(const struct views *views, const struct request *request)
{
    if (views->store != NULL) {
        apw_doctor_rights_check(views->store, NULL, NULL);
        apw_doctor_replicas_check(views->store);
        apw_doctor_flags_check(views->store);
    }
    apw_doctor_writers_check(views->users->holder);
    apw_doctor_mfa_check(views->users);
    if (request->mfa_user != NULL)
        apw_doctor_mfa_check_user(views->users, request->mfa_user);
    apw_doctor_values_check(views->users);
}

/* `as_password` is NULL without --as. */
static void check_content(const struct views *views, const struct request *request,
                          const char *as_password)
{
    const struct apw_doctor_view *users = views->users;

    apw_doctor_rights_check(users, request->as_dn, as_password);
    if (views->store != NULL)
        apw_doctor_ids_check(users);
    if (views->is_store_ready)
        check_stored(views, request);
    apw_doctor_doubles_check(users);
    if (request->as_dn == NULL)
        suggest_user(users);
}

static void check_directories(struct views *views, const struct request *request)
{
    struct apw_diagnosis *diagnosis = views->users->diagnosis;
    char password[APW_SECRET_BYTES_MAX + 1] = "";
    bool has_password = request->as_dn != NULL && ask_password(diagnosis, request->as_dn, password);
    bool is_ready = prepare(views->users);

    views->is_store_ready = views->store == NULL || prepare(views->store);
    if (is_ready)
        check_content(views, request, has_password ? password : NULL);
    sodium_memzero(password, sizeof password);
}

/* The programs that options name. `view` is NULL if the configuration cannot be read. */
static void check_programs(struct apw_diagnosis *diagnosis, const struct request *request,
                           const struct apw_doctor_view *view, const char *config_path)
{
    const struct apw_config *config = view == NULL ? NULL : view->config;
    struct apw_doctor_sender sender;
    bool has_sender = (request->postfix_folder != NULL || request->dovecot_path != NULL) &&
                      view != NULL && view->directory != NULL &&
                      apw_doctor_sender_find(view, &sender);

    if (request->postfix_folder != NULL)
        apw_doctor_postfix_check(diagnosis, request->postfix_folder, config,
                                 has_sender ? &sender : NULL);
    if (request->sasl_path != NULL)
        apw_doctor_sasl_check(diagnosis, request->sasl_path);
    if (request->dovecot_path != NULL)
        apw_doctor_dovecot_check(diagnosis, request->dovecot_path,
                                 config == NULL ? HASH_MEMORY_MIB : config->hash_memory_mib,
                                 has_sender ? &sender : NULL);
    if (request->has_watch && config != NULL)
        apw_doctor_watch_check(diagnosis, request->watch_folder, config);
    if (request->has_pam)
        apw_doctor_pam_check(diagnosis, request->pam_service);
    if (request->has_portal)
        apw_doctor_portal_check(diagnosis, config_path);
    if (request->has_portal && config != NULL)
        apw_doctor_remind_check(diagnosis, config);
}

/* The configuration, and everything that it names. */
static enum apw_status check_configuration(struct apw_diagnosis *diagnosis,
                                           const struct apw_invocation *invocation,
                                           const struct request *request,
                                           const struct apw_config *config)
{
    struct apw_session session = {.config = NULL};
    struct apw_doctor_view users, store = {.directory = NULL};
    struct views views = {.users = &users};
    bool can_connect, is_managed;
    enum apw_status status = APW_STATUS_DONE;

    apw_diagnosis_good(diagnosis, "configuration", "%s", config->path);
    can_connect = apw_doctor_files_check_ca(diagnosis, config);
    is_managed = can_connect && apw_session_is_managed(invocation);
    if (is_managed)
        status = apw_session_open(invocation, &session);
    if (status == APW_STATUS_DONE) {
        apw_doctor_files_check(diagnosis, config, is_managed ? &session : NULL);
        apw_doctor_logging_check(diagnosis, config);
        apw_doctor_view_open(diagnosis, config, is_managed ? &session : NULL, &users);
        if (apw_config_has_store(config)) {
            apw_doctor_view_open_store(&users, &store);
            views.store = &store;
        }
        if (can_connect)
            check_directories(&views, request);
        else
            apw_diagnosis_unknown(diagnosis, "directory",
                                  "not checked until the certificates are fixed");
        check_programs(diagnosis, request, &users, config->path);
        apw_doctor_view_close(&users);
        apw_doctor_view_close(&store);
    }
    apw_session_close(&session);
    return status;
}

static enum apw_status check_all(struct apw_diagnosis *diagnosis,
                                 const struct apw_invocation *invocation,
                                 const struct request *request)
{
    struct apw_config *config = NULL;
    struct apw_error error = {""};
    enum apw_status status = APW_STATUS_DONE;

    if (apw_config_read(invocation->config_path, &config, &error) == 0) {
        status = check_configuration(diagnosis, invocation, request, config);
    } else {
        apw_diagnosis_problem(diagnosis, "configuration", "%s", error.text);
        apw_diagnosis_fix(diagnosis, "correct that line or add what is missing; or run this as "
                                     "root if a file cannot be read");
        check_programs(diagnosis, request, NULL, invocation->config_path);
    }
    apw_config_free(&config);
    return status;
}

static enum apw_status read_request(const struct apw_options *options, struct request *request_r)
{
    *request_r = (struct request){
        .postfix_folder = options->value[POSTFIX],
        .sasl_path = options->value[SASL],
        .dovecot_path = options->value[DOVECOT],
        .has_watch = options->is_given[WATCH],
        .watch_folder = options->value[WATCH],
        .has_pam = options->is_given[PAM],
        .pam_service = options->value[PAM],
        .has_portal = options->is_given[PORTAL],
        .as_dn = options->value[AS],
        .mfa_user = options->value[MFA_USER],
    };
    if (options->is_given[POSTFIX] && request_r->postfix_folder == NULL)
        request_r->postfix_folder = POSTFIX_FOLDER;
    if (options->count > 0)
        return apw_say_usage("doctor takes no argument \"%s\"; name a user who must have MFA with "
                             "--mfa-user",
                             options->operand[0]);
    if (request_r->as_dn != NULL && !apw_schema_is_dn(request_r->as_dn))
        return apw_say_usage("--as \"%s\" is not a DN like uid=alice,ou=people,dc=example,dc=org",
                             request_r->as_dn);
    return APW_STATUS_DONE;
}

static enum apw_status run(const struct apw_invocation *invocation,
                           const struct apw_options *options)
{
    struct request request;
    struct apw_diagnosis diagnosis = {.is_json = options->is_given[JSON]};
    enum apw_status status = read_request(options, &request);

    if (status == APW_STATUS_DONE)
        status = check_all(&diagnosis, invocation, &request);
    if (status != APW_STATUS_DONE)
        return status;
    if (apw_diagnosis_finish(&diagnosis) != 0)
        return APW_STATUS_UNAVAILABLE;
    return apw_diagnosis_is_clean(&diagnosis) ? APW_STATUS_DONE : APW_STATUS_FAILED;
}

const struct apw_command apw_command_doctor = {
    .name = "doctor",
    .options = table,
    .usage = "",
    .help = "check the whole setup and report what is wrong",
    .run = run,
};
