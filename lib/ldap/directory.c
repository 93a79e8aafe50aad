/* SPDX-License-Identifier: BSD-2-Clause */
#include "ldap/directory.h"
#include "clock.h"
#include "ldap/connection.h"
#include "ldap/handle.h"
#include "ldap/service_bind.h"
#include "ldap/whoami.h"
#include <ldap.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LAST_CHOICE_MS 60000 /* a server that failed comes after the others for so long */
/* No bind on a connection that was idle for longer, whatever the settings say: a firewall may have
 * forgotten it, and a bind without an answer is not repeated. */
#define BIND_IDLE_MS 60000

struct apw_directory {
    unsigned server_count;
    struct apw_server server[APW_URIS_MAX];
    struct apw_identity identity;
    struct apw_connection_settings settings;
    LDAP *tls_handle; /* holds the TLS context, which read its files before chroot(); NULL if it is
                         another directory's */
    /* A thread takes a kept connection by exchanging it for NULL, because a fork could leave a
     * lock held. */
    _Atomic(struct apw_connection *) kept;
    _Atomic(struct apw_connection *) kept_for_binds; /* of users, and for nothing else */
};

static int take_tls(struct apw_directory *directory, const struct apw_directory_settings *settings,
                    struct apw_error *error)
{
    if (!apw_uris_need_tls(settings->uris, settings->start_tls))
        return 0;
    if (settings->tls_of != NULL && settings->tls_of->settings.tls_context != NULL) {
        directory->settings.tls_context = settings->tls_of->settings.tls_context;
        return 0;
    }
    return apw_handle_new_tls(settings->tls_cacert, settings->tls_min, &directory->tls_handle,
                              &directory->settings.tls_context, error);
}

static bool has_failed(const struct apw_server *server)
{
    int64_t failed_at = atomic_load(&server->failed_at);

    return failed_at != 0 && apw_clock_monotonic_ms() - failed_at < LAST_CHOICE_MS;
}

/* What to run, on which connection, until when. */
struct task {
    apw_operation run;
    void *argument;
    bool is_bound; /* by the service; else it is the bind of a user */
    int64_t deadline;
    const struct apw_server *excluded; /* never ask this one; NULL: none */
};

static _Atomic(struct apw_connection *) *place_of(struct apw_directory *directory,
                                                  const struct task *task)
{
    return task->is_bound ? &directory->kept : &directory->kept_for_binds;
}

static bool allows(const struct apw_server *server, const struct task *task)
{
    return task->is_bound || !atomic_load(&server->forbids_rebind);
}

/* A lost search is repeated; a lost bind is not, so it needs a connection that is likely good. */
static bool is_likely_good(const struct apw_connection *connection)
{
    return apw_clock_monotonic_ms() - connection->used_at < BIND_IDLE_MS &&
           !has_failed(connection->server);
}

/* Takes the kept connection for this task, if there is one and it is good. */
static struct apw_connection *take_kept(struct apw_directory *directory, const struct task *task)
{
    struct apw_connection *kept = atomic_exchange(place_of(directory, task), NULL);

    if (kept != NULL && (!apw_connection_is_usable(kept, &directory->settings) ||
                         !allows(kept->server, task) || (!task->is_bound && !is_likely_good(kept))))
        apw_connection_close(&kept);
    return kept;
}

/* Keeps the connection for this task, unless another thread has already kept one. */
static void keep(struct apw_directory *directory, const struct task *task,
                 struct apw_connection *connection)
{
    struct apw_connection *expected = NULL;

    if (!allows(connection->server, task) ||
        !atomic_compare_exchange_strong(place_of(directory, task), &expected, connection))
        apw_connection_close(&connection);
}

static enum apw_connection_state try_server(struct apw_directory *directory,
                                            struct apw_server *server, const struct task *task,
                                            enum apw_ldap_result *result_r, struct apw_error *error)
{
    struct apw_connection *connection =
        apw_connection_open(&directory->settings, server, task->deadline, error);
    enum apw_connection_state state = APW_CONNECTION_LOST;

    *result_r = APW_LDAP_UNAVAILABLE;
    if (connection != NULL && (!task->is_bound || apw_service_bind(connection, &directory->identity,
                                                                   result_r, error) == 0))
        state = task->run(connection, task->argument, result_r, error);
    if (state == APW_CONNECTION_GOOD) {
        atomic_store(&server->failed_at, 0);
        keep(directory, task, connection);
        return state;
    }
    atomic_store(&server->failed_at, apw_clock_monotonic_ms());
    apw_connection_close(&connection);
    return state;
}

