/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/sasl.h"
#include "config.h"
#include "doctor/saslconf.h"
#include "program.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define PLUGIN       "apppassword"
#define VIEWER_START "Plugin \""

static int read_file(struct apw_diagnosis *diagnosis, const char *path,
                     struct apw_doctor_saslconf *conf_r)
{
    FILE *file = fopen(path, "re");
    unsigned line;
    int status;

    if (file == NULL) {
        apw_diagnosis_problem(diagnosis, "sasl", "%s: %s", path, strerror(errno));
        apw_diagnosis_fix(diagnosis, "cp examples/postfix/smtpd.conf %s", path);
        return -1;
    }
    status = apw_doctor_saslconf_read(file, conf_r, &line);
    fclose(file);
    if (status != 0) {
        apw_diagnosis_problem(diagnosis, "sasl",
                              "%s:%u: libsasl2 rejects the whole file because of this line", path,
                              line);
        apw_diagnosis_fix(diagnosis, "name: value   # on each line");
    }
    return status;
}

/* `list` separates words by white space; NULL has none. Ignores case. */
static bool has_word(const char *list, const char *word, size_t length)
{
    while (list != NULL && *list != '\0') {
        size_t found = strcspn(list, " \t");

        if (found == length && strncasecmp(list, word, length) == 0)
            return true;
        list += found;
        list += strspn(list, " \t");
    }
    return false;
}

static void check_mechanisms(struct apw_diagnosis *diagnosis,
                             const struct apw_doctor_saslconf *conf)
{
    const char *list = apw_doctor_saslconf_value(conf, "mech_list");
    const char *also = apw_doctor_saslconf_value(conf, "apppassword_also_mechs");
    unsigned before = diagnosis->problems;

    if (list == NULL) {
        apw_diagnosis_problem(diagnosis, "sasl",
                              "%smech_list is not set, so every installed mechanism is offered",
                              conf->prefix);
        apw_diagnosis_fix(diagnosis, "%smech_list: PLAIN LOGIN", conf->prefix);
        return;
    }
    for (const char *at = list; *at != '\0'; at += strspn(at, " \t")) {
        size_t length = strcspn(at, " \t");

        if (!has_word("PLAIN LOGIN", at, length) && !has_word(also, at, length)) {
            apw_diagnosis_problem(diagnosis, "sasl",
                                  "%smech_list offers %.*s, which does not check app passwords",
                                  conf->prefix, (int)length, at);
            apw_diagnosis_fix(diagnosis, "%smech_list: PLAIN LOGIN", conf->prefix);
        }
        at += length;
    }
    if (diagnosis->problems == before)
        apw_diagnosis_good(diagnosis, "sasl", "%smech_list: %s", conf->prefix, list);
    if (also != NULL)
        apw_diagnosis_note(diagnosis, "sasl", "%sapppassword_also_mechs lets %s pass the guard",
                           conf->prefix, also);
}

static void check_option(struct apw_diagnosis *diagnosis, const struct apw_doctor_saslconf *conf,
                         const char *name, const char *expected, const char *otherwise)
{
    const char *value = apw_doctor_saslconf_value(conf, name);

    if (value != NULL && strcasecmp(value, expected) == 0) {
        apw_diagnosis_good(diagnosis, "sasl", "%s%s: %s", conf->prefix, name, value);
        return;
    }
    apw_diagnosis_problem(diagnosis, "sasl", "%s%s is %s: %s", conf->prefix, name,
                          value == NULL ? "not set" : value, otherwise);
    apw_diagnosis_fix(diagnosis, "%s%s: %s", conf->prefix, name, expected);
}

static void check_config_option(struct apw_diagnosis *diagnosis,
                                const struct apw_doctor_saslconf *conf)
{
    const char *path = apw_doctor_saslconf_value(conf, "apppassword_config");

    if (path == NULL) {
        apw_diagnosis_problem(diagnosis, "sasl",
                              "%sapppassword_config is not set, so the plugin does not register",
                              conf->prefix);
        apw_diagnosis_fix(diagnosis, "%sapppassword_config: %s", conf->prefix,
                          apw_config_default_path);
    } else if (access(path, R_OK) != 0) {
        apw_diagnosis_problem(diagnosis, "sasl", "%sapppassword_config: %s: %s", conf->prefix, path,
                              strerror(errno));
        apw_diagnosis_fix(diagnosis, "%sapppassword_config: %s", conf->prefix,
                          apw_config_default_path);
    } else {
        apw_diagnosis_good(diagnosis, "sasl", "%sapppassword_config: %s", conf->prefix, path);
    }
}

static void check_own_options(struct apw_diagnosis *diagnosis,
                              const struct apw_doctor_saslconf *conf)
{
    for (size_t i = 0; i < conf->count; i++) {
        const char *name = conf->option[i].name;

        if (strncasecmp(name, PLUGIN, strlen(PLUGIN)) == 0 &&
            strcasecmp(name, "apppassword_config") != 0 &&
            strcasecmp(name, "apppassword_also_mechs") != 0) {
            apw_diagnosis_problem(diagnosis, "sasl", "the plugin has no option %s%s", conf->prefix,
                                  name);
            apw_diagnosis_fix(diagnosis, "%sapppassword_config: %s", conf->prefix,
                              apw_config_default_path);
        }
    }
}

