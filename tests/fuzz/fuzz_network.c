/* SPDX-License-Identifier: BSD-2-Clause */
/* Client addresses and CIDR blocks. */
#include "fuzz.h"
#include "network.h"

/* A block contains its own address, and not its neighbor's. */
static void try_block(const struct apw_network *network)
{
    struct apw_networks one = {.count = 1, .network = {*network}};
    struct apw_address outside = network->address;
    unsigned last = network->prefix_bits;

    FUZZ_MUST(network->address.bits == 32 || network->address.bits == 128);
    FUZZ_MUST(last <= network->address.bits);
    FUZZ_MUST(apw_networks_contain(&one, &network->address));
    if (last == 0)
        return;
    outside.bytes[(last - 1) / 8] ^= (uint8_t)(0x80 >> (last - 1) % 8);
    FUZZ_MUST(!apw_networks_contain(&one, &outside));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const char *text = (const char *)bytes, *bad = NULL;
    char *terminated = fuzz_text(bytes, length);
    struct apw_networks networks;
    struct apw_network network;
    struct apw_address address;

    if (apw_network_parse(text, length, &network) == 0)
        try_block(&network);
    if (apw_networks_parse(text, length, ',', &networks, &bad) == 0)
        for (size_t i = 0; i < networks.count; i++)
            try_block(&networks.network[i]);
    else
        FUZZ_MUST(bad >= text && bad <= text + length);
    if (apw_network_parse_address(terminated, &address) == 0) {
        size_t zone = strcspn(terminated, "%");

        FUZZ_MUST(apw_network_parse(terminated, zone, &network) == 0);
        FUZZ_MUST(memcmp(&network.address, &address, sizeof address) == 0);
        FUZZ_MUST(terminated[zone] == '\0' ||
                  apw_network_parse(terminated, strlen(terminated), &network) != 0);
    }
    free(terminated);
    return 0;
}
