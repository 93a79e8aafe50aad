/* SPDX-License-Identifier: BSD-2-Clause */
#include "setup/find.h"
#include "program.h"
#include "setup/text.h"
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define OUTPUT_SIZE 65536
#define SIZE        APW_SETUP_ANSWER_SIZE

static void say(char *value_r, const char *value)
{
    snprintf(value_r, SIZE, "%s", value);
}

static const char *uri_of(const struct apw_setup_answers *answers)
{
    return answers->value[APW_SETUP_DIRECTORY_URI];
}

/* Searches as root of this host. Returns ldapsearch's exit status. */
static int search_as_root(const struct apw_setup_answers *answers, const char *base,
                          const char *scope, const char *filter, char *output_r)
{
    const char *argv[] = {"ldapsearch",    "-Q",   "-Y", "EXTERNAL",     "-H",
                          uri_of(answers), "-LLL", "-o", "ldif-wrap=no", "-s",
                          scope,           "-b",   base, filter,         NULL};

    return apw_program_read(argv, output_r, OUTPUT_SIZE);
}

/* Reads an attribute of the root DSE, as anybody may. Returns ldapsearch's exit status. */
static int search_root(const struct apw_setup_answers *answers, const char *attribute,
                       char *output_r)
{
    char cacert[SIZE + 16];
    const char *argv[] = {"ldapsearch", "-x",   "-H", uri_of(answers), "-LLL",
                          "-o",         cacert, "-o", "ldif-wrap=no",  "-s",
                          "base",       "-b",   "",   attribute,       NULL};

    snprintf(cacert, sizeof cacert, "TLS_CACERT=%s", apw_setup_answers_cacert(answers));
    return apw_program_read(argv, output_r, OUTPUT_SIZE);
}

static bool find_in_root(const struct apw_setup_answers *answers, const char *attribute,
                         char *value_r)
{
    char output[OUTPUT_SIZE];

    return search_root(answers, attribute, output) == 0 &&
           apw_setup_text_find(output, attribute, value_r, SIZE);
}

/* By the capability LDAP_CAP_ACTIVE_DIRECTORY_OID, [MS-ADTS] 3.1.1.3.4.3. */
static bool is_active_directory(const struct apw_setup_answers *answers)
{
    char output[OUTPUT_SIZE];

    return search_root(answers, "supportedCapabilities", output) == 0 &&
           strstr(output, ": 1.2.840.113556.1.4.800\n") != NULL;
}

/* 389's socket is named after its instance. */
void apw_setup_find_socket(const struct apw_setup_answers *answers, char *value_r)
{
    glob_t found;

    (void)answers;
    say(value_r, "ldapi:///");
    if (access("/run/slapd/ldapi", F_OK) == 0 || glob("/run/slapd-*.socket", 0, NULL, &found) != 0)
        return;
    snprintf(value_r, SIZE, "ldapi://%%2Frun%%2F%s", found.gl_pathv[0] + strlen("/run/"));
    globfree(&found);
}

/* Debian's, Red Hat's. */
static const char *find_slapd_conf(void)
{
    if (access("/etc/ldap/slapd.conf", R_OK) == 0)
        return "/etc/ldap/slapd.conf";
    return access("/etc/openldap/slapd.conf", R_OK) == 0 ? "/etc/openldap/slapd.conf" : NULL;
}

void apw_setup_find_directory(const struct apw_setup_answers *answers, char *value_r)
{
    char output[OUTPUT_SIZE], vendor[SIZE];

    if (search_as_root(answers, "cn=config", "base", "(objectClass=olcGlobal)", output) == 0 &&
        strstr(output, "dn: cn=config") != NULL)
        say(value_r, "cn=config");
    else if (find_in_root(answers, "vendorName", vendor) && strstr(vendor, "389") != NULL)
        say(value_r, "389");
    else if (is_active_directory(answers))
        say(value_r, "active-directory");
    else if (find_slapd_conf() != NULL)
        say(value_r, "slapd.conf");
    else
        say(value_r, "elsewhere");
}

