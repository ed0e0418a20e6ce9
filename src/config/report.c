#include "config/report.h"

#include <stdarg.h>
#include <string.h>

void report_init(struct config_report *r, const char *name, struct span text)
{
	r->name = name;
	r->text = text;
	r->quiet = false;
	r->count = r->error_count = r->warning_count = 0;
}

/* The text of a line, without its end. */
static struct span find_line(struct span text, uint32_t line)
{
	const char *at = text.at, *end = text.at + text.len;

	for (uint32_t n = 1; n < line && at < end; n++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		at = newline != NULL ? newline + 1 : end;
	}
	const char *newline = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
	return (struct span){at, (size_t)((newline != NULL ? newline : end) - at)};
}

/* How many bytes the first `characters` characters take. */
static size_t bytes_before(struct span line, uint32_t characters)
{
	size_t at = 0;

	while (at < line.len && characters-- > 0) {
		at++;
		while (at < line.len && text_continues(line.at[at]))
			at++;
	}
	return at;
}

/* Copies the line, or of a long one what is around the place. */
static void copy_source(struct config_problem *p, struct span line)
{
	enum { BEFORE = REPORT_SOURCE_MAX / 2 };
	size_t place = bytes_before(line, p->at.column - 1);
	bool cut = place > BEFORE && line.len >= REPORT_SOURCE_MAX;
	size_t start = cut ? place - BEFORE : 0;
	size_t used = 0, i;

	while (start < place && text_continues(line.at[start]))
		start++;
	for (i = start; i < line.len && used < REPORT_SOURCE_MAX - 1; i++) {
		char c = line.at[i];
		bool control = ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
		if (c == '\r' && i + 1 == line.len)
			break;	/* half of a CRLF */
		p->source[used++] = control ? '?' : c;
		if (i < place && !text_continues(c))
			p->caret++;
	}
	if (i < line.len)
		used = text_whole(p->source, used, line.at[i]);
	p->source[used] = '\0';
}

static bool is_before(struct place a, struct place b)
{
	return a.line != b.line ? a.line < b.line : a.column < b.column;
}

__attribute__((format(printf, 4, 0)))
static void add(struct config_report *r, struct place at, bool is_warning,
		const char *format, va_list args)
{
	uint32_t *counter = is_warning ? &r->warning_count : &r->error_count;
	uint32_t i = r->count;

	if (r->quiet || (*counter)++ >= REPORT_PROBLEMS_MAX)
		return;
	while (i > 0 && is_before(at, r->problems[i - 1].at))
		i--;
	struct config_problem *p = &r->problems[i];
	memmove(p + 1, p, (r->count - i) * sizeof *p);
	r->count++;
	*p = (struct config_problem){.at = at, .is_warning = is_warning};
	vsnprintf(p->text, sizeof p->text, format, args);
	text_tame(p->text, strlen(p->text));	/* words of the file have whatever bytes */
	if (at.line > 0)
		copy_source(p, find_line(r->text, at.line));
}

void report_error(struct config_report *r, struct place at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(r, at, false, format, args);
	va_end(args);
}

void report_warning(struct config_report *r, struct place at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(r, at, true, format, args);
	va_end(args);
}

/* The source line and, in the next line, a caret and tildes below the place. Tabs
 * are kept, so that both lines are wide alike. */
static void print_source(const struct config_problem *p, FILE *out)
{
	uint32_t at = 0, left = p->at.width > 1 ? p->at.width - 1 : 0;
	const char *c = p->source;

	fprintf(out, "    %s\n    ", p->source);
	for (; *c != '\0' && at < p->caret; c++)
		if (!text_continues(*c)) {
			fputc(*c == '\t' ? '\t' : ' ', out);
			at++;
		}
	fputc('^', out);
	while (*c != '\0' && left > 0) {
		if (!text_continues(*++c) && *c != '\0') {
			fputc('~', out);
			left--;
		}
	}
	fputc('\n', out);
}

static void print_left_out(uint32_t total, const char *noun, FILE *out)
{
	uint32_t left_out = total > REPORT_PROBLEMS_MAX ? total - REPORT_PROBLEMS_MAX : 0;

	if (left_out > 0)
		fprintf(out, "and %u more %s%s\n", left_out, noun,
			left_out == 1 ? "" : "s");
}

void report_print(const struct config_report *r, FILE *out)
{
	for (uint32_t i = 0; i < r->count; i++) {
		const struct config_problem *p = &r->problems[i];
		fputs(r->name, out);
		if (p->at.line > 0)
			fprintf(out, ":%u:%u", p->at.line, p->at.column);
		fprintf(out, ": %s: %s\n", p->is_warning ? "warning" : "error", p->text);
		if (p->at.line > 0)
			print_source(p, out);
	}
	print_left_out(r->error_count, "error", out);
	print_left_out(r->warning_count, "warning", out);
}
