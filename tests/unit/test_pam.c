/* SPDX-License-Identifier: BSD-2-Clause */
/* The PAM module, loaded by libpam through a PAM configuration of our own. No server. */
#include "unit.h"
#include <security/pam_appl.h>
#include <sys/wait.h>

#define MODULE APW_BUILDDIR "/pam_app_password.so"

static char down[UNIT_PATH_SIZE], broken[UNIT_PATH_SIZE], log_path[UNIT_PATH_SIZE];

static void write_down(void)
{
    char text[2048];

    snprintf(text, sizeof text,
             "uri ldapi://%%2Fnonexistent\nbase dc=example\nbind external\nrefusal_delay 3\n"
             "log %s\n",
             log_path);
    unit_write(down, text, strlen(text));
}

static void write_configurations(void)
{
    unit_path("down.conf", down);
    unit_path("broken.conf", broken);
    write_down();
    unit_write(broken, "frobnicate yes\n", 15);
}

/* ---- an application ---- */

static struct {
    const char *password;
    unsigned prompts;
    unsigned delay_us;
} application;

static int converse(int count, const struct pam_message **messages, struct pam_response **answers_r,
                    void *context)
{
    (void)context;
    *answers_r = calloc((size_t)count, sizeof **answers_r);
    assert_non_null(*answers_r);
    for (int i = 0; i < count; i++) {
        application.prompts++;
        if (messages[i]->msg_style == PAM_PROMPT_ECHO_OFF && application.password != NULL)
            (*answers_r)[i].resp = strdup(application.password);
    }
    return PAM_SUCCESS;
}

/* libpam calls this instead of sleeping. */
static void take_delay(int status, unsigned delay_us, void *context)
{
    (void)status;
    (void)context;
    application.delay_us = delay_us;
}

/* Begins a transaction with `arguments` behind the module; %1 stands for the configuration whose
 * directory is down, %2 for the broken one. */
static pam_handle_t *begin(const char *arguments, const char *login, const char *password)
{
    static const struct pam_conv conversation = {converse, NULL};
    char folder[UNIT_PATH_SIZE], path[UNIT_PATH_SIZE], expanded[2 * UNIT_PATH_SIZE] = "",
                                                                    text[8192];
    union {
        const void *item;
        void (*function)(int, unsigned, void *);
    } delay = {.function = take_delay};
    pam_handle_t *pamh;

    for (const char *at = arguments; *at != '\0'; at++) {
        size_t length = strlen(expanded);

        if (*at != '%')
            snprintf(expanded + length, sizeof expanded - length, "%c", *at);
        else
            snprintf(expanded + length, sizeof expanded - length, "%s",
                     *++at == '1' ? down : broken);
    }
    snprintf(text, sizeof text, "auth required %s %s\naccount required %s %s\n", MODULE, expanded,
             MODULE, expanded);
    unit_write(unit_path("imaps", path), text, strlen(text));
    memset(&application, 0, sizeof application);
    application.password = password;
    assert_int_equal(pam_start_confdir("imaps", login, &conversation, unit_path("", folder), &pamh),
                     PAM_SUCCESS);
    assert_int_equal(pam_set_item(pamh, PAM_FAIL_DELAY, delay.item), PAM_SUCCESS);
    return pamh;
}

static int authenticate_once(const char *arguments, const char *login, const char *password)
{
    pam_handle_t *pamh = begin(arguments, login, password);
    int status = pam_authenticate(pamh, 0);

    pam_end(pamh, status);
    return status;
}

static void read_log(char text_r[4096])
{
    FILE *file = fopen(log_path, "re");
    size_t length = file == NULL ? 0 : fread(text_r, 1, 4095, file);

    text_r[length] = '\0';
    if (file != NULL)
        fclose(file);
}

/* ---- what it answers ---- */

