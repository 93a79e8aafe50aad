/* SPDX-License-Identifier: BSD-2-Clause */
#include "clock.h"
#include "command.h"
#include "event.h"
#include "login.h"
#include "network.h"
#include "prompt.h"
#include "say.h"
#include "service.h"
#include "session.h"
#include "verify.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* One byte more than a login may send, so that a longer password is recognized as too long. */
#define PASSWORD_SIZE (APW_SECRET_BYTES_MAX + 1)

enum { SERVICE, CLIENT };

static const struct apw_option table[] = {
    [SERVICE] = {.name = "service",
                 .argument = "NAME",
                 .words = "smtp imap pop3 sieve",
                 .help = "at this service"},
    [CLIENT] = {.name = "client", .argument = "ADDRESS", .help = "from this address"},
    APW_OPTION_HELP,
    APW_OPTION_LAST,
};

static enum apw_status check_arguments(const struct apw_invocation *invocation,
                                       const struct apw_options *options)
{
    const char *service = options->value[SERVICE], *client = options->value[CLIENT];
    char canonical[APW_SERVICE_SIZE];
    struct apw_address address;

    if (invocation->uris != NULL || invocation->binddn != NULL || invocation->secret_path != NULL ||
        invocation->is_prompting || invocation->mechanism != NULL)
        return apw_say_usage("check connects as the mail server does: leave out -H, -D, -y, -W and "
                             "-Y");
    if (options->count == 0)
        return apw_say_usage("check: USER is missing");
    if (options->count > 1)
        return apw_say_usage("check: one USER only; the password comes from standard input or a "
                             "prompt, never from an argument");
    if (service != NULL && apw_service_canonicalize(service, strlen(service), canonical) != 0)
        return apw_say_usage("--service: \"%s\" is not a service name like smtp", service);
    if (client != NULL && apw_network_parse_address(client, &address) != 0)
        return apw_say_usage("--client: \"%s\" is not an address like 192.0.2.7 or 2001:db8::7",
                             client);
    return APW_STATUS_DONE;
}

static enum apw_status status_of(const struct apw_decision *decision)
{
    switch (decision->event.verdict) {
    case APW_ACCEPTED:
        return APW_STATUS_DONE;
    case APW_REFUSED:
        return APW_STATUS_FAILED;
    case APW_UNAVAILABLE:
        break;
    }
    return decision->event.reason == APW_REASON_CONFIGURATION ? APW_STATUS_CONFIGURATION
                                                              : APW_STATUS_UNAVAILABLE;
}

/* The mail server's directories. */
struct directories {
    struct apw_directory *users;
    struct apw_directory *store; /* NULL without one */
};

static int connect_both(const struct apw_config *config, struct directories *directories,
                        struct apw_error *error)
{
    if (apw_session_connect(config, &config->uris, &config->identity, &directories->users, error) !=
        0)
        return -1;
    return apw_config_has_store(config)
               ? apw_session_connect_holder(config, &config->store.uris, &config->store.identity,
                                            &directories->store, error)
               : 0;
}

/* Decides, and prints the line that this login would leave in the log. */
static enum apw_status decide(const struct apw_config *config,
                              const struct directories *directories, const char *typed,
                              struct apw_attempt *attempt)
{
    struct apw_world store = apw_world_of(directories->store);
    struct apw_world world = apw_world_of(directories->users);
    int64_t deadline = apw_clock_monotonic_ms() + config->deadline_ms;
    struct apw_decision decision;
    char login[APW_LOGIN_SIZE], line[APW_EVENT_SIZE];
    enum apw_status status;

    world.store = &store;
    /* As the mail servers do; apw_verify() refuses a name that cannot be a login. */
    attempt->login = apw_login_canonicalize(typed, strlen(typed), NULL, login) == 0 ? login : typed;
    attempt->login_length = strlen(attempt->login);
    apw_verify(config, &world, attempt, deadline, &decision);
    apw_event_format(&decision.event, line);
    puts(line);
    status = status_of(&decision);
    apw_verify_clear(&decision);
    return status;
}

static enum apw_status check(const struct apw_config *config, const char *login,
                             struct apw_attempt *attempt)
{
    enum apw_status status = APW_STATUS_CONFIGURATION;
    struct directories directories = {.users = NULL};
    struct apw_error error = {""};
    char password[PASSWORD_SIZE], question[128];

    if (connect_both(config, &directories, &error) != 0) {
        apw_say(NULL, "%s", error.text);
        goto out;
    }
    snprintf(question, sizeof question, "Password of %.100s: ", login);
    if (apw_prompt_input(question, password, sizeof password, &attempt->password_length, &error) !=
        0) {
        apw_say(NULL, "%s", error.text);
        status = APW_STATUS_FAILED;
    } else {
        attempt->password = password;
        status = decide(config, &directories, login, attempt);
    }
    sodium_memzero(password, sizeof password);
out:
    apw_directory_free(&directories.users);
    apw_directory_free(&directories.store);
    return status;
}

static enum apw_status run(const struct apw_invocation *invocation,
                           const struct apw_options *options)
{
    struct apw_attempt attempt = {.service = options->value[SERVICE],
                                  .client = options->value[CLIENT]};
    enum apw_status status = check_arguments(invocation, options);
    struct apw_config *config = NULL;
    struct apw_error error = {""};

    if (status != APW_STATUS_DONE)
        return status;
    if (apw_config_read(invocation->config_path, &config, &error) != 0) {
        apw_say(NULL, "%s", error.text);
        return APW_STATUS_CONFIGURATION;
    }
    status = check(config, options->operand[0], &attempt);
    apw_config_free(&config);
    return status;
}

const struct apw_command apw_command_check = {
    .name = "check",
    .options = table,
    .usage = "USER",
    .help = "would this login be accepted? Reads the password from standard input or asks for it",
    .run = run,
};
