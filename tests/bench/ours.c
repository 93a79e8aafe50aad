/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A login by a program that links lib/, with and without a connection to the directory.
 */
#include "clock.h"
#include "front.h"
#include "operation.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ours {
    struct apw_front *front;         /* for a login */
    struct apw_config *config;       /* for a login that connects first: the parts of a front */
    struct apw_directory *directory; /* so that the connection can be closed */
    struct apw_tags *remember;
    const char *user;
    const char *password;
    const char *reason; /* the expected one */
};

static struct ours *new_ours(char *const *word)
{
    struct ours *ours = calloc(1, sizeof *ours);

    ours->user = word[1];
    ours->password = word[2];
    ours->reason = word[3];
    return ours;
}

static struct apw_attempt attempt_of(const struct ours *ours, const char *name)
{
    return (struct apw_attempt){.login = name,
                                .login_length = strlen(name),
                                .password = ours->password,
                                .password_length = strlen(ours->password),
                                .service = "smtp",
                                .client = "192.0.2.17"};
}

static bool is_as_expected(const struct ours *ours, struct apw_decision *decision)
{
    bool is_expected = strcmp(apw_reason_name(decision->event.reason), ours->reason) == 0;

    if (!is_expected)
        fprintf(stderr, "%s instead of %s: %s\n", apw_reason_name(decision->event.reason),
                ours->reason, decision->event.detail.text);
    apw_verify_clear(decision);
    return is_expected;
}

static void *login_open(char *const *word)
{
    struct ours *ours = new_ours(word);
    struct apw_error error;

    if (apw_front_open(word[0], &ours->front, &error) != 0 || error.text[0] != '\0')
        fail("%s: %s", word[0], error.text);
    return ours;
}

static bool login_run(void *state, unsigned user)
{
    struct ours *ours = state;
    struct apw_decision decision;
    struct apw_attempt attempt;
    char name[NAME_SIZE];

    user_name(ours->user, user, name);
    attempt = attempt_of(ours, name);
    apw_front_verify(ours->front, &attempt, false, &decision);
    return is_as_expected(ours, &decision);
}

const struct kind login_kind = {"login", "CONFIG, USER, PASSWORD, REASON", 4, login_open, login_run,
                                NULL};

static void *reconnect_open(char *const *word)
{
    struct ours *ours = new_ours(word);
    struct apw_error error;
    struct apw_directory_settings settings;

    if (apw_config_read(word[0], &ours->config, &error) != 0)
        fail("%s", error.text);
    settings = (struct apw_directory_settings){
        .uris = &ours->config->uris,
        .identity = &ours->config->identity,
        .start_tls = ours->config->start_tls,
        .tls_cacert = ours->config->tls_cacert,
        .tls_min = ours->config->tls_min,
        .timeout_ms = ours->config->timeout_ms,
    };
    if (apw_directory_new(&settings, &ours->directory, &error) != 0 ||
        apw_remember_new(ours->config->remember, &ours->remember, &error) != 0)
        fail("%s: %s", word[0], error.text);
    return ours;
}

static void reconnect_before(void *state)
{
    struct ours *ours = state;

    apw_directory_disconnect(ours->directory);
}

static bool reconnect_run(void *state, unsigned user)
{
    struct ours *ours = state;
    struct apw_world world = apw_world_of(ours->directory);
    struct apw_decision decision;
    struct apw_attempt attempt;
    char name[NAME_SIZE];

    user_name(ours->user, user, name);
    attempt = attempt_of(ours, name);
    world.remember = ours->remember;
    apw_verify(ours->config, &world, &attempt, apw_clock_monotonic_ms() + ours->config->deadline_ms,
               &decision);
    return is_as_expected(ours, &decision);
}

const struct kind reconnect_kind = {
    "reconnect",     "CONFIG, USER, PASSWORD, REASON", 4, reconnect_open, reconnect_run,
    reconnect_before};
