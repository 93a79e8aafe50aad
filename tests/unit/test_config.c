/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration file: every key, and the message for each mistake. */
#include "conf_file.h"
#include "config.h"
#include "unit.h"
#include <syslog.h>

#define BYTES(text) text, sizeof text - 1

static const char *const needed[] = {
    "uri ldaps://ldap.example.org\n",
    "base dc=example,dc=org\n",
    "binddn cn=mail,dc=example,dc=org\n",
    "bindpw_file " FOLDER "/password\n",
};
#define NEEDED                                                                                     \
    "uri ldaps://ldap.example.org\nbase dc=example,dc=org\nbinddn cn=mail,dc=example,dc=org\n"     \
    "bindpw_file " FOLDER "/password\n"

static char conf_path[UNIT_PATH_SIZE];

static struct apw_config *read_good(const char *text)
{
    struct apw_error error = {""};
    struct apw_config *config;

    write_expanded(conf_path, text, strlen(text));
    if (apw_config_read(conf_path, &config, &error) != 0)
        fail_msg("%s", error.text);
    assert_string_equal(config->path, conf_path);
    return config;
}

/* Reads a file that must be rejected; the error is for the caller to check. */
static void read_bad(const char *text, size_t length, struct apw_error *error)
{
    struct apw_config *config = (struct apw_config *)error; /* anything but NULL */

    write_expanded(conf_path, text, length);
    assert_int_equal(apw_config_read(conf_path, &config, error), -1);
    assert_null(config);
}

/* ---- a good value of every key ---- */

#define AD "directory active-directory\nmfa_off_filter (appPasswordMfaEnabled=FALSE)"

#define STORE_BUT_ID                                                                               \
    "store_uri ldapi://%2Fstore\nstore_base ou=entries,o=app-passwords\n"                          \
    "store_binddn cn=mail,o=app-passwords\nstore_bindpw_file " FOLDER "/password\nstore_mfa yes"
#define STORE STORE_BUT_ID "\nid_attribute entryUUID"

#define MEMBER(member)                                                                             \
    .offset = offsetof(struct apw_config, member), .size = sizeof((struct apw_config *)0)->member
#define NUMBER(member, value) MEMBER(member), .number = value
#define TEXT(member, value)   MEMBER(member), .text = value

