/* SPDX-License-Identifier: BSD-2-Clause */
/* A person's second steps: the list, renaming and removing. */
#include "notice.h"
#include "second_steps.h"
#include "visit.h"

#define PATH "second-steps"

/* In place of the mail to all addresses of the owner. */
static unsigned notices;
void __wrap_apw_notice_tell_all(struct apw_request *told, const char *file);
void __wrap_apw_notice_tell_all(struct apw_request *told, const char *file)
{
    assert_ptr_equal(told, &request);
    assert_string_equal(file, "mail-factor-removed.txt");
    notices++;
}

static struct apw_factor *app, *passkey, *codes;

/* Each kind once, or not at all. */
static void begin(bool has_app, bool has_passkey, unsigned code_count)
{
    app = passkey = codes = NULL;
    notices = 0;
    visit_begin();
    request.session->level = APW_RIGHTS_FULL;
    if (has_app)
        app = visit_add_factor(APW_METHOD_APP, "00000001");
    if (has_passkey)
        passkey = visit_add_factor(APW_METHOD_PASSKEY, "00000002");
    if (code_count > 0)
        codes = visit_add_factor(APW_METHOD_RECOVERY, "00000003");
    for (unsigned i = 1; i < code_count; i++) /* one of these is used up */
        codes->method.code_hash[i][0] = 1;
}

/* ---- the page ---- */

static unsigned count_of(const char *part)
{
    unsigned count = 0;

    for (const char *at = exchange.body.bytes; (at = strstr(at, part)) != NULL; at++)
        count++;
    return count;
}

static void show(void)
{
    visit_next();
    apw_second_steps_show(&request);
    assert_shown(200, "you confirm with one of these");
}

static const struct page_case {
    const char *name;
    bool has_app, has_passkey;
    unsigned codes; /* 1: a set of which none is left */
    unsigned rows, removable, only, reserve;
    const char *left;
} pages[] = {
    {"a single one", true, false, 0, 1, 0, 0, 1, "You have none."},
    {"two of them", true, true, 0, 2, 2, 0, 0, "You have none."},
    {"one and nine codes", true, false, 10, 1, 0, 1, 0, "Unused: 9 of 10."},
    {"one and a single code", true, false, 2, 1, 0, 1, 0, "Unused: 1 of 10."},
    {"one and codes that are used up", true, false, 1, 1, 0, 0, 1, "Unused: 0 of 10."},
    {"two of them and codes", true, true, 3, 2, 2, 0, 0, "Unused: 2 of 10."},
};

static void test_page(void **state)
{
    const struct page_case *row = *state;

    begin(row->has_app, row->has_passkey, row->codes);
    show();
    assert_int_equal(count_of("/root/rename-factor"), row->rows);
    assert_int_equal(count_of("/root/remove-factor"), row->removable);
    assert_int_equal(count_of("This is your only second step."), row->only);
    assert_int_equal(count_of("Add a second one now"), row->reserve);
    assert_int_equal(count_of("/root/recovery-codes"), 1);
    assert_contains(exchange.body.bytes, row->left);
    portal_config.factors.allows[APW_METHOD_RECOVERY] = false;
    show();
    assert_int_equal(count_of("/root/recovery-codes"), 0);
    visit_end();
}

static void test_row(void **state)
{
    (void)state;
    begin(true, false, 0);
    strcpy(app->method.name, "Kari’s <phone>");
    app->method.since = now_s;
    show();
    assert_contains(exchange.body.bytes, "value=\"Kari’s &lt;phone&gt;\"");
    assert_contains(exchange.body.bytes, "<dd>not yet</dd>");
    app->method.used = 1; /* whenever: it was used */
    show();
    assert_int_equal(count_of("<dd>not yet</dd>"), 0);
    visit_end();
}

static void test_link(void **state)
{
    (void)state;
    begin(true, true, 3);
    visit_next();
    apw_page_open(&request.page, 200, APW_TITLE_SECOND_STEPS);
    apw_second_steps_add_link(&request);
    apw_page_end(&request.page);
    assert_shown(200, "Your second steps");
    assert_int_equal(count_of("<li>"), 2); /* codes are not listed */
    visit_end();
}

/* The single sign-on has second factors of its own. */
static void test_single_sign_on(void **state)
{
    (void)state;
    begin(true, true, 0);
    request.visitor->is_single_sign_on = true;
    apw_second_steps_show(&request);
    assert_redirected("", APW_TEXT_NONE, false);
    visit_end();
}

/* ---- renaming and removing ---- */

static void rename_to(const char *id, const char *name)
{
    visit_next();
    visit_type("id", id);
    visit_type("label", name);
    apw_second_steps_do_rename(&request);
}

static void remove_one(const char *id)
{
    visit_next();
    visit_type("id", id);
    apw_second_steps_do_remove(&request);
}

