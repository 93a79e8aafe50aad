/* SPDX-License-Identifier: BSD-2-Clause */
#include "prompt.h"
#include "ignorable.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

/* Removes a byte-order mark in front, and the CR of CR LF. */
static void drop_stray(char *line, size_t *length)
{
    size_t mark = apw_ignorable_mark_bytes(line, *length);

    *length -= mark;
    memmove(line, line + mark, *length);
    if (*length > 0 && line[*length - 1] == '\r')
        (*length)--;
}

/* Reads one line byte by byte: input after it belongs to another program. Bytes that do not fit are
 * dropped. */
static int read_line(int file, char *buffer_r, size_t size, size_t *length_r)
{
    char byte;

    *length_r = 0;
    for (;;) {
        ssize_t got = read(file, &byte, 1);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0 || byte == '\n')
            break;
        if (*length_r < size)
            buffer_r[(*length_r)++] = byte;
    }
    byte = '\0';
    drop_stray(buffer_r, length_r);
    return 0;
}

/* The signals that would otherwise leave the terminal without echo. */
static void end_signals(sigset_t *signals_r)
{
    sigemptyset(signals_r);
    sigaddset(signals_r, SIGINT);
    sigaddset(signals_r, SIGTERM);
    sigaddset(signals_r, SIGHUP);
    sigaddset(signals_r, SIGQUIT);
    sigaddset(signals_r, SIGTSTP);
}

/* Waits until a line was typed; -1 if one of the blocked signals arrives first. The signal stays
 * pending and takes effect when it is unblocked. */
static int wait_for_line(int terminal, int signals)
{
    struct pollfd wanted[] = {{.fd = terminal, .events = POLLIN},
                              {.fd = signals, .events = POLLIN}};

    while (poll(wanted, 2, -1) < 0)
        if (errno != EINTR)
            return -1;
    return wanted[1].revents != 0 ? -1 : 0;
}

static int ask(int terminal, int signals, const char *question, char *buffer_r, size_t size,
               size_t *length_r)
{
    struct termios before, silent;
    int status = -1;

    if (tcgetattr(terminal, &before) != 0)
        return -1;
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    silent.c_lflag |= ECHONL;
    if (tcsetattr(terminal, TCSAFLUSH, &silent) != 0)
        return -1;
    if (write(terminal, question, strlen(question)) >= 0 && wait_for_line(terminal, signals) == 0)
        status = read_line(terminal, buffer_r, size, length_r);
    tcsetattr(terminal, TCSAFLUSH, &before);
    return status;
}

int apw_prompt_terminal(const char *question, char *buffer_r, size_t size, size_t *length_r,
                        struct apw_error *error)
{
    int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC), signals, status = -1;
    sigset_t blocked, before;

    *length_r = 0;
    if (terminal < 0)
        return apw_error_set(error, "cannot ask for the password: no terminal (/dev/tty: %s)",
                             strerror(errno));
    end_signals(&blocked);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    signals = signalfd(-1, &blocked, SFD_CLOEXEC);
    if (signals >= 0)
        status = ask(terminal, signals, question, buffer_r, size, length_r);
    if (status != 0)
        apw_error_set(error, "no password was typed");
    close(signals);
    close(terminal);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return status;
}

int apw_prompt_input(const char *question, char *buffer_r, size_t size, size_t *length_r,
                     struct apw_error *error)
{
    if (isatty(STDIN_FILENO))
        return apw_prompt_terminal(question, buffer_r, size, length_r, error);
    if (read_line(STDIN_FILENO, buffer_r, size, length_r) == 0)
        return 0;
    return apw_error_set(error, "standard input: %s", strerror(errno));
}
