/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/saslconf.h"
#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LINE_SIZE 4096 /* libsasl2's: it takes the rest of a longer line for another line */

#define CYRUS_PREFIX  "sasl_"
#define CYRUS_INCLUDE "@include" /* a directive of imapd.conf */

static int add(struct apw_doctor_saslconf *conf, const char *name, const char *value, unsigned line)
{
    struct apw_doctor_saslconf_option *grown =
        realloc(conf->option, (conf->count + 1) * sizeof *grown);

    if (grown == NULL)
        return -1;
    conf->option = grown;
    grown += conf->count++;
    grown->name = strdup(name);
    grown->value = strdup(value);
    grown->line = line;
    return grown->name == NULL || grown->value == NULL ? -1 : 0;
}

static char *skip_space(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    return text;
}

static int read_line(char *line, unsigned number, struct apw_doctor_saslconf *conf)
{
    char *name = skip_space(line), *value, *end;

    if (*name == '\0' || *name == '#')
        return 0;
    end = strncmp(name, CYRUS_INCLUDE, strlen(CYRUS_INCLUDE)) == 0 ? name + 1 : name;
    while (isalnum((unsigned char)*end) || *end == '-' || *end == '_')
        end++;
    if (*end != ':')
        return -1;
    *end = '\0';
    value = skip_space(end + 1);
    for (end = value + strlen(value); end > value && isspace((unsigned char)end[-1]); end--)
        ;
    *end = '\0';
    return *value == '\0' ? -1 : add(conf, name, value, number);
}

static bool has_prefix(const char *name, const char *prefix)
{
    return strncasecmp(name, prefix, strlen(prefix)) == 0;
}

static bool is_cyrus(const struct apw_doctor_saslconf *conf)
{
    for (size_t i = 0; i < conf->count; i++)
        if (has_prefix(conf->option[i].name, CYRUS_PREFIX))
            return true;
    return false;
}

/* Leaves libsasl2's options, without the prefix. An option of one service, such as
 * imap_sasl_mech_list, takes precedence there, and an included file may hold any. */
static void fold_cyrus(struct apw_doctor_saslconf *conf)
{
    size_t kept = 0;

    conf->prefix = CYRUS_PREFIX;
    for (size_t i = 0; i < conf->count; i++) {
        struct apw_doctor_saslconf_option option = conf->option[i];
        size_t length = strlen(CYRUS_PREFIX);

        if (has_prefix(option.name, CYRUS_PREFIX)) {
            memmove(option.name, option.name + length, strlen(option.name + length) + 1);
            conf->option[kept++] = option;
            continue;
        }
        if (conf->unread == 0 &&
            (*option.name == '@' || strcasestr(option.name, "_" CYRUS_PREFIX) != NULL))
            conf->unread = option.line;
        free(option.name);
        free(option.value);
    }
    conf->count = kept;
}

/* libsasl2 knows no directives; *line_r is the first one. */
static int reject_directives(const struct apw_doctor_saslconf *conf, unsigned *line_r)
{
    for (size_t i = 0; i < conf->count; i++)
        if (*conf->option[i].name == '@') {
            *line_r = conf->option[i].line;
            return -1;
        }
    return 0;
}

int apw_doctor_saslconf_read(FILE *file, struct apw_doctor_saslconf *conf_r, unsigned *line_r)
{
    char line[LINE_SIZE];
    int status = 0;

    *conf_r = (struct apw_doctor_saslconf){.prefix = ""};
    *line_r = 0;
    while (status == 0 && fgets(line, sizeof line, file) != NULL) {
        ++*line_r;
        status = read_line(line, *line_r, conf_r);
    }
    if (status != 0)
        return status;
    if (!is_cyrus(conf_r))
        return reject_directives(conf_r, line_r);
    fold_cyrus(conf_r);
    return 0;
}

void apw_doctor_saslconf_clear(struct apw_doctor_saslconf *conf)
{
    for (size_t i = 0; i < conf->count; i++) {
        free(conf->option[i].name);
        free(conf->option[i].value);
    }
    free(conf->option);
    *conf = (struct apw_doctor_saslconf){.prefix = ""};
}

const char *apw_doctor_saslconf_value(const struct apw_doctor_saslconf *conf, const char *name)
{
    for (size_t i = 0; i < conf->count; i++)
        if (strcasecmp(conf->option[i].name, name) == 0)
            return conf->option[i].value;
    return NULL;
}
