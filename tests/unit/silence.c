/* SPDX-License-Identifier: BSD-2-Clause */
#include "silence.h"
#include <poll.h>
#include <stdatomic.h>

#define LOOK_MS 1 /* how often a client that waits looks whether it does so in vain */

_Atomic int64_t skipped_ms;

static atomic_bool is_skipping;
static atomic_int unanswered; /* requests whose client still waits */

int64_t __real_apw_clock_monotonic_ms(void);
int64_t __wrap_apw_clock_monotonic_ms(void);
int64_t __wrap_apw_clock_remaining_ms(int64_t moment);
int __real_poll(struct pollfd *polled, nfds_t count, int timeout_ms);
int __wrap_poll(struct pollfd *polled, nfds_t count, int timeout_ms);

int64_t __wrap_apw_clock_monotonic_ms(void)
{
    return __real_apw_clock_monotonic_ms() + atomic_load(&skipped_ms);
}

int64_t __wrap_apw_clock_remaining_ms(int64_t moment)
{
    int64_t remaining = moment - __wrap_apw_clock_monotonic_ms();

    return remaining > 0 ? remaining : 0;
}

/* The responder waits without a timeout, or not at all. */
int __wrap_poll(struct pollfd *polled, nfds_t count, int timeout_ms)
{
    int64_t start = __real_apw_clock_monotonic_ms(), rest = timeout_ms;

    if (!atomic_load(&is_skipping) || timeout_ms <= 0)
        return __real_poll(polled, count, timeout_ms);
    for (; rest > 0; rest = timeout_ms - (__real_apw_clock_monotonic_ms() - start)) {
        int ready = __real_poll(polled, count, LOOK_MS);

        if (ready != 0)
            return ready;
        if (atomic_load(&unanswered) > 0) {
            atomic_fetch_sub(&unanswered, 1);
            atomic_fetch_add(&skipped_ms, rest);
            return 0;
        }
    }
    return 0;
}

void silence_begin(void)
{
    atomic_store(&skipped_ms, 0);
    atomic_store(&unanswered, 0);
    atomic_store(&is_skipping, true);
}

void silence_end(void)
{
    atomic_store(&is_skipping, false);
    atomic_store(&skipped_ms, 0);
}

bool silence_keep(void)
{
    atomic_fetch_add(&unanswered, 1);
    return true;
}
