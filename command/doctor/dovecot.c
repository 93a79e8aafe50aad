/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/dovecot.h"
#include "doctor/doveconf.h"
#include "doctor/mailboxes.h"
#include "doctor/pam.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define PAM_FOLDER  "/etc/pam.d"
#define LINE_SIZE   4096
#define LOADED_MIB  48  /* memory of an auth-worker with Lua, libldap and libsodium */
#define DEFAULT_MIB 256 /* Dovecot's default_vsz_limit */

static int read_file(struct apw_diagnosis *diagnosis, const char *path,
                     struct apw_doctor_doveconf *conf_r)
{
    bool is_input = strcmp(path, "-") == 0;
    FILE *file = is_input ? stdin : fopen(path, "re");
    unsigned line;
    int status;

    if (file == NULL) {
        apw_diagnosis_problem(diagnosis, "dovecot", "%s: %s", path, strerror(errno));
        apw_diagnosis_fix(diagnosis, "doveconf -n > %s", path);
        return -1;
    }
    status = apw_doctor_doveconf_read(file, conf_r, &line);
    if (!is_input)
        fclose(file);
    if (status != 0) {
        apw_diagnosis_problem(diagnosis, "dovecot", "%s:%u: this is not the output of doveconf",
                              path, line);
        apw_diagnosis_fix(diagnosis, "doveconf -n | app-password doctor --dovecot -");
    }
    return status;
}

/* -1 if the file cannot be read. Ignores comments. */
static int file_has(const char *path, const char *text)
{
    FILE *file = fopen(path, "re");
    char line[LINE_SIZE];
    int is_there = 0;

    if (file == NULL)
        return -1;
    while (fgets(line, sizeof line, file) != NULL)
        is_there = is_there || (line[strspn(line, " \t")] != '#' && strstr(line, text) != NULL);
    fclose(file);
    return is_there;
}

/* PAM reads the file "other" for a service without one. */
static int is_ours_in_pam(const char *service, char file_r[PATH_MAX])
{
    snprintf(file_r, PATH_MAX, PAM_FOLDER "/%s", service);
    if (access(file_r, F_OK) != 0 && errno == ENOENT)
        snprintf(file_r, PATH_MAX, PAM_FOLDER "/other");
    return apw_doctor_pam_names_ours(file_r);
}

/* All services must be ours if the protocol names the service. */
static int are_all_ours(const char *protocols, char file_r[PATH_MAX])
{
    int ours = 1;

    for (const char *at = protocols + strspn(protocols, " "); ours > 0 && *at != '\0';
         at += strspn(at, " ")) {
        char name[64];

        snprintf(name, sizeof name, "%.*s", (int)strcspn(at, " "), at);
        if (strcmp(name, "lmtp") != 0 && strcmp(name, "doveadm") != 0) /* which check no password */
            ours = is_ours_in_pam(name, file_r);
        at += strcspn(at, " ");
    }
    return ours;
}

/* Whether the passdb checks app passwords, according to *file_r; -1 if it cannot be read. */
static int is_ours(const struct apw_doctor_doveconf *conf, const struct apw_doctor_passdb *passdb,
                   char file_r[PATH_MAX])
{
    *file_r = '\0';
    if (strcmp(passdb->driver, "lua") == 0) {
        snprintf(file_r, PATH_MAX, "%s", passdb->file);
        return file_has(file_r, "app_password");
    }
    if (strcmp(passdb->driver, "pam") != 0)
        return 0;
    if (strchr(passdb->service, '%') != NULL)
        return are_all_ours(conf->protocols, file_r);
    return is_ours_in_pam(passdb->service[0] != '\0' ? passdb->service : "dovecot", file_r);
}

static void check_result(struct apw_diagnosis *diagnosis, const char *name, const char *value,
                         const char *expected, const char *consequence)
{
    if (strcmp(value, expected) == 0 || (*value == '\0' && strcmp(name, "result_success") == 0))
        return;
    apw_diagnosis_problem(diagnosis, "dovecot", "%s of the passdb is %s: %s", name,
                          *value == '\0' ? "not set" : value, consequence);
    apw_diagnosis_fix(diagnosis, "%s = %s", name, expected);
}

