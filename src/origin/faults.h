/* origin/faults.h - the ways in which this server misbehaves when told to.
 *
 * Pure: no socket, no clock, and chance is told by the caller. One table names the
 * switches; the command line (--delay 20), the query of a request (?delay=20) and
 * the help are read from it. What a request asks for replaces what the command line
 * said, for this request only.
 */
#ifndef ORIGIN_FAULTS_H
#define ORIGIN_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

enum faults_end { FAULTS_END_FIN, FAULTS_END_RST };

struct faults {			/* all 0: behave well */
	uint32_t delay_ms;
	uint32_t error_percent;
	uint32_t die_percent;
	uint32_t die_how;	/* enum faults_end */
	uint32_t close_after;	/* answers on one connection, 0: any number */
	uint32_t slow;		/* bytes of body per second, 0: no limit */
	uint32_t silent_health;	/* 0 or 1 */
	uint32_t fail_health;	/* 0 or 1 */
};

struct faults_switch {
	const char *name;	/* without dashes */
	const char *argument;	/* what the help calls it; NULL: takes none */
	uint32_t    max;	/* of a number */
	size_t      offset;	/* of its uint32_t in struct faults */
	const char *const *words;	/* instead of numbers; NULL-terminated */
	const char *help;
};

enum { FAULTS_SWITCHES = 8, FAULTS_DELAY_MS_MAX = 3600 * 1000 };

extern const struct faults_switch faults_switches[FAULTS_SWITCHES];

/* Reads a value; an empty one means 1 for a switch that takes no argument. False:
 * not a number, not one of the words, or too large; nothing has changed then. */
bool faults_set(struct faults *f, const struct faults_switch *s, struct span value);

/* Sets what the query of a request names; other keys are passed over. False: one of
 * the values is bad. */
bool faults_set_from_query(struct faults *f, struct span query);

/* Whether chance strikes: true for `percent` of 100 rolls that are spread evenly. */
bool faults_strike(uint32_t percent, uint64_t roll);

/* The length of a body at which its connection dies: half of it. */
uint64_t faults_half(uint64_t length);

/* Cuts `bytes_per_second` (at least 1) into steps: so many bytes, then a pause. */
struct faults_pace {
	uint32_t bytes;
	uint32_t pause_ms;
};
struct faults_pace faults_pace_of(uint32_t bytes_per_second);

#endif
