/* SPDX-License-Identifier: BSD-2-Clause */
#include "apw_build.h"
#include "clock.h"
#include "flow.h"
#include "form_fields.h"
#include "helpdesk.h"
#include "invited.h"
#include "mail_invitation.h"
#include "moment.h"
#include "outbox.h"
#include "profile.h"
#include "relay.h"
#include "remind.h"
#include "reverse_names.h"
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
    "  --mail-invitation USER\n"
    "                     for app-password invite --mail: mail a link to this user, and exit\n"
    "  --language CODE    the language of that mail\n"
    "  --remind [USER...] for app-password remind: mail users what is due, and exit\n"
    "  --dry-run          only show which mails\n"
    "  -h, --help         print this text\n"
    "  -V, --version      print the version\n"
    "\n"
    "It stays in the foreground until SIGTERM or SIGINT, and listens as set in portal.conf.\n"
    "Exit status: 0 ended; 1 no address (--mail-invitation), or some mails failed (--remind);\n"
    "64 usage; 75 no directory or relay; 77 not permitted (--remind); 78 configuration.\n";

/* As called. */
struct call {
    const char *config_path;
    bool is_test;
    const char *invited; /* --mail-invitation; NULL without */
    const char *language;
    bool is_reminding;
    struct apw_remind_call remind;
};

/* systemd's folder for the credentials of the service, which root can read while that runs. */
static const char credentials[] = "/run/credentials/app-password-portal.service";

static void close_portal(struct apw_portal *portal)
{
    apw_outbox_free(&portal->outbox);
    apw_reverse_names_free(&portal->reverse_names);
    apw_invited_uses_free(&portal->invited_uses);
    apw_throttle_free(&portal->password_throttle);
    apw_throttle_free(&portal->factor_throttle);
    apw_throttle_free(&portal->account_throttle);
    apw_throttle_free(&portal->browser_throttle);
    apw_web_sessions_free(&portal->site.sessions);
    apw_templates_free(&portal->site.templates);
    apw_texts_free(&portal->site.texts);
    apw_languages_free(&portal->site.languages);
    apw_directory_free(&portal->directory);
    apw_directory_free(&portal->store);
    apw_log_close(&portal->log);
    apw_portal_config_free(&portal->portal_config);
    apw_config_free(&portal->config);
}

