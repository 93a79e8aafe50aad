/* SPDX-License-Identifier: BSD-2-Clause */
/* A person's second factors: reading, finding and changing them. Without a directory. */
#include "enrolment.h"
#include "factors.h"
#include "method_seal.h"
#include "unit.h"
#include <sodium.h>

#define VALUES 4

static struct apw_portal_config portal_config = {.key = "the key of this portal"};
static struct apw_portal portal = {.portal_config = &portal_config};
static struct apw_value values[VALUES];
static struct apw_user user = {
    .dn = (char *)"uid=alice", .unique_id = (char *)"entry", .method = {.value = values}};
static char sealed[VALUES][APW_METHOD_VALUE_SIZE];

/* ---- in place of the C library, libsodium and the directory ---- */

static bool is_memory_short;
static const void *watched; /* and how many bytes of it were wiped */
static size_t wiped;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void __real_sodium_memzero(void *bytes, size_t length);
void __wrap_sodium_memzero(void *bytes, size_t length);

void *__wrap_calloc(size_t count, size_t size)
{
    return is_memory_short ? NULL : __real_calloc(count, size);
}

void __wrap_sodium_memzero(void *bytes, size_t length)
{
    assert_non_null(bytes);
    if (bytes == watched)
        wiped = length;
    __real_sodium_memzero(bytes, length);
}

/* The change that was made, how it ended, and the entry after it. */
static struct {
    unsigned changes, removals;
    char *removed[2];
    char added[2][APW_METHOD_VALUE_SIZE];
    char taken_back[APW_METHOD_VALUE_SIZE];
    enum apw_manage_result result;
} made;
static struct {
    enum apw_manage_result result;
    size_t ours; /* so often the entry has the new value */
    const char *others[3];
} after;

enum apw_manage_result __wrap_apw_enrolment_change_methods(
    const struct apw_manager *manager, const struct apw_user *changed,
    const struct apw_enrolment_change *change, struct apw_error *error);
enum apw_manage_result __wrap_apw_enrolment_remove_method(const struct apw_manager *manager,
                                                          const struct apw_user *changed,
                                                          const char *value,
                                                          struct apw_error *error);
enum apw_manage_result __wrap_apw_user_find(const struct apw_manager *manager,
                                            const struct apw_target *target,
                                            struct apw_user **user_r, struct apw_error *error);
void __wrap_apw_user_free(struct apw_user **freed);

enum apw_manage_result __wrap_apw_enrolment_change_methods(
    const struct apw_manager *manager, const struct apw_user *changed,
    const struct apw_enrolment_change *change, struct apw_error *error)
{
    (void)error;
    assert_ptr_equal(manager, &portal.manager);
    assert_ptr_equal(changed, &user);
    made.changes++;
    for (size_t i = 0; i < 2; i++) {
        made.removed[i] = (char *)change->removed[i];
        snprintf(made.added[i], sizeof made.added[i], "%s",
                 change->added[i] == NULL ? "nothing" : change->added[i]);
    }
    return made.result;
}

enum apw_manage_result __wrap_apw_enrolment_remove_method(const struct apw_manager *manager,
                                                          const struct apw_user *changed,
                                                          const char *value,
                                                          struct apw_error *error)
{
    (void)error;
    assert_ptr_equal(manager, &portal.manager);
    assert_ptr_equal(changed, &user);
    made.removals++;
    snprintf(made.taken_back, sizeof made.taken_back, "%s", value);
    return APW_MANAGE_DONE;
}

enum apw_manage_result __wrap_apw_user_find(const struct apw_manager *manager,
                                            const struct apw_target *target,
                                            struct apw_user **user_r, struct apw_error *error)
{
    static struct apw_value found_values[6];
    static struct apw_user found = {.method = {.value = found_values}};
    size_t count = 0;

