/* SPDX-License-Identifier: BSD-2-Clause */
#include "session.h"
#include "admin_config.h"
#include "admin_file.h"
#include "ldap/schema.h"
#include "prompt.h"
#include "rights.h"
#include "say.h"
#include "secret.h"
#include "settings.h"
#include "trail.h"
#include <errno.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

int apw_session_connect(const struct apw_config *config, const struct apw_uris *uris,
                        const struct apw_identity *identity, struct apw_directory **directory_r,
                        struct apw_error *error)
{
    const struct apw_directory_settings settings =
        apw_config_directory_settings(config, uris, identity);

    return apw_directory_new(&settings, directory_r, error);
}

int apw_session_connect_holder(const struct apw_config *config, const struct apw_uris *uris,
                               const struct apw_identity *identity,
                               struct apw_directory **directory_r, struct apw_error *error)
{
    const struct apw_directory_settings settings =
        apw_config_has_store(config) ? apw_config_store_settings(config, uris, identity)
                                     : apw_config_directory_settings(config, uris, identity);

    return apw_directory_new(&settings, directory_r, error);
}

static bool is_external(const struct apw_invocation *invocation)
{
    return strcasecmp(invocation->mechanism, "EXTERNAL") == 0;
}

/* The checks that need no file. */
static enum apw_status check_options(const struct apw_invocation *invocation)
{
    unsigned ways = (invocation->secret_path != NULL) + invocation->is_prompting +
                    (invocation->mechanism != NULL);

    if (ways > 1)
        return apw_say_usage("-y, -W and -Y exclude each other");
    if (invocation->mechanism != NULL && !is_external(invocation) &&
        strcasecmp(invocation->mechanism, "GSSAPI") != 0)
        return apw_say_usage("-Y %s: must be EXTERNAL, over ldapi, or GSSAPI",
                             invocation->mechanism);
    if (invocation->mechanism != NULL && invocation->binddn != NULL)
        return apw_say_usage("-Y %s and -D exclude each other: the %s says who you are",
                             invocation->mechanism,
                             is_external(invocation) ? "system" : "Kerberos ticket");
    if (invocation->mechanism == NULL && ways == 1 && invocation->binddn == NULL)
        return apw_say_usage("%s needs the DN that the password belongs to: give -D DN",
                             invocation->is_prompting ? "-W" : "-y");
    if (invocation->binddn != NULL && ways == 0)
        return apw_say_usage("-D needs the password of that DN: give -W or -y FILE");
    if (invocation->binddn != NULL && !apw_schema_is_dn(invocation->binddn))
        return apw_say_usage("-D \"%s\" is not a DN like cn=admin,dc=example,dc=org",
                             invocation->binddn);
    return APW_STATUS_DONE;
}

static int ask_for_secret(const char *dn, char **secret_r, struct apw_error *error)
{
    size_t size = APW_SECRET_BYTES_MAX + 1, length = 0;
    char *buffer = calloc(1, size);
    char question[512];

    *secret_r = NULL;
    if (buffer == NULL)
        return apw_error_set(error, "out of memory");
    snprintf(question, sizeof question, "Password of %.480s: ", dn);
    if (apw_prompt_terminal(question, buffer, size, &length, error) != 0)
        goto failed;
    if (length == 0 || length > APW_SECRET_BYTES_MAX || memchr(buffer, '\0', length) != NULL) {
        apw_error_set(error, "the password must have 1 to %d bytes", APW_SECRET_BYTES_MAX);
        goto failed;
    }
    buffer[length] = '\0';
    *secret_r = buffer;
    return 0;

failed:
    sodium_memzero(buffer, size);
    free(buffer);
    return -1;
}

static enum apw_status read_options_identity(const struct apw_invocation *invocation,
                                             struct apw_identity *identity_r)
{
    struct apw_error error = {""};
    int status;

    if (invocation->mechanism != NULL) {
        identity_r->method = is_external(invocation) ? APW_BIND_EXTERNAL : APW_BIND_GSSAPI;
        return APW_STATUS_DONE;
    }
    identity_r->method = APW_BIND_SIMPLE;
    identity_r->dn = strdup(invocation->binddn);
    if (identity_r->dn == NULL)
        status = apw_error_set(&error, "out of memory");
    else if (invocation->is_prompting)
        status = ask_for_secret(invocation->binddn, &identity_r->password, &error);
    else
        status = apw_secret_read(invocation->secret_path, &identity_r->password, &error);
    if (status == 0)
        return APW_STATUS_DONE;
    apw_say(NULL, "%s", error.text);
    return APW_STATUS_CONFIGURATION;
}

