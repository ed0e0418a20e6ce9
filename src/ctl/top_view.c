#include "ctl/top_view.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/must.h"
#include "ctl/member.h"
#include "ctl/top_text.h"

enum {
	SERVER_MIN = 14, SERVER_MAX = 46, NAME_MAX_COLUMNS = 16, REASON_MIN = 10,
	WIDE_FROM = 100,		/* columns, from which on there is room between */
};

/* Who is given up first where a terminal is narrow comes last. */
static const enum top_column by_worth[] = {
	TOP_SERVER, TOP_STATE, TOP_REQUESTS, TOP_ERRORS, TOP_NOW, TOP_WEIGHT, TOP_P99,
	TOP_NAME, TOP_P50, TOP_REASON, TOP_BYTES,
};

struct layout {
	uint32_t columns[TOP_COLUMNS];	/* 0: not shown */
	uint32_t between;
};

/* ---- ink ---- */

static void put_ink(const struct top_view *v, const struct top_pen *pen,
		    struct top_ink ink)
{
	char text[TOP_TEXT_MAX];

	if (ink.row >= v->height || ink.column >= v->width)
		return;
	if (ink.columns > v->width - ink.column)
		ink.columns = v->width - ink.column;
	ink.columns = top_text_cut(text, sizeof text, ink.text, ink.columns);
	ink.text = text;
	pen->put(pen->arg, &ink);
}

/* A line from its left end. */
__attribute__((format(printf, 5, 6)))
static void put_line(const struct top_view *v, const struct top_pen *pen, uint32_t row,
		     enum style style, const char *format, ...)
{
	char text[TOP_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	put_ink(v, pen, (struct top_ink){row, 0, v->width, style, false, text});
}

/* ---- columns ---- */

const char *top_column_title(enum top_column column)
{
	static const char *const titles[TOP_COLUMNS] = {
		[TOP_SERVER] = "SERVER", [TOP_NAME] = "NAME", [TOP_STATE] = "STATE",
		[TOP_WEIGHT] = "WEIGHT", [TOP_NOW] = "NOW", [TOP_REQUESTS] = "REQ/S",
		[TOP_ERRORS] = "ERR/S", [TOP_P50] = "P50 ms", [TOP_P99] = "P99 ms",
		[TOP_BYTES] = "BYTES/S", [TOP_REASON] = "REASON",
	};

	return titles[column];
}

static bool is_text(enum top_column c)
{
	return c == TOP_SERVER || c == TOP_NAME || c == TOP_STATE || c == TOP_REASON;
}

static uint32_t widest(const struct top_rows *rows, enum top_column c, uint32_t most)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < rows->count && found < most; i++) {
		uint32_t columns = top_text_columns(rows->rows[i].text[c]);
		if (c == TOP_SERVER && !rows->rows[i].is_pool)
			columns += 2;
		found = columns > found ? columns : found;
	}
	return found < most ? found : most;
}

/* What it would like to have. */
static uint32_t wish(const struct top_view *v, const struct top_rows *rows,
		     enum top_column c)
{
	uint32_t columns;

	switch (c) {
	case TOP_SERVER:
		columns = v->width < WIDE_FROM ? 24 : SERVER_MAX;
		columns = widest(rows, c, columns);
		return columns > SERVER_MIN ? columns : SERVER_MIN;
	case TOP_NAME:
		return rows->has_names ? widest(rows, c, NAME_MAX_COLUMNS) : 0;
	case TOP_STATE:
		return 9;
	case TOP_REASON:
		return REASON_MIN;
	case TOP_BYTES:
		return rows->has_bytes ? 7 : 0;
	case TOP_WEIGHT: case TOP_P50: case TOP_P99:
		return 6;
	case TOP_NOW: case TOP_REQUESTS: case TOP_ERRORS: case TOP_COLUMNS:
		break;
	}
	return 5;
}

static struct layout lay_out(const struct top_view *v, const struct top_rows *rows)
{
	struct layout l = {.between = v->width < WIDE_FROM ? 1 : 2};
	uint32_t used = 0;

	for (size_t i = 0; i < COUNT_OF(by_worth); i++) {
		enum top_column c = by_worth[i];
		uint32_t columns = wish(v, rows, c);
		if (columns == 0 || (c != TOP_SERVER && used + columns > v->width))
			continue;
		l.columns[c] = columns;
		used += columns + l.between;
	}
	/* The reason is the last column, and has all that is left. */
	if (l.columns[TOP_REASON] > 0 && used < v->width + l.between)
		l.columns[TOP_REASON] += v->width + l.between - used;
	return l;
}

