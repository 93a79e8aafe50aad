/* SPDX-License-Identifier: BSD-2-Clause */
#include "apw_build.h"
#include "clock.h"
#include "flow.h"
#include "form_fields.h"
#include "outbox.h"
#include "relay.h"
#include "visitor.h"
#include "web/asset.h"
#include "web/http.h"
#include "web/listen.h"
#include "wording.h"
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

static const char usage[] =
    "Usage: app-password-portal [-c FILE]\n"
    "The web page on which people set up their second factor and get app passwords for mail.\n"
    "\n"
    "  -c, --config FILE  app-password.conf; portal.conf is in the same folder\n"
    "  -t, --test         check the configuration, try directory and mail relay, and exit\n"
    "  -h, --help         print this text\n"
    "  -V, --version      print the version\n"
    "\n"
    "It stays in the foreground until SIGTERM or SIGINT, and listens as set in portal.conf.\n"
    "Exit status: 0 ended; 64 usage; 75 no directory or relay (--test); 78 configuration.\n";

static void close_portal(struct apw_portal *portal)
{
    apw_outbox_free(&portal->outbox);
    apw_throttle_free(&portal->password_throttle);
    apw_throttle_free(&portal->factor_throttle);
    apw_throttle_free(&portal->account_throttle);
    apw_throttle_free(&portal->browser_throttle);
    apw_web_sessions_free(&portal->site.sessions);
    apw_templates_free(&portal->site.templates);
    apw_texts_free(&portal->site.texts);
    apw_languages_free(&portal->site.languages);
    apw_directory_free(&portal->directory);
    apw_log_close(&portal->log);
    apw_portal_config_free(&portal->portal_config);
    apw_config_free(&portal->config);
}

static int open_directory(struct apw_portal *portal, struct apw_error *error)
{
    const struct apw_config *config = portal->config;
    const struct apw_directory_settings settings = apw_config_directory_settings(
        config, &config->write_uris, /* a read after a write must see it */
        &portal->portal_config->identity);

    if (apw_directory_new(&settings, &portal->directory, error) != 0)
        return -1;
    portal->manager = (struct apw_manager){
        .config = config, .directory = portal->directory, .with_enrolment = true};
    apw_identity_wipe(&portal->portal_config->identity); /* the directory has its own copy */
    return 0;
}

static void warn(void *context, const char *why)
{
    const struct apw_portal *portal = context;

    apw_log_warning(portal->log, why);
}

static int open_site(struct apw_portal *portal, struct apw_error *error)
{
    struct apw_site *site = &portal->site;

    site->root = portal->portal_config->root;
    site->error_title = APW_TITLE_ERROR;
    site->context = portal;
    site->warn = warn;
    return apw_languages_load(APW_LOCALEDIR, "app-password-portal", &site->languages, error) == 0 &&
                   apw_texts_load(&site->languages, apw_wording, APW_TEXT_COUNT, &site->texts,
                                  error) == 0 &&
                   apw_templates_load(APW_PAGESDIR, &site->languages, &site->templates, error) ==
                       0 &&
                   apw_web_sessions_new(&apw_visitor_content, &site->sessions, error) == 0
               ? 0
               : -1;
}

static int open_throttles(struct apw_portal *portal, struct apw_error *error)
{
    return apw_throttle_new(&portal->password_throttle, error) == 0 &&
                   apw_throttle_new(&portal->factor_throttle, error) == 0 &&
                   apw_throttle_new(&portal->account_throttle, error) == 0 &&
                   apw_throttle_new(&portal->browser_throttle, error) == 0
               ? 0
               : -1;
}

static int open_portal(const char *config_path, struct apw_portal *portal, struct apw_error *error)
{
    return apw_config_read_without_identity(config_path, &portal->config, error) == 0 &&
                   apw_portal_config_read(config_path, &portal->portal_config, error) == 0 &&
                   open_site(portal, error) == 0 && open_directory(portal, error) == 0 &&
                   open_throttles(portal, error) == 0 &&
                   apw_log_open_own(portal->config, &portal->log, error) == 0
               ? 0
               : -1;
}

static void answer(void *context, struct apw_exchange *exchange)
{
    apw_flow_answer(context, exchange);
}

static void fail(void *context, struct apw_exchange *exchange, unsigned status)
{
    apw_flow_fail(context, exchange, status);
}

/* Answers requests until a signal. */
static int serve(struct apw_portal *portal, const struct apw_web_settings *settings,
                 const sigset_t *signals, struct apw_error *error)
{
    const struct apw_portal_config *config = portal->portal_config;
    const struct apw_listen_address address = {
        .path = config->listen_socket, .host = config->listen_host, .port = config->listen_port};
    struct apw_http *http;
    int caught, listener = apw_listen_open(&address, error);

    if (listener < 0 || apw_outbox_new(portal, &portal->outbox, error) != 0 ||
        apw_http_start(settings, listener, &http, error) != 0)
        return -1;
    while (sigwait(signals, &caught) != 0)
        ;
    apw_http_stop(&http);
    apw_listen_remove(&address);
    return 0;
}