/* Tries the servers in order of preference, and those that failed within the last minute after the
 * others, until one answers. The failed ones share one timeout: in an outage no login waits for
 * each of them in turn, and one that is back answers at once. */
static enum apw_ldap_result try_servers(struct apw_directory *directory, const struct task *task,
                                        struct apw_error *error)
{
    enum apw_ldap_result result = APW_LDAP_UNAVAILABLE;
    struct task share = *task;
    bool is_last_choice[APW_URIS_MAX];
    unsigned failed = 0;

    for (unsigned i = 0; i < directory->server_count; i++) {
        is_last_choice[i] = has_failed(&directory->server[i]);
        failed += is_last_choice[i] && &directory->server[i] != task->excluded;
    }
    for (int last_choices = 0; last_choices <= 1; last_choices++)
        for (unsigned i = 0; i < directory->server_count; i++) {
            if (is_last_choice[i] != (last_choices == 1) || &directory->server[i] == task->excluded)
                continue;
            if (last_choices == 1)
                share.deadline = apw_clock_monotonic_ms() + directory->settings.timeout_ms / failed;
            if (share.deadline > task->deadline)
                share.deadline = task->deadline;
            if (apw_clock_remaining_ms(share.deadline) == 0) {
                apw_connection_note(error, &directory->server[i], "not asked: no time left");
                return APW_LDAP_UNAVAILABLE;
            }
            if (try_server(directory, &directory->server[i], &share, &result, error) ==
                APW_CONNECTION_GOOD)
                return result;
        }
    return result;
}

static void close_lost(struct apw_connection **connection)
{
    if ((*connection)->transport.is_timed_out)
        atomic_store(&(*connection)->server->failed_at, apw_clock_monotonic_ms());
    apw_connection_close(connection);
}

/* Runs the operation on the kept connection; on a new one if there is none, or it is lost. */
static enum apw_ldap_result run(struct apw_directory *directory, const struct task *task,
                                struct apw_error *error)
{
    struct apw_connection *kept = take_kept(directory, task);
    enum apw_ldap_result result;

    if (error != NULL)
        error->text[0] = '\0';
    if (kept != NULL) {
        apw_connection_renew(kept, task->deadline);
        if (task->run(kept, task->argument, &result, error) == APW_CONNECTION_GOOD) {
            keep(directory, task, kept);
            return result;
        }
        close_lost(&kept);
    }
    result = try_servers(directory, task, error);
    if (result == APW_LDAP_OK && error != NULL)
        error->text[0] = '\0'; /* what other servers said no longer matters */
    return result;
}

enum apw_ldap_result apw_directory_search(struct apw_directory *directory,
                                          const struct apw_query *query, int64_t deadline,
                                          struct apw_entry **entries_r, struct apw_error *error)
{
    struct apw_search search = {.query = *query};
    const struct task task = {
        .run = apw_search_run, .argument = &search, .is_bound = true, .deadline = deadline};
    enum apw_ldap_result result = run(directory, &task, error);

    if (result != APW_LDAP_OK)
        apw_entries_free(&search.entries);
    *entries_r = search.entries;
    return result;
}

enum apw_ldap_result apw_directory_search_series(struct apw_directory *directory,
                                                 struct apw_search_series *series, int64_t deadline,
                                                 struct apw_error *error)
{
    const struct task task = {
        .run = apw_search_run_series, .argument = series, .is_bound = true, .deadline = deadline};
    enum apw_ldap_result result = run(directory, &task, error);

    if (result != APW_LDAP_OK)
        apw_search_series_clear(series);
    return result;
}

enum apw_ldap_result apw_directory_search_each(struct apw_directory *directory,
                                               const struct apw_query *query, int page_ms,
                                               apw_search_callback callback, void *context,
                                               struct apw_error *error)
{
    struct berval cookie = {0, NULL};
    struct apw_search_pages pages = {.search = {.query = *query, .cookie = &cookie},
                                     .page_ms = page_ms,
                                     .callback = callback,
                                     .context = context};
    const struct task task = {.run = apw_search_run_pages,
                              .argument = &pages,
                              .is_bound = true,
                              .deadline = apw_clock_monotonic_ms() + page_ms};
    enum apw_ldap_result result = run(directory, &task, error);

    apw_entries_free(&pages.search.entries);
    ber_memfree(cookie.bv_val);
    return result;
}

