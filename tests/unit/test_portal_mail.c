/* SPDX-License-Identifier: BSD-2-Clause */
/* Mail: the input of a program that replaces sendmail, and the results of its failures. */
#include "clock.h"
#include "login.h"
#include "mail.h"
#include "relay.h"
#include "unit.h"
#include "utf8.h"
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <sys/stat.h>
#include <time.h>

#define TO   "alice@example.net"
#define FROM "app-passwords@mail.example.org"
#define TEXT "Subject: Hello\n\nFirst line\n.\nThird \xc3\xa6\xc3\xb8\xc3\xa5\n"

static char program[UNIT_PATH_SIZE];

/* A shell program that does this. */
static void write_program(const char *commands)
{
    char text[2048];

    snprintf(text, sizeof text, "#!/bin/sh\nexec 2>/dev/null\n%s\n", commands);
    unit_write(program, text, strlen(text));
    if (chmod(program, 0755) != 0)
        abort();
}

/* The contents of that file beside the program; borrowed until the next call. */
static const char *read_result(const char *name)
{
    static char text[1024 * 1024];
    char path[UNIT_PATH_SIZE];
    FILE *file = fopen(unit_path(name, path), "re");

    if (file == NULL)
        fail_msg("%s: %s", path, strerror(errno));
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    unlink(path);
    return text;
}

static void assert_result(const char *name, const char *expected)
{
    assert_string_equal(read_result(name), expected);
}

/* Set by tests that end the wait. */
static atomic_bool *stop;

static struct apw_mail_content content_of(const char *text)
{
    return (struct apw_mail_content){.from = FROM,
                                     .from_name = "App passwords",
                                     .to = TO,
                                     .reply_to = "help@example.org",
                                     .language = "en",
                                     .text = text};
}

static enum apw_mail_result send_with(const char *path, const char *from, const char *text,
                                      struct apw_error *error)
{
    const struct apw_mail_settings settings = {.program = (char *)path, .from = (char *)from};
    const struct apw_mail_content content = content_of(text);
    enum apw_mail_result result = APW_MAIL_NOT_SENT;
    struct apw_mail mail;

    if (apw_mail_compose(&content, &mail, error) != 0)
        return result;
    result = apw_mail_send(&settings, &mail, stop, error);
    apw_mail_free(&mail);
    return result;
}

static void send_mail(const char *text)
{
    struct apw_error error = {""};

    if (send_with(program, FROM, text, &error) != APW_MAIL_SENT)
        fail_msg("%s", error.text);
    assert_string_equal(error.text, "");
}

#define KEEP_MESSAGE "cd \"${0%/*}\" && cat >message"

/* ---- what it is given ---- */

static void test_arguments(void **state)
{
    (void)state;
    write_program("cd \"${0%/*}\" && printf '<%s>' \"$@\" >arguments");
    send_mail(TEXT);
    assert_result("arguments", "<-i><-t><-f><" FROM ">");
}

/* Date and Message-ID, which differ each time, are replaced by X. */
static void hide(char *message, const char *name)
{
    char *at = strstr(message, name), *end;

    assert_non_null(at);
    at += strlen(name);
    end = strchr(at, '\n');
    assert_true(end - at > 20);
    *at = 'X';
    memmove(at + 1, end, strlen(end) + 1);
}

static void test_message(void **state)
{
    char *message;

    (void)state;
    write_program(KEEP_MESSAGE);
    send_mail(TEXT);
    message = strdup(read_result("message"));
    hide(message, "\nDate: ");
    hide(message, "\nMessage-ID: ");
    assert_string_equal(message, "From: App passwords <" FROM ">\n"
                                 "Reply-To: help@example.org\n"
                                 "To: " TO "\n"
                                 "Subject: Hello\n"
                                 "Date: X\n"
                                 "Message-ID: X\n"
                                 "MIME-Version: 1.0\n"
                                 "Content-Type: text/plain; charset=utf-8\n"
                                 "Content-Transfer-Encoding: quoted-printable\n"
                                 "Content-Language: en\n"
                                 "Auto-Submitted: auto-generated\n"
                                 "\n"
                                 "First line\n.\nThird =C3=A6=C3=B8=C3=A5\n");
    free(message);
}

