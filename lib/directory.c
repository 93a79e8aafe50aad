#include "directory.h"
#include "clock.h"
#include "network.h"
#include "transport.h"
#include <ldap.h>
#include <ldap_schema.h>
#include <openldap.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define PASS_OVER_MS       60000
#define INCOMING_BYTES_MAX (4 * 1024 * 1024) /* one LDAP message */
/* An operation until its next entry, or its end: libldap keeps every notice that nobody asked for
 * (RFC 4511, 4.4), and would until the deadline. */
#define OPERATION_BYTES_MAX (2 * INCOMING_BYTES_MAX)
#define ENTRIES_MAX         100000 /* of a search without a limit */
#define PAGE_ENTRIES        200
#define SCHEMA_PADDING      16

#ifdef APW_LDAPI_SOCKET
static const char ldapi_default_path[] = APW_LDAPI_SOCKET;
#else
static const char ldapi_default_path[] = "/var/run/slapd/ldapi";
#endif

struct server {
    char *uri;
    LDAPURLDesc *url;
    _Atomic int64_t failed_at; /* monotonic milliseconds, 0 for never */
};

/* One connection. Belongs to one thread at a time. */
struct connection {
    LDAP *ld;
    struct apw_transport transport;
    pid_t owner;
    struct server *server;
};

struct apw_directory {
    unsigned server_count;
    struct server server[APW_URIS_MAX];
    struct apw_identity identity;
    bool start_tls;
    enum apw_tls_min tls_min;
    int timeout_ms;
    LDAP *tls_template; /* holds the TLS context, which read its files before chroot(); NULL where
                           it is another directory's */
    void *tls_context;
    /* The kept connection. Taken by exchanging it for NULL, so there is no lock that a fork could
     * leave held. */
    _Atomic(struct connection *) kept;
};

/* How a step on a connection ended: with an answer, or with the connection of no more use. */
enum step { STEP_ANSWERED = 0, STEP_LOST };

/* A question for one connection; returns whether the connection is still good, and the answer. */
typedef enum step (*question)(struct connection *connection, void *argument,
                              enum apw_ldap_result *result_r, struct apw_error *error);

/* ---- text ---- */

static const char *skip_valid_percent(const char *percent)
{
    return strchr("und%", percent[1]) != NULL && percent[1] != '\0' ? percent + 2 : NULL;
}

static char *escape(const char *text, size_t length)
{
    struct berval plain = {.bv_len = length, .bv_val = (char *)text}, escaped = {0, NULL};
    char *copy;

    if (ldap_bv2escaped_filter_value(&plain, &escaped) != 0)
        return NULL;
    copy = strdup(escaped.bv_val != NULL ? escaped.bv_val : "");
    if (escaped.bv_val != NULL && escaped.bv_val != text)
        ber_memfree(escaped.bv_val);
    return copy;
}

static void write_expanded(FILE *stream, const char *template, const char *login, const char *local,
                           const char *domain)
{
    for (const char *at = template; *at != '\0';) {
        const char *next = *at == '%' ? skip_valid_percent(at) : NULL;

        if (next == NULL) {
            fputc(*at++, stream);
            continue;
        }
        fputs(at[1] == 'u' ? login : at[1] == 'n' ? local : at[1] == 'd' ? domain : "%", stream);
        at = next;
    }
}

char *apw_filter_expand(const char *template, const char *login)
{
    const char *at = strrchr(login, '@');
    size_t login_length = strlen(login);
    size_t local_length = at == NULL ? login_length : (size_t)(at - login);
    char *whole = escape(login, login_length), *local = escape(login, local_length),
         *domain = escape(at == NULL ? "" : at + 1, at == NULL ? 0 : strlen(at + 1));
    char *expanded = NULL;
    size_t expanded_size;
    FILE *stream;

    if (whole == NULL || local == NULL || domain == NULL)
        goto out;
    stream = open_memstream(&expanded, &expanded_size);
    if (stream == NULL)
        goto out;
    write_expanded(stream, template, whole, local, domain);
    if (fclose(stream) != 0) {
        free(expanded);
        expanded = NULL;
    }
out:
    free(whole);
    free(local);
    free(domain);
    return expanded;
}

/* Lets libldap parse a filter: it does so before it notices that nobody is at the other end. The
 * error shows it as it was written. */
static int parse_filter(const char *filter, const char *written, struct apw_error *error)
{
    LDAP *ld;
    int message_id, code;

    if (ldap_initialize(&ld, "ldapi://%2Fdev%2Fnull") != LDAP_SUCCESS)
        return apw_error_set(error, "out of memory");
    code =
        ldap_search_ext(ld, "", LDAP_SCOPE_BASE, filter, NULL, 0, NULL, NULL, NULL, 0, &message_id);
    ldap_unbind_ext(ld, NULL, NULL);
    if (code == LDAP_FILTER_ERROR)
        return apw_error_set(error, "\"%s\" is not an LDAP filter (RFC 4515)", written);
    return 0;
}

/* Whether it is one whole filter in parentheses, such as may stand behind "(!". */
static int check_filter(const char *filter, const char *written, struct apw_error *error)
{
    size_t size = strlen(filter) + 4;
    char *negated;
    int status;

    if (filter[0] != '(')
        return apw_error_set(error, "\"%s\" does not begin with a parenthesis", written);
    if (strstr(filter, "(|)") != NULL || strstr(filter, "(&)") != NULL)
        return apw_error_set(error, "\"%s\" holds (|) or (&), which says the same of every entry",
                             written);
    if (strstr(filter, "(=") != NULL) /* libldap 2.5 reads what is before it */
        return apw_error_set(error, "\"%s\" is not an LDAP filter (RFC 4515)", written);
    negated = malloc(size);
    if (negated == NULL)
        return apw_error_set(error, "out of memory");
    snprintf(negated, size, "(!%s)", filter);
    status = parse_filter(filter, written, error);
    if (status == 0)
        status = parse_filter(negated, written, error);
    free(negated);
    return status;
}

/* Whether a template gives a filter with this login in it. */
static int check_template(const char *template, const char *login, struct apw_error *error)
{
    char *expanded = apw_filter_expand(template, login);
    int status;

    if (expanded == NULL)
        return apw_error_set(error, "out of memory");
    status = check_filter(expanded, template, error);
    free(expanded);
    return status;
}

int apw_filter_check(const char *filter, bool is_template, struct apw_error *error)
{
    if (!is_template)
        return check_filter(filter, filter, error);
    for (const char *at = strchr(filter, '%'); at != NULL; at = strchr(at, '%')) {
        const char *next = skip_valid_percent(at);

        if (next == NULL)
            return apw_error_set(error,
                                 "\"%%%.1s\" is none of %%u (login), %%n (local part), "
                                 "%%d (domain) and %%%%",
                                 at + 1);
        at = next;
    }
    /* Characters that are escaped show where no login may stand; letters that are no hexadecimal
     * digits, where they would be taken for the rest of an escape. */
    return check_template(filter, "(lo*gin)@(exam*ple)", error) != 0
               ? -1
               : check_template(filter, "login@host.example", error);
}