bool apw_session_is_managed(const struct apw_invocation *invocation)
{
    struct apw_admin_file file;

    apw_admin_file_find(invocation, &file);
    return invocation->binddn != NULL || invocation->mechanism != NULL || file.exists;
}

/* Names where an administrator's identity may come from. */
static enum apw_status say_no_identity(const struct apw_invocation *invocation,
                                       const struct apw_config *config, const char *admin_path)
{
    bool has_store = apw_config_has_store(config);

    apw_say(NULL,
            "no administrator identity%s: give -D DN with -W or -y FILE, or -Y GSSAPI%s, or set "
            "%sbinddn in %s%s",
            has_store ? " in the store" : "", has_store ? "" : ", or -Y EXTERNAL",
            has_store ? "store_" : "",
            invocation->is_default_config ? "~/.config/app-password/admin.conf or " : "",
            admin_path);
    return APW_STATUS_CONFIGURATION;
}

/* Often only root may read the file of the whole host. */
static enum apw_status say_unreadable(const struct apw_admin_file *file,
                                      const struct apw_error *error)
{
    bool is_denied = !file->is_personal && access(file->path, R_OK) != 0 && errno == EACCES;

    apw_say(NULL, "%s%s", error->text,
            is_denied ? "; give -D DN with -W, or -Y GSSAPI, or make a file of your own: "
                        "~/.config/app-password/admin.conf"
                      : "");
    return APW_STATUS_CONFIGURATION;
}

/* The identities of admin.conf, if there is one. */
static enum apw_status read_admin(const struct apw_invocation *invocation,
                                  const struct apw_config *config, struct apw_admin_config *admin_r,
                                  struct apw_admin_file *file_r)
{
    struct apw_error error = {""};

    apw_admin_file_find(invocation, file_r);
    if (!file_r->exists || apw_admin_config_read(file_r->path, apw_config_has_store(config),
                                                 file_r->is_personal, admin_r, &error) == 0)
        return APW_STATUS_DONE;
    return say_unreadable(file_r, &error);
}

/* Moves the identity to its owner. */
static void take(struct apw_identity *from, struct apw_identity *to_r)
{
    *to_r = *from;
    *from = (struct apw_identity){.dn = NULL};
}

/* Asks for the password if a file names a DN without one. `path` is that file. */
static enum apw_status complete(struct apw_identity *identity, const char *path)
{
    struct apw_error error = {""};

    if (!apw_identity_needs_password(identity) ||
        ask_for_secret(identity->dn, &identity->password, &error) == 0)
        return APW_STATUS_DONE;
    apw_say(NULL, "%s names no file with the password of %s: %s", path, identity->dn, error.text);
    return APW_STATUS_CONFIGURATION;
}

/* The identity in the users' directory, if there is a store: only for reading, and therefore that
 * of the mail server unless admin.conf has another. */
static enum apw_status read_reader(const struct apw_invocation *invocation,
                                   struct apw_admin_config *admin, struct apw_identity *reader_r)
{
    struct apw_error error = {""};

    if (apw_identity_is_set(&admin->users)) {
        take(&admin->users, reader_r);
        return APW_STATUS_DONE;
    }
    if (apw_config_read_identity(invocation->config_path, reader_r, &error) == 0)
        return APW_STATUS_DONE;
    apw_say(NULL, "%s", error.text);
    return APW_STATUS_CONFIGURATION;
}

/* Options come before admin.conf. `reader_r` stays empty without a store. */
static enum apw_status read_identities(const struct apw_invocation *invocation,
                                       const struct apw_config *config,
                                       struct apw_identity *identity_r,
                                       struct apw_identity *reader_r)
{
    bool has_options = invocation->binddn != NULL || invocation->mechanism != NULL;
    bool has_store = apw_config_has_store(config);
    struct apw_admin_config admin = {.users = {.dn = NULL}};
    struct apw_admin_file file = {.path = ""};
    enum apw_status status = APW_STATUS_DONE;