static void check_ours(struct apw_diagnosis *diagnosis, const struct apw_doctor_passdb *passdb)
{
    unsigned before = diagnosis->problems;

    check_result(diagnosis, "result_failure", passdb->result_failure, "return-fail",
                 "Dovecot asks the next passdb after a refusal");
    check_result(diagnosis, "result_internalfail", passdb->result_internalfail, "return-fail",
                 "Dovecot asks the next passdb while the directory does not answer");
    check_result(diagnosis, "result_success", passdb->result_success, "return-ok",
                 "a later passdb can override an accepted login");
    if (passdb->is_deny || passdb->is_master) {
        apw_diagnosis_problem(diagnosis, "dovecot",
                              "the passdb is a %s passdb, which does not sign users in",
                              passdb->is_deny ? "deny" : "master");
        apw_diagnosis_fix(diagnosis, "%s = no", passdb->is_deny ? "deny" : "master");
    }
    if (strcmp(passdb->driver, "lua") == 0 && passdb->is_without_worker) {
        apw_diagnosis_problem(diagnosis, "dovecot",
                              "one login that waits for the directory blocks all others");
        apw_diagnosis_fix(diagnosis, "use_worker = yes   # Dovecot 2.3: blocking=yes in args");
    }
    if (diagnosis->problems == before)
        apw_diagnosis_good(diagnosis, "dovecot", "the passdb with driver %s decides every login",
                           passdb->driver);
}

/* Whether Dovecot asks for the user once the master user is accepted. */
static bool is_followed(const struct apw_doctor_passdb *master)
{
    return master->is_pass || strncmp(master->result_success, "continue", 8) == 0;
}

/* `own` is the passdb that then answers for the user, or NULL. */
static void check_master(struct apw_diagnosis *diagnosis, const struct apw_doctor_passdb *master,
                         const struct apw_doctor_passdb *own)
{
    if (strcmp(master->driver, "passwd-file") != 0) {
        apw_diagnosis_unknown(
            diagnosis, "dovecot",
            "cannot tell which users are in the master passdb with driver %s: each of them "
            "opens every mailbox, including their own, without MFA",
            master->driver);
        apw_diagnosis_fix(diagnosis, "driver = passwd-file, with a file of master users only");
    }
    if (own == NULL) {
        return;
    } else if (!is_followed(master)) {
        apw_diagnosis_note(diagnosis, "dovecot",
                           "a master passdb without pass = yes (2.4: result_success = continue) "
                           "also opens the mail of accounts that have ended");
    } else if (strcmp(own->driver, "lua") != 0) {
        apw_diagnosis_problem(diagnosis, "dovecot",
                              "the passdb with driver %s checks a master user's password as the "
                              "user's: no master user can sign in",
                              own->driver);
        apw_diagnosis_fix(diagnosis, "use the Lua passdb: examples/dovecot");
    } else if (file_has(own->file, ":lookup") == 0) {
        apw_diagnosis_problem(diagnosis, "dovecot",
                              "%s checks a master user's password as the user's: no master user "
                              "can sign in",
                              own->file);
        apw_diagnosis_fix(diagnosis, "cp examples/dovecot/app-password.lua %s", own->file);
    } else {
        apw_diagnosis_good(diagnosis, "dovecot",
                           "master users can sign in only as users whose account has not ended");
    }
}

/* The passdb that decides logins, or NULL. */
static const struct apw_doctor_passdb *find_own(const struct apw_doctor_doveconf *conf)
{
    char file[PATH_MAX];

    for (unsigned i = 0; i < conf->passdb_count; i++)
        if (!conf->passdb[i].is_master && is_ours(conf, &conf->passdb[i], file) > 0)
            return &conf->passdb[i];
    return NULL;
}

