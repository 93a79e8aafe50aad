/* SPDX-License-Identifier: BSD-2-Clause */
#include "wait.h"
#include "clock.h"
#include "record.h"
#include "say.h"
#include "tombstone.h"
#include <string.h>

#define SERVERS_MAX   (2 * APW_URIS_MAX)
#define FIRST_WAIT_MS 50
#define LAST_WAIT_MS  1000

/* One server and its progress. */
struct server {
    const char *uri;
    struct apw_directory *directory;
    size_t shown; /* how many of the revocations */
    struct apw_error error;
};

/* A server's view of a revocation. */
struct sight {
    bool has_password; /* a value with the id that is not a tombstone; with "", any */
    bool has_tombstone;
};

static struct sight look(const struct apw_entry *entry, const char *id)
{
    const struct apw_attribute *values = apw_entry_attribute(entry, "appPassword");
    struct sight sight = {.has_password = false};

    for (size_t i = 0; values != NULL && i < values->count; i++) {
        char value_id[APW_ID_LENGTH + 1];
        struct apw_tombstone tombstone;

        if (apw_tombstone_parse(values->value[i].bytes, values->value[i].length, &tombstone) == 0)
            sight.has_tombstone |= strcmp(tombstone.id, id) == 0;
        else if (*id == '\0' || (apw_record_parse_id(values->value[i].bytes,
                                                     values->value[i].length, value_id) == 0 &&
                                 strcmp(value_id, id) == 0))
            sight.has_password = true;
    }
    return sight;
}

/* Whether the entry shows the revocation; if not, server->error says why. An entry without
 * either is not enough: the app password may still arrive there, before its tombstone. */
static bool shows(struct server *server, const struct apw_revocation *revocation,
                  const struct apw_entry *entry)
{
    struct sight sight;

    if (entry == NULL) {
        apw_error_set(&server->error, "%s: has no entry %s", server->uri, revocation->dn);
        return false;
    }
    sight = look(entry, revocation->id);
    if (sight.has_password)
        apw_error_set(&server->error, "%s: still has %s of %s", server->uri,
                      revocation->id[0] != '\0' ? revocation->id : "app passwords", revocation->dn);
    else if (revocation->id[0] != '\0' && !sight.has_tombstone)
        apw_error_set(&server->error, "%s: does not show yet that %s of %s was revoked",
                      server->uri, revocation->id, revocation->dn);
    else
        return true;
    return false;
}

/* Whether the server shows the revocation; if not, server->error says why. */
static bool is_revoked(const struct apw_session *session, struct server *server,
                       const struct apw_revocation *revocation)
{
    static const char *const attributes[] = {"appPassword", NULL};
    struct apw_entry *entry = NULL;
    const struct apw_query query = {.base = revocation->dn,
                                    .scope = APW_SCOPE_BASE,
                                    .filter = "(objectClass=*)",
                                    .attributes = attributes,
                                    .limit = 1};
    enum apw_ldap_result result = apw_directory_search(
        server->directory, &query, apw_user_deadline(&session->manager), &entry, &server->error);
    bool is_shown = (result == APW_LDAP_OK || result == APW_LDAP_NO_SUCH_OBJECT) &&
                    shows(server, revocation, entry);

    apw_entries_free(&entry);
    return is_shown;
}

/* Continues after the last one that was shown; true when all are. */
static bool is_done(const struct apw_session *session, struct server *server,
                    const struct apw_revocations *revocations)
{
    while (server->shown < revocations->count &&
           is_revoked(session, server, &revocations->item[server->shown]))
        server->shown++;
    return server->shown == revocations->count;
}

/* Opens one directory for each distinct URI. */
static enum apw_status open_servers(const struct apw_session *session, struct server *servers,
                                    size_t *count_r)
{
    char *uris[SERVERS_MAX];
    size_t count = apw_uris_unite(apw_config_holder_uris(session->config),
                                  apw_config_holder_write_uris(session->config), uris);

    for (*count_r = 0; *count_r < count; (*count_r)++) {
        struct server *server = &servers[*count_r];
        const struct apw_uris alone = {.count = 1, .uri = {uris[*count_r]}};

        server->uri = uris[*count_r];
        if (apw_session_connect_holder(session->config, &alone, &session->identity,
                                       &server->directory, &server->error) != 0) {
            apw_say(NULL, "--wait: %s", server->error.text);
            return APW_STATUS_CONFIGURATION;
        }
    }
    return APW_STATUS_DONE;
}

static size_t count_behind(const struct apw_session *session, struct server *servers, size_t count,
                           const struct apw_revocations *revocations)
{
    size_t behind = 0;

    for (size_t i = 0; i < count; i++)
        behind += !is_done(session, &servers[i], revocations);
    return behind;
}

static enum apw_status wait_for(const struct apw_session *session, struct server *servers,
                                size_t count, const struct apw_revocations *revocations,
                                int64_t seconds)
{
    int64_t deadline = apw_clock_monotonic_ms() + seconds * 1000, pause = FIRST_WAIT_MS;

    while (count_behind(session, servers, count, revocations) > 0) {
        int64_t remaining = apw_clock_remaining_ms(deadline);

        if (remaining == 0) {
            for (size_t i = 0; i < count; i++)
                if (servers[i].shown < revocations->count)
                    apw_say(NULL, "--wait: %s", servers[i].error.text);
            return APW_STATUS_UNAVAILABLE;
        }
        apw_clock_sleep_until_ms(apw_clock_monotonic_ms() +
                                 (pause < remaining ? pause : remaining));
        pause = pause * 2 < LAST_WAIT_MS ? pause * 2 : LAST_WAIT_MS;
    }
    return APW_STATUS_DONE;
}

enum apw_status apw_wait(const struct apw_session *session,
                         const struct apw_revocations *revocations, int64_t seconds)
{
    struct server servers[SERVERS_MAX] = {{.uri = NULL}};
    size_t count;
    enum apw_status status = open_servers(session, servers, &count);

    if (status == APW_STATUS_DONE)
        status = wait_for(session, servers, count, revocations, seconds);
    for (size_t i = 0; i < count; i++)
        apw_directory_free(&servers[i].directory);
    return status;
}
