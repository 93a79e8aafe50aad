/* SPDX-License-Identifier: BSD-2-Clause */
#include "setup/postfix.h"
#include "program.h"
#include "setup/shipped.h"
#include "setup/text.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER "/etc/postfix"

static bool is_plugin(const struct apw_setup_answers *answers)
{
    return apw_setup_answers_is(answers, APW_SETUP_POSTFIX, "plugin");
}

/* Whether main.cf already has smtpd ask Dovecot. */
static bool asks_dovecot(void)
{
    char type[64];

    return apw_program_read((const char *[]){"postconf", "-h", "smtpd_sasl_type", NULL}, type,
                            sizeof type) == 0 &&
           strcmp(type, "dovecot\n") == 0;
}

/* Whether master.cf has a port for mail clients. */
static bool has_submission(void)
{
    static const char *const services[] = {"submission/inet", "submissions/inet", "smtps/inet",
                                           "587/inet", "465/inet"};
    char output[1024];

    for (size_t i = 0; i < sizeof services / sizeof *services; i++)
        if (apw_program_read((const char *[]){"postconf", "-M", services[i], NULL}, output,
                             sizeof output) == 0 &&
            *output != '\0')
            return true;
    return false;
}

/* With the plugin, a service that still asks Dovecot would be one more place to set up. */
static int check_overrides(struct apw_error *error)
{
    const char *argv[] = {"postconf", "-P", "*/*/smtpd_sasl_type", NULL};
    char output[1024];

    if (apw_program_read(argv, output, sizeof output) != 0 || strstr(output, "= dovecot") == NULL)
        return 0;
    output[strcspn(output, "\n")] = '\0';
    return apw_error_set(
        error,
        "master.cf overrides main.cf (%s): remove that, or let Postfix ask Dovecot "
        "(postfix dovecot)",
        output);
}

static int change(const struct apw_setup_folder *folder, const char *setting,
                  struct apw_error *error)
{
    char path[PATH_MAX], output[1024];
    const char *argv[] = {"postconf", "-c", path, "-e", setting, NULL};

    if (apw_setup_folder_path(folder, "etc/postfix", path, sizeof path, error) != 0)
        return -1;
    if (apw_program_read(argv, output, sizeof output) != 0)
        return apw_error_set(error, "postconf -c %s -e \"%s\" failed", path, setting);
    return 0;
}

/* Makes each setting of a text like main.cf, in the copy of main.cf. */
static int change_all(const struct apw_setup_folder *folder, const char *text,
                      struct apw_error *error)
{
    while (*text != '\0') {
        char setting[512];
        int length = (int)strcspn(text, "\n");

        snprintf(setting, sizeof setting, "%.*s", length, text);
        if (*setting != '\0' && *setting != '#' && change(folder, setting, error) != 0)
            return -1;
        text += length + (text[length] == '\n' ? 1 : 0);
    }
    return 0;
}

static int change_main(struct apw_setup_folder *folder, const struct apw_setup_answers *answers,
                       struct apw_error *error)
{
    static const struct apw_setup_file file = {.step = "postfix", .path = FOLDER "/main.cf"};
    char *settings = apw_setup_shipped_adapt("examples/postfix/main.cf", answers, error);
    int status = -1;

    if (!is_plugin(answers)) {
        settings = apw_setup_text_replace(settings, "smtpd_sasl_type = cyrus",
                                          "smtpd_sasl_type = dovecot");
        settings = apw_setup_text_replace(settings, "smtpd_sasl_path = smtpd",
                                          "smtpd_sasl_path = private/auth");
    }
    if (settings == NULL)
        return -1;
    if (apw_setup_folder_install(folder, &file, apw_setup_text_read(file.path, error), error) == 0)
        status = change_all(folder, settings, error);
    if (status == 0 && is_plugin(answers))
        status = change(folder, "cyrus_sasl_config_path = " FOLDER "/sasl", error);
    free(settings);
    return status;
}

/* Adds the ports for mail clients. */
static int change_master(struct apw_setup_folder *folder, const struct apw_setup_answers *answers,
                         struct apw_error *error)
{
    static const struct apw_setup_file file = {.step = "postfix", .path = FOLDER "/master.cf"};
    char *added = apw_setup_shipped_adapt("examples/postfix/master.cf", answers, error),
         *text = NULL;

    added = apw_setup_text_drop_paragraph(added, "# the first byte. Then \"postfix reload\".");
    if (added != NULL)
        text = apw_setup_text_append(apw_setup_text_read(file.path, error), added);
    free(added);
    return apw_setup_folder_install(folder, &file, text, error);
}

static char *make_footer(const struct apw_setup_answers *answers, struct apw_error *error)
{
    char *text = apw_setup_shipped_adapt("examples/postfix/reject-footer", answers, error);

    if (apw_setup_answers_is(answers, APW_SETUP_PAGE, "yes"))
        return apw_setup_text_replace(text, "https://mail.example.org/app-passwords",
                                      answers->value[APW_SETUP_PUBLIC_URL]);
    return apw_setup_text_replace(text, ": https://mail.example.org/app-passwords", ".");
}

int apw_setup_postfix_write(struct apw_setup_folder *folder,
                            const struct apw_setup_answers *answers, struct apw_error *error)
{
    static const struct apw_setup_file sasl = {"postfix", "0644", "root:root",
                                               FOLDER "/sasl/smtpd.conf"},
                                       footer = {"postfix", "0644", "root:root",
                                                 FOLDER "/reject-footer"};

    if (is_plugin(answers) && check_overrides(error) != 0)
        return -1;
    if (!has_submission() && change_master(folder, answers, error) != 0)
        return -1;
    if (!is_plugin(answers) && asks_dovecot())
        return 0;
    if (is_plugin(answers) &&
        apw_setup_folder_install(
            folder, &sasl, apw_setup_shipped_adapt("examples/postfix/smtpd.conf", answers, error),
            error) != 0)
        return -1;
    if (apw_setup_folder_install(folder, &footer, make_footer(answers, error), error) != 0)
        return -1;
    return change_main(folder, answers, error);
}