static const struct good_case {
    const char *name;
    const char *line;
    size_t offset;
    size_t size;
    int64_t number;
    const char *text; /* unless it is a number */
} good_values[] = {
    {"uri ldaps", "uri ldaps://ldap.example.org", TEXT(uris.uri[0], "ldaps://ldap.example.org")},
    {"uri ldapi", "uri ldapi:///", TEXT(uris.uri[0], "ldapi:///")},
    {"uri with a port", "uri ldaps://[2001:db8::1]:10636",
     TEXT(uris.uri[0], "ldaps://[2001:db8::1]:10636")},
    {"uri ldap to localhost", "uri ldap://localhost", TEXT(uris.uri[0], "ldap://localhost")},
    {"uri ldap to 127.0.0.1", "uri ldap://127.0.0.1:3890", NUMBER(uris.count, 1)},
    {"uri ldap to ::1", "uri ldap://[::1]/", NUMBER(uris.count, 1)},
    {"uri ldap without a host is localhost", "uri ldap:///", NUMBER(uris.count, 1)},
    {"two URIs", "uri ldaps://a.example.org \t ldaps://b.example.org",
     TEXT(uris.uri[1], "ldaps://b.example.org")},
    {"eight URIs",
     "uri ldaps://a ldaps://b ldaps://c ldaps://d ldaps://e ldaps://f ldaps://g ldaps://h",
     NUMBER(uris.count, 8)},
    {"write_uri", "write_uri ldaps://master.example.org",
     TEXT(write_uris.uri[0], "ldaps://master.example.org")},
    {"write_uri by default is uri", "uri ldaps://a ldaps://b",
     TEXT(write_uris.uri[1], "ldaps://b")},
    {"base", "base ou=People,dc=example,dc=org", TEXT(base, "ou=People,dc=example,dc=org")},
    {"base with spaces", "base o=Example Limited,c=GB", TEXT(base, "o=Example Limited,c=GB")},
    {"scope sub", "scope sub", NUMBER(scope, APW_SCOPE_SUB)},
    {"scope one", "scope one", NUMBER(scope, APW_SCOPE_ONE)},
    {"scope base", "scope base", NUMBER(scope, APW_SCOPE_BASE)},
    {"filter", "filter (&(objectClass=person)(uid=%u))",
     TEXT(filter, "(&(objectClass=person)(uid=%u))")},
    {"filter with local part and domain", "filter (&(uid=%n)(o=%d)(l=100%%))",
     TEXT(filter, "(&(uid=%n)(o=%d)(l=100%%))")},
    {"filter by default", "scope sub", TEXT(filter, "(|(uid=%u)(mail=%u))")},
    {"filter by default for Active Directory", AD,
     TEXT(filter, "(&(objectCategory=person)(objectClass=user)(|(sAMAccountName=%u)"
                  "(userPrincipalName=%u)(mail=%u)))")},
    {"filter for Active Directory", AD "\nfilter (mail=%u)", TEXT(filter, "(mail=%u)")},
    {"login_attribute by default for Active Directory", AD,
     TEXT(login_attribute, "sAMAccountName")},
    {"login_attribute for Active Directory", AD "\nlogin_attribute mail",
     TEXT(login_attribute, "mail")},
    {"login_attribute by default", "directory ldap", TEXT(login_attribute, NULL)},
    {"Active Directory where the account password never opens",
     "directory active-directory\naccount_password never",
     NUMBER(directory, APW_DIRECTORY_ACTIVE_DIRECTORY)},
    {"the default directory", "scope sub", NUMBER(directory, APW_DIRECTORY_LDAP)},
    {"port 3268 of another directory", "uri ldaps://ldap.example.org:3268", NUMBER(uris.count, 1)},
    {"binddn", "binddn cn=other,dc=example,dc=org",
     TEXT(identity.dn, "cn=other,dc=example,dc=org")},
    {"bindpw_file", "bindpw_file " FOLDER "/password", TEXT(identity.password, "secret word")},
    {"start_tls yes", "start_tls yes", NUMBER(start_tls, true)},
    {"start_tls no", "start_tls no", NUMBER(start_tls, false)},
    {"tls_cacert", "tls_cacert /dev/null", TEXT(tls_cacert, "/dev/null")},
    {"tls_cacert by default", "scope sub", TEXT(tls_cacert, APW_CA_BUNDLE)},
    {"tls_min 1.2", "tls_min 1.2", NUMBER(tls_min, APW_TLS_1_2)},
    {"tls_min 1.3", "tls_min 1.3", NUMBER(tls_min, APW_TLS_1_3)},
    {"timeout", "timeout 7", NUMBER(timeout_ms, 7000)},
    {"timeout as long as deadline", "timeout 12", NUMBER(timeout_ms, 12000)},
    {"deadline", "deadline 300", NUMBER(deadline_ms, 300000)},
    {"deadline as short as timeout", "deadline 5", NUMBER(deadline_ms, 5000)},
    {"mfa_filter", "mfa_witness uid=w,dc=x\nmfa_filter (memberOf=cn=mfa,dc=example,dc=org)",
     TEXT(mfa_filter, "(memberOf=cn=mfa,dc=example,dc=org)")},
    {"mfa_filter with an or", "mfa_filter (|(a=b)(c=d))\nmfa_off_filter (a=c)",
     TEXT(mfa_filter, "(|(a=b)(c=d))")},
    {"no store by default", "scope sub", NUMBER(store.uris.count, 0)},
    {"store_uri", STORE, TEXT(store.uris.uri[0], "ldapi://%2Fstore")},
    {"store_write_uri", STORE "\nstore_write_uri ldapi://%2Fother",
     TEXT(store.write_uris.uri[0], "ldapi://%2Fother")},
    {"store_write_uri by default is store_uri", STORE,
     TEXT(store.write_uris.uri[0], "ldapi://%2Fstore")},
    {"store_base", STORE, TEXT(store.base, "ou=entries,o=app-passwords")},
    {"store_binddn", STORE, TEXT(store.identity.dn, "cn=mail,o=app-passwords")},
    {"store_bindpw_file", STORE, TEXT(store.identity.password, "secret word")},
    {"store_tls_cacert", STORE "\nstore_tls_cacert /dev/null", TEXT(store.tls_cacert, "/dev/null")},
    {"store_tls_cacert by default", STORE, TEXT(store.tls_cacert, APW_CA_BUNDLE)},
    {"store_start_tls", STORE "\nstore_start_tls yes", NUMBER(store.start_tls, true)},
    {"store_mfa", STORE, NUMBER(store.has_mfa, true)},
    {"mfa_filter with store_mfa", STORE, TEXT(mfa_filter, "(appPasswordMfaEnabled=TRUE)")},
    {"mfa_off_filter with store_mfa", STORE, TEXT(mfa_off_filter, "(appPasswordMfaEnabled=FALSE)")},
    {"store_mfa_default by default", STORE, NUMBER(store.is_mfa_off_by_default, false)},
    {"store_mfa_default off", STORE "\nstore_mfa_default off\nmfa_witness cn=w,o=app-passwords",
     NUMBER(store.is_mfa_off_by_default, true)},
    {"mfa_filter where the account password never opens",
     "mfa_filter (a=b)\naccount_password never", TEXT(mfa_filter, "(a=b)")},
    {"mfa_filter with another off filter", "mfa_filter (a=b)\nmfa_off_filter (&(a=c)(!(a=b)))",
     TEXT(mfa_off_filter, "(&(a=c)(!(a=b)))")},
    {"a witness", "mfa_witness uid=w,dc=x", TEXT(mfa_witness, "uid=w,dc=x")},
    {"a negation with a witness", "mfa_witness uid=w,dc=x\nmfa_off_filter (!(a=b))",
     TEXT(mfa_off_filter, "(!(a=b))")},
    {"disabled_witness", "disabled_filter (a=b)\ndisabled_witness uid=w,dc=x",
     TEXT(disabled_witness, "uid=w,dc=x")},
    {"disabled_filter", "disabled_filter (employeeType=retired)\ndisabled_witness uid=w,dc=x",
     TEXT(disabled_filter, "(employeeType=retired)")},
    {"mfa_filter by default", "scope sub", TEXT(mfa_filter, "(appPasswordMfaEnabled=TRUE)")},
    {"mfa_enforcement enforce", "mfa_enforcement enforce",
     NUMBER(mfa_enforcement, APW_MFA_ENFORCE)},
    {"mfa_enforcement report", "mfa_enforcement report", NUMBER(mfa_enforcement, APW_MFA_REPORT)},
    {"mfa_enforcement by default", "scope sub", NUMBER(mfa_enforcement, APW_MFA_ENFORCE)},
    {"account_password when-mfa-off", "account_password when-mfa-off",
     NUMBER(account_password, APW_ACCOUNT_PASSWORD_WHEN_MFA_OFF)},
    {"account_password never", "account_password never",
     NUMBER(account_password, APW_ACCOUNT_PASSWORD_NEVER)},
    {"account_password_from with one", "account_password_from 192.0.2.7",
     NUMBER(account_password_from.count, 1)},
    {"account_password_from with three", "account_password_from 192.0.2.0/24  2001:db8::/32\t::1",
     NUMBER(account_password_from.count, 3)},
    {"account_password_from none", "account_password_from none",
     NUMBER(account_password_from.count, 0)},
    {"login_attribute", "login_attribute uid", TEXT(login_attribute, "uid")},
    {"login_attribute with digits and hyphens", "login_attribute x-Mail1",
     TEXT(login_attribute, "x-Mail1")},
    {"login_attribute by default", "scope sub", TEXT(login_attribute, NULL)},
    {"hash_memory", "hash_memory 19M", NUMBER(hash_memory_mib, 19)},
    {"hash_memory at its minimum", "hash_memory 1M", NUMBER(hash_memory_mib, 1)},
    {"hash_memory at its maximum", "hash_memory 256M", NUMBER(hash_memory_mib, 256)},
    {"hash_memory by default", "scope sub", NUMBER(hash_memory_mib, 8)},
    {"hash_passes", "hash_passes 2", NUMBER(hash_passes, 2)},
    {"hash_passes at its maximum", "hash_passes 10", NUMBER(hash_passes, 10)},
    {"hash_passes by default", "scope sub", NUMBER(hash_passes, 1)},
    {"max_app_passwords", "max_app_passwords 5", NUMBER(max_app_passwords, 5)},
    {"max_app_passwords by default", "scope sub", NUMBER(max_app_passwords, 40)},
    {"remember by default", "scope sub", NUMBER(remember, 100000)},
    {"remember a number", "remember 1500", NUMBER(remember, 1500)},
    {"remember one", "remember 1", NUMBER(remember, 1)},
    {"remember at its maximum", "remember 1000000", NUMBER(remember, 1000000)},
    {"remember 0", "remember 0", NUMBER(remember, 0)},
    {"remember yes, as in 0.1", "remember yes", NUMBER(remember, 100000)},
    {"remember no, as in 0.1", "remember no", NUMBER(remember, 0)},
    {"idle in minutes", "idle 5m", NUMBER(idle_s, 300)},
    {"idle in seconds", "idle 50s", NUMBER(idle_s, 50)},
    {"idle never", "idle never", NUMBER(idle_s, 0)},
    {"a grace in days", "mfa_grace 14d", NUMBER(mfa_grace_s, 14 * 86400)},
    {"no grace", "mfa_grace never", NUMBER(mfa_grace_s, 0)},
    {"no grace by default", "scope sub", NUMBER(mfa_grace_s, 0)},
    {"idle by default", "scope sub", NUMBER(idle_s, 240)},
    {"record_use in days", "record_use 7d", NUMBER(record_use_s, 604800)},
    {"record_use in hours", "record_use 12h", NUMBER(record_use_s, 43200)},
    {"record_use never", "record_use never", NUMBER(record_use_s, 0)},
    {"record_use by default", "scope sub", NUMBER(record_use_s, 86400)},
    {"record_use without-address", "record_use 1d  without-address",
     NUMBER(record_use_without_address, true)},
    {"record_use with address", "record_use 1d", NUMBER(record_use_without_address, false)},
    {"max_lifetime", "max_lifetime 365d", NUMBER(max_lifetime_s, 31536000)},
    {"max_lifetime of one day", "max_lifetime 24h", NUMBER(max_lifetime_s, 86400)},
    {"max_lifetime never", "max_lifetime never", NUMBER(max_lifetime_s, 0)},
    {"max_lifetime by default", "scope sub", NUMBER(max_lifetime_s, 0)},
    {"default_expires", "default_expires 90d", NUMBER(default_expires_s, 7776000)},
    {"default_expires never", "default_expires never", NUMBER(default_expires_s, 0)},
    {"default_expires by default", "scope sub", NUMBER(default_expires_s, 0)},
    {"default_expires by default with max_lifetime", "max_lifetime 365d",
     NUMBER(default_expires_s, 31536000)},
    {"default_expires as long as max_lifetime", "default_expires 365d\nmax_lifetime 365d",
     NUMBER(default_expires_s, 31536000)},
    {"revoke_unused", "revoke_unused 180d", NUMBER(revoke_unused_s, 15552000)},
    {"revoke_unused as short as can be", "revoke_unused 30d", NUMBER(revoke_unused_s, 2592000)},
    {"revoke_unused 14 days longer than record_use", "revoke_unused 114d\nrecord_use 100d",
     NUMBER(revoke_unused_s, 9849600)},
    {"revoke_unused never", "revoke_unused never\nrecord_use never", NUMBER(revoke_unused_s, 0)},
    {"revoke_unused by default", "scope sub", NUMBER(revoke_unused_s, 0)},
    {"watch_interval", "watch_interval 5s", NUMBER(watch_interval_s, 5)},
    {"watch_interval in minutes", "watch_interval 5m", NUMBER(watch_interval_s, 300)},
    {"watch_interval never", "watch_interval never", NUMBER(watch_interval_s, 0)},
    {"watch_interval by default", "scope sub", NUMBER(watch_interval_s, 0)},
    {"watch_kick_max", "watch_kick_max 500", NUMBER(watch_kick_max, 500)},
    {"watch_kick_max by default", "scope sub", NUMBER(watch_kick_max, 50)},
    {"refusal_delay", "refusal_delay 3", NUMBER(refusal_delay_ms, 3000)},
    {"refusal_delay 0", "refusal_delay 0", NUMBER(refusal_delay_ms, 0)},
    {"refusal_delay by default", "scope sub", NUMBER(refusal_delay_ms, 1000)},
    {"timeout by default", "scope sub", NUMBER(timeout_ms, 5000)},
    {"deadline by default", "scope sub", NUMBER(deadline_ms, 12000)},
    {"log syslog mail", "log syslog mail", NUMBER(log_facility, LOG_MAIL)},
    {"log syslog local7", "log syslog \t local7", NUMBER(log_facility, LOG_LOCAL7)},
    {"log syslog authpriv", "log syslog authpriv", NUMBER(log_facility, LOG_AUTHPRIV)},
    {"log by default", "scope sub", NUMBER(log_facility, LOG_MAIL)},
    {"log to a file", "log /var/log/app-password.log", TEXT(log_file, "/var/log/app-password.log")},
    {"log to standard error", "log stderr", NUMBER(log_to_stderr, true)},
    {"log not to standard error", "log syslog mail", NUMBER(log_to_stderr, false)},
    {"no log file by default", "scope sub", TEXT(log_file, NULL)},
};

