/* SPDX-License-Identifier: BSD-2-Clause */
#include "setup/questions.h"
#include "ldap/uri.h"
#include "settings.h"
#include "setup/find.h"
#include <string.h>
#include <unistd.h>

typedef bool (*condition)(const struct apw_setup_answers *answers);
typedef int (*check)(const char *value, struct apw_error *error);

static bool has_ldaps(const struct apw_setup_answers *answers)
{
    return strncmp(answers->value[APW_SETUP_DIRECTORY_URI], "ldaps:", 6) == 0;
}

static bool has_directory(const struct apw_setup_answers *answers)
{
    return !apw_setup_answers_is(answers, APW_SETUP_DIRECTORY, "elsewhere");
}

static bool has_openldap(const struct apw_setup_answers *answers)
{
    return apw_setup_answers_is(answers, APW_SETUP_DIRECTORY, "cn=config") ||
           apw_setup_answers_is(answers, APW_SETUP_DIRECTORY, "slapd.conf");
}

static bool has_directory_without_ad(const struct apw_setup_answers *answers)
{
    return has_directory(answers) && !apw_setup_answers_has_ad(answers);
}

static bool has_dovecot(const struct apw_setup_answers *answers)
{
    return apw_setup_answers_is(answers, APW_SETUP_DOVECOT, "yes");
}

static bool has_page(const struct apw_setup_answers *answers)
{
    return apw_setup_answers_is(answers, APW_SETUP_PAGE, "yes");
}

static int check_words(const char *value, const char *const *words, struct apw_error *error)
{
    return apw_settings_choice(value, words, error) < 0 ? -1 : 0;
}

static int check_directory(const char *value, struct apw_error *error)
{
    static const char *const words[] = {"cn=config",        "slapd.conf", "389",
                                        "active-directory", "elsewhere",  NULL};

    return check_words(value, words, error);
}

static int check_yes_no(const char *value, struct apw_error *error)
{
    return check_words(value, (const char *[]){"yes", "no", NULL}, error);
}

static int check_userdb(const char *value, struct apw_error *error)
{
    return check_words(value, (const char *[]){"keep", "virtual", NULL}, error);
}

static int check_postfix(const char *value, struct apw_error *error)
{
    return check_words(value, (const char *[]){"plugin", "dovecot", "no", NULL}, error);
}

static int check_dn(const char *value, struct apw_error *error)
{
    if (strchr(value, '=') == NULL || strpbrk(value, "\"\\\t") != NULL)
        return apw_error_set(error,
                             "\"%s\" must be a DN like cn=admin,dc=example,dc=org, without "
                             "quotes and backslashes",
                             value);
    return 0;
}

/* Of cn=config, or the path of slapd.conf. */
static int check_database(const char *value, struct apw_error *error)
{
    return *value == '/' ? apw_settings_check_readable(value, error) : check_dn(value, error);
}

static int check_dn_or_none(const char *value, struct apw_error *error)
{
    return strcmp(value, "none") == 0 ? 0 : check_dn(value, error);
}

static int check_admin(const char *value, struct apw_error *error)
{
    return strcmp(value, "EXTERNAL") == 0 ? 0 : check_dn(value, error);
}

static int check_uris(const char *value, struct apw_error *error)
{
    struct apw_uris uris;

    if (apw_uris_parse(value, false, &uris, error) != 0)
        return -1;
    apw_uris_free(&uris);
    return 0;
}

/* A file, or those of this host. */
static int check_cacert(const char *value, struct apw_error *error)
{
    return strcmp(value, "system") == 0 ? 0 : apw_settings_check_readable(value, error);
}

static int check_any(const char *value, struct apw_error *error)
{
    (void)value;
    (void)error;
    return 0;
}

static void find_none(const struct apw_setup_answers *answers, char *value_r)
{
    (void)answers;
    strcpy(value_r, "none");
}

static void find_system(const struct apw_setup_answers *answers, char *value_r)
{
    (void)answers;
    strcpy(value_r, "system");
}

struct row {
    const char *name;
    const char *question; /* NULL: not asked */
    condition is_needed;  /* NULL: always */
    apw_setup_finder find;
    check check;
    apw_setter set;
};

static const struct row rows[APW_SETUP_KEYS];

/* apw_settings_read() passes a setter no key. */
#define SETTER(NAME, KEY)                                                                          \
    static int set_##NAME(void *target, const char *value, struct apw_error *error)                \
    {                                                                                              \
        return apw_setup_questions_set(target, KEY, value, error);                                 \
    }
