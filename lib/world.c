/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"
#include <time.h>

static enum apw_ldap_result search_directory(void *context, const struct apw_query *query,
                                             int64_t deadline, struct apw_entry **entries_r,
                                             struct apw_error *error)
{
    return apw_directory_search(context, query, deadline, entries_r, error);
}

static enum apw_ldap_result search_series(void *context, struct apw_search_series *series,
                                          int64_t deadline, struct apw_error *error)
{
    return apw_directory_search_series(context, series, deadline, error);
}

static enum apw_user_bind bind_user(void *context, const char *dn, const char *password,
                                    size_t password_length, int64_t deadline,
                                    struct apw_error *error)
{
    return apw_directory_bind_user(context, dn, password, password_length, deadline, error);
}

static int64_t now(void *context)
{
    (void)context;
    return time(NULL);
}

struct apw_world apw_world_of(struct apw_directory *directory)
{
    return (struct apw_world){.search = search_directory,
                              .search_series = search_series,
                              .bind_user = bind_user,
                              .now = now,
                              .context = directory};
}
