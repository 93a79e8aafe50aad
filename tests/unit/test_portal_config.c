/* SPDX-License-Identifier: BSD-2-Clause */
/* portal.conf: every key, and the message for each mistake. */
#include "conf_file.h"
#include "own_domains.h"
#include "portal_config.h"
#include "unit.h"

#define BYTES(text) text, sizeof text - 1
#define KEY_TEXT    "dGhlIHBvcnRhbCdzIGtleSwgMzIgYnl0ZXMgb2YgaXQ="
#define KEY_BYTES   "the portal's key, 32 bytes of it"

static const char *const needed[] = {
    "binddn cn=portal,dc=example,dc=org\n",
    "bindpw_file " FOLDER "/password\n",
    "public_url https://mail.example.org/app-passwords\n",
    "key_file " FOLDER "/key\n",
    "support the help desk, tel. 4711\n",
};
#define NEEDED                                                                                     \
    "binddn cn=portal,dc=example,dc=org\nbindpw_file " FOLDER "/password\n"                        \
    "public_url https://mail.example.org/app-passwords\nkey_file " FOLDER "/key\n"                 \
    "support the help desk, tel. 4711\n"

static char config_path[UNIT_PATH_SIZE], conf_path[UNIT_PATH_SIZE];

static struct apw_portal_config *read_good(const char *text)
{
    struct apw_error error = {""};
    struct apw_portal_config *conf;

    write_expanded(conf_path, text, strlen(text));
    if (apw_portal_config_read(config_path, &conf, &error) != 0)
        fail_msg("%s", error.text);
    return conf;
}

/* Reads what cannot be read and leaves the error. */
static void read_bad(const char *text, size_t length, struct apw_error *error)
{
    struct apw_portal_config *conf = (struct apw_portal_config *)error; /* anything but NULL */

    write_expanded(conf_path, text, length);
    assert_int_equal(apw_portal_config_read(config_path, &conf, error), -1);
    assert_null(conf);
}

/* ---- a good value of every key ---- */

static int64_t enrolment_of(const struct apw_portal_config *conf)
{
    return conf->enrolment;
}

static const char *binddn_of(const struct apw_portal_config *conf)
{
    return conf->identity.dn;
}

static const char *password_of(const struct apw_portal_config *conf)
{
    return conf->identity.password;
}

static const char *socket_of(const struct apw_portal_config *conf)
{
    return conf->listen_socket;
}

static const char *host_of(const struct apw_portal_config *conf)
{
    return conf->listen_host;
}

static const char *port_of(const struct apw_portal_config *conf)
{
    return conf->listen_port;
}

static const char *support_of(const struct apw_portal_config *conf)
{
    return apw_supports_find(&conf->support, "xx")->text;
}

static const char *support_link_of(const struct apw_portal_config *conf)
{
    return apw_supports_find(&conf->support, "xx")->link;
}

static const char *support_in_nb_of(const struct apw_portal_config *conf)
{
    return apw_supports_find(&conf->support, "nb")->text;
}

static const char *support_link_in_nb_of(const struct apw_portal_config *conf)
{
    return apw_supports_find(&conf->support, "nb")->link;
}

static const char *zone_of(const struct apw_portal_config *conf)
{
    return conf->time_zone;
}

static const char *reverse_names_of(const struct apw_portal_config *conf)
{
    return conf->has_reverse_names ? "yes" : "no";
}

static const char *relay_of(const struct apw_portal_config *conf)
{
    return conf->mail.host;
}

static const char *relay_port_of(const struct apw_portal_config *conf)
{
    return conf->mail.port;
}

static const char *relay_tls_of(const struct apw_portal_config *conf)
{
    static const char *const names[] = {"default", "no", "starttls", "smtps"};

    return names[conf->mail.tls];
}

static const char *from_of(const struct apw_portal_config *conf)
{
    return conf->mail.from;
}

static const char *sendmail_of(const struct apw_portal_config *conf)
{
    return conf->mail.program;
}

static const char *domains_of(const struct apw_portal_config *conf)
{
    return conf->own_domains;
}

static const char *imap_host_of(const struct apw_portal_config *conf)
{
    return conf->imap.host;
}

static const char *imap_port_of(const struct apw_portal_config *conf)
{
    return conf->imap.port;
}

static const char *smtp_host_of(const struct apw_portal_config *conf)
{
    return conf->smtp.host;
}

static const char *smtp_port_of(const struct apw_portal_config *conf)
{
    return conf->smtp.port;
}

static const char *pop3_host_of(const struct apw_portal_config *conf)
{
    return conf->pop3.host;
}

static const char *sieve_host_of(const struct apw_portal_config *conf)
{
    return conf->sieve.host;
}

static const char *header_of(const struct apw_portal_config *conf)
{
    return conf->proxy.user_header;
}

static const char *staff_of(const struct apw_portal_config *conf)
{
    return conf->helpdesk.staff;
}

static const char *users_of(const struct apw_portal_config *conf)
{
    return conf->helpdesk.users;
}

static const char *helpdesk_base_of(const struct apw_portal_config *conf)
{
    return conf->helpdesk.base;
}

static const char *mfa_off_of(const struct apw_portal_config *conf)
{
    return conf->helpdesk.may_turn_mfa_off ? "yes" : "no";
}

#define PROXY_SECRET "0123456789abcdef0123456789abcdef"

#define HELP_DESK "helpdesk_filter (a=b)\nhelpdesk_users (c=d)"

#define ANY "support anybody" /* an unrelated line */

