#include "output.h"
#include "say.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

int apw_output_finish(void)
{
    bool has_failed = ferror(stdout) != 0; /* at an earlier flush; its errno is lost */

    if (fflush(stdout) == 0 && !has_failed)
        return 0;
    apw_say(NULL, "standard output: %s", has_failed ? "could not be written" : strerror(errno));
    return -1;
}