    (void)error;
    assert_ptr_equal(manager, &portal.manager);
    assert_string_equal(target->dn, user.dn);
    assert_null(target->login);
    for (size_t i = 0; i < after.ours; i++)
        found_values[count++].bytes = made.added[0];
    for (size_t i = 0; i < UNIT_COUNT(after.others) && after.others[i] != NULL; i++)
        found_values[count++].bytes = (char *)after.others[i];
    found.method.count = count;
    found_values[count].bytes = (char *)"behind the last one";
    for (size_t i = 0; i <= count; i++)
        found_values[i].length = strlen(found_values[i].bytes);
    *user_r = after.result == APW_MANAGE_DONE ? &found : NULL;
    return after.result;
}

void __wrap_apw_user_free(struct apw_user **freed)
{
    *freed = NULL;
}

/* ---- reading ---- */

static void begin(void)
{
    for (size_t i = 0; i < APW_METHOD_KIND_COUNT; i++)
        portal_config.factors.allows[i] = i != APW_METHOD_MAIL;
    user.method.count = 0;
    memset(&made, 0, sizeof made);
    made.result = APW_MANAGE_DONE;
    memset(&after, 0, sizeof after);
    after.result = APW_MANAGE_DONE;
    after.ours = 1;
}

static void add_value(const char *value)
{
    values[user.method.count++] = (struct apw_value){(char *)value, strlen(value)};
}

static void add_method(enum apw_method_kind kind, const char *id, int64_t since)
{
    struct apw_method method = {.kind = kind, .since = since};
    char *value = sealed[user.method.count];
    struct apw_error error = {""};

    strcpy(method.id, id);
    strcpy(method.address, kind == APW_METHOD_MAIL ? "alice@example.net" : "");
    assert_int_equal(apw_method_seal(&method, portal_config.key, user.unique_id, value, &error), 0);
    add_value(value);
}

static void test_read(void **state)
{
    struct apw_factors factors;
    struct apw_error error = {""};

    (void)state;
    begin();
    add_method(APW_METHOD_MAIL, "00000001", 20);
    add_method(APW_METHOD_APP, "00000002", 10);
    add_value("behind the last one");
    user.method.count--;
    assert_int_equal(apw_factors_read(&portal, &user, &factors, &error), 0);
    assert_int_equal(factors.count, 2);
    assert_string_equal(factors.factor[0].method.id, "00000002");
    assert_int_equal(factors.factor[0].method.since, 10);
    assert_ptr_equal(factors.factor[0].value, sealed[1]);
    assert_true(factors.factor[0].is_allowed);
    assert_ptr_equal(factors.factor[1].value, sealed[0]);
    assert_false(factors.factor[1].is_allowed);
    watched = factors.factor;
    apw_factors_free(&factors);
    assert_int_equal(wiped, 2 * sizeof *factors.factor);
    assert_true(unit_is_zero(&factors, sizeof factors));
    apw_factors_free(&factors);
}

/* The oldest first; of one age, by their ids. */
static void test_order(void **state)
{
    static const struct {
        const char *id;
        int64_t since;
    } rows[] = {{"00000003", 10}, {"00000001", 20}, {"00000002", 20}};
    static const size_t orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                       {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(orders); i++) {
        struct apw_factors factors;
        struct apw_error error = {""};

        begin();
        for (size_t k = 0; k < 3; k++)
            add_method(APW_METHOD_APP, rows[orders[i][k]].id, rows[orders[i][k]].since);
        assert_int_equal(apw_factors_read(&portal, &user, &factors, &error), 0);
        for (size_t k = 0; k < 3; k++)
            assert_string_equal(factors.factor[k].method.id, rows[k].id);
        apw_factors_free(&factors);
    }
}

/* What else is in the attribute, by its first word. */
static const char *const others[] = {"code x",       "guesses x",  "browser x",
                                     "invitation x", "reminder x", "reset x"};

