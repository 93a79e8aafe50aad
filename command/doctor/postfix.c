/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/postfix.h"
#include "doctor/postconf.h"
#include "doctor/sasl.h"
#include "ldap/uri.h"
#include "program.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define VALUE_SIZE 4096
#define READ_MAX   16

struct postfix {
    struct apw_diagnosis *diagnosis;
    const struct apw_config *config;        /* NULL: not readable */
    const struct apw_doctor_sender *sender; /* NULL: none found */
    struct apw_doctor_postconf conf;
    char read[READ_MAX][PATH_MAX]; /* the smtpd.conf files that were checked */
    size_t read_count;
    unsigned offering; /* services that let users sign in */
};

static const char *value_of(const struct postfix *postfix, const char *service, const char *name,
                            char value_r[VALUE_SIZE])
{
    if (!apw_doctor_postconf_value(&postfix->conf, service, name, value_r, VALUE_SIZE))
        apw_diagnosis_unknown(postfix->diagnosis, "postfix", "%s is longer than %d bytes", name,
                              VALUE_SIZE);
    return value_r;
}

static bool is_value(const struct postfix *postfix, const char *service, const char *name,
                     const char *expected)
{
    char value[VALUE_SIZE];

    return strcmp(value_of(postfix, service, name, value), expected) == 0;
}

/* ---- the file that libsasl2 reads ---- */

/* Debian's Postfix before 3.9 has the folders built in, and ignores cyrus_sasl_config_path. */
static bool has_built_in_path(const struct postfix *postfix)
{
    char version[VALUE_SIZE];
    unsigned major = 0, minor = 0;

    sscanf(value_of(postfix, NULL, "mail_version", version), "%u.%u", &major, &minor);
    return major < 3 || (major == 3 && minor < 9);
}

/* The folders in which libsasl2 looks, separated by colons. */
static void find_folders(const struct postfix *postfix, char folders_r[2 * VALUE_SIZE])
{
    char path[VALUE_SIZE];

    value_of(postfix, NULL, "cyrus_sasl_config_path", path);
    if (has_built_in_path(postfix))
        snprintf(folders_r, 2 * VALUE_SIZE, "%s/sasl:/usr/lib/sasl", postfix->conf.folder);
    else if (*path != '\0')
        snprintf(folders_r, 2 * VALUE_SIZE, "%s", path);
    else
        snprintf(folders_r, 2 * VALUE_SIZE, "/etc/sasl2:/etc/sasl:/usr/lib/sasl2");
}

/* libsasl2 reads the first of these files that exists. */
static bool find_file(const char *folders, const char *name, char file_r[PATH_MAX])
{
    for (const char *at = folders; *at != '\0'; at += strspn(at, ":")) {
        size_t length = strcspn(at, ":");

        if (snprintf(file_r, PATH_MAX, "%.*s/%s.conf", (int)length, at, name) < PATH_MAX &&
            access(file_r, F_OK) == 0)
            return true;
        at += length;
    }
    return false;
}

static void check_file(struct postfix *postfix, const char *file)
{
    for (size_t i = 0; i < postfix->read_count; i++)
        if (strcmp(postfix->read[i], file) == 0)
            return;
    if (postfix->read_count < READ_MAX)
        snprintf(postfix->read[postfix->read_count++], PATH_MAX, "%s", file);
    apw_doctor_sasl_check(postfix->diagnosis, file);
}

