#include "doctor/doctor.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define LINE_SIZE    4096
#define OPTIONS_MAX  64
#define PLUGIN       "apppassword"
#define VIEWER       "PATH=\"$PATH:/usr/sbin:/usr/bin\" saslpluginviewer -s -m %s 2>/dev/null"
#define VIEWER_START "Plugin \""

/* The options of the file, in its order. */
struct options {
    size_t count;
    struct option_line {
        char *name;
        char *value;
    } item[OPTIONS_MAX];
};

static const char *option(const struct options *options, const char *name)
{
    for (size_t i = 0; i < options->count; i++)
        if (strcasecmp(options->item[i].name, name) == 0)
            return options->item[i].value;
    return NULL;
}

static void free_options(struct options *options)
{
    for (size_t i = 0; i < options->count; i++) {
        free(options->item[i].name);
        free(options->item[i].value);
    }
}

/* One line as libsasl2 takes it; -1 where it takes none of the file for it. */
static int read_line(char *line, struct options *options)
{
    char *name = line + strspn(line, " \t\r\n"), *value, *end;
    struct option_line *item = &options->item[options->count];

    if (*name == '\0' || *name == '#')
        return 0;
    for (end = name; isalnum((unsigned char)*end) || *end == '-' || *end == '_'; end++)
        ;
    if (*end != ':' || options->count == OPTIONS_MAX)
        return -1;
    *end = '\0';
    value = end + 1 + strspn(end + 1, " \t");
    for (end = value + strlen(value); end > value && isspace((unsigned char)end[-1]); end--)
        ;
    *end = '\0';
    if (*value == '\0')
        return -1;
    item->name = strdup(name);
    item->value = strdup(value);
    options->count++;
    return item->name == NULL || item->value == NULL ? -1 : 0;
}

static int read_options(struct apw_doctor *doctor, const char *path, struct options *options)
{
    FILE *file = fopen(path, "re");
    char line[LINE_SIZE];
    int number = 0, status = 0;

    if (file == NULL) {
        apw_doctor_problem(doctor, "sasl", "%s: %s", path, strerror(errno));
        apw_doctor_mend("cp examples/postfix/smtpd.conf %s", path);
        return -1;
    }
    while (status == 0 && fgets(line, sizeof line, file) != NULL) {
        number++;
        status = read_line(line, options);
    }
    fclose(file);
    if (status == 0)
        return 0;
    apw_doctor_problem(doctor, "sasl",
                       "%s:%d: libsasl2 takes no line like this, and nothing of the "
                       "file for its sake",
                       path, number);
    apw_doctor_mend("name: value   # on each line");
    return -1;
}

/* Whether the words of `list` include `word`, in whichever case. */
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

static void look_at_mechanisms(struct apw_doctor *doctor, const struct options *options)
{
    const char *list = option(options, "mech_list");
    const char *also = option(options, "apppassword_also_mechs");
    unsigned before = doctor->problems;

    if (list == NULL) {
        apw_doctor_problem(doctor, "sasl",
                           "without mech_list every installed mechanism is offered");
        apw_doctor_mend("mech_list: PLAIN LOGIN");
        return;
    }
    for (const char *at = list; *at != '\0'; at += strspn(at, " \t")) {
        size_t length = strcspn(at, " \t");

        if (!has_word("PLAIN LOGIN", at, length) && !has_word(also, at, length)) {
            apw_doctor_problem(doctor, "sasl", "mech_list offers %.*s, which asks no app password",
                               (int)length, at);
            apw_doctor_mend("mech_list: PLAIN LOGIN");
        }
        at += length;
    }
    if (doctor->problems == before)
        apw_doctor_good(doctor, "sasl", "mech_list: %s", list);
    if (also != NULL)
        apw_doctor_note("sasl", "apppassword_also_mechs lets %s pass the guard", also);
}

/* One option that has to have one value. */
static void look_at_option(struct apw_doctor *doctor, const struct options *options,
                           const char *name, const char *expected, const char *else_what)
{
    const char *value = option(options, name);

    if (value != NULL && strcasecmp(value, expected) == 0) {
        apw_doctor_good(doctor, "sasl", "%s: %s", name, value);
        return;
    }
    apw_doctor_problem(doctor, "sasl", "%s is %s: %s", name, value == NULL ? "not set" : value,
                       else_what);
    apw_doctor_mend("%s: %s", name, expected);
}

