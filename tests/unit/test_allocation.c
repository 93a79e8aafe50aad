/* SPDX-License-Identifier: BSD-2-Clause */
/* Every allocation fails once: in lib/, and in libldap, libsodium and the C library on its behalf.
 * The program must not crash, leak, accept a wrong password or reject the right one. The next login
 * gets the usual answer. */
#include "enrolment.h"
#include "front.h"
#include "guesses.h"
#include "manage.h"
#include "mfa_switch.h"
#include "responder.h"
#include "unit.h"
#include <errno.h>
#include <ldap.h>
#include <link.h>
#include <signal.h>
#include <sodium.h>
#include <stdatomic.h>
#include <sys/wait.h>

#define DN      "uid=alice,dc=example,dc=org"
#define WITNESS "uid=witness,dc=example,dc=org" /* MFA is always on */
#define ACCOUNT "correct horse"
#define WRONG   "k7q2-0000-0000-0000-0001" /* the right id, a wrong secret */

/* ---- the allocator ---- */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void __libc_free(void *memory);

static atomic_long countdown;           /* allocations until one fails; 0 for never */
static atomic_long living;              /* blocks in use */
static _Thread_local bool is_bystander; /* the responder's thread */
static bool spares_libldap;             /* libldap's allocations succeed */
static atomic_bool has_spared;          /* the failed allocation was libldap's */

static struct range {
    uintptr_t start, end;
} libldap[8];
static size_t libldap_count;

static int note_libldap(struct dl_phdr_info *library, size_t size, void *context)
{
    (void)size;
    (void)context;
    if (strstr(library->dlpi_name, "libldap") == NULL &&
        strstr(library->dlpi_name, "liblber") == NULL)
        return 0;
    for (int i = 0; i < library->dlpi_phnum && libldap_count < UNIT_COUNT(libldap); i++) {
        const ElfW(Phdr) *segment = &library->dlpi_phdr[i];
        uintptr_t start = library->dlpi_addr + segment->p_vaddr;

        if (segment->p_type == PT_LOAD && (segment->p_flags & PF_X) != 0)
            libldap[libldap_count++] = (struct range){start, start + segment->p_memsz};
    }
    return 0;
}

static bool is_libldap(const void *caller)
{
    for (size_t i = 0; i < libldap_count; i++)
        if ((uintptr_t)caller >= libldap[i].start && (uintptr_t)caller < libldap[i].end)
            return true;
    return false;
}

static bool fails(const void *caller)
{
    if (is_bystander || atomic_load(&countdown) == 0 || atomic_fetch_sub(&countdown, 1) != 1)
        return false;
    if (spares_libldap && is_libldap(caller)) {
        atomic_store(&has_spared, true);
        return false;
    }
    errno = ENOMEM;
    return true;
}

static void *counted(void *memory)
{
    if (memory != NULL && !is_bystander)
        atomic_fetch_add(&living, 1);
    return memory;
}

/* These replace the C library's, also for the libraries. */
#pragma GCC visibility push(default)

void *malloc(size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : counted(__libc_calloc(count, size));
}

void *realloc(void *memory, size_t size)
{
    if (fails(__builtin_return_address(0)))
        return NULL;
    return memory == NULL ? counted(__libc_realloc(NULL, size)) : __libc_realloc(memory, size);
}

void free(void *memory)
{
    if (memory != NULL && !is_bystander)
        atomic_fetch_sub(&living, 1);
    __libc_free(memory);
}

#pragma GCC visibility pop

/* A login and its expected outcome. */
struct login {
    const char *name;
    const char *typed;
    const char *password;
    bool mfa_is_on;
    enum apw_verdict verdict;
    const char *conf_path;
    bool is_stored_missing;   /* in the store */
    bool has_no_app_password; /* so MFA is not likely */
};

/* ---- the store: one entry, with the same app password and MFA as there ---- */

#define ENTRIES          "ou=entries,o=app-passwords"
#define STORED           "appPasswordOwner=0f3e," ENTRIES
#define WITNESS_OF_STORE "cn=witness,o=app-passwords"
#define APP              "appPassword", "id=k7q2 created=20261101000000Z hash={ARGON2}" UNIT_PHC " label=Laptop"

