/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * factors: a person's second factors, as stored in the directory.
 */
#ifndef APW_FACTORS_H
#define APW_FACTORS_H

#include "method.h"
#include "portal.h"

#define APW_FACTORS_MAX 10 /* which one person may add */

struct apw_factor {
    struct apw_method method;
    const char *value; /* as stored; part of the user */
    bool is_allowed;   /* the site allows its kind; others let nobody in */
};

/* The oldest first. Secret: apw_factors_free(). */
struct apw_factors {
    size_t count;
    struct apw_factor *factor; /* owned */
};

/* -1 if one of them cannot be read: it may be the one that matters. */
int apw_factors_read(const struct apw_portal *portal, const struct apw_user *user,
                     struct apw_factors *factors_r, struct apw_error *error);
void apw_factors_free(struct apw_factors *factors); /* wipes; takes one that is all zeroes */

/* NULL if there is none with that id. */
const struct apw_factor *apw_factors_find(const struct apw_factors *factors, const char *id);

/* The one to ask for first: of those that are allowed, the last one used; recovery codes only if
 * there is nothing else. NULL if none is allowed. */
const struct apw_factor *apw_factors_usual(const struct apw_factors *factors);

/* When it was last used, or set up if it never was. */
int64_t apw_factors_last_use(const struct apw_method *method);

/* The newest allowed one of that kind, or NULL. */
const struct apw_factor *apw_factors_of_kind(const struct apw_factors *factors,
                                             enum apw_method_kind kind);

/* One that is allowed and would stay without this one, recovery codes apart; NULL if this is the
 * last. */
const struct apw_factor *apw_factors_other(const struct apw_factors *factors,
                                           const struct apw_factor *factor);

/* When the newest one was set up, or 0. Without recovery codes. */
int64_t apw_factors_newest(const struct apw_factors *factors);

/* How many there are, without recovery codes. */
size_t apw_factors_count(const struct apw_factors *factors);

/* One change of an entry. Each part may be NULL. */
struct apw_factors_change {
    const struct apw_factor *removed;
    const struct apw_factor *kept; /* must still be there when the change is made */
    const struct apw_method *added;
};

/* Makes the change, or none of it. CONFLICT if another request was faster: `removed` or `kept` is
 * no longer as it was read, or the first factor of a person is not the only one. Of requests that
 * use the same code, the same factor or the same counter at once, one succeeds. */
enum apw_manage_result apw_factors_apply(const struct apw_portal *portal,
                                         const struct apw_user *user,
                                         const struct apw_factors_change *change,
                                         struct apw_error *error);

#endif