SETTER(directory_uri, APW_SETUP_DIRECTORY_URI)
SETTER(tls_cacert, APW_SETUP_TLS_CACERT)
SETTER(directory, APW_SETUP_DIRECTORY)
SETTER(suffix, APW_SETUP_SUFFIX)
SETTER(forest, APW_SETUP_FOREST)
SETTER(database, APW_SETUP_DATABASE)
SETTER(directory_admin, APW_SETUP_DIRECTORY_ADMIN)
SETTER(ppolicy, APW_SETUP_PPOLICY)
SETTER(user_manager, APW_SETUP_USER_MANAGER)
SETTER(replicator, APW_SETUP_REPLICATOR)
SETTER(uri, APW_SETUP_URI)
SETTER(base, APW_SETUP_BASE)
SETTER(login_attribute, APW_SETUP_LOGIN_ATTRIBUTE)
SETTER(dovecot, APW_SETUP_DOVECOT)
SETTER(userdb, APW_SETUP_USERDB)
SETTER(postfix, APW_SETUP_POSTFIX)
SETTER(fail2ban, APW_SETUP_FAIL2BAN)
SETTER(page, APW_SETUP_PAGE)
SETTER(nginx, APW_SETUP_NGINX)
SETTER(public_url, APW_SETUP_PUBLIC_URL)
SETTER(support, APW_SETUP_SUPPORT)
SETTER(own_domains, APW_SETUP_OWN_DOMAINS)
SETTER(imap_server, APW_SETUP_IMAP_SERVER)
SETTER(smtp_server, APW_SETUP_SMTP_SERVER)
#undef SETTER

/* In the order of enum apw_setup_key, in which they are found and asked. */
static const struct row rows[APW_SETUP_KEYS] = {
    [APW_SETUP_DIRECTORY_URI] = {"directory_uri", NULL, NULL, apw_setup_find_socket, check_uris,
                                 set_directory_uri},
    [APW_SETUP_TLS_CACERT] = {"tls_cacert",
                              "File with the CA of the directory's certificate, or system",
                              has_ldaps, find_system, check_cacert, set_tls_cacert},
    [APW_SETUP_DIRECTORY] = {"directory",
                             "The directory on this host (cn=config, slapd.conf, 389), "
                             "active-directory, or elsewhere",
                             NULL, apw_setup_find_directory, check_directory, set_directory},
    [APW_SETUP_SUFFIX] = {"suffix", "Suffix of the directory", NULL, apw_setup_find_suffix,
                          check_dn, set_suffix},
    [APW_SETUP_FOREST] = {"forest", NULL, apw_setup_answers_has_ad, apw_setup_find_forest, check_dn,
                          set_forest},
    [APW_SETUP_DATABASE] = {"database", NULL, has_openldap, apw_setup_find_database, check_database,
                            set_database},
    [APW_SETUP_DIRECTORY_ADMIN] = {"directory_admin",
                                   "DN that may add entries; apply.sh asks for its password",
                                   has_directory, apw_setup_find_admin, check_admin,
                                   set_directory_admin},
    [APW_SETUP_PPOLICY] = {"ppolicy", NULL, has_openldap, apw_setup_find_ppolicy, check_yes_no,
                           set_ppolicy},
    [APW_SETUP_USER_MANAGER] = {"user_manager",
                                "DN of a program or person that creates users, besides that one",
                                has_directory_without_ad, find_none, check_dn_or_none,
                                set_user_manager},
    [APW_SETUP_REPLICATOR] = {"replicator", "DN that replication binds as",
                              has_directory_without_ad, find_none, check_dn_or_none,
                              set_replicator},
    [APW_SETUP_URI] = {"uri", "URI of the directory, for the mail servers", NULL,
                       apw_setup_find_uri, check_uris, set_uri},
    [APW_SETUP_BASE] = {"base", "Where the users are", NULL, apw_setup_find_base, check_dn,
                        set_base},
    [APW_SETUP_LOGIN_ATTRIBUTE] = {"login_attribute", "Attribute with the user's name for Dovecot",
                                   NULL, apw_setup_find_login_attribute, check_any,
                                   set_login_attribute},
    [APW_SETUP_DOVECOT] = {"dovecot", "Set up Dovecot (yes, no)", NULL, apw_setup_find_dovecot,
                           check_yes_no, set_dovecot},
    [APW_SETUP_USERDB] = {"userdb",
                          "Dovecot's userdb: keep yours, or virtual users in /var/vmail (keep, "
                          "virtual)",
                          has_dovecot, apw_setup_find_userdb, check_userdb, set_userdb},
    [APW_SETUP_POSTFIX] = {"postfix",
                           "Postfix uses the plugin, asks Dovecot, or is left alone (plugin, "
                           "dovecot, no)",
                           NULL, apw_setup_find_postfix, check_postfix, set_postfix},
    [APW_SETUP_FAIL2BAN] = {"fail2ban", "Add jails to fail2ban (yes, no)", NULL,
                            apw_setup_find_fail2ban, check_yes_no, set_fail2ban},
    [APW_SETUP_PAGE] = {"page", "Set up the self-service page on this host (yes, no)", NULL,
                        apw_setup_find_page, check_yes_no, set_page},
    [APW_SETUP_NGINX] = {"nginx", "nginx is the page's proxy (yes, no)", has_page,
                         apw_setup_find_nginx, check_yes_no, set_nginx},
    [APW_SETUP_PUBLIC_URL] = {"public_url", "Address of the page", has_page,
                              apw_setup_find_public_url, check_any, set_public_url},
    [APW_SETUP_SUPPORT] = {"support", "How users reach support", has_page, NULL, check_any,
                           set_support},
    [APW_SETUP_OWN_DOMAINS] = {"own_domains", "Domains of your mailboxes", has_page,
                               apw_setup_find_domains, check_any, set_own_domains},
    [APW_SETUP_IMAP_SERVER] = {"imap_server", "IMAP server that users enter", has_page,
                               apw_setup_find_imap_server, check_any, set_imap_server},
    [APW_SETUP_SMTP_SERVER] = {"smtp_server", "SMTP server that users enter", has_page,
                               apw_setup_find_smtp_server, check_any, set_smtp_server},
};

