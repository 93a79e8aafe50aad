/* SPDX-License-Identifier: BSD-2-Clause */
#include "session.h"
#include "ldap/schema.h"
#include "prompt.h"
#include "say.h"
#include "secret.h"
#include "settings.h"
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

/* The checks that need no file. */
static enum apw_status check_options(const struct apw_invocation *invocation)
{
    unsigned ways = (invocation->secret_path != NULL) + invocation->is_prompting +
                    (invocation->mechanism != NULL);

    if (ways > 1)
        return apw_say_usage("-y, -W and -Y exclude each other");
    if (invocation->mechanism != NULL && strcasecmp(invocation->mechanism, "EXTERNAL") != 0)
        return apw_say_usage("-Y %s: only EXTERNAL, over ldapi, is supported",
                             invocation->mechanism);
    if (invocation->mechanism != NULL && invocation->binddn != NULL)
        return apw_say_usage("-Y EXTERNAL and -D exclude each other: the system says who you are");
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
        identity_r->method = APW_BIND_EXTERNAL;
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

/* Also true if the file cannot be examined, or its path is too long: reading it reports the error.
 */
static bool has_admin_file(const char *config_path, char path_r[PATH_MAX])
{
    return apw_settings_sibling(config_path, "admin.conf", path_r, PATH_MAX,
                                &(struct apw_error){""}) != 0 ||
           access(path_r, F_OK) == 0 || errno != ENOENT;
}

bool apw_session_is_managed(const struct apw_invocation *invocation)
{
    char path[PATH_MAX];

    return invocation->binddn != NULL || invocation->mechanism != NULL ||
           has_admin_file(invocation->config_path, path);
}

static enum apw_status read_identity(const struct apw_invocation *invocation,
                                     struct apw_identity *identity_r)
{
    struct apw_error error = {""};
    char path[PATH_MAX];

    if (invocation->binddn != NULL || invocation->mechanism != NULL)
        return read_options_identity(invocation, identity_r);
    if (!has_admin_file(invocation->config_path, path)) {
        apw_say(NULL,
                "no administrator identity: give -D DN with -W or -y FILE, or -Y EXTERNAL, or "
                "binddn and bindpw_file in %s",
                path);
        return APW_STATUS_CONFIGURATION;
    }
    if (apw_config_read_admin(invocation->config_path, identity_r, &error) == 0)
        return APW_STATUS_DONE;
    apw_say(NULL, "%s", error.text);
    return APW_STATUS_CONFIGURATION;
}

static enum apw_status open_directory(const struct apw_uris *uris,
                                      const struct apw_identity *identity,
                                      struct apw_session *session)
{
    struct apw_error error = {""};

    if (identity->method == APW_BIND_EXTERNAL && !apw_uris_are_ldapi(uris)) {
        apw_say(NULL, "EXTERNAL works over ldapi only, not with %s; give -H ldapi:///",
                uris->uri[0]);
        return APW_STATUS_CONFIGURATION;
    }
    if (apw_session_connect(session->config, uris, identity, &session->directory, &error) == 0)
        return APW_STATUS_DONE;
    apw_say(NULL, "%s", error.text);
    return APW_STATUS_CONFIGURATION;
}

/* -H. Leaves no URI if it was not given. */
static enum apw_status read_uris(const struct apw_invocation *invocation,
                                 const struct apw_config *config, struct apw_uris *uris_r)
{
    struct apw_error error = {""};

    if (invocation->uris == NULL)
        return APW_STATUS_DONE;
    if (apw_uris_parse(invocation->uris, config->start_tls, uris_r, &error) == 0 &&
        (config->directory != APW_DIRECTORY_ACTIVE_DIRECTORY ||
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
        status = read_identity(invocation, &session_r->identity);
    if (status == APW_STATUS_DONE)
        status = open_directory(uris.count > 0 ? &uris : &session_r->config->write_uris,
                                &session_r->identity, session_r);
    session_r->manager =
        (struct apw_manager){.config = session_r->config, .directory = session_r->directory};
    apw_uris_free(&uris);
    if (status != APW_STATUS_DONE)
        apw_session_close(session_r);
    return status;
}

void apw_session_close(struct apw_session *session)
{
    apw_directory_free(&session->directory);
    apw_identity_wipe(&session->identity);
    apw_config_free(&session->config);
}