/* The fix copies the example to the first folder; a new file elsewhere would not be read. */
static void check_cyrus(struct postfix *postfix, const char *service)
{
    struct apw_diagnosis *diagnosis = postfix->diagnosis;
    char folders[2 * VALUE_SIZE], name[VALUE_SIZE], file[PATH_MAX];

    find_folders(postfix, folders);
    value_of(postfix, service, "smtpd_sasl_path", name);
    if (find_file(folders, name, file)) {
        apw_diagnosis_good(diagnosis, "postfix", "%s reads %s", service, file);
        check_file(postfix, file);
        return;
    }
    apw_diagnosis_problem(diagnosis, "postfix",
                          "%s reads no configuration of libsasl2: there is no %s.conf in %s",
                          service, name, folders);
    apw_diagnosis_fix(diagnosis, "cp examples/postfix/smtpd.conf %.*s/%s.conf",
                      (int)strcspn(folders, ":"), folders, name);
    snprintf(folders, sizeof folders, "%s/sasl", postfix->conf.folder);
    if (!has_built_in_path(postfix) && find_file(folders, name, file))
        apw_diagnosis_fix(diagnosis, "postconf -c %s -e cyrus_sasl_config_path=%s   # to read %s",
                          postfix->conf.folder, folders, file);
}

/* ---- Dovecot's socket ---- */

static void check_dovecot(const struct postfix *postfix, const char *service)
{
    struct apw_diagnosis *diagnosis = postfix->diagnosis;
    char path[VALUE_SIZE], queue[VALUE_SIZE], socket[2 * VALUE_SIZE + 2];
    struct stat status;

    value_of(postfix, service, "smtpd_sasl_path", path);
    value_of(postfix, NULL, "queue_directory", queue);
    if (strncmp(path, "inet:", 5) == 0) {
        apw_diagnosis_note(diagnosis, "postfix", "%s asks Dovecot at %s", service, path);
        return;
    }
    if (strncmp(path, "unix:", 5) == 0)
        memmove(path, path + 5, strlen(path + 5) + 1);
    snprintf(socket, sizeof socket, "%s%s%s", *path == '/' ? "" : queue, *path == '/' ? "" : "/",
             path);
    if (stat(socket, &status) == 0 && S_ISSOCK(status.st_mode)) {
        apw_diagnosis_good(diagnosis, "postfix",
                           "%s asks Dovecot at %s; check Dovecot with --dovecot", service, socket);
        return;
    }
    apw_diagnosis_problem(diagnosis, "postfix",
                          "%s asks Dovecot, but %s is no socket: every login ends in 454 or 535",
                          service, socket);
    apw_diagnosis_fix(diagnosis,
                      "unix_listener %s in \"service auth\" of Dovecot; or "
                      "smtpd_sasl_type = cyrus and smtpd_sasl_path = smtpd",
                      socket);
}

/* ---- one service ---- */

static void check_tls(const struct postfix *postfix, const char *service)
{
    if (is_value(postfix, service, "smtpd_tls_auth_only", "yes") ||
        is_value(postfix, service, "smtpd_tls_wrappermode", "yes") ||
        is_value(postfix, service, "smtpd_tls_security_level", "encrypt"))
        return;
    apw_diagnosis_problem(postfix->diagnosis, "postfix",
                          "%s accepts passwords without TLS: smtpd_tls_auth_only is no", service);
    apw_diagnosis_fix(postfix->diagnosis, "postconf -c %s -e smtpd_tls_auth_only=yes",
                      postfix->conf.folder);
}

/* TLS that is off, or a rule against the two mechanisms that work, lets nobody sign in. */
static void check_offer(const struct postfix *postfix, const char *service)
{
    char options[VALUE_SIZE], level[VALUE_SIZE];

    value_of(postfix, service, "smtpd_tls_security_level", level);
    if ((*level == '\0' || strcmp(level, "none") == 0) &&
        is_value(postfix, service, "smtpd_tls_auth_only", "yes") &&
        !is_value(postfix, service, "smtpd_tls_wrappermode", "yes") &&
        !is_value(postfix, service, "smtpd_use_tls", "yes")) {
        apw_diagnosis_problem(postfix->diagnosis, "postfix",
                              "%s never offers AUTH: it needs TLS (smtpd_tls_auth_only), which is "
                              "off",
                              service);
        apw_diagnosis_fix(postfix->diagnosis,
                          "postconf -c %s -P %s/smtpd_tls_security_level=encrypt",
                          postfix->conf.folder, service);
    }
    value_of(postfix, service, "smtpd_sasl_tls_security_options", options);
    if (strstr(options, "noplaintext") != NULL) {
        apw_diagnosis_problem(postfix->diagnosis, "postfix",
                              "%s offers no mechanism: noplaintext in "
                              "smtpd_sasl_tls_security_options forbids PLAIN and LOGIN",
                              service);
        apw_diagnosis_fix(postfix->diagnosis,
                          "postconf -c %s -P %s/smtpd_sasl_tls_security_options=noanonymous",
                          postfix->conf.folder, service);
    }
}

