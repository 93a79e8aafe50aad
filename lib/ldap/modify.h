/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * modify: one modify, add or delete operation: all changes or none (RFC 4511, 4.6 to 4.8).
 */
#ifndef APW_MODIFY_H
#define APW_MODIFY_H

#include "error.h"
#include "ldap/result.h"
#include <stdbool.h>
#include <stddef.h>

enum apw_change_kind { APW_CHANGE_ADD = 0, APW_CHANGE_DELETE, APW_CHANGE_REPLACE };

/* One change. */
struct apw_change {
    enum apw_change_kind kind;
    const char *attribute;
    const char *value; /* NUL-terminated; NULL for all values (DELETE and REPLACE) */
};

struct apw_modify {
    const char *dn;
    const struct apw_change *changes;
    size_t count;
    bool is_new;      /* the entry is added, with the values of the changes, which all add one */
    bool is_deletion; /* the entry is deleted; there are no changes */
    bool is_never_forwarded; /* by a replica with slapd's chain overlay: it refers instead */
};

/* An apw_operation; the argument is a struct apw_modify. Never LOST once the request is on its way:
 * it must not be sent twice. If the answer is lost, the result is APW_LDAP_UNAVAILABLE and the
 * error says that the change may have been made. */
enum apw_connection_state apw_modify_run(struct apw_connection *connection, void *argument,
                                         enum apw_ldap_result *result_r, struct apw_error *error);

#endif