/* Active Directory has several naming contexts; the default one is the domain. */
void apw_setup_find_suffix(const struct apw_setup_answers *answers, char *value_r)
{
    bool has_ad = apw_setup_answers_has_ad(answers);

    if (!find_in_root(answers, has_ad ? "defaultNamingContext" : "namingContexts", value_r))
        *value_r = '\0';
}

void apw_setup_find_forest(const struct apw_setup_answers *answers, char *value_r)
{
    if (!find_in_root(answers, "rootDomainNamingContext", value_r))
        *value_r = '\0';
}

/* An attribute of the database, or its DN. */
static void find_in_database(const struct apw_setup_answers *answers, const char *name,
                             char *value_r)
{
    char output[OUTPUT_SIZE], filter[SIZE + 32];

    snprintf(filter, sizeof filter, "(olcSuffix=%s)", answers->value[APW_SETUP_SUFFIX]);
    if (search_as_root(answers, "cn=config", "sub", filter, output) != 0 ||
        !apw_setup_text_find(output, name, value_r, SIZE))
        *value_r = '\0';
}

void apw_setup_find_database(const struct apw_setup_answers *answers, char *value_r)
{
    if (apw_setup_answers_is(answers, APW_SETUP_DIRECTORY, "cn=config"))
        find_in_database(answers, "dn", value_r);
    else if (find_slapd_conf() != NULL)
        say(value_r, find_slapd_conf());
}

/* If slapd.conf names one. */
static void find_rootdn(const char *path, char *value_r)
{
    char *text = apw_setup_text_read(path, NULL), *found = NULL;
    char dn[SIZE] = "";

    if (text != NULL && (found = strstr(text, "\nrootdn")) != NULL &&
        sscanf(found, " rootdn \"%511[^\"\n]\"", dn) != 1)
        sscanf(found, " rootdn %511s", dn);
    say(value_r, dn);
    free(text);
}

void apw_setup_find_admin(const struct apw_setup_answers *answers, char *value_r)
{
    if (apw_setup_answers_is(answers, APW_SETUP_DIRECTORY, "cn=config"))
        find_in_database(answers, "olcRootDN", value_r);
    else if (apw_setup_answers_is(answers, APW_SETUP_DIRECTORY, "389"))
        say(value_r, "cn=Directory Manager");
    else if (apw_setup_answers_has_ad(answers))
        snprintf(value_r, SIZE, "CN=Administrator,CN=Users,%.480s",
                 answers->value[APW_SETUP_SUFFIX]);
    else
        find_rootdn(answers->value[APW_SETUP_DATABASE], value_r);
    if (strstr(value_r, "cn=peercred,cn=external,cn=auth") != NULL)
        say(value_r, "EXTERNAL");
}

static bool has_ppolicy_in_slapdconf(const char *path)
{
    char *text = apw_setup_text_read(path, NULL);
    bool is_loaded = text != NULL && strstr(text, "\noverlay ppolicy") != NULL;

    free(text);
    return is_loaded;
}

void apw_setup_find_ppolicy(const struct apw_setup_answers *answers, char *value_r)
{
    const char *database = answers->value[APW_SETUP_DATABASE];
    char output[OUTPUT_SIZE];
    bool is_loaded = apw_setup_answers_is(answers, APW_SETUP_DIRECTORY, "cn=config")
                         ? search_as_root(answers, database, "sub",
                                          "(objectClass=olcPPolicyConfig)", output) == 0 &&
                               strstr(output, "dn: ") != NULL
                         : has_ppolicy_in_slapdconf(database);

    say(value_r, is_loaded ? "yes" : "no");
}

void apw_setup_find_uri(const struct apw_setup_answers *answers, char *value_r)
{
    const char *argv[] = {"ldapsearch", "-x", "-H", "ldap://127.0.0.1", "-s", "base", "-LLL",
                          "-b",         "",   NULL};
    char output[OUTPUT_SIZE];

    if (apw_setup_answers_has_ad(answers))
        say(value_r, uri_of(answers));
    else if (!apw_setup_answers_is(answers, APW_SETUP_DIRECTORY, "elsewhere") &&
             apw_program_read(argv, output, sizeof output) == 0)
        say(value_r, "ldap://127.0.0.1");
}