/* ---- head ---- */

static void draw_head(const struct top_view *v, const struct top_rows *rows,
		      const struct top_poll *poll, const struct top_pen *pen)
{
	const json_t *s = poll->status;
	const char *state = member_text(s, "state");

	put_line(v, pen, 0, *v->trouble != '\0' ? STYLE_BAD : STYLE_BOLD,
		 "balancerd %s %s, up %s%s%s%s%s", member_text(s, "name"),
		 member_text(s, "version"), paper_time(member_number(s, "uptime_s")).text,
		 strcmp(state, "running") != 0 && *state != '\0' ? ", " : "",
		 strcmp(state, "running") != 0 ? state : "",
		 v->paused ? ", paused" : "",
		 *v->trouble != '\0' ? ", it does not answer" : "");
	put_line(v, pen, 1, STYLE_PLAIN,
		 "%" PRIu64 " connection%s, %s requests/s, %s errors/s, "
		 "%" PRIu64 "/%" PRIu64 " up%s%s", member_number(s, "connections"),
		 plural(member_number(s, "connections")),
		 top_figure_rate(rows->sum.requests).text,
		 top_figure_rate(rows->sum.errors).text, rows->sum.up, rows->sum.servers,
		 *v->order.filter != '\0' ? ", with " : "", v->order.filter);
}

static void draw_titles(const struct top_view *v, const struct layout *l,
			const struct top_pen *pen)
{
	uint32_t at = 0;

	for (enum top_column c = 0; c < TOP_COLUMNS; c++) {
		const char *title = top_column_title(c);
		uint32_t len = (uint32_t)strlen(title), columns = l->columns[c];
		if (columns == 0)
			continue;
		uint32_t blanks = is_text(c) || columns < len ? 0 : columns - len;
		put_ink(v, pen, (struct top_ink){
			TOP_HEAD_LINES - 1, at + blanks, columns - blanks, STYLE_BOLD,
			c == v->order.by && !v->is_still, title});
		at += columns + l->between;
	}
}

/* ---- rows ---- */

static enum style style_of(const struct top_row *row)
{
	if (row->severity == 0)
		return STYLE_GOOD;
	if (strcmp(row->state, "off") == 0)
		return STYLE_DIM;
	return row->severity >= 7 ? STYLE_BAD : STYLE_WARN;
}

static struct top_figure figure_of(const struct top_row *row, enum top_column c)
{
	if (c == TOP_P50 || c == TOP_P99)
		return top_figure_ms(row->value[c]);
	return c == TOP_REQUESTS || c == TOP_ERRORS ? top_figure_rate(row->value[c]) :
						      top_figure_whole(row->value[c]);
}

/* What stands in a cell, *style what it looks like there. */
static void write_cell(const struct top_row *row, enum top_column c,
		       char text[TOP_TEXT_MAX], enum style *style)
{
	*style = row->is_pool ? STYLE_BOLD : STYLE_PLAIN;
	if (c == TOP_STATE) {
		*style = style_of(row);
		snprintf(text, TOP_TEXT_MAX, "%s", row->state);
	} else if (is_text(c)) {
		const char *own = *row->text[c] != '\0' || c == TOP_REASON ?
			row->text[c] : "-";
		if (c == TOP_REASON)
			*style = STYLE_PLAIN;
		bool below = c == TOP_SERVER && !row->is_pool;
		snprintf(text, TOP_TEXT_MAX, "%s%s", below ? "  " : "",
			 row->is_pool && c == TOP_NAME ? "" : own);
	} else {
		if (c == TOP_ERRORS && row->value[c] > 0)
			*style = STYLE_BAD;
		snprintf(text, TOP_TEXT_MAX, "%s",
			 row->is_pool && c == TOP_WEIGHT ? "" : figure_of(row, c).text);
	}
}

static void draw_row(const struct top_view *v, const struct layout *l,
		     const struct top_row *row, struct top_ink ink,
		     const struct top_pen *pen)
{
	char text[TOP_TEXT_MAX];
	uint32_t at = 0;

	ink.text = text;
	for (enum top_column c = 0; c < TOP_COLUMNS; c++) {
		if (l->columns[c] == 0)
			continue;
		write_cell(row, c, text, &ink.style);
		uint32_t needed = top_text_columns(text), columns = l->columns[c];
		uint32_t blanks = is_text(c) || needed >= columns ? 0 : columns - needed;
		ink.column = at + blanks;
		ink.columns = columns - blanks;
		if (*text != '\0')
			put_ink(v, pen, ink);
		at += columns + l->between;
	}
}

