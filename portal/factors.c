/* SPDX-License-Identifier: BSD-2-Clause */
#include "factors.h"
#include "browser_record.h"
#include "enrolment.h"
#include "guesses.h"
#include "invitation.h"
#include "method_seal.h"
#include "reminder.h"
#include "reset.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

static bool is_other_value(const struct apw_value *value)
{
    return apw_method_is_code(value->bytes, value->length) ||
           apw_guesses_is_value(value->bytes, value->length) ||
           apw_browser_record_is_value(value->bytes, value->length) ||
           apw_invitation_is_value(value->bytes, value->length) ||
           apw_reminder_is_value(value->bytes, value->length) ||
           apw_reset_is_value(value->bytes, value->length);
}

static int read_one(const struct apw_portal *portal, const struct apw_user *user,
                    const struct apw_value *value, struct apw_factors *factors,
                    struct apw_error *error)
{
    struct apw_factor *factor = &factors->factor[factors->count];

    if (apw_method_open(value->bytes, value->length, portal->portal_config->key, user->unique_id,
                        &factor->method, error) != 0)
        return apw_error_set(error,
                             "%s: %s; restore the portal.key that sealed it, or let "
                             "app-password mfa reset remove it",
                             user->dn, error->text);
    if (apw_factors_find(factors, factor->method.id) != NULL)
        return apw_error_set(error,
                             "%s has two second factors with the same id; app-password mfa reset "
                             "removes both",
                             user->dn);
    factor->value = value->bytes;
    factor->is_allowed = portal->portal_config->factors.allows[factor->method.kind];
    factors->count++;
    return 0;
}

static int compare(const void *left, const void *right)
{
    const struct apw_method *a = &((const struct apw_factor *)left)->method;
    const struct apw_method *b = &((const struct apw_factor *)right)->method;

    int order = (a->since > b->since) - (a->since < b->since);

    return order != 0 ? order : strcmp(a->id, b->id);
}

int apw_factors_read(const struct apw_portal *portal, const struct apw_user *user,
                     struct apw_factors *factors_r, struct apw_error *error)
{
    memset(factors_r, 0, sizeof *factors_r);
    if (user->method.count == 0)
        return 0;
    factors_r->factor = calloc(user->method.count, sizeof *factors_r->factor);
    if (factors_r->factor == NULL)
        return apw_error_set(error, "out of memory");
    for (size_t i = 0; i < user->method.count; i++) {
        const struct apw_value *value = &user->method.value[i];

        if (!is_other_value(value) && read_one(portal, user, value, factors_r, error) != 0) {
            apw_factors_free(factors_r);
            return -1;
        }
    }
    qsort(factors_r->factor, factors_r->count, sizeof *factors_r->factor, compare);
    return 0;
}

void apw_factors_free(struct apw_factors *factors)
{
    if (factors->factor != NULL)
        sodium_memzero(factors->factor, factors->count * sizeof *factors->factor);
    free(factors->factor);
    memset(factors, 0, sizeof *factors);
}

/* ---- finding ---- */

const struct apw_factor *apw_factors_find(const struct apw_factors *factors, const char *id)
{
    for (size_t i = 0; i < factors->count; i++)
        if (strcmp(factors->factor[i].method.id, id) == 0)
            return &factors->factor[i];
    return NULL;
}

/* Recovery codes are for somebody who has lost the others. */
static bool is_usual(const struct apw_factor *factor)
{
    return factor->is_allowed && factor->method.kind != APW_METHOD_RECOVERY;
}

int64_t apw_factors_last_use(const struct apw_method *method)
{
    return method->used > method->since ? method->used : method->since;
}

const struct apw_factor *apw_factors_usual(const struct apw_factors *factors)
{
    const struct apw_factor *found = NULL;

    for (size_t i = 0; i < factors->count; i++) {
        const struct apw_factor *factor = &factors->factor[i];

        if (is_usual(factor) && (found == NULL || apw_factors_last_use(&factor->method) >=
                                                      apw_factors_last_use(&found->method)))
            found = factor;
    }
    return found != NULL ? found : apw_factors_of_kind(factors, APW_METHOD_RECOVERY);
}