static void test_others(void **state)
{
    struct apw_factors factors;
    struct apw_error error = {""};

    (void)state;
    begin();
    assert_int_equal(apw_factors_read(&portal, &user, &factors, &error), 0);
    assert_true(unit_is_zero(&factors, sizeof factors));
    for (size_t i = 0; i < UNIT_COUNT(others); i++) {
        begin();
        add_value(others[i]);
        assert_int_equal(apw_factors_read(&portal, &user, &factors, &error), 0);
        assert_int_equal(factors.count, 0);
        apw_factors_free(&factors);
    }
}

static void assert_unreadable(const char *why)
{
    struct apw_factors factors;
    struct apw_error error = {""};

    memset(&factors, 0xff, sizeof factors);
    assert_int_equal(apw_factors_read(&portal, &user, &factors, &error), -1);
    assert_true(unit_is_zero(&factors, sizeof factors));
    assert_contains(error.text, why);
}

static void test_unreadable(void **state)
{
    (void)state;
    begin();
    add_value("factor v=3 of another version");
    assert_unreadable("uid=alice: the second factor is not a sealed value of this version; "
                      "restore the portal.key");
    begin();
    add_method(APW_METHOD_APP, "00000001", 10);
    add_value("sealed=AAAA");
    assert_unreadable("uid=alice: the second factor");
    begin();
    add_method(APW_METHOD_APP, "00000001", 10);
    add_method(APW_METHOD_APP, "00000001", 20);
    assert_unreadable("uid=alice has two second factors with the same id");
    is_memory_short = true;
    assert_unreadable("out of memory");
    is_memory_short = false;
}

/* ---- finding ---- */

enum { NONE = -1 };

static const struct find_case {
    const char *name;
    struct apw_factor factors[4]; /* the oldest first; `id` "" for none */
    int usual, app, other;        /* their numbers; `other` is beside the first one */
    int64_t newest;
    size_t count;
} finds[] = {
#define APP(number, ...)                                                                           \
    {                                                                                              \
        .method = {.kind = APW_METHOD_APP, .id = number, __VA_ARGS__}, .is_allowed = true          \
    }
#define MAIL(number, ...)                                                                          \
    {                                                                                              \
        .method = {.kind = APW_METHOD_MAIL, .id = number, __VA_ARGS__}, .is_allowed = false        \
    }
#define CODES(number, ...)                                                                         \
    {                                                                                              \
        .method = {.kind = APW_METHOD_RECOVERY, .id = number, __VA_ARGS__}, .is_allowed = true     \
    }
    {"nobody has none", {{.value = NULL}}, NONE, NONE, NONE, 0, 0},
    {"one", {APP("1", .since = 5)}, 0, 0, NONE, 5, 1},
    {"the newer of two", {APP("1", .since = 5), APP("2", .since = 6)}, 1, 1, 1, 6, 2},
    {"the one used last",
     {APP("1", .since = 5, .used = 9), APP("2", .since = 6, .used = 8), APP("3", .since = 7)},
     0,
     2,
     1,
     7,
     3},
    {"the last one of equals", {APP("1", .since = 5), APP("2", .since = 5)}, 1, 1, 1, 5, 2},
    {"not one that the site does not allow",
     {APP("1", .since = 5), MAIL("2", .since = 6)},
     0,
     0,
     NONE,
     6,
     2},
    {"recovery codes only without anything else",
     {APP("1", .since = 5), CODES("2", .since = 6)},
     0,
     0,
     NONE,
     5,
     1},
    {"recovery codes beside what the site does not allow",
     {MAIL("1", .since = 5), CODES("2", .since = 6)},
     1,
     NONE,
     NONE,
     5,
     1},
    {"only what the site does not allow", {MAIL("1", .since = 5)}, NONE, NONE, NONE, 5, 1},
    {"only recovery codes", {CODES("1", .since = 5)}, 0, NONE, NONE, 0, 0},
};

static void assert_number(const struct apw_factors *factors, const struct apw_factor *found,
                          int number)
{
    assert_ptr_equal(found, number == NONE ? NULL : &factors->factor[number]);
}

