/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/mailboxes.h"
#include "program.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

struct mailbox {
    char home[PATH_MAX];
    char mail[PATH_MAX]; /* 2.4: mail_path */
};

enum found { FOUND = 0, NO_USER, NOT_RUNNING, FAILED };

static void read_field(const char *line, struct mailbox *mailbox_r)
{
    if (strncmp(line, "home\t", 5) == 0)
        snprintf(mailbox_r->home, sizeof mailbox_r->home, "%s", line + 5);
    else if (strncmp(line, "mail\t", 5) == 0)
        snprintf(mailbox_r->mail, sizeof mailbox_r->mail, "%s", line + 5);
    else if (strncmp(line, "mail_path\t", 10) == 0)
        snprintf(mailbox_r->mail, sizeof mailbox_r->mail, "%s", line + 10);
}

/* Asks the userdbs of the running Dovecot, as LMTP does. */
static enum found find_mailbox(const struct apw_doctor_doveconf *conf, const char *user,
                               struct mailbox *mailbox_r)
{
    const char *const arguments[] = {"doveadm", "-c",           conf->path, "user",
                                     "-x",      "service=lmtp", user,       NULL};
    char *output;
    int status = apw_program_read_all(arguments, &output);
    enum found found = status == 0 ? FOUND : status == EX_NOUSER ? NO_USER : FAILED;

    *mailbox_r = (struct mailbox){.home = ""};
    if (output != NULL && strstr(output, "connect(") != NULL)
        found = NOT_RUNNING;
    for (char *line = output, *next; found == FOUND && line != NULL; line = next) {
        next = apw_program_next_line(line);
        read_field(line, mailbox_r);
    }
    free(output);
    return found;
}

static void report_missing(struct apw_diagnosis *diagnosis, enum found found, const char *user)
{
    char quoted[PATH_MAX];

    apw_diagnosis_quote(user, quoted, sizeof quoted);
    apw_diagnosis_problem(diagnosis, "mailboxes",
                          found == NO_USER
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

void apw_doctor_mailboxes_check(struct apw_diagnosis *diagnosis,
                                const struct apw_doctor_doveconf *conf,
                                const struct apw_doctor_sender *sender)
{
    struct mailbox typed, accepted;
    enum found by_address, by_name;
    bool has_lmtp = apw_doctor_doveconf_has_protocol(conf, "lmtp");

    if (conf->path[0] == '\0' || access(conf->path, R_OK) != 0) {
        apw_diagnosis_note(diagnosis, "mailboxes",
                           "not compared: this Dovecot is not on this host");
        return;
    }
    by_address = find_mailbox(conf, sender->address, &typed);
    by_name = find_mailbox(conf, sender->name, &accepted);
    if (by_address == NOT_RUNNING || by_name == NOT_RUNNING)
        apw_diagnosis_note(diagnosis, "mailboxes",
                           "not compared: Dovecot does not run, or root "
                           "must ask it");
    else if (by_name == NO_USER || (by_name == FAILED && has_lmtp))
        report_missing(diagnosis, by_name, sender->name);
    else if (by_name == FOUND && by_address == FOUND)
        compare(diagnosis, sender, &typed, &accepted);
    else if (has_lmtp)
        report_missing(diagnosis, by_address, sender->address);
    else
        apw_diagnosis_note(diagnosis, "mailboxes",
                           "not compared: without LMTP, Dovecot need not "
                           "know %s",
                           sender->address);
}
