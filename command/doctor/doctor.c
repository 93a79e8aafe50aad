/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor: checks a whole installation and says what is wrong and how to fix it.
 */
#include "command.h"
#include "doctor/diagnosis.h"
#include "doctor/doubles.h"
#include "doctor/dovecot.h"
#include "doctor/files.h"
#include "doctor/logging.h"
#include "doctor/mfa.h"
#include "doctor/rights.h"
#include "doctor/sasl.h"
#include "doctor/servers.h"
#include "doctor/values.h"
#include "doctor/view.h"
#include "doctor/writers.h"
#include "ldap/schema.h"
#include "prompt.h"
#include "say.h"
#include "secret.h"
#include "session.h"
#include <sodium.h>
#include <stdio.h>

enum { SASL, DOVECOT, AS, MFA_USER };

static const struct apw_option table[] = {
    [SASL] = {.name = "sasl",
              .argument = "FILE",
              .help = "also libsasl2: Postfix's sasl/smtpd.conf"},
    [DOVECOT] = {.name = "dovecot",
                 .argument = "FILE",
                 .help = "also Dovecot: output of doveconf -n"},
    [AS] = {.name = "as",
            .argument = "DN",
            .help = "what users may do, tried as this one; reads the password like check"},
    [MFA_USER] = {.name = "mfa-user", .argument = "LOGIN", .help = "a user who must have MFA on"},
    APW_OPTION_HELP,
    APW_OPTION_LAST,
};

struct request {
    const char *sasl_path;
    const char *dovecot_path;
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

/* Quotes the text for a shell, so that the line can be copied. Truncates it if it is too long. */
static void quote(const char *text, char *quoted_r, size_t size)
{
    size_t length = 0;

    quoted_r[length++] = '\'';
    for (; *text != '\0' && length + 6 < size; text++) {
        if (*text == '\'')
            length += (size_t)snprintf(quoted_r + length, size - length, "'\\'");
        quoted_r[length++] = *text;
    }
    snprintf(quoted_r + length, size - length, "'");
}

static void suggest_user(const struct apw_doctor_view *view)
{
    char dn[1024];

    quote(view->sample != NULL ? view->sample : "DN of a user", dn, sizeof dn);
    apw_diagnosis_unknown(view->diagnosis, "--as", "what users may write was not checked");
    apw_diagnosis_fix("app-password doctor --as %s   # any user whose password you know", dn);
}

/* `as_password` is NULL without --as. */
static void check_content(const struct apw_doctor_view *view, const struct request *request,
                          const char *as_password)
{
    apw_doctor_rights_check(view);
    apw_doctor_writers_check(view);
    apw_doctor_mfa_check(view);
    if (request->mfa_user != NULL)
        apw_doctor_mfa_check_user(view, request->mfa_user);
    apw_doctor_values_check(view);
    apw_doctor_doubles_check(view);
    if (as_password != NULL)
        apw_doctor_rights_check_user(view, request->as_dn, as_password);
    else if (request->as_dn == NULL)
        suggest_user(view);
}

static void check_directory(struct apw_doctor_view *view, const struct request *request)
{
    struct apw_diagnosis *diagnosis = view->diagnosis;
    unsigned before = diagnosis->problems;
    char password[APW_SECRET_BYTES_MAX + 1] = "";
    bool has_password = request->as_dn != NULL && ask_password(diagnosis, request->as_dn, password);

    apw_doctor_servers_check(view);
    if (view->directory != NULL) { /* else each server had the same error */
        apw_doctor_view_find_sample(view);
        if (diagnosis->problems == before || view->sample != NULL)
            check_content(view, request, has_password ? password : NULL);
        else
            apw_diagnosis_unknown(diagnosis, "rights",
                                  "not checked until the problems above are fixed");
    }
    sodium_memzero(password, sizeof password);
}

/* The mail server's configuration, and everything that it names. */
static enum apw_status check_configuration(struct apw_diagnosis *diagnosis,
                                           const struct apw_invocation *invocation,
                                           const struct request *request,
                                           unsigned *hash_memory_mib_r)
{
    struct apw_config *config = NULL;
    struct apw_session session = {.config = NULL};
    struct apw_doctor_view view;
    struct apw_error error = {""};
    bool is_managed = apw_session_is_managed(invocation);
    enum apw_status status;

    if (apw_config_read(invocation->config_path, &config, &error) != 0) {
        apw_diagnosis_problem(diagnosis, "configuration", "%s", error.text);
        apw_diagnosis_fix("correct that line or add what is missing; or run this as root if a file "
                          "cannot be read");
        return APW_STATUS_DONE;
    }
    apw_diagnosis_good(diagnosis, "configuration", "%s", config->path);
    *hash_memory_mib_r = config->hash_memory_mib;
    status = is_managed ? apw_session_open(invocation, &session) : APW_STATUS_DONE;
    if (status == APW_STATUS_DONE) {
        apw_doctor_files_check(diagnosis, config, is_managed ? &session.identity : NULL);
        apw_doctor_logging_check(diagnosis, config);
        apw_doctor_view_open(diagnosis, config, is_managed ? &session : NULL, &view);
        check_directory(&view, request);
        apw_doctor_view_close(&view);
    }
    apw_session_close(&session);
    apw_config_free(&config);
    return status;
}

static enum apw_status read_request(const struct apw_options *options, struct request *request_r)
{
    *request_r = (struct request){
        .sasl_path = options->value[SASL],
        .dovecot_path = options->value[DOVECOT],
        .as_dn = options->value[AS],
        .mfa_user = options->value[MFA_USER],
    };
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
    struct apw_diagnosis diagnosis = {.good = 0};
    unsigned hash_memory_mib = 8;
    enum apw_status status = read_request(options, &request);

    if (status == APW_STATUS_DONE)
        status = check_configuration(&diagnosis, invocation, &request, &hash_memory_mib);
    if (status != APW_STATUS_DONE)
        return status;
    if (request.sasl_path != NULL)
        apw_doctor_sasl_check(&diagnosis, request.sasl_path);
    if (request.dovecot_path != NULL)
        apw_doctor_dovecot_check(&diagnosis, request.dovecot_path, hash_memory_mib);
    apw_diagnosis_print_counts(&diagnosis);
    return apw_diagnosis_is_clean(&diagnosis) ? APW_STATUS_DONE : APW_STATUS_FAILED;
}

const struct apw_command apw_command_doctor = {
    .name = "doctor",
    .options = table,
    .usage = "",
    .help = "check the whole setup and report what is wrong",
    .run = run,
};