/* ---- the body ---- */

static int value_of(char digit)
{
    static const char digits[] = "0123456789ABCDEF";
    const char *at = strchr(digits, digit);

    assert_true(at != NULL && *at != '\0');
    return (int)(at - digits);
}

/* Decodes as RFC 2045, 6.7, and checks that no line is longer than 76 characters. */
static void decode_body(const char *message, char *body_r)
{
    const char *at = strstr(message, "\n\n");
    size_t column = 0;

    assert_non_null(at);
    for (at += 2; *at != '\0'; at++, column++) {
        if (*at == '\n') {
            assert_true(column <= 76);
            assert_true(at[-1] != ' ');
            column = SIZE_MAX;
            *body_r++ = '\n';
        } else if (at[0] == '=' && at[1] == '\n') {
            assert_true(column + 1 <= 76);
            column = SIZE_MAX;
            at++;
        } else if (*at == '=') {
            *body_r++ = (char)(value_of(at[1]) * 16 + value_of(at[2]));
            at += 2;
            column += 2;
        } else {
            assert_in_range(*at, ' ', '~');
            *body_r++ = *at;
        }
    }
    *body_r = '\0';
}

static void check_body(const char *body)
{
    char text[4096], decoded[4096];

    snprintf(text, sizeof text, "Subject: x\n\n%s", body);
    send_mail(text);
    decode_body(read_result("message"), decoded);
    assert_string_equal(decoded, body);
}

static const struct body_case {
    const char *name;
    const char *body;
} bodies[] = {
    {"a body that ends without a line end", "end"},
    {"a body with spaces at the ends of lines", "a \n  b  \nc "},
    {"a body with an equals sign", "a = b=\n=C3"},
    {"a body with empty lines", "\n\na\n\n"},
    {"a body with a tab and a dot", "\ta\n.\n..\n"},
};

static void test_body(void **state)
{
    const struct body_case *row = *state;
    char body[4096] = "Subject: x\n\n", decoded[4096];

    write_program(KEEP_MESSAGE);
    strcat(body, row->body);
    send_mail(body);
    decode_body(read_result("message"), decoded);
    assert_string_equal(decoded, row->body + strspn(row->body, "\n"));
}

/* Of each length around the ends of encoded lines. */
static void test_long_lines(void **state)
{
    static const char *const characters[] = {"a", " ", "=", "\xc3\xb8", "\xf0\x9f\x98\x80"};
    char body[1200];

    (void)state;
    write_program(KEEP_MESSAGE);
    for (size_t i = 0; i < UNIT_COUNT(characters); i++)
        for (size_t count = 70; count < 80; count++) {
            strcpy(body, "x");
            for (size_t j = 0; j < count; j++)
                strcat(body, characters[i]);
            strcat(body, "\nnext");
            check_body(body);
        }
}

static void test_long_body(void **state)
{
    char *body = unit_repeat("0123456789abcde\n", 20000), *text;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    (void)state;
    fprintf(stream, "Subject: x\n\n%s", body);
    fclose(stream);
    write_program(KEEP_MESSAGE);
    send_mail(text);
    assert_string_equal(strstr(read_result("message"), "\n\n") + 2, body);
    free(text);
    free(body);
}

static void test_no_body(void **state)
{
    (void)state;
    write_program(KEEP_MESSAGE);
    send_mail("Subject: x");
    assert_string_equal(strstr(read_result("message"), "Auto-Submitted"),
                        "Auto-Submitted: auto-generated\n\n");
}

static void test_environment(void **state)
{
    (void)state;
    setenv("APW_TEST_SECRET", "of the portal", 1);
    setenv("LANGUAGE", "nb", 1);
    write_program("cd \"${0%/*}\" && tr '\\0' '\\n' </proc/$$/environ >environment");
    send_mail(TEXT);
    assert_result("environment", "PATH=/usr/sbin:/usr/bin:/sbin:/bin\nLC_ALL=C.UTF-8\n");
}

