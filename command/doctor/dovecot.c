#include "doctor/doctor.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LINE_SIZE   4096
#define TEXT_SIZE   512
#define PASSDBS_MAX 16
#define DEPTH_MAX   8
#define LOADED_MIB  48  /* what an auth-worker takes with Lua, libldap and libsodium */
#define DEFAULT_MIB 256 /* vsz_limit, where the file says nothing */

struct passdb {
    char driver[TEXT_SIZE];
    char file[TEXT_SIZE];    /* of the Lua script */
    char service[TEXT_SIZE]; /* of PAM */
    char result_success[TEXT_SIZE];
    char result_failure[TEXT_SIZE];
    char result_internalfail[TEXT_SIZE];
    bool is_master;
    bool is_deny;
    bool has_worker; /* Lua: blocking=yes, use_worker = yes, which 2.4 has by default */
    bool is_without_worker;
};

/* What matters of the file. */
struct dovecot {
    unsigned passdb_count;
    struct passdb passdb[PASSDBS_MAX];
    char auth_cache_size[TEXT_SIZE];
    char auth_mechanisms[TEXT_SIZE];
    char default_vsz_limit[TEXT_SIZE];
    char worker_vsz_limit[TEXT_SIZE];
};

/* ---- reading ---- */

static void copy(char *copy_r, const char *text)
{
    snprintf(copy_r, TEXT_SIZE, "%s", text);
}

/* "file=/etc/dovecot/x.lua blocking=yes" (2.3), or "session=yes imap" for PAM. */
static void read_args(struct passdb *passdb, const char *args)
{
    while (*args != '\0') {
        size_t length = strcspn(args, " \t");
        char word[TEXT_SIZE];

        snprintf(word, sizeof word, "%.*s", (int)length, args);
        if (strncmp(word, "file=", 5) == 0)
            copy(passdb->file, word + 5);
        else if (strcmp(word, "blocking=yes") == 0)
            passdb->has_worker = true;
        else if (strcmp(word, "blocking=no") == 0)
            passdb->is_without_worker = true;
        else if (strchr(word, '=') == NULL && strcmp(word, "*") != 0)
            copy(passdb->service, word);
        args += length;
        args += strspn(args, " \t");
    }
}

static bool is_yes(const char *value)
{
    return strcasecmp(value, "yes") == 0;
}

static void set_of_passdb(struct passdb *passdb, const char *name, const char *value)
{
    if (strncmp(name, "passdb_", 7) == 0)
        name += 7;
    if (strcmp(name, "driver") == 0)
        copy(passdb->driver, value);
    else if (strcmp(name, "args") == 0)
        read_args(passdb, value);
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
    else if (strcmp(name, "use_worker") == 0)
        *(is_yes(value) ? &passdb->has_worker : &passdb->is_without_worker) = true;
}

static void set_global(struct dovecot *dovecot, const char *name, const char *value)
{
    if (strcmp(name, "auth_cache_size") == 0)
        copy(dovecot->auth_cache_size, value);
    else if (strcmp(name, "auth_mechanisms") == 0)
        copy(dovecot->auth_mechanisms, value);
    else if (strcmp(name, "default_vsz_limit") == 0)
        copy(dovecot->default_vsz_limit, value);
}

/* Where a line stands. */
struct place {
    unsigned depth;
    char block[DEPTH_MAX][TEXT_SIZE]; /* "passdb", "service auth-worker", … */
};

static void open_block(struct dovecot *dovecot, struct place *place, const char *title)
{
    if (place->depth < DEPTH_MAX)
        copy(place->block[place->depth], title);
    place->depth++;
    if (place->depth != 1 || strncmp(title, "passdb", 6) != 0 ||
        (title[6] != '\0' && title[6] != ' ') || dovecot->passdb_count == PASSDBS_MAX)
        return;
    if (title[6] == ' ') /* 2.4 names them, by default after the driver */
        copy(dovecot->passdb[dovecot->passdb_count].driver, title + 7);
    dovecot->passdb_count++;
}

