/* SPDX-License-Identifier: BSD-2-Clause */
/* Stored hashes: which are verified, which are not touched, and what a lack of memory means. */
#include "hash.h"
#include "unit.h"
#include <sodium.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define COST(memory, passes) "$argon2id$v=19$m=" memory ",t=" passes ",p=1$"
#define REST                 UNIT_SALT "$" UNIT_OUTPUT

static const struct apw_password right = {UNIT_PASSWORD};
static const struct apw_hash_cost most = {APW_HASH_MEMORY_MAX_MIB * 1024, APW_HASH_PASSES_MAX};
static const struct apw_password wrong = {"k7q29fjdx3mh4tnzp8xx"};

static const struct verify_case {
    const char *name;
    const char *phc;
    enum apw_hash_result result;
} verify_cases[] = {
    {"a hash by the reference implementation matches", UNIT_PHC, APW_HASH_MATCH},
    {"one of 64 KiB and two passes matches",
     COST("64", "2") UNIT_SALT "$isklEJ0/UhCPyIQMKqfmXKN0KHe45j/uaq8562inM7c", APW_HASH_MATCH},
    {"one of 8 MiB matches",
     COST("8192", "1") UNIT_SALT "$fyg0b/LRp8nn4jKAax74jH6XgmnOyaO0eJhcxgOH1b0", APW_HASH_MATCH},
    {"another output is a mismatch",
     COST("8", "1") UNIT_SALT "$WvCBsCwirJlCB2HTZd1KSjn+Hc0TA9TCuBB/CQpo2G0", APW_HASH_MISMATCH},
    {"another salt is a mismatch", COST("8", "1") "d2l4dGVlbiBieXRlcyBvaw$" UNIT_OUTPUT,
     APW_HASH_MISMATCH},
    {"another cost is a mismatch", COST("16", "1") REST, APW_HASH_MISMATCH},

    {"argon2i is unusable",
     "$argon2i$v=19$m=8,t=3,p=1$" UNIT_SALT "$AeM7OtFCOppj0q4/ICDAvIM489IWsNOjootCrwyguiQ",
     APW_HASH_UNUSABLE},
    {"argon2d is unusable",
     "$argon2d$v=19$m=8,t=1,p=1$" UNIT_SALT "$TkJvEW0aY1+PtbCuYN5vMEQsWaUhMJ8MqIsTrRjKrzg",
     APW_HASH_UNUSABLE},
    {"two lanes are unusable",
     "$argon2id$v=19$m=16,t=1,p=2$" UNIT_SALT "$LI0nO41lzP8lYQzgpAyhpuuH/vOKy4vqsqCsOblWKoE",
     APW_HASH_UNUSABLE},
    {"a salt of 8 bytes is unusable",
     COST("8", "1") "b25seThieXQ$7WP+kPC1ax/ECnJfh0YxLkADCzPdVrkaxEmdONsAFtk", APW_HASH_UNUSABLE},
    {"an output of 16 bytes is unusable", COST("8", "1") UNIT_SALT "$jeg+GTWMOWLH1j63AwlUGA",
     APW_HASH_UNUSABLE},
    {"an empty output is unusable", COST("8", "1") UNIT_SALT "$", APW_HASH_UNUSABLE},
    {"a missing output is unusable", COST("8", "1") UNIT_SALT, APW_HASH_UNUSABLE},
    {"an empty salt is unusable", COST("8", "1") "$" UNIT_OUTPUT, APW_HASH_UNUSABLE},
    {"version 16 is unusable", "$argon2id$v=16$m=8,t=1,p=1$" REST, APW_HASH_UNUSABLE},
    {"version 0 is unusable", "$argon2id$v=0$m=8,t=1,p=1$" REST, APW_HASH_UNUSABLE},
    {"a missing version is unusable", "$argon2id$m=8,t=1,p=1$" REST, APW_HASH_UNUSABLE},
    {"parameters in another order are unusable", "$argon2id$v=19$t=1,m=8,p=1$" REST,
     APW_HASH_UNUSABLE},
    {"no lane is unusable", "$argon2id$v=19$m=8,t=1,p=0$" REST, APW_HASH_UNUSABLE},
    {"no pass is unusable", COST("8", "0") REST, APW_HASH_UNUSABLE},
    {"less memory than argon2id can do with is unusable", COST("7", "1") REST, APW_HASH_UNUSABLE},
    {"no memory is unusable", COST("0", "1") REST, APW_HASH_UNUSABLE},
    {"memory over the cap is unusable", COST("262145", "1") REST, APW_HASH_UNUSABLE},
    {"memory far over the cap is unusable", COST("9999999", "1") REST, APW_HASH_UNUSABLE},
    {"memory past 32 bits is unusable", COST("4294967304", "1") REST, APW_HASH_UNUSABLE},
    {"passes over the cap are unusable", COST("8", "11") REST, APW_HASH_UNUSABLE},
    {"passes past 32 bits are unusable", COST("8", "4294967297") REST, APW_HASH_UNUSABLE},
    {"a leading zero is unusable", COST("08", "1") REST, APW_HASH_UNUSABLE},
    {"a sign is unusable", COST("+8", "1") REST, APW_HASH_UNUSABLE},
    {"a minus is unusable", COST("8", "-1") REST, APW_HASH_UNUSABLE},
    {"a missing number is unusable", COST("", "1") REST, APW_HASH_UNUSABLE},
    {"a letter in a number is unusable", COST("8k", "1") REST, APW_HASH_UNUSABLE},
    {"padded base64 is unusable", COST("8", "1") UNIT_SALT "==$" UNIT_OUTPUT, APW_HASH_UNUSABLE},
    {"padding at the end is unusable", UNIT_PHC "=", APW_HASH_UNUSABLE},
    {"URL-safe base64 is unusable",
     COST("8", "1") UNIT_SALT "$VvCBsCwirJlCB2HTZd1KSjn-Hc0TA9TCuBB_CQpo2G0", APW_HASH_UNUSABLE},
    {"stray bits at the end of base64 are unusable",
     COST("8", "1") UNIT_SALT "$VvCBsCwirJlCB2HTZd1KSjn+Hc0TA9TCuBB/CQpo2G1", APW_HASH_UNUSABLE},
    {"a space in base64 is unusable",
     COST("8", "1") UNIT_SALT "$VvCBsCwirJlCB2HTZd1KSjn Hc0TA9TCuBB/CQpo2G0", APW_HASH_UNUSABLE},
    {"a byte that libsodium takes for a slash is unusable",
     COST("8", "1") UNIT_SALT "$VvCBsCwirJlCB2HTZd1KSjn+Hc0TA9TCuBB\x9f"
                              "CQpo2G0",
     APW_HASH_UNUSABLE},
    {"a trailing line end is unusable", UNIT_PHC "\n", APW_HASH_UNUSABLE},
    {"another part behind is unusable", UNIT_PHC "$x", APW_HASH_UNUSABLE},
    {"a trailing dollar is unusable", UNIT_PHC "$", APW_HASH_UNUSABLE},
    {"a scheme in front is unusable", "{ARGON2}" UNIT_PHC, APW_HASH_UNUSABLE},
    {"a space in front is unusable", " " UNIT_PHC, APW_HASH_UNUSABLE},
    {"upper case is unusable", "$ARGON2ID$v=19$m=8,t=1,p=1$" REST, APW_HASH_UNUSABLE},
    {"empty text is unusable", "", APW_HASH_UNUSABLE},
    {"the algorithm alone is unusable", "$argon2id$", APW_HASH_UNUSABLE},
    {"a crypt(3) hash is unusable", "$6$saltsalt$uUJy5kXpG", APW_HASH_UNUSABLE},
    {"an empty crypt(3) hash is unusable", "*", APW_HASH_UNUSABLE},
};

