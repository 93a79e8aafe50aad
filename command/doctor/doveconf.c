/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/doveconf.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LINE_SIZE 4096
#define TEXT_SIZE APW_DOCTOR_DOVECONF_TEXT_SIZE

static void copy(char *copy_r, const char *text)
{
    snprintf(copy_r, TEXT_SIZE, "%s", text);
}

/* "file=/etc/dovecot/x.lua blocking=yes" (2.3), or "session=yes imap" for PAM. As for Dovecot, a
 * tab is part of a word. */
static void read_args(struct apw_doctor_passdb *passdb, const char *args)
{
    while (*args != '\0') {
        size_t length = strcspn(args, " ");
        char word[TEXT_SIZE];

        snprintf(word, sizeof word, "%.*s", (int)length, args);
        if (strncmp(word, "file=", 5) == 0)
            copy(passdb->file, word + 5);
        else if (strcmp(word, "noauthenticate") == 0)
            passdb->is_without_authentication = true;
        else if (strcmp(word, "blocking=no") == 0)
            passdb->is_without_worker = true;
        else if (strcmp(word, "*") == 0)
            copy(passdb->service, "%s");
        else if (strchr(word, '=') == NULL)
            copy(passdb->service, word);
        args += length;
        args += strspn(args, " ");
    }
}

/* "noauthenticate=yes reason=x" of 2.3; as in read_args(), a tab is part of a word. */
static void read_default_fields(struct apw_doctor_passdb *passdb, const char *fields)
{
    static const char word[] = "noauthenticate=";

    for (; *fields != '\0'; fields += strspn(fields, " ")) {
        if (strncmp(fields, word, sizeof word - 1) == 0)
            passdb->is_without_authentication = true;
        fields += strcspn(fields, " ");
    }
}

static bool is_yes(const char *value)
{
    return strcasecmp(value, "yes") == 0;
}

static void set_of_passdb(struct apw_doctor_passdb *passdb, const char *name, const char *value)
{
    if (strncmp(name, "passdb_", 7) == 0)
        name += 7;
    if (strcmp(name, "driver") == 0)
        copy(passdb->driver, value);
    else if (strcmp(name, "args") == 0)
        read_args(passdb, value);
    else if (strcmp(name, "default_fields") == 0)
        read_default_fields(passdb, value);
    else if (strcmp(name, "lua_file") == 0)
        copy(passdb->file, value);
    else if (strcmp(name, "pam_service_name") == 0 || strcmp(name, "service_name") == 0)
        copy(passdb->service, value);
    else if (strcmp(name, "result_success") == 0)
        copy(passdb->result_success, value);
    else if (strcmp(name, "result_failure") == 0)
        copy(passdb->result_failure, value);
    else if (strcmp(name, "result_internalfail") == 0)
        copy(passdb->result_internalfail, value);
    else if (strcmp(name, "master") == 0)
        passdb->is_master = is_yes(value);
    else if (strcmp(name, "deny") == 0)
        passdb->is_deny = is_yes(value);
    else if (strcmp(name, "pass") == 0)
        passdb->is_pass = is_yes(value);
    else if (strcmp(name, "use_worker") == 0)
        passdb->is_without_worker = !is_yes(value);
}

bool apw_doctor_doveconf_has_protocol(const struct apw_doctor_doveconf *conf, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = conf->protocols; *at != '\0'; at += strspn(at, " ")) {
        size_t found = strcspn(at, " ");

        if (found == length && strncmp(at, name, length) == 0)
            return true;
        at += found;
    }
    return false;
}

static void add_protocol(struct apw_doctor_doveconf *conf, const char *name)
{
    size_t length = strlen(conf->protocols);

    snprintf(conf->protocols + length, sizeof conf->protocols - length, " %s", name);
}

/* "# 2.3.19.1 (9b53102964): /etc/dovecot/dovecot.conf", the first line. The protocols are 2.3's
 * default, which doveconf -n leaves out. */
static void read_comment(struct apw_doctor_doveconf *conf, const char *comment)
{
    const char *path = strstr(comment, "): /");

    if (path == NULL || conf->path[0] != '\0')
        return;
    copy(conf->path, path + 3);
    if (strncmp(comment, "# 2.3", 5) == 0)
        copy(conf->protocols, "imap pop3 lmtp");
}

static void set_global(struct apw_doctor_doveconf *conf, const char *name, const char *value)
{
    if (strcmp(name, "auth_cache_size") == 0)
        copy(conf->auth_cache_size, value);
    else if (strcmp(name, "protocols") == 0)
        copy(conf->protocols, value);
    else if (strcmp(name, "auth_mechanisms") == 0)
        copy(conf->auth_mechanisms, value);
    else if (strcmp(name, "default_vsz_limit") == 0)
        copy(conf->default_vsz_limit, value);
}

