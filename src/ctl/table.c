#include "ctl/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/must.h"
#include "base/text.h"

enum { BETWEEN = 2 };		/* blanks between two columns */

struct cell {
	char      *text;	/* owned */
	enum style style;
};

struct table {
	const struct column *columns;	/* borrowed */
	uint32_t     column_count;
	struct cell *cells;		/* owned, row by row; the titles are the first */
	uint32_t     count, room;
};

struct table *table_create(const struct column *columns, uint32_t count)
{
	struct table *t = memory_new(1, sizeof *t);

	t->columns = columns;
	t->column_count = count;
	for (uint32_t i = 0; i < count; i++)
		table_put(t, STYLE_BOLD, "%s", columns[i].title);
	return t;
}

void table_destroy(struct table *t)
{
	for (uint32_t i = 0; i < t->count; i++)
		free(t->cells[i].text);
	free(t->cells);
	free(t);
}

void table_put(struct table *t, enum style style, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	int len = vasprintf(&text, format, args);
	va_end(args);
	must(len >= 0);
	text_tame(text, (size_t)len);
	if (len == 0) {
		free(text);
		text = memory_text("-");
	}
	if (t->count == t->room) {
		t->room = t->room == 0 ? 64 : 2 * t->room;
		t->cells = memory_grow(t->cells, t->room, sizeof *t->cells);
	}
	t->cells[t->count++] = (struct cell){text, style};
}

static void print_plain(const struct table *t, const char *noun)
{
	for (uint32_t i = t->column_count; i < t->count; i++) {
		uint32_t column = i % t->column_count;
		if (column == 0 && noun != NULL)
			printf("%s\t", noun);
		printf("%s%c", t->cells[i].text,
		       column + 1 == t->column_count ? '\n' : '\t');
	}
}

static void print_blanks(size_t count)
{
	while (count-- > 0)
		putchar(' ');
}

/* One cell of a column so wide; nothing is put behind the last one. */
static void print_cell(const struct paper *paper, const struct column *column,
		       const struct cell *cell, size_t width, bool is_last)
{
	size_t blanks = width - text_width(cell->text);

	if (column->is_number)
		print_blanks(blanks);
	if (cell->style != STYLE_PLAIN)
		fputs(paper_style(paper, cell->style), stdout);
	fputs(cell->text, stdout);
	if (cell->style != STYLE_PLAIN)
		fputs(paper_style(paper, STYLE_PLAIN), stdout);
	if (is_last)
		putchar('\n');
	else
		print_blanks((column->is_number ? 0 : blanks) + BETWEEN);
}

static size_t column_width(const struct table *t, uint32_t column)
{
	size_t width = 0;

	for (uint32_t i = column; i < t->count; i += t->column_count) {
		size_t needed = text_width(t->cells[i].text);
		width = needed > width ? needed : width;
	}
	return width;
}

static void print_aligned(const struct table *t, const struct paper *paper)
{
	size_t *widths = memory_new(t->column_count, sizeof *widths);
	uint32_t last = t->column_count - 1;

	for (uint32_t c = 0; c <= last; c++)
		widths[c] = column_width(t, c);
	for (uint32_t i = 0; i < t->count; i++) {
		uint32_t c = i % t->column_count;
		print_cell(paper, &t->columns[c], &t->cells[i], widths[c], c == last);
	}
	free(widths);
}

void table_print(const struct table *t, const struct paper *paper, const char *noun)
{
	must(t->count % t->column_count == 0);
	if (paper->terminal)
		print_aligned(t, paper);
	else
		print_plain(t, noun);
}
