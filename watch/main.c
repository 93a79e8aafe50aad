/* SPDX-License-Identifier: BSD-2-Clause */
#include "apw_build.h"
#include "config.h"
#include "log.h"
#include "watch.h"
#include <getopt.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>

static const char usage[] =
    "Usage: app-password-watch [-c FILE] [-d DOVEADM] [-s FOLDER]\n"
    "Ends the open sessions of Dovecot whose app password or account may no longer sign in.\n"
    "\n"
    "  -c, --config FILE      app-password.conf\n"
    "  -d, --doveadm PROGRAM  the program to run; default: doveadm\n"
    "  -s, --state FOLDER     for its files; default: /run/app-password-watch\n"
    "  -h, --help             print this text\n"
    "  -V, --version          print the version\n"
    "\n"
    "It stays in the foreground until SIGTERM or SIGINT. SIGUSR1 releases sessions that wait.\n"
    "Exit status: 0 ended; 64 usage; 78 configuration.\n";

struct options {
    const char *config;
    const char *doveadm;
    const char *folder;
};

static int open_directories(struct apw_watch *watch, struct apw_config *config,
                            struct apw_error *error)
{
    const struct apw_directory_settings users =
        apw_config_directory_settings(config, &config->uris, &config->identity);
    const struct apw_directory_settings store =
        apw_config_store_settings(config, &config->store.uris, &config->store.identity);

    if (apw_directory_new(&users, &watch->directory, error) != 0 ||
        (apw_config_has_store(config) && apw_directory_new(&store, &watch->store, error) != 0))
        return -1;
    apw_identity_wipe(&config->identity); /* the directories have their own copies */
    apw_identity_wipe(&config->store.identity);
    return 0;
}

static int open_watch(struct apw_watch *watch, const struct options *options,
                      struct apw_config **config, struct apw_error *error)
{
    if (sodium_init() < 0)
        return apw_error_set(error, "the system provides no random numbers");
    if (apw_config_read(options->config, config, error) != 0)
        return -1;
    if ((*config)->watch_interval_s == 0)
        return apw_error_set(error, "%s: watch_interval is not set; a good value is 5s",
                             options->config);
    watch->config = *config;
    watch->doveadm = options->doveadm;
    watch->folder = options->folder;
    return open_directories(watch, *config, error) == 0 &&
                   apw_log_open_own(*config, &watch->log, error) == 0 &&
                   apw_watch_begin(watch, error) == 0
               ? 0
               : -1;
}

/* Waits for a signal, at most for `ms`; 0 if there was none. */
static int wait_for(const sigset_t *signals, int64_t ms)
{
    const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    int caught = sigtimedwait(signals, NULL, &time);

    return caught > 0 ? caught : 0;
}

static void run(struct apw_watch *watch, const sigset_t *signals)
{
    while (true) {
        int caught = wait_for(signals, apw_watch_round(watch));

        if (caught == SIGUSR1)
            apw_watch_release(watch);
        else if (caught != 0)
            return;
    }
}

static int start(const struct options *options)
{
    struct apw_watch watch = {.config = NULL};
    struct apw_config *config = NULL;
    struct apw_error error = {""};
    sigset_t signals;
    int status;

    umask(077);
    prctl(PR_SET_DUMPABLE, 0);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGUSR1);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    status = open_watch(&watch, options, &config, &error);
    if (status == 0)
        run(&watch, &signals);
    else
        fprintf(stderr, "app-password-watch: %s\n", error.text);
    apw_watch_end(&watch);
    apw_log_close(&watch.log);
    apw_directory_free(&watch.directory);
    apw_directory_free(&watch.store);
    apw_config_free(&config);
    return status == 0 ? EXIT_SUCCESS : EX_CONFIG;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {
        {"config", required_argument, NULL, 'c'}, {"doveadm", required_argument, NULL, 'd'},
        {"state", required_argument, NULL, 's'},  {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},      {NULL, 0, NULL, 0},
    };
    struct options options = {
        .config = apw_config_default_path,
        .doveadm = "doveadm",
        .folder = "/run/app-password-watch",
    };
    int found;

    while ((found = getopt_long(argc, argv, "c:d:s:hV", longs, NULL)) != -1) {
        switch (found) {
        case 'c':
            options.config = optarg;
            break;
        case 'd':
            options.doveadm = optarg;
            break;
        case 's':
            options.folder = optarg;
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
    if (optind == argc)
        return start(&options);
    fputs(usage, stderr);
    return EX_USAGE;
}
