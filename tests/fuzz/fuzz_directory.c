/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions to a directory of which the fuzzer writes every byte that it answers.
 *
 * The first byte chooses the question, and with bit 7 the configuration. Pieces follow. Each begins
 * with two bytes: the lower twelve bits are the length of the rest, the upper four its kind. Bit
 * 15: raw bytes; else an operation, to be put into a message. Bit 14: the last piece of this
 * connection. Bits 12 and 13: the message id: 1, 2, that of the message before, or the next.
 */
#include "clock.h"
#include "fuzz.h"
#include "ldap/directory.h"
#include "ldap/transport.h"
#include "verify.h"
#include <sodium.h>
#include <sys/socket.h>
#include <unistd.h>

#define APP_PASSWORD "k7q2-9fjd-x3mh-4tnz-p8ww"
#define APP_OUTPUT   "VvCBsCwirJlCB2HTZd1KSjn+Hc0TA9TCuBB/CQpo2G0"

#define CONNECTIONS_MAX 16
static const uint8_t *answers;
static size_t answers_left;
static int peers[CONNECTIONS_MAX];
static unsigned peer_count;

int __wrap_apw_transport_open_unix(struct apw_transport *transport, const char *path,
                                   struct apw_error *error);

FUZZ_FORGIVE_LIBLDAP

/* The id of the next message, by the kind of its piece. */
static uint8_t choose_id(uint8_t kind, uint8_t before)
{
    switch (kind & 3) {
    case 2:
        return before;
    case 3:
        return (uint8_t)((before + 1) & 0x7f);
    default:
        return (uint8_t)(1 + (kind & 1));
    }
}