static int64_t number_at(const char *at, size_t size)
{
    int64_t whole;
    int ordinary;

    if (size == sizeof(bool))
        return *(const bool *)at;
    if (size == sizeof ordinary) {
        memcpy(&ordinary, at, sizeof ordinary);
        return ordinary;
    }
    assert_int_equal(size, sizeof whole);
    memcpy(&whole, at, sizeof whole);
    return whole;
}

static void test_good(void **state)
{
    const struct good_case *row = *state;
    struct apw_config *config;
    const char *at;
    char *text;

    complete_file(needed, UNIT_COUNT(needed), row->line, &text);
    config = read_good(text);
    at = (const char *)config + row->offset;
    if (row->text != NULL)
        assert_string_equal(*(char *const *)at, row->text);
    else
        assert_int_equal(number_at(at, row->size), row->number);
    apw_config_free(&config);
    assert_null(config);
    free(text);
}

/* ---- a bad value of every key ---- */

static const struct bad_case {
    const char *name;
    const char *line;
    const char *error; /* behind "file:line: key: " */
} bad_values[] = {
    {"uri without a scheme", "uri ldap.example.org", "is not a URI like ldaps://"},
    {"uri http", "uri http://ldap.example.org", "\"http://ldap.example.org\" is not a URI"},
    {"uri cldap", "uri cldap://localhost", "\"cldap://localhost\" "},
    {"uri in the clear", "uri ldap://ldap.example.org",
     "would send passwords in the clear; use ldaps:// or set \"start_tls yes\""},
    {"store_uri in the clear", "store_uri ldap://store.example.org",
     "use ldaps:// or set \"start_tls yes\", for a store \"store_start_tls yes\""},
    {"uri in the clear after a good one", "uri ldaps://a.example.org ldap://b.example.org",
     "\"ldap://b.example.org\" would send passwords in the clear"},
    {"uri in the clear to a name that begins like localhost", "uri ldap://localhost.example.org",
     "in the clear"},
    {"uri in the clear to a name that begins like the loopback", "uri ldap://127.0.0.1.example.org",
     "in the clear"},
    {"uri in the clear to any address", "uri ldap://0.0.0.0", "in the clear"},
    {"uri in the clear to an IPv6 address", "uri ldap://[2001:db8::1]", "in the clear"},
    {"uri with a base", "uri ldaps://ldap.example.org/dc=example,dc=org",
     "set base and filter with their own keys"},
    {"uri with a filter", "uri ldaps://ldap.example.org/??sub?(uid=x)",
     "set base and filter with their own keys"},
    {"uri with a bad port", "uri ldaps://ldap.example.org:x", "is not a URI"},
    {"nine URIs",
     "uri ldaps://a ldaps://b ldaps://c ldaps://d ldaps://e ldaps://f ldaps://g ldaps://h "
     "ldaps://i",
     "more than 8 URIs"},
    {"write_uri in the clear", "write_uri ldap://master.example.org", "in the clear"},
    {"write_uri that is no URI", "write_uri master", "is not a URI like"},
    {"base that is no DN", "base example.org", "is not a DN like dc=example,dc=org"},
    {"base with a broken DN", "base dc=example,", "is not a DN"},
    {"scope subtree", "scope subtree", "\"subtree\" is not one of sub, one, base"},
    {"scope in upper case", "scope SUB", "is not one of sub, one, base"},
    {"filter without parentheses", "filter uid=%u", "must begin with a parenthesis"},
    {"filter without a login", "filter (objectClass=person)", "must contain %u (the login), %n"},
    {"filter with a domain alone", "filter (o=%d)", "must contain %u (the login), %n"},
    {"filter with an escaped %u alone", "filter (o=%%u)", "must contain %u (the login), %n"},
    {"filter with an unknown %", "filter (uid=%s)",
     "\"%s\" is unknown; use %u (login), %n (local part), %t (local part without its +tag), %b "
     "(after DOMAIN\\), %d (domain) or %%"},
    {"filter with a % at the end", "filter (uid=%u)%", "use %u"},
    {"filter that is not closed", "filter (&(uid=%u)(a=b)", "is not an LDAP filter"},
    {"filter that is closed twice", "filter (uid=%u))", "is not an LDAP filter"},
    {"two filters side by side", "filter (uid=%u)(mail=%u)", "is not an LDAP filter"},
    {"filter with text after it", "filter (uid=%u) or so", "is not an LDAP filter"},
    {"filter whose attribute is the login", "filter (&(uid=%u)(%n=x))",
     "\"(&(uid=%u)(%n=x))\" is not an LDAP filter"},
    {"filter with half an escape before the login", "filter (uid=\\4%u)", "is not an LDAP filter"},
    {"filter with a backslash before the login", "filter (uid=\\%u)", "is not an LDAP filter"},
    {"filter without an attribute", "filter (=%u)", "is not an LDAP filter"},
    {"filter without a value", "filter (%u)", "is not an LDAP filter"},
    {"filter with a broken escape", "filter (uid=%u\\zz)", "is not an LDAP filter"},
    {"bind simple", "bind simple", "remove this line and set binddn and bindpw_file"},
    {"binddn that is no DN", "binddn mail", "is not a DN like cn=mail,dc=example,dc=org"},
    {"bindpw_file that is missing", "bindpw_file " FOLDER "/none", FOLDER "/none: No such file"},
    {"bindpw_file with a relative path", "bindpw_file password", "is not an absolute path"},
    {"bindpw_file that is empty", "bindpw_file /dev/null", "one line, the password"},
    {"start_tls in upper case", "start_tls YES", "\"YES\" is neither yes nor no"},
    {"start_tls on", "start_tls on", "neither yes nor no"},
    {"tls_cacert that is missing", "tls_cacert " FOLDER "/none", FOLDER "/none: No such file"},
    {"tls_cacert with a relative path", "tls_cacert ca.pem", "is not an absolute path"},
    {"directory openldap", "directory openldap", "not one of ldap, active-directory"},
    {"tls_min 1.1", "tls_min 1.1", "\"1.1\" is not one of 1.2, 1.3"},
    {"timeout 0", "timeout 0", "\"0\" is not a whole number of seconds from 1 to 300"},
    {"timeout 301", "timeout 301", "from 1 to 300"},
    {"timeout with a unit", "timeout 5s", "whole number of seconds"},
    {"timeout that is negative", "timeout -1", "whole number of seconds"},
    {"timeout beyond 64 bits", "timeout 18446744073709551621", "whole number of seconds"},
    {"timeout with a fraction", "timeout 1.5", "whole number of seconds"},
    {"timeout with text after it", "timeout 5 # seconds", "whole number of seconds"},
    {"deadline 0", "deadline 0", "from 1 to 300"},
    {"mfa_filter without parentheses", "mfa_filter memberOf=cn=mfa",
     "must begin with a parenthesis"},
    {"disabled_filter that would end the negation", "disabled_filter (a=b))(|(c=d)",
     "is not an LDAP filter"},
    {"mfa_filter that is not closed", "mfa_filter (a=b", "is not an LDAP filter"},
    {"mfa_filter that is closed twice", "mfa_filter (a=b))", "is not an LDAP filter"},
    {"two mfa_filters side by side", "mfa_filter (a=b)(c=d)", "is not an LDAP filter"},
    {"an mfa_filter that would end the negation", "mfa_filter (a=b))(|(c=d)",
     "is not an LDAP filter"},
    {"mfa_filter that is empty", "mfa_filter ()", "is not an LDAP filter"},
    {"mfa_off_filter without parentheses", "mfa_off_filter a=b", "must begin with a parenthesis"},
    {"mfa_off_filter with text after it", "mfa_off_filter (a=b) c", "is not an LDAP filter"},
    {"mfa_witness that is no DN", "mfa_witness witness", "is not a DN like uid=mfa-witness"},
    {"mfa_enforcement on", "mfa_enforcement on", "\"on\" is not one of enforce, report"},
    {"account_password always", "account_password always", "not one of when-mfa-off, never"},
    {"account_password_from with a host name", "account_password_from 192.0.2.1 webmail",
     "\"webmail\" is not a network like 192.0.2.7"},
    {"account_password_from with bits after the prefix", "account_password_from 192.0.2.1/24",
     "no bits set after the prefix"},
    {"account_password_from with commas", "account_password_from 192.0.2.1,192.0.2.2",
     "is not a network"},
    {"login_attribute with an option", "login_attribute cn;lang-en", "is not an attribute name"},
    {"login_attribute that begins with a digit", "login_attribute 1uid",
     "is not an attribute name"},
    {"two login_attributes", "login_attribute uid mail", "is not an attribute name"},
    {"hash_memory without a unit", "hash_memory 8", "is not a size in MiB like 8M"},
    {"hash_memory in another unit", "hash_memory 8G", "is not a size in MiB like 8M"},
    {"hash_memory with a lower-case m", "hash_memory 8m", "is not a size in MiB like 8M"},
    {"hash_memory 0M", "hash_memory 0M", "from 1 to 256"},
    {"hash_memory over its maximum", "hash_memory 257M", "from 1 to 256"},
    {"hash_memory far over its maximum", "hash_memory 99999999999M", "is not a size in MiB"},
    {"hash_memory with a unit alone", "hash_memory M", "is not a size in MiB"},
    {"hash_passes 0", "hash_passes 0", "from 1 to 10"},
    {"hash_passes over its maximum", "hash_passes 11", "from 1 to 10"},
    {"a grace without a unit", "mfa_grace 14", "must be never, or a time like 5m or 30s"},
    {"idle without a unit", "idle 300", "must be never, or a time like 5m or 30s"},
    {"idle 0s", "idle 0s", "must be never, or a time like 5m or 30s"},
    {"idle for no time", "idle no", "must be never, or a time like 5m or 30s"},
    {"idle below zero", "idle -5m", "must be never, or a time like 5m or 30s"},
    {"idle for ever", "idle 99999999999999999999d", "must be never, or a time like 5m or 30s"},
    {"max_app_passwords 0", "max_app_passwords 0", "from 1 to 1000"},
    {"max_app_passwords 1001", "max_app_passwords 1001", "from 1 to 1000"},
    {"record_use without a unit", "record_use 1", "must be never, or a period like 1d or 12h"},
    {"remember off", "remember off", "\"off\" is not a number of app passwords from 0 to 1000000"},
    {"remember more than its maximum", "remember 1000001", "from 0 to 1000000"},
    {"remember less than nothing", "remember -1", "from 0 to 1000000"},
    {"remember with a unit", "remember 100k", "from 0 to 1000000"},
    {"record_use 0d", "record_use 0d", "must be never, or a period"},
    {"record_use always", "record_use always", "must be never, or a period"},
    {"record_use with another word after it", "record_use 1d with-address",
     "must be never, or a period"},
    {"record_use with without-address alone", "record_use without-address",
     "must be never, or a period"},
    {"max_lifetime 0d", "max_lifetime 0d", "must be never, or a time like 365d, at least 1d"},
    {"max_lifetime under a day", "max_lifetime 23h", "at least 1d"},
    {"max_lifetime without a unit", "max_lifetime 365", "at least 1d"},
    {"max_lifetime below zero", "max_lifetime -1d", "at least 1d"},
    {"max_lifetime for ever", "max_lifetime 99999999999999999999d", "at least 1d"},
    {"default_expires on a date", "default_expires 2027-01-31", "at least 1d"},
    {"default_expires 0d", "default_expires 0d", "at least 1d"},
    {"revoke_unused 29d", "revoke_unused 29d", "at least 30d"},
    {"revoke_unused always", "revoke_unused always", "must be never, or a time like 365d"},
    {"watch_interval 0", "watch_interval 0", "from 1s to 5m"},
    {"watch_interval 301s", "watch_interval 301s", "from 1s to 5m"},
    {"watch_interval without a number", "watch_interval often", "from 1s to 5m"},
    {"watch_kick_max 0", "watch_kick_max 0", "from 1 to 1000000"},
    {"refusal_delay that is negative", "refusal_delay -1", "from 0 to 300"},
    {"refusal_delay 301", "refusal_delay 301", "from 0 to 300"},
    {"log to an unknown facility", "log syslog news", "neither \"syslog mail\""},
    {"log to standard output", "log stdout", "nor stderr nor an absolute path"},
    {"log to standard error and more", "log stderr mail", "nor stderr nor an absolute path"},
    {"log to no facility", "log syslog", "neither \"syslog mail\""},
    {"log to a facility without a space", "log syslogmail", "neither \"syslog mail\""},
    {"log to a relative path", "log app-password.log", "nor an absolute path"},
};

