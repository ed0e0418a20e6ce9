/* client/options.h - the options of kv-client, in one table.
 *
 * They stand anywhere on the line, as `--count 1000` or `--count=1000`, until `--`; what
 * is left are the words of the command. Of one that is given twice, the second counts.
 */
#ifndef CLIENT_OPTIONS_H
#define CLIENT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/value.h"

enum option_id {
	OPTION_BALANCER, OPTION_VERSION, OPTION_TIMEOUT, OPTION_RAW, OPTION_ESCAPES,
	OPTION_HELP,
	/* From here on of `load` alone. */
	OPTION_COUNT, OPTION_TIME, OPTION_CONNECTIONS, OPTION_PIPELINE, OPTION_RATE,
	OPTION_KEYS, OPTION_KEY_SIZE, OPTION_VALUE_SIZE, OPTION_READS, OPTION_SEED,
	OPTION_VERIFY, OPTION_HISTORY, OPTION_JSON,
	OPTIONS
};

#define OPTION_BIT(id) (UINT32_C(1) << (id))

enum {
	OPTION_CONNECTIONS_MAX = 60000,
	OPTION_PIPELINE_MAX = 1024,
	OPTION_KEYS_MAX = 1 << 28,
	OPTION_KEY_SIZE_MAX = 32768,
	OPTION_VALUE_SIZE_MAX = 65503,
	OPTION_VERIFIED_SIZE_MIN = 8,	/* a value has to say which one it is */
};

enum verify { VERIFY_NOTHING, VERIFY_VALUES, VERIFY_STRICT };

struct options {
	uint32_t    given;		/* OPTION_BIT of each that was there */
	const char *balancer, *history;	/* texts are borrowed from argv */
	uint64_t    version;		/* 0: as the balancer has it */
	uint64_t    timeout_ms;
	uint64_t    count;		/* 0: no limit */
	uint64_t    time_ms;		/* 0: no limit */
	uint64_t    connections, pipeline, rate;	/* rate 0: as fast as it goes */
	uint64_t    keys, key_size, value_size_min, value_size_max, reads_percent, seed;
	enum verify verify;
};

/* Takes the options out of argv (without the program's name); what is left is moved to
 * the front, *count of them. Fields that were not given get their defaults. -1 and *err:
 * an unknown option, a value that is none, or some that do not go together. */
int kv_options_read(struct options *o, int argc, char **argv, uint32_t *count,
		    struct err *err);

/* Those of `load` cannot stand with another command: -1 and *err. */
int kv_options_check(const struct options *o, bool loads, struct err *err);

/* Prints them with their defaults. */
void kv_options_print(FILE *out);

static inline bool option_given(const struct options *o, enum option_id id)
{
	return (o->given & OPTION_BIT(id)) != 0;
}

#endif