static const struct good_case {
    const char *name;
    const char *line;
    const char *(*text_of)(const struct apw_portal_config *conf);
    const char *text; /* NULL: not given */
} good_values[] = {
    {"binddn", "binddn cn=other,dc=example,dc=org", binddn_of, "cn=other,dc=example,dc=org"},
    {"bindpw_file", "bindpw_file " FOLDER "/password", password_of, "secret word"},
    {"listen on a socket", "listen unix:/run/app-password/portal.socket", socket_of,
     "/run/app-password/portal.socket"},
    {"listen on a socket has no host", "listen unix:/run/app-password/portal.socket", host_of,
     NULL},
    {"listen on IPv4 loopback", "listen 127.0.0.1:9000", host_of, "127.0.0.1"},
    {"listen on another IPv4 loopback address", "listen 127.8.9.10:9000", host_of, "127.8.9.10"},
    {"listen on IPv6 loopback", "listen [::1]:9000", host_of, "::1"},
    {"listen on IPv4 loopback written as IPv6", "listen [::ffff:127.0.0.1]:9000", host_of,
     "::ffff:127.0.0.1"},
    {"listen on a port", "listen [::1]:9000", port_of, "9000"},
    {"listen on the first port", "listen 127.0.0.1:1", port_of, "1"},
    {"listen on the last port", "listen 127.0.0.1:65535", port_of, "65535"},
    {"listen by default on loopback", ANY, host_of, "127.0.0.1"},
    {"listen by default on port 8025", ANY, port_of, "8025"},
    {"listen by default on no socket", ANY, socket_of, NULL},
    {"support", "support Ask Kari, tlf. 12 34 56 78 <kari@example.org>", support_of,
     "Ask Kari, tlf. 12 34 56 78 <kari@example.org>"},
    {"support with a mail address is a link", "support Kari, <kari@example.org>, tel. 1",
     support_link_of, "mailto:kari@example.org"},
    {"support with a web address is a link", "support See https://example.org/help.",
     support_link_of, "https://example.org/help"},
    {"support in a language", "support_in nb hjelp@example.org, tlf. 1; de x", support_in_nb_of,
     "hjelp@example.org, tlf. 1"},
    {"the link of support in a language", "support_in de x; nb hjelp@example.org",
     support_link_in_nb_of, "mailto:hjelp@example.org"},
    {"time_zone", "time_zone Europe/Oslo", zone_of, "Europe/Oslo"},
    {"reverse_names", "reverse_names yes", reverse_names_of, "yes"},
    {"reverse_names off", "reverse_names no", reverse_names_of, "no"},
    {"no reverse_names by default", ANY, reverse_names_of, "no"},
    {"support past ASCII", "support Brukerst\xc3\xb8tte", support_of, "Brukerst\xc3\xb8tte"},
    {"sendmail", "sendmail /usr/lib/sendmail", sendmail_of, "/usr/lib/sendmail"},
    {"no sendmail by default", ANY, sendmail_of, NULL},
    {"mail_relay by default", ANY, relay_of, "127.0.0.1"},
    {"mail_relay's port by default", ANY, relay_port_of, "25"},
    {"mail_relay", "mail_relay relay.example.org:587", relay_of, "relay.example.org"},
    {"no TLS to a relay on this host", ANY, relay_tls_of, "no"},
    {"STARTTLS to other relays", "mail_relay relay.example.org:25", relay_tls_of, "starttls"},
    {"mail_relay_tls", "mail_relay_tls smtps", relay_tls_of, "smtps"},
    {"mail_from", "mail_from a@example.org", from_of, "a@example.org"},
    {"mail_from with sendmail", "mail_from a@example.org\nsendmail /bin/mail", from_of,
     "a@example.org"},
    {"mail_from by default", "sendmail /bin/mail", from_of, "app-passwords@mail.example.org"},
    {"own_domains of one", "own_domains example.org", domains_of, "example.org"},
    {"own_domains in upper case", "own_domains Example.ORG", domains_of, "example.org"},
    {"own_domains with spaces and a tab", "own_domains example.org \t  example.net", domains_of,
     "example.org example.net"},
    {"own_domains with commas", "own_domains example.org, example.net,a.example", domains_of,
     "example.org example.net a.example"},
    {"own_domains with a digit and a hyphen", "own_domains xn--blbr-roah.no 163.com", domains_of,
     "xn--blbr-roah.no 163.com"},
    {"own_domains by default", ANY, domains_of, ""},
    {"imap_server", "imap_server imap.example.org:993", imap_host_of, "imap.example.org"},
    {"imap_server's port", "imap_server imap.example.org:993", imap_port_of, "993"},
    {"imap_server by an address", "imap_server [2001:db8::1]:143", imap_host_of, "2001:db8::1"},
    {"no imap_server by default", ANY, imap_host_of, NULL},
    {"smtp_server", "smtp_server smtp.example.org:587", smtp_host_of, "smtp.example.org"},
    {"smtp_server's port", "smtp_server smtp.example.org:587", smtp_port_of, "587"},
    {"no smtp_server by default", ANY, smtp_host_of, NULL},
    {"pop3_server", "pop3_server pop.example.org:995", pop3_host_of, "pop.example.org"},
    {"no pop3_server by default", ANY, pop3_host_of, NULL},
    {"managesieve_server", "managesieve_server sieve.example.org:4190", sieve_host_of,
     "sieve.example.org"},
    {"no managesieve_server by default", ANY, sieve_host_of, NULL},
    {"no trusted_user_header by default", ANY, header_of, NULL},
    {"no helpdesk_filter by default", ANY, staff_of, NULL},
    {"helpdesk_filter", HELP_DESK, staff_of, "(a=b)"},
    {"helpdesk_users", HELP_DESK, users_of, "(c=d)"},
    {"no helpdesk_base by default", HELP_DESK, helpdesk_base_of, NULL},
    {"helpdesk_base", HELP_DESK "\nhelpdesk_base ou=people,dc=example,dc=org", helpdesk_base_of,
     "ou=people,dc=example,dc=org"},
    {"no helpdesk_may by default", HELP_DESK, mfa_off_of, "no"},
    {"helpdesk_may mfa-off", HELP_DESK "\nhelpdesk_may mfa-off", mfa_off_of, "yes"},
};

static void test_good(void **state)
{
    const struct good_case *row = *state;
    struct apw_portal_config *conf;
    const char *found;
    char *text;

    complete_file(needed, UNIT_COUNT(needed), row->line, &text);
    conf = read_good(text);
    found = row->text_of(conf);
    if (row->text == NULL)
        assert_null(found);
    else
        assert_string_equal(found, row->text);
    apw_portal_config_free(&conf);
    assert_null(conf);
    free(text);
}

