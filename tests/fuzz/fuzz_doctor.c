/* SPDX-License-Identifier: BSD-2-Clause */
/* What the doctor reads of other programs: doveconf's and postconf's output, and a configuration of
 * libsasl2. */
#include "doctor/doveconf.h"
#include "doctor/postconf.h"
#include "doctor/saslconf.h"
#include "fuzz.h"

static FILE *open_text(const uint8_t *bytes, size_t length)
{
    FILE *file = length == 0 ? fopen("/dev/null", "re") : fmemopen((void *)bytes, length, "r");

    FUZZ_MUST(file != NULL);
    return file;
}

static void try_doveconf(FILE *file)
{
    static struct apw_doctor_doveconf conf;
    unsigned line = 0;

    if (apw_doctor_doveconf_read(file, &conf, &line) == 0) {
        FUZZ_MUST(conf.passdb_count <= APW_DOCTOR_DOVECONF_PASSDBS_MAX);
        for (unsigned i = 0; i < conf.passdb_count; i++)
            FUZZ_MUST(strlen(conf.passdb[i].file) < sizeof conf.passdb[i].file);
        apw_doctor_doveconf_has_protocol(&conf, "imap");
        apw_doctor_doveconf_mebibytes(conf.worker_vsz_limit);
    }
    fclose(file);
}

static void try_saslconf(FILE *file)
{
    struct apw_doctor_saslconf conf = {.prefix = ""};
    unsigned line = 0;

    if (apw_doctor_saslconf_read(file, &conf, &line) == 0)
        for (size_t i = 0; i < conf.count; i++)
            FUZZ_MUST(apw_doctor_saslconf_value(&conf, conf.option[i].name) != NULL);
    else
        FUZZ_MUST(line > 0);
    apw_doctor_saslconf_clear(&conf);
    fclose(file);
}

static void try_postconf(char *text)
{
    const struct apw_doctor_postconf conf = {.parameters = text, .overrides = text};
    char value[64];

    if (!apw_doctor_postconf_value(&conf, "submission/inet", "smtpd_sasl_path", value,
                                   sizeof value))
        FUZZ_MUST(strlen(text) >= sizeof value);
    FUZZ_MUST(strlen(value) < sizeof value && strchr(value, '\n') == NULL);
    apw_doctor_postconf_value(&conf, NULL, "smtpd_sasl_path", value, sizeof value);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char *text = fuzz_text(bytes, length);

    try_doveconf(open_text(bytes, length));
    try_saslconf(open_text(bytes, length));
    try_postconf(text);
    free(text);
    return 0;
}
