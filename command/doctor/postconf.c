/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/postconf.h"
#include "program.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Runs "postconf -c folder option". */
static int ask(const char *folder, const char *option, char **output_r)
{
    const char *const arguments[] = {"postconf", "-c", folder, option, NULL};

    return apw_program_read_all(arguments, output_r);
}

/* A line like "submission inet n - y - - smtpd -o …". */
static void read_service(struct apw_doctor_postconf *conf, const char *line)
{
    char name[64], type[16], chroot[8], program[64];
    struct apw_doctor_postconf_service *service = &conf->service[conf->count];

    if (conf->count == APW_DOCTOR_POSTCONF_SERVICES_MAX ||
        sscanf(line, "%63s %15s %*s %*s %7s %*s %*s %63s", name, type, chroot, program) != 4 ||
        strcmp(program, "smtpd") != 0)
        return;
    snprintf(service->key, sizeof service->key, "%s/%s", name, type);
    service->is_chrooted = *chroot == 'y';
    conf->count++;
}

int apw_doctor_postconf_read(const char *folder, struct apw_doctor_postconf *conf_r, char *why_r,
                             size_t size)
{
    char *services = NULL, *failed = NULL;

    *conf_r = (struct apw_doctor_postconf){.folder = folder};
    if (ask(folder, "-x", &conf_r->parameters) != 0)
        failed = conf_r->parameters;
    else if (ask(folder, "-Px", &conf_r->overrides) != 0)
        failed = conf_r->overrides;
    else if (ask(folder, "-M", &services) != 0)
        failed = services;
    else
        for (char *line = services, *next; line != NULL; line = next) {
            next = apw_program_next_line(line);
            read_service(conf_r, line);
        }
    if (failed != NULL)
        snprintf(why_r, size, "%.*s", (int)strcspn(failed, "\n"), failed);
    free(services);
    return failed == NULL && conf_r->overrides != NULL && services != NULL ? 0 : -1;
}

void apw_doctor_postconf_clear(struct apw_doctor_postconf *conf)
{
    free(conf->parameters);
    free(conf->overrides);
    conf->parameters = conf->overrides = NULL;
}

/* The text behind the last line that begins with "key = ", or NULL. */
static const char *find_line(const char *text, const char *key)
{
    size_t length = strlen(key);
    const char *found = NULL;

    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) == 0 && strncmp(line + length, " =", 2) == 0)
            found = line + length + 2;
    }
    return found;
}

bool apw_doctor_postconf_value(const struct apw_doctor_postconf *conf, const char *service,
                               const char *name, char *value_r, size_t size)
{
    const char *found = NULL;
    char key[256];

    if (service != NULL) {
        snprintf(key, sizeof key, "%s/%s", service, name);
        found = find_line(conf->overrides, key);
    }
    if (found == NULL)
        found = find_line(conf->parameters, name);
    if (found == NULL)
        found = "";
    found += strspn(found, " ");
    return (size_t)snprintf(value_r, size, "%.*s", (int)strcspn(found, "\n"), found) < size;
}
