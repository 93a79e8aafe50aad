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

/* Prints, below the last problem, the line or command that mends it. */
void apw_doctor_mend(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* --sasl FILE: a libsasl2 program's configuration, such as Postfix's sasl/smtpd.conf. */
void apw_doctor_sasl(struct apw_doctor *doctor, const char *path);

/* --dovecot FILE: what doveconf -n (or plain doveconf) printed, of Dovecot 2.3 or 2.4; "-" is
 * standard input. */
void apw_doctor_dovecot(struct apw_doctor *doctor, const char *path);

#endif
