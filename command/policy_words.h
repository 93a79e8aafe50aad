/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy_words: what the configuration says about the life of app passwords, for people.
 */
#ifndef APW_POLICY_WORDS_H
#define APW_POLICY_WORDS_H

#include "config.h"

/* Prints to standard error what applies; nothing if nothing does. */
void apw_policy_words_say(const struct apw_config *config);

#endif