static bool has(const struct request *request, const char *text)
{
    return memmem(request->bytes, request->length, text, strlen(text)) != NULL;
}

/* An administrator finds no entry, so that each change adds it. */
static bool answer_store(const struct request *request, const struct login *login)
{
    static const char *const entry[] = {
        "objectClass", "appPasswordAccount", "appPasswordOwner", "0f3e", APP, NULL};
    static const char *const nothing[] = {NULL};
    bool is_empty = login == NULL || login->is_stored_missing;

    if (request->operation == ADD_REQUEST)
        return responder_result(request, ADD_RESPONSE, 0, NULL, NULL);
    if (request->operation == MODIFY_REQUEST)
        return responder_result(request, MODIFY_RESPONSE, 0, NULL, NULL);
    /* Without memory for a copy of the filter, libldap 2.5 sends the search without it. A server
     * cannot decode that. */
    if (!has(request, "\xa3") && !has(request, "\x87"))
        return responder_result(request, SEARCH_DONE, LDAP_PROTOCOL_ERROR, NULL, NULL);
    if (has(request, WITNESS_OF_STORE) && !has(request, "FALSE"))
        responder_entry(request, WITNESS_OF_STORE, nothing);
    else if (has(request, STORED) && has(request, "FALSE") != login->mfa_is_on)
        responder_entry(request, STORED, nothing);
    else if (has(request, ENTRIES) && !has(request, STORED) && !is_empty)
        responder_entry(request, STORED, entry);
    return responder_result(request, SEARCH_DONE, 0, NULL, NULL);
}

/* ---- the directory: alice, with one app password, MFA on or off ---- */

/* Whom a search is about. */
struct subject {
    bool is_witness; /* which alone is in the group and has left */
    bool is_on;
};

static bool has_value(const struct subject *subject, const struct berval *attribute,
                      const struct berval *value)
{
    if (strncmp(attribute->bv_val, "appPasswordMfaEnabled", attribute->bv_len) == 0)
        return (value->bv_len == strlen("TRUE")) == subject->is_on;
    if (strncmp(attribute->bv_val, "memberOf", attribute->bv_len) == 0 ||
        strncmp(attribute->bv_val, "employeeType", attribute->bv_len) == 0)
        return subject->is_witness;
    return true;
}

/* Whether the subject matches the filter (RFC 4511, 4.5.1.7); *is_valid_r is kept if it is one. */
static bool matches(BerElement *ber, const struct subject *subject, bool *is_valid_r)
{
    struct berval attribute, value;
    ber_len_t length;
    char *end = NULL;
    ber_tag_t tag = ber_peek_tag(ber, &length), part;
    bool holds = tag == LDAP_FILTER_AND;

    switch (tag) {
    case LDAP_FILTER_AND:
    case LDAP_FILTER_OR:
        for (part = ber_first_element(ber, &length, &end); part != LBER_DEFAULT;
             part = ber_next_element(ber, &length, end)) {
            bool one = matches(ber, subject, is_valid_r);

            holds = tag == LDAP_FILTER_AND ? holds && one : holds || one;
        }
        return holds;
    case LDAP_FILTER_NOT:
        ber_skip_tag(ber, &length);
        *is_valid_r &= length > 0;
        return length > 0 && !matches(ber, subject, is_valid_r);
    case LDAP_FILTER_EQUALITY:
        *is_valid_r &= ber_scanf(ber, "{mm}", &attribute, &value) != LBER_ERROR;
        return *is_valid_r && has_value(subject, &attribute, &value);
    case LDAP_FILTER_PRESENT:
        *is_valid_r &= ber_scanf(ber, "m", &attribute) != LBER_ERROR;
        return true;
    default:
        *is_valid_r = false;
        return false;
    }
}

