/* SPDX-License-Identifier: BSD-2-Clause */
#include "ldap/modify.h"
#include "ldap/connection.h"
#include <stdlib.h>

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

static enum apw_connection_state send_and_wait(struct apw_connection *connection,
                                               const struct apw_modify *modify, LDAPMod **mods,
                                               enum apw_ldap_result *result_r,
                                               struct apw_error *error)
{
    LDAPControl *controls[] = {modify->is_never_forwarded ? &never_forward : NULL, NULL};
    struct apw_connection_outcome outcome;
    const char *dn = modify->dn;
    int message_id;

    if (ldap_modify_ext(connection->ld, dn, mods, controls, NULL, &message_id) != LDAP_SUCCESS) {
        apw_connection_note_failure(error, connection, "modify");
        return APW_CONNECTION_LOST;
    }
    if (apw_connection_wait_outcome(connection, message_id, LDAP_RES_MODIFY,
                                    "modify (it may have been made)", &outcome, error) != 0) {
        apw_connection_abandon(connection);
        return APW_CONNECTION_GOOD; /* LOST would send it again */
    }
    ldap_controls_free(outcome.controls);
    *result_r = result_of_modify(outcome.code);
    if (outcome.code == LDAP_REFERRAL)
        apw_connection_note(error, connection->server,
                            "modify %s: this server is a read-only replica; set write_uri to one "
                            "that is not",
                            dn);
    else if (*result_r != APW_LDAP_OK)
        apw_connection_note(error, connection->server, "modify %s: %s", dn, outcome.text);
    return APW_CONNECTION_GOOD;
}

enum apw_connection_state apw_modify_run(struct apw_connection *connection, void *argument,
                                         enum apw_ldap_result *result_r, struct apw_error *error)
{
    static const int operations[] = {
        [APW_CHANGE_ADD] = LDAP_MOD_ADD,
        [APW_CHANGE_DELETE] = LDAP_MOD_DELETE,
        [APW_CHANGE_REPLACE] = LDAP_MOD_REPLACE,
    };
    const struct apw_modify *modify = argument;
    struct {
        LDAPMod mod;
        char *values[2];
    } *changed = calloc(modify->count, sizeof *changed);
    LDAPMod **mods = calloc(modify->count + 1, sizeof(LDAPMod *));
    enum apw_connection_state state = APW_CONNECTION_GOOD;

    *result_r = APW_LDAP_UNAVAILABLE;
    if (changed == NULL || mods == NULL || modify->count > CHANGES_MAX) {
        apw_error_set(error, "out of memory, or more than %d changes", CHANGES_MAX);
        goto out;
    }
    for (size_t i = 0; i < modify->count; i++) {
        const struct apw_change *change = &modify->changes[i];

        changed[i].mod.mod_op = operations[change->kind];
        changed[i].mod.mod_type = (char *)change->attribute;
        changed[i].values[0] = (char *)change->value;
        changed[i].mod.mod_values = change->value == NULL ? NULL : changed[i].values;
        mods[i] = &changed[i].mod;
    }
    state = send_and_wait(connection, modify, mods, result_r, error);
out:
    free(changed);
    free(mods);
    return state;
}