const struct apw_factor *apw_factors_of_kind(const struct apw_factors *factors,
                                             enum apw_method_kind kind)
{
    for (size_t i = factors->count; i > 0; i--)
        if (factors->factor[i - 1].method.kind == kind && factors->factor[i - 1].is_allowed)
            return &factors->factor[i - 1];
    return NULL;
}

const struct apw_factor *apw_factors_other(const struct apw_factors *factors,
                                           const struct apw_factor *factor)
{
    for (size_t i = 0; i < factors->count; i++)
        if (&factors->factor[i] != factor && is_usual(&factors->factor[i]))
            return &factors->factor[i];
    return NULL;
}

int64_t apw_factors_newest(const struct apw_factors *factors)
{
    for (size_t i = factors->count; i > 0; i--)
        if (factors->factor[i - 1].method.kind != APW_METHOD_RECOVERY)
            return factors->factor[i - 1].method.since;
    return 0;
}

size_t apw_factors_count(const struct apw_factors *factors)
{
    size_t count = 0;

    for (size_t i = 0; i < factors->count; i++)
        count += factors->factor[i].method.kind != APW_METHOD_RECOVERY;
    return count;
}

/* ---- changing ---- */

/* DONE if the value is the only second factor now, CONFLICT if not. */
static enum apw_manage_result is_alone(const struct apw_portal *portal, const char *dn,
                                       const char *value, struct apw_error *error)
{
    struct apw_user *user;
    enum apw_manage_result result =
        apw_user_find(&portal->manager, &(struct apw_target){.dn = dn}, &user, error);
    size_t ours = 0, others = 0;

    if (result != APW_MANAGE_DONE)
        return result;
    for (size_t i = 0; i < user->method.count; i++) {
        const struct apw_value *found = &user->method.value[i];

        if (strcmp(found->bytes, value) == 0)
            ours++;
        else if (!is_other_value(found))
            others++;
    }
    apw_user_free(&user);
    return ours == 1 && others == 0 ? APW_MANAGE_DONE : APW_MANAGE_CONFLICT;
}

/* Concurrent first enrollments do not conflict, so check afterwards and undo ours. Later changes
 * must not be undone: the old value is gone. */
static enum apw_manage_result check_first(const struct apw_portal *portal,
                                          const struct apw_user *user, const char *value,
                                          struct apw_error *error)
{
    enum apw_manage_result result = is_alone(portal, user->dn, value, error);

    if (result != APW_MANAGE_DONE)
        apw_enrolment_remove_method(&portal->manager, user, value, &(struct apw_error){""});
    return result;
}

enum apw_manage_result apw_factors_apply(const struct apw_portal *portal,
                                         const struct apw_user *user,
                                         const struct apw_factors_change *change,
                                         struct apw_error *error)
{
    const uint8_t *key = portal->portal_config->key;
    char kept[APW_METHOD_VALUE_SIZE] = "", added[APW_METHOD_VALUE_SIZE] = "";
    enum apw_manage_result result = APW_MANAGE_UNAVAILABLE;
    /* A factor that is kept is sealed anew: deleting its old value asserts that it is there. */
    const struct apw_enrolment_change values = {
        .removed = {change->removed == NULL ? NULL : change->removed->value,
                    change->kept == NULL ? NULL : change->kept->value},
        .added = {change->added == NULL ? NULL : added, change->kept == NULL ? NULL : kept}};

    if ((change->added == NULL ||
         apw_method_seal(change->added, key, user->unique_id, added, error) == 0) &&
        (change->kept == NULL ||
         apw_method_seal(&change->kept->method, key, user->unique_id, kept, error) == 0))
        result = apw_enrolment_change_methods(&portal->manager, user, &values, error);
    if (result == APW_MANAGE_DONE && change->removed == NULL && change->kept == NULL)
        result = check_first(portal, user, added, error);
    sodium_memzero(kept, sizeof kept);
    sodium_memzero(added, sizeof added);
    return result;
}