static bool is_loopback(const char *host)
{
    struct apw_address address;
    static const uint8_t v6_loopback[16] = {[15] = 1};

    if (host == NULL || *host == '\0' || strcasecmp(host, "localhost") == 0)
        return true;
    if (apw_address_parse(host, &address) != 0)
        return false;
    return address.bits == 32 ? address.bytes[0] == 127
                              : memcmp(address.bytes, v6_loopback, sizeof v6_loopback) == 0;
}

static int check_url(const LDAPURLDesc *url, const char *uri, bool start_tls,
                     struct apw_error *error)
{
    if (strcmp(url->lud_scheme, "ldap") != 0 && strcmp(url->lud_scheme, "ldaps") != 0 &&
        strcmp(url->lud_scheme, "ldapi") != 0)
        return apw_error_set(error, "\"%s\" begins with none of ldap://, ldaps:// and ldapi://",
                             uri);
    if ((url->lud_dn != NULL && *url->lud_dn != '\0') || url->lud_attrs != NULL ||
        url->lud_filter != NULL || url->lud_exts != NULL)
        return apw_error_set(error,
                             "\"%s\" goes on behind host and port; base and filter have keys "
                             "of their own",
                             uri);
    if (url->lud_port < 0 || url->lud_port > 65535)
        return apw_error_set(error, "\"%s\" has no port from 1 to 65535", uri);
    if (strcmp(url->lud_scheme, "ldap") == 0 && !start_tls && !is_loopback(url->lud_host))
        return apw_error_set(error,
                             "\"%s\" would carry passwords in the clear; write ldaps:// or "
                             "set \"start_tls yes\"",
                             uri);
    return 0;
}

int apw_uri_check(const char *uri, bool start_tls, struct apw_error *error)
{
    LDAPURLDesc *url;
    int status;

    if (ldap_url_parse(uri, &url) != LDAP_URL_SUCCESS)
        return apw_error_set(error, "\"%s\" is not a URI like ldaps://ldap.example.org", uri);
    status = check_url(url, uri, start_tls, error);
    ldap_free_urldesc(url);
    return status;
}

