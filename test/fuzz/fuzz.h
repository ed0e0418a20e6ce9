/* test/fuzz/fuzz.h - the entry of a fuzz program, called by libFuzzer (make fuzz) or
 * by replay.c (make fuzz-replay). A property that does not hold fails a must(). */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