/* Whether it answers without a password, too. */
static bool has_lookup(const struct apw_doctor_passdb *own)
{
    return own != NULL && strcmp(own->driver, "lua") == 0 && file_has(own->file, ":lookup") > 0;
}

static void check_masters(struct apw_diagnosis *diagnosis, const struct apw_doctor_doveconf *conf)
{
    const struct apw_doctor_passdb *own = find_own(conf);
    char file[PATH_MAX];

    for (unsigned i = 0; i < conf->passdb_count; i++)
        if (conf->passdb[i].is_master && is_ours(conf, &conf->passdb[i], file) <= 0)
            check_master(diagnosis, &conf->passdb[i], own);
}

/* Also if doveconf -n leaves it out: it is the default. */
static bool is_continue(const char *result)
{
    return *result == '\0' || strcmp(result, "continue") == 0;
}

/* The optional ones of examples/dovecot: add a field, and leave the decision to the next. */
static bool is_optional(const struct apw_doctor_passdb *passdb)
{
    return passdb->is_without_authentication &&
           (strcmp(passdb->driver, "static") == 0 || strcmp(passdb->driver, "lua") == 0) &&
           strcmp(passdb->result_success, "continue") == 0 && is_continue(passdb->result_failure) &&
           is_continue(passdb->result_internalfail);
}

/* The script that notes when a login arrives must run before ours, and before the wait for a
 * worker. */
static void check_optional(struct apw_diagnosis *diagnosis, const struct apw_doctor_passdb *passdb,
                           bool is_after_ours)
{
    bool is_lua = strcmp(passdb->driver, "lua") == 0;

    if (is_lua && (is_after_ours || !passdb->is_without_worker)) {
        apw_diagnosis_problem(diagnosis, "dovecot",
                              "a lua passdb that accepts nobody is of no use: it is asked after %s",
                              is_after_ours ? "ours" : "the wait for a worker");
        apw_diagnosis_fix(diagnosis, is_after_ours
                                         ? "move it before the passdb of app-password.lua"
                                         : "use_worker = no   # Dovecot 2.3: blocking=no in args");
    } else {
        apw_diagnosis_note(diagnosis, "dovecot", "a %s passdb %s, and accepts nobody",
                           passdb->driver,
                           is_lua ? "adds fields to each login" : "adds a text to each refusal");
    }
}

static void report_foreign(struct apw_diagnosis *diagnosis, const struct apw_doctor_passdb *passdb,
                           const char *file, bool is_after_ours)
{
    apw_diagnosis_problem(diagnosis, "dovecot",
                          "a passdb with driver %s%s%s, %s ours, accepts account passwords",
                          passdb->driver, *file != '\0' ? " and the file " : "", file,
                          is_after_ours ? "after" : "before or without");
    if (strcmp(passdb->driver, "pam") == 0)
        apw_diagnosis_fix(diagnosis, "install examples/pam for %s; or:",
                          strchr(passdb->service, '%') != NULL ? "each protocol" : "this service");
    apw_diagnosis_fix(diagnosis, "comment out the !include auth-….conf.ext that defines it");
}

static void check_passdbs(struct apw_diagnosis *diagnosis, const struct apw_doctor_doveconf *conf)
{
    unsigned own = 0;

    for (unsigned i = 0; i < conf->passdb_count; i++) {
        const struct apw_doctor_passdb *passdb = &conf->passdb[i];
        char file[PATH_MAX];
        int ours = is_ours(conf, passdb, file);

        if (passdb->is_master && ours <= 0) {
            continue; /* check_masters() */
        } else if (is_optional(passdb)) {
            check_optional(diagnosis, passdb, own > 0);
        } else if (ours < 0) {
            apw_diagnosis_unknown(
                diagnosis, "dovecot",
                "cannot tell whether the passdb with driver %s checks app passwords: %s: %s",
                passdb->driver, file, strerror(errno));
            apw_diagnosis_fix(diagnosis, "run this on the host of that Dovecot, as root");
        } else if (ours > 0) {
            own++;
            check_ours(diagnosis, passdb);
        } else if (passdb->is_deny) {
            apw_diagnosis_note(diagnosis, "dovecot",
                               "a deny passdb with driver %s does not matter here", passdb->driver);
        } else {
            report_foreign(diagnosis, passdb, file, own > 0);
        }
    }
    if (own > 0 || diagnosis->unknown > 0)
        return;
    apw_diagnosis_problem(diagnosis, "dovecot", "no passdb checks app passwords");
    apw_diagnosis_fix(
        diagnosis, "cp examples/dovecot/dovecot-2.3.conf /etc/dovecot/conf.d/90-app-password.conf "
                   "  # or dovecot-2.4.conf");
}

