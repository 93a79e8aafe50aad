/* SPDX-License-Identifier: BSD-2-Clause */
/* What doveadm prints of the open sessions: names and addresses are those of clients. */
#include "fuzz.h"
#include "password.h"
#include "table.h"
#include "who.h"

static void check_session(const struct apw_who_session *session)
{
    FUZZ_MUST(session->name[0] != '\0' && strcmp(session->service, "lmtp") != 0);
    FUZZ_MUST((session->field == NULL) == (session->way[0] == '\0'));
    FUZZ_MUST(session->way[0] == '\0' || strcmp(session->way, APW_WAY_ACCOUNT_PASSWORD) == 0 ||
              apw_password_is_id(session->way, strlen(session->way)));
    FUZZ_MUST(session->field != NULL || strcmp(session->name, session->username) == 0);
}

/* Every session is in the table, at the user of its name. */
static void check_table(const struct apw_table *table, size_t sessions)
{
    size_t count = 0;

    for (size_t i = 0; i < table->count; i++) {
        const struct apw_table_user *user = &table->user[i];

        FUZZ_MUST(i == 0 || strcmp(table->user[i - 1].name, user->name) < 0);
        for (size_t j = 0; j < user->count; j++)
            FUZZ_MUST(strcmp(user->session[j].who.name, user->name) == 0);
        count += user->count;
    }
    FUZZ_MUST(count == sessions);
}

static void try_output(const uint8_t *bytes, size_t length, struct apw_table *table)
{
    char *text = fuzz_text(bytes, length);
    struct apw_error error = {""};
    struct apw_who who;

    if (apw_who_parse(text, &who, &error) != 0) {
        FUZZ_MUST(error.text[0] != '\0' && who.count == 0);
    } else {
        size_t count = who.count;

        for (size_t i = 0; i < who.count; i++) {
            check_session(&who.session[i]);
            FUZZ_MUST(i == 0 || apw_who_compare(&who.session[i - 1], &who.session[i]) <= 0);
        }
        FUZZ_MUST(apw_table_update(table, &who, 0) == 0);
        check_table(table, count);
        apw_who_free(&who);
    }
    free(text);
}

/* Two rounds, if there are two lines. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const uint8_t *second = length == 0 ? NULL : memchr(bytes, '\n', length);
    struct apw_table table = {.count = 0};
    size_t first = second == NULL ? length : (size_t)(second - bytes);

    try_output(bytes, first, &table);
    if (second != NULL)
        try_output(second + 1, length - first - 1, &table);
    apw_table_free(&table);
    return 0;
}