/* The blanks of a line that is chosen are seen, so they are drawn first. */
static void draw_bar(const struct top_view *v, uint32_t row, const struct top_pen *pen)
{
	char blanks[TOP_TEXT_MAX];
	uint32_t width = v->width < sizeof blanks - 8 ? v->width : sizeof blanks - 8;

	memset(blanks, ' ', width);
	blanks[width] = '\0';
	put_ink(v, pen, (struct top_ink){row, 0, width, STYLE_PLAIN, true, blanks});
}

static void draw_rows(const struct top_view *v, const struct layout *l,
		      const struct top_rows *rows, const struct top_pen *pen)
{
	uint32_t room = v->is_still ? rows->count : top_view_room(v);

	for (uint32_t i = 0; i < room && v->first + i < rows->count; i++) {
		uint32_t row = TOP_HEAD_LINES + i;
		bool chosen = v->first + i == v->chosen && !v->is_still;
		if (chosen)
			draw_bar(v, row, pen);
		draw_row(v, l, &rows->rows[v->first + i],
			 (struct top_ink){.row = row, .reversed = chosen}, pen);
	}
	if (rows->count == 0)
		put_line(v, pen, TOP_HEAD_LINES, STYLE_PLAIN, "%s",
			 *v->order.filter != '\0' ? "nothing has that in it; / changes it"
						  : "there is no pool");
}

static void draw_help(const struct top_view *v, const struct top_pen *pen)
{
	static const char *const lines[] = {
		"up, down, page up, page down, home, end: choose a line",
		"s or >, <: put in order by the next or previous column; S: reversed",
		"d: drain the server, e: enable it, w: set its weight",
		"r: remove it (asks)      /: show what has a word in it",
		"p: pause                 h: this help      q: quit",
		"REQ/S, ERR/S and BYTES/S are of the last second, P50 and",
		"P99 of the last 40 to 60; of TCP, requests are connections.",
	};

	for (uint32_t i = 0; i < COUNT_OF(lines) && i < top_view_room(v); i++)
		put_line(v, pen, TOP_HEAD_LINES + i, STYLE_PLAIN, "%s", lines[i]);
}

/* Whatever is most pressing: what was said, what is wrong, what the row has to say. */
static void draw_last(const struct top_view *v, const struct top_rows *rows,
		      const struct top_pen *pen)
{
	const struct top_row *row =
		v->chosen < rows->count ? &rows->rows[v->chosen] : NULL;
	uint32_t at = v->height - 1;

	if (*v->last != '\0')
		put_line(v, pen, at, STYLE_BOLD, "%s", v->last);
	else if (*v->trouble != '\0')
		put_line(v, pen, at, STYLE_BAD, "trying again: %s", v->trouble);
	else if (row != NULL && row->severity > 0 && *row->text[TOP_REASON] != '\0' &&
		 !(row->is_pool && row->severity < 7))
		put_line(v, pen, at, STYLE_WARN, "%s: %s", row->text[TOP_SERVER],
			 row->text[TOP_REASON]);
	else
		put_line(v, pen, at, STYLE_DIM, "h help  s order  d drain  e enable  "
			 "w weight  r remove  / filter  q quit");
}

uint32_t top_view_room(const struct top_view *v)
{
	return v->height > TOP_HEAD_LINES + 2 ? v->height - TOP_HEAD_LINES - 1 : 1;
}

void top_view_settle(struct top_view *v, const struct top_rows *rows)
{
	uint32_t room = top_view_room(v);

	if (v->chosen >= rows->count)
		v->chosen = rows->count > 0 ? rows->count - 1 : 0;
	if (v->first > v->chosen)
		v->first = v->chosen;
	if (v->chosen - v->first >= room)
		v->first = v->chosen - room + 1;
	/* No empty lines at the end while rows are hidden above. */
	if (v->first + room > rows->count)
		v->first = rows->count > room ? rows->count - room : 0;
}

void top_view_draw(const struct top_view *v, const struct top_rows *rows,
		   const struct top_poll *poll, const struct top_pen *pen)
{
	struct layout l = lay_out(v, rows);

	draw_head(v, rows, poll, pen);
	if (v->help) {
		draw_help(v, pen);
	} else {
		draw_titles(v, &l, pen);
		draw_rows(v, &l, rows, pen);
	}
	if (!v->is_still && v->height > 1)
		draw_last(v, rows, pen);
}
