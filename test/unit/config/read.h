/* test/unit/config/read.h - a text is read, and what was said about it compared. */
#ifndef UNIT_CONFIG_READ_H
#define UNIT_CONFIG_READ_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"

static struct config_report report;

/* All problems as `LINE:COLUMN: error: text`, one a line; owned by the caller. */
static inline char *problems_text(const struct config_report *r)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (uint32_t i = 0; i < r->count; i++) {
		const struct config_problem *p = &r->problems[i];
		fprintf(out, "%u:%u: %s: %s\n", p->at.line, p->at.column,
			p->is_warning ? "warning" : "error", p->text);
	}
	fclose(out);
	return text;
}

/* The file reads as a model, which the caller owns, and nothing is said. */
static inline struct model *good(const char *text)
{
	struct model *m = config_read(text, strlen(text), "test.conf", &report);
	char *said = problems_text(&report);

	assert_string_equal(said, "");
	free(said);
	assert_non_null(m);
	return m;
}

/* The file reads, or does not, and exactly this is said about it. */
static inline void complains(const char *text, const char *expected)
{
	struct model *m = config_read(text, strlen(text), "test.conf", &report);
	char *said = problems_text(&report);

	assert_string_equal(said, expected);
	assert_int_equal(m == NULL, report.error_count > 0);
	free(said);
	model_put(m);
}

/* The same for a statement in a listen or a pool block of an otherwise good file.
 * The statement stands in line 2 from column 1. */
static inline void listener_complains(const char *statement, const char *expected)
{
	char text[4096];

	snprintf(text, sizeof text, "listen http :80 { to web\n%s\n}\n"
		 "pool web { server 81 }\n", statement);
	complains(text, expected);
}

static inline void pool_complains(const char *statement, const char *expected)
{
	char text[4096];

	snprintf(text, sizeof text, "pool web { server 81\n%s\n}\n"
		 "listen http :80 { to web }\n", statement);
	complains(text, expected);
}

#endif