static enum apw_connection_state read_certificate(struct apw_connection *connection, void *argument,
                                                  enum apw_ldap_result *result_r,
                                                  struct apw_error *error)
{
    struct berval *certificate = argument, found = {.bv_len = 0};

    *result_r = APW_LDAP_OK;
    if (ldap_get_option(connection->ld, LDAP_OPT_X_TLS_PEERCERT, &found) != LDAP_OPT_SUCCESS ||
        found.bv_val == NULL)
        return APW_CONNECTION_GOOD; /* no TLS */
    certificate->bv_val = malloc(found.bv_len);
    if (certificate->bv_val == NULL) {
        apw_error_set(error, "out of memory");
        *result_r = APW_LDAP_UNAVAILABLE;
    } else {
        memcpy(certificate->bv_val, found.bv_val, found.bv_len);
        certificate->bv_len = found.bv_len;
    }
    ldap_memfree(found.bv_val);
    return APW_CONNECTION_GOOD;
}

enum apw_ldap_result apw_directory_certificate(struct apw_directory *directory, int64_t deadline,
                                               char **bytes_r, size_t *length_r,
                                               struct apw_error *error)
{
    struct berval certificate = {.bv_len = 0};
    const struct task task = {
        .run = read_certificate, .argument = &certificate, .is_bound = true, .deadline = deadline};
    enum apw_ldap_result result = run(directory, &task, error);

    *bytes_r = certificate.bv_val;
    *length_r = certificate.bv_len;
    return result;
}

enum apw_ldap_result apw_directory_whoami(struct apw_directory *directory, int64_t deadline,
                                          char **name_r, struct apw_error *error)
{
    const struct task task = {
        .run = apw_whoami_run, .argument = name_r, .is_bound = true, .deadline = deadline};

    *name_r = NULL;
    return run(directory, &task, error);
}

/* Binds on the kept connection. False: bind on a new one, but not at a server to which the bind was
 * sent in vain: it may have counted a wrong password. Notices a server that closes the connection
 * at the second bind; *doubtful_r is one that perhaps objects to it. */
static bool bind_on_kept(struct apw_directory *directory, struct task *task,
                         struct apw_server **doubtful_r, struct apw_error *error)
{
    struct apw_user_bind_credentials *bind = task->argument;
    struct apw_connection *kept;
    struct apw_server *server;
    enum apw_connection_state state;
    enum apw_ldap_result result;

    *doubtful_r = NULL;
    if (apw_clock_remaining_ms(task->deadline) == 0 || (kept = take_kept(directory, task)) == NULL)
        return false;
    server = kept->server;
    apw_connection_renew(kept, task->deadline);
    state = task->run(kept, task->argument, &result, error);
    if (bind->is_judged)
        atomic_store(&server->allows_rebind, true);
    if (state == APW_CONNECTION_GOOD && atomic_load(&server->allows_rebind)) {
        keep(directory, task, kept);
        return true;
    }
    if (state == APW_CONNECTION_GOOD) {
        *doubtful_r = server;
    } else if (bind->is_answered) {
        task->excluded = server;
        atomic_store(&server->failed_at, apw_clock_monotonic_ms());
    } else if (bind->is_sent) {
        task->excluded = server;
        if (!kept->transport.is_timed_out && !atomic_load(&server->allows_rebind))
            atomic_store(&server->forbids_rebind, true);
    }
    bind->result = APW_USER_BIND_UNAVAILABLE; /* until a new connection decides */
    close_lost(&kept);
    return false;
}

enum apw_user_bind apw_directory_bind_user(struct apw_directory *directory, const char *dn,
                                           const char *password, size_t password_length,
                                           int64_t deadline, struct apw_error *error)
{
    struct apw_user_bind_credentials credentials = {
        .dn = dn, .password = password, .password_length = password_length};
    struct task task = {.run = apw_user_bind_run, .argument = &credentials, .deadline = deadline};
    struct apw_server *doubtful;

    if (password_length == 0 || dn[0] == '\0')
        return APW_USER_BIND_WRONG;
    if (error != NULL)
        error->text[0] = '\0';
    if (!bind_on_kept(directory, &task, &doubtful, error)) {
        try_servers(directory, &task, error);
        if (credentials.is_judged && credentials.server == doubtful)
            atomic_store(&doubtful->forbids_rebind, true);
    }
    if (credentials.result != APW_USER_BIND_UNAVAILABLE && error != NULL)
        *error = credentials.words; /* what other servers said no longer matters */
    return credentials.result;
}

