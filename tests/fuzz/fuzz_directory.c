/* SPDX-License-Identifier: BSD-2-Clause */
/* A login in which the fuzzer writes every byte that the directory answers.
 *
 * The first byte chooses the password. Pieces follow. Each begins with two bytes: the lower twelve
 * bits are the length of the rest, the upper four its kind. Bit 15: raw bytes; else an operation,
 * to be put into a message. Bit 14: the last piece of this connection. Bits 12 and 13: the message
 * id, less one.
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

static void send_message(int fd, uint8_t id, const uint8_t *operation, size_t length)
{
    const uint8_t header[7] = {
        0x30, 0x82, (uint8_t)((length + 3) >> 8), (uint8_t)(length + 3), 0x02, 0x01, id};

    send(fd, header, sizeof header, MSG_NOSIGNAL | MSG_DONTWAIT);
    send(fd, operation, length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Puts this connection's answers where the client will read them. */
static void answer_all(int fd)
{
    bool is_last = false;

    while (answers_left >= 2 && !is_last) {
        uint8_t kind = answers[0] >> 4;
        size_t length = (size_t)(answers[0] & 0x0f) << 8 | answers[1];

        answers += 2;
        answers_left -= 2;
        if (length > answers_left)
            length = answers_left;
        if (kind & 8)
            send(fd, answers, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        else
            send_message(fd, (uint8_t)(1 + (kind & 3)), answers, length);
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

static void try_login(const char *password, const uint8_t *bytes, size_t length)
{
    static struct apw_config config = {.base = (char *)"dc=example,dc=org",
                                       .filter = (char *)"(uid=%u)",
                                       .mfa_filter = (char *)"(appPasswordMfaEnabled=TRUE)",
                                       .login_attribute = (char *)"uid",
                                       .record_use_s = 86400};
    const struct apw_attempt attempt = {.login = "alice",
                                        .login_length = 5,
                                        .password = password,
                                        .password_length = strlen(password),
                                        .service = "smtp",
                                        .client = "192.0.2.7"};
    struct apw_directory *directory = make_directory();
    const struct apw_world world = apw_world_of(directory);
    struct apw_decision decision;

    apw_verify(&config, &world, &attempt, apw_clock_monotonic_ms() + 5000, &decision);
    if (decision.event.verdict == APW_ACCEPTED) {
        FUZZ_MUST(apw_login_is_wellformed(decision.event.name, strlen(decision.event.name)));
        /* A login by app password needs its hash. */
        if (decision.event.reason == APW_REASON_APP_PASSWORD)
            FUZZ_MUST(memmem(bytes, length, APP_OUTPUT, sizeof APP_OUTPUT - 1) != NULL);
        else
            FUZZ_MUST(decision.event.reason == APW_REASON_ACCOUNT_PASSWORD);
    } else {
        FUZZ_MUST(decision.event.name[0] == '\0');
    }
    apw_verify_clear(&decision);
    apw_directory_free(&directory);
}

static int take_entry(void *context, const struct apw_entry *entry)
{
    (void)context;
    FUZZ_MUST(entry->dn != NULL);
    return 0;
}

/* The further requests of a manager. */
static void try_questions(void)
{
    static const char *const all[] = {"*", NULL};
    const struct apw_change change = {APW_CHANGE_ADD, "appPassword", "x"};
    const struct apw_query query = {
        .base = "dc=example,dc=org", .filter = "(uid=*)", .attributes = all};
    struct apw_directory *directory = make_directory();
    struct apw_error error;

    apw_directory_search_each(directory, &query, 1000, take_entry, NULL, &error);
    apw_directory_modify(directory, "uid=alice,dc=example,dc=org", &change, 1,
                         apw_clock_monotonic_ms() + 1000, &error);
    apw_directory_free(&directory);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (length == 0)
        return 0;
    answers = bytes + 1;
    answers_left = length - 1;
    peer_count = 0;
    if (bytes[0] == 'q')
        try_questions();
    else
        try_login(bytes[0] == 'a' ? APP_PASSWORD : "correct horse", bytes, length);
    while (peer_count > 0)
        close(peers[--peer_count]);
    return 0;
}