static int load_and_serve(struct apw_portal *portal, bool is_test, const sigset_t *signals,
                          struct apw_error *error)
{
    struct apw_asset assets[] = {{.name = "style.css", .type = "text/css; charset=utf-8"},
                                 {.name = "copy.js", .type = "text/javascript; charset=utf-8"},
                                 {.name = "icon.svg", .type = "image/svg+xml"},
                                 {.name = "healthz", .type = "text/plain", .is_fresh = true}};
    const size_t count = sizeof assets / sizeof assets[0];
    const struct apw_web_settings settings = {
        .root = portal->site.root,
        .is_https = portal->portal_config->is_https,
        .cookie_name = "app-password",
        .user_header = portal->portal_config->trusted_user_header,
        .user_secret = portal->portal_config->trusted_user_secret,
        .secret_header = "X-App-Password-Proxy",
        .fields = &apw_form_fields,
        .languages = &portal->site.languages,
        .assets = assets,
        .asset_count = count,
        .context = portal,
        .answer = answer,
        .fail = fail,
    };
    int status = apw_assets_load(APW_PAGESDIR, assets, count, error);

    if (status == 0 && !is_test)
        status = serve(portal, &settings, signals, error);
    apw_assets_free(assets, count);
    return status;
}

/* In every thread, so that the first one can wait for them. */
static void block_signals(sigset_t *signals_r)
{
    sigemptyset(signals_r);
    sigaddset(signals_r, SIGTERM);
    sigaddset(signals_r, SIGINT);
    sigaddset(signals_r, SIGHUP);
    pthread_sigmask(SIG_BLOCK, signals_r, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* Prints the finding; the exit status. */
static int try_mail(const struct apw_mail_settings *mail)
{
    struct apw_error error = {""};

    if (mail->program != NULL) {
        if (access(mail->program, X_OK) == 0)
            return EXIT_SUCCESS;
        fprintf(stderr, "app-password-portal: sendmail %s: %s\n", mail->program, strerror(errno));
        return EX_CONFIG;
    }
    if (apw_relay_try(mail, &error) == 0) {
        printf("mail_relay %s:%s: good\n", mail->host, mail->port);
        return EXIT_SUCCESS;
    }
    fprintf(stderr, "app-password-portal: %s\n", error.text);
    return EX_TEMPFAIL;
}

/* As above: whether the directory accepts the page's identity, which must see the base. */
static int try_directory(const struct apw_portal *portal)
{
    static const char *const nothing[] = {"1.1", NULL};
    const struct apw_config *config = portal->config;
    const struct apw_query query = {.base = config->base,
                                    .scope = APW_SCOPE_BASE,
                                    .filter = "(objectClass=*)",
                                    .attributes = nothing,
                                    .limit = 1};
    struct apw_entry *base = NULL;
    struct apw_error error = {""};
    enum apw_ldap_result result = apw_directory_search(
        portal->directory, &query, apw_clock_monotonic_ms() + config->deadline_ms, &base, &error);

    apw_entries_free(&base);
    if (result == APW_LDAP_OK) {
        puts("directory: good");
        return EXIT_SUCCESS;
    }
    fprintf(stderr, "app-password-portal: %s\n", error.text);
    return EX_TEMPFAIL;
}

static int try_both(const struct apw_portal *portal)
{
    int directory = try_directory(portal);
    int mail = try_mail(&portal->portal_config->mail);

    return mail != EXIT_SUCCESS ? mail : directory;
}

static int run(const char *config_path, bool is_test)
{
    struct apw_portal portal = {.config = NULL};
    struct apw_error error = {""};
    sigset_t signals;
    int status, exit_status = EXIT_SUCCESS;

    umask(077);
    prctl(PR_SET_DUMPABLE, 0); /* no core file with somebody's password in it */
    block_signals(&signals);
    status = sodium_init() < 0 ? apw_error_set(&error, "the system provides no random numbers")
             : apw_relay_init(&error) == 0 ? open_portal(config_path, &portal, &error)
                                           : -1;
    if (status == 0)
        status = load_and_serve(&portal, is_test, &signals, &error);
    if (status == 0 && is_test)
        exit_status = try_both(&portal);
    close_portal(&portal);
    if (status == 0)
        return exit_status;
    fprintf(stderr, "app-password-portal: %s\n", error.text);
    return EX_CONFIG;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {
        {"config", required_argument, NULL, 'c'},
        {"test", no_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    const char *config_path = apw_config_default_path;
    bool is_test = false;
    int found;

    while ((found = getopt_long(argc, argv, "c:thV", longs, NULL)) != -1) {
        switch (found) {
        case 'c':
            config_path = optarg;
            break;
        case 't':
            is_test = true;
            break;
        case 'h':
            fputs(usage, stdout);
            return EXIT_SUCCESS;
        case 'V':
            puts(PACKAGE_STRING);
            return EXIT_SUCCESS;
        default:
            fputs(usage, stderr);
            return EX_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "app-password-portal: unexpected argument \"%s\"\n%s", argv[optind], usage);
        return EX_USAGE;
    }
    return run(config_path, is_test);
}