static const struct enrolment_case {
    const char *name;
    const char *line;
    enum apw_enrolment enrolment;
} enrolments[] = {
    {"enrolment open", "enrolment open", APW_ENROLMENT_OPEN},
    {"enrolment code", "enrolment code", APW_ENROLMENT_CODE},
    {"enrolment by default is open", ANY, APW_ENROLMENT_OPEN},
};

static void test_enrolment(void **state)
{
    const struct enrolment_case *row = *state;
    struct apw_portal_config *conf;
    char *text;

    complete_file(needed, UNIT_COUNT(needed), row->line, &text);
    conf = read_good(text);
    assert_int_equal(enrolment_of(conf), row->enrolment);
    apw_portal_config_free(&conf);
    free(text);
}

static const struct kinds_case {
    const char *name;
    const char *line;
    const char *kinds; /* with a space behind each */
} kinds[] = {
    {"all kinds are allowed by default", ANY, "totp mail passkey recovery "},
    {"one kind is allowed", "second_factors mail", "mail "},
    {"passkeys alone are allowed", "second_factors passkey", "passkey "},
    {"kinds are allowed in any order", "second_factors mail,totp", "totp mail "},
};

static void test_kinds(void **state)
{
    const struct kinds_case *row = *state;
    struct apw_portal_config *conf;
    char *text, found[64] = "";

    complete_file(needed, UNIT_COUNT(needed), row->line, &text);
    conf = read_good(text);
    for (int kind = 0; kind < APW_METHOD_KIND_COUNT; kind++)
        if (conf->factors.allows[kind])
            strcat(strcat(found, apw_method_kind_name((enum apw_method_kind)kind)), " ");
    assert_string_equal(found, row->kinds);
    apw_portal_config_free(&conf);
    free(text);
}

static const struct delay_case {
    const char *name;
    const char *line;
    int64_t seconds;
} delays[] = {
    {"a reset waits a day by default", ANY, 86400},
    {"helpdesk_reset_delay 36h", HELP_DESK "\nhelpdesk_reset_delay 36h", 36 * 3600},
    {"helpdesk_reset_delay 30d", HELP_DESK "\nhelpdesk_reset_delay 30d", 30 * 86400},
    {"helpdesk_reset_delay 0", HELP_DESK "\nhelpdesk_reset_delay 0", 0},
};

static void test_reset_delay(void **state)
{
    const struct delay_case *row = *state;
    struct apw_portal_config *conf;
    char text[1024];

    snprintf(text, sizeof text, NEEDED "%s\n", row->line);
    conf = read_good(strcmp(row->line, ANY) == 0 ? NEEDED : text);
    assert_true(conf->helpdesk.reset_delay_s == row->seconds);
    apw_portal_config_free(&conf);
}

static const struct remind_case {
    const char *name;
    const char *text;
    const char *topics; /* a letter for each */
    unsigned rate;
} reminders[] = {
    {"reminders are off by default", NEEDED, "-----", 60},
    {"remind off", NEEDED "remind off\n", "-----", 60},
    {"remind all", NEEDED "remind all\nremind_rate 6000\n", "mMeuy", 6000},
    {"remind mfa, expiring", NEEDED "remind mfa,\texpiring\nremind_rate 1\n", "m-e--", 1},
    {"remind yearly unused made", NEEDED "remind yearly unused made\n", "-M-uy", 60},
};

static void test_reminders(void **state)
{
    const struct remind_case *row = *state;
    struct apw_portal_config *conf = read_good(row->text);

    for (int topic = 0; topic < APW_REMIND_TOPIC_COUNT; topic++)
        assert_int_equal(conf->remind.has[topic], row->topics[topic] != '-');
    assert_int_equal(apw_remind_settings_is_on(&conf->remind), strcmp(row->topics, "-----") != 0);
    assert_int_equal(conf->remind.rate, row->rate);
    apw_portal_config_free(&conf);
}

static const struct remember_case {
    const char *name;
    const char *line;
    int64_t seconds;
} remembers[] = {
    {"no browser is remembered by default", ANY, 0},
    {"remember_browser no", "remember_browser no", 0},
    {"remember_browser 30d", "remember_browser 30d", 30 * 86400},
    {"remember_browser 366d", "remember_browser 366d", 366 * 86400},
};

static void test_remember(void **state)
{
    const struct remember_case *row = *state;
    struct apw_portal_config *conf;
    char *text;

    complete_file(needed, UNIT_COUNT(needed), row->line, &text);
    conf = read_good(text);
    assert_true(conf->factors.remember_browser_s == row->seconds);
    apw_portal_config_free(&conf);
    free(text);
}

static void test_complete_file(void **state)
{
    struct apw_portal_config *conf =
        read_good("# every key\n\n" NEEDED "listen unix:/run/portal\nenrolment code\n"
                  "sendmail /bin/mail\nown_domains example.org\nimap_server imap.example.org:143\n"
                  "smtp_server smtp.example.org:465\ntrusted_user_header X-Remote-User\n"
                  "trusted_user_secret_file " FOLDER "/proxy\n");

    (void)state;
    assert_int_equal(conf->identity.method, APW_BIND_SIMPLE);
    assert_string_equal(conf->identity.dn, "cn=portal,dc=example,dc=org");
    assert_string_equal(conf->identity.password, "secret word");
    assert_string_equal(conf->listen_socket, "/run/portal");
    assert_string_equal(conf->proxy.user_header, "X-Remote-User");
    assert_string_equal(conf->proxy.secret, PROXY_SECRET);
    assert_true(conf->has_key);
    assert_memory_equal(conf->key, KEY_BYTES, APW_METHOD_KEY_BYTES);
    apw_portal_config_free(&conf);
}

/* ---- public_url ---- */