/* The sockets that the plugin opens after chroot(). `key` names them. */
static void check_chroot_of(const struct postfix *postfix, const char *service, const char *key,
                            const struct apw_uris *uris)
{
    char queue[VALUE_SIZE], inside[2 * VALUE_SIZE];

    value_of(postfix, NULL, "queue_directory", queue);
    for (size_t i = 0; i < uris->count; i++) {
        char path[PATH_MAX];

        if (!apw_uri_socket(uris->uri[i], path, sizeof path))
            continue;
        snprintf(inside, sizeof inside, "%s%s", queue, path);
        if (access(inside, F_OK) == 0)
            continue;
        apw_diagnosis_problem(postfix->diagnosis, "postfix",
                              "%s runs in a chroot in which %s does not exist: %s is of no use "
                              "there",
                              service, path, uris->uri[i]);
        apw_diagnosis_fix(postfix->diagnosis,
                          "%s ldap://127.0.0.1   # or let slapd listen on %s too", key, inside);
    }
}

static void check_chroot(const struct postfix *postfix, const char *service)
{
    check_chroot_of(postfix, service, "uri", &postfix->config->uris);
    check_chroot_of(postfix, service, "store_uri", &postfix->config->store.uris);
}

/* ---- senders ---- */

/* Whether one of the lists of restrictions compares the sender with the accepted name. */
static bool compares_senders(const struct postfix *postfix, const char *service)
{
    static const char *const lists[] = {"smtpd_client_restrictions", "smtpd_helo_restrictions",
                                        "smtpd_sender_restrictions", "smtpd_recipient_restrictions",
                                        "smtpd_relay_restrictions",  "smtpd_data_restrictions"};
    char value[VALUE_SIZE];

    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        value_of(postfix, service, lists[i], value);
        if (strstr(value, "sender_login_mismatch") != NULL)
            return true;
    }
    return false;
}

static bool has_name(const char *list, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = list; *at != '\0'; at += strspn(at, ", \t\n")) {
        size_t found = strcspn(at, ", \t\n");

        if (found == length && strncasecmp(at, name, length) == 0)
            return true;
        at += found;
    }
    return false;
}

/* Drops the warnings before what postmap found, and ends that line. */
static char *first_found(char *output)
{
    char *found = output;

    while (found != NULL && strncmp(found, "postmap: ", 9) == 0)
        found = apw_program_next_line(found);
    if (found == NULL)
        return strdup("");
    found[strcspn(found, "\n")] = '\0';
    return strdup(found);
}

/* The owners of an address, by the first map that has it; "" if none has. NULL, with a finding, if
 * postmap could not tell. The caller frees them. */
static char *find_owners(const struct postfix *postfix, char *maps, const char *address)
{
    char *rest = NULL;

    for (char *map = strtok_r(maps, ", ", &rest); map != NULL; map = strtok_r(NULL, ", ", &rest)) {
        const char *const arguments[] = {"postmap", "-c", postfix->conf.folder, "-q", address,
                                         map,       NULL};
        char *output, *found = NULL;
        int status = apw_program_read_all(arguments, &output);
        bool is_answer = output != NULL && status >= 0 && strstr(output, "fatal:") == NULL;

        if (is_answer && status == 0)
            found = first_found(output);
        if (!is_answer) {
            apw_diagnosis_unknown(postfix->diagnosis, "postfix", "cannot look %s up in %s: %s",
                                  address, map, output == NULL ? "out of memory" : output);
            apw_diagnosis_fix(postfix->diagnosis,
                              "postmap -c %s -q %s %s   # must print its owners",
                              postfix->conf.folder, address, map);
        }
        free(output);
        if (!is_answer || status == 0)
            return found;
    }
    return strdup("");
}