bool apw_dn_is_valid(const char *dn)
{
    LDAPDN parsed = NULL;
    bool is_valid = *dn != '\0' && ldap_str2dn(dn, &parsed, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS;

    ldap_dnfree(parsed);
    return is_valid;
}

static void copy_schema_text(char *copy_r, const char *text)
{
    snprintf(copy_r, APW_SCHEMA_TEXT_SIZE, "%s", text == NULL ? "" : text);
}

int apw_schema_parse(const char *value, bool is_class, struct apw_schema_element *element_r)
{
    size_t length = strlen(value);
    char *padded = calloc(1, length + SCHEMA_PADDING); /* libldap 2.5 reads past a sudden end */
    LDAPAttributeType *type = NULL;
    LDAPObjectClass *class = NULL;
    const char *position;
    int code;

    memset(element_r, 0, sizeof *element_r);
    if (padded == NULL)
        return -1;
    memcpy(padded, value, length);
    if (is_class)
        class = ldap_str2objectclass(padded, &code, &position, LDAP_SCHEMA_ALLOW_ALL);
    else
        type = ldap_str2attributetype(padded, &code, &position, LDAP_SCHEMA_ALLOW_ALL);
    free(padded);
    if (class != NULL)
        copy_schema_text(element_r->oid, class->oc_oid);
    if (type != NULL) {
        copy_schema_text(element_r->oid, type->at_oid);
        copy_schema_text(element_r->equality, type->at_equality_oid);
        copy_schema_text(element_r->syntax, type->at_syntax_oid);
        element_r->is_single = type->at_single_value != 0;
    }
    ldap_objectclass_free(class);
    ldap_attributetype_free(type);
    return class != NULL || type != NULL ? 0 : -1;
}

/* ---- options ---- */

/* Every option that the host's ldap.conf or an LDAP* variable could have changed. */
static int set_options(LDAP *ld, const struct apw_directory *directory)
{
    static const int strings[] = {LDAP_OPT_X_TLS_CACERTDIR,   LDAP_OPT_X_TLS_CERTFILE,
                                  LDAP_OPT_X_TLS_KEYFILE,     LDAP_OPT_X_TLS_CRLFILE,
                                  LDAP_OPT_X_TLS_DHFILE,      LDAP_OPT_X_TLS_ECNAME,
                                  LDAP_OPT_X_TLS_PEERKEY_HASH};
    const struct timeval no_timeout = {.tv_sec = -1}; /* the transport's hold */
    const int version = LDAP_VERSION3, never_deref = LDAP_DEREF_NEVER, no_limit = LDAP_NO_LIMIT,
              demand = LDAP_OPT_X_TLS_DEMAND, san = LDAP_OPT_X_TLS_TRY,
              crl = LDAP_OPT_X_TLS_CRL_NONE, maximum = 0,
              minimum = directory->tls_min == APW_TLS_1_3 ? LDAP_OPT_X_TLS_PROTOCOL_TLS1_3
                                                          : LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;

    if (ldap_set_option(ld, LDAP_OPT_PROTOCOL_VERSION, &version) != 0 ||
        ldap_set_option(ld, LDAP_OPT_DEREF, &never_deref) != 0 ||
        ldap_set_option(ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) != 0 ||
        ldap_set_option(ld, LDAP_OPT_RESTART, LDAP_OPT_ON) != 0 ||
        ldap_set_option(ld, LDAP_OPT_SIZELIMIT, &no_limit) != 0 ||
        ldap_set_option(ld, LDAP_OPT_TIMELIMIT, &no_limit) != 0 ||
        ldap_set_option(ld, LDAP_OPT_TIMEOUT, &no_timeout) != 0 ||
        ldap_set_option(ld, LDAP_OPT_NETWORK_TIMEOUT, &no_timeout) != 0 ||
        ldap_set_option(ld, LDAP_OPT_CONNECT_ASYNC, LDAP_OPT_OFF) != 0 ||
        ldap_set_option(ld, LDAP_OPT_SERVER_CONTROLS, NULL) != 0 ||
        ldap_set_option(ld, LDAP_OPT_CLIENT_CONTROLS, NULL) != 0 ||
        ldap_set_option(ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand) != 0 ||
        ldap_set_option(ld, LDAP_OPT_X_TLS_REQUIRE_SAN, &san) != 0 ||
        ldap_set_option(ld, LDAP_OPT_X_TLS_PROTOCOL_MIN, &minimum) != 0)
        return -1;
    ldap_set_option(ld, LDAP_OPT_X_TLS_PROTOCOL_MAX, &maximum);
    ldap_set_option(ld, LDAP_OPT_X_TLS_CRLCHECK, &crl); /* OpenSSL only */
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
        ldap_set_option(ld, strings[i], NULL);
    return 0;
}

/* libldap over GnuTLS ignores PROTOCOL_MIN; there the versions are part of the cipher string. */
static const char *cipher_suite(const struct apw_directory *directory)
{
    char *package = NULL;
    bool is_gnutls;

    ldap_get_option(NULL, LDAP_OPT_X_TLS_PACKAGE, &package);
    is_gnutls = package != NULL && strcmp(package, "GnuTLS") == 0;
    ldap_memfree(package);
    if (!is_gnutls)
        return NULL;
    return directory->tls_min == APW_TLS_1_3 ? "NORMAL:-VERS-ALL:+VERS-TLS1.3"
                                             : "NORMAL:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.3";
}

/* The reference that ldap_get_option() takes on the context has no public way back; so there is one
 * per directory, and the context lives until the process ends. */
static int prepare_tls(struct apw_directory *directory, const char *ca_file,
                       struct apw_error *error)
{
    const int is_server = 0;
    LDAP *ld;

    if (ldap_initialize(&directory->tls_template, NULL) != LDAP_SUCCESS)
        return apw_error_set(error, "out of memory");
    ld = directory->tls_template;
    if (set_options(ld, directory) != 0 ||
        ldap_set_option(ld, LDAP_OPT_X_TLS_CIPHER_SUITE, cipher_suite(directory)) != 0 ||
        ldap_set_option(ld, LDAP_OPT_X_TLS_CACERTFILE, ca_file) != 0 ||
        ldap_set_option(ld, LDAP_OPT_X_TLS_NEWCTX, &is_server) != 0 ||
        ldap_get_option(ld, LDAP_OPT_X_TLS_CTX, &directory->tls_context) != 0 ||
        directory->tls_context == NULL)
        return apw_error_set(error, "cannot prepare TLS with the CA certificates of %s", ca_file);
    return 0;
}

static bool needs_tls(const struct apw_directory *directory)
{
    for (unsigned i = 0; i < directory->server_count; i++) {
        const char *scheme = directory->server[i].url->lud_scheme;

        if (strcmp(scheme, "ldaps") == 0 || (directory->start_tls && strcmp(scheme, "ldap") == 0))
            return true;
    }
    return false;
}

static int take_tls(struct apw_directory *directory, const struct apw_directory_settings *settings,
                    struct apw_error *error)
{
    if (!needs_tls(directory))
        return 0;
    if (settings->tls_of != NULL && settings->tls_of->tls_context != NULL) {
        directory->tls_context = settings->tls_of->tls_context;
        return 0;
    }
    return prepare_tls(directory, settings->tls_cacert, error);
}

/* ---- one connection ---- */

/* Appends "uri: what" to what stands in the error already, from other URIs. */
static void note(struct apw_error *error, const struct server *server, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void note(struct apw_error *error, const struct server *server, const char *format, ...)
{
    char what[256];
    va_list arguments;

    if (error == NULL)
        return;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    apw_error_set(error, "%s%s%s: %s", error->text, error->text[0] != '\0' ? "; " : "", server->uri,
                  what);
}

static void connection_close(struct connection **connection)
{
    struct connection *closing = *connection;

    *connection = NULL;
    if (closing == NULL)
        return;
    /* A goodbye that cannot be sent at once is not sent; in a child it never is. */
    if (closing->owner != getpid())
        closing->transport.is_abandoned = true;
    closing->transport.deadline = 0;
    if (closing->ld != NULL)
        ldap_unbind_ext(closing->ld, NULL, NULL);
    if (closing->transport.fd >= 0)
        close(closing->transport.fd);
    free(closing);
}

static int open_transport(struct connection *connection, struct apw_error *error)
{
    const LDAPURLDesc *url = connection->server->url;
    const char *host = url->lud_host == NULL ? "" : url->lud_host;
    char port[8];

    if (strcmp(url->lud_scheme, "ldapi") == 0)
        return apw_transport_open_unix(&connection->transport,
                                       *host == '\0' ? ldapi_default_path : host, error);
    snprintf(port, sizeof port, "%d", url->lud_port);
    return apw_transport_open_tcp(&connection->transport, *host == '\0' ? "localhost" : host, port,
                                  error);
}

/* Puts libldap on top of the connected socket. */
static int attach(struct connection *connection, const struct apw_directory *directory)
{
    ber_len_t maximum = INCOMING_BYTES_MAX;
    Sockbuf *sockbuf = NULL;

    if (ldap_init_fd(connection->transport.fd, LDAP_PROTO_EXT, connection->server->uri,
                     &connection->ld) != LDAP_SUCCESS)
        return -1;
    if (ldap_get_option(connection->ld, LDAP_OPT_SOCKBUF, &sockbuf) != 0 || sockbuf == NULL ||
        ber_sockbuf_add_io(sockbuf, &apw_transport_io, LBER_SBIOD_LEVEL_PROVIDER,
                           &connection->transport) != 0 ||
        set_options(connection->ld, directory) != 0)
        return -1;
    ber_sockbuf_ctrl(sockbuf, LBER_SB_OPT_SET_MAX_INCOMING, &maximum);
    if (directory->tls_context != NULL &&
        ldap_set_option(connection->ld, LDAP_OPT_X_TLS_CTX, directory->tls_context) != 0)
        return -1;
    return 0;
}

/* The text of libldap's own failure. */
static const char *ld_failure(LDAP *ld, char *buffer, size_t size)
{
    int code = LDAP_OTHER;
    char *detail = NULL;

    ldap_get_option(ld, LDAP_OPT_RESULT_CODE, &code);
    ldap_get_option(ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &detail);
    snprintf(buffer, size, "%s%s%s", ldap_err2string(code),
             detail != NULL && *detail != '\0' ? ": " : "", detail != NULL ? detail : "");
    ldap_memfree(detail);
    return buffer;
}

/* Waits for the next message of an operation; NULL where none came: the connection is lost. The
 * wait is not libldap's, which goes by a clock that may jump. */
static LDAPMessage *next_message(struct connection *connection, int message_id, const char *what,
                                 struct apw_error *error)
{
    struct timeval at_once = {0, 0};
    LDAPMessage *message = NULL;
    char failure[200];
    int type;

    do
        type = ldap_result(connection->ld, message_id, LDAP_MSG_ONE, &at_once, &message);
    while (type == 0 && apw_transport_wait_readable(&connection->transport) == 0);
    if (type > 0)
        return message;
    if (type == 0) {
        note(error, connection->server, "%s: no answer in time", what);
    } else {
        note(error, connection->server, "%s: %s", what,
             ld_failure(connection->ld, failure, sizeof failure));
    }
    return NULL;
}

/* What a result message says. Frees the message. */
struct outcome {
    int code;
    char text[200];         /* for people */
    LDAPControl **controls; /* ldap_controls_free() */
};

static int read_outcome(struct connection *connection, LDAPMessage *message,
                        struct outcome *outcome_r)
{
    char *diagnostic = NULL;
    int status = ldap_parse_result(connection->ld, message, &outcome_r->code, NULL, &diagnostic,
                                   NULL, &outcome_r->controls, 1);

    if (status != LDAP_SUCCESS)
        outcome_r->code = LDAP_DECODING_ERROR;
    snprintf(outcome_r->text, sizeof outcome_r->text, "%s (%d)%s%s",
             ldap_err2string(outcome_r->code), outcome_r->code,
             diagnostic != NULL && *diagnostic != '\0' ? ": " : "",
             diagnostic != NULL ? diagnostic : "");
    ldap_memfree(diagnostic);
    return status == LDAP_SUCCESS ? 0 : -1;
}

/* Waits for an operation that answers with one message. -1: the connection is lost. */
static int wait_outcome(struct connection *connection, int message_id, int type, const char *what,
                        struct outcome *outcome_r, struct apw_error *error)
{
    LDAPMessage *message = next_message(connection, message_id, what, error);

    *outcome_r = (struct outcome){.code = LDAP_OTHER};
    if (message == NULL)
        return -1;
    if (ldap_msgtype(message) != type) {
        ldap_msgfree(message);
        note(error, connection->server, "%s: an answer to something else", what);
        return -1;
    }
    if (read_outcome(connection, message, outcome_r) != 0) {
        note(error, connection->server, "%s: %s", what, outcome_r->text);
        return -1;
    }
    return 0;
}

/* A server that says so itself is as good as gone. */
static bool is_gone(int code)
{
    return code == LDAP_BUSY || code == LDAP_UNAVAILABLE;
}

static int send_start_tls(struct connection *connection, struct apw_error *error)
{
    struct outcome outcome;
    char failure[200];
    int message_id;

    if (ldap_start_tls(connection->ld, NULL, NULL, &message_id) != LDAP_SUCCESS) {
        note(error, connection->server, "StartTLS: %s",
             ld_failure(connection->ld, failure, sizeof failure));
        return -1;
    }
    if (wait_outcome(connection, message_id, LDAP_RES_EXTENDED, "StartTLS", &outcome, error) != 0)
        return -1;
    ldap_controls_free(outcome.controls);
    if (outcome.code == LDAP_SUCCESS)
        return 0;
    note(error, connection->server, "StartTLS: %s", outcome.text);
    return -1;
}

static int secure(struct connection *connection, const struct apw_directory *directory,
                  struct apw_error *error)
{
    const char *scheme = connection->server->url->lud_scheme;
    char failure[200];

    if (strcmp(scheme, "ldaps") != 0) {
        if (strcmp(scheme, "ldap") != 0 || !directory->start_tls)
            return 0;
        if (send_start_tls(connection, error) != 0)
            return -1;
    }
    if (ldap_install_tls(connection->ld) == LDAP_SUCCESS && ldap_tls_inplace(connection->ld) == 1)
        return 0;
    if (connection->transport.is_timed_out)
        note(error, connection->server, "TLS: no answer in time");
    else
        note(error, connection->server, "TLS: %s; check the certificate, its name and tls_cacert",
             ld_failure(connection->ld, failure, sizeof failure));
    return -1;
}

/* A connection to that server, with TLS where it is to be, not bound. NULL where there is none. */
static struct connection *connection_open(const struct apw_directory *directory,
                                          struct server *server, int64_t deadline,
                                          struct apw_error *error)
{
    struct connection *connection = calloc(1, sizeof *connection);
    struct apw_error detail = {""};

    if (connection == NULL) {
        note(error, server, "out of memory");
        return NULL;
    }
    connection->server = server;
    connection->owner = getpid();
    connection->transport = (struct apw_transport){
        .fd = -1,
        .timeout_ms = directory->timeout_ms,
        .is_local_only = strcmp(server->url->lud_scheme, "ldap") == 0 && !directory->start_tls,
        .deadline = deadline,
        .may_receive = OPERATION_BYTES_MAX};
    if (open_transport(connection, &detail) != 0) {
        note(error, server, "%s", detail.text);
        goto failed;
    }
    if (attach(connection, directory) != 0) {
        note(error, server, "out of memory");
        goto failed;
    }
    if (secure(connection, directory, error) == 0)
        return connection;
failed:
    connection_close(&connection);
    return NULL;
}

static int send_bind(struct connection *connection, const struct apw_identity *identity,
                     int *message_id_r)
{
    /* Empty, not missing: EXTERNAL is told at once that it acts for itself (RFC 4422, appendix A).
     */
    struct berval credentials = {0, (char[]){""}};

    if (identity->method == APW_BIND_EXTERNAL)
        return ldap_sasl_bind(connection->ld, NULL, "EXTERNAL", &credentials, NULL, NULL,
                              message_id_r);
    credentials.bv_val = identity->password;
    credentials.bv_len = strlen(identity->password);
    return ldap_sasl_bind(connection->ld, identity->dn, LDAP_SASL_SIMPLE, &credentials, NULL, NULL,
                          message_id_r);
}

/* Binds as the service. */
static int bind_service(struct connection *connection, const struct apw_directory *directory,
                        enum apw_ldap_result *result_r, struct apw_error *error)
{
    struct outcome outcome;
    char failure[200];
    int message_id;

    *result_r = APW_LDAP_UNAVAILABLE;
    if (directory->identity.method == APW_BIND_ANONYMOUS)
        return 0;
    if (send_bind(connection, &directory->identity, &message_id) != LDAP_SUCCESS) {
        note(error, connection->server, "bind: %s",
             ld_failure(connection->ld, failure, sizeof failure));
        return -1;
    }
    if (wait_outcome(connection, message_id, LDAP_RES_BIND, "bind", &outcome, error) != 0)
        return -1;
    ldap_controls_free(outcome.controls);
    if (outcome.code == LDAP_SUCCESS)
        return 0;
    note(error, connection->server, "bind as %s: %s",
         directory->identity.dn != NULL ? directory->identity.dn : "SASL EXTERNAL", outcome.text);
    if (outcome.code == LDAP_INVALID_CREDENTIALS || outcome.code == LDAP_INAPPROPRIATE_AUTH)
        *result_r = APW_LDAP_NOT_PERMITTED;
    return -1;
}

/* ---- the kept connection and the choice of a server ---- */

/* Takes the kept connection out of its place, if it is there and good. */
static struct connection *take_kept(struct apw_directory *directory)
{
    struct connection *kept = atomic_exchange(&directory->kept, NULL);

    if (kept != NULL && (kept->owner != getpid() || apw_transport_is_stale(&kept->transport)))
        connection_close(&kept);
    return kept;
}

/* Puts a connection back; where another thread has done so already, one is enough. */
static void keep(struct apw_directory *directory, struct connection *connection)
{
    struct connection *expected = NULL;

    if (!atomic_compare_exchange_strong(&directory->kept, &expected, connection))
        connection_close(&connection);
}

static bool is_passed_over(const struct server *server)
{
    int64_t failed_at = atomic_load(&server->failed_at);

    return failed_at != 0 && apw_clock_monotonic_ms() - failed_at < PASS_OVER_MS;
}

/* What is done with each connection until one of them answers. */
struct attempt {
    question ask;
    void *argument;
    bool is_bound; /* by the service first */
};

static enum step try_server(struct apw_directory *directory, struct server *server,
                            const struct attempt *attempt, int64_t deadline,
                            enum apw_ldap_result *result_r, struct apw_error *error)
{
    struct connection *connection = connection_open(directory, server, deadline, error);
    enum step step = STEP_LOST;

    *result_r = APW_LDAP_UNAVAILABLE;
    if (connection != NULL &&
        (!attempt->is_bound || bind_service(connection, directory, result_r, error) == 0))
        step = attempt->ask(connection, attempt->argument, result_r, error);
    if (step == STEP_ANSWERED) {
        atomic_store(&server->failed_at, 0);
        if (attempt->is_bound) {
            keep(directory, connection);
            return step;
        }
    } else {
        atomic_store(&server->failed_at, apw_clock_monotonic_ms());
    }
    connection_close(&connection);
    return step;
}

/* Asks the servers in order of preference, those that failed within the last minute after the
 * others, until one answers. The failed ones have one timeout between them, in equal shares: in an
 * outage no login waits for each of them in turn, and one that is back is asked at once. */
static enum apw_ldap_result try_servers(struct apw_directory *directory,
                                        const struct attempt *attempt, int64_t deadline,
                                        struct apw_error *error)
{
    enum apw_ldap_result result = APW_LDAP_UNAVAILABLE;
    bool is_last_choice[APW_URIS_MAX];
    unsigned failed = 0;
    int64_t share = deadline;

    for (unsigned i = 0; i < directory->server_count; i++) {
        is_last_choice[i] = is_passed_over(&directory->server[i]);
        failed += is_last_choice[i];
    }
    for (int last_choices = 0; last_choices <= 1; last_choices++)
        for (unsigned i = 0; i < directory->server_count; i++) {
            if (is_last_choice[i] != (last_choices == 1))
                continue;
            if (last_choices == 1)
                share = apw_clock_monotonic_ms() + directory->timeout_ms / failed;
            if (share > deadline)
                share = deadline;
            if (apw_clock_remaining_ms(share) == 0) {
                note(error, &directory->server[i], "not asked: no time left");
                return APW_LDAP_UNAVAILABLE;
            }
            if (try_server(directory, &directory->server[i], attempt, share, &result, error) ==
                STEP_ANSWERED)
                return result;
        }
    return result;
}

/* Asks over the kept connection; where there is none, or it turns out lost, over a new one. */
static enum apw_ldap_result ask(struct apw_directory *directory, question question_to_ask,
                                void *argument, bool may_repeat, int64_t deadline,
                                struct apw_error *error)
{
    struct attempt attempt = {.ask = question_to_ask, .argument = argument, .is_bound = true};
    struct connection *kept = take_kept(directory);
    enum apw_ldap_result result;

    if (error != NULL)
        error->text[0] = '\0';
    if (kept != NULL) {
        kept->transport.deadline = deadline;
        kept->transport.may_receive = OPERATION_BYTES_MAX;
        if (question_to_ask(kept, argument, &result, error) == STEP_ANSWERED) {
            keep(directory, kept);
            return result;
        }
        if (kept->transport.is_timed_out)
            atomic_store(&kept->server->failed_at, apw_clock_monotonic_ms());
        connection_close(&kept);
        if (!may_repeat)
            return APW_LDAP_UNAVAILABLE;
    }
    result = try_servers(directory, &attempt, deadline, error);
    if (result == APW_LDAP_OK && error != NULL)
        error->text[0] = '\0'; /* what other servers said no longer matters */
    return result;
}

/* ---- search ---- */

struct search {
    struct apw_query query;
    struct apw_entry *entries;
    size_t count;
    /* Of a search by pages (RFC 2696): how it goes on, empty at the end; NULL for any other. */
    struct berval *cookie;
};

static void free_attribute(struct apw_attribute *attribute)
{
    for (size_t i = 0; i < attribute->count; i++) {
        if (attribute->value[i].bytes != NULL)
            sodium_memzero(attribute->value[i].bytes, attribute->value[i].length);
        free(attribute->value[i].bytes);
    }
    free(attribute->value);
    free(attribute->name);
}

void apw_entries_free(struct apw_entry **entries)
{
    while (*entries != NULL) {
        struct apw_entry *entry = *entries;

        *entries = entry->next;
        for (size_t i = 0; i < entry->attribute_count; i++)
            free_attribute(&entry->attribute[i]);
        free(entry->attribute);
        free(entry->dn);
        free(entry);
    }
}

const struct apw_attribute *apw_entry_attribute(const struct apw_entry *entry, const char *name)
{
    for (size_t i = 0; i < entry->attribute_count; i++)
        if (!entry->attribute[i].has_options && strcasecmp(entry->attribute[i].name, name) == 0)
            return &entry->attribute[i];
    return NULL;
}

static int copy_values(const struct berval *values, struct apw_attribute *attribute)
{
    size_t count = 0;

    while (values != NULL && values[count].bv_val != NULL)
        count++;
    if (count == 0)
        return 0;
    attribute->value = calloc(count, sizeof *attribute->value);
    if (attribute->value == NULL)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct apw_value *value = &attribute->value[i];

        value->length = values[i].bv_len;
        value->bytes = malloc(value->length + 1);
        if (value->bytes == NULL)
            return -1;
        memcpy(value->bytes, values[i].bv_val, value->length);
        value->bytes[value->length] = '\0';
        attribute->count++;
    }
    return 0;
}

/* As a string; NULL where it is none, or memory is short. */
static char *copy_text(const char *bytes, size_t length)
{
    return memchr(bytes, '\0', length) == NULL ? strndup(bytes, length) : NULL;
}

static int copy_attribute(const struct berval *description, const struct berval *values,
                          struct apw_entry *entry)
{
    const char *options = memchr(description->bv_val, ';', description->bv_len);
    struct apw_attribute *grown =
        realloc(entry->attribute, (entry->attribute_count + 1) * sizeof *grown);
    struct apw_attribute *attribute;

    if (grown == NULL)
        return -1;
    entry->attribute = grown;
    attribute = &grown[entry->attribute_count++];
    *attribute = (struct apw_attribute){.has_options = options != NULL};
    attribute->name =
        copy_text(description->bv_val,
                  options != NULL ? (size_t)(options - description->bv_val) : description->bv_len);
    return attribute->name == NULL ? -1 : copy_values(values, attribute);
}

/* The whole entry or none of it: an attribute that cannot be read might be the one that stands
 * against the login. */
static int copy_entry(struct connection *connection, LDAPMessage *message, struct apw_entry *entry)
{
    struct berval dn, description;
    BerVarray values = NULL;
    BerElement *position = NULL;
    int status = -1;

    if (ldap_get_dn_ber(connection->ld, message, &position, &dn) != LDAP_SUCCESS)
        goto out;
    entry->dn = copy_text(dn.bv_val, dn.bv_len);
    status = entry->dn == NULL ? -1 : 0;
    while (status == 0) {
        if (ldap_get_attribute_ber(connection->ld, message, position, &description, &values) !=
            LDAP_SUCCESS)
            status = -1;
        else if (description.bv_val == NULL)
            break;
        else
            status = copy_attribute(&description, values, entry);
        ber_memfree(values);
        values = NULL;
    }
out:
    ber_free(position, 0);
    return status;
}

static int append_entry(struct connection *connection, LDAPMessage *message, struct search *search)
{
    struct apw_entry *entry = calloc(1, sizeof *entry);

    if (entry == NULL)
        return -1;
    if (++search->count > (search->query.limit > 0 ? search->query.limit : ENTRIES_MAX) ||
        copy_entry(connection, message, entry) != 0) {
        apw_entries_free(&entry);
        return -1;
    }
    entry->next = search->entries;
    search->entries = entry;
    connection->transport.may_receive = OPERATION_BYTES_MAX;
    return 0;
}

static void reverse_entries(struct search *search)
{
    struct apw_entry *reversed = NULL;

    while (search->entries != NULL) {
        struct apw_entry *entry = search->entries;

        search->entries = entry->next;
        entry->next = reversed;
        reversed = entry;
    }
    search->entries = reversed;
}

static enum apw_ldap_result result_of_search(const struct search *search, int code)
{
    if (code == LDAP_SUCCESS)
        return APW_LDAP_OK;
    if (code == LDAP_SIZELIMIT_EXCEEDED && search->query.limit > 0 &&
        search->count >= search->query.limit)
        return APW_LDAP_OK;
    if (search->cookie != NULL &&
        (code == LDAP_SIZELIMIT_EXCEEDED || code == LDAP_ADMINLIMIT_EXCEEDED))
        return APW_LDAP_REFUSED;
    if (code == LDAP_NO_SUCH_OBJECT)
        return APW_LDAP_NO_SUCH_OBJECT;
    return code == LDAP_INSUFFICIENT_ACCESS ? APW_LDAP_NOT_PERMITTED : APW_LDAP_UNAVAILABLE;
}

/* Where a server does not answer with a cookie there is no further page. */
static int read_cookie(struct connection *connection, LDAPControl **controls, struct berval *cookie)
{
    LDAPControl *control = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL);
    struct berval next = {0, NULL};
    ber_int_t estimate;

    ber_memfree(cookie->bv_val);
    *cookie = next;
    if (control == NULL)
        return 0;
    if (control->ldctl_value.bv_len == 0 || /* libldap 2.5 would crash */
        ldap_parse_pageresponse_control(connection->ld, control, &estimate, &next) != LDAP_SUCCESS)
        return -1;
    *cookie = next;
    return 0;
}