static void set(struct dovecot *dovecot, const struct place *place, const char *name,
                const char *value)
{
    if (place->depth == 0)
        set_global(dovecot, name, value);
    else if (strncmp(place->block[0], "passdb", 6) == 0 && dovecot->passdb_count > 0)
        set_of_passdb(&dovecot->passdb[dovecot->passdb_count - 1], name, value);
    else if (strcmp(place->block[0], "service auth-worker") == 0 && strcmp(name, "vsz_limit") == 0)
        copy(dovecot->worker_vsz_limit, value);
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

/* -1 for what doveconf does not print. */
static int read_line(struct dovecot *dovecot, struct place *place, char *line)
{
    char *text = trim(line), *equals = strchr(text, '=');
    size_t length = strlen(text);

    if (*text == '\0' || *text == '#')
        return 0;
    if (strcmp(text, "}") == 0)
        return place->depth-- > 0 ? 0 : -1;
    if (text[length - 1] == '{' && equals == NULL) {
        text[length - 1] = '\0';
        open_block(dovecot, place, trim(text));
        return 0;
    }
    if (equals == NULL)
        return -1;
    *equals = '\0';
    set(dovecot, place, trim(text), trim(equals + 1));
    return 0;
}

static int read_file(struct apw_doctor *doctor, const char *path, struct dovecot *dovecot)
{
    bool is_input = strcmp(path, "-") == 0;
    FILE *file = is_input ? stdin : fopen(path, "re");
    struct place place = {.depth = 0};
    char line[LINE_SIZE];
    int number = 0, status = 0;

    if (file == NULL) {
        apw_doctor_problem(doctor, "dovecot", "%s: %s", path, strerror(errno));
        apw_doctor_mend("doveconf -n > %s", path);
        return -1;
    }
    while (status == 0 && fgets(line, sizeof line, file) != NULL) {
        number++;
        status = read_line(dovecot, &place, line);
    }
    if (!is_input)
        fclose(file);
    if (status == 0 && place.depth == 0 && number > 0)
        return 0;
    apw_doctor_problem(doctor, "dovecot", "%s:%d: this is not what doveconf prints", path, number);
    apw_doctor_mend("doveconf -n | app-password doctor --dovecot -");
    return -1;
}

/* ---- judging ---- */

/* Whether the file has the text somewhere. -1: it cannot be read. */
static int file_has(const char *path, const char *text)
{
    FILE *file = fopen(path, "re");
    char line[LINE_SIZE];
    int is_there = 0;

    if (file == NULL)
        return -1;
    while (fgets(line, sizeof line, file) != NULL)
        is_there = is_there || (line[strspn(line, " \t")] != '#' && strstr(line, text) != NULL);
    fclose(file);
    return is_there;
}

static int is_ours(const struct passdb *passdb)
{
    char path[TEXT_SIZE + 16];

    if (strcmp(passdb->driver, "lua") == 0)
        return file_has(passdb->file, "app_password");
    if (strcmp(passdb->driver, "pam") != 0)
        return 0;
    snprintf(path, sizeof path, "/etc/pam.d/%s",
             passdb->service[0] != '\0' && strchr(passdb->service, '%') == NULL ? passdb->service
                                                                                : "dovecot");
    return file_has(path, "pam_app_password");
}

static void look_at_stop(struct apw_doctor *doctor, const char *name, const char *value,
                         const char *expected, const char *what)
{
    if (strcmp(value, expected) == 0 || (*value == '\0' && strcmp(name, "result_success") == 0))
        return;
    apw_doctor_problem(doctor, "dovecot", "%s of the passdb is %s: %s", name,
                       *value == '\0' ? "not set" : value, what);
    apw_doctor_mend("%s = %s", name, expected);
}

static void look_at_ours(struct apw_doctor *doctor, const struct passdb *passdb)
{
    unsigned before = doctor->problems;

    look_at_stop(doctor, "result_failure", passdb->result_failure, "return-fail",
                 "a passdb behind it is asked after a refusal");
    look_at_stop(doctor, "result_internalfail", passdb->result_internalfail, "return-fail",
                 "a passdb behind it is asked while the directory does not answer");
    look_at_stop(doctor, "result_success", passdb->result_success, "return-ok",
                 "what comes behind can change an acceptance");
    if (passdb->is_deny || passdb->is_master) {
        apw_doctor_problem(doctor, "dovecot",
                           "the passdb is a %s one, which does not sign users in",
                           passdb->is_deny ? "deny" : "master");
        apw_doctor_mend("%s = no", passdb->is_deny ? "deny" : "master");
    }
    if (strcmp(passdb->driver, "lua") == 0 && passdb->is_without_worker) {
        apw_doctor_problem(doctor, "dovecot",
                           "one login that waits for the directory holds up all");
        apw_doctor_mend("use_worker = yes   # Dovecot 2.3: blocking=yes in args");
    }
    if (doctor->problems == before)
        apw_doctor_good(doctor, "dovecot", "the passdb with driver %s ends every login",
                        passdb->driver);
}

static void look_at_passdbs(struct apw_doctor *doctor, const struct dovecot *dovecot)
{
    unsigned own = 0;

    for (unsigned i = 0; i < dovecot->passdb_count; i++) {
        const struct passdb *passdb = &dovecot->passdb[i];
        int ours = is_ours(passdb);

        if (ours < 0) {
            apw_doctor_unknown(doctor, "dovecot",
                               "whether the passdb with driver %s asks for app "
                               "passwords: %s: %s",
                               passdb->driver,
                               passdb->file[0] != '\0' ? passdb->file : "its PAM file",
                               strerror(errno));
            apw_doctor_mend("run this on the host of that Dovecot, as root");
        } else if (ours > 0) {
            own++;
            look_at_ours(doctor, passdb);
        } else if (passdb->is_deny || passdb->is_master) {
            apw_doctor_note("dovecot", "a %s passdb with driver %s stays out of it",
                            passdb->is_deny ? "deny" : "master", passdb->driver);
        } else {
            apw_doctor_problem(doctor, "dovecot",
                               "a passdb with driver %s, %s ours, takes account "
                               "passwords",
                               passdb->driver, own > 0 ? "behind" : "before or without");
            apw_doctor_mend("# comment out the !include auth-….conf.ext that brings it");
        }
    }
    if (own > 0 || doctor->unknown > 0)
        return;
    apw_doctor_problem(doctor, "dovecot", "no passdb asks for app passwords");
    apw_doctor_mend("cp examples/dovecot/dovecot-2.3.conf /etc/dovecot/conf.d/90-app-password.conf "
                    "  # or dovecot-2.4.conf");
}

static void look_at_cache(struct apw_doctor *doctor, const char *size)
{
    /* Dovecot's own default is 0. */
    if (*size == '\0' || strtoull(size, NULL, 10) == 0) {
        apw_doctor_good(doctor, "dovecot", "the auth cache is off");
        return;
    }
    apw_doctor_problem(doctor, "dovecot", "the auth cache (%s) goes on accepting what is revoked",
                       size);
    apw_doctor_mend("auth_cache_size = 0");
}

static void look_at_mechanisms(struct apw_doctor *doctor, const char *list)
{
    unsigned before = doctor->problems;

    while (*list != '\0') {
        size_t length = strcspn(list, " \t");

        if (!(length == 5 &&
              (strncasecmp(list, "plain", 5) == 0 || strncasecmp(list, "login", 5) == 0))) {
            apw_doctor_problem(doctor, "dovecot",
                               "auth_mechanisms offers %.*s, which asks no app "
                               "password",
                               (int)length, list);
            apw_doctor_mend("auth_mechanisms = plain login");
        }
        list += length;
        list += strspn(list, " \t");
    }
    if (doctor->problems == before)
        apw_doctor_good(doctor, "dovecot", "auth_mechanisms");
}

/* "512 M", "1 G", "268435456 B" in MiB; 0 for unlimited. */
static unsigned long long mebibytes(const char *text)
{
    char *unit;
    unsigned long long number = strtoull(text, &unit, 10);

    unit += strspn(unit, " ");
    if (number == 0 || number >= 1ULL << 60)
        return 0;
    switch (*unit) {
    case 'k':
    case 'K':
        return number >> 10;
    case 'M':
        return number;
    case 'G':
        return number << 10;
    case 'T':
        return number << 20;
    default:
        return number >> 20;
    }
}

static void look_at_memory(struct apw_doctor *doctor, const struct dovecot *dovecot,
                           unsigned hash_memory_mib)
{
    const char *own = dovecot->worker_vsz_limit, *all = dovecot->default_vsz_limit;
    unsigned long long limit = *own != '\0'   ? mebibytes(own)
                               : *all != '\0' ? mebibytes(all)
                                              : DEFAULT_MIB;
    unsigned needed = LOADED_MIB + hash_memory_mib;

    if (limit == 0 || limit >= needed) {
        apw_doctor_good(doctor, "dovecot", "vsz_limit of auth-worker has room for a hash");
        return;
    }
    apw_doctor_problem(doctor, "dovecot",
                       "vsz_limit of auth-worker is %llu M; a hash of %u MiB "
                       "needs %u M, else logins are answered \"unavailable\"",
                       limit, hash_memory_mib, needed);
    apw_doctor_mend("service auth-worker { vsz_limit = 512 M }");
}

void apw_doctor_dovecot(struct apw_doctor *doctor, const char *path, unsigned hash_memory_mib)
{
    struct dovecot *dovecot = calloc(1, sizeof *dovecot);

    if (dovecot == NULL) {
        apw_doctor_unknown(doctor, "dovecot", "out of memory");
        return;
    }
    if (read_file(doctor, path, dovecot) == 0) {
        look_at_passdbs(doctor, dovecot);
        look_at_cache(doctor, dovecot->auth_cache_size);
        look_at_mechanisms(doctor, dovecot->auth_mechanisms);
        look_at_memory(doctor, dovecot, hash_memory_mib);
    }
    free(dovecot);
}