/* Answers as a server that decodes what arrives. */
static bool answer_search(const struct request *request, const struct login *login)
{
    static const char *const entry[] = {"uid",
                                        "alice",
                                        "entryUUID",
                                        "0f3e",
                                        "mail",
                                        "a@example.net",
                                        APP,
                                        "appPasswordUsed",
                                        "id=zzzz at=20261101000000Z",
                                        NULL};
    static const char *const without[] = {"uid", "alice", NULL};
    static const char *const nothing[] = {NULL};
    const struct subject subject = {.is_witness = has(request, WITNESS),
                                    .is_on = has(request, WITNESS) ||
                                             (login != NULL && login->mfa_is_on)};
    struct berval bytes = {.bv_val = (char *)request->bytes, .bv_len = request->length}, base;
    BerElement *ber = ber_init(&bytes);
    ber_int_t number;
    bool is_valid = ber_scanf(ber, "{it{meeiib", &number, &(ber_tag_t){0}, &base, &number, &number,
                              &number, &number, &number) != LBER_ERROR;
    bool is_match = is_valid && matches(ber, &subject, &is_valid);

    ber_free(ber, 1);
    if (!is_valid)
        return responder_result(request, SEARCH_DONE, LDAP_PROTOCOL_ERROR, NULL, NULL);
    if (is_match)
        responder_entry(request, subject.is_witness ? WITNESS : DN,
                        has(request, "\x04\x03"
                                     "1.1")
                            ? nothing
                        : login != NULL && login->has_no_app_password ? without
                                                                      : entry);
    return responder_result(request, SEARCH_DONE, 0, NULL, NULL);
}

static bool answer(const struct request *request)
{
    const struct login *login = request->row;

    is_bystander = true;
    if (request->operation == BIND_REQUEST)
        return responder_result(request, BIND_RESPONSE,
                                has(request, ACCOUNT) || has(request, "service") ? 0 : 49, NULL,
                                NULL);
    if (request->operation == ADD_REQUEST)
        return answer_store(request, login);
    if (request->operation == MODIFY_REQUEST)
        return responder_result(request, MODIFY_RESPONSE, 0, NULL, NULL);
    if (has(request, "o=app-passwords"))
        return answer_store(request, login);
    return answer_search(request, login);
}

/* ---- a login, from opening the front to closing it ---- */

/* The second needs a lookup of the server's name; the third has every filter and the witness; the
 * fourth has a store. */
static char conf_path[UNIT_PATH_SIZE], named_conf_path[UNIT_PATH_SIZE],
    filters_conf_path[UNIT_PATH_SIZE], store_conf_path[UNIT_PATH_SIZE];

static void write_config(const char *path, const char *uri, const char *more)
{
    char text[8 * UNIT_PATH_SIZE], password_path[UNIT_PATH_SIZE], log_path[UNIT_PATH_SIZE];

    unit_write(unit_path("password", password_path), "service\n", 8);
    snprintf(text, sizeof text,
             "uri %s\nwrite_uri %s\nbase dc=example,dc=org\nscope one\n"
             "filter (&(|(uid=%%u)(uid=%%t)(uid=%%b)(mail=%%n@%%d))(objectClass=person))\n"
             "binddn cn=service,dc=example,dc=org\nbindpw_file %s\ntls_cacert %s\n"
             "timeout 20\ndeadline 80\n"
             "mfa_enforcement enforce\naccount_password when-mfa-off\n"
             "account_password_from 192.0.2.0/24 ::1\nlogin_attribute uid\nhash_memory 8M\n"
             "record_use 1h\nrefusal_delay 0\nlog %s\n%s",
             uri, responder_uri(1), password_path, password_path, unit_path("log", log_path), more);
    unit_write(path, text, strlen(text));
}

#define DOMAIN "alice+tag@b\303\274cher.example" /* bücher: also asked for in A-labels */