static void test_bad(void **state)
{
    const struct bad_case *row = *state;
    struct apw_error error = {""};
    char *text, where[2 * UNIT_PATH_SIZE];
    int number = complete_file(needed, UNIT_COUNT(needed), row->line, &text);

    read_bad(text, strlen(text), &error);
    snprintf(where, sizeof where, "%s:%d: %.*s: ", conf_path, number, (int)strcspn(row->line, " "),
             row->line);
    assert_memory_equal(error.text, where, strlen(where));
    assert_says(&error, row->error);
    free(text);
}

/* ---- whole files ---- */

static const struct file_case {
    const char *name;
    const char *text;
    size_t length;
    const char *error; /* NULL: it is good */
} files[] = {
    {"the shortest file", BYTES(NEEDED), NULL},
    {"comments and empty lines", BYTES("# a comment\n\n   \n\t# another\n" NEEDED "#\n"), NULL},
    {"CRLF line ends",
     BYTES("uri ldaps://ldap.example.org\r\nbase dc=example,dc=org\r\n\r\n"
           "binddn cn=mail,dc=example,dc=org\r\nbindpw_file " FOLDER "/password\r\n"),
     NULL},
    {"tabs and spaces around keys and values",
     BYTES("  uri\t ldaps://ldap.example.org \t\n\tbase   dc=example,dc=org\n"
           "binddn cn=mail,dc=example,dc=org\nbindpw_file " FOLDER "/password\n"),
     NULL},
    {"no line end at the end", BYTES(NEEDED "scope one"), NULL},
    {"start_tls after the uri that needs it",
     BYTES("uri ldap://ldap.example.org\nbase dc=example,dc=org\nbinddn cn=mail,dc=example,dc=org\n"
           "bindpw_file " FOLDER "/password\nstart_tls yes\n"),
     NULL},
    {"bind external over ldapi in upper case",
     BYTES("uri LDAPI:///\nbase dc=example,dc=org\nbind external\n"), NULL},
    {"bind external over ldapi",
     BYTES("uri ldapi:/// ldapi://%2Frun%2Fldapi\nbase dc=example,dc=org\nbind external\n"), NULL},

    {"default_expires longer than max_lifetime",
     BYTES(NEEDED "max_lifetime 90d\ndefault_expires 91d\n"),
     FOLDER "/app-password.conf: default_expires is longer than max_lifetime; shorten it"},
    {"no end by default in spite of max_lifetime",
     BYTES(NEEDED "default_expires never\nmax_lifetime 90d\n"),
     "default_expires is longer than max_lifetime"},
    {"default_expires without max_lifetime", BYTES(NEEDED "default_expires 9000d\n"), NULL},
    {"revoke_unused without record_use", BYTES(NEEDED "revoke_unused 180d\nrecord_use never\n"),
     "revoke_unused needs record_use"},
    {"revoke_unused hardly longer than record_use",
     BYTES(NEEDED "revoke_unused 180d\nrecord_use 167d\n"),
     "must be at least 14 days longer than record_use"},

    {"an empty file", BYTES(""), FOLDER "/app-password.conf: uri is missing"},
    {"a file of comments", BYTES("# nothing\n"), "uri is missing"},
    {"no uri",
     BYTES("base dc=example,dc=org\nbinddn cn=mail,dc=example,dc=org\nbindpw_file " FOLDER
           "/password\n"),
     "uri is missing"},
    {"no base",
     BYTES("uri ldapi:///\nbinddn cn=mail,dc=example,dc=org\nbindpw_file " FOLDER "/password\n"),
     "base is missing"},
    {"no binddn", BYTES("uri ldapi:///\nbase dc=example,dc=org\nbindpw_file " FOLDER "/password\n"),
     "binddn is missing (or \"bind external\" over ldapi)"},
    {"no bindpw_file",
     BYTES("uri ldapi:///\nbase dc=example,dc=org\nbinddn cn=mail,dc=example,dc=org\n"),
     "bindpw_file is missing (or \"bind external\" over ldapi)"},
    {"an unknown key", BYTES(NEEDED "colour red\n"),
     FOLDER "/app-password.conf:5: unknown key \"colour\"; app-password.conf(5) lists them"},
    {"a key in upper case", BYTES(NEEDED "SCOPE one\n"), ":5: unknown key \"SCOPE\""},
    {"a key with a colon", BYTES(NEEDED "scope: one\n"), ":5: unknown key \"scope:\""},
    {"a key with an equals sign", BYTES(NEEDED "scope=one\n"), ":5: unknown key \"scope=one\""},
    {"a key of the portal", BYTES(NEEDED "listen 127.0.0.1:8025\n"), ":5: unknown key \"listen\""},
    {"a comment after a key is part of the value", BYTES(NEEDED "scope # one\n"),
     ":5: scope: \"# one\" is not one of sub, one, base"},
    {"a repeated key", BYTES(NEEDED "\nscope one\nscope sub\n"),
     ":7: \"scope\" is already set on line 6; remove one of them"},
    {"a repeated key with the same value", BYTES(NEEDED "base dc=example,dc=org\n"),
     ":5: \"base\" is already set on line 2"},
    {"a key without a value", BYTES(NEEDED "scope\n"),
     ":5: \"scope\" needs a value; to have the default, leave the line out"},
    {"a key with a blank value", BYTES(NEEDED "scope \t \n"), ":5: \"scope\" needs a value"},
    {"a NUL", BYTES(NEEDED "scope o\0ne\n"),
     ":5: the line is longer than 4094 bytes or contains a NUL"},
    {"a NUL after a value", BYTES(NEEDED "scope one\0\n"), ":5: the line is longer than"},
    {"a NUL in a last line without an end", BYTES(NEEDED "scope one\0 or not"),
     ":5: the line is longer than"},
    {"a NUL at the very end", BYTES(NEEDED "scope one\0"), ":5: the line is longer than"},
    {"a line that is not UTF-8", BYTES(NEEDED "base ou=Andr\xe9\n"), ":5: the line is not UTF-8"},
    {"a byte order mark", BYTES("\xef\xbb\xbf" NEEDED), NULL},
    {"a byte order mark, CR LF and a comment",
     BYTES("\xef\xbb\xbf# a comment\r\n" NEEDED "\xef\xbb\xbfscope one\r\n"), NULL},
    {"a byte order mark within a line", BYTES(NEEDED "sco\xef\xbb\xbfpe one\n"), ":5: unknown key"},
    {"%n without %d and without login_attribute", BYTES(NEEDED "filter (uid=%n)\n"),
     "add \"login_attribute uid\""},
    {"%n without %d beside %u", BYTES(NEEDED "filter (|(uid=%n)(mail=%u))\n"),
     "add \"login_attribute uid\""},
    {"%n with an escaped %d", BYTES(NEEDED "filter (&(uid=%n)(o=%%d))\n"),
     "add \"login_attribute uid\""},
    {"%t without login_attribute", BYTES(NEEDED "filter (&(uid=%t)(o=%d))\n"),
     "add \"login_attribute uid\""},
    {"%b without login_attribute", BYTES(NEEDED "filter (|(uid=%b)(mail=%u))\n"),
     "add \"login_attribute uid\""},
    {"%n without %d with login_attribute", BYTES(NEEDED "filter (uid=%n)\nlogin_attribute uid\n"),
     NULL},
    {"%t and %b with login_attribute",
     BYTES(NEEDED "login_attribute uid\nfilter (|(uid=%t)(uid=%b))\n"), NULL},
    {"%n with %d", BYTES(NEEDED "filter (&(uid=%n)(o=%d))\n"), NULL},
    {"%n with %d in one part only", BYTES(NEEDED "filter (|(uid=%n)(mail=%n@%d))\n"),
     "add \"login_attribute uid\""},
    {"%d without %n in one part", BYTES(NEEDED "filter (|(mail=%u)(o=%d))\n"),
     "add \"login_attribute uid\""},
    {"%n and %d in a negation", BYTES(NEEDED "filter (&(uid=%n)(!(o=%d)))\n"),
     "add \"login_attribute uid\""},
    {"%u in each part", BYTES(NEEDED "filter (&(o=x)(|(uid=%u)(&(uid=%n)(o=%d))))\n"), NULL},
    {"an mfa_off_filter with a negation beside what everybody has",
     BYTES("uri ldapi:///\nbase dc=example,dc=org\nbind external\nmfa_filter (a=b)\n"
           "mfa_off_filter (&(uid=*)(!(a=b)))\n"),
     "add \"mfa_witness uid=mfa-witness,dc=example,dc=org\""},
    {"the same in one part of an or",
     BYTES("uri ldapi:///\nbase dc=example,dc=org\nbind external\nmfa_filter (a=b)\n"
           "mfa_off_filter (|(c=d)(&(uid=*)( ! (A=b))))\n"),
     "add \"mfa_witness uid=mfa-witness,dc=example,dc=org\""},
    {"an mfa_off_filter that every user matches",
     BYTES("uri ldapi:///\nbase dc=example,dc=org\nbind external\nmfa_filter (a=b)\n"
           "mfa_off_filter (mail=*)\n"),
     "add \"mfa_witness uid=mfa-witness,dc=example,dc=org\""},
    {"an mfa_off_filter with another attribute's negation beside what everybody has",
     BYTES("uri ldapi:///\nbase dc=example,dc=org\nbind external\nmfa_filter (a=b)\n"
           "mfa_off_filter (&(uid=*)(!(d=e)))\n"),
     "add \"mfa_witness uid=mfa-witness,dc=example,dc=org\""},
    {"an mfa_off_filter with another attribute's negation",
     BYTES("uri ldapi:///\nbase dc=example,dc=org\nbind external\nmfa_filter (a=b)\n"
           "mfa_off_filter (&(a=c)(!(d=e)))\n"),
     NULL},
    {"deadline shorter than timeout", BYTES(NEEDED "deadline 4\n"),
     "deadline (4 s) is shorter than timeout (5 s)"},
    {"timeout longer than deadline", BYTES(NEEDED "timeout 13\n"),
     "deadline (12 s) is shorter than timeout (13 s)"},
    {"start_tls no after a uri that needs it",
     BYTES("uri ldap://ldap.example.org\nbase dc=example,dc=org\nbinddn cn=mail,dc=example,dc=org\n"
           "bindpw_file " FOLDER "/password\nstart_tls no\n"),
     ":1: uri: \"ldap://ldap.example.org\" would send passwords in the clear"},
    {"a store without its base", BYTES(NEEDED "store_uri ldapi:///\nid_attribute entryUUID\n"),
     "store_base is missing: store_uri needs it"},
    {"a store without id_attribute", BYTES(NEEDED STORE_BUT_ID "\n"),
     "id_attribute is missing: store_uri needs it"},
    {"a store without an identity",
     BYTES(NEEDED "store_uri ldapi:///\nid_attribute entryUUID\nstore_base o=x\n"),
     "store_binddn is missing"},
    {"a store without a password",
     BYTES(NEEDED "store_uri ldapi:///\nid_attribute entryUUID\nstore_base o=x\n"
                  "store_binddn cn=x\n"),
     "store_bindpw_file is missing"},
    {"store_base without a store", BYTES(NEEDED "store_base o=x\n"), "store_base needs store_uri"},
    {"store_mfa without a store", BYTES(NEEDED "store_mfa yes\n"), "store_mfa needs store_uri"},
    {"id_attribute without a store", BYTES(NEEDED "id_attribute entryUUID\n"),
     "id_attribute needs store_uri"},
    {"an id that people choose", BYTES(NEEDED STORE_BUT_ID "\nid_attribute uid\n"),
     "\"uid\" must be objectGUID, entryUUID, nsUniqueId or ipaUniqueID"},
    {"a store in the clear", BYTES(NEEDED "store_uri ldap://ldap.example.org\n"), "store_uri: "},
    {"store_mfa_default off without a witness", BYTES(NEEDED STORE "\nstore_mfa_default off\n"),
     "store_mfa_default off needs mfa_witness"},
    {"store_mfa_default off without a witness, where the account password never opens",
     BYTES(NEEDED STORE "\nstore_mfa_default off\naccount_password never\n"),
     "store_mfa_default off needs mfa_witness"},
    {"a filter that does not read the flag of the store",
     BYTES(NEEDED STORE "\nmfa_filter (memberOf=cn=mfa)\n"),
     "with \"store_mfa yes\", mfa_filter must read appPasswordMfaEnabled"},
    {"a filter that does not read the flag of the store, with a witness",
     BYTES(NEEDED STORE "\nmfa_filter (memberOf=cn=mfa)\nmfa_witness cn=w,o=app-passwords\n"),
     "with \"store_mfa yes\", mfa_filter must read appPasswordMfaEnabled"},
    {"store_mfa_default that is neither", BYTES(NEEDED STORE "\nstore_mfa_default maybe\n"),
     "store_mfa_default: "},
    {"a store that does not say where MFA is",
     BYTES(NEEDED "store_uri ldapi:///\nid_attribute entryUUID\nstore_base o=x\n"
                  "store_binddn cn=x\nstore_bindpw_file " FOLDER "/password\n"),
     "mfa_filter is missing: with a store"},
    {"store_mfa_default without store_mfa",
     BYTES(NEEDED "store_uri ldapi:///\nid_attribute entryUUID\nstore_base o=x\n"
                  "store_binddn cn=x\nstore_bindpw_file " FOLDER "/password\n"
                  "store_mfa_default off\nmfa_witness cn=w,o=x\n"),
     "store_mfa_default needs \"store_mfa yes\""},
    {"disabled_filter without a witness", BYTES(NEEDED "disabled_filter (a=b)\n"),
     "add \"disabled_witness uid=disabled-witness,dc=example,dc=org\""},
    {"disabled_witness without a filter", BYTES(NEEDED "disabled_witness uid=w,dc=x\n"),
     "requires disabled_filter"},
    {"an mfa_filter of one's own alone",
     BYTES("uri ldapi:///\nbase dc=example,dc=org\nbind external\nmfa_filter (a=b)\n"),
     "mfa_filter cannot show that MFA is off; add \"mfa_witness "
     "uid=mfa-witness,dc=example,dc=org\""},
    {"an mfa_off_filter that is a negation",
     BYTES("uri ldapi:///\nbase dc=example,dc=org\nbind external\nmfa_filter (a=b)\nmfa_off_filter "
           "(!(a=b))\n"),
     "must compare an attribute that says that MFA is off"},
    {"an mfa_off_filter that every entry matches",
     BYTES(
         "uri ldapi:///\nbase dc=example,dc=org\nbind external\nmfa_off_filter (objectClass=*)\n"),
     "also matches an entry whose attributes are hidden"},
    {"Active Directory without mfa_off_filter", BYTES(NEEDED "directory active-directory\n"),
     "add \"mfa_off_filter (appPasswordMfaEnabled=FALSE)\""},
    {"Active Directory without mfa_off_filter, the other line",
     BYTES(NEEDED "directory active-directory\n"), "or add \"account_password never\""},
    {"Active Directory with a witness only",
     BYTES(NEEDED "directory active-directory\nmfa_witness uid=w,dc=x\n"),
     "add \"mfa_off_filter (appPasswordMfaEnabled=FALSE)\""},
    {"Active Directory with a negation and a witness",
     BYTES(NEEDED "directory active-directory\nmfa_witness uid=w,dc=x\n"
                  "mfa_off_filter (!(appPasswordMfaEnabled=TRUE))\n"),
     "also matches an entry whose attributes are hidden"},
    {"Active Directory with what every user has",
     BYTES(NEEDED "directory active-directory\nmfa_off_filter (sAMAccountName=*)\n"),
     "also matches an entry whose attributes are hidden"},
    {"Active Directory with a group and without a witness",
     BYTES(NEEDED AD "\nmfa_filter (memberOf=cn=mfa,dc=x)\n"), "mfa_witness is missing"},
    {"Active Directory with a group and a witness",
     BYTES(NEEDED AD "\nmfa_filter (memberOf=cn=mfa,dc=x)\nmfa_witness cn=w,dc=x\n"), NULL},
    {"a filter for Active Directory without its directory",
     BYTES(NEEDED "filter (|(sAMAccountName=%u)(mail=%u))\n"),
     "add \"directory active-directory\""},
    {"another one", BYTES(NEEDED "filter (&(objectcategory=person)(mail=%u))\n"),
     "add \"directory active-directory\""},
    {"a third one", BYTES(NEEDED "filter (USERPRINCIPALNAME=%u)\n"),
     "add \"directory active-directory\""},
    {"the same with a witness",
     BYTES(NEEDED "filter (userPrincipalName=%u)\nmfa_witness uid=w,dc=x\n"), NULL},
    {"the same with an off filter",
     BYTES(NEEDED "filter (userPrincipalName=%u)\nmfa_off_filter (a=b)\n"), NULL},
    {"a global catalog over TLS",
     BYTES(NEEDED AD "\nwrite_uri ldaps://dc1.example.org ldaps://dc2.example.org:3269\n"),
     "\"ldaps://dc2.example.org:3269\" is a global catalog"},
    {"a global catalog",
     BYTES("uri ldap://[::1]:3268\nbase dc=x\nbinddn cn=mail,dc=x\nbindpw_file " FOLDER
           "/password\n" AD "\n"),
     "\"ldap://[::1]:3268\" is a global catalog"},
    {"bind external over TLS",
     BYTES("uri ldaps://ldap.example.org\nbase dc=example,dc=org\nbind external\n"),
     "\"bind external\" needs ldapi URIs only"},
    {"bind external over loopback", BYTES("uri ldap:///\nbase dc=example,dc=org\nbind external\n"),
     "\"bind external\" needs ldapi URIs only"},
    {"bind external with one URI that is not ldapi",
     BYTES("uri ldapi:/// ldap://localhost\nbase dc=example,dc=org\nbind external\n"),
     "\"bind external\" needs ldapi URIs only"},
    {"bind external with a write_uri that is not ldapi",
     BYTES("uri ldapi:///\nwrite_uri ldaps://a\nbase dc=example,dc=org\nbind external\n"),
     "\"bind external\" needs ldapi URIs only"},
    {"bind external with a binddn",
     BYTES("uri ldapi:///\nbase dc=example,dc=org\nbind external\nbinddn cn=mail,dc=example\n"),
     "\"bind external\" excludes binddn and bindpw_file"},
    {"bind external with a bindpw_file",
     BYTES("uri ldapi:///\nbase dc=example,dc=org\nbind external\nbindpw_file " FOLDER
           "/password\n"),
     "\"bind external\" excludes binddn and bindpw_file"},
};

