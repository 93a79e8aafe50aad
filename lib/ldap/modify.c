/* SPDX-License-Identifier: BSD-2-Clause */
#include "ldap/modify.h"
#include "ldap/connection.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CHANGES_MAX 2048

static enum apw_ldap_result result_of_modify(int code)
{
    switch (code) {
    case LDAP_SUCCESS:
        return APW_LDAP_OK;
    case LDAP_NO_SUCH_OBJECT:
        return APW_LDAP_NO_SUCH_OBJECT;
    case LDAP_NO_SUCH_ATTRIBUTE:
    case LDAP_TYPE_OR_VALUE_EXISTS:
    case LDAP_ALREADY_EXISTS:
        return APW_LDAP_CONFLICT;
    case LDAP_INSUFFICIENT_ACCESS:
        return APW_LDAP_NOT_PERMITTED;
    case LDAP_REFERRAL:
    case LDAP_UNWILLING_TO_PERFORM:
        return APW_LDAP_READ_ONLY;
    case LDAP_BUSY:
    case LDAP_UNAVAILABLE:
        return APW_LDAP_UNAVAILABLE;
    default:
        return APW_LDAP_REFUSED;
    }
}

/* The chaining behavior control (draft-sermersheim-ldap-chaining) with resolveBehavior
 * referralsRequired. Not critical: a server that does not know it does not forward. */
static LDAPControl never_forward = {
    .ldctl_oid = (char *)LDAP_CONTROL_X_CHAINING_BEHAVIOR,
    .ldctl_value = {.bv_len = 5, .bv_val = (char[]){0x30, 3, 0x0a, 1, LDAP_REFERRALS_REQUIRED}},
};

/* How the operation is called, and what it is answered with. */
struct verb {
    const char *name;
    const char *waiting;
    int answer;
};

static const struct verb *verb_of(const struct apw_modify *modify)
{
    static const struct verb add = {"add", "add (it may have been made)", LDAP_RES_ADD},
                             delete = {"delete", "delete (it may have been made)", LDAP_RES_DELETE},
                             change = {"modify", "modify (it may have been made)", LDAP_RES_MODIFY};

    if (modify->is_deletion)
        return &delete;
    return modify->is_new ? &add : &change;
}

static int send_request(struct apw_connection *connection, const struct apw_modify *modify,
                        LDAPMod **mods, int *message_id_r)
{
    LDAPControl *controls[] = {modify->is_never_forwarded ? &never_forward : NULL, NULL};

    if (modify->is_deletion)
        return ldap_delete_ext(connection->ld, modify->dn, controls, NULL, message_id_r);
    return modify->is_new
               ? ldap_add_ext(connection->ld, modify->dn, mods, controls, NULL, message_id_r)
               : ldap_modify_ext(connection->ld, modify->dn, mods, controls, NULL, message_id_r);
}

static enum apw_connection_state send_and_wait(struct apw_connection *connection,
                                               const struct apw_modify *modify, LDAPMod **mods,
                                               enum apw_ldap_result *result_r,
                                               struct apw_error *error)
{
    const struct verb *verb = verb_of(modify);
    struct apw_connection_outcome outcome;
    int message_id;

    if (send_request(connection, modify, mods, &message_id) != LDAP_SUCCESS) {
        apw_connection_note_failure(error, connection, verb->name);
        return APW_CONNECTION_LOST;
    }
    if (apw_connection_wait_outcome(connection, message_id, verb->answer, verb->waiting, &outcome,
                                    error) != 0) {
        apw_connection_abandon(connection);
        return APW_CONNECTION_GOOD; /* LOST would send it again */
    }
    ldap_controls_free(outcome.controls);
    *result_r = result_of_modify(outcome.code);
    if (outcome.code == LDAP_REFERRAL)
        apw_connection_note(error, connection->server,
                            "%s %s: this server is a read-only replica; set write_uri to one that "
                            "is not",
                            verb->name, modify->dn);
    else if (*result_r != APW_LDAP_OK)
        apw_connection_note(error, connection->server, "%s %s: %s", verb->name, modify->dn,
                            outcome.text);
    return APW_CONNECTION_GOOD;
}

static bool is_same_attribute(const struct apw_modify *modify, size_t left, size_t right)
{
    return strcasecmp(modify->changes[left].attribute, modify->changes[right].attribute) == 0;
}

/* Whether an earlier change has the same attribute. */
static bool is_repeated(const struct apw_modify *modify, size_t change)
{
    for (size_t i = 0; i < change; i++)
        if (is_same_attribute(modify, i, change))
            return true;
    return false;
}

/* Lists the value of the change and, in a new entry, all others of its attribute, which must be
 * named once (RFC 4511, 4.7). Returns the end of the list. */
static char **list_values(const struct apw_modify *modify, size_t change, char **values)
{
    size_t end = modify->is_new ? modify->count : change + 1;

    for (size_t i = change; i < end; i++)
        if (is_same_attribute(modify, i, change))
            *values++ = (char *)modify->changes[i].value;
    *values++ = NULL;
    return values;
}

/* Fills `mod`; `values` has room for two pointers for each change. Returns the number of mods. */
static size_t collect(const struct apw_modify *modify, LDAPMod *mod, char **values)
{
    static const int operations[] = {
        [APW_CHANGE_ADD] = LDAP_MOD_ADD,
        [APW_CHANGE_DELETE] = LDAP_MOD_DELETE,
        [APW_CHANGE_REPLACE] = LDAP_MOD_REPLACE,
    };
    size_t count = 0;

    for (size_t i = 0; i < modify->count; i++) {
        const struct apw_change *change = &modify->changes[i];

        if (modify->is_new && is_repeated(modify, i))
            continue;
        mod[count] =
            (LDAPMod){.mod_op = operations[change->kind], .mod_type = (char *)change->attribute};
        if (change->value != NULL) {
            mod[count].mod_values = values;
            values = list_values(modify, i, values);
        }
        count++;
    }
    return count;
}

enum apw_connection_state apw_modify_run(struct apw_connection *connection, void *argument,
                                         enum apw_ldap_result *result_r, struct apw_error *error)
{
    const struct apw_modify *modify = argument;
    LDAPMod *mod = calloc(modify->count + 1, sizeof *mod); /* a deletion has no changes */
    LDAPMod **mods = calloc(modify->count + 1, sizeof(LDAPMod *));
    char **values = calloc(2 * modify->count + 1, sizeof *values);
    enum apw_connection_state state = APW_CONNECTION_GOOD;
    size_t count;

    *result_r = APW_LDAP_UNAVAILABLE;
    if (mod == NULL || mods == NULL || values == NULL || modify->count > CHANGES_MAX) {
        apw_error_set(error, "out of memory, or more than %d changes", CHANGES_MAX);
        goto out;
    }
    count = collect(modify, mod, values);
    for (size_t i = 0; i < count; i++)
        mods[i] = &mod[i];
    state = send_and_wait(connection, modify, mods, result_r, error);
out:
    free(mod);
    free(mods);
    free(values);
    return state;
}
