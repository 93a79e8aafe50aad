/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/logging.h"
#include "outlet.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <syslog.h>
#include <unistd.h>

#define GOOD_FILE "log /var/log/app-password.log"

static void check_syslog(struct apw_diagnosis *diagnosis)
{
    int why = apw_outlet_find_syslog();

    if (why == 0) {
        apw_diagnosis_good(diagnosis, "log", "a syslog server listens on %s", _PATH_LOG);
        return;
    }
    apw_diagnosis_problem(diagnosis, "log",
                          "logins and changes are not logged: no syslog server listens on %s: %s",
                          _PATH_LOG, strerror(why));
    apw_diagnosis_fix(diagnosis,
                      "start a syslog server, or: " GOOD_FILE ", or in a container: log stderr");
}

/* Whether there is no room for another line. */
static bool is_full(const char *path)
{
    struct statvfs filesystem;

    return statvfs(path, &filesystem) == 0 && filesystem.f_blocks > 0 && filesystem.f_bavail == 0;
}

/* The mail server creates it when it starts. */
static void check_missing(struct apw_diagnosis *diagnosis, const char *path)
{
    char folder[4096];
    struct stat status;

    snprintf(folder, sizeof folder, "%s", path);
    *(strrchr(folder, '/') + 1) = '\0';
    if (stat(folder, &status) == 0 && S_ISDIR(status.st_mode)) {
        apw_diagnosis_note(diagnosis, "log", "%s: %s; the mail server creates it when it starts",
                           path, strerror(ENOENT));
        return;
    }
    apw_diagnosis_problem(diagnosis, "log", "%s: the folder %s does not exist", path, folder);
    apw_diagnosis_fix(diagnosis, "mkdir -p %s", folder);
}

static void check_existing(struct apw_diagnosis *diagnosis, const char *path, mode_t mode)
{
    int fd = -1;

    if (!S_ISREG(mode)) {
        apw_diagnosis_problem(diagnosis, "log", "%s is not a regular file", path);
        apw_diagnosis_fix(diagnosis, GOOD_FILE);
    } else if ((mode & S_IWOTH) != 0) {
        apw_diagnosis_problem(diagnosis, "log", "everybody can write %s", path);
        apw_diagnosis_fix(diagnosis, "chmod 0640 %s", path);
    } else if ((fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)) < 0) {
        apw_diagnosis_problem(diagnosis, "log", "cannot write %s: %s", path, strerror(errno));
        apw_diagnosis_fix(diagnosis, "let the mail server write it, or: " GOOD_FILE);
    } else if (is_full(path)) {
        apw_diagnosis_problem(diagnosis, "log", "cannot write %s: the disk is full", path);
        apw_diagnosis_fix(diagnosis, "free space on this file system");
    } else {
        apw_diagnosis_good(diagnosis, "log", "%s", path);
    }
    if (fd >= 0)
        close(fd);
}

void apw_doctor_logging_check(struct apw_diagnosis *diagnosis, const struct apw_config *config)
{
    const char *path = config->log_file;
    struct stat status;

    if (config->log_to_stderr) {
        apw_diagnosis_note(diagnosis, "log",
                           "the standard error of each program must be a pipe, the journal or "
                           "a file opened for appending; Postfix's is /dev/null, so name a "
                           "file for Postfix");
    } else if (path == NULL) {
        check_syslog(diagnosis);
    } else if (stat(path, &status) == 0) {
        check_existing(diagnosis, path, status.st_mode);
    } else if (errno == ENOENT || errno == ENOTDIR) {
        check_missing(diagnosis, path);
    } else {
        apw_diagnosis_problem(diagnosis, "log", "%s: %s", path, strerror(errno));
        apw_diagnosis_fix(diagnosis, GOOD_FILE);
    }
}