void apw_setup_find_login_attribute(const struct apw_setup_answers *answers, char *value_r)
{
    say(value_r, apw_setup_answers_has_ad(answers) ? "sAMAccountName" : "uid");
}

void apw_setup_find_base(const struct apw_setup_answers *answers, char *value_r)
{
    static const char *const names[] = {"people", "users", "accounts", NULL};
    const char *suffix = answers->value[APW_SETUP_SUFFIX];
    char output[OUTPUT_SIZE];

    for (size_t i = 0; names[i] != NULL; i++) {
        const char *argv[] = {"ldapsearch", "-x", "-H", uri_of(answers), "-LLL", "-s", "base", "-b",
                              value_r,      "dn", NULL};

        if (snprintf(value_r, SIZE, "ou=%s,%s", names[i], suffix) < SIZE &&
            apw_program_read(argv, output, sizeof output) == 0)
            return;
    }
    say(value_r, suffix);
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static void say_whether(char *value_r, bool is_yes)
{
    say(value_r, is_yes ? "yes" : "no");
}

/* Whether a program prints one of the words, or anything if `word` is NULL. */
static bool prints(const char *const *argv, const char *word)
{
    char output[OUTPUT_SIZE];

    return apw_program_read(argv, output, sizeof output) == 0 &&
           (word == NULL ? *output != '\0' : strstr(output, word) != NULL);
}

void apw_setup_find_dovecot(const struct apw_setup_answers *answers, char *value_r)
{
    (void)answers;
    say_whether(value_r, prints((const char *[]){"doveconf", "-n", NULL}, NULL));
}

/* Users of the system are kept if the name service knows the directory's users. */
void apw_setup_find_userdb(const struct apw_setup_answers *answers, char *value_r)
{
    const char *drivers[] = {"doveconf", "-n", "userdb", NULL};
    struct apw_error error;
    char *names = apw_setup_text_read("/etc/nsswitch.conf", &error);
    bool is_of_system = prints(drivers, "driver = passwd\n") || prints(drivers, "userdb passwd {");
    bool knows_users =
        names != NULL && (strstr(names, "ldap") != NULL || strstr(names, "sss") != NULL);

    (void)answers;
    say(value_r, !prints(drivers, "{") || (is_of_system && !knows_users) ? "virtual" : "keep");
    free(names);
}

/* Postfix keeps asking Dovecot if it does; otherwise it gets the plugin, if that is installed. */
void apw_setup_find_postfix(const struct apw_setup_answers *answers, char *value_r)
{
    bool is_there_at_all = prints((const char *[]){"postconf", "-h", "mail_version", NULL}, NULL);
    bool asks_dovecot =
        prints((const char *[]){"postconf", "-h", "smtpd_sasl_type", NULL}, "dovecot");
    bool has_dovecot = apw_setup_answers_is(answers, APW_SETUP_DOVECOT, "yes");

    if (!is_there_at_all)
        say(value_r, "no");
    else if (asks_dovecot && has_dovecot)
        say(value_r, "dovecot");
    else if (is_there(APW_SASLDIR "/libapppassword.so"))
        say(value_r, "plugin");
    else
        say(value_r, has_dovecot ? "dovecot" : "no");
}

void apw_setup_find_fail2ban(const struct apw_setup_answers *answers, char *value_r)
{
    (void)answers;
    say_whether(value_r, is_there("/etc/fail2ban/jail.conf"));
}

void apw_setup_find_page(const struct apw_setup_answers *answers, char *value_r)
{
    (void)answers;
    say_whether(value_r, is_there("/etc/app-password/portal.conf"));
}

void apw_setup_find_nginx(const struct apw_setup_answers *answers, char *value_r)
{
    (void)answers;
    say_whether(value_r, is_there("/etc/nginx/nginx.conf"));
}

static void find_of_postfix(const char *parameter, char *value_r)
{
    const char *argv[] = {"postconf", "-xh", parameter, NULL};
    char output[OUTPUT_SIZE];

    if (apw_program_read(argv, output, sizeof output) != 0)
        *output = '\0';
    output[strcspn(output, "\n")] = '\0';
    say(value_r, output);
}

static void add(char *list_r, const char *separator, const char *word, size_t length)
{
    size_t used = strlen(list_r);

    snprintf(list_r + used, SIZE - used, "%s%.*s", used > 0 ? separator : "", (int)length, word);
}

/* "example.org" of "dc=example,dc=org"; "" if the suffix names no domain. */
static void find_domain_of_suffix(const struct apw_setup_answers *answers, char *value_r)
{
    const char *rdn = answers->value[APW_SETUP_SUFFIX];

    *value_r = '\0';
    while (*(rdn += strspn(rdn, ", ")) != '\0') {
        size_t length = strcspn(rdn, ", ");

        if (strncasecmp(rdn, "dc=", 3) == 0)
            add(value_r, ".", rdn + 3, length - 3);
        rdn += length;
    }
    if (strchr(value_r, '.') == NULL)
        *value_r = '\0';
}

/* Not the name of a map, and not that of a host that does not know its domain. */
static bool is_domain(const char *word, size_t length)
{
    static const char local[] = "localdomain";
    const size_t local_length = sizeof local - 1;

    return memchr(word, '.', length) != NULL && memchr(word, ':', length) == NULL &&
           memchr(word, '/', length) == NULL &&
           (length < local_length ||
            strncasecmp(word + length - local_length, local, local_length) != 0);
}

static bool is_listed(const char *list, const char *word, size_t length)
{
    while (*(list += strspn(list, " ")) != '\0') {
        size_t other = strcspn(list, " ");

        if (other == length && strncasecmp(list, word, length) == 0)
            return true;
        list += other;
    }
    return false;
}

static void add_domains(const char *words, char *list_r)
{
    while (*(words += strspn(words, " ,\t")) != '\0') {
        size_t length = strcspn(words, " ,\t");

        if (is_domain(words, length) && !is_listed(list_r, words, length))
            add(list_r, " ", words, length);
        words += length;
    }
}

void apw_setup_find_domains(const struct apw_setup_answers *answers, char *value_r)
{
    static const char *const parameters[] = {"mydomain", "virtual_mailbox_domains",
                                             "virtual_alias_domains"};
    char words[SIZE];

    *value_r = '\0';
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++) {
        find_of_postfix(parameters[i], words);
        add_domains(words, value_r);
    }
    if (*value_r == '\0')
        find_domain_of_suffix(answers, value_r);
}