static void send_message(int fd, uint8_t id, const uint8_t *operation, size_t length)
{
    const uint8_t header[7] = {
        0x30, 0x82, (uint8_t)((length + 3) >> 8), (uint8_t)(length + 3), 0x02, 0x01, id};

    send(fd, header, sizeof header, MSG_NOSIGNAL | MSG_DONTWAIT);
    send(fd, operation, length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

struct apw_hash_cost __wrap_apw_hash_cap(unsigned memory_mib, unsigned passes);

/* The lowest cap that a configuration can have still allows hashes that take milliseconds. */
struct apw_hash_cost __wrap_apw_hash_cap(unsigned memory_mib, unsigned passes)
{
    FUZZ_MUST(memory_mib > 0 && passes > 0);
    return (struct apw_hash_cost){.memory_kib = 16, .passes = 2};
}

/* Puts this connection's answers where the client will read them. */
static void answer_all(int fd)
{
    bool is_last = false;
    uint8_t id = 0;

    while (answers_left >= 2 && !is_last) {
        uint8_t kind = answers[0] >> 4;
        size_t length = (size_t)(answers[0] & 0x0f) << 8 | answers[1];

        answers += 2;
        answers_left -= 2;
        if (length > answers_left)
            length = answers_left;
        id = choose_id(kind, id);
        if (kind & 8)
            send(fd, answers, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        else
            send_message(fd, id, answers, length);
        is_last = (kind & 4) != 0;
        answers += length;
        answers_left -= length;
    }
    shutdown(fd, SHUT_WR);
}

/* Replaces connecting: a peer that has already sent everything. */
int __wrap_apw_transport_open_unix(struct apw_transport *transport, const char *path,
                                   struct apw_error *error)
{
    int pair[2];

    (void)path;
    if (peer_count == CONNECTIONS_MAX ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return apw_error_set(error, "connect: no more");
    answer_all(pair[1]);
    peers[peer_count++] = pair[1];
    transport->fd = pair[0];
    return 0;
}

static struct apw_directory *make_directory(void)
{
    static char uri[] = "ldapi://%2Fnowhere", dn[] = "cn=mail,dc=example,dc=org", secret[] = "s";
    const struct apw_uris uris = {.count = 1, .uri = {uri}};
    const struct apw_identity identity = {.dn = dn, .password = secret};
    const struct apw_directory_settings settings = {
        .uris = &uris, .identity = &identity, .tls_cacert = "", .timeout_ms = 1000};
    struct apw_directory *directory;

    FUZZ_MUST(sodium_init() >= 0 && apw_directory_new(&settings, &directory, NULL) == 0);
    return directory;
}

/* What a question needs. The store, if there is one, is reached over connections of its own. */
struct client {
    struct apw_config config;
    struct apw_directory *directory, *store_directory;
    struct apw_world world, store;
    struct apw_attempt attempt;
};

/* Every answer that a rule of the second one asks for makes a login harder. */
static struct apw_config make_config(bool is_strict, bool has_store)
{
    struct apw_config config = {.base = (char *)"dc=example,dc=org",
                                .filter = (char *)"(uid=%u)",
                                .mfa_filter = (char *)"(appPasswordMfaEnabled=TRUE)",
                                .login_attribute = (char *)"uid",
                                .record_use_s = 86400,
                                .hash_memory_mib = 8,
                                .hash_passes = 1};

    if (is_strict) {
        config.directory = APW_DIRECTORY_ACTIVE_DIRECTORY;
        config.mfa_off_filter = (char *)"(appPasswordMfaEnabled=FALSE)";
        config.mfa_witness = (char *)"cn=mfa-witness,o=app-passwords";
        config.disabled_filter = (char *)"(employeeType=gone)";
        config.disabled_witness = (char *)"cn=gone,dc=example,dc=org";
        config.max_lifetime_s = 86400 * 36500LL;
        config.revoke_on_password_change = true;
    }
    if (has_store)
        config.store =
            (struct apw_store_config){.uris = {.count = 1},
                                      .base = (char *)"ou=entries,o=app-passwords",
                                      .id_attribute = apw_directory_id_attribute("entryUUID"),
                                      .has_mfa = is_strict};
    return config;
}

static void begin(struct client *client, uint8_t choice, const char *password)
{
    bool has_store = (choice & 0x7f) == 's' || (choice & 0x7f) == 't';

    memset(client, 0, sizeof *client);
    client->config = make_config((choice & 0x80) != 0, has_store);
    client->directory = make_directory();
    client->world = apw_world_of(client->directory);
    if (has_store) {
        client->store_directory = make_directory();
        client->store = apw_world_of(client->store_directory);
        client->world.store = &client->store;
    }
    client->attempt = (struct apw_attempt){.login = "alice",
                                           .login_length = 5,
                                           .password = password,
                                           .password_length = strlen(password),
                                           .service = "smtp",
                                           .client = "192.0.2.7"};
}

static void end(struct client *client)
{
    apw_directory_free(&client->directory);
    apw_directory_free(&client->store_directory);
}

static int64_t deadline(void)
{
    return apw_clock_monotonic_ms() + 5000;
}

static void try_login(uint8_t choice, const char *password, const uint8_t *bytes, size_t length)
{
    struct apw_decision decision;
    struct client client;

    begin(&client, choice, password);
    apw_verify(&client.config, &client.world, &client.attempt, deadline(), &decision);
    if (decision.event.verdict == APW_ACCEPTED) {
        FUZZ_MUST(apw_login_is_wellformed(decision.event.name, strlen(decision.event.name)));
        /* A login by app password needs its hash. */
        if (decision.event.reason == APW_REASON_APP_PASSWORD)
            FUZZ_MUST(memmem(bytes, length, APP_OUTPUT, sizeof APP_OUTPUT - 1) != NULL);
        else
            FUZZ_MUST(decision.event.reason == APW_REASON_ACCOUNT_PASSWORD);
    } else {
        FUZZ_MUST(decision.event.name[0] == '\0' && decision.use_dn == NULL);
    }
    apw_verify_clear(&decision);
    end(&client);
}

/* Nobody is accepted without a password. */
static void try_existence(uint8_t choice)
{
    struct apw_decision decision;
    enum apw_existence existence;
    struct client client;

    begin(&client, choice, "");
    existence =
        apw_verify_existence(&client.config, &client.world, &client.attempt, deadline(), &decision);
    FUZZ_MUST(decision.event.verdict != APW_ACCEPTED);
    FUZZ_MUST(existence != APW_EXISTENCE_UNKNOWN || decision.event.verdict == APW_REFUSED);
    if (existence == APW_EXISTENCE_KNOWN)
        FUZZ_MUST(apw_login_is_wellformed(decision.event.name, strlen(decision.event.name)));
    apw_verify_clear(&decision);
    end(&client);
}

/* An answer that is not whole ends no session. */
static void try_sessions(uint8_t choice)
{
    struct apw_open_session sessions[2] = {{.service = "imap", .client = "192.0.2.7"},
                                           {.service = "smtp", .client = "::1", .way = "k7q2"}};
    struct apw_session_user user;
    enum apw_existence existence;
    struct client client;

    begin(&client, choice, "");
    existence = apw_verify_open_sessions(&client.config, &client.world, "alice", sessions, 2,
                                         deadline(), &user);
    FUZZ_MUST(user.event.verdict != APW_ACCEPTED);
    for (size_t i = 0; i < 2; i++) {
        FUZZ_MUST(existence == APW_EXISTENCE_KNOWN ? sessions[i].count > 0 : true);
        for (size_t j = 0; j < sessions[i].count; j++)
            FUZZ_MUST(strlen(sessions[i].found[j].name) < APW_WAY_SIZE);
    }
    apw_verify_clear_session_user(&user);
    apw_verify_clear_open_sessions(sessions, 2);
    end(&client);
}

static int take_entry(void *context, const struct apw_entry *entry)
{
    (void)context;
    FUZZ_MUST(entry->dn != NULL);
    return 0;
}

static void try_searches(struct apw_directory *directory)
{
    static const char *const all[] = {"*", NULL};
    const struct apw_query query = {
        .base = "dc=example,dc=org", .filter = "(uid=*)", .attributes = all, .limit = 1};
    struct apw_search_series series = {.count = 2, .search = {{.query = query}, {.query = query}}};
    struct apw_error error;

    if (apw_directory_search_series(directory, &series, deadline(), &error) == APW_LDAP_OK)
        FUZZ_MUST(series.asked == 1 || series.search[0].entries != NULL);
    apw_search_series_clear(&series);
    apw_directory_search_each(
        directory,
        &(struct apw_query){.base = query.base, .filter = query.filter, .attributes = all}, 1000,
        take_entry, NULL, &error);
    series.is_together = true;
    if (apw_directory_search_series(directory, &series, deadline(), &error) == APW_LDAP_OK)
        FUZZ_MUST(series.asked == 2 && series.search[0].result == APW_LDAP_OK);
    apw_search_series_clear(&series);
}

/* The further requests of a manager. */
static void try_questions(void)
{
    static const struct apw_change change = {APW_CHANGE_ADD, "appPassword", "x"};
    static const char dn[] = "uid=alice,dc=example,dc=org";
    struct apw_directory *directory = make_directory();
    struct apw_error error;
    char *name = NULL;

    try_searches(directory);
    apw_directory_modify(directory, dn, &change, 1, deadline(), &error);
    if (apw_directory_whoami(directory, deadline(), &name, &error) != APW_LDAP_OK)
        FUZZ_MUST(name == NULL);
    FUZZ_MUST(name == NULL || name[0] != '\0');
    free(name);
    apw_directory_modify_here(directory, dn, &change, 1, deadline(), &error);
    apw_directory_add(directory, dn, &change, 1, deadline(), &error);
    apw_directory_delete(directory, dn, deadline(), &error);
    apw_directory_free(&directory);
}

static void try_choice(const uint8_t *bytes, size_t length)
{
    switch (bytes[0] & 0x7f) {
    case 'q':
        try_questions();
        return;
    case 'e':
        try_existence(bytes[0]);
        return;
    case 'o':
        try_sessions(bytes[0]);
        return;
    case 'a':
    case 's':
        try_login(bytes[0], APP_PASSWORD, bytes, length);
        return;
    default:
        try_login(bytes[0], "correct horse", bytes, length);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (length == 0)
        return 0;
    answers = bytes + 1;
    answers_left = length - 1;
    peer_count = 0;
    try_choice(bytes, length);
    while (peer_count > 0)
        close(peers[--peer_count]);
    return 0;
}
