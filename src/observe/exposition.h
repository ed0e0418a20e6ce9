/* observe/exposition.h - text that Prometheus reads: families of samples, in its own
 * format (0.0.4) or as OpenMetrics (1.0.0).
 *
 * The two differ in how a counter's family is called, in the type of what is not known,
 * and in the last line. All samples of a family stand together: begin one, write its
 * samples, begin the next.
 *
 * Pure: a growing block of memory.
 */
#ifndef OBSERVE_EXPOSITION_H
#define OBSERVE_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum exposition_format { EXPOSITION_PROMETHEUS, EXPOSITION_OPENMETRICS };

/* Of the answer that carries it. */
const char *exposition_content_type(enum exposition_format format);

enum family_type { FAMILY_COUNTER, FAMILY_GAUGE, FAMILY_HISTOGRAM, FAMILY_SUMMARY };

struct exposition {
	enum exposition_format format;
	char  *text;			/* owned */
	size_t len, size;
	const char *name;		/* of the family at hand; a counter's without _total */
	enum family_type type;
};

void exposition_init(struct exposition *e, enum exposition_format format);

/* The whole text, owned by the caller (free); e is as before init. */
char *exposition_end(struct exposition *e, size_t *len);

/* The name of a counter without "_total"; a name of seconds or bytes ends in that. */
void exposition_family(struct exposition *e, const char *name, enum family_type type,
		       const char *help);

/* Labels of a sample: what exposition_label made, without braces, "" for none; and one
 * more, that needs no escapes, or NULL. */
struct exposition_labels {
	const char *fixed;
	const char *name, *value;
};

/* One sample. The suffix is that of a histogram's parts: "_bucket", "_sum", "_count";
 * else "". */
void exposition_number(struct exposition *e, const char *suffix,
		       struct exposition_labels labels, uint64_t value);

/* The same of microseconds, as seconds. */
void exposition_seconds(struct exposition *e, const char *suffix,
			struct exposition_labels labels, uint64_t us);

/* Appends name="value" with what must be escaped escaped, and a comma between; what has
 * no room is left out as a whole. `labels` has room for `size` and begins with "". */
void exposition_label(char *labels, size_t size, const char *name, const char *value);

#endif
