/* SPDX-License-Identifier: BSD-2-Clause */
#include "visit.h"
#include "factors.h"
#include "letter.h"
#include "mail.h"
#include "web/browser.h"
#include <sodium.h>
#include <time.h>

static void warn(void *context, const char *why);
static struct apw_config config;
static struct apw_value own_mail = {(char *)VISIT_ADDRESS, sizeof VISIT_ADDRESS - 1};
struct apw_portal_config portal_config = {
    .url = (char *)"https://mail.example.org/root",
    .site = (char *)"mail.example.org",
    .root = (char *)"/root",
    .factors = {.origin = {.text = (char *)"https://mail.example.org",
                           .host = (char *)"mail.example.org"}}};
struct apw_portal portal = {.portal_config = &portal_config,
                            .config = &config,
                            .site = {.root = "/root",
                                     .error_title = APW_TITLE_ERROR,
                                     .error_mark = APW_TEXT_ERROR_MARK,
                                     .warn = warn}};
struct apw_user user;
struct apw_exchange exchange;
struct apw_request request;
int64_t now_s, now_ms;
struct apw_guesses kept;
enum apw_manage_result stored, changed;
unsigned stored_conflicts, stores, factor_changes, mails;
const struct apw_factor *removed_factor, *kept_factor;
struct apw_method added_factor;
char mailed_to[APW_MAIL_ADDRESS_SIZE], mailed[4096];
enum apw_mail_result mailing;
void (*during_mail)(void);

static struct apw_factor factors[VISIT_FACTORS];
static char log_path[UNIT_PATH_SIZE];

static void warn(void *context, const char *why)
{
    (void)context;
    fail_msg("%s", why);
}

/* ---- in place of the clock, the directory and the mail server ---- */

time_t __wrap_time(time_t *seconds_r);
int64_t __wrap_apw_clock_monotonic_ms(void);
int64_t __wrap_apw_clock_remaining_ms(int64_t moment);
enum apw_manage_result __wrap_apw_guesses_update(const struct apw_manager *manager, const char *dn,
                                                 apw_guesses_change change, void *context,
                                                 struct apw_error *error);
enum apw_manage_result __wrap_apw_factors_apply(const struct apw_portal *asked,
                                                const struct apw_user *changed_user,
                                                const struct apw_factors_change *change,
                                                struct apw_error *error);
int __wrap_apw_letter_compose(const struct apw_portal *asked, unsigned language, const char *to,
                              const char *text, struct apw_mail *mail_r, struct apw_error *error);
enum apw_mail_result __wrap_apw_mail_send(const struct apw_mail_settings *settings,
                                          const struct apw_mail *mail, const atomic_bool *stop,
                                          struct apw_error *error);

time_t __wrap_time(time_t *seconds_r)
{
    assert_null(seconds_r);
    return (time_t)now_s;
}

int64_t __wrap_apw_clock_monotonic_ms(void)
{
    return now_ms;
}

int64_t __wrap_apw_clock_remaining_ms(int64_t moment)
{
    return moment > now_ms ? moment - now_ms : 0;
}

enum apw_manage_result __wrap_apw_guesses_update(const struct apw_manager *manager, const char *dn,
                                                 apw_guesses_change change, void *context,
                                                 struct apw_error *error)
{
    assert_ptr_equal(manager, &portal.manager);
    assert_string_equal(dn, user.dn);
    if (stored_conflicts > 0) {
        stored_conflicts--;
        return APW_MANAGE_CONFLICT;
    }
    if (stored != APW_MANAGE_DONE) {
        apw_error_set(error, "not stored");
        return stored;
    }
    if (!change(&kept, context))
        return APW_MANAGE_UNCHANGED;
    stores++;
    return APW_MANAGE_DONE;
}

enum apw_manage_result __wrap_apw_factors_apply(const struct apw_portal *asked,
                                                const struct apw_user *changed_user,
                                                const struct apw_factors_change *change,
                                                struct apw_error *error)
{
    assert_ptr_equal(asked, &portal);
    assert_ptr_equal(changed_user, request.account.user);
    factor_changes++;
    removed_factor = change->removed;
    kept_factor = change->kept;
    if (change->added != NULL)
        added_factor = *change->added;
    if (changed != APW_MANAGE_DONE)
        apw_error_set(error, "not changed");
    return changed;
}

int __wrap_apw_letter_compose(const struct apw_portal *asked, unsigned language, const char *to,
                              const char *text, struct apw_mail *mail_r, struct apw_error *error)
{
    (void)language, (void)error;
    assert_ptr_equal(asked, &portal);
    memset(mail_r, 0, sizeof *mail_r);
    snprintf(mailed_to, sizeof mailed_to, "%s", to);
    snprintf(mailed, sizeof mailed, "%s", text);
    return 0;
}

enum apw_mail_result __wrap_apw_mail_send(const struct apw_mail_settings *settings,
                                          const struct apw_mail *mail, const atomic_bool *stop,
                                          struct apw_error *error)
{
    (void)mail;
    assert_ptr_equal(settings, &portal_config.mail);
    assert_null(stop);
    mails++;
    if (during_mail != NULL)
        during_mail();
    if (mailing != APW_MAIL_SENT)
        apw_error_set(error, "not sent");
    return mailing;
}

/* ---- the visit ---- */

void visit_prepare(void)
{
    if (sodium_init() < 0)
        abort();
    unit_path("portal.log", log_path);
}