static enum step finish_search(struct connection *connection, LDAPMessage *message,
                               struct search *search, enum apw_ldap_result *result_r,
                               struct apw_error *error)
{
    struct outcome outcome = {.code = LDAP_OTHER};
    int status = read_outcome(connection, message, &outcome);

    if (status == 0 && search->cookie != NULL &&
        read_cookie(connection, outcome.controls, search->cookie) != 0) {
        outcome.code = LDAP_DECODING_ERROR;
        snprintf(outcome.text, sizeof outcome.text, "a page control that cannot be read");
        status = -1;
    }
    ldap_controls_free(outcome.controls);
    reverse_entries(search);
    *result_r = result_of_search(search, outcome.code);
    if (*result_r != APW_LDAP_OK)
        note(error, connection->server, "search under \"%s\" for %s: %s%s", search->query.base,
             search->query.filter, outcome.text,
             *result_r == APW_LDAP_REFUSED
                 ? "; raise what this identity may see (slapd: limits, 389: nsPagedSizeLimit)"
                 : "");
    return status != 0 || is_gone(outcome.code) ? STEP_LOST : STEP_ANSWERED;
}

static enum step read_answers(struct connection *connection, int message_id, struct search *search,
                              enum apw_ldap_result *result_r, struct apw_error *error)
{
    for (;;) {
        LDAPMessage *message = next_message(connection, message_id, "search", error);
        int status = 0;

        if (message == NULL)
            return STEP_LOST;
        if (ldap_msgtype(message) == LDAP_RES_SEARCH_RESULT)
            return finish_search(connection, message, search, result_r, error);
        if (ldap_msgtype(message) == LDAP_RES_SEARCH_ENTRY)
            status = append_entry(connection, message, search);
        ldap_msgfree(message); /* references to other servers are not followed */
        if (status != 0) {
            note(error, connection->server,
                 "search: an entry that cannot be read, or more than asked for, or no memory");
            return STEP_LOST;
        }
    }
}

