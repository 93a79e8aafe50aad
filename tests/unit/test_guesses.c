/* SPDX-License-Identifier: BSD-2-Clause */
/* Wrong second factors of an account: what is stored, how values are added, what an update writes,
 * and the link. With a directory and a clock of our own. */
#include "guesses.h"
#include "unit.h"
#include "update.h"
#include <sodium.h>
#include <time.h>

#define DAY       "20261129000000Z"
#define YESTERDAY "20261128000000Z"
#define TOMORROW  "20261130000000Z"
#define DAYS      20786 /* the same as DAY */
#define LINK      "AAAAAAAAAAAAAAAAAAAAAA"

static bool is_memory_short;

/* In place of the C library's and of the directory. */
time_t __wrap_time(time_t *seconds_r);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
enum apw_manage_result __wrap_apw_update_user(const struct apw_manager *manager,
                                              const struct apw_target *target,
                                              apw_update_change change, void *context,
                                              struct apw_error *error);
enum apw_manage_result __wrap_apw_update_apply(const struct apw_manager *manager,
                                               const struct apw_user *user,
                                               const struct apw_change *changes, size_t count,
                                               struct apw_error *error);

time_t __wrap_time(time_t *seconds_r)
{
    assert_null(seconds_r);
    return (time_t)(DAYS * 86400LL + 86399); /* the last second of the day */
}

void *__wrap_calloc(size_t count, size_t size)
{
    return is_memory_short ? NULL : __real_calloc(count, size);
}

static const struct value_case {
    const char *value;
    struct apw_guesses guesses;
} values[] = {
    {"guesses day=" DAY " count=0", {.day = DAYS}},
    {"guesses day=" DAY " count=12", {.day = DAYS, .count = 12}},
    {"guesses day=" DAY " count=9999 told=" DAY, {.day = DAYS, .count = 9999, .told = DAYS}},
    {"guesses day=" DAY " count=50 told=" DAY " link=" LINK,
     {.day = DAYS, .count = 50, .told = DAYS, .link = LINK}},
    {"guesses day=19700102000000Z count=1 told=19700102000000Z", {.day = 1, .count = 1, .told = 1}},
};

static void test_value(void **state)
{
    const struct value_case *row = *state;
    struct apw_error error = {""};
    char value[APW_GUESSES_VALUE_SIZE], *copy = unit_copy(row->value, strlen(row->value));
    struct apw_guesses guesses;

    assert_int_equal(apw_guesses_format(&row->guesses, value, &error), 0);
    assert_string_equal(value, row->value);
    assert_true(apw_guesses_is_value(copy, strlen(row->value)));
    assert_int_equal(apw_guesses_parse(copy, strlen(row->value), &guesses, &error), 0);
    assert_memory_equal(&guesses, &row->guesses, sizeof guesses);
    free(copy);
}

static const char *const damaged[] = {
    "",
    "guesses",
    "sealed=AAAA",
    "code created=" DAY,
    "guesses ",
    "guesses=" DAY " count=1",
    "guesses day=" DAY,
    "guesses count=1 day=" DAY,
    "guesses day=" DAY " count=",
    "guesses day=" DAY " count=-1",
    "guesses day=" DAY " count=10000",
    "guesses day=" DAY " count=1x",
    "guesses day=20261129000001Z count=1",
    "guesses day=19700101000000Z count=1",
    "guesses day=yesterday count=1",
    "guesses day=" DAY " count=1 told=never",
    "guesses day=" DAY " count=1 link=",
    "guesses day=" DAY " count=1 link=" LINK "A",
    "guesses day=" DAY " count=1 link=AAAA",
    "guesses day=" DAY " count=1 link=AAAAAAAAAAA AAAAAAAAAA",
    "guesses day=" DAY " count=1 link=" LINK " told=" DAY,
    "guesses day=" DAY " count=1 other=x",
};

static void test_damaged(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(damaged); i++) {
        struct apw_error error = {""};
        char *copy = unit_copy(damaged[i], strlen(damaged[i]));
        struct apw_guesses guesses;

        memset(&guesses, 0xff, sizeof guesses);
        assert_int_equal(apw_guesses_parse(copy, strlen(damaged[i]), &guesses, &error), -1);
        assert_true(unit_is_zero(&guesses, sizeof guesses));
        assert_contains(error.text, "count of guesses");
        free(copy);
    }
}

