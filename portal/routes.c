/* SPDX-License-Identifier: BSD-2-Clause */
#include "routes.h"
#include "challenge.h"
#include "devices.h"
#include "enrol.h"
#include "factor_app.h"
#include "factor_mail.h"
#include "factor_passkey.h"
#include "factor_recovery.h"
#include "guessing.h"
#include "help_actions.h"
#include "help_mfa.h"
#include "helpdesk.h"
#include "helped_page.h"
#include "new_password.h"
#include "password_list.h"
#include "passwords.h"
#include "pending_reset.h"
#include "people.h"
#include "remembered.h"
#include "second_steps.h"
#include <string.h>

/* GET stay, from ending.js: the request itself keeps the session; says for how long. */
static void stay(struct apw_request *request)
{
    struct apw_page *page = &request->page;

    apw_page_set_ending(page);
    request->exchange->status = 200;
    request->exchange->type = "text/plain";
    apw_page_add(page, "stay.html");
}

static void show_home(struct apw_request *request)
{
    if (request->session->level == APW_RIGHTS_FULL)
        apw_password_list_show(request);
    else if (request->account.factors.count > 0)
        apw_challenge_show(request);
    else if (apw_enrol_needs_code(request))
        apw_enrol_show_code(request);
    else
        apw_enrol_show_start(request);
}

/* The same form verifies a new second factor and an enrolled one. */
static void verify(struct apw_request *request)
{
    if (request->visitor->has_pending && apw_enrol_may_choose(request))
        apw_enrol_verify(request);
    else
        apw_challenge_verify(request);
}

enum gate {
    GATE_SIGNED_IN = 0, /* with the account password, at least */
    GATE_CHOOSING,      /* may choose a second factor now */
    GATE_FULL,          /* has all rights */
    GATE_HELP_DESK,     /* the same, and is the help desk */
};

struct apw_route {
    const char *path; /* after a path that ends in a slash comes a token */
    bool is_post;
    enum gate gate;
    void (*answer)(struct apw_request *request);
};

static const struct apw_route routes[] = {
    {"", false, GATE_SIGNED_IN, show_home},
    {"stay", false, GATE_SIGNED_IN, stay},
    {"enrolment-code", true, GATE_SIGNED_IN, apw_enrol_do_code},
    {"start", true, GATE_SIGNED_IN, apw_enrol_do_start},
    {"resend", true, GATE_SIGNED_IN, apw_challenge_resend},
    {"use-factor", true, GATE_SIGNED_IN, apw_challenge_use},
    {"verify", true, GATE_SIGNED_IN, verify},
    {"this-browser/", false, GATE_SIGNED_IN, apw_guessing_show_link},
    {"this-browser/", true, GATE_SIGNED_IN, apw_guessing_do_link},
    {"choose", false, GATE_CHOOSING, apw_enrol_show_choose},
    {"choose", true, GATE_CHOOSING, apw_enrol_do_choose},
    {"app", false, GATE_CHOOSING, apw_factor_app_show},
    {"contact", false, GATE_CHOOSING, apw_factor_mail_show_contact},
    {"contact", true, GATE_CHOOSING, apw_factor_mail_do_contact},
    {"contact-code", false, GATE_CHOOSING, apw_factor_mail_show_code},
    {"passkey", false, GATE_CHOOSING, apw_factor_passkey_show},
    {"passkey", true, GATE_CHOOSING, apw_enrol_do_passkey},
    {"verified", false, GATE_FULL, apw_enrol_show_verified},
    {"create", true, GATE_FULL, apw_passwords_do_create},
    {"password", false, GATE_FULL, apw_new_password_show},
    {"profile", false, GATE_FULL, apw_new_password_show_profile},
    {"profile/", false, GATE_FULL, apw_new_password_show_profile},
    {"device-link", true, GATE_FULL, apw_devices_do_link},
    {"device-link", false, GATE_FULL, apw_devices_show_link},
    {"device-used", false, GATE_FULL, apw_devices_show_used},
    {"device-undo", true, GATE_FULL, apw_devices_do_undo},
    {"rename", true, GATE_FULL, apw_passwords_do_rename},
    {"revoke", true, GATE_FULL, apw_passwords_do_revoke},
    {"revoke-all", true, GATE_FULL, apw_passwords_do_revoke_all},
    {"recovery-codes", false, GATE_FULL, apw_factor_recovery_show},
    {"recovery-codes.txt", false, GATE_FULL, apw_factor_recovery_download},
    {"recovery-codes", true, GATE_FULL, apw_factor_recovery_make},
    {"forget-browser", true, GATE_FULL, apw_remembered_do_forget},
    {"cancel-reset", true, GATE_FULL, apw_pending_reset_do_cancel},
    {"second-steps", false, GATE_FULL, apw_second_steps_show},
    {"add-factor", true, GATE_FULL, apw_enrol_do_add},
    {"rename-factor", true, GATE_FULL, apw_second_steps_do_rename},
    {"remove-factor", true, GATE_FULL, apw_second_steps_do_remove},
    {APW_HELPDESK_PATH, false, GATE_HELP_DESK, apw_people_show},
    {APW_HELPDESK_PATH, true, GATE_HELP_DESK, apw_people_do_find},
    {APW_HELPED_PATH, false, GATE_HELP_DESK, apw_helped_page_show},
    {"help-desk/revoke", true, GATE_HELP_DESK, apw_help_actions_do_revoke},
    {"help-desk/revoke-all", true, GATE_HELP_DESK, apw_help_actions_do_revoke_all},
    {"help-desk/link", true, GATE_HELP_DESK, apw_help_actions_do_link},
    {APW_HELP_CODE_PATH, true, GATE_HELP_DESK, apw_help_actions_do_code},
    {APW_HELP_CODE_PATH, false, GATE_HELP_DESK, apw_help_actions_show_code},
    {"help-desk/reset", true, GATE_HELP_DESK, apw_help_mfa_do_reset},
    {"help-desk/cancel-reset", true, GATE_HELP_DESK, apw_help_mfa_do_cancel_reset},
    {"help-desk/mfa-on", true, GATE_HELP_DESK, apw_help_mfa_do_on},
    {"help-desk/mfa-off", true, GATE_HELP_DESK, apw_help_mfa_do_off},
};

static bool is_let_through(const struct apw_request *request, enum gate gate)
{
    switch (gate) {
    case GATE_SIGNED_IN:
        return true;
    case GATE_CHOOSING:
        return apw_enrol_may_choose(request);
    case GATE_FULL:
    case GATE_HELP_DESK:
        break;
    }
    return request->session->level == APW_RIGHTS_FULL;
}

const struct apw_route *apw_routes_find(const struct apw_portal *portal,
                                        const struct apw_exchange *exchange)
{
    const char *path = exchange->path;

    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        const struct apw_route *route = &routes[i];
        size_t length = strlen(route->path);
        bool has_token = length > 0 && route->path[length - 1] == '/';

        if (route->gate == GATE_HELP_DESK && !apw_helpdesk_exists(portal))
            continue;
        if (route->is_post == exchange->is_post &&
            (has_token ? strncmp(path, route->path, length) == 0 : strcmp(path, route->path) == 0))
            return route;
    }
    return NULL;
}

void apw_routes_answer(const struct apw_route *route, struct apw_request *request)
{
    if (!is_let_through(request, route->gate))
        apw_request_go(request, ""); /* the start shows the next step for this person */
    else if (route->gate != GATE_HELP_DESK || apw_helpdesk_is_open(request))
        route->answer(request);
}