static int send_search(struct connection *connection, const struct search *search,
                       int *message_id_r)
{
    static const int scopes[] = {
        [APW_SCOPE_SUB] = LDAP_SCOPE_SUBTREE,
        [APW_SCOPE_ONE] = LDAP_SCOPE_ONELEVEL,
        [APW_SCOPE_BASE] = LDAP_SCOPE_BASE,
    };
    LDAPControl *controls[2] = {NULL, NULL};
    int code = LDAP_SUCCESS;

    if (search->cookie != NULL)
        code =
            ldap_create_page_control(connection->ld, PAGE_ENTRIES, search->cookie, 1, &controls[0]);
    if (code == LDAP_SUCCESS)
        code = ldap_search_ext(connection->ld, search->query.base, scopes[search->query.scope],
                               search->query.filter, (char **)search->query.attributes, 0, controls,
                               NULL, NULL, (int)search->query.limit, message_id_r);
    ldap_control_free(controls[0]);
    return code;
}

static enum step ask_search(struct connection *connection, void *argument,
                            enum apw_ldap_result *result_r, struct apw_error *error)
{
    struct search *search = argument;
    char failure[200];
    int message_id, code;

    *result_r = APW_LDAP_UNAVAILABLE;
    apw_entries_free(&search->entries); /* of an attempt that was cut off */
    search->count = 0;
    code = send_search(connection, search, &message_id);
    if (code == LDAP_SUCCESS)
        return read_answers(connection, message_id, search, result_r, error);
    note(error, connection->server, "search under \"%s\" for %s: %s", search->query.base,
         search->query.filter, ld_failure(connection->ld, failure, sizeof failure));
    return code == LDAP_FILTER_ERROR ? STEP_ANSWERED : STEP_LOST;
}