/* ---- the plugin that libsasl2 prefers, according to its own viewer ---- */

/* libsasl2 takes the first plugin that the viewer lists. -1 if the viewer lists none. */
static int read_winner(char *output, char *winner_r, size_t size)
{
    for (char *line = output, *next; line != NULL; line = next) {
        next = apw_program_next_line(line);
        if (strncmp(line, VIEWER_START, strlen(VIEWER_START)) == 0) {
            const char *name = line + strlen(VIEWER_START);

            snprintf(winner_r, size, "%.*s", (int)strcspn(name, "\""), name);
            return 0;
        }
    }
    return -1;
}

static void judge_winner(struct apw_diagnosis *diagnosis, const char *mechanism, const char *winner)
{
    if (strcmp(winner, PLUGIN) == 0) {
        apw_diagnosis_good(diagnosis, "sasl", "%s is answered by %s", mechanism, winner);
        return;
    }
    apw_diagnosis_problem(diagnosis, "sasl",
                          "%s is answered by \"%s\", not by %s: libsasl2 does not find it, cannot "
                          "load it, or prefers the other",
                          mechanism, winner, PLUGIN);
    apw_diagnosis_fix(
        diagnosis,
        "install libapppassword.so in the folder of libplain.so, or in a folder of SASL_PATH");
}

static void check_winner(struct apw_diagnosis *diagnosis, const char *mechanism)
{
    const char *const arguments[] = {"saslpluginviewer", "-s", "-m", mechanism, NULL};
    char winner[128], *output;
    int status = apw_program_read_all(arguments, &output);

    if (output != NULL && status >= 0 && read_winner(output, winner, sizeof winner) == 0) {
        judge_winner(diagnosis, mechanism, winner);
    } else {
        apw_diagnosis_unknown(
            diagnosis, "sasl", "cannot tell which plugin answers %s: %s", mechanism,
            output != NULL && *output != '\0' ? output : "saslpluginviewer printed nothing");
        apw_diagnosis_fix(diagnosis, "apt install sasl2-bin");
    }
    free(output);
}

/* Writes the options as libsasl2 names them. */
static int write_options(const char *path, const struct apw_doctor_saslconf *conf)
{
    FILE *file = fopen(path, "wxe");

    if (file == NULL)
        return -1;
    for (size_t i = 0; i < conf->count; i++)
        fprintf(file, "%s: %s\n", conf->option[i].name, conf->option[i].value);
    return fclose(file);
}

/* The viewer reads pluginviewer.conf in SASL_CONF_PATH, a temporary folder. */
static void check_winners(struct apw_diagnosis *diagnosis, const struct apw_doctor_saslconf *conf)
{
    char folder[] = "/tmp/app-password-doctor.XXXXXX", copy[sizeof folder + 32];

    if (mkdtemp(folder) == NULL) {
        apw_diagnosis_unknown(diagnosis, "sasl",
                              "cannot ask saslpluginviewer which plugin answers: %s",
                              strerror(errno));
        return;
    }
    snprintf(copy, sizeof copy, "%s/pluginviewer.conf", folder);
    if (write_options(copy, conf) == 0 && setenv("SASL_CONF_PATH", folder, 1) == 0) {
        check_winner(diagnosis, "PLAIN");
        check_winner(diagnosis, "LOGIN");
    } else {
        apw_diagnosis_unknown(diagnosis, "sasl",
                              "cannot ask saslpluginviewer which plugin answers: %s",
                              strerror(errno));
    }
    unlink(copy);
    rmdir(folder);
}

static void check_unread(struct apw_diagnosis *diagnosis, const struct apw_doctor_saslconf *conf,
                         const char *path)
{
    if (conf->unread == 0)
        return;
    apw_diagnosis_unknown(diagnosis, "sasl",
                          "%s:%u: an included file, or an option of one service, takes precedence "
                          "and was not checked",
                          path, conf->unread);
    apw_diagnosis_fix(diagnosis, "set sasl_... options in this file only, for all services");
}

void apw_doctor_sasl_check(struct apw_diagnosis *diagnosis, const char *path)
{
    struct apw_doctor_saslconf conf = {.prefix = ""};

    if (read_file(diagnosis, path, &conf) == 0) {
        check_mechanisms(diagnosis, &conf);
        check_option(diagnosis, &conf, "pwcheck_method", "disabled",
                     "something else checks passwords if the plugin cannot be loaded");
        check_option(diagnosis, &conf, "canon_user_plugin", PLUGIN,
                     "without the guard, any other mechanism can let users in");
        check_option(diagnosis, &conf, "auxprop_plugin", "none",
                     "libsasl2 looks passwords up in sasldb or elsewhere");
        check_config_option(diagnosis, &conf);
        check_own_options(diagnosis, &conf);
        check_unread(diagnosis, &conf, path);
        check_winners(diagnosis, &conf);
    }
    apw_doctor_saslconf_clear(&conf);
}
