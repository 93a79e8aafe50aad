/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session: the configuration, and the directory as the administrator sees it.
 */
#ifndef APW_SESSION_H
#define APW_SESSION_H

#include "config.h"
#include "error.h"
#include "invocation.h"
#include "ldap/directory.h"
#include "status.h"
#include "user.h"
#include <stdbool.h>

struct apw_session {
    struct apw_config *config;
    struct apw_identity identity; /* the administrator's, where our attributes are */
    struct apw_identity reader;   /* with a store: who reads the users' directory for it */
    struct apw_directory *directory;
    struct apw_directory *store; /* NULL without one */
    struct apw_manager manager;  /* borrows configuration and directories */
};

/* Whether options or admin.conf name an administrator. */
bool apw_session_is_managed(const struct apw_invocation *invocation);

/* Reads the files and, with -W, asks for the password; does not connect yet. If the result is not
 * APW_STATUS_DONE, it has printed why, and there is nothing to close. */
enum apw_status apw_session_open(const struct apw_invocation *invocation,
                                 struct apw_session *session_r);
/* For a command about many users: fails, with a message, if the directory refuses the bind, because
 * each further attempt would count as a wrong password. */
enum apw_status apw_session_check_bind(const struct apw_session *session);
void apw_session_close(struct apw_session *session);

/* A directory for `config`, as `identity`, at `uris`. */
int apw_session_connect(const struct apw_config *config, const struct apw_uris *uris,
                        const struct apw_identity *identity, struct apw_directory **directory_r,
                        struct apw_error *error);

/* The same for the one with our attributes, which may be a store. */
int apw_session_connect_holder(const struct apw_config *config, const struct apw_uris *uris,
                               const struct apw_identity *identity,
                               struct apw_directory **directory_r, struct apw_error *error);

#endif