/* The blocks around a line. */
struct place {
    unsigned depth;
    char block[TEXT_SIZE]; /* the outermost: "passdb", "service auth-worker", … */
    char inner[TEXT_SIZE]; /* the one in it: "fields" */
    bool has_listener;     /* a socket for another program, such as Postfix, was seen */
};

static bool is_passdb(const char *title)
{
    return strcmp(title, "passdb") == 0 || strncmp(title, "passdb ", 7) == 0;
}

static void open_block(struct apw_doctor_doveconf *conf, struct place *place, const char *title)
{
    if (++place->depth == 2)
        copy(place->inner, title);
    if (place->depth == 2 && strcmp(place->block, "service auth") == 0 &&
        strncmp(title, "unix_listener /", 15) == 0)
        place->has_listener = true;
    if (place->depth > 1)
        return;
    copy(place->block, title);
    if (!is_passdb(title))
        return;
    if (conf->passdb_count == APW_DOCTOR_DOVECONF_PASSDBS_MAX)
        return;
    if (title[6] == ' ') /* 2.4 names them, by default after the driver */
        copy(conf->passdb[conf->passdb_count].driver, title + 7);
    conf->passdb_count++;
}

/* "fields { noauthenticate = yes }" in a passdb of 2.4. */
static void set_in_block(struct apw_doctor_doveconf *conf, const struct place *place,
                         const char *name, const char *value)
{
    if (is_passdb(place->block) && conf->passdb_count > 0 && place->depth == 2 &&
        strcmp(place->inner, "fields") == 0 && strcmp(name, "noauthenticate") == 0)
        conf->passdb[conf->passdb_count - 1].is_without_authentication = is_yes(value);
}

static void set(struct apw_doctor_doveconf *conf, const struct place *place, const char *name,
                const char *value)
{
    if (place->depth == 0)
        set_global(conf, name, value);
    else if (place->depth > 1)
        set_in_block(conf, place, name, value);
    else if (is_passdb(place->block) && conf->passdb_count > 0)
        set_of_passdb(&conf->passdb[conf->passdb_count - 1], name, value);
    else if (strcmp(place->block, "protocols") == 0 && is_yes(value)) /* 2.4 */
        add_protocol(conf, name);
    else if (strcmp(place->block, "service auth-worker") == 0 && strcmp(name, "vsz_limit") == 0)
        copy(conf->worker_vsz_limit, value);
}

static char *trim(char *text)
{
    size_t length;

    text += strspn(text, " \t\r\n");
    length = strlen(text);
    while (length > 0 && strchr(" \t\r\n", text[length - 1]) != NULL)
        text[--length] = '\0';
    return text;
}

/* doveconf quotes a value that begins with a space, like Debian's " imap lmtp". */
static char *unquote(char *value)
{
    size_t length = strlen(value);

    if (length < 2 || value[0] != '"' || value[length - 1] != '"')
        return value;
    value[length - 1] = '\0';
    return trim(value + 1);
}

/* -1 if doveconf does not print such a line. */
static int read_line(struct apw_doctor_doveconf *conf, struct place *place, char *line)
{
    char *text = trim(line), *equals = strchr(text, '=');
    size_t length = strlen(text);

    if (*text == '#')
        read_comment(conf, text);
    if (*text == '\0' || *text == '#')
        return 0;
    if (strcmp(text, "}") == 0)
        return place->depth-- > 0 ? 0 : -1;
    if (text[length - 1] == '{' && equals == NULL) {
        text[length - 1] = '\0';
        open_block(conf, place, trim(text));
        return 0;
    }
    if (equals == NULL)
        return -1;
    *equals = '\0';
    set(conf, place, trim(text), unquote(trim(equals + 1)));
    return 0;
}

int apw_doctor_doveconf_read(FILE *file, struct apw_doctor_doveconf *conf_r, unsigned *line_r)
{
    struct place place = {.depth = 0};
    char line[LINE_SIZE];
    int status = 0;

    memset(conf_r, 0, sizeof *conf_r);
    *line_r = 0;
    while (status == 0 && fgets(line, sizeof line, file) != NULL) {
        ++*line_r;
        status = read_line(conf_r, &place, line);
    }
    if (place.has_listener)
        add_protocol(conf_r, "smtp");
    return status == 0 && place.depth == 0 && *line_r > 0 ? 0 : -1;
}

static unsigned long long round_up(unsigned long long number, unsigned bits)
{
    return (number + (1ULL << bits) - 1) >> bits;
}

unsigned long long apw_doctor_doveconf_mebibytes(const char *text)
{
    char *unit;
    unsigned long long number = strtoull(text, &unit, 10);

    unit += strspn(unit, " ");
    if (number == 0 || number >= 1ULL << 60)
        return 0;
    switch (*unit) {
    case 'k':
    case 'K':
        return round_up(number, 10);
    case 'M':
        return number;
    case 'G':
        return number << 10;
    case 'T':
        return number << 20;
    default:
        return round_up(number, 20);
    }
}