static void test_file(void **state)
{
    const struct file_case *row = *state;
    struct apw_error error = {""};

    if (row->error == NULL) {
        struct apw_config *config = read_good(row->text);

        apw_config_free(&config);
        return;
    }
    read_bad(row->text, row->length, &error);
    assert_says(&error, FOLDER "/app-password.conf:");
    assert_says(&error, row->error);
}

static void test_long_line(void **state)
{
    char *text = unit_repeat("#", 10000);
    struct apw_error error = {""};
    struct apw_config *config;

    (void)state;
    memcpy(text, NEEDED, sizeof NEEDED - 1);
    text[sizeof NEEDED - 1 + 4094] = '\n';
    text[sizeof NEEDED - 1 + 4095] = '\0';
    config = read_good(text);
    apw_config_free(&config);
    memcpy(text + sizeof NEEDED - 1 + 4094, "#\n", 3);
    read_bad(text, strlen(text), &error);
    assert_contains(error.text, ":5: the line is longer than 4094 bytes");
    text[strlen(text) - 1] = '\0';
    read_bad(text, strlen(text), &error);
    assert_contains(error.text, ":5: the line is longer than 4094 bytes");
    free(text);
}

static void test_missing_file(void **state)
{
    struct apw_error error = {""};
    struct apw_config *config;
    char path[UNIT_PATH_SIZE];

    (void)state;
    assert_int_equal(apw_config_read(unit_path("none.conf", path), &config, &error), -1);
    assert_null(config);
    assert_says(&error, FOLDER "/none.conf: No such file or directory");
    unit_path("", path);
    assert_int_equal(apw_config_read(path, &config, &error), -1);
    assert_contains(error.text, "directory");
}