/* The test itself replaces sendmail, because a shell would unblock signals. It writes how it was
 * started to the file that the sender's name gives. */
static int be_sendmail(const char *path)
{
    FILE *file = fopen(path, "we");
    int blocked_count = 0, ignored_count = 0;
    struct sigaction action;
    sigset_t blocked;

    if (file == NULL || sigprocmask(SIG_SETMASK, NULL, &blocked) != 0)
        return EXIT_FAILURE;
    for (int i = 1; i < SIGSYS; i++) {
        blocked_count += sigismember(&blocked, i) == 1;
        ignored_count += sigaction(i, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
    }
    fprintf(file, "%d blocked, %d ignored", blocked_count, ignored_count);
    return fclose(file) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The portal blocks signals in all its threads, and ignores one. */
static void test_signals(void **state)
{
    char path[UNIT_PATH_SIZE],
        self[PATH_MAX] = ""; /* by its name: valgrind runs no /proc/self/exe */
    struct apw_error error = {""};
    sigset_t blocked, before;
    enum apw_mail_result result;

    (void)state;
    assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    sigfillset(&blocked);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    signal(SIGPIPE, SIG_IGN);
    result = send_with(self, unit_path("signals", path), TEXT, &error);
    signal(SIGPIPE, SIG_DFL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    assert_string_equal(error.text, "");
    assert_int_equal(result, APW_MAIL_SENT);
    assert_result("signals", "0 blocked, 0 ignored");
}

/* ---- subjects ---- */

/* The subject of a message, put together again as RFC 2047 has it, if it is encoded. */
static void decode_subject(const char *message, char *subject_r, size_t size)
{
    const char *at = strstr(message, "\nSubject: ");
    size_t length = 0;

    assert_non_null(at);
    at += strlen("\nSubject: ");
    if (strncmp(at, "=?", 2) != 0) {
        snprintf(subject_r, size, "%.*s", (int)strcspn(at, "\n"), at);
        return;
    }
    for (;;) {
        const char *end = strstr(at, "?="), *line_end = strchr(at, '\n');
        size_t decoded;

        assert_int_equal(strncmp(at, "=?utf-8?B?", 10), 0);
        assert_non_null(end);
        assert_true(end + 2 == line_end); /* one word a line … */
        assert_true(end + 2 - at <= 75);  /* … of so many characters (RFC 2047, 2) */
        assert_int_equal(sodium_base642bin((unsigned char *)subject_r + length, size - length - 1,
                                           at + 10, (size_t)(end - at - 10), NULL, &decoded, NULL,
                                           sodium_base64_VARIANT_ORIGINAL),
                         0);
        /* Each word is whole by itself (RFC 2047, 5). */
        assert_true(apw_utf8_is_valid(subject_r + length, decoded));
        length += decoded;
        if (line_end[1] != ' ')
            break;
        at = line_end + 2;
    }
    subject_r[length] = '\0';
}

/* Returns whether it is encoded. */
static bool check_subject(const char *subject)
{
    char text[2048], decoded[2048];
    const char *message;

    snprintf(text, sizeof text, "Subject: %s\n\nbody\n", subject);
    send_mail(text);
    message = read_result("message");
    decode_subject(message, decoded, sizeof decoded);
    assert_string_equal(decoded, subject);
    assert_non_null(strstr(message, "\n\nbody\n"));
    return strstr(message, "\nSubject: =?utf-8?B?") != NULL;
}

static const struct subject_case {
    const char *name;
    const char *subject;
    bool is_encoded;
} subjects[] = {
    {"a subject of one letter", "x", false},
    {"a subject of one letter past ASCII", "\xc3\xa6", true},
    {"a subject longer than a word",
     "Et nytt app-passord ble laget for kontoen din ved mail.example.org", false},
    {"a subject of æ, ø and å longer than a word",
     "\xc3\xa6\xc3\xb8\xc3\xa5\xc3\xa6\xc3\xb8\xc3\xa5\xc3\xa6\xc3\xb8\xc3\xa5\xc3\xa6\xc3\xb8\xc3"
     "\xa5\xc3\xa6\xc3\xb8\xc3\xa5\xc3\xa6\xc3\xb8\xc3\xa5\xc3\xa6\xc3\xb8\xc3\xa5\xc3\xa6\xc3"
     "\xb8",
     true},
    {"a subject that looks encoded", "=?utf-8?B?SGVsbG8=?=", true},
    {"a subject with an encoded word in it", "x =?utf-8?B?SGVsbG8=?=", true},
    {"a subject that looks like a header", "Bcc: eve@example.net", false},
    {"a subject with a space at its end", "x ", true},
    {"a subject with a control character", "x\x7fy", true},
};

static void test_subject(void **state)
{
    const struct subject_case *row = *state;

    write_program(KEEP_MESSAGE);
    assert_int_equal(check_subject(row->subject), row->is_encoded);
}

/* A character of each length, at each place where a word might end. */
static void test_divided(void **state)
{
    static const char *const characters[] = {"a", "\xc3\xb8", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    char subject[257];

    (void)state;
    write_program(KEEP_MESSAGE);
    for (size_t i = 0; i < UNIT_COUNT(characters); i++)
        for (size_t before = 0; before < 4; before++) {
            memset(subject, 'x', before);
            subject[before] = '\0';
            while (strlen(subject) + strlen(characters[i]) <= 256)
                strcat(subject, characters[i]);
            check_subject(subject);
        }
}

static const struct bad_text_case {
    const char *name;
    const char *text;
    const char *error;
} bad_texts[] = {
    {"a text without a subject is not sent", "Hello\n", "must begin with \"Subject: \""},
    {"an empty text is not sent", "", "must begin with \"Subject: \""},
    {"a subject in lower case is invalid", "subject: x\n\n", "must begin with \"Subject: \""},
    {"an empty subject is not sent", "Subject: \n\nsecret", "must have 1 to 512 bytes"},
};

static void test_bad_text(void **state)
{
    const struct bad_text_case *row = *state;
    struct apw_error error = {""};
    char path[UNIT_PATH_SIZE];

    write_program(KEEP_MESSAGE);
    assert_int_equal(send_with(program, FROM, row->text, &error), APW_MAIL_NOT_SENT);
    assert_contains(error.text, row->error);
    assert_null(strstr(error.text, "secret"));
    assert_int_equal(access(unit_path("message", path), F_OK), -1);
}

static void test_long_subject(void **state)
{
    char *text = unit_repeat("x", 9 + 513);
    struct apw_error error = {""};

    (void)state;
    memcpy(text, "Subject: ", 9);
    write_program(KEEP_MESSAGE);
    assert_int_equal(send_with(program, FROM, text, &error), APW_MAIL_NOT_SENT);
    assert_contains(error.text, "must have 1 to 512 bytes");
    text[9 + 512] = '\0';
    check_subject(text + 9);
    free(text);
}

/* ---- failures ---- */

static const struct failure_case {
    const char *name;
    const char *commands;
    enum apw_mail_result result;
    const char *error; /* behind the program's name; NULL: it is none */
} failures[] = {
    {"a program that reads nothing has sent it", "exit 0", APW_MAIL_SENT, NULL},
    {"a program that says something has sent it", "cat; echo done; echo done >&2", APW_MAIL_SENT,
     NULL},
    {"status 1 is a failure", "exit 1", APW_MAIL_NOT_SENT, " ended with status 1"},
    {"status 75 is a failure", "cat >/dev/null; exit 75", APW_MAIL_NOT_SENT,
     " ended with status 75"},
    {"status 65, bad data, is final", "exit 65", APW_MAIL_REFUSED, " ended with status 65"},
    {"status 67, no such user, is final", "exit 67", APW_MAIL_REFUSED, " ended with status 67"},
    {"status 68, no such host, is final", "exit 68", APW_MAIL_REFUSED, " ended with status 68"},
    {"status 64, usage, is not final", "exit 64", APW_MAIL_NOT_SENT, " ended with status 64"},
    {"status 77, no permission, is not final", "exit 77", APW_MAIL_NOT_SENT,
     " ended with status 77"},
    {"status 255 is a failure", "exit 255", APW_MAIL_NOT_SENT, " ended with status 255"},
    {"a signal is a failure", "kill -9 $$", APW_MAIL_NOT_SENT, " was ended by signal 9"},
    {"an interpreter that cannot run it is a failure", "exec /nowhere", APW_MAIL_NOT_SENT,
     " ended with status 127"},
};

static void test_failure(void **state)
{
    const struct failure_case *row = *state;
    struct apw_error error = {""};
    char expected[UNIT_PATH_SIZE + 64];

    write_program(row->commands);
    assert_int_equal(send_with(program, FROM, TEXT, &error), row->result);
    snprintf(expected, sizeof expected, "%s%s", row->error == NULL ? "" : program,
             row->error == NULL ? "" : row->error);
    assert_string_equal(error.text, expected);
}

static void test_no_program(void **state)
{
    struct apw_error error = {""};
    char path[UNIT_PATH_SIZE];

    (void)state;
    if (unit_is_under_valgrind()) {
        print_message("valgrind's vfork() does not tell why a program could not be started\n");
        return;
    }
    assert_int_equal(send_with("/nowhere/sendmail", FROM, TEXT, &error), APW_MAIL_NOT_SENT);
    assert_string_equal(error.text, "/nowhere/sendmail: No such file or directory");
    unit_write(unit_path("plain", path), "#!/bin/sh\n", 10);
    assert_int_equal(send_with(path, FROM, TEXT, &error), APW_MAIL_NOT_SENT);
    assert_contains(error.text, "/plain: Permission denied");
    unit_write(path, "no program", 10);
    assert_int_equal(chmod(path, 0755), 0);
    assert_int_equal(send_with(path, FROM, TEXT, &error), APW_MAIL_NOT_SENT);
    assert_contains(error.text, "/plain: Exec format error");
}

/* ---- a program that hangs ---- */

/* If `hung_file` names a file, the time is up as soon as that file exists. */
static const char *hung_file;

int64_t __real_apw_clock_remaining_ms(int64_t deadline_ms);
int64_t __wrap_apw_clock_remaining_ms(int64_t deadline_ms);

int64_t __wrap_apw_clock_remaining_ms(int64_t deadline_ms)
{
    int64_t remaining = __real_apw_clock_remaining_ms(deadline_ms);

    if (hung_file == NULL)
        return remaining;
    assert_in_range(remaining, 1, 10000); /* ten seconds, as mail.h says */
    return access(hung_file, F_OK) == 0 ? 0 : remaining;
}

/* Whether the process runs; one that only waits to be fetched does not. */
static bool is_running(const char *process)
{
    char path[64], state = '?';
    FILE *file;

    snprintf(path, sizeof path, "/proc/%ld/stat", strtol(process, NULL, 10));
    file = fopen(path, "re");
    if (file == NULL)
        return false;
    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
        state = '?';
    fclose(file);
    return state != 'Z' && state != 'X';
}

/* A killed process takes a moment to be gone. */
static bool ends(const char *process)
{
    const struct timespec pause = {0, 1000000};

    for (int i = 0; i < 30000 && is_running(process); i++)
        nanosleep(&pause, NULL);
    return !is_running(process);
}

static const struct hang_case {
    const char *name;
    const char *commands;
} hangs[] = {
    {"a program that hangs is killed", "echo $$ >child && mv child hung && exec sleep 600"},
    {"one that ignores signals is killed", "trap '' TERM INT HUP; echo $$ >child && mv child hung;"
                                           " while :; do sleep 0.1; done"},
    {"its children are killed with it", "sleep 600 & echo $! >child && mv child hung; wait"},
};

static void test_hang(void **state)
{
    const struct hang_case *row = *state;
    char commands[512], expected[UNIT_PATH_SIZE + 64], path[UNIT_PATH_SIZE];
    const char *process;
    struct apw_error error = {""};

    snprintf(commands, sizeof commands, "cd \"${0%%/*}\" || exit 1\n%s", row->commands);
    write_program(commands);
    hung_file = unit_path("hung", path);
    assert_int_equal(send_with(program, FROM, TEXT, &error), APW_MAIL_NOT_SENT);
    hung_file = NULL;
    snprintf(expected, sizeof expected, "%s took longer than 10 seconds", program);
    assert_string_equal(error.text, expected);
    process = read_result("hung");
    assert_true(strtol(process, NULL, 10) > 1);
    assert_true(ends(process));
}

/* As at the end of the page. */
static void test_stop(void **state)
{
    atomic_bool is_set = true;
    struct apw_error error = {""};
    char expected[UNIT_PATH_SIZE + 64];

    (void)state;
    write_program("exec sleep 600");
    stop = &is_set;
    assert_int_equal(send_with(program, FROM, TEXT, &error), APW_MAIL_NOT_SENT);
    stop = NULL;
    snprintf(expected, sizeof expected, "%s was ended, because the page ends", program);
    assert_string_equal(error.text, expected);
}

/* A relay that takes the connection and says nothing would be waited for for ten seconds. */
static void test_relay_stop(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int silent = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct apw_mail_content content = content_of(TEXT);
    struct apw_mail_settings settings = {
        .host = (char *)"127.0.0.1", .tls = APW_MAIL_TLS_NO, .from = (char *)TO};
    struct apw_error error = {""};
    atomic_bool is_set = true;
    struct apw_mail mail;

    (void)state;
    assert_int_equal(bind(silent, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(silent, 1), 0);
    assert_int_equal(getsockname(silent, (struct sockaddr *)&address, &length), 0);
    snprintf(settings.port, sizeof settings.port, "%u", ntohs(address.sin_port));
    assert_int_equal(apw_mail_compose(&content, &mail, &error), 0);
    assert_int_equal(apw_mail_send(&settings, &mail, &is_set, &error), APW_MAIL_NOT_SENT);
    assert_contains(error.text, "mail_relay 127.0.0.1:");
    assert_null(strstr(error.text, "timed out"));
    apw_mail_free(&mail);
    close(silent);
}

int main(int argc, char **argv)
{
    if (argc > 3 && strcmp(argv[1], "-i") == 0)
        return be_sendmail(argv[4]);
    if (sodium_init() < 0 || apw_relay_init(NULL) != 0)
        abort();
    unit_path("sendmail", program);
    UNIT_TEST("the program has the arguments of sendmail", test_arguments);
    UNIT_TEST("it reads the message", test_message);
    UNIT_TEST("it reads a long message to its end", test_long_body);
    UNIT_TEST("a subject alone is a message", test_no_body);
    UNIT_ROWS(bodies, test_body);
    UNIT_TEST("no line is longer than 76 characters", test_long_lines);
    UNIT_TEST("it has nothing of the portal's environment", test_environment);
    UNIT_TEST("it has every signal as usual", test_signals);
    UNIT_ROWS(subjects, test_subject);
    UNIT_TEST("no character is divided between two words", test_divided);
    UNIT_ROWS(bad_texts, test_bad_text);
    UNIT_TEST("a subject has 512 bytes at most", test_long_subject);
    UNIT_ROWS(failures, test_failure);
    UNIT_TEST("a missing program, and a file that is none", test_no_program);
    UNIT_ROWS(hangs, test_hang);
    UNIT_TEST("a program is killed when the page ends", test_stop);
    UNIT_TEST("a relay is not waited for when the page ends", test_relay_stop);
    return unit_run();
}