static enum apw_ldap_result run_modify(struct apw_directory *directory, struct apw_modify *modify,
                                       int64_t deadline, struct apw_error *error)
{
    const struct task task = {
        .run = apw_modify_run, .argument = modify, .is_bound = true, .deadline = deadline};

    return run(directory, &task, error);
}

enum apw_ldap_result apw_directory_modify(struct apw_directory *directory, const char *dn,
                                          const struct apw_change *changes, size_t count,
                                          int64_t deadline, struct apw_error *error)
{
    struct apw_modify modify = {.dn = dn, .changes = changes, .count = count};

    return run_modify(directory, &modify, deadline, error);
}

enum apw_ldap_result apw_directory_add(struct apw_directory *directory, const char *dn,
                                       const struct apw_change *changes, size_t count,
                                       int64_t deadline, struct apw_error *error)
{
    struct apw_modify modify = {.dn = dn, .changes = changes, .count = count, .is_new = true};

    return run_modify(directory, &modify, deadline, error);
}

enum apw_ldap_result apw_directory_delete(struct apw_directory *directory, const char *dn,
                                          int64_t deadline, struct apw_error *error)
{
    struct apw_modify modify = {.dn = dn, .is_deletion = true};

    return run_modify(directory, &modify, deadline, error);
}

enum apw_ldap_result apw_directory_modify_here(struct apw_directory *directory, const char *dn,
                                               const struct apw_change *changes, size_t count,
                                               int64_t deadline, struct apw_error *error)
{
    struct apw_modify modify = {
        .dn = dn, .changes = changes, .count = count, .is_never_forwarded = true};

    return run_modify(directory, &modify, deadline, error);
}

static int copy_servers(struct apw_directory *directory, const struct apw_uris *uris,
                        struct apw_error *error)
{
    for (unsigned i = 0; i < uris->count; i++) {
        struct apw_server *server = &directory->server[i];

        if (apw_uri_check(uris->uri[i], directory->settings.start_tls, error) != 0)
            return -1;
        server->uri = strdup(uris->uri[i]);
        if (server->uri == NULL || ldap_url_parse(server->uri, &server->url) != LDAP_URL_SUCCESS) {
            free(server->uri);
            return apw_error_set(error, "out of memory");
        }
        atomic_init(&server->failed_at, 0);
        atomic_init(&server->allows_rebind, false);
        atomic_init(&server->forbids_rebind, false);
        directory->server_count++;
    }
    return 0;
}

int apw_directory_new(const struct apw_directory_settings *settings,
                      struct apw_directory **directory_r, struct apw_error *error)
{
    struct apw_directory *directory = calloc(1, sizeof *directory);
    int version;

    *directory_r = NULL;
    if (directory == NULL)
        return apw_error_set(error, "out of memory");
    ldap_get_option(NULL, LDAP_OPT_PROTOCOL_VERSION, &version); /* libldap initializes itself */
    directory->settings = (struct apw_connection_settings){.start_tls = settings->start_tls,
                                                           .tls_min = settings->tls_min,
                                                           .timeout_ms = settings->timeout_ms,
                                                           .idle_ms = settings->idle_ms};
    atomic_init(&directory->kept, NULL);
    atomic_init(&directory->kept_for_binds, NULL);
    if (copy_servers(directory, settings->uris, error) != 0 ||
        apw_identity_copy(settings->identity, &directory->identity, error) != 0 ||
        take_tls(directory, settings, error) != 0) {
        apw_directory_free(&directory);
        return -1;
    }
    *directory_r = directory;
    return 0;
}

void apw_directory_disconnect(struct apw_directory *directory)
{
    struct apw_connection *kept = atomic_exchange(&directory->kept, NULL);
    struct apw_connection *kept_for_binds = atomic_exchange(&directory->kept_for_binds, NULL);

    apw_connection_close(&kept);
    apw_connection_close(&kept_for_binds);
}

void apw_directory_free(struct apw_directory **directory)
{
    struct apw_directory *freeing = *directory;

    *directory = NULL;
    if (freeing == NULL)
        return;
    apw_directory_disconnect(freeing);
    if (freeing->tls_handle != NULL)
        ldap_unbind_ext(freeing->tls_handle, NULL, NULL);
    for (unsigned i = 0; i < freeing->server_count; i++) {
        ldap_free_urldesc(freeing->server[i].url);
        free(freeing->server[i].uri);
    }
    apw_identity_wipe(&freeing->identity);
    free(freeing);
}