static void test_complete_file(void **state)
{
    struct apw_config *config =
        read_good("# every key\n" NEEDED "write_uri ldaps://master.example.org\nscope one\n"
                  "filter (uid=%u)\nstart_tls no\ntls_cacert /dev/null\ntls_min 1.3\ntimeout 3\n"
                  "deadline 9\nidle 1m\nmfa_filter (a=b)\nmfa_off_filter (a=c)\n"
                  "mfa_witness uid=w,dc=x\nmfa_enforcement report\n"
                  "account_password never\naccount_password_from 192.0.2.0/24\n"
                  "login_attribute uid\nhash_memory 16M\nhash_passes 3\nmax_app_passwords 7\n"
                  "record_use 2d without-address\nrefusal_delay 2\nlog /var/log/x\n");

    (void)state;
    assert_int_equal(config->uris.count, 1);
    assert_string_equal(config->write_uris.uri[0], "ldaps://master.example.org");
    assert_int_equal(config->identity.method, APW_BIND_SIMPLE);
    assert_string_equal(config->identity.dn, "cn=mail,dc=example,dc=org");
    assert_string_equal(config->identity.password, "secret word");
    assert_int_equal(config->deadline_ms, 9000);
    assert_int_equal(config->tls_min, APW_TLS_1_3);
    assert_string_equal(config->log_file, "/var/log/x");
    apw_config_free(&config);
}