static const struct login logins[] = {
    {"a login by app password", "alice", UNIT_SHOWN, true, APW_ACCEPTED, .conf_path = conf_path},
    {"a login at a server that is looked up", "alice", UNIT_SHOWN, true, APW_ACCEPTED,
     .conf_path = named_conf_path},
    {"a login by a wrong app password", "alice", WRONG, true, APW_REFUSED, .conf_path = conf_path},
    {"a login by account password", "alice", ACCOUNT, false, APW_ACCEPTED, .conf_path = conf_path},
    {"a login by a wrong account password", "alice", "wrong", false, APW_REFUSED,
     .conf_path = conf_path},
    {"a login by account password with MFA", "alice", ACCOUNT, true, APW_REFUSED,
     .conf_path = conf_path},
    {"a login with an internationalized domain", DOMAIN, UNIT_SHOWN, true, APW_ACCEPTED,
     .conf_path = conf_path},
    {"a login with a witness and a filter for ended accounts", DOMAIN, ACCOUNT, false, APW_ACCEPTED,
     .conf_path = filters_conf_path},
    {"a login with them and with MFA", DOMAIN, ACCOUNT, true, APW_REFUSED,
     .conf_path = filters_conf_path},
    {"a login with them and with MFA, before the first app password", DOMAIN, ACCOUNT, true,
     APW_REFUSED, .conf_path = filters_conf_path, .has_no_app_password = true},
    {"a login by app password with a store", "alice", UNIT_SHOWN, true, APW_ACCEPTED,
     .conf_path = store_conf_path},
    {"a login by a wrong app password with a store", "alice", WRONG, true, APW_REFUSED,
     .conf_path = store_conf_path},
    {"a login by account password with a store", "alice", ACCOUNT, false, APW_ACCEPTED,
     .conf_path = store_conf_path},
    {"a login by account password with a store and MFA", "alice", ACCOUNT, true, APW_REFUSED,
     .conf_path = store_conf_path},
    {"a login by account password without an entry in the store", "alice", ACCOUNT, false,
     APW_ACCEPTED, .conf_path = store_conf_path, .is_stored_missing = true},
};

static enum apw_verdict verify(struct apw_front *front, const struct login *login)
{
    const struct apw_attempt attempt = {.login = login->typed,
                                        .login_length = strlen(login->typed),
                                        .password = login->password,
                                        .password_length = strlen(login->password),
                                        .service = "smtp",
                                        .client = "203.0.113.7"};
    struct apw_decision decision;
    enum apw_verdict verdict;

    apw_front_verify_typed(front, &attempt, false, &decision);
    verdict = decision.event.verdict;
    if (verdict == APW_ACCEPTED && strcmp(decision.event.name, "alice") != 0)
        verdict = APW_UNAVAILABLE;
    apw_verify_clear(&decision);
    return verdict;
}

/* Returns a description of the first failure, or NULL. */
typedef const char *(*whole)(const void *row);

static const char *run_login(const void *row)
{
    const struct login *login = row;
    struct apw_front *front;
    struct apw_error error;
    enum apw_verdict first, second = login->verdict;
    bool is_broken;

    if (apw_front_open(login->conf_path, &front, &error) != 0)
        return front != NULL || error.text[0] == '\0' ? "a failure that says nothing" : NULL;
    is_broken = error.text[0] != '\0';
    first = verify(front, login);
    if (atomic_load(&countdown) <= 0 && !is_broken)
        second = verify(front, login);
    apw_front_close(&front);
    if (first != login->verdict && first != APW_UNAVAILABLE)
        return "a wrong verdict";
    return second != login->verdict ? "another verdict afterwards" : NULL;
}

/* ---- the operations of an administrator ---- */

static int count_user(void *context, const struct apw_user *user)
{
    *(size_t *)context += user->password_count;
    return 0;
}

static bool count_guess(struct apw_guesses *guesses, void *context)
{
    char *token = context;

    guesses->count++;
    apw_guesses_make_link(guesses, token);
    return true;
}

static const char *manage(const struct apw_manager *manager)
{
    char token[APW_TOKEN_SIZE];
    const struct apw_target target = {.login = "alice"};
    const struct apw_password_spec spec = {
        .label = "Phone", .services = "imap", .from = "192.0.2.7", .without_mfa = true};
    const char *wrong = NULL;
    struct apw_password password;
    struct apw_mfa_switched switched;
    struct apw_error error;
    struct apw_user *user;
    size_t count = 0;

    if (apw_manage_create(manager, &target, &spec, &password, &error) != APW_MANAGE_DONE &&
        !unit_is_zero(&password, sizeof password))
        wrong = "an app password that was not stored";
    apw_manage_revoke(manager, &target, "k7q2", &error);
    apw_manage_revoke_all(manager, &target, NULL, &error);
    apw_mfa_switch_on(manager, &target, &(struct apw_mfa_start){.from = NULL}, &switched, &error);
    apw_enrolment_make_code(manager, &target, false, &password, &error);
    if (apw_user_find(manager, &target, &user, &error) == APW_MANAGE_DONE) {
        if (user->password_count != 1 || user->mail.count != 1)
            wrong = "half a user";
        apw_enrolment_change_methods(manager, user,
                                     &(struct apw_enrolment_change){.added = {"sealed=x"}}, &error);
    }
    apw_user_free(&user);
    apw_guesses_update(manager, DN, count_guess, token, &error);
    if (apw_user_each(manager, "(appPassword=*)", count_user, &count, &error) == APW_MANAGE_DONE &&
        count != 1)
        wrong = "not all users";
    return wrong;
}