/* Postfix's name of this host, with the directory's domain if it has none. */
static void find_host(const struct apw_setup_answers *answers, char *value_r)
{
    char domain[SIZE];

    find_of_postfix("myhostname", value_r);
    if (*value_r == '\0' || is_domain(value_r, strlen(value_r)))
        return;
    find_domain_of_suffix(answers, domain);
    value_r[strcspn(value_r, ".")] = '\0';
    if (strcmp(value_r, "localhost") == 0)
        say(value_r, "mail");
    if (*domain == '\0')
        *value_r = '\0';
    else
        add(value_r, ".", domain, strlen(domain));
}

static void find_with_host(const struct apw_setup_answers *answers, const char *before,
                           const char *after, char *value_r)
{
    char host[SIZE];

    find_host(answers, host);
    *value_r = '\0';
    if (*host != '\0' && snprintf(value_r, SIZE, "%s%s%s", before, host, after) >= SIZE)
        *value_r = '\0';
}

void apw_setup_find_public_url(const struct apw_setup_answers *answers, char *value_r)
{
    find_with_host(answers, "https://", "/app-passwords", value_r);
}

void apw_setup_find_imap_server(const struct apw_setup_answers *answers, char *value_r)
{
    find_with_host(answers, "", ":993", value_r);
}

void apw_setup_find_smtp_server(const struct apw_setup_answers *answers, char *value_r)
{
    find_with_host(answers, "", ":587", value_r);
}
