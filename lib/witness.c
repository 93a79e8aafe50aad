/* SPDX-License-Identifier: BSD-2-Clause */
#include "witness.h"

/* The serial number above, the second below. */
static uint32_t second_of(int64_t milliseconds)
{
    return (uint32_t)(milliseconds / 1000);
}

void apw_witness_note(struct apw_witness *witness, uint32_t connection, int64_t at)
{
    atomic_store(&witness->seen, (uint64_t)connection << 32 | second_of(at));
}

uint32_t apw_witness_connection(const struct apw_witness *witness, int64_t now)
{
    uint64_t seen = atomic_load(&witness->seen);

    return second_of(now) - (uint32_t)seen < APW_WITNESS_S ? (uint32_t)(seen >> 32) : 0;
}