static void test_find(void **state)
{
    const struct find_case *row = *state;
    struct apw_factor around[6], *copies = around + 1;
    struct apw_factors factors = {.factor = copies};

    memcpy(copies, row->factors, sizeof row->factors);
    while (factors.count < 4 && copies[factors.count].method.id[0] != '\0')
        factors.count++;
    /* before the first one, and behind the last */
    copies[-1] = copies[factors.count] = (struct apw_factor)APP("9", .since = 99);
    assert_number(&factors, apw_factors_usual(&factors), row->usual);
    assert_number(&factors, apw_factors_of_kind(&factors, APW_METHOD_APP), row->app);
    assert_number(&factors, apw_factors_of_kind(&factors, APW_METHOD_PASSKEY), NONE);
    assert_number(&factors, apw_factors_other(&factors, &copies[0]), row->other);
    assert_int_equal(apw_factors_newest(&factors), row->newest);
    assert_int_equal(apw_factors_count(&factors), row->count);
    for (size_t i = 0; i < factors.count; i++)
        assert_ptr_equal(apw_factors_find(&factors, copies[i].method.id), &copies[i]);
    assert_null(apw_factors_find(&factors, "9"));
    assert_null(apw_factors_find(&factors, ""));
}

static void test_other(void **state)
{
    struct apw_factor two[] = {APP("1", .since = 5), APP("2", .since = 6)};
    const struct apw_factors factors = {.count = 2, .factor = two};

    (void)state;
    assert_ptr_equal(apw_factors_other(&factors, &two[1]), &two[0]);
    assert_ptr_equal(apw_factors_other(&factors, NULL), &two[0]);
}

/* ---- changing ---- */

static const struct apw_method new_one = {
    .kind = APW_METHOD_APP, .id = "00000009", .since = 9, .secret = "a new secret"};
static const struct apw_method bad_one = {.kind = APW_METHOD_APP, .id = "no id"};
static const struct apw_factor old = {
    .method = {.kind = APW_METHOD_APP, .id = "00000001", .since = 1}, .value = "the old value"};
static const struct apw_factor other = {
    .method = {.kind = APW_METHOD_APP, .id = "00000002", .since = 2}, .value = "the other value"};
static const struct apw_factor bad = {.method = {.kind = APW_METHOD_APP, .id = "no id"},
                                      .value = "the bad value"};

static const struct apply_case {
    const char *name;
    struct apw_factors_change change;
    bool is_bad; /* one of them cannot be sealed */
} applies[] = {
    {"the first one", {.added = &new_one}, false},
    {"another one", {.kept = &other, .added = &new_one}, false},
    {"one in place of another", {.removed = &old, .added = &new_one}, false},
    {"one in place of another, and one stays",
     {.removed = &old, .kept = &other, .added = &new_one},
     false},
    {"one is removed, and one stays", {.removed = &old, .kept = &other}, false},
    {"a first one that cannot be sealed", {.added = &bad_one}, true},
    {"a new one that cannot be sealed", {.kept = &other, .added = &bad_one}, true},
    {"one that stays and cannot be sealed", {.kept = &bad, .added = &new_one}, true},
};

static void assert_sealed(const char *value, const struct apw_method *method)
{
    struct apw_error error = {""};
    struct apw_method opened;

    if (method == NULL) {
        assert_string_equal(value, "nothing");
        return;
    }
    assert_int_equal(
        apw_method_open(value, strlen(value), portal_config.key, user.unique_id, &opened, &error),
        0);
    assert_memory_equal(&opened, method, sizeof opened);
}

