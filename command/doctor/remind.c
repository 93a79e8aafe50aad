/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/remind.h"
#include "program.h"
#include "remind_state.h"
#include "settings.h"
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SUBJECT "reminders"
#define TIMER   "app-password-remind.timer"
#define HOUR_S  3600
#define LATE_S  (50 * HOUR_S) /* two days, with the delay of the timer */

/* The key `remind` of portal.conf; NULL if it is off. The caller frees it. */
static char *find_topics(const struct apw_config *config)
{
    char path[PATH_MAX], *topics = NULL;
    struct apw_error error = {""};

    if (apw_settings_sibling(config->path, "portal.conf", path, sizeof path, &error) == 0)
        topics = apw_settings_find(path, "remind");
    if (topics == NULL || strcmp(topics, "off") != 0)
        return topics;
    free(topics);
    return NULL;
}

static void check_revocation(struct apw_diagnosis *diagnosis, const struct apw_config *config,
                             const char *topics)
{
    if (config->revoke_unused_s == 0 ||
        (topics != NULL && (strcmp(topics, "all") == 0 || strstr(topics, "unused") != NULL)))
        return;
    apw_diagnosis_problem(
        diagnosis, SUBJECT,
        "revoke_unused is set, but remind in portal.conf is off, or lacks unused: "
        "nothing revokes unused app passwords");
    apw_diagnosis_fix(diagnosis, "remind %s%sunused", topics == NULL ? "" : topics,
                      topics == NULL ? "" : " ");
}

/* Says nothing without systemd: the last run will. */
static void check_timer(struct apw_diagnosis *diagnosis)
{
    const char *const arguments[] = {"systemctl", "show", "--property=ActiveState",
                                     "--value",   TIMER,  NULL};
    char state[64];

    if (apw_program_read(arguments, state, sizeof state) != 0)
        return;
    state[strcspn(state, "\n")] = '\0';
    if (strcmp(state, "active") == 0) {
        apw_diagnosis_good(diagnosis, SUBJECT, TIMER " is on");
        return;
    }
    apw_diagnosis_problem(diagnosis, SUBJECT,
                          TIMER " is %s: unless another host has it, users get no mail",
                          state[0] == '\0' ? "off" : state);
    apw_diagnosis_fix(diagnosis, "systemctl enable --now " TIMER);
}

static void judge(struct apw_diagnosis *diagnosis, const struct apw_remind_state *state)
{
    const struct apw_remind_counts *counts = &state->counts;
    int64_t age = (int64_t)time(NULL) - state->time;

    if (state->time == 0) {
        apw_diagnosis_problem(diagnosis, SUBJECT, "there was no run on this host yet");
        apw_diagnosis_fix(diagnosis, "app-password remind --dry-run   # then wait for the timer");
    } else if (age > LATE_S || age < -HOUR_S) {
        apw_diagnosis_problem(diagnosis, SUBJECT, "the last run was %" PRId64 " hours ago",
                              age / HOUR_S);
        apw_diagnosis_fix(diagnosis, "journalctl -u app-password-remind");
    } else if (state->error.text[0] != '\0') {
        apw_diagnosis_problem(diagnosis, SUBJECT,
                              "in the last run, %u mails failed, and %u wait for the next one: %s",
                              counts->failed, counts->held, state->error.text);
        apw_diagnosis_fix(diagnosis, "journalctl -u app-password-remind");
    } else {
        apw_diagnosis_good(diagnosis, SUBJECT,
                           "the last run, %" PRId64 " hours ago, sent %u mails; users without a "
                           "mail address: %u; app passwords revoked: %u",
                           age / HOUR_S, counts->sent, counts->without_address, counts->revoked);
    }
}

void apw_doctor_remind_check(struct apw_diagnosis *diagnosis, const struct apw_config *config)
{
    char *topics = find_topics(config);
    struct apw_remind_state state;
    struct apw_error error = {""};

    check_revocation(diagnosis, config, topics);
    if (topics == NULL) {
        apw_diagnosis_note(diagnosis, SUBJECT, "off: remind is not set in portal.conf");
        return;
    }
    free(topics);
    check_timer(diagnosis);
    if (apw_remind_state_read(&state, &error) == 0)
        judge(diagnosis, &state);
    else
        apw_diagnosis_unknown(diagnosis, SUBJECT, "%s", error.text);
}
