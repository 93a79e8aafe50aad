/* SPDX-License-Identifier: BSD-2-Clause */
#include "progress.h"
#include "clock.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REDRAW_MS 100
#define BAR_WIDTH 40
#define RATE_MS   1000 /* until then, a rate would say little */

static struct {
    bool is_on;
    bool is_shown;
    size_t done;
    size_t total;
    const char *what;
    int64_t began_at;
    int64_t drawn_at; /* 0: not yet */
} progress;

void apw_progress_begin(const char *what, size_t total)
{
    const char *terminal = getenv("TERM");

    apw_progress_hide();
    memset(&progress, 0, sizeof progress);
    progress.what = what;
    progress.total = total;
    progress.began_at = apw_clock_monotonic_ms();
    progress.is_on =
        isatty(STDERR_FILENO) == 1 && terminal != NULL && strcmp(terminal, "dumb") != 0;
}

static void draw_bar(void)
{
    static const char full[] = "########################################";
    int filled = (int)(progress.done * BAR_WIDTH / progress.total);

    fprintf(stderr, "\r[%.*s%*s] %zu of %zu", filled, full, BAR_WIDTH - filled, "", progress.done,
            progress.total);
}

static void draw_count(int64_t now)
{
    int64_t elapsed = now - progress.began_at;

    fprintf(stderr, "\r%s: %zu", progress.what, progress.done);
    if (elapsed >= RATE_MS)
        fprintf(stderr, ", %zu a second", progress.done * 1000 / (size_t)elapsed);
    fputs("\033[K", stderr);
}

void apw_progress_step(void)
{
    int64_t now;

    progress.done++;
    if (!progress.is_on)
        return;
    now = apw_clock_monotonic_ms();
    if (progress.drawn_at != 0 && progress.done != progress.total &&
        now - progress.drawn_at < REDRAW_MS)
        return;
    if (progress.total > 0)
        draw_bar();
    else
        draw_count(now);
    progress.is_shown = true;
    progress.drawn_at = now;
}

void apw_progress_hide(void)
{
    if (progress.is_shown)
        fputs("\r\033[K", stderr);
    progress.is_shown = false;
}

void apw_progress_end(void)
{
    apw_progress_hide();
    progress.is_on = false;
}
