/* config/report.h - what is wrong with a configuration, all of it, place by place.
 *
 * Reading a file never stops at the first mistake: whoever finds one adds it here
 * and goes on. Printed as compilers do, so that editors find the place.
 *
 * Invariant: problems[0 .. count) are in the order of their places; of errors and
 * of warnings the first REPORT_PROBLEMS_MAX each are kept, all are counted.
 * Thread: the one that reads.
 */
#ifndef CONFIG_REPORT_H
#define CONFIG_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/span.h"
#include "base/text.h"

enum {
	REPORT_PROBLEMS_MAX = 50,	/* errors kept, and as many warnings */
	REPORT_TEXT_MAX     = 768,
	REPORT_SOURCE_MAX   = 160,	/* bytes of the source line that are shown */
};

/* Where something stands: line and column from 1, the column and the width in
 * characters of UTF-8 (a tab is one). Line 0: the file as a whole. */
struct place {
	uint32_t line, column, width;
};

struct config_problem {
	struct place at;
	bool     is_warning;
	uint32_t caret;			/* characters of source before the place */
	char     text[REPORT_TEXT_MAX];
	char     source[REPORT_SOURCE_MAX];	/* the line, or what of it is near */
};

struct config_report {
	const char *name;	/* borrowed: what the messages call the file */
	struct span text;	/* borrowed, while reading only */
	bool        quiet;	/* what is at hand has been complained about already */
	uint32_t    count, error_count, warning_count;
	struct config_problem problems[2 * REPORT_PROBLEMS_MAX];
};

/* Empty, for the file of that name and content. */
void report_init(struct config_report *r, const char *name, struct span text);

/* Adds a problem at a place, or counts it when there are too many. */
__attribute__((format(printf, 3, 4)))
void report_error(struct config_report *r, struct place at, const char *format, ...);
__attribute__((format(printf, 3, 4)))
void report_warning(struct config_report *r, struct place at, const char *format, ...);

/* `FILE:LINE:COLUMN: error: what is wrong`, then the source line and a caret under
 * the place; at last how many more there are. */
void report_print(const struct config_report *r, FILE *out);

#endif
