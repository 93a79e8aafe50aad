#include "doctor/saslconf.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LINE_SIZE 4096 /* libsasl2's: it takes the rest of a longer line for another line */

static int add(struct apw_doctor_saslconf *conf, const char *name, const char *value)
{
    struct apw_doctor_saslconf_option *grown =
        realloc(conf->option, (conf->count + 1) * sizeof *grown);

    if (grown == NULL)
        return -1;
    conf->option = grown;
    grown += conf->count++;
    grown->name = strdup(name);
    grown->value = strdup(value);
    return grown->name == NULL || grown->value == NULL ? -1 : 0;
}

static char *skip_space(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    return text;
}

static int read_line(char *line, struct apw_doctor_saslconf *conf)
{
    char *name = skip_space(line), *value, *end;

    if (*name == '\0' || *name == '#')
        return 0;
    for (end = name; isalnum((unsigned char)*end) || *end == '-' || *end == '_'; end++)
        ;
    if (*end != ':')
        return -1;
    *end = '\0';
    value = skip_space(end + 1);
    for (end = value + strlen(value); end > value && isspace((unsigned char)end[-1]); end--)
        ;
    *end = '\0';
    return *value == '\0' ? -1 : add(conf, name, value);
}

int apw_doctor_saslconf_read(FILE *file, struct apw_doctor_saslconf *conf_r, unsigned *line_r)
{
    char line[LINE_SIZE];
    int status = 0;

    *conf_r = (struct apw_doctor_saslconf){.count = 0};
    *line_r = 0;
    while (status == 0 && fgets(line, sizeof line, file) != NULL) {
        ++*line_r;
        status = read_line(line, conf_r);
    }
    return status;
}

void apw_doctor_saslconf_clear(struct apw_doctor_saslconf *conf)
{
    for (size_t i = 0; i < conf->count; i++) {
        free(conf->option[i].name);
        free(conf->option[i].value);
    }
    free(conf->option);
    *conf = (struct apw_doctor_saslconf){.count = 0};
}

const char *apw_doctor_saslconf_value(const struct apw_doctor_saslconf *conf, const char *name)
{
    for (size_t i = 0; i < conf->count; i++)
        if (strcasecmp(conf->option[i].name, name) == 0)
            return conf->option[i].value;
    return NULL;
}
