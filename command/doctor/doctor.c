#include "doctor/doctor.h"
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

struct request {
    const char *sasl_path;
    const char *dovecot_path;
    const char *as_dn;
    const char *mfa_user;
};

static int read_options(int argc, char **argv, struct request *request)
{
    enum { SASL = APW_OPTION_COMMAND, DOVECOT, AS, MFA_USER };
    static const struct option longs[] = {
        {"sasl", required_argument, NULL, SASL}, {"dovecot", required_argument, NULL, DOVECOT},
        {"as", required_argument, NULL, AS},     {"mfa-user", required_argument, NULL, MFA_USER},
        {"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0},
    };

    apw_option_begin();
    for (;;) {
        int found = apw_option_next(argc, argv, "h", longs);

        switch (found) {
        case SASL:
            request->sasl_path = optarg;
            break;
        case DOVECOT:
            request->dovecot_path = optarg;
            break;
        case AS:
            request->as_dn = optarg;
            break;
        case MFA_USER:
            request->mfa_user = optarg;
            break;
        default:
            return found;
        }
    }
}

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

static enum apw_status check_arguments(int argc, char **argv, const struct request *request)
{
    if (optind < argc)
        return apw_say_usage("doctor takes no \"%s\"; one who must have MFA is named by "
                             "--mfa-user",
                             argv[optind]);
    if (request->as_dn != NULL && !apw_dn_is_valid(request->as_dn))
        return apw_say_usage("--as \"%s\" is not a DN like uid=alice,ou=people,dc=example,dc=org",
                             request->as_dn);
    return APW_STATUS_DONE;
}

enum apw_status apw_command_doctor(const struct apw_invocation *invocation, int argc, char **argv)
{
    struct request request = {.sasl_path = NULL};
    struct apw_doctor doctor = {.good = 0};
    unsigned hash_memory_mib = 8;
    int found = read_options(argc, argv, &request);
    enum apw_status status;

    if (found != APW_OPTION_END)
        return apw_option_outcome(found);
    status = check_arguments(argc, argv, &request);
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
