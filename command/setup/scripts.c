/* SPDX-License-Identifier: BSD-2-Clause */
#include "setup/scripts.h"
#include "setup/questions.h"
#include "setup/shipped.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_yes(const struct apw_setup_answers *answers, enum apw_setup_key key)
{
    return apw_setup_answers_is(answers, key, "yes");
}

static bool has_directory(const struct apw_setup_answers *answers)
{
    return !apw_setup_answers_is(answers, APW_SETUP_DIRECTORY, "elsewhere");
}

/* NAME='VALUE' */
static void assign(FILE *stream, const char *name, const char *value)
{
    fprintf(stream, "%s='", name);
    for (const char *c = value; *c != '\0'; c++)
        if (*c == '\'')
            fputs("'\\''", stream);
        else
            fputc(*c, stream);
    fputs("'\n", stream);
}

static void write_steps(FILE *stream, const struct apw_setup_answers *answers, bool has_postfix)
{
    bool has_ad = apw_setup_answers_has_ad(answers);

    fprintf(stream, "parts='%shost'\n", has_directory(answers) ? "directory " : "");
    fprintf(stream, "directory_steps='%s'\n",
            apw_setup_answers_is(answers, APW_SETUP_DIRECTORY, "slapd.conf") ? "slapd identities"
            : has_ad ? "schema identities rights"
                     : "schema identities rights index");
    fprintf(stream, "host_steps='configuration%s%s%s%s%s%s'\n", has_ad ? " mfa" : "",
            is_yes(answers, APW_SETUP_DOVECOT) ? " dovecot" : "", has_postfix ? " postfix" : "",
            is_yes(answers, APW_SETUP_PAGE) ? " page" : "",
            is_yes(answers, APW_SETUP_NGINX) ? " nginx" : "",
            is_yes(answers, APW_SETUP_FAIL2BAN) ? " fail2ban" : "");
    fprintf(stream, "identities='mail-server admin%s'\n",
            is_yes(answers, APW_SETUP_PAGE) ? " portal" : "");
}

static char *make_site(const struct apw_setup_answers *answers, bool has_postfix)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    if (stream == NULL)
        return NULL;
    fputs("# The names of this site, for apply.sh and undo.sh.\n# shellcheck shell=sh\n", stream);
    assign(stream, "directory_uri", answers->value[APW_SETUP_DIRECTORY_URI]);
    if (*answers->value[APW_SETUP_TLS_CACERT] != '\0')
        assign(stream, "tls_cacert", apw_setup_answers_cacert(answers));
    assign(stream, "directory_admin", answers->value[APW_SETUP_DIRECTORY_ADMIN]);
    assign(stream, "database", answers->value[APW_SETUP_DATABASE]);
    assign(stream, "suffix", answers->value[APW_SETUP_SUFFIX]);
    assign(stream, "forest", answers->value[APW_SETUP_FOREST]);
    assign(stream, "base", answers->value[APW_SETUP_BASE]);
    assign(stream, "userdb", answers->value[APW_SETUP_USERDB]);
    assign(stream, "postfix", answers->value[APW_SETUP_POSTFIX]);
    write_steps(stream, answers, has_postfix);
    if (fclose(stream) == 0)
        return text;
    free(text);
    return NULL;
}

#define SEPARATORS " \t,"

/* The names of one domain at which mail programs ask. */
static void say_records(FILE *stream, const char *domain, int length, const char *page)
{
    int host = (int)strcspn(page, ":/");

    fprintf(stream, "    autoconfig.%.*s.    CNAME  %.*s.\n", length, domain, host, page);
    fprintf(stream, "    autodiscover.%.*s.  CNAME  %.*s.\n", length, domain, host, page);
}

/* Without the servers and the domains, the page answers no mail program. */
static void say_autoconfig(FILE *stream, const struct apw_setup_answers *answers)
{
    const char *domains = answers->value[APW_SETUP_OWN_DOMAINS];
    const char *page = strstr(answers->value[APW_SETUP_PUBLIC_URL], "://");

    if (*domains == '\0' || *answers->value[APW_SETUP_IMAP_SERVER] == '\0' ||
        *answers->value[APW_SETUP_SMTP_SERVER] == '\0' || page == NULL)
        return;
    fputs("\nMail programs find their servers by themselves if these names are in DNS\n\n", stream);
    while (domains += strspn(domains, SEPARATORS), *domains != '\0') {
        size_t length = strcspn(domains, SEPARATORS);

        say_records(stream, domains, (int)length, page + 3);
        domains += length;
    }
    fputs("\nand their server {} blocks, that of the page's host, and those of your domains have "
          "this line:\n\n    include snippets/app-password-autoconfig.conf;\n\n"
          "\"SETTINGS FOR MAIL PROGRAMS\" in app-password-portal(8) has such a block, and further "
          "records.\n",
          stream);
}