static void check_cache(struct apw_diagnosis *diagnosis, const char *size)
{
    /* Dovecot's default is 0. */
    if (*size == '\0' || strtoull(size, NULL, 10) == 0) {
        apw_diagnosis_good(diagnosis, "dovecot", "the auth cache is off");
        return;
    }
    apw_diagnosis_problem(diagnosis, "dovecot",
                          "the auth cache (%s) still accepts revoked app passwords", size);
    apw_diagnosis_fix(diagnosis, "auth_cache_size = 0");
}

static void check_mechanisms(struct apw_diagnosis *diagnosis, const char *list)
{
    unsigned before = diagnosis->problems;

    while (*list != '\0') {
        size_t length = strcspn(list, " \t");

        if (!(length == 5 &&
              (strncasecmp(list, "plain", 5) == 0 || strncasecmp(list, "login", 5) == 0))) {
            apw_diagnosis_problem(diagnosis, "dovecot",
                                  "auth_mechanisms offers %.*s, which does not check app passwords",
                                  (int)length, list);
            apw_diagnosis_fix(diagnosis, "auth_mechanisms = plain login");
        }
        list += length;
        list += strspn(list, " \t");
    }
    if (diagnosis->problems == before)
        apw_diagnosis_good(diagnosis, "dovecot", "auth_mechanisms");
}

static void check_memory(struct apw_diagnosis *diagnosis, const struct apw_doctor_doveconf *conf,
                         unsigned hash_memory_mib)
{
    const char *own = conf->worker_vsz_limit, *all = conf->default_vsz_limit;
    unsigned long long limit = *own != '\0'   ? apw_doctor_doveconf_mebibytes(own)
                               : *all != '\0' ? apw_doctor_doveconf_mebibytes(all)
                                              : DEFAULT_MIB;
    unsigned needed = LOADED_MIB + hash_memory_mib;

    if (limit == 0 || limit >= needed) {
        apw_diagnosis_good(diagnosis, "dovecot", "vsz_limit of auth-worker has room for a hash");
        return;
    }
    apw_diagnosis_problem(diagnosis, "dovecot",
                          "vsz_limit of auth-worker is %llu M; a hash of %u MiB "
                          "needs %u M, or logins end in \"unavailable\"",
                          limit, hash_memory_mib, needed);
    apw_diagnosis_fix(diagnosis, "service auth-worker { vsz_limit = 512 M }");
}

void apw_doctor_dovecot_check(struct apw_diagnosis *diagnosis, const char *path,
                              unsigned hash_memory_mib, const struct apw_doctor_sender *sender)
{
    struct apw_doctor_doveconf *conf = malloc(sizeof *conf);

    if (conf == NULL) {
        apw_diagnosis_unknown(diagnosis, "dovecot", "out of memory");
        return;
    }
    if (read_file(diagnosis, path, conf) == 0) {
        check_passdbs(diagnosis, conf);
        check_masters(diagnosis, conf);
        check_cache(diagnosis, conf->auth_cache_size);
        check_mechanisms(diagnosis, conf->auth_mechanisms);
        check_memory(diagnosis, conf, hash_memory_mib);
        if (sender != NULL)
            apw_doctor_mailboxes_check(diagnosis, conf, has_lookup(find_own(conf)), sender);
    }
    free(conf);
}
