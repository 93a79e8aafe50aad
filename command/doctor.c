#include "doctor.h"
#include "command.h"
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>

#define LINE_SIZE 2048

__attribute__((format(printf, 3, 0))) static void
print_finding(const char *kind, const char *subject, const char *format, va_list arguments)
{
    char words[LINE_SIZE], line[LINE_SIZE + 512];

    vsnprintf(words, sizeof words, format, arguments);
    snprintf(line, sizeof line, "%-7s  %s: %s", kind, subject, words);
    puts(apw_say_printable(line));
}

void apw_doctor_good(struct apw_doctor *doctor, const char *subject, const char *format, ...)
{
    va_list arguments;

    doctor->good++;
    va_start(arguments, format);
    print_finding("ok", subject, format, arguments);
    va_end(arguments);
}

void apw_doctor_problem(struct apw_doctor *doctor, const char *subject, const char *format, ...)
{
    va_list arguments;

    doctor->problems++;
    va_start(arguments, format);
    print_finding("PROBLEM", subject, format, arguments);
    va_end(arguments);
}

void apw_doctor_unknown(struct apw_doctor *doctor, const char *subject, const char *format, ...)
{
    va_list arguments;

    doctor->unknown++;
    va_start(arguments, format);
    print_finding("unknown", subject, format, arguments);
    va_end(arguments);
}

void apw_doctor_mend(const char *format, ...)
{
    char words[LINE_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    printf("         mend: %s\n", apw_say_printable(words));
}

void apw_doctor_note(const char *subject, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print_finding("-", subject, format, arguments);
    va_end(arguments);
}

/* ---- the command ---- */

#define SECRET_MAX 1024

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
            .help = "also what this user may do; reads the password like check"},
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

static void look_at_directory(struct apw_doctor *doctor, const struct apw_config *config,
                              const struct apw_session *session, const struct request *request)
{
    struct apw_doctor_directory look = {.config = config,
                                        .session = session,
                                        .as_dn = request->as_dn,
                                        .mfa_user = request->mfa_user};
    struct apw_error error = {""};
    char password[SECRET_MAX + 1] = "";
    size_t length = 0;

    if (request->as_dn != NULL) {
        if (apw_prompt_input("Password of the user of --as: ", password, sizeof password - 1,
                             &length, &error) != 0 ||
            length == 0)
            apw_doctor_unknown(doctor, "--as", "no password for %s %s", request->as_dn, error.text);
        else
            look.as_password = password;
    }
    apw_doctor_directory(doctor, &look);
    sodium_memzero(password, sizeof password);
}

/* The configuration as the mail server reads it, and all that it leads to. */
static enum apw_status look_at_set_up(struct apw_doctor *doctor,
                                      const struct apw_invocation *invocation,
                                      const struct request *request, unsigned *hash_memory_mib_r)
{
    struct apw_config *config = NULL;
    struct apw_session session = {.config = NULL};
    struct apw_error error = {""};
    bool is_managed = apw_session_is_managed(invocation);
    enum apw_status status;

    if (apw_config_read(invocation->config_path, &config, &error) != 0) {
        apw_doctor_problem(doctor, "configuration", "%s", error.text);
        apw_doctor_mend("set that line right, or run this as root if a file cannot be read");
        return APW_STATUS_DONE;
    }
    apw_doctor_good(doctor, "configuration", "%s", config->path);
    *hash_memory_mib_r = config->hash_memory_mib;
    status = is_managed ? apw_session_open(invocation, &session) : APW_STATUS_DONE;
    if (status == APW_STATUS_DONE) {
        apw_doctor_files(doctor, config, is_managed ? &session.identity : NULL);
        look_at_directory(doctor, config, is_managed ? &session : NULL, request);
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
    if (request_r->as_dn != NULL && !apw_dn_is_valid(request_r->as_dn))
        return apw_say_usage("--as \"%s\" is not a DN like uid=alice,ou=people,dc=example,dc=org",
                             request_r->as_dn);
    return APW_STATUS_DONE;
}

static enum apw_status run(const struct apw_invocation *invocation,
                           const struct apw_options *options)
{
    struct request request;
    struct apw_doctor doctor = {.good = 0};
    unsigned hash_memory_mib = 8;
    enum apw_status status = read_request(options, &request);

    if (status == APW_STATUS_DONE)
        status = look_at_set_up(&doctor, invocation, &request, &hash_memory_mib);
    if (status != APW_STATUS_DONE)
        return status;
    if (request.sasl_path != NULL)
        apw_doctor_sasl(&doctor, request.sasl_path);
    if (request.dovecot_path != NULL)
        apw_doctor_dovecot(&doctor, request.dovecot_path, hash_memory_mib);
    printf("%u good, %u problems, %u unknown\n", doctor.good, doctor.problems, doctor.unknown);
    return doctor.problems + doctor.unknown > 0 ? APW_STATUS_FAILED : APW_STATUS_DONE;
}

const struct apw_command apw_command_doctor = {
    .name = "doctor",
    .options = table,
    .usage = "",
    .help = "check the whole setup and report what is wrong",
    .run = run,
};