static const struct entry_case {
    const char *name;
    const char *values[4];
    bool is_damaged;
    struct apw_guesses sum;
} entries[] = {
    {"an entry without a count has none", {"sealed=AAAA"}, false, {.day = 0}},
    {"two of one day are added",
     {"guesses day=" DAY " count=12", "sealed=A", "guesses day=" DAY " count=30"},
     false,
     {.day = DAYS, .count = 42}},
    {"an older day does not count",
     {"guesses day=20261128000000Z count=49", "guesses day=" DAY " count=1"},
     false,
     {.day = DAYS, .count = 1}},
    {"the newest link counts",
     {"guesses day=" DAY " count=1 told=20261128000000Z link=" LINK,
      "guesses day=" DAY " count=1 told=" DAY " link=BAAAAAAAAAAAAAAAAAAAAA"},
     false,
     {.day = DAYS, .count = 2, .told = DAYS, .link = "BAAAAAAAAAAAAAAAAAAAAA"}},
    {"a link without the day of its mail does not count",
     {"guesses day=" DAY " count=1 link=" LINK},
     false,
     {.day = DAYS, .count = 1}},
    {"more than a value can have are the most that it can have",
     {"guesses day=" DAY " count=9999", "guesses day=" DAY " count=1"},
     false,
     {.day = DAYS, .count = 9999}},
    {"beside a damaged one nobody knows how many there were",
     {"guesses day=" DAY " count=1", "guesses day=" DAY},
     true,
     {.day = 0}},
};

static void test_entry(void **state)
{
    const struct entry_case *row = *state;
    struct apw_value value[4];
    struct apw_user user = {.dn = (char *)"uid=alice", .method = {.value = value}};
    struct apw_error error = {""};
    struct apw_guesses sum;

    for (size_t i = 0; i < UNIT_COUNT(row->values) && row->values[i] != NULL; i++) {
        value[i].bytes = (char *)row->values[i];
        value[i].length = strlen(row->values[i]);
        user.method.count++;
    }
    assert_int_equal(apw_guesses_read(&user, &sum, &error), row->is_damaged ? -1 : 0);
    if (row->is_damaged)
        assert_contains(error.text,
                        "uid=alice: malformed count of guesses; app-password mfa reset");
    else
        assert_memory_equal(&sum, &row->sum, sizeof sum);
}

/* ---- an update ---- */

#define NEXT          "BAAAAAAAAAAAAAAAAAAAAA"
#define IN_TWO_DAYS   "20261201000000Z"
#define ADD(value)    "add appPasswordMfaMethod: " value "\n"
#define DELETE(value) "delete appPasswordMfaMethod: " value "\n"