static const struct answer_case {
    const char *name;
    const char *arguments;
    const char *login;
    const char *password;
    int expected;
} answers[] = {
    {"a directory that does not answer is unavailable", "config=%1", "alice", "secret",
     PAM_AUTHINFO_UNAVAIL},
    {"a broken configuration is unavailable", "config=%2", "alice", "secret", PAM_AUTHINFO_UNAVAIL},
    {"a configuration that is not there is unavailable", "config=/nonexistent", "alice", "secret",
     PAM_AUTHINFO_UNAVAIL},
    {"an empty login is refused", "config=%1", "", "secret", PAM_AUTH_ERR},
    {"a blank login is refused", "config=%1", " ", "secret", PAM_AUTH_ERR},
    {"an empty password is refused", "config=%1", "alice", "", PAM_AUTH_ERR},
    {"no password is unavailable", "config=%1", "alice", NULL, PAM_AUTHINFO_UNAVAIL},
    {"all arguments together are taken", "config=%1 service=smtp tempfail=exit", " ", "secret",
     PAM_AUTH_ERR},
    /* Had it been taken, the blank login would be refused. */
    {"an unknown argument is unavailable", "config=%1 timeout=3", " ", "secret",
     PAM_AUTHINFO_UNAVAIL},
    {"nullok is unavailable", "config=%1 nullok", " ", "secret", PAM_AUTHINFO_UNAVAIL},
    {"use_first_pass is unavailable", "config=%1 use_first_pass", " ", "secret",
     PAM_AUTHINFO_UNAVAIL},
    {"an argument in capitals is unavailable", "CONFIG=%1", " ", "secret", PAM_AUTHINFO_UNAVAIL},
    {"an argument without a value is unavailable", "config=%1 service", " ", "secret",
     PAM_AUTHINFO_UNAVAIL},
    {"an argument that is given twice is unavailable", "config=%1 config=%1", " ", "secret",
     PAM_AUTHINFO_UNAVAIL},
    {"a relative path is unavailable", "config=app-password.conf", " ", "secret",
     PAM_AUTHINFO_UNAVAIL},
    {"an empty path is unavailable", "config=", " ", "secret", PAM_AUTHINFO_UNAVAIL},
    {"a service that cannot be one is unavailable", "config=%1 service=im_ap", " ", "secret",
     PAM_AUTHINFO_UNAVAIL},
    {"an empty service is unavailable", "config=%1 service=", " ", "secret", PAM_AUTHINFO_UNAVAIL},
    {"a tempfail that is not exit is unavailable", "config=%1 tempfail=yes", " ", "secret",
     PAM_AUTHINFO_UNAVAIL},
};

static void test_answer(void **state)
{
    const struct answer_case *row = *state;

    assert_int_equal(authenticate_once(row->arguments, row->login, row->password), row->expected);
}

static void test_account(void **state)
{
    pam_handle_t *pamh = begin("config=%1", "alice", "secret");

    (void)state;
    assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_PERM_DENIED);
    assert_int_equal(pam_authenticate(pamh, 0), PAM_AUTHINFO_UNAVAIL);
    assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_PERM_DENIED);
    pam_end(pamh, PAM_SUCCESS);
}

static void test_credentials(void **state)
{
    pam_handle_t *pamh = begin("config=%1", "alice", "secret");

    (void)state;
    assert_int_equal(pam_setcred(pamh, PAM_ESTABLISH_CRED), PAM_CRED_ERR);
    pam_end(pamh, PAM_SUCCESS);
}

/* ---- how it gets there ---- */

static void test_one_prompt(void **state)
{
    (void)state;
    authenticate_once("config=%1", "alice", "secret");
    assert_int_equal(application.prompts, 1);
}

static void test_no_prompt(void **state)
{
    char log[4096];

    (void)state;
    authenticate_once("config=%1\nauth required " MODULE " config=%1", "twice", "secret");
    assert_int_equal(application.prompts, 1);
    read_log(log);
    assert_contains(log, "user=\"twice\"");
}

static void test_refusal_delay(void **state)
{
    (void)state;
    authenticate_once("config=%1", " ", "secret");
    /* libpam moves it by up to a half, so that it tells nothing. */
    assert_in_range(application.delay_us, 1500000, 4500000);
}

static void test_no_delay(void **state)
{
    (void)state;
    authenticate_once("config=%1", "alice", "secret");
    assert_int_equal(application.delay_us, 0);
}

