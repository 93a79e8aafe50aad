/* SPDX-License-Identifier: BSD-2-Clause */
#include "password_list.h"
#include "create_form.h"
#include "devices.h"
#include "helpdesk.h"
#include "moment.h"
#include "new_password.h"
#include "password_row.h"
#include "pending_reset.h"
#include "second_steps.h"

static void add_row(struct apw_request *request, const struct apw_managed_password *password)
{
    apw_password_row_add(request, password);
    if (password->has_record)
        apw_page_add(&request->page, "list-row-rename.html");
    apw_page_add(&request->page, "list-row-end.html");
}

static void add_device_form(struct apw_request *request)
{
    apw_page_add(&request->page, "device-form-top.html");
    if (apw_new_password_has_transfer(request))
        apw_page_add(&request->page, "device-form-android.html");
    apw_page_add(&request->page, "device-form.html");
}

void apw_password_list_show(struct apw_request *request)
{
    const struct apw_user *user = request->account.user;
    struct apw_page *page = &request->page;
    char date[APW_MOMENT_SIZE];

    request->visitor->is_beginner = false;
    apw_helpdesk_add_head(request);
    apw_page_open(page, 200, APW_TITLE_LIST);
    if (request->account.is_announced) {
        apw_moment_day(request->portal->site.texts, request->exchange->language, user->enforce_from,
                       date);
        apw_page_set(page, "date", date);
        apw_page_add(page, "announced.html");
    }
    apw_pending_reset_add(request);
    if (user->password_count == 0) {
        apw_page_add(page, "list-empty.html");
    } else {
        apw_page_add(page, "list-top.html");
        apw_password_row_ask_names(request->portal, user);
        for (size_t i = 0; i < user->password_count; i++)
            add_row(request, &user->password[i]);
        apw_page_add(page, "list-end.html");
    }
    apw_devices_add_unused(request);
    apw_create_form_add(request);
    add_device_form(request);
    if (user->password_count > 0)
        apw_page_add(page, "list-revoke-all.html");
    if (!request->visitor->is_single_sign_on)
        apw_second_steps_add_link(request);
    apw_password_row_add_revoked(request, user);
    apw_page_end(page);
}
