/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail.h"
#include "clock.h"
#include "web/buffer.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECONDS_MAX  10
#define SUBJECT_MAX  256
#define ENCODED_WORD 36 /* bytes of text in an encoded word of at most 75 characters */

/* Encoded words (RFC 2047, 2), which must not split a character (5). */
static void add_encoded(struct apw_buffer *message, const char *text, size_t length)
{
    char encoded[sodium_base64_ENCODED_LEN(ENCODED_WORD, sodium_base64_VARIANT_ORIGINAL)];

    while (length > 0) {
        size_t part = length < ENCODED_WORD ? length : ENCODED_WORD;

        while (part < length && part > 1 && ((unsigned char)text[part] & 0xc0) == 0x80)
            part--;
        sodium_bin2base64(encoded, sizeof encoded, (const unsigned char *)text, part,
                          sodium_base64_VARIANT_ORIGINAL);
        apw_buffer_add_string(message, "=?utf-8?B?");
        apw_buffer_add_string(message, encoded);
        apw_buffer_add_string(message, part < length ? "?=\n " : "?=");
        text += part;
        length -= part;
    }
}

static int compose(const char *to, const char *text, struct apw_buffer *message,
                   struct apw_error *error)
{
    static const char subject[] = "Subject: ";
    size_t length;

    if (strncmp(text, subject, sizeof subject - 1) != 0)
        return apw_error_set(error, "the text of a mail must begin with \"Subject: \"");
    text += sizeof subject - 1;
    length = strcspn(text, "\n");
    if (length == 0 || length > SUBJECT_MAX)
        return apw_error_set(error, "the subject of a mail must have 1 to %d bytes", SUBJECT_MAX);
    apw_buffer_add_string(message, "To: ");
    apw_buffer_add_string(message, to);
    apw_buffer_add_string(message, "\nSubject: ");
    add_encoded(message, text, length);
    apw_buffer_add_string(message, "\nMIME-Version: 1.0\n"
                                   "Content-Type: text/plain; charset=utf-8\n"
                                   "Content-Transfer-Encoding: 8bit\n"
                                   "Auto-Submitted: auto-generated\n"); /* RFC 3834, 5 */
    /* The text continues with the empty line that ends the header. */
    apw_buffer_add_string(message, text + length + (text[length] == '\n'));
    return message->is_broken ? apw_error_set(error, "out of memory") : 0;
}

/* An anonymous file with the message. */
static int open_message(const struct apw_buffer *message, struct apw_error *error)
{
    int fd = memfd_create("mail", MFD_CLOEXEC);

    if (fd >= 0 && write(fd, message->bytes, message->length) == (ssize_t)message->length &&
        lseek(fd, 0, SEEK_SET) == 0)
        return fd;
    apw_error_set(error, "no memory for a mail: %s", strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Default signals, whatever this thread blocks; and a process group, so that we can kill the
 * program's children, too. */
static void set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, defaults;

    sigemptyset(&none);
    sigfillset(&defaults); /* including those that we ignore */
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &defaults);
    posix_spawnattr_setpgroup(attributes, 0);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                             POSIX_SPAWN_SETPGROUP);
}

/* -t: the recipient is in the message, because every user can read a program's arguments. */
static int start(const char *program, const char *from_name, int message, pid_t *child_r,
                 struct apw_error *error)
{
    char *const arguments[] = {(char *)program, (char *)"-i",      (char *)"-t",
                               (char *)"-F",    (char *)from_name, NULL};
    char *const environment[] = {(char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                                 (char *)"LC_ALL=C.UTF-8", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int status;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, message, STDIN_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_init(&attributes);
    set_attributes(&attributes);
    status = posix_spawn(child_r, program, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return status == 0 ? 0 : apw_error_set(error, "%s: %s", program, strerror(status));
}

static int wait_for(pid_t child, const char *program, struct apw_error *error)
{
    const struct timespec pause = {0, 10 * 1000 * 1000};
    int64_t deadline = apw_clock_monotonic_ms() + SECONDS_MAX * 1000;
    int status = 0;

    for (;;) {
        pid_t ended = waitpid(child, &status, WNOHANG);

        if (ended == child)
            break;
        if (ended < 0 && errno != EINTR)
            return apw_error_set(error, "%s: %s", program, strerror(errno));
        if (apw_clock_remaining_ms(deadline) == 0) {
            kill(-child, SIGKILL); /* its children, too: postdrop may retry forever */
            waitpid(child, &status, 0);
            return apw_error_set(error, "%s took longer than %d seconds", program, SECONDS_MAX);
        }
        nanosleep(&pause, NULL);
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    return WIFEXITED(status)
               ? apw_error_set(error, "%s ended with status %d", program, WEXITSTATUS(status))
               : apw_error_set(error, "%s was ended by signal %d", program, WTERMSIG(status));
}

int apw_mail_send(const char *program, const char *to, const char *from_name, const char *text,
                  struct apw_error *error)
{
    struct apw_buffer message = {NULL, 0, 0, false};
    int fd = -1, status = -1;
    pid_t child;

    if (compose(to, text, &message, error) == 0 && (fd = open_message(&message, error)) >= 0 &&
        start(program, from_name, fd, &child, error) == 0)
        status = wait_for(child, program, error);
    if (fd >= 0)
        close(fd);
    apw_buffer_free(&message);
    return status;
}