static const char *run_manage(const void *row)
{
    struct apw_directory_settings settings;
    struct apw_manager manager = {.with_enrolment = true};
    const char *wrong = NULL;
    struct apw_config *config;
    struct apw_error error;

    (void)row;
    if (apw_config_read(conf_path, &config, &error) != 0)
        return NULL;
    config->hash_memory_mib = 1;
    settings = (struct apw_directory_settings){
        .uris = &config->uris, .identity = &config->identity, .timeout_ms = 20000};
    manager.config = config;
    if (apw_directory_new(&settings, &manager.directory, &error) == 0)
        wrong = manage(&manager);
    apw_directory_free(&manager.directory);
    apw_config_free(&config);
    return wrong;
}

/* The entry in the store is added each time, since none is found there. */
static const char *manage_stored(const struct apw_manager *manager)
{
    const struct apw_target target = {.login = "alice"};
    const struct apw_password_spec spec = {.label = "Phone", .without_mfa = true};
    struct apw_password password;
    struct apw_mfa_switched switched;
    struct apw_error error = {""};
    struct apw_user *user;
    size_t count = 0;

    if (apw_manage_create(manager, &target, &spec, &password, &error) != APW_MANAGE_DONE &&
        !unit_is_zero(&password, sizeof password))
        return "an app password that was not stored";
    apw_mfa_switch_off(manager, &target, &switched, &error);
    if (apw_user_find(manager, &target, &user, &error) == APW_MANAGE_DONE &&
        (user->has_holder || strcmp(user->holder_dn, STORED) != 0 ||
         strcmp(user->unique_id, "0f3e") != 0)) {
        apw_user_free(&user);
        return "half a user";
    }
    apw_user_free(&user);
    if (apw_user_each_holder(manager, "(appPassword=*)", count_user, &count, &error) ==
            APW_MANAGE_DONE &&
        count != 0)
        return "a user who is not there";
    return NULL;
}

static const char *run_manage_stored(const void *row)
{
    struct apw_directory_settings users, store;
    struct apw_manager manager = {.with_enrolment = true};
    const char *wrong = NULL;
    struct apw_config *config;
    struct apw_error error;

    (void)row;
    if (apw_config_read(store_conf_path, &config, &error) != 0)
        return NULL;
    config->hash_memory_mib = 1;
    users = apw_config_directory_settings(config, &config->uris, &config->identity);
    store = apw_config_store_settings(config, &config->store.uris, &config->store.identity);
    manager.config = config;
    if (apw_directory_new(&users, &manager.directory, &error) == 0 &&
        apw_directory_new(&store, &manager.store, &error) == 0)
        wrong = manage_stored(&manager);
    apw_directory_free(&manager.directory);
    apw_directory_free(&manager.store);
    apw_config_free(&config);
    return wrong;
}

/* ---- each allocation in turn ---- */

static long libldap_ended; /* processes */

/* Makes allocation `number` fail; with `spares_libldap`, only outside libldap. Returns how many
 * blocks leaked. *is_past_r: there were fewer allocations. */
static long run_once(whole run, const void *row, long number, bool *is_past_r)
{
    long before = atomic_load(&living);
    const char *wrong;

    atomic_store(&has_spared, false);
    atomic_store(&countdown, number);
    wrong = run(row);
    *is_past_r = number > 0 && atomic_load(&countdown) > 0;
    atomic_store(&countdown, 0);
    if (wrong != NULL)
        fail_msg("allocation %ld: %s", number, wrong);
    for (int i = 0; i < 2000 && atomic_load(&living) != before; i++)
        usleep(1000); /* a name lookup's thread is about to end */
    return atomic_load(&living) - before;
}