static const struct url_case {
    const char *name;
    const char *url;
    const char *site;
    const char *root;
    bool is_https;
} urls[] = {
    {"public_url with a path", "https://mail.example.org/app-passwords", "mail.example.org",
     "/app-passwords", true},
    {"public_url with two steps of a path", "https://mail.example.org/a/b", "mail.example.org",
     "/a/b", true},
    {"public_url with a slash at its end", "https://mail.example.org/app-passwords/",
     "mail.example.org", "/app-passwords", true},
    {"public_url without a path", "https://mail.example.org", "mail.example.org", "", true},
    {"public_url with a slash alone", "https://mail.example.org/", "mail.example.org", "", true},
    {"public_url with a port", "https://mail.example.org:8443/x", "mail.example.org", "/x", true},
    {"public_url with a port and no path", "https://mail.example.org:8443", "mail.example.org", "",
     true},
    {"public_url with a port and a slash", "https://mail.example.org:8443/", "mail.example.org", "",
     true},
    {"public_url by an IPv6 address", "https://[2001:db8::1]:8443/x", "2001:db8::1", "/x", true},
    {"public_url by an IPv6 address without a path", "https://[2001:db8::1]", "2001:db8::1", "",
     true},
    {"public_url in the clear on loopback", "http://127.0.0.1:8025", "127.0.0.1", "", false},
    {"public_url in the clear on IPv6 loopback", "http://[::1]:8025/x", "::1", "/x", false},
    {"public_url in the clear on localhost", "http://localhost/x", "localhost", "/x", false},
    {"public_url with what a path may hold", "https://mail.example.org/a-b_c.d~1",
     "mail.example.org", "/a-b_c.d~1", true},
};

static void test_url(void **state)
{
    const struct url_case *row = *state;
    char line[256], *text;
    struct apw_portal_config *conf;

    snprintf(line, sizeof line, "public_url %s", row->url);
    complete_file(needed, UNIT_COUNT(needed), line, &text);
    conf = read_good(text);
    assert_string_equal(conf->site, row->site);
    assert_string_equal(conf->root, row->root);
    assert_int_equal(conf->is_https, row->is_https);
    apw_portal_config_free(&conf);
    free(text);
}

/* ---- a bad value of every key ---- */

#define URL_ERROR "is not an address like https://mail.example.org/app-passwords"

