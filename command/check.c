#include "clock.h"
#include "command.h"
#include "event.h"
#include "login.h"
#include "network.h"
#include "service.h"
#include "verify.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* One byte more than a login may send, so that a longer password is seen to be too long. */
#define PASSWORD_SIZE (APW_PASSWORD_BYTES_MAX + 1)

static int read_options(int argc, char **argv, struct apw_attempt *attempt)
{
    enum { SERVICE = APW_OPTION_COMMAND, CLIENT };
    static const struct option longs[] = {
        {"service", required_argument, NULL, SERVICE},
        {"client", required_argument, NULL, CLIENT},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };

    apw_option_begin();
    for (;;) {
        int found = apw_option_next(argc, argv, "h", longs);

        if (found == SERVICE)
            attempt->service = optarg;
        else if (found == CLIENT)
            attempt->client = optarg;
        else
            return found;
    }
}

static enum apw_status check_arguments(const struct apw_invocation *invocation, int argc,
                                       const struct apw_attempt *attempt)
{
    char service[APW_SERVICE_SIZE];
    struct apw_address address;

    if (invocation->uris != NULL || invocation->binddn != NULL || invocation->secret_path != NULL ||
        invocation->is_prompting || invocation->mechanism != NULL)
        return apw_say_usage("check asks as the mail server does; leave -H, -D, -y, -W and -Y out");
    if (optind == argc)
        return apw_say_usage("check: the login of which USER?");
    if (optind + 1 < argc)
        return apw_say_usage("check: one USER; the password is never an argument, it comes from "
                             "standard input or a prompt");
    if (attempt->service != NULL &&
        apw_service_canonicalise(attempt->service, strlen(attempt->service), service) != 0)
        return apw_say_usage("--service: \"%s\" is not the name of a service, like smtp",
                             attempt->service);
    if (attempt->client != NULL && apw_address_parse(attempt->client, &address) != 0)
        return apw_say_usage("--client: \"%s\" is not an address like 192.0.2.7 or 2001:db8::7",
                             attempt->client);
    return APW_STATUS_DONE;
}

static enum apw_status status_of(const struct apw_decision *decision)
{
    switch (decision->verdict) {
    case APW_ACCEPTED:
        return APW_STATUS_DONE;
    case APW_REFUSED:
        return APW_STATUS_FAILED;
    case APW_UNAVAILABLE:
        break;
    }
    return decision->reason == APW_REASON_CONFIGURATION ? APW_STATUS_CONFIGURATION
                                                        : APW_STATUS_UNAVAILABLE;
}

/* Decides about `typed` and prints the line that a login would leave in the log. */
static enum apw_status decide(const struct apw_config *config, struct apw_directory *directory,
                              const char *typed, struct apw_attempt *attempt)
{
    struct apw_world world = apw_world_of(directory);
    int64_t deadline = apw_clock_monotonic_ms() + config->deadline_ms;
    struct apw_decision decision;
    char login[APW_LOGIN_SIZE], line[APW_EVENT_SIZE];
    enum apw_status status;

    /* As the hosts do; what cannot be a login goes in as it is and is refused there. */
    attempt->login = apw_login_canonicalise(typed, strlen(typed), NULL, login) == 0 ? login : typed;
    attempt->login_length = strlen(attempt->login);
    apw_verify(config, &world, attempt, deadline, &decision);
    apw_event_format(&decision, line);
    puts(line);
    status = status_of(&decision);
    apw_decision_clear(&decision);
    return status;
}

static enum apw_status run(const struct apw_config *config, const char *login,
                           struct apw_attempt *attempt)
{
    enum apw_status status = APW_STATUS_CONFIGURATION;
    struct apw_directory *directory = NULL;
    struct apw_error error = {""};
    char password[PASSWORD_SIZE], question[128];

    if (apw_session_connect(config, &config->uris, &config->identity, &directory, &error) != 0) {
        apw_say(NULL, "%s", error.text);
        return APW_STATUS_CONFIGURATION;
    }
    snprintf(question, sizeof question, "Password of %.100s: ", login);
    if (apw_prompt_input(question, password, sizeof password, &attempt->password_length, &error) !=
        0) {
        apw_say(NULL, "%s", error.text);
        status = APW_STATUS_FAILED;
    } else {
        attempt->password = password;
        status = decide(config, directory, login, attempt);
    }
    sodium_memzero(password, sizeof password);
    apw_directory_free(&directory);
    return status;
}

enum apw_status apw_command_check(const struct apw_invocation *invocation, int argc, char **argv)
{
    struct apw_attempt attempt = {.login = NULL};
    struct apw_config *config = NULL;
    struct apw_error error = {""};
    int found = read_options(argc, argv, &attempt);
    enum apw_status status;

    if (found != APW_OPTION_END)
        return apw_option_outcome(found);
    status = check_arguments(invocation, argc, &attempt);
    if (status != APW_STATUS_DONE)
        return status;
    if (apw_config_read(invocation->config_path, &config, &error) != 0) {
        apw_say(NULL, "%s", error.text);
        return APW_STATUS_CONFIGURATION;
    }
    status = run(config, argv[optind], &attempt);
    apw_config_free(&config);
    return status;
}