static void look_at_config_option(struct apw_doctor *doctor, const struct options *options)
{
    const char *path = option(options, "apppassword_config");

    if (path == NULL) {
        apw_doctor_problem(doctor, "sasl", "without apppassword_config the plugin stays away");
        apw_doctor_mend("apppassword_config: %s", apw_config_default_path);
    } else if (access(path, R_OK) != 0) {
        apw_doctor_problem(doctor, "sasl", "apppassword_config: %s: %s", path, strerror(errno));
        apw_doctor_mend("apppassword_config: %s", apw_config_default_path);
    } else {
        apw_doctor_good(doctor, "sasl", "apppassword_config: %s", path);
    }
}

static void look_at_own_options(struct apw_doctor *doctor, const struct options *options)
{
    for (size_t i = 0; i < options->count; i++) {
        const char *name = options->item[i].name;

        if (strncasecmp(name, PLUGIN, strlen(PLUGIN)) == 0 &&
            strcasecmp(name, "apppassword_config") != 0 &&
            strcasecmp(name, "apppassword_also_mechs") != 0) {
            apw_doctor_problem(doctor, "sasl", "the plugin has no option %s", name);
            apw_doctor_mend("apppassword_config: %s", apw_config_default_path);
        }
    }
}

/* ---- which plugin will win: libsasl2 itself is asked, by its own viewer ---- */

/* The name of the first plugin that the viewer lists, which is the one that libsasl2 takes. */
static int ask_viewer(const char *mechanism, char *winner_r, size_t size)
{
    char command[256], line[LINE_SIZE];
    FILE *output;
    int status = -1;

    snprintf(command, sizeof command, VIEWER, mechanism);
    output = popen(command, "re");
    if (output == NULL)
        return -1;
    while (fgets(line, sizeof line, output) != NULL)
        if (status != 0 && strncmp(line, VIEWER_START, strlen(VIEWER_START)) == 0) {
            const char *name = line + strlen(VIEWER_START);

            snprintf(winner_r, size, "%.*s", (int)strcspn(name, "\""), name);
            status = 0;
        }
    return pclose(output) == 0 || status == 0 ? status : -1;
}

static void judge_winner(struct apw_doctor *doctor, const char *mechanism)
{
    char winner[128] = "";

    if (ask_viewer(mechanism, winner, sizeof winner) != 0) {
        apw_doctor_unknown(doctor, "sasl",
                           "which plugin answers %s: saslpluginviewer tells nothing", mechanism);
        apw_doctor_mend("apt install sasl2-bin");
    } else if (strcmp(winner, PLUGIN) == 0) {
        apw_doctor_good(doctor, "sasl", "%s is answered by %s", mechanism, winner);
    } else {
        apw_doctor_problem(doctor, "sasl",
                           "%s is answered by \"%s\", not by %s, which libsasl2 does "
                           "not find, cannot load or puts behind",
                           mechanism, winner, PLUGIN);
        apw_doctor_mend(
            "install libapppassword.so where libsasl2 looks: the folder of libplain.so, "
            "or one in SASL_PATH");
    }
}

/* The viewer reads pluginviewer.conf in SASL_CONF_PATH: a link to the file in a folder of ours. */
static void look_at_winner(struct apw_doctor *doctor, const char *path)
{
    char folder[] = "/tmp/app-password-doctor.XXXXXX", link[sizeof folder + 32];
    char *real = realpath(path, NULL);

    if (real == NULL || mkdtemp(folder) == NULL) {
        apw_doctor_unknown(doctor, "sasl", "which plugin answers: %s", strerror(errno));
        free(real);
        return;
    }
    snprintf(link, sizeof link, "%s/pluginviewer.conf", folder);
    if (symlink(real, link) == 0 && setenv("SASL_CONF_PATH", folder, 1) == 0) {
        judge_winner(doctor, "PLAIN");
        judge_winner(doctor, "LOGIN");
    } else {
        apw_doctor_unknown(doctor, "sasl", "which plugin answers: %s", strerror(errno));
    }
    unlink(link);
    rmdir(folder);
    free(real);
}

void apw_doctor_sasl(struct apw_doctor *doctor, const char *path)
{
    struct options options = {.count = 0};

    if (read_options(doctor, path, &options) == 0) {
        look_at_mechanisms(doctor, &options);
        look_at_option(doctor, &options, "pwcheck_method", "disabled",
                       "if the plugin cannot be loaded, passwords are checked by something else");
        look_at_option(doctor, &options, "canon_user_plugin", PLUGIN,
                       "there is no guard, and any other mechanism lets users in");
        look_at_option(doctor, &options, "auxprop_plugin", "none",
                       "passwords are looked up in sasldb or elsewhere");
        look_at_config_option(doctor, &options);
        look_at_own_options(doctor, &options);
        look_at_winner(doctor, path);
    }
    free_options(&options);
}