static const struct bad_case {
    const char *name;
    const char *line;
    const char *error; /* behind "file:line: key: " */
} bad_values[] = {
    {"binddn that is no DN", "binddn portal", "\"portal\" is not a DN like cn="},
    {"bindpw_file that is not there", "bindpw_file " FOLDER "/none", FOLDER "/none: No such file"},
    {"bindpw_file from nowhere", "bindpw_file password", "is not an absolute path"},
    {"bindpw_file that is empty", "bindpw_file /dev/null", "one line, the password"},

    {"support_in without a text", "support_in nb; de x",
     "not a list like \"nb hjelp@example.org; de"},
    {"time_zone of no place", "time_zone Europe/Nowhere",
     "\"Europe/Nowhere\" is not a time zone like "
     "Europe/Oslo"},
    {"reverse_names with a time", "reverse_names 1s", "\"1s\" is neither yes nor no"},
    {"listen on every address", "listen 0.0.0.0:8025",
     "\"0.0.0.0:8025\" is neither unix:/run/… nor a loopback address and port like "
     "127.0.0.1:8025; clients connect to the TLS proxy instead"},
    {"listen on every IPv6 address", "listen [::]:8025", "\"[::]:8025\" is neither unix:"},
    {"listen on IPv4 elsewhere written as IPv6", "listen [::ffff:192.0.2.1]:8025",
     "nor a loopback address"},
    {"listen on an address of the net", "listen 192.0.2.1:8025", "nor a loopback address"},
    {"listen on what begins like loopback", "listen 127.0.0.1.example.org:8025",
     "nor a loopback address"},
    {"listen on a name", "listen localhost:8025", "nor a loopback address"},
    {"listen on a short form", "listen 127.1:8025", "nor a loopback address"},
    {"listen on an address alone", "listen 127.0.0.1", "nor a loopback address"},
    {"listen on a port alone", "listen 8025", "nor a loopback address"},
    {"listen on a port of nothing", "listen :8025", "nor a loopback address"},
    {"listen on IPv6 without brackets", "listen ::1:8025", "nor a loopback address"},
    {"listen on port 0", "listen 127.0.0.1:0", "nor a loopback address"},
    {"listen on port 65536", "listen 127.0.0.1:65536", "nor a loopback address"},
    {"listen on a port past 64 bits", "listen 127.0.0.1:99999999999999999999",
     "nor a loopback address"},
    {"listen on a port with text after it", "listen 127.0.0.1:8025x", "nor a loopback address"},
    {"listen on a port below 0", "listen 127.0.0.1:-1", "nor a loopback address"},
    {"listen on an empty port", "listen 127.0.0.1:", "nor a loopback address"},
    {"listen on a socket without unix:", "listen /run/portal", "nor a loopback address"},
    {"listen on a socket from nowhere", "listen unix:portal.socket",
     "\"portal.socket\" is not an absolute path"},
    {"listen on an empty socket", "listen unix:", "is not an absolute path"},
    {"listen on a socket with a long path",
     "listen unix:/run/0123456789012345678901234567890123456789012345678901234567890123456789"
     "012345678901234567890123456789012",
     "the path of the socket is too long"},

    {"public_url without a scheme", "public_url mail.example.org",
     "\"mail.example.org\" " URL_ERROR},
    {"public_url of another scheme", "public_url ftp://mail.example.org", URL_ERROR},
    {"public_url in upper case", "public_url HTTPS://mail.example.org", URL_ERROR},
    {"public_url with a question", "public_url https://mail.example.org/?a=b", URL_ERROR},
    {"public_url with a fragment", "public_url https://mail.example.org/#a", URL_ERROR},
    {"public_url with a percent sign", "public_url https://mail.example.org/%61", URL_ERROR},
    {"public_url with a space", "public_url https://mail.example.org/a b", URL_ERROR},
    {"public_url with a quote", "public_url https://mail.example.org/\"a", URL_ERROR},
    {"public_url with a tag", "public_url https://mail.example.org/<a>", URL_ERROR},
    {"public_url with a backslash", "public_url https://mail.example.org\\a", URL_ERROR},
    {"public_url with a control character", "public_url https://mail.example.org/a\x01", URL_ERROR},
    {"public_url past ASCII", "public_url https://mail.example.org/\xc3\xa5", URL_ERROR},
    {"public_url with a user", "public_url https://user@mail.example.org", URL_ERROR},
    {"public_url with a user and a password", "public_url https://u:p@mail.example.org/x",
     URL_ERROR},
    {"public_url with a path that would be another host", "public_url https://mail.example.org//x",
     URL_ERROR},
    {"public_url with two slashes further on", "public_url https://mail.example.org/a//x",
     URL_ERROR},
    {"public_url with a step up", "public_url https://mail.example.org/../x", URL_ERROR},
    {"public_url with a bad port", "public_url https://mail.example.org:https", URL_ERROR},
    {"public_url with an empty port", "public_url https://mail.example.org:/x", URL_ERROR},
    {"public_url with a port past 65535", "public_url https://mail.example.org:65536", URL_ERROR},
    {"public_url with an open bracket", "public_url https://[2001:db8::1/x", URL_ERROR},
    {"public_url with brackets around a name", "public_url https://[mail]/x", URL_ERROR},
    {"public_url with text after the brackets", "public_url https://[::1]x/y", URL_ERROR},
    {"public_url without a host", "public_url https://", URL_ERROR},
    {"public_url with a path alone", "public_url https:///app-passwords", URL_ERROR},
    {"public_url with a port alone", "public_url https://:8443/x", URL_ERROR},
    {"public_url in the clear", "public_url http://mail.example.org/x",
     "\"http://mail.example.org/x\" would send passwords in the clear; use https"},
    {"public_url in the clear to what begins like localhost",
     "public_url http://localhost.example.org", "in the clear; use https"},
    {"public_url in the clear to what begins like loopback",
     "public_url http://127.0.0.1.example.org", "in the clear; use https"},
    {"public_url in the clear to every address", "public_url http://0.0.0.0:8025",
     "in the clear; use https"},

    {"key_file that is not there", "key_file " FOLDER "/none",
     FOLDER "/none: No such file or directory, and no credential \"none\" from systemd; "
            "restore the key from a backup"},
    {"key_file from nowhere", "key_file key", "\"key\" is not an absolute path"},
    {"key_file that is empty", "key_file /dev/null", "/dev/null: the file must contain one line"},
    {"key_file with a key of 31 bytes", "key_file " FOLDER "/key-31",
     FOLDER "/key-31: not a key of 32 bytes in base64; make one with \"openssl rand -base64 32\""},
    {"key_file with a key of 33 bytes", "key_file " FOLDER "/key-33", "not a key of 32 bytes"},
    {"key_file with a key of 48 bytes", "key_file " FOLDER "/key-48", "not a key of 32 bytes"},
    {"key_file without its padding", "key_file " FOLDER "/key-open", "not a key of 32 bytes"},
    {"key_file in hexadecimal", "key_file " FOLDER "/key-hex", "not a key of 32 bytes"},
    {"key_file with a word", "key_file " FOLDER "/password", "not a key of 32 bytes"},

    {"enrolment closed", "enrolment closed", "\"closed\" is neither open nor code"},
    {"enrolment in upper case", "enrolment Code", "neither open nor code"},
    {"remember_browser yes", "remember_browser yes", "neither no nor a period of 1d to 366d"},
    {"remember_browser 23h", "remember_browser 23h", "neither no nor a period"},
    {"remember_browser 367d", "remember_browser 367d", "neither no nor a period"},
    {"second_factors sms", "second_factors totp sms", "\"sms\" is repeated, or is none of"},
    {"second_factors with one twice", "second_factors mail totp,mail", "\"mail\" is repeated"},
    {"second_factors with recovery alone", "second_factors recovery", "name at least one of"},
    {"second_factors without any", "second_factors ,", "name at least one of"},
    {"mail_relay without a port", "mail_relay relay.example.org", "not a host and port"},
    {"mail_relay_tls yes", "mail_relay_tls yes", "\"yes\" is not one of no, starttls, smtps"},
    {"mail_from without a domain", "mail_from postmaster", "is not an address like"},
    {"sendmail by its name", "sendmail sendmail", "\"sendmail\" is not an absolute path"},

    {"own_domains with an address", "own_domains alice@example.org",
     "\"alice@example.org\" is not a domain; it is a list like example.org example.net"},
    {"own_domains in quotes", "own_domains \"example.org\"", "is not a domain; it is a list"},
    {"own_domains with an asterisk", "own_domains *.example.org", "is not a domain; it is a list"},
    {"own_domains with a dot in front", "own_domains .example.org",
     "is not a domain; it is a list"},
    {"own_domains with a dot in front of the second", "own_domains example.net .example.org",
     "\".example.org\" is not a domain"},
    {"own_domains with a trailing dot", "own_domains example.org.",
     "is not a domain; it is a list"},
    {"own_domains with semicolons", "own_domains example.org;example.net",
     "is not a domain; it is a list"},
    {"own_domains past ASCII", "own_domains bl\xc3\xa5.no", "is not a domain; it is a list"},
    {"own_domains with commas alone", "own_domains , ,", "no domain; remove the line"},

    {"imap_server without a port", "imap_server imap.example.org",
     "not a host and port like mail.example.org:993"},
    {"imap_server with an empty port", "imap_server imap.example.org:", "not a host and port"},
    {"imap_server with a bad port", "imap_server imap.example.org:imaps", "not a host and port"},
    {"imap_server with port 0", "imap_server imap.example.org:0", "not a host and port"},
    {"imap_server without a host", "imap_server :993", "not a host and port"},
    {"imap_server as a URL", "imap_server imaps://imap.example.org:993", "not a host and port"},
    {"imap_server with two ports", "imap_server imap.example.org:993:143", "not a host and port"},
    {"imap_server with empty brackets", "imap_server []:993", "not a host and port"},
    {"imap_server with brackets around a name", "imap_server [imap]:993", "not a host and port"},
    {"smtp_server without a port", "smtp_server smtp.example.org", "not a host and port like"},
    {"pop3_server without a port", "pop3_server pop.example.org", "not a host and port like"},
    {"managesieve_server without a port", "managesieve_server sieve.example.org",
     "not a host and port like"},
    {"smtp_server with port 65536", "smtp_server smtp.example.org:65536", "not a host and port"},
    {"smtp_server with a tag", "smtp_server <b>:25", "not a host and port"},
    {"smtp_server with a space", "smtp_server smtp example:25", "not a host and port"},

    {"helpdesk_filter that is none", "helpdesk_filter a=b)", "a=b)"},
    {"helpdesk_users with a login in it", "helpdesk_users (uid=%q", "(uid=%q"},
    {"helpdesk_base that is no DN", "helpdesk_base people", "\"people\" is not a DN"},
    {"helpdesk_may that is unknown", "helpdesk_may mfa-off, everything", "\"everything\""},
    {"remind with another word", "remind mfa sometimes", "\"sometimes\" is not one of"},
    {"remind all and more", "remind all mfa", "\"all\" is not one of"},
    {"remind off and more", "remind mfa off", "\"off\" is not one of"},
    {"remind with a topic twice", "remind mfa,mfa", "mfa is repeated"},
    {"remind_rate of nothing", "remind_rate 0", "mails a minute"},
    {"remind_rate that is too fast", "remind_rate 6001", "mails a minute"},
    {"helpdesk_reset_delay without a unit", "helpdesk_reset_delay 24", "not a period of 0 to 30d"},
    {"helpdesk_reset_delay in the past", "helpdesk_reset_delay -1h", "not a period of 0 to 30d"},
    {"helpdesk_reset_delay that is too long", "helpdesk_reset_delay 31d",
     "not a period of 0 to 30d"},
    {"helpdesk_may with a repetition", "helpdesk_may mfa-off mfa-off", "mfa-off is repeated"},
    {"trusted_user_secret_file by a short path", "trusted_user_secret_file proxy", "proxy"},
    {"trusted_user_secret_file that is not there", "trusted_user_secret_file " FOLDER "/nothing",
     "/nothing"},
    {"trusted_user_secret_file that can be guessed", "trusted_user_secret_file " FOLDER "/password",
     "/password: not 32 or more letters and digits"},
    {"trusted_user_secret_file of 31 characters", "trusted_user_secret_file " FOLDER "/proxy-31",
     "/proxy-31: not 32 or more letters and digits"},
    {"trusted_user_secret_file with a quote", "trusted_user_secret_file " FOLDER "/proxy-quote",
     "/proxy-quote: not 32 or more letters and digits"},
    {"trusted_user_header with a colon", "trusted_user_header X-Remote-User:",
     "\"X-Remote-User:\" is not the name of a header like X-Remote-User"},
    {"trusted_user_header with a space", "trusted_user_header X Remote User",
     "is not the name of a header"},
    {"trusted_user_header with an underscore", "trusted_user_header REMOTE_USER",
     "is not the name of a header"},
    {"trusted_user_header past ASCII", "trusted_user_header X-Br\xc3\xa5ker",
     "is not the name of a header"},
};