static void test_free_nothing(void **state)
{
    struct apw_config *config = NULL;

    (void)state;
    apw_config_free(&config);
}

/* ---- without the identity ---- */

static void test_without_identity(void **state)
{
    static const char text[] = "uri ldaps://a\nbase dc=example,dc=org\n"
                               "binddn cn=mail,dc=example\nbindpw_file " FOLDER "/none\n";
    struct apw_error error = {""};
    struct apw_config *config;

    (void)state;
    write_expanded(conf_path, text, strlen(text));
    assert_int_equal(apw_config_read_without_identity(conf_path, &config, &error), 0);
    assert_null(config->identity.dn);
    assert_null(config->identity.password);
    apw_config_free(&config);
    assert_int_equal(apw_config_read(conf_path, &config, &error), -1);
}

/* ---- id_attribute ---- */

static void test_id_attribute(void **state)
{
    struct apw_config *config = read_good(NEEDED STORE_BUT_ID "\nid_attribute objectguid\n");

    (void)state;
    assert_string_equal(config->store.id_attribute->name, "objectGUID");
    assert_true(config->store.id_attribute->is_binary);
    apw_config_free(&config);
    config = read_good(NEEDED STORE "\n");
    assert_string_equal(config->store.id_attribute->name, "entryUUID");
    assert_false(config->store.id_attribute->is_binary);
    apw_config_free(&config);
}

/* ---- defaults of the build ---- */

static void test_default_path(void **state)
{
    (void)state;
    assert_string_equal(apw_config_default_path, APW_SYSCONFDIR "/app-password/app-password.conf");
}

int main(void)
{
    char path[UNIT_PATH_SIZE];

    unit_path("app-password.conf", conf_path);
    unit_write(unit_path("password", path), "secret word\n", 12);
    UNIT_TEST("a file may have every key", test_complete_file);
    UNIT_ROWS(good_values, test_good);
    UNIT_ROWS(bad_values, test_bad);
    UNIT_ROWS(files, test_file);
    UNIT_TEST("a line has at most 4094 bytes", test_long_line);
    UNIT_TEST("a missing file and a folder are errors", test_missing_file);
    UNIT_TEST("NULL may be freed", test_free_nothing);
    UNIT_TEST("id_attribute, and which of them are binary", test_id_attribute);
    UNIT_TEST("the administrator does not need the mail server's identity", test_without_identity);
    UNIT_TEST("the default path is below sysconfdir", test_default_path);
    return unit_run();
}
