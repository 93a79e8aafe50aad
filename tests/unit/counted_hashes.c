/* SPDX-License-Identifier: BSD-2-Clause */
#include "counted_hashes.h"
#include <stddef.h>

int hashes;
bool hashes_fail;

int __wrap_crypto_pwhash(unsigned char *const out, unsigned long long outlen,
                         const char *const passwd, unsigned long long passwdlen,
                         const unsigned char *const salt, unsigned long long opslimit,
                         size_t memlimit, int alg);
int __real_crypto_pwhash(unsigned char *const out, unsigned long long outlen,
                         const char *const passwd, unsigned long long passwdlen,
                         const unsigned char *const salt, unsigned long long opslimit,
                         size_t memlimit, int alg);

int __wrap_crypto_pwhash(unsigned char *const out, unsigned long long outlen,
                         const char *const passwd, unsigned long long passwdlen,
                         const unsigned char *const salt, unsigned long long opslimit,
                         size_t memlimit, int alg)
{
    hashes++;
    if (hashes_fail)
        return -1;
    return __real_crypto_pwhash(out, outlen, passwd, passwdlen, salt, opslimit, memlimit, alg);
}