/* What apply.sh prints at the end. */
static char *make_next(const struct apw_setup_answers *answers)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    if (stream == NULL)
        return NULL;
    fputs("\nUsers sign in as before. Try it with one of them:\n\n"
          "    app-password mfa on USER\n"
          "    app-password create USER --label \"first app password\"\n\n"
          "Sign in with the app password, then with the account password, which must be refused.\n"
          "Before you turn MFA on for others, read rollout.md in /usr/share/doc/app-password and "
          "run\n\n",
          stream);
    if (apw_setup_answers_has_ad(answers))
        fputs("    app-password doctor --mfa-user USER --as 'CN=…,DC=…'\n\n"
              "New users cannot sign in before it is said whether their MFA is on. Run this "
              "for them:\n\n    app-password mfa off --filter '(!(appPasswordMfaEnabled=*))'\n",
              stream);
    else
        fprintf(stream, "    app-password doctor --mfa-user USER --as '%s=USER,%s'\n",
                answers->value[APW_SETUP_LOGIN_ATTRIBUTE], answers->value[APW_SETUP_BASE]);
    if (is_yes(answers, APW_SETUP_NGINX)) {
        fputs("\nThe page needs this line in the server {} block of its host, then a reload of "
              "nginx:\n\n    include snippets/app-password-portal.conf;\n",
              stream);
        say_autoconfig(stream, answers);
    }
    if (fclose(stream) == 0)
        return text;
    free(text);
    return NULL;
}

static char *make_answers(const struct apw_setup_answers *answers)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    if (stream == NULL)
        return NULL;
    fputs("# For \"app-password setup --answers FILE\"; app-password(1) explains the keys.\n",
          stream);
    apw_setup_questions_write(answers, stream);
    if (fclose(stream) == 0)
        return text;
    free(text);
    return NULL;
}

/* The script with the steps in the directory. */
static const char *rights_script(const struct apw_setup_answers *answers)
{
    if (apw_setup_answers_is(answers, APW_SETUP_DIRECTORY, "389"))
        return "setup/rights-389.sh";
    if (apw_setup_answers_is(answers, APW_SETUP_DIRECTORY, "slapd.conf"))
        return "setup/rights-slapdconf.sh";
    if (apw_setup_answers_has_ad(answers))
        return "setup/rights-ad.sh";
    return "setup/rights-cnconfig.sh";
}

/* Whether a file of this step is in the folder. */
static bool has_step(const struct apw_setup_folder *folder, const char *name)
{
    char path[4096];
    struct apw_error error;
    FILE *file;

    if (apw_setup_folder_path(folder, name, path, sizeof path, &error) != 0)
        return false;
    file = fopen(path, "re");
    if (file != NULL)
        fclose(file);
    return file != NULL;
}

int apw_setup_scripts_write(struct apw_setup_folder *folder,
                            const struct apw_setup_answers *answers, struct apw_error *error)
{
    static const char *const shipped[] = {"setup/apply.sh", "setup/undo.sh", "setup/steps.sh",
                                          "setup/directory.sh"};
    const char *rights = rights_script(answers);
    bool has_postfix =
        has_step(folder, "etc/postfix/main.cf") || has_step(folder, "etc/postfix/master.cf");

    for (size_t i = 0; i < sizeof shipped / sizeof *shipped; i++)
        if (apw_setup_folder_write(folder, strchr(shipped[i], '/') + 1,
                                   apw_setup_shipped_read(shipped[i], error), error) != 0)
            return -1;
    if (apw_setup_folder_write(folder, "rights.sh", apw_setup_shipped_read(rights, error), error) !=
            0 ||
        apw_setup_folder_write(folder, "site.sh", make_site(answers, has_postfix), error) != 0 ||
        apw_setup_folder_write(folder, "next", make_next(answers), error) != 0)
        return -1;
    return apw_setup_folder_write(folder, "answers", make_answers(answers), error);
}
