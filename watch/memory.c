/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEARTBEAT "heartbeat"
#define SESSIONS  "sessions"

static int write_all(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, text, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return -1;
        text += written;
        length -= (size_t)written;
    }
    return 0;
}

/* Readers see the old file or the new one. */
static int replace(const char *folder, const char *name, const char *text, mode_t mode,
                   struct apw_error *error)
{
    char path[PATH_MAX], temporary[PATH_MAX];
    int fd, status;

    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path ||
        snprintf(temporary, sizeof temporary, "%s/%s.new", folder, name) >= (int)sizeof temporary)
        return apw_error_set(error, "%s: the path is too long", folder);
    fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return apw_error_set(error, "%s: %s", temporary, strerror(errno));
    status = fchmod(fd, mode) == 0 && write_all(fd, text, strlen(text)) == 0 ? 0 : -1;
    if (close(fd) != 0)
        status = -1;
    if (status == 0 && rename(temporary, path) == 0)
        return 0;
    return apw_error_set(error, "%s: %s", path, strerror(errno));
}

/* ---- heartbeat ---- */

int apw_memory_write_heartbeat(const char *folder, const struct apw_heartbeat *heartbeat,
                               struct apw_error *error)
{
    char text[160];

    snprintf(text, sizeof text, "time %" PRId64 "\ninterval %" PRId64 "\nusers %zu\nwaiting %zu\n",
             heartbeat->time, heartbeat->interval, heartbeat->users, heartbeat->waiting);
    return replace(folder, HEARTBEAT, text, 0644, error);
}

int64_t apw_memory_read_heartbeat(const char *folder)
{
    char path[PATH_MAX];
    int64_t time = 0;
    FILE *file;

    if (snprintf(path, sizeof path, "%s/" HEARTBEAT, folder) >= (int)sizeof path)
        return 0;
    file = fopen(path, "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "time %" SCNd64, &time) != 1)
        time = 0;
    fclose(file);
    return time;
}

/* ---- sessions ---- */

static json_t *write_session(const struct apw_table_user *user,
                             const struct apw_table_session *session)
{
    return json_pack("{ss ss ss* ss ss ss sI ss* ss* sb}", "name", session->who.name, "username",
                     session->who.username, "field", session->who.field, "service",
                     session->who.service, "client", session->who.client, "way", session->who.way,
                     "pid", (json_int_t)session->who.pid, "ways", session->ways, "stood",
                     user->ways, "known", user->is_known);
}

static json_t *write_table(const struct apw_table *table)
{
    json_t *list = json_array();

    for (size_t i = 0; list != NULL && i < table->count; i++)
        for (size_t j = 0; list != NULL && j < table->user[i].count; j++)
            if (json_array_append_new(
                    list, write_session(&table->user[i], &table->user[i].session[j])) != 0) {
                json_decref(list);
                list = NULL;
            }
    return list;
}

int apw_memory_save(const char *folder, const struct apw_table *table, struct apw_error *error)
{
    json_t *list = write_table(table);
    char *text = list == NULL ? NULL : json_dumps(list, JSON_COMPACT);
    int status = text == NULL ? apw_error_set(error, "out of memory")
                              : replace(folder, SESSIONS, text, 0600, error);

    free(text);
    json_decref(list);
    return status;
}

static int read_session(const json_t *object, struct apw_who_session *session_r)
{
    const char *name, *username, *service, *client, *way;
    const char *field = json_string_value(json_object_get(object, "field"));
    json_int_t pid;

    if (json_unpack((json_t *)object, "{ss ss ss ss ss sI}", "name", &name, "username", &username,
                    "service", &service, "client", &client, "way", &way, "pid", &pid) != 0)
        return -1;
    snprintf(session_r->service, sizeof session_r->service, "%s", service);
    snprintf(session_r->client, sizeof session_r->client, "%s", client);
    snprintf(session_r->way, sizeof session_r->way, "%s", way);
    session_r->pid = (long)pid;
    session_r->name = strdup(name);
    session_r->username = strdup(username);
    session_r->field = field == NULL ? NULL : strdup(field);
    return session_r->name != NULL && session_r->username != NULL ? 0 : -1;
}

static char *copy_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? NULL : strdup(text);
}

/* The list was written in the order of the table. */
static void read_ways(const json_t *list, struct apw_table *table)
{
    size_t k = 0;

    for (size_t i = 0; i < table->count; i++) {
        struct apw_table_user *user = &table->user[i];

        user->ways = copy_of(json_array_get(list, k), "stood");
        for (size_t j = 0; j < user->count; j++) {
            const json_t *object = json_array_get(list, k++);

            user->session[j].ways = copy_of(object, "ways");
            user->is_known |= json_is_true(json_object_get(object, "known"));
        }
    }
}

static int read_table(const json_t *list, int64_t since, struct apw_table *table)
{
    struct apw_who who = {.count = 0};
    size_t count = json_array_size(list);
    int status = 0;

    who.session = calloc(count + 1, sizeof who.session[0]);
    if (who.session == NULL)
        return -1;
    for (size_t i = 0; status == 0 && i < count; i++)
        status = read_session(json_array_get(list, i), &who.session[who.count++]);
    if (status == 0)
        status = apw_table_update(table, &who, since);
    if (status == 0)
        read_ways(list, table);
    apw_who_free(&who);
    return status;
}

int apw_memory_load(const char *folder, int64_t since, struct apw_table *table,
                    struct apw_error *error)
{
    char path[PATH_MAX];
    json_error_t problem;
    json_t *list;
    int status;

    if (snprintf(path, sizeof path, "%s/" SESSIONS, folder) >= (int)sizeof path ||
        access(path, F_OK) != 0)
        return 0;
    list = json_load_file(path, 0, &problem);
    status = list == NULL ? -1 : read_table(list, since, table);
    json_decref(list);
    return status == 0 ? 0 : apw_error_set(error, "%s is damaged", path);
}
