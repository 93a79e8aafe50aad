/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/certificate.h"
#include "program.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SOON_DAYS   14
#define DAY_SECONDS 86400
#define END         "notAfter="
#define NAMES       "Subject Alternative Name"

/* Writes the bytes to a new file in /tmp; -1 with nothing left behind. */
static int write_file(const char *bytes, size_t length, char path_r[])
{
    int fd = mkstemp(path_r);
    ssize_t written;

    if (fd < 0)
        return -1;
    written = write(fd, bytes, length);
    close(fd);
    if (written == (ssize_t)length)
        return 0;
    unlink(path_r);
    return -1;
}

/* What openssl prints; NULL if it cannot. The caller frees it. */
static char *print_certificate(const char *bytes, size_t length)
{
    char path[] = "/tmp/app-password-doctor.XXXXXX", *output;
    const char *const arguments[] = {"openssl", "x509",   "-inform",  "DER",  "-in",
                                     path,      "-noout", "-enddate", "-ext", "subjectAltName",
                                     NULL};
    int status;

    if (write_file(bytes, length, path) != 0)
        return NULL;
    status = apw_program_read_all(arguments, &output);
    unlink(path);
    if (status == 0)
        return output;
    free(output);
    return NULL;
}

/* The end from "notAfter=Nov 29 08:00:00 2027 GMT", and the names from the line behind their title.
 * -1 without an end. */
static int read_printed(char *printed, time_t *end_r, const char **names_r)
{
    struct tm end = {.tm_sec = 0};
    int status = -1;

    *names_r = "no names but that of its subject";
    for (char *line = printed, *next; line != NULL; line = next) {
        next = apw_program_next_line(line);
        if (strncmp(line, END, strlen(END)) == 0 &&
            strptime(line + strlen(END), "%b %d %H:%M:%S %Y", &end) != NULL) {
            *end_r = timegm(&end);
            status = 0;
        } else if (strstr(line, NAMES) != NULL && next != NULL) {
            *names_r = next + strspn(next, " ");
        }
    }
    return status;
}

static void judge(const struct apw_doctor_view *view, const char *uri, time_t end,
                  const char *names)
{
    long long days = ((long long)end - (long long)time(NULL)) / DAY_SECONDS;

    if (days >= SOON_DAYS) {
        apw_diagnosis_good(view->diagnosis, "certificate", "%s: %s; %lld days left", uri, names,
                           days);
        return;
    }
    apw_diagnosis_problem(view->diagnosis, "certificate",
                          "%s: %s; it expires in %lld days, and then every login is unavailable",
                          uri, names, days);
    apw_diagnosis_fix(view->diagnosis, "renew the certificate of %s, and restart that server", uri);
}

void apw_doctor_certificate_check(const struct apw_doctor_view *view, const char *uri,
                                  struct apw_directory *directory)
{
    struct apw_error error = {""};
    const char *names;
    char *bytes, *printed;
    size_t length;
    time_t end;

    if (apw_directory_certificate(directory, apw_doctor_view_deadline(view), &bytes, &length,
                                  &error) != APW_LDAP_OK ||
        bytes == NULL)
        return; /* another check says so, or there is no TLS */
    printed = print_certificate(bytes, length);
    if (printed != NULL && read_printed(printed, &end, &names) == 0)
        judge(view, uri, end, names);
    else
        apw_diagnosis_note(view->diagnosis, "certificate",
                           "%s: openssl(1), which shows names and end, is not installed or does "
                           "not read the certificate",
                           uri);
    free(printed);
    free(bytes);
}