enum apw_ldap_result apw_directory_search(struct apw_directory *directory,
                                          const struct apw_query *query, int64_t deadline,
                                          struct apw_entry **entries_r, struct apw_error *error)
{
    struct search search = {.query = *query};
    enum apw_ldap_result result = ask(directory, ask_search, &search, true, deadline, error);

    if (result != APW_LDAP_OK)
        apw_entries_free(&search.entries);
    *entries_r = search.entries;
    return result;
}

/* ---- a search by pages ---- */

struct pages {
    struct search search;
    int page_ms;
    apw_entry_visitor visitor;
    void *context;
    bool has_visited; /* an entry: it must not be seen again */
    bool is_ended;    /* by the visitor */
};

static void visit_page(struct pages *pages)
{
    for (const struct apw_entry *entry = pages->search.entries; entry != NULL && !pages->is_ended;
         entry = entry->next) {
        pages->has_visited = true;
        pages->is_ended = pages->visitor(pages->context, entry) != 0;
    }
    apw_entries_free(&pages->search.entries);
}

static enum step ask_pages(struct connection *connection, void *argument,
                           enum apw_ldap_result *result_r, struct apw_error *error)
{
    struct pages *pages = argument;
    struct berval *cookie = pages->search.cookie;
    enum step step;

    ber_memfree(cookie->bv_val); /* of a connection that was lost before the first entry */
    *cookie = (struct berval){0, NULL};
    do {
        connection->transport.deadline = apw_clock_monotonic_ms() + pages->page_ms;
        step = ask_search(connection, &pages->search, result_r, error);
        visit_page(pages);
    } while (step == STEP_ANSWERED && *result_r == APW_LDAP_OK && !pages->is_ended &&
             cookie->bv_len > 0);
    if (step == STEP_LOST && pages->has_visited) {
        connection->transport.is_abandoned = true;
        shutdown(connection->transport.fd, SHUT_RDWR);
        *result_r = APW_LDAP_UNAVAILABLE;
        return STEP_ANSWERED;
    }
    return step;
}