static void open_site(void)
{
    struct apw_error error = {""};
    struct apw_site *site = &portal.site;

    assert_int_equal(apw_languages_load("/nonexistent", "none", &site->languages, &error), 0);
    assert_int_equal(
        apw_texts_load(&site->languages, apw_wording, APW_TEXT_COUNT, &site->texts, &error), 0);
    assert_int_equal(
        apw_templates_load(APW_SRCDIR "/portal/pages", &site->languages, &site->templates, &error),
        0);
    assert_int_equal(apw_web_sessions_new(&apw_visitor_content, &site->sessions, &error), 0);
    assert_int_equal(apw_supports_add(&portal_config.support, "help@example.org", &error), 0);
    config.log_file = log_path;
    unlink(log_path);
    assert_int_equal(apw_log_open(&config, &portal.log, &error), 0);
    assert_int_equal(apw_throttle_new(&portal.password_throttle, &error), 0);
    assert_int_equal(apw_throttle_new(&portal.factor_throttle, &error), 0);
    assert_int_equal(apw_throttle_new(&portal.account_throttle, &error), 0);
    assert_int_equal(apw_throttle_new(&portal.browser_throttle, &error), 0);
}

static void close_site(void)
{
    struct apw_site *site = &portal.site;

    apw_throttle_free(&portal.password_throttle);
    apw_throttle_free(&portal.factor_throttle);
    apw_throttle_free(&portal.account_throttle);
    apw_throttle_free(&portal.browser_throttle);
    apw_log_close(&portal.log);
    apw_supports_free(&portal_config.support);
    apw_web_sessions_free(&site->sessions);
    apw_templates_free(&site->templates);
    apw_texts_free(&site->texts);
    apw_languages_free(&site->languages);
}

static void reset_world(void)
{
    for (size_t i = 0; i < APW_METHOD_KIND_COUNT; i++)
        portal_config.factors.allows[i] = true;
    user = (struct apw_user){.dn = (char *)"uid=alice",
                             .name = (char *)"alice",
                             .unique_id = (char *)"entry",
                             .mail = {.count = 1, .value = &own_mail}};
    now_s = 20000 * INT64_C(86400);
    now_ms = 1000000;
    kept = (struct apw_guesses){.day = 20000};
    stored = changed = APW_MANAGE_DONE;
    stored_conflicts = stores = factor_changes = mails = 0;
    removed_factor = kept_factor = NULL;
    memset(&added_factor, 0, sizeof added_factor);
    mailed_to[0] = mailed[0] = '\0';
    mailing = APW_MAIL_SENT;
    during_mail = NULL;
}

struct apw_visitor *visit_begin(void)
{
    const struct apw_web_session_asker asker = {.owner = "uid=alice", .network = "-"};
    struct apw_web_session *session;

    reset_world();
    open_site();
    memset(&exchange, 0, sizeof exchange);
    session = apw_web_session_begin(portal.site.sessions, &asker, now_ms, exchange.cookie);
    assert_non_null(session);
    strcpy(((struct apw_visitor *)session->content)->login, "alice");
    assert_int_equal(apw_form_begin(&apw_form_fields, &exchange.form), 0);
    apw_request_begin(&request, &portal, &exchange, session);
    request.account = (struct apw_account){
        .user = &user, .has_mfa = true, .factors = {.count = 0, .factor = factors}};
    return request.visitor;
}

void visit_end(void)
{
    apw_buffer_free(&exchange.body);
    apw_form_free(&exchange.form);
    close_site();
}

struct apw_factor *visit_add_factor(enum apw_method_kind kind, const char *id)
{
    struct apw_factor *factor = &factors[request.account.factors.count++];

    assert_true(request.account.factors.count <= VISIT_FACTORS);
    *factor =
        (struct apw_factor){.method = {.kind = kind}, .value = "factor v=2", .is_allowed = true};
    snprintf(factor->method.id, sizeof factor->method.id, "%s", id);
    return factor;
}

void visit_know_browser(void)
{
    apw_browser_mark(portal_config.key, "alice", exchange.browser);
}

void visit_next(void)
{
    const struct apw_account account = request.account;

    apw_buffer_free(&exchange.body);
    apw_form_free(&exchange.form);
    assert_int_equal(apw_form_begin(&apw_form_fields, &exchange.form), 0);
    exchange.status = 0;
    exchange.location[0] = exchange.new_cookie[0] = exchange.new_browser[0] = '\0';
    request.session->flash = APW_TEXT_NONE;
    request.session->flash_minutes = 0;
    apw_request_begin(&request, &portal, &exchange, request.session);
    request.account = account;
}

void visit_type(const char *name, const char *value)
{
    apw_form_take(&exchange.form, name, value, 0, strlen(value));
    assert_false(exchange.form.is_bad);
}

/* ---- the answer ---- */

void assert_redirected(const char *path, enum apw_text said, bool is_good)
{
    assert_int_equal(exchange.status, 303);
    assert_int_equal(strncmp(exchange.location, "/root/", 6), 0);
    assert_string_equal(exchange.location + 6, path);
    assert_int_equal(request.session->flash, said);
    if (said != APW_TEXT_NONE)
        assert_int_equal(request.session->is_flash_good, is_good);
}

void assert_shown(unsigned status, const char *part)
{
    assert_int_equal(exchange.status, status);
    assert_false(exchange.body.is_broken);
    assert_contains(exchange.body.bytes, part);
}

static const char *read_log(void)
{
    static char text[65536];
    FILE *file = fopen(log_path, "re");

    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

void assert_logged(const char *part)
{
    assert_contains(read_log(), part);
}

void assert_not_logged(const char *part)
{
    assert_null(strstr(read_log(), part));
}