/* A leak repeats; memory that the C library keeps for one more thread does not. */
static bool run_with_failure(whole run, const void *row, long number)
{
    bool is_past;
    long left = 0;

    for (int i = 0; i < 4; i++) {
        left = run_once(run, row, number, &is_past);
        if (left == 0)
            return !is_past;
    }
    fail_msg("allocation %ld: %ld blocks were left", number, left);
    return false;
}

/* The same in its own process: when an allocation fails, libldap leaks blocks, and its assertions
 * may abort the process later. Nothing worse is allowed. */
static void run_in_child(whole run, const void *row, long number)
{
    static const int caught[] = {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGSYS};
    int status;
    pid_t child = fork();

    if (child == 0) {
        const char *wrong;

        for (size_t i = 0; i < UNIT_COUNT(caught); i++)
            signal(caught[i], SIG_DFL); /* or cmocka would run the next test */
        spares_libldap = false;
        close(STDERR_FILENO); /* "Assertion failed" */
        atomic_store(&countdown, number);
        wrong = run(row);
        if (wrong != NULL)
            printf("allocation %ld, libldap's: %s\n", number, wrong);
        fflush(stdout);
        _exit(wrong == NULL ? 0 : 2);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status))
        assert_int_equal(WEXITSTATUS(status), 0);
    else
        libldap_ended++;
}

static void test_each(whole run, const void *row)
{
    long number = 0, of_libldap = 0;

    responder_expect(answer, row);
    spares_libldap = true;
    run(row); /* for the blocks that are allocated only once */
    run(row);
    run_with_failure(run, row, 0);
    while (run_with_failure(run, row, ++number))
        if (atomic_load(&has_spared)) {
            of_libldap++;
            run_in_child(run, row, number);
        }
    print_message("             %ld allocations, %ld of them libldap's\n", number - 1, of_libldap);
    assert_true(number > 100 && of_libldap > 50);
}

static void test_login(void **state)
{
    test_each(run_login, *state);
}

static void test_manage(void **state)
{
    (void)state;
    test_each(run_manage, NULL);
}

static void test_manage_stored(void **state)
{
    (void)state;
    test_each(run_manage_stored, NULL);
}

int main(void)
{
    char path[UNIT_PATH_SIZE], password_path[UNIT_PATH_SIZE], named_uri[64], store_keys[1024];
    int status;

    dl_iterate_phdr(note_libldap, NULL);
    if (sodium_init() < 0)
        return EXIT_FAILURE;
    unit_path("app-password.conf", conf_path);
    unit_path("named.conf", named_conf_path);
    unit_path("filters.conf", filters_conf_path);
    unit_path("store.conf", store_conf_path);
    unit_path("password", password_path);
    responder_start(unit_path("", path));
    snprintf(named_uri, sizeof named_uri, "ldap://localhost%s", strrchr(responder_uri(0), ':'));
    write_config(conf_path, responder_uri(RESPONDER_PORTS), "");
    write_config(named_conf_path, named_uri, "");
    write_config(filters_conf_path, responder_uri(RESPONDER_PORTS),
                 "mfa_filter (|(memberOf=cn=mfa,dc=example,dc=org)(appPasswordMfaEnabled=TRUE))\n"
                 "mfa_witness " WITNESS "\ndisabled_filter (employeeType=left)\n"
                 "disabled_witness " WITNESS "\n");
    snprintf(store_keys, sizeof store_keys,
             "store_uri %s\nstore_base " ENTRIES "\nstore_binddn cn=service,o=app-passwords\n"
             "store_bindpw_file %s\nid_attribute entryUUID\nstore_mfa yes\n"
             "store_mfa_default off\nmfa_witness " WITNESS_OF_STORE "\n",
             responder_uri(1), password_path);
    write_config(store_conf_path, responder_uri(RESPONDER_PORTS), store_keys);
    UNIT_ROWS(logins, test_login);
    UNIT_TEST("managing", test_manage);
    UNIT_TEST("managing a store", test_manage_stored);
    status = unit_run();
    print_message("libldap ended the process %ld times\n", libldap_ended);
    responder_stop();
    return status;
}