static void check_senders(const struct postfix *postfix, const char *service)
{
    const struct apw_doctor_sender *sender = postfix->sender;
    char maps[VALUE_SIZE], *owners;

    value_of(postfix, service, "smtpd_sender_login_maps", maps);
    if (*maps == '\0' || !compares_senders(postfix, service))
        return;
    if (sender == NULL) {
        apw_diagnosis_unknown(postfix->diagnosis, "postfix",
                              "%s compares senders with the accepted name, and no user with an "
                              "address was found to try it",
                              service);
        apw_diagnosis_fix(postfix->diagnosis, "login_attribute uid   # in app-password.conf; then "
                                              "smtpd_sender_login_maps must name this attribute");
        return;
    }
    owners = find_owners(postfix, maps, sender->address);
    if (owners == NULL)
        return;
    if (has_name(owners, sender->name)) {
        apw_diagnosis_good(postfix->diagnosis, "postfix", "%s lets %s send as %s", service,
                           sender->name, sender->address);
    } else {
        apw_diagnosis_problem(
            postfix->diagnosis, "postfix",
            "%s rejects mail from %s: smtpd_sender_login_maps names %s as its owner, and the "
            "accepted name is %s",
            service, sender->address, *owners == '\0' ? "nobody" : owners, sender->name);
        apw_diagnosis_fix(postfix->diagnosis,
                          "let smtpd_sender_login_maps return the %s of an address, here %s",
                          postfix->config->login_attribute, sender->name);
    }
    free(owners);
}

static void check_service(struct postfix *postfix,
                          const struct apw_doctor_postconf_service *service)
{
    const char *key = service->key;
    char type[VALUE_SIZE];

    if (!is_value(postfix, key, "smtpd_sasl_auth_enable", "yes"))
        return;
    postfix->offering++;
    check_tls(postfix, key);
    check_offer(postfix, key);
    value_of(postfix, key, "smtpd_sasl_type", type);
    if (strcmp(type, "dovecot") == 0) {
        check_dovecot(postfix, key);
    } else {
        check_cyrus(postfix, key);
        if (postfix->config != NULL && service->is_chrooted)
            check_chroot(postfix, key);
    }
    if (postfix->config != NULL && postfix->config->login_attribute != NULL)
        check_senders(postfix, key);
}

void apw_doctor_postfix_check(struct apw_diagnosis *diagnosis, const char *folder,
                              const struct apw_config *config,
                              const struct apw_doctor_sender *sender)
{
    struct postfix *postfix = calloc(1, sizeof *postfix);
    char why[1024] = "postconf printed nothing";

    if (postfix == NULL) {
        apw_diagnosis_unknown(diagnosis, "postfix", "out of memory");
        return;
    }
    *postfix = (struct postfix){.diagnosis = diagnosis, .config = config, .sender = sender};
    if (apw_doctor_postconf_read(folder, &postfix->conf, why, sizeof why) != 0) {
        apw_diagnosis_problem(diagnosis, "postfix", "%s", why);
        apw_diagnosis_fix(diagnosis,
                          "postconf -c %s -x   # must print the settings; --postfix=FOLDER is the "
                          "folder with main.cf and master.cf",
                          folder);
    } else {
        for (size_t i = 0; i < postfix->conf.count; i++)
            check_service(postfix, &postfix->conf.service[i]);
        if (postfix->offering == 0) {
            apw_diagnosis_problem(diagnosis, "postfix",
                                  "no smtpd of %s lets users sign in: smtpd_sasl_auth_enable is no",
                                  folder);
            apw_diagnosis_fix(diagnosis, "add examples/postfix/master.cf to %s/master.cf", folder);
        }
    }
    apw_doctor_postconf_clear(&postfix->conf);
    free(postfix);
}
