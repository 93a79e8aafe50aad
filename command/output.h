/*
 * output: the end of standard output.
 */
#ifndef APW_OUTPUT_H
#define APW_OUTPUT_H

/* Flushes standard output. If anything could not be written, says so and returns -1. */
int apw_output_finish(void);

#endif