static void test_verify(void **state)
{
    const struct verify_case *row = *state;
    char *phc = unit_copy(row->phc, strlen(row->phc) + 1);
    struct apw_error error = {""};
    bool is_unusable = row->result == APW_HASH_UNUSABLE;

    assert_int_equal(apw_hash_verify(phc, &most, &right, &error), row->result);
    assert_int_equal(error.text[0] != '\0', is_unusable);
    assert_int_equal(apw_hash_verify(phc, &most, &wrong, NULL),
                     is_unusable ? APW_HASH_UNUSABLE : APW_HASH_MISMATCH);
    assert_int_equal(apw_hash_check(phc, &most, &error), is_unusable ? -1 : 0);
    free(phc);
}

/* Every shorter text than a whole PHC string is unusable. */
static void test_cut_short(void **state)
{
    char phc[] = UNIT_PHC;

    (void)state;
    for (size_t length = sizeof phc - 1; length-- > 0;) {
        phc[length] = '\0';
        assert_int_equal(apw_hash_verify(phc, &most, &right, NULL), APW_HASH_UNUSABLE);
    }
}

static const struct cap_case {
    const char *name;
    unsigned memory_mib, passes; /* of new ones */
    struct apw_hash_cost cap;
} cap_cases[] = {
    {"four times the default", 8, 1, {32768, 4}},
    {"four times the least", 1, 1, {4096, 4}},
    {"four times both", 19, 2, {77824, 8}},
    {"four times the memory reaches the bound", 64, 2, {262144, 8}},
    {"not past the bound of memory", 65, 2, {262144, 8}},
    {"not past the bound of passes", 8, 3, {32768, 10}},
    {"not past the bounds for whoever spends most", 256, 10, {262144, 10}},
    {"no cost allows no hash", 0, 0, {0, 0}},
};

