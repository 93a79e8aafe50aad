/* SPDX-License-Identifier: BSD-2-Clause */
#include "front.h"
#include "clock.h"
#include "log.h"
#include "login.h"
#include "name.h"
#include "recorder.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_REFUSAL_DELAY_MS 1000

struct apw_front {
    struct apw_config *config;
    struct apw_directory *directory; /* NULL: the configuration is broken */
    struct apw_directory *store;     /* NULL: there is none */
    struct apw_log *log;
    struct apw_recorder *recorder;   /* NULL: last use is not recorded */
    struct apw_repeat_table *repeat; /* NULL: repetitions are not noticed */
    struct apw_tags *remember;       /* NULL: every hash is computed */
    struct apw_tags *names;          /* NULL: an accepted name is looked up each time */
    struct apw_witness mfa_witness;
    struct apw_witness disabled_witness;
    struct apw_error broken;
};

static int open_directories(struct apw_front *front, struct apw_error *error)
{
    const struct apw_config *config = front->config;
    const struct apw_directory_settings store =
        apw_config_store_settings(config, &config->store.uris, &config->store.identity);
    const struct apw_directory_settings users =
        apw_config_directory_settings(config, &config->uris, &config->identity);

    if (apw_config_has_store(config) && apw_directory_new(&store, &front->store, error) != 0)
        return -1;
    return apw_directory_new(&users, &front->directory, error);
}

/* Everything that needs a valid configuration. */
static int prepare(struct apw_front *front, const char *config_path, struct apw_error *error)
{
    if (apw_config_read(config_path, &front->config, error) != 0 ||
        apw_log_open(front->config, &front->log, error) != 0)
        return -1;
    if (open_directories(front, error) != 0)
        return -1;
    if (front->config->record_use_s == 0 ||
        apw_recorder_new(front->config, front->store != NULL ? front->store : front->directory,
                         front->log, &front->recorder, error) == 0)
        return 0;
    apw_directory_free(&front->directory);
    return -1;
}

/* The log that the broken configuration names, if that can be opened; else syslog. */
static int open_log_of_broken(struct apw_front *front, const char *config_path,
                              struct apw_error *error)
{
    struct apw_error ignored;
    struct apw_config *config;
    int status = -1;

    if (apw_config_read_log(config_path, &config, &ignored) == 0)
        status = apw_log_open(config, &front->log, &ignored);
    apw_config_free(&config);
    return status == 0 ? 0 : apw_log_open(NULL, &front->log, error);
}

int apw_front_open(const char *config_path, struct apw_front **front_r, struct apw_error *error)
{
    struct apw_front *front = calloc(1, sizeof *front);

    *front_r = NULL;
    error->text[0] = '\0';
    if (front == NULL)
        return apw_error_set(error, "out of memory");
    if (sodium_init() < 0) {
        free(front);
        return apw_error_set(error, "no random numbers from the system");
    }
    if (prepare(front, config_path, &front->broken) != 0)
        *error = front->broken;
    if (front->log == NULL && open_log_of_broken(front, config_path, error) != 0) {
        apw_front_close(&front);
        return -1;
    }
    if (front->directory != NULL && front->config->remember > 0)
        apw_remember_new(front->config->remember, &front->remember,
                         &(struct apw_error){""}); /* optional */
    if (front->directory != NULL)
        apw_repeat_new(&front->repeat, &(struct apw_error){""}); /* optional */
    if (front->directory != NULL && front->config->login_attribute != NULL)
        apw_tags_new(APW_NAME_S, APW_NAMES_MAX, &front->names,
                     &(struct apw_error){""}); /* optional */
    if (front->config != NULL) {               /* the directories have their own copies */
        apw_identity_wipe(&front->config->identity);
        apw_identity_wipe(&front->config->store.identity);
    }
    *front_r = front;
    return 0;
}

void apw_front_close(struct apw_front **front)
{
    if (*front == NULL)
        return;
    apw_recorder_free(&(*front)->recorder);
    apw_repeat_free(&(*front)->repeat);
    apw_tags_free(&(*front)->remember);
    apw_tags_free(&(*front)->names);
    apw_directory_free(&(*front)->directory);
    apw_directory_free(&(*front)->store);
    apw_config_free(&(*front)->config);
    apw_log_close(&(*front)->log);
    free(*front);
    *front = NULL;
}

