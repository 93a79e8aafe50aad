/*
 * doctor: looks a set-up over from end to end, and says for each finding what is wrong and the line
 * that mends it.
 *
 * doctor.c reads the options, counts and prints; one file for each place to look at: the files and
 * the directory, libsasl2's configuration, Dovecot's.
 */
#ifndef APW_DOCTOR_H
#define APW_DOCTOR_H

#include "command.h"

/* What has been found so far. Zeroed to begin with. */
struct apw_doctor {
    unsigned good;
    unsigned problems;
    unsigned unknown; /* what could not be looked at; no less a problem to the exit status */
};

/* Each prints one line, "ok", "PROBLEM" or "unknown" and `subject` in front; control characters
 * come out as question marks. */
void apw_doctor_good(struct apw_doctor *doctor, const char *subject, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void apw_doctor_problem(struct apw_doctor *doctor, const char *subject, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void apw_doctor_unknown(struct apw_doctor *doctor, const char *subject, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What is left out, and that is all right. */
void apw_doctor_note(const char *subject, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints, below the last problem, the line or command that mends it. */
void apw_doctor_mend(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The configuration and the files that it names, and those of admin.conf if it is there. */
void apw_doctor_files(struct apw_doctor *doctor, const struct apw_config *config,
                      const struct apw_identity *administrator);

/* What to look at in the directory. */
struct apw_doctor_directory {
    const struct apw_config *config;   /* with the mail server's identity */
    const struct apw_session *session; /* as whoever manages; NULL where nobody does here */
    const char *as_dn;                 /* --as; NULL */
    const char *as_password;
    const char *mfa_user; /* --mfa-user; NULL */
};
void apw_doctor_directory(struct apw_doctor *doctor, const struct apw_doctor_directory *look);

/* --sasl FILE: a libsasl2 program's configuration, such as Postfix's sasl/smtpd.conf. */
void apw_doctor_sasl(struct apw_doctor *doctor, const char *path);

/* --dovecot FILE: what doveconf -n (or plain doveconf) printed, of Dovecot 2.3 or 2.4; "-" is
 * standard input. `hash_memory_mib`: what a hash takes. */
void apw_doctor_dovecot(struct apw_doctor *doctor, const char *path, unsigned hash_memory_mib);

#endif