static void test_pam_service(void **state)
{
    pam_handle_t *pamh = begin("config=%1", "from-imap", "secret");
    char log[4096];

    (void)state;
    pam_set_item(pamh, PAM_RHOST, "192.0.2.7");
    pam_end(pamh, pam_authenticate(pamh, 0));
    read_log(log);
    assert_contains(log, "user=\"from-imap\" service=imap client=192.0.2.7 id=-");
}

static void test_own_service(void **state)
{
    pam_handle_t *pamh = begin("config=%1 service=submission", " from-smtp ", "secret");
    char log[4096];

    (void)state;
    pam_set_item(pamh, PAM_RHOST, "localhost");
    pam_end(pamh, pam_authenticate(pamh, 0));
    read_log(log);
    assert_contains(log, "user=\"from-smtp\" service=smtp client=- id=-");
}

static void test_kept(void **state)
{
    char log[4096];

    (void)state;
    authenticate_once("config=%1", "before", "secret");
    unlink(down);
    authenticate_once("config=%1", "behind", "secret");
    write_down();
    read_log(log);
    assert_contains(log, "reason=directory-unavailable user=\"behind\"");
}

static void test_mended(void **state)
{
    char log[4096], text[UNIT_PATH_SIZE + 128];

    (void)state;
    assert_int_equal(authenticate_once("config=%2", " ", "secret"), PAM_AUTH_ERR);
    snprintf(text, sizeof text,
             "uri ldapi://%%2Fnonexistent\nbase dc=example\nbind external\nlog %s\n", log_path);
    unit_write(broken, text, strlen(text));
    authenticate_once("config=%2", "mended", "secret");
    unit_write(broken, "frobnicate yes\n", 15);
    read_log(log);
    assert_contains(log, "reason=directory-unavailable user=\"mended\"");
}

/* ---- tempfail=exit ---- */

/* After any other status, Dovecot may delay its next workers. */
enum { ENDED = EXIT_SUCCESS, RETURNED = 3 };

static const struct exit_case {
    const char *name;
    const char *arguments;
    const char *login;
    const char *tty;
    int expected; /* the exit status */
} exits[] = {
    {"with tempfail=exit, Dovecot's worker ends in an outage", "config=%1 tempfail=exit", "alice",
     "dovecot", ENDED},
    {"with tempfail=exit, it ends where another argument is wrong too",
     "config=%1 frobnicate tempfail=exit", "alice", "dovecot", ENDED},
    {"with tempfail=exit, it lives on after a refusal", "config=%1 tempfail=exit", " ", "dovecot",
     RETURNED},
    {"with tempfail=exit, no other program ends", "config=%1 tempfail=exit", "alice", "dovecot2",
     RETURNED},
    {"with tempfail=exit, a program without a terminal does not end", "config=%1 tempfail=exit",
     "alice", NULL, RETURNED},
    {"without tempfail=exit, Dovecot's worker lives on", "config=%1", "alice", "dovecot", RETURNED},
};

static void test_exit(void **state)
{
    const struct exit_case *row = *state;
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        pam_handle_t *pamh = begin(row->arguments, row->login, "secret");

        pam_set_item(pamh, PAM_TTY, row->tty);
        pam_authenticate(pamh, 0);
        _exit(RETURNED);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), row->expected);
}

int main(void)
{
    unit_path("log", log_path);
    write_configurations();
    UNIT_ROWS(answers, test_answer);
    UNIT_TEST("whom nobody accepted has no account", test_account);
    UNIT_TEST("whom nobody accepted gets no credentials", test_credentials);
    UNIT_TEST("the password is asked for once", test_one_prompt);
    UNIT_TEST("a password that another module asked for is not asked for again", test_no_prompt);
    UNIT_TEST("a refusal takes refusal_delay", test_refusal_delay);
    UNIT_TEST("an outage takes no longer than it has to", test_no_delay);
    UNIT_TEST("service and client are those of the application", test_pam_service);
    UNIT_TEST("service= goes before the application's", test_own_service);
    UNIT_TEST("the front is kept for the next login", test_kept);
    UNIT_TEST("a configuration that was mended is read", test_mended);
    UNIT_ROWS(exits, test_exit);
    return unit_run();
}
