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

static struct {
    bool is_on;
    bool is_shown;
    size_t done;
    size_t total;
    int64_t drawn_at;
} progress;

void apw_progress_begin(size_t total)
{
    const char *terminal = getenv("TERM");

    memset(&progress, 0, sizeof progress);
    progress.total = total;
    progress.is_on =
        isatty(STDERR_FILENO) == 1 && terminal != NULL && strcmp(terminal, "dumb") != 0;
}

static void draw(void)
{
    static const char full[] = "########################################";
    int filled;

    if (progress.total == 0) {
        fprintf(stderr, "\r%zu entries", progress.done);
    } else {
        filled = (int)(progress.done * BAR_WIDTH / progress.total);
        fprintf(stderr, "\r[%.*s%*s] %zu of %zu", filled, full, BAR_WIDTH - filled, "",
                progress.done, progress.total);
    }
    progress.is_shown = true;
    progress.drawn_at = apw_clock_monotonic_ms();
}

void apw_progress_step(void)
{
    progress.done++;
    if (progress.is_on && (progress.drawn_at == 0 || progress.done == progress.total ||
                           apw_clock_monotonic_ms() - progress.drawn_at >= REDRAW_MS))
        draw();
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
