/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/watch.h"
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define FOLDER    "/run/app-password-watch"
#define UNIT      "app-password-watch"
#define ROUNDS    4  /* that it may miss */
#define PATIENCE  30 /* seconds for the servers' answers */
#define TOLERANCE 5  /* seconds by which a clock may have been set back */

struct heartbeat {
    int64_t time; /* of the last round in which Dovecot and the directory answered */
    int64_t interval;
    size_t users, waiting;
};

/* -1 with errno if there is none, 0 if it is none. */
static int read_heartbeat(const char *path, struct heartbeat *heartbeat_r)
{
    FILE *file = fopen(path, "re");
    int count;

    if (file == NULL)
        return -1;
    count = fscanf(file, "time %" SCNd64 " interval %" SCNd64 " users %zu waiting %zu",
                   &heartbeat_r->time, &heartbeat_r->interval, &heartbeat_r->users,
                   &heartbeat_r->waiting);
    fclose(file);
    return count == 4;
}

static void judge(struct apw_diagnosis *diagnosis, const struct heartbeat *heartbeat,
                  const struct apw_config *config)
{
    int64_t age = (int64_t)time(NULL) - heartbeat->time;

    if (age < -TOLERANCE || age > ROUNDS * heartbeat->interval + PATIENCE) {
        apw_diagnosis_problem(diagnosis, "watch",
                              "its last round was %" PRId64 " seconds ago: it does not run, or "
                              "Dovecot or the directory does not answer it",
                              age);
        apw_diagnosis_fix(diagnosis, "systemctl status " UNIT "   # and its lines in the log");
    } else if (heartbeat->waiting > 0) {
        apw_diagnosis_problem(diagnosis, "watch",
                              "the sessions of %zu users wait for an administrator, because too "
                              "many would end at once",
                              heartbeat->waiting);
        apw_diagnosis_fix(diagnosis,
                          "systemctl kill -s USR1 " UNIT "   # if the log says that this is right");
    } else if (heartbeat->interval != config->watch_interval_s) {
        apw_diagnosis_problem(diagnosis, "watch",
                              "it looks every %" PRId64 " seconds, and not every %" PRId64,
                              heartbeat->interval, config->watch_interval_s);
        apw_diagnosis_fix(diagnosis, "systemctl restart " UNIT);
    } else {
        apw_diagnosis_good(diagnosis, "watch",
                           "ends open sessions on this host; users connected now: %zu",
                           heartbeat->users);
    }
}

void apw_doctor_watch_check(struct apw_diagnosis *diagnosis, const char *folder,
                            const struct apw_config *config)
{
    struct heartbeat heartbeat;
    char path[PATH_MAX];
    int found;

    if (config->watch_interval_s == 0) {
        apw_diagnosis_problem(diagnosis, "watch",
                              "watch_interval is not set: open sessions stay open when their app "
                              "password is revoked");
        apw_diagnosis_fix(diagnosis, "watch_interval 5s   # and app-password-watch(8) on each host "
                                     "with Dovecot");
        return;
    }
    snprintf(path, sizeof path, "%s/heartbeat", folder != NULL ? folder : FOLDER);
    found = read_heartbeat(path, &heartbeat);
    if (found > 0) {
        judge(diagnosis, &heartbeat, config);
    } else if (found < 0 && errno != ENOENT) {
        apw_diagnosis_unknown(diagnosis, "watch", "%s: %s", path, strerror(errno));
        apw_diagnosis_fix(diagnosis, "run this as root");
    } else {
        apw_diagnosis_problem(diagnosis, "watch",
                              "%s: there is no heartbeat, so app-password-watch has not run on "
                              "this host",
                              path);
        apw_diagnosis_fix(diagnosis, "systemctl enable --now " UNIT);
    }
}