static void test_bad(void **state)
{
    const struct bad_case *row = *state;
    struct apw_error error = {""};
    char where[128], *text;
    int number = complete_file(needed, UNIT_COUNT(needed), row->line, &text);

    read_bad(text, strlen(text), &error);
    snprintf(where, sizeof where, FOLDER "/portal.conf:%d: %.*s: ", number,
             (int)strcspn(row->line, " "), row->line);
    assert_says(&error, where);
    assert_says(&error, row->error);
    assert_null(strstr(error.text, "secret word"));
    assert_null(strstr(error.text, "dGhlIH"));
    free(text);
}

/* ---- files ---- */

static const struct file_case {
    const char *name;
    const char *text;
    size_t length;
    const char *error;
} bad_files[] = {
    {"an empty file", BYTES(""), FOLDER "/portal.conf: binddn is missing"},
    {"a file without binddn",
     BYTES("bindpw_file " FOLDER "/password\npublic_url https://a\nkey_file " FOLDER
           "/key\nsupport x\n"),
     "portal.conf: binddn is missing"},
    {"a file without bindpw_file",
     BYTES("binddn cn=a\npublic_url https://a\nkey_file " FOLDER "/key\nsupport x\n"),
     "portal.conf: bindpw_file is missing"},
    {"a file without public_url",
     BYTES("binddn cn=a\nbindpw_file " FOLDER "/password\nkey_file " FOLDER "/key\nsupport x\n"),
     "portal.conf: public_url is missing"},
    {"a file without key_file",
     BYTES("binddn cn=a\nbindpw_file " FOLDER "/password\npublic_url https://a\nsupport x\n"),
     "portal.conf: key_file is missing"},
    {"a file without support",
     BYTES("binddn cn=a\nbindpw_file " FOLDER "/password\npublic_url https://a\nkey_file " FOLDER
           "/key\n"),
     "portal.conf: support is missing"},
    {"an unknown key", BYTES(NEEDED "suport x\n"),
     "portal.conf:6: unknown key \"suport\"; app-password-portal(8) lists them"},
    {"a key in upper case", BYTES(NEEDED "Sendmail /bin/mail\n"), ":6: unknown key \"Sendmail\""},
    {"a key of app-password.conf", BYTES(NEEDED "uri ldapi:///\n"), ":6: unknown key \"uri\""},
    {"a repeated key", BYTES(NEEDED "enrolment code\n# and\nenrolment open\n"),
     ":8: \"enrolment\" is already set on line 6; remove one of them"},
    {"a key without a value", BYTES(NEEDED "listen\n"),
     ":6: \"listen\" needs a value; to have the default, leave the line out"},
    {"a comment after a value", BYTES(NEEDED "enrolment code # for now\n"),
     ":6: enrolment: \"code # for now\" is neither open nor code"},
    {"a NUL", BYTES(NEEDED "enrolment co\0de\n"), ":6: the line is longer than"},
    {"a line that is not UTF-8", BYTES(NEEDED "listen \xff\n"), ":6: the line is not UTF-8"},
    {"sendmail and a relay", BYTES(NEEDED "sendmail /bin/mail\nmail_relay 127.0.0.1:25\n"),
     "portal.conf: sendmail excludes mail_relay"},
    {"mail_relay_user without a password", BYTES(NEEDED "mail_relay_user portal\n"),
     "mail_relay_user and mail_relay_password_file need each other"},
    {"a password over the network without TLS",
     BYTES(NEEDED "mail_relay relay.example.org:25\nmail_relay_tls no\nmail_relay_user portal\n"
                  "mail_relay_password_file " FOLDER "/password\n"),
     "mail_relay_tls no would send the password of mail_relay_user in the clear"},
    {"a trusted header on a port", BYTES(NEEDED "trusted_user_header X-Remote-User\n"),
     "portal.conf: trusted_user_header needs \"listen unix:/run/…\": on a port, any "
     "local user could claim to be anybody"},
    {"a proxy's secret without a trusted header",
     BYTES(NEEDED "trusted_user_secret_file " FOLDER "/proxy\n"),
     "portal.conf: trusted_user_secret_file is of no use without trusted_user_header"},
    {"helpdesk_filter without helpdesk_users", BYTES(NEEDED "helpdesk_filter (a=b)\n"),
     "portal.conf: helpdesk_filter needs helpdesk_users, a filter that matches those whom"},
    {"helpdesk_users without helpdesk_filter", BYTES(NEEDED "helpdesk_users (a=b)\n"),
     "portal.conf: helpdesk_users is of no use without helpdesk_filter"},
    {"helpdesk_base without helpdesk_filter", BYTES(NEEDED "helpdesk_base dc=org\n"),
     "portal.conf: helpdesk_base is of no use without helpdesk_filter"},
    {"helpdesk_reset_delay without helpdesk_filter", BYTES(NEEDED "helpdesk_reset_delay 1h\n"),
     "portal.conf: helpdesk_reset_delay is of no use without helpdesk_filter"},
    {"helpdesk_may without helpdesk_filter", BYTES(NEEDED "helpdesk_may mfa-off\n"),
     "portal.conf: helpdesk_may is of no use without helpdesk_filter"},
    {"helpdesk_filter behind single sign-on",
     BYTES(NEEDED "listen unix:/run/portal\ntrusted_user_header X-Remote-User\n"
                  "trusted_user_secret_file " FOLDER "/proxy\n" HELP_DESK "\n"),
     "portal.conf: helpdesk_filter and trusted_user_header exclude each other"},
    {"a trusted header without a secret",
     BYTES(NEEDED "trusted_user_header X-Remote-User\nlisten unix:/run/portal\n"),
     "trusted_user_header needs trusted_user_secret_file: whatever runs as the proxy's user"},
    {"a trusted header on a port that is named",
     BYTES(NEEDED "trusted_user_header X-Remote-User\nlisten 127.0.0.1:8025\n"),
     "trusted_user_header needs \"listen unix:/run/…\""},
};