static void test_rename(void **state)
{
    (void)state;
    begin(true, true, 0);
    strcpy(app->method.name, "old");
    app->method.counter = 7;
    rename_to("00000001", " new ");
    assert_redirected(PATH, APW_TEXT_FACTOR_RENAMED, true);
    assert_int_equal(factor_changes, 1);
    assert_ptr_equal(removed_factor, app);
    assert_null(kept_factor);
    assert_string_equal(added_factor.name, "new");
    assert_string_equal(added_factor.id, "00000001");
    assert_int_equal(added_factor.counter, 7);
    assert_logged("action=rename-factor");
    rename_to("00000001", "");
    assert_redirected(PATH, APW_TEXT_BAD_NAME, false);
    rename_to("00000001", "a\001b");
    assert_redirected(PATH, APW_TEXT_BAD_NAME, false);
    assert_int_equal(factor_changes, 1);
    visit_end();
}

/* A second step that is gone cannot be changed. Neither can recovery codes: new ones replace them.
 */
static void test_gone(void **state)
{
    static const char *const ids[] = {"00000009", "00000003", ""};

    (void)state;
    begin(true, true, 3);
    for (size_t i = 0; i < UNIT_COUNT(ids); i++) {
        rename_to(ids[i], "new");
        assert_redirected(PATH, APW_TEXT_FACTOR_GONE, false);
        remove_one(ids[i]);
        assert_redirected(PATH, APW_TEXT_FACTOR_GONE, false);
    }
    assert_int_equal(factor_changes, 0);
    assert_int_equal(notices, 0);
    assert_logged("it is gone");
    visit_end();
}

static void test_remove(void **state)
{
    (void)state;
    begin(true, true, 0);
    request.visitor->method = passkey->method;
    remove_one("00000001"); /* the one that was not used now */
    assert_redirected(PATH, APW_TEXT_FACTOR_REMOVED, true);
    assert_ptr_equal(removed_factor, app);
    assert_ptr_equal(kept_factor, passkey);
    assert_string_equal(added_factor.id, "");
    assert_string_equal(request.visitor->method.id, "00000002");
    remove_one("00000002"); /* the one that was */
    assert_ptr_equal(removed_factor, passkey);
    assert_ptr_equal(kept_factor, app);
    assert_string_equal(request.visitor->method.id, "00000001");
    assert_int_equal(factor_changes, 2);
    assert_int_equal(notices, 2);
    assert_logged("action=remove-factor");
    visit_end();
}

/* Somebody who came in with a recovery code may remove what was lost, but not the last one. */
static void test_last(void **state)
{
    (void)state;
    begin(true, false, 3);
    request.visitor->method = codes->method;
    remove_one("00000001");
    assert_redirected(PATH, APW_TEXT_LAST_FACTOR, false);
    passkey = visit_add_factor(APW_METHOD_PASSKEY, "00000002");
    passkey->is_allowed = false; /* lets nobody in */
    remove_one("00000001");
    assert_redirected(PATH, APW_TEXT_LAST_FACTOR, false);
    assert_int_equal(factor_changes, 0);
    remove_one("00000002"); /* it lets nobody in, so it may go */
    assert_redirected(PATH, APW_TEXT_FACTOR_REMOVED, true);
    assert_ptr_equal(kept_factor, codes);
    passkey->is_allowed = true;
    remove_one("00000001");
    assert_redirected(PATH, APW_TEXT_FACTOR_REMOVED, true);
    assert_ptr_equal(kept_factor, codes);
    strcpy(request.visitor->method.id, "00000009"); /* the one that let this session in is gone */
    remove_one("00000001");
    assert_redirected(PATH, APW_TEXT_LAST_FACTOR, false);
    assert_int_equal(factor_changes, 2);
    visit_end();
}

static const struct result_case {
    const char *name;
    enum apw_manage_result result;
    unsigned status;
} results[] = {
    {"somebody else was faster", APW_MANAGE_CONFLICT, 303},
    {"the directory is away", APW_MANAGE_UNAVAILABLE, 503},
    {"the right is missing", APW_MANAGE_NOT_PERMITTED, 503},
};

static void test_result(void **state)
{
    const struct result_case *row = *state;

    begin(true, true, 0);
    request.visitor->method = passkey->method;
    changed = row->result;
    for (int is_removal = 0; is_removal <= 1; is_removal++) {
        if (is_removal)
            remove_one("00000001");
        else
            rename_to("00000001", "new");
        assert_int_equal(exchange.status, row->status);
        if (row->status == 303)
            assert_redirected(PATH, APW_TEXT_CHANGED_MEANWHILE, false);
        assert_logged(is_removal ? "action=remove-factor" : "action=rename-factor");
    }
    assert_logged("not changed");
    assert_int_equal(notices, 0);
    assert_string_equal(request.visitor->method.id, "00000002");
    visit_end();
}

int main(void)
{
    visit_prepare();
    UNIT_ROWS(pages, test_page);
    UNIT_TEST("a row says its name and its last use", test_row);
    UNIT_TEST("the list of app passwords names them", test_link);
    UNIT_TEST("with single sign-on there are none here", test_single_sign_on);
    UNIT_TEST("a second step is renamed", test_rename);
    UNIT_TEST("a second step that is gone is not changed", test_gone);
    UNIT_TEST("the session goes on with the one that stays", test_remove);
    UNIT_TEST("the last one stays", test_last);
    UNIT_ROWS(results, test_result);
    return unit_run();
}
