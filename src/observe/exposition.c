#include "observe/exposition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/must.h"

enum { FIRST_SIZE = 64 * 1024 };

const char *exposition_content_type(enum exposition_format format)
{
	return format == EXPOSITION_OPENMETRICS
		       ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
		       : "text/plain; version=0.0.4; charset=utf-8";
}

void exposition_init(struct exposition *e, enum exposition_format format)
{
	*e = (struct exposition){.format = format, .size = FIRST_SIZE};
	e->text = memory_new(1, e->size);
}

static void append(struct exposition *e, const char *at, size_t len)
{
	if (e->size - e->len < len) {
		while (e->size - e->len < len)
			e->size *= 2;
		e->text = memory_grow(e->text, e->size, 1);
	}
	memcpy(e->text + e->len, at, len);
	e->len += len;
}

static void append_text(struct exposition *e, const char *text)
{
	append(e, text, strlen(text));
}

char *exposition_end(struct exposition *e, size_t *len)
{
	if (e->format == EXPOSITION_OPENMETRICS)
		append_text(e, "# EOF\n");
	char *text = e->text;
	*len = e->len;
	*e = (struct exposition){0};
	return text;
}

/* In Prometheus' own format the family is called as its samples are. */
static const char *total_of(const struct exposition *e, bool is_sample)
{
	return e->type == FAMILY_COUNTER &&
	       (is_sample || e->format == EXPOSITION_PROMETHEUS) ? "_total" : "";
}

void exposition_family(struct exposition *e, const char *name, enum family_type type,
		       const char *help)
{
	static const char *const types[] = {
		[FAMILY_COUNTER] = "counter", [FAMILY_GAUGE] = "gauge",
		[FAMILY_HISTOGRAM] = "histogram", [FAMILY_SUMMARY] = "summary",
	};
	const char *const words[] = {"# HELP ", "# TYPE "}, *const says[] = {help, types[type]};

	e->name = name;
	e->type = type;
	for (int i = 0; i < 2; i++) {
		append_text(e, words[i]);
		append_text(e, name);
		append_text(e, total_of(e, false));
		append(e, " ", 1);
		append_text(e, says[i]);
		append(e, "\n", 1);
	}
}

static void append_more(struct exposition *e, struct exposition_labels labels)
{
	if (*labels.fixed != '\0')
		append(e, ",", 1);
	append_text(e, labels.name);
	append(e, "=\"", 2);
	append_text(e, labels.value);
	append(e, "\"", 1);
}

static void begin_sample(struct exposition *e, const char *suffix,
			 struct exposition_labels labels)
{
	append_text(e, e->name);
	append_text(e, suffix);
	append_text(e, total_of(e, true));
	if (*labels.fixed != '\0' || labels.name != NULL) {
		append(e, "{", 1);
		append_text(e, labels.fixed);
		if (labels.name != NULL)
			append_more(e, labels);
		append(e, "}", 1);
	}
	append(e, " ", 1);
}

/* By hand: a thousand servers are tens of thousands of numbers. */
static void append_number(struct exposition *e, uint64_t value)
{
	char digits[20];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	append(e, digits + at, sizeof digits - at);
}

void exposition_number(struct exposition *e, const char *suffix,
		       struct exposition_labels labels, uint64_t value)
{
	begin_sample(e, suffix, labels);
	append_number(e, value);
	append(e, "\n", 1);
}

void exposition_seconds(struct exposition *e, const char *suffix,
			struct exposition_labels labels, uint64_t us)
{
	char part[7];
	uint64_t rest = us % 1000000;

	for (int i = 5; i >= 0; i--, rest /= 10)
		part[i] = (char)('0' + rest % 10);
	part[6] = '\n';
	begin_sample(e, suffix, labels);
	append_number(e, us / 1000000);
	append(e, ".", 1);
	append(e, part, sizeof part);
}

void exposition_label(char *labels, size_t size, const char *name, const char *value)
{
	size_t len = strlen(labels), at = len;
	int begun = snprintf(labels + at, size - at, "%s%s=\"", len > 0 ? "," : "", name);

	must(begun > 0);
	at += (size_t)begun;
	for (; *value != '\0' && at + 4 < size; value++) {
		if (*value == '\\' || *value == '"' || *value == '\n')
			labels[at++] = '\\';
		labels[at++] = *value == '\n' ? 'n' : *value;
	}
	if (*value != '\0' || at + 2 > size) {
		labels[len] = '\0';
		return;
	}
	labels[at++] = '"';
	labels[at] = '\0';
}
