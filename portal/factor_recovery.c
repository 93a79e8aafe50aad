/* SPDX-License-Identifier: BSD-2-Clause */
#include "factor_recovery.h"
#include "notice.h"
#include "recovery.h"
#include "second_steps.h"
#include <sodium.h>
#include <stdio.h>
#include <time.h>

#define PATH "recovery-codes"

static void begin_method(struct apw_method *method_r, struct apw_recovery_codes *codes_r)
{
    *method_r = (struct apw_method){.since = (int64_t)time(NULL)};
    apw_method_make_id(method_r->id);
    apw_recovery_make(method_r, codes_r);
}

/* ---- making them ---- */

/* Reads the entry again, with the factor that was just stored. */
static bool read_again(struct apw_request *request, struct apw_error *error)
{
    apw_account_free(&request->account);
    return apw_account_read(request->portal, request->session->owner, request->visitor->login,
                            &request->account, error) == APW_ACCOUNT_THERE;
}

void apw_factor_recovery_begin(struct apw_request *request)
{
    struct apw_visitor *visitor = request->visitor;
    enum apw_manage_result result = APW_MANAGE_UNAVAILABLE;
    struct apw_error error = {""};
    struct apw_method method;

    if (request->account.user->password_count > 0)
        apw_request_go_saying(request, "", APW_TEXT_METHOD_SET_UP, true);
    else
        apw_request_go(request, "verified");
    if (!request->portal->portal_config->factors.allows[APW_METHOD_RECOVERY])
        return;
    begin_method(&method, &visitor->codes);
    if (read_again(request, &error)) {
        const struct apw_factors_change change = {
            .kept = apw_factors_find(&request->account.factors, visitor->method.id),
            .added = &method};

        if (change.kept != NULL)
            result = apw_factors_apply(request->portal, request->account.user, &change, &error);
    }
    visitor->is_enrolling = result == APW_MANAGE_DONE;
    apw_request_audit(request, APW_AUDIT_RECOVERY_CODES, NULL,
                      visitor->is_enrolling ? NULL : &error);
    if (visitor->is_enrolling) {
        apw_request_go_saying(request, PATH, APW_TEXT_METHOD_SET_UP, true);
    } else {
        apw_visitor_forget_codes(visitor);
    }
    sodium_memzero(&method, sizeof method);
}

void apw_factor_recovery_make(struct apw_request *request)
{
    const struct apw_factors *factors = &request->account.factors;
    const struct apw_factor *old = apw_factors_of_kind(factors, APW_METHOD_RECOVERY);
    const struct apw_factor *kept = apw_second_steps_kept(request, old);
    struct apw_visitor *visitor = request->visitor;
    struct apw_recovery_codes codes;
    struct apw_method method;

    if (!request->portal->portal_config->factors.allows[APW_METHOD_RECOVERY] || kept == NULL) {
        apw_request_go(request, "second-steps");
        return;
    }
    begin_method(&method, &codes);
    if (apw_second_steps_apply(
            request, &(struct apw_factors_change){.removed = old, .kept = kept, .added = &method},
            APW_AUDIT_RECOVERY_CODES)) {
        visitor->method = kept->method;
        visitor->codes = codes;
        visitor->is_enrolling = false;
        apw_notice_tell_all(request, "mail-recovery-made.txt");
        apw_request_go(request, PATH);
    }
    sodium_memzero(&codes, sizeof codes);
    sodium_memzero(&method, sizeof method);
}

/* ---- showing them ---- */

static bool has_codes(struct apw_request *request)
{
    if (request->visitor->codes.shown[0][0] != '\0')
        return true;
    apw_request_go(request, "second-steps");
    return false;
}

static void add_codes(struct apw_request *request, const char *row)
{
    for (size_t i = 0; i < APW_METHOD_CODES; i++) {
        apw_page_set(&request->page, "code", request->visitor->codes.shown[i]);
        apw_page_add(&request->page, row);
    }
}

void apw_factor_recovery_show(struct apw_request *request)
{
    struct apw_page *page = &request->page;

    if (!has_codes(request))
        return;
    apw_page_open(page, 200, APW_TITLE_RECOVERY);
    if (request->visitor->is_enrolling)
        apw_request_add_step(request, 2, request->visitor->is_beginner ? 4 : 2);
    apw_page_add(page, "recovery-top.html");
    add_codes(request, "recovery-row.html");
    apw_page_set(page, "next", request->visitor->is_enrolling ? "verified" : "second-steps");
    apw_page_add(page, "recovery-end.html");
    apw_page_end(page);
}

void apw_factor_recovery_download(struct apw_request *request)
{
    if (!has_codes(request))
        return;
    request->exchange->status = 200;
    request->exchange->type = "text/plain; charset=utf-8";
    request->exchange->file_name = "recovery-codes.txt";
    apw_page_add(&request->page, "recovery-file.txt");
    add_codes(request, "recovery-file-row.txt");
}

void apw_factor_recovery_tell(struct apw_request *request, const struct apw_method *method)
{
    char left[16];

    snprintf(left, sizeof left, "%u", apw_recovery_left(method));
    apw_page_set(&request->page, "left", left);
    apw_notice_tell_all(request, "mail-recovery-used.txt");
}