    if (has_store || !has_options)
        status = read_admin(invocation, config, &admin, &file);
    if (status == APW_STATUS_DONE && has_options)
        status = read_options_identity(invocation, identity_r);
    else if (status == APW_STATUS_DONE)
        take(has_store ? &admin.store : &admin.users, identity_r);
    if (status == APW_STATUS_DONE && !apw_identity_is_set(identity_r))
        status = say_no_identity(invocation, config, file.path);
    if (status == APW_STATUS_DONE && has_store)
        status = read_reader(invocation, &admin, reader_r);
    if (status == APW_STATUS_DONE)
        status = complete(identity_r, file.path);
    if (status == APW_STATUS_DONE)
        status = complete(reader_r, file.path);
    apw_admin_config_wipe(&admin);
    return status;
}

/* Opens the directory with our attributes at `uris`. */
static enum apw_status open_holder(const struct apw_uris *uris, struct apw_session *session)
{
    const struct apw_identity *identity = &session->identity;
    struct apw_error error = {""};

    if (identity->method == APW_BIND_EXTERNAL && !apw_uris_are_ldapi(uris)) {
        apw_say(NULL, "EXTERNAL works over ldapi only, not with %s; give -H ldapi:///",
                uris->uri[0]);
        return APW_STATUS_CONFIGURATION;
    }
    if (apw_session_connect_holder(session->config, uris, identity,
                                   apw_config_has_store(session->config) ? &session->store
                                                                         : &session->directory,
                                   &error) == 0)
        return APW_STATUS_DONE;
    apw_say(NULL, "%s", error.text);
    return APW_STATUS_CONFIGURATION;
}

/* Opens the users' directory besides the store. */
static enum apw_status open_users(struct apw_session *session)
{
    struct apw_error error = {""};

    if (apw_session_connect(session->config, &session->config->uris, &session->reader,
                            &session->directory, &error) == 0)
        return APW_STATUS_DONE;
    apw_say(NULL, "%s", error.text);
    return APW_STATUS_CONFIGURATION;
}

/* -H. Leaves no URI if it was not given. */
static enum apw_status read_uris(const struct apw_invocation *invocation,
                                 const struct apw_config *config, struct apw_uris *uris_r)
{
    bool start_tls = apw_config_has_store(config) ? config->store.start_tls : config->start_tls;
    struct apw_error error = {""};

    if (invocation->uris == NULL)
        return APW_STATUS_DONE;
    if (apw_uris_parse(invocation->uris, start_tls, uris_r, &error) == 0 &&
        (apw_config_holder(config) != APW_DIRECTORY_ACTIVE_DIRECTORY ||
         apw_uris_check_catalog(uris_r, &error) == 0))
        return APW_STATUS_DONE;
    return apw_say_usage("-H: %s", error.text);
}

enum apw_status apw_session_open(const struct apw_invocation *invocation,
                                 struct apw_session *session_r)
{
    enum apw_status status = check_options(invocation);
    struct apw_uris uris = {.count = 0};
    struct apw_error error = {""};

    memset(session_r, 0, sizeof *session_r);
    if (status != APW_STATUS_DONE)
        return status;
    if (apw_config_read_without_identity(invocation->config_path, &session_r->config, &error) !=
        0) {
        apw_say(NULL, "%s", error.text);
        return APW_STATUS_CONFIGURATION;
    }
    status = read_uris(invocation, session_r->config, &uris);
    if (status == APW_STATUS_DONE)
        status = read_identities(invocation, session_r->config, &session_r->identity,
                                 &session_r->reader);
    if (status == APW_STATUS_DONE)
        status = open_holder(
            uris.count > 0 ? &uris : apw_config_holder_write_uris(session_r->config), session_r);
    if (status == APW_STATUS_DONE && apw_config_has_store(session_r->config))
        status = open_users(session_r);
    session_r->manager = (struct apw_manager){
        .config = session_r->config,
        .directory = session_r->directory,
        .store = session_r->store,
        .explained = &session_r->identity,
    };
    apw_uris_free(&uris);
    if (status == APW_STATUS_DONE)
        apw_trail_begin(&session_r->manager, &session_r->identity);
    else
        apw_session_close(session_r);
    return status;
}

enum apw_status apw_session_check_bind(const struct apw_session *session)
{
    struct apw_error error = {""};
    enum apw_manage_result result = apw_rights_check_bind(&session->manager, &error);

    if (result != APW_MANAGE_DONE)
        apw_say(NULL, "%s", error.text);
    return apw_status_of(result);
}

void apw_session_close(struct apw_session *session)
{
    apw_trail_end(&session->manager);
    apw_directory_free(&session->directory);
    apw_directory_free(&session->store);
    apw_identity_wipe(&session->identity);
    apw_identity_wipe(&session->reader);
    apw_config_free(&session->config);
}