/* Memory and passes may reach the cap, but not exceed it. */
static void test_cap(void **state)
{
    const struct cap_case *row = *state;
    struct apw_hash_cost cap = apw_hash_cap(row->memory_mib, row->passes);
    char phc[256], expected[128];
    struct apw_error error;

    assert_int_equal(cap.memory_kib, row->cap.memory_kib);
    assert_int_equal(cap.passes, row->cap.passes);
    for (unsigned i = 0; i < 4; i++) {
        unsigned memory = cap.memory_kib + i % 2, passes = cap.passes + i / 2;
        bool is_valid = memory >= 8 && passes >= 1;

        snprintf(phc, sizeof phc, "$argon2id$v=19$m=%u,t=%u,p=1$" REST, memory, passes);
        snprintf(expected, sizeof expected, "%u KiB and %u passes, over the cap of %u KiB and %u",
                 memory, passes, cap.memory_kib, cap.passes);
        assert_int_equal(apw_hash_check(phc, &cap, &error), i == 0 && is_valid ? 0 : -1);
        if (i > 0 && is_valid)
            assert_contains(error.text, expected);
        if (i > 0)
            assert_int_equal(apw_hash_verify(phc, &cap, &right, &error), APW_HASH_UNUSABLE);
    }
    assert_int_equal(apw_hash_check(UNIT_PHC, &cap, &error), cap.passes > 0 ? 0 : -1);
}

static const struct costly_case {
    const char *name;
    const char *phc;
    bool is_costly; /* if new ones take 1 MiB and 2 passes */
} costly_cases[] = {
    {"the cost of new ones", COST("1024", "2") REST, false},
    {"less memory", COST("8", "2") REST, false},
    {"fewer passes", COST("1024", "1") REST, false},
    {"more memory", COST("1025", "2") REST, true},
    {"more memory and fewer passes", COST("1025", "1") REST, true},
    {"more passes", COST("1024", "3") REST, true},
    {"less memory and more passes", COST("8", "3") REST, true},
    {"over the cap", COST("9999999", "1") REST, true},
    {"another algorithm", "$argon2i$v=19$m=9999,t=3,p=1$" REST, false},
    {"nothing", "", false},
};

static void test_costly(void **state)
{
    const struct costly_case *row = *state;
    struct apw_hash_cost cost = apw_hash_cost_of(row->phc);

    assert_int_equal(apw_hash_is_costly(&cost, 1, 2), row->is_costly);
}

static void test_make(void **state)
{
    static const char start[] = "$argon2id$v=19$m=1024,t=2,p=1$";
    char first[APW_HASH_TEXT_SIZE], second[APW_HASH_TEXT_SIZE];
    struct apw_error error = {""};

    (void)state;
    assert_int_equal(apw_hash_make(&right, 1, 2, first, &error), 0);
    assert_int_equal(apw_hash_make(&right, 1, 2, second, &error), 0);
    assert_memory_equal(first, start, sizeof start - 1);
    assert_string_not_equal(first, second);
    assert_int_equal(apw_hash_check(first, &most, &error), 0);
    assert_int_equal(apw_hash_verify(first, &most, &right, &error), APW_HASH_MATCH);
    assert_int_equal(apw_hash_verify(first, &most, &wrong, &error), APW_HASH_MISMATCH);
    assert_int_equal(crypto_pwhash_str_verify(first, right.symbols, APW_PASSWORD_LENGTH), 0);
}

#define BIG COST("131072", "1") REST /* 128 MiB */

/* What a child with 64 MiB of address space finds. */
static int run_without_memory(int (*find)(void))
{
    const struct rlimit limit = {64 << 20, 64 << 20};
    pid_t child = fork();
    int status = 0;

    if (child == 0)
        _exit(setrlimit(RLIMIT_AS, &limit) == 0 ? find() : 99);
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int verify_big_hash(void)
{
    struct apw_error error = {""};
    enum apw_hash_result result = apw_hash_verify(BIG, &most, &right, &error);

    return strstr(error.text, "memory") != NULL ? (int)result : 98;
}

static int make_big_hash(void)
{
    char phc[APW_HASH_TEXT_SIZE];
    struct apw_error error = {""};
    int status = apw_hash_make(&right, 128, 1, phc, &error);

    return status == -1 && strstr(error.text, "memory") != NULL ? 0 : 98;
}

static void test_no_memory(void **state)
{
    (void)state;
#ifdef UNIT_HAS_ASAN
    print_message("AddressSanitizer needs the address space that this test takes away\n");
    (void)run_without_memory;
    (void)verify_big_hash;
    (void)make_big_hash;
#else
    if (unit_is_under_valgrind()) {
        print_message("valgrind needs the address space that this test takes away\n");
    } else {
        assert_int_equal(run_without_memory(verify_big_hash), APW_HASH_NO_MEMORY);
        assert_int_equal(run_without_memory(make_big_hash), 0);
    }
#endif
    assert_int_equal(apw_hash_verify(BIG, &most, &right, NULL), APW_HASH_MISMATCH);
}

int main(void)
{
    if (sodium_init() < 0)
        return EXIT_FAILURE;
    UNIT_ROWS(verify_cases, test_verify);
    UNIT_TEST("a hash that is cut short is unusable", test_cut_short);
    UNIT_ROWS(cap_cases, test_cap);
    UNIT_ROWS(costly_cases, test_costly);
    UNIT_TEST("a hash that is made here matches, with a fresh salt", test_make);
    UNIT_TEST("too little memory is not a mismatch", test_no_memory);
    return unit_run();
}
