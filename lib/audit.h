/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * audit: one log line for each change: who did what to whom. The line is an interface.
 *
 *   app-password: action=revoke actor="cn=admin,dc=example,dc=org" user="alice" id=k7q2 result=done
 *
 * (one line). Optional fields follow: details, client= mail= dn="" error="". It never looks like a
 * line about a login (event.h), which begins with verdict=.
 */
#ifndef APW_AUDIT_H
#define APW_AUDIT_H

#include "error.h"
#include "line.h"
#include <stdbool.h>
#include <stddef.h>

enum apw_audit_action {
    APW_AUDIT_CREATE,
    APW_AUDIT_REVOKE,
    APW_AUDIT_RENAME,
    APW_AUDIT_MFA_ON,
    APW_AUDIT_MFA_OFF,
    APW_AUDIT_RESET,  /* of the second steps */
    APW_AUDIT_CODE,   /* an enrollment code */
    APW_AUDIT_INVITE, /* a link that sets up a device */
    APW_AUDIT_SWEEP,  /* revoked by a rule, not by name */
    APW_AUDIT_IMPORT,
    APW_AUDIT_MAIL,
    APW_AUDIT_REMIND, /* the end of a run of reminders */
    /* on the page alone */
    APW_AUDIT_ENROL, /* the first second step */
    APW_AUDIT_ADD_FACTOR,
    APW_AUDIT_RENAME_FACTOR,
    APW_AUDIT_REMOVE_FACTOR,
    APW_AUDIT_RECOVERY_CODES,
    APW_AUDIT_REMEMBER_BROWSER,
    APW_AUDIT_FORGET_BROWSER,
    APW_AUDIT_REQUEST_RESET, /* by the help desk; RESET carries it out */
    APW_AUDIT_CANCEL_RESET,
    APW_AUDIT_ACTIONS
};

/* A change, or an attempt that failed. Borrowed; holds no secret. NULL leaves a field out, and is
 * "-" for actor, user and id. Actor, user and dn are cut at 255 bytes. */
struct apw_audit {
    enum apw_audit_action action;
    const char *actor; /* whom the directory knows: a DN; on the page the login of the person */
    const char *user;  /* the login, or the DN of an entry without a user; may hold any bytes */
    const char *id;    /* of an app password or an invitation */
    bool is_done;
    const char *details; /* "sent=12 failed=1": our own words, not quoted */
    const char *client;  /* the address of the person's browser */
    const char *mail;    /* the kind of mail: a word of our own, not quoted */
    const char *dn;
    const char *error; /* why it failed; left out if it is done */
};

const char *apw_audit_action_name(enum apw_audit_action action);

/* Writes the line without a newline. */
void apw_audit_format(const struct apw_audit *audit, char line_r[APW_LINE_SIZE]);

#endif