static const struct update_case {
    const char *name;
    const char *values[4];
    bool lacks_class;
    struct apw_guesses before; /* what the change is shown */
    struct apw_guesses after;  /* what it makes of that; it changes nothing if they are the same */
    enum apw_manage_result result;
    const char *written;
} updates[] = {
    {"the first count is added",
     {"sealed=AAAA"},
     false,
     {.day = DAYS},
     {.day = DAYS, .count = 1},
     APW_MANAGE_DONE,
     ADD("guesses day=" DAY " count=1")},
    {"with the class, if the entry lacks it",
     {NULL},
     true,
     {.day = DAYS},
     {.day = DAYS, .count = 1},
     APW_MANAGE_DONE,
     "add objectClass: appPasswordAccount\n" ADD("guesses day=" DAY " count=1")},
    {"all counts are replaced by one",
     {"guesses day=" DAY " count=3", "sealed=AAAA", "guesses day=" DAY " count=4"},
     false,
     {.day = DAYS, .count = 7},
     {.day = DAYS, .count = 8},
     APW_MANAGE_DONE,
     DELETE("guesses day=" DAY " count=3") DELETE("guesses day=" DAY " count=4")
         ADD("guesses day=" DAY " count=8")},
    {"a new day begins at zero, and the link stays",
     {"guesses day=" YESTERDAY " count=49 told=" YESTERDAY " link=" LINK},
     false,
     {.day = DAYS, .told = DAYS - 1, .link = LINK},
     {.day = DAYS, .count = 1, .told = DAYS - 1, .link = LINK},
     APW_MANAGE_DONE,
     DELETE("guesses day=" YESTERDAY " count=49 told=" YESTERDAY " link=" LINK)
         ADD("guesses day=" DAY " count=1 told=" YESTERDAY " link=" LINK)},
    {"a clock that is a day behind continues the newer day",
     {"guesses day=" TOMORROW " count=3 told=" TOMORROW " link=" LINK},
     false,
     {.day = DAYS + 1, .count = 3, .told = DAYS + 1, .link = LINK},
     {.day = DAYS + 1, .count = 4, .told = DAYS + 1, .link = NEXT},
     APW_MANAGE_DONE,
     DELETE("guesses day=" TOMORROW " count=3 told=" TOMORROW " link=" LINK)
         ADD("guesses day=" TOMORROW " count=4 told=" TOMORROW " link=" NEXT)},
    {"what a wrong clock wrote counts today, and the owner is told again",
     {"guesses day=" IN_TWO_DAYS " count=3 told=" IN_TWO_DAYS " link=" LINK},
     true,
     {.day = DAYS, .count = 3},
     {.day = DAYS, .count = 4},
     APW_MANAGE_DONE,
     "add objectClass: appPasswordAccount\n" DELETE("guesses day=" IN_TWO_DAYS
                                                    " count=3 told=" IN_TWO_DAYS " link=" LINK)
         ADD("guesses day=" DAY " count=4")},
    {"nothing is stored for a count of zero",
     {"guesses day=" DAY " count=1"},
     true,
     {.day = DAYS, .count = 1},
     {.day = DAYS},
     APW_MANAGE_DONE,
     DELETE("guesses day=" DAY " count=1")},
    {"and nothing is written if nothing was stored",
     {"sealed=AAAA"},
     true,
     {.day = DAYS},
     {.day = DAYS + 1},
     APW_MANAGE_DONE,
     ""},
    {"a link is stored without a count",
     {"sealed=AAAA"},
     false,
     {.day = DAYS},
     {.day = DAYS, .told = DAYS, .link = LINK},
     APW_MANAGE_DONE,
     ADD("guesses day=" DAY " count=0 told=" DAY " link=" LINK)},
    {"no change writes nothing",
     {"guesses day=" DAY " count=50"},
     false,
     {.day = DAYS, .count = 50},
     {.day = DAYS, .count = 50},
     APW_MANAGE_UNCHANGED,
     ""},
    {"a damaged count is not changed",
     {"guesses day=" DAY},
     false,
     {.day = -1}, /* nobody is asked */
     {.day = -1},
     APW_MANAGE_UNAVAILABLE,
     ""},
    {"a day that cannot be written is not",
     {"sealed=AAAA"},
     false,
     {.day = DAYS},
     {.day = 4000000, .count = 1},
     APW_MANAGE_UNAVAILABLE,
     ""},
};

static char written[2048]; /* by the last update, one change a line */
static enum apw_manage_result stored;
static struct apw_user user;

enum apw_manage_result __wrap_apw_update_user(const struct apw_manager *manager,
                                              const struct apw_target *target,
                                              apw_update_change change, void *context,
                                              struct apw_error *error)
{
    assert_string_equal(target->dn, user.dn);
    assert_null(target->login);
    return change(manager, &user, context, error);
}

enum apw_manage_result __wrap_apw_update_apply(const struct apw_manager *manager,
                                               const struct apw_user *changed,
                                               const struct apw_change *changes, size_t count,
                                               struct apw_error *error)
{
    (void)manager, (void)error;
    assert_ptr_equal(changed, &user);
    for (size_t i = 0; i < count; i++) {
        const struct apw_change *change = &changes[i];
        size_t length = strlen(written);

        snprintf(written + length, sizeof written - length, "%s %s: %s\n",
                 change->kind == APW_CHANGE_ADD ? "add" : "delete", change->attribute,
                 change->value);
    }
    return stored;
}

static bool make_after(struct apw_guesses *guesses, void *context)
{
    const struct update_case *row = context;

    assert_int_equal(guesses->day, row->before.day);
    assert_int_equal(guesses->count, row->before.count);
    assert_int_equal(guesses->told, row->before.told);
    assert_string_equal(guesses->link, row->before.link);
    *guesses = row->after;
    return memcmp(&row->before, &row->after, sizeof *guesses) != 0;
}

