/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/portal.h"
#include "program.h"
#include "settings.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME   "app-password-portal"
#define PREFIX NAME ": "

static bool is_good(const char *line)
{
    size_t length = strlen(line);

    return length > 6 && strcmp(line + length - 6, ": good") == 0;
}

/* Each line is one finding. Those with the program's name in front are complaints, also if the page
 * can start in spite of them. */
static void report_lines(struct apw_diagnosis *diagnosis, char *output, int status)
{
    for (char *line = output, *next; line != NULL; line = next) {
        bool is_complaint = strncmp(line, PREFIX, strlen(PREFIX)) == 0;

        next = apw_program_next_line(line);
        if (is_complaint)
            line += strlen(PREFIX);
        if (*line == '\0')
            continue;
        if (!is_complaint && (status == 0 || is_good(line))) {
            apw_diagnosis_note(diagnosis, "portal", "%s", line);
        } else {
            apw_diagnosis_problem(diagnosis, "portal", "%s", line);
            apw_diagnosis_fix(diagnosis, "correct this, then " NAME " -t");
        }
    }
}

void apw_doctor_portal_check(struct apw_diagnosis *diagnosis, const char *path)
{
    const char *const arguments[] = {NAME, "-t", "-c", path, NULL};
    unsigned before = diagnosis->problems;
    char *output;
    int status = apw_program_read_all(arguments, &output);

    if (status < 0) {
        apw_diagnosis_problem(diagnosis, "portal", "cannot run " NAME " -t: %s",
                              output != NULL && *output != '\0' ? output : "it was ended");
        apw_diagnosis_fix(diagnosis, "apt install " NAME "   # then " NAME " -t must end");
    } else {
        report_lines(diagnosis, output, status);
        if (status == 0 && diagnosis->problems == before)
            apw_diagnosis_good(diagnosis, "portal", NAME " -t finds nothing wrong");
        else if (diagnosis->problems == before)
            apw_diagnosis_problem(diagnosis, "portal", NAME " -t fails with status %d", status);
    }
    free(output);
}

bool apw_doctor_portal_read_store_identity(const char *path, struct apw_identity *identity_r)
{
    struct apw_error error = {""};
    char portal[PATH_MAX], *dn = NULL, *file = NULL;
    bool is_read;

    *identity_r = (struct apw_identity){.dn = NULL};
    if (apw_settings_sibling(path, "portal.conf", portal, sizeof portal, &error) == 0) {
        dn = apw_settings_find(portal, "store_binddn");
        file = apw_settings_find(portal, "store_bindpw_file");
    }
    is_read = dn != NULL && file != NULL && apw_identity_set_dn(identity_r, dn, &error) == 0 &&
              apw_identity_set_password_file(identity_r, file, &error) == 0;
    free(dn);
    free(file);
    return is_read;
}