int apw_setup_questions_set(struct apw_setup_answers *answers, enum apw_setup_key key,
                            const char *value, struct apw_error *error)
{
    for (const char *c = value; *c != '\0'; c++)
        if ((unsigned char)*c < ' ')
            return apw_error_set(error, "must not contain control characters");
    if (*value == '\0')
        return apw_error_set(error, "needs an answer");
    if (strlen(value) >= APW_SETUP_ANSWER_SIZE)
        return apw_error_set(error, "must not be longer than %d bytes", APW_SETUP_ANSWER_SIZE - 1);
    if (rows[key].check(value, error) != 0)
        return -1;
    strcpy(answers->value[key], value);
    return 0;
}

int apw_setup_questions_read(const char *path, struct apw_setup_answers *answers_r,
                             struct apw_error *error)
{
    struct apw_key keys[APW_SETUP_KEYS];
    const struct apw_key_table table = {
        .manual = "app-password(1)", .count = APW_SETUP_KEYS, .key = keys};

    for (size_t i = 0; i < APW_SETUP_KEYS; i++)
        keys[i] = (struct apw_key){rows[i].name, rows[i].set};
    return apw_settings_read(path, &table, NULL, answers_r, error);
}

/* Reads one line from the terminal, without its end. -1 at the end of input. */
static int read_answer(char *answer_r, size_t size)
{
    size_t length;

    fflush(stdout);
    if (fgets(answer_r, (int)size, stdin) == NULL)
        return -1;
    length = strcspn(answer_r, "\n");
    answer_r[length] = '\0';
    return 0;
}

/* Asks until the answer is valid. An empty answer means the one that was found. */
static int ask(struct apw_setup_answers *answers, enum apw_setup_key key, const char *found,
               struct apw_error *error)
{
    for (;;) {
        char answer[APW_SETUP_ANSWER_SIZE];

        printf("%s%s%s%s: ", rows[key].question, *found == '\0' ? "" : " [", found,
               *found == '\0' ? "" : "]");
        if (read_answer(answer, sizeof answer) != 0)
            return apw_error_set(error, "%s: no answer", rows[key].name);
        if (apw_setup_questions_set(answers, key, *answer == '\0' ? found : answer, error) == 0)
            return 0;
        printf("  %s\n", error->text);
    }
}

static int complete(struct apw_setup_answers *answers, enum apw_setup_key key, bool is_asking,
                    struct apw_error *error)
{
    const struct row *row = &rows[key];
    char found[APW_SETUP_ANSWER_SIZE] = "";

    if (*answers->value[key] != '\0' || (row->is_needed != NULL && !row->is_needed(answers)))
        return 0;
    if (row->find != NULL)
        row->find(answers, found);
    if (is_asking && row->question != NULL)
        return ask(answers, key, found, error);
    if (*found == '\0')
        return apw_error_set(error,
                             "%s: cannot be found on this host: answer it on a terminal or in the "
                             "file of --answers",
                             row->name);
    if (apw_setup_questions_set(answers, key, found, error) == 0)
        return 0;
    return apw_error_set(error, "%s: found on this host: %s", row->name, error->text);
}

/* Active Directory takes passwords only over TLS, and is not on this host. */
static int check_ad(const struct apw_setup_answers *answers, struct apw_error *error)
{
    if (!apw_setup_answers_has_ad(answers) || has_ldaps(answers))
        return 0;
    return apw_error_set(error,
                         "directory_uri: active-directory needs the URI of a domain "
                         "controller: run \"app-password -H ldaps://dc1.example.org setup\"");
}

int apw_setup_questions_complete(struct apw_setup_answers *answers, struct apw_error *error)
{
    bool is_asking = isatty(STDIN_FILENO) == 1;

    for (enum apw_setup_key key = 0; key < APW_SETUP_KEYS; key++)
        if (complete(answers, key, is_asking, error) != 0 || check_ad(answers, error) != 0)
            return -1;
    return 0;
}

void apw_setup_questions_write(const struct apw_setup_answers *answers, FILE *file)
{
    for (size_t i = 0; i < APW_SETUP_KEYS; i++)
        if (*answers->value[i] != '\0')
            fprintf(file, "%-16s %s\n", rows[i].name, answers->value[i]);
}