bool apw_front_take_loss(struct apw_front *front, struct apw_error *loss_r)
{
    return apw_log_take_loss(front->log, loss_r);
}

int apw_front_refusal_delay_ms(const struct apw_front *front)
{
    return front->config != NULL ? front->config->refusal_delay_ms : DEFAULT_REFUSAL_DELAY_MS;
}

/* The directory, and what this process remembers. `store_r` is filled if there is a store. */
static struct apw_world world_of(struct apw_front *front, struct apw_world *store_r)
{
    struct apw_world world = apw_world_of(front->directory);

    world.remember = front->remember;
    world.repeat = front->repeat;
    world.names = front->names;
    world.mfa_witness = &front->mfa_witness;
    world.disabled_witness = &front->disabled_witness;
    if (front->store != NULL) {
        *store_r = apw_world_of(front->store);
        store_r->mfa_witness = &front->mfa_witness; /* the flag is in one of them */
        world.store = store_r;
    }
    return world;
}

void apw_front_verify(struct apw_front *front, const struct apw_attempt *attempt, bool wait,
                      struct apw_decision *decision_r)
{
    int64_t start = apw_clock_monotonic_ms();
    struct apw_world store, world = world_of(front, &store);

    apw_verify(front->directory != NULL ? front->config : NULL, &world, attempt,
               start - attempt->waited_ms +
                   (front->directory != NULL ? front->config->deadline_ms : 0),
               decision_r);
    if (decision_r->event.reason == APW_REASON_CONFIGURATION)
        decision_r->event.detail = front->broken;
    apw_log_event(front->log, &decision_r->event);
    if (decision_r->use_dn != NULL && front->recorder != NULL)
        apw_recorder_note(front->recorder, decision_r->use_dn, &decision_r->use);
    if (wait && decision_r->event.verdict == APW_REFUSED)
        apw_clock_sleep_until_ms(start + 1 +
                                 apw_front_refusal_delay_ms(front)); /* start is rounded down */
}

/* The attempt, with white space and invisible characters trimmed from the ends of its login. A
 * malformed login stays as it is, for apw_verify() to refuse. */
static struct apw_attempt trim(const struct apw_attempt *attempt, char login_r[APW_LOGIN_SIZE])
{
    struct apw_attempt trimmed = *attempt;

    if (apw_login_canonicalize(attempt->login, attempt->login_length, NULL, login_r) == 0) {
        trimmed.login = login_r;
        trimmed.login_length = strlen(login_r);
    }
    return trimmed;
}

void apw_front_verify_typed(struct apw_front *front, const struct apw_attempt *attempt, bool wait,
                            struct apw_decision *decision_r)
{
    char login[APW_LOGIN_SIZE];
    struct apw_attempt trimmed = trim(attempt, login);

    apw_front_verify(front, &trimmed, wait, decision_r);
}

static void log_no_answer(struct apw_front *front, const struct apw_event *event)
{
    char text[sizeof event->detail.text + 128];

    snprintf(text, sizeof text, "cannot tell whether a user exists: %s%s%s",
             apw_reason_name(event->reason), event->detail.text[0] == '\0' ? "" : ": ",
             event->detail.text);
    apw_log_warning(front->log, text);
}

enum apw_existence apw_front_look_up(struct apw_front *front, const struct apw_attempt *attempt,
                                     struct apw_decision *decision_r)
{
    char login[APW_LOGIN_SIZE];
    struct apw_attempt trimmed = trim(attempt, login);
    struct apw_world store, world = world_of(front, &store);
    int64_t budget_ms = front->directory != NULL ? front->config->deadline_ms : 0;
    enum apw_existence existence =
        apw_verify_existence(front->directory != NULL ? front->config : NULL, &world, &trimmed,
                             apw_clock_monotonic_ms() + budget_ms, decision_r);

    if (decision_r->event.reason == APW_REASON_CONFIGURATION)
        decision_r->event.detail = front->broken;
    if (existence == APW_EXISTENCE_UNAVAILABLE)
        log_no_answer(front, &decision_r->event);
    return existence;
}
