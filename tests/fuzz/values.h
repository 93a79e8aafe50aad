/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * values: rules (mutate.h) for what our attributes hold, to be put into a target's own table.
 *
 *   R  appPassword      T  a tombstone     U  appPasswordUsed     S  an account's state
 *   h  PHC string       t  time            g  GeneralizedTime     s  services
 *   n  networks         c  client          l  label               i  id
 *   f  id of a factor   r  16 bytes in base64url
 */
#ifndef APW_FUZZ_VALUES_H
#define APW_FUZZ_VALUES_H

/* The hash is that of fuzz_directory's app password, and as cheap as one can be. */
#define FUZZ_VALUE_RULES                                                                           \
    {'R', "id=%i created=%t[ expires=%t][ services=%s][ from=%n] hash={ARGON2}%h label=%l|"        \
          "id=k7q2 created=20261101000000Z hash={ARGON2}%h label=Laptop"},                         \
        {'T', "id=%i created=%t revoked=%t label=%l"},                                             \
        {'U', "id=%i at=%t[ service=%w][ from=%c]"},                                               \
        {'S', "TRUE|FALSE|0|512|514|66050|9223372036854775807|134000000000000000|-1|20000|"        \
              "19700101000000Z|%g|%N"},                                                            \
        {'h', "$argon2id$v=19$m=8,t=1,p=1$%b$%o|$argon2id$v=19$m=8,t=1,p=1$%b$%o|"                 \
              "$argon2id$v=%N$m=%N,t=%N,p=%N$%b$%o|$argon2i$v=19$m=8,t=1,p=1$%b$%o"},              \
        {'b', "c2l4dGVlbiBieXRlcyBvaw|c2l4dGVlbiBieXRlcyBvaw|c2l4dGVlbiBieXRlcyBvdw|c2l4"},        \
        {'o', "VvCBsCwirJlCB2HTZd1KSjn+Hc0TA9TCuBB/CQpo2G0|"                                       \
              "VvCBsCwirJlCB2HTZd1KSjn+Hc0TA9TCuBB/CQpo2G0|"                                       \
              "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA|VvCB"},                                 \
        {'t', "20261101000000Z|20261122101500Z|20270522000000Z|00000101000000Z|99991231235959Z|"   \
              "20%d%d%M%D%H%k%kZ"},                                                                \
        {'g', "%t|%t|20%d%d%M%D%H%k%k.%dZ|20%d%d%M%D%HZ|20%d%d%M%D%H%k%z%H%k|"                     \
              "20%d%d%M%D%H%k-%H|20%d%d%M%D%H,%dZ|20%d%d0229%HZ"},                                 \
        {'z', "+|-"}, {'M', "0%d|10|11|12|13"}, {'D', "0%d|1%d|2%d|30|31|32"},                     \
        {'H', "0%d|1%d|23|24"}, {'k', "%d%d|59|60|00"}, {'d', "0|1|2|3|4|5|6|7|8|9"},              \
        {'N', "0|1|2|3|8|19|8192|%d%d%d|%d%d%d%d%d%d%d|%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d"},   \
        {'s', "%w|%w,%w|%w,%s"}, {'w', "smtp|imap|pop3|sieve|submission|lmtp|%*"},                 \
        {'n', "192.0.2.0/24|2001:db8::/32|%c|%c/%N|0.0.0.0/0|%n,%n"},                              \
        {'c',                                                                                      \
         "192.0.2.7|%d%d.%N.%d.%d|2001:db8::%d|::ffff:192.0.2.7|::1|fe80::1%%eth0|127.0.0.1"},     \
        {'l', "Laptop|M\303\266bil \342\200\223 2|a b c|%l%l%l%l|%*| x"},                          \
        {'i', "k7q2|k7q2|%a%a%a%a"}, {'a', "2|3|7|9|a|d|f|j|k|q|x|z|o"},                           \
        {'f', "1f2e3d4c|1f2e3d4c|%e%e%e%e%e%e%e%e"}, {'e', "0|1|7|9|a|b|f|g"},                     \
    {                                                                                              \
        'r', "AAECAwQFBgcICQoLDA0ODw|AAECAwQFBgcICQoLDA0ODw|AAAAAAAAAAAAAAAAAAAAAA|AAECAw"         \
    }

#endif