enum apw_ldap_result apw_directory_search_each(struct apw_directory *directory,
                                               const struct apw_query *query, int page_ms,
                                               apw_entry_visitor visitor, void *context,
                                               struct apw_error *error)
{
    struct berval cookie = {0, NULL};
    struct pages pages = {.search = {.query = *query, .cookie = &cookie},
                          .page_ms = page_ms,
                          .visitor = visitor,
                          .context = context};
    enum apw_ldap_result result =
        ask(directory, ask_pages, &pages, true, apw_clock_monotonic_ms() + page_ms, error);

    apw_entries_free(&pages.search.entries);
    ber_memfree(cookie.bv_val);
    return result;
}

/* ---- a bind as the user ---- */

struct user_bind {
    const char *dn;
    const char *password;
    size_t password_length;
    enum apw_user_bind result;
};

/* What the password-policy control says beyond the result code. */
enum policy { POLICY_SILENT = 0, POLICY_LOCKED, POLICY_MUST_CHANGE, POLICY_OTHER };

static enum policy read_policy(struct connection *connection, LDAPControl **controls)
{
    LDAPControl *control = ldap_control_find(LDAP_CONTROL_PASSWORDPOLICYRESPONSE, controls, NULL);
    LDAPPasswordPolicyError policy_error = PP_noError;
    ber_int_t expires_in, graces;

    if (control == NULL)
        return POLICY_SILENT;
    if (ldap_parse_passwordpolicy_control(connection->ld, control, &expires_in, &graces,
                                          &policy_error) != LDAP_SUCCESS)
        return POLICY_OTHER;
    switch (policy_error) {
    case PP_noError:
        return POLICY_SILENT;
    case PP_accountLocked:
        return POLICY_LOCKED;
    case PP_changeAfterReset:
        return POLICY_MUST_CHANGE;
    default:
        return POLICY_OTHER;
    }
}

static enum apw_user_bind judge_bind(int code, enum policy policy)
{
    if (policy == POLICY_LOCKED || code == LDAP_CONSTRAINT_VIOLATION ||
        code == LDAP_UNWILLING_TO_PERFORM)
        return APW_USER_BIND_LOCKED;
    if (code == LDAP_INVALID_CREDENTIALS || code == LDAP_INAPPROPRIATE_AUTH ||
        code == LDAP_NO_SUCH_OBJECT)
        return APW_USER_BIND_WRONG;
    if (code != LDAP_SUCCESS)
        return APW_USER_BIND_UNAVAILABLE;
    switch (policy) {
    case POLICY_SILENT:
        return APW_USER_BIND_OK;
    case POLICY_MUST_CHANGE:
        return APW_USER_BIND_MUST_CHANGE;
    case POLICY_LOCKED:
    case POLICY_OTHER:
        break;
    }
    return APW_USER_BIND_UNAVAILABLE;
}

static int send_user_bind(struct connection *connection, const struct user_bind *bind,
                          int *message_id_r)
{
    struct berval credentials = {.bv_len = bind->password_length, .bv_val = (char *)bind->password};
    LDAPControl *controls[2] = {NULL, NULL};
    int code = ldap_create_passwordpolicy_control(connection->ld, &controls[0]);

    if (code == LDAP_SUCCESS)
        code = ldap_sasl_bind(connection->ld, bind->dn, LDAP_SASL_SIMPLE, &credentials, controls,
                              NULL, message_id_r);
    ldap_control_free(controls[0]);
    return code;
}

static enum step ask_user_bind(struct connection *connection, void *argument,
                               enum apw_ldap_result *result_r, struct apw_error *error)
{
    struct user_bind *bind = argument;
    struct outcome outcome;
    char failure[200];
    int message_id;

    bind->result = APW_USER_BIND_UNAVAILABLE;
    *result_r = APW_LDAP_UNAVAILABLE;
    if (send_user_bind(connection, bind, &message_id) != LDAP_SUCCESS) {
        note(error, connection->server, "bind: %s",
             ld_failure(connection->ld, failure, sizeof failure));
        return STEP_LOST;
    }
    if (wait_outcome(connection, message_id, LDAP_RES_BIND, "bind as the user", &outcome, error) !=
        0)
        return STEP_LOST;
    bind->result = judge_bind(outcome.code, read_policy(connection, outcome.controls));
    ldap_controls_free(outcome.controls);
    if (bind->result == APW_USER_BIND_UNAVAILABLE)
        note(error, connection->server, "bind as the user: %s", outcome.text);
    return is_gone(outcome.code) ? STEP_LOST : STEP_ANSWERED;
}

enum apw_user_bind apw_directory_bind_user(struct apw_directory *directory, const char *dn,
                                           const char *password, size_t password_length,
                                           int64_t deadline, struct apw_error *error)
{
    struct user_bind bind = {.dn = dn, .password = password, .password_length = password_length};
    struct attempt attempt = {.ask = ask_user_bind, .argument = &bind, .is_bound = false};

    if (password_length == 0 || dn[0] == '\0')
        return APW_USER_BIND_WRONG;
    if (error != NULL)
        error->text[0] = '\0';
    try_servers(directory, &attempt, deadline, error);
    if (bind.result != APW_USER_BIND_UNAVAILABLE && error != NULL)
        error->text[0] = '\0';
    return bind.result;
}

