/* SPDX-License-Identifier: BSD-2-Clause */
#include "factor_app.h"
#include "draft.h"
#include "qr.h"
#include <sodium.h>
#include <stdio.h>
#include <time.h>

void apw_factor_app_begin(struct apw_request *request)
{
    const uint8_t *key = request->portal->portal_config->key;
    const char *unique_id = request->account.user->unique_id;
    struct apw_exchange *exchange = request->exchange;
    struct apw_method *pending = &request->visitor->pending;
    int64_t now = (int64_t)time(NULL);

    apw_visitor_forget_pending(request->visitor);
    request->visitor->has_pending = true;
    pending->kind = APW_METHOD_APP;
    if (apw_draft_open(key, unique_id, now, exchange->draft, pending->secret))
        return;
    randombytes_buf(pending->secret, sizeof pending->secret);
    apw_draft_seal(key, unique_id, now, pending->secret, exchange->new_draft);
}

void apw_factor_app_show(struct apw_request *request)
{
    const struct apw_visitor *visitor = request->visitor;
    struct apw_page *page = &request->page;
    struct apw_buffer path = {.bytes = NULL};
    char uri[APW_TOTP_URI_SIZE] = "", secret[APW_TOTP_SECRET_TEXT_SIZE] = "";
    char size_text[16];
    int size;

    if (!visitor->has_pending || visitor->pending.kind != APW_METHOD_APP) {
        apw_request_go(request, "choose");
        return;
    }
    if (apw_totp_uri(&visitor->pending, request->portal->portal_config->site, visitor->login,
                     uri) == 0 &&
        apw_totp_secret_text(&visitor->pending, secret) == 0 &&
        apw_qr_path(uri, &path, &size) == 0) {
        snprintf(size_text, sizeof size_text, "%d", size);
        apw_page_set(page, "size", size_text);
        apw_page_set(page, "path", path.bytes);
        apw_page_set(page, "secret", secret);
        apw_page_set(page, "uri", uri);
        apw_request_show_step(request, APW_TITLE_APP, "app.html", 2);
    } else {
        apw_page_fail(page, 503, APW_TEXT_UNAVAILABLE);
    }
    sodium_memzero(uri, sizeof uri);
    sodium_memzero(secret, sizeof secret);
    apw_buffer_free(&path);
}

enum apw_reason apw_factor_app_check(const struct apw_request *request, struct apw_method *method)
{
    const char *typed = apw_request_field(request, APW_FIELD_CODE);
    uint64_t counter;

    switch (apw_totp_check(method, typed, (int64_t)time(NULL), &counter)) {
    case APW_TOTP_RIGHT:
        method->counter = counter;
        return APW_REASON_SECOND_FACTOR;
    case APW_TOTP_REPLAYED:
        return APW_REASON_REPLAYED_SECOND_FACTOR;
    case APW_TOTP_WRONG:
        return APW_REASON_WRONG_SECOND_FACTOR;
    case APW_TOTP_NO_MEMORY:
        break;
    }
    return APW_REASON_INTERNAL_ERROR;
}