static void test_bad_file(void **state)
{
    const struct file_case *row = *state;
    struct apw_error error = {""};

    read_bad(row->text, row->length, &error);
    assert_says(&error, FOLDER "/portal.conf:");
    assert_says(&error, row->error);
}

static void test_missing_file(void **state)
{
    struct apw_error error = {""};
    struct apw_portal_config *conf;
    char *long_path = unit_repeat("/long", 2000);

    (void)state;
    unlink(conf_path);
    assert_int_equal(apw_portal_config_read(config_path, &conf, &error), -1);
    assert_null(conf);
    assert_says(&error, FOLDER "/portal.conf: No such file or directory");
    assert_int_equal(apw_portal_config_read(long_path, &conf, &error), -1);
    assert_contains(error.text, "/long/long");
    free(long_path);
}

static void test_folder(void **state)
{
    char folder[UNIT_PATH_SIZE];
    struct apw_error error = {""};
    struct apw_portal_config *conf;

    (void)state;
    write_expanded(conf_path, BYTES(NEEDED));
    assert_int_equal(chdir(unit_path("", folder)), 0);
    assert_int_equal(apw_portal_config_read("app-password.conf", &conf, &error), 0);
    apw_portal_config_free(&conf);
    assert_int_equal(apw_portal_config_read("./app-password.conf", &conf, &error), 0);
    apw_portal_config_free(&conf);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(apw_portal_config_read("app-password.conf", &conf, &error), -1);
    assert_contains(error.text, "portal.conf: No such file");
    apw_portal_config_free(&conf);
}

/* ---- key files ---- */

static const struct key_case {
    const char *name;
    const char *text;
} keys[] = {
    {"a key as openssl makes it", KEY_TEXT "\n"},
    {"a key without a line end", KEY_TEXT},
    {"a key with spaces around it", " " KEY_TEXT "\t\n"},
};

static void test_key(void **state)
{
    const struct key_case *row = *state;
    char path[UNIT_PATH_SIZE], *text;
    struct apw_portal_config *conf;

    unit_write(unit_path("this-key", path), row->text, strlen(row->text));
    complete_file(needed, UNIT_COUNT(needed), "key_file " FOLDER "/this-key", &text);
    conf = read_good(text);
    assert_true(conf->has_key);
    assert_memory_equal(conf->key, KEY_BYTES, APW_METHOD_KEY_BYTES);
    apw_portal_config_free(&conf);
    free(text);
}

/* ---- whose address it is ---- */