/* ---- modify ---- */

#define CHANGES_MAX 2048

struct modify {
    const char *dn;
    LDAPMod **mods;
};

static enum apw_ldap_result result_of_modify(int code)
{
    switch (code) {
    case LDAP_SUCCESS:
        return APW_LDAP_OK;
    case LDAP_NO_SUCH_OBJECT:
        return APW_LDAP_NO_SUCH_OBJECT;
    case LDAP_NO_SUCH_ATTRIBUTE:
    case LDAP_TYPE_OR_VALUE_EXISTS:
        return APW_LDAP_CONFLICT;
    case LDAP_INSUFFICIENT_ACCESS:
        return APW_LDAP_NOT_PERMITTED;
    case LDAP_REFERRAL:
    case LDAP_UNWILLING_TO_PERFORM:
        return APW_LDAP_READ_ONLY;
    case LDAP_BUSY:
    case LDAP_UNAVAILABLE:
        return APW_LDAP_UNAVAILABLE;
    default:
        return APW_LDAP_REFUSED;
    }
}

static enum step ask_modify(struct connection *connection, void *argument,
                            enum apw_ldap_result *result_r, struct apw_error *error)
{
    const struct modify *modify = argument;
    struct outcome outcome;
    char failure[200];
    int message_id;

    *result_r = APW_LDAP_UNAVAILABLE;
    if (ldap_modify_ext(connection->ld, modify->dn, modify->mods, NULL, NULL, &message_id) !=
        LDAP_SUCCESS) {
        note(error, connection->server, "modify %s: %s", modify->dn,
             ld_failure(connection->ld, failure, sizeof failure));
        return STEP_LOST;
    }
    /* From here on the change may have been made: never STEP_LOST, which would send it again. */
    if (wait_outcome(connection, message_id, LDAP_RES_MODIFY, "modify (it may have been made)",
                     &outcome, error) != 0) {
        connection->transport.is_abandoned = true;
        shutdown(connection->transport.fd, SHUT_RDWR);
        return STEP_ANSWERED;
    }
    ldap_controls_free(outcome.controls);
    *result_r = result_of_modify(outcome.code);
    if (outcome.code == LDAP_REFERRAL)
        note(error, connection->server,
             "modify %s: this server is a read-only replica; set write_uri to one that is not",
             modify->dn);
    else if (*result_r != APW_LDAP_OK)
        note(error, connection->server, "modify %s: %s", modify->dn, outcome.text);
    return STEP_ANSWERED;
}

enum apw_ldap_result apw_directory_modify(struct apw_directory *directory, const char *dn,
                                          const struct apw_change *changes, size_t count,
                                          int64_t deadline, struct apw_error *error)
{
    static const int operations[] = {
        [APW_CHANGE_ADD] = LDAP_MOD_ADD,
        [APW_CHANGE_DELETE] = LDAP_MOD_DELETE,
        [APW_CHANGE_REPLACE] = LDAP_MOD_REPLACE,
    };
    struct {
        LDAPMod mod;
        char *values[2];
    } *changed = calloc(count, sizeof *changed);
    LDAPMod **mods = calloc(count + 1, sizeof(LDAPMod *));
    struct modify modify = {.dn = dn, .mods = mods};
    enum apw_ldap_result result = APW_LDAP_UNAVAILABLE;

    if (changed == NULL || mods == NULL || count > CHANGES_MAX) {
        apw_error_set(error, "out of memory, or more than %d changes", CHANGES_MAX);
        goto out;
    }
    for (size_t i = 0; i < count; i++) {
        changed[i].mod.mod_op = operations[changes[i].kind];
        changed[i].mod.mod_type = (char *)changes[i].attribute;
        changed[i].values[0] = (char *)changes[i].value;
        changed[i].mod.mod_values = changes[i].value == NULL ? NULL : changed[i].values;
        mods[i] = &changed[i].mod;
    }
    result = ask(directory, ask_modify, &modify, true, deadline, error);
out:
    free(changed);
    free(mods);
    return result;
}

/* ---- life ---- */

static int copy_servers(struct apw_directory *directory, const struct apw_uris *uris,
                        struct apw_error *error)
{
    for (unsigned i = 0; i < uris->count; i++) {
        struct server *server = &directory->server[i];

        if (apw_uri_check(uris->uri[i], directory->start_tls, error) != 0)
            return -1;
        server->uri = strdup(uris->uri[i]);
        if (server->uri == NULL || ldap_url_parse(server->uri, &server->url) != LDAP_URL_SUCCESS) {
            free(server->uri);
            return apw_error_set(error, "out of memory");
        }
        atomic_init(&server->failed_at, 0);
        directory->server_count++;
    }
    return 0;
}

static int copy_identity(struct apw_identity *copy, const struct apw_identity *identity,
                         struct apw_error *error)
{
    copy->method = identity->method;
    if (identity->method != APW_BIND_SIMPLE)
        return 0;
    copy->dn = strdup(identity->dn);
    copy->password = strdup(identity->password);
    if (copy->dn == NULL || copy->password == NULL)
        return apw_error_set(error, "out of memory");
    return identity->password[0] != '\0'
               ? 0
               : apw_error_set(error, "the password of %s is empty", identity->dn);
}

int apw_directory_new(const struct apw_directory_settings *settings,
                      struct apw_directory **directory_r, struct apw_error *error)
{
    struct apw_directory *directory = calloc(1, sizeof *directory);
    int version;

    *directory_r = NULL;
    if (directory == NULL)
        return apw_error_set(error, "out of memory");
    ldap_get_option(NULL, LDAP_OPT_PROTOCOL_VERSION, &version); /* libldap initialises itself */
    directory->start_tls = settings->start_tls;
    directory->tls_min = settings->tls_min;
    directory->timeout_ms = settings->timeout_ms;
    atomic_init(&directory->kept, NULL);
    if (copy_servers(directory, settings->uris, error) != 0 ||
        copy_identity(&directory->identity, settings->identity, error) != 0 ||
        take_tls(directory, settings, error) != 0) {
        apw_directory_free(&directory);
        return -1;
    }
    *directory_r = directory;
    return 0;
}

void apw_directory_disconnect(struct apw_directory *directory)
{
    struct connection *kept = atomic_exchange(&directory->kept, NULL);

    connection_close(&kept);
}

void apw_directory_free(struct apw_directory **directory)
{
    struct apw_directory *freeing = *directory;

    *directory = NULL;
    if (freeing == NULL)
        return;
    apw_directory_disconnect(freeing);
    if (freeing->tls_template != NULL)
        ldap_unbind_ext(freeing->tls_template, NULL, NULL);
    for (unsigned i = 0; i < freeing->server_count; i++) {
        ldap_free_urldesc(freeing->server[i].url);
        free(freeing->server[i].uri);
    }
    apw_identity_wipe(&freeing->identity);
    free(freeing);
}