static void test_apply(void **state)
{
    const struct apply_case *row = *state;
    const struct apw_factors_change *change = &row->change;
    struct apw_error error = {""};

    begin();
    assert_int_equal(apw_factors_apply(&portal, &user, change, &error),
                     row->is_bad ? APW_MANAGE_UNAVAILABLE : APW_MANAGE_DONE);
    assert_int_equal(made.changes, !row->is_bad);
    assert_int_equal(made.removals, 0);
    assert_int_equal(error.text[0] != '\0', row->is_bad);
    if (row->is_bad)
        return;
    assert_ptr_equal(made.removed[0], change->removed == NULL ? NULL : change->removed->value);
    assert_ptr_equal(made.removed[1], change->kept == NULL ? NULL : change->kept->value);
    assert_sealed(made.added[0], change->added);
    assert_sealed(made.added[1], change->kept == NULL ? NULL : &change->kept->method);
}

static void test_apply_fails(void **state)
{
    static const enum apw_manage_result results[] = {APW_MANAGE_CONFLICT, APW_MANAGE_UNAVAILABLE};
    struct apw_error error = {""};

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(results); i++) {
        begin();
        made.result = results[i];
        assert_int_equal(apw_factors_apply(&portal, &user, &applies[0].change, &error), results[i]);
        assert_int_equal(made.removals, 0);
    }
}

static const struct first_case {
    const char *name;
    enum apw_manage_result found;
    size_t ours;
    const char *others[3];
    enum apw_manage_result result;
} firsts[] = {
    {"the first one stays if it is alone", APW_MANAGE_DONE, 1, {NULL}, APW_MANAGE_DONE},
    {"beside what is no factor, too",
     APW_MANAGE_DONE,
     1,
     {"guesses x", "browser x"},
     APW_MANAGE_DONE},
    {"not beside another factor", APW_MANAGE_DONE, 1, {"sealed=AAAA"}, APW_MANAGE_CONFLICT},
    {"nor beside two", APW_MANAGE_DONE, 1, {"factor x", "code x", "factor y"}, APW_MANAGE_CONFLICT},
    {"nor if it is not there", APW_MANAGE_DONE, 0, {NULL}, APW_MANAGE_CONFLICT},
    {"nor if it is there twice", APW_MANAGE_DONE, 2, {NULL}, APW_MANAGE_CONFLICT},
    {"nor if the entry is gone", APW_MANAGE_NOT_FOUND, 1, {NULL}, APW_MANAGE_NOT_FOUND},
    {"nor if it cannot be read", APW_MANAGE_UNAVAILABLE, 1, {NULL}, APW_MANAGE_UNAVAILABLE},
};

static void test_first(void **state)
{
    const struct first_case *row = *state;
    struct apw_error error = {""};

    begin();
    after.result = row->found;
    after.ours = row->ours;
    memcpy(after.others, row->others, sizeof after.others);
    assert_int_equal(apw_factors_apply(&portal, &user, &applies[0].change, &error), row->result);
    assert_int_equal(made.removals, row->result != APW_MANAGE_DONE);
    if (made.removals > 0)
        assert_string_equal(made.taken_back, made.added[0]);
    for (size_t i = 1; i < 5; i++) { /* a later change is never undone */
        begin();
        after.result = row->found;
        after.ours = row->ours;
        memcpy(after.others, row->others, sizeof after.others);
        assert_int_equal(apw_factors_apply(&portal, &user, &applies[i].change, &error),
                         APW_MANAGE_DONE);
        assert_int_equal(made.removals, 0);
    }
}

int main(void)
{
    if (sodium_init() < 0)
        abort();
    UNIT_TEST("factors are read and wiped", test_read);
    UNIT_TEST("the oldest comes first", test_order);
    UNIT_TEST("other values are no factors", test_others);
    UNIT_TEST("if one cannot be read, none is", test_unreadable);
    UNIT_ROWS(finds, test_find);
    UNIT_TEST("another one is found beside any", test_other);
    UNIT_ROWS(applies, test_apply);
    UNIT_TEST("a change that fails is not checked", test_apply_fails);
    UNIT_ROWS(firsts, test_first);
    return unit_run();
}
