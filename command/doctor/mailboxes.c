/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/mailboxes.h"
#include "doctor/doveadm.h"
#include "program.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct mailbox {
    char home[PATH_MAX];
    char mail[PATH_MAX]; /* 2.4: mail_path */
};

static void read_field(const char *line, struct mailbox *mailbox_r)
{
    if (strncmp(line, "home\t", 5) == 0)
        snprintf(mailbox_r->home, sizeof mailbox_r->home, "%s", line + 5);
    else if (strncmp(line, "mail\t", 5) == 0)
        snprintf(mailbox_r->mail, sizeof mailbox_r->mail, "%s", line + 5);
    else if (strncmp(line, "mail_path\t", 10) == 0)
        snprintf(mailbox_r->mail, sizeof mailbox_r->mail, "%s", line + 10);
}

static enum apw_doctor_doveadm find_mailbox(const struct apw_doctor_doveconf *conf,
                                            const char *user, struct mailbox *mailbox_r)
{
    char *output;
    enum apw_doctor_doveadm found = apw_doctor_doveadm_userdb(conf, user, &output);

    *mailbox_r = (struct mailbox){.home = ""};
    for (char *line = output, *next; line != NULL; line = next) {
        next = apw_program_next_line(line);
        read_field(line, mailbox_r);
    }
    free(output);
    return found;
}

static void report_missing(struct apw_diagnosis *diagnosis, enum apw_doctor_doveadm found,
                           const char *user)
{
    char quoted[PATH_MAX];

    apw_diagnosis_quote(user, quoted, sizeof quoted);
    apw_diagnosis_problem(diagnosis, "mailboxes",
                          found == APW_DOCTOR_DOVEADM_NO_USER
                              ? "Dovecot does not know %s: LMTP rejects mail for this user"
                              : "Dovecot cannot look %s up: LMTP defers mail for this user",
                          user);
    apw_diagnosis_fix(diagnosis,
                      "doveadm user -x service=lmtp %s   # must find the user: a static "
                      "userdb asks the passdb, so use examples/dovecot/app-password.lua, "
                      "or a userdb of the directory",
                      quoted);
}

/* The home that the address would have in the place of the name. */
static bool find_former_home(const struct mailbox *mailbox, const struct apw_doctor_sender *sender,
                             char former_r[PATH_MAX])
{
    const char *at = strstr(mailbox->home, sender->name);

    return at != NULL &&
           snprintf(former_r, PATH_MAX, "%.*s%s%s", (int)(at - mailbox->home), mailbox->home,
                    sender->address, at + strlen(sender->name)) < PATH_MAX;
}

static void compare(struct apw_diagnosis *diagnosis, const struct apw_doctor_sender *sender,
                    const struct mailbox *typed, const struct mailbox *accepted)
{
    char former[PATH_MAX], from[PATH_MAX + 8], to[PATH_MAX + 8];

    if (strcmp(typed->home, accepted->home) != 0 || strcmp(typed->mail, accepted->mail) != 0) {
        apw_diagnosis_problem(
            diagnosis, "mailboxes",
            "mail to %s arrives in %s %s, but a login as %s leads to %s %s, which "
            "comes up empty",
            sender->address, typed->home, typed->mail, sender->name, accepted->home,
            accepted->mail);
        apw_diagnosis_fix(
            diagnosis, "set login_attribute, and let the userdb return the same home for both; or "
                       "move the mail before you change the passdb");
    } else if (find_former_home(accepted, sender, former) && access(accepted->home, F_OK) != 0 &&
               access(former, F_OK) == 0) {
        apw_diagnosis_problem(diagnosis, "mailboxes",
                              "%s has mail in %s, but the userdb says %s, which does not exist",
                              sender->address, former, accepted->home);
        apw_diagnosis_quote(former, from, sizeof from);
        apw_diagnosis_quote(accepted->home, to, sizeof to);
        apw_diagnosis_fix(diagnosis, "mv %s %s   # and so for each user, while Dovecot is stopped",
                          from, to);
    } else {
        apw_diagnosis_good(diagnosis, "mailboxes", "%s and %s lead to the same home and mail: %s",
                           sender->address, sender->name, accepted->home);
    }
}

/* Whether the passdb answers, as far as Dovecot can be asked without a password. */
static bool answers(struct apw_diagnosis *diagnosis, const struct apw_doctor_doveconf *conf,
                    const char *user)
{
    char *output, quoted[PATH_MAX];
    bool is_answer = apw_doctor_doveadm_passdb(conf, user, &output) != APW_DOCTOR_DOVEADM_FAILED;

    if (!is_answer) {
        apw_diagnosis_quote(user, quoted, sizeof quoted);
        apw_diagnosis_problem(
            diagnosis, "dovecot", "the passdb does not answer, so every login is unavailable: %.*s",
            output == NULL ? 0 : (int)strcspn(output, "\n"), output == NULL ? "" : output);
        apw_diagnosis_fix(
            diagnosis,
            "doveadm auth lookup -x service=lmtp %s   # must find the user; Dovecot's "
            "log says why not: for example, app_password.so is not installed, the "
            "directory does not answer, or the user of auth-worker cannot read "
            "app-password.conf",
            quoted);
    }
    free(output);
    return is_answer;
}

void apw_doctor_mailboxes_check(struct apw_diagnosis *diagnosis,
                                const struct apw_doctor_doveconf *conf, bool has_lookup,
                                const struct apw_doctor_sender *sender)
{
    struct mailbox typed, accepted;
    enum apw_doctor_doveadm by_address, by_name;
    bool has_lmtp = apw_doctor_doveconf_has_protocol(conf, "lmtp");

    if (conf->path[0] == '\0' || access(conf->path, R_OK) != 0) {
        apw_diagnosis_note(diagnosis, "mailboxes",
                           "not compared: this Dovecot is not on this host");
        return;
    }
    if (has_lookup && !answers(diagnosis, conf, sender->name))
        return;
    by_address = find_mailbox(conf, sender->address, &typed);
    by_name = find_mailbox(conf, sender->name, &accepted);
    if (by_address == APW_DOCTOR_DOVEADM_NOT_RUNNING || by_name == APW_DOCTOR_DOVEADM_NOT_RUNNING)
        apw_diagnosis_note(diagnosis, "mailboxes",
                           "not compared: Dovecot does not run, or root "
                           "must ask it");
    else if (by_name == APW_DOCTOR_DOVEADM_NO_USER ||
             (by_name == APW_DOCTOR_DOVEADM_FAILED && has_lmtp))
        report_missing(diagnosis, by_name, sender->name);
    else if (by_name == APW_DOCTOR_DOVEADM_FOUND && by_address == APW_DOCTOR_DOVEADM_FOUND)
        compare(diagnosis, sender, &typed, &accepted);
    else if (has_lmtp)
        report_missing(diagnosis, by_address, sender->address);
    else
        apw_diagnosis_note(diagnosis, "mailboxes",
                           "not compared: without LMTP, Dovecot need not "
                           "know %s",
                           sender->address);
}
