/* SPDX-License-Identifier: BSD-2-Clause */
#include "trail.h"
#include "log.h"
#include "manage.h"
#include "say.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A program has one, like its standard error. */
static struct {
    const struct apw_manager *manager; /* NULL: there is none */
    const struct apw_identity *identity;
    struct apw_log *log;        /* opened with the first line */
    struct apw_error objection; /* why it is not the configured one, or "" */
    char *actor;                /* NULL: not known yet, or the directory does not tell */
    bool has_asked;
} trail;

void apw_trail_begin(const struct apw_manager *manager, const struct apw_identity *identity)
{
    if (trail.manager != NULL)
        return;
    trail.manager = manager;
    trail.identity = identity;
}

/* ---- the log ---- */

static int open_configured(const struct apw_config *config)
{
    if (config->log_file != NULL && access(config->log_file, F_OK) != 0)
        return apw_error_set(&trail.objection, "log %s: %s", config->log_file, strerror(errno));
    return apw_log_open_own(config, &trail.log, &trail.objection);
}

/* Whether there is a log. */
static bool open_log(void)
{
    struct apw_error error = {""};

    if (trail.log != NULL || open_configured(trail.manager->config) == 0)
        return true;
    if (apw_log_open_own(NULL, &trail.log, &error) == 0) {
        apw_log_warning(trail.log, trail.objection.text);
        return true;
    }
    apw_say(NULL, "the change is not logged: %s", error.text);
    return false;
}

/* ---- the administrator ---- */

/* A server that did not answer the change would not answer this either. */
static const char *find_actor(bool is_answering)
{
    const struct apw_manager *manager = trail.manager;
    struct apw_error error = {""};

    if (trail.identity->method == APW_BIND_SIMPLE)
        return trail.identity->dn;
    if (!trail.has_asked && is_answering) {
        trail.has_asked = true;
        apw_directory_whoami(manager->store != NULL ? manager->store : manager->directory,
                             apw_user_deadline(manager), &trail.actor, &error);
    }
    return trail.actor;
}

/* ---- the lines ---- */

void apw_trail_add(const struct apw_audit *change, enum apw_manage_result result)
{
    struct apw_audit audit = *change;
    struct apw_error loss;

    if (trail.manager == NULL || trail.manager->is_dry_run || result == APW_MANAGE_UNCHANGED ||
        !open_log())
        return;
    audit.actor = find_actor(result != APW_MANAGE_UNAVAILABLE);
    audit.is_done = result == APW_MANAGE_DONE;
    apw_log_audit(trail.log, &audit);
    if (apw_log_take_loss(trail.log, &loss) && trail.objection.text[0] != '\0')
        apw_say(NULL, "the change is not logged: %s", trail.objection.text);
}

struct all {
    const char *login;
    size_t count;
};

static void add_id(void *context, const char *id)
{
    struct all *all = context;

    all->count++;
    apw_trail_add(&(struct apw_audit){.action = APW_AUDIT_REVOKE, .user = all->login, .id = id},
                  APW_MANAGE_DONE);
}

void apw_trail_add_all(const char *login, const struct apw_user *user,
                       enum apw_manage_result result, const struct apw_error *error)
{
    struct all all = {.login = login};

    if (result == APW_MANAGE_DONE)
        apw_manage_each_id(user, add_id, &all);
    if (all.count == 0) /* a failure, or values that this identity cannot read */
        apw_trail_add(
            &(struct apw_audit){.action = APW_AUDIT_REVOKE, .user = login, .error = error->text},
            result);
}

void apw_trail_end(const struct apw_manager *manager)
{
    if (trail.manager != manager)
        return;
    apw_log_close(&trail.log);
    free(trail.actor);
    memset(&trail, 0, sizeof trail);
}