/* Reads where it writes: a read after a write must see it. */
static int open_directories(struct apw_portal *portal, struct apw_error *error)
{
    const struct apw_config *config = portal->config;
    bool has_store = apw_config_has_store(config);
    const struct apw_directory_settings users = apw_config_directory_settings(
        config, has_store ? &config->uris : &config->write_uris, &portal->portal_config->identity);
    const struct apw_directory_settings store = apw_config_store_settings(
        config, &config->store.write_uris, &portal->portal_config->store_identity);

    if (apw_portal_config_check_store(portal->portal_config, has_store, error) != 0 ||
        (has_store && apw_directory_new(&store, &portal->store, error) != 0) ||
        apw_directory_new(&users, &portal->directory, error) != 0)
        return -1;
    portal->manager = (struct apw_manager){.config = config,
                                           .directory = portal->directory,
                                           .store = portal->store,
                                           .with_enrolment = true};
    apw_identity_wipe(&portal->portal_config->identity); /* the directories have their own copies */
    apw_identity_wipe(&portal->portal_config->store_identity);
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
    site->error_mark = APW_TEXT_ERROR_MARK;
    site->context = portal;
    site->warn = warn;
    return apw_languages_load(APW_LOCALEDIR, "app-password-portal", &site->languages, error) == 0 &&
                   apw_supports_check(&portal->portal_config->support, &site->languages, error) ==
                       0 &&
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

/* What writing a mail needs. It opens no log: that of the page must not become root's. */
static int open_portal(const char *config_path, struct apw_portal *portal, struct apw_error *error)
{
    return apw_config_read_without_identity(config_path, &portal->config, error) == 0 &&
                   apw_portal_config_read(config_path, &portal->portal_config, error) == 0 &&
                   apw_moment_use_zone(portal->portal_config->time_zone, error) == 0 &&
                   open_site(portal, error) == 0 && open_directories(portal, error) == 0
               ? 0
               : -1;
}

/* What answering requests needs, too. */
static int open_rest(struct apw_portal *portal, struct apw_error *error)
{
    return open_throttles(portal, error) == 0 &&
                   apw_invited_uses_new(&portal->invited_uses, error) == 0 &&
                   (!portal->portal_config->has_reverse_names ||
                    apw_reverse_names_new(&portal->reverse_names, error) == 0) &&
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
                                 {.name = "device.js", .type = "text/javascript; charset=utf-8"},
                                 {.name = "ending.js", .type = "text/javascript; charset=utf-8"},
                                 {.name = "codes.js", .type = "text/javascript; charset=utf-8"},
                                 {.name = "label.js", .type = "text/javascript; charset=utf-8"},
                                 {.name = "passkey.js", .type = "text/javascript; charset=utf-8"},
                                 {.name = "icon.svg", .type = "image/svg+xml"},
                                 {.name = "healthz", .type = "text/plain", .is_fresh = true}};
    const size_t count = sizeof assets / sizeof assets[0];
    const struct apw_web_settings settings = {
        .root = portal->site.root,
        .is_https = portal->portal_config->is_https,
        .cookie_name = "app-password",
        .user_header = portal->portal_config->proxy.user_header,
        .user_secret = portal->portal_config->proxy.secret,
        .secret_header = "X-App-Password-Proxy",
        .fields = &apw_form_fields,
        .query_fields = &apw_query_fields,
        .languages = &portal->site.languages,
        .assets = assets,
        .asset_count = count,
        .context = portal,
        .answer = answer,
        .fail = fail,
    };
    int status = apw_assets_load(APW_PAGESDIR, assets, count, error);

    if (status == 0)
        apw_assets_version(assets, count, portal->site.version);
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
static int try_directory(const struct apw_portal *portal, struct apw_directory *directory,
                         const char *name, const char *base)
{
    const struct apw_query query = {.base = base,
                                    .scope = APW_SCOPE_BASE,
                                    .filter = "(objectClass=*)",
                                    .attributes = apw_search_no_attributes,
                                    .limit = 1};
    struct apw_entry *entry = NULL;
    struct apw_error error = {""};
    enum apw_ldap_result result = apw_directory_search(
        directory, &query, apw_clock_monotonic_ms() + portal->config->deadline_ms, &entry, &error);

    apw_entries_free(&entry);
    if (result == APW_LDAP_OK) {
        printf("%s: good\n", name);
        return EXIT_SUCCESS;
    }
    fprintf(stderr, "app-password-portal: %s: %s\n", name, error.text);
    return EX_TEMPFAIL;
}

static int try_directories(const struct apw_portal *portal)
{
    const struct apw_config *config = portal->config;
    int users = try_directory(portal, portal->directory, "directory", config->base);
    int store = portal->store == NULL
                    ? EXIT_SUCCESS
                    : try_directory(portal, portal->store, "store", config->store.base);

    return users != EXIT_SUCCESS ? users : store;
}

/* The directory says who is the help desk, but not whether they have a second step yet. */
static void warn_about_enrolment(const struct apw_portal *portal)
{
    if (portal->portal_config->enrolment == APW_ENROLMENT_OPEN)
        fputs("app-password-portal: with \"enrolment open\", the account password alone opens the "
              "help "
              "desk for somebody of it without a second step; set \"enrolment code\"\n",
              stderr);
}

static int try_helpdesk(const struct apw_portal *portal)
{
    struct apw_error error = {""};
    enum apw_ldap_result result;

    if (!apw_helpdesk_exists(portal))
        return EXIT_SUCCESS;
    result = apw_helpdesk_try(portal, &error);
    if (result == APW_LDAP_OK) {
        printf("help desk: good\n");
        warn_about_enrolment(portal);
        return EXIT_SUCCESS;
    }
    fprintf(stderr, "app-password-portal: %s\n", error.text);
    return result == APW_LDAP_REFUSED ? EX_CONFIG : EX_TEMPFAIL;
}

static int try_all(const struct apw_portal *portal)
{
    struct apw_error error = {""};
    int directory = try_directories(portal);
    int helpdesk = directory == EXIT_SUCCESS ? try_helpdesk(portal) : EXIT_SUCCESS;
    int mail = try_mail(&portal->portal_config->mail);

    if (apw_profile_ends_soon(portal, &error))
        fprintf(stderr, "app-password-portal: %s\n", error.text);
    return mail != EXIT_SUCCESS ? mail : directory != EXIT_SUCCESS ? directory : helpdesk;
}

/* Whether it does one thing and ends, instead of serving the page. */
static bool is_for_once(const struct call *call)
{
    return call->invited != NULL || call->is_reminding;
}

/* Mail that root sends needs the secrets of the service. A test does not take those: the service
 * may get others at its next start. */
static void find_credentials(const struct call *call)
{
    if (is_for_once(call) && geteuid() == 0)
        setenv("CREDENTIALS_DIRECTORY", credentials, 0);
}

/* Whether only the service can try its secrets. */
static bool is_outside_service(const struct call *call)
{
    return call->is_test && getenv("CREDENTIALS_DIRECTORY") == NULL;
}

/* After a test that has passed. */
static void note_credentials(const struct call *call)
{
    if (is_outside_service(call) && access(credentials, F_OK) == 0)
        puts("app-password-portal.service has credentials, which this test did not use: "
             "\"CREDENTIALS\" in app-password-portal(8) has a test that does");
}

/* The log of a run is that of the page, whose user starts it. -1 if it cannot be opened. */
static int act_once(struct apw_portal *portal, const struct call *call, int *status_r,
                    struct apw_error *error)
{
    if (call->invited != NULL)
        *status_r = apw_mail_invitation_run(portal, call->invited, call->language);
    else if (call->remind.is_dry_run || apw_log_open_own(portal->config, &portal->log, error) == 0)
        *status_r = apw_remind_users(portal, &call->remind);
    else
        return -1;
    return 0;
}

static void explain(const struct call *call, const struct apw_error *error)
{
    bool is_hidden = is_outside_service(call) && strstr(error->text, "no credential") != NULL;

    fprintf(stderr, "app-password-portal: %s%s\n", error->text,
            is_hidden ? "; if app-password-portal.service has it, this test cannot read it: "
                        "\"CREDENTIALS\" in app-password-portal(8) has a test that can"
                      : "");
}

static int run(const struct call *call)
{
    struct apw_portal portal = {.config = NULL};
    struct apw_error error = {""};
    sigset_t signals;
    int status, exit_status = EXIT_SUCCESS;

    umask(077);
    prctl(PR_SET_DUMPABLE, 0); /* no core file with somebody's password in it */
    signal(SIGPIPE, SIG_IGN);
    if (!is_for_once(call))
        block_signals(&signals);
    find_credentials(call);
    status = sodium_init() < 0 ? apw_error_set(&error, "the system provides no random numbers")
             : apw_relay_init(&error) == 0 ? open_portal(call->config_path, &portal, &error)
                                           : -1;
    if (status == 0 && is_for_once(call)) {
        status = act_once(&portal, call, &exit_status, &error);
    } else if (status == 0 && (status = open_rest(&portal, &error)) == 0) {
        status = load_and_serve(&portal, call->is_test, &signals, &error);
        if (status == 0 && call->is_test)
            exit_status = try_all(&portal);
        if (status == 0)
            note_credentials(call);
    }
    close_portal(&portal);
    if (status == 0)
        return exit_status;
    explain(call, &error);
    return EX_CONFIG;
}

int main(int argc, char **argv)
{
    enum { MAIL_INVITATION = 256, LANGUAGE, REMIND, DRY_RUN };
    static const struct option longs[] = {
        {"config", required_argument, NULL, 'c'},
        {"test", no_argument, NULL, 't'},
        {"mail-invitation", required_argument, NULL, MAIL_INVITATION},
        {"language", required_argument, NULL, LANGUAGE},
        {"remind", no_argument, NULL, REMIND},
        {"dry-run", no_argument, NULL, DRY_RUN},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    struct call call = {.config_path = apw_config_default_path, .language = "en"};
    int found;

    while ((found = getopt_long(argc, argv, "c:thV", longs, NULL)) != -1) {
        switch (found) {
        case 'c':
            call.config_path = optarg;
            break;
        case 't':
            call.is_test = true;
            break;
        case MAIL_INVITATION:
            call.invited = optarg;
            break;
        case LANGUAGE:
            call.language = optarg;
            break;
        case REMIND:
            call.is_reminding = true;
            break;
        case DRY_RUN:
            call.remind.is_dry_run = true;
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
    call.remind.count = argc - optind;
    call.remind.user = argv + optind;
    if (optind < argc && !call.is_reminding) {
        fprintf(stderr, "app-password-portal: unexpected argument \"%s\"\n%s", argv[optind], usage);
        return EX_USAGE;
    }
    return run(&call);
}
