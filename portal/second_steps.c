/* SPDX-License-Identifier: BSD-2-Clause */
#include "second_steps.h"
#include "factor.h"
#include "label.h"
#include "moment.h"
#include "notice.h"
#include "recovery.h"
#include "remembered.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define PATH "second-steps"

/* ---- the page ---- */

void apw_second_steps_add_link(struct apw_request *request)
{
    const struct apw_factors *factors = &request->account.factors;
    char title[APW_FACTOR_TITLE_SIZE];

    apw_page_add(&request->page, "steps-link-top.html");
    for (size_t i = 0; i < factors->count; i++) {
        if (factors->factor[i].method.kind == APW_METHOD_RECOVERY)
            continue;
        apw_factor_title(request, &factors->factor[i].method, title);
        apw_page_set(&request->page, "factor", title);
        apw_page_add(&request->page, "steps-link-row.html");
    }
    apw_page_add(&request->page, "steps-link-end.html");
}

static unsigned codes_left(const struct apw_factors *factors)
{
    const struct apw_factor *factor = apw_factors_of_kind(factors, APW_METHOD_RECOVERY);

    return factor == NULL ? 0 : apw_recovery_left(&factor->method);
}

/* Whether the person can sign in after losing the factor used most. */
static bool has_reserve(const struct apw_factors *factors)
{
    return apw_factors_other(factors, apw_factors_usual(factors)) != NULL ||
           codes_left(factors) > 0;
}

static void add_row(struct apw_request *request, const struct apw_factor *factor)
{
    char title[APW_FACTOR_TITLE_SIZE], since[APW_MOMENT_SIZE], used[APW_MOMENT_SIZE];
    const struct apw_method *method = &factor->method;
    const struct apw_texts *texts = request->portal->site.texts;
    struct apw_page *page = &request->page;

    apw_factor_title(request, method, title);
    apw_moment_day(texts, request->exchange->language, method->since, since);
    apw_moment_minute(texts, request->exchange->language, method->used, used);
    apw_page_set(page, "id", method->id);
    apw_page_set(page, "factor", title);
    apw_page_set(page, "name", method->name);
    apw_page_set(page, "since", since);
    apw_page_set(page, "used",
                 method->used != 0 ? used : apw_request_text(request, APW_TEXT_NOT_USED));
    apw_page_add(page, "steps-row.html");
    if (apw_factors_other(&request->account.factors, factor) != NULL)
        apw_page_add(page, "steps-remove.html");
    else if (has_reserve(&request->account.factors))
        apw_page_add(page, "steps-only.html");
    apw_page_add(page, "steps-row-end.html");
}

static void add_recovery(struct apw_request *request)
{
    char left[16];

    if (apw_factors_of_kind(&request->account.factors, APW_METHOD_RECOVERY) == NULL) {
        apw_page_add(&request->page, "recovery-none.html");
        return;
    }
    snprintf(left, sizeof left, "%u", codes_left(&request->account.factors));
    apw_page_set(&request->page, "left", left);
    apw_page_add(&request->page, "recovery-left.html");
}

void apw_second_steps_show(struct apw_request *request)
{
    const struct apw_factors *factors = &request->account.factors;
    struct apw_page *page = &request->page;

    if (request->visitor->is_single_sign_on) {
        apw_request_go(request, "");
        return;
    }
    apw_page_open(page, 200, APW_TITLE_SECOND_STEPS);
    apw_page_add(page, "steps-top.html");
    for (size_t i = 0; i < factors->count; i++)
        if (factors->factor[i].method.kind != APW_METHOD_RECOVERY)
            add_row(request, &factors->factor[i]);
    apw_page_add(page, "steps-end.html");
    if (!has_reserve(factors))
        apw_page_add(page, "steps-reserve.html");
    apw_page_add(page, "steps-add.html");
    if (request->portal->portal_config->factors.allows[APW_METHOD_RECOVERY])
        add_recovery(request);
    apw_remembered_add_list(request);
    apw_page_end(page);
}

/* ---- changes ---- */

/* The factor that the form is about. NULL, and the request is answered, if it is gone. */
static const struct apw_factor *named(struct apw_request *request, enum apw_audit_action action)
{
    const struct apw_factor *factor =
        apw_factors_find(&request->account.factors, apw_request_field(request, APW_FIELD_ID));

    if (factor == NULL || factor->method.kind == APW_METHOD_RECOVERY) {
        apw_request_audit(request, action, NULL, &(struct apw_error){"it is gone"});
        apw_request_go_saying(request, PATH, APW_TEXT_FACTOR_GONE, false);
        return NULL;
    }
    return factor;
}

bool apw_second_steps_apply(struct apw_request *request, const struct apw_factors_change *change,
                            enum apw_audit_action action)
{
    struct apw_error error = {""};

    switch (apw_factors_apply(request->portal, request->account.user, change, &error)) {
    case APW_MANAGE_DONE:
        apw_request_audit(request, action, NULL, NULL);
        return true;
    case APW_MANAGE_CONFLICT:
        apw_request_audit(request, action, NULL, &error);
        apw_request_go_saying(request, PATH, APW_TEXT_CHANGED_MEANWHILE, false);
        return false;
    default:
        apw_request_fail_change(request, action, NULL, &error);
        return false;
    }
}

void apw_second_steps_do_rename(struct apw_request *request)
{
    const struct apw_factor *factor = named(request, APW_AUDIT_RENAME_FACTOR);
    struct apw_method renamed;

    if (factor == NULL)
        return;
    renamed = factor->method;
    if (apw_label_read(apw_request_field(request, APW_FIELD_LABEL), renamed.name) != 0)
        apw_request_go_saying(request, PATH, APW_TEXT_BAD_NAME, false);
    else if (apw_second_steps_apply(
                 request, &(struct apw_factors_change){.removed = factor, .added = &renamed},
                 APW_AUDIT_RENAME_FACTOR))
        apw_request_go_saying(request, PATH, APW_TEXT_FACTOR_RENAMED, true);
    sodium_memzero(&renamed, sizeof renamed);
}

const struct apw_factor *apw_second_steps_kept(const struct apw_request *request,
                                               const struct apw_factor *removed)
{
    const struct apw_factors *factors = &request->account.factors;
    const struct apw_factor *passed = apw_factors_find(factors, request->visitor->method.id);

    return passed != removed ? passed : apw_factors_other(factors, removed);
}

void apw_second_steps_do_remove(struct apw_request *request)
{
    const struct apw_factor *factor = named(request, APW_AUDIT_REMOVE_FACTOR), *stays;
    char title[APW_FACTOR_TITLE_SIZE];

    if (factor == NULL)
        return;
    stays = apw_second_steps_kept(request, factor);
    if (apw_factors_other(&request->account.factors, factor) == NULL || stays == NULL) {
        apw_request_go_saying(request, PATH, APW_TEXT_LAST_FACTOR, false);
        return;
    }
    if (!apw_second_steps_apply(request,
                                &(struct apw_factors_change){.removed = factor, .kept = stays},
                                APW_AUDIT_REMOVE_FACTOR))
        return;
    request->visitor->method = stays->method; /* or this session would end */
    apw_factor_title(request, &factor->method, title);
    apw_page_set(&request->page, "factor", title);
    apw_notice_tell_all(request, "mail-factor-removed.txt");
    apw_request_go_saying(request, PATH, APW_TEXT_FACTOR_REMOVED, true);
}