static const struct owner_case {
    const char *name;
    const char *domains;
    const char *address;
    bool is_own;
} owners[] = {
    {"an address of the domain is own", "example.org", "alice@example.org", true},
    {"case does not matter", "Example.Org", "ALICE@EXAMPLE.ORG", true},
    {"an address below the domain is own", "example.org", "alice@mail.example.org", true},
    {"an address far below the domain is own", "example.org", "alice@a.b.c.example.org", true},
    {"an address of the second domain is own", "example.net example.org", "alice@example.org",
     true},
    {"an address of the first domain is own", "example.net,example.org,", "alice@example.net",
     true},
    {"an address of another domain is not", "example.org", "alice@example.net", false},
    {"an address of a domain that ends the same is not", "example.org", "alice@notexample.org",
     false},
    {"an address above the domain is not", "mail.example.org", "alice@example.org", false},
    {"an address of a domain that begins the same is not", "example.org",
     "alice@example.org.example.net", false},
    {"an address with the domain before the at sign is not", "example.org",
     "example.org@example.net", false},
    {"an address without a domain is not", "example.org", "alice@", false},
};

static void test_owner(void **state)
{
    const struct owner_case *row = *state;
    char line[128], *text;
    struct apw_portal_config *conf;

    snprintf(line, sizeof line, "own_domains %s", row->domains);
    complete_file(needed, UNIT_COUNT(needed), line, &text);
    conf = read_good(text);
    assert_int_equal(apw_own_domains_have(conf->own_domains, row->address), row->is_own);
    apw_portal_config_free(&conf);
    conf = read_good(NEEDED);
    assert_false(apw_own_domains_have(conf->own_domains, row->address));
    apw_portal_config_free(&conf);
    free(text);
}

static void test_free_nothing(void **state)
{
    struct apw_portal_config *conf = NULL;

    (void)state;
    apw_portal_config_free(&conf);
}

/* ---- the identity in the store ---- */

#define STORE_DN     "store_binddn cn=portal,ou=services,o=app-passwords\n"
#define STORE_SECRET "store_bindpw_file " FOLDER "/password\n"

static const struct store_case {
    const char *name;
    const char *text;
    bool has_store;
    const char *error; /* NULL: it is good */
} store_cases[] = {
    {"an identity in the store", STORE_DN STORE_SECRET, true, NULL},
    {"no store, no identity", "", false, NULL},
    {"a store without an identity", "", true, "portal.conf: store_binddn is missing"},
    {"a store without a secret", STORE_DN, true, "portal.conf: store_bindpw_file is missing"},
    {"a store without a name", STORE_SECRET, true, "portal.conf: store_binddn is missing"},
    {"an identity in a store that there is not", STORE_DN STORE_SECRET, false,
     "store_binddn and store_bindpw_file need store_uri in app-password.conf"},
    {"a name in a store that there is not", STORE_DN, false, "need store_uri"},
    {"a secret of a store that there is not", STORE_SECRET, false, "need store_uri"},
};

static void test_store(void **state)
{
    const struct store_case *row = *state;
    struct apw_error error = {""};
    struct apw_portal_config *conf;
    char text[1024];

    snprintf(text, sizeof text, "%s%s", NEEDED, row->text);
    conf = read_good(text);
    assert_int_equal(apw_portal_config_check_store(conf, row->has_store, &error),
                     row->error == NULL ? 0 : -1);
    assert_contains(error.text, row->error == NULL ? "" : row->error);
    if (row->error == NULL && row->has_store) {
        assert_string_equal(conf->store_identity.dn, "cn=portal,ou=services,o=app-passwords");
        assert_string_equal(conf->store_identity.password, "secret word");
        assert_string_equal(conf->identity.dn, "cn=portal,dc=example,dc=org");
    }
    apw_portal_config_free(&conf);
}

static void test_bad_store(void **state)
{
    struct apw_error error = {""};

    (void)state;
    read_bad(BYTES(NEEDED "store_binddn portal\n"), &error);
    assert_contains(error.text, "store_binddn: \"portal\" is not a DN");
    read_bad(BYTES(NEEDED "store_bindpw_file " FOLDER "/none\n"), &error);
    assert_contains(error.text, "store_bindpw_file");
}

static void write_file(const char *name, const char *text)
{
    char path[UNIT_PATH_SIZE];

    unit_write(unit_path(name, path), text, strlen(text));
}

int main(void)
{
    unit_path("app-password.conf", config_path);
    unit_path("portal.conf", conf_path);
    write_file("password", "secret word\n");
    write_file("key", KEY_TEXT "\n");
    write_file("key-31", "dGhlIHBvcnRhbCdzIGtleSwgMzIgYnl0ZXMgb2YgaQ==\n");
    write_file("key-33", "dGhlIHBvcnRhbCdzIGtleSwgMzIgYnl0ZXMgb2YgaXQu\n");
    write_file("key-48", "dGhlIHBvcnRhbCdzIGtleSwgMzIgYnl0ZXMgb2YgaXR0aGUgcG9ydGFsJ3Mga2V5\n");
    write_file("key-open", "dGhlIHBvcnRhbCdzIGtleSwgMzIgYnl0ZXMgb2YgaXQ\n");
    write_file("proxy", PROXY_SECRET "\n");
    write_file("proxy-31", "1234567890123456789012345678901\n");
    write_file("proxy-quote", "\"234567890123456789012345678901234567890\n");
    write_file("key-hex", "74686520706f7274616c2773206b65792c203332206279746573206f66206974\n");
    UNIT_TEST("a file with every key", test_complete_file);
    UNIT_ROWS(good_values, test_good);
    UNIT_ROWS(enrolments, test_enrolment);
    UNIT_ROWS(kinds, test_kinds);
    UNIT_ROWS(delays, test_reset_delay);
    UNIT_ROWS(reminders, test_reminders);
    UNIT_ROWS(remembers, test_remember);
    UNIT_ROWS(urls, test_url);
    UNIT_ROWS(bad_values, test_bad);
    UNIT_ROWS(bad_files, test_bad_file);
    UNIT_TEST("a missing file, and a path that is too long", test_missing_file);
    UNIT_TEST("portal.conf is sought beside app-password.conf", test_folder);
    UNIT_ROWS(keys, test_key);
    UNIT_ROWS(owners, test_owner);
    UNIT_ROWS(store_cases, test_store);
    UNIT_TEST("a bad identity in the store", test_bad_store);
    UNIT_TEST("nothing is freed", test_free_nothing);
    return unit_run();
}