static enum apw_manage_result run_update(const struct update_case *row, struct apw_error *error)
{
    struct apw_value value[UNIT_COUNT(row->values) + 1] = {{NULL, 0}};
    enum apw_manage_result result;
    size_t count = 0;

    for (; count < UNIT_COUNT(row->values) && row->values[count] != NULL; count++)
        value[count] = (struct apw_value){(char *)row->values[count], strlen(row->values[count])};
    value[count] = (struct apw_value){(char *)"guesses ", 8}; /* behind the last one */
    user = (struct apw_user){.dn = (char *)"uid=alice",
                             .has_class = !row->lacks_class,
                             .method = {.value = value, .count = count}};
    written[0] = '\0';
    result = apw_guesses_update(NULL, user.dn, make_after, (void *)row, error);
    user.method = (struct apw_values){.value = NULL};
    return result;
}

static void test_update(void **state)
{
    const struct update_case *row = *state;
    struct apw_error error = {""};

    stored = APW_MANAGE_DONE;
    assert_int_equal(run_update(row, &error), row->result);
    assert_string_equal(written, row->written);
    assert_int_equal(error.text[0] != '\0', row->result == APW_MANAGE_UNAVAILABLE);
}

static void test_update_fails(void **state)
{
    struct apw_error error = {""};

    (void)state;
    stored = APW_MANAGE_CONFLICT;
    assert_int_equal(run_update(&updates[0], &error), APW_MANAGE_CONFLICT);
    stored = APW_MANAGE_DONE;
    is_memory_short = true;
    assert_int_equal(run_update(&updates[0], &error), APW_MANAGE_UNAVAILABLE);
    is_memory_short = false;
    assert_string_equal(error.text, "out of memory");
    assert_string_equal(written, "");
}

/* ---- the link ---- */

static void test_link(void **state)
{
    struct apw_guesses guesses = {.day = DAYS, .count = 10}, before;
    char token[APW_TOKEN_SIZE], next[APW_TOKEN_SIZE], wrong[64];
    char value[APW_GUESSES_VALUE_SIZE];
    struct apw_error error = {""};

    (void)state;
    assert_false(apw_guesses_use_link(&guesses, ""));
    assert_false(apw_guesses_use_link(&guesses, LINK));
    apw_guesses_make_link(&guesses, token);
    assert_int_equal(strlen(token), 22);
    assert_string_not_equal(token, guesses.link); /* the entry does not give it away */
    before = guesses;
    for (size_t i = 0; i < strlen(token); i++) {
        strcpy(wrong, token);
        wrong[i] = wrong[i] == 'A' ? 'B' : 'A';
        assert_false(apw_guesses_use_link(&guesses, wrong));
    }
    snprintf(wrong, sizeof wrong, "%sA", token);
    assert_false(apw_guesses_use_link(&guesses, wrong));
    assert_false(apw_guesses_use_link(&guesses, guesses.link));
    assert_false(apw_guesses_use_link(&guesses, ""));
    guesses.told = DAYS - 8;
    assert_false(apw_guesses_use_link(&guesses, token)); /* too old */
    guesses.told = DAYS - 7;
    assert_true(apw_guesses_use_link(&guesses, token));
    assert_string_equal(guesses.link, "");
    assert_int_equal(apw_guesses_format(&guesses, value, &error), 0);
    assert_string_equal(value, "guesses day=" DAY " count=10 told=20261122000000Z");
    assert_false(apw_guesses_use_link(&guesses, token)); /* once */
    guesses = before;
    apw_guesses_make_link(&guesses, next);
    assert_false(apw_guesses_use_link(&guesses, token)); /* the next one takes its place */
    assert_true(apw_guesses_use_link(&guesses, next));
}

int main(void)
{
    if (sodium_init() < 0)
        abort();
    UNIT_ROWS(values, test_value);
    UNIT_TEST("what is damaged is refused", test_damaged);
    UNIT_ROWS(entries, test_entry);
    UNIT_ROWS(updates, test_update);
    UNIT_TEST("an update that is not stored fails", test_update_fails);
    UNIT_TEST("a link works once, for seven days, and only the last one", test_link);
    return unit_run();
}
